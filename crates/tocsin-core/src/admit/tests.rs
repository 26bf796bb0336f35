use std::collections::BTreeSet;

use proptest::prelude::*;
use tocsin_log::key::KeyId;

use super::*;
use crate::fixture::{
    self, NOW_MS, Who, alliance, any_signatures, body_bytes, good, indicator_body, order_ref,
    report_body, sign,
};
use crate::order::OrderBody;
use crate::party::PartyKind;
use crate::policy::PolicyPackBody;
use crate::quota::{PersonLimits, Persons};
use crate::reason::Class;
use crate::statement::DecodeFault;

/// The order of the fixture is known, and one number is taken.
struct Few {
    orders: BTreeSet<StatementRef>,
    taken: Option<(i64, u32, Hash)>,
    /// What the persons of the member have said.
    persons: Persons,
    /// Whether what may release goods releases some now.
    is_in_force: bool,
}

impl Known for Few {
    fn number_holder(&self, year: i64, number: u32) -> Option<Hash> {
        self.taken
            .filter(|taken| (taken.0, taken.1) == (year, number))
            .map(|taken| taken.2)
    }

    fn is_order(&self, order: &StatementRef) -> bool {
        self.orders.contains(order)
    }

    fn is_text_of(&self, order: &StatementRef, statement_id: &Hash) -> bool {
        self.is_order(order) && order.statement_id == *statement_id
    }

    fn is_release(&self, statement: &Statement) -> bool {
        self.is_in_force && crate::quota::may_release(&statement.act)
    }

    fn may_say(&self, said: &Said) -> Result<(), Exceeded> {
        self.persons.check(said, NOW_MS)
    }
}

fn few() -> Few {
    Few {
        orders: [order_ref("us")].into(),
        taken: None,
        persons: Persons::default(),
        is_in_force: true,
    }
}

fn submission(statement: &Statement, member: &str, signers: &[Who]) -> Submission {
    let body = |text: &str, decoded| SubmittedBody {
        bytes: body_bytes(text),
        decoded: Ok(decoded),
    };
    let bodies = match &statement.act {
        Act::Report(_) => vec![body("report", DecodedBody::Report(Box::new(report_body())))],
        Act::Indicator(_) => {
            vec![body(
                "indicator",
                DecodedBody::Indicator(Box::new(indicator_body())),
            )]
        }
        Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) | Act::PolicyPack(_) => Vec::new(),
    };
    let decoded = Decoded::Known(Box::new(statement.clone()));
    Submission {
        entry: sign(statement, member, signers),
        decoded,
        bodies,
    }
}

fn at_door(submission: Submission, member: &str, known: &Few) -> Result<Admitted, AdmitError> {
    let alliance = alliance();
    let member = alliance.member(member).unwrap();
    admit(
        submission,
        &Door {
            alliance: &alliance,
            member,
            next_index: 3,
            now_ms: NOW_MS,
            known,
        },
    )
}

fn as_draft(submission: Submission, member: &str, known: &Few) -> Result<Signed, AdmitError> {
    let alliance = alliance();
    let door = Door {
        alliance: &alliance,
        member: alliance.member(member).unwrap(),
        next_index: 3,
        now_ms: NOW_MS,
        known,
    };
    admit_draft(submission, &door)
}

