//! Names as they are written in East Asian scripts, character by character.

use super::score::{Numbers, numbers};
use super::{Name, roman};

/// Where both are written in one East Asian script: character by character. In a name of three
/// characters one other makes another name.
pub(super) fn native_score(a: &Name, b: &Name) -> Option<f32> {
    let shares =
        |is: fn(char) -> bool| a.native.iter().any(|c| is(*c)) && b.native.iter().any(|c| is(*c));
    if !shares(roman::is_han) && !shares(roman::is_hangul) {
        return None;
    }
    let most = a.native.len().max(b.native.len());
    let mut before: Vec<f32> = (0..=b.native.len())
        .map(|at| f32::from(short(at)))
        .collect();
    let mut row = before.clone();
    for (i, x) in a.native.iter().enumerate() {
        let mut left = f32::from(short(i + 1));
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        let above = before.iter().zip(before.iter().skip(1));
        for ((y, (diagonal, up)), cell) in b.native.iter().zip(above).zip(row.iter_mut().skip(1)) {
            let best = (diagonal + roman::differ(*x, *y))
                .min(up + 1.0)
                .min(left + 1.0);
            *cell = best;
            left = best;
        }
        std::mem::swap(&mut before, &mut row);
    }
    let distance = before.last().copied().unwrap_or_default();
    let value = 1.0 - NATIVE_SLIP * distance / f32::from(short(most));
    let value = match numbers(a, b) {
        Numbers::Agree => value,
        Numbers::LeftOut => value * 0.72,
        Numbers::Contradict => value * 0.4,
    };
    Some(value.max(0.0))
}

fn short(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

/// A character of an East Asian name is a word: it counts twice.
const NATIVE_SLIP: f32 = 1.5;
