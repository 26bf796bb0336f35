//! How fast one client may ask.

use std::time::Duration;

use tocsin_tests::network::Network;
use tocsin_tests::say::{self, GTIN};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::{BINARY, metric, reason, wait_of};

async fn look_up(channel: &Channel) -> Result<(), tonic::Status> {
    let request = v1::LookupRequest {
        text: GTIN.to_owned(),
        jurisdiction: "DE".to_owned(),
    };
    let answer = ScreenServiceClient::new(channel.clone())
        .lookup(request)
        .await;
    answer.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_questions_is_told_to_wait_and_keeps_nobody_else_waiting() {
    let mut network = Network::found(BINARY, &["de", "us"]);
    network.quota("de", "client_requests_per_second = 5");
    network.quota("de", "member_requests_per_second = 5");
    for id in ["de", "us"] {
        network.run(id);
    }
    for id in ["de", "us"] {
        network.ready(id).await;
    }
    let flooding = network.channel("de").await;
    let (mut served, mut refused) = (0, None);
    for _ in 0..100 {
        match look_up(&flooding).await {
            Ok(()) => served += 1,
            Err(status) => refused = Some(status),
        }
    }
    // Ten at once, and five more for each second that the hundred took.
    assert!((10..=60).contains(&served), "{served}");
    let refused = refused.unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "QUOTA_REQUESTS");
    let wait = wait_of(&refused).unwrap();
    assert!(wait <= Duration::from_millis(250), "{wait:?}");

    // The same client still submits, another member's is served, and the two nodes follow on.
    let report = say::report("de", 1).sign(&[&network.key("de", "i-1")]);
    report.submit(&flooding).await.unwrap();
    network.caught_up("us", "de", 1).await;
    look_up(&network.channel_as("us", "de").await)
        .await
        .unwrap();
    let counted = metric(
        &network,
        "de",
        "tocsin_requests_refused_total",
        "QUOTA_REQUESTS",
    );
    assert!(counted >= 40.0, "{counted}");

    // And after the time named the flooding client is served again.
    tokio::time::timeout(Duration::from_secs(10), async {
        while let Err(status) = look_up(&flooding).await {
            tokio::time::sleep(wait_of(&status).unwrap()).await;
        }
    })
    .await
    .unwrap();
}
