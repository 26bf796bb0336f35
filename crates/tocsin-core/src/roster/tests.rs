use proptest::prelude::*;
use tocsin_log::key::SigningKey;

use super::*;
use crate::fixture::{
    LABEL, MEMBERS, Who, alliance, alliance_file, envelopes, founders, key, manifest_doc,
    roster_doc, sign_manifest, sign_roster,
};

fn code(result: Result<Alliance, RosterError>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "ok")
}

/// The alliance of a changed roster, signed by every founder.
fn with_roster(change: impl FnOnce(&mut RosterDoc)) -> &'static str {
    let mut doc = roster_doc();
    change(&mut doc);
    code(Alliance::open(sign_roster(&doc, &founders()), Vec::new()))
}

/// The alliance in which DE's manifest is changed, signed as it should be.
fn with_manifest(change: impl FnOnce(&mut ManifestDoc)) -> &'static str {
    let mut doc = manifest_doc("de");
    change(&mut doc);
    let (roster, mut manifests) = envelopes();
    manifests[1] = sign_manifest(&doc, &[key("de", Who::Gov)]);
    code(Alliance::open(roster, manifests))
}

#[test]
fn an_alliance_file_is_read_whole() {
    let alliance = alliance();
    let (roster, manifests) = envelopes();
    assert_eq!(alliance.label(), LABEL);
    assert_eq!(*alliance.genesis_hash(), Hash::of(&roster.payload));
    assert_eq!(*alliance.roster(), roster);
    assert_eq!(
        (alliance.member_count(), alliance.members().count()),
        (3, 3)
    );
    let de = alliance.member("de").unwrap();
    assert_eq!(de.manifest, manifests[1]);
    assert_eq!(de.origin.to_string(), format!("{LABEL}/de/1"));
    for found in [
        alliance.by_log(&format!("{LABEL}/de")),
        alliance.by_jurisdiction("DE"),
        alliance.by_trust_domain(&format!("de.{LABEL}")),
        alliance.by_record_key(&key("de", Who::Ana).public().key_id()),
    ] {
        assert_eq!(found, Some(de));
    }
    assert_eq!(alliance.by_log("other.example/de"), None);
    assert_eq!(alliance.by_log(&format!("{LABEL}/de/1")), None);
    assert_eq!(
        alliance.by_record_key(&key("de", Who::Gov).public().key_id()),
        None
    );
}

#[test]
fn record_keys_are_valid_in_their_range_of_indexes() {
    let alliance = alliance();
    let former = key("de", Who::Former).public().key_id();
    let de = alliance.member("de").unwrap();
    for (index, expected) in [(0, false), (4, false), (5, true), (8, true), (9, false)] {
        assert_eq!(de.record_key(&former, index).is_some(), expected, "{index}");
    }
}

#[test]
fn every_founder_signs_the_genesis_and_nobody_else() {
    let doc = roster_doc();
    for missing in 0..MEMBERS.len() {
        let mut signers = founders();
        signers.remove(missing);
        assert_eq!(
            code(Alliance::open(sign_roster(&doc, &signers), Vec::new())),
            "ROSTER_SIGNATURE"
        );
    }
    let mut more = founders();
    more.push(SigningKey::from_seed([1; 32]));
    assert_eq!(
        code(Alliance::open(sign_roster(&doc, &more), Vec::new())),
        "ROSTER_SIGNATURE"
    );
    let mut roster = sign_roster(&doc, &founders());
    roster.signatures.reverse();
    assert_eq!(code(Alliance::open(roster, Vec::new())), "ROSTER_SIGNATURE");
}

#[test]
fn a_founder_with_a_threshold_signs_with_as_many_keys() {
    let second = SigningKey::from_seed([2; 32]);
    let mut doc = roster_doc();
    doc.members[0].gov_keys.push(second.public().to_string());
    doc.members[0].gov_threshold = 2;
    assert_eq!(
        code(Alliance::open(sign_roster(&doc, &founders()), Vec::new())),
        "ROSTER_SIGNATURE"
    );
    let mut signers = founders();
    signers.push(second.clone());
    let roster = sign_roster(&doc, &signers);
    assert_eq!(code(Alliance::open(roster.clone(), Vec::new())), "ok");
    let us = manifest_doc("us");
    let one = sign_manifest(&us, &[key("us", Who::Gov)]);
    assert_eq!(
        code(Alliance::open(roster.clone(), vec![one])),
        "MANIFEST_SIGNATURE"
    );
    let two = sign_manifest(&us, &[key("us", Who::Gov), second]);
    assert_eq!(code(Alliance::open(roster, vec![two])), "ok");
}

