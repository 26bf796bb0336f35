//! What an order's document says beside its goods and respondents.

use tocsin_core::party::Party;
use tocsin_core::terms::{
    Bond, Breadth, CarveOut, CarveOutKind, Downstream, Related, Relation, Terms,
};

use super::fields::Fields;
use super::parts::{parties, party};
use super::selectors::selectors;

/// Reads the terms; `respondents` are those of the order, whom related firms name.
pub(super) fn terms(fields: &mut Fields<'_, '_>, respondents: &[Party]) -> Terms {
    Terms {
        directions: fields.words("directions"),
        relations: fields.words("relations"),
        downstream: downstream(fields),
        related: fields
            .tables("related")
            .into_iter()
            .map(|fields| related(fields, respondents))
            .collect(),
        carve_outs: fields
            .tables("carve_outs")
            .into_iter()
            .map(carve_out)
            .collect(),
        authorised: parties(fields, "authorised"),
        bond: fields.table("bond").map(bond),
        breadth: fields.table("breadth").map(breadth),
        certification: Some(fields.text_or_empty("certification")).filter(|text| !text.is_empty()),
    }
}

/// `none` is what is said by leaving it out.
fn downstream(fields: &mut Fields<'_, '_>) -> Option<Downstream> {
    fields.optional_word("downstream", NOT_DOWNSTREAM)
}

fn related(mut fields: Fields<'_, '_>, respondents: &[Party]) -> Related {
    let relation = fields.word("relation", Relation::Affiliate);
    let named = fields.text("of");
    let of = place(&named, respondents).unwrap_or_else(|| {
        if !named.is_empty() {
            let text = format!("`of` names no respondent: `{named}`; give its first name, or #1");
            fields.problem(&text);
        }
        0
    });
    let related = Related {
        relation,
        of,
        from_ms: fields.time_or_zero("from"),
        until_ms: fields.time_or_zero("until"),
        party: party(&mut fields),
    };
    fields.finish();
    related
}

/// The respondent's place: by its first name, or `#1` for the first.
fn place(named: &str, respondents: &[Party]) -> Option<u32> {
    let at = match named.strip_prefix('#') {
        Some(number) => number.parse::<usize>().ok()?.checked_sub(1)?,
        None => only_place(named, respondents)?,
    };
    u32::try_from(at).ok()
}

/// Where the one respondent with this first name stands.
pub(super) fn only_place(named: &str, respondents: &[Party]) -> Option<usize> {
    let is_named = |party: &Party| party.names.first().is_some_and(|name| name == named);
    let mut places = respondents
        .iter()
        .enumerate()
        .filter(|(_, party)| is_named(party));
    let (at, _) = places.next()?;
    places.next().is_none().then_some(at)
}

fn carve_out(mut fields: Fields<'_, '_>) -> CarveOut {
    let carve_out = CarveOut {
        kind: fields.word("kind", CarveOutKind::DateWindow),
        text: fields.text("text"),
        selectors: selectors(&mut fields, "selectors"),
        parties: parties(&mut fields, "parties"),
        from_ms: fields.time_or_zero("from"),
        until_ms: fields.time_or_zero("until"),
    };
    fields.finish();
    carve_out
}

fn bond(mut fields: Fields<'_, '_>) -> Bond {
    let bond = Bond {
        text: fields.text("text"),
        until_ms: fields.time("until"),
    };
    fields.finish();
    bond
}

fn breadth(mut fields: Fields<'_, '_>) -> Breadth {
    let breadth = Breadth {
        lines: fields.number("lines").unwrap_or_default(),
        hits: fields.number("hits").unwrap_or_default(),
    };
    if breadth.lines == 0 {
        fields.problem("`lines` is missing: how many lines were tried");
    }
    fields.finish();
    breadth
}

/// The word for goods that contain the article being free.
pub(super) const NOT_DOWNSTREAM: &str = "none";
