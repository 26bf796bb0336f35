//! `order simulate`, `block simulate`: what an order would do, tried on an archive of declarations
//! before anyone signs or adopts it. Nothing is written, and nothing leaves this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::{Value, json};
use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::Order;
use tocsin_core::statement::{Act, DecodedBody, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_screen::answer::{Answer, Hit};
use tocsin_screen::index::Screen;
use tocsin_screen::line::Line;

use super::engine::{self, At};
use super::found::hit_value;
use super::prepare;
use super::state::State;
use crate::args::SimulateArgs;
use crate::declarations::input::Input;
use crate::declarations::mapping::Mapping;
use crate::declarations::source::Source;
use crate::document::Kind;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format};
use crate::session::Session;

/// Of a hundred thousand lines, as many may be touched before an order is over-broad: 0.1 %.
const BROAD_PER_100_000: u64 = 100;
/// Parties that are counted by name; what more there are is counted together.
const MAX_PARTIES: usize = 10_000;
/// Parties and hits that are shown.
const MAX_SHOWN: usize = 20;

const COLUMNS: &[Column] = &[
    ("order", "subject"),
    ("lines", "lines"),
    ("blocked", "blocked"),
    ("held", "held"),
    ("review", "review"),
    ("flagged", "flagged"),
    ("share touched", "share"),
    ("over-broad", "over_broad_because"),
    ("look-alikes", "look_alikes"),
    ("parties touched", "parties"),
    ("not screened", "rejected"),
    ("lack what would decide", "undecided"),
];

/// `order simulate FILE --archive A`, and the same of a block by name.
///
/// # Errors
/// When a file is not what it should be, or there is no such block.
pub async fn simulate(session: &mut Session, args: &SimulateArgs) -> Result<Exit, Failure> {
    let notice = subject(session, args).await?;
    let input = Input::open(&args.archive)?;
    let given = args.mapping.as_deref().map(Mapping::open).transpose()?;
    let country = session.context().map(|context| context.member);
    let country = country.unwrap_or_default();
    let (mapping, _) = prepare::mapping(&input, given, &country)?;
    let mut source = Source::open(&input, &mapping, Some(&country))?;
    source.take(&mapping)?;
    let name = notice.order.clone();
    let progress = session
        .out
        .file_progress("replaying", input.identity().length);
    let work = tokio::task::spawn_blocking(move || {
        let basis = tocsin_screen::answer::Basis {
            position: tocsin_core::cursor::Cursor {
                view: tocsin_core::cursor::View::NONE,
                vector: tocsin_core::cursor::Vector::default(),
            },
            ages: Vec::new(),
        };
        let screen = Screen::build([notice], basis);
        let constants = mapping.constants();
        let now_ms = instant::now_ms();
        let (mut all, mut before) = (Tally::default(), 0);
        let stop = AtomicBool::new(false);
        engine::run(
            source,
            &constants,
            0,
            &stop,
            |tally: &mut Tally, at, line, scratch| {
                tally.note(at, line, &screen.check_with(line, now_ms, scratch));
            },
            |batch| {
                progress.rows(batch.rows);
                progress.add(batch.taken.saturating_sub(before));
                before = batch.taken;
                let rejected = batch.rejects.iter().filter(|reject| !reject.is_screened);
                all.rejected += rejected.count() as u64;
                all.add(batch.found);
                Ok(())
            },
        )?;
        input.unchanged()?;
        Ok(all)
    });
    let tally = work
        .await
        .map_err(|e| Failure::new(Exit::Failed, format!("replaying failed: {e}")))??;
    let value = tally.value(&name);
    session.out.object("simulation", COLUMNS, &value)?;
    if session.out.format() == Format::Table {
        print(session, &value)?;
    }
    Ok(if tally.is_broad() {
        Exit::Warnings
    } else {
        Exit::Ok
    })
}

/// The order as if it were in force here now: from a document, or as a block says it.
async fn subject(session: &Session, args: &SimulateArgs) -> Result<Notice, Failure> {
    let path = Path::new(&args.subject);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
        || path.exists()
    {
        let document = crate::document::read(Kind::Order, path)?;
        let contents = document.contents();
        let Act::Order(mut order) = document.act else {
            return Err(Failure::usage(format!("{} is no order", path.display())));
        };
        for content in contents {
            if let DecodedBody::Order(body) = content {
                order.articles.extend(body.articles);
            }
        }
        return Ok(in_force(path.display().to_string(), *order));
    }
    let state = State::ask(session, args.jurisdiction.as_deref()).await?;
    let order = args.subject.split('@').next().unwrap_or_default();
    let known = state
        .notices
        .into_iter()
        .find(|notice| notice.order == order);
    let known = known.ok_or_else(|| {
        Failure::new(Exit::NotFound, format!("no block on an order `{order}`"))
            .advice("give an order's name, US-2026-0412, or an order document (.toml)")
    })?;
    Ok(in_force(known.order.clone(), known.scope.as_ref().clone()))
}

/// It is tried without its dates: an archive is of the past.
fn in_force(name: String, mut order: Order) -> Notice {
    order.from_ms = 0;
    order.until_ms = 0;
    Notice {
        block: name.clone(),
        version: 1,
        state: BlockState::InForce,
        reason: String::new(),
        since_ms: 0,
        from_ms: 0,
        until_ms: 0,
        order: name,
        order_ref: StatementRef {
            log: String::new(),
            statement_id: Hash([0; Hash::LEN]),
        },
        decision_id: None,
        basis: String::new(),
        by: By::Nobody,
        exercise: order.exercise,
        scope: Arc::new(order),
        selectors_missing: false,
        grade: Grade::Local,
        also_blocked_by: Vec::new(),
    }
}

