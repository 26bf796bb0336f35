//! From numbers of facts to places, frozen: a filter that says no at once, and sorted arrays behind
//! it. Nine bytes in ten are the numbers themselves, and nothing is a pointer.

/// From each number to the places it was given with.
#[derive(Debug)]
pub(crate) struct Table {
    filter: Box<[u64]>,
    /// How far a number is shifted to give its bucket.
    shift: u32,
    /// Where each bucket begins, and where the last one ends.
    starts: Box<[u32]>,
    /// By bucket, ascending within each.
    numbers: Box<[u64]>,
    places: Box<[u32]>,
}

impl Table {
    /// Freezes what was found; at most `u32::MAX` of it is kept, which no memory holds.
    pub(crate) fn freeze(found: &[(u64, u32)]) -> Self {
        let buckets = (found.len() / BUCKET).max(1).next_power_of_two();
        let shift = 64 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for (number, _) in found {
            if let Some(count) = starts.get_mut(bucket(*number, shift) + 1) {
                *count = count.saturating_add(1);
            }
        }
        let mut sum = 0_u32;
        for start in &mut starts {
            sum = sum.saturating_add(*start);
            *start = sum;
        }
        let mut next = starts.clone();
        let mut sorted = vec![(0_u64, 0_u32); found.len()];
        for (number, place) in found {
            if let Some(at) = next.get_mut(bucket(*number, shift)) {
                if let Some(slot) = sorted.get_mut(*at as usize) {
                    *slot = (*number, *place);
                }
                *at = at.saturating_add(1);
            }
        }
        for window in starts.windows(2) {
            if let [from, to] = window
                && let Some(bucket) = sorted.get_mut(*from as usize..*to as usize)
            {
                bucket.sort_unstable();
            }
        }
        let mut filter = vec![0_u64; (found.len() / NUMBERS_IN_WORD).max(1)];
        let words = filter.len();
        for (number, _) in found {
            if let Some(word) = filter.get_mut(word_of(*number, words)) {
                *word |= bits_of(*number);
            }
        }
        Self {
            filter: filter.into(),
            shift,
            starts: starts.into(),
            numbers: sorted.iter().map(|(number, _)| *number).collect(),
            places: sorted.iter().map(|(_, place)| *place).collect(),
        }
    }

    /// Whether a number may be in it; of those that are not, about one in two hundred passes.
    pub(crate) fn may_hold(&self, number: u64) -> bool {
        let bits = bits_of(number);
        let word = self.filter.get(word_of(number, self.filter.len()));
        word.is_some_and(|word| word & bits == bits)
    }

    /// The places a number was given with.
    pub(crate) fn places(&self, number: u64) -> &[u32] {
        let at = bucket(number, self.shift);
        let start = |at: usize| self.starts.get(at).map_or(0, |start| *start as usize);
        let (from, to) = (start(at), start(at + 1));
        let numbers = self.numbers.get(from..to).unwrap_or_default();
        let first = numbers.partition_point(|other| *other < number);
        let rest = numbers.get(first..).unwrap_or_default();
        let count = if rest.get(FEW).is_some_and(|other| *other == number) {
            rest.partition_point(|other| *other == number)
        } else {
            rest.iter().take_while(|other| **other == number).count()
        };
        self.places
            .get(from + first..from + first + count)
            .unwrap_or_default()
    }

    /// All that was frozen.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32)> {
        self.numbers
            .iter()
            .copied()
            .zip(self.places.iter().copied())
    }

    /// Bytes of memory.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.filter)
            + size_of_val(&*self.starts)
            + size_of_val(&*self.numbers)
            + size_of_val(&*self.places)
    }
}

fn bucket(number: u64, shift: u32) -> usize {
    let bucket = number.checked_shr(shift).unwrap_or(0);
    usize::try_from(bucket).unwrap_or(0)
}

/// The low half of a number, scaled to the words of a filter.
fn word_of(number: u64, words: usize) -> usize {
    let low = number & 0xFFFF_FFFF;
    usize::try_from((low * (words as u64 & 0xFFFF_FFFF)) >> 32).unwrap_or(0)
}

/// Four of a word's bits, from the half that does not choose the word.
const fn bits_of(number: u64) -> u64 {
    1 << (number >> 32 & 63)
        | 1 << (number >> 38 & 63)
        | 1 << (number >> 44 & 63)
        | 1 << (number >> 50 & 63)
}

/// Numbers that share a bucket, on average: one line of a processor's cache.
const BUCKET: usize = 4;
/// Places of one number that are counted one by one.
const FEW: usize = 8;
/// Numbers that share a word of the filter, on average.
const NUMBERS_IN_WORD: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{self, Tag};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_not_in_it_is_mostly_told_by_the_filter() {
        let number = |i: u32| hash::of(Tag::Model, &i.to_le_bytes());
        let found: Vec<_> = (0..20_000).map(|i| (number(i), i)).collect();
        let table = Table::freeze(&found);
        assert!((0..20_000).all(|i| table.may_hold(number(i)) && table.places(number(i)) == [i]));
        let passed = (20_000..120_000)
            .filter(|i| table.may_hold(number(*i)))
            .count();
        assert!(passed < 2_000, "{passed} of 100,000");
    }

    proptest! {
        #[test]
        fn it_gives_back_what_it_was_given(
            found in prop::collection::vec((0..40_u64, 0..9_u32), 0..200),
        ) {
            let spread = |n: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let found: Vec<_> = found.into_iter().map(|(n, place)| (spread(n), place)).collect();
            let table = Table::freeze(&found);
            let mut expected: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            for (number, place) in &found {
                expected.entry(*number).or_default().push(*place);
            }
            for n in 0..60 {
                let mut places = expected.remove(&spread(n)).unwrap_or_default();
                places.sort_unstable();
                prop_assert_eq!(table.places(spread(n)), places.as_slice());
                prop_assert!(places.is_empty() || table.may_hold(spread(n)));
            }
            prop_assert_eq!(table.iter().count(), found.len());
        }
    }
}
