//! Policy packs: what they would decide, and what they say.

use std::path::Path;

use serde_json::{Value, json};
use tocsin_core::order::Order;
use tocsin_core::policy::{Judged, Pack, decide};
use tocsin_core::statement::{Act, DecodedBody};

use super::record::{fetch, get_order};
use super::verify::fetch_bundle;
use crate::document::{Kind, MAX_DOCUMENT_BYTES, read};
use crate::draft::Draft;
use crate::failure::{Exit, Failure};
use crate::files::read_bounded;
use crate::instant;
use crate::rpc::MAX_ROWS;
use crate::seen::Seen;
use crate::session::Session;

/// `policy test`.
///
/// # Errors
/// When the pack does not parse, or an order cannot be read.
pub async fn test(session: &mut Session, file: &Path, names: &[String]) -> Result<Exit, Failure> {
    let bytes = read_bounded(file, MAX_DOCUMENT_BYTES)?;
    let text = str::from_utf8(&bytes)
        .map_err(|_| Failure::usage(format!("{} is not text", file.display())))?;
    let pack = Pack::parse(text).map_err(|refusal| crate::rpc::refused(&refusal))?;
    let mut rows = Vec::new();
    let (documents, names): (Vec<&String>, Vec<&String>) =
        names.iter().partition(|name| is_toml(name));
    for document in &documents {
        let Act::Order(order) = read(Kind::Order, Path::new(document.as_str()))?.act else {
            continue;
        };
        let issuer = session
            .context()
            .map(|context| context.member)
            .unwrap_or_default();
        rows.push(row(document, &issuer, &order, &pack));
    }
    if !names.is_empty() || documents.is_empty() {
        rows.extend(known_orders(session, &names, &pack).await?);
    }
    let columns = [
        ("ORDER", "order"),
        ("TITLE", "title"),
        ("WOULD", "then"),
        ("RULE", "rule"),
        ("UNTIL", "until"),
        ("BASIS", "basis"),
    ];
    session.out.list("rulings", &columns, &rows)?;
    session
        .out
        .say("Nothing was decided: this is what the pack would say, as of now.")?;
    Ok(Exit::Ok)
}

async fn known_orders(
    session: &Session,
    names: &[&String],
    pack: &Pack,
) -> Result<Vec<Value>, Failure> {
    let node = session.node().await?;
    let mut seen = Vec::new();
    if names.is_empty() {
        for record in fetch(session, &node, Kind::Order, "", MAX_ROWS).await? {
            seen.push(Seen::open(&record, &node.alliance)?);
        }
    }
    for name in names {
        seen.push(get_order(session, &node, name).await?.issue);
    }
    let mut rows = Vec::new();
    for order in &seen {
        let issuer = order.origin.member();
        let is_own = node
            .alliance
            .member(issuer)
            .is_some_and(|m| m.jurisdiction == pack.jurisdiction);
        if let (false, Some(Act::Order(text))) = (is_own, order.statement.as_ref().map(|s| &s.act))
        {
            rows.push(row(&order.short, issuer, text, pack));
        }
    }
    Ok(rows)
}

fn row(name: &str, issuer: &str, order: &Order, pack: &Pack) -> Value {
    let judged = Judged {
        issuer,
        order,
        decided_ms: instant::now_ms(),
    };
    let ruling = decide(&judged, Some(pack));
    json!({
        "order": name,
        "title": order.title,
        "then": ruling.kind.word(),
        "rule": ruling.rule,
        "until": instant::show(ruling.until_ms),
        "basis": ruling.basis,
    })
}

/// `policy show`.
///
/// # Errors
/// When there is no such pack, or it does not verify.
pub async fn show(session: &mut Session, name: &str) -> Result<Exit, Failure> {
    let path = Path::new(name);
    let (statement, bodies) = if path.exists() {
        let draft = Draft::read(path)?;
        (draft.statement, draft.bodies)
    } else {
        let node = session.node().await?;
        let (_, verified) = fetch_bundle(session, &node, name).await?;
        let bodies = verified.bodies.into_iter().flatten().collect();
        (*verified.statement, bodies)
    };
    let Act::PolicyPack(pack) = &statement.act else {
        return Err(Failure::usage(format!("{name} is no policy pack")));
    };
    let mut toml = pack.toml.clone();
    if let (Some(kind), Some(bytes)) = (
        tocsin_wire::body::BodyKind::of(&statement.act),
        bodies.first(),
    ) && let Ok(DecodedBody::PolicyPack(body)) = tocsin_wire::body::decode(kind, bytes)
    {
        toml = body.toml;
    }
    let value = json!({"toml": toml, "log": statement.log});
    if session.out.format() == crate::output::Format::Table {
        session.out.text(&toml)?;
    } else {
        session
            .out
            .object("policy_pack", &[("pack", "toml")], &value)?;
    }
    Ok(Exit::Ok)
}

fn is_toml(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "toml")
}
