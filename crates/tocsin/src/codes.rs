//! Pages of the codes that only node and store know, for `tocsin explain`.

use tocsin_cli::codes::Side::{self, Caller, Member, Nobody, Operator};
use tocsin_cli::codes::{Page, page};
use tocsin_node::checks::Code;
use tocsin_node::status::{Class, REASONS, Reason};

/// Every code of the node and of its store.
#[must_use]
pub fn pages() -> Vec<Page> {
    let node = REASONS.iter().map(|reason| {
        // The node writes both in one line: what it means; what it asks for.
        let (meaning, remedy) = reason
            .meaning()
            .split_once("; ")
            .unwrap_or_else(|| (reason.meaning(), remedy_of(*reason)));
        page(reason.code(), side_of(*reason), meaning, remedy)
    });
    let checks = Code::ALL
        .iter()
        .map(|code| page(code.word(), Operator, code.meaning(), code.remedy()));
    // Why an entry is void is said by the hand tool already.
    let stops = tocsin_node::trace::pages()
        .into_iter()
        .filter(|stop| tocsin_cli::codes::find(stop.code, &[]).is_none())
        .map(|stop| page(stop.code, Nobody, stop.meaning, stop.remedy));
    node.chain(STORE.iter().copied())
        .chain(checks)
        .chain(stops)
        .collect()
}

/// What to do where the node's one line only says what it means.
const fn remedy_of(reason: Reason) -> &'static str {
    match reason.class() {
        Class::NotFound => "check the name; it may not have reached this node yet",
        Class::PermissionDenied | Class::Unauthenticated => {
            "check certificate and member of the context, or ask the operator"
        }
        Class::InvalidArgument
        | Class::OutOfRange
        | Class::AlreadyExists
        | Class::Aborted
        | Class::FailedPrecondition
        | Class::Unimplemented => "read what the message names, and ask the operator",
        Class::ResourceExhausted | Class::Unavailable | Class::DeadlineExceeded => {
            "try again shortly, or ask another node"
        }
        Class::DataLoss | Class::Internal => "tell the operator, and ask another node meanwhile",
    }
}

const fn side_of(reason: Reason) -> Side {
    match reason.class() {
        Class::InvalidArgument
        | Class::OutOfRange
        | Class::NotFound
        | Class::AlreadyExists
        | Class::Aborted
        | Class::PermissionDenied
        | Class::Unauthenticated => Caller,
        Class::FailedPrecondition => Member,
        Class::ResourceExhausted
        | Class::Unavailable
        | Class::DeadlineExceeded
        | Class::DataLoss
        | Class::Unimplemented
        | Class::Internal => Operator,
    }
}

/// What the store refuses; it stands in the node's log and in `tocsin status`.
const STORE: &[Page] = &[
    page(
        "BATCH_EMPTY",
        Member,
        "a batch without entries was to be stored",
        "tell the operator of the member whose log it is",
    ),
    page(
        "BATCH_NOT_NEXT",
        Nobody,
        "a batch does not begin where the copy ends",
        "nothing: the node asks again from where it stands",
    ),
    page(
        "BATCH_OVER_LIMIT",
        Member,
        "a batch is over the limits of one batch",
        "tell the operator of the member that sent it",
    ),
    page(
        "DATA_LOSS",
        Operator,
        "a file of the store is damaged at the place that is named",
        "keep the file, stop the node and follow the runbook on a damaged log",
    ),
    page(
        "DISK_FULL",
        Operator,
        "the disk has no room for it; withdrawals still pass while the reserve lasts",
        "make room on the disk that holds the data directory",
    ),
    page(
        "INDEX_OUT_OF_RANGE",
        Caller,
        "an entry was asked for beyond the end of the log",
        "ask up to the size that `tocsin log head` shows",
    ),
    page(
        "LOG_NOT_READY",
        Operator,
        "the log has not been read up to its end yet since the start",
        "wait: `tocsin status` shows how far it is",
    ),
    page(
        "NO_BODY",
        Nobody,
        "the entry has no such body at this node: it was withheld or erased",
        "ask a member that was given it",
    ),
    page(
        "NO_NOTE_OF_SIZE",
        Caller,
        "the node keeps no checkpoint of that size",
        "ask for the newest one, or for a size that was signed",
    ),
    page(
        "OTHER_ROOT",
        Member,
        "entries do not have the root that was signed for them",
        "do not rely on whoever sent them; tell that member's operator",
    ),
    page(
        "REPAIR_INCOMPLETE",
        Operator,
        "a repair lacks an entry",
        "repair from a member that holds the whole log",
    ),
    page(
        "REPAIR_LACKS_BODY",
        Operator,
        "a repair lacks a body that the log once had",
        "repair from a member that was given the body",
    ),
    page(
        "REPAIR_NEEDS_NOTE",
        Operator,
        "a repair has no signed note of the log to be checked against",
        "give the newest note that any member holds of this log",
    ),
    page(
        "SIGNING_ENDED",
        Operator,
        "this log is signed no further: a member showed a newer or another history of it",
        "stop the node and follow the runbook: two processes may have signed one log",
    ),
    page(
        "SIGNING_NOT_ALLOWED",
        Operator,
        "the node cannot prove where it stopped, so it does not sign yet",
        "wait for its peers to answer; the runbook says what to do when they cannot",
    ),
    page(
        "STORE_LOCKED",
        Operator,
        "another process uses the data directory",
        "end the other process first; never run two nodes on one directory",
    ),
    page(
        "TOO_LONG",
        Caller,
        "an entry or body is longer than the store takes",
        "move what is long into bodies, each within its bound",
    ),
    page(
        "TOO_MANY_LOGS",
        Operator,
        "more logs are mirrored than this version has room for",
        "upgrade before the roster grows further",
    ),
    page(
        "WRONG_DIGEST",
        Member,
        "bytes are not those that their digest names",
        "tell the operator of the member that sent them",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_and_every_reason_of_the_node_has_its_page() {
        let more = pages();
        let reasons = REASONS.iter().map(|reason| reason.code());
        let checks = Code::ALL.iter().map(|code| code.word());
        let stops = tocsin_node::trace::pages();
        let stops = stops.iter().map(|page| page.code);
        for code in reasons.chain(checks).chain(stops) {
            assert!(tocsin_cli::codes::find(code, &more).is_some(), "{code}");
        }
        for code in Code::ALL {
            let page = tocsin_cli::codes::find(code.word(), &more).unwrap();
            assert_eq!(
                page.meaning,
                code.meaning(),
                "no other reason takes its name"
            );
        }
    }

    #[test]
    fn no_code_of_node_or_store_has_two_pages() {
        let here = pages();
        let all = tocsin_cli::codes::all(&[]);
        for (at, page) in here.iter().enumerate() {
            let twice = here
                .iter()
                .take(at)
                .chain(&all)
                .any(|p| p.code == page.code);
            assert!(!twice, "{}", page.code);
            assert!(
                !page.meaning.is_empty() && !page.remedy.is_empty(),
                "{}",
                page.code
            );
        }
    }
}
