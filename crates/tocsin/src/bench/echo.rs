//! What the transport costs alone: the node's listener with handlers that do nothing but answer.
//!
//! It is a process of its own, as a node is, with a member's certificate at a member's address, and
//! its listener is the node's with every limit. Each answer has as many bytes as it got.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_cli::connect::connect;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::rpc;
use tocsin_core::roster::Alliance;
use tocsin_node::config::Config;
use tocsin_node::limits::{self, ListenLimits};
use tocsin_node::listen::Listener;
use tocsin_node::metrics::Metrics;
use tocsin_node::signals::stop_with_parent;
use tocsin_node::tls::{NodeTls, Trust};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::v1::log_service_server::{LogService, LogServiceServer};
use tocsin_wire::proto::v1::screen_service_server::{ScreenService, ScreenServiceServer};
use tocsin_wire::proto::v1::submit_service_server::{SubmitService, SubmitServiceServer};
use tokio::net::TcpListener;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status, Streaming};

use super::load::{self, Source};
use super::report::{Term, Unit};
use super::terms;
use crate::demo::network::{GLANCE, Network, PATIENCE};

/// Messages of one server stream, as many as the client reads in the time it has.
const ENDLESS: u64 = u64::MAX;

/// A running echo, and connections to it.
#[derive(Debug)]
pub(super) struct Echo {
    channels: Vec<Channel>,
}

impl Echo {
    /// Starts it as a process at the address of a member whose node does not run yet, and connects
    /// so many times.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn start(
        network: &Network,
        member: &str,
        connections: usize,
    ) -> Result<Self, Failure> {
        network.spawn_as(member, &["bench", "serve-echo", "--config"])?;
        let channels = connections_to(network, member, connections).await?;
        Ok(Self { channels })
    }

    /// Unary calls, [`load::IN_FLIGHT`] at once.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn unary(&self, span: Duration, message: &Source) -> Result<Term, Failure> {
        let counted = load::unary(&self.channels, load::IN_FLIGHT, span, message).await?;
        Ok(Term::rate("echo", counted.rate, 32_700.0))
    }

    /// The time of one unary call, with nothing else under way.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn hop(&self, span: Duration, message: &Source) -> Result<Term, Failure> {
        let counted = load::unary(&self.channels, 1, span, message).await?;
        Ok(Term {
            name: "hop",
            value: terms::median(counted.times).as_secs_f64() * 1e6,
            unit: Unit::Microseconds,
            reference: Some(184.0),
        })
    }

    /// Bidirectional streams: each message answered by one of its size.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn streams(&self, span: Duration, message: &Source) -> Result<Term, Failure> {
        let channels = self.channels.get(..load::STREAMS).unwrap_or(&self.channels);
        let counted = load::streams(channels, span, message).await?;
        Ok(Term {
            reference: None,
            ..Term::rate("echo", counted.rate, 0.0)
        })
    }

    /// One stream of messages of `bytes` from the server, read by one client.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn server_stream(
        &self,
        bytes: usize,
        span: Duration,
    ) -> Result<Term, Failure> {
        let channel = self.channels.first().cloned();
        let channel = channel.ok_or_else(|| Failure::new(Exit::Failed, "no connection"))?;
        let request = v1::ReadEntriesRequest {
            start: u64::try_from(bytes).unwrap_or_default(),
            limit: ENDLESS,
            ..v1::ReadEntriesRequest::default()
        };
        let answers = LogServiceClient::new(channel).read_entries(request).await;
        let mut answers = answers.map_err(|s| rpc::failure(&s))?.into_inner();
        let (begun, mut count) = (Instant::now(), 0_u64);
        while begun.elapsed() < span
            && answers
                .message()
                .await
                .map_err(|s| rpc::failure(&s))?
                .is_some()
        {
            count += 1;
        }
        let rate = count as f64 / begun.elapsed().as_secs_f64();
        Ok(Term {
            reference: (bytes == 600).then_some(774_000.0),
            ..Term::rate("stream", rate, 0.0)
        })
    }
}

