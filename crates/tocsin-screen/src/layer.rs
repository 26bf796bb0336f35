//! Some blocks and what they are found by, frozen.

use std::sync::Arc;

use tocsin_core::notice::Notice;
use tocsin_core::product::pattern::ModelPattern;
use tocsin_core::product::{Canonical, Selector};

use crate::facts::{self, Facts};
use crate::hash::{self, Tag};
use crate::named::{self, LooseNames, Named};
use crate::parties;
use crate::rules;
use crate::table::Table;

/// Some blocks, found by what they bar and whom they bind.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) notices: Box<[Arc<Notice>]>,
    /// From facts that meet by being equal to places of notices; from names of blocks, too.
    equal: Table,
    /// From prefix and width to places of ranges.
    serials: Table,
    ranges: Box<[Range]>,
    /// From how a pattern starts to places of patterns.
    starts: Table,
    patterns: Box<[(ModelPattern, u32)]>,
    /// Patterns that begin with anything.
    open: Box<[(ModelPattern, u32)]>,
    pub(crate) named: Named,
}

/// One range of serial numbers.
#[derive(Clone, Copy, Debug)]
struct Range {
    /// Of its prefix and width.
    number: u64,
    low: u64,
    high: u64,
    place: u32,
    /// The highest end of all ranges of this number up to this one: where to stop looking.
    reach: u64,
}

/// What a layer is frozen from.
#[derive(Debug, Default)]
pub(crate) struct Loose {
    notices: Vec<Arc<Notice>>,
    equal: Vec<(u64, u32)>,
    ranges: Vec<Range>,
    patterns: Vec<(u64, ModelPattern, u32)>,
    open: Vec<(ModelPattern, u32)>,
    names: LooseNames,
}

impl Loose {
    pub(crate) const fn is_empty(&self) -> bool {
        self.notices.is_empty()
    }

    /// Adds a block, with everything it is found by.
    pub(crate) fn add(&mut self, notice: Arc<Notice>) {
        let Ok(place) = u32::try_from(self.notices.len()) else {
            return;
        };
        self.equal.push((block_number(&notice.block), place));
        if rules::can_speak(notice.state) {
            let order = &notice.scope;
            for selector in order.articles.iter().flat_map(|article| &article.selectors) {
                self.add_selector(selector, place);
            }
            let identifiers = parties::bound(order).flat_map(|party| &party.identifiers);
            for identifier in identifiers {
                self.add_selector(identifier, place);
            }
            for name in named::names_of(&notice) {
                self.names.add(name, place);
            }
        }
        self.notices.push(notice);
    }

    fn add_selector(&mut self, selector: &Selector, place: u32) {
        // Selectors without a canonical form meet nothing; lasting bodies may hold some.
        let Ok(canonical) = selector.canonical() else {
            return;
        };
        self.equal
            .extend(facts::number(&canonical).map(|number| (number, place)));
        self.add_unequal(&canonical, place);
    }

