//! The receiving side of `Follow`: one task per peer, which dials, reads, and dials again.
//!
//! What arrives is checked against the origin's own signature and our own tree before it is
//! stored; the peer that passed it on needs no trust. A batch that does not fit costs that peer
//! its place as upstream and nothing else: no origin stops another.

use std::sync::Arc;
use std::time::Duration;

use tocsin_log::checkpoint::Origin;
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::peer::v1::peer_service_client::PeerServiceClient;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use crate::limits;
use crate::mirror::{Incoming, MirrorError};
use crate::node::Node;
use crate::origins;

/// Follows one peer until the node drains.
pub(crate) async fn run(node: Arc<Node>, member: String) {
    let stop = node.stopping();
    let mut pause = limits::RECONNECT_FIRST;
    loop {
        let contact = node.peers.contact(&member);
        let began = Instant::now();
        let ended = tokio::select! {
            ended = session(&node, &member) => ended,
            () = stop.cancelled() => return,
        };
        node.peers
            .disconnected(&member, &ended.to_string(), crate::clock::now_ms());
        tracing::info!(peer = %member, reason = %ended, "not following");
        if began.elapsed() > limits::RECONNECT_CAP {
            pause = limits::RECONNECT_FIRST;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(limits::RECONNECT_CAP),
            // Somebody of that member reached us: it is back, so do not wait out the pause.
            () = contact.notified() => pause = limits::RECONNECT_FIRST,
            () = stop.cancelled() => return,
        }
    }
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("cannot connect: {0}")]
    Connect(String),
    #[error("{0}")]
    Refused(String),
    #[error("the peer closed the stream")]
    Closed,
    #[error("nothing heard for {0:?}")]
    Silent(Duration),
    #[error("the peer broke the protocol: {0}")]
    Protocol(&'static str),
}

impl From<tonic::Status> for Ended {
    fn from(status: tonic::Status) -> Self {
        Self::Refused(format!("{:?}: {}", status.code(), status.message()))
    }
}

async fn session(node: &Arc<Node>, member: &str) -> Ended {
    match follow(node, member).await {
        Ok(()) => Ended::Closed,
        Err(ended) => ended,
    }
}

async fn follow(node: &Arc<Node>, member: &str) -> Result<(), Ended> {
    let channel = node
        .dial(member)
        .await
        .map_err(|error| Ended::Connect(error.to_string()))?;
    let mut client = PeerServiceClient::new(channel)
        .max_decoding_message_size(limits::MAX_BULK_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES);
    ask_about_ourselves(node, member, &mut client).await?;
    let (up, requests) = mpsc::channel(limits::FOLLOW_QUEUE);
    say_hello(node, &up).await?;
    let mut down = client
        .follow(ReceiverStream::new(requests))
        .await?
        .into_inner();
    let first = next(&mut down).await?.ok_or(Ended::Closed)?;
    let Some(peer::follow_response::Message::HelloOk(hello)) = first.message else {
        return Err(Ended::Protocol("no hello"));
    };
    node.connected(member);
    for head in &hello.heads {
        node.told(member, &head.origin, head.size);
    }
    tracing::info!(peer = %member, "following");
    let mut session = Session {
        node,
        member,
        up,
        wanted: std::collections::BTreeMap::new(),
        storing: None,
    };
    session.offer_own_cosignatures().await?;
    session.run(&mut down).await
}

/// The start-up question, asked on every contact: what is the newest note of ours that you have
/// seen?
async fn ask_about_ourselves(
    node: &Arc<Node>,
    member: &str,
    client: &mut PeerServiceClient<Channel>,
) -> Result<(), Ended> {
    let origin = node.logs.own().origin().to_string();
    let question = peer::GetCheckpointRequest { origin, size: 0 };
    let answer = client.get_checkpoint(question).await?.into_inner();
    node.heard_about_ourselves(member, answer.found.then_some(answer.note.as_slice()));
    Ok(())
}

async fn say_hello(node: &Arc<Node>, up: &mpsc::Sender<peer::FollowRequest>) -> Result<(), Ended> {
    let hello = peer::Hello {
        protocol: 1,
        member: node.member().id.clone(),
        roster_sha256: node.alliance.genesis_hash().as_bytes().to_vec(),
        heads: node.logs.heads(),
    };
    let message = Some(peer::follow_request::Message::Hello(hello));
    up.send(peer::FollowRequest { message })
        .await
        .map_err(|_| Ended::Closed)
}

async fn next(
    down: &mut Streaming<peer::FollowResponse>,
) -> Result<Option<peer::FollowResponse>, Ended> {
    match tokio::time::timeout(limits::FOLLOW_SILENCE, down.message()).await {
        Ok(message) => Ok(message?),
        Err(_) => Err(Ended::Silent(limits::FOLLOW_SILENCE)),
    }
}

struct Session<'a> {
    node: &'a Arc<Node>,
    member: &'a str,
    up: mpsc::Sender<peer::FollowRequest>,
    /// What we last asked this peer to send of each origin.
    wanted: std::collections::BTreeMap<String, peer::Mode>,
    /// The batch that is being stored, and of which log; the next one is read meanwhile.
    storing: Option<(String, JoinHandle<Stored>)>,
}

/// What came of a batch.
type Stored = Result<Option<peer::Ack>, MirrorError>;

