//! What an order says beside its goods and respondents, between the contract and the domain.
//!
//! Silence has one spelling: terms that say nothing are left out, and a set ascends.

use std::collections::BTreeSet;

use tocsin_core::statement::DecodeFault;
use tocsin_core::terms::{
    Bond, Breadth, CarveOut, CarveOutKind, Direction, Downstream, Related, Relation, Terms,
};

use crate::proto::v1;
use crate::read::{Read, fault, list, party, within, word};
use crate::{selector, write};

/// The terms of an order; absent when it says nothing.
pub(crate) fn read(m: Option<v1::OrderTerms>) -> Read<Terms> {
    let Some(m) = m else {
        return Ok(Terms::default());
    };
    let terms = Terms {
        directions: set(&m.directions, Direction::from_number, "directions")?,
        relations: set(&m.relations, Relation::from_number, "relations")?,
        related: list(m.related, related, "related")?,
        downstream: match m.downstream {
            0 => None,
            number => Some(word(number, Downstream::from_number, "downstream")?),
        },
        carve_outs: list(m.carve_outs, carve_out, "carve_outs")?,
        authorised: list(m.authorised, party, "authorised")?,
        bond: m.bond.map(|bond| Bond {
            text: bond.text,
            until_ms: bond.until_ms,
        }),
        certification: (!m.certification.is_empty()).then_some(m.certification),
        breadth: m.breadth.map(|breadth| Breadth {
            lines: breadth.lines,
            hits: breadth.hits,
        }),
    };
    if terms == Terms::default() {
        return Err(fault(DecodeFault::NotCanonical, ""));
    }
    Ok(terms)
}

fn related(m: v1::RelatedParty) -> Read<Related> {
    let named = m
        .party
        .ok_or_else(|| fault(DecodeFault::Missing, "party"))?;
    Ok(Related {
        relation: word(m.relation, Relation::from_number, "relation")?,
        of: m.of,
        party: within(party(named), "party")?,
        from_ms: m.from_ms,
        until_ms: m.until_ms,
    })
}

fn carve_out(m: v1::CarveOut) -> Read<CarveOut> {
    Ok(CarveOut {
        kind: word(m.kind, CarveOutKind::from_number, "kind")?,
        text: m.text,
        selectors: list(m.selectors, selector::read, "selectors")?,
        parties: list(m.parties, party, "parties")?,
        from_ms: m.from_ms,
        until_ms: m.until_ms,
    })
}

/// Words of a closed list, ascending by number, each once.
fn set<T: Ord>(numbers: &[i32], from: fn(i32) -> Option<T>, field: &str) -> Read<BTreeSet<T>> {
    if !numbers.is_sorted_by(|one, next| one < next) {
        return Err(fault(DecodeFault::NotCanonical, field));
    }
    numbers
        .iter()
        .map(|number| word(*number, from, field))
        .collect()
}

/// As the contract carries it; `None` when nothing is said.
pub(crate) fn write(terms: &Terms) -> Option<v1::OrderTerms> {
    let m = v1::OrderTerms {
        directions: terms.directions.iter().map(|word| word.number()).collect(),
        relations: terms.relations.iter().map(|word| word.number()).collect(),
        related: terms.related.iter().map(write_related).collect(),
        downstream: terms.downstream.map_or(0, Downstream::number),
        carve_outs: terms.carve_outs.iter().map(write_carve_out).collect(),
        authorised: terms.authorised.iter().map(write::party).collect(),
        bond: terms.bond.as_ref().map(|bond| v1::Bond {
            text: bond.text.clone(),
            until_ms: bond.until_ms,
        }),
        certification: terms.certification.clone().unwrap_or_default(),
        breadth: terms.breadth.map(|breadth| v1::Breadth {
            lines: breadth.lines,
            hits: breadth.hits,
        }),
    };
    (m != v1::OrderTerms::default()).then_some(m)
}

fn write_related(related: &Related) -> v1::RelatedParty {
    v1::RelatedParty {
        relation: related.relation.number(),
        of: related.of,
        party: Some(write::party(&related.party)),
        from_ms: related.from_ms,
        until_ms: related.until_ms,
    }
}

fn write_carve_out(carve_out: &CarveOut) -> v1::CarveOut {
    v1::CarveOut {
        kind: carve_out.kind.number(),
        text: carve_out.text.clone(),
        selectors: carve_out.selectors.iter().map(selector::write).collect(),
        parties: carve_out.parties.iter().map(write::party).collect(),
        from_ms: carve_out.from_ms,
        until_ms: carve_out.until_ms,
    }
}
