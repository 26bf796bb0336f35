//! Which column of a file means what, kept in a TOML file so that it is said once.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::field::Field;
use crate::failure::Failure;
use crate::files::read_bounded;
use crate::suggest::nearest;

/// Longest mapping in bytes.
const MAX_MAPPING_BYTES: u64 = 262_144;
/// Columns that one field may be read from.
const MAX_COLUMNS: usize = 16;

/// A mapping, as its file says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Version of this form: 1.
    #[serde(default)]
    pub version: u32,
    /// How the file is to be read, where that is not to be detected.
    #[serde(default)]
    pub file: Form,
    /// From which columns each field comes.
    #[serde(default)]
    columns: BTreeMap<String, Columns>,
    /// What is the same in every row.
    #[serde(default)]
    constants: BTreeMap<String, String>,
}

/// How a file is to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// `csv`, `jsonl`, `xml` or `parquet`.
    pub format: Option<String>,
    /// What stands between two cells: `,`, `;`, `|` or `tab`.
    pub separator: Option<String>,
    /// Its encoding, such as `shift_jis`.
    pub encoding: Option<String>,
    /// Whether the first row names the columns.
    pub heading: Option<bool>,
    /// JSON: the path of the list of lines in each object.
    pub items: Option<String>,
}

/// One column, or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Columns {
    One(String),
    Many(Vec<String>),
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    /// When it cannot be read, or says what no mapping says.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let bytes = read_bounded(path, MAX_MAPPING_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| malformed(path, "it is no UTF-8"))?;
        let mapping: Self = toml::from_str(text).map_err(|e| malformed(path, &e.to_string()))?;
        mapping.check().map_err(|why| malformed(path, &why))?;
        Ok(mapping)
    }

    /// One that takes these columns.
    #[must_use]
    pub fn of(columns: impl IntoIterator<Item = (Field, String)>) -> Self {
        let mut mapping = Self {
            version: 1,
            ..Self::default()
        };
        for (field, column) in columns {
            let known = mapping.columns.entry(field.word());
            let known = known.or_insert_with(|| Columns::Many(Vec::new()));
            if let Columns::Many(names) = known {
                names.push(column);
            }
        }
        mapping
    }

    /// The columns that are taken, each with its field, in the order of the fields.
    #[must_use]
    pub fn columns(&self) -> Vec<(String, Field)> {
        let mut found = Vec::new();
        for (word, columns) in &self.columns {
            let Some(field) = Field::of_word(word) else {
                continue;
            };
            let names = match columns {
                Columns::One(name) => std::slice::from_ref(name),
                Columns::Many(names) => names,
            };
            found.extend(names.iter().map(|name| (name.clone(), field)));
        }
        found.sort_by_key(|(_, field)| *field);
        found
    }

    /// What is the same in every row.
    #[must_use]
    pub fn constants(&self) -> Vec<(Field, String)> {
        let known = self.constants.iter();
        known
            .filter_map(|(word, value)| Some((Field::of_word(word)?, value.clone())))
            .collect()
    }

    /// Where the columns stand among those that a file has.
    ///
    /// # Errors
    /// `MAPPING_COLUMN_MISSING` when the file lacks one: what is not read could have decided.
    pub fn place(&self, has: &[String]) -> Result<Vec<(usize, Field)>, Failure> {
        let mut places = Vec::new();
        let mut missing = Vec::new();
        for (name, field) in self.columns() {
            match has.iter().position(|column| *column == name) {
                Some(place) => places.push((place, field)),
                None => missing.push((name, field)),
            }
        }
        if missing.is_empty() {
            places.sort_unstable();
            return Ok(places);
        }
        let first = missing.first().map_or("", |(name, _)| name.as_str());
        let why = format!("the file has no column `{first}`, which the mapping names");
        let mut failure = Failure::usage(why).code("MAPPING_COLUMN_MISSING");
        for (name, field) in &missing {
            let near = nearest(name, has.iter().map(String::as_str));
            let near = near.map_or_else(String::new, |near| format!("; is it `{near}`?"));
            failure = failure.detail(format!("{}: `{name}`{near}", field.word()));
        }
        Err(failure.detail(format!("the file has: {}", has.join(", "))))
    }

    fn check(&self) -> Result<(), String> {
        if self.version != 1 {
            return Err("version = 1 is the one there is".to_owned());
        }
        if self.columns.is_empty() && self.file.format.as_deref() != Some("xml") {
            return Err("[columns] names none".to_owned());
        }
        for word in self.columns.keys().chain(self.constants.keys()) {
            if Field::of_word(word).is_none() {
                let words: Vec<String> = Field::all().iter().map(|field| field.word()).collect();
                let near = nearest(word, words.iter().map(String::as_str));
                let near = near.map_or_else(String::new, |near| format!(": is it `{near}`?"));
                return Err(format!("there is no field `{word}`{near}"));
            }
        }
        for (word, columns) in &self.columns {
            match columns {
                Columns::One(_) => {}
                Columns::Many(names) if (1..=MAX_COLUMNS).contains(&names.len()) => {}
                Columns::Many(_) => return Err(format!("{word}: 1 to {MAX_COLUMNS} columns")),
            }
        }
        self.separator().map(|_| ())
    }

    /// What stands between two cells, where the mapping says so.
    ///
    /// # Errors
    /// When it is not one of them.
    pub fn separator(&self) -> Result<Option<u8>, String> {
        match self.file.separator.as_deref() {
            None => Ok(None),
            Some("tab" | "\t") => Ok(Some(b'\t')),
            Some(text) => match text.as_bytes() {
                [one] if one.is_ascii_punctuation() && *one != b'"' => Ok(Some(*one)),
                _ => Err(format!("`{text}` separates no cells: , ; | or tab")),
            },
        }
    }
}

