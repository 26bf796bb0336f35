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
//! description). Tariff code, origin, words of the description and likeness of texts raise a score
//! and are never enough for a hit.
//!
//! **Contradiction.** Where the article agrees and the line has readable item numbers, models,
//! serial numbers or brands, for any of which the article has selectors and meets none, the article
//! is only suggested. Where nothing but weak facts agree, such values, or a tariff code outside all
//! of the article's, say that the goods are others.
//!
//! **Numbers of parties in an article** (manufacturer code, LEI, vessel and their like) suggest the
//! article, from any role. A container or transport document older than its lifetime suggests. What
//! is built into the goods counts for an order on downstream goods: as the article itself where the
//! order takes any, as a suggestion where it lists them.
//!
//! **The party.** Only roles that are bound count
//! ([`Role::is_bound`](crate::line::Role::is_bound)). A respondent agrees by a strong identifier,
//! or by a name that is certainly its own and no identifier of the same kind that says otherwise;
//! any other identifier or a likely name suggests it. Related parties count where the order
//! switches their relation on, within their dates.
//!
//! **Both.** A limited order says what its block says when article and party agree. A general order
//! needs the article only. Whatever is only suggested, or lacks its other side, is review at most.
//! A party without the article (which includes tariff code and origin) is review where the line
//! says nothing of the goods that the order could be compared with, and no hit where what it says
//! is of other goods.
//!
//! **Exceptions.** Judged at the line's own instant. A carve-out must meet every part that it
//! states: dates, any of its selectors, any of its parties. One that is seen from the goods, the
//! parties or the dates (licensed source, certified redesign, date window) and is met by strong
//! facts releases: no outcome; met by less, as by a name, it is review at most. One that depends on
//! a purpose is review at most once it is claimed; unclaimed it changes nothing. An authorised
//! importer (the consignee where no importer is declared) releases by a strong identifier and is
//! review at most by its name. Goods entered under bond while that is open are flagged at most. A
//! certificate, where the order takes one, is review at most.
//!
//! **Counterfeits.** Where an item number agrees with an order on counterfeits, alone or with a
//! model number, that is review at most, unless the order lists who may import the genuine goods
//! and the importer is certainly none of them.
//!
//! **Incomplete orders** are review at most until all their selectors have arrived.

use std::sync::Arc;

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::{Order, ScopeKind};
use tocsin_core::product::{SelectorKind, Strength};
use tocsin_core::terms::Direction;

use crate::answer::{
    Cap, Exception, Fact, Hit, MAX_PARTS, Part, Side, Subject, Tried, TriedResult,
};
use crate::declared::Declared;
use crate::evidence::{self, GoodsEvidence, Setting};
use crate::exceptions;
use crate::line::{Field, Fields, Role};
use crate::parties::{self, PartyEvidence};

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

/// What a block says of a line, and what it might say.
pub(crate) struct Judged {
    pub(crate) hit: Hit,
    /// With more declared it might say something else.
    pub(crate) wants_more: bool,
    /// The most that it might say.
    pub(crate) could_be: Outcome,
}

/// What a block says of a line; nothing if the two do not meet.
pub(crate) fn judge(notice: &Arc<Notice>, declared: &Declared<'_>, now: i64) -> Option<Judged> {
    let (stands, state_cap) = stands(notice, now);
    let order = &notice.scope;
    let direction = declared.line.direction.unwrap_or(Direction::Import);
    if stands == Outcome::None || !order.terms.bars(direction) {
        return None;
    }
    let goods = best_article(order, declared, now)?;
    let party = bound_party(order, declared, now);
    let met = met(order.scope, &goods, &party)?;
    let tried = exceptions::tried(order, declared, now);
    let caps = [
        released(&tried),
        met,
        met.is_none()
            .then(|| certain_cap(notice, &goods, &tried))
            .flatten(),
        state_cap,
        claimed(&tried),
    ];
    let caps = caps.into_iter().flatten();
    let wants_more = caps.clone().any(Cap::is_for_want_of_input);
    let excepted = [released(&tried), claimed(&tried)].into_iter().flatten();
    let could_be = excepted.fold(stands, |most, cap| most.min(cap.ceiling()));
    // The first of those that leave least: what releases stands before what only doubts.
    let cap = caps.min_by_key(|cap| cap.ceiling());
    let outcome = cap.map_or(stands, |cap| stands.min(cap.ceiling()));
    let score = match order.scope {
        ScopeKind::Limited => goods.score.midpoint(party.score),
        ScopeKind::General => goods.score.max(party.score / 2),
    };
    let mut parts = goods.parts;
    parts.extend(party.parts);
    parts.sort_by_key(|part| std::cmp::Reverse((part.score, part.strength)));
    parts.truncate(MAX_PARTS);
    let hit = Hit {
        subject: Subject::Block(Arc::clone(notice)),
        outcome,
        score,
        parts,
        missing: wanted(order, cap).within(declared.missing),
        tried,
        cap: cap.filter(|_| outcome < stands || state_cap.is_some()),
    };
    Some(Judged {
        hit,
        wants_more,
        could_be,
    })
}

