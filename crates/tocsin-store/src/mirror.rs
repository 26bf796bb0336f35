//! The verified copy of another member's log, and the state that our cosignatures on it rest on.
//!
//! Entries and the origin's note in one write, flush, mirror slot, flush; then the caller cosigns,
//! with the time that stands in the slot. A tail without its note was never cosigned and is cut at
//! the next start.

use std::sync::{Arc, Mutex, PoisonError};

use tocsin_log::checkpoint::{Origin, SignedCheckpoint};
use tocsin_log::cosign::Cosigned;
use tocsin_log::hash::Hash;
use tocsin_log::key::PublicKey;
use tocsin_log::tree::Tree;

use crate::batch::Batch;
use crate::data_dir::DataDir;
use crate::disk::{DiskFile, Open};
use crate::error::{Damage, DamageKind, Refusal, StoreError};
use crate::files::{Appender, Frames, OpenOptions, Shared, Steps};
use crate::own::origin_hash;
use crate::reader::LogReader;
use crate::recover::{Cut, Recovered, Rules, Tail, recover};
use crate::repair::{Repair, RepairEntry, Wanted};
use crate::slots::{
    Home, MAX_MIRRORED_LOGS, SLOT_BLOCK_BYTES, Signed, SlotFault, SlotPair, StateKind, open_state,
    origin_at,
};

/// Mirror state stands in this file of the data directory.
const MIRROR_STATE: &str = "mirror.state";
const MIRROR_STEPS: Steps = Steps {
    begin: "mirror.begin",
    written: "mirror.frames-written",
    flushed: "mirror.frames-flushed",
    directory: "mirror.directory-flushed",
};

/// The state file that all mirrored logs share; each has two slots of its own in it.
#[derive(Clone, Debug)]
pub struct MirrorStates {
    file: Arc<dyn DiskFile>,
    home: Home,
    /// Held while a new pair of slots is made.
    pairs: Arc<Mutex<u64>>,
}

/// A mirrored log, open.
#[derive(Debug)]
pub struct MirrorLog {
    states: MirrorStates,
    options: OpenOptions,
    key: PublicKey,
    appender: Appender,
    slots: Option<SlotPair>,
    state: MirrorState,
    cut: Option<Cut>,
}

/// What can be done with a mirrored log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MirrorState {
    /// It is whole.
    Ready,
    /// We cosigned more than the segments hold: fetch up to `size`.
    Behind {
        /// Entries held.
        held: u64,
        /// What was cosigned.
        size: u64,
        /// Its root.
        root: Hash,
    },
    /// It is served, and neither grows nor is cosigned.
    ReadOnly(MirrorReadOnly),
    /// What was stored is not what is there.
    Damaged(Vec<Damage>),
}

/// Why a mirrored log neither grows nor is cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MirrorReadOnly {
    /// There are entries, and no slots that say how far they were cosigned.
    #[error(
        "mirror.state says nothing of this log: nobody knows what was cosigned. Put back the file \
         that belongs to it (never one from a backup), or ask the members for our newest \
         cosignature and take the log over"
    )]
    StateMissing,
    /// The directory is a copy, or was moved.
    #[error(
        "this data directory is a copy, or was moved to another machine or file system: the \
         original may still be cosigning. Make sure that it is gone for good, then take this one \
         over"
    )]
    Copied,
}

impl MirrorStates {
    /// Opens the state file, making it where there is none.
    ///
    /// # Errors
    /// A fault.
    pub fn open(data: &DataDir) -> Result<Self, StoreError> {
        let (file, home) = open_state(&**data.disk(), &data.path(MIRROR_STATE), Open::Create)?;
        file.fdatasync()?;
        data.disk().fsync_dir(data.root())?;
        let pairs = file.len()?.div_ceil(2 * SLOT_BLOCK_BYTES);
        Ok(Self {
            file,
            home,
            pairs: Arc::new(Mutex::new(pairs)),
        })
    }

    /// The slots of a log; with `create`, new ones where it has none.
    fn pair(
        &self,
        origin: Hash,
        create: bool,
    ) -> Result<Option<(SlotPair, Option<SlotFault>)>, StoreError> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |block| {
            SlotPair::open(
                Arc::clone(&self.file),
                StateKind::Mirror,
                block,
                origin,
                self.home,
            )
        };
        for pair in 0..*pairs {
            if origin_at(&*self.file, StateKind::Mirror, 2 * pair)? == Some(origin) {
                return Ok(Some(open(2 * pair)?));
            }
        }
        if !create {
            return Ok(None);
        }
        if *pairs >= MAX_MIRRORED_LOGS {
            return Err(Refusal::TooManyLogs.into());
        }
        let (mut slots, _) = open(2 * *pairs)?;
        slots.create(Signed::NOTHING)?;
        *pairs += 1;
        Ok(Some((slots, None)))
    }
}

