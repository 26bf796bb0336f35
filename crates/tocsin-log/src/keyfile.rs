//! The text form of a private key, one key to a file.
//!
//! ```text
//! # Tocsin record key. Whoever holds this file can sign with it.
//! # person: p-7f3a90c2
//! # public: 3b6a...
//! tocsin-key-v1 record <base64 of the 32-byte seed>
//! ```
//!
//! In scope: the text. Not in scope: files, their permissions, randomness.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::key::SigningKey;

/// First word of the line that holds the key.
const FORM: &str = "tocsin-key-v1";
/// Longest key text in bytes; ours have about 300.
pub const MAX_KEY_TEXT_BYTES: usize = 4_096;
/// Longest pseudonym in bytes, as in a manifest; a longer one is nobody's.
pub const MAX_PERSON_BYTES: usize = 64;

/// What a key may be used for; one purpose per key (FORMATS.md 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signs rosters and manifests; kept offline.
    Gov,
    /// Signs the member's own checkpoints.
    Log,
    /// Cosigns other members' checkpoints.
    Mirror,
    /// Signs statements.
    Record,
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Gov, Self::Log, Self::Mirror, Self::Record];

    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gov => "gov",
            Self::Log => "log",
            Self::Mirror => "mirror",
            Self::Record => "record",
        }
    }
}

/// One private key with what it is for and who holds it.
#[derive(Clone)]
#[expect(
    missing_debug_implementations,
    reason = "a secret must not reach a log or an error message"
)]
pub struct KeyText {
    /// What the key may be used for.
    pub purpose: Purpose,
    /// The stable pseudonym behind a record key, as in the manifest; none for a node's own keys.
    pub person: Option<String>,
    /// The key.
    pub key: SigningKey,
}

/// The text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyTextError {
    /// Over [`MAX_KEY_TEXT_BYTES`].
    #[error("it is longer than any key")]
    TooLong,
    /// Over [`MAX_PERSON_BYTES`].
    #[error("its person's pseudonym is longer than any")]
    Person,
    /// Another line than comments and the key.
    #[error("the line is not `tocsin-key-v1 PURPOSE SEED`")]
    Line,
    /// A second key.
    #[error("it holds more than one key")]
    SecondKey,
    /// A word that is no purpose.
    #[error("its purpose is not gov, log, mirror or record")]
    Purpose,
    /// The seed is not base64 of 32 bytes.
    #[error("its seed is not base64 of 32 bytes")]
    Seed,
    /// Comments only.
    #[error("it holds no key")]
    NoKey,
}

impl KeyText {
    /// Reads the text of a key file.
    ///
    /// # Errors
    /// [`KeyTextError`]; it never repeats any of the text.
    pub fn parse(text: &str) -> Result<Self, KeyTextError> {
        if text.len() > MAX_KEY_TEXT_BYTES {
            return Err(KeyTextError::TooLong);
        }
        let mut person = None;
        let mut found = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                if let Some(name) = comment.trim().strip_prefix("person:") {
                    let name = name.trim();
                    if name.len() > MAX_PERSON_BYTES {
                        return Err(KeyTextError::Person);
                    }
                    person = Some(name.to_owned());
                }
                continue;
            }
            let mut words = line.split_ascii_whitespace();
            let parts = (words.next(), words.next(), words.next(), words.next());
            let (Some(FORM), Some(purpose), Some(seed), None) = parts else {
                return Err(KeyTextError::Line);
            };
            if found.is_some() {
                return Err(KeyTextError::SecondKey);
            }
            let purpose = Purpose::ALL
                .into_iter()
                .find(|known| known.word() == purpose);
            let purpose = purpose.ok_or(KeyTextError::Purpose)?;
            let seed = Zeroizing::new(STANDARD.decode(seed).map_err(|_| KeyTextError::Seed)?);
            let seed = seed.as_slice().try_into().map_err(|_| KeyTextError::Seed)?;
            found = Some((purpose, SigningKey::from_seed(seed)));
        }
        let (purpose, key) = found.ok_or(KeyTextError::NoKey)?;
        Ok(Self {
            purpose,
            person,
            key,
        })
    }

    /// The text to write to a file that only its owner can read.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let (word, public) = (self.purpose.word(), self.key.public());
        let seed = Zeroizing::new(STANDARD.encode(self.key.seed().as_slice()));
        let person = self
            .person
            .as_ref()
            .map(|person| format!("# person: {person}\n"));
        Zeroizing::new(format!(
            "# Tocsin {word} key. Whoever holds this file can sign with it.\n{}\
             # public: {public}\n# key id: {}\n{FORM} {word} {}\n",
            person.unwrap_or_default(),
            public.key_id(),
            seed.as_str(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record_key() -> KeyText {
        let key = SigningKey::from_seed([7; 32]);
        KeyText {
            purpose: Purpose::Record,
            person: Some("p-1".to_owned()),
            key,
        }
    }

    #[test]
    fn a_person_longer_than_any_pseudonym_is_refused_so_that_what_is_read_can_be_written() {
        let text = |bytes: usize| {
            let mut key = record_key();
            key.person = Some("p".repeat(bytes));
            KeyText::parse(&key.to_text()).err()
        };
        assert_eq!(text(MAX_PERSON_BYTES), None);
        assert_eq!(text(MAX_PERSON_BYTES + 1), Some(KeyTextError::Person));
    }

    #[test]
    fn a_key_reads_back_from_its_text() {
        let read = KeyText::parse(&record_key().to_text()).map_err(|error| error.to_string());
        let read = read.ok().unwrap();
        assert_eq!(read.key.public(), record_key().key.public());
        assert_eq!(read.person.as_deref(), Some("p-1"));
        assert_eq!(read.purpose, Purpose::Record);
    }

    #[test]
    fn what_is_not_exactly_one_key_is_refused() {
        let text = record_key().to_text();
        let twice = format!("{}{}", text.as_str(), text.as_str());
        let long = "#".repeat(MAX_KEY_TEXT_BYTES + 1);
        for (text, error) in [
            ("", KeyTextError::NoKey),
            ("# person: p-1\n", KeyTextError::NoKey),
            ("tocsin-key-v1 record", KeyTextError::Line),
            ("tocsin-key-v2 record AAAA", KeyTextError::Line),
            ("tocsin-key-v1 tls AAAA", KeyTextError::Purpose),
            ("tocsin-key-v1 record AAAA", KeyTextError::Seed),
            ("tocsin-key-v1 record ????", KeyTextError::Seed),
            (twice.as_str(), KeyTextError::SecondKey),
            (long.as_str(), KeyTextError::TooLong),
        ] {
            assert_eq!(KeyText::parse(text).err(), Some(error));
        }
    }
}
