//! Verified copies of the other members' logs: one lock each, so that no origin waits for another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tocsin_log::checkpoint::Origin;
use tocsin_log::cosign::{Cosigned, Cosigner};
use tocsin_log::entry::Entry;
use tocsin_log::follower::{FollowError, Follower};
use tocsin_log::hash::Hash;
use tocsin_log::key::{PublicKey, SigningKey};
use tocsin_log::note::SignatureLine;
use tocsin_store::batch::Batch;
use tocsin_store::error::{Refusal as StoreRefusal, StoreError};
use tocsin_store::mirror::{MirrorLog, MirrorState};
use tocsin_store::reader::LogReader;
use tocsin_wire::proto::peer::v1 as peer;
use tokio::sync::Mutex;

use crate::clock;
use crate::limits;
use crate::logging::SPANS;
use crate::node::Node;
use crate::origins;

/// All mirrored logs.
pub(crate) struct Mirrors {
    mirrors: BTreeMap<String, Arc<Mutex<Mirror>>>,
    key: SigningKey,
    name: String,
    /// The largest cosignature of our own that somebody has shown us, by origin: nothing below is
    /// cosigned.
    shown: StdMutex<BTreeMap<String, Cosigned>>,
}

impl std::fmt::Debug for Mirrors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirrors")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One mirrored log with the machines that judge what comes for it.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) log: MirrorLog,
    origin: Origin,
    origin_key: PublicKey,
    follower: Follower,
    cosigner: Cosigner,
}

/// Why a batch was not stored; the peer that sent it is read no more for a while.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MirrorError {
    #[error("no member has that log")]
    UnknownOrigin,
    #[error("an entry or a list is over its bound")]
    OverBound,
    #[error(transparent)]
    Follow(#[from] FollowError),
    #[error("the log cannot take entries now: {0}")]
    NotReady(String),
    #[error("the disk is nearly full, and this log's share of the reserve is used up")]
    NoRoom,
    #[error("the batch begins at {start}, this copy ends at {held}")]
    Gap { start: u64, held: u64 },
}

impl Mirror {
    pub(crate) fn new(log: MirrorLog, origin: Origin, key: PublicKey, own_name: &str) -> Self {
        let follower = Follower::new(origin.clone(), key, log.tree().clone());
        let cosigner = Cosigner::new(origin.clone(), own_name, log.cosigned());
        Self {
            log,
            origin,
            origin_key: key,
            follower,
            cosigner,
        }
    }

    /// After a repair: goes on from what the store holds now.
    pub(crate) fn take_up(&mut self, own_name: &str) {
        let (origin, key) = (self.origin.clone(), self.origin_key);
        self.follower = Follower::new(origin.clone(), key, self.log.tree().clone());
        self.cosigner = Cosigner::new(origin, own_name, self.log.cosigned());
    }

    pub(crate) fn reader(&self) -> LogReader {
        self.log.reader()
    }
}

impl Mirrors {
    pub(crate) fn new(
        mirrors: impl IntoIterator<Item = Mirror>,
        key: SigningKey,
        name: String,
    ) -> Self {
        let mirrors = mirrors
            .into_iter()
            .map(|mirror| (mirror.origin.to_string(), Arc::new(Mutex::new(mirror))));
        Self {
            mirrors: mirrors.collect(),
            key,
            name,
            shown: StdMutex::default(),
        }
    }

    /// Our name as a cosigner.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The mirror of `origin`.
    pub(crate) fn of(&self, origin: &str) -> Option<Arc<Mutex<Mirror>>> {
        self.mirrors.get(origin).cloned()
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&String, &Arc<Mutex<Mirror>>)> {
        self.mirrors.iter()
    }

