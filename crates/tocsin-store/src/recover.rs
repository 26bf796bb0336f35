//! Opening a log after whatever happened (FORMATS.md 5, "Open").
//!
//! Everything that is read is flushed first: what a killed process wrote may still be in memory
//! only, and must not be built upon. Then the segments are read from the first entry on and held
//! against what was signed. Above that a torn tail is cut; below it whatever does not fit is
//! damage, is named, and is left as it stands.

use std::collections::BTreeSet;
use std::sync::mpsc;
use std::thread;

use tocsin_log::hash::Hash;
use tocsin_log::tree::{Tree, stored_count};

use crate::disk::{DiskError, DiskFile, SECTOR_BYTES};
use crate::error::{Damage, DamageKind, Fault};
use crate::files::{Shared, View, zero};
use crate::frame::{BodyState, FrameKind};
use crate::positions::NoteAt;
use crate::segment::{self, NoteForm, Scan, ScannedNote, Stop};
use crate::slots::Signed;

/// The most damaged bodies that are named at once; repair opens the log again and finds the rest.
const MAX_NAMED_BODIES: usize = 64;

/// Fewer segments than this are scanned one after the other.
const LEAST_SHARED_SEGMENTS: usize = 4;

/// What is above the state: kept as far as it is whole, or only up to its last note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    AsItStands,
    ToLastNote,
}

/// What the segments are held against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    /// The newest signed state; none when no slot can be relied on, and then nothing is cut.
    pub(crate) floor: Option<Signed>,
    /// The other slot's.
    pub(crate) older: Option<Signed>,
    pub(crate) tail: Tail,
    /// False in a copy, which must not change.
    pub(crate) may_write: bool,
    pub(crate) erased: &'a BTreeSet<Hash>,
}

/// A tail that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment's first index.
    pub segment: u64,
    /// Where the file ends now.
    pub offset: u64,
    /// How much went.
    pub bytes: u64,
}

/// What was found.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// Over all entries that are sound.
    pub(crate) tree: Tree,
    /// The end of the last segment that has entries.
    pub(crate) end: u64,
    pub(crate) notes: u64,
    /// Index and stored bytes of each entry above the state.
    pub(crate) tail: Vec<(u64, u64)>,
    pub(crate) damage: Vec<Damage>,
    pub(crate) cut: Option<Cut>,
}

/// Reads the log, cuts what may be cut, writes the position files anew and sets what readers see.
pub(crate) fn recover(shared: &Shared, rules: Rules<'_>) -> Result<Recovered, Fault> {
    shared.forget_segments();
    let firsts = flush_all(shared, rules.may_write)?;
    let mut walk = Walk::new(shared, rules);
    scan_all(shared, &firsts, |first, is_last, scan| {
        if first != walk.next_segment {
            walk.structural(DamageKind::Segment, walk.next_segment, walk.next_segment, 0);
        }
        if !walk.broken {
            walk.segment(first, is_last, scan?)?;
        }
        Ok(!walk.broken)
    })?;
    walk.finish()
}

/// Scans segments, which is most of the work of opening a log, on all processors, and gives the
/// scans to `take` in the segments' order until it has enough.
fn scan_all(
    shared: &Shared,
    firsts: &[u64],
    mut take: impl FnMut(u64, bool, Result<Scan, DiskError>) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let scan = |first: u64| {
        let file = shared.segment(first)?;
        let form = NoteForm::Checkpoint(&shared.origin);
        segment::scan(&*file, shared.segment_entries, form)
    };
    let last = firsts.last().copied();
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    if lanes < 2 || firsts.len() < LEAST_SHARED_SEGMENTS {
        for first in firsts {
            if !take(*first, Some(*first) == last, scan(*first))? {
                break;
            }
        }
        return Ok(());
    }
    thread::scope(|scope| {
        // Each lane scans every so-manieth segment and is at most one ahead of what is taken.
        let scanned: Vec<mpsc::Receiver<Result<Scan, DiskError>>> = (0..lanes)
            .map(|lane| {
                let (done, scanned) = mpsc::sync_channel(1);
                scope.spawn(move || {
                    let own = firsts.iter().skip(lane).step_by(lanes);
                    // An error here says that enough was taken.
                    let _ = own
                        .map(|first| done.send(scan(*first)))
                        .find(Result::is_err);
                });
                scanned
            })
            .collect();
        for (first, lane) in firsts.iter().zip(scanned.iter().cycle()) {
            let scan = lane.recv();
            let scan = scan.map_err(|_| Fault::Invariant("a scanning thread ended early"))?;
            if !take(*first, Some(*first) == last, scan)? {
                break;
            }
        }
        Ok(())
    })
}

