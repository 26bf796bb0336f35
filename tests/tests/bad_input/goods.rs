//! Cases 88 to 102: what orders, reports and look-ups say of goods, times and readers.

use tocsin_core::handling::Tlp;
use tocsin_core::order::Order;
use tocsin_core::product::{HsCode, Selector};
use tocsin_core::report::{Exhibit, ReportBody};
use tocsin_core::statement::{Act, DecodedBody};
use tocsin_log::hash::Hash;
use tocsin_tests::say::{self, Saying, now_ms};
use tocsin_wire::proto::v1;

use crate::table::{Caller, Row};
use crate::world::World;

const LOOKUP: &str = "/tocsin.v1.ScreenService/Lookup";
/// 365 days (milliseconds).
const YEAR: i64 = 365 * 86_400_000;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = times(world);
    rows.extend(selectors(world));
    rows.extend(texts(world));
    rows.extend(handling(world));
    rows.extend(bodies(world));
    rows.extend(absent());
    rows.extend(questions());
    rows
}

fn order(world: &World, change: impl Fn(&mut Order)) -> v1::SubmitRequest {
    let mut order = say::order("EXERCISE");
    change(&mut order);
    let saying = Saying::new("de", Act::Order(Box::new(order))).number(8_801);
    world.by_officers(&saying).request()
}

fn selecting(world: &World, selector: Selector) -> v1::SubmitRequest {
    order(world, move |order| {
        order.articles[0].selectors = vec![selector.clone()];
    })
}

fn times(world: &World) -> Vec<Row> {
    let lasting = |ms: i64| {
        order(world, move |order| {
            order.until_ms = order.from_ms + ms;
        })
    };
    vec![
        Row::submit(
            88,
            "an order that ends before it begins",
            "InvalidArgument UNTIL_NOT_AFTER",
            &lasting(-1),
        ),
        Row::submit(
            88,
            "an order for 200 years",
            "InvalidArgument VALIDITY_TOO_LONG",
            &lasting(200 * YEAR),
        ),
    ]
}

fn selectors(world: &World) -> Vec<Row> {
    let row = |number, sent, expected, selector| {
        Row::submit(number, sent, expected, &selecting(world, selector))
    };
    let hs = |code: &str| {
        Selector::Hs(HsCode {
            code: code.to_owned(),
            edition: 2022,
        })
    };
    let format = "InvalidArgument SELECTOR_HS_FORMAT";
    let check_digit = "InvalidArgument SELECTOR_GTIN_CHECK_DIGIT";
    let gtin = |digits: &str| Selector::Gtin(digits.to_owned());
    vec![
        // No pattern is known here: a star is a sign like any other, and not one of a GTIN's.
        row(
            89,
            "every article there is",
            "InvalidArgument SELECTOR_GTIN_FORMAT",
            gtin("*"),
        ),
        row(89, "a chapter by its star", format, hs("85*")),
        row(91, "a tariff code with a point", format, hs("85.42")),
        row(
            91,
            "one in Arabic digits",
            format,
            hs("\u{668}\u{665}\u{664}\u{662}"),
        ),
        row(91, "one of 13 digits", format, hs("8542310000000")),
        row(
            92,
            "an item number with a slip",
            check_digit,
            gtin("4006381333932"),
        ),
    ]
}

fn texts(world: &World) -> Vec<Row> {
    let forbidden = "InvalidArgument TEXT_FORBIDDEN";
    let titled = |title: &'static str| {
        order(world, move |order| {
            title.clone_into(&mut order.title);
        })
    };
    let brand = |brand: &str| selecting(world, Selector::Brand(brand.to_owned()));
    vec![
        Row::submit(
            93,
            "a brand that turns the line round",
            "InvalidArgument SELECTOR_BRAND_FORMAT",
            &brand("Lam\u{202e}ps"),
        ),
        Row::submit(
            93,
            "a title that does",
            forbidden,
            &titled("EXERCISE \u{202e}spmal"),
        ),
        Row::submit(93, "a title with a NUL", forbidden, &titled("EXERCISE \0")),
    ]
}

