//! The machine's disk.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

use super::{Disk, DiskError, DiskFile, FileIdentity, Open};

/// Where systemd and dbus keep the machine's name (machine-id(5)).
const MACHINE_ID: &str = "/etc/machine-id";
/// Where Linux tells the current boot's name (random(4)).
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The machine's disk, through the standard library. Files it makes are for their owner alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600);
        match how {
            Open::Read => {}
            Open::Write => {
                options.write(true);
            }
            Open::Create => {
                options.write(true).create(true);
            }
        }
        let file = options.open(path).map_err(failed("open", path))?;
        Ok(Arc::new(RealFile {
            file,
            path: path.to_owned(),
        }))
    }

    fn create_dir(&self, path: &Path) -> Result<(), DiskError> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            made => made.map_err(failed("create directory", path)),
        }
    }

    fn fsync_dir(&self, path: &Path) -> Result<(), DiskError> {
        let directory = File::open(path).map_err(failed("open directory", path))?;
        directory
            .sync_all()
            .map_err(failed("flush directory", path))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        fs::rename(from, to).map_err(failed("rename", from))
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        fs::remove_file(path).map_err(failed("remove", path))
    }

    fn list(&self, path: &Path) -> Result<Vec<String>, DiskError> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed("list", path))? {
            let entry = entry.map_err(failed("list", path))?;
            names.extend(entry.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError> {
        let told = statvfs(path).map_err(|error| failed("measure the disk of", path)(error.into()));
        let told = told?;
        Ok(told.f_bavail.saturating_mul(told.f_frsize))
    }

    fn machine_id(&self) -> [u8; 16] {
        read_id(MACHINE_ID)
    }

    fn boot_id(&self) -> [u8; 16] {
        read_id(BOOT_ID)
    }
}

impl DiskFile for RealFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let mut done = 0;
        while let Some(rest) = into.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(done as u64);
            match self.file.read_at(rest, at) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed("read", &self.path)(error)),
            }
        }
        Ok(done)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(failed("write", &self.path))
    }

    fn len(&self) -> Result<u64, DiskError> {
        Ok(self
            .file
            .metadata()
            .map_err(failed("measure", &self.path))?
            .len())
    }

    fn truncate(&self, length: u64) -> Result<(), DiskError> {
        self.file
            .set_len(length)
            .map_err(failed("truncate", &self.path))
    }

    fn allocate(&self, length: u64) -> Result<(), DiskError> {
        let failed = failed("allocate", &self.path);
        match fallocate(&self.file, FallocateFlags::empty(), 0, length) {
            Ok(()) => Ok(()),
            // Not every file system can: then it is written.
            Err(Errno::OPNOTSUPP) => self.fill(length).map_err(failed),
            Err(error) => Err(failed(error.into())),
        }
    }

    fn fdatasync(&self) -> Result<(), DiskError> {
        self.file.sync_data().map_err(failed("flush", &self.path))
    }

    fn try_lock(&self) -> Result<bool, DiskError> {
        match self.file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(failed("lock", &self.path)(error)),
        }
    }

    fn identity(&self) -> Result<FileIdentity, DiskError> {
        let metadata = self
            .file
            .metadata()
            .map_err(failed("identify", &self.path))?;
        Ok(FileIdentity {
            device: metadata.dev(),
            inode: metadata.ino(),
        })
    }
}

impl RealFile {
    /// Writes zeros from the end to `length`.
    fn fill(&self, length: u64) -> io::Result<()> {
        let zeros = [0; 64 * 1024];
        let mut at = self.file.metadata()?.len();
        while at < length {
            let left = usize::try_from(length - at).unwrap_or(usize::MAX);
            let some = zeros.get(..left).unwrap_or(&zeros);
            self.file.write_all_at(some, at)?;
            at += some.len() as u64;
        }
        Ok(())
    }
}

fn failed(operation: &'static str, path: &Path) -> impl Fn(io::Error) -> DiskError {
    move |source| DiskError {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// A 128-bit name written in hex, with or without dashes; zeros when it cannot be read.
fn read_id(path: &str) -> [u8; 16] {
    let text = fs::read_to_string(path).unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    match u128::from_str_radix(&digits, 16) {
        Ok(id) if digits.len() == 32 => id.to_be_bytes(),
        Ok(_) | Err(_) => [0; 16],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_names_locks_and_identities_are_the_machines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let disk = RealDisk;
        assert!(disk.open(&path, Open::Read).unwrap_err().is_not_found());
        let file = disk.open(&path, Open::Create).unwrap();
        file.write_at(3, b"abc").unwrap();
        file.fdatasync().unwrap();
        let mut bytes = [9; 8];
        assert_eq!(file.read_at(1, &mut bytes).unwrap(), 5);
        assert_eq!(bytes, [0, 0, b'a', b'b', b'c', 9, 9, 9]);
        assert!(file.try_lock().unwrap());
        let again = disk.open(&path, Open::Write).unwrap();
        assert!(!again.try_lock().unwrap());
        assert_eq!(file.identity().unwrap(), again.identity().unwrap());
        drop(file);
        assert!(again.try_lock().unwrap());
        again.truncate(4).unwrap();
        assert_eq!(again.len().unwrap(), 4);
        disk.rename(&path, &directory.path().join("other")).unwrap();
        disk.create_dir(&directory.path().join("sub")).unwrap();
        disk.create_dir(&directory.path().join("sub")).unwrap();
        disk.fsync_dir(directory.path()).unwrap();
        assert_eq!(disk.list(directory.path()).unwrap(), ["other", "sub"]);
        assert_ne!(disk.boot_id(), [0; 16]);
        again.allocate(1024 * 1024).unwrap();
        assert_eq!(again.len().unwrap(), 1024 * 1024);
        assert!(disk.free_bytes(&path).unwrap_err().is_not_found());
        assert!(disk.free_bytes(directory.path()).unwrap() > 0);
    }
}
