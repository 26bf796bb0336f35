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
