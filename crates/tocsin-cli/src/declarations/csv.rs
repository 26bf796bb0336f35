//! CSV as customs offices send it: whatever separator, quotes that do not close, lines without end.
//!
//! RFC 4180 by `csv-core`; the bounds are ours. A row that is too long, or has another number of
//! cells than the heading and runs over several lines, is taken for a quote without its partner:
//! its first line is told, and reading goes on at the next one.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::encoding::Text;
use super::field::Field;
use super::rows::{Reject, Rows};
use crate::failure::Failure;

/// Longest row in bytes of UTF-8.
pub const MAX_ROW_BYTES: usize = 1_048_576;
/// Columns of a file, at most.
pub const MAX_COLUMNS: usize = 4_096;
/// Separators that are tried, in the order of preference among equals.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that are asked for the separator.
const SAMPLE_ROWS: usize = 32;
/// Bytes asked for it, at most.
const SAMPLE_BYTES: usize = 256 * 1_024;
/// Text that is done with is let go of after this many bytes.
const DONE_BYTES: usize = 256 * 1_024;

/// A file of comma-separated values, or separated by something else.
#[derive(Debug)]
pub struct Csv {
    text: Text,
    separator: u8,
    reader: Reader,
    /// Text read ahead. The row read last stands from `at` to `end`.
    ahead: Vec<u8>,
    at: usize,
    end: usize,
    /// Line of the file that `end` stands in, from 1.
    line: u64,
    is_done: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
    /// Cells of the row read last.
    width: usize,
    columns: Vec<String>,
    wanted: Vec<(usize, Field)>,
    row: u64,
}

/// What the next row was, and the line it begins at.
enum Next {
    Row(u64),
    Long(u64),
    End,
}

impl Csv {
    /// Reads the heading. `separator` is detected when there is none; without a heading, columns
    /// are named by their place, from 1.
    ///
    /// # Errors
    /// When it cannot be read, or its first row is none.
    pub fn open(mut text: Text, separator: Option<u8>, has_heading: bool) -> Result<Self, Failure> {
        let mut ahead = Vec::new();
        while ahead.len() < SAMPLE_BYTES && text.fill(&mut ahead).map_err(|e| unread(&e))? {}
        let separator = separator.unwrap_or_else(|| detect_separator(&ahead));
        let mut csv = Self {
            text,
            separator,
            reader: ReaderBuilder::new().delimiter(separator).build(),
            ahead,
            at: 0,
            end: 0,
            line: 1,
            is_done: false,
            cells: vec![0; 4_096],
            ends: vec![0; 64],
            width: 0,
            columns: Vec::new(),
            wanted: Vec::new(),
            row: 0,
        };
        match csv.next()? {
            Next::Row(_) if has_heading => csv.columns = headings(csv.texts()),
            Next::Row(_) => {
                csv.columns = (1..=csv.width).map(|place| place.to_string()).collect();
                // It is a row as well: it is read again.
                (csv.end, csv.line) = (0, 1);
                csv.reader.reset();
            }
            Next::Long(_) => {
                let why = format!(
                    "the first row is longer than {MAX_ROW_BYTES} bytes or {MAX_COLUMNS} columns"
                );
                return Err(Failure::usage(why).code("ROW_TOO_LONG"));
            }
            Next::End => return Err(Failure::usage("the file has no rows").code("FILE_EMPTY")),
        }
        Ok(csv)
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// What stands between two cells.
    #[must_use]
    pub const fn separator(&self) -> u8 {
        self.separator
    }

    /// Which columns are taken, and as what.
    pub fn take(&mut self, wanted: Vec<(usize, Field)>) {
        self.wanted = wanted;
    }

    /// Bytes of the file taken so far.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.text.taken
    }

