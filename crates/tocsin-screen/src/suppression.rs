//! What an agency has looked at and does not want to look at again: trusted importers and false
//! matches, each with its reason, its author and its end.
//!
//! A suppression never hides: the hit stays in the answer, marked with who suppressed it and why.
//! It takes away reviews and flags alone. What is blocked or held is ended by an act of the
//! jurisdiction, which is signed and seen by everybody, and never by a line in a file of one
//! agency. One that has run out does nothing but say so.

mod read;

use std::collections::BTreeMap;

use tocsin_core::lookup::Outcome;

use crate::answer::{Hit, Part, Side, Subject};
use crate::line::{Line, Role};

pub use read::{MAX_SUPPRESSION_FILE_BYTES, SuppressionFileError};

/// The suppressions of one agency, checked; [`Suppressions::default`] is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    // As in the file.
    all: Vec<Suppression>,
    // By canonical identifier, places in `all`.
    importers: BTreeMap<String, Vec<usize>>,
    // By block or list entry, places in `all`.
    matches: BTreeMap<String, Vec<usize>>,
}

/// One suppression, as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// What is not to be looked at again.
    pub what: Suppressed,
    /// Why, for whoever sees the mark: 1 to [`MAX_REASON_CHARS`] characters.
    pub reason: String,
    /// Who says so: 1 to [`MAX_AUTHOR_CHARS`] characters.
    pub author: String,
    /// From then on it does nothing (Unix milliseconds); there is none without an end.
    pub until_ms: i64,
}

/// What is not to be looked at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suppressed {
    /// Lines of an importer, by any of its identifiers (EORI, importer number, LEI, DUNS); names
    /// are not enough, for anybody can write one.
    TrustedImporter {
        /// As on declarations; compared without spaces and punctuation, in capitals.
        identifier: String,
    },
    /// A match that was looked at and is none.
    FalseMatch {
        /// The order (`US-2026-0412`) or the list's entry (`list/number`) that it is not.
        against: String,
        /// What was declared, as hits show it in canonical form. Every part of the hit that is not
        /// of this value, or of another suppression's, keeps the hit.
        value: String,
    },
}

impl Suppressed {
    /// The word for its kind.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::TrustedImporter { .. } => "trusted_importer",
            Self::FalseMatch { .. } => "false_match",
        }
    }
}

/// What a hit is to the suppressions.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The order's name, or the list's entry.
    pub against: &'a str,
    /// What it says.
    pub outcome: Outcome,
}

/// What a suppression did to a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark<'a> {
    /// Which.
    pub suppression: &'a Suppression,
    /// What it did.
    pub effect: Effect,
}

/// What a suppression does to a hit that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The hit counts no more.
    Suppressed,
    /// Its time is over: the hit counts.
    Expired,
    /// The hit counts: what is blocked or held is not for a file to release.
    NotForBlocks,
}

impl Effect {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Expired => "expired",
            Self::NotForBlocks => "not_for_blocks",
        }
    }
}

/// Why a list of suppressions is refused: nothing of it is taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("suppression {number}: {kind}")]
pub struct SuppressionError {
    /// Which, counted from 1; 0 for the list itself.
    pub number: usize,
    /// What is wrong with it.
    pub kind: SuppressionErrorKind,
}

/// What is wrong with a suppression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuppressionErrorKind {
    /// More than [`MAX_SUPPRESSIONS`].
    #[error("a list has at most {MAX_SUPPRESSIONS}")]
    TooMany,
    /// Neither a trusted importer nor a false match, or both.
    #[error("it is either `trusted_importer` or `false_match` with a `value`")]
    What,
    /// No reason, or one that is too long.
    #[error("the reason has 1 to {MAX_REASON_CHARS} characters")]
    Reason,
    /// No author, or one that is too long.
    #[error("the author has 1 to {MAX_AUTHOR_CHARS} characters")]
    Author,
    /// No end.
    #[error("it needs an end, 2026-12-31 or 2026-12-31T12:00:00Z; nothing is trusted for ever")]
    Until,
    /// The identifier is empty once it is cleaned, or too long.
    #[error("the importer's identifier has 4 to {MAX_VALUE_CHARS} letters and digits")]
    Identifier,
    /// No order or list entry, or one that is too long.
    #[error("it needs the order or list entry that it is about, of at most {MAX_VALUE_CHARS}")]
    Against,
    /// No value, or one that is too long.
    #[error("it needs the declared value, of at most {MAX_VALUE_CHARS} characters")]
    Value,
}

