//! The other members' nodes as we see them, and whose side a fault is on.

use super::Found;
use super::code::Code;
use super::finding::{Finding, Measure, Status, certificate, span};
use super::snapshot::{ClockReading, Peer, Snapshot, ms, number};

/// How long a member may be without a connection before that fails: restarts take seconds.
const CONNECT_PATIENCE_MS: i64 = 60_000;
/// A clock that is this far off warns: a tenth of the 300 s by which a statement may be dated
/// ahead (FORMATS.md 3).
const CLOCK_WARN_MS: i64 = 30_000;
/// And fails at a third of them.
const CLOCK_FAIL_MS: i64 = 100_000;

pub(super) fn check(at: &Snapshot, found: &mut Found) {
    let nobody = at.peers.len() > 1 && at.peers.iter().all(|peer| !peer.connected);
    let ours = is_our_clock(at);
    for peer in &at.peers {
        let member = peer.member.as_str();
        found.add(
            Code::PeerConnected,
            member,
            connected(peer, at.now_ms, nobody),
        );
        let is_gone = found.has_failed(Code::PeerConnected, member);
        found.add(
            Code::PeerCertificate,
            member,
            shown(peer, at.now_ms, is_gone),
        );
        let what = format!("the certificate authority of {member}");
        let ca = certificate(&what, &peer.ca, at.now_ms).side_of_fault(member);
        let plan = format!("{member} must plan a new authority with all: tocsin explain PEER_CA");
        found.add(Code::PeerCa, member, ca.fix(plan));
        found.add(
            Code::PeerClock,
            member,
            clock(peer, at.now_ms, is_gone, ours),
        );
    }
    if at.peers.is_empty() {
        for code in [
            Code::PeerConnected,
            Code::PeerCertificate,
            Code::PeerCa,
            Code::PeerClock,
        ] {
            found.add(code, "", Finding::ok("this alliance has no other member"));
        }
    }
    found.add(Code::QuorumConnected, "", quorum(at));
}

fn connected(peer: &Peer, now_ms: i64, nobody: bool) -> Finding {
    let Peer {
        member,
        endpoint,
        reason,
        since_ms,
        ..
    } = peer;
    let lasted = peer.for_span(now_ms);
    if peer.connected {
        return Finding::ok(format!("{member} is connected for {lasted}")).since(*since_ms);
    }
    let why = if reason.is_empty() {
        "not tried yet".to_owned()
    } else {
        format!("last error: {reason}")
    };
    let detail = if *since_ms == 0 {
        format!("{member} is not connected: {why}")
    } else {
        format!("{member} is not connected for {lasted}: {why}")
    };
    let is_young = *since_ms == 0 || now_ms.saturating_sub(*since_ms) < CONNECT_PATIENCE_MS;
    let finding = if is_young {
        Finding::warning(detail)
    } else {
        Finding::failed(detail)
    };
    let finding = finding.since(*since_ms);
    if nobody {
        // Of several members that all are gone at once, the most likely one is this one.
        let fix = "nobody is connected: look at this node's own network, firewall and certificate";
        return finding.fix(fix);
    }
    let fix = format!("tell {member}: its node at {endpoint} cannot be followed");
    finding.side(member).fix(fix)
}

fn shown(peer: &Peer, now_ms: i64, is_gone: bool) -> Finding {
    let member = peer.member.as_str();
    let Some(validity) = peer.certificate else {
        if is_gone {
            let because = format!("{} failed for {member}", Code::PeerConnected.word());
            return Finding::skipped(because);
        }
        return Finding::skipped(format!("{member} has shown no certificate yet"));
    };
    let what = format!("the certificate that {member} showed");
    let fix = format!("{member} must run: tocsin node certificate --dir DIR, then SIGHUP");
    certificate(&what, &Ok(validity), now_ms)
        .side_of_fault(member)
        .fix(fix)
}

fn clock(peer: &Peer, now_ms: i64, is_gone: bool, ours: bool) -> Finding {
    let member = peer.member.as_str();
    let Some(ClockReading { offset_ms, read_ms }) = peer.clock else {
        if is_gone {
            let because = format!("{} failed for {member}", Code::PeerConnected.word());
            return Finding::skipped(because);
        }
        return Finding::skipped(format!("{member} has not told its time yet"));
    };
    let apart = offset_ms.saturating_abs();
    let measure = Measure {
        value: ms(apart) / 1_000.0,
        unit: "seconds",
        warn_at: ms(CLOCK_WARN_MS) / 1_000.0,
        fail_at: ms(CLOCK_FAIL_MS) / 1_000.0,
    };
    let direction = if offset_ms > 0 { "ahead of" } else { "behind" };
    let age = span(now_ms.saturating_sub(read_ms));
    let apart = span(apart);
    let detail = match measure.rising() {
        Status::Ok => format!("the clock of {member} is within {apart} of ours, {age} ago"),
        Status::Warning | Status::Failed | Status::Skipped => {
            format!("the clock of {member} is {apart} {direction} ours, {age} ago")
        }
    };
    let finding = Finding::of(measure.rising(), detail).measured(measure);
    if ours {
        let fix = "most members differ from us in the same way: set this machine's clock by NTP";
        return finding.fix(fix);
    }
    let fix = format!("{member} must set its machine's clock by NTP");
    finding.side_of_fault(member).fix(fix)
}

/// Whether more than half of the members whose clocks are read are off on the same side.
fn is_our_clock(at: &Snapshot) -> bool {
    let read: Vec<i64> = at
        .peers
        .iter()
        .filter_map(|peer| peer.clock.map(|clock| clock.offset_ms))
        .collect();
    let ahead = read
        .iter()
        .filter(|offset| **offset >= CLOCK_WARN_MS)
        .count();
    let behind = read
        .iter()
        .filter(|offset| **offset <= -CLOCK_WARN_MS)
        .count();
    read.len() > 1 && 2 * ahead.max(behind) > read.len()
}

