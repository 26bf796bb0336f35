//! Following another member's log: nothing is stored that does not lead to a root its owner signed.
//!
//! No proofs are needed: the receiver appends the leaf hashes to its own tree and compares the
//! root. So it does not matter who passed the entries on.

use crate::checkpoint::{Checkpoint, CheckpointError, Origin, SignedCheckpoint};
use crate::entry::MAX_ENTRY_BYTES;
use crate::hash::{Hash, leaf_hash};
use crate::key::PublicKey;
use crate::tree::Tree;

/// Entries in a segment. No batch crosses a multiple of it, so that each segment ends with a note
/// (FORMATS.md 4).
pub const SEGMENT_ENTRIES: u64 = 4_096;
/// The most entries in a batch (FORMATS.md 4).
pub const MAX_BATCH_ENTRIES: usize = 4_096;
/// The most bytes of entries in a batch (FORMATS.md 4, where the bodies count too).
pub const MAX_BATCH_BYTES: usize = 1 << 20;

/// One member's verified copy of another's log, as far as the next batch needs it.
#[derive(Clone, Debug)]
pub struct Follower {
    origin: Origin,
    key: PublicKey,
    tree: Tree,
}

/// A batch that its origin signed for. Make it durable, then [`Follower::commit`] it; only
/// [`Follower::check`] makes one.
#[derive(Clone, Debug)]
#[must_use]
pub struct Accepted {
    start: u64,
    tree: Tree,
    leaves: Vec<Hash>,
    completed: Vec<Hash>,
    checkpoint: SignedCheckpoint,
}

/// Why a batch is not taken. Nothing of ours has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// No entries: the batch says nothing.
    #[error("batch is empty")]
    Empty,
    /// Over [`MAX_BATCH_ENTRIES`].
    #[error("batch of {count} entries is over the limit of {MAX_BATCH_ENTRIES}")]
    TooMany {
        /// Entries given.
        count: usize,
    },
    /// Over [`MAX_BATCH_BYTES`].
    #[error("batch is over the limit of {MAX_BATCH_BYTES} bytes")]
    TooLong,
    /// Over [`MAX_ENTRY_BYTES`].
    #[error("entry {index} of {bytes} bytes is over the limit of {MAX_ENTRY_BYTES}")]
    EntryTooLong {
        /// Its place in the log.
        index: u64,
        /// Its length.
        bytes: usize,
    },
    /// The batch begins with what is already held; it may be ignored.
    #[error("batch starts at {start}, and {held} entries are held")]
    Old {
        /// The batch's first index.
        start: u64,
        /// Entries held.
        held: u64,
    },
    /// Entries before the batch are missing.
    #[error("batch starts at {start}, and only {held} entries are held")]
    Gap {
        /// The batch's first index.
        start: u64,
        /// Entries held.
        held: u64,
    },
    /// The batch crosses a multiple of [`SEGMENT_ENTRIES`].
    #[error("batch from {start} to {end} crosses the end of a segment")]
    CrossesSegment {
        /// The batch's first index.
        start: u64,
        /// The index after its last.
        end: u64,
    },
    /// The note is not the origin's.
    #[error("note of the batch is refused: {0}")]
    Note(#[from] CheckpointError),
    /// The note is not of the size that the batch ends at.
    #[error("batch ends at {end}, its note at {signed}")]
    Size {
        /// The index after the batch's last.
        end: u64,
        /// The size that is signed.
        signed: u64,
    },
    /// The entries do not lead to the root that the origin signed. Either the one who passed them
    /// on changed them, or the origin has two histories: the note is kept for
    /// [`crate::equivocation`].
    #[error("entries do not lead to the root that is signed at size {}", note.checkpoint().size)]
    Root {
        /// What the origin signed.
        note: Box<SignedCheckpoint>,
    },
    /// The batch was accepted before another one was committed.
    #[error("batch starts at {start}, and {held} entries are committed")]
    Stale {
        /// The batch's first index.
        start: u64,
        /// Entries committed.
        held: u64,
    },
}

