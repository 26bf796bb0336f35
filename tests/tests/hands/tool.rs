//! The hand tool's writing commands as officers type them: each a process of its own, against live
//! nodes, from an empty file to an order withdrawn.

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tocsin_core::roster::Role;
use tocsin_tests::network::{CLIENT, Network, PATIENCE};

use crate::BINARY;

/// The folder in which somebody works: documents, and contexts for both members.
struct Office {
    dir: TempDir,
}

impl Office {
    fn open(network: &Network) -> Self {
        let office = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for id in ["us", "de"] {
            let member = network.member(id);
            let path = |path: PathBuf| path.display().to_string();
            let endpoint = format!("https://127.0.0.1:{}", member.port);
            let (alliance, genesis) = (member.home.alliance(), network.alliance.genesis_hash());
            let (cert, key) = (
                member.home.client_cert(CLIENT),
                member.home.client_cert_key(CLIENT),
            );
            office.good(&[
                "context",
                "add",
                id,
                "--endpoint",
                &endpoint,
                "--member",
                id,
                "--alliance",
                &path(alliance),
                "--cert",
                &path(cert),
                "--cert-key",
                &path(key),
                "--genesis",
                &genesis.to_string(),
            ]);
        }
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(BINARY);
        command.args(args).arg("--no-input").current_dir(&self.dir);
        command
            .env("TOCSIN_CONFIG_DIR", self.path("config"))
            .env_remove("TOCSIN_CONTEXT");
        command.output().unwrap()
    }

    /// What it prints for people, when it does what it was asked.
    fn good(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let said = String::from_utf8(output.stdout).unwrap();
        let failed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {said}{failed}");
        said
    }

    /// What it prints for programs.
    fn json(&self, args: &[&str]) -> Value {
        let said = self.good(&[args, &["--output", "json"]].concat());
        let value: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(value["version"], 1, "{args:?}");
        value
    }

