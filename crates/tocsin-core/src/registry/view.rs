//! How orders and blocks stand at an instant.

use std::sync::Arc;

use tocsin_log::quorum::Grade;

use super::history::{Ended, History, Present, Scope};
use super::track::{Ruled, Standing, Track};
use super::{Derived, Log, OrderState, Position, Registry};
use crate::decision::DecisionKind;
use crate::filter::Filter;
use crate::name::Numbered;
use crate::notice::{BlockState, By, Notice};
use crate::order::{Instrument, Order};
use crate::statement::{Statement, StatementRef};

/// An order as it stands at its issuer.
#[derive(Clone, Debug)]
pub struct OrderView {
    /// `US-2026-0412`.
    pub name: Numbered,
    /// The statement that issued it, and where that stands.
    pub issued: Arc<Statement>,
    /// As `issued`.
    pub position: Position,
    /// How it stands.
    pub state: OrderState,
    /// Why, where the state has a reason.
    pub reason: String,
    /// When the act that brought it there was written, or the instant that did.
    pub since_ms: i64,
    /// The text in force: the issue, or the last modification, with what their lasting bodies add.
    pub current: Arc<Order>,
    /// A lasting body of that text has not arrived.
    pub selectors_missing: bool,
    /// Everything that stands in the issuer's log about it but the issue, in log order; void
    /// entries too.
    pub acts: Vec<Position>,
}

impl Registry {
    /// An order at an instant; `None` while its issue is unknown, and where that is void.
    #[must_use]
    pub fn order(&self, order: &StatementRef, at: i64) -> Option<OrderView> {
        let Derived { history, .. } = self.derived(order)?;
        let log = self.logs.get(&order.log)?;
        let position = self.find(order)?;
        let current = history.texts.last()?;
        let Present {
            state,
            reason,
            since_ms,
        } = history.state(at, log.is_frozen);
        let acts = self
            .orders
            .get(order)?
            .own
            .iter()
            .filter(|index| **index != position.index);
        Some(OrderView {
            name: self.name_of(order)?,
            issued: Arc::clone(self.issue(order)?),
            acts: acts
                .map(|index| Position {
                    index: *index,
                    ..position.clone()
                })
                .collect(),
            position,
            state,
            reason,
            since_ms,
            current: Arc::clone(&current.order),
            selectors_missing: current.is_missing,
        })
    }

    /// One block at an instant; `None` for an order that does not count, or a jurisdiction of no
    /// member.
    #[must_use]
    pub fn block(&self, order: &StatementRef, jurisdiction: &str, at: i64) -> Option<Notice> {
        let name = self.name_of(order)?;
        let derived = self.derived(order)?;
        let issuer = self.logs.get(&order.log)?;
        let local = self.log_for(jurisdiction)?;
        let whole = derived.history.texts.last()?.scope();
        let track = derived.tracks.get(&local.origin.log_name());
        let mut notice = Notice {
            block: format!("{name}@{jurisdiction}"),
            version: self.version(order, jurisdiction),
            state: BlockState::None,
            reason: String::new(),
            since_ms: 0,
            from_ms: 0,
            until_ms: 0,
            order: name.to_string(),
            order_ref: order.clone(),
            decision_id: None,
            basis: String::new(),
            by: By::Nobody,
            scope: Arc::clone(&whole.order),
            selectors_missing: false,
            exercise: false,
            grade: Grade::Local,
            also_blocked_by: Vec::new(),
        };
        if local.origin == issuer.origin {
            notice.put(whole, 0);
            notice.put_own(&derived.history, issuer.is_frozen, at);
            return Some(notice);
        }
        let ruled = track.and_then(Track::ruled);
        let hold = ruled.filter(|ruled| ruled.kind == DecisionKind::Hold);
        let scope = track.and_then(|track| track.scope.clone()).unwrap_or(whole);
        notice.put(scope, hold.map_or(0, |hold| hold.until_ms));
        if let Some(Ruled {
            statement_id,
            basis,
            by,
            ..
        }) = ruled
        {
            notice.decision_id = Some(*statement_id);
            notice.basis.clone_from(basis);
            notice.by = by.clone();
        }
        let doubt = Doubt::of(&derived.history, issuer, track, local);
        notice.set(abroad(&derived.history, track, doubt, &notice.scope, at));
        if notice.state.is_called_back() || notice.state == BlockState::Suspended {
            notice.by = By::Issuer;
        }
        Some(notice)
    }

