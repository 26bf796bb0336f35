//! Names of parties, filed under their keys: how a name on a line finds the blocks it may meet.
//!
//! A key that many names share says little: names that agree share another, that of two words
//! together. So a key counts only while few distinct names that are alive share it. Who is alive
//! does not depend on layers, and so neither does what is found.

use tocsin_core::notice::Notice;

use crate::hash::{self, Tag};
use crate::names::{self, Key, Name};
use crate::table::Table;

/// Distinct names, the blocks they are of, and their keys.
#[derive(Debug)]
pub(crate) struct Named {
    names: Box<[Filed]>,
    /// Places of blocks, name by name.
    places: Box<[u32]>,
    /// From keys to places in `names`.
    keys: Table,
}

/// One name.
#[derive(Debug)]
struct Filed {
    /// Of the name as it is written.
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
        Named {
            names: named.into(),
            places: places.into(),
            keys: Table::freeze(&found),
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
        size_of_val(&*self.names) + heap + size_of_val(&*self.places) + self.keys.bytes()
    }
}

/// A file of names, and which of its blocks are alive.
pub(crate) trait Alive {
    fn named(&self) -> &Named;
    fn is_alive(&self, place: u32) -> bool;
}

/// Memory for looking names up.
#[derive(Debug, Default)]
pub(crate) struct Seeker {
    name: Name,
    keys: Vec<Key>,
    candidates: Vec<(usize, u32)>,
    distinct: Vec<u64>,
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
            }
        }
        self.candidates.sort_unstable();
        self.candidates.dedup();
        for (file, at) in &self.candidates {
            let named = files.get(*file).map(Alive::named);
            let Some((named, filed)) =
                named.and_then(|named| Some((named, named.names.get(*at as usize)?)))
            else {
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
}

/// The names that share a key; false if more are alive than count.
fn share<A: Alive>(
    files: &[A],
    key: u64,
    candidates: &mut Vec<(usize, u32)>,
    distinct: &mut Vec<u64>,
) -> bool {
    for (file, of) in files.iter().enumerate() {
        let named = of.named();
        for at in named.keys.places(key) {
            let is_alive = named.places_of(*at).iter().any(|place| of.is_alive(*place));
            let Some(filed) = named.names.get(*at as usize).filter(|_| is_alive) else {
                continue;
            };
            candidates.push((file, *at));
            if !distinct.contains(&filed.number) {
                distinct.push(filed.number);
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
const MAX_SHARING: usize = 32;