    /// Reads a stretch of rows; false at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn fill(&mut self, rows: &mut Rows) -> Result<bool, Failure> {
        while !rows.is_full() {
            match self.next()? {
                Next::End => return Ok(false),
                Next::Row(line) if self.width == self.columns.len() => self.keep(rows, line),
                Next::Row(line) => self.reject(rows, line)?,
                Next::Long(line) => {
                    self.skip_line(line)?;
                    let why = format!(
                        "longer than {MAX_ROW_BYTES} bytes or {MAX_COLUMNS} cells: a quote without \
                         its partner?"
                    );
                    self.row += 1;
                    rows.rejects
                        .push(Reject::unread(self.row, line, "ROW_TOO_LONG", why));
                }
            }
        }
        Ok(true)
    }

    /// Some rows as they stand, for people to look at.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sample(&mut self, limit: usize) -> Result<Vec<Vec<String>>, Failure> {
        let mut rows = Vec::new();
        while rows.len() < limit {
            match self.next()? {
                Next::Row(_) => rows.push(self.texts().map(str::to_owned).collect()),
                Next::Long(line) => self.skip_line(line)?,
                Next::End => break,
            }
        }
        Ok(rows)
    }

    /// The next row as it stands; what cannot be read is passed over.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn row(&mut self) -> Result<Option<Vec<String>>, Failure> {
        Ok(self.sample(1)?.pop())
    }

    fn next(&mut self) -> Result<Next, Failure> {
        self.begin()?;
        let line = self.line;
        let (mut wrote, mut ended) = (0, 0);
        loop {
            if self.end == self.ahead.len() && !self.is_done {
                self.is_done = !self.text.fill(&mut self.ahead).map_err(|e| unread(&e))?;
                continue;
            }
            // An empty input says that there is no more.
            let input = self.ahead.get(self.end..).unwrap_or_default();
            let (cells, ends) = (self.cells.get_mut(wrote..), self.ends.get_mut(ended..));
            let (result, took, out, cells) =
                self.reader
                    .read_record(input, cells.unwrap_or_default(), ends.unwrap_or_default());
            self.end += took;
            wrote += out;
            ended += cells;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => {
                    self.width = ended;
                    let row = self.ahead.get(self.at..self.end).unwrap_or_default();
                    self.line += row.iter().filter(|byte| **byte == b'\n').count() as u64;
                    return Ok(Next::Row(line));
                }
                ReadRecordResult::End => return Ok(Next::End),
            }
            if self.end - self.at > MAX_ROW_BYTES || ended > MAX_COLUMNS {
                return Ok(Next::Long(line));
            }
        }
    }

    /// Goes to where the next row begins: a line feed that ends the last one, and empty lines, are
    /// none of it.
    fn begin(&mut self) -> Result<(), Failure> {
        loop {
            match self.ahead.get(self.end) {
                Some(b'\n') => self.line += 1,
                Some(b'\r') => {}
                Some(_) => break,
                None if self.is_done => break,
                None => {
                    self.is_done = !self.text.fill(&mut self.ahead).map_err(|e| unread(&e))?;
                    continue;
                }
            }
            self.end += 1;
        }
        if self.end > DONE_BYTES {
            self.ahead.drain(..self.end);
            self.end = 0;
        }
        self.at = self.end;
        Ok(())
    }

    /// Takes only the first line of the row read last, however long, for what could not be read.
    fn skip_line(&mut self, line: u64) -> Result<(), Failure> {
        self.reader.reset();
        self.line = line + 1;
        self.end = self.at;
        loop {
            let rest = self.ahead.get(self.end..).unwrap_or_default();
            if let Some(place) = rest.iter().position(|byte| *byte == b'\n') {
                self.end += place + 1;
                return Ok(());
            }
            // A line without end is dropped as it comes.
            self.ahead.clear();
            (self.at, self.end) = (0, 0);
            if self.is_done {
                return Ok(());
            }
            self.is_done = !self.text.fill(&mut self.ahead).map_err(|e| unread(&e))?;
        }
    }

    /// Cells of the row read last.
    fn texts(&self) -> impl Iterator<Item = &str> {
        (0..self.width).map(|place| self.cell(place))
    }

    fn cell(&self, place: usize) -> &str {
        let before = place
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let (from, end) = (before.copied().unwrap_or(0), self.ends.get(place));
        let cell = end.and_then(|end| self.cells.get(from..*end));
        // The text is UTF-8 and what separates is ASCII, so every cell is UTF-8.
        std::str::from_utf8(cell.unwrap_or_default()).unwrap_or_default()
    }

    fn keep(&mut self, rows: &mut Rows, line: u64) {
        self.row += 1;
        rows.begin(self.row, line);
        for (place, field) in &self.wanted {
            rows.push(*field, self.cell(*place));
        }
    }

    /// A row with too many or too few cells.
    fn reject(&mut self, rows: &mut Rows, line: u64) -> Result<(), Failure> {
        let mut why = format!("{} cells, not {}", self.width, self.columns.len());
        let row = self.ahead.get(self.at..self.end).unwrap_or_default();
        if row.trim_ascii_end().contains(&b'\n') {
            why.push_str(", over several lines: a quote without its partner?");
            self.skip_line(line)?;
        }
        self.row += 1;
        rows.rejects
            .push(Reject::unread(self.row, line, "CELL_COUNT", why));
        Ok(())
    }
}

