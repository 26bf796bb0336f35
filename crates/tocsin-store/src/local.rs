//! The node's own log of facts that stand in no member's log: cosignatures received, evidence,
//! audit, overrides, erasures, drafts. Nobody signs it and nobody else reads it; it has the same
//! segments as the others.
//!
//! A record is an entry frame, `u8 kind || bytes`. What is appended at once ends with a note frame
//! that holds the number of records so far: what stands behind the last one was never acknowledged
//! and is cut. Damage before it costs the records it hits, which are counted and named, and never
//! the ones behind.

use std::path::PathBuf;
use std::sync::Arc;

use crate::data_dir::DataDir;
use crate::disk::{DiskError, DiskFile, Open};
use crate::error::{Damage, DamageKind, Fault, Refusal, StoreError};
use crate::failpoint::Failpoints;
use crate::files::OpenOptions;
use crate::frame::{self, FrameKind, MAX_BODY_BYTES};
use crate::segment::{self, FrameReader, NoteForm, Salvage, WINDOW_BYTES};

/// The most bytes of a record: two notes with all their signatures, as evidence needs, and room
/// besides.
pub const MAX_RECORD_BYTES: usize = MAX_BODY_BYTES - 1;
/// The most bytes appended at once.
pub const MAX_APPEND_BYTES: usize = 4 * 1024 * 1024;

/// What a record is. The byte is kept for ever; a byte that this version does not know is kept and
/// passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LocalKind {
    /// A cosignature received from another member.
    Cosignature,
    /// Evidence that a log told two stories.
    Evidence,
    /// Who read or decided what.
    Audit,
    /// An operator overrode a rule, with the reason.
    Override,
    /// A body is to be erased.
    Erasure,
    /// A half-signed statement.
    Draft,
    /// A notice was acknowledged, or a subscription changed.
    Subscription,
}

/// The local log, open for appending.
#[derive(Debug)]
pub struct LocalLog {
    data: DataDir,
    failpoints: Failpoints,
    segment_entries: u64,
    file: Option<Arc<dyn DiskFile>>,
    /// The number in the current segment's name.
    first: u64,
    in_segment: u64,
    end: u64,
    /// Records appended since the log began, as far as notes say.
    count: u64,
    damage: Vec<Damage>,
    poisoned: bool,
}

impl LocalKind {
    const ALL: [Self; 7] = [
        Self::Cosignature,
        Self::Evidence,
        Self::Audit,
        Self::Override,
        Self::Erasure,
        Self::Draft,
        Self::Subscription,
    ];

    const fn byte(self) -> u8 {
        match self {
            Self::Cosignature => 1,
            Self::Evidence => 2,
            Self::Audit => 3,
            Self::Override => 4,
            Self::Erasure => 5,
            Self::Draft => 6,
            Self::Subscription => 7,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.byte() == byte)
    }
}

impl LocalLog {
    /// Opens the log and gives every sound record to `each`, in order. Records of a kind that this
    /// version does not know are left out.
    ///
    /// # Errors
    /// A fault. Damage is none: see [`LocalLog::damage`].
    pub fn open(
        data: &DataDir,
        options: &OpenOptions,
        mut each: impl FnMut(LocalKind, &[u8]),
    ) -> Result<Self, StoreError> {
        let mut log = Self {
            data: data.clone(),
            failpoints: options.failpoints.clone(),
            segment_entries: options.segment_entries.max(1),
            file: None,
            first: 0,
            in_segment: 0,
            end: 0,
            count: 0,
            damage: Vec::new(),
            poisoned: false,
        };
        let names = data.disk().list(&log.directory())?;
        let firsts: Vec<u64> = names
            .iter()
            .filter_map(|name| segment::first_index(name))
            .collect();
        for first in &firsts {
            data.disk()
                .open(&log.path(*first), Open::Write)?
                .fdatasync()?;
        }
        data.disk().fsync_dir(&log.directory())?;
        for (number, first) in firsts.iter().enumerate() {
            log.take_segment(*first, number + 1 == firsts.len(), &mut each)?;
        }
        Ok(log)
    }

