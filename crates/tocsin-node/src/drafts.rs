//! Half-signed statements that wait for a second officer of this member.
//!
//! They never leave the member: they stand in the node's own local log, each change durable before
//! it is answered, and in memory as long as they wait. A draft is gone when its statement stands in
//! the log, when it is discarded, and when the door would no longer take it.

mod record;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_core::admit::{Door, Known, MAX_AGE_MS, admit_draft};
use tocsin_core::name::{Numbered, prefix, short};
use tocsin_core::roster::Role;
use tocsin_core::statement::{Act, Decoded, DecodedBody, Statement, StatementRef};
use tocsin_core::validate::{Signed, validate_draft};
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_wire::body::{self, BodyKind};
use tocsin_wire::submission;

use crate::clock;
use crate::limits;
use crate::node::Node;
use crate::serve::find::not_found;
use crate::status::{Reason, Refusal};
use record::Record;

/// The drafts of this member.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    held: Mutex<BTreeMap<Hash, Arc<Held>>>,
    /// One change after another, so that no signature is lost between reading and writing.
    turn: tokio::sync::Mutex<()>,
}

/// One draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// Exact bytes and the signatures so far.
    pub(crate) entry: Entry,
    pub(crate) statement: Statement,
    /// In the statement's order.
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) signed: Signed,
    pub(crate) put_ms: i64,
}

impl Held {
    pub(crate) fn statement_id(&self) -> Hash {
        self.entry.statement_id()
    }

    /// From then on the door refuses it for its age.
    pub(crate) const fn expires_ms(&self) -> i64 {
        self.statement.created_ms.saturating_add(MAX_AGE_MS)
    }

    fn bytes(&self) -> usize {
        let bodies = self.bodies.iter().map(Vec::len).sum::<usize>();
        self.entry.payload.len().saturating_add(bodies)
    }

    /// Whether this person's signature is one of those still missing.
    pub(crate) fn waits_for(&self, person: &str) -> bool {
        self.signed.missing > 0 && !self.signed.persons.contains(person)
    }
}

impl Drafts {
    /// Keeps a draft, or adds its signatures to the one that is held; durable when this returns.
    ///
    /// # Errors
    /// What the door would refuse it for, but for missing signatures; a statement that stands in
    /// the log; no room.
    pub(crate) async fn put(
        &self,
        node: &Node,
        entry: Entry,
        bodies: Vec<Vec<u8>>,
    ) -> Result<Arc<Held>, Refusal> {
        let id = entry.statement_id();
        if stands(node, &id) {
            return Err(Refusal::of(Reason::AlreadyAccepted).at("statement"));
        }
        // By itself first: a bad signature is never brought together with good ones.
        let mut held = judge(node, entry, bodies)?;
        let _turn = self.turn.lock().await;
        if let Some(before) = self.lock().get(&id).cloned() {
            let merged = merge(&before.entry, &held.entry);
            if merged == before.entry {
                return Ok(before);
            }
            held = judge(node, merged, held.bodies)?;
            held.put_ms = before.put_ms;
        }
        let is_release = node.is_release(&held.statement);
        self.require_room(node, &held, is_release)?;
        node.journal.draft(record::put(&held), is_release).await?;
        let held = Arc::new(held);
        self.lock().insert(id, Arc::clone(&held));
        Ok(held)
    }

    /// Takes a draft back; durable when this returns.
    ///
    /// # Errors
    /// There is none of that name, or it cannot be written down.
    pub(crate) async fn discard(
        &self,
        node: &Node,
        name: &str,
        client: &str,
        reason: &str,
    ) -> Result<(), Refusal> {
        let id = self.named(node, name)?.statement_id();
        let _turn = self.turn.lock().await;
        let record = record::discarded(&id, clock::now_ms(), client, reason);
        node.journal.draft(record, false).await?;
        self.lock().remove(&id);
        Ok(())
    }

    /// All that wait, soonest to expire first.
    pub(crate) fn all(&self, node: &Node) -> Vec<Arc<Held>> {
        let mut all: Vec<Arc<Held>> = self.settled(node).values().cloned().collect();
        all.sort_by_key(|held| (held.expires_ms(), held.statement_id()));
        all
    }

