//! Cases 43 to 55: what is no protobuf, not the one spelling of it, or out of all bounds.

use prost::Message as _;
use tocsin_core::decision::DecisionKind;
use tocsin_core::statement::Act;
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::{peer, v1};

use crate::bytes::{field, fields, groups, number, varint, with_field};
use crate::table::{Acting, Caller, Deed, FOLLOW, Row, SUBMIT};
use crate::world::World;

/// `Statement.number`, a field that every report and order has.
const NUMBER: u64 = 4;
/// A field that no version has.
const UNKNOWN: u64 = 100;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = no_protobuf(world);
    rows.extend(unknown(world));
    rows.extend(spellings(world));
    rows.extend(too_many(world));
    rows.extend(unset(world));
    rows.extend(empty(world));
    rows.extend(numbers(world));
    rows.extend(extremes(world));
    rows.extend(instants(world));
    rows
}

/// A report of `de` that would be admitted, and its signer's word under any other payload.
fn report(world: &World, payload: impl Fn(Vec<u8>) -> Vec<u8>) -> v1::SubmitRequest {
    let saying = say::report("de", 8_001);
    let key = world.network.key("de", "i-1");
    let entry = Entry::sign(STATEMENT_TYPE, payload(saying.payload()), &[&key]);
    let bodies = saying.bodies;
    Signed { entry, bodies }.request()
}

/// An order of `de` that would be admitted, signed by both officers after a change.
fn order(world: &World, change: impl Fn(&mut v1::Statement)) -> v1::SubmitRequest {
    let act = Act::Order(Box::new(say::order("EXERCISE")));
    statement(world, &Saying::new("de", act).number(8_002), change)
}

/// Any statement of both officers, changed before they sign.
fn statement(
    world: &World,
    saying: &Saying,
    change: impl Fn(&mut v1::Statement),
) -> v1::SubmitRequest {
    let mut message = v1::Statement::decode(saying.payload().as_slice()).unwrap();
    change(&mut message);
    let [one, two] = world.officers("de");
    let entry = Entry::sign(STATEMENT_TYPE, message.encode_to_vec(), &[&one, &two]);
    v1::SubmitRequest {
        statement: Some(write_statement(&entry)),
        ..v1::SubmitRequest::default()
    }
}

fn in_order(message: &mut v1::Statement) -> &mut v1::Order {
    match &mut message.act {
        Some(v1::statement::Act::Order(order)) => order,
        other => panic!("no order: {other:?}"),
    }
}

fn no_protobuf(world: &World) -> Vec<Row> {
    let noise: Vec<u8> = [0xff, 0x07, 0x9c, 0x41, 0x00, 0xd3].repeat(50);
    let raw = |number, sent, message: &[u8]| {
        Row::raw(number, sent, "Internal", Caller::Home, SUBMIT, message)
    };
    let malformed = "InvalidArgument MALFORMED";
    let bad_text = |payload: Vec<u8>| {
        with_field(&payload, 1, |log| {
            let mut log = log.to_vec();
            log[2] = 0xff;
            log
        })
    };
    vec![
        raw(43, "noise for a request", &noise),
        Row::submit(
            43,
            "noise for a statement",
            malformed,
            &report(world, |_| noise.clone()),
        ),
        raw(44, "101 groups in a request", &groups(101)),
        Row::submit(
            44,
            "101 groups in a statement",
            malformed,
            &report(world, |payload| [payload, groups(101)].concat()),
        ),
        raw(45, "no UTF-8 for a request id", &field(1, &[0xff, 0xfe])),
        Row::submit(
            45,
            "no UTF-8 for a log",
            "InvalidArgument NOT_UTF8",
            &report(world, bad_text),
        ),
    ]
}

