//! Blocks, frozen for screening.

use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::lookup::Outcome;
use tocsin_core::notice::Notice;

use crate::answer::{Answer, Basis, Hit, MAX_HITS};
use crate::declared::Declared;
use crate::line::Line;
use crate::rules;

/// All blocks of one jurisdiction, frozen: any number of threads may check lines against it.
#[derive(Clone, Debug)]
pub struct Screen {
    // The latest of each block, by its name; those that say nothing keep older notices out.
    blocks: BTreeMap<String, Arc<Notice>>,
    basis: Arc<Basis>,
}

impl Screen {
    /// A screen of these blocks, of which the highest version counts.
    #[must_use]
    pub fn build(notices: impl IntoIterator<Item = Notice>, basis: Basis) -> Self {
        let empty = Self {
            blocks: BTreeMap::new(),
            basis: Arc::new(basis.clone()),
        };
        empty.with(notices, basis)
    }

    /// The same with new states of some blocks. Takes a notice of an equal or higher version than
    /// the one known, as every client does.
    #[must_use]
    pub fn with(&self, changes: impl IntoIterator<Item = Notice>, basis: Basis) -> Self {
        let mut blocks = self.blocks.clone();
        for notice in changes {
            let known = blocks.get(&notice.block).map(|known| known.version);
            if known.is_none_or(|known| known <= notice.version) {
                blocks.insert(notice.block.clone(), Arc::new(notice));
            }
        }
        Self {
            blocks,
            basis: Arc::new(basis),
        }
    }

    /// What it knows.
    #[must_use]
    pub const fn basis(&self) -> &Arc<Basis> {
        &self.basis
    }

    /// Blocks that can say something.
    #[must_use]
    pub fn len(&self) -> usize {
        let speaking = self.blocks.values();
        speaking
            .filter(|notice| rules::can_speak(notice.state))
            .count()
    }

    /// Whether no block can say anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the blocks say of a line at an instant, Unix milliseconds.
    #[must_use]
    pub fn check(&self, line: &Line<'_>, now: i64) -> Answer {
        self.check_with(line, now, &mut Scratch::default())
    }

    /// As [`check`](Self::check), with memory that is used again; one for each thread.
    #[must_use]
    pub fn check_with(&self, line: &Line<'_>, now: i64, scratch: &mut Scratch) -> Answer {
        let _ = scratch;
        let declared = Declared::read(line);
        let mut hits: Vec<Hit> = self
            .blocks
            .values()
            .filter_map(|notice| rules::hit(notice, &declared, now))
            .collect();
        hits.sort_by_key(|hit| std::cmp::Reverse((hit.outcome, hit.score)));
        let is_truncated = hits.len() > MAX_HITS;
        hits.truncate(MAX_HITS);
        let decisive_missing = if hits.is_empty() {
            !declared.can_decide()
        } else {
            hits.iter().all(|hit| {
                hit.cap
                    .is_some_and(crate::answer::Cap::is_for_want_of_input)
            })
        };
        Answer {
            outcome: hits.first().map_or(Outcome::None, |hit| hit.outcome),
            decisive_missing,
            missing: declared.missing,
            unreadable: declared.unreadable,
            hits,
            is_truncated,
            basis: Arc::clone(&self.basis),
        }
    }
}

/// Memory that checks use again, so that a line that meets nothing costs no allocation.
#[derive(Debug, Default)]
pub struct Scratch {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{Cap, Subject};
    use crate::sample::{NOW, basis, general, limited, notice};
    use tocsin_core::notice::BlockState;
    use tocsin_core::product::Selector;

    const GTIN: &str = "4006381333931";
    const LINE: Line<'static> = Line {
        gtins: &[GTIN],
        ..BLANK
    };
    const BLANK: Line<'static> = Line::BLANK;

    fn lamps() -> Vec<Selector> {
        vec![
            Selector::Gtin(GTIN.into()),
            Selector::Model("LX-100".into()),
        ]
    }

    #[test]
    fn a_general_order_holds_the_article_whoever_imports_it() {
        let screen = Screen::build([notice("US-2026-1@US", general(&lamps()))], basis());
        let answer = screen.check(&LINE, NOW);
        assert_eq!(
            (answer.outcome, answer.decisive_missing),
            (Outcome::Blocked, false)
        );
        assert_eq!(answer.hits.len(), 1);
    }

    #[test]
    fn a_limited_order_needs_the_party_too() {
        let order = limited(&lamps(), "5493001KJTIIGC8Y1R12");
        let screen = Screen::build([notice("US-2026-1@US", order)], basis());
        let answer = screen.check(&LINE, NOW);
        assert_eq!(answer.outcome, Outcome::Review);
        assert_eq!(answer.hits[0].cap, Some(Cap::PartyMissing));
        assert!(answer.decisive_missing);
    }

    #[test]
    fn of_two_blocks_on_one_article_one_is_withdrawn_and_the_other_still_bars() {
        let [first, second] =
            ["US-2026-1@US", "US-2026-2@US"].map(|b| notice(b, general(&lamps())));
        let both = Screen::build([first.clone(), second], basis());
        let withdrawn = Notice {
            state: BlockState::Withdrawn,
            version: 2,
            ..first.clone()
        };
        // A late copy of what was said before revives nothing.
        let one = both.with([withdrawn], basis()).with([first], basis());
        let answer = one.check(&LINE, NOW);
        assert_eq!((answer.outcome, answer.hits.len()), (Outcome::Blocked, 1));
        let Subject::Block(block) = &answer.hits[0].subject else {
            panic!("a block")
        };
        assert_eq!(block.block, "US-2026-2@US");
    }

    #[test]
    fn an_expired_hold_never_holds_whatever_was_indexed() {
        let held = Notice {
            state: BlockState::Held,
            until_ms: NOW + 10,
            ..notice("US-2026-1@DE", general(&lamps()))
        };
        let screen = Screen::build([held], basis());
        assert_eq!(screen.check(&LINE, NOW + 9).outcome, Outcome::Held);
        assert_eq!(screen.check(&LINE, NOW + 10).outcome, Outcome::None);
    }

    #[test]
    fn nothing_found_is_never_clear() {
        let screen = Screen::build([], basis());
        assert!(!screen.check(&LINE, NOW).decisive_missing);
        let mistyped = Line {
            gtins: &["4006381333932"],
            ..BLANK
        };
        let answer = screen.check(&mistyped, NOW);
        assert!(answer.decisive_missing && answer.unreadable.contains(crate::line::Field::Gtin));
        assert!(screen.check(&BLANK, NOW).decisive_missing);
    }
}
