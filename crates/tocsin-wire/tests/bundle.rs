//! Evidence files as a reader meets them: genuine, cut, exchanged, and flipped bit by bit.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use tocsin_core::roster::Alliance;
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::hash::Hash;
use tocsin_log::note::{Note, SignatureLine};
use tocsin_log::quorum::Grade;

use tocsin_wire::bundle::assemble::assemble;
use tocsin_wire::bundle::verify::{Verified, verify};
use tocsin_wire::bundle::*;
use world::{INDEX, NOW_S, World};

mod world;

const LABEL: &str = "demo.tocsin.example";

fn genuine() -> (World, Bundle) {
    let world = World::new(LABEL, 1);
    let bundle = world.bundle(&["jp"], &["jp", "de", "kr"]);
    (world, bundle)
}

fn judge(world: &World, bundle: &Bundle) -> Result<Verified, BundleError> {
    verify(&encode(bundle), Some(&world.genesis()))
}

/// The code with which the genuine file is refused after `change`.
fn refused(change: impl FnOnce(&mut Bundle, &mut Acceptance)) -> &'static str {
    let (world, mut bundle) = genuine();
    let mut acceptance = bundle.acceptance.take().unwrap();
    change(&mut bundle, &mut acceptance);
    bundle.acceptance = Some(acceptance);
    judge(&world, &bundle).unwrap_err().code()
}

#[test]
fn a_genuine_file_is_authentic_accepted_and_graded() {
    let (world, bundle) = genuine();
    let verified = judge(&world, &bundle).unwrap();
    assert!(verified.anchored);
    assert_eq!(verified.genesis, world.genesis());
    assert_eq!(verified.alliance, LABEL);
    assert_eq!(verified.origin, world.origin("us"));
    assert_eq!(verified.index, INDEX);
    assert_eq!(verified.statement_id, bundle.entry.statement_id());
    assert_eq!(verified.statement.number, 412);
    assert_eq!(verified.author.persons.len(), 2);
    assert_eq!(verified.bodies, [Some(bundle.bodies[0].clone())]);
    assert_eq!((verified.grade, verified.members), (Grade::Confirmed, 4));
    // jp cosigned twice: counted once, from the first time.
    let held: Vec<_> = verified
        .cosigned
        .iter()
        .map(|(m, t)| (m.as_str(), *t))
        .collect();
    assert_eq!(
        held,
        [("de", NOW_S + 8), ("jp", NOW_S + 5), ("kr", NOW_S + 9)]
    );
    assert_eq!(verified.accepted_as_of(), Some(NOW_S + 9));
}

#[test]
fn a_file_made_from_a_nodes_own_store_verifies_and_holds_no_strangers_line() {
    let (world, bundle) = genuine();
    let alliance = Alliance::open(world.roster.clone(), world.manifests.clone()).unwrap();
    let us = alliance.member("us").unwrap();
    let held = world.note(&bundle.entry, 7, &["jp", "de"]);
    let mut note = Note::parse(&held.note).unwrap();
    note.signatures.push(SignatureLine {
        name: "stranger.example/witness".into(),
        key_id: [1; 4],
        bytes: vec![2; 72],
    });
    let key = us.log_key;
    let signed = SignedCheckpoint::open(&note.to_bytes(), &us.origin, &key).unwrap();
    let file = assemble(
        bundle.entry.clone(),
        bundle.bodies,
        INDEX,
        &[(signed, held.proof.clone())],
        us,
        &alliance,
    );
    let acceptance = file.acceptance.as_ref().unwrap();
    assert_eq!(acceptance.notes, [held]);
    assert_eq!(acceptance.manifests.len(), 3);
    let verified = judge(&world, &file).unwrap();
    assert_eq!(verified.grade, Grade::Confirmed);
}

#[test]
fn without_a_trusted_hash_it_is_consistent_but_unanchored() {
    let (world, bundle) = genuine();
    let verified = verify(&encode(&bundle), None).unwrap();
    assert!(!verified.anchored);
    assert_eq!(verified.genesis, world.genesis());
}

