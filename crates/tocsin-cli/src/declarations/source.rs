//! A file of declarations, whichever form it has: detected, said, and read row by row.

use encoding_rs::{Encoding, UTF_8};

use super::csv::Csv;
use super::encoding::{self, Text};
use super::field::Field;
use super::guess::{Guess, guess};
use super::input::{Input, unread};
use super::json::Json;
use super::mapping::Mapping;
use super::parquet::Parquet;
use super::rows::Rows;
use super::wco::Wco;
use crate::failure::Failure;

/// Bytes of the beginning that say which form it is.
const SNIFFED_BYTES: u64 = 4_096;
/// Rows that are looked at to propose a mapping.
const SAMPLE_ROWS: usize = 200;

/// Forms of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Separated values.
    Csv,
    /// One JSON object a line.
    Json,
    /// XML of the WCO data model.
    Wco,
    /// Columns in row groups.
    Parquet,
}

impl Form {
    /// The word in mappings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "jsonl",
            Self::Wco => "xml",
            Self::Parquet => "parquet",
        }
    }

    fn of_word(word: &str) -> Result<Self, Failure> {
        let all = [Self::Csv, Self::Json, Self::Wco, Self::Parquet];
        let found = all.into_iter().find(|form| form.word() == word);
        found.ok_or_else(|| {
            Failure::usage(format!(
                "there is no form `{word}`: csv, jsonl, xml or parquet"
            ))
            .code("MAPPING_MALFORMED")
        })
    }

    /// What the first bytes look like.
    fn of_beginning(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"PAR1") {
            return Self::Parquet;
        }
        let text = String::from_utf8_lossy(bytes);
        // Wide text has zeros between its letters.
        let first = text
            .chars()
            .find(|c| !c.is_whitespace() && !matches!(c, '\0' | '\u{feff}' | '\u{fffd}'));
        match first {
            Some('<') => Self::Wco,
            Some('{') => Self::Json,
            Some(_) | None => Self::Csv,
        }
    }
}

/// A file that is being read.
#[derive(Debug)]
pub struct Source {
    form: Form,
    encoding: &'static Encoding,
    reader: Reader,
}

#[derive(Debug)]
enum Reader {
    Csv(Box<Csv>),
    Json(Box<Json>),
    Wco(Box<Wco>),
    Parquet(Box<Parquet>),
}

impl Source {
    /// Opens a file as the mapping says, or as it looks. `country` is a hint for its encoding, two
    /// letters in lower case.
    ///
    /// # Errors
    /// When it cannot be read, or has no rows.
    pub fn open(input: &Input, mapping: &Mapping, country: Option<&str>) -> Result<Self, Failure> {
        let beginning = input.beginning(SNIFFED_BYTES)?;
        let form = match &mapping.file.format {
            Some(word) => Form::of_word(word)?,
            None => Form::of_beginning(&beginning),
        };
        if form == Form::Parquet {
            return Ok(Self {
                form,
                encoding: UTF_8,
                reader: Reader::Parquet(Box::new(Parquet::open(input)?)),
            });
        }
        let encoding = match &mapping.file.encoding {
            Some(name) => encoding::named(name).ok_or_else(|| {
                Failure::usage(format!("there is no encoding `{name}`")).code("MAPPING_MALFORMED")
            })?,
            None if form == Form::Wco => declared(&beginning),
            None => {
                let found = encoding::detect(&mut input.reading(), country);
                found.map_err(|e| unread(&e))?
            }
        };
        let text = Text::new(Box::new(input.reading()), encoding);
        let reader = match form {
            Form::Csv => {
                let separator = mapping.separator().map_err(Failure::usage)?;
                let has_heading = mapping.file.heading.unwrap_or(true);
                Reader::Csv(Box::new(Csv::open(text, separator, has_heading)?))
            }
            Form::Json => {
                let items = mapping.file.items.as_deref().unwrap_or_default();
                Reader::Json(Box::new(Json::open(text, items)?))
            }
            Form::Wco | Form::Parquet => Reader::Wco(Box::new(Wco::open(text))),
        };
        Ok(Self {
            form,
            encoding,
            reader,
        })
    }

