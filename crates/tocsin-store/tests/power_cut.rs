//! The test that this crate is for: a long run of commits, the power cut at every change that it
//! makes on the disk, and after each cut everything that was acknowledged is there, and nothing was
//! signed twice.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use common::{Node, Random, Source, options, own_note, push, sample};
use tocsin_log::cosign::Cosigned;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::tree::Tree;
use tocsin_store::disk::{Broken, FaultyDisk};
use tocsin_store::error::StoreError;
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::mirror::MirrorState;
use tocsin_store::own::{Committed, OwnSigner, OwnWriter};
use tocsin_store::own_log::OwnState;
use tocsin_store::reader::{BodyContent, LogReader};

const OPERATIONS: u64 = 200;

/// What the cuts led to, so that a test which met nothing is not taken for one that passed.
static TORN_TAILS: AtomicU64 = AtomicU64::new(0);
static SIGNED_AS_IT_STOOD: AtomicU64 = AtomicU64::new(0);
static MIRRORS_SETTLED: AtomicU64 = AtomicU64::new(0);

/// What the outside world knows: answers given, notes seen. It forgets nothing and no crash touches
/// it.
#[derive(Clone, Default)]
struct Journal {
    /// Own entries that were acknowledged.
    acknowledged: u64,
    /// Every note of our log that was ever signed.
    signed: BTreeMap<u64, Hash>,
    /// What we cosigned last of the other log.
    cosigned: Option<Cosigned>,
    /// Records of the local log that were acknowledged.
    local: u64,
}

impl Journal {
    fn see(&mut self, committed: &Committed) -> Result<(), String> {
        let before = self.signed.insert(committed.size, committed.root);
        if before.is_some_and(|root| root != committed.root) {
            return Err(format!("two roots signed for size {}", committed.size));
        }
        // The one note that may ever exist at this size, signature and all.
        if committed.note != own_note(committed.size).note().to_bytes() {
            return Err(format!("another note than the log's at {}", committed.size));
        }
        Ok(())
    }

    fn acknowledge(&mut self, committed: &Committed) -> Result<(), String> {
        self.see(committed)?;
        self.acknowledged = self.acknowledged.max(committed.size);
        Ok(())
    }

    fn cosign(&mut self, cosigned: Cosigned) -> Result<(), String> {
        if let Some(last) = self.cosigned
            && (cosigned.size < last.size
                || cosigned.time < last.time
                || (cosigned.size == last.size && cosigned.root != last.root))
        {
            return Err(format!(
                "cosignatures went back from {last:?} to {cosigned:?}"
            ));
        }
        self.cosigned = Some(cosigned);
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Variant {
    segment_entries: u64,
    /// Commits go through the two halves, one batch unsigned while the next is written.
    pipelined: bool,
}

const SMALL: Variant = Variant {
    segment_entries: 16,
    pipelined: false,
};
const PIPELINED: Variant = Variant {
    segment_entries: 16,
    pipelined: true,
};

/// Why a run ended before its last operation.
enum End {
    /// The disk was cut.
    Cut,
    /// A promise was broken.
    Broken(String),
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Fault(_) => Self::Cut,
            StoreError::Refused(refusal) => Self::Broken(format!("refused: {refusal}")),
        }
    }
}

impl From<String> for End {
    fn from(broken: String) -> Self {
        Self::Broken(broken)
    }
}

/// Opens everything and does `operations` operations, telling the journal what leaves the process.
fn run(
    disk: &FaultyDisk,
    variant: Variant,
    operations: u64,
    journal: &mut Journal,
) -> Result<(), End> {
    let options = options(variant.segment_entries);
    let mut node = Node::open(disk, &options)?;
    for committed in node.own.allow_signing()? {
        journal.see(&committed)?;
    }
    if let Some(cosigned) = node.mirror.settle(50)? {
        journal.cosign(cosigned)?;
    }
    let mut local = LocalLog::open(&node.data, &options, |_, _| {})?;
    let mut random = Random(operations);
    if variant.pipelined {
        return run_pipelined(node, operations, journal);
    }
    for operation in 0..operations {
        match random.below(8) {
            0..=3 => {
                let committed = node.commit(1 + random.below(3))?;
                journal.acknowledge(&committed)?;
            }
            4..=6 => {
                // The clock goes wrong now and then.
                let now = 100 + operation - random.below(50);
                let cosigned = node.follow(1 + random.below(3), now)?;
                journal.cosign(cosigned)?;
            }
            _ => {
                let number = local.count();
                local.append(&[(LocalKind::Audit, sample("local", number).0)])?;
                journal.local = journal.local.max(number + 1);
            }
        }
    }
    Ok(())
}

