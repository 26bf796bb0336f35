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

fn place() -> Place {
    Place {
        log: None,
        jurisdiction: None,
        now_ms: 1_795_305_600_000,
    }
}

fn linted(kind: Kind, text: &str) -> Lint {
    lint(&read_text(kind, text).unwrap(), &place())
}

fn errors(lint: &Lint) -> Vec<&Finding> {
    let findings = lint.findings.iter();
    findings
        .filter(|finding| finding.level == Level::Error)
        .collect()
}

/// A line of a scaffold without the mark that comments it out, when what it says is a field.
fn field_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let line = line.strip_prefix("# ").unwrap_or(line);
    let is_key = |key: &str| {
        let mut chars = key.chars();
        !key.is_empty() && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_table = line.starts_with('[') && line.ends_with(']') && !line.contains(' ');
    let is_field = line.split_once(" = ").is_some_and(|(key, _)| is_key(key));
    (is_table || is_field || line.starts_with("{ ")).then_some(line)
}

/// A scaffold with nothing commented out.
pub(super) fn opened(kind: Kind) -> String {
    let text = scaffold(kind);
    let lines: Vec<&str> = text
        .lines()
        .map(|line| field_of(line).unwrap_or(line))
        .collect();
    lines.join("\n") + "\n"
}

#[test]
fn every_scaffold_reads_as_it_stands_and_has_no_errors() {
    for kind in ALL {
        assert_eq!(
            errors(&linted(kind, &scaffold(kind))),
            Vec::<&Finding>::new(),
            "{kind:?}"
        );
    }
}

#[test]
fn every_commented_field_of_a_scaffold_is_a_field() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("photo-01.jpg"), b"pixels").unwrap();
    for kind in ALL {
        let document = parse(kind, &opened(kind), dir.path())
            .unwrap_or_else(|failure| panic!("{kind:?} {failure:?}"));
        // An adoption has no end; the field is there for holds.
        if kind != Kind::Decision {
            let lint = lint(&document, &place());
            assert_eq!(errors(&lint), Vec::<&Finding>::new(), "{kind:?}");
        }
    }
    let document = read_text(Kind::Order, &opened(Kind::Order)).unwrap();
    assert_eq!(document.number, Some(412));
    assert!(matches!(
        document.bodies.as_slice(),
        [(DecodedBody::Order(_), true)]
    ));
    let hold = opened(Kind::Decision).replace("\"adopt\"", "\"hold\"");
    let document = read_text(Kind::Decision, &hold).unwrap();
    assert!(matches!(document.act, Act::Decision(decision) if decision.until_ms > 0));
}

/// The keys that a reader knows in the table where `probe` is put before `anchor`: what it answers
/// to a key that it does not know.
fn known_keys(kind: Kind, anchor: &str, probe: &str) -> Vec<String> {
    let text = opened(kind);
    assert!(text.contains(anchor), "{kind:?}: {anchor}");
    let text = text.replacen(anchor, &format!("{probe}{anchor}"), 1);
    let failure = parse(kind, &text, Path::new(".")).unwrap_err();
    let answer = failure
        .details
        .iter()
        .find(|line| line.contains("zzzzzzzz"))
        .unwrap_or_else(|| panic!("{kind:?} {anchor}: {failure:?}"));
    let answer = answer
        .trim_end_matches(')')
        .replace("expected one of ", "known are ");
    let (_, keys) = answer.split_once("known are ").unwrap();
    keys.split(", ")
        .map(|key| key.trim_matches('`').to_owned())
        .collect()
}

/// Whether a field stands in a scaffold below words that explain it; those of a fact within a line
/// must name it.
fn is_explained(text: &str, key: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    let own = [
        format!("{key} = "),
        format!("[[{key}]]"),
        format!("[{key}]"),
    ];
    let within = [format!("{{ {key} = "), format!(", {key} = ")];
    lines.windows(2).any(|pair| {
        let Some(field) = field_of(pair[1]) else {
            return false;
        };
        let words = pair[0].trim();
        let is_prose = words.starts_with("# ") && field_of(words).is_none();
        let is_named = || {
            let words = words.to_lowercase();
            words.contains(key) || key.len() <= 2 || field.starts_with(&within[0])
        };
        let stands = own.iter().any(|start| field.starts_with(start.as_str()));
        let stands_within = within.iter().any(|part| field.contains(part.as_str()));
        is_prose && (stands || (stands_within && is_named()))
    })
}

