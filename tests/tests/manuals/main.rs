//! The transcripts in `docs/` are run, line by line, and must say what the manuals say they say.
//!
//! In a block fenced as `console`, `$ ` begins a command (a trailing `\` or a here-document
//! lengthens it) and what follows is its output. `[..]` stands for anything within a line, a line
//! `...` for any lines. `# exit N` behind a command is the code it ends with, 0 unless said;
//! `# soon` says that it takes moments until the answer is so. One manual is one shell session, in
//! an empty directory.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::expect_used,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

mod pattern;
mod session;
mod transcript;

use std::path::Path;
use std::time::{Duration, Instant};

use session::Session;
use tocsin_tests::repository;
use transcript::Step;

/// How long an answer may take to become what a `# soon` promises.
const SOON: Duration = Duration::from_secs(30);
/// Between two tries of it.
const PAUSE: Duration = Duration::from_millis(200);

/// Where the operators' manual has set three members up, which the other manuals begin with.
const SET_UP: &str = "## An order passes from one to the others";

fn text(file: &str) -> String {
    repository::read(&format!("docs/{file}")).unwrap()
}

fn run(session: &mut Session, file: &str, text: &str) {
    let steps = transcript::steps(text);
    assert!(!steps.is_empty(), "docs/{file} has no transcript");
    for step in steps {
        hold(session, file, &step);
    }
}

fn session() -> Session {
    Session::start(Path::new(env!("CARGO_BIN_EXE_tocsin-under-test")))
}

fn run_after_setting_up(file: &str) {
    let mut session = session();
    let operators = text("operators.md");
    let (set_up, _) = operators.split_once(SET_UP).expect("that heading");
    run(&mut session, "operators.md", set_up);
    run(&mut session, file, &text(file));
}

fn hold(session: &mut Session, file: &str, step: &Step) {
    let end = Instant::now() + SOON;
    loop {
        let (said, code) = session.run(&step.command);
        let wrong = pattern::first_mismatch(&step.output, &said);
        if wrong.is_none() && code == step.exit {
            return;
        }
        if step.is_soon && Instant::now() < end {
            std::thread::sleep(PAUSE);
            continue;
        }
        let expected = step.output.join("\n");
        let wrong = wrong.unwrap_or_default();
        panic!(
            "docs/{file}, line {}: $ {}\nends with {code}, expected {}; {wrong}\n\
             expected:\n{expected}\nsaid:\n{said}",
            step.line, step.command, step.exit
        );
    }
}

#[test]
fn an_operator_sets_up_three_members_and_traces_an_order_past_a_killed_node() {
    run(&mut session(), "operators.md", &text("operators.md"));
}

#[test]
fn an_investigator_writes_signs_and_submits_a_report() {
    run_after_setting_up("investigators.md");
}

#[test]
fn officers_issue_decide_and_withdraw() {
    run_after_setting_up("officers.md");
}

#[test]
fn customs_looks_up_and_watches() {
    run_after_setting_up("customs.md");
}

#[test]
fn an_integrator_asks_and_verifies() {
    run_after_setting_up("integrators.md");
}
