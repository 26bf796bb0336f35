//! The walk of ARCHITECTURE.md as one test: read this first.
//!
//! Four real nodes over real TLS: an investigator reports in JP, US officers issue an order that
//! cites the report, DE decides by its own signed policy and a customs agency there gets the
//! notice; then DE's officers adopt, and the order's withdrawal reaches everyone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::time::Duration;

use tocsin_core::decision::DecisionKind;
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, GTIN, Saying, Signed};
use tocsin_wire::bundle::verify::verify;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::v1::notice_service_client::NoticeServiceClient;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tocsin_wire::receipt::Receipt;
use tonic::Streaming;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

#[tokio::test(flavor = "multi_thread")]
async fn a_report_in_one_market_becomes_a_block_in_another_by_its_own_decision_and_ends_with_it() {
    let network = Network::start(BINARY, &["us", "jp", "de", "kr"]).await;
    for (member, then) in [("jp", "flag"), ("kr", "review"), ("de", "flag")] {
        publish_policy(&network, member, then).await;
    }

    // Steps 1 to 3: signed by the investigator, admitted, sequenced, answered with a receipt that
    // proves it.
    let report = say::report("jp", 1).sign(&[&network.key("jp", "i-1")]);
    let answer = report.submit(&network.channel("jp").await).await.unwrap();
    assert!(
        answer.name.starts_with("members/jp/reports/"),
        "{}",
        answer.name
    );
    verify_receipt(&network, "jp", &report, &answer);

    // Step 4: every other node holds the entry, and said so with its mirror's cosignature.
    for member in ["us", "de", "kr"] {
        network.caught_up(member, "jp", 2).await;
    }

    // Steps 5 and 6: two officers issue an order that cites the report, through the same door.
    let mut notices = watch(&network, "de").await;
    let order = issue(&network, &report).await;
    let reference = order.reference("us");

    // Steps 7 and 8: DE decides by its own policy, in its own log, and its agency is told.
    let notice = next(&mut notices, |notice| notice.state == "flagged").await;
    assert_eq!(notice.by, "policy:all");
    assert_eq!(notice.order_id, reference.statement_id.as_bytes());
    assert_eq!(lookup(&network, "de").await, v1::Outcome::Flagged);
    assert_eq!(lookup(&network, "us").await, v1::Outcome::Blocked);
    network.caught_up("kr", "us", 1).await;
    network.caught_up("jp", "us", 1).await;

    // DE's two officers adopt it, citing a right of their own register: now it is in force there.
    adopt(&network, &reference).await;
    let adopted = next(&mut notices, |notice| notice.state == "in_force").await;
    assert!(adopted.version > notice.version);
    assert_eq!(adopted.by, "officers");
    assert_eq!(lookup(&network, "de").await, v1::Outcome::Blocked);

    // Anyone who trusts the genesis hash alone can check it from another member's bytes.
    verify_elsewhere(&network, "kr", &reference.statement_id).await;

    // The withdrawal ends it everywhere at once.
    withdraw(&network, &reference).await;
    let ended = next(&mut notices, |notice| notice.state == "withdrawn").await;
    assert!(ended.version > adopted.version);
    for member in ["us", "jp", "de", "kr"] {
        network.caught_up(member, "us", 2).await;
        assert_eq!(
            lookup(&network, member).await,
            v1::Outcome::None,
            "{member}"
        );
    }
}

async fn publish_policy(network: &Network, member: &str, then: &str) {
    let jurisdiction = member.to_uppercase();
    let keys = [network.key(member, "o-1"), network.key(member, "o-2")];
    let pack = Saying::new(member, say::pack(&jurisdiction, then)).sign(&[&keys[0], &keys[1]]);
    pack.submit(&network.channel(member).await).await.unwrap();
}

async fn issue(network: &Network, report: &Signed) -> Signed {
    let act = Act::Order(Box::new(say::order("EXERCISE lamps")));
    let saying = Saying::new("us", act)
        .number(1)
        .citing(&report.reference("jp"));
    let order = saying.sign(&[&network.key("us", "o-1"), &network.key("us", "o-2")]);
    let answer = order.submit(&network.channel("us").await).await.unwrap();
    verify_receipt(network, "us", &order, &answer);
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
    let saying = Saying::new("us", say::act(OrderActKind::Withdraw)).about(order);
    let withdrawn = saying.sign(&[&network.key("us", "o-1"), &network.key("us", "o-2")]);
    withdrawn
        .submit(&network.channel("us").await)
        .await
        .unwrap();
}

fn verify_receipt(network: &Network, member: &str, said: &Signed, answer: &v1::SubmitResponse) {
    let receipt = Receipt::read(answer.receipt.as_ref().unwrap()).unwrap();
    let key = &network.alliance.member(member).unwrap().log_key;
    receipt.verify(&said.entry, key).unwrap();
}

async fn watch(network: &Network, member: &str) -> Streaming<v1::WatchNoticesResponse> {
    let mut client = NoticeServiceClient::new(network.channel(member).await);
    let request = v1::WatchNoticesRequest {
        start: v1::WatchStart::Beginning.into(),
        ..v1::WatchNoticesRequest::default()
    };
    client.watch_notices(request).await.unwrap().into_inner()
}

/// The next notice that is as wanted; others before it are states in between.
async fn next(
    stream: &mut Streaming<v1::WatchNoticesResponse>,
    wanted: impl Fn(&v1::Notice) -> bool,
) -> v1::Notice {
    let found = async {
        loop {
            let response = stream.message().await.unwrap().unwrap();
            if let Some(v1::watch_notices_response::Event::Notice(notice)) = response.event
                && wanted(&notice)
            {
                return notice;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), found)
        .await
        .expect("a notice in time")
}

async fn lookup(network: &Network, member: &str) -> v1::Outcome {
    let mut client = ScreenServiceClient::new(network.channel(member).await);
    let request = v1::LookupRequest {
        text: GTIN.to_owned(),
        jurisdiction: String::new(),
    };
    client.lookup(request).await.unwrap().into_inner().outcome()
}

async fn verify_elsewhere(network: &Network, at: &str, statement_id: &Hash) {
    let mut client = LogServiceClient::new(network.channel(at).await);
    let request = v1::GetBundleRequest {
        name: statement_id.to_string(),
    };
    let answer = client.get_bundle(request).await.unwrap().into_inner();
    let verified = verify(&answer.tsn, Some(network.alliance.genesis_hash())).unwrap();
    assert!(verified.accepted_as_of().is_some());
}
