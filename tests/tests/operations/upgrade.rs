//! `tocsin upgrade check` beside a node that runs, and on what it cannot read.

use std::fs;
use std::process::Command;

use serde_json::Value;
use tocsin_tests::network::Network;
use tocsin_tests::say;

use crate::BINARY;

/// The exit code and the answer.
fn check(network: &Network, id: &str) -> (i32, Value) {
    let output = Command::new(BINARY)
        .args(["upgrade", "check", "--output", "json", "--config"])
        .arg(network.member(id).home.config())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
    (output.status.code().unwrap(), value)
}

fn part<'a>(value: &'a Value, name: &str) -> &'a Value {
    let parts = value["parts"].as_array().unwrap();
    let found = parts.iter().find(|part| part["part"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_new_binary_reads_is_said_while_the_old_one_runs_and_nothing_is_changed() {
    let mut network = Network::start(BINARY, &["us", "de"]).await;
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&network.channel("us").await).await.unwrap();
    network.caught_up("de", "us", 1).await;

    let (code, value) = check(&network, "de");
    assert_eq!(
        (code, &value["reads"]),
        (0, &Value::from("whole")),
        "{value}"
    );
    let folder = format!("log {}_us_1", tocsin_tests::network::LABEL);
    let found = part(&value, &folder)["found"].as_str().unwrap();
    assert!(found.starts_with("1 entries"), "{found}");
    assert!(network.is_alive("de"));
    network.stop("de");

    // A frame of a kind from the future at the end of that log.
    let folder = format!("log/{}_us_1", tocsin_tests::network::LABEL);
    let data = network.member("de").home.dir().to_owned();
    let segment = data.join(folder).join("00000000000000000000.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend([0, 0, 0, 1, 9, 0, 0, 0, 0, 7]);
    fs::write(&segment, &bytes).unwrap();
    let (code, value) = check(&network, "de");
    assert_eq!(
        (code, &value["reads"]),
        (21, &Value::from("not")),
        "{value}"
    );
    assert_eq!(
        fs::read(&segment).unwrap(),
        bytes,
        "a check must change nothing"
    );
}
