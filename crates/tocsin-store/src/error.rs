//! What goes wrong here, by whose doing: a refusal is answered, a fault ends the process.

use tocsin_log::hash::Hash;

use crate::disk::DiskError;

/// Why a call on the store gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller's doing, or the state of the log; nothing changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ours: the disk failed or an invariant broke. The log is poisoned; the process must end and
    /// start again.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What the store does not do, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another process works on the data directory.
    #[error("the data directory is in use by another process")]
    Locked,
    /// Beyond what is committed.
    #[error("index {index} is beyond the {size} entries committed")]
    OutOfRange {
        /// What was asked for.
        index: u64,
        /// What there is.
        size: u64,
    },
    /// No note was kept at exactly this size.
    #[error("there is no note of size {size}")]
    NoNote {
        /// What was asked for.
        size: u64,
    },
    /// The log is damaged at this place.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The log is behind, read-only or damaged: see its state.
    #[error("the log cannot be written in its present state")]
    NotReady,
    /// Signing was not yet allowed since the start (FORMATS.md 5, the start-up rule).
    #[error("signing is not yet allowed")]
    NotAllowed,
    /// Signing has ended.
    #[error("signing has ended: {0}")]
    Stopped(StopReason),
    /// The disk is full. Nothing was taken; the log goes on.
    #[error("the disk is full")]
    DiskFull,
    /// An entry, body or record over its bound.
    #[error("{bytes} bytes are over the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The bound.
        limit: usize,
    },
    /// A batch with no entries.
    #[error("the batch is empty")]
    EmptyBatch,
    /// A batch over FORMATS.md 4's limits, or across a multiple of the segment's entries.
    #[error("the batch is over the limits of one batch")]
    BatchOverLimit,
    /// The batch does not begin where the log ends.
    #[error("the batch begins at {found}, the log ends at {expected}")]
    NotNext {
        /// The log's size.
        expected: u64,
        /// The batch's first index.
        found: u64,
    },
    /// The entries do not have the root that was signed for them.
    #[error("the entries up to {size} do not have the root that was signed")]
    OtherRoot {
        /// The size of the checkpoint.
        size: u64,
    },
    /// The repair lacks this entry.
    #[error("the repair lacks entry {index}")]
    RepairIncomplete {
        /// Which.
        index: u64,
    },
    /// The repair lacks a body of this entry that the log once had.
    #[error("the repair lacks body {digest} of entry {index}")]
    RepairLacksBody {
        /// Whose.
        index: u64,
        /// Which.
        digest: Hash,
    },
    /// The repair needs the log's own signed note of this size to be checked against.
    #[error("the repair needs the note of size {size}")]
    RepairNeedsNote {
        /// Which.
        size: u64,
    },
    /// A mirror state has no room for another log.
    #[error("more logs are mirrored than mirror.state has room for")]
    TooManyLogs,
    /// The entry has no such body here.
    #[error("entry {index} has no body {digest} here")]
    NoBody {
        /// Whose.
        index: u64,
        /// Which.
        digest: Hash,
    },
    /// Bytes that are not what their digest says.
    #[error("the bytes are not those of {digest}")]
    WrongDigest {
        /// The digest given.
        digest: Hash,
    },
}

/// The disk failed, or we did.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The disk said no. After a failed flush nobody knows what lasts.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// An earlier fault; what this process has in memory is not to be trusted.
    #[error("an earlier fault ended this log until the process starts again")]
    Poisoned,
    /// What must always hold did not.
    #[error("invariant broken: {0}")]
    Invariant(&'static str),
}

/// One place where what was stored is not what is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{log}: {kind} of entry {index} is damaged, at byte {offset} of {segment:020}.seg")]
pub struct Damage {
    /// The log's origin, or `local`.
    pub log: String,
    /// The entry that is damaged, or before which something is.
    pub index: u64,
    /// What is damaged.
    pub kind: DamageKind,
    /// The first index of the segment file it lies in.
    pub segment: u64,
    /// The byte where it begins; of a slot, in its state file.
    pub offset: u64,
}

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// An entry's frame.
    Entry,
    /// A body.
    Body,
    /// A note.
    Note,
    /// A segment file is missing or ends too early.
    Segment,
    /// All frames are sound, but they are not what was signed.
    Root,
    /// A slot of signer or mirror state.
    Slot,
}

/// Why a log is signed no further in this generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StopReason {
    /// Another member showed a note of ours that is newer than what we hold.
    #[error("a member holds a newer note of this log, of size {size}")]
    NewerNote {
        /// Its size.
        size: u64,
    },
    /// Another member showed a note of ours with another root than we hold.
    #[error("a member holds a note of this log with another root at size {size}")]
    OtherRoot {
        /// Its size.
        size: u64,
    },
    /// An operator's word.
    #[error("an operator ended it")]
    Operator,
}

impl std::fmt::Display for DamageKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Entry => "the frame",
            Self::Body => "a body",
            Self::Note => "the note",
            Self::Segment => "the segment",
            Self::Root => "the root",
            Self::Slot => "a state slot",
        })
    }
}

impl Refusal {
    /// The stable reason code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked => "STORE_LOCKED",
            Self::OutOfRange { .. } => "INDEX_OUT_OF_RANGE",
            Self::NoNote { .. } => "NO_NOTE_OF_SIZE",
            Self::Damaged(_) => "DATA_LOSS",
            Self::NotReady => "LOG_NOT_READY",
            Self::NotAllowed => "SIGNING_NOT_ALLOWED",
            Self::Stopped(_) => "SIGNING_ENDED",
            Self::DiskFull => "DISK_FULL",
            Self::TooLong { .. } => "TOO_LONG",
            Self::EmptyBatch => "BATCH_EMPTY",
            Self::BatchOverLimit => "BATCH_OVER_LIMIT",
            Self::NotNext { .. } => "BATCH_NOT_NEXT",
            Self::OtherRoot { .. } => "OTHER_ROOT",
            Self::RepairIncomplete { .. } => "REPAIR_INCOMPLETE",
            Self::RepairLacksBody { .. } => "REPAIR_LACKS_BODY",
            Self::RepairNeedsNote { .. } => "REPAIR_NEEDS_NOTE",
            Self::TooManyLogs => "TOO_MANY_LOGS",
            Self::NoBody { .. } => "NO_BODY",
            Self::WrongDigest { .. } => "WRONG_DIGEST",
        }
    }
}

impl From<DiskError> for StoreError {
    fn from(error: DiskError) -> Self {
        Self::Fault(Fault::Disk(error))
    }
}

impl From<Damage> for StoreError {
    fn from(damage: Damage) -> Self {
        Self::Refused(Refusal::Damaged(damage))
    }
}
