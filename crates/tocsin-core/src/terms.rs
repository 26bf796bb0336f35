//! What an order says beside its goods and respondents: which way they move, who else is bound, who
//! is not, and until when they may enter under bond.
//!
//! Silence is read with care: an order that says nothing binds the named respondents, on import,
//! and nobody else.

use std::collections::BTreeSet;

use crate::party::Party;
use crate::product::Selector;
use crate::words::words;

words! {
    /// Which way goods move.
    Direction {
        /// Into the jurisdiction, for its market.
        Import = 1 "import",
        /// Out of it.
        Export = 2 "export",
        /// Through it. Never barred unless an order says so (Regulation (EU) 608/2013, Article 37).
        Transit = 3 "transit",
        /// Out again, of goods that had come in.
        ReExport = 4 "re_export",
        /// Into a free zone.
        FtzAdmission = 5 "ftz_admission",
    }
}

words! {
    /// How a firm that is not named stands to a respondent.
    Relation {
        /// Under one owner.
        Affiliate = 1 "affiliate",
        /// Its owner.
        Parent = 2 "parent",
        /// Owned by it.
        Subsidiary = 3 "subsidiary",
        /// Makes or sells by its licence.
        Licensee = 4 "licensee",
        /// Works for it.
        Contractor = 5 "contractor",
        /// Has taken its place.
        Successor = 6 "successor",
        /// Has taken over its rights.
        Assign = 7 "assign",
    }
}

words! {
    /// Whether goods that contain the barred article are barred, too. Where an order does not say,
    /// they are not.
    Downstream {
        /// Those that the order's articles list.
        Listed = 1 "listed",
        /// Whatever contains it; of a limited order, the respondents' own.
        Any = 2 "any",
    }
}

words! {
    /// Why goods that an order would bar may still pass.
    CarveOutKind {
        /// Service and repair of what was sold before.
        ServiceRepair = 1 "service_repair",
        /// Bought from a licensed source.
        LicensedSource = 2 "licensed_source",
        /// Genuine goods, first sold elsewhere with the holder's consent.
        ParallelImport = 3 "parallel_import",
        /// For the government's use (19 U.S.C. 1337(l)).
        GovernmentUse = 4 "government_use",
        /// In a traveller's luggage, without trade (Regulation (EU) 608/2013, Article 1(4)).
        PersonalLuggage = 5 "personal_luggage",
        /// A redesign that the authority has ruled to be outside of the order.
        CertifiedRedesign = 6 "certified_redesign",
        /// Under a value that the order names.
        LowValue = 7 "low_value",
        /// A sample for research.
        ResearchSample = 8 "research_sample",
        /// Stock from before the order.
        GrandfatheredStock = 9 "grandfathered_stock",
        /// Between two instants, whatever the goods.
        DateWindow = 10 "date_window",
    }
}

/// What an order says beside its goods and respondents; the default says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Which movements are barred; empty means import only.
    pub directions: BTreeSet<Direction>,
    /// Who is bound beside the named respondents; empty means nobody.
    pub relations: BTreeSet<Relation>,
    /// Firms known to stand in such a relation, each for a time; at most [`MAX_RELATED`].
    pub related: Vec<Related>,
    /// Whether goods that contain the article are barred; `None` means no.
    pub downstream: Option<Downstream>,
    /// What passes all the same; at most [`MAX_CARVE_OUTS`].
    pub carve_outs: Vec<CarveOut>,
    /// Who may import the genuine goods; at most [`MAX_AUTHORISED`].
    pub authorised: Vec<Party>,
    /// Until when goods may enter under bond, which is not a hold.
    pub bond: Option<Bond>,
    /// Under which terms the importer may certify that goods are not covered.
    pub certification: Option<String>,
    /// How much of past trade it would have touched; `None` when that was not tried.
    pub breadth: Option<Breadth>,
}

impl Terms {
    /// Whether goods that move this way are barred.
    #[must_use]
    pub fn bars(&self, direction: Direction) -> bool {
        if self.directions.is_empty() {
            direction == Direction::Import
        } else {
            self.directions.contains(&direction)
        }
    }

    /// Whether firms in this relation to a respondent are bound.
    #[must_use]
    pub fn binds(&self, relation: Relation) -> bool {
        self.relations.contains(&relation)
    }

    /// Whether some goods may pass at an instant that the order's articles and respondents alone
    /// would bar: then the facts of a whole declaration decide.
    #[must_use]
    pub fn let_some_pass(&self, at_ms: i64) -> bool {
        self.carve_outs
            .iter()
            .any(|carve_out| carve_out.is_at(at_ms))
            || !self.authorised.is_empty()
            || self.is_under_bond(at_ms)
            || !self.bars(Direction::Import)
    }

