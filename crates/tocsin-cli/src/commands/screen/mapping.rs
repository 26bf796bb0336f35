//! `screen mapping`: what each column means, proposed once and looked at before it counts.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::prepare;
use crate::declarations::field::Field;
use crate::declarations::guess::Guess;
use crate::declarations::input::Input;
use crate::declarations::mapping::Mapping;
use crate::declarations::rows::Rows;
use crate::declarations::source::{Form, Source};
use crate::failure::{Exit, Failure};
use crate::files::{Mode, write_new};
use crate::session::Session;

/// Rows shown, at most.
const MAX_SHOWN: usize = 1_000;

/// `screen mapping new FILE`.
///
/// # Errors
/// When the file cannot be read, or the mapping is there already.
pub(super) fn new(
    session: &mut Session,
    file: &Path,
    out: Option<&Path>,
    to_stdout: bool,
) -> Result<Exit, Failure> {
    let input = Input::open(file)?;
    let country = country(session);
    let mut source = Source::open(&input, &Mapping::default(), Some(&country))?;
    let guesses = source.guess()?;
    let text = written(file, &source, &guesses);
    if to_stdout {
        session.out.raw(&text)?;
        return Ok(Exit::Ok);
    }
    let path = out.unwrap_or_else(|| Path::new("mapping.toml"));
    if !session.globals.dry_run {
        write_new(path, text.as_bytes(), Mode::Public)?;
    }
    let known: Vec<Value> = guesses
        .iter()
        .filter_map(|guess| {
            let field = guess.field?.word();
            Some(json!({"column": guess.column, "field": field, "sample": guess.sample}))
        })
        .collect();
    let unknown = guesses.iter().filter(|guess| guess.field.is_none());
    let value = json!({
        "file": path.display().to_string(),
        "form": source.describe(),
        "columns": known,
        "not_taken": unknown.map(|guess| guess.column.clone()).collect::<Vec<_>>(),
    });
    let columns = [
        ("written", "file"),
        ("read as", "form"),
        ("columns not taken", "not_taken"),
    ];
    session.out.object("mapping", &columns, &value)?;
    if session.out.format() == crate::output::Format::Table {
        session.out.say("")?;
        let columns = [
            ("COLUMN", "column"),
            ("FIELD", "field"),
            ("FOR EXAMPLE", "sample"),
        ];
        session.out.list("columns", &columns, &known)?;
        session.out.say(&format!(
            "\nRead it, mend it, then:  tocsin screen mapping test {} {}",
            path.display(),
            file.display()
        ))?;
    }
    Ok(Exit::Ok)
}

/// `screen mapping test MAPPING FILE`.
///
/// # Errors
/// When the mapping does not fit the file.
pub(super) fn test(
    session: &mut Session,
    mapping: &Path,
    file: &Path,
    shown: usize,
) -> Result<Exit, Failure> {
    let input = Input::open(file)?;
    let given = Mapping::open(mapping)?;
    let country = country(session);
    let (mapping, _) = prepare::mapping(&input, Some(given), &country)?;
    let mut source = Source::open(&input, &mapping, Some(&country))?;
    source.take(&mapping)?;
    let mut rows = Rows::default();
    source.fill(&mut rows)?;
    let constants = mapping.constants();
    let first = rows.rows().iter().take(shown.min(MAX_SHOWN));
    let mapped: Vec<Value> = first
        .map(|row| {
            let mut said = Map::from_iter([("row".to_owned(), json!(row.number))]);
            let constants = constants
                .iter()
                .map(|(field, text)| (*field, text.as_str()));
            for (field, text) in rows.values(*row).chain(constants) {
                let values = said.entry(field.word()).or_insert_with(|| json!([]));
                if let Some(values) = values.as_array_mut() {
                    values.push(json!(text));
                }
            }
            Value::Object(said)
        })
        .collect();
    let rejects: Vec<Value> = rows
        .rejects
        .iter()
        .take(shown.min(MAX_SHOWN))
        .map(|reject| json!({"line": reject.line, "reason": reject.code, "why": reject.why}))
        .collect();
    let value = json!({
        "form": source.describe(),
        "rows": mapped,
        "rejects": rejects,
    });
    if session.out.format() != crate::output::Format::Table {
        session.out.object("mapping_test", &[], &value)?;
        return Ok(Exit::Ok);
    }
    session.out.text(&source.describe())?;
    for row in &mapped {
        let number = row.get("row").cloned().unwrap_or_default();
        session.out.text(&format!("row {number}"))?;
        let fields = row.as_object().into_iter().flatten();
        for (field, value) in fields.filter(|(field, _)| *field != "row") {
            let texts = value.as_array().into_iter().flatten();
            let texts: Vec<&str> = texts.filter_map(Value::as_str).collect();
            session
                .out
                .text(&format!("  {field:<20} {}", texts.join(" | ")))?;
        }
    }
    if !rejects.is_empty() {
        let columns = [("LINE", "line"), ("REASON", "reason"), ("WHY", "why")];
        session.out.list("rejects", &columns, &rejects)?;
    }
    Ok(Exit::Ok)
}

