//! `trace` over a real network: what arrived, what was stopped and by what, and what nobody here
//! can know.

use std::time::{Duration, Instant};

use serde_json::Value;
use tocsin_cli::keyfile;
use tocsin_core::decision::{DecisionKind, PolicyCitation};
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::keyfile::Purpose;
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, Saying, Signed};

use crate::BINARY;

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_says_how_far_a_statement_came_and_what_stopped_it() {
    let mut network = Network::start(BINARY, &["us", "jp", "de"]).await;
    let pack = publish_pack(&network, "de", "review").await;
    let order = issue(&network, 1).await;
    let name = order.entry.statement_id().to_string();
    let at = |asked: &str, member: &str, name: &str| -> Value {
        let args = ["trace", name, "--at", member];
        let (exit, traced) = network.tool(asked).json(&args);
        assert_eq!(exit, 0, "{traced:#}");
        traced
    };

    // By a rule of DE's pack it is in review there; JP has no pack. Every node says the same.
    for asked in ["us", "jp", "de"] {
        let traced = until(
            || at(asked, "de", &name),
            |now| now["stopped_by"] == "BLOCK_IN_REVIEW",
        );
        let decided = hop(&traced, "decided");
        assert_eq!(decided["state"], "done", "{traced:#}");
        let told = decided["detail"].as_str().unwrap();
        assert!(told.contains("review by rule `all` of pack"), "{told}");
        assert!(
            decided["evidence"]
                .as_str()
                .unwrap()
                .starts_with("entry de/1/"),
            "{traced:#}"
        );
        let by = |now: &Value| {
            hop(now, "decided")["detail"]
                .as_str()
                .unwrap()
                .contains("no-pack")
        };
        until(|| at(asked, "JP", &name), by);
    }

    // DE's officers adopt it: in force, by any name, asked of anybody.
    let reference = order.reference("us");
    adopt(&network, &reference).await;
    let short = short_name(&at("us", "de", &name));
    for name in [&name, &name[..16], &short, &format!("{short}@DE")] {
        let traced = until(|| at("jp", "de", name), |now| now["stopped_by"] == "");
        let steps = [
            "said", "logged", "mirrored", "judged", "decided", "in_force",
        ];
        for step in steps {
            assert_eq!(
                hop(&traced, step)["state"],
                "done",
                "{name} {step}: {traced:#}"
            );
        }
        let shown = hop(&traced, "mirrored")["evidence"].as_str().unwrap();
        assert!(shown.contains("cosigned by de"), "{shown}");
        assert!(
            traced["verdict"]
                .as_str()
                .unwrap()
                .contains("arrived at de"),
            "{traced:#}"
        );
    }

    // What decides without effect is stopped where it is judged, with the reason.
    let void = decide_twice(&network, &reference, pack).await;
    let void = void.entry.statement_id().to_string();
    let traced = until(|| at("us", "us", &void), |now| now["stopped_by"] != "");
    assert_eq!(traced["stopped_by"], "VOID_ALREADY_DECIDED", "{traced:#}");

    // A withdrawal ends it, and the act that did is named.
    withdraw(&network, &reference).await;
    let traced = until(|| at("de", "de", &name), |now| now["stopped_by"] != "");
    assert_eq!(traced["stopped_by"], "BLOCK_WITHDRAWN", "{traced:#}");
    let shown = hop(&traced, "in_force")["evidence"].as_str().unwrap();
    assert!(shown.starts_with("withdraw: entry us/1/"), "{shown}");

    refusals(&network, &name);
    of_a_member_that_is_gone(&mut network).await;
}

