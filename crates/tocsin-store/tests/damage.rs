//! Flipped bits: named, never signed over, nothing cut beside them, and repaired from what a peer
//! holds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::{Node, ROOT, Source, options, own_note, push, sample};
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::hash::Hash;
use tocsin_store::disk::{Broken, FaultyDisk};
use tocsin_store::error::{Damage, DamageKind, Refusal, StoreError};
use tocsin_store::frame::{self, FrameKind};
use tocsin_store::mirror::MirrorState;
use tocsin_store::own_log::OwnState;
use tocsin_store::reader::{BodyContent, LogReader};
use tocsin_store::{RepairEntry, Wanted};

const ENTRIES: u64 = 21;
const SEGMENT: u64 = 8;
const LOGS: [(&str, &str); 2] = [
    ("us", "demo.tocsin.example_us_1"),
    ("jp", "demo.tocsin.example_jp_1"),
];

/// A frame of a segment: what a flip in it damages.
#[derive(Clone, Copy, Debug)]
struct At {
    kind: FrameKind,
    offset: usize,
    stored: usize,
    /// Of the entry that it is, or belongs to, or, for a note, that comes next.
    index: u64,
}

/// Both logs with a few entries in three segments, all flushed.
fn small_logs() -> FaultyDisk {
    let disk = FaultyDisk::new(Broken::default());
    let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
    node.own.allow_signing().unwrap();
    let mut now = 100;
    while node.own.reader().size() < ENTRIES {
        node.commit(2).unwrap();
    }
    while node.mirror.reader().size() < ENTRIES {
        now += 1;
        node.follow(2, now).unwrap();
    }
    drop(node);
    disk
}

fn segment_path(directory: &str, first: u64) -> PathBuf {
    Path::new(ROOT)
        .join("log")
        .join(directory)
        .join(format!("{first:020}.seg"))
}

fn frames(disk: &FaultyDisk, directory: &str, first: u64) -> Vec<At> {
    let bytes = disk.contents(&segment_path(directory, first)).unwrap();
    let (mut found, mut offset, mut next) = (Vec::new(), 0, first);
    while offset < bytes.len() {
        let frame = frame::decode(&bytes[offset..]).unwrap();
        let index = match frame.kind {
            FrameKind::Entry => {
                next += 1;
                next - 1
            }
            FrameKind::Body => next - 1,
            FrameKind::Note => next,
        };
        let stored = frame.stored_bytes();
        found.push(At {
            kind: frame.kind,
            offset,
            stored,
            index,
        });
        offset += stored;
    }
    found
}

fn given(log: &str, wanted: Wanted) -> Vec<RepairEntry> {
    let entry = |index| {
        let (entry, bodies) = sample(log, index);
        RepairEntry {
            index,
            entry,
            bodies,
        }
    };
    (wanted.start..wanted.until).map(entry).collect()
}

fn notes(log: &str, most: u64) -> Vec<Vec<u8>> {
    let source = Source::new();
    let note = |size| {
        if log == "us" {
            own_note(size)
        } else {
            source.note(size)
        }
    };
    (1..=most)
        .map(|size| note(size).note().to_bytes())
        .collect()
}

fn assert_whole(log: &str, reader: &LogReader, least: u64) {
    assert!(
        reader.size() >= least,
        "{log} has {} entries",
        reader.size()
    );
    for index in 0..reader.size() {
        let stored = reader.stored(index).unwrap();
        let (entry, bodies) = sample(log, index);
        assert_eq!(stored.entry, entry, "{log} entry {index}");
        let content: Vec<_> = stored.bodies.into_iter().map(|body| body.content).collect();
        let expected: Vec<_> = bodies.into_iter().map(BodyContent::Sound).collect();
        assert_eq!(content, expected, "{log} bodies of {index}");
    }
    assert_eq!(
        reader.checkpoint().root,
        common::tree_of(log, reader.size()).root()
    );
}

/// What a node says of a damaged log, and what is left of it for readers.
fn state_of(node: &Node, log: &str) -> (Option<Vec<Damage>>, LogReader, Option<Wanted>) {
    if log == "us" {
        let damage = match node.own.state() {
            OwnState::Damaged(damage) => Some(damage.clone()),
            OwnState::Ready => None,
            other @ (OwnState::Behind { .. } | OwnState::ReadOnly(_)) => panic!("{other:?}"),
        };
        return (damage, node.own.reader(), node.own.wanted());
    }
    let damage = match node.mirror.state() {
        MirrorState::Damaged(damage) => Some(damage.clone()),
        MirrorState::Ready => None,
        other @ (MirrorState::Behind { .. } | MirrorState::ReadOnly(_)) => panic!("{other:?}"),
    };
    (damage, node.mirror.reader(), node.mirror.wanted())
}

