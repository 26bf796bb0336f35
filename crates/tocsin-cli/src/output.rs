//! What commands print: one set of JSON objects, shown as a table, JSON, JSON lines or CSV.
//!
//! Text that came from elsewhere never reaches the terminal raw: see [`clean`].

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use crate::codes;
use crate::failure::{Exit, Failure};
use crate::progress::Progress;

mod layout;

use layout::{cells, csv_line, paragraph, text_of};

/// Version of the JSON forms; grows when a field changes its meaning.
pub const JSON_VERSION: u32 = 1;

/// Whoever read the output has had enough, as `head` has: nothing to complain of.
const READER_GONE: &str = "READER_GONE";

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON document with `"version": 1`.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// RFC 4180 with a header line.
    Csv,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A column of a table: its heading, and the key of the objects it shows.
pub type Column = (&'static str, &'static str);

/// Where a command's words go.
pub struct Output {
    format: Format,
    quiet: bool,
    color: bool,
    /// Columns of the terminal; none when the output goes to a file or a pipe, where nothing is
    /// cut.
    room: Option<usize>,
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Output {
    /// Prints to the process's own streams.
    #[must_use]
    pub fn new(format: Format, color: Color, quiet: bool) -> Self {
        use std::io::IsTerminal;
        let plain = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !plain && io::stdout().is_terminal(),
        };
        Self {
            format,
            quiet,
            color,
            room: terminal_columns(),
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
        }
    }

    /// Prints to the given writers.
    #[must_use]
    pub fn to(format: Format, out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self {
            format,
            quiet: false,
            color: false,
            room: None,
            out,
            err,
        }
    }

    /// The form asked for.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Shows how far something long has come; see [`Progress`].
    #[must_use]
    pub fn progress(&self, what: &str, total: Option<u64>) -> Progress {
        Progress::new(what, total, !self.quiet)
    }

    /// How far a file of so many bytes has been read, with its rows and the time left.
    #[must_use]
    pub fn file_progress(&self, what: &str, bytes: u64) -> Progress {
        Progress::of_file(what, bytes, !self.quiet)
    }

    /// A sentence for people; nothing in the machine forms.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn say(&mut self, text: &str) -> Result<(), Failure> {
        if self.quiet || self.format != Format::Table {
            return Ok(());
        }
        self.line(&clean(text))
    }

    /// A line that is itself the result, for people; nothing in the machine forms.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.format != Format::Table {
            return Ok(());
        }
        self.line(&clean(text))
    }

    /// A remark beside the result, on the error stream, so that pipes stay clean.
    pub fn note(&mut self, text: &str) {
        if !self.quiet {
            let _gone = writeln!(self.err, "{}", clean(text));
        }
    }

    /// Text as it is, such as a scaffold: made here, not received.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn raw(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes()).map_err(|e| closed(&e))
    }

    /// A list of objects of one kind.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn list(&mut self, kind: &str, columns: &[Column], rows: &[Value]) -> Result<(), Failure> {
        match self.format {
            Format::Json => {
                self.json(&json!({"version": JSON_VERSION, "kind": kind, "items": rows}))
            }
            Format::Jsonl => rows.iter().try_for_each(|row| self.event(kind, row)),
            Format::Csv => {
                let head: Vec<String> = columns.iter().map(|c| c.1.to_owned()).collect();
                self.line(&head.join(","))?;
                rows.iter()
                    .try_for_each(|row| self.line(&csv_line(&cells(columns, row, false))))
            }
            Format::Table => self.table(columns, rows),
        }
    }

    /// One object: `key  value` lines for people.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn object(&mut self, kind: &str, columns: &[Column], value: &Value) -> Result<(), Failure> {
        match self.format {
            Format::Json => self.json(&versioned(kind, value)),
            Format::Jsonl => self.event(kind, value),
            Format::Csv => self.list(kind, columns, std::slice::from_ref(value)),
            Format::Table => {
                let wide = columns.iter().map(|c| c.0.width()).max().unwrap_or(0);
                for (heading, key) in columns {
                    let text = value.get(key).map(|v| text_of(v, true)).unwrap_or_default();
                    if !text.is_empty() {
                        let gap = " ".repeat(wide.saturating_sub(heading.width()) + 2);
                        let text = paragraph(&text, wide + 2, self.room);
                        self.line(&format!("{}{gap}{text}", self.paint(heading)))?;
                    }
                }
                Ok(())
            }
        }
    }

    /// One object of a stream: a JSON line in every machine form.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn event(&mut self, kind: &str, value: &Value) -> Result<(), Failure> {
        let text = versioned(kind, value).to_string();
        self.line(&escape_json(&text))
    }

    /// Says why a command failed: on the error stream, and as JSON on the other when that was
    /// asked.
    pub fn failure(&mut self, failure: &Failure) {
        if failure.code.as_deref() == Some(READER_GONE) {
            return;
        }
        let remedy = || {
            failure
                .code
                .as_deref()
                .and_then(|code| codes::find(code, &[]))
        };
        let advice = failure
            .advice
            .clone()
            .or_else(|| remedy().map(|page| page.remedy.to_owned()));
        if matches!(self.format, Format::Json | Format::Jsonl) {
            let value = json!({
                "exit": failure.exit.number(), "code": failure.code,
                "message": failure.message, "details": failure.details, "advice": advice,
            });
            let _gone = self.event("error", &value);
        }
        let mut text = String::from("error");
        if let Some(code) = &failure.code {
            text.push_str(&format!(" [{code}]"));
        }
        text.push_str(&format!(": {}", failure.message));
        for detail in &failure.details {
            text.push_str(&format!("\n  {detail}"));
        }
        if let Some(advice) = &advice {
            text.push_str(&format!("\n  to do: {advice}"));
        }
        let _gone = writeln!(self.err, "{}", clean(&text));
    }

    fn json(&mut self, value: &Value) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| Failure::new(Exit::Failed, format!("cannot print: {e}")))?;
        self.line(&escape_json(&text))
    }

    fn table(&mut self, columns: &[Column], rows: &[Value]) -> Result<(), Failure> {
        let mut lines = layout::table(columns, rows, self.room).into_iter();
        let head = lines.next().unwrap_or_default();
        self.line(&self.paint(&head))?;
        lines.try_for_each(|line| self.line(&line))
    }

    fn paint(&self, text: &str) -> String {
        if self.color {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(|e| closed(&e))
    }
}

