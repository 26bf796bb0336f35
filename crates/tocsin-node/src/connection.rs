//! One accepted connection: its identity, its pulse, and its end.
//!
//! HTTP/2 flow control lets a peer keep us waiting for ever, at the socket as well as inside one
//! stream. So every connection carries a pulse that reading, writing and answering leave marks
//! on, and one small task per connection that looks at it and closes what has stopped moving.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use crate::clock::monotonic_ms;
use crate::frames::FrameWalk;
use crate::identity::PeerIdentity;
use crate::limits::{
    FREE_BYTES, FREE_BYTES_PER_SECOND, FREE_SETTINGS, FREE_SETTINGS_PER_SECOND, ListenLimits,
};

/// `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`, RFC 9113 section 3.4 (bytes).
const PREFACE_BYTES: u8 = 24;

/// What every request of a connection knows of it; a cheap handle.
#[derive(Debug, Clone)]
pub struct Connection {
    identity: Arc<PeerIdentity>,
    remote: SocketAddr,
    retire: CancellationToken,
    close: CancellationToken,
    pulse: Arc<Pulse>,
}

impl Connection {
    /// A connection of `identity`; `retire` and `close` fire at the latest with their parents.
    #[must_use]
    pub fn new(
        identity: PeerIdentity,
        remote: SocketAddr,
        retire: CancellationToken,
        close: CancellationToken,
    ) -> Self {
        let pulse = Arc::new(Pulse::new());
        Self {
            identity: Arc::new(identity),
            remote,
            retire,
            close,
            pulse,
        }
    }

    /// Who is at the other end.
    #[must_use]
    pub fn identity(&self) -> &PeerIdentity {
        &self.identity
    }

    /// The other end's address, for logs.
    #[must_use]
    pub const fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// Fires when streams should say goodbye and end: the node stops, or the connection is old.
    #[must_use]
    pub const fn retiring(&self) -> &CancellationToken {
        &self.retire
    }

    /// Cuts the connection now, with all its streams.
    pub fn close(&self) {
        self.close.cancel();
    }

    /// A mark for one answer, see [`Outflow`].
    #[must_use]
    pub fn outflow(&self) -> Outflow {
        Outflow::new(Arc::clone(&self.pulse))
    }

    /// So many bytes that arrived were part of a request, or follow from an answer.
    pub fn credit(&self, bytes: u64) {
        self.pulse.credit.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Looks after the connection until it ends; says why it was cut, if it was.
    pub async fn tend(self, limits: ListenLimits) -> Option<Cut> {
        let born = monotonic_ms();
        loop {
            tokio::select! {
                () = self.close.cancelled() => {
                    return self.pulse.flooded.load(Ordering::Relaxed).then_some(Cut::Flood);
                }
                () = tokio::time::sleep(limits.tend_interval) => {}
            }
            let now = monotonic_ms();
            let age = now.saturating_sub(born);
            if age >= millis(limits.age) {
                self.retire.cancel();
            }
            let cut = if age >= millis(limits.age.saturating_add(limits.goodbye)) {
                Some(Cut::Old)
            } else {
                self.pulse.cut(now, age, &limits)
            };
            if cut.is_some() {
                self.close.cancel();
                return cut;
            }
        }
    }
}

/// Why a connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// No HTTP/2 preface after the handshake.
    NoPreface,
    /// Nothing arrives any more.
    ReadIdle,
    /// The peer takes nothing that we have for it.
    WriteStalled,
    /// It brings much that is no part of any request.
    Flood,
    /// It outlived its age and the time to say goodbye.
    Old,
}

impl Cut {
    /// The word in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPreface => "no_preface",
            Self::ReadIdle => "read_idle",
            Self::WriteStalled => "write_stalled",
            Self::Flood => "flood",
            Self::Old => "old",
        }
    }
}

/// Times of the last movements, in [`monotonic_ms`]; 0 means "not waiting".
#[derive(Debug)]
struct Pulse {
    born: u64,
    read_bytes: AtomicU64,
    /// Of these, what requests and answers account for.
    credit: AtomicU64,
    flooded: AtomicBool,
    read_at: AtomicU64,
    write_blocked_since: AtomicU64,
    next_outflow: AtomicU64,
    /// Answers that handed over a frame and were not asked for the next one, and since when.
    held_since: Mutex<BTreeMap<u64, u64>>,
}

impl Pulse {
    fn new() -> Self {
        Self {
            born: monotonic_ms(),
            read_bytes: AtomicU64::new(0),
            credit: AtomicU64::new(0),
            flooded: AtomicBool::new(false),
            read_at: AtomicU64::new(monotonic_ms()),
            write_blocked_since: AtomicU64::new(0),
            next_outflow: AtomicU64::new(0),
            held_since: Mutex::new(BTreeMap::new()),
        }
    }