#[test]
fn every_bit_of_roster_and_manifest_counts() {
    let (roster, manifests) = envelopes();
    for bit in (0..roster.payload.len() * 8).step_by(37) {
        let mut changed = roster.clone();
        changed.payload[bit / 8] ^= 1 << (bit % 8);
        assert!(Alliance::open(changed, Vec::new()).is_err(), "bit {bit}");
    }
    for bit in (0..512).step_by(7) {
        let mut changed = (roster.clone(), manifests.clone());
        changed.0.signatures[1].sig[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            code(Alliance::open(changed.0, Vec::new())),
            "ROSTER_SIGNATURE"
        );
        changed.1[1].signatures[0].sig[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            code(Alliance::open(roster.clone(), changed.1)),
            "MANIFEST_SIGNATURE"
        );
    }
    for bit in (0..manifests[1].payload.len() * 8).step_by(37) {
        let mut changed = manifests.clone();
        changed[1].payload[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Alliance::open(roster.clone(), changed).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn rosters_that_break_a_rule_are_refused() {
    type Change = fn(&mut RosterDoc);
    let cases: [(Change, &str); 17] = [
        (|_| (), "ok"),
        (|doc| doc.version = 2, "ROSTER_NOT_YET"),
        (|doc| doc.version = 0, "ROSTER_NOT_YET"),
        (|doc| doc.prev_sha256 = "00".repeat(32), "ROSTER_NOT_YET"),
        (
            |doc| doc.alliance = "Demo.example".to_owned(),
            "ROSTER_ALLIANCE",
        ),
        (|doc| doc.alliance.clear(), "ROSTER_ALLIANCE"),
        (|doc| doc.members.clear(), "ROSTER_MEMBERS"),
        (|doc| doc.members[1].id = "us".to_owned(), "ROSTER_MEMBERS"),
        (|doc| doc.members[1].id = "d/e".to_owned(), "ROSTER_MEMBERS"),
        (
            |doc| doc.members[1].jurisdiction = "US".to_owned(),
            "ROSTER_MEMBERS",
        ),
        (
            |doc| doc.members[1].jurisdiction = "de".to_owned(),
            "ROSTER_MEMBERS",
        ),
        (|doc| doc.members[1].name.push('\u{202E}'), "ROSTER_MEMBERS"),
        (
            |doc| doc.members[1].state = "left".to_owned(),
            "ROSTER_STATE",
        ),
        (|doc| doc.members[1].gov_threshold = 0, "ROSTER_KEY"),
        (|doc| doc.members[1].gov_threshold = 2, "ROSTER_KEY"),
        (
            |doc| doc.members[1].gov_keys[0].make_ascii_uppercase(),
            "ROSTER_KEY",
        ),
        (
            |doc| {
                let first = doc.members[0].gov_keys[0].clone();
                doc.members[1].gov_keys = vec![first];
            },
            "KEY_REUSED",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(with_roster(change), expected);
    }
    let many = |doc: &mut RosterDoc| {
        let one = doc.members[0].clone();
        doc.members = vec![one; MAX_MEMBERS + 1];
    };
    assert_eq!(with_roster(many), "ROSTER_MEMBERS");
}

#[test]
fn weak_keys_are_admitted_nowhere() {
    let small_order = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa";
    let torsion = "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d";
    for weak in [small_order, torsion] {
        assert_eq!(
            with_roster(|doc| doc.members[0].gov_keys = vec![weak.to_owned()]),
            "ROSTER_KEY"
        );
        assert_eq!(
            with_manifest(|doc| weak.clone_into(&mut doc.log_key)),
            "MANIFEST_KEY"
        );
        assert_eq!(
            with_manifest(|doc| weak.clone_into(&mut doc.mirror_key)),
            "MANIFEST_KEY"
        );
        assert_eq!(
            with_manifest(|doc| weak.clone_into(&mut doc.record_keys[0].key)),
            "MANIFEST_KEY"
        );
    }
}

#[test]
fn manifests_that_break_a_rule_are_refused() {
    type Change = fn(&mut ManifestDoc);
    let cases: [(Change, &str); 19] = [
        (|_| (), "ok"),
        (|doc| doc.version = 2, "MANIFEST_NOT_YET"),
        (|doc| doc.member = "fr".to_owned(), "MANIFEST_MEMBER"),
        (|doc| doc.member = "us".to_owned(), "MANIFEST_SIGNATURE"),
        (|doc| doc.generation = 0, "MANIFEST_GENERATION"),
        (|doc| doc.mirror_key = doc.log_key.clone(), "KEY_REUSED"),
        (
            |doc| doc.record_keys[1].key = doc.log_key.clone(),
            "KEY_REUSED",
        ),
        (
            |doc| doc.record_keys[2].key = doc.record_keys[1].key.clone(),
            "KEY_REUSED",
        ),
        (
            |doc| doc.record_keys[1].person.clear(),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].person = "a b".to_owned(),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].roles.clear(),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].roles.push("officer".to_owned()),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].roles.push("node".to_owned()),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].roles = vec!["king".to_owned()],
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.record_keys[1].to_index = Some(0),
            "MANIFEST_RECORD_KEYS",
        ),
        (
            |doc| doc.tls.trust_domain = "us.test.tocsin.example".to_owned(),
            "MANIFEST_TLS",
        ),
        (|doc| doc.tls.ca_pem.clear(), "MANIFEST_TLS"),
        (|doc| doc.tls.endpoints.clear(), "MANIFEST_TLS"),
        (
            |doc| doc.tls.endpoints = vec!["a:1".to_owned(); 9],
            "MANIFEST_TLS",
        ),
    ];
    for (change, expected) in cases {
        assert_eq!(with_manifest(change), expected);
    }
    assert_eq!(
        with_manifest(|doc| doc.record_keys[1].roles.push("investigator".to_owned())),
        "ok"
    );
    let gov = key("us", Who::Gov).public().to_string();
    assert_eq!(with_manifest(|doc| doc.log_key = gov), "KEY_REUSED");
    let foreign = key("us", Who::Log).public().to_string();
    assert_eq!(with_manifest(|doc| doc.log_key = foreign), "KEY_REUSED");
}

