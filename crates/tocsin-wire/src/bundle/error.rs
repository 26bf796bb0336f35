//! Why an evidence file is refused: one code for each thing that can be wrong with it.

use tocsin_core::reason::{Reason, Refusal};
use tocsin_log::checkpoint::CheckpointError;
use tocsin_log::entry::EntryError;
use tocsin_log::hash::Hash;
use tocsin_log::note::NoteError;
use tocsin_log::proof::ProofError;

use super::{MAX_BUNDLE_BYTES, MAX_MANIFESTS, MAX_NOTES};
use crate::envelope::EnvelopeError;
use crate::scan::ScanError;

/// Why an evidence file is not taken. It says nothing about the statement, which may be genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// Over [`MAX_BUNDLE_BYTES`].
    #[error("file of {bytes} bytes is over the limit of {MAX_BUNDLE_BYTES}")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not a file of this kind, or of another version of it.
    #[error("file does not begin with TSN1")]
    Magic,
    /// The file is damaged, cut, or spelled in a second way.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// A field this version does not know; nothing in an evidence file is optional to understand.
    #[error("{message} has the unknown field {number}")]
    UnknownField {
        /// The message it stands in.
        message: &'static str,
        /// Its number.
        number: u32,
    },
    /// The file says what it says in a second way.
    #[error("file is not in its one spelling")]
    NotCanonical,
    /// The statement is absent, or its signatures have not the form of any.
    #[error("statement: {0}")]
    StatementForm(#[source] EnvelopeError),
    /// A roster's signatures have not the form of any.
    #[error("roster: {0}")]
    RosterForm(#[source] EnvelopeError),
    /// A manifest's signatures have not the form of any.
    #[error("manifest: {0}")]
    ManifestForm(#[source] EnvelopeError),
    /// An inclusion proof is no list of hashes.
    #[error("inclusion proof: {0}")]
    ProofForm(#[source] EnvelopeError),
    /// Over [`MAX_NOTES`].
    #[error("{found} notes, over the limit of {MAX_NOTES}")]
    NoteCount {
        /// How many.
        found: usize,
    },
    /// A note over its bound.
    #[error("note of {bytes} bytes is over the limit")]
    NoteTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Over [`MAX_MANIFESTS`].
    #[error("{found} manifests, over the limit of {MAX_MANIFESTS}")]
    ManifestCount {
        /// How many.
        found: usize,
    },
    /// Not as many bodies as the statement names.
    #[error("{found} bodies, which is not what the statement names")]
    BodyCount {
        /// How many.
        found: usize,
    },
    /// Statement and bodies only: a draft or submission.
    #[error("statement has not been accepted into a log yet")]
    NotAccepted,
    /// No roster.
    #[error("file holds no roster")]
    RosterMissing,
    /// Later rosters come with the trust work.
    #[error("file holds a second roster, which this version cannot judge yet")]
    RosterNotYet,
    /// The roster is not the one that the reader trusts.
    #[error("genesis roster is {found}, not the trusted {expected}")]
    Genesis {
        /// What the reader trusts.
        expected: Hash,
        /// What the file holds.
        found: Hash,
    },
    /// The roster or a manifest does not hold.
    #[error(transparent)]
    Alliance(Refusal),
    /// The statement is for the log of a member whose manifest is not here.
    #[error("no manifest of {log}, whose statement this is")]
    AuthorManifest {
        /// The log that the statement names.
        log: String,
    },
    /// The statement makes no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The statement would not count in any log.
    #[error(transparent)]
    Statement(Refusal),
    /// The statement says something this version does not know.
    #[error("statement says something this version does not know")]
    StatementOpaque,
    /// A body is not the one that the statement names.
    #[error("body {place} is not the one that the statement names")]
    BodyDigest {
        /// Its place, counted from 0.
        place: usize,
    },
    /// No note: nothing shows that the statement stands in a log.
    #[error("file holds no note")]
    NoteMissing,
    /// A note is not the author's log's own word.
    #[error("note {place}: {error}")]
    Note {
        /// Its place, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: CheckpointError,
    },
    /// A line on a note is by nobody whose manifest is in the file, or does not verify.
    #[error("note {place} is cosigned by {name}, which cannot be verified")]
    Cosigner {
        /// The note's place, counted from 0.
        place: usize,
        /// Who is said to have signed.
        name: String,
    },
    /// The entry does not stand where the file says.
    #[error("inclusion proof {place}: {error}")]
    Proof {
        /// Its place, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: ProofError,
    },
}

impl BundleError {
    /// The stable reason code. [`explain`] says what each of this crate's own means; the others are
    /// in [`tocsin_core::reason::ALL`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "BUNDLE_TOO_LARGE",
            Self::Magic => "BUNDLE_MAGIC",
            Self::Scan(_) => "BUNDLE_MALFORMED",
            Self::UnknownField { .. } => "BUNDLE_UNKNOWN_FIELD",
            Self::NotCanonical => "BUNDLE_NOT_CANONICAL",
            Self::StatementForm(_) | Self::Entry(_) => "STATEMENT_MALFORMED",
            Self::RosterForm(_) => "ROSTER_MALFORMED",
            Self::ManifestForm(_) | Self::ManifestCount { .. } => "MANIFEST_MALFORMED",
            Self::ProofForm(_) => "PROOF_MALFORMED",
            Self::NoteCount { .. } | Self::NoteTooLarge { .. } => "NOTE_MALFORMED",
            Self::BodyCount { .. } => Reason::BodyCount.code(),
            Self::NotAccepted => "BUNDLE_NOT_ACCEPTED",
            Self::RosterMissing => "ROSTER_MISSING",
            Self::RosterNotYet => Reason::RosterNotYet.code(),
            Self::Genesis { .. } => "GENESIS_MISMATCH",
            Self::Alliance(refusal) | Self::Statement(refusal) => refusal.reason.code(),
            Self::AuthorManifest { .. } => "MANIFEST_OF_AUTHOR_MISSING",
            Self::StatementOpaque => "STATEMENT_UNKNOWN",
            Self::BodyDigest { .. } => Reason::BodyDigest.code(),
            Self::NoteMissing => "NOTE_MISSING",
            Self::Note { error, .. } => note_code(error),
            Self::Cosigner { .. } => "NOTE_COSIGNATURE",
            Self::Proof { error, .. } => match error {
                ProofError::Bounds { .. } => "PROOF_INDEX",
                ProofError::Length { .. } => "PROOF_LENGTH",
                ProofError::Root => "PROOF_MISMATCH",
            },
        }
    }
}

const fn note_code(error: &CheckpointError) -> &'static str {
    match error {
        CheckpointError::OtherOrigin { .. } => "NOTE_OTHER_LOG",
        CheckpointError::Note(NoteError::Unsigned | NoteError::BadSignature) => "NOTE_SIGNATURE",
        CheckpointError::Note(_)
        | CheckpointError::Text
        | CheckpointError::Origin
        | CheckpointError::TooLarge { .. }
        | CheckpointError::Empty => "NOTE_MALFORMED",
    }
}

