//! The blocks of one jurisdiction as the node knows them now, and how old that is: all that leaves
//! the node is their snapshot, and no declaration ever comes to it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, Notice};
use tocsin_log::hash::Hash;
use tocsin_screen::answer::{Age, Basis};
use tocsin_wire::proto::v1::{self, watch_notices_response::Event};

use crate::client;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::rpc::{self, call};
use crate::session::{Node, Session};

/// Blocks of one snapshot, at most: ten times what any alliance has.
const MAX_BLOCKS: usize = 2_000_000;

/// What the node knows, frozen.
#[derive(Debug)]
pub(super) struct State {
    /// The present state of every block.
    pub(super) notices: Vec<Notice>,
    /// What it is known at.
    pub(super) basis: Basis,
    /// The position as clients keep it.
    pub(super) cursor: String,
    /// Whose blocks.
    pub(super) jurisdiction: String,
    /// How far the node knows each member, and whether that is too old to rely on: what rests on
    /// such a one is to be looked at.
    members: Vec<v1::Member>,
    /// Blocks that this version cannot read.
    pub(super) unread: Vec<String>,
}

impl State {
    /// Asks the node.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub(super) async fn ask(
        session: &Session,
        jurisdiction: Option<&str>,
    ) -> Result<Self, Failure> {
        let node = session.node().await?;
        let jurisdiction = match jurisdiction {
            Some(code) => code.to_uppercase(),
            None => own(&node),
        };
        let (messages, cursor) = snapshot(session, &node, &jurisdiction).await?;
        let mut roster = client!(node, roster_service_client, RosterServiceClient);
        let timeout = session.globals.timeout;
        let members = call(timeout, roster.list_members(v1::ListMembersRequest {})).await?;
        let mut state = Self {
            notices: Vec::with_capacity(messages.len()),
            basis: basis(&node, &cursor, &jurisdiction, &members.members),
            cursor,
            members: members.members,
            jurisdiction,
            unread: Vec::new(),
        };
        state.take(&node, messages);
        Ok(state)
    }

    fn take(&mut self, node: &Node, messages: BTreeMap<String, v1::Notice>) {
        let is_stale = |id: &str| {
            self.members
                .iter()
                .any(|member| member.stale && member.id == id)
        };
        let here = node.alliance.by_jurisdiction(&self.jurisdiction);
        let is_local_stale = here.is_some_and(|member| is_stale(&member.id));
        for (block, message) in messages {
            let issuer = message.order.split('-').next().unwrap_or_default();
            let issuer = node.alliance.by_jurisdiction(issuer);
            let is_doubtful = is_local_stale || issuer.is_some_and(|member| is_stale(&member.id));
            let log = issuer.map(|member| format!("{}/{}", node.alliance.label(), member.id));
            let log = log.unwrap_or_default();
            match tocsin_wire::notice::read(message, &log) {
                Ok(mut notice) => {
                    // It may have been called back by a word that has not come.
                    if is_doubtful && notice.is_blocking() {
                        notice.state = BlockState::Review;
                        "the state known of it is too old".clone_into(&mut notice.reason);
                    }
                    self.notices.push(notice);
                }
                Err(_) => self.unread.push(block),
            }
        }
    }

    /// SHA-256 over the state of every block at an instant: equal where screening answers alike.
    pub(super) fn digest(&self, now_ms: i64) -> String {
        let mut text = String::new();
        for notice in &self.notices {
            let Notice {
                block,
                version,
                state,
                from_ms,
                until_ms,
                ..
            } = notice;
            let has_begun = *from_ms <= now_ms;
            let is_over = *until_ms != 0 && *until_ms <= now_ms;
            text.push_str(&format!(
                "{block} {version} {state} {has_begun} {is_over}\n"
            ));
        }
        Hash::of(text.as_bytes()).to_string()
    }

    /// Whether nothing that was not found may be taken for not there.
    pub(super) fn is_stale(&self) -> bool {
        self.members.iter().any(|member| member.stale) || !self.unread.is_empty()
    }

    /// Blocks that can stop goods or have them looked at.
    pub(super) fn speaking(&self) -> usize {
        let speaks = |notice: &&Notice| tocsin_screen::rules::can_speak(notice.state);
        self.notices.iter().filter(speaks).count()
    }

    /// How old each member's state is, as objects to print.
    pub(super) fn ages(&self, now_ms: i64) -> Vec<Value> {
        let age = |member: &v1::Member| {
            json!({
                "member": member.id,
                "known_until": instant::show(member.known_until_ms),
                "age_s": now_ms.saturating_sub(member.known_until_ms).max(0) / 1_000,
                "frozen": member.frozen,
                "stale": member.stale,
            })
        };
        self.members.iter().map(age).collect()
    }

    /// Keeps only blocks that came to what they are since an instant.
    pub(super) fn since_instant(&mut self, since_ms: i64) {
        self.notices.retain(|notice| notice.since_ms >= since_ms);
    }

    /// Keeps only blocks of which the node tells something since a cursor.
    ///
    /// # Errors
    /// When the node does not take the cursor.
    pub(super) async fn since_cursor(
        &mut self,
        session: &Session,
        cursor: &str,
    ) -> Result<(), Failure> {
        let node = session.node().await?;
        let request = v1::WatchNoticesRequest {
            jurisdiction: self.jurisdiction.clone(),
            start: v1::WatchStart::Cursor.into(),
            cursor: cursor.to_owned(),
            ..v1::WatchNoticesRequest::default()
        };
        let (changed, _) = watch(session, &node, request, Until::Heartbeat).await?;
        self.notices
            .retain(|notice| changed.contains_key(&notice.block));
        Ok(())
    }
}

