//! Patterns of model numbers, as orders give them: "models LX1 to LX9 and all beginning with LZ".
//!
//! A pattern is characters, with `?` for any one, `*` for any number of any, `[ABX-Z]` for one of a
//! class, and `{100-299}` for a number of as many digits. There is nothing else: two officers must
//! see at once what a pattern bars. It is compared with the canonical form of a model number, in
//! time that grows with the product of the two lengths at most.

use super::checks;
use super::{MAX_MODEL_CHARS, SelectorError};

/// A pattern, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPattern {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    One(char),
    Any,
    Many,
    // Ascending, disjoint, never touching.
    Class(Vec<(char, char)>),
    Range { low: u64, high: u64, width: usize },
}

impl ModelPattern {
    /// Reads a pattern as its author wrote it.
    ///
    /// # Errors
    /// [`SelectorError::PatternFormat`] when it is none; [`SelectorError::PatternBroad`] with fewer
    /// than [`MIN_SIGNIFICANT`] characters of its own or more than [`MAX_OPEN`] open places.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(SelectorError::PatternFormat);
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            let part = match c {
                '?' => Part::Any,
                '*' => Part::Many,
                '[' => class(&until(&mut rest, ']')?)?,
                '{' => range(&until(&mut rest, '}')?)?,
                ']' | '}' => return Err(SelectorError::PatternFormat),
                other => {
                    literal.push(other);
                    continue;
                }
            };
            push_literal(&mut parts, &mut literal)?;
            // Two in a row say no more than one.
            if part != Part::Many || parts.last() != Some(&Part::Many) {
                parts.push(part);
            }
        }
        push_literal(&mut parts, &mut literal)?;
        let pattern = Self { parts };
        let length: usize = pattern.parts.iter().map(Part::width).sum();
        if pattern.parts.is_empty() || length > MAX_MODEL_CHARS {
            return Err(SelectorError::PatternFormat);
        }
        let open = pattern
            .parts
            .iter()
            .filter(|part| !matches!(part, Part::One(_)));
        if open.count() > MAX_OPEN || pattern.significant() < MIN_SIGNIFICANT {
            return Err(SelectorError::PatternBroad);
        }
        Ok(pattern)
    }

    /// Characters that it says itself, of the five from which a model number decides.
    #[must_use]
    pub fn significant(&self) -> usize {
        let own = self
            .parts
            .iter()
            .filter(|part| matches!(part, Part::One(_)));
        own.count()
    }

    /// What every model number that it matches begins with; may be empty.
    #[must_use]
    pub fn prefix(&self) -> String {
        let own = self.parts.iter().map_while(|part| match part {
            Part::One(c) => Some(*c),
            Part::Any | Part::Many | Part::Class(_) | Part::Range { .. } => None,
        });
        own.collect()
    }

    /// Whether a model number has this form; `canonical` as
    /// [`Selector::canonical`](super::Selector::canonical) makes it of a model.
    #[must_use]
    pub fn matches(&self, canonical: &str) -> bool {
        // Every part but `*` takes a fixed number of characters, so that only the last `*` can be
        // asked to take one more: no part is tried more often than there are characters.
        let (mut parts, mut rest) = (self.parts.as_slice(), canonical);
        let mut again: Option<(&[Part], &str)> = None;
        loop {
            let step = match parts.split_first() {
                Some((Part::Many, after)) => {
                    again = Some((after, rest));
                    Some((after, rest))
                }
                Some((part, after)) => part.take(rest).map(|rest| (after, rest)),
                None if rest.is_empty() => return true,
                None => None,
            };
            if let Some(step) = step {
                (parts, rest) = step;
                continue;
            }
            let Some((after, from)) = again else {
                return false;
            };
            let mut longer = from.chars();
            if longer.next().is_none() {
                return false;
            }
            again = Some((after, longer.as_str()));
            (parts, rest) = (after, longer.as_str());
        }
    }

    /// Whether all that `other` matches this matches too, as far as can be told part by part: where
    /// it says no they may still be one.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        // reach[i]: whether the parts of `other` looked at so far can be taken by our first i.
        let mut reach = vec![false; self.parts.len() + 1];
        let start = |reach: &mut Vec<bool>, first: bool| {
            let mut before = first;
            for (at, slot) in reach.iter_mut().enumerate() {
                if at > 0 {
                    let is_many = self.parts.get(at - 1) == Some(&Part::Many);
                    *slot |= before && is_many;
                } else {
                    *slot |= first;
                }
                before = *slot;
            }
        };
        start(&mut reach, true);
        for part in &other.parts {
            let mut next = vec![false; reach.len()];
            for (at, ours) in self.parts.iter().enumerate() {
                let before = reach.get(at).copied().unwrap_or(false);
                let stay = *ours == Part::Many && reach.get(at + 1).copied().unwrap_or(false);
                if let Some(slot) = next.get_mut(at + 1) {
                    *slot |= stay || (before && ours.covers(part));
                }
            }
            start(&mut next, false);
            reach = next;
        }
        reach.last().copied().unwrap_or(false)
    }
}

