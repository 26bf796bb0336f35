//! What parties are known by, on both sides of a comparison.

use std::collections::BTreeSet;

use super::goods::canonical;
use crate::party::Party;
use crate::product::Selector;
use crate::text::folded;

/// What respondents are known by.
pub(super) struct Names {
    names: BTreeSet<String>,
    identifiers: BTreeSet<Selector>,
}

impl Names {
    pub(super) fn of(parties: &[Party]) -> Self {
        Self {
            names: parties
                .iter()
                .flat_map(|party| &party.names)
                .map(|name| fold(name))
                .collect(),
            identifiers: parties
                .iter()
                .flat_map(|party| &party.identifiers)
                .filter_map(canonical)
                .collect(),
        }
    }

    fn has_identifier(&self, identifier: &Selector) -> bool {
        canonical(identifier).is_some_and(|identifier| self.identifiers.contains(&identifier))
    }

    /// The party with what it is known by on both sides; `None` when that is nothing.
    pub(super) fn common(&self, party: &Party) -> Option<Party> {
        let mut names: Vec<String> = party
            .names
            .iter()
            .filter(|name| self.names.contains(&fold(name)))
            .cloned()
            .collect();
        let identifiers: Vec<Selector> = party
            .identifiers
            .iter()
            .filter(|identifier| self.has_identifier(identifier))
            .cloned()
            .collect();
        if names.is_empty() {
            if identifiers.is_empty() {
                return None;
            }
            // A party is shown by some name, even where only its identifier is common.
            names.extend(party.names.first().cloned());
        }
        Some(Party {
            names,
            identifiers,
            ..party.clone()
        })
    }

    pub(super) fn cover(&self, party: &Party) -> bool {
        party
            .names
            .iter()
            .all(|name| self.names.contains(&fold(name)))
            && party
                .identifiers
                .iter()
                .all(|identifier| self.has_identifier(identifier))
    }
}

fn fold(name: &str) -> String {
    folded(name).unwrap_or_else(|| name.to_owned())
}
