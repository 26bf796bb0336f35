//! Checks of what a statement says, by itself.

use std::collections::BTreeSet;

use super::goods::{
    articles, bounded, each, instant, line, long_text, paragraph, parties, required, right,
};
use super::terms;
use crate::decision::{Decision, DecisionKind, PolicyCitation};
use crate::indicator::{Indicator, IndicatorKind};
use crate::order::{
    MAX_ORDER_MS, MAX_RESPONDENTS, MAX_RIGHTS, Order, OrderAct, OrderActKind, Phase, ScopeKind,
};
use crate::policy::{MAX_PACK_BYTES, Pack, RULE_NO_PACK};
use crate::product::{MAX_ARTICLES, MAX_SELECTORS};
use crate::reason::{Reason, Refusal};
use crate::report::ReportKind;
use crate::roster::{Alliance, Member};
use crate::statement::{
    Act, BodyRef, MAX_BODIES, MAX_BODY_BYTES, MAX_REFS, MAX_WHOLE_BYTES, SALT_BYTES, Statement,
};

/// Checks a statement of `member`, of which the payload has `payload_bytes`.
pub(super) fn check(
    statement: &Statement,
    payload_bytes: usize,
    member: &Member,
    by_node_key: bool,
    alliance: &Alliance,
) -> Result<(), Refusal> {
    check_head(statement)?;
    check_references(statement, alliance)?;
    check_act(statement, payload_bytes, &member.jurisdiction, by_node_key)
}

/// The same for what a person of `jurisdiction` is about to sign, but for the logs that it names,
/// which only an alliance knows.
pub(super) fn check_unsigned(
    statement: &Statement,
    payload_bytes: usize,
    jurisdiction: &str,
) -> Result<(), Refusal> {
    check_head(statement)?;
    bounded(&statement.refs, MAX_REFS, "refs")?;
    check_act(statement, payload_bytes, jurisdiction, false)
}

fn check_head(statement: &Statement) -> Result<(), Refusal> {
    if !statement.tlp.travels_in_clear() {
        return Err(Refusal::at(Reason::SealingNotBuilt, "tlp"));
    }
    instant(statement.created_ms, "created_ms")?;
    match (statement.act.is_numbered(), statement.number) {
        (true, 0) => return Err(Refusal::at(Reason::NumberMissing, "number")),
        (false, 1..) => return Err(Refusal::at(Reason::NumberNotAllowed, "number")),
        (true, 1..) | (false, 0) => {}
    }
    check_bodies(&statement.bodies, &statement.act)
}

fn check_act(
    statement: &Statement,
    payload_bytes: usize,
    jurisdiction: &str,
    by_node_key: bool,
) -> Result<(), Refusal> {
    let created_ms = statement.created_ms;
    let checked = match &statement.act {
        Act::Report(report) => check_report_kind(report.kind),
        Act::Indicator(indicator) => check_indicator(indicator, created_ms),
        Act::Order(order) => check_order(order),
        Act::OrderAct(act) => check_order_act(act),
        Act::Decision(decision) => check_decision(decision, created_ms, jurisdiction, by_node_key),
        Act::PolicyPack(pack) => check_pack_text(&pack.toml, statement, jurisdiction),
    };
    checked.map_err(|refusal| refusal.within(statement.act.word()))?;
    let stands_whole = match &statement.act {
        Act::Report(_) | Act::Indicator(_) => false,
        Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) | Act::PolicyPack(_) => true,
    };
    if stands_whole && payload_bytes > MAX_WHOLE_BYTES {
        return Err(Reason::StatementTooLarge.into());
    }
    Ok(())
}

fn check_bodies(bodies: &[BodyRef], act: &Act) -> Result<(), Refusal> {
    bounded(bodies, MAX_BODIES, "bodies")?;
    let mut digests = BTreeSet::new();
    each(bodies, "bodies", |body| {
        if body.scheme != 0 {
            return Err(Refusal::at(Reason::SealingNotBuilt, "scheme"));
        }
        if body.length > MAX_BODY_BYTES {
            return Err(Refusal::at(Reason::BodyTooLarge, "length"));
        }
        if usize::try_from(body.length).is_ok_and(|length| length <= SALT_BYTES) {
            return Err(Refusal::at(Reason::BodyTooSmall, "length"));
        }
        Ok(())
    })?;
    if !bodies.iter().all(|body| digests.insert(body.sha256)) {
        return Err(Refusal::at(Reason::BodyRepeated, "bodies"));
    }
    let (min, max, lasting) = match act {
        Act::Report(_) | Act::Indicator(_) => (1, 1, false),
        Act::Order(_) => (0, MAX_BODIES, true),
        Act::OrderAct(act) if act.kind == OrderActKind::Modify => (0, MAX_BODIES, true),
        Act::PolicyPack(pack) if pack.toml.is_empty() => (1, 1, true),
        Act::OrderAct(_) | Act::Decision(_) | Act::PolicyPack(_) => (0, 0, true),
    };
    if bodies.len() > max {
        return Err(Refusal::at(Reason::BodyNotAllowed, "bodies"));
    }
    if bodies.len() < min {
        return Err(Refusal::at(Reason::BodyMissing, "bodies"));
    }
    if bodies.iter().any(|body| body.lasting != lasting) {
        return Err(Refusal::at(Reason::BodyLasting, "bodies"));
    }
    Ok(())
}

