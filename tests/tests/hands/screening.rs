//! `Screen` and `ScreenStream` at a member's own node: an order and its end as lines of
//! declarations see them, what is refused, what is suppressed, and that nothing of it is kept.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tocsin_core::decision::DecisionKind;
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_result::Result as Said;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

use crate::BINARY;

/// Stands in every declaration of these tests, and must stand nowhere afterwards.
const MARKER: &str = "QZXMARKER";

#[tokio::test(flavor = "multi_thread")]
async fn a_line_is_blocked_when_an_order_is_adopted_and_no_more_when_it_is_withdrawn() {
    let mut network = Network::found(BINARY, &["us", "de"]);
    let debug = ("TOCSIN_LOG_LEVEL".to_owned(), "trace".to_owned());
    network.run_all(&["us", "de"], &[debug]).await;
    let channel = network.channel("de").await;
    let mut stream = Lines::open(&channel).await;
    let before = stream.check(&[line(say::GTIN)]).await;
    assert_eq!(outcomes(&before.results), ["none"]);
    let state = before.state.unwrap();
    assert_eq!((state.jurisdiction.as_str(), state.stale), ("DE", false));
    assert_eq!(state.origins.len(), 2);

    let order = issue(&network).await;
    network.caught_up("de", "us", 1).await;
    adopt(&network, &order).await;
    let (answer, began) = stream.until("blocked").await;
    let [hit] = answer.hits.as_slice() else {
        panic!("one block, not {:?}", answer.hits);
    };
    let Some(v1::screen_hit::Subject::Block(block)) = &hit.subject else {
        panic!("{hit:?}");
    };
    assert_eq!(block.name, "US-2026-0001@DE".replace("2026", &year()));
    assert_eq!(
        (block.state.as_str(), block.by.as_str()),
        ("in_force", "officers")
    );
    assert_eq!(block.basis, "EXERCISE: local law");
    assert_eq!((hit.cap.as_str(), answer.decisive_missing), ("", false));
    assert_eq!(hit.parts[0].canonical, "04006381333931");
    println!("adopted to blocked in the stream: {began:?}");

    refusals(&network, &channel).await;
    withdraw(&network, &order).await;
    let (answer, ended) = stream.until("none").await;
    assert!(answer.hits.is_empty());
    println!("withdrawn to none in the stream: {ended:?}");
    let page = network.page("de", "/metrics");
    for counted in [
        "tocsin_screen_lines_total{outcome=\"blocked\"}",
        "tocsin_screen_lines_refused_total",
        "tocsin_screen_swap_duration_seconds_count",
    ] {
        assert!(page.contains(counted), "{counted}");
    }

    network.stop("de");
    assert!(!network.log("de").contains(MARKER), "logged");
    let holding = holding(network.member("de").home.dir(), MARKER);
    assert!(holding.is_empty(), "stored in {holding:?}");
}