fn unknown(world: &World) -> Vec<Row> {
    let request = world.issued.request().encode_to_vec();
    let later = [request, field(UNKNOWN, b"later")].concat();
    let in_order_message = order(world, |_| {});
    let in_order_entry = in_order_message.statement.unwrap().payload;
    let in_order_entry = [in_order_entry, field(UNKNOWN, b"later")].concat();
    let [one, two] = world.officers("de");
    let in_order_entry = Entry::sign(STATEMENT_TYPE, in_order_entry, &[&one, &two]);
    let in_order_request = v1::SubmitRequest {
        statement: Some(write_statement(&in_order_entry)),
        ..v1::SubmitRequest::default()
    };
    let wait_for = v1::SubmitRequest {
        wait_for: 99,
        ..report(world, |payload| payload)
    };
    let unknown_value = "InvalidArgument UNKNOWN_VALUE";
    vec![
        Row::new(
            46,
            "an unknown field in a report",
            "Ok, kept as signed",
            Deed::Do(kept),
        )
        .growing(1),
        Row::raw(46, "one in a request", "Ok", Caller::Home, SUBMIT, &later),
        Row::submit(
            46,
            "one in an order, where it may be a carve-out",
            "InvalidArgument UNKNOWN_FIELD",
            &in_order_request,
        ),
        Row::submit(
            47,
            "an unknown instrument of an order",
            unknown_value,
            &order(world, |message| in_order(message).instrument = 99),
        ),
        Row::submit(
            47,
            "an unknown kind of report",
            unknown_value,
            &report(world, |payload| {
                with_field(&payload, 16, |_| field(16, &number(1, 99)))
            }),
        ),
        Row::submit(
            47,
            "an unknown marking",
            unknown_value,
            &report(world, |payload| with_field(&payload, 5, |_| number(5, 99))),
        ),
        Row::submit(
            47,
            "an unknown grade to wait for",
            "InvalidArgument FIELD_INVALID at wait_for",
            &wait_for,
        ),
        Row::call(
            47,
            "an unknown place to watch from",
            "InvalidArgument FIELD_INVALID at start",
            Caller::Home,
            "/tocsin.v1.NoticeService/WatchNotices",
            &v1::WatchNoticesRequest {
                start: 99,
                ..v1::WatchNoticesRequest::default()
            },
        ),
    ]
}

/// What a later version says is kept in the bytes that are hashed and served.
fn kept(world: &World) -> Acting<'_> {
    Box::pin(async {
        let saying = say::report("de", 8_003);
        let payload = [saying.payload(), field(UNKNOWN, b"later")].concat();
        let key = world.network.key("de", "i-1");
        let entry = Entry::sign(STATEMENT_TYPE, payload, &[&key]);
        let bodies = saying.bodies;
        let said = Signed { entry, bodies };
        let answer = match said.submit(&world.de).await {
            Ok(answer) => answer,
            Err(status) => return crate::socket::outcome_of(&status),
        };
        let asked = v1::ReadEntriesRequest {
            log: "de".to_owned(),
            start: answer.receipt.unwrap().index,
            limit: 1,
        };
        let mut client = LogServiceClient::new(world.de.clone());
        let mut read = client.read_entries(asked).await.unwrap().into_inner();
        let read = read.message().await.unwrap().unwrap();
        if read.entry == said.entry.encode().unwrap() {
            "Ok, kept as signed".to_owned()
        } else {
            "Ok, but changed".to_owned()
        }
    })
}

fn spellings(world: &World) -> Vec<Row> {
    let expected = "InvalidArgument NOT_CANONICAL";
    let twice = |payload: Vec<u8>| {
        with_field(&payload, NUMBER, |one| {
            [one, &number(NUMBER, 8_001)].concat()
        })
    };
    let long = |payload: Vec<u8>| {
        // One byte more than the value needs: the last one says nothing.
        let mut value = varint(8_001);
        *value.last_mut().unwrap() |= 0x80;
        value.push(0);
        with_field(&payload, NUMBER, |_| {
            [varint(NUMBER << 3), value.clone()].concat()
        })
    };
    let backwards = |payload: Vec<u8>| {
        let mut parts = fields(&payload);
        parts.reverse();
        parts.into_iter().flat_map(|(_, bytes)| bytes).collect()
    };
    let two_acts = |payload: Vec<u8>| {
        with_field(&payload, 16, |act| {
            [act, &field(17, &number(1, 1))].concat()
        })
    };
    vec![
        Row::submit(
            48,
            "a singular field twice",
            expected,
            &report(world, twice),
        ),
        Row::submit(
            48,
            "two acts where one is allowed",
            expected,
            &report(world, two_acts),
        ),
        Row::submit(
            48,
            "fields in another order",
            expected,
            &report(world, backwards),
        ),
        Row::submit(
            49,
            "a varint longer than it needs",
            expected,
            &report(world, long),
        ),
        Row::submit(
            49,
            "a number of 64 bits for one of 32",
            expected,
            &report(world, |payload| {
                with_field(&payload, NUMBER, |_| number(NUMBER, 1 << 32))
            }),
        ),
    ]
}

