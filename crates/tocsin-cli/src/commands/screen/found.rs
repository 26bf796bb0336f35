//! What was found for a row, as it is counted, written down and told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tocsin_core::lookup::Outcome;
use tocsin_screen::answer::{Answer, Exception, Hit, Part, Subject, Tried};
use tocsin_screen::line::Line;
use tocsin_screen::suppression::{Effect, Mark, Suppressions};

use super::engine::At;
use crate::output::csv_row;

/// Hits of one row that are written down, the highest first; how many there were is said as well.
const MAX_WRITTEN: usize = 10;
/// Parts of a hit that are told in words.
const MAX_TOLD: usize = 8;

/// Columns of `hits.csv`, `holds.csv` and `reviews.csv`. Those that rank come first: see `rank`.
pub(super) const COLUMNS: [&str; 24] = [
    "row",
    "row_outcome",
    "outcome",
    "score",
    "mark",
    "line",
    "declaration",
    "item",
    "block",
    "state",
    "order",
    "by",
    "basis",
    "decision",
    "list",
    "list_date",
    "not_more_because",
    "because",
    "missing",
    "unreadable",
    "tried",
    "hits",
    "suppressed",
    "declared",
];

/// How many rows said what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Rows screened.
    pub(super) rows: u64,
    /// Rows by outcome, by its word, after suppressions.
    pub(super) outcomes: BTreeMap<String, u64>,
    /// Hits that a suppression took out of account.
    pub(super) suppressed: u64,
    /// Hits whose suppression has run out.
    pub(super) expired: u64,
    /// Rows without a match that lack what would decide.
    pub(super) undecided: u64,
    /// Rows that lack a field, by its word.
    pub(super) missing: BTreeMap<String, u64>,
    /// Rows with a value in a field that could not be compared, by its word.
    pub(super) unreadable: BTreeMap<String, u64>,
    /// Hits by why they say no more.
    pub(super) caps: BTreeMap<String, u64>,
    /// Rows that were not screened.
    pub(super) rejected: u64,
    /// Rows that were screened with damage.
    pub(super) damaged: u64,
    /// The best hit of each outcome, to be shown with its reasons.
    pub(super) best: BTreeMap<String, Best>,
}

/// A hit to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Best {
    /// Its row.
    pub(super) row: u64,
    /// Its score.
    pub(super) score: u16,
    /// What is said of it.
    pub(super) hit: Value,
}

impl Counts {
    /// Rows with this outcome.
    pub(super) fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(word(outcome)).copied().unwrap_or(0)
    }

    /// Adds those of a stretch.
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.suppressed += other.suppressed;
        self.expired += other.expired;
        self.undecided += other.undecided;
        self.rejected += other.rejected;
        self.damaged += other.damaged;
        let sums = [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.missing, &other.missing),
            (&mut self.unreadable, &other.unreadable),
            (&mut self.caps, &other.caps),
        ];
        for (sum, more) in sums {
            for (key, count) in more {
                *sum.entry(key.clone()).or_default() += count;
            }
        }
        for (outcome, best) in &other.best {
            let known = self.best.get(outcome).map(|known| known.score);
            if known.is_none_or(|known| known < best.score) {
                self.best.insert(outcome.clone(), best.clone());
            }
        }
    }

    /// Notes a hit if it is the best of its outcome.
    fn show(&mut self, row: u64, hit: &Hit, mark: Option<&Mark<'_>>) {
        let known = self.best.get(word(hit.outcome)).map(|known| known.score);
        if known.is_some_and(|known| known >= hit.score) {
            return;
        }
        let best = Best {
            row,
            score: hit.score,
            hit: hit_value(hit, mark),
        };
        self.best.insert(word(hit.outcome).to_owned(), best);
    }
}

/// What is found in one stretch: counted by place, so that a row without a hit allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Found {
    rows: u64,
    outcomes: [u64; OUTCOMES.len()],
    missing: [u64; FIELDS.len()],
    /// What is counted only where there is a hit, or something odd.
    rare: Counts,
    /// Lines of `hits.csv`.
    pub(super) lines: String,
}

const OUTCOMES: [Outcome; 5] = [
    Outcome::None,
    Outcome::Flagged,
    Outcome::Review,
    Outcome::Held,
    Outcome::Blocked,
];
const FIELDS: [tocsin_screen::line::Field; tocsin_screen::line::Field::ALL.len()] =
    tocsin_screen::line::Field::ALL;

