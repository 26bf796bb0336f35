use proptest::prelude::*;
use tocsin_core::order::Instrument;
use tocsin_core::statement::Act;
use tocsin_log::hash::Hash;

use super::*;
use crate::raw::{bytes, join, number, raw};
use crate::{said, shape};

const NONCE: [u8; 16] = [7; 16];

/// A statement by hand: the fields every statement has, then `rest`.
fn said_with(tlp: u64, rest: &[u8]) -> Vec<u8> {
    join(&[
        bytes(1, b"demo.tocsin.example/us"),
        bytes(2, &NONCE),
        number(3, 1_760_000_000_000),
        number(5, tlp),
        rest.to_vec(),
    ])
}

/// The smallest order that can be read, then `rest` (field numbers of 15 and above).
fn order(rest: &[u8]) -> Vec<u8> {
    bytes(
        18,
        &join(&[number(3, 1), number(4, 1), number(9, 3), rest.to_vec()]),
    )
}

fn bad(payload: &[u8]) -> DecodeFault {
    let decoded = decode(payload);
    let Decoded::Bad(e) = decoded else {
        panic!("{decoded:?}")
    };
    e.fault
}

fn why(payload: &[u8]) -> Unknown {
    let decoded = decode(payload);
    let Decoded::Opaque {
        log,
        created_ms,
        why,
        ..
    } = decoded
    else {
        panic!("{decoded:?}")
    };
    assert_eq!(log, "demo.tocsin.example/us");
    assert_eq!(created_ms, 1_760_000_000_000);
    why
}

#[test]
fn the_smallest_order_is_known() {
    let Decoded::Known(statement) = decode(&said_with(1, &order(&[]))) else {
        panic!()
    };
    assert_eq!(statement.nonce, NONCE);
    let Act::Order(text) = statement.act else {
        panic!()
    };
    assert_eq!(text.instrument, Instrument::Us337Leo);
}

#[test]
fn without_an_act_nothing_is_said() {
    assert_eq!(bad(&[]), DecodeFault::NoAct);
    assert_eq!(bad(&said_with(1, &[])), DecodeFault::NoAct);
    // A later common field is no act.
    let between = bytes(9, b"new");
    assert_eq!(bad(&said_with(1, &between)), DecodeFault::NoAct);
}

#[test]
fn an_act_of_a_later_version_is_opaque_with_what_it_is_about() {
    let id = Hash::of(b"order");
    let about = bytes(
        7,
        &join(&[bytes(1, b"demo.tocsin.example/us"), bytes(2, id.as_bytes())]),
    );
    for later in [21, 23, 24, 25, 99] {
        let payload = said_with(1, &join(&[about.clone(), bytes(later, b"later")]));
        assert_eq!(why(&payload), Unknown::Act);
        let Decoded::Opaque {
            about: Some(about), ..
        } = decode(&payload)
        else {
            panic!()
        };
        assert_eq!(about.statement_id, id);
    }
}

#[test]
fn an_unknown_field_makes_an_order_an_act_or_a_decision_opaque() {
    let field = bytes(40, b"carve-out");
    assert_eq!(why(&said_with(1, &order(&field))), Unknown::Field);
    assert_eq!(why(&said_with(1, &bytes(19, &field))), Unknown::Field);
    assert_eq!(why(&said_with(1, &bytes(20, &field))), Unknown::Field);
    // As deep as it stands: in a selector of an article of the replacement of a modification.
    let selector = bytes(2, &bytes(99, b"new kind"));
    let replacement = bytes(3, &bytes(6, &selector));
    assert_eq!(why(&said_with(1, &bytes(19, &replacement))), Unknown::Field);
    // Beside the order too: an old node cannot know what it says of it.
    let beside = join(&[order(&[]), bytes(99, b"carve-out")]);
    assert_eq!(why(&said_with(1, &beside)), Unknown::Field);
}

#[test]
fn terms_have_one_spelling() {
    let known = |terms: &[u8]| {
        let payload = said_with(1, &order(&bytes(15, terms)));
        let Decoded::Known(statement) = decode(&payload) else {
            return false;
        };
        assert_eq!(encode(&statement), payload);
        true
    };
    // Import and transit, the relation "affiliate", and downstream goods as listed.
    let terms = join(&[bytes(1, &[1, 3]), bytes(2, &[1]), number(4, 1)]);
    assert!(known(&terms));
    for other in [
        Vec::new(),
        bytes(1, &[3, 1]),
        bytes(1, &[1, 1]),
        number(4, 0),
        bytes(8, b""),
    ] {
        let payload = said_with(1, &order(&bytes(15, &other)));
        assert_eq!(bad(&payload), DecodeFault::NotCanonical, "{other:?}");
    }
    let field = bytes(99, b"new");
    assert_eq!(
        why(&said_with(1, &order(&bytes(15, &field)))),
        Unknown::Field
    );
    let value = said_with(1, &order(&bytes(15, &bytes(1, &[9]))));
    assert_eq!(why(&value), Unknown::Value);
}