    /// Its form.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// Its form and encoding in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let name = self.encoding.name();
        match &self.reader {
            Reader::Csv(csv) => {
                let separator = match csv.separator() {
                    b'\t' => "tab".to_owned(),
                    other => format!("`{}`", char::from(other)),
                };
                format!(
                    "CSV, {separator} separated, {name}, {} columns",
                    csv.columns().len()
                )
            }
            Reader::Json(_) => format!("JSON Lines, {name}"),
            Reader::Wco(_) => format!("WCO data model XML, {name}"),
            Reader::Parquet(parquet) => format!("Parquet, {} columns", parquet.columns().len()),
        }
    }

    /// The encoding's name.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        self.encoding.name()
    }

    /// What stands between two cells, where there are cells.
    #[must_use]
    pub fn separator(&self) -> Option<u8> {
        match &self.reader {
            Reader::Csv(csv) => Some(csv.separator()),
            Reader::Json(_) | Reader::Wco(_) | Reader::Parquet(_) => None,
        }
    }

    /// The columns that a mapping can name; none where the form says itself what is what.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match &self.reader {
            Reader::Csv(csv) => csv.columns(),
            Reader::Json(json) => json.columns(),
            Reader::Wco(_) => &[],
            Reader::Parquet(parquet) => parquet.columns(),
        }
    }

    /// What each column is likely to be. Rows are used up: open the file again to read them.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn guess(&mut self) -> Result<Vec<Guess>, Failure> {
        let rows = match &mut self.reader {
            Reader::Csv(csv) => csv.sample(SAMPLE_ROWS)?,
            Reader::Json(json) => json.sample(SAMPLE_ROWS)?,
            Reader::Wco(_) => Vec::new(),
            Reader::Parquet(parquet) => parquet.sample(SAMPLE_ROWS)?,
        };
        Ok(guess(self.columns(), &rows))
    }

    /// Which columns are taken, and as what.
    ///
    /// # Errors
    /// `MAPPING_COLUMN_MISSING` when the file lacks one.
    pub fn take(&mut self, mapping: &Mapping) -> Result<(), Failure> {
        match &mut self.reader {
            Reader::Csv(csv) => {
                let places = mapping.place(csv.columns())?;
                csv.take(places);
            }
            Reader::Json(json) => {
                mapping.place(json.columns())?;
                json.take(&mapping.columns());
            }
            Reader::Wco(_) => {}
            Reader::Parquet(parquet) => {
                mapping.place(parquet.columns())?;
                parquet.take(&mapping.columns());
            }
        }
        Ok(())
    }

    /// Bytes of the file taken so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        match &self.reader {
            Reader::Csv(csv) => csv.taken(),
            Reader::Json(json) => json.taken(),
            Reader::Wco(wco) => wco.taken(),
            Reader::Parquet(parquet) => parquet.taken(),
        }
    }

    /// Reads a stretch of rows; false at the end of the file.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub fn fill(&mut self, rows: &mut Rows) -> Result<bool, Failure> {
        match &mut self.reader {
            Reader::Csv(csv) => csv.fill(rows),
            Reader::Json(json) => json.fill(rows),
            Reader::Wco(wco) => wco.fill(rows),
            Reader::Parquet(parquet) => parquet.fill(rows),
        }
    }
}

/// The encoding an XML file says it is in, or its mark; UTF-8 where neither does.
fn declared(beginning: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(beginning) {
        return encoding;
    }
    let text = String::from_utf8_lossy(beginning);
    let head = text.split("?>").next().unwrap_or_default();
    let named = head.split_once("encoding=").and_then(|(_, rest)| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        encoding::named(rest.split(quote).nth(1)?)
    });
    named.unwrap_or(UTF_8)
}

/// The mapping that is proposed where nobody wrote one: every column with a known name.
///
/// # Errors
/// `MAPPING_NEEDED` when nothing decisive is among them.
pub fn propose(guesses: &[Guess]) -> Result<Mapping, Failure> {
    let known = guesses.iter().filter_map(|guess| {
        let field = guess.field?;
        Some((field, guess.column.clone()))
    });
    let known: Vec<(Field, String)> = known.collect();
    let compared = |field: &Field| {
        !matches!(
            field,
            Field::Declaration | Field::Item | Field::At | Field::Direction
        )
    };
    if !known.iter().any(|(field, _)| compared(field)) {
        return Err(
            Failure::usage("no column has a name that says what to compare")
                .code("MAPPING_NEEDED")
                .advice("tocsin screen mapping new FILE writes a mapping to fill in"),
        );
    }
    Ok(Mapping::of(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(text: &[u8], mapping: &Mapping) -> Result<Source, Failure> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, text).unwrap();
        let input = Input::open(&path)?;
        Source::open(&input, mapping, None)
    }

    #[test]
    fn forms_are_detected_and_said() {
        for (text, said) in [
            ("\u{feff}a;b\n1;2\n", "CSV, `;` separated, UTF-8, 2 columns"),
            (" {\"a\":1}\n", "JSON Lines, UTF-8"),
            (
                "\u{feff}<?xml version=\"1.0\"?><a/>",
                "WCO data model XML, UTF-8",
            ),
            (
                "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                "WCO data model XML, windows-1252",
            ),
        ] {
            let source = open(text.as_bytes(), &Mapping::default()).unwrap();
            assert_eq!(source.describe(), said);
        }
        let wide: Vec<u8> = "a\tb\n1\t2\n3\t4\n5\t6\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let source = open(&wide, &Mapping::default()).unwrap();
        assert_eq!(source.describe(), "CSV, tab separated, UTF-16LE, 2 columns");
    }

    #[test]
    fn a_mapping_is_proposed_only_where_something_can_be_compared() {
        let mut source =
            open(b"MRN,EAN,Gewicht\n1,4006381333931,3\n", &Mapping::default()).unwrap();
        let mapping = propose(&source.guess().unwrap()).unwrap();
        let columns = mapping.columns();
        assert_eq!(
            columns,
            [
                ("MRN".to_owned(), Field::Declaration),
                ("EAN".to_owned(), Field::Gtin)
            ]
        );
        let mut source = open(b"MRN,Gewicht\n1,3\n", &Mapping::default()).unwrap();
        let failure = propose(&source.guess().unwrap()).unwrap_err();
        assert_eq!(failure.code.as_deref(), Some("MAPPING_NEEDED"));
    }
}
