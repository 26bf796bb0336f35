//! `status`: the node, the members and their logs on one screen.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_wire::proto::{admin, v1};

use super::block::hex;
use crate::client;
use crate::connect::connect_admin;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format};
use crate::rpc::call;
use crate::session::{Node, Session};

const OVERVIEW: [Column; 4] = [
    ("node", "endpoint"),
    ("member", "member"),
    ("alliance", "alliance"),
    ("genesis", "genesis"),
];

const NODE: [Column; 9] = [
    ("state", "state"),
    ("because", "reason"),
    ("running since", "started"),
    ("version", "software"),
    ("certificate", "certificate"),
    ("orders", "told_orders"),
    ("waiting", "told_waiting"),
    ("watchers", "watchers"),
    ("evidence", "evidence"),
];

/// What any client sees of the members.
const MEMBERS: [Column; 6] = [
    ("MEMBER", "id"),
    ("NAME", "name"),
    ("STATE", "state"),
    ("CONNECTED", "connected"),
    ("ENTRIES", "size"),
    ("FROZEN", "frozen"),
];

/// What the operator sees besides.
const MEMBERS_AND_LOGS: [Column; 8] = [
    ("MEMBER", "id"),
    ("CONNECTED", "connected"),
    ("ENTRIES", "size"),
    ("BEHIND", "behind"),
    ("CONFIRMED", "confirmed"),
    ("HELD BY", "cosigners"),
    ("CERTIFICATE", "certificate"),
    ("REMARK", "remark"),
];

/// `status`.
///
/// # Errors
/// When no node answers.
pub async fn run(session: &mut Session) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let mut roster = client!(node, roster_service_client, RosterServiceClient);
    let timeout = session.globals.timeout;
    let answer = call(timeout, roster.list_members(v1::ListMembersRequest {})).await?;
    let operator = match &node.context.admin {
        Some(address) => Some(Operator::ask(session, address).await?),
        None => None,
    };
    let now_ms = instant::now_ms();
    let rows: Vec<Value> = answer
        .members
        .iter()
        .map(|member| row(member, operator.as_ref(), now_ms))
        .collect();
    let told = operator.as_ref().map(|operator| operator.json(now_ms));
    let value = overview(&node, &rows, told.as_ref());
    session.out.object("status", &OVERVIEW, &value)?;
    if session.out.format() != Format::Table {
        return Ok(Exit::Ok);
    }
    if let Some(told) = &told {
        session.out.object("node", &NODE, told)?;
    }
    session.out.say("")?;
    match &operator {
        Some(_) => session.out.list("members", &MEMBERS_AND_LOGS, &rows)?,
        None => session.out.list("members", &MEMBERS, &rows)?,
    }
    if let Some(Operator { status, .. }) = &operator
        && status.pending + status.drafts > 0
    {
        session
            .out
            .say("\nWhat waits for people:  tocsin pending")?;
    }
    Ok(Exit::Ok)
}

fn overview(node: &Node, rows: &[Value], operator: Option<&Value>) -> Value {
    json!({
        "endpoint": node.context.endpoint,
        "member": node.context.member,
        "alliance": node.alliance.label(),
        "genesis": node.alliance.genesis_hash().to_string(),
        "members": rows,
        "node": operator,
    })
}

/// What the node tells whoever stands at its machine.
struct Operator {
    status: admin::v1::GetStatusResponse,
    /// By origin.
    logs: BTreeMap<String, admin::v1::LogStatus>,
    peers: BTreeMap<String, admin::v1::Peer>,
}

impl Operator {
    async fn ask(session: &Session, address: &str) -> Result<Self, Failure> {
        use admin::v1::admin_service_client::AdminServiceClient;
        let timeout = session.globals.timeout;
        let mut service = AdminServiceClient::new(connect_admin(address).await?);
        let request = admin::v1::GetStatusRequest {};
        let status = call(timeout, service.get_status(request)).await?;
        let request = admin::v1::ListPeersRequest {};
        let peers = call(timeout, service.list_peers(request)).await?.peers;
        let logs = status
            .logs
            .iter()
            .map(|log| (log.origin.clone(), log.clone()));
        let peers = peers.into_iter().map(|peer| (peer.member.clone(), peer));
        Ok(Self {
            logs: logs.collect(),
            peers: peers.collect(),
            status,
        })
    }

    fn json(&self, now_ms: i64) -> Value {
        let status = &self.status;
        let logs: Vec<Value> = status
            .logs
            .iter()
            .map(|log| {
                json!({
                    "log": log.origin, "size": log.size, "root": hex(&log.root),
                    "applied": log.applied, "confirmed": log.confirmed,
                    "cosigners": log.cosigners, "frozen": log.frozen, "health": log.health,
                    "known": log.known, "fresh": instant::show(log.fresh_ms),
                })
            })
            .collect();
        let (from_ms, until_ms) = (status.certificate_from_ms, status.certificate_until_ms);
        json!({
            "state": status.state,
            "reason": status.reason,
            "software": status.version,
            "started": instant::show(status.started_ms),
            "orders": status.orders,
            "blocks_in_force": status.blocks_in_force,
            "pending": status.pending,
            "drafts": status.drafts,
            "watchers": status.watchers,
            "evidence": status.evidence,
            "certificate": life(from_ms, until_ms, now_ms),
            "certificate_until": instant::show(until_ms),
            "told_orders": format!("{}, {} in force here", status.orders, status.blocks_in_force),
            "told_waiting": waiting(status),
            "logs": logs,
        })
    }
}