impl Session<'_> {
    async fn run(&mut self, down: &mut Streaming<peer::FollowResponse>) -> Result<(), Ended> {
        let mut choose = tokio::time::interval(limits::CHOOSE_UPSTREAM_INTERVAL);
        let mut rechosen = self.node.peers.rechosen();
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = down.message() => match message? {
                    Some(message) => {
                        heard = Instant::now();
                        self.take(message).await?;
                    }
                    None => return Ok(()),
                },
                _ = choose.tick() => {
                    if heard.elapsed() > limits::FOLLOW_SILENCE {
                        return Err(Ended::Silent(limits::FOLLOW_SILENCE));
                    }
                    self.say_what_is_wanted().await?;
                }
                stored = stored(&mut self.storing) => self.answer(stored).await?,
                _ = rechosen.changed() => self.say_what_is_wanted().await?,
            }
        }
    }

    /// Eager from one peer per origin, lazy from the others.
    async fn say_what_is_wanted(&mut self) -> Result<(), Ended> {
        for origin in self.node.logs.mirrored() {
            let chosen = self.node.chosen_upstream(&origin);
            let key = origin.to_string();
            let held = self.node.origins.held(&key, origins::monotonic_ms());
            let mode = match chosen.as_deref() == Some(self.member) && held.is_none() {
                true => peer::Mode::Eager,
                false => peer::Mode::Lazy,
            };
            if self.wanted.get(&key) == Some(&mode) {
                continue;
            }
            let size = self
                .node
                .logs
                .reader(&key)
                .map_or(0, |reader| reader.size());
            self.wanted.insert(key.clone(), mode);
            let want = peer::Want {
                origin: key,
                mode: mode.into(),
                size,
            };
            self.send(peer::follow_request::Message::Want(want)).await?;
        }
        Ok(())
    }

    async fn take(&mut self, response: peer::FollowResponse) -> Result<(), Ended> {
        match response.message {
            Some(peer::follow_response::Message::Batch(batch)) => self.take_batch(batch).await,
            Some(peer::follow_response::Message::Checkpoint(checkpoint)) => {
                self.node.see_note(self.member, &checkpoint.note);
                Ok(())
            }
            Some(peer::follow_response::Message::Heads(heads)) => {
                let now_ms = crate::clock::now_ms();
                self.node.peers.told_time(self.member, heads.at_ms, now_ms);
                for note in heads.notes.iter().take(limits::MAX_MEMBERS) {
                    self.node.see_note(self.member, note);
                }
                Ok(())
            }
            Some(peer::follow_response::Message::Cosigs(cosigs)) => {
                for line in cosigs.lines.iter().take(limits::MAX_MEMBERS) {
                    self.node
                        .take_cosignature(&cosigs.origin, cosigs.size, line);
                }
                Ok(())
            }
            Some(peer::follow_response::Message::Evidence(evidence)) => {
                self.node.take_evidence(&evidence);
                Ok(())
            }
            Some(peer::follow_response::Message::HelloOk(_)) => {
                Err(Ended::Protocol("second hello"))
            }
            None => Err(Ended::Protocol("empty message")),
        }
    }

    /// One batch is stored while the next is received and read; they are stored in their order.
    async fn take_batch(&mut self, batch: peer::Batch) -> Result<(), Ended> {
        let key = batch.origin.clone();
        let incoming = tokio::task::block_in_place(|| Incoming::read(batch));
        if self.storing.is_some() {
            let before = stored(&mut self.storing).await;
            self.answer(before).await?;
        }
        let now_ms = origins::monotonic_ms();
        if self.node.origins.held(&key, now_ms).is_some() {
            // It was on its way already, and comes again from where our copy ends.
            return self.say_what_is_wanted().await;
        }
        let node = Arc::clone(self.node);
        let storing = async move { node.mirror(incoming?).await };
        self.storing = Some((key, tokio::spawn(storing)));
        Ok(())
    }

    /// Says what came of a batch of this log.
    async fn answer(&mut self, (key, stored): (String, Stored)) -> Result<(), Ended> {
        match stored {
            Ok(None) => Ok(()),
            Ok(Some(ack)) => self.send(peer::follow_request::Message::Ack(ack)).await,
            Err(MirrorError::NoRoom) => self.say_what_is_wanted().await,
            Err(refused) => {
                tracing::warn!(peer = %self.member, origin = %key, %refused, "batch refused");
                self.node
                    .peers
                    .distrust(self.member, &key, std::time::Instant::now());
                self.wanted.remove(&key);
                Ok(())
            }
        }
    }

    /// What we hold, in our own word: the peer may have missed it while we were apart.
    async fn offer_own_cosignatures(&self) -> Result<(), Ended> {
        let origins: Vec<Origin> = self.node.logs.mirrored();
        for origin in origins {
            let Some(held) = self.node.own_cosignature(&origin) else {
                continue;
            };
            let ack = peer::Ack {
                origin: origin.to_string(),
                size: held.size,
                cosignature: held.line.to_line(),
            };
            self.send(peer::follow_request::Message::Ack(ack)).await?;
        }
        Ok(())
    }

    async fn send(&self, message: peer::follow_request::Message) -> Result<(), Ended> {
        let request = peer::FollowRequest {
            message: Some(message),
        };
        self.up.send(request).await.map_err(|_| Ended::Closed)
    }
}

/// Waits until the batch is stored; for ever where there is none.
async fn stored(storing: &mut Option<(String, JoinHandle<Stored>)>) -> (String, Stored) {
    let Some((key, task)) = storing else {
        return std::future::pending().await;
    };
    // What panics while storing rings the fault bell before it ends here.
    let stored = task.await.unwrap_or(Ok(None));
    let key = std::mem::take(key);
    *storing = None;
    (key, stored)
}
