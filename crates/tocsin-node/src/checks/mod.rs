//! What an operator is told of the node's health: every check looks, always, at one snapshot.
//!
//! A check is a pure function of `snapshot::Snapshot`; `gather` takes the snapshot, `memory`
//! remembers since when things are as they are. One that fails stops no other: what depends on
//! it says that it was skipped, and because of what.

mod code;
mod finding;
mod gather;
mod identity;
mod log;
mod memory;
mod network;
#[cfg(test)]
mod sample;
mod service;
mod snapshot;

pub use code::{Category, Code};
pub(crate) use gather::gather;
pub(crate) use memory::{Memory, keep};
pub(crate) use snapshot::ClockReading;

use finding::{Finding, Status};
use snapshot::Snapshot;
use tocsin_wire::proto::admin::v1 as admin;

/// One check's result.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) code: Code,
    /// What it looked at, where a check looks at several: a member.
    pub(crate) subject: String,
    pub(crate) finding: Finding,
}

/// Results as they come; later checks look up whether what they need has failed.
#[derive(Debug, Default)]
struct Found(Vec<Check>);

impl Found {
    fn add(&mut self, code: Code, subject: &str, finding: Finding) {
        let subject = subject.to_owned();
        self.0.push(Check {
            code,
            subject,
            finding,
        });
    }

    fn has_failed(&self, code: Code, subject: &str) -> bool {
        let mut found = self.0.iter();
        found.any(|check| {
            check.code == code && check.subject == subject && check.finding.status == Status::Failed
        })
    }
}

/// Makes every check.
pub(crate) fn run(at: &Snapshot) -> Vec<Check> {
    let mut found = Found::default();
    identity::check(at, &mut found);
    network::check(at, &mut found);
    log::check(at, &mut found);
    service::check(at, &mut found);
    let Found(mut checks) = found;
    checks.sort_by_key(|check| check.code);
    checks
}

/// Whether `only` names this check, by code or category; nothing named is everything.
pub(crate) fn is_asked_for(code: Code, only: &[String]) -> bool {
    let names = |word: &str| only.iter().any(|asked| asked.eq_ignore_ascii_case(word));
    only.is_empty() || names(code.word()) || names(code.category().word())
}

/// The first of `only` that names no check.
pub(crate) fn unknown(only: &[String]) -> Option<&String> {
    only.iter().find(|asked| {
        let is_code = |code: &Code| asked.eq_ignore_ascii_case(code.word());
        let is_category = |category: &Category| asked.eq_ignore_ascii_case(category.word());
        !Code::ALL.iter().any(is_code) && !Category::ALL.iter().any(is_category)
    })
}

impl Check {
    pub(crate) fn to_proto(&self) -> admin::Check {
        let Finding {
            status,
            detail,
            fix,
            side,
            since_ms,
            measure,
        } = &self.finding;
        let mut check = admin::Check {
            code: self.code.word().to_owned(),
            category: self.code.category().word().to_owned(),
            detail: detail.clone(),
            fix: fix.clone(),
            side: side.clone(),
            since_ms: *since_ms,
            subject: self.subject.clone(),
            ..admin::Check::default()
        };
        check.set_status(match status {
            Status::Ok => admin::CheckStatus::Ok,
            Status::Warning => admin::CheckStatus::Warning,
            Status::Failed => admin::CheckStatus::Failed,
            Status::Skipped => admin::CheckStatus::Skipped,
        });
        if let Some(measure) = measure {
            check.measured = true;
            check.value = measure.value;
            measure.unit.clone_into(&mut check.unit);
            check.warn_at = measure.warn_at;
            check.fail_at = measure.fail_at;
        }
        check
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn with_no_fault_every_check_looks_and_every_one_is_content() {
        let checks = run(&sample::healthy());
        for check in &checks {
            let Check { code, finding, .. } = check;
            assert_eq!(finding.status, Status::Ok, "{code:?}: {}", finding.detail);
            assert!(
                finding.fix.is_empty() && finding.side.is_empty(),
                "{code:?}"
            );
            assert!(
                !finding.detail.is_empty() && !finding.detail.ends_with('.'),
                "{code:?}"
            );
        }
        let made: BTreeSet<Code> = checks.iter().map(|check| check.code).collect();
        assert_eq!(made, Code::ALL.into(), "each check is made");
    }

    #[test]
    fn whatever_is_wrong_every_check_is_still_made() {
        let checks = run(&sample::ruined());
        let made: BTreeSet<Code> = checks.iter().map(|check| check.code).collect();
        assert_eq!(made, Code::ALL.into());
        for Check { code, finding, .. } in &checks {
            assert_ne!(finding.status, Status::Ok, "{code:?}: {}", finding.detail);
            if finding.status == Status::Skipped {
                assert!(finding.detail.starts_with("skipped, because "), "{code:?}");
            } else {
                assert!(!finding.fix.is_empty(), "{code:?} says what to do");
            }
        }
    }

    #[test]
    fn checks_are_asked_for_by_code_or_category_in_any_case() {
        let only = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        assert!(is_asked_for(Code::DiskLeft, &[]));
        assert!(is_asked_for(Code::DiskLeft, &only(&["disk_left"])));
        assert!(is_asked_for(Code::DiskLeft, &only(&["log", "Service"])));
        assert!(!is_asked_for(Code::DiskLeft, &only(&["log"])));
        assert_eq!(unknown(&only(&["service", "DISK_LEFT"])), None);
        assert_eq!(unknown(&only(&["service", "disk"])).unwrap(), "disk");
    }
}
