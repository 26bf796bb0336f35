//! `DecisionService`: what jurisdictions did with others' orders, and what waits for an officer.

use std::sync::Arc;

use tocsin_core::filter::Filter;
use tocsin_core::name::Collection;
use tocsin_core::registry::{Pending, Position, Registry};
use tocsin_core::statement::StatementRef;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::decision_service_server::DecisionService;
use tonic::{Request, Response, Status};

use crate::clock;
use crate::identity::identity;
use crate::node::Node;
use crate::serve::find;
use crate::serve::page::{Page, key};
use crate::serve::record::{self, Place};
use crate::status::Refusal;

/// Serves decisions to any member's client.
#[derive(Debug)]
pub(crate) struct Decisions {
    node: Arc<Node>,
}

impl Decisions {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn get(&self, name: &str) -> Result<v1::Record, Refusal> {
        let place = {
            let applied = self.node.state.read();
            let position = find::entry(&applied.registry, name, Some(Collection::Decisions))?;
            Place::of(&applied.registry, position)
        };
        tokio::task::block_in_place(|| record::fetch(&self.node, &place))
    }

    fn list(&self, asked: &v1::ListDecisionsRequest) -> Result<v1::ListDecisionsResponse, Refusal> {
        let filter = Filter::parse(&asked.filter)?;
        let list = ["decisions", &asked.filter, &asked.order];
        let page = Page::read(asked.page_size, &asked.page_token, &list)?;
        let from = page.from()?;
        let places: Vec<Place> = {
            let applied = self.node.state.read();
            let registry = &applied.registry;
            let order = match asked.order.as_str() {
                "" => None,
                name => Some(find::order(registry, name).map_err(|refusal| refusal.at("order"))?),
            };
            let wanted = decided(registry, order.as_ref(), from.as_ref()).filter(|at| {
                registry
                    .order_at(at)
                    .is_some_and(|o| registry.is_wanted(o, &filter))
            });
            wanted
                .take(page.reach())
                .map(|at| Place::of(registry, at))
                .collect()
        };
        let item = |place: &Place| (key(&place.position), record::fetch(&self.node, place));
        let (records, next_page_token) = page.fill(places.iter().map(item))?;
        Ok(v1::ListDecisionsResponse {
            records,
            next_page_token,
        })
    }

    fn pending(
        &self,
        asked: &v1::ListPendingDecisionsRequest,
    ) -> Result<v1::ListPendingDecisionsResponse, Refusal> {
        let page = Page::read(asked.page_size, &asked.page_token, &["pending"])?;
        let jurisdiction = &self.node.member().jurisdiction;
        let mut waiting = self
            .node
            .state
            .read()
            .registry
            .pending(jurisdiction, clock::now_ms());
        waiting.sort_by(|a, b| a.name.cmp(&b.name));
        let rest = waiting
            .into_iter()
            .filter(|one| page.after().is_none_or(|key| *one.name > *key));
        let item = |one: Pending| {
            let row = v1::PendingDecision {
                order: one.name.clone(),
                title: one.title,
                state: one.state.word().to_owned(),
                reason: one.reason,
                until_ms: one.until_ms,
            };
            (one.name, Ok::<_, Refusal>(row))
        };
        let (pending, next_page_token) = page.fill(rest.map(item))?;
        Ok(v1::ListPendingDecisionsResponse {
            pending,
            next_page_token,
        })
    }
}

/// Decisions from a place on, of all or of one order; void ones too.
fn decided<'a>(
    registry: &'a Registry,
    order: Option<&StatementRef>,
    from: Option<&'a Position>,
) -> Box<dyn Iterator<Item = Position> + 'a> {
    let Some(order) = order else {
        return Box::new(registry.said(Collection::Decisions, from));
    };
    let all = registry.decisions(order).into_iter();
    Box::new(all.filter(move |at| {
        let place = |at: &Position| (at.origin.log_name(), at.index);
        from.is_none_or(|from| place(from) <= place(at))
    }))
}

#[tonic::async_trait]
impl DecisionService for Decisions {
    async fn get_decision(
        &self,
        request: Request<v1::GetDecisionRequest>,
    ) -> Result<Response<v1::GetDecisionResponse>, Status> {
        identity(&request)?;
        let record = self.get(&request.get_ref().name)?;
        Ok(Response::new(v1::GetDecisionResponse {
            record: Some(record),
        }))
    }

    async fn list_decisions(
        &self,
        request: Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        identity(&request)?;
        let decisions = tokio::task::block_in_place(|| self.list(request.get_ref()))?;
        Ok(Response::new(decisions))
    }

    async fn list_pending_decisions(
        &self,
        request: Request<v1::ListPendingDecisionsRequest>,
    ) -> Result<Response<v1::ListPendingDecisionsResponse>, Status> {
        identity(&request)?;
        let pending = tokio::task::block_in_place(|| self.pending(request.get_ref()))?;
        Ok(Response::new(pending))
    }
}
