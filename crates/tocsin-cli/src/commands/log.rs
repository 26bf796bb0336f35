//! The signed logs: their heads, what stands in them, and a check of everything.

use serde_json::{Value, json};
use tocsin_core::roster::{Alliance, Member};
use tocsin_core::validate::Verdict;
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::cosign::cosigners;
use tocsin_log::entry::Entry;
use tocsin_log::hash::leaf_hash;
use tocsin_log::quorum::{Grade, grade};
use tocsin_log::tree::Tree;
use tocsin_wire::proto::v1;
use tonic::Streaming;

use crate::client;
use crate::context::member;
use crate::failure::{Exit, Failure};
use crate::output::Column;
use crate::rpc::call;
use crate::seen::{Seen, bodies};
use crate::session::{Node, Session};

/// Entries asked for at once; the most a node gives.
const CHUNK: u64 = 4_096;

const HEAD: &[Column] = &[
    ("log", "log"),
    ("size", "size"),
    ("root", "root"),
    ("cosigned by", "cosigners"),
    ("grade", "grade"),
];

/// A log's newest checkpoint, verified.
struct Head {
    signed: SignedCheckpoint,
    cosigners: Vec<String>,
}

/// `log head`.
///
/// # Errors
/// When the node has no checkpoint, or it does not verify.
pub async fn head(session: &mut Session, name: Option<String>) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let author = author(&node, name)?;
    let head = fetch_head(session, &node, author).await?;
    session
        .out
        .object("checkpoint", HEAD, &head.value(&node.alliance))?;
    session
        .out
        .say("Signature and cosignatures were verified.")?;
    Ok(Exit::Ok)
}

/// `log show`.
///
/// # Errors
/// When the node refuses, or an entry has not the form of one.
pub async fn show(
    session: &mut Session,
    name: Option<String>,
    start: u64,
    limit: u64,
) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let author = author(&node, name)?;
    let limit = limit.clamp(1, CHUNK);
    let mut entries = read(session, &node, author, start, limit).await?;
    let mut rows = Vec::new();
    while let Some(answer) = next(session, &mut entries).await? {
        let entry = Entry::decode(&answer.entry).map_err(|e| broken(author, answer.index, &e))?;
        let origin = author.origin.clone();
        rows.push(Seen::of_entry(entry, origin, answer.index, &node.alliance).row());
    }
    let columns = [
        ("INDEX", "index"),
        ("CREATED", "created"),
        ("ACT", "act"),
        ("NAME", "name"),
        ("TITLE", "title"),
        ("SIGNED BY", "signed_by"),
        ("VERDICT", "verdict"),
        ("WHY", "reason"),
    ];
    session.out.list("entries", &columns, &rows)?;
    Ok(Exit::Ok)
}

/// `log audit`.
///
/// # Errors
/// A verification failure when an entry, root, note or cosignature does not hold; the logs that do
/// are listed before.
pub async fn audit(session: &mut Session, names: &[String]) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let authors: Vec<&Member> = if names.is_empty() {
        node.alliance.members().collect()
    } else {
        names
            .iter()
            .map(|name| member(&node.alliance, name))
            .collect::<Result<_, _>>()?
    };
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for author in authors {
        match audit_one(session, &node, author).await {
            Ok(row) => rows.push(row),
            Err(failure) if failure.exit == Exit::NotFound => {
                rows.push(json!({"log": author.origin.to_string(), "size": 0, "result": "empty"}));
            }
            Err(failure) if failure.exit == Exit::Unverified => failures.push(failure),
            Err(failure) => return Err(failure),
        }
    }
    let columns = [
        ("LOG", "log"),
        ("SIZE", "size"),
        ("ROOT", "root"),
        ("VALID", "valid"),
        ("OPAQUE", "opaque"),
        ("INVALID", "invalid"),
        ("COSIGNED BY", "cosigners"),
        ("RESULT", "result"),
    ];
    session.out.list("audit", &columns, &rows)?;
    let Some(first) = failures.first().cloned() else {
        session
            .out
            .say("Every entry was hashed again to the signed root of its log.")?;
        return Ok(Exit::Ok);
    };
    let others = failures
        .iter()
        .skip(1)
        .map(|failure| failure.message.clone());
    Err(others.fold(first, Failure::detail))
}

