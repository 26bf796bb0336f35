use proptest::prelude::*;
use tocsin_log::hash::Hash;
use tocsin_log::key::KeyId;

use super::*;
use crate::decision::PolicyCitation;
use crate::fixture::{self, NOW_MS, Who, alliance, good, order_ref, sign};
use crate::handling::Tlp;
use crate::indicator::IndicatorKind;
use crate::order::{Order, OrderAct, Phase, ScopeKind};
use crate::party::PartyKind;
use crate::product::{HsCode, Selector};
use crate::report::ReportKind;
use crate::right::RightKind;
use crate::statement::Unknown;

/// Judges a statement as index 3 of its author's log.
fn verdict(statement: &Statement, member: &str, signers: &[Who]) -> Verdict {
    let entry = sign(statement, member, signers);
    judged(
        &entry,
        Decoded::Known(Box::new(statement.clone())),
        member,
        3,
    )
}

fn judged(entry: &Entry, decoded: Decoded, member: &str, index: u64) -> Verdict {
    let alliance = alliance();
    validate(
        entry,
        &decoded,
        &alliance.member(member).unwrap().origin,
        index,
        &alliance,
    )
}

/// `valid`, `opaque` or the code, with the field.
fn word(verdict: Verdict) -> String {
    match verdict {
        Verdict::Valid(_) => "valid".to_owned(),
        Verdict::Opaque { .. } => "opaque".to_owned(),
        Verdict::Invalid(refusal) => format!("{} {}", refusal.code(), refusal.field),
    }
}

/// What becomes of a good statement once it is changed, and signed again as before.
fn changed(name: &str, change: impl FnOnce(&mut Statement)) -> String {
    let (mut statement, member, signers) = good()[name].clone();
    change(&mut statement);
    word(verdict(&statement, member, &signers))
}

fn changed_order(change: impl FnOnce(&mut Order)) -> String {
    changed("order", |statement| match &mut statement.act {
        Act::Order(order) => change(order),
        other => panic!("{other:?}"),
    })
}

fn changed_decision(name: &str, change: impl FnOnce(&mut Decision)) -> String {
    changed(name, |statement| match &mut statement.act {
        Act::Decision(decision) => change(decision),
        other => panic!("{other:?}"),
    })
}

fn changed_act(name: &str, change: impl FnOnce(&mut OrderAct)) -> String {
    changed(name, |statement| match &mut statement.act {
        Act::OrderAct(act) => change(act),
        other => panic!("{other:?}"),
    })
}

fn signed_by(name: &str, signers: &[Who]) -> String {
    let (statement, member, _) = good()[name].clone();
    word(verdict(&statement, member, signers))
}

#[test]
fn one_good_statement_of_each_kind_is_valid() {
    for (name, (statement, member, signers)) in good() {
        assert_eq!(
            word(verdict(&statement, member, &signers)),
            "valid",
            "{name}"
        );
    }
}

#[test]
fn the_author_is_known_by_pseudonyms_and_roles() {
    let (statement, member, signers) = good()["adopt"].clone();
    let Verdict::Valid(author) = verdict(&statement, member, &signers) else {
        panic!()
    };
    assert_eq!(author.persons, ["p-1", "p-2"].map(str::to_owned).into());
    assert_eq!(
        (author.roles, author.by_node_key),
        ([Role::Officer].into(), false)
    );
    let (statement, member, signers) = good()["lapse"].clone();
    let Verdict::Valid(author) = verdict(&statement, member, &signers) else {
        panic!()
    };
    assert!(author.by_node_key);
}

#[test]
fn what_binds_needs_two_persons() {
    for name in [
        "order", "modify", "resume", "rescind", "withdraw", "adopt", "extend", "pack",
    ] {
        assert_eq!(
            signed_by(name, &[Who::Ana]),
            "NEEDS_SECOND_OFFICER signatures",
            "{name}"
        );
        assert_eq!(
            signed_by(name, &[Who::Ana, Who::AnasSecondKey]),
            "SAME_PERSON signatures"
        );
        assert_eq!(
            signed_by(name, &[Who::Ana, Who::Ben, Who::AnasSecondKey]),
            "valid"
        );
    }
}

