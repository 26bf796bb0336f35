//! What a benchmark prints: figures, each with its limit, the limit's terms and the ratio.

use serde_json::{Value, json};
use tocsin_cli::failure::Failure;
use tocsin_cli::output::{Format, Output};

/// A term below this part of its reference was measured on a machine that was busy with something
/// else, or on a slower one: the figures of the run are marked.
pub(super) const NOISY_BELOW: f64 = 0.7;

/// In what a figure or a term is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A rate: more is better.
    PerSecond,
    /// A time: less is better.
    Microseconds,
    /// Memory: less is better.
    Mebibytes,
    /// An amount: less is better.
    Bytes,
    /// A ratio of two figures: less is better.
    Times,
    /// A part of a whole, 0 to 1: more is better, unless said otherwise.
    Share,
}

/// The best that a library or the disk did in this run.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// What was measured.
    pub(super) name: &'static str,
    /// How much.
    pub(super) value: f64,
    /// Of what.
    pub(super) unit: Unit,
    /// The same on two cores of an AMD EPYC of the third generation, where it is known.
    pub(super) reference: Option<f64>,
}

/// What a figure is held against.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    /// In the figure's unit.
    pub(super) value: f64,
    /// How it follows from the terms.
    pub(super) formula: String,
    /// What it follows from.
    pub(super) terms: Vec<Term>,
}

/// When a figure is reached.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// At least this part of the limit.
    AtLeast(f64),
    /// At most so many times the limit.
    AtMost(f64),
    /// None: it is printed to be seen.
    Shown,
}

/// One thing that was measured.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    /// What.
    pub(super) name: String,
    /// How much.
    pub(super) value: f64,
    /// Of what.
    pub(super) unit: Unit,
    /// What it is held against.
    pub(super) limit: Option<Limit>,
    /// When it is reached.
    pub(super) target: Target,
    /// What else there is to say of it.
    pub(super) remark: String,
}

/// All figures of a run.
#[derive(Debug)]
pub(super) struct Report {
    bench: &'static str,
    figures: Vec<Figure>,
    remarks: Vec<String>,
}

impl Term {
    /// A rate, with its reference.
    pub(super) const fn rate(name: &'static str, value: f64, reference: f64) -> Self {
        Self {
            name,
            value,
            unit: Unit::PerSecond,
            reference: Some(reference),
        }
    }

    /// Whether it was measured far from what it should be.
    pub(super) fn is_noisy(&self) -> bool {
        self.reference.is_some_and(|reference| match self.unit {
            Unit::PerSecond | Unit::Share => self.value < NOISY_BELOW * reference,
            Unit::Microseconds | Unit::Mebibytes | Unit::Bytes | Unit::Times => {
                self.value * NOISY_BELOW > reference
            }
        })
    }

    fn json(&self) -> Value {
        json!({
            "term": self.name, "value": rounded(self.value), "unit": self.unit.word(),
            "reference": self.reference.map(rounded), "noisy": self.is_noisy(),
        })
    }
}

impl Limit {
    /// The rate at which one thing after another can be done: 1/(1/a + 1/b + ...).
    pub(super) fn sum_of(terms: Vec<Term>) -> Self {
        let seconds: f64 = terms.iter().map(|term| 1.0 / term.value).sum();
        let parts: Vec<String> = terms
            .iter()
            .map(|term| format!("1/{}", term.name))
            .collect();
        Self {
            value: 1.0 / seconds,
            formula: format!("1/({})", parts.join(" + ")),
            terms,
        }
    }

    /// The time that one thing after another takes.
    pub(super) fn total(terms: Vec<Term>) -> Self {
        let parts: Vec<&str> = terms.iter().map(|term| term.name).collect();
        Self {
            value: terms.iter().map(|term| term.value).sum(),
            formula: parts.join(" + "),
            terms,
        }
    }
}

impl Figure {
    /// A figure that is only shown.
    pub(super) fn shown(name: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
            limit: None,
            target: Target::Shown,
            remark: String::new(),
        }
    }

    /// Held against a limit.
    pub(super) fn against(mut self, limit: Limit, target: Target) -> Self {
        (self.limit, self.target) = (Some(limit), target);
        self
    }

    /// Held against one value that has no terms, such as a known machine's.
    pub(super) fn against_value(self, value: f64, what: &str, target: Target) -> Self {
        let (formula, terms) = (what.to_owned(), Vec::new());
        self.against(
            Limit {
                value,
                formula,
                terms,
            },
            target,
        )
    }

    /// With something else to say.
    pub(super) fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.limit.as_ref().map(|limit| self.value / limit.value)
    }

    /// Whether it is as it should be; none where nothing is asked of it.
    fn is_reached(&self) -> Option<bool> {
        let ratio = self.ratio()?;
        match self.target {
            Target::AtLeast(least) => Some(ratio >= least),
            Target::AtMost(most) => Some(ratio <= most),
            Target::Shown => None,
        }
    }

    fn is_noisy(&self) -> bool {
        self.limit
            .as_ref()
            .is_some_and(|limit| limit.terms.iter().any(Term::is_noisy))
    }

    fn json(&self) -> Value {
        let terms = self.limit.iter().flat_map(|limit| &limit.terms);
        json!({
            "figure": self.name, "value": rounded_as(self.value, self.unit),
            "unit": self.unit.word(),
            "limit": self.limit.as_ref().map(|limit| rounded_as(limit.value, self.unit)),
            "formula": self.limit.as_ref().map(|limit| &limit.formula),
            "terms": terms.map(Term::json).collect::<Vec<_>>(),
            "ratio": self.ratio().map(|ratio| rounded(ratio * 1_000.0) / 1_000.0),
            "target": self.target.text(), "reached": self.is_reached(), "noisy": self.is_noisy(),
            "remark": self.remark,
        })
    }

    fn tell(&self, out: &mut Output) -> Result<(), Failure> {
        let value = amount(self.value, self.unit);
        let Some(limit) = &self.limit else {
            let remark = joined(" (", &self.remark, ")");
            return out.say(&format!("{:<46} {value}{remark}", self.name));
        };
        let ratio = self.ratio().unwrap_or_default();
        let verdict = match self.is_reached() {
            Some(true) => ", reached",
            Some(false) => ", NOT reached",
            None => "",
        };
        let noisy = if self.is_noisy() { ", NOISY run" } else { "" };
        out.say(&format!("{:<46} {value}", self.name))?;
        out.say(&format!(
            "    {ratio:.2} of the limit {}; {}{verdict}{noisy}",
            amount(limit.value, self.unit),
            self.target.text(),
        ))?;
        let terms: Vec<String> = limit.terms.iter().map(told).collect();
        let terms = joined("; ", &terms.join(", "), "");
        out.say(&format!("    limit: {}{terms}", limit.formula))?;
        if self.remark.is_empty() {
            return Ok(());
        }
        out.say(&format!("    {}", self.remark))
    }
}

