//! A statement known whole has one spelling; any statement rightly signed is judged without harm.
#![no_main]
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tocsin_core::roster::Alliance;
use tocsin_core::statement::Decoded;
use tocsin_core::validate::validate;
use tocsin_fuzz::{alliance, key, origin};
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_wire::statement::{decode, encode};

static ALLIANCE: LazyLock<Alliance> = LazyLock::new(alliance);

fuzz_target!(|data: &[u8]| {
    let decoded = decode(data);
    if let Decoded::Known(statement) = &decoded {
        let again = encode(statement);
        // Reports, indicators and packs may carry fields that this version passes by.
        if again != data {
            assert_eq!(decode(&again), decoded);
        }
    }
    let (ana, ben) = (key("us", 5), key("us", 6));
    let entry = Entry::sign(STATEMENT_TYPE, data.to_vec(), &[&ana, &ben]);
    let verdict = validate(&entry, &decoded, &origin("us"), 3, &ALLIANCE);
    assert_eq!(
        verdict,
        validate(&entry, &decoded, &origin("us"), 3, &ALLIANCE)
    );
});
