//! Inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2, verified as in RFC 9162).

use crate::hash::{Hash, node_hash};
use crate::tree::{MAX_TREE_SIZE, fold, peak_positions};

/// The most hashes in a proof (C2SP tlog-witness). Only a consistency proof in a tree of more than
/// 2^62 leaves could be longer.
pub const MAX_PROOF_HASHES: usize = 63;

/// Why a proof proves nothing. The one who sent it is wrong, or what it was checked against is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// There is no such proof: the index is not in the tree, or not 0 < old <= new <=
    /// [`MAX_TREE_SIZE`].
    #[error("no proof leads from {from} to a tree of {size} entries")]
    Bounds {
        /// The index or the old size.
        from: u64,
        /// The tree's size.
        size: u64,
    },
    /// Not as many hashes as the tree's shape needs.
    #[error("proof of {found} hashes does not have the length that the sizes ask for")]
    Length {
        /// Hashes given.
        found: usize,
    },
    /// The hashes lead to another root than the one given.
    #[error("proof does not lead to the root")]
    Root,
}

/// Why a proof could not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError<E> {
    /// See [`ProofError::Bounds`].
    #[error("no proof leads from {from} to a tree of {size} entries")]
    Bounds {
        /// The index or the old size.
        from: u64,
        /// The tree's size.
        size: u64,
    },
    /// A stored hash could not be read.
    #[error("stored hashes cannot be read")]
    Read(#[source] E),
}

/// Builds the proof that the leaf at `index` is in the tree of the first `size` leaves; the hashes
/// stand from the leaf upwards. `read` answers for places in the hash file
/// ([`crate::tree::position`]).
///
/// # Errors
/// [`BuildError::Bounds`] unless `index < size`, or what `read` fails with.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    mut read: impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    if index >= size || size > MAX_TREE_SIZE {
        return Err(BuildError::Bounds { from: index, size });
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range_hash(middle, end, &mut read)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut read)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Builds the proof that the tree of `new` leaves begins with the tree of `old` leaves. `read`
/// answers for places in the hash file.
///
/// # Errors
/// [`BuildError::Bounds`] unless `0 < old <= new`, or what `read` fails with.
pub fn consistency<E>(
    old: u64,
    new: u64,
    mut read: impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, BuildError<E>> {
    if old == 0 || old > new || new > MAX_TREE_SIZE {
        return Err(BuildError::Bounds {
            from: old,
            size: new,
        });
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range_hash(middle, end, &mut read)?);
            end = middle;
        } else {
            proof.push(range_hash(start, middle, &mut read)?);
            start = middle;
        }
    }
    // From the very start it is the old root, which the verifier has.
    if start > 0 {
        proof.push(range_hash(start, end, &mut read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the leaf with this hash stands at `index` of the tree with `size` leaves and this
/// root.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if root_from_inclusion(leaf, index, size, proof)? == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// [`ProofError::Bounds`] or [`ProofError::Length`].
pub fn root_from_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
) -> Result<Hash, ProofError> {
    if index >= size || size > MAX_TREE_SIZE {
        return Err(ProofError::Bounds { from: index, size });
    }
    let mut walk = Walk {
        node: index,
        last: size - 1,
    };
    let mut hash = *leaf;
    for sibling in check_length(proof)? {
        hash = match walk.step() {
            Some(Side::Left) => node_hash(sibling, &hash),
            Some(Side::Right) => node_hash(&hash, sibling),
            None => return Err(ProofError::Length { found: proof.len() }),
        };
    }
    if walk.last == 0 {
        Ok(hash)
    } else {
        Err(ProofError::Length { found: proof.len() })
    }
}

/// Checks that the tree of `new` leaves with `new_root` begins with the tree of `old` leaves with
/// `old_root` (RFC 9162 section 2.1.4.2).
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 || old > new || new > MAX_TREE_SIZE {
        return Err(ProofError::Bounds {
            from: old,
            size: new,
        });
    }
    let wrong_length = ProofError::Length { found: proof.len() };
    let proof = check_length(proof)?;
    if old == new {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(wrong_length),
            (true, false) => Err(ProofError::Root),
            (true, true) => Ok(()),
        };
    }
    // An old tree that is one complete subtree is itself the first hash, and the proof leaves it
    // out.
    let (first, rest) = if old.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(wrong_length)?
    };
    let complete = (old - 1).trailing_ones();
    let mut walk = Walk {
        node: (old - 1) >> complete,
        last: (new - 1) >> complete,
    };
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in rest {
        match walk.step() {
            Some(Side::Left) => {
                from_old = node_hash(sibling, &from_old);
                from_new = node_hash(sibling, &from_new);
            }
            Some(Side::Right) => from_new = node_hash(&from_new, sibling),
            None => return Err(wrong_length),
        }
    }
    if walk.last != 0 {
        return Err(wrong_length);
    }
    if from_old == *old_root && from_new == *new_root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// A climb from a node to the root of a tree, skipping the levels on which the node has no sibling.
