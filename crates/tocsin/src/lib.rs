//! The one binary's commands: the hand tool's, and those that set up and run a node.
//!
//! Begin at [`main`]; [`setup`] is also what the demonstration and the whole-network tests use.

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tocsin_cli::args::{Command as Hand, Globals};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::help;
use tocsin_cli::output::{Color, Format, Output};

pub mod bench;
pub mod codes;
pub mod demo;
pub mod examples;
pub mod node;
pub mod setup;
pub mod upgrade;

use setup::commands::{AllianceVerb, ClientVerb, InitArgs, KeyVerb};

/// The command line.
#[derive(Parser, Clone, Debug)]
#[command(
    name = "tocsin",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    about = help::ABOUT,
    long_about = None,
    after_help = "Exit codes and other topics: tocsin help exit-codes"
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

/// The whole command line, with examples and commands by role; help, manual pages and completion
/// scripts are made from it.
#[must_use]
pub fn command() -> clap::Command {
    help::dressed(Tool::command(), &[help::EXAMPLES, examples::EXAMPLES])
}

/// Reads the command line and does what it says.
#[must_use]
pub fn main() -> ExitCode {
    if std::env::args_os().len() <= 1 {
        return alone();
    }
    let parsed = Tool::from_arg_matches(&command().get_matches());
    let Tool {
        globals,
        command: asked,
    } = parsed.unwrap_or_else(|error| error.exit());
    let judged = |work: &dyn Fn(&mut Output) -> Result<Exit, Failure>| {
        let mut out = Output::new(globals.output, globals.color, globals.quiet);
        let outcome = work(&mut out);
        tocsin_cli::finish(&mut out, outcome)
    };
    let out = |work: &dyn Fn(&mut Output) -> Result<(), Failure>| {
        judged(&|out| work(out).map(|()| Exit::Ok))
    };
    if globals.dry_run && !has_dry_run(&asked) {
        return judged(&|_out| Err(no_dry_run()));
    }
    match &asked {
        Command::Hand(hand) => {
            tocsin_cli::run(globals.clone(), hand.clone(), command(), &codes::pages())
        }
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

/// The tool alone: a screen of help where errors go, for nothing was asked.
fn alone() -> ExitCode {
    let mut out = Output::new(Format::Table, Color::Auto, false);
    out.note(help::short(&command()).trim_end());
    Exit::Usage.into()
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
        command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_and_stands_under_one_role() {
        fn without(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
                let path = format!("{path} {}", below.get_name());
                let help = below.get_after_help().map(ToString::to_string);
                let has = help
                    .unwrap_or_default()
                    .contains(&format!("  tocsin{path}"));
                if below.has_subcommands() {
                    without(below, &path, found);
                } else if !has && path != " completion" {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        without(&command(), "", &mut found);
        assert!(found.is_empty(), "no example: {found:?}");
        for below in command().get_subcommands() {
            let roles = help::ROLES
                .iter()
                .filter(|(_, names)| names.contains(&below.get_name()));
            assert_eq!(roles.count(), 1, "help::ROLES: {}", below.get_name());
        }
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
            "tocsin bench propagation --dir d",
        ] {
            Tool::try_parse_from(line.split_whitespace()).unwrap_or_else(|e| panic!("{line}: {e}"));
        }
        assert!(Tool::try_parse_from(["tocsin", "client", "new", "--role", "king"]).is_err());
    }
}
