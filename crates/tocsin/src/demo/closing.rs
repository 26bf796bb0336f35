//! How it ends: how every order stands in every jurisdiction, and what one might type from a box.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_cli::client;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::instant;
use tocsin_cli::rpc::{PAGE_SIZE, call, pages};
use tocsin_wire::proto::v1::{self, Outcome};

use super::network::{Network, PATIENCE, of};
use super::orders::{DRIVERS_GTIN, DRIVERS_HS, DRIVERS_MODEL, FIRM, LAMPS_GTIN};
use super::proof::Proven;
use super::report::{Done, fitted};
use super::walk::Demo;

/// Columns of one cell of the matrix: `withdrawn +12.3`.
const CELL: usize = 15;

/// How every order stands everywhere, as one node knows it.
///
/// # Errors
/// When it does not answer.
pub(super) async fn rows(network: &Network, at: &str) -> Result<Vec<v1::MatrixRow>, Failure> {
    let node = network.node(at)?;
    let page = |page_token| {
        let mut orders = client!(node, order_service_client, OrderServiceClient);
        async move {
            let request = v1::GetMatrixRequest {
                page_size: PAGE_SIZE,
                page_token,
                filter: String::new(),
            };
            let answer = call(PATIENCE, orders.get_matrix(request)).await?;
            Ok((answer.rows, answer.next_page_token))
        }
    };
    pages(usize::MAX, page).await.map_err(|e| of(at, e))
}

/// The first block of these jurisdictions on which nothing was decided yet.
pub(super) fn undecided(rows: &[v1::MatrixRow], jurisdictions: &[String]) -> Option<String> {
    rows.iter().find_map(|row| {
        let mut cells = row
            .cells
            .iter()
            .filter(|cell| jurisdictions.contains(&cell.jurisdiction));
        let open = cells.find(|cell| cell.state == "none")?;
        Some(format!("{}@{}", row.order, open.jurisdiction))
    })
}

/// Looks a text up in a member's market.
///
/// # Errors
/// When its node does not answer.
pub(super) async fn lookup(
    network: &Network,
    at: &str,
    text: &str,
) -> Result<v1::LookupResponse, Failure> {
    let node = network.node(at)?;
    let mut screen = client!(node, screen_service_client, ScreenServiceClient);
    let request = v1::LookupRequest {
        text: text.to_owned(),
        jurisdiction: String::new(),
    };
    call(PATIENCE, screen.lookup(request))
        .await
        .map_err(|e| of(at, e))
}

/// The word for an outcome.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Unspecified => "unknown",
        Outcome::None => "none",
        Outcome::Flagged => "flagged",
        Outcome::Review => "review",
        Outcome::Held => "held",
        Outcome::Blocked => "blocked",
    }
}

/// An answer in two words; where what decides was not typed, nothing is clear.
pub(super) fn word(answer: &v1::LookupResponse) -> String {
    match (answer.outcome(), answer.decisive_missing) {
        (Outcome::None, true) => "not clear".to_owned(),
        (Outcome::None, false) => "no match".to_owned(),
        (found, true) => format!("{}, not clear", outcome(found)),
        (found, false) => outcome(found).to_owned(),
    }
}

/// What is there to type: what it is, the text, and whether it alone decides.
fn typed(order: &str) -> [(&'static str, String, bool); 6] {
    [
        ("item number", DRIVERS_GTIN.to_owned(), true),
        ("withdrawn item", LAMPS_GTIN.to_owned(), true),
        ("model", DRIVERS_MODEL.to_owned(), true),
        ("order", order.to_owned(), false),
        ("respondent", FIRM.to_owned(), false),
        ("tariff code", DRIVERS_HS.to_owned(), false),
    ]
}

/// Looks up in every market what one might type from a box.
///
/// # Errors
/// When a node does not answer, or calls clear what it cannot know.
pub(super) async fn lookups(demo: &Demo<'_>) -> Result<Done, Failure> {
    let network = demo.network;
    let order = demo.drivers.as_ref().map(Proven::short).unwrap_or_default();
    let (shown, other) = (&demo.cast.issuer, &demo.cast.adopter);
    let mut done = Done::new("what one might type from a box").line(table([
        ("typed", 34),
        (shown, 20),
        (other, 20),
    ]));
    let mut answers = Vec::new();
    for (what, text, decides) in typed(&order) {
        let mut words = BTreeMap::new();
        for at in network.ids() {
            let answer = lookup(network, at, &text).await?;
            if answer.decisive_missing == decides {
                let text = format!("{at}: look-up of {text} says {}", word(&answer));
                return Err(Failure::new(Exit::Failed, text));
            }
            words.insert(at.to_owned(), word(&answer));
            answers.push(json!({
                "what": what, "typed": text, "member": at,
                "outcome": outcome(answer.outcome()),
                "decisive_missing": answer.decisive_missing,
                "explanation": answer.explanation,
            }));
        }
        let of = |id: &String| words.get(id).map_or("", String::as_str);
        done = done.line(table([(&text, 38), (of(shown), 18), (of(other), 18)]));
    }
    Ok(done.fact("lookups", json!(answers)))
}

/// Shows how every order stands in every jurisdiction, and since when.
///
/// # Errors
/// When a node does not answer.
pub(super) async fn matrix(demo: &Demo<'_>) -> Result<Done, Failure> {
    let rows = rows(demo.network, &demo.cast.issuer).await?;
    let codes: Vec<String> = demo.network.ids().map(str::to_uppercase).collect();
    let began = instant::show(demo.began_ms);
    let mut head = format!("{:<12}", "order");
    for code in &codes {
        head.push_str(&format!(" {code:<CELL$}"));
    }
    let what = format!("{} orders by {} jurisdictions", rows.len(), codes.len());
    let mut done = Done::new(what)
        .line(format!(
            "each with its state, and since when: seconds after {began}"
        ))
        .line(head.trim_end());
    let mut values = Vec::new();
    for row in &rows {
        let cell = |code: &String| row.cells.iter().find(|cell| cell.jurisdiction == *code);
        let mut line = format!("{:<12}", row.order);
        for code in &codes {
            let text = cell(code)
                .map(|cell| shown_cell(cell, demo.began_ms))
                .unwrap_or_default();
            line.push_str(&format!(" {text:<CELL$}"));
        }
        done = done.line(line.trim_end()).line(format!("  {}", row.title));
        let cells: Vec<Value> = row.cells.iter().map(cell_value).collect();
        values.push(json!({"order": row.order, "title": row.title, "cells": cells}));
    }
    Ok(done.fact("matrix", json!(values)))
}

/// `flagged +1.2`: the state, and the seconds since the demonstration began.
fn shown_cell(cell: &v1::MatrixCell, began_ms: i64) -> String {
    let tenths = (cell.since_ms - began_ms) / 100;
    // An order in force from the day's first instant was so before the demonstration began.
    let since = if tenths < 0 {
        String::new()
    } else {
        format!(" +{}.{}", tenths / 10, tenths % 10)
    };
    fitted(&format!("{}{since}", cell.state), CELL)
}

fn cell_value(cell: &v1::MatrixCell) -> Value {
    json!({
        "jurisdiction": cell.jurisdiction, "state": cell.state,
        "since": instant::show(cell.since_ms), "since_ms": cell.since_ms, "by": cell.by,
    })
}

fn table(cells: [(&str, usize); 3]) -> String {
    let mut line = String::new();
    for (text, columns) in cells {
        line.push_str(&format!("{:<columns$} ", fitted(text, columns)));
    }
    line.trim_end().to_owned()
}
