//! `lookup --row N --in hits.csv`: why a row was a hit, as it was written down, and what the blocks
//! say of it now.

use std::path::Path;

use serde_json::{Map, Value, json};
use tocsin_screen::index::Screen;

use super::found::{COLUMNS, hit_value, word};
use super::state::State;
use crate::declarations::csv::Csv;
use crate::declarations::encoding::Text;
use crate::declarations::field::Field;
use crate::declarations::filed::Filing;
use crate::declarations::input::Input;
use crate::declarations::rows::Rows;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Format, csv_cell};
use crate::session::Session;

/// `lookup --row N --in FILE`.
///
/// # Errors
/// `ROW_NOT_LISTED` when the file does not have the row; when it is no file of hits, or the node
/// does not answer.
pub async fn explain(
    session: &mut Session,
    row: u64,
    file: &Path,
    jurisdiction: Option<&str>,
) -> Result<Exit, Failure> {
    let written = find(file, row)?;
    let Some(first) = written.first() else {
        let why = format!("{} has no row {row}", file.display());
        return Err(Failure::new(Exit::NotFound, why)
            .code("ROW_NOT_LISTED")
            .advice("rows without a match are not written down; number them as the file does"));
    };
    let declared = first.get("declared").and_then(Value::as_str);
    let declared: Map<String, Value> = declared
        .and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| no_hits(file))?;
    let state = State::ask(session, jurisdiction).await?;
    let now = now(&state, &declared);
    let before: Vec<Value> = written.iter().map(|hit| Value::Object(told(hit))).collect();
    let value = json!({
        "row": row,
        "declared": declared,
        "written": before,
        "now": now,
        "position": state.cursor,
        "members": state.ages(instant::now_ms()),
        "stale": state.is_stale(),
    });
    if session.out.format() != Format::Table {
        session.out.object("row", &[], &value)?;
        return Ok(Exit::Ok);
    }
    print(session, &value)?;
    Ok(Exit::Ok)
}

/// The hits of one row, as they were written down.
fn find(file: &Path, row: u64) -> Result<Vec<Map<String, Value>>, Failure> {
    let input = Input::open(file)?;
    let text = Text::new(Box::new(input.reading()), encoding_rs::UTF_8);
    let mut csv = Csv::open(text, Some(b','), true)?;
    if csv.columns() != COLUMNS {
        return Err(no_hits(file));
    }
    let mut found = Vec::new();
    while let Some(cells) = csv.row()? {
        let number = cells.first().and_then(|cell| cell.parse::<u64>().ok());
        if number == Some(row) {
            let cells = cells.iter().map(|cell| json!(csv_cell(cell)));
            let names = COLUMNS.iter().map(|name| (*name).to_owned());
            found.push(names.zip(cells).collect());
        }
    }
    Ok(found)
}

fn no_hits(file: &Path) -> Failure {
    Failure::usage(format!(
        "{} was not written by tocsin screen",
        file.display()
    ))
    .code("NO_HITS_FILE")
}

/// What was written down of a hit, without what is empty or said elsewhere.
fn told(hit: &Map<String, Value>) -> Map<String, Value> {
    let is_said = |(key, value): &(&String, &Value)| {
        !matches!(key.as_str(), "row" | "declared" | "hits") && value.as_str() != Some("")
    };
    let said = hit.iter().filter(is_said);
    said.map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// What the blocks say of the row as they stand.
fn now(state: &State, declared: &Map<String, Value>) -> Value {
    let mut rows = Rows::default();
    rows.begin(1, 1);
    for (name, values) in declared {
        let Some(field) = Field::of_word(name) else {
            continue;
        };
        let texts = values.as_array().into_iter().flatten();
        for text in texts.filter_map(Value::as_str) {
            rows.push(field, text);
        }
    }
    let Some(row) = rows.rows().first().copied() else {
        return Value::Null;
    };
    let screen = Screen::build(state.notices.iter().cloned(), state.basis.clone());
    let now_ms = instant::now_ms();
    let (value, _) = Filing::default().row(&rows, row, &[], |line| {
        let answer = screen.check(line, now_ms);
        json!({
            "outcome": word(answer.outcome),
            "decisive_missing": answer.decisive_missing,
            "missing": answer.missing.iter().map(|field| field.word()).collect::<Vec<_>>(),
            "hits": answer.hits.iter().map(|hit| hit_value(hit, None)).collect::<Vec<_>>(),
            "more": answer.is_truncated,
        })
    });
    value
}

fn print(session: &mut Session, value: &Value) -> Result<(), Failure> {
    let text = |value: &Value| match value {
        Value::Array(items) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.collect::<Vec<_>>().join("; ")
        }
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    };
    let fields = |value: Option<&Value>| -> Vec<(String, String)> {
        let fields = value.and_then(Value::as_object).into_iter().flatten();
        let said = fields.map(|(key, value)| (key.clone(), text(value)));
        said.filter(|(_, text)| !text.is_empty()).collect()
    };
    let list = |value: Option<&Value>| -> Vec<Value> {
        let items = value.and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    };
    session.out.text("Declared")?;
    for (key, said) in fields(value.get("declared")) {
        session.out.text(&format!("  {key:<20} {said}"))?;
    }
    session.out.text("As it was written down")?;
    for hit in list(value.get("written")) {
        for (key, said) in fields(Some(&hit)) {
            session.out.text(&format!("  {key:<20} {said}"))?;
        }
    }
    let now = value.get("now");
    let outcome = now.and_then(|now| now.get("outcome"));
    session
        .out
        .text(&format!("Now: {}", outcome.map(text).unwrap_or_default()))?;
    for hit in list(now.and_then(|now| now.get("hits"))) {
        for (key, said) in fields(Some(&hit)) {
            session.out.text(&format!("  {key:<20} {said}"))?;
        }
    }
    if outcome.and_then(Value::as_str) == Some("none") {
        session.out.say("No match is not a clearance.")?;
    }
    Ok(())
}
