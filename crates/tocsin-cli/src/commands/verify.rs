//! `verify`: what an evidence file proves, offline; or the same for a statement fetched by name.

use std::path::Path;

use serde_json::{Map, Value, json};
use tocsin_core::name::resource;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_wire::body::BodyKind;
use tocsin_wire::bundle::verify::{Verified, verify};
use tocsin_wire::bundle::{BundleError, MAX_BUNDLE_BYTES};
use tocsin_wire::proto::v1;

use crate::args::VerifyArgs;
use crate::client;
use crate::codes;
use crate::context::hash_from_text;
use crate::failure::{Exit, Failure};
use crate::files::{Mode, read_bounded, write_new};
use crate::instant;
use crate::output::Column;
use crate::rpc::call;
use crate::session::{Node, Session};
use crate::show;

const COLUMNS: &[Column] = &[
    ("result", "result"),
    ("statement", "name"),
    ("title", "title"),
    ("EXERCISE", "exercise"),
    ("said by", "member"),
    ("signed by", "signed_by"),
    ("created", "created"),
    ("accepted as of", "accepted_as_of"),
    ("log", "log"),
    ("index", "index"),
    ("grade", "grade"),
    ("cosigned by", "cosigners"),
    ("bodies withheld", "withheld"),
    ("statement id", "statement_id"),
    ("alliance", "alliance"),
    ("genesis", "genesis"),
];

const MANY: &[Column] = &[
    ("FILE", "target"),
    ("RESULT", "result"),
    ("STATEMENT", "name"),
    ("SIGNED BY", "signed_by"),
    ("ACCEPTED AS OF", "accepted_as_of"),
    ("GRADE", "grade"),
    ("TITLE", "title"),
];

/// `verify FILE-or-NAME..`.
///
/// # Errors
/// A verification failure with its reason; also when nothing anchors what is consistent.
pub async fn run(session: &mut Session, args: &VerifyArgs) -> Result<Exit, Failure> {
    let named = args.genesis.as_deref().map(hash_from_text).transpose()?;
    let [target] = args.targets.as_slice() else {
        return many(session, args, named).await;
    };
    let verified = open(session, target, named, args.save.as_deref()).await?;
    session
        .out
        .object("verification", COLUMNS, &describe(&verified))?;
    anchored(&verified)?;
    session
        .out
        .say("Authentic. Whether it still counts is not known offline: ask a node.")?;
    Ok(Exit::Ok)
}

/// One line for each of several; what fails is named after all were tried.
async fn many(
    session: &mut Session,
    args: &VerifyArgs,
    named: Option<Hash>,
) -> Result<Exit, Failure> {
    if args.save.is_some() {
        return Err(
            Failure::usage("--save keeps one bundle, and several were named")
                .advice("fetch them one at a time"),
        );
    }
    let total = u64::try_from(args.targets.len()).unwrap_or(u64::MAX);
    let progress = session.out.progress("verifying", Some(total));
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for target in &args.targets {
        let outcome = match open(session, target, named, None).await {
            Ok(verified) => anchored(&verified).map(|()| describe(&verified)),
            Err(failure) => Err(failure),
        };
        let mut row = match outcome {
            Ok(value) => value,
            Err(failure) => {
                let result = failure
                    .code
                    .clone()
                    .unwrap_or_else(|| failure.message.clone());
                failures.push(failure.detail(target.clone()));
                json!({"result": result})
            }
        };
        if let Some(fields) = row.as_object_mut() {
            fields.insert("target".to_owned(), json!(target));
        }
        rows.push(row);
        progress.add(1);
    }
    drop(progress);
    session.out.list("verifications", MANY, &rows)?;
    let count = failures.len();
    let Some(first) = failures.into_iter().next() else {
        session
            .out
            .say("All authentic. Whether they still count is not known offline: ask a node.")?;
        return Ok(Exit::Ok);
    };
    let text = format!(
        "{count} of {} do not verify; the first: {}",
        rows.len(),
        first.message
    );
    Err(Failure {
        message: text,
        ..first
    })
}

/// Reads a file, or fetches by name, and verifies it.
async fn open(
    session: &Session,
    target: &str,
    named: Option<Hash>,
    save: Option<&Path>,
) -> Result<Verified, Failure> {
    let path = Path::new(target);
    if path.exists() {
        let limit = u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX);
        let bytes = read_bounded(path, limit)?;
        return verify_bytes(&bytes, named.or_else(|| pinned(session)).as_ref());
    }
    if Path::new(target)
        .extension()
        .is_some_and(|ext| ext == "tsn")
    {
        return Err(
            Failure::new(Exit::NotFound, format!("there is no file {target}"))
                .advice("name a file that is there, or a statement such as US-2026-0412"),
        );
    }
    let node = session.node().await?;
    let (bytes, _) = fetch_bytes(session, &node, target).await?;
    let anchor = named
        .or(node.context.pinned()?)
        .unwrap_or_else(|| *node.alliance.genesis_hash());
    let verified = verify_bytes(&bytes, Some(&anchor))?;
    if let Some(path) = save
        && !session.globals.dry_run
    {
        write_new(path, &bytes, Mode::Public)?;
    }
    Ok(verified)
}

