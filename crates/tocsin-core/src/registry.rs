//! What all logs together say: a fold over their entries that does not depend on how the logs
//! arrived.
//!
//! The registry stores facts, each at its place in its log, and nothing that follows from them.
//! Every view is a pure function of one order's facts in log order, so that commutativity across
//! logs is not a property that updates must preserve but one they cannot break. What was derived is
//! kept until a fact touches it.
//!
//! Times are Unix milliseconds. `apply` takes none; views take the instant they are asked about.
//!
//! Begin at [`Registry::apply`] for what goes in, [`Registry::block`] for what comes out.

mod due;
mod event;
mod history;
mod log;
mod places;
mod release;
mod rulings;
#[cfg(test)]
pub(crate) mod sample;
mod scope;
#[cfg(test)]
mod tests;
mod track;
mod view;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use crate::cursor::Vector;
use crate::lookup::Index;
use crate::name::Numbered;
use crate::order::Order;
use crate::roster::Alliance;
use crate::statement::{Act, DecodedBody, Statement, StatementRef};

pub use due::{Due, Pending};
pub use event::{Event, Filed, FiledKind, Position, VoidReason};
pub use history::OrderState;
pub use view::OrderView;

use history::History;
use log::{Entry, Log};
use track::Track;

/// All logs' facts, and what follows from them.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    // By log name, `A/<member>`.
    logs: BTreeMap<String, Log>,
    orders: BTreeMap<StatementRef, Facts>,
    index: Index,
}

/// The places of an order's facts, and what follows from them.
#[derive(Clone, Debug, Default)]
struct Facts {
    // In the issuer's log.
    own: BTreeSet<u64>,
    // By log name, in the logs of those who decide on it.
    abroad: BTreeMap<String, BTreeSet<u64>>,
    // Emptied by every fact that touches it.
    derived: OnceLock<Derived>,
}

/// What follows from an order's facts, at whatever instant.
#[derive(Clone, Debug)]
struct Derived {
    history: History,
    // By log name.
    tracks: BTreeMap<String, Track>,
}

impl Registry {
    /// An empty registry for the members of an alliance.
    #[must_use]
    pub fn new(alliance: &Alliance) -> Self {
        Self::with_logs(
            alliance
                .members()
                .map(|member| (member.origin.clone(), member.jurisdiction.clone())),
        )
    }

    /// An empty registry for these logs, each with the jurisdiction that it speaks for.
    #[must_use]
    pub fn with_logs(logs: impl IntoIterator<Item = (Origin, String)>) -> Self {
        let logs = logs
            .into_iter()
            .map(|(origin, jurisdiction)| (origin.log_name(), Log::new(origin, jurisdiction)));
        Self {
            logs: logs.collect(),
            ..Self::default()
        }
    }