impl Part {
    /// Characters that it takes; `*` may take none.
    const fn width(&self) -> usize {
        match self {
            Self::One(_) | Self::Any | Self::Class(_) => 1,
            Self::Many => 0,
            Self::Range { width, .. } => *width,
        }
    }

    /// What is left of a text from which it takes its characters.
    fn take<'a>(&self, text: &'a str) -> Option<&'a str> {
        match self {
            Self::One(_) | Self::Any | Self::Class(_) => {
                let mut chars = text.chars();
                let c = chars.next()?;
                self.has(c).then_some(chars.as_str())
            }
            Self::Many => Some(text),
            Self::Range { low, high, width } => {
                let (digits, rest) = text.split_at_checked(*width)?;
                let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
                let number: u64 = digits.parse().ok().filter(|_| is_number)?;
                (*low..=*high).contains(&number).then_some(rest)
            }
        }
    }

    fn has(&self, c: char) -> bool {
        match self {
            Self::One(own) => *own == c,
            Self::Any | Self::Many => true,
            Self::Class(ranges) => ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)),
            Self::Range { .. } => false,
        }
    }

    /// Whether it takes whatever `other` takes.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Many, _) => true,
            (Self::Any, Self::One(_) | Self::Any | Self::Class(_)) => true,
            (Self::Class(_), Self::One(c)) => self.has(*c),
            (Self::Class(ours), Self::Class(theirs)) => theirs
                .iter()
                .all(|(from, to)| ours.iter().any(|(low, high)| low <= from && to <= high)),
            (
                Self::Range { low, high, width },
                Self::Range {
                    low: from,
                    high: to,
                    width: digits,
                },
            ) => width == digits && low <= from && to <= high,
            (Self::One(ours), Self::One(theirs)) => ours == theirs,
            (Self::One(ours), Self::Class(theirs)) => theirs.as_slice() == [(*ours, *ours)],
            (Self::One(_) | Self::Any | Self::Class(_) | Self::Range { .. }, _) => false,
        }
    }
}

/// In canonical form; parsing it gives the same pattern.
impl std::fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use std::fmt::Write as _;
        for part in &self.parts {
            match part {
                Part::One(c) => f.write_char(*c)?,
                Part::Any => f.write_char('?')?,
                Part::Many => f.write_char('*')?,
                Part::Class(ranges) => {
                    f.write_char('[')?;
                    for (low, high) in ranges {
                        f.write_char(*low)?;
                        if low != high {
                            write!(f, "-{high}")?;
                        }
                    }
                    f.write_char(']')?;
                }
                Part::Range { low, high, width } => {
                    write!(f, "{{{low:0width$}-{high:0width$}}}")?;
                }
            }
        }
        Ok(())
    }
}

/// As [`ModelPattern::significant`], of a canonical text.
pub(super) fn significant(canonical: &str) -> usize {
    ModelPattern::parse(canonical).map_or(0, |pattern| pattern.significant())
}

/// What stands before `end`, which must come.
fn until(rest: &mut std::str::Chars<'_>, end: char) -> Result<String, SelectorError> {
    let mut inner = String::new();
    for c in rest {
        if c == end {
            return Ok(inner);
        }
        inner.push(c);
    }
    Err(SelectorError::PatternFormat)
}

/// Characters as a model number has them: case, width and separators do not count.
fn push_literal(parts: &mut Vec<Part>, literal: &mut String) -> Result<(), SelectorError> {
    let canonical = checks::stripped(literal).ok_or(SelectorError::PatternFormat)?;
    // Full-width forms of the signs themselves.
    if canonical.contains(['?', '*', '[', ']', '{', '}']) {
        return Err(SelectorError::PatternFormat);
    }
    parts.extend(canonical.chars().map(Part::One));
    literal.clear();
    Ok(())
}

