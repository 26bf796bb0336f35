//! A file of declarations as it lies on the disk: what it is, that it stays so while it is read,
//! and how it is known again.

use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_log::hash::Hash;

use crate::failure::{Exit, Failure};

/// Bytes of the beginning, and of the end, that are hashed to know a file again.
const HASHED_BYTES: u64 = 1_048_576;

/// What a file is known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its length in bytes.
    pub length: u64,
    /// SHA-256 over its first and its last MiB, in hex.
    pub sha256: String,
    /// When it was last changed, Unix milliseconds.
    pub changed_ms: i64,
}

/// A file that is open.
#[derive(Debug)]
pub struct Input {
    path: PathBuf,
    file: Arc<File>,
    identity: Identity,
}

impl Input {
    /// Opens a file and says what it is.
    ///
    /// # Errors
    /// When it cannot be read, or is no regular file: a pipe cannot be read again.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let cannot = |e: &std::io::Error| Failure::file(path, "read", e);
        let file = File::open(path).map_err(|e| cannot(&e))?;
        let meta = file.metadata().map_err(|e| cannot(&e))?;
        if !meta.is_file() {
            let why = format!("{} is not a file", path.display());
            return Err(Failure::usage(why).advice("write what comes through a pipe to a file"));
        }
        let identity = identify(&file, &meta).map_err(|e| cannot(&e))?;
        Ok(Self {
            path: path.to_owned(),
            file: Arc::new(file),
            identity,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is known by.
    #[must_use]
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Another reading of it, from its beginning to the length it had when it was opened.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading {
            file: Arc::clone(&self.file),
            at: 0,
            end: self.identity.length,
        }
    }

    /// The first bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn beginning(&self, length: u64) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        let read = self.reading().take(length).read_to_end(&mut bytes);
        read.map_err(|e| Failure::file(&self.path, "read", &e))?;
        Ok(bytes)
    }

    /// Whether it is still the file that was opened: nothing said of a file that changed under
    /// our hands would be true of any file.
    ///
    /// # Errors
    /// `INPUT_CHANGED` when it grew, shrank or was written to.
    pub fn unchanged(&self) -> Result<(), Failure> {
        let cannot = |path: &Path, e: &std::io::Error| Failure::file(path, "read", e);
        let meta = self.file.metadata().map_err(|e| cannot(&self.path, &e))?;
        let now = identify(&self.file, &meta).map_err(|e| cannot(&self.path, &e))?;
        if now == self.identity {
            return Ok(());
        }
        let why = format!(
            "{} changed while it was read: {} bytes, then {}",
            self.path.display(),
            self.identity.length,
            now.length
        );
        Err(Failure::new(Exit::Conflict, why)
            .code("INPUT_CHANGED")
            .advice("wait until it is written, or screen a copy; no results were kept"))
    }
}

/// One reading of a file, with a place of its own in it.
#[derive(Debug)]
pub struct Reading {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Reading {
    /// Another reading of the same file from a place on.
    #[must_use]
    pub fn at(&self, start: u64) -> Self {
        Self {
            file: Arc::clone(&self.file),
            at: start,
            end: self.end,
        }
    }

    /// Bytes of the file.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.end
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let read = self
            .file
            .read_at(buffer.get_mut(..room).unwrap_or_default(), self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

fn identify(file: &File, meta: &Metadata) -> std::io::Result<Identity> {
    let length = meta.len();
    let head = read_range(file, 0, length.min(HASHED_BYTES))?;
    let tail = read_range(file, length.saturating_sub(HASHED_BYTES), length)?;
    let changed = meta.modified().ok();
    let changed = changed.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    let changed_ms = changed.and_then(|since| i64::try_from(since.as_millis()).ok());
    Ok(Identity {
        length,
        sha256: Hash::of_parts(&[&head, &tail]).to_string(),
        changed_ms: changed_ms.unwrap_or(0),
    })
}

fn read_range(file: &File, from: u64, end: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end.saturating_sub(from)).unwrap_or(0)];
    let mut filled = 0;
    while let Some(space) = bytes.get_mut(filled..).filter(|space| !space.is_empty()) {
        match file.read_at(space, from + filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// A file that could not be read on.
pub(super) fn unread(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Failed, format!("cannot read the file: {error}")).code("INPUT_UNREADABLE")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let input = Input::open(&path).unwrap();
        input.unchanged().unwrap();
        let mut growing = File::options().append(true).open(&path).unwrap();
        growing.write_all(b"3,4\n").unwrap();
        let failure = input.unchanged().unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("INPUT_CHANGED"));
        // What came later is not read.
        assert_eq!(input.beginning(100).unwrap(), b"a,b\n1,2\n");
    }

    #[test]
    fn a_file_that_vanishes_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        std::fs::write(&path, "a,b\n1,2\n").unwrap();
        let input = Input::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(input.beginning(100).unwrap(), b"a,b\n1,2\n");
        input.unchanged().unwrap();
    }

    #[test]
    fn a_change_in_the_last_bytes_makes_another_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut bytes = vec![b'x'; 3_000_000];
        std::fs::write(&path, &bytes).unwrap();
        let one = Input::open(&path).unwrap().identity().clone();
        *bytes.last_mut().unwrap() = b'y';
        std::fs::write(&path, &bytes).unwrap();
        assert_ne!(Input::open(&path).unwrap().identity().sha256, one.sha256);
    }

    #[test]
    fn a_folder_and_a_missing_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Input::open(dir.path()).unwrap_err().exit, Exit::Usage);
        let missing = Input::open(&dir.path().join("b")).unwrap_err();
        assert_eq!(missing.exit, Exit::NotFound);
    }
}