    /// Marks bytes that arrived, and how many SETTINGS there were so far; whether it is too much
    /// beside the requests.
    fn read(&self, bytes: usize, settings: u64) -> bool {
        let now = monotonic_ms();
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let read = self.read_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.read_at.store(now, Ordering::Relaxed);
        let seconds = now.saturating_sub(self.born) / 1_000;
        let free = FREE_BYTES + FREE_BYTES_PER_SECOND.saturating_mul(seconds);
        let flood = read > free.saturating_add(self.credit.load(Ordering::Relaxed))
            || settings > FREE_SETTINGS + FREE_SETTINGS_PER_SECOND.saturating_mul(seconds);
        if flood {
            self.flooded.store(true, Ordering::Relaxed);
        }
        flood
    }

    fn cut(&self, now: u64, age: u64, limits: &ListenLimits) -> Option<Cut> {
        let preface = self.read_bytes.load(Ordering::Relaxed) >= u64::from(PREFACE_BYTES);
        if !preface && age >= millis(limits.handshake_timeout) {
            return Some(Cut::NoPreface);
        }
        let idle = now.saturating_sub(self.read_at.load(Ordering::Relaxed));
        if idle >= millis(limits.read_idle) {
            return Some(Cut::ReadIdle);
        }
        let blocked = self.write_blocked_since.load(Ordering::Relaxed);
        let socket = if blocked == 0 {
            0
        } else {
            now.saturating_sub(blocked)
        };
        let stream = self
            .oldest_held()
            .map_or(0, |since| now.saturating_sub(since));
        (socket.max(stream) >= millis(limits.write_stall)).then_some(Cut::WriteStalled)
    }

    fn oldest_held(&self) -> Option<u64> {
        let held = self
            .held_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.values().min().copied()
    }
}

/// One answer on its way out. It is *held* from handing over a frame until the next is asked for:
/// HTTP/2 asks only when the last one fits the peer's window, so one that is held for long has a
/// reader that does not read. It is held from the beginning: without a window nothing is asked.
#[derive(Debug)]
pub struct Outflow {
    pulse: Arc<Pulse>,
    id: u64,
}

impl Outflow {
    fn new(pulse: Arc<Pulse>) -> Self {
        let id = pulse.next_outflow.fetch_add(1, Ordering::Relaxed);
        Self { pulse, id }
    }

    /// A frame was handed over.
    pub fn held(&self) {
        let mut held = self
            .pulse
            .held_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.insert(self.id, monotonic_ms());
    }

    /// The next frame is asked for.
    pub fn moving(&self) {
        let mut held = self
            .pulse
            .held_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.remove(&self.id);
    }
}

impl Drop for Outflow {
    fn drop(&mut self) {
        self.moving();
    }
}

/// The byte stream of a [`Connection`]: passes everything on, marks the pulse, and fails as soon
/// as the connection is to be cut. `S` is the place it takes up in the listener's counts.
#[derive(Debug)]
pub struct PeerStream<IO, S> {
    io: IO,
    connection: Connection,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    walk: FrameWalk,
    _slot: S,
}

impl<IO, S> PeerStream<IO, S> {
    /// Takes over `io`, which holds `slot` until it is dropped.
    #[must_use]
    pub fn new(io: IO, connection: Connection, slot: S) -> Self {
        let closed = Box::pin(connection.close.clone().cancelled_owned());
        Self {
            io,
            connection,
            closed,
            walk: FrameWalk::after(usize::from(PREFACE_BYTES)),
            _slot: slot,
        }
    }

    fn check_open(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.closed.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "connection was cut",
            )),
            Poll::Pending => Ok(()),
        }
    }

    fn mark_write<T>(&self, poll: &Poll<io::Result<T>>) {
        let blocked = &self.connection.pulse.write_blocked_since;
        if poll.is_ready() {
            blocked.store(0, Ordering::Relaxed);
        } else if blocked.load(Ordering::Relaxed) == 0 {
            blocked.store(monotonic_ms().max(1), Ordering::Relaxed);
        }
    }
}

impl<IO, S> Drop for PeerStream<IO, S> {
    fn drop(&mut self) {
        self.connection.close.cancel();
    }
}

impl<IO, S> Connected for PeerStream<IO, S> {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.connection.clone()
    }
}

impl<IO: AsyncRead + Unpin, S: Unpin> AsyncRead for PeerStream<IO, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let before = buf.filled().len();
        let poll = Pin::new(&mut self.io).poll_read(cx, buf);
        let bytes = buf.filled().get(before..).unwrap_or_default();
        if !bytes.is_empty() {
            let settings = self.walk.pass(bytes);
            if self.connection.pulse.read(bytes.len(), settings) {
                // Nothing more is done for it, not even for what has just arrived.
                self.connection.close();
                buf.set_filled(before);
                self.check_open(cx)?;
            }
        }
        poll
    }
}

impl<IO: AsyncWrite + Unpin, S: Unpin> AsyncWrite for PeerStream<IO, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_open(cx)?;
        let poll = Pin::new(&mut self.io).poll_write(cx, buf);
        self.mark_write(&poll);
        poll
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let poll = Pin::new(&mut self.io).poll_flush(cx);
        self.mark_write(&poll);
        poll
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_open(cx)?;
        let poll = Pin::new(&mut self.io).poll_shutdown(cx);
        self.mark_write(&poll);
        poll
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
