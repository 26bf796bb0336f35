//! Whether a party of an order is a party of a line: by identifier, then by name.

use tocsin_core::order::Order;
use tocsin_core::party::{MAX_NAMES, Party as Bound};
use tocsin_core::product::{Selector, Strength};

use crate::answer::{Fact, Part, Side};
use crate::declared::{Declared, DeclaredFact};
use crate::evidence::{meets, part, score};
use crate::line::{Field, MAX_LINE_VALUES, Role};
use crate::names::{self, Name, Numbers, Way};
use crate::rules::Agreement;

/// How far a party of an order agrees, with everything that it was found from.
#[derive(Debug)]
pub(crate) struct PartyEvidence {
    pub(crate) agreement: Agreement,
    pub(crate) is_contradicted: bool,
    pub(crate) score: u16,
    pub(crate) parts: Vec<Part>,
}

impl PartyEvidence {
    pub(crate) const UNSAID: Self = Self {
        agreement: Agreement::Unsaid,
        is_contradicted: false,
        score: 0,
        parts: Vec::new(),
    };

    /// Of two, the one that says more; the first of equals.
    pub(crate) fn max(self, other: Self) -> Self {
        if (other.agreement, other.score) > (self.agreement, self.score) {
            other
        } else {
            self
        }
    }
}

/// How far a party of an order agrees with the best of a line's parties in these roles.
pub(crate) fn party(
    of_order: &Bound,
    declared: &Declared<'_>,
    roles: impl Fn(Role) -> bool,
) -> PartyEvidence {
    let parties = declared.line.parties.iter().take(MAX_LINE_VALUES);
    let in_roles = parties.enumerate().filter(|(_, party)| roles(party.role));
    let best = in_roles
        .map(|(place, party)| one(of_order, declared, place, party.name, party.role.field()))
        .chain(as_vessel(of_order, declared))
        .reduce(PartyEvidence::max);
    best.unwrap_or(PartyEvidence::UNSAID)
}

/// One party of the line: its numbers, then its name, then what of its numbers says otherwise.
fn one(
    of_order: &Bound,
    declared: &Declared<'_>,
    place: usize,
    name: &str,
    field: Field,
) -> PartyEvidence {
    let facts = || {
        declared
            .facts
            .iter()
            .filter(|fact| fact.party == Some(place))
    };
    let mut parts = Vec::new();
    let mut contradicted = Vec::new();
    let mut is_compared = false;
    for selector in &of_order.identifiers {
        let Ok(canonical) = selector.canonical() else {
            continue;
        };
        let before = parts.len();
        let meeting = facts().filter(|fact| meets(fact, &canonical, false));
        parts.extend(meeting.map(|fact| part(Side::Party, fact, selector, canonical.strength())));
        is_compared |= parts.len() > before;
        if let Some(fact) = facts().find(|fact| is_other(canonical.selector(), fact)) {
            contradicted.push(Part {
                score: 0,
                ..part(Side::Party, fact, selector, Strength::Medium)
            });
        }
    }
    // A firm can have several numbers of one register: that one agrees settles the others.
    contradicted.retain(|other| !parts.iter().any(|part| part.fact == other.fact));
    is_compared |= !contradicted.is_empty();
    let mut is_certain_name = false;
    if let Some(filed) = declared.name(place) {
        is_compared |= !of_order.names.is_empty();
        let scored = of_order.names.iter().take(MAX_NAMES);
        let scored = scored.map(|own| (name_score(own, filed), own));
        // The first of equals: a party's primary name comes first.
        let best = scored.reduce(|best, next| if next.0 > best.0 { next } else { best });
        let is_likely = |score: u16| f32::from(score) >= names::REVIEW * 1_000.0;
        if let Some(((score, is_certain), own)) = best.filter(|((score, _), _)| is_likely(*score)) {
            is_certain_name = is_certain;
            parts.push(Part {
                side: Side::Party,
                field,
                fact: Fact::Name,
                raw: name.to_owned(),
                canonical: filed.words().collect::<Vec<_>>().join(" "),
                of_order: own.clone(),
                strength: Strength::Medium,
                score,
            });
        }
    }
    let is_contradicted = !contradicted.is_empty();
    let is_strong = parts.iter().any(|part| part.strength == Strength::Strong);
    let agreement = match (is_strong || is_certain_name, parts.is_empty()) {
        (true, _) if !is_contradicted => Agreement::Agrees,
        (_, false) => Agreement::Suggested,
        (_, true) if is_compared => Agreement::Differs,
        (_, true) => Agreement::Unsaid,
    };
    let score = score(&parts);
    if !parts.is_empty() {
        parts.extend(contradicted);
    }
    PartyEvidence {
        agreement,
        is_contradicted,
        score,
        parts,
    }
}

/// Another number of the same register, in which one firm has one number.
fn is_other(of_order: &Selector, fact: &DeclaredFact<'_>) -> bool {
    if !fact.is_certain {
        return false;
    }
    match (of_order, &fact.canonical) {
        (Selector::Lei(ours), Selector::Lei(filed)) => ours != filed,
        // One number in each customs territory.
        (Selector::Eori(ours), Selector::Eori(filed)) => {
            ours != filed && ours.get(..2) == filed.get(..2)
        }
        (Selector::Importer(ours), Selector::Importer(filed)) => {
            ours.scheme == filed.scheme && ours.number != filed.number
        }
        // A firm has many sites and plants, each with its own.
        _ => false,
    }
}

/// A vessel that is itself a party of the order.
fn as_vessel(of_order: &Bound, declared: &Declared<'_>) -> Option<PartyEvidence> {
    let mut parts = Vec::new();
    for selector in &of_order.identifiers {
        let canonical = selector.canonical().ok();
        let meeting = canonical.iter().flat_map(|canonical| {
            let facts = declared.of(Field::Vessel);
            facts.filter(|fact| meets(fact, canonical, false))
        });
        parts.extend(meeting.map(|fact| part(Side::Party, fact, selector, Strength::Strong)));
    }
    (!parts.is_empty()).then(|| PartyEvidence {
        agreement: Agreement::Agrees,
        is_contradicted: false,
        score: score(&parts),
        parts,
    })
}

/// How alike two names are, 0 to 1000, and whether the one is certainly the other.
fn name_score(of_order: &str, filed: &Name) -> (u16, bool) {
    let score = names::score(&Name::new(of_order), filed);
    let is_certain = score.value >= NAME_CERTAIN
        && score.contradicting == 0.0
        && score.left_out == 0.0
        && score.numbers == Numbers::Agree
        && !score.is_other_form
        && score.way != Way::Initials;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to 1000"
    )]
    let thousandths = (score.value.clamp(0.0, 1.0) * 1_000.0).round() as u16;
    (thousandths, is_certain && score.value >= names::REVIEW)
}

/// Who is bound by an order: the respondents, and those related to them where the order binds their
/// relation, whenever that is.
pub(crate) fn bound(order: &Order) -> impl Iterator<Item = &Bound> {
    let terms = &order.terms;
    let related = terms.related.iter();
    let related = related.filter(|related| terms.binds(related.relation));
    order
        .respondents
        .iter()
        .chain(related.map(|related| &related.party))
}

/// A name from here on is the party's own: nothing of it is missing and nothing is added but its
/// legal form and how it is spelled.
const NAME_CERTAIN: f32 = 0.96;
