//! Investigators' reports: a signed claim, whose content stands in a body.

use tocsin_log::hash::Hash;

use crate::party::Party;
use crate::product::Article;
use crate::words::words;

words! {
    /// What a report is about.
    ReportKind {
        /// Goods that infringe a right.
        Infringement = 1 "infringement",
        /// Licensed goods that went elsewhere.
        LicenceDiversion = 2 "licence_diversion",
        /// Economic espionage; refused until sealing is built, at any marking.
        Espionage = 3 "espionage",
        /// An attempt to procure controlled goods; refused until sealing is built, at any marking.
        ProcurementAttempt = 4 "procurement_attempt",
        /// An insider; refused until sealing is built, at any marking.
        Insider = 5 "insider",
    }
}

/// An investigator's signed claim; its content is `bodies[0]`, a [`ReportBody`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub kind: ReportKind,
}

/// The content of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportBody {
    /// One line.
    pub title: String,
    /// What was found, how and by whom, without natural persons.
    pub narrative: String,
    /// The goods.
    pub articles: Vec<Article>,
    /// The firms, bodies and vessels.
    pub parties: Vec<Party>,
    /// Admiralty code, `A` to `F`; `F` is "cannot be judged".
    pub source_reliability: String,
    /// Admiralty code, 1 to 6; 6 is "cannot be judged".
    pub credibility: u32,
    /// When it was collected, Unix milliseconds.
    pub collected_ms: i64,
    /// Evidence, held outside the log.
    pub exhibits: Vec<Exhibit>,
    /// What the investigator asks for.
    pub requested_action: String,
    /// Invented for an exercise or a demonstration.
    pub exercise: bool,
}

/// Evidence, held outside the log and named by digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exhibit {
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// Bytes.
    pub length: u64,
    /// Media type, RFC 6838.
    pub media_type: String,
    /// As given by the investigator; metadata only, never a path.
    pub name: String,
}

/// Exhibits of one report; as many as fit a body several times over.
pub const MAX_EXHIBITS: usize = 256;
