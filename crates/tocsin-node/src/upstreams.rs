//! From whom each log is read: one eager upstream per origin, the others only tell their heads.
//!
//! The origin itself if connected, else the peer with the largest head, changed after two seconds
//! of lag (FORMATS section 6). Indexes only grow, so relaying cannot loop.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long an upstream may stay behind another's head before it is changed.
pub(crate) const MAX_LAG: Duration = Duration::from_secs(2);
/// How long an origin that lagged is read from somebody else before it is preferred again.
pub(crate) const DETOUR: Duration = Duration::from_secs(30);

/// Heads told by the connected peers, and the choice that follows.
#[derive(Debug, Default)]
pub(crate) struct Upstreams {
    /// Peer -> origin -> largest size told.
    told: BTreeMap<String, BTreeMap<String, u64>>,
    chosen: BTreeMap<String, Choice>,
}

#[derive(Debug)]
struct Choice {
    peer: String,
    /// Since when somebody has been known to have more than we hold.
    behind_since: Option<Instant>,
    /// Chosen because the last one lagged: not given back to the origin before this.
    detour_until: Option<Instant>,
}

impl Upstreams {
    /// A peer's stream is up.
    pub(crate) fn connected(&mut self, peer: &str) {
        self.told.entry(peer.to_owned()).or_default();
    }

    /// A peer's stream is down: whatever was read from it is read elsewhere.
    pub(crate) fn disconnected(&mut self, peer: &str) {
        self.told.remove(peer);
        self.chosen.retain(|_, choice| choice.peer != peer);
    }

    /// `peer` says it holds `size` of `origin`.
    pub(crate) fn told(&mut self, peer: &str, origin: &str, size: u64) {
        if let Some(heads) = self.told.get_mut(peer) {
            let held = heads.entry(origin.to_owned()).or_default();
            *held = size.max(*held);
        }
    }

    /// The peer to read `origin` from, given that its own member is `member` and we hold `size`.
    pub(crate) fn choose(
        &mut self,
        origin: &str,
        member: &str,
        size: u64,
        now: Instant,
    ) -> Option<&str> {
        let largest = self.largest(origin);
        let current = self.chosen.get(origin).map(|choice| choice.peer.clone());
        let stuck = self.is_stuck(origin, size, now);
        let peer = match current {
            Some(peer) if stuck => self.other_than(origin, &peer, size).unwrap_or(peer),
            Some(peer) if !self.told.contains_key(member) => peer,
            Some(peer) if peer == member || self.on_detour(origin, now) => peer,
            _ if self.told.contains_key(member) => member.to_owned(),
            _ => largest.as_ref()?.0.clone(),
        };
        if self
            .chosen
            .get(origin)
            .is_none_or(|choice| choice.peer != peer)
        {
            let detour_until = stuck.then_some(now + DETOUR);
            let is_behind = largest.is_some_and(|(_, largest)| largest > size);
            self.chosen.insert(
                origin.to_owned(),
                Choice {
                    peer,
                    behind_since: is_behind.then_some(now),
                    detour_until,
                },
            );
        }
        self.chosen.get(origin).map(|choice| choice.peer.as_str())
    }

    /// What `peer` sent of `origin` did not fit: it is read from somebody else, if there is
    /// anybody.
    pub(crate) fn distrust(&mut self, peer: &str, origin: &str, now: Instant) {
        let other = self.other_than(origin, peer, 0);
        let Some(choice) = self.chosen.get_mut(origin) else {
            return;
        };
        if choice.peer == peer
            && let Some(other) = other
        {
            let detour_until = Some(now + DETOUR);
            *choice = Choice {
                peer: other,
                behind_since: None,
                detour_until,
            };
        }
    }

    /// Progress was made on `origin`: the upstream is not stuck.
    pub(crate) fn progressed(&mut self, origin: &str) {
        if let Some(choice) = self.chosen.get_mut(origin) {
            choice.behind_since = None;
        }
    }

