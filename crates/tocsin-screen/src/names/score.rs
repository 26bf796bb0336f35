//! How much two names agree.

use super::forms::Family;
use super::native::native_score;
use super::slips::Side;
use super::words::Kind;
use super::{Name, Token, slice};

/// How much two names agree, and why no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// From 0 to 1; a match from [`super::REVIEW`] on.
    pub value: f32,
    /// How the names were compared.
    pub way: Way,
    /// Weight of the words that agree; a firm's own word weighs 1.
    pub agreeing: f32,
    /// Share of the spelling in which those words differ.
    pub misspelled: f32,
    /// Weight of the words that stand against others.
    pub contradicting: f32,
    /// Weight of the words that only one of the names has.
    pub left_out: f32,
    /// What their numbers say.
    pub numbers: Numbers,
    /// One is a firm, the other a body without gain.
    pub is_other_form: bool,
}

/// How two names were compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all: one of them says nothing.
    Not,
    /// Word by word, in Latin letters.
    Words,
    /// Character by character, as both are written.
    Native,
    /// One is the first letters of the other's words.
    Initials,
}

/// What the numbers in two names say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// The same, or none.
    Agree,
    /// One name has a number that the other lacks.
    LeftOut,
    /// They differ: two firms.
    Contradict,
}

/// Words of two names that agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Of the first name.
    pub left: String,
    /// Of the second name.
    pub right: String,
    /// Slips between them.
    pub slips: f32,
}

/// How much two names agree. The order of the two does not count.
#[must_use]
pub fn score(left: &Name, right: &Name) -> Score {
    compare(left, right, |_, _, _| {})
}

/// The words that agree, for a reader.
#[must_use]
pub fn pairs(left: &Name, right: &Name) -> Vec<Pair> {
    let mut pairs = Vec::new();
    compare(left, right, |left, right, slips| {
        pairs.push(Pair {
            left: left.to_owned(),
            right: right.to_owned(),
            slips,
        });
    });
    pairs
}

fn compare(left: &Name, right: &Name, mut on_pair: impl FnMut(&str, &str, f32)) -> Score {
    // One direction for both, so that equally good pairs are chosen alike.
    let (a, b) = if left.letters <= right.letters {
        (left, right)
    } else {
        (right, left)
    };
    let is_turned = !std::ptr::eq(a, left);
    if let Some(value) = native_score(a, b) {
        return Score {
            value,
            way: Way::Native,
            ..NOTHING
        };
    }
    if a.tokens.is_empty() || b.tokens.is_empty() {
        return NOTHING;
    }
    let mut matching = Matching {
        a,
        b,
        free_a: free(a),
        free_b: free(b),
        agreeing: 0.0,
        own_agrees: false,
        slips: 0.0,
        length: 0.0,
    };
    let mut told = |x: &str, y: &str, slips: f32| {
        if is_turned {
            on_pair(y, x, slips)
        } else {
            on_pair(x, y, slips)
        }
    };
    matching.equal(&mut told);
    matching.close(&mut told);
    matching.joined(&mut told);
    matching.initials(&mut told);
    let mut score = matching.finish();
    if score.value < ACRONYM && (is_acronym(a, b) || is_acronym(b, a)) {
        score.value = ACRONYM;
        score.way = Way::Initials;
    }
    score
}

/// The words still to be matched, as bits.
fn free(name: &Name) -> u32 {
    let is_number = |token: &Token| token.kind == Kind::Number;
    let mut bit = 1;
    let mut free = 0;
    for token in &name.tokens {
        if !is_number(token) {
            free |= bit;
        }
        bit <<= 1;
    }
    free
}

struct Matching<'a> {
    a: &'a Name,
    b: &'a Name,
    free_a: u32,
    free_b: u32,
    agreeing: f32,
    /// A word of the first name's own is among those that agree.
    own_agrees: bool,
    slips: f32,
    length: f32,
}

