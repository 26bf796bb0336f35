//! The one writer of our own log: takes what the door admitted, makes it durable, signs, answers.
//!
//! Group commit is adaptive: the first statement is written at once, those that arrive while a
//! flush is under way gather for the next. Writing and signing are two threads, so that the state
//! of one batch is flushed while the next is written; nothing is answered before both flushes of
//! its batch (FORMATS section 5).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc as blocking;
use std::sync::{Arc, OnceLock};
use std::thread;

use tocsin_core::admit::Admitted;
use tocsin_core::name::Numbered;
use tocsin_core::reason::Reason as Broken;
use tocsin_core::roster::Member;
use tocsin_core::statement::StatementRef;
use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;
use tocsin_store::batch::Batch;
use tocsin_store::error::{Refusal as Refused, StopReason, StoreError};
use tocsin_store::own::{OwnSigner, OwnWriter, SigningGuard, Written};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::clock;
use crate::fault::FaultBell;
use crate::fresh::Fresh;
use crate::indexer::Judged;
use crate::limits;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::quotas::{Charge, Quotas};
use crate::room::Room;
use crate::state::State;
use crate::status::{Reason, Refusal};

/// Hands admitted statements to the writer, once there is one.
#[derive(Debug)]
pub(crate) struct Sequencer {
    queue: OnceLock<mpsc::Sender<Job>>,
    guard: SigningGuard,
    quotas: Arc<Quotas>,
}

#[derive(Debug)]
struct Job {
    admitted: Box<Admitted>,
    reply: Reply,
}

/// Whom to tell how it ended.
#[derive(Debug)]
struct Reply {
    answer: oneshot::Sender<Result<u64, Refusal>>,
    /// What it counts against quotas; given back unless it is written.
    charge: Charge,
    /// What it takes of a room that others wait for; given back with the answer.
    _room: Option<OwnedSemaphorePermit>,
}

impl Reply {
    /// Answers; who went away asks again, or does not care.
    fn send(self, answer: Result<u64, Refusal>) {
        let _ = self.answer.send(answer);
    }

    /// It stands in the log for good.
    fn keep_and_send(self, index: u64) {
        self.charge.keep();
        let _ = self.answer.send(Ok(index));
    }
}

/// A statement on its way into the log.
#[derive(Debug)]
pub(crate) struct Appending(oneshot::Receiver<Result<u64, Refusal>>);

impl Job {
    fn new(
        admitted: Box<Admitted>,
        charge: Charge,
        room: Option<OwnedSemaphorePermit>,
    ) -> (Self, Appending) {
        let (answer, answered) = oneshot::channel();
        let reply = Reply {
            answer,
            charge,
            _room: room,
        };
        (Self { admitted, reply }, Appending(answered))
    }
}

impl Appending {
    /// Its index, when it is durable and signed.
    ///
    /// # Errors
    /// A number or state that changed since the door, or an end of signing.
    pub(crate) async fn index(self) -> Result<u64, Refusal> {
        let answer = self.0.await;
        answer.unwrap_or_else(|_| Err(Refusal::of(Reason::Fault)))
    }
}

/// What the threads need beside the log itself.
#[derive(Debug, Clone)]
pub(crate) struct Surroundings {
    pub(crate) member: Arc<Member>,
    pub(crate) fresh: Arc<Fresh>,
    pub(crate) state: Arc<State>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) room: Arc<Room>,
    pub(crate) metrics: Metrics,
    pub(crate) fault: FaultBell,
}

impl Sequencer {
    /// A sequencer that takes nothing yet.
    pub(crate) const fn new(guard: SigningGuard, quotas: Arc<Quotas>) -> Self {
        Self {
            queue: OnceLock::new(),
            guard,
            quotas,
        }
    }

