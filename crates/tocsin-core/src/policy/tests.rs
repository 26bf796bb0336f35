use proptest::prelude::*;

use super::*;
use crate::order::Phase;
use crate::reason::{Reason, Refusal};
use crate::right::Right;
use crate::terms::Terms;

const PACK: &str = r#"
[meta]
jurisdiction = "DE"
version = 3
valid_from = "2026-12-01"
calendar = "DE-bund"

[[rule]]
id = "union-marks"
issuer = "fr"
instrument = "eu_union_afa"
right_kind = "trade_mark"
scope = "*"
local_right = "*"
then = "adopt"
recognised = true
basis = "EU:608/2013#10"

[[rule]]
id = "us-local"
issuer = "us"
instrument = "*"
right_kind = "*"
scope = "general"
local_right = "claimed"
then = "hold"
hold_days = 10
basis = "EU:608/2013#18"

[[rule]]
id = "rest-of-us"
issuer = "us"
then = "flag"

[limits]
orders_per_issuer_per_day = 100
breadth_share = 0.001
mirror_age_hours = 24
"#;

fn right(kind: RightKind, office: &str) -> Right {
    Right {
        kind,
        office: office.to_owned(),
        number: "1".to_owned(),
        missing_reason: String::new(),
        claims: String::new(),
    }
}

fn order(instrument: Instrument, scope: ScopeKind, rights: Vec<Right>) -> Order {
    Order {
        case_ref: "337-TA-0000".to_owned(),
        title: "Certain Widgets".to_owned(),
        instrument,
        scope,
        respondents: Vec::new(),
        articles: Vec::new(),
        rights,
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: 1,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    }
}

fn rule_for(issuer: &str, order: &Order) -> Ruling {
    let pack = Pack::parse(PACK).unwrap();
    decide(
        &Judged {
            issuer,
            order,
            decided_ms: 1_000,
        },
        Some(&pack),
    )
}

fn code(toml: &str) -> &'static str {
    Pack::parse(toml)
        .map_err(|refusal| refusal.code())
        .unwrap_err()
}

#[test]
fn a_pack_is_read_whole() {
    let pack = Pack::parse(PACK).unwrap();
    assert_eq!((pack.jurisdiction.as_str(), pack.version), ("DE", 3));
    assert_eq!(pack.valid_from_ms, 1_796_083_200_000);
    assert_eq!(pack.calendar, "DE-bund");
    assert_eq!(pack.rules.len(), 3);
    assert_eq!(pack.rules[2].right_kind, Match::Any);
    assert_eq!(pack.limits.breadth_share, Some(0.001));
    let native = PACK.replace("\"2026-12-01\"", "2026-12-01T00:00:00Z");
    assert_eq!(Pack::parse(&native).unwrap(), pack);
}

#[test]
fn the_first_rule_that_matches_wins() {
    let marks = vec![right(RightKind::TradeMark, "EM")];
    let union = order(Instrument::EuUnionAfa, ScopeKind::General, marks);
    assert_eq!(rule_for("fr", &union).kind, DecisionKind::Adopt);
    assert_eq!(rule_for("us", &union).rule, "rest-of-us");

    let mixed = vec![
        right(RightKind::Patent, "US"),
        right(RightKind::Patent, "DE"),
    ];
    let held = rule_for(
        "us",
        &order(Instrument::Us337Geo, ScopeKind::General, mixed.clone()),
    );
    assert_eq!(
        (held.kind, held.rule.as_str()),
        (DecisionKind::Hold, "us-local")
    );
    assert_eq!(held.until_ms, 1_000 + 10 * 86_400_000);
    assert_eq!(held.basis, "EU:608/2013#18");

    let limited = rule_for(
        "us",
        &order(Instrument::Us337Leo, ScopeKind::Limited, mixed),
    );
    assert_eq!((limited.kind, limited.until_ms), (DecisionKind::Flag, 0));
}

