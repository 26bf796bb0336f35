//! The way of every statement: new, lint, sign, cosign, submit.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tocsin_core::name::{Numbered, short};
use tocsin_core::roster::{Alliance, Member};
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::keyfile::KeyText;
use tocsin_wire::proto::v1;
use tocsin_wire::receipt::Receipt;

use super::{pending, record};
use crate::args::{CosignArgs, NewArgs, SignArgs, SubmitArgs, Wait};
use crate::client;
use crate::context::member;
use crate::document::completeness;
use crate::document::{Document, Kind, read, scaffold};
use crate::draft::{Draft, Setting, State};
use crate::failure::{Exit, Failure};
use crate::files::{Mode, write_new};
use crate::instant;
use crate::rpc::call;
use crate::seen::grade;
use crate::session::{Node, Session};

/// `KIND new`.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn new(session: &mut Session, kind: Kind, args: &NewArgs) -> Result<Exit, Failure> {
    let text = scaffold(kind);
    if args.stdout {
        session.out.raw(&text)?;
        return Ok(Exit::Ok);
    }
    let word = kind.word();
    let path = args
        .file
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{word}.toml")));
    if !session.globals.dry_run {
        write_new(&path, text.as_bytes(), Mode::Public)?;
    }
    let value = json!({"file": path.display().to_string()});
    session
        .out
        .object("document", &[("written", "file")], &value)?;
    if !session.say_if_dry()? {
        let file = path.display();
        session
            .out
            .say(&format!("Next: edit it, then  tocsin {word} lint {file}"))?;
    }
    Ok(Exit::Ok)
}

/// `KIND sign`.
///
/// # Errors
/// When the document, a key or the context cannot be used, or the keys may not sign it.
pub async fn sign(session: &mut Session, kind: Kind, args: &SignArgs) -> Result<Exit, Failure> {
    let mut document = read(kind, &args.file)?;
    document.number = args.number.or(document.number);
    let keys = session.keys(&args.key)?;
    let context = session.context()?;
    let alliance = context.open_alliance()?;
    let author = member(&alliance, &context.member)?;
    let created_ms = instant::now_ms();
    let asks = (document.act.is_numbered() && document.number.is_none())
        || document
            .refs
            .iter()
            .any(|name| offline_ref(name, author).is_none());
    let node = if asks {
        Some(session.node().await?)
    } else {
        None
    };
    let number = match (&node, document.number) {
        (_, Some(number)) => number,
        (Some(node), None) if document.act.is_numbered() => {
            record::next_number(session, node, instant::year(created_ms)).await?
        }
        (_, None) => 0,
    };
    let refs = references(session, node.as_ref(), author, &document).await?;
    let log = author.origin.log_name();
    let setting = Setting {
        log,
        created_ms,
        number,
        about: None,
        judged: None,
        refs,
    };
    let mut draft = Draft::make(&document, setting)?;
    check(session, &draft, author)?;
    let state = sign_with(&mut draft, &keys, &alliance, author)?;
    let path = args
        .out
        .clone()
        .unwrap_or_else(|| args.file.with_extension("tsn"));
    if !session.globals.dry_run {
        draft.write(&path)?;
    }
    report(session, &draft, author, &path, &state)?;
    Ok(Exit::Ok)
}

/// `order cosign`, `policy cosign`.
///
/// # Errors
/// When the draft or a key cannot be used, or the keys may not sign it.
pub async fn cosign(session: &mut Session, args: &CosignArgs) -> Result<Exit, Failure> {
    if let Some(name) = args.file.to_str().filter(|_| !args.file.exists())
        && !is_tsn(&args.file)
    {
        return pending::sign(session, name, &args.key, Wait::default()).await;
    }
    let mut draft = Draft::read(&args.file)?;
    let keys = session.keys(&args.key)?;
    let context = session.context()?;
    let alliance = context.open_alliance()?;
    let author = member(&alliance, &context.member)?;
    if draft.statement.log != author.origin.log_name() {
        let text = format!("this draft is for the log {}", draft.statement.log);
        return Err(Failure::new(Exit::NotPermitted, text).code("NOT_OUR_LOG"));
    }
    show_draft(session, &draft, author).await?;
    session.confirm(&format!("Sign this {}?", draft.statement.act.word()))?;
    let state = sign_with(&mut draft, &keys, &alliance, author)?;
    if state == State::NeedsSecond {
        return Err(same_person());
    }
    if !session.globals.dry_run {
        draft.rewrite(&args.file)?;
    }
    report(session, &draft, author, &args.file, &state)?;
    Ok(Exit::Ok)
}

