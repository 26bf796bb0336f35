//! What a disk may give back: frames and signer slots, damaged in any way.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_store::frame;
use tocsin_store::slots::{FoundSlot, Slot, StateKind};

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    while let Ok(found) = frame::decode(rest) {
        assert!(found.stored_bytes() <= rest.len());
        if let Some((digest, bytes)) = found.body() {
            let _ = frame::body_state(&digest, bytes);
        }
        rest = &rest[found.stored_bytes()..];
    }
    for kind in [StateKind::Signer, StateKind::Mirror] {
        for sector in data.chunks(512).take(8) {
            if let FoundSlot::Written(slot) = Slot::decode(sector, kind) {
                assert_eq!(slot.encode(kind).as_slice(), sector);
            }
        }
    }
});
