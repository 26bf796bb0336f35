//! What is counted of screening: outcomes and effects, never goods or parties.

use prometheus_client::encoding::EncodeLabelSet;
use tocsin_core::lookup::Outcome;
use tocsin_screen::suppression::Effect;

use super::{Catalog, Metrics, ReasonLabel};
use crate::clock::Stopwatch;

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct OutcomeLabel {
    /// blocked, held, review, flagged or none.
    pub outcome: &'static str,
}

/// What some lines came to; counted at once, for a count of one line costs as much as its check.
#[derive(Debug, Default)]
pub struct ScreenTally {
    none: u64,
    flagged: u64,
    review: u64,
    held: u64,
    blocked: u64,
    /// Lines that could not be read.
    pub refused: u64,
    suppressed: u64,
    expired: u64,
    not_for_blocks: u64,
}

impl ScreenTally {
    /// A line was answered.
    pub const fn answered(&mut self, outcome: Outcome) {
        let count = match outcome {
            Outcome::None => &mut self.none,
            Outcome::Flagged => &mut self.flagged,
            Outcome::Review => &mut self.review,
            Outcome::Held => &mut self.held,
            Outcome::Blocked => &mut self.blocked,
        };
        *count += 1;
    }

    /// The agency's own file is about a hit.
    pub const fn marked(&mut self, effect: Effect) {
        let count = match effect {
            Effect::Suppressed => &mut self.suppressed,
            Effect::Expired => &mut self.expired,
            Effect::NotForBlocks => &mut self.not_for_blocks,
        };
        *count += 1;
    }
}

impl Metrics {
    pub(super) fn catalogue_screening(&self, to: &mut Catalog) {
        to.counter(
            "suppression_reloads",
            "Suppressions read again on SIGHUP, by result",
            &self.suppression_reloads,
        );
        to.counter(
            "screen_lines",
            "Lines of declarations answered, by outcome",
            &self.screen_lines,
        );
        to.counter(
            "screen_lines_refused",
            "Lines of declarations that could not be read",
            &self.screen_lines_refused,
        );
        to.counter(
            "screen_marks",
            "Hits that a suppression is about, by effect",
            &self.screen_marks,
        );
        to.gauge(
            "screen_blocks",
            "Blocks that lines are checked against",
            &self.screen_blocks,
        );
        to.histogram_seconds(
            "screen_swap_duration",
            "From seeing a change of blocks to checking against it",
            &self.screen_swap_duration,
        );
    }

    /// Some lines were screened.
    pub fn screened(&self, tally: &ScreenTally) {
        let outcomes = [
            ("none", tally.none),
            ("flagged", tally.flagged),
            ("review", tally.review),
            ("held", tally.held),
            ("blocked", tally.blocked),
        ];
        for (outcome, count) in outcomes.into_iter().filter(|(_, count)| *count > 0) {
            let label = OutcomeLabel { outcome };
            self.screen_lines.get_or_create(&label).inc_by(count);
        }
        let effects = [
            (Effect::Suppressed, tally.suppressed),
            (Effect::Expired, tally.expired),
            (Effect::NotForBlocks, tally.not_for_blocks),
        ];
        for (effect, count) in effects.into_iter().filter(|(_, count)| *count > 0) {
            let reason = effect.word();
            let label = ReasonLabel { reason };
            self.screen_marks.get_or_create(&label).inc_by(count);
        }
        if tally.refused > 0 {
            self.screen_lines_refused.inc_by(tally.refused);
        }
    }

    /// The index was swapped for one that knows more; `changed` blocks made it necessary.
    pub fn screen_swapped(&self, blocks: usize, changed: usize, timer: &Stopwatch) {
        let blocks = i64::try_from(blocks).unwrap_or(i64::MAX);
        self.screen_blocks.set(blocks);
        if changed > 0 {
            self.screen_swap_duration.observe(timer.seconds());
        }
    }
}
