//! A member's log in memory, for the tests of this crate.

use std::convert::Infallible;

use crate::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use crate::hash::{Hash, leaf_hash};
use crate::key::SigningKey;
use crate::tree::Tree;

/// A log with all its stored hashes and roots, and the key that signs it.
pub(crate) struct TestLog {
    pub(crate) origin: Origin,
    pub(crate) key: SigningKey,
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) stored: Vec<Hash>,
    pub(crate) roots: Vec<Hash>,
    tree: Tree,
}

impl TestLog {
    /// The log of one member, always with the same key.
    pub(crate) fn new() -> Self {
        let origin = Origin::new("demo.tocsin.example", "jp", 1).unwrap();
        let (key, tree) = (SigningKey::from_seed([1; 32]), Tree::new());
        let roots = vec![tree.root()];
        Self {
            origin,
            key,
            entries: Vec::new(),
            stored: Vec::new(),
            roots,
            tree,
        }
    }

    /// With `size` entries. Two logs are equal up to where their stories part: from `fork` on
    /// entries differ.
    pub(crate) fn with_fork(size: u64, fork: u64) -> Self {
        let mut log = Self::new();
        for index in 0..size {
            let story = if index < fork { "one" } else { "other" };
            log.push(format!("{story} story, entry {index}").into_bytes());
        }
        log
    }

    pub(crate) fn of(size: u64) -> Self {
        Self::with_fork(size, size)
    }

    pub(crate) fn push(&mut self, entry: Vec<u8>) {
        self.stored.extend(self.tree.append(leaf_hash(&entry)));
        self.roots.push(self.tree.root());
        self.entries.push(entry);
    }

    pub(crate) fn read(&self, place: u64) -> Result<Hash, Infallible> {
        Ok(self.stored[usize::try_from(place).unwrap()])
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        self.roots[usize::try_from(size).unwrap()]
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        Checkpoint {
            origin: self.origin.clone(),
            size,
            root: self.root(size),
        }
    }

    pub(crate) fn note(&self, size: u64) -> Vec<u8> {
        self.checkpoint(size).sign(&self.key).unwrap().to_bytes()
    }

    pub(crate) fn signed(&self, size: u64) -> SignedCheckpoint {
        SignedCheckpoint::open(&self.note(size), &self.origin, &self.key.public()).unwrap()
    }

    /// The entries from `start` to `end`, as a batch has them.
    pub(crate) fn batch(&self, start: usize, end: usize) -> Vec<&[u8]> {
        self.entries[start..end].iter().map(Vec::as_slice).collect()
    }
}
