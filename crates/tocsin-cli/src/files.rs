//! Files in and out: bounded reads, and writes that never leave half a file or overwrite one
//! unasked.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::failure::{Exit, Failure};

/// Who may read a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everyone (0644).
    Public,
    /// The owner alone (0600).
    Secret,
}

impl Mode {
    const fn bits(self) -> u32 {
        match self {
            Self::Public => 0o644,
            Self::Secret => 0o600,
        }
    }
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// When it cannot be read, is no regular file, or is longer.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    let file = File::open(path).map_err(|e| Failure::file(path, "read", &e))?;
    let meta = file
        .metadata()
        .map_err(|e| Failure::file(path, "read", &e))?;
    if !meta.is_file() {
        return Err(Failure::usage(format!("{} is not a file", path.display())));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| Failure::file(path, "read", &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(Failure::usage(format!(
            "{} is longer than {limit} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Writes a new file, whole or not at all; one that is there already is left alone.
///
/// # Errors
/// A conflict when it exists; else when it cannot be written.
pub fn write_new(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), Failure> {
    let taken = |e: &std::io::Error| {
        let failure = Failure::file(path, "write", e);
        if failure.exit == Exit::Conflict {
            return failure.advice("choose another name with --out, or move the file away");
        }
        failure
    };
    if path.symlink_metadata().is_ok() {
        return Err(taken(&ErrorKind::AlreadyExists.into()));
    }
    let beside = write_beside(path, bytes, mode).map_err(|e| taken(&e))?;
    let named = fs::hard_link(&beside, path).or_else(|e| {
        if e.kind() == ErrorKind::AlreadyExists {
            return Err(e);
        }
        // A file system without hard links, such as that of a stick: the name is taken first, so
        // that nothing is overwritten, and the whole file put in its place.
        OpenOptions::new().write(true).create_new(true).open(path)?;
        fs::rename(&beside, path).inspect_err(|_| {
            let _gone = fs::remove_file(path);
        })
    });
    // After a rename it is gone already.
    let _gone = fs::remove_file(&beside);
    named.map_err(|e| taken(&e))
}

/// Replaces a file as a whole: readers see the old bytes or the new, never a part.
///
/// # Errors
/// When it cannot be written.
pub fn replace(path: &Path, bytes: &[u8], mode: Mode) -> Result<(), Failure> {
    let beside = write_beside(path, bytes, mode).map_err(|e| Failure::file(path, "write", &e))?;
    fs::rename(&beside, path).map_err(|e| {
        let _gone = fs::remove_file(&beside);
        Failure::file(path, "replace", &e)
    })
}

/// Writes a file beside `path`, flushed, under a name that is this process's own.
fn write_beside(path: &Path, bytes: &[u8], mode: Mode) -> std::io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode.bits())
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)
                .and_then(|()| file.sync_all())
                .inspect_err(|_| {
                    let _gone = fs::remove_file(&beside);
                })
        });
    written.map(|()| beside)
}

/// Makes a folder and those above it.
///
/// # Errors
/// When it cannot be made.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|e| Failure::file(path, "make", &e))
}

/// Makes a folder that only its owner can enter (0700), and those above it.
///
/// # Errors
/// When it cannot be made.
pub fn make_secret_folder(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    make_folder(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        .map_err(|e| Failure::file(path, "protect", &e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_exists_is_never_overwritten_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        write_new(&path, b"one", Mode::Secret).unwrap();
        assert_eq!(
            write_new(&path, b"two", Mode::Secret).unwrap_err().exit,
            Exit::Conflict
        );
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        replace(&path, b"three", Mode::Secret).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_whole_is_not_there_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let gone = dir.path().join("no such folder").join("a");
        assert_eq!(
            write_new(&gone, b"one", Mode::Public).unwrap_err().exit,
            Exit::NotFound
        );
        // A dangling link is a name that is taken, and nothing is written through it.
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path().join("target"), &link).unwrap();
        assert_eq!(
            write_new(&link, b"one", Mode::Public).unwrap_err().exit,
            Exit::Conflict
        );
        assert!(!dir.path().join("target").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_over_its_bound_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::write(&path, [0; 11]).unwrap();
        assert_eq!(read_bounded(&path, 10).unwrap_err().exit, Exit::Usage);
        assert_eq!(read_bounded(&path, 11).unwrap().len(), 11);
        assert_eq!(read_bounded(dir.path(), 11).unwrap_err().exit, Exit::Usage);
        assert_eq!(
            read_bounded(&dir.path().join("b"), 1).unwrap_err().exit,
            Exit::NotFound
        );
    }
}