impl Report {
    pub(super) const fn new(bench: &'static str) -> Self {
        Self {
            bench,
            figures: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Takes a figure, and tells people at once.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn add(&mut self, figure: Figure, out: &mut Output) -> Result<(), Failure> {
        figure.tell(out)?;
        self.figures.push(figure);
        Ok(())
    }

    /// Takes a sentence about the run.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn say(&mut self, remark: &str, out: &mut Output) -> Result<(), Failure> {
        out.say(remark)?;
        self.remarks.push(remark.to_owned());
        Ok(())
    }

    /// The whole, for programs.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub(super) fn finish(self, out: &mut Output) -> Result<(), Failure> {
        if out.format() == Format::Table {
            return Ok(());
        }
        let figures: Vec<Value> = self.figures.iter().map(Figure::json).collect();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let value = json!({
            "bench": self.bench, "cores": cores, "figures": figures, "remarks": self.remarks,
        });
        out.object(
            "bench",
            &[("bench", "bench"), ("figures", "figures")],
            &value,
        )
    }
}

impl Unit {
    const fn word(self) -> &'static str {
        match self {
            Self::PerSecond => "1/s",
            Self::Microseconds => "us",
            Self::Mebibytes => "MiB",
            Self::Bytes => "B",
            Self::Times => "x",
            Self::Share => "share",
        }
    }
}

impl Target {
    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least:.2}"),
            Self::AtMost(most) => format!("at most {most:.2}"),
            Self::Shown => "shown".to_owned(),
        }
    }
}

fn told(term: &Term) -> String {
    let noisy = if term.is_noisy() { " (noisy)" } else { "" };
    format!("{} {}{noisy}", term.name, amount(term.value, term.unit))
}

fn joined(before: &str, text: &str, after: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("{before}{text}{after}")
    }
}

/// For people: whole numbers but for ratios.
fn amount(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{value:.0}/s"),
        Unit::Microseconds => format!("{value:.0} us"),
        Unit::Mebibytes => format!("{value:.0} MiB"),
        Unit::Bytes => format!("{value:.0} B"),
        Unit::Times => format!("{value:.2} x"),
        Unit::Share => format!("{value:.4}"),
    }
}

/// For programs: a share keeps what matters of it.
fn rounded_as(value: f64, unit: Unit) -> f64 {
    match unit {
        Unit::Share => (value * 100_000.0).round() / 100_000.0,
        Unit::PerSecond | Unit::Microseconds | Unit::Mebibytes | Unit::Bytes | Unit::Times => {
            rounded(value)
        }
    }
}

fn rounded(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms() -> Vec<Term> {
        vec![
            Term::rate("echo", 30_000.0, 32_700.0),
            Term::rate("sign", 60_000.0, 87_000.0),
        ]
    }

    #[test]
    fn a_limit_of_rates_is_their_harmonic_sum() {
        let limit = Limit::sum_of(terms());
        assert!((limit.value - 20_000.0).abs() < 1e-6, "{}", limit.value);
        assert_eq!(limit.formula, "1/(1/echo + 1/sign)");
    }

    #[test]
    fn a_figure_says_whether_it_is_reached_and_whether_the_run_was_noisy() {
        let figure = |value| {
            Figure::shown("unary", value, Unit::PerSecond)
                .against(Limit::sum_of(terms()), Target::AtLeast(0.65))
        };
        assert_eq!(figure(13_100.0).is_reached(), Some(true));
        assert_eq!(figure(12_900.0).is_reached(), Some(false));
        assert!(figure(1.0).is_noisy(), "60,000 is below 0.7 of 87,000");
        assert_eq!(Figure::shown("x", 1.0, Unit::PerSecond).is_reached(), None);
    }

    #[test]
    fn a_time_is_noisy_when_it_is_too_long() {
        let flush = |value| Term {
            name: "flush",
            value,
            unit: Unit::Microseconds,
            reference: Some(204.0),
        };
        assert!(flush(300.0).is_noisy());
        assert!(!flush(290.0).is_noisy());
    }
}