#[test]
fn one_officer_can_release_and_look() {
    for name in [
        "suspend", "pause", "end", "review", "flag", "inform", "decline", "hold",
    ] {
        for who in [Who::Ana, Who::Ben] {
            assert_eq!(signed_by(name, &[who]), "valid", "{name}");
        }
    }
}

#[test]
fn roles_say_only_what_is_theirs() {
    for (name, signers) in [
        ("order", &[Who::Ana, Who::Investigator][..]),
        ("order", &[Who::Investigator]),
        ("order", &[Who::Node]),
        ("order", &[Who::Ana, Who::Node]),
        ("pack", &[Who::Node]),
        ("suspend", &[Who::Investigator]),
        ("suspend", &[Who::Node]),
        ("withdraw", &[Who::Node]),
        ("report", &[Who::Node]),
        ("report", &[Who::Node, Who::Investigator]),
        ("indicator", &[Who::Node]),
        ("hold", &[Who::Investigator]),
        ("lapse", &[Who::Ana]),
        ("lapse", &[Who::Ana, Who::Ben]),
    ] {
        let word = signed_by(name, signers);
        assert!(
            word.starts_with("ROLE_NOT_ALLOWED"),
            "{name} {signers:?}: {word}"
        );
    }
}

#[test]
fn the_node_decides_by_policy_and_in_no_other_way() {
    for name in ["pause", "end", "extend"] {
        let word = signed_by(name, &[Who::Node]);
        assert_eq!(word, "POLICY_MISSING decision.policy", "{name}");
        let word = changed_decision(name, |decision| decision.policy = None);
        assert_eq!(word, "valid");
    }
    let cite = |pack, rule: &str| {
        Some(PolicyCitation {
            pack,
            rule: rule.to_owned(),
        })
    };
    for (statement, name) in [
        (DecisionKind::Pause, "pause"),
        (DecisionKind::End, "end"),
        (DecisionKind::Extend, "extend"),
    ] {
        let statement = fixture::policy_decision(statement);
        let word = word(verdict(&statement, "de", &[Who::Node]));
        assert_eq!(word, "ROLE_NOT_ALLOWED signatures[0]", "{name}");
    }
    assert_eq!(
        signed_by("flag by policy", &[Who::Ana]),
        "POLICY_NOT_ALLOWED decision.policy"
    );
    assert_eq!(
        signed_by("adopt by policy", &[Who::Ana, Who::Ben]),
        "LOCAL_RIGHT_MISSING decision.local_rights"
    );
    let pack = Some(Hash::of(b"pack"));
    for (citation, expected) in [
        (None, "POLICY_MISSING decision.policy"),
        (cite(None, "us-flag"), "POLICY_CITATION decision.policy"),
        (cite(pack, "no-pack"), "POLICY_CITATION decision.policy"),
        (cite(pack, ""), "POLICY_CITATION decision.policy"),
        (cite(None, "no-pack"), "valid"),
        (cite(pack, "no-rule"), "valid"),
    ] {
        let word = changed_decision("review by policy", |decision| decision.policy = citation);
        assert_eq!(word, expected);
    }
    let lapse = changed_decision("lapse", |decision| decision.policy = cite(pack, "x"));
    assert_eq!(lapse, "POLICY_NOT_ALLOWED decision.policy");
}

