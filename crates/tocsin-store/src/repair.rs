//! Repairing a log from what other members hold.
//!
//! A segment is put together again from what is still sound in it and from what is given, must lead
//! to a root that was signed, and then takes the old file's place by a rename. Nothing is ever
//! changed to fit the damage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::key::PublicKey;

use crate::batch::check_lengths;
use crate::disk::{Open, read_up_to};
use crate::error::{Damage, DamageKind, Refusal, StoreError};
use crate::files::Shared;
use crate::frame::{self, BodyState, FrameKind};
use crate::segment::{self, Group, LONGEST_FRAME_BYTES, Salvage};
use crate::slots::Signed;

/// An entry as another member holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairEntry {
    /// Its index.
    pub index: u64,
    /// The leaf's bytes.
    pub entry: Vec<u8>,
    /// The bodies that belong with it.
    pub bodies: Vec<Vec<u8>>,
}

/// The entries that a repair may need: from `start` to before `until`, with their bodies. Often the
/// first two are enough, the rest being sound still; `start` may be one before what is damaged, for
/// where a segment breaks off bodies may be gone. The log's note of size `until` helps where the
/// segment's own is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The first index.
    pub start: u64,
    /// The index after the last.
    pub until: u64,
}

/// One damaged or short log.
pub(crate) struct Repair<'a> {
    pub(crate) shared: &'a Arc<Shared>,
    /// The log key of the origin.
    pub(crate) key: PublicKey,
    pub(crate) floor: Signed,
    pub(crate) damage: &'a [Damage],
    pub(crate) held: u64,
    pub(crate) erased: &'a BTreeSet<Hash>,
    /// A mirrored segment must end with a note.
    pub(crate) needs_note: bool,
}

