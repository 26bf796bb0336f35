//! Disk that is kept for what must always be written: a file that takes it up, and gives it back
//! piece by piece.
//!
//! Looking at what is free would not do: other programs fill a disk too. While the file has its
//! whole length and some more is free, everything may grow. When it is not so, only what releases
//! goods is written, and out of the file's length if there is nothing else.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data_dir::DataDir;
use crate::disk::{DiskError, DiskFile, Open};
use crate::error::StoreError;

/// The file's name in the data directory.
pub const FILE_NAME: &str = "reserve";
/// What must be free beside the reserve for anything else to grow: two commit batches, their
/// positions, and what the index writes meanwhile (bytes).
pub const MARGIN_BYTES: u64 = 8 * 1024 * 1024;
/// What one write may need beside its frames: positions, a note, a new segment (bytes).
const WRITE_SLACK_BYTES: u64 = 512 * 1024;
/// What is given back at least (bytes).
const LEAST_PIECE_BYTES: u64 = 1024 * 1024;

/// The reserve of one data directory.
#[derive(Debug)]
pub struct Reserve {
    data: DataDir,
    path: PathBuf,
    file: Arc<dyn DiskFile>,
    /// How long it is to be.
    whole: u64,
    /// How long it is.
    held: u64,
}

impl Reserve {
    /// Opens the reserve and takes what is missing of it, if there is room. `bytes` of 0 keeps
    /// nothing: then only the margin is looked at.
    ///
    /// # Errors
    /// A fault.
    pub fn open(data: &DataDir, bytes: u64) -> Result<Self, StoreError> {
        let path = data.path(FILE_NAME);
        let file = data.disk().open(&path, Open::Create)?;
        let mut reserve = Self {
            data: data.clone(),
            held: file.len()?,
            path,
            file,
            whole: bytes,
        };
        if reserve.held > bytes {
            reserve.cut_to(bytes)?;
        }
        // A file that came from elsewhere may have its length and not its blocks.
        let held = reserve.held;
        reserve.allocate(held)?;
        reserve.refill()?;
        Ok(reserve)
    }

    /// How much is kept now (bytes).
    #[must_use]
    pub const fn held(&self) -> u64 {
        self.held
    }

    /// How much is to be kept (bytes).
    #[must_use]
    pub const fn whole(&self) -> u64 {
        self.whole
    }

