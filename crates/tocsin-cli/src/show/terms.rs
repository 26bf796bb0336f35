//! What an order says beside its goods and respondents, for printing.

use serde_json::{Value, json};
use tocsin_core::order::Order;
use tocsin_core::party::Party;
use tocsin_core::terms::{BROAD_SHARE, Breadth, CarveOut, Direction, Related};

use super::{party, party_text, selector, selector_text};
use crate::instant;

/// The terms of an order as JSON; the fields are named as in its document.
#[must_use]
pub fn terms(order: &Order) -> Value {
    let terms = &order.terms;
    json!({
        "directions": directions(order),
        "relations": terms.relations.iter().map(|word| word.word()).collect::<Vec<_>>(),
        "related": terms.related.iter().map(|one| related(one, order)).collect::<Vec<_>>(),
        "downstream": terms.downstream.map_or("none", |word| word.word()),
        "carve_outs": terms.carve_outs.iter().map(carve_out).collect::<Vec<_>>(),
        "authorised": terms.authorised.iter().map(party).collect::<Vec<_>>(),
        "bond": terms.bond.as_ref().map(|bond| json!({
            "text": bond.text, "until": instant::show(bond.until_ms),
        })),
        "certification": terms.certification,
        "breadth": terms.breadth.map(|breadth| json!({
            "lines": breadth.lines, "hits": breadth.hits,
            "is_over_broad": breadth.is_over(BROAD_SHARE),
        })),
    })
}

/// The movements that the order bars, said or not.
fn directions(order: &Order) -> Vec<&'static str> {
    let barred = Direction::ALL.iter().filter(|way| order.terms.bars(**way));
    barred.map(|way| way.word()).collect()
}

fn related(related: &Related, order: &Order) -> Value {
    json!({
        "relation": related.relation.word(),
        "of": respondent(related, order),
        "party": party(&related.party),
        "from": instant::show(related.from_ms),
        "until": instant::show(related.until_ms),
    })
}

fn respondent<'a>(related: &Related, order: &'a Order) -> &'a str {
    let at = usize::try_from(related.of).unwrap_or(usize::MAX);
    let named = order
        .respondents
        .get(at)
        .and_then(|party| party.names.first());
    named.map_or("", String::as_str)
}

fn carve_out(carve_out: &CarveOut) -> Value {
    json!({
        "kind": carve_out.kind.word(),
        "text": carve_out.text,
        "selectors": carve_out.selectors.iter().map(selector).collect::<Vec<_>>(),
        "parties": carve_out.parties.iter().map(party).collect::<Vec<_>>(),
        "from": instant::show(carve_out.from_ms),
        "until": instant::show(carve_out.until_ms),
    })
}

/// What the terms say, a line for each; nothing where they say nothing.
#[must_use]
pub fn terms_text(order: &Order) -> String {
    let terms = &order.terms;
    let mut lines = Vec::new();
    let barred = directions(order);
    // Said or not, import is what every order bars.
    if barred != [Direction::Import.word()] {
        lines.push(format!("bars: {}", barred.join(", ")));
    }
    if !terms.relations.is_empty() {
        let words: Vec<&str> = terms.relations.iter().map(|word| word.word()).collect();
        lines.push(format!(
            "binds beside the respondents: {}",
            words.join(", ")
        ));
    }
    for one in &terms.related {
        let (relation, of) = (one.relation.word(), respondent(one, order));
        let window = window(one.from_ms, one.until_ms);
        lines.push(format!(
            "{relation} of {of}: {}{window}",
            party_text(&one.party)
        ));
    }
    if let Some(downstream) = terms.downstream {
        lines.push(format!("goods that contain it: {downstream}"));
    }
    lines.extend(terms.carve_outs.iter().map(carve_out_text));
    let authorised = terms.authorised.iter().map(party_text);
    lines.extend(authorised.map(|text| format!("may import the genuine goods: {text}")));
    if let Some(bond) = &terms.bond {
        let until = instant::show(bond.until_ms);
        lines.push(format!("may enter under bond until {until}: {}", bond.text));
    }
    if let Some(text) = &terms.certification {
        lines.push(format!("the importer may certify: {text}"));
    }
    if let Some(breadth) = &terms.breadth {
        let Breadth { lines: tried, hits } = breadth;
        let broad = if breadth.is_over(BROAD_SHARE) {
            ": OVER-BROAD"
        } else {
            ""
        };
        lines.push(format!("touched {hits} of {tried} past lines{broad}"));
    }
    lines.join("\n")
}

fn carve_out_text(carve_out: &CarveOut) -> String {
    let goods = carve_out.selectors.iter().map(selector_text);
    let whose = carve_out
        .parties
        .iter()
        .map(|party: &Party| party_text(party));
    let facts: Vec<String> = goods.chain(whose).collect();
    let facts = if facts.is_empty() {
        String::new()
    } else {
        format!(" [{}]", facts.join(", "))
    };
    let window = window(carve_out.from_ms, carve_out.until_ms);
    format!(
        "passes, {}: {}{facts}{window}",
        carve_out.kind, carve_out.text
    )
}

fn window(from_ms: i64, until_ms: i64) -> String {
    let mut text = String::new();
    if from_ms != 0 {
        text.push_str(&format!(" from {}", instant::show(from_ms)));
    }
    if until_ms != 0 {
        text.push_str(&format!(" until {}", instant::show(until_ms)));
    }
    text
}
