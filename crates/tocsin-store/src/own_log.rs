//! Opening our own log: what state it is in, and what may be done about it.

use std::sync::Arc;

use tocsin_log::checkpoint::{Origin, SignedCheckpoint};
use tocsin_log::key::SigningKey;

use crate::batch::Batch;
use crate::data_dir::DataDir;
use crate::disk::{DiskError, Open};
use crate::error::{Damage, DamageKind, Refusal, StopReason, StoreError};
use crate::files::{Appender, OpenOptions, Shared};
use crate::own::{
    Committed, Halves, OWN_STEPS, OwnSigner, OwnWriter, Pipe, SigningGuard, origin_hash,
};
use crate::reader::LogReader;
use crate::recover::{Cut, Recovered, Rules, Tail, recover};
use crate::repair::{Repair, RepairEntry, Wanted};
use crate::slots::{Signed, SlotFault, SlotPair, StateKind, open_state};
use tocsin_log::hash::Hash;

/// Signer state stands in this file of the data directory.
const SIGNER_STATE: &str = "signer.state";

/// Our own log, open. Nothing is signed before [`OwnLog::allow_signing`].
#[derive(Debug)]
pub struct OwnLog {
    data: DataDir,
    options: OpenOptions,
    writer: OwnWriter,
    signer: OwnSigner,
    state: OwnState,
    tail: Vec<(u64, u64)>,
    held: u64,
    cut: Option<Cut>,
}

/// What can be done with our own log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnState {
    /// It is whole, and may be signed once the other members were asked.
    Ready,
    /// The state says more was signed than the segments hold: fetch exactly up to `size`.
    Behind {
        /// Entries held.
        held: u64,
        /// What was signed.
        size: u64,
        /// Its root.
        root: Hash,
    },
    /// It is served, and not signed.
    ReadOnly(ReadOnlyReason),
    /// What was stored is not what is there: repair it from the other members.
    Damaged(Vec<Damage>),
}

/// Why our own log is served and not signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadOnlyReason {
    /// There are entries, and no `signer.state` that says how far they were signed.
    #[error(
        "signer.state is missing: nobody knows how far this log was signed. Put back the file that \
         belongs to it (never one from a backup), or begin a new generation"
    )]
    StateMissing,
    /// The directory is a copy, or was moved.
    #[error(
        "this data directory is a copy, or was moved to another machine or file system: the \
         original may still be signing. Make sure that it is gone for good, then take this one over"
    )]
    Copied,
    /// `signer.state` is that of another log.
    #[error("signer.state belongs to another log: check member, alliance and generation")]
    OtherLog,
    /// The log was signed with another key.
    #[error("the newest note in this log is not by the log key that was given: check the keys")]
    OtherKey,
}

/// What opening the state file gave.
struct StateFile {
    slots: Option<SlotPair>,
    reason: Option<ReadOnlyReason>,
    damage: Option<Damage>,
}

impl OwnLog {
    /// Opens our own log, whatever happened to it: only a fault of the disk is an error.
    ///
    /// # Errors
    /// A fault.
    pub fn open(
        data: &DataDir,
        origin: &Origin,
        key: SigningKey,
        options: OpenOptions,
    ) -> Result<Self, StoreError> {
        let shared = Shared::open(data.disk(), &data.path("log"), origin, &options)?;
        let opened = Opened::take(data, &shared, &key, &options)?;
        let guard = SigningGuard::new();
        let pipe = Pipe::new(opened.kept);
        let (failpoints, steps) = (options.failpoints.clone(), OWN_STEPS);
        let Recovered {
            tree,
            end,
            notes,
            tail,
            cut,
            ..
        } = opened.found;
        let held = tree.size();
        let appender = Appender {
            shared: Arc::clone(&shared),
            tree,
            end,
            notes,
            failpoints,
            steps,
        };
        let writer = OwnWriter {
            appender,
            pipe: Arc::clone(&pipe),
            guard: guard.clone(),
        };
        let failpoints = options.failpoints.clone();
        let signer = OwnSigner {
            shared,
            slots: opened.slots,
            key,
            pipe,
            guard,
            failpoints,
        };
        let (data, state) = (data.clone(), opened.state);
        Ok(Self {
            data,
            options,
            writer,
            signer,
            state,
            tail,
            held,
            cut,
        })
    }

