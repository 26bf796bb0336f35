//! What a block may say of goods: the one place where the rules of screening stand.
//!
//! **The block.** It says what its state says: in force blocked, held held, review review, flagged
//! flagged, any other nothing. It is judged at the instant of the check: before `from_ms` and from
//! `until_ms` on it says nothing, whatever was indexed.
//!
//! **The article.** Facts of one article count together, those of two articles do not. An article
//! *agrees* when a strong selector of it meets the field that is meant for it: item number, model
//! number or pattern, serial number, container, transport document. It is *suggested* by a medium
//! one (brand, short model number, batch, listing, picture, a model or item number in the
//! description) or by its text. Tariff code, origin and words of the description raise a score and
//! are never enough for a hit.
//!
//! **Contradiction.** Where an item number, model or brand of the article agrees and the line has
//! readable values for another of these three for which the article has selectors, none of which it
//! meets, the article is only suggested.
//!
//! **The party.** Only roles that are bound count ([`Role::is_bound`](crate::line::Role::is_bound)).
//! A respondent agrees by a strong identifier, or by a name that is certainly its own and no
//! identifier of the same kind that says otherwise; any other identifier or a likely name suggests
//! it. Related parties count where the order switches their relation on, within their dates.
//!
//! **Both.** A limited order says what its block says when article and party agree. A general order
//! needs the article only. Whatever is only suggested, or lacks its other side, is review at most.
//! A party without the article is review where the line says nothing of the goods that the order
//! could be compared with, and no hit where what it says is of other goods.
//!
//! **Exceptions.** Judged at the line's own instant. See [`Exception`](crate::answer::Exception).

use std::sync::Arc;

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::ScopeKind;
use tocsin_core::product::Strength;

use crate::answer::{Cap, Hit, MAX_PARTS, Subject};
use crate::evidence::{self, Declared, GoodsEvidence};
use crate::line::Field;

/// What a block says at an instant when everything agrees, and why not more.
#[must_use]
pub fn stands(notice: &Notice, now: i64) -> (Outcome, Option<Cap>) {
    if now < notice.from_ms || (notice.until_ms != 0 && now >= notice.until_ms) {
        return (Outcome::None, None);
    }
    match notice.state {
        BlockState::InForce => (Outcome::Blocked, None),
        BlockState::Held => (Outcome::Held, None),
        BlockState::Review => (Outcome::Review, None),
        BlockState::Flagged => (Outcome::Flagged, None),
        // Its time has come since it was told; what it is now another notice must say.
        BlockState::Scheduled => (Outcome::Review, Some(Cap::StateUnknown)),
        BlockState::None
        | BlockState::Informed
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Paused
        | BlockState::Suspended
        | BlockState::Ended
        | BlockState::Rescinded
        | BlockState::Withdrawn
        | BlockState::Expired
        | BlockState::Lapsed => (Outcome::None, None),
    }
}

/// Whether a state can ever say something without another notice.
#[must_use]
pub const fn can_speak(state: BlockState) -> bool {
    match state {
        BlockState::InForce
        | BlockState::Held
        | BlockState::Review
        | BlockState::Flagged
        | BlockState::Scheduled => true,
        BlockState::None
        | BlockState::Informed
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Paused
        | BlockState::Suspended
        | BlockState::Ended
        | BlockState::Rescinded
        | BlockState::Withdrawn
        | BlockState::Expired
        | BlockState::Lapsed => false,
    }
}

/// How far one side of an order agrees with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// The line says something else.
    Differs,
    /// The line says nothing with which it could be compared.
    Unsaid,
    /// It is likely.
    Suggested,
    /// It is certain.
    Agrees,
}

/// What a block says of a line; nothing if the two do not meet.
pub(crate) fn hit(notice: &Arc<Notice>, declared: &Declared<'_>, now: i64) -> Option<Hit> {
    let (stands, state_cap) = stands(notice, now);
    if stands == Outcome::None {
        return None;
    }
    let scope = &notice.scope;
    let articles = scope.articles.iter();
    let goods = articles
        .map(|article| evidence::goods(article, declared))
        .max_by_key(|goods| goods.agreement)?;
    let respondents = scope.respondents.iter();
    let party = respondents
        .map(|party| evidence::party(party, declared))
        .max_by_key(|party| party.agreement);
    let party_agreement = party.as_ref().map_or(Agreement::Unsaid, |p| p.agreement);
    let mut cap = met(scope.scope, &goods, party_agreement)?.or(state_cap);
    if cap.is_none() {
        cap = certain_cap(notice, &goods);
    }
    let outcome = if cap.is_some() {
        stands.min(Outcome::Review)
    } else {
        stands
    };
    let mut parts = goods.parts;
    parts.extend(party.into_iter().flat_map(|party| party.parts));
    parts.sort_by(|a, b| (b.strength, b.score, a.side).cmp(&(a.strength, a.score, b.side)));
    parts.truncate(MAX_PARTS);
    Some(Hit {
        subject: Subject::Block(Arc::clone(notice)),
        outcome,
        score: if cap.is_none() { 1_000 } else { 500 },
        parts,
        missing: declared.missing,
        tried: Vec::new(),
        cap,
    })
}

/// Whether article and party meet, and if so what keeps them from deciding.
fn met(scope: ScopeKind, goods: &GoodsEvidence, party: Agreement) -> Option<Option<Cap>> {
    let is_limited = scope == ScopeKind::Limited;
    match (goods.agreement, party) {
        (Agreement::Agrees, Agreement::Agrees) => Some(None),
        (Agreement::Agrees, _) if !is_limited => Some(None),
        (Agreement::Agrees, Agreement::Suggested) => Some(Some(Cap::Suggests)),
        (Agreement::Agrees, Agreement::Unsaid | Agreement::Differs) => {
            Some(Some(Cap::PartyMissing))
        }
        (Agreement::Suggested, _) if goods.is_contradicted => Some(Some(Cap::Contradicted)),
        (Agreement::Suggested, _) => Some(Some(Cap::Suggests)),
        (Agreement::Unsaid, Agreement::Agrees | Agreement::Suggested) => {
            Some(Some(Cap::ArticleMissing))
        }
        (Agreement::Unsaid, Agreement::Unsaid | Agreement::Differs) | (Agreement::Differs, _) => {
            None
        }
    }
}

/// What keeps an order that agrees from deciding.
fn certain_cap(notice: &Notice, goods: &GoodsEvidence) -> Option<Cap> {
    let mut strong = goods
        .parts
        .iter()
        .filter(|part| part.strength == Strength::Strong && !part.contradicts());
    if notice.scope.counterfeit && strong.all(|part| part.field == Field::Gtin) {
        return Some(Cap::CopiedNumber);
    }
    notice.selectors_missing.then_some(Cap::SelectorsMissing)
}