fn repair(
    node: &mut Node,
    log: &str,
    entries: &[RepairEntry],
    notes: &[Vec<u8>],
) -> Result<(), StoreError> {
    if log == "us" {
        node.own.repair(entries, notes).map(|_| ())
    } else {
        node.mirror.repair(entries, notes).map(|_| ())
    }
}

/// The bits of a frame that are tried: each fifth of its header and sha256, some of its content,
/// and the last.
fn bits(at: &At) -> Vec<usize> {
    let dense = (frame::HEADER_BYTES + if at.kind == FrameKind::Body { 32 } else { 0 }) * 8;
    let all = at.stored * 8;
    (at.offset % 5..dense)
        .step_by(5)
        .chain((dense..all).step_by(701))
        .chain([all - 1])
        .collect()
}

#[test]
fn a_flipped_bit_in_any_frame_is_named_not_signed_over_and_repaired() {
    let disk = small_logs();
    let mut tried = std::collections::BTreeMap::new();
    for (log, directory) in LOGS {
        for first in (0..ENTRIES).step_by(8) {
            let path = segment_path(directory, first);
            for at in frames(&disk, directory, first) {
                for bit in bits(&at) {
                    let flipped = disk.fork();
                    flipped.flip_bit(&path, (at.offset * 8 + bit) as u64);
                    let told = format!("{log} {first} {at:?} bit {bit}");
                    try_one(&flipped, log, &path, at, &told);
                    *tried.entry(at.kind).or_insert(0) += 1;
                }
            }
        }
    }
    assert_eq!(tried.len(), 3, "{tried:?}");
    assert!(tried.values().all(|count| *count > 200), "{tried:?}");
}

fn try_one(disk: &FaultyDisk, log: &str, path: &Path, at: At, told: &str) {
    let before = disk.contents(path).unwrap();
    let mut node = Node::open(disk, &options(SEGMENT)).unwrap();
    let (damage, reader, wanted) = state_of(&node, log);
    let damage = damage.unwrap_or_else(|| panic!("{told}: not noticed"));
    let named = &damage[0];
    // A note whose kind was flipped may look like a body of the entry before it.
    let before_it = at.kind == FrameKind::Note && named.index + 1 == at.index;
    assert!(named.index == at.index || before_it, "{told}: {named}");
    assert_eq!(named.offset, at.offset as u64, "{told}: {named}");
    assert_eq!(
        disk.contents(path).unwrap(),
        before,
        "{told}: the file was changed"
    );
    // It is not signed or written, and served only before the damage.
    if log == "us" {
        assert!(matches!(
            node.own.allow_signing(),
            Err(StoreError::Refused(Refusal::NotReady))
        ));
        assert!(node.commit(1).is_err());
    } else {
        assert!(node.follow(1, 500).is_err());
    }
    let body_only = named.kind == DamageKind::Body && reader.size() >= ENTRIES;
    assert!(
        body_only || reader.size() <= at.index,
        "{told}: {}",
        reader.size()
    );

    let wanted = wanted.unwrap();
    assert!(
        wanted.start <= at.index && wanted.until <= ENTRIES + 1,
        "{told}: {wanted:?}"
    );
    // Another log's entries, or too few, are not taken.
    let mut wrong = given(log, wanted);
    for entry in &mut wrong {
        entry.entry.push(0);
        entry.bodies.clear();
    }
    if !wrong.is_empty() {
        let refused = repair(&mut node, log, &wrong, &[]);
        let refused = matches!(refused, Err(StoreError::Refused(_)));
        assert!(refused, "{told}: a wrong repair was taken");
    }
    // The entry before and the one named are enough, or else all that is wanted.
    let mut two = given(log, wanted);
    two.truncate(2);
    if repair(&mut node, log, &two, &notes(log, wanted.until)).is_err() {
        repair(
            &mut node,
            log,
            &given(log, wanted),
            &notes(log, wanted.until),
        )
        .unwrap_or_else(|error| panic!("{told}: {error}"));
    }
    let (damage, reader, _) = state_of(&node, log);
    assert_eq!(damage, None, "{told}");
    assert_whole(log, &reader, ENTRIES);
    drop(node);
    let mut node = Node::open(disk, &options(SEGMENT)).unwrap();
    node.own.allow_signing().unwrap();
    node.mirror.settle(900).unwrap();
    node.commit(2).unwrap();
    node.follow(2, 1000).unwrap();
    assert_whole("us", &node.own.reader(), ENTRIES + 1);
    assert_whole("jp", &node.mirror.reader(), ENTRIES + 1);
}

