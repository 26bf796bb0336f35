//! The reference: every block looked at for every line, one fact after another, without an index,
//! without memory, without haste. It shares with the screener its public types and nothing else.
//!
//! What it holds to be the rules:
//!
//! 1. A block says what its state says, and only between its two instants, at the instant of the
//!    check. In force: blocked. Held: held. Review: review. Flagged: flagged. Whose beginning has
//!    come without word of its state: review. Anything else: nothing.
//! 2. An order bars the directions it names, import if it names none.
//! 3. Goods agree by one strong fact of one article; a medium fact suggests. Tariff code, origin,
//!    words, pictures and text never decide.
//! 4. A party agrees by a strong number, or by a name that is its own for certain where no number
//!    says otherwise. Brokers and carriers are not bound.
//! 5. A general order needs the goods; a limited one goods and party. Everything less is review at
//!    most.
//! 6. What contradicts caps at review; so do a genuine number that fakes copy, a part of the order
//!    that has not arrived, goods that only contain the article, and a container long after.
//! 7. Exceptions hold at the line's own instant.
//! 8. Silence is never clearance: where nothing that decides was declared and could be read, or
//!    more could make more of it, the answer says so.

use std::collections::BTreeMap;

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::ScopeKind;
use tocsin_core::product::Article;
use tocsin_core::terms::{Direction, Terms};
use tocsin_screen::line::Line;

use crate::declared::Goods;
use crate::parties::PartySide;
use crate::{exceptions, goods, parties};

/// What the reference says of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    pub decisive_missing: bool,
    /// Every block that the line touches.
    pub blocks: BTreeMap<String, Outcome>,
}

/// What one block says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub outcome: Outcome,
    /// What it would say if everything agreed.
    pub could_be: Outcome,
    /// With more declared, it might say something else.
    pub wants_more: bool,
}

/// What all blocks say of a line at an instant.
pub fn screen(notices: &[Notice], line: &Line<'_>, now: i64) -> Verdict {
    let goods = Goods::of(line);
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for notice in latest(notices) {
        if let Some(hit) = judge(notice, line, &goods, now) {
            said.insert(notice.block.clone(), hit);
        }
    }
    let outcome = said
        .values()
        .map(|hit| hit.outcome)
        .max()
        .unwrap_or(Outcome::None);
    let is_decided = said
        .values()
        .any(|hit| hit.outcome == outcome && !hit.wants_more);
    let might_be_more = said
        .values()
        .any(|hit| hit.wants_more && hit.could_be > outcome);
    Verdict {
        outcome,
        decisive_missing: match outcome {
            Outcome::None => !can_decide(&goods),
            Outcome::Flagged | Outcome::Review => !is_decided || might_be_more,
            // Goods that are stopped are decided on.
            Outcome::Held | Outcome::Blocked => false,
        },
        blocks: said
            .iter()
            .map(|(block, hit)| (block.clone(), hit.outcome))
            .collect(),
    }
}

/// Of each block the notice with the highest version; of equal ones the last.
pub fn latest(notices: &[Notice]) -> Vec<&Notice> {
    let mut latest: BTreeMap<&str, &Notice> = BTreeMap::new();
    for notice in notices {
        let known = latest.get(notice.block.as_str());
        if known.is_none_or(|known| known.version <= notice.version) {
            latest.insert(&notice.block, notice);
        }
    }
    latest.into_values().collect()
}

/// Item, model or serial numbers, all of them readable: if they meet nothing, that says a little.
fn can_decide(goods: &Goods) -> bool {
    let is_unreadable =
        goods.gtins.has_unreadable || goods.models.has_unreadable || goods.serials.has_unreadable;
    goods::is_certain(goods) && !is_unreadable
}

