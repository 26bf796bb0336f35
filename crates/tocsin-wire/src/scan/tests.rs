use proptest::prelude::*;

use super::*;
use crate::raw::{bytes, join, number, raw, varint};
use crate::shape;

const LIMIT: usize = 64;

fn statement(parts: &[Vec<u8>]) -> Result<Scanned, ScanError> {
    scan(&join(parts), shape::STATEMENT, LIMIT)
}

fn detail(parts: &[Vec<u8>]) -> &'static str {
    statement(parts).unwrap_err().detail()
}

#[test]
fn nothing_is_canonical() {
    assert_eq!(statement(&[]), Ok(Scanned::default()));
}

#[test]
fn fields_must_ascend_in_every_nested_message() {
    assert_eq!(
        detail(&[number(3, 1), bytes(1, b"log")]),
        "FIELD_OUT_OF_ORDER"
    );
    let order = join(&[bytes(2, b"title"), bytes(1, b"case")]);
    assert_eq!(detail(&[bytes(18, &order)]), "FIELD_OUT_OF_ORDER");
    let replacement = bytes(3, &order);
    assert_eq!(detail(&[bytes(19, &replacement)]), "FIELD_OUT_OF_ORDER");
    // An unknown field is not exempt.
    assert_eq!(
        detail(&[bytes(99, b""), bytes(1, b"log")]),
        "FIELD_OUT_OF_ORDER"
    );
}

#[test]
fn a_list_may_not_be_split_around_another_field() {
    assert!(statement(&[bytes(6, b""), bytes(6, b""), bytes(8, b"")]).is_ok());
    assert_eq!(
        detail(&[bytes(6, b""), bytes(7, b""), bytes(6, b"")]),
        "FIELD_OUT_OF_ORDER"
    );
}

#[test]
fn a_second_singular_field_is_refused_not_taken() {
    for field in [
        bytes(1, b"log"),
        bytes(2, &[0; 16]),
        number(3, 1),
        bytes(7, b""),
    ] {
        assert_eq!(detail(&[field.clone(), field]), "FIELD_REPEATED");
    }
}

#[test]
fn only_one_member_of_a_oneof_is_taken() {
    assert_eq!(detail(&[bytes(16, b""), bytes(18, b"")]), "TWO_CHOICES");
    assert_eq!(detail(&[bytes(18, b""), bytes(18, b"")]), "FIELD_REPEATED");
    let selector = join(&[bytes(1, b"4006381333931"), bytes(3, b"M1")]);
    let article = bytes(2, &selector);
    let order = bytes(6, &article);
    assert_eq!(detail(&[bytes(18, &order)]), "TWO_CHOICES");
}

#[test]
fn varints_must_be_as_short_as_their_value() {
    assert_eq!(detail(&[raw(3, 0, &[0x80, 0x00])]), "OVERLONG_VARINT");
    assert_eq!(detail(&[raw(3, 0, &[0x81, 0x80, 0x00])]), "OVERLONG_VARINT");
    // Ten bytes that say more than 64 bits.
    let mut over = vec![0xff; 9];
    over.push(0x02);
    assert_eq!(detail(&[raw(3, 0, &over)]), "OVERLONG_VARINT");
    assert_eq!(detail(&[raw(3, 0, &[0xff; 11])]), "OVERLONG_VARINT");
    // In a tag, in a length, in an unknown field.
    assert_eq!(detail(&[vec![0x88, 0x80, 0x00, 0x01]]), "OVERLONG_VARINT");
    assert_eq!(detail(&[raw(1, 2, &[0x81, 0x00, b'a'])]), "OVERLONG_VARINT");
    assert_eq!(detail(&[raw(99, 0, &[0x80, 0x00])]), "OVERLONG_VARINT");
    // The largest and the most negative are ten honest bytes.
    assert!(statement(&[number(3, u64::MAX)]).is_ok());
    assert!(statement(&[number(3, 1 << 63)]).is_ok());
}

#[test]
fn a_number_that_a_decoder_would_cut_is_refused() {
    assert_eq!(detail(&[number(4, 1 << 32)]), "OUT_OF_RANGE");
    assert_eq!(detail(&[number(5, 1 << 31)]), "OUT_OF_RANGE");
    // As 32 bits -1 has a shorter spelling than the one everybody writes.
    assert_eq!(detail(&[number(5, 0xffff_ffff)]), "OUT_OF_RANGE");
    let lasting = number(4, 2);
    assert_eq!(detail(&[bytes(6, &lasting)]), "OUT_OF_RANGE");
}

#[test]
fn groups_and_impossible_tags_are_refused() {
    assert_eq!(detail(&[raw(99, 3, &[])]), "GROUP");
    assert_eq!(detail(&[raw(99, 4, &[])]), "GROUP");
    assert_eq!(detail(&[raw(99, 6, &[])]), "BAD_TAG");
    assert_eq!(detail(&[raw(99, 7, &[])]), "BAD_TAG");
    assert_eq!(detail(&[raw(0, 0, &[0])]), "BAD_TAG");
    assert_eq!(detail(&[raw(1 << 29, 0, &[0])]), "BAD_TAG");
    assert_eq!(detail(&[raw(u64::MAX >> 3, 0, &[0])]), "BAD_TAG");
}

