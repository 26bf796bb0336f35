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
        let mut completed = Vec::with_capacity(2 * leaves.len());
        for leaf in &leaves {
            tree.append_to(*leaf, &mut completed);
        }
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::key::SigningKey;
    use crate::note::NoteError;
    use crate::testlog::TestLog;

    fn follower(log: &TestLog) -> Follower {
        Follower::new(log.origin.clone(), log.key.public(), Tree::new())
    }

    #[test]
    fn batches_that_lead_to_signed_roots_are_taken() {
        let log = TestLog::of(10);
        let mut follower = follower(&log);
        let mut stored = Vec::new();
        for (start, end) in [(0, 1), (1, 4), (4, 10)] {
            let entries = log.batch(start, end);
            let note = log.note(end as u64);
            let accepted = follower.check(start as u64, &entries, &note).unwrap();
            assert_eq!(accepted.start(), start as u64);
            assert_eq!(accepted.leaves().len(), entries.len());
            assert_eq!(accepted.tree().size(), end as u64);
            assert_eq!(accepted.checkpoint(), &log.signed(end as u64));
            stored.extend_from_slice(accepted.completed());
            follower.commit(accepted).unwrap();
            assert_eq!(follower.head(), log.checkpoint(end as u64));
        }
        assert_eq!(stored, log.stored);
        // It can be taken up again from what was stored.
        let tree = Tree::restore(10, |place| log.read(place)).unwrap();
        assert_eq!(&tree, follower.tree());
    }

    #[test]
    fn a_changed_left_out_or_added_entry_is_refused() {
        let log = TestLog::of(5);
        let follower = follower(&log);
        let mut entries = log.batch(0, 5);
        entries[2] = b"changed";
        let refused = follower.check(0, &entries, &log.note(5));
        assert_eq!(
            refused.unwrap_err(),
            FollowError::Root {
                note: Box::new(log.signed(5))
            }
        );
        let refused = follower.check(0, &log.batch(0, 4), &log.note(5));
        assert_eq!(
            refused.unwrap_err(),
            FollowError::Size { end: 4, signed: 5 }
        );
        let mut entries = log.batch(0, 5);
        entries.swap(1, 2);
        assert!(matches!(
            follower.check(0, &entries, &log.note(5)),
            Err(FollowError::Root { .. })
        ));
        assert_eq!(follower.head().size, 0);
    }

    #[test]
    fn a_peer_that_rewrites_history_is_refused() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let mut follower = follower(&log);
        let accepted = follower.check(0, &log.batch(0, 6), &log.note(6)).unwrap();
        follower.commit(accepted).unwrap();
        let refused = follower
            .check(6, &fork.batch(6, 9), &fork.note(9))
            .unwrap_err();
        assert_eq!(
            refused,
            FollowError::Root {
                note: Box::new(fork.signed(9))
            }
        );
    }

    #[test]
    fn batches_out_of_place_are_refused() {
        let log = TestLog::of(9);
        let mut follower = follower(&log);
        let first = follower.check(0, &log.batch(0, 3), &log.note(3)).unwrap();
        let rival = follower.check(0, &log.batch(0, 4), &log.note(4)).unwrap();
        follower.commit(first).unwrap();
        let stale = FollowError::Stale { start: 0, held: 3 };
        assert_eq!(follower.commit(rival), Err(stale));
        let old = follower
            .check(2, &log.batch(2, 5), &log.note(5))
            .unwrap_err();
        assert_eq!(old, FollowError::Old { start: 2, held: 3 });
        let gap = follower
            .check(4, &log.batch(4, 5), &log.note(5))
            .unwrap_err();
        assert_eq!(gap, FollowError::Gap { start: 4, held: 3 });
        let empty = follower.check(3, &[], &log.note(3)).unwrap_err();
        assert_eq!(empty, FollowError::Empty);
        assert_eq!(follower.head().size, 3);
    }

    #[test]
    fn the_note_must_be_the_origins() {
        let log = TestLog::of(2);
        let stranger = SigningKey::from_seed([9; 32]);
        let note = log.checkpoint(2).sign(&stranger).unwrap().to_bytes();
        let refused = follower(&log)
            .check(0, &log.batch(0, 2), &note)
            .unwrap_err();
        assert_eq!(
            refused,
            FollowError::Note(CheckpointError::Note(NoteError::Unsigned))
        );
    }

    #[test]
    fn bounds_are_checked_before_anything_is_hashed() {
        let log = TestLog::of(1);
        let long = vec![0; MAX_ENTRY_BYTES + 1];
        let check = |entries: &[&[u8]]| follower(&log).check(0, entries, b"").unwrap_err();
        let (index, bytes) = (1, long.len());
        assert_eq!(
            check(&[b"", &long]),
            FollowError::EntryTooLong { index, bytes }
        );
        assert_eq!(check(&[&long[1..]; 17]), FollowError::TooLong);
        let count = MAX_BATCH_ENTRIES + 1;
        assert_eq!(
            check(&vec![&b""[..]; count]),
            FollowError::TooMany { count }
        );
    }

    #[test]
    fn no_batch_crosses_the_end_of_a_segment() {
        let log = TestLog::of(SEGMENT_ENTRIES + 2);
        let mut follower = follower(&log);
        let end = usize::try_from(SEGMENT_ENTRIES).unwrap();
        let accepted = follower.check(0, &log.batch(0, end - 1), &log.note(SEGMENT_ENTRIES - 1));
        follower.commit(accepted.unwrap()).unwrap();
        let start = SEGMENT_ENTRIES - 1;
        let refused = follower.check(start, &log.batch(end - 1, end + 1), &log.note(start + 2));
        let crosses = FollowError::CrossesSegment {
            start,
            end: start + 2,
        };
        assert_eq!(refused.unwrap_err(), crosses);
        let accepted = follower.check(start, &log.batch(end - 1, end), &log.note(start + 1));
        follower.commit(accepted.unwrap()).unwrap();
        let last = log.batch(end, end + 2);
        assert!(
            follower
                .check(start + 1, &last, &log.note(start + 3))
                .is_ok()
        );
    }

    proptest! {
        #[test]
        fn hostile_batches_are_refused_without_a_panic(
            start: u64, held: u64, entries in vec(vec(any::<u8>(), 0..50), 0..20), note: Vec<u8>,
        ) {
            let log = TestLog::of(1);
            let tree = Tree::restore(held, |_| log.read(0)).unwrap();
            let follower = Follower::new(log.origin.clone(), log.key.public(), tree);
            let entries: Vec<_> = entries.iter().map(Vec::as_slice).collect();
            for (start, note) in [(start, note), (held, log.note(1))] {
                if let Ok(accepted) = follower.check(start, &entries, &note) {
                    prop_assert_eq!(accepted.checkpoint(), &log.signed(1));
                }
            }
        }
    }
}
