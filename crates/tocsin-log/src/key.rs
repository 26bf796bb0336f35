//! Ed25519 keys under one validity rule that gives every node the same verdict (FORMATS.md 1).
//!
//! Libraries disagree on small-order keys, non-canonical encodings and cofactors. So a key is
//! admitted once, strictly (K1 to K3), and a signature counts only by `verify_strict`; never by
//! batch verification.

use std::fmt;

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use crate::hash::{Hash, HashError, read_hex, write_hex};

/// The algorithm number of Ed25519 (RFC 8032) in entries and key ids.
pub const ALG_ED25519: u8 = 1;

/// What a key id begins with, so that it is no other hash.
const KEY_ID_LABEL: &[u8] = b"tocsin/key-id/v1\0";

/// The name of a public key: `H("tocsin/key-id/v1" || 0x00 || alg || public key)`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 32]);

/// A public key that passed K1 to K3. There is no other way to make one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(ed25519_dalek::VerifyingKey);

/// A private key. It is wiped when dropped and cannot be printed.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "a secret must not reach a log or an error message"
)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// An Ed25519 signature as it came: 64 bytes, not yet checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; Self::LEN]);

/// Why a public key is not admitted to a roster or manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// An Ed25519 public key is [`PublicKey::LEN`] bytes.
    #[error("a public key has 32 bytes, not {found}")]
    Length {
        /// Bytes given.
        found: usize,
    },
    /// Text form is 64 digits of lower-case hex.
    #[error("a public key is written as 64 lower-case hex digits")]
    NotHex,
    /// K1: the bytes are no point of the curve.
    #[error("public key is not a point on the curve")]
    NotAPoint,
    /// K1: the point has another, canonical encoding.
    #[error("public key is not canonically encoded")]
    NotCanonical,
    /// K2: signatures by it can be made without the private key.
    #[error("public key has small order")]
    SmallOrder,
    /// K3: verifiers disagree on signatures by it.
    #[error("public key is not torsion-free")]
    NotTorsionFree,
}

/// A signature that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signature does not verify")]
pub struct BadSignature;

impl PublicKey {
    /// Bytes in a public key.
    pub const LEN: usize = 32;

    /// Admits a key, once, before it may verify anything.
    ///
    /// # Errors
    /// [`KeyError`] names the rule that the bytes break: K1 (a point, canonically encoded), K2 (not
    /// of small order), K3 (torsion-free).
    pub fn admit(bytes: &[u8; Self::LEN]) -> Result<Self, KeyError> {
        let point = CompressedEdwardsY(*bytes)
            .decompress()
            .ok_or(KeyError::NotAPoint)?;
        if point.compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if point.is_small_order() {
            return Err(KeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::NotTorsionFree);
        }
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map(Self)
            .map_err(|_| KeyError::NotAPoint)
    }

    /// Admits a key from its text form, 64 digits of lower-case hex.
    ///
    /// # Errors
    /// [`KeyError::NotHex`], or as [`PublicKey::admit`].
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        Self::admit(&read_hex(text).ok_or(KeyError::NotHex)?)
    }

    /// Checks a signature over `message` (R1 to R3: RFC 8032 with S < L, cofactorless, R not of
    /// small order).
    ///
    /// # Errors
    /// [`BadSignature`]; no reason is given, because none should change what the caller does.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| BadSignature)
    }

    /// The key's name in entries, rosters and manifests.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId(Hash::of_parts(&[KEY_ID_LABEL, &[ALG_ED25519], self.0.as_bytes()]).0)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        self.0.as_bytes()
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes
            .try_into()
            .map_err(|_| KeyError::Length { found: bytes.len() })?;
        Self::admit(bytes)
    }
}