fn malformed(path: &Path, why: &str) -> Failure {
    Failure::usage(format!("{} is no mapping: {why}", path.display())).code("MAPPING_MALFORMED")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Mapping, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.toml");
        std::fs::write(&path, text).unwrap();
        Mapping::open(&path)
    }

    const SOUND: &str = "version = 1\n[file]\nseparator = \"tab\"\n[columns]\ngtin = [\"EAN\", \
                         \"GTIN\"]\norigin = \"Ursprung\"\n[constants]\ndirection = \"export\"\n";

    #[test]
    fn fields_come_from_columns_wherever_they_stand() {
        let mapping = read(SOUND).unwrap();
        let has = ["x", "Ursprung", "GTIN", "EAN"].map(str::to_owned);
        assert_eq!(
            mapping.place(&has).unwrap(),
            [(1, Field::Origin), (2, Field::Gtin), (3, Field::Gtin)]
        );
        assert_eq!(mapping.separator(), Ok(Some(b'\t')));
        let constants = mapping.constants();
        assert_eq!(constants, [(Field::Direction, "export".to_owned())]);
    }

    #[test]
    fn a_missing_column_is_a_named_refusal() {
        let has = ["Ursprungg", "EAN", "GTIN"].map(str::to_owned);
        let failure = read(SOUND).unwrap().place(&has).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("MAPPING_COLUMN_MISSING"));
        assert!(failure.message.contains("`Ursprung`"), "{failure:?}");
        assert!(failure.details[0].contains("`Ursprungg`"), "{failure:?}");
    }

    #[test]
    fn what_no_mapping_says_is_refused() {
        for (text, why) in [
            ("", "version"),
            ("version = 2\n[columns]\ngtin = \"a\"", "version"),
            ("version = 1", "[columns]"),
            ("version = 1\n[columns]\ngitn = \"a\"", "`gtin`"),
            ("version = 1\n[columns]\ngtin = []", "columns"),
            ("version = 1\n[columns]\ngtin = 3", "gtin"),
            ("version = 1\n[colums]\ngtin = \"a\"", "colums"),
            (
                "version = 1\n[columns]\ngtin = \"a\"\n[file]\nseparator = \"ab\"",
                "separates",
            ),
            (
                "version = 1\n[columns]\nimporter_nationality = \"a\"",
                "no field",
            ),
        ] {
            let failure = read(text).unwrap_err();
            assert_eq!(failure.code.as_deref(), Some("MAPPING_MALFORMED"));
            assert!(failure.message.contains(why), "{text}: {}", failure.message);
        }
    }
}
