//! Orders and lines drawn from small pools, so that they meet often, nearly meet oftener, and every
//! exception has something to except.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::{Order, Phase};
use tocsin_core::party::Party;
use tocsin_core::product::{
    Article, HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector,
    SerialRange, TariffCode, TransportDocument, TransportKind,
};
use tocsin_core::terms::{
    Bond, CarveOut, CarveOutKind, Direction, Downstream, Related, Relation, Terms,
};
use tocsin_screen::line::Role;

use crate::fixture::{self, DAY, NOW};
use crate::row::{Register, Row, RowParty};

/// Some blocks, of which several may be notices of one.
pub fn notices() -> impl Strategy<Value = Vec<Notice>> {
    vec(notice(), 1..8)
}

fn notice() -> impl Strategy<Value = Notice> {
    (
        order(),
        1_u32..6,
        1_u64..4,
        state(),
        instants(),
        any::<u8>(),
    )
        .prop_map(
            |(order, number, version, state, (from_ms, until_ms), odds)| Notice {
                version,
                from_ms,
                until_ms,
                selectors_missing: odds < 25,
                ..fixture::notice(number, order, state)
            },
        )
}

/// Half of them in force, for what is not says little.
fn state() -> impl Strategy<Value = BlockState> {
    prop_oneof![
        8 => Just(BlockState::InForce),
        4 => Just(BlockState::Held),
        2 => Just(BlockState::Review),
        2 => Just(BlockState::Flagged),
        2 => Just(BlockState::Scheduled),
        2 => select(vec![
            BlockState::None,
            BlockState::Informed,
            BlockState::Declined,
            BlockState::NotCompetent,
            BlockState::Paused,
            BlockState::Suspended,
            BlockState::Ended,
            BlockState::Rescinded,
            BlockState::Withdrawn,
            BlockState::Expired,
            BlockState::Lapsed,
        ]),
    ]
}

/// Around the check, and exactly at it.
fn instants() -> impl Strategy<Value = (i64, i64)> {
    let from = prop_oneof![
        6 => Just(NOW - DAY),
        1 => Just(NOW),
        1 => Just(NOW + 1),
        1 => Just(NOW - 200 * DAY),
    ];
    let until = prop_oneof![
        6 => Just(0),
        2 => Just(NOW + DAY),
        1 => Just(NOW + 1),
        1 => Just(NOW),
        1 => Just(NOW - 1),
    ];
    (from, until)
}

fn order() -> impl Strategy<Value = Order> {
    (
        vec(article(), 1..3),
        any::<bool>(),
        vec(party(), 1..3),
        prop_oneof![3 => Just(false), 1 => Just(true)],
        prop_oneof![3 => Just(Terms::default()), 2 => terms()],
        select(vec![NOW - 30 * DAY, NOW - 90 * DAY, NOW - 91 * DAY]),
    )
        .prop_map(
            |(articles, is_limited, respondents, counterfeit, terms, from_ms)| {
                let order = Order {
                    articles,
                    counterfeit,
                    terms,
                    from_ms,
                    phase: Phase::Final,
                    ..fixture::general("", &[])
                };
                if is_limited {
                    fixture::limited(order, respondents)
                } else {
                    order
                }
            },
        )
}

fn article() -> impl Strategy<Value = Article> {
    vec(selector(), 1..4).prop_map(|selectors| Article {
        description: String::new(),
        selectors,
    })
}