impl Repair<'_> {
    pub(crate) fn wanted(&self) -> Option<Wanted> {
        let (start, segment, kind) = self.target()?;
        let start = match kind {
            Some(DamageKind::Body | DamageKind::Root | DamageKind::Slot) => start,
            Some(DamageKind::Entry | DamageKind::Note | DamageKind::Segment) | None => {
                start.saturating_sub(1).max(segment)
            }
        };
        Some(Wanted {
            start,
            until: self.until(segment),
        })
    }

    /// The first entry and segment to repair, and what is wrong there.
    fn target(&self) -> Option<(u64, u64, Option<DamageKind>)> {
        if self
            .damage
            .iter()
            .any(|damage| damage.kind == DamageKind::Slot)
        {
            return None;
        }
        let first = self
            .damage
            .iter()
            .min_by_key(|damage| (damage.segment, damage.index));
        match first {
            Some(damage) => Some((damage.index, damage.segment, Some(damage.kind))),
            None if self.held < self.floor.size => {
                Some((self.held, self.shared.segment_of(self.held), None))
            }
            None => None,
        }
    }

    fn until(&self, segment: u64) -> u64 {
        self.floor
            .size
            .min(segment.saturating_add(self.shared.segment_entries))
    }

    /// Repairs the first damaged segment.
    pub(crate) fn run(&self, given: &[RepairEntry], notes: &[Vec<u8>]) -> Result<(), StoreError> {
        let (start, segment, kind) = self.target().ok_or(Refusal::NotReady)?;
        for entry in given {
            check_lengths(&entry.entry, entry.bodies.iter().map(Vec::len))?;
        }
        if kind == Some(DamageKind::Body) && self.put_back_bodies(given)? {
            return Ok(());
        }
        let until = self.until(segment);
        let salvage = match self.shared.segment(segment) {
            Ok(file) => segment::salvage(&*file)?,
            Err(error) if error.is_not_found() => Salvage::default(),
            Err(error) => return Err(error.into()),
        };
        // Where all frames are sound but lead elsewhere, nothing behind the last confirmed entry is
        // believed.
        let believed = if kind == Some(DamageKind::Root) {
            start
        } else {
            until
        };
        let sound = Sound::new(&salvage, segment, until, believed);
        let groups = self.assemble(segment, until, &sound, given)?;
        let notes = self.check(segment, until, &groups, notes.iter().chain(&salvage.notes))?;
        self.replace(segment, &groups, &notes)
    }

    /// Where the frames of damaged bodies are sound, the bytes are written back in place.
    fn put_back_bodies(&self, given: &[RepairEntry]) -> Result<bool, StoreError> {
        let mut any = false;
        for damage in self.damage {
            let offered = given.iter().find(|entry| entry.index == damage.index);
            let offered = offered.map_or(&[][..], |entry| &entry.bodies);
            let file = self.shared.segment(damage.segment)?;
            let bytes = read_up_to(&*file, damage.offset, LONGEST_FRAME_BYTES)?;
            let Ok(frame) = frame::decode(&bytes) else {
                return Ok(false);
            };
            let Some((digest, body)) = frame.body() else {
                return Ok(false);
            };
            if let Some(sound) = offered.iter().find(|offered| Hash::of(offered) == digest)
                && sound.len() == body.len()
                && !self.erased.contains(&digest)
            {
                let start = damage.offset + (frame.stored_bytes() - body.len()) as u64;
                file.write_at(start, sound)?;
                file.fdatasync()?;
                any = true;
            }
        }
        Ok(any)
    }

    /// Every entry of the segment, given or still sound.
    fn assemble(
        &self,
        segment: u64,
        until: u64,
        sound: &Sound<'_>,
        given: &[RepairEntry],
    ) -> Result<Vec<Group>, StoreError> {
        let given: BTreeMap<u64, &RepairEntry> =
            given.iter().map(|entry| (entry.index, entry)).collect();
        let mut groups = Vec::new();
        for index in segment..until {
            let entry = match (given.get(&index), sound.at(index)) {
                (Some(given), _) => given.entry.clone(),
                (None, Some(group)) => group.entry.clone(),
                (None, None) => return Err(Refusal::RepairIncomplete { index }.into()),
            };
            let offered = given.get(&index).map_or(&[][..], |given| &given.bodies);
            // In the order given; what is only here still stands behind.
            let mut bodies: Vec<(Hash, Vec<u8>)> = offered
                .iter()
                .map(|body| (Hash::of(body), body.clone()))
                .collect();
            for (digest, body) in sound.bodies(index, &entry) {
                let place = bodies.iter_mut().find(|(have, _)| have == digest);
                let erased = self.erased.contains(digest);
                match (frame::body_state(digest, body), place) {
                    (_, Some(_)) => {}
                    (BodyState::Sound, None) => bodies.push((*digest, body.clone())),
                    (_, None) if erased => bodies.push((*digest, body.clone())),
                    (BodyState::Zeroed | BodyState::Damaged, None) => {
                        let digest = *digest;
                        return Err(Refusal::RepairLacksBody { index, digest }.into());
                    }
                }
            }
            // What was erased here does not come back from a peer.
            for (_, body) in bodies
                .iter_mut()
                .filter(|(digest, _)| self.erased.contains(digest))
            {
                body.fill(0);
            }
            groups.push(Group { entry, bodies });
        }
        Ok(groups)
    }

    /// The notes to keep, by size, once the entries are known to lead to what was signed.
    fn check<'n>(
        &self,
        segment: u64,
        until: u64,
        groups: &[Group],
        notes: impl Iterator<Item = &'n Vec<u8>>,
    ) -> Result<BTreeMap<u64, Vec<u8>>, StoreError> {
        let mut tree = self.shared.tree_at(segment)?;
        let mut roots = BTreeMap::new();
        for group in groups {
            tree.append(leaf_hash(&group.entry));
            roots.insert(tree.size(), tree.root());
        }
        let mut vouched = (until == self.floor.size).then_some(self.floor.root);
        let mut kept = BTreeMap::new();
        for note in notes {
            let opened = SignedCheckpoint::open(note, &self.shared.origin, &self.key);
            let Ok(opened) = opened else { continue };
            let checkpoint = opened.checkpoint();
            if checkpoint.size == until {
                vouched.get_or_insert(checkpoint.root);
            }
            if roots.get(&checkpoint.size) == Some(&checkpoint.root) {
                kept.insert(checkpoint.size, opened.own_note().to_bytes());
            }
        }
        match vouched {
            None => Err(Refusal::RepairNeedsNote { size: until }.into()),
            Some(root) if root != tree.root() => Err(Refusal::OtherRoot { size: until }.into()),
            Some(_) if self.needs_note && !kept.contains_key(&until) => {
                Err(Refusal::RepairNeedsNote { size: until }.into())
            }
            Some(_) => Ok(kept),
        }
    }

    /// Writes the segment beside the old one and puts it in its place.
    fn replace(
        &self,
        segment: u64,
        groups: &[Group],
        notes: &BTreeMap<u64, Vec<u8>>,
    ) -> Result<(), StoreError> {
        let path = self.shared.segment_path(segment);
        let draft = path.with_extension("seg.tmp");
        let file = self.shared.disk.open(&draft, Open::Create)?;
        file.truncate(0)?;
        let mut offset = 0;
        let mut bytes = Vec::new();
        for (size, group) in (segment + 1..).zip(groups) {
            frame::put(&mut bytes, FrameKind::Entry, &group.entry);
            for (digest, body) in &group.bodies {
                frame::put_body(&mut bytes, digest, body);
            }
            if let Some(note) = notes.get(&size) {
                frame::put(&mut bytes, FrameKind::Note, note);
            }
            file.write_at(offset, &bytes)?;
            offset += bytes.len() as u64;
            bytes.clear();
        }
        file.fdatasync()?;
        self.shared.disk.rename(&draft, &path)?;
        self.shared.disk.fsync_dir(&self.shared.directory)?;
        self.shared.forget_segments();
        Ok(())
    }
}

