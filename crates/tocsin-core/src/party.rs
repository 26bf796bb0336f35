//! Firms, bodies and vessels that statements name.

use crate::product::Selector;
use crate::words::words;

words! {
    /// What a party is.
    PartyKind {
        /// A firm.
        Company = 1 "company",
        /// A body of a state.
        StateBody = 2 "state_body",
        /// A vessel.
        Vessel = 3 "vessel",
        /// A natural person. Refused until sealing is built: a log that cannot forget must not name
        /// people.
        Person = 4 "person",
    }
}

/// A party to a statement; in an order a respondent, never a wrongdoer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    /// What it is.
    pub kind: PartyKind,
    /// Primary name first, then other names and scripts; 1 to [`MAX_NAMES`].
    pub names: Vec<String>,
    /// Identifiers decide, names only suggest; at most [`MAX_IDENTIFIERS`].
    pub identifiers: Vec<Selector>,
    /// ISO 3166-1 alpha-2, or empty when not known.
    pub country: String,
}

/// Names of one party (statement.proto).
pub const MAX_NAMES: usize = 16;
/// Identifiers of one party (statement.proto).
pub const MAX_IDENTIFIERS: usize = 16;
/// Parties of one report or indicator; as many as an order has respondents (statement.proto).
pub const MAX_PARTIES: usize = 64;
