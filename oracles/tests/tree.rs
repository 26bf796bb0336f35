//! Trees, places and proofs against `tlog_tiles` and `ct-merkle`, both ways.

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use sha2::Sha256;
use tlog_tiles::{
    check_record, check_tree, prove_record, prove_tree, record_hash, stored_hash_count,
    stored_hash_index, stored_hashes, tree_hash,
};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::proof::{consistency, inclusion, verify_consistency, verify_inclusion};
use tocsin_log::tree::{MAX_TREE_SIZE, Tree, position, stored_count};
use tocsin_oracles::{Logs, join, ours, split, theirs};

/// The root of a size as `ct-merkle` holds it.
fn ct_root(logs: &Logs, size: u64) -> RootHash<Sha256> {
    RootHash::new(logs.roots[usize::try_from(size).unwrap()].0.into(), size)
}

#[test]
fn roots_and_stored_hashes_are_the_same_at_every_size_to_600() {
    let mut logs = Logs::of(0);
    for size in 0..600 {
        let root = logs.roots[usize::try_from(size).unwrap()];
        assert_eq!(tree_hash(size, &logs).unwrap(), theirs(root));
        assert_eq!(logs.ct.root().as_bytes()[..], root.0);
        assert_eq!(stored_hash_count(size), stored_count(size));
        let before = logs.stored.len();
        let entry = Logs::of(size + 1).entries.pop().unwrap();
        let next = stored_hashes(size, &entry, &logs).unwrap();
        logs.push(size);
        assert_eq!(ours(&next), logs.stored[before..]);
    }
}

#[test]
fn inclusion_proofs_are_the_same_and_verify_both_ways() {
    let logs = Logs::of(130);
    for size in 1..=130 {
        let root = logs.roots[usize::try_from(size).unwrap()];
        let ct_tree = Logs::of(size).ct;
        for index in 0..size {
            let at = usize::try_from(index).unwrap();
            let (entry, leaf) = (&logs.entries[at], leaf_hash(&logs.entries[at]));
            assert_eq!(record_hash(entry), theirs(leaf));
            let proof = inclusion(index, size, |place| logs.read(place)).unwrap();
            let tlog = prove_record(size, index, &logs).unwrap();
            assert_eq!(ours(&tlog), proof);
            let ct = ct_tree.prove_inclusion(at);
            assert_eq!(split(ct.as_bytes()), proof);

            assert_eq!(
                verify_inclusion(&leaf, index, size, &ours(&tlog), &root),
                Ok(())
            );
            let given = proof.iter().copied().map(theirs).collect();
            check_record(&given, size, theirs(root), index, theirs(leaf)).unwrap();
            let given = InclusionProof::try_from_bytes(join(&proof)).unwrap();
            ct_root(&logs, size)
                .verify_inclusion(entry, index, &given)
                .unwrap();
        }
    }
}

#[test]
fn consistency_proofs_are_the_same_and_verify_both_ways() {
    let logs = Logs::of(130);
    for new in 1..=130 {
        let new_root = logs.roots[usize::try_from(new).unwrap()];
        let ct_tree = Logs::of(new).ct;
        for old in 1..=new {
            let old_root = logs.roots[usize::try_from(old).unwrap()];
            let proof = consistency(old, new, |place| logs.read(place)).unwrap();
            let tlog = prove_tree(new, old, &logs).unwrap();
            assert_eq!(ours(&tlog), proof);
            let ct = ct_tree.prove_consistency(usize::try_from(new - old).unwrap());
            assert_eq!(split(ct.as_bytes()), proof);

            let verdict = verify_consistency(old, new, &old_root, &new_root, &ours(&tlog));
            assert_eq!(verdict, Ok(()));
            let given = proof.iter().copied().map(theirs).collect();
            check_tree(&given, new, theirs(new_root), old, theirs(old_root)).unwrap();
            let given = ConsistencyProof::try_from_bytes(join(&proof)).unwrap();
            ct_root(&logs, new)
                .verify_consistency(&ct_root(&logs, old), &given)
                .unwrap();
        }
    }
}