/// Each refusal by its name, and that one bad line is refused alone.
async fn refusals(network: &Network, home: &Channel) {
    let long = v1::DeclarationLine {
        description: MARKER.repeat(2_000),
        ..line("")
    };
    let strange = v1::DeclarationLine {
        direction: MARKER.to_owned(),
        ..line("")
    };
    let lines = vec![long, line(say::GTIN), strange];
    let answer = screen(home, "DE", lines).await.unwrap();
    assert_eq!(
        outcomes(&answer.results),
        ["LINE_TOO_LONG", "blocked", "FIELD_INVALID"]
    );
    let reason = |refused: Status| {
        let details = refused.get_details_error_info().unwrap();
        (refused.code(), details.reason)
    };
    let many = vec![v1::DeclarationLine::default(); 1_001];
    let refused = screen(home, "", many.clone()).await.unwrap_err();
    assert_eq!(
        reason(refused),
        (Code::OutOfRange, "TOO_MANY_LINES".to_owned())
    );
    let refused = screen(home, "US", vec![line("")]).await.unwrap_err();
    assert_eq!(
        reason(refused),
        (Code::InvalidArgument, "SCREEN_ELSEWHERE".to_owned())
    );
    let stranger = network.channel_as("us", "de").await;
    let refused = screen(&stranger, "", vec![line("")]).await.unwrap_err();
    assert_eq!(
        reason(refused),
        (Code::PermissionDenied, "HOME_ONLY".to_owned())
    );
    let huge = v1::DeclarationLine {
        description: MARKER.repeat(200_000),
        ..line("")
    };
    let refused = screen(home, "", vec![huge]).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    // In a stream the answers to what was good come first.
    let mut stream = Lines::open(home).await;
    assert_eq!(stream.check(&[line("")]).await.results.len(), 1);
    stream.send(many).await;
    let refused = stream.answers.message().await.unwrap_err();
    assert_eq!(
        reason(refused),
        (Code::OutOfRange, "TOO_MANY_LINES".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suppression_is_seen_in_the_answer_and_read_again_on_a_signal() {
    let mut network = Network::found(BINARY, &["us", "de"]);
    let file = network.dir().join("suppressions.toml");
    fs::write(&file, trusted("DE999999")).unwrap();
    let named = file.to_str().unwrap().to_owned();
    network.set("de", "TOCSIN_SCREEN_SUPPRESSIONS", &named);
    network.run_all(&["us", "de"], &[]).await;
    publish_review(&network).await;
    issue(&network).await;
    let channel = network.channel("de").await;
    let mut stream = Lines::open(&channel).await;
    stream.until("review").await;

    fs::write(&file, trusted("DE 1234-56")).unwrap();
    hang_up(&network);
    let (answer, _) = stream.until("none").await;
    let mark = answer.hits[0].suppression.as_ref().unwrap();
    assert_eq!(
        (mark.kind.as_str(), mark.effect.as_str()),
        ("trusted_importer", "suppressed")
    );
    assert_eq!(mark.author, "officer 12");
    assert_eq!(answer.hits[0].outcome(), v1::Outcome::Review);

    // A file with a fault changes nothing, and is told.
    fs::write(&file, "[[suppression]]\n").unwrap();
    hang_up(&network);
    let end = Instant::now() + PATIENCE;
    let refused = "tocsin_suppression_reloads_total{reason=\"refused\"} 1";
    while !network.page("de", "/metrics").contains(refused) {
        assert!(Instant::now() < end, "the bad file is not told of");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        outcomes(&stream.check(&[line(say::GTIN)]).await.results),
        ["none"]
    );
    fs::write(&file, "").unwrap();
    hang_up(&network);
    stream.until("review").await;
}

/// A line with [`MARKER`] wherever text can stand.
fn line(gtin: &str) -> v1::DeclarationLine {
    let identifier = v1::DeclaredIdentifier {
        scheme: "eori".to_owned(),
        value: "DE123456".to_owned(),
    };
    v1::DeclarationLine {
        declaration: format!("{MARKER}-1"),
        line: 7,
        description: format!("{MARKER} lamps"),
        gtins: vec![gtin.to_owned()],
        claims: vec![MARKER.to_lowercase()],
        parties: vec![v1::DeclaredParty {
            role: "importer".to_owned(),
            name: format!("{MARKER} GmbH"),
            identifiers: vec![identifier],
            country: "DE".to_owned(),
        }],
        ..v1::DeclarationLine::default()
    }
}

/// The outcome of each result, or the code of its refusal.
fn outcomes(results: &[v1::ScreenResult]) -> Vec<String> {
    let words = results.iter().map(|result| {
        assert_eq!(
            (result.line, result.declaration.starts_with(MARKER)),
            (7, true)
        );
        match result.result.as_ref().unwrap() {
            Said::Answer(answer) => {
                let name = answer.outcome().as_str_name();
                name.trim_start_matches("OUTCOME_").to_lowercase()
            }
            Said::Refused(refused) => refused.reason.clone(),
        }
    });
    words.collect()
}

async fn screen(
    channel: &Channel,
    jurisdiction: &str,
    lines: Vec<v1::DeclarationLine>,
) -> Result<v1::ScreenResponse, Status> {
    let request = v1::ScreenRequest {
        jurisdiction: jurisdiction.to_owned(),
        lines,
    };
    let mut client = ScreenServiceClient::new(channel.clone());
    let answer = client.screen(request).await?;
    Ok(answer.into_inner())
}

/// An open stream of lines.
struct Lines {
    lines: mpsc::Sender<v1::ScreenStreamRequest>,
    answers: Streaming<v1::ScreenStreamResponse>,
}

impl Lines {
    async fn open(channel: &Channel) -> Self {
        let (lines, outgoing) = mpsc::channel(1);
        let mut client = ScreenServiceClient::new(channel.clone());
        let end = Instant::now() + PATIENCE;
        loop {
            // A node that has just started may still build its first index.
            if screen(channel, "", Vec::new()).await.is_ok() {
                break;
            }
            assert!(Instant::now() < end, "no index is built");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let answers = client.screen_stream(ReceiverStream::new(outgoing)).await;
        Self {
            lines,
            answers: answers.unwrap().into_inner(),
        }
    }

    async fn send(&self, lines: Vec<v1::DeclarationLine>) {
        let request = v1::ScreenStreamRequest {
            jurisdiction: String::new(),
            lines,
        };
        self.lines.send(request).await.unwrap();
    }

    async fn check(&mut self, lines: &[v1::DeclarationLine]) -> v1::ScreenStreamResponse {
        self.send(lines.to_vec()).await;
        self.answers.message().await.unwrap().unwrap()
    }

    /// Sends the line until its outcome is as wanted; its answer, and how long that took.
    async fn until(&mut self, wanted: &str) -> (v1::ScreenAnswer, Duration) {
        let began = Instant::now();
        loop {
            let response = self.check(&[line(say::GTIN)]).await;
            let found = outcomes(&response.results);
            if found == [wanted]
                && let Some(Said::Answer(answer)) = response.results[0].result.clone()
            {
                return (answer, began.elapsed());
            }
            assert!(began.elapsed() < PATIENCE, "{found:?} instead of {wanted}");
        }
    }
}

fn year() -> String {
    let today = tocsin_core::date::display(say::now_ms());
    today.chars().take(4).collect()
}

async fn issue(network: &Network) -> StatementRef {
    let act = Act::Order(Box::new(say::order("EXERCISE lamps")));
    let saying = Saying::new("us", act).number(1);
    let order = submit(network, "us", &saying).await;
    order.reference("us")
}

async fn adopt(network: &Network, order: &StatementRef) {
    let mut decision = say::decision(DecisionKind::Adopt, order.statement_id);
    decision.local_rights = vec![say::right("DE", "102020000001")];
    let saying = Saying::new("de", Act::Decision(decision)).about(order);
    submit(network, "de", &saying).await;
}

async fn withdraw(network: &Network, order: &StatementRef) {
    let saying = Saying::new("us", say::act(OrderActKind::Withdraw)).about(order);
    submit(network, "us", &saying).await;
}

async fn publish_review(network: &Network) {
    submit(network, "de", &Saying::new("de", say::pack("DE", "review"))).await;
}

/// Signed by the member's two officers, and taken by its node.
async fn submit(network: &Network, member: &str, saying: &Saying) -> Signed {
    let keys = [network.key(member, "o-1"), network.key(member, "o-2")];
    let signed = saying.sign(&[&keys[0], &keys[1]]);
    let channel = network.channel(member).await;
    signed.submit(&channel).await.unwrap();
    signed
}

fn trusted(identifier: &str) -> String {
    format!(
        "[[suppression]]\ntrusted_importer = \"{identifier}\"\nreason = \"audited\"\n\
         author = \"officer 12\"\nuntil = \"2099-01-01\"\n"
    )
}

/// Has DE's node read its files again.
fn hang_up(network: &Network) {
    let pid = network.pid("de").unwrap().to_string();
    let told = Command::new("kill").args(["-HUP", &pid]).status();
    assert!(told.unwrap().success());
}

/// The files below `dir` that hold `text`.
fn holding(dir: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for item in fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if fs::read(&path)
            .unwrap()
            .windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}
