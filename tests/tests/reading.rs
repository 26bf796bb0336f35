//! What clients read, over real nodes: names, pages, proofs, and notices across members.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::time::Duration;

use tocsin_core::order::OrderActKind;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::proof::{verify_consistency, verify_inclusion};
use tocsin_log::quorum::Grade;
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, Saying};
use tocsin_wire::bundle::verify::verify;
use tocsin_wire::envelope::read_proof;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::block_service_client::BlockServiceClient;
use tocsin_wire::proto::v1::decision_service_client::DecisionServiceClient;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::v1::notice_service_client::NoticeServiceClient;
use tocsin_wire::proto::v1::order_service_client::OrderServiceClient;
use tocsin_wire::proto::v1::report_service_client::ReportServiceClient;
use tocsin_wire::proto::v1::roster_service_client::RosterServiceClient;
use tocsin_wire::proto::v1::watch_notices_response::Event;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

/// US has said a report and four orders, DE its policy and a decision on each order.
async fn network() -> (Network, Vec<StatementRef>) {
    let network = Network::start(BINARY, &["us", "de"]).await;
    let officers = |member: &str| [network.key(member, "o-1"), network.key(member, "o-2")];
    let (us, de) = (network.channel("us").await, network.channel("de").await);
    let keys = officers("de");
    let pack = Saying::new("de", say::pack("DE", "review")).sign(&[&keys[0], &keys[1]]);
    pack.submit(&de).await.unwrap();
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&us).await.unwrap();
    let keys = officers("us");
    let mut orders = Vec::new();
    for number in 2..=5 {
        let act = Act::Order(Box::new(say::order(&format!("EXERCISE {number}"))));
        let order = Saying::new("us", act)
            .number(number)
            .sign(&[&keys[0], &keys[1]]);
        order.submit(&us).await.unwrap();
        orders.push(order.reference("us"));
    }
    for at in ["us", "de"] {
        network.caught_up(at, "us", 5).await;
        network.caught_up(at, "de", 5).await;
    }
    (network, orders)
}

fn year() -> i64 {
    // Days since 1970 over the mean length of a year: right but for the hours around new year.
    1970 + say::now_ms() / 86_400_000 * 10_000 / 3_652_425
}

fn reason(status: &Status) -> (Code, String) {
    let reason = status.get_details_error_info().map(|info| info.reason);
    (status.code(), reason.unwrap_or_default())
}

