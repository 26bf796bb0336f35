//! Which statements release goods now.

use super::{OrderState, Registry};
use crate::decision::DecisionKind;
use crate::notice::BlockState;
use crate::order::OrderActKind;
use crate::statement::{Act, Statement};

impl Registry {
    /// Whether a statement of a jurisdiction ends, suspends or pauses something that stands at an
    /// instant.
    ///
    /// Nothing may keep such a statement out: no quota, no full queue, no full disk. One that
    /// changes nothing, because what it ends is over already, is said at the price of any other:
    /// else whoever holds one officer's key could fill with it what is kept free for the rest.
    #[must_use]
    pub fn is_release(&self, statement: &Statement, jurisdiction: &str, at: i64) -> bool {
        let Some(order) = &statement.about else {
            return false;
        };
        match &statement.act {
            Act::OrderAct(act) => self
                .order(order, at)
                .is_some_and(|view| ends(act.kind, view.state)),
            Act::Decision(decision) => self
                .block(order, jurisdiction, at)
                .is_some_and(|block| stops(decision.kind, block.state)),
            Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::PolicyPack(_) => false,
        }
    }
}

/// Whether an issuer's act takes something from an order in this state.
const fn ends(act: OrderActKind, order: OrderState) -> bool {
    let is_over = matches!(order, OrderState::Rescinded | OrderState::Withdrawn);
    match act {
        OrderActKind::Withdraw | OrderActKind::Rescind => !is_over,
        OrderActKind::Suspend => !is_over && !matches!(order, OrderState::Suspended),
        OrderActKind::Resume | OrderActKind::Modify => false,
    }
}

/// Whether a decision takes something from a block in this state.
const fn stops(decision: DecisionKind, block: BlockState) -> bool {
    let stands = match block {
        BlockState::InForce
        | BlockState::Held
        | BlockState::Flagged
        | BlockState::Review
        | BlockState::Informed
        | BlockState::Suspended
        | BlockState::Scheduled => true,
        // A hold whose end has passed is recorded as lapsed.
        BlockState::Lapsed => matches!(decision, DecisionKind::Lapse),
        BlockState::Paused => matches!(decision, DecisionKind::End),
        BlockState::None
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Ended
        | BlockState::Rescinded
        | BlockState::Withdrawn
        | BlockState::Expired => false,
    };
    match decision {
        DecisionKind::Pause | DecisionKind::End | DecisionKind::Lapse => stands,
        DecisionKind::Adopt
        | DecisionKind::Hold
        | DecisionKind::Extend
        | DecisionKind::Review
        | DecisionKind::Flag
        | DecisionKind::Inform
        | DecisionKind::Decline
        | DecisionKind::NotCompetent => false,
    }
}
