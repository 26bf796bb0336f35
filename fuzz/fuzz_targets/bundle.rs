//! A bundle has one spelling, and is verified without harm.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_wire::bundle::verify::verify;
use tocsin_wire::bundle::{MAGIC, decode, encode};

fn look(bytes: &[u8]) {
    if let Ok(bundle) = decode(bytes) {
        assert_eq!(encode(&bundle), bytes);
    }
    let _ = verify(bytes, None);
}

fuzz_target!(|data: &[u8]| {
    look(data);
    look(&[MAGIC.as_slice(), data].concat());
});
