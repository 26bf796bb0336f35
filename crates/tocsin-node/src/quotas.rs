//! What each person has said today, for the door; the rule is the core's, the clock and the log are
//! here.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_core::admit::Admitted;
use tocsin_core::date::DAY_MS;
use tocsin_core::quota::{Exceeded, PersonLimits, Persons, Said, may_release};
use tocsin_core::roster::{Member, Role};
use tocsin_core::statement::Decoded;
use tocsin_log::entry::Entry;
use tocsin_store::error::StoreError;
use tocsin_store::reader::LogReader;

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
        let mut said = Vec::new();
        let (size, mut newest) = (log.size(), i64::MIN);
        let least = size.saturating_sub(limits::QUOTA_SEARCH_ENTRIES);
        for index in (least..size).rev() {
            let bytes = match log.entry(index) {
                Ok(bytes) => bytes,
                Err(StoreError::Refused(_)) => break,
                Err(fault) => return Err(fault),
            };
            let (created_ms, counted) = counted(&bytes, index, member);
            newest = newest.max(created_ms);
            said.extend(counted.map(|counted| (created_ms, counted)));
            if index.is_multiple_of(limits::QUOTA_STRETCH_ENTRIES) {
                if newest < since {
                    // Nothing in a whole stretch is of the last day: nothing before it is, but for
                    // what was backdated.
                    break;
                }
                newest = i64::MIN;
            }
        }
        let mut latest = i64::MIN;
        let mut persons = self.lock();
        for (created_ms, said) in said.into_iter().rev() {
            latest = latest.max(created_ms.min(now_ms));
            if latest >= since {
                persons.charge(&said, latest);
            }
        }
        Ok(())
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

/// When an entry of ours says that it was made, and as what it counted at the door, if it did.
fn counted(bytes: &[u8], index: u64, member: &Member) -> (i64, Option<Said>) {
    let Ok(entry) = Entry::decode(bytes) else {
        return (i64::MIN, None);
    };
    let statement = match crate::applier::decode(&entry) {
        Decoded::Known(statement) => statement,
        Decoded::Opaque { created_ms, .. } => return (created_ms, None),
        Decoded::Bad(_) => return (i64::MIN, None),
    };
    let keys = entry.signatures.iter();
    let keys = keys.filter_map(|signature| member.record_key(&signature.key_id, index));
    let persons: BTreeSet<String> = keys
        .filter(|key| !key.roles.contains(&Role::Node))
        .map(|key| key.person.clone())
        .collect();
    if persons.is_empty() || may_release(&statement.act) {
        return (statement.created_ms, None);
    }
    let bodies = statement.bodies.iter().map(|body| body.length);
    let said = bytes.len() as u64 + bodies.sum::<u64>();
    (
        statement.created_ms,
        Some(Said::new(&statement, persons, said)),
    )
}
