//! What an attacker does to a door, as code with a stated intensity, at any address.
//!
//! An attack is made of rounds: each opens one connection, writes its script and closes. So many
//! rounds begin in a second and so many run at once, whether the other side goes along, cuts them
//! off or reads into a void; so the same attack can be made on a node and on a bare sink. Nothing
//! in a script waits for an answer.

pub mod frames;
pub mod good;
pub mod kinds;
mod payload;
pub mod process;
pub mod scene;
pub mod sink;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_rustls::TlsConnector;

pub use crate::attack::payload::gzip_of_zeros as bomb;
use crate::attack::scene::Scene;
use crate::tls::Target;

/// Longest that a round waits for a connection or a handshake.
const CONNECT: Duration = Duration::from_secs(10);

/// Who attacks, and so how far in it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Whoever reaches the port, without TLS.
    Stranger,
    /// The same with TLS and no certificate.
    Nameless,
    /// One client of another member.
    Client,
    /// Another member that gives its certificates out freely: 32 names.
    Member,
    /// Another member's node.
    Node,
}

/// One attack.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// One word or two.
    pub name: &'static str,
    /// What one round sends.
    pub what: &'static str,
    /// Who does it.
    pub by: By,
    /// Rounds begun in a second.
    pub rounds: u32,
    /// Rounds at once; while so many run no further one begins.
    pub at_once: usize,
    /// One round.
    pub script: fn(&Scene) -> Script,
}

/// What one round writes.
pub struct Script {
    /// First.
    pub opening: Vec<u8>,
    /// Then these, so many.
    pub chunk: Box<dyn Fn(u32) -> Vec<u8> + Send + Sync>,
    /// How many chunks.
    pub chunks: u32,
    /// Between two chunks.
    pub gap: Duration,
    /// How long it stays after the last.
    pub hold: Duration,
    /// Whether it reads what comes back.
    pub reads: bool,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").finish_non_exhaustive()
    }
}

/// What came of an attack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rounds that began.
    pub rounds: u64,
    /// Rounds that could not begin because too many were running.
    pub skipped: u64,
    /// Connections that never came to the script.
    pub refused: u64,
    /// Rounds that the other side ended.
    pub cut: u64,
    /// Rounds that wrote and stayed to their end.
    pub whole: u64,
    /// Chunks written.
    pub chunks: u64,
    /// Bytes written, before TLS.
    pub bytes: u64,
    /// GOAWAY frames, by error code (RFC 9113 section 7).
    pub goaways: BTreeMap<u32, u64>,
    /// RST_STREAM frames, by error code.
    pub resets: BTreeMap<u32, u64>,
    /// HEADERS frames: answers begun, and ends of those that had a message.
    pub answers: u64,
    /// Longest that a connection stayed open (milliseconds).
    pub longest_ms: u64,
    /// Most connections open at once, the handshake behind them.
    pub most_open: u64,
    open: u64,
}

impl Attack {
    /// Makes the attack for so long, then drops every connection.
    pub async fn run(&self, scene: &Arc<Scene>, lasting: Duration) -> Tally {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let script = Arc::new((self.script)(scene));
        let places = Arc::new(Semaphore::new(self.at_once));
        let mut rounds = JoinSet::new();
        let mut tick = tokio::time::interval(Duration::from_secs(1) / self.rounds);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let end = Instant::now() + lasting;
        let mut number = 0;
        while Instant::now() < end {
            tick.tick().await;
            while rounds.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                lock(&tally).skipped += 1;
                continue;
            };
            lock(&tally).rounds += 1;
            let config = scene.config(self.by, number);
            number += 1;
            let round = Round {
                target: scene.target.clone(),
                from: scene.from(self.by),
                config,
                script: Arc::clone(&script),
                tally: Arc::clone(&tally),
            };
            rounds.spawn(async move {
                round.run().await;
                drop(place);
            });
        }
        rounds.shutdown().await;
        lock(&tally).clone()
    }
}

fn lock(tally: &Mutex<Tally>) -> std::sync::MutexGuard<'_, Tally> {
    tally.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Round {
    target: Target,
    from: std::net::Ipv4Addr,
    config: Option<Arc<ClientConfig>>,
    script: Arc<Script>,
    tally: Arc<Mutex<Tally>>,
}

