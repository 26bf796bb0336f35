//! From what is refused to what the client sees: one map, one place.
//!
//! Each answer that is not OK carries exactly one `google.rpc.ErrorInfo` with the domain
//! [`DOMAIN`] and a stable reason, and `BadRequest`, `PreconditionFailure` or `RetryInfo` where
//! they help (SURFACE.md). Which class means what: `reference/reliability.md` section 5.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::limits::{MAX_ERROR_FACT_CHARS, MAX_ERROR_FACTS, MAX_ERROR_MESSAGE_CHARS};

/// The domain of every `ErrorInfo` of ours.
pub const DOMAIN: &str = "tocsin";

/// Whose turn it is and whether trying again can help; one class is one gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Malformed, forged or outside what the format allows: correct it.
    InvalidArgument,
    /// Too big, or a position that lies ahead of this node.
    OutOfRange,
    /// Not here, or not for the caller to know of.
    NotFound,
    /// The same name with other content.
    AlreadyExists,
    /// A race was lost: read again, then try again.
    Aborted,
    /// Well formed, but the state forbids it: something else has to happen first.
    FailedPrecondition,
    /// The caller, or the signer, may not do this.
    PermissionDenied,
    /// Nobody known is speaking.
    Unauthenticated,
    /// A quota or a queue is full.
    ResourceExhausted,
    /// This node cannot now: draining, read-only, or asking its peers first.
    Unavailable,
    /// The request took longer than its deadline.
    DeadlineExceeded,
    /// The store is damaged where the answer should be.
    DataLoss,
    /// No such method.
    Unimplemented,
    /// Our own fault.
    Internal,
}

impl Class {
    /// The gRPC code of this class.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::InvalidArgument => Code::InvalidArgument,
            Self::OutOfRange => Code::OutOfRange,
            Self::NotFound => Code::NotFound,
            Self::AlreadyExists => Code::AlreadyExists,
            Self::Aborted => Code::Aborted,
            Self::FailedPrecondition => Code::FailedPrecondition,
            Self::PermissionDenied => Code::PermissionDenied,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::ResourceExhausted => Code::ResourceExhausted,
            Self::Unavailable => Code::Unavailable,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
            Self::DataLoss => Code::DataLoss,
            Self::Unimplemented => Code::Unimplemented,
            Self::Internal => Code::Internal,
        }
    }
}

/// Why a request is not granted, in the words of the domain; `Status::from` makes the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// Decides the gRPC code and the kind of details.
    pub class: Class,
    /// Stable, upper snake case; `tocsin explain CODE` has a page for it.
    pub code: &'static str,
    /// For a person: what is wrong and what to do; never a secret.
    pub message: String,
    /// The field or thing it is about, as the request names it.
    pub field: Option<String>,
    /// When trying the same again makes sense.
    pub retry: Option<Duration>,
    /// What the message speaks of, for programs.
    pub facts: BTreeMap<&'static str, String>,
}

impl Refusal {
    /// A refusal with nothing but its class, code and message.
    #[must_use]
    pub fn new(class: Class, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            class,
            code,
            message: message.into(),
            field: None,
            retry: None,
            facts: BTreeMap::new(),
        }
    }

    /// One of the node's own reasons, with its class and meaning from [`Reason`].
    #[must_use]
    pub fn of(reason: Reason) -> Self {
        Self::new(reason.class(), reason.code(), reason.meaning())
    }

    /// Says more than the reason's standing text.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// Names the field or thing it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Invites to try again after `delay`.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry = Some(delay);
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.insert(name, value.into());
        self
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let message = clean(&refusal.message, MAX_ERROR_MESSAGE_CHARS);
        let facts: HashMap<String, String> = refusal
            .facts
            .iter()
            .take(MAX_ERROR_FACTS)
            .map(|(name, value)| ((*name).to_owned(), clean(value, MAX_ERROR_FACT_CHARS)))
            .collect();
        let mut details = ErrorDetails::with_error_info(refusal.code, DOMAIN, facts);
        let field = refusal
            .field
            .as_deref()
            .map(|field| clean(field, MAX_ERROR_FACT_CHARS));
        match refusal.class {
            Class::InvalidArgument | Class::OutOfRange => {
                if let Some(field) = field {
                    details.add_bad_request_violation(field, message.clone());
                }
            }
            Class::FailedPrecondition => {
                let subject = field.unwrap_or_default();
                details.add_precondition_failure_violation(refusal.code, subject, message.clone());
            }
            Class::NotFound
            | Class::AlreadyExists
            | Class::Aborted
            | Class::PermissionDenied
            | Class::Unauthenticated
            | Class::ResourceExhausted
            | Class::Unavailable
            | Class::DeadlineExceeded
            | Class::DataLoss
            | Class::Unimplemented
            | Class::Internal => {}
        }
        if let Some(delay) = refusal.retry {
            details.set_retry_info(Some(delay));
        }
        Self::with_error_details(refusal.class.code(), message, details)
    }
}

