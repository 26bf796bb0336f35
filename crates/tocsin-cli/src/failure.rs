//! What went wrong, as the person at the keyboard needs it: what, why, and what to do next.

use std::io::ErrorKind;
use std::process::ExitCode;

use crate::codes::{Page, Side, page};

/// The stable exit codes of the hand tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Ok,
    /// Failed for a reason that has no code of its own.
    Failed,
    /// The command line or a document is wrong.
    Usage,
    /// The thing named does not exist, or may not be seen.
    NotFound,
    /// Not permitted to this person or client.
    NotPermitted,
    /// No node answered.
    Unreachable,
    /// A signature, proof or pinned hash does not hold, or nothing anchors it.
    Unverified,
    /// Something else was there first.
    Conflict,
    /// Interrupted; run again to go on.
    Incomplete,
    /// `lookup --exit-code`: blocked.
    Blocked,
    /// `lookup --exit-code`: held, to review or flagged.
    Held,
    /// `lookup --exit-code`: no match, but decisive fields were missing.
    Undecided,
    /// `lookup --exit-code`: the node's state is too old to say.
    Stale,
    /// Checks have warnings.
    Warnings,
    /// Checks failed.
    ChecksFailed,
}

impl Exit {
    /// The number a shell sees.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotPermitted => 4,
            Self::Unreachable => 5,
            Self::Unverified => 6,
            Self::Conflict => 7,
            Self::Incomplete => 8,
            Self::Blocked => 10,
            Self::Held => 11,
            Self::Undecided => 12,
            Self::Stale => 13,
            Self::Warnings => 20,
            Self::ChecksFailed => 21,
        }
    }
}

impl Exit {
    /// Every one, in order of its number.
    pub const ALL: [Self; 15] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::NotFound,
        Self::NotPermitted,
        Self::Unreachable,
        Self::Unverified,
        Self::Conflict,
        Self::Incomplete,
        Self::Blocked,
        Self::Held,
        Self::Undecided,
        Self::Stale,
        Self::Warnings,
        Self::ChecksFailed,
    ];

    /// What it says, on whose side it lies, and what to do.
    #[must_use]
    pub const fn page(self) -> Page {
        page(self.digits(), self.side(), self.meaning(), self.remedy())
    }

    const fn digits(self) -> &'static str {
        match self {
            Self::Ok => "0",
            Self::Failed => "1",
            Self::Usage => "2",
            Self::NotFound => "3",
            Self::NotPermitted => "4",
            Self::Unreachable => "5",
            Self::Unverified => "6",
            Self::Conflict => "7",
            Self::Incomplete => "8",
            Self::Blocked => "10",
            Self::Held => "11",
            Self::Undecided => "12",
            Self::Stale => "13",
            Self::Warnings => "20",
            Self::ChecksFailed => "21",
        }
    }

    const fn side(self) -> Side {
        match self {
            Self::Ok | Self::Incomplete | Self::Blocked | Self::Held => Side::Nobody,
            Self::Failed
            | Self::Usage
            | Self::NotFound
            | Self::NotPermitted
            | Self::Conflict
            | Self::Undecided
            | Self::Warnings
            | Self::ChecksFailed => Side::Caller,
            Self::Unreachable | Self::Stale => Side::Operator,
            Self::Unverified => Side::Member,
        }
    }

    const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "done",
            Self::Failed => "not done, for a reason that has no exit code of its own",
            Self::Usage => "the command line, a document or a value is wrong; nothing was done",
            Self::NotFound => "what was named does not exist, or you may not see it",
            Self::NotPermitted => "this person or client may not do it",
            Self::Unreachable => "no node answered in time; what was sent may have been done",
            Self::Unverified => "a signature, proof or root does not hold, or nothing anchors it",
            Self::Conflict => "something else was there first: a file, a number, a decision",
            Self::Incomplete => "interrupted before the end; what was done stands",
            Self::Blocked => "lookup: goods like these are blocked here",
            Self::Held => "lookup: held, to review or flagged",
            Self::Undecided => "lookup: nothing matched, but decisive fields were missing",
            Self::Stale => "lookup: the node's state is too old to say",
            Self::Warnings => "lint or check has warnings",
            Self::ChecksFailed => "lint or check has errors",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::Ok => "nothing",
            Self::Failed => "read the message: it names the reason and what to do",
            Self::Usage => "mend what the message names; COMMAND --help has examples",
            Self::NotFound => "check the spelling; tocsin help names shows how things are named",
            Self::NotPermitted => "use the right key or context, or ask the operator for the role",
            Self::Unreachable => "try again: submitting one file twice is safe; see tocsin status",
            Self::Unverified => "do not rely on it; the message says whom to tell",
            Self::Conflict => "look at what is there, then decide anew",
            Self::Incomplete => "run the same command again: it goes on where it stopped",
            Self::Blocked => "stop them; tocsin block show names the order and the decision",
            Self::Held => "an officer must look at them",
            Self::Undecided => "it is not clear: look up item number, model or serial as well",
            Self::Stale => "tell the operator; ask again when tocsin status shows no lag",
            Self::Warnings => "read them: what is named will be missed, or will soon break",
            Self::ChecksFailed => "mend what is named",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.number())
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the process ends with.
    pub exit: Exit,
    /// Stable UPPER_SNAKE reason, where one exists; `tocsin explain CODE` says more.
    pub code: Option<String>,
    /// What happened.
    pub message: String,
    /// Particulars, such as the fields that are wrong.
    pub details: Vec<String>,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Failure {
    /// A failure with a message and nothing more.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: None,
            message: message.into(),
            details: Vec::new(),
            advice: None,
        }
    }

    /// The command line or a document is wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A signature, proof or pinned hash does not hold.
    #[must_use]
    pub fn unverified(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Exit::Unverified, message).code(code)
    }

    /// A file that could not be read or written.
    #[must_use]
    pub fn file(path: &std::path::Path, doing: &str, error: &std::io::Error) -> Self {
        const KNOWN: [(ErrorKind, Exit, &str); 3] = [
            (
                ErrorKind::NotFound,
                Exit::NotFound,
                "there is no such file or folder",
            ),
            (
                ErrorKind::PermissionDenied,
                Exit::NotPermitted,
                "the system does not permit it; whose file is it?",
            ),
            (
                ErrorKind::AlreadyExists,
                Exit::Conflict,
                "it is there already",
            ),
        ];
        let known = KNOWN.iter().find(|(kind, ..)| *kind == error.kind());
        let (exit, why) = known.map_or_else(
            || (Exit::Failed, error.to_string()),
            |(_, exit, why)| (*exit, (*why).to_owned()),
        );
        Self::new(exit, format!("cannot {doing} {}: {why}", path.display()))
    }

    /// Adds the stable reason.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Adds one particular.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.details.push(detail.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_those_of_the_published_surface() {
        let all = [
            (Exit::Ok, 0),
            (Exit::Failed, 1),
            (Exit::Usage, 2),
            (Exit::NotFound, 3),
            (Exit::NotPermitted, 4),
            (Exit::Unreachable, 5),
            (Exit::Unverified, 6),
            (Exit::Conflict, 7),
            (Exit::Incomplete, 8),
            (Exit::Blocked, 10),
            (Exit::Held, 11),
            (Exit::Undecided, 12),
            (Exit::Stale, 13),
            (Exit::Warnings, 20),
            (Exit::ChecksFailed, 21),
        ];
        assert_eq!(all.map(|(exit, _)| exit), Exit::ALL);
        for (exit, number) in all {
            assert_eq!(exit.number(), number);
            assert_eq!(exit.page().code, number.to_string());
        }
    }
}
