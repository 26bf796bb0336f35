//! What a log may do after a start, and where it stops: copies, stale states, failing disks, kills
//! at each step.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use common::{Node, ROOT, Source, options, own_key, own_note, own_origin, push, sample, tree_of};
use tocsin_log::key::SigningKey;
use tocsin_store::blobs::Blobs;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::{Broken, Disk, Failure, FaultyDisk, RealDisk};
use tocsin_store::error::{Fault, Refusal, StopReason, StoreError};
use tocsin_store::failpoint::{FAILPOINTS, Failpoints};
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::mirror::{MirrorReadOnly, MirrorState};
use tocsin_store::own::Signing;
use tocsin_store::own_log::{OwnLog, OwnState, ReadOnlyReason};
use tocsin_store::reader::{BodyContent, Standing};
use tocsin_store::{OpenOptions, RepairEntry};

const SEGMENT: u64 = 8;

fn node_of(disk: &FaultyDisk, size: u64) -> Node {
    let mut node = Node::open(disk, &options(SEGMENT)).unwrap();
    node.own.allow_signing().unwrap();
    while node.own.reader().size() < size {
        node.commit(2).unwrap();
        node.follow(2, 100).unwrap();
    }
    node
}

fn disk_of(size: u64) -> FaultyDisk {
    let disk = FaultyDisk::new(Broken::default());
    drop(node_of(&disk, size));
    disk
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> Refusal {
    match result {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn nothing_is_signed_before_it_is_allowed_or_after_it_is_stopped() {
    let disk = disk_of(10);
    let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
    assert_eq!(node.own.guard().status(), Signing::NotYet);
    assert_eq!(refusal(node.commit(1)), Refusal::NotAllowed);
    assert_eq!(node.own.reader().size(), 10);
    node.own.allow_signing().unwrap();
    node.commit(1).unwrap();
    let reason = StopReason::NewerNote { size: 40 };
    node.own.guard().stop(reason);
    node.own.stop_signing(StopReason::Operator);
    assert_eq!(node.own.guard().status(), Signing::Stopped(reason));
    assert_eq!(refusal(node.commit(1)), Refusal::Stopped(reason));
    assert_eq!(refusal(node.own.allow_signing()), Refusal::Stopped(reason));
    assert_eq!(node.own.reader().size(), 11);
}

#[test]
fn a_second_process_is_locked_out() {
    let disk = disk_of(2);
    let node = Node::open(&disk, &options(SEGMENT)).unwrap();
    let second = DataDir::open(Arc::new(disk.clone()), Path::new(ROOT));
    assert_eq!(refusal(second), Refusal::Locked);
    drop(node);
    Node::open(&disk, &options(SEGMENT)).unwrap();
}

#[test]
fn an_older_copy_of_the_whole_directory_learns_it_from_the_peers_notes() {
    let disk = FaultyDisk::new(Broken::default());
    let mut node = node_of(&disk, 10);
    let restored = disk.fork();
    while node.own.reader().size() < 20 {
        node.commit(2).unwrap();
    }
    // Block for block an old copy looks like the original; only others can tell.
    let mut stale = Node::open(&restored, &options(SEGMENT)).unwrap();
    assert_eq!(*stale.own.state(), OwnState::Ready);
    let newest = own_note(20);
    let (size, root) = (newest.checkpoint().size, newest.checkpoint().root);
    assert_eq!(stale.own.signed(), Some((10, tree_of("us", 10).root())));
    assert_eq!(
        stale.own.reader().compare(size, &root).unwrap(),
        Standing::Newer
    );
    let other = tree_of("jp", 9).root();
    assert_eq!(
        stale.own.reader().compare(9, &other).unwrap(),
        Standing::OtherRoot
    );
    let same = tree_of("us", 9).root();
    assert_eq!(
        stale.own.reader().compare(9, &same).unwrap(),
        Standing::Agrees
    );
    stale.own.stop_signing(StopReason::NewerNote { size });
    assert!(matches!(
        refusal(stale.own.allow_signing()),
        Refusal::Stopped(_)
    ));
}

#[test]
fn older_segments_beside_the_newest_state_are_fetched_up_to_exactly_what_was_signed() {
    let disk = FaultyDisk::new(Broken::default());
    let mut node = node_of(&disk, 10);
    let log = Path::new(ROOT).join("log");
    let old: Vec<_> = disk
        .files()
        .into_iter()
        .filter(|path| path.starts_with(&log))
        .collect();
    let old: Vec<_> = old
        .iter()
        .map(|path| (path, disk.contents(path).unwrap()))
        .collect();
    while node.own.reader().size() < 30 {
        node.commit(2).unwrap();
        node.follow(2, 200).unwrap();
    }
    drop(node);
    for path in disk.files().iter().filter(|path| path.starts_with(&log)) {
        match old.iter().find(|(old, _)| *old == path) {
            Some((_, bytes)) => disk.edit(path, |now| now.clone_from(bytes)),
            None => disk.remove(path).unwrap(),
        }
    }
    let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
    let root = tree_of("us", 30).root();
    assert_eq!(
        *node.own.state(),
        OwnState::Behind {
            held: 10,
            size: 30,
            root
        }
    );
    assert_eq!(refusal(node.own.allow_signing()), Refusal::NotReady);
    let fetch = |log: &str, from, to| -> Vec<RepairEntry> {
        let entry = |index| {
            let (entry, bodies) = sample(log, index);
            RepairEntry {
                index,
                entry,
                bodies,
            }
        };
        (from..to).map(entry).collect()
    };
    let source = Source::new();
    while let Some(wanted) = node.own.wanted() {
        let mut short = fetch("us", wanted.start, wanted.until);
        short.pop();
        assert!(node.own.resume_with(&short, &[]).is_err());
        let note = own_note(wanted.until).note().to_bytes();
        node.own
            .resume_with(&fetch("us", wanted.start, wanted.until), &[note])
            .unwrap();
    }
    assert!(matches!(node.mirror.state(), MirrorState::Behind { .. }));
    while let Some(wanted) = node.mirror.wanted() {
        let note = source.note(wanted.until).note().to_bytes();
        node.mirror
            .repair(&fetch("jp", wanted.start, wanted.until), &[note])
            .unwrap();
    }
    assert_eq!(
        (node.own.state(), node.mirror.state()),
        (&OwnState::Ready, &MirrorState::Ready)
    );
    node.own.allow_signing().unwrap();
    assert_eq!(node.commit(1).unwrap().note, own_note(31).note().to_bytes());
    assert_eq!(node.follow(1, 300).unwrap().size, 31);
}

#[test]
fn a_file_copy_or_another_machine_is_read_and_not_signed_until_it_is_taken_over() {
    let disk = disk_of(10);
    let copy = Path::new("/copy");
    disk.copy_files(Path::new(ROOT), copy);
    let moved = disk.fork();
    moved.set_machine(99);
    for (disk, root) in [(disk.fork(), copy), (moved, Path::new(ROOT))] {
        // A tail that an original might cut: a copy does not.
        let segment = root.join("log/demo.tocsin.example_us_1/00000000000000000008.seg");
        disk.edit(&segment, |bytes| bytes.extend([7; 100]));
        let before = disk.contents(&segment);
        let arc: Arc<dyn Disk> = Arc::new(disk.clone());
        let mut node = Node::open_at(arc, root, &options(SEGMENT)).unwrap();
        assert_eq!(
            *node.own.state(),
            OwnState::ReadOnly(ReadOnlyReason::Copied)
        );
        assert_eq!(
            *node.mirror.state(),
            MirrorState::ReadOnly(MirrorReadOnly::Copied)
        );
        assert_eq!(refusal(node.own.allow_signing()), Refusal::NotReady);
        assert_eq!(refusal(node.follow(1, 1)), Refusal::NotReady);
        assert_eq!(node.own.reader().entry(9).unwrap(), sample("us", 9).0);
        assert_eq!(disk.contents(&segment), before);
        node.own.take_over(Some(&own_note(10))).unwrap();
        node.mirror.repair_state(None, 500).unwrap();
        node.own.allow_signing().unwrap();
        node.commit(1).unwrap();
        node.follow(1, 1).unwrap();
        drop(node);
        let arc: Arc<dyn Disk> = Arc::new(disk.clone());
        let node = Node::open_at(arc, root, &options(SEGMENT)).unwrap();
        assert_eq!(*node.own.state(), OwnState::Ready);
    }
    // The original goes on.
    let node = Node::open(&disk, &options(SEGMENT)).unwrap();
    assert_eq!(*node.own.state(), OwnState::Ready);
}

#[test]
fn without_its_state_a_log_is_read_and_not_signed() {
    for name in ["signer.state", "mirror.state"] {
        let disk = disk_of(10);
        disk.remove(&Path::new(ROOT).join(name)).unwrap();
        let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
        if name == "signer.state" {
            assert_eq!(
                *node.own.state(),
                OwnState::ReadOnly(ReadOnlyReason::StateMissing)
            );
            assert!(node.own.allow_signing().is_err());
            // The note of the last batch was still to ride.
            assert_eq!(node.own.reader().size(), 8);
            assert!(
                ReadOnlyReason::StateMissing
                    .to_string()
                    .contains("new generation")
            );
            drop(node);
            let mut again = Node::open(&disk, &options(SEGMENT)).unwrap();
            assert_eq!(
                *again.own.state(),
                OwnState::ReadOnly(ReadOnlyReason::StateMissing)
            );
            again.own.take_over(Some(&own_note(10))).unwrap();
            again.own.allow_signing().unwrap();
            assert_eq!(again.own.reader().size(), 10);
        } else {
            let missing = MirrorState::ReadOnly(MirrorReadOnly::StateMissing);
            assert_eq!(*node.mirror.state(), missing);
            assert!(node.follow(1, 1).is_err());
            drop(node);
            let mut again = Node::open(&disk, &options(SEGMENT)).unwrap();
            assert_eq!(*again.mirror.state(), missing);
            again.mirror.repair_state(None, 900).unwrap();
            assert_eq!(again.follow(1, 1).unwrap().time, 900);
        }
    }
}

#[test]
fn another_key_or_another_log_does_not_sign() {
    let disk = disk_of(10);
    let data = DataDir::open(Arc::new(disk), Path::new(ROOT)).unwrap();
    let other = SigningKey::from_seed([9; 32]);
    let own = OwnLog::open(&data, &own_origin(), other, options(SEGMENT)).unwrap();
    assert_eq!(*own.state(), OwnState::ReadOnly(ReadOnlyReason::OtherKey));
    drop(own);
    let next = "demo.tocsin.example/us/2".parse().unwrap();
    let own = OwnLog::open(&data, &next, own_key(), options(SEGMENT)).unwrap();
    assert_eq!(*own.state(), OwnState::ReadOnly(ReadOnlyReason::OtherLog));
}

#[test]
fn a_failed_write_or_flush_ends_the_log_and_a_new_start_has_everything() {
    for step in 0..40 {
        let disk = FaultyDisk::new(Broken::default());
        let mut node = node_of(&disk, 6);
        disk.fail_after(step, Failure::Device);
        let mut acknowledged = 6;
        let failed = (0..10).find_map(|_| match node.commit(1) {
            Ok(committed) => {
                acknowledged = committed.size;
                None
            }
            Err(error) => Some(error),
        });
        assert!(
            matches!(failed, Some(StoreError::Fault(_))),
            "step {step}: {failed:?}"
        );
        let after = node.commit(1);
        assert!(
            matches!(after, Err(StoreError::Fault(Fault::Poisoned))),
            "{after:?}"
        );
        assert!(node.own.erase_body(0, &tree_of("us", 1).root()).is_err());
        drop(node);
        disk.power_cut(step);
        let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
        node.own.allow_signing().unwrap();
        assert!(node.own.reader().size() >= acknowledged);
        node.commit(1).unwrap();
    }
}

#[test]
fn a_full_disk_takes_nothing_and_the_log_goes_on() {
    let disk = FaultyDisk::new(Broken::default());
    let mut node = node_of(&disk, 6);
    disk.fail_after(0, Failure::Full);
    assert_eq!(refusal(node.commit(1)), Refusal::DiskFull);
    disk.fail_after(0, Failure::Full);
    assert_eq!(refusal(node.follow(1, 200)), Refusal::DiskFull);
    for _ in 0..5 {
        node.commit(1).unwrap();
        node.follow(1, 200).unwrap();
    }
    drop(node);
    disk.power_cut(3);
    let node = Node::open(&disk, &options(SEGMENT)).unwrap();
    assert_eq!(
        (node.own.reader().size(), node.mirror.reader().size()),
        (11, 11)
    );
}

/// Does one of everything, so that every failpoint is passed.
fn everything(disk: &FaultyDisk, options: &OpenOptions) -> Result<(), StoreError> {
    let mut node = Node::open(disk, options)?;
    node.own.allow_signing()?;
    node.mirror.settle(1)?;
    let mut local = LocalLog::open(&node.data, options, |_, _| {})?;
    let blobs = Blobs::open(&node.data, options.failpoints.clone())?;
    for _ in 0..5 {
        node.commit(2)?;
        node.follow(2, 10)?;
        local.append(&[(LocalKind::Audit, b"read")])?;
    }
    let body = sample("us", 0).0;
    let digest = tocsin_log::hash::Hash::of(&body);
    blobs.put(&digest, &body)?;
    assert_eq!(blobs.get(&digest)?, Some(body));
    blobs.erase(&digest)?;
    assert_eq!(blobs.get(&digest)?, None);
    Ok(())
}

#[test]
fn a_kill_at_each_named_step_leaves_a_log_that_goes_on() {
    let hits = Arc::new(Mutex::new(BTreeSet::new()));
    for (number, name) in FAILPOINTS.iter().enumerate() {
        for nth in 0..3 {
            let disk = FaultyDisk::new(Broken::default());
            let (killed, seen) = (disk.clone(), Arc::new(Mutex::new(0)));
            let hits = Arc::clone(&hits);
            let hook = move |at: &'static str| {
                hits.lock().unwrap().insert(at);
                let mut seen = seen.lock().unwrap();
                if at == *name {
                    *seen += 1;
                    if *seen == nth + 1 {
                        killed.cut_after(0);
                    }
                }
            };
            let mut options = options(SEGMENT);
            options.failpoints = Failpoints::new(Arc::new(hook));
            let _ = everything(&disk, &options);
            disk.kill();
            if nth == 2 {
                disk.power_cut(number as u64);
            }
            let options = common::options(SEGMENT);
            let mut node = Node::open(&disk, &options).unwrap();
            assert_eq!(*node.own.state(), OwnState::Ready, "{name}");
            let size = node.own.reader().size();
            let signed = node.own.allow_signing().unwrap();
            for committed in &signed {
                assert_eq!(committed.note, own_note(committed.size).note().to_bytes());
            }
            if *name == "own.frames-flushed" && nth < 2 {
                // Ahead of the state: signed as it stands.
                assert_eq!(signed.len(), 1);
                assert_eq!(node.own.reader().size(), size + 2);
            }
            node.mirror.settle(20).unwrap();
            node.commit(1).unwrap();
            node.follow(1, 20).unwrap();
        }
    }
    let hits = hits.lock().unwrap();
    let never: Vec<_> = FAILPOINTS
        .iter()
        .filter(|name| !hits.contains(*name))
        .collect();
    assert!(never.is_empty(), "{never:?} are never hit");
}

#[test]
fn two_threads_write_and_sign_a_real_log_over_full_segments() {
    let directory = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let open = || Node::open_at(Arc::clone(&disk), directory.path(), &OpenOptions::default());
    let mut node = open().unwrap();
    node.own.allow_signing().unwrap();
    let reader = node.own.reader();
    let Node {
        own,
        data,
        states,
        mirror,
        ..
    } = node;
    let (mut writer, mut signer) = own.split();
    let (send, receive) = mpsc::sync_channel(1);
    let signing = thread::spawn(move || {
        let mut notes = Vec::new();
        for written in receive {
            notes.push(signer.sign(written).unwrap());
        }
        notes
    });
    let mut counts = (1..).map(|n: u64| 1 + n * 37 % 400);
    while writer.batch().start() < 9000 {
        let mut batch = writer.batch();
        push(&mut batch, "us", counts.next().unwrap());
        send.send(writer.write(&batch).unwrap()).unwrap();
    }
    drop(send);
    let notes = signing.join().unwrap();
    let size = reader.size();
    assert!(size >= 9000);
    assert!(notes.iter().any(|committed| committed.size == 4096));
    for committed in &notes {
        assert_eq!(reader.note_at(committed.size).unwrap(), committed.note);
    }
    drop((writer, mirror, states, data));
    let mut node = open().unwrap();
    assert_eq!(
        (node.own.state(), node.own.reader().size()),
        (&OwnState::Ready, size)
    );
    node.own.allow_signing().unwrap();
    let reader = node.own.reader();
    for committed in &notes {
        assert_eq!(reader.note_at(committed.size).unwrap(), committed.note);
    }
    // What a follower is sent leads it to the same root, in whole batches.
    let mut next = 0;
    while let Some(batch) = reader.batch(next, 1 << 20).unwrap() {
        assert_eq!(batch.start, next);
        for stored in &batch.entries {
            assert_eq!(stored.entry, sample("us", stored.index).0);
        }
        let end = next + batch.entries.len() as u64;
        assert_eq!(next / 4096, (end - 1) / 4096);
        assert_eq!(batch.note, reader.note_at(end).unwrap());
        next = end;
    }
    assert_eq!(next, size);
    prove(&reader);
}

/// Proofs from the hash file are those that the log crate verifies.
fn prove(reader: &tocsin_store::reader::LogReader) {
    use tocsin_log::proof::{verify_consistency, verify_inclusion};
    let (size, root) = (reader.size(), reader.checkpoint().root);
    for index in (0..size).step_by(611) {
        let leaf = reader.leaf(index).unwrap();
        let proof = reader.inclusion(index, size).unwrap();
        verify_inclusion(&leaf, index, size, &proof, &root).unwrap();
        let old = index + 1;
        let proof = reader.consistency(old, size).unwrap();
        verify_consistency(old, size, &reader.root_at(old).unwrap(), &root, &proof).unwrap();
        let (covering, _) = reader.note_covering(index).unwrap().unwrap();
        assert!(covering > index);
    }
    let beyond = Refusal::OutOfRange { index: size, size };
    assert_eq!(refusal(reader.entry(size)), beyond);
    assert_eq!(refusal(reader.inclusion(size, size)), beyond);
    assert!(reader.consistency(0, size).is_err() && reader.inclusion(0, size + 1).is_err());
    assert_eq!(
        refusal(reader.note_at(1_000_000)),
        Refusal::NoNote { size: 1_000_000 }
    );
}

#[test]
fn what_is_sent_to_a_follower_far_behind_keeps_to_its_bound() {
    const COMMIT: u64 = 2;
    let disk = FaultyDisk::new(Broken::default());
    let node = node_of(&disk, 40);
    let reader = node.own.reader();
    for max_bytes in [0, 1_000, 2_000, 4_000, 100_000] {
        let mut start = 0;
        while let Some(batch) = reader.batch(start, max_bytes).unwrap() {
            let bytes: usize = batch
                .entries
                .iter()
                .map(|stored| {
                    let bodies = stored.bodies.iter().map(|body| match &body.content {
                        BodyContent::Sound(bytes) => bytes.len(),
                        BodyContent::Erased | BodyContent::Damaged => 0,
                    });
                    stored.entry.len() + bodies.sum::<usize>()
                })
                .sum();
            let count = batch.entries.len() as u64;
            assert!(
                bytes <= max_bytes || count <= COMMIT,
                "{max_bytes}: {bytes}"
            );
            start += count;
        }
        assert_eq!(start, reader.size());
    }
}
