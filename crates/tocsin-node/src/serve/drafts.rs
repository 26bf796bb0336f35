//! `DraftService`: how a second officer signs without a file being mailed.
//!
//! For this member's officers alone; its auditors may look. A draft is an act that nobody has taken
//! yet, so other members' clients do not even learn that there is one.

use std::sync::Arc;

use tocsin_core::name::prefix;
use tocsin_core::statement::Act;
use tocsin_wire::envelope::{read_statement, write_statement};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::draft_service_server::DraftService;
use tonic::{Request, Response, Status};

use crate::drafts::{self, Held};
use crate::identity::{PeerIdentity, Role, identity};
use crate::limits;
use crate::node::Node;
use crate::serve::page::Page;
use crate::status::{Reason, Refusal};

/// Keeps and shows drafts.
#[derive(Debug)]
pub(crate) struct DraftDesk {
    node: Arc<Node>,
}

impl DraftDesk {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn may_change(&self, caller: &PeerIdentity) -> Result<(), Refusal> {
        caller.require_role(&self.node.config.member, Role::Officer)
    }

    fn may_look(&self, caller: &PeerIdentity) -> Result<(), Refusal> {
        let home = &self.node.config.member;
        let auditor = caller.require_role(home, Role::Auditor);
        auditor.or_else(|_| self.may_change(caller))
    }

    fn list(&self, asked: &v1::ListDraftsRequest) -> Result<v1::ListDraftsResponse, Refusal> {
        let person = &asked.waiting_for;
        if !person.is_empty() && !drafts::is_officer(&self.node, person) {
            return Err(Refusal::of(Reason::FieldInvalid)
                .saying("no officer of this member has this pseudonym; the manifest lists them")
                .at("waiting_for"));
        }
        let page = Page::read(asked.page_size, &asked.page_token, &["drafts", person])?;
        let all = self.node.drafts.all(&self.node);
        let rest = all.into_iter().filter_map(|held| {
            let is_wanted = person.is_empty() || held.waits_for(person);
            let key = format!("{:020}-{}", held.expires_ms(), held.statement_id());
            let is_next = page.after().is_none_or(|after| *key > *after);
            (is_wanted && is_next).then_some((key, held))
        });
        let item =
            |(key, held): (String, Arc<Held>)| (key, Ok::<_, Refusal>(message(&self.node, &held)));
        let (drafts, next_page_token) = page.fill(rest.map(item))?;
        Ok(v1::ListDraftsResponse {
            drafts,
            next_page_token,
        })
    }
}

fn message(node: &Node, held: &Held) -> v1::Draft {
    let id = held.statement_id();
    let (short_name, title) = drafts::summary(node, held);
    v1::Draft {
        name: format!("members/{}/drafts/{}", node.member().id, prefix(&id)),
        statement_id: id.as_bytes().to_vec(),
        statement: Some(write_statement(&held.entry)),
        bodies: held.bodies.clone(),
        kind: kind(&held.statement.act).to_owned(),
        short_name,
        title,
        signed_by: held.signed.persons.iter().cloned().collect(),
        missing: held.signed.missing,
        put_ms: held.put_ms,
        expires_ms: held.expires_ms(),
    }
}

const fn kind(act: &Act) -> &'static str {
    match act {
        Act::Report(_) => "report",
        Act::Indicator(_) => "indicator",
        Act::Order(_) => "order",
        Act::OrderAct(_) => "order act",
        Act::Decision(_) => "decision",
        Act::PolicyPack(_) => "policy",
    }
}

#[tonic::async_trait]
impl DraftService for DraftDesk {
    async fn put_draft(
        &self,
        request: Request<v1::PutDraftRequest>,
    ) -> Result<Response<v1::PutDraftResponse>, Status> {
        self.may_change(identity(&request)?)?;
        let asked = request.into_inner();
        let entry = read_statement(asked.statement.as_ref()).map_err(|error| {
            let refused = tocsin_core::reason::Refusal::at(error.reason(), "statement");
            Refusal::from(refused.with(error.to_string()))
        })?;
        let held = self.node.drafts.put(&self.node, entry, asked.bodies);
        let draft = message(&self.node, &*held.await?);
        Ok(Response::new(v1::PutDraftResponse { draft: Some(draft) }))
    }

    async fn get_draft(
        &self,
        request: Request<v1::GetDraftRequest>,
    ) -> Result<Response<v1::GetDraftResponse>, Status> {
        self.may_look(identity(&request)?)?;
        let name = &request.get_ref().name;
        let draft = tokio::task::block_in_place(|| {
            let held = self.node.drafts.named(&self.node, name)?;
            Ok::<_, Refusal>(message(&self.node, &held))
        })?;
        Ok(Response::new(v1::GetDraftResponse { draft: Some(draft) }))
    }

    async fn list_drafts(
        &self,
        request: Request<v1::ListDraftsRequest>,
    ) -> Result<Response<v1::ListDraftsResponse>, Status> {
        self.may_look(identity(&request)?)?;
        let drafts = tokio::task::block_in_place(|| self.list(request.get_ref()))?;
        Ok(Response::new(drafts))
    }

    async fn discard_draft(
        &self,
        request: Request<v1::DiscardDraftRequest>,
    ) -> Result<Response<v1::DiscardDraftResponse>, Status> {
        let caller = identity(&request)?;
        self.may_change(caller)?;
        let (asked, client) = (request.get_ref(), caller.to_string());
        if asked.reason.chars().count() > limits::MAX_DRAFT_REASON_CHARS {
            return Err(Refusal::of(Reason::FieldInvalid).at("reason").into());
        }
        let (node, name) = (&self.node, &asked.name);
        let discarded = node.drafts.discard(node, name, &client, &asked.reason);
        discarded.await?;
        Ok(Response::new(v1::DiscardDraftResponse {}))
    }
}
