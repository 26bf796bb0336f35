//! Decisions on other members' orders.

use tocsin_core::decision::Decision;
use tocsin_core::handling::Tlp;
use tocsin_core::statement::Act;
use tocsin_log::hash::Hash;

use super::act::{finish, word};
use super::record::get_order;
use crate::args::DecideArgs;
use crate::document::{Document, Kind, read, right_from_text, scaffold};
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::session::Session;

/// `decide ORDER VERB`.
///
/// # Errors
/// When the order is our own, a key may not sign, or the node refuses.
pub async fn run(session: &mut Session, args: &DecideArgs) -> Result<Exit, Failure> {
    if args.new {
        let kind = args.verb.kind().word();
        let text = scaffold(Kind::Decision)
            .replace(
                "order = \"US-2026-0412\"",
                &format!("order = \"{}\"", plain(&args.order)),
            )
            .replace("kind = \"adopt\"", &format!("kind = \"{kind}\""));
        session.out.raw(&text)?;
        return Ok(Exit::Ok);
    }
    let document = match &args.document {
        Some(path) => from_document(read(Kind::Decision, path)?, args)?,
        None => from_flags(args)?,
    };
    let node = session.node().await?;
    let order = get_order(session, &node, &args.order).await?;
    order.issue.require_valid()?;
    let name = &order.issue.short;
    if order.issue.origin.member() == node.context.member {
        return Err(
            Failure::new(Exit::NotPermitted, format!("{name} is our own order"))
                .code("OWN_ORDER")
                .advice(format!(
                    "act on it: tocsin order suspend|rescind|withdraw {name}"
                )),
        );
    }
    let about = order.issue.reference();
    let judged = Some(order.judged());
    let home = node.member()?.jurisdiction.clone();
    let stem = format!("{name}@{home}-{}", word(&document.act));
    finish(session, &node, &document, about, judged, &args.how, &stem).await
}

/// A document must say the same as the command line.
fn from_document(document: Document, args: &DecideArgs) -> Result<Document, Failure> {
    let same_order = document
        .order
        .as_deref()
        .is_some_and(|o| o.eq_ignore_ascii_case(&args.order));
    let same_verb =
        matches!(&document.act, Act::Decision(decision) if decision.kind == args.verb.kind());
    if same_order && same_verb {
        return Ok(document);
    }
    let order = document.order.unwrap_or_default();
    let kind = word(&document.act);
    Err(
        Failure::usage(format!("the document says: {kind} on {order}"))
            .advice("say the same order and verb on the command line"),
    )
}

fn from_flags(args: &DecideArgs) -> Result<Document, Failure> {
    let until_ms = match &args.until {
        Some(text) => instant::parse(text).ok_or_else(|| {
            Failure::usage(format!("`{text}` is not a time"))
                .advice("write 2026-12-22 (midnight UTC) or 2026-12-22T09:00:00+09:00")
        })?,
        None => 0,
    };
    let local_rights = args
        .local_right
        .iter()
        .map(|text| right_from_text(text))
        .collect::<Result<_, _>>()?;
    let decision = Decision {
        kind: args.verb.kind(),
        judged: Hash::of(b""),
        basis: args.basis.clone(),
        reason: args.reason.clone(),
        until_ms,
        local_rights,
        policy: None,
    };
    Ok(Document {
        tlp: Tlp::Green,
        number: None,
        order: Some(args.order.clone()),
        refs: Vec::new(),
        act: Act::Decision(decision),
        bodies: Vec::new(),
    })
}

/// A name cannot break out of the quotes of a scaffold.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/'))
        .collect()
}