/// A genuine number and its neighbours: the same in other dress, its slip, another one.
const GTINS: [&str; 6] = [
    "4006381333931",
    "04006381333931",
    "036000291452",
    "96385074",
    "4006381333932",
    "952000012345",
];
const MODELS: [&str; 8] = [
    "LX-100",
    "lx 100",
    "LX-101",
    "ＬＸ１００",
    "A-7",
    "LX-1000",
    "LX-\u{200B}100",
    "1234567890128",
];
const PATTERNS: [&str; 8] = [
    "LX-1*",
    "LX?00",
    "LX{100-150}",
    "L[X-Z]10[01]",
    "LX100*",
    "*100",
    "LX-1{00-99}",
    "LX*0*0",
];
const SERIALS: [&str; 7] = [
    "SN0100", "sn-0150", "SN 0200", "SN0201", "SN099", "SN00150", "SN1150",
];
const BRANDS: [&str; 4] = ["Lumora", "LUMORA ", "Lumora Pro", "Straße"];
const BATCHES: [&str; 3] = ["B-17", "b17", "B18"];
const CONTAINERS: [&str; 4] = ["CSQU3054383", "csqu 305438-3", "CSQU3054384", "MSKU9070323"];
const DOCUMENTS: [&str; 5] = [
    "180-53925025",
    "18053925025",
    "180-53925026",
    "MAEU123456789",
    "maeu-123 456789",
];
const LISTINGS: [&str; 4] = [
    "https://www.shop.example/item/1?utm_source=x#top",
    "shop.example/item/1",
    "http://shop.example/item/2",
    "MARKET:B00A",
];
const IMAGES: [u64; 3] = [
    0x00ff_00ff_00ff_00ff,
    0x00ff_00ff_00ff_00fc,
    0x1234_5678_9abc_def0,
];
const TARIFFS: [&str; 6] = [
    "94051100",
    "9405.11.0090",
    "9405",
    "8539",
    "853952",
    "940521",
];
const LEIS: [&str; 4] = [
    "5493001KJTIIGC8Y1R12",
    "529900T8BM49AURSDO55",
    "529900t8bm49aursdo55",
    "529900T8BM49AURSDO56",
];
const EORIS: [&str; 4] = ["DE1234567890", "de1234567890", "GB553202734852", "ZZ1"];
const MIDS: [&str; 4] = [
    "XOAMAPLA1145TOR",
    "CAAMAPLA1145TOR",
    "USDHLEXP1304ERL",
    "usdhlexp1304erl",
];
const DUNS: [&str; 2] = ["123456789", "12-345-6789"];
const US_NUMBERS: [&str; 3] = ["12-3456789", "123456789", "123-45-6789"];
const NAMES: [&str; 5] = ["Acme Lamps", "ACME  LAMPS", "Bolt Trading", "Zenith", ""];

fn text(pool: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(pool).prop_map(str::to_owned)
}

fn selector() -> impl Strategy<Value = Selector> {
    prop_oneof![
        4 => text(&GTINS).prop_map(Selector::Gtin),
        4 => text(&MODELS).prop_map(Selector::Model),
        3 => text(&PATTERNS).prop_map(Selector::ModelPattern),
        3 => serial_range().prop_map(Selector::Serial),
        2 => text(&BRANDS).prop_map(Selector::Brand),
        1 => text(&BATCHES).prop_map(Selector::Batch),
        2 => text(&CONTAINERS).prop_map(Selector::Container),
        2 => document().prop_map(Selector::Transport),
        1 => text(&LISTINGS).prop_map(Selector::Listing),
        1 => select(&IMAGES[..]).prop_map(|bits| {
            Selector::Image(ImageHash { kind: ImageHashKind::Phash, bits })
        }),
        2 => hs().prop_map(Selector::Hs),
        1 => tariff().prop_map(Selector::Tariff),
        1 => select(vec!["CN", "US"]).prop_map(|country| Selector::Origin(country.to_owned())),
    ]
}

fn serial_range() -> impl Strategy<Value = SerialRange> {
    (
        select(vec!["SN", "sn-", "SN0", ""]),
        90_u64..160,
        0_u64..120,
        3_u32..6,
    )
        .prop_map(|(prefix, low, more, width)| SerialRange {
            prefix: prefix.to_owned(),
            low,
            high: low + more,
            width,
        })
}

