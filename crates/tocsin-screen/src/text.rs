//! Goods in words: how much what is declared sounds like what an order bars.
//!
//! A booster and a hint for review, never more. Words weigh by how rare they are among the texts at
//! hand; model numbers and numbers with units must agree; colours, sizes of people and words of
//! trade are read across languages and weigh little.

mod words;

use unicode_normalization::UnicodeNormalization as _;
use words::{is_silent, is_unit, meaning};

/// What compares as it does: changes with every change of a score.
pub const VERSION: &str = "text-1";

/// A score from here on is worth a look: [`Score::value`]. Shipped, one for all uses.
pub const REVIEW: f32 = 0.72;

/// A text, prepared for comparing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The words without gaps, in their order: a model number may be written with gaps.
    letters: String,
    /// In the order of their keys, each once.
    tokens: Vec<Token>,
}

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Token {
    key: u64,
    kind: Kind,
    /// For numbers with units, the unit; for models nothing.
    unit: u32,
    from: u16,
    to: u16,
}

/// What a word of a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// A model or part number: letters and digits, or many digits.
    Model,
    /// A number with its unit.
    Measure,
    /// A number alone.
    Number,
    /// Any word.
    Word,
    /// Colour, size, trade: many goods have it.
    Common,
    /// Says nothing.
    Silent,
}

impl Kind {
    const fn weight(self) -> f32 {
        match self {
            Self::Model => 1.5,
            Self::Measure => 0.8,
            Self::Number => 0.7,
            Self::Word => 1.0,
            Self::Common => 0.25,
            Self::Silent => 0.02,
        }
    }
}

/// How much two texts agree, and why no more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// From 0 to 1; worth a look from [`REVIEW`] on.
    pub value: f32,
    /// Share of the shorter text's weight that the longer one has.
    pub contained: f32,
    /// What the model numbers say.
    pub models: Agreement,
    /// What the numbers with units say.
    pub measures: Agreement,
    /// What the other numbers say.
    pub numbers: Agreement,
}

/// What one kind of fact in two texts says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// One of the texts has none.
    Silent,
    /// They have one in common.
    Agree,
    /// Both have some, none in common.
    Contradict,
}

/// How rare words are among many texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// In how many texts each word is, in the order of keys.
    counts: Vec<(u64, u32)>,
    texts: u32,
}

impl Text {
    /// Prepares a text. What stands behind [`MAX_TEXT_BYTES`] or [`MAX_WORDS`] is not read.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut read = Reader::default();
        let text = text
            .get(..text.floor_char_boundary(MAX_TEXT_BYTES))
            .unwrap_or_default();
        if text.is_ascii() {
            text.chars().for_each(|c| read.push(c.to_ascii_lowercase()));
        } else {
            text.nfkc()
                .flat_map(char::to_lowercase)
                .for_each(|c| read.push(c));
        }
        read.end_word();
        read.finish()
    }

    /// Keys of the words that tell goods apart: model numbers and words that are no common ones, at
    /// most [`MAX_KEYS`]. Texts that agree share one.
    pub fn keys(&self) -> impl Iterator<Item = u64> + '_ {
        let tells = |token: &&Token| matches!(token.kind, Kind::Model | Kind::Word);
        self.tokens
            .iter()
            .filter(tells)
            .map(|token| token.key)
            .take(MAX_KEYS)
    }

    /// Bytes it takes beyond its own size.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.letters.capacity() + self.tokens.capacity() * size_of::<Token>()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Token> + Clone {
        self.tokens.iter().filter(move |token| token.kind == kind)
    }

    fn spelled(&self, token: &Token) -> &str {
        let range = usize::from(token.from)..usize::from(token.to);
        self.letters.get(range).unwrap_or_default()
    }

    fn weight(&self, weights: &Weights) -> f32 {
        self.tokens.iter().map(|token| weights.of(token)).sum()
    }
}

