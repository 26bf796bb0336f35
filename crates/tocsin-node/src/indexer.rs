//! The index beside the logs: verdicts that need not be made again.
//!
//! Nothing in it cannot be made anew. Whatever it fails at costs time, never an answer: a missing
//! verdict is judged again, a broken index is thrown away and rebuilt, with progress.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::process::setpriority_process;
use tocsin_core::registry::Filed;
use tocsin_core::statement::{Decoded, Statement};
use tocsin_core::validate::{Verdict, validate};
use tocsin_core::{roster::Alliance, statement::StatementRef};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_store::index::{Index, IndexError, IndexState};
use tocsin_store::reader::{LogReader, StoredEntry};

use crate::limits;
use crate::verdicts::{self, Known};

/// The index, or none while it cannot be had.
#[derive(Debug)]
pub(crate) struct Indexer {
    index: Mutex<Option<Index>>,
}

/// An entry with what validation made of it.
#[derive(Debug)]
pub(crate) enum Judged {
    /// It counts, and the fold needs no more of it.
    Filed(Filed),
    /// It counts.
    Valid {
        statement_id: Hash,
        statement: Box<Statement>,
    },
    /// It says something this version does not know.
    Opaque { about: Option<StatementRef> },
    /// It has no effect.
    Invalid,
}

impl Judged {
    /// A statement of a log of `member` that counts.
    pub(crate) fn counts(member: &str, statement_id: Hash, statement: Box<Statement>) -> Self {
        match Filed::of(member, statement_id, &statement) {
            Some(filed) => Self::Filed(filed),
            None => Self::Valid {
                statement_id,
                statement,
            },
        }
    }
}

/// Entries that a processor takes at a time: some milliseconds of work.
const LANE_ENTRIES: usize = 64;

impl Indexer {
    /// Opens the index, or begins a new one; without any the node works, only slower.
    pub(crate) fn open(directory: &Path, readers: &[LogReader]) -> Self {
        let index = match Index::open(directory, readers) {
            Ok((index, state)) => {
                if let IndexState::Rebuild(reason) = state {
                    tracing::warn!(?reason, "the index is rebuilt from the logs");
                }
                Some(index)
            }
            Err(error) => {
                tracing::error!(%error, "no index: every entry is judged again");
                None
            }
        };
        Self {
            index: Mutex::new(index),
        }
    }

    /// Verdicts made before on the entries from `from` on.
    pub(crate) fn verdicts(&self, log: &LogReader, from: u64) -> Option<Vec<Known>> {
        let found = self.ask(|index| index.verdicts(log, from)).flatten()?;
        let known = verdicts::decode(&found.bytes)?;
        (known.len() as u64 == found.size - found.first).then_some(known)
    }

    /// Remembers what was made of the entries from `first` on.
    pub(crate) fn learn(&self, log: &LogReader, first: u64, judged: &[Judged]) {
        let size = first + judged.len() as u64;
        let learned = self.ask(|index| {
            if index.known(log.origin())? != first {
                // It knows these entries, or will be brought up from where it stands.
                return Ok(());
            }
            let root = log.root_at(size)?;
            index.apply(log.origin(), first, size, &root, &to_bytes(judged))
        });
        if learned.is_none() {
            tracing::debug!(origin = %log.origin(), "nothing was indexed");
        }
    }

    /// Replaces a broken index by a new one, from the logs; whether there was anything to do.
    pub(crate) fn mend(&self, alliance: &Alliance, logs: &[LogReader]) -> bool {
        let mut slot = self.lock();
        if slot.as_ref().is_none_or(|index| !index.is_broken()) {
            return false;
        }
        let Some(broken) = slot.take() else {
            return false;
        };
        tracing::error!("the index broke; it is rebuilt from the logs");
        match broken.rebuild() {
            Ok((index, _)) => {
                for log in logs {
                    if let Err(error) = replay(&index, alliance, log) {
                        tracing::error!(%error, "the index cannot be rebuilt now");
                        break;
                    }
                }
                *slot = Some(index);
            }
            Err(error) => tracing::error!(%error, "no new index can be had"),
        }
        true
    }

