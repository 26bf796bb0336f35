//! `lint`: what the door would refuse, how complete a document is, and what readers will miss.

use serde_json::{Value, json};

use crate::args::LintArgs;
use crate::context::member;
use crate::document::{Document, Finding, Kind, Level, Lint, Place, lint, read};
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format};
use crate::session::Session;
use unicode_width::UnicodeWidthStr;

/// Columns of the text for people: what fits a terminal of the usual width.
const TEXT_COLUMNS: usize = 78;

const COLUMNS: &[Column] = &[
    ("LEVEL", "level"),
    ("FIELD", "field"),
    ("POINTS", "points"),
    ("WHAT", "text"),
    ("CODE", "code"),
    ("WHY", "why"),
    ("ABROAD", "abroad"),
];

/// `KIND lint`.
///
/// # Errors
/// When the file cannot be read at all.
pub fn run(session: &mut Session, kind: Kind, args: &LintArgs) -> Result<Exit, Failure> {
    let found = match read(kind, &args.file) {
        Ok(document) => judged(session, &document),
        Err(failure) if failure.details.is_empty() => return Err(failure),
        Err(failure) => Lint::unreadable(&failure.details),
    };
    let exit = exit_of(&found, args.min_completeness);
    let rows: Vec<Value> = found.findings.iter().map(row).collect();
    match session.out.format() {
        Format::Csv => session.out.list("findings", COLUMNS, &rows)?,
        Format::Json | Format::Jsonl => {
            let value = json!({
                "file": args.file.display().to_string(),
                "document": kind.word(),
                "completeness": found.score,
                "min_completeness": args.min_completeness,
                "ready": found.worst() != Some(Level::Error),
                "findings": rows,
            });
            session.out.object("lint", &[], &value)?;
        }
        Format::Table => print(session, &found)?,
    }
    session.out.say(&verdict(kind, &found, args))?;
    Ok(exit)
}

/// Judged for the context's member where there is one.
fn judged(session: &mut Session, document: &Document) -> Lint {
    let mut place = Place {
        log: None,
        jurisdiction: None,
        now_ms: instant::now_ms(),
    };
    let ours = session.context().and_then(|context| {
        let alliance = context.open_alliance()?;
        let member = member(&alliance, &context.member)?;
        Ok((member.origin.log_name(), member.jurisdiction.clone()))
    });
    match ours {
        Ok((log, jurisdiction)) => {
            place.log = Some(log);
            place.jurisdiction = Some(jurisdiction);
        }
        Err(_) => session
            .out
            .note("No context can be used, so it is judged for no member in particular."),
    }
    lint(document, &place)
}

/// 21 where it cannot be signed or is less complete than asked for; 20 where readers will miss
/// something and no bound was given; else 0.
fn exit_of(found: &Lint, min: Option<u32>) -> Exit {
    match (found.worst(), min) {
        (Some(Level::Error), _) => Exit::ChecksFailed,
        (Some(Level::Gap | Level::Note) | None, Some(min)) => {
            // What cannot be graded is not known to be complete.
            if found.score.is_some_and(|score| score >= min) {
                Exit::Ok
            } else {
                Exit::ChecksFailed
            }
        }
        (Some(Level::Gap), None) => Exit::Warnings,
        (Some(Level::Note) | None, None) => Exit::Ok,
    }
}

fn row(finding: &Finding) -> Value {
    json!({
        "level": finding.level.word(),
        "field": finding.field,
        "text": finding.text,
        "code": finding.code,
        "why": finding.why,
        "abroad": finding.abroad,
        "points": finding.points,
    })
}

fn print(session: &mut Session, found: &Lint) -> Result<(), Failure> {
    if let Some(score) = found.score {
        session.out.text(&format!("Completeness {score} of 100"))?;
    }
    for finding in &found.findings {
        session.out.text(&paragraph(finding))?;
    }
    Ok(())
}

/// One finding: what, with its points or code, and below it why it matters and what a reader
/// abroad cannot do.
fn paragraph(finding: &Finding) -> String {
    let mark = match finding.level {
        Level::Error => "error".to_owned(),
        Level::Gap => format!("-{}", finding.points),
        Level::Note => "note".to_owned(),
    };
    let mut what = finding.text.clone();
    if !finding.field.is_empty() {
        what = format!("{}: {what}", finding.field);
    }
    if !finding.code.is_empty() {
        what.push_str(&format!(" [{}]", finding.code));
    }
    let mut lines = wrapped(&format!("{mark:>5}  "), &what);
    for (label, text) in [("why", finding.why), ("abroad", finding.abroad)] {
        if !text.is_empty() {
            lines.extend(wrapped(&format!("{:7}{label}: ", ""), text));
        }
    }
    lines.join("\n")
}

