//! Contexts, as they are asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What is done with contexts.
#[derive(Subcommand, Clone, Debug)]
pub enum ContextVerb {
    /// List them
    List,
    /// Add or replace one
    Add(ContextArgs),
    /// Take this one when none is named
    Use {
        /// Its name
        name: String,
    },
    /// Take the one that was taken before
    Previous,
    /// Show where commands go, and which flag, variable or file says so
    Show {
        /// Its name; the one that commands would take when left out
        name: Option<String>,
    },
    /// Take one away; keys and certificates stay where they are
    Remove {
        /// Its name
        name: String,
    },
    /// Check files, keys and node of one; exit 20 with warnings, 21 with errors
    Validate {
        /// Its name; the one that commands would take when left out
        name: Option<String>,
    },
}

/// One context.
#[derive(Args, Clone, Debug)]
pub struct ContextArgs {
    /// Its name
    pub name: String,
    /// https://HOST:7337
    #[arg(long)]
    pub endpoint: String,
    /// The member whose node it is
    #[arg(long)]
    pub member: String,
    /// The alliance file (.tsa)
    #[arg(long, value_name = "FILE")]
    pub alliance: PathBuf,
    /// Our certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert: PathBuf,
    /// Its private key (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert_key: PathBuf,
    /// SHA-256 of the genesis roster, as compared by voice
    #[arg(long, value_name = "HASH")]
    pub genesis: Option<String>,
    /// The record key to sign with when none is named
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The node's admin address, when it runs on this machine
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<String>,
    /// Print where it goes and ask for the member's id before anything is changed through it
    #[arg(long)]
    pub protected: bool,
}
