//! Facts that are in no member's log: cosignatures received, evidence, what an operator overrode.
//!
//! One thread writes them. Evidence and an operator's word are flushed at once; of cosignatures
//! only the latest of each member counts, and losing the last second of them costs nothing:
//! members say them again.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use prost::Message;
use tocsin_log::note::SignatureLine;
use tocsin_store::error::StoreError;
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_wire::proto::peer::v1 as peer;

use crate::fault::FaultBell;

/// Facts waiting to be written; more are dropped but for evidence, which waits.
const QUEUE: usize = 1_024;
/// How long cosignatures gather.
const GATHER: Duration = Duration::from_secs(1);

/// Hands facts to the thread that writes them.
#[derive(Debug)]
pub(crate) struct Journal {
    queue: mpsc::SyncSender<Fact>,
}

#[derive(Debug)]
enum Fact {
    Cosignature {
        key: (String, String),
        record: Vec<u8>,
    },
    Evidence(Vec<u8>),
    Override(Vec<u8>),
}

impl Journal {
    /// Starts the thread; it ends when the journal is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        log: LocalLog,
        fault: FaultBell,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, facts) = mpsc::sync_channel(QUEUE);
        let write = move || {
            if let Err(error) = run(log, &facts) {
                fault.ring(&format!("the local log: {error}"));
            }
        };
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(write)?;
        Ok((Self { queue }, thread))
    }

    /// A member's word that it holds so much of a log.
    pub(crate) fn cosignature(&self, origin: &str, size: u64, line: &SignatureLine) {
        let key = (origin.to_owned(), line.name.clone());
        let ack = peer::Ack {
            origin: origin.to_owned(),
            size,
            cosignature: line.to_line(),
        };
        let _ = self.queue.try_send(Fact::Cosignature {
            key,
            record: ack.encode_to_vec(),
        });
    }

    /// Proof that a log tells two stories.
    pub(crate) fn evidence(&self, piece: &peer::Evidence) {
        let _ = self.queue.send(Fact::Evidence(piece.encode_to_vec()));
    }

    /// An operator overrode a rule, and said why.
    pub(crate) fn overridden(&self, reason: &str) {
        let _ = self.queue.send(Fact::Override(reason.as_bytes().to_vec()));
    }
}

fn run(mut log: LocalLog, facts: &mpsc::Receiver<Fact>) -> Result<(), StoreError> {
    let mut gathered: BTreeMap<(String, String), Vec<u8>> = BTreeMap::new();
    let mut since = Instant::now();
    loop {
        // However busy it is, what was gathered is written once a second.
        let patience = GATHER.saturating_sub(since.elapsed());
        match facts.recv_timeout(patience) {
            Ok(Fact::Cosignature { key, record }) => {
                gathered.insert(key, record);
                if since.elapsed() < GATHER {
                    continue;
                }
            }
            Ok(Fact::Evidence(record)) => append(&mut log, &[(LocalKind::Evidence, record)])?,
            Ok(Fact::Override(record)) => append(&mut log, &[(LocalKind::Override, record)])?,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return flush(&mut log, &mut gathered);
            }
        }
        flush(&mut log, &mut gathered)?;
        since = Instant::now();
    }
}

fn flush(
    log: &mut LocalLog,
    gathered: &mut BTreeMap<(String, String), Vec<u8>>,
) -> Result<(), StoreError> {
    let records: Vec<_> = std::mem::take(gathered)
        .into_values()
        .map(|record| (LocalKind::Cosignature, record))
        .collect();
    append(log, &records)
}

fn append(log: &mut LocalLog, records: &[(LocalKind, Vec<u8>)]) -> Result<(), StoreError> {
    match records {
        [] => Ok(()),
        records => log.append(records),
    }
}
