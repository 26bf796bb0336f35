//! `pending`: what waits for an officer, and what is done with a draft.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::WaitArgs;

/// What waits, and for whom.
#[derive(Args, Clone, Debug, Default)]
#[command(args_conflicts_with_subcommands = true)]
pub struct PendingArgs {
    /// One draft; without this, the list
    #[command(subcommand)]
    pub verb: Option<PendingVerb>,
    /// Record key file of the officer who asks; the context's when left out
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Every draft, whoever has signed it
    #[arg(long, conflicts_with = "key")]
    pub all: bool,
}

/// What is done with one draft at our node.
#[derive(Subcommand, Clone, Debug)]
pub enum PendingVerb {
    /// Show all that it says
    Show {
        /// Its name, as the list has it
        name: String,
    },
    /// Read it, sign it as the second officer, and submit it
    Sign(PendingSignArgs),
    /// Take it back
    Discard {
        /// Its name, as the list has it
        name: String,
        /// Why; kept in the node's own log
        #[arg(long, default_value = "")]
        reason: String,
    },
}

/// Which draft is signed, and by whom.
#[derive(Args, Clone, Debug)]
pub struct PendingSignArgs {
    /// Its name, as the list has it
    pub name: String,
    /// Record key file of who signs; the context's when left out
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// How long to wait for other members
    #[command(flatten)]
    pub wait: WaitArgs,
}