/// What the rules of the field refuse; their facts stand in the message already.
impl From<tocsin_core::reason::Refusal> for Refusal {
    fn from(refused: tocsin_core::reason::Refusal) -> Self {
        use tocsin_core::reason::Class as Rule;
        let class = match refused.class() {
            Rule::InvalidArgument => Class::InvalidArgument,
            Rule::OutOfRange => Class::OutOfRange,
            Rule::FailedPrecondition => Class::FailedPrecondition,
            Rule::PermissionDenied => Class::PermissionDenied,
            Rule::AlreadyExists => Class::AlreadyExists,
            Rule::ResourceExhausted => Class::ResourceExhausted,
        };
        let mut refusal = Self::new(class, refused.code(), refused.to_string());
        refusal.retry = (refused.retry_ms > 0).then(|| Duration::from_millis(refused.retry_ms));
        if refused.field.is_empty() {
            return refusal;
        }
        refusal.at(refused.field)
    }
}

/// A filter that is none.
impl From<tocsin_core::filter::FilterError> for Refusal {
    fn from(error: tocsin_core::filter::FilterError) -> Self {
        Self::new(Class::InvalidArgument, error.code(), error.to_string()).at("filter")
    }
}

/// A cursor that is none, or good for something else.
impl From<tocsin_core::cursor::CursorError> for Refusal {
    fn from(error: tocsin_core::cursor::CursorError) -> Self {
        let message = format!("{error}; start again from the beginning or with a snapshot");
        Self::new(Class::InvalidArgument, error.code(), message).at("cursor")
    }
}

/// A text that is not looked up.
impl From<tocsin_core::lookup::LookupError> for Refusal {
    fn from(error: tocsin_core::lookup::LookupError) -> Self {
        Self::new(Class::InvalidArgument, error.code(), error.to_string()).at("text")
    }
}

/// What the store refuses, or fails at.
impl From<tocsin_store::error::StoreError> for Refusal {
    fn from(error: tocsin_store::error::StoreError) -> Self {
        use tocsin_store::error::StoreError;
        match error {
            StoreError::Refused(refused) => refused.into(),
            // What failed stands in the node's own log, not in answers.
            StoreError::Fault(_) => Self::of(Reason::Fault),
        }
    }
}

/// What the store refuses, in the words of whoever asked.
impl From<tocsin_store::error::Refusal> for Refusal {
    fn from(refused: tocsin_store::error::Refusal) -> Self {
        use tocsin_store::error::Refusal as Store;
        let reason = match &refused {
            Store::OutOfRange { .. } => Reason::AheadOfNode,
            Store::NoNote { .. } | Store::NoBody { .. } => Reason::NotFound,
            Store::Damaged(_) => Reason::Damaged,
            Store::NotAllowed => Reason::AskingPeers,
            Store::DiskFull => Reason::DiskFull,
            Store::TooLong { .. } => Reason::FieldInvalid,
            Store::Locked | Store::NotReady | Store::Stopped(_) | Store::TooManyLogs => {
                Reason::ReadOnly
            }
            Store::EmptyBatch
            | Store::BatchOverLimit
            | Store::NotNext { .. }
            | Store::OtherRoot { .. }
            | Store::RepairIncomplete { .. }
            | Store::RepairLacksBody { .. }
            | Store::RepairNeedsNote { .. }
            | Store::WrongDigest { .. } => Reason::Fault,
        };
        Self::of(reason).saying(refused.to_string())
    }
}

