//! What orders may say beside goods and respondents, and by which later kinds of fact.

use super::*;
use crate::order::Order;
use crate::party::PartyKind;
use crate::product::{
    CONSIGNMENT_MS, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector,
};
use crate::terms::{Bond, Breadth, CarveOut, CarveOutKind, Related, Relation, Terms};

#[test]
fn every_kind_of_selector_must_be_such_that_it_can_be_compared() {
    let at = "order.articles[0].selectors[1]";
    for (wrong, code) in [
        (
            Selector::ModelPattern("LX(1|2)*[".to_owned()),
            "SELECTOR_PATTERN_FORMAT",
        ),
        (
            Selector::ModelPattern("*".to_owned()),
            "SELECTOR_PATTERN_BROAD",
        ),
        (Selector::Batch(String::new()), "SELECTOR_BATCH_FORMAT"),
        (
            Selector::Duns("12345678".to_owned()),
            "SELECTOR_DUNS_FORMAT",
        ),
        (
            Selector::Container("CSQU3054384".to_owned()),
            "SELECTOR_CONTAINER_CHECK_DIGIT",
        ),
        (
            Selector::Vessel("9074728".to_owned()),
            "SELECTOR_VESSEL_CHECK_DIGIT",
        ),
        (
            Selector::Listing("lamp".to_owned()),
            "SELECTOR_LISTING_FORMAT",
        ),
        (Selector::Origin("UK".to_owned()), "SELECTOR_ORIGIN_FORMAT"),
        (
            Selector::Importer(ImporterNumber {
                scheme: ImporterScheme::Us,
                number: "123-45-6789".to_owned(),
            }),
            "SELECTOR_IMPORTER_PERSON",
        ),
        (
            Selector::Image(ImageHash {
                kind: ImageHashKind::Phash,
                bits: 0,
            }),
            "SELECTOR_IMAGE_FORMAT",
        ),
    ] {
        let word = changed_order(|order| order.articles[0].selectors[1] = wrong.clone());
        assert_eq!(word, format!("{code} {at}"));
    }
}

fn carve_out(kind: CarveOutKind) -> CarveOut {
    CarveOut {
        kind,
        text: "spare parts".to_owned(),
        selectors: Vec::new(),
        parties: Vec::new(),
        from_ms: 0,
        until_ms: 0,
    }
}

fn affiliate() -> Related {
    Related {
        relation: Relation::Affiliate,
        of: 0,
        party: fixture::party(),
        from_ms: 0,
        until_ms: 0,
    }
}

#[test]
fn related_firms_stand_in_a_relation_that_binds_to_a_respondent_that_is_there() {
    let related = |change: fn(&mut Order)| {
        changed_order(|order| {
            order.terms.relations = [Relation::Affiliate].into();
            order.terms.related = vec![affiliate()];
            change(order);
        })
    };
    let at = "order.terms.related[0]";
    assert_eq!(related(|_| ()), "valid");
    assert_eq!(
        related(|order| order.terms.relations = [Relation::Parent].into()),
        format!("RELATION_OFF {at}.relation")
    );
    assert_eq!(
        related(|order| order.terms.related[0].of = 1),
        format!("RELATED_TO_NOBODY {at}.of")
    );
    assert_eq!(
        related(|order| order.terms.related[0].party.kind = PartyKind::Person),
        format!("SEALING_NOT_BUILT {at}.party.kind")
    );
    let window = related(|order| {
        (
            order.terms.related[0].from_ms,
            order.terms.related[0].until_ms,
        ) = (NOW_MS, NOW_MS);
    });
    assert_eq!(window, format!("UNTIL_NOT_AFTER {at}.until_ms"));
    assert_eq!(
        related(|order| order.terms.related = vec![affiliate(); 65]),
        "LIST_TOO_LONG order.terms.related"
    );
}

#[test]
fn what_lets_goods_pass_is_bounded_and_says_what_it_means() {
    type Change = fn(&mut Terms);
    let cases: [(Change, &str); 11] = [
        (
            |terms| terms.carve_outs = vec![carve_out(CarveOutKind::ServiceRepair)],
            "valid",
        ),
        (
            |terms| terms.carve_outs = vec![carve_out(CarveOutKind::ServiceRepair); 33],
            "LIST_TOO_LONG order.terms.carve_outs",
        ),
        (
            |terms| {
                terms.carve_outs = vec![carve_out(CarveOutKind::ServiceRepair)];
                terms.carve_outs[0].text.clear();
            },
            "TEXT_MISSING order.terms.carve_outs[0].text",
        ),
        (
            |terms| terms.carve_outs = vec![carve_out(CarveOutKind::DateWindow)],
            "WINDOW_OPEN order.terms.carve_outs[0].until_ms",
        ),
        (
            |terms| {
                terms.carve_outs = vec![carve_out(CarveOutKind::DateWindow)];
                terms.carve_outs[0].until_ms = NOW_MS;
            },
            "valid",
        ),
        (
            |terms| {
                terms.carve_outs = vec![carve_out(CarveOutKind::LowValue)];
                terms.carve_outs[0].selectors = vec![Selector::Gtin("1".to_owned())];
            },
            "SELECTOR_GTIN_FORMAT order.terms.carve_outs[0].selectors[0]",
        ),
        (
            |terms| terms.authorised = vec![fixture::party(); 65],
            "LIST_TOO_LONG order.terms.authorised",
        ),
        (
            |terms| terms.certification = Some(" ".to_owned()),
            "TEXT_MISSING order.terms.certification",
        ),
        (
            |terms| {
                terms.breadth = Some(Breadth {
                    lines: 10,
                    hits: 10,
                })
            },
            "valid",
        ),
        (
            |terms| {
                terms.breadth = Some(Breadth {
                    lines: 10,
                    hits: 11,
                })
            },
            "BREADTH order.terms.breadth",
        ),
        (
            |terms| terms.breadth = Some(Breadth { lines: 0, hits: 0 }),
            "BREADTH order.terms.breadth",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(changed_order(|order| change(&mut order.terms)), expected);
    }
}

#[test]
fn a_bond_ends_with_the_order_at_the_latest() {
    let bond = |until_ms| Bond {
        text: "100 % of entered value".to_owned(),
        until_ms,
    };
    let at = "order.terms.bond.until_ms";
    for (until_ms, order_until_ms, expected) in [
        (NOW_MS + 1, 0, "valid".to_owned()),
        (NOW_MS + 1, NOW_MS + 1, "valid".to_owned()),
        (NOW_MS + 2, NOW_MS + 1, format!("BOND_TOO_LONG {at}")),
        (NOW_MS, 0, format!("UNTIL_NOT_AFTER {at}")),
        (0, 0, format!("UNTIL_MISSING {at}")),
    ] {
        let word = changed_order(|order| {
            (order.until_ms, order.terms.bond) = (order_until_ms, Some(bond(until_ms)));
        });
        assert_eq!(word, expected, "{until_ms} {order_until_ms}");
    }
}

#[test]
fn a_container_stands_in_no_order_that_outlives_its_voyage() {
    let with = |until_ms| {
        changed_order(|order| {
            order.until_ms = until_ms;
            order.articles[0].selectors[0] = Selector::Container("CSQU3054383".to_owned());
        })
    };
    let refused = "SELECTOR_SHORT_LIVED order.articles[0].selectors[0]";
    assert_eq!(with(NOW_MS + CONSIGNMENT_MS), "valid");
    assert_eq!(with(NOW_MS + CONSIGNMENT_MS + 1), refused);
    assert_eq!(with(0), refused);
}
