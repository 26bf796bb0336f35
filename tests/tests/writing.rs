//! An officer's day with the hand tool alone, at a real node through a protected context: a
//! document is written, graded, signed by two, submitted, and changed by the act that fits.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use tocsin_cli::context::Contexts;
use tocsin_core::roster::Role;
use tocsin_tests::network::Network;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

/// A desk with a folder for files and contexts, at which nobody can be asked.
struct Desk {
    dir: TempDir,
    keys: [PathBuf; 2],
}

impl Desk {
    fn of(network: &Network) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = &network.member("us").home;
        let keys = ["o-1", "o-2"].map(|person| home.person_key(Role::Officer, person));
        let mut context = network.context("us", "us");
        context.protected = true;
        context.key = Some(keys[0].clone());
        let mut contexts = Contexts::default();
        contexts.contexts.insert("prod".into(), context);
        contexts.save(dir.path()).unwrap();
        Self { dir, keys }
    }

    /// What a command line ends with and prints; `KEY1` and `KEY2` are officers'
    /// keys, `_` a reason.
    fn says(&self, line: &str) -> (i32, Value) {
        let keys = self.keys.each_ref().map(|key| key.display().to_string());
        let args = line.split(' ').map(|arg| match arg {
            "KEY1" => keys[0].as_str(),
            "KEY2" => keys[1].as_str(),
            "_" => "invented reason",
            _ => arg,
        });
        let output = Command::new(BINARY)
            .args(args)
            .args(["--output", "json"])
            .current_dir(self.dir.path())
            .env("TOCSIN_CONFIG_DIR", self.dir.path())
            .env_remove("TOCSIN_CONTEXT")
            .env_remove("TOCSIN_ENDPOINT")
            .env_remove("TOCSIN_KEY")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
        (output.status.code().unwrap(), value)
    }

    fn does(&self, line: &str) -> Value {
        let (code, value) = self.says(line);
        assert_eq!(code, 0, "{line}: {value}");
        value
    }

    fn is_refused(&self, line: &str, exit: i32, code: &str) {
        let (ended, value) = self.says(line);
        assert_eq!(
            (ended, value["code"].as_str()),
            (exit, Some(code)),
            "{line}: {value}"
        );
    }

    fn state(&self, order: &str) -> String {
        let shown = self.does(&format!("order show {order}"));
        shown["state"].as_str().unwrap().to_owned()
    }

    fn edit(&self, file: &str, old: &str, new: &str) {
        let path = self.dir.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{text}");
        std::fs::write(&path, text.replace(old, new)).unwrap();
    }

    fn has(&self, file: &str) -> bool {
        self.dir.path().join(file).exists()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_officer_writes_grades_signs_and_changes_an_order_through_a_protected_context() {
    let network = Network::start(BINARY, &["us"]).await;
    let desk = Desk::of(&network);

    let parts = desk.does("context validate");
    let parts = parts["items"].as_array().unwrap();
    assert!(parts.iter().all(|part| part["status"] == "ok"), "{parts:?}");
    let shown = desk.does("context show");
    assert_eq!(shown["items"][0]["from"], "the only one");

    desk.does("order new --dry-run");
    assert!(!desk.has("order.toml"));
    desk.does("order new");
    assert_eq!(desk.says("order new").0, 7, "what is there is left alone");
    // In force whatever the day is on which the test runs.
    desk.edit("order.toml", "from = 2026-11-22", "from = 2020-01-01");
    let (exit, lint) = desk.says("order lint order.toml");
    assert_eq!((exit, lint["kind"].as_str()), (20, Some("lint")), "{lint}");
    let score = lint["completeness"].as_u64().unwrap();
    assert_eq!(
        desk.says("order lint order.toml --min-completeness 100").0,
        21
    );
    desk.does(&format!("order lint order.toml --min-completeness {score}"));

    desk.does("order sign order.toml --dry-run");
    assert!(!desk.has("order.tsn"));
    let signed = desk.does("order sign order.toml");
    assert_eq!(signed["completeness"], score);
    desk.does("order cosign order.tsn --key KEY2 --yes");
    desk.is_refused("order submit order.tsn", 2, "PROTECTED_CONTEXT");
    desk.is_refused("order submit order.tsn --yes", 2, "PROTECTED_CONTEXT");
    desk.does("order submit order.tsn --dry-run");
    let receipt = desk.does("-c prod order submit order.tsn --yes");
    let order = receipt["name"].as_str().unwrap();
    let shown = desk.does(&format!("order show {order}"));
    assert_eq!(shown["completeness"], score, "the reader sees the same");
    assert_eq!(desk.state(order), "active");

    // The act must fit what has happened, and a suspension waits for no question.
    desk.is_refused(&format!("order amend {order}"), 2, "CAUSE_NEEDED");
    let withdraw = format!("-c prod order withdraw {order} --reason _ --yes");
    desk.is_refused(&withdraw, 2, "CAUSE_NEEDED");
    desk.is_refused(&format!("{withdraw} --because slip"), 2, "CAUSE_MISMATCH");
    desk.does(&format!("-c prod order suspend {order} --reason _ --yes"));
    assert_eq!(desk.state(order), "suspended");

    let text = desk.does(&format!("order text {order} new.toml"));
    assert_eq!(text["file"], "new.toml");
    let relinted = desk.says("order lint new.toml").1;
    assert_eq!(
        relinted["completeness"], score,
        "the same text, to be changed"
    );
    desk.edit("new.toml", "Certain Chargers", "Certain Wall Chargers");
    let slip = format!("order modify {order} --document new.toml --reason _ --because slip");
    desk.does(&format!("{slip} --key KEY2 --key KEY1 --dry-run"));
    desk.does(&format!("-c prod {slip} --key KEY2 --key KEY1 --yes"));
    let text = desk.says(&format!("order text {order} --stdout")).1;
    assert!(
        text.as_str().unwrap().contains("Certain Wall Chargers"),
        "{text}"
    );

    let amend = format!("-c prod order amend {order} --reason _ --because error --yes");
    desk.does(&amend);
    let draft = format!("{order}-withdraw.tsn");
    desk.does(&format!("order cosign {draft} --key KEY2 --yes"));
    desk.does(&format!("-c prod order submit {draft} --yes"));
    assert_eq!(desk.state(order), "withdrawn");
    desk.is_refused(&amend, 7, "VOID_ORDER_ENDED");

    let gone = desk.does("context remove prod --yes");
    assert_eq!(gone["name"], "prod");
    assert_eq!(desk.says("status").0, 2, "no context is left");
}
