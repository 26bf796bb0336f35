//! A stretch of rows as they were read: one text, and where in it each value stands.

use super::field::Field;

/// Rows in one stretch, at most.
pub const MAX_ROWS: usize = 2_048;
/// Bytes of text after which a stretch is handed on; one row more may stand in it.
pub const FULL_BYTES: usize = 512 * 1_024;
/// Longest value kept, in bytes; a longer one is cut there and said so.
pub const MAX_VALUE_BYTES: usize = 8_192;
/// Values of one row, at most.
pub const MAX_VALUES: u32 = 256;

/// Why a row could not be read, or only with damage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Place of the row in the file, from 1; 0 where it never became one.
    pub row: u64,
    /// Line of the file it begins at, from 1.
    pub line: u64,
    /// Stable reason; `tocsin explain CODE` says more.
    pub code: &'static str,
    /// The particulars.
    pub why: String,
    /// Whether what could be read of it was screened nevertheless.
    pub is_screened: bool,
}

/// One row of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the file, from 1; a heading does not count.
    pub number: u64,
    /// Line of the file it begins at, from 1.
    pub line: u64,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value {
    field: Field,
    start: u32,
    end: u32,
}

/// A stretch of rows, and what could not be read between them.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    text: String,
    values: Vec<Value>,
    rows: Vec<Row>,
    /// What could not be read, in the order of the file.
    pub rejects: Vec<Reject>,
}

impl Reject {
    /// A row of which nothing was screened.
    #[must_use]
    pub const fn unread(row: u64, line: u64, code: &'static str, why: String) -> Self {
        Self {
            row,
            line,
            code,
            why,
            is_screened: false,
        }
    }
}

impl Rows {
    /// Forgets everything, and keeps the room for more.
    pub fn clear(&mut self) {
        self.text.clear();
        self.values.clear();
        self.rows.clear();
        self.rejects.clear();
    }

    /// Whether it is time to hand it on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.rows.len() >= MAX_ROWS
            || self.text.len() >= FULL_BYTES
            || self.rejects.len() >= MAX_ROWS
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.rejects.is_empty()
    }

    /// Begins a row; its values follow.
    pub fn begin(&mut self, number: u64, line: u64) {
        let at = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.rows.push(Row {
            number,
            line,
            first: at,
            last: at,
        });
    }

    /// Adds a value to the row begun last; what is blank says nothing. What is cut or damaged is
    /// told once a row, and screened as far as it reads.
    pub fn push(&mut self, field: Field, value: &str) {
        let value = value.trim();
        let Some(row) = self.rows.last_mut() else {
            return;
        };
        if value.is_empty() {
            return;
        }
        let (number, line, begun) = (row.number, row.line, row.last - row.first);
        let (kept, is_whole) = cut(value);
        let start = self.text.len();
        let place = u32::try_from(start).ok();
        let place = place.zip(u32::try_from(start + kept.len()).ok());
        if let (Some((start, end)), ..MAX_VALUES) = (place, begun) {
            self.text.push_str(kept);
            self.values.push(Value { field, start, end });
            row.last += 1;
        } else {
            let why = format!("more than {MAX_VALUES} values; the first are screened");
            self.damage(number, line, "ROW_TOO_LONG", why);
        }
        if !is_whole {
            let why = format!("{} is cut to {MAX_VALUE_BYTES} bytes", field.word());
            self.damage(number, line, "VALUE_TOO_LONG", why);
        } else if is_damaged(kept) {
            let why = format!("in {}; screened as far as it reads", field.word());
            self.damage(number, line, "BYTES_UNREADABLE", why);
        }
    }

    fn damage(&mut self, row: u64, line: u64, code: &'static str, why: String) {
        if self.rejects.last().is_some_and(|last| last.row == row) {
            return;
        }
        self.rejects.push(Reject {
            row,
            line,
            code,
            why,
            is_screened: true,
        });
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What a row says.
    pub fn values(&self, row: Row) -> impl Iterator<Item = (Field, &str)> + Clone {
        let range = row.first as usize..row.last as usize;
        let values = self.values.get(range).unwrap_or_default();
        values.iter().map(|value| {
            let range = value.start as usize..value.end as usize;
            (value.field, self.text.get(range).unwrap_or_default())
        })
    }
}

/// Whether it has bytes that were no text, or zeros. Nearly no value has a byte that U+FFFD begins
/// with, and bytes are looked at faster than letters.
fn is_damaged(text: &str) -> bool {
    let may_be = text.bytes().any(|byte| byte == 0 || byte == 0xef);
    may_be && text.contains(['\u{fffd}', '\0'])
}

fn cut(value: &str) -> (&str, bool) {
    if value.len() <= MAX_VALUE_BYTES {
        return (value, true);
    }
    let mut end = MAX_VALUE_BYTES;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    (value.get(..end).unwrap_or_default(), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_of_a_row_is_read_back_and_blanks_say_nothing() {
        let mut rows = Rows::default();
        rows.begin(1, 2);
        rows.push(Field::Gtin, " 4006381333931 ");
        rows.push(Field::Model, "  ");
        rows.begin(2, 3);
        rows.push(Field::Origin, "CN");
        assert!(rows.rejects.is_empty());
        let said = |at: usize| -> Vec<(Field, &str)> { rows.values(rows.rows()[at]).collect() };
        assert_eq!(said(0), [(Field::Gtin, "4006381333931")]);
        assert_eq!(said(1), [(Field::Origin, "CN")]);
    }

    #[test]
    fn a_row_has_bounds() {
        let mut rows = Rows::default();
        rows.begin(1, 1);
        rows.push(Field::Description, &"あ".repeat(MAX_VALUE_BYTES));
        for _ in 0..MAX_VALUES {
            rows.push(Field::Serial, "1");
        }
        assert_eq!(rows.values(rows.rows()[0]).count(), 256);
        let told: Vec<_> = rows
            .rejects
            .iter()
            .map(|r| (r.code, r.is_screened))
            .collect();
        assert_eq!(told, [("VALUE_TOO_LONG", true)]);
    }
}
