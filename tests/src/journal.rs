//! A client's own journal of what it was answered: each line is flushed before the next thing is
//! said.
//!
//! In scope: the answers, written and read back. Whoever was killed loses at most its last line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tocsin_log::key::PublicKey;
use tocsin_wire::proto::v1;
use tocsin_wire::receipt::Receipt;

use crate::say::Signed;

/// What a node has answered for: an entry at an index, under a signed note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Where it stands.
    pub index: u64,
    /// Its exact bytes.
    pub entry: Vec<u8>,
    /// The note that the receipt rests on.
    pub note: Vec<u8>,
}

impl Answer {
    /// What a node answered to `said`, once its receipt has proven it under the log's `key`.
    ///
    /// # Panics
    /// When the receipt proves nothing.
    #[must_use]
    pub fn proven(said: &Signed, response: &v1::SubmitResponse, key: &PublicKey) -> Self {
        let receipt = response.receipt.as_ref().expect("a receipt");
        let receipt = Receipt::read(receipt).expect("a receipt of its form");
        receipt
            .verify(&said.entry, key)
            .expect("a receipt that proves what it says");
        let entry = said.entry.encode().expect("an entry within its bounds");
        Self {
            index: receipt.index,
            entry,
            note: receipt.note,
        }
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.split(' ');
        let index = parts.next()?.parse().ok()?;
        Some(Self {
            index,
            entry: from_hex(parts.next()?)?,
            note: from_hex(parts.next()?)?,
        })
    }
}

/// Appends to a journal.
#[derive(Debug)]
pub struct Journal(File);

impl Journal {
    /// Opens the journal at `path`, making it where there is none.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(
            OpenOptions::new().create(true).append(true).open(path)?,
        ))
    }

    /// Writes an answer down; it lasts when this returns.
    ///
    /// # Errors
    /// The file system's.
    pub fn keep(&mut self, answer: &Answer) -> io::Result<()> {
        let Answer { index, entry, note } = answer;
        let line = format!("{index} {} {}\n", to_hex(entry), to_hex(note));
        self.0.write_all(line.as_bytes())?;
        self.0.sync_data()
    }
}

/// The whole lines of a journal.
///
/// # Panics
/// When it cannot be read, or a line is none of ours.
#[must_use]
pub fn read(path: &Path) -> Vec<Answer> {
    let text = std::fs::read_to_string(path).expect("a journal");
    let whole = text.rfind('\n').map_or("", |end| text.split_at(end).0);
    let answer = |line| Answer::read(line).expect("a line of the journal");
    whole.lines().map(answer).collect()
}

/// How many answers a journal holds by now.
#[must_use]
pub fn count(path: &Path) -> usize {
    let bytes = std::fs::read(path).unwrap_or_default();
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()));
    let digits: Vec<u8> = digits.collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| (high << 4) | low).collect())
}
