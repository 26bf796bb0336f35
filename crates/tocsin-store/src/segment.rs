//! Segment files: 4,096 entries each, as frames, under the index of the first (FORMATS.md 5).
//!
//! Within a batch each entry is followed by its bodies; a note follows the batch it signs, or, in
//! our own log, rides at the start of a later write.

use tocsin_log::checkpoint::{Checkpoint, Origin};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::note::Note;

use crate::disk::{DiskError, DiskFile};
use crate::frame::{self, BodyState, Frame, FrameKind, HEADER_BYTES, MAX_BODY_BYTES};

/// What is read at once while scanning; more than any frame.
pub(crate) const WINDOW_BYTES: usize = 1024 * 1024;
/// The least that is read at once: most entries are smaller.
const LEAST_STEP_BYTES: usize = 4096;
pub(crate) const LONGEST_FRAME_BYTES: usize = HEADER_BYTES + Hash::LEN + MAX_BODY_BYTES;

/// The file name of the segment that begins at `first`.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:020}.seg")
}

/// The first index of the segment of this name.
pub(crate) fn first_index(name: &str) -> Option<u64> {
    let digits = name
        .strip_suffix(".seg")
        .filter(|digits| digits.len() == 20)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

/// What a note frame of a log must hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NoteForm<'a> {
    /// A signed checkpoint of this log.
    Checkpoint(&'a Origin),
    /// The number of records up to it: the local log, which nobody signs.
    Count,
}

/// One entry with its bodies, where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EntryAt {
    pub(crate) offset: u64,
    /// The end of its last body.
    pub(crate) end: u64,
    pub(crate) leaf: Hash,
}

/// A body that is not what its sha256 says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadBody {
    /// The entry it belongs to, counted in the segment.
    pub(crate) entry: u64,
    pub(crate) offset: u64,
    pub(crate) digest: Hash,
    pub(crate) bytes: u64,
    pub(crate) state: BodyState,
}

/// A note, where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScannedNote {
    pub(crate) offset: u64,
    pub(crate) end: u64,
    pub(crate) size: u64,
    /// None in the local log.
    pub(crate) root: Option<Hash>,
    /// Entries before it in the segment.
    pub(crate) after: u64,
}

/// Where and why a scan found no further frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stop {
    pub(crate) offset: u64,
    /// What the bytes there claim to be.
    pub(crate) claims: Option<FrameKind>,
    /// Whether they are, or may be, a body of the last entry.
    pub(crate) body: bool,
}

/// The sound frames from the start of a segment.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    pub(crate) entries: Vec<EntryAt>,
    pub(crate) notes: Vec<ScannedNote>,
    pub(crate) bad_bodies: Vec<BadBody>,
    /// The end of the last sound frame.
    pub(crate) end: u64,
    pub(crate) stop: Option<Stop>,
    /// The file's length.
    pub(crate) length: u64,
}

