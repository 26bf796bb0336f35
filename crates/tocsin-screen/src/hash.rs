//! One 64-bit number for each fact, the same on every machine.
//!
//! Two facts of one number only cost a look at a block that does not match: what is found by number
//! is compared in full before anything is said.

/// What kind of fact a number stands for; facts of two kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Block = 1,
    Gtin,
    Model,
    PatternStart,
    Serial,
    Batch,
    Brand,
    Mid,
    Lei,
    Eori,
    Importer,
    Duns,
    Container,
    Transport,
    Vessel,
    Listing,
    Image,
    Name,
}

/// The number of a fact.
pub(crate) fn of(tag: Tag, bytes: &[u8]) -> u64 {
    let mut state = mix(tag as u64 ^ FIRST, bytes.len() as u64 ^ SECOND);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        state = mix(state ^ u64::from_le_bytes(*word), FIRST);
    }
    let last = rest
        .iter()
        .fold(0, |last: u64, byte| last << 8 | u64::from(*byte));
    mix(state ^ last, SECOND)
}

/// The number of a fact that already is one.
pub(crate) fn of_number(tag: Tag, number: u64) -> u64 {
    mix(number ^ FIRST, tag as u64 ^ SECOND)
}

/// Both halves of a product, folded: each bit of the result hangs on all of both.
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (low, high) = (product as u64, (product >> 64) as u64);
    low ^ high
}

// Digits of pi, odd.
const FIRST: u64 = 0x243F_6A88_85A3_08D3;
const SECOND: u64 = 0x1319_8A2E_0370_7345;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn facts_of_two_kinds_or_lengths_never_meet() {
        let mut seen = BTreeSet::new();
        for tag in [Tag::Gtin, Tag::Model, Tag::Batch] {
            for text in [
                "",
                "\0",
                "\0\0",
                "A",
                "AB",
                "12345678",
                "123456780",
                "1234567812345678",
            ] {
                assert!(seen.insert(of(tag, text.as_bytes())), "{text:?}");
            }
        }
    }
}
