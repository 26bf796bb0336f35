//! `check`: every health check of this client and of the node on this machine, always all of them.
//!
//! Begin at [`run`]; `local` is what can be looked at without the node, `forms` how it is
//! told.

mod forms;
mod local;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tocsin_wire::proto::admin::v1 as admin;
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;

use crate::args::operator::{CheckArgs, CheckForm, FailOn};
use crate::connect::connect_admin;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::{Column, Format, Output};
use crate::rpc::call;
use crate::session::Session;

/// How often a check is tried again under `--wait`.
const TRY_AGAIN: Duration = Duration::from_secs(1);

const COLUMNS: [Column; 7] = [
    ("STATUS", "status"),
    ("CODE", "code"),
    ("OF", "subject"),
    ("SIDE", "side"),
    ("SINCE", "since"),
    ("DETAIL", "detail"),
    ("TO DO", "fix"),
];

/// How a check came out; the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    Ok,
    Skipped,
    Warning,
    Failed,
}

/// One check's result, of the node's or of ours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) code: String,
    pub(crate) category: String,
    /// What it looked at, where a check looks at several.
    pub(crate) subject: String,
    pub(crate) status: Status,
    pub(crate) detail: String,
    pub(crate) fix: String,
    /// The member on whose side it is; empty = ours.
    pub(crate) side: String,
    pub(crate) since_ms: i64,
    pub(crate) measure: Option<Measure>,
}

/// What was measured, and from where on it warns and fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Measure {
    pub(crate) value: f64,
    pub(crate) unit: String,
    pub(crate) warn_at: f64,
    pub(crate) fail_at: f64,
}

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) at_ms: i64,
    /// Whether the node answered.
    pub(crate) is_reached: bool,
}

/// `check`.
///
/// # Errors
/// When there is nothing to check, or `--only` names no check.
pub async fn run(session: &mut Session, args: &CheckArgs) -> Result<Exit, Failure> {
    let context = match args.admin {
        Some(_) => None,
        None => Some(session.context()?),
    };
    let admin = session.admin(args.admin.as_deref(), "tocsin check")?;
    if let Some(every) = args.watch {
        return watch(session, args, context.as_ref(), &admin, every).await;
    }
    let end = args.wait.map(|wait| Instant::now() + wait);
    let report = loop {
        let report = look(session, args, context.as_ref(), &admin).await?;
        let is_well = report.exit(args.fail_on) == Exit::Ok;
        if is_well || end.is_none_or(|end| Instant::now() >= end) {
            break report;
        }
        tokio::time::sleep(TRY_AGAIN).await;
    };
    tell(session, args, &report)?;
    Ok(if args.plugin_exit {
        report.plugin_exit()
    } else {
        report.exit(args.fail_on)
    })
}

/// Tells everything once and then each change, until somebody has seen enough: the exit code is
/// that of the last look.
async fn watch(
    session: &mut Session,
    args: &CheckArgs,
    context: Option<&Context>,
    admin: &str,
    every: Duration,
) -> Result<Exit, Failure> {
    let every = every.max(TRY_AGAIN);
    let mut before = look(session, args, context, admin).await?;
    tell(session, args, &before)?;
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(before.exit(args.fail_on)),
            () = tokio::time::sleep(every) => {}
        }
        let now = look(session, args, context, admin).await?;
        let changed = now.changed_since(&before);
        match session.out.format() {
            Format::Table => {
                for row in &changed {
                    session.out.text(&forms::change(row, now.at_ms))?;
                }
            }
            Format::Json | Format::Jsonl | Format::Csv => {
                let rows: Vec<Value> = changed.iter().map(|row| row.json()).collect();
                if !rows.is_empty() {
                    session.out.list("check", &COLUMNS, &rows)?;
                }
            }
        }
        before = now;
    }
}