/// Names of columns as they stand; one that stands twice gets its place as well, so that each can
/// be named.
fn headings<'a>(cells: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (place, cell) in cells.enumerate() {
        let name = cell.trim().to_owned();
        let is_plain = !name.is_empty() && !names.contains(&name);
        names.push(if is_plain {
            name
        } else {
            format!("{name}#{}", place + 1)
        });
    }
    names
}

/// The separator that divides the first rows into the most cells, as many in each.
fn detect_separator(sample: &[u8]) -> u8 {
    let judged = SEPARATORS.map(|separator| (judge(sample, separator), separator));
    let best = judged.iter().map(|(score, _)| *score).max().unwrap_or(0);
    let first = judged.iter().find(|(score, _)| *score == best);
    first.map_or(b',', |(_, separator)| *separator)
}

/// Cells of the first row, times how many of the rows have as many.
fn judge(sample: &[u8], separator: u8) -> usize {
    let mut reader = ReaderBuilder::new().delimiter(separator).build();
    let mut rest = sample;
    let mut widths: Vec<usize> = Vec::new();
    let (mut cells, mut ends) = (vec![0; SAMPLE_BYTES * 4], vec![0; MAX_COLUMNS]);
    while widths.len() < SAMPLE_ROWS {
        let (result, took, _, width) = reader.read_record(rest, &mut cells, &mut ends);
        rest = rest.get(took..).unwrap_or_default();
        if result != ReadRecordResult::Record {
            break;
        }
        widths.push(width);
    }
    if widths.is_empty() {
        // One row without an end.
        return sample.iter().filter(|byte| **byte == separator).count();
    }
    let first = widths.first().copied().unwrap_or(0);
    let alike = widths.iter().filter(|width| **width == first).count();
    (first.saturating_sub(1)) * alike * SAMPLE_ROWS / widths.len()
}

