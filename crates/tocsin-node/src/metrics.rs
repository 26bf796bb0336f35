//! What the node counts, for `/metrics`: names `tocsin_*`, base units, never a product or person
//! as a label. Labels come from closed sets: members, origins, methods that exist, our own words.

mod screening;

use std::fmt;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use tocsin_log::checkpoint::Origin;

pub use screening::{OutcomeLabel, ScreenTally};

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
    /// `package.Service`, or `unknown`.
    pub service: String,
    /// `Method`, or `unknown`.
    pub method: String,
    /// The gRPC code, as a number.
    pub code: String,
}

/// What a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UseLabel {
    /// `node`, for the one that this node shows.
    pub r#use: &'static str,
}

/// Whose decisions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct JurisdictionLabel {
    /// Two capital letters, as in the roster.
    pub jurisdiction: String,
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
    /// Requests refused before any service saw them, by reason code.
    pub requests_refused: Family<ReasonLabel, Counter>,
    /// End of a certificate (unix seconds).
    pub certificate_expiry: Family<UseLabel, Gauge>,
    /// Certificates taken up on SIGHUP, by result.
    pub certificate_reloads: Family<ReasonLabel, Counter>,
    /// Entries of each log that are durable here.
    pub log_entries: Family<OriginLabel, Gauge>,
    /// Entries of each log that the registry has taken in.
    pub log_applied_entries: Family<OriginLabel, Gauge>,
    /// Members whose cosignature covers the newest checkpoint of each log.
    pub checkpoint_cosignatures: Family<OriginLabel, Gauge>,
    /// Whether a log is held back, for its quota or a full disk (1) or not (0).
    pub log_held: Family<OriginLabel, Gauge>,
    /// Disk kept for what releases goods (bytes).
    pub disk_reserve: Gauge,
    /// Whether only what releases goods is written (1) or everything (0).
    pub disk_low: Gauge,
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
    /// From the making of an order, an act on one or a decision to its being applied here.
    pub propagation: Histogram,
    /// Orders that wait for a decision of ours.
    pub decisions_open: Family<JurisdictionLabel, Gauge>,
    /// How long the oldest of them has waited (seconds); 0 when none waits.
    pub decision_age: Gauge,
    /// Decisions of ours, by kind.
    pub decisions: Family<ReasonLabel, Counter>,
    /// Suppressions read again on SIGHUP, by result.
    pub suppression_reloads: Family<ReasonLabel, Counter>,
    /// Lines of declarations that were answered, by outcome.
    pub screen_lines: Family<OutcomeLabel, Counter>,
    /// Lines of declarations that could not be read.
    pub screen_lines_refused: Counter,
    /// Hits that the agency's own file is about, by effect.
    pub screen_marks: Family<ReasonLabel, Counter>,
    /// Blocks in the index.
    pub screen_blocks: Gauge,
    /// From a change of the registry being seen to the index that has it.
    pub screen_swap_duration: Histogram,
    /// Watchers of notices now.
    pub watchers: Gauge,
    /// Notices sent.
    pub notices: Counter,
    /// Tasks of the runtime now.
    pub tasks: Gauge,
    /// Whether the node signs (1) or not (0).
    pub signing: Gauge,
}

/// The registry, and what is in it by the names that a scrape shows.
#[derive(Debug)]
pub struct Catalog {
    /// What `/metrics` renders.
    pub registry: Registry,
    /// Every metric, in order of registration.
    pub described: Vec<Described>,
}

/// A metric as a dashboard, an alert rule or a manual names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The name of its samples; of a histogram, without `_bucket`, `_sum` and `_count`.
    pub name: String,
    /// `counter`, `gauge`, `histogram` or `info`.
    pub kind: &'static str,
    /// What it says.
    pub help: &'static str,
}

const PREFIX: &str = "tocsin";

impl Catalog {
    fn new(member: &str) -> Self {
        let mut catalog = Self {
            registry: Registry::with_prefix(PREFIX),
            described: Vec::new(),
        };
        let build = Info::new(vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("member", member.to_owned()),
        ]);
        catalog.registry.register("build", "What runs here", build);
        catalog.describe("build", "_info", "info", "What runs here");
        catalog
    }

    fn describe(&mut self, name: &str, ending: &str, kind: &'static str, help: &'static str) {
        let name = format!("{PREFIX}_{name}{ending}");
        self.described.push(Described { name, kind, help });
    }

    fn counter(&mut self, name: &str, help: &'static str, metric: &(impl Metric + Clone)) {
        self.registry.register(name, help, metric.clone());
        self.describe(name, "_total", "counter", help);
    }

    fn gauge(&mut self, name: &str, help: &'static str, metric: &(impl Metric + Clone)) {
        self.registry.register(name, help, metric.clone());
        self.describe(name, "", "gauge", help);
    }

    fn gauge_seconds(&mut self, name: &str, help: &'static str, metric: &(impl Metric + Clone)) {
        let registry = &mut self.registry;
        registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        self.describe(name, "_seconds", "gauge", help);
    }

    fn histogram(&mut self, name: &str, help: &'static str, metric: &Histogram) {
        self.registry.register(name, help, metric.clone());
        self.describe(name, "", "histogram", help);
    }

    fn histogram_seconds(&mut self, name: &str, help: &'static str, metric: &Histogram) {
        let registry = &mut self.registry;
        registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
        self.describe(name, "_seconds", "histogram", help);
    }
}

