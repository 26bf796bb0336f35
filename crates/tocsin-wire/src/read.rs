//! Messages to domain: every enum has a name, every digest its length, every choice is made.

use tocsin_core::decision::{Decision, DecisionKind, PolicyCitation};
use tocsin_core::handling::Tlp;
use tocsin_core::indicator::{Indicator, IndicatorBody, IndicatorKind};
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, OrderBody, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::policy::{PolicyPack, PolicyPackBody};
use tocsin_core::product::Article;
use tocsin_core::report::{Exhibit, Report, ReportBody, ReportKind};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::{Act, BodyRef, DecodeError, DecodeFault, Statement, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::proto::v1;
use crate::{selector, terms};

pub(crate) type Read<T> = Result<T, DecodeError>;

pub(crate) fn statement(m: v1::Statement) -> Read<Statement> {
    let act = m.act.ok_or_else(|| fault(DecodeFault::NoAct, "act"))?;
    Ok(Statement {
        log: m.log,
        nonce: m
            .nonce
            .try_into()
            .map_err(|_| fault(DecodeFault::Length, "nonce"))?,
        created_ms: m.created_ms,
        number: m.number,
        tlp: word(m.tlp, Tlp::from_number, "tlp")?,
        bodies: list(m.bodies, body_ref, "bodies")?,
        about: m
            .about
            .map(|about| within(statement_ref(about), "about"))
            .transpose()?,
        refs: list(m.refs, statement_ref, "refs")?,
        act: read_act(act)?,
    })
}

fn read_act(act: v1::statement::Act) -> Read<Act> {
    use v1::statement::Act as In;
    Ok(match act {
        In::Report(m) => Act::Report(Report {
            kind: word(m.kind, ReportKind::from_number, "report.kind")?,
        }),
        In::Indicator(m) => Act::Indicator(Indicator {
            kind: word(m.kind, IndicatorKind::from_number, "indicator.kind")?,
            valid_until_ms: m.valid_until_ms,
        }),
        In::Order(m) => Act::Order(Box::new(within(order(m), "order")?)),
        In::OrderAct(m) => Act::OrderAct(Box::new(within(order_act(m), "order_act")?)),
        In::Decision(m) => Act::Decision(within(decision(m), "decision")?),
        In::PolicyPack(m) => Act::PolicyPack(PolicyPack { toml: m.toml }),
    })
}

fn body_ref(m: v1::BodyRef) -> Read<BodyRef> {
    Ok(BodyRef {
        sha256: hash(&m.sha256, "sha256")?,
        length: m.length,
        scheme: m.scheme,
        lasting: m.lasting,
    })
}

pub(crate) fn statement_ref(m: v1::StatementRef) -> Read<StatementRef> {
    Ok(StatementRef {
        log: m.log,
        statement_id: hash(&m.statement_id, "statement_id")?,
    })
}

/// The text of an order, as in the `scope` of a notice.
///
/// # Errors
/// A value without meaning, named by its field.
pub fn order(m: v1::Order) -> Read<Order> {
    Ok(Order {
        case_ref: m.case_ref,
        title: m.title,
        instrument: word(m.instrument, Instrument::from_number, "instrument")?,
        scope: word(m.scope, ScopeKind::from_number, "scope")?,
        respondents: list(m.respondents, party, "respondents")?,
        articles: list(m.articles, article, "articles")?,
        rights: list(m.rights, right, "rights")?,
        no_right_reason: m.no_right_reason,
        phase: word(m.phase, Phase::from_number, "phase")?,
        from_ms: m.from_ms,
        until_ms: m.until_ms,
        counterfeit: m.counterfeit,
        summary: m.summary,
        exercise: m.exercise,
        terms: within(terms::read(m.terms), "terms")?,
    })
}

fn order_act(m: v1::OrderAct) -> Read<OrderAct> {
    Ok(OrderAct {
        kind: word(m.kind, OrderActKind::from_number, "kind")?,
        reason: m.reason,
        replacement: m
            .replacement
            .map(|text| within(order(text), "replacement"))
            .transpose()?,
    })
}

fn decision(m: v1::Decision) -> Read<Decision> {
    Ok(Decision {
        kind: word(m.kind, DecisionKind::from_number, "kind")?,
        judged: hash(&m.judged, "judged")?,
        basis: m.basis,
        reason: m.reason,
        until_ms: m.until_ms,
        local_rights: list(m.local_rights, right, "local_rights")?,
        policy: m.policy.map(citation).transpose()?,
    })
}

fn citation(m: v1::PolicyCitation) -> Read<PolicyCitation> {
    let pack = match m.pack.as_slice() {
        [] => None,
        bytes => Some(hash(bytes, "policy.pack")?),
    };
    Ok(PolicyCitation { pack, rule: m.rule })
}

pub(crate) fn report_body(m: v1::ReportBody) -> Read<ReportBody> {
    Ok(ReportBody {
        title: m.title,
        narrative: m.narrative,
        articles: list(m.articles, article, "articles")?,
        parties: list(m.parties, party, "parties")?,
        source_reliability: m.source_reliability,
        credibility: m.credibility,
        collected_ms: m.collected_ms,
        exhibits: list(m.exhibits, exhibit, "exhibits")?,
        requested_action: m.requested_action,
        exercise: m.exercise,
    })
}

pub(crate) fn indicator_body(m: v1::IndicatorBody) -> Read<IndicatorBody> {
    Ok(IndicatorBody {
        title: m.title,
        articles: list(m.articles, article, "articles")?,
        parties: list(m.parties, party, "parties")?,
        confidence: m.confidence,
        exercise: m.exercise,
    })
}

pub(crate) fn order_body(m: v1::OrderBody) -> Read<OrderBody> {
    Ok(OrderBody {
        articles: list(m.articles, article, "articles")?,
    })
}

pub(crate) fn policy_pack_body(m: v1::PolicyPackBody) -> PolicyPackBody {
    PolicyPackBody { toml: m.toml }
}

fn exhibit(m: v1::Exhibit) -> Read<Exhibit> {
    Ok(Exhibit {
        sha256: hash(&m.sha256, "sha256")?,
        length: m.length,
        media_type: m.media_type,
        name: m.name,
    })
}

pub(crate) fn party(m: v1::Party) -> Read<Party> {
    Ok(Party {
        kind: word(m.kind, PartyKind::from_number, "kind")?,
        names: m.names,
        identifiers: list(m.identifiers, selector::read, "identifiers")?,
        country: m.country,
    })
}

fn article(m: v1::Article) -> Read<Article> {
    Ok(Article {
        description: m.description,
        selectors: list(m.selectors, selector::read, "selectors")?,
    })
}

fn right(m: v1::Right) -> Read<Right> {
    Ok(Right {
        kind: word(m.kind, RightKind::from_number, "kind")?,
        office: m.office,
        number: m.number,
        missing_reason: m.missing_reason,
        claims: m.claims,
    })
}

/// A word of a closed list; 0 is "unspecified", which nobody may say.
pub(crate) fn word<T>(number: i32, from: fn(i32) -> Option<T>, field: &str) -> Read<T> {
    match number {
        0 => Err(fault(DecodeFault::Missing, field)),
        n => from(n).ok_or_else(|| fault(DecodeFault::UnknownValue, field)),
    }
}

fn hash(bytes: &[u8], field: &str) -> Read<Hash> {
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_| fault(DecodeFault::Length, field))?;
    Ok(Hash(bytes))
}

pub(crate) fn list<M, T>(items: Vec<M>, read: fn(M) -> Read<T>, field: &str) -> Read<Vec<T>> {
    items
        .into_iter()
        .enumerate()
        .map(|(place, item)| {
            read(item).map_err(|e| DecodeError {
                fault: e.fault,
                field: format!("{field}[{place}].{}", e.field),
            })
        })
        .collect()
}

pub(crate) fn within<T>(result: Read<T>, field: &str) -> Read<T> {
    result.map_err(|e| DecodeError {
        fault: e.fault,
        field: format!("{field}.{}", e.field),
    })
}

/// The grade that a node answered, if it is one.
#[must_use]
pub fn grade(number: i32) -> Option<Grade> {
    match v1::Grade::try_from(number).ok()? {
        v1::Grade::Unspecified => None,
        v1::Grade::Local => Some(Grade::Local),
        v1::Grade::Replicated => Some(Grade::Replicated),
        v1::Grade::Confirmed => Some(Grade::Confirmed),
    }
}

pub(crate) fn fault(fault: DecodeFault, field: &str) -> DecodeError {
    DecodeError {
        fault,
        field: field.to_owned(),
    }
}