struct Walk {
    /// The node's index on its level.
    node: u64,
    /// The index of the last node of the same level. 0 is the root's level.
    last: u64,
}

/// On which side the next hash of a proof stands.
enum Side {
    Left,
    Right,
}

impl Walk {
    const fn step(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            // The last node of a level may be alone there; its next sibling is then on the left,
            // higher up. It is not node 0: that is the last only on the root's level.
            let levels = self.node.trailing_zeros();
            self.node >>= levels;
            self.last >>= levels;
            Side::Left
        } else {
            Side::Right
        };
        self.node >>= 1;
        self.last >>= 1;
        Some(side)
    }
}

const fn check_length(proof: &[Hash]) -> Result<&[Hash], ProofError> {
    if proof.len() > MAX_PROOF_HASHES {
        return Err(ProofError::Length { found: proof.len() });
    }
    Ok(proof)
}

/// The largest power of two below `count`, which is at least 2: how many leaves the left subtree
/// has.
const fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

fn range_hash<E>(
    start: u64,
    end: u64,
    read: &mut impl FnMut(u64) -> Result<Hash, E>,
) -> Result<Hash, BuildError<E>> {
    let peaks = peak_positions(start, end)
        .into_iter()
        .map(read)
        .collect::<Result<Vec<_>, E>>();
    peaks.map(|peaks| fold(&peaks)).map_err(BuildError::Read)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::hash::{EMPTY_ROOT, leaf_hash};
    use crate::testlog::TestLog;
    use crate::tree::{Tree, position};

    #[test]
    fn inclusion_proofs_round_trip_for_every_index_and_size_to_300() {
        let log = TestLog::of(300);
        for size in 1..=300_u64 {
            for index in 0..size {
                let leaf = log.stored[usize::try_from(position(0, index)).unwrap()];
                let proof = inclusion(index, size, |place| log.read(place)).unwrap();
                let root = &log.root(size);
                assert_eq!(verify_inclusion(&leaf, index, size, &proof, root), Ok(()));
                let elsewhere = (index + 1) % size;
                assert!(
                    size == 1 || verify_inclusion(&leaf, elsewhere, size, &proof, root).is_err()
                );
                if let Some((_, short)) = proof.split_last() {
                    let refused = verify_inclusion(&leaf, index, size, short, root);
                    assert_eq!(refused, Err(ProofError::Length { found: short.len() }));
                }
                let long = [proof, vec![leaf]].concat();
                let refused = verify_inclusion(&leaf, index, size, &long, root);
                assert_eq!(refused, Err(ProofError::Length { found: long.len() }));
            }
        }
    }

    #[test]
    fn consistency_proofs_round_trip_for_every_pair_of_sizes_to_300() {
        let log = TestLog::of(300);
        for new in 1..=300_u64 {
            for old in 1..=new {
                let (old_root, new_root) = (&log.root(old), &log.root(new));
                let proof = consistency(old, new, |place| log.read(place)).unwrap();
                assert_eq!(
                    verify_consistency(old, new, old_root, new_root, &proof),
                    Ok(())
                );
                let forged = leaf_hash(b"forged");
                let refused = verify_consistency(old, new, &forged, new_root, &proof);
                assert_eq!(refused, Err(ProofError::Root));
                let refused = verify_consistency(old, new, old_root, &forged, &proof);
                assert_eq!(refused, Err(ProofError::Root));
                if let Some((_, short)) = proof.split_last() {
                    assert!(verify_consistency(old, new, old_root, new_root, short).is_err());
                }
                let long = [proof, vec![forged]].concat();
                let refused = verify_consistency(old, new, old_root, new_root, &long);
                assert_eq!(refused, Err(ProofError::Length { found: long.len() }));
            }
        }
    }

    #[test]
    fn what_lies_outside_the_tree_has_no_proof() {
        let read = |_| Ok::<_, Infallible>(EMPTY_ROOT);
        let bounds = |from, size| Err(BuildError::Bounds { from, size });
        assert_eq!(inclusion(0, 0, read), bounds(0, 0));
        assert_eq!(inclusion(5, 5, read), bounds(5, 5));
        assert_eq!(consistency(0, 5, read), bounds(0, 5));
        assert_eq!(consistency(6, 5, read), bounds(6, 5));
        assert_eq!(inclusion(0, u64::MAX, read), bounds(0, u64::MAX));
        assert_eq!(consistency(1, u64::MAX, read), bounds(1, u64::MAX));
        let refused = verify_consistency(0, 5, &EMPTY_ROOT, &EMPTY_ROOT, &[]);
        assert_eq!(refused, Err(ProofError::Bounds { from: 0, size: 5 }));
    }

    #[test]
    fn a_failed_read_is_passed_on() {
        assert_eq!(
            inclusion(0, 2, |_| Err("disk")),
            Err(BuildError::Read("disk"))
        );
        assert_eq!(
            consistency(1, 2, |_| Err("disk")),
            Err(BuildError::Read("disk"))
        );
    }

    /// In a log of equal leaves a stored hash depends on its level alone, so trees of any size can
    /// be read.
    fn uniform_read(place: u64) -> Result<Hash, Infallible> {
        let (mut start, mut level) = (0, 63);
        // A subtree of height h takes 2^(h+1) - 1 places, its own root the last of them.
        loop {
            let last = start + (u64::MAX >> (63 - level)) - 1;
            match place {
                _ if place == last => break,
                _ if place >= start + (last - start) / 2 => start += (last - start) / 2,
                _ => {}
            }
            level -= 1;
        }
        Ok((0..level).fold(leaf_hash(b""), |hash, _| node_hash(&hash, &hash)))
    }

    #[test]
    fn the_uniform_log_reads_each_place_by_its_level() {
        let mut tree = Tree::new();
        let mut stored = Vec::new();
        (0..100).for_each(|_| stored.extend(tree.append(leaf_hash(b""))));
        for (place, hash) in (0..).zip(stored) {
            assert_eq!(uniform_read(place), Ok(hash));
        }
        assert_eq!(uniform_read(position(62, 1)), uniform_read(position(62, 0)));
    }

    proptest! {
        #[test]
        fn proofs_hold_at_any_size(size in 1..=MAX_TREE_SIZE, a: u64, b: u64) {
            let index = a % size;
            let leaf = leaf_hash(b"");
            let root = Tree::restore(size, uniform_read).unwrap().root();
            let proof = inclusion(index, size, uniform_read).unwrap();
            prop_assert_eq!(verify_inclusion(&leaf, index, size, &proof, &root), Ok(()));
            let old = b % size + 1;
            let old_root = Tree::restore(old, uniform_read).unwrap().root();
            let proof = consistency(old, size, uniform_read).unwrap();
            let verdict = verify_consistency(old, size, &old_root, &root, &proof);
            prop_assert!(verdict.is_ok() || proof.len() > MAX_PROOF_HASHES);
        }

        #[test]
        fn hostile_proofs_are_refused_without_a_panic(
            index: u64, size: u64, hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70),
        ) {
            let proof: Vec<_> = hashes.into_iter().map(Hash).collect();
            let root = leaf_hash(b"root");
            prop_assert!(verify_inclusion(&leaf_hash(b"x"), index, size, &proof, &root).is_err());
            let small = (index % 400, size % 400);
            for (old, new) in [(index, size), small] {
                let verdict = verify_consistency(old, new, &EMPTY_ROOT, &root, &proof);
                prop_assert!(verdict.is_err());
            }
            let _ = root_from_inclusion(&root, small.0, small.1, &proof);
        }
    }
}
