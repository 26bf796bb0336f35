//! Blocks: orders as they stand in one jurisdiction, and what waits for a decision there.

use serde_json::{Value, json};
use tocsin_wire::proto::v1;

use crate::args::BlockVerb;
use crate::client;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format};
use crate::rpc::{MAX_ROWS, PAGE_SIZE, call, pages};
use crate::seen::grade;
use crate::session::{Node, Session};
use crate::show;

const LIST: &[Column] = &[
    ("BLOCK", "block"),
    ("STATE", "state"),
    ("TITLE", "title"),
    ("FROM", "from"),
    ("UNTIL", "until"),
    ("BY", "by"),
    ("REASON", "reason"),
    ("EXERCISE", "exercise"),
];

const SHOW: &[Column] = &[
    ("block", "block"),
    ("state", "state"),
    ("why", "reason"),
    ("EXERCISE", "exercise"),
    ("title", "title"),
    ("articles", "articles"),
    ("respondents", "respondents"),
    ("terms", "terms_text"),
    ("selectors missing", "selectors_missing"),
    ("from", "from"),
    ("until", "until"),
    ("decided by", "by"),
    ("basis", "basis"),
    ("also blocked by", "also_blocked_by"),
    ("order", "order"),
    ("order id", "order_id"),
    ("decision id", "decision_id"),
    ("version", "notice_version"),
    ("grade", "grade"),
];

/// `block list`, `show`, `matrix`.
///
/// # Errors
/// When the node refuses.
pub async fn run(session: &mut Session, verb: BlockVerb) -> Result<Exit, Failure> {
    if let BlockVerb::Simulate(args) = &verb {
        return super::screen::simulate(session, args).await;
    }
    let node = session.node().await?;
    match verb {
        BlockVerb::Simulate(_) => {}
        BlockVerb::List {
            jurisdiction,
            in_force,
            filter,
        } => {
            let jurisdiction = jurisdiction.unwrap_or_default().to_uppercase();
            let rows = list(session, &node, jurisdiction, in_force, filter).await?;
            session.out.list("blocks", LIST, &rows)?;
            if rows.is_empty() {
                session
                    .out
                    .say("No blocks match. That says nothing of goods: see `lookup`.")?;
            }
        }
        BlockVerb::Show { name } => {
            let mut blocks = client!(node, block_service_client, BlockServiceClient);
            let missing = Failure::new(Exit::NotFound, format!("no block `{name}`"))
                .advice("block names look like US-2026-0412@DE");
            let request = v1::GetBlockRequest { name };
            let answer = call(session.globals.timeout, blocks.get_block(request)).await?;
            let value = notice(&answer.notice.ok_or(missing)?);
            session.out.object("block", SHOW, &value)?;
        }
        BlockVerb::Matrix { filter } => matrix(session, &node, filter).await?,
    }
    Ok(Exit::Ok)
}

async fn list(
    session: &Session,
    node: &Node,
    jurisdiction: String,
    in_force_only: bool,
    filter: String,
) -> Result<Vec<Value>, Failure> {
    let timeout = session.globals.timeout;
    let progress = session.out.progress("blocks", None);
    let progress = &progress;
    let page = |page_token: String| {
        let request = v1::ListBlocksRequest {
            jurisdiction: jurisdiction.clone(),
            page_size: PAGE_SIZE,
            page_token,
            filter: filter.clone(),
            in_force_only,
        };
        async move {
            let mut blocks = client!(node, block_service_client, BlockServiceClient);
            let answer = call(timeout, blocks.list_blocks(request)).await?;
            progress.add(u64::try_from(answer.notices.len()).unwrap_or(0));
            Ok((answer.notices, answer.next_page_token))
        }
    };
    Ok(pages(MAX_ROWS, page).await?.iter().map(notice).collect())
}