fn too_many(world: &World) -> Vec<Row> {
    let expected = "InvalidArgument LIST_TOO_LONG";
    let reference = v1::StatementRef {
        log: "test.tocsin.example/us".to_owned(),
        statement_id: vec![7; 32],
    };
    let mut signatures = report(world, |payload| payload);
    if let Some(statement) = &mut signatures.statement {
        statement.signatures = vec![v1::Signature::default(); 100_000];
    }
    // Each element is two bytes: a tag and no content.
    let elements = |count: usize| field(8, &[]).repeat(count);
    vec![
        Row::raw(
            50,
            "a million bodies",
            "OutOfRange",
            Caller::Home,
            SUBMIT,
            &field(6, &[]).repeat(1_000_000),
        ),
        Row::submit(
            50,
            "4,097 references without content",
            expected,
            &report(world, |payload| {
                with_field(&payload, 16, |act| [elements(4_097), act.to_vec()].concat())
            }),
        ),
        Row::submit(
            50,
            "33 references",
            expected,
            &order(world, |message| message.refs = vec![reference.clone(); 33]),
        ),
        Row::submit(
            50,
            "65 articles",
            expected,
            &order(world, |message| {
                let articles = &mut in_order(message).articles;
                *articles = vec![articles[0].clone(); 65];
                articles
                    .iter_mut()
                    .for_each(|article| article.selectors.truncate(1));
            }),
        ),
        Row::submit(
            50,
            "a body of 40,000 articles",
            expected,
            &body_of(world, 40_000),
        ),
        Row::submit(
            50,
            "100,000 signatures",
            "InvalidArgument ENTRY_MALFORMED",
            &signatures,
        ),
        Row::submit(
            50,
            "a statement of 30,000 references",
            "OutOfRange ENTRY_TOO_LARGE",
            &report(world, |payload| {
                with_field(&payload, 16, |act| {
                    [elements(30_000), act.to_vec()].concat()
                })
            }),
        ),
    ]
}

/// A report whose body lists so many articles without content.
fn body_of(world: &World, articles: usize) -> v1::SubmitRequest {
    let content = [vec![7; 32], field(3, &[]).repeat(articles)].concat();
    with_body(world, content)
}

/// A report that names exactly these bytes as its body.
fn with_body(world: &World, body: Vec<u8>) -> v1::SubmitRequest {
    let mut saying = say::report("de", 8_001);
    saying.statement.bodies[0].sha256 = tocsin_log::hash::Hash::of(&body);
    saying.statement.bodies[0].length = u64::try_from(body.len()).unwrap();
    saying.bodies = vec![body];
    saying.sign(&[&world.network.key("de", "i-1")]).request()
}

fn unset(world: &World) -> Vec<Row> {
    let choice = v1::Selector { value: None };
    vec![
        Row::submit(
            52,
            "a statement without an act",
            "InvalidArgument ACT_MISSING",
            &report(world, |payload| with_field(&payload, 16, |_| Vec::new())),
        ),
        Row::submit(
            52,
            "a selector of no kind",
            "InvalidArgument FIELD_MISSING",
            &order(world, |message| {
                in_order(message).articles[0].selectors.push(choice.clone());
            }),
        ),
        Row::call(
            52,
            "a message to follow without a choice",
            "InvalidArgument FIELD_INVALID at hello",
            Caller::Node,
            FOLLOW,
            &peer::v1::FollowRequest { message: None },
        ),
    ]
}

fn empty(world: &World) -> Vec<Row> {
    let mut no_payload = world.issued.request();
    let mut no_signature = world.issued.request();
    if let (Some(one), Some(other)) = (&mut no_payload.statement, &mut no_signature.statement) {
        one.payload.clear();
        other.signatures.clear();
    }
    let mut no_body = report(world, |payload| payload);
    no_body.body.clear();
    let salt = with_body(world, vec![7; 32]);
    let row =
        |sent, expected, request: &v1::SubmitRequest| Row::submit(55, sent, expected, request);
    let missing = "InvalidArgument FIELD_MISSING at statement";
    let hello = peer::v1::Hello::default();
    vec![
        Row::raw(55, "an empty request", missing, Caller::Home, SUBMIT, &[]),
        row(
            "an empty payload",
            "InvalidArgument ENTRY_MALFORMED",
            &no_payload,
        ),
        row(
            "no signature",
            "InvalidArgument SIGNATURE_MISSING at statement",
            &no_signature,
        ),
        row("no body", "InvalidArgument BODY_COUNT at bodies", &no_body),
        row(
            "a body of salt alone",
            "InvalidArgument BODY_TOO_SMALL at bodies[0].length",
            &salt,
        ),
        Row::call(
            55,
            "an empty hello",
            "InvalidArgument FIELD_INVALID at hello.protocol",
            Caller::Node,
            FOLLOW,
            &peer::v1::FollowRequest {
                message: Some(peer::v1::follow_request::Message::Hello(hello)),
            },
        ),
    ]
}

