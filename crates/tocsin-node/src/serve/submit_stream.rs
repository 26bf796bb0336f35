//! `SubmitService.SubmitStream`: many submissions on one stream, answered in the order they came.
//!
//! Three stages, each in order, joined by short queues: one takes messages and lets each be looked
//! at beside the others, one hands what was found good to the sequencer, one answers. So many
//! signatures are verified at once, a commit finds many statements waiting, and the log still has
//! them in the order in which they were sent. A full queue, or room that other streams hold, stops
//! the first stage; what is not taken waits in the sender's window.

use std::sync::Arc;

use prost::Message;
use tocsin_log::hash::Hash;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_stream_response::Outcome;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::connection::Connection;
use crate::door::{self, Accepted, Heard};
use crate::limits;
use crate::sequencer::Appending;
use crate::serve::places::Places;
use crate::serve::submit::{Asked, Desk, How};
use crate::status::{Reason, Refusal};

type Answer = Result<v1::SubmitStreamResponse, Status>;

/// The open streams, and the room that their submissions share.
#[derive(Debug)]
pub(super) struct Streams {
    room: Arc<Semaphore>,
    open: Arc<Places>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(limits::STREAM_SUBMISSION_UNITS)),
            open: Arc::new(Places::new(
                limits::MAX_SUBMIT_STREAMS,
                limits::MAX_SUBMIT_STREAMS_PER_CLIENT,
            )),
        }
    }
}

impl Streams {
    /// Starts the stages of one stream; they end with it.
    pub(super) fn start(
        &self,
        desk: Arc<Desk>,
        connection: &Connection,
        incoming: Streaming<v1::SubmitStreamRequest>,
    ) -> Result<ReceiverStream<Answer>, Refusal> {
        let full = "too many streams of submissions are open; use one for many submissions";
        let place = self.open.take(&connection.identity().to_string(), full)?;
        let (arrived, to_append) = mpsc::channel(limits::STREAM_SUBMISSIONS / 2);
        let (appended, to_answer) = mpsc::channel(limits::STREAM_SUBMISSIONS / 2);
        let (down, stream) = mpsc::channel(limits::STREAM_ANSWERS);
        let intake = Intake {
            desk: Arc::clone(&desk),
            room: Arc::clone(&self.room),
            retiring: connection.retiring().clone(),
        };
        tokio::spawn(intake.run(incoming, arrived));
        tokio::spawn(append(Arc::clone(&desk), to_append, appended));
        tokio::spawn(async move {
            answer(desk, to_answer, down).await;
            drop(place);
        });
        Ok(ReceiverStream::new(stream))
    }
}

/// What the first stage hands on.
enum Arrived {
    /// A submission that is being looked at.
    Looking {
        looked: JoinHandle<Result<Looked, Refusal>>,
        room: OwnedSemaphorePermit,
    },
    /// The last word of a stream that did not end by itself.
    End(Status),
}

/// A submission that was looked at.
enum Looked {
    /// A check was all that was asked for.
    Checked(v1::SubmitResponse),
    /// It has its place in the log, or may get one.
    Heard(Box<Heard>, How),
}

/// What the second stage hands on.
enum Appended {
    /// Its answer is known.
    Known(Result<v1::SubmitResponse, Refusal>),
    /// It stood in the log before.
    Before(Accepted, How, Instant),
    /// The sequencer has it.
    Appending(Entering, How, Instant),
    /// As [`Arrived::End`].
    End(Status),
}

/// A statement that the sequencer has.
struct Entering {
    appending: Appending,
    statement_id: Hash,
    name: String,
}

/// The first stage.
struct Intake {
    desk: Arc<Desk>,
    room: Arc<Semaphore>,
    retiring: CancellationToken,
}

impl Intake {
    async fn run(
        self,
        mut incoming: Streaming<v1::SubmitStreamRequest>,
        arrived: mpsc::Sender<Arrived>,
    ) {
        let end = loop {
            let message = tokio::select! {
                biased;
                () = self.retiring.cancelled() => break Some(goodbye()),
                message = incoming.message() => message,
            };
            let submission = match message {
                Ok(Some(message)) => message.submission.unwrap_or_default(),
                Ok(None) => break None,
                Err(status) => break Some(status),
            };
            let units = units(submission.encoded_len());
            let Ok(room) = Arc::clone(&self.room).acquire_many_owned(units).await else {
                return;
            };
            let desk = Arc::clone(&self.desk);
            let looked = tokio::spawn(async move { look(&desk, submission) });
            let next = Arrived::Looking { looked, room };
            if arrived.send(next).await.is_err() {
                return;
            }
        };
        if let Some(status) = end {
            // Who waits for no answer is not told how it ended either.
            let _ = arrived.send(Arrived::End(status)).await;
        }
    }
}

/// What a submission takes of the room, in units.
fn units(bytes: usize) -> u32 {
    // A message is bounded before it comes here, so this is a handful.
    let units = bytes.div_ceil(limits::SUBMISSION_UNIT_BYTES).max(1);
    u32::try_from(units).unwrap_or(u32::MAX)
}

fn look(desk: &Desk, submission: v1::SubmitRequest) -> Result<Looked, Refusal> {
    let Asked { entry, bodies, how } = Asked::read(submission)?;
    if how.validate_only {
        return desk.validate(entry, bodies).map(Looked::Checked);
    }
    desk.check(&how, entry.statement_id())?;
    let heard = door::hear(&desk.node, entry, bodies)?;
    Ok(Looked::Heard(Box::new(heard), how))
}

