//! JSON Lines: one object a line, each a declaration's line, or a declaration with its lines in a
//! list.
//!
//! Columns are paths, `exporter.name`; a path that leads into a list takes each of its elements.

use serde_json::Value;

use super::encoding::Text;
use super::field::Field;
use super::rows::{Reject, Rows};
use crate::failure::Failure;

/// Longest line in bytes: a declaration of 50,000 lines fits.
pub const MAX_LINE_BYTES: usize = 64 * 1_048_576;
/// Lines of one declaration, at most.
pub const MAX_ITEMS: usize = 100_000;
/// Objects that are looked at for the names of columns.
const SAMPLE_ROWS: usize = 1_000;
/// Bytes of them after which no more is looked at.
const SAMPLE_BYTES: usize = 1_048_576;
/// Columns of a file, at most.
const MAX_COLUMNS: usize = 4_096;
/// Depth to which columns are named.
const MAX_DEPTH: usize = 8;

/// A path into an object, and what it stands for.
#[derive(Clone, Debug)]
struct Wanted {
    path: Vec<String>,
    field: Field,
    is_of_item: bool,
}

/// A file of JSON objects.
#[derive(Debug)]
pub struct Json {
    text: Text,
    ahead: Vec<u8>,
    at: usize,
    is_done: bool,
    line: u64,
    row: u64,
    columns: Vec<String>,
    items: Vec<String>,
    wanted: Vec<Wanted>,
    /// A declaration whose lines did not all fit: the rest of them.
    pending: Option<(Value, usize, u64)>,
}

