//! Whether this node may sign, and if not, why and what to do.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use crate::guard::StartGuard;

/// Where the node stands with its own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The other members are being asked what they have seen of us.
    Asking,
    /// Our own log is damaged or short, and is being repaired from the other members.
    Repairing(String),
    /// Signing.
    Ready,
    /// Not signing until an operator has acted.
    ReadOnly(String),
}

/// The start-up question and its outcome; shared by all tasks.
#[derive(Debug)]
pub(crate) struct Signing {
    guard: Mutex<StartGuard>,
    since: Instant,
    standing: watch::Sender<Standing>,
}

impl Signing {
    /// Begins to ask `others`.
    pub(crate) fn begin(others: impl IntoIterator<Item = String>) -> Self {
        Self {
            guard: Mutex::new(StartGuard::new(others)),
            since: Instant::now(),
            standing: watch::Sender::new(Standing::Asking),
        }
    }

    /// `member` has answered, and what it has seen does not contradict us.
    pub(crate) fn answered(&self, member: &str) {
        self.lock().answered(member);
    }

    /// Whether every other member has answered.
    pub(crate) fn all_answered(&self) -> bool {
        self.lock().missing().is_empty()
    }

    /// Whether the question is answered well enough to begin.
    pub(crate) fn may_begin(&self) -> bool {
        *self.standing.borrow() == Standing::Asking && self.lock().may_sign(self.since.elapsed())
    }

    /// Our own log must be repaired first, for this reason.
    pub(crate) fn repairing(&self, reason: &str) {
        self.standing.send_if_modified(|standing| match standing {
            Standing::Asking | Standing::Repairing(_) => {
                *standing = Standing::Repairing(reason.to_owned());
                true
            }
            Standing::Ready | Standing::ReadOnly(_) => false,
        });
    }

    /// Our own log is whole again; the others are still to be heard.
    pub(crate) fn repaired(&self) {
        self.standing.send_if_modified(|standing| {
            let repairing = matches!(standing, Standing::Repairing(_));
            if repairing {
                *standing = Standing::Asking;
            }
            repairing
        });
    }

    /// Signing begins, unless something has forbidden it meanwhile.
    pub(crate) fn begin_signing(&self) {
        self.standing.send_if_modified(|standing| {
            let asking = *standing == Standing::Asking;
            if asking {
                *standing = Standing::Ready;
            }
            asking
        });
    }

    /// Ends signing for good in this generation; the first reason stays.
    pub(crate) fn stop(&self, reason: &str) {
        self.standing.send_if_modified(|standing| match standing {
            Standing::Asking | Standing::Repairing(_) | Standing::Ready => {
                *standing = Standing::ReadOnly(reason.to_owned());
                true
            }
            Standing::ReadOnly(_) => false,
        });
    }

    pub(crate) fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
    }

    /// For the operator: whom the node waits for, and how long it has.
    pub(crate) fn waiting_for(&self) -> String {
        let guard = self.lock();
        let waited = self.since.elapsed().as_secs();
        format!(
            "asked what was seen of this log; no answer yet from {} after {waited} s; \
             {} answers are enough after {} s",
            guard.missing().join(", "),
            guard.enough(),
            crate::guard::ALL_ANSWERS_WITHIN.as_secs(),
        )
    }

    fn lock(&self) -> MutexGuard<'_, StartGuard> {
        // The guard is a set of answers; a panic cannot leave half of one.
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_not_to_sign_is_never_overruled_by_later_answers() {
        let signing = Signing::begin(["jp".to_owned()]);
        signing.stop("a peer holds a newer note");
        signing.answered("jp");
        assert!(!signing.may_begin());
        signing.begin_signing();
        signing.stop("something else");
        assert_eq!(
            signing.standing(),
            Standing::ReadOnly("a peer holds a newer note".to_owned())
        );
    }

    #[test]
    fn signing_begins_when_all_have_answered() {
        let signing = Signing::begin(["jp".to_owned()]);
        assert!(!signing.may_begin());
        signing.answered("jp");
        assert!(signing.may_begin());
        signing.begin_signing();
        assert_eq!(signing.standing(), Standing::Ready);
    }
}