    fn is_stuck(&mut self, origin: &str, size: u64, now: Instant) -> bool {
        let behind = self
            .largest(origin)
            .is_some_and(|(_, largest)| largest > size);
        let Some(choice) = self.chosen.get_mut(origin) else {
            return false;
        };
        if !behind {
            choice.behind_since = None;
            return false;
        }
        let since = *choice.behind_since.get_or_insert(now);
        now.saturating_duration_since(since) > MAX_LAG
    }

    fn on_detour(&self, origin: &str, now: Instant) -> bool {
        let choice = self.chosen.get(origin);
        choice
            .and_then(|choice| choice.detour_until)
            .is_some_and(|until| now < until)
    }

    /// The largest size of `origin` that a connected peer says it holds.
    pub(crate) fn known(&self, origin: &str) -> u64 {
        self.largest(origin).map_or(0, |(_, size)| size)
    }

    fn largest(&self, origin: &str) -> Option<(String, u64)> {
        let heads = self
            .told
            .iter()
            .map(|(peer, heads)| (peer, heads.get(origin).copied()));
        let known = heads.filter_map(|(peer, size)| Some((peer.clone(), size?)));
        known.max_by_key(|(_, size)| *size)
    }

    /// Somebody else with more than we hold, the largest first.
    fn other_than(&self, origin: &str, peer: &str, size: u64) -> Option<String> {
        let others = self.told.iter().filter(|(other, _)| other.as_str() != peer);
        let ahead = others.filter_map(|(other, heads)| {
            let told = heads.get(origin).copied().unwrap_or_default();
            (told > size).then(|| (told, other.clone()))
        });
        ahead.max().map(|(_, other)| other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_peers() -> Upstreams {
        let mut upstreams = Upstreams::default();
        for (peer, size) in [("us", 5), ("jp", 9), ("kr", 7)] {
            upstreams.connected(peer);
            upstreams.told(peer, "A/us/1", size);
        }
        upstreams
    }

    #[test]
    fn the_origin_itself_is_preferred() {
        let mut upstreams = three_peers();
        assert_eq!(
            upstreams.choose("A/us/1", "us", 5, Instant::now()),
            Some("us")
        );
    }

    #[test]
    fn without_the_origin_the_largest_head_is_read() {
        let mut upstreams = three_peers();
        upstreams.disconnected("us");
        assert_eq!(
            upstreams.choose("A/us/1", "us", 5, Instant::now()),
            Some("jp")
        );
    }

    #[test]
    fn an_upstream_that_lags_for_two_seconds_is_changed() {
        let mut upstreams = three_peers();
        let start = Instant::now();
        assert_eq!(upstreams.choose("A/us/1", "us", 5, start), Some("us"));
        assert_eq!(
            upstreams.choose("A/us/1", "us", 5, start + MAX_LAG),
            Some("us")
        );
        let later = start + MAX_LAG + Duration::from_millis(1);
        assert_eq!(upstreams.choose("A/us/1", "us", 5, later), Some("jp"));
        assert_eq!(
            upstreams.choose("A/us/1", "us", 6, later),
            Some("jp"),
            "no flapping"
        );
        assert_eq!(
            upstreams.choose("A/us/1", "us", 9, later + DETOUR),
            Some("us")
        );
    }

    #[test]
    fn progress_keeps_the_upstream() {
        let mut upstreams = three_peers();
        let start = Instant::now();
        upstreams.choose("A/us/1", "us", 5, start);
        upstreams.progressed("A/us/1");
        let later = start + MAX_LAG + Duration::from_millis(1);
        assert_eq!(upstreams.choose("A/us/1", "us", 6, later), Some("us"));
    }

    #[test]
    fn nobody_connected_means_nobody_to_read_from() {
        assert_eq!(
            Upstreams::default().choose("A/us/1", "us", 0, Instant::now()),
            None
        );
    }
}