#[test]
fn a_manifest_is_signed_by_its_own_member_alone() {
    let (roster, manifests) = envelopes();
    for signers in [
        vec![],
        vec![key("us", Who::Gov)],
        vec![key("de", Who::Ana)],
        vec![key("de", Who::Gov), key("us", Who::Gov)],
    ] {
        let mut changed = manifests.clone();
        changed[1] = sign_manifest(&manifest_doc("de"), &signers);
        assert_eq!(
            code(Alliance::open(roster.clone(), changed)),
            "MANIFEST_SIGNATURE"
        );
    }
    let twice = vec![manifests[0].clone(), manifests[0].clone()];
    assert_eq!(code(Alliance::open(roster.clone(), twice)), "KEY_REUSED");
    let mut four = manifests;
    four.push(four[0].clone());
    assert_eq!(code(Alliance::open(roster, four)), "MANIFEST_MEMBER");
}

#[test]
fn parts_in_each_others_place_are_refused() {
    let (roster, manifests) = envelopes();
    assert_eq!(
        code(Alliance::open(manifests[0].clone(), Vec::new())),
        "ROSTER_TYPE"
    );
    let wrong = vec![roster.clone()];
    assert_eq!(code(Alliance::open(roster, wrong)), "MANIFEST_TYPE");
}

#[test]
fn a_bundle_may_carry_some_manifests_but_an_alliance_file_has_all() {
    let (roster, mut manifests) = envelopes();
    manifests.pop();
    let partial = Alliance::open(roster.clone(), manifests.clone()).unwrap();
    assert_eq!((partial.member_count(), partial.members().count()), (3, 2));
    assert!(partial.is_member("kr") && partial.member("kr").is_none());
    let file = serde_json::to_vec(&AllianceFile::new(&roster, &manifests)).unwrap();
    assert_eq!(code(Alliance::parse(&file)), "MANIFEST_MISSING");
}

#[test]
fn alliance_files_that_are_not_of_the_expected_shape_are_refused() {
    let file = String::from_utf8(alliance_file()).unwrap();
    for changed in [
        String::new(),
        "{}".to_owned(),
        "[".repeat(200),
        file.replacen("payloadType", "payload_type", 1),
        file.replacen("{\"roster\"", "{\"extra\":1,\"roster\"", 1),
        file.replacen("\"keyid\":\"", "\"keyid\":\"0", 1),
        file.replacen("\"sig\":\"", "\"sig\":\"!", 1),
        file.replacen("\"manifests\":", "\"manifests\":[],\"manifests\":", 1),
        format!("{file}x"),
    ] {
        assert_eq!(code(Alliance::parse(changed.as_bytes())), "ROSTER_SYNTAX");
    }
    let long = vec![b' '; MAX_ALLIANCE_FILE_BYTES + 1];
    assert_eq!(code(Alliance::parse(&long)), "ROSTER_TOO_LARGE");
}

#[test]
fn documents_with_unknown_keys_are_refused() {
    let mut payload = serde_json::to_value(roster_doc()).unwrap();
    payload["quorum"] = 1.into();
    let founders = founders();
    let signers: Vec<&SigningKey> = founders.iter().collect();
    let roster = Envelope::sign(ROSTER_TYPE, payload.to_string().into_bytes(), &signers);
    assert_eq!(code(Alliance::open(roster, Vec::new())), "ROSTER_SYNTAX");
}

proptest! {
    #[test]
    fn no_bytes_make_parsing_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200), at: prop::sample::Index,
    ) {
        let _ = Alliance::parse(&bytes);
        let mut file = alliance_file();
        let at = at.index(file.len());
        file[at] = bytes.first().copied().unwrap_or_default();
        let _ = Alliance::parse(&file);
    }
}
