//! `SubmitStream`: the same door as `Submit`, many at a time.

use tocsin_tests::journal::Answer;
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, Signed};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tocsin_wire::proto::v1::submit_stream_response::Outcome;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Streaming};
use tonic_types::StatusExt;

use crate::BINARY;

/// More than a stream holds at a time, so that its windows fill.
const REPORTS: u32 = 1_200;

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_and_a_refusal_does_not_end_it() {
    let network = Network::start(BINARY, &["us", "de"]).await;
    let channel = network.channel("us").await;
    let key = network.key("us", "i-1");
    let reports: Vec<Signed> = (1..=REPORTS)
        .map(|number| say::report("us", number).sign(&[&key]))
        .collect();
    // Its number is known before the stream begins, and so is its request id.
    let mut first = reports[0].request();
    first.request_id = "r-1".to_owned();
    let mut unary = SubmitServiceClient::new(channel.clone());
    unary.submit(first.clone()).await.unwrap();

    let mut requests: Vec<v1::SubmitRequest> = reports.iter().map(Signed::request).collect();
    let refused = bad(&requests[100], &say::report("us", 1).sign(&[&key]));
    let mut checked = say::report("us", 9_000).sign(&[&key]).request();
    checked.validate_only = true;
    // Among the good ones, from the hundredth on: the bad, a check only, and one said already.
    let bad = refused.iter().map(|(request, ..)| request.clone());
    let others: Vec<v1::SubmitRequest> = bad.chain([checked, first]).collect();
    let count = others.len();
    requests.splice(100..100, others);
    requests.last_mut().unwrap().wait_for = v1::WaitFor::Confirmed.into();

    let answers = answers(&channel, requests).await;
    assert_eq!(answers.len(), reports.len() + count);
    let (before, rest) = answers.split_at(100);
    let (between, after) = rest.split_at(count);
    for ((_, code, reason), outcome) in refused.iter().zip(between) {
        let Outcome::Refused(answer) = outcome else {
            panic!("{reason} was taken");
        };
        assert_eq!(answer.reason, *reason);
        assert_eq!(answer.code, i32::from(*code));
        assert!(!answer.message.is_empty());
    }
    let [
        _,
        _,
        _,
        _,
        _,
        Outcome::Accepted(checked),
        Outcome::Accepted(known),
    ] = between
    else {
        panic!("{between:?}");
    };
    assert_eq!(checked.receipt, None);
    assert!(checked.name.ends_with("-9000"), "{}", checked.name);
    let log_key = network.alliance.member("us").unwrap().log_key;
    assert_eq!(Answer::proven(&reports[0], known, &log_key).index, 0);
    // What was sent first stands first, and each receipt proves its own.
    for (at, (report, outcome)) in reports.iter().zip(before.iter().chain(after)).enumerate() {
        let Outcome::Accepted(response) = outcome else {
            panic!("{outcome:?}");
        };
        let answer = Answer::proven(report, response, &log_key);
        assert_eq!(answer.index, at as u64);
    }
    let Some(Outcome::Accepted(last)) = after.last() else {
        panic!("no last answer");
    };
    assert_eq!(last.grade(), v1::Grade::Confirmed);
}

/// What is refused, with the code and the reason.
fn bad(
    good: &v1::SubmitRequest,
    number_taken: &Signed,
) -> [(v1::SubmitRequest, Code, &'static str); 5] {
    let mut forged = good.clone();
    forged.statement.as_mut().unwrap().signatures[0].sig[5] ^= 1;
    let mut reused = good.clone();
    reused.request_id = "r-1".to_owned();
    let mut unknown = good.clone();
    unknown.wait_for = 77;
    let empty = v1::SubmitRequest::default();
    [
        (forged, Code::InvalidArgument, "SIGNATURE_INVALID"),
        (reused, Code::AlreadyExists, "REQUEST_ID_REUSED"),
        (unknown, Code::InvalidArgument, "FIELD_INVALID"),
        (number_taken.request(), Code::AlreadyExists, "NUMBER_TAKEN"),
        (empty, Code::InvalidArgument, "FIELD_MISSING"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_answers_what_it_took_and_says_goodbye() {
    let mut network = Network::start(BINARY, &["us"]).await;
    let key = network.key("us", "i-1");
    let (requests, sent) = mpsc::channel(8);
    let mut client = SubmitServiceClient::new(network.channel("us").await);
    let stream = client.submit_stream(ReceiverStream::new(sent));
    let mut answers = stream.await.unwrap().into_inner();
    for number in 1..=40 {
        let request = say::report("us", number).sign(&[&key]).request();
        requests.send(message(request)).await.unwrap();
    }
    let heard = tokio::spawn(async move {
        let mut accepted = 0_u64;
        loop {
            match answers.message().await {
                Ok(Some(answer)) => {
                    assert!(matches!(answer.outcome, Some(Outcome::Accepted(_))));
                    accepted += 1;
                }
                Ok(None) => panic!("it ended without a word"),
                Err(status) => return (accepted, status),
            }
        }
    });
    tokio::task::block_in_place(|| network.stop("us"));
    let (accepted, status) = heard.await.unwrap();
    assert_eq!(status.code(), Code::Unavailable);
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.reason, "NODE_DRAINING");

    network.run("us");
    network.ready("us").await;
    network.caught_up("us", "us", accepted).await;
    let status = network.status("us").await.unwrap();
    assert_eq!(status.logs[0].size, accepted, "answered is what was taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_for_clients_at_home() {
    let network = Network::start(BINARY, &["us", "de"]).await;
    let channel = network.channel_as("de", "us").await;
    let mut client = SubmitServiceClient::new(channel);
    let refused = client.submit_stream(tokio_stream::empty()).await;
    let status = refused.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(status.get_details_error_info().unwrap().reason, "HOME_ONLY");
}

const fn message(request: v1::SubmitRequest) -> v1::SubmitStreamRequest {
    v1::SubmitStreamRequest {
        submission: Some(request),
    }
}

/// Sends all at once, and closes.
async fn answers(channel: &Channel, requests: Vec<v1::SubmitRequest>) -> Vec<Outcome> {
    let mut client = SubmitServiceClient::new(channel.clone());
    let sent = tokio_stream::iter(requests.into_iter().map(message));
    let mut stream: Streaming<_> = client.submit_stream(sent).await.unwrap().into_inner();
    let mut answers = Vec::new();
    while let Some(answer) = stream.message().await.unwrap() {
        answers.push(answer.outcome.unwrap());
    }
    answers
}
