//! Declaration lines from messages, and answers to messages.
//!
//! A line that goes beyond its bounds, or uses a word that is none, is refused by itself and by
//! name: nothing is said of its goods, and the other lines have their answers.

mod answer;

use tocsin_core::product::ImporterScheme;
use tocsin_core::terms::Direction;
use tocsin_screen::line::{Identifier, Line, Party, Role, Scheme};

use crate::proto::v1;

pub use answer::{Judged, JudgedHit, MAX_HITS, MAX_HITS_BYTES, answer, outcome};

/// A declaration line read from a message, borrowing its texts.
#[derive(Debug)]
pub struct Declared<'a> {
    message: &'a v1::DeclarationLine,
    direction: Option<Direction>,
    tariffs: Vec<&'a str>,
    gtins: Vec<&'a str>,
    models: Vec<&'a str>,
    serials: Vec<&'a str>,
    batches: Vec<&'a str>,
    brands: Vec<&'a str>,
    components: Vec<&'a str>,
    containers: Vec<&'a str>,
    transport_documents: Vec<&'a str>,
    listings: Vec<&'a str>,
    images: Vec<&'a str>,
    claims: Vec<&'a str>,
    // Of all parties, one after the other.
    identifiers: Vec<Identifier<'a>>,
    roles: Vec<Role>,
}

/// Why a line is not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Over [`MAX_LINE_BYTES`].
    #[error("a line has at most {MAX_LINE_BYTES} bytes; leave out what is not compared")]
    TooLong,
    /// A word for the direction or a role that is none; the field it stands in.
    #[error("`{0}` holds a word that is none; the contract (screen.proto) lists them")]
    UnknownWord(&'static str),
    /// The declaration's own name is over [`MAX_DECLARATION_CHARS`].
    #[error("a declaration's name has at most {MAX_DECLARATION_CHARS} characters")]
    NameTooLong,
}

impl LineError {
    /// The stable reason code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "LINE_TOO_LONG",
            Self::UnknownWord(_) | Self::NameTooLong => "FIELD_INVALID",
        }
    }

    /// The field of the line that it is about; empty for the whole.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::TooLong => "",
            Self::UnknownWord(field) => field,
            Self::NameTooLong => "declaration",
        }
    }
}

impl<'a> Declared<'a> {
    /// Reads a line; `bytes` is its length as a message.
    ///
    /// # Errors
    /// [`LineError`], by which the one line is refused.
    pub fn read(message: &'a v1::DeclarationLine, bytes: usize) -> Result<Self, LineError> {
        if bytes > MAX_LINE_BYTES {
            return Err(LineError::TooLong);
        }
        if message.declaration.chars().count() > MAX_DECLARATION_CHARS {
            return Err(LineError::NameTooLong);
        }
        let roles: Option<Vec<Role>> = message.parties.iter().map(|p| role(&p.role)).collect();
        let identifiers = message.parties.iter().flat_map(|party| &party.identifiers);
        Ok(Self {
            message,
            direction: direction(&message.direction)?,
            tariffs: borrowed(&message.tariff_codes),
            gtins: borrowed(&message.gtins),
            models: borrowed(&message.models),
            serials: borrowed(&message.serials),
            batches: borrowed(&message.batches),
            brands: borrowed(&message.brands),
            components: borrowed(&message.components),
            containers: borrowed(&message.containers),
            transport_documents: borrowed(&message.transport_documents),
            listings: borrowed(&message.listings),
            images: borrowed(&message.images),
            claims: borrowed(&message.claims),
            identifiers: identifiers.map(identifier).collect::<Result<_, _>>()?,
            roles: roles.ok_or(LineError::UnknownWord("parties.role"))?,
        })
    }

