//! What an issuer does to its own order, as it is asked for.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tocsin_core::order::OrderActKind;

use super::WaitArgs;

/// An act on an own order.
#[derive(Args, Clone, Debug)]
pub struct ActArgs {
    /// The order, e.g. US-2026-0412
    pub order: String,
    /// Why; everybody will read it
    #[arg(long)]
    pub reason: String,
    /// What has happened, where nobody can be asked; it must fit the act
    #[arg(long, value_enum, value_name = "CAUSE")]
    pub because: Option<Cause>,
    /// Who signs, and what becomes of it
    #[command(flatten)]
    pub how: ActHow,
}

/// A modification of an own order.
#[derive(Args, Clone, Debug)]
pub struct ModifyArgs {
    /// The order, e.g. US-2026-0412
    pub order: String,
    /// The whole new text, as an order document
    #[arg(long, value_name = "FILE")]
    pub document: PathBuf,
    /// Why; everybody will read it
    #[arg(long)]
    pub reason: String,
    /// What has happened, where nobody can be asked; it must fit the act
    #[arg(long, value_enum, value_name = "CAUSE")]
    pub because: Option<Cause>,
    /// Who signs, and what becomes of it
    #[command(flatten)]
    pub how: ActHow,
}

/// A change of an own order of which the act is still to be found.
#[derive(Args, Clone, Debug)]
pub struct AmendArgs {
    /// The order, e.g. US-2026-0412
    pub order: String,
    /// What has happened; asked for when left out
    #[arg(long, value_enum, value_name = "CAUSE")]
    pub because: Option<Cause>,
    /// Why, in words that everybody will read; asked for when left out
    #[arg(long)]
    pub reason: Option<String>,
    /// slip and changed: the whole new text, as an order document; asked for when left out
    #[arg(long, value_name = "FILE")]
    pub document: Option<PathBuf>,
    /// Who signs, and what becomes of it
    #[command(flatten)]
    pub how: ActHow,
}

/// Which order's text is written, and where.
#[derive(Args, Clone, Debug)]
pub struct TextArgs {
    /// The order, e.g. US-2026-0412
    pub order: String,
    /// The file to write; ORDER.toml when left out
    pub file: Option<PathBuf>,
    /// Print it instead
    #[arg(long, conflicts_with = "file")]
    pub stdout: bool,
}

/// Who signs an act, and what becomes of it.
#[derive(Args, Clone, Debug)]
pub struct ActHow {
    /// Record key file of who signs; the context's when left out; twice for two officers
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// Write a .tsn file instead of submitting
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Let it wait at our node for the second officer, instead of writing a .tsn file
    #[arg(long, conflicts_with = "out")]
    pub draft: bool,
    /// How long to wait for other members
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// What has happened to an order: it decides which act is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Cause {
    /// Issued in error or unfounded: withdraw
    Error,
    /// The conditions that led to it no longer exist: rescind
    Ended,
    /// A court has stayed it, or it must be looked into first: suspend
    Stay,
    /// A slip of the pen, the order itself is right: modify
    Slip,
    /// Goods, parties, rights or dates have changed in part: modify
    Changed,
}

impl Cause {
    /// All, in the order in which they are asked.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Ended,
        Self::Stay,
        Self::Slip,
        Self::Changed,
    ];

    /// The word on the command line.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Ended => "ended",
            Self::Stay => "stay",
            Self::Slip => "slip",
            Self::Changed => "changed",
        }
    }

    /// The question that finds it.
    #[must_use]
    pub const fn question(self) -> &'static str {
        match self {
            Self::Error => "Was it issued in error, or without ground?",
            Self::Ended => {
                "Was it right, and the conditions that led to it no longer exist (right run out, \
                 case settled)?"
            }
            Self::Stay => "Has a court stayed it, or must it be looked into before anything else?",
            Self::Slip => "Is the order right, and only its wording wrong (a slip of the pen)?",
            Self::Changed => "Have its goods, parties, rights or dates changed in part?",
        }
    }

    /// The act that fits.
    #[must_use]
    pub const fn act(self) -> OrderActKind {
        match self {
            Self::Error => OrderActKind::Withdraw,
            Self::Ended => OrderActKind::Rescind,
            Self::Stay => OrderActKind::Suspend,
            Self::Slip | Self::Changed => OrderActKind::Modify,
        }
    }
}
