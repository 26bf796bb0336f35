//! Reports, indicators and orders as a node has them.

use serde_json::{Value, json};
use tocsin_core::statement::StatementRef;
use tocsin_log::hash::Hash;
use tocsin_wire::proto::v1;

use crate::args::ListArgs;
use crate::client;
use crate::document::Kind;
use crate::failure::{Exit, Failure};
use crate::output::Column;
use crate::rpc::{MAX_ROWS, PAGE_SIZE, call, pages};
use crate::seen::Seen;
use crate::session::{Node, Session};
use crate::show::STATEMENT;

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("CREATED", "created"),
    ("TITLE", "title"),
    ("SIGNED BY", "signed_by"),
    ("INDEX", "index"),
    ("GRADE", "grade"),
    ("VERDICT", "verdict"),
];

/// `KIND list`.
///
/// # Errors
/// When the node refuses or shows records that are broken.
pub async fn list(session: &mut Session, kind: Kind, args: &ListArgs) -> Result<Exit, Failure> {
    let node = session.node().await?;
    let records = fetch(session, &node, kind, &args.filter, args.limit).await?;
    let rows: Vec<Value> = records
        .iter()
        .map(|record| Seen::open(record, &node.alliance).map(|seen| seen.row()))
        .collect::<Result<_, _>>()?;
    session.out.list(plural(kind), COLUMNS, &rows)?;
    if rows.is_empty() {
        session
            .out
            .say(&format!("No {} here match.", plural(kind)))?;
    }
    Ok(Exit::Ok)
}

/// `KIND show`.
///
/// # Errors
/// When the node has none of that name, or what it shows does not verify.
pub async fn show(session: &mut Session, kind: Kind, name: &str) -> Result<Exit, Failure> {
    let node = session.node().await?;
    if kind == Kind::Order {
        return show_order(session, &node, name).await;
    }
    let record = get(session, &node, kind, name).await?;
    let seen = Seen::open(&record, &node.alliance)?;
    session.out.object(kind.word(), STATEMENT, &seen.whole())?;
    seen.require_valid()?;
    Ok(Exit::Ok)
}

async fn show_order(session: &mut Session, node: &Node, name: &str) -> Result<Exit, Failure> {
    let order = get_order(session, node, name).await?;
    let mut value = order.issue.whole();
    let acts: Vec<Value> = order.acts.iter().map(Seen::whole).collect();
    if let Some(fields) = value.as_object_mut() {
        fields.insert("state".into(), json!(order.state));
        fields.insert("acts".into(), json!(acts));
    }
    session.out.object("order", STATEMENT, &value)?;
    if session.out.format() == crate::output::Format::Table && !acts.is_empty() {
        session.out.say("\nWhat the issuer did to it since:")?;
        let columns = [
            ("CREATED", "created"),
            ("ACT", "act_kind"),
            ("REASON", "reason_given"),
            ("SIGNED BY", "signed_by"),
            ("VERDICT", "verdict"),
        ];
        session.out.list("acts", &columns, &acts)?;
    }
    order.issue.require_valid()?;
    Ok(Exit::Ok)
}

/// An order with what its issuer did to it.
#[derive(Clone, Debug)]
pub struct OrderSeen {
    /// The issue statement.
    pub issue: Seen,
    /// In log order.
    pub acts: Vec<Seen>,
    /// As the node says.
    pub state: String,
}

impl OrderSeen {
    /// The statement that a decision on it judges.
    #[must_use]
    pub fn judged(&self) -> Hash {
        self.present().entry.statement_id()
    }

    /// The statement that gives its present text: the issue, or the last modification that counts.
    #[must_use]
    pub fn present(&self) -> &Seen {
        use tocsin_core::order::OrderActKind;
        use tocsin_core::statement::Act;
        let modifies = |seen: &&Seen| {
            let act = seen.require_valid().ok().map(|statement| &statement.act);
            let is_modify = matches!(act, Some(Act::OrderAct(a)) if a.kind == OrderActKind::Modify);
            is_modify && seen.void.is_none()
        };
        self.acts.iter().rev().find(modifies).unwrap_or(&self.issue)
    }
}

/// Fetches an order by name.
///
/// # Errors
/// When the node has none of that name, or what it shows does not verify.
pub async fn get_order(session: &Session, node: &Node, name: &str) -> Result<OrderSeen, Failure> {
    let mut orders = client!(node, order_service_client, OrderServiceClient);
    let request = v1::GetOrderRequest {
        name: name.to_owned(),
    };
    let answer = call(session.globals.timeout, orders.get_order(request)).await?;
    let record = answer.record.ok_or_else(|| empty(name))?;
    let acts = answer
        .acts
        .iter()
        .map(|act| Seen::open(act, &node.alliance))
        .collect::<Result<Vec<_>, _>>()?;
    let issue = Seen::open(&record, &node.alliance)?;
    Ok(OrderSeen {
        issue,
        acts,
        state: answer.state,
    })
}

