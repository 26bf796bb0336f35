//! `ScreenService`: what one may type from the side of a box, and lines of declarations, against
//! the blocks of a jurisdiction.

use std::sync::Arc;

use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_service_server::ScreenService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::gate;
use crate::identity::{connection, identity};
use crate::limits;
use crate::node::Node;
use crate::serve::declarations::{Filling, Sitting, bounded};
use crate::serve::lookup;
use crate::serve::screen_stream::Streams;

/// Looks things up for any member's client; screens declarations for those at home.
#[derive(Debug)]
pub(crate) struct Screen {
    node: Arc<Node>,
    streams: Streams,
}

impl Screen {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self {
            node,
            streams: Streams::default(),
        }
    }
}

#[tonic::async_trait]
impl ScreenService for Screen {
    type ScreenStreamStream = ReceiverStream<Result<v1::ScreenStreamResponse, Status>>;

    async fn lookup(
        &self,
        request: Request<v1::LookupRequest>,
    ) -> Result<Response<v1::LookupResponse>, Status> {
        identity(&request)?;
        let look = || lookup::lookup(&self.node, request.get_ref());
        let answer = tokio::task::block_in_place(look)?;
        Ok(Response::new(answer))
    }

    async fn screen(
        &self,
        request: Request<v1::ScreenRequest>,
    ) -> Result<Response<v1::ScreenResponse>, Status> {
        identity(&request)?.require_home(&self.node.config.member)?;
        let _share = gate::hold(&request, limits::MAX_SCREEN_ANSWER_BYTES)?;
        let asked = request.into_inner();
        bounded(&asked.lines)?;
        let sitting = Sitting::begin(&self.node, &asked.jurisdiction)?;
        let mut filling = Filling::new(&sitting, limits::MAX_SCREEN_ANSWER_BYTES);
        for lines in asked.lines.chunks(limits::SCREEN_CHUNK_LINES) {
            lines.iter().for_each(|line| filling.add_cut(line));
            // Other requests have their turn.
            tokio::task::yield_now().await;
        }
        Ok(Response::new(v1::ScreenResponse {
            results: filling.take(),
            state: Some(sitting.state()),
        }))
    }

    async fn screen_stream(
        &self,
        request: Request<Streaming<v1::ScreenStreamRequest>>,
    ) -> Result<Response<Self::ScreenStreamStream>, Status> {
        let connection = connection(&request)?.clone();
        connection
            .identity()
            .require_home(&self.node.config.member)?;
        let node = Arc::clone(&self.node);
        let stream = self
            .streams
            .start(node, &connection, request.into_inner())?;
        Ok(Response::new(stream))
    }
}