impl Weights {
    /// Counts the words of texts.
    #[must_use]
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a Text>) -> Self {
        let mut keys = Vec::new();
        let mut count = 0_u32;
        for text in texts {
            keys.extend(text.tokens.iter().map(|token| token.key));
            count = count.saturating_add(1);
        }
        keys.sort_unstable();
        let counts = keys.chunk_by(|a, b| a == b).filter_map(|same| {
            Some((
                *same.first()?,
                u32::try_from(same.len()).unwrap_or(u32::MAX),
            ))
        });
        Self {
            counts: counts.collect(),
            texts: count,
        }
    }

    /// What a word weighs: the fewer texts have it, the more. Without texts all weigh alike.
    fn of(&self, token: &Token) -> f32 {
        let kind = token.kind.weight();
        if self.texts == 0 {
            return kind;
        }
        let found = self
            .counts
            .binary_search_by_key(&token.key, |(key, _)| *key);
        let count = found
            .ok()
            .and_then(|at| self.counts.get(at))
            .map_or(0, |(_, count)| *count);
        let rarity = log2(2 * self.texts) - log2(2 * count + 1);
        kind * (rarity * LN_2).max(0.3)
    }
}

/// Logarithm by straight lines between the powers of two: the same on every machine.
fn log2(value: u32) -> f32 {
    let whole = value.max(1).ilog2();
    let power = 1_u32 << whole;
    // A u16 is an f32 without loss: both are scaled down alike.
    let scale =
        |v: u32| f32::from(u16::try_from(v >> whole.saturating_sub(15)).unwrap_or(u16::MAX));
    f32::from(u16::try_from(whole).unwrap_or(u16::MAX)) + scale(value.max(1)) / scale(power) - 1.0
}

/// How much two texts agree; the order of the two does not count.
#[must_use]
pub fn score(left: &Text, right: &Text, weights: &Weights) -> Score {
    let (least, most) = {
        let (l, r) = (left.weight(weights), right.weight(weights));
        (l.min(r), l.max(r))
    };
    let mut common = common(left, right)
        .map(|token| weights.of(token))
        .sum::<f32>();
    let in_gaps = models_in_gaps(left, right, weights) + models_in_gaps(right, left, weights);
    common += in_gaps;
    let has_common_model = in_gaps > 0.0 || common_of(left, right, Kind::Model);
    let has = |text: &Text, kind| text.of(kind).next().is_some();
    let agreement = |agrees: bool, kind| {
        if agrees {
            Agreement::Agree
        } else if has(left, kind) && has(right, kind) {
            Agreement::Contradict
        } else {
            Agreement::Silent
        }
    };
    let models = agreement(has_common_model, Kind::Model);
    let numbers = agreement(common_of(left, right, Kind::Number), Kind::Number);
    let measures = measures(left, right);
    let contained = if least > 0.0 {
        (common / least).min(1.0)
    } else {
        0.0
    };
    // The geometric mean of what each has of the other, beside what the shorter has.
    let whole = contained * (least / most.max(f32::MIN_POSITIVE)).sqrt();
    let mut value = f32::midpoint(contained, whole);
    if measures == Agreement::Contradict {
        value *= OTHER_MEASURE;
    }
    match models {
        Agreement::Agree => value += (1.0 - value) * SAME_MODEL,
        Agreement::Contradict => value *= OTHER_MODEL,
        Agreement::Silent => {}
    }
    if numbers == Agreement::Contradict {
        value *= OTHER_NUMBER;
    }
    if common <= 0.0 {
        value = 0.0;
    }
    Score {
        value,
        contained,
        models,
        measures,
        numbers,
    }
}

/// The words of both.
fn common<'a>(left: &'a Text, right: &'a Text) -> impl Iterator<Item = &'a Token> {
    let mut theirs = right.tokens.iter().peekable();
    left.tokens.iter().filter(move |token| {
        while theirs.next_if(|other| other.key < token.key).is_some() {}
        theirs.peek().is_some_and(|other| other.key == token.key)
    })
}