#[test]
fn a_draft_is_judged_as_the_door_will_but_for_the_second_officer() {
    let (statement, member, signers) = good()["order"].clone();
    let known = few();
    let half = |statement: &Statement| submission(statement, member, &signers[..1]);
    let signed = as_draft(half(&statement), member, &known).unwrap();
    assert_eq!((signed.persons.len(), signed.missing), (1, 1));
    let whole = submission(&statement, member, &signers);
    let signed = as_draft(whole, member, &known).unwrap();
    assert_eq!((signed.persons.len(), signed.missing), (2, 0));
    // Everything else that the door asks is asked of a draft, too.
    let code = |statement: &Statement, known: &Few| {
        as_draft(half(statement), member, known).unwrap_err().code()
    };
    let mut late = statement.clone();
    late.created_ms = NOW_MS - MAX_AGE_MS - 1;
    assert_eq!(code(&late, &known), "CREATED_OUT_OF_WINDOW");
    let mut elsewhere = statement.clone();
    elsewhere.log = "test.example/kr".to_owned();
    assert_ne!(
        as_draft(half(&elsewhere), member, &known).map(|_| ()),
        Ok(())
    );
    let year = date::year(statement.created_ms);
    let taken = Few {
        taken: Some((year, statement.number, Hash::of(b"another"))),
        ..few()
    };
    assert_eq!(code(&statement, &taken), "NUMBER_TAKEN");
    let mut forged = half(&statement);
    forged.entry.signatures[0].sig[5] ^= 1;
    let refusal = as_draft(forged, member, &known).unwrap_err();
    assert_eq!(refusal.code(), "SIGNATURE_INVALID");
    let mut bodiless = half(&statement);
    bodiless.bodies.push(SubmittedBody {
        bytes: body_bytes("more"),
        decoded: Ok(DecodedBody::Report(Box::new(report_body()))),
    });
    assert_eq!(
        as_draft(bodiless, member, &known).unwrap_err().code(),
        "BODY_COUNT"
    );
}

fn word(result: Result<Admitted, AdmitError>) -> String {
    match result {
        Ok(_) => "admitted".to_owned(),
        Err(refusal) => format!("{} {}", refusal.code(), refusal.field),
    }
}

/// A good statement, changed, signed as before and taken to its member's door.
fn changed(name: &str, change: impl FnOnce(&mut Statement)) -> Result<Admitted, AdmitError> {
    let (mut statement, member, signers) = good()[name].clone();
    change(&mut statement);
    at_door(submission(&statement, member, &signers), member, &few())
}

/// A good statement's submission, changed after signing.
fn tampered(name: &str, change: impl FnOnce(&mut Submission)) -> Result<Admitted, AdmitError> {
    let (statement, member, signers) = good()[name].clone();
    let mut submission = submission(&statement, member, &signers);
    change(&mut submission);
    at_door(submission, member, &few())
}

fn class_of(result: Result<Admitted, AdmitError>) -> (Class, &'static str) {
    let refusal = result.unwrap_err();
    (refusal.class(), refusal.code())
}

#[test]
fn one_good_statement_of_each_kind_is_admitted_as_it_was_signed() {
    let alliance = alliance();
    for (name, (statement, member, signers)) in good() {
        let submission = submission(&statement, member, &signers);
        let (entry, bodies) = (submission.entry.clone(), submission.bodies.clone());
        let admitted = at_door(submission, member, &few()).expect(name);
        assert_eq!(Entry::decode(admitted.entry()).unwrap(), entry);
        assert_eq!(*admitted.statement_id(), entry.statement_id());
        assert_eq!(*admitted.statement(), statement);
        assert_eq!(admitted.bodies().len(), bodies.len());
        assert_eq!(admitted.decoded_bodies().len(), bodies.len());
        assert_eq!(admitted.author().by_node_key, signers == [Who::Node]);
        let keys_end_at = |end| {
            let mut member = alliance.member(member).unwrap().clone();
            let keys = member.record_keys.values_mut();
            keys.for_each(|key| key.to_index = Some(end));
            member
        };
        assert!(admitted.is_valid_at(4, &keys_end_at(5)));
        assert!(!admitted.is_valid_at(5, &keys_end_at(5)), "{name}");
        let name = admitted.name(alliance.member(member).unwrap());
        assert!(name.starts_with(&format!("members/{member}/")), "{name}");
    }
}

#[test]
fn an_order_by_one_officer_waits_for_the_second() {
    let (statement, ..) = good()["order"].clone();
    let one = at_door(submission(&statement, "us", &[Who::Ana]), "us", &few());
    assert_eq!(
        class_of(one),
        (Class::FailedPrecondition, "NEEDS_SECOND_OFFICER")
    );
    let twice = submission(&statement, "us", &[Who::Ana, Who::AnasSecondKey]);
    let same = at_door(twice, "us", &few());
    assert_eq!(class_of(same), (Class::PermissionDenied, "SAME_PERSON"));
}