/// One connection among those that are open.
struct Open<'a> {
    tally: &'a Mutex<Tally>,
    since: Instant,
}

impl<'a> Open<'a> {
    fn new(tally: &'a Mutex<Tally>) -> Self {
        let mut counts = lock(tally);
        counts.open += 1;
        counts.most_open = counts.most_open.max(counts.open);
        Self {
            tally,
            since: Instant::now(),
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let stayed = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut counts = lock(self.tally);
        counts.open -= 1;
        counts.longest_ms = counts.longest_ms.max(stayed);
    }
}

impl Round {
    async fn run(&self) {
        let Ok(Ok(tcp)) = tokio::time::timeout(CONNECT, self.connect()).await else {
            lock(&self.tally).refused += 1;
            return;
        };
        let Some(config) = &self.config else {
            return self.speak(tcp).await;
        };
        let connector = TlsConnector::from(Arc::clone(config));
        let handshake = connector.connect(self.target.name(), tcp);
        match tokio::time::timeout(CONNECT, handshake).await {
            Ok(Ok(tls)) => self.speak(tls).await,
            Ok(Err(_)) | Err(_) => lock(&self.tally).refused += 1,
        }
    }

    async fn connect(&self) -> std::io::Result<tokio::net::TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.from, 0).into())?;
        let tcp = socket.connect(self.target.address).await?;
        tcp.set_nodelay(true)?;
        Ok(tcp)
    }

    async fn speak(&self, stream: impl AsyncRead + AsyncWrite) {
        let (read, write) = tokio::io::split(stream);
        let open = Open::new(&self.tally);
        let whole = if self.script.reads {
            tokio::select! {
                whole = self.write(write) => whole,
                () = self.read(read) => false,
            }
        } else {
            let whole = self.write(write).await;
            drop(read);
            whole
        };
        drop(open);
        let mut tally = lock(&self.tally);
        if whole {
            tally.whole += 1;
        } else {
            tally.cut += 1;
        }
    }

    /// Whether all was written.
    async fn write(&self, mut to: impl AsyncWrite + Unpin) -> bool {
        let script = &*self.script;
        if to.write_all(&script.opening).await.is_err() || to.flush().await.is_err() {
            return false;
        }
        let mut due = Instant::now();
        for at in 0..script.chunks {
            let bytes = (script.chunk)(at);
            let written = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
                return false;
            }
            {
                let mut tally = lock(&self.tally);
                tally.chunks += 1;
                tally.bytes += written;
            }
            if !script.gap.is_zero() {
                due += script.gap;
                tokio::time::sleep_until(due).await;
            }
        }
        tokio::time::sleep(script.hold).await;
        true
    }

    /// Reads to the end and counts what the other side says of errors.
    async fn read(&self, mut from: impl AsyncRead + Unpin) {
        let mut bytes = Vec::new();
        let mut buffer = vec![0; 65_536];
        let mut skip = 0;
        while let Ok(read) = from.read(&mut buffer).await {
            let Some(new) = buffer.get(..read).filter(|new| !new.is_empty()) else {
                return;
            };
            if self.config.is_none() {
                continue;
            }
            let skipped = skip.min(new.len());
            skip -= skipped;
            bytes.extend(new.iter().skip(skipped));
            while let Some((length, kind, _, _)) = frames::head(&bytes) {
                let is_error = matches!(kind, frames::GOAWAY | frames::RST_STREAM);
                if is_error && bytes.len() < 9 + length {
                    break;
                }
                if kind == frames::HEADERS {
                    lock(&self.tally).answers += 1;
                }
                if is_error {
                    self.note(kind, bytes.get(9..9 + length).unwrap_or_default());
                }
                let whole = (9 + length).min(bytes.len());
                skip = 9 + length - whole;
                bytes.drain(..whole);
            }
        }
    }

    fn note(&self, kind: u8, payload: &[u8]) {
        let at = if kind == frames::GOAWAY { 4 } else { 0 };
        let code = payload.get(at..).and_then(|rest| rest.first_chunk::<4>());
        let Some(code) = code.map(|code| u32::from_be_bytes(*code)) else {
            return;
        };
        let mut tally = lock(&self.tally);
        let codes = if kind == frames::GOAWAY {
            &mut tally.goaways
        } else {
            &mut tally.resets
        };
        *codes.entry(code).or_default() += 1;
    }
}
