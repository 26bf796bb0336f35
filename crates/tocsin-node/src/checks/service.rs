//! What the node needs to serve, and what waits for people.

use super::Found;
use super::code::Code;
use super::finding::{Finding, LEFT_FAIL, LEFT_WARN, Measure, Status, count, size, span};
use super::snapshot::{Disk, Draft, Pending, Share, Snapshot, Unread, ms, number, share_left};

/// Less than this free warns, whatever the share: some days of a busy node.
const FREE_WARN_BYTES: u64 = 1 << 30;
/// And fails: not much more than what is kept in reserve for withdrawals.
const FREE_FAIL_BYTES: u64 = 256 << 20;
/// A block in review has no end of its own; one that waits longer has been forgotten.
const REVIEW_WARN_MS: i64 = 30 * 86_400_000;
/// Orders that a finding names.
const MAX_NAMED: usize = 5;

pub(super) fn check(at: &Snapshot, found: &mut Found) {
    found.add(Code::DiskLeft, "", disk(&at.disk));
    found.add(Code::IndexSound, "", index(at.has_index));
    found.add(Code::PolicyInForce, "", policy(at));
    found.add(Code::HoldsUndecided, "", holds(at));
    found.add(Code::ReviewsWaiting, "", reviews(at));
    found.add(Code::DraftsWaiting, "", drafts(at));
    found.add(Code::WatchersLeft, "", watchers(at.watchers));
}

fn disk(disk: &Unread<Disk>) -> Finding {
    let fix = "make room, or enlarge the disk; delete nothing under log/, local/ or blobs/";
    let disk = match disk {
        Ok(disk) => disk,
        Err(why) => {
            return Finding::failed(format!("the disk cannot be looked at: {why}")).fix(fix);
        }
    };
    let (free, ours) = (number(disk.free), number(disk.ours));
    let mut detail = format!("{} free beside {} of ours", size(free), size(ours));
    if let Some(lasts_ms) = lasts(disk) {
        detail = format!("{detail}, about {} at the present rate", span(lasts_ms));
    }
    let mut finding = Finding::by_left(free / (free + ours).max(1.0), detail);
    let by_bytes = match disk.free {
        FREE_WARN_BYTES.. => Status::Ok,
        FREE_FAIL_BYTES.. => Status::Warning,
        _ => Status::Failed,
    };
    finding.status = finding.status.max(by_bytes);
    if disk.is_low {
        finding.status = Status::Failed;
        finding.detail = format!("{}: only what releases goods is written", finding.detail);
    }
    finding.fix(fix)
}

/// How long the room lasts when the node grows as it did; only said when it was watched long
/// enough to tell.
fn lasts(disk: &Disk) -> Option<i64> {
    const LONG_ENOUGH_MS: i64 = 3_600_000;
    const TEN_YEARS_MS: u64 = 10 * 365 * 86_400_000;
    let watched = u64::try_from(disk.watched_ms.max(0)).ok()?;
    if disk.watched_ms < LONG_ENOUGH_MS || disk.grown == 0 {
        return None;
    }
    let lasts = u128::from(disk.free) * u128::from(watched) / u128::from(disk.grown);
    i64::try_from(u64::try_from(lasts).unwrap_or(u64::MAX).min(TEN_YEARS_MS)).ok()
}

fn index(has_index: bool) -> Finding {
    if has_index {
        return Finding::ok("the index beside the logs is in use");
    }
    Finding::warning("there is no index: the node answers the same, only slower")
        .fix("restart the node: it builds the index again from the logs")
}

fn policy(at: &Snapshot) -> Finding {
    let Some(policy) = &at.policy else {
        return Finding::warning(
            "no policy pack is in force: every order of others goes to review",
        )
        .fix("two officers sign a pack: tocsin policy new");
    };
    let aged = policy.mirror_age_hours.map_or_else(
        || "without a limit on the age of mirrors".to_owned(),
        |hours| format!("relying on mirrors of at most {hours} h"),
    );
    let (version, calendar) = (policy.version, &policy.calendar);
    let detail = format!("pack {version} is in force, calendar {calendar:?}, {aged}");
    Finding::ok(detail)
}