/// Flushes every segment and the directory, and returns the segments' first indexes.
fn flush_all(shared: &Shared, may_write: bool) -> Result<Vec<u64>, Fault> {
    let names = shared.disk.list(&shared.directory)?;
    let firsts: Vec<u64> = names
        .iter()
        .filter_map(|name| segment::first_index(name))
        .collect();
    for first in &firsts {
        shared.segment(*first)?.fdatasync()?;
    }
    shared.disk.fsync_dir(&shared.directory)?;
    // A repair that was cut short.
    for name in names
        .iter()
        .filter(|name| may_write && name.ends_with(".tmp"))
    {
        shared.disk.remove(&shared.directory.join(name))?;
    }
    Ok(firsts)
}

struct Walk<'a> {
    shared: &'a Shared,
    rules: Rules<'a>,
    found: Recovered,
    next_segment: u64,
    /// The last size whose root a note or the state confirms.
    confirmed: u64,
    /// Entries behind this point are not known.
    broken: bool,
    /// Hashes completed in this segment, and the place of the first.
    hashes: Vec<Hash>,
    hash_place: u64,
}

impl<'a> Walk<'a> {
    const fn new(shared: &'a Shared, rules: Rules<'a>) -> Self {
        let found = Recovered {
            tree: Tree::new(),
            end: 0,
            notes: 0,
            tail: Vec::new(),
            damage: Vec::new(),
            cut: None,
        };
        Self {
            shared,
            rules,
            found,
            next_segment: 0,
            confirmed: 0,
            broken: false,
            hashes: Vec::new(),
            hash_place: 0,
        }
    }

    fn segment(&mut self, first: u64, is_last: bool, mut scan: Scan) -> Result<(), Fault> {
        let file = self.shared.segment(first)?;
        let capacity = self.shared.segment_entries;
        if is_last {
            self.settle_tail(&mut scan, first);
            self.cut(&*file, first, &scan)?;
        } else if let Some(stop) = scan.stop {
            self.stopped(stop, first, first + scan.count());
        } else if scan.count() < capacity {
            let index = first + scan.count();
            self.structural(DamageKind::Segment, index, first, scan.end);
        }
        self.bodies(&*file, first, &scan)?;
        self.entries(first, &scan)?;
        if scan.count() > 0 {
            self.found.end = scan.end;
        }
        self.next_segment = first + capacity;
        Ok(())
    }

    /// Decides what of the last segment is kept; what is dropped from the scan is cut from the
    /// file.
    fn settle_tail(&mut self, scan: &mut Scan, first: u64) {
        let Some(floor) = self.rules.floor.map(|floor| floor.size) else {
            if let Some(stop) = scan.stop {
                self.stopped(stop, first, first + scan.count());
            }
            return;
        };
        match self.rules.tail {
            Tail::AsItStands => self.settle_own(scan, first, floor),
            Tail::ToLastNote => self.settle_mirrored(scan, first, floor),
        }
    }