#[test]
fn every_field_that_a_reader_knows_stands_explained_in_its_scaffold() {
    let top = "zzzzzzzz = 0\n";
    let item = "{ zzzzzzzz = 0 }, ";
    let probes = [
        (Kind::Report, "tlp = ", top),
        (Kind::Report, "description = ", top),
        (Kind::Report, "{ gtin", item),
        (Kind::Report, "edition = ", "zzzzzzzz = 0, "),
        (Kind::Report, "prefix = ", "zzzzzzzz = 0, "),
        (Kind::Report, "names = ", top),
        (Kind::Report, "{ lei", item),
        (Kind::Report, "file = ", top),
        (Kind::Report, "sha256 = ", top),
        (Kind::Indicator, "tlp = ", top),
        (Kind::Indicator, "names = ", top),
        (Kind::Order, "tlp = ", top),
        (Kind::Report, "jurisdiction = ", "zzzzzzzz = 0, "),
        (Kind::Report, "scheme = ", "zzzzzzzz = 0, "),
        (Kind::Report, "language = ", "zzzzzzzz = 0, "),
        (Kind::Order, "names = ", top),
        (Kind::Order, "office = ", top),
        (Kind::Order, "relation = ", top),
        (Kind::Order, "kind = \"certified", top),
        (Kind::Order, "text = \"100", "zzzzzzzz = 0, "),
        (Kind::Order, "lines = ", "zzzzzzzz = 0, "),
        (Kind::Decision, "tlp = ", top),
        (Kind::Decision, "office = ", top),
        (Kind::Policy, "[meta]", "zzzzzzzz = 0\n"),
        (Kind::Policy, "jurisdiction = ", top),
        (Kind::Policy, "id = ", top),
        (Kind::Policy, "orders_per_issuer_per_day = ", top),
    ];
    let mut known = 0;
    for (kind, anchor, probe) in probes {
        let keys = known_keys(kind, anchor, probe);
        assert!(keys.len() >= 2, "{kind:?} {anchor}: {keys:?}");
        for key in keys {
            let text = scaffold(kind);
            assert!(
                is_explained(&text, &key),
                "{kind:?} {anchor}: {key}\n{text}"
            );
            known += 1;
        }
    }
    assert!(known > 100, "{known} fields");
}

