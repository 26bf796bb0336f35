//! What the field expects of a screener, case by case. Each is asked of the screener and of the
//! reference, so that neither can drift away with the other.

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::Order;
use tocsin_core::party::Party;
use tocsin_core::product::{
    HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector, SerialRange,
    TariffCode,
};
use tocsin_core::terms::Terms;
use tocsin_screen::answer::{Answer, Cap, Subject};
use tocsin_screen::index::Screen;
use tocsin_screen::line::{Field, Role};

use crate::fixture::{DAY, NOW, basis, company, general, in_force, limited, notice};
use crate::property;
use crate::row::{Register, Row, RowParty};

pub const GTIN: &str = "4006381333931";
pub const LEI: &str = "5493001KJTIIGC8Y1R12";
pub const OTHER_LEI: &str = "529900T8BM49AURSDO55";

/// The screener's answer, which the reference gives as well.
pub fn check(notices: &[Notice], row: &Row) -> Answer {
    check_at(notices, row, NOW)
}

pub fn check_at(notices: &[Notice], row: &Row, now: i64) -> Answer {
    let screen = Screen::build(notices.to_vec(), basis());
    property::agree(&screen, notices, row, now).unwrap();
    row.with(|line| screen.check(line, now))
}

pub fn outcome(order: Order, row: &Row) -> Outcome {
    check(&[in_force(1, order)], row).outcome
}

pub fn blocks(answer: &Answer) -> Vec<&str> {
    let block = |subject: &'_ Subject| match subject {
        Subject::Block(notice) => notice.block.clone(),
        Subject::Listed(_) => panic!("no list was loaded"),
    };
    answer
        .hits
        .iter()
        .map(|hit| block(&hit.subject))
        .map(|name| &*name.leak())
        .collect()
}

pub fn lamps() -> Vec<Selector> {
    vec![
        Selector::Gtin(GTIN.to_owned()),
        Selector::Model("LX-100".to_owned()),
    ]
}

pub fn lamp() -> Row {
    Row {
        models: vec!["lx 100".to_owned()],
        ..Row::default()
    }
}

pub fn by(row: Row, party: RowParty) -> Row {
    Row {
        parties: vec![party],
        ..row
    }
}

pub fn importer(lei: &str) -> RowParty {
    RowParty::numbered(Role::Importer, Register::Lei, lei)
}

pub fn acme() -> Party {
    company("Acme Lamps Co., Ltd.", &[Selector::Lei(LEI.to_owned())])
}

pub fn with(order: Order, terms: Terms) -> Order {
    Order { terms, ..order }
}

#[test]
fn a_limited_order_with_an_unrelated_importer_is_review_at_most() {
    let order = limited(general("lamps", &lamps()), vec![acme()]);
    let unrelated = by(lamp(), importer(OTHER_LEI));
    assert_eq!(outcome(order.clone(), &unrelated), Outcome::Review);
    assert_eq!(outcome(order, &by(lamp(), importer(LEI))), Outcome::Blocked);
}

#[test]
fn a_general_order_holds_whoever_imports() {
    let order = general("lamps", &lamps());
    assert_eq!(
        outcome(order.clone(), &by(lamp(), importer(OTHER_LEI))),
        Outcome::Blocked
    );
    assert_eq!(outcome(order, &lamp()), Outcome::Blocked);
}

#[test]
fn manufacturer_codes_of_canada_are_written_by_province() {
    let of = |mid: &str| company("Maker", &[Selector::Mid(mid.to_owned())]);
    let row = |mid| {
        by(
            lamp(),
            RowParty::numbered(Role::Manufacturer, Register::Mid, mid),
        )
    };
    for (mid, is_read) in [("XOAMAPLA1145TOR", true), ("CAAMAPLA1145TOR", false)] {
        assert_eq!(
            Selector::Mid(mid.to_owned()).canonical().is_ok(),
            is_read,
            "{mid}"
        );
        let order = limited(general("lamps", &lamps()), vec![of("XOAMAPLA1145TOR")]);
        let answer = check(&[in_force(1, order)], &row(mid));
        assert_eq!(
            answer.unreadable.contains(Field::Manufacturer),
            !is_read,
            "{mid}"
        );
        // Filers build it from name and address, so it suggests who it is and does not decide.
        assert_eq!(answer.outcome, Outcome::Review);
    }
}