async fn look(
    session: &Session,
    args: &CheckArgs,
    context: Option<&Context>,
    address: &str,
) -> Result<Report, Failure> {
    let mut rows = match context {
        Some(context) => local::checks(session, context).await,
        None => Vec::new(),
    };
    // A category that only the node has, or a code that only we have, is unknown to the other.
    let ours: Vec<&str> = local::CODES.iter().map(|(code, _)| *code).collect();
    let is_ours = |word: &String| ours.iter().any(|code| code.eq_ignore_ascii_case(word));
    let theirs = args.only.iter().filter(|word| !is_ours(word)).cloned();
    let theirs: Vec<String> = theirs.collect();
    let is_asked = args.only.is_empty() || !theirs.is_empty();
    let member = context.map(|context| context.member.as_str());
    let mut report = match ask(session, theirs, member, address).await {
        Ok(found) => {
            let detail = format!("the node's admin address {address} answers");
            rows.push(local::row("NODE_ADMIN", Status::Ok, detail));
            if is_asked {
                rows.extend(found.checks.iter().map(Row::read));
            }
            Report {
                rows,
                at_ms: found.at_ms,
                is_reached: true,
            }
        }
        Err(failure) if failure.exit == Exit::Usage => return Err(failure),
        Err(failure) => {
            let mut row = local::row("NODE_ADMIN", Status::Failed, failure.message);
            row.fix = "see that the node runs and that this is its admin_listen; what it would \
                       check itself was not checked"
                .to_owned();
            rows.push(row);
            Report {
                rows,
                at_ms: instant::now_ms(),
                is_reached: false,
            }
        }
    };
    let only = |row: &Row| {
        let named = |word: &String| {
            word.eq_ignore_ascii_case(&row.code) || word.eq_ignore_ascii_case(&row.category)
        };
        // That the node did not answer is said whatever was asked for.
        let is_silence = row.code == "NODE_ADMIN" && row.status != Status::Ok;
        args.only.is_empty() || is_silence || args.only.iter().any(named)
    };
    report.rows.retain(only);
    let place = |row: &Row| {
        forms::CATEGORIES
            .iter()
            .position(|word| *word == row.category)
    };
    report.rows.sort_by_key(place);
    Ok(report)
}

/// Everything that the node checks, if it is the node of `member`.
async fn ask(
    session: &Session,
    only: Vec<String>,
    member: Option<&str>,
    address: &str,
) -> Result<admin::RunChecksResponse, Failure> {
    let timeout = session.globals.timeout;
    let mut service = AdminServiceClient::new(connect_admin(address).await?)
        .max_decoding_message_size(crate::rpc::MAX_ANSWER_BYTES);
    let status = call(timeout, service.get_status(admin::GetStatusRequest {})).await?;
    if member.is_some_and(|member| member != status.member) {
        let whose = format!(
            "the admin address {address} is of a node of {}",
            status.member
        );
        return Err(Failure::new(Exit::Unreachable, whose));
    }
    call(
        timeout,
        service.run_checks(admin::RunChecksRequest { only }),
    )
    .await
}

fn tell(session: &mut Session, args: &CheckArgs, report: &Report) -> Result<(), Failure> {
    match (args.format, session.out.format()) {
        (CheckForm::Nagios, _) => session.out.raw(&forms::nagios(report)),
        (CheckForm::Prometheus, _) => session.out.raw(&forms::prometheus(report)),
        (CheckForm::Json, Format::Table | Format::Json | Format::Jsonl | Format::Csv) => {
            let globals = &session.globals;
            session.out = Output::new(Format::Json, globals.color, globals.quiet);
            session.out.object("checks", &[], &report.json())
        }
        (CheckForm::Text, Format::Json) => session.out.object("checks", &[], &report.json()),
        (CheckForm::Text, Format::Jsonl | Format::Csv) => {
            let rows: Vec<Value> = report.rows.iter().map(Row::json).collect();
            session.out.list("check", &COLUMNS, &rows)
        }
        (CheckForm::Text, Format::Table) => {
            let is_verbose = session.globals.verbose > 0;
            session.out.text(&forms::text(report, is_verbose))
        }
    }
}

impl Report {
    pub(crate) fn worst(&self) -> Status {
        let worst = self.rows.iter().map(|row| row.status).max();
        worst.unwrap_or(Status::Ok)
    }

    pub(crate) fn count(&self, status: Status) -> usize {
        self.rows.iter().filter(|row| row.status == status).count()
    }

    /// What is new or came out otherwise than before.
    fn changed_since(&self, before: &Self) -> Vec<&Row> {
        let is_same = |row: &Row, old: &Row| {
            (&row.code, &row.subject, row.status) == (&old.code, &old.subject, old.status)
        };
        self.rows
            .iter()
            .filter(|row| !before.rows.iter().any(|old| is_same(row, old)))
            .collect()
    }