#[test]
fn the_grade_counts_members_not_lines() {
    let world = World::new(LABEL, 1);
    let grade = |at_five: &[&str], at_seven: &[&str]| {
        judge(&world, &world.bundle(at_five, at_seven))
            .unwrap()
            .grade
    };
    assert_eq!(grade(&[], &[]), Grade::Local);
    assert_eq!(grade(&["jp"], &["jp", "jp"]), Grade::Local);
    assert_eq!(grade(&["jp"], &["de"]), Grade::Confirmed);
    // The origin counts as one already.
    assert_eq!(grade(&["us"], &["us", "jp"]), Grade::Local);
    assert_eq!(
        judge(&world, &world.bundle(&[], &[]))
            .unwrap()
            .accepted_as_of(),
        None
    );
}

#[test]
fn a_file_with_a_withheld_body_still_proves_the_statement() {
    let (world, mut bundle) = genuine();
    bundle.bodies.clear();
    assert_eq!(judge(&world, &bundle).unwrap().bodies, [None]);
}

#[test]
fn a_submission_is_not_accepted_yet() {
    let world = World::new(LABEL, 1);
    let (entry, body) = world.order(&["first"]);
    let draft = Bundle {
        entry,
        bodies: vec![body],
        acceptance: None,
    };
    let bytes = encode(&draft);
    assert_eq!(decode(&bytes), Ok(draft));
    assert_eq!(
        verify(&bytes, None).unwrap_err().code(),
        "BUNDLE_NOT_ACCEPTED"
    );
}

#[test]
fn parts_exchanged_between_two_genuine_alliances_are_refused_each_for_its_own_reason() {
    // The worst case: the other alliance has the same label, members and numbers, other keys.
    let other = World::new(LABEL, 2).bundle(&["jp"], &["jp", "de", "kr"]);
    let theirs = other.acceptance.unwrap();
    let codes = [
        refused(|_, a| a.rosters.clone_from(&theirs.rosters)),
        refused(|_, a| a.manifests[0] = theirs.manifests[0].clone()),
        refused(|_, a| a.notes[1].proof.clone_from(&theirs.notes[1].proof)),
        refused(|_, a| a.notes[1].note.clone_from(&theirs.notes[1].note)),
        refused(|b, _| b.entry = other.entry.clone()),
    ];
    assert_eq!(
        codes,
        [
            "GENESIS_MISMATCH",
            "MANIFEST_SIGNATURE",
            "PROOF_MISMATCH",
            "NOTE_SIGNATURE",
            "SIGNER_UNKNOWN",
        ]
    );
}

#[test]
fn without_a_trusted_hash_a_foreign_roster_still_fits_no_manifest() {
    let (_, mut bundle) = genuine();
    let other = World::new(LABEL, 2);
    bundle.acceptance.as_mut().unwrap().rosters = vec![other.roster];
    assert_eq!(
        verify(&encode(&bundle), None).unwrap_err().code(),
        "MANIFEST_SIGNATURE"
    );
}

#[test]
fn parts_of_an_alliance_with_another_name_are_refused_by_name() {
    let other = World::new("other.example", 2).bundle(&["jp"], &["jp", "de", "kr"]);
    let theirs = other.acceptance.unwrap();
    assert_eq!(
        refused(|_, a| a.notes = theirs.notes.clone()),
        "NOTE_OTHER_LOG"
    );
    assert_eq!(
        refused(|b, _| b.entry = other.entry.clone()),
        "MANIFEST_OF_AUTHOR_MISSING"
    );
}

