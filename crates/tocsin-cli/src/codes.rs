//! Every stable code that a person can meet, with its page: what it means, on whose side it lies,
//! and what to do.
//!
//! The reasons of core and wire are read from where they are made; the rest stands in
//! `table`. A test over the sources holds that no code lacks a page and no page its code.

use serde_json::{Value, json};
use tocsin_core::reason::{self, Class};
use tocsin_wire::bundle;

use crate::failure::Exit;

mod files;
mod table;

/// On whose side a thing lies: who can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Whoever typed the command or called the service.
    Caller,
    /// Whoever wrote or signed the statement.
    Author,
    /// The operator of the node that was asked.
    Operator,
    /// Another member than the one asked.
    Member,
    /// Whoever made or carried an evidence file.
    File,
    /// Nobody: it says how things stand.
    Nobody,
}

impl Side {
    /// As people read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Caller => "yours: whoever asked",
            Self::Author => "the author's: whoever wrote or signed the statement",
            Self::Operator => "the node's: its operator",
            Self::Member => "another member's: its operator",
            Self::File => "the file's: whoever made or carried it",
            Self::Nobody => "nobody's: it says how things stand",
        }
    }
}

/// One code in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Stable, UPPER_SNAKE; of an exit code, its number.
    pub code: &'static str,
    /// Who can mend it.
    pub side: Side,
    /// What it means, in a sentence or two.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// A page; written `page(code, side, meaning, remedy)` in tables.
#[must_use]
pub const fn page(
    code: &'static str,
    side: Side,
    meaning: &'static str,
    remedy: &'static str,
) -> Page {
    Page {
        code,
        side,
        meaning,
        remedy,
    }
}

/// All pages in order of their codes, exit codes first; `more` are those of crates that this one
/// cannot know.
#[must_use]
pub fn all(more: &[Page]) -> Vec<Page> {
    let mut pages: Vec<Page> = reason::ALL
        .iter()
        .map(|known| {
            page(
                known.code(),
                side_of(known.class()),
                known.meaning(),
                known.remedy(),
            )
        })
        .collect();
    pages.extend(
        bundle::ALL
            .iter()
            .map(|known| page(known.code, Side::File, known.meaning, known.remedy)),
    );
    pages.extend_from_slice(table::DOOR);
    pages.extend_from_slice(table::VOID);
    pages.extend_from_slice(table::OWN);
    pages.extend_from_slice(files::FILES);
    pages.extend_from_slice(more);
    pages.extend(Exit::ALL.iter().map(|exit| exit.page()));
    // The first of two pages of one code stays: the sort is stable.
    pages.sort_by_key(|page| page.code);
    pages.dedup_by_key(|page| page.code);
    pages
}

/// The page of a code, however it is typed: `needs-second-officer`, `exit 6`, `6`.
#[must_use]
pub fn find(code: &str, more: &[Page]) -> Option<Page> {
    let typed = code.trim().to_uppercase().replace(['-', ' '], "_");
    let typed = typed.strip_prefix("EXIT_").unwrap_or(&typed);
    all(more).into_iter().find(|page| page.code == typed)
}

impl Page {
    /// As an object to print.
    #[must_use]
    pub fn value(&self) -> Value {
        json!({
            "code": self.code,
            "meaning": sentence(self.meaning),
            "side": self.side.word(),
            "remedy": sentence(self.remedy),
        })
    }
}

const fn side_of(class: Class) -> Side {
    match class {
        Class::InvalidArgument
        | Class::OutOfRange
        | Class::FailedPrecondition
        | Class::PermissionDenied
        | Class::AlreadyExists
        | Class::ResourceExhausted => Side::Author,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_however_they_are_typed() {
        for code in [
            "NEEDS_SECOND_OFFICER",
            "needs-second-officer",
            "UNANCHORED",
            "key purpose",
            "6",
            "exit 6",
            "EXIT_21",
        ] {
            let page = find(code, &[]).unwrap();
            assert!(!page.meaning.is_empty(), "{code}");
            assert!(!page.remedy.is_empty(), "{code}");
        }
        assert!(find("NO_SUCH_CODE", &[]).is_none());
    }

    #[test]
    fn tables_stand_in_order_and_no_code_has_two_pages() {
        for table in [table::DOOR, table::VOID, table::OWN, files::FILES] {
            let after = table.windows(2).find(|two| two[0].code >= two[1].code);
            assert!(after.is_none(), "{after:?}");
        }
        let mut codes: Vec<&str> = reason::ALL.iter().map(|known| known.code()).collect();
        codes.extend(bundle::ALL.iter().map(|known| known.code));
        for table in [table::DOOR, table::VOID, table::OWN, files::FILES] {
            codes.extend(table.iter().map(|known| known.code));
        }
        codes.sort_unstable();
        let twice = codes.windows(2).find(|two| two[0] == two[1]);
        assert!(twice.is_none(), "{twice:?}");
    }
}