impl Follower {
    /// Follows `origin`, whose log key is `key`, from the entries already held.
    #[must_use]
    pub const fn new(origin: Origin, key: PublicKey, tree: Tree) -> Self {
        Self { origin, key, tree }
    }

    /// Checks a batch whose first entry has the index `start` and whose last is what `note` ends
    /// at. What the entries say is not looked at: an invalid entry is kept and marked, and never
    /// stops a log.
    ///
    /// # Errors
    /// [`FollowError`]; bounds first, then place, then the note, then the root.
    pub fn check(
        &self,
        start: u64,
        entries: &[&[u8]],
        note: &[u8],
    ) -> Result<Accepted, FollowError> {
        let end = self.check_bounds(start, entries)?;
        let checkpoint = SignedCheckpoint::open(note, &self.origin, &self.key)?;
        if checkpoint.checkpoint().size != end {
            return Err(FollowError::Size {
                end,
                signed: checkpoint.checkpoint().size,
            });
        }
        let mut tree = self.tree.clone();
        let leaves: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let completed = leaves.iter().flat_map(|leaf| tree.append(*leaf)).collect();
        if tree.root() != checkpoint.checkpoint().root {
            return Err(FollowError::Root {
                note: Box::new(checkpoint),
            });
        }
        Ok(Accepted {
            start,
            tree,
            leaves,
            completed,
            checkpoint,
        })
    }

    /// Goes on from a batch that is now durable.
    ///
    /// # Errors
    /// [`FollowError::Stale`] if another batch was committed since it was checked.
    pub fn commit(&mut self, accepted: Accepted) -> Result<(), FollowError> {
        if accepted.start != self.tree.size() {
            return Err(FollowError::Stale {
                start: accepted.start,
                held: self.tree.size(),
            });
        }
        self.tree = accepted.tree;
        Ok(())
    }

    /// How far the copy goes, as the checkpoint of it that the origin must have signed.
    #[must_use]
    pub fn head(&self) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            size: self.tree.size(),
            root: self.tree.root(),
        }
    }

    /// The tree over what is held.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    fn check_bounds(&self, start: u64, entries: &[&[u8]]) -> Result<u64, FollowError> {
        let held = self.tree.size();
        let count = entries.len();
        if count > MAX_BATCH_ENTRIES {
            return Err(FollowError::TooMany { count });
        }
        if start < held {
            return Err(FollowError::Old { start, held });
        }
        if start > held {
            return Err(FollowError::Gap { start, held });
        }
        let mut end = start;
        let mut left = MAX_BATCH_BYTES;
        for entry in entries {
            if entry.len() > MAX_ENTRY_BYTES {
                return Err(FollowError::EntryTooLong {
                    index: end,
                    bytes: entry.len(),
                });
            }
            left = left.checked_sub(entry.len()).ok_or(FollowError::TooLong)?;
            end = end.checked_add(1).ok_or(FollowError::TooLong)?;
        }
        let last = end
            .checked_sub(1)
            .filter(|_| count > 0)
            .ok_or(FollowError::Empty)?;
        if start / SEGMENT_ENTRIES != last / SEGMENT_ENTRIES {
            return Err(FollowError::CrossesSegment { start, end });
        }
        Ok(end)
    }
}

impl Accepted {
    /// The index of the first entry.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The tree with the batch.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The leaf hashes of the batch, one per entry.
    #[must_use]
    pub fn leaves(&self) -> &[Hash] {
        &self.leaves
    }

    /// The hashes that the batch adds to the flat hash file, in its order.
    #[must_use]
    pub fn completed(&self) -> &[Hash] {
        &self.completed
    }

    /// What the origin signed for it.
    #[must_use]
    pub const fn checkpoint(&self) -> &SignedCheckpoint {
        &self.checkpoint
    }
}
