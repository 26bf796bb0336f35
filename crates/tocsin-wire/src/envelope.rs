//! Signed things as messages: what a client sends, what a log keeps, what a roster travels in.
//!
//! The domain's own type for all of them is [`Entry`]: payload type, exact payload, signatures.

use tocsin_core::reason::Reason;
use tocsin_log::entry::{Entry, EntrySignature, Envelope, MAX_ENTRY_SIGNATURES};
use tocsin_log::hash::Hash;
use tocsin_log::key::KeyId;
use tocsin_log::proof::MAX_PROOF_HASHES;

use crate::proto::v1;

/// Signatures of one roster: every founder signs. As many as a note may have signature lines.
pub const MAX_ENVELOPE_SIGNATURES: usize = 128;

/// Why a message is not a signed thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The message is not there at all.
    #[error("no signed statement")]
    Missing,
    /// No signatures, or more than its kind may have.
    #[error("{found} signatures, not 1 to {limit}")]
    SignatureCount {
        /// How many.
        found: usize,
        /// The most.
        limit: usize,
    },
    /// A key id is 32 bytes.
    #[error("a key id has 32 bytes, not {found}")]
    KeyId {
        /// Bytes given.
        found: usize,
    },
    /// An algorithm's number is one byte.
    #[error("{found} is no algorithm")]
    Algorithm {
        /// The number given.
        found: u32,
    },
    /// A proof has more hashes than a tree has levels.
    #[error("{found} hashes in a proof, over {MAX_PROOF_HASHES}")]
    ProofLength {
        /// How many.
        found: usize,
    },
    /// A hash of a proof is 32 bytes.
    #[error("a hash has 32 bytes, not {found}")]
    Hash {
        /// Bytes given.
        found: usize,
    },
}

impl EnvelopeError {
    /// The stable reason, as the door gives it.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Missing => Reason::FieldMissing,
            Self::ProofLength { .. } | Self::Hash { .. } => Reason::Malformed,
            Self::SignatureCount { found: 0, .. } => Reason::SignatureMissing,
            Self::SignatureCount { .. } | Self::KeyId { .. } => Reason::EntryMalformed,
            Self::Algorithm { .. } => Reason::SignatureAlgorithm,
        }
    }
}

/// What a client submits, as the entry it would become. Nothing is checked but the form; the
/// order of signatures is [`Entry::encode`]'s to judge.
///
/// # Errors
/// The form of a signature, or their number.
pub fn read_statement(message: Option<&v1::SignedStatement>) -> Result<Entry, EnvelopeError> {
    let message = message.ok_or(EnvelopeError::Missing)?;
    Ok(Entry {
        payload_type: message.payload_type.clone(),
        payload: message.payload.clone(),
        signatures: read_signatures(&message.signatures, MAX_ENTRY_SIGNATURES)?,
    })
}

/// An entry as clients read it: exact bytes and who signed them.
#[must_use]
pub fn write_statement(entry: &Entry) -> v1::SignedStatement {
    v1::SignedStatement {
        payload_type: entry.payload_type.clone(),
        payload: entry.payload.clone(),
        signatures: write_signatures(&entry.signatures),
    }
}

/// A roster or manifest, unchecked but for its form.
///
/// # Errors
/// The form of a signature, or their number.
pub fn read_envelope(message: &v1::Envelope) -> Result<Envelope, EnvelopeError> {
    Ok(Envelope {
        payload_type: message.payload_type.clone(),
        payload: message.payload.clone(),
        signatures: read_signatures(&message.signatures, MAX_ENVELOPE_SIGNATURES)?,
    })
}

/// A roster or manifest as it travels.
#[must_use]
pub fn write_envelope(envelope: &Envelope) -> v1::Envelope {
    v1::Envelope {
        payload_type: envelope.payload_type.clone(),
        payload: envelope.payload.clone(),
        signatures: write_signatures(&envelope.signatures),
    }
}

