//! Strategies for whatever members can say, meaningful or not: the wire carries both. The inner
//! ones are boxed: together they are larger than a test's stack.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tocsin_core::decision::{Decision, DecisionKind, PolicyCitation};
use tocsin_core::handling::Tlp;
use tocsin_core::indicator::{Indicator, IndicatorBody, IndicatorKind};
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, OrderBody, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::policy::{PolicyPack, PolicyPackBody};
use tocsin_core::product::{
    Article, DescriptionTerms, HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme,
    Selector, SerialRange, TariffCode, TransportDocument, TransportKind,
};
use tocsin_core::report::{Exhibit, Report, ReportBody, ReportKind};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, Statement, StatementRef};
use tocsin_core::terms::{
    Bond, Breadth, CarveOut, CarveOutKind, Direction, Downstream, Related, Relation, Terms,
};
use tocsin_log::hash::Hash;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-zA-Z0-9 ]{1,12}", "\\PC{1,6}"]
}

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn selector() -> BoxedStrategy<Selector> {
    prop_oneof![
        text().prop_map(Selector::Gtin),
        (text(), any::<u32>()).prop_map(|(code, edition)| Selector::Hs(HsCode { code, edition })),
        text().prop_map(Selector::Model),
        (text(), any::<u64>(), any::<u64>(), any::<u32>()).prop_map(
            |(prefix, low, high, width)| Selector::Serial(SerialRange {
                prefix,
                low,
                high,
                width
            })
        ),
        text().prop_map(Selector::Mid),
        text().prop_map(Selector::Lei),
        text().prop_map(Selector::Eori),
        text().prop_map(Selector::Brand),
        later_selector(),
    ]
    .boxed()
}

/// The kinds that came with screening.
fn later_selector() -> impl Strategy<Value = Selector> {
    let texts = select(&[
        Selector::ModelPattern as fn(String) -> Selector,
        Selector::Batch,
        Selector::Duns,
        Selector::Container,
        Selector::Vessel,
        Selector::Listing,
        Selector::Origin,
    ]);
    prop_oneof![
        (texts, text()).prop_map(|(make, text)| make(text)),
        (text(), text(), any::<u32>()).prop_map(|(code, jurisdiction, edition)| {
            Selector::Tariff(TariffCode {
                code,
                jurisdiction,
                edition,
            })
        }),
        (select(ImporterScheme::ALL), text())
            .prop_map(|(scheme, number)| Selector::Importer(ImporterNumber { scheme, number })),
        (select(TransportKind::ALL), text())
            .prop_map(|(kind, number)| Selector::Transport(TransportDocument { kind, number })),
        (text(), vec(text(), 0..3)).prop_map(|(language, terms)| {
            Selector::Description(DescriptionTerms { language, terms })
        }),
        (select(ImageHashKind::ALL), any::<u64>())
            .prop_map(|(kind, bits)| Selector::Image(ImageHash { kind, bits })),
    ]
}

fn terms() -> BoxedStrategy<Terms> {
    let related = (
        select(Relation::ALL),
        any::<u32>(),
        party(),
        any::<(i64, i64)>(),
    )
        .prop_map(|(relation, of, party, (from_ms, until_ms))| Related {
            relation,
            of,
            party,
            from_ms,
            until_ms,
        });
    let carve_out = (
        (select(CarveOutKind::ALL), text()),
        (vec(selector(), 0..3), parties()),
        any::<(i64, i64)>(),
    )
        .prop_map(
            |((kind, text), (selectors, parties), (from_ms, until_ms))| CarveOut {
                kind,
                text,
                selectors,
                parties,
                from_ms,
                until_ms,
            },
        );
    let bond = (text(), any::<i64>()).prop_map(|(text, until_ms)| Bond { text, until_ms });
    let words = (
        btree_set(select(Direction::ALL), 0..3),
        btree_set(select(Relation::ALL), 0..3),
        option::of(select(Downstream::ALL)),
    );
    let lists = (vec(related, 0..3), vec(carve_out, 0..3), parties());
    let breadth = any::<(u64, u64)>().prop_map(|(lines, hits)| Breadth { lines, hits });
    let rest = (option::of("[a-z]{1,8}"), option::of(breadth));
    (words, lists, option::of(bond), rest)
        .prop_map(|(words, lists, bond, (certification, breadth))| Terms {
            directions: words.0,
            relations: words.1,
            related: lists.0,
            downstream: words.2,
            carve_outs: lists.1,
            authorised: lists.2,
            bond,
            certification,
            breadth,
        })
        .boxed()
}

fn articles() -> impl Strategy<Value = Vec<Article>> {
    let article = (text(), vec(selector(), 0..4)).prop_map(|(description, selectors)| Article {
        description,
        selectors,
    });
    vec(article, 0..4)
}

fn party() -> BoxedStrategy<Party> {
    (
        select(PartyKind::ALL),
        vec(text(), 0..3),
        vec(selector(), 0..3),
        text(),
    )
        .prop_map(|(kind, names, identifiers, country)| Party {
            kind,
            names,
            identifiers,
            country,
        })
        .boxed()
}

