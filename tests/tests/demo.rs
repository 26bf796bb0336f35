//! The demonstration as anyone runs it, and what it does when something is wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
/// Fewer than it screens by itself: this is a test of the walk, not of speed.
const LINES: &str = "20000";
/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The demonstration's command, with a temporary folder of its own to leave nothing in.
fn demo(temporary: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(["demo", "--lines", LINES])
        .args(args)
        .env("TMPDIR", temporary)
        .env_remove("TOCSIN_DEMO_BREAK");
    command
}

fn run(args: &[&str]) -> Output {
    let temporary = tempfile::tempdir().unwrap();
    let output = demo(temporary.path(), args).output().unwrap();
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    output
}

/// Runs with a fault and gives back what the demonstration says of it.
fn broken(fault: &str) -> String {
    let output = run(&["--exit", "--break", fault]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{fault} was not noticed");
    said
}

fn texts<'a>(value: &'a Value, key: &str) -> BTreeSet<&'a str> {
    value[key]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}

fn step<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut steps = document["steps"].as_array().unwrap().iter();
    steps
        .find(|step| step["step"] == name)
        .unwrap_or_else(|| panic!("no step {name}"))
}

fn cell<'a>(row: &'a Value, jurisdiction: &str) -> &'a Value {
    let mut cells = row["cells"].as_array().unwrap().iter();
    cells
        .find(|cell| cell["jurisdiction"] == jurisdiction)
        .unwrap()
}

