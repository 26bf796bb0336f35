//! `DraftService`: half-signed statements at their own node, through kills, until they stand in the
//! log, are discarded, or would be refused.

use tocsin_cli::connect::connect;
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::Act;
use tocsin_log::entry::Entry;
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::envelope::{read_statement, write_statement};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::draft_service_client::DraftServiceClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::BINARY;

/// A client that watches notices and no more.
const WATCHER: &str = "desk-2";

fn order(number: u32) -> Saying {
    let act = Act::Order(Box::new(say::order("EXERCISE: lamps")));
    Saying::new("us", act).number(number)
}

fn reason(status: &Status) -> String {
    status.get_details_error_info().unwrap().reason
}

/// The pseudonym behind a key.
fn person(network: &Network, name: &str) -> String {
    let id = network.key("us", name).public().key_id();
    let member = network.alliance.member("us").unwrap();
    member.record_keys[&id].person.clone()
}

async fn put(channel: &Channel, signed: &Signed) -> Result<v1::Draft, Status> {
    let request = v1::PutDraftRequest {
        statement: Some(write_statement(&signed.entry)),
        bodies: signed.bodies.clone(),
    };
    let mut client = DraftServiceClient::new(channel.clone());
    let answer = client.put_draft(request);
    Ok(answer.await?.into_inner().draft.unwrap())
}

async fn get(channel: &Channel, name: &str) -> Result<v1::Draft, Status> {
    let name = name.to_owned();
    let mut client = DraftServiceClient::new(channel.clone());
    let answer = client.get_draft(v1::GetDraftRequest { name });
    Ok(answer.await?.into_inner().draft.unwrap())
}

async fn list(channel: &Channel, waiting_for: &str) -> Result<Vec<v1::Draft>, Status> {
    let mut client = DraftServiceClient::new(channel.clone());
    let (mut drafts, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListDraftsRequest {
            page_size: 1,
            page_token,
            waiting_for: waiting_for.to_owned(),
        };
        let page = client.list_drafts(request).await?.into_inner();
        drafts.extend(page.drafts);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(drafts);
        }
    }
}

async fn discard(channel: &Channel, name: &str) -> Result<(), Status> {
    let request = v1::DiscardDraftRequest {
        name: name.to_owned(),
        reason: "EXERCISE: a slip".to_owned(),
    };
    let mut client = DraftServiceClient::new(channel.clone());
    client.discard_draft(request).await.map(|_| ())
}

/// What a second officer holds who fetched it.
fn entry(draft: &v1::Draft) -> Entry {
    read_statement(draft.statement.as_ref()).unwrap()
}