#[test]
fn nobody_ends_anothers_order() {
    for name in ["rescind", "withdraw", "suspend", "modify"] {
        let result = changed(name, |statement| statement.about = Some(order_ref("de")));
        assert_eq!(
            class_of(result),
            (Class::PermissionDenied, "NOT_THE_ISSUER"),
            "{name}"
        );
    }
}

#[test]
fn nobody_decides_for_another_jurisdiction() {
    let (statement, ..) = good()["adopt"].clone();
    let signed_by_us = submission(&statement, "us", &[Who::Ana, Who::Ben]);
    let at_de = at_door(signed_by_us.clone(), "de", &few());
    assert_eq!(
        class_of(at_de),
        (Class::PermissionDenied, "FOREIGN_JURISDICTION")
    );
    let at_us = at_door(signed_by_us, "us", &few());
    assert_eq!(class_of(at_us), (Class::PermissionDenied, "NOT_OUR_LOG"));
}

#[test]
fn a_statement_goes_in_at_its_own_members_door_in_its_own_alliance() {
    let (statement, member, signers) = good()["report"].clone();
    let elsewhere = at_door(submission(&statement, member, &signers), "de", &few());
    assert_eq!(
        class_of(elsewhere),
        (Class::PermissionDenied, "NOT_OUR_LOG")
    );
    for log in [
        "other.example/us",
        "",
        "us",
        "test.tocsin.example",
        "test.tocsin.examplex/us",
    ] {
        let result = changed("report", |statement| log.clone_into(&mut statement.log));
        assert_eq!(
            class_of(result),
            (Class::FailedPrecondition, "WRONG_ALLIANCE"),
            "{log}"
        );
    }
}

#[test]
fn created_ms_is_within_the_doors_window() {
    for (by_ms, expected) in [
        (0, "admitted"),
        (300_000, "admitted"),
        (300_001, "CREATED_OUT_OF_WINDOW created_ms"),
        (-30 * 86_400_000, "admitted"),
        (-30 * 86_400_000 - 1, "CREATED_OUT_OF_WINDOW created_ms"),
        (
            date::MAX_INSTANT_MS - 1 - NOW_MS,
            "CREATED_OUT_OF_WINDOW created_ms",
        ),
        (i64::MAX - NOW_MS, "INSTANT_OUT_OF_RANGE created_ms"),
        (-NOW_MS, "INSTANT_OUT_OF_RANGE created_ms"),
    ] {
        let result = changed("suspend", |statement| statement.created_ms = NOW_MS + by_ms);
        assert_eq!(word(result), expected, "{by_ms}");
    }
    let far = changed("suspend", |statement| {
        statement.created_ms = NOW_MS + 300_001
    });
    assert_eq!(far.unwrap_err().class(), Class::InvalidArgument);
}

#[test]
fn a_number_is_given_once_in_a_year() {
    let (statement, member, signers) = good()["order"].clone();
    let submission = submission(&statement, member, &signers);
    let with = |taken| {
        let known = Few {
            taken: Some(taken),
            ..few()
        };
        word(at_door(submission.clone(), "us", &known))
    };
    let other = Hash::of(b"another report");
    assert_eq!(with((2026, 1, other)), "NUMBER_TAKEN number");
    assert_eq!(with((2026, 2, other)), "admitted");
    assert_eq!(with((2025, 1, other)), "admitted");
    assert_eq!(with((2026, 1, submission.entry.statement_id())), "admitted");
    let known = Few {
        taken: Some((2026, 1, other)),
        ..few()
    };
    let refusal = at_door(submission, "us", &known).unwrap_err();
    assert_eq!(
        (refusal.class(), refusal.detail.as_str()),
        (Class::AlreadyExists, "US-2026-0001")
    );
}

#[test]
fn what_an_act_or_decision_is_on_must_be_here() {
    for name in ["withdraw", "suspend", "adopt", "flag by policy", "lapse"] {
        let (statement, member, signers) = good()[name].clone();
        let nothing = Few {
            orders: BTreeSet::new(),
            ..few()
        };
        let result = at_door(submission(&statement, member, &signers), member, &nothing);
        assert_eq!(
            class_of(result),
            (Class::FailedPrecondition, "ORDER_UNKNOWN"),
            "{name}"
        );
    }
    let result = changed("adopt", |statement| {
        if let Act::Decision(decision) = &mut statement.act {
            decision.judged = Hash::of(b"another text");
        }
    });
    assert_eq!(
        class_of(result),
        (Class::FailedPrecondition, "JUDGED_UNKNOWN")
    );
}