#[test]
fn a_flipped_bit_in_a_slot_is_damage_and_nothing_is_cut_beside_it() {
    let disk = small_logs();
    // A torn tail that would be cut if the slots were sound.
    for (_, directory) in LOGS {
        disk.edit(&segment_path(directory, 16), |bytes| bytes.extend([9; 700]));
    }
    let tails = LOGS.map(|(_, directory)| segment_path(directory, 16));
    let before = tails.clone().map(|path| disk.contents(&path).unwrap());
    for (name, log) in [("signer.state", "us"), ("mirror.state", "jp")] {
        for slot in 0..2_u64 {
            for bit in (0..512 * 8).step_by(37) {
                let disk = disk.fork();
                let path = Path::new(ROOT).join(name);
                disk.flip_bit(&path, slot * 4096 * 8 + bit);
                let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
                let (damage, reader, wanted) = state_of(&node, log);
                let damage = damage.unwrap();
                let slot_damage = damage.iter().find(|d| d.kind == DamageKind::Slot);
                assert_eq!(slot_damage.unwrap().offset, slot * 4096, "{damage:?}");
                assert_eq!(wanted, None);
                assert!(reader.size() >= ENTRIES - 2);
                let place = usize::from(log == "jp");
                assert_eq!(disk.contents(&tails[place]).unwrap(), before[place]);
                assert!(node.own.allow_signing().is_err() || log == "jp");
                assert!(node.follow(1, 500).is_err() || log == "us");
                if log == "us" {
                    let newest: SignedCheckpoint = own_note(20);
                    node.own.repair_state(Some(&newest)).unwrap();
                } else {
                    node.mirror.repair_state(None, 600).unwrap();
                }
                node.own.allow_signing().unwrap();
                node.mirror.settle(700).unwrap();
                node.commit(1).unwrap();
                let cosigned = node.follow(1, 5).unwrap();
                assert!(cosigned.time >= 100, "{cosigned:?}");
                assert_whole("us", &node.own.reader(), ENTRIES);
                assert_whole("jp", &node.mirror.reader(), ENTRIES);
            }
        }
    }
}

#[test]
fn missing_swapped_and_shortened_segments_are_named_and_repaired() {
    let disk = small_logs();
    for (log, directory) in LOGS {
        for change in ["missing", "swapped", "shortened"] {
            let disk = disk.fork();
            let (zero, eight) = (segment_path(directory, 0), segment_path(directory, 8));
            match change {
                "missing" => {
                    use tocsin_store::disk::Disk;
                    disk.remove(&eight).unwrap();
                }
                "swapped" => {
                    let (a, b) = (
                        disk.contents(&zero).unwrap(),
                        disk.contents(&eight).unwrap(),
                    );
                    disk.edit(&zero, |bytes| bytes.clone_from(&b));
                    disk.edit(&eight, |bytes| bytes.clone_from(&a));
                }
                _ => disk.edit(&eight, |bytes| bytes.truncate(bytes.len() / 2)),
            }
            let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
            let mut rounds = 0;
            while let (Some(_), _, Some(wanted)) = state_of(&node, log) {
                rounds += 1;
                assert!(rounds < 5, "{log} {change}: {:?}", state_of(&node, log).0);
                repair(
                    &mut node,
                    log,
                    &given(log, wanted),
                    &notes(log, wanted.until),
                )
                .unwrap_or_else(|error| panic!("{log} {change}: {error}"));
            }
            assert!(rounds > 0, "{log} {change}");
            node.own.allow_signing().unwrap();
            assert_whole(log, &state_of(&node, log).1, ENTRIES);
        }
    }
}

