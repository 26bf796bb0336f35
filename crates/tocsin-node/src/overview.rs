//! What the node tells its operator.

use std::sync::Arc;

use tocsin_log::quorum::{self, Grade};
use tocsin_wire::proto::admin::v1 as admin;

use crate::admin::StatusSource;
use crate::checks::{self, Memory};
use crate::clock;
use crate::metrics::PeerLabel;
use crate::node::Node;
use crate::signing::Standing;
use crate::status::{Reason, Refusal};

/// Looks at the node when it is asked.
#[derive(Debug)]
pub(crate) struct Overview {
    node: Arc<Node>,
    memory: Arc<Memory>,
}

impl Overview {
    pub(crate) const fn new(node: Arc<Node>, memory: Arc<Memory>) -> Self {
        Self { node, memory }
    }

    /// The state word and why.
    fn standing(&self) -> (&'static str, String) {
        let node = &self.node;
        if node.stop.is_cancelled() {
            return ("draining", String::new());
        }
        match node.signing.standing() {
            Standing::Ready if node.room.is_low() => ("serving", DISK_LOW.to_owned()),
            Standing::Ready => ("serving", String::new()),
            Standing::Asking => ("waiting_for_peers", node.signing.waiting_for()),
            Standing::Repairing(reason) => ("repairing", reason),
            Standing::ReadOnly(reason) => ("read_only", reason),
        }
    }

    fn logs(&self) -> Vec<admin::LogStatus> {
        let node = &self.node;
        let applied = node.state.read().sizes.clone();
        let now = clock::now_ms();
        let status = |reader: &tocsin_store::reader::LogReader| {
            let checkpoint = reader.checkpoint();
            let origin = checkpoint.origin.to_string();
            let damage = reader.damage();
            let member = node.alliance.member(checkpoint.origin.member());
            admin::LogStatus {
                size: checkpoint.size,
                root: checkpoint.root.as_bytes().to_vec(),
                applied: applied.get(&origin).copied().unwrap_or_default(),
                confirmed: node.confirmed(&checkpoint.origin, checkpoint.size),
                cosigners: node.cosigners(&checkpoint.origin),
                frozen: node.evidence.is_frozen(&origin),
                health: node.health(&origin, damage.first()),
                known: node.known(reader),
                fresh_ms: member.map_or(0, |member| node.known_until(member, now)),
                origin,
            }
        };
        node.logs.readers().map(status).collect()
    }
}

/// What a nearly full disk means.
const DISK_LOW: &str = "the disk is nearly full: only withdrawals, rescissions, suspensions, \
                        pauses and ends are taken; make room";

impl StatusSource for Overview {
    fn live(&self) -> Result<(), String> {
        self.node
            .fault
            .what()
            .map_or(Ok(()), |what| Err(what.to_owned()))
    }

    fn ready(&self) -> Result<(), String> {
        match self.standing() {
            ("serving", _) => Ok(()),
            (state, reason) => Err(format!("{state}: {reason}")),
        }
    }

