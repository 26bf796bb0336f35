//! What goes into a registry, and what it says of entries that have no effect.

use std::sync::Arc;

use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use crate::name::{Collection, Numbered};
use crate::statement::{Act, DecodedBody, Statement, StatementRef};

/// Where an entry stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Which log.
    pub origin: Origin,
    /// Which entry of it.
    pub index: u64,
}

/// A valid report or indicator. The fold needs no more of it: what it says is read from its log
/// when somebody asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filed {
    /// What was signed.
    pub statement_id: Hash,
    /// Which of the two.
    pub kind: FiledKind,
    /// UTC year and running number, where it has a name ([`Numbered::of`]).
    pub number: Option<(u16, u32)>,
}

/// What can be filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FiledKind {
    /// An investigator's claim.
    Report,
    /// A matchable fact.
    Indicator,
}

impl Filed {
    /// What the fold needs of a statement, where that is a report or an indicator of a log of
    /// `member`.
    #[must_use]
    pub fn of(member: &str, statement_id: Hash, statement: &Statement) -> Option<Self> {
        let kind = match statement.act {
            Act::Report(_) => FiledKind::Report,
            Act::Indicator(_) => FiledKind::Indicator,
            Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) | Act::PolicyPack(_) => {
                return None;
            }
        };
        let number = Numbered::of(member, statement).map(|name| (name.year, name.number));
        Some(Self {
            statement_id,
            kind,
            number,
        })
    }
}

impl FiledKind {
    pub(super) const fn collection(self) -> Collection {
        match self {
            Self::Report => Collection::Reports,
            Self::Indicator => Collection::Indicators,
        }
    }
}

/// What can happen to a registry: one event for each entry or run of entries, and bodies and
/// freezes as they come.
///
/// Entries of one log come in index order; logs, bodies and freezes come in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An entry that [`validate`](crate::validate::validate) found valid.
    Valid {
        /// Where it stands.
        position: Position,
        /// What was signed.
        statement_id: Hash,
        /// What it says.
        statement: Arc<Statement>,
    },
    /// Entries that [`validate`](crate::validate::validate) found valid, by ascending index:
    /// reports and indicators, which may also come as [`Event::Valid`].
    Filed {
        /// Of which log.
        origin: Origin,
        /// Index and entry.
        entries: Vec<(u64, Filed)>,
    },
    /// A rightly signed entry that says something this version does not know.
    Opaque {
        /// Where it stands.
        position: Position,
        /// The order it is about, where that could be read.
        about: Option<StatementRef>,
    },
    /// An entry without effect; only the position moves.
    Invalid {
        /// Where it stands.
        position: Position,
    },
    /// A lasting body of the entry at `position` is here; one event for each entry that names it.
    Body {
        /// Of which entry.
        position: Position,
        /// Which of its bodies.
        sha256: Hash,
        /// What it says; `None` when its bytes say nothing: then it is as good as it will ever be.
        body: Option<Arc<DecodedBody>>,
    },
    /// A log is proven to tell two stories. What was applied stays; whoever applies takes no more
    /// of it.
    Freeze {
        /// Which log.
        origin: Origin,
    },
}

/// Why a valid entry has no effect: it depends on other entries, so only the fold can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VoidReason {
    /// The same statement stands at a lower index.
    StatementRepeated,
    /// Its number was taken at a lower index.
    NumberTaken,
    /// It acts on an order that its log issues only later.
    NotYetIssued,
    /// Its order was rescinded or withdrawn at a lower index.
    OrderEnded,
    /// By policy, but a decision on the same text stands at a lower index.
    AlreadyDecided,
    /// By policy, but officers have decided on the order at a lower index.
    OfficersDecided,
    /// By policy, but another pack was in force, or none.
    PolicyPackDiffers,
    /// By policy, but another rule fires.
    PolicyRuleDiffers,
    /// By policy, but the rule does something else.
    PolicyActDiffers,
    /// By policy, but the rule gives another end.
    PolicyEndDiffers,
    /// It extends or lapses a hold, but none runs.
    NoHold,
    /// It lapses a hold before its end.
    HoldRuns,
}

impl VoidReason {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::StatementRepeated,
        Self::NumberTaken,
        Self::NotYetIssued,
        Self::OrderEnded,
        Self::AlreadyDecided,
        Self::OfficersDecided,
        Self::PolicyPackDiffers,
        Self::PolicyRuleDiffers,
        Self::PolicyActDiffers,
        Self::PolicyEndDiffers,
        Self::NoHold,
        Self::HoldRuns,
    ];

    /// The same in words, as half a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::StatementRepeated => "the same statement stands before it in its log",
            Self::NumberTaken => "its number was taken before it in its log",
            Self::NotYetIssued => "it acts on an order that its log issues only later",
            Self::OrderEnded => "its order was rescinded or withdrawn before it",
            Self::AlreadyDecided => {
                "it was made by policy, but a decision on the same text stands before it"
            }
            Self::OfficersDecided => {
                "it was made by policy, but officers have decided on the order before it"
            }
            Self::PolicyPackDiffers => {
                "it was made by policy, but another pack was in force, or none"
            }
            Self::PolicyRuleDiffers => "it was made by policy, but another rule of the pack fires",
            Self::PolicyActDiffers => {
                "it was made by policy, but the rule that it cites does something else"
            }
            Self::PolicyEndDiffers => {
                "it was made by policy, but the rule that it cites gives another end"
            }
            Self::NoHold => "it extends or ends a hold, but none runs",
            Self::HoldRuns => "it records the end of a hold that still runs",
        }
    }

    /// The stable reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::StatementRepeated => "VOID_STATEMENT_REPEATED",
            Self::NumberTaken => "VOID_NUMBER_TAKEN",
            Self::NotYetIssued => "VOID_NOT_YET_ISSUED",
            Self::OrderEnded => "VOID_ORDER_ENDED",
            Self::AlreadyDecided => "VOID_ALREADY_DECIDED",
            Self::OfficersDecided => "VOID_OFFICERS_DECIDED",
            Self::PolicyPackDiffers => "VOID_POLICY_PACK_DIFFERS",
            Self::PolicyRuleDiffers => "VOID_POLICY_RULE_DIFFERS",
            Self::PolicyActDiffers => "VOID_POLICY_ACT_DIFFERS",
            Self::PolicyEndDiffers => "VOID_POLICY_END_DIFFERS",
            Self::NoHold => "VOID_NO_HOLD",
            Self::HoldRuns => "VOID_HOLD_RUNS",
        }
    }
}