#[test]
fn every_signature_must_verify_by_a_key_of_this_member_valid_here() {
    let (statement, member, signers) = good()["order"].clone();
    let entry = sign(&statement, member, &signers);
    let word = |change: &dyn Fn(&mut Entry)| {
        let mut entry = entry.clone();
        change(&mut entry);
        word(judged(
            &entry,
            Decoded::Known(Box::new(statement.clone())),
            "us",
            3,
        ))
    };
    assert_eq!(word(&|_| ()), "valid");
    for bit in 0..512 {
        let flipped = word(&|entry| entry.signatures[1].sig[bit / 8] ^= 1 << (bit % 8));
        assert_eq!(flipped, "SIGNATURE_INVALID signatures[1]", "bit {bit}");
    }
    assert_eq!(
        word(&|entry| entry.payload[0] ^= 1),
        "SIGNATURE_INVALID signatures[0]"
    );
    assert_eq!(
        word(&|entry| entry.signatures[0].alg = 2),
        "SIGNATURE_ALGORITHM signatures[0]"
    );
    assert_eq!(
        word(&|entry| entry.signatures[0].sig.truncate(63)),
        "SIGNATURE_ALGORITHM signatures[0]"
    );
    assert_eq!(
        word(&|entry| entry.signatures.clear()),
        "SIGNATURE_MISSING "
    );
    assert_eq!(
        word(&|entry| entry.signatures.reverse()),
        "ENTRY_MALFORMED "
    );
    assert_eq!(
        word(&|entry| entry.signatures[1].key_id = KeyId([255; 32])),
        "SIGNER_UNKNOWN signatures[1]"
    );
    let twice = word(&|entry| entry.signatures.push(entry.signatures[1].clone()));
    assert_eq!(twice, "ENTRY_MALFORMED ");
}

#[test]
fn a_signature_over_another_payload_type_does_not_count() {
    let (statement, member, signers) = good()["order"].clone();
    let mut entry = sign(&statement, member, &signers);
    let other = Entry {
        payload_type: "application/x-other".to_owned(),
        ..entry.clone()
    };
    let decoded = || Decoded::Known(Box::new(statement.clone()));
    assert_eq!(word(judged(&other, decoded(), "us", 3)), "opaque");
    let mut signed_otherwise = other;
    for who in signers {
        signed_otherwise.add_signature(&fixture::key(member, who));
    }
    entry.signatures = signed_otherwise.signatures;
    assert_eq!(
        word(judged(&entry, decoded(), "us", 3)),
        "SIGNATURE_INVALID signatures[0]"
    );
}

#[test]
fn a_key_counts_only_between_its_indexes() {
    let (statement, ..) = good()["suspend"].clone();
    let entry = sign(&statement, "us", &[Who::Former]);
    for (index, expected) in [
        (0, "KEY_NOT_VALID signatures[0]"),
        (4, "KEY_NOT_VALID signatures[0]"),
        (5, "valid"),
        (8, "valid"),
        (9, "KEY_NOT_VALID signatures[0]"),
        (u64::MAX, "KEY_NOT_VALID signatures[0]"),
    ] {
        let decoded = Decoded::Known(Box::new(statement.clone()));
        assert_eq!(
            word(judged(&entry, decoded, "us", index)),
            expected,
            "{index}"
        );
    }
}

#[test]
fn nobody_speaks_in_anothers_log() {
    let (statement, ..) = good()["order"].clone();
    let foreign = sign(&statement, "de", &[Who::Ana, Who::Ben]);
    let decoded = Decoded::Known(Box::new(statement));
    assert_eq!(
        word(judged(&foreign, decoded, "us", 3)),
        "SIGNER_FOREIGN signatures[0]"
    );

    let (statement, ..) = good()["adopt"].clone();
    let foreign = sign(&statement, "us", &[Who::Ana, Who::Ben]);
    let decoded = Decoded::Known(Box::new(statement));
    assert_eq!(
        word(judged(&foreign, decoded, "de", 3)),
        "FOREIGN_JURISDICTION signatures[0]"
    );
}

#[test]
fn a_statement_counts_only_in_the_log_it_names() {
    let (statement, member, signers) = good()["report"].clone();
    let entry = sign(&statement, member, &signers);
    let decoded = Decoded::Known(Box::new(statement));
    assert_eq!(word(judged(&entry, decoded, "de", 3)), "LOG_MISMATCH log");
    for log in ["", "us", "other.example/us", "test.tocsin.example/us/1"] {
        let word = changed("report", |statement| log.clone_into(&mut statement.log));
        assert_eq!(word, "LOG_MISMATCH log", "{log}");
    }
}