impl Found {
    /// Notes what was found for a row.
    pub(super) fn note(
        &mut self,
        at: &At<'_>,
        line: &Line<'_>,
        answer: &Answer,
        suppressions: &Suppressions,
        now_ms: i64,
    ) {
        let marks: Vec<Option<Mark<'_>>> = answer
            .hits
            .iter()
            .map(|hit| suppressions.judge(line, hit, now_ms))
            .collect();
        let outcome = counted(answer, &marks);
        self.rows += 1;
        let place = OUTCOMES.iter().position(|known| *known == outcome);
        if let Some(count) = place.and_then(|place| self.outcomes.get_mut(place)) {
            *count += 1;
        }
        for (field, count) in FIELDS.iter().zip(&mut self.missing) {
            *count += u64::from(answer.missing.contains(*field));
        }
        for field in answer.unreadable.iter() {
            *self
                .rare
                .unreadable
                .entry(field.word().to_owned())
                .or_default() += 1;
        }
        self.rare.undecided += u64::from(outcome == Outcome::None && answer.decisive_missing);
        for (hit, mark) in answer.hits.iter().zip(&marks) {
            if let Some(cap) = hit.cap {
                *self.rare.caps.entry(cap.word().to_owned()).or_default() += 1;
            }
            let is = |effect| mark.is_some_and(|mark| mark.effect == effect);
            if !is(Effect::Suppressed) {
                self.rare.show(at.row.number, hit, mark.as_ref());
            }
            self.rare.suppressed += u64::from(is(Effect::Suppressed));
            self.rare.expired += u64::from(is(Effect::Expired));
        }
        let told = answer.hits.iter().zip(&marks).take(MAX_WRITTEN);
        for (hit, mark) in told {
            let cells = cells(at, line, answer, outcome, hit, mark.as_ref());
            self.lines.push_str(&csv_row(&cells));
            self.lines.push('\n');
        }
    }

    /// The counts, by their words.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.rare.clone();
        counts.rows = self.rows;
        let outcomes = OUTCOMES.iter().zip(self.outcomes);
        let said = outcomes.filter(|(_, count)| *count > 0);
        counts.outcomes = said
            .map(|(o, count)| (word(*o).to_owned(), count))
            .collect();
        let missing = FIELDS.iter().zip(self.missing);
        let said = missing.filter(|(_, count)| *count > 0);
        counts.missing = said
            .map(|(field, count)| (field.word().to_owned(), count))
            .collect();
        counts
    }
}

/// The highest outcome that no suppression takes out of account.
pub(super) fn counted(answer: &Answer, marks: &[Option<Mark<'_>>]) -> Outcome {
    let is_counted =
        |mark: &Option<Mark<'_>>| !mark.is_some_and(|mark| mark.effect == Effect::Suppressed);
    let counted = answer.hits.iter().zip(marks);
    let outcomes = counted
        .filter(|(_, mark)| is_counted(mark))
        .map(|(hit, _)| hit.outcome);
    outcomes.max().unwrap_or(Outcome::None)
}

fn cells(
    at: &At<'_>,
    line: &Line<'_>,
    answer: &Answer,
    outcome: Outcome,
    hit: &Hit,
    mark: Option<&Mark<'_>>,
) -> Vec<String> {
    let told = hit_value(hit, mark);
    let text = |key: &str| match told.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.collect::<Vec<_>>().join("; ")
        }
        Some(Value::Null) | None => String::new(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Object(_))) => other.to_string(),
    };
    let words = |fields: tocsin_screen::line::Fields| {
        let words: Vec<&str> = fields
            .iter()
            .map(tocsin_screen::line::Field::word)
            .collect();
        words.join(" ")
    };
    let number = |number: u32| match number {
        0 => String::new(),
        number => number.to_string(),
    };
    vec![
        at.row.number.to_string(),
        word(outcome).to_owned(),
        text("outcome"),
        hit.score.to_string(),
        mark.map_or_else(String::new, |mark| mark.effect.word().to_owned()),
        at.row.line.to_string(),
        line.declaration.to_owned(),
        number(line.number),
        text("block"),
        text("state"),
        text("order"),
        text("by"),
        text("basis"),
        text("decision_id"),
        text("list"),
        text("list_date"),
        text("not_more_because"),
        text("because"),
        text("missing"),
        words(answer.unreadable),
        text("tried"),
        answer.hits.len().to_string(),
        text("suppressed"),
        declared(at).to_string(),
    ]
}

