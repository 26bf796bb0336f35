//! The self-contained evidence file of an entry, from what this node holds (FORMATS.md 8).

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::roster::Member;
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::hash::Hash;
use tocsin_log::quorum;
use tocsin_store::reader::LogReader;
use tocsin_wire::bundle::assemble::assemble;
use tocsin_wire::bundle::{MAX_NOTES, encode};
use tocsin_wire::proto::v1;

use crate::node::Node;
use crate::serve::{find, record};
use crate::status::{Reason, Refusal};

/// The file of the entry that `name` means, with the grade that the file itself proves.
///
/// # Errors
/// As [`find::entry`], `NOT_FOUND` while no note covers the entry, or when the store fails.
pub(crate) fn fetch(node: &Node, name: &str) -> Result<v1::GetBundleResponse, Refusal> {
    let position = find::entry(&node.state.read().registry, name, None)?;
    let reader = node.reader(&position.origin.to_string())?;
    let author = node.alliance.member(position.origin.member());
    let author = author.ok_or_else(|| find::not_found(name))?;
    let read = record::read(node, &position)?;
    let Notes { notes, cosigners } = notes(node, reader, author, position.index)?;
    if notes.is_empty() {
        return Err(Refusal::of(Reason::NotFound)
            .saying("no note of this log covers it yet; try again shortly")
            .at("name"));
    }
    let is_bare = read.bodies.iter().all(Vec::is_empty);
    let bodies = if is_bare { Vec::new() } else { read.bodies };
    let bundle = assemble(
        read.entry,
        bodies,
        position.index,
        &notes,
        author,
        &node.alliance,
    );
    let grade = quorum::grade(node.alliance.member_count(), cosigners.len() + 1);
    Ok(v1::GetBundleResponse {
        tsn: encode(&bundle),
        grade: crate::serve::grade(grade).into(),
    })
}

/// Notes that cover an entry, each with its proof, and who cosigned them.
struct Notes {
    notes: Vec<(SignedCheckpoint, Vec<Hash>)>,
    cosigners: BTreeSet<String>,
}

/// Up to a quorum of notes above `index`: those with the most cosigners first, of equals the
/// oldest. Of each member the largest cosignature is held, so no two notes name the same one.
/// Without any cosignature, the newest note.
fn notes(node: &Node, reader: &LogReader, author: &Member, index: u64) -> Result<Notes, Refusal> {
    let mut sizes: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for held in node.cosignatures.of(reader.origin()) {
        if held.size > index {
            sizes.entry(held.size).or_default().insert(held.member);
        }
    }
    let mut sizes: Vec<(u64, BTreeSet<String>)> = sizes.into_iter().collect();
    // Stable, so that of equals the smallest size stays first.
    sizes.sort_by_key(|(_, members)| std::cmp::Reverse(members.len()));
    let most = quorum::quorum(node.alliance.member_count()).min(MAX_NOTES);
    let mut found = Notes {
        notes: Vec::new(),
        cosigners: BTreeSet::new(),
    };
    for (size, members) in sizes {
        if found.notes.len() >= most {
            break;
        }
        // A copy made in a hurry keeps the last note of several batches only.
        let Some(note) = node.note_of_size(&reader.origin().to_string(), size)? else {
            continue;
        };
        let signed = open(&node.with_cosignatures(reader, size, &note), reader, author)?;
        found.notes.push((signed, reader.inclusion(index, size)?));
        found.cosigners.extend(members);
    }
    if found.notes.is_empty()
        && let Some((size, note)) = reader.newest_note()?.filter(|(size, _)| *size > index)
    {
        let signed = open(&note, reader, author)?;
        found.notes.push((signed, reader.inclusion(index, size)?));
    }
    Ok(found)
}

fn open(note: &[u8], reader: &LogReader, author: &Member) -> Result<SignedCheckpoint, Refusal> {
    let opened = SignedCheckpoint::open(note, reader.origin(), &author.log_key);
    opened.map_err(|_| Refusal::of(Reason::Damaged))
}
