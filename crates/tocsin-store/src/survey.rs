//! What lies in a data directory, read without its lock and without changing a byte: so that a
//! newer binary can say what it would make of it while an older one still runs.
//!
//! What is being written at the moment shows as a tail that ends inside a frame; it is no damage.

use std::path::Path;

use tocsin_log::checkpoint::Origin;

use crate::disk::{Disk, DiskError, Open, SECTOR_BYTES};
use crate::frame::{self, FrameError, FrameKind};
use crate::local::LocalKind;
use crate::segment::{self, FrameReader, WINDOW_BYTES};
use crate::slots::{FoundSlot, SLOT_BLOCK_BYTES, Slot, StateKind};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every folder below `log/`, sorted.
    pub logs: Vec<LogSurvey>,
    /// The node's own log.
    pub local: LogSurvey,
    /// Records of the local log of a kind that this version does not know.
    pub unknown_records: u64,
    /// `signer.state`.
    pub signer: StateSurvey,
    /// `mirror.state`.
    pub mirror: StateSurvey,
}

/// One log's segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSurvey {
    /// The folder's name: the origin with `/` as `_`.
    pub folder: String,
    /// Segment files.
    pub segments: u64,
    /// Their length.
    pub bytes: u64,
    /// Frames by kind.
    pub entries: u64,
    /// Bodies beside the entries.
    pub bodies: u64,
    /// Notes.
    pub notes: u64,
    /// Where reading a segment ended before its end, and why; a tail of the last segment that ends
    /// inside a frame is not among them.
    pub unread: Vec<Unread>,
}

/// A frame that cannot be read, and all behind it in that segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The segment's file name.
    pub segment: String,
    /// Where in it.
    pub offset: u64,
    /// Why.
    pub why: FrameError,
}

/// A state file's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StateSurvey {
    /// Whether the file is there.
    pub exists: bool,
    /// Slots written by a form that this version knows.
    pub written: u64,
    /// Slots that are neither blank nor of a known form.
    pub unknown: u64,
}

/// Looks at the data directory under `root`, giving every entry with its log's folder to `each`.
///
/// # Errors
/// [`DiskError`] when a file cannot be read. A file or folder that is not there is no error.
pub fn survey(
    disk: &dyn Disk,
    root: &Path,
    each: &mut dyn FnMut(&str, &[u8]),
) -> Result<Survey, DiskError> {
    let mut found = Survey::default();
    let logs = root.join("log");
    for folder in list(disk, &logs)? {
        let mut entry = |bytes: &[u8]| each(&folder, bytes);
        let log = survey_log(disk, &logs.join(&folder), &folder, &mut entry)?;
        found.logs.push(log);
    }
    let mut unknown = 0;
    let mut record = |bytes: &[u8]| {
        let known = bytes.first().copied().and_then(LocalKind::from_byte);
        unknown += u64::from(known.is_none());
    };
    found.local = survey_log(disk, &root.join("local"), "local", &mut record)?;
    found.unknown_records = unknown;
    found.signer = survey_state(disk, &root.join("signer.state"), StateKind::Signer)?;
    found.mirror = survey_state(disk, &root.join("mirror.state"), StateKind::Mirror)?;
    Ok(found)
}

/// The name of the folder that holds an origin's segments.
#[must_use]
pub fn folder_of(origin: &Origin) -> String {
    origin.to_string().replace('/', "_")
}

