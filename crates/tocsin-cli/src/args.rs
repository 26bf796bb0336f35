//! The command line: what can be asked, and in which words.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use tocsin_core::decision::DecisionKind;

use crate::output::{Color, Format};

mod act;
mod context;
pub mod operator;
mod pending;
mod screen;

pub use act::{ActArgs, ActHow, AmendArgs, Cause, ModifyArgs, TextArgs};
pub use context::{ContextArgs, ContextVerb};
use operator::{CheckArgs, PeerVerb, TraceArgs};
pub use pending::{PendingArgs, PendingSignArgs, PendingVerb};
pub use screen::{MappingVerb, ScreenArgs, ScreenHow, ScreenVerb, SimulateArgs};

/// Flags that every command takes.
#[derive(Args, Clone, Debug)]
pub struct Globals {
    /// Context to use: node, alliance and certificate; see `tocsin context list`
    #[arg(
        short,
        long,
        global = true,
        value_name = "NAME",
        env = "TOCSIN_CONTEXT"
    )]
    pub context: Option<String>,
    /// How results are printed
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORM",
        env = "TOCSIN_OUTPUT"
    )]
    pub output: Format,
    /// Print results only
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Answer yes to every question; a protected context must be named beside it with -c
    #[arg(long, global = true)]
    pub yes: bool,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Check and show, but change nothing
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Longest wait for the node, e.g. 500ms, 30s, 2m
    #[arg(
        long,
        global = true,
        default_value = "30s",
        value_parser = duration,
        value_name = "TIME",
        env = "TOCSIN_TIMEOUT"
    )]
    pub timeout: Duration,
    /// When to colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        env = "TOCSIN_COLOR"
    )]
    pub color: Color,
}

