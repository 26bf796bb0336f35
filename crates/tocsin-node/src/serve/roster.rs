//! `RosterService`: who belongs to the alliance, and what this node holds of each.

use std::sync::Arc;

use tocsin_core::roster;
use tocsin_store::reader::LogReader;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::roster_service_server::RosterService;
use tonic::{Request, Response, Status};

use crate::clock;
use crate::freshness::Stale;
use crate::identity::identity;
use crate::node::Node;

/// Serves the roster to any member's client.
#[derive(Debug)]
pub(crate) struct Roster {
    node: Arc<Node>,
}

impl Roster {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn member(
        &self,
        member: &roster::Member,
        connected: bool,
        stale: &Stale,
        now_ms: i64,
    ) -> v1::Member {
        let node = &self.node;
        let origin = member.origin.to_string();
        v1::Member {
            id: member.id.clone(),
            jurisdiction: member.jurisdiction.clone(),
            name: member.name.clone(),
            // Leaving comes with later rosters; in the first everyone is.
            state: "active".to_owned(),
            size: node.logs.reader(&origin).map_or(0, LogReader::size),
            connected,
            frozen: node.evidence.is_frozen(&origin),
            endpoints: member.tls.endpoints.clone(),
            known_until_ms: node.known_until(member, now_ms),
            stale: stale.has(&member.id),
            origin,
        }
    }
}

#[tonic::async_trait]
impl RosterService for Roster {
    async fn get_roster(
        &self,
        request: Request<v1::GetRosterRequest>,
    ) -> Result<Response<v1::GetRosterResponse>, Status> {
        identity(&request)?;
        let (roster, manifests) = self.node.roster_envelopes();
        Ok(Response::new(v1::GetRosterResponse {
            alliance: self.node.alliance.label().to_owned(),
            genesis_sha256: self.node.alliance.genesis_hash().as_bytes().to_vec(),
            roster: Some(roster),
            manifests,
        }))
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        identity(&request)?;
        let links = self.node.peers.links();
        // Our own node is no peer of ours, and always reached.
        let is_reached = |id: &str| links.get(id).is_none_or(|link| link.connected);
        let members = self.node.alliance.members();
        let now_ms = clock::now_ms();
        let stale = Stale::of(&self.node, &self.node.member().jurisdiction, now_ms);
        let members =
            members.map(|member| self.member(member, is_reached(&member.id), &stale, now_ms));
        Ok(Response::new(v1::ListMembersResponse {
            members: members.collect(),
        }))
    }
}
