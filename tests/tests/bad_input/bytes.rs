//! Bytes that no encoder of ours would write.

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest, Sha512};
use tocsin_log::key::SigningKey;

/// The order of the group, little-endian (RFC 8032 section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// The neutral element, encoded: the smallest order there is.
pub const SMALL_ORDER: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

/// A gRPC message: no compression, length, bytes.
pub fn frame(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap();
    [&[0], &length.to_be_bytes()[..], message].concat()
}

pub fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

/// A field of bytes, text or a message.
pub fn field(number: u64, content: &[u8]) -> Vec<u8> {
    let length = u64::try_from(content.len()).unwrap();
    [varint(number << 3 | 2), varint(length), content.to_vec()].concat()
}

/// A field with a number as its value.
pub fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

/// `depth` groups of field 99, one in another.
pub fn groups(depth: usize) -> Vec<u8> {
    [
        varint(99 << 3 | 3).repeat(depth),
        varint(99 << 3 | 4).repeat(depth),
    ]
    .concat()
}

/// A message's own fields, as they stand: number and bytes with the tag.
pub fn fields(message: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < message.len() {
        let start = at;
        let tag = read_varint(message, &mut at);
        match tag & 7 {
            0 => drop(read_varint(message, &mut at)),
            2 => {
                let length = read_varint(message, &mut at);
                at += usize::try_from(length).unwrap();
            }
            other => panic!("wire type {other}"),
        }
        found.push((tag >> 3, message[start..at].to_vec()));
    }
    found
}

/// The message with one field's bytes changed.
pub fn with_field(message: &[u8], wanted: u64, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let changed = fields(message).into_iter().flat_map(|(number, bytes)| {
        if number == wanted {
            change(&bytes)
        } else {
            bytes
        }
    });
    changed.collect()
}

fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = bytes[*at];
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return value;
        }
        shift += 7;
    }
}

/// The same signature with S + L for S: equal to verifiers that do not look.
pub fn s_plus_order(signature: &[u8]) -> Vec<u8> {
    let mut forged = signature.to_vec();
    let mut carry = 0_u16;
    for (byte, order) in forged[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    forged
}

/// A signature by the key's holder whose R has small order: the equation holds, and only a strict
/// verifier refuses it.
pub fn small_order_r(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    let seed = key.seed();
    let expanded: [u8; 64] = Sha512::digest(&seed[..]).into();
    let mut secret: [u8; 32] = expanded[..32].try_into().unwrap();
    secret[0] &= 248;
    secret[31] = secret[31] & 127 | 64;
    let secret = Scalar::from_bytes_mod_order(secret);
    let public = key.public();
    let hash: [u8; 64] = Sha512::new()
        .chain_update(SMALL_ORDER)
        .chain_update(public.as_bytes())
        .chain_update(message)
        .finalize()
        .into();
    let challenge = Scalar::from_bytes_mod_order_wide(&hash);
    let s = challenge * secret;
    let point = CompressedEdwardsY(*public.as_bytes()).decompress().unwrap();
    assert_eq!(EdwardsPoint::mul_base(&s), challenge * point);
    [SMALL_ORDER, s.to_bytes()].concat()
}
