//! Proof that a member signed two histories: kept, passed on, and never withdrawn.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_log::hash::Hash;
use tocsin_wire::proto::peer::v1 as peer;
use tokio::sync::watch;

/// Pieces kept of one origin: the first freezes it, the others are for the officers.
pub(crate) const MAX_EVIDENCE_PER_ORIGIN: usize = 4;

/// All verified evidence this node holds.
#[derive(Debug)]
pub(crate) struct EvidenceShelf {
    shelf: Mutex<Shelf>,
    changed: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Shelf {
    /// In order of arrival, so that a stream remembers how many it passed on; each by what it
    /// proves, whoever put it together.
    pieces: Vec<(Hash, peer::Evidence)>,
    of_origin: BTreeMap<String, usize>,
}

impl Default for EvidenceShelf {
    fn default() -> Self {
        Self {
            shelf: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl EvidenceShelf {
    /// Keeps a piece that the caller has verified against `origin`'s key. Whether it was news.
    pub(crate) fn keep(&self, origin: &str, id: Hash, piece: peer::Evidence) -> bool {
        let mut shelf = self.lock();
        if shelf.pieces.iter().any(|(known, _)| *known == id) {
            return false;
        }
        let count = shelf.of_origin.entry(origin.to_owned()).or_default();
        if *count >= MAX_EVIDENCE_PER_ORIGIN {
            return false;
        }
        *count += 1;
        shelf.pieces.push((id, piece));
        let total = shelf.pieces.len();
        drop(shelf);
        self.changed.send_replace(total);
        true
    }

    /// Pieces after the first `known`.
    pub(crate) fn after(&self, known: usize) -> Vec<peer::Evidence> {
        self.lock()
            .pieces
            .iter()
            .skip(known)
            .map(|(_, piece)| piece.clone())
            .collect()
    }

    /// Whether anything is held against `origin`.
    pub(crate) fn is_frozen(&self, origin: &str) -> bool {
        self.lock().of_origin.contains_key(origin)
    }

    /// How many pieces are held.
    pub(crate) fn count(&self) -> usize {
        self.lock().pieces.len()
    }

    /// Wakes when a piece arrives.
    pub(crate) fn watch(&self) -> watch::Receiver<usize> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Shelf> {
        // Pieces are pushed whole, so a shelf that a panic left behind is still sound.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