    /// Its exit code and what it says, when it refuses.
    fn refused(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?} was done");
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap(), said)
    }

    /// The names of the drafts that wait for this key's signature.
    fn waiting(&self, context: &str, key: &str) -> Vec<String> {
        let list = self.json(&["-c", context, "pending", "--key", key]);
        let items = list["items"].as_array().unwrap().iter();
        let drafts = items.filter(|item| item["waits_for"] == "signature");
        drafts
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    fn state(&self, context: &str, block: &str) -> String {
        let shown = self.run(&["-c", context, "block", "show", block, "--output", "json"]);
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap_or_default();
        shown["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a block stands so at a member's node.
    fn wait(&self, context: &str, block: &str, state: &str) {
        let end = Instant::now() + PATIENCE;
        while self.state(context, block) != state {
            let last = self.state(context, block);
            assert!(
                Instant::now() < end,
                "{block} is {last} at {context}, not {state}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn key(network: &Network, member: &str, person: &str) -> String {
    let role = if person.starts_with('o') {
        Role::Officer
    } else {
        Role::Investigator
    };
    network
        .member(member)
        .home
        .person_key(role, person)
        .display()
        .to_string()
}

fn code(said: &(i32, String), exit: i32, reason: &str) {
    assert_eq!(said.0, exit, "{}", said.1);
    assert!(said.1.contains(reason), "{} does not say {reason}", said.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_its_whole_way_by_hand_and_nothing_binds_by_one_hand() {
    let network = Network::start(BINARY, &["us", "de"]).await;
    tokio::task::block_in_place(|| {
        let office = Office::open(&network);
        let order = issue(&network, &office);
        suspend_and_resume(&network, &office, &order);
        adopt_abroad(&network, &office, &order);
        discard(&network, &office, &order);
        withdraw(&network, &office, &order);
    });
}

/// From an empty file to an order in force; its name.
fn issue(network: &Network, office: &Office) -> String {
    let (one, two) = (&key(network, "us", "o-1"), &key(network, "us", "o-2"));
    office.good(&["order", "new", "order.toml"]);
    code(
        &office.refused(&["order", "new", "order.toml"]),
        7,
        "order.toml",
    );
    let linted = office.run(&["order", "lint", "order.toml"]).status.code();
    assert!(
        matches!(linted, Some(0 | 20)),
        "a scaffold can be signed: {linted:?}"
    );
    let text = std::fs::read_to_string(office.path("order.toml")).unwrap();
    let broken = text.replace("4006381333931", "4006381333932");
    std::fs::write(office.path("broken.toml"), broken).unwrap();
    let linted = office.run(&["order", "lint", "broken.toml"]).status.code();
    assert_eq!(linted, Some(21), "a wrong check digit is an error");

    let investigator = &key(network, "us", "i-1");
    let sign = |key: &str| office.run(&["-c", "us", "order", "sign", "order.toml", "--key", key]);
    assert_eq!(sign(investigator).status.code(), Some(4));
    let signed = sign(one);
    let said = String::from_utf8(signed.stdout).unwrap();
    assert!(said.contains("Draft, not in force. Second officer: tocsin order cosign order.tsn"));

    let said = office.good(&["-c", "us", "order", "submit", "order.tsn"]);
    assert!(
        said.contains("Draft, not in force. Second officer: tocsin order cosign "),
        "{said}"
    );
    assert_eq!(office.waiting("us", one), Vec::<String>::new());
    let waiting = office.waiting("us", two);
    let [draft] = waiting.as_slice() else {
        panic!("{waiting:?}");
    };
    let sign = |key: &str, yes: bool| {
        let mut args = vec!["-c", "us", "pending", "sign", draft, "--key", key];
        args.extend(yes.then_some("--yes"));
        office.refused(&args)
    };
    code(&sign(one, true), 4, "SAME_PERSON");
    code(&sign(investigator, true), 4, "ROLE_NOT_ALLOWED");
    code(&sign(two, false), 2, "CONFIRMATION_NEEDED");
    let elsewhere = ["-c", "de", "pending", "sign", draft, "--yes"];
    let german = &key(network, "de", "o-1");
    code(
        &office.refused(&[&elsewhere[..], &["--key", german]].concat()),
        3,
        "NOT_FOUND",
    );
    code(
        &office.refused(&["-c", "us", "order", "cosign", "gone.tsn", "--key", two]),
        3,
        "gone.tsn",
    );

    let sign = ["-c", "us", "pending", "sign", draft, "--key", two, "--yes"];
    let said = office.good(&sign);
    // The whole of it was shown, and who had signed.
    for part in [
        "EXERCISE: Certain Chargers",
        "4006381333931",
        "signed by",
        "accepted",
    ] {
        assert!(said.contains(part), "{said} lacks {part}");
    }
    assert_eq!(office.waiting("us", two), Vec::<String>::new());
    code(&office.refused(&sign), 3, "NOT_FOUND");
    let list = office.json(&["-c", "us", "order", "list"]);
    list["items"][0]["name"].as_str().unwrap().to_owned()
}

/// One officer suspends; two resume, with a file that is mailed.
fn suspend_and_resume(network: &Network, office: &Office, order: &str) {
    let (one, two) = (&key(network, "us", "o-1"), &key(network, "us", "o-2"));
    let block = format!("{order}@US");
    office.wait("us", &block, "in_force");
    let reason = ["--reason", "EXERCISE: a stay", "--yes"];
    let suspend = ["-c", "us", "order", "suspend", order, "--key", one];
    office.good(&[&suspend[..], &reason].concat());
    office.wait("us", &block, "suspended");
    let resume = [
        "-c",
        "us",
        "order",
        "resume",
        order,
        "--key",
        one,
        "--out",
        "resume.tsn",
    ];
    let said = office.good(&[&resume[..], &reason].concat());
    assert!(
        said.contains("Second officer: tocsin order cosign resume.tsn"),
        "{said}"
    );
    let cosign = |key: &str| {
        office.run(&[
            "-c",
            "us",
            "order",
            "cosign",
            "resume.tsn",
            "--key",
            key,
            "--yes",
        ])
    };
    assert_eq!(cosign(one).status.code(), Some(4));
    assert!(cosign(two).status.success());
    office.good(&["-c", "us", "order", "submit", "resume.tsn", "--yes"]);
    office.wait("us", &block, "in_force");
}

/// Two officers of another member adopt it, without a file.
fn adopt_abroad(network: &Network, office: &Office, order: &str) {
    let (one, two) = (&key(network, "de", "o-1"), &key(network, "de", "o-2"));
    let block = format!("{order}@DE");
    office.wait("de", &block, "review");
    let adopt = [
        "decide",
        order,
        "adopt",
        "--basis",
        "EXERCISE: Regulation (EU) No 608/2013",
        "--reason",
        "EXERCISE",
        "--local-right",
        "DE:trade_mark:302026000000",
        "--draft",
        "--yes",
    ];
    let american = &key(network, "us", "o-1");
    let own = [&["-c", "us"], &adopt[..], &["--key", american]].concat();
    code(&office.refused(&own), 4, "OWN_ORDER");
    office.good(&[&["-c", "de"], &adopt[..], &["--key", one]].concat());
    assert_eq!(
        office.state("de", &block),
        "review",
        "one hand binds nothing"
    );
    let list = office.json(&["-c", "de", "pending", "--key", two]);
    let waits = |what: &str| {
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|i| i["waits_for"] == what)
    };
    assert!(waits("decision") && waits("signature"), "{list}");
    let waiting = office.waiting("de", two);
    let said = office.good(&[
        "-c",
        "de",
        "order",
        "cosign",
        &waiting[0],
        "--key",
        two,
        "--yes",
    ]);
    assert!(
        said.contains(order),
        "the order it is about was shown: {said}"
    );
    office.wait("de", &block, "in_force");
}

/// A draft that was a slip is taken back, and was never in force.
fn discard(network: &Network, office: &Office, order: &str) {
    let (one, two) = (&key(network, "us", "o-1"), &key(network, "us", "o-2"));
    office.good(&[
        "-c",
        "us",
        "order",
        "rescind",
        order,
        "--key",
        one,
        "--draft",
        "--yes",
        "--reason",
        "EXERCISE: a slip",
        "--because",
        "ended",
    ]);
    let waiting = office.waiting("us", two);
    let shown = office.json(&["-c", "us", "pending", "show", &waiting[0]]);
    assert_eq!(shown["act"], "order_act");
    assert_eq!(shown["reason_given"], "EXERCISE: a slip");
    let discard = [
        "-c",
        "us",
        "pending",
        "discard",
        &waiting[0],
        "--reason",
        "a slip",
    ];
    code(&office.refused(&discard), 2, "CONFIRMATION_NEEDED");
    office.good(&[&discard[..], &["--yes"]].concat());
    assert_eq!(office.waiting("us", two), Vec::<String>::new());
    code(
        &office.refused(&["-c", "us", "pending", "show", &waiting[0]]),
        3,
        "NOT_FOUND",
    );
    assert_eq!(office.state("us", &format!("{order}@US")), "in_force");
}

/// Two officers withdraw it, and it is withdrawn everywhere.
fn withdraw(network: &Network, office: &Office, order: &str) {
    let (one, two) = (&key(network, "us", "o-1"), &key(network, "us", "o-2"));
    let withdraw = [
        "order", "withdraw", order, "--reason", "x", "--yes", "--key",
    ];
    let unexplained = [&["-c", "us"], &withdraw[..], &[one]].concat();
    code(&office.refused(&unexplained), 2, "CAUSE_NEEDED");
    let german = &key(network, "de", "o-1");
    let abroad = [
        &["-c", "de"],
        &withdraw[..],
        &[german, "--because", "error"],
    ]
    .concat();
    code(&office.refused(&abroad), 4, "NOT_THE_ISSUER");
    office.good(&[
        "-c",
        "us",
        "order",
        "withdraw",
        order,
        "--key",
        one,
        "--draft",
        "--yes",
        "--reason",
        "EXERCISE: issued in error",
        "--because",
        "error",
    ]);
    assert_eq!(office.state("us", &format!("{order}@US")), "in_force");
    let waiting = office.waiting("us", two);
    office.good(&[
        "-c",
        "us",
        "pending",
        "sign",
        &waiting[0],
        "--key",
        two,
        "--yes",
    ]);
    for (context, block) in [("us", "US"), ("de", "DE")] {
        office.wait(context, &format!("{order}@{block}"), "withdrawn");
    }
}
