//! `ScreenService.Lookup`: what one may type from the side of a box, against the blocks of a
//! jurisdiction.

use prost::Message;
use tocsin_core::cursor::{Cursor, View};
use tocsin_core::lookup::{Limit, Lookup, Match, MatchKind, Outcome, Typed};
use tocsin_core::notice::Notice;
use tocsin_core::registry::Registry;
use tocsin_screen::answer::{Fact, Subject};
use tocsin_screen::line::{Line, Party, Role};
use tocsin_wire::proto::v1;
use tocsin_wire::{screening, write};

use crate::clock;
use crate::freshness::Stale;
use crate::limits;
use crate::node::Node;
use crate::serve::{blocks, find};
use crate::status::Refusal;

/// What a text says in a jurisdiction.
///
/// # Errors
/// Nothing or too much was typed; no member has that jurisdiction.
pub(super) fn lookup(
    node: &Node,
    asked: &v1::LookupRequest,
) -> Result<v1::LookupResponse, Refusal> {
    let typed = Typed::read(&asked.text)?;
    let jurisdiction = find::jurisdiction(node, &asked.jurisdiction)?;
    let now = clock::now_ms();
    let stale = Stale::of(node, &jurisdiction, now);
    let applied = node.state.read();
    let registry = &applied.registry;
    let found = tocsin_core::lookup::lookup(registry, &typed, &jurisdiction, now);
    let position = Cursor {
        view: View::NONE,
        vector: registry.position(),
    };
    let local = node.alliance.by_jurisdiction(&jurisdiction);
    let is_local_stale = local.is_some_and(|member| stale.has(&member.id));
    let is_doubtful = |notice: &Notice| {
        let issuer = node.alliance.member_of_log(&notice.order_ref.log);
        is_local_stale || issuer.is_some_and(|issuer| stale.has(issuer))
    };
    let mut found = found;
    let is_whole = suggest(node, registry, &asked.text, &jurisdiction, now, &mut found);
    let advised: Vec<Advised<'_>> = found
        .matches
        .iter()
        .map(|found| Advised::of(found, is_doubtful(&found.notice)))
        .collect();
    let outcome = advised
        .iter()
        .map(|one| one.outcome)
        .max()
        .unwrap_or(Outcome::None);
    let (matches, is_cut) = shown(node, registry, advised, &jurisdiction, now);
    Ok(v1::LookupResponse {
        outcome: screening::outcome(outcome).into(),
        explanation: Explained {
            found: &found,
            is_mistyped: typed.is_mistyped(),
            is_cut,
            is_stale: stale.is_any(),
            is_whole,
        }
        .to_string(),
        matches,
        decisive_missing: found.decisive_missing,
        stale: stale.is_any(),
        position: position.encode(),
    })
}

/// The matches that fit one answer, the weightiest first, and whether some did not.
fn shown(
    node: &Node,
    registry: &Registry,
    mut advised: Vec<Advised<'_>>,
    jurisdiction: &str,
    now: i64,
) -> (Vec<v1::LookupMatch>, bool) {
    // Stable: of equals the order of the look-up stays.
    advised.sort_by_key(|one| std::cmp::Reverse(one.outcome));
    let (mut shown, mut bytes) = (Vec::new(), 0_usize);
    let all = advised.len();
    for one in advised {
        if bytes >= limits::MAX_PAGE_BYTES {
            break;
        }
        let found = one.found;
        let order = &found.notice.order_ref;
        let notice = blocks::present(node, registry, order, jurisdiction, now);
        let message = v1::LookupMatch {
            notice: notice.as_ref().map(write::notice),
            selector: found.kind.word().to_owned(),
            matched: found.matched.clone(),
            typed: found.typed.clone(),
            outcome: screening::outcome(one.outcome).into(),
            limit: one.limit.to_owned(),
        };
        bytes = bytes.saturating_add(message.encoded_len());
        shown.push(message);
    }
    let is_cut = shown.len() < all;
    (shown, is_cut)
}

/// A match with what this node advises on it.
#[derive(Debug, PartialEq)]
struct Advised<'a> {
    found: &'a Match,
    outcome: Outcome,
    limit: &'static str,
}

impl<'a> Advised<'a> {
    /// What rests on a copy that is too old is for an officer: it may have been called back.
    fn of(found: &'a Match, is_doubtful: bool) -> Self {
        if is_doubtful && found.outcome > Outcome::Review {
            return Self {
                found,
                outcome: Outcome::Review,
                limit: LIMIT_STALE,
            };
        }
        Self {
            found,
            outcome: found.outcome,
            limit: found.limit.map_or("", Limit::text),
        }
    }
}

/// Adds blocks whose parties or goods are called much like the text, which only the index knows;
/// whether there was one for this jurisdiction. They suggest: an officer compares.
///
/// Each is looked at again in the registry, which may know of its end before the index does.
fn suggest(
    node: &Node,
    registry: &Registry,
    text: &str,
    jurisdiction: &str,
    now: i64,
    found: &mut Lookup,
) -> bool {
    let frozen = node.screening.newest();
    let Some(frozen) = frozen.filter(|_| jurisdiction == node.member().jurisdiction) else {
        return false;
    };
    let party = Party {
        role: Role::Seller,
        name: text,
        identifiers: &[],
        country: "",
    };
    let line = Line {
        description: text,
        parties: &[party],
        ..Line::default()
    };
    let answer = frozen.screen.check(&line, now);
    found.is_truncated |= answer.is_truncated;
    for hit in answer.hits {
        let Subject::Block(known) = &hit.subject else {
            continue;
        };
        let is_found = |one: &Match| one.notice.order_ref == known.order_ref;
        let part = hit.parts.iter().find(|part| !part.contradicts());
        let Some(part) = part.filter(|_| !found.matches.iter().any(is_found)) else {
            continue;
        };
        let Some(notice) = registry.block(&known.order_ref, jurisdiction, now) else {
            continue;
        };
        let kind = match part.fact {
            Fact::Name => MatchKind::Respondent,
            Fact::Text => MatchKind::Text,
            Fact::Selector(kind) => MatchKind::Selector(kind),
        };
        found.suggest(kind, notice, part.of_order.clone(), part.canonical.clone());
    }
    true
}

/// What was compared and what came of it, for people.
struct Explained<'a> {
    found: &'a Lookup,
    is_mistyped: bool,
    is_cut: bool,
    is_stale: bool,
    /// Names and texts that are like it were compared too.
    is_whole: bool,
}

impl std::fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.found.explanation)?;
        if self.is_mistyped {
            f.write_str("; it reads like an item number, but its check digit is wrong: a slip?")?;
        }
        if self.found.is_truncated || self.is_cut {
            f.write_str("; there are more matches than are shown")?;
        }
        if !self.is_whole {
            f.write_str("; names were compared letter by letter only")?;
        }
        if self.is_stale {
            f.write_str(
                "; some members' logs were not heard of for longer than the policy allows",
            )?;
        }
        Ok(())
    }
}

/// Why a match on a copy that is too old says no more than review.
const LIMIT_STALE: &str = "the state of this node is too old to rely on";
