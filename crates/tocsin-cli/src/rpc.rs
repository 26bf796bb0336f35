//! Calls to a node: how long they may take, and what its refusals mean to the caller.

use std::future::Future;
use std::time::Duration;

use tocsin_core::reason::Refusal;
use tonic::{Code, Response, Status};
use tonic_types::StatusExt;

use crate::codes;
use crate::failure::{Exit, Failure};

/// Largest answer in bytes: a bundle of 4 MiB with its framing.
pub const MAX_ANSWER_BYTES: usize = 4 * 1_048_576 + 65_536;
/// Rows asked for in one page; the most a node gives.
pub const PAGE_SIZE: i32 = 500;
/// Rows of one listing in all, however many pages a node offers.
pub const MAX_ROWS: usize = 100_000;

/// Makes a call, for at most `timeout`.
///
/// # Errors
/// The node's refusal, or that it did not answer.
pub async fn call<T>(
    timeout: Duration,
    future: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Failure> {
    match tokio::time::timeout(timeout, future).await {
        Ok(Ok(response)) => Ok(response.into_inner()),
        Ok(Err(status)) => Err(failure(&status)),
        Err(_) => Err(
            Failure::new(Exit::Unreachable, "the node did not answer in time")
                .code("TIMED_OUT")
                .advice("try again, or wait longer with --timeout 2m"),
        ),
    }
}

/// Fetches page after page until the last, or until `limit` rows.
///
/// # Errors
/// As the single call; or when a node gives the same page again.
pub async fn pages<T, F>(limit: usize, mut page: impl FnMut(String) -> F) -> Result<Vec<T>, Failure>
where
    F: Future<Output = Result<(Vec<T>, String), Failure>>,
{
    let limit = limit.min(MAX_ROWS);
    let mut rows = Vec::new();
    let mut token = String::new();
    loop {
        let (more, next) = page(token.clone()).await?;
        rows.extend(more);
        if next.is_empty() || rows.len() >= limit {
            rows.truncate(limit);
            return Ok(rows);
        }
        if next == token {
            return Err(Failure::new(
                Exit::Failed,
                "the node gives one page again and again",
            ));
        }
        token = next;
    }
}

/// What a node's refusal means here.
#[must_use]
pub fn failure(status: &Status) -> Failure {
    let mut failure = Failure::new(exit_of(status.code()), status.message());
    let details = status.get_error_details();
    if let Some(info) = details.error_info() {
        failure.code = Some(info.reason.clone());
        for (key, value) in &info.metadata {
            failure.details.push(format!("{key}: {value}"));
        }
        failure.details.sort();
        failure.advice = codes::find(&info.reason, &[]).map(|page| page.remedy.to_owned());
    }
    if let Some(bad) = details.bad_request() {
        for violation in &bad.field_violations {
            let same = violation.description == failure.message;
            let what = if same {
                "as said above"
            } else {
                violation.description.as_str()
            };
            failure.details.push(format!("{}: {what}", violation.field));
        }
    }
    if let Some(wait) = details.retry_info().and_then(|info| info.retry_delay) {
        failure.advice = Some(format!("try again in {}", in_words(wait)));
    }
    if failure.message.is_empty() {
        failure.message = format!("the node refused: {}", status.code().description());
    }
    if failure.advice.is_none() {
        failure.advice = advice_of(status.code()).map(str::to_owned);
    }
    failure
}

/// The same for what the core refuses before anything is sent.
#[must_use]
pub fn refused(refusal: &Refusal) -> Failure {
    use tocsin_core::reason::Class;
    let exit = match refusal.class() {
        Class::InvalidArgument | Class::OutOfRange => Exit::Usage,
        Class::FailedPrecondition => Exit::Failed,
        Class::PermissionDenied => Exit::NotPermitted,
        Class::AlreadyExists => Exit::Conflict,
        Class::ResourceExhausted => Exit::Failed,
    };
    Failure::new(exit, refusal.to_string())
        .code(refusal.code())
        .advice(refusal.reason.remedy())
}

/// A wait in the unit that a person counts it in, rounded up.
fn in_words(wait: Duration) -> String {
    let (ms, seconds) = (wait.as_millis(), wait.as_millis().div_ceil(1_000));
    match seconds {
        0..10 => format!("{ms} ms"),
        10..120 => format!("{seconds} s"),
        _ => format!("{} min", seconds.div_ceil(60)),
    }
}

const fn exit_of(code: Code) -> Exit {
    match code {
        Code::Ok => Exit::Ok,
        Code::InvalidArgument | Code::OutOfRange => Exit::Usage,
        Code::NotFound => Exit::NotFound,
        Code::PermissionDenied | Code::Unauthenticated => Exit::NotPermitted,
        Code::Unavailable | Code::DeadlineExceeded => Exit::Unreachable,
        Code::DataLoss => Exit::Unverified,
        Code::AlreadyExists | Code::Aborted => Exit::Conflict,
        Code::Cancelled => Exit::Incomplete,
        Code::Unknown
        | Code::FailedPrecondition
        | Code::ResourceExhausted
        | Code::Unimplemented
        | Code::Internal => Exit::Failed,
    }
}

const fn advice_of(code: Code) -> Option<&'static str> {
    match code {
        Code::Unauthenticated => Some("check certificate and key of the context"),
        Code::PermissionDenied => {
            Some("ask the operator for the role, or use your own member's node")
        }
        Code::Unavailable | Code::DeadlineExceeded => Some("try again; `tocsin status` says more"),
        Code::NotFound => Some("check the name; what you may not see is not found either"),
        Code::ResourceExhausted => Some("wait a little, then go on"),
        Code::DataLoss => Some("stop, and tell the operator: what was read does not verify"),
        Code::Internal | Code::Unknown => Some("the fault is the node's; tell its operator"),
        Code::Unimplemented => Some("the node is older than this tool"),
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use tonic_types::ErrorDetails;

    #[test]
    fn a_refusal_keeps_its_reason_and_says_what_to_do() {
        let mut details = ErrorDetails::new();
        let facts = HashMap::from([("number".to_owned(), "7".to_owned())]);
        details.set_error_info("NUMBER_TAKEN", "tocsin", facts);
        let status = Status::with_error_details(Code::AlreadyExists, "number 7 is taken", details);
        let failure = failure(&status);
        assert_eq!(failure.exit, Exit::Conflict);
        assert_eq!(failure.code.as_deref(), Some("NUMBER_TAKEN"));
        assert_eq!(failure.details, ["number: 7"]);
        assert!(failure.advice.is_some());
    }

    #[test]
    fn every_status_has_an_exit_code_other_than_success() {
        for number in 1..=16 {
            let failure = failure(&Status::new(Code::from_i32(number), ""));
            assert_ne!(failure.exit, Exit::Ok, "{number}");
            assert!(!failure.message.is_empty());
        }
    }

    #[test]
    fn a_wait_is_told_in_the_unit_that_people_count_in() {
        let told = [250, 10_001, 119_000, 119_001, 4_980_000];
        let told = told.map(|ms| in_words(Duration::from_millis(ms)));
        assert_eq!(told, ["250 ms", "11 s", "119 s", "2 min", "83 min"]);
    }

    #[tokio::test]
    async fn a_node_that_does_not_answer_is_unreachable() {
        let never = std::future::pending::<Result<Response<()>, Status>>();
        let failure = call(Duration::from_millis(5), never).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
    }

    #[tokio::test]
    async fn a_node_that_pages_in_a_circle_is_stopped() {
        let page = |_| async { Ok((vec![1], "same".to_owned())) };
        assert!(pages(10, page).await.is_err());
        let endless = |token: String| async move { Ok((vec![1; 400], format!("{token}x"))) };
        assert_eq!(pages(1_000, endless).await.unwrap().len(), 1_000);
    }
}
