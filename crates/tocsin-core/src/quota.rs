//! How much one person may say in a day, and how fast anybody may ask or grow.
//!
//! Pure: amounts and instants in, yes or no out. What releases goods is never counted here: see
//! [`Kind::of`] and [`Registry::is_release`](crate::registry::Registry::is_release).
//!
//! A bound of 0 means none. Instants are Unix milliseconds of one clock, which may be set back.

use std::collections::{BTreeMap, BTreeSet};

use crate::date::DAY_MS;
use crate::decision::DecisionKind;
use crate::order::OrderActKind;
use crate::statement::{Act, Statement};
use crate::words::words;

words! {
    /// What is counted apart.
    Kind {
        /// Orders, and acts that keep or widen them.
        Orders = 1 "orders",
        /// Decisions on others' orders.
        Decisions = 2 "decisions",
        /// Reports and indicators.
        Reports = 3 "reports",
        /// Policy packs.
        Packs = 4 "packs",
    }
}

impl Kind {
    /// What an act is counted as.
    #[must_use]
    pub const fn of(act: &Act) -> Self {
        match act {
            Act::Report(_) | Act::Indicator(_) => Self::Reports,
            Act::Order(_) | Act::OrderAct(_) => Self::Orders,
            Act::Decision(_) => Self::Decisions,
            Act::PolicyPack(_) => Self::Packs,
        }
    }
}

/// Whether an act is one that releases goods. Whether it releases any in the present state, the
/// registry says.
#[must_use]
pub const fn may_release(act: &Act) -> bool {
    match act {
        Act::OrderAct(act) => match act.kind {
            OrderActKind::Withdraw | OrderActKind::Rescind | OrderActKind::Suspend => true,
            OrderActKind::Resume | OrderActKind::Modify => false,
        },
        Act::Decision(decision) => match decision.kind {
            DecisionKind::Pause | DecisionKind::End | DecisionKind::Lapse => true,
            DecisionKind::Adopt
            | DecisionKind::Hold
            | DecisionKind::Extend
            | DecisionKind::Review
            | DecisionKind::Flag
            | DecisionKind::Inform
            | DecisionKind::Decline
            | DecisionKind::NotCompetent => false,
        },
        Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::PolicyPack(_) => false,
    }
}

/// What one person may say within a day; a quarter of each within an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PersonLimits {
    /// Of [`Kind::Orders`].
    pub orders: u64,
    /// Of [`Kind::Decisions`].
    pub decisions: u64,
    /// Of [`Kind::Reports`].
    pub reports: u64,
    /// Of [`Kind::Packs`].
    pub packs: u64,
    /// Bytes of entries and bodies, of all kinds.
    pub bytes: u64,
}

impl PersonLimits {
    const fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Orders => self.orders,
            Kind::Decisions => self.decisions,
            Kind::Reports => self.reports,
            Kind::Packs => self.packs,
        }
    }
}

/// One statement as it is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Everybody who signed; it counts for each.
    pub persons: BTreeSet<String>,
    /// As what.
    pub kind: Kind,
    /// Entry and bodies.
    pub bytes: u64,
}

impl Said {
    /// A statement by these persons.
    #[must_use]
    pub const fn new(statement: &Statement, persons: BTreeSet<String>, bytes: u64) -> Self {
        let kind = Kind::of(&statement.act);
        Self {
            persons,
            kind,
            bytes,
        }
    }
}

/// A bound that a statement would pass.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{person} may say {most} {what} in {hours} h")]
pub struct Exceeded {
    /// Whose.
    pub person: String,
    /// Of what: the word of a [`Kind`], or `bytes`.
    pub what: &'static str,
    /// The bound.
    pub most: u64,
    /// The window, 1 or 24.
    pub hours: i64,
    /// After how many milliseconds it fits again, if nothing else is said; 0 = never, for it is
    /// larger than the bound.
    pub retry_ms: i64,
}

impl Exceeded {
    /// What never fits takes the most.
    const fn patience(&self) -> i64 {
        if self.retry_ms == 0 {
            i64::MAX
        } else {
            self.retry_ms
        }
    }
}