impl Scan {
    pub(crate) const fn count(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Forgets the entries from the `count`-th on, and all that stands behind the ones before.
    pub(crate) fn cut_to(&mut self, count: u64) {
        let keep = usize::try_from(count).unwrap_or(usize::MAX);
        if let Some(cut) = self.entries.get(keep) {
            self.cut_at(cut.offset);
        }
    }

    /// Forgets everything from a byte on, which must be the start of an entry or the end of a
    /// frame.
    pub(crate) fn cut_at(&mut self, offset: u64) {
        self.entries.retain(|entry| entry.offset < offset);
        self.notes.retain(|note| note.offset < offset);
        self.bad_bodies.retain(|body| body.offset < offset);
        self.end = self.end.min(offset);
    }

    /// Whether the last sound frame belongs to an entry and not to a note.
    pub(crate) fn ends_with_entry(&self) -> bool {
        self.entries
            .last()
            .is_some_and(|entry| entry.end == self.end)
    }
}

/// Reads the sound frames of a segment that may hold `capacity` entries.
pub(crate) fn scan(
    file: &dyn DiskFile,
    capacity: u64,
    form: NoteForm<'_>,
) -> Result<Scan, DiskError> {
    let mut reader = FrameReader::new(file, 0, WINDOW_BYTES)?;
    let mut scan = Scan {
        length: reader.length,
        ..Scan::default()
    };
    while reader.offset < reader.length {
        let offset = reader.offset;
        let bytes = reader.peek()?;
        let Some(stored) = take_frame(&mut scan, bytes, offset, capacity, form) else {
            scan.stop = Some(Stop {
                offset,
                claims: bytes.get(4).and_then(|kind| FrameKind::from_byte(*kind)),
                body: scan.ends_with_entry() && frame::is_disguised_body(bytes),
            });
            break;
        };
        reader.skip(stored);
        scan.end = reader.offset;
    }
    Ok(scan)
}

/// Notes one frame down; none when the bytes are not a frame that may stand here.
fn take_frame(
    scan: &mut Scan,
    bytes: &[u8],
    offset: u64,
    capacity: u64,
    form: NoteForm<'_>,
) -> Option<usize> {
    let frame = frame::decode(bytes).ok()?;
    let stored = frame.stored_bytes();
    let end = offset + stored as u64;
    match frame.kind {
        FrameKind::Entry => {
            if scan.count() >= capacity {
                return None;
            }
            scan.entries.push(EntryAt {
                offset,
                end,
                leaf: leaf_hash(frame.content),
            });
        }
        FrameKind::Body => {
            let (digest, body) = frame.body()?;
            let entry = scan.count().checked_sub(1)?;
            let last = scan.entries.last_mut().filter(|last| last.end == offset)?;
            last.end = end;
            let state = frame::body_state(&digest, body);
            if state != BodyState::Sound {
                let bytes = body.len() as u64;
                scan.bad_bodies.push(BadBody {
                    entry,
                    offset,
                    digest,
                    bytes,
                    state,
                });
            }
        }
        FrameKind::Note => {
            let (size, root) = read_note(frame.content, form)?;
            let after = scan.count();
            scan.notes.push(ScannedNote {
                offset,
                end,
                size,
                root,
                after,
            });
        }
    }
    Some(stored)
}

/// The size and root that a note frame states; none when it is not a note of this log.
pub(crate) fn read_note(content: &[u8], form: NoteForm<'_>) -> Option<(u64, Option<Hash>)> {
    match form {
        NoteForm::Checkpoint(origin) => {
            let note = Note::parse(content).ok()?;
            let checkpoint = Checkpoint::parse_text(&note.text).ok()?;
            (checkpoint.origin == *origin).then_some((checkpoint.size, Some(checkpoint.root)))
        }
        NoteForm::Count => Some((u64::from_be_bytes(content.try_into().ok()?), None)),
    }
}

/// An entry with its bodies, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) entry: Vec<u8>,
    /// The bytes as they stand, sound or not.
    pub(crate) bodies: Vec<(Hash, Vec<u8>)>,
}

/// All that can still be read of a segment that has damage in it.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    /// The entries before the first damage.
    pub(crate) before: Vec<Group>,
    /// Bodies behind the last damage, before any entry.
    pub(crate) orphans: Vec<(Hash, Vec<u8>)>,
    /// The entries behind the last damage.
    pub(crate) after: Vec<Group>,
    /// Entries between two places of damage, with no index.
    pub(crate) loose: Vec<Group>,
    /// All notes.
    pub(crate) notes: Vec<Vec<u8>>,
}

/// Reads on behind damage: a frame is taken up wherever one verifies.
pub(crate) fn salvage(file: &dyn DiskFile) -> Result<Salvage, DiskError> {
    let mut reader = FrameReader::new(file, 0, WINDOW_BYTES)?;
    let mut found = Salvage::default();
    let mut damaged = false;
    while reader.offset < reader.length {
        let bytes = reader.peek_longest()?;
        if let Ok(frame) = frame::decode(bytes) {
            let stored = frame.stored_bytes();
            found.take(frame, damaged);
            reader.skip(stored);
            continue;
        }
        if damaged {
            let lost = std::mem::take(&mut found.after);
            found.loose.extend(lost);
            found.orphans.clear();
        }
        damaged = true;
        let skipped = next_frame(bytes);
        reader.skip(skipped);
    }
    Ok(found)
}

/// How far the next frame is from one that is damaged, as far as `bytes` shows.
fn next_frame(bytes: &[u8]) -> usize {
    // If only the content or the sum is damaged, it begins where the length says.
    let told = frame::stored_bytes(bytes)
        .ok()
        .filter(|stored| *stored == bytes.len() || frame_at(bytes, *stored));
    // A frame that begins in the last part may end beyond it; that part is looked at again.
    let sure = bytes
        .len()
        .checked_sub(LONGEST_FRAME_BYTES)
        .map_or(bytes.len(), |sure| sure.max(1));
    told.or_else(|| (1..sure).find(|skip| frame_at(bytes, *skip)))
        .unwrap_or(sure)
}

fn frame_at(bytes: &[u8], offset: usize) -> bool {
    bytes
        .get(offset..)
        .is_some_and(|rest| frame::decode(rest).is_ok())
}

impl Salvage {
    fn take(&mut self, frame: Frame<'_>, damaged: bool) {
        let groups = if damaged {
            &mut self.after
        } else {
            &mut self.before
        };
        match frame.kind {
            FrameKind::Entry => {
                groups.push(Group {
                    entry: frame.content.to_vec(),
                    bodies: Vec::new(),
                });
            }
            FrameKind::Body => {
                let Some((digest, bytes)) = frame.body() else {
                    return;
                };
                let bodies = groups
                    .last_mut()
                    .map_or(&mut self.orphans, |last| &mut last.bodies);
                bodies.push((digest, bytes.to_vec()));
            }
            FrameKind::Note => self.notes.push(frame.content.to_vec()),
        }
    }
}

