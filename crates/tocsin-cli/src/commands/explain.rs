//! `explain CODE`: every stable reason with its meaning and remedy; and completion scripts.

use serde_json::{Value, json};
use tocsin_core::reason;
use tocsin_wire::bundle::{self, Explanation};

use crate::failure::{Exit, Failure};
use crate::output::Column;
use crate::session::Session;
use crate::suggest::nearest;

const COLUMNS: &[Column] = &[
    ("code", "code"),
    ("meaning", "meaning"),
    ("to do", "remedy"),
];

/// Reasons of the hand tool itself.
const OWN: &[(&str, &str, &str)] = &[
    (
        "CAUSE_MISMATCH",
        "The act on an order is not the one for what has happened to it.",
        "Use the verb that is named: error withdraws, ended rescinds, stay suspends, slip and \
         changed modify.",
    ),
    (
        "CAUSE_NEEDED",
        "Which act on an order is right depends on what has happened, and nobody could be asked.",
        "Say it with --because, or run `tocsin order amend` at a terminal.",
    ),
    (
        "CA_UNUSABLE",
        "The certificate authority in the member's manifest cannot be used.",
        "Ask that member for its alliance file; do not connect until it is sound.",
    ),
    (
        "CLIENT_CERTIFICATE",
        "A check: the certificate by which the node knows us. Warns when less than a third of its \
         life is left, fails under a tenth.",
        "Ask your operator for a new one: `tocsin client new`.",
    ),
    (
        "CLIENT_KEY",
        "A check: the private key of our certificate. Fails when others on this machine can read \
         it.",
        "Run chmod 600 on it; ask for another when others may have it.",
    ),
    (
        "CONFIRMATION_NEEDED",
        "The command binds, and nobody could be asked.",
        "Read what is to be done, then say --yes.",
    ),
    (
        "CONTEXT_ALLIANCE",
        "A check: the alliance file of the context. Fails when it cannot be used, or is not the \
         one whose fingerprint the context has.",
        "Get the alliance file again and compare its fingerprint by voice.",
    ),
    (
        "DOCUMENT_INVALID",
        "A statement document has unknown, missing or malformed fields.",
        "Mend the lines that are named; `new` explains every field.",
    ),
    (
        "DRAFT_NOT_SHOWN_WHOLE",
        "A draft says something that this version of the tool does not show.",
        "Sign it with the version of the tool that made it, or a newer one.",
    ),
    (
        "ENTRY_BROKEN",
        "A node sent an entry that is none, or another than it was asked for.",
        "Tell the operator of that node; read from another member.",
    ),
    (
        "KEY_FILE_INVALID",
        "A file is not a key file.",
        "Name a file that `tocsin init` or `tocsin key new` has made.",
    ),
    (
        "KEY_FILE_SHARED",
        "Others on this machine can read a private key.",
        "Run chmod 600 on it; replace the key if others may have it.",
    ),
    (
        "KEY_PURPOSE",
        "A key was named for something it is not for.",
        "Name a record key to sign statements, a gov key to sign rosters.",
    ),
    (
        "NODE_ADMIN",
        "A check: the node's admin address on this machine, which makes all its other checks.",
        "See that the node runs, and that the address is its admin_listen.",
    ),
    (
        "NODE_REACHED",
        "A check: the node's address for clients, over mutual TLS with our certificate.",
        "See that the node runs and is the right one; its log says why it turned us away.",
    ),
    (
        "NOTE_INVALID",
        "A log's checkpoint is not signed by its member, or a cosignature is false.",
        "Tell the operator of the node that sent it; read from another member.",
    ),
    (
        "OWN_ORDER",
        "A decision is on another's order; this one is our own.",
        "Suspend, modify, rescind or withdraw it with `tocsin order`.",
    ),
    (
        "PROTECTED_CONTEXT",
        "Something would be changed through a protected context, and that was not confirmed.",
        "If that is where it should go, name the context beside --yes: -c NAME --yes.",
    ),
    (
        "RECEIPT_INVALID",
        "The node's receipt does not prove that the statement stands in the log.",
        "Tell the operator; run `tocsin log audit`.",
    ),
    (
        "RECEIPT_MISSING",
        "The node accepted a statement and gave no receipt.",
        "Tell the operator; submit the same file again, which is safe.",
    ),
    (
        "RECORD_INVALID",
        "A node shows a record whose bytes are not what it says of them.",
        "Tell the operator of that node; read from another member.",
    ),
    (
        "ROOT_MISMATCH",
        "A log's entries do not hash to the root that its member signed.",
        "Stop relying on that node, and tell its operator.",
    ),
    (
        "TIMED_OUT",
        "The node did not answer in time.",
        "Try again, or wait longer with --timeout 2m. Submitting the same file again is safe.",
    ),
    (
        "UNANCHORED",
        "Everything is consistent, but nothing says that it is the right alliance.",
        "Compare the fingerprint by voice with a member you know, then give it with --genesis.",
    ),
    (
        "WRONG_SERVER",
        "The server at this address did not prove to be the member's node.",
        "Check endpoint and member of the context; if they are right, tell the operator.",
    ),
];

