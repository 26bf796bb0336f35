//! Labelled sets: CSV files that say which names and goods are the same.

use std::fs;
use std::path::{Path, PathBuf};

use tocsin_cli::failure::{Exit, Failure};

/// Two texts, and whether people say they are of one.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) left: String,
    pub(super) right: String,
    pub(super) is_match: bool,
}

/// One file of a folder.
#[derive(Clone, Debug)]
pub(super) enum Set {
    /// Pairs of names of parties.
    Names(Vec<Pair>),
    /// Pairs of texts on goods.
    Goods(Vec<Pair>),
    /// Organisations: number and name.
    Organisations(Vec<(String, String)>),
    /// Other names of organisations, by their number.
    Aliases(Vec<(String, String)>),
    /// Goods: brand and model number.
    Models(Vec<(String, String)>),
}

/// The sets of a folder with the names of their files, and the files that are none.
#[derive(Debug, Default)]
pub(super) struct Folder {
    pub(super) sets: Vec<(String, Set)>,
    pub(super) passed_over: Vec<String>,
}

/// Reads a folder of sets, in the order of the files' names.
///
/// # Errors
/// When a file cannot be read, is too large, or has a label that says neither yes nor no.
pub(super) fn read(folder: &Path) -> Result<Folder, Failure> {
    let refused = |e: &dyn std::fmt::Display| {
        Failure::new(Exit::Failed, format!("{}: {e}", folder.display()))
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|e| refused(&e))? {
        let path = entry.map_err(|e| refused(&e))?.path();
        if path.extension().is_some_and(|end| end == "csv") && paths.len() < MAX_FILES {
            paths.push(path);
        }
    }
    paths.sort();
    let mut found = Folder::default();
    for path in paths {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match read_file(&path).map_err(|e| refused(&format!("{name}: {e}")))? {
            Some(set) => found.sets.push((name, set)),
            None => found.passed_over.push(name),
        }
    }
    Ok(found)
}

fn read_file(path: &Path) -> Result<Option<Set>, String> {
    let length = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if length > MAX_FILE_BYTES {
        return Err(format!("{length} bytes; at most {MAX_FILE_BYTES} are read"));
    }
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(|e| e.to_string())?;
    let header = reader.headers().map_err(|e| e.to_string())?.clone();
    let rows: Vec<csv::StringRecord> = reader
        .into_records()
        .take(MAX_ROWS)
        .collect::<Result<_, _>>()
        .map_err(|e| e.to_string())?;
    let columns = |names: &[&str]| -> Option<Vec<usize>> {
        let place = |name: &&str| header.iter().position(|column| column.trim() == *name);
        names.iter().map(place).collect()
    };
    let two = |places: &[usize]| -> Vec<(String, String)> {
        let field = |row: &csv::StringRecord, at: usize| {
            let place = places.get(at).copied().unwrap_or(usize::MAX);
            row.get(place).unwrap_or_default().to_owned()
        };
        let all = rows.iter().map(|row| (field(row, 0), field(row, 1)));
        all.filter(|(one, other)| !one.is_empty() && !other.is_empty())
            .collect()
    };
    let labelled = |places: &[usize]| -> Result<Vec<Pair>, String> {
        let label = places.get(2).copied().unwrap_or(usize::MAX);
        let rows = rows.iter().enumerate();
        rows.map(|(at, row)| {
            let place = |at: usize| places.get(at).copied().unwrap_or(usize::MAX);
            let text = |at: usize| row.get(place(at)).unwrap_or_default().to_owned();
            Ok(Pair {
                left: text(0),
                right: text(1),
                is_match: yes(row.get(label), at + 2)?,
            })
        })
        .collect()
    };
    if let Some(places) = columns(&["name1", "name2", "is_match"]) {
        return Ok(Some(Set::Names(labelled(&places)?)));
    }
    if let Some(places) = columns(&["left", "right", "same_product"]) {
        let mut pairs = labelled(&places)?;
        for pair in &mut pairs {
            pair.left = plain(&pair.left);
            pair.right = plain(&pair.right);
        }
        return Ok(Some(Set::Goods(pairs)));
    }
    let others = columns(&["ent_num", "alt_name"]).map(|places| Set::Aliases(two(&places)));
    let firsts = || columns(&["ent_num", "name"]).map(|p| Set::Organisations(two(&p)));
    let models = || columns(&["brand", "model"]).map(|p| Set::Models(two(&p)));
    Ok(others.or_else(firsts).or_else(models))
}

/// Whether a label says yes.
fn yes(label: Option<&str>, row: usize) -> Result<bool, String> {
    match label.map(str::trim) {
        Some("true" | "1") => Ok(true),
        Some("false" | "0") => Ok(false),
        other => Err(format!(
            "row {row}: {other:?} is no label; true, false, 1 or 0"
        )),
    }
}

/// Without the field names that some sets have within their texts (`COL title VAL ...`), and
/// without the price, which no declaration's text has.
fn plain(text: &str) -> String {
    let text = text.split("COL price VAL").next().unwrap_or_default();
    let mut words = text.split(' ').peekable();
    let mut kept: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        if word == "COL" {
            words.next();
            words.next_if_eq(&"VAL");
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

const MAX_FILES: usize = 64;
const MAX_FILE_BYTES: u64 = 64 << 20;
const MAX_ROWS: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Folder, Failure> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("set.csv"), text).unwrap();
        read(folder.path())
    }

    #[test]
    fn a_set_is_told_by_its_columns() {
        let names = read_text("x,name1,name2,is_match\n,A,B,true\n,C,D,false\n").unwrap();
        let [(_, Set::Names(pairs))] = names.sets.as_slice() else {
            panic!("{names:?}")
        };
        assert!(pairs[0].is_match && !pairs[1].is_match && pairs[1].left == "C");
        let goods = read_text("left,right,same_product\nCOL title VAL a b COL price VAL 3,c,1\n");
        let goods = goods.unwrap();
        let [(_, Set::Goods(pairs))] = goods.sets.as_slice() else {
            panic!("{goods:?}")
        };
        assert_eq!(pairs[0].left.trim(), "a b");
        let other = read_text("a,b\n1,2\n").unwrap();
        assert_eq!(other.passed_over, ["set"]);
    }

    #[test]
    fn a_label_that_says_neither_yes_nor_no_is_refused_with_its_row() {
        let refused = read_text("name1,name2,is_match\nA,B,true\nA,B,maybe\n").unwrap_err();
        assert!(refused.to_string().contains("row 3"), "{refused}");
    }
}