#[test]
fn a_proof_that_is_cut_longer_or_of_another_place_is_refused() {
    assert_eq!(refused(|_, a| a.notes[0].proof.truncate(1)), "PROOF_LENGTH");
    assert_eq!(refused(|_, a| a.notes[1].proof.clear()), "PROOF_LENGTH");
    assert_eq!(
        refused(|_, a| a.notes[1].proof.push(Hash([0; 32]))),
        "PROOF_LENGTH"
    );
    assert_eq!(
        refused(|_, a| a.notes[1].proof.resize(64, Hash([0; 32]))),
        "PROOF_MALFORMED"
    );
    assert_eq!(refused(|_, a| a.index = 3), "PROOF_MISMATCH");
    assert_eq!(refused(|_, a| a.index = 5), "PROOF_INDEX");
    assert_eq!(refused(|_, a| a.index = u64::MAX), "PROOF_INDEX");
}

#[test]
fn a_body_other_than_the_one_named_is_refused() {
    assert_eq!(refused(|b, _| b.bodies[0].push(0)), "BODY_DIGEST");
    assert_eq!(refused(|b, _| b.bodies[0][40] ^= 1), "BODY_DIGEST");
    assert_eq!(refused(|b, _| b.bodies.push(vec![1])), "BODY_COUNT");
    assert_eq!(refused(|b, _| b.bodies = vec![vec![1]; 9]), "BODY_COUNT");
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(refused(|_, a| a.rosters.clear()), "ROSTER_MISSING");
    assert_eq!(
        refused(|_, a| a.rosters.push(a.rosters[0].clone())),
        "ROSTER_NOT_YET"
    );
    assert_eq!(refused(|_, a| a.notes.clear()), "NOTE_MISSING");
    assert_eq!(
        refused(|_, a| drop(a.manifests.remove(0))),
        "MANIFEST_OF_AUTHOR_MISSING"
    );
    // kr has cosigned, but nothing says which key is kr's.
    assert_eq!(
        refused(|_, a| drop(a.manifests.remove(3))),
        "NOTE_COSIGNATURE"
    );
    assert_eq!(
        refused(|_, a| a.manifests[3] = a.manifests[0].clone()),
        "KEY_REUSED"
    );
    assert_eq!(
        refused(|_, a| a.manifests.push(a.manifests[0].clone())),
        "MANIFEST_MEMBER"
    );
    assert_eq!(
        refused(|_, a| a.rosters[0].signatures.truncate(3)),
        "ROSTER_SIGNATURE"
    );
    assert_eq!(
        refused(|_, a| a.manifests[1].signatures.clear()),
        "MANIFEST_MALFORMED"
    );
}

#[test]
fn an_order_that_one_officer_signed_is_refused_even_from_a_log() {
    let world = World::new(LABEL, 1);
    let (entry, _) = world.order(&["first"]);
    let note = world.note(&entry, 5, &["jp", "de"]);
    let code = refused(|b, a| {
        b.entry = entry;
        a.notes = vec![note];
    });
    assert_eq!(code, "NEEDS_SECOND_OFFICER");
}

#[test]
fn a_line_by_a_stranger_or_with_a_false_signature_spoils_the_file() {
    let with = |change: &dyn Fn(&mut SignatureLine)| {
        refused(|_, a| {
            let mut note = Note::parse(&a.notes[1].note).unwrap();
            change(note.signatures.last_mut().unwrap());
            a.notes[1].note = note.to_bytes();
        })
    };
    assert_eq!(
        with(&|line| line.name = "stranger.example/xx/mirror".into()),
        "NOTE_COSIGNATURE"
    );
    assert_eq!(with(&|line| line.key_id[0] ^= 1), "NOTE_COSIGNATURE");
    // The time is signed as well.
    assert_eq!(with(&|line| line.bytes[7] ^= 1), "NOTE_COSIGNATURE");
    assert_eq!(with(&|line| line.bytes[70] ^= 1), "NOTE_COSIGNATURE");
}