async fn killed(network: &mut Network) -> Channel {
    network.kill("us");
    network.run("us");
    network.ready("us").await;
    network.channel("us").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_outlives_a_kill_and_is_gone_when_it_stands_in_the_log() {
    let mut network = Network::start(BINARY, &["us"]).await;
    let channel = network.channel("us").await;
    let (one, two) = (network.key("us", "o-1"), network.key("us", "o-2"));
    let (first, second) = (person(&network, "o-1"), person(&network, "o-2"));
    // An older one, so that the list has an order, and one that is taken back.
    let mut older = order(1);
    older.statement.created_ms -= 3_600_000;
    let (older, said, slip) = (older.sign(&[&one]), order(2), order(3).sign(&[&one]));
    let held = put(&channel, &said.sign(&[&one])).await.unwrap();
    put(&channel, &older).await.unwrap();
    let slip = put(&channel, &slip).await.unwrap();
    assert_eq!((held.kind.as_str(), held.missing), ("order", 1));
    assert_eq!(held.title, "EXERCISE: lamps");
    assert_eq!(held.signed_by, std::slice::from_ref(&first));
    assert!(held.short_name.starts_with("US-") && held.short_name.ends_with("-0002"));
    discard(&channel, &slip.name).await.unwrap();
    assert_eq!(
        reason(&discard(&channel, &slip.name).await.unwrap_err()),
        "NOT_FOUND"
    );

    let channel = killed(&mut network).await;
    let waiting = list(&channel, &second).await.unwrap();
    assert_eq!(waiting.len(), 2, "the discarded one stays away");
    assert_eq!(entry(&waiting[0]), older.entry, "soonest to expire first");
    assert_eq!(waiting[1], held);
    assert_eq!(list(&channel, &first).await.unwrap(), []);
    assert_eq!(network.status("us").await.unwrap().drafts, 2);

    // The same person again adds nothing; the second officer's signature is brought together.
    assert_eq!(put(&channel, &said.sign(&[&one])).await.unwrap(), held);
    let whole = put(&channel, &said.sign(&[&two])).await.unwrap();
    assert_eq!((whole.missing, whole.signed_by.len()), (0, 2));
    assert_eq!(whole.put_ms, held.put_ms);
    let channel = killed(&mut network).await;
    for name in [
        &held.name,
        &held.short_name,
        &said.sign(&[&one]).entry.statement_id().to_string(),
    ] {
        assert_eq!(get(&channel, name).await.unwrap(), whole, "{name}");
    }
    let signed = Signed {
        entry: entry(&whole),
        bodies: whole.bodies.clone(),
    };
    signed.submit(&channel).await.unwrap();
    assert_eq!(
        reason(&get(&channel, &held.name).await.unwrap_err()),
        "NOT_FOUND"
    );
    assert_eq!(list(&channel, "").await.unwrap().len(), 1);
    let refused = put(&channel, &said.sign(&[&one])).await.unwrap_err();
    assert_eq!(reason(&refused), "ALREADY_ACCEPTED");
    killed(&mut network).await;
    assert_eq!(network.status("us").await.unwrap().drafts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_door_would_refuse_is_no_draft_and_strangers_see_none() {
    let mut network = Network::found(BINARY, &["us", "de"]);
    let home = &network.member("us").home;
    home.add_client(WATCHER, &["agency".to_owned()]).unwrap();
    let mut watcher = network.context("us", "us");
    watcher.client_cert = home.client_cert(WATCHER);
    watcher.client_key = home.client_cert_key(WATCHER);
    for id in ["us", "de"] {
        network.run(id);
    }
    network.ready("us").await;
    let channel = network.channel("us").await;
    let (one, two) = (network.key("us", "o-1"), network.key("us", "o-2"));
    order(1).sign(&[&one, &two]).submit(&channel).await.unwrap();

    let mut forged = order(2).sign(&[&one]);
    forged.entry.signatures[0].sig[7] ^= 1;
    let mut late = order(2);
    late.statement.created_ms -= 31 * 86_400_000;
    let nowhere = order(9).sign(&[&one]).reference("us");
    let withdraw = Saying::new("us", say::act(OrderActKind::Withdraw));
    let refused = [
        (forged, "SIGNATURE_INVALID"),
        (order(1).sign(&[&one]), "NUMBER_TAKEN"),
        (order(0).sign(&[&one]), "NUMBER_MISSING"),
        (
            order(2).sign(&[&network.key("us", "i-1")]),
            "ROLE_NOT_ALLOWED",
        ),
        (
            order(2).sign(&[&network.key("de", "o-1")]),
            "SIGNER_FOREIGN",
        ),
        (late.sign(&[&one]), "CREATED_OUT_OF_WINDOW"),
        (withdraw.about(&nowhere).sign(&[&one]), "ORDER_UNKNOWN"),
    ];
    for (signed, code) in refused {
        assert_eq!(reason(&put(&channel, &signed).await.unwrap_err()), code);
    }
    let unknown = list(&channel, "nobody").await.unwrap_err();
    assert_eq!(reason(&unknown), "FIELD_INVALID");

    let held = put(&channel, &order(2).sign(&[&one])).await.unwrap();
    let abroad = network.channel_as("de", "us").await;
    let watcher = connect(&watcher, PATIENCE).await.unwrap();
    for (stranger, code) in [(abroad, "HOME_ONLY"), (watcher, "ROLE_REQUIRED")] {
        let answers = [
            put(&stranger, &order(3).sign(&[&one])).await.map(|_| ()),
            get(&stranger, &held.name).await.map(|_| ()),
            list(&stranger, "").await.map(|_| ()),
            discard(&stranger, &held.name).await,
        ];
        for answer in answers {
            let status = answer.unwrap_err();
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (Code::PermissionDenied, code)
            );
        }
    }
    assert_eq!(get(&channel, &held.name).await.unwrap(), held);
}
