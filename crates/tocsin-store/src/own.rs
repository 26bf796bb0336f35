//! Our own log: the one writer, and the order in which a commit becomes true.
//!
//! Frames, flush, signer slot, flush, signature, answer. If the power goes after the first flush,
//! the segment is ahead of the state: nothing was answered, and the entries are signed as they
//! stand. If it goes after the second, the state says what may have been signed, and signing it
//! again gives the same bytes, for Ed25519 is deterministic. The note of a batch therefore rides in
//! the next write; until then it is signed again at each start. A slot is used again only when the
//! note of what it held stands flushed in a segment.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use tocsin_log::checkpoint::{Checkpoint, Origin};
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;

use crate::batch::{Batch, room};
use crate::error::{Fault, Refusal, StopReason, StoreError};
use crate::files::{Appender, Frames, Shared, Steps};
use crate::slots::{Signed, SlotPair};

pub(crate) const OWN_STEPS: Steps = Steps {
    begin: "own.begin",
    written: "own.frames-written",
    flushed: "own.frames-flushed",
    directory: "own.directory-flushed",
};

/// A note's bytes with the size it is of.
type SizedNote = (u64, Arc<[u8]>);

/// A batch that is durable and signed: its receipts may leave the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The index of its first entry.
    pub first: u64,
    /// The log's size with it.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// The signed note's bytes.
    pub note: Vec<u8>,
}

/// A batch that is durable and not yet signed. The [`OwnSigner`] takes each, in order.
#[derive(Debug)]
#[must_use]
pub struct Written {
    first: u64,
    size: u64,
    root: Hash,
}

/// Whether our log may be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Not yet since the start: the other members have not been asked.
    NotYet,
    /// Yes.
    Allowed,
    /// Not again in this generation and process.
    Stopped(StopReason),
}

/// The switch on signing, to be held by whoever learns that it must end.
#[derive(Clone, Debug)]
pub struct SigningGuard(Arc<Mutex<Signing>>);