/// Nothing was added: whoever signed before signed again.
#[must_use]
pub fn same_person() -> Failure {
    let text = "the second signature must be another person's, and another officer's";
    Failure::new(Exit::NotPermitted, text)
        .code("SAME_PERSON")
        .advice("let a second officer sign; the draft was left as it is")
}

/// A file that is not there stays a file: nobody's draft is signed for a slip in its name.
fn is_tsn(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("tsn"))
}

/// Everything that a second officer signs, who signed before, and the order it is about as the node
/// knows it.
///
/// # Errors
/// When some of it cannot be shown, or printed.
pub async fn show_draft(
    session: &mut Session,
    draft: &Draft,
    author: &Member,
) -> Result<(), Failure> {
    draft.require_shown_whole()?;
    let mut said = crate::show::statement(&draft.statement, &draft.contents()?);
    let id = draft.statement_id();
    let statement = &draft.statement;
    said.insert("act".into(), json!(statement.act.word()));
    said.insert("name".into(), json!(short(&author.id, statement, &id)));
    said.insert("created".into(), json!(instant::show(statement.created_ms)));
    said.insert("tlp".into(), json!(statement.tlp.word()));
    said.insert("statement_id".into(), json!(id.to_string()));
    said.insert("signed_by".into(), json!(pending::persons(draft, author)));
    if let Some(about) = &statement.about {
        // A hash says nothing to a person, so the node is asked what it names; its bytes must
        // hash to it. Without a node the hash is all there is, and that is said.
        let order = match session.node().await {
            Ok(node) => about_order(session, &node, about).await?,
            Err(_) => "not known: no node answers; be sure which order this is".to_owned(),
        };
        said.insert("about_order".into(), json!(order));
    }
    session
        .out
        .object("statement", crate::show::STATEMENT, &Value::Object(said))
}

async fn about_order(
    session: &Session,
    node: &Node,
    about: &StatementRef,
) -> Result<String, Failure> {
    let order = record::get_order(session, node, &about.statement_id.to_string()).await?;
    if order.issue.reference() != *about {
        return Err(Failure::unverified(
            "RECORD_INVALID",
            "the node shows another order",
        ));
    }
    Ok(format!("{} {}", order.issue.short, order.issue.title()))
}

/// `KIND submit`.
///
/// # Errors
/// When the file is no draft, the node refuses it, or its receipt does not verify.
pub async fn submit(session: &mut Session, args: &SubmitArgs) -> Result<Exit, Failure> {
    let draft = Draft::read(&args.file)?;
    let node = session.node().await?;
    if draft.state(&node.alliance, node.member()?)? == State::NeedsSecond {
        return pending::put(session, &node, &draft).await;
    }
    if binds(&draft.statement.act) {
        let word = draft.statement.act.word();
        session.confirm_sending(&format!("Submit this {word} to {}?", node.context.member))?;
    }
    submit_draft(session, &node, &draft, args.wait.wait).await
}

/// Submits a draft, verifies the receipt and says where the statement stands. Whoever calls it,
/// nothing goes through a protected context that was not confirmed.
///
/// # Errors
/// When the node refuses it, or its receipt does not verify.
pub async fn submit_draft(
    session: &mut Session,
    node: &Node,
    draft: &Draft,
    wait: Wait,
) -> Result<Exit, Failure> {
    session.guard()?;
    let wait_for = match wait {
        Wait::Local => v1::WaitFor::Local,
        Wait::Replicated => v1::WaitFor::Replicated,
        Wait::Confirmed => v1::WaitFor::Confirmed,
    };
    let request = draft.request(wait_for, session.globals.dry_run);
    let mut submits = client!(node, submit_service_client, SubmitServiceClient);
    let answer = call(session.globals.timeout, submits.submit(request)).await?;
    let Some(receipt) = answer.receipt else {
        if session.globals.dry_run {
            session
                .out
                .say("The node would accept it. Nothing was submitted.")?;
            return Ok(Exit::Ok);
        }
        return Err(Failure::unverified(
            "RECEIPT_MISSING",
            "the node gave no receipt",
        ));
    };
    let receipt = Receipt::read(&receipt).map_err(|e| bad_receipt(&e.to_string()))?;
    let signed = receipt
        .verify(&draft.entry, &node.member()?.log_key)
        .map_err(|e| bad_receipt(&e.to_string()))?;
    let value = json!({
        "name": short(&node.context.member, &draft.statement, &draft.statement_id()),
        "resource": answer.name,
        "statement_id": receipt.statement_id.to_string(),
        "log": receipt.origin.to_string(),
        "index": receipt.index,
        "size": signed.checkpoint().size,
        "root": signed.checkpoint().root.to_string(),
        "grade": grade(answer.grade),
    });
    let columns = [
        ("accepted", "name"),
        ("log", "log"),
        ("index", "index"),
        ("grade", "grade"),
        ("statement id", "statement_id"),
    ];
    session.out.object("receipt", &columns, &value)?;
    session
        .out
        .say("The receipt was verified against the log's signed root.")?;
    session.out.say(&format!(
        "Keep the evidence:  tocsin verify {} --save FILE.tsn",
        answer.name
    ))?;
    Ok(Exit::Ok)
}

