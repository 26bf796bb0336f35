//! The gate that every request passes: is it gRPC, is there room, how long may it take; and on
//! the way out, is the answer being read, and how did it end.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame};
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
use crate::limits::{ListenLimits, MAX_PAGE_BYTES, REQUEST_HELD_BYTES, REQUEST_OVERHEAD_BYTES};
use crate::logging::SPANS;
use crate::metrics::Metrics;
use crate::shares::{Messages, Share, Shares};
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

/// A place for `bytes` that an answer keeps in memory until it ends; of its asker's share.
///
/// # Errors
/// The asker has us hold as much as it may.
pub(crate) fn hold<T>(request: &tonic::Request<T>, bytes: usize) -> Result<Share, Status> {
    let peer = request.extensions().get::<Connection>();
    let shares = request.extensions().get::<Shares>();
    let (Some(peer), Some(shares)) = (peer, shares) else {
        return Err(Refusal::of(Reason::NoIdentity).into());
    };
    let mut share = shares.of(peer.identity());
    share.hold(bytes).map_err(|_| full())?;
    Ok(share)
}

/// Puts the [`Gate`] before all services.
#[derive(Debug, Clone)]
pub struct GateLayer {
    deadline: Duration,
    room: Arc<Semaphore>,
    home: Arc<str>,
    callers: Arc<Callers>,
    shares: Shares,
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
            home: home.into(),
            callers: Arc::new(Callers::new(home, quotas)),
            shares: Shares::default(),
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
            if method.starts_with(DECLARATIONS) {
                // Before a byte of it is taken: a thousand lines are much to read for a stranger.
                caller.require_home(&self.home)?;
            }
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
        request.extensions_mut().insert(self.layer.shares.clone());
        let path = request.uri().path().to_owned();
        let span = span(&path, request.extensions().get::<Connection>());
        let metrics = self.layer.metrics.clone();
        let peer = Peer::of(&request, &self.layer);
        let (request, taken) = match peer.as_ref().map(Peer::taking) {
            None => (request, None),
            Some(Ok(arriving)) => arriving.wrap(request),
            Some(Err(full)) => {
                self.layer.metrics.request_refused(Reason::QueueFull.code());
                return Box::pin(std::future::ready(Ok(full.into_http())));
            }
        };

        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        let answer = inner.call(request);
        let ending = span.clone();
        let work = async move {
            // Looked at when its turn comes: many may have been let in at one moment.
            let fits = peer.as_ref().is_none_or(Peer::has_room_for_a_page);
            let late = || Status::from(Refusal::of(Reason::DeadlinePassed)).into_http();
            let response = if !fits {
                full().into_http()
            } else if Instant::now() >= deadline {
                late()
            } else {
                match tokio::time::timeout_at(deadline, answer).await {
                    Ok(Ok(response)) => response,
                    Ok(Err(never)) => match never {},
                    Err(_) => late(),
                }
            };
            drop((room, taken));
            let end = End {
                metrics,
                path,
                span: ending,
                told: false,
            };
            Ok(watch(response, peer, end).await)
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

async fn watch(response: Response<Body>, peer: Option<Peer>, mut end: End) -> Response<Body> {
    if let Some(status) = Status::from_header_map(response.headers()) {
        end.tell(status.code());
        return response;
    }
    let (parts, inner) = response.into_parts();
    let mut watched = Watched {
        inner,
        first: None,
        outgoing: peer.map(Peer::outgoing),
        end,
    };
    // An answer is written out before its reader is there: what it holds is counted at once.
    let look = |cx: &mut Context<'_>| Poll::Ready(Pin::new(&mut watched).poll_frame(cx));
    let first = std::future::poll_fn(look).await;
    match first {
        Poll::Ready(Some(Ok(frame))) => watched.first = Some(frame),
        Poll::Ready(Some(Err(status))) => {
            watched.end.tell(status.code());
            return status.into_http();
        }
        Poll::Ready(None) | Poll::Pending => {}
    }
    if let Some(outgoing) = &watched.outgoing {
        outgoing.outflow.held();
    }
    Response::from_parts(parts, Body::new(watched))
}

/// Where declarations are brought: `Screen` and `ScreenStream`.
const DECLARATIONS: &str = "/tocsin.v1.ScreenService/Screen";
/// Where things are said.
const SUBMISSIONS: &str = "/tocsin.v1.SubmitService/";

/// The peer of a request: its connection, and its share of our memory.
struct Peer {
    connection: Connection,
    shares: Shares,
    /// Something said at home: it may be a withdrawal, which waits for nobody's memory.
    speaks: bool,
}

impl Peer {
    fn of(request: &Request<Body>, layer: &GateLayer) -> Option<Self> {
        let connection = request.extensions().get::<Connection>()?.clone();
        connection.credit(REQUEST_OVERHEAD_BYTES);
        let submits = request.uri().path().starts_with(SUBMISSIONS);
        Some(Self {
            speaks: submits && connection.identity().member() == &*layer.home,
            connection,
            shares: layer.shares.clone(),
        })
    }

    fn has_room_for_a_page(&self) -> bool {
        let mut share = self.shares.of(self.connection.identity());
        self.speaks || share.hold(MAX_PAGE_BYTES).is_ok()
    }

    /// A place for a request, if its peer may have one more.
    fn taking(&self) -> Result<Arriving, Status> {
        let mut share = self.shares.of(self.connection.identity());
        if self.speaks {
            share.hold_in_any_case(REQUEST_HELD_BYTES);
        } else {
            share.hold(REQUEST_HELD_BYTES).map_err(|_| full())?;
        }
        Ok(Arriving {
            inner: Body::empty(),
            messages: Messages::default(),
            connection: self.connection.clone(),
            share: Arc::new(Mutex::new(share)),
        })
    }

    fn outgoing(self) -> Outgoing {
        Outgoing {
            outflow: self.connection.outflow(),
            share: self.shares.of(self.connection.identity()),
            speaks: self.speaks,
            connection: self.connection,
        }
    }
}

/// What stands for a message that there is no room for.
fn full() -> Status {
    let refusal = Refusal::of(Reason::QueueFull).saying(
        "you have the node hold as much as it may for you; read answers, send less at once",
    );
    refusal.retry_after(Duration::from_secs(1)).into()
}

/// A request that counts what it makes us hold.
#[derive(Debug)]
struct Arriving {
    inner: Body,
    messages: Messages,
    connection: Connection,
    share: Arc<Mutex<Share>>,
}

impl Arriving {
    /// The request with its body counted, and what it holds until it is answered.
    fn wrap(mut self, request: Request<Body>) -> (Request<Body>, Option<Arc<Mutex<Share>>>) {
        let share = Arc::clone(&self.share);
        let request = request.map(|inner| {
            self.inner = inner;
            Body::new(self)
        });
        (request, Some(share))
    }
}

fn lock(share: &Mutex<Share>) -> MutexGuard<'_, Share> {
    share.lock().unwrap_or_else(PoisonError::into_inner)
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let poll = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &poll
            && let Some(data) = frame.data_ref()
        {
            // A quarter for framing: whoever sends single bytes pays for their frames.
            let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
            self.connection.credit(bytes.saturating_add(bytes / 4));
            let held = self.messages.take(data).max(REQUEST_HELD_BYTES);
            if lock(&self.share).hold(held).is_err() {
                return Poll::Ready(Some(Err(full())));
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

/// The way out of an answer to a peer.
#[derive(Debug)]
struct Outgoing {
    outflow: Outflow,
    share: Share,
    /// As of its [`Peer`]; what answers a submission is short.
    speaks: bool,
    connection: Connection,
}

/// An answer that marks its connection's pulse whenever it moves, and counts what waits to be read.
#[derive(Debug)]
struct Watched {
    inner: Body,
    /// Taken before anybody asked.
    first: Option<Frame<Bytes>>,
    outgoing: Option<Outgoing>,
    end: End,
}

impl Watched {
    /// Ends the answer here, in order, as far as the reader was told of it.
    fn give_up(&mut self) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let status = full();
        self.end.tell(status.code());
        self.inner = Body::empty();
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(match status.add_header(&mut trailers) {
            Ok(()) => Ok(Frame::trailers(trailers)),
            Err(status) => Err(status),
        }))
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if let Some(first) = self.first.take() {
            // It is held already, and its reader has just come.
            return Poll::Ready(Some(Ok(first)));
        }
        if let Some(outgoing) = &mut self.outgoing {
            outgoing.outflow.moving();
            outgoing.share.release();
        }
        let poll = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &poll {
            if let Some(data) = frame.data_ref()
                && let Some(outgoing) = &mut self.outgoing
            {
                // Window updates of the reader: one or two small frames for each of ours.
                let bytes = u64::try_from(data.len()).unwrap_or(u64::MAX);
                outgoing.connection.credit(64_u64.saturating_add(bytes / 8));
                if outgoing.speaks {
                    outgoing.share.hold_in_any_case(data.len());
                } else if outgoing.share.hold(data.len()).is_err() {
                    return self.give_up();
                }
                outgoing.outflow.held();
            }
            if let Some(trailers) = frame.trailers_ref() {
                let code = Status::from_header_map(trailers).map_or(Code::Ok, |s| s.code());
                self.end.tell(code);
            }
        }
        poll
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::default()
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
