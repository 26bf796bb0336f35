//! The listener: TCP, TLS, counts, then tonic with every knob set.
//!
//! Strangers and known peers are counted apart: until a handshake is done a connection takes one
//! of [`ListenLimits::handshakes`], after that one of [`ListenLimits::connections`] and one of its
//! member's and its name's. What does not fit is closed at once, not queued.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;
use tracing::{debug, info, warn};

use crate::clock::monotonic_ms;
use crate::config::QuotaConfig;
use crate::connection::{Connection, PeerStream};
use crate::gate::GateLayer;
use crate::identity::{PeerIdentity, Roles};
use crate::limits::{
    ACCEPT_PAUSE, ACCEPTED_QUEUE, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, ListenLimits,
    MAX_CONCURRENT_STREAMS, MAX_FRAME_BYTES, MAX_HEADER_LIST_BYTES, MAX_LOCAL_ERROR_RESETS,
    MAX_PENDING_ACCEPT_RESETS, MAX_REFUSAL_LINES_PER_SECOND, SERVER_CONNECTION_WINDOW_BYTES,
    SERVER_STREAM_WINDOW_BYTES,
};
use crate::metrics::Metrics;
use crate::tls::{ALPN, NodeTls, verified_peer};

/// What a listener needs.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The member whose node this is.
    pub home: Arc<str>,
    /// Certificates and trust.
    pub tls: Arc<NodeTls>,
    /// Roles of our own clients.
    pub roles: Arc<Roles>,
    /// Limits.
    pub limits: ListenLimits,
    /// How fast callers may ask.
    pub quotas: QuotaConfig,
    /// Counts.
    pub metrics: Metrics,
}

/// An accepted connection as tonic gets it.
type Accepted = PeerStream<TlsStream<TcpStream>, Slot>;

impl Listener {
    /// Serves `routes` on `tcp` until `stop` fires, then says goodbye and returns.
    ///
    /// From `stop` on no connection is taken, streams see [`Connection::retiring`], and after
    /// [`ListenLimits::goodbye`] whatever is left is cut.
    ///
    /// # Errors
    /// What tonic reports when it cannot serve.
    pub async fn serve(
        self,
        tcp: TcpListener,
        routes: Routes,
        stop: CancellationToken,
    ) -> Result<(), tonic::transport::Error> {
        let close = CancellationToken::new();
        let (accepted, incoming) = mpsc::channel(ACCEPTED_QUEUE);
        let door = Arc::new(Door {
            acceptor: TlsAcceptor::from(Arc::clone(self.tls.server())),
            open: Arc::new(Semaphore::new(self.limits.connections)),
            handshakes: Arc::new(Semaphore::new(self.limits.handshakes)),
            addresses: Arc::new(Addresses {
                most: self.limits.handshakes_per_address,
                counts: Mutex::default(),
            }),
            counts: Arc::new(Mutex::new(Counts::default())),
            retire: stop.clone(),
            close: close.clone(),
            lines: Arc::default(),
            listener: self.clone(),
        });
        let accepting = tokio::spawn(accept(door, tcp, accepted, stop.clone()));
        let limits = self.limits;
        let closing = tokio::spawn({
            let (stop, close) = (stop.clone(), close.clone());
            async move {
                stop.cancelled().await;
                tokio::time::sleep(limits.goodbye).await;
                close.cancel();
            }
        });
        let served = server(Server::builder())
            .max_connection_age(limits.age)
            .layer(GateLayer::new(
                &self.home,
                &limits,
                &self.quotas,
                self.metrics,
            ))
            .add_routes(routes)
            .serve_with_incoming_shutdown(ReceiverStream::new(incoming), stop.cancelled())
            .await;
        accepting.abort();
        closing.abort();
        close.cancel();
        served
    }
}

/// Sets every limit that tonic and h2 have; shared with the admin port.
pub(crate) fn server(server: Server) -> Server {
    server
        .accept_http1(false)
        .initial_stream_window_size(SERVER_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(SERVER_CONNECTION_WINDOW_BYTES)
        .http2_adaptive_window(Some(false))
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_frame_size(MAX_FRAME_BYTES)
        .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(MAX_PENDING_ACCEPT_RESETS))
        .http2_max_local_error_reset_streams(Some(MAX_LOCAL_ERROR_RESETS))
}

/// What the accept loop and its handshakes share.
struct Door {
    acceptor: TlsAcceptor,
    open: Arc<Semaphore>,
    handshakes: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    counts: Arc<Mutex<Counts>>,
    retire: CancellationToken,
    close: CancellationToken,
    lines: Arc<Lines>,
    listener: Listener,
}

async fn accept(
    door: Arc<Door>,
    tcp: TcpListener,
    accepted: mpsc::Sender<io::Result<Accepted>>,
    stop: CancellationToken,
) {
    loop {
        let (socket, remote) = tokio::select! {
            () = stop.cancelled() => return,
            taken = tcp.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
        };
        let Ok(place) = Arc::clone(&door.handshakes).try_acquire_owned() else {
            door.listener.metrics.refused("too_many_handshakes");
            continue;
        };
        let Some(from) = door.addresses.take(remote.ip()) else {
            door.listener.metrics.refused("too_many_of_address");
            continue;
        };
        let door = Arc::clone(&door);
        let accepted = accepted.clone();
        tokio::spawn(async move {
            let limit = door.listener.limits.handshake_timeout;
            let opened = tokio::time::timeout(limit, door.open(socket, remote)).await;
            drop((place, from));
            match opened {
                // The server is gone when the queue is closed: nobody to tell.
                Ok(Ok(stream)) => drop(accepted.send(Ok(stream)).await),
                Ok(Err(refused)) => {
                    door.listener.metrics.refused(refused.label());
                    if door.lines.allow() {
                        info!(%remote, reason = %refused, "connection refused");
                    }
                }
                Err(_) => {
                    door.listener.metrics.refused("handshake_timeout");
                    debug!(%remote, "handshake took too long");
                }
            }
        });
    }
}