/// Two letters as a hint for encodings; none where no context says where we are.
fn country(session: &Session) -> String {
    let context = session.context();
    context.map(|context| context.member).unwrap_or_default()
}

/// The mapping as a file: what was found, what else could be said, each with its purpose.
fn written(file: &Path, source: &Source, guesses: &[Guess]) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "# Which column of files like {} means what. Lines that begin with # say nothing.\n\
         version = 1\n\n\
         # How the file is read; take the # away to decide it instead of detecting it.\n\
         [file]\n# format = \"{}\"\n",
        one_line(&name),
        source.form().word()
    );
    if let Some(separator) = source.separator() {
        let separator = match separator {
            b'\t' => "tab".to_owned(),
            other => char::from(other).to_string(),
        };
        text.push_str(&format!(
            "# separator = \"{separator}\"\n# heading = true\n"
        ));
    }
    if source.form() == Form::Json {
        text.push_str("# items = \"goods.items\"   # where each object is a declaration\n");
    }
    if source.form() == Form::Wco {
        text = text.replace("# format", "format");
        text.push_str("# The form says itself what is what: no columns are needed.\n");
    }
    text.push_str(&format!("# encoding = \"{}\"\n", source.encoding()));
    text.push_str(
        "\n# field = \"column\", or field = [\"column\", \"another\"] where it may be several.\n\
         [columns]\n",
    );
    for field in Field::all() {
        let guess = guesses.iter().find(|guess| guess.field == Some(field));
        let (mark, column) = guess.map_or(("# ", "COLUMN"), |guess| ("", guess.column.as_str()));
        let column = toml::Value::from(column).to_string();
        text.push_str(&format!(
            "{mark}{} = {column}   # {}",
            field.word(),
            field.purpose()
        ));
        if let Some(sample) = guess.and_then(|guess| guess.sample.first()) {
            text.push_str(&format!("; here \"{}\"", one_line(sample)));
        }
        text.push('\n');
    }
    let unknown: Vec<String> = guesses
        .iter()
        .filter(|guess| guess.field.is_none())
        .map(|guess| one_line(&guess.column))
        .collect();
    if !unknown.is_empty() {
        text.push_str(&format!("# Columns not taken: {}\n", unknown.join(", ")));
    }
    text.push_str(
        "\n# What is the same in every row, such as direction = \"export\".\n[constants]\n\
         # direction = \"import\"\n# tariff_country = \"EU\"\n# tariff_edition = \"2022\"\n",
    );
    text
}

/// A text that ends no comment.
fn one_line(text: &str) -> String {
    crate::output::clean_line(text).replace('\r', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proposed(text: &str) -> (String, Mapping) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, text).unwrap();
        let input = Input::open(&path).unwrap();
        let mut source = Source::open(&input, &Mapping::default(), None).unwrap();
        let guesses = source.guess().unwrap();
        let text = written(&path, &source, &guesses);
        std::fs::write(&path, &text).unwrap();
        let mapping = Mapping::open(&path).unwrap();
        (text, mapping)
    }

    #[test]
    fn a_proposed_mapping_reads_back_and_explains_every_field() {
        let (text, mapping) = proposed("MRN;EAN;\"a \"\"b\";Ursprung\n1;4006381333931;x;CN\n");
        let columns = mapping.columns();
        let fields: Vec<Field> = columns.iter().map(|(_, field)| *field).collect();
        assert_eq!(fields, [Field::Declaration, Field::Origin, Field::Gtin]);
        for field in Field::all() {
            assert!(text.contains(&field.purpose()), "{}", field.word());
        }
        assert!(text.contains("# Columns not taken: a \"b"), "{text}");
        assert!(text.contains("here \"4006381333931\""), "{text}");
    }

    #[test]
    fn a_heading_cannot_break_out_of_the_mapping() {
        let (_, mapping) = proposed("EAN\u{7f}\u{7}\n4006381333931\n");
        let odd = [("EAN\u{7f}\u{7}".to_owned(), Field::Gtin)];
        assert_eq!(mapping.columns(), odd);
        let hostile = "\"EAN\",\"x\n[constants]\ndirection = 1\"\n4006381333931,1\n";
        let (_, mapping) = proposed(hostile);
        assert_eq!(mapping.columns(), [("EAN".to_owned(), Field::Gtin)]);
        assert!(mapping.constants().is_empty());
    }
}
