//! How old our copies of other members' logs are, for the advice that this node gives.
//!
//! The age is this node's own knowledge: it changes what a look-up answers, and nothing that other
//! nodes would have to agree on (FORMATS.md 10).

use tocsin_core::roster::Member;
use tocsin_core::statement::Decoded;
use tocsin_log::entry::Entry;

use crate::node::Node;

const HOUR_MS: i64 = 3_600_000;

/// Which members' logs a jurisdiction's pack calls too old to rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stale {
    members: Vec<String>,
}

impl Stale {
    /// Looks at all copies by the limit of the pack in force in `jurisdiction`. Without a limit
    /// nothing is too old but what is held back for a quota or a full disk.
    pub(crate) fn of(node: &Node, jurisdiction: &str, now: i64) -> Self {
        let limits = node.state.read().registry.policy_limits(jurisdiction, now);
        let hours = limits.and_then(|limits| limits.mirror_age_hours);
        let stale = |member: &&Member| {
            hours.is_some_and(|hours| is_over(now, node.known_until(member, now), hours))
                || node.is_behind_by_hold(&member.origin.to_string())
        };
        let members = node
            .alliance
            .members()
            .filter(stale)
            .map(|member| member.id.clone());
        Self {
            members: members.collect(),
        }
    }

    /// Whether anything is too old, so that what was not found may only not have arrived.
    pub(crate) fn is_any(&self) -> bool {
        !self.members.is_empty()
    }

    /// Whether this member's log is too old.
    pub(crate) fn has(&self, member: &str) -> bool {
        self.members.iter().any(|stale| stale == member)
    }
}

fn is_over(now: i64, known_until: i64, hours: u32) -> bool {
    now.saturating_sub(known_until) > i64::from(hours) * HOUR_MS
}

impl Node {
    /// Until when we surely have what a member said: now while its own node is connected and our
    /// copy is whole, else until it was last connected, or until the time of its last entry here.
    pub(crate) fn known_until(&self, member: &Member, now: i64) -> i64 {
        if member.id == self.config.member {
            return now;
        }
        let Some(reader) = self.logs.reader(&member.origin.to_string()) else {
            return 0;
        };
        let link = self.peers.links().remove(&member.id).unwrap_or_default();
        if link.connected && reader.damage().is_empty() {
            return now;
        }
        let last = reader
            .size()
            .checked_sub(1)
            .and_then(|index| reader.entry(index).ok());
        let last = last.and_then(|bytes| Entry::decode(&bytes).ok());
        let written = match last.map(|entry| crate::applier::decode(&entry)) {
            Some(Decoded::Known(statement)) => statement.created_ms,
            Some(Decoded::Opaque { created_ms, .. }) => created_ms,
            Some(Decoded::Bad(_)) | None => 0,
        };
        // A clock that runs ahead makes nothing younger than now.
        link.heard_ms.max(written).min(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_too_old_beyond_the_limit_and_not_at_it() {
        let now = 1_800_000_000_000;
        assert!(!is_over(now, now - 24 * HOUR_MS, 24));
        assert!(is_over(now, now - 24 * HOUR_MS - 1, 24));
        assert!(is_over(now, 0, 24));
        assert!(!is_over(now, now + 5, 0));
    }
}
