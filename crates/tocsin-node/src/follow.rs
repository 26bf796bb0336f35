//! The sending side of `Follow`: one task per stream, a cursor per origin, nothing queued per peer.
//!
//! Everything is read from the store when the peer's window has room for it, origins in turn, so
//! a slow peer costs one batch of memory and no origin waits behind another's backlog.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_store::error::StoreError;
use tocsin_store::reader::{BodyContent, StoredBatch, StoredEntry};
use tocsin_wire::proto::peer::v1 as peer;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::{Status, Streaming};

use crate::cosignatures::Offered;
use crate::limits;
use crate::node::Node;

/// What goes down one stream.
type Down = mpsc::Sender<Result<peer::FollowResponse, Status>>;

/// Serves one peer until it goes, the node drains or the stream fails.
pub(crate) async fn serve(
    node: Arc<Node>,
    peer: String,
    mut up: Streaming<peer::FollowRequest>,
    down: Down,
) {
    let mut feed = Feed {
        node,
        down,
        wants: BTreeMap::new(),
        cosigs: 0,
        evidence: 0,
        false_cosignatures: 0,
    };
    if let Err(stop) = feed.run(&peer, &mut up).await {
        tracing::debug!(peer, %stop, "follow stream ended");
    }
}

struct Feed {
    node: Arc<Node>,
    down: Down,
    wants: BTreeMap<String, Wanted>,
    /// The last change of the cosignatures that was passed on.
    cosigs: u64,
    /// Pieces of evidence passed on.
    evidence: usize,
    /// Cosignatures by the peer that were not: each costs us a verification.
    false_cosignatures: usize,
}

/// How far one origin has been told or sent on this stream.
struct Wanted {
    mode: peer::Mode,
    /// Eager: the next index to send. Lazy: the largest head told.
    next: u64,
}

/// Why a stream ended; none of it is a fault.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error("the peer went away")]
    Gone,
    #[error("the node is draining")]
    Draining,
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
    #[error("a log could not be read: {0}")]
    Read(#[from] StoreError),
}

/// Sleeps until then; without an instant, for ever.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

