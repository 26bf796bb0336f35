//! What an operator asks of a running network.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::duration;

/// What is traced.
#[derive(Args, Clone, Debug)]
pub struct TraceArgs {
    /// A statement or block, e.g. US-2026-0412 or US-2026-0412@DE
    pub name: String,
    /// The member to follow it to, by id or jurisdiction; every one when left out
    #[arg(long, value_name = "MEMBER")]
    pub at: Option<String>,
}

/// What is checked, and how it is told.
#[derive(Args, Clone, Debug)]
pub struct CheckArgs {
    /// Only these, by code or category (identity, network, log, service); may be repeated
    #[arg(long, value_name = "CODE|CATEGORY", value_delimiter = ',')]
    pub only: Vec<String>,
    /// The least that makes the exit code other than 0
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub fail_on: FailOn,
    /// How it is told
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub format: CheckForm,
    /// Try again until all is well, for so long at most, e.g. 30s
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    pub wait: Option<Duration>,
    /// Go on, and tell what changes, looking every so often, e.g. 30s; until Ctrl-C
    #[arg(
        long, value_parser = duration, value_name = "DURATION",
        num_args = 0..=1, default_missing_value = "30s", require_equals = true,
        conflicts_with_all = ["wait", "format", "plugin_exit"],
    )]
    pub watch: Option<Duration>,
    /// The node's admin address on this machine, instead of the context's; needs no context
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<String>,
    /// Exit 0, 1, 2 or 3 as plug-ins of Nagios do
    #[arg(long)]
    pub plugin_exit: bool,
}

/// What is asked about the other members' nodes.
#[derive(Subcommand, Clone, Debug)]
pub enum PeerVerb {
    /// Each with its address, whether we are connected and since when, and why not
    List {
        /// The node's admin address on this machine, instead of the context's; needs no context
        #[arg(long, value_name = "ADDRESS")]
        admin: Option<String>,
    },
}

/// The least that a check must find for an exit code other than 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A warning: 20
    #[default]
    Warn,
    /// A failure: 21
    Fail,
}

/// How checks are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CheckForm {
    /// For people; what is well takes one line for each kind
    #[default]
    Text,
    /// One line with performance data, then a line for each thing that is wrong
    Nagios,
    /// Text exposition, e.g. for a textfile collector
    Prometheus,
    /// One JSON document
    Json,
}
