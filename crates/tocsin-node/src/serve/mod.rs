//! The services, mounted. A method is three lines: decode, call, answer.

pub(crate) mod blocks;
mod bundle;
mod decisions;
mod declarations;
mod drafts;
pub(crate) mod find;
mod health;
mod log;
mod lookup;
pub(crate) mod notices;
mod orders;
mod page;
mod peer;
mod places;
mod record;
mod records;
pub(crate) mod reflection;
mod roster;
mod screen;
mod screen_stream;
mod submit;
mod submit_stream;
mod walk;

use std::sync::Arc;

use tocsin_log::quorum::Grade;
use tocsin_wire::proto::peer::v1::peer_service_server::{self, PeerServiceServer};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::block_service_server::{self, BlockServiceServer};
use tocsin_wire::proto::v1::decision_service_server::{self, DecisionServiceServer};
use tocsin_wire::proto::v1::draft_service_server::{self, DraftServiceServer};
use tocsin_wire::proto::v1::indicator_service_server::{self, IndicatorServiceServer};
use tocsin_wire::proto::v1::log_service_server::{self, LogServiceServer};
use tocsin_wire::proto::v1::notice_service_server::{self, NoticeServiceServer};
use tocsin_wire::proto::v1::order_service_server::{self, OrderServiceServer};
use tocsin_wire::proto::v1::report_service_server::{self, ReportServiceServer};
use tocsin_wire::proto::v1::roster_service_server::{self, RosterServiceServer};
use tocsin_wire::proto::v1::screen_service_server::{self, ScreenServiceServer};
use tocsin_wire::proto::v1::submit_service_server::{self, SubmitServiceServer};
use tonic::service::Routes;

use crate::limits;
use crate::node::Node;

/// A service that only reads: questions are short, answers bounded.
macro_rules! reading {
    ($service:expr) => {
        $service
            .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
            .max_encoding_message_size(limits::MAX_ANSWER_MESSAGE_BYTES)
    };
}

/// All services of a node.
///
/// # Errors
/// The descriptors that reflection answers from cannot be read.
pub(crate) fn routes(node: &Arc<Node>) -> Result<Routes, tonic_reflection::server::Error> {
    let peer = PeerServiceServer::new(peer::Peer::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_BULK_MESSAGE_BYTES);
    let submit = SubmitServiceServer::new(submit::Submit::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_SUBMIT_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES);
    let drafts = DraftServiceServer::new(drafts::DraftDesk::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_SUBMIT_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_ANSWER_MESSAGE_BYTES);
    let screen = ScreenServiceServer::new(screen::Screen::new(Arc::clone(node)))
        .max_decoding_message_size(limits::MAX_SCREEN_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_ANSWER_MESSAGE_BYTES);
    let health = health::service(node);
    let node = || Arc::clone(node);
    let records = records::Records::new(node());
    let reflection = reflection::service(&SERVED)?;
    Ok(Routes::new(peer)
        .add_service(submit)
        .add_service(drafts)
        .add_service(reflection)
        .add_service(health)
        .add_service(reading!(ReportServiceServer::new(records.clone())))
        .add_service(reading!(IndicatorServiceServer::new(records)))
        .add_service(reading!(OrderServiceServer::new(orders::Orders::new(
            node()
        ))))
        .add_service(reading!(DecisionServiceServer::new(
            decisions::Decisions::new(node())
        )))
        .add_service(reading!(BlockServiceServer::new(blocks::Blocks::new(
            node()
        ))))
        .add_service(reading!(NoticeServiceServer::new(notices::Notices::new(
            node()
        ))))
        .add_service(screen)
        .add_service(reading!(LogServiceServer::new(log::Log::new(node()))))
        .add_service(reading!(RosterServiceServer::new(roster::Roster::new(
            node()
        )))))
}

/// The names of the services above, for reflection.
const SERVED: [&str; 13] = [
    block_service_server::SERVICE_NAME,
    decision_service_server::SERVICE_NAME,
    draft_service_server::SERVICE_NAME,
    indicator_service_server::SERVICE_NAME,
    log_service_server::SERVICE_NAME,
    notice_service_server::SERVICE_NAME,
    order_service_server::SERVICE_NAME,
    peer_service_server::SERVICE_NAME,
    report_service_server::SERVICE_NAME,
    roster_service_server::SERVICE_NAME,
    screen_service_server::SERVICE_NAME,
    submit_service_server::SERVICE_NAME,
    "grpc.health.v1.Health",
];

/// A grade as the wire has it.
pub(crate) const fn grade(grade: Grade) -> v1::Grade {
    match grade {
        Grade::Local => v1::Grade::Local,
        Grade::Replicated => v1::Grade::Replicated,
        Grade::Confirmed => v1::Grade::Confirmed,
    }
}
