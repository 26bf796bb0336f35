//! Names of parties: prepared once, compared in a microsecond, found without comparing all.
//!
//! A name is read into Latin letters, its legal form is set aside, and each word counts by how much
//! it says. Words may stand in any order, run together or apart. A word left out costs little, a
//! word that contradicts another costs much; numbers must agree. What comes out only suggests:
//! names alone never hold goods. Nationality and ethnicity are no inputs.

mod fold;
mod forms;
mod keys;
mod native;
mod roman;
mod score;
mod slips;
mod words;

pub use keys::{Key, MAX_KEYS, keys};
pub use score::{Numbers, Pair, Score, Way, pairs, score};

use fold::{fold, is_vowel, letters};
use forms::Family;
use words::Kind;

/// What compares as it does: changes with every change of a score or key.
pub const VERSION: &str = "names-1";

/// A score from here on is a match of names: [`Score::value`]. Shipped, one for all uses.
pub const REVIEW: f32 = 0.70;

/// A name, prepared for comparing.
///
/// Reading another into it keeps its memory.
#[derive(Clone, Debug, Default)]
pub struct Name {
    /// The words in Latin letters, one after the other.
    letters: String,
    /// The same words, folded.
    folded: String,
    tokens: Vec<Token>,
    /// Han characters and Hangul as written, without legal forms.
    native: Vec<char>,
    family: Option<Family>,
    /// In a script that leaves vowels out.
    is_without_vowels: bool,
    /// For reading the next name.
    roman: String,
}

/// One word.
#[derive(Clone, Copy, Debug)]
struct Token {
    from: u16,
    to: u16,
    folded_from: u16,
    folded_to: u16,
    kind: Kind,
    /// The number, for numbers; the meaning's hash, for known words; else 0.
    means: u32,
    /// Which letters it has.
    letters: u64,
}

