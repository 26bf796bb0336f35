use std::path::Path;

use tocsin_core::decision::DecisionKind;
use tocsin_core::order::{Instrument, ScopeKind};
use tocsin_core::product::Selector;
use tocsin_core::right::RightKind;
use tocsin_core::statement::{Act, DecodedBody};

use super::*;
use crate::failure::Exit;

const ALL: [Kind; 5] = [
    Kind::Report,
    Kind::Indicator,
    Kind::Order,
    Kind::Decision,
    Kind::Policy,
];

fn read_text(kind: Kind, text: &str) -> Result<Document, Failure> {
    parse(kind, text, Path::new("."))
}

fn refused(kind: Kind, text: &str) -> String {
    let failure = read_text(kind, text).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    failure.details.join("\n")
}

#[test]
fn every_scaffold_reads_as_it_stands_and_has_no_errors() {
    for kind in ALL {
        let document =
            read_text(kind, &scaffold(kind)).unwrap_or_else(|f| panic!("{kind:?} {f:?}"));
        let errors: Vec<_> = lint(&document)
            .into_iter()
            .filter(|remark| remark.level == Level::Error)
            .collect();
        assert_eq!(errors, [], "{kind:?}");
    }
}

#[test]
fn every_commented_field_of_a_scaffold_is_a_field() {
    let opened = scaffold(Kind::Order)
        .replace("# number = 412", "number = 412")
        .replace("# [[further_articles]]", "[[further_articles]]")
        .replace("# description = \"further", "description = \"further")
        .replace(
            "# selectors = [{ model = \"LX-4411\" }]",
            "selectors = [{ model = \"LX-4411\" }]",
        );
    let document = read_text(Kind::Order, &opened).unwrap();
    assert_eq!(document.number, Some(412));
    assert!(matches!(
        document.bodies.as_slice(),
        [(DecodedBody::Order(_), true)]
    ));
    let opened = scaffold(Kind::Decision)
        .replace("# until", "until")
        .replace("\"adopt\"", "\"hold\"");
    let document = read_text(Kind::Decision, &opened).unwrap();
    assert!(matches!(document.act, Act::Decision(decision) if decision.until_ms > 0));
}

