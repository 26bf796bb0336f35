//! How well names, goods and identifiers are matched on labelled sets.
//!
//! Each set is held against a plain token-set ratio at the threshold that is best for it on that
//! very set; ours has the one threshold that is shipped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_screen::names::{self, Name};
use tocsin_screen::text::{self, Text, Weights};

use super::identifiers;
use super::labelled::{self, Pair, Set};
use super::report::{Figure, Limit, Report, Target, Unit};
use super::tally::{Scored, Tally, share, token_set_ratio};

/// Scores every set of a folder.
///
/// # Errors
/// When the folder holds no set, or one that cannot be read.
pub(super) fn run(folder: &Path, report: &mut Report, out: &mut Output) -> Result<(), Failure> {
    let found = labelled::read(folder)?;
    if found.sets.is_empty() {
        let told = format!(
            "{}: no labelled set; see --help for the columns",
            folder.display()
        );
        return Err(Failure::new(Exit::Failed, told));
    }
    let versions = format!("matchers {} and {}", names::VERSION, text::VERSION);
    report.say(&versions, out)?;
    for name in &found.passed_over {
        report.say(&format!("{name}: no labelled set, passed over"), out)?;
    }
    for (name, set) in &found.sets {
        match set {
            Set::Names(pairs) => name_pairs(name, pairs, report, out)?,
            Set::Goods(pairs) => goods_pairs(name, pairs, report, out)?,
            Set::Organisations(_) | Set::Aliases(_) | Set::Models(_) => {}
        }
    }
    let organisations = merged(&found.sets, |set| match set {
        Set::Organisations(rows) => Some(rows),
        Set::Names(_) | Set::Goods(_) | Set::Aliases(_) | Set::Models(_) => None,
    });
    let others = merged(&found.sets, |set| match set {
        Set::Aliases(rows) => Some(rows),
        Set::Names(_) | Set::Goods(_) | Set::Organisations(_) | Set::Models(_) => None,
    });
    let models = merged(&found.sets, |set| match set {
        Set::Models(rows) => Some(rows),
        Set::Names(_) | Set::Goods(_) | Set::Organisations(_) | Set::Aliases(_) => None,
    });
    if !organisations.is_empty() {
        aliases(&organisations, &others, report, out)?;
        unrelated(&organisations, report, out)?;
    }
    if !models.is_empty() && !organisations.is_empty() {
        identifiers::run(&models, &organisations, report, out)?;
    }
    Ok(())
}

type Rows = Vec<(String, String)>;

fn merged(sets: &[(String, Set)], of: impl Fn(&Set) -> Option<&Rows>) -> Rows {
    sets.iter()
        .filter_map(|(_, set)| of(set))
        .flatten()
        .cloned()
        .collect()
}

fn name_pairs(
    set: &str,
    pairs: &[Pair],
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let prepared: Vec<(Name, Name)> = pairs
        .iter()
        .map(|pair| (Name::new(&pair.left), Name::new(&pair.right)))
        .collect();
    let started = Instant::now();
    let scored: Vec<Scored> = pairs
        .iter()
        .zip(&prepared)
        .map(|(pair, (left, right))| Scored {
            value: names::score(left, right).value,
            is_match: pair.is_match,
        })
        .collect();
    let seconds = started.elapsed().as_secs_f64();
    tell(set, pairs, &scored, names::REVIEW, report, out)?;
    let rate = count(pairs.len()) / seconds.max(1e-9);
    report.add(
        Figure::shown(format!("{set} pairs"), rate, Unit::PerSecond),
        out,
    )?;
    let mut scripts: BTreeMap<&str, Vec<Scored>> = BTreeMap::new();
    for (pair, scored) in pairs.iter().zip(&scored) {
        scripts.entry(scripts_of(pair)).or_default().push(*scored);
    }
    for (script, scored) in scripts {
        let tally = Tally::at(&scored, names::REVIEW);
        let remark = format!("{} pairs, {}", scored.len(), both(tally));
        // Where nothing is a match, what there is to say is how many are taken for one.
        let (what, value) = if scored.iter().any(|pair| pair.is_match) {
            ("f1", tally.f1())
        } else {
            ("taken wrongly", share(tally.wrong, scored.len()))
        };
        let figure = Figure::shown(format!("{set} {script} {what}"), value, Unit::Share);
        report.add(figure.remark(remark), out)?;
    }
    Ok(())
}

