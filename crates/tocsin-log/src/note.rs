//! C2SP signed notes: a text, and lines that say who signed it (C2SP signed-note v1.0.0).
//!
//! This file knows the form. Whose signature must be there is the business of [`crate::checkpoint`]
//! and [`crate::cosign`]. Lines by unknown keys are kept and ignored, so that new kinds of
//! signature can be added.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::hash::{Hash, read_hex};
use crate::key::{KeyError, PublicKey, Signature};

/// The most bytes of a note: [`MAX_NOTE_SIGNATURES`] Ed25519 lines with long names are half of it.
pub const MAX_NOTE_BYTES: usize = 64 * 1024;
/// The most signature lines of a note. C2SP asks for at least 16; an alliance of 60 needs 61.
pub const MAX_NOTE_SIGNATURES: usize = 128;
/// The most bytes of one signature line: an ML-DSA-44 line is about 3.5 KiB.
pub const MAX_LINE_BYTES: usize = 8 * 1024;

/// The signature type of a log's own Ed25519 key (C2SP signed-note).
pub const TYPE_ED25519: u8 = 0x01;
/// The signature type of a timestamped Ed25519 cosignature (C2SP tlog-cosignature).
pub const TYPE_COSIGNATURE: u8 = 0x04;

const LINE_START: &str = "\u{2014} ";

/// A note in its parts. Nothing in it is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What is signed; ends with a newline.
    pub text: String,
    /// In the order of the note; at least one.
    pub signatures: Vec<SignatureLine>,
}

/// One line under a note: a name, and bytes whose meaning its key id decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The key's name; no spaces, no plus.
    pub name: String,
    /// A hint at the key: [`key_id`].
    pub key_id: [u8; 4],
    /// What stands behind the key id; at least one byte.
    pub bytes: Vec<u8>,
}

/// A public key as notes know it, `<name>+<key id>+<key>`: how a log or mirror is named to other
/// C2SP tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// The name on signature lines.
    pub name: String,
    /// [`TYPE_ED25519`] or [`TYPE_COSIGNATURE`].
    pub signature_type: u8,
    /// The admitted key.
    pub key: PublicKey,
}

/// Bytes that are not a note, or a note that is not what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Over [`MAX_NOTE_BYTES`].
    #[error("note of {bytes} bytes is over the limit of {MAX_NOTE_BYTES}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Over [`MAX_NOTE_SIGNATURES`].
    #[error("note has more than {MAX_NOTE_SIGNATURES} signatures")]
    TooManySignatures,
    /// Not UTF-8, or a control character other than a newline.
    #[error("note holds bytes that a note must not hold")]
    NotText,
    /// No blank line between text and signatures, or no newline at the end.
    #[error("note has no signature block")]
    NoSignatures,
    /// A line that is not `— <name> <base64>`.
    #[error("signature line is malformed")]
    Line,
    /// A name that is empty or has a space or a plus.
    #[error("key name is malformed")]
    Name,
    /// A text form of a key that is not `<name>+<key id>+<key>`.
    #[error("verifier key is malformed")]
    VerifierKey,
    /// The key in a text form is not admitted.
    #[error("verifier key is refused: {0}")]
    Key(#[from] KeyError),
    /// No line by the key that must have signed.
    #[error("the expected signature is missing")]
    Unsigned,
    /// A line by a known key that does not verify. The whole note is then worth nothing.
    #[error("a signature by a known key does not verify")]
    BadSignature,
}