    fn exit(&self, fail_on: FailOn) -> Exit {
        if !self.is_reached {
            return Exit::Unreachable;
        }
        match (self.worst(), fail_on) {
            (Status::Failed, FailOn::Warn | FailOn::Fail) => Exit::ChecksFailed,
            (Status::Warning, FailOn::Warn) => Exit::Warnings,
            (Status::Warning, FailOn::Fail)
            | (Status::Ok | Status::Skipped, FailOn::Warn | FailOn::Fail) => Exit::Ok,
        }
    }

    /// By the numbers of the plug-in interface: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.
    fn plugin_exit(&self) -> Exit {
        if !self.is_reached {
            return Exit::NotFound;
        }
        match self.worst() {
            Status::Ok | Status::Skipped => Exit::Ok,
            Status::Warning => Exit::Failed,
            Status::Failed => Exit::Usage,
        }
    }

    fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({
            "at": instant::show(self.at_ms),
            "node_answers": self.is_reached,
            "ok": self.count(Status::Ok),
            "warnings": self.count(Status::Warning),
            "failed": self.count(Status::Failed),
            "skipped": self.count(Status::Skipped),
            "checks": rows,
        })
    }
}

impl Row {
    fn read(check: &admin::Check) -> Self {
        let status = match check.status() {
            admin::CheckStatus::Ok => Status::Ok,
            admin::CheckStatus::Warning => Status::Warning,
            admin::CheckStatus::Skipped => Status::Skipped,
            // What a newer node says and we do not know is not taken for good.
            admin::CheckStatus::Failed | admin::CheckStatus::Unspecified => Status::Failed,
        };
        let measure = check.measured.then(|| Measure {
            value: check.value,
            unit: check.unit.clone(),
            warn_at: check.warn_at,
            fail_at: check.fail_at,
        });
        Self {
            code: check.code.clone(),
            category: check.category.clone(),
            subject: check.subject.clone(),
            status,
            detail: check.detail.clone(),
            fix: check.fix.clone(),
            side: check.side.clone(),
            since_ms: check.since_ms,
            measure,
        }
    }

    fn json(&self) -> Value {
        let mut row = json!({
            "code": self.code, "category": self.category, "subject": self.subject,
            "status": self.status.word(), "detail": self.detail, "fix": self.fix,
            "side": self.side, "since": instant::show(self.since_ms),
        });
        if let (Some(fields), Some(measure)) = (row.as_object_mut(), &self.measure) {
            fields.insert("value".to_owned(), json!(measure.value));
            fields.insert("unit".to_owned(), json!(measure.unit));
            fields.insert("warn_at".to_owned(), json!(measure.warn_at));
            // JSON has no infinity: what never fails has no threshold.
            fields.insert("fail_at".to_owned(), json!(measure.fail_at));
        }
        row
    }
}

impl Status {
    /// The word in JSON.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn row(code: &str, subject: &str, status: Status) -> Row {
        Row {
            code: code.to_owned(),
            category: "network".to_owned(),
            subject: subject.to_owned(),
            status,
            detail: format!("how {subject} stands"),
            fix: String::new(),
            side: String::new(),
            since_ms: 1_800_000_000_000,
            measure: None,
        }
    }

    pub(crate) fn report(rows: Vec<Row>) -> Report {
        Report {
            rows,
            at_ms: 1_800_000_000_000,
            is_reached: true,
        }
    }

    #[test]
    fn the_worst_finding_gives_the_exit_code_unless_warnings_are_let_pass() {
        for (statuses, on_warn, on_fail, plugin) in [
            (&[][..], 0, 0, 0),
            (&[Status::Ok, Status::Skipped], 0, 0, 0),
            (&[Status::Warning, Status::Ok], 20, 0, 1),
            (&[Status::Warning, Status::Failed], 21, 21, 2),
        ] {
            let rows = statuses
                .iter()
                .map(|status| row("PEER_CLOCK", "jp", *status));
            let mut report = report(rows.collect());
            assert_eq!(report.exit(FailOn::Warn).number(), on_warn, "{statuses:?}");
            assert_eq!(report.exit(FailOn::Fail).number(), on_fail, "{statuses:?}");
            assert_eq!(report.plugin_exit().number(), plugin, "{statuses:?}");
            report.is_reached = false;
            assert_eq!(report.exit(FailOn::Fail).number(), 5);
            assert_eq!(report.plugin_exit().number(), 3);
        }
    }

    #[test]
    fn a_status_that_is_not_known_here_is_not_taken_for_good() {
        let check = admin::Check {
            status: 99,
            ..admin::Check::default()
        };
        assert_eq!(Row::read(&check).status, Status::Failed);
    }
}
