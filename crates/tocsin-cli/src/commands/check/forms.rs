//! How checks are told: to people, to Nagios and its kin, to Prometheus.

use std::fmt::Write as _;

use super::{Measure, Report, Row, Status};
use crate::instant;
use crate::output::clean_line;

/// In the order in which they are shown.
pub(crate) const CATEGORIES: [&str; 4] = ["identity", "network", "log", "service"];

/// For people: what is well takes one line for each code, what is not says what to do.
pub(crate) fn text(report: &Report, is_verbose: bool) -> String {
    let wide = report.rows.iter().map(|row| row.code.len()).max();
    let wide = wide.unwrap_or_default();
    let mut lines = Vec::new();
    for category in CATEGORIES {
        let rows: Vec<&Row> = of_category(report, category).collect();
        if rows.is_empty() {
            continue;
        }
        lines.push(category.to_owned());
        let mut rest = rows.as_slice();
        while let Some(first) = rest.first() {
            let same = rest.iter().take_while(|row| row.code == first.code).count();
            let (group, after) = rest.split_at(same);
            rest = after;
            if !is_verbose && same > 1 && group.iter().all(|row| row.status == Status::Ok) {
                let subjects: Vec<&str> = group.iter().map(|row| row.subject.as_str()).collect();
                let all = clean_line(&subjects.join(", "));
                lines.push(format!("  ok    {:wide$}  {all}", first.code));
                continue;
            }
            group.iter().for_each(|row| tell_row(row, wide, &mut lines));
        }
    }
    lines.push(summary(report));
    if report.count(Status::Failed) + report.count(Status::Warning) > 0 {
        lines.push("More on each:  tocsin explain CODE".to_owned());
    }
    lines.join("\n")
}

/// One change, as `--watch` tells it: when, and how it stands now.
pub(crate) fn change(row: &Row, at_ms: i64) -> String {
    let mut lines = Vec::new();
    tell_row(row, row.code.len(), &mut lines);
    let told = lines.join("\n");
    format!("{}{told}", instant::show(at_ms))
}

fn of_category<'a>(report: &'a Report, category: &'a str) -> impl Iterator<Item = &'a Row> {
    report
        .rows
        .iter()
        .filter(move |row| row.category == category)
}

fn tell_row(row: &Row, wide: usize, lines: &mut Vec<String>) {
    let word = match row.status {
        Status::Ok => "ok   ",
        Status::Skipped => "skip ",
        Status::Warning => "WARN ",
        Status::Failed => "FAIL ",
    };
    let detail = clean_line(&row.detail);
    lines.push(format!("  {word} {:wide$}  {detail}", row.code));
    if !row.fix.is_empty() {
        let whose = if row.side.is_empty() {
            "to do".to_owned()
        } else {
            format!("on the side of {}", row.side)
        };
        let since = match instant::show(row.since_ms) {
            since if since.is_empty() => since,
            since => format!("since {since}; "),
        };
        let fix = clean_line(&format!("{since}{whose}: {}", row.fix));
        lines.push(format!("        {:wide$}  {fix}", ""));
    }
}

fn summary(report: &Report) -> String {
    let mut parts = vec![format!("{} ok", report.count(Status::Ok))];
    for (status, one, many) in [
        (Status::Warning, "warning", "warnings"),
        (Status::Failed, "failed", "failed"),
        (Status::Skipped, "skipped", "skipped"),
    ] {
        match report.count(status) {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            count => parts.push(format!("{count} {many}")),
        }
    }
    let mut text = format!("{} checks: {}.", report.rows.len(), parts.join(", "));
    if !report.is_reached {
        text.push_str(" The node did not answer: it made none of its own.");
    }
    text
}