/// Letters and digits, and spans of either.
fn class(inner: &str) -> Result<Part, SelectorError> {
    let upper = inner.to_ascii_uppercase();
    let mut ranges = Vec::new();
    let mut chars = upper.chars().peekable();
    while let Some(low) = chars.next() {
        let mut high = low;
        if chars.next_if_eq(&'-').is_some() {
            high = chars.next().ok_or(SelectorError::PatternFormat)?;
        }
        let is_span = (low.is_ascii_digit() && high.is_ascii_digit())
            || (low.is_ascii_uppercase() && high.is_ascii_uppercase());
        if !is_span || low > high {
            return Err(SelectorError::PatternFormat);
        }
        ranges.push((low, high));
    }
    ranges.sort_unstable();
    let mut joined: Vec<(char, char)> = Vec::new();
    for (low, high) in ranges {
        match joined.last_mut() {
            Some((_, end)) if u32::from(low) <= u32::from(*end) + 1 => *end = high.max(*end),
            Some(_) | None => joined.push((low, high)),
        }
    }
    if joined.is_empty() {
        return Err(SelectorError::PatternFormat);
    }
    Ok(Part::Class(joined))
}

/// Two numbers of as many digits, the first not above the second.
fn range(inner: &str) -> Result<Part, SelectorError> {
    let numbers = inner.split_once('-').filter(|(low, high)| {
        (1..=MAX_RANGE_DIGITS).contains(&low.len())
            && low.len() == high.len()
            && low
                .bytes()
                .chain(high.bytes())
                .all(|byte| byte.is_ascii_digit())
    });
    let (low, high) = numbers.ok_or(SelectorError::PatternFormat)?;
    let width = low.len();
    match (low.parse(), high.parse()) {
        (Ok(low), Ok(high)) if low <= high => Ok(Part::Range { low, high, width }),
        (Ok(_) | Err(_), Ok(_) | Err(_)) => Err(SelectorError::PatternFormat),
    }
}

