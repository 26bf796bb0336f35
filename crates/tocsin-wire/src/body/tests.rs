use proptest::prelude::*;

use super::*;
use crate::raw::{bytes, join};
use crate::said;

const SALT: [u8; SALT_BYTES] = [9; SALT_BYTES];

fn salted(content: &[u8]) -> Vec<u8> {
    join(&[SALT.to_vec(), content.to_vec()])
}

const fn kind_of(body: &DecodedBody) -> BodyKind {
    match body {
        DecodedBody::Report(_) => BodyKind::Report,
        DecodedBody::Indicator(_) => BodyKind::Indicator,
        DecodedBody::Order(_) => BodyKind::Order,
        DecodedBody::PolicyPack(_) => BodyKind::PolicyPack,
    }
}

#[test]
fn a_body_without_its_salt_is_refused() {
    let fault = |bytes: &[u8]| decode(BodyKind::Order, bytes).unwrap_err().fault;
    assert_eq!(fault(&[]), DecodeFault::NoSalt);
    assert_eq!(fault(&[0; 31]), DecodeFault::NoSalt);
    assert!(decode(BodyKind::Order, &SALT).is_ok());
}

#[test]
fn a_body_over_its_bound_is_refused_unread() {
    let over = vec![0; 262_145];
    assert_eq!(
        decode(BodyKind::Report, &over).unwrap_err().fault,
        DecodeFault::TooLarge
    );
}

#[test]
fn a_later_field_is_fine_in_a_report_and_not_in_an_order() {
    let later = salted(&bytes(90, b"new"));
    assert!(decode(BodyKind::Report, &later).is_ok());
    assert!(decode(BodyKind::Indicator, &later).is_ok());
    assert_eq!(
        decode(BodyKind::Order, &later).unwrap_err().fault,
        DecodeFault::UnknownValue
    );
}

#[test]
fn second_spellings_of_a_body_are_refused() {
    let twice = salted(&[bytes(1, b"title"), bytes(1, b"title")].concat());
    assert_eq!(
        decode(BodyKind::Report, &twice).unwrap_err().fault,
        DecodeFault::NotCanonical
    );
}

proptest! {
    #[test]
    fn bodies_round_trip(body in said::body(), salt: [u8; SALT_BYTES]) {
        prop_assert_eq!(decode(kind_of(&body), &encode(salt, &body)), Ok(body));
    }

    #[test]
    fn arbitrary_bodies_never_panic(bytes: Vec<u8>) {
        for kind in [BodyKind::Report, BodyKind::Indicator, BodyKind::Order, BodyKind::PolicyPack] {
            let _ = decode(kind, &bytes);
            let _ = decode(kind, &salted(&bytes));
        }
    }
}