fn common_of(left: &Text, right: &Text, kind: Kind) -> bool {
    common(left, right).any(|token| token.kind == kind)
}

/// The weight of model numbers of one text that stand in the other with gaps, or with a maker's
/// letters before them.
fn models_in_gaps(from: &Text, text: &Text, weights: &Weights) -> f32 {
    let is_said = |model: &&Token| {
        let is_whole = text.of(Kind::Model).any(|other| other.key == model.key);
        let spelled = from.spelled(model);
        !is_whole && spelled.len() >= MIN_MODEL_IN_GAPS && text.letters.contains(spelled)
    };
    from.of(Kind::Model)
        .filter(is_said)
        .map(|model| weights.of(model))
        .sum()
}

/// Whether some unit has other numbers in each text, and none the same.
fn measures(left: &Text, right: &Text) -> Agreement {
    let mut agreement = Agreement::Silent;
    for one in left.of(Kind::Measure) {
        let mut same_unit = right
            .of(Kind::Measure)
            .filter(|other| other.unit == one.unit);
        if same_unit.clone().next().is_none() {
            continue;
        }
        let ours = left.of(Kind::Measure).filter(|mine| mine.unit == one.unit);
        if same_unit.any(|other| ours.clone().any(|mine| mine.key == other.key)) {
            agreement = Agreement::Agree;
        } else {
            return Agreement::Contradict;
        }
    }
    agreement
}

/// Cuts a text into words.
#[derive(Default)]
struct Reader {
    text: Text,
    /// The word being read, with the marks within it.
    word: String,
    /// Behind the last word, if it was a number that may have its unit next.
    number: Option<(Token, String)>,
}

impl Reader {
    fn push(&mut self, c: char) {
        if is_unspaced(c) {
            self.push_unspaced(c);
        } else if c.is_alphanumeric() || (matches!(c, '-' | '.' | '/') && !self.word.is_empty()) {
            self.word.push(c);
        } else if !matches!(c, '\'' | '’') {
            self.end_word();
        }
        if self.word.len() > MAX_WORD_BYTES {
            self.end_word();
        }
    }

    /// In scripts without gaps each two letters side by side are a word.
    fn push_unspaced(&mut self, c: char) {
        let before = self.word.chars().next_back().filter(|b| is_unspaced(*b));
        if before.is_none() {
            self.end_word();
        }
        if let Some(before) = before {
            self.word.clear();
            self.word.push(before);
        }
        self.word.push(c);
        if before.is_some() {
            let (kind, key) = (Kind::Word, hash(&self.word));
            let two = std::mem::take(&mut self.word);
            self.add(&two, kind, key, 0);
        }
        self.word.clear();
        self.word.push(c);
    }

    /// Takes the word for what it is. A word with marks within it is one model number, or several
    /// words.
    fn end_word(&mut self) {
        let word = std::mem::take(&mut self.word);
        let whole = word.trim_end_matches(['-', '.', '/']);
        if whole.is_empty() || whole.chars().next_back().is_some_and(is_unspaced) {
            return;
        }
        if let Some((number, unit)) = measure(whole) {
            self.add_measure(number, unit);
        } else if is_decimal(whole) && whole.len() < MIN_LONG_NUMBER {
            self.add_number(whole);
        } else {
            self.add_parts(whole);
        }
        self.word = word;
        self.word.clear();
    }

    fn add_parts(&mut self, whole: &str) {
        let parts = || whole.split(['-', '.', '/']).filter(|part| !part.is_empty());
        let digits = whole.bytes().filter(u8::is_ascii_digit).count();
        let letters = whole.chars().filter(|c| c.is_alphabetic()).count();
        let is_model = digits > 0
            && digits + letters >= MIN_MODEL
            && (letters > 0 || digits >= MIN_LONG_NUMBER);
        if is_model {
            let joined: String = parts().collect();
            let key = hash(&joined);
            self.add(&joined, Kind::Model, key, 0);
            return;
        }
        for part in parts() {
            if part.bytes().all(|b| b.is_ascii_digit()) {
                self.add_number(part);
            } else {
                self.add_word(part);
            }
        }
    }

