//! What an issuer does to its own order.

use std::path::PathBuf;

use tocsin_core::handling::Tlp;
use tocsin_core::order::{OrderAct, OrderActKind};
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::hash::Hash;

use super::amend;
use super::pending;
use super::record::{OrderSeen, get_order};
use super::statement::{check, references, report, sign_with, submit_draft};
use crate::args::{ActArgs, ActHow, ModifyArgs};
use crate::document::{Document, Kind, read};
use crate::draft::{Draft, Setting, State};
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::session::{Node, Session};

/// An order of our own, as our node has it.
#[derive(Debug)]
pub struct Own {
    node: Node,
    order: OrderSeen,
}

impl Own {
    /// Its short name.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.order.issue.short
    }

    /// Its name, title and state on one line.
    #[must_use]
    pub fn title(&self) -> String {
        let issue = &self.order.issue;
        format!("{} {} ({})", issue.short, issue.title(), self.order.state)
    }
}

/// `order suspend`, `resume`, `rescind`, `withdraw`.
///
/// # Errors
/// When the act does not fit what has happened, the order is not our own, a key may not sign, or
/// the node refuses.
pub async fn run(
    session: &mut Session,
    kind: OrderActKind,
    args: &ActArgs,
) -> Result<Exit, Failure> {
    amend::check(session, kind, args.because, &args.order)?;
    let own = own_order(session, &args.order).await?;
    act_on_own(session, own, kind, args).await
}

/// The same on an order that was fetched.
///
/// # Errors
/// As [`run`].
pub async fn act_on_own(
    session: &mut Session,
    own: Own,
    kind: OrderActKind,
    args: &ActArgs,
) -> Result<Exit, Failure> {
    amend::settle(session, kind, args.because, &own)?;
    let act = OrderAct {
        kind,
        reason: args.reason.clone(),
        replacement: None,
    };
    let document = document(act, Tlp::Clear);
    finish_own(session, &own, &document, &args.how).await
}

/// `order modify`.
///
/// # Errors
/// As [`run`], or when the new text cannot be read.
pub async fn modify(session: &mut Session, args: &ModifyArgs) -> Result<Exit, Failure> {
    amend::check(session, OrderActKind::Modify, args.because, &args.order)?;
    let own = own_order(session, &args.order).await?;
    modify_own(session, own, args).await
}

/// The same on an order that was fetched.
///
/// # Errors
/// As [`modify`].
pub async fn modify_own(
    session: &mut Session,
    own: Own,
    args: &ModifyArgs,
) -> Result<Exit, Failure> {
    let kind = OrderActKind::Modify;
    let text = read(Kind::Order, &args.document)?;
    let Act::Order(order) = text.act else {
        return Err(Failure::usage("the new text is no order document"));
    };
    amend::settle(session, kind, args.because, &own)?;
    let act = OrderAct {
        kind,
        reason: args.reason.clone(),
        replacement: Some(*order),
    };
    let mut document = document(act, text.tlp);
    document.bodies = text.bodies;
    document.refs = text.refs;
    finish_own(session, &own, &document, &args.how).await
}

fn document(act: OrderAct, tlp: Tlp) -> Document {
    Document {
        tlp,
        number: None,
        order: None,
        refs: Vec::new(),
        act: Act::OrderAct(Box::new(act)),
        bodies: Vec::new(),
    }
}

/// Fetches an order that an act is to be on.
///
/// # Errors
/// When the node has none of that name, it is another member's, or it has ended.
pub async fn own_order(session: &Session, name: &str) -> Result<Own, Failure> {
    let node = session.node().await?;
    let order = get_order(session, &node, name).await?;
    order.issue.require_valid()?;
    if order.issue.origin.member() != node.context.member {
        let (name, issuer) = (&order.issue.short, order.issue.origin.member());
        let text = format!("{name} is an order of {issuer}");
        return Err(Failure::new(Exit::NotPermitted, text)
            .code("NOT_THE_ISSUER")
            .advice(format!("to end it here, decide: tocsin decide {name} end")));
    }
    if matches!(order.state.as_str(), "rescinded" | "withdrawn") {
        let text = format!(
            "{} is {}, and nothing revives it",
            order.issue.short, order.state
        );
        return Err(Failure::new(Exit::Conflict, text)
            .code("VOID_ORDER_ENDED")
            .advice("issue a new order: tocsin order new"));
    }
    Ok(Own { node, order })
}

async fn finish_own(
    session: &mut Session,
    own: &Own,
    document: &Document,
    how: &ActHow,
) -> Result<Exit, Failure> {
    let about = own.order.issue.reference();
    let stem = format!("{}-{}", own.short(), word(&document.act));
    finish(session, &own.node, document, about, None, how, &stem).await
}

/// Makes, signs and submits an act; or writes the draft where a second officer must sign it first.
///
/// # Errors
/// When a key may not sign, or the node refuses.
pub async fn finish(
    session: &mut Session,
    node: &Node,
    document: &Document,
    about: StatementRef,
    judged: Option<Hash>,
    how: &ActHow,
    stem: &str,
) -> Result<Exit, Failure> {
    let author = node.member()?;
    let refs = references(session, Some(node), author, document).await?;
    let setting = Setting {
        log: author.origin.log_name(),
        created_ms: instant::now_ms(),
        number: 0,
        about: Some(about),
        judged,
        refs,
    };
    let keys = session.keys(&how.key)?;
    let mut draft = Draft::make(document, setting)?;
    check(session, &draft, author)?;
    let state = sign_with(&mut draft, &keys, &node.alliance, author)?;
    if how.draft && state == State::NeedsSecond {
        return pending::put(session, node, &draft).await;
    }
    if how.out.is_some() || state == State::NeedsSecond {
        let path = how
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from(format!("{stem}.tsn")));
        if !session.globals.dry_run {
            draft.write(&path)?;
        }
        report(session, &draft, author, &path, &state)?;
        return Ok(Exit::Ok);
    }
    session.confirm_sending(&format!("Submit {stem} to {}?", node.context.member))?;
    submit_draft(session, node, &draft, how.wait.wait).await
}

/// The word for what an act does, for file names.
#[must_use]
pub fn word(act: &Act) -> &'static str {
    match act {
        Act::OrderAct(act) => act.kind.word(),
        Act::Decision(decision) => decision.kind.word(),
        Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::PolicyPack(_) => act.word(),
    }
}