#[test]
fn without_a_rule_or_a_pack_the_answer_is_review() {
    let order = order(
        Instrument::JpImportSuspension,
        ScopeKind::General,
        Vec::new(),
    );
    let ruling = rule_for("jp", &order);
    assert_eq!(
        (ruling.kind, ruling.rule.as_str()),
        (DecisionKind::Review, RULE_NO_RULE)
    );
    let ruling = decide(
        &Judged {
            issuer: "jp",
            order: &order,
            decided_ms: 0,
        },
        None,
    );
    assert_eq!(
        (ruling.kind, ruling.rule.as_str()),
        (DecisionKind::Review, RULE_NO_PACK)
    );
}

#[test]
fn a_kind_of_right_must_be_that_of_every_right_and_of_at_least_one() {
    let union = |rights| order(Instrument::EuUnionAfa, ScopeKind::General, rights);
    let mixed = vec![
        right(RightKind::TradeMark, "EM"),
        right(RightKind::Patent, "DE"),
    ];
    assert_eq!(rule_for("fr", &union(mixed)).rule, RULE_NO_RULE);
    assert_eq!(rule_for("fr", &union(Vec::new())).rule, RULE_NO_RULE);
}

#[test]
fn a_decision_follows_only_from_its_own_pack_rule_act_and_end() {
    let pack = Pack::parse(PACK).unwrap();
    let (id, other) = (Hash::of(b"pack"), Hash::of(b"other"));
    let rights = vec![right(RightKind::Patent, "DE")];
    let order = order(Instrument::Us337Geo, ScopeKind::General, rights);
    let judged = Judged {
        issuer: "us",
        order: &order,
        decided_ms: 5,
    };
    let good = decide(&judged, Some(&pack)).to_decision(Hash::of(b"order"), Some(id));
    assert!(follows(&good, &judged, Some((&id, &pack))));
    assert!(!follows(&good, &judged, Some((&other, &pack))));
    assert!(!follows(&good, &judged, None));

    let change = |change: &dyn Fn(&mut Decision)| {
        let mut changed = good.clone();
        change(&mut changed);
        follows(&changed, &judged, Some((&id, &pack)))
    };
    assert!(!change(&|decision| decision.until_ms += 1));
    assert!(!change(&|decision| decision.kind = DecisionKind::Adopt));
    assert!(!change(&|decision| decision.policy = None));
    let cite = |rule: &str| {
        Some(PolicyCitation {
            pack: Some(id),
            rule: rule.to_owned(),
        })
    };
    assert!(!change(&|decision| decision.policy = cite("rest-of-us")));
    assert!(!change(&|decision| decision.policy = cite(RULE_FLOOD)));
    for rule in [RULE_FLOOD, RULE_BREADTH] {
        assert!(change(&|decision| {
            (decision.kind, decision.until_ms) = (DecisionKind::Review, 0);
            decision.policy = cite(rule);
        }));
        // It can only hold back, so no pack can make it void.
        assert!(change(&|decision| {
            (decision.kind, decision.until_ms) = (DecisionKind::Review, 0);
            decision.policy = cite(rule);
            decision.policy.as_mut().unwrap().pack = None;
        }));
    }
}

#[test]
fn a_decision_without_a_pack_is_a_review() {
    let order = order(Instrument::Us337Geo, ScopeKind::General, Vec::new());
    let judged = Judged {
        issuer: "us",
        order: &order,
        decided_ms: 5,
    };
    let review = decide(&judged, None).to_decision(Hash::of(b"order"), None);
    assert!(follows(&review, &judged, None));
    let adopt = Decision {
        kind: DecisionKind::Adopt,
        ..review
    };
    assert!(!follows(&adopt, &judged, None));
}

#[test]
fn unknown_keys_and_missing_keys_are_errors() {
    for (from, to) in [
        ("calendar =", "calender ="),
        ("issuer = \"fr\"", "isuer = \"fr\""),
        ("then = \"flag\"", ""),
        ("version = 3\n", ""),
        ("[limits]", "[limit]"),
        ("hold_days = 10", "hold_days = -1"),
        ("mirror_age_hours = 24", "mirror_age_hours = \"24\""),
        ("[meta]", "[meta"),
    ] {
        assert_eq!(code(&PACK.replace(from, to)), "PACK_SYNTAX", "{to}");
    }
    let refusal = Pack::parse(&PACK.replace("calendar =", "calender =")).unwrap_err();
    assert!(
        refusal.detail.contains("line 6") && refusal.detail.contains("calender"),
        "{refusal}"
    );
}

