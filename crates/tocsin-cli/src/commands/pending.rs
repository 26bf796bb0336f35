//! What waits for an officer here: decisions on other members' orders, and drafts that a second
//! officer must sign.

use std::path::PathBuf;

use serde_json::{Value, json};
use tocsin_core::name::{prefix, short};
use tocsin_core::roster::{Member, Role};
use tocsin_log::keyfile::Purpose;
use tocsin_wire::envelope::{read_statement, write_statement};
use tocsin_wire::proto::v1;

use super::statement::{command_of, same_person, show_draft, sign_with, submit_draft};
use crate::args::{PendingArgs, PendingVerb, Wait};
use crate::client;
use crate::draft::{Draft, State};
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::keyfile;
use crate::output::Column;
use crate::rpc::{MAX_ROWS, PAGE_SIZE, call, pages};
use crate::session::{Node, Session};

const LIST: &[Column] = &[
    ("WAITS FOR", "waits_for"),
    ("NAME", "name"),
    ("STATE", "state"),
    ("UNTIL", "until"),
    ("WHY", "reason"),
    ("TITLE", "title"),
];

const DRAFT: &[Column] = &[
    ("draft", "draft"),
    ("act", "act"),
    ("name", "name"),
    ("title", "title"),
    ("signed by", "signed_by"),
    ("sign before", "expires"),
    ("statement id", "statement_id"),
];

/// `pending`, and what is done with one draft.
///
/// # Errors
/// When the node refuses, or a key may not sign.
pub async fn run(session: &mut Session, args: &PendingArgs) -> Result<Exit, Failure> {
    match &args.verb {
        None => list(session, args).await,
        Some(PendingVerb::Show { name }) => show(session, name).await,
        Some(PendingVerb::Sign(args)) => sign(session, &args.name, &args.key, args.wait.wait).await,
        Some(PendingVerb::Discard { name, reason }) => discard(session, name, reason).await,
    }
}

/// One row, and when it is too late for it.
type Waiting = (i64, Value);

async fn list(session: &mut Session, args: &PendingArgs) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let asks = person(&node, args)?;
    let mut waiting = decisions(session, &node).await?;
    let mut hidden = None;
    match asks {
        Asks::Nobody => {}
        Asks::All | Asks::Officer(_) => match drafts(session, &node, &asks).await {
            Ok(drafts) => waiting.extend(drafts),
            // Whoever may not see drafts sees what waits for a decision all the same.
            Err(failure) if failure.exit == Exit::NotPermitted => hidden = Some(failure.message),
            Err(failure) => return Err(failure),
        },
    }
    // What has no deadline comes last.
    waiting.sort_by_key(|(until, _)| if *until == 0 { i64::MAX } else { *until });
    let rows: Vec<Value> = waiting.into_iter().map(|(_, row)| row).collect();
    session.out.list("pending", LIST, &rows)?;
    if let Some(why) = hidden {
        session.out.say(&format!("Drafts are not shown: {why}"))?;
    }
    let text = |key: &str| rows.first()?.get(key).and_then(Value::as_str);
    let next = match (text("draft"), text("order")) {
        (Some(draft), _) if !draft.is_empty() => {
            let name = text("name").unwrap_or(draft);
            format!("Read and sign:  tocsin pending sign {name}")
        }
        (_, Some(order)) => format!("Decide:  tocsin decide {order} adopt --new"),
        (_, None) => "Nothing waits here.".to_owned(),
    };
    session.out.say(&next)?;
    Ok(Exit::Ok)
}

/// Whose drafts are asked for.
enum Asks {
    /// All of them: no key says who asks.
    All,
    /// Those that this officer has not signed.
    Officer(String),
    /// None: whoever asks signs no drafts.
    Nobody,
}

