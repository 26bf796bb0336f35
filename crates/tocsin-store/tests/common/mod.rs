//! What the tests of the disk share: seeded choices, another member's log, and how to open everything.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::Path;
use std::sync::Arc;

use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::hash::leaf_hash;
use tocsin_log::key::SigningKey;
use tocsin_log::tree::Tree;
use tocsin_store::OpenOptions;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::{Disk, FaultyDisk};
use tocsin_store::error::StoreError;
use tocsin_store::mirror::{MirrorLog, MirrorStates};
use tocsin_store::own_log::OwnLog;

pub const ROOT: &str = "/data";

/// An entry's bytes with its bodies.
pub type Sample = (Vec<u8>, Vec<Vec<u8>>);

/// splitmix64.
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..=self.below(most))
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

/// The `number`-th entry of a log: from its name and number alone.
pub fn sample(log: &str, number: u64) -> Sample {
    let mut random = Random(number ^ (log.len() as u64) << 40);
    let entry = [log.as_bytes(), &number.to_be_bytes(), &random.bytes(300)].concat();
    let bodies = match random.below(4) {
        0 => vec![random.bytes(1500)],
        1 => vec![random.bytes(40), random.bytes(700)],
        _ => vec![],
    };
    (entry, bodies)
}

pub fn own_origin() -> Origin {
    "demo.tocsin.example/us/1".parse().unwrap()
}

pub fn own_key() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// Another member's log, as its honest origin has it.
pub struct Source {
    pub origin: Origin,
    pub key: SigningKey,
}

impl Source {
    pub fn new() -> Self {
        let origin = "demo.tocsin.example/jp/1".parse().unwrap();
        Self {
            origin,
            key: SigningKey::from_seed([2; 32]),
        }
    }

    pub fn entry(&self, index: u64) -> Sample {
        sample("jp", index)
    }

    pub fn tree(&self, size: u64) -> Tree {
        tree_of("jp", size)
    }

    pub fn note(&self, tree: &Tree) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: tree.size(),
            root: tree.root(),
        };
        let note = checkpoint.sign(&self.key).unwrap().to_bytes();
        SignedCheckpoint::open(&note, &self.origin, &self.key.public()).unwrap()
    }
}

pub fn tree_of(log: &str, size: u64) -> Tree {
    let mut tree = Tree::new();
    for index in 0..size {
        tree.append(leaf_hash(&sample(log, index).0));
    }
    tree
}

/// Everything of a data directory, open.
pub struct Node {
    pub data: DataDir,
    pub own: OwnLog,
    pub states: MirrorStates,
    pub mirror: MirrorLog,
    pub source: Source,
}

pub fn options(segment_entries: u64) -> OpenOptions {
    OpenOptions {
        segment_entries,
        ..OpenOptions::default()
    }
}

impl Node {
    pub fn open(disk: &FaultyDisk, options: &OpenOptions) -> Result<Self, StoreError> {
        Self::open_at(Arc::new(disk.clone()), Path::new(ROOT), options)
    }

    pub fn open_at(
        disk: Arc<dyn Disk>,
        root: &Path,
        options: &OpenOptions,
    ) -> Result<Self, StoreError> {
        let data = DataDir::open(disk, root)?;
        let own = OwnLog::open(&data, &own_origin(), own_key(), options.clone())?;
        let states = MirrorStates::open(&data)?;
        let source = Source::new();
        let key = source.key.public();
        let mirror = MirrorLog::open(&data, &states, &source.origin, key, options.clone())?;
        Ok(Self {
            data,
            own,
            states,
            mirror,
            source,
        })
    }

    /// Commits the next `count` entries of our own log.
    pub fn commit(&mut self, count: u64) -> Result<tocsin_store::own::Committed, StoreError> {
        let mut batch = self.own.batch();
        push(&mut batch, "us", count);
        self.own.commit(&batch)
    }

    /// Stores the next `count` entries of the other member's.
    pub fn follow(
        &mut self,
        count: u64,
        now: u64,
    ) -> Result<tocsin_log::cosign::Cosigned, StoreError> {
        let mut batch = self.mirror.batch();
        push(&mut batch, "jp", count);
        let mut tree = self.mirror.tree().clone();
        for index in batch.start()..batch.start() + batch.count() {
            tree.append(leaf_hash(&self.source.entry(index).0));
        }
        self.mirror.commit(&batch, &self.source.note(&tree), now)
    }
}

/// Puts the next entries of a log in, as many of `count` as one batch may have.
pub fn push(batch: &mut tocsin_store::batch::Batch, log: &str, count: u64) {
    for _ in 0..count {
        let (entry, bodies) = sample(log, batch.start() + batch.count());
        if batch.push(&entry, &bodies).is_err() {
            break;
        }
    }
}
