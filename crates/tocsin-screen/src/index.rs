//! Blocks, frozen for screening, in layers.
//!
//! A changed block goes into a small new layer and is marked dead in the older one; a layer is
//! merged with the one before it once it is no longer small beside it. So a change costs as much as
//! the small layers are large, what is large is shared by the old screen and the new, and checks
//! that run on the old one go on.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::Notice;

use crate::answer::{Answer, Basis, Hit, MAX_HITS, Subject};
use crate::declared::Declared;
use crate::facts::Facts;
use crate::hash::{self, Tag};
use crate::layer::{Layer, Loose};
use crate::line::{Field, Fields, Line, MAX_LINE_VALUES, MAX_VALUE_BYTES};
use crate::list::{self, Lists};
use crate::named::{Alive, Named, Seeker};
use crate::rules;

/// All blocks of one jurisdiction, frozen: any number of threads may check lines against it.
#[derive(Clone, Debug)]
pub struct Screen {
    // The oldest and largest first. A block is alive in one of them at most.
    strata: Vec<Stratum>,
    speaking: usize,
    lists: Arc<Lists>,
    basis: Arc<Basis>,
}

/// A layer, and which of its blocks a later one has replaced.
#[derive(Clone, Debug)]
struct Stratum {
    layer: Arc<Layer>,
    dead: Arc<Vec<u64>>,
    killed: usize,
}

impl Screen {
    /// A screen of these blocks, of which the highest version counts.
    #[must_use]
    pub fn build(notices: impl IntoIterator<Item = Notice>, basis: Basis) -> Self {
        let empty = Self {
            strata: Vec::new(),
            speaking: 0,
            lists: Arc::default(),
            basis: Arc::new(basis.clone()),
        };
        empty.with(notices, basis)
    }

    /// The same with new states of some blocks. Takes a notice of an equal or higher version than
    /// the one known, as every client does; what was ended stays known, so that nothing older
    /// revives it.
    #[must_use]
    pub fn with(&self, changes: impl IntoIterator<Item = Notice>, basis: Basis) -> Self {
        let mut next = Self {
            basis: Arc::new(basis),
            ..self.clone()
        };
        let mut latest: BTreeMap<String, Notice> = BTreeMap::new();
        for notice in changes {
            let known = latest.get(&notice.block).map(|known| known.version);
            if known.is_none_or(|known| known <= notice.version) {
                latest.insert(notice.block.clone(), notice);
            }
        }
        let mut loose = Loose::default();
        for (_, notice) in latest {
            if next.retire(&notice) {
                next.speaking += usize::from(rules::can_speak(notice.state));
                loose.add(Arc::new(notice));
            }
        }
        if !loose.is_empty() {
            next.strata.push(Stratum::new(loose.freeze()));
            next.merge();
        }
        next
    }

    /// The same with these published lists beside the blocks, in place of those before.
    #[must_use]
    pub fn with_lists(&self, lists: Arc<Lists>) -> Self {
        Self {
            lists,
            ..self.clone()
        }
    }

    /// Makes room for a notice: false if a later one is known.
    fn retire(&mut self, notice: &Notice) -> bool {
        for stratum in &mut self.strata {
            let place = stratum.layer.place_of(&notice.block);
            let Some(place) = place.filter(|place| !stratum.is_dead(*place)) else {
                continue;
            };
            let known = stratum.layer.notice(place);
            if known.is_some_and(|known| known.version > notice.version) {
                return false;
            }
            let was_speaking = known.is_some_and(|known| rules::can_speak(known.state));
            self.speaking = self.speaking.saturating_sub(usize::from(was_speaking));
            stratum.kill(place);
            return true;
        }
        true
    }

    /// Merges the last layers while they are not small beside the ones before them.
    fn merge(&mut self) {
        while let [.., before, last] = self.strata.as_slice() {
            let is_small = last.len().saturating_mul(SMALL_BESIDE) < before.len();
            if is_small && before.len() > MAX_QUICK {
                return;
            }
            let mut loose = Loose::default();
            for stratum in [before, last] {
                loose.add_layer(&stratum.layer, |place| stratum.is_dead(place));
            }
            let merged = Stratum::new(loose.freeze());
            self.strata.truncate(self.strata.len().saturating_sub(2));
            self.strata.push(merged);
        }
    }

    /// What it knows.
    #[must_use]
    pub const fn basis(&self) -> &Arc<Basis> {
        &self.basis
    }