    /// Starts the two threads: signing is allowed. They end at a fault, or when the queue is
    /// closed.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(
        &self,
        origin: Origin,
        writer: OwnWriter,
        signer: OwnSigner,
        around: Surroundings,
    ) -> std::io::Result<()> {
        let (queue, jobs) = mpsc::channel(limits::SUBMIT_QUEUE);
        // One batch on its way to the signer; the writer's own pipe waits for it.
        let (written, to_sign) = blocking::sync_channel(1);
        let signing = around.clone();
        let writing = Writing {
            writer,
            around,
            origin,
            recent: Recent::default(),
        };
        let write = move || writing.run(jobs, &written);
        let sign = move || run_signer(signer, &to_sign, &signing);
        thread::Builder::new()
            .name("sequencer".to_owned())
            .spawn(write)?;
        thread::Builder::new()
            .name("signer".to_owned())
            .spawn(sign)?;
        // Only the first start counts; `opening` makes no second.
        let _ = self.queue.set(queue);
        Ok(())
    }

    /// Appends what the door admitted and answers with its index when it is durable and signed;
    /// the same statement again gets the index it has, whose batch may still be on its way.
    ///
    /// # Errors
    /// A full queue, a quota, a number or state that changed since the door, or an end of signing.
    pub(crate) async fn append(&self, admitted: Box<Admitted>) -> Result<u64, Refusal> {
        let is_release = admitted.is_release();
        let charge = self.quotas.charge(&admitted, clock::now_ms())?;
        let (job, appending) = Job::new(admitted, charge, None);
        if is_release {
            // What releases goods is never sent away: it waits its turn.
            let sent = self.queue()?.send(job).await;
            sent.map_err(|_| Refusal::of(Reason::ReadOnly))?;
            return appending.index().await;
        }
        self.queue()?.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                Refusal::of(Reason::QueueFull).retry_after(limits::QUEUE_FULL_RETRY)
            }
            mpsc::error::TrySendError::Closed(_) => Refusal::of(Reason::ReadOnly),
        })?;
        appending.index().await
    }

    /// Takes what the door admitted as soon as the queue does; statements enter the log in the
    /// order of these calls.
    ///
    /// # Errors
    /// A quota that others on their way have used up since the door, or an end of signing.
    pub(crate) async fn enqueue(
        &self,
        admitted: Box<Admitted>,
        room: OwnedSemaphorePermit,
    ) -> Result<Appending, Refusal> {
        let charge = self.quotas.charge(&admitted, clock::now_ms())?;
        let (job, appending) = Job::new(admitted, charge, Some(room));
        let sent = self.queue()?.send(job).await;
        sent.map_err(|_| Refusal::of(Reason::ReadOnly))?;
        Ok(appending)
    }

    fn queue(&self) -> Result<&mpsc::Sender<Job>, Refusal> {
        self.queue
            .get()
            .ok_or_else(|| Refusal::of(Reason::AskingPeers))
    }

    /// Ends signing in this generation, even of what is under way.
    pub(crate) fn stop_signing(&self, reason: StopReason) {
        self.guard.stop(reason);
    }
}

/// The writing thread's own.
struct Writing {
    writer: OwnWriter,
    around: Surroundings,
    origin: Origin,
    /// Written, and perhaps not yet in the registry: the door's questions are answered from both.
    recent: Recent,
}

/// Statements by index, by name and by number.
#[derive(Debug, Default)]
struct Recent {
    entries: BTreeMap<u64, (Hash, Option<Numbered>)>,
    ids: BTreeMap<Hash, u64>,
    numbers: BTreeSet<Numbered>,
}

impl Recent {
    fn insert(&mut self, index: u64, statement_id: Hash, numbered: Option<Numbered>) {
        self.ids.insert(statement_id, index);
        self.numbers.extend(numbered.clone());
        self.entries.insert(index, (statement_id, numbered));
    }

    fn remove(&mut self, index: u64) {
        if let Some((statement_id, numbered)) = self.entries.remove(&index) {
            self.ids.remove(&statement_id);
            if let Some(numbered) = numbered {
                self.numbers.remove(&numbered);
            }
        }
    }

    /// Forgets what stands below `size`.
    fn forget(&mut self, size: u64) {
        while let Some((index, _)) = self.entries.first_key_value()
            && *index < size
        {
            let index = *index;
            self.remove(index);
        }
    }
}

/// A batch on its way from the writer to the signer.
struct Flushed {
    written: Written,
    replies: Vec<(u64, Reply)>,
    began: clock::Stopwatch,
}

impl Writing {
    fn run(mut self, mut jobs: mpsc::Receiver<Job>, to_sign: &blocking::SyncSender<Flushed>) {
        let mut left_over = None;
        while let Some(first) = left_over.take().or_else(|| jobs.blocking_recv()) {
            let began = clock::Stopwatch::start();
            self.forget_applied();
            let may_grow = self.around.room.may_grow(limits::MAX_BATCH_BYTES as u64);
            let mut batch = self.writer.batch();
            let mut taken = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next {
                if may_grow || job.admitted.is_release() {
                    left_over = self.take(job, &mut batch, &mut taken);
                } else {
                    refuse_for_disk(job);
                }
                if left_over.is_some() {
                    break;
                }
                next = jobs.try_recv().ok();
            }
            if taken.is_empty() {
                continue;
            }
            match self.write(batch, &mut taken) {
                Ok(written) => {
                    let flushed = Flushed {
                        written,
                        replies: self.hand_over(taken),
                        began,
                    };
                    if to_sign.send(flushed).is_err() {
                        return;
                    }
                }
                Err(StoreError::Refused(refused)) => refuse_all(taken, &refused, &mut self.recent),
                Err(StoreError::Fault(fault)) => {
                    // Whoever waits hears nothing: what was not answered may or may not be there.
                    self.around.fault.ring(&fault.to_string());
                    return;
                }
            }
        }
    }