/// Of DE, killed before it was said, US can tell nothing; of JP it can.
async fn of_a_member_that_is_gone(network: &mut Network) {
    network.kill("de");
    let order = issue(network, 2).await;
    let name = order.entry.statement_id().to_string();
    let tool = network.tool("us");
    let gone = || tool.json(&["trace", &name, "--at", "de"]).1;
    let traced = until(gone, |now| hop(now, "mirrored")["state"] == "unknown");
    for step in ["mirrored", "judged", "decided", "in_force"] {
        assert_eq!(hop(&traced, step)["state"], "unknown", "{traced:#}");
    }
    assert_eq!(traced["stopped_by"], "");
    assert!(
        traced["verdict"].as_str().unwrap().contains("cannot tell"),
        "{traced:#}"
    );
    let to_all = || tool.json(&["trace", &name]).1;
    let told = |now: &Value| {
        let verdict = now["verdict"].as_str().unwrap();
        verdict.contains("arrived at us")
            && verdict.contains("stopped at jp")
            && verdict.contains("not known of de")
    };
    until(to_all, told);
    let told = tool.run(&["trace", &name]);
    assert!(
        told.exit == 0 && told.out.contains("tocsin explain BLOCK_IN_REVIEW"),
        "{told:?}"
    );
}

fn refusals(network: &Network, name: &str) {
    let tool = network.tool("us");
    for (args, exit) in [
        (&["US-2020-0001"][..], 3),
        (&[&"00".repeat(32)], 3),
        (&["no name at all"], 2),
        (&[name, "--at", "fr"], 3),
    ] {
        let told = tool.run(&[&["trace"], args].concat());
        assert_eq!(told.exit, exit, "{args:?}: {told:?}");
    }
}

/// Looks until it is as wanted.
fn until(look: impl Fn() -> Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let now = look();
        if wanted(&now) {
            return now;
        }
        assert!(Instant::now() < end, "{now:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The hop of this step.
fn hop<'a>(traced: &'a Value, step: &str) -> &'a Value {
    let hops = traced["hops"].as_array().unwrap();
    let found = hops.iter().find(|hop| hop["step"] == step);
    found.unwrap_or_else(|| panic!("no hop {step}: {traced:#}"))
}

/// `US-2026-0001` of `members/us/orders/2026-0001`.
fn short_name(traced: &Value) -> String {
    let name = traced["name"].as_str().unwrap();
    let number = name.rsplit('/').next().unwrap();
    format!("US-{number}")
}

async fn publish_pack(network: &Network, member: &str, then: &str) -> Signed {
    let keys = [network.key(member, "o-1"), network.key(member, "o-2")];
    let act = say::pack(&member.to_uppercase(), then);
    let pack = Saying::new(member, act).sign(&[&keys[0], &keys[1]]);
    pack.submit(&network.channel(member).await).await.unwrap();
    pack
}

async fn issue(network: &Network, number: u32) -> Signed {
    let act = Act::Order(Box::new(say::order("EXERCISE lamps")));
    let saying = Saying::new("us", act).number(number);
    let order = saying.sign(&[&network.key("us", "o-1"), &network.key("us", "o-2")]);
    order.submit(&network.channel("us").await).await.unwrap();
    order
}

async fn adopt(network: &Network, order: &StatementRef) {
    let mut decision = say::decision(DecisionKind::Adopt, order.statement_id);
    decision.local_rights = vec![say::right("DE", "102020000001")];
    let saying = Saying::new("de", Act::Decision(decision)).about(order);
    let adopted = saying.sign(&[&network.key("de", "o-1"), &network.key("de", "o-2")]);
    adopted.submit(&network.channel("de").await).await.unwrap();
}

async fn withdraw(network: &Network, order: &StatementRef) {
    let act = Saying::new("us", say::act(OrderActKind::Withdraw)).about(order);
    let act = act.sign(&[&network.key("us", "o-1"), &network.key("us", "o-2")]);
    act.submit(&network.channel("us").await).await.unwrap();
}

/// A second decision by policy on the same text, by DE's node key: valid, and void.
async fn decide_twice(network: &Network, order: &StatementRef, pack: Signed) -> Signed {
    let mut decision = say::decision(DecisionKind::Review, order.statement_id);
    decision.policy = Some(PolicyCitation {
        pack: Some(pack.entry.statement_id()),
        rule: "all".to_owned(),
    });
    let key = network.member("de").home.keys().join("node.key");
    let key = keyfile::read_for(&key, Purpose::Record).unwrap().key;
    let saying = Saying::new("de", Act::Decision(decision)).about(order);
    let said = saying.sign(&[&key]);
    said.submit(&network.channel("de").await).await.unwrap();
    said
}
