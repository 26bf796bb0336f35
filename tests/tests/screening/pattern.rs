//! Model patterns, read and matched in the most obvious way: every way to divide the number among
//! the parts of the pattern is looked at, and what was looked at is remembered.

use std::collections::BTreeMap;

use crate::forms;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This character.
    One(char),
    /// Any one character: `?`.
    Any,
    /// Any number of characters: `*`.
    Many,
    /// One of these, both ends included: `[ABX-Z]`.
    Class(Vec<(char, char)>),
    /// As many digits as its ends have, between them: `{100-299}`.
    Number(String, String),
}

/// Characters that the pattern says itself; none of a text that is no pattern.
pub fn significant(pattern: &str) -> usize {
    let parts = read(pattern).unwrap_or_default();
    parts
        .iter()
        .filter(|part| matches!(part, Part::One(_)))
        .count()
}

/// Whether a text is a pattern.
pub fn is_pattern(text: &str) -> bool {
    read(text).is_some()
}

/// Whether a model number, however it is written, has the form of a pattern.
pub fn matches(pattern: &str, model: &str) -> bool {
    let (Some(parts), Some(model)) = (read(pattern), forms::model(model)) else {
        return false;
    };
    let model: Vec<char> = model.chars().collect();
    fits(&parts, &model, 0, 0, &mut BTreeMap::new())
}

type Seen = BTreeMap<(usize, usize), bool>;

fn fits(parts: &[Part], model: &[char], part: usize, at: usize, seen: &mut Seen) -> bool {
    if let Some(known) = seen.get(&(part, at)) {
        return *known;
    }
    let Some(first) = parts.get(part) else {
        return at == model.len();
    };
    let one = |is: bool| is.then_some(1);
    let next = model.get(at).copied();
    let taken: Vec<usize> = match first {
        Part::One(c) => one(next == Some(*c)).into_iter().collect(),
        Part::Any => one(next.is_some()).into_iter().collect(),
        Part::Class(spans) => {
            let is_in = |c: char| spans.iter().any(|(low, high)| *low <= c && c <= *high);
            one(next.is_some_and(is_in)).into_iter().collect()
        }
        Part::Many => (0..=model.len() - at).collect(),
        Part::Number(low, high) => {
            let digits: String = model[at..].iter().take(low.len()).collect();
            let is_in = digits.len() == low.len()
                && forms::only_digits(&digits)
                && *low <= digits
                && digits <= *high;
            is_in.then_some(low.len()).into_iter().collect()
        }
    };
    let mut fit = false;
    for taken in taken {
        fit = fit || fits(parts, model, part + 1, at + taken, seen);
    }
    seen.insert((part, at), fit);
    fit
}

/// The parts of a pattern; `None` for what two officers could not see through: fewer than two
/// characters of its own, or more than eight open places.
fn read(text: &str) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = vec![];
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '?' => parts.push(Part::Any),
            '*' if parts.last() == Some(&Part::Many) => {}
            '*' => parts.push(Part::Many),
            '[' | '{' => {
                let (inner, after) = rest.split_once(if c == '[' { ']' } else { '}' })?;
                parts.push(if c == '[' {
                    class(inner)?
                } else {
                    number(inner)?
                });
                rest = after;
            }
            ']' | '}' => return None,
            _ => {
                let to = rest
                    .find(['?', '*', '[', ']', '{', '}'])
                    .unwrap_or(rest.len());
                let literal = forms::settled_model(&format!("{c}{}", &rest[..to]))?;
                if literal.contains(['?', '*', '[', ']', '{', '}']) {
                    return None;
                }
                parts.extend(literal.chars().map(Part::One));
                rest = &rest[to..];
            }
        }
    }
    let own = parts
        .iter()
        .filter(|part| matches!(part, Part::One(_)))
        .count();
    (own >= 2 && parts.len() - own <= 8).then_some(parts)
}

fn class(inner: &str) -> Option<Part> {
    let signs: Vec<char> = inner.to_ascii_uppercase().chars().collect();
    let mut spans = vec![];
    let mut at = 0;
    while at < signs.len() {
        let low = signs[at];
        let high = if signs.get(at + 1) == Some(&'-') {
            at += 2;
            *signs.get(at)?
        } else {
            low
        };
        let both = |is: fn(&char) -> bool| is(&low) && is(&high);
        if low > high || !(both(char::is_ascii_digit) || both(char::is_ascii_uppercase)) {
            return None;
        }
        spans.push((low, high));
        at += 1;
    }
    // A class of one character says it as well as the character does.
    let (first, last) = (
        spans.iter().min()?.0,
        spans.iter().map(|(_, high)| *high).max()?,
    );
    Some(if first == last {
        Part::One(first)
    } else {
        Part::Class(spans)
    })
}

fn number(inner: &str) -> Option<Part> {
    let (low, high) = inner.split_once('-')?;
    let is_form = low.len() == high.len()
        && low.len() <= 18
        && forms::only_digits(low)
        && forms::only_digits(high)
        && low <= high;
    is_form.then(|| Part::Number(low.to_owned(), high.to_owned()))
}
