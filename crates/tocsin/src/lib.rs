//! The one binary's commands: the hand tool's, and those that set up and run a node.
//!
//! Begin at [`main`]; [`setup`] is also what the demonstration and the whole-network tests use.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use tocsin_cli::args::{Command as Hand, Globals};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;

pub mod bench;
pub mod demo;
pub mod node;
pub mod setup;
pub mod upgrade;

use setup::commands::{AllianceVerb, ClientVerb, InitArgs, KeyVerb};

/// Tocsin: an alarm bell rung in one town and heard in all.
///
/// Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 not permitted, 5 node unreachable, 6
/// verification failed, 7 conflict, 8 incomplete but resumable, 20 checks have warnings, 21 checks
/// failed.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "tocsin",
    version,
    propagate_version = true,
    arg_required_else_help = true
)]
pub struct Tool {
    /// Flags that every command takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Everything the binary does.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// The hand tool's commands
    #[command(flatten)]
    Hand(Hand),
    /// Show it all: four nodes on this machine, and each step proven
    Demo(demo::DemoArgs),
    /// Make a member's data directory: keys, certificates, config, manifest
    Init(InitArgs),
    /// Found an alliance: roster, signatures, alliance file
    #[command(subcommand)]
    Alliance(AllianceVerb),
    /// Record keys of persons
    #[command(subcommand)]
    Key(KeyVerb),
    /// Certificates of clients
    #[command(subcommand)]
    Client(ClientVerb),
    /// Run the node
    #[command(subcommand)]
    Node(node::NodeVerb),
    /// How fast it is here, as ratios to what this machine can do
    #[command(subcommand)]
    Bench(bench::BenchVerb),
    /// Before an upgrade: what this binary would read and change
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeVerb),
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    let Tool { globals, command } = Tool::parse();
    let judged = |work: &dyn Fn(&mut Output) -> Result<Exit, Failure>| {
        let mut out = Output::new(globals.output, globals.color, globals.quiet);
        let outcome = work(&mut out);
        tocsin_cli::finish(&mut out, outcome)
    };
    let out = |work: &dyn Fn(&mut Output) -> Result<(), Failure>| {
        judged(&|out| work(out).map(|()| Exit::Ok))
    };
    if globals.dry_run && !has_dry_run(&command) {
        return judged(&|_out| Err(no_dry_run()));
    }
    match &command {
        Command::Hand(hand) => tocsin_cli::run(
            globals.clone(),
            hand.clone(),
            Tool::command(),
            &node::explanations(),
        ),
        Command::Demo(args) => out(&|out| demo::run(args, out)),
        Command::Init(args) => out(&|out| setup::commands::run_init(args, out)),
        Command::Alliance(verb) => out(&|out| setup::commands::run_alliance(verb, out)),
        Command::Key(verb) => out(&|out| setup::commands::run_key(verb, out)),
        Command::Client(verb) => out(&|out| setup::commands::run_client(verb, out)),
        Command::Node(verb) => out(&|out| node::run(verb, out)),
        Command::Bench(verb) => out(&|out| bench::run(verb, out)),
        Command::Upgrade(verb) => judged(&|out| upgrade::run(verb, out)),
    }
}

/// Whether a command changes nothing in a dry run, or changes nothing anyway.
fn has_dry_run(command: &Command) -> bool {
    match command {
        Command::Hand(_) | Command::Upgrade(_) => true,
        Command::Demo(_) | Command::Init(_) | Command::Node(_) | Command::Bench(_) => false,
        Command::Alliance(verb) => match verb {
            AllianceVerb::Show { .. } | AllianceVerb::Verify { .. } => true,
            AllianceVerb::New { .. }
            | AllianceVerb::Sign { .. }
            | AllianceVerb::Assemble { .. } => false,
        },
        Command::Key(verb) => matches!(verb, KeyVerb::List { .. }),
        Command::Client(verb) => match verb {
            ClientVerb::New { .. } => false,
        },
    }
}

/// A flag that promises to change nothing is never passed over.
fn no_dry_run() -> Failure {
    Failure::usage("this command has no dry run, and nothing was done")
        .advice("try it in an empty folder, or leave --dry-run out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_is_kept_or_refused_and_never_passed_over() {
        let kept = |line: &str| {
            let tool = Tool::try_parse_from(line.split(' ')).unwrap();
            has_dry_run(&tool.command)
        };
        for line in [
            "tocsin order new --dry-run",
            "tocsin key list --dir d --dry-run",
            "tocsin alliance show a.tsa --dry-run",
        ] {
            assert!(kept(line), "{line}");
        }
        for line in [
            "tocsin demo --exit --dry-run",
            "tocsin key new --dir d --role officer --person p-4 --dry-run",
            "tocsin client new --dir d --id zoll-1 --role agency --dry-run",
            "tocsin alliance new a.json b.json -o roster.json --dry-run",
        ] {
            assert!(!kept(line), "{line}");
        }
        assert_eq!(no_dry_run().exit, Exit::Usage);
    }

    #[test]
    fn the_whole_command_line_is_well_formed() {
        Tool::command().debug_assert();
    }

    #[test]
    fn setting_up_parses_as_documented() {
        for line in [
            "tocsin demo --exit --output json",
            "tocsin init --member de --jurisdiction DE --name Zoll --alliance a.example --dir d \
             --officer p-1 --officer p-2 --investigator p-3 --host 127.0.0.1 --port 7401",
            "tocsin key new --dir d --role officer --person p-4",
            "tocsin key list --dir d --output json",
            "tocsin client new --dir d --id zoll-1 --role agency --role officer",
            "tocsin alliance new a.json b.json -o roster.json",
            "tocsin alliance sign roster.json --key gov.key",
            "tocsin alliance assemble a.json b.json --roster r1 --roster r2 -o alliance.tsa",
            "tocsin alliance show alliance.tsa",
            "tocsin alliance verify alliance.tsa --genesis 00",
            "tocsin lookup 4006381333931 --exit-code",
            "tocsin bench ingest --seconds 0.5 --output json",
        ] {
            Tool::try_parse_from(line.split_whitespace()).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
        assert!(Tool::try_parse_from(["tocsin", "client", "new", "--role", "king"]).is_err());
    }
}
