//! A disk in memory that behaves as badly as a disk may.
//!
//! What is written is at once visible, as in a page cache, but lasts only through the two flushes.
//! A power cut keeps, for each sector of 512 bytes, any one of the contents it has had since the
//! last flush; of a file's lengths any one; of the names in a directory any subset of the changes.
//! Everything follows from seeds.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::platter::{Broken, Change, Failure, Inode, Node, Random, World, error};
use super::{Disk, DiskError, DiskFile, FileIdentity, Open, SECTOR_BYTES as SECTOR};

/// A disk that loses, tears, reorders, fills up and fails on cue. Clones are handles to the same
/// disk; [`FaultyDisk::fork`] makes another disk with the same contents.
#[derive(Clone)]
pub struct FaultyDisk {
    world: Arc<Mutex<World>>,
}

#[derive(Debug)]
struct FaultyFile {
    disk: FaultyDisk,
    path: PathBuf,
    inode: u64,
    life: u64,
    locked: Mutex<bool>,
}

impl FaultyDisk {
    /// An empty disk with one directory, `/`.
    #[must_use]
    pub fn new(broken: Broken) -> Self {
        let world = World::new(broken);
        Self {
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// Another disk with the same contents, flushed and not; what was open or locked is not.
    #[must_use]
    pub fn fork(&self) -> Self {
        let mut world = self.lock().clone();
        world.revive();
        Self {
            world: Arc::new(Mutex::new(world)),
        }
    }

    /// How many changes (writes, cuts, names and flushes) were made so far.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// Lets `count` more changes through; the one after it may be done in part, and nothing works
    /// from then on.
    pub fn cut_after(&self, count: u64) {
        let mut world = self.lock();
        world.cut_after = Some(world.changes + count);
    }

    /// Makes the change after `count` more fail, once.
    pub fn fail_after(&self, count: u64, failure: Failure) {
        let mut world = self.lock();
        world.failure = Some((world.changes + count, failure));
    }

    /// The process is killed: handles and locks are gone, and what was written stays visible,
    /// flushed or not.
    pub fn kill(&self) {
        self.lock().revive();
    }

    /// The power fails: of what was not flushed the seed says what is kept. The machine starts
    /// again.
    pub fn power_cut(&self, seed: u64) {
        let mut world = self.lock();
        world.power_cut(seed);
        world.revive();
        world.boot += 1;
    }

    /// Lets all files together have so many bytes and no more.
    pub fn set_capacity(&self, bytes: u64) {
        self.lock().capacity = bytes;
    }

    /// Makes this disk another machine's.
    pub fn set_machine(&self, machine: u128) {
        self.lock().machine = machine;
    }

    /// Copies every file below one directory to another, file by file, as `cp -r` does.
    pub fn copy_files(&self, from: &Path, to: &Path) {
        let mut world = self.lock();
        let nodes: Vec<_> = world.visible.clone().into_iter().collect();
        for (path, node) in nodes {
            let Ok(rest) = path.strip_prefix(from) else {
                continue;
            };
            let path = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            let node = match node {
                Node::Directory => Node::Directory,
                Node::File(inode) => {
                    let bytes = world.visible_bytes(inode);
                    let copy = Inode {
                        durable: bytes.clone(),
                        visible: bytes,
                        pending: vec![],
                    };
                    Node::File(world.add_inode(copy))
                }
            };
            world.visible.insert(path.clone(), node);
            world.durable.insert(path, node);
        }
    }

    /// Turns one bit of a file over, on the platter and in the cache.
    pub fn flip_bit(&self, path: &Path, bit: u64) {
        self.edit(path, |bytes| {
            let at = usize::try_from(bit / 8).unwrap_or(usize::MAX);
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        });
    }

    /// Changes a file behind everybody's back, on the platter and in the cache.
    pub fn edit(&self, path: &Path, edit: impl Fn(&mut Vec<u8>)) {
        let mut world = self.lock();
        if let Some(Node::File(inode)) = world.visible.get(path).copied()
            && let Some(inode) = world.inodes.get_mut(&inode)
        {
            edit(&mut inode.visible);
            edit(&mut inode.durable);
        }
    }

    /// The bytes of a file as a process sees them.
    #[must_use]
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let world = self.lock();
        match world.visible.get(path).copied() {
            Some(Node::File(inode)) => Some(world.visible_bytes(inode)),
            Some(Node::Directory) | None => None,
        }
    }

    /// Every file's path.
    #[must_use]
    pub fn files(&self) -> Vec<PathBuf> {
        let world = self.lock();
        let is_file = |(path, node): (&PathBuf, &Node)| match node {
            Node::File(_) => Some(path.clone()),
            Node::Directory => None,
        };
        world.visible.iter().filter_map(is_file).collect()
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for FaultyDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let world = self.lock();
        let changes = world.changes;
        write!(
            f,
            "FaultyDisk(last cut's seed {}, {changes} changes)",
            world.seed
        )
    }
}

impl Disk for FaultyDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>, DiskError> {
        let mut world = self.lock();
        world.alive("open", path)?;
        let inode = match (world.visible.get(path).copied(), how) {
            (Some(Node::File(inode)), _) => inode,
            (None, Open::Create) => {
                world.change("create", path)?;
                let inode = world.add_inode(Inode::default());
                world.rename_nodes(None, Some((path.to_owned(), Node::File(inode))));
                inode
            }
            (Some(Node::Directory), _) => {
                return Err(error("open", path, io::ErrorKind::IsADirectory));
            }
            (None, Open::Read | Open::Write) => {
                return Err(error("open", path, io::ErrorKind::NotFound));
            }
        };
        let (disk, path, life) = (self.clone(), path.to_owned(), world.life);
        Ok(Arc::new(FaultyFile {
            disk,
            path,
            inode,
            life,
            locked: Mutex::new(false),
        }))
    }

