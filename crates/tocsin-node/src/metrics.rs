//! What the node counts, for `/metrics`: names `tocsin_*`, base units, never a product or person
//! as a label. Labels come from closed sets: members, origins, methods that exist, our own words.

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tocsin_log::checkpoint::Origin;

/// A log's origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OriginLabel {
    /// `A/<member>/<generation>`.
    pub origin: String,
}

/// Another member.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PeerLabel {
    /// The member's id.
    pub peer: String,
}

/// One of our own words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    /// Why.
    pub reason: &'static str,
}

/// A finished request.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabel {
    /// `/package.Service/Method`, or `unknown`.
    pub method: String,
    /// The gRPC code, as a number.
    pub code: String,
}

/// Everything that is counted. Cloning shares the counts.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Connections open now.
    pub connections: Gauge,
    /// Connections closed at the door or later, by reason.
    pub connections_refused: Family<ReasonLabel, Counter>,
    /// Finished requests.
    pub grpc_requests: Family<RequestLabel, Counter>,
    /// End of our certificate (unix seconds).
    pub certificate_expiry: Gauge,
    /// Certificates taken up on SIGHUP, by result.
    pub certificate_reloads: Family<ReasonLabel, Counter>,
    /// Entries of each log that are durable here.
    pub log_entries: Family<OriginLabel, Gauge>,
    /// Entries of each log that the registry has taken in.
    pub log_applied_entries: Family<OriginLabel, Gauge>,
    /// Members whose cosignature covers the newest checkpoint of each log.
    pub checkpoint_cosignatures: Family<OriginLabel, Gauge>,
    /// Entries that are in a log but not valid, by origin.
    pub invalid_entries: Family<OriginLabel, Counter>,
    /// Entries that a peer has and we have not.
    pub peer_lag: Family<PeerLabel, Gauge>,
    /// When a peer was last heard (unix seconds).
    pub peer_last_contact: Family<PeerLabel, Gauge>,
    /// Whether the stream from a peer stands (1) or not (0).
    pub peer_connected: Family<PeerLabel, Gauge>,
    /// Origins caught with two histories.
    pub equivocations: Counter,
    /// Submissions refused at the door, by reason code.
    pub submissions_refused: Family<ReasonLabel, Counter>,
    /// Submissions acknowledged.
    pub submissions_accepted: Counter,
    /// From taking up a batch to its answer.
    pub commit_duration: Histogram,
    /// Entries in a commit batch.
    pub commit_entries: Histogram,
    /// From an entry's creation to its being applied here.
    pub propagation: Histogram,
    /// Orders that wait for a decision of ours.
    pub decisions_open: Gauge,
    /// Decisions of ours, by kind.
    pub decisions: Family<ReasonLabel, Counter>,
    /// Watchers of notices now.
    pub watchers: Gauge,
    /// Notices sent.
    pub notices: Counter,
    /// Whether the node signs (1) or not (0).
    pub signing: Gauge,
}

