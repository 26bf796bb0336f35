//! Which members hold how much of which log, by their own signed word.
//!
//! A mirror's cosignature is its receipt for everything below the size it names, so of each
//! member only the largest is kept. Relays pass lines on; nothing here trusts the sender, only
//! the line.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_core::roster::Alliance;
use tocsin_log::checkpoint::{Checkpoint, Origin};
use tocsin_log::cosign;
use tocsin_log::note::SignatureLine;
use tokio::sync::watch;

/// One member's largest cosignature of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    /// The cosigner's member id.
    pub(crate) member: String,
    /// The log.
    pub(crate) origin: Origin,
    /// Leaves the cosigner holds durably.
    pub(crate) size: u64,
    /// Unix seconds the cosigner signed at.
    pub(crate) time: u64,
    /// The signature line, as signed.
    pub(crate) line: SignatureLine,
}

/// What a line that was offered is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// It says more than what was held.
    News,
    /// It says nothing new, or is nobody's word.
    Nothing,
    /// It is in a member's name, and not by its key over this checkpoint.
    False,
}

/// Every member's largest cosignature of every log; shared by all tasks of a node.
#[derive(Debug)]
pub(crate) struct Cosignatures {
    table: Mutex<Table>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Table {
    /// Counts changes; a stream remembers the last one it passed on.
    sequence: u64,
    held: BTreeMap<(String, String), (u64, Held)>,
}

impl Default for Cosignatures {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }
}

impl Cosignatures {
    /// Takes a line over `checkpoint` if it verifies, is a member's and says more than what is
    /// held. Lines of strangers and of the log's own member count for nothing.
    pub(crate) fn offer(
        &self,
        alliance: &Alliance,
        checkpoint: &Checkpoint,
        line: &SignatureLine,
    ) -> Offered {
        let Some(member) = alliance
            .members()
            .find(|member| member.origin.mirror_name() == line.name)
        else {
            return Offered::Nothing;
        };
        if member.id == checkpoint.origin.member() {
            return Offered::Nothing;
        }
        let key = (checkpoint.origin.to_string(), member.id.clone());
        let mut table = self.lock();
        if table
            .held
            .get(&key)
            .is_some_and(|(_, held)| held.size >= checkpoint.size)
        {
            return Offered::Nothing;
        }
        let Ok(time) = cosign::verify(line, &line.name, &member.mirror_key, checkpoint) else {
            return Offered::False;
        };
        table.sequence += 1;
        let held = Held {
            member: member.id.clone(),
            origin: checkpoint.origin.clone(),
            size: checkpoint.size,
            time,
            line: line.clone(),
        };
        let sequence = table.sequence;
        table.held.insert(key, (sequence, held));
        drop(table);
        self.changed.send_replace(sequence);
        Offered::News
    }

    /// Counts what was taken so far.
    pub(crate) fn sequence(&self) -> u64 {
        *self.changed.borrow()
    }

    /// Everything held of `origin`.
    pub(crate) fn of(&self, origin: &Origin) -> Vec<Held> {
        let origin = origin.to_string();
        let table = self.lock();
        let of_origin = table.held.iter().filter(|((of, _), _)| *of == origin);
        of_origin.map(|(_, (_, held))| held.clone()).collect()
    }

    /// Members that hold `index` of `origin` by their cosignature, the log's own member not
    /// counted.
    pub(crate) fn holding(&self, origin: &Origin, index: u64) -> usize {
        self.of(origin)
            .iter()
            .filter(|held| held.size > index)
            .count()
    }

    /// What changed after `sequence`, and the sequence to ask with next time.
    pub(crate) fn since(&self, sequence: u64) -> (Vec<Held>, u64) {
        let table = self.lock();
        let news = table.held.values().filter(|(at, _)| *at > sequence);
        (news.map(|(_, held)| held.clone()).collect(), table.sequence)
    }

    /// Wakes whenever something is news.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A panic while the lock was held leaves a table that is at worst one line short.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