/// All that a row says, by the words of mappings.
fn declared(at: &At<'_>) -> Value {
    let mut said: Map<String, Value> = Map::new();
    for (field, text) in at.rows.values(at.row) {
        let values = said.entry(field.word()).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(json!(text));
        }
    }
    Value::Object(said)
}

/// A hit with its reasons, as an object to print.
pub(super) fn hit_value(hit: &Hit, mark: Option<&Mark<'_>>) -> Value {
    let mut value = json!({
        "outcome": word(hit.outcome),
        "score": hit.score,
        "not_more_because": hit.cap.map(|cap| cap.text()).unwrap_or_default(),
        "because": hit.parts.iter().take(MAX_TOLD).map(part_text).collect::<Vec<_>>(),
        "missing": hit.missing.iter().map(|field| field.word()).collect::<Vec<_>>(),
        "tried": hit.tried.iter().map(tried_text).collect::<Vec<_>>(),
        "suppressed": mark.map(mark_text).unwrap_or_default(),
    });
    let more = match &hit.subject {
        Subject::Block(notice) => json!({
            "block": notice.block,
            "state": notice.state.word(),
            "order": notice.order,
            "title": notice.scope.title,
            "by": notice.by.to_string(),
            "basis": notice.basis,
            "decision_id": notice.decision_id.map(|id| id.to_string()).unwrap_or_default(),
            "also_blocked_by": notice.also_blocked_by,
        }),
        Subject::Listed(entry) => json!({
            "list": entry.list.as_ref(),
            "list_date": entry.dated.as_ref(),
            "block": format!("{}/{}", entry.list, entry.number),
            "title": entry.names.first().cloned().unwrap_or_default(),
        }),
    };
    if let (Some(fields), Value::Object(more)) = (value.as_object_mut(), more) {
        fields.extend(more);
    }
    value
}

/// One agreement or contradiction in words.
fn part_text(part: &Part) -> String {
    let (field, fact) = (part.field.word(), part.fact.word());
    let raw: String = part.raw.chars().take(80).collect();
    let of_order: String = part.of_order.chars().take(80).collect();
    let compared = if part.canonical == part.raw || part.canonical.is_empty() {
        String::new()
    } else {
        format!(
            ", read as {}",
            part.canonical.chars().take(80).collect::<String>()
        )
    };
    let relation = match part.score {
        1_000 => "is",
        0 => "is not",
        _ => "is like",
    };
    let strength = strength_word(part.strength);
    format!(
        "{field} \"{raw}\"{compared} {relation} the {fact} {of_order} ({strength}, {})",
        part.score
    )
}

const fn strength_word(strength: tocsin_core::product::Strength) -> &'static str {
    match strength {
        tocsin_core::product::Strength::Weak => "weak",
        tocsin_core::product::Strength::Medium => "medium",
        tocsin_core::product::Strength::Strong => "strong",
    }
}

fn tried_text(tried: &Tried) -> String {
    let what = match tried.exception {
        Exception::CarveOut(place) => format!("carve-out {}", place + 1),
        Exception::Authorised => "authorised importers".to_owned(),
        Exception::Bond => "entry under bond".to_owned(),
        Exception::Certification => "certification".to_owned(),
    };
    let result = tried.result.word().replace('_', " ");
    format!("{what}: {result} ({})", tried.text)
}

fn mark_text(mark: &Mark<'_>) -> String {
    let suppression = mark.suppression;
    format!(
        "{}: {}, by {} until {}",
        mark.effect.word().replace('_', " "),
        suppression.reason,
        suppression.author,
        crate::instant::show(suppression.until_ms)
    )
}

/// The word of an outcome.
pub(super) const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::None => "none",
        Outcome::Flagged => "flagged",
        Outcome::Review => "review",
        Outcome::Held => "held",
        Outcome::Blocked => "blocked",
    }
}

/// The outcome of a word.
pub(super) fn of_word(text: &str) -> Option<Outcome> {
    OUTCOMES.into_iter().find(|outcome| word(*outcome) == text)
}
