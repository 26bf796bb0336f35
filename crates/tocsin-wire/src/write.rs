//! Domain to messages. Nothing here can fail: what the domain can say, the contract can carry.

use tocsin_core::decision::{Decision, PolicyCitation};
use tocsin_core::indicator::IndicatorBody;
use tocsin_core::notice::Notice;
use tocsin_core::order::{Order, OrderAct, OrderBody};
use tocsin_core::party::Party;
use tocsin_core::policy::PolicyPackBody;
use tocsin_core::product::Article;
use tocsin_core::report::{Exhibit, ReportBody};
use tocsin_core::right::Right;
use tocsin_core::statement::{Act, BodyRef, Statement, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::proto::v1;
use crate::{selector, terms};

/// As the contract carries it.
#[must_use]
pub fn statement(statement: &Statement) -> v1::Statement {
    v1::Statement {
        log: statement.log.clone(),
        nonce: statement.nonce.to_vec(),
        created_ms: statement.created_ms,
        number: statement.number,
        tlp: statement.tlp.number(),
        bodies: statement.bodies.iter().map(body_ref).collect(),
        about: statement.about.as_ref().map(statement_ref),
        refs: statement.refs.iter().map(statement_ref).collect(),
        act: Some(act(&statement.act)),
    }
}

fn act(act: &Act) -> v1::statement::Act {
    use v1::statement::Act as Out;
    match act {
        Act::Report(report) => Out::Report(v1::Report {
            kind: report.kind.number(),
        }),
        Act::Indicator(indicator) => Out::Indicator(v1::Indicator {
            kind: indicator.kind.number(),
            valid_until_ms: indicator.valid_until_ms,
        }),
        Act::Order(text) => Out::Order(order(text)),
        Act::OrderAct(text) => Out::OrderAct(order_act(text)),
        Act::Decision(text) => Out::Decision(decision(text)),
        Act::PolicyPack(pack) => Out::PolicyPack(v1::PolicyPack {
            toml: pack.toml.clone(),
        }),
    }
}

fn body_ref(body: &BodyRef) -> v1::BodyRef {
    v1::BodyRef {
        sha256: hash(&body.sha256),
        length: body.length,
        scheme: body.scheme,
        lasting: body.lasting,
    }
}

/// As the contract carries it.
#[must_use]
pub fn statement_ref(reference: &StatementRef) -> v1::StatementRef {
    v1::StatementRef {
        log: reference.log.clone(),
        statement_id: hash(&reference.statement_id),
    }
}

/// As the contract carries it; also the `scope` of a notice.
#[must_use]
pub fn order(order: &Order) -> v1::Order {
    v1::Order {
        case_ref: order.case_ref.clone(),
        title: order.title.clone(),
        instrument: order.instrument.number(),
        scope: order.scope.number(),
        respondents: order.respondents.iter().map(party).collect(),
        articles: order.articles.iter().map(article).collect(),
        rights: order.rights.iter().map(right).collect(),
        no_right_reason: order.no_right_reason.clone(),
        phase: order.phase.number(),
        from_ms: order.from_ms,
        until_ms: order.until_ms,
        counterfeit: order.counterfeit,
        summary: order.summary.clone(),
        exercise: order.exercise,
        terms: terms::write(&order.terms),
    }
}

fn order_act(act: &OrderAct) -> v1::OrderAct {
    v1::OrderAct {
        kind: act.kind.number(),
        reason: act.reason.clone(),
        replacement: act.replacement.as_ref().map(order),
    }
}

fn decision(decision: &Decision) -> v1::Decision {
    v1::Decision {
        kind: decision.kind.number(),
        judged: hash(&decision.judged),
        basis: decision.basis.clone(),
        reason: decision.reason.clone(),
        until_ms: decision.until_ms,
        local_rights: decision.local_rights.iter().map(right).collect(),
        policy: decision.policy.as_ref().map(citation),
    }
}

fn citation(citation: &PolicyCitation) -> v1::PolicyCitation {
    v1::PolicyCitation {
        pack: citation.pack.as_ref().map(hash).unwrap_or_default(),
        rule: citation.rule.clone(),
    }
}

/// As the contract carries it.
#[must_use]
pub fn report_body(body: &ReportBody) -> v1::ReportBody {
    v1::ReportBody {
        title: body.title.clone(),
        narrative: body.narrative.clone(),
        articles: body.articles.iter().map(article).collect(),
        parties: body.parties.iter().map(party).collect(),
        source_reliability: body.source_reliability.clone(),
        credibility: body.credibility,
        collected_ms: body.collected_ms,
        exhibits: body.exhibits.iter().map(exhibit).collect(),
        requested_action: body.requested_action.clone(),
        exercise: body.exercise,
    }
}

/// As the contract carries it.
#[must_use]
pub fn indicator_body(body: &IndicatorBody) -> v1::IndicatorBody {
    v1::IndicatorBody {
        title: body.title.clone(),
        articles: body.articles.iter().map(article).collect(),
        parties: body.parties.iter().map(party).collect(),
        confidence: body.confidence.clone(),
        exercise: body.exercise,
    }
}

pub(crate) fn order_body(body: &OrderBody) -> v1::OrderBody {
    v1::OrderBody {
        articles: body.articles.iter().map(article).collect(),
    }
}

pub(crate) fn policy_pack_body(body: &PolicyPackBody) -> v1::PolicyPackBody {
    v1::PolicyPackBody {
        toml: body.toml.clone(),
    }
}

fn exhibit(exhibit: &Exhibit) -> v1::Exhibit {
    v1::Exhibit {
        sha256: hash(&exhibit.sha256),
        length: exhibit.length,
        media_type: exhibit.media_type.clone(),
        name: exhibit.name.clone(),
    }
}

pub(crate) fn party(party: &Party) -> v1::Party {
    v1::Party {
        kind: party.kind.number(),
        names: party.names.clone(),
        identifiers: party.identifiers.iter().map(selector::write).collect(),
        country: party.country.clone(),
    }
}

fn article(article: &Article) -> v1::Article {
    v1::Article {
        description: article.description.clone(),
        selectors: article.selectors.iter().map(selector::write).collect(),
    }
}

fn right(right: &Right) -> v1::Right {
    v1::Right {
        kind: right.kind.number(),
        office: right.office.clone(),
        number: right.number.clone(),
        missing_reason: right.missing_reason.clone(),
        claims: right.claims.clone(),
    }
}

/// A block's present state, as subscribers and readers receive it.
#[must_use]
pub fn notice(notice: &Notice) -> v1::Notice {
    v1::Notice {
        block: notice.block.clone(),
        version: notice.version,
        state: notice.state.word().to_owned(),
        reason: notice.reason.clone(),
        from_ms: notice.from_ms,
        until_ms: notice.until_ms,
        order: notice.order.clone(),
        order_id: hash(&notice.order_ref.statement_id),
        decision_id: notice.decision_id.as_ref().map(hash).unwrap_or_default(),
        basis: notice.basis.clone(),
        by: notice.by.to_string(),
        scope: Some(order(&notice.scope)),
        selectors_missing: notice.selectors_missing,
        exercise: notice.exercise,
        grade: grade(notice.grade).into(),
        also_blocked_by: notice.also_blocked_by.clone(),
        since_ms: notice.since_ms,
    }
}

/// How widely an entry is held.
#[must_use]
pub const fn grade(grade: Grade) -> v1::Grade {
    match grade {
        Grade::Local => v1::Grade::Local,
        Grade::Replicated => v1::Grade::Replicated,
        Grade::Confirmed => v1::Grade::Confirmed,
    }
}

fn hash(hash: &Hash) -> Vec<u8> {
    hash.as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tocsin_core::notice::{BlockState, By};

    use super::*;
    use crate::{read, said};

    #[test]
    fn grades_travel_and_an_unspecified_one_is_none() {
        for known in [Grade::Local, Grade::Replicated, Grade::Confirmed] {
            assert_eq!(read::grade(grade(known).into()), Some(known));
        }
        assert_eq!(read::grade(0), None);
        assert_eq!(read::grade(4), None);
    }

    proptest! {
        #[test]
        fn a_notice_carries_the_order_as_it_counts_here(text in said::order()) {
            let sent = notice(&Notice {
                block: "US-2026-0412@DE".into(),
                version: 7,
                state: BlockState::InForce,
                reason: String::new(),
                since_ms: 5,
                from_ms: text.from_ms,
                until_ms: text.until_ms,
                order: "US-2026-0412".into(),
                order_ref: StatementRef { log: "a/us".into(), statement_id: Hash([1; 32]) },
                decision_id: None,
                basis: "basis".into(),
                by: By::Policy("flag-all".into()),
                scope: Arc::new(text.clone()),
                selectors_missing: true,
                exercise: text.exercise,
                grade: Grade::Confirmed,
                also_blocked_by: vec!["US-2026-0413@DE".into()],
            });
            prop_assert_eq!(sent.state, "in_force");
            prop_assert_eq!(sent.by, "policy:flag-all");
            prop_assert_eq!(sent.decision_id.len(), 0);
            prop_assert_eq!(read::order(sent.scope.unwrap()), Ok(text));
        }
    }
}
