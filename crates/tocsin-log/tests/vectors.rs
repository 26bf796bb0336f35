//! Public test vectors, and what this crate must say of each. Their origin: `vectors/ORIGIN.md`.
#![expect(
    clippy::unwrap_used,
    reason = "a vector that cannot be read is a failed test"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tocsin_log::hash::Hash;
use tocsin_log::key::{BadSignature, KeyError, PublicKey, Signature};
use tocsin_log::note::{Note, NoteError, SignatureLine, TYPE_ED25519, VerifierKey, key_id};
use tocsin_log::proof::{verify_consistency, verify_inclusion};

fn read(json: &str) -> Value {
    serde_json::from_str(json).unwrap()
}

fn hex(text: &Value) -> Vec<u8> {
    let digits = text.as_str().unwrap().as_bytes();
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A hash in base64; some cases give something else in its place, which is a refusal too.
fn hash(text: &Value) -> Option<Hash> {
    let bytes = STANDARD.decode(text.as_str().unwrap()).unwrap();
    Hash::try_from(bytes.as_slice()).ok()
}

/// The hashes of a proof; in these cases an empty one is also written as null.
fn proof(case: &Value) -> Option<Vec<Hash>> {
    case["proof"]
        .as_array()
        .into_iter()
        .flatten()
        .map(hash)
        .collect()
}

#[test]
fn rfc_6962_proofs_are_judged_as_transparency_dev_judges_them() {
    let cases = read(include_str!("vectors/merkle_rfc6962_proof_cases.json"));
    let (mut inclusions, mut consistencies) = (0, 0);
    for (path, case) in cases.as_object().unwrap() {
        let number = |field: &str| case[field].as_u64().unwrap();
        let included = |size| {
            let (leaf, root) = (hash(&case["leafHash"])?, hash(&case["root"])?);
            verify_inclusion(&leaf, number("leafIdx"), size, &proof(case)?, &root).ok()
        };
        let consistent = |old, new| {
            let (old_root, new_root) = (hash(&case["root1"])?, hash(&case["root2"])?);
            verify_consistency(old, new, &old_root, &new_root, &proof(case)?).ok()
        };
        // A subtree from the start is a tree of its own; later ones have no counterpart here.
        let kind = path.split_once('/').unwrap().0;
        let verdict = match kind {
            "inclusion" => included(number("treeSize")),
            "consistency" => consistent(number("size1"), number("size2")),
            "subtreeinclusion" if number("start") == 0 => included(number("end")),
            "subtreeconsistency" if number("start") == 0 => {
                consistent(number("end"), number("size"))
            }
            "subtreeinclusion" | "subtreeconsistency" => continue,
            other => panic!("unknown kind {other}"),
        };
        assert_eq!(
            verdict.is_none(),
            case["wantErr"].as_bool().unwrap(),
            "{path}"
        );
        if kind.ends_with("inclusion") {
            inclusions += 1
        } else {
            consistencies += 1
        }
    }
    assert!(
        inclusions >= 71 + 70 && consistencies >= 64 + 60,
        "{inclusions} {consistencies}"
    );
}

/// The literal block with this number in one of the C2SP specifications.
fn example(spec: &str, number: &Value) -> String {
    let blocks = read(include_str!("vectors/c2sp_tlog_examples.json"));
    let mut blocks = blocks.as_array().unwrap().iter();
    let block = blocks
        .find(|block| block["spec"] == spec && &block["n"] == number)
        .unwrap();
    block["text"].as_str().unwrap().to_owned()
}

#[test]
fn the_signed_note_of_c2sp_opens_with_its_key() {
    let vkey = example("signed-note.md", &"indent6".into());
    let verifier = VerifierKey::parse(vkey.trim()).unwrap();
    assert_eq!(verifier.name, "example.com/foo");
    assert_eq!(verifier.to_string(), vkey.trim());
    assert_eq!(
        key_id(&verifier.name, TYPE_ED25519, &verifier.key),
        [0x53, 0x0d, 0x90, 0x3a]
    );

    let bytes = example("signed-note.md", &1.into());
    let note = Note::parse(bytes.as_bytes()).unwrap();
    assert_eq!(note.text, "This is an example message.\n");
    assert_eq!(note.verify(&verifier.name, &verifier.key), Ok(()));
    let changed = Note {
        text: "This is another message.\n".to_owned(),
        ..note
    };
    assert_eq!(
        changed.verify(&verifier.name, &verifier.key),
        Err(NoteError::BadSignature)
    );
    // The other example is by another name: an unsigned note, for this key.
    let other = Note::parse(example("signed-note.md", &0.into()).as_bytes()).unwrap();
    assert_eq!(
        other.verify(&verifier.name, &verifier.key),
        Err(NoteError::Unsigned)
    );
}

#[test]
fn every_whole_note_and_line_of_c2sp_is_read_and_written_back() {
    let notes = [
        ("signed-note.md", 0),
        ("signed-note.md", 1),
        ("tlog-checkpoint.md", 0),
        ("tlog-cosignature.md", 0),
    ];
    for (spec, number) in notes {
        let bytes = example(spec, &number.into()).into_bytes();
        assert_eq!(
            Note::parse(&bytes).unwrap().to_bytes(),
            bytes,
            "{spec} {number}"
        );
    }
    for block in ["indent3", "indent4"] {
        for line in example("tlog-witness.md", &block.into()).lines() {
            assert_eq!(SignatureLine::parse(line).unwrap().to_line(), line);
        }
    }
    // Examples that the specifications abbreviate are no notes.
    let abbreviated = example("tlog-proof.md", &0.into());
    assert_eq!(Note::parse(abbreviated.as_bytes()), Err(NoteError::Line));
}

#[test]
fn the_cosignature_of_c2sp_has_its_time_in_front() {
    let note = Note::parse(example("tlog-cosignature.md", &0.into()).as_bytes()).unwrap();
    let message = example("tlog-cosignature.md", &"indent4".into());
    let line = &note.signatures[1];
    assert_eq!(line.name, "witness.example.com/w1");
    let (time, signature) = line.bytes.split_first_chunk().unwrap();
    assert_eq!(signature.len(), Signature::LEN);
    let time = u64::from_be_bytes(*time);
    assert_eq!(
        format!("cosignature/v1\ntime {time}\n{}", note.text),
        message
    );
}

#[test]
fn speccheck_keys_that_libraries_disagree_on_are_not_admitted() {
    let cases = read(include_str!("vectors/ed25519_speccheck_cases.json"));
    let results = include_str!("vectors/ed25519_speccheck_results.md");
    let row = results
        .lines()
        .find(|line| line.starts_with("|Dalek strict"))
        .unwrap();
    let strict: Vec<_> = row.split('|').skip(2).map(str::trim).take(12).collect();
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 12);
    for (number, case) in cases.iter().enumerate() {
        let (message, key) = (hex(&case["message"]), hex(&case["pub_key"]));
        let signature = Signature::try_from(hex(&case["signature"]).as_slice()).unwrap();
        // The verifier alone gives the row that the authors measured, so the rule has not moved.
        let verifier = ed25519_dalek::VerifyingKey::from_bytes(&key[..].try_into().unwrap());
        let verdict = verifier.is_ok_and(|verifier| {
            let signature = ed25519_dalek::Signature::from_bytes(signature.as_bytes());
            verifier.verify_strict(&message, &signature).is_ok()
        });
        assert_eq!(verdict, strict[number] == "V", "case {number}");
        // With admission in front nothing passes, and only S >= L is left to the verifier.
        match (number, PublicKey::try_from(key.as_slice())) {
            (6 | 7, Ok(key)) => assert_eq!(key.verify(&message, &signature), Err(BadSignature)),
            (0 | 1, refused) => assert_eq!(refused, Err(KeyError::SmallOrder)),
            (10 | 11, refused) => assert_eq!(refused, Err(KeyError::NotCanonical)),
            (_, refused) => assert_eq!(refused, Err(KeyError::NotTorsionFree), "case {number}"),
        }
    }
}

#[test]
fn wycheproof_signatures_are_judged_as_it_says() {
    let file = read(include_str!("vectors/wycheproof_ed25519_test.json"));
    let mut judged = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let key = PublicKey::try_from(hex(&group["publicKey"]["pk"]).as_slice());
        for test in group["tests"].as_array().unwrap() {
            let signature = Signature::try_from(hex(&test["sig"]).as_slice());
            let verdict = key.is_ok_and(|key| {
                signature.is_ok_and(|signature| key.verify(&hex(&test["msg"]), &signature).is_ok())
            });
            assert_eq!(verdict, test["result"] == "valid", "tcId {}", test["tcId"]);
            judged += 1;
        }
    }
    assert_eq!(judged, file["numberOfTests"].as_u64().unwrap());
    assert_eq!(judged, 106);
}