/// The hand tool's commands.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Reports: what investigators sign
    #[command(subcommand)]
    Report(StatementVerb),
    /// Indicators: the matchable facts in reports
    #[command(subcommand)]
    Indicator(StatementVerb),
    /// Exclusion orders, and what their issuers do to them
    #[command(subcommand)]
    Order(OrderVerb),
    /// Decide on another member's order
    Decide(DecideArgs),
    /// Policy packs: by which rules decisions are made at once
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// What waits for my signature or my decision, the soonest deadline first
    Pending(PendingArgs),
    /// Blocks: orders as they stand in one jurisdiction
    #[command(subcommand)]
    Block(BlockVerb),
    /// Notices: the state of blocks as it changes
    #[command(subcommand)]
    Notices(NoticesVerb),
    /// Is this item, party or order blocked? Type what the box says
    Lookup(LookupArgs),
    /// Screen a file of declarations against blocks, on this machine; goes on where it stopped
    Screen(ScreenArgs),
    /// Verify a .tsn file offline, or a statement by its name
    Verify(VerifyArgs),
    /// The signed logs
    #[command(subcommand)]
    Log(LogVerb),
    /// The node, the members and their logs on one screen
    Status,
    /// The other members' nodes as ours sees them
    #[command(subcommand)]
    Peer(PeerVerb),
    /// Where a statement or block is on its way to a member, and what stopped it
    ///
    /// Hop by hop, from what the asked node itself holds.
    /// Example: tocsin trace US-2026-0412 --at de
    Trace(TraceArgs),
    /// Make every health check, of this client and of the node on this machine
    ///
    /// Exit 0 when all is well, 20 with warnings, 21 when a check failed, 5 when the node does not
    /// answer. Example: tocsin check --only network --fail-on fail
    Check(CheckArgs),
    /// Contexts: where the node is and who we are to it
    #[command(subcommand)]
    Context(ContextVerb),
    /// What a code means, on whose side it lies, and what to do; works offline
    Explain {
        /// A code such as NEEDS_SECOND_OFFICER, or an exit code; none lists all
        code: Option<String>,
    },
    /// Help on a command, or on exit-codes, names, cursors, filters, tlp, settings
    Help {
        /// A topic, or the words of a command
        #[arg(value_name = "TOPIC-or-COMMAND")]
        about: Vec<String>,
    },
    /// Print the manual page, or write one for each command
    Man {
        /// Write all pages into this folder
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
    /// Print a completion script
    Completion {
        /// For which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// What is done with reports and indicators, and the first half of orders.
#[derive(Subcommand, Clone, Debug)]
pub enum StatementVerb {
    /// Write a document with every field explained
    New(NewArgs),
    /// Say what the door would refuse and what readers will miss; exit 20 with gaps, 21 with errors
    Lint(LintArgs),
    /// Sign a document into a .tsn file
    Sign(SignArgs),
    /// Submit a signed .tsn file to our node; what needs a second officer waits there as a draft
    Submit(SubmitArgs),
    /// List, newest last
    List(ListArgs),
    /// Show one, verified from its bytes
    Show {
        /// Its name, e.g. US-2026-0412
        name: String,
    },
}

/// What is done with orders.
#[derive(Subcommand, Clone, Debug)]
pub enum OrderVerb {
    /// The verbs of every statement
    #[command(flatten)]
    Statement(StatementVerb),
    /// Add the second officer's signature to a draft (orders, their acts, decisions)
    Cosign(CosignArgs),
    /// Stop an own order for now; one officer
    Suspend(ActArgs),
    /// End a suspension; two officers
    Resume(ActArgs),
    /// Replace the text of an own order; two officers
    Modify(ModifyArgs),
    /// End an own order whose conditions no longer exist; two officers
    Rescind(ActArgs),
    /// Take back an own order issued in error; two officers
    Withdraw(ActArgs),
    /// Ask why an own order changes, and lead to the act that fits
    Amend(AmendArgs),
    /// Write the text of an order as it stands as a document, to change it
    Text(TextArgs),
    /// What an order document would do, tried on an archive; exit 20 when it is over-broad
    Simulate(SimulateArgs),
}

/// What is done with policy packs.
#[derive(Subcommand, Clone, Debug)]
pub enum PolicyVerb {
    /// Write a pack with every field explained
    New(NewArgs),
    /// Say what is wrong with a pack and what others will miss; exit 20 with gaps, 21 with errors
    Lint(LintArgs),
    /// Show what a pack would decide on the orders our node knows, or on order documents
    Test {
        /// The pack
        file: PathBuf,
        /// Orders by name, or order documents (.toml); none means all
        orders: Vec<String>,
    },
    /// Sign a pack into a .tsn file
    Sign(SignArgs),
    /// Add the second officer's signature
    Cosign(CosignArgs),
    /// Submit a signed pack to our node
    Submit(SubmitArgs),
    /// Show a pack from a .tsn file, or by its name
    Show {
        /// A file, or `members/de/policies/..`, or a statement_id
        name: String,
    },
}

/// What is done with blocks.
#[derive(Subcommand, Clone, Debug)]
pub enum BlockVerb {
    /// List the blocks of a jurisdiction
    List {
        /// Whose, e.g. DE; the node's own when left out
        #[arg(long, value_name = "CODE")]
        jurisdiction: Option<String>,
        /// Only what stops goods: in force or held
        #[arg(long)]
        in_force: bool,
        /// `field = "value"` joined by AND, over issuer, instrument, hs, right_kind
        #[arg(long, default_value = "")]
        filter: String,
    },
    /// Show one block
    Show {
        /// Its name, e.g. US-2026-0412@DE
        name: String,
    },
    /// Orders by jurisdictions
    Matrix {
        /// As for list
        #[arg(long, default_value = "")]
        filter: String,
    },
    /// What a block would do in force here, tried on an archive; exit 20 when it is over-broad
    Simulate(SimulateArgs),
}

/// What is done with notices.
#[derive(Subcommand, Clone, Debug)]
pub enum NoticesVerb {
    /// Print notices as they come, one a line, until interrupted
    Watch(WatchArgs),
}

/// What is done with logs.
#[derive(Subcommand, Clone, Debug)]
pub enum LogVerb {
    /// The newest checkpoint of a log and who has cosigned it
    Head {
        /// A member; the node's own when left out
        member: Option<String>,
    },
    /// What stands in a log
    Show {
        /// A member; the node's own when left out
        member: Option<String>,
        /// First index
        #[arg(long, default_value_t = 0)]
        start: u64,
        /// How many
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// Fetch whole logs and verify every entry, root, note and cosignature
    Audit {
        /// Members; all when left out
        members: Vec<String>,
    },
}

/// Where a new document goes.
#[derive(Args, Clone, Debug)]
pub struct NewArgs {
    /// The file to write; KIND.toml when left out
    pub file: Option<PathBuf>,
    /// Print it instead
    #[arg(long, conflicts_with = "file")]
    pub stdout: bool,
}

/// What is judged for completeness.
#[derive(Args, Clone, Debug)]
pub struct LintArgs {
    /// The document
    pub file: PathBuf,
    /// For scripts: exit 21 when it is less complete than this, 0 to 100, and 0 when it is not,
    /// whatever is missing
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub min_completeness: Option<u32>,
}

/// Which keys sign, and where the result goes.
#[derive(Args, Clone, Debug)]
pub struct SignArgs {
    /// The document
    pub file: PathBuf,
    /// Record key file of who signs; the context's when left out; twice for two officers
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
    /// The year's running number; the node is asked for the next free one when left out
    #[arg(long)]
    pub number: Option<u32>,
    /// The .tsn file to write; beside the document when left out
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Which draft is cosigned, and by whom.
#[derive(Args, Clone, Debug)]
pub struct CosignArgs {
    /// The .tsn draft, replaced by the cosigned one; or a draft at our node by its name, submitted
    /// when it is signed
    pub file: PathBuf,
    /// Record key file of who signs; the context's when left out
    #[arg(long, value_name = "FILE")]
    pub key: Vec<PathBuf>,
}

/// What is submitted.
#[derive(Args, Clone, Debug)]
pub struct SubmitArgs {
    /// The signed .tsn file
    pub file: PathBuf,
    /// How long to wait for other members
    #[command(flatten)]
    pub wait: WaitArgs,
}

/// How long to wait for other members.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct WaitArgs {
    /// How many members must hold it before the answer
    #[arg(long, value_enum, default_value_t)]
    pub wait: Wait,
}

/// How widely a statement must be held before the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Wait {
    /// Durable at our own node
    #[default]
    Local,
    /// Held by other members as well
    Replicated,
    /// Held by a quorum
    Confirmed,
}

/// What is listed.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// `issuer = "us"`; for orders also instrument, hs, right_kind, joined by AND
    #[arg(long, default_value = "")]
    pub filter: String,
    /// At most this many
    #[arg(long, default_value_t = 500)]
    pub limit: usize,
}

/// A decision.
#[derive(Args, Clone, Debug)]
pub struct DecideArgs {
    /// The order, e.g. US-2026-0412
    pub order: String,
    /// What is decided
    #[arg(value_enum)]
    pub verb: Verb,
    /// The law it rests on here
    #[arg(long, default_value = "")]
    pub basis: String,
    /// Why
    #[arg(long, default_value = "")]
    pub reason: String,
    /// hold and extend: when it ends by itself, a date or an RFC 3339 instant
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// adopt: a right in our own register, as OFFICE:KIND:NUMBER; may be repeated
    #[arg(long, value_name = "RIGHT")]
    pub local_right: Vec<String>,
    /// Take basis, reason, end and rights from a decision document
    #[arg(long, value_name = "FILE",
          conflicts_with_all = ["basis", "reason", "until", "local_right"])]
    pub document: Option<PathBuf>,
    /// Print a decision document with every field explained, and do nothing else
    #[arg(long)]
    pub new: bool,
    /// Who signs, and what becomes of it
    #[command(flatten)]
    pub how: ActHow,
}