/// What names a statement, found by its name at a node and checked against its bytes.
///
/// # Errors
/// When the node has none of that name, or what it shows does not verify.
pub async fn reference(
    session: &Session,
    node: &Node,
    name: &str,
) -> Result<StatementRef, Failure> {
    let mut last = empty(name);
    for kind in [Kind::Report, Kind::Order, Kind::Indicator] {
        match get(session, node, kind, name).await {
            Ok(record) => {
                let seen = Seen::open(&record, &node.alliance)?;
                seen.require_valid()?;
                return Ok(seen.reference());
            }
            // A full name of another collection may be refused as malformed for this one.
            Err(failure) if matches!(failure.exit, Exit::NotFound | Exit::Usage) => last = failure,
            Err(failure) => return Err(failure),
        }
    }
    Err(last)
}

/// The next free number of the year in our own member's log: one count for reports, indicators and
/// orders.
///
/// # Errors
/// When the node refuses or shows records that are broken.
pub async fn next_number(session: &Session, node: &Node, year: i16) -> Result<u32, Failure> {
    let filter = format!("issuer = \"{}\"", node.context.member);
    let mut highest = 0;
    for kind in [Kind::Report, Kind::Indicator, Kind::Order] {
        for record in fetch(session, node, kind, &filter, MAX_ROWS).await? {
            let seen = Seen::open(&record, &node.alliance)?;
            let statement = seen.statement.as_ref();
            let of_year = statement.filter(|s| crate::instant::year(s.created_ms) == year);
            highest = highest.max(of_year.map_or(0, |s| s.number));
        }
    }
    highest
        .checked_add(1)
        .ok_or_else(|| Failure::new(Exit::Conflict, "every number of the year is taken"))
}

async fn get(
    session: &Session,
    node: &Node,
    kind: Kind,
    name: &str,
) -> Result<v1::Record, Failure> {
    let timeout = session.globals.timeout;
    let name = name.to_owned();
    let missing = empty(&name);
    let record = match kind {
        Kind::Report => {
            let mut reports = client!(node, report_service_client, ReportServiceClient);
            call(timeout, reports.get_report(v1::GetReportRequest { name }))
                .await?
                .record
        }
        Kind::Indicator => {
            let mut indicators = client!(node, indicator_service_client, IndicatorServiceClient);
            let request = v1::GetIndicatorRequest { name };
            call(timeout, indicators.get_indicator(request))
                .await?
                .record
        }
        Kind::Order => {
            let mut orders = client!(node, order_service_client, OrderServiceClient);
            call(timeout, orders.get_order(v1::GetOrderRequest { name }))
                .await?
                .record
        }
        Kind::Decision | Kind::Policy => {
            let mut decisions = client!(node, decision_service_client, DecisionServiceClient);
            call(
                timeout,
                decisions.get_decision(v1::GetDecisionRequest { name }),
            )
            .await?
            .record
        }
    };
    record.ok_or(missing)
}

/// Records of a kind, page after page.
///
/// # Errors
/// When the node refuses.
pub async fn fetch(
    session: &Session,
    node: &Node,
    kind: Kind,
    filter: &str,
    limit: usize,
) -> Result<Vec<v1::Record>, Failure> {
    let progress = session.out.progress(plural(kind), None);
    let progress = &progress;
    let next = |token: String| async move {
        let (records, token) = page(session, node, kind, filter.to_owned(), token).await?;
        progress.add(u64::try_from(records.len()).unwrap_or(0));
        Ok((records, token))
    };
    pages(limit, next).await
}

/// One page, and the token of the next.
async fn page(
    session: &Session,
    node: &Node,
    kind: Kind,
    filter: String,
    page_token: String,
) -> Result<(Vec<v1::Record>, String), Failure> {
    let (timeout, page_size) = (session.globals.timeout, PAGE_SIZE);
    match kind {
        Kind::Report => {
            let mut reports = client!(node, report_service_client, ReportServiceClient);
            let request = v1::ListReportsRequest {
                page_size,
                page_token,
                filter,
            };
            let answer = call(timeout, reports.list_reports(request)).await?;
            Ok((answer.records, answer.next_page_token))
        }
        Kind::Indicator => {
            let mut service = client!(node, indicator_service_client, IndicatorServiceClient);
            let request = v1::ListIndicatorsRequest {
                page_size,
                page_token,
                filter,
            };
            let answer = call(timeout, service.list_indicators(request)).await?;
            Ok((answer.records, answer.next_page_token))
        }
        Kind::Order => {
            let mut orders = client!(node, order_service_client, OrderServiceClient);
            let request = v1::ListOrdersRequest {
                page_size,
                page_token,
                filter,
            };
            let answer = call(timeout, orders.list_orders(request)).await?;
            Ok((answer.records, answer.next_page_token))
        }
        Kind::Decision | Kind::Policy => {
            let mut service = client!(node, decision_service_client, DecisionServiceClient);
            let request = v1::ListDecisionsRequest {
                page_size,
                page_token,
                filter,
                order: String::new(),
            };
            let answer = call(timeout, service.list_decisions(request)).await?;
            Ok((answer.records, answer.next_page_token))
        }
    }
}

const fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Report => "reports",
        Kind::Indicator => "indicators",
        Kind::Order => "orders",
        Kind::Decision => "decisions",
        Kind::Policy => "policy packs",
    }
}

fn empty(name: &str) -> Failure {
    Failure::new(Exit::NotFound, format!("the node has no `{name}`"))
        .advice("names look like US-2026-0412, or members/us/orders/2026-0412")
}