async fn audit_one(session: &Session, node: &Node, author: &Member) -> Result<Value, Failure> {
    let head = fetch_head(session, node, author).await?;
    let size = head.signed.checkpoint().size;
    let progress = session
        .out
        .progress(&format!("auditing {}", author.id), Some(size));
    let mut tree = Tree::new();
    let (mut valid, mut opaque, mut invalid) = (0_u64, 0_u64, 0_u64);
    while tree.size() < size {
        let limit = CHUNK.min(size - tree.size());
        let before = tree.size();
        let mut entries = read(session, node, author, before, limit).await?;
        while let Some(answer) = next(session, &mut entries).await? {
            if answer.index != tree.size() || answer.index >= size {
                let why = format!("entry {} was sent for {}", answer.index, tree.size());
                return Err(broken(author, tree.size(), &why));
            }
            tree.append(leaf_hash(&answer.entry));
            progress.add(1);
            match judge(node, author, &answer)? {
                Some(Verdict::Valid(_)) => valid += 1,
                Some(Verdict::Opaque { .. }) => opaque += 1,
                Some(Verdict::Invalid(_)) | None => invalid += 1,
            }
        }
        if tree.size() == before {
            return Err(broken(author, before, &"the node does not send it"));
        }
    }
    if tree.root() != head.signed.checkpoint().root {
        let log = &author.origin;
        return Err(
            Failure::unverified("ROOT_MISMATCH", format!("{log} is not what was signed"))
                .detail(format!("signed  {}", head.signed.checkpoint().root))
                .detail(format!("entries {}", tree.root()))
                .advice(
                    "stop, and tell the operator: this node serves other entries than were signed",
                ),
        );
    }
    let mut row = head.value(&node.alliance);
    if let Some(fields) = row.as_object_mut() {
        fields.insert("valid".into(), json!(valid));
        fields.insert("opaque".into(), json!(opaque));
        fields.insert("invalid".into(), json!(invalid));
        fields.insert("result".into(), json!("whole"));
    }
    Ok(row)
}

/// What an entry is worth; none when it is no entry at all. Bodies sent with it must be those it
/// names.
fn judge(
    node: &Node,
    author: &Member,
    answer: &v1::ReadEntriesResponse,
) -> Result<Option<Verdict>, Failure> {
    let Ok(entry) = Entry::decode(&answer.entry) else {
        return Ok(None);
    };
    let seen = Seen::of_entry(entry, author.origin.clone(), answer.index, &node.alliance);
    if let Some(statement) = &seen.statement {
        bodies(statement, &answer.bodies).map_err(|why| broken(author, answer.index, &why))?;
    }
    Ok(Some(seen.verdict))
}

async fn fetch_head(session: &Session, node: &Node, author: &Member) -> Result<Head, Failure> {
    let mut log = client!(node, log_service_client, LogServiceClient);
    let request = v1::GetCheckpointRequest {
        log: author.origin.to_string(),
    };
    let answer = call(session.globals.timeout, log.get_checkpoint(request)).await?;
    if answer.note.is_empty() {
        return Err(Failure::new(
            Exit::NotFound,
            format!("{} has no checkpoint yet", author.origin),
        ));
    }
    let bad = |why: String| {
        let text = format!("the checkpoint of {} does not verify: {why}", author.origin);
        Failure::unverified("NOTE_INVALID", text).advice("tell the operator of this node")
    };
    let signed = SignedCheckpoint::open(&answer.note, &author.origin, &author.log_key)
        .map_err(|e| bad(e.to_string()))?;
    let names: Vec<(String, &Member)> = node
        .alliance
        .members()
        .map(|m| (m.origin.mirror_name(), m))
        .collect();
    let mirrors = names
        .iter()
        .map(|(name, mirror)| (name.as_str(), &mirror.mirror_key));
    let known = cosigners(&signed, mirrors).map_err(|e| bad(e.to_string()))?;
    let who = names
        .iter()
        .filter(|(name, _)| known.contains_key(name.as_str()));
    let cosigners = who.map(|(_, mirror)| mirror.id.clone()).collect();
    Ok(Head { signed, cosigners })
}

impl Head {
    fn value(&self, alliance: &Alliance) -> Value {
        let checkpoint = self.signed.checkpoint();
        let held = match grade(alliance.member_count(), self.cosigners.len() + 1) {
            Grade::Local => "local",
            Grade::Replicated => "replicated",
            Grade::Confirmed => "confirmed",
        };
        json!({
            "log": checkpoint.origin.to_string(),
            "size": checkpoint.size,
            "root": checkpoint.root.to_string(),
            "cosigners": self.cosigners,
            "grade": held,
        })
    }
}

async fn read(
    session: &Session,
    node: &Node,
    author: &Member,
    start: u64,
    limit: u64,
) -> Result<Streaming<v1::ReadEntriesResponse>, Failure> {
    let mut log = client!(node, log_service_client, LogServiceClient);
    let request = v1::ReadEntriesRequest {
        log: author.origin.to_string(),
        start,
        limit,
    };
    call(session.globals.timeout, log.read_entries(request)).await
}

async fn next(
    session: &Session,
    entries: &mut Streaming<v1::ReadEntriesResponse>,
) -> Result<Option<v1::ReadEntriesResponse>, Failure> {
    match tokio::time::timeout(session.globals.timeout, entries.message()).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(status)) => Err(crate::rpc::failure(&status)),
        Err(_) => Err(Failure::new(Exit::Unreachable, "the node stopped sending")),
    }
}

fn author(node: &Node, name: Option<String>) -> Result<&Member, Failure> {
    match name {
        Some(name) => member(&node.alliance, &name.to_lowercase()),
        None => node.member(),
    }
}

fn broken(author: &Member, index: u64, why: &dyn std::fmt::Display) -> Failure {
    let text = format!("entry {index} of {} is broken: {why}", author.origin);
    Failure::unverified("ENTRY_BROKEN", text).advice("tell the operator of this node")
}