impl Suppressions {
    /// Takes a list whole, or nothing of it.
    ///
    /// # Errors
    /// The first that is not of its form.
    pub fn new(all: Vec<Suppression>) -> Result<Self, SuppressionError> {
        if all.len() > MAX_SUPPRESSIONS {
            let kind = SuppressionErrorKind::TooMany;
            return Err(SuppressionError { number: 0, kind });
        }
        let mut importers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut matches: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, suppression) in all.iter().enumerate() {
            let number = place + 1;
            suppression
                .check()
                .map_err(|kind| SuppressionError { number, kind })?;
            match &suppression.what {
                Suppressed::TrustedImporter { identifier } => {
                    importers.entry(bare(identifier)).or_default().push(place);
                }
                Suppressed::FalseMatch { against, .. } => {
                    matches.entry(against.clone()).or_default().push(place);
                }
            }
        }
        Ok(Self {
            all,
            importers,
            matches,
        })
    }

    /// All of them, as they were given.
    #[must_use]
    pub fn all(&self) -> &[Suppression] {
        &self.all
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What these make of one hit of a line.
    #[must_use]
    pub fn judge<'s>(&'s self, line: &Line<'_>, hit: &Hit, now_ms: i64) -> Option<Mark<'s>> {
        if self.all.is_empty() {
            return None;
        }
        let importers: Vec<&str> = line
            .parties
            .iter()
            .filter(|party| party.role == Role::Importer)
            .flat_map(|party| party.identifiers)
            .map(|identifier| identifier.value)
            .collect();
        let agreeing = |part: &&Part| part.side != Side::Context && !part.contradicts();
        let values: Vec<&str> = hit
            .parts
            .iter()
            .filter(agreeing)
            .map(|part| part.canonical.as_str())
            .collect();
        let listed;
        let against = match &hit.subject {
            Subject::Block(notice) => notice.order.as_str(),
            Subject::Listed(entry) => {
                listed = format!("{}/{}", entry.list, entry.number);
                listed.as_str()
            }
        };
        let outcome = hit.outcome;
        self.mark(Seen { against, outcome }, &importers, &values, now_ms)
    }

    /// What these make of one hit of a line: `importers` are the importer's identifiers as
    /// declared, `values` the canonical declared values of the hit's parts. Of several that are
    /// about it the one that does most.
    #[must_use]
    pub fn mark<'s>(
        &'s self,
        hit: Seen<'_>,
        importers: &[&str],
        values: &[&str],
        now_ms: i64,
    ) -> Option<Mark<'s>> {
        let of_importer = importers
            .iter()
            .filter_map(|declared| self.importers.get(&bare(declared)))
            .flatten();
        let of_match = self.false_match(hit.against, values, now_ms);
        of_importer
            .copied()
            .chain(of_match)
            .filter_map(|place| self.all.get(place))
            .map(|suppression| Mark {
                suppression,
                effect: suppression.effect(hit.outcome, now_ms),
            })
            .min_by_key(|mark| mark.effect)
    }

    /// The suppression that stands for all of a hit's parts, if each has one.
    fn false_match(&self, against: &str, values: &[&str], now_ms: i64) -> Option<usize> {
        let places = self.matches.get(against)?;
        let of = |wanted: &str| {
            let about = places.iter().copied().filter(|place| {
                self.all
                    .get(*place)
                    .is_some_and(|suppression| suppression.is_of_value(wanted))
            });
            // One that has run out says so only where no other holds.
            about.max_by_key(|place| {
                let end = self.all.get(*place).map_or(0, |one| one.until_ms);
                (end > now_ms, std::cmp::Reverse(*place))
            })
        };
        let mut least: Option<usize> = None;
        for value in values {
            let place = of(value)?;
            let until = |place: usize| self.all.get(place).map_or(0, |one| one.until_ms);
            least = match least {
                Some(other) if until(other) <= until(place) => Some(other),
                Some(_) | None => Some(place),
            };
        }
        least
    }
}

impl Suppression {
    /// What it does to a hit that it is about.
    const fn effect(&self, outcome: Outcome, now_ms: i64) -> Effect {
        if now_ms >= self.until_ms {
            return Effect::Expired;
        }
        match outcome {
            Outcome::Blocked | Outcome::Held => Effect::NotForBlocks,
            Outcome::None | Outcome::Flagged | Outcome::Review => Effect::Suppressed,
        }
    }

