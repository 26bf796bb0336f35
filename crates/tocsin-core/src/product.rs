//! Goods, and the facts by which a consignment can be matched to them.

/// A matchable fact, as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Global trade item number: 8, 12, 13 or 14 digits.
    Gtin(String),
    /// Harmonized System code; weak, never enough alone.
    Hs(HsCode),
    /// Part or model number.
    Model(String),
    /// Serial numbers in a range.
    Serial(SerialRange),
    /// Manufacturer identification code (19 CFR 102 App.).
    Mid(String),
    /// Legal entity identifier (ISO 17442).
    Lei(String),
    /// Economic operator number (EU, UK).
    Eori(String),
    /// A sign or brand word; suggests, never decides.
    Brand(String),
}

/// A Harmonized System code of one edition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HsCode {
    /// 2, 4 or 6 digits.
    pub code: String,
    /// 2017, 2022 or 2028.
    pub edition: u32,
}

/// Serial numbers `prefix` + low..=high, all of `width` digits after the prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialRange {
    /// What stands before the digits; may be empty.
    pub prefix: String,
    /// First number of the range.
    pub low: u64,
    /// Last number of the range.
    pub high: u64,
    /// Digits after the prefix, 1 to 18.
    pub width: u32,
}

/// The goods that an order, report or indicator speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Article {
    /// The narrative as the authority wrote it.
    pub description: String,
    /// At most [`MAX_SELECTORS`] in a statement.
    pub selectors: Vec<Selector>,
}

/// Selectors that one statement, or one body, may hold (statement.proto).
pub const MAX_SELECTORS: usize = 256;
/// Articles that one order, report or indicator may hold (statement.proto).
pub const MAX_ARTICLES: usize = 64;
