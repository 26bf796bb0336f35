//! A batch that its origin signed is taken; with a byte changed, left out or added it is not.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_fuzz::{key, origin};
use tocsin_log::checkpoint::Checkpoint;
use tocsin_log::follower::Follower;
use tocsin_log::hash::leaf_hash;
use tocsin_log::tree::Tree;

fuzz_target!(|input: (Vec<Vec<u8>>, Vec<Vec<u8>>, u16)| {
    let (held, batch, at) = input;
    if batch.is_empty() {
        return;
    }
    let mut tree = Tree::new();
    for entry in &held {
        tree.append(leaf_hash(entry));
    }
    let follower = Follower::new(origin("us"), key("us", 2).public(), tree.clone());
    for entry in &batch {
        tree.append(leaf_hash(entry));
    }
    let size = (held.len() + batch.len()) as u64;
    let checkpoint = Checkpoint {
        origin: origin("us"),
        size,
        root: tree.root(),
    };
    let note = checkpoint
        .sign(&key("us", 2))
        .expect("a size that can be signed")
        .to_bytes();
    let start = held.len() as u64;
    let entries: Vec<&[u8]> = batch.iter().map(Vec::as_slice).collect();
    let in_bounds = batch.iter().all(|e| !e.is_empty());
    if in_bounds && entries.len() < 1_000 {
        assert!(follower.check(start, &entries, &note).is_ok());
    }
    let mut changed = batch.clone();
    let one = usize::from(at) % changed.len();
    changed[one].push(0);
    let changed: Vec<&[u8]> = changed.iter().map(Vec::as_slice).collect();
    assert!(follower.check(start, &changed, &note).is_err());
    assert!(follower.check(start, &entries[1..], &note).is_err());
    assert!(follower.check(start + 1, &entries, &note).is_err());
});
