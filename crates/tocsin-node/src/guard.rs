//! The rule before the first signature: ask the others what they have seen of us.
//!
//! A node restored from an older copy would sign a second history. Every other member is asked
//! for the newest note of ours that it has seen; "none" is an answer. When all have answered, or
//! after ten seconds with so many answers that one comes from every quorum, signing may begin
//! (FORMATS section 5).

use std::collections::BTreeSet;
use std::time::Duration;

use tocsin_log::quorum;

/// How long all members are waited for before a sufficient number of answers is enough.
pub(crate) const ALL_ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Who has answered since the node started.
#[derive(Debug)]
pub(crate) struct StartGuard {
    others: BTreeSet<String>,
    answered: BTreeSet<String>,
    enough: usize,
}

impl StartGuard {
    /// A guard over the other members of an alliance, ourselves not among them.
    pub(crate) fn new(others: impl IntoIterator<Item = String>) -> Self {
        let others: BTreeSet<String> = others.into_iter().collect();
        let members = others.len() + 1;
        // Any quorum that cosigned a newer note of ours then has a member among the answers.
        let enough = members.saturating_sub(quorum::quorum(members)) + 1;
        Self {
            enough: enough.min(others.len()),
            others,
            answered: BTreeSet::new(),
        }
    }

    /// `member` has said what it has seen; strangers count for nothing.
    pub(crate) fn answered(&mut self, member: &str) {
        if self.others.contains(member) {
            self.answered.insert(member.to_owned());
        }
    }

    /// Whether signing may begin, `waited` after the start.
    pub(crate) fn may_sign(&self, waited: Duration) -> bool {
        self.answered.len() == self.others.len()
            || (waited >= ALL_ANSWERS_WITHIN && self.answered.len() >= self.enough)
    }

    /// Members that have not answered yet, for the operator.
    pub(crate) fn missing(&self) -> Vec<&str> {
        self.others
            .difference(&self.answered)
            .map(String::as_str)
            .collect()
    }

    /// Answers that suffice after ten seconds.
    pub(crate) const fn enough(&self) -> usize {
        self.enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard_of(others: &[&str]) -> StartGuard {
        StartGuard::new(others.iter().map(|&member| member.to_owned()))
    }

    #[test]
    fn an_alliance_of_one_asks_nobody() {
        assert!(guard_of(&[]).may_sign(Duration::ZERO));
    }

    #[test]
    fn all_answers_are_enough_at_once() {
        let mut guard = guard_of(&["jp", "de", "kr"]);
        for member in ["jp", "de", "kr"] {
            assert!(!guard.may_sign(Duration::ZERO));
            guard.answered(member);
        }
        assert!(guard.may_sign(Duration::ZERO));
    }

    #[test]
    fn one_of_every_quorum_is_enough_after_ten_seconds() {
        // Four members, quorum three: two answers meet every quorum.
        let mut guard = guard_of(&["jp", "de", "kr"]);
        guard.answered("jp");
        assert!(!guard.may_sign(ALL_ANSWERS_WITHIN));
        guard.answered("jp");
        guard.answered("a stranger");
        assert!(
            !guard.may_sign(ALL_ANSWERS_WITHIN),
            "counted once, and strangers not at all"
        );
        guard.answered("kr");
        assert!(!guard.may_sign(Duration::from_secs(9)));
        assert!(guard.may_sign(ALL_ANSWERS_WITHIN));
        assert_eq!(guard.missing(), ["de"]);
    }

    #[test]
    fn silence_never_suffices() {
        let guard = guard_of(&["jp"]);
        assert!(!guard.may_sign(Duration::from_secs(86_400)));
    }
}
