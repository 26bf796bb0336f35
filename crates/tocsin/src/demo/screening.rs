//! Declarations against the blocks of one market, with the hand tool as a customs agency runs it.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_core::lookup::Outcome;

use super::lines::{self, Planted};
use super::report::{COLUMNS, Done};
use super::walk::Demo;

/// From stop to go.
const OUTCOMES: [Outcome; 5] = [
    Outcome::Blocked,
    Outcome::Held,
    Outcome::Review,
    Outcome::Flagged,
    Outcome::None,
];

/// Screens generated lines in the market that has adopted one order and holds another. Every line
/// that was planted must come out as what it was planted for.
///
/// # Errors
/// When one does not, or the tool fails.
pub(super) async fn screen(demo: &Demo<'_>) -> Result<Done, Failure> {
    let at = &demo.cast.adopter;
    let file = demo.network.dir().join("declarations.csv");
    let planted = tokio::task::block_in_place(|| lines::write(&file, demo.lines))?;
    let summary = run(demo, at, &file).await?;
    std::fs::remove_file(&file).map_err(|e| Failure::file(&file, "remove", &e))?;
    let wrong = |what: String| Failure::new(Exit::Failed, format!("{at}: {what}"));
    check(&summary, demo.lines, planted).map_err(wrong)?;
    let count = |name: &str| summary.get(name).and_then(Value::as_u64).unwrap_or(0);
    let rate = summary.get("rows_per_second").and_then(Value::as_f64);
    let mut done = Done::new(format!("{at} screens {} lines of declarations", demo.lines))
        .line(format!(
            "{:.0} lines a second, against {} blocks",
            rate.unwrap_or(0.0),
            count("blocks")
        ))
        .line(outcomes(&summary));
    let best = summary.get("best").and_then(Value::as_array);
    for of in OUTCOMES {
        let hits = best.into_iter().flatten();
        let is_of = |hit: &&Value| hit.get("outcome").and_then(Value::as_str) == Some(word(of));
        for line in hits.filter(is_of).flat_map(told) {
            done = done.line(line);
        }
    }
    let undecided = count("undecided");
    done = done.line(format!(
        "{undecided} without a match lack what would decide: none is not clear"
    ));
    Ok(done.fact("summary", summary))
}

/// Runs the tool as a process of its own and reads what it sums up.
async fn run(demo: &Demo<'_>, at: &str, file: &Path) -> Result<Value, Failure> {
    let tool = std::env::current_exe()
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot find this program: {e}")))?;
    let mut command = tokio::process::Command::new(tool);
    command
        .args(["-c", &format!("demo-{at}"), "--output", "json", "screen"])
        .arg(file)
        .env("TOCSIN_CONFIG_DIR", demo.network.config_dir())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let failed = |why: String| Failure::new(Exit::Failed, format!("{at}: screening: {why}"));
    let output = command.output().await.map_err(|e| failed(e.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| failed(e.to_string()))
}

fn outcome(summary: &Value, outcome: Outcome) -> u64 {
    let outcomes = summary.get("outcomes");
    let count = outcomes.and_then(|outcomes| outcomes.get(word(outcome)));
    count.and_then(Value::as_u64).unwrap_or(0)
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::None => "none",
        Outcome::Flagged => "flagged",
        Outcome::Review => "review",
        Outcome::Held => "held",
        Outcome::Blocked => "blocked",
    }
}

/// What is stopped is stopped for certain; other goods may well look like what is to be looked at.
fn check(summary: &Value, lines: u64, planted: Planted) -> Result<(), String> {
    let rows = summary.get("rows").and_then(Value::as_u64).unwrap_or(0);
    if rows != lines {
        return Err(format!("{rows} of {lines} lines were screened"));
    }
    let is = |of| outcome(summary, of);
    let stops = [
        (Outcome::Blocked, planted.blocked),
        (Outcome::Held, planted.held),
    ];
    for (of, wanted) in stops {
        if is(of) != wanted {
            return Err(format!("{} lines are {}, not {wanted}", is(of), word(of)));
        }
    }
    let looks = [
        (Outcome::Review, planted.review),
        (Outcome::Flagged, planted.flagged),
    ];
    for (of, least) in looks {
        if is(of) < least {
            return Err(format!("{} lines are {}, not {least}", is(of), word(of)));
        }
    }
    Ok(())
}

fn outcomes(summary: &Value) -> String {
    let said: Vec<String> = OUTCOMES
        .iter()
        .map(|of| format!("{} {}", word(*of), outcome(summary, *of)))
        .collect();
    said.join(", ")
}

/// One hit, with its reasons in words.
fn told(hit: &Value) -> Vec<String> {
    let text = |key: &str| hit.get(key).and_then(Value::as_str).unwrap_or_default();
    let row = hit.get("row").and_then(Value::as_u64).unwrap_or(0);
    let mut lines = vec![format!(
        "{}: line {row}, {} {}",
        text("outcome"),
        text("block"),
        text("title")
    )];
    let because = hit.get("because").and_then(Value::as_array);
    let because = because.into_iter().flatten().filter_map(Value::as_str);
    lines.extend(because.map(|reason| format!("  because {reason}")));
    let limit = text("not_more_because");
    if !limit.is_empty() {
        lines.push(format!("  not more, for {limit}"));
    }
    lines.iter().flat_map(|line| wrapped(line)).collect()
}

/// At the width of the screen, between words; what goes on is set in.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let room = COLUMNS - 4;
        let used = lines.last().map_or(0, |line| line.chars().count());
        if used > 0 && used + word.trim_end().chars().count() > room {
            lines.push("    ".to_owned());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_reasons_are_wrapped_between_words_and_nothing_of_them_is_lost() {
        let text = format!("  because {}", "of a word ".repeat(20));
        let lines = wrapped(&text);
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= COLUMNS - 4));
        let joined: Vec<&str> = lines
            .iter()
            .flat_map(|line| line.split_whitespace())
            .collect();
        assert_eq!(joined, text.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn one_stop_too_many_or_too_few_is_an_error_and_so_is_a_missed_look() {
        let planted = Planted {
            blocked: 2,
            held: 1,
            review: 1,
            flagged: 1,
        };
        let said = |blocked: u64, held: u64, review: u64, flagged: u64| {
            let summary = json!({"rows": 9, "outcomes": {
                "blocked": blocked, "held": held, "review": review, "flagged": flagged, "none": 0,
            }});
            check(&summary, 9, planted).is_ok()
        };
        assert!(said(2, 1, 1, 1) && said(2, 1, 3, 4));
        assert!(!said(3, 1, 1, 1) && !said(1, 1, 1, 1) && !said(2, 2, 1, 1) && !said(2, 1, 0, 1));
        assert!(check(&json!({"rows": 8}), 9, planted).is_err());
    }
}
