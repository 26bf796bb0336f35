//! Each rule, with what it lets through as much as what it stops.

use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::Order;
use tocsin_core::party::{Party as Bound, PartyKind};
use tocsin_core::product::{
    HsCode, ImageHash, ImageHashKind, Selector, SerialRange, TransportDocument, TransportKind,
};
use tocsin_core::terms::{
    Bond, CarveOut, CarveOutKind, Direction, Downstream, Related, Relation, Terms,
};

use super::*;
use crate::answer::Answer;
use crate::index::Screen;
use crate::line::{Identifier, Line, Party, Scheme};
use crate::sample::{NOW, basis, general, limited, notice};

const DAY: i64 = 86_400_000;
const GTIN: &str = "4006381333931";
const LEI: &str = "5493001KJTIIGC8Y1R12";
const OTHER_LEI: &str = "529900T8BM49AURSDO55";
const NAME: &str = "Acme Lamps Co., Ltd.";
const MODEL: Line<'static> = Line {
    models: &["LX-100"],
    ..Line::BLANK
};

fn model(text: &str) -> Selector {
    Selector::Model(text.into())
}

fn hs(code: &str) -> Selector {
    Selector::Hs(HsCode {
        code: code.into(),
        edition: 2022,
    })
}

fn company(names: &[&str], identifiers: &[Selector]) -> Bound {
    Bound {
        kind: PartyKind::Company,
        names: names.iter().map(|name| (*name).into()).collect(),
        identifiers: identifiers.to_vec(),
        country: String::new(),
    }
}

fn check(order: Order, line: &Line<'_>) -> Answer {
    Screen::build([notice("US-2026-1@US", order)], basis()).check(line, NOW)
}

fn said(order: Order, line: &Line<'_>) -> (Outcome, Option<Cap>) {
    let answer = check(order, line);
    let hit = answer.hits.first();
    (answer.outcome, hit.and_then(|hit| hit.cap))
}

fn importer<'a>(name: &'a str, identifiers: &'a [Identifier<'a>]) -> Party<'a> {
    Party {
        role: Role::Importer,
        name,
        identifiers,
        country: "",
    }
}

fn by<'a>(line: Line<'a>, party: &'a Party<'a>) -> Line<'a> {
    Line {
        parties: std::slice::from_ref(party),
        ..line
    }
}

const fn lei(value: &str) -> Identifier<'_> {
    Identifier {
        scheme: Scheme::Lei,
        value,
    }
}

const BLOCKED: (Outcome, Option<Cap>) = (Outcome::Blocked, None);
const NOTHING: (Outcome, Option<Cap>) = (Outcome::None, None);

const fn review(cap: Cap) -> (Outcome, Option<Cap>) {
    (Outcome::Review, Some(cap))
}

#[test]
fn a_limited_order_needs_article_and_party() {
    let order = || limited(&[model("LX-100")], LEI);
    assert_eq!(said(order(), &MODEL), review(Cap::PartyMissing));
    let (named, other) = ([lei(LEI)], [lei(OTHER_LEI)]);
    let unrelated = importer("Zenith Imports", &other);
    assert_eq!(
        said(order(), &by(MODEL, &unrelated)),
        review(Cap::PartyMissing)
    );
    assert_eq!(said(order(), &by(MODEL, &importer("", &named))), BLOCKED);
    assert_eq!(said(order(), &by(MODEL, &importer(NAME, &[]))), BLOCKED);
    // Who files or carries for others is not bound.
    let broker = Party {
        role: Role::Declarant,
        ..importer("", &named)
    };
    assert_eq!(
        said(order(), &by(MODEL, &broker)),
        review(Cap::PartyMissing)
    );
}

#[test]
fn the_same_article_under_a_general_order_is_blocked_whoever_imports_it() {
    let other = [importer("Zenith Imports", &[])];
    let line = Line {
        parties: &other,
        ..MODEL
    };
    assert_eq!(said(general(&[model("LX-100")]), &line), BLOCKED);
}

#[test]
fn a_name_with_another_number_is_not_the_party() {
    let other = [lei(OTHER_LEI)];
    let line = Line {
        parties: &[importer(NAME, &other)],
        ..MODEL
    };
    let order = limited(&[model("LX-100")], LEI);
    assert_eq!(said(order, &line), review(Cap::Contradicted));
}