    /// Takes one event. `false` when it says nothing new: applied before, or of a log that is no
    /// member's.
    pub fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::Valid {
                position,
                statement_id,
                statement,
            } => self.take_valid(&position, statement_id, statement),
            Event::Filed { origin, entries } => self.take_filed(&origin, &entries),
            Event::Opaque { position, about } => self.take_opaque(&position, about),
            Event::Invalid { position } => self.advance(&position).is_some(),
            Event::Body {
                position,
                sha256,
                body,
            } => self.take_body(&position, sha256, body),
            Event::Freeze { origin } => match self.log_of_mut(&origin) {
                Some(log) => !std::mem::replace(&mut log.is_frozen, true),
                None => false,
            },
        }
    }

    /// How far each log is known: up to the first entry of which a lasting body is missing.
    #[must_use]
    pub fn position(&self) -> Vector {
        let mut vector = Vector::default();
        for log in self.logs.values() {
            vector.set(
                &log.origin,
                log.missing.first().map_or(log.next, |(index, _)| *index),
            );
            if log.is_frozen {
                vector.freeze(&log.origin);
            }
        }
        vector
    }

    /// The lasting bodies that have not arrived, each with every entry that names it.
    pub fn missing_bodies(&self) -> impl Iterator<Item = (Position, Hash)> {
        self.logs.values().flat_map(|log| {
            log.missing.iter().map(|(index, sha256)| {
                (
                    Position {
                        origin: log.origin.clone(),
                        index: *index,
                    },
                    *sha256,
                )
            })
        })
    }

    /// Why the entry at `position` has no effect, if it is known to have none.
    #[must_use]
    pub fn void_reason(&self, position: &Position) -> Option<VoidReason> {
        let log = self.log_of(&position.origin)?;
        if let Some(reason) = log.void.get(&position.index) {
            return Some(*reason);
        }
        let order = log.about.get(&position.index)?;
        let derived = self.derived(order)?;
        let name = position.origin.log_name();
        let void = match derived.tracks.get(&name) {
            Some(track) => &track.void,
            None => &derived.history.void,
        };
        void.get(&position.index).copied()
    }

    /// Where a statement counts; `None` where it is not known to.
    #[must_use]
    pub fn find(&self, statement: &StatementRef) -> Option<Position> {
        let log = self.logs.get(&statement.log)?;
        let index = *log.first.get(&statement.statement_id)?;
        Some(Position {
            origin: log.origin.clone(),
            index,
        })
    }

    /// The entry that has a number; the first one, where several claim it.
    #[must_use]
    pub fn numbered(&self, name: &Numbered) -> Option<Position> {
        let mut logs = self.logs.values();
        let log = logs.find(|log| log.origin.member() == name.member)?;
        let index = *log.numbers.get(&(name.year, name.number))?;
        Some(Position {
            origin: log.origin.clone(),
            index,
        })
    }

    /// The lowest number above all that a member has used in a UTC year; `None` when they are used
    /// up.
    #[must_use]
    pub fn next_number(&self, member: &str, year: u16) -> Option<u32> {
        let log = self
            .logs
            .values()
            .find(|log| log.origin.member() == member)?;
        let mut used = log.numbers.range((year, 0)..=(year, u32::MAX));
        used.next_back()
            .map_or(Some(1), |((_, last), _)| last.checked_add(1))
    }

    /// The log that speaks for a jurisdiction.
    fn log_for(&self, jurisdiction: &str) -> Option<&Log> {
        self.logs
            .values()
            .find(|log| log.jurisdiction == jurisdiction)
    }

    /// The order that bears this name, if it counts.
    #[must_use]
    pub fn order_named(&self, name: &Numbered) -> Option<StatementRef> {
        let position = self.numbered(name)?;
        let log = self.log_of(&position.origin)?;
        let order = log.about.get(&position.index)?;
        self.name_of(order).map(|_| order.clone())
    }

    /// Every order that counts, by log and statement.
    pub fn orders(&self) -> impl Iterator<Item = &StatementRef> {
        self.orders
            .keys()
            .filter(|order| self.name_of(order).is_some())
    }

    /// The jurisdictions of all members, sorted.
    #[must_use]
    pub fn jurisdictions(&self) -> BTreeSet<&str> {
        self.logs
            .values()
            .map(|log| log.jurisdiction.as_str())
            .collect()
    }

    /// The texts of an order, by statement: its issue and the modifications that count.
    pub fn texts(&self, order: &StatementRef) -> impl Iterator<Item = Hash> {
        self.derived(order)
            .into_iter()
            .flat_map(|derived| derived.history.texts.iter().map(|text| text.statement_id))
    }

    /// Every decision on an order, void ones too, by log and index.
    #[must_use]
    pub fn decisions(&self, order: &StatementRef) -> Vec<Position> {
        let abroad = self
            .orders
            .get(order)
            .into_iter()
            .flat_map(|facts| &facts.abroad);
        let places = abroad.filter_map(|(name, indexes)| Some((self.logs.get(name)?, indexes)));
        places
            .flat_map(|(log, indexes)| {
                indexes.iter().map(|index| Position {
                    origin: log.origin.clone(),
                    index: *index,
                })
            })
            .collect()
    }

    /// The orders whose blocks in `jurisdiction` rest on facts beyond `seen`: those whose notices
    /// are due.
    #[must_use]
    pub fn changed_since(&self, jurisdiction: &str, seen: &Vector) -> BTreeSet<&StatementRef> {
        let mut changed = BTreeSet::new();
        for (name, log) in &self.logs {
            let is_local = log.jurisdiction == jurisdiction;
            if log.is_frozen && !seen.is_frozen(&log.origin) {
                changed.extend(
                    self.orders
                        .keys()
                        .filter(|order| is_local || order.log == *name),
                );
            }
            let beyond = log.about.range(seen.next_index(&log.origin)..);
            changed.extend(
                beyond
                    .map(|(_, order)| order)
                    .filter(|o| is_local || o.log == *name),
            );
        }
        changed.retain(|order| self.name_of(order).is_some());
        changed
    }

    /// A digest over all that follows from the facts, at whatever instant: equal at all nodes of
    /// one version that know the same.
    #[must_use]
    pub fn state_digest(&self) -> Hash {
        let mut state = String::new();
        for (name, log) in &self.logs {
            // Writing to a string cannot fail.
            let _ = writeln!(
                state,
                "{name} {} {} {:?} {:?} {:?}",
                log.next, log.is_frozen, log.numbers, log.void, log.missing
            );
        }
        for (order, facts) in &self.orders {
            let derived = self.derived(order);
            let versions: Vec<u64> = self
                .logs
                .values()
                .map(|log| self.version(order, &log.jurisdiction))
                .collect();
            let _ = writeln!(
                state,
                "{order:?} {:?} {:?} {versions:?} {derived:?}",
                facts.own, facts.abroad
            );
        }
        let _ = writeln!(state, "{:?}", self.index);
        Hash::of(state.as_bytes())
    }

    /// Where each fact by which goods can be looked up stands.
    pub(crate) const fn index(&self) -> &Index {
        &self.index
    }

    /// The number of facts that a block rests on (FORMATS section 7).
    fn version(&self, order: &StatementRef, jurisdiction: &str) -> u64 {
        let Some(facts) = self.orders.get(order) else {
            return 0;
        };
        let local = self
            .logs
            .iter()
            .find(|(name, log)| log.jurisdiction == jurisdiction && **name != order.log);
        let nothing = BTreeSet::new();
        let issuer = self.logs.get(&order.log).map(|log| (log, &facts.own));
        let local = local.map(|(name, log)| (log, facts.abroad.get(name).unwrap_or(&nothing)));
        issuer
            .into_iter()
            .chain(local)
            .fold(0, |sum, (log, indexes)| {
                let bodies: usize = indexes.iter().map(|index| log.bodies_arrived(*index)).sum();
                sum + u64::from(log.is_frozen) + (indexes.len() + bodies) as u64
            })
    }

    /// What an order is called; `None` while its issue is unknown, and where that is void.
    fn name_of(&self, order: &StatementRef) -> Option<Numbered> {
        let issued = self.issue(order)?;
        Numbered::of(self.logs.get(&order.log)?.origin.member(), issued)
    }

    /// The statement that issued an order, if it counts.
    fn issue(&self, order: &StatementRef) -> Option<&Arc<Statement>> {
        let log = self.logs.get(&order.log)?;
        let index = log.first.get(&order.statement_id)?;
        let statement = log
            .statement(*index)
            .filter(|_| !log.void.contains_key(index))?;
        matches!(statement.act, Act::Order(_)).then_some(statement)
    }

    /// What follows from an order's facts; `None` while its issue is unknown, and where that is
    /// void.
    fn derived(&self, order: &StatementRef) -> Option<&Derived> {
        let facts = self.orders.get(order)?;
        self.issue(order)?;
        let issuer = self.logs.get(&order.log)?;
        Some(facts.derived.get_or_init(|| {
            let history = History::of(order, &facts.own, issuer);
            let abroad = facts.abroad.iter();
            let tracks = abroad.filter_map(|(name, indexes)| {
                let log = self.logs.get(name)?;
                Some((name.clone(), Track::of(&history, issuer, indexes, log)))
            });
            Derived {
                tracks: tracks.collect(),
                history,
            }
        }))
    }

    fn log_of(&self, origin: &Origin) -> Option<&Log> {
        self.logs
            .get(&origin.log_name())
            .filter(|log| log.origin == *origin)
    }

    fn log_of_mut(&mut self, origin: &Origin) -> Option<&mut Log> {
        self.logs
            .get_mut(&origin.log_name())
            .filter(|log| log.origin == *origin)
    }

    /// Moves past an entry; `None` when it was applied before.
    fn advance(&mut self, position: &Position) -> Option<&mut Log> {
        let log = self.log_of_mut(&position.origin)?;
        if position.index < log.next {
            return None;
        }
        log.next = position.index.saturating_add(1);
        Some(log)
    }

    fn take_valid(
        &mut self,
        position: &Position,
        statement_id: Hash,
        statement: Arc<Statement>,
    ) -> bool {
        let index = position.index;
        let Some(log) = self.advance(position) else {
            return false;
        };
        log.count(index, statement_id, &statement);
        let order = match &statement.act {
            Act::Report(_) | Act::Indicator(_) => return true,
            Act::PolicyPack(_) => {
                log.entries.insert(
                    index,
                    Entry::Said {
                        statement_id,
                        statement,
                    },
                );
                log.read_pack(index);
                return true;
            }
            Act::Order(_) => StatementRef {
                log: statement.log.clone(),
                statement_id,
            },
            Act::OrderAct(_) | Act::Decision(_) => match statement.about.clone() {
                Some(order) => order,
                None => return true,
            },
        };
        log.entries.insert(
            index,
            Entry::Said {
                statement_id,
                statement: Arc::clone(&statement),
            },
        );
        self.add_fact(position, &order);
        if let Some(text) = text_of(&statement.act) {
            self.index.add(&order, text);
        }
        self.index_bodies(position, &order);
        true
    }

    fn take_filed(&mut self, origin: &Origin, entries: &[(u64, Filed)]) -> bool {
        let Some(log) = self.log_of_mut(origin) else {
            return false;
        };
        let before = log.next;
        for (index, filed) in entries {
            if *index >= log.next {
                log.next = index.saturating_add(1);
                log.place(
                    *index,
                    filed.statement_id,
                    filed.kind.collection(),
                    filed.number,
                );
            }
        }
        log.next > before
    }

    fn take_opaque(&mut self, position: &Position, about: Option<StatementRef>) -> bool {
        let Some(log) = self.advance(position) else {
            return false;
        };
        if let Some(order) = about {
            log.entries.insert(position.index, Entry::Opaque);
            self.add_fact(position, &order);
        }
        true
    }

    /// Counts an entry as a fact of an order, where its log is the issuer's or that of another
    /// jurisdiction.
    fn add_fact(&mut self, position: &Position, order: &StatementRef) {
        if !self.logs.contains_key(&order.log) {
            return;
        }
        let name = position.origin.log_name();
        let facts = self.orders.entry(order.clone()).or_default();
        if name == order.log {
            facts.own.insert(position.index);
        } else {
            facts
                .abroad
                .entry(name.clone())
                .or_default()
                .insert(position.index);
        }
        facts.derived = OnceLock::new();
        if let Some(log) = self.logs.get_mut(&name) {
            log.about.insert(position.index, order.clone());
        }
    }

    fn take_body(
        &mut self,
        position: &Position,
        sha256: Hash,
        body: Option<Arc<DecodedBody>>,
    ) -> bool {
        let index = position.index;
        let name = position.origin.log_name();
        let Some(log) = self.log_of_mut(&position.origin) else {
            return false;
        };
        if log.bodies.contains_key(&(index, sha256)) {
            return false;
        }
        log.bodies.insert((index, sha256), body);
        log.missing.remove(&(index, sha256));
        if log.packs.contains_key(&index) {
            log.read_pack(index);
            // Which pack was in force can change for any decision that this member made by policy.
            let decided = self
                .orders
                .values_mut()
                .filter(|facts| facts.abroad.contains_key(&name));
            decided.for_each(|facts| facts.derived = OnceLock::new());
            return true;
        }
        let Some(order) = log.about.get(&index).cloned() else {
            return true;
        };
        if let Some(facts) = self.orders.get_mut(&order) {
            facts.derived = OnceLock::new();
        }
        self.index_bodies(position, &order);
        true
    }

    fn index_bodies(&mut self, position: &Position, order: &StatementRef) {
        let Some(log) = self.logs.get(&position.origin.log_name()) else {
            return;
        };
        let Some(statement) = log.statement(position.index) else {
            return;
        };
        for body in log.lasting(position.index, statement) {
            if let Some(DecodedBody::Order(body)) = body {
                self.index.add_articles(order, &body.articles);
            }
        }
    }
}

/// The text that an act gives to its order.
fn text_of(act: &Act) -> Option<&Order> {
    match act {
        Act::Order(order) => Some(order),
        Act::OrderAct(act) => act.replacement.as_ref(),
        Act::Report(_) | Act::Indicator(_) | Act::Decision(_) | Act::PolicyPack(_) => None,
    }
}
