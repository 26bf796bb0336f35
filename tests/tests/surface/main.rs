//! What the hand tool promises on its surface, held in real processes beside a small alliance: each
//! example of each `--help` does what it says, and the JSON of each command keeps its form.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

mod cases;
mod desk;
mod golden;

use std::collections::BTreeSet;
use std::path::PathBuf;

use cases::case;
use desk::{Ran, World};
use golden::Golden;

/// An example as it stands in the help of its command.
#[derive(Clone, Debug)]
struct Example {
    /// The command's words, without the first.
    command: String,
    /// Which of the command's examples, from 0.
    place: usize,
    /// What is typed.
    line: String,
    /// The exit code that the help names, else 0.
    exit: i32,
}

/// Every example of the command line, in the order of the help.
fn examples() -> Vec<Example> {
    let mut found = Vec::new();
    collect(&tocsin::command(), "", &mut found);
    found
}

fn collect(command: &clap::Command, path: &str, found: &mut Vec<Example>) {
    for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
        let path = format!("{path} {}", below.get_name()).trim().to_owned();
        if below.has_subcommands() {
            collect(below, &path, found);
            if below.is_subcommand_required_set() {
                continue;
            }
        }
        let help = below.get_after_help().map(ToString::to_string);
        let help = help.unwrap_or_default().replace("\\\n", "");
        let lines: Vec<&str> = help.lines().map(str::trim).collect();
        let typed = lines.windows(2).filter(|two| two[0].starts_with("# "));
        let before = found.len();
        for (place, two) in typed.enumerate() {
            let says = two[0].split("(exits ").nth(1);
            let exit = says.and_then(|rest| rest.split(')').next()?.parse().ok());
            found.push(Example {
                command: path.clone(),
                place,
                line: two[1].to_owned(),
                exit: exit.unwrap_or(0),
            });
        }
        assert!(
            found.len() > before,
            "`tocsin {path} --help` has no example"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_help_does_what_it_says() {
    let mut world = World::start().await;
    let mut wrong = Vec::new();
    for example in examples() {
        let ran = world.run(&example, case(&example), &[]).await;
        if ran.exit != Some(example.exit) {
            wrong.push(told(&example, &ran));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_json_of_every_command_keeps_its_form() {
    let mut world = World::start().await;
    let (mut wrong, mut kept) = (Vec::new(), BTreeSet::new());
    let first = examples().into_iter().filter(|example| example.place == 0);
    for example in first {
        let case = case(&example);
        let Some(json) = case.json else {
            continue;
        };
        let ran = world.run(&example, case, &[("TOCSIN_OUTPUT", json)]).await;
        if ran.exit != Some(example.exit) {
            wrong.push(told(&example, &ran));
            continue;
        }
        let golden = Golden::of(&example.command);
        kept.insert(golden.path.clone());
        if let Err(difference) = golden.hold(&ran.out, case.chance) {
            wrong.push(difference);
        }
    }
    // A refusal is an answer too, and machines read it on the same stream.
    let refused = "tocsin order show US-2026-9999";
    let ran = world.shell(&world.desk("us"), refused, &[("TOCSIN_OUTPUT", "json")]);
    assert_eq!(ran.exit, Some(3), "{ran:?}");
    let golden = Golden::of("error");
    kept.insert(golden.path.clone());
    wrong.extend(golden.hold(&ran.out, &[]).err());
    let folder = Golden::folder();
    let idle = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path());
    let idle: Vec<PathBuf> = idle.filter(|path| !kept.contains(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(idle.is_empty(), "no command has these any more: {idle:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_win_over_variables_and_variables_over_the_current_context() {
    let world = World::start().await;
    let desk = world.desk("us");
    let run = |line: &str, more: &[(&str, &str)]| world.shell(&desk, line, more);
    let chosen = run("tocsin context use de && tocsin log head -q", &[]);
    assert!(chosen.out.contains("test.tocsin.example/de"), "{chosen:?}");
    let named = run("tocsin log head -q", &[("TOCSIN_CONTEXT", "jp")]);
    assert!(named.out.contains("test.tocsin.example/jp"), "{named:?}");
    let flag = run("tocsin log head -q -c us", &[("TOCSIN_CONTEXT", "jp")]);
    assert!(flag.out.contains("test.tocsin.example/us"), "{flag:?}");
    let json = run("tocsin log head", &[("TOCSIN_OUTPUT", "json")]);
    assert!(json.out.starts_with('{'), "{json:?}");
    let table = run(
        "tocsin log head --output table",
        &[("TOCSIN_OUTPUT", "json")],
    );
    assert!(!table.out.starts_with('{'), "{table:?}");
    let wrong = run("tocsin log head", &[("TOCSIN_TIMEOUT", "never")]);
    assert_eq!(wrong.exit, Some(2), "{wrong:?}");
}

fn told(example: &Example, ran: &Ran) -> String {
    let Example {
        command,
        line,
        exit,
        ..
    } = example;
    format!(
        "\n== {command}: ends with {:?}, its help says {exit}\n$ {line}\n{}{}",
        ran.exit, ran.out, ran.err
    )
}