    fn add_word(&mut self, word: &str) {
        if let Some((token, number)) = self.number.take().filter(|_| is_unit(word)) {
            self.text.tokens.retain(|other| *other != token);
            self.add_measure(&number, word);
            return;
        }
        if is_silent(word) {
            self.add(word, Kind::Silent, hash(word), 0);
        } else if let Some(meaning) = meaning(word) {
            self.add(word, Kind::Common, hash(meaning), 0);
        } else if let Some(value) = words::roman(word) {
            self.add(word, Kind::Number, hash(value), 0);
        } else {
            let is_plural = word.len() > 4 && word.ends_with('s') && !word.ends_with("ss");
            let stem = if is_plural {
                word.strip_suffix('s').unwrap_or(word)
            } else {
                word
            };
            self.add(word, Kind::Word, hash(stem), 0);
        }
    }

    fn add_number(&mut self, number: &str) {
        let key = hash(plain(number));
        let token = self.add(number, Kind::Number, key, 0);
        self.number = token.map(|token| (token, number.to_owned()));
    }

    fn add_measure(&mut self, number: &str, unit: &str) {
        let of_unit = hash(unit);
        let key = hash(plain(number)) ^ of_unit.rotate_left(1);
        let short = u32::try_from(of_unit >> 32).unwrap_or_default();
        self.add(number, Kind::Measure, key, short);
        self.text.letters.push_str(unit);
    }

    fn add(&mut self, word: &str, kind: Kind, key: u64, unit: u32) -> Option<Token> {
        self.number = None;
        if self.text.tokens.len() >= MAX_WORDS {
            return None;
        }
        let from = u16::try_from(self.text.letters.len()).ok()?;
        let dotless = word.chars().filter(|c| *c != '.');
        self.text.letters.extend(dotless);
        let to = u16::try_from(self.text.letters.len()).ok()?;
        let token = Token {
            key,
            kind,
            unit,
            from,
            to,
        };
        self.text.tokens.push(token);
        Some(token)
    }

    fn finish(mut self) -> Text {
        self.text.tokens.sort_unstable();
        self.text.tokens.dedup_by_key(|token| token.key);
        self.text.tokens.shrink_to_fit();
        self.text.letters.shrink_to_fit();
        self.text
    }
}

/// A number and its unit in one word: `500gb`, `2.5-inch`.
fn measure(word: &str) -> Option<(&str, &str)> {
    let end = word.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = (word.get(..end)?, word.get(end..)?);
    let unit = unit.strip_prefix('-').unwrap_or(unit);
    (is_decimal(number) && is_unit(unit)).then_some((number, unit))
}

fn is_decimal(word: &str) -> bool {
    let mut parts = word.split('.');
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(is_digits)
        && parts.next().is_none_or(is_digits)
        && parts.next().is_none()
}

/// Without noughts that say nothing.
fn plain(number: &str) -> &str {
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    let short = number.trim_start_matches('0');
    if short.is_empty() { "0" } else { short }
}

/// Whether a letter is of a script that writes words without gaps.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0E7F}' | '\u{3005}' | '\u{3041}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

