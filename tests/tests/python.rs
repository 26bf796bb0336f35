//! A client in another language, made from `proto/` alone, against real nodes: it submits, proves,
//! watches, loses its node and goes on at another member.
//!
//! Needs a Python with `grpcio`, `grpcio-tools` and `cryptography`, named by `TOCSIN_PYTHON`. The
//! tests of this repository ask for nothing but Rust, so without it there is nothing to run here;
//! `.ci/run` makes one and names it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;
use tocsin_core::order::OrderActKind;
use tocsin_core::roster::Role;
use tocsin_core::statement::Act;
use tocsin_tests::network::{CLIENT, Network};
use tocsin_tests::repository;
use tocsin_tests::say::{self, Saying};

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
/// The longest wait for the client's next word.
const PATIENCE: Duration = Duration::from_secs(90);
/// How long the client is listened to between orders.
const PAUSE: Duration = Duration::from_millis(200);
/// More orders than this without the notices they must cause is a failure.
const MAX_ORDERS: u32 = 400;
/// Notices before the home node is killed, and in all.
const BEFORE_THE_KILL: u64 = 80;
const IN_ALL: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_in_another_language_proves_watches_and_resumes_at_another_member() {
    let Some(python) = std::env::var("TOCSIN_PYTHON")
        .ok()
        .filter(|path| !path.is_empty())
    else {
        println!("TOCSIN_PYTHON names no interpreter: not run here, but by .ci/run");
        return;
    };
    let ids = ["us", "jp", "de", "kr"];
    let mut network = Network::found(BINARY, &ids);
    // Two officers say here in seconds what would be much for years.
    network.quota("us", "person_orders_per_day = 0");
    for id in ids {
        network.run(id);
    }
    for id in ids {
        network.ready(id).await;
    }
    publish_policy(&network, "de").await;
    let mut client = Client::start(&python, &network);
    client.until("proved_elsewhere", |_| true);
    let screened = client.until("screened", |_| true);
    let expected = ["none", "FIELD_INVALID", "none"];
    assert_eq!(screened["outcomes"], serde_json::json!(expected));

    // The member to resume at is away while the first orders are decided on, so that the logs reach
    // it in another order than they reached the node that is lost.
    network.kill("kr");
    let mut orders = 0;
    issue(&network, &mut orders, 40).await;
    network.run("kr");
    while client.seen < BEFORE_THE_KILL {
        issue(&network, &mut orders, 10).await;
        client.listen();
    }

    network.kill("de");
    client.until("broken", |event| {
        event["who"] == "moved" && event["at"] == "de"
    });
    issue(&network, &mut orders, 10).await;
    client.until("watching_at", |event| {
        event["who"] == "moved" && event["at"] == "kr"
    });
    network.run("de");
    network.ready("de").await;
    while client.seen < IN_ALL {
        issue(&network, &mut orders, 10).await;
        client.listen();
    }
    settle(&network).await;

    client.stop();
    let done = client.until("done", |_| true);
    assert_eq!(done["ok"], true, "{done}");
    assert!(done["notices"].as_u64().unwrap() >= IN_ALL, "{done}");
    client.end();
}

async fn publish_policy(network: &Network, member: &str) {
    let keys = [network.key(member, "o-1"), network.key(member, "o-2")];
    let pack = Saying::new(member, say::pack(&member.to_uppercase(), "flag"));
    pack.sign(&[&keys[0], &keys[1]])
        .submit(&network.channel(member).await)
        .await
        .unwrap();
}

/// Issues `count` orders in the US, and suspends every fifth and withdraws every seventh at once.
async fn issue(network: &Network, orders: &mut u32, count: u32) {
    let keys = [network.key("us", "o-1"), network.key("us", "o-2")];
    let channel = network.channel("us").await;
    for _ in 0..count {
        *orders += 1;
        assert!(
            *orders <= MAX_ORDERS,
            "{orders} orders, and too few notices"
        );
        let act = Act::Order(Box::new(say::order(&format!("EXERCISE lamps {orders}"))));
        let order = Saying::new("us", act)
            .number(*orders)
            .sign(&[&keys[0], &keys[1]]);
        order.submit(&channel).await.unwrap();
        for (every, kind) in [(5, OrderActKind::Suspend), (7, OrderActKind::Withdraw)] {
            if orders.is_multiple_of(every) {
                let act = Saying::new("us", say::act(kind)).about(&order.reference("us"));
                act.sign(&[&keys[0], &keys[1]])
                    .submit(&channel)
                    .await
                    .unwrap();
            }
        }
    }
}

/// Waits until every node has applied as much of every log as any other.
async fn settle(network: &Network) {
    let members = ["us", "jp", "de", "kr"];
    for of in members {
        let origin = network.alliance.member(of).unwrap().origin.to_string();
        let status = network.wait(of, "answering", |_| true).await;
        let size = status
            .logs
            .iter()
            .find(|log| log.origin == origin)
            .unwrap()
            .size;
        for at in members {
            network.caught_up(at, of, size).await;
        }
    }
}

/// The client's process, heard line by line.
struct Client {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// Notices that the interrupted watcher has told of.
    seen: u64,
}

impl Client {
    fn start(python: &str, network: &Network) -> Self {
        let home = &network.member("de").home;
        let node = |id: &str| format!("{id}=127.0.0.1:{}", network.member(id).port);
        let mut process = Command::new(python)
            .arg(repository::root().join("tests/python/scenario.py"))
            .args([
                "--home",
                &node("de"),
                "--other",
                &node("kr"),
                "--steady",
                &node("jp"),
            ])
            .args(["--jurisdiction", "DE", "--reports", "3"])
            .args(["--at-least", &IN_ALL.to_string()])
            .args(["--genesis", &network.alliance.genesis_hash().to_string()])
            .arg("--alliance")
            .arg(home.alliance())
            .arg("--cert")
            .arg(home.client_cert(CLIENT))
            .arg("--key")
            .arg(home.client_cert_key(CLIENT))
            .arg("--record-key")
            .arg(home.person_key(Role::Investigator, "i-1"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (heard, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                println!("{line}");
                let event = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if heard.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            input: process.stdin.take(),
            process,
            lines,
            seen: 0,
        }
    }

    /// Takes in what has been said by now.
    fn listen(&mut self) {
        while let Ok(event) = self.lines.recv_timeout(PAUSE) {
            self.take(&event);
        }
    }

    fn take(&mut self, event: &Value) {
        assert_ne!(event["event"], "failed", "{event}");
        if event["event"] == "watching" && event["who"] == "moved" {
            self.seen = event["notices"].as_u64().unwrap();
        }
    }

    /// The next event of this name that is as wanted.
    fn until(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let event = self
                .lines
                .recv_timeout(PATIENCE)
                .expect("the client says something");
            self.take(&event);
            if event["event"] == name && wanted(&event) {
                return event;
            }
        }
    }

    fn stop(&mut self) {
        self.input.take().unwrap().write_all(b"stop\n").unwrap();
    }

    fn end(mut self) {
        let status = self.process.wait().unwrap();
        assert!(status.success(), "the client ended with {status}");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
