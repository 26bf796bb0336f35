//! How much of each other member's log is taken in a day, and which logs are held back.
//!
//! A log beyond its quota is held: we ask its upstream for checkpoints only, so that nothing is
//! queued anywhere and no other log waits. It goes on by itself as the quota comes back, a minute's
//! worth at a time; nothing is dropped. Meanwhile a withdrawal may stand behind what we did not
//! take, so what rests on that log is advised as review (see `freshness`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tocsin_core::quota::{Bucket, Rate};

use crate::config::QuotaConfig;
use crate::node::Node;

/// What was taken of each log; shared by all replicators.
#[derive(Debug)]
pub(crate) struct Origins {
    entries: Rate,
    /// In KiB, rounded up: a day's bytes do not fit 32 bits.
    kib: Rate,
    table: Mutex<BTreeMap<String, Taken>>,
}

#[derive(Debug)]
struct Taken {
    entries: Bucket,
    kib: Bucket,
    held: Option<Hold>,
}

/// Why a log is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Its quota is used up.
    Quota,
    /// The disk is nearly full, and its share of the reserve is used up.
    Disk,
}

impl Hold {
    /// For status.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Quota => {
                "held back: its member has said more in a day than origin_entries_per_day or \
                 origin_mib_per_day"
            }
            Self::Disk => "held back: the disk is nearly full",
        }
    }
}

impl Origins {
    pub(crate) fn new(quotas: &QuotaConfig) -> Self {
        Self {
            entries: per_day(quotas.origin_entries),
            kib: per_day(quotas.origin_mib.saturating_mul(1_024)),
            table: Mutex::default(),
        }
    }

    /// Whether a log may be read on; why not, where not.
    pub(crate) fn held(&self, origin: &str, now_ms: i64) -> Option<Hold> {
        let mut table = self.lock();
        let taken = self.taken(&mut table, origin, now_ms);
        if taken.held == Some(Hold::Quota) && self.is_back(taken, now_ms) {
            tracing::info!(origin, "a log that was over its quota is read again");
            taken.held = None;
        }
        taken.held
    }

    /// So much of a log was stored; holds it when that was the last that it may have.
    pub(crate) fn took(&self, origin: &str, entries: u64, bytes: u64, now_ms: i64) {
        let mut table = self.lock();
        let taken = self.taken(&mut table, origin, now_ms);
        if taken.held == Some(Hold::Disk) {
            taken.held = None;
        }
        taken.entries.owe(self.entries, whole(entries), now_ms);
        taken
            .kib
            .owe(self.kib, whole(bytes.div_ceil(1_024)), now_ms);
        let is_over = (self.entries.amount > 0 && taken.entries.left(self.entries, now_ms) <= 0)
            || (self.kib.amount > 0 && taken.kib.left(self.kib, now_ms) <= 0);
        if is_over && taken.held.is_none() {
            tracing::warn!(origin, "a log is over its quota of a day and is held back");
            taken.held = Some(Hold::Quota);
        }
    }

    /// The disk has no room for what came of a log.
    pub(crate) fn hold_for_disk(&self, origin: &str, now_ms: i64) {
        let mut table = self.lock();
        let taken = self.taken(&mut table, origin, now_ms);
        if taken.held.is_none() {
            tracing::warn!(origin, "a log is held back: the disk is nearly full");
            taken.held = Some(Hold::Disk);
        }
    }

    /// There is room on the disk again.
    pub(crate) fn disk_has_room(&self) {
        for taken in self.lock().values_mut() {
            if taken.held == Some(Hold::Disk) {
                taken.held = None;
            }
        }
    }

    /// Whether a minute's worth has come back of both, or all of it.
    fn is_back(&self, taken: &mut Taken, now_ms: i64) -> bool {
        let minute = |rate: Rate| i64::from(rate.amount / MINUTES_PER_DAY).max(1);
        (self.entries.amount == 0
            || taken.entries.left(self.entries, now_ms) >= minute(self.entries))
            && (self.kib.amount == 0 || taken.kib.left(self.kib, now_ms) >= minute(self.kib))
    }

