//! The files of one log, as its writer and its readers share them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tocsin_log::checkpoint::Origin;
use tocsin_log::follower::SEGMENT_ENTRIES;
use tocsin_log::hash::Hash;
use tocsin_log::tree::{Tree, stored_count};

use crate::disk::{Disk, DiskError, DiskFile, Open};
use crate::error::{Damage, Fault, Refusal, StoreError};
use crate::failpoint::Failpoints;
use crate::frame::{self, FrameKind};
use crate::positions::{NoteAt, Positions};
use crate::segment::{self, FrameReader};

/// The most segment files a log keeps open for its readers.
const MAX_OPEN_SEGMENTS: usize = 16;

/// How a log is opened.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Entries in a segment: [`SEGMENT_ENTRIES`], and smaller only in tests. It is not stored.
    pub segment_entries: u64,
    /// Called at each step of a commit.
    pub failpoints: Failpoints,
    /// The bodies whose erasure is on record in the local log. Where one is not all zero yet, the
    /// erasure is finished; a zeroed body that is not among them is damage.
    pub erased: BTreeSet<Hash>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            segment_entries: SEGMENT_ENTRIES,
            failpoints: Failpoints::default(),
            erased: BTreeSet::new(),
        }
    }
}

/// What the writer and the readers of one log share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) directory: PathBuf,
    pub(crate) origin: Origin,
    pub(crate) segment_entries: u64,
    pub(crate) positions: Positions,
    view: RwLock<View>,
    open_segments: Mutex<BTreeMap<u64, Arc<dyn DiskFile>>>,
    poisoned: AtomicBool,
}

/// What readers may see.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    /// Notes in the position file.
    pub(crate) notes: u64,
    /// Notes that are signed but stand in no segment yet; sizes ascend, at most three.
    pub(crate) recent: Vec<(u64, Arc<[u8]>)>,
    pub(crate) damage: Vec<Damage>,
}

impl Shared {
    /// Opens the directory of a log below `parent`, making it if need be.
    pub(crate) fn open(
        disk: &Arc<dyn Disk>,
        parent: &Path,
        origin: &Origin,
        options: &OpenOptions,
    ) -> Result<Arc<Self>, DiskError> {
        let directory = parent.join(origin.file_name());
        disk.create_dir(&directory)?;
        disk.fsync_dir(parent)?;
        let positions = Positions::open(&**disk, &directory)?;
        let empty = Tree::new();
        let view = View {
            size: 0,
            root: empty.root(),
            notes: 0,
            recent: Vec::new(),
            damage: Vec::new(),
        };
        Ok(Arc::new(Self {
            disk: Arc::clone(disk),
            directory,
            origin: origin.clone(),
            segment_entries: options.segment_entries.max(1),
            positions,
            view: RwLock::new(view),
            open_segments: Mutex::default(),
            poisoned: AtomicBool::new(false),
        }))
    }

