//! A log entry: who says what, as the exact bytes that became a leaf (FORMATS.md 3).
//!
//! The payload is opaque here. It is signed once, kept as it is and never encoded again, because
//! protobuf has no one encoding; what a signature covers is the DSSE pre-authentication encoding,
//! [`pae`].

use std::collections::BTreeSet;

use crate::hash::Hash;
use crate::key::{ALG_ED25519, KeyId, PublicKey, Signature, SigningKey};

/// The payload type of everything a member says.
pub const STATEMENT_TYPE: &str = "application/vnd.tocsin.statement.v1+protobuf";
/// The payload type of a roster.
pub const ROSTER_TYPE: &str = "application/vnd.tocsin.roster.v1+json";
/// The payload type of a member's manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.tocsin.manifest.v1+json";

/// The most bytes of an entry: the length prefix of C2SP tlog-tiles has 16 bits.
pub const MAX_ENTRY_BYTES: usize = 65_535;
/// The most bytes of an entry that a node accepts into its own log (FORMATS.md 3).
pub const MAX_DOOR_ENTRY_BYTES: usize = 16_384;
/// The most signatures on an entry (FORMATS.md 3): two persons are needed, the rest is room.
pub const MAX_ENTRY_SIGNATURES: usize = 8;
/// The most bytes of a payload type: its length prefix has 8 bits.
pub const MAX_PAYLOAD_TYPE_BYTES: usize = 255;

const VERSION: u8 = 1;

/// A payload and who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the payload is; printable lower-case ASCII.
    pub payload_type: String,
    /// The exact bytes that were signed.
    pub payload: Vec<u8>,
    /// Ascending by key id, none twice.
    pub signatures: Vec<EntrySignature>,
}

/// A DSSE envelope: the same three things, as rosters and manifests carry them in JSON. There the
/// number of signatures is bounded by the roster (every founder signs), not by
/// [`MAX_ENTRY_SIGNATURES`].
pub type Envelope = Entry;

/// One signature, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntrySignature {
    /// Which key is said to have signed.
    pub key_id: KeyId,
    /// [`ALG_ED25519`], or one this version does not know and therefore does not count.
    pub alg: u8,
    /// The signature's bytes, 1 to 65,535 of them.
    pub sig: Vec<u8>,
}

/// Bytes or fields that are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Over [`MAX_ENTRY_BYTES`].
    #[error("entry of {bytes} bytes is over the limit of {MAX_ENTRY_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The bytes end inside a field.
    #[error("entry ends early")]
    Truncated,
    /// Bytes follow the last signature.
    #[error("entry has {bytes} bytes after its end")]
    Trailing {
        /// How many.
        bytes: usize,
    },
    /// Another version of the format.
    #[error("entry has version {found}, not 1")]
    Version {
        /// The version byte.
        found: u8,
    },
    /// Not 1 to 255 bytes of printable lower-case ASCII.
    #[error("payload type is not 1 to 255 bytes of printable lower-case ASCII")]
    PayloadType,
    /// Nothing is said.
    #[error("payload is empty")]
    EmptyPayload,
    /// Not 1 to [`MAX_ENTRY_SIGNATURES`].
    #[error("entry has {found} signatures, not 1 to {MAX_ENTRY_SIGNATURES}")]
    SignatureCount {
        /// How many.
        found: usize,
    },
    /// A signature without bytes.
    #[error("signature is empty")]
    EmptySignature,
    /// Key ids not ascending, or one twice.
    #[error("signatures are not in ascending order of distinct key ids")]
    SignatureOrder,
}

