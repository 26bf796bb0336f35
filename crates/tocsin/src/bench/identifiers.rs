//! How often a hold is right: orders and lines built from goods and organisations of a labelled
//! folder, near misses among them.

use std::sync::Arc;

use tocsin_cli::failure::Failure;
use tocsin_cli::output::Output;
use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party as Respondent, PartyKind};
use tocsin_core::product::{Article, Selector, Strength};
use tocsin_core::statement::StatementRef;
use tocsin_core::terms::Terms;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_screen::answer::Basis;
use tocsin_screen::index::{Scratch, Screen};
use tocsin_screen::line::{Line, Party, Role};

use super::report::{Figure, Limit, Report, Target, Unit};
use super::tally::Tally;

/// Builds, checks, tells.
///
/// # Errors
/// When nobody reads any more.
pub(super) fn run(
    models: &[(String, String)],
    organisations: &[(String, String)],
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let cases = cases(models, organisations);
    let notices = cases.iter().enumerate().map(|(at, case)| case.notice(at));
    let basis = Basis {
        position: Cursor {
            view: View::NONE,
            vector: Vector::default(),
        },
        ages: Vec::new(),
    };
    let screen = Screen::build(notices, basis);
    let mut scratch = Scratch::default();
    let mut holds = Tally::default();
    let mut lines = 0;
    for (at, case) in cases.iter().enumerate() {
        for filed in case.lines(cases.get((at + 1) % cases.len())) {
            lines += 1;
            let parties = [Party {
                role: Role::Importer,
                name: &filed.importer,
                identifiers: &[],
                country: "",
            }];
            let line = Line {
                models: &[&filed.model],
                parties: &parties,
                ..Line::default()
            };
            let answer = screen.check_with(&line, NOW_MS, &mut scratch);
            let is_held = matches!(answer.outcome, Outcome::Blocked | Outcome::Held);
            match (is_held, filed.is_barred) {
                (true, true) => holds.found += 1,
                (true, false) => holds.wrong += 1,
                (false, true) => holds.missed += 1,
                (false, false) => {}
            }
        }
    }
    let remark = format!(
        "{} answers blocked or held on {lines} lines against {} orders; recall {:.3}",
        holds.found + holds.wrong,
        cases.len(),
        holds.recall(),
    );
    let limit = Limit {
        value: 0.98,
        formula: "0.98".to_owned(),
        terms: Vec::new(),
    };
    let figure = Figure::shown("holds precision", holds.precision(), Unit::Share).remark(remark);
    report.add(figure.against(limit, Target::AtLeast(1.0)), out)
}

/// A limited order on one model of one firm.
struct Case {
    model: String,
    firm: String,
}

/// What a line says, and whether the order of its case bars it.
struct Filed {
    model: String,
    importer: String,
    is_barred: bool,
}

/// Strong model numbers, each once, with a firm each.
fn cases(models: &[(String, String)], organisations: &[(String, String)]) -> Vec<Case> {
    let mut seen = std::collections::BTreeSet::new();
    let strong = models.iter().filter(|(_, model)| {
        let canonical = Selector::Model(model.clone()).canonical();
        let is_strong = canonical
            .as_ref()
            .is_ok_and(|c| c.strength() == Strength::Strong);
        let has_digit = model.bytes().any(|byte| byte.is_ascii_digit());
        let form = canonical
            .map(|c| c.selector().to_string())
            .unwrap_or_default();
        is_strong && has_digit && seen.insert(form)
    });
    let firms = organisations.iter().filter(|(_, name)| name.len() >= 8);
    let cases = strong.zip(firms).map(|((_, model), (_, firm))| Case {
        model: model.clone(),
        firm: firm.clone(),
    });
    cases.take(MAX_CASES).collect()
}

impl Case {
    fn notice(&self, at: usize) -> Notice {
        let order = format!("US-2026-{:04}", at + 1);
        let block = format!("{order}@US");
        Notice {
            version: 1,
            // Some are held, so that both outcomes are counted.
            state: if at % 4 == 3 {
                BlockState::Held
            } else {
                BlockState::InForce
            },
            reason: String::new(),
            since_ms: FROM_MS,
            from_ms: FROM_MS,
            until_ms: UNTIL_MS,
            order_ref: StatementRef {
                log: "bench.example/us".into(),
                statement_id: Hash::of(block.as_bytes()),
            },
            decision_id: None,
            basis: "19 U.S.C. 1337(d)".into(),
            by: By::Issuer,
            scope: Arc::new(self.order()),
            selectors_missing: false,
            exercise: true,
            grade: Grade::Local,
            also_blocked_by: Vec::new(),
            block,
            order,
        }
    }

    fn order(&self) -> Order {
        Order {
            case_ref: "337-TA-1".into(),
            title: "Goods of a labelled set".into(),
            instrument: Instrument::Us337Leo,
            scope: ScopeKind::Limited,
            respondents: vec![Respondent {
                kind: PartyKind::Company,
                names: vec![self.firm.clone()],
                identifiers: Vec::new(),
                country: String::new(),
            }],
            articles: vec![Article {
                description: "goods of a labelled set".into(),
                selectors: vec![Selector::Model(self.model.clone())],
            }],
            rights: Vec::new(),
            no_right_reason: "built for a benchmark".into(),
            phase: Phase::Final,
            from_ms: FROM_MS,
            until_ms: UNTIL_MS,
            counterfeit: false,
            summary: String::new(),
            exercise: true,
            terms: Terms::default(),
        }
    }

    /// The goods as filed by the firm, in other spellings; and near misses: a neighbouring model,
    /// a name with another word or number, another firm.
    fn lines(&self, other: Option<&Self>) -> Vec<Filed> {
        let line = |model: &str, importer: String, is_barred| Filed {
            model: model.to_owned(),
            importer,
            is_barred,
        };
        let spaced = self.model.to_uppercase().replace('-', " ");
        let neighbour = neighbour(&self.model);
        let other = other.map_or("Nobody", |other| &other.firm);
        vec![
            line(&spaced, self.firm.to_lowercase(), true),
            line(&self.model, reversed(&self.firm), true),
            line(&neighbour, self.firm.clone(), false),
            line(&self.model, other.to_owned(), false),
            line(&self.model, format!("{} 7", self.firm), false),
            line(&self.model, format!("Borealis {}", self.firm), false),
        ]
    }
}

/// The next digit for the last digit.
fn neighbour(model: &str) -> String {
    let at = model.rfind(|c: char| c.is_ascii_digit());
    let letters = model.char_indices().map(|(place, c)| match c.to_digit(10) {
        Some(digit) if Some(place) == at => char::from_digit((digit + 1) % 10, 10).unwrap_or(c),
        Some(_) | None => c,
    });
    letters.collect()
}

/// The words in another order.
fn reversed(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().rev().collect();
    words.join(" ")
}

const MAX_CASES: usize = 1_000;
/// 2026-01-01 to 2030-01-01, and an instant between.
const FROM_MS: i64 = 1_767_225_600_000;
const UNTIL_MS: i64 = 1_893_456_000_000;
const NOW_MS: i64 = 1_795_305_600_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_neighbour_differs_in_one_digit() {
        assert_eq!(neighbour("AB-129x"), "AB-120x");
        assert_eq!(neighbour("none"), "none");
    }
}