fn refused(code: Code, reason: &str) -> (Code, String) {
    (code, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_found_by_every_name_it_has() {
    let (network, orders) = network().await;
    let channel = network.channel("de").await;
    let mut client = OrderServiceClient::new(channel.clone());
    let id = orders[0].statement_id.to_string();
    let (year, short) = (year(), format!("us-{}-2", year()));
    for name in [
        format!("US-{year}-0002"),
        short,
        format!("members/us/orders/{year}-0002"),
        format!("US-{year}-0002@DE"),
        id[..16].to_owned(),
        id,
    ] {
        let request = v1::GetOrderRequest { name: name.clone() };
        let answer = client.get_order(request).await.unwrap().into_inner();
        assert_eq!(answer.state, "active", "{name}");
        assert_eq!(answer.current.unwrap().title, "EXERCISE 2");
        let record = answer.record.unwrap();
        assert_eq!(record.name, format!("members/us/orders/{year}-0002"));
        assert_eq!(record.grade(), v1::Grade::Confirmed);
    }
    for (name, expected) in [
        (
            "US-2020-0002".to_owned(),
            refused(Code::NotFound, "NOT_FOUND"),
        ),
        // The number is a report's.
        (
            format!("US-{year}-0001"),
            refused(Code::NotFound, "NOT_FOUND"),
        ),
        (
            "a lamp".to_owned(),
            refused(Code::InvalidArgument, "FIELD_INVALID"),
        ),
        (
            String::new(),
            refused(Code::InvalidArgument, "FIELD_INVALID"),
        ),
    ] {
        let status = client
            .get_order(v1::GetOrderRequest { name })
            .await
            .unwrap_err();
        assert_eq!(reason(&status), expected);
    }
    let mut reports = ReportServiceClient::new(channel.clone());
    let request = v1::GetReportRequest {
        name: format!("US-{year}-0001"),
    };
    let report = reports.get_report(request).await.unwrap().into_inner();
    assert_eq!(report.body.unwrap().title, "EXERCISE: copied lamps");
    decision_names(channel, &format!("US-{year}-0002@DE")).await;
}

async fn decision_names(channel: Channel, block: &str) {
    let mut blocks = BlockServiceClient::new(channel.clone());
    let request = v1::GetBlockRequest {
        name: block.to_owned(),
    };
    let notice = blocks
        .get_block(request)
        .await
        .unwrap()
        .into_inner()
        .notice
        .unwrap();
    assert_eq!(
        (notice.block.as_str(), notice.state.as_str()),
        (block, "review")
    );
    assert_eq!(notice.by, "policy:all");
    // Four orders bar the same goods here, but none of them is in force.
    assert_eq!(notice.also_blocked_by, Vec::<String>::new());
    let id = Hash::try_from(notice.decision_id.as_slice())
        .unwrap()
        .to_string();
    let mut decisions = DecisionServiceClient::new(channel);
    for name in [
        block,
        &id,
        &id[..16],
        &format!("members/de/decisions/{}", &id[..16]),
    ] {
        let request = v1::GetDecisionRequest {
            name: name.to_owned(),
        };
        let record = decisions
            .get_decision(request)
            .await
            .unwrap()
            .into_inner()
            .record
            .unwrap();
        assert_eq!(record.statement_id, notice.decision_id, "{name}");
    }
    let order = block.split_once('@').unwrap().0.to_owned();
    let request = v1::ListDecisionsRequest {
        order,
        ..v1::ListDecisionsRequest::default()
    };
    let of_order = decisions
        .list_decisions(request)
        .await
        .unwrap()
        .into_inner()
        .records;
    assert_eq!(of_order.len(), 1);
    let all = decisions
        .list_decisions(v1::ListDecisionsRequest::default())
        .await
        .unwrap();
    assert_eq!(all.into_inner().records.len(), 4);
    let pending = decisions.list_pending_decisions(v1::ListPendingDecisionsRequest::default());
    let pending = pending.await.unwrap().into_inner().pending;
    assert_eq!(pending.len(), 4);
    assert!(pending.iter().all(|waiting| waiting.state == "review"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_a_token_is_good_for_its_own_list() {
    let (network, _) = network().await;
    let channel = network.channel_as("us", "de").await;
    let mut orders = OrderServiceClient::new(channel.clone());
    let list = |page_token: String, filter: &str| v1::ListOrdersRequest {
        page_size: 3,
        page_token,
        filter: filter.to_owned(),
    };
    let first = orders
        .list_orders(list(String::new(), ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(first.records.len(), 3);
    let token = first.next_page_token;
    let second = orders
        .list_orders(list(token.clone(), ""))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (second.records.len(), second.next_page_token.as_str()),
        (1, "")
    );
    let titles = first
        .records
        .iter()
        .chain(&second.records)
        .map(|record| record.index);
    assert_eq!(titles.collect::<Vec<_>>(), [1, 2, 3, 4]);
    let other = orders
        .list_orders(list(token, "issuer = \"us\""))
        .await
        .unwrap_err();
    assert_eq!(
        reason(&other),
        refused(Code::InvalidArgument, "FIELD_INVALID")
    );
    let none = orders
        .list_orders(list(String::new(), "issuer = \"de\""))
        .await
        .unwrap();
    assert_eq!(none.into_inner().records.len(), 0);
    let bad = orders
        .list_orders(list(String::new(), "colour = \"red\""))
        .await
        .unwrap_err();
    assert_eq!(
        reason(&bad),
        refused(Code::InvalidArgument, "FILTER_UNKNOWN_FIELD")
    );

    matrix_of(orders).await;
    blocks_of(channel.clone()).await;
    let mut roster = RosterServiceClient::new(channel);
    let members = roster
        .list_members(v1::ListMembersRequest {})
        .await
        .unwrap()
        .into_inner();
    let sizes: Vec<(String, u64)> = members
        .members
        .into_iter()
        .map(|m| (m.id, m.size))
        .collect();
    assert_eq!(sizes, [("de".to_owned(), 5), ("us".to_owned(), 5)]);
}

async fn matrix_of(mut orders: OrderServiceClient<Channel>) {
    let request = v1::GetMatrixRequest {
        page_size: 2,
        ..v1::GetMatrixRequest::default()
    };
    let matrix = orders.get_matrix(request).await.unwrap().into_inner();
    assert_eq!(matrix.jurisdictions, ["DE", "US"]);
    assert_eq!(
        (matrix.rows.len(), matrix.next_page_token.is_empty()),
        (2, false)
    );
    let cells: Vec<(&str, &str, &str)> = matrix.rows[0]
        .cells
        .iter()
        .map(|cell| {
            (
                cell.jurisdiction.as_str(),
                cell.state.as_str(),
                cell.by.as_str(),
            )
        })
        .collect();
    assert_eq!(
        cells,
        [("DE", "review", "policy:all"), ("US", "in_force", "issuer")]
    );
}

async fn blocks_of(channel: Channel) {
    let mut blocks = BlockServiceClient::new(channel);
    let mut count = async |jurisdiction: &str, in_force_only| {
        let request = v1::ListBlocksRequest {
            jurisdiction: jurisdiction.to_owned(),
            in_force_only,
            ..v1::ListBlocksRequest::default()
        };
        let answer = blocks.list_blocks(request).await;
        answer
            .map(|answer| answer.into_inner().notices.len())
            .map_err(|status| reason(&status))
    };
    assert_eq!(count("", false).await, Ok(4));
    assert_eq!(count("", true).await, Ok(0));
    assert_eq!(count("us", true).await, Ok(4));
    assert_eq!(
        count("FR", false).await,
        Err(refused(Code::NotFound, "NOT_FOUND"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_proven_entry_by_entry_from_another_members_copy() {
    let (network, orders) = network().await;
    let author = network.alliance.member("us").unwrap();
    let mut log = LogServiceClient::new(network.channel("de").await);
    let named = |log: &str| v1::GetCheckpointRequest {
        log: log.to_owned(),
    };
    let head = log.get_checkpoint(named("us")).await.unwrap().into_inner();
    let signed = SignedCheckpoint::open(&head.note, &author.origin, &author.log_key).unwrap();
    assert_eq!(
        (signed.checkpoint().size, head.cosigners.as_slice()),
        (5, &["de".to_owned()][..])
    );

    let request = v1::ReadEntriesRequest {
        log: "us".to_owned(),
        start: 1,
        limit: 3,
    };
    let mut entries = log.read_entries(request).await.unwrap().into_inner();
    let mut read = Vec::new();
    while let Some(entry) = entries.message().await.unwrap() {
        read.push(entry);
    }
    assert_eq!(
        read.iter().map(|entry| entry.index).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    for entry in &read {
        let request = v1::GetInclusionProofRequest {
            log: "us".to_owned(),
            index: entry.index,
            size: 0,
        };
        let answer = log.get_inclusion_proof(request).await.unwrap().into_inner();
        let leaf = leaf_hash(&entry.entry);
        assert_eq!(answer.leaf_hash, leaf.as_bytes());
        let proof = read_proof(&answer.proof).unwrap();
        let root = &signed.checkpoint().root;
        verify_inclusion(&leaf, entry.index, answer.size, &proof, root).unwrap();
    }
    let consistency = |old_size, new_size| v1::GetConsistencyProofRequest {
        log: "us".to_owned(),
        old_size,
        new_size,
    };
    let old = log
        .get_consistency_proof(consistency(3, 5))
        .await
        .unwrap()
        .into_inner();
    let old_root = {
        let mut tree = tocsin_log::tree::Tree::new();
        let request = v1::ReadEntriesRequest {
            log: "us".to_owned(),
            start: 0,
            limit: 3,
        };
        let mut entries = log.read_entries(request).await.unwrap().into_inner();
        while let Some(entry) = entries.message().await.unwrap() {
            assert_eq!(entry.bodies.len(), usize::from(entry.index == 0));
            tree.append(leaf_hash(&entry.entry));
        }
        tree.root()
    };
    let proof = read_proof(&old.proof).unwrap();
    verify_consistency(3, 5, &old_root, &signed.checkpoint().root, &proof).unwrap();

    verifies_as_a_file(&network, log.clone(), &orders[0]).await;
    refuses_what_no_log_has(log).await;
}

async fn verifies_as_a_file(
    network: &Network,
    mut log: LogServiceClient<Channel>,
    order: &StatementRef,
) {
    let request = v1::GetBundleRequest {
        name: order.statement_id.to_string(),
    };
    let bundle = log.get_bundle(request).await.unwrap().into_inner();
    let verified = verify(&bundle.tsn, Some(network.alliance.genesis_hash())).unwrap();
    assert_eq!((verified.index, verified.grade), (1, Grade::Confirmed));
    assert_eq!(bundle.grade(), v1::Grade::Confirmed);
}

async fn refuses_what_no_log_has(mut log: LogServiceClient<Channel>) {
    let us = || "us".to_owned();
    let unknown = log
        .get_checkpoint(v1::GetCheckpointRequest {
            log: "fr".to_owned(),
        })
        .await;
    assert_eq!(
        reason(&unknown.unwrap_err()),
        refused(Code::NotFound, "UNKNOWN_ORIGIN")
    );
    let invalid = || refused(Code::InvalidArgument, "FIELD_INVALID");
    let ahead = || refused(Code::OutOfRange, "AHEAD_OF_NODE");
    for (index, size, expected) in [
        (5, 5, invalid()),
        (5, 0, invalid()),
        (0, 1 << 63, invalid()),
        (0, u64::MAX, invalid()),
        (0, 6, ahead()),
        (0, (1 << 63) - 1, ahead()),
    ] {
        let request = v1::GetInclusionProofRequest {
            log: us(),
            index,
            size,
        };
        let status = log.get_inclusion_proof(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "index {index} size {size}");
    }
    for (old_size, new_size, expected) in [
        (0, 5, invalid()),
        (5, 4, invalid()),
        (1, 1 << 63, invalid()),
        (5, 6, ahead()),
    ] {
        let request = v1::GetConsistencyProofRequest {
            log: us(),
            old_size,
            new_size,
        };
        let status = log.get_consistency_proof(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{old_size} to {new_size}");
    }
    for (start, limit, expected) in [
        (6, 0, ahead()),
        (u64::MAX, 1, ahead()),
        (0, 4_097, invalid()),
    ] {
        let request = v1::ReadEntriesRequest {
            log: us(),
            start,
            limit,
        };
        let status = log.read_entries(request).await.unwrap_err();
        assert_eq!(reason(&status), expected, "{limit} from {start}");
    }
}

/// A stream of notices of DE, wherever it is read.
async fn watch(
    channel: Channel,
    request: v1::WatchNoticesRequest,
) -> Streaming<v1::WatchNoticesResponse> {
    let request = v1::WatchNoticesRequest {
        jurisdiction: "DE".to_owned(),
        ..request
    };
    let mut client = NoticeServiceClient::new(channel);
    client.watch_notices(request).await.unwrap().into_inner()
}

async fn next(stream: &mut Streaming<v1::WatchNoticesResponse>) -> (Event, String) {
    let message = tokio::time::timeout(Duration::from_secs(20), stream.message());
    let message = message
        .await
        .expect("a message in time")
        .unwrap()
        .expect("no end");
    (message.event.unwrap(), message.cursor)
}

async fn notices(
    stream: &mut Streaming<v1::WatchNoticesResponse>,
) -> (Vec<v1::Notice>, Event, String) {
    let mut notices = Vec::new();
    loop {
        match next(stream).await {
            (Event::Notice(notice), _) => notices.push(notice),
            (other, cursor) => return (notices, other, cursor),
        }
    }
}

fn from_cursor(cursor: &str) -> v1::WatchNoticesRequest {
    v1::WatchNoticesRequest {
        start: v1::WatchStart::Cursor.into(),
        cursor: cursor.to_owned(),
        ..v1::WatchNoticesRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_resumes_at_another_member_and_a_node_that_stops_says_goodbye() {
    let (mut network, orders) = network().await;
    let (us, de) = (
        network.channel_as("us", "us").await,
        network.channel("de").await,
    );
    let mut stream = watch(us.clone(), v1::WatchNoticesRequest::default()).await;
    let (first, beat, cursor) = notices(&mut stream).await;
    assert_eq!(first.len(), 4);
    assert!(
        matches!(beat, Event::Heartbeat(v1::Heartbeat { behind: 0, .. })),
        "{beat:?}"
    );

    // Nothing is said twice, here or elsewhere; what is new is.
    let mut resumed = watch(de.clone(), from_cursor(&cursor)).await;
    let (event, same) = next(&mut resumed).await;
    assert!(matches!(event, Event::Heartbeat(_)), "{event:?}");
    assert_eq!(same, cursor);
    let keys = [network.key("us", "o-1"), network.key("us", "o-2")];
    let withdrawal = Saying::new("us", say::act(OrderActKind::Withdraw)).about(&orders[1]);
    withdrawal
        .sign(&[&keys[0], &keys[1]])
        .submit(&us)
        .await
        .unwrap();
    let (event, newer) = next(&mut resumed).await;
    let Event::Notice(notice) = event else {
        panic!("{event:?}")
    };
    assert_eq!(
        (notice.state.as_str(), notice.by.as_str()),
        ("withdrawn", "issuer")
    );
    assert_ne!(newer, cursor);

    // A snapshot is the whole state and then its end.
    let snapshot = v1::WatchNoticesRequest {
        include_snapshot: true,
        ..from_cursor(&cursor)
    };
    let mut whole = watch(de.clone(), snapshot).await;
    let (blocks, end, at_end) = notices(&mut whole).await;
    assert_eq!(blocks.len(), 4);
    assert!(
        matches!(end, Event::SnapshotEnd(v1::SnapshotEnd { blocks: 4 })),
        "{end:?}"
    );
    assert_eq!(at_end, newer);
    let now = v1::WatchNoticesRequest {
        start: v1::WatchStart::Now.into(),
        ..v1::WatchNoticesRequest::default()
    };
    let (event, at_once) = next(&mut watch(de.clone(), now).await).await;
    assert!(matches!(event, Event::Heartbeat(_)), "{event:?}");
    assert_eq!(at_once, newer);
    refuses_what_is_no_subscription(de, &cursor).await;

    tokio::task::block_in_place(|| network.stop("de"));
    let (event, last) = next(&mut resumed).await;
    assert_eq!(
        event,
        Event::Goodbye(v1::Goodbye {
            reason: "draining".to_owned()
        })
    );
    assert_eq!(last, newer);
    assert!(resumed.message().await.unwrap().is_none());
}

async fn refuses_what_is_no_subscription(channel: Channel, cursor: &str) {
    let mut client = NoticeServiceClient::new(channel);
    let request = |jurisdiction: &str, filter: &str, cursor: &str| v1::WatchNoticesRequest {
        jurisdiction: jurisdiction.to_owned(),
        filter: filter.to_owned(),
        ..from_cursor(cursor)
    };
    let started = |start: i32| v1::WatchNoticesRequest {
        start,
        ..from_cursor(cursor)
    };
    for (request, code, expected) in [
        (
            request("US", "", cursor),
            Code::InvalidArgument,
            "CURSOR_OTHER_FILTER",
        ),
        (
            request("DE", "hs = \"85\"", cursor),
            Code::InvalidArgument,
            "CURSOR_OTHER_FILTER",
        ),
        (
            request("DE", "", "not a cursor"),
            Code::InvalidArgument,
            "CURSOR_MALFORMED",
        ),
        (
            request("DE", "", ""),
            Code::InvalidArgument,
            "FIELD_INVALID",
        ),
        (request("FR", "", cursor), Code::NotFound, "NOT_FOUND"),
        (
            request("DE", "hs", cursor),
            Code::InvalidArgument,
            "FILTER_MALFORMED",
        ),
        (started(0), Code::InvalidArgument, "FIELD_INVALID"),
        (started(9), Code::InvalidArgument, "FIELD_INVALID"),
    ] {
        let status = client.watch_notices(request.clone()).await.unwrap_err();
        assert_eq!(reason(&status), refused(code, expected), "{request:?}");
    }
}
