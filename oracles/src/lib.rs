//! One log, kept by three libraries: ours, `tlog_tiles` and `ct-merkle`. The tests compare them.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use tlog_tiles::{Error, HashReader};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::tree::Tree;

/// A log of generated entries.
#[derive(Debug, Default)]
pub struct Logs {
    /// The bytes of each entry.
    pub entries: Vec<Vec<u8>>,
    /// Our tree.
    pub tree: Tree,
    /// The flat hash file, as our tree extends it.
    pub stored: Vec<Hash>,
    /// Our root at each size.
    pub roots: Vec<Hash>,
    /// The tree of `ct-merkle`.
    pub ct: MemoryBackedTree<Sha256, Vec<u8>>,
}

impl Logs {
    /// Both trees over `size` entries of differing lengths.
    #[must_use]
    pub fn of(size: u64) -> Self {
        let mut logs = Self {
            roots: vec![Tree::new().root()],
            ..Self::default()
        };
        for index in 0..size {
            logs.push(index);
        }
        logs
    }

    /// Appends one more entry.
    pub fn push(&mut self, index: u64) {
        let entry = format!("entry {index}").repeat(usize::try_from(index % 7).unwrap_or(0));
        let entry = entry.into_bytes();
        self.stored.extend(self.tree.append(leaf_hash(&entry)));
        self.roots.push(self.tree.root());
        self.ct.push(entry.clone());
        self.entries.push(entry);
    }

    /// Our stored hash at a place of the hash file.
    ///
    /// # Errors
    /// The place, if nothing is stored there.
    pub fn read(&self, place: u64) -> Result<Hash, u64> {
        let stored = usize::try_from(place)
            .ok()
            .and_then(|place| self.stored.get(place));
        stored.copied().ok_or(place)
    }
}

/// `tlog_tiles` reads the hash file that our tree wrote.
impl HashReader for Logs {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        let read = |place: &u64| self.read(*place).map(theirs);
        let hashes = indexes.iter().map(read).collect::<Result<_, _>>();
        hashes.map_err(|place| Error::InvalidInput(format!("nothing stored at {place}")))
    }
}

/// Our hash as theirs.
#[must_use]
pub fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}

/// Their hashes as ours.
#[must_use]
pub fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

/// The hashes of a `ct-merkle` proof, which is their bytes one after the other.
#[must_use]
pub fn split(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, _) = bytes.as_chunks();
    hashes.iter().copied().map(Hash).collect()
}

/// Hashes as the bytes of a `ct-merkle` proof.
#[must_use]
pub fn join(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}
