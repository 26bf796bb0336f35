//! How many slips of the pen or the ear lie between two words.

use super::fold::{Pattern, bare};
use super::{Name, Token};

/// One word against many.
pub(super) struct Side<'a> {
    word: &'a str,
    folded: &'a str,
    letters: u64,
    raw: Pattern,
    heard: Pattern,
    is_skeletal: bool,
}

impl<'a> Side<'a> {
    pub(super) fn of(name: &'a Name, token: &Token, is_skeletal: bool) -> Self {
        Self::new(
            name.word(token),
            name.folded(token),
            token.letters,
            is_skeletal,
        )
    }

    pub(super) fn new(word: &'a str, folded: &'a str, letters: u64, is_skeletal: bool) -> Self {
        let heard = if is_skeletal {
            Pattern::new(bare(folded))
        } else {
            Pattern::new(folded.bytes())
        };
        Self {
            word,
            folded,
            letters,
            raw: Pattern::new(word.bytes()),
            heard,
            is_skeletal,
        }
    }

    /// How many slips lie between the words; none when they are too many for their length.
    pub(super) fn apart(&self, word: &str, folded: &str, letters: u64) -> Option<f32> {
        if self.is_skeletal {
            return self.apart_without_vowels(folded);
        }
        let allowed = allowed(self.word.len().min(word.len()));
        let differing = (self.letters ^ letters).count_ones();
        if self.folded == folded && allowed > 0 {
            return Some(HEARD_SLIPS);
        }
        let longer = self.word.len().abs_diff(word.len());
        if differing > 2 * allowed + 4 || longer > usize::try_from(allowed + 2).unwrap_or(0) {
            return None;
        }
        let raw = self.raw.distance(word.bytes());
        let heard = self.heard.distance(folded.bytes());
        let slips = if heard < raw {
            small(heard) + HEARD_SLIPS
        } else {
            small(raw)
        };
        (raw.min(heard) <= allowed).then_some(slips)
    }

    /// The consonants only; a word that is equal in them is a likely one, not a sure one.
    fn apart_without_vowels(&self, folded: &str) -> Option<f32> {
        let mine = bare(self.folded).count();
        let theirs = bare(folded).count();
        let distance = self.heard.distance(bare(folded));
        let allowed = allowed(mine.min(theirs));
        (mine > 0 && distance <= allowed).then(|| small(distance) + WITHOUT_VOWELS_SLIPS)
    }
}

/// Slips that a word of a length may have and still be the same word.
const fn allowed(length: usize) -> u32 {
    match length {
        0..=2 => 0,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    }
}

fn small(count: u32) -> f32 {
    f32::from(u16::try_from(count).unwrap_or(u16::MAX))
}

/// Spellings of one sound.
const HEARD_SLIPS: f32 = 0.3;
/// Equal but for vowels that one script does not write.
const WITHOUT_VOWELS_SLIPS: f32 = 0.7;