#[test]
fn what_is_weak_is_never_enough_alone() {
    let order = || {
        general(&[
            hs("940511"),
            Selector::Origin("CN".into()),
            model("LX-100"),
            model("A-7"),
            Selector::Brand("Lumora".into()),
            Selector::Image(ImageHash {
                kind: ImageHashKind::Phash,
                bits: 0xFF00_FF00_1234_5678,
            }),
        ])
    };
    let tariff = Line {
        tariffs: &["9405.11.0090"],
        origin: "CN",
        ..Line::BLANK
    };
    assert_eq!(said(order(), &tariff), NOTHING);
    for line in [
        Line {
            brands: &["LUMORA"],
            ..tariff
        },
        Line {
            models: &["a7"],
            ..tariff
        },
        Line {
            images: &["phash:ff00ff0012345679"],
            ..tariff
        },
        Line {
            description: "table lamp, model LX-100, new",
            ..tariff
        },
    ] {
        assert_eq!(said(order(), &line), review(Cap::Suggests), "{line:?}");
    }
    let far = Line {
        images: &["phash:00ff00ff12345679"],
        ..tariff
    };
    assert_eq!(said(order(), &far), NOTHING);
}

#[test]
fn a_party_alone_is_review_unless_the_goods_are_others() {
    let order = || limited(&[model("LX-100"), hs("9405")], LEI);
    let named = [lei(LEI)];
    let party = [importer("", &named)];
    let base = Line {
        parties: &party,
        ..Line::BLANK
    };
    assert_eq!(said(order(), &base), review(Cap::ArticleMissing));
    let answer = check(order(), &base);
    assert!(answer.decisive_missing && answer.hits[0].missing.contains(Field::Model));
    let same_chapter = Line {
        tariffs: &["94051100"],
        ..base
    };
    assert_eq!(said(order(), &same_chapter), review(Cap::ArticleMissing));
    let other_tariff = Line {
        tariffs: &["85171300"],
        ..base
    };
    assert_eq!(said(order(), &other_tariff), NOTHING);
    let other_model = Line {
        models: &["ZZ-900"],
        ..same_chapter
    };
    assert_eq!(said(order(), &other_model), NOTHING);
}

#[test]
fn an_identifier_that_says_otherwise_caps_another_that_agrees() {
    let order = || general(&[model("LX-100"), Selector::Brand("Lumora".into())]);
    let line = |brand| Line {
        brands: std::slice::from_ref(brand),
        ..MODEL
    };
    assert_eq!(said(order(), &line(&"lumora")), BLOCKED);
    assert_eq!(said(order(), &line(&"Zenith")), review(Cap::Contradicted));
}

#[test]
fn a_copied_item_number_never_holds_genuine_goods() {
    let fakes = || Order {
        counterfeit: true,
        ..general(&[Selector::Gtin(GTIN.into()), model("LX-100")])
    };
    let line = Line {
        gtins: &[GTIN],
        ..Line::BLANK
    };
    assert_eq!(said(fakes(), &line), review(Cap::CopiedNumber));
    let listed = || Order {
        terms: Terms {
            authorised: vec![company(&[NAME], &[Selector::Lei(LEI.into())])],
            ..Terms::default()
        },
        ..fakes()
    };
    assert_eq!(said(listed(), &line), review(Cap::CopiedNumber));
    let (named, other) = ([lei(LEI)], [lei(OTHER_LEI)]);
    let authorised = (Outcome::None, Some(Cap::Authorised));
    assert_eq!(said(listed(), &by(line, &importer("", &named))), authorised);
    assert_eq!(
        said(listed(), &by(line, &importer(NAME, &[]))),
        review(Cap::CopiedNumber)
    );
    assert_eq!(
        said(listed(), &by(line, &importer("Zenith", &other))),
        BLOCKED
    );
}

#[test]
fn an_authorised_importer_is_not_held_and_one_with_its_name_is_looked_at() {
    let order = || Order {
        terms: Terms {
            authorised: vec![company(&["Zenith"], &[Selector::Lei(LEI.into())])],
            ..Terms::default()
        },
        ..general(&[model("LX-100")])
    };
    let (named, other) = ([lei(LEI)], [lei(OTHER_LEI)]);
    let authorised = (Outcome::None, Some(Cap::Authorised));
    assert_eq!(said(order(), &by(MODEL, &importer("", &named))), authorised);
    assert_eq!(
        said(order(), &by(MODEL, &importer("Zenith", &[]))),
        review(Cap::Claimed)
    );
    assert_eq!(
        said(order(), &by(MODEL, &importer("Acme", &other))),
        BLOCKED
    );
    assert_eq!(said(order(), &MODEL), BLOCKED);
    // Only who brings the goods in is asked.
    let seller = Party {
        role: Role::Seller,
        ..importer("", &named)
    };
    assert_eq!(said(order(), &by(MODEL, &seller)), BLOCKED);
}

#[test]
fn only_the_directions_of_the_order_are_barred() {
    let transit = Line {
        direction: Some(Direction::Transit),
        ..MODEL
    };
    assert_eq!(said(general(&[model("LX-100")]), &transit), NOTHING);
    let order = Order {
        terms: Terms {
            directions: [Direction::Transit].into(),
            ..Terms::default()
        },
        ..general(&[model("LX-100")])
    };
    assert_eq!(said(order.clone(), &transit), BLOCKED);
    assert_eq!(said(order, &MODEL), NOTHING);
}