/// What the persons of one member have said within the last day. Memory: 289 slots a person.
#[derive(Clone, Debug, Default)]
pub struct Persons {
    limits: PersonLimits,
    said: BTreeMap<String, Slots>,
}

/// By slot of [`SLOT_MS`]: how many of each kind, and bytes. A slot counts until its end has left
/// the window, so that no window of whatever start holds more than its bound.
type Slots = BTreeMap<i64, Tally>;

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    counts: [u64; 4],
    bytes: u64,
}

impl Tally {
    fn count(&mut self, kind: Kind) -> &mut u64 {
        let [orders, decisions, reports, packs] = &mut self.counts;
        match kind {
            Kind::Orders => orders,
            Kind::Decisions => decisions,
            Kind::Reports => reports,
            Kind::Packs => packs,
        }
    }
}

impl Persons {
    /// Nobody has said anything.
    #[must_use]
    pub const fn new(limits: PersonLimits) -> Self {
        Self {
            limits,
            said: BTreeMap::new(),
        }
    }

    /// Whether there is nothing to count.
    #[must_use]
    pub fn is_unbounded(&self) -> bool {
        self.limits == PersonLimits::default()
    }

    /// Whether something may be said now by everybody who signed it.
    ///
    /// # Errors
    /// [`Exceeded`]: of the bounds that it would pass the one that must be waited for longest.
    pub fn check(&self, said: &Said, now_ms: i64) -> Result<(), Exceeded> {
        let bounds = [
            (
                said.kind.word(),
                Some(said.kind),
                self.limits.of(said.kind),
                1,
            ),
            ("bytes", None, self.limits.bytes, said.bytes),
        ];
        let mut worst: Option<Exceeded> = None;
        for person in &said.persons {
            for (what, kind, per_day, amount) in bounds {
                if per_day == 0 {
                    continue;
                }
                let amounts = self.amounts(person, kind);
                for (hours, most) in [(1, per_day.div_ceil(4)), (24, per_day)] {
                    let window_ms = hours * HOUR_MS;
                    let Some(retry_ms) = wait(&amounts, amount, most, window_ms, now_ms) else {
                        continue;
                    };
                    let exceeded = Exceeded {
                        person: person.clone(),
                        what,
                        most,
                        hours,
                        retry_ms,
                    };
                    worst = worst
                        .into_iter()
                        .chain([exceeded])
                        .max_by_key(Exceeded::patience);
                }
            }
        }
        worst.map_or(Ok(()), Err)
    }

    /// Counts what was said.
    pub fn charge(&mut self, said: &Said, now_ms: i64) {
        self.forget(now_ms);
        for person in &said.persons {
            let slots = self.said.entry(person.clone()).or_default();
            let tally = slots.entry(now_ms.div_euclid(SLOT_MS)).or_default();
            *tally.count(said.kind) += 1;
            tally.bytes = tally.bytes.saturating_add(said.bytes);
        }
    }

    /// Takes back what was charged at an instant and not said after all.
    pub fn refund(&mut self, said: &Said, charged_ms: i64) {
        for person in &said.persons {
            let slots = self.said.get_mut(person);
            let slot = charged_ms.div_euclid(SLOT_MS);
            if let Some(tally) = slots.and_then(|slots| slots.get_mut(&slot)) {
                let count = tally.count(said.kind);
                *count = count.saturating_sub(1);
                tally.bytes = tally.bytes.saturating_sub(said.bytes);
            }
        }
    }

    /// Drops what is older than a day. What a clock since set back has put into the future counts
    /// as said now: neither lost nor held against anybody for longer than a day.
    fn forget(&mut self, now_ms: i64) {
        let now = now_ms.div_euclid(SLOT_MS);
        self.said.retain(|_, slots| {
            let ahead = slots.split_off(&now.saturating_add(1));
            for tally in ahead.into_values() {
                let present = slots.entry(now).or_default();
                for (sum, more) in present.counts.iter_mut().zip(tally.counts) {
                    *sum += more;
                }
                present.bytes = present.bytes.saturating_add(tally.bytes);
            }
            slots.retain(|slot, _| (slot + 1) * SLOT_MS + DAY_MS > now_ms);
            !slots.is_empty()
        });
    }