/// What can be decided by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verb {
    /// In force here; two officers
    Adopt,
    /// Provisional; ends by itself
    Hold,
    /// An officer must look at it
    Review,
    /// Goods are to be inspected
    Flag,
    /// Shown, without effect
    Inform,
    /// Refused here
    Decline,
    /// Not ours to decide
    NotCompetent,
    /// A longer hold; two officers
    Extend,
    /// Stop applying it for now
    Pause,
    /// End it here
    End,
}

impl Verb {
    /// The kind of decision it makes.
    #[must_use]
    pub const fn kind(self) -> DecisionKind {
        match self {
            Self::Adopt => DecisionKind::Adopt,
            Self::Hold => DecisionKind::Hold,
            Self::Review => DecisionKind::Review,
            Self::Flag => DecisionKind::Flag,
            Self::Inform => DecisionKind::Inform,
            Self::Decline => DecisionKind::Decline,
            Self::NotCompetent => DecisionKind::NotCompetent,
            Self::Extend => DecisionKind::Extend,
            Self::Pause => DecisionKind::Pause,
            Self::End => DecisionKind::End,
        }
    }
}

/// What is watched.
#[derive(Args, Clone, Debug)]
pub struct WatchArgs {
    /// Whose blocks, e.g. DE; the node's own when left out
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: Option<String>,
    /// `field = "value"` joined by AND, over issuer, instrument, hs, right_kind
    #[arg(long, default_value = "")]
    pub filter: String,
    /// Go on from this cursor, of this or any other member's node
    #[arg(long, conflicts_with_all = ["now", "cursor_file"])]
    pub cursor: Option<String>,
    /// Go on from the cursor in this file, and keep it up to date
    #[arg(long, value_name = "FILE", conflicts_with = "now")]
    pub cursor_file: Option<PathBuf>,
    /// Only what changes from now on
    #[arg(long)]
    pub now: bool,
    /// First the whole state
    #[arg(long)]
    pub snapshot: bool,
    /// End after this many notices
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
}

