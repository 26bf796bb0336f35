//! One person's quota, at the door and over a restart.

use tocsin_core::decision::DecisionKind;
use tocsin_core::order::OrderActKind;
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, Saying};
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tonic::Code;

use crate::{BINARY, decision, metric, order, reason, wait_of, withdrawal};

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_passes_an_exhausted_quota_and_a_restart_forgets_nothing() {
    let mut network = Network::found(BINARY, &["us"]);
    network.quota("us", "person_orders_per_day = 8");
    network.quota("us", "person_reports_per_day = 12");
    network.run("us");
    network.ready("us").await;
    let channel = network.channel("us").await;

    // A quarter of a day's fits an hour: two orders, and the third is refused.
    let mut issued = Vec::new();
    for number in 1..=2 {
        let signed = order(&network, "us", number, say::order("EXERCISE"));
        signed.submit(&channel).await.unwrap();
        issued.push(signed.reference("us"));
    }
    let third = order(&network, "us", 3, say::order("EXERCISE"));
    let refused = third.submit(&channel).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "QUOTA_PERSON");
    assert!(wait_of(&refused).unwrap().as_secs() > 3_000, "{refused:?}");
    assert!(refused.message().contains("2 orders in 1 h"), "{refused:?}");
    // What would be refused is said to be, and nothing is counted for asking.
    let mut asking = third.request();
    asking.validate_only = true;
    let mut client = SubmitServiceClient::new(channel.clone());
    assert_eq!(
        reason(&client.submit(asking).await.unwrap_err()),
        "QUOTA_PERSON"
    );
    // What is said already is answered as before.
    assert_eq!(issued.len(), 2);

    // Another kind, and another person, have their own.
    for number in 10..13 {
        let report = say::report("us", number).sign(&[&network.key("us", "i-1")]);
        report.submit(&channel).await.unwrap();
    }
    let report = say::report("us", 13).sign(&[&network.key("us", "i-1")]);
    assert_eq!(
        reason(&report.submit(&channel).await.unwrap_err()),
        "QUOTA_PERSON"
    );

    // A kill and a start later it is as it was.
    drop((channel, client));
    network.kill("us");
    network.run("us");
    network.ready("us").await;
    let channel = network.channel("us").await;
    for signed in [&third, &report] {
        assert_eq!(
            reason(&signed.submit(&channel).await.unwrap_err()),
            "QUOTA_PERSON"
        );
    }

    // Whatever releases passes: one officer suspends, two withdraw.
    let suspend = Saying::new("us", say::act(OrderActKind::Suspend)).about(&issued[0]);
    let suspend = suspend.sign(&[&network.key("us", "o-1")]);
    suspend.submit(&channel).await.unwrap();
    for order in &issued {
        withdrawal(&network, "us", order)
            .submit(&channel)
            .await
            .unwrap();
    }
    // Said again of what is over it releases nothing, and counts like anything else.
    let again = withdrawal(&network, "us", &issued[0]);
    assert_eq!(
        reason(&again.submit(&channel).await.unwrap_err()),
        "QUOTA_PERSON"
    );
    let refused = metric(
        &network,
        "us",
        "tocsin_submissions_refused_total",
        "QUOTA_PERSON",
    );
    assert!(refused >= 3.0, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_at_the_end_of_a_quota_can_still_pause_and_end() {
    let mut network = Network::found(BINARY, &["us", "de"]);
    network.quota("de", "person_decisions_per_day = 4");
    for id in ["us", "de"] {
        network.run(id);
    }
    for id in ["us", "de"] {
        network.ready(id).await;
    }
    let (us, de) = (network.channel("us").await, network.channel("de").await);
    let issued = order(&network, "us", 1, say::order("EXERCISE"));
    issued.submit(&us).await.unwrap();
    network.caught_up("de", "us", 1).await;
    let issued = issued.reference("us");
    let flag = decision(&network, "de", &issued, DecisionKind::Flag);
    flag.submit(&de).await.unwrap();
    let inform = decision(&network, "de", &issued, DecisionKind::Inform);
    assert_eq!(
        reason(&inform.submit(&de).await.unwrap_err()),
        "QUOTA_PERSON"
    );
    for kind in [DecisionKind::Pause, DecisionKind::End] {
        decision(&network, "de", &issued, kind)
            .submit(&de)
            .await
            .unwrap();
    }
}