    /// How many wait.
    pub(crate) fn count(&self, node: &Node) -> usize {
        self.settled(node).len()
    }

    /// The draft of this name: `members/us/drafts/<16 digits>`, the digits, the whole statement_id,
    /// or what it would be called.
    ///
    /// # Errors
    /// There is none, or there are several.
    pub(crate) fn named(&self, node: &Node, name: &str) -> Result<Arc<Held>, Refusal> {
        let folder = format!("members/{}/drafts/", node.member().id);
        let digits = name.strip_prefix(&folder).unwrap_or(name);
        let digits = digits.to_ascii_lowercase();
        let all = self.all(node);
        let is_id = |held: &Arc<Held>| {
            let id = held.statement_id();
            prefix(&id) == digits || id.to_string() == digits
        };
        let mut found: Vec<_> = all.iter().filter(|held| is_id(held)).collect();
        if found.is_empty() {
            let is_called = |held: &&Arc<Held>| {
                let (called, _) = summary(node, held);
                called.eq_ignore_ascii_case(name)
            };
            found = all.iter().filter(is_called).collect();
        }
        match found.as_slice() {
            [] => Err(not_found(name)),
            [held] => Ok(Arc::clone(held)),
            [..] => Err(Refusal::of(Reason::FieldInvalid)
                .saying("several drafts would be called that; give the digits of one")
                .at("name")),
        }
    }

    /// A record of the local log, after a start. What cannot be judged any more (its signer's key
    /// has ended) waits for nobody.
    pub(crate) fn remember(&self, node: &Node, record: &[u8]) {
        match record::read(record) {
            Some(Record::Put {
                entry,
                bodies,
                put_ms,
            }) => {
                let decoded = tocsin_wire::statement::decode(&entry.payload);
                let own = node.logs.own();
                let signed =
                    validate_draft(&entry, &decoded, own.origin(), own.size(), &node.alliance);
                match (decoded, signed) {
                    (Decoded::Known(statement), Ok(signed)) => {
                        let held = Held {
                            entry,
                            statement: *statement,
                            bodies,
                            signed,
                            put_ms,
                        };
                        self.lock().insert(held.statement_id(), Arc::new(held));
                    }
                    (_, Err(refusal)) => {
                        let id = entry.statement_id();
                        self.lock().remove(&id);
                        tracing::warn!(draft = %id, %refusal, "a draft can no longer be signed");
                    }
                    (Decoded::Opaque { .. } | Decoded::Bad(_), Ok(_)) => {}
                }
            }
            Some(Record::Discarded { id }) => {
                self.lock().remove(&id);
            }
            None => tracing::warn!("a draft in the local log cannot be read and is passed over"),
        }
    }

    /// What releases goods finds room where all else does not.
    fn require_room(&self, node: &Node, held: &Held, is_release: bool) -> Result<(), Refusal> {
        if held.bytes() > limits::MAX_DRAFT_BYTES {
            return Err(Refusal::of(Reason::DraftsFull)
                .saying("it is larger than a draft may be at the node; mail the file instead"));
        }
        let id = held.statement_id();
        let all = self.settled(node);
        let others = || all.iter().filter(|(other, _)| **other != id);
        let bytes: usize = others().map(|(_, held)| held.bytes()).sum();
        let share = if is_release { 2 } else { 1 };
        let is_full = others().count() >= share * limits::MAX_DRAFTS
            || bytes.saturating_add(held.bytes()) > share * limits::MAX_DRAFTS_BYTES;
        drop(all);
        if is_full {
            return Err(Refusal::of(Reason::DraftsFull));
        }
        Ok(())
    }

