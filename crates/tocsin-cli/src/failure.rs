//! What went wrong, as the person at the keyboard needs it: what, why, and what to do next.

use std::io::ErrorKind;
use std::process::ExitCode;

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
        let kinds = [
            (ErrorKind::NotFound, Exit::NotFound),
            (ErrorKind::PermissionDenied, Exit::NotPermitted),
            (ErrorKind::AlreadyExists, Exit::Conflict),
        ];
        let known = kinds.into_iter().find(|(kind, _)| *kind == error.kind());
        let exit = known.map_or(Exit::Failed, |(_, exit)| exit);
        Self::new(exit, format!("cannot {doing} {}: {error}", path.display()))
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
        for (exit, number) in all {
            assert_eq!(exit.number(), number);
        }
    }
}
