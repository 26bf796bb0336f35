//! Where the entries stand that somebody asks for by kind, by digest or by what a digest begins
//! with.

use tocsin_log::hash::Hash;

use super::{Position, Registry};
use crate::name::Collection;
use crate::statement::StatementRef;

impl Registry {
    /// The valid entries of a kind, void ones too, by log and index, from a place on.
    pub fn said(
        &self,
        kind: Collection,
        from: Option<&Position>,
    ) -> impl Iterator<Item = Position> + '_ {
        let (first, index) = from.map_or_else(
            || (String::new(), 0),
            |from| (from.origin.log_name(), from.index),
        );
        self.logs
            .range(first.clone()..)
            .flat_map(move |(name, log)| {
                let least = if *name == first { index } else { 0 };
                let indexes = log.kinds.get(&kind).into_iter();
                indexes
                    .flat_map(move |indexes| indexes.range(least..))
                    .map(|index| Position {
                        origin: log.origin.clone(),
                        index: *index,
                    })
            })
    }

    /// What kind of statement a valid entry holds.
    #[must_use]
    pub fn kind_at(&self, position: &Position) -> Option<Collection> {
        let log = self.log_of(&position.origin)?;
        let mut kinds = log.kinds.iter();
        let (kind, _) = kinds.find(|(_, indexes)| indexes.contains(&position.index))?;
        Some(*kind)
    }

    /// The order that an entry is a fact of: issued, acted on or decided on there.
    #[must_use]
    pub fn order_at(&self, position: &Position) -> Option<&StatementRef> {
        self.log_of(&position.origin)?.about.get(&position.index)
    }

    /// Where a statement counts, whoever said it.
    #[must_use]
    pub fn with_id(&self, statement_id: &Hash) -> Option<Position> {
        self.between(statement_id, statement_id).next()
    }

    /// Where the statements count whose digest begins with these hex digits; none where they are
    /// not hex digits.
    #[must_use]
    pub fn with_prefix(&self, digits: &str) -> Vec<Position> {
        let whole = |filler: char| {
            let missing = (2 * Hash::LEN).saturating_sub(digits.len());
            let filled = digits.chars().chain(std::iter::repeat_n(filler, missing));
            Hash::from_hex(&filled.collect::<String>()).ok()
        };
        let (Some(low), Some(high)) = (whole('0'), whole('f')) else {
            return Vec::new();
        };
        self.between(&low, &high).collect()
    }

    fn between(&self, low: &Hash, high: &Hash) -> impl Iterator<Item = Position> {
        let range = *low..=*high;
        self.logs.values().flat_map(move |log| {
            log.first.range(range.clone()).map(|(_, index)| Position {
                origin: log.origin.clone(),
                index: *index,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::DecisionKind;
    use crate::order::OrderActKind;
    use crate::registry::sample::{Logs, NOW, models, origin, reference};

    fn at(member: &str, index: u64) -> Position {
        Position {
            origin: origin(member),
            index,
        }
    }

    fn sample() -> (Logs, Hash, Hash) {
        let mut logs = Logs::new();
        let order = logs.issue(models(&["LX-100"])).id;
        logs.do_to(order, OrderActKind::Suspend);
        logs.issue(models(&["LX-200"]));
        logs.decide("jp", NOW, order, DecisionKind::Adopt, |_| ());
        let decision = logs.decide("de", NOW, order, DecisionKind::Flag, |_| ()).id;
        (logs, order, decision)
    }

    #[test]
    fn entries_are_listed_by_kind_from_a_place_on() {
        let (logs, ..) = sample();
        let said = |kind, from: Option<Position>| -> Vec<Position> {
            logs.registry.said(kind, from.as_ref()).collect()
        };
        assert_eq!(said(Collection::Orders, None), [at("us", 0), at("us", 2)]);
        assert_eq!(said(Collection::Orders, Some(at("us", 1))), [at("us", 2)]);
        assert_eq!(
            said(Collection::Decisions, None),
            [at("de", 0), at("jp", 0)]
        );
        assert_eq!(
            said(Collection::Decisions, Some(at("de", 1))),
            [at("jp", 0)]
        );
        assert_eq!(said(Collection::OrderActs, None), [at("us", 1)]);
        assert_eq!(said(Collection::Reports, None), []);
    }

    #[test]
    fn an_entry_knows_its_kind_and_its_order() {
        let (logs, order, _) = sample();
        let registry = &logs.registry;
        assert_eq!(registry.kind_at(&at("us", 1)), Some(Collection::OrderActs));
        assert_eq!(registry.kind_at(&at("us", 9)), None);
        assert_eq!(registry.order_at(&at("de", 0)), Some(&reference(order)));
    }

    #[test]
    fn a_statement_is_found_by_its_digest_and_by_how_that_begins() {
        let (logs, _, decision) = sample();
        let registry = &logs.registry;
        assert_eq!(registry.with_id(&decision), Some(at("de", 0)));
        assert_eq!(registry.with_id(&Hash::of(b"other")), None);
        let hex = decision.to_string();
        for digits in [&hex[..16], &hex[..1], hex.as_str()] {
            assert!(
                registry.with_prefix(digits).contains(&at("de", 0)),
                "{digits}"
            );
        }
        assert_eq!(registry.with_prefix("xyz"), []);
        assert_eq!(registry.with_prefix(&"0".repeat(65)), []);
    }
}