/// What an order would have done.
#[derive(Debug, Default)]
struct Tally {
    lines: u64,
    outcomes: BTreeMap<Outcome, u64>,
    undecided: u64,
    rejected: u64,
    /// Lines that would be stopped or looked at, by the parties on them.
    parties: BTreeMap<String, u64>,
    parties_more: u64,
    /// Values that are like the order's and not equal to them.
    alike: BTreeSet<String>,
    shown: Vec<Value>,
}

impl Tally {
    fn note(&mut self, at: &At<'_>, line: &Line<'_>, answer: &Answer) {
        self.lines += 1;
        *self.outcomes.entry(answer.outcome).or_default() += 1;
        let Some(hit) = answer.hits.first() else {
            self.undecided += u64::from(answer.decisive_missing);
            return;
        };
        for party in line.parties.iter().filter(|party| party.role.is_bound()) {
            self.party(party.name);
        }
        self.look_alikes(hit);
        if self.shown.len() < MAX_SHOWN {
            let mut value = hit_value(hit, None);
            if let Some(fields) = value.as_object_mut() {
                fields.insert("row".to_owned(), json!(at.row.number));
                fields.insert("declaration".to_owned(), json!(line.declaration));
            }
            self.shown.push(value);
        }
    }

    fn party(&mut self, name: &str) {
        if name.is_empty() {
            return;
        }
        if let Some(count) = self.parties.get_mut(name) {
            *count += 1;
        } else if self.parties.len() < MAX_PARTIES {
            self.parties.insert(name.to_owned(), 1);
        } else {
            self.parties_more += 1;
        }
    }

    fn look_alikes(&mut self, hit: &Hit) {
        for part in &hit.parts {
            let is_alike = part.score > 0 && part.score < 1_000;
            if is_alike && self.alike.len() < MAX_PARTIES {
                self.alike
                    .insert(format!("{} like {}", part.raw, part.of_order));
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.undecided += other.undecided;
        self.parties_more += other.parties_more;
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (name, count) in other.parties {
            if self.parties.len() < MAX_PARTIES || self.parties.contains_key(&name) {
                *self.parties.entry(name).or_default() += count;
            } else {
                self.parties_more += count;
            }
        }
        for alike in other.alike {
            if self.alike.len() < MAX_PARTIES {
                self.alike.insert(alike);
            }
        }
        let room = MAX_SHOWN.saturating_sub(self.shown.len());
        self.shown.extend(other.shown.into_iter().take(room));
    }

    fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    fn touched(&self) -> u64 {
        self.lines.saturating_sub(self.of(Outcome::None))
    }

    fn is_broad(&self) -> bool {
        self.touched().saturating_mul(100_000) > self.lines.saturating_mul(BROAD_PER_100_000)
    }

    fn value(&self, subject: &str) -> Value {
        let share = |count: u64| {
            let percent = count as f64 * 100.0 / self.lines.max(1) as f64;
            format!("{percent:.4} %")
        };
        let mut parties: Vec<(&String, &u64)> = self.parties.iter().collect();
        parties.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let because = if self.is_broad() {
            format!(
                "yes: it touches {} of lines, over 0.1 %",
                share(self.touched())
            )
        } else {
            String::new()
        };
        json!({
            "subject": subject,
            "lines": self.lines,
            "blocked": self.of(Outcome::Blocked),
            "held": self.of(Outcome::Held),
            "review": self.of(Outcome::Review),
            "flagged": self.of(Outcome::Flagged),
            "share": share(self.touched()),
            "shares": {
                "blocked": share(self.of(Outcome::Blocked)),
                "held": share(self.of(Outcome::Held)),
                "review": share(self.of(Outcome::Review)),
                "flagged": share(self.of(Outcome::Flagged)),
            },
            "over_broad": self.is_broad(),
            "over_broad_because": because,
            "look_alikes": self.alike.len(),
            "like": self.alike.iter().take(MAX_SHOWN).collect::<Vec<_>>(),
            "parties": self.parties.len(),
            "touched": parties.iter().take(MAX_SHOWN)
                .map(|(name, count)| json!({"party": name, "lines": count}))
                .collect::<Vec<_>>(),
            "rejected": self.rejected,
            "undecided": self.undecided,
            "hits": self.shown,
        })
    }
}

fn print(session: &mut Session, value: &Value) -> Result<(), Failure> {
    let list = |key: &str| -> Vec<Value> {
        let items = value.get(key).and_then(Value::as_array);
        items.cloned().unwrap_or_default()
    };
    let touched = list("touched");
    if !touched.is_empty() {
        session.out.say("")?;
        session.out.list(
            "parties",
            &[("PARTY", "party"), ("LINES", "lines")],
            &touched,
        )?;
    }
    let hits = list("hits");
    if !hits.is_empty() {
        session.out.say("")?;
        let columns = [
            ("ROW", "row"),
            ("OUTCOME", "outcome"),
            ("BECAUSE", "because"),
            ("NOT MORE BECAUSE", "not_more_because"),
        ];
        session.out.list("hits", &columns, &hits)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: u64, touched: u64) -> Tally {
        Tally {
            lines,
            outcomes: [(Outcome::Review, touched), (Outcome::None, lines - touched)].into(),
            ..Tally::default()
        }
    }

    #[test]
    fn an_order_is_over_broad_beyond_one_line_in_a_thousand() {
        assert!(!tally(1_000, 1).is_broad());
        assert!(tally(1_000, 2).is_broad());
        assert!(!tally(100_000, 100).is_broad());
        assert!(tally(100_000, 101).is_broad());
        assert!(!tally(0, 0).is_broad());
    }
}