impl Feed {
    async fn run(
        &mut self,
        peer: &str,
        up: &mut Streaming<peer::FollowRequest>,
    ) -> Result<(), Stop> {
        let mut grown = self.node.logs.watch();
        let mut cosigned = self.node.cosignatures.watch();
        let mut found = self.node.evidence.watch();
        let stop = self.node.stopping();
        let mut heads = tokio::time::interval(limits::HEADS_INTERVAL);
        self.greet().await?;
        self.pass_on_cosigs().await?;
        let mut cosigs_due = None;
        let mut more = false;
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Stop::Draining),
                message = up.message() => match message {
                    Ok(Some(message)) => self.take(peer, message)?,
                    Ok(None) | Err(_) => return Err(Stop::Gone),
                },
                _ = heads.tick() => self.tell_heads().await?,
                () = std::future::ready(()), if more => {}
                _ = grown.changed() => {}
                // Nobody waits for them, and each costs everybody a verification: they are
                // gathered, so that entries and what is decided on them go first.
                _ = cosigned.changed(), if cosigs_due.is_none() => {
                    cosigs_due = Some(Instant::now() + limits::COSIGS_GATHERED);
                }
                () = until(cosigs_due), if cosigs_due.is_some() => {
                    cosigs_due = None;
                    self.pass_on_cosigs().await?;
                }
                _ = found.changed() => {}
            }
            self.pass_on_evidence().await?;
            more = self.round().await?;
        }
    }

    /// Our heads, once; the peer says then what it wants.
    async fn greet(&self) -> Result<(), Stop> {
        let heads = self.node.logs.heads();
        let ok = peer::HelloOk { heads };
        self.send(peer::follow_response::Message::HelloOk(ok)).await
    }

    fn take(&mut self, peer: &str, message: peer::FollowRequest) -> Result<(), Stop> {
        match message.message {
            Some(peer::follow_request::Message::Want(want)) => {
                let mode = want.mode();
                if self.node.logs.reader(&want.origin).is_some() {
                    self.wants.insert(
                        want.origin,
                        Wanted {
                            mode,
                            next: want.size,
                        },
                    );
                }
                Ok(())
            }
            Some(peer::follow_request::Message::Ack(ack)) => {
                let (origin, size) = (&ack.origin, ack.size);
                let offered = self.node.take_cosignature(origin, size, &ack.cosignature);
                if offered == Offered::False {
                    self.false_cosignatures += 1;
                    if self.false_cosignatures >= limits::MAX_FALSE_COSIGNATURES {
                        return Err(Stop::Protocol("false cosignatures"));
                    }
                }
                self.node.told(peer, origin, size);
                Ok(())
            }
            Some(peer::follow_request::Message::Hello(_)) => Err(Stop::Protocol("second hello")),
            None => Err(Stop::Protocol("empty message")),
        }
    }

    /// One batch or checkpoint of each origin that has news; whether there may be more.
    async fn round(&mut self) -> Result<bool, Stop> {
        let mut more = false;
        let origins: Vec<String> = self.wants.keys().cloned().collect();
        for key in origins {
            let Some(wanted) = self.wants.get(&key) else {
                continue;
            };
            let Some(reader) = self.node.logs.reader(&key) else {
                continue;
            };
            if reader.size() <= wanted.next {
                continue;
            }
            let (message, next) = match wanted.mode {
                peer::Mode::Eager => {
                    let (start, size) = (wanted.next, reader.size());
                    // Near the head batches go as they were committed, so that every mirror keeps
                    // every note; far behind, as many at once as fit.
                    let far_behind = size.saturating_sub(start) > limits::FAR_BEHIND_ENTRIES;
                    let bytes = if far_behind {
                        limits::MAX_BATCH_BYTES
                    } else {
                        0
                    };
                    let read = tokio::task::block_in_place(|| reader.batch(start, bytes));
                    let Some(batch) = read? else { continue };
                    let next = start + batch.entries.len() as u64;
                    more |= next < size;
                    (
                        peer::follow_response::Message::Batch(to_proto(&key, batch)),
                        next,
                    )
                }
                peer::Mode::Lazy | peer::Mode::Unspecified => {
                    let Some((size, note)) = reader.newest_note()? else {
                        continue;
                    };
                    if size <= wanted.next {
                        continue;
                    }
                    let checkpoint = peer::Checkpoint {
                        origin: key.clone(),
                        note,
                    };
                    (peer::follow_response::Message::Checkpoint(checkpoint), size)
                }
            };
            self.send(message).await?;
            if let Some(wanted) = self.wants.get_mut(&key) {
                wanted.next = next;
            }
        }
        Ok(more)
    }

    async fn tell_heads(&self) -> Result<(), Stop> {
        let notes = self.node.newest_notes()?;
        let at_ms = crate::clock::now_ms();
        let heads = peer::Heads { notes, at_ms };
        self.send(peer::follow_response::Message::Heads(heads))
            .await
    }

    async fn pass_on_cosigs(&mut self) -> Result<(), Stop> {
        let (news, sequence) = self.node.cosignatures.since(self.cosigs);
        self.cosigs = sequence;
        for held in news {
            let cosigs = peer::Cosigs {
                origin: held.origin.to_string(),
                size: held.size,
                lines: vec![held.line.to_line()],
            };
            self.send(peer::follow_response::Message::Cosigs(cosigs))
                .await?;
        }
        Ok(())
    }

    async fn pass_on_evidence(&mut self) -> Result<(), Stop> {
        let news = self.node.evidence.after(self.evidence);
        for evidence in news {
            self.evidence += 1;
            let message = peer::follow_response::Message::Evidence(evidence);
            self.send(message).await?;
        }
        Ok(())
    }

    async fn send(&self, message: peer::follow_response::Message) -> Result<(), Stop> {
        let response = peer::FollowResponse {
            message: Some(message),
        };
        self.down.send(Ok(response)).await.map_err(|_| Stop::Gone)
    }
}

/// A batch for the wire, with the bodies we still have: everything open may go to every member.
fn to_proto(origin: &str, batch: StoredBatch) -> peer::Batch {
    let entry = |stored: StoredEntry| {
        let bodies = stored
            .bodies
            .into_iter()
            .filter_map(|body| match body.content {
                BodyContent::Sound(bytes) => Some(bytes),
                BodyContent::Erased | BodyContent::Damaged => None,
            });
        peer::EntryWithBodies {
            entry: stored.entry,
            bodies: bodies.collect(),
        }
    };
    peer::Batch {
        origin: origin.to_owned(),
        start: batch.start,
        entries: batch.entries.into_iter().map(entry).collect(),
        note: batch.note,
    }
}