    pub(crate) fn view(&self) -> View {
        self.view
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn read_view<T>(&self, read: impl FnOnce(&View) -> T) -> T {
        read(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_view(&self, change: impl FnOnce(&mut View)) {
        change(&mut self.view.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// After a fault nothing in memory is relied on any more.
    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::SeqCst);
    }

    pub(crate) fn check_poison(&self) -> Result<(), Fault> {
        if self.poisoned.load(Ordering::SeqCst) {
            Err(Fault::Poisoned)
        } else {
            Ok(())
        }
    }

    /// Runs a step that writes; a fault in it poisons the log.
    pub(crate) fn guarded<T>(
        &self,
        step: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.check_poison()?;
        let done = step();
        if let Err(StoreError::Fault(_)) = &done {
            self.poison();
        }
        done
    }

    /// The first index of the segment that `index` lies in.
    pub(crate) const fn segment_of(&self, index: u64) -> u64 {
        index - index % self.segment_entries
    }

    pub(crate) fn segment_path(&self, first: u64) -> PathBuf {
        self.directory.join(segment::file_name(first))
    }

    /// A segment, opened for reading and writing and kept open.
    pub(crate) fn segment(&self, first: u64) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut open = self
            .open_segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = open.get(&first) {
            return Ok(Arc::clone(file));
        }
        let file = self.disk.open(&self.segment_path(first), Open::Write)?;
        while open.len() >= MAX_OPEN_SEGMENTS && open.pop_first().is_some() {}
        open.insert(first, Arc::clone(&file));
        Ok(file)
    }

    /// Forgets open segment files, after one was replaced.
    pub(crate) fn forget_segments(&self) {
        self.open_segments
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// The tree over the first `size` entries.
    pub(crate) fn tree_at(&self, size: u64) -> Result<Tree, Fault> {
        Tree::restore(size, |place| self.positions.hash(place))
    }

    /// Zeroes a body that stands with an entry, and flushes; false when the entry has none of this
    /// digest.
    fn zero_body(&self, index: u64, digest: &Hash) -> Result<bool, Fault> {
        let file = self.segment(self.segment_of(index))?;
        let mut reader = FrameReader::new(&*file, self.positions.entry(index)?, 0)?;
        let mut found = false;
        for place in 0_u64.. {
            let offset = reader.offset;
            let Ok(frame) = frame::decode(reader.peek()?) else {
                break;
            };
            let stored = frame.stored_bytes();
            match frame.body() {
                Some((at, body)) if at == *digest => {
                    let start = offset + (stored - body.len()) as u64;
                    zero(&*file, start, body.len() as u64)?;
                    found = true;
                }
                Some(_) => {}
                None if place == 0 => {}
                None => break,
            }
            reader.skip(stored);
        }
        file.fdatasync()?;
        Ok(found)
    }

    /// Zeroes a body's bytes in place and flushes. The record of the erasure lasts already.
    pub(crate) fn erase_body(
        &self,
        index: u64,
        digest: &Hash,
        failpoints: &Failpoints,
    ) -> Result<(), StoreError> {
        let size = self.read_view(|view| view.size);
        if index >= size {
            return Err(Refusal::OutOfRange { index, size }.into());
        }
        let found = self.zero_body(index, digest)?;
        failpoints.hit("body.zeroed");
        if found {
            Ok(())
        } else {
            Err(Refusal::NoBody {
                index,
                digest: *digest,
            }
            .into())
        }
    }
}

/// Overwrites bytes with zeros; not yet flushed.
pub(crate) fn zero(file: &dyn DiskFile, offset: u64, bytes: u64) -> Result<(), DiskError> {
    let zeros = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX)];
    file.write_at(offset, &zeros)
}

/// Where in a commit the failpoints of one kind of log are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Steps {
    pub(crate) begin: &'static str,
    pub(crate) written: &'static str,
    pub(crate) flushed: &'static str,
    pub(crate) directory: &'static str,
}

/// The one that appends to a log's segments.
#[derive(Debug)]
pub(crate) struct Appender {
    pub(crate) shared: Arc<Shared>,
    /// Over everything that stands in the segments, signed or not.
    pub(crate) tree: Tree,
    /// The end of the last segment that has entries.
    pub(crate) end: u64,
    /// Notes that stand in segments.
    pub(crate) notes: u64,
    pub(crate) failpoints: Failpoints,
    pub(crate) steps: Steps,
}

/// Frames for one write.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    bytes: Vec<u8>,
    entries: Vec<(u64, Hash)>,
    notes: Vec<NoteAt>,
}

impl Frames {
    pub(crate) fn note(&mut self, size: u64, note: &[u8]) {
        self.notes.push(NoteAt {
            size,
            offset: self.bytes.len() as u64,
        });
        frame::put(&mut self.bytes, FrameKind::Note, note);
    }