    /// What can be done with it.
    #[must_use]
    pub const fn state(&self) -> &OwnState {
        &self.state
    }

    /// The torn tail that was cut at the last opening.
    #[must_use]
    pub const fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// A reader of what is committed.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.signer.shared))
    }

    /// The switch on signing.
    #[must_use]
    pub fn guard(&self) -> SigningGuard {
        self.signer.guard.clone()
    }

    /// The newest size and root that may have been signed; none where no slot says so. A note that
    /// another member shows must be at most this, and of the same root.
    #[must_use]
    pub fn signed(&self) -> Option<(u64, Hash)> {
        let newest = self.signer.slots.as_ref()?.newest()?;
        Some((newest.size, newest.root))
    }

    /// Allows signing: the start-up rule is satisfied, or an operator overrode it. What stands in
    /// the segments above the state is signed now, as it stands; the batches are returned.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] unless the state is [`OwnState::Ready`]; [`Refusal::Stopped`]; or a
    /// fault.
    pub fn allow_signing(&mut self) -> Result<Vec<Committed>, StoreError> {
        if self.state != OwnState::Ready {
            return Err(Refusal::NotReady.into());
        }
        self.signer.guard.allow()?;
        let tail = std::mem::take(&mut self.tail);
        Halves {
            writer: &mut self.writer,
            signer: &mut self.signer,
        }
        .catch_up(&tail)
    }

    /// Ends signing in this generation; the log is served on.
    pub fn stop_signing(&self, reason: StopReason) {
        self.signer.guard.stop(reason);
    }

    /// An empty batch behind everything written so far.
    #[must_use]
    pub fn batch(&self) -> Batch {
        self.writer.batch()
    }

    /// Commits a batch: when this returns it is durable and signed.
    ///
    /// # Errors
    /// As [`OwnWriter::write`] and [`OwnSigner::sign`].
    pub fn commit(&mut self, batch: &Batch) -> Result<Committed, StoreError> {
        let written = self.writer.write(batch)?;
        self.signer.sign(written)
    }

    /// Takes the log apart, so that one batch's state is flushed while the next one's segment is
    /// written.
    #[must_use]
    pub fn split(self) -> (OwnWriter, OwnSigner) {
        (self.writer, self.signer)
    }

    /// Zeroes a body in place. Its erasure must be on record in the local log already.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], [`Refusal::NoBody`], or a fault.
    pub fn erase_body(&mut self, index: u64, digest: &Hash) -> Result<(), StoreError> {
        self.writer.erase_body(index, digest)
    }

    /// The entries to fetch from other members next; none when nothing is missing, or when the
    /// state itself is.
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted> {
        self.repair_of()?.wanted()
    }

    /// Puts back what is damaged or missing: at least the entry named, at most all that is
    /// [`OwnLog::wanted`]. Nothing is taken that does not lead to the root that was signed. One
    /// call repairs one segment.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] when there is nothing to repair, [`Refusal::RepairIncomplete`],
    /// [`Refusal::RepairLacksBody`], [`Refusal::RepairNeedsNote`], [`Refusal::OtherRoot`], or a
    /// fault.
    pub fn repair(
        &mut self,
        entries: &[RepairEntry],
        notes: &[Vec<u8>],
    ) -> Result<&OwnState, StoreError> {
        let repair = self.repair_of().ok_or(Refusal::NotReady)?;
        self.signer.shared.guarded(|| repair.run(entries, notes))?;
        self.take_up()
    }

    /// Goes on from [`OwnState::Behind`]: the entries from `held` to `size`, with their bodies. Of
    /// a log that is behind by more than a segment this is called for each, with what is
    /// [`OwnLog::wanted`].
    ///
    /// # Errors
    /// As [`OwnLog::repair`].
    pub fn resume_with(
        &mut self,
        entries: &[RepairEntry],
        notes: &[Vec<u8>],
    ) -> Result<&OwnState, StoreError> {
        self.repair(entries, notes)
    }

    /// Writes damaged slots anew. Give the newest note of this log that any other member has seen:
    /// all of them must have been asked. The state is then the largest that it, the sound slot or a
    /// kept note vouches for; what is above is signed as it stands, and where the segments hold
    /// less the log is behind.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] unless a slot is damaged; or a fault.
    pub fn repair_state(
        &mut self,
        newest: Option<&SignedCheckpoint>,
    ) -> Result<&OwnState, StoreError> {
        let is_slot = |damage: &Damage| damage.kind == DamageKind::Slot;
        if !matches!(&self.state, OwnState::Damaged(damage) if damage.iter().any(is_slot)) {
            return Err(Refusal::NotReady.into());
        }
        self.rewrite_state(newest)
    }

    /// An operator takes over a copy, or a log whose state is missing, and answers for it that no
    /// other process signs this log or has signed more of it. The caller records who and why.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] in any other state; or a fault.
    pub fn take_over(
        &mut self,
        newest: Option<&SignedCheckpoint>,
    ) -> Result<&OwnState, StoreError> {
        match self.state {
            OwnState::ReadOnly(ReadOnlyReason::StateMissing | ReadOnlyReason::Copied) => {
                self.rewrite_state(newest)
            }
            OwnState::Ready
            | OwnState::Behind { .. }
            | OwnState::Damaged(_)
            | OwnState::ReadOnly(ReadOnlyReason::OtherLog | ReadOnlyReason::OtherKey) => {
                Err(Refusal::NotReady.into())
            }
        }
    }

    fn rewrite_state(
        &mut self,
        newest: Option<&SignedCheckpoint>,
    ) -> Result<&OwnState, StoreError> {
        let reader = self.reader();
        let shown = newest
            .map(|note| note.checkpoint())
            .map(|c| (c.size, c.root));
        let kept = match reader.newest_note()? {
            Some((size, _)) => Some((size, reader.root_at(size)?)),
            None => None,
        };
        let most = [self.signed(), shown, kept]
            .into_iter()
            .flatten()
            .max_by_key(|(size, _)| *size);
        let signed = most.map_or(Signed::NOTHING, |(size, root)| Signed {
            size,
            root,
            time: 0,
        });
        let shared = Arc::clone(&self.signer.shared);
        shared.guarded(|| {
            let mut slots = match self.signer.slots.take() {
                Some(slots) => slots,
                None => create_state(&self.data, &shared.origin)?,
            };
            slots.create(signed)?;
            Ok(())
        })?;
        self.take_up()
    }

    fn repair_of(&self) -> Option<Repair<'_>> {
        let newest = self.signer.slots.as_ref()?.newest()?;
        let damage = match &self.state {
            OwnState::Damaged(damage) => damage.as_slice(),
            OwnState::Behind { .. } => &[],
            OwnState::Ready | OwnState::ReadOnly(_) => return None,
        };
        Some(Repair {
            shared: &self.signer.shared,
            key: self.signer.key.public(),
            floor: newest,
            damage,
            held: self.held,
            erased: &self.options.erased,
            needs_note: false,
        })
    }

    /// Reads everything again, as at the start.
    fn take_up(&mut self) -> Result<&OwnState, StoreError> {
        let shared = Arc::clone(&self.signer.shared);
        let opened = shared
            .guarded(|| Opened::take(&self.data, &shared, &self.signer.key, &self.options))?;
        let pipe = Pipe::new(opened.kept);
        let Recovered {
            tree,
            end,
            notes,
            tail,
            cut,
            ..
        } = opened.found;
        self.held = tree.size();
        let appender = &mut self.writer.appender;
        (appender.tree, appender.end, appender.notes) = (tree, end, notes);
        self.writer.pipe = Arc::clone(&pipe);
        self.signer.pipe = pipe;
        self.signer.slots = opened.slots;
        (self.state, self.tail, self.cut) = (opened.state, tail, cut.or(self.cut));
        Ok(&self.state)
    }
}

