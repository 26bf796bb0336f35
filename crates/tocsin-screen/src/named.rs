//! Names of parties, filed under their keys: how a name on a line finds the blocks it may meet.
//!
//! A key that many names share says little: names that agree share another, that of two words
//! together. So a key counts only while few distinct names that are alive share it. Who is alive
//! does not depend on layers, and so neither does what is found.

use std::cmp::Reverse;

use tocsin_core::notice::Notice;

use crate::hash::{self, Tag};
use crate::names::{self, Key, Name};
use crate::table::Table;

/// Distinct names, the blocks they are of, and their keys.
#[derive(Debug)]
pub(crate) struct Named {
    names: Box<[Filed]>,
    /// Of each name as it is written, in half its length: to count distinct names by.
    numbers: Box<[u32]>,
    /// Places of blocks, name by name.
    places: Box<[u32]>,
    /// From keys to places in `names`.
    keys: Table,
    /// The most names that one block has.
    most: usize,
}

/// One name.
#[derive(Debug)]
struct Filed {
    number: u64,
    name: Name,
    /// Where its blocks end in `places`; they begin where those of the name before it end.
    end: u32,
}

/// Names before they are frozen.
#[derive(Debug, Default)]
pub(crate) struct LooseNames {
    /// By number; several where a name is of several blocks.
    filed: Vec<(u64, u32, Source)>,
}

/// Where a name comes from.
#[derive(Debug)]
enum Source {
    Text(Box<str>),
    /// Prepared before, with the numbers of its keys.
    Filed(Box<(Name, Vec<u64>)>),
    /// The same as another of this number.
    Same,
}

impl LooseNames {
    /// Adds a name of a block.
    pub(crate) fn add(&mut self, name: &str, place: u32) {
        if name.len() <= crate::line::MAX_VALUE_BYTES {
            self.filed
                .push((number_of(name), place, Source::Text(name.into())));
        }
    }

    /// Adds the names of blocks that are moved, prepared as they are.
    pub(crate) fn add_named(&mut self, named: &Named, moved: impl Fn(u32) -> Option<u32>) {
        let mut keys = vec![Vec::new(); named.names.len()];
        for (key, at) in named.keys.iter() {
            if let Some(keys) = keys.get_mut(at as usize) {
                keys.push(key);
            }
        }
        for ((at, filed), keys) in (0..).zip(&named.names).zip(keys) {
            let mut places = named.places_of(at).iter().filter_map(|place| moved(*place));
            let Some(first) = places.next() else {
                continue;
            };
            let source = Source::Filed(Box::new((filed.name.clone(), keys)));
            self.filed.push((filed.number, first, source));
            self.filed
                .extend(places.map(|place| (filed.number, place, Source::Same)));
        }
    }

    /// Prepares each distinct name once.
    pub(crate) fn freeze(mut self) -> Named {
        let rank = |source: &Source| match source {
            Source::Filed(_) => 0,
            Source::Text(_) => 1,
            Source::Same => 2,
        };
        self.filed
            .sort_by_key(|(number, place, source)| (*number, rank(source), *place));
        let mut named: Vec<Filed> = Vec::new();
        let mut places: Vec<u32> = Vec::with_capacity(self.filed.len());
        let mut found: Vec<(u64, u32)> = Vec::new();
        let mut keys = Vec::new();
        for (number, place, source) in self.filed {
            if named.last().is_none_or(|last| last.number != number) {
                let name = match source {
                    Source::Text(text) => {
                        let name = Name::new(&text);
                        names::keys(&name, &mut keys);
                        keys.iter_mut().for_each(|key| *key = key_number(*key));
                        name
                    }
                    Source::Filed(filed) => {
                        keys = filed.1;
                        filed.0
                    }
                    Source::Same => continue,
                };
                let at = u32::try_from(named.len()).unwrap_or(u32::MAX);
                found.extend(keys.iter().map(|key| (*key, at)));
                named.push(Filed {
                    number,
                    name,
                    end: 0,
                });
            }
            places.push(place);
            if let Some(last) = named.last_mut() {
                last.end = u32::try_from(places.len()).unwrap_or(u32::MAX);
            }
        }
        let most = most_equal(&places);
        let half = |filed: &Filed| u32::try_from(filed.number >> 32).unwrap_or(u32::MAX);
        Named {
            numbers: named.iter().map(half).collect(),
            names: named.into(),
            places: places.into(),
            keys: Table::freeze(&found),
            most,
        }
    }
}

impl Named {
    fn places_of(&self, at: u32) -> &[u32] {
        let at = at as usize;
        let from = at.checked_sub(1).and_then(|before| self.names.get(before));
        let from = from.map_or(0, |before| before.end as usize);
        let to = self.names.get(at).map_or(from, |filed| filed.end as usize);
        self.places.get(from..to).unwrap_or_default()
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        let heap: usize = self.names.iter().map(|filed| filed.name.heap_bytes()).sum();
        size_of_val(&*self.names)
            + size_of_val(&*self.numbers)
            + heap
            + size_of_val(&*self.places)
            + self.keys.bytes()
    }
}