/// A code with its meaning and remedy, however it is typed.
#[must_use]
pub fn explain_row(code: &str, more: &[Explanation]) -> Option<Value> {
    let code = code.to_uppercase().replace('-', "_");
    all(more)
        .into_iter()
        .find(|row| row.get("code").and_then(Value::as_str) == Some(code.as_str()))
}

/// `explain CODE`, or all codes.
///
/// # Errors
/// When the code is not known.
pub fn run(
    session: &mut Session,
    code: Option<&str>,
    more: &[Explanation],
) -> Result<Exit, Failure> {
    let Some(code) = code else {
        session.out.list(
            "reasons",
            &[("CODE", "code"), ("MEANING", "meaning")],
            &all(more),
        )?;
        return Ok(Exit::Ok);
    };
    let Some(row) = explain_row(code, more) else {
        let rows = all(more);
        let codes = rows
            .iter()
            .filter_map(|row| row.get("code").and_then(Value::as_str));
        let mut failure = Failure::new(Exit::NotFound, format!("no code `{code}` is known"));
        failure.advice = nearest(code, codes).map(|near| format!("did you mean {near}?"));
        return Err(failure);
    };
    session.out.object("reason", COLUMNS, &row)?;
    Ok(Exit::Ok)
}

fn all(more: &[Explanation]) -> Vec<Value> {
    let row = |code: &str, meaning: &str, remedy: &str| {
        let (meaning, remedy) = (sentence(meaning), sentence(remedy));
        json!({"code": code, "meaning": meaning, "remedy": remedy})
    };
    let mut rows: Vec<Value> = reason::ALL
        .iter()
        .map(|r| row(r.code(), r.meaning(), r.remedy()))
        .collect();
    rows.extend(
        bundle::ALL
            .iter()
            .map(|known| row(known.code, known.meaning, known.remedy)),
    );
    rows.extend(
        more.iter()
            .map(|known| row(known.code, known.meaning, known.remedy)),
    );
    rows.extend(
        OWN.iter()
            .map(|(code, meaning, remedy)| row(code, meaning, remedy)),
    );
    let code = |row: &Value| {
        row.get("code")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    rows.sort_by_key(code);
    rows.dedup_by_key(|row| code(row));
    rows
}

/// Some lists are written as messages, some as sentences; here all are sentences.
fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    let first = rest
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.is_empty() || text.ends_with('.') {
        ""
    } else {
        "."
    };
    format!("{first}{}{end}", rest.as_str())
}

/// `completion SHELL`.
///
/// # Errors
/// When the script cannot be printed.
pub fn completion(
    session: &mut Session,
    shell: clap_complete::Shell,
    mut root: clap::Command,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, "tocsin", &mut script);
    session.out.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_however_they_are_typed() {
        for code in [
            "NEEDS_SECOND_OFFICER",
            "needs-second-officer",
            "UNANCHORED",
            "key_purpose",
        ] {
            let row = explain_row(code, &[]).unwrap();
            assert!(!row["meaning"].as_str().unwrap().is_empty(), "{code}");
            assert!(!row["remedy"].as_str().unwrap().is_empty(), "{code}");
        }
        assert!(explain_row("NO_SUCH_CODE", &[]).is_none());
    }

    #[test]
    fn own_codes_stand_in_order_and_once() {
        assert!(OWN.is_sorted_by(|one, other| one.0 < other.0));
    }
}