    fn is_of_value(&self, wanted: &str) -> bool {
        match &self.what {
            Suppressed::FalseMatch { value, .. } => value == wanted,
            Suppressed::TrustedImporter { .. } => false,
        }
    }

    fn check(&self) -> Result<(), SuppressionErrorKind> {
        let is_of = |text: &str, most: usize| {
            let chars = text.chars().count();
            !text.trim().is_empty() && chars <= most
        };
        if !is_of(&self.reason, MAX_REASON_CHARS) {
            return Err(SuppressionErrorKind::Reason);
        }
        if !is_of(&self.author, MAX_AUTHOR_CHARS) {
            return Err(SuppressionErrorKind::Author);
        }
        if self.until_ms <= 0 || self.until_ms == i64::MAX {
            return Err(SuppressionErrorKind::Until);
        }
        match &self.what {
            Suppressed::TrustedImporter { identifier } => {
                let chars = bare(identifier).chars().count();
                if !(MIN_IDENTIFIER_CHARS..=MAX_VALUE_CHARS).contains(&chars) {
                    return Err(SuppressionErrorKind::Identifier);
                }
            }
            Suppressed::FalseMatch { against, value } => {
                if !is_of(against, MAX_VALUE_CHARS) {
                    return Err(SuppressionErrorKind::Against);
                }
                if !is_of(value, MAX_VALUE_CHARS) {
                    return Err(SuppressionErrorKind::Value);
                }
            }
        }
        Ok(())
    }
}

/// The outcome of an answer once its hits are marked: what is left says most. `hidden` is the most
/// that hits can say which are not among these, and so were not marked.
#[must_use]
pub fn outcome_left<'a>(
    hits: impl IntoIterator<Item = (Outcome, Option<Mark<'a>>)>,
    hidden: Outcome,
) -> Outcome {
    let is_left = |mark: &Option<Mark<'_>>| mark.is_none_or(|m| m.effect != Effect::Suppressed);
    hits.into_iter()
        .filter(|(_, mark)| is_left(mark))
        .map(|(outcome, _)| outcome)
        .fold(hidden, Outcome::max)
}

/// An identifier without spaces and punctuation, in capitals.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

