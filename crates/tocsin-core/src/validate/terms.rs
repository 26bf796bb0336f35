//! Checks of what an order says beside its goods and respondents.

use super::goods::{bounded, each, instant, paragraph, parties, party, required, selector};
use crate::order::Order;
use crate::product::{Article, Selector};
use crate::reason::{Reason, Refusal};
use crate::terms::{
    Bond, Breadth, CarveOut, CarveOutKind, MAX_AUTHORISED, MAX_CARVE_OUT_PARTIES,
    MAX_CARVE_OUT_SELECTORS, MAX_CARVE_OUTS, MAX_RELATED, Related,
};

/// The terms of an order.
pub(super) fn check(order: &Order) -> Result<(), Refusal> {
    let terms = &order.terms;
    bounded(&terms.related, MAX_RELATED, "related")?;
    each(&terms.related, "related", |related| {
        check_related(related, order)
    })?;
    bounded(&terms.carve_outs, MAX_CARVE_OUTS, "carve_outs")?;
    each(&terms.carve_outs, "carve_outs", check_carve_out)?;
    parties(&terms.authorised, MAX_AUTHORISED, "authorised")?;
    if let Some(bond) = &terms.bond {
        check_bond(bond, order).map_err(|refusal| refusal.within("bond"))?;
    }
    if let Some(text) = &terms.certification {
        required(text, "certification")?;
        paragraph(text, "certification")?;
    }
    match terms.breadth {
        Some(Breadth { lines, hits }) if lines == 0 || hits > lines => {
            Err(Refusal::at(Reason::Breadth, "breadth"))
        }
        Some(_) | None => Ok(()),
    }
}

fn check_related(related: &Related, order: &Order) -> Result<(), Refusal> {
    if !order.terms.binds(related.relation) {
        return Err(Refusal::at(Reason::RelationOff, "relation"));
    }
    let is_respondent =
        usize::try_from(related.of).is_ok_and(|place| place < order.respondents.len());
    if !is_respondent {
        return Err(Refusal::at(Reason::RelatedToNobody, "of"));
    }
    party(&related.party).map_err(|refusal| refusal.within("party"))?;
    check_window(related.from_ms, related.until_ms)
}

fn check_carve_out(carve_out: &CarveOut) -> Result<(), Refusal> {
    required(&carve_out.text, "text")?;
    paragraph(&carve_out.text, "text")?;
    bounded(&carve_out.selectors, MAX_CARVE_OUT_SELECTORS, "selectors")?;
    each(&carve_out.selectors, "selectors", selector)?;
    parties(&carve_out.parties, MAX_CARVE_OUT_PARTIES, "parties")?;
    check_window(carve_out.from_ms, carve_out.until_ms)?;
    let is_open = carve_out.from_ms == 0 && carve_out.until_ms == 0;
    if carve_out.kind == CarveOutKind::DateWindow && is_open {
        return Err(Refusal::at(Reason::WindowOpen, "until_ms"));
    }
    Ok(())
}

/// Goods under bond are let in for as long as the order is reviewed, and no longer than it lasts.
fn check_bond(bond: &Bond, order: &Order) -> Result<(), Refusal> {
    required(&bond.text, "text")?;
    paragraph(&bond.text, "text")?;
    if bond.until_ms == 0 {
        return Err(Refusal::at(Reason::UntilMissing, "until_ms"));
    }
    instant(bond.until_ms, "until_ms")?;
    if bond.until_ms <= order.from_ms {
        return Err(Refusal::at(Reason::UntilNotAfter, "until_ms"));
    }
    if order.until_ms != 0 && bond.until_ms > order.until_ms {
        return Err(Refusal::at(Reason::BondTooLong, "until_ms"));
    }
    Ok(())
}

/// Two ends that may both be open.
fn check_window(from_ms: i64, until_ms: i64) -> Result<(), Refusal> {
    if from_ms != 0 {
        instant(from_ms, "from_ms")?;
    }
    if until_ms != 0 {
        instant(until_ms, "until_ms")?;
        if until_ms <= from_ms {
            return Err(Refusal::at(Reason::UntilNotAfter, "until_ms"));
        }
    }
    Ok(())
}

/// What names goods for weeks only stands in no order that lasts longer: the next goods in the same
/// container are somebody else's.
pub(super) fn check_lifetimes(articles: &[Article], order: &Order) -> Result<(), Refusal> {
    let lasts_ms = match order.until_ms {
        0 => i64::MAX,
        until_ms => until_ms.saturating_sub(order.from_ms),
    };
    let outlives = |selector: &Selector| {
        let lifetime_ms = selector.kind().lifetime_ms();
        lifetime_ms.is_some_and(|lifetime_ms| lasts_ms > lifetime_ms)
    };
    each(articles, "articles", |article| {
        each(&article.selectors, "selectors", |selector| {
            if outlives(selector) {
                Err(Reason::SelectorShortLived.into())
            } else {
                Ok(())
            }
        })
    })
}
