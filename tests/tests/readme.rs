//! README.md is true: what it tells people to type stands on its first screen, is what CI runs, and
//! is what the tool understands.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

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