#[test]
fn a_field_without_words_of_its_own_is_not_explained() {
    let text = scaffold(Kind::Order);
    assert!(is_explained(&text, "case_ref"));
    let bare = text.replace("# Needed. Docket number as the authority writes it.\n", "");
    assert!(
        !is_explained(&bare, "case_ref"),
        "the line above is another field"
    );
    assert!(!is_explained(&text, "docket"));
    assert!(is_explained(&text, "width"));
    assert!(!is_explained(
        &text.replace("`width` digits", "6 digits"),
        "width"
    ));
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
        refused.contains("line 7: unknown key `case_reff`: did you mean `case_ref`?"),
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

/// A report that lacks nothing.
fn whole_report() -> String {
    let told = "EXERCISE. Twelve chargers bought from an online shop on three days carry the item \
                number of a genuine product. Their housings open without tools, the circuit is \
                not the maker's, and the maker has not sold to this shop.";
    let exhibit = format!(
        "[[exhibits]]\nsha256 = \"{}\"\nlength = 1\nmedia_type = \"image/jpeg\"\nname = \"x\"\n#",
        tocsin_log::hash::Hash::of(b"label")
    );
    scaffold(Kind::Report)
        .replace(
            "EXERCISE. Twelve chargers bought from an online shop carry the item number of a \
             genuine product.",
            told,
        )
        .replace("# { brand", "{ brand")
        .replace("# { lei", "{ lei")
        .replace("country = \"\"", "country = \"JP\"")
        .replace("# Where the file is not at hand", &exhibit)
}

#[test]
fn a_report_that_lacks_nothing_scores_a_hundred() {
    let lint = linted(Kind::Report, &whole_report());
    assert_eq!(lint.score, Some(100), "{:?}", lint.findings);
    assert_eq!(lint.worst(), Some(Level::Note), "marked as an exercise");
}

#[test]
fn what_is_missing_costs_points_and_says_why_and_what_it_keeps_from_readers_abroad() {
    let text = whole_report()
        .replace("  { gtin = \"4006381333931\" },\n", "")
        .replace("  { model = \"LX-4410/B\" },\n", "")
        .replace(
            "{ serial = { prefix = \"LX\", low = 100, high = 199, width = 6 } },",
            "",
        );
    let lint = linted(Kind::Report, &text);
    assert_eq!(lint.score, Some(80));
    let gap = lint.findings.first().unwrap();
    assert_eq!((gap.level, gap.points), (Level::Gap, 20));
    assert_eq!(gap.field, "articles.selectors");
    assert!(gap.text.contains("nothing that decides"));
    assert!(!gap.why.is_empty() && gap.abroad.contains("screener"));
}

#[test]
fn points_lost_and_score_add_up_to_a_hundred_for_every_scaffold() {
    for kind in ALL {
        let lint = linted(kind, &scaffold(kind));
        let lost: u32 = lint.findings.iter().map(|finding| finding.points).sum();
        assert_eq!(lint.score, Some(100 - lost), "{kind:?}");
        let gaps = lint
            .findings
            .iter()
            .filter(|finding| finding.level == Level::Gap);
        for gap in gaps {
            assert!(
                gap.points > 0 && !gap.why.is_empty() && !gap.abroad.is_empty(),
                "{gap:?}"
            );
        }
    }
}

#[test]
fn a_partys_code_among_the_goods_decides_nothing() {
    let text = whole_report()
        .replace(
            "{ gtin = \"4006381333931\" }",
            "{ lei = \"0000EXEMPLA000000070\" }",
        )
        .replace("  { model = \"LX-4410/B\" },\n", "")
        .replace(
            "{ serial = { prefix = \"LX\", low = 100, high = 199, width = 6 } },",
            "",
        );
    let lint = linted(Kind::Report, &text);
    assert!(
        lint.findings
            .iter()
            .any(|gap| gap.text.contains("nothing that decides"))
    );
}

#[test]
fn lint_names_what_a_limited_order_lacks() {
    let text = scaffold(Kind::Order).replace("scope = \"general\"", "scope = \"limited\"");
    let named = linted(Kind::Order, &text);
    let gap = named
        .findings
        .iter()
        .find(|gap| gap.field == "respondents.identifiers");
    assert!(gap.unwrap().abroad.contains("nothing is held"));
    let start = text.find("[[respondents]]").unwrap();
    let end = text.find("[[articles]]").unwrap();
    let unnamed = format!("{}{}", &text[..start], &text[end..]);
    let lint = linted(Kind::Order, &unnamed);
    let found = errors(&lint);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].field, "respondents");
    assert_eq!(found[0].code, "SCOPE_WITHOUT_RESPONDENTS");
}