/// What can go wrong with a proof on its way.
#[derive(Clone, Debug)]
enum Damage {
    None,
    Flip(usize, u8),
    Drop(usize),
    Insert(usize, [u8; 32]),
    Swap(usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::None),
        (any::<usize>(), any::<u8>()).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<usize>().prop_map(Damage::Drop),
        any::<(usize, [u8; 32])>().prop_map(|(at, hash)| Damage::Insert(at, hash)),
        any::<(usize, usize)>().prop_map(|(a, b)| Damage::Swap(a, b)),
    ]
}

fn apply(damage: &Damage, proof: &mut Vec<Hash>) {
    let length = proof.len();
    match *damage {
        Damage::Insert(at, hash) => proof.insert(at % (length + 1), Hash(hash)),
        Damage::Flip(at, bit) if length > 0 => proof[at % length].0[3] ^= 1 << (bit % 8),
        Damage::Drop(at) if length > 0 => {
            proof.remove(at % length);
        }
        Damage::Swap(a, b) if length > 0 => proof.swap(a % length, b % length),
        Damage::None | Damage::Flip(..) | Damage::Drop(_) | Damage::Swap(..) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn all_three_judge_damaged_inclusion_proofs_alike(
        sizes in (1_u64..70, 1_u64..70), indexes in (0_u64..70, 0_u64..70), damage in damage(),
    ) {
        // Now and then the proof is of another size or index than it is shown for.
        let logs = Logs::of(70);
        let (size, index) = (sizes.0, indexes.0 % sizes.0);
        let mut proof = inclusion(index, size, |place| logs.read(place)).unwrap();
        apply(&damage, &mut proof);
        for (size, index) in [(size, index), (sizes.1, index), (size, indexes.1)] {
            let root = logs.roots[usize::try_from(size).unwrap()];
            let entry = &logs.entries[usize::try_from(index).unwrap()];
            let leaf = leaf_hash(entry);
            let verdict = verify_inclusion(&leaf, index, size, &proof, &root).is_ok();
            let given = proof.iter().copied().map(theirs).collect();
            let tlog = check_record(&given, size, theirs(root), index, theirs(leaf));
            prop_assert_eq!(tlog.is_ok(), verdict);
            let given = InclusionProof::try_from_bytes(join(&proof)).unwrap();
            let ct = ct_root(&logs, size).verify_inclusion(entry, index, &given);
            prop_assert_eq!(ct.is_ok(), verdict);
        }
    }

    #[test]
    fn all_three_judge_damaged_consistency_proofs_alike(
        new in (1_u64..70, 1_u64..70), old in (1_u64..70, 1_u64..70), damage in damage(),
    ) {
        let logs = Logs::of(70);
        let (right_old, right_new) = ((old.0 - 1) % new.0 + 1, new.0);
        let mut proof = consistency(right_old, right_new, |place| logs.read(place)).unwrap();
        apply(&damage, &mut proof);
        for (old, new) in [(right_old, right_new), (right_old, new.1), (old.1, right_new)] {
            let root = |size| logs.roots[usize::try_from(size).unwrap()];
            let verdict = verify_consistency(old, new, &root(old), &root(new), &proof).is_ok();
            let given = proof.iter().copied().map(theirs).collect();
            let tlog = check_tree(&given, new, theirs(root(new)), old, theirs(root(old)));
            prop_assert_eq!(tlog.is_ok(), verdict);
            let given = ConsistencyProof::try_from_bytes(join(&proof)).unwrap();
            let ct = ct_root(&logs, new).verify_consistency(&ct_root(&logs, old), &given);
            prop_assert_eq!(ct.is_ok(), verdict);
        }
    }

    #[test]
    fn places_in_the_hash_file_are_the_same_up_to_the_largest_log(level in 0_u8..63, n: u64) {
        let n = n % (MAX_TREE_SIZE >> level);
        prop_assert_eq!(position(u32::from(level), n), stored_hash_index(level, n));
        let size = n % MAX_TREE_SIZE;
        prop_assert_eq!(stored_count(size), stored_hash_count(size));
    }

    #[test]
    fn a_tree_is_taken_up_again_anywhere(size in 0_u64..200) {
        let logs = Logs::of(200);
        let tree = Tree::restore(size, |place| logs.read(place)).unwrap();
        prop_assert_eq!(theirs(tree.root()), tree_hash(size, &logs).unwrap());
    }
}