fn quorum(at: &Snapshot) -> Finding {
    let needed = tocsin_log::quorum::quorum(at.members);
    let here = at.peers.iter().filter(|peer| peer.connected).count() + 1;
    let detail = format!(
        "{here} of {} members are connected, this one counted; a quorum is {needed}",
        at.members
    );
    let (here, needed) = (wide(here), wide(needed));
    let measure = Measure {
        value: here,
        unit: "members",
        warn_at: needed,
        fail_at: needed,
    };
    let finding = Finding::of(measure.falling(), detail).measured(measure);
    finding.fix("see which members are missing: tocsin check --only PEER_CONNECTED")
}

fn wide(count: usize) -> f64 {
    number(u64::try_from(count).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::sample::{DAY_MS, NOW, healthy, lived, only};
    use super::*;

    fn gone(at: &mut Snapshot, member: usize, for_ms: i64) {
        let peer = &mut at.peers[member];
        peer.connected = false;
        peer.since_ms = NOW - for_ms;
        peer.reason = "cannot connect: connection refused".to_owned();
    }

    #[test]
    fn a_peer_that_is_gone_warns_then_fails_on_its_own_side() {
        let mut at = healthy();
        gone(&mut at, 0, CONNECT_PATIENCE_MS - 1);
        let found = only(&run(&at), Code::PeerConnected, "jp");
        assert_eq!((found.status, found.side.as_str()), (Status::Warning, "jp"));
        gone(&mut at, 0, CONNECT_PATIENCE_MS);
        let checks = run(&at);
        let found = only(&checks, Code::PeerConnected, "jp");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, "jp"));
        assert_eq!(found.since_ms, NOW - CONNECT_PATIENCE_MS);
        assert!(
            found.detail.contains("connection refused"),
            "{}",
            found.detail
        );
        assert!(found.fix.contains("tell jp"));
        assert_eq!(only(&checks, Code::PeerConnected, "kr").status, Status::Ok);
        assert_eq!(only(&checks, Code::QuorumConnected, "").status, Status::Ok);
    }

    #[test]
    fn when_everybody_is_gone_the_fault_is_likely_ours() {
        let mut at = healthy();
        (0..3).for_each(|member| gone(&mut at, member, DAY_MS));
        let checks = run(&at);
        for member in ["jp", "kr", "us"] {
            let found = only(&checks, Code::PeerConnected, member);
            assert_eq!((found.status, found.side.as_str()), (Status::Failed, ""));
        }
        assert_eq!(
            only(&checks, Code::QuorumConnected, "").status,
            Status::Failed
        );
    }

    #[test]
    fn what_depends_on_a_connection_is_skipped_because_of_it() {
        let mut at = healthy();
        gone(&mut at, 0, DAY_MS);
        (at.peers[0].certificate, at.peers[0].clock) = (None, None);
        let checks = run(&at);
        for code in [Code::PeerCertificate, Code::PeerClock] {
            let found = only(&checks, code, "jp");
            assert_eq!(found.status, Status::Skipped);
            assert_eq!(
                found.detail,
                "skipped, because PEER_CONNECTED failed for jp"
            );
        }
        // What the manifest says can be looked at all the same.
        assert_eq!(only(&checks, Code::PeerCa, "jp").status, Status::Ok);
    }

    #[test]
    fn a_peers_certificate_and_authority_are_its_own_to_renew() {
        let mut at = healthy();
        at.peers[1].certificate = Some(lived(90 * DAY_MS, 3 * DAY_MS));
        at.peers[1].ca = Ok(lived(900 * DAY_MS, 200 * DAY_MS));
        let checks = run(&at);
        let found = only(&checks, Code::PeerCertificate, "kr");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, "kr"));
        assert!(found.fix.starts_with("kr must run"));
        let found = only(&checks, Code::PeerCa, "kr");
        assert_eq!((found.status, found.side.as_str()), (Status::Warning, "kr"));
    }

    #[test]
    fn one_clock_that_is_off_is_its_owners_and_most_that_are_off_show_ours() {
        let mut at = healthy();
        let read = |offset_ms| {
            Some(ClockReading {
                offset_ms,
                read_ms: NOW - 5_000,
            })
        };
        for (offset, wanted) in [
            (-CLOCK_WARN_MS + 1, Status::Ok),
            (CLOCK_WARN_MS, Status::Warning),
            (-CLOCK_FAIL_MS, Status::Failed),
        ] {
            at.peers[2].clock = read(offset);
            let found = only(&run(&at), Code::PeerClock, "us");
            assert_eq!(found.status, wanted, "{offset}: {}", found.detail);
            let side = if wanted == Status::Ok { "" } else { "us" };
            assert_eq!(found.side, side);
        }
        at.peers[1].clock = read(-CLOCK_FAIL_MS);
        let found = only(&run(&at), Code::PeerClock, "us");
        assert_eq!((found.status, found.side.as_str()), (Status::Failed, ""));
        assert!(found.fix.contains("this machine's clock"));
    }

    #[test]
    fn an_alliance_of_one_has_nobody_to_miss() {
        let mut at = healthy();
        at.peers.clear();
        at.members = 1;
        let checks = run(&at);
        assert_eq!(only(&checks, Code::PeerConnected, "").status, Status::Ok);
        assert_eq!(only(&checks, Code::QuorumConnected, "").status, Status::Ok);
    }
}
