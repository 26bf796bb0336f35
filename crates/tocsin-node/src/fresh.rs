//! What the sequencer has just written, on a short way to the applier: the door judged it, so it
//! need not be read back and judged again.
//!
//! It is a convenience. What is not here, because there was too much of it or it was written before
//! the start, is read from the log and judged like everybody's.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::indexer::Judged;
use crate::limits;

/// Judged entries of our own log, by index.
#[derive(Debug, Default)]
pub(crate) struct Fresh {
    judged: Mutex<BTreeMap<u64, Judged>>,
}

impl Fresh {
    /// Entries that are durable, and not yet signed.
    pub(crate) fn put(&self, entries: impl IntoIterator<Item = (u64, Judged)>) {
        let mut judged = self.lock();
        for (index, entry) in entries {
            if judged.len() < limits::FRESH_ENTRIES {
                judged.insert(index, entry);
            }
        }
    }

    /// Those from `start` to before `end` that follow one another; what lies before is forgotten.
    pub(crate) fn take(&self, start: u64, end: u64) -> Vec<Judged> {
        let mut judged = self.lock();
        let mut taken = Vec::new();
        for index in start..end {
            match judged.remove(&index) {
                Some(entry) => taken.push(entry),
                None => break,
            }
        }
        let done = start.saturating_add(taken.len() as u64);
        if judged
            .first_key_value()
            .is_some_and(|(first, _)| *first < done)
        {
            *judged = judged.split_off(&done);
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Judged>> {
        // Each change is one step; a panic leaves the map whole.
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(fresh: &Fresh, indexes: &[u64]) {
        fresh.put(indexes.iter().map(|index| (*index, Judged::Invalid)));
    }

    #[test]
    fn only_a_run_from_the_start_is_taken_and_never_beyond_what_is_committed() {
        let fresh = Fresh::default();
        put(&fresh, &[3, 4, 6, 7]);
        assert_eq!(fresh.take(2, 9).len(), 0);
        assert_eq!(fresh.take(3, 4).len(), 1);
        assert_eq!(fresh.take(4, 9).len(), 1);
        assert_eq!(fresh.take(5, 9).len(), 0);
        assert_eq!(fresh.take(6, 9).len(), 2);
    }

    #[test]
    fn what_was_applied_another_way_is_forgotten_and_the_rest_is_bounded() {
        let fresh = Fresh::default();
        put(&fresh, &[1, 2, 3]);
        assert_eq!(fresh.take(9, 10).len(), 0);
        assert!(fresh.lock().is_empty());
        let many: Vec<u64> = (0..2 * limits::FRESH_ENTRIES as u64).collect();
        put(&fresh, &many);
        assert_eq!(fresh.lock().len(), limits::FRESH_ENTRIES);
    }
}