/// Our log as it was found.
struct Opened {
    slots: Option<SlotPair>,
    found: Recovered,
    state: OwnState,
    /// The size of the largest note that stands in a segment.
    kept: u64,
}

impl Opened {
    fn take(
        data: &DataDir,
        shared: &Arc<Shared>,
        key: &SigningKey,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let StateFile {
            slots,
            reason,
            damage,
        } = StateFile::open(data, shared)?;
        let in_place = reason.is_none() && damage.is_none();
        // A copy is read against its own state; where no state can be relied on, against none.
        let known = slots
            .as_ref()
            .filter(|_| in_place || reason == Some(ReadOnlyReason::Copied));
        let rules = Rules {
            floor: known.map(|slots| slots.newest().unwrap_or(Signed::NOTHING)),
            older: known.and_then(SlotPair::older),
            tail: Tail::AsItStands,
            may_write: in_place,
            erased: &options.erased,
        };
        let mut found = recover(shared, rules)?;
        found.damage.extend(damage);
        let reader = LogReader::new(Arc::clone(shared));
        let newest_note = reader.newest_note()?;
        let kept = shared
            .positions
            .last_note_to(u64::MAX, found.notes)?
            .map_or(0, |at| at.size);
        let other_key = newest_note.is_some_and(|(_, note)| {
            SignedCheckpoint::open(&note, &shared.origin, &key.public()).is_err()
        });
        let held = found.tree.size();
        let state = match (reason, rules.floor) {
            (Some(reason), _) => OwnState::ReadOnly(reason),
            (None, _) if !found.damage.is_empty() => OwnState::Damaged(found.damage.clone()),
            (None, _) if other_key => OwnState::ReadOnly(ReadOnlyReason::OtherKey),
            (None, Some(Signed { size, root, .. })) if held < size => {
                OwnState::Behind { held, size, root }
            }
            (None, _) => OwnState::Ready,
        };
        Ok(Self {
            slots,
            found,
            state,
            kept,
        })
    }
}

