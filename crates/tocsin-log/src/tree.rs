//! The Merkle tree of a log, held as the few hashes that the next root needs (RFC 6962 section
//! 2.1).
//!
//! Every hash of the tree also has one place in a flat file, in the order in which the hashes are
//! completed: each leaf, then the parents it completes (post-order; Go `tlog.StoredHashIndex`).
//! Proofs read from there.

use crate::hash::{EMPTY_ROOT, Hash, node_hash};

/// The most entries a log may claim. Sizes above it are refused where they are parsed, so that
/// places in the hash file, at most twice the size, fit 64 bits.
pub const MAX_TREE_SIZE: u64 = 1 << 63;

/// A compact Merkle tree: the roots of the complete subtrees, largest first; at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// One per bit set in `size`, the highest bit's first.
    peaks: Vec<Hash>,
}

impl Tree {
    /// The tree with no entries.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            peaks: Vec::new(),
        }
    }

    /// Takes up a tree of `size` leaves from its stored hashes; `read` answers for places in the
    /// hash file. Nothing is checked: compare [`Tree::root`] with a root that is trusted.
    ///
    /// # Errors
    /// What `read` fails with.
    pub fn restore<E>(size: u64, read: impl FnMut(u64) -> Result<Hash, E>) -> Result<Self, E> {
        let peaks = peak_positions(0, size)
            .into_iter()
            .map(read)
            .collect::<Result<_, E>>()?;
        Ok(Self { size, peaks })
    }

    /// Appends a leaf hash and returns the hashes that it completes: itself, then parents upwards.
    /// In this order they extend the flat hash file.
    pub fn append(&mut self, leaf: Hash) -> Vec<Hash> {
        let mut completed = Vec::new();
        self.append_to(leaf, &mut completed);
        completed
    }

    /// As [`Tree::append`], for many leaves: the completed hashes go behind those already there.
    pub fn append_to(&mut self, leaf: Hash, completed: &mut Vec<Hash>) {
        completed.push(leaf);
        let mut carry = leaf;
        for _ in 0..self.size.trailing_ones() {
            let Some(left) = self.peaks.pop() else { break };
            carry = node_hash(&left, &carry);
            completed.push(carry);
        }
        self.peaks.push(carry);
        self.size += 1;
    }

    /// The root over all leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.peaks)
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }
}

/// The place of a node in the flat hash file: `index` counts the nodes of its `level`, level 0 are
/// the leaves. A node beyond [`MAX_TREE_SIZE`] leaves has no place; the answer is `u64::MAX`, which
/// no file has.
#[must_use]
pub fn position(level: u32, index: u64) -> u64 {
    let end = u128::from(index) + 1;
    if level > 63 || end > u128::from(MAX_TREE_SIZE >> level) {
        return u64::MAX;
    }
    // A node is written right after the last leaf below it, once the nodes of lower levels are.
    let last_leaf = ((index + 1) << level) - 1;
    stored_count(last_leaf) + u64::from(level)
}

/// How many hashes the flat file holds for a tree of `size` leaves: `2 * size` less one per
/// complete subtree.
#[must_use]
pub const fn stored_count(size: u64) -> u64 {
    (size - size.count_ones() as u64).saturating_add(size)
}

/// The hash over complete subtrees that stand side by side, largest first.
pub(crate) fn fold(peaks: &[Hash]) -> Hash {
    peaks
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right))
        .unwrap_or(EMPTY_ROOT)
}

/// The places of the complete subtrees that make up the leaves `start..end`, largest first. `start`
/// is a multiple of a power of two not below `end - start`, as it always is in RFC 6962's
/// recursion.
pub(crate) fn peak_positions(start: u64, end: u64) -> Vec<u64> {
    let mut positions = Vec::new();
    let mut from = start;
    while from < end {
        let level = (end - from).ilog2();
        positions.push(position(level, from >> level));
        from += 1 << level;
    }
    positions
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::hash::leaf_hash;

    /// RFC 6962 section 2.1, as it is written there.
    fn naive_root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => EMPTY_ROOT,
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    #[test]
    fn every_root_up_to_300_leaves_is_the_definitions() {
        let mut tree = Tree::new();
        let (mut leaves, mut stored) = (Vec::new(), Vec::new());
        for n in 0..300_u64 {
            assert_eq!(tree.size(), n);
            assert_eq!(tree.root(), naive_root(&leaves));
            assert_eq!(stored_count(n), stored.len() as u64);
            let read = |place: u64| Ok::<_, Infallible>(stored[usize::try_from(place).unwrap()]);
            assert_eq!(Tree::restore(n, read).unwrap(), tree);
            let leaf = leaf_hash(&n.to_be_bytes());
            leaves.push(leaf);
            stored.extend(tree.append(leaf));
        }
    }

    #[test]
    fn completed_hashes_land_on_their_positions() {
        let mut tree = Tree::new();
        let mut count = 0;
        for n in 0..1000_u64 {
            for (level, _) in (0_u32..).zip(tree.append(leaf_hash(b"x"))) {
                assert_eq!(position(level, n >> level), count);
                count += 1;
            }
        }
        assert_eq!(count, stored_count(1000));
    }

    #[test]
    fn positions_hold_to_the_largest_size() {
        assert_eq!(stored_count(MAX_TREE_SIZE), u64::MAX);
        assert_eq!(position(63, 0), u64::MAX - 1);
        assert_eq!(
            position(0, MAX_TREE_SIZE - 1),
            stored_count(MAX_TREE_SIZE - 1)
        );
        assert_eq!(position(0, MAX_TREE_SIZE), u64::MAX);
        assert_eq!(position(63, 1), u64::MAX);
        assert_eq!(position(64, 0), u64::MAX);
        assert_eq!(position(u32::MAX, u64::MAX), u64::MAX);
        assert_eq!(stored_count(0), 0);
    }

    proptest! {
        #[test]
        fn no_level_index_or_size_overflows(level: u32, index: u64, size: u64) {
            let _ = position(level % 80, index);
            let _ = stored_count(size);
            let read = |_| Ok::<_, Infallible>(EMPTY_ROOT);
            let tree = Tree::restore(size, read).unwrap();
            prop_assert_eq!(tree.peaks.len(), size.count_ones() as usize);
        }
    }
}