impl MirrorLog {
    /// Opens the copy of `origin`'s log, whose log key is `key`, whatever happened to it.
    ///
    /// # Errors
    /// [`Refusal::TooManyLogs`], or a fault.
    pub fn open(
        data: &DataDir,
        states: &MirrorStates,
        origin: &Origin,
        key: PublicKey,
        options: OpenOptions,
    ) -> Result<Self, StoreError> {
        let shared = Shared::open(data.disk(), &data.path("log"), origin, &options)?;
        let opened = Opened::take(states, &shared, &key, &options)?;
        let Recovered {
            tree,
            end,
            notes,
            cut,
            ..
        } = opened.found;
        let failpoints = options.failpoints.clone();
        let appender = Appender {
            shared,
            tree,
            end,
            notes,
            failpoints,
            steps: MIRROR_STEPS,
        };
        let (states, slots, state) = (states.clone(), opened.slots, opened.state);
        Ok(Self {
            states,
            options,
            key,
            appender,
            slots,
            state,
            cut,
        })
    }

    /// What can be done with it.
    #[must_use]
    pub const fn state(&self) -> &MirrorState {
        &self.state
    }

    /// The torn tail that was cut at the last opening.
    #[must_use]
    pub const fn cut(&self) -> Option<Cut> {
        self.cut
    }

