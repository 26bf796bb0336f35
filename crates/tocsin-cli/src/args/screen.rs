//! `screen`: a file of declarations against the blocks of a jurisdiction.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// A file to screen, or what is done with mappings.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ScreenArgs {
    /// Mappings of columns; without this, a file is screened
    #[command(subcommand)]
    pub verb: Option<ScreenVerb>,
    /// Declarations: CSV, JSON Lines, Parquet or WCO data model XML
    #[arg(required = true)]
    pub file: Option<PathBuf>,
    /// What screening is to do
    #[command(flatten)]
    pub how: ScreenHow,
    /// Folder for hits.csv, holds.csv, reviews.csv, rejects.csv and summary.json; nothing is
    /// written when left out
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Replace what is in the folder, finished or not
    #[arg(long, requires = "out")]
    pub restart: bool,
    /// List only the first so many to review, and say what was cut
    #[arg(long, value_name = "N", requires = "out")]
    pub review_budget: Option<usize>,
    /// Only against blocks that changed since: a date, an instant, or the cursor of an earlier
    /// summary
    #[arg(long, value_name = "TIME-or-CURSOR")]
    pub since: Option<String>,
    /// Exit 10 blocked, 11 held or to review or flagged, 12 undecided, 13 state too old, 0 no match
    #[arg(long)]
    pub exit_code: bool,
}

/// How declarations are read and judged.
#[derive(Args, Clone, Debug, Default)]
pub struct ScreenHow {
    /// Which column means what; columns with known names are taken when left out
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Whose blocks, e.g. DE; the node's own when left out
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: Option<String>,
    /// Trusted importers and false matches (TOML), each with reason, author and end
    #[arg(long, value_name = "FILE")]
    pub suppress: Option<PathBuf>,
    /// A published list of parties (CSV), screened beside the blocks; may be repeated
    #[arg(long, value_name = "FILE")]
    pub lists: Vec<PathBuf>,
}

/// What is done with mappings.
#[derive(Subcommand, Clone, Debug)]
pub enum ScreenVerb {
    /// Which column of a file means what, said once
    #[command(subcommand)]
    Mapping(MappingVerb),
}

/// What is done with a mapping.
#[derive(Subcommand, Clone, Debug)]
pub enum MappingVerb {
    /// Propose a mapping for a file, with every field explained
    New {
        /// Declarations
        file: PathBuf,
        /// The mapping to write; mapping.toml when left out
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print it instead
        #[arg(long, conflicts_with = "out")]
        stdout: bool,
    },
    /// Show the first rows of a file as a mapping reads them
    Test {
        /// The mapping
        mapping: PathBuf,
        /// Declarations
        file: PathBuf,
        /// How many rows
        #[arg(long, default_value_t = 5, value_name = "N")]
        rows: usize,
    },
}

/// An order that is tried on an archive of declarations before anyone signs it.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// The order document (.toml); for a block, its name or its order's, e.g. US-2026-0412
    pub subject: String,
    /// Declarations of the past
    #[arg(long, value_name = "FILE")]
    pub archive: PathBuf,
    /// Which column means what; columns with known names are taken when left out
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Whose block, e.g. DE; the node's own when left out
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: Option<String>,
}
