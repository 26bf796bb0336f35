//! A member's log as it stands after years, made before anything is measured: real statements by a
//! real key, committed by the code that a node commits with.

use std::path::Path;
use std::sync::Arc;

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::keyfile;
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_log::keyfile::Purpose;
use tocsin_store::OpenOptions;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::RealDisk;
use tocsin_store::error::Refusal;
use tocsin_store::own_log::OwnLog;

use super::author::Author;
use super::terms::cores;
use crate::setup::member::Home;

/// Statements that are signed on all cores before they are written.
const SIGNED_AT_ONCE: u64 = 4_096;

/// An entry and its bodies.
pub(super) type Made = (Entry, Vec<Vec<u8>>);

/// The log that was written.
#[derive(Clone, Debug)]
pub(super) struct Written {
    /// Whose.
    pub(super) origin: Origin,
    /// Entries.
    pub(super) size: u64,
    /// Their root.
    pub(super) root: Hash,
    /// Bytes of one entry with its body.
    pub(super) record_bytes: usize,
}

/// Writes so many reports into the log of a member whose node does not run.
///
/// # Errors
/// When its files cannot be read or written.
pub(super) fn write(
    home: &Home,
    origin: &Origin,
    author: &Author,
    entries: u64,
) -> Result<Written, Failure> {
    let make = || author.signed().map(|(entry, body)| (entry, vec![body]));
    write_all(home, origin, &make, entries)
}

/// Writes so many entries with their bodies, as they are made, into the log of a member whose node
/// does not run.
///
/// # Errors
/// When its files cannot be read or written.
pub(super) fn write_all(
    home: &Home,
    origin: &Origin,
    make: &(impl Fn() -> Result<Made, Failure> + Sync),
    entries: u64,
) -> Result<Written, Failure> {
    let mut log = open(home.dir(), origin, &home.keys().join("log.key"))?;
    let mut record_bytes = 0;
    let mut left = entries;
    while left > 0 {
        let count = left.min(SIGNED_AT_ONCE);
        let mut batch = log.batch();
        for (entry, bodies) in signed(make, count)? {
            let leaf = entry.encode().map_err(failed)?;
            let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
            record_bytes = leaf.len() + bodies.iter().map(|body| body.len()).sum::<usize>();
            if let Err(Refusal::BatchOverLimit) = batch.push(&leaf, &bodies) {
                log.commit(&batch).map_err(failed)?;
                batch = log.batch();
                batch.push(&leaf, &bodies).map_err(failed)?;
            }
        }
        log.commit(&batch).map_err(failed)?;
        left -= count;
    }
    let checkpoint = log.reader().checkpoint();
    Ok(Written {
        origin: origin.clone(),
        size: checkpoint.size,
        root: checkpoint.root,
        record_bytes,
    })
}

fn open(dir: &Path, origin: &Origin, key: &Path) -> Result<OwnLog, Failure> {
    let key = keyfile::read_for(key, Purpose::Log)?.key;
    let data = DataDir::open(Arc::new(RealDisk), dir).map_err(failed)?;
    let opened = OwnLog::open(&data, origin, key, OpenOptions::default());
    let mut log = opened.map_err(failed)?;
    // Nobody else has seen a note of it: the alliance was founded a moment ago.
    log.allow_signing().map_err(failed)?;
    Ok(log)
}

/// The next entries, made on all cores.
fn signed(
    make: &(impl Fn() -> Result<Made, Failure> + Sync),
    count: u64,
) -> Result<Vec<Made>, Failure> {
    let lanes = cores() as u64;
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..lanes)
            .map(|lane| {
                let share = count / lanes + u64::from(lane < count % lanes);
                scope.spawn(move || {
                    (0..share)
                        .map(|_| make())
                        .collect::<Result<Vec<_>, Failure>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().map_err(|_| failed("a thread ended")))
            .collect::<Result<Vec<_>, Failure>>()
    })?;
    let parts: Vec<Vec<Made>> = parts.into_iter().collect::<Result<_, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(
        Exit::Failed,
        format!("the log before the measurement: {error}"),
    )
}

impl Written {
    /// What a figure says of it.
    pub(super) fn remark(&self) -> String {
        format!(
            "{} entries, each with its body {} bytes",
            self.size, self.record_bytes
        )
    }
}
