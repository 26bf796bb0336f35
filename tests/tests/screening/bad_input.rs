//! What a screener must bear: each is a named field that was not read, or a bounded answer.

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::product::{Article, Selector, SelectorError};
use tocsin_screen::answer::{Answer, MAX_HITS, MAX_PARTS};
use tocsin_screen::index::{Scratch, Screen};
use tocsin_screen::line::{Field, MAX_LINE_VALUES, Role};

use crate::fixture::{NOW, basis, company, general, in_force, limited, notice};
use crate::property;
use crate::row::{Register, Row, RowParty};

const GTIN: &str = "4006381333931";

fn lamps() -> Vec<Selector> {
    vec![
        Selector::Gtin(GTIN.to_owned()),
        Selector::Model("LX-100".to_owned()),
        Selector::ModelPattern("LX-2*".to_owned()),
        Selector::Brand("Lumora".to_owned()),
        Selector::Container("CSQU3054383".to_owned()),
    ]
}

fn check(notices: &[Notice], row: &Row) -> Answer {
    let screen = Screen::build(notices.to_vec(), basis());
    property::agree(&screen, notices, row, NOW).unwrap();
    row.with(|line| screen.check(line, NOW))
}

fn model(text: &str) -> Row {
    Row {
        models: vec![text.to_owned()],
        ..Row::default()
    }
}

/// Bytes of all texts of an answer.
fn weight(answer: &Answer) -> usize {
    let parts = answer.hits.iter().flat_map(|hit| &hit.parts);
    parts
        .map(|part| part.raw.len() + part.canonical.len() + part.of_order.len())
        .sum()
}

#[test]
fn a_wrong_check_digit_is_named_and_meets_nothing() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    let row = Row {
        gtins: vec!["4006381333932".to_owned()],
        containers: vec!["CSQU3054384".to_owned()],
        parties: vec![RowParty::numbered(
            Role::Importer,
            Register::Lei,
            "529900T8BM49AURSDO56",
        )],
        vessel: "9074728".to_owned(),
        ..Row::default()
    };
    let answer = check(&notices, &row);
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::None, true)
    );
    for field in [
        Field::Gtin,
        Field::Container,
        Field::Importer,
        Field::Vessel,
    ] {
        assert!(answer.unreadable.contains(field), "{field:?}");
        assert!(!answer.missing.contains(field), "{field:?}");
    }
}

#[test]
fn what_hides_in_a_number_is_named_and_never_read_as_clear() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    for hidden in [
        "LX-1\u{0}00",
        "LX-\u{202E}001",
        "LX-\u{2067}100\u{2069}",
        "LX\u{200B}-100",
        "\u{FEFF}LX-100",
        "LX-10\u{E0030}0",
        "LX-\n100",
        "\u{1b}]0;LX-100",
    ] {
        let answer = check(&notices, &model(hidden));
        assert!(answer.unreadable.contains(Field::Model), "{hidden:?}");
        assert_eq!(answer.outcome, Outcome::None, "{hidden:?}");
        assert!(answer.decisive_missing, "{hidden:?}");
        // Nor is it where another number can be read.
        let beside = Row {
            gtins: vec!["96385074".to_owned()],
            ..model(hidden)
        };
        assert!(check(&notices, &beside).decisive_missing, "{hidden:?}");
    }
}

#[test]
fn letters_that_look_alike_are_other_letters_and_widths_are_not() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    // Cyrillic Х, Greek Χ, Cyrillic О; and the full-width forms of the very letters.
    for (text, expected) in [
        ("L\u{0425}-100", Outcome::None),
        ("L\u{03A7}-100", Outcome::None),
        ("LX-1\u{041E}0", Outcome::None),
        ("ＬＸ－１００", Outcome::Blocked),
        ("lx_100", Outcome::Blocked),
    ] {
        assert_eq!(check(&notices, &model(text)).outcome, expected, "{text}");
    }
}

#[test]
fn patterns_that_are_bombs_are_refused_and_long_numbers_are_not_tried() {
    let refused = |text: &str| Selector::ModelPattern(text.to_owned()).canonical();
    for bomb in ["****?*?*[a-z]*", "*", "?*", "[A-Z]*[0-9]*", "LX*?*?*?*?*?"] {
        assert_eq!(
            refused(bomb).unwrap_err(),
            SelectorError::PatternBroad,
            "{bomb}"
        );
    }
    for broken in [
        "LX[",
        "LX{9-1}",
        &"*?".repeat(200),
        &"A*".repeat(2_000),
        "(a{1000}){1000}",
    ] {
        assert_eq!(
            refused(broken).unwrap_err(),
            SelectorError::PatternFormat,
            "{broken}"
        );
    }
    let most = "AA*A*A*A*A*A*A*A*B";
    assert!(refused(most).is_ok());
    let order = general(
        "lamps",
        &[
            Selector::ModelPattern("****?*?*[a-z]*".to_owned()),
            Selector::ModelPattern(most.to_owned()),
        ],
    );
    let notices = [in_force(1, order)];
    for length in [63, 64] {
        let row = model(&format!("{}B", "A".repeat(length - 1)));
        assert_eq!(check(&notices, &row).outcome, Outcome::Blocked);
        assert_eq!(
            check(&notices, &model(&"A".repeat(length))).outcome,
            Outcome::None
        );
    }
    let answer = check(&notices, &model(&"A".repeat(10_000)));
    assert_eq!(answer.outcome, Outcome::None);
    assert!(answer.unreadable.contains(Field::Model) && answer.decisive_missing);
}