    /// Every block of a jurisdiction whose order `filter` lets through, by order.
    pub fn blocks<'a>(
        &'a self,
        jurisdiction: &'a str,
        filter: &'a Filter,
        at: i64,
    ) -> impl Iterator<Item = Notice> + 'a {
        self.orders
            .keys()
            .filter(|order| self.is_wanted(order, filter))
            .filter_map(move |order| self.block(order, jurisdiction, at))
    }

    /// The blocks on which goods can be stopped in a jurisdiction. Where `selectors_missing`,
    /// screening can answer no more than review.
    pub fn in_force<'a>(
        &'a self,
        jurisdiction: &'a str,
        at: i64,
    ) -> impl Iterator<Item = Notice> + 'a {
        self.orders
            .keys()
            .filter_map(move |order| self.block(order, jurisdiction, at))
            .filter(Notice::is_blocking)
    }

    /// Whether a filter lets an order through.
    #[must_use]
    pub fn is_wanted(&self, order: &StatementRef, filter: &Filter) -> bool {
        let issued = self
            .issue(order)
            .and_then(|issued| super::text_of(&issued.act));
        let issuer = self.logs.get(&order.log).map(|log| log.origin.member());
        issuer
            .zip(issued)
            .is_some_and(|(issuer, issued)| filter.matches(issuer, issued))
    }

    /// Other blocks in force or held in the same jurisdiction for some of the same goods, by name;
    /// at most 16.
    #[must_use]
    pub fn also_blocked_by(&self, notice: &Notice, jurisdiction: &str, at: i64) -> Vec<String> {
        let orders = self.index.orders_sharing(&notice.scope);
        let others = orders
            .into_iter()
            .filter(|order| *order != notice.order_ref);
        let blocks = others.filter_map(|order| self.block(&order, jurisdiction, at));
        let sharing = blocks.filter(|block| {
            block.is_blocking() && super::scope::share_goods(&block.scope, &notice.scope)
        });
        sharing
            .map(|block| block.block)
            .take(MAX_ALSO_BLOCKED)
            .collect()
    }
}

impl Notice {
    /// Takes the text as it counts, and the end of a hold (0 = none), which may come before the
    /// text's own.
    fn put(&mut self, scope: Scope, hold_until_ms: i64) {
        self.from_ms = scope.order.from_ms;
        self.until_ms = match (scope.order.until_ms, hold_until_ms) {
            (0, until) | (until, 0) => until,
            (order, hold) => order.min(hold),
        };
        self.exercise = scope.order.exercise;
        self.selectors_missing = scope.is_missing;
        self.scope = scope.order;
    }

    fn set(&mut self, present: Present<BlockState>) {
        self.state = present.state;
        self.reason = present.reason;
        self.since_ms = present.since_ms;
    }

    /// The issuer's own block follows its order.
    fn put_own(&mut self, history: &History, is_frozen: bool, at: i64) {
        let Present {
            state,
            reason,
            since_ms,
        } = history.state(at, is_frozen);
        let state = match state {
            OrderState::Active => BlockState::InForce,
            OrderState::Scheduled => BlockState::Scheduled,
            OrderState::Suspended => BlockState::Suspended,
            OrderState::Rescinded => BlockState::Rescinded,
            OrderState::Withdrawn => BlockState::Withdrawn,
            OrderState::Expired => BlockState::Expired,
            OrderState::Review => BlockState::Review,
        };
        self.set(Present {
            state,
            reason,
            since_ms,
        });
        self.by = By::Issuer;
        self.basis = law(self.scope.instrument, &self.scope.case_ref);
    }
}

