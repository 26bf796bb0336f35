//! The index beside the logs: verdicts that need not be made again, and where statements stand.
//!
//! Nothing in it cannot be made anew. Whatever it fails at costs time, never an answer: a missing
//! verdict is judged again, a broken index is thrown away and rebuilt, with progress.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_core::name::Numbered;
use tocsin_core::statement::{Decoded, Statement};
use tocsin_core::validate::{Verdict, validate};
use tocsin_core::{roster::Alliance, statement::StatementRef};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::Entry;
use tocsin_store::index::{self, Facts, Index, IndexError, IndexState};
use tocsin_store::reader::{LogReader, StoredEntry};

/// The index, or none while it cannot be had.
#[derive(Debug)]
pub(crate) struct Indexer {
    index: Mutex<Option<Index>>,
}

/// An entry with what validation made of it.
#[derive(Debug)]
pub(crate) enum Judged {
    /// It counts.
    Valid {
        entry: Entry,
        statement: Box<Statement>,
    },
    /// It says something this version does not know.
    Opaque { about: Option<StatementRef> },
    /// It has no effect.
    Invalid,
}

const INVALID: u8 = 0;
const VALID: u8 = 1;
const OPAQUE: u8 = 2;

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

    /// Verdicts made before on entries from `from` on, and the size they reach.
    pub(crate) fn verdicts(&self, log: &LogReader, from: u64) -> Option<(u64, Vec<u8>)> {
        let found = self.ask(|index| index.verdicts(log, from)).flatten()?;
        let count = usize::try_from(found.size - found.first).ok()?;
        (found.bytes.len() == count).then_some((found.size, found.bytes))
    }

    /// Remembers what was made of the entries from `first` on.
    pub(crate) fn learn(&self, log: &LogReader, first: u64, judged: &[Judged]) {
        let facts = facts(log.origin(), first, judged);
        let size = first + judged.len() as u64;
        let learned = self.ask(|index| {
            if index.known(log.origin())? != first {
                // It knows these entries, or will be brought up from where it stands.
                return Ok(());
            }
            let root = log.root_at(size)?;
            index.apply(log.origin(), first, size, &root, &facts)
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
    let judge_all = |entries: &[StoredEntry]| {
        let judged: Vec<Judged> = entries
            .iter()
            .map(|stored| judge(alliance, origin, stored, None))
            .collect();
        facts(
            origin,
            entries.first().map_or(0, |stored| stored.index),
            &judged,
        )
    };
    index.replay(log, judge_all, |progress| {
        tracing::info!(%origin, done = progress.done, total = progress.total, "indexing");
    })
}

/// What an entry is worth: by a verdict made before, or by validation.
pub(crate) fn judge(
    alliance: &Alliance,
    origin: &Origin,
    stored: &StoredEntry,
    verdict: Option<u8>,
) -> Judged {
    let Ok(entry) = Entry::decode(&stored.entry) else {
        return Judged::Invalid;
    };
    if verdict == Some(INVALID) {
        return Judged::Invalid;
    }
    let decoded = crate::applier::decode(&entry);
    let verdict = match (verdict, &decoded) {
        (Some(VALID), Decoded::Known(_)) => None,
        (_, decoded) => Some(validate(&entry, decoded, origin, stored.index, alliance)),
    };
    match (verdict, decoded) {
        (None | Some(Verdict::Valid(_)), Decoded::Known(statement)) => {
            Judged::Valid { entry, statement }
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

fn facts(origin: &Origin, first: u64, judged: &[Judged]) -> Facts {
    let mut facts = Facts::default();
    for (index, judged) in (first..).zip(judged) {
        facts.verdicts.push(match judged {
            Judged::Valid { entry, statement } => {
                facts.statements.push((entry.statement_id(), index));
                if let Some(number) = Numbered::of(origin.member(), statement) {
                    facts.numbers.push((indexed(number), index));
                }
                VALID
            }
            Judged::Opaque { .. } => OPAQUE,
            Judged::Invalid => INVALID,
        });
    }
    facts
}

fn indexed(number: Numbered) -> index::Numbered {
    let Numbered {
        member,
        year,
        number,
    } = number;
    index::Numbered {
        member,
        year: u32::from(year),
        number,
    }
}
