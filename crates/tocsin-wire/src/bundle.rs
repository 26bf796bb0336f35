//! The self-contained evidence file, `.tsn` (FORMATS 8): a statement, and what proves that it was
//! accepted, readable without a network in any year to come.
//!
//! Before acceptance the same file holds statement and bodies only: what people sign, cosign and
//! submit. Begin at [`verify::verify`] to judge a file, at [`decode`] to read one.

use prost::Message as _;
use tocsin_core::statement::MAX_BODIES;
use tocsin_log::entry::{Entry, Envelope};
use tocsin_log::hash::Hash;
use tocsin_log::note::MAX_NOTE_BYTES;

use crate::envelope::{read_envelope, read_proof, read_statement};
use crate::envelope::{write_envelope, write_proof, write_statement};
use crate::proto::v1;
use crate::scan::scan;
use crate::{shape, submission};

pub use error::{ALL, BundleError, Explanation, explain};

pub mod assemble;
mod error;
pub mod verify;

/// What every file begins with.
pub const MAGIC: &[u8; 4] = b"TSN1";
/// Bytes of one file: eight bodies of 256 KiB, and as much again for notes and manifests.
pub const MAX_BUNDLE_BYTES: usize = 4 * 1024 * 1024;
/// Notes in one file; a quorum of the largest alliance is fewer.
pub const MAX_NOTES: usize = 64;
/// Manifests in one file: the author's and every cosigner's.
pub const MAX_MANIFESTS: usize = tocsin_core::roster::MAX_MEMBERS;
/// List elements of one file over all its lists: [`MAX_NOTES`] proofs of 63 hashes, and the rest.
const MAX_ELEMENTS: usize = 8_192;

/// What a file holds, unchecked but for its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// The statement as its signers signed it, and as it stands in the log.
    pub entry: Entry,
    /// The bodies in the statement's order, empty where one is withheld; none at all where all are.
    pub bodies: Vec<Vec<u8>>,
    /// What proves acceptance; absent in a draft or submission.
    pub acceptance: Option<Acceptance>,
}

/// What proves that an entry stands in its author's log, and who has seen it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// Place in the author's log, counted from 0.
    pub index: u64,
    /// 1 to [`MAX_NOTES`].
    pub notes: Vec<ProvenNote>,
    /// Genesis first.
    pub rosters: Vec<Envelope>,
    /// Of the author and of every cosigner.
    pub manifests: Vec<Envelope>,
}

/// A signed note of the author's log, and the way from the entry to its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenNote {
    /// With its cosignatures, all by members whose manifests are in the file.
    pub note: Vec<u8>,
    /// The inclusion proof, leaf upwards.
    pub proof: Vec<Hash>,
}

/// The file's bytes.
#[must_use]
pub fn encode(bundle: &Bundle) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(write(bundle).encode_to_vec());
    bytes
}

/// Reads a file. Strict: what is taken encodes to the same bytes again.
///
/// # Errors
/// [`BundleError`] names the first rule that is broken.
pub fn decode(bytes: &[u8]) -> Result<Bundle, BundleError> {
    if bytes.len() > MAX_BUNDLE_BYTES {
        return Err(BundleError::TooLarge { bytes: bytes.len() });
    }
    let content = bytes.strip_prefix(MAGIC).ok_or(BundleError::Magic)?;
    let scanned = scan(content, shape::BUNDLE, MAX_ELEMENTS)?;
    if let Some(first) = scanned.surprises.first() {
        let (message, number) = (first.message, first.number);
        return Err(BundleError::UnknownField { message, number });
    }
    let message = v1::Bundle::decode(content).map_err(|_| BundleError::NotCanonical)?;
    let bundle = read(&message)?;
    // Fields that say nothing are spelled by leaving them out; so no byte is free.
    if write(&bundle).encode_to_vec() != content {
        return Err(BundleError::NotCanonical);
    }
    Ok(bundle)
}

fn read(message: &v1::Bundle) -> Result<Bundle, BundleError> {
    let bodies = submission::bodies(&message.body, &message.further_bodies);
    if bodies.len() > MAX_BODIES {
        return Err(BundleError::BodyCount {
            found: bodies.len(),
        });
    }
    let entry = read_statement(message.statement.as_ref()).map_err(BundleError::StatementForm)?;
    let is_bare = message.index == 0
        && message.notes.is_empty()
        && message.rosters.is_empty()
        && message.manifests.is_empty();
    let acceptance = if is_bare {
        None
    } else {
        Some(read_acceptance(message)?)
    };
    Ok(Bundle {
        entry,
        bodies,
        acceptance,
    })
}

fn read_acceptance(message: &v1::Bundle) -> Result<Acceptance, BundleError> {
    let (notes, manifests) = (message.notes.len(), message.manifests.len());
    if notes > MAX_NOTES {
        return Err(BundleError::NoteCount { found: notes });
    }
    if manifests > MAX_MANIFESTS {
        return Err(BundleError::ManifestCount { found: manifests });
    }
    if let Some(note) = message.notes.iter().find(|n| n.note.len() > MAX_NOTE_BYTES) {
        return Err(BundleError::NoteTooLarge {
            bytes: note.note.len(),
        });
    }
    Ok(Acceptance {
        index: message.index,
        notes: message
            .notes
            .iter()
            .map(|note| {
                let proof = read_proof(&note.inclusion_proof).map_err(BundleError::ProofForm)?;
                Ok(ProvenNote {
                    note: note.note.clone(),
                    proof,
                })
            })
            .collect::<Result<_, BundleError>>()?,
        rosters: message
            .rosters
            .iter()
            .map(|roster| read_envelope(roster).map_err(BundleError::RosterForm))
            .collect::<Result<_, _>>()?,
        manifests: message
            .manifests
            .iter()
            .map(|manifest| read_envelope(manifest).map_err(BundleError::ManifestForm))
            .collect::<Result<_, _>>()?,
    })
}

fn write(bundle: &Bundle) -> v1::Bundle {
    let mut bodies = bundle.bodies.iter().cloned();
    let mut message = v1::Bundle {
        statement: Some(write_statement(&bundle.entry)),
        body: bodies.next().unwrap_or_default(),
        further_bodies: bodies.collect(),
        ..v1::Bundle::default()
    };
    if let Some(acceptance) = &bundle.acceptance {
        message.index = acceptance.index;
        message.notes = acceptance
            .notes
            .iter()
            .map(|note| v1::BundleNote {
                note: note.note.clone(),
                inclusion_proof: write_proof(&note.proof),
            })
            .collect();
        message.rosters = acceptance.rosters.iter().map(write_envelope).collect();
        message.manifests = acceptance.manifests.iter().map(write_envelope).collect();
    }
    message
}