#[test]
fn an_order_with_a_hundred_thousand_selectors_is_screened_against_and_answers_stay_short() {
    let number = |n: u32| Selector::Model(format!("MODEL-{n:06}"));
    let mut order = general("lamps", &[]);
    order.articles = (0..10)
        .map(|article| Article {
            description: format!("lamps {article}"),
            selectors: (0..10_000).map(|n| number(article * 10_000 + n)).collect(),
        })
        .collect();
    let notices = [in_force(1, order)];
    let screen = Screen::build(notices.to_vec(), basis());
    for (n, expected) in [(99_999, Outcome::Blocked), (100_000, Outcome::None)] {
        let row = model(&format!("model {n:06}"));
        property::agree(&screen, &notices, &row, NOW).unwrap();
        let answer = row.with(|line| screen.check(line, NOW));
        assert_eq!(answer.outcome, expected, "{n}");
        assert!(weight(&answer) < 4_096);
    }
    // As many numbers as a line can say, each of which the order names.
    let many = Row {
        models: (0..50_000).map(|n| format!("MODEL-{n:06}")).collect(),
        ..Row::default()
    };
    let answer = many.with(|line| screen.check(line, NOW));
    assert_eq!(answer.outcome, Outcome::Blocked);
    assert!(answer.hits[0].parts.len() <= MAX_PARTS);
    assert!(answer.unreadable.contains(Field::Model));
}

#[test]
fn of_very_many_hits_the_gravest_are_shown() {
    let order = || general("lamps", &[Selector::Brand("Lumora".to_owned())]);
    let mut notices: Vec<Notice> = (1..=400)
        .map(|number| notice(number, order(), BlockState::Flagged))
        .collect();
    notices.push(notice(401, general("lamps", &lamps()), BlockState::Held));
    let screen = Screen::build(notices, basis());
    let row = Row {
        brands: vec!["LUMORA".to_owned()],
        gtins: vec![GTIN.to_owned()],
        ..Row::default()
    };
    let answer = row.with(|line| screen.check(line, NOW));
    assert_eq!((answer.outcome, answer.is_truncated), (Outcome::Held, true));
    assert_eq!(answer.hits.len(), MAX_HITS);
    assert_eq!(answer.hits[0].outcome, Outcome::Held);
}

#[test]
fn a_declaration_of_fifty_thousand_lines_leaves_nothing_behind() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    let screen = Screen::build(notices.to_vec(), basis());
    let mut scratch = Scratch::default();
    let mut row = model("");
    for n in 0..50_000_u32 {
        row.models[0] = format!("LX-{}", 100 + n % 200);
        let answer = row.with(|line| screen.check_with(line, NOW, &mut scratch));
        // A pattern that says three characters itself only suggests.
        let expected = match n % 200 {
            0 => Outcome::Blocked,
            100.. => Outcome::Review,
            _ => Outcome::None,
        };
        assert_eq!(answer.outcome, expected, "{n}");
    }
}

#[test]
fn fields_of_a_mebibyte_are_named_and_not_carried_along() {
    let party = company("Acme Lamps", &[]);
    let notices = [
        in_force(1, general("lamps", &lamps())),
        in_force(2, limited(general("lamps", &lamps()), vec![party])),
    ];
    let screen = Screen::build(notices.to_vec(), basis());
    for filler in ["A", "東", "LX-100 ", "\u{202E}", "a\u{301}"] {
        let long = filler.repeat((1 << 20) / filler.len());
        let row = Row {
            models: vec![long.clone()],
            gtins: vec![long.clone()],
            serials: vec![long.clone()],
            brands: vec![long.clone()],
            batches: vec![long.clone()],
            components: vec![long.clone()],
            containers: vec![long.clone()],
            transport_documents: vec![long.clone()],
            listings: vec![long.clone()],
            images: vec![long.clone()],
            tariffs: vec![long.clone()],
            claims: vec![long.clone()],
            vessel: long.clone(),
            origin: long.clone(),
            description: long.clone(),
            parties: vec![RowParty {
                identifiers: vec![(Register::Any, long.clone())],
                ..RowParty::named(Role::Importer, &long)
            }],
            ..Row::default()
        };
        let answer = row.with(|line| screen.check(line, NOW));
        assert!(answer.outcome <= Outcome::Review, "{filler:?}");
        assert!(answer.decisive_missing, "{filler:?}");
        assert!(
            weight(&answer) < 64 * 1_024,
            "{filler:?}: {}",
            weight(&answer)
        );
        for field in [Field::Model, Field::Gtin, Field::Serial, Field::Importer] {
            assert!(answer.unreadable.contains(field), "{filler:?} {field:?}");
        }
    }
}

#[test]
fn more_values_than_are_read_are_named() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    let mut models = vec!["OTHER-1".to_owned(); MAX_LINE_VALUES];
    models.push("LX-100".to_owned());
    let row = Row {
        models,
        ..Row::default()
    };
    let answer = check(&notices, &row);
    assert!(answer.unreadable.contains(Field::Model) && answer.decisive_missing);
}

#[test]
fn a_line_that_says_nothing_is_not_clear() {
    let notices = [in_force(1, general("lamps", &lamps()))];
    let answer = check(&notices, &Row::default());
    assert_eq!(
        (answer.outcome, answer.decisive_missing),
        (Outcome::None, true)
    );
    assert!(answer.missing.iter().eq(Field::ALL));
}