#[test]
fn a_known_field_must_have_its_type() {
    assert_eq!(detail(&[number(1, 1)]), "WRONG_TYPE");
    assert_eq!(detail(&[bytes(3, &varint(1))]), "WRONG_TYPE");
    assert_eq!(detail(&[raw(3, 1, &[0; 8])]), "WRONG_TYPE");
    assert_eq!(detail(&[raw(18, 5, &[0; 4])]), "WRONG_TYPE");
}

#[test]
fn text_must_be_utf8() {
    assert_eq!(detail(&[bytes(1, &[0xff])]), "NOT_UTF8");
    // A lone surrogate, and a NUL spelled long.
    assert_eq!(detail(&[bytes(1, &[0xed, 0xa0, 0x80])]), "NOT_UTF8");
    assert_eq!(detail(&[bytes(1, &[0xc0, 0x80])]), "NOT_UTF8");
    assert!(statement(&[bytes(2, &[0xff])]).is_ok());
}

#[test]
fn every_truncation_is_refused_or_is_a_shorter_message() {
    let whole = join(&[
        bytes(1, b"a/us"),
        number(3, 300),
        bytes(18, &bytes(2, b"title")),
    ]);
    for cut in 0..whole.len() {
        let clean = [0, 6, 9].contains(&cut);
        assert_eq!(
            scan(&whole[..cut], shape::STATEMENT, LIMIT).is_ok(),
            clean,
            "{cut}"
        );
    }
    assert_eq!(detail(&[raw(1, 2, &varint(u64::MAX))]), "TRUNCATED");
}

#[test]
fn a_list_of_a_million_is_refused_before_anything_is_allocated() {
    let million = bytes(8, b"").repeat(1_000_000);
    let refused = scan(&million, shape::STATEMENT, 4_096).unwrap_err();
    assert_eq!(refused, ScanError::TooMany { limit: 4_096 });
    assert_eq!(refused.code(), "LIST_TOO_LONG");
    // The bound is over all lists of all messages.
    let article = bytes(6, &bytes(2, b"").repeat(40));
    assert!(statement(&[bytes(18, &article)]).is_ok());
    assert_eq!(
        detail(&[bytes(18, &article.repeat(2))]),
        "TOO_MANY_ELEMENTS"
    );
}

#[test]
fn deep_nesting_costs_no_stack() {
    let mut deep = Vec::new();
    for _ in 0..101 {
        deep = bytes(99, &deep);
    }
    // Unknown: kept, never entered.
    assert!(statement(&[deep]).is_ok());
    let mut walk = Walk {
        found: Scanned::default(),
        elements: 0,
        max_elements: LIMIT,
    };
    assert_eq!(
        walk.message(&[], shape::STATEMENT, MAX_DEPTH),
        Err(ScanError::TooDeep)
    );
}

#[test]
fn what_is_unknown_is_kept_and_named() {
    let order = join(&[bytes(2, b"title"), number(3, 99), bytes(40, b"carve-out")]);
    let scanned = statement(&[bytes(1, b"log"), bytes(18, &order)]).unwrap();
    assert_eq!(
        scanned.surprises,
        [
            Surprise {
                message: "Order",
                number: 3,
                value: Some(99)
            },
            Surprise {
                message: "Order",
                number: 40,
                value: None
            },
        ]
    );
    assert!(!scanned.unknown_act);
    let later = statement(&[bytes(1, b"log"), bytes(21, b"reaction")]).unwrap();
    assert!(later.unknown_act);
    let many = bytes(99, b"").repeat(1_000);
    assert_eq!(statement(&[many]).unwrap().surprises.len(), MAX_SURPRISES);
}

#[test]
fn a_list_of_words_is_packed_into_one_field() {
    let terms = |parts: &[Vec<u8>]| statement(&[bytes(18, &bytes(15, &join(parts)))]);
    let detail = |parts: &[Vec<u8>]| terms(parts).unwrap_err().detail();
    assert_eq!(terms(&[bytes(1, &[1, 3])]), Ok(Scanned::default()));
    assert_eq!(detail(&[number(1, 1)]), "WRONG_TYPE");
    assert_eq!(detail(&[bytes(1, &[1]), bytes(1, &[3])]), "FIELD_REPEATED");
    assert_eq!(detail(&[bytes(1, &[])]), "OUT_OF_RANGE");
    assert_eq!(detail(&[bytes(1, &[0x81, 0x00])]), "OVERLONG_VARINT");
    assert_eq!(detail(&[bytes(1, &[1, 0x80])]), "TRUNCATED");
    assert_eq!(detail(&[bytes(1, &[1; 65])]), "TOO_MANY_ELEMENTS");
    let later = terms(&[bytes(1, &[1, 99])]).unwrap();
    assert_eq!(later.surprises[0].value, Some(99));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, place in 0_usize..40) {
        let _ = scan(&bytes, place, LIMIT);
    }

    #[test]
    fn what_the_scan_takes_a_decoder_takes(bytes: Vec<u8>) {
        use prost::Message as _;
        if scan(&bytes, shape::STATEMENT, LIMIT).is_ok() {
            prop_assert!(crate::proto::v1::Statement::decode(bytes.as_slice()).is_ok());
        }
    }
}
