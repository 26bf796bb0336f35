//! Clients that submit as fast as they are answered, and count what was answered in time.
//!
//! The echo and the node are driven by the same code, so that what a client costs is in both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::rpc;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tocsin_wire::proto::v1::submit_stream_response::Outcome;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

/// Calls in flight of the unary figures.
pub(super) const IN_FLIGHT: usize = 64;
/// Streams at once of the stream figures: as many as a client that fills one core each.
pub(super) const STREAMS: usize = 2;
/// Submissions made and not yet taken by one stream.
const STREAM_QUEUE: usize = 64;
/// How long the end of a run is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where submissions come from.
pub(super) type Source = Arc<dyn Fn() -> Result<v1::SubmitRequest, Failure> + Send + Sync>;

/// When to count: after a start that is not counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    from: Instant,
    until: Instant,
}

/// What was answered in the window.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Answers a second.
    pub(super) rate: f64,
    /// All answers, those outside the window too.
    pub(super) answers: u64,
    /// From making a statement to its answer; of unary calls.
    pub(super) times: Vec<Duration>,
}

impl Window {
    /// `span` long, from a quarter of it on.
    pub(super) fn of(span: Duration) -> Self {
        let from = Instant::now() + span / 4;
        Self {
            from,
            until: from + span,
        }
    }

    fn is_over(self) -> bool {
        Instant::now() >= self.until
    }

    fn counts(self, at: Instant) -> bool {
        self.from <= at && at < self.until
    }

    fn rate(self, counted: usize) -> f64 {
        counted as f64 / self.until.duration_since(self.from).as_secs_f64()
    }
}

/// Unary calls, so many in flight over these channels.
///
/// # Errors
/// The first refusal.
pub(super) async fn unary(
    channels: &[Channel],
    in_flight: usize,
    span: Duration,
    source: &Source,
) -> Result<Counted, Failure> {
    let window = Window::of(span);
    let mut tasks = JoinSet::new();
    for channel in channels.iter().cycle().take(in_flight) {
        let (mut client, source) = (client(channel), Arc::clone(source));
        tasks.spawn(async move {
            let (mut answers, mut times) = (0, Vec::new());
            while !window.is_over() {
                let begun = Instant::now();
                let answer = client.submit(source()?).await;
                let answer = answer.map_err(|status| rpc::failure(&status))?;
                check(answer.get_ref())?;
                answers += 1;
                let ended = Instant::now();
                if window.counts(ended) {
                    times.push(ended - begun);
                }
            }
            Ok::<_, Failure>((answers, times))
        });
    }
    let mut counted = Counted::default();
    while let Some(task) = tasks.join_next().await {
        let (answers, times) = task.map_err(|e| lost(&e))??;
        counted.answers += answers;
        counted.times.extend(times);
    }
    counted.rate = window.rate(counted.times.len());
    Ok(counted)
}

/// Unary calls at so many a second over these channels, until the set is dropped. What is refused
/// is not sent again.
pub(super) fn paced(channels: &[Channel], rate: f64, source: &Source) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let every = Duration::from_secs_f64(IN_FLIGHT as f64 / rate.max(1.0));
    for channel in channels.iter().cycle().take(IN_FLIGHT) {
        let (mut client, source) = (client(channel), Arc::clone(source));
        tasks.spawn(async move {
            let mut clock = tokio::time::interval(every);
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while let Ok(request) = source() {
                clock.tick().await;
                let _answer = client.submit(request).await;
            }
        });
    }
    tasks
}

/// Bidirectional streams, one over each of these channels.
///
/// # Errors
/// The first refusal.
pub(super) async fn streams(
    channels: &[Channel],
    span: Duration,
    source: &Source,
) -> Result<Counted, Failure> {
    let window = Window::of(span);
    let mut tasks = JoinSet::new();
    for channel in channels {
        tasks.spawn(stream(client(channel), window, Arc::clone(source)));
    }
    let (mut counted, mut in_window) = (Counted::default(), 0);
    while let Some(task) = tasks.join_next().await {
        let (answers, inside) = task.map_err(|e| lost(&e))??;
        counted.answers += answers;
        in_window += inside;
    }
    counted.rate = window.rate(in_window);
    Ok(counted)
}

async fn stream(
    mut client: SubmitServiceClient<Channel>,
    window: Window,
    source: Source,
) -> Result<(u64, usize), Failure> {
    let (up, submissions) = mpsc::channel(STREAM_QUEUE);
    let making = tokio::spawn(async move {
        while !window.is_over() {
            let submission = Some(source()?);
            if up
                .send(v1::SubmitStreamRequest { submission })
                .await
                .is_err()
            {
                break;
            }
        }
        Ok::<_, Failure>(())
    });
    let answers = client.submit_stream(ReceiverStream::new(submissions)).await;
    let mut answers = answers
        .map_err(|status| rpc::failure(&status))?
        .into_inner();
    let (mut all, mut inside) = (0, 0);
    let read = async {
        while let Some(answer) = answers.message().await.map_err(|s| rpc::failure(&s))? {
            match answer.outcome {
                Some(Outcome::Accepted(accepted)) => check(&accepted)?,
                Some(Outcome::Refused(refused)) => {
                    return Err(Failure::new(Exit::Failed, refused.message).code(refused.reason));
                }
                None => return Err(Failure::new(Exit::Failed, "an answer without an outcome")),
            }
            all += 1;
            inside += usize::from(window.counts(Instant::now()));
        }
        Ok(())
    };
    let until = window.until + PATIENCE;
    tokio::time::timeout_at(until.into(), read)
        .await
        .map_err(|_| Failure::new(Exit::Unreachable, "a stream was not answered to its end"))??;
    making.await.map_err(|e| lost(&e))??;
    Ok((all, inside))
}

/// An answer that proves nothing is none.
fn check(answer: &v1::SubmitResponse) -> Result<(), Failure> {
    match &answer.receipt {
        Some(receipt) if !receipt.note.is_empty() => Ok(()),
        Some(_) | None => Err(Failure::new(Exit::Failed, "an answer without a receipt")),
    }
}

fn client(channel: &Channel) -> SubmitServiceClient<Channel> {
    SubmitServiceClient::new(channel.clone())
}

fn lost(error: &tokio::task::JoinError) -> Failure {
    Failure::new(Exit::Failed, format!("a client ended: {error}"))
}
