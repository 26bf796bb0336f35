//! What no node does by a network call alone yet, done to a real data directory by a process that
//! can be killed: keeping late bodies and erasing bodies. It parks at the second hit of a
//! failpoint, so that the first chore is answered for.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;
use tocsin_store::OpenOptions;
use tocsin_store::blobs::Blobs;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::RealDisk;
use tocsin_store::failpoint::Failpoints;
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::own_log::OwnLog;

/// The two bodies that a chore is about.
pub const BODIES: [&[u8]; 2] = [b"the first body", b"the second body"];
/// The entries that carry them.
pub const ENTRIES: [&[u8]; 2] = [b"the first entry", b"the second entry"];

/// The log that the chores keep.
///
/// # Panics
/// Never: the name is one.
#[must_use]
pub fn origin() -> Origin {
    "chores.tocsin.example/us/1".parse().expect("an origin")
}

/// Its key.
#[must_use]
pub fn key() -> SigningKey {
    SigningKey::from_seed([7; 32])
}

/// Does the chore that passes `failpoint`, and parks at its second hit.
///
/// # Panics
/// When the directory does not let it.
pub fn run(dir: &Path, failpoint: &str) {
    let failpoint = failpoint.to_owned();
    let hits = AtomicUsize::new(0);
    let wanted = failpoint.clone();
    let failpoints = Failpoints::new(Arc::new(move |name| {
        if name == wanted && hits.fetch_add(1, Ordering::Relaxed) == 1 {
            say(&format!("failpoint {name}"));
            loop {
                std::thread::park();
            }
        }
    }));
    let data = DataDir::open(Arc::new(RealDisk), dir).expect("a data directory");
    if failpoint.starts_with("blob.") {
        keep(&data, failpoints);
    } else {
        erase(&data, failpoints);
    }
}

fn keep(data: &DataDir, failpoints: Failpoints) {
    let blobs = Blobs::open(data, failpoints).expect("blobs");
    for body in BODIES {
        blobs
            .put(&Hash::of(body), body)
            .expect("a body that is kept");
        say("done");
    }
}

fn erase(data: &DataDir, failpoints: Failpoints) {
    let options = OpenOptions {
        failpoints,
        ..OpenOptions::default()
    };
    let mut local = LocalLog::open(data, &options, |_, _| {}).expect("a local log");
    let mut log = OwnLog::open(data, &origin(), key(), options).expect("an own log");
    log.allow_signing().expect("a log that may be signed");
    let mut batch = log.batch();
    for (entry, body) in ENTRIES.iter().zip(BODIES) {
        batch.push(entry, &[body]).expect("an entry that fits");
    }
    log.commit(&batch).expect("a commit");
    for (index, body) in (0..).zip(BODIES) {
        let digest = Hash::of(body);
        local
            .append(&[(LocalKind::Erasure, digest.as_bytes())])
            .expect("a record of it");
        log.erase_body(index, &digest)
            .expect("a body that is erased");
        say("done");
    }
}

/// To whoever waits for it: a pipe is not flushed at a line's end by itself.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let said = writeln!(out, "{line}").and_then(|()| out.flush());
    said.expect("a reader");
}
