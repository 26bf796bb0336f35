//! What a jurisdiction has yet to say.

use tocsin_log::hash::Hash;

use super::history::Text;
use super::track::{Ruled, Standing, Track};
use super::{Derived, Registry};
use crate::decision::DecisionKind;
use crate::notice::BlockState;
use crate::statement::StatementRef;

/// An entry that a jurisdiction's node owes its own log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Due {
    /// A decision by policy: none was made yet on this text.
    Decide {
        /// The order.
        order: StatementRef,
        /// The issue or modify statement to be judged.
        judged: Hash,
    },
    /// A record that the end of a hold has passed.
    Lapse {
        /// The order.
        order: StatementRef,
        /// The decision that holds.
        hold: Hash,
        /// The text that it judged.
        judged: Hash,
        /// When it ended.
        until_ms: i64,
    },
}

/// A block that waits for an officer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The order.
    pub order: StatementRef,
    /// `US-2026-0412`.
    pub name: String,
    /// Of the text as it counts here.
    pub title: String,
    /// How the block stands.
    pub state: BlockState,
    /// What it waits for.
    pub reason: String,
    /// When a hold ends; 0 = no end.
    pub until_ms: i64,
}

impl Registry {
    /// What the node of a jurisdiction must say by itself, by order. Its own log must be whole
    /// before it asks.
    ///
    /// Nothing is due on its own orders, on orders that are over, on texts that some decision has
    /// judged, on texts that only narrow what was judged, and, but for lapses, on orders that
    /// officers have decided on.
    #[must_use]
    pub fn due(&self, jurisdiction: &str, at: i64) -> Vec<Due> {
        let mut due = Vec::new();
        for order in self.orders.keys() {
            let Some((derived, track)) = self.live(order, jurisdiction, at) else {
                continue;
            };
            if let Some(lapse) = track.and_then(|track| lapse_of(order, track, at)) {
                due.push(lapse);
            }
            let is_silent = track.is_some_and(|track| {
                track.has_officers || matches!(track.standing, Standing::Unclear { .. })
            });
            if !is_silent && let Some(text) = unjudged(derived, track) {
                due.push(Due::Decide {
                    order: order.clone(),
                    judged: text.statement_id,
                });
            }
        }
        due
    }

    /// The blocks of a jurisdiction that wait for its officers, by order: in review or held,
    /// decided on without effect, or widened after officers decided.
    #[must_use]
    pub fn pending(&self, jurisdiction: &str, at: i64) -> Vec<Pending> {
        let mut pending = Vec::new();
        for order in self.orders.keys() {
            let Some(notice) = self.block(order, jurisdiction, at) else {
                continue;
            };
            let waits = match notice.state {
                BlockState::Review | BlockState::Held => Some(notice.reason.as_str()),
                BlockState::None
                | BlockState::InForce
                | BlockState::Flagged
                | BlockState::Informed
                | BlockState::Declined
                | BlockState::NotCompetent
                | BlockState::Paused
                | BlockState::Suspended
                | BlockState::Ended
                | BlockState::Lapsed
                | BlockState::Scheduled => self.unanswered(order, jurisdiction, at),
                BlockState::Rescinded | BlockState::Withdrawn | BlockState::Expired => None,
            };
            let Some(reason) = waits.map(str::to_owned) else {
                continue;
            };
            pending.push(Pending {
                order: order.clone(),
                name: notice.order,
                title: notice.scope.title.clone(),
                state: notice.state,
                reason,
                until_ms: notice.until_ms,
            });
        }
        pending
    }

    /// What only officers can answer on an order that is neither in review nor held.
    fn unanswered(
        &self,
        order: &StatementRef,
        jurisdiction: &str,
        at: i64,
    ) -> Option<&'static str> {
        let (derived, track) = self.live(order, jurisdiction, at)?;
        let track = track?;
        let newest = derived.history.texts.last()?;
        if matches!(track.standing, Standing::Nothing) {
            let is_judged = track.judged.contains(&newest.statement_id);
            return is_judged.then_some(WAITS_WITHOUT_EFFECT);
        }
        (track.has_officers && unjudged(derived, Some(track)).is_some()).then_some(WAITS_WIDENED)
    }

    /// What follows from an order issued elsewhere that is not over, with this jurisdiction's
    /// decisions on it.
    fn live(
        &self,
        order: &StatementRef,
        jurisdiction: &str,
        at: i64,
    ) -> Option<(&Derived, Option<&Track>)> {
        let local = self.log_for(jurisdiction)?;
        let issuer = self.logs.get(&order.log)?;
        if local.origin == issuer.origin {
            return None;
        }
        let derived = self.derived(order)?;
        // A freeze ends nothing.
        if derived.history.state(at, false).state.is_over() {
            return None;
        }
        Some((derived, derived.tracks.get(&local.origin.log_name())))
    }
}

/// The newest text, unless it was judged or only narrows what was; while that cannot be said it is
/// not due.
fn unjudged<'a>(derived: &'a Derived, track: Option<&Track>) -> Option<&'a Text> {
    let newest = derived.history.texts.last()?;
    let Some(track) = track else {
        return Some(newest);
    };
    if track.judged.contains(&newest.statement_id) {
        return None;
    }
    let is_widening = match (&track.scope, track.is_narrowing) {
        (None, _) | (Some(_), Some(false)) => true,
        (Some(_), Some(true) | None) => false,
    };
    is_widening.then_some(newest)
}

fn lapse_of(order: &StatementRef, track: &Track, at: i64) -> Option<Due> {
    let Standing::Ruled(Ruled {
        kind,
        statement_id,
        judged,
        until_ms,
        lapsed_ms,
        ..
    }) = &track.standing
    else {
        return None;
    };
    (*kind == DecisionKind::Hold && lapsed_ms.is_none() && *until_ms <= at).then(|| Due::Lapse {
        order: order.clone(),
        hold: *statement_id,
        judged: *judged,
        until_ms: *until_ms,
    })
}

/// Some decision was made, but none has effect.
const WAITS_WITHOUT_EFFECT: &str = "no decision on it has effect";
/// Widening waits for a fresh decision.
const WAITS_WIDENED: &str = "its issuer changed it after officers decided";
