//! What a faulty disk consists of: a page cache above a platter, and the rules of what a power cut
//! leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::{DiskError, SECTOR_BYTES as SECTOR};

/// Ways to be wrong that a test of durability must notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Broken {
    /// `fdatasync` says yes and does nothing.
    pub no_fdatasync: bool,
    /// `fsync_dir` says yes and does nothing.
    pub no_fsync_dir: bool,
    /// A segment's flush takes effect only after the next flush of a state file, as a change of its
    /// own: the slot lasts before the segment.
    pub slot_before_segment: bool,
}

/// What an operation fails with on cue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk is full; part of a write may have been taken.
    Full,
    /// The device failed.
    Device,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) inodes: BTreeMap<u64, Inode>,
    /// What a running process sees.
    pub(super) visible: BTreeMap<PathBuf, Node>,
    /// What is on the platter.
    pub(super) durable: BTreeMap<PathBuf, Node>,
    /// Changes of names since the last flush of their directory.
    pub(super) name_changes: Vec<NameChange>,
    pub(super) locks: BTreeSet<u64>,
    /// Segments whose flush is put off, under [`Broken::slot_before_segment`].
    pub(super) put_off: Vec<u64>,
    pub(super) next_inode: u64,
    /// Handles of an earlier life of the process are dead.
    pub(super) life: u64,
    pub(super) changes: u64,
    pub(super) cut_after: Option<u64>,
    pub(super) failure: Option<(u64, Failure)>,
    /// How many bytes all files together may have.
    pub(super) capacity: u64,
    pub(super) dead: bool,
    pub(super) broken: Broken,
    pub(super) machine: u128,
    pub(super) boot: u128,
    pub(super) seed: u64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    pub(super) visible: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) pending: Vec<Change>,
}

#[derive(Clone, Debug)]
pub(super) enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Directory,
    File(u64),
}

#[derive(Clone, Debug)]
pub(super) struct NameChange {
    pub(super) directory: PathBuf,
    pub(super) removed: Option<PathBuf>,
    pub(super) added: Option<(PathBuf, Node)>,
}

impl World {
    pub(super) fn new(broken: Broken) -> Self {
        let root = BTreeMap::from([(PathBuf::from("/"), Node::Directory)]);
        Self {
            inodes: BTreeMap::new(),
            visible: root.clone(),
            durable: root,
            name_changes: Vec::new(),
            locks: BTreeSet::new(),
            put_off: Vec::new(),
            next_inode: 1,
            life: 0,
            changes: 0,
            cut_after: None,
            failure: None,
            capacity: u64::MAX,
            dead: false,
            broken,
            machine: 0x6d61_6368_696e_6531,
            boot: 1,
            seed: 0,
        }
    }

    pub(super) fn alive(&self, operation: &'static str, path: &Path) -> Result<(), DiskError> {
        if self.dead {
            return Err(error(operation, path, io::ErrorKind::ConnectionAborted));
        }
        Ok(())
    }

    /// Counts a change, unless it is the one that must not happen.
    pub(super) fn change(&mut self, operation: &'static str, path: &Path) -> Result<(), DiskError> {
        self.alive(operation, path)?;
        if self.cut_after == Some(self.changes) {
            self.dead = true;
            return Err(error(operation, path, io::ErrorKind::ConnectionAborted));
        }
        self.changes += 1;
        if let Some((at, failure)) = self.failure
            && at < self.changes
        {
            self.failure = None;
            let kind = match failure {
                Failure::Full => io::ErrorKind::StorageFull,
                Failure::Device => io::ErrorKind::Other,
            };
            return Err(error(operation, path, kind));
        }
        Ok(())
    }

    /// What may still be written.
    pub(super) fn free_bytes(&self) -> u64 {
        let files = self.visible.values().filter_map(|node| match node {
            Node::File(inode) => self.inodes.get(inode),
            Node::Directory => None,
        });
        let used = files.map(|inode| inode.visible.len() as u64);
        self.capacity.saturating_sub(used.sum())
    }

    /// Whether a file can become this long.
    pub(super) fn grow(
        &self,
        operation: &'static str,
        path: &Path,
        inode: u64,
        length: u64,
    ) -> Result<(), DiskError> {
        let present = self
            .inodes
            .get(&inode)
            .map_or(0, |inode| inode.visible.len() as u64);
        if self.capacity == u64::MAX || length.saturating_sub(present) <= self.free_bytes() {
            return Ok(());
        }
        Err(error(operation, path, io::ErrorKind::StorageFull))
    }