    /// A reader of what is stored.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader::new(Arc::clone(&self.appender.shared))
    }

    /// The tree over all entries held, for a [`tocsin_log::follower::Follower`] to go on from.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.appender.tree
    }

    /// What was last cosigned, or may have been, for a [`tocsin_log::cosign::Cosigner`] to go on
    /// from.
    #[must_use]
    pub fn cosigned(&self) -> Option<Cosigned> {
        let signed = self.slots.as_ref()?.newest()?;
        (signed.size > 0).then(|| cosigned(signed))
    }

    /// An empty batch behind everything held.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(
            self.appender.tree.size(),
            self.appender.shared.segment_entries,
        )
    }

    /// Stores a batch with the note that its origin signed for it, then the state. When this
    /// returns the note may be cosigned, with the time returned: `now`, in seconds since 1970, or
    /// the last one if that is later.
    ///
    /// # Errors
    /// [`Refusal::NotReady`], [`Refusal::EmptyBatch`], [`Refusal::NotNext`], [`Refusal::OtherRoot`]
    /// when the note is not of exactly these entries, [`Refusal::DiskFull`] (nothing was taken); or
    /// a fault.
    pub fn commit(
        &mut self,
        batch: &Batch,
        note: &SignedCheckpoint,
        now: u64,
    ) -> Result<Cosigned, StoreError> {
        if self.state != MirrorState::Ready {
            return Err(Refusal::NotReady.into());
        }
        if batch.is_empty() {
            return Err(Refusal::EmptyBatch.into());
        }
        let expected = self.appender.tree.size();
        if batch.start != expected {
            return Err(Refusal::NotNext {
                expected,
                found: batch.start,
            }
            .into());
        }
        let checkpoint = note.checkpoint();
        let grown = batch.frames.grown(&self.appender.tree);
        let same = checkpoint.origin == self.appender.shared.origin
            && checkpoint.size == grown.tree.size()
            && checkpoint.root == grown.tree.root();
        if !same {
            return Err(Refusal::OtherRoot {
                size: checkpoint.size,
            }
            .into());
        }
        let mut frames = Frames::default();
        frames.extend(&batch.frames);
        frames.note(grown.tree.size(), &note.own_note().to_bytes());
        let shared = Arc::clone(&self.appender.shared);
        shared.guarded(|| {
            self.appender.append_grown(&frames, grown)?;
            self.settle_state(now)
        })
    }

    /// After a start: where the segments hold more than the state says, for the power went between
    /// the two, brings the state up. The note may then be cosigned as after [`MirrorLog::commit`].
    ///
    /// # Errors
    /// [`Refusal::NotReady`], or a fault.
    pub fn settle(&mut self, now: u64) -> Result<Option<Cosigned>, StoreError> {
        if self.state != MirrorState::Ready {
            return Err(Refusal::NotReady.into());
        }
        let known = self
            .slots
            .as_ref()
            .and_then(SlotPair::newest)
            .unwrap_or(Signed::NOTHING);
        if known.size == self.appender.tree.size() {
            return Ok(None);
        }
        let shared = Arc::clone(&self.appender.shared);
        shared.guarded(|| self.settle_state(now)).map(Some)
    }

    fn settle_state(&mut self, now: u64) -> Result<Cosigned, StoreError> {
        let invariant = crate::error::Fault::Invariant("a log that is ready has slots");
        let slots = self.slots.as_mut().ok_or(invariant)?;
        let last = slots.newest().unwrap_or(Signed::NOTHING);
        let (size, root) = (self.appender.tree.size(), self.appender.tree.root());
        let signed = Signed {
            size,
            root,
            time: now.max(last.time),
        };
        slots.write(signed)?;
        self.appender.failpoints.hit("mirror.slot-written");
        slots.flush()?;
        self.appender.failpoints.hit("mirror.slot-flushed");
        let notes = self.appender.notes;
        self.appender.shared.change_view(|view| {
            (view.size, view.root, view.notes) = (size, root, notes);
        });
        Ok(cosigned(signed))
    }

    /// Zeroes a body in place. Its erasure must be on record in the local log already.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], [`Refusal::NoBody`], or a fault.
    pub fn erase_body(&mut self, index: u64, digest: &Hash) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.appender.shared);
        shared.guarded(|| shared.erase_body(index, digest, &self.options.failpoints))
    }

    /// As [`crate::own_log::OwnLog::wanted`].
    #[must_use]
    pub fn wanted(&self) -> Option<Wanted> {
        self.repair_of()?.wanted()
    }

    /// As [`crate::own_log::OwnLog::repair`]; the note of size `until` must be among those given,
    /// unless the segment still has it.
    ///
    /// # Errors
    /// As [`crate::own_log::OwnLog::repair`].
    pub fn repair(
        &mut self,
        entries: &[RepairEntry],
        notes: &[Vec<u8>],
    ) -> Result<&MirrorState, StoreError> {
        let repair = self.repair_of().ok_or(Refusal::NotReady)?;
        self.appender
            .shared
            .guarded(|| repair.run(entries, notes))?;
        self.take_up()
    }

    /// Writes slots anew that are damaged, missing or those of a copy. `shown` is our newest
    /// cosignature on this log that any other member has seen: all of them must have been asked.
    /// For a copy or a missing state an operator answers that no other process cosigns. `now` is in
    /// seconds since 1970.
    ///
    /// # Errors
    /// [`Refusal::NotReady`] when the slots are sound; or a fault.
    pub fn repair_state(
        &mut self,
        shown: Option<Cosigned>,
        now: u64,
    ) -> Result<&MirrorState, StoreError> {
        let is_slot = |damage: &Damage| damage.kind == DamageKind::Slot;
        match &self.state {
            MirrorState::ReadOnly(_) => {}
            MirrorState::Damaged(damage) if damage.iter().any(is_slot) => {}
            MirrorState::Ready | MirrorState::Behind { .. } | MirrorState::Damaged(_) => {
                return Err(Refusal::NotReady.into());
            }
        }
        let checkpoint = self.reader().checkpoint();
        let held = (checkpoint.size, checkpoint.root);
        let shown_size = shown.map(|shown| (shown.size, shown.root));
        let all = [
            self.cosigned().map(|own| (own.size, own.root)),
            shown_size,
            Some(held),
        ];
        let most = all.into_iter().flatten().max_by_key(|(size, _)| *size);
        let (size, root) = most.unwrap_or(held);
        let times = [self.cosigned(), shown]
            .into_iter()
            .flatten()
            .map(|cosigned| cosigned.time);
        let signed = Signed {
            size,
            root,
            time: times.fold(now, u64::max),
        };
        let shared = Arc::clone(&self.appender.shared);
        shared.guarded(|| {
            let slots = match self.slots.take() {
                Some(slots) => Some(slots),
                None => self
                    .states
                    .pair(origin_hash(&shared.origin), true)?
                    .map(|pair| pair.0),
            };
            if let Some(mut slots) = slots {
                slots.create(signed)?;
            }
            Ok(())
        })?;
        self.take_up()
    }

    fn repair_of(&self) -> Option<Repair<'_>> {
        let damage = match &self.state {
            MirrorState::Damaged(damage) => damage.as_slice(),
            MirrorState::Behind { .. } => &[],
            MirrorState::Ready | MirrorState::ReadOnly(_) => return None,
        };
        Some(Repair {
            shared: &self.appender.shared,
            key: self.key,
            floor: self.slots.as_ref()?.newest()?,
            damage,
            held: self.appender.tree.size(),
            erased: &self.options.erased,
            needs_note: true,
        })
    }

    fn take_up(&mut self) -> Result<&MirrorState, StoreError> {
        let shared = Arc::clone(&self.appender.shared);
        let opened =
            shared.guarded(|| Opened::take(&self.states, &shared, &self.key, &self.options))?;
        let Recovered {
            tree,
            end,
            notes,
            cut,
            ..
        } = opened.found;
        (self.appender.tree, self.appender.end, self.appender.notes) = (tree, end, notes);
        (self.slots, self.state, self.cut) = (opened.slots, opened.state, cut.or(self.cut));
        Ok(&self.state)
    }
}