fn unread(error: &std::io::Error) -> Failure {
    super::input::unread(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_8;
    use std::io::Cursor;

    fn open(text: impl Into<Vec<u8>>) -> Csv {
        let text = Text::new(Box::new(Cursor::new(text.into())), UTF_8);
        let mut csv = Csv::open(text, None, true).unwrap();
        let fields = [Field::Declaration, Field::Description, Field::Origin];
        csv.take(fields.into_iter().enumerate().collect());
        csv
    }

    fn read(csv: &mut Csv) -> Rows {
        let (mut all, mut rows, mut rejects) = (Rows::default(), Rows::default(), Vec::new());
        while csv.fill(&mut rows).unwrap() || !rows.is_empty() {
            for row in rows.rows() {
                all.begin(row.number, row.line);
                for (field, value) in rows.values(*row) {
                    all.push(field, value);
                }
            }
            rejects.append(&mut rows.rejects);
            rows.clear();
        }
        all.rejects = rejects;
        all
    }

    fn said(rows: &Rows) -> Vec<(u64, u64, Vec<&str>)> {
        let of = |row: &super::super::rows::Row| rows.values(*row).map(|v| v.1).collect();
        rows.rows()
            .iter()
            .map(|row| (row.number, row.line, of(row)))
            .collect()
    }

    #[test]
    fn separators_are_detected_and_quotes_hold_them() {
        for separator in [",", ";", "\t", "|"] {
            let text = "id,what,origin\r\n1,\"lamps; of, \"\"glass\"\"\r\nand more\",CN\r\n2,x,JP";
            let text = if separator == "," {
                text.to_owned()
            } else {
                text.replace("id,what,origin", &["id", "what", "origin"].join(separator))
                    .replace("\n1,", &format!("\n1{separator}"))
                    .replace("\",CN", &format!("\"{separator}CN"))
                    .replace("2,x,JP", &["2", "x", "JP"].join(separator))
            };
            let mut csv = open(text);
            assert_eq!(csv.columns(), ["id", "what", "origin"], "{separator:?}");
            let rows = read(&mut csv);
            assert_eq!(
                said(&rows),
                [
                    (1, 2, vec!["1", "lamps; of, \"glass\"\r\nand more", "CN"]),
                    (2, 4, vec!["2", "x", "JP"])
                ]
            );
            assert!(rows.rejects.is_empty());
        }
    }

    #[test]
    fn a_quote_without_partner_costs_its_row_and_not_the_file() {
        for ending in ["\n", "\r\n"] {
            let text = [
                "id,what,origin",
                "1,\"lamps,CN",
                "2,ropes,JP",
                "",
                "3,nets,KR",
                "",
            ];
            let rows = read(&mut open(text.join(ending)));
            assert_eq!(
                said(&rows),
                [
                    (2, 3, vec!["2", "ropes", "JP"]),
                    (3, 5, vec!["3", "nets", "KR"])
                ]
            );
            let [reject] = &rows.rejects[..] else {
                panic!("{:?}", rows.rejects);
            };
            assert_eq!((reject.row, reject.line, reject.code), (1, 2, "CELL_COUNT"));
        }
    }

    #[test]
    fn a_row_without_end_costs_its_line_and_no_memory() {
        let mut text = String::from("id,what,origin\n1,\"lamps,CN\n");
        for row in 2..60_000 {
            text.push_str(&format!("{row},a rope of some length,JP\n"));
        }
        assert!(text.len() > MAX_ROW_BYTES);
        let mut csv = open(text);
        let rows = read(&mut csv);
        assert_eq!(rows.rows().len(), 59_998);
        assert_eq!(rows.rejects.len(), 1);
        assert_eq!(rows.rejects[0].code, "ROW_TOO_LONG");
        assert!(csv.cells.len() <= 2 * MAX_ROW_BYTES);
        let mut csv = open([b"id,what,origin\n".to_vec(), vec![b'x'; 5_000_000]].concat());
        let rows = read(&mut csv);
        assert_eq!((rows.rows().len(), rows.rejects.len()), (0, 1));
    }

    #[test]
    fn rows_of_another_width_are_told() {
        let rows = read(&mut open("id,what,origin\n1,a\n2,b,CN,x\n3,c,JP\n"));
        assert_eq!(said(&rows), [(3, 4, vec!["3", "c", "JP"])]);
        let told: Vec<&str> = rows.rejects.iter().map(|r| r.why.as_str()).collect();
        assert_eq!(told, ["2 cells, not 3", "4 cells, not 3"]);
    }

    #[test]
    fn damage_is_told_and_the_rest_screened() {
        let rows = read(&mut open(
            b"id,what,origin\n1,la\xffmps,CN\n2,ro\0pes,JP\n".to_vec(),
        ));
        assert_eq!(rows.rows().len(), 2);
        for reject in &rows.rejects {
            assert_eq!(
                (reject.code, reject.is_screened),
                ("BYTES_UNREADABLE", true)
            );
        }
        assert_eq!(rows.rejects.len(), 2);
    }

    #[test]
    fn columns_are_told_apart_by_name_or_place() {
        let csv = open("name, name ,,x\n");
        assert_eq!(csv.columns(), ["name", "name#2", "#3", "x"]);
        let text = Text::new(Box::new(Cursor::new(b"1;2\n3;4\n".to_vec())), UTF_8);
        let mut csv = Csv::open(text, None, false).unwrap();
        assert_eq!(csv.columns(), ["1", "2"]);
        csv.take(vec![(1, Field::Origin)]);
        let rows = read(&mut csv);
        assert_eq!(said(&rows), [(1, 1, vec!["2"]), (2, 2, vec!["4"])]);
    }

    #[test]
    fn an_empty_file_is_refused() {
        for text in ["", "\n\r\n"] {
            let text = Text::new(Box::new(Cursor::new(text.as_bytes().to_vec())), UTF_8);
            let failure = Csv::open(text, None, true).unwrap_err();
            assert_eq!(failure.code.as_deref(), Some("FILE_EMPTY"));
        }
    }
}