    fn settle_own(&mut self, scan: &mut Scan, first: u64, floor: u64) {
        let size = first + scan.count();
        if let Some(stop) = scan.stop
            && (size < floor || (size == floor && stop.body))
        {
            return self.stopped(stop, first, size);
        }
        let torn_body = scan
            .bad_bodies
            .iter()
            .find(|body| first + body.entry >= floor);
        if let Some(entry) = torn_body.map(|body| body.entry) {
            return scan.cut_to(entry);
        }
        // A write can tear between an entry and its bodies, and then it tears on a sector's edge.
        // The last entry was not acknowledged: when it may lack a body, it goes.
        let may_be_torn = scan.stop.is_some() || scan.length.is_multiple_of(SECTOR_BYTES as u64);
        if size > floor && scan.ends_with_entry() && may_be_torn {
            scan.cut_to(scan.count() - 1);
        }
    }

    fn settle_mirrored(&mut self, scan: &mut Scan, first: u64, floor: u64) {
        let size = first + scan.count();
        let torn_body = scan
            .bad_bodies
            .iter()
            .find(|body| first + body.entry >= floor);
        let sound_to = torn_body.map_or(u64::MAX, |body| body.offset);
        let is_end = |note: &&ScannedNote| {
            note.size >= floor && note.size == first + note.after && note.offset < sound_to
        };
        if let Some(end) = scan.notes.iter().rfind(is_end).map(|note| note.end) {
            return scan.cut_at(end);
        }
        if floor <= first {
            return scan.cut_at(0);
        }
        match scan.stop {
            Some(stop) => self.stopped(stop, first, size),
            None if size >= floor => self.structural(DamageKind::Note, floor, first, scan.end),
            None => {}
        }
    }

    fn cut(&mut self, file: &dyn DiskFile, first: u64, scan: &Scan) -> Result<(), Fault> {
        let may_cut = self.rules.may_write && self.rules.floor.is_some() && !self.broken;
        if may_cut && scan.end < scan.length {
            file.truncate(scan.end)?;
            file.fdatasync()?;
            let bytes = scan.length - scan.end;
            self.found.cut = Some(Cut {
                segment: first,
                offset: scan.end,
                bytes,
            });
        }
        Ok(())
    }

    /// Finishes erasures, and names the bodies that are not what was stored.
    fn bodies(&mut self, file: &dyn DiskFile, first: u64, scan: &Scan) -> Result<(), Fault> {
        let mut finished = false;
        for body in &scan.bad_bodies {
            let erased = self.rules.erased.contains(&body.digest);
            if erased && body.state == BodyState::Damaged && self.rules.may_write {
                let header = (crate::frame::HEADER_BYTES + Hash::LEN) as u64;
                zero(file, body.offset + header, body.bytes)?;
                finished = true;
            }
            if !erased && self.found.damage.len() < MAX_NAMED_BODIES {
                self.name(DamageKind::Body, first + body.entry, first, body.offset);
            }
        }
        if finished {
            file.fdatasync()?;
        }
        Ok(())
    }

    /// Takes a segment's entries into the tree and holds it against every note and slot on the way.
    fn entries(&mut self, first: u64, scan: &Scan) -> Result<(), Fault> {
        self.hash_place = stored_count(self.found.tree.size());
        self.hashes.clear();
        let mut offsets = Vec::with_capacity(scan.entries.len());
        let mut notes = Vec::with_capacity(scan.notes.len());
        let mut waiting = scan.notes.iter().peekable();
        for place in 0..=scan.count() {
            while let Some(note) = waiting.next_if(|note| note.after == place) {
                let sound = self.confirm(note.size, note.root, first, note.offset)?;
                if sound && note.size > first {
                    notes.push(NoteAt {
                        size: note.size,
                        offset: note.offset,
                    });
                }
            }
            let at = usize::try_from(place).unwrap_or(usize::MAX);
            let Some(entry) = scan.entries.get(at) else {
                break;
            };
            self.found.tree.append_to(entry.leaf, &mut self.hashes);
            offsets.push(entry.offset);
            let size = self.found.tree.size();
            for signed in [self.rules.older, self.rules.floor].into_iter().flatten() {
                if signed.size == size {
                    self.confirm(size, Some(signed.root), first, entry.offset)?;
                }
            }
            if self.rules.floor.is_some_and(|floor| size > floor.size) {
                self.found.tail.push((size - 1, entry.end - entry.offset));
            }
        }
        let positions = &self.shared.positions;
        positions.put_entries(first, &offsets)?;
        positions.put_hashes(self.hash_place, &self.hashes)?;
        positions.put_notes(self.found.notes, &notes)?;
        self.found.notes += notes.len() as u64;
        Ok(())
    }