/// What a code of this crate's own means, and what to do; for `tocsin explain CODE`, beside
/// [`tocsin_core::reason::ALL`].
#[must_use]
pub fn explain(code: &str) -> Option<Explanation> {
    ALL.iter()
        .find(|explanation| explanation.code == code)
        .copied()
}

/// One code in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Stable, UPPER_SNAKE.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub meaning: &'static str,
    /// What to do, in one sentence.
    pub remedy: &'static str,
}

const fn say(code: &'static str, meaning: &'static str, remedy: &'static str) -> Explanation {
    Explanation {
        code,
        meaning,
        remedy,
    }
}

const FETCH: &str = "Fetch the file again: tocsin verify NAME at a node you trust.";

/// Every code of this crate's own.
pub const ALL: &[Explanation] = &[
    say("BUNDLE_TOO_LARGE", "The file is over 4 MiB.", FETCH),
    say(
        "BUNDLE_MAGIC",
        "The file is no evidence file of this version: it does not begin with TSN1.",
        "Check that it is the file you meant; evidence files end in .tsn.",
    ),
    say(
        "BUNDLE_MALFORMED",
        "The file is damaged, cut short or not in canonical form.",
        FETCH,
    ),
    say(
        "BUNDLE_UNKNOWN_FIELD",
        "The file holds something that this version does not know, or has bytes after its end.",
        "Upgrade, or fetch the file again.",
    ),
    say(
        "BUNDLE_NOT_CANONICAL",
        "The file is not in the one spelling of what it says.",
        FETCH,
    ),
    say(
        "BUNDLE_NOT_ACCEPTED",
        "The file holds a draft or submission: no log has accepted the statement yet.",
        "Submit it, or fetch the evidence file from a node: tocsin verify NAME.",
    ),
    say(
        "STATEMENT_MALFORMED",
        "The file holds no statement, or one that makes no entry.",
        FETCH,
    ),
    say(
        "STATEMENT_UNKNOWN",
        "The statement stands in the log, but says something that this version does not know.",
        "Upgrade, then verify again.",
    ),
    say(
        "ROSTER_MALFORMED",
        "The roster's signatures have not the form of any.",
        FETCH,
    ),
    say(
        "ROSTER_MISSING",
        "The file holds no roster, so nothing says whose keys count.",
        FETCH,
    ),
    say(
        "GENESIS_MISMATCH",
        "The file's genesis roster is not the one you trust: it is another alliance's, or forged.",
        "Compare the fingerprint by voice with a member you know.",
    ),
    say(
        "MANIFEST_MALFORMED",
        "A manifest's signatures have not the form of any.",
        FETCH,
    ),
    say(
        "MANIFEST_OF_AUTHOR_MISSING",
        "The file holds no manifest of the member whose log the statement names.",
        FETCH,
    ),
    say(
        "NOTE_MISSING",
        "No note shows that the statement stands in a log.",
        FETCH,
    ),
    say("NOTE_MALFORMED", "A note is no checkpoint of a log.", FETCH),
    say(
        "NOTE_OTHER_LOG",
        "A note is of another log than the statement's.",
        FETCH,
    ),
    say(
        "NOTE_SIGNATURE",
        "A note is not signed by the log key of the author's manifest.",
        FETCH,
    ),
    say(
        "NOTE_COSIGNATURE",
        "A line on a note is by nobody whose manifest is in the file, or does not verify.",
        FETCH,
    ),
    say(
        "PROOF_MALFORMED",
        "An inclusion proof is no list of hashes.",
        FETCH,
    ),
    say(
        "PROOF_INDEX",
        "The statement's place is not inside the log that the note speaks of.",
        FETCH,
    ),
    say(
        "PROOF_LENGTH",
        "An inclusion proof has not the length that place and size ask for.",
        FETCH,
    ),
    say(
        "PROOF_MISMATCH",
        "The statement does not stand where the file says.",
        FETCH,
    ),
];