/// The plug-in interface of Nagios: one line with performance data behind a bar, then details.
pub(crate) fn nagios(report: &Report) -> String {
    let word = match (report.is_reached, report.worst()) {
        (false, _) => "UNKNOWN",
        (true, Status::Ok | Status::Skipped) => "OK",
        (true, Status::Warning) => "WARNING",
        (true, Status::Failed) => "CRITICAL",
    };
    let measured = report.rows.iter().filter_map(|row| {
        let measure = row.measure.as_ref()?;
        Some(performance(row, measure))
    });
    let measured: Vec<String> = measured.collect();
    let first = format!("TOCSIN {word} - {}", summary(report));
    let mut lines = vec![format!("{} | {}", unbarred(&first), measured.join(" "))];
    let mut wrong: Vec<&Row> = report.rows.iter().filter(|row| is_wrong(row)).collect();
    wrong.sort_by_key(|row| std::cmp::Reverse(row.status));
    for row in wrong {
        let fix = match (row.fix.as_str(), row.side.as_str()) {
            ("", _) => String::new(),
            (fix, "") => format!("; to do: {fix}"),
            (fix, side) => format!("; on the side of {side}: {fix}"),
        };
        let line = format!("{} {}: {}{fix}", row.status.word(), row.code, row.detail);
        lines.push(unbarred(&line));
    }
    lines.push(String::new());
    lines.join("\n")
}

const fn is_wrong(row: &Row) -> bool {
    matches!(row.status, Status::Warning | Status::Failed)
}

/// The bar begins performance data, so it stands in no other text.
fn unbarred(text: &str) -> String {
    clean_line(text).replace('|', "/")
}

/// `'label'=value[unit];warn;crit`: where less is worse, thresholds are ranges that begin there.
fn performance(row: &Row, measure: &Measure) -> String {
    let label = if row.subject.is_empty() {
        row.code.clone()
    } else {
        format!("{} {}", row.code, row.subject)
    };
    let label = unbarred(&label).replace(['\'', '='], "_");
    let unit = match measure.unit.as_str() {
        "seconds" => "s",
        _ => "",
    };
    let is_falling = measure.fail_at <= measure.warn_at;
    let threshold = |at: f64| match (at.is_finite(), is_falling) {
        (false, _) => String::new(),
        (true, true) => format!("{at}:"),
        (true, false) => format!("{at}"),
    };
    let (warn, fail) = (threshold(measure.warn_at), threshold(measure.fail_at));
    format!("'{label}'={}{unit};{warn};{fail}", measure.value)
}

/// Prometheus' text exposition format, version 0.0.4.
pub(crate) fn prometheus(report: &Report) -> String {
    let mut text = String::new();
    let mut family = |name: &str, help: &str, lines: Vec<(String, f64)>| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in lines {
            let _ = writeln!(text, "{name}{labels} {}", number(value));
        }
    };
    let labels = |row: &Row| {
        format!(
            "{{code=\"{}\",category=\"{}\",subject=\"{}\",side=\"{}\"}}",
            label(&row.code),
            label(&row.category),
            label(&row.subject),
            label(&row.side)
        )
    };
    let statuses = report.rows.iter().map(|row| {
        let status = match row.status {
            Status::Ok => 0.0,
            Status::Warning => 1.0,
            Status::Failed => 2.0,
            Status::Skipped => 3.0,
        };
        (labels(row), status)
    });
    family(
        "tocsin_check_status",
        "How a check came out: 0 ok, 1 warning, 2 failed, 3 skipped.",
        statuses.collect(),
    );
    let measured = |pick: fn(&Measure) -> f64| -> Vec<(String, f64)> {
        let rows = report.rows.iter().filter_map(|row| {
            let measure = row.measure.as_ref()?;
            let (code, subject) = (label(&row.code), label(&row.subject));
            let unit = label(&measure.unit);
            let labels = format!("{{code=\"{code}\",subject=\"{subject}\",unit=\"{unit}\"}}");
            Some((labels, pick(measure)))
        });
        rows.collect()
    };
    family(
        "tocsin_check_value",
        "What a check measured.",
        measured(|measure| measure.value),
    );
    family(
        "tocsin_check_warn_threshold",
        "From where on it warns.",
        measured(|measure| measure.warn_at),
    );
    family(
        "tocsin_check_fail_threshold",
        "From where on it fails.",
        measured(|measure| measure.fail_at),
    );
    let is_up = f64::from(u8::from(report.is_reached));
    family(
        "tocsin_check_node_up",
        "Whether the node answered its checks.",
        vec![(String::new(), is_up)],
    );
    text
}