    /// Writes a batch; on a full disk what releases goods once more by itself, out of the reserve.
    fn write(&mut self, batch: Batch, taken: &mut Vec<(u64, Job)>) -> Result<Written, StoreError> {
        let releases = |(_, job): &(u64, Job)| job.admitted.is_release();
        if taken.iter().any(releases) {
            self.around.room.make_room(batch.bytes());
        }
        let written = self.writer.write(&batch);
        if !matches!(written, Err(StoreError::Refused(Refused::DiskFull))) {
            return written;
        }
        // Somebody else took what was free a moment ago.
        let mut batch = self.writer.batch();
        for (index, job) in std::mem::take(taken) {
            self.recent.remove(index);
            if !job.admitted.is_release() {
                refuse_for_disk(job);
            } else if let Some(job) = self.take(job, &mut batch, taken) {
                // A part of a batch that fitted fits.
                job.reply.send(Err(Refusal::of(Reason::QueueFull)));
            }
        }
        if taken.is_empty() || !self.around.room.make_room(batch.bytes()) {
            return Err(Refused::DiskFull.into());
        }
        self.writer.write(&batch)
    }

    /// What was written goes on to the applier; whom to answer, when it is signed.
    fn hand_over(&self, taken: Vec<(u64, Job)>) -> Vec<(u64, Reply)> {
        let (mut replies, mut judged) = (Vec::new(), Vec::new());
        for (index, Job { admitted, reply }) in taken {
            judged.extend(judge(self.origin.member(), *admitted).map(|judged| (index, judged)));
            replies.push((index, reply));
        }
        self.around.fresh.put(judged);
        replies
    }

    /// Puts a statement into the batch; gives it back when it belongs into the next.
    fn take(
        &mut self,
        mut job: Job,
        batch: &mut Batch,
        taken: &mut Vec<(u64, Job)>,
    ) -> Option<Job> {
        let admitted = &job.admitted;
        let statement_id = *admitted.statement_id();
        if let Some(index) = self.known(&statement_id) {
            if index < batch.start() {
                job.reply.send(Ok(index));
            } else {
                // Its first copy has been counted.
                job.reply.charge.give_back();
                taken.push((index, job));
            }
            return None;
        }
        let numbered = Numbered::of(self.origin.member(), admitted.statement());
        let index = batch.start() + batch.count();
        let refused = if numbered
            .as_ref()
            .is_some_and(|number| self.is_taken(number))
        {
            Some((Broken::NumberTaken, "statement.number"))
        } else if !admitted.is_valid_at(index, &self.around.member) {
            Some((Broken::KeyNotValid, "statement.signatures"))
        } else {
            None
        };
        if let Some((rule, at)) = refused {
            let refusal = tocsin_core::reason::Refusal::at(rule, at);
            job.reply.send(Err(refusal.into()));
            return None;
        }
        match batch.push(admitted.entry(), admitted.bodies()) {
            Ok(()) => {
                self.recent.insert(index, statement_id, numbered);
                taken.push((index, job));
                None
            }
            Err(Refused::BatchOverLimit) => Some(job),
            Err(refused) => {
                job.reply.send(Err(refused.into()));
                None
            }
        }
    }

    fn known(&self, statement_id: &Hash) -> Option<u64> {
        self.recent.ids.get(statement_id).copied().or_else(|| {
            let statement = StatementRef {
                log: self.origin.log_name(),
                statement_id: *statement_id,
            };
            let applied = self.around.state.read();
            applied
                .registry
                .find(&statement)
                .map(|position| position.index)
        })
    }

    fn is_taken(&self, numbered: &Numbered) -> bool {
        self.recent.numbers.contains(numbered)
            || self
                .around
                .state
                .read()
                .registry
                .numbered(numbered)
                .is_some()
    }

    fn forget_applied(&mut self) {
        let applied = self.around.state.applied(&self.origin.to_string());
        self.recent.forget(applied);
    }
}

/// What the applier would make of it, for the door has judged it by the same rules. What has a
/// lasting body takes the long way, by the log.
fn judge(member: &str, admitted: Admitted) -> Option<Judged> {
    let statement_id = *admitted.statement_id();
    let statement = admitted.into_statement();
    let is_lasting = statement.bodies.iter().any(|body| body.lasting);
    (!is_lasting).then(|| Judged::counts(member, statement_id, statement))
}

/// What releases nothing is not written to a disk that is nearly full.
fn refuse_for_disk(job: Job) {
    let refusal = Refusal::of(Reason::DiskReserved).retry_after(limits::DISK_RETRY);
    job.reply.send(Err(refusal));
}

fn refuse_all(jobs: Vec<(u64, Job)>, refused: &Refused, recent: &mut Recent) {
    for (index, job) in jobs {
        recent.remove(index);
        job.reply.send(Err(refused.clone().into()));
    }
}

fn run_signer(mut signer: OwnSigner, flushed: &blocking::Receiver<Flushed>, around: &Surroundings) {
    while let Ok(Flushed {
        written,
        replies,
        began,
    }) = flushed.recv()
    {
        match signer.sign(written) {
            Ok(committed) => {
                around.metrics.commit_duration.observe(began.seconds());
                around
                    .metrics
                    .commit_entries
                    .observe((committed.size - committed.first) as f64);
                around.logs.ring();
                for (index, reply) in replies {
                    reply.keep_and_send(index);
                }
            }
            Err(StoreError::Refused(refused)) => {
                for (_, reply) in replies {
                    reply.send(Err(refused.clone().into()));
                }
                return;
            }
            Err(StoreError::Fault(fault)) => {
                around.fault.ring(&fault.to_string());
                return;
            }
        }
    }
}