/// What is sound in a damaged segment, by index as far as that can be told. If the guess is wrong
/// the root says so, and all entries must be given.
struct Sound<'a> {
    salvage: &'a Salvage,
    first: u64,
    until: u64,
    believed: u64,
}

impl<'a> Sound<'a> {
    const fn new(salvage: &'a Salvage, first: u64, until: u64, believed: u64) -> Self {
        Self {
            salvage,
            first,
            until,
            believed,
        }
    }

    /// The entries behind the damage are taken for the last of the segment.
    fn at(&self, index: u64) -> Option<&'a Group> {
        if index >= self.believed {
            return None;
        }
        let before = usize::try_from(index - self.first).ok()?;
        self.salvage.before.get(before).or_else(|| {
            let from_end = usize::try_from(self.until - index).ok()?;
            self.salvage
                .after
                .get(self.salvage.after.len().checked_sub(from_end)?)
        })
    }

    /// The bodies that stand with an entry of these bytes; those behind the damage belong to the
    /// entry that was lost in it, or to the one before it when none was.
    fn bodies(&self, index: u64, entry: &[u8]) -> impl Iterator<Item = &'a (Hash, Vec<u8>)> {
        let salvage = self.salvage;
        let groups = self.at(index).into_iter().chain(&salvage.loose);
        let own = groups.filter(move |group| group.entry == entry).take(1);
        let present = (salvage.before.len() + salvage.after.len()) as u64;
        let missing = (self.until - self.first).saturating_sub(present);
        let lost = self.first + salvage.before.len() as u64;
        let owner = match missing {
            0 => lost.checked_sub(1),
            1 => Some(lost),
            _ => None,
        };
        let orphans = if owner == Some(index) {
            salvage.orphans.as_slice()
        } else {
            &[]
        };
        own.flat_map(|group| &group.bodies).chain(orphans)
    }
}