#[test]
fn an_order_keeps_what_was_written() {
    let document = read_text(Kind::Order, &scaffold(Kind::Order)).unwrap();
    let Act::Order(order) = document.act else {
        panic!("not an order")
    };
    assert_eq!(order.case_ref, "337-TA-0000");
    assert_eq!(order.instrument, Instrument::Us337Geo);
    assert_eq!(order.scope, ScopeKind::General);
    assert_eq!(order.until_ms - order.from_ms, 1826 * 86_400_000);
    assert_eq!(order.rights[0].kind, RightKind::TradeMark);
    assert!(order.exercise && !order.counterfeit);
    let selectors = &order.articles[0].selectors;
    assert_eq!(selectors[0], Selector::Gtin("4006381333931".into()));
    assert!(matches!(&selectors[2], Selector::Serial(range) if range.width == 6));
    assert!(matches!(&selectors[3], Selector::Hs(hs) if hs.code == "850440"));
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_a_suggestion() {
    let text = scaffold(Kind::Order).replace("case_ref =", "case_reff =");
    let refused = refused(Kind::Order, &text);
    assert!(
        refused.contains("line 6: unknown key `case_reff`: did you mean `case_ref`?"),
        "{refused}"
    );
    assert!(refused.contains("`case_ref` is missing"), "{refused}");
}

#[test]
fn an_unknown_key_deep_inside_is_refused_with_its_path() {
    let text = scaffold(Kind::Report).replace("{ model = ", "{ modell = ");
    let refused = refused(Kind::Report, &text);
    assert!(
        refused.contains("articles[1].selectors[2]: unknown key `modell`"),
        "{refused}"
    );
    assert!(refused.contains("did you mean `model`?"), "{refused}");
}

#[test]
fn every_problem_is_found_in_one_run() {
    let refused = refused(
        Kind::Report,
        "tlp = \"grene\"\nkind = 7\ntitle = \" \"\ncollected = \"soon\"\ncredibility = \"2\"\n",
    );
    for part in [
        "did you mean `green`?",
        "line 2: `kind` is a word in quotes, not integer",
        "`title` is missing",
        "line 4: `collected` is a time",
        "line 5: `credibility` is a whole number, not string",
        "`narrative` is missing",
        "`source_reliability` is missing",
    ] {
        assert!(refused.contains(part), "{part} not in:\n{refused}");
    }
}

#[test]
fn a_selector_is_exactly_one_fact() {
    for two in [
        "{ gtin = \"1\", model = \"2\" }",
        "{ }",
        "{ serial = { low = 1 } }",
    ] {
        let text = scaffold(Kind::Order).replace("{ gtin = \"4006381333931\" }", two);
        assert!(read_text(Kind::Order, &text).is_err(), "{two}");
    }
}

#[test]
fn words_may_be_written_as_people_write_them() {
    let text = scaffold(Kind::Order)
        .replace("\"us_337_geo\"", "\"US-337 GEO\"")
        .replace("tlp = \"clear\"", "tlp = \"CLEAR\"");
    assert!(read_text(Kind::Order, &text).is_ok());
}

#[test]
fn a_person_does_not_record_a_lapse() {
    let text = scaffold(Kind::Decision).replace("kind = \"adopt\"", "kind = \"lapse\"");
    assert!(refused(Kind::Decision, &text).contains("recorded by the node"));
    let document = read_text(Kind::Decision, &scaffold(Kind::Decision)).unwrap();
    assert_eq!(document.order.as_deref(), Some("US-2026-0412"));
    assert!(matches!(document.act, Act::Decision(d) if d.kind == DecisionKind::Adopt));
}

#[test]
fn a_policy_pack_is_kept_byte_for_byte() {
    let text = scaffold(Kind::Policy);
    let document = read_text(Kind::Policy, &text).unwrap();
    assert!(matches!(document.act, Act::PolicyPack(pack) if pack.toml == text));
    let refused = refused(Kind::Policy, &text.replace("valid_from", "valid_form"));
    assert!(refused.contains("valid_form"), "{refused}");
}

#[test]
fn an_exhibit_is_hashed_from_its_file() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("photo.jpg"), b"pixels").unwrap();
    let text = scaffold(Kind::Report)
        + "[[exhibits]]\nfile = \"photo.jpg\"\nmedia_type = \"image/jpeg\"\n";
    let document = parse(Kind::Report, &text, dir.path()).unwrap();
    let [(DecodedBody::Report(report), false)] = document.bodies.as_slice() else {
        panic!()
    };
    assert_eq!(
        report.exhibits[0].sha256,
        tocsin_log::hash::Hash::of(b"pixels")
    );
    assert_eq!(report.exhibits[0].name, "photo.jpg");
    let missing = text.replace("photo.jpg", "lost.jpg");
    assert!(refused(Kind::Report, &missing).contains("lost.jpg"));
}

#[test]
fn lint_names_what_a_limited_order_lacks() {
    let text = scaffold(Kind::Order)
        .replace("scope = \"general\"", "scope = \"limited\"")
        .replace("[[respondents]]", "[[further_articles]]")
        .replace(
            "names = [\"Exempla Nonesuch Trading Ltd\"]",
            "description = \"x\"",
        )
        .replace("kind = \"company\"\n", "")
        .replace("country = \"\"\n", "")
        .replace("identifiers = []\n", "");
    let remarks = lint(&read_text(Kind::Order, &text).unwrap());
    assert!(
        remarks
            .iter()
            .any(|r| r.level == Level::Error && r.field == "respondents")
    );
    assert!(
        remarks
            .iter()
            .any(|r| r.level == Level::Warning && r.text.contains("decides"))
    );
}

#[test]
fn rights_on_the_command_line_have_three_parts() {
    let right = right_from_text("de:trade-mark:3020:19").unwrap();
    assert_eq!(
        (right.office.as_str(), right.number.as_str()),
        ("DE", "3020:19")
    );
    assert_eq!(right.kind, RightKind::TradeMark);
    for bad in [
        "",
        "DE",
        "DE:patent",
        "DE:patent:",
        ":patent:1",
        "DE:mark:1",
    ] {
        assert!(right_from_text(bad).is_err(), "{bad}");
    }
}
