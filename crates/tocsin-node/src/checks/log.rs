//! Our own log and our copies of the others'.

use super::Found;
use super::code::Code;
use super::finding::{Finding, Measure, Status, count, span};
use super::snapshot::{Log, Snapshot, Standing, ms};

/// How long a start may take that asks the others and repairs.
const START_PATIENCE_MS: i64 = 60_000;
/// A log that is behind for so long without growing warns.
const STUCK_WARN_MS: i64 = 30_000;
/// And fails after this.
const STUCK_FAIL_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;

pub(super) fn check(at: &Snapshot, found: &mut Found) {
    found.add(Code::LogSigning, "", signing(at));
    for log in &at.logs {
        let member = log.member.as_str();
        found.add(Code::LogOneHistory, member, one_history(log));
        found.add(Code::LogWhole, member, whole(log));
        let broken = [Code::LogOneHistory, Code::LogWhole]
            .into_iter()
            .find(|code| found.has_failed(*code, member));
        let because = broken.map(|code| format!("{} failed for {member}", code.word()));
        if !log.is_own || because.is_some() {
            let current = because
                .as_ref()
                .map_or_else(|| current(log, at), Finding::skipped);
            found.add(Code::LogCurrent, member, current);
        }
        let applied = because
            .as_ref()
            .map_or_else(|| applied(log), Finding::skipped);
        found.add(Code::LogApplied, member, applied);
    }
    if at.logs.iter().all(|log| log.is_own) {
        let detail = "this alliance has no other member";
        found.add(Code::LogCurrent, "", Finding::ok(detail));
    }
    found.add(Code::BodiesHere, "", bodies(at));
}

fn signing(at: &Snapshot) -> Finding {
    let signing = &at.signing;
    match &signing.standing {
        Standing::Serving => match &signing.overridden {
            None => Finding::ok("this node signs its log"),
            Some(reason) => Finding::warning(format!(
                "this node signs its log; an operator overrode the rules of its start: {reason}"
            ))
            .since(signing.started_ms)
            .fix("see that no other process signs this log, then restart without --override-start"),
        },
        Standing::Preparing(reason) => {
            let lasted = at.now_ms.saturating_sub(signing.started_ms);
            let detail = format!(
                "this node does not sign yet, for {}: {reason}",
                span(lasted)
            );
            let finding = if lasted < START_PATIENCE_MS {
                Finding::warning(detail)
            } else {
                Finding::failed(detail)
            };
            finding
                .since(signing.started_ms)
                .fix("see that the other members are connected: tocsin check --only network")
        }
        Standing::ReadOnly(reason) => Finding::failed(format!("this node does not sign: {reason}"))
            .fix("do what the reason says; tocsin explain LOG_SIGNING"),
    }
}

fn one_history(log: &Log) -> Finding {
    let member = &log.member;
    if !log.is_frozen {
        return Finding::ok(format!("nothing is known against the log of {member}"));
    }
    let finding = Finding::failed(format!(
        "there is proof that the key of the log of {member} signed two histories: it is frozen"
    ));
    if log.is_own {
        return finding.fix("stop every copy of this node, and open a new generation");
    }
    let fix = format!("tell {member} and all others by voice; its governance key must act");
    finding.side(member).fix(fix)
}

fn whole(log: &Log) -> Finding {
    let member = &log.member;
    let Some(first) = log.damage.first() else {
        let entries = count(log.size, "entry", "entries");
        return Finding::ok(format!("{entries} of {member}: all stored as signed"));
    };
    let places = u64::try_from(log.damage.len()).unwrap_or(u64::MAX);
    let places = count(places, "place is damaged", "places are damaged");
    Finding::failed(format!(
        "{places} in the log of {member} on this disk: {first}"
    ))
    .fix(
        "leave the node running: it repairs from the other members; if it recurs, replace the disk",
    )
}

/// Of a mirror.
fn current(log: &Log, at: &Snapshot) -> Finding {
    let behind = log.known.saturating_sub(log.size);
    let policy = at.policy.as_ref();
    let aged = policy.and_then(|policy| policy.mirror_age_hours);
    let aged = aged.map(|hours| by_age(log, at.now_ms, hours));
    let stuck = by_lag(log, behind);
    match aged {
        Some(aged) if aged.status > stuck.status => aged,
        Some(_) | None => stuck,
    }
}

