//! One log's part of the registry: which entries views need, and what is void whatever other logs
//! say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use super::VoidReason;
use super::track::PackFact;
use crate::name::{Collection, Numbered};
use crate::order::Order;
use crate::policy::Pack;
use crate::product::Article;
use crate::statement::{DecodedBody, Statement, StatementRef};

/// One log, as far as it was applied.
#[derive(Clone, Debug)]
pub(super) struct Log {
    pub(super) origin: Origin,
    pub(super) jurisdiction: String,
    // The first index that was not applied.
    pub(super) next: u64,
    pub(super) is_frozen: bool,
    // What views need of entries; reports and indicators are read from the log itself.
    pub(super) entries: BTreeMap<u64, Entry>,
    // Where each statement counts: its lowest valid index.
    pub(super) first: BTreeMap<Hash, u64>,
    // Every valid entry by what it is, so that lists need not read whole logs.
    pub(super) kinds: BTreeMap<Collection, BTreeSet<u64>>,
    // By UTC year and running number; the member is the log's.
    pub(super) numbers: BTreeMap<(u16, u32), u64>,
    // What is void whatever other logs say.
    pub(super) void: BTreeMap<u64, VoidReason>,
    pub(super) packs: BTreeMap<u64, PackFact>,
    // Orders that entries are facts of.
    pub(super) about: BTreeMap<u64, StatementRef>,
    pub(super) bodies: BTreeMap<(u64, Hash), Option<Arc<DecodedBody>>>,
    pub(super) missing: BTreeSet<(u64, Hash)>,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Said {
        statement_id: Hash,
        statement: Arc<Statement>,
    },
    Opaque,
}

impl Log {
    pub(super) const fn new(origin: Origin, jurisdiction: String) -> Self {
        Self {
            origin,
            jurisdiction,
            next: 0,
            is_frozen: false,
            entries: BTreeMap::new(),
            first: BTreeMap::new(),
            kinds: BTreeMap::new(),
            numbers: BTreeMap::new(),
            void: BTreeMap::new(),
            packs: BTreeMap::new(),
            about: BTreeMap::new(),
            bodies: BTreeMap::new(),
            missing: BTreeSet::new(),
        }
    }

    /// Says where a statement counts, who has its number, and which of its lasting bodies are
    /// missing.
    pub(super) fn count(&mut self, index: u64, statement_id: Hash, statement: &Statement) {
        let lasting = statement.bodies.iter().filter(|body| body.lasting);
        let places = lasting.map(|body| (index, body.sha256));
        let missing: Vec<_> = places
            .filter(|place| !self.bodies.contains_key(place))
            .collect();
        self.missing.extend(missing);
        let name = Numbered::of(self.origin.member(), statement);
        self.place(
            index,
            statement_id,
            Collection::of(&statement.act),
            name.map(|name| (name.year, name.number)),
        );
    }

    /// Says where a statement of this kind counts, and who has its number.
    pub(super) fn place(
        &mut self,
        index: u64,
        statement_id: Hash,
        kind: Collection,
        number: Option<(u16, u32)>,
    ) {
        self.kinds.entry(kind).or_default().insert(index);
        if *self.first.entry(statement_id).or_insert(index) != index {
            self.void.insert(index, VoidReason::StatementRepeated);
            return;
        }
        let Some(number) = number else {
            return;
        };
        if *self.numbers.entry(number).or_insert(index) != index {
            self.void.insert(index, VoidReason::NumberTaken);
        }
    }

    /// Reads the pack that stands at `index`, as far as it is here.
    pub(super) fn read_pack(&mut self, index: u64) {
        let Some(Entry::Said {
            statement_id,
            statement,
        }) = self.entries.get(&index)
        else {
            return;
        };
        let pack = PackFact::read(self, index, *statement_id, statement);
        self.packs.insert(index, pack);
    }

    /// The last valid pack below an index with `valid_from` at or before an instant (FORMATS
    /// section 10): `Some(None)` where there is none, `None` where that cannot be said yet.
    pub(super) fn pack_in_force(&self, below: u64, at: i64) -> Option<Option<(&Hash, &Pack)>> {
        for (_, pack) in self.packs.range(..below).rev() {
            match pack {
                PackFact::Missing => return None,
                PackFact::Usable(id, pack) if pack.valid_from_ms <= at => {
                    return Some(Some((id, pack)));
                }
                PackFact::Usable(..) | PackFact::Unusable => {}
            }
        }
        Some(None)
    }

    pub(super) fn statement(&self, index: u64) -> Option<&Arc<Statement>> {
        match self.entries.get(&index)? {
            Entry::Said { statement, .. } => Some(statement),
            Entry::Opaque => None,
        }
    }

    /// The lasting bodies of an entry as they have arrived; an item is `None` while one is missing.
    pub(super) fn lasting<'a>(
        &'a self,
        index: u64,
        statement: &'a Statement,
    ) -> impl Iterator<Item = Option<&'a DecodedBody>> {
        let lasting = statement.bodies.iter().filter(|body| body.lasting);
        lasting.map(move |body| self.bodies.get(&(index, body.sha256))?.as_deref())
    }

    pub(super) fn is_waiting_for(&self, index: u64) -> bool {
        self.missing
            .range((index, Hash([0; Hash::LEN]))..)
            .next()
            .is_some_and(|(at, _)| *at == index)
    }

    pub(super) fn bodies_arrived(&self, index: u64) -> usize {
        let Some(statement) = self.statement(index) else {
            return 0;
        };
        let lasting = statement.bodies.iter().filter(|body| body.lasting);
        lasting
            .filter(|body| self.bodies.contains_key(&(index, body.sha256)))
            .count()
    }

    /// The articles of a text with those of its lasting bodies, and whether some are missing.
    pub(super) fn articles(
        &self,
        index: u64,
        statement: &Statement,
        text: &Order,
    ) -> (Vec<Article>, bool) {
        let mut articles = text.articles.clone();
        let mut is_missing = false;
        for body in self.lasting(index, statement) {
            match body {
                Some(DecodedBody::Order(body)) => articles.extend(body.articles.iter().cloned()),
                // Bytes that say nothing, or something else, leave the text as incomplete as none.
                None
                | Some(
                    DecodedBody::Report(_) | DecodedBody::Indicator(_) | DecodedBody::PolicyPack(_),
                ) => is_missing = true,
            }
        }
        (articles, is_missing)
    }
}