impl Json {
    /// Looks at the first objects for the names of columns. `items` is the path of the list of
    /// lines, or empty where each object is one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open(text: Text, items: &str) -> Result<Self, Failure> {
        let mut json = Self {
            text,
            ahead: Vec::new(),
            at: 0,
            is_done: false,
            line: 0,
            row: 0,
            columns: Vec::new(),
            items: path(items),
            wanted: Vec::new(),
            pending: None,
        };
        let mut columns = Vec::new();
        let mut seen = 0;
        while seen < SAMPLE_ROWS && json.at < SAMPLE_BYTES {
            let Some(end) = json.line_end()? else { break };
            let bytes = json.ahead.get(json.at..end).unwrap_or_default();
            if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
                name(&value, "", 0, &mut columns);
            }
            seen += 1;
            json.at = end + 1;
        }
        // The sample is read again as rows.
        json.at = 0;
        json.columns = columns;
        Ok(json)
    }

    /// The names of the columns that the first objects have.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Which paths are taken, and as what. A path that no object of the beginning has may still
    /// come: JSON has no heading.
    pub fn take(&mut self, wanted: &[(String, Field)]) {
        let of_item = |full: &[String]| !self.items.is_empty() && full.starts_with(&self.items);
        let wanted = wanted.iter().map(|(column, field)| {
            let full = path(column);
            let is_of_item = of_item(&full);
            let skip = if is_of_item { self.items.len() } else { 0 };
            Wanted {
                path: full.into_iter().skip(skip).collect(),
                field: *field,
                is_of_item,
            }
        });
        self.wanted = wanted.collect();
    }

    /// Bytes of the file taken so far.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.text.taken
    }

    /// What the first objects say at each of the columns, for people to look at.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sample(&mut self, limit: usize) -> Result<Vec<Vec<String>>, Failure> {
        let mut rows = Vec::new();
        while rows.len() < limit && self.at < SAMPLE_BYTES {
            let Some(end) = self.line_end()? else { break };
            let bytes = self.ahead.get(self.at..end).unwrap_or_default();
            let value = serde_json::from_slice::<Value>(bytes).unwrap_or_default();
            let cells = self.columns.iter().map(|column| {
                let mut first = String::new();
                each(&value, &path(column), &mut |text| {
                    if first.is_empty() {
                        text.clone_into(&mut first);
                    }
                });
                first
            });
            rows.push(cells.collect());
            self.at = end + 1;
        }
        Ok(rows)
    }

    /// Reads a stretch of rows; false at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fill(&mut self, rows: &mut Rows) -> Result<bool, Failure> {
        while !rows.is_full() {
            if let Some((value, from, line)) = self.pending.take() {
                self.keep(rows, value, from, line);
                continue;
            }
            let Some(end) = self.line_end()? else {
                return Ok(false);
            };
            self.line += 1;
            let line = self.line;
            let bytes = self.ahead.get(self.at..end).unwrap_or_default();
            self.at = end + 1;
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            if bytes.len() > MAX_LINE_BYTES {
                let why = format!("longer than {MAX_LINE_BYTES} bytes");
                self.row += 1;
                rows.rejects
                    .push(Reject::unread(self.row, line, "ROW_TOO_LONG", why));
                self.skip_line()?;
                continue;
            }
            match serde_json::from_slice::<Value>(bytes) {
                Ok(value) if value.is_object() => self.keep(rows, value, 0, line),
                Ok(_) => self.refuse(rows, line, "it is no object".to_owned()),
                Err(error) => self.refuse(rows, line, error.to_string()),
            }
        }
        Ok(true)
    }

    fn refuse(&mut self, rows: &mut Rows, line: u64, why: String) {
        self.row += 1;
        rows.rejects
            .push(Reject::unread(self.row, line, "JSON_UNREADABLE", why));
    }

    /// An object as a row, or its lines from the `from`th as rows, as many as fit.
    fn keep(&mut self, rows: &mut Rows, value: Value, from: usize, line: u64) {
        let items = match follow(&value, &self.items) {
            _ if self.items.is_empty() => None,
            Some(Value::Array(items)) => Some(items),
            Some(_) | None => {
                let why = format!("there is no list at {}", self.items.join("."));
                self.refuse(rows, line, why);
                return;
            }
        };
        let Some(items) = items else {
            self.row += 1;
            rows.begin(self.row, line);
            for wanted in &self.wanted {
                each(&value, &wanted.path, &mut |text| {
                    rows.push(wanted.field, text)
                });
            }
            return;
        };
        if items.len() > MAX_ITEMS {
            let why = format!("{} lines, over {MAX_ITEMS}", items.len());
            self.row += 1;
            rows.rejects
                .push(Reject::unread(self.row, line, "DECLARATION_TOO_LONG", why));
            return;
        }
        for (place, item) in items.iter().enumerate().skip(from) {
            if rows.is_full() {
                self.pending = Some((value, place, line));
                return;
            }
            self.row += 1;
            rows.begin(self.row, line);
            for wanted in &self.wanted {
                let of = if wanted.is_of_item { item } else { &value };
                each(of, &wanted.path, &mut |text| rows.push(wanted.field, text));
            }
        }
    }

    /// Where the next line ends, the line feed not counted; at most a little over the bound.
    fn line_end(&mut self) -> Result<Option<usize>, Failure> {
        let mut searched = self.at;
        loop {
            let rest = self.ahead.get(searched..).unwrap_or_default();
            if let Some(place) = rest.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(searched + place));
            }
            searched = self.ahead.len();
            if searched.saturating_sub(self.at) > MAX_LINE_BYTES {
                return Ok(Some(searched));
            }
            if self.is_done {
                return Ok((self.at < searched).then_some(searched));
            }
            // Columns are looked for from the first line on, so nothing is let go of before.
            if self.at > 0 && self.line > 0 {
                self.ahead.drain(..self.at.min(searched));
                searched -= self.at.min(searched);
                self.at = 0;
            }
            self.is_done = !self.fill_text()?;
        }
    }

    fn fill_text(&mut self) -> Result<bool, Failure> {
        let filled = self.text.fill(&mut self.ahead);
        filled.map_err(|e| super::input::unread(&e))
    }

    /// Drops what is left of a line that is too long.
    fn skip_line(&mut self) -> Result<(), Failure> {
        self.at = self.at.saturating_sub(1);
        loop {
            let rest = self.ahead.get(self.at..).unwrap_or_default();
            if let Some(place) = rest.iter().position(|byte| *byte == b'\n') {
                self.at += place + 1;
                return Ok(());
            }
            self.ahead.clear();
            self.at = 0;
            if self.is_done {
                return Ok(());
            }
            self.is_done = !self.fill_text()?;
        }
    }
}

fn path(text: &str) -> Vec<String> {
    let parts = text.split('.').filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// The value at a path through objects.
fn follow<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, part| value.get(part))
}

/// Says every text at a path, through objects and lists.
fn each(value: &Value, path: &[String], say: &mut impl FnMut(&str)) {
    match (value, path.split_first()) {
        (Value::Array(items), _) => items.iter().for_each(|item| each(item, path, say)),
        (Value::Object(fields), Some((first, rest))) => {
            if let Some(value) = fields.get(first) {
                each(value, rest, say);
            }
        }
        (Value::String(text), None) => say(text),
        (Value::Number(number), None) => say(&number.to_string()),
        (Value::Bool(truth), None) => say(if *truth { "yes" } else { "no" }),
        (Value::Null | Value::Object(_), None)
        | (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), Some(_)) => {}
    }
}

