//! The alliance: a roster that every founder signs, joined with all manifests into one file.

use std::path::Path;

use serde_json::{Value, json};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::{Mode, read_bounded, replace, write_new};

use tocsin_core::roster::document::{AllianceFile, EnvelopeDoc, RosterDoc};
use tocsin_core::roster::{Alliance, MAX_ALLIANCE_FILE_BYTES};
use tocsin_log::entry::{Entry, Envelope, ROSTER_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::keyfile::{KeyText, Purpose};

use super::member::{MemberFile, to_json};

/// The genesis roster of these members, not signed yet.
///
/// # Errors
/// When there are none, or their files speak of different alliances.
pub fn new_roster(members: &[MemberFile]) -> Result<Envelope, Failure> {
    let first = members
        .first()
        .ok_or_else(|| Failure::usage("no member files"))?;
    if let Some(other) = members.iter().find(|file| file.alliance != first.alliance) {
        return Err(Failure::usage(format!(
            "{} is for {}, {} for {}",
            first.member.id, first.alliance, other.member.id, other.alliance
        )));
    }
    let mut entries: Vec<_> = members.iter().map(|file| file.member.clone()).collect();
    entries.sort_by(|one, other| one.id.cmp(&other.id));
    if let Some([member, _]) = entries.array_windows().find(|[one, two]| one.id == two.id) {
        return Err(Failure::usage(format!("{} is given twice", member.id)));
    }
    let roster = RosterDoc {
        alliance: first.alliance.clone(),
        version: 1,
        prev_sha256: String::new(),
        members: entries,
    };
    Ok(Envelope {
        payload_type: ROSTER_TYPE.to_owned(),
        payload: to_json(&roster)?,
        signatures: Vec::new(),
    })
}

/// Adds a member's signature to a roster.
///
/// # Errors
/// When the key is no gov key of a member in it.
pub fn sign(roster: &mut Envelope, gov: &KeyText) -> Result<(), Failure> {
    let public = gov.key.public().to_string();
    let doc = read_doc(roster)?;
    if gov.purpose != Purpose::Gov
        || !doc
            .members
            .iter()
            .any(|member| member.gov_keys.contains(&public))
    {
        return Err(
            Failure::new(Exit::NotPermitted, "this key is no gov key in the roster")
                .code("ROSTER_KEY")
                .advice("sign with keys/gov.key of a member that the roster names"),
        );
    }
    roster.add_signature(&gov.key);
    Ok(())
}

/// Joins copies of one roster, each signed by some founders.
///
/// # Errors
/// When they are not copies of one roster.
pub fn merge(copies: Vec<Envelope>) -> Result<Envelope, Failure> {
    let mut copies = copies.into_iter();
    let mut whole = copies.next().ok_or_else(|| Failure::usage("no roster"))?;
    for copy in copies {
        if copy.payload != whole.payload || copy.payload_type != whole.payload_type {
            return Err(Failure::new(Exit::Conflict, "these are different rosters")
                .detail(format!("{}", Hash::of(&whole.payload)))
                .detail(format!("{}", Hash::of(&copy.payload)))
                .advice("all founders sign copies of one file"));
        }
        for signature in copy.signatures {
            if !whole
                .signatures
                .iter()
                .any(|held| held.key_id == signature.key_id)
            {
                whole.signatures.push(signature);
            }
        }
    }
    whole.signatures.sort_by_key(|signature| signature.key_id);
    Ok(whole)
}

/// The alliance file, verified as every node will verify it.
///
/// # Errors
/// When a founder has not signed, or a manifest is missing or does not hold.
pub fn assemble(roster: &Envelope, members: &[MemberFile]) -> Result<Vec<u8>, Failure> {
    let manifests: Vec<Envelope> = members
        .iter()
        .map(|file| {
            let broken = || Failure::usage(format!("the manifest of {} is broken", file.member.id));
            file.manifest.to_envelope().ok_or_else(broken)
        })
        .collect::<Result<_, _>>()?;
    let bytes = to_json(&AllianceFile::new(roster, &manifests))?;
    open(&bytes)?;
    Ok(bytes)
}

/// The whole way at once, for members whose gov keys are all at hand: a demonstration or a test.
///
/// # Errors
/// As the single steps.
pub fn found(members: &[(MemberFile, KeyText)]) -> Result<Vec<u8>, Failure> {
    let files: Vec<MemberFile> = members.iter().map(|(file, _)| file.clone()).collect();
    let mut roster = new_roster(&files)?;
    members
        .iter()
        .try_for_each(|(_, gov)| sign(&mut roster, gov))?;
    assemble(&roster, &files)
}

/// Verifies an alliance file's bytes.
///
/// # Errors
/// A verification failure with the reason's stable code.
pub fn open(bytes: &[u8]) -> Result<Alliance, Failure> {
    Alliance::parse(bytes).map_err(|error| Failure::unverified(error.code(), error.to_string()))
}

/// Reads a roster file.
///
/// # Errors
/// When it is not there or not of its form.
pub fn read_roster(path: &Path) -> Result<Envelope, Failure> {
    let wrong = |why: &str| Failure::usage(format!("{} is not a roster: {why}", path.display()));
    let doc: EnvelopeDoc =
        serde_json::from_slice(&read_file(path)?).map_err(|error| wrong(&error.to_string()))?;
    let roster = doc
        .to_envelope()
        .ok_or_else(|| wrong("broken base64 or hex"))?;
    read_doc(&roster)?;
    Ok(roster)
}

/// Writes a roster file; `anew` says that none may be there yet.
///
/// # Errors
/// When it cannot be written.
pub fn write_roster(path: &Path, roster: &Envelope, anew: bool) -> Result<(), Failure> {
    let bytes = to_json(&EnvelopeDoc::from(roster))?;
    if anew {
        write_new(path, &bytes, Mode::Public)
    } else {
        replace(path, &bytes, Mode::Public)
    }
}

/// What an alliance or roster file says, for people and programs.
///
/// # Errors
/// When it is neither.
pub fn describe(path: &Path) -> Result<Value, Failure> {
    let bytes = read_file(path)?;
    let file: Result<AllianceFile, _> = serde_json::from_slice(&bytes);
    let roster = match &file {
        Ok(file) => file
            .roster
            .to_envelope()
            .ok_or_else(|| Failure::usage(format!("{} is broken", path.display())))?,
        Err(_) => read_roster(path)?,
    };
    let doc = read_doc(&roster)?;
    let members: Vec<Value> = doc
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id, "jurisdiction": member.jurisdiction, "name": member.name,
                "signed": is_signed_by(&roster, &member.gov_keys),
            })
        })
        .collect();
    Ok(json!({
        "alliance": doc.alliance,
        "version_of_roster": doc.version,
        "genesis": Hash::of(&roster.payload).to_string(),
        "members": members,
        "complete": file.is_ok(),
    }))
}

/// A hash in groups that can be read aloud.
#[must_use]
pub fn spoken(hash: &Hash) -> String {
    let hex = hash.to_string();
    let groups: Vec<&str> = (0..hex.len())
        .step_by(4)
        .filter_map(|at| hex.get(at..at + 4))
        .collect();
    groups.join(" ")
}

fn is_signed_by(roster: &Envelope, gov_keys: &[String]) -> bool {
    let keys: Vec<_> = gov_keys
        .iter()
        .filter_map(|hex| tocsin_log::key::PublicKey::from_hex(hex).ok())
        .collect();
    !roster.signers(&keys).is_empty()
}

fn read_doc(roster: &Entry) -> Result<RosterDoc, Failure> {
    if roster.payload_type != ROSTER_TYPE {
        return Err(Failure::usage("this is not a roster").code("ROSTER_TYPE"));
    }
    serde_json::from_slice(&roster.payload)
        .map_err(|error| Failure::usage(format!("this is not a roster: {error}")))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    read_bounded(
        path,
        u64::try_from(MAX_ALLIANCE_FILE_BYTES).unwrap_or(u64::MAX),
    )
}