impl Matching<'_> {
    fn take(&mut self, at: Place, to: Place, slips: f32) {
        let weight = (at.weight + to.weight) / 2.0;
        self.free_a &= !at.bits;
        self.free_b &= !to.bits;
        self.agreeing += weight;
        self.own_agrees |= weight >= OWN_AGREES;
        self.slips += slips * weight;
        self.length += at.length.max(to.length) * weight;
    }

    /// The same words, or of the same meaning.
    fn equal(&mut self, told: &mut impl FnMut(&str, &str, f32)) {
        for (i, x) in places(self.a) {
            let word = self.a.word(x);
            let same = places(self.b).find(|(j, y)| {
                self.free_b & j.bits != 0 && x.letters == y.letters && self.b.word(y) == word
            });
            let same = same.or_else(|| {
                let is_known = x.means != 0 && x.kind != Kind::Number;
                places(self.b)
                    .find(|(j, y)| is_known && self.free_b & j.bits != 0 && x.means == y.means)
            });
            if let Some((j, y)) = same.filter(|_| self.free_a & i.bits != 0) {
                told(word, self.b.word(y), 0.0);
                self.take(i, j, 0.0);
            }
        }
    }

    /// Words that differ by slips of the pen or the ear: the closest first.
    fn close(&mut self, told: &mut impl FnMut(&str, &str, f32)) {
        let is_skeletal = self.a.is_without_vowels != self.b.is_without_vowels;
        for (i, x) in places(self.a) {
            if self.free_a & i.bits == 0 || !is_word(x) {
                continue;
            }
            let side = Side::of(self.a, x, is_skeletal);
            let mut best: Option<(f32, Place, &Token)> = None;
            for (j, y) in places(self.b) {
                if self.free_b & j.bits == 0 || !is_word(y) {
                    continue;
                }
                let slips = side.apart(self.b.word(y), self.b.folded(y), y.letters);
                if let Some(slips) = slips.filter(|s| best.is_none_or(|(least, ..)| *s < least)) {
                    best = Some((slips, j, y));
                }
            }
            if let Some((slips, j, y)) = best {
                told(self.a.word(x), self.b.word(y), slips);
                self.take(i, j, slips);
            }
        }
    }

    /// Words that one name runs together and the other keeps apart.
    fn joined(&mut self, told: &mut impl FnMut(&str, &str, f32)) {
        if self.free_a == 0 || self.free_b == 0 {
            return;
        }
        let (a, b) = (self.a, self.b);
        while let Some((run, one, slips)) = join(a, self.free_a, b, self.free_b) {
            told(
                slice(&a.letters, run.from, run.to),
                slice(&b.letters, one.from, one.to),
                slips,
            );
            self.take(run.place, one.place, slips);
        }
        while let Some((run, one, slips)) = join(b, self.free_b, a, self.free_a) {
            told(
                slice(&a.letters, one.from, one.to),
                slice(&b.letters, run.from, run.to),
                slips,
            );
            self.take(one.place, run.place, slips);
        }
    }

    /// Letters that stand for words.
    fn initials(&mut self, told: &mut impl FnMut(&str, &str, f32)) {
        let (a, b) = (self.a, self.b);
        if self.free_a == 0 || self.free_b == 0 {
            return;
        }
        // Letters alone are anybody's: one or two need an own word that agrees beside them, three
        // any word; then `US` is "United States".
        let has_own = self.own_agrees;
        let has_other = self.agreeing >= 0.5;
        let is_initial = |name: &Name, token: &Token| match name.word(token).len() {
            1 => has_own && token.kind == Kind::Initial,
            2 => has_own && (token.kind == Kind::Initial || is_word(token)),
            3 => has_other && (token.kind == Kind::Initial || is_word(token)),
            _ => false,
        };
        for (i, x) in places(a).filter(|(_, x)| is_initial(a, x)) {
            if self.free_a & i.bits != 0
                && let Some(whole) = stands_for(a.word(x), b, self.free_b)
            {
                told(a.word(x), "", INITIAL_SLIPS);
                self.take(i, whole, INITIAL_SLIPS);
            }
        }
        for (j, y) in places(b).filter(|(_, y)| is_initial(b, y)) {
            if self.free_b & j.bits != 0
                && let Some(whole) = stands_for(b.word(y), a, self.free_a)
            {
                told("", b.word(y), INITIAL_SLIPS);
                self.take(whole, j, INITIAL_SLIPS);
            }
        }
    }

    fn finish(self) -> Score {
        let (a, b) = (self.a, self.b);
        let (only_a, only_b) = (weight(a, self.free_a), weight(b, self.free_b));
        let contradicting = only_a.min(only_b);
        // A word said twice is no other word.
        let repeated = repeated(a, self.free_a) + repeated(b, self.free_b);
        let left_out = ((only_a - only_b).abs() - repeated).max(0.0);
        let misspelled = if self.length > 0.0 {
            self.slips / self.length
        } else {
            0.0
        };
        let numbers = numbers(a, b);
        let is_firm = a.is_firm() || b.is_firm();
        let harm = if is_firm || self.agreeing < 1.5 {
            LEFT_OUT_OF_FIRM
        } else {
            LEFT_OUT
        };
        let is_other_form = matches!(
            (a.family, b.family),
            (Some(Family::Firm), Some(Family::Body)) | (Some(Family::Body), Some(Family::Firm))
        );
        let mut value = (1.0 - MISSPELLED * misspelled).max(0.0);
        value *= 1.0 - (CONTRADICTING * contradicting).min(0.8);
        value *= 1.0 - harm * left_out / (self.agreeing + left_out).max(0.01);
        value *= match numbers {
            Numbers::Agree => 1.0,
            Numbers::LeftOut => 0.72,
            Numbers::Contradict => 0.4,
        };
        if is_other_form {
            value *= OTHER_FORM;
        }
        if self.agreeing <= 0.0 && !is_number_alone(a, b) {
            value = 0.0;
        }
        Score {
            value,
            way: Way::Words,
            agreeing: self.agreeing,
            misspelled,
            contradicting,
            left_out,
            numbers,
            is_other_form,
        }
    }
}