/// Suppressions of one agency; its officers make some dozens a day, and each ends.
pub const MAX_SUPPRESSIONS: usize = 100_000;
/// Characters of a reason.
pub const MAX_REASON_CHARS: usize = 512;
/// Characters of an author.
pub const MAX_AUTHOR_CHARS: usize = 128;
/// Characters of a value, an identifier or a name of an order.
pub const MAX_VALUE_CHARS: usize = 512;
/// Letters and digits that an importer's identifier has at least.
const MIN_IDENTIFIER_CHARS: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;

    fn trusted(identifier: &str, until_ms: i64) -> Suppression {
        Suppression {
            what: Suppressed::TrustedImporter {
                identifier: identifier.to_owned(),
            },
            reason: "audited in 2026".to_owned(),
            author: "officer 12".to_owned(),
            until_ms,
        }
    }

    fn no_match(against: &str, value: &str, until_ms: i64) -> Suppression {
        Suppression {
            what: Suppressed::FalseMatch {
                against: against.to_owned(),
                value: value.to_owned(),
            },
            ..trusted("DE123456", until_ms)
        }
    }

    fn review(against: &str) -> Seen<'_> {
        Seen {
            against,
            outcome: Outcome::Review,
        }
    }

    fn effect(
        list: &Suppressions,
        hit: Seen<'_>,
        importer: &str,
        values: &[&str],
    ) -> Option<Effect> {
        list.mark(hit, &[importer], values, NOW)
            .map(|mark| mark.effect)
    }

    #[test]
    fn a_trusted_importer_takes_away_reviews_and_flags_and_never_a_block_or_hold() {
        let list = Suppressions::new(vec![trusted("de 1234-56", NOW + 1)]).unwrap();
        for (outcome, expected) in [
            (Outcome::Flagged, Effect::Suppressed),
            (Outcome::Review, Effect::Suppressed),
            (Outcome::Held, Effect::NotForBlocks),
            (Outcome::Blocked, Effect::NotForBlocks),
        ] {
            let hit = Seen {
                against: "US-2026-0001",
                outcome,
            };
            assert_eq!(effect(&list, hit, "DE123456", &["X"]), Some(expected));
            assert_eq!(effect(&list, hit, "DE123457", &["X"]), None);
        }
    }

    #[test]
    fn a_false_match_holds_for_its_order_and_its_value_alone() {
        let list = Suppressions::new(vec![no_match("US-2026-0001", "ACME", NOW + 1)]).unwrap();
        let hit = review("US-2026-0001");
        assert_eq!(effect(&list, hit, "", &["ACME"]), Some(Effect::Suppressed));
        assert_eq!(effect(&list, hit, "", &["ACNE"]), None);
        assert_eq!(effect(&list, review("US-2026-0002"), "", &["ACME"]), None);
        // A second part that nobody looked at keeps the hit, and a hit without parts is none.
        assert_eq!(effect(&list, hit, "", &["ACME", "X100"]), None);
        assert_eq!(effect(&list, hit, "", &[]), None);
    }

    #[test]
    fn one_that_has_run_out_says_so_unless_another_holds() {
        let old = trusted("DE123456", NOW);
        let list = Suppressions::new(vec![old.clone()]).unwrap();
        let hit = review("US-2026-0001");
        assert_eq!(
            effect(&list, hit, "DE123456", &["X"]),
            Some(Effect::Expired)
        );
        let both = Suppressions::new(vec![old, trusted("DE123456", NOW + 1)]).unwrap();
        let mark = both.mark(hit, &["DE123456"], &["X"], NOW).unwrap();
        assert_eq!(mark.effect, Effect::Suppressed);
        assert_eq!(mark.suppression.until_ms, NOW + 1);
        let parts = Suppressions::new(vec![
            no_match("US-2026-0001", "ACME", NOW + 1),
            no_match("US-2026-0001", "X100", NOW),
        ])
        .unwrap();
        assert_eq!(
            effect(&parts, hit, "", &["ACME", "X100"]),
            Some(Effect::Expired)
        );
    }

    #[test]
    fn what_is_left_decides_and_what_is_not_shown_is_never_suppressed() {
        let one = trusted("DE123456", NOW + 1);
        let mark = |effect| {
            Some(Mark {
                suppression: &one,
                effect,
            })
        };
        let suppressed = mark(Effect::Suppressed);
        let hits = [
            (Outcome::Review, suppressed),
            (Outcome::Flagged, mark(Effect::Expired)),
        ];
        assert_eq!(outcome_left(hits, Outcome::None), Outcome::Flagged);
        let all = [
            (Outcome::Review, suppressed),
            (Outcome::Flagged, suppressed),
        ];
        assert_eq!(outcome_left(all, Outcome::None), Outcome::None);
        assert_eq!(outcome_left(all, Outcome::Flagged), Outcome::Flagged);
        let held = [(Outcome::Held, mark(Effect::NotForBlocks))];
        assert_eq!(outcome_left(held, Outcome::None), Outcome::Held);
    }

    #[test]
    fn a_list_is_taken_whole_or_not_at_all() {
        let refused = |one: Suppression| {
            let good = trusted("DE123456", NOW);
            let error = Suppressions::new(vec![good, one]).unwrap_err();
            assert_eq!(error.number, 2);
            error.kind
        };
        let good = trusted("DE123456", NOW);
        let changed = |change: fn(&mut Suppression)| {
            let mut one = good.clone();
            change(&mut one);
            one
        };
        assert_eq!(
            refused(changed(|one| one.reason.clear())),
            SuppressionErrorKind::Reason
        );
        assert_eq!(
            refused(changed(|one| one.author = " ".to_owned())),
            SuppressionErrorKind::Author
        );
        assert_eq!(
            refused(changed(|one| one.until_ms = 0)),
            SuppressionErrorKind::Until
        );
        assert_eq!(
            refused(trusted("D-E", NOW)),
            SuppressionErrorKind::Identifier
        );
        assert_eq!(
            refused(no_match("", "ACME", NOW)),
            SuppressionErrorKind::Against
        );
        assert_eq!(
            refused(no_match("US-2026-0001", "", NOW)),
            SuppressionErrorKind::Value
        );
        let many = vec![good; MAX_SUPPRESSIONS + 1];
        assert_eq!(
            Suppressions::new(many).unwrap_err().kind,
            SuppressionErrorKind::TooMany
        );
    }
}
