//! What a jurisdiction's policy says now: what its node would sign.

use tocsin_log::hash::Hash;

use super::Registry;
use crate::policy::{Judged, Limits, Pack, Ruling, decide};
use crate::statement::{Act, StatementRef};

impl Registry {
    /// What the policy of a jurisdiction says of a text of an order, `at` an instant, with the pack
    /// that says so. `None` while the text, or a pack that may be the one in force, is not here in
    /// full.
    #[must_use]
    pub fn ruling(
        &self,
        jurisdiction: &str,
        order: &StatementRef,
        judged: &Hash,
        at: i64,
    ) -> Option<(Option<Hash>, Ruling)> {
        let issuer = self.logs.get(&order.log)?;
        let history = &self.derived(order)?.history;
        let text = history
            .texts
            .iter()
            .find(|text| text.statement_id == *judged)?;
        let (id, pack) = match self.pack_in_force(jurisdiction, at)? {
            Some((id, pack)) => (Some(*id), Some(pack)),
            None => (None, None),
        };
        let judged = Judged {
            issuer: issuer.origin.member(),
            order: text.judged()?,
            decided_ms: at,
        };
        Some((id, decide(&judged, pack)))
    }

    /// The pack in force in a jurisdiction, with the statement that it stands in; `None` where
    /// there is none, or that cannot be said yet.
    #[must_use]
    pub fn policy_in_force(&self, jurisdiction: &str, at: i64) -> Option<(&Hash, &Pack)> {
        self.pack_in_force(jurisdiction, at)?
    }

    /// The limits of the pack in force in a jurisdiction.
    #[must_use]
    pub fn policy_limits(&self, jurisdiction: &str, at: i64) -> Option<Limits> {
        let (_, pack) = self.policy_in_force(jurisdiction, at)?;
        Some(pack.limits)
    }

    /// Orders that a log has issued since an instant, by their authors' clocks.
    #[must_use]
    pub fn issued_since(&self, log: &str, since_ms: i64) -> usize {
        let issued = self.orders.keys().filter(|order| order.log == log);
        let recent = issued.filter(|order| {
            let issue = self.issue(order);
            issue.is_some_and(|issue| {
                issue.created_ms >= since_ms && matches!(issue.act, Act::Order(_))
            })
        });
        recent.count()
    }

    /// The pack in force at an instant, at the end of the log: `Some(None)` where there is none,
    /// `None` where that cannot be said yet.
    fn pack_in_force(&self, jurisdiction: &str, at: i64) -> Option<Option<(&Hash, &Pack)>> {
        let log = self.log_for(jurisdiction)?;
        log.pack_in_force(log.next, at)
    }
}