/// Refuses what the door would refuse before anyone signs it, and says what readers will miss.
///
/// # Errors
/// The rule that it breaks.
pub fn check(session: &mut Session, draft: &Draft, author: &Member) -> Result<(), Failure> {
    draft
        .check_unsigned(&author.jurisdiction)
        .map_err(|refusal| crate::rpc::refused(&refusal))?;
    let complete = completeness::of_statement(&draft.statement, &draft.contents()?);
    if let Some(text) = complete.and_then(|complete| complete.summary()) {
        session.out.note(&text);
    }
    Ok(())
}

/// Signs with each key, and says how far the draft has come.
///
/// # Errors
/// When a key may not sign it.
pub fn sign_with(
    draft: &mut Draft,
    keys: &[KeyText],
    alliance: &Alliance,
    author: &Member,
) -> Result<State, Failure> {
    for key in keys {
        draft.sign(&key.key);
    }
    draft.state(alliance, author)
}

/// Says what was signed, and what must happen next.
///
/// # Errors
/// When the result cannot be printed.
pub fn report(
    session: &mut Session,
    draft: &Draft,
    author: &Member,
    path: &Path,
    state: &State,
) -> Result<(), Failure> {
    let statement = &draft.statement;
    let file = path.display();
    let needs_second = *state == State::NeedsSecond;
    let number = Numbered::of(&author.id, statement).map(|name| name.to_string());
    let complete = completeness::of_statement(statement, &draft.contents()?);
    let value = json!({
        "file": file.to_string(),
        "act": statement.act.word(),
        "name": number,
        "statement_id": draft.statement_id().to_string(),
        "signatures": draft.entry.signatures.len(),
        "completeness": complete.map(|complete| complete.score),
        "needs_second_officer": needs_second,
    });
    let columns = [
        ("signed", "act"),
        ("name", "name"),
        ("statement id", "statement_id"),
        ("signatures", "signatures"),
        ("completeness", "completeness"),
        ("file", "file"),
    ];
    session.out.object("draft", &columns, &value)?;
    if session.say_if_dry()? {
        return Ok(());
    }
    let word = command_of(&statement.act);
    let next = if needs_second {
        format!("Draft, not in force. Second officer: tocsin {word} cosign {file}")
    } else {
        format!("Next:  tocsin {word} submit {file}")
    };
    session.out.say(&next)
}

/// The command whose `cosign` and `submit` take such a draft.
#[must_use]
pub const fn command_of(act: &Act) -> &'static str {
    match act {
        Act::Report(_) => "report",
        Act::Indicator(_) => "indicator",
        Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) => "order",
        Act::PolicyPack(_) => "policy",
    }
}

/// Whether it has legal effect, so that a person is asked before it goes.
const fn binds(act: &Act) -> bool {
    match act {
        Act::Order(_) | Act::OrderAct(_) | Act::Decision(_) | Act::PolicyPack(_) => true,
        Act::Report(_) | Act::Indicator(_) => false,
    }
}

/// The statements that a document cites.
///
/// # Errors
/// When the node has none of a name, or what it shows does not verify.
pub async fn references(
    session: &Session,
    node: Option<&Node>,
    author: &Member,
    document: &Document,
) -> Result<Vec<StatementRef>, Failure> {
    let mut refs = Vec::new();
    for name in &document.refs {
        match (offline_ref(name, author), node) {
            (Some(reference), _) => refs.push(reference),
            (None, Some(node)) => refs.push(record::reference(session, node, name).await?),
            (None, None) => return Err(Failure::usage(format!("`{name}` names no statement"))),
        }
    }
    Ok(refs)
}

/// `MEMBER:STATEMENT_ID`, which needs no node.
fn offline_ref(text: &str, author: &Member) -> Option<StatementRef> {
    let (member, id) = text.split_once(':')?;
    let statement_id = tocsin_log::hash::Hash::from_hex(id).ok()?;
    Some(StatementRef {
        log: format!("{}/{member}", author.origin.alliance()),
        statement_id,
    })
}

fn bad_receipt(why: &str) -> Failure {
    Failure::unverified(
        "RECEIPT_INVALID",
        format!("the node's receipt does not verify: {why}"),
    )
    .advice("the statement may stand all the same; tell the operator, and try `tocsin log audit`")
}