#[test]
fn of_two_orders_on_one_article_the_one_that_was_not_withdrawn_still_blocks() {
    let order = general("lamps", &lamps());
    let (first, second) = (in_force(1, order.clone()), in_force(2, order.clone()));
    let both = check(&[first.clone(), second.clone()], &lamp());
    assert_eq!(blocks(&both), ["US-2026-0001@DE", "US-2026-0002@DE"]);
    let withdrawn = Notice {
        version: 2,
        ..notice(1, order, BlockState::Withdrawn)
    };
    let left = check(&[first, second, withdrawn], &lamp());
    assert_eq!(left.outcome, Outcome::Blocked);
    assert_eq!(blocks(&left), ["US-2026-0002@DE"]);
}

#[test]
fn a_thousand_genuine_lines_are_never_held_on_a_number_that_fakes_copy() {
    let order = Order {
        counterfeit: true,
        ..general("lamps", &lamps())
    };
    let notices = [in_force(1, order)];
    let screen = Screen::build(notices.to_vec(), basis());
    for n in 0..1_000 {
        let row = Row {
            gtins: vec![if n % 2 == 0 { GTIN } else { "04006381333931" }.to_owned()],
            models: if n % 3 == 0 {
                vec!["LX-100".to_owned()]
            } else {
                vec![]
            },
            brands: vec!["Lumora".to_owned()],
            tariffs: vec!["94051100".to_owned()],
            description: format!("lamp {n}"),
            parties: vec![RowParty::named(
                Role::Importer,
                &format!("Importer {n} GmbH"),
            )],
            ..Row::default()
        };
        property::agree(&screen, &notices, &row, NOW).unwrap();
        let answer = row.with(|line| screen.check(line, NOW));
        assert_eq!(answer.outcome, Outcome::Review, "{row:?}");
        assert_eq!(answer.hits[0].cap, Some(Cap::CopiedNumber));
    }
}

#[test]
fn a_name_alone_is_never_more_than_review() {
    for scope in [
        general("lamps", &lamps()),
        limited(general("lamps", &lamps()), vec![acme()]),
    ] {
        let order = Order {
            respondents: vec![acme()],
            ..scope
        };
        for role in Role::ALL {
            let row = by(
                Row::default(),
                RowParty::named(role, "Acme Lamps Co., Ltd."),
            );
            assert!(outcome(order.clone(), &row) <= Outcome::Review, "{role:?}");
        }
    }
}

#[test]
fn tariff_code_origin_text_and_picture_never_hold_alone_or_together() {
    let hs = HsCode {
        code: "940511".to_owned(),
        edition: 2022,
    };
    let tariff = TariffCode {
        code: "94051100".to_owned(),
        jurisdiction: "EU".to_owned(),
        edition: 2026,
    };
    let image = ImageHash {
        kind: ImageHashKind::Phash,
        bits: 0x1234_5678_9abc_def0,
    };
    let selectors = [
        Selector::Hs(hs),
        Selector::Tariff(tariff),
        Selector::Origin("CN".to_owned()),
        Selector::Image(image),
        Selector::Brand("Lumora".to_owned()),
        Selector::Listing("https://shop.example/item/1".to_owned()),
    ];
    let row = Row {
        tariffs: vec!["9405.1100".to_owned()],
        tariff_country: "EU".to_owned(),
        origin: "CN".to_owned(),
        images: vec!["123456789abcdef0".to_owned()],
        brands: vec!["lumora".to_owned()],
        listings: vec!["shop.example/item/1".to_owned()],
        description: "ceiling lamps with dimmer, of glass".to_owned(),
        parties: vec![importer(LEI)],
        ..Row::default()
    };
    for kept in 0..=selectors.len() {
        let some = if kept == selectors.len() {
            selectors.to_vec()
        } else {
            vec![selectors[kept].clone()]
        };
        let order = general("ceiling lamps with dimmer, of glass", &some);
        assert!(outcome(order.clone(), &row) <= Outcome::Review, "{some:?}");
        // Who is bound does not make them more certain.
        assert!(
            outcome(limited(order, vec![acme()]), &row) <= Outcome::Review,
            "{some:?}"
        );
    }
}