fn waiting(status: &admin::v1::GetStatusResponse) -> String {
    let decisions = match status.pending {
        1 => "1 decision".to_owned(),
        count => format!("{count} decisions"),
    };
    match status.drafts {
        0 => decisions,
        1 => format!("{decisions}, 1 draft for a second officer"),
        count => format!("{decisions}, {count} drafts for a second officer"),
    }
}

fn row(member: &v1::Member, operator: Option<&Operator>, now_ms: i64) -> Value {
    let mut row = json!({
        "id": member.id, "jurisdiction": member.jurisdiction, "name": member.name,
        "state": member.state, "log": member.origin, "size": member.size,
        "connected": member.connected, "frozen": member.frozen,
        "endpoints": member.endpoints,
    });
    let Some((fields, operator)) = row.as_object_mut().zip(operator) else {
        return row;
    };
    let log = operator.logs.get(&member.origin);
    let peer = operator.peers.get(&member.id);
    let behind = log.map_or(0, |log| log.known.saturating_sub(log.size));
    let (from_ms, until_ms) = match peer {
        Some(peer) => (peer.certificate_from_ms, peer.certificate_until_ms),
        None => {
            let status = &operator.status;
            (status.certificate_from_ms, status.certificate_until_ms)
        }
    };
    let more = [
        ("behind", json!(behind)),
        ("confirmed", json!(log.map_or(0, |log| log.confirmed))),
        ("cosigners", json!(log.map(|log| &log.cosigners))),
        ("certificate", json!(life(from_ms, until_ms, now_ms))),
        ("certificate_until", json!(instant::show(until_ms))),
        ("remark", json!(remark(member, log, peer))),
    ];
    fields.extend(more.map(|(key, value)| (key.to_owned(), value)));
    row
}

/// What is not as it should be, the worst first; empty when all is well.
fn remark(
    member: &v1::Member,
    log: Option<&admin::v1::LogStatus>,
    peer: Option<&admin::v1::Peer>,
) -> String {
    let mut remarks = Vec::new();
    if member.frozen {
        remarks.push("frozen: two histories".to_owned());
    }
    if let Some(log) = log {
        if log.health != "whole" {
            remarks.push(log.health.clone());
        }
        let waiting = log.size.saturating_sub(log.applied);
        if waiting > 0 {
            remarks.push(format!("{waiting} not applied yet"));
        }
    }
    if let Some(peer) = peer.filter(|peer| !peer.connected) {
        let since = instant::show(peer.since_ms);
        remarks.push(format!("gone since {since}: {}", peer.reason));
    }
    remarks.join("; ")
}

/// How much of a certificate's life is left, in words; empty where it was not seen.
fn life(from_ms: i64, until_ms: i64, now_ms: i64) -> String {
    if until_ms == 0 {
        return String::new();
    }
    let life = until_ms.saturating_sub(from_ms).max(1);
    let left = until_ms.saturating_sub(now_ms).max(0);
    let percent = (i128::from(left) * 100 / i128::from(life)).min(100);
    let days = left / 86_400_000;
    let word = match percent {
        0 if left == 0 => "over",
        0..10 => "renew now",
        10..33 => "renew",
        _ => "",
    };
    let text = format!("{percent} % left, {days} d");
    if word.is_empty() {
        text
    } else {
        format!("{text}: {word}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_certificate_says_when_it_is_to_be_renewed() {
        for (left, wanted) in [
            (60, "60 % left, 60 d"),
            (33, "33 % left, 33 d"),
            (20, "20 % left, 20 d: renew"),
            (9, "9 % left, 9 d: renew now"),
            (0, "0 % left, 0 d: over"),
            (-5, "0 % left, 0 d: over"),
        ] {
            assert_eq!(life(0, 100 * DAY, (100 - left) * DAY), wanted);
        }
        assert_eq!(life(0, 0, DAY), "", "not seen");
    }

    #[test]
    fn a_member_with_which_all_is_well_has_no_remark() {
        let member = v1::Member::default();
        let log = admin::v1::LogStatus {
            health: "whole".to_owned(),
            ..admin::v1::LogStatus::default()
        };
        let peer = admin::v1::Peer {
            connected: true,
            ..admin::v1::Peer::default()
        };
        assert_eq!(remark(&member, Some(&log), Some(&peer)), "");
        let gone = admin::v1::Peer {
            reason: "connection refused".to_owned(),
            since_ms: DAY,
            ..admin::v1::Peer::default()
        };
        let behind = admin::v1::LogStatus { size: 3, ..log };
        let told = remark(&member, Some(&behind), Some(&gone));
        assert!(
            told.starts_with("3 not applied yet; gone since 1970-01-02"),
            "{told}"
        );
    }
}