fn person(node: &Node, args: &PendingArgs) -> Result<Asks, Failure> {
    let path = args.key.clone().or_else(|| node.context.key.clone());
    let Some(path) = path.filter(|_| !args.all) else {
        return Ok(Asks::All);
    };
    let key = keyfile::read_for(&path, Purpose::Record)?.key;
    let known = node.member()?.record_keys.get(&key.public().key_id());
    let Some(known) = known else {
        let member = &node.context.member;
        return Err(Failure::new(
            Exit::NotPermitted,
            format!("this key is not one of {member}'s record keys"),
        )
        .code("SIGNER_UNKNOWN"));
    };
    let is_officer = known.roles.contains(&Role::Officer);
    Ok(if is_officer {
        Asks::Officer(known.person.clone())
    } else {
        Asks::Nobody
    })
}

async fn decisions(session: &Session, node: &Node) -> Result<Vec<Waiting>, Failure> {
    let timeout = session.globals.timeout;
    let page = |page_token: String| async move {
        let mut decisions = client!(node, decision_service_client, DecisionServiceClient);
        let request = v1::ListPendingDecisionsRequest {
            page_size: PAGE_SIZE,
            page_token,
        };
        let answer = call(timeout, decisions.list_pending_decisions(request)).await?;
        Ok((answer.pending, answer.next_page_token))
    };
    let row = |waiting: v1::PendingDecision| {
        let row = json!({
            "waits_for": "decision", "name": waiting.order, "order": waiting.order, "draft": "",
            "title": waiting.title, "state": waiting.state, "reason": waiting.reason,
            "until": instant::show(waiting.until_ms), "signed_by": [],
        });
        (waiting.until_ms, row)
    };
    let all = pages(MAX_ROWS, page).await?;
    Ok(all.into_iter().map(row).collect())
}

async fn drafts(session: &Session, node: &Node, asks: &Asks) -> Result<Vec<Waiting>, Failure> {
    let waiting_for = match asks {
        Asks::Officer(person) => person.as_str(),
        Asks::All | Asks::Nobody => "",
    };
    let timeout = session.globals.timeout;
    let page = |page_token: String| async move {
        let mut drafts = client!(node, draft_service_client, DraftServiceClient);
        let request = v1::ListDraftsRequest {
            page_size: PAGE_SIZE,
            page_token,
            waiting_for: waiting_for.to_owned(),
        };
        let answer = call(timeout, drafts.list_drafts(request)).await?;
        Ok((answer.drafts, answer.next_page_token))
    };
    let row = |draft: v1::Draft| {
        let name = draft.name.rsplit('/').next().unwrap_or_default();
        let reason = match draft.missing {
            0 => "signed; not submitted",
            _ => "a second officer must sign",
        };
        let row = json!({
            "waits_for": "signature", "name": name, "order": draft.short_name,
            "draft": draft.name, "title": draft.title, "state": "draft", "reason": reason,
            "until": instant::show(draft.expires_ms), "signed_by": draft.signed_by,
        });
        (draft.expires_ms, row)
    };
    let all = pages(MAX_ROWS, page).await?;
    Ok(all.into_iter().map(row).collect())
}

/// Lets a half-signed statement wait at our node for the second officer.
///
/// # Errors
/// When the node refuses it.
pub async fn put(session: &mut Session, node: &Node, draft: &Draft) -> Result<Exit, Failure> {
    let id = draft.statement_id();
    let act = draft.statement.act.word();
    session.guard()?;
    if session.globals.dry_run {
        session
            .out
            .say("It needs a second officer. Nothing was sent to the node: --dry-run.")?;
        return Ok(Exit::Ok);
    }
    let mut drafts = client!(node, draft_service_client, DraftServiceClient);
    let request = v1::PutDraftRequest {
        statement: Some(write_statement(&draft.entry)),
        bodies: draft.bodies.clone(),
    };
    let answer = call(session.globals.timeout, drafts.put_draft(request)).await?;
    let held = answer.draft.unwrap_or_default();
    let name = short(&node.context.member, &draft.statement, &id);
    let value = json!({
        "draft": held.name, "act": act, "name": name, "title": held.title,
        "statement_id": id.to_string(), "signed_by": held.signed_by,
        "needs_second_officer": held.missing > 0, "expires": instant::show(held.expires_ms),
    });
    session.out.object("draft", DRAFT, &value)?;
    let (word, digits) = (command_of(&draft.statement.act), prefix(&id));
    session.out.say(&format!(
        "Draft, not in force. Second officer: tocsin {word} cosign {digits}"
    ))?;
    session
        .out
        .say("It stands in their list:  tocsin pending")?;
    Ok(Exit::Ok)
}