impl SigningKey {
    /// The key that belongs to a seed (RFC 8032 section 5.1.5). The seed must be 32 uniformly
    /// random bytes.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, for writing a key file. The copy is wiped when dropped.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half. It holds K1 to K3 by construction: a clamped multiple of the base point.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs a message. Deterministic: the same message gives the same bytes (RFC 8032 section
    /// 5.1.6).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl Signature {
    /// Bytes in a signature.
    pub const LEN: usize = 64;

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Signature {
    type Error = BadSignature;

    fn try_from(bytes: &[u8]) -> Result<Self, BadSignature> {
        bytes.try_into().map(Self).map_err(|_| BadSignature)
    }
}

impl KeyId {
    /// Reads the text form, 64 digits of lower-case hex.
    ///
    /// # Errors
    /// [`HashError::NotHex`].
    pub fn from_hex(text: &str) -> Result<Self, HashError> {
        read_hex(text).map(Self).ok_or(HashError::NotHex)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for KeyId {
    type Error = HashError;

    fn try_from(bytes: &[u8]) -> Result<Self, HashError> {
        Hash::try_from(bytes).map(|hash| Self(hash.0))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.as_bytes())
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rfc_8032_test_1_signs_and_verifies() {
        let seed = read_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
        let key = SigningKey::from_seed(seed.unwrap());
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key.public(), PublicKey::from_hex(public).unwrap());
        let signature = key.sign(b"");
        assert!(format!("{signature:?}").starts_with("e5564300c360ac729086e2cc806e828a"));
        assert_eq!(key.public().verify(b"", &signature), Ok(()));
        assert_eq!(key.public().verify(b"x", &signature), Err(BadSignature));
    }

    #[test]
    fn each_admission_rule_refuses_its_own_kind_of_key() {
        let admit = |hex: &str| PublicKey::from_hex(hex).unwrap_err();
        let mut bytes = [0; 32];
        bytes[0] = 2;
        assert_eq!(PublicKey::admit(&bytes), Err(KeyError::NotAPoint));
        // y = p + 3, the same point as y = 3, which is on the curve.
        let mut high = [0xff; 32];
        high[0] = 0xf0;
        high[31] = 0x7f;
        assert_eq!(PublicKey::admit(&high), Err(KeyError::NotCanonical));
        // Speccheck vectors 0 (small order) and 3 (mixed order).
        assert_eq!(
            admit("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            KeyError::SmallOrder
        );
        assert_eq!(
            admit("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
            KeyError::NotTorsionFree
        );
        assert_eq!(admit("00"), KeyError::NotHex);
        assert_eq!(
            PublicKey::try_from(&[1; 33][..]),
            Err(KeyError::Length { found: 33 })
        );
    }

    #[test]
    fn key_ids_commit_to_algorithm_and_key() {
        let key = SigningKey::from_seed([7; 32]).public();
        let mut bytes = b"tocsin/key-id/v1".to_vec();
        bytes.extend_from_slice(&[0, 1]);
        bytes.extend_from_slice(key.as_bytes());
        assert_eq!(key.key_id().0, Hash::of(&bytes).0);
    }

    #[test]
    fn private_keys_are_wiped_and_cannot_be_printed() {
        /// Prefers the constant that only types with `Debug` have.
        struct Probe<T>(std::marker::PhantomData<T>);
        trait Fallback {
            const PRINTS: bool = false;
        }
        impl<T> Fallback for Probe<T> {}
        impl<T: fmt::Debug> Probe<T> {
            const PRINTS: bool = true;
        }
        const { assert!(Probe::<PublicKey>::PRINTS && !Probe::<SigningKey>::PRINTS) };

        const fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        wiped(&SigningKey::from_seed([7; 32]).0);
    }

    proptest! {
        #[test]
        fn keys_made_from_seeds_are_admitted(seed: [u8; 32], message: Vec<u8>) {
            let key = SigningKey::from_seed(seed);
            prop_assert_eq!(*key.seed(), seed);
            let public = PublicKey::admit(key.public().as_bytes());
            prop_assert_eq!(public, Ok(key.public()));
            prop_assert_eq!(key.public().verify(&message, &key.sign(&message)), Ok(()));
        }

        #[test]
        fn hostile_keys_and_signatures_do_not_panic(
            key: [u8; 32], r: [u8; 32], s: [u8; 32], message: Vec<u8>,
        ) {
            let mut signature = Signature([0; 64]);
            signature.0[..32].copy_from_slice(&r);
            signature.0[32..].copy_from_slice(&s);
            if let Ok(key) = PublicKey::admit(&key) {
                prop_assert_eq!(key.verify(&message, &signature), Err(BadSignature));
            }
        }
    }
}