    pub(super) fn add_inode(&mut self, inode: Inode) -> u64 {
        let number = self.next_inode;
        self.next_inode += 1;
        self.inodes.insert(number, inode);
        number
    }

    pub(super) fn visible_bytes(&self, inode: u64) -> Vec<u8> {
        self.inodes
            .get(&inode)
            .map(|inode| inode.visible.clone())
            .unwrap_or_default()
    }

    pub(super) fn flush(&mut self, inode: u64) {
        if let Some(inode) = self.inodes.get_mut(&inode) {
            inode.pending.clear();
            inode.durable.clone_from(&inode.visible);
        }
    }

    pub(super) fn rename_nodes(
        &mut self,
        removed: Option<PathBuf>,
        added: Option<(PathBuf, Node)>,
    ) {
        let path = added.as_ref().map(|(path, _)| path).or(removed.as_ref());
        let directory = path
            .and_then(|path| path.parent())
            .unwrap_or_else(|| Path::new("/"));
        let change = NameChange {
            directory: directory.to_owned(),
            removed,
            added,
        };
        change.apply(&mut self.visible);
        self.name_changes.push(change);
    }

    pub(super) fn power_cut(&mut self, seed: u64) {
        self.seed = seed;
        let mut random = Random(seed);
        // Some cuts keep everything or nothing of a file, some a random part.
        for inode in self.inodes.values_mut() {
            let keep = [0, 1, 2, 3, 4].get(random.below(5)).copied().unwrap_or(0);
            inode.durable = inode.after_power_cut(keep, &mut random);
            inode.visible.clone_from(&inode.durable);
            inode.pending.clear();
        }
        let keep = random.below(5);
        for change in std::mem::take(&mut self.name_changes) {
            if random.below(4) < keep {
                change.apply(&mut self.durable);
            }
        }
        // A name below a directory that was lost is lost with it.
        let lost: Vec<_> = self
            .durable
            .keys()
            .filter(|path| self.is_lost(path))
            .cloned()
            .collect();
        lost.iter().for_each(|path| {
            self.durable.remove(path);
        });
        self.visible.clone_from(&self.durable);
    }

    fn is_lost(&self, path: &Path) -> bool {
        path.ancestors()
            .any(|above| !self.durable.contains_key(above))
    }

    /// A new life of the process, or of the machine.
    pub(super) fn revive(&mut self) {
        self.life += 1;
        self.locks.clear();
        self.put_off.clear();
        self.dead = false;
        self.cut_after = None;
        self.failure = None;
    }
}

impl Inode {
    pub(super) fn change(&mut self, change: Change) {
        change.apply(&mut self.visible);
        self.pending.push(change);
    }

    /// Keeps each change of each sector, and each change of the length, in `keep` of 4 cases.
    fn after_power_cut(&self, keep: usize, random: &mut Random) -> Vec<u8> {
        let mut cache = self.durable.clone();
        let mut platter = self.durable.clone();
        let mut length = platter.len();
        for change in &self.pending {
            change.apply(&mut cache);
            if random.below(4) < keep {
                length = cache.len();
            }
            let (from, to) = match change {
                Change::Write(offset, bytes) => (*offset, offset.saturating_add(bytes.len())),
                Change::Length(_) => continue,
            };
            for sector in from / SECTOR..to.div_ceil(SECTOR) {
                if random.below(4) < keep {
                    let start = sector * SECTOR;
                    let end = (start + SECTOR).min(cache.len());
                    platter.resize(platter.len().max(end), 0);
                    if let (Some(to), Some(from)) =
                        (platter.get_mut(start..end), cache.get(start..end))
                    {
                        to.copy_from_slice(from);
                    }
                }
            }
        }
        platter.resize(length, 0);
        platter
    }
}

impl Change {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write(offset, written) => {
                let end = offset.saturating_add(written.len());
                bytes.resize(bytes.len().max(end), 0);
                if let Some(place) = bytes.get_mut(*offset..end) {
                    place.copy_from_slice(written);
                }
            }
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        if let Some(removed) = &self.removed {
            names.remove(removed);
        }
        if let Some((path, node)) = &self.added {
            names.insert(path.clone(), *node);
        }
    }
}

/// splitmix64 (Steele, Lea, Flood 2014): small, and the same everywhere.
#[derive(Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % (bound.max(1) as u64)).unwrap_or(0)
    }
}

pub(super) fn error(operation: &'static str, path: &Path, kind: io::ErrorKind) -> DiskError {
    DiskError {
        operation,
        path: path.to_owned(),
        source: kind.into(),
    }
}
