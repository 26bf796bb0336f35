//! Statement documents: the TOML files that people write, read into the core's types.
//!
//! A document says nothing of logs, nonces or keys: those are added when it is signed. Field names
//! follow `statement.proto`, with times as dates instead of milliseconds. A document is input to
//! this tool only; what is signed is the statement made from it.

pub mod completeness;
mod fields;
mod kinds;
mod lint;
mod parts;
mod scaffold;
mod selectors;
mod terms;
pub mod write;

use std::path::Path;

use tocsin_core::handling::Tlp;
use tocsin_core::statement::{Act, DecodedBody};
use toml::de::DeTable;

use crate::failure::Failure;
use fields::{Fields, Problems};

pub use lint::{Finding, Level, Lint, Place, lint};
pub use parts::right_from_text;
pub use scaffold::scaffold;

/// Longest document in bytes: a body of 256 KiB with room for comments.
pub const MAX_DOCUMENT_BYTES: u64 = 1_048_576;

/// Which kind of document it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `report.toml`.
    Report,
    /// `indicator.toml`.
    Indicator,
    /// `order.toml`; also the new text of a modification.
    Order,
    /// `decision.toml`.
    Decision,
    /// `policy.toml`.
    Policy,
}

impl Kind {
    /// The word in commands and file names.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Indicator => "indicator",
            Self::Order => "order",
            Self::Decision => "decision",
            Self::Policy => "policy",
        }
    }
}

/// What a document says, before it is signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// How it may be passed on.
    pub tlp: Tlp,
    /// The running number, where the author chose one.
    pub number: Option<u32>,
    /// The order that a decision is on, by name.
    pub order: Option<String>,
    /// Statements cited, by name or as `<member>:<statement_id>`.
    pub refs: Vec<String>,
    /// What is said; a decision's `judged` is filled in from the order when it is signed.
    pub act: Act,
    /// Contents of the bodies, and whether each is lasting.
    pub bodies: Vec<(DecodedBody, bool)>,
}

impl Document {
    /// The contents of the bodies.
    #[must_use]
    pub fn contents(&self) -> Vec<DecodedBody> {
        self.bodies.iter().map(|(body, _)| body.clone()).collect()
    }
}

/// Reads a document. `folder` is where the files it names are looked for.
///
/// # Errors
/// A usage failure with every problem found, each with its line.
pub fn parse(kind: Kind, text: &str, folder: &Path) -> Result<Document, Failure> {
    let reader: fn(&mut Fields<'_, '_>, &Path) -> Document = match kind {
        Kind::Policy => return kinds::policy(text).map_err(|lines| failure(kind, lines)),
        Kind::Report => kinds::report,
        Kind::Indicator => kinds::indicator,
        Kind::Order => kinds::order,
        Kind::Decision => kinds::decision,
    };
    let table = DeTable::parse(text).map_err(|error| {
        failure(
            kind,
            error
                .to_string()
                .trim_end()
                .lines()
                .map(str::to_owned)
                .collect(),
        )
    })?;
    let problems = Problems::new(text);
    let mut fields = Fields::new(table, &problems);
    let document = reader(&mut fields, folder);
    fields.finish();
    let lines = problems.into_lines();
    if lines.is_empty() {
        Ok(document)
    } else {
        Err(failure(kind, lines))
    }
}

/// Reads a document from a file.
///
/// # Errors
/// As [`parse`], or when the file cannot be read or is longer than [`MAX_DOCUMENT_BYTES`].
pub fn read(kind: Kind, path: &Path) -> Result<Document, Failure> {
    let bytes = crate::files::read_bounded(path, MAX_DOCUMENT_BYTES)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("{} is not UTF-8 text", path.display())))?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    parse(kind, &text, folder).map_err(|mut failure| {
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    })
}

fn failure(kind: Kind, lines: Vec<String>) -> Failure {
    let word = kind.word();
    let mut failure = Failure::usage(format!("not a complete {word} document"))
        .code("DOCUMENT_INVALID")
        .advice(format!(
            "every field is explained by: tocsin {word} new --stdout"
        ));
    if kind == Kind::Decision {
        failure.advice = Some("every field is explained by: tocsin decide ORDER VERB --new".into());
    }
    failure.details = lines;
    failure
}

#[cfg(test)]
mod tests;