#[test]
fn related_parties_count_where_the_order_says_so_and_in_their_time() {
    let of = |relations: &[Relation], until_ms| Order {
        terms: Terms {
            relations: relations.iter().copied().collect(),
            related: vec![Related {
                relation: Relation::Subsidiary,
                of: 0,
                party: company(&["Umbra"], &[Selector::Lei(OTHER_LEI.into())]),
                from_ms: 0,
                until_ms,
            }],
            ..Terms::default()
        },
        ..limited(&[model("LX-100")], LEI)
    };
    let other = [lei(OTHER_LEI)];
    let line = Line {
        parties: &[importer("", &other)],
        ..MODEL
    };
    assert_eq!(said(of(&[Relation::Subsidiary], 0), &line), BLOCKED);
    let missing = review(Cap::PartyMissing);
    assert_eq!(said(of(&[Relation::Licensee], 0), &line), missing);
    assert_eq!(said(of(&[Relation::Subsidiary], NOW), &line), missing);
    let before = Line {
        at_ms: Some(NOW - 1),
        ..line
    };
    assert_eq!(said(of(&[Relation::Subsidiary], NOW), &before), BLOCKED);
}

#[test]
fn entry_under_bond_is_not_a_hold_until_the_bond_ends() {
    let order = |until_ms| Order {
        terms: Terms {
            bond: Some(Bond {
                text: "100 % of entered value".into(),
                until_ms,
            }),
            ..Terms::default()
        },
        ..general(&[model("LX-100")])
    };
    let bonded = Line {
        is_under_bond: true,
        ..MODEL
    };
    let flagged = (Outcome::Flagged, Some(Cap::UnderBond));
    assert_eq!(said(order(NOW + 1), &bonded), flagged);
    assert_eq!(said(order(NOW + 1), &MODEL), BLOCKED);
    assert_eq!(said(order(NOW), &bonded), BLOCKED);
    assert_eq!(said(general(&[model("LX-100")]), &bonded), BLOCKED);
}

fn carved(carve_out: CarveOut) -> Order {
    Order {
        terms: Terms {
            carve_outs: vec![carve_out],
            ..Terms::default()
        },
        ..general(&[Selector::ModelPattern("LX-100*".into())])
    }
}

fn carve_out(kind: CarveOutKind) -> CarveOut {
    CarveOut {
        kind,
        text: "as the order says".into(),
        selectors: vec![],
        parties: vec![],
        from_ms: 0,
        until_ms: 0,
    }
}

#[test]
fn a_carve_out_seen_from_the_goods_releases_and_one_by_purpose_is_looked_at() {
    let out = (Outcome::None, Some(Cap::CarvedOut));
    let redesign = CarveOut {
        selectors: vec![model("LX-100R")],
        ..carve_out(CarveOutKind::CertifiedRedesign)
    };
    let redesigned = Line {
        models: &["LX-100R"],
        ..Line::BLANK
    };
    assert_eq!(said(carved(redesign.clone()), &redesigned), out);
    assert_eq!(said(carved(redesign), &MODEL), BLOCKED);
    let repair = || carved(carve_out(CarveOutKind::ServiceRepair));
    let claimed = Line {
        claims: &["service_repair"],
        ..MODEL
    };
    assert_eq!(said(repair(), &MODEL), BLOCKED);
    assert_eq!(said(repair(), &claimed), review(Cap::Claimed));
    let source = carve_out(CarveOutKind::LicensedSource);
    let named = [lei(LEI)];
    let line = Line {
        parties: &[importer("", &named)],
        ..MODEL
    };
    let licensed = CarveOut {
        parties: vec![company(&["Zenith"], &[Selector::Lei(LEI.into())])],
        ..source.clone()
    };
    assert_eq!(said(carved(licensed), &line), out);
    assert_eq!(said(carved(source), &line), BLOCKED);
}

#[test]
fn a_carve_out_holds_in_its_time_alone() {
    let window = CarveOut {
        from_ms: NOW,
        until_ms: NOW + DAY,
        ..carve_out(CarveOutKind::DateWindow)
    };
    let at = |at_ms| Line {
        at_ms: Some(at_ms),
        ..MODEL
    };
    let out = (Outcome::None, Some(Cap::CarvedOut));
    assert_eq!(said(carved(window.clone()), &at(NOW)), out);
    assert_eq!(said(carved(window.clone()), &at(NOW + DAY)), BLOCKED);
    let answer = check(carved(window), &at(NOW - 1));
    assert_eq!(answer.hits[0].tried[0].result, TriedResult::OutOfTime);
}

