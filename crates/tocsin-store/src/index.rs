//! The index: what validation made of the entries of each log, so that it need not be made again.
//! Nothing in it cannot be rebuilt from the logs.
//!
//! Verdicts stand together for as many entries as were judged together, under the size and root
//! that these lead to. A key per entry would make following slower the longer a log is.
//!
//! sled 0.34 stands behind it. Its flush does not survive a power cut, and it may panic on what it
//! finds after one; so beside it stands a file of ours that says under which boot it was used and
//! whether it was closed and flushed by us since. Whatever is doubtful is thrown away and rebuilt.
//! Every call is guarded: an error or a panic inside marks the index broken, and its owner rebuilds
//! it.

use std::fs::{self, File};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crc32c::crc32c;
use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use crate::disk::{Disk, DiskError, Open, RealDisk, read_up_to};
use crate::error::StoreError;
use crate::reader::LogReader;

/// sled's cache: verdicts are read once, at the start, in their order.
const CACHE_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes of entries read at once while the index is brought up.
const REPLAY_BYTES: usize = 1024 * 1024;
/// The most bytes of one verdict record.
pub const MAX_VERDICT_BYTES: usize = 1024 * 1024;
const MARKER: &str = "boot";
/// What keys and values look like; an index of another form is thrown away.
const FORMAT: u8 = 2;

/// What validation made of the entries from `first` to before `size`. It holds only while the log
/// has this root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// The first entry's index.
    pub first: u64,
    /// The log's size after the last.
    pub size: u64,
    /// The root at that size.
    pub root: Hash,
    /// As it was put.
    pub bytes: Vec<u8>,
}

/// Why the index was thrown away when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebuildReason {
    /// There was none.
    Missing,
    /// The machine was started again since, and the index was not closed by us.
    UncleanBoot,
    /// It knows more of a log than there is.
    Ahead,
    /// sled refused to open it, or panicked.
    Unreadable,
}

/// How far the index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexState {
    /// It knows every log to its end.
    Current,
    /// Some entries are to be replayed.
    Behind,
    /// It is empty, and everything is to be replayed.
    Rebuild(RebuildReason),
}

/// How far a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Entries indexed of this log.
    pub done: u64,
    /// Entries in it.
    pub total: u64,
}