    /// Whether something that releases nothing may be written: the reserve is whole, and so much
    /// and a margin are free beside it.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn may_grow(&self, bytes: u64) -> Result<bool, DiskError> {
        let enough = MARGIN_BYTES.saturating_add(bytes);
        Ok(self.held >= self.whole && self.free()? >= enough)
    }

    /// Sees to it that so much can be written, out of the reserve where nothing else is free;
    /// false when even that is used up.
    ///
    /// # Errors
    /// [`DiskError`].
    pub fn make_room(&mut self, bytes: u64) -> Result<bool, DiskError> {
        let enough = bytes.saturating_add(WRITE_SLACK_BYTES);
        loop {
            let free = self.free()?;
            if free >= enough {
                return Ok(true);
            }
            if self.held == 0 {
                return Ok(false);
            }
            let piece = (enough - free).max(LEAST_PIECE_BYTES);
            self.cut_to(self.held.saturating_sub(piece))?;
        }
    }

    /// Takes back what was given up, when there is room for all of it and a margin twice over:
    /// else it would be given and taken by turns. Whether it is whole.
    ///
    /// # Errors
    /// [`DiskError`], but for a full disk, which means not yet.
    pub fn refill(&mut self) -> Result<bool, DiskError> {
        let missing = self.whole.saturating_sub(self.held);
        if missing > 0 && self.free()? >= missing.saturating_add(2 * MARGIN_BYTES) {
            self.allocate(self.whole)?;
        }
        Ok(self.held >= self.whole)
    }

    fn allocate(&mut self, length: u64) -> Result<(), DiskError> {
        if length == 0 {
            return Ok(());
        }
        match self.file.allocate(length) {
            Ok(()) => self.held = length,
            Err(error) if error.is_full() => self.cut_to(self.held.min(length))?,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn cut_to(&mut self, length: u64) -> Result<(), DiskError> {
        self.file.truncate(length)?;
        // Some file systems give freed blocks away only after a flush.
        self.file.fdatasync()?;
        self.held = length;
        Ok(())
    }

    fn free(&self) -> Result<u64, DiskError> {
        self.data.disk().free_bytes(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::disk::{Broken, FaultyDisk};

    const MIB: u64 = 1024 * 1024;

    fn disk(capacity: u64) -> (FaultyDisk, DataDir) {
        let disk = FaultyDisk::new(Broken::default());
        disk.set_capacity(capacity);
        let data = DataDir::open(Arc::new(disk.clone()), Path::new("/data")).unwrap();
        (disk, data)
    }

    /// Another program takes all but `left` of the disk.
    fn fill(disk: &FaultyDisk, data: &DataDir, left: u64) -> Arc<dyn DiskFile> {
        use crate::disk::Disk;
        let other = disk.open(Path::new("/data/other"), Open::Create).unwrap();
        let free = disk.free_bytes(data.root()).unwrap();
        other.truncate(other.len().unwrap() + free - left).unwrap();
        other
    }

    #[test]
    fn while_there_is_room_everything_may_grow() {
        let (_, data) = disk(64 * MIB);
        let reserve = Reserve::open(&data, 16 * MIB).unwrap();
        assert_eq!(reserve.held(), 16 * MIB);
        assert!(reserve.may_grow(40 * MIB).unwrap());
        assert!(!reserve.may_grow(40 * MIB + 1).unwrap());
    }

    #[test]
    fn a_disk_that_others_filled_still_has_room_for_what_releases() {
        let (disk, data) = disk(64 * MIB);
        let mut reserve = Reserve::open(&data, 16 * MIB).unwrap();
        let other = fill(&disk, &data, 0);
        assert!(!reserve.may_grow(0).unwrap());
        let file = data
            .disk()
            .open(&data.path("entries"), Open::Create)
            .unwrap();
        assert!(file.write_at(0, &[1; 4096]).unwrap_err().is_full());
        let mut at = 0;
        while reserve.make_room(MIB).unwrap() {
            file.write_at(at, &vec![1; 1024 * 1024]).unwrap();
            at += MIB;
        }
        assert!(at >= 15 * MIB, "{at}");
        assert_eq!(reserve.held(), 0);
        // Somebody makes room: all of it is taken back before anything else may grow.
        other.truncate(12 * MIB).unwrap();
        assert!(!reserve.may_grow(0).unwrap());
        assert!(reserve.refill().unwrap());
        assert_eq!(reserve.held(), 16 * MIB);
        assert!(!reserve.may_grow(16 * MIB).unwrap());
        assert!(reserve.may_grow(0).unwrap());
    }

    #[test]
    fn a_start_on_a_full_disk_takes_nothing_from_anybody() {
        let (disk, data) = disk(20 * MIB);
        let other = fill(&disk, &data, MIB);
        let mut reserve = Reserve::open(&data, 16 * MIB).unwrap();
        assert_eq!(reserve.held(), 0);
        assert!(!reserve.may_grow(0).unwrap());
        assert!(reserve.make_room(1024).unwrap());
        assert!(!reserve.make_room(2 * MIB).unwrap());
        drop(other);
        assert!(!reserve.refill().unwrap());
    }

    #[test]
    fn another_length_is_taken_up_at_the_next_start() {
        let (_, data) = disk(64 * MIB);
        drop(Reserve::open(&data, 16 * MIB).unwrap());
        assert_eq!(Reserve::open(&data, 4 * MIB).unwrap().held(), 4 * MIB);
        assert_eq!(Reserve::open(&data, 8 * MIB).unwrap().held(), 8 * MIB);
        let none = Reserve::open(&data, 0).unwrap();
        assert_eq!(none.held(), 0);
        assert!(none.may_grow(0).unwrap());
    }
}
