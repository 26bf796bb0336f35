//! `BlockService`: orders as they stand in one jurisdiction.

use std::sync::Arc;

use tocsin_core::filter::Filter;
use tocsin_core::notice::Notice;
use tocsin_core::registry::Registry;
use tocsin_core::statement::StatementRef;
use tocsin_log::quorum::Grade;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::block_service_server::BlockService;
use tocsin_wire::write;
use tonic::{Request, Response, Status};

use crate::clock;
use crate::identity::identity;
use crate::node::Node;
use crate::serve::find;
use crate::serve::page::{Page, key};
use crate::serve::walk::Walk;
use crate::status::Refusal;

/// Serves blocks of every jurisdiction to any member's client.
#[derive(Debug)]
pub(crate) struct Blocks {
    node: Arc<Node>,
}

impl Blocks {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn get(&self, name: &str) -> Result<Notice, Refusal> {
        let applied = self.node.state.read();
        let registry = &applied.registry;
        let (order, jurisdiction) = find::block(&self.node, registry, name)?;
        let notice = present(&self.node, registry, &order, &jurisdiction, clock::now_ms());
        notice.ok_or_else(|| find::not_found(name))
    }

    fn list(&self, asked: &v1::ListBlocksRequest) -> Result<v1::ListBlocksResponse, Refusal> {
        let filter = Filter::parse(&asked.filter)?;
        let jurisdiction = find::jurisdiction(&self.node, &asked.jurisdiction)?;
        let which = if asked.in_force_only {
            "in force"
        } else {
            "all"
        };
        let list = ["blocks", &jurisdiction, &asked.filter, which];
        let page = Page::read(asked.page_size, &asked.page_token, &list)?;
        let now = clock::now_ms();
        let orders = Walk::new(&self.node, &filter, page.from()?);
        let notices = orders.filter_map(|(position, order)| {
            let applied = self.node.state.read();
            let block = applied.registry.block(&order, &jurisdiction, now)?;
            if asked.in_force_only && !block.is_blocking() {
                return None;
            }
            let notice = completed(&self.node, &applied.registry, block, &jurisdiction, now);
            Some((key(&position), Ok::<_, Refusal>(write::notice(&notice))))
        });
        let (notices, next_page_token) = page.fill(notices)?;
        Ok(v1::ListBlocksResponse {
            notices,
            next_page_token,
        })
    }
}

/// A block with what stands beside it as of now: its grade, and what else bars the same goods.
pub(crate) fn present(
    node: &Node,
    registry: &Registry,
    order: &StatementRef,
    jurisdiction: &str,
    at: i64,
) -> Option<Notice> {
    let block = registry.block(order, jurisdiction, at)?;
    Some(completed(node, registry, block, jurisdiction, at))
}

fn completed(
    node: &Node,
    registry: &Registry,
    block: Notice,
    jurisdiction: &str,
    at: i64,
) -> Notice {
    Notice {
        also_blocked_by: registry.also_blocked_by(&block, jurisdiction, at),
        grade: grade(node, registry, &block),
        ..block
    }
}

/// How widely what a block rests on is held: the lesser of its order's grade and its decision's.
pub(crate) fn grade(node: &Node, registry: &Registry, block: &Notice) -> Grade {
    let order = registry.find(&block.order_ref);
    let decision = block.decision_id.and_then(|id| registry.with_id(&id));
    let grades = order
        .iter()
        .chain(&decision)
        .map(|at| node.grade(&at.origin, at.index));
    grades.min().unwrap_or(Grade::Local)
}

#[tonic::async_trait]
impl BlockService for Blocks {
    async fn get_block(
        &self,
        request: Request<v1::GetBlockRequest>,
    ) -> Result<Response<v1::GetBlockResponse>, Status> {
        identity(&request)?;
        let notice = self.get(&request.get_ref().name)?;
        Ok(Response::new(v1::GetBlockResponse {
            notice: Some(write::notice(&notice)),
        }))
    }

    async fn list_blocks(
        &self,
        request: Request<v1::ListBlocksRequest>,
    ) -> Result<Response<v1::ListBlocksResponse>, Status> {
        identity(&request)?;
        let blocks = tokio::task::block_in_place(|| self.list(request.get_ref()))?;
        Ok(Response::new(blocks))
    }
}
