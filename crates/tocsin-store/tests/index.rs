//! The index: whatever happens to it, it is known for it and rebuilt, and nothing is lost.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::{Node, options, sample, tree_of};
use tempfile::TempDir;
use tocsin_log::hash::Hash;
use tocsin_store::disk::{Disk, RealDisk};
use tocsin_store::index::{Index, IndexError, IndexState, Progress, RebuildReason};
use tocsin_store::reader::{LogReader, StoredEntry};

/// Two logs on the machine's disk, and where their index is.
fn logs(size: u64) -> (TempDir, Vec<LogReader>) {
    let directory = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let mut node = Node::open_at(disk, directory.path(), &options(16)).unwrap();
    node.own.allow_signing().unwrap();
    while node.own.reader().size() < size {
        node.commit(4).unwrap();
        node.follow(4, 1).unwrap();
    }
    let readers = vec![node.own.reader(), node.mirror.reader()];
    (directory, readers)
}

fn judge(entries: &[StoredEntry]) -> Vec<u8> {
    let verdict = |stored: &StoredEntry| Hash::of(&stored.entry).as_bytes()[0];
    entries.iter().map(verdict).collect()
}

fn fill(index: &Index, logs: &[LogReader]) {
    for log in logs {
        let mut last = Progress { done: 0, total: 0 };
        index
            .replay(log, judge, |progress| last = progress)
            .unwrap();
        assert!(last.total == 0 || last.done == log.size());
    }
}

fn assert_full(index: &Index, logs: &[LogReader]) {
    for (log, name) in logs.iter().zip(["us", "jp"]) {
        assert_eq!(index.known(log.origin()).unwrap(), log.size());
        let mut next = 0;
        while next < log.size() {
            let verdicts = index.verdicts(log, next).unwrap().unwrap();
            assert_eq!(verdicts.root, tree_of(name, verdicts.size).root());
            let entries: Vec<u8> = (verdicts.first..verdicts.size)
                .map(|entry| Hash::of(&sample(name, entry).0).as_bytes()[0])
                .collect();
            assert_eq!((verdicts.first, verdicts.bytes), (next, entries));
            next = verdicts.size;
        }
    }
}

/// A filled index, after `change` was done to it while it was closed.
fn reopened(close: bool, change: impl Fn(&Path)) -> (TempDir, Vec<LogReader>, Index, IndexState) {
    let (directory, logs) = logs(40);
    let path = directory.path().join("index");
    let (index, state) = Index::open(&path, &logs).unwrap();
    assert_eq!(state, IndexState::Rebuild(RebuildReason::Missing));
    fill(&index, &logs);
    assert_full(&index, &logs);
    if close {
        index.close().unwrap();
    } else {
        drop(index);
    }
    change(&path);
    let (index, state) = Index::open(&path, &logs).unwrap();
    (directory, logs, index, state)
}

#[test]
fn an_index_that_was_closed_or_only_left_in_the_same_boot_is_taken_up() {
    for close in [true, false] {
        let (_directory, logs, index, state) = reopened(close, |_| {});
        assert_eq!(state, IndexState::Current);
        assert_full(&index, &logs);
    }
}

#[test]
fn a_deleted_or_corrupt_index_is_rebuilt() {
    type Change = fn(&Path);
    let changes: [(Change, &str); 5] = [
        (|path| fs::remove_dir_all(path).unwrap(), "deleted"),
        (
            |path| fs::remove_dir_all(path.join("sled")).unwrap(),
            "sled deleted",
        ),
        (
            |path| fs::write(path.join("boot"), b"garbage").unwrap(),
            "marker damaged",
        ),
        (
            |path| {
                let mut marker = fs::read(path.join("boot")).unwrap();
                marker.truncate(17);
                marker.extend(crc32c::crc32c(&marker).to_be_bytes());
                fs::write(path.join("boot"), marker).unwrap();
            },
            "of an older form",
        ),
        (
            |path| {
                for file in ["conf", "db"] {
                    let path = path.join("sled").join(file);
                    let bytes = fs::read(&path).unwrap();
                    let broken: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
                    fs::write(&path, broken).unwrap();
                }
            },
            "sled's files overwritten",
        ),
    ];
    for (change, what) in changes {
        let (_directory, logs, index, state) = reopened(true, change);
        assert!(matches!(state, IndexState::Rebuild(_)), "{what}: {state:?}");
        fill(&index, &logs);
        assert_full(&index, &logs);
    }
}

