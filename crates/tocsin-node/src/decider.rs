//! What this node must say by itself: decisions by its jurisdiction's policy, and lapses of holds.
//!
//! Only after its own log is fully replayed, and through the same door as everybody. Nothing else
//! here makes legal effect, and without a matching rule the answer is review.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::decision::{Decision, DecisionKind, PolicyCitation};
use tocsin_core::handling::Tlp;
use tocsin_core::policy::{Limits, RULE_BREADTH, RULE_FLOOD, Ruling};
use tocsin_core::registry::{Due, Registry};
use tocsin_core::statement::{Act, Statement, StatementRef};
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tracing::Instrument;

use crate::clock;
use crate::limits;
use crate::logging::SPANS;
use crate::node::Node;
use crate::signing::Standing;

/// Decides until the node stops.
pub(crate) async fn run(node: Arc<Node>) {
    let mut changed = node.state.watch();
    let mut standing = node.signing.watch();
    // The end of a hold is no event: it is looked for.
    let mut clock = tokio::time::interval(limits::DUE_INTERVAL);
    let stop = node.stopping();
    let mut seen = None;
    loop {
        let is_time = tokio::select! {
            () = stop.cancelled() => return,
            _ = changed.changed() => false,
            _ = standing.changed() => true,
            _ = clock.tick() => true,
        };
        // Reports change nothing that is due, and most changes are reports.
        let about_orders = Some(node.state.read().about_orders);
        if !is_time && seen == about_orders {
            continue;
        }
        if node.signing.standing() == Standing::Ready && is_replayed(&node) {
            seen = about_orders;
            say_what_is_due(&node).await;
        }
    }
}

/// Whether everything that our own log says is in the registry: else we might decide twice.
fn is_replayed(node: &Node) -> bool {
    let own = node.logs.own();
    node.state.applied(&own.origin().to_string()) == own.size()
}

async fn say_what_is_due(node: &Node) {
    let now = clock::now_ms();
    // A decision is no release: with a nearly full disk only lapses are said.
    let may_grow = node.room.may_grow(limits::MAX_BATCH_BYTES as u64);
    let statements: Vec<Statement> = {
        let applied = node.state.read();
        let mut round = Round::new(node, &applied.registry, now);
        let due = applied.registry.due(round.jurisdiction, now);
        let due = due
            .into_iter()
            .filter(|due| may_grow || matches!(due, Due::Lapse { .. }));
        let due = in_turn(due).into_iter().take(limits::MAX_DUE_AT_ONCE);
        due.filter_map(|due| round.statement(&due)).collect()
    };
    // Signed together, they share a batch.
    let said = statements.into_iter().map(|statement| say(node, statement));
    futures_join(said).await;
}

/// Ends of holds first, then each issuer's orders in turn, so that nobody's flood keeps the others
/// waiting.
fn in_turn(due: impl Iterator<Item = Due>) -> Vec<Due> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut placed: Vec<(usize, Due)> = due
        .map(|due| match &due {
            Due::Lapse { .. } => (0, due),
            Due::Decide { order, .. } => {
                let place = seen.entry(order.log.clone()).or_default();
                *place += 1;
                (*place, due)
            }
        })
        .collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, due)| due).collect()
}

/// Waits for all of them; the sequencer keeps their order and their number is bounded above.
async fn futures_join(said: impl Iterator<Item = impl Future<Output = ()>>) {
    let mut said: Vec<_> = said.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        said.retain_mut(|one| one.as_mut().poll(context).is_pending());
        if said.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

async fn say(node: &Node, statement: Statement) {
    let Act::Decision(decision) = &statement.act else {
        return;
    };
    let kind = decision.kind.word();
    let payload = tocsin_wire::statement::encode(&statement);
    let entry = Entry::sign(STATEMENT_TYPE, payload, &[&node.keys.record]);
    let span = tracing::trace_span!(target: SPANS, "decide", kind);
    let submitted = crate::door::submit(node, entry, Vec::new());
    match submitted.instrument(span).await {
        Ok(accepted) => {
            node.metrics.decided(kind);
            tracing::info!(decision = %accepted.name, kind, "decided");
        }
        Err(refusal) => {
            tracing::warn!(kind, code = refusal.code, "a decision was not accepted");
        }
    }
}

/// What is decided together, at one instant and from one state.
struct Round<'a> {
    node: &'a Node,
    registry: &'a Registry,
    jurisdiction: &'a str,
    now: i64,
    limits: Limits,
    /// By log of an issuer: what was counted of its orders, and this round's rulings on top.
    issuers: BTreeMap<String, Recent>,
}