const fn cosigned(signed: Signed) -> Cosigned {
    Cosigned {
        size: signed.size,
        root: signed.root,
        time: signed.time,
    }
}

/// A mirrored log as it was found.
struct Opened {
    slots: Option<SlotPair>,
    found: Recovered,
    state: MirrorState,
}

impl Opened {
    fn take(
        states: &MirrorStates,
        shared: &Arc<Shared>,
        key: &PublicKey,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let names = shared.disk.list(&shared.directory)?;
        let is_new = names
            .iter()
            .all(|name| crate::segment::first_index(name).is_none());
        let (slots, fault) = match states.pair(origin_hash(&shared.origin), is_new)? {
            Some((slots, fault)) => (Some(slots), fault),
            None => (None, None),
        };
        let reason = match (&slots, fault) {
            (None, _) => Some(MirrorReadOnly::StateMissing),
            (Some(_), Some(SlotFault::Copied)) => Some(MirrorReadOnly::Copied),
            (Some(_), _) => None,
        };
        let damage = Self::slot_damage(shared, slots.as_ref(), fault);
        let in_place = reason.is_none() && damage.is_none();
        let readable = in_place || reason == Some(MirrorReadOnly::Copied);
        let known = slots.as_ref().filter(|_| readable);
        let rules = Rules {
            floor: known.map(|slots| slots.newest().unwrap_or(Signed::NOTHING)),
            older: known.and_then(SlotPair::older),
            tail: Tail::ToLastNote,
            may_write: in_place,
            erased: &options.erased,
        };
        let mut found = recover(shared, rules)?;
        found.damage.extend(damage);
        Self::check_last_note(shared, key, &mut found)?;
        let held = found.tree.size();
        let state = match (reason, rules.floor) {
            (Some(reason), _) => MirrorState::ReadOnly(reason),
            (None, _) if !found.damage.is_empty() => MirrorState::Damaged(found.damage.clone()),
            (None, Some(Signed { size, root, .. })) if held < size => {
                MirrorState::Behind { held, size, root }
            }
            (None, _) => MirrorState::Ready,
        };
        Ok(Self {
            slots,
            found,
            state,
        })
    }

    fn slot_damage(
        shared: &Shared,
        slots: Option<&SlotPair>,
        fault: Option<SlotFault>,
    ) -> Option<Damage> {
        let offset = match fault {
            Some(SlotFault::Damaged { offset }) => offset,
            Some(SlotFault::Copied | SlotFault::OtherLog) | None => return None,
        };
        let index = slots
            .and_then(SlotPair::newest)
            .map_or(0, |signed| signed.size);
        let log = shared.origin.to_string();
        Some(Damage {
            log,
            index,
            kind: DamageKind::Slot,
            segment: 0,
            offset,
        })
    }

    /// The last note must be its origin's: it is what everything above the state rests on.
    fn check_last_note(
        shared: &Arc<Shared>,
        key: &PublicKey,
        found: &mut Recovered,
    ) -> Result<(), StoreError> {
        let reader = LogReader::new(Arc::clone(shared));
        let Some((size, note)) = reader.newest_note()? else {
            return Ok(());
        };
        if SignedCheckpoint::open(&note, &shared.origin, key).is_err() {
            let at = shared.positions.last_note_to(size, found.notes)?;
            found.damage.push(Damage {
                log: shared.origin.to_string(),
                index: size,
                kind: DamageKind::Note,
                segment: shared.segment_of(size.saturating_sub(1)),
                offset: at.map_or(0, |at| at.offset),
            });
        }
        Ok(())
    }
}
