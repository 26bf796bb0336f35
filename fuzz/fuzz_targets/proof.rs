//! Proofs of any size and length are refused or lead to one root; a consistent pair has one proof.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_log::hash::Hash;
use tocsin_log::proof::{root_from_inclusion, verify_consistency, verify_inclusion};

fuzz_target!(|input: (u64, u64, [u8; 32], Vec<[u8; 32]>)| {
    let (a, b, leaf, proof) = input;
    let leaf = Hash(leaf);
    let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
    if let Ok(root) = root_from_inclusion(&leaf, a, b, &proof) {
        assert!(verify_inclusion(&leaf, a, b, &proof, &root).is_ok());
        let other = Hash(root.0.map(|byte| !byte));
        assert!(verify_inclusion(&leaf, a, b, &proof, &other).is_err());
        // The same path is no proof at another length.
        let mut longer = proof.clone();
        longer.push(leaf);
        assert!(root_from_inclusion(&leaf, a, b, &longer).is_err());
    }
    let new = proof.last().copied().unwrap_or(leaf);
    if verify_consistency(a, b, &leaf, &new, &proof).is_ok() {
        assert!(a <= b && (a != b || leaf == new));
    }
});