/// Orders of one issuer within the last day.
struct Recent {
    /// Issued, by its own clock.
    issued: usize,
    /// Decided here by a rule of the pack, by ours.
    ruled: usize,
}

impl<'a> Round<'a> {
    fn new(node: &'a Node, registry: &'a Registry, now: i64) -> Self {
        let jurisdiction = node.member().jurisdiction.as_str();
        let limits = registry.policy_limits(jurisdiction, now);
        Self {
            node,
            registry,
            jurisdiction,
            now,
            limits: limits.unwrap_or_default(),
            issuers: BTreeMap::new(),
        }
    }

    /// The statement that answers what is due; none when it is no longer.
    fn statement(&mut self, due: &Due) -> Option<Statement> {
        let (order, decision) = match due {
            Due::Decide { order, judged } => {
                let (pack, ruling) =
                    self.registry
                        .ruling(self.jurisdiction, order, judged, self.now)?;
                let ruling = self.limited(order, judged, ruling);
                (order, ruling.to_decision(*judged, pack))
            }
            Due::Lapse {
                order,
                judged,
                until_ms,
                ..
            } => (order, lapse(*judged, *until_ms)),
        };
        Some(Statement {
            log: self.node.logs.own().origin().log_name(),
            nonce: clock::random(),
            created_ms: self.now,
            number: 0,
            tlp: Tlp::Green,
            bodies: Vec::new(),
            about: Some(order.clone()),
            refs: Vec::new(),
            act: Act::Decision(decision),
        })
    }

    /// The ruling, or review where it would pass a limit of the pack.
    fn limited(&mut self, order: &StatementRef, judged: &Hash, ruling: Ruling) -> Ruling {
        if self.is_flooded(order) {
            return review(RULE_FLOOD);
        }
        let stops = matches!(
            ruling.kind,
            DecisionKind::Adopt | DecisionKind::Hold | DecisionKind::Flag
        );
        match self.limits.breadth_share {
            Some(share) if stops && self.registry.is_broad(order, judged, share) => {
                review(RULE_BREADTH)
            }
            Some(_) | None => ruling,
        }
    }

    /// More orders of one issuer in a day than the pack allows: its new ones wait for an officer.
    ///
    /// Both clocks count. By the issuer's the whole of a flood is seen as soon as it is here; by
    /// ours nobody can backdate it away.
    fn is_flooded(&mut self, order: &StatementRef) -> bool {
        let Some(most) = self.limits.orders_per_issuer_per_day else {
            return false;
        };
        let since = self.now - tocsin_core::date::DAY_MS;
        let recent = self
            .issuers
            .entry(order.log.clone())
            .or_insert_with(|| Recent {
                issued: self.registry.issued_since(&order.log, since),
                ruled: self
                    .registry
                    .ruled_since(self.jurisdiction, &order.log, since),
            });
        let most = most as usize;
        if recent.issued > most || recent.ruled >= most {
            return true;
        }
        recent.ruled += 1;
        false
    }
}

fn review(rule: &str) -> Ruling {
    Ruling {
        kind: DecisionKind::Review,
        rule: rule.to_owned(),
        until_ms: 0,
        basis: String::new(),
    }
}

fn lapse(judged: Hash, until_ms: i64) -> Decision {
    Decision {
        kind: DecisionKind::Lapse,
        judged,
        basis: String::new(),
        reason: format!("the hold ended at {}", tocsin_core::date::display(until_ms)),
        until_ms: 0,
        local_rights: Vec::new(),
        policy: None::<PolicyCitation>,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(log: &str, number: u8) -> Due {
        let order = StatementRef {
            log: log.to_owned(),
            statement_id: Hash([number; 32]),
        };
        Due::Decide {
            order,
            judged: Hash([number; 32]),
        }
    }

    #[test]
    fn nobodys_flood_keeps_the_others_waiting() {
        let mut due: Vec<Due> = (0..200).map(|number| decide("A/de", number)).collect();
        due.extend([decide("A/us", 1), decide("A/us", 2)]);
        let (Due::Decide { order, judged } | Due::Lapse { order, judged, .. }) = decide("A/us", 3);
        let lapse = Due::Lapse {
            order,
            hold: judged,
            judged,
            until_ms: 1,
        };
        due.push(lapse.clone());
        let turns = in_turn(due.into_iter());
        assert_eq!(turns.len(), 203);
        assert_eq!(turns[0], lapse);
        assert_eq!(turns[1..3], [decide("A/de", 0), decide("A/us", 1)]);
        assert_eq!(turns[3..5], [decide("A/de", 1), decide("A/us", 2)]);
    }
}