/// The second stage.
async fn append(
    desk: Arc<Desk>,
    mut arrived: mpsc::Receiver<Arrived>,
    appended: mpsc::Sender<Appended>,
) {
    while let Some(next) = arrived.recv().await {
        let next = match next {
            Arrived::End(status) => Appended::End(status),
            Arrived::Looking { looked, room } => match looked.await {
                Ok(Ok(looked)) => enqueue(&desk, looked, room).await,
                Ok(Err(refusal)) => Appended::Known(Err(refusal)),
                Err(_) => Appended::Known(Err(Refusal::of(Reason::Fault))),
            },
        };
        if appended.send(next).await.is_err() {
            return;
        }
    }
}

async fn enqueue(desk: &Desk, looked: Looked, room: OwnedSemaphorePermit) -> Appended {
    let (heard, how) = match looked {
        Looked::Checked(response) => return Appended::Known(Ok(response)),
        Looked::Heard(heard, how) => (*heard, how),
    };
    let until = Instant::now() + limits::WAIT_FOR_GRADE;
    match heard {
        Heard::Known(accepted) => Appended::Before(accepted, how, until),
        Heard::New { admitted, name } => {
            let statement_id = *admitted.statement_id();
            match desk.node.sequencer.enqueue(admitted, room).await {
                Ok(appending) => {
                    let entering = Entering {
                        appending,
                        statement_id,
                        name,
                    };
                    Appended::Appending(entering, how, until)
                }
                Err(refusal) => Appended::Known(Err(refusal)),
            }
        }
    }
}

/// The third stage.
async fn answer(
    desk: Arc<Desk>,
    mut appended: mpsc::Receiver<Appended>,
    down: mpsc::Sender<Answer>,
) {
    // A place in the queue is kept for the last word, so that a full queue does not swallow it.
    let Ok(last) = down.clone().reserve_owned().await else {
        return;
    };
    while let Some(next) = appended.recv().await {
        let answer = match next {
            Appended::End(status) => {
                last.send(Err(status));
                return;
            }
            Appended::Known(answer) => answer,
            Appended::Before(accepted, how, until) => finish(&desk, accepted, &how, until).await,
            Appended::Appending(entering, how, until) => match entering.appending.index().await {
                Ok(index) => {
                    let accepted = Accepted {
                        index,
                        statement_id: entering.statement_id,
                        name: entering.name,
                    };
                    finish(&desk, accepted, &how, until).await
                }
                Err(refusal) => Err(refusal),
            },
        };
        let sending = down.send(Ok(message(answer)));
        match tokio::time::timeout(limits::WRITE_STALL, sending).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return,
            Err(_) => {
                let slow = Refusal::of(Reason::DeadlinePassed)
                    .saying("the answers were not read; take them while you send");
                last.send(Err(slow.into()));
                return;
            }
        }
    }
}

async fn finish(
    desk: &Desk,
    accepted: Accepted,
    how: &How,
    until: Instant,
) -> Result<v1::SubmitResponse, Refusal> {
    door::settle(&desk.node, &accepted).await?;
    let most = until.saturating_duration_since(Instant::now());
    desk.answer(how, accepted, most).await
}

fn message(answer: Result<v1::SubmitResponse, Refusal>) -> v1::SubmitStreamResponse {
    let outcome = match answer {
        Ok(accepted) => Outcome::Accepted(accepted),
        Err(refusal) => Outcome::Refused(refused(refusal)),
    };
    v1::SubmitStreamResponse {
        outcome: Some(outcome),
    }
}

/// A refusal as an answer: what a status would say.
fn refused(refusal: Refusal) -> v1::Refused {
    let reason = refusal.code.to_owned();
    let retry = refusal.retry.map_or(0, |delay| {
        i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
    });
    let status = Status::from(refusal);
    v1::Refused {
        code: status.code().into(),
        reason,
        message: status.message().to_owned(),
        retry_after_ms: retry,
    }
}

/// Said after the answers to all that was taken, so the sender knows what to send again.
fn goodbye() -> Status {
    let refusal = Refusal::of(Reason::Draining).saying(
        "the node is stopping, or the connection is old: what has no answer was not taken; \
         send it again on a new connection",
    );
    refusal.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_takes_room_by_its_size_and_never_more_than_there_is() {
        assert_eq!(units(0), 1);
        assert_eq!(units(limits::SUBMISSION_UNIT_BYTES), 1);
        assert_eq!(units(limits::SUBMISSION_UNIT_BYTES + 1), 2);
        let most = units(limits::MAX_SUBMIT_MESSAGE_BYTES);
        assert!(usize::try_from(most).unwrap() <= limits::STREAM_SUBMISSION_UNITS);
    }

    #[test]
    fn a_refusal_as_an_answer_says_what_its_status_says() {
        let refusal = Refusal::of(Reason::AskingPeers).retry_after(limits::WAIT_FOR_GRADE);
        let answer = refused(refusal);
        assert_eq!((answer.code, answer.reason.as_str()), (14, "ASKING_PEERS"));
        assert_eq!(answer.retry_after_ms, 10_000);
        assert!(!answer.message.is_empty());
    }
}