#[test]
fn an_erased_body_stays_erased_and_a_zeroed_one_without_a_record_is_damage() {
    let disk = small_logs();
    for (log, directory) in LOGS {
        let index = (0..ENTRIES)
            .find(|index| sample(log, *index).1.len() == 2)
            .unwrap();
        let digest = Hash::of(&sample(log, index).1[1]);
        let erased = BTreeSet::from([digest]);
        let with_record = || {
            let mut options = options(SEGMENT);
            options.erased = erased.clone();
            options
        };
        let erase = |disk: &FaultyDisk| {
            let mut node = Node::open(disk, &with_record())?;
            if log == "us" {
                node.own.erase_body(index, &digest)
            } else {
                node.mirror.erase_body(index, &digest)
            }
        };
        let assert_erased = |disk: &FaultyDisk| {
            let node = Node::open(disk, &with_record()).unwrap();
            let (damage, reader, _) = state_of(&node, log);
            assert_eq!(damage, None);
            let stored = reader.stored(index).unwrap();
            assert!(matches!(stored.bodies[0].content, BodyContent::Sound(_)));
            assert_eq!(stored.bodies[1].content, BodyContent::Erased);
            let root = common::tree_of(log, reader.size()).root();
            assert_eq!(reader.checkpoint().root, root);
        };
        let done = disk.fork();
        erase(&done).unwrap();
        assert_erased(&done);
        let node = Node::open(&done, &options(SEGMENT)).unwrap();
        let named = state_of(&node, log).0.unwrap();
        assert_eq!((named[0].kind, named[0].index), (DamageKind::Body, index));
        drop(node);
        // Whatever an interrupted erasure leaves, the next start finishes it.
        for seed in 0..40 {
            let disk = disk.fork();
            let node = Node::open(&disk, &with_record()).unwrap();
            drop(node);
            let half = disk
                .contents(&segment_path(directory, index - index % 8))
                .unwrap();
            let at = half
                .windows(32)
                .position(|window| window == digest.as_bytes())
                .map(|at| at + 32)
                .unwrap();
            disk.edit(&segment_path(directory, index - index % 8), |bytes| {
                bytes[at + usize::try_from(seed).unwrap()] = 0;
                bytes[at + 1] ^= 1;
            });
            assert_erased(&disk);
        }
    }
}

#[test]
fn a_batch_over_its_limits_is_refused_before_anything_is_written() {
    let disk = small_logs();
    let mut node = Node::open(&disk, &options(SEGMENT)).unwrap();
    node.own.allow_signing().unwrap();
    let size = node.own.reader().size();
    let mut batch = node.own.batch();
    push(&mut batch, "us", 100);
    assert_eq!(batch.count(), SEGMENT - size % SEGMENT);
    assert!(matches!(
        batch.push::<&[u8]>(b"one more", &[]),
        Err(Refusal::BatchOverLimit)
    ));
    let mut batch = node.own.batch();
    let too_long = vec![0; 65_536];
    assert!(matches!(
        batch.push::<&[u8]>(&too_long, &[]),
        Err(Refusal::TooLong { .. })
    ));
    let body = vec![0; frame::MAX_BODY_BYTES];
    let bodies = [&body, &body, &body, &body];
    assert!(matches!(
        batch.push(b"entry", &bodies),
        Err(Refusal::TooLong { .. })
    ));
    batch.push(b"entry", &bodies[..3]).unwrap();
    assert!(matches!(
        batch.push(b"entry", &bodies[..2]),
        Err(Refusal::BatchOverLimit)
    ));
    let empty = node.own.batch();
    let refused = node.own.commit(&empty);
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::EmptyBatch))
    ));
    node.commit(1).unwrap();
    let refused = node.own.commit(&batch);
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::NotNext { .. }))
    ));
}

#[test]
fn a_repair_that_is_cut_short_can_be_done_again() {
    let disk = small_logs();
    for (log, directory) in LOGS {
        let path = segment_path(directory, 8);
        disk.flip_bit(&path, 80);
        for cut in 0..60 {
            let disk = disk.fork();
            let attempt = |disk: &FaultyDisk| {
                let mut node = Node::open(disk, &options(SEGMENT))?;
                if let Some(wanted) = state_of(&node, log).2 {
                    let entries = given(log, wanted);
                    repair(&mut node, log, &entries, &notes(log, wanted.until))?;
                }
                Ok::<_, StoreError>(node)
            };
            disk.cut_after(cut);
            let done = attempt(&disk).is_ok();
            disk.power_cut(cut);
            let node = attempt(&disk).unwrap();
            assert_eq!(state_of(&node, log).0, None, "{log} cut {cut}");
            assert_whole(log, &state_of(&node, log).1, ENTRIES - 1);
            if done {
                break;
            }
            assert!(cut < 59, "the repair never ends");
        }
        disk.flip_bit(&path, 80);
    }
}
