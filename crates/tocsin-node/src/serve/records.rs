//! `ReportService` and `IndicatorService`: what investigators said. It bars nothing by itself.

use std::sync::Arc;

use tocsin_core::filter::Filter;
use tocsin_core::name::Collection;
use tocsin_core::statement::DecodedBody;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::indicator_service_server::IndicatorService;
use tocsin_wire::proto::v1::report_service_server::ReportService;
use tocsin_wire::write;
use tonic::{Request, Response, Status};

use crate::identity::identity;
use crate::node::Node;
use crate::serve::find;
use crate::serve::page::{Page, key};
use crate::serve::record::{self, Place, Read};
use crate::status::{Class, Refusal};

/// Serves reports and indicators to any member's client.
#[derive(Debug, Clone)]
pub(crate) struct Records {
    node: Arc<Node>,
}

impl Records {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn get(&self, name: &str, kind: Collection) -> Result<(v1::Record, Read), Refusal> {
        let place = {
            let applied = self.node.state.read();
            let position = find::entry(&applied.registry, name, Some(kind))?;
            Place::of(&applied.registry, position)
        };
        tokio::task::block_in_place(|| {
            let read = record::read(&self.node, &place.position)?;
            Ok((record::record(&self.node, &place, &read), read))
        })
    }

    fn list(
        &self,
        kind: Collection,
        page: &Page,
        filter: &str,
    ) -> Result<(Vec<v1::Record>, String), Refusal> {
        let issuer = only_issuer(filter)?;
        let from = page.from()?;
        let places: Vec<Place> = {
            let applied = self.node.state.read();
            let registry = &applied.registry;
            let said = registry.said(kind, from.as_ref());
            let wanted =
                said.filter(|at| issuer.as_deref().is_none_or(|id| id == at.origin.member()));
            wanted
                .take(page.reach())
                .map(|at| Place::of(registry, at))
                .collect()
        };
        tokio::task::block_in_place(|| {
            let item = |place: &Place| (key(&place.position), record::fetch(&self.node, place));
            page.fill(places.iter().map(item))
        })
    }
}

#[tonic::async_trait]
impl ReportService for Records {
    async fn get_report(
        &self,
        request: Request<v1::GetReportRequest>,
    ) -> Result<Response<v1::GetReportResponse>, Status> {
        identity(&request)?;
        let (record, read) = self.get(&request.get_ref().name, Collection::Reports)?;
        let body = match read.first_body() {
            Some(DecodedBody::Report(body)) => Some(write::report_body(&body)),
            Some(
                DecodedBody::Indicator(_) | DecodedBody::Order(_) | DecodedBody::PolicyPack(_),
            )
            | None => None,
        };
        Ok(Response::new(v1::GetReportResponse {
            record: Some(record),
            body,
        }))
    }

    async fn list_reports(
        &self,
        request: Request<v1::ListReportsRequest>,
    ) -> Result<Response<v1::ListReportsResponse>, Status> {
        identity(&request)?;
        let asked = request.into_inner();
        let page = Page::read(
            asked.page_size,
            &asked.page_token,
            &["reports", &asked.filter],
        )?;
        let (records, next_page_token) = self.list(Collection::Reports, &page, &asked.filter)?;
        Ok(Response::new(v1::ListReportsResponse {
            records,
            next_page_token,
        }))
    }
}

#[tonic::async_trait]
impl IndicatorService for Records {
    async fn get_indicator(
        &self,
        request: Request<v1::GetIndicatorRequest>,
    ) -> Result<Response<v1::GetIndicatorResponse>, Status> {
        identity(&request)?;
        let (record, read) = self.get(&request.get_ref().name, Collection::Indicators)?;
        let body = match read.first_body() {
            Some(DecodedBody::Indicator(body)) => Some(write::indicator_body(&body)),
            Some(DecodedBody::Report(_) | DecodedBody::Order(_) | DecodedBody::PolicyPack(_))
            | None => None,
        };
        Ok(Response::new(v1::GetIndicatorResponse {
            record: Some(record),
            body,
        }))
    }

    async fn list_indicators(
        &self,
        request: Request<v1::ListIndicatorsRequest>,
    ) -> Result<Response<v1::ListIndicatorsResponse>, Status> {
        identity(&request)?;
        let asked = request.into_inner();
        let page = Page::read(
            asked.page_size,
            &asked.page_token,
            &["indicators", &asked.filter],
        )?;
        let (records, next_page_token) = self.list(Collection::Indicators, &page, &asked.filter)?;
        Ok(Response::new(v1::ListIndicatorsResponse {
            records,
            next_page_token,
        }))
    }
}

/// The member that a filter asks for. Reports and indicators have none of a filter's other fields.
fn only_issuer(filter: &str) -> Result<Option<String>, Refusal> {
    let Filter {
        issuer,
        instrument,
        hs,
        right_kind,
    } = Filter::parse(filter)?;
    if instrument.is_some() || hs.is_some() || right_kind.is_some() {
        let says = "reports and indicators are filtered by issuer only";
        let refusal = Refusal::new(Class::InvalidArgument, "FILTER_UNKNOWN_FIELD", says);
        return Err(refusal.at("filter"));
    }
    Ok(issuer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_filtered_by_issuer_only() {
        assert_eq!(only_issuer("").unwrap(), None);
        assert_eq!(
            only_issuer("issuer = \"us\"").unwrap().as_deref(),
            Some("us")
        );
        for filter in [
            "hs = \"8517\"",
            "issuer = \"us\" AND right_kind = \"patent\"",
        ] {
            assert_eq!(
                only_issuer(filter).unwrap_err().code,
                "FILTER_UNKNOWN_FIELD"
            );
        }
        assert_eq!(
            only_issuer("us").unwrap_err().field.as_deref(),
            Some("filter")
        );
    }
}