impl Door {
    async fn open(&self, socket: TcpStream, remote: SocketAddr) -> Result<Accepted, Refused> {
        socket.set_nodelay(true)?;
        let tls = self
            .acceptor
            .accept(socket)
            .await
            .map_err(Refused::Handshake)?;
        let (_, session) = tls.get_ref();
        if session.alpn_protocol() != Some(ALPN) {
            return Err(Refused::NotHttp2);
        }
        let (member, subject) =
            verified_peer(self.listener.tls.trust(), session.peer_certificates())
                .map_err(|error| Refused::Handshake(io::Error::other(error)))?;
        let home = &self.listener.home;
        let identity = PeerIdentity::new(&member, &subject, home, &self.listener.roles);
        let slot = self.take_slot(&identity)?;
        let (retire, close) = (self.retire.child_token(), self.close.child_token());
        let connection = Connection::new(identity, remote, retire, close);
        debug!(%remote, peer = %connection.identity(), "connection open");
        self.tend(connection.clone());
        Ok(PeerStream::new(tls, connection, slot))
    }

    fn take_slot(&self, identity: &PeerIdentity) -> Result<Slot, Refused> {
        let open = Arc::clone(&self.open)
            .try_acquire_owned()
            .map_err(|_| Refused::Full("too_many_connections"))?;
        let (member, name) = (identity.member().to_owned(), identity.to_string());
        let limits = &self.listener.limits;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.of(&counts.members, &member) >= limits.per_member {
            return Err(Refused::Full("too_many_of_member"));
        }
        if counts.of(&counts.names, &name) >= limits.per_name {
            return Err(Refused::Full("too_many_of_name"));
        }
        *counts.members.entry(member.clone()).or_default() += 1;
        *counts.names.entry(name.clone()).or_default() += 1;
        drop(counts);
        self.listener.metrics.connections.inc();
        Ok(Slot {
            member,
            name,
            counts: Arc::clone(&self.counts),
            metrics: self.listener.metrics.clone(),
            _open: open,
        })
    }

    fn tend(&self, connection: Connection) {
        let limits = self.listener.limits;
        let metrics = self.listener.metrics.clone();
        let lines = Arc::clone(&self.lines);
        tokio::spawn(async move {
            let remote = connection.remote();
            let peer = connection.identity().to_string();
            if let Some(cut) = connection.tend(limits).await {
                metrics.refused(cut.as_str());
                if lines.allow() {
                    info!(%remote, peer, reason = cut.as_str(), "connection cut");
                }
            }
        });
    }
}

/// Whether one more line may be written this second: strangers must not fill the log.
#[derive(Debug, Default)]
struct Lines {
    second: AtomicU64,
    written: AtomicU64,
}

impl Lines {
    fn allow(&self) -> bool {
        let now = monotonic_ms() / 1_000;
        if self.second.swap(now, Ordering::Relaxed) != now {
            self.written.store(0, Ordering::Relaxed);
        }
        self.written.fetch_add(1, Ordering::Relaxed) < MAX_REFUSAL_LINES_PER_SECOND
    }
}

/// Handshakes under way by where they come from.
#[derive(Debug)]
struct Addresses {
    most: usize,
    counts: Mutex<BTreeMap<IpAddr, usize>>,
}

/// One handshake's place, given back when it is dropped.
struct Caller {
    address: IpAddr,
    addresses: Arc<Addresses>,
}

impl Addresses {
    fn take(self: &Arc<Self>, remote: IpAddr) -> Option<Caller> {
        let address = network(remote);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Caller {
            address,
            addresses: Arc::clone(self),
        })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let counts = &self.addresses.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        give_back(&mut counts, &self.address);
    }
}

/// Who has one address of IPv6 has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
    }
}

/// Open connections by member and by name.
#[derive(Debug, Default)]
struct Counts {
    members: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
}

impl Counts {
    fn of(&self, counts: &BTreeMap<String, usize>, key: &str) -> usize {
        counts.get(key).copied().unwrap_or_default()
    }
}

/// A connection's place in the counts, given back when it ends.
#[derive(Debug)]
struct Slot {
    member: String,
    name: String,
    counts: Arc<Mutex<Counts>>,
    metrics: Metrics,
    _open: OwnedSemaphorePermit,
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        give_back(&mut counts.members, &self.member);
        give_back(&mut counts.names, &self.name);
        drop(counts);
        self.metrics.connections.dec();
    }
}

fn give_back<K: Ord + Borrow<Q>, Q: Ord + ?Sized>(counts: &mut BTreeMap<K, usize>, key: &Q) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// Why a connection was not opened.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("socket: {0}")]
    Socket(#[from] io::Error),
    #[error("handshake: {0}")]
    Handshake(io::Error),
    #[error("the peer does not speak HTTP/2")]
    NotHttp2,
    #[error("{0}")]
    Full(&'static str),
}

impl Refused {
    /// The word in metrics.
    fn label(&self) -> &'static str {
        match self {
            Self::Socket(_) => "socket",
            Self::NotHttp2 => "not_http2",
            Self::Full(which) => which,
            Self::Handshake(error) => {
                let tls = error
                    .get_ref()
                    .and_then(|inner| inner.downcast_ref::<rustls::Error>());
                match tls {
                    Some(rustls::Error::NoCertificatesPresented) => "no_certificate",
                    Some(rustls::Error::InvalidCertificate(_)) => "bad_certificate",
                    Some(_) => "not_our_tls",
                    None => "handshake_broken",
                }
            }
        }
    }
}