#[test]
fn lint_refuses_what_the_door_refuses_with_its_code_and_the_field_as_written() {
    let cases = [
        (
            Kind::Report,
            "tlp = \"green\"",
            "tlp = \"amber\"",
            "tlp",
            "SEALING_NOT_BUILT",
        ),
        (
            Kind::Report,
            "4006381333931",
            "4006381333932",
            "articles[1].selectors[1]",
            "SELECTOR_GTIN_CHECK_DIGIT",
        ),
        (
            Kind::Report,
            "source_reliability = \"B\"",
            "source_reliability = \"G\"",
            "source_reliability",
            "SOURCE_RELIABILITY",
        ),
        (
            Kind::Report,
            "country = \"\"",
            "country = \"QQ\"",
            "parties[1].country",
            "COUNTRY_UNKNOWN",
        ),
        (
            Kind::Order,
            "until = 2031-11-22",
            "until = 2020-11-22",
            "until",
            "UNTIL_NOT_AFTER",
        ),
        (
            Kind::Order,
            "office = \"DE\"",
            "office = \"DEU\"",
            "rights[1].office",
            "RIGHT_OFFICE",
        ),
        (
            Kind::Decision,
            "# until",
            "until",
            "until",
            "UNTIL_NOT_ALLOWED",
        ),
    ];
    for (kind, old, new, field, code) in cases {
        let text = scaffold(kind);
        assert!(text.contains(old), "{old}");
        let lint = linted(kind, &text.replacen(old, new, 1));
        let found = errors(&lint);
        assert_eq!(found.len(), 1, "{new}: {found:?}");
        assert_eq!(
            (found[0].field.as_str(), found[0].code),
            (field, code),
            "{new}"
        );
        assert!(!found[0].text.is_empty() && !found[0].why.is_empty());
    }
}

#[test]
fn lint_knows_the_jurisdiction_where_there_is_a_context() {
    let document = read_text(Kind::Decision, &scaffold(Kind::Decision)).unwrap();
    let at_home = lint(&document, &place());
    assert_eq!(errors(&at_home), Vec::<&Finding>::new());
    let abroad = Place {
        jurisdiction: Some("JP".into()),
        ..place()
    };
    let lint = lint(&document, &abroad);
    assert_eq!(errors(&lint)[0].code, "LOCAL_RIGHT_FOREIGN");
}

#[test]
fn further_articles_are_named_as_they_were_written() {
    let text =
        opened(Kind::Order).replace("{ model = \"LX-4411\" }", "{ gtin = \"4006381333932\" }");
    let lint = linted(Kind::Order, &text);
    assert_eq!(errors(&lint)[0].field, "further_articles[1].selectors[1]");
}

#[test]
fn what_cannot_be_read_is_all_errors_and_has_no_score() {
    let failure = read_text(Kind::Report, "tlp = \"grene\"\nkind = 7\n").unwrap_err();
    let lint = Lint::unreadable(&failure.details);
    assert_eq!(lint.score, None);
    assert_eq!(lint.worst(), Some(Level::Error));
    assert!(
        lint.findings
            .iter()
            .any(|finding| finding.field == "line 2")
    );
    assert!(
        lint.findings
            .iter()
            .all(|finding| finding.code == "DOCUMENT_INVALID")
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

#[test]
fn a_wrong_term_is_found_by_its_own_name() {
    let text = opened(Kind::Order)
        .replace("relations = [\"affiliate\"]", "relations = [\"parent\"]")
        .replace("LX-4410/C", " - ");
    let lint = linted(Kind::Order, &text);
    let found: Vec<(&str, &str)> = errors(&lint)
        .iter()
        .map(|finding| (finding.field.as_str(), finding.code))
        .collect();
    assert_eq!(
        found,
        [
            ("carve_outs[1].selectors[1]", "SELECTOR_MODEL_FORMAT"),
            ("related[1].relation", "RELATION_OFF"),
        ]
    );
    let refused = refused(
        Kind::Order,
        &opened(Kind::Order).replace("of = \"Exempla", "of = \"Another"),
    );
    assert!(refused.contains("names no respondent"), "{refused}");
}

#[test]
fn terms_that_are_easily_meant_otherwise_are_noted() {
    let text = scaffold(Kind::Order)
        .replace(
            "directions = [\"import\"]",
            "directions = [\"transit\"]\nrelations = [\"assign\"]",
        )
        .replace(
            "# breadth = { lines = 1000000, hits = 12 }",
            "breadth = { lines = 1000, hits = 12 }",
        );
    let lint = linted(Kind::Order, &text);
    let notes: Vec<&str> = lint
        .findings
        .iter()
        .filter(|finding| finding.level == Level::Note)
        .map(|finding| finding.field.as_str())
        .collect();
    for field in ["directions", "relations", "breadth"] {
        assert!(notes.contains(&field), "{field}: {notes:?}");
    }
    assert_eq!(
        notes.iter().filter(|field| **field == "directions").count(),
        2
    );
}