#[test]
fn an_expired_hold_never_holds_though_the_index_was_built_before() {
    let held = Notice {
        until_ms: NOW + DAY,
        ..notice(1, general("lamps", &lamps()), BlockState::Held)
    };
    let notices = [held];
    assert_eq!(
        check_at(&notices, &lamp(), NOW + DAY - 1).outcome,
        Outcome::Held
    );
    assert_eq!(
        check_at(&notices, &lamp(), NOW + DAY).outcome,
        Outcome::None
    );
    // Whatever the declaration says of its own time.
    let earlier = Row {
        at_ms: Some(NOW),
        ..lamp()
    };
    assert_eq!(
        check_at(&notices, &earlier, NOW + DAY).outcome,
        Outcome::None
    );
}

#[test]
fn a_block_says_what_its_state_says_and_ended_ones_nothing() {
    for (state, expected) in [
        (BlockState::InForce, Outcome::Blocked),
        (BlockState::Held, Outcome::Held),
        (BlockState::Review, Outcome::Review),
        (BlockState::Flagged, Outcome::Flagged),
        (BlockState::Suspended, Outcome::None),
        (BlockState::Withdrawn, Outcome::None),
        (BlockState::Rescinded, Outcome::None),
        (BlockState::Paused, Outcome::None),
        (BlockState::Lapsed, Outcome::None),
        (BlockState::Informed, Outcome::None),
    ] {
        let notices = [notice(1, general("lamps", &lamps()), state)];
        assert_eq!(check(&notices, &lamp()).outcome, expected, "{state}");
    }
}

#[test]
fn none_with_decisive_fields_missing_says_so() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    let thin = Row {
        tariffs: vec!["94051100".to_owned()],
        description: "household goods".to_owned(),
        origin: "DE".to_owned(),
        parties: vec![RowParty::named(Role::Importer, "Somebody GmbH")],
        ..Row::default()
    };
    let answer = check(&notices, &thin);
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::None, true)
    );
    assert!(answer.missing.contains(Field::Gtin) && answer.missing.contains(Field::Model));
    let full = Row {
        gtins: vec!["96385074".to_owned()],
        ..thin.clone()
    };
    let answer = check(&notices, &full);
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::None, false)
    );
    // A number with a slip in it is as good as none.
    let slip = Row {
        gtins: vec!["4006381333932".to_owned()],
        ..thin
    };
    let answer = check(&notices, &slip);
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::None, true)
    );
    assert!(answer.unreadable.contains(Field::Gtin));
}

#[test]
fn identifiers_that_contradict_cap_at_review() {
    let order = general("lamps", &lamps());
    let other_number = Row {
        gtins: vec!["96385074".to_owned()],
        ..lamp()
    };
    let notices = [in_force(1, order)];
    let answer = check(&notices, &other_number);
    assert_eq!(answer.outcome, Outcome::Review);
    assert_eq!(answer.hits[0].cap, Some(Cap::Contradicted));
    // The respondent's name with another firm's number is not the respondent.
    let order = limited(general("lamps", &lamps()), vec![acme()]);
    let borrowed = RowParty {
        identifiers: vec![(Register::Lei, OTHER_LEI.to_owned())],
        ..RowParty::named(Role::Importer, "Acme Lamps Co., Ltd.")
    };
    assert_eq!(outcome(order, &by(lamp(), borrowed)), Outcome::Review);
}

