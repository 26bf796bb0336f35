//! `lookup`: is what one can read from a box blocked?

use serde_json::{Value, json};
use tocsin_wire::proto::v1::{self, Outcome};

use super::block::notice;
use crate::args::LookupArgs;
use crate::client;
use crate::failure::{Exit, Failure};
use crate::rpc::call;
use crate::session::Session;

/// `lookup TEXT`, `lookup --row N --in hits.csv`.
///
/// # Errors
/// When the node refuses.
pub async fn run(session: &mut Session, args: &LookupArgs) -> Result<Exit, Failure> {
    if let (Some(row), Some(hits)) = (args.row, &args.hits) {
        return super::screen::explain(session, row, hits, args.jurisdiction.as_deref()).await;
    }
    let node = session.node().await?;
    let mut screen = client!(node, screen_service_client, ScreenServiceClient);
    let request = v1::LookupRequest {
        text: args.text.join(" "),
        jurisdiction: args.jurisdiction.clone().unwrap_or_default().to_uppercase(),
    };
    let answer = call(session.globals.timeout, screen.lookup(request)).await?;
    let outcome = Outcome::try_from(answer.outcome).unwrap_or(Outcome::Unspecified);
    let rows: Vec<Value> = answer.matches.iter().map(match_row).collect();
    let value = json!({
        "outcome": word(outcome),
        "explanation": answer.explanation,
        "decisive_missing": answer.decisive_missing,
        "stale": answer.stale,
        "position": answer.position,
        "matches": rows,
    });
    let columns = [
        ("outcome", "outcome"),
        ("", "explanation"),
        ("decisive fields missing", "decisive_missing"),
        ("state too old", "stale"),
    ];
    session.out.object("lookup", &columns, &value)?;
    if session.out.format() == crate::output::Format::Table && !rows.is_empty() {
        session.out.say("")?;
        let columns = [
            ("BLOCK", "block"),
            ("OUTCOME", "outcome"),
            ("STATE", "state"),
            ("BY", "selector"),
            ("MATCHED", "matched"),
            ("NOT MORE BECAUSE", "limit"),
            ("TITLE", "title"),
        ];
        session.out.list("matches", &columns, &rows)?;
    }
    if outcome == Outcome::None && session.out.format() == crate::output::Format::Table {
        session.out.say("No match is not a clearance.")?;
    }
    Ok(if args.exit_code {
        exit_of(outcome, answer.decisive_missing, answer.stale)
    } else {
        Exit::Ok
    })
}

/// 0 only when nothing matched and nothing was missing.
const fn exit_of(outcome: Outcome, decisive_missing: bool, stale: bool) -> Exit {
    match outcome {
        Outcome::Blocked => Exit::Blocked,
        Outcome::Held | Outcome::Review | Outcome::Flagged => Exit::Held,
        Outcome::None | Outcome::Unspecified if stale => Exit::Stale,
        Outcome::None if decisive_missing => Exit::Undecided,
        Outcome::None => Exit::Ok,
        // An outcome that this version does not know must not pass for none.
        Outcome::Unspecified => Exit::Undecided,
    }
}

fn match_row(found: &v1::LookupMatch) -> Value {
    let mut row = found.notice.as_ref().map_or_else(|| json!({}), notice);
    let outcome = Outcome::try_from(found.outcome).unwrap_or(Outcome::Unspecified);
    if let Some(fields) = row.as_object_mut() {
        fields.insert("outcome".into(), json!(word(outcome)));
        fields.insert("selector".into(), json!(found.selector));
        fields.insert("matched".into(), json!(found.matched));
        fields.insert("typed".into(), json!(found.typed));
        fields.insert("limit".into(), json!(found.limit));
    }
    row
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::None => "none",
        Outcome::Flagged => "flagged",
        Outcome::Review => "review",
        Outcome::Held => "held",
        Outcome::Blocked => "blocked",
        Outcome::Unspecified => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_means_that_nothing_matched_and_nothing_was_missing() {
        let all = [
            Outcome::Unspecified,
            Outcome::None,
            Outcome::Flagged,
            Outcome::Review,
            Outcome::Held,
            Outcome::Blocked,
        ];
        for outcome in all {
            for (missing, stale) in [(false, false), (false, true), (true, false), (true, true)] {
                let ok = exit_of(outcome, missing, stale) == Exit::Ok;
                assert_eq!(
                    ok,
                    outcome == Outcome::None && !missing && !stale,
                    "{outcome:?}"
                );
            }
        }
        assert_eq!(exit_of(Outcome::Blocked, true, true), Exit::Blocked);
        assert_eq!(exit_of(Outcome::Flagged, false, false), Exit::Held);
        assert_eq!(exit_of(Outcome::None, true, false), Exit::Undecided);
        assert_eq!(exit_of(Outcome::None, true, true), Exit::Stale);
    }
}