    /// Blocks that can say something.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.speaking
    }

    /// Whether no block can say anything.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.speaking == 0
    }

    /// Bytes of memory that finding blocks takes, without the notices themselves.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.strata
            .iter()
            .map(|stratum| stratum.layer.bytes())
            .sum()
    }

    /// What the blocks say of a line at an instant, Unix milliseconds.
    #[must_use]
    pub fn check(&self, line: &Line<'_>, now: i64) -> Answer {
        self.check_with(line, now, &mut Scratch::default())
    }

    /// As [`check`](Self::check), with memory that is used again; one for each thread.
    #[must_use]
    pub fn check_with(&self, line: &Line<'_>, now: i64, scratch: &mut Scratch) -> Answer {
        scratch.facts.read(line);
        scratch.found.clear();
        scratch.named.clear();
        for (at, stratum) in self.strata.iter().enumerate() {
            let found = &mut scratch.found;
            stratum
                .layer
                .find(&scratch.facts, |place| found.push((at, place)));
        }
        let basis = scratch.basis(&self.basis);
        for party in line.parties.iter().take(MAX_LINE_VALUES) {
            if party.role.is_bound() {
                scratch
                    .names
                    .find(party.name, &self.strata, &mut scratch.named);
            }
        }
        // What only its party finds is not looked at where the tariff code says other goods.
        for (at, place) in &scratch.named {
            let stratum = self.strata.get(*at);
            let notice = stratum.and_then(|stratum| stratum.layer.notice(*place));
            if notice.is_some_and(|notice| !scratch.facts.are_other_goods(&notice.scope)) {
                scratch.found.push((*at, *place));
            }
        }
        let mut listed = Vec::new();
        self.lists.hits(line, &mut scratch.listed, &mut listed);
        if scratch.found.is_empty() && listed.is_empty() {
            return Answer {
                outcome: Outcome::None,
                decisive_missing: is_silent(scratch.facts.can_decide, scratch.facts.unreadable),
                missing: line.missing(),
                unreadable: scratch.facts.unreadable,
                hits: Vec::new(),
                is_truncated: false,
                basis,
            };
        }
        scratch.found.sort_unstable();
        scratch.found.dedup();
        self.answer(line, now, &scratch.found, listed, basis)
    }

    /// Looks at everything that was found, in full.
    fn answer(
        &self,
        line: &Line<'_>,
        now: i64,
        found: &[(usize, u32)],
        listed: Vec<Hit>,
        basis: Arc<Basis>,
    ) -> Answer {
        let declared = Declared::read(line);
        let mut hits = Vec::new();
        let mut is_truncated = false;
        let (mut decided, mut might_be) = (Outcome::None, Outcome::None);
        for (at, place) in found {
            let stratum = self
                .strata
                .get(*at)
                .filter(|stratum| !stratum.is_dead(*place));
            let notice = stratum.and_then(|stratum| stratum.layer.notice(*place));
            let judged = notice.and_then(|notice| rules::judge(notice, &declared, now));
            hits.extend(judged.map(|judged| {
                if judged.wants_more {
                    might_be = might_be.max(judged.could_be);
                } else {
                    decided = decided.max(judged.hit.outcome);
                }
                judged.hit
            }));
            if hits.len() > 2 * MAX_HITS {
                is_truncated = true;
                rank(&mut hits);
            }
        }
        is_truncated |= hits.len() > MAX_HITS;
        rank(&mut hits);
        // A list decides nothing: what the blocks lack is lacking all the same.
        let of_blocks = hits.first().map_or(Outcome::None, |hit| hit.outcome);
        let decisive_missing = match of_blocks {
            Outcome::None => is_silent(declared.can_decide(), declared.unreadable),
            Outcome::Flagged | Outcome::Review => decided < of_blocks || might_be > of_blocks,
            // Goods that are stopped are decided on.
            Outcome::Held | Outcome::Blocked => false,
        };
        hits.extend(listed);
        is_truncated |= hits.len() > MAX_HITS;
        rank(&mut hits);
        Answer {
            outcome: hits.first().map_or(Outcome::None, |hit| hit.outcome),
            decisive_missing,
            missing: declared.missing,
            unreadable: declared.unreadable,
            hits,
            is_truncated,
            basis,
        }
    }
}

/// Whether that nothing was found says nothing: no number that decides was declared, or one could
/// not be read.
fn is_silent(can_decide: bool, unreadable: Fields) -> bool {
    let deciding = [Field::Gtin, Field::Model, Field::Serial];
    !can_decide || deciding.into_iter().any(|field| unreadable.contains(field))
}

impl Stratum {
    fn new(layer: Layer) -> Self {
        Self {
            dead: Arc::new(vec![0; layer.notices.len().div_ceil(64)]),
            killed: 0,
            layer: Arc::new(layer),
        }
    }