#[test]
fn numbers_in_names_must_agree() {
    let order = limited(
        general("lamps", &lamps()),
        vec![company("Factory 12 Lighting Co., Ltd.", &[])],
    );
    let importing = |name| by(lamp(), RowParty::named(Role::Importer, name));
    let same = check(
        &[in_force(1, order.clone())],
        &importing("FACTORY 12 LIGHTING"),
    );
    let other = check(
        &[in_force(1, order)],
        &importing("Factory 21 Lighting Co., Ltd."),
    );
    assert_eq!(other.outcome, Outcome::Review);
    assert_eq!(other.hits[0].cap, Some(Cap::PartyMissing), "{other:?}");
    assert_ne!(same.hits[0].cap, Some(Cap::PartyMissing), "{same:?}");
}

#[test]
fn serial_numbers_hold_within_their_range_and_containers_while_they_carry_the_same() {
    let range = SerialRange {
        prefix: "SN".to_owned(),
        low: 100,
        high: 200,
        width: 4,
    };
    let order = general("lamps", &[Selector::Serial(range)]);
    for (serial, expected) in [
        ("SN0100", Outcome::Blocked),
        ("sn-0200", Outcome::Blocked),
        ("SN0201", Outcome::None),
        ("SN100", Outcome::None),
        ("SN00150", Outcome::None),
    ] {
        let row = Row {
            serials: vec![serial.to_owned()],
            ..Row::default()
        };
        assert_eq!(outcome(order.clone(), &row), expected, "{serial}");
    }
    let order = general("lamps", &[Selector::Container("CSQU3054383".to_owned())]);
    let row = Row {
        containers: vec!["csqu 305438-3".to_owned()],
        ..Row::default()
    };
    assert_eq!(outcome(order.clone(), &row), Outcome::Blocked);
    let old = Order {
        from_ms: NOW - 90 * DAY,
        ..order
    };
    assert_eq!(outcome(old, &row), Outcome::Review);
}

#[test]
fn part_of_an_order_that_has_not_arrived_leaves_nothing_certain() {
    let partial = Notice {
        selectors_missing: true,
        ..in_force(1, general("lamps", &lamps()))
    };
    let answer = check(&[partial], &lamp());
    assert_eq!(answer.outcome, Outcome::Review);
    assert_eq!(answer.hits[0].cap, Some(Cap::SelectorsMissing));
}

#[test]
fn where_a_firm_or_its_goods_come_from_raises_nothing() {
    let order = limited(general("lamps", &lamps()), vec![acme()]);
    let outcome_from = |country: &str| {
        let party = RowParty {
            country: country.to_owned(),
            ..RowParty::named(Role::Importer, "Acme Lamps Co., Ltd.")
        };
        let row = Row {
            origin: country.to_owned(),
            dispatch: country.to_owned(),
            ..by(lamp(), party)
        };
        let answer = check(&[in_force(1, order.clone())], &row);
        (answer.outcome, answer.hits[0].score)
    };
    let countries = ["", "DE", "CN", "KP", "US"].map(outcome_from);
    assert!(
        countries.iter().all(|said| *said == countries[0]),
        "{countries:?}"
    );
}

#[test]
fn an_importers_number_decides_in_its_own_register_only() {
    let number = ImporterNumber {
        scheme: ImporterScheme::Us,
        number: "12-3456789".to_owned(),
    };
    let order = limited(
        general("lamps", &lamps()),
        vec![company("Acme", &[Selector::Importer(number)])],
    );
    let row = |register, text| by(lamp(), RowParty::numbered(Role::Importer, register, text));
    let us = Register::Importer(ImporterScheme::Us);
    assert_eq!(
        outcome(order.clone(), &row(us, "123456789")),
        Outcome::Blocked
    );
    assert_eq!(
        outcome(order, &row(Register::Duns, "123456789")),
        Outcome::Review
    );
}