#[test]
fn ending_an_order_twice_is_let_in_twice() {
    for name in ["withdraw", "rescind"] {
        assert_eq!(word(changed(name, |_| ())), "admitted");
        assert_eq!(
            word(changed(name, |statement| statement.nonce = [8; 16])),
            "admitted"
        );
    }
}

#[test]
fn what_would_be_opaque_is_refused_at_the_door() {
    for (why, code) in [
        (Unknown::Act, "UNKNOWN_ACT"),
        (Unknown::Field, "UNKNOWN_FIELD"),
        (Unknown::Value, "UNKNOWN_VALUE"),
    ] {
        let result = tampered("suspend", |submission| {
            let log = format!("{}/us", fixture::LABEL);
            submission.decoded = Decoded::Opaque {
                log,
                about: None,
                created_ms: NOW_MS,
                why,
            };
        });
        assert_eq!(class_of(result), (Class::InvalidArgument, code));
    }
    let result = tampered("suspend", |submission| {
        submission.entry.payload_type = "application/vnd.tocsin.manifest.v1+json".to_owned();
    });
    assert_eq!(class_of(result), (Class::InvalidArgument, "PAYLOAD_TYPE"));
}

#[test]
fn what_cannot_be_read_is_refused_with_its_own_reason() {
    let bad = |fault| {
        class_of(tampered("suspend", |submission| {
            submission.decoded = Decoded::Bad(DecodeError {
                fault,
                field: String::new(),
            });
        }))
    };
    for (fault, code) in [
        (DecodeFault::NotCanonical, "NOT_CANONICAL"),
        (DecodeFault::TooMany, "LIST_TOO_LONG"),
        (DecodeFault::NoAct, "ACT_MISSING"),
        (DecodeFault::Missing, "FIELD_MISSING"),
        (DecodeFault::UnknownValue, "UNKNOWN_VALUE"),
    ] {
        assert_eq!(bad(fault), (Class::InvalidArgument, code));
    }
}

#[test]
fn entries_over_the_doors_bound_are_refused() {
    let result = tampered("report", |submission| {
        submission.entry.payload = vec![0; 16_384]
    });
    assert_eq!(class_of(result), (Class::OutOfRange, "ENTRY_TOO_LARGE"));
    let result = tampered("report", |submission| {
        submission.entry.payload = vec![0; 70_000]
    });
    assert_eq!(class_of(result).1, "ENTRY_MALFORMED");
    let result = tampered("report", |submission| submission.entry.payload.clear());
    assert_eq!(class_of(result).1, "ENTRY_MALFORMED");
}

#[test]
fn bad_signatures_are_refused() {
    let result = tampered("order", |submission| {
        submission.entry.signatures[0].sig[63] ^= 0x80
    });
    assert_eq!(
        class_of(result),
        (Class::InvalidArgument, "SIGNATURE_INVALID")
    );
    let result = tampered("order", |submission| submission.entry.signatures.clear());
    assert_eq!(class_of(result).1, "ENTRY_MALFORMED");
    let result = tampered("order", |submission| {
        submission.entry.signatures[0].key_id = KeyId([0; 32]);
    });
    assert_eq!(
        class_of(result),
        (Class::PermissionDenied, "SIGNER_UNKNOWN")
    );
    let (statement, ..) = good()["suspend"].clone();
    let result = at_door(submission(&statement, "us", &[Who::Former]), "us", &few());
    assert_eq!(class_of(result), (Class::PermissionDenied, "KEY_NOT_VALID"));
}