    /// What a person said, by slot: how many of a kind, or bytes.
    fn amounts(&self, person: &str, kind: Option<Kind>) -> Vec<(i64, u64)> {
        let slots = self.said.get(person).into_iter().flatten();
        let amount = |(slot, tally): (&i64, &Tally)| {
            let mut tally = *tally;
            (*slot, kind.map_or(tally.bytes, |kind| *tally.count(kind)))
        };
        slots.map(amount).collect()
    }
}

/// How long until `amount` more fits under `most` within a window; none when it does now.
fn wait(amounts: &[(i64, u64)], amount: u64, most: u64, window_ms: i64, now: i64) -> Option<i64> {
    let leaves = |slot: i64| (slot + 1) * SLOT_MS + window_ms;
    let inside = amounts.iter().filter(|(slot, _)| leaves(*slot) > now);
    let mut sum: u64 = inside.clone().map(|(_, amount)| amount).sum();
    if sum.saturating_add(amount) <= most {
        return None;
    }
    for (slot, leaving) in inside {
        sum -= leaving;
        if sum.saturating_add(amount) <= most {
            return Some((leaves(*slot) - now).min(window_ms + SLOT_MS));
        }
    }
    Some(0)
}

/// So much in so long, and so much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// What comes back within a period; 0 = no bound.
    pub amount: u32,
    /// The period, milliseconds.
    pub period_ms: u32,
    /// How many periods' worth may go at once.
    pub burst: u16,
}

/// What is left of a [`Rate`]: a token bucket. 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    // In units of one period-th of a millisecond's worth, so that nothing is rounded away.
    left: i128,
    at_ms: i64,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub const fn full(rate: Rate, now_ms: i64) -> Self {
        let left = rate.capacity();
        Self {
            left,
            at_ms: now_ms,
        }
    }

    /// Takes some, if it is there.
    ///
    /// # Errors
    /// After how many milliseconds it will be.
    pub fn take(&mut self, rate: Rate, amount: u32, now_ms: i64) -> Result<(), i64> {
        if rate.amount == 0 {
            return Ok(());
        }
        self.fill(rate, now_ms);
        let wanted = i128::from(amount) * i128::from(rate.period_ms);
        if self.left >= wanted {
            self.left -= wanted;
            return Ok(());
        }
        let missing = wanted - self.left;
        let wait = missing.div_euclid(i128::from(rate.amount)) + 1;
        Err(i64::try_from(wait).unwrap_or(i64::MAX))
    }

    /// Takes what was had already, into debt if need be; no deeper than what fills up again in one
    /// burst.
    pub fn owe(&mut self, rate: Rate, amount: u32, now_ms: i64) {
        self.fill(rate, now_ms);
        let had = i128::from(amount) * i128::from(rate.period_ms);
        self.left = (self.left - had).max(-rate.capacity());
    }

    /// What is there, as a whole amount; negative in debt.
    #[must_use]
    pub fn left(&mut self, rate: Rate, now_ms: i64) -> i64 {
        self.fill(rate, now_ms);
        let whole = self.left.div_euclid(i128::from(rate.period_ms.max(1)));
        i64::try_from(whole).unwrap_or(i64::MAX)
    }

    /// Whether nothing is owed or taken: such a bucket need not be remembered.
    #[must_use]
    pub fn is_full(&mut self, rate: Rate, now_ms: i64) -> bool {
        self.fill(rate, now_ms);
        self.left >= rate.capacity()
    }

    fn fill(&mut self, rate: Rate, now_ms: i64) {
        // A clock that was set back gives nothing, and takes nothing.
        let passed = now_ms.saturating_sub(self.at_ms).max(0);
        let back = i128::from(passed) * i128::from(rate.amount);
        self.left = self.left.saturating_add(back).min(rate.capacity());
        self.at_ms = now_ms;
    }
}

impl Rate {
    const fn capacity(self) -> i128 {
        // The product of 32, 16 and 32 bits.
        self.amount as i128 * self.burst as i128 * self.period_ms as i128
    }
}

/// The grain of the windows: a person gets back what was said this much later than exactly.
const SLOT_MS: i64 = 300_000;
const HOUR_MS: i64 = 3_600_000;

#[cfg(test)]
mod tests;