fn goods_pairs(
    set: &str,
    pairs: &[Pair],
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let prepared: Vec<(Text, Text)> = pairs
        .iter()
        .map(|pair| (Text::new(&pair.left), Text::new(&pair.right)))
        .collect();
    // Which words are rare is counted over the texts themselves; labels are not looked at.
    let weights = Weights::new(prepared.iter().flat_map(|(left, right)| [left, right]));
    let started = Instant::now();
    let scored: Vec<Scored> = pairs
        .iter()
        .zip(&prepared)
        .map(|(pair, (left, right))| Scored {
            value: text::score(left, right, &weights).value,
            is_match: pair.is_match,
        })
        .collect();
    let seconds = started.elapsed().as_secs_f64();
    tell(set, pairs, &scored, text::REVIEW, report, out)?;
    let rate = count(pairs.len()) / seconds.max(1e-9);
    report.add(
        Figure::shown(format!("{set} pairs"), rate, Unit::PerSecond),
        out,
    )
}

/// F1 beside the plain ratio's, then precision in each band.
fn tell(
    set: &str,
    pairs: &[Pair],
    scored: &[Scored],
    threshold: f32,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let plain: Vec<Scored> = pairs
        .iter()
        .map(|pair| Scored {
            value: token_set_ratio(&pair.left, &pair.right),
            is_match: pair.is_match,
        })
        .collect();
    let tally = Tally::at(scored, threshold);
    let (best_at, best) = Tally::best(scored);
    let (plain_at, plain) = Tally::best(&plain);
    let limit = Limit {
        value: plain.f1(),
        formula: format!(
            "token-set ratio at its best threshold {plain_at:.2}, {}",
            both(plain)
        ),
        terms: Vec::new(),
    };
    let matches = scored.iter().filter(|pair| pair.is_match).count();
    let remark = format!(
        "{} pairs, {matches} matches; {} at {threshold:.2}; best f1 {:.3} at {best_at:.2}",
        pairs.len(),
        both(tally),
        best.f1(),
    );
    let figure = Figure::shown(format!("{set} f1"), tally.f1(), Unit::Share);
    report.add(
        figure.against(limit, Target::AtLeast(1.0)).remark(remark),
        out,
    )?;
    let mut upper = f32::INFINITY;
    for lower in [0.95, 0.85, threshold, threshold - 0.15, 0.0] {
        let band: Vec<Scored> = scored
            .iter()
            .filter(|pair| (lower..upper).contains(&pair.value))
            .copied()
            .collect();
        upper = lower;
        if band.is_empty() {
            continue;
        }
        let matches = band.iter().filter(|pair| pair.is_match).count();
        let remark = format!("{} pairs", band.len());
        let name = format!("{set} matches from {lower:.2}");
        let figure = Figure::shown(name, share(matches, band.len()), Unit::Share);
        report.add(figure.remark(remark), out)?;
    }
    Ok(())
}

fn both(tally: Tally) -> String {
    format!(
        "precision {:.3}, recall {:.3}",
        tally.precision(),
        tally.recall()
    )
}

/// How many of the other names of an organisation are matches of its first: of all, and of those
/// that are variants of it by a plain measure, which the matcher has no part in.
fn aliases(
    organisations: &Rows,
    others: &Rows,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let by_number: BTreeMap<&str, &str> = organisations
        .iter()
        .map(|(number, name)| (&**number, &**name))
        .collect();
    let known = others
        .iter()
        .filter_map(|(number, other)| Some((*by_number.get(&**number)?, other.as_str())));
    let mut all = Tally::default();
    let mut variants = Tally::default();
    for (first, other) in known {
        let is_found = names::score(&Name::new(first), &Name::new(other)).value >= names::REVIEW;
        let count = |tally: &mut Tally| {
            if is_found {
                tally.found += 1
            } else {
                tally.missed += 1
            }
        };
        count(&mut all);
        if is_variant(first, other) {
            count(&mut variants);
        }
    }
    for (which, tally) in [("all", all), ("variants", variants)] {
        let total = tally.found + tally.missed;
        if total > 0 {
            let figure = Figure::shown(
                format!("aliases {which} recall"),
                tally.recall(),
                Unit::Share,
            );
            report.add(figure.remark(format!("{total} aliases")), out)?;
        }
    }
    Ok(())
}

/// Each word of the shorter name is a word of the longer up to one slip in four letters, and they
/// are half of its letters; words of legal forms aside. Translations, other names and acronyms are
/// no variants.
fn is_variant(one: &str, other: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !c.is_alphanumeric());
        let kept = words.filter(|word| !word.is_empty() && !PASSED_OVER.contains(word));
        kept.map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    let letters = |words: &BTreeSet<String>| words.iter().map(String::len).sum::<usize>();
    let (short, long) = if letters(&one) <= letters(&other) {
        (one, other)
    } else {
        (other, one)
    };
    let is_said = |word: &String| {
        long.iter().any(|other| {
            let longer = word.chars().count().max(other.chars().count());
            4 * slips(word, other) <= longer
        })
    };
    !short.is_empty() && 2 * letters(&short) >= letters(&long) && short.iter().all(is_said)
}