/// Bytes of a pattern as its author writes it.
pub const MAX_PATTERN_BYTES: usize = 512;
/// Open places of one pattern: more cannot be reviewed.
pub const MAX_OPEN: usize = 8;
/// Characters that a pattern must say itself.
pub const MIN_SIGNIFICANT: usize = 2;
/// Digits of a numeric range.
const MAX_RANGE_DIGITS: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pattern(text: &str) -> ModelPattern {
        ModelPattern::parse(text).unwrap()
    }

    #[test]
    fn each_form_matches_what_it_says_and_nothing_else() {
        for (text, yes, no) in [
            (
                "LX-1*",
                &["LX1", "LX100", "LX1AB"][..],
                &["LX2", "L", "ALX1"][..],
            ),
            ("lx?00", &["LX100", "LXA00"], &["LX00", "LX1000"]),
            (
                "LX[13-5a]0",
                &["LX10", "LX30", "LX40", "LXA0"],
                &["LX20", "LX60", "LXB0", "LX0"],
            ),
            (
                "LX{100-299}B",
                &["LX100B", "LX250B", "LX299B"],
                &["LX300B", "LX1000B", "LX99B"],
            ),
            (
                "LX{007-012}",
                &["LX007", "LX012"],
                &["LX7", "LX013", "LX0070"],
            ),
            (
                "*LX*00",
                &["LX00", "ALX100", "LX0000", "LXLX00"],
                &["LX0", "LX001"],
            ),
            ("GX*7*7", &["GX77", "GX7007", "GXA7B7"], &["GX7", "GX70"]),
        ] {
            let pattern = pattern(text);
            for model in yes {
                assert!(pattern.matches(model), "{text} {model}");
            }
            for model in no {
                assert!(!pattern.matches(model), "{text} {model}");
            }
        }
    }

    #[test]
    fn one_pattern_has_one_form() {
        for (text, canonical) in [
            ("lx-1 * *", "LX1*"),
            ("ＬＸ/1?", "LX1?"),
            ("LX[cab]", "LX[A-C]"),
            ("LX[5]", "LX[5]"),
            ("LX[12-46]", "LX[1-46]"),
            ("L.X.{01-09}", "LX{01-09}"),
        ] {
            assert_eq!(pattern(text).to_string(), canonical);
            assert_eq!(pattern(canonical).to_string(), canonical);
        }
        assert_eq!(pattern("LX-1*7").prefix(), "LX1");
        assert_eq!(pattern("*LX").prefix(), "");
        assert_eq!(pattern("LX1*7?").significant(), 4);
    }

    #[test]
    fn what_is_no_pattern_or_bars_too_much_is_refused() {
        let long = "A".repeat(65);
        for text in [
            "",
            " - ",
            "LX[",
            "LX]",
            "LX{1-}",
            "LX{2-1}",
            "LX{1-22}",
            "LX{a-b}",
            "LX[]",
            "LX[z-a]",
            "LX[A-9]",
            "LX[é]",
            "LX[A-]",
            "LX}",
            "LX\u{200B}1",
            "LX\u{0}",
            "LX＊1",
            &long,
            &"?".repeat(513),
        ] {
            assert_eq!(
                ModelPattern::parse(text),
                Err(SelectorError::PatternFormat),
                "{text:?}"
            );
        }
        for text in [
            "*",
            "?",
            "A*",
            "*1*",
            "[A-Z]{0-9}*",
            &format!("LX{}", "?*".repeat(5)),
        ] {
            assert_eq!(
                ModelPattern::parse(text),
                Err(SelectorError::PatternBroad),
                "{text}"
            );
        }
    }

    #[test]
    fn a_narrower_pattern_is_covered_by_a_wider_one() {
        for (wide, narrow) in [
            ("LX*", "LX1*"),
            ("LX*", "LX"),
            ("LX*", "LX{10-20}?"),
            ("LX?", "LX[AB]"),
            ("LX[A-F]", "LX[BD]"),
            ("LX{100-299}", "LX{150-160}"),
            ("*LX*", "ALX1*"),
            ("LX*", "LX*"),
            ("LX5", "LX[5]"),
            ("LX[5]", "LX5"),
        ] {
            assert!(pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
        }
        for (wide, narrow) in [
            ("LX1*", "LX*"),
            ("LX?", "LX*"),
            ("LX[AB]", "LX[A-C]"),
            ("LX{100-299}", "LX{100-300}"),
            ("LX{10-99}", "LX{010-099}"),
            ("LX", "LX1"),
        ] {
            assert!(!pattern(wide).covers(&pattern(narrow)), "{wide} {narrow}");
        }
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let bomb = pattern("AA*A*A*A*A*A*A*B");
        assert!(!bomb.matches(&"A".repeat(64)));
        assert!(!bomb.matches(&"A".repeat(100_000)));
    }

    proptest! {
        #[test]
        fn a_canonical_pattern_is_its_own(text in "[A-Ca-c0-3?*\\[\\]{}. -]{0,16}|\\PC{0,12}") {
            if let Ok(pattern) = ModelPattern::parse(&text) {
                prop_assert_eq!(ModelPattern::parse(&pattern.to_string()), Ok(pattern.clone()));
                prop_assert!(pattern.covers(&pattern));
            }
        }

        #[test]
        fn matching_agrees_with_trying_everything(
            text in "[AB]{2}[AB?*]{0,5}", model in "[AB]{0,8}",
        ) {
            fn tries(pattern: &[char], model: &[char]) -> bool {
                match (pattern, model) {
                    ([], []) => true,
                    (['*', rest @ ..], _) => {
                        (0..=model.len()).any(|taken| tries(rest, &model[taken..]))
                    }
                    (['?', rest @ ..], [_, model @ ..]) => tries(rest, model),
                    ([c, rest @ ..], [m, model @ ..]) => c == m && tries(rest, model),
                    ([_, ..], []) | ([], [_, ..]) => false,
                }
            }
            let chars: Vec<char> = text.chars().collect();
            let letters: Vec<char> = model.chars().collect();
            prop_assert_eq!(pattern(&text).matches(&model), tries(&chars, &letters));
        }

        #[test]
        fn what_is_covered_is_matched(
            wide in "[AB]{2}[AB?*]{0,4}", narrow in "[AB]{2}[AB?*]{0,4}", model in "[AB]{0,8}",
        ) {
            let (wide, narrow) = (pattern(&wide), pattern(&narrow));
            if wide.covers(&narrow) && narrow.matches(&model) {
                prop_assert!(wide.matches(&model));
            }
        }
    }
}