#[test]
fn what_is_not_known_is_opaque_if_it_is_rightly_signed() {
    let (statement, member, signers) = good()["suspend"].clone();
    let mut entry = sign(&statement, member, &signers);
    let opaque = |log: &str| Decoded::Opaque {
        log: log.to_owned(),
        about: statement.about.clone(),
        created_ms: NOW_MS,
        why: Unknown::Field,
    };
    let about = statement.about.clone();
    assert_eq!(
        judged(&entry, opaque(&statement.log), "us", 3),
        Verdict::Opaque { about }
    );
    assert_eq!(
        word(judged(&entry, opaque("other/us"), "us", 3)),
        "LOG_MISMATCH log"
    );
    entry.signatures[0].sig[0] ^= 1;
    let unsigned = judged(&entry, opaque(&statement.log), "us", 3);
    assert_eq!(word(unsigned), "SIGNATURE_INVALID signatures[0]");
}

#[test]
fn what_cannot_be_read_is_invalid_with_its_own_reason() {
    let (statement, member, signers) = good()["suspend"].clone();
    let entry = sign(&statement, member, &signers);
    for (fault, code) in [
        (DecodeFault::Malformed, "MALFORMED"),
        (DecodeFault::NotCanonical, "NOT_CANONICAL"),
        (DecodeFault::NotUtf8, "NOT_UTF8"),
        (DecodeFault::TooDeep, "TOO_DEEP"),
        (DecodeFault::TooMany, "LIST_TOO_LONG"),
        (DecodeFault::TooLarge, "ENTRY_TOO_LARGE"),
        (DecodeFault::Length, "FIELD_LENGTH"),
        (DecodeFault::Missing, "FIELD_MISSING"),
        (DecodeFault::UnknownValue, "UNKNOWN_VALUE"),
        (DecodeFault::NoAct, "ACT_MISSING"),
        (DecodeFault::NoSalt, "BODY_TOO_SMALL"),
    ] {
        let decoded = Decoded::Bad(DecodeError {
            fault,
            field: "order.title".to_owned(),
        });
        assert_eq!(
            word(judged(&entry, decoded, "us", 3)),
            format!("{code} order.title")
        );
    }
}

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
            statement.act = Act::Report(crate::report::Report { kind });
        });
        assert_eq!(word, "SEALING_NOT_BUILT report.kind");
    }
    for kind in [IndicatorKind::Espionage, IndicatorKind::Insider] {
        let word = changed("indicator", |statement| {
            let valid_until_ms = NOW_MS + 1;
            statement.act = Act::Indicator(crate::indicator::Indicator {
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
    let bodies = |name: &str, bodies: Vec<crate::statement::BodyRef>| {
        changed(name, |statement| statement.bodies = bodies)
    };
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
            statement.act = Act::PolicyPack(crate::policy::PolicyPack {
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
    let party = |change: fn(&mut crate::party::Party)| {
        changed_order(|order| change(&mut order.respondents[0]))
    };
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
            statement.act = Act::Indicator(crate::indicator::Indicator {
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

proptest! {
    #[test]
    fn arbitrary_signatures_and_payloads_never_make_it_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..200),
        signatures in proptest::collection::vec((any::<[u8; 32]>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..70)), 0..10),
        known: bool, index: u64, number: u32, created_ms: i64, text in "\\PC{0,40}",
    ) {
        let alliance = alliance();
        let (statement, member, signers) = good()["order"].clone();
        let mut statement = statement;
        (statement.number, statement.created_ms) = (number, created_ms);
        if let Act::Order(order) = &mut statement.act {
            (order.title, order.from_ms, order.until_ms) = (text, created_ms, i64::from(number));
        }
        let mut entry = sign(&statement, member, &signers);
        if !known {
            entry.payload = payload;
            entry.signatures = signatures
                .into_iter()
                .map(|(id, alg, sig)| tocsin_log::entry::EntrySignature { key_id: KeyId(id), alg, sig })
                .collect();
        }
        let decoded = Decoded::Known(Box::new(statement));
        let first = validate(&entry, &decoded, &alliance.member("us").unwrap().origin, index, &alliance);
        let again = validate(&entry, &decoded, &alliance.member("us").unwrap().origin, index, &alliance);
        prop_assert_eq!(first, again);
    }
}