impl Name {
    fn is_firm(&self) -> bool {
        self.family.is_some() || self.tokens.iter().any(|t| t.kind == Kind::Hollow)
    }
}

/// A word or a run of words of a name: which, how long, and how much it weighs.
#[derive(Clone, Copy)]
struct Place {
    bits: u32,
    length: f32,
    weight: f32,
}

fn places(name: &Name) -> impl Iterator<Item = (Place, &Token)> {
    let mut bits = 1;
    name.tokens.iter().map(move |token| {
        let place = Place {
            bits,
            length: f32::from(token.to - token.from),
            weight: token.weight(),
        };
        bits <<= 1;
        (place, token)
    })
}

impl Token {
    fn weight(&self) -> f32 {
        f32::from(self.kind.weight()) / 100.0
    }
}

fn weight(name: &Name, free: u32) -> f32 {
    places(name)
        .filter(|(p, _)| free & p.bits != 0)
        .map(|(p, _)| p.weight)
        .sum()
}

/// What words weigh that stand in the name before.
fn repeated(name: &Name, free: u32) -> f32 {
    let is_repeated = |token: &Token| {
        let mut before = name.tokens.iter().take_while(|t| t.from < token.from);
        before.any(|t| t.letters == token.letters && name.word(t) == name.word(token))
    };
    let free = places(name).filter(|(p, _)| free & p.bits != 0);
    free.filter(|(_, token)| is_repeated(token))
        .map(|(p, _)| p.weight)
        .sum()
}

/// Whether slips are looked for in a word at all.
fn is_word(token: &Token) -> bool {
    match token.kind {
        Kind::Own | Kind::Common | Kind::Hollow => true,
        Kind::Particle | Kind::Initial | Kind::Number => false,
    }
}

/// Words side by side in one name.
struct Run {
    place: Place,
    from: u16,
    to: u16,
}

/// The first run of free words of `a` that is one free word of `b`.
fn join(a: &Name, free_a: u32, b: &Name, free_b: u32) -> Option<(Run, Run, f32)> {
    for (at, first) in a.tokens.iter().enumerate() {
        let mut bits = 1_u32 << at;
        if free_a & bits == 0 || first.kind == Kind::Number {
            continue;
        }
        let mut last = first;
        let mut weight = first.weight();
        for (next_at, next) in a
            .tokens
            .iter()
            .enumerate()
            .skip(at + 1)
            .take(MAX_JOINED - 1)
        {
            let is_next = next.from == last.to && next.folded_from == last.folded_to;
            if !is_next || free_a & (1 << next_at) == 0 || next.kind == Kind::Number {
                break;
            }
            bits |= 1 << next_at;
            weight = weight.max(next.weight());
            last = next;
            let word = slice(&a.letters, first.from, last.to);
            let folded = slice(&a.folded, first.folded_from, last.folded_to);
            let mut side = None;
            for (j, y) in places(b).filter(|(j, y)| free_b & j.bits != 0 && is_word(y)) {
                let other = b.word(y);
                if word.len().abs_diff(other.len()) > 2 || word.len() < 4 {
                    continue;
                }
                let letters = super::letters(word);
                let side = side.get_or_insert_with(|| Side::new(word, folded, letters, false));
                let slips = if word == other {
                    Some(0.0)
                } else {
                    side.apart(other, b.folded(y), y.letters)
                };
                if let Some(slips) = slips {
                    let length = f32::from(last.to - first.from);
                    let place = Place {
                        bits,
                        length,
                        weight: weight.max(j.weight),
                    };
                    let one = Place {
                        weight: weight.max(j.weight),
                        ..j
                    };
                    return Some((
                        Run {
                            place,
                            from: first.from,
                            to: last.to,
                        },
                        Run {
                            place: one,
                            from: y.from,
                            to: y.to,
                        },
                        slips,
                    ));
                }
            }
        }
    }
    None
}