/// Connects so many times to a member's address, waiting until somebody serves there.
///
/// # Errors
/// When nobody does in time.
pub(super) async fn connections_to(
    network: &Network,
    member: &str,
    count: usize,
) -> Result<Vec<Channel>, Failure> {
    let context = network.context_of(member)?;
    let end = Instant::now() + PATIENCE;
    let mut channels = Vec::with_capacity(count);
    while channels.len() < count {
        match connect(&context, PATIENCE).await {
            Ok(channel) => channels.push(channel),
            Err(failure) if Instant::now() >= end => return Err(failure),
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
    Ok(channels)
}

/// `tocsin bench serve-echo`: serves until whoever started it is gone.
///
/// # Errors
/// What cannot be read or listened on.
pub(super) async fn serve(config: &Path) -> Result<(), Failure> {
    let config = Config::load(config, [], &[]).map_err(failed)?;
    let bytes =
        std::fs::read(&config.alliance).map_err(|e| Failure::file(&config.alliance, "read", &e))?;
    let alliance = Alliance::parse(&bytes).map_err(failed)?;
    let trust = Trust::of(&alliance).map_err(failed)?;
    let tls = NodeTls::load(config.tls.clone(), &config.member, trust).map_err(failed)?;
    let (metrics, _registry) = Metrics::new(&config.member);
    let listener = Listener {
        home: config.member.as_str().into(),
        tls: Arc::new(tls),
        roles: Arc::new(config.clients.clone()),
        limits: ListenLimits::default(),
        quotas: config.quotas,
        metrics,
    };
    let stop = CancellationToken::new();
    stop_with_parent(stop.clone()).map_err(failed)?;
    let submit = SubmitServiceServer::new(Handler)
        .max_decoding_message_size(limits::MAX_SUBMIT_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES);
    let screen = ScreenServiceServer::new(Handler)
        .max_decoding_message_size(limits::MAX_SCREEN_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_ANSWER_MESSAGE_BYTES);
    let routes = Routes::new(submit)
        .add_service(screen)
        .add_service(LogServiceServer::new(Handler));
    let tcp = TcpListener::bind(config.listen).await.map_err(failed)?;
    listener.serve(tcp, routes, stop).await.map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, format!("the echo: {error}"))
}

/// Handlers that do nothing but answer.
#[derive(Debug)]
struct Handler;

/// As many bytes as came, where a receipt has its largest field.
fn echo(asked: v1::SubmitRequest) -> v1::SubmitResponse {
    let mut note = asked.statement.map_or_else(Vec::new, |said| said.payload);
    note.extend(asked.body);
    v1::SubmitResponse {
        receipt: Some(v1::Receipt {
            note,
            ..v1::Receipt::default()
        }),
        ..v1::SubmitResponse::default()
    }
}

#[tonic::async_trait]
impl SubmitService for Handler {
    type SubmitStreamStream =
        Pin<Box<dyn Stream<Item = Result<v1::SubmitStreamResponse, Status>> + Send>>;

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        Ok(Response::new(echo(request.into_inner())))
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<v1::SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let answers = request.into_inner().map(|message| {
            let accepted = echo(message?.submission.unwrap_or_default());
            Ok(v1::SubmitStreamResponse {
                outcome: Some(v1::submit_stream_response::Outcome::Accepted(accepted)),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

/// What a screener says of a line that meets nothing, with the fields that such a line lacks.
fn nothing_found(line: v1::DeclarationLine) -> v1::ScreenResult {
    let missing = (1..=17).collect();
    v1::ScreenResult {
        declaration: line.declaration,
        line: line.line,
        result: Some(v1::screen_result::Result::Answer(v1::ScreenAnswer {
            outcome: v1::Outcome::None.into(),
            decisive_missing: true,
            missing,
            ..v1::ScreenAnswer::default()
        })),
    }
}

#[tonic::async_trait]
impl ScreenService for Handler {
    type ScreenStreamStream =
        Pin<Box<dyn Stream<Item = Result<v1::ScreenStreamResponse, Status>> + Send>>;

    async fn lookup(
        &self,
        request: Request<v1::LookupRequest>,
    ) -> Result<Response<v1::LookupResponse>, Status> {
        Ok(Response::new(v1::LookupResponse {
            outcome: v1::Outcome::None.into(),
            explanation: request.into_inner().text,
            ..v1::LookupResponse::default()
        }))
    }

    async fn screen(
        &self,
        _: Request<v1::ScreenRequest>,
    ) -> Result<Response<v1::ScreenResponse>, Status> {
        Err(not_here())
    }

    async fn screen_stream(
        &self,
        request: Request<Streaming<v1::ScreenStreamRequest>>,
    ) -> Result<Response<Self::ScreenStreamStream>, Status> {
        let answers = request.into_inner().map(|message| {
            let results = message?.lines.into_iter().map(nothing_found);
            Ok(v1::ScreenStreamResponse {
                results: results.collect(),
                state: Some(v1::ScreenState::default()),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }
}

#[tonic::async_trait]
impl LogService for Handler {
    type ReadEntriesStream =
        Pin<Box<dyn Stream<Item = Result<v1::ReadEntriesResponse, Status>> + Send>>;

    /// `limit` messages of `start` bytes.
    async fn read_entries(
        &self,
        request: Request<v1::ReadEntriesRequest>,
    ) -> Result<Response<Self::ReadEntriesStream>, Status> {
        let asked = request.into_inner();
        let bytes = usize::try_from(asked.start).unwrap_or_default();
        let entry = vec![7; bytes.min(limits::MAX_DOOR_ENTRY_BYTES)];
        let answers = tokio_stream::iter(0..asked.limit).map(move |index| {
            Ok(v1::ReadEntriesResponse {
                index,
                entry: entry.clone(),
                bodies: Vec::new(),
            })
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_checkpoint(
        &self,
        _: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        Err(not_here())
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        Err(not_here())
    }

    async fn get_consistency_proof(
        &self,
        _: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        Err(not_here())
    }

    async fn get_bundle(
        &self,
        _: Request<v1::GetBundleRequest>,
    ) -> Result<Response<v1::GetBundleResponse>, Status> {
        Err(not_here())
    }
}

fn not_here() -> Status {
    Status::unimplemented("only an echo runs here")
}
