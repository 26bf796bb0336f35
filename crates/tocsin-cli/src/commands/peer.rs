//! `peer list`: the other members' nodes as ours sees them.

use serde_json::{Value, json};
use tocsin_wire::proto::admin::v1 as admin;
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;

use crate::connect::connect_admin;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::Column;
use crate::rpc::call;
use crate::session::Session;

const COLUMNS: [Column; 6] = [
    ("MEMBER", "member"),
    ("CONNECTED", "connected"),
    ("SINCE", "since"),
    ("ENDPOINT", "endpoint"),
    ("CERTIFICATE UNTIL", "certificate_until"),
    ("BECAUSE", "reason"),
];

/// `peer list`.
///
/// # Errors
/// When no admin address is known, or the node does not answer there.
pub async fn list(session: &mut Session, admin: Option<&str>) -> Result<Exit, Failure> {
    let address = session.admin(admin, "tocsin peer list")?;
    let timeout = session.globals.timeout;
    let mut service = AdminServiceClient::new(connect_admin(&address).await?)
        .max_decoding_message_size(crate::rpc::MAX_ANSWER_BYTES);
    let request = admin::ListPeersRequest {};
    let peers = call(timeout, service.list_peers(request)).await?.peers;
    let rows: Vec<Value> = peers.iter().map(row).collect();
    session.out.list("peer", &COLUMNS, &rows)?;
    Ok(Exit::Ok)
}

fn row(peer: &admin::Peer) -> Value {
    json!({
        "member": peer.member,
        "endpoint": peer.endpoint,
        "connected": peer.connected,
        "since": instant::show(peer.since_ms),
        "reason": peer.reason,
        "certificate_from": instant::show(peer.certificate_from_ms),
        "certificate_until": instant::show(peer.certificate_until_ms),
    })
}