impl Note {
    /// Reads a note. What is accepted gives the same bytes again.
    ///
    /// # Errors
    /// [`NoteError`] names the first rule that is broken.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let note = str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        if note.chars().any(|c| c < ' ' && c != '\n') {
            return Err(NoteError::NotText);
        }
        // The last blank line: the text may have others, the signatures none.
        let split = note.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
        let (text, rest) = note
            .split_at_checked(split + 1)
            .ok_or(NoteError::NoSignatures)?;
        let block = rest
            .strip_prefix('\n')
            .and_then(|block| block.strip_suffix('\n'));
        let block = block.ok_or(NoteError::NoSignatures)?;
        if block.split('\n').nth(MAX_NOTE_SIGNATURES).is_some() {
            return Err(NoteError::TooManySignatures);
        }
        let signatures = block
            .split('\n')
            .map(SignatureLine::parse)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The note's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut note = format!("{}\n", self.text);
        for line in &self.signatures {
            note.push_str(&line.to_line());
            note.push('\n');
        }
        note.into_bytes()
    }

    /// Adds a line, unless the note has the same line already or is full.
    ///
    /// # Errors
    /// [`NoteError::TooManySignatures`] or [`NoteError::TooLong`]; the note is then as it was.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        if self.signatures.contains(&line) {
            return Ok(());
        }
        if self.signatures.len() >= MAX_NOTE_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        let bytes = self.to_bytes().len() + line.to_line().len() + 1;
        if bytes > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { bytes });
        }
        self.signatures.push(line);
        Ok(())
    }

    /// The lines that claim to be by this name and key id.
    pub fn lines_by<'a>(
        &'a self,
        name: &'a str,
        key_id: [u8; 4],
    ) -> impl Iterator<Item = &'a SignatureLine> {
        self.signatures
            .iter()
            .filter(move |line| line.name == name && line.key_id == key_id)
    }

    /// Checks that `name` signed the text with `key`, as a note's own signer (type 0x01).
    ///
    /// # Errors
    /// [`NoteError::Unsigned`] if no line is by this key, [`NoteError::BadSignature`] if any such
    /// line fails.
    pub fn verify(&self, name: &str, key: &PublicKey) -> Result<(), NoteError> {
        let mut signed = Err(NoteError::Unsigned);
        for line in self.lines_by(name, key_id(name, TYPE_ED25519, key)) {
            let signature = Signature::try_from(line.bytes.as_slice());
            let signature = signature.map_err(|_| NoteError::BadSignature)?;
            key.verify(self.text.as_bytes(), &signature)
                .map_err(|_| NoteError::BadSignature)?;
            signed = Ok(());
        }
        signed
    }
}

impl SignatureLine {
    /// Reads one line, without its newline.
    ///
    /// # Errors
    /// [`NoteError::Line`] or [`NoteError::Name`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        if line.len() > MAX_LINE_BYTES {
            return Err(NoteError::Line);
        }
        let line = line.strip_prefix(LINE_START).ok_or(NoteError::Line)?;
        let (name, encoded) = line.split_once(' ').ok_or(NoteError::Line)?;
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let bytes = STANDARD.decode(encoded).map_err(|_| NoteError::Line)?;
        let (key_id, bytes) = bytes.split_first_chunk().ok_or(NoteError::Line)?;
        if bytes.is_empty() {
            return Err(NoteError::Line);
        }
        Ok(Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_vec(),
        })
    }

    /// The line's text, without a newline.
    #[must_use]
    pub fn to_line(&self) -> String {
        let encoded = STANDARD.encode([self.key_id.as_slice(), &self.bytes].concat());
        format!("{LINE_START}{} {encoded}", self.name)
    }
}

impl VerifierKey {
    /// Reads the text form.
    ///
    /// # Errors
    /// [`NoteError::VerifierKey`], [`NoteError::Name`], or [`NoteError::Key`] if the key is not
    /// admitted.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteError::VerifierKey);
        };
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| NoteError::VerifierKey)?;
        let (signature_type, key) = bytes.split_first().ok_or(NoteError::VerifierKey)?;
        if ![TYPE_ED25519, TYPE_COSIGNATURE].contains(signature_type) {
            return Err(NoteError::VerifierKey);
        }
        let key = PublicKey::try_from(key)?;
        if read_hex(id) != Some(key_id(name, *signature_type, &key)) {
            return Err(NoteError::VerifierKey);
        }
        Ok(Self {
            name: name.to_owned(),
            signature_type: *signature_type,
            key,
        })
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}+", self.name)?;
        crate::hash::write_hex(f, &key_id(&self.name, self.signature_type, &self.key))?;
        let bytes = [&[self.signature_type], self.key.as_bytes().as_slice()].concat();
        write!(f, "+{}", STANDARD.encode(bytes))
    }
}