fn parties() -> impl Strategy<Value = Vec<Party>> {
    vec(party(), 0..3)
}

fn rights() -> impl Strategy<Value = Vec<Right>> {
    let right = (select(RightKind::ALL), text(), text(), text(), text()).prop_map(
        |(kind, office, number, missing_reason, claims)| Right {
            kind,
            office,
            number,
            missing_reason,
            claims,
        },
    );
    vec(right, 0..3)
}

/// Any text of an order.
pub(crate) fn order() -> BoxedStrategy<Order> {
    let words = (
        select(Instrument::ALL),
        select(ScopeKind::ALL),
        select(Phase::ALL),
    );
    let lists = (parties(), articles(), rights());
    let texts = (text(), text(), text(), text());
    let rest = (any::<i64>(), any::<i64>(), any::<bool>(), any::<bool>());
    (words, lists, texts, rest, terms())
        .prop_map(|(words, lists, texts, rest, terms)| Order {
            case_ref: texts.0,
            title: texts.1,
            instrument: words.0,
            scope: words.1,
            respondents: lists.0,
            articles: lists.1,
            rights: lists.2,
            no_right_reason: texts.2,
            phase: words.2,
            from_ms: rest.0,
            until_ms: rest.1,
            counterfeit: rest.2,
            summary: texts.3,
            exercise: rest.3,
            terms,
        })
        .boxed()
}

fn decision() -> impl Strategy<Value = Decision> {
    let citation =
        (option::of(hash()), text()).prop_map(|(pack, rule)| PolicyCitation { pack, rule });
    let head = (select(DecisionKind::ALL), hash(), text(), text());
    (head, any::<i64>(), rights(), option::of(citation)).prop_map(
        |((kind, judged, basis, reason), until_ms, local_rights, policy)| Decision {
            kind,
            judged,
            basis,
            reason,
            until_ms,
            local_rights,
            policy,
        },
    )
}

fn act() -> BoxedStrategy<Act> {
    prop_oneof![
        select(ReportKind::ALL).prop_map(|kind| Act::Report(Report { kind })),
        (select(IndicatorKind::ALL), any::<i64>()).prop_map(|(kind, valid_until_ms)| {
            Act::Indicator(Indicator {
                kind,
                valid_until_ms,
            })
        }),
        order().prop_map(|order| Act::Order(Box::new(order))),
        (select(OrderActKind::ALL), text(), option::of(order())).prop_map(
            |(kind, reason, replacement)| {
                Act::OrderAct(Box::new(OrderAct {
                    kind,
                    reason,
                    replacement,
                }))
            }
        ),
        decision().prop_map(Act::Decision),
        text().prop_map(|toml| Act::PolicyPack(PolicyPack { toml })),
    ]
    .boxed()
}

/// Any statement.
pub(crate) fn statement() -> impl Strategy<Value = Statement> {
    let reference =
        || (text(), hash()).prop_map(|(log, statement_id)| StatementRef { log, statement_id });
    let body = (hash(), any::<u64>(), any::<u32>(), any::<bool>()).prop_map(
        |(sha256, length, scheme, lasting)| BodyRef {
            sha256,
            length,
            scheme,
            lasting,
        },
    );
    let head = (
        text(),
        any::<[u8; 16]>(),
        any::<i64>(),
        any::<u32>(),
        select(Tlp::ALL),
    );
    let links = (
        vec(body, 0..3),
        option::of(reference()),
        vec(reference(), 0..3),
    );
    (head, links, act()).prop_map(|(head, links, act)| Statement {
        log: head.0,
        nonce: head.1,
        created_ms: head.2,
        number: head.3,
        tlp: head.4,
        bodies: links.0,
        about: links.1,
        refs: links.2,
        act,
    })
}

/// Any body.
pub(crate) fn body() -> impl Strategy<Value = DecodedBody> {
    let exhibit =
        (hash(), any::<u64>(), text(), text()).prop_map(|(sha256, length, media_type, name)| {
            Exhibit {
                sha256,
                length,
                media_type,
                name,
            }
        });
    let report = (
        (text(), text(), text(), text()),
        (articles(), parties(), vec(exhibit, 0..3)),
        (any::<u32>(), any::<i64>(), any::<bool>()),
    );
    let indicator = (text(), articles(), parties(), text(), any::<bool>());
    prop_oneof![
        report.prop_map(
            |(texts, lists, rest)| DecodedBody::Report(Box::new(ReportBody {
                title: texts.0,
                narrative: texts.1,
                articles: lists.0,
                parties: lists.1,
                source_reliability: texts.2,
                credibility: rest.0,
                collected_ms: rest.1,
                exhibits: lists.2,
                requested_action: texts.3,
                exercise: rest.2,
            }))
        ),
        indicator.prop_map(|(title, articles, parties, confidence, exercise)| {
            DecodedBody::Indicator(Box::new(IndicatorBody {
                title,
                articles,
                parties,
                confidence,
                exercise,
            }))
        }),
        articles().prop_map(|articles| DecodedBody::Order(OrderBody { articles })),
        text().prop_map(|toml| DecodedBody::PolicyPack(PolicyPackBody { toml })),
    ]
}