/// The reasons the node itself gives, beside those of the door and the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// No verified certificate stands behind the request.
    NoIdentity,
    /// Only nodes of other members may call this.
    NodeOnly,
    /// Only this member's own clients may call this.
    HomeOnly,
    /// The client has not the role.
    RoleRequired,
    /// A peer speaks for another member than its certificate.
    WrongMember,
    /// A field is missing or not of its form.
    FieldInvalid,
    /// A peer's roster is another than ours.
    WrongAlliance,
    /// No such resource.
    NotFound,
    /// No such log.
    UnknownOrigin,
    /// A position beyond what this node has.
    AheadOfNode,
    /// The request id was used for other content.
    RequestIdReused,
    /// The deadline passed.
    DeadlinePassed,
    /// Too many requests at once.
    Overloaded,
    /// A queue is full.
    QueueFull,
    /// The caller asks faster than it may.
    QuotaRequests,
    /// Too many watchers.
    TooManyWatchers,
    /// The first index of blocks is not built yet.
    IndexBuilding,
    /// Declarations are screened for the node's own jurisdiction alone.
    ScreenElsewhere,
    /// Too many lines of declarations in one message.
    TooManyLines,
    /// The drafts take all the room they may.
    DraftsFull,
    /// What somebody would sign stands in the log.
    AlreadyAccepted,
    /// The node is stopping.
    Draining,
    /// The node asks its peers for its own newest checkpoint before it signs.
    AskingPeers,
    /// The node does not sign.
    ReadOnly,
    /// What is left of the disk is kept for what releases goods.
    DiskReserved,
    /// The disk is full.
    DiskFull,
    /// The log is damaged at that place.
    Damaged,
    /// The origin was caught with two histories.
    Frozen,
    /// Our own fault.
    Fault,
}

/// Every reason of the node, for `explain` and the tests.
pub const REASONS: &[Reason] = &[
    Reason::NoIdentity,
    Reason::NodeOnly,
    Reason::HomeOnly,
    Reason::RoleRequired,
    Reason::WrongMember,
    Reason::FieldInvalid,
    Reason::WrongAlliance,
    Reason::NotFound,
    Reason::UnknownOrigin,
    Reason::AheadOfNode,
    Reason::RequestIdReused,
    Reason::DeadlinePassed,
    Reason::Overloaded,
    Reason::QueueFull,
    Reason::QuotaRequests,
    Reason::TooManyWatchers,
    Reason::IndexBuilding,
    Reason::ScreenElsewhere,
    Reason::TooManyLines,
    Reason::DraftsFull,
    Reason::AlreadyAccepted,
    Reason::Draining,
    Reason::AskingPeers,
    Reason::ReadOnly,
    Reason::DiskReserved,
    Reason::DiskFull,
    Reason::Damaged,
    Reason::Frozen,
    Reason::Fault,
];