/// The article that agrees most, and best of its own numbers; of equals the first.
fn best_article(order: &Order, declared: &Declared<'_>, now: i64) -> Option<GoodsEvidence> {
    let setting = Setting {
        downstream: order.terms.downstream,
        said_ms: order.from_ms,
        at_ms: declared.instant(now),
    };
    let articles = order.articles.iter();
    let goods = articles.map(|article| evidence::goods(article, declared, setting));
    goods.reduce(|best, next| {
        let is_own = |goods: &GoodsEvidence| !(order.counterfeit && is_copied(goods));
        let rank = |goods: &GoodsEvidence| {
            let is_sure = !goods.is_contradicted;
            let is_itself = !goods.is_component;
            (
                goods.agreement,
                is_sure,
                is_own(goods),
                is_itself,
                goods.score,
            )
        };
        if rank(&next) > rank(&best) {
            next
        } else {
            best
        }
    })
}

/// The respondent, or party related to one, that agrees most.
fn bound_party(order: &Order, declared: &Declared<'_>, now: i64) -> PartyEvidence {
    let (terms, at_ms) = (&order.terms, declared.instant(now));
    let related = terms.related.iter();
    let related = related.filter(|related| terms.binds(related.relation) && related.is_at(at_ms));
    let bound = order
        .respondents
        .iter()
        .chain(related.map(|related| &related.party));
    let evidence = bound.map(|bound| parties::party(bound, declared, Role::is_bound));
    evidence.fold(PartyEvidence::UNSAID, PartyEvidence::max)
}

/// Whether article and party meet, and if so what keeps them from deciding.
fn met(scope: ScopeKind, goods: &GoodsEvidence, party: &PartyEvidence) -> Option<Option<Cap>> {
    let unsure = if goods.is_contradicted {
        Cap::Contradicted
    } else if goods.is_component {
        Cap::Downstream
    } else if goods.is_stale {
        Cap::ShortLived
    } else {
        Cap::Suggests
    };
    match (goods.agreement, party.agreement) {
        (Agreement::Agrees, Agreement::Agrees) => Some(None),
        (Agreement::Agrees, Agreement::Suggested | Agreement::Unsaid | Agreement::Differs)
            if scope == ScopeKind::General =>
        {
            Some(None)
        }
        (Agreement::Agrees, Agreement::Suggested) if party.is_contradicted => {
            Some(Some(Cap::Contradicted))
        }
        (Agreement::Agrees, Agreement::Suggested) => Some(Some(Cap::Suggests)),
        (Agreement::Agrees, Agreement::Unsaid | Agreement::Differs) => {
            Some(Some(Cap::PartyMissing))
        }
        (
            Agreement::Suggested,
            Agreement::Agrees | Agreement::Suggested | Agreement::Unsaid | Agreement::Differs,
        ) => Some(Some(unsure)),
        (Agreement::Unsaid, Agreement::Agrees | Agreement::Suggested) => {
            Some(Some(Cap::ArticleMissing))
        }
        (Agreement::Unsaid, Agreement::Unsaid | Agreement::Differs)
        | (
            Agreement::Differs,
            Agreement::Agrees | Agreement::Suggested | Agreement::Unsaid | Agreement::Differs,
        ) => None,
    }
}