async fn matrix(session: &mut Session, node: &Node, filter: String) -> Result<(), Failure> {
    let timeout = session.globals.timeout;
    let page = |page_token: String| {
        let filter = filter.clone();
        async move {
            let mut orders = client!(node, order_service_client, OrderServiceClient);
            let request = v1::GetMatrixRequest {
                page_size: PAGE_SIZE,
                page_token,
                filter,
            };
            let answer = call(timeout, orders.get_matrix(request)).await?;
            Ok((answer.rows, answer.next_page_token))
        }
    };
    let rows: Vec<v1::MatrixRow> = pages(MAX_ROWS, page).await?;
    let objects: Vec<Value> = rows
        .iter()
        .map(|row| matrix_row(row, session.out.format()))
        .collect();
    // Column headings are the jurisdictions, which are two letters and as many as members.
    let mut names: Vec<&'static str> = Vec::new();
    for cell in rows.iter().flat_map(|row| &row.cells) {
        if let Some(known) = jurisdictions(node, &cell.jurisdiction)
            && !names.contains(&known)
        {
            names.push(known);
        }
    }
    let mut columns: Vec<Column> = vec![("ORDER", "order"), ("TITLE", "title")];
    columns.extend(names.iter().map(|name| (*name, *name)));
    session.out.list("matrix", &columns, &objects)
}

/// A jurisdiction of the alliance as a heading that outlives the answer it came in: at most one
/// small text for each member of one run.
fn jurisdictions(node: &Node, code: &str) -> Option<&'static str> {
    let known = node.alliance.by_jurisdiction(code)?;
    Some(Box::leak(known.jurisdiction.clone().into_boxed_str()))
}

fn matrix_row(row: &v1::MatrixRow, format: Format) -> Value {
    let mut object = json!({"order": row.order, "title": row.title});
    if let Some(fields) = object.as_object_mut() {
        for cell in &row.cells {
            let since = instant::show(cell.since_ms);
            let value = match format {
                Format::Table | Format::Csv => json!(cell_text(cell, &since)),
                Format::Json | Format::Jsonl => {
                    json!({"state": cell.state, "since": since, "by": cell.by})
                }
            };
            fields.insert(cell.jurisdiction.clone(), value);
        }
    }
    object
}

fn cell_text(cell: &v1::MatrixCell, since: &str) -> String {
    let mut text = cell.state.clone();
    if !cell.by.is_empty() {
        text.push_str(&format!(" ({})", cell.by));
    }
    if !since.is_empty() {
        text.push_str(&format!(" {since}"));
    }
    text
}

/// A notice as an object. `version` of the JSON form comes first, so the notice's own has a longer
/// name.
#[must_use]
pub fn notice(notice: &v1::Notice) -> Value {
    let scope = notice.scope.clone().unwrap_or_default();
    let names = |party: &v1::Party| party.names.first().cloned().unwrap_or_default();
    // A text of a later version is shown as far as it is known, and never as if it were all.
    let text = tocsin_wire::read::order(scope.clone());
    let articles: Vec<String> = match &text {
        Ok(order) => order.articles.iter().map(show::article_text).collect(),
        Err(_) => scope
            .articles
            .iter()
            .map(|article| article.description.clone())
            .collect(),
    };
    let terms = match &text {
        Ok(order) => show::terms_text(order),
        Err(_) => "not readable by this version: ask for the order's own text".to_owned(),
    };
    json!({
        "block": notice.block,
        "notice_version": notice.version,
        "state": notice.state,
        "reason": notice.reason,
        "from": instant::show(notice.from_ms),
        "until": instant::show(notice.until_ms),
        "order": notice.order,
        "order_id": hex(&notice.order_id),
        "decision_id": hex(&notice.decision_id),
        "basis": notice.basis,
        "by": notice.by,
        "title": scope.title,
        "case_ref": scope.case_ref,
        "articles": articles,
        "respondents": scope.respondents.iter().map(names).collect::<Vec<_>>(),
        "terms": text.as_ref().ok().map(show::terms),
        "terms_text": terms,
        "selectors_missing": notice.selectors_missing,
        "exercise": notice.exercise,
        "grade": grade(notice.grade),
        "also_blocked_by": notice.also_blocked_by,
    })
}

/// Bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