impl Name {
    /// Prepares a name.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut name = Self::default();
        name.read(text);
        name.roman = String::new();
        name.letters.shrink_to_fit();
        name.folded.shrink_to_fit();
        name.tokens.shrink_to_fit();
        name
    }

    /// Prepares another name in the memory of this one. What stands behind [`MAX_NAME_BYTES`] is
    /// not read.
    pub fn read(&mut self, text: &str) {
        let text = text
            .get(..text.floor_char_boundary(MAX_NAME_BYTES))
            .unwrap_or_default();
        self.letters.clear();
        self.folded.clear();
        self.tokens.clear();
        self.native.clear();
        self.family = None;
        self.is_without_vowels = false;
        if !text.is_ascii() {
            self.is_without_vowels = text.chars().any(roman::is_without_vowels);
            roman::native(text, &mut self.native);
        }
        let mut spelled = std::mem::take(&mut self.roman);
        spelled.clear();
        roman::romanise(text, &mut spelled);
        self.split(&spelled);
        self.roman = spelled;
        self.strip_forms();
        self.classify();
    }

    /// Whether nothing in it can be compared.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.native.is_empty()
    }

    /// The words that are compared, in Latin letters.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().map(|token| self.word(token))
    }

    /// Bytes it takes beyond its own size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.letters.capacity()
            + self.folded.capacity()
            + self.tokens.capacity() * size_of::<Token>()
            + self.native.capacity() * size_of::<char>()
            + self.roman.capacity()
    }

    /// Cuts into words: at what is no letter or digit, and where a capital follows a small letter.
    /// Points and apostrophes within a word join: `S.A.` is `sa`.
    fn split(&mut self, spelled: &str) {
        let mut start = 0;
        let mut before = ' ';
        let mut letters_since_point = 0;
        for (at, c) in spelled
            .bytes()
            .enumerate()
            .map(|(at, b)| (at, char::from(b)))
        {
            if c.is_ascii_alphanumeric() {
                // `SiemensAG`, but not `GmbH`.
                let next = spelled.as_bytes().get(at + 1);
                let begins_word = c.is_ascii_uppercase() && before.is_ascii_lowercase();
                if begins_word && next.is_some_and(u8::is_ascii_alphabetic) {
                    self.end_word(&mut start);
                }
                self.letters.push(c.to_ascii_lowercase());
                letters_since_point += 1;
            } else if c == '.' || (c == '/' && letters_since_point == 1) {
                // Within `S.A.R.L.` and `A/S`, but not at the end of `Corp.`.
                let next = spelled.as_bytes().get(at + 1);
                let then = spelled.as_bytes().get(at + 2);
                let is_letter = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
                if !(letters_since_point == 1 && is_letter(next) && !is_letter(then)) {
                    self.end_word(&mut start);
                }
                letters_since_point = 0;
            } else if c == ' ' && letters_since_point == 1 && is_lone_letter(spelled, at) {
                // `B R C` is `BRC`.
                letters_since_point = 0;
            } else if !matches!(c, '\'' | '`') {
                self.end_word(&mut start);
                letters_since_point = 0;
                if c == '&' {
                    self.letters.push_str("and");
                    self.end_word(&mut start);
                }
            }
            before = c;
        }
        self.end_word(&mut start);
    }

    fn end_word(&mut self, start: &mut usize) {
        let (from, to) = (*start, self.letters.len());
        if from == to || self.tokens.len() == MAX_WORDS {
            self.letters.truncate(from);
            return;
        }
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        self.tokens.push(Token {
            from: place(from),
            to: place(to),
            folded_from: 0,
            folded_to: 0,
            kind: Kind::Own,
            means: 0,
            letters: 0,
        });
        *start = to;
    }

    /// Takes legal forms out, wherever they stand, again and again: `Co., Ltd.` at the end leaves
    /// the end to what stood before. A name that is nothing but forms keeps its words.
    fn strip_forms(&mut self) {
        let mut at = 0;
        let whole = self.tokens.clone();
        while at < self.tokens.len() {
            let letters = &self.letters;
            let rest = self.tokens.get(at..).unwrap_or_default();
            let words = rest
                .iter()
                .map(|token| slice(letters, token.from, token.to));
            let is_end = |count: usize| at == 0 || count == rest.len();
            match forms::form_at(words, is_end) {
                Some((count, family)) if count < self.tokens.len() => {
                    self.tokens.drain(at..at + count);
                    self.family = self.family.max(Some(family));
                    at = 0;
                }
                Some(_) | None => at += 1,
            }
        }
        if self.tokens.is_empty() {
            self.tokens = whole;
        }
    }

    /// Says of each word what it is, and folds it.
    fn classify(&mut self) {
        let count = self.tokens.len();
        let mut tokens = std::mem::take(&mut self.tokens);
        for (at, token) in tokens.iter_mut().enumerate() {
            self.classify_word(token, at + 1 == count && count > 1);
        }
        // "Forty 4" is 44.
        for at in 1..tokens.len() {
            if let Some([tens, units]) = tokens.get_mut(at - 1..=at)
                && tens.kind == Kind::Number
                && units.kind == Kind::Number
                && slice(&self.letters, tens.from, tens.to).ends_with("ty")
                && (1..10).contains(&units.means)
            {
                units.means += tens.means;
                tens.means = units.means;
            }
        }
        self.tokens = tokens;
    }

    fn classify_word(&mut self, token: &mut Token, is_last: bool) {
        self.mend_digits(token);
        let word = slice(&self.letters, token.from, token.to);
        (token.kind, token.means) = kind_of(word, is_last);
        token.letters = letters(word);
        let place = |at: usize| u16::try_from(at).unwrap_or(u16::MAX);
        token.folded_from = place(self.folded.len());
        fold(word, &mut self.folded);
        token.folded_to = place(self.folded.len());
    }

    /// Digits within a word that stand for the letters they look like: `sech1n`.
    fn mend_digits(&mut self, token: &Token) {
        let word = slice(&self.letters, token.from, token.to);
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_within = word.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && word
                .bytes()
                .next_back()
                .is_some_and(|b| b.is_ascii_alphabetic());
        if digits == 0 || !is_within || digits * 3 > word.len() {
            return;
        }
        let mended: String = word
            .chars()
            .map(|c| match c {
                '0' => 'o',
                '1' => 'i',
                '3' => 'e',
                '4' => 'a',
                '5' => 's',
                '7' => 't',
                other => other,
            })
            .collect();
        let range = usize::from(token.from)..usize::from(token.to);
        self.letters.replace_range(range, &mended);
    }

    fn word(&self, token: &Token) -> &str {
        slice(&self.letters, token.from, token.to)
    }

    fn folded(&self, token: &Token) -> &str {
        slice(&self.folded, token.folded_from, token.folded_to)
    }
}