/// What keeps an order whose article and party agree from deciding.
fn certain_cap(notice: &Notice, goods: &GoodsEvidence, tried: &[Tried]) -> Option<Cap> {
    // Only an importer that is known not to be on the list tells a fake from the genuine goods.
    let is_other_importer = tried.iter().any(|tried| {
        tried.exception == Exception::Authorised && tried.result == TriedResult::DoesNotApply
    });
    if notice.scope.counterfeit && is_copied(goods) && !is_other_importer {
        return Some(Cap::CopiedNumber);
    }
    notice.selectors_missing.then_some(Cap::SelectorsMissing)
}

/// Whether what agrees is the item number of the genuine goods, alone or with their model number:
/// who copies the one copies the other.
fn is_copied(goods: &GoodsEvidence) -> bool {
    let strong = || {
        let strong = goods.parts.iter();
        strong.filter(|part| part.side == Side::Goods && part.strength == Strength::Strong)
    };
    let is_of = |kinds: &[SelectorKind], part: &Part| match part.fact {
        Fact::Selector(kind) => kinds.contains(&kind),
        Fact::Name | Fact::Text => false,
    };
    let copied = [
        SelectorKind::Gtin,
        SelectorKind::Model,
        SelectorKind::ModelPattern,
    ];
    strong().any(|part| is_of(&[SelectorKind::Gtin], part))
        && strong().all(|part| is_of(&copied, part))
}

/// The exception that applies, if one does.
fn released(tried: &[Tried]) -> Option<Cap> {
    let applying = tried
        .iter()
        .filter(|tried| tried.result == TriedResult::Applies);
    let caps = applying.map(|tried| match tried.exception {
        Exception::CarveOut(_) => Cap::CarvedOut,
        Exception::Authorised => Cap::Authorised,
        Exception::Bond => Cap::UnderBond,
        Exception::Certification => Cap::Claimed,
    });
    caps.min_by_key(|cap| cap.ceiling())
}

/// What an officer must look at before the goods are stopped.
fn claimed(tried: &[Tried]) -> Option<Cap> {
    let is_claimed = tried
        .iter()
        .any(|tried| tried.result == TriedResult::Claimed);
    is_claimed.then_some(Cap::Claimed)
}

/// Fields with which a hit could have said more, or less.
fn wanted(order: &Order, cap: Option<Cap>) -> Fields {
    let goods = order.articles.iter().flat_map(|article| &article.selectors);
    let goods = goods.filter_map(|selector| goods_field(selector.kind()));
    let goods = || goods.clone().fold(Fields::NONE, Fields::with);
    let bound = || {
        let roles = Role::ALL.into_iter().filter(|role| role.is_bound());
        roles.fold(Fields::NONE, |fields, role| fields.with(role.field()))
    };
    match cap {
        Some(Cap::ArticleMissing | Cap::Suggests | Cap::ShortLived) => match order.scope {
            ScopeKind::Limited => goods().and(bound()),
            ScopeKind::General => goods(),
        },
        Some(Cap::PartyMissing) => bound(),
        Some(Cap::CopiedNumber) => Fields::NONE.with(Field::Importer),
        Some(
            Cap::Contradicted
            | Cap::SelectorsMissing
            | Cap::Downstream
            | Cap::Claimed
            | Cap::UnderBond
            | Cap::Authorised
            | Cap::CarvedOut
            | Cap::StateUnknown
            | Cap::Listed,
        )
        | None => Fields::NONE,
    }
}

/// The field that a selector which decides is compared with.
const fn goods_field(kind: SelectorKind) -> Option<Field> {
    match kind {
        SelectorKind::Gtin => Some(Field::Gtin),
        SelectorKind::Model | SelectorKind::ModelPattern => Some(Field::Model),
        SelectorKind::Serial => Some(Field::Serial),
        SelectorKind::Container => Some(Field::Container),
        SelectorKind::Transport => Some(Field::TransportDocument),
        SelectorKind::Hs
        | SelectorKind::Mid
        | SelectorKind::Lei
        | SelectorKind::Eori
        | SelectorKind::Brand
        | SelectorKind::Tariff
        | SelectorKind::Batch
        | SelectorKind::Importer
        | SelectorKind::Duns
        | SelectorKind::Vessel
        | SelectorKind::Listing
        | SelectorKind::Origin
        | SelectorKind::Description
        | SelectorKind::Image => None,
    }
}

#[cfg(test)]
mod tests;
