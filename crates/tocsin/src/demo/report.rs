//! What the demonstration shows: one line a step as it happens, and one JSON document at the end.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tocsin_cli::failure::Failure;
use tocsin_cli::output::Output;

/// Columns of a terminal that is not wide.
pub(super) const COLUMNS: usize = 80;

/// What a step has done.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// One line, what happened.
    pub(super) what: String,
    /// More lines, for people.
    pub(super) lines: Vec<String>,
    /// Particulars, for programs.
    pub(super) facts: Map<String, Value>,
}

impl Done {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }

    /// Adds a line for people.
    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// Adds a fact for programs.
    pub(super) fn fact(mut self, name: &str, value: Value) -> Self {
        self.facts.insert(name.to_owned(), value);
        self
    }
}

/// All steps so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    steps: Vec<Value>,
}

impl Report {
    /// Shows a step.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn add(
        &mut self,
        step: &str,
        done: Done,
        took: Duration,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let head = format!("\u{2713} {step:<9} {}", done.what);
        let time = format!("{ms} ms");
        let room = COLUMNS.saturating_sub(time.len() + 1);
        out.say(&format!("{:<room$} {time}", fitted(&head, room)))?;
        for line in &done.lines {
            out.say(&format!("    {}", fitted(line, COLUMNS - 4)))?;
        }
        let mut value = Map::new();
        value.insert("step".to_owned(), json!(step));
        value.insert("what".to_owned(), json!(done.what));
        value.insert("ms".to_owned(), json!(ms));
        value.extend(done.facts);
        self.steps.push(Value::Object(value));
        Ok(())
    }

    /// The whole, for programs.
    pub(super) fn finish(self, mut facts: Map<String, Value>) -> Value {
        facts.insert("steps".to_owned(), Value::Array(self.steps));
        Value::Object(facts)
    }
}

/// At most so many characters; what is cut off ends in an ellipsis.
pub(super) fn fitted(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let kept: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{kept}\u{2026}")
}
