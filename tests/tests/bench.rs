//! The benchmarks as anyone runs them, for a moment: that each reports all of its figures, with
//! their limits. How fast anything is, is nothing that a test says.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::process::Command;

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

/// Runs a benchmark so shortly that its figures mean nothing; nothing may be left behind.
fn bench(which: &str) -> Vec<Value> {
    bench_with(which, &[])
}

fn bench_with(which: &str, more: &[&str]) -> Vec<Value> {
    let temporary = tempfile::tempdir().unwrap();
    let output = Command::new(BINARY)
        .args(["bench", which, "--seconds", "0.2", "--output", "json"])
        .args(more)
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let left: Vec<_> = std::fs::read_dir(temporary.path()).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["version"], 1);
    assert_eq!(document["bench"], which);
    document["figures"].as_array().unwrap().clone()
}

fn figure<'a>(figures: &'a [Value], name: &str) -> &'a Value {
    let found = figures.iter().find(|figure| figure["figure"] == name);
    let found = found.unwrap_or_else(|| panic!("no figure {name} in {figures:?}"));
    assert!(found["value"].as_f64().unwrap() > 0.0, "{found}");
    found
}

/// A figure with something asked of it says what, of which limit, and whether it is so.
fn held_against(figure: &Value, terms: &[&str]) {
    assert!(figure["limit"].as_f64().unwrap() > 0.0, "{figure}");
    assert!(figure["ratio"].as_f64().unwrap() > 0.0, "{figure}");
    assert!(figure["reached"].is_boolean(), "{figure}");
    assert!(figure["noisy"].is_boolean(), "{figure}");
    let named: Vec<&str> = figure["terms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|term| term["term"].as_str().unwrap())
        .collect();
    assert_eq!(named, terms);
}

#[test]
fn the_terms_of_all_limits_are_measured() {
    let figures = bench("terms");
    for term in [
        "sign",
        "verify_strict",
        "sha256",
        "file",
        "flush",
        "hop",
        "stream",
    ] {
        assert!(figure(&figures, term)["limit"].is_number(), "{term}");
    }
    figure(&figures, "echo");
}

#[test]
fn submissions_are_held_against_echo_verification_and_signature() {
    let figures = bench("ingest");
    for name in ["unary, 64 in flight", "SubmitStream, 2 streams"] {
        held_against(figure(&figures, name), &["echo", "verify_strict", "sign"]);
    }
}

#[test]
fn screening_at_a_node_is_held_against_the_raw_stream_and_the_echo() {
    let figures = bench_with("screen-service", &["--blocks", "300"]);
    held_against(figure(&figures, "lines in streams"), &["raw stream"]);
    held_against(
        figure(&figures, "from a receipt to checks that know it, p99"),
        &[],
    );
    figure(&figures, "memory of the node");
    let beyond = |one: &&Value| one["figure"] == "look-up beyond its echo, p99";
    assert!(figures.iter().any(|one| beyond(&one)));
}

#[test]
fn a_notice_is_held_against_the_parts_of_its_way_and_sent_to_a_thousand() {
    let figures = bench("propagation");
    let parts = ["hops", "flushes", "signatures", "verifications"];
    for kind in ["order", "withdrawal"] {
        for percent in [50, 99] {
            held_against(
                figure(&figures, &format!("{kind}, alone, p{percent}")),
                &parts,
            );
            figure(
                &figures,
                &format!("{kind}, at half the ingest rate, p{percent}"),
            );
        }
    }
    for name in [
        "withdrawal beside order, p50",
        "memory of an idle subscriber",
        "last of 1,000 hands",
    ] {
        held_against(figure(&figures, name), &[]);
    }
}

#[test]
fn following_is_held_against_the_stream_the_hash_the_file_and_the_signature() {
    let figures = bench_with("catchup", &["--entries", "300"]);
    let mirrored = figure(&figures, "mirrored: durable, root verified");
    held_against(mirrored, &["stream", "sha256", "file"]);
    let applied = figure(&figures, "applied: validated and folded");
    held_against(applied, &["verify_strict"]);
}

#[test]
fn a_start_is_told_after_a_clean_stop_a_kill_and_without_an_index() {
    let figures = bench_with("start", &["--entries", "300", "--watches", "9"]);
    for name in ["serving 9 watches after a clean stop", "resident then"] {
        held_against(figure(&figures, name), &[]);
    }
    figure(&figures, "after a kill, in the same boot");
    assert!(figure(&figures, "rebuilt without an index")["limit"].is_number());
}

#[test]
fn the_quality_of_matching_is_told_for_each_set_beside_a_plain_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [
        (
            "names.csv",
            "name1,name2,is_match\nAcme Lamps Ltd,ACME LAMPS GmbH,true\n\
             Acme Lamps,Борей,false\nЛампа,Lampa,true\nOmega Fund II,Omega Fund III,false\n",
        ),
        (
            "goods.csv",
            "left,right,same_product\ndrill DX-4510,dx4510 drill,1\ndrill DX-4510,saw,0\n",
        ),
        (
            "firms.csv",
            "ent_num,name\n1,Acme Lamps Works\n2,Zephyr Shipping\n",
        ),
        ("others.csv", "ent_num,alt_name\n1,Acme Lamp Works\n1,AXW\n"),
        ("models.csv", "brand,model\nacme,DX-4510\nacme,LX-77120\n"),
        ("other.csv", "a,b\n1,2\n"),
    ];
    for (name, text) in sets {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let output = Command::new(BINARY)
        .args(["bench", "screen", "--output", "json", "--quality"])
        .arg(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = document["figures"].as_array().unwrap();
    for set in ["names f1", "goods f1"] {
        let told = figure(figures, set);
        held_against(told, &[]);
        assert_eq!(told["value"], 1.0, "{told}");
    }
    for (name, value) in [
        ("names two scripts f1", 1.0),
        ("aliases all recall", 0.5),
        ("aliases variants recall", 1.0),
        ("holds precision", 1.0),
    ] {
        assert_eq!(figure(figures, name)["value"], value, "{name}");
    }
    let remarks = document["remarks"].to_string();
    assert!(remarks.contains("other: no labelled set"), "{remarks}");
    assert!(remarks.contains("names-1"), "{remarks}");
}