    fn create_dir(&self, path: &Path) -> Result<(), DiskError> {
        let mut world = self.lock();
        world.alive("create directory", path)?;
        if world.visible.get(path) == Some(&Node::Directory) {
            return Ok(());
        }
        world.change("create directory", path)?;
        if path.parent().and_then(|parent| world.visible.get(parent)) != Some(&Node::Directory) {
            return Err(error("create directory", path, io::ErrorKind::NotFound));
        }
        world.rename_nodes(None, Some((path.to_owned(), Node::Directory)));
        Ok(())
    }

    fn fsync_dir(&self, path: &Path) -> Result<(), DiskError> {
        let mut world = self.lock();
        world.change("flush directory", path)?;
        if world.visible.get(path) != Some(&Node::Directory) {
            return Err(error("flush directory", path, io::ErrorKind::NotFound));
        }
        if !world.broken.no_fsync_dir {
            let (flushed, rest) = std::mem::take(&mut world.name_changes)
                .into_iter()
                .partition(|change| change.directory == path);
            world.name_changes = rest;
            flushed
                .iter()
                .for_each(|change| change.apply(&mut world.durable));
        }
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), DiskError> {
        let mut world = self.lock();
        world.change("rename", from)?;
        let node = world.visible.get(from).copied();
        let node = node.ok_or_else(|| error("rename", from, io::ErrorKind::NotFound))?;
        world.rename_nodes(Some(from.to_owned()), Some((to.to_owned(), node)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<(), DiskError> {
        let mut world = self.lock();
        world.change("remove", path)?;
        if !world.visible.contains_key(path) {
            return Err(error("remove", path, io::ErrorKind::NotFound));
        }
        world.rename_nodes(Some(path.to_owned()), None);
        Ok(())
    }

    fn list(&self, path: &Path) -> Result<Vec<String>, DiskError> {
        let world = self.lock();
        world.alive("list", path)?;
        if world.visible.get(path) != Some(&Node::Directory) {
            return Err(error("list", path, io::ErrorKind::NotFound));
        }
        let below = world
            .visible
            .keys()
            .filter(|name| name.parent() == Some(path));
        Ok(below
            .filter_map(|name| Some(name.file_name()?.to_str()?.to_owned()))
            .collect())
    }

    fn free_bytes(&self, path: &Path) -> Result<u64, DiskError> {
        let world = self.lock();
        world.alive("measure the disk of", path)?;
        Ok(world.free_bytes())
    }

    fn machine_id(&self) -> [u8; 16] {
        self.lock().machine.to_be_bytes()
    }

    fn boot_id(&self) -> [u8; 16] {
        self.lock().boot.to_be_bytes()
    }
}

impl FaultyFile {
    /// The disk, if this handle's process still lives.
    fn world(&self, operation: &'static str) -> Result<MutexGuard<'_, World>, DiskError> {
        let world = self.disk.lock();
        world.alive(operation, &self.path)?;
        if world.life == self.life {
            return Ok(world);
        }
        Err(error(operation, &self.path, io::ErrorKind::BrokenPipe))
    }
}

impl DiskFile for FaultyFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        let world = self.world("read")?;
        let bytes = world
            .inodes
            .get(&self.inode)
            .map(|inode| inode.visible.as_slice());
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = bytes
            .and_then(|bytes| bytes.get(offset..))
            .unwrap_or_default();
        let read = bytes.len().min(into.len());
        for (to, from) in into.iter_mut().zip(bytes) {
            *to = *from;
        }
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut world = self.world("write")?;
        let end = (offset as u64).saturating_add(bytes.len() as u64);
        let room = world.grow("write", &self.path, self.inode, end);
        let done = world.change("write", &self.path).and(room);
        // A write that is cut short has been taken in part: whole sectors from its start.
        let taken = match done {
            Ok(()) => bytes.len(),
            Err(_) if world.life == self.life => {
                let mut random = Random(world.changes ^ bytes.len() as u64);
                let sectors = bytes.len() / SECTOR + 1;
                (random.below(sectors) * SECTOR).saturating_sub(offset % SECTOR)
            }
            Err(_) => 0,
        };
        if let Some(taken) = bytes.get(..taken).filter(|taken| !taken.is_empty())
            && let Some(inode) = world.inodes.get_mut(&self.inode)
        {
            inode.change(Change::Write(offset, taken.to_vec()));
        }
        done
    }

    fn len(&self) -> Result<u64, DiskError> {
        let world = self.world("measure")?;
        Ok(world
            .inodes
            .get(&self.inode)
            .map_or(0, |inode| inode.visible.len() as u64))
    }

    fn truncate(&self, length: u64) -> Result<(), DiskError> {
        let mut world = self.world("truncate")?;
        world.change("truncate", &self.path)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if let Some(inode) = world.inodes.get_mut(&self.inode) {
            inode.change(Change::Length(length));
        }
        Ok(())
    }

    fn allocate(&self, length: u64) -> Result<(), DiskError> {
        if length <= self.len()? {
            return Ok(());
        }
        let world = self.world("allocate")?;
        world.grow("allocate", &self.path, self.inode, length)?;
        drop(world);
        self.truncate(length)
    }

    fn fdatasync(&self) -> Result<(), DiskError> {
        let mut world = self.world("flush")?;
        world.change("flush", &self.path)?;
        let broken = world.broken;
        if broken.no_fdatasync {
            return Ok(());
        }
        let extension = self
            .path
            .extension()
            .and_then(|extension| extension.to_str());
        let in_log = self.path.components().any(|part| part.as_os_str() == "log");
        if broken.slot_before_segment && in_log && extension == Some("seg") {
            world.put_off.push(self.inode);
            return Ok(());
        }
        world.flush(self.inode);
        if extension == Some("state") && !world.put_off.is_empty() {
            world.change("flush", &self.path)?;
            for inode in std::mem::take(&mut world.put_off) {
                world.flush(inode);
            }
        }
        Ok(())
    }

    fn try_lock(&self) -> Result<bool, DiskError> {
        let mut world = self.world("lock")?;
        let mut locked = self.locked.lock().unwrap_or_else(PoisonError::into_inner);
        *locked = *locked || world.locks.insert(self.inode);
        Ok(*locked)
    }

    fn identity(&self) -> Result<FileIdentity, DiskError> {
        drop(self.world("identify")?);
        Ok(FileIdentity {
            device: 1,
            inode: self.inode,
        })
    }
}

impl Drop for FaultyFile {
    fn drop(&mut self) {
        let locked = self
            .locked
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let mut world = self.disk.lock();
        if *locked && world.life == self.life {
            world.locks.remove(&self.inode);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_flushed_survives_every_cut_and_nothing_else_surely_does() {
        let (mut kept, mut lost, mut torn) = (0, 0, 0);
        for seed in 0..200 {
            let disk = FaultyDisk::new(Broken::default());
            let path = Path::new("/file");
            let file = disk.open(path, Open::Create).unwrap();
            file.write_at(0, &[1; 100]).unwrap();
            file.fdatasync().unwrap();
            disk.fsync_dir(Path::new("/")).unwrap();
            file.write_at(100, &[2; 2000]).unwrap();
            disk.kill();
            assert!(file.len().is_err());
            assert_eq!(disk.contents(path).unwrap().len(), 2100);
            disk.power_cut(seed);
            let bytes = disk.contents(path).unwrap();
            assert_eq!(bytes[..100], [1; 100]);
            match bytes.len() {
                100 => lost += 1,
                2100 if bytes[100..] == [2; 2000] => kept += 1,
                _ => torn += 1,
            }
        }
        assert!(
            kept > 0 && lost > 0 && torn > 0,
            "{kept} kept, {lost} lost, {torn} torn"
        );
    }

    #[test]
    fn a_name_lasts_only_with_its_directory() {
        let mut lost = 0;
        for seed in 0..50 {
            let disk = FaultyDisk::new(Broken::default());
            let file = disk.open(Path::new("/file"), Open::Create).unwrap();
            file.write_at(0, b"bytes").unwrap();
            file.fdatasync().unwrap();
            disk.power_cut(seed);
            lost += u64::from(disk.contents(Path::new("/file")).is_none());
        }
        assert!(lost > 10, "{lost} of 50 lost");
    }
}