fn by_lag(log: &Log, behind: u64) -> Finding {
    let (member, size) = (&log.member, log.size);
    let measure = Measure {
        value: ms(log.stuck_ms) / 1_000.0,
        unit: "seconds",
        warn_at: ms(STUCK_WARN_MS) / 1_000.0,
        fail_at: ms(STUCK_FAIL_MS) / 1_000.0,
    };
    if behind == 0 {
        let entries = count(size, "entry", "entries");
        return Finding::ok(format!(
            "{entries} of {member}: all that anybody has named to us"
        ))
        .measured(measure);
    }
    let missing = count(behind, "entry", "entries");
    if let Some(why) = log.held {
        return Finding::warning(format!(
            "{missing} of {member} are known and not taken, for the log is {why}: look-ups that \
             rest on it answer review"
        ))
        .measured(measure)
        .fix(
            "it is read on by itself; to read on at once, make room or raise [quota] and restart",
        );
    }
    let detail = match measure.rising() {
        Status::Ok => format!("{missing} of {member} are on their way"),
        Status::Warning | Status::Failed | Status::Skipped => format!(
            "{missing} of {member} are missing, and none has come for {}",
            span(log.stuck_ms)
        ),
    };
    Finding::of(measure.rising(), detail)
        .measured(measure)
        .fix("see who is connected: tocsin check --only network; then the node's log for refusals")
}

/// By the age that our own policy allows; beyond it look-ups rely on it no more.
fn by_age(log: &Log, now_ms: i64, hours: u32) -> Finding {
    let member = &log.member;
    let allowed = i64::from(hours).saturating_mul(HOUR_MS);
    let age = now_ms.saturating_sub(log.fresh_ms).max(0);
    let left = super::snapshot::share_left(0, allowed, age);
    let detail = format!(
        "what {member} said is known until {} ago; the policy pack relies on it for {}",
        span(age),
        span(allowed)
    );
    let finding = if age > allowed {
        Finding::by_left(0.0, detail).since(log.fresh_ms.saturating_add(allowed))
    } else if left < super::finding::LEFT_WARN {
        // Within its limit it is still relied on: that it is nearly over is no failure yet.
        let mut finding = Finding::by_left(left, detail);
        finding.status = Status::Warning;
        finding
    } else {
        Finding::by_left(left.max(super::finding::LEFT_WARN), detail)
    };
    let fix = format!("get a connection to {member}, or to a member that has one");
    finding.side_of_fault(member).fix(fix)
}

fn applied(log: &Log) -> Finding {
    let waiting = log.size.saturating_sub(log.applied);
    let member = &log.member;
    let measure = Measure {
        value: ms(log.unapplied_ms) / 1_000.0,
        unit: "seconds",
        warn_at: ms(STUCK_WARN_MS) / 1_000.0,
        fail_at: ms(STUCK_FAIL_MS) / 1_000.0,
    };
    let detail = if waiting == 0 {
        format!("everything of {member} that is here counts")
    } else {
        let entries = count(waiting, "entry", "entries");
        let lasted = span(log.unapplied_ms);
        format!("{entries} of {member} wait for the registry, none taken for {lasted}")
    };
    let finding = Finding::of(measure.rising(), detail).measured(measure);
    finding.fix("look for a fault in the node's log, then restart the node")
}