#[test]
fn unknown_values_are_errors() {
    for (from, to) in [
        ("eu_union_afa", "eu_afa"),
        ("trade_mark", "trademark"),
        ("scope = \"general\"", "scope = \"any\""),
        ("\"claimed\"", "\"yes\""),
        ("then = \"flag\"", "then = \"pause\""),
        ("issuer = \"fr\"", "issuer = \"FR\""),
        ("jurisdiction = \"DE\"", "jurisdiction = \"de\""),
        ("version = 3", "version = 0"),
        ("\"2026-12-01\"", "\"2026-12-01T00:00:00+01:00\""),
        ("\"2026-12-01\"", "2026-12-01T00:00:00"),
        ("0.001", "0.0"),
        ("0.001", "nan"),
        ("0.001", "1.5"),
        ("100", "0"),
    ] {
        assert_eq!(code(&PACK.replacen(from, to, 1)), "PACK_VALUE", "{to}");
    }
}

#[test]
fn what_stops_goods_needs_a_basis_and_a_hold_its_end() {
    for (from, to) in [
        ("hold_days = 10", ""),
        ("hold_days = 10", "hold_days = 0"),
        ("hold_days = 10", "hold_days = 367"),
        ("basis = \"EU:608/2013#18\"", ""),
        ("then = \"flag\"", "then = \"flag\"\nhold_days = 1"),
    ] {
        assert_eq!(code(&PACK.replace(from, to)), "PACK_HOLD", "{to}");
    }
}

#[test]
fn a_pack_adopts_only_for_rights_that_it_calls_recognised() {
    for (from, to) in [
        ("recognised = true", "recognised = false"),
        ("recognised = true", ""),
        ("right_kind = \"trade_mark\"", "right_kind = \"*\""),
        ("basis = \"EU:608/2013#10\"", ""),
        ("then = \"flag\"", "then = \"flag\"\nrecognised = true"),
    ] {
        assert_eq!(code(&PACK.replace(from, to)), "PACK_ADOPT", "{to}");
    }
}

#[test]
fn rule_ids_are_unique_and_not_our_own() {
    for id in [
        "us-local",
        "no-rule",
        "no-pack",
        "flood",
        "breadth",
        "",
        "a b",
        &"a".repeat(65),
    ] {
        assert_eq!(
            code(&PACK.replace("rest-of-us", id)),
            "PACK_RULE_ID",
            "{id}"
        );
    }
}

#[test]
fn long_packs_are_refused_before_they_are_parsed() {
    let long = format!("{PACK}\n#{}", "x".repeat(MAX_BODY_PACK_BYTES));
    assert_eq!(Pack::parse(&long), Err(Refusal::new(Reason::PackTooLong)));
    let many = format!("{PACK}{}", "\n[[rule]]".repeat(MAX_RULES));
    assert_eq!(code(&many), "PACK_SYNTAX");
}

proptest! {
    #[test]
    fn no_text_makes_parsing_panic(text in "\\PC{0,200}", at in 0..600_usize) {
        let _ = Pack::parse(&text);
        if PACK.is_char_boundary(at) && at < PACK.len() {
            let (front, back) = PACK.split_at(at);
            let _ = Pack::parse(&format!("{front}{text}{back}"));
        }
    }

    #[test]
    fn policy_alone_never_extends_pauses_or_ends(days in 1_u16..=366, now in 0..i64::MAX) {
        let toml = PACK.replace("hold_days = 10", &format!("hold_days = {days}"));
        let pack = Pack::parse(&toml).unwrap();
        let rights = vec![right(RightKind::Patent, "DE")];
        let order = order(Instrument::Us337Geo, ScopeKind::General, rights);
        let ruling = decide(&Judged { issuer: "us", order: &order, decided_ms: now }, Some(&pack));
        prop_assert_eq!(ruling.kind, DecisionKind::Hold);
        prop_assert!(ruling.until_ms > now || now > i64::MAX - 366 * 86_400_000);
    }
}
