//! Notes of other members' logs that run ahead of us, and cosignatures of sizes we do not hold yet.
//!
//! What cannot be checked yet is kept, a little of it, until our own copy has grown that far: a
//! note that then disagrees is evidence, a cosignature that then verifies is a grade.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::note::SignatureLine;

/// Notes ahead of us kept of one origin: the largest and some below it.
pub(crate) const MAX_NOTES_AHEAD: usize = 16;

/// What runs ahead of our copies; shared by all tasks.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    table: Mutex<BTreeMap<String, OfOrigin>>,
}

#[derive(Debug, Default)]
struct OfOrigin {
    /// By size; several notes of one size are all kept, for they are evidence if they differ.
    notes: BTreeMap<(u64, Vec<u8>), SignedCheckpoint>,
    /// By cosigner: the largest size it vouches for.
    lines: BTreeMap<String, (u64, SignatureLine)>,
}

impl Ahead {
    /// Keeps a note whose signature was checked and whose size is beyond our copy.
    pub(crate) fn keep_note(&self, origin: &str, note: SignedCheckpoint) {
        let mut table = self.lock();
        let notes = &mut table.entry(origin.to_owned()).or_default().notes;
        let root = note.checkpoint().root.as_bytes().to_vec();
        notes.insert((note.checkpoint().size, root), note);
        // The smallest goes first: it is the first that our copy would confirm anyway.
        while notes.len() > MAX_NOTES_AHEAD {
            notes.pop_first();
        }
    }

    /// Keeps the line of a member over a size beyond our copy.
    pub(crate) fn keep_line(&self, origin: &str, member: &str, size: u64, line: SignatureLine) {
        let mut table = self.lock();
        let lines = &mut table.entry(origin.to_owned()).or_default().lines;
        if lines.get(member).is_none_or(|(kept, _)| *kept < size) {
            lines.insert(member.to_owned(), (size, line));
        }
    }

    /// The largest note seen of `origin` that our copy does not reach.
    pub(crate) fn newest(&self, origin: &str) -> Option<SignedCheckpoint> {
        let table = self.lock();
        let notes = &table.get(origin)?.notes;
        notes.last_key_value().map(|(_, note)| note.clone())
    }

    /// What can be checked now that our copy of `origin` holds `size`.
    pub(crate) fn reached(
        &self,
        origin: &str,
        size: u64,
    ) -> (Vec<SignedCheckpoint>, Vec<(u64, SignatureLine)>) {
        let mut table = self.lock();
        let Some(of_origin) = table.get_mut(origin) else {
            return (Vec::new(), Vec::new());
        };
        let beyond = of_origin.notes.split_off(&(size + 1, Vec::new()));
        let notes = std::mem::replace(&mut of_origin.notes, beyond);
        let mut lines = Vec::new();
        of_origin.lines.retain(|_, (of_size, line)| {
            let reached = *of_size <= size;
            if reached {
                lines.push((*of_size, line.clone()));
            }
            !reached
        });
        (notes.into_values().collect(), lines)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, OfOrigin>> {
        // Hints only; whatever a panic left is checked again when it is used.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