#[test]
fn bodies_are_those_that_were_signed_for() {
    type Change = fn(&mut Submission);
    let cases: [(Change, &str); 6] = [
        (|submission| submission.bodies.clear(), "BODY_COUNT bodies"),
        (
            |submission| submission.bodies.push(submission.bodies[0].clone()),
            "BODY_COUNT bodies",
        ),
        (
            |submission| submission.bodies[0].bytes[0] ^= 1,
            "BODY_DIGEST bodies[0]",
        ),
        (
            |submission| submission.bodies[0].bytes.push(0),
            "BODY_DIGEST bodies[0]",
        ),
        (
            |submission| submission.bodies[0].bytes.clear(),
            "BODY_DIGEST bodies[0]",
        ),
        (
            |submission| {
                let error = DecodeError {
                    fault: DecodeFault::NoSalt,
                    field: String::new(),
                };
                submission.bodies[0].decoded = Err(error);
            },
            "BODY_TOO_SMALL bodies[0]",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(word(tampered("report", change)), expected);
    }
    let kind = tampered("report", |submission| {
        submission.bodies[0].decoded = Ok(DecodedBody::Indicator(Box::new(indicator_body())));
    });
    assert_eq!(word(kind), "BODY_KIND bodies[0]");
    let extra = tampered("order", |submission| {
        let body = OrderBody {
            articles: vec![fixture::article()],
        };
        let decoded = Ok(DecodedBody::Order(body));
        submission.bodies.push(SubmittedBody {
            bytes: body_bytes("more"),
            decoded,
        });
    });
    assert_eq!(word(extra), "BODY_COUNT bodies");
}

/// A report whose body says something else than the good one.
fn report_with(change: fn(&mut crate::report::ReportBody)) -> String {
    word(tampered("report", |submission| {
        let mut body = report_body();
        change(&mut body);
        submission.bodies[0].decoded = Ok(DecodedBody::Report(Box::new(body)));
    }))
}

#[test]
fn a_reports_content_is_checked() {
    assert_eq!(report_with(|_| ()), "admitted");
    assert_eq!(
        report_with(|body| body.title.clear()),
        "TEXT_MISSING bodies[0].title"
    );
    assert_eq!(
        report_with(|body| body.narrative.clear()),
        "TEXT_MISSING bodies[0].narrative"
    );
    assert_eq!(
        report_with(|body| body.narrative = "x".repeat(200_000)),
        "admitted"
    );
    assert_eq!(
        report_with(|body| body.narrative.push('\0')),
        "TEXT_FORBIDDEN bodies[0].narrative"
    );
    assert_eq!(
        report_with(|body| body.parties[0].kind = PartyKind::Person),
        "SEALING_NOT_BUILT bodies[0].parties[0].kind"
    );
    for grade in ["", "G", "a", "AB"] {
        let word = tampered("report", |submission| {
            let body = crate::report::ReportBody {
                source_reliability: grade.to_owned(),
                ..report_body()
            };
            submission.bodies[0].decoded = Ok(DecodedBody::Report(Box::new(body)));
        });
        assert_eq!(word.unwrap_err().code(), "SOURCE_RELIABILITY");
    }
    assert_eq!(
        report_with(|body| body.credibility = 0),
        "SOURCE_RELIABILITY bodies[0].credibility"
    );
    assert_eq!(
        report_with(|body| body.credibility = 7),
        "SOURCE_RELIABILITY bodies[0].credibility"
    );
    assert_eq!(
        report_with(|body| body.collected_ms = 0),
        "INSTANT_OUT_OF_RANGE bodies[0].collected_ms"
    );
    assert_eq!(
        report_with(|body| body.exhibits[0].media_type = "jpeg".to_owned()),
        "MEDIA_TYPE bodies[0].exhibits[0].media_type"
    );
    assert_eq!(
        report_with(|body| body.exhibits[0].name = "../../etc/x\0".to_owned()),
        "TEXT_FORBIDDEN bodies[0].exhibits[0].name"
    );
    assert_eq!(report_with(|body| body.articles.clear()), "admitted");
}

#[test]
fn an_indicators_content_is_checked() {
    let with = |change: fn(&mut crate::indicator::IndicatorBody)| {
        word(tampered("indicator", |submission| {
            let mut body = indicator_body();
            change(&mut body);
            submission.bodies[0].decoded = Ok(DecodedBody::Indicator(Box::new(body)));
        }))
    };
    assert_eq!(with(|_| ()), "admitted");
    assert_eq!(
        with(|body| body.confidence.clear()),
        "CONFIDENCE bodies[0].confidence"
    );
    assert_eq!(
        with(|body| body.articles.clear()),
        "LIST_EMPTY bodies[0].articles"
    );
    assert_eq!(
        with(|body| body.title = "a\nb".to_owned()),
        "TEXT_FORBIDDEN bodies[0].title"
    );
}

#[test]
fn lasting_bodies_are_read_at_the_door() {
    let order = |articles| {
        let (mut statement, member, signers) = good()["order"].clone();
        statement.bodies = vec![fixture::body_ref("more", true)];
        let mut submission = submission(&statement, member, &signers);
        let decoded = Ok(DecodedBody::Order(OrderBody { articles }));
        submission.bodies = vec![SubmittedBody {
            bytes: body_bytes("more"),
            decoded,
        }];
        word(at_door(submission, member, &few()))
    };
    assert_eq!(order(vec![fixture::article(); 200]), "admitted");
    assert_eq!(order(Vec::new()), "LIST_EMPTY bodies[0].articles");

    let pack = |toml: &str| {
        let (mut statement, member, signers) = good()["pack"].clone();
        statement.act = Act::PolicyPack(crate::policy::PolicyPack {
            toml: String::new(),
        });
        statement.bodies = vec![fixture::body_ref("pack", true)];
        let mut submission = submission(&statement, member, &signers);
        let decoded = Ok(DecodedBody::PolicyPack(PolicyPackBody {
            toml: toml.to_owned(),
        }));
        submission.bodies = vec![SubmittedBody {
            bytes: body_bytes("pack"),
            decoded,
        }];
        word(at_door(submission, member, &few()))
    };
    assert_eq!(pack(fixture::PACK), "admitted");
    assert_eq!(pack("[meta]"), "PACK_SYNTAX bodies[0].toml");
    let foreign = fixture::PACK.replace("\"US\"", "\"DE\"");
    assert_eq!(
        pack(&foreign),
        "PACK_JURISDICTION bodies[0].toml.meta.jurisdiction"
    );
}

proptest! {
    #[test]
    fn no_submission_makes_the_door_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..100),
        signatures in any_signatures(),
        body in proptest::collection::vec(any::<u8>(), 0..100),
        log in "\\PC{0,30}", keep: bool, now_ms: i64, next_index: u64, created_ms: i64, number: u32,
    ) {
        let (mut statement, member, signers) = good()["report"].clone();
        if keep {
            (statement.created_ms, statement.number) = (created_ms, number);
        } else {
            statement.log = log;
        }
        let mut submission = submission(&statement, member, &signers);
        submission.bodies[0].bytes = body;
        if !keep {
            submission.entry.payload = payload;
            submission.entry.signatures = signatures;
        }
        let alliance = alliance();
        let door = Door {
            alliance: &alliance,
            member: alliance.member(member).unwrap(),
            next_index,
            now_ms,
            known: &few(),
        };
        prop_assert!(admit(submission, &door).is_err());
    }
}

