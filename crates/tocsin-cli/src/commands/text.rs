//! The text of an order as it stands, as a document: where a modification begins.

use std::path::PathBuf;

use serde_json::json;
use tocsin_core::product::Article;
use tocsin_core::statement::{Act, DecodedBody, StatementRef};

use super::record::get_order;
use crate::args::TextArgs;
use crate::document::write::order_document;
use crate::document::{Kind, parse};
use crate::failure::{Exit, Failure};
use crate::files::{Mode, write_new};
use crate::session::Session;

/// `order text`.
///
/// # Errors
/// When the node has none of that name, a part of its text is missing, or the file cannot be
/// written.
pub async fn run(session: &mut Session, args: &TextArgs) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let found = get_order(session, &node, &args.order).await?;
    let present = found.present();
    let statement = present.require_valid()?;
    let order = match &statement.act {
        Act::Order(order) => order.as_ref(),
        Act::OrderAct(act) => act.replacement.as_ref().ok_or_else(no_text)?,
        Act::Report(_) | Act::Indicator(_) | Act::Decision(_) | Act::PolicyPack(_) => {
            return Err(no_text());
        }
    };
    if present.bodies.len() != statement.bodies.len() {
        let text = "the node does not have all of its articles, so the text would not be whole";
        return Err(Failure::new(Exit::NotFound, text).code("BODY_MISSING"));
    }
    let articles = present.bodies.iter().map(|body| match body {
        DecodedBody::Order(body) => body.articles.as_slice(),
        DecodedBody::Report(_) | DecodedBody::Indicator(_) | DecodedBody::PolicyPack(_) => &[],
    });
    let further: Vec<Article> = articles.flatten().cloned().collect();
    let refs: Vec<String> = statement.refs.iter().map(cited).collect();
    let text = order_document(order, &further, statement.tlp, &refs);
    // What was signed elsewhere may hold what no document can say, such as spaces around a text.
    let reads_back = parse(Kind::Order, &text, std::path::Path::new("."))
        .is_ok_and(|read| matches!(&read.act, Act::Order(read) if **read == *order));
    if !reads_back {
        session
            .out
            .note("The document does not say it to the letter: compare it with the order.");
    }
    write(session, args, &found.issue.short, &text)
}

fn write(session: &mut Session, args: &TextArgs, short: &str, text: &str) -> Result<Exit, Failure> {
    if args.stdout {
        session.out.raw(text)?;
        return Ok(Exit::Ok);
    }
    let path = args
        .file
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("{short}.toml")));
    if !session.globals.dry_run {
        write_new(&path, text.as_bytes(), Mode::Public)?;
    }
    let file = path.display().to_string();
    let value = json!({"file": file, "order": short});
    session
        .out
        .object("document", &[("written", "file")], &value)?;
    if !session.say_if_dry()? {
        session.out.say(&format!(
            "Next: change it, then  tocsin order amend {short} --document {file}"
        ))?;
    }
    Ok(Exit::Ok)
}

fn no_text() -> Failure {
    Failure::usage("it has no text").advice("name an order, e.g. US-2026-0412")
}

/// As documents cite: `MEMBER:STATEMENT_ID`.
fn cited(reference: &StatementRef) -> String {
    let member = reference.log.rsplit('/').next().unwrap_or_default();
    format!("{member}:{}", reference.statement_id)
}
