//! A node from its configuration to its end; read it as a table of contents.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use prost::Message;
use tocsin_core::reason::Refusal as RosterRefusal;
use tocsin_core::roster::{Alliance, Member};
use tocsin_log::note::SignatureLine;
use tocsin_store::OpenOptions;
use tocsin_store::blobs::Blobs;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::RealDisk;
use tocsin_store::error::StoreError;
use tocsin_store::failpoint::Failpoints;
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::mirror::{MirrorLog, MirrorStates};
use tocsin_store::own_log::OwnLog;
use tocsin_store::reader::LogReader;
use tocsin_store::reserve::Reserve;
use tocsin_wire::proto::peer::v1 as peer;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::bodies::Bodies;
use crate::clock;
use crate::config::{Config, ConfigError, read_bounded};
use crate::cosignatures::Cosignatures;
use crate::dial::{DialError, Dialler};
use crate::door::OwnNote;
use crate::drafts::Drafts;
use crate::evidence::EvidenceShelf;
use crate::fault::FaultBell;
use crate::indexer::Indexer;
use crate::journal::Journal;
use crate::keys::{KeysError, NodeKeys};
use crate::limits::{self, ListenLimits};
use crate::listen::Listener;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::mirror::{Mirror, Mirrors};
use crate::node::Node;
use crate::notes::Ahead;
use crate::origins::Origins;
use crate::overview::Overview;
use crate::peers::Peers;
use crate::quotas::Quotas;
use crate::reached::Reached;
use crate::room::Room;
use crate::screening::Screening;
use crate::sequencer::Sequencer;
use crate::signals::reload_on_hangup;
use crate::signing::Signing;
use crate::state::State;
use crate::tls::{NodeTls, TlsError, Trust};

/// How a node is run beside its configuration.
#[derive(Debug, Default)]
pub struct RunOptions {
    /// An operator overrides the rules before the first signature, for this reason. It is
    /// recorded and shown.
    pub overridden: Option<String>,
    /// Called at each named step of a commit; for tests that kill the process there.
    pub failpoints: Failpoints,
}

