//! Whom and what an order does not reach: other directions, firms that are not related, importers
//! that are authorised, goods under bond, carve-outs, claims and certificates.

use tocsin_core::lookup::Outcome;
use tocsin_core::order::Order;
use tocsin_core::product::Selector;
use tocsin_core::terms::{
    Bond, CarveOut, CarveOutKind, Direction, Downstream, Related, Relation, Terms,
};
use tocsin_screen::answer::{Cap, TriedResult};
use tocsin_screen::line::Role;

use crate::domain::{
    GTIN, LEI, OTHER_LEI, acme, by, check, check_at, importer, lamp, lamps, outcome, with,
};
use crate::fixture::{DAY, NOW, company, general, in_force, limited};
use crate::row::{Register, Row, RowParty};

#[test]
fn an_authorised_importer_is_not_held() {
    let terms = Terms {
        authorised: vec![acme()],
        ..Terms::default()
    };
    for counterfeit in [false, true] {
        let order = Order {
            counterfeit,
            ..with(general("lamps", &lamps()), terms.clone())
        };
        let row = Row {
            gtins: vec![GTIN.to_owned()],
            ..lamp()
        };
        let answer = check(
            &[in_force(1, order.clone())],
            &by(row.clone(), importer(LEI)),
        );
        assert!(answer.outcome < Outcome::Review, "{answer:?}");
        assert_eq!(answer.hits[0].cap, Some(Cap::Authorised));
        assert_eq!(
            outcome(order, &by(row, importer(OTHER_LEI))),
            Outcome::Blocked
        );
    }
}

#[test]
fn a_broker_with_the_authorised_number_opens_no_door_and_one_with_the_respondents_closes_none() {
    let terms = Terms {
        authorised: vec![acme()],
        ..Terms::default()
    };
    let broker = RowParty::numbered(Role::Declarant, Register::Lei, LEI);
    let row = by(lamp(), broker);
    assert_eq!(
        outcome(with(general("lamps", &lamps()), terms), &row),
        Outcome::Blocked
    );
    let order = limited(general("lamps", &lamps()), vec![acme()]);
    assert_eq!(outcome(order, &row), Outcome::Review);
}

#[test]
fn goods_under_bond_are_not_held_until_the_window_ends() {
    let terms = Terms {
        bond: Some(Bond {
            text: "100 % of entered value".to_owned(),
            until_ms: NOW + DAY,
        }),
        ..Terms::default()
    };
    let order = with(general("lamps", &lamps()), terms);
    let bonded = Row {
        is_under_bond: true,
        ..lamp()
    };
    let notices = [in_force(1, order.clone())];
    let answer = check(&notices, &bonded);
    assert!(answer.outcome < Outcome::Held);
    assert_eq!(answer.hits[0].cap, Some(Cap::UnderBond));
    assert_eq!(
        check_at(&notices, &bonded, NOW + DAY).outcome,
        Outcome::Blocked
    );
    assert_eq!(outcome(order, &lamp()), Outcome::Blocked);
    assert_eq!(
        outcome(general("lamps", &lamps()), &bonded),
        Outcome::Blocked
    );
}

#[test]
fn an_order_bars_the_directions_it_names_and_import_if_it_names_none() {
    let moving = |direction| Row {
        direction,
        ..lamp()
    };
    let silent = general("lamps", &lamps());
    for (direction, expected) in [
        (None, Outcome::Blocked),
        (Some(Direction::Import), Outcome::Blocked),
        (Some(Direction::Export), Outcome::None),
        (Some(Direction::Transit), Outcome::None),
        (Some(Direction::ReExport), Outcome::None),
        (Some(Direction::FtzAdmission), Outcome::None),
    ] {
        assert_eq!(
            outcome(silent.clone(), &moving(direction)),
            expected,
            "{direction:?}"
        );
    }
    let terms = Terms {
        directions: [Direction::Transit].into(),
        ..Terms::default()
    };
    let transit = with(silent, terms);
    assert_eq!(
        outcome(transit.clone(), &moving(Some(Direction::Transit))),
        Outcome::Blocked
    );
    assert_eq!(outcome(transit, &moving(None)), Outcome::None);
}

