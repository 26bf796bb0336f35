//! Keys and key files: what is admitted verifies nothing it did not sign, and reads back as itself.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_log::key::{PublicKey, Signature};
use tocsin_log::keyfile::KeyText;

fuzz_target!(|data: &[u8]| {
    if let Some((bytes, rest)) = data.split_first_chunk::<32>()
        && let Ok(key) = PublicKey::admit(bytes)
    {
        assert_eq!(key.as_bytes(), bytes);
        assert_eq!(PublicKey::from_hex(&key.to_string()).ok(), Some(key));
        if let Some((signature, message)) = rest.split_first_chunk::<64>() {
            let _ = key.verify(message, &Signature(*signature));
        }
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(file) = KeyText::parse(text)
    {
        assert!(KeyText::parse(&file.to_text()).is_ok());
    }
});
