//! The gate that every request passes: is it gRPC, is there room, how long may it take; and on
//! the way out, is the answer being read, and how did it end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::body::Body;
use tonic::codegen::Bytes;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use crate::callers::Callers;
use crate::clock::monotonic_ms;
use crate::config::QuotaConfig;
use crate::connection::{Connection, Outflow};
use crate::limits::ListenLimits;
use crate::logging::SPANS;
use crate::metrics::Metrics;
use crate::status::{Reason, Refusal};

/// When the answer to this request must have begun; among its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(pub Instant);

/// The deadline of a request: the client's, or ours where that is earlier.
#[must_use]
pub fn deadline<T>(request: &tonic::Request<T>) -> Option<Instant> {
    request
        .extensions()
        .get::<Deadline>()
        .map(|deadline| deadline.0)
}

/// Puts the [`Gate`] before all services.
#[derive(Debug, Clone)]
pub struct GateLayer {
    deadline: Duration,
    room: Arc<Semaphore>,
    callers: Arc<Callers>,
    metrics: Metrics,
}

impl GateLayer {
    /// One for all connections of a listener at the node of `home`.
    #[must_use]
    pub fn new(home: &str, limits: &ListenLimits, quotas: &QuotaConfig, metrics: Metrics) -> Self {
        let room = Arc::new(Semaphore::new(limits.requests));
        Self {
            deadline: limits.request_deadline,
            room,
            callers: Arc::new(Callers::new(home, quotas)),
            metrics,
        }
    }

    /// Whether there is room for the request, and its caller may ask as fast as that.
    fn let_in(&self, request: &Request<Body>) -> Result<OwnedSemaphorePermit, Refusal> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(Refusal::of(Reason::Overloaded).retry_after(Duration::from_secs(1)));
        };
        if let Some(connection) = request.extensions().get::<Connection>() {
            let (caller, method) = (connection.identity(), request.uri().path());
            let now = i64::try_from(monotonic_ms()).unwrap_or(i64::MAX);
            self.callers.take(caller, method, now)?;
        }
        Ok(room)
    }
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate {
            inner,
            layer: self.clone(),
        }
    }
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Gate<S> {
    inner: S,
    layer: GateLayer,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send,
    S: 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !is_grpc(&request) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Box::pin(std::future::ready(Ok(response)));
        }
        let room = match self.layer.let_in(&request) {
            Ok(room) => room,
            Err(refusal) => {
                self.layer.metrics.request_refused(refusal.code);
                let response = Status::from(refusal).into_http();
                return Box::pin(std::future::ready(Ok(response)));
            }
        };
        // tonic starts its own clock for `grpc-timeout` after this one, and looks at us first:
        // so ours speaks, with DEADLINE_EXCEEDED, where tonic would say CANCELLED.
        let asked = grpc_timeout(request.headers()).unwrap_or(self.layer.deadline);
        let deadline = Instant::now() + asked.min(self.layer.deadline);
        request.extensions_mut().insert(Deadline(deadline));
        let outflow = request
            .extensions()
            .get::<Connection>()
            .map(Connection::outflow);
        let path = request.uri().path().to_owned();
        let span = span(&path, request.extensions().get::<Connection>());
        let metrics = self.layer.metrics.clone();

        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let answer = inner.call(request);
        let ending = span.clone();
        let work = async move {
            let response = match tokio::time::timeout_at(deadline, answer).await {
                Ok(Ok(response)) => response,
                Ok(Err(never)) => match never {},
                Err(_) => Status::from(Refusal::of(Reason::DeadlinePassed)).into_http(),
            };
            drop(room);
            let end = End {
                metrics,
                path,
                span: ending,
                told: false,
            };
            Ok(watch(response, outflow, end))
        };
        Box::pin(work.instrument(span))
    }
}

/// For a collector, if there is one: the method, who asks, and later how it ended.
fn span(path: &str, connection: Option<&Connection>) -> Span {
    let peer = connection.map(|connection| connection.identity().member());
    tracing::trace_span!(
        target: SPANS,
        "rpc",
        otel.name = path.trim_start_matches('/'),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.grpc.status_code = Empty,
        peer.member = peer,
    )
}

fn is_grpc(request: &Request<Body>) -> bool {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(http::HeaderValue::as_bytes);
    let rest = kind.and_then(|kind| kind.strip_prefix(b"application/grpc"));
    let is_kind = rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')));
    is_kind && request.method() == Method::POST
}

/// `grpc-timeout`: 1 to 8 digits and a unit; anything else is as if it were not there.
fn grpc_timeout(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number.saturating_mul(3_600))),
        "M" => Some(Duration::from_secs(number.saturating_mul(60))),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

fn watch(response: Response<Body>, outflow: Option<Outflow>, mut end: End) -> Response<Body> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        end.tell(status.code());
        return response;
    }
    response.map(|inner| {
        Body::new(Watched {
            inner,
            outflow,
            end,
        })
    })
}

/// Counts a request once, when its end is known.
#[derive(Debug)]
struct End {
    metrics: Metrics,
    path: String,
    span: Span,
    told: bool,
}

impl End {
    fn tell(&mut self, code: Code) {
        if self.told {
            return;
        }
        self.told = true;
        let code = i32::from(code);
        self.span.record("rpc.grpc.status_code", code);
        self.metrics.finished(&self.path, code);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // An answer dropped before its trailers was given up by the client, or cut.
        self.tell(Code::Cancelled);
    }
}

/// An answer that marks its connection's pulse whenever it moves.
#[derive(Debug)]
struct Watched {
    inner: Body,
    outflow: Option<Outflow>,
    end: End,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(outflow) = &self.outflow {
            outflow.moving();
        }
        let poll = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &poll {
            if let Some(outflow) = &self.outflow {
                outflow.held();
            }
            if let Some(trailers) = frame.trailers_ref() {
                let code = Status::from_header_map(trailers).map_or(Code::Ok, |s| s.code());
                self.end.tell(code);
            }
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeout(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", value.parse().unwrap());
        grpc_timeout(&headers)
    }

    #[test]
    fn timeouts_of_every_unit_are_read() {
        assert_eq!(timeout("1n"), Some(Duration::from_nanos(1)));
        assert_eq!(timeout("20u"), Some(Duration::from_micros(20)));
        assert_eq!(timeout("300m"), Some(Duration::from_millis(300)));
        assert_eq!(timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(
            timeout("99999999H"),
            Some(Duration::from_secs(99_999_999 * 3_600))
        );
    }

    #[test]
    fn timeouts_of_any_other_form_are_ignored() {
        for value in [
            "",
            "S",
            "abc",
            "1",
            "1d",
            "123456789S",
            "-1S",
            "+1S",
            " 1S",
            "1.5S",
        ] {
            assert_eq!(timeout(value), None, "{value}");
        }
    }
}