/// There is no money and no floating point here but in the text of a pack.
fn numbers(world: &World) -> Vec<Row> {
    let hold = |days: &'static str| {
        let mut saying = Saying::new("de", say::pack("DE", "hold"));
        if let Act::PolicyPack(pack) = &mut saying.statement.act {
            let days = format!("hold_days = {days}");
            pack.toml = pack.toml.replace("hold_days = 1", &days);
        }
        world.by_officers(&saying).request()
    };
    let syntax = "InvalidArgument PACK_SYNTAX";
    let mut length = say::report("de", 8_001);
    length.statement.bodies[0].length = u64::MAX;
    let length = length.sign(&[&world.network.key("de", "i-1")]);
    vec![
        Row::submit(53, "a hold of nan days", syntax, &hold("nan")),
        Row::submit(53, "a hold of -1 days", syntax, &hold("-1")),
        Row::submit(
            53,
            "a hold of 2^64-1 days",
            syntax,
            &hold("18446744073709551615"),
        ),
        Row::submit(
            53,
            "a hold of 367 days",
            "InvalidArgument PACK_HOLD",
            &hold("367"),
        ),
        Row::submit(
            53,
            "a body of 2^64-1 bytes",
            "OutOfRange BODY_TOO_LARGE",
            &length.request(),
        ),
        Row::call(
            53,
            "a page of -1 items",
            "InvalidArgument FIELD_INVALID at page_size",
            Caller::Home,
            "/tocsin.v1.BlockService/ListBlocks",
            &v1::ListBlocksRequest {
                page_size: -1,
                ..v1::ListBlocksRequest::default()
            },
        ),
    ]
}

fn extremes(world: &World) -> Vec<Row> {
    let mut until = say::decision(DecisionKind::Hold, world.order.statement_id);
    until.until_ms = i64::MIN;
    let until = Saying::new("de", Act::Decision(until)).about(&world.order);
    let until = world.by_officers(&until).request();
    let serial = v1::Selector {
        value: Some(v1::selector::Value::Serial(v1::SerialRange {
            prefix: String::new(),
            low: u64::MAX,
            high: 0,
            width: u32::MAX,
        })),
    };
    let instant = "InvalidArgument INSTANT_OUT_OF_RANGE";
    vec![
        Row::submit(53, "a hold until the least of all times", instant, &until),
        Row::submit(
            53,
            "an order from the greatest of all times",
            instant,
            &order(world, |message| in_order(message).from_ms = i64::MAX),
        ),
        Row::submit(
            53,
            "serial numbers from 2^64-1 down to 0",
            "InvalidArgument SELECTOR_SERIAL_FORMAT",
            &order(world, |message| {
                in_order(message).articles[0].selectors.push(serial.clone());
            }),
        ),
    ]
}

fn instants(world: &World) -> Vec<Row> {
    /// Year 0, 1 January; year 9999, 1 January; year 10000, 1 January (Unix milliseconds).
    const YEARS: [i64; 3] = [
        -62_167_219_200_000,
        253_370_764_800_000,
        253_402_300_800_000,
    ];
    let [zero, last, beyond] = YEARS;
    let created = |ms| order(world, move |message| message.created_ms = ms);
    let from = |ms| order(world, move |message| in_order(message).from_ms = ms);
    let until = |ms| order(world, move |message| in_order(message).until_ms = ms);
    let instant = "InvalidArgument INSTANT_OUT_OF_RANGE";
    let window = "InvalidArgument CREATED_OUT_OF_WINDOW";
    vec![
        Row::submit(54, "created in year 0", instant, &created(zero)),
        Row::submit(54, "created in year 9999", window, &created(last)),
        Row::submit(54, "created in year 10000", instant, &created(beyond)),
        Row::submit(
            54,
            "created ten minutes ahead",
            window,
            &created(say::now_ms() + 600_000),
        ),
        Row::submit(54, "an order from year 0", instant, &from(zero)),
        Row::submit(
            54,
            "an order until year 9999",
            "InvalidArgument VALIDITY_TOO_LONG",
            &until(last),
        ),
    ]
}