    /// Records appended since the log began, as far as its notes say.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Where records were lost to damage.
    #[must_use]
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Appends records; when this returns they last. If the power goes before, any of them may.
    ///
    /// # Errors
    /// [`Refusal::TooLong`] for a record over [`MAX_RECORD_BYTES`] or records over
    /// [`MAX_APPEND_BYTES`], [`Refusal::DiskFull`]; or a fault.
    pub fn append<B: AsRef<[u8]>>(&mut self, records: &[(LocalKind, B)]) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(Fault::Poisoned.into());
        }
        let bytes = self.frames(records)?;
        let done = self.append_frames(&bytes, records.len() as u64);
        self.poisoned = matches!(done, Err(StoreError::Fault(_)));
        done
    }

    fn frames<B: AsRef<[u8]>>(&self, records: &[(LocalKind, B)]) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        for (kind, record) in records {
            let record = record.as_ref();
            if record.len() > MAX_RECORD_BYTES {
                return Err(Refusal::TooLong {
                    bytes: record.len(),
                    limit: MAX_RECORD_BYTES,
                });
            }
            frame::put(
                &mut bytes,
                FrameKind::Entry,
                &[&[kind.byte()], record].concat(),
            );
        }
        if bytes.len() > MAX_APPEND_BYTES {
            return Err(Refusal::TooLong {
                bytes: bytes.len(),
                limit: MAX_APPEND_BYTES,
            });
        }
        let count = self.count + records.len() as u64;
        frame::put(&mut bytes, FrameKind::Note, &count.to_be_bytes());
        Ok(bytes)
    }

    fn append_frames(&mut self, bytes: &[u8], records: u64) -> Result<(), StoreError> {
        let file = match &self.file {
            Some(file) if self.in_segment < self.segment_entries => Arc::clone(file),
            Some(_) => self.start_segment(self.first + self.segment_entries)?,
            None => self.start_segment(self.first)?,
        };
        if let Err(error) = file.write_at(self.end, bytes) {
            let full = error.is_full();
            file.truncate(self.end)?;
            return Err(if full {
                Refusal::DiskFull.into()
            } else {
                error.into()
            });
        }
        self.failpoints.hit("local.written");
        file.fdatasync()?;
        if self.end == 0 {
            self.data.disk().fsync_dir(&self.directory())?;
        }
        self.failpoints.hit("local.flushed");
        self.end += bytes.len() as u64;
        self.in_segment += records;
        self.count += records;
        Ok(())
    }

    fn start_segment(&mut self, first: u64) -> Result<Arc<dyn DiskFile>, StoreError> {
        let file = match self.data.disk().open(&self.path(first), Open::Create) {
            Err(error) if error.is_full() => return Err(Refusal::DiskFull.into()),
            opened => opened?,
        };
        (self.first, self.in_segment, self.end) = (first, 0, 0);
        self.file = Some(Arc::clone(&file));
        Ok(file)
    }

    fn take_segment(
        &mut self,
        first: u64,
        is_last: bool,
        each: &mut impl FnMut(LocalKind, &[u8]),
    ) -> Result<(), StoreError> {
        let file = self.data.disk().open(&self.path(first), Open::Write)?;
        let mut scan = segment::scan(&*file, u64::MAX, NoteForm::Count)?;
        let salvage = match scan.stop {
            Some(_) => segment::salvage(&*file)?,
            None => Salvage::default(),
        };
        // A note behind the place where the scan stopped says that what stands there may have been
        // acknowledged. It may also be the last write, torn: that is named as damage too, to be
        // safe.
        let damaged = scan.stop.is_some() && salvage.notes.len() > scan.notes.len();
        if is_last && !damaged {
            scan.cut_at(scan.notes.last().map_or(0, |note| note.end));
            if scan.end < scan.length {
                file.truncate(scan.end)?;
                file.fdatasync()?;
            }
        }
        if damaged {
            let groups = [&salvage.before, &salvage.loose, &salvage.after];
            groups
                .into_iter()
                .flatten()
                .for_each(|group| give(&group.entry, each));
        } else {
            replay(FrameReader::new(&*file, 0, WINDOW_BYTES)?, scan.end, each)?;
        }
        if let Some(stop) = scan.stop.filter(|_| damaged || !is_last) {
            self.damage.push(Damage {
                log: "local".to_owned(),
                index: self.count + scan.count(),
                kind: DamageKind::Entry,
                segment: first,
                offset: stop.offset,
            });
        }
        let salvaged = salvage
            .notes
            .iter()
            .filter_map(|note| segment::read_note(note, NoteForm::Count).map(|(count, _)| count));
        let counts = scan.notes.iter().map(|note| note.size).chain(salvaged);
        self.count = counts.fold(self.count, u64::max);
        (self.first, self.in_segment, self.end) = (first, scan.count(), scan.end);
        self.file = Some(file);
        if damaged {
            // Nothing more is written into a file that is not whole.
            self.in_segment = self.segment_entries;
        }
        Ok(())
    }

    fn directory(&self) -> PathBuf {
        self.data.path("local")
    }

    fn path(&self, first: u64) -> PathBuf {
        self.directory().join(segment::file_name(first))
    }
}

fn replay(
    mut reader: FrameReader<'_>,
    end: u64,
    each: &mut impl FnMut(LocalKind, &[u8]),
) -> Result<(), DiskError> {
    while reader.offset < end {
        let Ok(frame) = frame::decode(reader.peek()?) else {
            break;
        };
        let stored = frame.stored_bytes();
        if frame.kind == FrameKind::Entry {
            give(frame.content, each);
        }
        reader.skip(stored);
    }
    Ok(())
}

fn give(record: &[u8], each: &mut impl FnMut(LocalKind, &[u8])) {
    if let Some((kind, bytes)) = record.split_first()
        && let Some(kind) = LocalKind::from_byte(*kind)
    {
        each(kind, bytes);
    }
}
