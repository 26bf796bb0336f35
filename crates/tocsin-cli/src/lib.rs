//! The hand tool: statement documents, signing, submitting, reading and verifying, over mutual TLS.
//!
//! In scope: every command that needs no server code and no disk engine. Not in scope: running or
//! setting up a node, which the binary adds.
//!
//! What is printed of a statement comes from its signed bytes, checked here, and not from what a
//! node says of it. Begin at [`run`]; [`draft::Draft`] is the way of a statement, [`args`] the
//! command line.

use std::process::ExitCode;

pub mod args;
pub mod codes;
pub mod commands;
pub mod connect;
pub mod context;
pub mod declarations;
pub mod document;
pub mod draft;
pub mod failure;
pub mod files;
pub mod help;
pub mod instant;
pub mod keyfile;
pub mod output;
pub mod progress;
pub mod rpc;
pub mod seen;
pub mod session;
pub mod show;
pub mod suggest;
pub mod terminal;

use args::{Command, Globals};
use codes::Page;
use failure::{Exit, Failure};
use session::Session;

/// Runs one of the hand tool's commands to its exit code. `root` is the whole command line, for
/// help, manual and completion; `more` are pages of codes that this crate cannot know.
#[must_use]
pub fn run(globals: Globals, command: Command, root: clap::Command, more: &[Page]) -> ExitCode {
    let mut session = Session::new(globals);
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot start: {e}")))
        .and_then(|runtime| {
            runtime.block_on(Box::pin(commands::run(&mut session, command, root, more)))
        });
    finish(&mut session.out, outcome)
}

/// The exit code of an outcome; a failure is said first.
#[must_use]
pub fn finish(out: &mut output::Output, outcome: Result<Exit, Failure>) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.failure(&failure);
            failure.exit.into()
        }
    }
}
