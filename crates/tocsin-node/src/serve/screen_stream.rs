//! `ScreenService.ScreenStream`: lines of declarations without end, answered in their order.
//!
//! Two stages joined by a short queue: one takes messages, one checks their lines and answers, so
//! that the next message is read and decoded while this one is checked. A reader that is slow fills
//! the answers' queue, then the first one, then its own window: nothing grows. Streams are checked
//! beside each other; whoever has more cores opens more streams.

use std::sync::Arc;

use prost::Message;
use tocsin_wire::proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::connection::Connection;
use crate::limits;
use crate::node::Node;
use crate::serve::declarations::{Filling, Sitting, bounded};
use crate::serve::places::{Place, Places};
use crate::status::{Reason, Refusal};

type Answer = Result<v1::ScreenStreamResponse, Status>;

/// The open streams, and the room that their messages share.
#[derive(Debug)]
pub(super) struct Streams {
    room: Arc<Semaphore>,
    open: Arc<Places>,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(limits::SCREEN_STREAM_UNITS)),
            open: Arc::new(Places::new(
                limits::MAX_SCREEN_STREAMS,
                limits::MAX_SCREEN_STREAMS_PER_CLIENT,
            )),
        }
    }
}

impl Streams {
    /// Starts the stages of one stream; they end with it.
    ///
    /// # Errors
    /// Too many streams are open.
    pub(super) fn start(
        &self,
        node: Arc<Node>,
        connection: &Connection,
        incoming: Streaming<v1::ScreenStreamRequest>,
    ) -> Result<ReceiverStream<Answer>, Refusal> {
        let full = "too many streams of declarations are open; send many lines in one stream";
        let place = self.open.take(&connection.identity().to_string(), full)?;
        let (arrived, to_check) = mpsc::channel(limits::SCREEN_STREAM_MESSAGES);
        let (down, stream) = mpsc::channel(limits::SCREEN_STREAM_ANSWERS);
        let intake = Intake {
            room: Arc::clone(&self.room),
            retiring: connection.retiring().clone(),
        };
        tokio::spawn(intake.run(incoming, arrived));
        tokio::spawn(answer(node, to_check, down, place));
        Ok(ReceiverStream::new(stream))
    }
}

/// What the first stage hands on.
enum Arrived {
    /// A message, and the room that it takes until it is answered.
    Lines(v1::ScreenStreamRequest, OwnedSemaphorePermit),
    /// The last word of a stream that did not end by itself.
    End(Status),
}

/// The first stage.
struct Intake {
    room: Arc<Semaphore>,
    retiring: CancellationToken,
}

impl Intake {
    async fn run(
        self,
        mut incoming: Streaming<v1::ScreenStreamRequest>,
        arrived: mpsc::Sender<Arrived>,
    ) {
        let end = loop {
            let message = tokio::select! {
                biased;
                () = self.retiring.cancelled() => break Some(goodbye()),
                message = incoming.message() => message,
            };
            let message = match message {
                Ok(Some(message)) => message,
                Ok(None) => break None,
                Err(status) => break Some(status),
            };
            let units = units(message.encoded_len());
            let Ok(room) = Arc::clone(&self.room).acquire_many_owned(units).await else {
                return;
            };
            if arrived.send(Arrived::Lines(message, room)).await.is_err() {
                return;
            }
        };
        if let Some(status) = end {
            // Who waits for no answer is not told how it ended either.
            let _ = arrived.send(Arrived::End(status)).await;
        }
    }
}

/// What a message takes of the room, in units.
fn units(bytes: usize) -> u32 {
    // A message is bounded before it comes here, so this is a handful.
    let units = bytes.div_ceil(limits::SUBMISSION_UNIT_BYTES).max(1);
    u32::try_from(units).unwrap_or(u32::MAX)
}

/// The second stage.
async fn answer(
    node: Arc<Node>,
    mut arrived: mpsc::Receiver<Arrived>,
    down: mpsc::Sender<Answer>,
    place: Place,
) {
    // A place in the queue is kept for the last word, so that a full queue does not swallow it.
    let Ok(last) = down.clone().reserve_owned().await else {
        return;
    };
    while let Some(next) = arrived.recv().await {
        let end = match next {
            Arrived::End(status) => Some(End::Told(status)),
            Arrived::Lines(message, room) => {
                let end = check(&node, &message, &down).await.err();
                drop(room);
                end
            }
        };
        match end {
            None => {}
            Some(End::Told(status)) => {
                last.send(Err(status));
                break;
            }
            Some(End::Gone) => break,
        }
    }
    drop(place);
}

/// Why a stream ends before its sender ends it.
enum End {
    /// The reader went away.
    Gone,
    /// It is told why.
    Told(Status),
}

/// Checks the lines of one message and sends their results, in several responses where they are
/// long.
async fn check(
    node: &Node,
    message: &v1::ScreenStreamRequest,
    down: &mpsc::Sender<Answer>,
) -> Result<(), End> {
    let told = |refusal: Refusal| End::Told(refusal.into());
    bounded(&message.lines).map_err(told)?;
    let sitting = Sitting::begin(node, &message.jurisdiction).map_err(told)?;
    let mut filling = Filling::new(&sitting, limits::SCREEN_RESPONSE_BYTES);
    for lines in message.lines.chunks(limits::SCREEN_CHUNK_LINES) {
        for line in lines {
            filling.add(line);
            if filling.is_full() {
                send(down, &sitting, filling.take()).await?;
            }
        }
        // Other requests have their turn.
        tokio::task::yield_now().await;
    }
    // Who sends no line is told how things stand.
    if !filling.is_empty() || message.lines.is_empty() {
        send(down, &sitting, filling.take()).await?;
    }
    Ok(())
}

async fn send(
    down: &mpsc::Sender<Answer>,
    sitting: &Sitting<'_>,
    results: Vec<v1::ScreenResult>,
) -> Result<(), End> {
    let response = v1::ScreenStreamResponse {
        results,
        state: Some(sitting.state()),
    };
    match tokio::time::timeout(limits::WRITE_STALL, down.send(Ok(response))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => {
            let slow = Refusal::of(Reason::DeadlinePassed)
                .saying("the answers were not read; take them while you send");
            Err(End::Told(slow.into()))
        }
    }
}

/// Said after the answers to all that was taken, so the sender knows what to send again.
fn goodbye() -> Status {
    let refusal = Refusal::of(Reason::Draining).saying(
        "the node is stopping, or the connection is old: what has no answer was not checked; \
         send it again on a new connection",
    );
    refusal.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_takes_room_by_its_size_and_never_more_than_there_is() {
        assert_eq!(units(0), 1);
        assert_eq!(units(limits::SUBMISSION_UNIT_BYTES + 1), 2);
        let most = units(limits::MAX_SCREEN_MESSAGE_BYTES);
        assert!(usize::try_from(most).unwrap() <= limits::SCREEN_STREAM_UNITS);
    }
}
