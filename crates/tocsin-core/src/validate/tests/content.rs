//! What may be said, whoever signs it.

use super::*;
use crate::fixture::order_ref;
use crate::handling::Tlp;
use crate::indicator::{Indicator, IndicatorKind};
use crate::order::{Phase, ScopeKind};
use crate::party::{Party, PartyKind};
use crate::policy::PolicyPack;
use crate::product::{HsCode, Selector};
use crate::report::{Report, ReportKind};
use crate::right::RightKind;
use crate::statement::BodyRef;

#[test]
fn what_needs_sealing_is_refused_by_kind() {
    for tlp in [Tlp::Amber, Tlp::AmberStrict, Tlp::Red] {
        for name in good().keys() {
            assert_eq!(
                changed(name, |statement| statement.tlp = tlp),
                "SEALING_NOT_BUILT tlp"
            );
        }
    }
    for kind in [
        ReportKind::Espionage,
        ReportKind::ProcurementAttempt,
        ReportKind::Insider,
    ] {
        let word = changed("report", |statement| {
            statement.act = Act::Report(Report { kind });
        });
        assert_eq!(word, "SEALING_NOT_BUILT report.kind");
    }
    for kind in [IndicatorKind::Espionage, IndicatorKind::Insider] {
        let word = changed("indicator", |statement| {
            let valid_until_ms = NOW_MS + 1;
            statement.act = Act::Indicator(Indicator {
                kind,
                valid_until_ms,
            });
        });
        assert_eq!(word, "SEALING_NOT_BUILT indicator.kind");
    }
    let word = changed_order(|order| order.respondents[0].kind = PartyKind::Person);
    assert_eq!(word, "SEALING_NOT_BUILT order.respondents[0].kind");
    let word = changed("report", |statement| statement.bodies[0].scheme = 1);
    assert_eq!(word, "SEALING_NOT_BUILT bodies[0].scheme");
}

#[test]
fn numbers_stand_on_orders_reports_and_indicators_alone() {
    for (name, (statement, ..)) in good() {
        let (number, expected) = if statement.act.is_numbered() {
            (0, "NUMBER_MISSING number")
        } else {
            (1, "NUMBER_NOT_ALLOWED number")
        };
        assert_eq!(
            changed(name, |statement| statement.number = number),
            expected,
            "{name}"
        );
    }
}

#[test]
fn instants_have_four_digit_years() {
    for ms in [0, -1, i64::MIN, crate::date::MAX_INSTANT_MS, i64::MAX] {
        let word = changed("suspend", |statement| statement.created_ms = ms);
        assert_eq!(word, "INSTANT_OUT_OF_RANGE created_ms");
        assert_eq!(
            changed_order(|order| order.from_ms = ms),
            "INSTANT_OUT_OF_RANGE order.from_ms"
        );
    }
}

#[test]
fn each_kind_has_the_bodies_that_are_its_own() {
    use fixture::body_ref;
    let bodies =
        |name: &str, bodies: Vec<BodyRef>| changed(name, |statement| statement.bodies = bodies);
    for name in ["report", "indicator"] {
        assert_eq!(bodies(name, vec![]), "BODY_MISSING bodies");
        assert_eq!(
            bodies(name, vec![body_ref("a", true)]),
            "BODY_LASTING bodies"
        );
        let two = vec![body_ref("a", false), body_ref("b", false)];
        assert_eq!(bodies(name, two), "BODY_NOT_ALLOWED bodies");
    }
    for name in ["order", "modify"] {
        assert_eq!(
            bodies(name, vec![body_ref("a", true), body_ref("b", true)]),
            "valid"
        );
        assert_eq!(
            bodies(name, vec![body_ref("a", false)]),
            "BODY_LASTING bodies"
        );
        assert_eq!(
            bodies(name, vec![body_ref("a", true); 2]),
            "BODY_REPEATED bodies"
        );
        let nine = (0..9).map(|i| body_ref(&i.to_string(), true)).collect();
        assert_eq!(bodies(name, nine), "LIST_TOO_LONG bodies");
    }
    for name in ["suspend", "withdraw", "adopt", "flag by policy", "pack"] {
        assert_eq!(
            bodies(name, vec![body_ref("a", true)]),
            "BODY_NOT_ALLOWED bodies",
            "{name}"
        );
    }
    let length = |length| changed("report", |statement| statement.bodies[0].length = length);
    assert_eq!(length(262_144), "valid");
    assert_eq!(length(262_145), "BODY_TOO_LARGE bodies[0].length");
    assert_eq!(length(u64::MAX), "BODY_TOO_LARGE bodies[0].length");
    assert_eq!(length(32), "BODY_TOO_SMALL bodies[0].length");
    assert_eq!(length(33), "valid");
}

