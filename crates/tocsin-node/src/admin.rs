//! The operator's port: `/livez`, `/readyz`, `/metrics` over plain HTTP, and the read-only
//! `AdminService` over cleartext HTTP/2. Loopback only; nothing here changes anything.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::Request as HttpRequest;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response as HttpResponse};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use tocsin_wire::proto::admin::v1::admin_service_server::{self, AdminService, AdminServiceServer};
use tocsin_wire::proto::admin::v1::{
    GetStatusRequest, GetStatusResponse, ListPeersRequest, ListPeersResponse, RunChecksRequest,
    RunChecksResponse,
};

use crate::limits::{MAX_ANSWER_MESSAGE_BYTES, MAX_CONTROL_MESSAGE_BYTES, REQUEST_DEADLINE};
use crate::listen::server;
use crate::metrics::render;
use crate::status::{Reason, Refusal};

/// What the node tells its operator. Each call looks, and waits for nothing.
pub trait StatusSource: Send + Sync + 'static {
    /// Whether the process works at all; an error says what is broken.
    ///
    /// # Errors
    /// What is broken: a restart is in order.
    fn live(&self) -> Result<(), String>;

    /// Whether the node does all its work: signs, serves, follows.
    ///
    /// # Errors
    /// What it waits for, and what to do.
    fn ready(&self) -> Result<(), String>;

    /// Everything, for `tocsin status`.
    fn status(&self) -> GetStatusResponse;

    /// The other members and how they are reached.
    fn peers(&self) -> ListPeersResponse;

    /// Makes every check, and tells those that `only` names by code or category. It reads files.
    ///
    /// # Errors
    /// When `only` names what is no check.
    fn checks(&self, only: &[String]) -> Result<RunChecksResponse, Refusal>;

    /// Brings the metrics that are looked up, not counted, up to date.
    fn refresh_metrics(&self);
}

/// Why the operator's port cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It would be open to others, and it has no authentication.
    #[error("admin_listen {0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The socket cannot be used.
    #[error("admin_listen: {0}")]
    Socket(#[from] std::io::Error),
    /// The descriptors that reflection answers from.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// tonic could not serve.
    #[error("admin port: {0}")]
    Serve(#[from] tonic::transport::Error),
}

/// Serves the operator until `stop` fires.
///
/// # Errors
/// The socket is not on loopback, or serving failed.
pub async fn serve(
    tcp: TcpListener,
    source: Arc<dyn StatusSource>,
    registry: Registry,
    stop: CancellationToken,
) -> Result<(), AdminError> {
    let address = tcp.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(AdminError::NotLoopback(address));
    }
    let service = AdminServiceServer::new(Admin {
        source: Arc::clone(&source),
    })
    .max_decoding_message_size(MAX_CONTROL_MESSAGE_BYTES)
    .max_encoding_message_size(MAX_ANSWER_MESSAGE_BYTES);
    let pages = pages(source, Arc::new(registry));
    let names = [admin_service_server::SERVICE_NAME];
    let reflection = crate::serve::reflection::service(&names)?;
    let services = Routes::new(service).add_service(reflection);
    let routes = Routes::from(services.into_axum_router().merge(pages));
    server(Server::builder())
        .accept_http1(true)
        .timeout(REQUEST_DEADLINE)
        .add_routes(routes)
        .serve_with_incoming_shutdown(TcpListenerStream::new(tcp), stop.cancelled())
        .await?;
    Ok(())
}

fn pages(source: Arc<dyn StatusSource>, registry: Arc<Registry>) -> axum::Router {
    let (live, ready, metrics) = (Arc::clone(&source), Arc::clone(&source), source);
    axum::Router::new()
        .route("/livez", get(move || async move { answer(live.live()) }))
        .route("/readyz", get(move || async move { answer(ready.ready()) }))
        .route(
            "/metrics",
            get(move || async move {
                metrics.refresh_metrics();
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                match render(&registry) {
                    Ok(text) => ([(header::CONTENT_TYPE, kind)], text).into_response(),
                    Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
                }
            }),
        )
        .layer(axum::middleware::from_fn(local_name))
}

fn answer(state: Result<(), String>) -> HttpResponse {
    match state {
        Ok(()) => (StatusCode::OK, "ok\n").into_response(),
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")).into_response(),
    }
}

/// Refuses a page asked for by another name than this machine's: a web site whose name is pointed
/// at 127.0.0.1 must not read it through the operator's browser.
async fn local_name(request: HttpRequest, next: Next) -> HttpResponse {
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = host.or_else(|| request.uri().host()).unwrap_or("localhost");
    let name = authority.parse::<http::uri::Authority>();
    let local = name.is_ok_and(|name| {
        let host = name.host().trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse()
                .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    });
    if !local {
        return StatusCode::FORBIDDEN.into_response();
    }
    next.run(request).await
}

struct Admin {
    source: Arc<dyn StatusSource>,
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn run_checks(
        &self,
        request: Request<RunChecksRequest>,
    ) -> Result<Response<RunChecksResponse>, Status> {
        let (source, only) = (Arc::clone(&self.source), request.into_inner().only);
        let checks = tokio::task::spawn_blocking(move || source.checks(&only)).await;
        let checks = checks.map_err(|_| Refusal::of(Reason::Fault))?;
        Ok(Response::new(checks?))
    }

    async fn get_status(
        &self,
        _request: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        Ok(Response::new(self.source.status()))
    }

    async fn list_peers(
        &self,
        _request: Request<ListPeersRequest>,
    ) -> Result<Response<ListPeersResponse>, Status> {
        Ok(Response::new(self.source.peers()))
    }
}