    /// What still waits; the rest is forgotten here. The local log needs no word of it: the same
    /// is found after a start.
    fn settled(&self, node: &Node) -> MutexGuard<'_, BTreeMap<Hash, Arc<Held>>> {
        let now = clock::now_ms();
        let mut held = self.lock();
        let applied = node.state.read();
        held.retain(|id, held| {
            let statement = StatementRef {
                log: held.statement.log.clone(),
                statement_id: *id,
            };
            now < held.expires_ms() && applied.registry.find(&statement).is_none()
        });
        held
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Hash, Arc<Held>>> {
        // Each change is one insert or remove; a panic cannot leave half of one.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether this person may sign as an officer of this member now.
pub(crate) fn is_officer(node: &Node, person: &str) -> bool {
    let next = node.logs.own().size();
    let mut keys = node.member().record_keys.values();
    keys.any(|key| {
        key.person == person && key.roles.contains(&Role::Officer) && key.is_valid_at(next)
    })
}

/// What it would be called, and one line about it.
pub(crate) fn summary(node: &Node, held: &Held) -> (String, String) {
    let (member, statement) = (node.member(), &held.statement);
    let called = short(&member.id, statement, &held.statement_id());
    match &statement.act {
        Act::Order(order) => (called, order.title.clone()),
        Act::OrderAct(act) => {
            let (order, title) = about(node, statement);
            (called, format!("{} {order}: {title}", act.kind.word()))
        }
        Act::Decision(decision) => {
            let (order, title) = about(node, statement);
            let block = format!("{order}@{}", member.jurisdiction);
            (block, format!("{} {order}: {title}", decision.kind.word()))
        }
        Act::PolicyPack(_) => (called, format!("policy pack of {}", member.jurisdiction)),
        Act::Report(_) | Act::Indicator(_) => (called, body_title(held)),
    }
}

/// The name and title of the order that a draft is on.
fn about(node: &Node, statement: &Statement) -> (String, String) {
    let Some(order) = &statement.about else {
        return (String::new(), String::new());
    };
    let position = node.state.read().registry.find(order);
    let issue = position.and_then(|at| Some((node.statement_at(&at)?, at)));
    let Some((issue, at)) = issue else {
        return (prefix(&order.statement_id), String::new());
    };
    let name = Numbered::of(at.origin.member(), &issue);
    let name = name.map_or_else(|| prefix(&order.statement_id), |name| name.to_string());
    match &issue.act {
        Act::Order(order) => (name, order.title.clone()),
        Act::Report(_)
        | Act::Indicator(_)
        | Act::OrderAct(_)
        | Act::Decision(_)
        | Act::PolicyPack(_) => (name, String::new()),
    }
}

fn body_title(held: &Held) -> String {
    let kind = BodyKind::of(&held.statement.act);
    let body = kind.zip(held.bodies.first());
    let content = body.and_then(|(kind, bytes)| body::decode(kind, bytes).ok());
    match content {
        Some(DecodedBody::Report(report)) => report.title,
        Some(DecodedBody::Indicator(indicator)) => indicator.title,
        Some(DecodedBody::Order(_) | DecodedBody::PolicyPack(_)) | None => String::new(),
    }
}

fn stands(node: &Node, id: &Hash) -> bool {
    let statement = StatementRef {
        log: node.logs.own().origin().log_name(),
        statement_id: *id,
    };
    node.state.read().registry.find(&statement).is_some()
}

/// Judges a draft as the door would, but for missing signatures.
fn judge(node: &Node, entry: Entry, bodies: Vec<Vec<u8>>) -> Result<Held, Refusal> {
    let now_ms = clock::now_ms();
    let door = Door {
        alliance: &node.alliance,
        member: node.member(),
        next_index: node.logs.own().size(),
        now_ms,
        known: node,
    };
    let submission = submission::of(entry.clone(), bodies.clone());
    let decoded = submission.decoded.clone();
    let signed = admit_draft(submission, &door)?;
    let Decoded::Known(statement) = decoded else {
        // What is not known was refused above.
        return Err(Refusal::of(Reason::FieldInvalid).at("statement"));
    };
    Ok(Held {
        entry,
        statement: *statement,
        bodies,
        signed,
        put_ms: now_ms,
    })
}

/// The signatures of both; where both have one of the same key, the one that was held.
fn merge(held: &Entry, more: &Entry) -> Entry {
    let mut merged = held.clone();
    for signature in &more.signatures {
        if held.signatures.iter().all(|s| s.key_id != signature.key_id) {
            merged.signatures.push(signature.clone());
        }
    }
    merged.signatures.sort_by_key(|signature| signature.key_id);
    merged
}