#[test]
fn a_pack_stands_in_its_statement_or_in_one_lasting_body() {
    let pack = |toml: &str, bodies| {
        changed("pack", |statement| {
            statement.act = Act::PolicyPack(PolicyPack {
                toml: toml.to_owned(),
            });
            statement.bodies = bodies;
        })
    };
    let body = || vec![fixture::body_ref("pack", true)];
    assert_eq!(pack("", body()), "valid");
    assert_eq!(pack("", vec![]), "BODY_MISSING bodies");
    assert_eq!(pack(fixture::PACK, body()), "BODY_NOT_ALLOWED bodies");
    assert_eq!(pack("not toml", vec![]), "PACK_SYNTAX policy_pack.toml");
    let foreign = fixture::PACK.replace("\"US\"", "\"DE\"");
    assert_eq!(
        pack(&foreign, vec![]),
        "PACK_JURISDICTION policy_pack.toml.meta.jurisdiction"
    );
    let long = format!("{}#{}", fixture::PACK, "x".repeat(8_192));
    assert_eq!(pack(&long, vec![]), "PACK_TOO_LONG policy_pack.toml");
    let hidden = format!("{}# \u{202E}", fixture::PACK);
    assert_eq!(pack(&hidden, vec![]), "TEXT_FORBIDDEN policy_pack.toml");
}

#[test]
fn acts_are_on_own_orders_and_decisions_on_others() {
    let about = |name: &str, about| changed(name, |statement| statement.about = about);
    for name in ["suspend", "withdraw", "modify"] {
        assert_eq!(about(name, None), "ABOUT_MISSING about");
        assert_eq!(
            about(name, Some(order_ref("de"))),
            "ABOUT_FOREIGN_LOG about"
        );
    }
    for name in ["adopt", "end", "flag by policy", "lapse"] {
        assert_eq!(about(name, None), "ABOUT_MISSING about");
        assert_eq!(about(name, Some(order_ref("de"))), "ABOUT_OWN_LOG about");
        assert_eq!(
            about(name, Some(order_ref("fr"))),
            "ABOUT_UNKNOWN_LOG about"
        );
        assert_eq!(
            about(name, Some(order_ref("us/1"))),
            "ABOUT_UNKNOWN_LOG about"
        );
    }
    for name in ["order", "report", "indicator", "pack"] {
        assert_eq!(
            about(name, Some(order_ref("us"))),
            "ABOUT_NOT_ALLOWED about"
        );
    }
    let refs = |refs| changed("order", |statement| statement.refs = refs);
    assert_eq!(refs(vec![order_ref("kr"); 32]), "valid");
    assert_eq!(refs(vec![order_ref("kr"); 33]), "LIST_TOO_LONG refs");
    assert_eq!(
        refs(vec![order_ref("kr"), order_ref("fr")]),
        "REF_UNKNOWN_LOG refs[1].log"
    );
}

#[test]
fn what_stands_whole_in_a_statement_has_a_bound() {
    let word = changed("order", |statement| {
        if let Act::Order(order) = &mut statement.act {
            order.articles = vec![fixture::article(); 4];
            for article in &mut order.articles {
                article.description = "x".repeat(4_000);
            }
        }
    });
    assert_eq!(word, "STATEMENT_TOO_LARGE ");
}

