//! The file of suppressions, as an agency keeps it.
//!
//! ```toml
//! [[suppression]]
//! trusted_importer = "DE1234567"
//! reason = "authorised economic operator, audited in June 2026"
//! author = "officer 12"
//! until = "2027-06-30"
//!
//! [[suppression]]
//! false_match = "US-2026-0412"
//! value = "NORTHGATE TRADING"
//! reason = "another firm of that name, seen at the register of Hamburg"
//! author = "officer 12"
//! until = "2026-12-31"
//! ```

use serde::Deserialize;
use tocsin_core::date;

use super::{Suppressed, Suppression, SuppressionError, SuppressionErrorKind, Suppressions};

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    suppression: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    trusted_importer: Option<String>,
    false_match: Option<String>,
    value: Option<String>,
    reason: String,
    author: String,
    until: String,
}

/// Why a file of suppressions is refused: nothing of it is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionFileError {
    /// More than [`MAX_SUPPRESSION_FILE_BYTES`].
    #[error("the file has more than {MAX_SUPPRESSION_FILE_BYTES} bytes; drop what has run out")]
    TooLong,
    /// Not TOML of that form.
    #[error("not a file of suppressions: {0}")]
    Malformed(String),
    /// One of them.
    #[error(transparent)]
    Suppression(#[from] SuppressionError),
}

impl Suppressions {
    /// Reads a file whole, or nothing of it.
    ///
    /// # Errors
    /// [`SuppressionFileError`], with the place of the first fault.
    pub fn read(toml: &str) -> Result<Self, SuppressionFileError> {
        if toml.len() > MAX_SUPPRESSION_FILE_BYTES {
            return Err(SuppressionFileError::TooLong);
        }
        let file: File = toml::from_str(toml)
            .map_err(|error| SuppressionFileError::Malformed(error.to_string()))?;
        let all: Result<Vec<Suppression>, SuppressionError> = file
            .suppression
            .into_iter()
            .zip(1..)
            .map(|(written, number)| {
                written
                    .read()
                    .map_err(|kind| SuppressionError { number, kind })
            })
            .collect();
        Ok(Self::new(all?)?)
    }
}

impl Written {
    fn read(self) -> Result<Suppression, SuppressionErrorKind> {
        let what = match (self.trusted_importer, self.false_match, self.value) {
            (Some(identifier), None, None) => Suppressed::TrustedImporter { identifier },
            (None, Some(against), Some(value)) => Suppressed::FalseMatch { against, value },
            (None, Some(_), None) => return Err(SuppressionErrorKind::Value),
            (None, None, _) | (Some(_), _, _) => return Err(SuppressionErrorKind::What),
        };
        Ok(Suppression {
            what,
            reason: self.reason,
            author: self.author,
            until_ms: date::parse(&self.until).ok_or(SuppressionErrorKind::Until)?,
        })
    }
}

/// A file of suppressions (bytes): [`super::MAX_SUPPRESSIONS`] of usual length.
pub const MAX_SUPPRESSION_FILE_BYTES: usize = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[suppression]]\ntrusted_importer = \"DE1234567\"\n\
        reason = \"audited\"\nauthor = \"officer 12\"\nuntil = \"2027-06-30\"\n";

    #[test]
    fn a_file_says_who_why_and_until_when() {
        let more = "[[suppression]]\nfalse_match = \"US-2026-0412\"\nvalue = \"NORTHGATE\"\n\
            reason = \"another firm\"\nauthor = \"officer 12\"\nuntil = \"2026-12-31T12:00:00Z\"\n";
        let list = Suppressions::read(&format!("{GOOD}{more}")).unwrap();
        let [trusted, no_match] = list.all() else {
            panic!("two are written");
        };
        assert_eq!(trusted.what.word(), "trusted_importer");
        assert_eq!(date::display(trusted.until_ms), "2027-06-30T00:00:00Z");
        assert_eq!(no_match.what.word(), "false_match");
        assert!(Suppressions::read("").unwrap().is_empty());
    }

    #[test]
    fn a_file_with_one_fault_is_refused_with_its_place() {
        let kind = |text: &str| match Suppressions::read(text) {
            Err(SuppressionFileError::Suppression(error)) => (error.number, error.kind),
            other => panic!("{other:?}"),
        };
        let endless = GOOD.replace("2027-06-30", "never");
        assert_eq!(kind(&endless), (1, SuppressionErrorKind::Until));
        let both = format!("{GOOD}false_match = \"US-2026-0412\"\nvalue = \"X\"\n");
        assert_eq!(kind(&both), (1, SuppressionErrorKind::What));
        let neither = GOOD.replace("trusted_importer", "value");
        assert_eq!(
            kind(&format!("{GOOD}{neither}")),
            (2, SuppressionErrorKind::What)
        );
        for malformed in [
            GOOD.replace("author", "auther"),
            GOOD.replace("reason = \"audited\"\n", ""),
            "suppression = 1".to_owned(),
            "\0".to_owned(),
        ] {
            let refused = Suppressions::read(&malformed).unwrap_err();
            assert!(matches!(refused, SuppressionFileError::Malformed(_)));
        }
        let long = "#".repeat(MAX_SUPPRESSION_FILE_BYTES + 1);
        assert_eq!(
            Suppressions::read(&long),
            Err(SuppressionFileError::TooLong)
        );
    }
}