fn holds(at: &Snapshot) -> Finding {
    let held = at
        .pending
        .iter()
        .filter(|one| one.is_held && one.until_ms != 0);
    let left = |one: &Pending| share_left(one.since_ms, one.until_ms, at.now_ms);
    let mut held: Vec<(f64, &Pending)> = held.map(|one| (left(one), one)).collect();
    held.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let Some((least, first)) = held.first() else {
        return Finding::ok("no hold waits for a decision");
    };
    let number = u64::try_from(held.len()).unwrap_or(u64::MAX);
    let holds = count(number, "hold waits", "holds wait");
    let ends = span(first.until_ms.saturating_sub(at.now_ms));
    let order = &first.order;
    let detail = format!("{holds} for a decision; {order} ends by itself in {ends}");
    let fix = format!("an officer decides: tocsin decide {order} adopt --new");
    Finding::by_left(*least, detail).fix(fix)
}

fn reviews(at: &Snapshot) -> Finding {
    let waiting = at.pending.iter().filter(|one| !one.is_held);
    let mut waiting: Vec<&Pending> = waiting.collect();
    waiting.sort_by_key(|one| one.since_ms);
    let Some(oldest) = waiting.first() else {
        return Finding::ok("no block waits for an officer");
    };
    let age = at.now_ms.saturating_sub(oldest.since_ms).max(0);
    let measure = Measure {
        value: ms(age) / 1_000.0,
        unit: "seconds",
        warn_at: ms(REVIEW_WARN_MS) / 1_000.0,
        fail_at: f64::INFINITY,
    };
    let number = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
    let blocks = count(number, "block waits", "blocks wait");
    let named: Vec<&str> = waiting
        .iter()
        .map(|one| one.order.as_str())
        .take(MAX_NAMED)
        .collect();
    let named = named.join(", ");
    let detail = format!(
        "{blocks} for an officer, the oldest for {}: {named}",
        span(age)
    );
    let finding = Finding::of(measure.rising(), detail).measured(measure);
    finding.fix("an officer decides: tocsin pending")
}

fn drafts(at: &Snapshot) -> Finding {
    let left = |one: &Draft| share_left(one.since_ms, one.until_ms, at.now_ms);
    let least = |a: &&Draft, b: &&Draft| left(a).total_cmp(&left(b));
    let Some(first) = at.drafts.iter().min_by(least) else {
        return Finding::ok("no draft waits for a second officer");
    };
    let number = u64::try_from(at.drafts.len()).unwrap_or(u64::MAX);
    let drafts = count(number, "draft waits", "drafts wait");
    let ends = span(first.until_ms.saturating_sub(at.now_ms));
    let name = &first.name;
    let detail = format!("{drafts} for a second officer; {name} can be accepted for {ends} more");
    Finding::by_left(left(first), detail).fix("a second officer signs: tocsin pending")
}

