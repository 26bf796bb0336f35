//! What a stopped node holds on its disk, and every note that anybody collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_cli::keyfile;
use tocsin_core::roster::Alliance;
use tocsin_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tocsin_log::hash::Hash;
use tocsin_log::keyfile::Purpose;
use tocsin_log::note::Note;
use tocsin_store::OpenOptions;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::RealDisk;
use tocsin_store::mirror::{MirrorLog, MirrorState, MirrorStates};
use tocsin_store::own_log::{OwnLog, OwnState};
use tocsin_store::reader::LogReader;

use crate::journal::Answer;
use crate::network::Network;

/// Bytes of entries read at a time.
const CHUNK_BYTES: usize = 1024 * 1024;

/// One log as it lies on one node's disk.
#[derive(Debug)]
pub struct Held {
    /// Every entry.
    pub entries: Vec<Vec<u8>>,
    /// Every note kept; each has been compared with the entries beside it.
    pub notes: Vec<Vec<u8>>,
}

/// Reads what the stopped node of `at` holds of the log of `of`.
///
/// # Panics
/// When its copy is not whole, or holds a note that its entries contradict.
#[must_use]
pub fn held(network: &Network, at: &str, of: &str) -> Held {
    let member = network.alliance.member(of).expect("a member");
    let home = &network.member(at).home;
    let data = DataDir::open(Arc::new(RealDisk), home.dir()).expect("a directory nobody uses");
    let options = OpenOptions::default();
    if network.member(at).of == of {
        let key = keyfile::read_for(&home.keys().join("log.key"), Purpose::Log);
        let key = key.expect("a log key").key;
        let log = OwnLog::open(&data, &member.origin, key, options).expect("an own log");
        assert_eq!(*log.state(), OwnState::Ready, "{at} of {of}");
        read(&network.alliance, &log.reader())
    } else {
        let states = MirrorStates::open(&data).expect("a mirror state");
        let (origin, key) = (&member.origin, member.log_key);
        let log = MirrorLog::open(&data, &states, origin, key, options).expect("a mirror");
        assert_eq!(*log.state(), MirrorState::Ready, "{at} of {of}");
        read(&network.alliance, &log.reader())
    }
}

fn read(alliance: &Alliance, reader: &LogReader) -> Held {
    let mut entries = Vec::new();
    while let Some(start) = u64::try_from(entries.len())
        .ok()
        .filter(|at| *at < reader.size())
    {
        let some = reader
            .range(start, CHUNK_BYTES)
            .expect("entries that can be read");
        assert!(!some.is_empty(), "no entry at {start} of {}", reader.size());
        entries.extend(some.into_iter().map(|stored| stored.entry));
    }
    let notes = (1..=reader.size()).filter_map(|size| Some((size, reader.note_at(size).ok()?)));
    let notes = notes.map(|(size, note)| {
        let signed = open(alliance, &note);
        let root = reader.root_at(size).expect("a root");
        assert_eq!(
            (signed.size, signed.root),
            (size, root),
            "a note beside other entries"
        );
        note
    });
    Held {
        notes: notes.collect(),
        entries,
    }
}

fn open(alliance: &Alliance, note: &[u8]) -> Checkpoint {
    let text = Note::parse(note).expect("a note").text;
    let claimed = Checkpoint::parse_text(&text).expect("a checkpoint");
    let member = alliance.member(claimed.origin.member()).expect("a member");
    let signed = SignedCheckpoint::open(note, &member.origin, &member.log_key);
    signed.expect("a note by the log key").checkpoint().clone()
}

/// Every note collected, by whomever: of one log no two of one size may sign different roots.
#[derive(Debug, Default)]
pub struct NoteBook(BTreeMap<(String, u64), Hash>);

impl NoteBook {
    /// Adds a note.
    ///
    /// # Panics
    /// When its log's key did not sign it, or it contradicts one that was collected before.
    pub fn add(&mut self, alliance: &Alliance, note: &[u8]) {
        let Checkpoint { origin, size, root } = open(alliance, note);
        let known = *self.0.entry((origin.to_string(), size)).or_insert(root);
        assert_eq!(known, root, "two roots of {origin} at size {size}");
    }

    /// Adds what the stopped nodes of `ids` kept of each other's logs, and of their own.
    ///
    /// # Panics
    /// As [`held`] and [`NoteBook::add`]; when an answer is missing in a copy, or a copy has less.
    pub fn add_held(&mut self, network: &Network, ids: &[&str], answers: &[(&str, Vec<Answer>)]) {
        for (of, answers) in answers {
            for at in ids {
                let held = held(network, at, of);
                held.notes
                    .iter()
                    .for_each(|note| self.add(&network.alliance, note));
                hold(&held.entries, answers, &format!("{at} of {of}"));
            }
            answers
                .iter()
                .for_each(|answer| self.add(&network.alliance, &answer.note));
        }
    }

    /// How many sizes of logs have a note here.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Holds entries to what was answered for them, byte for byte.
///
/// # Panics
/// When an answered entry is not where it was said to be.
pub fn hold(entries: &[Vec<u8>], answers: &[Answer], whose: &str) {
    for answer in answers {
        let at = usize::try_from(answer.index)
            .ok()
            .and_then(|index| entries.get(index));
        assert_eq!(
            at,
            Some(&answer.entry),
            "lost: entry {} at {whose}",
            answer.index
        );
    }
}
