//! `OrderService`: orders, what their issuers did to them, and how they stand everywhere.

use std::sync::Arc;

use prost::Message;
use tocsin_core::filter::Filter;
use tocsin_core::name::Collection;
use tocsin_core::registry::OrderView;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::order_service_server::OrderService;
use tocsin_wire::write;
use tonic::{Request, Response, Status};

use crate::clock;
use crate::identity::identity;
use crate::limits;
use crate::node::Node;
use crate::serve::find;
use crate::serve::page::{Page, key};
use crate::serve::record::{self, Place};
use crate::serve::walk::Walk;
use crate::status::Refusal;

/// Serves orders to any member's client.
#[derive(Debug)]
pub(crate) struct Orders {
    node: Arc<Node>,
}

impl Orders {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn get(&self, name: &str) -> Result<v1::GetOrderResponse, Refusal> {
        let (place, view, acts) = {
            let applied = self.node.state.read();
            let registry = &applied.registry;
            let position = find::entry(registry, name, Some(Collection::Orders))?;
            let place = Place::of(registry, position);
            let order = registry
                .order_at(&place.position)
                .filter(|_| place.void.is_none());
            let view = order.and_then(|order| registry.order(order, clock::now_ms()));
            let acts = view.iter().flat_map(|view| &view.acts);
            let acts: Vec<Place> = acts.map(|at| Place::of(registry, at.clone())).collect();
            (place, view, acts)
        };
        tokio::task::block_in_place(|| self.answer(&place, view.as_ref(), &acts))
    }

    fn answer(
        &self,
        place: &Place,
        view: Option<&OrderView>,
        acts: &[Place],
    ) -> Result<v1::GetOrderResponse, Refusal> {
        let read = record::read(&self.node, &place.position)?;
        let issued = match read.statement.as_ref().map(|statement| &statement.act) {
            Some(Act::Order(order)) => Some(write::order(order)),
            Some(
                Act::Report(_)
                | Act::Indicator(_)
                | Act::OrderAct(_)
                | Act::Decision(_)
                | Act::PolicyPack(_),
            )
            | None => None,
        };
        Ok(v1::GetOrderResponse {
            record: Some(record::record(&self.node, place, &read)),
            // A void order has no state: it does not count.
            state: view.map_or("", |view| view.state.word()).to_owned(),
            acts: self.newest(acts)?,
            current: view.map(|view| write::order(&view.current)).or(issued),
        })
    }

    /// The records of the newest acts, in log order, as many as an answer holds.
    fn newest(&self, acts: &[Place]) -> Result<Vec<v1::Record>, Refusal> {
        let (mut records, mut bytes) = (Vec::new(), 0_usize);
        for act in acts.iter().rev() {
            let record = record::fetch(&self.node, act)?;
            bytes = bytes.saturating_add(record.encoded_len());
            if bytes > limits::MAX_PAGE_BYTES && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        records.reverse();
        Ok(records)
    }

    fn list(&self, asked: &v1::ListOrdersRequest) -> Result<v1::ListOrdersResponse, Refusal> {
        let filter = Filter::parse(&asked.filter)?;
        let page = Page::read(
            asked.page_size,
            &asked.page_token,
            &["orders", &asked.filter],
        )?;
        let orders = Walk::new(&self.node, &filter, page.from()?);
        let records = orders.map(|(position, _)| {
            let place = Place {
                position,
                void: None,
            };
            (key(&place.position), record::fetch(&self.node, &place))
        });
        let (records, next_page_token) = page.fill(records)?;
        Ok(v1::ListOrdersResponse {
            records,
            next_page_token,
        })
    }

    fn matrix(&self, asked: &v1::GetMatrixRequest) -> Result<v1::GetMatrixResponse, Refusal> {
        let filter = Filter::parse(&asked.filter)?;
        let page = Page::read(
            asked.page_size,
            &asked.page_token,
            &["matrix", &asked.filter],
        )?;
        let now = clock::now_ms();
        let jurisdictions: Vec<String> = {
            let applied = self.node.state.read();
            applied
                .registry
                .jurisdictions()
                .into_iter()
                .map(str::to_owned)
                .collect()
        };
        let orders = Walk::new(&self.node, &filter, page.from()?);
        let rows = orders.filter_map(|(position, order)| {
            let row = self.row(&order, &jurisdictions, now)?;
            Some((key(&position), Ok::<_, Refusal>(row)))
        });
        let (rows, next_page_token) = page.fill(rows)?;
        Ok(v1::GetMatrixResponse {
            jurisdictions,
            rows,
            next_page_token,
        })
    }

    fn row(
        &self,
        order: &StatementRef,
        jurisdictions: &[String],
        at: i64,
    ) -> Option<v1::MatrixRow> {
        let applied = self.node.state.read();
        let registry = &applied.registry;
        let view = registry.order(order, at)?;
        let cell = |jurisdiction: &String| {
            let block = registry.block(order, jurisdiction, at)?;
            Some(v1::MatrixCell {
                jurisdiction: jurisdiction.clone(),
                state: block.state.word().to_owned(),
                since_ms: block.since_ms,
                by: block.by.to_string(),
            })
        };
        Some(v1::MatrixRow {
            order: view.name.to_string(),
            title: view.current.title.clone(),
            cells: jurisdictions.iter().map(cell).collect::<Option<_>>()?,
        })
    }
}

#[tonic::async_trait]
impl OrderService for Orders {
    async fn trace_statement(
        &self,
        request: Request<v1::TraceStatementRequest>,
    ) -> Result<Response<v1::TraceStatementResponse>, Status> {
        identity(&request)?;
        let asked = request.get_ref();
        let traced = tokio::task::block_in_place(|| crate::trace::trace(&self.node, asked))?;
        Ok(Response::new(traced))
    }

    async fn get_order(
        &self,
        request: Request<v1::GetOrderRequest>,
    ) -> Result<Response<v1::GetOrderResponse>, Status> {
        identity(&request)?;
        let order = self.get(&request.get_ref().name)?;
        Ok(Response::new(order))
    }

    async fn list_orders(
        &self,
        request: Request<v1::ListOrdersRequest>,
    ) -> Result<Response<v1::ListOrdersResponse>, Status> {
        identity(&request)?;
        let orders = tokio::task::block_in_place(|| self.list(request.get_ref()))?;
        Ok(Response::new(orders))
    }

    async fn get_matrix(
        &self,
        request: Request<v1::GetMatrixRequest>,
    ) -> Result<Response<v1::GetMatrixResponse>, Status> {
        identity(&request)?;
        let matrix = tokio::task::block_in_place(|| self.matrix(request.get_ref()))?;
        Ok(Response::new(matrix))
    }
}
