//! Takes every committed entry of every log into the registry: read, decode, validate, apply.
//!
//! One task, the only writer of the registry. An entry that is invalid or unknown is marked and
//! passed by: it never stops a log, and no log stops another.

use std::sync::Arc;

use tocsin_core::registry::{Event, Position};
use tocsin_core::statement::{Act, Decoded, Statement};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tocsin_store::error::StoreError;
use tocsin_store::reader::{BodyContent, LogReader, StoredBody, StoredEntry};
use tocsin_wire::body::{self, BodyKind};

use crate::clock;
use crate::indexer::{Judged, judge};
use crate::limits;
use crate::node::Node;

/// Applies until the node drains.
pub(crate) async fn run(node: Arc<Node>) {
    let mut grown = node.logs.watch();
    let mut found = node.evidence.watch();
    let mut arrived = node.bodies.watch();
    let stop = node.stopping();
    loop {
        if let Err(error) = tokio::task::block_in_place(|| catch_up(&node)) {
            node.fault(&format!("a log cannot be read back: {error}"));
            return;
        }
        tokio::select! {
            _ = grown.changed() => {}
            _ = found.changed() => {}
            _ = arrived.changed() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Applies everything that is committed and not yet applied; also the replay at the start.
///
/// # Errors
/// [`StoreError`] when a committed entry cannot be read back and is not merely damaged and named.
pub(crate) fn catch_up(node: &Node) -> Result<(), StoreError> {
    freeze(node);
    let mut more = true;
    while more {
        more = false;
        for reader in node.logs.readers() {
            more |= apply_some(node, reader)?;
        }
        take_late_bodies(node);
        let logs: Vec<LogReader> = node.logs.readers().cloned().collect();
        node.indexer.mend(&node.alliance, &logs);
        node.state.announce();
    }
    Ok(())
}

/// Up to [`limits::APPLY_CHUNK_BYTES`] of one log, so that logs take turns; whether there are more.
fn apply_some(node: &Node, reader: &LogReader) -> Result<bool, StoreError> {
    let origin = reader.origin();
    let key = origin.to_string();
    let start = node.state.applied(&key);
    if start >= reader.size() {
        return Ok(false);
    }
    let (entries, verdicts) = read(node, reader, start)?;
    let verdict = |at: usize| verdicts.as_ref().and_then(|known| known.get(at)).copied();
    let judge = |(at, stored)| judge(&node.alliance, origin, stored, verdict(at));
    let judged: Vec<Judged> = entries.iter().enumerate().map(judge).collect();
    if verdicts.is_none() {
        node.indexer.learn(reader, start, &judged);
    }
    let end = start + entries.len() as u64;
    let mut events = Vec::with_capacity(entries.len());
    for (stored, judged) in entries.iter().zip(judged) {
        add_events(node, origin, stored, judged, &mut events);
    }
    let mut applied = node.state.write();
    for event in events {
        applied.registry.apply(event);
    }
    applied.sizes.insert(key, end);
    drop(applied);
    node.metrics.applied(origin, end);
    Ok(!entries.is_empty() && end < reader.size())
}

/// The next entries of a log: as many as verdicts are known for together, else a chunk.
fn read(
    node: &Node,
    reader: &LogReader,
    start: u64,
) -> Result<(Vec<StoredEntry>, Option<Vec<u8>>), StoreError> {
    let mut entries = reader.range(start, limits::APPLY_CHUNK_BYTES)?;
    let Some((size, verdicts)) = node.indexer.verdicts(reader, start) else {
        return Ok((entries, None));
    };
    while start + (entries.len() as u64) < size {
        let more = reader.range(start + entries.len() as u64, limits::APPLY_CHUNK_BYTES)?;
        if more.is_empty() {
            break;
        }
        entries.extend(more);
    }
    entries.truncate(verdicts.len());
    Ok((entries, Some(verdicts)))
}

/// What one entry means, as events for the registry.
fn add_events(
    node: &Node,
    origin: &Origin,
    stored: &StoredEntry,
    judged: Judged,
    events: &mut Vec<Event>,
) {
    let position = Position {
        origin: origin.clone(),
        index: stored.index,
    };
    match judged {
        Judged::Valid { entry, statement } => {
            let statement: Arc<Statement> = Arc::from(statement);
            node.measure_propagation(&statement);
            let lasting = lasting_bodies(node, &statement, &stored.bodies);
            events.push(Event::Valid {
                position: position.clone(),
                statement_id: entry.statement_id(),
                statement: Arc::clone(&statement),
            });
            for (sha256, bytes) in lasting {
                events.push(body_event(position.clone(), &statement, sha256, &bytes));
            }
        }
        Judged::Opaque { about } => events.push(Event::Opaque { position, about }),
        Judged::Invalid => {
            node.metrics.invalid(origin);
            events.push(Event::Invalid { position });
        }
    }
}

impl Node {
    /// Measures how long what makes or ends a block took to get here. What was made before this
    /// node started is replayed or caught up with, and says nothing about the way.
    fn measure_propagation(&self, statement: &Statement) {
        let counts = match &statement.act {
            Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) => true,
            Act::Report(_) | Act::Indicator(_) | Act::PolicyPack(_) => false,
        };
        if counts && statement.created_ms >= self.started_ms {
            self.metrics
                .propagated(statement.created_ms, clock::now_ms());
        }
    }
}

/// The statement in an entry, in whatever state; another payload type is an act we do not know.
pub(crate) fn decode(entry: &Entry) -> Decoded {
    if entry.payload_type == STATEMENT_TYPE {
        return tocsin_wire::statement::decode(&entry.payload);
    }
    Decoded::Opaque {
        log: String::new(),
        about: None,
        created_ms: 0,
        why: tocsin_core::statement::Unknown::Act,
    }
}

/// The lasting bodies of a statement that are here, beside the entry or arrived later.
fn lasting_bodies(
    node: &Node,
    statement: &Statement,
    beside: &[StoredBody],
) -> Vec<(Hash, Vec<u8>)> {
    let lasting = statement.bodies.iter().filter(|body| body.lasting);
    let held = lasting.filter_map(|body| {
        let found = beside.iter().find(|stored| stored.digest == body.sha256);
        let sound = found.and_then(|stored| match &stored.content {
            BodyContent::Sound(bytes) => Some(bytes.clone()),
            BodyContent::Erased | BodyContent::Damaged => None,
        });
        Some((
            body.sha256,
            sound.or_else(|| node.bodies.late(&body.sha256))?,
        ))
    });
    held.collect()
}

fn body_event(position: Position, statement: &Statement, sha256: Hash, bytes: &[u8]) -> Event {
    let kind = BodyKind::of(&statement.act);
    let decoded = kind.and_then(|kind| body::decode(kind, bytes).ok());
    Event::Body {
        position,
        sha256,
        body: decoded.map(Arc::new),
    }
}

/// Bodies that arrived after their entries.
fn take_late_bodies(node: &Node) {
    let missing: Vec<(Position, Hash)> = node.state.read().registry.missing_bodies().collect();
    let mut events = Vec::new();
    for (position, sha256) in missing.into_iter().take(limits::MAX_MISSING_BODIES) {
        let Some(bytes) = node.bodies.late(&sha256) else {
            continue;
        };
        let Some(statement) = node.statement_at(&position) else {
            continue;
        };
        events.push(body_event(position, &statement, sha256, &bytes));
    }
    if !events.is_empty() {
        let mut applied = node.state.write();
        for event in events {
            applied.registry.apply(event);
        }
    }
}

/// Logs with evidence against them are frozen, forward only.
fn freeze(node: &Node) {
    let frozen: Vec<Origin> = node
        .logs
        .readers()
        .map(LogReader::origin)
        .filter(|origin| node.evidence.is_frozen(&origin.to_string()))
        .cloned()
        .collect();
    let mut applied = node.state.write();
    for origin in frozen {
        applied.registry.apply(Event::Freeze { origin });
    }
}
