//! What a screened file comes to.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tocsin_core::lookup::Outcome;

use super::found::Counts;
use super::prepare::Prepared;
use super::rank::Listed;
use crate::failure::{Exit, Failure};
use crate::output::{Format, JSON_VERSION};
use crate::session::Session;

/// What a summary is made from, beside the counts.
pub(super) struct Summary<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) began: Instant,
    pub(super) resumed_after: u64,
    pub(super) out: Option<&'a Path>,
    pub(super) now_ms: i64,
}

impl Summary<'_> {
    /// As an object to keep and to print.
    pub(super) fn value(&self, counts: &Counts, listed: Option<Listed>) -> Value {
        let state = &self.prepared.state;
        let seconds = self.began.elapsed().as_secs_f64();
        let done = counts.rows + counts.rejected;
        json!({
            "version": JSON_VERSION,
            "kind": "screen",
            "file": self.prepared.input.path().display().to_string(),
            "form": self.prepared.form,
            "rows": counts.rows,
            "seconds": (seconds * 1_000.0).round() / 1_000.0,
            "rows_per_second": (done.saturating_sub(self.resumed_after) as f64 / seconds).round(),
            "resumed_after": self.resumed_after,
            "jurisdiction": state.jurisdiction,
            "blocks": state.notices.len(),
            "blocks_unreadable": state.unread,
            "since": self.prepared.since,
            "position": state.cursor,
            "members": state.ages(self.now_ms),
            "stale": state.is_stale(),
            "outcomes": {
                "blocked": counts.of(Outcome::Blocked),
                "held": counts.of(Outcome::Held),
                "review": counts.of(Outcome::Review),
                "flagged": counts.of(Outcome::Flagged),
                "none": counts.of(Outcome::None),
            },
            "undecided": counts.undecided,
            "rejected": counts.rejected,
            "damaged": counts.damaged,
            "suppressed": counts.suppressed,
            "suppressions_expired": counts.expired,
            "missing": counts.missing,
            "unreadable": counts.unreadable,
            "not_more_because": counts.caps,
            "listed": listed.map(|listed| json!({
                "holds": listed.holds,
                "holds_cut": listed.holds_cut,
                "reviews": listed.reviews,
                "reviews_cut": listed.cut,
                "cut_below_score": listed.cut_score,
            })),
            "out": self.out.map(|out| out.display().to_string()),
            "best": counts.best.values().map(|best| {
                let mut hit = best.hit.clone();
                if let Some(fields) = hit.as_object_mut() {
                    fields.insert("row".to_owned(), json!(best.row));
                }
                hit
            }).collect::<Vec<_>>(),
        })
    }
}

/// 0 only when there were rows, nothing matched, every row was screened, and nothing was missing.
pub(super) fn exit_of(counts: &Counts, is_stale: bool) -> Exit {
    let looked_at = [Outcome::Held, Outcome::Review, Outcome::Flagged];
    if counts.of(Outcome::Blocked) > 0 {
        Exit::Blocked
    } else if looked_at.iter().any(|outcome| counts.of(*outcome) > 0) {
        Exit::Held
    } else if is_stale {
        Exit::Stale
    } else if counts.rows == 0 || counts.undecided + counts.rejected + counts.damaged > 0 {
        Exit::Undecided
    } else {
        Exit::Ok
    }
}