/// Names the paths to every text in a value.
fn name(value: &Value, prefix: &str, depth: usize, columns: &mut Vec<String>) {
    if depth > MAX_DEPTH || columns.len() >= MAX_COLUMNS {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let dot = if prefix.is_empty() { "" } else { "." };
                name(value, &format!("{prefix}{dot}{key}"), depth + 1, columns);
            }
        }
        Value::Array(items) => items
            .iter()
            .take(SAMPLE_ROWS)
            .for_each(|item| name(item, prefix, depth + 1, columns)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            if !prefix.is_empty() && !columns.iter().any(|column| column == prefix) {
                columns.push(prefix.to_owned());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_8;
    use std::io::Cursor;

    fn open(text: impl Into<Vec<u8>>, items: &str) -> Json {
        let text = Text::new(Box::new(Cursor::new(text.into())), UTF_8);
        Json::open(text, items).unwrap()
    }

    type Told = (u64, u64, Vec<String>);

    fn read(json: &mut Json) -> (Vec<Told>, Vec<Reject>) {
        let (mut all, mut rejects, mut rows) = (Vec::new(), Vec::new(), Rows::default());
        loop {
            let more = json.fill(&mut rows).unwrap();
            for row in rows.rows() {
                let values = rows.values(*row).map(|v| v.1.to_owned()).collect();
                all.push((row.number, row.line, values));
            }
            rejects.append(&mut rows.rejects);
            rows.clear();
            if !more {
                return (all, rejects);
            }
        }
    }

    #[test]
    fn objects_are_rows_and_paths_are_columns() {
        let text = "{\"id\":1,\"exporter\":{\"name\":\"Müller\"},\"gtin\":[\"1\",\"2\"]}\n\n\
                    {\"id\":2,\"bond\":true}\nnot json\n[1]\n{\"id\":3}";
        let mut json = open(text, "");
        assert_eq!(json.columns(), ["exporter.name", "gtin", "id", "bond"]);
        json.take(&[
            ("id".into(), Field::Item),
            ("exporter.name".into(), Field::Description),
            ("gtin".into(), Field::Gtin),
            ("bond".into(), Field::UnderBond),
        ]);
        let (rows, rejects) = read(&mut json);
        assert_eq!(
            rows[0],
            (
                1,
                1,
                vec!["1".into(), "Müller".into(), "1".into(), "2".into()]
            )
        );
        assert_eq!(rows[1], (2, 3, vec!["2".into(), "yes".into()]));
        assert_eq!(rows[2], (5, 6, vec!["3".into()]));
        let told: Vec<_> = rejects.iter().map(|r| (r.row, r.line, r.code)).collect();
        assert_eq!(told, [(3, 4, "JSON_UNREADABLE"), (4, 5, "JSON_UNREADABLE")]);
    }

    #[test]
    fn a_declaration_of_fifty_thousand_lines_is_read_stretch_by_stretch() {
        let item = |n: usize| format!("{{\"no\":{n},\"what\":\"lamp\"}}");
        let items: Vec<String> = (1..=50_000).map(item).collect();
        let text = format!(
            "{{\"mrn\":\"M1\",\"goods\":{{\"items\":[{}]}}}}\n",
            items.join(",")
        );
        let mut json = open(text, "goods.items");
        json.take(&[
            ("mrn".into(), Field::Declaration),
            ("goods.items.no".into(), Field::Item),
        ]);
        let (rows, rejects) = read(&mut json);
        assert_eq!((rows.len(), rejects.len()), (50_000, 0));
        assert_eq!(rows[49_999].2, ["M1", "50000"]);
    }

    #[test]
    fn depth_and_length_have_bounds() {
        let deep = format!(
            "{}1{}\n{{\"a\":1}}\n",
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        let mut json = open(deep, "");
        json.take(&[("a".into(), Field::Item)]);
        let (rows, rejects) = read(&mut json);
        assert_eq!((rows.len(), rejects.len()), (1, 1));
        let long = [
            vec![b'x'; MAX_LINE_BYTES + 100_000],
            b"\n{\"a\":1}\n".to_vec(),
        ]
        .concat();
        let mut json = open(long, "");
        json.take(&[("a".into(), Field::Item)]);
        let (rows, rejects) = read(&mut json);
        assert_eq!((rows.len(), rejects.len()), (1, 1));
        assert_eq!(rejects[0].code, "ROW_TOO_LONG");
    }
}