fn own(node: &Node) -> String {
    let member = node.alliance.member(&node.context.member);
    member.map_or_else(String::new, |member| member.jurisdiction.clone())
}

fn basis(node: &Node, cursor: &str, jurisdiction: &str, members: &[v1::Member]) -> Basis {
    let view = View::new(node.alliance.genesis_hash(), jurisdiction, "");
    let position = Cursor::decode(cursor, &view).unwrap_or_else(|_| Cursor {
        view: View::NONE,
        vector: Vector::default(),
    });
    let age = |member: &v1::Member| Age {
        origin: member.origin.clone(),
        as_of_ms: member.known_until_ms,
        is_frozen: member.frozen,
    };
    Basis {
        position,
        ages: members.iter().map(age).collect(),
    }
}

/// Where a stream of notices has said enough.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// At the end of the snapshot.
    SnapshotEnd,
    /// At the first sign that there is nothing new.
    Heartbeat,
}

async fn snapshot(
    session: &Session,
    node: &Node,
    jurisdiction: &str,
) -> Result<(BTreeMap<String, v1::Notice>, String), Failure> {
    let request = v1::WatchNoticesRequest {
        jurisdiction: jurisdiction.to_owned(),
        start: v1::WatchStart::Beginning.into(),
        include_snapshot: true,
        ..v1::WatchNoticesRequest::default()
    };
    watch(session, node, request, Until::SnapshotEnd).await
}

/// The latest notice of each block until the stream has said enough, and the cursor there.
async fn watch(
    session: &Session,
    node: &Node,
    request: v1::WatchNoticesRequest,
    until: Until,
) -> Result<(BTreeMap<String, v1::Notice>, String), Failure> {
    let silent = || {
        Failure::new(
            Exit::Unreachable,
            "the node did not send its blocks in time",
        )
        .code("TIMED_OUT")
        .advice("try again, or wait longer with --timeout 2m")
    };
    let progress = session.out.progress("blocks", None);
    let mut notices = client!(node, notice_service_client, NoticeServiceClient);
    let timeout = session.globals.timeout;
    let mut events = call(timeout, notices.watch_notices(request)).await?;
    let mut found: BTreeMap<String, v1::Notice> = BTreeMap::new();
    loop {
        let next = tokio::time::timeout(timeout, events.message()).await;
        let message = next.map_err(|_| silent())?.map_err(|s| rpc::failure(&s))?;
        let Some(message) = message else {
            return Err(silent());
        };
        match message.event {
            Some(Event::Notice(notice)) => {
                progress.add(1);
                if found.len() >= MAX_BLOCKS {
                    let why = format!("the node has more than {MAX_BLOCKS} blocks");
                    return Err(Failure::new(Exit::Failed, why));
                }
                found.insert(notice.block.clone(), notice);
            }
            Some(Event::SnapshotEnd(_)) if until == Until::SnapshotEnd => {
                return Ok((found, message.cursor));
            }
            Some(Event::Heartbeat(_)) if until == Until::Heartbeat => {
                return Ok((found, message.cursor));
            }
            Some(Event::Goodbye(_)) => return Err(silent()),
            Some(Event::Heartbeat(_) | Event::SnapshotEnd(_)) | None => {}
        }
    }
}
