use std::path::Path;

use tocsin_core::handling::Tlp;
use tocsin_core::roster::document::{
    AllianceFile, ManifestDoc, RecordKeyDoc, RosterDoc, RosterMember, TlsDoc,
};
use tocsin_log::entry::{MANIFEST_TYPE, ROSTER_TYPE};

use super::*;
use crate::document::{Kind, parse, scaffold};

const NOW: i64 = 1_795_305_600_000;

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

/// An alliance of one member: officers `a` (keys 10 and 11) and `b` (key 12), investigator `c`
/// (key 13).
pub(crate) fn alliance() -> Alliance {
    let hex = |number| key(number).public().to_string();
    let record = |number, person: &str, role: &str| RecordKeyDoc {
        key: hex(number),
        person: person.to_owned(),
        roles: vec![role.to_owned()],
        from_index: 0,
        to_index: None,
    };
    let roster = RosterDoc {
        alliance: "t.example".to_owned(),
        version: 1,
        prev_sha256: String::new(),
        members: vec![RosterMember {
            id: "us".to_owned(),
            jurisdiction: "US".to_owned(),
            name: "Customs".to_owned(),
            state: "active".to_owned(),
            gov_keys: vec![hex(1)],
            gov_threshold: 1,
        }],
    };
    let manifest = ManifestDoc {
        member: "us".to_owned(),
        version: 1,
        generation: 1,
        log_key: hex(2),
        mirror_key: hex(3),
        record_keys: vec![
            record(10, "a", "officer"),
            record(11, "a", "officer"),
            record(12, "b", "officer"),
            record(13, "c", "investigator"),
        ],
        tls: TlsDoc {
            trust_domain: "us.t.example".to_owned(),
            ca_pem: "-----BEGIN CERTIFICATE-----".to_owned(),
            endpoints: vec!["127.0.0.1:1".to_owned()],
        },
    };
    let gov = key(1);
    let roster = Entry::sign(ROSTER_TYPE, serde_json::to_vec(&roster).unwrap(), &[&gov]);
    let manifest = Entry::sign(
        MANIFEST_TYPE,
        serde_json::to_vec(&manifest).unwrap(),
        &[&gov],
    );
    let file = AllianceFile::new(&roster, &[manifest]);
    Alliance::parse(&serde_json::to_vec(&file).unwrap()).unwrap()
}

fn draft(kind: Kind) -> Draft {
    let document = parse(kind, &scaffold(kind), Path::new(".")).unwrap();
    let number = u32::from(document.act.is_numbered());
    let log = "t.example/us".to_owned();
    let setting = Setting {
        log,
        created_ms: NOW,
        number,
        about: None,
        judged: None,
        refs: vec![],
    };
    Draft::make(&document, setting).unwrap()
}

fn state(draft: &Draft) -> Result<State, Failure> {
    let alliance = alliance();
    draft.state(&alliance, alliance.member("us").unwrap())
}

#[test]
fn an_order_is_complete_with_two_officers_and_not_before() {
    let mut draft = draft(Kind::Order);
    assert_eq!(state(&draft), Ok(State::Unsigned));
    draft.sign(&key(10));
    assert_eq!(state(&draft), Ok(State::NeedsSecond));
    draft.sign(&key(12));
    assert!(matches!(state(&draft), Ok(State::Complete(author)) if author.persons.len() == 2));
}

#[test]
fn two_keys_of_one_person_do_not_complete_an_order() {
    let mut draft = draft(Kind::Order);
    draft.sign(&key(10));
    draft.sign(&key(11));
    assert!(!matches!(state(&draft), Ok(State::Complete(_))));
}

#[test]
fn an_investigator_signs_reports_but_no_orders() {
    let mut report = draft(Kind::Report);
    report.sign(&key(13));
    assert!(matches!(state(&report), Ok(State::Complete(_))));
    let mut order = draft(Kind::Order);
    order.sign(&key(13));
    order.sign(&key(12));
    assert!(!matches!(state(&order), Ok(State::Complete(_))));
}

#[test]
fn a_strangers_signature_is_refused() {
    let mut draft = draft(Kind::Report);
    draft.sign(&key(99));
    assert_eq!(state(&draft).unwrap_err().exit, Exit::NotPermitted);
}

#[test]
fn a_draft_reads_back_from_its_file_with_the_bytes_that_were_signed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("report.tsn");
    for kind in [Kind::Report, Kind::Indicator, Kind::Order, Kind::Policy] {
        let mut made = draft(kind);
        made.sign(&key(12));
        made.rewrite(&path).unwrap();
        assert_eq!(Draft::read(&path).unwrap(), made);
        assert_eq!(made.contents().unwrap().len(), made.bodies.len());
    }
    assert_eq!(
        draft(Kind::Report).write(&path).unwrap_err().exit,
        Exit::Conflict
    );
}

#[test]
fn a_body_that_was_changed_in_the_file_is_found_before_anyone_cosigns() {
    let mut changed = draft(Kind::Report);
    let last = changed.bodies[0].len() - 1;
    changed.bodies[0][last] ^= 1;
    assert_eq!(changed.contents().unwrap_err().exit, Exit::Unverified);
    changed.bodies.clear();
    assert_eq!(changed.contents().unwrap_err().exit, Exit::Unverified);
}

