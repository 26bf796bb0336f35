//! A signed note, its lines, its checkpoint and a verifier key have one spelling each.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_fuzz::{key, origin};
use tocsin_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tocsin_log::cosign;
use tocsin_log::note::{Note, SignatureLine, VerifierKey};

fuzz_target!(|data: &[u8]| {
    if let Ok(note) = Note::parse(data) {
        assert_eq!(note.to_bytes(), data);
        if let Ok(checkpoint) = Checkpoint::parse_text(&note.text) {
            assert_eq!(checkpoint.text(), note.text);
        }
    }
    let mirror = (origin("de").mirror_name(), key("de", 3).public());
    if let Ok(signed) = SignedCheckpoint::open(data, &origin("us"), &key("us", 2).public()) {
        let _ = cosign::cosigners(&signed, [(mirror.0.as_str(), &mirror.1)]);
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(line) = SignatureLine::parse(text) {
            assert_eq!(line.to_line(), text);
        }
        if let Ok(verifier) = VerifierKey::parse(text) {
            assert_eq!(
                VerifierKey::parse(&verifier.to_string()).ok(),
                Some(verifier)
            );
        }
    }
});