    /// Somebody shows what we ourselves once cosigned: we never go back below it.
    pub(crate) fn shown(&self, origin: &str, cosigned: Cosigned) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let floor = shown.entry(origin.to_owned()).or_insert(cosigned);
        if floor.size < cosigned.size {
            *floor = cosigned;
        }
    }

    /// The largest that was shown of `origin`.
    pub(crate) fn shown_of(&self, origin: &str) -> Option<Cosigned> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.get(origin).copied()
    }

    /// Cosigns again what the store says was last cosigned, after a start.
    fn cosign_again(&self, mirror: &mut Mirror, now: u64) -> Option<(u64, SignatureLine)> {
        if mirror.log.state() != &MirrorState::Ready {
            return None;
        }
        let (size, note) = mirror.reader().newest_note().ok().flatten()?;
        let key = &mirror.origin_key;
        let note = tocsin_log::checkpoint::SignedCheckpoint::open(&note, &mirror.origin, key);
        let decision = mirror.cosigner.decide(&note.ok()?, now).ok()?;
        Some((size, decision.sign(&self.key)))
    }
}

impl Node {
    /// Settles every mirror after a start and says again what it vouches for.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn settle_mirrors(&self) -> Result<(), StoreError> {
        let now = now_s();
        for (origin, mirror) in self.mirrors.all() {
            let Ok(mut mirror) = mirror.try_lock() else {
                continue;
            };
            if mirror.log.state() == &MirrorState::Ready {
                mirror.log.settle(now)?;
                mirror.take_up(self.mirrors.name());
            }
            // The time stands in the slot already, or is later than what stands there.
            if let Some((size, line)) = self.mirrors.cosign_again(&mut mirror, now) {
                self.take_cosignature(origin, size, &line.to_line());
            }
        }
        Ok(())
    }

    /// Stores what a peer sent of a log, if it is what its origin signed, and cosigns it.
    /// `None` when it says nothing new.
    ///
    /// # Errors
    /// [`MirrorError`]; nothing was stored.
    pub(crate) async fn mirror(
        self: &Arc<Self>,
        incoming: Incoming,
    ) -> Result<Option<peer::Ack>, MirrorError> {
        let key = incoming.batch.origin.clone();
        if self.evidence.is_frozen(&key) {
            return Ok(None);
        }
        let mirror = self.mirrors.of(&key).ok_or(MirrorError::UnknownOrigin)?;
        let mut mirror = mirror.lock_owned().await;
        let node = Arc::clone(self);
        let stored =
            tokio::task::spawn_blocking(move || store(&node, &mut mirror, &incoming)).await;
        match stored {
            Ok(Ok(Some((size, line)))) => {
                let cosignature = line.to_line();
                self.take_cosignature(&key, size, &cosignature);
                self.grown(&key);
                Ok(Some(peer::Ack {
                    origin: key,
                    size,
                    cosignature,
                }))
            }
            Ok(Ok(None)) => {
                self.grown(&key);
                Ok(None)
            }
            Ok(Err(refused)) => Err(refused),
            Err(panicked) => {
                self.fault(&format!("a mirror's task failed: {panicked}"));
                Ok(None)
            }
        }
    }
}

/// Checks, stores, cosigns; the blocking part.
fn store(
    node: &Node,
    mirror: &mut Mirror,
    incoming: &Incoming,
) -> Result<Option<(u64, SignatureLine)>, MirrorError> {
    let sent = &incoming.batch;
    let (origin, start, entries) = (sent.origin.as_str(), sent.start, sent.entries.len());
    let _span = tracing::trace_span!(target: SPANS, "mirror", origin, start, entries).entered();
    let held = mirror.follower.head().size;
    if sent.start < held {
        // Two upstreams overlapped; what is new comes again with the right start.
        return Ok(None);
    }
    if sent.start > held {
        return Err(MirrorError::Gap {
            start: sent.start,
            held,
        });
    }
    let entries: Vec<&[u8]> = sent
        .entries
        .iter()
        .map(|entry| entry.entry.as_slice())
        .collect();
    let accepted = match mirror.follower.check(sent.start, &entries, &sent.note) {
        Ok(accepted) => accepted,
        Err(FollowError::Root { note }) => {
            // The origin signed another root over that size: somebody lies, and the note may
            // prove who.
            let origin = note.checkpoint().origin.to_string();
            node.ahead.keep_note(&origin, (*note).clone());
            return Err(FollowError::Root { note }.into());
        }
        Err(refused) => return Err(refused.into()),
    };
    let batch = incoming.to_store(mirror, accepted.leaves())?;
    let bytes = batch.bytes();
    if !node.room.may_mirror(origin, bytes) {
        return Err(no_room(node, origin));
    }
    let now = now_s();
    let note = accepted.checkpoint();
    let may_cosign = node
        .mirrors
        .shown_of(&sent.origin)
        .is_none_or(|shown| shown.size <= note.checkpoint().size);
    let decision = may_cosign
        .then(|| mirror.cosigner.decide(note, now).ok())
        .flatten();
    let time = decision
        .as_ref()
        .map_or(now, |decision| decision.cosigned().time);
    match mirror.log.commit(&batch, note, time) {
        Ok(_) => {}
        Err(StoreError::Refused(refused)) => {
            // The decision bound the cosigner to a note that is not stored; it begins again from
            // the slots.
            mirror.take_up(node.mirrors.name());
            return Err(if refused == StoreRefusal::DiskFull {
                no_room(node, origin)
            } else {
                MirrorError::NotReady(refused.to_string())
            });
        }
        Err(StoreError::Fault(fault)) => {
            node.fault(&fault.to_string());
            return Err(MirrorError::NotReady(fault.to_string()));
        }
    }
    let size = note.checkpoint().size;
    let followed = mirror.follower.commit(accepted);
    followed.map_err(MirrorError::Follow)?;
    node.metrics.log_grew(&mirror.origin, size);
    node.took(origin, entries.len(), bytes);
    Ok(decision.map(|decision| (size, decision.sign(&node.mirrors.key))))
}