fn bodies(at: &Snapshot) -> Finding {
    let bodies = &at.bodies;
    if bodies.missing == 0 {
        return Finding::ok("every lasting body is here");
    }
    let missing = count(bodies.missing, "lasting body has", "lasting bodies have");
    let of = bodies.of.join(", ");
    let finding = Finding::warning(format!(
        "{missing} not arrived, of statements of {of}: look-ups answer review on them"
    ))
    .fix(format!("see that {of} or anybody who has it is connected"));
    match bodies.of.as_slice() {
        [one] => finding.side(one),
        [] | [_, _, ..] => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::sample::{NOW, healthy, only};
    use super::super::snapshot::{Bodies, Policy};
    use super::*;

    #[test]
    fn a_node_that_does_not_sign_says_why() {
        let mut at = healthy();
        at.signing.standing = Standing::ReadOnly("jp holds a newer note".to_owned());
        let found = only(&run(&at), Code::LogSigning, "");
        assert_eq!(found.status, Status::Failed);
        assert!(found.detail.contains("jp holds a newer note"));
        at.signing.standing = Standing::Preparing("asked".to_owned());
        at.signing.started_ms = NOW - START_PATIENCE_MS + 1;
        assert_eq!(
            only(&run(&at), Code::LogSigning, "").status,
            Status::Warning
        );
        at.signing.started_ms = NOW - START_PATIENCE_MS;
        assert_eq!(only(&run(&at), Code::LogSigning, "").status, Status::Failed);
    }

    #[test]
    fn an_operators_override_is_shown_for_as_long_as_the_node_runs() {
        let mut at = healthy();
        at.signing.overridden = Some("the others are on holiday".to_owned());
        let found = only(&run(&at), Code::LogSigning, "");
        assert_eq!(found.status, Status::Warning);
        assert!(found.detail.contains("on holiday"));
    }

    #[test]
    fn damage_on_our_disk_is_ours_whoever_wrote_the_log() {
        let mut at = healthy();
        at.logs[2].damage = vec!["the frame of entry 7 is damaged".to_owned()];
        let checks = run(&at);
        let found = only(&checks, Code::LogWhole, "kr");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, ""));
        assert!(found.detail.contains("entry 7"));
        for code in [Code::LogCurrent, Code::LogApplied] {
            let found = only(&checks, code, "kr");
            assert_eq!(found.detail, "skipped, because LOG_WHOLE failed for kr");
        }
        assert_eq!(only(&checks, Code::LogCurrent, "jp").status, Status::Ok);
    }

    #[test]
    fn two_histories_are_the_fault_of_whose_key_signed_them() {
        let mut at = healthy();
        at.logs[3].is_frozen = true;
        let found = only(&run(&at), Code::LogOneHistory, "us");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, "us"));
        at.logs[0].is_frozen = true;
        let found = only(&run(&at), Code::LogOneHistory, "de");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, ""));
    }

    #[test]
    fn a_log_that_is_held_back_says_why_and_that_it_goes_on_by_itself() {
        let mut at = healthy();
        at.logs[1].held = Some("held back: the disk is nearly full");
        assert_eq!(only(&run(&at), Code::LogCurrent, "jp").status, Status::Ok);
        at.logs[1].known = at.logs[1].size + 3;
        let found = only(&run(&at), Code::LogCurrent, "jp");
        assert_eq!(found.status, Status::Warning);
        assert!(
            found.detail.contains("the disk is nearly full"),
            "{}",
            found.detail
        );
        assert!(found.fix.contains("by itself"), "{}", found.fix);
    }

    #[test]
    fn a_mirror_that_stands_still_behind_is_found_and_one_that_grows_is_not() {
        let mut at = healthy();
        at.logs[1].known = at.logs[1].size + 3;
        for (stuck, wanted) in [
            (0, Status::Ok),
            (STUCK_WARN_MS, Status::Warning),
            (STUCK_FAIL_MS, Status::Failed),
        ] {
            at.logs[1].stuck_ms = stuck;
            let found = only(&run(&at), Code::LogCurrent, "jp");
            assert_eq!(found.status, wanted, "{stuck}: {}", found.detail);
        }
    }

    #[test]
    fn a_mirror_that_policy_calls_too_old_fails_even_when_nothing_is_known_to_be_missing() {
        let mut at = healthy();
        let policy = |hours| {
            Some(Policy {
                version: 1,
                calendar: "none".to_owned(),
                mirror_age_hours: hours,
            })
        };
        at.policy = policy(Some(24));
        for (hours, wanted) in [
            (0, Status::Ok),
            (12, Status::Ok),
            (20, Status::Warning),
            (24, Status::Warning),
            (25, Status::Failed),
        ] {
            at.logs[1].fresh_ms = NOW - hours * HOUR_MS;
            let found = only(&run(&at), Code::LogCurrent, "jp");
            assert_eq!(found.status, wanted, "{hours}: {}", found.detail);
        }
        at.policy = policy(None);
        assert_eq!(only(&run(&at), Code::LogCurrent, "jp").status, Status::Ok);
    }

    #[test]
    fn entries_that_nobody_takes_into_the_registry_are_found() {
        let mut at = healthy();
        at.logs[0].applied -= 1;
        at.logs[0].unapplied_ms = STUCK_FAIL_MS;
        let found = only(&run(&at), Code::LogApplied, "de");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, ""));
    }

    #[test]
    fn a_missing_body_names_whose_statement_waits_for_it() {
        let mut at = healthy();
        at.bodies = Bodies {
            missing: 2,
            of: vec!["us".to_owned()],
        };
        let found = only(&run(&at), Code::BodiesHere, "");
        assert_eq!((found.status, found.side.as_str()), (Status::Warning, "us"));
    }
}
