//! Every reason for which a statement, roster or pack is refused: one stable code each, what it
//! means, and what to do about it. `tocsin explain CODE` prints it; clients may branch on the code.

mod table;

pub use table::{ALL, Reason};

/// What kind of refusal it is, for whoever answers a caller (`reference/reliability.md` section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The content is wrong whatever the state: mend it.
    InvalidArgument,
    /// Larger than its bound.
    OutOfRange,
    /// Right in itself, but not in the present state.
    FailedPrecondition,
    /// Whoever signed may not say this.
    PermissionDenied,
    /// The name is taken by other content.
    AlreadyExists,
    /// A quota is used up: later it may be said.
    ResourceExhausted,
}

/// Why something was not taken; whoever sent it is told, and nothing of ours has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Refusal {
    /// Which rule is broken.
    pub reason: Reason,
    /// Where, as a dotted path of field names: `order.articles[3].selectors[0]`. Empty for the
    /// whole.
    pub field: String,
    /// The facts, where the rule alone does not say enough.
    pub detail: String,
    /// After how many milliseconds the same may be taken; 0 where waiting does not help.
    pub retry_ms: u64,
}

impl Refusal {
    /// A refusal of the whole.
    #[must_use]
    pub const fn new(reason: Reason) -> Self {
        Self {
            reason,
            field: String::new(),
            detail: String::new(),
            retry_ms: 0,
        }
    }

    /// A refusal of one field.
    #[must_use]
    pub fn at(reason: Reason, field: impl Into<String>) -> Self {
        Self {
            reason,
            field: field.into(),
            detail: String::new(),
            retry_ms: 0,
        }
    }

    /// The same, when what was looked at is a part of something larger.
    #[must_use]
    pub fn within(mut self, outer: impl Into<String>) -> Self {
        let outer = outer.into();
        self.field = if self.field.is_empty() {
            outer
        } else {
            format!("{outer}.{}", self.field)
        };
        self
    }

    /// The same with its facts.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// The same, to be tried again after so many milliseconds.
    #[must_use]
    pub const fn retry(mut self, after_ms: u64) -> Self {
        self.retry_ms = after_ms;
        self
    }

    /// The stable code, UPPER_SNAKE.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.reason.code()
    }

    /// What kind of refusal it is.
    #[must_use]
    pub const fn class(&self) -> Class {
        self.reason.class()
    }
}

/// `order.title: A text that must be there is empty. (...)`
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(self.reason.meaning())?;
        if self.detail.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.detail)
        }
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::new(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_upper_snake_and_stand_once() {
        let codes: BTreeSet<&str> = ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), ALL.len());
        for code in codes {
            assert!(
                code.bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'),
                "{code}"
            );
        }
    }

    #[test]
    fn every_code_says_what_it_means_and_what_to_do() {
        for reason in ALL {
            assert!(
                reason.meaning().len() > 10 && reason.remedy().len() > 10,
                "{}",
                reason.code()
            );
        }
    }
}