fn read_signatures(
    signatures: &[v1::Signature],
    limit: usize,
) -> Result<Vec<EntrySignature>, EnvelopeError> {
    let found = signatures.len();
    if found == 0 || found > limit {
        return Err(EnvelopeError::SignatureCount { found, limit });
    }
    signatures
        .iter()
        .map(|signature| {
            let key_id =
                KeyId::try_from(signature.key_id.as_slice()).map_err(|_| EnvelopeError::KeyId {
                    found: signature.key_id.len(),
                })?;
            let alg = u8::try_from(signature.alg).map_err(|_| EnvelopeError::Algorithm {
                found: signature.alg,
            })?;
            Ok(EntrySignature {
                key_id,
                alg,
                sig: signature.sig.clone(),
            })
        })
        .collect()
}

fn write_signatures(signatures: &[EntrySignature]) -> Vec<v1::Signature> {
    signatures
        .iter()
        .map(|signature| v1::Signature {
            key_id: signature.key_id.as_bytes().to_vec(),
            alg: u32::from(signature.alg),
            sig: signature.sig.clone(),
        })
        .collect()
}

/// The hashes of a proof, bounded.
///
/// # Errors
/// More hashes than a tree has levels, or one of another length.
pub fn read_proof(hashes: &[Vec<u8>]) -> Result<Vec<Hash>, EnvelopeError> {
    let found = hashes.len();
    if found > MAX_PROOF_HASHES {
        return Err(EnvelopeError::ProofLength { found });
    }
    hashes
        .iter()
        .map(|hash| {
            Hash::try_from(hash.as_slice()).map_err(|_| EnvelopeError::Hash { found: hash.len() })
        })
        .collect()
}

/// The hashes of a proof as they travel, leaf upwards.
#[must_use]
pub fn write_proof(hashes: &[Hash]) -> Vec<Vec<u8>> {
    hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_log::entry::STATEMENT_TYPE;
    use tocsin_log::key::SigningKey;

    use super::*;

    fn signed() -> Entry {
        let keys = [
            SigningKey::from_seed([1; 32]),
            SigningKey::from_seed([2; 32]),
        ];
        Entry::sign(STATEMENT_TYPE, b"said".to_vec(), &[&keys[0], &keys[1]])
    }

    #[test]
    fn what_a_client_sends_becomes_the_entry_it_signed() {
        let entry = signed();
        assert_eq!(
            read_statement(Some(&write_statement(&entry))),
            Ok(entry.clone())
        );
        assert_eq!(read_envelope(&write_envelope(&entry)), Ok(entry));
    }

    #[test]
    fn signatures_of_another_form_are_refused() {
        let good = write_statement(&signed());
        let refused = |change: &dyn Fn(&mut v1::SignedStatement)| {
            let mut message = good.clone();
            change(&mut message);
            read_statement(Some(&message)).unwrap_err()
        };
        assert_eq!(
            refused(&|m| m.signatures.clear()),
            EnvelopeError::SignatureCount { found: 0, limit: 8 }
        );
        assert_eq!(
            refused(&|m| m.signatures = vec![v1::Signature::default(); 9]),
            EnvelopeError::SignatureCount { found: 9, limit: 8 }
        );
        assert_eq!(
            refused(&|m| m.signatures[0].key_id.truncate(31)),
            EnvelopeError::KeyId { found: 31 }
        );
        assert_eq!(
            refused(&|m| m.signatures[1].alg = 256),
            EnvelopeError::Algorithm { found: 256 }
        );
    }

    #[test]
    fn a_proof_of_more_hashes_than_levels_is_refused() {
        let long = vec![vec![0; 32]; MAX_PROOF_HASHES + 1];
        assert_eq!(
            read_proof(&long),
            Err(EnvelopeError::ProofLength { found: 64 })
        );
        assert_eq!(
            read_proof(&[vec![0; 31]]),
            Err(EnvelopeError::Hash { found: 31 })
        );
    }

    proptest! {
        #[test]
        fn proofs_round_trip(hashes in prop::collection::vec(any::<[u8; 32]>(), 0..8)) {
            let hashes: Vec<Hash> = hashes.into_iter().map(Hash).collect();
            prop_assert_eq!(read_proof(&write_proof(&hashes)), Ok(hashes));
        }
    }
}