    fn status(&self) -> admin::GetStatusResponse {
        let node = &self.node;
        let (state, reason) = self.standing();
        let (member, now) = (node.member(), clock::now_ms());
        let applied = node.state.read();
        let registry = &applied.registry;
        let orders = registry.orders().count();
        let in_force = registry.in_force(&member.jurisdiction, now).count();
        let pending = registry.pending(&member.jurisdiction, now).len();
        drop(applied);
        let certificate = node.tls.certificate();
        admin::GetStatusResponse {
            member: member.id.clone(),
            jurisdiction: member.jurisdiction.clone(),
            alliance: node.alliance.label().to_owned(),
            genesis_sha256: node.alliance.genesis_hash().as_bytes().to_vec(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            state: state.to_owned(),
            reason,
            started_ms: node.started_ms,
            logs: self.logs(),
            orders: orders as u64,
            blocks_in_force: in_force as u64,
            pending: pending as u64,
            drafts: node.drafts.count(node) as u64,
            evidence: node.evidence.count() as u64,
            certificate_from_ms: certificate.not_before_ms,
            certificate_until_ms: certificate.not_after_ms,
            watchers: u64::try_from(node.metrics.watchers.get()).unwrap_or_default(),
        }
    }

    fn peers(&self) -> admin::ListPeersResponse {
        let node = &self.node;
        let links = node.peers.links().into_iter();
        let peer = |(member, link): (String, crate::peers::Link)| {
            let shown = node.tls.shown_by(&member);
            admin::Peer {
                endpoint: node.endpoint(&member).unwrap_or_default().to_owned(),
                connected: link.connected,
                since_ms: link.since_ms,
                reason: link.reason,
                certificate_from_ms: shown.as_ref().map_or(0, |shown| shown.not_before_ms),
                certificate_until_ms: shown.as_ref().map_or(0, |shown| shown.not_after_ms),
                member,
            }
        };
        admin::ListPeersResponse {
            peers: links.map(peer).collect(),
        }
    }

    fn checks(&self, only: &[String]) -> Result<admin::RunChecksResponse, Refusal> {
        if let Some(asked) = checks::unknown(only) {
            return Err(Refusal::of(Reason::FieldInvalid)
                .saying("no check and no category of checks has this name")
                .at("only")
                .fact("only", asked));
        }
        let snapshot = checks::gather(&self.node, &self.memory);
        let mut made = checks::run(&snapshot);
        self.memory.date(&mut made, snapshot.now_ms);
        made.retain(|check| checks::is_asked_for(check.code, only));
        Ok(admin::RunChecksResponse {
            checks: made.iter().map(checks::Check::to_proto).collect(),
            at_ms: snapshot.now_ms,
        })
    }

    fn refresh_metrics(&self) {
        let node = &self.node;
        let ready = node.signing.standing() == Standing::Ready;
        node.metrics.signing.set(i64::from(ready));
        self.refresh_logs();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tasks = runtime.metrics().num_alive_tasks();
            node.metrics
                .tasks
                .set(i64::try_from(tasks).unwrap_or(i64::MAX));
        }
        for (member, link) in node.peers.links() {
            let label = PeerLabel { peer: member };
            let metrics = &node.metrics;
            let connected = metrics.peer_connected.get_or_create(&label);
            connected.set(i64::from(link.connected));
            let now = clock::now_ms();
            let heard_ms = if link.connected { now } else { link.heard_ms };
            let contact = metrics.peer_last_contact.get_or_create(&label);
            contact.set(heard_ms / 1_000);
        }
        for reader in node.logs.readers() {
            let origin = reader.origin().to_string();
            let held = node.origins.held(&origin, crate::origins::monotonic_ms());
            let label = crate::metrics::OriginLabel { origin };
            node.metrics
                .log_held
                .get_or_create(&label)
                .set(i64::from(held.is_some()));
        }
        let (held, _) = node.room.reserve();
        node.metrics
            .disk_reserve
            .set(i64::try_from(held).unwrap_or(i64::MAX));
        node.metrics.disk_low.set(i64::from(node.room.is_low()));
        let now = clock::now_ms();
        let jurisdiction = &node.member().jurisdiction;
        let applied = node.state.read();
        let pending = applied.registry.pending(jurisdiction, now);
        let made = pending
            .iter()
            .filter_map(|one| applied.registry.order(&one.order, now))
            .map(|order| order.issued.created_ms)
            .min();
        drop(applied);
        let oldest = made.map_or(0, |made| now.saturating_sub(made).max(0) / 1_000);
        node.metrics.waiting(jurisdiction, pending.len(), oldest);
    }
}

impl Overview {
    /// What is looked up of every log: its size, how far we lag, who vouches for it.
    fn refresh_logs(&self) {
        let node = &self.node;
        for reader in node.logs.readers() {
            let (origin, size) = (reader.origin(), reader.size());
            node.metrics.log_grew(origin, size);
            let held = node.cosignatures.of(origin).into_iter();
            let covering = held.filter(|held| held.size >= size).count();
            node.metrics.cosigned(origin, covering);
            if origin.member() != node.member().id {
                let ahead = node.ahead.newest(&origin.to_string());
                let known = ahead.map_or(size, |note| note.checkpoint().size.max(size));
                node.metrics.lags(origin.member(), known - size);
            }
        }
    }
}

impl Node {
    /// Whether a copy is whole and read on, in words.
    fn health(&self, origin: &str, damage: Option<&tocsin_store::error::Damage>) -> String {
        let held = self.origins.held(origin, crate::origins::monotonic_ms());
        match (damage, held) {
            (Some(damage), _) => damage.to_string(),
            (None, Some(hold)) => hold.meaning().to_owned(),
            (None, None) => "whole".to_owned(),
        }
    }

    /// Members whose cosignatures of `origin` are held.
    pub(crate) fn cosigners(&self, origin: &tocsin_log::checkpoint::Origin) -> Vec<String> {
        self.cosignatures
            .of(origin)
            .into_iter()
            .map(|held| held.member)
            .collect()
    }

    /// The largest size of `origin` that a quorum holds.
    fn confirmed(&self, origin: &tocsin_log::checkpoint::Origin, size: u64) -> u64 {
        let members = self.alliance.member_count();
        let mut sizes: Vec<u64> = self
            .cosignatures
            .of(origin)
            .into_iter()
            .map(|held| held.size)
            .collect();
        sizes.push(size);
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let confirmed = (1..=sizes.len())
            .find(|count| quorum::grade(members, *count) == Grade::Confirmed)
            .and_then(|count| sizes.get(count - 1));
        confirmed.copied().unwrap_or_default()
    }

    /// Where a member's node is reached.
    pub(crate) fn endpoint(&self, member: &str) -> Option<&str> {
        let manifest = self
            .alliance
            .member(member)
            .and_then(|m| m.tls.endpoints.first());
        self.config
            .peers
            .get(member)
            .or(manifest)
            .map(String::as_str)
    }
}