#[test]
fn a_certificate_is_looked_at_where_the_order_takes_one() {
    let order = Order {
        terms: Terms {
            certification: Some("by the importer, in writing".into()),
            ..Terms::default()
        },
        ..general(&[model("LX-100")])
    };
    let certified = Line {
        is_certified: true,
        ..MODEL
    };
    assert_eq!(said(order.clone(), &certified), review(Cap::Claimed));
    assert_eq!(said(order, &MODEL), BLOCKED);
    assert_eq!(said(general(&[model("LX-100")]), &certified), BLOCKED);
}

#[test]
fn what_is_built_in_counts_as_the_order_says() {
    let order = |downstream| Order {
        terms: Terms {
            downstream,
            ..Terms::default()
        },
        ..general(&[model("LX-100")])
    };
    let line = Line {
        models: &["TV-9000"],
        components: &["LX-100"],
        ..Line::BLANK
    };
    assert_eq!(said(order(None), &line), NOTHING);
    assert_eq!(said(order(Some(Downstream::Any)), &line), BLOCKED);
    let listed = said(order(Some(Downstream::Listed)), &line);
    assert_eq!(listed, review(Cap::Downstream));
}

#[test]
fn a_container_names_the_goods_for_a_while() {
    let order = || general(&[Selector::Container("CSQU3054383".into())]);
    let line = Line {
        containers: &["CSQU 305438-3"],
        ..Line::BLANK
    };
    assert_eq!(said(order(), &line), BLOCKED);
    let later = Line {
        at_ms: Some(NOW + 91 * DAY),
        ..line
    };
    assert_eq!(said(order(), &later), review(Cap::ShortLived));
    let bill = general(&[Selector::Transport(TransportDocument {
        kind: TransportKind::AirWaybill,
        number: "123-12345675".into(),
    })]);
    let line = Line {
        transport_documents: &["12312345675"],
        ..Line::BLANK
    };
    assert_eq!(said(bill, &line), BLOCKED);
}

#[test]
fn serial_numbers_and_patterns_meet_what_they_say() {
    let range = SerialRange {
        prefix: "SN1".into(),
        low: 100,
        high: 200,
        width: 4,
    };
    let serial = |serial| Line {
        serials: std::slice::from_ref(serial),
        ..Line::BLANK
    };
    let order = || general(&[Selector::Serial(range.clone())]);
    assert_eq!(said(order(), &serial(&"sn1-0150")), BLOCKED);
    assert_eq!(said(order(), &serial(&"SN10201")), NOTHING);
    let order = || general(&[Selector::ModelPattern("LUM-LX{100-199}[AB]*".into())]);
    let of = |model| Line {
        models: std::slice::from_ref(model),
        ..Line::BLANK
    };
    assert_eq!(said(order(), &of(&"lum lx 150 b/2")), BLOCKED);
    assert_eq!(said(order(), &of(&"LUM-LX-200B")), NOTHING);
}

#[test]
fn a_block_says_what_its_state_says_in_its_time() {
    let at = |state, now| {
        let block = Notice {
            state,
            until_ms: NOW + DAY,
            ..notice("US-2026-1@US", general(&[model("LX-100")]))
        };
        let screen = Screen::build([block], basis());
        screen.check(&MODEL, now).outcome
    };
    for (state, outcome) in [
        (BlockState::InForce, Outcome::Blocked),
        (BlockState::Held, Outcome::Held),
        (BlockState::Review, Outcome::Review),
        (BlockState::Flagged, Outcome::Flagged),
        (BlockState::Scheduled, Outcome::Review),
        (BlockState::Informed, Outcome::None),
        (BlockState::Paused, Outcome::None),
        (BlockState::Withdrawn, Outcome::None),
    ] {
        assert_eq!(at(state, NOW), outcome, "{state}");
        assert_eq!(at(state, NOW - 1), Outcome::None, "{state}");
        assert_eq!(at(state, NOW + DAY), Outcome::None, "{state}");
    }
}

#[test]
fn an_order_of_which_a_part_has_not_arrived_is_review_at_most() {
    let block = Notice {
        selectors_missing: true,
        ..notice("US-2026-1@US", general(&[model("LX-100")]))
    };
    let answer = Screen::build([block], basis()).check(&MODEL, NOW);
    assert_eq!(answer.hits[0].cap, Some(Cap::SelectorsMissing));
    assert_eq!(answer.outcome, Outcome::Review);
}

#[test]
fn facts_of_two_articles_do_not_count_together() {
    let order = Order {
        articles: vec![
            general(&[model("LX-100"), Selector::Brand("Lumora".into())]).articles[0].clone(),
            general(&[Selector::Brand("Zenith".into())]).articles[0].clone(),
        ],
        ..general(&[])
    };
    let line = Line {
        brands: &["Zenith"],
        ..MODEL
    };
    assert_eq!(said(order, &line).0, Outcome::Review);
}
