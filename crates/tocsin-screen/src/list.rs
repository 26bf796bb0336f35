//! Lists of parties published by authorities, screened beside blocks. A hit on one is never more
//! than review: a list bars no goods.

/// One party of a published list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The list, as its publisher names it.
    pub list: std::sync::Arc<str>,
    /// The list's date, as its publisher writes it.
    pub dated: std::sync::Arc<str>,
    /// The publisher's number for it; not unique on every list.
    pub number: String,
    /// Primary name first, then other names and scripts.
    pub names: Vec<String>,
}