/// Why a call on the index gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// sled failed or panicked, now or before: throw the index away and open it again.
    #[error("the index is broken and must be rebuilt")]
    Broken,
    /// The verdicts do not begin where the index ends.
    #[error("the index knows {known} entries of this log, the verdicts begin at {first}")]
    Gap {
        /// The high-water mark.
        known: u64,
        /// The verdicts' first index.
        first: u64,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] StoreError),
    /// The files around sled could not be written.
    #[error("index files: {0}")]
    Files(#[from] std::io::Error),
    /// As [`IndexError::Files`], through the disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The open index.
#[derive(Debug)]
pub struct Index {
    directory: PathBuf,
    db: sled::Db,
    broken: AtomicBool,
}

impl Index {
    /// Opens the index in `directory`, or a new one where the old cannot be relied on. `logs` are
    /// all logs that are open, with what is committed in them.
    ///
    /// # Errors
    /// [`IndexError`], when not even a new one can be made.
    pub fn open(directory: &Path, logs: &[LogReader]) -> Result<(Self, IndexState), IndexError> {
        let doubt = doubt(directory)?;
        // From now on it is in use: a power cut from here on leaves this mark.
        fs::create_dir_all(directory)?;
        mark(directory, false)?;
        if doubt.is_none() {
            match Self::open_sled(directory).and_then(|index| {
                let state = index.judge(logs)?;
                Ok((index, state))
            }) {
                Ok((old, IndexState::Rebuild(reason))) => {
                    old.discard();
                    return Self::new(directory, reason);
                }
                Ok(opened) => return Ok(opened),
                Err(_) => return Self::new(directory, RebuildReason::Unreadable),
            }
        }
        Self::new(directory, doubt.unwrap_or(RebuildReason::Missing))
    }

    /// Throws the index away, after it broke, and opens an empty one.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn rebuild(self) -> Result<(Self, IndexState), IndexError> {
        let directory = self.directory.clone();
        self.discard();
        Self::new(&directory, RebuildReason::Unreadable)
    }

    fn new(directory: &Path, reason: RebuildReason) -> Result<(Self, IndexState), IndexError> {
        let path = directory.join("sled");
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        Ok((Self::open_sled(directory)?, IndexState::Rebuild(reason)))
    }

    fn open_sled(directory: &Path) -> Result<Self, IndexError> {
        let path = directory.join("sled");
        let config = sled::Config::new().path(path).cache_capacity(CACHE_BYTES);
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        match opened {
            Ok(Ok(db)) => {
                let broken = AtomicBool::new(false);
                Ok(Self {
                    directory: directory.to_owned(),
                    db,
                    broken,
                })
            }
            Ok(Err(_)) | Err(_) => Err(IndexError::Broken),
        }
    }

    fn judge(&self, logs: &[LogReader]) -> Result<IndexState, IndexError> {
        let mut state = IndexState::Current;
        for log in logs {
            let known = self.known(log.origin())?;
            if known > log.size() {
                return Ok(IndexState::Rebuild(RebuildReason::Ahead));
            }
            if known < log.size() {
                state = IndexState::Behind;
            }
        }
        Ok(state)
    }

    /// The high-water mark: entries of a log that are indexed.
    ///
    /// # Errors
    /// [`IndexError::Broken`].
    pub fn known(&self, origin: &Origin) -> Result<u64, IndexError> {
        let value = self.get(&mark_key(origin))?;
        match value.map(|value| value.as_slice().try_into().map(u64::from_be_bytes)) {
            None => Ok(0),
            Some(Ok(known)) => Ok(known),
            Some(Err(_)) => Err(self.break_down()),
        }
    }

    /// The verdicts on the entries from `from` on, if there are any and the log has the root they
    /// were made for.
    ///
    /// # Errors
    /// [`IndexError::Broken`], or a fault of the log.
    pub fn verdicts(&self, log: &LogReader, from: u64) -> Result<Option<Verdicts>, IndexError> {
        let prefix = verdict_prefix(log.origin());
        let start = [prefix.as_slice(), &from.saturating_add(1).to_be_bytes()].concat();
        let found = self.guard(|| self.db.range(start..).next().transpose())?;
        let Some((key, value)) = found else {
            return Ok(None);
        };
        let Some(size) = key.strip_prefix(prefix.as_slice()) else {
            return Ok(None);
        };
        let Some(verdicts) = read_verdicts(size, &value) else {
            return Err(self.break_down());
        };
        let fits = verdicts.first == from
            && verdicts.size <= log.size()
            && log.root_at(verdicts.size)? == verdicts.root;
        Ok(fits.then_some(verdicts))
    }

    /// Takes the verdicts on the entries from `first` to before `size`, all at once, and moves the
    /// mark. Verdicts over [`MAX_VERDICT_BYTES`] are not kept.
    ///
    /// # Errors
    /// [`IndexError::Gap`], [`IndexError::Broken`].
    pub fn apply(
        &self,
        origin: &Origin,
        first: u64,
        size: u64,
        root: &Hash,
        verdicts: &[u8],
    ) -> Result<(), IndexError> {
        let known = self.known(origin)?;
        if known != first || size < first {
            return Err(IndexError::Gap { known, first });
        }
        let mut batch = sled::Batch::default();
        if !verdicts.is_empty() && verdicts.len() <= MAX_VERDICT_BYTES {
            let key = [verdict_prefix(origin).as_slice(), &size.to_be_bytes()].concat();
            let value = [&first.to_be_bytes(), &root.as_bytes()[..], verdicts].concat();
            batch.insert(key, value);
        }
        batch.insert(mark_key(origin), &size.to_be_bytes());
        self.guard(|| self.db.apply_batch(batch))
    }

    /// Brings the index up to the end of a log. `judge` gives the verdicts on entries that follow
    /// each other; `progress` is told after each step.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn replay(
        &self,
        log: &LogReader,
        mut judge: impl FnMut(&[crate::reader::StoredEntry]) -> Vec<u8>,
        mut progress: impl FnMut(Progress),
    ) -> Result<(), IndexError> {
        let total = log.size();
        let mut done = self.known(log.origin())?;
        while done < total {
            let entries = log.range(done, REPLAY_BYTES)?;
            let size = done + entries.len() as u64;
            if size == done {
                return Err(self.break_down());
            }
            let root = log.root_at(size)?;
            self.apply(log.origin(), done, size, &root, &judge(&entries))?;
            done = size;
            progress(Progress { done, total });
        }
        Ok(())
    }

    /// Whether a call has failed: throw the index away with [`Index::rebuild`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Closes the index so that it outlives a power cut: sled's flush, then a real one of every
    /// file of its.
    ///
    /// # Errors
    /// [`IndexError`]; the index is then rebuilt at the next start.
    pub fn close(self) -> Result<(), IndexError> {
        self.guard(|| self.db.flush())?;
        let directory = self.directory.clone();
        drop(self);
        flush_files(&directory.join("sled"), 0)?;
        mark(&directory, true)?;
        Ok(())
    }

    /// Closes sled, which may panic over what it holds.
    fn discard(self) {
        let closed = catch_unwind(AssertUnwindSafe(|| drop(self)));
        drop(closed);
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        Ok(self.guard(|| self.db.get(key))?.map(|value| value.to_vec()))
    }

    fn break_down(&self) -> IndexError {
        self.broken.store(true, Ordering::SeqCst);
        IndexError::Broken
    }

    /// Runs a call on sled; an error or a panic breaks the index.
    fn guard<T>(&self, call: impl FnOnce() -> sled::Result<T>) -> Result<T, IndexError> {
        if self.is_broken() {
            return Err(IndexError::Broken);
        }
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(_)) | Err(_) => Err(self.break_down()),
        }
    }
}

