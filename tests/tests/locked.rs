//! The rules of `deny.toml`, held against the lock file and cargo's own graph. Needs no network.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::collections::{BTreeMap, BTreeSet};

use tocsin_tests::{graph, repository};

/// More than this many locked crates is more than a small team can follow. Thirteen of them come
/// with Parquet for systems that we do not build for.
const MAX_LOCKED_CRATES: usize = 335;

/// What the pure crates must not reach, however far down.
const EFFECTS: [&str; 14] = [
    "tokio",
    "mio",
    "hyper",
    "h2",
    "socket2",
    "tonic",
    "axum",
    "sled",
    "rustls",
    "aws-lc-rs",
    "rand",
    "getrandom",
    "tracing",
    "log",
];

fn toml(path: &str) -> toml::Table {
    repository::read(path)
        .unwrap()
        .parse()
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Strings at `[section] key`: plain ones, or the `crate` field of tables.
fn listed(section: &str, key: &str) -> Vec<String> {
    let rules = toml("deny.toml");
    let list = rules[section][key].as_array().unwrap();
    let text = |v: &toml::Value| v.get("crate").unwrap_or(v).as_str().unwrap().to_owned();
    list.iter().map(text).collect()
}

fn locked() -> Vec<toml::Table> {
    let lock = toml("Cargo.lock");
    lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p.as_table().unwrap().clone())
        .collect()
}

fn shipped() -> BTreeSet<graph::Package> {
    graph::tree(&["-p", "tocsin", "-e", "normal,build"]).unwrap()
}

fn everything() -> BTreeSet<graph::Package> {
    graph::tree(&["--workspace", "-e", "normal,build,dev"]).unwrap()
}

#[test]
fn the_number_of_locked_crates_is_within_budget() {
    let count = locked().len();
    println!(
        "locked crates: {count} of at most {MAX_LOCKED_CRATES}; shipped: {}",
        shipped().len()
    );
    assert!(
        count <= MAX_LOCKED_CRATES,
        "Cargo.lock holds {count} crates, over {MAX_LOCKED_CRATES}"
    );
}

#[test]
fn the_shipped_graph_holds_each_crate_once_but_for_named_exceptions() {
    let skipped: BTreeSet<String> = listed("bans", "skip").into_iter().collect();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in shipped() {
        versions
            .entry(package.name)
            .or_default()
            .insert(package.version);
    }
    let mut unused = skipped.clone();
    let mut doubled = Vec::new();
    for (name, mut held) in versions {
        let several = held.len() > 1;
        held.retain(|version| {
            let named = format!("{name}@{version}");
            let skip = skipped.contains(&named);
            if skip && several {
                unused.remove(&named);
            }
            !skip
        });
        if held.len() > 1 {
            doubled.push(format!(
                "{name}: {held:?} (cargo tree -d -e normal,build -p tocsin)"
            ));
        }
    }
    assert!(
        doubled.is_empty(),
        "doubled in the shipped graph:\n{}",
        doubled.join("\n")
    );
    assert!(
        unused.is_empty(),
        "deny.toml skips what is no longer doubled: {unused:?}"
    );
}

#[test]
fn a_banned_crate_is_nowhere_in_the_graph() {
    // The graph, not the lock file: that also lists optional crates which no feature turns on
    // (rustls-webpki's ring, for one), and they are never built.
    let banned = listed("bans", "deny");
    assert!(banned.len() >= 5);
    let found: Vec<String> = everything()
        .into_iter()
        .map(|p| p.name)
        .filter(|name| banned.contains(name))
        .collect();
    assert!(
        found.is_empty(),
        "banned by deny.toml, yet built: {found:?} (cargo tree -i NAME)"
    );
}

#[test]
fn each_crate_comes_from_the_registry_named_in_deny_toml() {
    let allowed: Vec<String> = listed("sources", "allow-registry")
        .iter()
        .map(|r| format!("registry+{r}"))
        .collect();
    for package in locked() {
        let Some(source) = package.get("source").and_then(toml::Value::as_str) else {
            continue;
        };
        assert!(
            allowed.iter().any(|a| a == source),
            "{} comes from {source}",
            package["name"]
        );
        assert!(
            package.contains_key("checksum"),
            "{} has no checksum",
            package["name"]
        );
    }
}

#[test]
fn every_licence_in_the_graph_is_on_the_list() {
    let accepted = listed("licenses", "allow");
    let everything = everything();
    assert!(
        everything.len() > 100,
        "the graph is too small to be the real one"
    );
    let refused: Vec<String> = everything
        .iter()
        .filter(|p| !graph::licence_allowed(&p.licence, &|l| accepted.iter().any(|a| a == l)))
        .map(|p| format!("{} {}: `{}`", p.name, p.version, p.licence))
        .collect();
    assert!(
        refused.is_empty(),
        "licences not on deny.toml's list:\n{}",
        refused.join("\n")
    );
}

#[test]
fn the_pure_crates_reach_nothing_with_effects() {
    // Generated service code names tonic's traits, which bring tokio's channels and tracing but,
    // without the feature `transport`, no socket, TLS or HTTP.
    let generated = &["tonic", "tokio", "tracing"];
    for (package, exempt) in [
        ("tocsin-log", &[][..]),
        ("tocsin-core", &[]),
        ("tocsin-wire", generated),
    ] {
        let reached: Vec<String> = graph::tree(&["-p", package, "-e", "normal"])
            .unwrap()
            .into_iter()
            .map(|p| p.name)
            .filter(|name| EFFECTS.contains(&name.as_str()) && !exempt.contains(&name.as_str()))
            .collect();
        assert!(
            reached.is_empty(),
            "{package} is pure, yet reaches {reached:?}"
        );
    }
}
