//! Keys under which a name is filed, so that names that agree are found without comparing all.

use super::Name;
use super::fold::skeleton;
use super::words::Kind;

/// A key; names that agree share one, names that do not seldom do.
pub type Key = u64;

/// Writes the keys of a name: of each word that says something, of each two of them, and of the
/// whole run together. Names of one or two such words are also filed under each with a consonant
/// left out, for a slip in the only word would hide them.
///
/// Clears `keys` first, and gives at most [`MAX_KEYS`], none twice. Names that score a match by
/// words share one in all but rare cases; the keys of pairs are the ones to go by where the key of
/// a word stands for too many.
pub fn keys(name: &Name, keys: &mut Vec<Key>) {
    keys.clear();
    let mut words = [0; MAX_KEYED_WORDS];
    let mut count = 0;
    let said = |kind: Kind| match kind {
        Kind::Own => true,
        Kind::Common | Kind::Hollow | Kind::Particle | Kind::Initial | Kind::Number => false,
    };
    let own = name.tokens.iter().filter(|t| said(t.kind)).count();
    for token in &name.tokens {
        let counts = said(token.kind) || (own < 2 && token.kind == Kind::Common);
        if let Some(place) = words.get_mut(count).filter(|_| counts) {
            *place = word_key(skeleton(name.folded(token)));
            count += 1;
        }
    }
    let words = words.get(..count).unwrap_or_default();
    keys.extend_from_slice(words);
    for (at, one) in words.iter().enumerate() {
        for other in words.iter().skip(at + 1) {
            keys.push(one.wrapping_add(*other).wrapping_mul(PAIR));
        }
    }
    for token in name.tokens.iter().filter(|t| said(t.kind) && own <= 2) {
        push_shortened(name.folded(token), keys);
    }
    push_whole(name, keys);
    push_native(name, keys);
    keys.sort_unstable();
    keys.dedup();
    keys.truncate(MAX_KEYS);
}

/// The word with one consonant left out, each in turn: two words one slip apart share one of them,
/// or one is the other's.
fn push_shortened(folded: &str, keys: &mut Vec<Key>) {
    let count = skeleton(folded).count();
    if !(3..=MAX_SHORTENED).contains(&count) {
        return;
    }
    for out in 1..count {
        let rest = skeleton(folded).enumerate().filter(|(at, _)| *at != out);
        keys.push(word_key(rest.map(|(_, byte)| byte)));
    }
    // A slip in the first sound.
    keys.push(word_key(skeleton(folded).skip(1)).wrapping_mul(REST));
}

/// All words but those that say nothing, run together; and their first letters.
fn push_whole(name: &Name, keys: &mut Vec<Key>) {
    let counts = |kind: Kind| match kind {
        Kind::Own | Kind::Common | Kind::Number | Kind::Initial => true,
        Kind::Hollow | Kind::Particle => false,
    };
    let parts = name.tokens.iter().filter(|t| counts(t.kind));
    let mut whole = name
        .tokens
        .iter()
        .flat_map(|t| skeleton(name.folded(t)))
        .filter(|b| !super::is_vowel(*b))
        .peekable();
    if whole.peek().is_some() {
        keys.push(word_key(whole).wrapping_mul(WHOLE));
    }
    let firsts = parts.filter_map(|t| name.word(t).bytes().next());
    if firsts.clone().count() >= MIN_ACRONYM {
        keys.push(word_key(firsts).wrapping_mul(ACRONYM));
    } else if let [one] = name.tokens.as_slice() {
        keys.push(word_key(name.word(one).bytes()).wrapping_mul(ACRONYM));
    }
}

/// Each two characters side by side, as written.
fn push_native(name: &Name, keys: &mut Vec<Key>) {
    for two in name.native.windows(2).take(MAX_NATIVE_KEYS) {
        let both = two
            .iter()
            .fold(0, |all: u64, c| all << 21 | u64::from(u32::from(*c)));
        keys.push(both.wrapping_mul(NATIVE));
    }
}

/// FNV-1a over the bytes, in 64 bits.
fn word_key(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Keys of one name.
pub const MAX_KEYS: usize = 64;
/// Words that keys are made of.
const MAX_KEYED_WORDS: usize = 6;
/// Consonants of a word that is also filed with one left out.
const MAX_SHORTENED: usize = 10;
const MAX_NATIVE_KEYS: usize = 16;
/// First letters that are filed as an acronym.
const MIN_ACRONYM: usize = 4;

/// Odd numbers that keep keys of different kinds apart.
const PAIR: u64 = 0x9E37_79B9_7F4A_7C15;
const WHOLE: u64 = 0xC2B2_AE3D_27D4_EB4F;
const REST: u64 = 0x1656_67B1_9E37_79F9;
const ACRONYM: u64 = 0x27D4_EB2F_1656_67C5;
const NATIVE: u64 = 0x85EB_CA77_C2B2_AE63;