#[test]
fn the_demonstration_ends_well_and_says_in_json_what_proves_each_step() {
    let output = run(&["--exit", "--output", "json"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["genesis"].as_str().unwrap().len(), 64);
    for step in document["steps"].as_array().unwrap() {
        assert!(step["ms"].is_u64() && step["what"].is_string(), "{step}");
    }
    for name in [
        "policy", "report", "issue", "fiction", "adopt", "kill", "hold", "withdraw", "audit",
    ] {
        let records = step(&document, name)["records"].as_array().unwrap();
        assert!(!records.is_empty(), "{name}");
        records.iter().for_each(check_record);
    }
    let audit = step(&document, "audit");
    let issued = step(&document, "issue")["records"]
        .as_array()
        .unwrap()
        .len()
        + step(&document, "kill")["records"].as_array().unwrap().len()
        + 2;
    assert!(issued >= 17, "{issued}");
    assert_eq!(
        audit["decisions_judged_again"].as_u64().unwrap(),
        3 * issued as u64
    );
    // Three packs, a report, an adoption, a hold and a withdrawal besides.
    assert_eq!(audit["records"].as_array().unwrap().len(), 4 * issued + 7);
    check_screening(&step(&document, "screen")["summary"]);
    check_logs(step(&document, "logs"));
    check_matrix(step(&document, "matrix"), issued);
}

/// A line in a thousand was planted, a quarter of them for each outcome; one hit of each is told.
fn check_screening(summary: &Value) {
    let outcomes = &summary["outcomes"];
    for (outcome, least) in [("blocked", 5), ("held", 5), ("review", 5), ("flagged", 5)] {
        assert!(outcomes[outcome].as_u64().unwrap() >= least, "{outcomes}");
        let mut best = summary["best"].as_array().unwrap().iter();
        let hit = best.find(|hit| hit["outcome"] == outcome);
        let hit = hit.unwrap_or_else(|| panic!("no hit is told for {outcome}"));
        assert!(!hit["because"].as_array().unwrap().is_empty(), "{hit}");
    }
    assert_eq!(outcomes["blocked"], 5);
    assert_eq!(outcomes["held"], 5);
}

fn check_record(record: &Value) {
    assert!(
        record["name"].as_str().unwrap().starts_with("members/"),
        "{record}"
    );
    for key in ["statement_id", "root"] {
        assert_eq!(record[key].as_str().unwrap().len(), 64, "{record}");
    }
    assert!(
        record["index"].as_u64().unwrap() < record["size"].as_u64().unwrap(),
        "{record}"
    );
    assert_eq!(record["grade"], "confirmed", "{record}");
    assert!(texts(record, "cosigners").len() >= 2, "{record}");
    let author = record["name"].as_str().unwrap().split('/').nth(1).unwrap();
    assert_ne!(record["verified_from"], author, "{record}");
}

fn check_logs(logs: &Value) {
    let logs = logs["logs"].as_array().unwrap();
    assert_eq!(logs.len(), 4);
    for log in logs {
        assert_eq!(log["root"].as_str().unwrap().len(), 64);
        assert_eq!(
            texts(log, "nodes"),
            BTreeSet::from(["us", "jp", "de", "kr"])
        );
        assert!(
            !texts(log, "cosigners").contains(log["log"].as_str().unwrap()),
            "{log}"
        );
    }
}

fn check_matrix(matrix: &Value, issued: usize) {
    let rows = matrix["matrix"].as_array().unwrap();
    assert_eq!(rows.len(), issued);
    for row in rows {
        assert!(row["title"].as_str().unwrap().contains("EXERCISE"), "{row}");
        let is_lamps = row["title"]
            .as_str()
            .unwrap()
            .contains("LED Lamps (fictional)");
        let wanted = if is_lamps {
            [
                ("US", "withdrawn"),
                ("DE", "withdrawn"),
                ("KR", "withdrawn"),
                ("JP", "withdrawn"),
            ]
        } else {
            let jp = if cell(row, "JP")["by"] == "policy:patents" {
                "flagged"
            } else {
                "review"
            };
            let title = row["title"].as_str().unwrap();
            let is_held = title.contains("LED Strips (fictional)");
            [
                ("US", "in_force"),
                ("DE", if is_held { "held" } else { "flagged" }),
                ("KR", "review"),
                ("JP", jp),
            ]
        };
        for (jurisdiction, state) in wanted {
            assert_eq!(cell(row, jurisdiction)["state"], state, "{row}");
            assert!(
                cell(row, jurisdiction)["since_ms"].as_i64().unwrap() > 0,
                "{row}"
            );
        }
    }
}

#[test]
fn the_demonstration_reads_well_on_a_narrow_terminal_without_colours() {
    let output = run(&["--exit"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in said.lines() {
        assert!(
            line.chars().count() <= 80 && !line.contains('\u{1b}'),
            "{line:?}"
        );
    }
    let ticks = said
        .lines()
        .filter(|line| line.starts_with('\u{2713}') && line.ends_with(" ms"));
    assert_eq!(ticks.count(), 16, "{said}");
    assert!(said.contains("not clear"), "{said}");
}

/// A node that is killed at a step, and the step named.
fn kill_at(steps: &[(&str, &str)]) {
    for (step, member) in steps {
        let said = broken(&format!("{step}:kill:{member}"));
        let wanted = format!("step {step}: {member}: its node has ended: signal: 9");
        assert!(said.contains(&wanted), "{said}");
    }
}

#[test]
fn a_node_killed_while_statements_are_made_ends_it_and_is_named() {
    kill_at(&[
        ("start", "jp"),
        ("policy", "de"),
        ("report", "us"),
        ("issue", "kr"),
    ]);
}

#[test]
fn a_node_killed_while_orders_are_decided_on_ends_it_and_is_named() {
    kill_at(&[
        ("fiction", "jp"),
        ("adopt", "us"),
        ("kill", "jp"),
        ("restart", "kr"),
    ]);
}

#[test]
fn a_node_killed_while_all_is_verified_ends_it_and_is_named() {
    kill_at(&[
        ("withdraw", "de"),
        ("audit", "kr"),
        ("logs", "us"),
        ("lookup", "jp"),
        ("matrix", "de"),
    ]);
}

#[test]
fn a_byte_that_a_node_serves_wrong_ends_it_and_the_node_is_named() {
    for (step, member) in [("report", "kr"), ("audit", "de")] {
        let said = broken(&format!("{step}:flip:{member}"));
        let wanted = format!("step {step}: {member}: what it serves of ");
        assert!(said.contains(&wanted), "{said}");
    }
}

#[test]
fn a_policy_pack_that_says_something_else_ends_it_and_the_decision_is_named() {
    let said = broken("audit:pack:kr");
    assert!(
        said.contains("step audit: kr: members/kr/decisions/"),
        "{said}"
    );
    assert!(said.contains("its policy pack says decline"), "{said}");
    assert!(said.contains("it said review"), "{said}");
}

#[test]
fn a_fault_that_never_comes_about_is_not_taken_for_a_good_end() {
    let said = broken("withdraw:flip:us");
    assert!(said.contains("did not come about"), "{said}");
}

#[test]
fn other_members_may_play_but_real_orders_are_issued_by_us_alone() {
    for members in ["fr,jp,de,kr", "us,jp,de", "us,jp,jp,kr", "us,jp,de,Kr"] {
        let output = run(&["--exit", "--members", members]);
        assert_eq!(output.status.code(), Some(2), "{members}");
    }
    assert!(
        run(&["--exit", "--members", "us,fr,it,es"])
            .status
            .success()
    );
}

/// Process ids of running nodes whose configuration lies in `dir`.
fn nodes_in(dir: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&line).contains(&*dir.to_string_lossy())
            && pid != std::process::id()
        {
            found.push(pid);
        }
    }
    found
}

/// Starts the demonstration to stay, and reads what it says until it invites to try.
fn staying(temporary: &Path) -> (Child, Vec<String>) {
    let mut child = demo(temporary, &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(child.stdout.as_mut().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().unwrap().contains("Ctrl-C") {
            return (child, lines);
        }
    }
    let mut said = String::new();
    // It has closed its output, so it ends.
    child.wait().unwrap();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    panic!("{said}");
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

fn gone(temporary: &Path) {
    let end = Instant::now() + PATIENCE;
    while !nodes_in(temporary).is_empty() {
        assert!(Instant::now() < end, "{:?}", nodes_in(temporary));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn it_stays_to_be_tried_and_an_interrupt_leaves_nothing_behind() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut child, lines) = staying(temporary.path());
    assert_eq!(nodes_in(temporary.path()).len(), 4);
    let config = lines
        .iter()
        .find_map(|line| line.trim().strip_prefix("export TOCSIN_CONFIG_DIR="));
    let tries: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.trim().strip_prefix("tocsin "))
        .collect();
    assert_eq!(tries.len(), 5, "{lines:?}");
    for line in tries {
        if line.ends_with("watch") {
            continue;
        }
        let mut command = Command::new(BINARY);
        command
            .args(line.split_whitespace())
            .env("TOCSIN_CONFIG_DIR", config.unwrap());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    signal("-INT", &child);
    assert!(child.wait().unwrap().success());
    gone(temporary.path());
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

/// Runs the hand tool against a staying demonstration, or, without its contexts, against nothing.
fn tool(config: Option<&str>, args: &[&str]) -> Output {
    let mut command = Command::new(BINARY);
    // A folder that is not there holds no contexts: what then works needs no node.
    let config = config.unwrap_or("no-such-folder");
    command.args(args).env("TOCSIN_CONFIG_DIR", config);
    command.output().unwrap()
}

#[test]
fn evidence_from_the_demonstration_verifies_with_no_node_left_and_only_under_its_genesis() {
    let (temporary, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (mut child, lines) = staying(temporary.path());
    let find = |head: &str| lines.iter().find_map(|line| line.trim().strip_prefix(head));
    let (config, genesis) = (find("export TOCSIN_CONFIG_DIR="), find("genesis ").unwrap());
    let file = kept.path().join("order.tsn");
    let path = file.to_str().unwrap();
    let fetch = ["-c", "demo-kr", "verify", "US-2026-0001", "--save", path];
    let fetched = tool(config, &fetch);
    assert!(fetched.status.success(), "{fetched:?}");
    signal("-INT", &child);
    assert!(child.wait().unwrap().success());
    gone(temporary.path());

    let anchored = tool(None, &["verify", path, "--genesis", genesis]);
    assert!(anchored.status.success(), "{anchored:?}");
    let said = String::from_utf8_lossy(&anchored.stdout).to_lowercase();
    assert!(
        said.contains("authentic") && !said.contains("in force"),
        "{said}"
    );
    let unanchored = tool(None, &["verify", path]);
    assert_eq!(unanchored.status.code(), Some(6), "{unanchored:?}");
    assert!(String::from_utf8_lossy(&unanchored.stderr).contains(genesis));
    let elsewhere = tool(None, &["verify", path, "--genesis", &"0".repeat(64)]);
    assert_eq!(elsewhere.status.code(), Some(6), "{elsewhere:?}");

    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let spoiled = tool(None, &["verify", path, "--genesis", genesis]);
    assert_eq!(spoiled.status.code(), Some(6), "{spoiled:?}");
}

#[test]
fn no_node_outlives_a_demonstration_that_is_killed() {
    let temporary = tempfile::tempdir().unwrap();
    let (mut child, _) = staying(temporary.path());
    assert_eq!(nodes_in(temporary.path()).len(), 4);
    child.kill().unwrap();
    child.wait().unwrap();
    gone(temporary.path());
}