/// Refuses what is consistent but under no fingerprint that anybody compared.
fn anchored(verified: &Verified) -> Result<(), Failure> {
    if verified.anchored {
        return Ok(());
    }
    let genesis = verified.genesis;
    Err(
        Failure::new(Exit::Unverified, "consistent, but nothing anchors it")
            .code("UNANCHORED")
            .detail(format!("fingerprint of its alliance: {genesis}"))
            .advice(format!(
                "compare it by voice with a member you know, then: --genesis {genesis}"
            )),
    )
}

/// Fetches the bundle of a statement and verifies it under the context's alliance.
///
/// # Errors
/// When the node has none of that name, or it does not verify.
pub async fn fetch_bundle(
    session: &Session,
    node: &Node,
    name: &str,
) -> Result<(Vec<u8>, Verified), Failure> {
    let (bytes, _) = fetch_bytes(session, node, name).await?;
    let verified = verify_bytes(&bytes, Some(node.alliance.genesis_hash()))?;
    Ok((bytes, verified))
}

async fn fetch_bytes(
    session: &Session,
    node: &Node,
    name: &str,
) -> Result<(Vec<u8>, i32), Failure> {
    let mut log = client!(node, log_service_client, LogServiceClient);
    let request = v1::GetBundleRequest {
        name: name.to_owned(),
    };
    let answer = call(session.globals.timeout, log.get_bundle(request)).await?;
    Ok((answer.tsn, answer.grade))
}

fn verify_bytes(bytes: &[u8], genesis: Option<&Hash>) -> Result<Verified, Failure> {
    verify(bytes, genesis).map_err(|error| {
        let advice = if matches!(error, BundleError::NotAccepted) {
            "it is a draft: cosign it if need be, then submit it"
        } else {
            codes::find(error.code(), &[]).map_or("do not rely on it", |page| page.remedy)
        };
        Failure::unverified(error.code(), error.to_string()).advice(advice)
    })
}

/// The genesis hash of the context, when there is a context at all: a file needs none.
fn pinned(session: &Session) -> Option<Hash> {
    session.context().ok()?.pinned().ok()?
}

fn describe(verified: &Verified) -> Value {
    let statement = &verified.statement;
    let withheld = verified.bodies.iter().filter(|body| body.is_none()).count();
    let mut bodies = Vec::new();
    if let Some(kind) = BodyKind::of(&statement.act) {
        for bytes in verified.bodies.iter().flatten() {
            bodies.extend(tocsin_wire::body::decode(kind, bytes).ok());
        }
    }
    let mut fields: Map<String, Value> = show::statement(statement, &bodies);
    let member = verified.origin.member();
    let as_of = verified
        .accepted_as_of()
        .and_then(|s| i64::try_from(s).ok());
    let cosigners: Vec<&String> = verified.cosigned.keys().collect();
    let result = if verified.anchored {
        "authentic"
    } else {
        "consistent, but unanchored"
    };
    let grade = match verified.grade {
        Grade::Local => "local",
        Grade::Replicated => "replicated",
        Grade::Confirmed => "confirmed",
    };
    for (key, value) in [
        ("result", json!(result)),
        ("anchored", json!(verified.anchored)),
        (
            "name",
            json!(resource(member, statement, &verified.statement_id)),
        ),
        ("act", json!(statement.act.word())),
        ("member", json!(member)),
        ("signed_by", json!(verified.author.persons)),
        ("created", json!(instant::show(statement.created_ms))),
        (
            "accepted_as_of",
            json!(as_of.map(|s| instant::show(s.saturating_mul(1_000)))),
        ),
        ("log", json!(verified.origin.to_string())),
        ("index", json!(verified.index)),
        ("grade", json!(grade)),
        ("members", json!(verified.members)),
        ("cosigners", json!(cosigners)),
        (
            "withheld",
            if withheld == 0 {
                Value::Null
            } else {
                json!(withheld)
            },
        ),
        ("statement_id", json!(verified.statement_id.to_string())),
        ("alliance", json!(verified.alliance)),
        ("genesis", json!(verified.genesis.to_string())),
        ("present_status", json!("unknown offline")),
    ] {
        fields.insert(key.to_owned(), value);
    }
    Value::Object(fields)
}