#[test]
fn unknown_fields_trailing_bytes_and_second_spellings_are_refused() {
    let (world, bundle) = genuine();
    let good = encode(&bundle);
    let code = |more: &[u8]| {
        let bytes = [good.as_slice(), more].concat();
        verify(&bytes, Some(&world.genesis())).unwrap_err().code()
    };
    assert_eq!(code(&[0]), "BUNDLE_MALFORMED");
    assert_eq!(code(b"\x9a\x06\x05later"), "BUNDLE_UNKNOWN_FIELD");
    assert_eq!(code(&good), "BUNDLE_MALFORMED");
    // A further body that says nothing.
    assert_eq!(code(b"\x3a\x00"), "BODY_COUNT");
    assert_eq!(verify(b"TSN2", None).unwrap_err().code(), "BUNDLE_MAGIC");
    assert_eq!(verify(b"", None).unwrap_err().code(), "BUNDLE_MAGIC");
    let over = vec![0; MAX_BUNDLE_BYTES + 1];
    assert_eq!(verify(&over, None).unwrap_err().code(), "BUNDLE_TOO_LARGE");
    // An index of zero, spelled out.
    let draft = Bundle {
        acceptance: None,
        bodies: vec![],
        entry: bundle.entry,
    };
    let spelled = [encode(&draft), vec![0x18, 0x00]].concat();
    assert_eq!(
        verify(&spelled, None).unwrap_err().code(),
        "BUNDLE_NOT_CANONICAL"
    );
}

/// Each bit alone, over the whole file with `TOCSIN_EXHAUSTIVE=1`, else a sample: content under
/// sound framing, and the framing itself.
#[test]
fn every_flipped_bit_is_refused_with_a_reason() {
    let (world, bundle) = genuine();
    let good = encode(&bundle);
    let whole = std::env::var_os("TOCSIN_EXHAUSTIVE").is_some_and(|v| v == "1");
    let step = if whole { 1 } else { 41 };
    let mut codes = BTreeSet::new();
    for bit in (0..good.len() * 8).step_by(step) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match verify(&bytes, Some(&world.genesis())) {
            Ok(_) => panic!("bit {bit} of {} can be flipped unseen", good.len() * 8),
            Err(e) => codes.insert(e.code()),
        };
    }
    for code in [
        "GENESIS_MISMATCH",
        "ROSTER_SIGNATURE",
        "BODY_DIGEST",
        "PROOF_MISMATCH",
    ] {
        assert!(codes.contains(code), "{code} was not met: {codes:?}");
    }
}

/// Numbers, whose flipped bits change the framing around them; here it is made sound again.
#[test]
fn every_flipped_bit_of_every_number_is_refused_with_sound_framing() {
    for bit in 0..64 {
        let code = refused(|_, a| a.index ^= 1 << bit);
        assert!(code.starts_with("PROOF_"), "{bit}: {code}");
    }
    for bit in 0..8 {
        let alg = 1 << bit;
        assert_eq!(
            refused(|b, _| b.entry.signatures[1].alg ^= alg),
            "SIGNATURE_ALGORITHM"
        );
        assert_eq!(
            refused(|_, a| a.rosters[0].signatures[0].alg ^= alg),
            "ROSTER_SIGNATURE"
        );
        assert_eq!(
            refused(|_, a| a.manifests[2].signatures[0].alg ^= alg),
            "MANIFEST_SIGNATURE"
        );
    }
}

#[test]
fn every_code_of_this_crate_is_explained_once() {
    let codes: BTreeSet<&str> = ALL.iter().map(|e| e.code).collect();
    assert_eq!(codes.len(), ALL.len());
    for reason in tocsin_core::reason::ALL {
        assert_eq!(explain(reason.code()), None, "{} is core's", reason.code());
    }
    for e in ALL {
        assert!(
            e.meaning.ends_with('.') && e.remedy.ends_with('.'),
            "{}",
            e.code
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_files_never_panic(bytes: Vec<u8>) {
        let _ = verify(&bytes, None);
        let _ = verify(&[MAGIC.as_slice(), &bytes].concat(), None);
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(place: prop::sample::Index, byte: u8) {
        static GENUINE: LazyLock<Vec<u8>> = LazyLock::new(|| encode(&genuine().1));
        let mut bytes = GENUINE.clone();
        let at = place.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(encode(&read), bytes);
        }
    }
}