/// Fetches a draft, and checks that it is the one asked for, ours, and rightly signed so far.
async fn fetch(session: &Session, node: &Node, name: &str) -> Result<Draft, Failure> {
    let mut drafts = client!(node, draft_service_client, DraftServiceClient);
    let request = v1::GetDraftRequest {
        name: name.to_owned(),
    };
    let answer = call(session.globals.timeout, drafts.get_draft(request)).await?;
    let held = answer.draft.unwrap_or_default();
    let entry =
        read_statement(held.statement.as_ref()).map_err(|error| bad_draft(&error.to_string()))?;
    let draft = Draft::of(entry, held.bodies)?;
    let digits = name.rsplit('/').next().unwrap_or_default().to_lowercase();
    let id = draft.statement_id().to_string();
    // Digits name the very bytes; a short name is the node's word, and all is shown before signing.
    let is_digits = digits.len() >= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digits && !id.starts_with(&digits) {
        return Err(bad_draft("it is another than the one asked for"));
    }
    let author = node.member()?;
    if draft.statement.log != author.origin.log_name() {
        return Err(bad_draft("it is for another member's log"));
    }
    draft.state(&node.alliance, author)?;
    Ok(draft)
}

fn bad_draft(why: &str) -> Failure {
    Failure::unverified(
        "RECORD_INVALID",
        format!("the node's draft does not verify: {why}"),
    )
}

async fn show(session: &mut Session, name: &str) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let draft = fetch(session, &node, name).await?;
    let author = node.member()?.clone();
    show_draft(session, &draft, &author).await?;
    Ok(Exit::Ok)
}

/// Shows a draft whole, signs it as the second officer, and submits it.
///
/// # Errors
/// When it does not verify, the key may not sign it, or the node refuses it.
pub async fn sign(
    session: &mut Session,
    name: &str,
    keys: &[PathBuf],
    wait: Wait,
) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let author = node.member()?.clone();
    let mut draft = fetch(session, &node, name).await?;
    let keys = session.keys(keys)?;
    show_draft(session, &draft, &author).await?;
    let word = draft.statement.act.word();
    session.confirm_sending(&format!("Sign this {word} and submit it to {}?", author.id))?;
    match sign_with(&mut draft, &keys, &node.alliance, &author)? {
        State::Complete(_) => submit_draft(session, &node, &draft, wait).await,
        State::NeedsSecond | State::Unsigned => Err(same_person()),
    }
}

async fn discard(session: &mut Session, name: &str, reason: &str) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let draft = fetch(session, &node, name).await?;
    let (id, act) = (draft.statement_id(), draft.statement.act.word());
    let called = short(&node.context.member, &draft.statement, &id);
    session.confirm_sending(&format!("Take back the draft of this {act}, {called}?"))?;
    if !session.say_if_dry()? {
        let mut drafts = client!(node, draft_service_client, DraftServiceClient);
        let request = v1::DiscardDraftRequest {
            name: id.to_string(),
            reason: reason.to_owned(),
        };
        call(session.globals.timeout, drafts.discard_draft(request)).await?;
    }
    let value = json!({"discarded": prefix(&id), "act": act, "name": called,
        "statement_id": id.to_string()});
    let columns = [("discarded", "discarded"), ("act", "act"), ("name", "name")];
    session.out.object("discarded", &columns, &value)?;
    Ok(Exit::Ok)
}

/// Pseudonyms of those who have signed, as the manifest has them.
#[must_use]
pub fn persons(draft: &Draft, author: &Member) -> Vec<String> {
    let keys = draft.entry.signatures.iter();
    let known = keys.filter_map(|signature| author.record_keys.get(&signature.key_id));
    known.map(|key| key.person.clone()).collect()
}
