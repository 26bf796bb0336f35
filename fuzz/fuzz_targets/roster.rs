//! Alliance files, whole and as documents that the right keys have signed.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::roster::Alliance;
use tocsin_fuzz::{MEMBERS, key};
use tocsin_log::entry::{Entry, MANIFEST_TYPE, ROSTER_TYPE};

fuzz_target!(|data: &[u8]| {
    let _ = Alliance::parse(data);
    let keys: Vec<_> = MEMBERS.iter().map(|(id, _)| key(id, 1)).collect();
    let keys: Vec<_> = keys.iter().collect();
    let mut parts = data.split(|byte| *byte == 0);
    let roster = parts.next().unwrap_or_default().to_vec();
    let roster = Entry::sign(ROSTER_TYPE, roster, &keys);
    let manifest = |part: &[u8]| Entry::sign(MANIFEST_TYPE, part.to_vec(), &keys);
    let _ = Alliance::open(roster, parts.take(4).map(manifest).collect());
});