impl Reason {
    /// Whose turn it is.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::NoIdentity => Class::Unauthenticated,
            Self::NodeOnly | Self::HomeOnly | Self::RoleRequired | Self::WrongMember => {
                Class::PermissionDenied
            }
            Self::FieldInvalid | Self::ScreenElsewhere => Class::InvalidArgument,
            Self::WrongAlliance | Self::Frozen => Class::FailedPrecondition,
            Self::NotFound | Self::UnknownOrigin => Class::NotFound,
            Self::AheadOfNode | Self::TooManyLines => Class::OutOfRange,
            Self::RequestIdReused | Self::AlreadyAccepted => Class::AlreadyExists,
            Self::DeadlinePassed => Class::DeadlineExceeded,
            Self::Overloaded
            | Self::IndexBuilding
            | Self::Draining
            | Self::AskingPeers
            | Self::ReadOnly
            | Self::DiskFull => Class::Unavailable,
            Self::QueueFull
            | Self::QuotaRequests
            | Self::TooManyWatchers
            | Self::DraftsFull
            | Self::DiskReserved => Class::ResourceExhausted,
            Self::Damaged => Class::DataLoss,
            Self::Fault => Class::Internal,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoIdentity => "NO_IDENTITY",
            Self::NodeOnly => "NODE_ONLY",
            Self::HomeOnly => "HOME_ONLY",
            Self::RoleRequired => "ROLE_REQUIRED",
            Self::WrongMember => "WRONG_MEMBER",
            Self::FieldInvalid => "FIELD_INVALID",
            Self::WrongAlliance => "PEER_OF_OTHER_ALLIANCE",
            Self::NotFound => "NOT_FOUND",
            Self::UnknownOrigin => "UNKNOWN_ORIGIN",
            Self::AheadOfNode => "AHEAD_OF_NODE",
            Self::RequestIdReused => "REQUEST_ID_REUSED",
            Self::DeadlinePassed => "DEADLINE_EXCEEDED",
            Self::Overloaded => "OVERLOADED",
            Self::QueueFull => "QUEUE_FULL",
            Self::QuotaRequests => "QUOTA_REQUESTS",
            Self::TooManyWatchers => "TOO_MANY_WATCHERS",
            Self::IndexBuilding => "INDEX_BUILDING",
            Self::ScreenElsewhere => "SCREEN_ELSEWHERE",
            Self::TooManyLines => "TOO_MANY_LINES",
            Self::DraftsFull => "DRAFTS_FULL",
            Self::AlreadyAccepted => "ALREADY_ACCEPTED",
            Self::Draining => "NODE_DRAINING",
            Self::AskingPeers => "ASKING_PEERS",
            Self::ReadOnly => "READ_ONLY",
            Self::DiskReserved => "DISK_RESERVED",
            Self::DiskFull => "NODE_DISK_FULL",
            Self::Damaged => "LOG_DAMAGED",
            Self::Frozen => "ORIGIN_FROZEN",
            Self::Fault => "NODE_FAULT",
        }
    }

    /// What it means, and what it asks for.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NoIdentity => {
                "no verified certificate stands behind this request; connect with mutual TLS"
            }
            Self::NodeOnly => "only nodes of members may call this; use the client services",
            Self::HomeOnly => {
                "only this member's own clients may call this; ask your own member's node"
            }
            Self::RoleRequired => {
                "the client has not the role for this; the operator grants it in node.toml"
            }
            Self::WrongMember => "the message speaks for another member than the certificate",
            Self::FieldInvalid => "a field is missing or not of its form; the violation names it",
            Self::WrongAlliance => "this node belongs to an alliance with another genesis roster",
            Self::NotFound => "no such resource at this node",
            Self::UnknownOrigin => "no member of this alliance has that log",
            Self::AheadOfNode => {
                "that position lies beyond what this node has; wait, or ask another node"
            }
            Self::RequestIdReused => "this request_id was used for other content; take a new one",
            Self::DeadlinePassed => {
                "no answer within the deadline; what was sent may or may not have been done"
            }
            Self::Overloaded => "too many requests at once; try again shortly",
            Self::QueueFull => "the node takes no more at this moment; try again shortly",
            Self::QuotaRequests => {
                "this client, or its member, asks faster than it may; wait as long as is said, ask \
                 for pages or watch notices instead of asking one by one, or have the operator \
                 raise [quota] in node.toml"
            }
            Self::TooManyWatchers => "the node serves as many watchers as it may; use another node",
            Self::IndexBuilding => {
                "the node has just started and still puts the blocks in order; try again shortly"
            }
            Self::ScreenElsewhere => {
                "declarations are screened against the blocks of the node's own jurisdiction; ask \
                 that jurisdiction's node, or screen at home with `tocsin screen`"
            }
            Self::TooManyLines => "a message holds at most 1,000 lines; send several messages",
            Self::DraftsFull => {
                "the node keeps as many drafts as it may; submit or discard some, or mail the file"
            }
            Self::AlreadyAccepted => "the statement stands in the log: nothing is left to sign",
            Self::Draining => "the node is stopping; go on at another node with your cursor",
            Self::AskingPeers => {
                "the node asks its peers where its log stood before it signs; try again"
            }
            Self::ReadOnly => "the node does not sign; its operator sees why in `tocsin status`",
            Self::DiskReserved => {
                "the disk is nearly full, and what is left is kept for withdrawals, rescissions, \
                 suspensions, pauses and ends; the operator must make room, then submit again"
            }
            Self::DiskFull => "the disk is full and nothing was taken; the operator must make room",
            Self::Damaged => {
                "the log is damaged at that place; ask another node while it is repaired"
            }
            Self::Frozen => "this origin signed two histories; its later entries are not accepted",
            Self::Fault => {
                "the node failed at this request; its operator finds the cause in its log"
            }
        }
    }
}