/// Why a node did not start, or ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The alliance file.
    #[error("the alliance file: {0}")]
    Alliance(#[from] RosterRefusal),
    /// This member is not in it.
    #[error("the alliance file has no member `{0}`; check `member` and `alliance` in node.toml")]
    NoSuchMember(String),
    /// A key.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// A certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The data directory.
    #[error("the data directory: {0}")]
    Store(#[from] StoreError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {error}; is another node running there?")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// A thread or signal handler could not be had.
    #[error("the system: {0}")]
    System(#[from] std::io::Error),
    /// The descriptors that reflection answers from.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The gRPC server ended.
    #[error("the server: {0}")]
    Server(#[from] tonic::transport::Error),
    /// Something of ours failed while running.
    #[error("fault: {0}")]
    Fault(String),
}

/// Runs a node until `stop` fires; then drains and returns.
///
/// # Errors
/// [`RunError`]: it could not start, or it met a fault and must be started again.
pub async fn run(
    config: Config,
    options: RunOptions,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let tcp = bind(config.listen).await?;
    let admin = bind(config.admin_listen).await?;
    let (metrics, catalog) = Metrics::new(&config.member);
    let (node, own, journal_thread) = tokio::task::block_in_place(|| {
        let (node, own, journal, records) = assemble(config, &options, metrics, stop.clone())?;
        take_up(&node, &records)?;
        Ok::<_, RunError>((node, own, journal))
    })?;
    let mut tasks = spawn_tasks(&node, own, options.overridden);
    tasks.push(reload_on_hangup(Arc::clone(&node))?);
    let memory = Arc::new(crate::checks::Memory::default());
    let keep = crate::checks::keep(Arc::clone(&node), Arc::clone(&memory));
    tasks.push(tokio::spawn(keep));
    let overview = Arc::new(Overview::new(Arc::clone(&node), memory));
    let admin = tokio::spawn(crate::admin::serve(
        admin,
        overview,
        catalog.registry,
        stop.clone(),
    ));
    tasks.push(tokio::spawn(crate::supervisor::watchdog(Arc::clone(&node))));
    let routes = crate::serve::routes(&node)?;
    tracing::info!(member = %node.member.id, listen = %node.config.listen, "serving");
    crate::supervisor::ready("serving");
    let served = listener(&node).serve(tcp, routes, stop.clone()).await;
    crate::supervisor::stopping();
    stop.cancel();
    for task in tasks {
        // Every task ends by itself when the node stops; one that panicked has nothing to lose.
        let _ = task.await;
    }
    let _ = admin.await;
    let fault = node.fault.clone();
    tokio::task::block_in_place(|| {
        node.indexer.close();
        drop(node);
        let _ = journal_thread.join();
    });
    served?;
    match fault.what() {
        Some(what) => Err(RunError::Fault(what.to_owned())),
        None => Ok(()),
    }
}

/// What was assembled: the node, its own log, the journal's thread, and what the local log said.
type Assembled = (Arc<Node>, OwnLog, JoinHandle<()>, Vec<(LocalKind, Vec<u8>)>);

/// Reads the files, opens the disk and puts the node together; nothing runs yet.
fn assemble(
    config: Config,
    options: &RunOptions,
    metrics: Metrics,
    stop: CancellationToken,
) -> Result<Assembled, RunError> {
    let alliance = read_alliance(&config)?;
    let member = member_of(&alliance, &config)?.clone();
    let keys = NodeKeys::read(&config.keys_dir, &member)?;
    let tls = NodeTls::load(config.tls.clone(), &member.id, Trust::of(&alliance)?)?;
    metrics.certificate_ends(tls.certificate().not_after_ms / 1_000);
    let opened = open(&config, &alliance, &keys, options)?;
    let fault = FaultBell::new(stop.clone());
    let logs = opened.mirrors.len();
    let quotas = Arc::new(Quotas::new(config.quotas.person));
    let room = Arc::new(Room::new(opened.reserve, logs, fault.clone()));
    let (journal, journal_thread) =
        Journal::start(opened.journal, Arc::clone(&room), fault.clone())?;
    let readers: Vec<LogReader> = opened.mirrors.iter().map(Mirror::reader).collect();
    let own = opened.own;
    let logs = Logs::new(own.reader(), readers);
    let all: Vec<LogReader> = logs.readers().cloned().collect();
    let others: Vec<String> = alliance
        .members()
        .map(|m| m.id.clone())
        .filter(|id| *id != member.id)
        .collect();
    let name = member.origin.mirror_name();
    let node = Node {
        indexer: Indexer::open(&config.data_dir.join("index"), &all),
        logs: Arc::new(logs),
        mirrors: Mirrors::new(opened.mirrors, keys.mirror.clone(), name),
        sequencer: Sequencer::new(own.guard(), Arc::clone(&quotas)),
        quotas,
        origins: Origins::new(&config.quotas),
        room,
        bodies: Bodies::new(opened.blobs),
        journal,
        state: Arc::new(State::new(&alliance)),
        fresh: Arc::default(),
        own_applied: Reached::default(),
        cosignatures: Cosignatures::default(),
        own_note: OwnNote::default(),
        drafts: Drafts::default(),
        screening: Screening::open(&config)?,
        evidence: EvidenceShelf::default(),
        ahead: Ahead::default(),
        peers: Peers::new(others.clone()),
        signing: Signing::begin(others),
        stop,
        fault,
        started_ms: clock::now_ms(),
        overridden: options.overridden.clone(),
        metrics,
        tls: Arc::new(tls),
        alliance,
        member,
        keys,
        config,
    };
    Ok((Arc::new(node), own, journal_thread, opened.records))
}

fn listener(node: &Node) -> Listener {
    Listener {
        home: node.member.id.as_str().into(),
        tls: Arc::clone(&node.tls),
        roles: Arc::new(node.config.clients.clone()),
        limits: ListenLimits::default(),
        quotas: node.config.quotas,
        metrics: node.metrics.clone(),
    }
}

fn read_alliance(config: &Config) -> Result<Alliance, RunError> {
    let bytes = read_bounded("alliance", &config.alliance, limits::MAX_ALLIANCE_BYTES)?;
    Ok(Alliance::parse(&bytes)?)
}

fn member_of<'a>(alliance: &'a Alliance, config: &Config) -> Result<&'a Member, RunError> {
    let member = alliance.member(&config.member);
    member.ok_or_else(|| RunError::NoSuchMember(config.member.clone()))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, RunError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| RunError::Listen { address, error })
}

/// Everything on the disk, open.
struct Opened {
    own: OwnLog,
    mirrors: Vec<Mirror>,
    blobs: Blobs,
    journal: LocalLog,
    reserve: Reserve,
    records: Vec<(LocalKind, Vec<u8>)>,
}

