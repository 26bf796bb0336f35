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
use tocsin_store::reader::{BodyContent, LogReader, StoredBody};
use tocsin_wire::body::{self, BodyKind};

use crate::clock;
use crate::indexer::{Judged, judge, judge_all};
use crate::limits;
use crate::node::Node;
use crate::verdicts::Known;

/// Applies until the node drains; on a thread of its own.
pub(crate) async fn run(node: Arc<Node>) {
    let mut grown = node.logs.watch();
    let mut found = node.evidence.watch();
    let mut arrived = node.bodies.watch();
    let stop = node.stopping();
    loop {
        if let Err(error) = catch_up(&node) {
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
    let events = match just_said(node, reader, start) {
        Some(events) => events,
        None => match node.indexer.verdicts(reader, start) {
            Some(known) => recalled(node, reader, start, &known)?,
            None => judged(node, reader, start)?,
        },
    };
    let end = start + events.count;
    let about_orders = events.about_orders();
    let mut applied = node.state.write();
    for event in events.events {
        applied.registry.apply(event);
    }
    applied.sizes.insert(key, end);
    applied.about_orders += about_orders;
    drop(applied);
    if origin == node.logs.own().origin() {
        node.own_applied.advance(end);
    }
    node.metrics.applied(origin, end);
    Ok(events.count > 0 && end < reader.size())
}

/// What the next entries of our own log mean, where they were written just now.
fn just_said<'a>(node: &'a Node, reader: &'a LogReader, start: u64) -> Option<Events<'a>> {
    if reader.origin() != node.logs.own().origin() {
        return None;
    }
    let judged = node.fresh.take(start, reader.size());
    if judged.is_empty() {
        return None;
    }
    node.indexer.learn(reader, start, &judged);
    let mut events = Events::new(node, reader.origin());
    for (index, judged) in (start..).zip(judged) {
        // What has lasting bodies is not handed over.
        events.add(index, judged, &[]);
    }
    Some(events)
}

/// What the next entries mean, where verdicts on them were made before: only what is neither report
/// nor indicator is read.
fn recalled<'a>(
    node: &'a Node,
    reader: &'a LogReader,
    start: u64,
    known: &[Known],
) -> Result<Events<'a>, StoreError> {
    let mut events = Events::new(node, reader.origin());
    for (index, known) in (start..).zip(known) {
        match known {
            Known::Filed(filed) => events.add(index, Judged::Filed(*filed), &[]),
            Known::Invalid => events.add(index, Judged::Invalid, &[]),
            Known::Valid | Known::Opaque => {
                let stored = reader.stored(index)?;
                let counts = *known == Known::Valid;
                let judged = judge(&node.alliance, reader.origin(), &stored, counts);
                events.add(index, judged, &stored.bodies);
            }
        }
    }
    Ok(events)
}

/// What the next entries mean: read, judged, and remembered.
fn judged<'a>(node: &'a Node, reader: &'a LogReader, start: u64) -> Result<Events<'a>, StoreError> {
    let entries = reader.range(start, limits::APPLY_CHUNK_BYTES)?;
    let judged = judge_all(&node.alliance, reader.origin(), &entries);
    node.indexer.learn(reader, start, &judged);
    let mut events = Events::new(node, reader.origin());
    for (stored, judged) in entries.iter().zip(judged) {
        events.add(stored.index, judged, &stored.bodies);
    }
    Ok(events)
}

/// What entries of one log mean, as events for the registry.
struct Events<'a> {
    node: &'a Node,
    origin: &'a Origin,
    events: Vec<Event>,
    /// Entries so far.
    count: u64,
}

impl<'a> Events<'a> {
    const fn new(node: &'a Node, origin: &'a Origin) -> Self {
        Self {
            node,
            origin,
            events: Vec::new(),
            count: 0,
        }
    }

    /// How many of them say something about an order, or may.
    fn about_orders(&self) -> u64 {
        let about = self.events.iter().filter(|event| match event {
            Event::Filed { .. } | Event::Invalid { .. } => false,
            Event::Valid { .. }
            | Event::Opaque { .. }
            | Event::Body { .. }
            | Event::Freeze { .. } => true,
        });
        about.count() as u64
    }

    /// Adds what the entry at `index` means, which has these bodies beside it.
    fn add(&mut self, index: u64, judged: Judged, beside: &[StoredBody]) {
        self.count += 1;
        let position = Position {
            origin: self.origin.clone(),
            index,
        };
        match judged {
            Judged::Filed(filed) => match self.events.last_mut() {
                Some(Event::Filed { entries, .. }) => entries.push((index, filed)),
                Some(_) | None => self.events.push(Event::Filed {
                    origin: position.origin,
                    entries: vec![(index, filed)],
                }),
            },
            Judged::Valid {
                statement_id,
                statement,
            } => {
                let statement: Arc<Statement> = Arc::from(statement);
                self.node.measure_propagation(&statement);
                self.events.push(Event::Valid {
                    position: position.clone(),
                    statement_id,
                    statement: Arc::clone(&statement),
                });
                for (sha256, bytes) in lasting_bodies(self.node, &statement, beside) {
                    let event = body_event(position.clone(), &statement, sha256, &bytes);
                    self.events.push(event);
                }
            }
            Judged::Opaque { about } => self.events.push(Event::Opaque { position, about }),
            Judged::Invalid => {
                self.node.metrics.invalid(self.origin);
                self.events.push(Event::Invalid { position });
            }
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
        applied.about_orders += events.len() as u64;
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
    if frozen.is_empty() {
        return;
    }
    let mut applied = node.state.write();
    for origin in frozen {
        let is_news = applied.registry.apply(Event::Freeze { origin });
        applied.about_orders += u64::from(is_news);
    }
}