/// Why the index cannot be relied on, from the file beside it.
fn doubt(directory: &Path) -> Result<Option<RebuildReason>, IndexError> {
    let path = directory.join(MARKER);
    let bytes = match RealDisk.open(&path, Open::Read) {
        Err(error) if error.is_not_found() => return Ok(Some(RebuildReason::Missing)),
        opened => read_up_to(&*opened?, 0, 64)?,
    };
    if !directory.join("sled").is_dir() {
        return Ok(Some(RebuildReason::Missing));
    }
    let Some((boot, clean)) = read_marker(&bytes) else {
        return Ok(Some(RebuildReason::UncleanBoot));
    };
    // An unknown boot is never the same one.
    let same_boot = boot == RealDisk.boot_id() && boot != [0; 16];
    Ok((!clean && !same_boot).then_some(RebuildReason::UncleanBoot))
}

/// Writes the file beside the index, durably.
fn mark(directory: &Path, clean: bool) -> Result<(), IndexError> {
    let mut bytes = RealDisk.boot_id().to_vec();
    bytes.extend([u8::from(clean), FORMAT]);
    bytes.extend(crc32c(&bytes).to_be_bytes());
    let (draft, path) = (directory.join("boot.tmp"), directory.join(MARKER));
    let file = RealDisk.open(&draft, Open::Create)?;
    file.truncate(0)?;
    file.write_at(0, &bytes)?;
    file.fdatasync()?;
    RealDisk.rename(&draft, &path)?;
    RealDisk.fsync_dir(directory)?;
    Ok(())
}

fn read_marker(bytes: &[u8]) -> Option<([u8; 16], bool)> {
    let (summed, sum) = bytes.split_last_chunk::<4>()?;
    let (boot, clean) = summed.split_first_chunk::<16>()?;
    let sound = crc32c(summed) == u32::from_be_bytes(*sum);
    match (sound, clean) {
        (true, [0, FORMAT]) => Some((*boot, false)),
        (true, [1, FORMAT]) => Some((*boot, true)),
        (true | false, _) => None,
    }
}

/// Flushes every file of a directory, those below it, and their names; sled's tree is three levels
/// deep.
fn flush_files(directory: &Path, depth: u32) -> Result<(), IndexError> {
    const MAX_DEPTH: u32 = 8;
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && depth < MAX_DEPTH {
            flush_files(&path, depth + 1)?;
        } else if path.is_file() {
            File::open(&path)?.sync_all()?;
        }
    }
    RealDisk.fsync_dir(directory)?;
    Ok(())
}

fn mark_key(origin: &Origin) -> Vec<u8> {
    [b"m".as_slice(), origin.to_string().as_bytes()].concat()
}

fn verdict_prefix(origin: &Origin) -> Vec<u8> {
    let origin = Hash::of(origin.to_string().as_bytes());
    [b"v".as_slice(), origin.as_bytes()].concat()
}

fn read_verdicts(size: &[u8], value: &[u8]) -> Option<Verdicts> {
    let size = u64::from_be_bytes(size.try_into().ok()?);
    let (first, rest) = value.split_first_chunk()?;
    let (root, bytes) = rest.split_first_chunk::<32>()?;
    let first = u64::from_be_bytes(*first);
    Some(Verdicts {
        first,
        size,
        root: Hash(*root),
        bytes: bytes.to_vec(),
    })
}
