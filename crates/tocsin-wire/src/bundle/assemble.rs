//! Makes an evidence file of what a node holds, so that it will verify anywhere.

use std::collections::BTreeSet;

use tocsin_core::roster::{Alliance, Member};
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_log::note::Note;

use super::verify::{cosigner, is_own};
use super::{Acceptance, Bundle, MAX_NOTES, ProvenNote};

/// The file for the entry at `index` of `author`'s log.
///
/// `notes` are checkpoints of that log above `index`, each with the inclusion proof in it; the
/// first [`MAX_NOTES`] are taken. Lines that nobody could verify from the file are left out.
/// `bodies` are empty where one is withheld from whoever asks.
#[must_use]
pub fn assemble(
    entry: Entry,
    bodies: Vec<Vec<u8>>,
    index: u64,
    notes: &[(SignedCheckpoint, Vec<Hash>)],
    author: &Member,
    alliance: &Alliance,
) -> Bundle {
    let mut named = BTreeSet::from([author.id.as_str()]);
    let notes = notes
        .iter()
        .take(MAX_NOTES)
        .map(|(signed, proof)| {
            let Note { text, signatures } = signed.note();
            let at = signed.checkpoint();
            let verifiable = signatures.iter().filter(|line| {
                is_own(line, author)
                    || cosigner(line, at, alliance)
                        .map(|(member, _)| named.insert(&member.id))
                        .is_some()
            });
            let signatures = verifiable.cloned().collect();
            let note = Note {
                text: text.clone(),
                signatures,
            }
            .to_bytes();
            ProvenNote {
                note,
                proof: proof.clone(),
            }
        })
        .collect();
    let manifests = named
        .iter()
        .filter_map(|id| alliance.member(id))
        .map(|member| member.manifest.clone())
        .collect();
    let rosters = vec![alliance.roster().clone()];
    Bundle {
        entry,
        bodies,
        acceptance: Some(Acceptance {
            index,
            notes,
            rosters,
            manifests,
        }),
    }
}
