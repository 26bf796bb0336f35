//! The one way to the disk: what the logs and the signer's state are written through.
//!
//! Two disks stand behind it. [`RealDisk`] is the machine's. [`FaultyDisk`] keeps a page cache
//! above a platter in memory and loses, tears and reorders whatever was not flushed, so that every
//! order of writes in this crate is tested against a power cut and not only believed.

mod faulty;
mod platter;
mod real;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use faulty::FaultyDisk;
pub use platter::{Broken, Failure};
pub use real::RealDisk;

/// What a power cut can tear: a write reaches the platter in whole sectors of 512 bytes, or not.
pub const SECTOR_BYTES: usize = 512;

/// Files and directories, with the two flushes that make them last.
///
/// A file's bytes last after [`DiskFile::fdatasync`]; its name lasts after [`Disk::fsync_dir`] on
/// the directory it stands in. Nothing else makes anything last.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// [`DiskError`]; see [`DiskError::is_not_found`].
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError>;

    /// Makes a directory; one that is there already is no error.
    ///
    /// # Errors
    /// [`DiskError`], also when the parent is missing.
    fn create_dir(&self, path: &Path) -> Result<(), DiskError>;

    /// Makes the names in a directory last.
    ///
    /// # Errors
    /// [`DiskError`]: the names may or may not last, and the process must end.
    fn fsync_dir(&self, path: &Path) -> Result<(), DiskError>;

    /// Gives a file another name in the same file system, in place of any file of that name.
    ///
    /// # Errors
    /// [`DiskError`].
    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError>;

    /// Takes a file's name away.
    ///
    /// # Errors
    /// [`DiskError`].
    fn remove(&self, path: &Path) -> Result<(), DiskError>;

    /// The names in a directory, sorted; those that are not UTF-8 are not ours and left out.
    ///
    /// # Errors
    /// [`DiskError`].
    fn list(&self, path: &Path) -> Result<Vec<String>, DiskError>;

    /// Bytes that this process may still write to the file system of a path.
    ///
    /// # Errors
    /// [`DiskError`].
    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError>;

    /// The machine, as the operating system names it; zeros where it has no name.
    fn machine_id(&self) -> [u8; 16];

    /// The run of the operating system since its start; zeros where it is not told.
    fn boot_id(&self) -> [u8; 16];
}

/// An open file, read and written at positions.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Reads as many bytes as there are from `offset` on, at most `into.len()`; less only at the
    /// end.
    ///
    /// # Errors
    /// [`DiskError`].
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, DiskError>;

    /// Writes all of `bytes` at `offset`; a hole before it reads as zeros. Nothing lasts before a
    /// flush.
    ///
    /// # Errors
    /// [`DiskError`]: any part of the bytes may have been written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// The length in bytes.
    ///
    /// # Errors
    /// [`DiskError`].
    fn len(&self) -> Result<u64, DiskError>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As [`DiskFile::len`].
    fn is_empty(&self) -> Result<bool, DiskError> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or lengthens it with zeros.
    ///
    /// # Errors
    /// [`DiskError`].
    fn truncate(&self, length: u64) -> Result<(), DiskError>;

    /// Takes the disk that the file needs for this length, and lengthens it where it is shorter.
    ///
    /// # Errors
    /// [`DiskError`]; of a full disk some may have been taken.
    fn allocate(&self, length: u64) -> Result<(), DiskError>;

    /// Makes the file's bytes and length last.
    ///
    /// # Errors
    /// [`DiskError`]: what was written may be gone although it can still be read, and the process
    /// must end.
    fn fdatasync(&self) -> Result<(), DiskError>;

    /// Takes the exclusive lock on the file, held until it is closed; false when another holds it.
    ///
    /// # Errors
    /// [`DiskError`].
    fn try_lock(&self) -> Result<bool, DiskError>;

    /// Which file this is: a copy has another identity, whatever its name.
    ///
    /// # Errors
    /// [`DiskError`].
    fn identity(&self) -> Result<FileIdentity, DiskError>;
}

/// How to open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// For reading; it must be there.
    Read,
    /// For reading and writing; it must be there.
    Write,
    /// For reading and writing; made if it is not there.
    Create,
}

/// The place of a file on one machine: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity {
    /// The device it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
}

/// An operation on the disk that failed.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {}: {source}", path.display())]
pub struct DiskError {
    /// What was tried.
    pub operation: &'static str,
    /// On what.
    pub path: PathBuf,
    /// What the operating system said.
    pub source: io::Error,
}

impl DiskError {
    /// Whether the file is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.source.kind() == io::ErrorKind::NotFound
    }

    /// Whether the disk is full, or a quota on it used up.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// Reads exactly `length` bytes at `offset`, or what is left of the file.
pub(crate) fn read_up_to(
    file: &dyn DiskFile,
    offset: u64,
    length: usize,
) -> Result<Vec<u8>, DiskError> {
    let mut bytes = vec![0; length];
    let read = file.read_at(offset, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
