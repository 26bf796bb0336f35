//! What the checks look at: one moment of a node, as plain values.
//!
//! Everything that had to be asked of the disk, the clock or the other tasks stands here already,
//! so a check is a function that anyone can call with a fault put in.

use super::finding::span;

/// A value, or why it could not be had.
pub(crate) type Unread<T> = Result<T, String>;

/// One moment of a node.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) now_ms: i64,
    /// The member's directory, for commands.
    pub(crate) home: String,
    /// Members of the alliance, this one among them.
    pub(crate) members: usize,
    pub(crate) files: Files,
    pub(crate) signing: Signing,
    /// Every other member, by id.
    pub(crate) peers: Vec<Peer>,
    /// Our own log first, then the mirrors by member.
    pub(crate) logs: Vec<Log>,
    pub(crate) bodies: Bodies,
    pub(crate) disk: Unread<Disk>,
    pub(crate) has_index: bool,
    pub(crate) policy: Option<Policy>,
    /// Blocks of ours that wait for officers.
    pub(crate) pending: Vec<Pending>,
    /// Statements that wait for a second officer, the first to expire first.
    pub(crate) drafts: Vec<Draft>,
    pub(crate) watchers: Share,
}

/// A certificate's dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
}

impl Validity {
    /// The share of its life that is left, 0 to 1.
    pub(crate) fn left(&self, now_ms: i64) -> f64 {
        share_left(self.from_ms, self.until_ms, now_ms)
    }
}

/// The share of a span that is left, 0 to 1; a span of no length has none.
pub(crate) fn share_left(from_ms: i64, until_ms: i64, now_ms: i64) -> f64 {
    let life = ms(until_ms.saturating_sub(from_ms));
    if life <= 0.0 {
        return 0.0;
    }
    (ms(until_ms.saturating_sub(now_ms)) / life).clamp(0.0, 1.0)
}

/// What lies in files of ours.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    /// The certificate in use.
    pub(crate) certificate: Unread<Validity>,
    /// The one on the disk, which SIGHUP would take up.
    pub(crate) certificate_on_disk: Unread<Validity>,
    /// Our CA, which vouches for our node and our clients.
    pub(crate) ca: Unread<Validity>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) alliance: AllianceFile,
}

/// A file that nobody else may read.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) path: String,
    /// Its permission bits.
    pub(crate) mode: Unread<u32>,
}

/// The alliance file on the disk beside the one that the node started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AllianceFile {
    /// The same alliance.
    Same,
    /// Another genesis roster: its fingerprint.
    Other(String),
    /// None that could be read.
    Unusable(String),
}

/// Where the node stands with its own log.
#[derive(Debug, Clone)]
pub(crate) struct Signing {
    pub(crate) standing: Standing,
    /// Why an operator overrode the rules at this start, if one did.
    pub(crate) overridden: Option<String>,
    pub(crate) started_ms: i64,
}

/// As the node's own word, with its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    Serving,
    /// The other members are asked what they have seen of us, or our log is being repaired.
    Preparing(String),
    ReadOnly(String),
}

/// Another member's node as we see it.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) member: String,
    pub(crate) endpoint: String,
    pub(crate) connected: bool,
    /// Of the last change (Unix ms); 0 = not tried yet.
    pub(crate) since_ms: i64,
    /// Why not, when not.
    pub(crate) reason: String,
    /// As last shown and vouched for by its CA.
    pub(crate) certificate: Option<Validity>,
    pub(crate) ca: Unread<Validity>,
    pub(crate) clock: Option<ClockReading>,
}

/// Another node's clock beside ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClockReading {
    /// Theirs less ours, and less the time that the reading was under way: what is over 0 is
    /// certain, what is under 0 may be the network's.
    pub(crate) offset_ms: i64,
    pub(crate) read_ms: i64,
}

/// A log that we hold.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    pub(crate) member: String,
    pub(crate) is_own: bool,
    pub(crate) size: u64,
    /// The largest size that anybody has named to us.
    pub(crate) known: u64,
    /// Entries in the registry.
    pub(crate) applied: u64,
    pub(crate) is_frozen: bool,
    pub(crate) damage: Vec<String>,
    /// Until when we surely have everything its member said (Unix ms).
    pub(crate) fresh_ms: i64,
    /// Why it is held back, where it is.
    pub(crate) held: Option<&'static str>,
    /// How long it has been behind without growing.
    pub(crate) stuck_ms: i64,
    /// How long entries have waited for the registry while it took none of them.
    pub(crate) unapplied_ms: i64,
}

/// Lasting bodies that have not arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bodies {
    pub(crate) missing: u64,
    /// The members whose statements name them.
    pub(crate) of: Vec<String>,
}

/// The file system of the data directory, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Disk {
    /// To us.
    pub(crate) free: u64,
    /// Only what releases goods is written.
    pub(crate) is_low: bool,
    /// What our data directory takes.
    pub(crate) ours: u64,
    /// What it grew by while we watched, and for how long (ms).
    pub(crate) grown: u64,
    pub(crate) watched_ms: i64,
}

/// The policy pack in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The author's own count.
    pub(crate) version: u32,
    pub(crate) calendar: String,
    /// Its limit on the age of mirrors.
    pub(crate) mirror_age_hours: Option<u32>,
}

/// A block of ours that waits for officers.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) order: String,
    pub(crate) is_held: bool,
    pub(crate) since_ms: i64,
    /// 0 = without an end.
    pub(crate) until_ms: i64,
}

/// A half-signed statement.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) name: String,
    /// When it was written; from then on it can be accepted.
    pub(crate) since_ms: i64,
    /// From then on the door refuses it for its age.
    pub(crate) until_ms: i64,
}

/// How much of a bounded number of places is taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share {
    pub(crate) used: u64,
    pub(crate) most: u64,
}

impl Peer {
    /// For how long it has been as it is.
    pub(crate) fn for_span(&self, now_ms: i64) -> String {
        span(now_ms.saturating_sub(self.since_ms))
    }
}

/// Milliseconds as a number to divide by; exact up to 285,000 years.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of a lifetime needs no more than 52 bits"
)]
pub(crate) const fn ms(value: i64) -> f64 {
    value as f64
}

/// A count as a number to divide by.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of a count needs no more than 52 bits"
)]
pub(crate) const fn number(value: u64) -> f64 {
    value as f64
}