    fn taken<'a>(
        &self,
        table: &'a mut BTreeMap<String, Taken>,
        origin: &str,
        now_ms: i64,
    ) -> &'a mut Taken {
        // Only logs of members come here: the table is as long as the roster.
        table.entry(origin.to_owned()).or_insert_with(|| Taken {
            entries: Bucket::full(self.entries, now_ms),
            kib: Bucket::full(self.kib, now_ms),
            held: None,
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Taken>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Whether a log is held back although somebody has more of it: a withdrawal may stand there.
    pub(crate) fn is_behind_by_hold(&self, origin: &str) -> bool {
        let is_held = self.origins.held(origin, monotonic_ms()).is_some();
        let reader = self.logs.reader(origin);
        is_held && reader.is_some_and(|reader| self.known(reader) > reader.size())
    }
}

/// The clock of quotas, which nobody sets.
pub(crate) fn monotonic_ms() -> i64 {
    i64::try_from(crate::clock::monotonic_ms()).unwrap_or(i64::MAX)
}

fn whole(amount: u64) -> u32 {
    u32::try_from(amount).unwrap_or(u32::MAX)
}

const fn per_day(amount: u32) -> Rate {
    Rate {
        amount,
        period_ms: DAY_MS,
        burst: 1,
    }
}

const DAY_MS: u32 = 86_400_000;
const MINUTES_PER_DAY: u32 = 1_440;

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE_MS: i64 = 60_000;

    fn origins() -> Origins {
        Origins::new(&QuotaConfig {
            origin_entries: 14_400,
            origin_mib: 1_440,
            ..QuotaConfig::default()
        })
    }

    #[test]
    fn a_flood_is_held_and_goes_on_by_itself_a_minutes_worth_at_a_time() {
        let origins = origins();
        origins.took("A/us/1", 14_000, 1_024, 0);
        assert_eq!(origins.held("A/us/1", 0), None);
        origins.took("A/us/1", 1_400, 1_024, 0);
        assert_eq!(origins.held("A/us/1", 0), Some(Hold::Quota));
        assert_eq!(origins.held("A/jp/1", 0), None, "nobody else waits");
        // A thousand over, ten a minute: back after a hundred minutes and one more.
        let back = 101 * MINUTE_MS;
        assert_eq!(origins.held("A/us/1", back - 1_000), Some(Hold::Quota));
        assert_eq!(origins.held("A/us/1", back), None);
        origins.took("A/us/1", 10, 1_024, back);
        assert_eq!(origins.held("A/us/1", back), Some(Hold::Quota));
        assert_eq!(origins.held("A/us/1", back + MINUTE_MS), None);
    }

    #[test]
    fn bytes_count_as_well_as_entries() {
        let origins = origins();
        origins.took("A/us/1", 1, 1_440 * 1_024 * 1_024, 0);
        assert_eq!(origins.held("A/us/1", 0), Some(Hold::Quota));
    }

    #[test]
    fn without_a_bound_nothing_is_held_for_it() {
        let origins = Origins::new(&QuotaConfig {
            origin_entries: 0,
            origin_mib: 0,
            ..QuotaConfig::default()
        });
        origins.took("A/us/1", u64::MAX, u64::MAX, 0);
        assert_eq!(origins.held("A/us/1", 0), None);
    }

    #[test]
    fn a_hold_for_the_disk_ends_with_room_and_not_with_time() {
        let origins = origins();
        origins.hold_for_disk("A/us/1", 0);
        assert_eq!(origins.held("A/us/1", 1_000 * MINUTE_MS), Some(Hold::Disk));
        origins.disk_has_room();
        assert_eq!(origins.held("A/us/1", 0), None);
    }
}
