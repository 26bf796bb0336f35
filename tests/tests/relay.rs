//! Entries reach a member whose author it cannot reach: relaying needs no trust, for the note is
//! the origin's.
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use tocsin_tests::network::Network;
use tocsin_tests::say;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

#[tokio::test(flavor = "multi_thread")]
async fn a_member_reads_from_another_what_its_author_can_no_longer_tell() {
    let ids = ["us", "de", "kr"];
    let mut network = Network::start(BINARY, &ids).await;
    network.kill("kr");
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&network.channel("us").await).await.unwrap();
    network.caught_up("de", "us", 1).await;
    network.kill("us");

    network.run("kr");
    network.caught_up("kr", "us", 1).await;
    // The author comes back, and hears from the relay that both hold its entry.
    network.run("us");
    network.ready("us").await;
    let origin = network.alliance.member("us").unwrap().origin.to_string();
    let status = network.wait("us", "told who holds its log", |status| {
        let mut logs = status.logs.iter();
        logs.any(|log| log.origin == origin && log.cosigners == ["de", "kr"])
    });
    assert_eq!(status.await.state, "serving");
}