/// Reads a file from an offset on, through a window.
#[derive(Debug)]
pub(crate) struct FrameReader<'a> {
    file: &'a dyn DiskFile,
    /// What is read at once, unless a frame is longer.
    step: usize,
    window: Vec<u8>,
    /// Bytes of the window that are behind us.
    used: usize,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

impl<'a> FrameReader<'a> {
    pub(crate) fn new(file: &'a dyn DiskFile, offset: u64, step: usize) -> Result<Self, DiskError> {
        let step = step.clamp(LEAST_STEP_BYTES, WINDOW_BYTES);
        let length = file.len()?;
        Ok(Self {
            file,
            step,
            window: Vec::new(),
            used: 0,
            offset,
            length,
        })
    }

    /// What follows: one whole frame at least, if there is one.
    pub(crate) fn peek(&mut self) -> Result<&[u8], DiskError> {
        self.fill(HEADER_BYTES)?;
        if let Ok(stored) = frame::stored_bytes(self.ahead()) {
            self.fill(stored)?;
        }
        Ok(self.ahead())
    }

    /// What follows, as much as any frame can be.
    fn peek_longest(&mut self) -> Result<&[u8], DiskError> {
        self.fill(LONGEST_FRAME_BYTES)?;
        Ok(self.ahead())
    }

    pub(crate) fn skip(&mut self, bytes: usize) {
        self.used = self.used.saturating_add(bytes);
        self.offset = self.offset.saturating_add(bytes as u64);
    }

    fn ahead(&self) -> &[u8] {
        self.window.get(self.used..).unwrap_or_default()
    }

    fn fill(&mut self, least: usize) -> Result<(), DiskError> {
        let (have, left) = (self.ahead().len(), self.length.saturating_sub(self.offset));
        if have < least && (have as u64) < left {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(least.max(self.step));
            // The buffer is kept: a new one would be zeroed each time.
            self.window.resize(want, 0);
            let read = self.file.read_at(self.offset, &mut self.window)?;
            self.window.truncate(read);
            self.used = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::disk::{Broken, Disk, FaultyDisk, Open};

    #[test]
    fn names_are_twenty_digits_and_nothing_else() {
        assert_eq!(file_name(4096), "00000000000000004096.seg");
        assert_eq!(first_index("00000000000000004096.seg"), Some(4096));
        for bad in [
            "4096.seg",
            "+0000000000000004096.seg",
            "00000000000000004096.seg.tmp",
            "",
        ] {
            assert_eq!(first_index(bad), None, "{bad}");
        }
    }

    fn file_of(bytes: &[u8]) -> std::sync::Arc<dyn DiskFile> {
        let disk = FaultyDisk::new(Broken::default());
        let file = disk.open(Path::new("/file"), Open::Create).unwrap();
        file.write_at(0, bytes).unwrap();
        file
    }

    fn groups(count: u8) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        for number in 0..count {
            starts.push(bytes.len());
            frame::put(&mut bytes, FrameKind::Entry, &[number; 20]);
            starts.push(bytes.len());
            frame::put_body(&mut bytes, &Hash::of(&[number; 30]), &[number; 30]);
        }
        (bytes, starts)
    }

    #[test]
    fn one_flipped_bit_costs_the_salvage_at_most_one_frame() {
        let (bytes, starts) = groups(4);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let file = file_of(&flipped);
            let scan = scan(&*file, 100, NoteForm::Count).unwrap();
            let frame = starts.iter().rposition(|start| *start <= bit / 8).unwrap();
            let found = scan.stop.map(|stop| stop.offset);
            let found = found.or_else(|| Some(scan.bad_bodies.first()?.offset));
            assert_eq!(found, Some(starts[frame] as u64), "bit {bit}");
            if let Some(stop) = scan.stop {
                assert_eq!(stop.body, frame % 2 == 1, "bit {bit}");
                let salvage = salvage(&*file).unwrap();
                let entries = salvage.before.len() + salvage.after.len();
                assert_eq!(
                    entries,
                    if frame.is_multiple_of(2) { 3 } else { 4 },
                    "bit {bit}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_files_never_panic(bytes: Vec<u8>, at in 0_usize..200, flip: u8) {
            let file = file_of(&bytes);
            let scanned = scan(&*file, 3, NoteForm::Count).unwrap();
            prop_assert!(scanned.end <= bytes.len() as u64);
            salvage(&*file).unwrap();
            let (mut bytes, _) = groups(3);
            bytes[at] ^= flip;
            let file = file_of(&bytes);
            scan(&*file, 3, NoteForm::Count).unwrap();
            salvage(&*file).unwrap();
        }
    }
}