fn check_references(statement: &Statement, alliance: &Alliance) -> Result<(), Refusal> {
    let is_members = |log: &str| {
        alliance
            .member_of_log(log)
            .is_some_and(|id| alliance.is_member(id))
    };
    let refuse = |reason| Err(Refusal::at(reason, "about"));
    match (&statement.act, &statement.about) {
        (Act::OrderAct(_) | Act::Decision(_), None) => return refuse(Reason::AboutMissing),
        (Act::OrderAct(_), Some(about)) if about.log != statement.log => {
            return refuse(Reason::AboutForeignLog);
        }
        (Act::Decision(_), Some(about)) if about.log == statement.log => {
            return refuse(Reason::AboutOwnLog);
        }
        (Act::Decision(_), Some(about)) if !is_members(&about.log) => {
            return refuse(Reason::AboutUnknownLog);
        }
        (Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::PolicyPack(_), Some(_)) => {
            return refuse(Reason::AboutNotAllowed);
        }
        (Act::OrderAct(_) | Act::Decision(_), Some(_))
        | (Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::PolicyPack(_), None) => {}
    }
    bounded(&statement.refs, MAX_REFS, "refs")?;
    each(&statement.refs, "refs", |cited| {
        if is_members(&cited.log) {
            Ok(())
        } else {
            Err(Refusal::at(Reason::RefUnknownLog, "log"))
        }
    })
}

fn check_report_kind(kind: ReportKind) -> Result<(), Refusal> {
    match kind {
        ReportKind::Infringement | ReportKind::LicenceDiversion => Ok(()),
        ReportKind::Espionage | ReportKind::ProcurementAttempt | ReportKind::Insider => {
            Err(Refusal::at(Reason::SealingNotBuilt, "kind"))
        }
    }
}

fn check_indicator(indicator: &Indicator, created_ms: i64) -> Result<(), Refusal> {
    match indicator.kind {
        IndicatorKind::Product => {}
        IndicatorKind::Espionage | IndicatorKind::Insider => {
            return Err(Refusal::at(Reason::SealingNotBuilt, "kind"));
        }
    }
    check_end(indicator.valid_until_ms, created_ms, "valid_until_ms")
}

/// An end that must be there, after the beginning.
fn check_end(until_ms: i64, after_ms: i64, field: &str) -> Result<(), Refusal> {
    if until_ms == 0 {
        return Err(Refusal::at(Reason::UntilMissing, field));
    }
    instant(until_ms, field)?;
    if until_ms <= after_ms {
        return Err(Refusal::at(Reason::UntilNotAfter, field));
    }
    Ok(())
}

fn check_order(order: &Order) -> Result<(), Refusal> {
    for (text, field) in [(&order.case_ref, "case_ref"), (&order.title, "title")] {
        required(text, field)?;
        line(text, field)?;
    }
    if order.scope == ScopeKind::Limited && order.respondents.is_empty() {
        return Err(Refusal::at(Reason::ScopeWithoutRespondents, "respondents"));
    }
    parties(&order.respondents, MAX_RESPONDENTS, "respondents")?;
    if order.articles.is_empty() {
        return Err(Refusal::at(Reason::ListEmpty, "articles"));
    }
    articles(&order.articles, MAX_ARTICLES, MAX_SELECTORS)?;

    bounded(&order.rights, MAX_RIGHTS, "rights")?;
    each(&order.rights, "rights", right)?;
    paragraph(&order.no_right_reason, "no_right_reason")?;
    match (
        order.rights.is_empty(),
        order.no_right_reason.trim().is_empty(),
    ) {
        (true, true) => return Err(Refusal::at(Reason::RightMissing, "rights")),
        (false, false) => {
            return Err(Refusal::at(
                Reason::RightReasonNotAllowed,
                "no_right_reason",
            ));
        }
        (true, false) | (false, true) => {}
    }

    instant(order.from_ms, "from_ms")?;
    if order.until_ms != 0 || order.phase == Phase::Temporary {
        check_end(order.until_ms, order.from_ms, "until_ms")?;
        if order.until_ms.saturating_sub(order.from_ms) > MAX_ORDER_MS {
            return Err(Refusal::at(Reason::ValidityTooLong, "until_ms"));
        }
    }
    paragraph(&order.summary, "summary")?;
    terms::check_lifetimes(&order.articles, order)?;
    terms::check(order).map_err(|refusal| refusal.within("terms"))
}

