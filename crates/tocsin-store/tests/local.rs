//! The local log and the late bodies: what was acknowledged lasts, and damage costs only what it
//! hits.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it must be"
)]

mod common;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::{ROOT, Random, options};
use tocsin_log::hash::Hash;
use tocsin_store::blobs::Blobs;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::{Broken, Failure, FaultyDisk};
use tocsin_store::error::{Refusal, StoreError};
use tocsin_store::failpoint::Failpoints;
use tocsin_store::local::{LocalKind, LocalLog, MAX_RECORD_BYTES};

const KINDS: [LocalKind; 3] = [
    LocalKind::Cosignature,
    LocalKind::Evidence,
    LocalKind::Erasure,
];

type Records = Vec<(LocalKind, Vec<u8>)>;

fn record(number: u64) -> (LocalKind, Vec<u8>) {
    let kind = KINDS[usize::try_from(number % 3).unwrap()];
    (
        kind,
        [&number.to_be_bytes()[..], &Random(number).bytes(400)].concat(),
    )
}

fn open(disk: &FaultyDisk) -> (LocalLog, Records) {
    let data = DataDir::open(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let mut records = Vec::new();
    let each = |kind, bytes: &[u8]| records.push((kind, bytes.to_vec()));
    let log = LocalLog::open(&data, &options(8), each).unwrap();
    (log, records)
}

fn append(log: &mut LocalLog, count: u64) -> Result<(), StoreError> {
    let first = log.count();
    let records: Records = (first..first + count).map(record).collect();
    log.append(&records)
}

fn filled() -> FaultyDisk {
    let disk = FaultyDisk::new(Broken::default());
    let (mut log, records) = open(&disk);
    assert!(records.is_empty());
    for count in [1, 3, 2, 4, 1, 5, 3] {
        append(&mut log, count).unwrap();
    }
    disk
}

fn segments(disk: &FaultyDisk) -> Vec<PathBuf> {
    let files = disk.files().into_iter();
    files
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .collect()
}

#[test]
fn records_come_back_in_their_order_over_segments_and_starts() {
    let disk = filled();
    assert!(segments(&disk).len() >= 2);
    for seed in 0..20 {
        disk.power_cut(seed);
        let (mut log, records) = open(&disk);
        let expected: Records = (0..log.count()).map(record).collect();
        assert_eq!(log.count(), 19 + seed);
        assert_eq!(records, expected);
        assert!(log.damage().is_empty());
        append(&mut log, 1).unwrap();
    }
}

#[test]
fn a_flipped_bit_costs_the_record_it_hits_and_is_named() {
    let disk = filled();
    for path in segments(&disk) {
        let length = disk.contents(&path).unwrap().len() as u64;
        for bit in (0..length * 8).step_by(97) {
            let disk = disk.fork();
            disk.flip_bit(&path, bit);
            let (mut log, records) = open(&disk);
            let is_last = segments(&disk).last() == Some(&path);
            let lost = 19 - records.len();
            // In the last write it cannot be told from a torn tail.
            assert!(
                lost <= 1 || (is_last && lost <= 3),
                "{path:?} {bit}: {lost} lost"
            );
            assert!(
                lost == 0 || is_last || !log.damage().is_empty(),
                "{path:?} {bit}"
            );
            let all: Records = (0..19).map(record).collect();
            assert!(records.iter().all(|found| all.contains(found)));
            append(&mut log, 2).unwrap();
            drop(log);
            let (log, again) = open(&disk);
            assert_eq!(again.len(), records.len() + 2);
            assert!(log.count() >= 16 + 2);
        }
    }
}

#[test]
fn a_record_over_the_limit_or_a_full_disk_takes_nothing() {
    let disk = filled();
    let (mut log, _) = open(&disk);
    let long = vec![0; MAX_RECORD_BYTES + 1];
    let refused = log.append(&[(LocalKind::Audit, long)]);
    assert!(matches!(
        refused,
        Err(StoreError::Refused(Refusal::TooLong { .. }))
    ));
    log.append(&[(LocalKind::Audit, vec![1; MAX_RECORD_BYTES])])
        .unwrap();
    disk.fail_after(0, Failure::Full);
    let refused = append(&mut log, 1);
    assert!(
        matches!(refused, Err(StoreError::Refused(Refusal::DiskFull))),
        "{refused:?}"
    );
    append(&mut log, 1).unwrap();
    drop(log);
    assert_eq!(open(&disk).1.len(), 21);
}

#[test]
fn a_late_body_lasts_is_checked_and_can_be_erased() {
    let disk = FaultyDisk::new(Broken::default());
    let data = || DataDir::open(Arc::new(disk.clone()), Path::new(ROOT)).unwrap();
    let (body, other) = (Random(1).bytes(3000), Random(2).bytes(3000));
    let digest = Hash::of(&body);
    let blobs = Blobs::open(&data(), Failpoints::default()).unwrap();
    let wrong = blobs.put(&digest, &other);
    assert!(matches!(
        wrong,
        Err(StoreError::Refused(Refusal::WrongDigest { .. }))
    ));
    assert_eq!(blobs.get(&digest).unwrap(), None);
    blobs.put(&digest, &body).unwrap();
    blobs.put(&digest, &body).unwrap();
    drop(blobs);
    for seed in 0..20 {
        disk.power_cut(seed);
        let blobs = Blobs::open(&data(), Failpoints::default()).unwrap();
        assert_eq!(blobs.get(&digest).unwrap(), Some(body.clone()));
    }
    let path = Path::new(ROOT).join("blobs").join(digest.to_string());
    disk.flip_bit(&path, 99);
    let blobs = Blobs::open(&data(), Failpoints::default()).unwrap();
    assert_eq!(blobs.get(&digest).unwrap(), None);
    blobs.put(&digest, &body).unwrap();
    assert_eq!(blobs.get(&digest).unwrap(), Some(body));
    blobs.erase(&digest).unwrap();
    assert_eq!(blobs.get(&digest).unwrap(), None);
    assert_eq!(disk.contents(&path), None);
}