#[test]
fn an_order_names_case_title_goods_and_whom_it_binds() {
    type Change = fn(&mut Order);
    let cases: [(Change, &str); 15] = [
        (
            |order| order.case_ref.clear(),
            "TEXT_MISSING order.case_ref",
        ),
        (
            |order| order.title = " ".to_owned(),
            "TEXT_MISSING order.title",
        ),
        (
            |order| order.title = "x".repeat(513),
            "TEXT_TOO_LONG order.title",
        ),
        (
            |order| order.title.push('\u{202E}'),
            "TEXT_FORBIDDEN order.title",
        ),
        (|order| order.title.push('\n'), "TEXT_FORBIDDEN order.title"),
        (
            |order| order.summary.push('\0'),
            "TEXT_FORBIDDEN order.summary",
        ),
        (|order| order.summary = "a\nb".to_owned(), "valid"),
        (
            |order| order.respondents.clear(),
            "SCOPE_WITHOUT_RESPONDENTS order.respondents",
        ),
        (
            |order| (order.scope, order.respondents) = (ScopeKind::General, Vec::new()),
            "valid",
        ),
        (
            |order| order.respondents = vec![fixture::party(); 65],
            "LIST_TOO_LONG order.respondents",
        ),
        (|order| order.articles.clear(), "LIST_EMPTY order.articles"),
        (
            |order| order.articles = vec![fixture::article(); 65],
            "LIST_TOO_LONG order.articles",
        ),
        (
            |order| order.articles[0].selectors = vec![Selector::Brand("A".to_owned()); 257],
            "LIST_TOO_LONG order.articles",
        ),
        (|order| order.articles[0].selectors.clear(), "valid"),
        (
            |order| order.articles[0].description.clear(),
            "TEXT_MISSING order.articles[0].description",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(changed_order(change), expected);
    }
}

#[test]
fn an_order_rests_on_a_right_or_says_why_not() {
    type Change = fn(&mut Order);
    let cases: [(Change, &str); 12] = [
        (|order| order.rights.clear(), "RIGHT_MISSING order.rights"),
        (
            |order| {
                order.rights.clear();
                order.no_right_reason = "trade secret".to_owned();
            },
            "valid",
        ),
        (
            |order| order.no_right_reason = "trade secret".to_owned(),
            "RIGHT_REASON_NOT_ALLOWED order.no_right_reason",
        ),
        (
            |order| order.rights = vec![fixture::right("US"); 65],
            "LIST_TOO_LONG order.rights",
        ),
        (
            |order| order.rights[0].number.clear(),
            "RIGHT_NUMBER_MISSING order.rights[0].number",
        ),
        (
            |order| {
                order.rights[0].number.clear();
                order.rights[0].missing_reason = "not in the notice".to_owned();
            },
            "valid",
        ),
        (
            |order| order.rights[0].missing_reason = "unknown".to_owned(),
            "RIGHT_REASON_NOT_ALLOWED order.rights[0].missing_reason",
        ),
        (
            |order| order.rights[0].office = "USA".to_owned(),
            "RIGHT_OFFICE order.rights[0].office",
        ),
        (
            |order| order.rights[0].office = "us".to_owned(),
            "RIGHT_OFFICE order.rights[0].office",
        ),
        (
            |order| order.rights[0].office.clear(),
            "RIGHT_OFFICE order.rights[0].office",
        ),
        (
            |order| order.rights[0].kind = RightKind::TradeMark,
            "CLAIMS_NOT_A_PATENT order.rights[0].claims",
        ),
        (|order| order.rights[0].claims.clear(), "valid"),
    ];
    for (change, expected) in cases {
        assert_eq!(changed_order(change), expected);
    }
}

#[test]
fn an_orders_end_comes_after_its_beginning_and_within_fifty_years() {
    const YEAR_MS: i64 = 366 * 86_400_000;
    for (phase, until_ms, expected) in [
        (Phase::Final, 0, "valid"),
        (Phase::Review, 0, "valid"),
        (Phase::Temporary, 0, "UNTIL_MISSING order.until_ms"),
        (Phase::Temporary, NOW_MS + 1, "valid"),
        (Phase::Final, NOW_MS, "UNTIL_NOT_AFTER order.until_ms"),
        (Phase::Final, NOW_MS - 1, "UNTIL_NOT_AFTER order.until_ms"),
        (Phase::Final, -1, "INSTANT_OUT_OF_RANGE order.until_ms"),
        (Phase::Final, NOW_MS + 50 * YEAR_MS, "valid"),
        (
            Phase::Final,
            NOW_MS + 50 * YEAR_MS + 1,
            "VALIDITY_TOO_LONG order.until_ms",
        ),
        (
            Phase::Final,
            NOW_MS + 200 * YEAR_MS,
            "VALIDITY_TOO_LONG order.until_ms",
        ),
        (
            Phase::Final,
            i64::MAX,
            "INSTANT_OUT_OF_RANGE order.until_ms",
        ),
    ] {
        let word = changed_order(|order| (order.phase, order.until_ms) = (phase, until_ms));
        assert_eq!(word, expected, "{phase} {until_ms}");
    }
}

#[test]
fn selectors_and_parties_must_be_such_that_they_can_be_compared() {
    let selector = |selector| changed_order(|order| order.articles[0].selectors[1] = selector);
    let at = "order.articles[0].selectors[1]";
    let hs = |code: &str, edition| {
        Selector::Hs(HsCode {
            code: code.to_owned(),
            edition,
        })
    };
    for (wrong, code) in [
        (
            Selector::Gtin("4006381333932".to_owned()),
            "SELECTOR_GTIN_CHECK_DIGIT",
        ),
        (
            Selector::Gtin("400638133393".repeat(2)),
            "SELECTOR_GTIN_FORMAT",
        ),
        (hs("85.42", 2022), "SELECTOR_HS_FORMAT"),
        (hs("8542", 2020), "SELECTOR_HS_EDITION"),
        (Selector::Model(" - ".to_owned()), "SELECTOR_MODEL_FORMAT"),
        (
            Selector::Mid("CAAMAPLA1145TOR".to_owned()),
            "SELECTOR_MID_FORMAT",
        ),
        (
            Selector::Lei("529900T8BM49AURSDO56".to_owned()),
            "SELECTOR_LEI_CHECK_DIGITS",
        ),
        (Selector::Lei("529900".to_owned()), "SELECTOR_LEI_FORMAT"),
        (Selector::Eori("ZZ1".to_owned()), "SELECTOR_EORI_FORMAT"),
        (Selector::Brand(String::new()), "SELECTOR_BRAND_FORMAT"),
    ] {
        assert_eq!(selector(wrong), format!("{code} {at}"));
    }
    let party = |change: fn(&mut Party)| changed_order(|order| change(&mut order.respondents[0]));
    let at = "order.respondents[0]";
    for (word, expected) in [
        (
            party(|party| party.names.clear()),
            format!("LIST_EMPTY {at}.names"),
        ),
        (
            party(|party| party.names[0].clear()),
            format!("TEXT_MISSING {at}.names[0]"),
        ),
        (
            party(|party| party.names = vec!["A".to_owned(); 17]),
            format!("LIST_TOO_LONG {at}.names"),
        ),
        (
            party(|party| party.country = "UK".to_owned()),
            format!("COUNTRY_UNKNOWN {at}.country"),
        ),
        (party(|party| party.country.clear()), "valid".to_owned()),
        (
            party(|party| party.identifiers = vec![Selector::Gtin("96385074".to_owned())]),
            format!("PARTY_IDENTIFIER {at}.identifiers[0]"),
        ),
        (
            party(|party| party.identifiers = vec![Selector::Eori("DE1".to_owned()); 17]),
            format!("LIST_TOO_LONG {at}.identifiers"),
        ),
    ] {
        assert_eq!(word, expected);
    }
}

#[test]
fn an_indicator_ends_after_it_was_made() {
    for (valid_until_ms, expected) in [
        (NOW_MS + 1, "valid"),
        (0, "UNTIL_MISSING indicator.valid_until_ms"),
        (NOW_MS, "UNTIL_NOT_AFTER indicator.valid_until_ms"),
        (i64::MAX, "INSTANT_OUT_OF_RANGE indicator.valid_until_ms"),
    ] {
        let word = changed("indicator", |statement| {
            let kind = IndicatorKind::Product;
            statement.act = Act::Indicator(Indicator {
                kind,
                valid_until_ms,
            });
        });
        assert_eq!(word, expected);
    }
}

#[test]
fn an_act_says_why_and_only_a_modification_has_a_new_text() {
    for name in ["suspend", "resume", "modify", "rescind", "withdraw"] {
        let word = changed_act(name, |act| act.reason.clear());
        assert_eq!(word, "TEXT_MISSING order_act.reason", "{name}");
    }
    for name in ["suspend", "resume", "rescind", "withdraw"] {
        let word = changed_act(name, |act| act.replacement = Some(fixture::order_text()));
        assert_eq!(
            word, "REPLACEMENT_NOT_ALLOWED order_act.replacement",
            "{name}"
        );
    }
    let word = changed_act("modify", |act| act.replacement = None);
    assert_eq!(word, "REPLACEMENT_MISSING order_act.replacement");
    let word = changed_act("modify", |act| {
        act.replacement.as_mut().unwrap().title.clear()
    });
    assert_eq!(word, "TEXT_MISSING order_act.replacement.title");
}

#[test]
fn a_decision_rests_on_law_and_says_when_it_ends() {
    for name in [
        "adopt",
        "hold",
        "extend",
        "adopt by policy",
        "hold by policy",
    ] {
        let word = changed_decision(name, |decision| decision.basis.clear());
        assert_eq!(word, "TEXT_MISSING decision.basis", "{name}");
    }
    for name in ["decline", "pause", "end"] {
        let word = changed_decision(name, |decision| decision.reason.clear());
        assert_eq!(word, "TEXT_MISSING decision.reason", "{name}");
    }
    for name in ["hold", "extend", "hold by policy"] {
        for (until_ms, expected) in [
            (0, "UNTIL_MISSING decision.until_ms"),
            (NOW_MS, "UNTIL_NOT_AFTER decision.until_ms"),
            (i64::MIN, "INSTANT_OUT_OF_RANGE decision.until_ms"),
            (NOW_MS + 400 * 86_400_000, "valid"),
        ] {
            let word = changed_decision(name, |decision| decision.until_ms = until_ms);
            assert_eq!(word, expected, "{name}");
        }
    }
    for name in [
        "adopt",
        "review",
        "flag",
        "inform",
        "decline",
        "not competent",
        "end",
        "lapse",
    ] {
        let word = changed_decision(name, |decision| decision.until_ms = NOW_MS + 1);
        assert_eq!(word, "UNTIL_NOT_ALLOWED decision.until_ms", "{name}");
    }
}

#[test]
fn officers_adopt_on_a_right_with_effect_in_their_jurisdiction() {
    let rights = |name: &str, offices: &[&str]| {
        changed_decision(name, |decision| {
            decision.local_rights = offices
                .iter()
                .map(|office| fixture::right(office))
                .collect();
        })
    };
    assert_eq!(
        rights("adopt", &[]),
        "LOCAL_RIGHT_MISSING decision.local_rights"
    );
    assert_eq!(rights("adopt", &["DE", "EM", "EP", "WO"]), "valid");
    assert_eq!(
        rights("adopt", &["DE", "US"]),
        "LOCAL_RIGHT_FOREIGN decision.local_rights[1].office"
    );
    assert_eq!(
        rights("adopt", &["DE"; 65]),
        "LIST_TOO_LONG decision.local_rights"
    );
    for name in ["hold", "extend", "flag", "end", "lapse"] {
        assert_eq!(
            rights(name, &["DE"]),
            "LOCAL_RIGHT_NOT_ALLOWED decision.local_rights"
        );
    }
}