#[test]
fn related_firms_are_bound_where_the_order_says_so_and_while_they_are_related() {
    let related = Related {
        relation: Relation::Subsidiary,
        of: 0,
        party: company("Bolt", &[Selector::Lei(OTHER_LEI.to_owned())]),
        from_ms: NOW - DAY,
        until_ms: NOW + DAY,
    };
    let order = |relations: &[Relation]| {
        let terms = Terms {
            relations: relations.iter().copied().collect(),
            related: vec![related.clone()],
            ..Terms::default()
        };
        with(limited(general("lamps", &lamps()), vec![acme()]), terms)
    };
    let row = by(lamp(), importer(OTHER_LEI));
    assert_eq!(
        outcome(order(&[Relation::Subsidiary]), &row),
        Outcome::Blocked
    );
    assert_eq!(outcome(order(&[]), &row), Outcome::Review);
    assert_eq!(outcome(order(&[Relation::Parent]), &row), Outcome::Review);
    let later = Row {
        at_ms: Some(NOW + DAY),
        ..row
    };
    assert_eq!(
        outcome(order(&[Relation::Subsidiary]), &later),
        Outcome::Review
    );
}

#[test]
fn a_carve_out_lets_pass_what_it_names_while_it_stands() {
    let carve_out = CarveOut {
        kind: CarveOutKind::CertifiedRedesign,
        text: "the LX-100R was ruled to be outside".to_owned(),
        selectors: vec![Selector::Model("LX-100R".to_owned())],
        parties: vec![],
        from_ms: NOW - DAY,
        until_ms: NOW + DAY,
    };
    let terms = Terms {
        carve_outs: vec![carve_out],
        ..Terms::default()
    };
    let order = with(
        general("lamps", &[Selector::ModelPattern("LX-100*".to_owned())]),
        terms,
    );
    let redesign = Row {
        models: vec!["LX-100R".to_owned()],
        ..Row::default()
    };
    let notices = [in_force(1, order.clone())];
    let answer = check(&notices, &redesign);
    assert!(answer.outcome < Outcome::Review, "{answer:?}");
    assert_eq!(answer.hits[0].tried[0].result, TriedResult::Applies);
    assert_eq!(outcome(order, &lamp()), Outcome::Blocked);
    let late = Row {
        at_ms: Some(NOW + DAY),
        ..redesign
    };
    let answer = check(&notices, &late);
    assert_eq!(answer.outcome, Outcome::Blocked);
    assert_eq!(answer.hits[0].tried[0].result, TriedResult::OutOfTime);
}

#[test]
fn what_an_importer_claims_or_certifies_is_for_an_officer_to_see() {
    let carve_out = CarveOut {
        kind: CarveOutKind::ServiceRepair,
        text: "repair of what was sold before".to_owned(),
        selectors: vec![],
        parties: vec![],
        from_ms: 0,
        until_ms: 0,
    };
    let terms = Terms {
        carve_outs: vec![carve_out],
        certification: Some("the importer may certify".to_owned()),
        ..Terms::default()
    };
    let order = with(general("lamps", &lamps()), terms);
    let claiming = Row {
        claims: vec!["service_repair".to_owned()],
        ..lamp()
    };
    let certified = Row {
        is_certified: true,
        ..lamp()
    };
    for row in [&claiming, &certified] {
        let answer = check(&[in_force(1, order.clone())], row);
        assert_eq!(answer.outcome, Outcome::Review, "{row:?}");
        assert_eq!(answer.hits[0].cap, Some(Cap::Claimed));
        // An order that does not offer it is not opened by asking.
        assert_eq!(outcome(general("lamps", &lamps()), row), Outcome::Blocked);
    }
    assert_eq!(outcome(order, &lamp()), Outcome::Blocked);
}

#[test]
fn goods_that_only_contain_the_article_are_barred_where_the_order_says_so() {
    let containing = Row {
        components: vec!["LX-100".to_owned()],
        models: vec!["TRUCK-9000".to_owned()],
        ..Row::default()
    };
    let order = |downstream| {
        let terms = Terms {
            downstream,
            ..Terms::default()
        };
        with(
            general("lamps", &[Selector::Model("LX-100".to_owned())]),
            terms,
        )
    };
    assert_eq!(outcome(order(None), &containing), Outcome::None);
    assert!(outcome(order(Some(Downstream::Any)), &containing) >= Outcome::Review);
}