fn open(
    config: &Config,
    alliance: &Alliance,
    keys: &NodeKeys,
    options: &RunOptions,
) -> Result<Opened, RunError> {
    let data = DataDir::open(Arc::new(RealDisk), Path::new(&config.data_dir))?;
    let kept = u64::from(config.quotas.disk_reserve_mib) * 1024 * 1024;
    let mut reserve = Reserve::open(&data, kept)?;
    // What opening may write must not fail for want of a few blocks: the reserve is for this too.
    reserve.make_room(0).map_err(StoreError::from)?;
    let failpoints = options.failpoints.clone();
    let mut open = OpenOptions {
        failpoints: failpoints.clone(),
        ..OpenOptions::default()
    };
    let mut records = Vec::new();
    // Of cosignatures one is written each second while a log grows; only the newest counts.
    let mut cosignatures = BTreeMap::new();
    let journal = LocalLog::open(&data, &open, |kind, record| match kind {
        LocalKind::Cosignature => {
            cosignatures.extend(whose(record).map(|whose| (whose, record.to_vec())));
        }
        LocalKind::Evidence | LocalKind::Erasure | LocalKind::Draft => {
            records.push((kind, record.to_vec()));
        }
        LocalKind::Audit | LocalKind::Override | LocalKind::Subscription => {}
    })?;
    let cosignatures = cosignatures.into_values();
    records.extend(cosignatures.map(|record| (LocalKind::Cosignature, record)));
    let erasures = records
        .iter()
        .filter(|(kind, _)| *kind == LocalKind::Erasure);
    open.erased = erasures
        .filter_map(|(_, record)| tocsin_log::hash::Hash::try_from(record.as_slice()).ok())
        .collect();
    let member = member_of(alliance, config)?;
    let own = OwnLog::open(&data, &member.origin, keys.log.clone(), open.clone())?;
    let states = MirrorStates::open(&data)?;
    let mut mirrors = Vec::new();
    for other in alliance.members().filter(|other| other.id != member.id) {
        let (origin, key) = (other.origin.clone(), other.log_key);
        let log = MirrorLog::open(&data, &states, &origin, key, open.clone())?;
        mirrors.push(Mirror::new(log, origin, key, &member.origin.mirror_name()));
    }
    let blobs = Blobs::open(&data, failpoints)?;
    Ok(Opened {
        own,
        mirrors,
        blobs,
        journal,
        reserve,
        records,
    })
}

/// The log that a recorded cosignature is on, and the name it is by.
fn whose(record: &[u8]) -> Option<(String, String)> {
    let ack = peer::Ack::decode(record).ok()?;
    let line = SignatureLine::parse(&ack.cosignature).ok()?;
    Some((ack.origin, line.name))
}

/// What the local log remembers, then every log from its beginning.
fn take_up(node: &Node, records: &[(LocalKind, Vec<u8>)]) -> Result<(), RunError> {
    for (kind, record) in records {
        match kind {
            LocalKind::Evidence => {
                if let Ok(piece) = peer::Evidence::decode(record.as_slice()) {
                    node.remember_evidence(&piece);
                }
            }
            LocalKind::Cosignature => {
                if let Ok(ack) = peer::Ack::decode(record.as_slice()) {
                    node.remember_cosignature(&ack);
                }
            }
            LocalKind::Draft => node.drafts.remember(node, record),
            LocalKind::Audit
            | LocalKind::Override
            | LocalKind::Erasure
            | LocalKind::Subscription => {}
        }
    }
    node.settle_mirrors()?;
    let timer = clock::Stopwatch::start();
    crate::applier::catch_up(node)?;
    node.quotas
        .rebuild(node.logs.own(), node.member(), clock::now_ms())?;
    let entries: u64 = node.logs.readers().map(LogReader::size).sum();
    tracing::info!(entries, seconds = timer.seconds(), "logs replayed");
    Ok(())
}

fn spawn_tasks(
    node: &Arc<Node>,
    own: OwnLog,
    overridden: Option<String>,
) -> Vec<tokio::task::JoinHandle<()>> {
    // The applier reads and verifies, the screener builds an index: each has a thread of its own.
    let (runtime, applying) = (tokio::runtime::Handle::current(), Arc::clone(node));
    let apply = move || runtime.block_on(crate::applier::run(applying));
    let (runtime, screening) = (tokio::runtime::Handle::current(), Arc::clone(node));
    let freeze = move || runtime.block_on(crate::screening::run(screening));
    let mut tasks = vec![
        tokio::task::spawn_blocking(apply),
        tokio::task::spawn_blocking(freeze),
        tokio::spawn(crate::bodies::run(Arc::clone(node))),
        tokio::spawn(crate::decider::run(Arc::clone(node))),
        tokio::spawn(crate::opening::run(Arc::clone(node), own, overridden)),
        tokio::spawn(crate::opening::repair_mirrors(Arc::clone(node))),
        tokio::spawn(crate::room::run(Arc::clone(node))),
    ];
    for member in node.peers.members() {
        tasks.push(tokio::spawn(crate::replicator::run(
            Arc::clone(node),
            member.to_owned(),
        )));
    }
    tasks
}

impl Node {
    /// Connects to a member's node, at the operator's override or the manifest's first endpoint.
    ///
    /// # Errors
    /// No endpoint is known, or the connection failed.
    pub(crate) async fn dial(
        &self,
        member: &str,
    ) -> Result<tonic::transport::Channel, DialFailure> {
        let manifest = self
            .alliance
            .member(member)
            .and_then(|m| m.tls.endpoints.first());
        let endpoint = self.config.peers.get(member).or(manifest);
        let endpoint = endpoint.ok_or(DialFailure::NoEndpoint)?;
        let dialler = Dialler::new(&self.tls, member, endpoint)?;
        Ok(dialler.connect().await?)
    }
}

/// Why a member's node could not be reached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DialFailure {
    #[error("its manifest names no endpoint; add one under [peers]")]
    NoEndpoint,
    #[error(transparent)]
    Address(#[from] DialError),
    #[error("{}", causes(.0))]
    Connect(#[from] tonic::transport::Error),
}

/// An error with its causes, for a person: tonic's own text stops at "transport error".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = inner.source();
    }
    text
}
