//! `grpc.health.v1`: the node as load balancers see it.
//!
//! The empty name stands for reading, which a node can do whenever it runs; the submit service is
//! serving only while the node signs.

use std::sync::Arc;

use tocsin_wire::proto::v1::submit_service_server::SERVICE_NAME as SUBMIT;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

use crate::limits;
use crate::node::Node;
use crate::signing::Standing;

/// The health service of a node, kept up to date until the node stops.
pub(crate) fn service(node: &Arc<Node>) -> HealthServer<impl Health> {
    let (reporter, service) = health_reporter();
    tokio::spawn(keep_up_to_date(Arc::clone(node), reporter));
    service
        .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
}

async fn keep_up_to_date(node: Arc<Node>, reporter: HealthReporter) {
    let mut standing = node.signing.watch();
    loop {
        let submit = match *standing.borrow_and_update() {
            Standing::Ready => ServingStatus::Serving,
            Standing::Asking | Standing::Repairing(_) | Standing::ReadOnly(_) => {
                ServingStatus::NotServing
            }
        };
        reporter.set_service_status(SUBMIT, submit).await;
        tokio::select! {
            () = node.stop.cancelled() => break,
            changed = standing.changed() => if changed.is_err() {
                break;
            },
        }
    }
    for name in ["", SUBMIT] {
        reporter
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
}
