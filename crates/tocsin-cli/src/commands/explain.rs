//! `explain CODE`: every stable code with its meaning, its side and its remedy.

use serde_json::Value;

use crate::codes::{self, Page};
use crate::failure::{Exit, Failure};
use crate::output::Column;
use crate::session::Session;
use crate::suggest::nearest;

const COLUMNS: &[Column] = &[
    ("code", "code"),
    ("meaning", "meaning"),
    ("whose side", "side"),
    ("to do", "remedy"),
];

/// `explain CODE`, or all codes. `more` are the pages of crates that this one cannot know.
///
/// # Errors
/// When the code is not known.
pub fn run(session: &mut Session, code: Option<&str>, more: &[Page]) -> Result<Exit, Failure> {
    let Some(code) = code else {
        let rows: Vec<Value> = codes::all(more).iter().map(Page::value).collect();
        session
            .out
            .list("codes", &[("CODE", "code"), ("MEANING", "meaning")], &rows)?;
        session
            .out
            .say("More on one: tocsin explain CODE. Exit codes: tocsin help exit-codes.")?;
        return Ok(Exit::Ok);
    };
    let Some(page) = codes::find(code, more) else {
        let pages = codes::all(more);
        let near = nearest(code, pages.iter().map(|page| page.code));
        let failure = Failure::new(Exit::NotFound, format!("no code `{code}` is known"));
        return Err(failure.advice(near.map_or_else(
            || "`tocsin explain` lists all codes".to_owned(),
            |near| format!("did you mean {near}?"),
        )));
    };
    session.out.object("code", COLUMNS, &page.value())?;
    Ok(Exit::Ok)
}
