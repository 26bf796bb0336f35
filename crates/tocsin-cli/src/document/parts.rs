//! The parts that documents share: goods, parties, rights.

use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::Article;
use tocsin_core::right::{Right, RightKind};

use super::fields::{Fields, parse_word};
use super::selectors::selectors;
use crate::failure::Failure;

pub(super) fn articles(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Article> {
    fields.tables(key).into_iter().map(article).collect()
}

fn article(mut fields: Fields<'_, '_>) -> Article {
    let article = Article {
        description: fields.text("description"),
        selectors: selectors(&mut fields, "selectors"),
    };
    fields.finish();
    article
}

pub(super) fn parties(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Party> {
    let whole = |mut fields: Fields<'_, '_>| {
        let party = party(&mut fields);
        fields.finish();
        party
    };
    fields.tables(key).into_iter().map(whole).collect()
}

/// A party whose fields stand among others.
pub(super) fn party(fields: &mut Fields<'_, '_>) -> Party {
    let party = Party {
        kind: fields.word_or("kind", PartyKind::Company),
        names: fields.texts("names"),
        identifiers: selectors(fields, "identifiers"),
        country: fields.text_or_empty("country").to_uppercase(),
    };
    if party.names.is_empty() {
        fields.problem("`names` is missing: [\"primary name\", \"other names\"]");
    }
    party
}

pub(super) fn rights(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Right> {
    fields.tables(key).into_iter().map(right).collect()
}

fn right(mut fields: Fields<'_, '_>) -> Right {
    let right = Right {
        kind: fields.word("kind", RightKind::Patent),
        office: fields.text("office").to_uppercase(),
        number: fields.text_or_empty("number"),
        missing_reason: fields.text_or_empty("missing_reason"),
        claims: fields.text_or_empty("claims"),
    };
    if right.number.is_empty() && right.missing_reason.is_empty() {
        fields.problem("`number` is missing: give it, or say why not in `missing_reason`");
    }
    fields.finish();
    right
}

/// A right as typed on the command line: `OFFICE:KIND:NUMBER`, e.g. `DE:trade_mark:302019012345`.
///
/// # Errors
/// When a part is missing or the kind is no known word.
pub fn right_from_text(text: &str) -> Result<Right, Failure> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let (Some(office), Some(kind), Some(number)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(form(text));
    };
    if office.is_empty() || number.is_empty() {
        return Err(form(text));
    }
    let kind = parse_word::<RightKind>(kind).map_err(|why| form(text).detail(why))?;
    Ok(Right {
        kind,
        office: office.to_uppercase(),
        number: number.to_owned(),
        missing_reason: String::new(),
        claims: String::new(),
    })
}

fn form(text: &str) -> Failure {
    Failure::usage(format!("`{text}` is not a right"))
        .advice("write OFFICE:KIND:NUMBER, e.g. DE:trade_mark:302019012345")
}
