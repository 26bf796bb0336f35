//! The JSON of each command, kept as a file: what changes from run to run is replaced, the rest
//! must stay. `TOCSIN_REGENERATE=1` writes the files anew; the difference is then read in review.

use std::path::PathBuf;

use serde_json::{Map, Value};
use tocsin_tests::repository;

pub(crate) struct Golden {
    pub(crate) path: PathBuf,
}

/// Values that say how far something has come by chance of time.
const PASSING: [&str; 8] = [
    "cursor",
    "position",
    "grade",
    "cosigners",
    "result",
    "state_reason",
    "explanation",
    "lag",
];

impl Golden {
    pub(crate) fn folder() -> PathBuf {
        repository::root().join("tests/tests/surface/golden")
    }

    pub(crate) fn of(command: &str) -> Self {
        let name = format!("{}.json", command.replace(' ', "-"));
        Self {
            path: Self::folder().join(name),
        }
    }

    /// Compares what was printed with what is kept, or keeps it.
    ///
    /// What stands under a key in `chance` depends on which of several came first.
    pub(crate) fn hold(&self, printed: &str, chance: &[&str]) -> Result<(), String> {
        let lines: Vec<Value> = serde_json::Deserializer::from_str(printed)
            .into_iter()
            .collect::<Result<_, _>>()
            .map_err(|e| format!("{}: no JSON: {e}:\n{printed}", self.path.display()))?;
        if lines.is_empty() {
            return Err(format!("{}: nothing was printed", self.path.display()));
        }
        for line in &lines {
            assert_eq!(line["version"], 1, "{}", self.path.display());
            assert!(line["kind"].is_string(), "{}", self.path.display());
        }
        let kept: Vec<String> = lines
            .iter()
            .map(|line| serde_json::to_string_pretty(&plain("", line, chance)).unwrap() + "\n")
            .collect();
        let kept = kept.concat();
        if std::env::var_os("TOCSIN_REGENERATE").is_some() {
            std::fs::write(&self.path, &kept).unwrap();
            return Ok(());
        }
        let wanted = std::fs::read_to_string(&self.path).unwrap_or_default();
        if wanted == kept {
            return Ok(());
        }
        Err(format!(
            "\n== {}: its JSON has changed; if it is meant, TOCSIN_REGENERATE=1 keeps the new \
             form\n{}",
            self.path.display(),
            difference(&wanted, &kept)
        ))
    }
}

/// Lines that only one of two texts has, in order.
fn difference(wanted: &str, found: &str) -> String {
    let mut text = String::new();
    let (wanted, found): (Vec<&str>, Vec<&str>) =
        (wanted.lines().collect(), found.lines().collect());
    for line in wanted.iter().filter(|line| !found.contains(line)) {
        text.push_str(&format!("- {line}\n"));
    }
    for line in found.iter().filter(|line| !wanted.contains(line)) {
        text.push_str(&format!("+ {line}\n"));
    }
    if text.is_empty() {
        text.push_str("the same lines in another order, or as often as before no more\n");
    }
    text
}

/// A value with what differs from run to run replaced; of a list, the element that then sorts
/// first: lists in the order of hashes have another first element in each run.
fn plain(key: &str, value: &Value, chance: &[&str]) -> Value {
    if PASSING.contains(&key) || chance.contains(&key) {
        return Value::from(match value {
            Value::Null => "NULL",
            Value::Bool(_) => "BOOL",
            Value::Number(_) => "NUMBER",
            Value::String(_) => "TEXT",
            Value::Array(_) => "LIST",
            Value::Object(_) => "OBJECT",
        });
    }
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Number(number) if key == "version" || key == "exit" => number.clone().into(),
        Value::Number(_) => Value::from("NUMBER"),
        Value::String(text) => Value::from(text_of(text)),
        Value::Array(items) => items
            .iter()
            .map(|item| plain(key, item, chance))
            .min_by_key(Value::to_string)
            .into_iter()
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), plain(key, value, chance)))
            .collect::<Map<_, _>>()
            .into(),
    }
}

/// Replaces hashes, keys, times, numbers and paths in a text; words stay.
fn text_of(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '.' | '_');
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if end == 0 {
            let first = rest.chars().next().unwrap();
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let word = &rest[..end];
        out.push_str(&word_of(word));
        rest = &rest[end..];
    }
    squeezed(&out)
}

fn word_of(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if word.starts_with(".tmp") {
        return "FOLDER".to_owned();
    }
    let is_hash = word.len() >= 16 && word.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash || (word.len() >= 24 && digits > 0) {
        return "LONG".to_owned();
    }
    if digits > 0 && word.starts_with(|c: char| c.is_ascii_digit()) {
        return "N".to_owned();
    }
    word.to_owned()
}

/// A time is what begins with a date: `N-N-N N:N:N+N:N` and the like; a long number in base64 with
/// dashes is `LONG` once.
fn squeezed(text: &str) -> String {
    let mut text = text.to_owned();
    for (from, to) in [
        ("N-N-NT", "DATE T"),
        ("N-N-N", "DATE"),
        ("N:N:N", "TIME"),
        ("LONG-LONG", "LONG"),
        ("LONG/LONG", "LONG"),
    ] {
        while text.contains(from) {
            text = text.replace(from, to);
        }
    }
    text
}