/// FNV-1a: the same on every machine.
fn hash(word: &str) -> u64 {
    word.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Bytes of a text that are read.
pub const MAX_TEXT_BYTES: usize = 4_096;
/// Words of a text that are compared.
pub const MAX_WORDS: usize = 256;
/// Keys of one text.
pub const MAX_KEYS: usize = 32;
const MAX_WORD_BYTES: usize = 64;
/// Letters and digits of a model number.
const MIN_MODEL: usize = 4;
/// Digits of a number that is a model number by itself.
const MIN_LONG_NUMBER: usize = 5;
/// Letters and digits of a model number that is looked for across gaps.
const MIN_MODEL_IN_GAPS: usize = 5;

/// How far a common model number takes what is left to certainty.
const SAME_MODEL: f32 = 0.5;
const OTHER_MODEL: f32 = 0.6;
const OTHER_MEASURE: f32 = 0.7;
const OTHER_NUMBER: f32 = 0.8;
const LN_2: f32 = std::f32::consts::LN_2;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(left: &str, right: &str) -> Score {
        score(&Text::new(left), &Text::new(right), &Weights::default())
    }

    #[test]
    fn a_model_number_agrees_however_it_is_written() {
        for (left, right) in [
            ("keyboard 920-000383", "logitech keyboard 920000383"),
            ("camera dsc-w120 silver", "sony dscw120 camera"),
            ("speakers mf8090aa004", "speakers 51mf8090aa004"),
            ("printer hp 11 x4500", "printer x 4500"),
        ] {
            assert_eq!(
                of(left, right).models,
                Agreement::Agree,
                "{left} and {right}"
            );
        }
        let other = of("sony camera dscw120", "sony camera dscw150");
        assert_eq!(other.models, Agreement::Contradict);
        assert!(other.value < REVIEW);
    }

    #[test]
    fn numbers_with_units_must_agree() {
        assert_eq!(of("drive 500gb", "drive 500 GB").measures, Agreement::Agree);
        assert_eq!(
            of("drive 500gb", "drive 320 gb").measures,
            Agreement::Contradict
        );
        assert_eq!(
            of("drive 500gb", "drive 7200 rpm").measures,
            Agreement::Silent
        );
        assert_eq!(
            of("disk 2.50-inch", "disk 2.5 inch").measures,
            Agreement::Agree
        );
    }

    #[test]
    fn colours_and_words_of_trade_are_read_across_languages_and_weigh_little() {
        let same = of(
            "Puma Popcat blanc bleu chaussures homme",
            "Puma Popcat bianco blu scarpe uomo",
        );
        assert!(same.value > 0.95, "{same:?}");
        let other = of("Nike Roshe noir chaussures", "Puma Popcat black shoes");
        assert!(other.value < 0.3, "{other:?}");
    }

    #[test]
    fn rare_words_weigh_more_than_common_ones() {
        let texts: Vec<_> = ["usb cable", "usb drive", "usb hub", "usb zyxtor"]
            .map(Text::new)
            .into();
        let weights = Weights::new(&texts);
        let rare = score(
            &Text::new("zyxtor cable"),
            &Text::new("zyxtor plug"),
            &weights,
        );
        let common = score(&Text::new("usb cable"), &Text::new("usb plug"), &weights);
        assert!(rare.value > common.value);
    }

    #[test]
    fn scripts_without_gaps_are_compared_by_two_letters() {
        assert!(of("無線掃除機", "無線掃除機 白").value > 0.9);
        assert!(of("無線掃除機", "電気自動車").value < 0.1);
    }

    #[test]
    fn texts_that_say_nothing_match_nothing() {
        for text in ["", " ", "---", "\u{202E}", "..."] {
            assert_eq!(of(text, text).value, 0.0, "{text:?}");
        }
    }

    #[test]
    fn the_logarithm_rises_and_meets_the_powers_of_two() {
        assert_eq!(log2(1), 0.0);
        assert_eq!(log2(1 << 20), 20.0);
        assert!((1..5_000).all(|v| log2(v) <= log2(v + 1)));
    }

    proptest! {
        #[test]
        fn any_two_texts_have_a_bounded_score_of_either_side(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            let (there, back) = (of(&a, &b), of(&b, &a));
            prop_assert!((0.0..=1.0).contains(&there.value));
            prop_assert!((there.value - back.value).abs() < 1e-4);
            prop_assert!(Text::new(&a).keys().count() <= MAX_KEYS);
        }
    }
}
