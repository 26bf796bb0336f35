//! `tocsin.peer.v1.PeerService`: what other members' nodes ask of this one.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tocsin_log::hash::Hash;
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::peer::v1::peer_service_server::PeerService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::identity::{connection, identity};
use crate::limits;
use crate::node::Node;
use crate::serve::log::{check_growth, check_index, check_size};
use crate::status::{Reason, Refusal};

/// Serves other members' nodes, and nobody else.
#[derive(Debug)]
pub(crate) struct Peer {
    node: Arc<Node>,
    follows: Follows,
}

impl Peer {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self {
            node,
            follows: Follows::default(),
        }
    }
}

/// The streams of each member, the oldest first. An ended one counts until it is replaced.
#[derive(Debug, Default)]
struct Follows {
    streams: Mutex<BTreeMap<String, VecDeque<CancellationToken>>>,
}

impl Follows {
    /// Counts one more; what is returned fires when it is one too many.
    fn begin(&self, member: &str) -> CancellationToken {
        let token = CancellationToken::new();
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let streams = streams.entry(member.to_owned()).or_default();
        streams.push_back(token.clone());
        if streams.len() > limits::MAX_FOLLOWS_PER_MEMBER
            && let Some(oldest) = streams.pop_front()
        {
            oldest.cancel();
        }
        token
    }
}

#[tonic::async_trait]
impl PeerService for Peer {
    type FollowStream = ReceiverStream<Result<peer::FollowResponse, Status>>;

    async fn follow(
        &self,
        request: Request<Streaming<peer::FollowRequest>>,
    ) -> Result<Response<Self::FollowStream>, Status> {
        let member = identity(&request)?.require_node()?.to_owned();
        let retiring = connection(&request)?.retiring().clone();
        let mut up = request.into_inner();
        let first = tokio::time::timeout(limits::REQUEST_DEADLINE, up.message()).await;
        let Ok(Ok(Some(peer::FollowRequest {
            message: Some(peer::follow_request::Message::Hello(hello)),
        }))) = first
        else {
            return Err(Refusal::of(Reason::FieldInvalid).at("hello").into());
        };
        self.check_hello(&member, &hello)?;
        self.node.peers.ring(&member);
        for head in &hello.heads {
            self.node.told(&member, &head.origin, head.size);
        }
        let (down, stream) = mpsc::channel(limits::FOLLOW_QUEUE);
        let node = Arc::clone(&self.node);
        let replaced = self.follows.begin(&member);
        tokio::spawn(async move {
            tokio::select! {
                () = crate::follow::serve(node, member, up, down) => {}
                () = retiring.cancelled() => {}
                () = replaced.cancelled() => {}
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_checkpoint(
        &self,
        request: Request<peer::GetCheckpointRequest>,
    ) -> Result<Response<peer::GetCheckpointResponse>, Status> {
        identity(&request)?.require_node()?;
        let asked = request.into_inner();
        let note = match asked.size {
            0 => self.node.newest_note_seen(&asked.origin)?,
            size => self.node.note_of_size(&asked.origin, size)?,
        };
        let answer = peer::GetCheckpointResponse {
            found: note.is_some(),
            note: note.unwrap_or_default(),
        };
        Ok(Response::new(answer))
    }

    async fn get_proof(
        &self,
        request: Request<peer::GetProofRequest>,
    ) -> Result<Response<peer::GetProofResponse>, Status> {
        identity(&request)?.require_node()?;
        let asked = request.into_inner();
        let reader = self.node.reader(&asked.origin)?;
        check_size(asked.size, "size")?;
        let proof = match asked.old_size {
            0 => {
                check_index(asked.index, asked.size)?;
                reader.inclusion(asked.index, asked.size)
            }
            old_size => {
                check_growth(old_size, asked.size)?;
                reader.consistency(old_size, asked.size)
            }
        };
        let proof = proof.map_err(Refusal::from)?;
        let proof = proof.iter().map(|hash| hash.as_bytes().to_vec()).collect();
        Ok(Response::new(peer::GetProofResponse { proof }))
    }

    async fn get_body(
        &self,
        request: Request<peer::GetBodyRequest>,
    ) -> Result<Response<peer::GetBodyResponse>, Status> {
        identity(&request)?.require_node()?;
        let asked = request.into_inner();
        let digest = <[u8; 32]>::try_from(asked.sha256.as_slice())
            .map_err(|_| Refusal::of(Reason::FieldInvalid).at("sha256"))?;
        let body = self
            .node
            .body(&Hash(digest))?
            .ok_or_else(|| Refusal::of(Reason::NotFound))?;
        Ok(Response::new(peer::GetBodyResponse { body }))
    }

    async fn get_roster(
        &self,
        request: Request<peer::GetRosterRequest>,
    ) -> Result<Response<peer::GetRosterResponse>, Status> {
        identity(&request)?.require_node()?;
        let (roster, manifests) = self.node.roster_envelopes();
        Ok(Response::new(peer::GetRosterResponse {
            roster: Some(roster),
            manifests,
        }))
    }

    async fn report_evidence(
        &self,
        request: Request<peer::ReportEvidenceRequest>,
    ) -> Result<Response<peer::ReportEvidenceResponse>, Status> {
        identity(&request)?.require_node()?;
        let evidence = request.into_inner().evidence;
        let evidence = evidence.ok_or_else(|| Refusal::of(Reason::FieldInvalid).at("evidence"))?;
        if !self.node.take_evidence(&evidence) {
            return Err(Refusal::of(Reason::FieldInvalid)
                .saying("this proves nothing: form, signatures, sizes, roots or proof do not hold")
                .at("evidence")
                .into());
        }
        let accepted = true;
        Ok(Response::new(peer::ReportEvidenceResponse { accepted }))
    }
}

impl Peer {
    fn check_hello(&self, member: &str, hello: &peer::Hello) -> Result<(), Refusal> {
        if hello.protocol != 1 {
            return Err(Refusal::of(Reason::FieldInvalid).at("hello.protocol"));
        }
        if hello.member != member {
            return Err(Refusal::of(Reason::WrongMember)
                .fact("certificate", member)
                .fact("message", &hello.member));
        }
        if hello.roster_sha256 != self.node.alliance.genesis_hash().as_bytes() {
            return Err(Refusal::of(Reason::WrongAlliance).at("hello.roster_sha256"));
        }
        if hello.heads.len() > limits::MAX_MEMBERS {
            return Err(Refusal::of(Reason::FieldInvalid).at("hello.heads"));
        }
        Ok(())
    }
}
