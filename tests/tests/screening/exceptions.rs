//! What an order lets pass, judged at the line's own instant.

use tocsin_core::lookup::Outcome;
use tocsin_core::order::Order;
use tocsin_core::terms::{CarveOut, CarveOutKind};
use tocsin_screen::line::{Line, MAX_LINE_VALUES, Party, Role};

use crate::declared::Goods;
use crate::goods;
use crate::matcher::Agreement;
use crate::parties::{self, PartySide};

/// The most that the order can say of a line with its exceptions.
pub fn ceiling(order: &Order, line: &Line<'_>, goods: &Goods, at: i64) -> Outcome {
    let bond = order.terms.bond.as_ref();
    let bond = if line.is_under_bond && bond.is_some_and(|bond| at < bond.until_ms) {
        Outcome::Flagged
    } else {
        Outcome::Blocked
    };
    // Anybody can write another's name: it takes a number to let goods pass unseen.
    let importer = authorised(order, line);
    let importer = match importer.by_number() {
        Agreement::Agrees => Outcome::None,
        Agreement::Suggested => Outcome::Review,
        Agreement::Unsaid | Agreement::Differs => Outcome::Blocked,
    };
    let certificate = if order.terms.certification.is_some() && line.is_certified {
        Outcome::Review
    } else {
        Outcome::Blocked
    };
    let carve_outs = &order.terms.carve_outs;
    let carve_outs = carve_outs
        .iter()
        .map(|carve_out| of_carve_out(carve_out, line, goods, at));
    carve_outs
        .chain([bond, importer, certificate])
        .min()
        .unwrap()
}

/// How the importer agrees with those who may import the genuine goods; the consignee where no
/// importer is declared.
pub fn authorised(order: &Order, line: &Line<'_>) -> PartySide {
    let authorised: Vec<_> = order.terms.authorised.iter().collect();
    let is_said = |party: &Party<'_>| !party.name.is_empty() || !party.identifiers.is_empty();
    let mut declared = line.parties.iter().take(MAX_LINE_VALUES);
    let has_importer = declared.any(|party| party.role == Role::Importer && is_said(party));
    let role = if has_importer {
        Role::Importer
    } else {
        Role::Consignee
    };
    parties::best(&authorised, line, |declared| declared == role)
}

fn of_carve_out(carve_out: &CarveOut, line: &Line<'_>, goods: &Goods, at: i64) -> Outcome {
    let has_begun = carve_out.from_ms <= at;
    let is_over = carve_out.until_ms != 0 && carve_out.until_ms <= at;
    if !has_begun || is_over {
        return Outcome::Blocked;
    }
    let is_claimed = line.claims.contains(&carve_out.kind.word());
    let listed: Vec<_> = carve_out.parties.iter().collect();
    let party = if listed.is_empty() {
        Agreement::Agrees
    } else {
        parties::best(&listed, line, parties::is_bound).by_number()
    };
    let met = goods::of_carve_out(&carve_out.selectors, line, goods).min(party);
    let is_stated = !carve_out.selectors.is_empty() || !carve_out.parties.is_empty();
    let is_seen = match carve_out.kind {
        CarveOutKind::DateWindow => true,
        CarveOutKind::CertifiedRedesign | CarveOutKind::LicensedSource => is_stated,
        CarveOutKind::ServiceRepair
        | CarveOutKind::ParallelImport
        | CarveOutKind::GovernmentUse
        | CarveOutKind::PersonalLuggage
        | CarveOutKind::LowValue
        | CarveOutKind::ResearchSample
        | CarveOutKind::GrandfatheredStock => false,
    };
    match met {
        Agreement::Differs => Outcome::Blocked,
        Agreement::Agrees if is_seen => Outcome::None,
        Agreement::Suggested if is_seen => Outcome::Review,
        Agreement::Unsaid | Agreement::Suggested | Agreement::Agrees => {
            if is_claimed {
                Outcome::Review
            } else {
                Outcome::Blocked
            }
        }
    }
}