#[test]
fn equal_documents_make_different_statements_with_different_bodies() {
    let (one, other) = (draft(Kind::Report), draft(Kind::Report));
    assert_ne!(one.statement_id(), other.statement_id());
    assert_ne!(
        one.statement.bodies[0].sha256,
        other.statement.bodies[0].sha256
    );
}

#[test]
fn what_is_no_draft_is_refused() {
    let mut signed = draft(Kind::Report);
    signed.sign(&key(13));
    let good = signed.encode();
    assert!(Draft::decode(&good).is_ok());
    assert!(Draft::decode(&good[..good.len() - 1]).is_err());
    assert!(Draft::decode(&good[1..]).is_err());
    assert!(Draft::decode(b"").is_err());
}

#[test]
fn a_check_is_not_remembered_as_a_submission() {
    let draft = draft(Kind::Report);
    let check = draft.request(v1::WaitFor::Local, true);
    let real = draft.request(v1::WaitFor::Confirmed, false);
    assert!(check.validate_only && check.request_id.is_empty());
    assert_eq!(real.request_id.len(), 64);
    assert_eq!(real.body, draft.bodies[0]);
}

#[test]
fn a_statement_over_its_bound_is_refused_with_what_to_do() {
    let text = scaffold(Kind::Order);
    let many: String = (0..900)
        .map(|n| format!("  {{ model = \"SOMEWHAT-LONGER-MODEL-{n}\" }},\n"))
        .collect();
    let text = text.replace("selectors = [\n", &format!("selectors = [\n{many}"));
    let document = parse(Kind::Order, &text, Path::new(".")).unwrap();
    let log = "t.example/us".to_owned();
    let setting = Setting {
        log,
        created_ms: NOW,
        number: 1,
        about: None,
        judged: None,
        refs: vec![],
    };
    let failure = Draft::make(&document, setting).unwrap_err();
    assert_eq!(failure.code.as_deref(), Some("STATEMENT_TOO_LARGE"));
    assert!(failure.advice.unwrap().contains("further_articles"));
}

/// A draft of a document that was changed before it was made.
fn changed(kind: Kind, change: impl FnOnce(&mut Document)) -> Draft {
    let mut document = parse(kind, &scaffold(kind), Path::new(".")).unwrap();
    change(&mut document);
    let setting = Setting {
        log: "t.example/us".to_owned(),
        created_ms: NOW,
        number: u32::from(document.act.is_numbered()),
        about: None,
        judged: None,
        refs: vec![],
    };
    Draft::compose(&document, setting, [0; 16], || Ok([0; 32])).unwrap()
}

#[test]
fn what_the_door_would_take_passes_before_anyone_signs() {
    for kind in [Kind::Report, Kind::Indicator, Kind::Order, Kind::Policy] {
        assert_eq!(draft(kind).check_unsigned("DE"), Ok(()), "{kind:?}");
    }
}

#[test]
fn what_the_door_would_refuse_is_refused_before_anyone_signs() {
    let sealed = changed(Kind::Report, |document| document.tlp = Tlp::Amber);
    let refusal = sealed.check_unsigned("US").unwrap_err();
    assert_eq!(refusal.code(), "SEALING_NOT_BUILT");
    let untold = changed(Kind::Report, |document| {
        if let Some((DecodedBody::Report(report), _)) = document.bodies.first_mut() {
            report.narrative.clear();
        }
    });
    let refusal = untold.check_unsigned("US").unwrap_err();
    assert_eq!(refusal.code(), "TEXT_MISSING");
    assert!(refusal.field.starts_with("bodies[0]"), "{}", refusal.field);
    assert!(refusal.field.ends_with("narrative"), "{}", refusal.field);
    let foreign = draft(Kind::Policy).check_unsigned("US");
    assert!(foreign.is_err(), "a pack of DE is no pack of US");
}

#[test]
fn what_is_shown_whole_may_be_signed() {
    for kind in [Kind::Report, Kind::Indicator, Kind::Order, Kind::Policy] {
        draft(kind).require_shown_whole().unwrap();
    }
}

#[test]
fn a_draft_that_says_what_is_not_shown_is_not_signed() {
    // Field 2000, a varint: known to no version so far, and read past in reports.
    let unseen = [0x80, 0x7d, 0x01];
    let mut statement = draft(Kind::Report);
    statement.entry.payload.extend(unseen);
    statement.sign(&key(13));
    let statement = Draft::decode(&statement.encode()).unwrap();
    let refused = statement.require_shown_whole().unwrap_err();
    assert_eq!(refused.exit, Exit::Unverified);
    assert_eq!(refused.code.as_deref(), Some("DRAFT_NOT_SHOWN_WHOLE"));

    let mut body = draft(Kind::Report);
    body.bodies[0].extend(unseen);
    let named = &mut body.statement.bodies[0];
    named.sha256 = Hash::of(&body.bodies[0]);
    named.length += 3;
    body.entry.payload = tocsin_wire::statement::encode(&body.statement);
    body.sign(&key(13));
    let body = Draft::decode(&body.encode()).unwrap();
    let refused = body.require_shown_whole().unwrap_err();
    assert_eq!(refused.code.as_deref(), Some("DRAFT_NOT_SHOWN_WHOLE"));
}
