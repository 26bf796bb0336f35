//! Bodies that arrived after their entries, and the search for those that are still missing.

use std::sync::Arc;

use tocsin_core::registry::Position;
use tocsin_log::hash::Hash;
use tocsin_store::blobs::Blobs;
use tocsin_store::error::StoreError;
use tocsin_wire::proto::peer::v1::GetBodyRequest;
use tocsin_wire::proto::peer::v1::peer_service_client::PeerServiceClient;
use tokio::sync::watch;

use crate::limits;
use crate::node::Node;
use crate::origins;

/// The late bodies of this node.
#[derive(Debug)]
pub(crate) struct Bodies {
    blobs: Blobs,
    arrived: watch::Sender<u64>,
}

impl Bodies {
    pub(crate) fn new(blobs: Blobs) -> Self {
        Self {
            blobs,
            arrived: watch::Sender::new(0),
        }
    }

    /// A late body, if it is here and whole.
    pub(crate) fn late(&self, digest: &Hash) -> Option<Vec<u8>> {
        self.blobs.get(digest).ok().flatten()
    }

    /// Wakes when a body arrives.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.arrived.subscribe()
    }

    fn keep(&self, digest: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        self.blobs.put(digest, bytes)?;
        self.arrived.send_modify(|times| *times += 1);
        Ok(())
    }
}

/// Asks the peers for lasting bodies that did not come with their entries, until the node stops.
pub(crate) async fn run(node: Arc<Node>) {
    let mut tick = tokio::time::interval(limits::MISSING_BODIES_INTERVAL);
    let stop = node.stopping();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let missing: Vec<(Position, Hash)> = {
            let applied = node.state.read();
            applied
                .registry
                .missing_bodies()
                .take(limits::MAX_MISSING_BODIES)
                .collect()
        };
        for (position, digest) in missing {
            let origin = position.origin.to_string();
            // What comes late counts like what came with its entry.
            if node
                .origins
                .held(&origin, origins::monotonic_ms())
                .is_some()
            {
                continue;
            }
            // Until it is here the order answers review, which keeps nobody's goods.
            if !node.room.may_grow(limits::MAX_BODY_BYTES as u64) {
                break;
            }
            if node.bodies.late(&digest).is_none() {
                let bytes = fetch(&node, &digest).await;
                let now_ms = origins::monotonic_ms();
                node.origins.took(&origin, 0, bytes, now_ms);
            }
        }
    }
}

/// Asks one peer after another; the digest says whether the answer is right. How many bytes were
/// stored.
async fn fetch(node: &Node, digest: &Hash) -> u64 {
    let members: Vec<String> = node.peers.members().map(str::to_owned).collect();
    for member in members {
        let Ok(channel) = node.dial(&member).await else {
            continue;
        };
        let mut client = PeerServiceClient::new(channel)
            .max_decoding_message_size(limits::MAX_BULK_MESSAGE_BYTES);
        let request = GetBodyRequest {
            sha256: digest.as_bytes().to_vec(),
        };
        let Ok(answer) = client.get_body(request).await else {
            continue;
        };
        let body = answer.into_inner().body;
        match node.bodies.keep(digest, &body) {
            Ok(()) => return body.len() as u64,
            Err(StoreError::Refused(_)) => {}
            Err(StoreError::Fault(fault)) => {
                node.fault(&fault.to_string());
                return 0;
            }
        }
    }
    0
}
