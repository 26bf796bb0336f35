//! What this node must say by itself: decisions by its jurisdiction's policy, and lapses of holds.
//!
//! Only after its own log is fully replayed, and through the same door as everybody. Nothing else
//! here makes legal effect, and without a matching rule the answer is review.

use std::sync::Arc;

use tocsin_core::decision::{Decision, DecisionKind, PolicyCitation};
use tocsin_core::handling::Tlp;
use tocsin_core::policy::{RULE_FLOOD, Ruling};
use tocsin_core::registry::{Due, Registry};
use tocsin_core::statement::{Act, Statement, StatementRef};
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
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
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = changed.changed() => {}
            _ = standing.changed() => {}
            _ = clock.tick() => {}
        }
        if node.signing.standing() == Standing::Ready && is_replayed(&node) {
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
    let jurisdiction = &node.member().jurisdiction;
    let statements: Vec<Statement> = {
        let applied = node.state.read();
        let due = applied.registry.due(jurisdiction, now);
        let due = due.iter().take(limits::MAX_DUE_AT_ONCE);
        due.filter_map(|due| statement(node, &applied.registry, due, now))
            .collect()
    };
    // Signed together, they share a batch.
    let said = statements.into_iter().map(|statement| say(node, statement));
    futures_join(said).await;
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

/// The statement that answers what is due; none when it is no longer.
fn statement(node: &Node, registry: &Registry, due: &Due, now: i64) -> Option<Statement> {
    let (order, decision) = match due {
        Due::Decide { order, judged } => {
            let jurisdiction = &node.member().jurisdiction;
            let (pack, mut ruling) = registry.ruling(jurisdiction, order, judged, now)?;
            if is_flooded(registry, jurisdiction, order, now) {
                ruling = flooded();
            }
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
        log: node.logs.own().origin().log_name(),
        nonce: clock::random(),
        created_ms: now,
        number: 0,
        tlp: Tlp::Green,
        bodies: Vec::new(),
        about: Some(order.clone()),
        refs: Vec::new(),
        act: Act::Decision(decision),
    })
}

/// More orders of one issuer in a day than the pack allows: its new ones wait for an officer.
fn is_flooded(registry: &Registry, jurisdiction: &str, order: &StatementRef, now: i64) -> bool {
    let limits = registry.policy_limits(jurisdiction, now);
    let Some(most) = limits.and_then(|limits| limits.orders_per_issuer_per_day) else {
        return false;
    };
    registry.issued_since(&order.log, now - tocsin_core::date::DAY_MS) > most as usize
}

fn flooded() -> Ruling {
    Ruling {
        kind: DecisionKind::Review,
        rule: RULE_FLOOD.to_owned(),
        until_ms: 0,
        basis: String::new(),
    }
}

fn lapse(judged: tocsin_log::hash::Hash, until_ms: i64) -> Decision {
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
