//! What a jurisdiction's policy says now: what its node would sign.

use tocsin_log::hash::Hash;

use super::Registry;
use crate::order::ScopeKind;
use crate::policy::{Judged, Limits, Pack, Ruling, decide, is_own_reason};
use crate::product::{Article, SelectorKind, Strength, Subject};
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

    /// Orders of a log that the policy of a jurisdiction has decided on since an instant, by that
    /// jurisdiction's own clock: whatever their authors say of their age. Reviews for flood or
    /// breadth do not count.
    #[must_use]
    pub fn ruled_since(&self, jurisdiction: &str, log: &str, since_ms: i64) -> usize {
        let Some(local) = self.log_for(jurisdiction) else {
            return 0;
        };
        let name = local.origin.log_name();
        let is_ruling = |index: &u64| {
            let statement = local.statement(*index);
            statement.is_some_and(|statement| {
                statement.created_ms >= since_ms && is_rule_of_pack(&statement.act)
            })
        };
        let of_log = self.orders.iter().filter(|(order, _)| order.log == log);
        let ruled = of_log.filter(|(_, facts)| {
            let here = facts.abroad.get(&name);
            // Later entries are newer, or nearly so: the last ones answer soonest.
            here.is_some_and(|here| here.iter().rev().any(is_ruling))
        });
        ruled.count()
    }

    /// Whether a text bars some article from everybody without naming it by a number: by tariff
    /// chapter, brand or maker alone; or would have touched more than `share` of past declarations,
    /// as its issuer found. As far as breadth can be judged without declarations of one's own.
    #[must_use]
    pub fn is_broad(&self, order: &StatementRef, judged: &Hash, share: f64) -> bool {
        let texts = self.derived(order).map(|derived| &derived.history.texts);
        let text = texts.and_then(|texts| texts.iter().find(|text| text.statement_id == *judged));
        text.is_some_and(|text| {
            let order = &text.order;
            let names_too_little = order.scope == ScopeKind::General
                && !text.is_missing
                && order.articles.iter().any(names_no_number);
            let breadth = order.terms.breadth;
            names_too_little || breadth.is_some_and(|breadth| breadth.is_over(share))
        })
    }

    /// The pack in force at an instant, at the end of the log: `Some(None)` where there is none,
    /// `None` where that cannot be said yet.
    fn pack_in_force(&self, jurisdiction: &str, at: i64) -> Option<Option<(&Hash, &Pack)>> {
        let log = self.log_for(jurisdiction)?;
        log.pack_in_force(log.next, at)
    }
}

/// A decision by a rule of a pack, and not for a reason of the node's own.
fn is_rule_of_pack(act: &Act) -> bool {
    match act {
        Act::Decision(decision) => {
            let citation = decision.policy.as_ref();
            citation.is_some_and(|citation| !is_own_reason(&citation.rule))
        }
        Act::Report(_)
        | Act::Indicator(_)
        | Act::Order(_)
        | Act::OrderAct(_)
        | Act::PolicyPack(_) => false,
    }
}

fn names_no_number(article: &Article) -> bool {
    !article
        .selectors
        .iter()
        .any(|selector| match selector.kind().subject() {
            Subject::Goods | Subject::Consignment => {
                // A short model number is still one number; a pattern or batch is many goods.
                selector.kind() == SelectorKind::Model
                    || selector
                        .canonical()
                        .is_ok_and(|canonical| canonical.strength() == Strength::Strong)
            }
            Subject::Party | Subject::Hint => false,
        })
}
