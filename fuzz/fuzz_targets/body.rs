//! Bodies of every kind.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::statement::SALT_BYTES;
use tocsin_wire::body::{BodyKind, decode, encode};

const KINDS: [BodyKind; 4] = [
    BodyKind::Report,
    BodyKind::Indicator,
    BodyKind::Order,
    BodyKind::PolicyPack,
];

fuzz_target!(|data: &[u8]| {
    for kind in KINDS {
        let Ok(body) = decode(kind, data) else {
            continue;
        };
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&data[..SALT_BYTES]);
        assert_eq!(decode(kind, &encode(salt, &body)).ok(), Some(body));
    }
});
