//! What stands in `deploy/` names only what exists.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use tocsin_node::config::{KEYS, QuotaConfig};
use tocsin_node::metrics::Metrics;
use tocsin_tests::repository;

use crate::BINARY;

/// Every name that a scrape can show.
fn metrics() -> BTreeSet<String> {
    let (_, catalog) = Metrics::new("de");
    let mut names = BTreeSet::new();
    for one in catalog.described {
        if one.kind == "histogram" {
            names.extend(["bucket", "sum", "count"].map(|part| format!("{}_{part}", one.name)));
        } else {
            names.insert(one.name);
        }
    }
    names
}

/// Words of a text that begin as our metrics do.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("tocsin_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn dashboard_and_alert_rules_name_only_metrics_that_exist() {
    let known = metrics();
    for file in ["deploy/alerts.yml", "deploy/dashboard.json"] {
        let named = named(&repository::read(file).unwrap());
        assert!(named.len() > 10, "{file} names {named:?}");
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}");
    }
}

#[test]
fn every_metric_is_on_the_dashboard() {
    let shown = named(&repository::read("deploy/dashboard.json").unwrap());
    let (_, catalog) = Metrics::new("de");
    // A counter of reloads is for alerts; nobody watches it.
    let quiet = ["tocsin_certificate_reloads_total"];
    for one in catalog.described {
        let is_shown = shown.iter().any(|name| name.starts_with(&one.name));
        assert!(
            is_shown || quiet.contains(&one.name.as_str()),
            "{}",
            one.name
        );
    }
}

#[test]
fn every_alert_says_what_to_do() {
    let rules = repository::read("deploy/alerts.yml").unwrap();
    let count = |what: &str| {
        rules
            .lines()
            .filter(|line| line.trim().starts_with(what))
            .count()
    };
    let alerts = count("- alert:");
    assert!(alerts > 10);
    for part in ["expr:", "labels:", "summary:", "action:"] {
        assert_eq!(count(part), alerts, "{part}");
    }
}

#[test]
fn the_sample_configuration_explains_every_key_and_no_other() {
    let sample = repository::read("deploy/node.toml").unwrap();
    let (mut section, mut found) = (String::new(), BTreeSet::new());
    for line in sample.lines() {
        let line = line.trim_start_matches("# ");
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, value)) = line.split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
            && value.starts_with('"')
        {
            found.insert(format!("{section}{key}"));
        }
    }
    let named = |key: &String| !key.starts_with("peers.") && !key.starts_with("clients.");
    let known: BTreeSet<String> = KEYS.iter().map(|(key, _)| (*key).to_owned()).collect();
    assert_eq!(
        found.into_iter().filter(named).collect::<BTreeSet<_>>(),
        known
    );
    for (_, variable) in KEYS {
        let is_named = sample.contains(variable) || variable.ends_with("_DATA_DIR");
        assert!(is_named, "{variable} is not named");
    }
}

#[test]
fn the_sample_configuration_and_the_manual_show_the_quotas_as_they_are() {
    let manual = repository::read("deploy/README.md").unwrap();
    let sample = repository::read("deploy/node.toml").unwrap();
    for (key, value) in QuotaConfig::default().shown() {
        let line = format!("\n{key} = {value}");
        assert!(sample.contains(&line), "node.toml: {line}");
        assert!(manual.contains(&line), "README.md: {line}");
    }
}

#[test]
fn the_sample_configuration_is_read_up_to_the_files_it_names() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/node.toml");
    let refused = tocsin_node::config::Config::load(&file, [], &[]);
    // The one thing wrong with it: this machine has no such alliance file.
    let error = refused.map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("alliance: "), "{error}");
}

#[test]
fn the_founding_script_founds_an_alliance() {
    let dir = tempfile::tempdir().unwrap();
    let bin = dir.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(BINARY, bin.join("tocsin")).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let found = || {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/found.sh");
        let output = Command::new("sh")
            .arg(script)
            .arg(dir.path().join("members"))
            .args([
                "compose.tocsin.example",
                "us:US:us",
                "jp:JP:127.0.0.1:7400:7401",
            ])
            .env("PATH", &path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(found().contains("fingerprint"));
    for member in ["us", "jp"] {
        let home = dir.path().join("members").join(member);
        assert!(home.join("alliance.tsa").is_file());
        let ready = Command::new(BINARY)
            .args(["node", "ready", "--config"])
            .arg(home.join("node.toml"))
            .output()
            .unwrap();
        // Nobody runs there: the settings are sound, and the node does not answer.
        assert_eq!(ready.status.code(), Some(5), "{ready:?}");
    }
    let again = found();
    assert!(again.contains("stands already"), "{again}");
}
