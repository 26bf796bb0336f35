//! How rows become lines: columns that fit the terminal, wrapped values, and CSV that a spreadsheet
//! does not run.

use serde_json::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Column, clean, clean_line};

/// Columns between two cells.
const GAP: usize = 2;
/// No cell is cut to less than this, in columns.
const MIN_CELL_COLUMNS: usize = 10;
/// No value is wrapped into less than this, in columns.
const MIN_TEXT_COLUMNS: usize = 24;
/// What a spreadsheet may take for the beginning of a formula; `'` so that the mark we set can be
/// told from one that was there.
const ACTIVE: [char; 9] = ['=', '+', '-', '@', '\'', '＝', '＋', '－', '＠'];

/// The cells of a row; `readable` for people, else for machines.
pub(super) fn cells(columns: &[Column], row: &Value, readable: bool) -> Vec<String> {
    let cell = |(_, key): &Column| {
        row.get(key)
            .map(|v| clean_line(&text_of(v, readable)))
            .unwrap_or_default()
    };
    columns.iter().map(cell).collect()
}

/// A value as text.
pub(super) fn text_of(value: &Value, readable: bool) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text),
        Value::Bool(true) if readable => "yes".to_owned(),
        Value::Bool(false) if readable => String::new(),
        Value::Array(items) => {
            let parts: Vec<String> = items.iter().map(|v| text_of(v, readable)).collect();
            parts.join(if readable { ", " } else { ";" })
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => clean(&value.to_string()),
    }
}

/// Lines of a table, the heading first. Given a width, the widest columns are cut with an ellipsis
/// until all fit; the first, which names the row, never is.
pub(super) fn table(columns: &[Column], rows: &[Value], room: Option<usize>) -> Vec<String> {
    let mut lines = vec![columns.iter().map(|c| c.0.to_owned()).collect()];
    lines.extend(rows.iter().map(|row| cells(columns, row, true)));
    let mut widths: Vec<usize> = (0..columns.len())
        .map(|at| {
            let cell = |row: &Vec<String>| row.get(at).map_or(0, |c| c.width());
            lines.iter().map(cell).max().unwrap_or(0)
        })
        .collect();
    if let Some(room) = room {
        fit(&mut widths, room);
    }
    lines.iter().map(|row| aligned(row, &widths)).collect()
}

/// Takes from the widest column but the first until the line fits, or none can give.
fn fit(widths: &mut [usize], room: usize) {
    loop {
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let widest = widths
            .iter_mut()
            .skip(1)
            .max()
            .filter(|wide| **wide > MIN_CELL_COLUMNS);
        match widest {
            Some(widest) if total > room => *widest -= 1,
            Some(_) | None => return,
        }
    }
}

/// One line of a table.
fn aligned(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, wide) in row.iter().zip(widths) {
        let cell = shortened(cell, *wide);
        line.push_str(&cell);
        line.push_str(&" ".repeat(wide.saturating_sub(cell.width()) + GAP));
    }
    line.trim_end().to_owned()
}