fn survey_log(
    disk: &dyn Disk,
    path: &Path,
    folder: &str,
    each: &mut dyn FnMut(&[u8]),
) -> Result<LogSurvey, DiskError> {
    let mut log = LogSurvey {
        folder: folder.to_owned(),
        ..LogSurvey::default()
    };
    let names = list(disk, path)?;
    let segments: Vec<&String> = names
        .iter()
        .filter(|name| segment::first_index(name).is_some())
        .collect();
    for (at, name) in segments.iter().enumerate() {
        let file = disk.open(&path.join(name), Open::Read)?;
        log.segments += 1;
        log.bytes += file.len()?;
        let mut frames = FrameReader::new(file.as_ref(), 0, WINDOW_BYTES)?;
        while frames.offset < frames.length {
            let frame = match frame::decode(frames.peek()?) {
                Ok(frame) => frame,
                Err(FrameError::Short) if at + 1 == segments.len() => break,
                Err(why) => {
                    log.unread.push(Unread {
                        segment: (*name).clone(),
                        offset: frames.offset,
                        why,
                    });
                    break;
                }
            };
            match frame.kind {
                FrameKind::Entry => {
                    log.entries += 1;
                    each(frame.content);
                }
                FrameKind::Body => log.bodies += 1,
                FrameKind::Note => log.notes += 1,
            }
            let stored = frame.stored_bytes();
            frames.skip(stored);
        }
    }
    Ok(log)
}

fn survey_state(disk: &dyn Disk, path: &Path, kind: StateKind) -> Result<StateSurvey, DiskError> {
    let mut state = StateSurvey::default();
    let file = match disk.open(path, Open::Read) {
        Ok(file) => file,
        Err(error) if error.is_not_found() => return Ok(state),
        Err(error) => return Err(error),
    };
    state.exists = true;
    let mut sector = [0; SECTOR_BYTES];
    let mut offset = 0;
    while file.read_at(offset, &mut sector)? == SECTOR_BYTES {
        match Slot::decode(&sector, kind) {
            FoundSlot::Blank => {}
            FoundSlot::Written(_) => state.written += 1,
            FoundSlot::Damaged => state.unknown += 1,
        }
        offset += SLOT_BLOCK_BYTES;
    }
    Ok(state)
}

fn list(disk: &dyn Disk, path: &Path) -> Result<Vec<String>, DiskError> {
    match disk.list(path) {
        Ok(names) => Ok(names),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::disk::RealDisk;

    fn look(root: &Path) -> Survey {
        survey(&RealDisk, root, &mut |_, _| {}).unwrap()
    }

    #[test]
    fn a_directory_that_is_not_there_holds_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let found = look(&dir.path().join("nowhere"));
        assert_eq!(found.logs, []);
        assert!(!found.signer.exists);
    }

    #[test]
    fn frames_are_counted_and_what_this_version_does_not_know_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log").join("a.example_de_1");
        fs::create_dir_all(&log).unwrap();
        let mut bytes = Vec::new();
        frame::put(&mut bytes, FrameKind::Entry, b"one");
        frame::put(&mut bytes, FrameKind::Note, b"note");
        let sound = bytes.len() as u64;
        // A frame of a kind from the future, then one that would be sound.
        let mut future = Vec::new();
        frame::put(&mut future, FrameKind::Note, b"x");
        future[4] = 9;
        bytes.extend(future);
        frame::put(&mut bytes, FrameKind::Entry, b"two");
        fs::write(log.join("00000000000000000000.seg"), &bytes).unwrap();
        let found = look(dir.path());
        let [log] = found.logs.as_slice() else {
            panic!("one log: {found:?}")
        };
        assert_eq!((log.entries, log.notes, log.segments), (1, 1, 1));
        assert_eq!(log.unread[0].offset, sound);
        assert_eq!(log.unread[0].why, FrameError::Kind(9));
    }

    #[test]
    fn a_tail_that_is_being_written_is_no_damage() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("local");
        fs::create_dir_all(&log).unwrap();
        let mut bytes = Vec::new();
        frame::put(&mut bytes, FrameKind::Entry, &[200, 1, 2]);
        frame::put(&mut bytes, FrameKind::Entry, b"cut short");
        bytes.truncate(bytes.len() - 3);
        fs::write(log.join("00000000000000000000.seg"), &bytes).unwrap();
        fs::write(dir.path().join("signer.state"), [7; SECTOR_BYTES]).unwrap();
        let found = look(dir.path());
        assert_eq!((found.local.entries, found.unknown_records), (1, 1));
        assert_eq!(found.local.unread, []);
        assert_eq!((found.signer.written, found.signer.unknown), (0, 1));
    }
}
