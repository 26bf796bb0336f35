//! The present state of one block, as a customs agency receives it (FORMATS section 7).
//!
//! Level, not edge: a notice says how things stand, never what has changed; the latest wins.

use std::sync::Arc;

use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::order::Order;
use crate::statement::StatementRef;

/// The present state of one block: an order in one jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// `US-2026-0412@DE`.
    pub block: String,
    /// Facts taken; equal at every node that knows the same. Clients take equal or higher versions.
    pub version: u64,
    /// How it stands.
    pub state: BlockState,
    /// Why, where the state has a reason.
    pub reason: String,
    /// When the act that brought it there was written, or the instant that did; 0 = never.
    pub since_ms: i64,
    /// Unix milliseconds; clients honour both ends without a further notice.
    pub from_ms: i64,
    /// Exclusive; 0 = no end.
    pub until_ms: i64,
    /// `US-2026-0412`.
    pub order: String,
    /// The issue statement.
    pub order_ref: StatementRef,
    /// The decision it rests on; none for the issuer's own block, or where nothing was decided.
    pub decision_id: Option<Hash>,
    /// The law it rests on here, as cited.
    pub basis: String,
    /// Who brought it there.
    pub by: By,
    /// The text as it counts here: what was judged, less every later narrowing.
    pub scope: Arc<Order>,
    /// A lasting body has not arrived: selectors are incomplete, and screening answers review.
    pub selectors_missing: bool,
    /// Not a real act.
    pub exercise: bool,
    /// As of sending only: how many members vouch for what it rests on. The registry knows no
    /// cosignatures and leaves [`Grade::Local`].
    pub grade: Grade,
    /// As of sending only: other blocks that are in force or held here for some of the same goods.
    pub also_blocked_by: Vec<String>,
}

impl Notice {
    /// Whether two notices say the same of the block, whenever and by whomever they were sent.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        let Self {
            grade,
            also_blocked_by,
            ..
        } = other;
        Self {
            grade: *grade,
            also_blocked_by: also_blocked_by.clone(),
            ..self.clone()
        } == *other
    }

    /// Whether goods can be stopped on it now.
    #[must_use]
    pub const fn is_blocking(&self) -> bool {
        matches!(self.state, BlockState::InForce | BlockState::Held)
    }
}

/// How a block stands in its jurisdiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockState {
    /// Nothing was decided here yet.
    None,
    /// Bars goods, through its issue or its adoption.
    InForce,
    /// Bars goods for now; ends by itself.
    Held,
    /// An officer must look: by decision, or because something is doubtful. Never in force.
    Review,
    /// Goods are to be inspected.
    Flagged,
    /// Shown, without effect.
    Informed,
    /// Refused here.
    Declined,
    /// Not this member's to decide.
    NotCompetent,
    /// Not applied here for now, by an officer of this jurisdiction.
    Paused,
    /// Not applied anywhere for now, by its issuer.
    Suspended,
    /// Ended here: by an officer, or because nothing is left of what was judged.
    Ended,
    /// Ended everywhere by its issuer: the conditions no longer exist.
    Rescinded,
    /// Ended everywhere by its issuer: issued in error, or unfounded.
    Withdrawn,
    /// Its time is over.
    Expired,
    /// The hold's time is over, whether or not that has been recorded.
    Lapsed,
    /// Its time has not begun.
    Scheduled,
}

impl BlockState {
    /// Every state.
    pub const ALL: [Self; 16] = [
        Self::None,
        Self::InForce,
        Self::Held,
        Self::Review,
        Self::Flagged,
        Self::Informed,
        Self::Declined,
        Self::NotCompetent,
        Self::Paused,
        Self::Suspended,
        Self::Ended,
        Self::Rescinded,
        Self::Withdrawn,
        Self::Expired,
        Self::Lapsed,
        Self::Scheduled,
    ];

    /// The state of a word in notices.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.word() == word)
    }

    /// The word in notices.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::InForce => "in_force",
            Self::Held => "held",
            Self::Review => "review",
            Self::Flagged => "flagged",
            Self::Informed => "informed",
            Self::Declined => "declined",
            Self::NotCompetent => "not_competent",
            Self::Paused => "paused",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
            Self::Rescinded => "rescinded",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Lapsed => "lapsed",
            Self::Scheduled => "scheduled",
        }
    }

    /// Whether the issuer ended it for good: sent even by a node that lags, and never undone by a
    /// client.
    #[must_use]
    pub const fn is_called_back(self) -> bool {
        matches!(self, Self::Rescinded | Self::Withdrawn)
    }
}

impl std::fmt::Display for BlockState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Who brought a block to where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// Nobody: nothing was decided.
    Nobody,
    /// The issuer, in its own jurisdiction or by ending the order.
    Issuer,
    /// Officers of the jurisdiction.
    Officers,
    /// The jurisdiction's policy pack, by this rule.
    Policy(String),
}

/// `issuer`, `officers`, `policy:<rule>` or empty.
impl std::fmt::Display for By {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => Ok(()),
            Self::Issuer => f.write_str("issuer"),
            Self::Officers => f.write_str("officers"),
            Self::Policy(rule) => write!(f, "policy:{rule}"),
        }
    }
}
