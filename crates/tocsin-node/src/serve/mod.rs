//! The services, mounted. A method is three lines: decode, call, answer.

mod peer;
mod submit;

use std::sync::Arc;

use tocsin_log::quorum::Grade;
use tocsin_wire::proto::peer::v1::peer_service_server::PeerServiceServer;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_server::SubmitServiceServer;
use tonic::service::Routes;

use crate::limits;
use crate::node::Node;

/// All services of a node.
pub(crate) fn routes(node: &Arc<Node>) -> Routes {
    let peer = PeerServiceServer::new(peer::Peer::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_BULK_MESSAGE_BYTES);
    let submit = SubmitServiceServer::new(submit::Submit::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_SUBMIT_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES);
    Routes::new(peer).add_service(submit)
}

/// A grade as the wire has it.
pub(crate) const fn grade(grade: Grade) -> v1::Grade {
    match grade {
        Grade::Local => v1::Grade::Local,
        Grade::Replicated => v1::Grade::Replicated,
        Grade::Confirmed => v1::Grade::Confirmed,
    }
}
