//! Where things stand beside a log: flat files of frame offsets, tree hashes and notes, addressed
//! by position.
//!
//! They are never flushed and never trusted at a start: opening a log reads its segments and writes
//! these files anew. What they save is memory.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_log::hash::Hash;
use tocsin_log::tree::position;

use crate::disk::{Disk, DiskError, DiskFile, Open, read_up_to};
use crate::error::Fault;

const NUMBER_BYTES: u64 = 8;
const HASH_BYTES: u64 = 32;
const NOTE_BYTES: u64 = 2 * NUMBER_BYTES;
/// Hashes of one log that are kept in memory, each in the place of its number: receipts are asked
/// for right after the entries, and share most of their proofs.
const KEPT_HASHES: usize = 2_048;

/// The three files of one log.
#[derive(Debug)]
pub(crate) struct Positions {
    entries: Arc<dyn DiskFile>,
    hashes: Arc<dyn DiskFile>,
    notes: Arc<dyn DiskFile>,
    kept: Kept,
}

/// The hashes that were last written or read, as they stand in the file.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Option<(u64, Hash)>>>);

impl Kept {
    fn find(&self, place: u64) -> Option<Hash> {
        let kept = self.lock();
        match kept.get(Self::slot(place)) {
            Some(Some((at, hash))) if *at == place => Some(*hash),
            Some(_) | None => None,
        }
    }

    fn keep(&self, first: u64, hashes: &[Hash]) {
        let mut kept = self.lock();
        kept.resize(KEPT_HASHES, None);
        for (place, hash) in (first..).zip(hashes) {
            if let Some(slot) = kept.get_mut(Self::slot(place)) {
                *slot = Some((place, *hash));
            }
        }
    }

    /// When it is not certain what stands in the file.
    fn forget(&self) {
        self.lock().clear();
    }

    fn slot(place: u64) -> usize {
        usize::try_from(place % KEPT_HASHES as u64).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<(u64, Hash)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A note's size, and the byte in the segment of its last entry where its frame begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoteAt {
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

impl Positions {
    pub(crate) fn open(disk: &dyn Disk, directory: &Path) -> Result<Self, DiskError> {
        let open = |name: &str| disk.open(&directory.join(name), Open::Create);
        Ok(Self {
            entries: open("entries.pos")?,
            hashes: open("hashes.pos")?,
            notes: open("notes.pos")?,
            kept: Kept::default(),
        })
    }

    /// Offsets of the entries from `first` on, each in its own segment.
    pub(crate) fn put_entries(&self, first: u64, offsets: &[u64]) -> Result<(), DiskError> {
        let bytes: Vec<u8> = offsets
            .iter()
            .flat_map(|offset| offset.to_be_bytes())
            .collect();
        write(&*self.entries, first, NUMBER_BYTES, &bytes)
    }

    /// The tree's hashes from a place on.
    pub(crate) fn put_hashes(&self, place: u64, hashes: &[Hash]) -> Result<(), DiskError> {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
        let written = write(&*self.hashes, place, HASH_BYTES, &bytes);
        match written {
            Ok(()) => self.kept.keep(place, hashes),
            Err(_) => self.kept.forget(),
        }
        written
    }

    /// Notes from the `first`-th on; sizes ascend.
    pub(crate) fn put_notes(&self, first: u64, notes: &[NoteAt]) -> Result<(), DiskError> {
        let numbers = notes.iter().flat_map(|note| [note.size, note.offset]);
        let bytes: Vec<u8> = numbers.flat_map(u64::to_be_bytes).collect();
        write(&*self.notes, first, NOTE_BYTES, &bytes)
    }

    pub(crate) fn entry(&self, index: u64) -> Result<u64, Fault> {
        let [offset] = read_numbers(&*self.entries, index, NUMBER_BYTES)?;
        Ok(offset)
    }

    pub(crate) fn hash(&self, place: u64) -> Result<Hash, Fault> {
        if let Some(hash) = self.kept.find(place) {
            return Ok(hash);
        }
        let bytes = read_up_to(&*self.hashes, place.saturating_mul(HASH_BYTES), Hash::LEN)?;
        let missing = Fault::Invariant("a hash is not in the hash file");
        let hash = Hash::try_from(bytes.as_slice()).map_err(|_| missing)?;
        self.kept.keep(place, &[hash]);
        Ok(hash)
    }

    /// The leaf hashes of the entries from `first` to before `end`, read at once.
    pub(crate) fn leaves(&self, first: u64, end: u64) -> Result<Vec<Hash>, Fault> {
        let missing = || Fault::Invariant("a hash is not in the hash file");
        let start = position(0, first);
        let places = position(0, end.saturating_sub(1))
            .saturating_sub(start)
            .saturating_add(1);
        let wanted = places.saturating_mul(HASH_BYTES);
        let wanted = usize::try_from(wanted).map_err(|_| missing())?;
        let bytes = read_up_to(&*self.hashes, start.saturating_mul(HASH_BYTES), wanted)?;
        let (hashes, _) = bytes.as_chunks::<{ Hash::LEN }>();
        let leaf = |index| {
            let place = usize::try_from(position(0, index).saturating_sub(start)).ok()?;
            hashes.get(place).copied().map(Hash)
        };
        (first..end)
            .map(|index| leaf(index).ok_or_else(missing))
            .collect()
    }

    /// The first of `count` notes whose size is at least `size`.
    pub(crate) fn first_note_from(&self, size: u64, count: u64) -> Result<Option<NoteAt>, Fault> {
        let place = self.notes_below(size, count)?;
        if place == count {
            Ok(None)
        } else {
            self.note(place).map(Some)
        }
    }

    /// The last of `count` notes whose size is at most `size`.
    pub(crate) fn last_note_to(&self, size: u64, count: u64) -> Result<Option<NoteAt>, Fault> {
        match self.notes_below(size.saturating_add(1), count)? {
            0 => Ok(None),
            place => self.note(place - 1).map(Some),
        }
    }

    fn notes_below(&self, size: u64, count: u64) -> Result<u64, Fault> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.note(middle)?.size < size {
                low = middle + 1
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    fn note(&self, place: u64) -> Result<NoteAt, Fault> {
        let [size, offset] = read_numbers(&*self.notes, place, NOTE_BYTES)?;
        Ok(NoteAt { size, offset })
    }
}

fn write(file: &dyn DiskFile, place: u64, width: u64, bytes: &[u8]) -> Result<(), DiskError> {
    if bytes.is_empty() {
        return Ok(());
    }
    file.write_at(place.saturating_mul(width), bytes)
}

fn read_numbers<const N: usize>(
    file: &dyn DiskFile,
    place: u64,
    width: u64,
) -> Result<[u64; N], Fault> {
    let bytes = read_up_to(file, place.saturating_mul(width), N * 8)?;
    let mut numbers = [0; N];
    let (chunks, _) = bytes.as_chunks::<8>();
    if chunks.len() != N {
        return Err(Fault::Invariant("a position is not in its file"));
    }
    for (number, bytes) in numbers.iter_mut().zip(chunks) {
        *number = u64::from_be_bytes(*bytes);
    }
    Ok(numbers)
}
