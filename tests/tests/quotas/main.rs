//! Quotas, floods and full disks, over real nodes: what is refused, what is held, and that whatever
//! releases goods passes all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on ends there, and nobody else calls its helpers"
)]

mod disk;
mod flood;
mod origin;
mod person;
mod requests;

use tocsin_core::decision::{Decision, DecisionKind};
use tocsin_core::order::{Order, OrderActKind};
use tocsin_core::statement::{Act, StatementRef};
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::block_service_client::BlockServiceClient;
use tonic::Status;
use tonic::transport::Channel;
use tonic_types::StatusExt;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

/// The stable reason of a refusal.
fn reason(status: &Status) -> String {
    let info = status.get_details_error_info();
    info.map(|info| info.reason).unwrap_or_default()
}

/// How long a refusal asks to wait.
fn wait_of(status: &Status) -> Option<std::time::Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// By both officers of a member.
fn by_officers(network: &Network, member: &str, saying: &Saying) -> Signed {
    let keys = ["o-1", "o-2"].map(|person| network.key(member, person));
    saying.sign(&[&keys[0], &keys[1]])
}

/// An order of a member, signed.
fn order(network: &Network, member: &str, number: u32, order: Order) -> Signed {
    let saying = Saying::new(member, Act::Order(Box::new(order))).number(number);
    by_officers(network, member, &saying)
}

/// Both officers end their order.
fn withdrawal(network: &Network, member: &str, order: &StatementRef) -> Signed {
    let saying = Saying::new(member, say::act(OrderActKind::Withdraw)).about(order);
    by_officers(network, member, &saying)
}

/// One officer's decision on an order's issue.
fn decision(network: &Network, member: &str, order: &StatementRef, kind: DecisionKind) -> Signed {
    let decision: Decision = say::decision(kind, order.statement_id);
    let saying = Saying::new(member, Act::Decision(decision)).about(order);
    saying.sign(&[&network.key(member, "o-1")])
}

/// Both officers of a member put a pack of one rule in force; `limits` are lines of `[limits]`.
async fn publish(network: &Network, member: &str, then: &str, limits: &str) {
    let Act::PolicyPack(mut pack) = say::pack(&member.to_uppercase(), then) else {
        panic!("a pack");
    };
    if !limits.is_empty() {
        pack.toml = format!("{}\n[limits]\n{limits}\n", pack.toml);
    }
    let saying = Saying::new(member, Act::PolicyPack(pack));
    let signed = by_officers(network, member, &saying);
    signed.submit(&network.channel(member).await).await.unwrap();
}

/// How a block stands at a node, and by whose word.
async fn block(channel: &Channel, order: &str, jurisdiction: &str) -> (String, String) {
    let request = v1::GetBlockRequest {
        name: format!("{order}@{jurisdiction}"),
    };
    let answer = BlockServiceClient::new(channel.clone())
        .get_block(request)
        .await;
    let notice = answer.ok().and_then(|answer| answer.into_inner().notice);
    notice
        .map(|notice| (notice.state, notice.by))
        .unwrap_or_default()
}

/// Waits until a block stands as wanted.
async fn wait_block(
    channel: &Channel,
    order: &str,
    jurisdiction: &str,
    wanted: impl Fn(&str, &str) -> bool,
) {
    let end = std::time::Instant::now() + tocsin_tests::network::PATIENCE;
    loop {
        let (state, by) = block(channel, order, jurisdiction).await;
        if wanted(&state, &by) {
            return;
        }
        assert!(
            std::time::Instant::now() < end,
            "{order}@{jurisdiction} is {state} by {by}"
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// `US-2026-0412` of the year in which the test runs.
fn name(member: &str, number: u32) -> String {
    let year = tocsin_core::date::year(say::now_ms());
    format!("{}-{year}-{number:04}", member.to_uppercase())
}

/// A value of one of the node's metrics, summed over its labels that contain `label`.
fn metric(network: &Network, member: &str, name: &str, label: &str) -> f64 {
    let page = network.page(member, "/metrics");
    let lines = page.lines().filter(|line| {
        let is_named = line
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(['{', ' ']));
        is_named && line.contains(label)
    });
    lines
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
