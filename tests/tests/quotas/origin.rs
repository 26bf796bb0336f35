//! A member that says more than others take in a day: it alone is held, says its withdrawals, and
//! what rests on it is for an officer until its log is read again.

use std::time::{Duration, Instant};

use tocsin_core::decision::DecisionKind;
use tocsin_core::statement::Act;
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, GTIN, Saying};
use tocsin_wire::proto::admin::v1::GetStatusResponse;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tonic::transport::Channel;

use crate::{BINARY, by_officers, metric, name, order, wait_block, withdrawal};

/// Entries that DE takes of a member in a day.
const QUOTA: u32 = 20;
/// Reports of the flood.
const FLOOD: u32 = 60;

async fn look_up(channel: &Channel) -> v1::LookupResponse {
    let request = v1::LookupRequest {
        text: GTIN.to_owned(),
        jurisdiction: "DE".to_owned(),
    };
    let answer = ScreenServiceClient::new(channel.clone())
        .lookup(request)
        .await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_over_its_quota_is_held_alone_and_what_rests_on_it_is_for_an_officer() {
    let mut network = Network::found(BINARY, &["us", "jp", "de"]);
    network.quota("de", &format!("origin_entries_per_day = {QUOTA}"));
    for id in ["us", "jp", "de"] {
        network.run(id);
    }
    for id in ["us", "jp", "de"] {
        network.ready(id).await;
    }
    let (us, jp, de) = (
        network.channel("us").await,
        network.channel("jp").await,
        network.channel("de").await,
    );
    let issued = order(&network, "us", 1, say::order("EXERCISE of a flood"));
    issued.submit(&us).await.unwrap();
    network.caught_up("de", "us", 1).await;
    let reference = issued.reference("us");
    let mut adopt = say::decision(DecisionKind::Adopt, reference.statement_id);
    adopt.local_rights = vec![say::right("DE", "102020000001")];
    let adopt = Saying::new("de", Act::Decision(adopt)).about(&reference);
    by_officers(&network, "de", &adopt)
        .submit(&de)
        .await
        .unwrap();
    assert_eq!(look_up(&de).await.outcome(), v1::Outcome::Blocked);

    // The flood, and behind it the withdrawal.
    for number in 2..2 + FLOOD {
        let report = say::report("us", number).sign(&[&network.key("us", "i-1")]);
        report.submit(&us).await.unwrap();
    }
    withdrawal(&network, "us", &reference)
        .submit(&us)
        .await
        .unwrap();
    let size = u64::from(FLOOD) + 2;
    network.caught_up("jp", "us", size).await;

    // DE has taken its quota and the rest of one batch, holds that log, and says so.
    let of_us = |status: &GetStatusResponse| {
        let log = status.logs.iter().find(|log| log.origin.ends_with("/us/1"));
        log.unwrap().clone()
    };
    let status = network
        .wait("de", "holding back the flood", |status| {
            of_us(status).health.starts_with("held back")
        })
        .await;
    assert!(of_us(&status).size < size, "{status:?}");
    assert_eq!(metric(&network, "de", "tocsin_log_held", "/us/1"), 1.0);
    assert_eq!(metric(&network, "de", "tocsin_log_held", "/jp/1"), 0.0);
    // The withdrawal may stand in what it did not take: so nobody is advised to stop goods.
    let end = Instant::now() + PATIENCE;
    loop {
        let answer = look_up(&de).await;
        if answer.outcome() == v1::Outcome::Review && answer.stale {
            break;
        }
        assert!(Instant::now() < end, "{answer:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    // No other log waits.
    let other = order(&network, "jp", 1, say::order("EXERCISE of another issuer"));
    other.submit(&jp).await.unwrap();
    network.caught_up("de", "jp", 1).await;

    // Nothing was dropped: with a larger quota the log is read on from where it was held.
    drop(de);
    network.stop("de");
    network.quota("de", "origin_entries_per_day = 0");
    network.run("de");
    network.ready("de").await;
    network.caught_up("de", "us", size).await;
    let de = network.channel("de").await;
    wait_block(&de, &name("us", 1), "DE", |state, _| state == "withdrawn").await;
}