/// The free words of a name, side by side, that begin with these letters.
fn stands_for(initials: &str, name: &Name, free: u32) -> Option<Place> {
    let count = initials.len();
    let all: Vec<_> = places(name).collect();
    let run = all.windows(count).find(|run| {
        run.iter()
            .zip(initials.bytes())
            .all(|((place, token), initial)| {
                let is_free = free & place.bits != 0 && is_word(token);
                is_free && name.word(token).bytes().next() == Some(initial)
            })
    })?;
    let mut whole = Place {
        bits: 0,
        length: 0.0,
        weight: 0.0,
    };
    for (place, _) in run {
        whole.bits |= place.bits;
        whole.length += place.length;
        whole.weight += place.weight;
    }
    Some(whole)
}

/// Whether the first name is one word of the first letters of the second's words.
fn is_acronym(short: &Name, long: &Name) -> bool {
    let mut words = short.tokens.iter().filter(|t| t.kind != Kind::Hollow);
    let (Some(word), None) = (words.next(), words.next()) else {
        return false;
    };
    let word = short.word(word);
    if word.len() < MIN_ACRONYM || word.len() > long.tokens.len() {
        return false;
    }
    let firsts = |with_particles: bool| {
        long.tokens
            .iter()
            .filter(move |t| with_particles || t.kind != Kind::Particle)
            .filter_map(|t| long.word(t).bytes().next())
    };
    firsts(false).eq(word.bytes()) || firsts(true).eq(word.bytes())
}

/// What the numbers of two names say.
pub(super) fn numbers(a: &Name, b: &Name) -> Numbers {
    let of = |name: &Name| {
        name.tokens
            .iter()
            .filter(|t| t.kind == Kind::Number)
            .count()
    };
    let (count_a, count_b) = (of(a), of(b));
    if count_a == 0 && count_b == 0 {
        return Numbers::Agree;
    }
    let lacking = |from: &Name, other: &Name| {
        let is_number = |t: &&Token| t.kind == Kind::Number;
        from.tokens
            .iter()
            .filter(is_number)
            .filter(|t| {
                !other
                    .tokens
                    .iter()
                    .filter(is_number)
                    .any(|o| o.means == t.means)
            })
            .count()
    };
    match (lacking(a, b), lacking(b, a)) {
        (0, 0) => Numbers::Agree,
        (0, _) | (_, 0) => Numbers::LeftOut,
        _ => Numbers::Contradict,
    }
}

/// Names of nothing but numbers agree by them.
fn is_number_alone(a: &Name, b: &Name) -> bool {
    let all = |name: &Name| name.tokens.iter().all(|t| t.kind == Kind::Number);
    all(a) && all(b) && numbers(a, b) == Numbers::Agree
}

const NOTHING: Score = Score {
    value: 0.0,
    way: Way::Not,
    agreeing: 0.0,
    misspelled: 0.0,
    contradicting: 0.0,
    left_out: 0.0,
    numbers: Numbers::Agree,
    is_other_form: false,
};

/// What a slip in every letter takes off, and more than half of them all.
const MISSPELLED: f32 = 1.4;
/// What an own word that stands against another takes off.
const CONTRADICTING: f32 = 0.8;
/// What it takes off when one name has nothing but what the other leaves out: of a firm's name,
/// where each word tells one firm of a house from another, and where a single word agrees;
const LEFT_OUT_OF_FIRM: f32 = 0.62;
/// of other names, where people leave names out.
const LEFT_OUT: f32 = 0.5;
/// A firm is not the association of its name.
const OTHER_FORM: f32 = 0.65;
/// Weight of a pair of which at least one is an own word.
const OWN_AGREES: f32 = 0.75;
/// A letter for a word.
const INITIAL_SLIPS: f32 = 0.5;
/// An acronym is a match, and no more. Shorter ones are borne by too many.
const ACRONYM: f32 = 0.72;
const MIN_ACRONYM: usize = 4;
/// Words that are tried as one.
const MAX_JOINED: usize = 3;
