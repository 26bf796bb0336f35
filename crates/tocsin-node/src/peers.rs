//! Who is connected, what they say they hold, and whom each log is read from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, watch};

use crate::checks::ClockReading;
use crate::limits::CLOCK_READING_STANDS;
use crate::upstreams::Upstreams;

/// The other members' nodes as this one sees them; shared by all tasks.
#[derive(Debug)]
pub(crate) struct Peers {
    peers: BTreeMap<String, Peer>,
    table: Mutex<Table>,
    rechosen: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Peer {
    /// Rung when that member's node reaches us, so that a waiting replicator dials at once.
    contact: Arc<Notify>,
}

#[derive(Debug, Default)]
struct Table {
    upstreams: Upstreams,
    links: BTreeMap<String, Link>,
    clocks: BTreeMap<String, ClockReading>,
}

/// One peer's connection, for the operator.
#[derive(Debug, Clone, Default)]
pub(crate) struct Link {
    pub(crate) connected: bool,
    /// Unix milliseconds of the last change.
    pub(crate) since_ms: i64,
    /// Until when it was connected, or since; 0 = never since this node started.
    pub(crate) heard_ms: i64,
    /// Why not, when not.
    pub(crate) reason: String,
}

impl Peers {
    pub(crate) fn new(members: impl IntoIterator<Item = String>) -> Self {
        let peers = members
            .into_iter()
            .map(|member| (member, Peer::default()))
            .collect();
        Self {
            peers,
            table: Mutex::default(),
            rechosen: watch::Sender::new(0),
        }
    }

    /// The other members, sorted.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        self.peers.keys().map(String::as_str)
    }

    /// Rings for whoever waits to dial `member` again.
    pub(crate) fn ring(&self, member: &str) {
        if let Some(peer) = self.peers.get(member) {
            peer.contact.notify_waiters();
        }
    }

    /// The bell of `member`; a bell that never rings for a stranger.
    pub(crate) fn contact(&self, member: &str) -> Arc<Notify> {
        self.peers
            .get(member)
            .map(|peer| Arc::clone(&peer.contact))
            .unwrap_or_default()
    }

    pub(crate) fn connected(&self, member: &str, now_ms: i64) {
        let mut table = self.lock();
        table.upstreams.connected(member);
        let link = Link {
            connected: true,
            since_ms: now_ms,
            heard_ms: now_ms,
            reason: String::new(),
        };
        table.links.insert(member.to_owned(), link);
        drop(table);
        self.choose_again();
    }

    pub(crate) fn disconnected(&self, member: &str, reason: &str, now_ms: i64) {
        let mut table = self.lock();
        table.upstreams.disconnected(member);
        let link = table.links.entry(member.to_owned()).or_default();
        if link.connected || link.since_ms == 0 {
            link.since_ms = now_ms;
        }
        if link.connected {
            link.heard_ms = now_ms;
        }
        link.connected = false;
        reason.clone_into(&mut link.reason);
        drop(table);
        self.choose_again();
    }

    /// `member` says it holds `size` of `origin`.
    pub(crate) fn told(&self, member: &str, origin: &str, size: u64) {
        self.lock().upstreams.told(member, origin, size);
    }

    /// The largest size of `origin` that a connected peer says it holds.
    pub(crate) fn known(&self, origin: &str) -> u64 {
        self.lock().upstreams.known(origin)
    }

    /// `member` said what time it is there; 0 = it does not say. What was longest under way tells
    /// least, so of several readings the latest time counts for a while.
    pub(crate) fn told_time(&self, member: &str, at_ms: i64, now_ms: i64) {
        if at_ms <= 0 {
            return;
        }
        let reading = ClockReading {
            offset_ms: at_ms.saturating_sub(now_ms),
            read_ms: now_ms,
        };
        let stands = i64::try_from(CLOCK_READING_STANDS.as_millis()).unwrap_or(i64::MAX);
        let mut table = self.lock();
        let kept = table.clocks.get(member);
        let is_closer = kept.is_none_or(|kept| {
            reading.offset_ms >= kept.offset_ms
                || now_ms.saturating_sub(kept.read_ms).saturating_abs() > stands
        });
        if is_closer {
            table.clocks.insert(member.to_owned(), reading);
        }
    }

    /// The clock of `member` beside ours, as it last told.
    pub(crate) fn clock(&self, member: &str) -> Option<ClockReading> {
        self.lock().clocks.get(member).copied()
    }

    /// Something `member` sent of `origin` was refused: read it elsewhere for a while.
    pub(crate) fn distrust(&self, member: &str, origin: &str, now: Instant) {
        self.lock().upstreams.distrust(member, origin, now);
        self.choose_again();
    }

    pub(crate) fn progressed(&self, origin: &str) {
        self.lock().upstreams.progressed(origin);
    }

    /// Whom to read `origin` from now, given that we hold `size` of it.
    pub(crate) fn upstream(&self, origin: &str, member: &str, size: u64) -> Option<String> {
        let now = Instant::now();
        self.lock()
            .upstreams
            .choose(origin, member, size, now)
            .map(str::to_owned)
    }

    /// Changes whenever peers come, go or lose trust.
    pub(crate) fn rechosen(&self) -> watch::Receiver<u64> {
        self.rechosen.subscribe()
    }

    /// Every peer's connection.
    pub(crate) fn links(&self) -> BTreeMap<String, Link> {
        let table = self.lock();
        let link = |member: &String| table.links.get(member).cloned().unwrap_or_default();
        self.peers
            .keys()
            .map(|member| (member.clone(), link(member)))
            .collect()
    }

    fn choose_again(&self) {
        self.rechosen.send_modify(|times| *times += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // The table holds hints only; one that a panic left half changed is corrected by the next
        // head.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_readings_of_a_clock_the_one_least_under_way_counts_for_a_minute() {
        let peers = Peers::new(["jp".to_owned()]);
        let offset = || peers.clock("jp").map(|clock| clock.offset_ms);
        peers.told_time("jp", 0, 1_000);
        assert_eq!(offset(), None, "it does not say");
        peers.told_time("jp", 900, 1_000);
        peers.told_time("jp", 2_000, 7_000);
        assert_eq!(offset(), Some(-100), "a slow message is no slow clock");
        peers.told_time("jp", 7_990, 8_000);
        assert_eq!(offset(), Some(-10));
        peers.told_time("jp", 40_000, 70_000);
        assert_eq!(offset(), Some(-30_000), "the clock was set back");
    }
}