/// Whether one letter stands alone behind a place.
fn is_lone_letter(spelled: &str, at: usize) -> bool {
    let behind = spelled.as_bytes().get(at + 1..).unwrap_or_default();
    let is_end = |b: Option<&u8>| b.is_none_or(|b| matches!(b, b' ' | b','));
    behind.first().is_some_and(u8::is_ascii_uppercase) && is_end(behind.get(1))
}

fn slice(text: &str, from: u16, to: u16) -> &str {
    text.get(usize::from(from)..usize::from(to))
        .unwrap_or_default()
}

/// How a word counts, and what it means: its number, or the hash of its meaning.
fn kind_of(word: &str, is_last: bool) -> (Kind, u32) {
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    if has_digit {
        let ordinal = ["st", "nd", "rd", "th"]
            .into_iter()
            .find_map(|end| word.strip_suffix(end));
        let digits = ordinal.unwrap_or(word);
        return match digits.parse() {
            Ok(value) => (Kind::Number, value),
            Err(_) => (Kind::Number, hash(word) | 1 << 31),
        };
    }
    if let Some(value) = words::number(word, is_last) {
        return (Kind::Number, value);
    }
    if let Some((kind, means)) = words::known(word) {
        return (kind, hash(means));
    }
    let is_initial = word.len() == 1 || (word.len() == 2 && !word.bytes().any(is_vowel));
    if is_initial {
        (Kind::Initial, 0)
    } else {
        (Kind::Own, 0)
    }
}

