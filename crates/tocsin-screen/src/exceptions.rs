//! What an order excepts: carve-outs, authorised importers, entry under bond, certificates.
//!
//! Judged at the instant at which the goods were presented. What is seen from the goods or the
//! parties applies by itself; what depends on a purpose must be claimed, and is then looked at by
//! an officer.

use tocsin_core::order::Order;
use tocsin_core::product::Strength;
use tocsin_core::terms::{CarveOut, CarveOutKind};

use crate::answer::{Exception, Tried, TriedResult};
use crate::declared::Declared;
use crate::evidence::meeting;
use crate::line::{MAX_LINE_VALUES, Party, Role};
use crate::parties::{PartyEvidence, party};
use crate::rules::Agreement;

/// Everything an order excepts, tried on a line.
pub(crate) fn tried(order: &Order, declared: &Declared<'_>, now: i64) -> Vec<Tried> {
    let at_ms = declared.instant(now);
    let terms = &order.terms;
    let carve_outs = terms.carve_outs.iter().enumerate();
    let mut tried: Vec<Tried> = carve_outs
        .map(|(place, carve_out)| Tried {
            exception: Exception::CarveOut(place),
            result: carved_out(carve_out, declared, at_ms),
            text: carve_out.text.clone(),
        })
        .collect();
    if !terms.authorised.is_empty() {
        tried.push(Tried {
            exception: Exception::Authorised,
            result: match authorised(order, declared) {
                Agreement::Agrees => TriedResult::Applies,
                Agreement::Suggested => TriedResult::Claimed,
                Agreement::Unsaid => TriedResult::NotClaimed,
                Agreement::Differs => TriedResult::DoesNotApply,
            },
            text: terms
                .authorised
                .iter()
                .filter_map(|party| party.names.first().cloned())
                .collect::<Vec<_>>()
                .join("; "),
        });
    }
    tried.extend(terms.bond.as_ref().map(|bond| Tried {
        exception: Exception::Bond,
        result: match (at_ms < bond.until_ms, declared.line.is_under_bond) {
            (true, true) => TriedResult::Applies,
            (true, false) => TriedResult::NotClaimed,
            (false, _) => TriedResult::OutOfTime,
        },
        text: bond.text.clone(),
    }));
    tried.extend(terms.certification.as_ref().map(|text| Tried {
        exception: Exception::Certification,
        result: if declared.line.is_certified {
            TriedResult::Claimed
        } else {
            TriedResult::NotClaimed
        },
        text: text.clone(),
    }));
    tried
}

/// How far the importer is one who may import the genuine goods; the consignee where no importer is
/// declared.
fn authorised(order: &Order, declared: &Declared<'_>) -> Agreement {
    let parties = declared.line.parties.iter().take(MAX_LINE_VALUES);
    let is_said = |party: &Party<'_>| {
        let mut numbers = party.identifiers.iter();
        !party.name.is_empty() || numbers.any(|number| !number.value.is_empty())
    };
    let has_importer = parties
        .clone()
        .any(|party| party.role == Role::Importer && is_said(party));
    let role = if has_importer {
        Role::Importer
    } else {
        Role::Consignee
    };
    let authorised = order.terms.authorised.iter();
    let best = authorised
        .map(|listed| by_number(&party(listed, declared, |of| of == role)))
        .max();
    best.unwrap_or(Agreement::Unsaid)
}

/// Anybody can write another's name: it takes a number to let goods pass unseen.
fn by_number(evidence: &PartyEvidence) -> Agreement {
    let is_number = evidence
        .parts
        .iter()
        .any(|part| part.strength == Strength::Strong);
    if is_number {
        evidence.agreement
    } else {
        evidence.agreement.min(Agreement::Suggested)
    }
}

fn carved_out(carve_out: &CarveOut, declared: &Declared<'_>, at_ms: i64) -> TriedResult {
    if !carve_out.is_at(at_ms) {
        return TriedResult::OutOfTime;
    }
    let goods = (!carve_out.selectors.is_empty()).then(|| carved_goods(carve_out, declared));
    let parties = carve_out.parties.iter();
    let party = parties
        .map(|named| by_number(&party(named, declared, Role::is_bound)))
        .max();
    let is_said = goods.or(party).is_some() || carve_out.kind == CarveOutKind::DateWindow;
    let agreement = [goods, party]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(if is_said {
            Agreement::Agrees
        } else {
            Agreement::Unsaid
        });
    let is_claimed = declared
        .line
        .claims
        .iter()
        .any(|claim| *claim == carve_out.kind.word());
    match agreement {
        Agreement::Differs => TriedResult::DoesNotApply,
        Agreement::Agrees if is_seen(carve_out.kind) => TriedResult::Applies,
        Agreement::Agrees | Agreement::Suggested | Agreement::Unsaid if is_claimed => {
            TriedResult::Claimed
        }
        Agreement::Suggested if is_seen(carve_out.kind) => TriedResult::Claimed,
        Agreement::Agrees | Agreement::Suggested | Agreement::Unsaid => TriedResult::NotClaimed,
    }
}

/// How far the goods are those of a carve-out; other goods, where the line says what they are.
fn carved_goods(carve_out: &CarveOut, declared: &Declared<'_>) -> Agreement {
    let meeting = carve_out
        .selectors
        .iter()
        .flat_map(|selector| meeting(selector, declared, None));
    match meeting.map(|part| part.strength).max() {
        Some(Strength::Strong) => Agreement::Agrees,
        Some(Strength::Medium | Strength::Weak) => Agreement::Suggested,
        None if declared.can_decide() => Agreement::Differs,
        None => Agreement::Unsaid,
    }
}

/// Whether what a carve-out speaks of is seen from goods, parties and dates, and not a purpose.
const fn is_seen(kind: CarveOutKind) -> bool {
    match kind {
        CarveOutKind::LicensedSource
        | CarveOutKind::CertifiedRedesign
        | CarveOutKind::DateWindow => true,
        CarveOutKind::ServiceRepair
        | CarveOutKind::ParallelImport
        | CarveOutKind::GovernmentUse
        | CarveOutKind::PersonalLuggage
        | CarveOutKind::LowValue
        | CarveOutKind::ResearchSample
        | CarveOutKind::GrandfatheredStock => false,
    }
}