    pub(crate) fn entry(&mut self, leaf: Hash, entry: &[u8], bodies: &[(Hash, &[u8])]) {
        self.entries.push((self.bytes.len() as u64, leaf));
        frame::put(&mut self.bytes, FrameKind::Entry, entry);
        for (digest, body) in bodies {
            frame::put_body(&mut self.bytes, digest, body);
        }
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) const fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Puts other frames behind these.
    pub(crate) fn extend(&mut self, other: &Self) {
        let start = self.bytes.len() as u64;
        self.entries
            .extend(other.entries.iter().map(|(at, leaf)| (start + at, *leaf)));
        let moved = |note: &NoteAt| NoteAt {
            size: note.size,
            offset: start + note.offset,
        };
        self.notes.extend(other.notes.iter().map(moved));
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// The tree as it will be, with the hashes that are completed on the way.
    pub(crate) fn grown(&self, tree: &Tree) -> Grown {
        let mut tree = tree.clone();
        let mut completed = Vec::with_capacity(2 * self.entries.len());
        for (_, leaf) in &self.entries {
            tree.append_to(*leaf, &mut completed);
        }
        Grown { tree, completed }
    }
}

/// A tree behind some frames.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) tree: Tree,
    completed: Vec<Hash>,
}

impl Appender {
    /// Writes frames behind the last one and flushes: what is appended lasts when this returns. A
    /// full disk is a refusal, and the file as it was.
    pub(crate) fn append(&mut self, frames: &Frames) -> Result<(), StoreError> {
        let grown = frames.grown(&self.tree);
        self.append_grown(frames, grown)
    }

    /// As [`Appender::append`], where the tree behind these frames is known already.
    pub(crate) fn append_grown(&mut self, frames: &Frames, grown: Grown) -> Result<(), StoreError> {
        let next = self.tree.size();
        let fresh = next.is_multiple_of(self.shared.segment_entries) && !frames.entries.is_empty();
        if fresh && frames.notes.first().is_some_and(|note| note.size <= next) {
            return Err(Fault::Invariant("an old note must not open a new segment").into());
        }
        self.failpoints.hit(self.steps.begin);
        let first = self
            .shared
            .segment_of(if fresh { next } else { next.saturating_sub(1) });
        let start = if fresh { 0 } else { self.end };
        let file = self.open(first, fresh)?;
        if let Err(error) = file.write_at(start, &frames.bytes) {
            let full = error.is_full();
            file.truncate(start)?;
            return Err(if full {
                Refusal::DiskFull.into()
            } else {
                error.into()
            });
        }
        self.failpoints.hit(self.steps.written);
        file.fdatasync()?;
        self.failpoints.hit(self.steps.flushed);
        if fresh {
            self.shared.disk.fsync_dir(&self.shared.directory)?;
            self.failpoints.hit(self.steps.directory);
        }
        self.end = start + frames.bytes.len() as u64;
        self.note_positions(frames, start, grown)
    }

    fn open(&self, first: u64, fresh: bool) -> Result<Arc<dyn DiskFile>, StoreError> {
        if !fresh {
            return Ok(self.shared.segment(first)?);
        }
        let path = self.shared.segment_path(first);
        let file = match self.shared.disk.open(&path, Open::Create) {
            Err(error) if error.is_full() => return Err(Refusal::DiskFull.into()),
            opened => opened?,
        };
        // What a torn first write left there was never signed.
        if !file.is_empty()? {
            file.truncate(0)?;
        }
        Ok(file)
    }

    fn note_positions(
        &mut self,
        frames: &Frames,
        start: u64,
        grown: Grown,
    ) -> Result<(), StoreError> {
        let (positions, first) = (&self.shared.positions, self.tree.size());
        let place = stored_count(first);
        let offsets: Vec<u64> = frames.entries.iter().map(|(at, _)| start + at).collect();
        self.tree = grown.tree;
        let at = |note: &NoteAt| NoteAt {
            size: note.size,
            offset: start + note.offset,
        };
        let notes: Vec<NoteAt> = frames.notes.iter().map(at).collect();
        positions.put_entries(first, &offsets)?;
        positions.put_hashes(place, &grown.completed)?;
        positions.put_notes(self.notes, &notes)?;
        self.notes += notes.len() as u64;
        Ok(())
    }
}