/// FNV-1a: the same on every machine.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811C_9DC5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Bytes of a name that are read.
pub const MAX_NAME_BYTES: usize = 512;
/// Words of a name that are compared.
pub const MAX_WORDS: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn value(left: &str, right: &str) -> f32 {
        score(&Name::new(left), &Name::new(right)).value
    }

    fn assert_matches(pairs: &[(&str, &str)]) {
        for (left, right) in pairs {
            let value = value(left, right);
            assert!(value >= REVIEW, "{left} and {right}: {value}");
        }
    }

    fn assert_differ(pairs: &[(&str, &str)]) {
        for (left, right) in pairs {
            let value = value(left, right);
            assert!(value < REVIEW, "{left} and {right}: {value}");
        }
    }

    #[test]
    fn legal_forms_of_any_language_do_not_count() {
        for (left, right) in [
            ("Acme Ltd", "ACME GmbH & Co. KG"),
            ("株式会社トヨタ", "Toyota Kabushiki Kaisha"),
            ("주식회사 무지개", "무지개(주)"),
            ("上海电子有限公司", "上海电子股份有限公司"),
            ("ООО Ромашка", "Romashka, OOO"),
            ("Ελπίδα Α.Ε.", "Elpida S.A."),
            ("P.T. Astra", "PT Astra"),
            ("Siemens Aktiengesellschaft", "SiemensAG"),
        ] {
            let value = value(left, right);
            assert!(value > 0.9, "{left} and {right}: {value}");
        }
        assert_differ(&[("Alpha Ltd", "Omega Ltd"), ("EMMA LLC", "Emma Daniels LLC")]);
    }

    #[test]
    fn words_stand_in_any_order_run_together_or_apart() {
        assert_matches(&[
            ("Aziz Trading Karachi", "Karachi Aziz Trading"),
            ("Goodwill Company", "Good Will Company"),
            ("Jan Daniel Bothma", "JanDaniel Bothma"),
            ("A.B.C. Company", "ABC Co."),
            ("B R C Polymers", "BRC Polymers"),
        ]);
    }

    #[test]
    fn numbers_must_agree_however_they_are_written() {
        assert_matches(&[
            ("Brigade Forty 4", "Brigade 44"),
            ("Fund III Omega", "Omega Fund 3"),
        ]);
        assert_differ(&[
            ("Omega Fund III", "Omega Fund IV"),
            ("Plant 12 Novosibirsk", "Plant 21 Novosibirsk"),
            ("Omega Trust 2006-AHL1", "Omega Trust 2006-AHL2"),
        ]);
        let one = score(
            &Name::new("Factory 7 Red Star"),
            &Name::new("Factory Red Star"),
        );
        assert_eq!(one.numbers, Numbers::LeftOut);
    }

    #[test]
    fn a_word_that_contradicts_weighs_more_than_one_left_out() {
        let left_out = value("Sergey Viktorovich Lavrov", "Sergey Lavrov");
        let contradicting = value("Sergey Viktorovich Lavrov", "Sergey Borisovich Lavrov");
        assert!(left_out >= REVIEW && contradicting < REVIEW);
    }

    #[test]
    fn short_words_and_initials_match_cautiously() {
        assert_differ(&[
            ("Li Wu", "Lu Wu"),
            ("BD plc", "BP plc"),
            ("A A Trading", "Al-Arabi Trading"),
        ]);
        assert_matches(&[("J.-C. Juncker", "Jean-Claude Juncker")]);
    }

    #[test]
    fn one_name_in_two_scripts_agrees() {
        assert_matches(&[
            ("Владимир Петров", "Vladimir Petrov"),
            ("习近平", "Xi Jinping"),
            ("バラク・オバマ", "Barack Obama"),
            ("Νικόλαος Παππάς", "Nikolaos Pappas"),
            ("ბარაკ ობამა", "Barack Obama"),
            ("محمد علي", "Mohamed Ali"),
        ]);
    }

    #[test]
    fn in_one_east_asian_script_another_character_is_another_name() {
        assert_differ(&[("习近朋", "习近平"), ("이재형", "이재명")]);
        assert_matches(&[("中國石油", "中国石油")]);
    }

    #[test]
    fn names_that_say_nothing_match_nothing() {
        for text in ["", " ", "\u{202E}", "---", "\0"] {
            assert_eq!(value(text, text), 0.0, "{text:?}");
            assert!(Name::new(text).is_empty());
        }
    }

    #[test]
    fn a_reader_sees_which_words_agree() {
        let pairs = pairs(
            &Name::new("Samsong Electronics"),
            &Name::new("Electronics Samsung"),
        );
        let said: Vec<_> = pairs.iter().map(|p| (&*p.left, &*p.right)).collect();
        assert_eq!(
            said,
            [("electronics", "electronics"), ("samsong", "samsung")]
        );
    }

    #[test]
    fn names_that_agree_share_a_key() {
        for (left, right) in [
            ("Samsong Electronics", "Samsung Electronics Co"),
            ("Alphanet Inc", "Alphabet Inc"),
            ("Bayou Steel", "Steel Bayou Ltd"),
            ("Gazprom", "Газпром"),
            ("Goodwill", "Good Will"),
        ] {
            let (mut one, mut other) = (Vec::new(), Vec::new());
            keys(&Name::new(left), &mut one);
            keys(&Name::new(right), &mut other);
            assert!(
                one.iter().any(|key| other.contains(key)),
                "{left} and {right}"
            );
        }
    }

    #[test]
    fn reading_into_a_used_name_is_reading_anew() {
        let mut name = Name::new("上海电子有限公司 No. 7");
        name.read("Acme Ltd");
        assert_eq!(name.words().collect::<Vec<_>>(), ["acme"]);
        assert_eq!(score(&name, &Name::new("ACME")).value, 1.0);
    }

    proptest! {
        #[test]
        fn any_two_texts_have_a_bounded_score_of_either_side(a in "\\PC{0,60}", b in "\\PC{0,60}") {
            let (a, b) = (Name::new(&a), Name::new(&b));
            let (there, back) = (score(&a, &b), score(&b, &a));
            prop_assert!((0.0..=1.0).contains(&there.value));
            prop_assert_eq!(there, back);
            let mut found = Vec::new();
            keys(&a, &mut found);
            prop_assert!(found.len() <= MAX_KEYS);
        }

        #[test]
        fn a_name_agrees_with_itself(words in proptest::collection::vec("[A-Za-z]{3,9}", 1..6)) {
            let name = words.join(" ");
            prop_assert!(value(&name, &name) >= 0.99);
        }
    }

    #[test]
    fn the_longest_name_takes_no_longer_than_its_bound_allows() {
        let long = "Ab ".repeat(400);
        let name = Name::new(&long);
        assert!(name.words().count() <= MAX_WORDS);
        assert!(score(&name, &name).value >= 0.99);
    }
}