/// A text cut to a width, with an ellipsis where something is missing.
fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let (mut kept, mut wide) = (String::new(), 0);
    for c in text.chars() {
        wide += c.width().unwrap_or(0);
        if wide + 1 > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// A text of several lines beside its heading: wrapped between words where a width is given, and
/// set in by `indent`. A word is never broken: hashes and names are there to be copied.
pub(super) fn paragraph(text: &str, indent: usize, room: Option<usize>) -> String {
    let room = room.map_or(usize::MAX, |room| {
        room.saturating_sub(indent).max(MIN_TEXT_COLUMNS)
    });
    let mut lines = Vec::new();
    for line in text.trim_end().split('\n') {
        if line.width() <= room {
            lines.push(line.to_owned());
            continue;
        }
        let mut current = String::new();
        for word in line.split(' ') {
            if !current.is_empty() && current.width() + 1 + word.width() > room {
                lines.push(std::mem::take(&mut current));
            } else if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// Quotes as RFC 4180, every text, so that no separator of any locale opens a cell; and keeps a
/// spreadsheet from running what a cell says, by a `'` before it.
pub(super) fn csv_line(row: &[String]) -> String {
    let quoted: Vec<String> = row
        .iter()
        .map(|cell| {
            if cell.is_empty() || cell.parse::<f64>().is_ok_and(f64::is_finite) {
                return cell.clone();
            }
            let mark = if cell.trim_start().starts_with(ACTIVE) {
                "'"
            } else {
                ""
            };
            format!("\"{mark}{}\"", cell.replace('"', "\"\""))
        })
        .collect();
    quoted.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const COLUMNS: &[Column] = &[("NAME", "name"), ("TITLE", "title"), ("BY", "by")];

    #[test]
    fn a_table_fits_its_terminal_and_counts_wide_characters() {
        let rows = [
            json!({"name": "US-2026-0412@DE", "title": "模倣品の輸入を差し止める命令", "by": "officers"}),
            json!({"name": "US-2026-0001@DE", "title": "certain lamps and parts", "by": "policy"}),
        ];
        for room in [40, 48, 60] {
            let lines = table(COLUMNS, &rows, Some(room));
            for line in &lines {
                assert!(line.width() <= room, "{room}: {line}");
            }
            assert!(lines[1].starts_with("US-2026-0412@DE  "), "{lines:?}");
            let by = |line: &str| line.find("officers").or_else(|| line.find("policy"));
            let columns = lines[1..].iter().map(|l| l[..by(l).unwrap()].width());
            let columns: Vec<usize> = columns.collect();
            assert_eq!(columns[0], columns[1], "{lines:?}");
        }
        assert!(table(COLUMNS, &rows, Some(48))[1].contains('…'));
        let whole = table(COLUMNS, &rows, None);
        assert!(whole[1].contains("模倣品の輸入を差し止める命令"));
    }

    #[test]
    fn a_name_is_never_cut_and_a_narrow_terminal_never_loops() {
        let rows = [json!({"name": "members/us/orders/2026-0412", "title": "t", "by": "x"})];
        let lines = table(COLUMNS, &rows, Some(10));
        assert!(lines[1].starts_with("members/us/orders/2026-0412"));
    }

    #[test]
    fn a_value_is_wrapped_between_words_and_a_hash_stays_whole() {
        let hash = "ab".repeat(32);
        let text = format!("one two three four five six seven eight {hash}");
        let wrapped = paragraph(&text, 4, Some(36));
        let lines: Vec<&str> = wrapped.lines().collect();
        assert!(lines.iter().any(|line| line.trim() == hash), "{wrapped}");
        assert!(lines[1].starts_with("    "), "{wrapped}");
        assert_eq!(paragraph(&text, 4, None), text);
    }

    #[test]
    fn no_cell_of_a_csv_file_is_a_formula_and_each_reads_back() {
        for payload in [
            "=1+1",
            "+1+1",
            "-1+1",
            "@SUM(1)",
            "=cmd|' /C calc'!A0",
            "=HYPERLINK(\"http://x\",\"y\")",
            "  =1+1",
            "＝1+1",
            "＋1",
            "－1",
            "＠x",
            "'=1",
            "'quoted",
            "a;=1+1",
            "a,=1+1",
            "\"=1+1",
            "\"\"\",=1",
            "-",
            "+",
            "=",
            "inf",
            "-NaN",
            "x y",
        ] {
            let line = csv_line(&[payload.to_owned(), "-3".to_owned(), String::new()]);
            let cell = line.strip_suffix(",-3,").unwrap();
            let inner = cell.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
            let first = inner.trim_start().chars().next().unwrap();
            let is_marked = inner.starts_with('\'');
            assert!(is_marked || !ACTIVE.contains(&first), "{payload}: {line}");
            let back = inner.replace("\"\"", "\"");
            let back = back.strip_prefix('\'').unwrap_or(&back);
            assert_eq!(back, payload);
        }
    }
}