/// The distance of Levenshtein, by the book.
fn slips(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, x) in one.chars().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (y, cell) in other.iter().zip(row.iter_mut().skip(1)) {
            let up = *cell;
            *cell = (diagonal + usize::from(x != *y)).min(up + 1).min(left + 1);
            (diagonal, left) = (up, *cell);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// How many organisations reach review with another: pairs, and those with any such other.
fn unrelated(organisations: &Rows, report: &mut Report, out: &mut Output) -> Result<(), Failure> {
    let prepared: Vec<(&str, Name)> = organisations
        .iter()
        .take(MAX_COMPARED)
        .map(|(number, name)| (&**number, Name::new(name)))
        .collect();
    let mut reached = BTreeSet::new();
    let (mut pairs, mut reaching) = (0, 0);
    let started = Instant::now();
    for (at, (number, name)) in prepared.iter().enumerate() {
        for (other_at, (other_number, other)) in prepared.iter().enumerate().skip(at + 1) {
            if number == other_number {
                continue;
            }
            pairs += 1;
            if names::score(name, other).value >= names::REVIEW {
                reaching += 1;
                reached.extend([at, other_at]);
            }
        }
    }
    let rate = count(pairs) / started.elapsed().as_secs_f64().max(1e-9);
    let remark = format!(
        "{reaching} of {pairs} pairs; {} of {} organisations have another",
        reached.len(),
        prepared.len(),
    );
    let value = share(reaching, pairs);
    let limit = Limit {
        value: 0.001,
        formula: "0.1 % of pairs".to_owned(),
        terms: Vec::new(),
    };
    let figure = Figure::shown("unrelated organisations", value, Unit::Share).remark(remark);
    report.add(figure.against(limit, Target::AtMost(1.0)), out)?;
    report.add(
        Figure::shown("unrelated organisations pairs", rate, Unit::PerSecond),
        out,
    )
}

/// The scripts of a pair: one, or that they differ.
fn scripts_of(pair: &Pair) -> &'static str {
    let (left, right) = (script(&pair.left), script(&pair.right));
    if left == right { left } else { "two scripts" }
}

/// The script of most letters.
fn script(text: &str) -> &'static str {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        let script = match u32::from(c) {
            0..=0x024F | 0x1E00..=0x1EFF => "latin",
            0x0370..=0x03FF | 0x1F00..=0x1FFF => "greek",
            0x0400..=0x052F => "cyrillic",
            0x0590..=0x05FF => "hebrew",
            0x0600..=0x077F => "arabic",
            0x0900..=0x0DFF => "indic",
            0x0E00..=0x0E7F => "thai",
            0x3040..=0x30FF => "kana",
            0x3400..=0x9FFF => "han",
            0xAC00..=0xD7A3 => "hangul",
            _ => "other scripts",
        };
        *counts.entry(script).or_default() += 1;
    }
    counts
        .into_iter()
        .max_by_key(|(_, count)| *count)
        .map_or("no letters", |(script, _)| script)
}

fn count(of: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2 to the 52nd")]
    let count = of as f64;
    count
}

/// Organisations that are compared with each other.
const MAX_COMPARED: usize = 4_000;

/// What the plain measure of variants does not look at.
const PASSED_OVER: [&str; 20] = [
    "ltd",
    "limited",
    "co",
    "company",
    "llc",
    "inc",
    "sa",
    "the",
    "of",
    "and",
    "de",
    "jsc",
    "oao",
    "ooo",
    "corporation",
    "corp",
    "joint",
    "stock",
    "liability",
    "cv",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_has_the_words_of_the_name_and_a_translation_has_not() {
        assert!(is_variant("NASCO POLYMERS", "Nasco Polymer Co., Ltd."));
        assert!(!is_variant("NATIONAL LIBERATION ARMY", "ELN"));
        assert!(!is_variant(
            "AGRICULTURAL BANK OF IRAN",
            "BANK KESHAVARZI IRAN"
        ));
    }

    #[test]
    fn a_script_is_that_of_most_letters() {
        assert_eq!(script("ООО Ромашка Ltd"), "cyrillic");
        assert_eq!(script("トヨタ"), "kana");
        assert_eq!(script("123"), "no letters");
    }
}