fn run_pipelined(node: Node, operations: u64, journal: &mut Journal) -> Result<(), End> {
    let mut random = Random(operations);
    let (mut writer, mut signer): (OwnWriter, OwnSigner) = node.own.split();
    let mut waiting = None;
    for _ in 0..operations {
        let mut batch = writer.batch();
        push(&mut batch, "us", 1 + random.below(3));
        let opens_segment = batch.start().is_multiple_of(16);
        if opens_segment && let Some(written) = waiting.take() {
            journal.acknowledge(&signer.sign(written)?)?;
        }
        let written = writer.write(&batch)?;
        if let Some(before) = waiting.replace(written) {
            journal.acknowledge(&signer.sign(before)?)?;
        }
    }
    if let Some(written) = waiting {
        journal.acknowledge(&signer.sign(written)?)?;
    }
    Ok(())
}

/// Opens everything after a crash and holds it against the journal; then goes on working.
fn check(disk: &FaultyDisk, variant: Variant, journal: &mut Journal) -> Result<(), String> {
    let fail = |error: StoreError| format!("does not open: {error}");
    let options = options(variant.segment_entries);
    let mut node = Node::open(disk, &options).map_err(fail)?;
    if *node.own.state() != OwnState::Ready {
        return Err(format!("our log is {:?}", node.own.state()));
    }
    if *node.mirror.state() != MirrorState::Ready {
        return Err(format!("the mirrored log is {:?}", node.mirror.state()));
    }
    let before = node.own.reader().size();
    if before < journal.acknowledged {
        return Err(format!(
            "{} acknowledged, {before} left",
            journal.acknowledged
        ));
    }
    if let Some(cosigned) = node.mirror.cosigned() {
        journal.cosign(cosigned)?;
    } else if journal.cosigned.is_some() {
        return Err("the cosignature is forgotten".to_owned());
    }
    for cut in [node.own.cut(), node.mirror.cut()].iter().flatten() {
        TORN_TAILS.fetch_add(u64::from(cut.bytes > 0), Ordering::SeqCst);
    }
    for committed in node.own.allow_signing().map_err(fail)? {
        SIGNED_AS_IT_STOOD.fetch_add(1, Ordering::SeqCst);
        journal.see(&committed)?;
    }
    if let Some(cosigned) = node.mirror.settle(40).map_err(fail)? {
        MIRRORS_SETTLED.fetch_add(1, Ordering::SeqCst);
        journal.cosign(cosigned)?;
    }
    check_log("us", &node.own.reader(), &journal.signed.clone())?;
    let cosigned = journal
        .cosigned
        .iter()
        .map(|last| (last.size, last.root))
        .collect();
    check_log("jp", &node.mirror.reader(), &cosigned)?;
    check_local(&node, &options, journal)?;
    // And on.
    for _ in 0..2 {
        let committed = node.commit(2).map_err(fail)?;
        journal.acknowledge(&committed)?;
        journal.cosign(node.follow(1, 60).map_err(fail)?)?;
    }
    Ok(())
}

/// Every entry and body is byte for byte what it was, every note of `notes` is kept, and proofs
/// hold.
fn check_log(log: &str, reader: &LogReader, notes: &BTreeMap<u64, Hash>) -> Result<(), String> {
    let fail = |error: StoreError| format!("{log}: {error}");
    let mut tree = Tree::new();
    let mut next = 0;
    while next < reader.size() {
        for stored in reader.range(next, 1 << 20).map_err(fail)? {
            let (entry, bodies) = sample(log, next);
            let found: Vec<_> = stored.bodies.into_iter().map(|body| body.content).collect();
            let expected: Vec<_> = bodies.into_iter().map(BodyContent::Sound).collect();
            if stored.index != next || stored.entry != entry || found != expected {
                return Err(format!("{log}: entry {next} is not what was acknowledged"));
            }
            tree.append(leaf_hash(&entry));
            next += 1;
        }
    }
    if reader.checkpoint().root != tree.root() || reader.size() != tree.size() {
        return Err(format!("{log}: the root is not that of the entries"));
    }
    for (size, root) in notes {
        let expected = if log == "us" {
            own_note(*size)
        } else {
            Source::new().note(*size)
        };
        if reader.note_at(*size).map_err(fail)? != expected.note().to_bytes() {
            return Err(format!("{log}: the note of size {size} is another"));
        }
        if reader.root_at(*size).map_err(fail)? != *root {
            return Err(format!("{log}: the root at {size} has changed"));
        }
    }
    Ok(())
}

fn check_local(
    node: &Node,
    options: &tocsin_store::OpenOptions,
    journal: &Journal,
) -> Result<(), String> {
    let mut found = Vec::new();
    let local = LocalLog::open(&node.data, options, |kind, bytes| {
        found.push((kind, bytes.to_vec()));
    });
    local.map_err(|error| format!("local: {error}"))?;
    for number in 0..journal.local {
        let expected = (LocalKind::Audit, sample("local", number).0);
        if found.get(usize::try_from(number).unwrap()) != Some(&expected) {
            return Err(format!("local record {number} is lost"));
        }
    }
    Ok(())
}

