//! README.md is true: what it tells people to type stands on its first screen, is what CI runs, and
//! is what the tool understands.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use clap::Parser;
use clap::error::ErrorKind;
use tocsin::Tool;
use tocsin_tests::repository;

/// Lines of a terminal window on which a reader decides whether to go on.
const FIRST_SCREEN_LINES: usize = 40;

/// Lines inside fenced blocks, with their place.
fn typed(text: &str) -> Vec<(usize, &str)> {
    let mut fenced = false;
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            found.push((at + 1, line));
        }
    }
    found
}

#[test]
fn the_two_commands_stand_on_the_first_screen_once_each() {
    let text = repository::read("README.md").unwrap();
    for command in [
        "cargo test --workspace --release",
        "cargo run --release -- demo",
    ] {
        let places: Vec<usize> = typed(&text)
            .iter()
            .filter(|(_, line)| *line == command)
            .map(|(at, _)| *at)
            .collect();
        assert_eq!(
            places.len(),
            1,
            "README.md: want `{command}` once, found at lines {places:?}"
        );
        assert!(
            places[0] <= FIRST_SCREEN_LINES,
            "README.md: `{command}` is below the first screen"
        );
    }
}

#[test]
fn the_gate_takes_both_commands_from_the_readme() {
    let gate = repository::read(".ci/run").unwrap();
    assert_eq!(
        gate.matches("$(readme ").count(),
        2,
        ".ci/run asks README.md for two commands"
    );
    assert!(
        !gate.contains("cargo test --workspace --release\n"),
        ".ci/run must not repeat it"
    );
}

#[test]
fn the_minutes_of_both_commands_are_stated() {
    let text = repository::read("README.md").unwrap();
    assert!(
        text.matches(" minutes").count() >= 2,
        "README.md: say how long each command takes"
    );
}

#[test]
fn the_tool_understands_every_command_that_the_documents_name() {
    let mut wrong = Vec::new();
    let mut read = 0;
    for document in ["README.md", "deploy/README.md", "CHANGELOG.md"] {
        let text = repository::read(document).unwrap();
        let whole = typed(&text).into_iter().map(|(at, line)| (at, line, true));
        let named = text.lines().enumerate().flat_map(|(at, line)| {
            line.split('`')
                .skip(1)
                .step_by(2)
                .map(move |part| (at + 1, part, false))
        });
        for (at, command, whole) in whole.chain(named) {
            if !command.starts_with("tocsin ") || command.contains("COMMAND") {
                continue;
            }
            read += 1;
            let Err(error) = Tool::try_parse_from(command.split_whitespace()) else {
                continue;
            };
            // In running text a command is named without what it works on.
            let short = [
                ErrorKind::MissingRequiredArgument,
                ErrorKind::MissingSubcommand,
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
            ];
            if whole || !short.contains(&error.kind()) {
                wrong.push(format!("{document}:{at}: `{command}`: {error}"));
            }
        }
    }
    assert!(read >= 15, "found only {read} commands");
    assert!(
        wrong.is_empty(),
        "the tool does not know:\n{}",
        wrong.join("\n")
    );
}