fn check_order_act(act: &OrderAct) -> Result<(), Refusal> {
    required(&act.reason, "reason")?;
    paragraph(&act.reason, "reason")?;
    match (act.kind, &act.replacement) {
        (OrderActKind::Modify, None) => Err(Refusal::at(Reason::ReplacementMissing, "replacement")),
        (OrderActKind::Modify, Some(order)) => {
            check_order(order).map_err(|refusal| refusal.within("replacement"))
        }
        (
            OrderActKind::Suspend
            | OrderActKind::Resume
            | OrderActKind::Rescind
            | OrderActKind::Withdraw,
            Some(_),
        ) => Err(Refusal::at(Reason::ReplacementNotAllowed, "replacement")),
        (
            OrderActKind::Suspend
            | OrderActKind::Resume
            | OrderActKind::Rescind
            | OrderActKind::Withdraw,
            None,
        ) => Ok(()),
    }
}

fn check_decision(
    decision: &Decision,
    created_ms: i64,
    jurisdiction: &str,
    by_node_key: bool,
) -> Result<(), Refusal> {
    line(&decision.basis, "basis")?;
    paragraph(&decision.reason, "reason")?;
    match decision.kind {
        DecisionKind::Adopt | DecisionKind::Hold | DecisionKind::Extend => {
            required(&decision.basis, "basis")?;
        }
        DecisionKind::Decline if by_node_key => {}
        DecisionKind::Decline | DecisionKind::Pause | DecisionKind::End => {
            required(&decision.reason, "reason")?;
        }
        DecisionKind::Review
        | DecisionKind::Flag
        | DecisionKind::Inform
        | DecisionKind::NotCompetent
        | DecisionKind::Lapse => {}
    }
    match decision.kind {
        DecisionKind::Hold | DecisionKind::Extend => {
            check_end(decision.until_ms, created_ms, "until_ms")?;
        }
        DecisionKind::Adopt
        | DecisionKind::Pause
        | DecisionKind::End
        | DecisionKind::Review
        | DecisionKind::Flag
        | DecisionKind::Inform
        | DecisionKind::Decline
        | DecisionKind::NotCompetent
        | DecisionKind::Lapse => {
            if decision.until_ms != 0 {
                return Err(Refusal::at(Reason::UntilNotAllowed, "until_ms"));
            }
        }
    }
    check_local_rights(decision, jurisdiction, by_node_key)?;
    check_citation(decision, by_node_key)
}

fn check_local_rights(
    decision: &Decision,
    jurisdiction: &str,
    by_node_key: bool,
) -> Result<(), Refusal> {
    let rights = &decision.local_rights;
    if decision.kind != DecisionKind::Adopt {
        if rights.is_empty() {
            return Ok(());
        }
        return Err(Refusal::at(Reason::LocalRightNotAllowed, "local_rights"));
    }
    // By policy the pack names the kinds of right that are recognised; the fold runs it again.
    if rights.is_empty() && !by_node_key {
        return Err(Refusal::at(Reason::LocalRightMissing, "local_rights"));
    }
    bounded(rights, MAX_RIGHTS, "local_rights")?;
    each(rights, "local_rights", |local| {
        right(local)?;
        if local.may_have_effect_in(jurisdiction) {
            return Ok(());
        }
        Err(Refusal::at(Reason::LocalRightForeign, "office"))
    })
}

fn check_citation(decision: &Decision, by_node_key: bool) -> Result<(), Refusal> {
    let needs_policy = by_node_key && decision.kind != DecisionKind::Lapse;
    match &decision.policy {
        None if needs_policy => Err(Refusal::at(Reason::PolicyMissing, "policy")),
        Some(_) if !needs_policy => Err(Refusal::at(Reason::PolicyNotAllowed, "policy")),
        Some(PolicyCitation { pack, rule }) => {
            line(rule, "policy.rule")?;
            if rule.is_empty() || pack.is_none() != (rule == RULE_NO_PACK) {
                return Err(Refusal::at(Reason::PolicyCitation, "policy"));
            }
            Ok(())
        }
        None => Ok(()),
    }
}

/// A pack in the statement is read at once; one in a body when the body is.
fn check_pack_text(toml: &str, statement: &Statement, jurisdiction: &str) -> Result<(), Refusal> {
    if toml.is_empty() && !statement.bodies.is_empty() {
        return Ok(());
    }
    if toml.len() > MAX_PACK_BYTES {
        return Err(Refusal::at(Reason::PackTooLong, "toml"));
    }
    check_pack(toml, jurisdiction)
}

/// A pack that can be read, of its author's own jurisdiction.
pub(super) fn check_pack(toml: &str, jurisdiction: &str) -> Result<(), Refusal> {
    long_text(toml, crate::policy::MAX_BODY_PACK_BYTES, "toml")?;
    let pack = Pack::parse(toml).map_err(|refusal| refusal.within("toml"))?;
    if pack.jurisdiction != jurisdiction {
        return Err(Refusal::at(
            Reason::PackJurisdiction,
            "toml.meta.jurisdiction",
        ));
    }
    Ok(())
}