/// Cuts at the `cut`-th change and tries what a crash there can leave: the power gone, with several
/// seeds; the process killed; killed, started again, and then the power gone while it recovers or
/// works on.
fn crash_at(cut: u64, variant: Variant, broken: Broken, seeds: u64) -> Result<bool, String> {
    let disk = FaultyDisk::new(broken);
    let mut journal = Journal::default();
    disk.cut_after(cut);
    let finished = match run(&disk, variant, OPERATIONS, &mut journal) {
        Ok(()) => true,
        Err(End::Cut) => false,
        Err(End::Broken(why)) => return Err(format!("cut {cut}: {why}")),
    };
    for seed in 0..seeds {
        let seed = cut * 1000 + seed;
        let (disk, mut journal) = (disk.fork(), journal.clone());
        disk.power_cut(seed);
        let told = |why| format!("cut {cut}, seed {seed}: {why}");
        check(&disk, variant, &mut journal).map_err(told)?;
        // What was built on the remains must last as well.
        disk.power_cut(seed + 1);
        check(&disk, variant, &mut journal).map_err(|why| told(format!("second: {why}")))?;
    }
    let seed = cut * 1000 + 777;
    let (disk, mut journal) = (disk.fork(), journal);
    disk.kill();
    let second = Random(seed).below(40);
    disk.cut_after(second);
    match run(&disk, variant, 6, &mut journal) {
        Ok(()) | Err(End::Cut) => {}
        Err(End::Broken(why)) => return Err(format!("cut {cut}, killed: {why}")),
    }
    let told = |why| format!("cut {cut}, killed, cut {second}, seed {seed}: {why}");
    let killed = disk.fork();
    killed.kill();
    check(&killed, variant, &mut journal.clone()).map_err(told)?;
    disk.power_cut(seed);
    check(&disk, variant, &mut journal).map_err(told)?;
    Ok(finished)
}

/// How many changes the whole run makes.
fn changes_of(variant: Variant, broken: Broken) -> u64 {
    let disk = FaultyDisk::new(broken);
    match run(&disk, variant, OPERATIONS, &mut Journal::default()) {
        Ok(()) => disk.changes(),
        Err(End::Cut) => panic!("the disk failed by itself"),
        Err(End::Broken(why)) => panic!("{why}"),
    }
}

/// Tries every `step`-th cut on all cores; the first broken promise is returned.
fn crash_everywhere(
    variant: Variant,
    broken: Broken,
    seeds: u64,
    step: u64,
) -> Result<u64, String> {
    let changes = changes_of(variant, broken);
    let (next, tried) = (AtomicU64::new(0), AtomicU64::new(0));
    let work = || loop {
        let cut = next.fetch_add(step, Ordering::SeqCst);
        if cut > changes {
            return Ok(());
        }
        tried.fetch_add(1, Ordering::SeqCst);
        if let Err(why) = crash_at(cut, variant, broken, seeds) {
            next.store(changes + 1, Ordering::SeqCst);
            return Err(why);
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap())
    })?;
    Ok(tried.into_inner())
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_signed_twice_at_any_cut() {
    let tried = crash_everywhere(SMALL, Broken::default(), 3, 1).unwrap();
    assert!(tried > 1000, "only {tried} cuts");
    for met in [&TORN_TAILS, &SIGNED_AS_IT_STOOD, &MIRRORS_SETTLED] {
        let met = met.load(Ordering::SeqCst);
        assert!(met > 100, "only {met} of a kind");
    }
}

#[test]
fn the_same_holds_while_one_batch_is_signed_and_the_next_is_written() {
    crash_everywhere(PIPELINED, Broken::default(), 1, 1).unwrap();
}

#[test]
fn a_disk_that_does_not_flush_files_fails_this_test() {
    let broken = Broken {
        no_fdatasync: true,
        ..Broken::default()
    };
    let why = crash_everywhere(SMALL, broken, 3, 7).unwrap_err();
    println!("found: {why}");
}

#[test]
fn a_disk_that_does_not_flush_directories_fails_this_test() {
    let broken = Broken {
        no_fsync_dir: true,
        ..Broken::default()
    };
    let why = crash_everywhere(SMALL, broken, 3, 7).unwrap_err();
    println!("found: {why}");
}

#[test]
fn a_slot_written_before_its_segment_fails_this_test() {
    let broken = Broken {
        slot_before_segment: true,
        ..Broken::default()
    };
    for variant in [SMALL, PIPELINED] {
        let why = crash_everywhere(variant, broken, 3, 1).unwrap_err();
        assert!(why.contains("Behind") || why.contains("Damaged"), "{why}");
        println!("found: {why}");
    }
}