    /// Whether the tree has this root at this size; where it has not, that is damage.
    fn confirm(
        &mut self,
        size: u64,
        root: Option<Hash>,
        first: u64,
        offset: u64,
    ) -> Result<bool, Fault> {
        if self.broken && self.found.damage.iter().any(|d| d.kind == DamageKind::Root) {
            return Ok(false);
        }
        let (positions, base, hashes) = (&self.shared.positions, self.hash_place, &self.hashes);
        let read = |place: u64| {
            let fresh = place
                .checked_sub(base)
                .and_then(|place| usize::try_from(place).ok());
            match fresh.and_then(|place| hashes.get(place)) {
                Some(hash) => Ok(*hash),
                None => positions.hash(place),
            }
        };
        let held = &self.found.tree;
        let is_root = match size {
            0 => false,
            size if size == held.size() => root == Some(held.root()),
            size if size < held.size() => root == Some(Tree::restore(size, read)?.root()),
            _ => false,
        };
        if is_root {
            self.confirmed = self.confirmed.max(size);
            return Ok(true);
        }
        let segment = self.shared.segment_of(self.confirmed);
        let index = self.confirmed;
        let offset = if segment == first { offset } else { 0 };
        self.structural(DamageKind::Root, index, segment, offset);
        Ok(false)
    }

    /// Names what a scan stopped at.
    fn stopped(&mut self, stop: Stop, first: u64, size: u64) {
        let (kind, index) = match stop.claims {
            _ if stop.body => (DamageKind::Body, size.saturating_sub(1)),
            Some(FrameKind::Note) => (DamageKind::Note, size),
            Some(FrameKind::Entry | FrameKind::Body) | None => (DamageKind::Entry, size),
        };
        self.structural(kind, index, first, stop.offset);
    }

    fn structural(&mut self, kind: DamageKind, index: u64, segment: u64, offset: u64) {
        self.broken = true;
        self.name(kind, index, segment, offset);
    }

    fn name(&mut self, kind: DamageKind, index: u64, segment: u64, offset: u64) {
        let log = self.shared.origin.to_string();
        self.found.damage.push(Damage {
            log,
            index,
            kind,
            segment,
            offset,
        });
    }

    /// Sets what readers see: what was signed, or of a log that is not whole what its notes still
    /// vouch for.
    fn finish(self) -> Result<Recovered, Fault> {
        let found = self.found;
        let held = found.tree.size();
        let whole = !self.broken && self.rules.floor.is_some_and(|floor| floor.size <= held);
        let size = match (whole, self.rules.tail, self.rules.floor) {
            (true, Tail::AsItStands, Some(floor)) => floor.size,
            (true, Tail::ToLastNote, Some(_)) => held,
            (true | false, Tail::AsItStands | Tail::ToLastNote, floor) => {
                let most = floor.map_or(held, |floor| floor.size.min(held));
                let most = if self.broken {
                    most.min(self.confirmed)
                } else {
                    most
                };
                let note = self.shared.positions.last_note_to(most, found.notes)?;
                note.map_or(0, |note| note.size)
            }
        };
        let root = self.shared.tree_at(size)?.root();
        let (notes, damage) = (found.notes, found.damage.clone());
        self.shared.change_view(|view| {
            *view = View {
                size,
                root,
                notes,
                recent: Vec::new(),
                damage,
            };
        });
        Ok(found)
    }
}