impl Metrics {
    /// Makes the metrics, and the registry that shows them with its catalogue.
    #[must_use]
    pub fn new(member: &str) -> (Self, Catalog) {
        let metrics = Self {
            connections: Gauge::default(),
            connections_refused: Family::default(),
            grpc_requests: Family::default(),
            requests_refused: Family::default(),
            certificate_expiry: Family::default(),
            certificate_reloads: Family::default(),
            log_entries: Family::default(),
            log_applied_entries: Family::default(),
            checkpoint_cosignatures: Family::default(),
            log_held: Family::default(),
            disk_reserve: Gauge::default(),
            disk_low: Gauge::default(),
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
            decisions_open: Family::default(),
            decision_age: Gauge::default(),
            decisions: Family::default(),
            suppression_reloads: Family::default(),
            screen_lines: Family::default(),
            screen_lines_refused: Counter::default(),
            screen_marks: Family::default(),
            screen_blocks: Gauge::default(),
            screen_swap_duration: Histogram::new(exponential_buckets(0.000_1, 2.0, 18)),
            watchers: Gauge::default(),
            notices: Counter::default(),
            tasks: Gauge::default(),
            signing: Gauge::default(),
        };
        let mut catalog = Catalog::new(member);
        metrics.catalogue_edge(&mut catalog);
        metrics.catalogue_logs(&mut catalog);
        metrics.catalogue_room(&mut catalog);
        metrics.catalogue_field(&mut catalog);
        metrics.catalogue_screening(&mut catalog);
        (metrics, catalog)
    }

    fn catalogue_edge(&self, to: &mut Catalog) {
        to.gauge("connections", "Connections open now", &self.connections);
        to.counter(
            "connections_refused",
            "Connections closed by us, by reason",
            &self.connections_refused,
        );
        to.counter("grpc_requests", "Finished requests", &self.grpc_requests);
        to.counter(
            "requests_refused",
            "Requests refused at the gate, by reason",
            &self.requests_refused,
        );
        to.gauge_seconds(
            "cert_expiry_timestamp",
            "When a certificate of ours ends",
            &self.certificate_expiry,
        );
        to.counter(
            "certificate_reloads",
            "Certificates read again on SIGHUP, by result",
            &self.certificate_reloads,
        );
        to.gauge("tasks", "Tasks of the runtime now", &self.tasks);
        to.gauge("signing", "1 when the node signs, else 0", &self.signing);
    }

    fn catalogue_logs(&self, to: &mut Catalog) {
        to.gauge("log_entries", "Entries durable here", &self.log_entries);
        to.gauge(
            "log_applied_entries",
            "Entries taken in by the registry",
            &self.log_applied_entries,
        );
        to.gauge(
            "checkpoint_cosignatures",
            "Members whose cosignature covers the newest checkpoint",
            &self.checkpoint_cosignatures,
        );
        to.counter(
            "invalid_entries",
            "Entries not valid",
            &self.invalid_entries,
        );
        to.gauge(
            "peer_lag_entries",
            "Entries of a peer's log that we know of and do not have",
            &self.peer_lag,
        );
        to.gauge_seconds(
            "peer_last_contact_timestamp",
            "When a peer was last connected",
            &self.peer_last_contact,
        );
        to.gauge(
            "peer_connected",
            "1 when the stream from a peer stands, else 0",
            &self.peer_connected,
        );
        to.counter(
            "equivocations",
            "Origins with two histories",
            &self.equivocations,
        );
        to.histogram_seconds(
            "commit_duration",
            "From taking up a batch to its answer",
            &self.commit_duration,
        );
        to.histogram("commit_entries", "Entries in a batch", &self.commit_entries);
        to.histogram_seconds(
            "block_propagation",
            "From the making of an order, an act or a decision to its being applied here",
            &self.propagation,
        );
    }

    fn catalogue_room(&self, to: &mut Catalog) {
        to.gauge(
            "log_held",
            "1 when a log is held back for its quota or a full disk, else 0",
            &self.log_held,
        );
        to.gauge(
            "disk_reserve_bytes",
            "Disk kept for what releases goods",
            &self.disk_reserve,
        );
        to.gauge(
            "disk_low",
            "1 when only what releases goods is written, else 0",
            &self.disk_low,
        );
    }

