use proptest::prelude::*;
use tocsin_log::hash::Hash;
use tocsin_log::key::KeyId;

use super::*;
use crate::decision::PolicyCitation;
use crate::fixture::{self, NOW_MS, Who, alliance, any_signatures, good, sign};
use crate::order::{Order, OrderAct};
use crate::statement::Unknown;

mod content;
mod terms;

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
    changed("order", |statement| {
        let Act::Order(order) = &mut statement.act else {
            panic!()
        };
        change(order);
    })
}

fn changed_decision(name: &str, change: impl FnOnce(&mut Decision)) -> String {
    changed(name, |statement| {
        let Act::Decision(decision) = &mut statement.act else {
            panic!()
        };
        change(decision);
    })
}

fn changed_act(name: &str, change: impl FnOnce(&mut OrderAct)) -> String {
    changed(name, |statement| {
        let Act::OrderAct(act) = &mut statement.act else {
            panic!()
        };
        change(act);
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

proptest! {
    #[test]
    fn arbitrary_signatures_and_payloads_never_make_it_panic(
        payload in proptest::collection::vec(any::<u8>(), 0..200),
        signatures in any_signatures(),
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
            entry.signatures = signatures;
        }
        let decoded = Decoded::Known(Box::new(statement));
        let origin = &alliance.member("us").unwrap().origin;
        let first = validate(&entry, &decoded, origin, index, &alliance);
        prop_assert_eq!(first, validate(&entry, &decoded, origin, index, &alliance));
    }
}
