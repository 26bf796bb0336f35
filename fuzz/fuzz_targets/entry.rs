//! An entry has one spelling, and its signatures are looked at without harm.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_fuzz::key;
use tocsin_log::entry::Entry;

fuzz_target!(|data: &[u8]| {
    let Ok(entry) = Entry::decode(data) else {
        return;
    };
    assert_eq!(entry.encode().expect("what was read can be written"), data);
    let keys = [key("us", 5).public(), key("us", 6).public()];
    assert!(entry.signers(&keys).len() <= keys.len());
});
