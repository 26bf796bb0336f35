//! `screen`: declarations against blocks, on the agency's own machine.
//!
//! The node gives the blocks; the lines are read, screened and written down here, and no
//! declaration goes anywhere. `prepare` is the way to all of it, `engine` does the work.

mod engine;
mod found;
mod mapping;
mod prepare;
mod rank;
mod results;
mod row;
mod simulate;
mod state;
mod summary;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::{MappingVerb, ScreenArgs, ScreenVerb};
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::progress::Progress;
use crate::session::Session;

use found::{Counts, Found};
use prepare::Prepared;
use rank::Listed;
use results::{Basis, Begun, Results};
use summary::Summary;

pub use row::explain;
pub use simulate::simulate;

/// `screen FILE`, `screen mapping`.
///
/// # Errors
/// When a file is not what it should be, the node does not answer, or work was interrupted.
pub async fn run(session: &mut Session, args: &ScreenArgs) -> Result<Exit, Failure> {
    match (&args.verb, &args.file) {
        (Some(ScreenVerb::Mapping(MappingVerb::New { file, out, stdout })), _) => {
            mapping::new(session, file, out.as_deref(), *stdout)
        }
        (
            Some(ScreenVerb::Mapping(MappingVerb::Test {
                mapping,
                file,
                rows,
            })),
            _,
        ) => mapping::test(session, mapping, file, *rows),
        (None, Some(file)) => screen(session, args, file).await,
        (None, None) => Err(Failure::usage("which file?")),
    }
}

async fn screen(session: &mut Session, args: &ScreenArgs, file: &Path) -> Result<Exit, Failure> {
    let mut asked = Interrupts::new()?;
    let prepared = Prepared::new(session, file, &args.how, args.since.as_deref()).await?;
    session.out.say(&prepared.describe())?;
    let results = match &args.out {
        Some(dir) if !session.globals.dry_run => {
            let basis = Basis {
                input: prepared.input.identity().clone(),
                settings: prepared.settings.clone(),
                blocks: prepared.state.digest(prepared.now_ms),
            };
            let (results, begun) = Results::open(dir, &basis, args.restart)?;
            match begun {
                Begun::Anew => {}
                Begun::After(row) => session.out.note(&format!("going on after row {row}")),
                Begun::Not(why) => session.out.note(&format!("beginning anew: {why}")),
            }
            Some(results)
        }
        Some(_) | None => None,
    };
    let job = Job {
        progress: session
            .out
            .file_progress("screening", prepared.input.identity().length),
        results,
        counts: Counts::default(),
        budget: args.review_budget,
        out: args.out.clone().filter(|_| !session.globals.dry_run),
        prepared,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    let mut work = tokio::task::spawn_blocking(move || job.run(&told));
    let done = tokio::select! {
        done = &mut work => done,
        () = asked.wait() => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let done = done.map_err(|e| Failure::new(Exit::Failed, format!("screening failed: {e}")))?;
    let (value, exit) = done?;
    summary::print(session, &value)?;
    Ok(if args.exit_code { exit } else { Exit::Ok })
}

/// How a person at the keyboard, or the system, asks it to end. Heard from the first moment, so
/// that nothing is begun which is then ended without a word.
struct Interrupts {
    keyboard: Signal,
    system: Signal,
}

impl Interrupts {
    fn new() -> Result<Self, Failure> {
        let deaf = |e: std::io::Error| Failure::new(Exit::Failed, format!("cannot start: {e}"));
        Ok(Self {
            keyboard: signal(SignalKind::interrupt()).map_err(deaf)?,
            system: signal(SignalKind::terminate()).map_err(deaf)?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => {}
            _ = self.system.recv() => {}
        }
    }
}

/// One file being screened.
struct Job {
    prepared: Prepared,
    results: Option<Results>,
    counts: Counts,
    budget: Option<usize>,
    out: Option<std::path::PathBuf>,
    progress: Progress,
}

impl Job {
    /// Screens the file to its end; the summary, and what it means to a script.
    fn run(mut self, stop: &AtomicBool) -> Result<(Value, Exit), Failure> {
        let began = Instant::now();
        let skip = self.results.as_ref().map_or(0, Results::row);
        match self.pass(skip, stop) {
            Ok(true) => {}
            Ok(false) => return Err(self.interrupted()),
            Err(failure) => return Err(self.failed(failure)),
        }
        if let Err(failure) = self.prepared.input.unchanged() {
            return Err(self.failed(failure));
        }
        let summary = Summary {
            prepared: &self.prepared,
            began,
            resumed_after: skip,
            out: self.out.as_deref(),
            now_ms: instant::now_ms(),
        };
        let (counts, value) = match self.results {
            Some(results) => {
                let value = |counts: &Counts, listed: Listed| summary.value(counts, Some(listed));
                let (counts, _, value) = results.finish(self.budget, value)?;
                (counts, value)
            }
            None => {
                let value = summary.value(&self.counts, None);
                (self.counts, value)
            }
        };
        let exit = summary::exit_of(&counts, self.prepared.state.is_stale());
        Ok((value, exit))
    }

    /// Everything after the `skip`th row, through the screener.
    fn pass(&mut self, skip: u64, stop: &AtomicBool) -> Result<bool, Failure> {
        let source = self.prepared.open()?;
        let prepared = &self.prepared;
        let now_ms = prepared.now_ms;
        let (results, counts, progress) = (&mut self.results, &mut self.counts, &self.progress);
        let mut before = 0;
        engine::run(
            source,
            &prepared.constants,
            skip,
            stop,
            |found: &mut Found, at, line, scratch| {
                let answer = prepared.screen.check_with(line, now_ms, scratch);
                found.note(at, line, &answer, &prepared.suppressions, now_ms);
            },
            |batch| {
                progress.rows(batch.rows);
                progress.add(batch.taken.saturating_sub(before));
                before = before.max(batch.taken);
                match results {
                    Some(results) => results.take(&batch),
                    None => {
                        counts.take(&batch);
                        Ok(())
                    }
                }
            },
        )
    }

    fn interrupted(mut self) -> Failure {
        let saved = self.results.as_mut().map(Results::save);
        let failure = Failure::new(Exit::Incomplete, "interrupted before the end of the file");
        let failure = failure.code("SCREEN_INTERRUPTED");
        match saved {
            Some(Ok(())) => failure.advice("the same command goes on where it stopped"),
            Some(Err(why)) => failure.detail(why.message),
            None => failure.advice("nothing was written; with --out, it could go on later"),
        }
    }

    /// What was found of a file that cannot be read to its end is true of no file. A full disk is
    /// not the file's fault, and the work so far stays.
    fn failed(self, failure: Failure) -> Failure {
        let is_of_input = matches!(
            failure.code.as_deref(),
            Some(
                "INPUT_CHANGED"
                    | "XML_UNREADABLE"
                    | "XML_ENTITY"
                    | "DECLARATION_TOO_LONG"
                    | "PARQUET_UNREADABLE"
            )
        );
        if let (true, Some(results)) = (is_of_input, self.results) {
            results.discard();
        }
        failure
    }
}