fn document() -> impl Strategy<Value = TransportDocument> {
    (select(TransportKind::ALL), text(&DOCUMENTS))
        .prop_map(|(kind, number)| TransportDocument { kind, number })
}

fn hs() -> impl Strategy<Value = HsCode> {
    (
        select(vec!["94", "9405", "940511", "8539"]),
        select(vec![2017, 2022]),
    )
        .prop_map(|(code, edition)| HsCode {
            code: code.to_owned(),
            edition,
        })
}

fn tariff() -> impl Strategy<Value = TariffCode> {
    (
        select(vec!["94051100", "9405110090"]),
        select(vec!["EU", "US"]),
    )
        .prop_map(|(code, jurisdiction)| TariffCode {
            code: code.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            edition: 2026,
        })
}

fn identifier() -> impl Strategy<Value = Selector> {
    prop_oneof![
        text(&LEIS).prop_map(Selector::Lei),
        text(&EORIS).prop_map(Selector::Eori),
        text(&MIDS).prop_map(Selector::Mid),
        text(&DUNS).prop_map(Selector::Duns),
        text(&US_NUMBERS).prop_map(|number| Selector::Importer(ImporterNumber {
            scheme: ImporterScheme::Us,
            number,
        })),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    (text(&NAMES[..4]), vec(identifier(), 0..3))
        .prop_map(|(name, identifiers)| fixture::company(&name, &identifiers))
}

fn terms() -> impl Strategy<Value = Terms> {
    let directions = subsequence(Direction::ALL.to_vec(), 0..3);
    let relations = subsequence(Relation::ALL.to_vec(), 0..5);
    let downstream = option::of(select(Downstream::ALL));
    let bond = option::of(select(vec![NOW - 1, NOW, NOW + 1, NOW + DAY]));
    (
        directions,
        relations,
        vec(related(), 0..3),
        downstream,
        vec(carve_out(), 0..3),
        vec(party(), 0..2),
        bond,
        any::<bool>(),
    )
        .prop_map(
            |(
                directions,
                relations,
                related,
                downstream,
                carve_outs,
                authorised,
                bond,
                certify,
            )| {
                Terms {
                    directions: directions.into_iter().collect(),
                    relations: relations.into_iter().collect(),
                    related,
                    downstream,
                    carve_outs,
                    authorised,
                    bond: bond.map(|until_ms| Bond {
                        text: "100 % of entered value".to_owned(),
                        until_ms,
                    }),
                    certification: certify.then(|| "the importer may certify".to_owned()),
                    // What a simulation told the issuer; screening does not ask.
                    breadth: None,
                }
            },
        )
}

/// Around the instant of lines.
fn window() -> impl Strategy<Value = (i64, i64)> {
    (
        select(vec![0, NOW - DAY, NOW, NOW + 1]),
        select(vec![0, 0, NOW + DAY, NOW + 1, NOW]),
    )
}

fn related() -> impl Strategy<Value = Related> {
    (select(Relation::ALL), party(), window()).prop_map(|(relation, party, (from_ms, until_ms))| {
        Related {
            relation,
            of: 0,
            party,
            from_ms,
            until_ms,
        }
    })
}

fn carve_out() -> impl Strategy<Value = CarveOut> {
    (
        select(CarveOutKind::ALL),
        vec(selector(), 0..3),
        vec(party(), 0..2),
        window(),
    )
        .prop_map(|(kind, selectors, parties, (from_ms, until_ms))| CarveOut {
            kind,
            text: "as the order says".to_owned(),
            selectors,
            parties,
            from_ms,
            until_ms,
        })
}

/// One line; what a pool has is declared in every dress.
pub fn row() -> impl Strategy<Value = Row> {
    (
        goods(),
        consignment(),
        vec(row_party(), 0..4),
        circumstances(),
    )
        .prop_map(|(goods, consignment, parties, circumstances)| Row {
            parties,
            tariffs: consignment.tariffs,
            tariff_country: consignment.tariff_country,
            tariff_edition: consignment.tariff_edition,
            origin: consignment.origin,
            containers: consignment.containers,
            transport_documents: consignment.transport_documents,
            listings: consignment.listings,
            images: consignment.images,
            direction: circumstances.direction,
            at_ms: circumstances.at_ms,
            is_under_bond: circumstances.is_under_bond,
            is_certified: circumstances.is_certified,
            claims: circumstances.claims,
            ..goods
        })
}

fn few(pool: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop_oneof![3 => Just(vec![]), 3 => vec(text(pool), 1), 1 => vec(text(pool), 2)]
}

fn goods() -> impl Strategy<Value = Row> {
    let models = few(&MODELS);
    (
        few(&GTINS),
        models,
        few(&SERIALS),
        few(&BRANDS),
        few(&BATCHES),
        few(&MODELS),
    )
        .prop_map(
            |(gtins, models, serials, brands, batches, components)| Row {
                gtins,
                models,
                serials,
                brands,
                batches,
                components,
                ..Row::default()
            },
        )
}

fn consignment() -> impl Strategy<Value = Row> {
    let images = vec(
        select(&IMAGES[..]).prop_map(|bits| format!("{bits:016X}")),
        0..2,
    );
    (
        few(&TARIFFS),
        select(vec!["", "EU", "US"]),
        select(vec![0, 2017, 2022]),
        few(&CONTAINERS),
        few(&DOCUMENTS),
        few(&LISTINGS),
        images,
        select(vec!["", "CN", "DE"]),
    )
        .prop_map(
            |(tariffs, country, edition, containers, documents, listings, images, origin)| Row {
                tariffs,
                tariff_country: country.to_owned(),
                tariff_edition: edition,
                containers,
                transport_documents: documents,
                listings,
                images,
                origin: origin.to_owned(),
                ..Row::default()
            },
        )
}

fn circumstances() -> impl Strategy<Value = Row> {
    let direction = prop_oneof![
        4 => Just(None),
        3 => Just(Some(Direction::Import)),
        1 => Just(Some(Direction::Export)),
        1 => Just(Some(Direction::Transit)),
        1 => Just(Some(Direction::ReExport)),
        1 => Just(Some(Direction::FtzAdmission)),
    ];
    let at_ms = prop_oneof![
        3 => Just(None),
        1 => Just(Some(NOW)),
        1 => Just(Some(NOW - 2 * DAY)),
        1 => Just(Some(NOW + DAY)),
    ];
    let claims = vec(
        select(CarveOutKind::ALL).prop_map(|kind| kind.word().to_owned()),
        0..3,
    );
    (direction, at_ms, any::<u8>(), any::<u8>(), claims).prop_map(
        |(direction, at_ms, bond, certified, claims)| Row {
            direction,
            at_ms,
            is_under_bond: bond < 60,
            is_certified: certified < 40,
            claims,
            ..Row::default()
        },
    )
}

fn row_party() -> impl Strategy<Value = RowParty> {
    let number = prop_oneof![
        text(&LEIS).prop_map(|number| (Register::Lei, number)),
        text(&EORIS).prop_map(|number| (Register::Eori, number)),
        text(&MIDS).prop_map(|number| (Register::Mid, number)),
        text(&DUNS).prop_map(|number| (Register::Duns, number)),
        text(&US_NUMBERS).prop_map(|number| (Register::Importer(ImporterScheme::Us), number)),
        text(&LEIS).prop_map(|number| (Register::Any, number)),
        text(&EORIS).prop_map(|number| (Register::Any, number)),
        text(&DUNS).prop_map(|number| (Register::Any, number)),
        text(&US_NUMBERS).prop_map(|number| (Register::Importer(ImporterScheme::Jp), number)),
    ];
    (select(Role::ALL.to_vec()), text(&NAMES), vec(number, 0..3)).prop_map(
        |(role, name, identifiers)| RowParty {
            role,
            name,
            identifiers,
            country: String::new(),
        },
    )
}