/// Everybody has said all they may.
fn exhausted() -> Few {
    let mut few = few();
    let limits = PersonLimits {
        orders: 1,
        decisions: 1,
        reports: 1,
        packs: 1,
        bytes: 1,
    };
    few.persons = Persons::new(limits);
    few
}

#[test]
fn an_exhausted_quota_refuses_everything_that_releases_nothing() {
    let few = exhausted();
    for (name, (statement, member, signers)) in good() {
        let admitted = at_door(submission(&statement, member, &signers), member, &few);
        let is_node = signers == [Who::Node];
        let passes = is_node || crate::quota::may_release(&statement.act);
        match admitted {
            Ok(admitted) => {
                assert!(passes, "{name}");
                assert_eq!(admitted.counted(), None, "{name}");
            }
            Err(refused) => {
                assert!(!passes, "{name}: {refused}");
                assert_eq!(refused.code(), "QUOTA_PERSON", "{name}");
            }
        }
    }
}

#[test]
fn what_releases_nothing_now_is_counted_like_the_rest() {
    let mut few = exhausted();
    few.is_in_force = false;
    let (statement, member, signers) = good().remove("withdraw").unwrap();
    let refused = at_door(submission(&statement, member, &signers), member, &few).unwrap_err();
    assert_eq!(refused.code(), "QUOTA_PERSON");
}
