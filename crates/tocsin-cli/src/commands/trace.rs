//! `trace`: where a statement or block is on its way to a member, hop by hop, and what stopped it.

use serde_json::{Value, json};
use tocsin_wire::proto::v1::{self, HopState};

use super::block::hex;
use crate::args::operator::TraceArgs;
use crate::client;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format};
use crate::rpc::call;
use crate::session::Session;

const COLUMNS: [Column; 6] = [
    ("STEP", "step"),
    ("MEMBER", "member"),
    ("STATE", "state"),
    ("WHEN", "at"),
    ("STOPPED BY", "reason"),
    ("WHAT, AND WHAT SHOWS IT", "told"),
];

/// `trace`.
///
/// # Errors
/// When the node knows no such name or member, or does not answer.
pub async fn run(session: &mut Session, args: &TraceArgs) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let mut orders = client!(node, order_service_client, OrderServiceClient);
    let request = v1::TraceStatementRequest {
        name: args.name.clone(),
        member: args.at.clone().unwrap_or_default(),
    };
    let traced = call(session.globals.timeout, orders.trace_statement(request)).await?;
    let rows: Vec<Value> = traced.hops.iter().map(row).collect();
    if session.out.format() == Format::Json {
        let value = json!({
            "name": traced.name,
            "statement_id": hex(&traced.statement_id),
            "log": traced.log,
            "index": traced.index,
            "asked": node.context.member,
            "verdict": traced.verdict,
            "stopped_by": traced.stopped_by,
            "hops": rows,
        });
        session.out.object("trace", &[], &value)?;
        return Ok(Exit::Ok);
    }
    session.out.list("hop", &COLUMNS, &rows)?;
    session
        .out
        .say(&format!("\n{}", sentence(&traced.verdict)))?;
    if !traced.stopped_by.is_empty() {
        let code = &traced.stopped_by;
        session
            .out
            .say(&format!("What to do:  tocsin explain {code}"))?;
    }
    Ok(Exit::Ok)
}

fn row(hop: &v1::Hop) -> Value {
    let told = if hop.evidence.is_empty() {
        hop.detail.clone()
    } else {
        format!("{} [{}]", hop.detail, hop.evidence)
    };
    json!({
        "step": hop.step, "member": hop.member, "state": state(hop.state()),
        "at": instant::show(hop.at_ms), "reason": hop.reason, "detail": hop.detail,
        "evidence": hop.evidence, "told": told,
    })
}

const fn state(state: HopState) -> &'static str {
    match state {
        HopState::Done => "done",
        HopState::Waiting => "waiting",
        HopState::Stopped => "stopped",
        // What a newer node says and we do not know is not known.
        HopState::Unknown | HopState::Unspecified => "unknown",
    }
}

/// With a capital, unless it begins with a name.
fn sentence(text: &str) -> String {
    if text.starts_with("members/") {
        return text.to_owned();
    }
    let mut rest = text.chars();
    let first = rest.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), rest.as_str())
}