    /// Whether there is an index that works.
    pub(crate) fn is_sound(&self) -> bool {
        self.lock().as_ref().is_some_and(|index| !index.is_broken())
    }

    /// Closes the index so that it outlives a power cut.
    pub(crate) fn close(&self) {
        if let Some(index) = self.lock().take()
            && let Err(error) = index.close()
        {
            tracing::warn!(%error, "the index is rebuilt at the next start");
        }
    }

    fn ask<T>(&self, question: impl FnOnce(&Index) -> Result<T, IndexError>) -> Option<T> {
        question(self.lock().as_ref()?).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Index>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Brings an empty index up to the end of a log, telling how far it is.
fn replay(index: &Index, alliance: &Alliance, log: &LogReader) -> Result<(), IndexError> {
    let origin = log.origin();
    let judge = |entries: &[StoredEntry]| to_bytes(&judge_all(alliance, origin, entries));
    index.replay(log, judge, |progress| {
        tracing::info!(%origin, done = progress.done, total = progress.total, "indexing");
    })
}

fn to_bytes(judged: &[Judged]) -> Vec<u8> {
    verdicts::encode(judged.iter().map(|judged| match judged {
        Judged::Filed(filed) => Known::Filed(*filed),
        Judged::Valid { .. } => Known::Valid,
        Judged::Opaque { .. } => Known::Opaque,
        Judged::Invalid => Known::Invalid,
    }))
}

/// Validates entries on all processors: nearly all of the work is in their signatures, and no
/// verdict depends on another. Many entries are a backlog, and give way to whatever else the node
/// does.
pub(crate) fn judge_all(
    alliance: &Alliance,
    origin: &Origin,
    entries: &[StoredEntry],
) -> Vec<Judged> {
    let validate = |stored| judge(alliance, origin, stored, false);
    if entries.len() <= LANE_ENTRIES {
        return entries.iter().map(validate).collect();
    }
    let parts: Vec<&[StoredEntry]> = entries.chunks(LANE_ENTRIES).collect();
    let next = AtomicUsize::new(0);
    let lane = || {
        // Without it the work is done all the same.
        let _ = setpriority_process(None, limits::JUDGING_NICENESS);
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(at) else {
                return done;
            };
            done.push((at, part.iter().map(validate).collect::<Vec<Judged>>()));
        }
    };
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    let mut judged = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes.min(parts.len()))
            .map(|_| scope.spawn(lane))
            .collect();
        let mut judged = Vec::with_capacity(parts.len());
        for lane in lanes {
            match lane.join() {
                Ok(done) => judged.extend(done),
                // As if it had happened here.
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        judged
    });
    judged.sort_by_key(|(at, _)| *at);
    judged.into_iter().flat_map(|(_, judged)| judged).collect()
}

/// What an entry is worth: by a verdict made before that it counts, or by validation.
pub(crate) fn judge(
    alliance: &Alliance,
    origin: &Origin,
    stored: &StoredEntry,
    counts: bool,
) -> Judged {
    let Ok(entry) = Entry::decode(&stored.entry) else {
        return Judged::Invalid;
    };
    let decoded = crate::applier::decode(&entry);
    let verdict = match (counts, &decoded) {
        (true, Decoded::Known(_)) => None,
        (_, decoded) => Some(validate(&entry, decoded, origin, stored.index, alliance)),
    };
    match (verdict, decoded) {
        (None | Some(Verdict::Valid(_)), Decoded::Known(statement)) => {
            Judged::counts(origin.member(), entry.statement_id(), statement)
        }
        (Some(Verdict::Opaque { about }), _) => Judged::Opaque { about },
        (Some(Verdict::Invalid(reason)), _) => {
            let (index, code) = (stored.index, reason.code());
            tracing::debug!(%origin, index, code, "entry has no effect");
            Judged::Invalid
        }
        (None | Some(Verdict::Valid(_)), Decoded::Opaque { .. } | Decoded::Bad(_)) => {
            Judged::Invalid
        }
    }
}
