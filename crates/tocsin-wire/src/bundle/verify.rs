//! Judges an evidence file from its bytes and one trusted hash, without a network.
//!
//! It can say that a statement is authentic and was accepted, and who held it when. It cannot say
//! what has become of it since: an order may have been withdrawn a minute later.

use std::collections::BTreeMap;

use tocsin_core::roster::{Alliance, Member};
use tocsin_core::statement::{BodyRef, Decoded, Statement};
use tocsin_core::validate::{Author, Verdict, validate};
use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::cosign;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::note::{SignatureLine, TYPE_ED25519, key_id};
use tocsin_log::proof::verify_inclusion;
use tocsin_log::quorum::{Grade, grade};

use super::{Acceptance, Bundle, BundleError, decode};
use crate::statement;

/// What an evidence file proves. Its present status, whether it is still in force, is unknown
/// offline.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Whether the genesis roster is the one the reader named. If not, all is consistent and
    /// proves nothing until [`Self::genesis`] has been compared with a member one knows.
    pub anchored: bool,
    /// SHA-256 of the genesis roster: the fingerprint to compare.
    pub genesis: Hash,
    /// The alliance's label.
    pub alliance: String,
    /// The author's log.
    pub origin: Origin,
    /// Place in it, counted from 0.
    pub index: u64,
    /// The statement's name.
    pub statement_id: Hash,
    /// What was said.
    pub statement: Box<Statement>,
    /// By whom.
    pub author: Author,
    /// The bodies that are in the file, each the one that the statement names; `None` = withheld.
    pub bodies: Vec<Option<Vec<u8>>>,
    /// How widely it was held.
    pub grade: Grade,
    /// Members in the alliance.
    pub members: usize,
    /// Who held it, by member id, with the earliest time shown: seconds since 1970, by the mirror's
    /// clock.
    pub cosigned: BTreeMap<String, u64>,
}

impl Verified {
    /// When the last of the members counted held it: it was accepted, and had its grade, as of
    /// then. `None` when only its own log has spoken for it. Seconds since 1970.
    #[must_use]
    pub fn accepted_as_of(&self) -> Option<u64> {
        self.cosigned.values().max().copied()
    }
}

/// Verifies a file, trusting nothing but `genesis`: the SHA-256 of the genesis roster's payload,
/// from the reader's context or as told by voice. Without it the answer is never
/// [anchored](Verified::anchored).
///
/// # Errors
/// [`BundleError`] names the first thing that does not hold, each with its own code.
pub fn verify(bytes: &[u8], genesis: Option<&Hash>) -> Result<Verified, BundleError> {
    let Bundle {
        entry,
        bodies,
        acceptance,
    } = decode(bytes)?;
    let acceptance = acceptance.ok_or(BundleError::NotAccepted)?;
    let alliance = open_alliance(&acceptance, genesis)?;
    let leaf = leaf_hash(&entry.encode()?);
    let decoded = statement::decode(&entry.payload);
    let member = author(&decoded, &alliance)?;
    let author = match validate(
        &entry,
        &decoded,
        &member.origin,
        acceptance.index,
        &alliance,
    ) {
        Verdict::Valid(author) => author,
        Verdict::Opaque { .. } => return Err(BundleError::StatementOpaque),
        Verdict::Invalid(refusal) => return Err(BundleError::Statement(refusal)),
    };
    let Decoded::Known(statement) = decoded else {
        return Err(BundleError::StatementOpaque);
    };
    let bodies = check_bodies(&statement.bodies, bodies)?;
    let cosigned = check_notes(&acceptance, &leaf, member, &alliance)?;
    let members = alliance.member_count();
    // The origin counts as one, and is never among those that cosigned.
    let holders = cosigned.len() + 1;
    Ok(Verified {
        anchored: genesis.is_some(),
        genesis: *alliance.genesis_hash(),
        alliance: alliance.label().to_owned(),
        origin: member.origin.clone(),
        index: acceptance.index,
        statement_id: entry.statement_id(),
        statement,
        author,
        bodies,
        grade: grade(members, holders),
        members,
        cosigned,
    })
}

