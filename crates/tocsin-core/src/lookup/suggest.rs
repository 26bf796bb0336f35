//! Blocks that a text is much like, by what was compared beside the exact facts.

use super::{
    EXPLAIN_MATCH_MISSING, Limit, Lookup, MAX_MATCHES, Match, MatchKind, Outcome, outcome_of,
};
use crate::notice::Notice;

impl Lookup {
    /// Adds a block that something of the text is much like. It suggests: an officer compares.
    /// Nothing is added for a block that says nothing.
    pub fn suggest(&mut self, kind: MatchKind, notice: Notice, matched: String, typed: String) {
        let outcome = outcome_of(notice.state).min(Outcome::Review);
        if outcome == Outcome::None {
            return;
        }
        if self.matches.len() >= MAX_MATCHES {
            self.is_truncated = true;
            return;
        }
        if self.matches.is_empty() {
            self.decisive_missing = true;
            self.explanation = EXPLAIN_MATCH_MISSING;
        }
        self.outcome = self.outcome.max(outcome);
        self.matches.push(Match {
            notice,
            kind,
            matched,
            typed,
            outcome,
            limit: Some(Limit::Suggests),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lookup::{Typed, lookup};
    use crate::registry::sample::{self, Logs, NOW, reference};

    #[test]
    fn what_is_only_like_it_is_review_at_most_and_what_has_ended_is_nothing() {
        let mut logs = Logs::new();
        let order = reference(logs.issue(sample::order(&[])).id);
        let block = |jurisdiction| logs.registry.block(&order, jurisdiction, NOW).unwrap();
        let typed = Typed::read("Acme Lighting").unwrap();
        let mut found = lookup(&logs.registry, &typed, "US", NOW);
        assert!(found.matches.is_empty());
        let mut suggest = |notice| {
            let (matched, typed) = ("Acme Lighting Ltd".to_owned(), "Acme Lighting".to_owned());
            found.suggest(MatchKind::Respondent, notice, matched, typed);
            (found.outcome, found.matches.len(), found.decisive_missing)
        };
        // Nothing was decided in DE.
        assert_eq!(suggest(block("DE")).1, 0);
        assert_eq!(suggest(block("US")), (Outcome::Review, 1, true));
    }
}