#[test]
fn an_unknown_value_makes_an_order_opaque_and_a_zero_makes_it_bad() {
    let with = |instrument| {
        bytes(
            18,
            &join(&[number(3, instrument), number(4, 1), number(9, 3)]),
        )
    };
    assert_eq!(why(&said_with(1, &with(99))), Unknown::Value);
    assert_eq!(why(&said_with(1, &with(u64::MAX))), Unknown::Value);
    assert_eq!(why(&said_with(9, &order(&[]))), Unknown::Value);
    assert_eq!(bad(&said_with(1, &with(0))), DecodeFault::Missing);
    assert_eq!(bad(&said_with(0, &order(&[]))), DecodeFault::Missing);
}

#[test]
fn an_unknown_field_is_kept_in_reports_indicators_and_packs() {
    let report = bytes(16, &join(&[number(1, 1), bytes(9, b"new")]));
    let indicator = bytes(17, &join(&[number(1, 1), number(2, 5), bytes(9, b"new")]));
    let pack = bytes(22, &bytes(9, b"new"));
    for act in [report, indicator, pack] {
        let beside = join(&[act.clone(), bytes(99, b"new")]);
        assert!(matches!(decode(&said_with(1, &act)), Decoded::Known(_)));
        assert!(matches!(decode(&said_with(1, &beside)), Decoded::Known(_)));
    }
}

#[test]
fn an_unknown_value_is_refused_in_a_report() {
    let report = |kind| bytes(16, &number(1, kind));
    assert_eq!(bad(&said_with(1, &report(99))), DecodeFault::UnknownValue);
    assert_eq!(bad(&said_with(9, &report(1))), DecodeFault::UnknownValue);
    assert_eq!(bad(&said_with(1, &report(0))), DecodeFault::Missing);
}

#[test]
fn digests_and_nonces_have_one_length() {
    let short = join(&[
        bytes(1, b"a/us"),
        bytes(2, &[7; 15]),
        number(5, 1),
        order(&[]),
    ]);
    assert_eq!(bad(&short), DecodeFault::Length);
    let body = bytes(6, &bytes(1, &[1; 31]));
    assert_eq!(
        bad(&said_with(1, &join(&[body, order(&[])]))),
        DecodeFault::Length
    );
    let reference = bytes(8, &bytes(2, &[1; 33]));
    assert_eq!(
        bad(&said_with(1, &join(&[reference, order(&[])]))),
        DecodeFault::Length
    );
}

#[test]
fn an_unset_choice_inside_an_order_is_refused_by_name() {
    let article = bytes(6, &bytes(2, b""));
    let order = join(&[number(3, 1), number(4, 1), article, number(9, 3)]);
    let Decoded::Bad(e) = decode(&said_with(1, &bytes(18, &order))) else {
        panic!()
    };
    assert_eq!(e.fault, DecodeFault::Missing);
    assert_eq!(e.field, "order.articles[0].selectors[0].value");
}

#[test]
fn second_spellings_are_refused_before_they_are_read() {
    let whole = said_with(1, &order(&[]));
    let again = join(&[whole, order(&[])]);
    assert_eq!(bad(&again), DecodeFault::NotCanonical);
    assert_eq!(
        bad(&[bytes(18, b""), bytes(1, b"late")].concat()),
        DecodeFault::NotCanonical
    );
    assert_eq!(bad(&raw(3, 0, &[0x80, 0x00])), DecodeFault::NotCanonical);
    assert_eq!(bad(&raw(3, 3, &[])), DecodeFault::Malformed);
    assert_eq!(bad(&bytes(1, &[0xff])), DecodeFault::NotUtf8);
    assert_eq!(bad(&bytes(8, b"").repeat(1_000_000)), DecodeFault::TooMany);
    assert_eq!(bad(&bytes(2, &vec![0; 70_000])), DecodeFault::TooLarge);
}

proptest! {
    #[test]
    fn what_is_encoded_is_canonical_and_reads_back(statement in said::statement()) {
        let payload = encode(&statement);
        prop_assert_eq!(
            scan(&payload, shape::STATEMENT, MAX_STATEMENT_ELEMENTS),
            Ok(Scanned::default())
        );
        let names: Vec<Hash> = statement.bodies.iter().map(|body| body.sha256).collect();
        prop_assert_eq!(body_names(&payload), names);
        prop_assert_eq!(decode(&payload), Decoded::Known(Box::new(statement)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(payload: Vec<u8>) {
        let _ = decode(&payload);
        prop_assert!(body_names(&payload).len() <= MAX_BODIES);
    }

    #[test]
    fn damaged_statements_never_panic(
        statement in said::statement(), place: prop::sample::Index, bit in 0..8_u32
    ) {
        let mut payload = encode(&statement);
        let at = place.index(payload.len());
        payload[at] ^= 1 << bit;
        let _ = decode(&payload);
    }
}
