//! SHA-256 values and the two hashes a Merkle tree is made of (RFC 6962 section 2.1).

use std::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 value: a leaf, a node, a root, a statement's name or a body's address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; Self::LEN]);

/// The root of a log with no entries: the hash of nothing (RFC 6962 section 2.1).
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Bytes that are not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// A hash is [`Hash::LEN`] bytes.
    #[error("a hash has 32 bytes, not {found}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Text form is 64 digits of lower-case hex.
    #[error("a hash is written as 64 lower-case hex digits")]
    NotHex,
}

impl Hash {
    /// Bytes in a hash.
    pub const LEN: usize = 32;

    /// SHA-256 of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of the parts one after the other, without joining them in memory.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// Reads the text form: 64 digits of lower-case hex, nothing else.
    ///
    /// # Errors
    /// [`HashError::NotHex`] for anything else; upper case too, so that one hash has one spelling.
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        read_hex(text).map(Self).ok_or(HashError::NotHex)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// The hash of a log entry: `H(0x00 || entry)` (RFC 6962 section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of_parts(&[&[0x00], entry])
}

/// The hash of an inner node: `H(0x01 || left || right)` (RFC 6962 section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Hash::of_parts(&[&[0x01], &left.0, &right.0])
}

impl TryFrom<&[u8]> for Hash {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        <[u8; Self::LEN]>::try_from(bytes)
            .map(Self)
            .map_err(|_| HashError::Length { found: bytes.len() })
    }
}

impl From<[u8; Self::LEN]> for Hash {
    fn from(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Hash {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

/// Writes bytes as lower-case hex.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `N` bytes of lower-case hex.
pub(crate) fn read_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (digits, rest) = text.as_bytes().as_chunks::<2>();
    if digits.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(digits) {
        *byte = (hex_digit(*high)? << 4) | hex_digit(*low)?;
    }
    Some(bytes)
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_empty_root_is_the_hash_of_nothing() {
        assert_eq!(Hash::of(b""), EMPTY_ROOT);
        assert_eq!(Hash::of_parts(&[]), EMPTY_ROOT);
    }

    #[test]
    fn leaves_and_nodes_have_different_prefixes() {
        // The values of transparency-dev/merkle's rfc6962 hasher tests.
        assert_eq!(
            leaf_hash(b"").to_string(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (left, right) = (Hash::of(b"N123"), Hash::of(b"N456"));
        let mut joined = vec![1];
        joined.extend_from_slice(&left.0);
        joined.extend_from_slice(&right.0);
        assert_eq!(node_hash(&left, &right), Hash::of(&joined));
    }

    #[test]
    fn hex_in_upper_case_or_of_another_length_is_refused() {
        let good = EMPTY_ROOT.to_string();
        assert_eq!(Hash::from_hex(&good), Ok(EMPTY_ROOT));
        assert_eq!(Hash::from_hex(&good.to_uppercase()), Err(HashError::NotHex));
        assert_eq!(Hash::from_hex(&good[1..]), Err(HashError::NotHex));
        assert_eq!(Hash::from_hex(&format!("{good}0")), Err(HashError::NotHex));
        assert_eq!(
            Hash::try_from(&[0; 31][..]),
            Err(HashError::Length { found: 31 })
        );
    }

    proptest! {
        #[test]
        fn hex_round_trips_and_never_panics(bytes: [u8; 32], text: String) {
            prop_assert_eq!(Hash::from_hex(&Hash(bytes).to_string()), Ok(Hash(bytes)));
            if let Ok(hash) = Hash::from_hex(&text) {
                prop_assert_eq!(hash.to_string(), text);
            }
        }
    }
}