fn watchers(places: Share) -> Finding {
    let Share { used, most } = places;
    let left = number(most.saturating_sub(used)) / number(most.max(1));
    let detail = format!("{used} of {most} places for watchers are taken");
    let measure = Measure {
        value: left,
        unit: "ratio",
        warn_at: LEFT_WARN,
        fail_at: LEFT_FAIL,
    };
    Finding::of(measure.falling(), detail)
        .measured(measure)
        .fix("let agencies watch at other members' nodes too: their cursors are good there")
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::sample::{DAY_MS, NOW, healthy, only};
    use super::*;

    fn with_disk(free: u64, ours: u64) -> Finding {
        let mut at = healthy();
        at.disk = Ok(Disk {
            is_low: false,
            free,
            ours,
            grown: 0,
            watched_ms: 0,
        });
        only(&run(&at), Code::DiskLeft, "")
    }

    #[test]
    fn a_disk_is_judged_by_what_is_left_of_what_we_may_use_and_never_below_some_bytes() {
        const GIB: u64 = 1 << 30;
        for (free, ours, wanted) in [
            (100 * GIB, 100 * GIB, Status::Ok),
            (30 * GIB, 100 * GIB, Status::Warning),
            (9 * GIB, 100 * GIB, Status::Failed),
            (GIB - 1, 1, Status::Warning),
            ((256 << 20) - 1, 1, Status::Failed),
            (0, 0, Status::Failed),
        ] {
            let found = with_disk(free, ours);
            assert_eq!(found.status, wanted, "{free} {ours}: {}", found.detail);
        }
        let mut at = healthy();
        at.disk = Err("permission denied".to_owned());
        assert_eq!(only(&run(&at), Code::DiskLeft, "").status, Status::Failed);
    }

    #[test]
    fn how_long_a_disk_lasts_is_told_after_an_hour_of_growing() {
        let disk = |grown, watched_ms| Disk {
            is_low: false,
            free: 1 << 30,
            ours: 1 << 30,
            grown,
            watched_ms,
        };
        assert_eq!(lasts(&disk(1 << 20, 3_599_999)), None);
        assert_eq!(lasts(&disk(0, 3_600_000)), None);
        assert_eq!(lasts(&disk(1 << 20, 3_600_000)), Some(1_024 * 3_600_000));
        assert_eq!(lasts(&disk(1, 3_600_000)), Some(10 * 365 * DAY_MS));
    }

    #[test]
    fn without_an_index_or_a_pack_the_node_serves_and_says_so() {
        let mut at = healthy();
        (at.has_index, at.policy) = (false, None);
        let checks = run(&at);
        assert_eq!(only(&checks, Code::IndexSound, "").status, Status::Warning);
        let found = only(&checks, Code::PolicyInForce, "");
        assert_eq!(found.status, Status::Warning);
        assert!(found.fix.contains("tocsin policy new"));
    }

    #[test]
    fn the_hold_with_the_least_left_of_its_life_decides() {
        let mut at = healthy();
        let hold = |order: &str, left| Pending {
            order: order.to_owned(),
            is_held: true,
            since_ms: NOW - (100 - left) * DAY_MS,
            until_ms: NOW + left * DAY_MS,
        };
        for (left, wanted) in [(40, Status::Ok), (20, Status::Warning), (5, Status::Failed)] {
            at.pending = vec![hold("US-2026-0001", 90), hold("US-2026-0002", left)];
            let found = only(&run(&at), Code::HoldsUndecided, "");
            assert_eq!(found.status, wanted, "{}", found.detail);
            assert!(
                found.detail.contains("US-2026-0002 ends"),
                "{}",
                found.detail
            );
        }
    }

    #[test]
    fn a_review_that_was_forgotten_is_named() {
        let mut at = healthy();
        let review = |order: &str, days| Pending {
            order: order.to_owned(),
            is_held: false,
            since_ms: NOW - days * DAY_MS,
            until_ms: 0,
        };
        at.pending = vec![review("US-2026-0001", 3), review("US-2026-0002", 29)];
        assert_eq!(only(&run(&at), Code::ReviewsWaiting, "").status, Status::Ok);
        at.pending.push(review("JP-2026-0007", 31));
        let found = only(&run(&at), Code::ReviewsWaiting, "");
        assert_eq!(found.status, Status::Warning);
        assert!(
            found.detail.contains("31 d: JP-2026-0007"),
            "{}",
            found.detail
        );
    }

    #[test]
    fn a_draft_that_will_soon_be_too_old_is_named() {
        let mut at = healthy();
        let draft = |name: &str, left| Draft {
            name: name.to_owned(),
            since_ms: NOW - (30 - left) * DAY_MS,
            until_ms: NOW + left * DAY_MS,
        };
        for (left, wanted) in [(11, Status::Ok), (9, Status::Warning), (2, Status::Failed)] {
            at.drafts = vec![draft("0123", 29), draft("4567", left)];
            let found = only(&run(&at), Code::DraftsWaiting, "");
            assert_eq!(found.status, wanted, "{}", found.detail);
            assert!(
                found.detail.contains("4567 can be accepted"),
                "{}",
                found.detail
            );
        }
    }

    #[test]
    fn places_for_watchers_run_out_in_sight() {
        let mut at = healthy();
        for (used, wanted) in [
            (341, Status::Ok),
            (342, Status::Warning),
            (462, Status::Failed),
        ] {
            at.watchers = Share { used, most: 512 };
            let found = only(&run(&at), Code::WatchersLeft, "");
            assert_eq!(found.status, wanted, "{used}");
        }
    }
}