fn number(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// A label's value: backslash, quote and line feed are escaped, what else steers is taken out.
fn label(text: &str) -> String {
    clean_line(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, row};
    use super::*;

    fn sample() -> Report {
        let mut gone = row("PEER_CONNECTED", "jp", Status::Failed);
        gone.detail = "jp is | gone\nfor good".to_owned();
        (gone.fix, gone.side) = ("tell jp".to_owned(), "jp".to_owned());
        let mut disk = row("DISK_LEFT", "", Status::Warning);
        (disk.category, disk.since_ms) = ("service".to_owned(), 0);
        disk.measure = Some(Measure {
            value: 0.25,
            unit: "ratio".to_owned(),
            warn_at: 0.5,
            fail_at: 0.1,
        });
        disk.fix = "make room".to_owned();
        let mut clock = row("PEER_CLOCK", "us", Status::Ok);
        clock.measure = Some(Measure {
            value: 0.04,
            unit: "seconds".to_owned(),
            warn_at: 30.0,
            fail_at: f64::INFINITY,
        });
        report(vec![
            row("PEER_CA", "jp", Status::Ok),
            row("PEER_CA", "us", Status::Ok),
            gone,
            clock,
            disk,
        ])
    }

    #[test]
    fn people_read_what_is_wrong_whose_it_is_and_what_to_do() {
        let told = text(&sample(), false);
        assert_eq!(
            told,
            "network\n\
             \x20 ok    PEER_CA         jp, us\n\
             \x20 FAIL  PEER_CONNECTED  jp is | gone for good\n\
             \x20                       since 2027-01-15T08:00:00Z; on the side of jp: tell jp\n\
             \x20 ok    PEER_CLOCK      how us stands\n\
             service\n\
             \x20 WARN  DISK_LEFT       how  stands\n\
             \x20                       to do: make room\n\
             5 checks: 3 ok, 1 warning, 1 failed.\n\
             More on each:  tocsin explain CODE"
        );
        assert!(text(&sample(), true).contains("PEER_CA         how us stands"));
    }

    #[test]
    fn a_plug_in_gets_one_line_with_performance_data_then_the_worst_first() {
        let told = nagios(&sample());
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(
            lines[0],
            "TOCSIN CRITICAL - 5 checks: 3 ok, 1 warning, 1 failed. | \
             'PEER_CLOCK us'=0.04s;30; 'DISK_LEFT'=0.25;0.5:;0.1:"
        );
        assert_eq!(
            lines[1],
            "failed PEER_CONNECTED: jp is / gone for good; on the side of jp: tell jp"
        );
        assert!(lines[2].starts_with("warning DISK_LEFT"));
        let mut silent = sample();
        silent.is_reached = false;
        assert!(nagios(&silent).starts_with("TOCSIN UNKNOWN"));
    }

    #[test]
    fn prometheus_reads_a_line_for_each_check_with_hostile_text_escaped() {
        let mut report = sample();
        report.rows[2].subject = "j\"p\\\u{1b}".to_owned();
        let told = prometheus(&report);
        let wanted = "tocsin_check_status{code=\"PEER_CONNECTED\",category=\"network\",\
                      subject=\"j\\\"p\\\\\u{fffd}\",side=\"jp\"} 2\n";
        assert!(told.contains(wanted), "{told}");
        let never = "tocsin_check_fail_threshold{code=\"PEER_CLOCK\",subject=\"us\",\
                     unit=\"seconds\"} +Inf\n";
        assert!(told.contains(never), "{told}");
        assert!(told.contains("tocsin_check_node_up 1\n"));
        for line in told.lines() {
            assert!(
                line.starts_with("# ") || line.starts_with("tocsin_check_"),
                "{line}"
            );
        }
    }
}
