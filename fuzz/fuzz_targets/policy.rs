//! Policy packs.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::policy::Pack;

fuzz_target!(|toml: &str| {
    let first = Pack::parse(toml);
    assert_eq!(first.is_ok(), Pack::parse(toml).is_ok());
});