/// Breaks between words, each further line below the first word.
fn wrapped(head: &str, text: &str) -> Vec<String> {
    let indent = head.width();
    let mut lines = Vec::new();
    let mut line = head.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        if !is_empty && line.width() + 1 + word.width() > TEXT_COLUMNS {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    lines.push(line);
    lines
}

fn verdict(kind: Kind, found: &Lint, args: &LintArgs) -> String {
    let (word, file) = (kind.word(), args.file.display());
    let next = match kind {
        Kind::Decision => String::new(),
        Kind::Report | Kind::Indicator | Kind::Order | Kind::Policy => {
            format!("\nNext:  tocsin {word} sign {file}")
        }
    };
    let below = |min: &u32| found.score.is_none_or(|score| score < *min);
    match (found.worst(), args.min_completeness.filter(below)) {
        (Some(Level::Error), _) => "It cannot be signed yet.".to_owned(),
        (Some(Level::Gap | Level::Note) | None, Some(min)) => {
            format!("Less complete than the {min} asked for.")
        }
        (Some(Level::Gap), None) => {
            format!("It can be signed; readers will miss what is named above.{next}")
        }
        (Some(Level::Note) | None, None) => format!("Complete. Ready to sign.{next}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(level: Level, points: u32) -> Finding {
        Finding {
            level,
            field: "articles.selectors".into(),
            text: "nothing that decides: no item number, serial range or model number at all"
                .into(),
            code: if level == Level::Error {
                "LIST_EMPTY"
            } else {
                ""
            },
            why: "identifiers decide, descriptions only suggest",
            abroad: "a screener cannot tell these goods from any others",
            points,
        }
    }

    fn found(score: Option<u32>, findings: Vec<Finding>) -> Lint {
        Lint { score, findings }
    }

    #[test]
    fn errors_fail_gaps_warn_and_notes_pass() {
        let exits = [
            (vec![finding(Level::Error, 0)], Exit::ChecksFailed),
            (vec![finding(Level::Gap, 20)], Exit::Warnings),
            (vec![finding(Level::Note, 0)], Exit::Ok),
            (vec![], Exit::Ok),
        ];
        for (findings, exit) in exits {
            assert_eq!(exit_of(&found(Some(80), findings), None), exit);
        }
    }

    #[test]
    fn a_script_says_how_complete_is_complete_enough() {
        let gap = || vec![finding(Level::Gap, 20)];
        assert_eq!(exit_of(&found(Some(80), gap()), Some(80)), Exit::Ok);
        assert_eq!(
            exit_of(&found(Some(80), gap()), Some(81)),
            Exit::ChecksFailed
        );
        let error = vec![finding(Level::Error, 0)];
        assert_eq!(
            exit_of(&found(Some(100), error), Some(0)),
            Exit::ChecksFailed
        );
        assert_eq!(exit_of(&found(None, vec![]), Some(0)), Exit::ChecksFailed);
    }

    #[test]
    fn what_why_and_abroad_fit_the_terminal_and_stand_below_each_other() {
        let text = paragraph(&finding(Level::Gap, 20));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("  -20  articles.selectors: nothing"),
            "{text}"
        );
        assert!(lines[1].starts_with("       "), "{text}");
        assert!(
            lines.iter().all(|line| line.width() <= TEXT_COLUMNS),
            "{text}"
        );
        assert!(text.contains("       why: identifiers"), "{text}");
        assert!(text.contains("       abroad: a screener"), "{text}");
        let error = paragraph(&finding(Level::Error, 0));
        assert!(error.contains("[LIST_EMPTY]"), "{error}");
    }

    #[test]
    fn wide_characters_count_two_columns_when_lines_are_broken() {
        let lines = wrapped("", &"日本語日本語 ".repeat(12));
        assert!(lines.len() > 1);
        assert!(
            lines.iter().all(|line| line.width() <= TEXT_COLUMNS),
            "{lines:?}"
        );
    }
}