impl StateFile {
    /// Opens signer state; makes it where neither it nor any entry is there yet.
    fn open(data: &DataDir, shared: &Shared) -> Result<Self, StoreError> {
        let (disk, path) = (data.disk(), data.path(SIGNER_STATE));
        let names = disk.list(&shared.directory)?;
        let has_log = names
            .iter()
            .any(|name| crate::segment::first_index(name).is_some());
        let (file, home) = match open_state(&**disk, &path, Open::Write) {
            Err(error) if error.is_not_found() && has_log => {
                let reason = Some(ReadOnlyReason::StateMissing);
                return Ok(Self {
                    slots: None,
                    reason,
                    damage: None,
                });
            }
            Err(error) if error.is_not_found() => {
                let mut slots = create_state(data, &shared.origin)?;
                slots.create(Signed::NOTHING)?;
                return Ok(Self {
                    slots: Some(slots),
                    reason: None,
                    damage: None,
                });
            }
            opened => opened?,
        };
        file.fdatasync()?;
        disk.fsync_dir(data.root())?;
        let origin = origin_hash(&shared.origin);
        let (mut slots, fault) = SlotPair::open(file, StateKind::Signer, 0, origin, home)?;
        // The power went before the first slot was ever written.
        if fault.is_some() && slots.is_blank()? && !has_log {
            slots.create(Signed::NOTHING)?;
            return Ok(Self {
                slots: Some(slots),
                reason: None,
                damage: None,
            });
        }
        let (reason, offset) = match fault {
            None => (None, None),
            Some(SlotFault::Damaged { offset }) => (None, Some(offset)),
            Some(SlotFault::Copied) => (Some(ReadOnlyReason::Copied), None),
            Some(SlotFault::OtherLog) => (Some(ReadOnlyReason::OtherLog), None),
        };
        let damage = offset.map(|offset| Damage {
            log: shared.origin.to_string(),
            index: slots.newest().map_or(0, |signed| signed.size),
            kind: DamageKind::Slot,
            segment: 0,
            offset,
        });
        Ok(Self {
            slots: Some(slots),
            reason,
            damage,
        })
    }
}

/// Makes the state file, with its name durable and nothing in it.
fn create_state(data: &DataDir, origin: &Origin) -> Result<SlotPair, DiskError> {
    let (file, home) = open_state(&**data.disk(), &data.path(SIGNER_STATE), Open::Create)?;
    file.truncate(0)?;
    data.disk().fsync_dir(data.root())?;
    let (slots, _) = SlotPair::open(file, StateKind::Signer, 0, origin_hash(origin), home)?;
    Ok(slots)
}