#[test]
fn another_boot_without_a_clean_stop_is_not_trusted() {
    // A marker of another boot, in use: 16 bytes of boot id, 0, the index's form, checksum.
    let in_use_elsewhere = |path: &Path| {
        let mut marker = vec![7; 16];
        marker.extend([0, 2]);
        marker.extend(crc32c::crc32c(&marker).to_be_bytes());
        fs::write(path.join("boot"), marker).unwrap();
    };
    let (_directory, logs, index, state) = reopened(false, in_use_elsewhere);
    assert_eq!(state, IndexState::Rebuild(RebuildReason::UncleanBoot));
    fill(&index, &logs);
    assert_full(&index, &logs);
}

#[test]
fn an_index_that_is_behind_is_replayed_and_one_that_is_ahead_is_rebuilt() {
    let (directory, both) = logs(40);
    let path = directory.path().join("index");
    let (index, _) = Index::open(&path, &both).unwrap();
    index.replay(&both[0], judge, |_| {}).unwrap();
    index.close().unwrap();
    let (index, state) = Index::open(&path, &both).unwrap();
    assert_eq!(state, IndexState::Behind);
    fill(&index, &both);
    assert_full(&index, &both);
    index.close().unwrap();

    let (_shorter, fewer) = logs(20);
    let (index, state) = Index::open(&path, &fewer).unwrap();
    assert_eq!(state, IndexState::Rebuild(RebuildReason::Ahead));
    assert_eq!(index.known(fewer[0].origin()).unwrap(), 0);
}

#[test]
fn verdicts_go_in_without_a_gap_and_hold_only_for_their_root() {
    let (_directory, both, index, _) = reopened(true, |_| {});
    let log = &both[0];
    let root = log.checkpoint().root;
    let gap = index.apply(log.origin(), 0, 4, &root, &[]);
    assert!(matches!(
        gap,
        Err(IndexError::Gap {
            known: 40,
            first: 0
        })
    ));
    // Made for another tree than the log has.
    let wrong = tree_of("jp", 2).root();
    index
        .apply(log.origin(), 40, 41, &wrong, &[1, 2, 3])
        .unwrap();
    assert_eq!(index.verdicts(log, 40).unwrap(), None);
    let whole = index.verdicts(log, 0).unwrap().unwrap();
    assert!(index.verdicts(log, whole.first + 1).unwrap().is_none());
}

#[test]
fn a_broken_index_says_so_and_a_new_one_takes_its_place() {
    let (_directory, both, index, _) = reopened(true, |_| {});
    assert!(!index.is_broken());
    let (index, state) = index.rebuild().unwrap();
    assert_eq!(state, IndexState::Rebuild(RebuildReason::Unreadable));
    fill(&index, &both);
    assert_full(&index, &both);
}

#[test]
fn flipped_bits_in_the_index_never_end_the_process_or_give_a_wrong_answer() {
    for flip in 0..24_usize {
        let flip_one = |path: &Path| {
            let path = path.join("sled").join("db");
            let mut bytes = fs::read(&path).unwrap();
            let written = bytes.iter().rposition(|byte| *byte != 0).unwrap();
            let at = written * flip / 24;
            bytes[at] ^= 1 << (flip % 8);
            fs::write(&path, bytes).unwrap();
        };
        let (_directory, logs, mut index, _) = reopened(true, flip_one);
        for round in 0.. {
            assert!(round < 3, "flip {flip}");
            let filled = logs
                .iter()
                .try_for_each(|log| index.replay(log, judge, |_| {}));
            if filled.is_ok() && !index.is_broken() {
                break;
            }
            index = index.rebuild().unwrap().0;
        }
        assert_full(&index, &logs);
    }
}
