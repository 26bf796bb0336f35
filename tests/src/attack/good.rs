//! Good clients beside an attack: what they get done, and how long they wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tocsin_log::key::SigningKey;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::network::Network;
use crate::say;

/// Longest that a good request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Reports that a reader can be given at once are about as long as one answer may be.
const LONG_REPORTS: u32 = 12;
/// Characters of each one's text.
const LONG_TEXT: usize = 100_000;

/// Clients of a node's own member, each of whom says something and looks something up by turns.
#[derive(Clone)]
pub struct Good {
    member: String,
    key: SigningKey,
    counts: Arc<Counts>,
}

impl std::fmt::Debug for Good {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Good")
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Counts {
    number: AtomicU32,
    done: AtomicU64,
    failed: AtomicU64,
    slowest_us: AtomicU64,
}

/// What good clients have had since the last look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Requests answered: durable submissions and look-ups.
    pub done: u64,
    /// Requests refused or given up.
    pub failed: u64,
    /// The longest one.
    pub slowest: Duration,
}

impl Good {
    /// Clients of `id`.
    #[must_use]
    pub fn new(network: &Network, id: &str) -> Self {
        Self {
            member: id.to_owned(),
            key: network.key(id, "i-1"),
            counts: Arc::default(),
        }
    }

    /// Lets the node hold something worth asking for: a page of it is as long as a page may be.
    ///
    /// # Panics
    /// When it is not taken.
    pub async fn fill(&self, channel: &Channel) {
        for _ in 0..LONG_REPORTS {
            let text = "EXERCISE ".repeat(LONG_TEXT / 9);
            let report = say::report_saying(&self.member, self.next(), &text);
            let said = report.sign(&[&self.key]).submit(channel).await;
            said.expect("a report that is taken");
        }
    }

    fn next(&self) -> u32 {
        self.counts.number.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Works with so many requests in flight, `pause` after each, until it is dropped.
    pub async fn work(&self, channel: &Channel, in_flight: usize, pause: Duration) {
        let mut clients = JoinSet::new();
        for _ in 0..in_flight {
            let (good, channel) = (self.clone(), channel.clone());
            clients.spawn(async move {
                loop {
                    good.once(&channel).await;
                    tokio::time::sleep(pause).await;
                }
            });
        }
        while clients.join_next().await.is_some() {}
    }

    /// Says something and looks something up.
    pub async fn once(&self, channel: &Channel) {
        let said = say::report(&self.member, self.next()).sign(&[&self.key]);
        let said = async { said.submit(channel).await.map(drop) };
        self.timed(said).await;
        let ask = v1::LookupRequest {
            text: say::GTIN.to_owned(),
            ..v1::LookupRequest::default()
        };
        let mut client = ScreenServiceClient::new(channel.clone());
        self.timed(async { client.lookup(ask).await.map(drop) })
            .await;
    }

    async fn timed(&self, request: impl Future<Output = Result<(), tonic::Status>>) {
        let began = Instant::now();
        let answer = tokio::time::timeout(PATIENCE, request).await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.counts.slowest_us.fetch_max(took, Ordering::Relaxed);
        let count = if matches!(answer, Ok(Ok(()))) {
            &self.counts.done
        } else {
            &self.counts.failed
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// What they have had since the last look.
    #[must_use]
    pub fn look(&self) -> Served {
        let counts = &self.counts;
        Served {
            done: counts.done.swap(0, Ordering::Relaxed),
            failed: counts.failed.swap(0, Ordering::Relaxed),
            slowest: Duration::from_micros(counts.slowest_us.swap(0, Ordering::Relaxed)),
        }
    }
}
