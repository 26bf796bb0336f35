//! What members say: one signed sentence, as `tocsin.v1.Statement` (FORMATS section 2).

use tocsin_log::hash::Hash;

use crate::decision::Decision;
use crate::handling::Tlp;
use crate::indicator::{Indicator, IndicatorBody};
use crate::order::{Order, OrderAct, OrderBody};
use crate::policy::{PolicyPack, PolicyPackBody};
use crate::report::{Report, ReportBody};

/// One signed sentence of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The log it is meant for, `<alliance>/<member>`: stops replay into another log.
    pub log: String,
    /// Random: two equal sentences are two statements.
    pub nonce: [u8; 16],
    /// Unix milliseconds, UTC, by the author's clock.
    pub created_ms: i64,
    /// Orders, reports and indicators: the year's running number, one count for all three. Else 0.
    pub number: u32,
    /// How it may be passed on.
    pub tlp: Tlp,
    /// What it rests on beside itself; at most [`MAX_BODIES`].
    pub bodies: Vec<BodyRef>,
    /// The order that an act or a decision is on.
    pub about: Option<StatementRef>,
    /// Other statements this one cites; at most [`MAX_REFS`].
    pub refs: Vec<StatementRef>,
    /// What is said.
    pub act: Act,
}

/// What a statement says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// An investigator's claim.
    Report(Report),
    /// A matchable fact.
    Indicator(Indicator),
    /// An order is issued.
    Order(Box<Order>),
    /// The issuer changes or ends its order.
    OrderAct(Box<OrderAct>),
    /// A jurisdiction decides on another's order.
    Decision(Decision),
    /// A jurisdiction's rules for such decisions.
    PolicyPack(PolicyPack),
}

impl Act {
    /// The word for it: `report`, `order_act`, ...
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Report(_) => "report",
            Self::Indicator(_) => "indicator",
            Self::Order(_) => "order",
            Self::OrderAct(_) => "order_act",
            Self::Decision(_) => "decision",
            Self::PolicyPack(_) => "policy_pack",
        }
    }

    /// Whether it takes one of the year's running numbers.
    #[must_use]
    pub const fn is_numbered(&self) -> bool {
        match self {
            Self::Report(_) | Self::Indicator(_) | Self::Order(_) => true,
            Self::OrderAct(_) | Self::Decision(_) | Self::PolicyPack(_) => false,
        }
    }
}

/// Names a body by what it is. A body is salt (32 bytes) and then the protobuf of the kind's body
/// message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BodyRef {
    /// SHA-256 over salt and content.
    pub sha256: Hash,
    /// Bytes with the salt; at most [`MAX_BODY_BYTES`].
    pub length: u64,
    /// 0 = open. Others come with sealing.
    pub scheme: u32,
    /// Legal state needs it: never erasable.
    pub lasting: bool,
}

/// Names a statement in a member's log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementRef {
    /// `<alliance>/<member>`.
    pub log: String,
    /// What was signed, whoever signed it.
    pub statement_id: Hash,
}

/// What could be read of a payload. The wire crate makes it;
/// [`validate`](crate::validate::validate) judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Canonical, and every part of it is known.
    Known(Box<Statement>),
    /// Canonical, but says something this version does not know where it would matter.
    Opaque {
        /// As [`Statement::log`].
        log: String,
        /// As [`Statement::about`], where it could be read.
        about: Option<StatementRef>,
        /// As [`Statement::created_ms`].
        created_ms: i64,
        /// What is not known.
        why: Unknown,
    },
    /// Not a statement in canonical form.
    Bad(DecodeError),
}

/// What an old version does not know of an opaque statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unknown {
    /// The act itself, or the payload type.
    Act,
    /// A field in an order, order act or decision.
    Field,
    /// An enum value in an order, order act or decision.
    Value,
}

/// Why bytes are no canonical message; `field` is a dotted path of field names or numbers, possibly
/// empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} in `{field}`")]
pub struct DecodeError {
    /// Which rule is broken.
    pub fault: DecodeFault,
    /// Where.
    pub field: String,
}

/// The rule that undecodable bytes break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DecodeFault {
    /// Not protobuf: truncated, a group, a wrong wire type.
    #[error("malformed bytes")]
    Malformed,
    /// Fields out of order, a singular field twice, two members of one oneof, a long varint,
    /// unpacked scalars.
    #[error("not in canonical form")]
    NotCanonical,
    /// A string is not UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// Messages nested deeper than any of ours.
    #[error("too deeply nested")]
    TooDeep,
    /// More members of a list than its bound.
    #[error("too many elements")]
    TooMany,
    /// More bytes than any such message may have.
    #[error("too many bytes")]
    TooLarge,
    /// A digest, nonce or identifier of the wrong length.
    #[error("wrong length")]
    Length,
    /// A field that must be there is not, or an enum has its zero value.
    #[error("missing value")]
    Missing,
    /// An enum value that this version does not know, where it decides.
    #[error("unknown value")]
    UnknownValue,
    /// No act.
    #[error("no act")]
    NoAct,
    /// A body begins with a salt of 32 bytes.
    #[error("no salt")]
    NoSalt,
}

/// The content of a body, decoded by the kind of act that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DecodedBody {
    /// `bodies[0]` of a report.
    Report(Box<ReportBody>),
    /// `bodies[0]` of an indicator.
    Indicator(Box<IndicatorBody>),
    /// A lasting body of an order or a modification.
    Order(OrderBody),
    /// The lasting body of a policy pack.
    PolicyPack(PolicyPackBody),
}

/// Bodies of one statement (statement.proto).
pub const MAX_BODIES: usize = 8;
/// Statements that one may cite (statement.proto).
pub const MAX_REFS: usize = 32;
/// Bytes of one body with its salt (FORMATS section 2).
pub const MAX_BODY_BYTES: u64 = 262_144;
/// Bytes of the salt that a body begins with (FORMATS section 2).
pub const SALT_BYTES: usize = 32;
/// Bytes of an order, order act, decision or policy pack, which stand whole in the statement
/// (FORMATS section 2).
pub const MAX_WHOLE_BYTES: usize = 12_288;
