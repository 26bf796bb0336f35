//! Reads a TOML table field by field, so that every problem is found in one run, each with its
//! line, and an unknown key is an error with a suggestion.

use std::cell::RefCell;
use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::instant;
use crate::suggest::nearest;

/// What is wrong with a document, by line.
#[derive(Debug)]
pub(super) struct Problems<'s> {
    source: &'s str,
    found: RefCell<Vec<(usize, String)>>,
}

impl<'s> Problems<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self {
            source,
            found: RefCell::new(Vec::new()),
        }
    }

    /// Notes a problem at a byte offset of the source.
    pub(super) fn add(&self, offset: usize, text: String) {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line = before.matches('\n').count() + 1;
        self.found.borrow_mut().push((line, text));
    }

    /// All problems, in the order of their lines.
    pub(super) fn into_lines(self) -> Vec<String> {
        let mut found = self.found.into_inner();
        found.sort();
        found
            .into_iter()
            .map(|(line, text)| format!("line {line}: {text}"))
            .collect()
    }
}

/// A closed list of words that a field may hold.
pub(super) trait Word: Copy + 'static {
    const WORDS: &'static [Self];
    fn name(self) -> &'static str;
}

macro_rules! word {
    ($($name:ty),+ $(,)?) => {
        $(impl Word for $name {
            const WORDS: &'static [Self] = Self::ALL;
            fn name(self) -> &'static str {
                self.word()
            }
        })+
    };
}

word!(
    tocsin_core::handling::Tlp,
    tocsin_core::report::ReportKind,
    tocsin_core::indicator::IndicatorKind,
    tocsin_core::order::Instrument,
    tocsin_core::order::ScopeKind,
    tocsin_core::order::Phase,
    tocsin_core::party::PartyKind,
    tocsin_core::right::RightKind,
    tocsin_core::decision::DecisionKind,
    tocsin_core::product::ImporterScheme,
    tocsin_core::product::ImageHashKind,
    tocsin_core::product::TransportKind,
    tocsin_core::terms::CarveOutKind,
    tocsin_core::terms::Direction,
    tocsin_core::terms::Downstream,
    tocsin_core::terms::Relation,
);

/// The word that `text` names: case, and `-` or space for `_`, do not matter.
pub(super) fn parse_word<W: Word>(text: &str) -> Result<W, String> {
    let folded = text.trim().to_lowercase().replace(['-', ' '], "_");
    if let Some(word) = W::WORDS.iter().find(|w| w.name() == folded) {
        return Ok(*word);
    }
    let names = || W::WORDS.iter().map(|w| w.name());
    let all = names().collect::<Vec<_>>().join(", ");
    match nearest(text, names()) {
        Some(near) => Err(format!("unknown word `{text}`: did you mean `{near}`?")),
        None => Err(format!("unknown word `{text}`: it is one of {all}")),
    }
}

/// The fields of one table that are not read yet.
pub(super) struct Fields<'s, 'p> {
    left: Vec<(String, usize, Spanned<DeValue<'s>>)>,
    asked: Vec<&'static str>,
    path: String,
    offset: usize,
    problems: &'p Problems<'s>,
}

impl<'s, 'p> Fields<'s, 'p> {
    pub(super) fn new(table: Spanned<DeTable<'s>>, problems: &'p Problems<'s>) -> Self {
        let offset = table.span().start;
        Self::of(table.into_inner(), String::new(), offset, problems)
    }

