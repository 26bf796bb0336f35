//! What is committed at once.

use tocsin_log::entry::MAX_ENTRY_BYTES;
use tocsin_log::follower::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES};

use crate::error::Refusal;
use crate::files::Frames;
use crate::frame::{HEADER_BYTES, MAX_BODY_BYTES};
use tocsin_log::hash::{Hash, leaf_hash};

/// Entries with their bodies, as frames for one write: at most 1 MiB of them and 4,096 entries, and
/// never across a multiple of the segment's entries (FORMATS.md 4).
#[derive(Debug)]
pub struct Batch {
    pub(crate) start: u64,
    pub(crate) frames: Frames,
    segment_entries: u64,
}

impl Batch {
    pub(crate) fn new(start: u64, segment_entries: u64) -> Self {
        Self {
            start,
            frames: Frames::default(),
            segment_entries,
        }
    }

    /// Adds an entry with its bodies, in their order.
    ///
    /// # Errors
    /// [`Refusal::TooLong`] for what fits no batch; [`Refusal::BatchOverLimit`] when the batch is
    /// to be committed first.
    pub fn push<B: AsRef<[u8]>>(&mut self, entry: &[u8], bodies: &[B]) -> Result<(), Refusal> {
        let bodies: Vec<&[u8]> = bodies.iter().map(AsRef::as_ref).collect();
        self.check(entry, bodies.iter().map(|body| body.len()))?;
        let digested: Vec<(Hash, &[u8])> = bodies
            .into_iter()
            .map(|body| (Hash::of(body), body))
            .collect();
        self.frames.entry(leaf_hash(entry), entry, &digested);
        Ok(())
    }

    /// As [`Batch::push`], for whoever has hashed the entry and its bodies already: `leaf` is the
    /// entry's leaf hash, and each body stands behind its digest. A wrong leaf makes a root that
    /// nobody signed, and a wrong digest a body that is damaged from the start.
    ///
    /// # Errors
    /// As [`Batch::push`].
    pub fn push_hashed(
        &mut self,
        leaf: Hash,
        entry: &[u8],
        bodies: &[(Hash, &[u8])],
    ) -> Result<(), Refusal> {
        self.check(entry, bodies.iter().map(|(_, body)| body.len()))?;
        self.frames.entry(leaf, entry, bodies);
        Ok(())
    }

    fn check(
        &self,
        entry: &[u8],
        bodies: impl Iterator<Item = usize> + Clone,
    ) -> Result<(), Refusal> {
        check_lengths(entry, bodies.clone())?;
        let framed = |bytes: usize| HEADER_BYTES + Hash::LEN + bytes;
        let bytes = HEADER_BYTES + entry.len() + bodies.map(framed).sum::<usize>();
        if bytes > MAX_BATCH_BYTES {
            return Err(Refusal::TooLong {
                bytes,
                limit: MAX_BATCH_BYTES,
            });
        }
        let most = room(self.start, self.segment_entries);
        if self.count() >= most || self.frames.bytes() + bytes > MAX_BATCH_BYTES {
            return Err(Refusal::BatchOverLimit);
        }
        Ok(())
    }

    /// Entries in it.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.frames.count()
    }

    /// Bytes of its frames.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.frames.bytes() as u64
    }

    /// Whether it has no entries.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// The index of its first entry.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }
}

/// How many entries a batch from `start` may have.
pub(crate) fn room(start: u64, segment_entries: u64) -> u64 {
    (segment_entries - start % segment_entries).min(MAX_BATCH_ENTRIES as u64)
}

pub(crate) fn check_lengths(
    entry: &[u8],
    bodies: impl Iterator<Item = usize>,
) -> Result<(), Refusal> {
    if entry.len() > MAX_ENTRY_BYTES {
        return Err(Refusal::TooLong {
            bytes: entry.len(),
            limit: MAX_ENTRY_BYTES,
        });
    }
    match bodies.max().filter(|bytes| *bytes > MAX_BODY_BYTES) {
        Some(bytes) => Err(Refusal::TooLong {
            bytes,
            limit: MAX_BODY_BYTES,
        }),
        None => Ok(()),
    }
}