/// The first bytes of `H(name || 0x0A || signature type || key)`: which key a line is by.
#[must_use]
pub fn key_id(name: &str, signature_type: u8, key: &PublicKey) -> [u8; 4] {
    let Hash([a, b, c, d, ..]) =
        Hash::of_parts(&[name.as_bytes(), &[b'\n', signature_type], key.as_bytes()]);
    [a, b, c, d]
}

/// A key name must not be empty or hold spaces or a plus (C2SP signed-note); nor may it break the
/// line.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|c| c.is_whitespace() || c < ' ' || c == '+')
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::key::SigningKey;

    const NAME: &str = "demo.tocsin.example/jp/1";

    fn line(seed: u8, name: &str, text: &str) -> SignatureLine {
        let key = SigningKey::from_seed([seed; 32]);
        let key_id = key_id(name, TYPE_ED25519, &key.public());
        SignatureLine {
            name: name.to_owned(),
            key_id,
            bytes: key.sign(text.as_bytes()).0.to_vec(),
        }
    }

    fn note() -> Note {
        let text = "first\n\nsecond\n".to_owned();
        let signatures = vec![line(1, NAME, &text)];
        Note { text, signatures }
    }

    #[test]
    fn the_last_blank_line_parts_text_and_signatures() {
        let bytes = note().to_bytes();
        assert!(bytes.starts_with(b"first\n\nsecond\n\n\xe2\x80\x94 demo"));
        assert_eq!(Note::parse(&bytes), Ok(note()));
    }

    #[test]
    fn what_is_not_a_note_is_refused_with_its_reason() {
        let good = String::from_utf8(note().to_bytes()).unwrap();
        let refused = |text: &str| Note::parse(text.as_bytes()).unwrap_err();
        assert_eq!(refused(""), NoteError::NoSignatures);
        assert_eq!(refused("text\n"), NoteError::NoSignatures);
        assert_eq!(refused("text\n\n"), NoteError::NoSignatures);
        assert_eq!(refused(good.trim_end()), NoteError::NoSignatures);
        assert_eq!(
            refused(&good.replace("first", "fir\tst")),
            NoteError::NotText
        );
        assert_eq!(refused(&good.replace('\n', "\r\n")), NoteError::NotText);
        assert_eq!(Note::parse(b"\xff\n\n"), Err(NoteError::NotText));
        assert_eq!(refused(&good.replace('\u{2014}', "-")), NoteError::Line);
        assert_eq!(refused(&good.replace(NAME, "a+b")), NoteError::Name);
        assert_eq!(refused(&good.replace(NAME, "a\u{a0}b")), NoteError::Name);
        assert_eq!(refused(&good.replace(NAME, "")), NoteError::Name);
        assert_eq!(refused(&good.replace(NAME, "two words")), NoteError::Line);
        assert_eq!(refused("t\n\n\u{2014} n AAAAAA==\n"), NoteError::Line);
        // Base64 with stray bits at its end would be a second spelling of one note.
        assert!(Note::parse("t\n\n\u{2014} n AAAAAAA=\n".as_bytes()).is_ok());
        assert_eq!(refused("t\n\n\u{2014} n AAAAAAB=\n"), NoteError::Line);
        let long = "x".repeat(MAX_NOTE_BYTES + 1);
        assert_eq!(
            refused(&long),
            NoteError::TooLong {
                bytes: MAX_NOTE_BYTES + 1
            }
        );
        let line = format!("\u{2014} n {}", "A".repeat(MAX_LINE_BYTES));
        assert_eq!(SignatureLine::parse(&line), Err(NoteError::Line));
    }

    #[test]
    fn signatures_are_counted_before_they_are_read() {
        let mut note = note();
        for n in 1..MAX_NOTE_SIGNATURES {
            note.add(line(1, &n.to_string(), "x")).unwrap();
        }
        let again = note.signatures[0].clone();
        assert_eq!(
            note.add(again),
            Ok(()),
            "a line it has already is no addition"
        );
        assert_eq!(note.signatures.len(), MAX_NOTE_SIGNATURES);
        assert_eq!(
            note.add(line(2, "b", "x")),
            Err(NoteError::TooManySignatures)
        );
        assert_eq!(Note::parse(&note.to_bytes()), Ok(note.clone()));
        note.signatures.push(line(2, "b", "x"));
        assert_eq!(
            Note::parse(&note.to_bytes()),
            Err(NoteError::TooManySignatures)
        );
        let mut note = tests::note();
        note.text = format!("{}\n", "x".repeat(MAX_NOTE_BYTES - 150));
        assert!(matches!(
            note.add(line(2, "b", "x")),
            Err(NoteError::TooLong { .. })
        ));
    }

    #[test]
    fn a_known_key_that_fails_spoils_the_note_and_unknown_ones_are_ignored() {
        let key = SigningKey::from_seed([1; 32]).public();
        let mut note = note();
        assert_eq!(note.verify(NAME, &key), Ok(()));
        // Another key under the same name, another name over the same id, an unknown kind of
        // signature.
        note.add(line(2, NAME, "else")).unwrap();
        let id = note.signatures[0].key_id;
        note.add(SignatureLine {
            name: "x".to_owned(),
            key_id: id,
            bytes: vec![1],
        })
        .unwrap();
        let unknown = SignatureLine {
            name: NAME.to_owned(),
            key_id: [0; 4],
            bytes: vec![6; 2428],
        };
        note.add(unknown).unwrap();
        assert_eq!(note.verify(NAME, &key), Ok(()));
        let before = note.clone();
        for bytes in [
            line(1, NAME, "else").bytes,
            vec![0; 64],
            vec![0; 63],
            vec![0],
        ] {
            let mut spoilt = before.clone();
            let name = NAME.to_owned();
            spoilt
                .add(SignatureLine {
                    name,
                    key_id: id,
                    bytes,
                })
                .unwrap();
            assert_eq!(spoilt.verify(NAME, &key), Err(NoteError::BadSignature));
        }
        let other = SigningKey::from_seed([3; 32]).public();
        assert_eq!(note.verify(NAME, &other), Err(NoteError::Unsigned));
    }

    #[test]
    fn verifier_keys_must_carry_their_own_id() {
        let key = SigningKey::from_seed([1; 32]).public();
        for signature_type in [TYPE_ED25519, TYPE_COSIGNATURE] {
            let verifier = VerifierKey {
                name: NAME.to_owned(),
                signature_type,
                key,
            };
            let text = verifier.to_string();
            assert_eq!(VerifierKey::parse(&text), Ok(verifier));
            let other = text.replace("/jp/", "/us/");
            assert_eq!(VerifierKey::parse(&other), Err(NoteError::VerifierKey));
        }
        for bad in [
            "",
            "a",
            "a+b",
            "a+00000000+",
            "a+0000000+AQ==",
            "a+00000000+!",
        ] {
            assert!(VerifierKey::parse(bad).is_err(), "{bad}");
        }
        let weak = format!(
            "a+00000000+{}",
            STANDARD.encode([[1].as_slice(), &[0; 32]].concat())
        );
        assert_eq!(
            VerifierKey::parse(&weak),
            Err(NoteError::Key(KeyError::SmallOrder))
        );
    }

    proptest! {
        #[test]
        fn hostile_notes_are_refused_or_give_the_same_bytes(
            bytes in vec(any::<u8>(), 0..300), text: String, at: usize, value: u8,
        ) {
            let mut damaged = note().to_bytes();
            let at = at % damaged.len();
            damaged[at] = value;
            let shaped = format!("{text}\n\n\u{2014} {text} {text}\n").into_bytes();
            let key = SigningKey::from_seed([1; 32]).public();
            for bytes in [bytes, damaged, shaped] {
                if let Ok(note) = Note::parse(&bytes) {
                    prop_assert_eq!(note.to_bytes(), bytes);
                    let _ = note.verify(NAME, &key);
                }
            }
            let _ = VerifierKey::parse(&text);
            if let Ok(line) = SignatureLine::parse(&text) {
                prop_assert_eq!(line.to_line(), text);
            }
        }

        #[test]
        fn lines_round_trip(
            name in "[^\\s+\\x00-\\x1f]{1,40}",
            key_id: [u8; 4],
            bytes in vec(any::<u8>(), 1..99),
        ) {
            let line = SignatureLine { name, key_id, bytes };
            prop_assert_eq!(SignatureLine::parse(&line.to_line()), Ok(line));
        }
    }
}