    fn catalogue_field(&self, to: &mut Catalog) {
        to.counter(
            "submissions_refused",
            "Submissions refused at the door, by reason",
            &self.submissions_refused,
        );
        to.counter(
            "submissions_accepted",
            "Submissions acknowledged",
            &self.submissions_accepted,
        );
        to.gauge(
            "decisions_open",
            "Orders that wait for our decision",
            &self.decisions_open,
        );
        to.gauge_seconds(
            "decision_age",
            "How long the oldest order has waited for our decision; 0 when none waits",
            &self.decision_age,
        );
        to.counter("decisions", "Decisions of ours, by kind", &self.decisions);
        to.gauge("watchers", "Watchers of notices now", &self.watchers);
        to.counter("notices", "Notices sent", &self.notices);
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

    /// So many members' cosignatures cover the newest checkpoint of a log.
    pub fn cosigned(&self, origin: &Origin, members: usize) {
        let label = OriginLabel {
            origin: origin.to_string(),
        };
        let members = i64::try_from(members).unwrap_or(i64::MAX);
        self.checkpoint_cosignatures
            .get_or_create(&label)
            .set(members);
    }

    /// A note names so many entries more of a member's log than we hold.
    pub fn lags(&self, member: &str, entries: u64) {
        let label = PeerLabel {
            peer: member.to_owned(),
        };
        self.peer_lag.get_or_create(&label).set(gauge(entries));
    }

    /// An order, an act on one or a decision was taken in, so long after it was made. Clocks of two
    /// members are compared here: what seems to come from the future counts as at once.
    pub fn propagated(&self, created_ms: i64, now_ms: i64) {
        let ms = now_ms.saturating_sub(created_ms).max(0);
        self.propagation.observe(ms as f64 / 1_000.0);
    }

    /// This node decided by policy, or recorded a lapse.
    pub fn decided(&self, kind: &'static str) {
        self.decisions
            .get_or_create(&ReasonLabel { reason: kind })
            .inc();
    }

    /// The certificate in use ends then (unix seconds).
    pub fn certificate_ends(&self, at_seconds: i64) {
        let label = UseLabel { r#use: "node" };
        self.certificate_expiry
            .get_or_create(&label)
            .set(at_seconds);
    }

    /// A request ended with a gRPC code. Only methods that exist become labels; whoever makes up
    /// names gets one for all.
    pub fn finished(&self, path: &str, code: i32) {
        const UNIMPLEMENTED: i32 = 12;
        let known = (code != UNIMPLEMENTED)
            .then(|| path.trim_start_matches('/').split_once('/'))
            .flatten();
        let (service, method) = known.unwrap_or(("unknown", "unknown"));
        let label = RequestLabel {
            service: service.to_owned(),
            method: method.to_owned(),
            code: code.to_string(),
        };
        self.grpc_requests.get_or_create(&label).inc();
    }

    /// So many orders wait for a decision of `jurisdiction`, the oldest for so many seconds.
    pub fn waiting(&self, jurisdiction: &str, orders: usize, oldest_seconds: i64) {
        let label = JurisdictionLabel {
            jurisdiction: jurisdiction.to_owned(),
        };
        let orders = i64::try_from(orders).unwrap_or(i64::MAX);
        self.decisions_open.get_or_create(&label).set(orders);
        self.decision_age.set(oldest_seconds);
    }

    /// The door refused a submission.
    pub fn submission_refused(&self, reason: &'static str) {
        self.submissions_refused
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// The gate refused a request.
    pub fn request_refused(&self, reason: &'static str) {
        self.requests_refused
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
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_has_our_prefix_and_counters_end_in_total() {
        let (metrics, catalog) = Metrics::new("de");
        metrics.refused("handshake_timeout");
        metrics.notices.inc();
        let text = render(&catalog.registry).unwrap();
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

    /// Of a family nothing is shown until it has a sample, so each gets one here.
    #[test]
    fn the_catalogue_names_what_a_scrape_shows() {
        let (metrics, catalog) = Metrics::new("de");
        let origin = "a.example/de/1".parse().unwrap();
        metrics.applied(&origin, 1);
        metrics.invalid(&origin);
        metrics.log_grew(&origin, 1);
        metrics.decided("adopt");
        metrics.submission_refused("X");
        metrics.refused("full");
        metrics.certificate_ends(0);
        let label = || PeerLabel { peer: "us".into() };
        metrics.peer_lag.get_or_create(&label()).set(1);
        metrics.peer_last_contact.get_or_create(&label()).set(1);
        metrics.peer_connected.get_or_create(&label()).set(1);
        let ok = ReasonLabel { reason: "ok" };
        metrics.certificate_reloads.get_or_create(&ok).inc();
        metrics.suppression_reloads.get_or_create(&ok).inc();
        metrics.screen_marks.get_or_create(&ok).inc();
        let outcome = OutcomeLabel { outcome: "none" };
        metrics.screen_lines.get_or_create(&outcome).inc();
        let label = OriginLabel {
            origin: origin.to_string(),
        };
        metrics.checkpoint_cosignatures.get_or_create(&label).set(1);
        metrics.log_held.get_or_create(&label).set(1);
        metrics.request_refused("X");
        metrics.finished("/tocsin.v1.SubmitService/Submit", 0);
        metrics.waiting("DE", 1, 5);
        let text = render(&catalog.registry).unwrap();
        let mut shown = BTreeSet::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').unwrap();
                let ending = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                shown.insert(format!("{name}{ending} {kind}"));
            }
        }
        let described = catalog.described.iter();
        let described = described.map(|one| format!("{} {}", one.name, one.kind));
        assert_eq!(shown, described.collect());
    }
}