impl Metrics {
    /// Makes the metrics and a registry that shows them.
    #[must_use]
    pub fn new(member: &str) -> (Self, Registry) {
        let metrics = Self {
            connections: Gauge::default(),
            connections_refused: Family::default(),
            grpc_requests: Family::default(),
            certificate_expiry: Gauge::default(),
            certificate_reloads: Family::default(),
            log_entries: Family::default(),
            log_applied_entries: Family::default(),
            checkpoint_cosignatures: Family::default(),
            invalid_entries: Family::default(),
            peer_lag: Family::default(),
            peer_last_contact: Family::default(),
            peer_connected: Family::default(),
            equivocations: Counter::default(),
            submissions_refused: Family::default(),
            submissions_accepted: Counter::default(),
            commit_duration: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            commit_entries: Histogram::new(exponential_buckets(1.0, 4.0, 7)),
            propagation: Histogram::new(exponential_buckets(0.001, 2.0, 20)),
            decisions_open: Gauge::default(),
            decisions: Family::default(),
            watchers: Gauge::default(),
            notices: Counter::default(),
            signing: Gauge::default(),
        };
        let mut registry = Registry::with_prefix("tocsin");
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("member", member.to_owned()),
        ]);
        registry.register("build", "What runs here", build);
        metrics.register_edge(&mut registry);
        metrics.register_logs(&mut registry);
        metrics.register_field(&mut registry);
        (metrics, registry)
    }

    fn register_edge(&self, to: &mut Registry) {
        to.register(
            "connections",
            "Connections open now",
            self.connections.clone(),
        );
        to.register(
            "connections_refused",
            "Connections closed by us, by reason",
            self.connections_refused.clone(),
        );
        to.register(
            "grpc_requests",
            "Finished requests",
            self.grpc_requests.clone(),
        );
        to.register_with_unit(
            "certificate_expiry_timestamp",
            "End of our certificate",
            Unit::Seconds,
            self.certificate_expiry.clone(),
        );
        to.register(
            "certificate_reloads",
            "Certificates read again on SIGHUP, by result",
            self.certificate_reloads.clone(),
        );
        to.register("signing", "Whether the node signs", self.signing.clone());
    }

    fn register_logs(&self, to: &mut Registry) {
        to.register(
            "log_entries",
            "Entries durable here",
            self.log_entries.clone(),
        );
        to.register(
            "log_applied_entries",
            "Entries taken in by the registry",
            self.log_applied_entries.clone(),
        );
        to.register(
            "checkpoint_cosignatures",
            "Members that cosigned the newest checkpoint",
            self.checkpoint_cosignatures.clone(),
        );
        to.register(
            "invalid_entries",
            "Entries not valid",
            self.invalid_entries.clone(),
        );
        to.register(
            "peer_lag_entries",
            "Entries a peer has more",
            self.peer_lag.clone(),
        );
        to.register_with_unit(
            "peer_last_contact_timestamp",
            "When a peer was last heard",
            Unit::Seconds,
            self.peer_last_contact.clone(),
        );
        to.register(
            "peer_connected",
            "Whether its stream stands",
            self.peer_connected.clone(),
        );
        to.register(
            "equivocations",
            "Origins with two histories",
            self.equivocations.clone(),
        );
        to.register_with_unit(
            "commit_duration",
            "From taking up a batch to its answer",
            Unit::Seconds,
            self.commit_duration.clone(),
        );
        to.register(
            "commit_entries",
            "Entries in a batch",
            self.commit_entries.clone(),
        );
        to.register_with_unit(
            "propagation",
            "From an entry's creation to its being applied here",
            Unit::Seconds,
            self.propagation.clone(),
        );
    }

    fn register_field(&self, to: &mut Registry) {
        to.register(
            "submissions_refused",
            "Submissions refused at the door, by reason",
            self.submissions_refused.clone(),
        );
        to.register(
            "submissions_accepted",
            "Submissions acknowledged",
            self.submissions_accepted.clone(),
        );
        to.register(
            "decisions_open",
            "Orders that wait for our decision",
            self.decisions_open.clone(),
        );
        to.register(
            "decisions",
            "Decisions of ours, by kind",
            self.decisions.clone(),
        );
        to.register("watchers", "Watchers of notices now", self.watchers.clone());
        to.register("notices", "Notices sent", self.notices.clone());
    }

    /// Entries of a log were taken into the registry.
    pub fn applied(&self, origin: &Origin, size: u64) {
        let label = OriginLabel {
            origin: origin.to_string(),
        };
        self.log_applied_entries
            .get_or_create(&label)
            .set(gauge(size));
    }

    /// An entry of a log has no effect.
    pub fn invalid(&self, origin: &Origin) {
        let label = OriginLabel {
            origin: origin.to_string(),
        };
        self.invalid_entries.get_or_create(&label).inc();
    }

    /// A log is durable here up to `size`.
    pub fn log_grew(&self, origin: &Origin, size: u64) {
        let label = OriginLabel {
            origin: origin.to_string(),
        };
        self.log_entries.get_or_create(&label).set(gauge(size));
    }

    /// This node decided by policy, or recorded a lapse.
    pub fn decided(&self, kind: &'static str) {
        self.decisions
            .get_or_create(&ReasonLabel { reason: kind })
            .inc();
    }

    /// The door refused a submission.
    pub fn submission_refused(&self, reason: &'static str) {
        self.submissions_refused
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// Counts a connection that was closed by us.
    pub fn refused(&self, reason: &'static str) {
        self.connections_refused
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }
}

/// A count as gauges have it.
fn gauge(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The registry in the text form of OpenMetrics 1.0.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn render(registry: &Registry) -> Result<String, fmt::Error> {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_our_prefix_and_counters_end_in_total() {
        let (metrics, registry) = Metrics::new("de");
        metrics.refused("handshake_timeout");
        metrics.notices.inc();
        let text = render(&registry).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.starts_with("tocsin_"), "{line}");
        }
        assert!(text.contains("tocsin_notices_total 1"), "{text}");
        let line = "tocsin_connections_refused_total{reason=\"handshake_timeout\"} 1";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("tocsin_commit_duration_seconds_bucket"),
            "{text}"
        );
    }
}