    /// What meets in another way than by being equal.
    fn add_unequal(&mut self, canonical: &Canonical, place: u32) {
        match canonical.selector() {
            Selector::Serial(range) => self.ranges.push(Range {
                number: facts::range_number(range),
                low: range.low,
                high: range.high,
                place,
                reach: range.high,
            }),
            Selector::ModelPattern(text) => {
                let Ok(pattern) = ModelPattern::parse(text) else {
                    return;
                };
                match facts::pattern_number(&pattern.prefix()) {
                    Some(number) => self.patterns.push((number, pattern, place)),
                    None => self.open.push((pattern, place)),
                }
            }
            Selector::Image(hash) => {
                let bands = facts::bands(hash).map(|band| hash::of_number(Tag::Image, band));
                self.equal.extend(bands.map(|number| (number, place)));
            }
            Selector::Gtin(_)
            | Selector::Hs(_)
            | Selector::Model(_)
            | Selector::Mid(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Brand(_)
            | Selector::Tariff(_)
            | Selector::Batch(_)
            | Selector::Importer(_)
            | Selector::Duns(_)
            | Selector::Container(_)
            | Selector::Transport(_)
            | Selector::Vessel(_)
            | Selector::Listing(_)
            | Selector::Origin(_)
            | Selector::Description(_) => {}
        }
    }

    /// Adds what is not dead of a layer, without looking into a single block.
    pub(crate) fn add_layer(&mut self, layer: &Layer, is_dead: impl Fn(u32) -> bool) {
        let mut places = Vec::with_capacity(layer.notices.len());
        for (old, notice) in (0..).zip(&layer.notices) {
            let place = u32::try_from(self.notices.len())
                .ok()
                .filter(|_| !is_dead(old));
            if place.is_some() {
                self.notices.push(Arc::clone(notice));
            }
            places.push(place);
        }
        let moved = |old: u32| places.get(old as usize).copied().flatten();
        let equal = layer.equal.iter();
        self.equal
            .extend(equal.filter_map(|(number, old)| Some((number, moved(old)?))));
        let ranges = layer.ranges.iter();
        self.ranges.extend(ranges.filter_map(|range| {
            let place = moved(range.place)?;
            Some(Range { place, ..*range })
        }));
        for (number, at) in layer.starts.iter() {
            let pattern = layer.patterns.get(at as usize);
            let pattern = pattern.and_then(|(pattern, old)| Some((pattern, moved(*old)?)));
            self.patterns
                .extend(pattern.map(|(pattern, place)| (number, pattern.clone(), place)));
        }
        let open = layer.open.iter();
        self.open
            .extend(open.filter_map(|(pattern, old)| Some((pattern.clone(), moved(*old)?))));
        self.names.add_named(&layer.named, moved);
    }

    /// Makes it fast to find and impossible to change.
    pub(crate) fn freeze(mut self) -> Layer {
        self.ranges
            .sort_unstable_by_key(|range| (range.number, range.low, range.high, range.place));
        let mut before: Option<(u64, u64)> = None;
        for range in &mut self.ranges {
            if let Some((_, reach)) = before.filter(|(number, _)| *number == range.number) {
                range.reach = range.high.max(reach);
            } else {
                range.reach = range.high;
            }
            before = Some((range.number, range.reach));
        }
        let serials: Vec<(u64, u32)> = self
            .ranges
            .iter()
            .map(|range| range.number)
            .zip(0..)
            .collect();
        let starts = self.patterns.iter().map(|(number, _, _)| *number);
        let starts: Vec<(u64, u32)> = starts.zip(0..).collect();
        let patterns = self.patterns.into_iter();
        let patterns = patterns.map(|(_, pattern, place)| (pattern, place));
        Layer {
            notices: self.notices.into(),
            equal: Table::freeze(&self.equal),
            serials: Table::freeze(&serials),
            ranges: self.ranges.into(),
            starts: Table::freeze(&starts),
            patterns: patterns.collect(),
            open: self.open.into(),
            named: self.names.freeze(),
        }
    }
}

impl Layer {
    /// Gives the place of every block that the facts of a line may meet; one may come several
    /// times.
    pub(crate) fn find(&self, facts: &Facts, mut found: impl FnMut(u32)) {
        for number in &facts.numbers {
            if self.equal.may_hold(*number) {
                self.equal
                    .places(*number)
                    .iter()
                    .copied()
                    .for_each(&mut found);
            }
        }
        for (number, value) in &facts.serials {
            if self.serials.may_hold(*number) {
                self.find_ranges(*number, *value, &mut found);
            }
        }
        for (number, at) in &facts.starts {
            if self.starts.may_hold(*number) {
                let starting = self.starts.places(*number).iter();
                let starting = starting.filter_map(|at| self.patterns.get(*at as usize));
                let model = facts.model(*at);
                let matching = starting.filter(|(pattern, _)| pattern.matches(model));
                matching.for_each(|(_, place)| found(*place));
            }
        }
        if !self.open.is_empty() {
            for model in facts.models() {
                let matching = self.open.iter();
                let matching = matching.filter(|(pattern, _)| pattern.matches(model));
                matching.for_each(|(_, place)| found(*place));
            }
        }
    }

    /// Ranges that hold a value: those that begin no later, back to where none reaches it.
    fn find_ranges(&self, number: u64, value: u64, found: &mut impl FnMut(u32)) {
        let (Some(first), count) = (
            self.serials.places(number).first(),
            self.serials.places(number).len(),
        ) else {
            return;
        };
        let first = *first as usize;
        let ranges = self.ranges.get(first..first + count).unwrap_or_default();
        let begun = ranges.partition_point(|range| range.low <= value);
        let begun = ranges.get(..begun).unwrap_or_default();
        for range in begun.iter().rev().take_while(|range| range.reach >= value) {
            if range.high >= value {
                found(range.place);
            }
        }
    }

    /// The place of a block.
    pub(crate) fn place_of(&self, block: &str) -> Option<u32> {
        let places = self.equal.places(block_number(block));
        let is_it = |place: &&u32| {
            self.notice(**place)
                .is_some_and(|notice| notice.block == block)
        };
        places.iter().find(is_it).copied()
    }

    pub(crate) fn notice(&self, place: u32) -> Option<&Arc<Notice>> {
        self.notices.get(place as usize)
    }

    /// Bytes of memory, without the notices.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.notices)
            + self.equal.bytes()
            + self.serials.bytes()
            + size_of_val(&*self.ranges)
            + self.starts.bytes()
            + size_of_val(&*self.patterns)
            + size_of_val(&*self.open)
            + self.named.bytes()
    }
}

fn block_number(block: &str) -> u64 {
    hash::of(Tag::Block, block.as_bytes())
}
