//! Reading a log: entries, bodies, notes and proofs, never beyond what is committed.

use std::sync::Arc;

use tocsin_log::checkpoint::{Checkpoint, Origin};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::proof::{self, BuildError};
use tocsin_log::tree::position;

use crate::error::{Damage, DamageKind, Fault, Refusal, StoreError};
use crate::files::{Shared, View};
use crate::frame::{self, BodyState, FrameKind, HEADER_BYTES};
use crate::segment::FrameReader;

/// Leaf hashes read at once, to hold entries against.
const LEAVES_AT_ONCE: u64 = 256;

/// A view of one log, cheap to clone and free to share. What it shows only grows, but for a log
/// that was found damaged, behind or without its state: of that it shows the part that a kept note
/// vouches for.
#[derive(Clone, Debug)]
pub struct LogReader {
    shared: Arc<Shared>,
}

/// An entry with its bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its index.
    pub index: u64,
    /// The leaf's bytes.
    pub entry: Vec<u8>,
    /// The bodies that came with it, in their order; late ones are in [`crate::blobs::Blobs`].
    pub bodies: Vec<StoredBody>,
}

/// A body that came with its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBody {
    /// The digest it was stored under.
    pub digest: Hash,
    /// Its bytes, if it still has them.
    pub content: BodyContent,
}

/// What is left of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyContent {
    /// All of it, checked against the digest.
    Sound(Vec<u8>),
    /// Zeroed.
    Erased,
    /// Other bytes than the digest's: to be repaired or erased.
    Damaged,
}

/// Entries up to a note: what is sent to a follower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    /// The first entry's index.
    pub start: u64,
    /// The entries.
    pub entries: Vec<StoredEntry>,
    /// The log's note of size `start` + the number of entries.
    pub note: Vec<u8>,
}

/// How a checkpoint that somebody shows stands to what is committed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The same tree, at its size or smaller.
    Agrees,
    /// Of a size we do not have.
    Newer,
    /// Another root than ours at that size: the log has told two stories.
    OtherRoot,
}