    fn len(&self) -> usize {
        self.layer.notices.len()
    }

    fn is_dead(&self, place: u32) -> bool {
        let word = self.dead.get(place as usize / 64).copied().unwrap_or(0);
        word >> (place % 64) & 1 == 1
    }

    fn kill(&mut self, place: u32) {
        if let Some(word) = Arc::make_mut(&mut self.dead).get_mut(place as usize / 64) {
            *word |= 1 << (place % 64);
            self.killed += 1;
        }
    }
}

/// Highest outcome first, then highest score, then by name; at most [`MAX_HITS`].
fn rank(hits: &mut Vec<Hit>) {
    hits.sort_by(|a, b| {
        let of = |hit: &Hit| (Reverse(hit.outcome), Reverse(hit.score));
        of(a).cmp(&of(b)).then_with(|| name(a).cmp(name(b)))
    });
    hits.truncate(MAX_HITS);
}

fn name(hit: &Hit) -> &str {
    match &hit.subject {
        Subject::Block(notice) => &notice.block,
        Subject::Listed(entry) => &entry.number,
    }
}

/// Memory that checks use again, so that a line that meets nothing costs no allocation.
#[derive(Debug, Default)]
pub struct Scratch {
    facts: Facts,
    found: Vec<(usize, u32)>,
    listed: list::Seeker,
    named: Vec<(usize, u32)>,
    names: KnownNames,
    // The screen's own, and this thread's copy: threads that count one thing slow each other down.
    basis: Option<(Arc<Basis>, Arc<Basis>)>,
}

impl Scratch {
    fn basis(&mut self, of_screen: &Arc<Basis>) -> Arc<Basis> {
        match &self.basis {
            Some((known, own)) if Arc::ptr_eq(known, of_screen) => Arc::clone(own),
            Some(_) | None => {
                // Another screen: what was found by names was found in the one before.
                self.names.forget();
                let own = Arc::new(Basis::clone(of_screen));
                self.basis = Some((Arc::clone(of_screen), Arc::clone(&own)));
                own
            }
        }
    }
}

/// What the names seen last have found: one firm files many declarations.
#[derive(Debug, Default)]
struct KnownNames {
    seeker: Seeker,
    // By number; as many as are needed from the first name on.
    known: Vec<KnownName>,
    // Names asked for before any was remembered.
    asked: usize,
}

#[derive(Clone, Debug, Default)]
struct KnownName {
    // Empty = none.
    text: String,
    found: Vec<(usize, u32)>,
}

impl KnownNames {
    fn forget(&mut self) {
        self.known.iter_mut().for_each(|known| known.text.clear());
    }

    /// Adds what a name finds.
    fn find(&mut self, text: &str, strata: &[Stratum], found: &mut Vec<(usize, u32)>) {
        let text = text.trim();
        if text.is_empty() || text.len() > MAX_VALUE_BYTES {
            return;
        }
        // Whoever asks for a line or two is not made to wait for so much memory.
        if self.asked < NAMES_NOT_KEPT {
            self.asked += 1;
            let add = |at, place| found.push((at, place));
            self.seeker.find(text, strata, add);
            return;
        }
        if self.known.is_empty() {
            self.known.resize_with(KNOWN_NAMES, KnownName::default);
        }
        let number = hash::of(Tag::Name, text.as_bytes());
        let at = usize::try_from(number % KNOWN_NAMES as u64).unwrap_or(0);
        let Some(known) = self.known.get_mut(at) else {
            return;
        };
        if known.text != text {
            known.text.clear();
            known.text.push_str(text);
            known.found.clear();
            let places = &mut known.found;
            self.seeker
                .find(text, strata, |at, place| places.push((at, place)));
        }
        found.extend_from_slice(&known.found);
    }
}

impl Alive for Stratum {
    fn named(&self) -> &Named {
        &self.layer.named
    }

    fn dead(&self) -> usize {
        self.killed
    }

    fn is_alive(&self, place: u32) -> bool {
        !self.is_dead(place)
    }
}

/// Names that a thread looks for before it begins to remember any.
const NAMES_NOT_KEPT: usize = 256;
/// Names that a thread remembers.
const KNOWN_NAMES: usize = 65_536;
/// A layer is small beside another that holds so many times as many blocks.
const SMALL_BESIDE: usize = 16;
/// Blocks that are merged within a few milliseconds, however few the new ones are.
const MAX_QUICK: usize = 4_096;

#[cfg(test)]
mod tests;