/// A batch as a peer sent it, with all that can be known of it without the log: so this is done
/// while the batch before it is stored.
#[derive(Debug)]
pub(crate) struct Incoming {
    batch: peer::Batch,
    /// For each entry the bodies that its statement names, as digest and place; whatever else a
    /// peer sends along is not kept.
    named: Vec<Vec<(Hash, usize)>>,
}

impl Incoming {
    /// Hashes the bodies and looks for their names.
    ///
    /// # Errors
    /// [`MirrorError::OverBound`], before anything is hashed.
    pub(crate) fn read(batch: peer::Batch) -> Result<Self, MirrorError> {
        if batch.entries.len() > limits::MAX_BATCH_ENTRIES {
            return Err(MirrorError::OverBound);
        }
        let named = batch.entries.iter().map(named_bodies).collect();
        Ok(Self { batch, named })
    }

    /// What came, as it is stored: each entry with the bodies that its statement names.
    fn to_store(&self, mirror: &Mirror, leaves: &[Hash]) -> Result<Batch, MirrorError> {
        let mut batch = mirror.log.batch();
        let named = self.batch.entries.iter().zip(&self.named);
        for ((sent, named), leaf) in named.zip(leaves) {
            let bodies: Vec<(Hash, &[u8])> = named
                .iter()
                .filter_map(|(digest, at)| Some((*digest, sent.bodies.get(*at)?.as_slice())))
                .collect();
            batch
                .push_hashed(*leaf, &sent.entry, &bodies)
                .map_err(|_| MirrorError::OverBound)?;
        }
        Ok(batch)
    }
}

impl Node {
    /// So much of a log was stored.
    fn took(&self, origin: &str, entries: usize, bytes: u64) {
        let now_ms = origins::monotonic_ms();
        self.origins.took(origin, entries as u64, bytes, now_ms);
    }
}

fn no_room(node: &Node, origin: &str) -> MirrorError {
    node.origins.hold_for_disk(origin, origins::monotonic_ms());
    MirrorError::NoRoom
}

fn named_bodies(sent: &peer::EntryWithBodies) -> Vec<(Hash, usize)> {
    if sent.bodies.is_empty() {
        return Vec::new();
    }
    let Ok(entry) = Entry::decode(&sent.entry) else {
        return Vec::new();
    };
    let names = tocsin_wire::statement::body_names(&entry.payload);
    let named = |(at, body): (usize, &Vec<u8>)| {
        let digest = Hash::of(body);
        names.contains(&digest).then_some((digest, at))
    };
    let bodies = sent.bodies.iter().enumerate();
    bodies.filter_map(named).take(names.len()).collect()
}

/// Now in Unix seconds, as cosignatures have it.
pub(crate) fn now_s() -> u64 {
    u64::try_from(clock::now_ms() / 1_000).unwrap_or_default()
}