/// What is looked up.
#[derive(Args, Clone, Debug)]
pub struct LookupArgs {
    /// GTIN, model, serial, HS code, MID, LEI, EORI, respondent or order
    #[arg(required_unless_present = "row", num_args = 1..)]
    pub text: Vec<String>,
    /// Explain this row of a file that `screen` wrote, instead
    #[arg(long, value_name = "N", requires = "hits", conflicts_with = "text")]
    pub row: Option<u64>,
    /// The hits.csv that has the row
    #[arg(long = "in", id = "hits", value_name = "FILE", requires = "row")]
    pub hits: Option<PathBuf>,
    /// Where, e.g. DE; the node's own when left out
    #[arg(long, value_name = "CODE")]
    pub jurisdiction: Option<String>,
    /// Exit 10 blocked, 11 held or to review or flagged, 12 undecided, 13 state too old, 0 no match
    #[arg(long)]
    pub exit_code: bool,
}

/// What is verified.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// .tsn files, or names of statements to fetch; several are told in a table
    #[arg(required = true, value_name = "FILE-or-NAME")]
    pub targets: Vec<String>,
    /// SHA-256 of the genesis roster, as compared by voice; the context's when left out
    #[arg(long, value_name = "HASH")]
    pub genesis: Option<String>,
    /// Keep the fetched bundle in this file; for one name alone
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
}