impl Entry {
    /// Says `payload` in the name of every key given, in the right order and each once.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, keys: &[&SigningKey]) -> Self {
        let mut entry = Self {
            payload_type: payload_type.to_owned(),
            payload,
            signatures: Vec::new(),
        };
        for key in keys {
            entry.add_signature(key);
        }
        entry
    }

    /// Adds a key's signature in its place. A key that has signed before signs again, so that a
    /// forged line under its id is replaced.
    pub fn add_signature(&mut self, key: &SigningKey) {
        let key_id = key.public().key_id();
        let sig = key.sign(&self.message()).0.to_vec();
        self.signatures
            .retain(|signature| signature.key_id != key_id);
        self.signatures.push(EntrySignature {
            key_id,
            alg: ALG_ED25519,
            sig,
        });
        self.signatures.sort_by_key(|signature| signature.key_id);
    }

    /// The entry as a log leaf.
    ///
    /// # Errors
    /// [`EntryError`], if the fields break a bound or the order of signatures.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        let type_bytes = self.payload_type.as_bytes();
        if !is_payload_type(type_bytes) {
            return Err(EntryError::PayloadType);
        }
        let type_len = u8::try_from(type_bytes.len()).map_err(|_| EntryError::PayloadType)?;
        if self.payload.is_empty() {
            return Err(EntryError::EmptyPayload);
        }
        check_signatures(&self.signatures)?;
        let count =
            u8::try_from(self.signatures.len()).map_err(|_| EntryError::SignatureCount {
                found: self.signatures.len(),
            })?;

        let mut bytes = vec![VERSION, type_len];
        bytes.extend_from_slice(type_bytes);
        put_u16_prefixed(&mut bytes, &self.payload)?;
        bytes.push(count);
        for signature in &self.signatures {
            bytes.extend_from_slice(&signature.key_id.0);
            bytes.push(signature.alg);
            put_u16_prefixed(&mut bytes, &signature.sig)?;
        }
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads a leaf. Strict: what is accepted encodes to the same bytes again.
    ///
    /// # Errors
    /// [`EntryError`] names the first rule that is broken.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(EntryError::TooLong { bytes: bytes.len() });
        }
        let mut reader = Reader(bytes);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(EntryError::Version { found: version });
        }
        let type_len = reader.u8()?;
        let type_bytes = reader.take(usize::from(type_len))?;
        if !is_payload_type(type_bytes) {
            return Err(EntryError::PayloadType);
        }
        let payload_type = str::from_utf8(type_bytes)
            .map_err(|_| EntryError::PayloadType)?
            .to_owned();
        let payload = reader.u16_prefixed()?.to_vec();
        if payload.is_empty() {
            return Err(EntryError::EmptyPayload);
        }
        let count = usize::from(reader.u8()?);
        if count > MAX_ENTRY_SIGNATURES {
            return Err(EntryError::SignatureCount { found: count });
        }
        let signatures = (0..count)
            .map(|_| reader.signature())
            .collect::<Result<Vec<_>, _>>()?;
        check_signatures(&signatures)?;
        if !reader.0.is_empty() {
            return Err(EntryError::Trailing {
                bytes: reader.0.len(),
            });
        }
        Ok(Self {
            payload_type,
            payload,
            signatures,
        })
    }

    /// What every signature covers.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// The name of what is said, whoever signed it.
    #[must_use]
    pub fn statement_id(&self) -> Hash {
        statement_id(&self.payload_type, &self.payload)
    }

    /// Whether `key` signed this. Each call hashes the payload; for many keys use
    /// [`Entry::signers`].
    #[must_use]
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        !self.signers([key]).is_empty()
    }

    /// Which of `keys` signed this, each counted once. Signatures by other keys are not looked at.
    #[must_use]
    pub fn signers<'a>(&self, keys: impl IntoIterator<Item = &'a PublicKey>) -> BTreeSet<KeyId> {
        let message = self.message();
        keys.into_iter()
            .filter(|key| {
                let id = key.key_id();
                self.signatures
                    .iter()
                    .any(|signature| signature.key_id == id && signature.verify(key, &message))
            })
            .map(PublicKey::key_id)
            .collect()
    }
}

impl EntrySignature {
    /// Whether this is `key`'s signature over `message`. The key id is the caller's to match.
    #[must_use]
    pub fn verify(&self, key: &PublicKey, message: &[u8]) -> bool {
        self.alg == ALG_ED25519
            && Signature::try_from(self.sig.as_slice())
                .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }
}

/// The DSSE v1 pre-authentication encoding: what is signed, so that no payload passes for one of
/// another type.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// The name of a statement: the hash of what its signers signed.
#[must_use]
pub fn statement_id(payload_type: &str, payload: &[u8]) -> Hash {
    Hash::of(&pae(payload_type, payload))
}

