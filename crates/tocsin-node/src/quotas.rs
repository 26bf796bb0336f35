//! What each person has said today, for the door; the rule is the core's, the clock and the log are
//! here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_core::admit::Admitted;
use tocsin_core::date::DAY_MS;
use tocsin_core::quota::{Exceeded, PersonLimits, Persons, Said, may_release};
use tocsin_core::roster::Member;
use tocsin_core::statement::Decoded;
use tocsin_log::entry::Entry;
use tocsin_store::error::StoreError;
use tocsin_store::reader::{LogReader, StoredEntry};

use crate::limits;
use crate::status::Refusal;

/// Counts for each person of this member; shared by all submissions.
#[derive(Debug)]
pub(crate) struct Quotas {
    persons: Mutex<Persons>,
}

/// What was counted for one submission, until it is in the log.
#[derive(Debug)]
#[must_use]
pub(crate) struct Charge {
    quotas: Arc<Quotas>,
    said: Option<(Said, i64)>,
}

impl Quotas {
    pub(crate) const fn new(limits: PersonLimits) -> Self {
        Self {
            persons: Mutex::new(Persons::new(limits)),
        }
    }

    /// Whether so much may be said now.
    pub(crate) fn check(&self, said: &Said, now_ms: i64) -> Result<(), Exceeded> {
        self.lock().check(said, now_ms)
    }

    /// Counts an admitted statement, if there is still room: of many on their way at once only
    /// as many pass as fit. Dropped before [`Charge::keep`], it is taken back.
    pub(crate) fn charge(
        self: &Arc<Self>,
        admitted: &Admitted,
        now_ms: i64,
    ) -> Result<Charge, Refusal> {
        let Some(said) = admitted.counted() else {
            return Ok(Charge {
                quotas: Arc::clone(self),
                said: None,
            });
        };
        let mut persons = self.lock();
        persons
            .check(said, now_ms)
            .map_err(tocsin_core::reason::Refusal::from)?;
        persons.charge(said, now_ms);
        drop(persons);
        Ok(Charge {
            quotas: Arc::clone(self),
            said: Some((said.clone(), now_ms)),
        })
    }

    /// Counts again what the own log holds of the last day, after a start.
    ///
    /// The log does not say when an entry came to the door: each counts at the latest created_ms up
    /// to it, for the log is in order and what is backdated came no earlier than what stands before
    /// it.
    ///
    /// # Errors
    /// When the store fails; a damaged entry ends the search, and is repaired elsewhere.
    pub(crate) fn rebuild(
        &self,
        log: &LogReader,
        member: &Member,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        if self.lock().is_unbounded() {
            return Ok(());
        }
        let since = now_ms - DAY_MS;
        let mut first = log.size();
        let least = first.saturating_sub(limits::QUOTA_SEARCH_ENTRIES);
        // Where nothing of the last day stands in a whole stretch, nothing stands before it, but
        // for what was backdated.
        while first > least {
            let start = first.saturating_sub(limits::QUOTA_STRETCH_ENTRIES);
            let mut newest = i64::MIN;
            each(log, start, first, |stored| {
                newest = newest.max(created(&stored.entry));
            })?;
            first = start;
            if newest < since {
                break;
            }
        }
        let mut latest = i64::MIN;
        let mut persons = self.lock();
        each(log, first, log.size(), |stored| {
            if let Some((created_ms, said)) = counted(stored, member) {
                latest = latest.max(created_ms.min(now_ms));
                if latest >= since {
                    persons.charge(&said, latest);
                }
            }
        })
    }

    fn lock(&self) -> MutexGuard<'_, Persons> {
        // Counts are whole after each step; a panic elsewhere leaves none half made.
        self.persons.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Charge {
    /// It is in the log.
    pub(crate) fn keep(mut self) {
        self.said = None;
    }

    /// It is not said, or was counted before.
    pub(crate) fn give_back(&mut self) {
        if let Some((said, charged_ms)) = self.said.take() {
            self.quotas.lock().refund(&said, charged_ms);
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Every entry from `start` to before `end`, in order, some at a time.
fn each(
    log: &LogReader,
    start: u64,
    end: u64,
    mut work: impl FnMut(&StoredEntry),
) -> Result<(), StoreError> {
    let mut next = start;
    while next < end {
        let some = match log.range(next, limits::APPLY_CHUNK_BYTES) {
            Ok(some) if !some.is_empty() => some,
            Ok(_) | Err(StoreError::Refused(_)) => return Ok(()),
            Err(fault) => return Err(fault),
        };
        some.iter()
            .filter(|stored| stored.index < end)
            .for_each(&mut work);
        next += some.len() as u64;
    }
    Ok(())
}

fn created(entry: &[u8]) -> i64 {
    match Entry::decode(entry).map(|entry| crate::applier::decode(&entry)) {
        Ok(Decoded::Known(statement)) => statement.created_ms,
        Ok(Decoded::Opaque { created_ms, .. }) => created_ms,
        Ok(Decoded::Bad(_)) | Err(_) => i64::MIN,
    }
}

/// As what an entry of ours counted at the door.
fn counted(stored: &StoredEntry, member: &Member) -> Option<(i64, Said)> {
    let entry = Entry::decode(&stored.entry).ok()?;
    let Decoded::Known(statement) = crate::applier::decode(&entry) else {
        return None;
    };
    let keys = entry.signatures.iter();
    let keys = keys.filter_map(|signature| member.record_key(&signature.key_id, stored.index));
    let persons: BTreeSet<String> = keys
        .filter(|key| !key.roles.contains(&tocsin_core::roster::Role::Node))
        .map(|key| key.person.clone())
        .collect();
    if persons.is_empty() || may_release(&statement.act) {
        return None;
    }
    let bodies = statement.bodies.iter().map(|body| body.length);
    let bytes = stored.entry.len() as u64 + bodies.sum::<u64>();
    Some((statement.created_ms, Said::new(&statement, persons, bytes)))
}