    fn of(table: DeTable<'s>, path: String, offset: usize, problems: &'p Problems<'s>) -> Self {
        let left = table
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), key.span().start, value))
            .collect();
        Self {
            left,
            asked: Vec::new(),
            path,
            offset,
            problems,
        }
    }

    /// Notes a problem with the whole table.
    pub(super) fn problem(&self, text: &str) {
        self.problems
            .add(self.offset, format!("{}{text}", self.prefix()));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.left.iter().any(|(name, ..)| name == key)
    }

    /// Text that must be there and not be blank.
    pub(super) fn text(&mut self, key: &'static str) -> String {
        let text = self.text_or_empty(key);
        self.required(key, text.trim().is_empty());
        text
    }

    pub(super) fn text_or_empty(&mut self, key: &'static str) -> String {
        let Some(value) = self.take(key) else {
            return String::new();
        };
        let offset = value.span().start;
        let DeValue::String(text) = value.get_ref() else {
            return self.expected(offset, key, "text in quotes", value.get_ref());
        };
        text.trim().to_owned()
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Vec<String> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let offset = value.span().start;
        let DeValue::Array(items) = value.into_inner() else {
            self.problems.add(
                offset,
                format!("{}`{key}` is a list: [\"..\"]", self.prefix()),
            );
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            let at = item.span().start;
            let DeValue::String(text) = item.get_ref() else {
                texts.push(self.expected(at, key, "text in quotes", item.get_ref()));
                continue;
            };
            texts.push(text.trim().to_owned());
        }
        texts
    }

    /// A word of a closed list that must be there; `fallback` stands in after a problem.
    pub(super) fn word<W: Word>(&mut self, key: &'static str, fallback: W) -> W {
        if !self.has(key) {
            self.asked.push(key);
            let names: Vec<_> = W::WORDS.iter().map(|w| w.name()).collect();
            self.problem(&format!("`{key}` is missing: one of {}", names.join(", ")));
            return fallback;
        }
        self.word_or(key, fallback)
    }

    pub(super) fn word_or<W: Word>(&mut self, key: &'static str, default: W) -> W {
        let Some(value) = self.take(key) else {
            return default;
        };
        let offset = value.span().start;
        let DeValue::String(text) = value.get_ref() else {
            let _empty = self.expected(offset, key, "a word in quotes", value.get_ref());
            return default;
        };
        parse_word(text).unwrap_or_else(|why| {
            self.problems
                .add(offset, format!("{}`{key}`: {why}", self.prefix()));
            default
        })
    }

    /// A word of a closed list, or `none`; left out, it is none.
    pub(super) fn optional_word<W: Word>(&mut self, key: &'static str, none: &str) -> Option<W> {
        let is_none = |value: &DeValue<'_>| value.as_str().is_some_and(|text| text.trim() == none);
        let at = self
            .left
            .iter()
            .position(|(name, _, value)| name == key && is_none(value.get_ref()));
        if let Some(at) = at {
            self.left.swap_remove(at);
        }
        let first = W::WORDS.first().copied()?;
        let is_said = self.has(key);
        let word = self.word_or(key, first);
        is_said.then_some(word)
    }

    /// Words of a closed list, each once, in whichever order.
    pub(super) fn words<W: Word + Ord>(&mut self, key: &'static str) -> BTreeSet<W> {
        let offset = self.left.iter().find(|(name, ..)| name == key);
        let offset = offset.map_or(self.offset, |(_, offset, _)| *offset);
        let mut words = BTreeSet::new();
        for text in self.texts(key) {
            match parse_word(&text) {
                Ok(word) => {
                    words.insert(word);
                }
                Err(why) => {
                    self.problems
                        .add(offset, format!("{}`{key}`: {why}", self.prefix()));
                }
            }
        }
        words
    }

    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        let Some(value) = self.take(key) else {
            return false;
        };
        let offset = value.span().start;
        let DeValue::Boolean(flag) = value.get_ref() else {
            let _empty = self.expected(offset, key, "true or false", value.get_ref());
            return false;
        };
        *flag
    }

    pub(super) fn number(&mut self, key: &'static str) -> Option<u64> {
        let value = self.take(key)?;
        let offset = value.span().start;
        let number = match value.get_ref() {
            DeValue::Integer(digits) => u64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => None,
        };
        if number.is_none() {
            let _empty = self.expected(offset, key, "a whole number", value.get_ref());
        }
        number
    }

    pub(super) fn small(&mut self, key: &'static str) -> Option<u32> {
        let number = self.number(key)?;
        let small = u32::try_from(number).ok();
        if small.is_none() {
            self.problem(&format!("`{key}` is too large"));
        }
        small
    }

    /// An instant that must be there.
    pub(super) fn time(&mut self, key: &'static str) -> i64 {
        let absent = !self.has(key);
        let time = self.time_or_zero(key);
        self.required(key, absent);
        time
    }

    pub(super) fn time_or_zero(&mut self, key: &'static str) -> i64 {
        let Some(value) = self.take(key) else {
            return 0;
        };
        let offset = value.span().start;
        let text = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Datetime(instant) => instant.to_string(),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => String::new(),
        };
        instant::parse(&text).unwrap_or_else(|| {
            let form = "2026-11-22 (midnight UTC) or 2026-11-22T09:00:00+09:00";
            self.problems.add(
                offset,
                format!("{}`{key}` is a time: {form}", self.prefix()),
            );
            0
        })
    }

    /// A list of tables: `[[articles]]`, or `[{..}, {..}]`.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.take(key) else {
            return Vec::new();
        };
        let offset = value.span().start;
        let DeValue::Array(items) = value.into_inner() else {
            self.problems.add(
                offset,
                format!("{}`{key}` is a list: [[{key}]]", self.prefix()),
            );
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            let offset = item.span().start;
            if !item.get_ref().is_table() {
                let _empty = self.expected(offset, key, "a table", item.get_ref());
            } else if let DeValue::Table(table) = item.into_inner() {
                let path = format!("{}{key}[{}]", self.dotted(), at + 1);
                tables.push(Self::of(table, path, offset, self.problems));
            }
        }
        tables
    }

    /// One table, such as `serial = { .. }`.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Self> {
        let value = self.take(key)?;
        let offset = value.span().start;
        if !value.get_ref().is_table() {
            let _empty = self.expected(offset, key, "a table in braces", value.get_ref());
            return None;
        }
        let DeValue::Table(table) = value.into_inner() else {
            return None;
        };
        let path = format!("{}{key}", self.dotted());
        Some(Self::of(table, path, offset, self.problems))
    }

    /// Every key that nobody asked for is a mistake.
    pub(super) fn finish(self) {
        for (name, offset, _) in &self.left {
            let text = match nearest(name, self.asked.iter().copied()) {
                Some(near) => format!("unknown key `{name}`: did you mean `{near}`?"),
                None => format!("unknown key `{name}`: known are {}", self.asked.join(", ")),
            };
            self.problems
                .add(*offset, format!("{}{text}", self.prefix()));
        }
    }

    fn take(&mut self, key: &'static str) -> Option<Spanned<DeValue<'s>>> {
        self.asked.push(key);
        let at = self.left.iter().position(|(name, ..)| name == key)?;
        Some(self.left.swap_remove(at).2)
    }

    fn required(&self, key: &str, missing: bool) {
        if missing {
            self.problem(&format!("`{key}` is missing"));
        }
    }

    fn expected(&self, offset: usize, key: &str, what: &str, got: &DeValue<'_>) -> String {
        let got = got.type_str();
        self.problems.add(
            offset,
            format!("{}`{key}` is {what}, not {got}", self.prefix()),
        );
        String::new()
    }

    fn prefix(&self) -> String {
        if self.path.is_empty() {
            String::new()
        } else {
            format!("{}: ", self.path)
        }
    }

    fn dotted(&self) -> String {
        if self.path.is_empty() {
            String::new()
        } else {
            format!("{}.", self.path)
        }
    }
}
