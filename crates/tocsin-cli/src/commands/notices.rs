//! `notices watch`: the state of blocks as it changes, from a cursor that every node understands.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tocsin_wire::proto::v1::{self, watch_notices_response::Event};

use super::block::notice;
use crate::args::WatchArgs;
use crate::client;
use crate::failure::{Exit, Failure};
use crate::files::{Mode, read_bounded, replace};
use crate::instant;
use crate::output::Format;
use crate::session::{Node, Session};

/// Tries to reach the node again before giving up, without one event between them.
const MAX_ATTEMPTS: u32 = 8;
/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// Longest silence: a node sends a heartbeat every 10 s.
const MAX_SILENCE: Duration = Duration::from_secs(35);
/// Longest cursor file in bytes: a vector over 64 origins in base64.
const MAX_CURSOR_BYTES: u64 = 65_536;

/// How one stream ended.
enum End {
    /// Everything asked for was seen, or the person at the keyboard had enough.
    Done,
    /// The node or the way to it went; another try may go on.
    Broken(Failure),
}

/// Where the watch stands, across reconnects.
struct Place {
    cursor: String,
    seen: u64,
    attempts: u32,
}

/// `notices watch`.
///
/// # Errors
/// When the node refuses, or cannot be reached again; then the cursor to go on from is named.
pub async fn watch(session: &mut Session, args: &WatchArgs) -> Result<Exit, Failure> {
    let mut place = Place {
        cursor: start_cursor(args)?,
        seen: 0,
        attempts: 0,
    };
    loop {
        let end = match session.node().await {
            Ok(node) => stream(session, &node, args, &mut place).await?,
            Err(failure) if failure.exit == Exit::Unreachable => End::Broken(failure),
            Err(failure) => return Err(failure),
        };
        let failure = match end {
            End::Done => break,
            End::Broken(failure) => failure,
        };
        place.attempts += 1;
        if place.attempts >= MAX_ATTEMPTS {
            return Err(Failure {
                exit: Exit::Incomplete,
                ..failure
            }
            .detail(format!("cursor: {}", place.cursor))
            .advice("go on, here or at another member: tocsin notices watch --cursor CURSOR"));
        }
        session
            .out
            .note(&format!("{}; trying again", failure.message));
        let pause = Duration::from_millis(250).saturating_mul(1 << place.attempts.min(5));
        tokio::time::sleep(pause.min(MAX_PAUSE)).await;
    }
    session.out.note(&format!("cursor: {}", place.cursor));
    Ok(Exit::Ok)
}

async fn stream(
    session: &mut Session,
    node: &Node,
    args: &WatchArgs,
    place: &mut Place,
) -> Result<End, Failure> {
    let request = request(args, &place.cursor);
    let mut notices = client!(node, notice_service_client, NoticeServiceClient);
    let mut events = match notices.watch_notices(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return ended(&status),
    };
    loop {
        let next = tokio::select! {
            next = tokio::time::timeout(MAX_SILENCE, events.message()) => next,
            _ = tokio::signal::ctrl_c() => return Ok(End::Done),
        };
        let message = match next {
            Ok(Ok(Some(message))) => message,
            Ok(Ok(None)) => return Ok(broken("the node ended the stream")),
            Ok(Err(status)) => return ended(&status),
            Err(_) => return Ok(broken("the node has been silent for too long")),
        };
        place.attempts = 0;
        let goodbye = matches!(message.event, Some(Event::Goodbye(_)));
        place.seen += u64::from(matches!(message.event, Some(Event::Notice(_))));
        print(session, &message)?;
        if !message.cursor.is_empty() && message.cursor != place.cursor {
            place.cursor.clone_from(&message.cursor);
            if let Some(path) = &args.cursor_file
                && !session.globals.dry_run
            {
                replace(path, format!("{}\n", place.cursor).as_bytes(), Mode::Public)?;
            }
        }
        if args.count.is_some_and(|count| place.seen >= count) {
            return Ok(End::Done);
        }
        if goodbye {
            return Ok(broken("the node said goodbye"));
        }
    }
}

fn request(args: &WatchArgs, cursor: &str) -> v1::WatchNoticesRequest {
    let start = if !cursor.is_empty() {
        v1::WatchStart::Cursor
    } else if args.now {
        v1::WatchStart::Now
    } else {
        v1::WatchStart::Beginning
    };
    v1::WatchNoticesRequest {
        jurisdiction: args.jurisdiction.clone().unwrap_or_default().to_uppercase(),
        filter: args.filter.clone(),
        start: start.into(),
        cursor: cursor.to_owned(),
        include_snapshot: args.snapshot,
    }
}

fn print(session: &mut Session, message: &v1::WatchNoticesResponse) -> Result<(), Failure> {
    let (kind, mut value) = match &message.event {
        Some(Event::Notice(content)) => ("notice", notice(content)),
        Some(Event::Heartbeat(beat)) => (
            "heartbeat",
            json!({"at": instant::show(beat.at_ms), "behind": beat.behind}),
        ),
        Some(Event::SnapshotEnd(end)) => ("snapshot_end", json!({"blocks": end.blocks})),
        Some(Event::Goodbye(goodbye)) => ("goodbye", json!({"reason": goodbye.reason})),
        None => return Ok(()),
    };
    if session.out.format() != Format::Table {
        if let Some(fields) = value.as_object_mut() {
            fields.insert("cursor".to_owned(), json!(message.cursor));
        }
        return session.out.event(kind, &value);
    }
    let text = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match kind {
        "notice" => {
            let mut line = format!(
                "{:<18} {:<12} {}",
                text("block"),
                text("state"),
                text("title")
            );
            for (word, key) in [("from", "from"), ("until", "until"), ("because", "reason")] {
                if !text(key).is_empty() {
                    line.push_str(&format!("  {word} {}", text(key)));
                }
            }
            session.out.text(&crate::output::clean_line(&line))
        }
        "snapshot_end" => session
            .out
            .say("-- that was the whole state; changes follow --"),
        "heartbeat" if session.globals.verbose == 0 => Ok(()),
        other => {
            session.out.note(&format!("{other} {value}"));
            Ok(())
        }
    }
}

fn start_cursor(args: &WatchArgs) -> Result<String, Failure> {
    match (&args.cursor, &args.cursor_file) {
        (Some(cursor), _) => Ok(cursor.clone()),
        (None, Some(path)) => read_cursor(path),
        (None, None) => Ok(String::new()),
    }
}

/// The cursor kept in a file; none yet means from the beginning.
fn read_cursor(path: &Path) -> Result<String, Failure> {
    match read_bounded(path, MAX_CURSOR_BYTES) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(|text| text.trim().to_owned())
            .map_err(|_| Failure::usage(format!("{} is no cursor", path.display()))),
        Err(failure) if failure.exit == Exit::NotFound => Ok(String::new()),
        Err(failure) => Err(failure),
    }
}

/// Whether a broken stream is worth another try: not when the node refused what was asked.
fn ended(status: &tonic::Status) -> Result<End, Failure> {
    use tonic::Code;
    let failure = crate::rpc::failure(status);
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::ResourceExhausted
        | Code::Aborted => Ok(End::Broken(failure)),
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => Err(failure),
    }
}

fn broken(why: &str) -> End {
    End::Broken(Failure::new(Exit::Incomplete, why))
}