impl SigningGuard {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Signing::NotYet)))
    }

    /// Ends signing. The first reason stays.
    pub fn stop(&self, reason: StopReason) {
        let mut signing = self.lock();
        match *signing {
            Signing::NotYet | Signing::Allowed => *signing = Signing::Stopped(reason),
            Signing::Stopped(_) => {}
        }
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> Signing {
        *self.lock()
    }

    pub(crate) fn allow(&self) -> Result<(), Refusal> {
        let mut signing = self.lock();
        match *signing {
            Signing::NotYet | Signing::Allowed => {
                *signing = Signing::Allowed;
                Ok(())
            }
            Signing::Stopped(reason) => Err(Refusal::Stopped(reason)),
        }
    }

    fn check(&self) -> Result<(), Refusal> {
        match self.status() {
            Signing::NotYet => Err(Refusal::NotAllowed),
            Signing::Allowed => Ok(()),
            Signing::Stopped(reason) => Err(Refusal::Stopped(reason)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Signing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What writer and signer tell each other.
#[derive(Debug, Default)]
pub(crate) struct Pipe {
    state: Mutex<PipeState>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct PipeState {
    /// Batches written and not signed.
    unsigned: u64,
    /// Notes signed and in no segment yet; sizes ascend.
    waiting: Vec<SizedNote>,
    /// The size of the largest note that stands flushed in a segment.
    kept: u64,
    closed: bool,
}

impl Pipe {
    pub(crate) fn new(kept: u64) -> Arc<Self> {
        let state = PipeState {
            kept,
            ..PipeState::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
            moved: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }
}

/// The half that writes and flushes segments. One batch may be on its way to the signer while the
/// next is written; a third waits.
#[derive(Debug)]
pub struct OwnWriter {
    pub(crate) appender: Appender,
    pub(crate) pipe: Arc<Pipe>,
    pub(crate) guard: SigningGuard,
}

impl OwnWriter {
    /// An empty batch behind everything written so far.
    #[must_use]
    pub fn batch(&self) -> Batch {
        Batch::new(
            self.appender.tree.size(),
            self.appender.shared.segment_entries,
        )
    }

    /// Makes a batch durable. With one batch unsigned this returns when the segment is flushed;
    /// with two it first waits for the signer, and at the start of a segment it waits until all is
    /// signed.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`], [`Refusal::Stopped`], [`Refusal::EmptyBatch`],
    /// [`Refusal::NotNext`], [`Refusal::DiskFull`] (nothing was taken); or a fault, and the process
    /// must end.
    pub fn write(&mut self, batch: &Batch) -> Result<Written, StoreError> {
        self.guard.check()?;
        let expected = self.appender.tree.size();
        if batch.is_empty() {
            return Err(Refusal::EmptyBatch.into());
        }
        if batch.start != expected {
            return Err(Refusal::NotNext {
                expected,
                found: batch.start,
            }
            .into());
        }
        let shared = Arc::clone(&self.appender.shared);
        let written = shared.guarded(|| self.write_frames(&batch.frames));
        if let Err(StoreError::Fault(_)) = &written {
            self.pipe.close();
        }
        written
    }

    /// Zeroes a body in place. Its erasure must be on record in the local log already.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], [`Refusal::NoBody`], or a fault.
    pub fn erase_body(&mut self, index: u64, digest: &Hash) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.appender.shared);
        shared.guarded(|| shared.erase_body(index, digest, &self.appender.failpoints))
    }

    fn write_frames(&mut self, frames: &Frames) -> Result<Written, StoreError> {
        let first = self.appender.tree.size();
        let opens_segment = first.is_multiple_of(self.appender.shared.segment_entries);
        let notes = self.wait_for_notes(if opens_segment { 0 } else { 1 })?;
        if opens_segment {
            self.append_notes(&notes)?;
            self.appender.append(frames)?;
        } else {
            let mut all = note_frames(&notes);
            all.extend(frames);
            self.appender.append(&all)?;
            self.keep(&notes);
        }
        self.pipe.lock().unsigned += 1;
        let tree = &self.appender.tree;
        Ok(Written {
            first,
            size: tree.size(),
            root: tree.root(),
        })
    }

    /// Waits until no more than `most` batches are unsigned, and says which notes the next write
    /// carries.
    fn wait_for_notes(&self, most: u64) -> Result<Vec<SizedNote>, Fault> {
        let mut state = self.pipe.lock();
        while state.unsigned > most && !state.closed {
            state = self
                .pipe
                .moved
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            Err(Fault::Poisoned)
        } else {
            Ok(state.waiting.clone())
        }
    }

    /// Writes notes by themselves: the last of a full segment, or those signed after a start.
    fn append_notes(&mut self, notes: &[SizedNote]) -> Result<(), StoreError> {
        if !notes.is_empty() {
            self.appender.append(&note_frames(notes))?;
            self.keep(notes);
        }
        Ok(())
    }

    /// Notes stand flushed in a segment from now on.
    fn keep(&self, notes: &[SizedNote]) {
        let Some((last, _)) = notes.last() else {
            return;
        };
        let mut state = self.pipe.lock();
        state.waiting.retain(|(size, _)| size > last);
        state.kept = state.kept.max(*last);
        let count = self.appender.notes;
        self.appender.shared.change_view(|view| {
            view.notes = count;
            view.recent.retain(|(size, _)| size > last);
        });
    }
}

fn note_frames(notes: &[SizedNote]) -> Frames {
    let mut frames = Frames::default();
    for (size, note) in notes {
        frames.note(*size, note);
    }
    frames
}

/// The half that writes and flushes the signer's state, and signs.
pub struct OwnSigner {
    pub(crate) shared: Arc<Shared>,
    /// None where the state file is missing; then nothing is ever signed.
    pub(crate) slots: Option<SlotPair>,
    pub(crate) key: SigningKey,
    pub(crate) pipe: Arc<Pipe>,
    pub(crate) guard: SigningGuard,
    pub(crate) failpoints: crate::failpoint::Failpoints,
}

impl std::fmt::Debug for OwnSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnSigner")
            .field("origin", &self.shared.origin)
            .finish_non_exhaustive()
    }
}

impl OwnSigner {
    /// Signs a batch once the state that says so is durable. After this its receipts may leave.
    ///
    /// # Errors
    /// [`Refusal::Stopped`]; or a fault, and the process must end.
    pub fn sign(&mut self, written: Written) -> Result<Committed, StoreError> {
        self.guard.check()?;
        let shared = Arc::clone(&self.shared);
        let signed = shared.guarded(|| self.sign_durably(&written));
        match &signed {
            Ok(_) => self.pipe.lock().unsigned -= 1,
            Err(_) => self.pipe.lock().closed = true,
        }
        self.pipe.moved.notify_all();
        signed
    }

    fn sign_durably(&mut self, written: &Written) -> Result<Committed, StoreError> {
        let Written { first, size, root } = *written;
        let slots = self
            .slots
            .as_mut()
            .ok_or(Fault::Invariant("there is no state to sign by"))?;
        let newest = slots.newest().unwrap_or(Signed::NOTHING);
        if newest.size != first || size <= first {
            return Err(Fault::Invariant("batches are signed in their order").into());
        }
        if slots
            .replaced_next()
            .is_some_and(|old| old.size > self.pipe.lock().kept)
        {
            return Err(Fault::Invariant("a slot is used again before its note is kept").into());
        }
        slots.write(Signed {
            size,
            root,
            time: 0,
        })?;
        self.failpoints.hit("own.slot-written");
        slots.flush()?;
        self.failpoints.hit("own.slot-flushed");
        let note = self.sign_note(size, root)?;
        self.failpoints.hit("own.signed");
        self.shared.change_view(|view| {
            view.size = size;
            view.root = root;
        });
        Ok(Committed {
            first,
            size,
            root,
            note: note.to_vec(),
        })
    }

    /// Signs what the state says may be signed; the note waits for the next write.
    fn sign_note(&self, size: u64, root: Hash) -> Result<Arc<[u8]>, Fault> {
        let checkpoint = Checkpoint {
            origin: self.shared.origin.clone(),
            size,
            root,
        };
        let note = checkpoint.sign(&self.key);
        let note =
            note.map_err(|_| Fault::Invariant("the state holds a size that is not signed"))?;
        let note: Arc<[u8]> = note.to_bytes().into();
        self.pipe.lock().waiting.push((size, Arc::clone(&note)));
        self.shared
            .change_view(|view| view.recent.push((size, Arc::clone(&note))));
        Ok(note)
    }
}

/// The two halves of an open log as one.
pub(crate) struct Halves<'a> {
    pub(crate) writer: &'a mut OwnWriter,
    pub(crate) signer: &'a mut OwnSigner,
}

impl Halves<'_> {
    /// Signs again what the state says was signed and no segment has the note of; then what stands
    /// in the segments above the state, as it stands, in batches under the limits of FORMATS.md 4.
    pub(crate) fn catch_up(&mut self, tail: &[(u64, u64)]) -> Result<Vec<Committed>, StoreError> {
        let shared = Arc::clone(&self.signer.shared);
        shared.guarded(|| {
            self.sign_again()?;
            self.sign_tail(tail)
        })
    }

    fn sign_again(&mut self) -> Result<(), StoreError> {
        let slots = self
            .signer
            .slots
            .as_ref()
            .ok_or(Fault::Invariant("there is no state"))?;
        let mut last = self.signer.pipe.lock().kept;
        for signed in [slots.older(), slots.newest()].into_iter().flatten() {
            if signed.size > last {
                self.signer.sign_note(signed.size, signed.root)?;
                last = signed.size;
            }
        }
        Ok(())
    }

    fn sign_tail(&mut self, tail: &[(u64, u64)]) -> Result<Vec<Committed>, StoreError> {
        let shared = Arc::clone(&self.signer.shared);
        let mut committed = Vec::new();
        let mut rest = tail;
        while let Some((first, _)) = rest.first().copied() {
            let most = usize::try_from(room(first, shared.segment_entries)).unwrap_or(usize::MAX);
            let mut bytes = 0;
            let fits = |(_, stored): &&(u64, u64)| {
                bytes += stored;
                bytes <= tocsin_log::follower::MAX_BATCH_BYTES as u64
            };
            let count = rest.iter().take(most).take_while(fits).count().max(1);
            let size = first + count as u64;
            let root = shared.tree_at(size)?.root();
            // Both slots are about to be used again, so no note may be left waiting.
            let waiting = self.writer.wait_for_notes(0)?;
            self.writer.append_notes(&waiting)?;
            committed.push(self.signer.sign_durably(&Written { first, size, root })?);
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(committed)
    }
}

/// The hash that names a log in its slots.
pub(crate) fn origin_hash(origin: &Origin) -> Hash {
    Hash::of(origin.to_string().as_bytes())
}
