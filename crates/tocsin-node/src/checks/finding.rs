//! What a check says, and how a share of a lifetime becomes a verdict.

use super::snapshot::{Unread, Validity};

/// A certificate, hold, draft or disk warns when less than this share of its life is left.
pub(crate) const LEFT_WARN: f64 = 1.0 / 3.0;
/// And fails when less than this is left.
pub(crate) const LEFT_FAIL: f64 = 1.0 / 10.0;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    /// It could not be made; the detail says because of what.
    Skipped,
    Warning,
    Failed,
}

/// One thing that a check found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) status: Status,
    /// As a sentence without its full stop.
    pub(crate) detail: String,
    /// What to do, as a command where there is one.
    pub(crate) fix: String,
    /// The member on whose side it is; empty = ours.
    pub(crate) side: String,
    /// Since when, where the facts say so (Unix ms); 0 = since it was first seen so.
    pub(crate) since_ms: i64,
    pub(crate) measure: Option<Measure>,
}

/// A quantity with its thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) warn_at: f64,
    pub(crate) fail_at: f64,
}

impl Finding {
    pub(crate) fn of(status: Status, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            fix: String::new(),
            side: String::new(),
            since_ms: 0,
            measure: None,
        }
    }

    pub(crate) fn ok(detail: impl Into<String>) -> Self {
        Self::of(Status::Ok, detail)
    }

    pub(crate) fn warning(detail: impl Into<String>) -> Self {
        Self::of(Status::Warning, detail)
    }

    pub(crate) fn failed(detail: impl Into<String>) -> Self {
        Self::of(Status::Failed, detail)
    }

    /// Not made, because of another check or because there is nothing to look at yet.
    pub(crate) fn skipped(because: impl std::fmt::Display) -> Self {
        Self::of(Status::Skipped, format!("skipped, because {because}"))
    }

    /// What to do; said only where something is to be done.
    #[must_use]
    pub(crate) fn fix(mut self, fix: impl Into<String>) -> Self {
        match self.status {
            Status::Ok | Status::Skipped => {}
            Status::Warning | Status::Failed => self.fix = fix.into(),
        }
        self
    }

    /// Whom it is about, where that is another member.
    #[must_use]
    pub(crate) fn side(mut self, member: &str) -> Self {
        member.clone_into(&mut self.side);
        self
    }

    /// Whom it is about, if anything is wrong with them.
    #[must_use]
    pub(crate) fn side_of_fault(self, member: &str) -> Self {
        match self.status {
            Status::Ok | Status::Skipped => self,
            Status::Warning | Status::Failed => self.side(member),
        }
    }

    #[must_use]
    pub(crate) const fn since(mut self, since_ms: i64) -> Self {
        self.since_ms = since_ms;
        self
    }

    #[must_use]
    pub(crate) const fn measured(mut self, measure: Measure) -> Self {
        self.measure = Some(measure);
        self
    }

    /// By a share of a life that is left, with the usual thresholds.
    pub(crate) fn by_left(left: f64, detail: impl Into<String>) -> Self {
        let measure = Measure {
            value: left,
            unit: "ratio",
            warn_at: LEFT_WARN,
            fail_at: LEFT_FAIL,
        };
        Self::of(measure.falling(), detail).measured(measure)
    }
}

impl Measure {
    /// Where less is worse. What is no number is the worst.
    pub(crate) fn falling(&self) -> Status {
        match self.value {
            value if value >= self.warn_at => Status::Ok,
            value if value >= self.fail_at => Status::Warning,
            _ => Status::Failed,
        }
    }

    /// Where more is worse. What is no number is the worst.
    pub(crate) fn rising(&self) -> Status {
        match self.value {
            value if value < self.warn_at => Status::Ok,
            value if value < self.fail_at => Status::Warning,
            _ => Status::Failed,
        }
    }
}

/// A certificate by the share of its own life that is left.
pub(crate) fn certificate(what: &str, validity: &Unread<Validity>, now_ms: i64) -> Finding {
    let validity = match validity {
        Ok(validity) => validity,
        Err(why) => return Finding::failed(format!("{what} cannot be read: {why}")),
    };
    let until = tocsin_core::date::display(validity.until_ms);
    let left = validity.left(now_ms);
    let life = validity.until_ms.saturating_sub(validity.from_ms);
    if now_ms < validity.from_ms {
        let from = tocsin_core::date::display(validity.from_ms);
        let detail =
            format!("{what} is not valid before {from}: it was made ahead, or a clock is wrong");
        let mut finding = Finding::failed(detail);
        finding.measure = Finding::by_left(0.0, "").measure;
        return finding;
    }
    if left <= 0.0 {
        return Finding::by_left(0.0, format!("{what} ended at {until}")).since(validity.until_ms);
    }
    let detail = format!(
        "{what} has {} of its {} left, until {until}",
        percent(left),
        span(life)
    );
    let finding = Finding::by_left(left, detail);
    match finding.status {
        Status::Warning => finding.since(validity.until_ms - life / 3),
        Status::Failed => finding.since(validity.until_ms - life / 10),
        Status::Ok | Status::Skipped => finding,
    }
}

/// A length of time as people say it, in its largest unit: `40 s`, `12 min`, `3 h`, `89 d`.
pub(crate) fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// A share as people say it; what is small is not called nothing.
pub(crate) fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.01 {
        return "under 1 %".to_owned();
    }
    format!("{:.0} %", (share * 100.0).floor())
}

/// Bytes as people say them: `3.2 GiB`.
pub(crate) fn size(bytes: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let (mut value, mut at) = (bytes.max(0.0), 0);
    while value >= 1_024.0 && at + 1 < units.len() {
        value /= 1_024.0;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or_default();
    if at == 0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// `1 entry`, `2 entries`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