    /// Whether goods may enter under bond at an instant.
    #[must_use]
    pub fn is_under_bond(&self, at_ms: i64) -> bool {
        self.bond.as_ref().is_some_and(|bond| at_ms < bond.until_ms)
    }
}

/// A firm that stands in a relation to a respondent, for a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// How it stands to the respondent; one that the order has switched on.
    pub relation: Relation,
    /// The respondent's place in the order, from 0.
    pub of: u32,
    /// The firm.
    pub party: Party,
    /// Unix milliseconds, inclusive; 0 = always was.
    pub from_ms: i64,
    /// Unix milliseconds, exclusive; 0 = until further notice.
    pub until_ms: i64,
}

impl Related {
    /// Whether it stands in that relation at an instant.
    #[must_use]
    pub const fn is_at(&self, at_ms: i64) -> bool {
        is_between(at_ms, self.from_ms, self.until_ms)
    }
}

/// Goods that pass although the order would bar them: those that meet every part that is said.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CarveOut {
    /// Why.
    pub kind: CarveOutKind,
    /// In the order's words; mandatory.
    pub text: String,
    /// By what the goods are known, any of them; empty means all goods of the order. At most
    /// [`MAX_CARVE_OUT_SELECTORS`].
    pub selectors: Vec<Selector>,
    /// Whose goods, any of them; empty means anybody's. At most [`MAX_CARVE_OUT_PARTIES`].
    pub parties: Vec<Party>,
    /// Unix milliseconds, inclusive; 0 = since the order.
    pub from_ms: i64,
    /// Unix milliseconds, exclusive; 0 = as long as the order.
    pub until_ms: i64,
}

impl CarveOut {
    /// Whether it stands at an instant.
    #[must_use]
    pub const fn is_at(&self, at_ms: i64) -> bool {
        is_between(at_ms, self.from_ms, self.until_ms)
    }
}

/// What an issuer found when it tried its order on past declarations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breadth {
    /// Lines of declarations that were tried; at least 1.
    pub lines: u64,
    /// Of these, lines that the order would have touched; at most all.
    pub hits: u64,
}

impl Breadth {
    /// Whether the order touches more than this share of lines, above 0 up to 1.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share of more lines than 2^53 is not wrong by a line"
    )]
    pub fn is_over(&self, share: f64) -> bool {
        self.hits as f64 > self.lines as f64 * share
    }
}

/// Entry under bond while the order is under review (19 CFR 12.39(b)(2)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bond {
    /// Amount and terms, in the order's words; mandatory.
    pub text: String,
    /// Unix milliseconds, exclusive.
    pub until_ms: i64,
}

const fn is_between(at_ms: i64, from_ms: i64, until_ms: i64) -> bool {
    from_ms <= at_ms && (until_ms == 0 || at_ms < until_ms)
}

/// Share of lines above which an order is over-broad, where no policy says otherwise.
pub const BROAD_SHARE: f64 = 0.001;
/// Related firms of one order (statement.proto).
pub const MAX_RELATED: usize = 64;
/// Carve-outs of one order (statement.proto).
pub const MAX_CARVE_OUTS: usize = 32;
/// Selectors of one carve-out (statement.proto).
pub const MAX_CARVE_OUT_SELECTORS: usize = 64;
/// Parties of one carve-out (statement.proto).
pub const MAX_CARVE_OUT_PARTIES: usize = 32;
/// Authorised importers of one order (statement.proto).
pub const MAX_AUTHORISED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_says_nothing_bars_import_by_the_named_alone() {
        let silent = Terms::default();
        for direction in Direction::ALL {
            assert_eq!(silent.bars(*direction), *direction == Direction::Import);
        }
        assert!(
            Relation::ALL
                .iter()
                .all(|relation| !silent.binds(*relation))
        );
        assert!(!silent.is_under_bond(0));
    }

    #[test]
    fn an_order_that_names_directions_bars_those_alone() {
        let terms = Terms {
            directions: [Direction::Transit].into(),
            ..Terms::default()
        };
        assert!(terms.bars(Direction::Transit) && !terms.bars(Direction::Import));
    }

    #[test]
    fn one_line_in_a_thousand_is_not_over_broad_and_more_is() {
        let breadth = |hits| Breadth {
            lines: 1_000_000,
            hits,
        };
        assert!(!breadth(0).is_over(BROAD_SHARE) && !breadth(1_000).is_over(BROAD_SHARE));
        assert!(breadth(1_001).is_over(BROAD_SHARE) && !breadth(1_000_000).is_over(1.0));
    }

    #[test]
    fn a_bond_ends_at_its_instant() {
        let terms = Terms {
            bond: Some(Bond {
                text: "100 % of entered value".to_owned(),
                until_ms: 10,
            }),
            ..Terms::default()
        };
        assert!(terms.is_under_bond(9) && !terms.is_under_bond(10));
    }
}
