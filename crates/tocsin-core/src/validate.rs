//! The rules that every entry of every log is judged by, on every node alike.

use std::collections::BTreeSet;

use crate::reason::Refusal;
use crate::roster::Role;
use crate::statement::StatementRef;

/// Why an entry has no effect.
pub type InvalidReason = Refusal;

/// Who said it, as far as anyone outside the member can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Pseudonyms of the persons who signed.
    pub persons: BTreeSet<String>,
    /// All roles of the keys that signed.
    pub roles: BTreeSet<Role>,
    /// Signed by the node's key alone: a decision by policy, or a lapse.
    pub by_node_key: bool,
}

/// What an entry is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts, unless the fold finds it void beside other entries.
    Valid(Author),
    /// Rightly signed, but this version does not know what it says; kept, and doubt where it is about an order.
    Opaque {
        /// The order it is about, where that could be read.
        about: Option<StatementRef>,
    },
    /// It has no effect, nor ever will; kept and skipped.
    Invalid(InvalidReason),
}