fn open_alliance(acceptance: &Acceptance, genesis: Option<&Hash>) -> Result<Alliance, BundleError> {
    let roster = match acceptance.rosters.as_slice() {
        [] => return Err(BundleError::RosterMissing),
        [roster] => roster.clone(),
        [_, _, ..] => return Err(BundleError::RosterNotYet),
    };
    let found = Hash::of(&roster.payload);
    if let Some(&expected) = genesis
        && expected != found
    {
        return Err(BundleError::Genesis { expected, found });
    }
    Alliance::open(roster, acceptance.manifests.clone()).map_err(BundleError::Alliance)
}

/// The member whose log the statement names. Where it cannot be read any member will do: `validate`
/// refuses it in every log.
fn author<'a>(decoded: &Decoded, alliance: &'a Alliance) -> Result<&'a Member, BundleError> {
    let (log, member) = match decoded {
        Decoded::Known(statement) => (statement.log.as_str(), alliance.by_log(&statement.log)),
        Decoded::Opaque { log, .. } => (log.as_str(), alliance.by_log(log)),
        Decoded::Bad(_) => ("", alliance.members().next()),
    };
    member.ok_or_else(|| BundleError::AuthorManifest {
        log: log.to_owned(),
    })
}

fn check_bodies(
    named: &[BodyRef],
    bodies: Vec<Vec<u8>>,
) -> Result<Vec<Option<Vec<u8>>>, BundleError> {
    if bodies.is_empty() {
        return Ok(named.iter().map(|_| None).collect());
    }
    if bodies.len() != named.len() {
        return Err(BundleError::BodyCount {
            found: bodies.len(),
        });
    }
    named
        .iter()
        .zip(bodies)
        .enumerate()
        .map(|(place, (named, body))| {
            if body.is_empty() {
                return Ok(None);
            }
            let is_named =
                u64::try_from(body.len()) == Ok(named.length) && Hash::of(&body) == named.sha256;
            if is_named {
                Ok(Some(body))
            } else {
                Err(BundleError::BodyDigest { place })
            }
        })
        .collect()
}

/// Checks every note, line and proof; answers who held the entry, and since when at the latest.
fn check_notes(
    acceptance: &Acceptance,
    leaf: &Hash,
    author: &Member,
    alliance: &Alliance,
) -> Result<BTreeMap<String, u64>, BundleError> {
    if acceptance.notes.is_empty() {
        return Err(BundleError::NoteMissing);
    }
    let mut cosigned = BTreeMap::new();
    for (place, proven) in acceptance.notes.iter().enumerate() {
        let signed = SignedCheckpoint::open(&proven.note, &author.origin, &author.log_key)
            .map_err(|error| BundleError::Note { place, error })?;
        let at = signed.checkpoint();
        verify_inclusion(leaf, acceptance.index, at.size, &proven.proof, &at.root)
            .map_err(|error| BundleError::Proof { place, error })?;
        for line in &signed.note().signatures {
            // Opening the note has verified every line of the log's own key.
            if is_own(line, author) {
                continue;
            }
            // On the network a line by a stranger is skipped. Here it would be a byte that anyone
            // could change unseen, and a member's lost cosignature would pass for none.
            let (member, time) =
                cosigner(line, at, alliance).ok_or_else(|| BundleError::Cosigner {
                    place,
                    name: line.name.clone(),
                })?;
            if member.id != author.id {
                let earliest = cosigned.entry(member.id.clone()).or_insert(time);
                *earliest = time.min(*earliest);
            }
        }
    }
    Ok(cosigned)
}

/// Whether a line claims to be by the log's own key.
pub(super) fn is_own(line: &SignatureLine, author: &Member) -> bool {
    let name = author.origin.to_string();
    line.key_id == key_id(&name, TYPE_ED25519, &author.log_key) && line.name == name
}

/// The member whose line this is, if it verifies, and its time.
pub(super) fn cosigner<'a>(
    line: &SignatureLine,
    at: &Checkpoint,
    alliance: &'a Alliance,
) -> Option<(&'a Member, u64)> {
    alliance.members().find_map(|member| {
        let name = member.origin.mirror_name();
        let time = cosign::verify(line, &name, &member.mirror_key, at).ok()?;
        Some((member, time))
    })
}
