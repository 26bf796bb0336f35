//! `status`: the node, the members and their logs on one screen.

use serde_json::{Value, json};
use tocsin_wire::proto::{admin, v1};

use super::block::hex;
use crate::client;
use crate::connect::connect_admin;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::rpc::call;
use crate::session::Session;

/// `status`.
///
/// # Errors
/// When no node answers.
pub async fn run(session: &mut Session) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let mut roster = client!(node, roster_service_client, RosterServiceClient);
    let timeout = session.globals.timeout;
    let answer = call(timeout, roster.list_members(v1::ListMembersRequest {})).await?;
    let rows: Vec<Value> = answer
        .members
        .iter()
        .map(|member| {
            json!({
                "id": member.id, "jurisdiction": member.jurisdiction, "name": member.name,
                "state": member.state, "log": member.origin, "size": member.size,
                "connected": member.connected, "frozen": member.frozen,
                "endpoints": member.endpoints,
            })
        })
        .collect();
    let operator = match &node.context.admin {
        Some(address) => Some(admin_status(session, address).await?),
        None => None,
    };
    let value = json!({
        "endpoint": node.context.endpoint,
        "member": node.context.member,
        "alliance": node.alliance.label(),
        "genesis": node.alliance.genesis_hash().to_string(),
        "members": rows,
        "node": operator,
    });
    let columns = [
        ("node", "endpoint"),
        ("member", "member"),
        ("alliance", "alliance"),
        ("genesis", "genesis"),
    ];
    session.out.object("status", &columns, &value)?;
    if session.out.format() == crate::output::Format::Table {
        if let Some(operator) = &operator {
            let columns = [
                ("state", "state"),
                ("because", "reason"),
                ("running since", "started"),
                ("version", "software"),
                ("orders", "orders"),
                ("blocks in force", "blocks_in_force"),
                ("waiting decisions", "pending"),
                ("evidence", "evidence"),
            ];
            session.out.object("node", &columns, operator)?;
        }
        session.out.say("")?;
        let columns = [
            ("MEMBER", "id"),
            ("NAME", "name"),
            ("STATE", "state"),
            ("LOG", "log"),
            ("SIZE HERE", "size"),
            ("CONNECTED", "connected"),
            ("FROZEN", "frozen"),
        ];
        session.out.list("members", &columns, &rows)?;
    }
    Ok(Exit::Ok)
}

async fn admin_status(session: &Session, address: &str) -> Result<Value, Failure> {
    use admin::v1::admin_service_client::AdminServiceClient;
    let mut service = AdminServiceClient::new(connect_admin(address).await?);
    let request = admin::v1::GetStatusRequest {};
    let status = call(session.globals.timeout, service.get_status(request)).await?;
    let logs: Vec<Value> = status
        .logs
        .iter()
        .map(|log| {
            json!({
                "log": log.origin, "size": log.size, "root": hex(&log.root),
                "applied": log.applied, "confirmed": log.confirmed, "cosigners": log.cosigners,
                "frozen": log.frozen, "health": log.health,
            })
        })
        .collect();
    Ok(json!({
        "state": status.state,
        "reason": status.reason,
        "software": status.version,
        "started": instant::show(status.started_ms),
        "orders": status.orders,
        "blocks_in_force": status.blocks_in_force,
        "pending": status.pending,
        "evidence": status.evidence,
        "logs": logs,
    }))
}
