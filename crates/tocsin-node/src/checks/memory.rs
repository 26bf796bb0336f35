//! Since when things are as they are: what one look cannot tell.
//!
//! A small task looks at the sizes of all logs, so that a log that stands still is known for how
//! long, whenever somebody asks. Spans are taken from the clock that never jumps.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tocsin_store::reader::LogReader;

use super::finding::Status;
use super::{Check, Code, gather};
use crate::clock;
use crate::limits;
use crate::node::Node;

/// What the node remembers for its checks; shared by the task and whoever asks.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// By origin.
    logs: Mutex<BTreeMap<String, Seen>>,
    /// By code and subject: the status, and since when (Unix ms).
    since: Mutex<BTreeMap<(Code, String), (Status, i64)>>,
    /// What the data directory took at the start (bytes), and when that was.
    disk: OnceLock<(u64, u64)>,
}

/// A log when it last moved; times in [`clock::monotonic_ms`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    size: u64,
    moved: u64,
    applied: u64,
    taken: u64,
}

impl Seen {
    /// After a look at what there is now.
    fn look(self, size: u64, known: u64, applied: u64, now: u64) -> Self {
        let is_moving = size != self.size || known <= size;
        let is_taken = applied != self.applied || applied >= size;
        Self {
            size,
            moved: if is_moving { now } else { self.moved },
            applied,
            taken: if is_taken { now } else { self.taken },
        }
    }

    /// How long the log has been behind without growing (ms).
    pub(crate) fn stuck_ms(self, now: u64) -> i64 {
        i64::try_from(now.saturating_sub(self.moved)).unwrap_or(i64::MAX)
    }

    /// How long its entries have waited while none was taken (ms).
    pub(crate) fn unapplied_ms(self, now: u64) -> i64 {
        i64::try_from(now.saturating_sub(self.taken)).unwrap_or(i64::MAX)
    }
}

impl Memory {
    /// Looks at every log, and says how each has moved.
    pub(crate) fn look(&self, node: &Node, now: u64) -> BTreeMap<String, Seen> {
        let applied = node.state.read().sizes.clone();
        let mut logs = lock(&self.logs);
        for reader in node.logs.readers() {
            let origin = reader.origin().to_string();
            let applied = applied.get(&origin).copied().unwrap_or_default();
            let first = Seen {
                moved: now,
                taken: now,
                ..Seen::default()
            };
            let seen = logs.get(&origin).copied().unwrap_or(first);
            let known = node.known(reader);
            logs.insert(origin, seen.look(reader.size(), known, applied, now));
        }
        logs.clone()
    }

    /// Gives each check the time since when it has its status, where its facts did not say.
    pub(crate) fn date(&self, checks: &mut [Check], now_ms: i64) {
        let mut since = lock(&self.since);
        for check in checks {
            let key = (check.code, check.subject.clone());
            let status = check.finding.status;
            let seen = since.entry(key).or_insert((status, now_ms));
            if seen.0 != status {
                *seen = (status, now_ms);
            }
            if check.finding.since_ms == 0 {
                check.finding.since_ms = seen.1;
            }
        }
    }

    /// What the data directory took at the start, and how long ago that was (ms).
    pub(crate) fn disk(&self, ours: u64, now: u64) -> (u64, i64) {
        let (before, then) = *self.disk.get_or_init(|| (ours, now));
        let watched = i64::try_from(now.saturating_sub(then)).unwrap_or(i64::MAX);
        (before, watched)
    }
}

impl Node {
    /// The largest size of a log that anybody has named to us.
    pub(crate) fn known(&self, reader: &LogReader) -> u64 {
        let origin = reader.origin().to_string();
        let noted = self.ahead.newest(&origin);
        let noted = noted.map_or(0, |note| note.checkpoint().size);
        reader.size().max(noted).max(self.peers.known(&origin))
    }
}

/// Looks now and then, until the node stops.
pub(crate) async fn keep(node: Arc<Node>, memory: Arc<Memory>) {
    let directory = node.config.data_dir.clone();
    let size = tokio::task::spawn_blocking(move || gather::size_of(&directory)).await;
    if let Ok(Ok(size)) = size {
        memory.disk(size, clock::monotonic_ms());
    }
    let stop = node.stopping();
    let mut tick = tokio::time::interval(limits::CHECK_LOOK_INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        memory.look(&node, clock::monotonic_ms());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Times only; what a panic left half written is put right by the next look.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    #[test]
    fn a_log_is_stuck_from_when_it_was_behind_and_did_not_grow() {
        let seen = Seen::default().look(5, 5, 5, 1_000);
        assert_eq!(seen.stuck_ms(1_000), 0);
        let seen = seen.look(5, 9, 5, 2_000);
        assert_eq!(seen.stuck_ms(4_000), 3_000);
        let grown = seen.look(6, 9, 5, 4_000);
        assert_eq!(
            (grown.stuck_ms(4_500), grown.unapplied_ms(4_500)),
            (500, 2_500)
        );
        let taken = grown.look(6, 6, 6, 5_000);
        assert_eq!((taken.stuck_ms(5_000), taken.unapplied_ms(5_000)), (0, 0));
    }

    #[test]
    fn a_status_is_dated_by_its_facts_or_by_when_it_was_first_seen() {
        let memory = Memory::default();
        let dated = |finding: Finding, now_ms| {
            let mut checks = vec![Check {
                code: Code::IndexSound,
                subject: String::new(),
                finding,
            }];
            memory.date(&mut checks, now_ms);
            checks[0].finding.since_ms
        };
        assert_eq!(dated(Finding::ok("sound"), 10), 10);
        assert_eq!(dated(Finding::ok("sound"), 20), 10);
        assert_eq!(dated(Finding::failed("gone"), 30), 30);
        assert_eq!(dated(Finding::failed("gone"), 40), 30);
        assert_eq!(dated(Finding::failed("gone").since(7), 50), 7);
        assert_eq!(dated(Finding::ok("sound"), 60), 60);
    }
}