/// How often the place that comes most often does.
fn most_equal(places: &[u32]) -> usize {
    let mut sorted = places.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b).map(<[u32]>::len);
    runs.max().unwrap_or(0)
}

/// A file of names, and which of its blocks are alive.
pub(crate) trait Alive {
    fn named(&self) -> &Named;
    /// How many are not.
    fn dead(&self) -> usize;
    fn is_alive(&self, place: u32) -> bool;
}

/// Memory for looking names up.
#[derive(Debug, Default)]
pub(crate) struct Seeker {
    name: Name,
    keys: Vec<Key>,
    /// Numbers of names, with the file and place of each: once for each key they share.
    candidates: Vec<(u32, usize, u32)>,
    ranked: Vec<(Reverse<usize>, u32, usize, u32)>,
    distinct: Vec<u32>,
}

impl Seeker {
    /// Gives all blocks with a name that a declared one may be, as file and place.
    pub(crate) fn find<A: Alive>(
        &mut self,
        text: &str,
        files: &[A],
        mut found: impl FnMut(usize, u32),
    ) {
        self.name.read(text);
        names::keys(&self.name, &mut self.keys);
        self.candidates.clear();
        for key in &self.keys {
            let key = key_number(*key);
            if !files.iter().any(|file| file.named().keys.may_hold(key)) {
                continue;
            }
            let before = self.candidates.len();
            self.distinct.clear();
            if !share(files, key, &mut self.candidates, &mut self.distinct) {
                self.candidates.truncate(before);
            } else if self.distinct.len() <= RARE {
                // A key that hardly any name has says as much as two that some have.
                self.candidates.extend_from_within(before..);
            }
        }
        self.rank();
        for (_, _, file, at) in &self.ranked {
            let named = files.get(*file).map(Alive::named);
            let filed = named.and_then(|named| Some((named, named.names.get(*at as usize)?)));
            let Some((named, filed)) = filed else {
                continue;
            };
            if names::score(&filed.name, &self.name).value >= names::REVIEW {
                named
                    .places_of(*at)
                    .iter()
                    .for_each(|place| found(*file, *place));
            }
        }
    }

    /// The names that share most keys, whatever layer they are in; of equals any, but the same.
    fn rank(&mut self) {
        self.candidates.sort_unstable();
        self.ranked.clear();
        for run in self.candidates.chunk_by(|a, b| a == b) {
            if let Some((number, file, at)) = run.first().filter(|_| run.len() > 1) {
                self.ranked.push((Reverse(run.len()), *number, *file, *at));
            }
        }
        self.ranked.sort_unstable();
        let mut distinct = 0;
        let mut before = None;
        self.ranked.retain(|(_, number, _, _)| {
            distinct += usize::from(before != Some(*number));
            before = Some(*number);
            distinct <= MAX_SCORED
        });
    }
}

/// The names that share a key; false if more are alive than count.
fn share<A: Alive>(
    files: &[A],
    key: u64,
    candidates: &mut Vec<(u32, usize, u32)>,
    distinct: &mut Vec<u32>,
) -> bool {
    // Most keys that many share are told by their number alone.
    let is_common = files.iter().any(|of| {
        let named = of.named();
        let dead = of.dead().saturating_mul(named.most);
        named.keys.may_hold(key) && named.keys.places(key).len() > MAX_SHARING.saturating_add(dead)
    });
    if is_common {
        return false;
    }
    for (file, of) in files.iter().enumerate() {
        let named = of.named();
        if !named.keys.may_hold(key) {
            continue;
        }
        for at in named.keys.places(key) {
            let is_alive = || named.places_of(*at).iter().any(|place| of.is_alive(*place));
            let Some(number) = named.numbers.get(*at as usize) else {
                continue;
            };
            if of.dead() > 0 && !is_alive() {
                continue;
            }
            candidates.push((*number, file, *at));
            if !distinct.contains(number) {
                distinct.push(*number);
            }
            if distinct.len() > MAX_SHARING {
                return false;
            }
        }
    }
    true
}

/// All names by which a block's parties are found.
pub(crate) fn names_of(notice: &Notice) -> impl Iterator<Item = &str> {
    crate::parties::bound(&notice.scope).flat_map(|party| party.names.iter().map(String::as_str))
}

fn number_of(name: &str) -> u64 {
    hash::of(Tag::Name, name.as_bytes())
}

/// Keys are spread as the table wants them.
fn key_number(key: Key) -> u64 {
    hash::of_number(Tag::Name, key)
}

/// Distinct names that may share a key for it to count.
const MAX_SHARING: usize = 12;
/// Distinct names that share a key that is rare.
const RARE: usize = 2;
/// Distinct names that are compared with one; those that share most keys come first.
const MAX_SCORED: usize = 8;