/// Prints a summary in the form asked for.
pub(super) fn print(session: &mut Session, value: &Value) -> Result<(), Failure> {
    if session.out.format() != Format::Table {
        return session.out.object("screen", &[], value);
    }
    for line in lines(value) {
        session.out.text(&line)?;
    }
    Ok(())
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or(0)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn lines(value: &Value) -> Vec<String> {
    let rate = value.get("rows_per_second").and_then(Value::as_f64);
    let mut lines = vec![format!(
        "{} rows in {} s, {} rows a second",
        number(value, "rows"),
        value.get("seconds").and_then(Value::as_f64).unwrap_or(0.0),
        rate.unwrap_or(0.0)
    )];
    let outcomes = value.get("outcomes").unwrap_or(&Value::Null);
    for (key, means) in [
        ("blocked", "stop them"),
        ("held", "stop them for now"),
        ("review", "an officer must look"),
        ("flagged", "inspect them"),
    ] {
        lines.push(format!("  {key:<10}{:>9}  {means}", number(outcomes, key)));
    }
    let none = number(outcomes, "none");
    let undecided = number(value, "undecided");
    let lacking = match undecided {
        0 => String::from("no match, which is not a clearance"),
        some => format!("no match, which is not a clearance; {some} lack what would decide"),
    };
    lines.push(format!("  {:<10}{none:>9}  {lacking}", "none"));
    for (key, means) in [
        ("rejected", "not screened: see rejects.csv"),
        ("damaged", "screened as far as they read: see rejects.csv"),
        (
            "suppressed",
            "hits that the suppressions take out of account",
        ),
        ("suppressions_expired", "hits whose suppression has run out"),
    ] {
        let count = number(value, key);
        if count > 0 {
            let word = key.split('_').next_back().unwrap_or(key);
            lines.push(format!("  {word:<10}{count:>9}  {means}"));
        }
    }
    lines.extend(missing(value));
    lines.extend(ages(value));
    lines.push(format!("Position  {}", text(value, "position")));
    lines.extend(best(value));
    lines.extend(written(value));
    lines
}

/// What decides, or leads to what does; the rest stands in the summary's file.
const TOLD: [&str; 10] = [
    "gtin",
    "model",
    "serial",
    "tariff",
    "description",
    "origin",
    "importer",
    "exporter",
    "seller",
    "manufacturer",
];

/// Which of these fields most rows lack.
fn missing(value: &Value) -> Option<String> {
    let rows = number(value, "rows").max(1);
    let fields = value.get("missing")?.as_object()?;
    let lacking = TOLD.iter().filter_map(|field| {
        let count = fields.get(*field)?.as_u64()?;
        (count * 2 > rows).then(|| format!("{field} {} %", count * 100 / rows))
    });
    let lacking: Vec<String> = lacking.collect();
    (!lacking.is_empty()).then(|| format!("Missing   {}", lacking.join(", ")))
}

fn ages(value: &Value) -> Vec<String> {
    let members = value.get("members").and_then(Value::as_array);
    let ages = members.into_iter().flatten().map(|member| {
        let mut said = format!(
            "{} {} s old",
            text(member, "member"),
            number(member, "age_s")
        );
        if text(member, "known_until").is_empty() {
            said = format!("{} never heard", text(member, "member"));
        }
        for (key, word) in [("stale", ", too old"), ("frozen", ", frozen")] {
            if member.get(key).and_then(Value::as_bool).unwrap_or(false) {
                said.push_str(word);
            }
        }
        said
    });
    let ages: Vec<String> = ages.collect();
    let mut lines = vec![format!("State of  {}", ages.join("; "))];
    let unread = value.get("blocks_unreadable").and_then(Value::as_array);
    if let Some(unread) = unread.filter(|unread| !unread.is_empty()) {
        lines.push(format!(
            "{} blocks cannot be read by this version of the tool and were not compared",
            unread.len()
        ));
    }
    lines
}

/// The best hit of each outcome, with its reasons.
fn best(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let hits = value.get("best").and_then(Value::as_array);
    for hit in hits.into_iter().flatten() {
        lines.push(format!(
            "row {}  {}  {}  {}",
            number(hit, "row"),
            text(hit, "outcome"),
            text(hit, "block"),
            text(hit, "title")
        ));
        let dated = text(hit, "list_date");
        if !dated.is_empty() {
            lines.push(format!("    on the list as of {dated}"));
        }
        let because = hit.get("because").and_then(Value::as_array);
        for part in because.into_iter().flatten().filter_map(Value::as_str) {
            lines.push(format!("    {part}"));
        }
        let limit = text(hit, "not_more_because");
        if !limit.is_empty() {
            lines.push(format!("    not more, for {limit}"));
        }
    }
    lines
}

fn written(value: &Value) -> Vec<String> {
    let out = text(value, "out");
    if out.is_empty() {
        return Vec::new();
    }
    let listed = value.get("listed").unwrap_or(&Value::Null);
    let mut lines = vec![format!(
        "Written   {out}: {} in holds.csv, {} in reviews.csv",
        number(listed, "holds"),
        number(listed, "reviews")
    )];
    let cut = number(listed, "reviews_cut");
    if cut > 0 {
        lines.push(format!(
            "Cut       {cut} to review, of score {} or less, stand in hits.csv alone",
            number(listed, "cut_below_score")
        ));
    }
    lines.push(format!(
        "Explain   tocsin lookup --row N --in {out}/hits.csv"
    ));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_means_that_all_was_screened_and_nothing_matched_or_was_missing() {
        let with = |word: &str| Counts {
            rows: 1,
            outcomes: [(word.to_owned(), 1)].into(),
            ..Counts::default()
        };
        assert_eq!(exit_of(&with("none"), false), Exit::Ok);
        assert_eq!(exit_of(&with("none"), true), Exit::Stale);
        assert_eq!(exit_of(&with("blocked"), true), Exit::Blocked);
        for word in ["held", "review", "flagged"] {
            assert_eq!(exit_of(&with(word), false), Exit::Held);
        }
        for counts in [
            Counts::default(),
            Counts {
                undecided: 1,
                ..with("none")
            },
            Counts {
                rejected: 1,
                ..with("none")
            },
            Counts {
                damaged: 1,
                ..with("none")
            },
        ] {
            assert_eq!(exit_of(&counts, false), Exit::Undecided);
        }
    }
}
