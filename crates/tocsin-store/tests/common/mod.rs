//! What the tests of the disk share: seeded choices, another member's log, and how to open
//! everything.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

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

pub(crate) const ROOT: &str = "/data";

/// An entry's bytes with its bodies.
pub(crate) type Sample = (Vec<u8>, Vec<Vec<u8>>);

/// splitmix64.
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn bytes(&mut self, most: u64) -> Vec<u8> {
        (0..=self.below(most))
            .map(|_| u8::try_from(self.below(256)).unwrap())
            .collect()
    }
}

/// The `number`-th entry of a log: from its name and number alone.
pub(crate) fn sample(log: &str, number: u64) -> Sample {
    let known = usize::try_from(number).unwrap();
    known_samples(log)
        .get(known)
        .cloned()
        .unwrap_or_else(|| make_sample(log, number))
}

fn known_samples(log: &str) -> &'static [Sample] {
    static OURS: LazyLock<Vec<Sample>> = LazyLock::new(|| make_samples("us"));
    static THEIRS: LazyLock<Vec<Sample>> = LazyLock::new(|| make_samples("jp"));
    match log {
        "us" => &OURS,
        "jp" => &THEIRS,
        _ => &[],
    }
}

fn make_samples(log: &str) -> Vec<Sample> {
    (0..1000).map(|number| make_sample(log, number)).collect()
}

fn make_sample(log: &str, number: u64) -> Sample {
    let mut random = Random(number ^ (log.len() as u64) << 40);
    let entry = [log.as_bytes(), &number.to_be_bytes(), &random.bytes(300)].concat();
    let bodies = match random.below(4) {
        0 => vec![random.bytes(1500)],
        1 => vec![random.bytes(40), random.bytes(700)],
        _ => vec![],
    };
    (entry, bodies)
}

pub(crate) fn own_origin() -> Origin {
    static ORIGIN: LazyLock<Origin> = LazyLock::new(|| "demo.tocsin.example/us/1".parse().unwrap());
    ORIGIN.clone()
}

pub(crate) fn own_key() -> SigningKey {
    static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_seed([1; 32]));
    KEY.clone()
}

/// Another member's log, as its honest origin has it.
pub(crate) struct Source {
    pub(crate) origin: Origin,
    pub(crate) key: SigningKey,
}

impl Source {
    pub(crate) fn new() -> Self {
        static SOURCE: LazyLock<(Origin, SigningKey)> = LazyLock::new(|| {
            let origin = "demo.tocsin.example/jp/1".parse().unwrap();
            (origin, SigningKey::from_seed([2; 32]))
        });
        let (origin, key) = SOURCE.clone();
        Self { origin, key }
    }

    pub(crate) fn entry(&self, index: u64) -> Sample {
        sample("jp", index)
    }

    pub(crate) fn tree(&self, size: u64) -> Tree {
        tree_of("jp", size)
    }

    pub(crate) fn note(&self, size: u64) -> SignedCheckpoint {
        note_of("jp", &self.origin, &self.key, size)
    }
}

/// The note that an honest log has at a size; each is made once.
pub(crate) fn note_of(
    log: &'static str,
    origin: &Origin,
    key: &SigningKey,
    size: u64,
) -> SignedCheckpoint {
    static NOTES: Mutex<BTreeMap<(&'static str, u64), SignedCheckpoint>> =
        Mutex::new(BTreeMap::new());
    if let Some(note) = NOTES.lock().unwrap().get(&(log, size)) {
        return note.clone();
    }
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size,
        root: tree_of(log, size).root(),
    };
    let note = checkpoint.sign(key).unwrap().to_bytes();
    let note = SignedCheckpoint::open(&note, origin, &key.public()).unwrap();
    NOTES.lock().unwrap().insert((log, size), note.clone());
    note
}

pub(crate) fn own_note(size: u64) -> SignedCheckpoint {
    note_of("us", &own_origin(), &own_key(), size)
}

pub(crate) fn tree_of(log: &str, size: u64) -> Tree {
    static OURS: LazyLock<Vec<Tree>> = LazyLock::new(|| make_trees("us"));
    static THEIRS: LazyLock<Vec<Tree>> = LazyLock::new(|| make_trees("jp"));
    let trees = if log == "us" { &OURS } else { &THEIRS };
    trees[usize::try_from(size).unwrap()].clone()
}

fn make_trees(log: &str) -> Vec<Tree> {
    let mut trees = vec![Tree::new()];
    for number in 0..10_000 {
        let mut tree = trees.last().cloned().unwrap_or_default();
        tree.append(leaf_hash(&sample(log, number).0));
        trees.push(tree);
    }
    trees
}

/// Everything of a data directory, open.
pub(crate) struct Node {
    pub(crate) data: DataDir,
    pub(crate) own: OwnLog,
    pub(crate) states: MirrorStates,
    pub(crate) mirror: MirrorLog,
    pub(crate) source: Source,
}

pub(crate) fn options(segment_entries: u64) -> OpenOptions {
    OpenOptions {
        segment_entries,
        ..OpenOptions::default()
    }
}

impl Node {
    pub(crate) fn open(disk: &FaultyDisk, options: &OpenOptions) -> Result<Self, StoreError> {
        Self::open_at(Arc::new(disk.clone()), Path::new(ROOT), options)
    }

    pub(crate) fn open_at(
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
    pub(crate) fn commit(
        &mut self,
        count: u64,
    ) -> Result<tocsin_store::own::Committed, StoreError> {
        let mut batch = self.own.batch();
        push(&mut batch, "us", count);
        self.own.commit(&batch)
    }

    /// Stores the next `count` entries of the other member's.
    pub(crate) fn follow(
        &mut self,
        count: u64,
        now: u64,
    ) -> Result<tocsin_log::cosign::Cosigned, StoreError> {
        let mut batch = self.mirror.batch();
        push(&mut batch, "jp", count);
        let note = self.source.note(batch.start() + batch.count());
        self.mirror.commit(&batch, &note, now)
    }
}

/// Puts the next entries of a log in, as many of `count` as one batch may have.
pub(crate) fn push(batch: &mut tocsin_store::batch::Batch, log: &str, count: u64) {
    for _ in 0..count {
        let (entry, bodies) = sample(log, batch.start() + batch.count());
        if batch.push(&entry, &bodies).is_err() {
            break;
        }
    }
}
