//! Notes and checkpoints against `signed_note` and `tlog_tiles`, both ways.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, Verifier, VerifierList};
use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::cosign::Cosigner;
use tocsin_log::key::SigningKey;
use tocsin_log::note::{Note, SignatureLine, TYPE_ED25519, VerifierKey, key_id};
use tocsin_oracles::{Logs, theirs};

fn origin() -> Origin {
    Origin::new("demo.tocsin.example", "jp", 1).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

fn checkpoint(size: u64) -> Checkpoint {
    let root = Logs::of(size).tree.root();
    Checkpoint {
        origin: origin(),
        size,
        root,
    }
}

/// A public key in the text form that both sides read.
fn vkey(name: &str, key: &SigningKey) -> String {
    let name = name.to_owned();
    VerifierKey {
        name,
        signature_type: TYPE_ED25519,
        key: key.public(),
    }
    .to_string()
}

/// Their verifiers, with our log's key.
fn verifiers() -> VerifierList {
    let verifier = StandardVerifier::new(&vkey(&origin().to_string(), &key())).unwrap();
    VerifierList::new(vec![Box::new(verifier)])
}

/// Their signer, with our log's key.
fn signer() -> StandardSigner {
    let name = origin().to_string();
    let id = u32::from_be_bytes(key_id(&name, TYPE_ED25519, &key().public()));
    let secret = STANDARD.encode([&[TYPE_ED25519], key().seed().as_slice()].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{secret}")).unwrap()
}

/// Our note with a mirror's cosignature under it.
fn cosigned(size: u64) -> SignedCheckpoint {
    let note = checkpoint(size).sign(&key()).unwrap().to_bytes();
    let mut signed = SignedCheckpoint::open(&note, &origin(), &key().public()).unwrap();
    let mut cosigner = Cosigner::new(origin(), "demo.tocsin.example/de/mirror", None);
    let decision = cosigner.decide(&signed, 1_795_000_000).unwrap();
    signed
        .add_line(decision.sign(&SigningKey::from_seed([4; 32])))
        .unwrap();
    signed
}

#[test]
fn our_checkpoints_open_on_their_side() {
    for size in 1..50 {
        let note = checkpoint(size).sign(&key()).unwrap().to_bytes();
        let read = signed_note::Note::from_bytes(&note).unwrap();
        let (known, unknown) = read.verify(&verifiers()).unwrap();
        assert_eq!((known.len(), unknown.len()), (1, 0));
        let text = tlog_tiles::Checkpoint::from_bytes(read.text()).unwrap();
        assert_eq!(text.origin(), origin().to_string());
        assert_eq!(text.size(), size);
        assert_eq!(text.hash(), &theirs(checkpoint(size).root));
        assert_eq!(text.extension(), "");
        assert_eq!(read.to_bytes(), note);
    }
}

#[test]
fn their_checkpoints_open_on_our_side() {
    for size in 1..50 {
        let root = theirs(checkpoint(size).root);
        let text = tlog_tiles::Checkpoint::new(&origin().to_string(), size, root, "").unwrap();
        let mut note = signed_note::Note::new(&text.to_bytes(), &[]).unwrap();
        note.add_sigs(&[&signer()]).unwrap();
        let opened = SignedCheckpoint::open(&note.to_bytes(), &origin(), &key().public()).unwrap();
        assert_eq!(opened.checkpoint(), &checkpoint(size));
        // Ed25519 is deterministic, so the two even write the same bytes.
        assert_eq!(
            note.to_bytes(),
            checkpoint(size).sign(&key()).unwrap().to_bytes()
        );
    }
}

#[test]
fn cosignatures_are_unknown_lines_to_them_and_sign_what_c2sp_says() {
    let signed = cosigned(7);
    let read = signed_note::Note::from_bytes(&signed.note().to_bytes()).unwrap();
    let (known, unknown) = read.verify(&verifiers()).unwrap();
    assert_eq!((known.len(), unknown.len()), (1, 1));

    let line = &signed.note().signatures[1];
    let (time, signature) = line.bytes.split_at(8);
    assert_eq!(time, 1_795_000_000_u64.to_be_bytes());
    let message = [b"cosignature/v1\ntime 1795000000\n", read.text()].concat();
    let mirror = vkey("mirror", &SigningKey::from_seed([4; 32]));
    assert!(
        StandardVerifier::new(&mirror)
            .unwrap()
            .verify(&message, signature)
    );
    assert_eq!(
        unknown[0].to_bytes(),
        format!("{}\n", line.to_line()).into_bytes()
    );
}

#[test]
fn a_wrong_signature_of_a_known_key_spoils_the_note_on_both_sides() {
    let mut note = Note::parse(&checkpoint(7).sign(&key()).unwrap().to_bytes()).unwrap();
    note.signatures[0].bytes[5] ^= 1;
    let bytes = note.to_bytes();
    assert!(SignedCheckpoint::open(&bytes, &origin(), &key().public()).is_err());
    assert!(
        signed_note::Note::from_bytes(&bytes)
            .unwrap()
            .verify(&verifiers())
            .is_err()
    );
    note.signatures.clear();
    note.signatures
        .push(SignatureLine::parse("\u{2014} x AAAAAAA=").unwrap());
    let bytes = note.to_bytes();
    assert!(SignedCheckpoint::open(&bytes, &origin(), &key().public()).is_err());
    assert!(
        signed_note::Note::from_bytes(&bytes)
            .unwrap()
            .verify(&verifiers())
            .is_err()
    );
}

#[test]
fn both_sides_refuse_malformed_notes() {
    let good = String::from_utf8(cosigned(7).note().to_bytes()).unwrap();
    let bad = [
        String::new(),
        "\n".to_owned(),
        good.trim_end().to_owned(),
        good.replace("\n\n", "\n"),
        good.replace('\u{2014}', "--"),
        good.replace('\n', "\r\n"),
        good.replace("/jp/1 ", "/jp/1\u{2003}"),
        good.replace("de/mirror ", "de+mirror "),
        good.replace("de/mirror ", "de/mirror  "),
        good.replace("=\n", "\n"),
        format!("{good}\n"),
        format!("{good}x"),
    ];
    for bad in bad {
        assert!(Note::parse(bad.as_bytes()).is_err(), "{bad:?}");
        assert!(
            signed_note::Note::from_bytes(bad.as_bytes()).is_err(),
            "{bad:?}"
        );
    }
}

/// What the properties damage, made once.
static NOTE: LazyLock<Vec<u8>> = LazyLock::new(|| cosigned(7).note().to_bytes());
static TEXT: LazyLock<Vec<u8>> = LazyLock::new(|| checkpoint(1234).text().into_bytes());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5000))]

    #[test]
    fn damaged_notes_are_read_alike(at: usize, value: u8, cut: usize, whole: bool) {
        let mut bytes = NOTE.clone();
        let at = at % bytes.len();
        bytes[at] = value;
        if !whole {
            bytes.truncate(cut % bytes.len());
        }
        let (here, there) = (Note::parse(&bytes), signed_note::Note::from_bytes(&bytes));
        prop_assert_eq!(here.is_ok(), there.is_ok());
        if let (Ok(here), Ok(there)) = (here, there) {
            prop_assert_eq!(here.text.as_bytes(), there.text());
            prop_assert_eq!(here.to_bytes(), there.to_bytes());
            let opened = SignedCheckpoint::open(&bytes, &origin(), &key().public());
            prop_assert_eq!(opened.is_ok(), there.verify(&verifiers()).is_ok());
        }
    }

    #[test]
    fn damaged_checkpoints_that_we_read_they_read_too(at: usize, value: u8) {
        let mut bytes = TEXT.clone();
        let at = at % bytes.len();
        bytes[at] = value;
        let Ok(text) = str::from_utf8(&bytes) else { return Ok(()) };
        if let Ok(here) = Checkpoint::parse_text(text) {
            let there = tlog_tiles::Checkpoint::from_bytes(&bytes).unwrap();
            prop_assert_eq!(there.origin(), here.origin.to_string());
            prop_assert_eq!((there.size(), there.hash()), (here.size, &theirs(here.root)));
        }
    }
}