    /// Hands the line to `check`.
    pub fn with<T>(&self, check: impl FnOnce(&Line<'_>) -> T) -> T {
        let mut rest = self.identifiers.as_slice();
        let parties = self.message.parties.iter().zip(&self.roles);
        let parties: Vec<Party<'_>> = parties
            .map(|(party, role)| {
                let (own, others) = rest
                    .split_at_checked(party.identifiers.len())
                    .unwrap_or((rest, &[]));
                rest = others;
                Party {
                    role: *role,
                    name: &party.name,
                    identifiers: own,
                    country: &party.country,
                }
            })
            .collect();
        let message = self.message;
        check(&Line {
            declaration: &message.declaration,
            number: message.line,
            direction: self.direction,
            at_ms: (message.at_ms != 0).then_some(message.at_ms),
            tariffs: &self.tariffs,
            tariff_country: &message.tariff_country,
            tariff_edition: message.tariff_edition,
            description: &message.description,
            origin: &message.origin,
            dispatch: &message.dispatch,
            parties: &parties,
            gtins: &self.gtins,
            models: &self.models,
            serials: &self.serials,
            batches: &self.batches,
            brands: &self.brands,
            components: &self.components,
            containers: &self.containers,
            transport_documents: &self.transport_documents,
            vessel: &message.vessel,
            listings: &self.listings,
            images: &self.images,
            is_under_bond: message.under_bond,
            is_certified: message.certified,
            claims: &self.claims,
        })
    }
}

fn borrowed(values: &[String]) -> Vec<&str> {
    values.iter().map(String::as_str).collect()
}

fn direction(word: &str) -> Result<Option<Direction>, LineError> {
    if word.is_empty() {
        return Ok(None);
    }
    let direction = Direction::from_word(word);
    Ok(Some(direction.ok_or(LineError::UnknownWord("direction"))?))
}

fn role(word: &str) -> Option<Role> {
    Role::ALL
        .into_iter()
        .find(|role| role.field().word() == word)
}

fn identifier(declared: &v1::DeclaredIdentifier) -> Result<Identifier<'_>, LineError> {
    let scheme = match declared.scheme.as_str() {
        "" => Scheme::Any,
        "lei" => Scheme::Lei,
        "eori" => Scheme::Eori,
        "mid" => Scheme::Mid,
        "duns" => Scheme::Duns,
        other => {
            let scheme = ImporterScheme::from_word(other).map(Scheme::Importer);
            scheme.ok_or(LineError::UnknownWord("parties.identifiers.scheme"))?
        }
    };
    Ok(Identifier {
        scheme,
        value: &declared.value,
    })
}

/// One line as a message (bytes): a long description in three-byte characters, and identifiers.
pub const MAX_LINE_BYTES: usize = 16 * 1024;
/// Characters of the agency's own name for a declaration.
pub const MAX_DECLARATION_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn party(role: &str, name: &str, identifiers: &[(&str, &str)]) -> v1::DeclaredParty {
        let identifiers = identifiers
            .iter()
            .map(|(scheme, value)| v1::DeclaredIdentifier {
                scheme: (*scheme).to_owned(),
                value: (*value).to_owned(),
            });
        v1::DeclaredParty {
            role: role.to_owned(),
            name: name.to_owned(),
            identifiers: identifiers.collect(),
            country: "DE".to_owned(),
        }
    }

    fn refused(line: &v1::DeclarationLine) -> LineError {
        Declared::read(line, line.encoded_len()).unwrap_err()
    }

    #[test]
    fn a_line_says_what_its_message_says() {
        let message = v1::DeclarationLine {
            declaration: "26DE1".to_owned(),
            line: 3,
            direction: "transit".to_owned(),
            gtins: vec!["4006381333931".to_owned()],
            parties: vec![
                party("importer", "Acme", &[("eori", "DE1"), ("", "X")]),
                party("carrier", "Ship", &[]),
                party("seller", "Vendor", &[("us", "12-3456789")]),
            ],
            certified: true,
            ..v1::DeclarationLine::default()
        };
        let declared = Declared::read(&message, message.encoded_len()).unwrap();
        declared.with(|line| {
            assert_eq!((line.declaration, line.number), ("26DE1", 3));
            assert_eq!(line.direction, Some(Direction::Transit));
            assert_eq!((line.at_ms, line.is_certified), (None, true));
            assert_eq!(line.gtins, ["4006381333931"]);
            let [importer, carrier, seller] = line.parties else {
                panic!("three parties");
            };
            assert_eq!(
                (importer.role, importer.identifiers.len()),
                (Role::Importer, 2)
            );
            assert_eq!(importer.identifiers[1].scheme, Scheme::Any);
            assert_eq!(
                (carrier.role, carrier.identifiers.len()),
                (Role::Carrier, 0)
            );
            assert_eq!(
                seller.identifiers[0].scheme,
                Scheme::Importer(ImporterScheme::Us)
            );
            assert_eq!(seller.identifiers[0].value, "12-3456789");
        });
    }

    #[test]
    fn a_line_beyond_its_bounds_or_with_an_unknown_word_is_refused_by_name() {
        let long = v1::DeclarationLine {
            description: "x".repeat(MAX_LINE_BYTES),
            ..v1::DeclarationLine::default()
        };
        assert_eq!(refused(&long).code(), "LINE_TOO_LONG");
        let sideways = v1::DeclarationLine {
            direction: "sideways".to_owned(),
            ..v1::DeclarationLine::default()
        };
        assert_eq!(refused(&sideways).field(), "direction");
        let stranger = v1::DeclarationLine {
            parties: vec![party("stranger", "Acme", &[])],
            ..v1::DeclarationLine::default()
        };
        assert_eq!(refused(&stranger).field(), "parties.role");
        let named = v1::DeclarationLine {
            declaration: "é".repeat(MAX_DECLARATION_CHARS + 1),
            ..v1::DeclarationLine::default()
        };
        assert_eq!(refused(&named), LineError::NameTooLong);
    }

    #[test]
    fn every_role_has_its_word() {
        for known in Role::ALL {
            assert_eq!(role(known.field().word()), Some(known));
        }
        assert_eq!(role("gtin"), None);
    }
}