fn handling(world: &World) -> Vec<Row> {
    let marked = |tlp| {
        let mut saying = say::report("de", 8_802);
        saying.statement.tlp = tlp;
        saying.sign(&[&world.network.key("de", "i-1")]).request()
    };
    let sealing = "FailedPrecondition SEALING_NOT_BUILT";
    vec![
        Row::submit(94, "TLP:RED to all", sealing, &marked(Tlp::Red)),
        Row::submit(94, "TLP:AMBER to all", sealing, &marked(Tlp::Amber)),
    ]
}

fn bodies(world: &World) -> Vec<Row> {
    let key = world.network.key("de", "i-1");
    let mut other = say::report("de", 8_803).sign(&[&key]).request();
    if let Some(last) = other.body.last_mut() {
        *last ^= 1;
    }
    let named = |name: &str, number| {
        let exhibit = Exhibit {
            sha256: Hash::of(b"a photograph"),
            length: 12,
            media_type: "image/jpeg".to_owned(),
            name: name.to_owned(),
        };
        exhibiting(number, exhibit).sign(&[&key]).request()
    };
    let digest = "InvalidArgument BODY_DIGEST";
    let forbidden = "InvalidArgument TEXT_FORBIDDEN";
    vec![
        Row::submit(99, "a body with one bit changed", digest, &other),
        // A name is text: nothing is ever opened by it.
        Row::submit(
            100,
            "an exhibit named like a path",
            "Ok",
            &named("../../etc/x", 8_804),
        )
        .growing(1),
        Row::submit(
            100,
            "one with a NUL in it",
            forbidden,
            &named("../../etc/x\0", 8_805),
        ),
    ]
}

fn exhibiting(number: u32, exhibit: Exhibit) -> Saying {
    let content = ReportBody {
        title: "EXERCISE: copied lamps".to_owned(),
        narrative: "Invented for a test.".to_owned(),
        articles: say::order("as reported").articles,
        parties: Vec::new(),
        source_reliability: "B".to_owned(),
        credibility: 2,
        collected_ms: now_ms() - 60_000,
        exhibits: vec![exhibit],
        requested_action: "inspect".to_owned(),
        exercise: true,
    };
    let mut saying = say::report("de", number);
    saying.bodies.clear();
    saying.statement.bodies.clear();
    saying.body(&DecodedBody::Report(Box::new(content)), false)
}

fn absent() -> Vec<Row> {
    let path = "/tocsin.v1.ReportService/GetReport";
    let ask = |name: &str| v1::GetReportRequest {
        name: name.to_owned(),
    };
    let missing = "NotFound NOT_FOUND";
    let row = |sent, name| Row::call(97, sent, missing, Caller::Foreign, path, &ask(name));
    vec![
        row("a report that nobody wrote", "members/de/reports/2026-9999"),
        row(
            "one of a member that nobody is",
            "members/fr/reports/2026-0001",
        ),
    ]
}

fn questions() -> Vec<Row> {
    let ask = |text: String| v1::LookupRequest {
        text,
        ..v1::LookupRequest::default()
    };
    let row =
        |sent, expected, text| Row::call(102, sent, expected, Caller::Home, LOOKUP, &ask(text));
    vec![
        row(
            "a look-up of 257 characters",
            "InvalidArgument LOOKUP_TOO_LONG",
            "x".repeat(257),
        ),
        row(
            "one of 50,000 lines",
            "InvalidArgument LOOKUP_TOO_LONG",
            "4006381333931\n".repeat(50_000),
        ),
        row(
            "one of 100,000 lines, which is more than a message may have",
            "OutOfRange",
            "4006381333931\n".repeat(100_000),
        ),
    ]
}