/// What keeps a block from being relied on, whatever was decided.
struct Doubt(Option<&'static str>);

impl Doubt {
    fn of(history: &History, issuer: &Log, track: Option<&Track>, local: &Log) -> Self {
        let local = match track {
            _ if local.is_frozen => Some(DOUBT_LOCAL_FROZEN),
            Some(track) if track.is_opaque => Some(DOUBT_LOCAL_OPAQUE),
            Some(Track {
                standing: Standing::Unclear { reason, .. },
                ..
            }) => Some(*reason),
            Some(_) | None => None,
        };
        Self(history.doubt(issuer.is_frozen).or(local))
    }
}

/// How a block stands that does not belong to the order's issuer.
fn abroad(
    history: &History,
    track: Option<&Track>,
    doubt: Doubt,
    scope: &Order,
    at: i64,
) -> Present<BlockState> {
    if let Some((ended, mark)) = &history.ended {
        let state = match ended {
            Ended::Rescinded => BlockState::Rescinded,
            Ended::Withdrawn => BlockState::Withdrawn,
        };
        return Present {
            state,
            reason: mark.reason.clone(),
            since_ms: mark.since_ms,
        };
    }
    let local = decided(track, at);
    let is_final = matches!(
        local.state,
        BlockState::Ended | BlockState::Declined | BlockState::NotCompetent | BlockState::Lapsed
    );
    if is_final {
        return local;
    }
    if scope.until_ms != 0 && scope.until_ms <= at {
        let since_ms = scope.until_ms;
        return Present {
            state: BlockState::Expired,
            reason: String::new(),
            since_ms,
        };
    }
    if local.state == BlockState::None {
        return local;
    }
    let turned = |state, reason: &str| Present {
        state,
        reason: reason.to_owned(),
        since_ms: local.since_ms,
    };
    let scope_of_judged = track.and_then(|track| track.scope.as_ref());
    if scope_of_judged.is_some_and(|scope| super::scope::is_empty(&scope.order)) {
        return turned(BlockState::Ended, REASON_NOTHING_LEFT);
    }
    if let Some(reason) = doubt.0 {
        return turned(BlockState::Review, reason);
    }
    if local.state == BlockState::Paused {
        return local;
    }
    if let Some(mark) = &history.suspended {
        let (reason, since_ms) = (mark.reason.clone(), mark.since_ms);
        return Present {
            state: BlockState::Suspended,
            reason,
            since_ms,
        };
    }
    let can_block = matches!(local.state, BlockState::InForce | BlockState::Held);
    if can_block && scope.from_ms > at {
        return turned(BlockState::Scheduled, "");
    }
    local
}

/// Where the jurisdiction's own decisions have led at an instant.
fn decided(track: Option<&Track>, at: i64) -> Present<BlockState> {
    let nothing = Present {
        state: BlockState::None,
        reason: String::new(),
        since_ms: 0,
    };
    let Some(track) = track else { return nothing };
    let ruled = match &track.standing {
        Standing::Nothing => {
            // The last of the decisions that have no effect says why nothing is decided.
            let void = track.void.last_key_value().map(|(_, reason)| reason.code());
            return Present {
                reason: void.unwrap_or_default().to_owned(),
                ..nothing
            };
        }
        Standing::Unclear { reason, ruled } => {
            let (reason, since_ms) = ((*reason).to_owned(), ruled.since_ms);
            return Present {
                state: BlockState::Review,
                reason,
                since_ms,
            };
        }
        Standing::Ruled(ruled) => ruled,
    };
    let state = match ruled.kind {
        DecisionKind::Adopt => BlockState::InForce,
        DecisionKind::Hold | DecisionKind::Extend | DecisionKind::Lapse => {
            if ruled.lapsed_ms.is_some() || ruled.until_ms <= at {
                let (reason, since_ms) = (ruled.reason.clone(), ruled.until_ms);
                return Present {
                    state: BlockState::Lapsed,
                    reason,
                    since_ms,
                };
            }
            BlockState::Held
        }
        DecisionKind::Pause => BlockState::Paused,
        DecisionKind::End => BlockState::Ended,
        DecisionKind::Review => BlockState::Review,
        DecisionKind::Flag => BlockState::Flagged,
        DecisionKind::Inform => BlockState::Informed,
        DecisionKind::Decline => BlockState::Declined,
        DecisionKind::NotCompetent => BlockState::NotCompetent,
    };
    Present {
        state,
        reason: ruled.reason.clone(),
        since_ms: ruled.since_ms,
    }
}

/// The law that an issuer's own block rests on: its instrument and docket.
fn law(instrument: Instrument, case_ref: &str) -> String {
    format!("{instrument} {case_ref}")
}

/// This jurisdiction's log tells two stories.
const DOUBT_LOCAL_FROZEN: &str = "this jurisdiction's log tells two stories";
/// This version cannot read what this jurisdiction said.
const DOUBT_LOCAL_OPAQUE: &str =
    "this jurisdiction said something about it that this version does not know";
/// Later modifications have taken all of it away.
const REASON_NOTHING_LEFT: &str = "narrowed to nothing";
/// Other blocks that a notice names; enough to see that a release is not one.
const MAX_ALSO_BLOCKED: usize = 16;