/// Makes text from elsewhere safe to show: no control character but a line feed, nothing that
/// turns the direction of writing (Unicode TR 36), so no log entry can move a cursor or hide a
/// name.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c != '\n' && is_unsafe(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// [`clean`], on one line.
#[must_use]
pub fn clean_line(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c })
        .collect();
    clean(&flat)
}

/// A row of a CSV file: on one line, every text quoted, and none that a spreadsheet would run.
#[must_use]
pub fn csv_row(cells: &[String]) -> String {
    let safe: Vec<String> = cells.iter().map(|cell| clean_line(cell)).collect();
    csv_line(&safe)
}

/// A cell as it was before [`csv_row`]: without the mark that keeps a spreadsheet from running it.
#[must_use]
pub fn csv_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// C0, DEL, C1, bidirectional controls, line and paragraph separators, invisible tags.
const fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// JSON keeps the exact text, so what is unsafe to show is escaped rather than replaced. All
/// structure is ASCII: such characters stand only inside strings.
fn escape_json(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                safe.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A value under its envelope: a field of its own that is named as one of the envelope's would be
/// lost, so none is.
fn versioned(kind: &str, value: &Value) -> Value {
    let mut object = match value {
        Value::Object(fields) => fields.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::from_iter([("value".to_owned(), value.clone())])
        }
    };
    object.insert("version".to_owned(), json!(JSON_VERSION));
    object.insert("kind".to_owned(), json!(kind));
    Value::Object(object)
}

/// Columns of the terminal that standard output is, unless it is none.
fn terminal_columns() -> Option<usize> {
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(columns)).filter(|columns| *columns > 0)
}

fn closed(error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Failed, format!("cannot write the result: {error}"));
    if error.kind() == io::ErrorKind::BrokenPipe {
        return failure.code(READER_GONE);
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn printed(format: Format, work: impl FnOnce(&mut Output)) -> String {
        let shared = Shared::default();
        let mut output = Output::to(format, Box::new(shared.clone()), Box::new(io::sink()));
        work(&mut output);
        let bytes = shared.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    const HOSTILE: &str = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\u{200f}e\u{7f}f\u{2066}g";

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        let safe = clean(HOSTILE);
        assert!(!safe.chars().any(is_unsafe));
        assert!(safe.starts_with("a\u{fffd}[2Jb"));
        assert_eq!(clean_line("one\ntwo"), "one two");
        assert_eq!(clean("日本 한국 Ünïcode"), "日本 한국 Ünïcode");
    }

    #[test]
    fn no_form_of_output_lets_an_escape_through() {
        for format in [Format::Table, Format::Json, Format::Jsonl, Format::Csv] {
            let text = printed(format, |out| {
                let rows = [json!({"title": HOSTILE})];
                out.list("orders", &[("TITLE", "title")], &rows).unwrap();
                out.object("order", &[("TITLE", "title")], &rows[0])
                    .unwrap();
                out.say(HOSTILE).unwrap();
            });
            assert!(
                !text.chars().any(|c| c != '\n' && is_unsafe(c)),
                "{format:?}: {text:?}"
            );
        }
    }

    #[test]
    fn json_keeps_the_exact_text_escaped() {
        let text = printed(Format::Json, |out| {
            out.object("order", &[], &json!({"title": HOSTILE}))
                .unwrap();
        });
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["title"], HOSTILE);
        assert_eq!(back["version"], 1);
        assert_eq!(back["kind"], "order");
    }

    #[test]
    fn a_reader_that_has_had_enough_is_told_nothing() {
        let shared = Shared::default();
        let (out, err) = (Box::new(io::sink()), Box::new(shared.clone()));
        let mut output = Output::to(Format::Table, out, err);
        output.failure(&closed(&io::ErrorKind::BrokenPipe.into()));
        assert!(shared.0.lock().unwrap().is_empty());
        output.failure(&closed(&io::ErrorKind::StorageFull.into()));
        assert!(!shared.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_table_lines_up_wide_characters() {
        let text = printed(Format::Table, |out| {
            let rows = [
                json!({"a": "日本", "b": "x"}),
                json!({"a": "abcd", "b": "y"}),
            ];
            out.list("things", &[("A", "a"), ("B", "b")], &rows)
                .unwrap();
        });
        assert_eq!(text, "A     B\n日本  x\nabcd  y\n");
    }

    #[test]
    fn csv_quotes_and_defuses_formulas() {
        let text = printed(Format::Csv, |out| {
            let rows = [json!({"a": "x,\"y\"", "b": "=HYPERLINK(1)", "c": -3})];
            out.list("things", &[("A", "a"), ("B", "b"), ("C", "c")], &rows)
                .unwrap();
        });
        assert_eq!(text, "a,b,c\n\"x,\"\"y\"\"\",\"'=HYPERLINK(1)\",-3\n");
    }
}