impl LogReader {
    pub(crate) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whose log.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.shared.origin
    }

    /// Entries committed.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.shared.read_view(|view| view.size)
    }

    /// Size and root of what is committed.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        let (size, root) = self.shared.read_view(|view| (view.size, view.root));
        Checkpoint {
            origin: self.shared.origin.clone(),
            size,
            root,
        }
    }

    /// What was found damaged when the log was opened and is not yet repaired.
    #[must_use]
    pub fn damage(&self) -> Vec<Damage> {
        self.shared.read_view(|view| view.damage.clone())
    }

    /// An entry's bytes.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], [`Refusal::Damaged`], or a fault.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>, StoreError> {
        self.stored(index).map(|stored| stored.entry)
    }

    /// An entry with its bodies.
    ///
    /// # Errors
    /// As [`LogReader::entry`].
    pub fn stored(&self, index: u64) -> Result<StoredEntry, StoreError> {
        let size = self.check_index(index)?;
        let mut entries = self.read(index, size.min(index + 1), 0)?;
        entries
            .pop()
            .ok_or_else(|| Fault::Invariant("no entry was read").into())
    }

    /// Entries from `start` on, until `max_bytes` are reached: at least one, if there is one, and
    /// the last may go over; they do not cross a multiple of the segment's entries.
    ///
    /// # Errors
    /// As [`LogReader::entry`], but past the end is an empty answer.
    pub fn range(&self, start: u64, max_bytes: usize) -> Result<Vec<StoredEntry>, StoreError> {
        self.read(start, self.size(), max_bytes)
    }

    /// Entries from `start` to a note, as many whole batches as fit `max_bytes` of frames and at
    /// least one; they do not cross a multiple of the segment's entries. None when there is no note
    /// beyond `start` yet.
    ///
    /// # Errors
    /// As [`LogReader::entry`].
    pub fn batch(&self, start: u64, max_bytes: usize) -> Result<Option<StoredBatch>, StoreError> {
        let view = self.shared.view();
        let Some((least, _)) = self.note_from(&view, start.saturating_add(1))? else {
            return Ok(None);
        };
        let mut entries = self.read(start, view.size, max_bytes)?;
        let held = start + entries.len() as u64;
        if held < least {
            entries = self.read(start, least, usize::MAX)?;
        }
        // What is read may go over the bound by one entry; what is sent may not.
        let fits = least.max(start + count_within(&entries, max_bytes));
        let Some((end, note)) = self.note_to(&view, fits)?.filter(|(end, _)| *end >= least) else {
            return Err(Fault::Invariant("a batch does not end at a note").into());
        };
        entries.truncate(usize::try_from(end - start).unwrap_or(usize::MAX));
        Ok(Some(StoredBatch {
            start,
            entries,
            note,
        }))
    }

    /// The note of exactly this size.
    ///
    /// # Errors
    /// [`Refusal::NoNote`], or a fault.
    pub fn note_at(&self, size: u64) -> Result<Vec<u8>, StoreError> {
        match self.note_from(&self.shared.view(), size)? {
            Some((found, note)) if found == size => Ok(note),
            Some(_) | None => Err(Refusal::NoNote { size }.into()),
        }
    }

    /// The largest note and its size; none before the first.
    ///
    /// # Errors
    /// A fault.
    pub fn newest_note(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let view = self.shared.view();
        self.note_to(&view, view.size)
    }

    /// The smallest note that covers an entry, and its size; none while there is no such note.
    ///
    /// # Errors
    /// A fault.
    pub fn note_covering(&self, index: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.note_from(&self.shared.view(), index.saturating_add(1))
    }

    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], or a fault.
    pub fn root_at(&self, size: u64) -> Result<Hash, StoreError> {
        self.check_size(size)?;
        Ok(self.shared.tree_at(size)?.root())
    }

    /// The hash at a place of the flat hash file ([`tocsin_log::tree::position`]).
    ///
    /// # Errors
    /// A fault, also when the place is beyond the file.
    pub fn hash_at(&self, place: u64) -> Result<Hash, StoreError> {
        Ok(self.shared.positions.hash(place)?)
    }

    /// The leaf hash of an entry.
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], or a fault.
    pub fn leaf(&self, index: u64) -> Result<Hash, StoreError> {
        self.check_index(index)?;
        self.hash_at(position(0, index))
    }

    /// The proof that an entry is in the tree of `size` entries (RFC 6962 section 2.1.1).
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], or a fault.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, StoreError> {
        self.check_size(size)?;
        let proof = proof::inclusion(index, size, |place| self.shared.positions.hash(place));
        self.built(proof, index)
    }

    /// The proof that the tree of `new` entries begins with that of `old` (RFC 6962 section 2.1.2).
    ///
    /// # Errors
    /// [`Refusal::OutOfRange`], also for an `old` of 0 or above `new`; or a fault.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, StoreError> {
        self.check_size(new)?;
        let proof = proof::consistency(old, new, |place| self.shared.positions.hash(place));
        self.built(proof, old)
    }

    /// How a checkpoint of this log that somebody shows stands to what is committed here.
    ///
    /// # Errors
    /// A fault.
    pub fn compare(&self, size: u64, root: &Hash) -> Result<Standing, StoreError> {
        if size > self.size() {
            return Ok(Standing::Newer);
        }
        let same = self.shared.tree_at(size)?.root() == *root;
        Ok(if same {
            Standing::Agrees
        } else {
            Standing::OtherRoot
        })
    }

    fn built<T>(&self, proof: Result<T, BuildError<Fault>>, index: u64) -> Result<T, StoreError> {
        proof.map_err(|error| match error {
            BuildError::Bounds { .. } => Refusal::OutOfRange {
                index,
                size: self.size(),
            }
            .into(),
            BuildError::Read(fault) => fault.into(),
        })
    }

    fn check_index(&self, index: u64) -> Result<u64, Refusal> {
        let size = self.size();
        if index < size {
            Ok(size)
        } else {
            Err(Refusal::OutOfRange { index, size })
        }
    }

    fn check_size(&self, asked: u64) -> Result<(), Refusal> {
        let size = self.size();
        if asked <= size {
            Ok(())
        } else {
            Err(Refusal::OutOfRange { index: asked, size })
        }
    }

    /// Entries from `start` to before `end`, in one segment, until `max_bytes` are reached; at
    /// least one.
    fn read(&self, start: u64, end: u64, max_bytes: usize) -> Result<Vec<StoredEntry>, StoreError> {
        let segment = self.shared.segment_of(start);
        let end = end.min(segment.saturating_add(self.shared.segment_entries));
        if start >= end {
            return Ok(Vec::new());
        }
        let file = self.shared.segment(segment)?;
        let mut reader = FrameReader::new(&*file, self.shared.positions.entry(start)?, max_bytes)?;
        let (mut entries, mut bytes): (Vec<StoredEntry>, usize) = (Vec::new(), 0);
        let mut leaves = Vec::new().into_iter();
        loop {
            let next = start + entries.len() as u64;
            let offset = reader.offset;
            let damaged = || self.damaged(DamageKind::Entry, next, segment, offset);
            let frame = match frame::decode(reader.peek()?) {
                Ok(frame) => frame,
                Err(_) if next == end => break,
                Err(_) => return Err(damaged().into()),
            };
            let stored = frame.stored_bytes();
            match frame.kind {
                FrameKind::Entry if next == end || (next > start && bytes >= max_bytes) => break,
                FrameKind::Entry => {
                    let entry = frame.content.to_vec();
                    if leaves.len() == 0 {
                        let until = end.min(next.saturating_add(LEAVES_AT_ONCE));
                        leaves = self.shared.positions.leaves(next, until)?.into_iter();
                    }
                    if leaves.next() != Some(leaf_hash(&entry)) {
                        return Err(damaged().into());
                    }
                    entries.push(StoredEntry {
                        index: next,
                        entry,
                        bodies: Vec::new(),
                    });
                }
                FrameKind::Body => {
                    if let (Some(last), Some((digest, body))) = (entries.last_mut(), frame.body()) {
                        last.bodies.push(StoredBody {
                            digest,
                            content: content(&digest, body),
                        });
                    }
                }
                FrameKind::Note if next == end => break,
                FrameKind::Note => {}
            }
            bytes = bytes.saturating_add(stored);
            reader.skip(stored);
        }
        Ok(entries)
    }

    fn damaged(&self, kind: DamageKind, index: u64, segment: u64, offset: u64) -> Damage {
        Damage {
            log: self.shared.origin.to_string(),
            index,
            kind,
            segment,
            offset,
        }
    }

    /// The first note of at least this size that is committed.
    fn note_from(&self, view: &View, size: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        if size > view.size {
            return Ok(None);
        }
        if let Some(at) = self.shared.positions.first_note_from(size, view.notes)? {
            return self.read_note(at.size, at.offset).map(Some);
        }
        let recent = view.recent.iter().find(|(found, _)| *found >= size);
        Ok(recent.map(|(found, note)| (*found, note.to_vec())))
    }

    /// The last note of at most this size.
    fn note_to(&self, view: &View, size: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        if let Some((found, note)) = view.recent.iter().rfind(|(found, _)| *found <= size) {
            return Ok(Some((*found, note.to_vec())));
        }
        match self
            .shared
            .positions
            .last_note_to(size.min(view.size), view.notes)?
        {
            Some(at) => self.read_note(at.size, at.offset).map(Some),
            None => Ok(None),
        }
    }

    fn read_note(&self, size: u64, offset: u64) -> Result<(u64, Vec<u8>), StoreError> {
        let segment = self.shared.segment_of(size.saturating_sub(1));
        let file = self.shared.segment(segment)?;
        let mut reader = FrameReader::new(&*file, offset, 0)?;
        match frame::decode(reader.peek()?) {
            Ok(frame) if frame.kind == FrameKind::Note => Ok((size, frame.content.to_vec())),
            Ok(_) | Err(_) => Err(self.damaged(DamageKind::Note, size, segment, offset).into()),
        }
    }
}

/// How many of the first entries fit so many bytes of frames together.
fn count_within(entries: &[StoredEntry], max_bytes: usize) -> u64 {
    let mut left = max_bytes;
    let fits = |stored: &&StoredEntry| {
        let bodies = stored.bodies.iter().map(|body| match &body.content {
            BodyContent::Sound(bytes) => HEADER_BYTES + Hash::LEN + bytes.len(),
            BodyContent::Erased | BodyContent::Damaged => 0,
        });
        let bytes = HEADER_BYTES + stored.entry.len() + bodies.sum::<usize>();
        match left.checked_sub(bytes) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        }
    };
    entries.iter().take_while(fits).count() as u64
}

fn content(digest: &Hash, bytes: &[u8]) -> BodyContent {
    match frame::body_state(digest, bytes) {
        BodyState::Sound => BodyContent::Sound(bytes.to_vec()),
        BodyState::Zeroed => BodyContent::Erased,
        BodyState::Damaged => BodyContent::Damaged,
    }
}
