//! A node in which nothing is wrong, and one in which everything is; for tests.

use super::Check;
use super::code::Code;
use super::finding::Finding;
use super::snapshot::{
    AllianceFile, Bodies, ClockReading, Disk, Draft, Files, Log, Peer, Pending, Policy, Secret,
    Share, Signing, Snapshot, Standing, Validity,
};

pub(super) const NOW: i64 = 1_800_000_000_000;
pub(super) const DAY_MS: i64 = 86_400_000;

/// A certificate of this life with so much of it left.
pub(super) fn lived(life_ms: i64, left_ms: i64) -> Validity {
    let until_ms = NOW + left_ms;
    Validity {
        from_ms: until_ms - life_ms,
        until_ms,
    }
}

pub(super) fn healthy() -> Snapshot {
    let certificate = Ok(lived(90 * DAY_MS, 60 * DAY_MS));
    let peer = |member: &str| Peer {
        member: member.to_owned(),
        endpoint: format!("{member}.example:7337"),
        connected: true,
        since_ms: NOW - DAY_MS,
        reason: String::new(),
        certificate: certificate.clone().ok(),
        ca: certificate.clone(),
        clock: Some(ClockReading {
            offset_ms: -40,
            read_ms: NOW - 3_000,
        }),
    };
    let log = |member: &str| Log {
        member: member.to_owned(),
        is_own: member == "de",
        size: 412,
        known: 412,
        applied: 412,
        is_frozen: false,
        damage: Vec::new(),
        fresh_ms: NOW,
        held: None,
        stuck_ms: 0,
        unapplied_ms: 0,
    };
    Snapshot {
        now_ms: NOW,
        home: "node-de".to_owned(),
        members: 4,
        files: Files {
            certificate: certificate.clone(),
            certificate_on_disk: certificate.clone(),
            ca: certificate.clone(),
            secrets: vec![Secret {
                path: "node-de/keys/log.key".to_owned(),
                mode: Ok(0o100_600),
            }],
            alliance: AllianceFile::Same,
        },
        signing: Signing {
            standing: Standing::Serving,
            overridden: None,
            started_ms: NOW - DAY_MS,
        },
        peers: ["jp", "kr", "us"].map(peer).into(),
        logs: ["de", "jp", "kr", "us"].map(log).into(),
        bodies: Bodies::default(),
        disk: Ok(Disk {
            free: 100 << 30,
            is_low: false,
            ours: 1 << 30,
            grown: 0,
            watched_ms: DAY_MS,
        }),
        has_index: true,
        policy: Some(Policy {
            version: 3,
            calendar: "none".to_owned(),
            mirror_age_hours: Some(24),
        }),
        pending: Vec::new(),
        drafts: Vec::new(),
        watchers: Share { used: 2, most: 512 },
    }
}

pub(super) fn ruined() -> Snapshot {
    let mut at = healthy();
    let gone = || Err("no such file".to_owned());
    at.files = Files {
        certificate: gone(),
        certificate_on_disk: gone(),
        ca: gone(),
        secrets: vec![Secret {
            path: "node-de/keys/log.key".to_owned(),
            mode: Ok(0o100_644),
        }],
        alliance: AllianceFile::Unusable("no such file".to_owned()),
    };
    at.signing.standing = Standing::ReadOnly("a newer note".to_owned());
    for peer in &mut at.peers {
        peer.connected = false;
        peer.reason = "connection refused".to_owned();
        (peer.certificate, peer.clock) = (None, None);
        peer.ca = gone();
    }
    for log in &mut at.logs {
        log.is_frozen = true;
        log.damage = vec!["the frame of entry 3".to_owned()];
    }
    at.bodies = Bodies {
        missing: 1,
        of: vec!["us".to_owned()],
    };
    at.disk = Err("no such directory".to_owned());
    (at.has_index, at.policy) = (false, None);
    let pending = |is_held| Pending {
        order: "US-2026-0001".to_owned(),
        is_held,
        since_ms: NOW - 99 * DAY_MS,
        until_ms: if is_held { NOW + DAY_MS } else { 0 },
    };
    at.pending = vec![pending(true), pending(false)];
    at.drafts = vec![Draft {
        name: "0123".to_owned(),
        since_ms: NOW - 29 * DAY_MS,
        until_ms: NOW + DAY_MS,
    }];
    at.watchers = Share {
        used: 512,
        most: 512,
    };
    at
}

/// The finding of the one check with this code and subject.
pub(super) fn only(checks: &[Check], code: Code, subject: &str) -> Finding {
    let is_it = |check: &&Check| check.code == code && check.subject == subject;
    let mut found = checks.iter().filter(is_it);
    let one = found.next().expect("this check was made");
    assert!(found.next().is_none(), "{code:?} {subject} was made once");
    one.finding.clone()
}
