//! Scores beside labels: precision, recall, F1.

/// How one pair was scored, and what people say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) value: f32,
    pub(super) is_match: bool,
}

/// What a threshold makes of scored pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Tally {
    /// Matches that reach it.
    pub(super) found: usize,
    /// Others that reach it.
    pub(super) wrong: usize,
    /// Matches that do not.
    pub(super) missed: usize,
}

impl Tally {
    pub(super) fn at(scored: &[Scored], threshold: f32) -> Self {
        let mut tally = Self::default();
        for pair in scored {
            match (pair.value >= threshold, pair.is_match) {
                (true, true) => tally.found += 1,
                (true, false) => tally.wrong += 1,
                (false, true) => tally.missed += 1,
                (false, false) => {}
            }
        }
        tally
    }

    /// The best that any threshold makes, with the threshold.
    pub(super) fn best(scored: &[Scored]) -> (f32, Self) {
        let thresholds = (1..100_u8).map(|hundredths| f32::from(hundredths) / 100.0);
        let tallies = thresholds.map(|threshold| (threshold, Self::at(scored, threshold)));
        let better = |best: (f32, Self), next: (f32, Self)| {
            if next.1.f1() > best.1.f1() {
                next
            } else {
                best
            }
        };
        tallies.reduce(better).unwrap_or_default()
    }

    /// Of those that reach it, the share of matches.
    pub(super) fn precision(self) -> f64 {
        share(self.found, self.found + self.wrong)
    }

    /// Of the matches, the share that reaches it.
    pub(super) fn recall(self) -> f64 {
        share(self.found, self.found + self.missed)
    }

    pub(super) fn f1(self) -> f64 {
        share(2 * self.found, 2 * self.found + self.wrong + self.missed)
    }
}

/// None of none is nought.
pub(super) fn share(part: usize, of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2 to the 52nd")]
    let share = |part: usize, of: usize| part as f64 / of.max(1) as f64;
    share(part, of)
}

/// The token-set ratio of fuzzy-matching libraries, 0 to 1: the words of both, once and in order,
/// against these with each text's others, by the longest common subsequence.
pub(super) fn token_set_ratio(left: &str, right: &str) -> f32 {
    let words = |text: &str| {
        let lower = text.to_lowercase();
        let words = lower.split_whitespace().map(str::to_owned);
        words.collect::<std::collections::BTreeSet<String>>()
    };
    let (a, b) = (words(left), words(right));
    let join = |words: Vec<&String>| {
        words
            .into_iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let both = join(a.intersection(&b).collect());
    let with = |others: String| {
        let text = format!("{both} {others}");
        text.trim().to_owned()
    };
    let only_a = join(a.difference(&b).collect());
    let only_b = join(b.difference(&a).collect());
    if !both.is_empty() && (only_a.is_empty() || only_b.is_empty()) {
        return 1.0;
    }
    let (a, b) = (with(only_a), with(only_b));
    let ratios = [ratio(&both, &a), ratio(&both, &b), ratio(&a, &b)];
    ratios.into_iter().fold(0.0, f32::max)
}

/// Twice the longest common subsequence, by the lengths together.
fn ratio(a: &str, b: &str) -> f32 {
    let a: Vec<char> = a.chars().take(MAX_COMPARED).collect();
    let b: Vec<char> = b.chars().take(MAX_COMPARED).collect();
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let mut row = vec![0_u16; b.len() + 1];
    for x in &a {
        let (mut diagonal, mut left) = (0, 0);
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let up = *cell;
            *cell = if x == y { diagonal + 1 } else { up.max(left) };
            (diagonal, left) = (up, *cell);
        }
    }
    let common = row.last().copied().unwrap_or_default();
    let length = |letters: &[char]| f32::from(u16::try_from(letters.len()).unwrap_or(u16::MAX));
    2.0 * f32::from(common) / (length(&a) + length(&b))
}

/// Letters that are compared: the plain ratio takes the square of them in time.
const MAX_COMPARED: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_is_judged_by_what_reaches_it() {
        let of = |value, is_match| Scored { value, is_match };
        let scored = [of(0.9, true), of(0.8, false), of(0.4, true), of(0.1, false)];
        let tally = Tally::at(&scored, 0.7);
        assert_eq!(
            tally,
            Tally {
                found: 1,
                wrong: 1,
                missed: 1
            }
        );
        assert_eq!(
            (tally.precision(), tally.recall(), tally.f1()),
            (0.5, 0.5, 0.5)
        );
        let (threshold, best) = Tally::best(&scored);
        assert!(threshold <= 0.4 && best.found == 2 && best.wrong == 1);
        assert_eq!(Tally::best(&[]).1.f1(), 0.0);
    }

    #[test]
    fn the_plain_ratio_is_that_of_the_libraries() {
        assert_eq!(
            token_set_ratio("fuzzy was a bear", "Fuzzy fuzzy was a bear"),
            1.0
        );
        assert_eq!(token_set_ratio("abc", "xyz"), 0.0);
        assert!((token_set_ratio("abcd", "abce") - 0.75).abs() < 1e-6);
    }
}
