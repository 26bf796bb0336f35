//! Facts that are in no member's log: cosignatures received, evidence, what an operator overrode,
//! drafts.
//!
//! One thread writes them. Evidence and an operator's word are flushed at once; whoever puts or
//! discards a draft waits until that is flushed. Of cosignatures only the latest of each member
//! counts, and losing the last second of them costs nothing: members say them again.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use prost::Message;
use tocsin_log::note::SignatureLine;
use tocsin_store::error::{Refusal as Refused, StoreError};
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_wire::proto::peer::v1 as peer;
use tokio::sync::oneshot;

use crate::fault::FaultBell;
use crate::limits;
use crate::room::Room;
use crate::status::{Reason, Refusal};

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
    Draft(DraftFact),
}

/// What became of a draft, and who waits for it to last.
#[derive(Debug)]
struct DraftFact {
    record: Vec<u8>,
    is_release: bool,
    written: oneshot::Sender<Result<(), Refusal>>,
}

impl Journal {
    /// Starts the thread; it ends when the journal is dropped.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        log: LocalLog,
        room: Arc<Room>,
        fault: FaultBell,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, facts) = mpsc::sync_channel(QUEUE);
        let write = move || {
            let mut writing = Writing { log, room };
            if let Err(error) = writing.run(&facts) {
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

    /// What became of a draft; it lasts when this returns. A draft that would release goods is
    /// written on a full disk too.
    ///
    /// # Errors
    /// A full disk or queue, or a fault.
    pub(crate) async fn draft(&self, record: Vec<u8>, is_release: bool) -> Result<(), Refusal> {
        let (written, done) = oneshot::channel();
        let draft = DraftFact {
            record,
            is_release,
            written,
        };
        let sent = self.queue.try_send(Fact::Draft(draft));
        sent.map_err(|_| Refusal::of(Reason::QueueFull).retry_after(limits::QUEUE_FULL_RETRY))?;
        let done = done.await;
        done.unwrap_or_else(|_| Err(Refusal::of(Reason::Fault)))
    }

    /// An operator overrode a rule, and said why.
    pub(crate) fn overridden(&self, reason: &str) {
        let _ = self.queue.send(Fact::Override(reason.as_bytes().to_vec()));
    }
}

/// The writing thread's own.
struct Writing {
    log: LocalLog,
    room: Arc<Room>,
}

impl Writing {
    fn run(&mut self, facts: &mpsc::Receiver<Fact>) -> Result<(), StoreError> {
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
                Ok(Fact::Evidence(record)) => self.keep(LocalKind::Evidence, record)?,
                Ok(Fact::Override(record)) => self.keep(LocalKind::Override, record)?,
                Ok(Fact::Draft(draft)) => self.draft(draft)?,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return self.flush(&mut gathered),
            }
            self.flush(&mut gathered)?;
            since = Instant::now();
        }
    }

    /// Answers when the draft lasts, or that there is no room for it: what is half signed is worth
    /// the last of the disk only where it would release goods.
    fn draft(&mut self, draft: DraftFact) -> Result<(), StoreError> {
        let bytes = draft.record.len() as u64;
        let has_room = if draft.is_release {
            self.room.make_room(bytes)
        } else {
            self.room.may_grow(bytes)
        };
        let written = if has_room {
            match self.log.append(&[(LocalKind::Draft, draft.record)]) {
                Ok(()) => Ok(()),
                Err(StoreError::Refused(refused)) => Err(refused.into()),
                // Whoever waits hears of a fault when this thread has ended.
                Err(fault) => return Err(fault),
            }
        } else {
            Err(Refusal::of(Reason::DiskReserved).retry_after(limits::DISK_RETRY))
        };
        // Whoever gave up waiting asks again and finds it.
        let _ = draft.written.send(written);
        Ok(())
    }

    /// Writes what must not be lost, out of the reserve if need be. With that used up too there is
    /// nothing left but to end: peers have the evidence and show it again.
    fn keep(&mut self, kind: LocalKind, record: Vec<u8>) -> Result<(), StoreError> {
        self.room.make_room(record.len() as u64);
        self.log.append(&[(kind, record)])
    }

    fn flush(
        &mut self,
        gathered: &mut BTreeMap<(String, String), Vec<u8>>,
    ) -> Result<(), StoreError> {
        let records: Vec<_> = std::mem::take(gathered)
            .into_values()
            .map(|record| (LocalKind::Cosignature, record))
            .collect();
        if records.is_empty() || !self.room.may_grow(0) {
            // Members say them again: they are not worth the last of the disk.
            return Ok(());
        }
        match self.log.append(&records) {
            Err(StoreError::Refused(Refused::DiskFull)) => Ok(()),
            appended => appended,
        }
    }
}