fn is_payload_type(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.len() <= MAX_PAYLOAD_TYPE_BYTES
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
}

fn check_signatures(signatures: &[EntrySignature]) -> Result<(), EntryError> {
    if signatures.is_empty() || signatures.len() > MAX_ENTRY_SIGNATURES {
        return Err(EntryError::SignatureCount {
            found: signatures.len(),
        });
    }
    if signatures.iter().any(|signature| signature.sig.is_empty()) {
        return Err(EntryError::EmptySignature);
    }
    if !signatures.is_sorted_by(|a, b| a.key_id < b.key_id) {
        return Err(EntryError::SignatureOrder);
    }
    Ok(())
}

fn put_u16_prefixed(bytes: &mut Vec<u8>, content: &[u8]) -> Result<(), EntryError> {
    let len = u16::try_from(content.len()).map_err(|_| EntryError::TooLong {
        bytes: content.len(),
    })?;
    bytes.extend_from_slice(&len.to_be_bytes());
    bytes.extend_from_slice(content);
    Ok(())
}

/// What is left to read of an entry.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], EntryError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], EntryError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(EntryError::Truncated)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, EntryError> {
        self.array().map(|[byte]| byte)
    }

    fn u16_prefixed(&mut self) -> Result<&'a [u8], EntryError> {
        let len = u16::from_be_bytes(self.array()?);
        self.take(usize::from(len))
    }

    fn signature(&mut self) -> Result<EntrySignature, EntryError> {
        let key_id = KeyId(self.array()?);
        let alg = self.u8()?;
        let sig = self.u16_prefixed()?.to_vec();
        Ok(EntrySignature { key_id, alg, sig })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_map, vec};
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        let keys = [
            SigningKey::from_seed([1; 32]),
            SigningKey::from_seed([2; 32]),
        ];
        Entry::sign(STATEMENT_TYPE, b"said".to_vec(), &[&keys[0], &keys[1]])
    }

    #[test]
    fn the_signed_message_is_that_of_the_dsse_specification() {
        let message = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(
            message,
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }

    #[test]
    fn the_bytes_are_those_of_the_formats() {
        let entry = Entry {
            payload_type: "t".to_owned(),
            payload: vec![7, 8],
            signatures: vec![EntrySignature {
                key_id: KeyId([9; 32]),
                alg: 1,
                sig: vec![5; 3],
            }],
        };
        let expected = [
            &[1, 1, b't', 0, 2, 7, 8, 1][..],
            &[9; 32],
            &[1, 0, 3, 5, 5, 5],
        ]
        .concat();
        assert_eq!(entry.encode(), Ok(expected));
    }

    #[test]
    fn no_part_and_no_extension_of_an_entry_is_one() {
        let bytes = entry().encode().unwrap();
        assert_eq!(Entry::decode(&bytes), Ok(entry()));
        for end in 0..bytes.len() {
            assert!(Entry::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            Entry::decode(&longer),
            Err(EntryError::Trailing { bytes: 1 })
        );
        let too_long = vec![1; MAX_ENTRY_BYTES + 1];
        let refused = Err(EntryError::TooLong {
            bytes: MAX_ENTRY_BYTES + 1,
        });
        assert_eq!(Entry::decode(&too_long), refused);
        let version_2 = [&[2], &bytes[1..]].concat();
        assert_eq!(
            Entry::decode(&version_2),
            Err(EntryError::Version { found: 2 })
        );
    }

    #[test]
    fn fields_out_of_bounds_are_refused_both_ways() {
        let with = |change: &dyn Fn(&mut Entry)| {
            let mut entry = entry();
            change(&mut entry);
            entry.encode().unwrap_err()
        };
        for bad in ["", "Upper", "with space", "\u{e9}", &"a".repeat(256)] {
            let error = with(&|entry| entry.payload_type = bad.to_owned());
            assert_eq!(error, EntryError::PayloadType, "{bad:?}");
        }
        assert_eq!(
            with(&|entry| entry.payload.clear()),
            EntryError::EmptyPayload
        );
        assert_eq!(
            with(&|entry| entry.payload = vec![0; 65_400]),
            EntryError::TooLong {
                bytes: 65_400 + 2 + STATEMENT_TYPE.len() + 3 + 2 * (35 + 64)
            }
        );
        assert!(matches!(
            with(&|entry| entry.payload = vec![0; 70_000]),
            EntryError::TooLong { .. }
        ));
        assert_eq!(
            with(&|entry| entry.signatures.clear()),
            EntryError::SignatureCount { found: 0 }
        );
        assert_eq!(
            with(&|entry| entry.signatures[0].sig.clear()),
            EntryError::EmptySignature
        );
        assert_eq!(
            with(&|entry| entry.signatures.reverse()),
            EntryError::SignatureOrder
        );
        assert_eq!(
            with(&|entry| entry.signatures[1] = entry.signatures[0].clone()),
            EntryError::SignatureOrder
        );
        // The same on the way in: two signatures of one key, then nine.
        let mut bytes = entry().encode().unwrap();
        let at = bytes.len() - 2 * 99;
        bytes.copy_within(at..at + 99, at + 99);
        assert_eq!(Entry::decode(&bytes), Err(EntryError::SignatureOrder));
        bytes[at - 1] = 9;
        assert_eq!(
            Entry::decode(&bytes),
            Err(EntryError::SignatureCount { found: 9 })
        );
        bytes[at - 1] = 0;
        assert_eq!(
            Entry::decode(&bytes),
            Err(EntryError::SignatureCount { found: 0 })
        );
    }

    #[test]
    fn signers_count_once_and_only_for_what_they_signed() {
        let keys = [1, 2, 3].map(|n| SigningKey::from_seed([n; 32]));
        let [first, second, third] = [0, 1, 2].map(|n| keys[n].public());
        let mut entry = Entry::sign(STATEMENT_TYPE, b"said".to_vec(), &[&keys[0], &keys[0]]);
        assert_eq!(entry.signatures.len(), 1);
        assert!(entry.is_signed_by(&first) && !entry.is_signed_by(&second));
        entry.add_signature(&keys[1]);
        let all = [&first, &second, &second, &third];
        assert_eq!(
            entry.signers(all),
            BTreeSet::from([first.key_id(), second.key_id()])
        );
        // An algorithm this version does not know does not count.
        entry.signatures[0].alg = 2;
        assert_eq!(entry.signers(all).len(), 1);
        // Nor does a signature over the same payload under another type.
        let mut other = Entry::sign(ROSTER_TYPE, b"said".to_vec(), &[&keys[0]]);
        other.payload_type = MANIFEST_TYPE.to_owned();
        assert!(!other.is_signed_by(&first));
        // A line forged under a key's id is replaced when the key signs.
        entry.signatures[1].sig = vec![0; 64];
        entry.add_signature(&keys[0]);
        entry.add_signature(&keys[1]);
        assert_eq!(entry.signers(all).len(), 2);
    }

    proptest! {
        #[test]
        fn entries_round_trip(
            payload_type in "[a-z0-9/.+-]{1,255}",
            payload in vec(any::<u8>(), 1..2000),
            signatures in btree_map(
                any::<[u8; 32]>(), (any::<u8>(), vec(any::<u8>(), 1..200)), 1..=8,
            ),
        ) {
            let signatures = signatures.into_iter().map(|(id, (alg, sig))| EntrySignature {
                key_id: KeyId(id),
                alg,
                sig,
            });
            let entry = Entry { payload_type, payload, signatures: signatures.collect() };
            let bytes = entry.encode().unwrap();
            prop_assert_eq!(Entry::decode(&bytes), Ok(entry));
        }

        #[test]
        fn hostile_bytes_are_refused_or_encode_to_themselves(
            bytes in vec(any::<u8>(), 0..400), at: usize, value: u8,
        ) {
            let mut damaged = entry().encode().unwrap();
            let at = at % damaged.len();
            damaged[at] = value;
            for bytes in [bytes, damaged] {
                if let Ok(entry) = Entry::decode(&bytes) {
                    prop_assert_eq!(entry.encode(), Ok(bytes));
                    let _ = entry.is_signed_by(&SigningKey::from_seed([1; 32]).public());
                }
            }
        }
    }
}
