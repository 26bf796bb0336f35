//! Indicators: the matchable facts of a report. None ever blocks anything by itself.

use crate::party::Party;
use crate::product::Article;
use crate::words::words;

words! {
    /// What an indicator points to.
    IndicatorKind {
        /// Goods.
        Product = 1 "product",
        /// Economic espionage; refused until sealing is built, at any marking.
        Espionage = 2 "espionage",
        /// An insider; refused until sealing is built, at any marking.
        Insider = 3 "insider",
    }
}

/// A matchable fact with an end; its content is `bodies[0]`, an [`IndicatorBody`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What it points to.
    pub kind: IndicatorKind,
    /// Unix milliseconds; mandatory, for an indicator ages.
    pub valid_until_ms: i64,
}

/// The content of an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndicatorBody {
    /// One line.
    pub title: String,
    /// The goods.
    pub articles: Vec<Article>,
    /// The firms, bodies and vessels.
    pub parties: Vec<Party>,
    /// `low`, `moderate` or `high` (ICD 203).
    pub confidence: String,
    /// Invented for an exercise or a demonstration.
    pub exercise: bool,
}