/// Keeps what is safe in a header and on a terminal, and no more than `most` characters of it.
fn clean(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|c| {
            if c.is_control() || is_direction_mark(c) {
                ' '
            } else {
                c
            }
        })
        .collect()
}

/// Unicode's bidirectional controls: they make text on a screen say what it does not say.
const fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_exactly_one_error_info_of_ours() {
        for reason in REASONS {
            let status = Status::from(Refusal::of(*reason).fact("origin", "a/de/1"));
            let info = status.get_details_error_info().unwrap();
            assert_eq!(status.code(), reason.class().code());
            assert_eq!(
                (info.domain.as_str(), info.reason.as_str()),
                (DOMAIN, reason.code())
            );
            assert_eq!(info.metadata["origin"], "a/de/1");
            let infos = status.get_error_details_vec();
            let count = infos
                .iter()
                .filter(|detail| matches!(detail, tonic_types::ErrorDetail::ErrorInfo(_)))
                .count();
            assert_eq!(count, 1);
        }
    }

    #[test]
    fn codes_are_upper_snake_and_unique() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in REASONS {
            let code = reason.code();
            assert!(
                code.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
                "{code}"
            );
            assert!(seen.insert(code), "{code} twice");
            assert_eq!(
                tocsin_core::reason::Reason::from_code(code),
                None,
                "{code} in core too"
            );
            assert!(!reason.meaning().is_empty());
        }
    }

    #[test]
    fn an_invalid_field_is_named_and_a_precondition_says_what_is_missing() {
        let status = Status::from(Refusal::of(Reason::FieldInvalid).at("statement.payload"));
        let request = status.get_details_bad_request().unwrap();
        assert_eq!(request.field_violations[0].field, "statement.payload");
        let refusal = Refusal::new(
            Class::FailedPrecondition,
            "NEEDS_SECOND_OFFICER",
            "one more",
        );
        let failure = Status::from(refusal)
            .get_details_precondition_failure()
            .unwrap();
        assert_eq!(failure.violations[0].r#type, "NEEDS_SECOND_OFFICER");
    }

    #[test]
    fn a_rule_of_the_field_keeps_its_code_and_field() {
        use tocsin_core::reason;
        for rule in reason::ALL {
            let refused = reason::Refusal::at(*rule, "order.title");
            let status = Status::from(Refusal::from(refused));
            assert_eq!(status.get_details_error_info().unwrap().reason, rule.code());
            assert_ne!(status.code(), Code::Unknown);
        }
    }

    #[test]
    fn retry_is_told_only_where_it_helps() {
        let refusal = Refusal::of(Reason::Draining);
        assert!(
            Status::from(refusal.clone())
                .get_details_retry_info()
                .is_none()
        );
        let status = Status::from(refusal.retry_after(Duration::from_secs(2)));
        let retry = status.get_details_retry_info().unwrap();
        assert_eq!(retry.retry_delay, Some(Duration::from_secs(2)));
    }

    #[test]
    fn hostile_text_leaves_clean_and_short() {
        let refusal = Refusal::of(Reason::FieldInvalid)
            .saying(format!("bad\r\n\u{1b}[31m\u{202e}{}", "x".repeat(100_000)))
            .fact("value", "y".repeat(100_000));
        let status = Status::from(refusal);
        assert!(status.message().chars().count() <= MAX_ERROR_MESSAGE_CHARS);
        assert!(
            !status
                .message()
                .contains(['\r', '\n', '\u{1b}', '\u{202e}'])
        );
        assert!(status.details().len() < 4_096);
    }
}