/// What a block says where everything agrees.
fn stands(notice: &Notice, now: i64) -> Outcome {
    let has_begun = notice.from_ms <= now;
    let is_over = notice.until_ms != 0 && notice.until_ms <= now;
    if !has_begun || is_over {
        return Outcome::None;
    }
    match notice.state {
        BlockState::InForce => Outcome::Blocked,
        BlockState::Held => Outcome::Held,
        BlockState::Review | BlockState::Scheduled => Outcome::Review,
        BlockState::Flagged => Outcome::Flagged,
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
        | BlockState::Lapsed => Outcome::None,
    }
}

/// What one block says of a line; `None` where the two have nothing in common.
fn judge(notice: &Notice, line: &Line<'_>, goods: &Goods, now: i64) -> Option<Said> {
    let order = &*notice.scope;
    let stands = stands(notice, now);
    let direction = line.direction.unwrap_or(Direction::Import);
    if stands == Outcome::None || !bars(&order.terms, direction) {
        return None;
    }
    let at = line.at_ms.unwrap_or(now);
    let party = parties::bound(order, line, at);
    // Facts of one article count together, those of two do not.
    let met: Vec<Met> = order
        .articles
        .iter()
        .filter_map(|article| meet(notice, article, line, goods, &party, at))
        .collect();
    if met.is_empty() {
        return None;
    }
    let is_capped = met.iter().all(|met| met.is_capped);
    // What is missing is asked of the article that agrees most.
    let most = met.iter().map(|met| met.rank).max();
    let stands = stands.min(exceptions::ceiling(order, line, goods, at));
    Some(Said {
        outcome: if is_capped {
            stands.min(Outcome::Review)
        } else {
            stands
        },
        could_be: stands,
        wants_more: is_capped
            && met
                .iter()
                .any(|met| Some(met.rank) == most && met.wants_more),
    })
}

fn bars(terms: &Terms, direction: Direction) -> bool {
    if terms.directions.is_empty() {
        direction == Direction::Import
    } else {
        terms.directions.contains(&direction)
    }
}

/// How far two sides agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    Differs,
    Unsaid,
    Suggested,
    Agrees,
}

/// What comes of an article and the parties together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Met {
    /// How far the article agrees, whether nothing contradicts, and not by a copied number.
    rank: (Agreement, bool, bool),
    /// Review at most.
    is_capped: bool,
    /// Something is only suggested or was not said, and nothing that was said contradicts.
    wants_more: bool,
}

/// What comes of an article and the parties; `None` where a line does not touch them.
fn meet(
    notice: &Notice,
    article: &Article,
    line: &Line<'_>,
    goods: &Goods,
    party: &PartySide,
    at: i64,
) -> Option<Met> {
    let order = &*notice.scope;
    let found = goods::side(order, article, line, goods, at);
    let needs_party = order.scope == ScopeKind::Limited;
    let has_party = party.agreement >= Agreement::Suggested;
    let is_decided = party.agreement == Agreement::Agrees || !needs_party;
    let wants_more = match found.agreement {
        Agreement::Agrees if found.is_contradicted => false,
        Agreement::Agrees => !(is_decided || has_party && party.is_contradicted),
        Agreement::Suggested => !found.is_contradicted && !found.is_downstream,
        Agreement::Unsaid if has_party => true,
        Agreement::Unsaid | Agreement::Differs => return None,
    };
    // Unless there is a list of who may import the genuine goods, and the importer is none of them.
    let is_certainly_none = !order.terms.authorised.is_empty()
        && exceptions::authorised(order, line).agreement == Agreement::Differs;
    let is_copied = order.counterfeit && found.is_by_copied_number && !is_certainly_none;
    let is_certain = found.agreement == Agreement::Agrees
        && is_decided
        && !found.is_contradicted
        && !is_copied
        && !notice.selectors_missing;
    let agreement = if found.is_contradicted || found.is_downstream {
        found.agreement.min(Agreement::Suggested)
    } else {
        found.agreement
    };
    let is_own = !(order.counterfeit && found.is_by_copied_number);
    Some(Met {
        rank: (agreement, !found.is_contradicted, is_own),
        is_capped: !is_certain,
        wants_more,
    })
}
