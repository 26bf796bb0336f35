//! Tells customs how the blocks of a jurisdiction stand: one task per watcher.
//!
//! It wakes when the registry changes, sends what the subscriber is owed as fast as that is read,
//! and says goodbye, with the cursor, before it closes.

use std::sync::Arc;

use tocsin_core::cursor::{Cursor, View};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::watch_notices_response::Event;
use tocsin_wire::write;
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::clock;
use crate::limits;
use crate::node::Node;
use crate::serve::blocks;
use crate::serve::notices::Place;
use crate::subscriber::{Owed, Subscriber};

type Message = Result<v1::WatchNoticesResponse, Status>;

/// Starts a watcher; it holds `place` until it ends.
pub(crate) fn start(
    node: Arc<Node>,
    subscriber: Subscriber,
    view: View,
    retiring: CancellationToken,
    place: Place,
) -> ReceiverStream<Message> {
    let (down, stream) = mpsc::channel(limits::NOTICE_QUEUE);
    let handed = Cursor {
        view,
        vector: subscriber.cursor().clone(),
    }
    .encode();
    let beat = Instant::now();
    let mut watch = Watch {
        node,
        subscriber,
        view,
        handed,
        down,
        retiring,
        beat,
    };
    tokio::spawn(async move {
        // A place in the queue is kept for the goodbye, so that a full queue does not swallow it.
        if let Ok(last) = watch.down.clone().reserve_owned().await {
            let end = watch.run().await;
            if let Some(reason) = end.reason(&watch.node) {
                let goodbye = Event::Goodbye(v1::Goodbye {
                    reason: reason.to_owned(),
                });
                last.send(Ok(message(goodbye, watch.handed)));
            }
        }
        drop(place);
    });
    ReceiverStream::new(stream)
}

struct Watch {
    node: Arc<Node>,
    subscriber: Subscriber,
    view: View,
    /// The cursor that went out with the last message.
    handed: String,
    down: mpsc::Sender<Message>,
    retiring: CancellationToken,
    /// When the subscriber must hear something again.
    beat: Instant,
}

/// Why a stream ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The subscriber went away.
    Gone,
    /// The node stops, or the connection is old.
    Retiring,
    /// The subscriber takes nothing.
    TooSlow,
}

impl End {
    /// The word of the goodbye, where somebody is there to hear it.
    fn reason(self, node: &Node) -> Option<&'static str> {
        match self {
            Self::Gone => None,
            Self::TooSlow => Some("too_slow"),
            Self::Retiring if node.stop.is_cancelled() => Some("draining"),
            Self::Retiring => Some("max_age"),
        }
    }
}

impl Watch {
    async fn run(&mut self) -> End {
        let mut changed = self.node.state.watch();
        loop {
            // Marked before looking: a change while looking wakes again.
            changed.borrow_and_update();
            let turn = match self.send_owed().await {
                Ok(()) => self.wait(&mut changed).await,
                Err(end) => Err(end),
            };
            if let Err(end) = turn {
                return end;
            }
        }
    }

    /// Everything that is owed, as it stands when each message is taken.
    async fn send_owed(&mut self) -> Result<(), End> {
        while let Some(event) = self.owed() {
            let is_notice = matches!(event, Event::Notice(_));
            let cursor = self.cursor();
            self.send(event, cursor).await?;
            if is_notice {
                self.node.metrics.notices.inc();
            }
        }
        Ok(())
    }

    fn owed(&mut self) -> Option<Event> {
        let applied = self.node.state.read();
        let registry = &applied.registry;
        let event = match self.subscriber.next(registry, clock::now_ms())? {
            Owed::Notice(mut notice) => {
                notice.grade = blocks::grade(&self.node, registry, &notice);
                Event::Notice(write::notice(&notice))
            }
            Owed::SnapshotEnd(blocks) => Event::SnapshotEnd(v1::SnapshotEnd { blocks }),
        };
        Some(event)
    }

    /// Waits for a change, and lets the subscriber hear that the stream lives.
    async fn wait(&mut self, changed: &mut Receiver<u64>) -> Result<(), End> {
        loop {
            tokio::select! {
                biased;
                () = self.retiring.cancelled() => return Err(End::Retiring),
                () = self.down.closed() => return Err(End::Gone),
                woken = changed.changed() => return woken.map_err(|_| End::Retiring),
                () = tokio::time::sleep_until(self.beat) => {}
            }
            let behind = self.subscriber.behind(&self.node.state.read().registry);
            let heartbeat = v1::Heartbeat {
                at_ms: clock::now_ms(),
                behind,
            };
            let cursor = self.cursor();
            self.send(Event::Heartbeat(heartbeat), cursor).await?;
        }
    }

    fn cursor(&self) -> String {
        Cursor {
            view: self.view,
            vector: self.subscriber.cursor().clone(),
        }
        .encode()
    }

    async fn send(&mut self, event: Event, cursor: String) -> Result<(), End> {
        let message = Ok(message(event, cursor.clone()));
        let sent = tokio::select! {
            biased;
            () = self.retiring.cancelled() => return Err(End::Retiring),
            sent = tokio::time::timeout(limits::WRITE_STALL, self.down.send(message)) => sent,
        };
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(End::Gone),
            Err(_) => return Err(End::TooSlow),
        }
        self.handed = cursor;
        self.beat = Instant::now() + limits::HEARTBEAT_INTERVAL;
        Ok(())
    }
}

const fn message(event: Event, cursor: String) -> v1::WatchNoticesResponse {
    v1::WatchNoticesResponse {
        event: Some(event),
        cursor,
    }
}