/// A span of time: a number and `ms`, `s`, `m` or `h`; seconds when there is no unit.
///
/// # Errors
/// When it is not one, or longer than a day.
pub fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number
        .parse()
        .map_err(|_| "write 500ms, 30s or 2m".to_owned())?;
    let factor: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("`{unit}` is not ms, s, m or h")),
    };
    let ms = number
        .checked_mul(factor)
        .filter(|ms| (1..=86_400_000).contains(ms));
    ms.map(Duration::from_millis)
        .ok_or_else(|| "it is over 0 and at most a day".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[derive(Parser, Debug)]
    #[command(disable_help_subcommand = true)]
    struct Tool {
        #[command(flatten)]
        globals: Globals,
        #[command(subcommand)]
        command: Command,
    }

    fn parse(line: &str) -> Result<Tool, clap::Error> {
        Tool::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Tool::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_surface_parses() {
        for line in [
            "tocsin report new",
            "tocsin report lint r.toml",
            "tocsin report sign r.toml --key k",
            "tocsin report submit r.tsn --wait confirmed",
            "tocsin report list",
            "tocsin report show US-2026-0007",
            "tocsin indicator new --stdout",
            "tocsin order cosign o.tsn --key k",
            "tocsin order suspend US-2026-0412 --reason stay",
            "tocsin order resume US-2026-0412 --reason over",
            "tocsin order modify US-2026-0412 --reason x --document o.toml",
            "tocsin order rescind US-2026-0412 --reason x",
            "tocsin order withdraw US-2026-0412 --reason x --key a --key b --because error",
            "tocsin order amend US-2026-0412",
            "tocsin order text US-2026-0412",
            "tocsin order text US-2026-0412 --stdout",
            "tocsin order amend US-2026-0412 --because slip --reason x --document o.toml",
            "tocsin report lint r.toml --min-completeness 80",
            "tocsin policy lint p.toml",
            "tocsin context list",
            "tocsin context use de",
            "tocsin context show",
            "tocsin context show de",
            "tocsin context previous",
            "tocsin context remove de",
            "tocsin context validate",
            "tocsin decide US-2026-0412 adopt --basis law --local-right DE:patent:1",
            "tocsin decide US-2026-0412 not-competent",
            "tocsin policy test p.toml US-2026-0412",
            "tocsin policy show p.tsn",
            "tocsin pending",
            "tocsin pending --key k",
            "tocsin pending --all",
            "tocsin pending show 0123456789abcdef",
            "tocsin pending sign 0123456789abcdef --key k --wait replicated",
            "tocsin pending discard 0123456789abcdef --reason slip",
            "tocsin order withdraw US-2026-0412 --reason x --draft",
            "tocsin block list --in-force --jurisdiction DE",
            "tocsin block show US-2026-0412@DE",
            "tocsin block matrix",
            "tocsin notices watch --cursor AAAA --count 3",
            "tocsin lookup 4006381333931 --exit-code",
            "tocsin lookup --row 7 --in out/hits.csv",
            "tocsin screen a.csv --mapping m.toml --out out --review-budget 100 --exit-code",
            "tocsin screen a.csv --since 2026-11-22 --suppress s.toml --lists l.csv",
            "tocsin screen mapping new a.csv --stdout",
            "tocsin screen mapping test m.toml a.csv",
            "tocsin order simulate order.toml --archive a.csv",
            "tocsin block simulate US-2026-0412 --archive a.csv --mapping m.toml",
            "tocsin verify file.tsn --genesis 00",
            "tocsin log head us",
            "tocsin log show us --start 3 --limit 2",
            "tocsin log audit",
            "tocsin status --output json -c de --timeout 2m",
            "tocsin trace US-2026-0412 --at de",
            "tocsin trace US-2026-0412@DE --output json",
            "tocsin check --only network,DISK_LEFT --fail-on fail --format nagios --wait 30s",
            "tocsin check --admin http://127.0.0.1:7339 --format prometheus --plugin-exit",
            "tocsin explain NEEDS_SECOND_OFFICER",
            "tocsin completion bash",
            "tocsin help order sign",
            "tocsin man --dir d",
        ] {
            parse(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
    }

    #[test]
    fn what_is_no_command_is_refused() {
        for line in [
            "tocsin",
            "tocsin order",
            "tocsin decide US-2026-0412 lapse",
            "tocsin order amend US-2026-0412 --because whim",
            "tocsin report lint r.toml --min-completeness 101",
            "tocsin context remove",
            "tocsin lookup",
            "tocsin lookup --row 7",
            "tocsin screen",
            "tocsin screen a.csv --restart",
            "tocsin pending sign",
            "tocsin order withdraw US-2026-0412 --reason x --draft --out f.tsn",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn spans_of_time_have_units_and_bounds() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in [
            "",
            "s",
            "0s",
            "2d",
            "25h",
            "-1s",
            "1.5s",
            "99999999999999999999s",
        ] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
