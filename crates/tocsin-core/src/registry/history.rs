//! What an issuer made of its own order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_log::hash::Hash;

use super::scope::{bounded, is_within, narrowed};
use super::{Entry, Log, VoidReason};
use crate::order::{Order, OrderAct, OrderActKind};
use crate::statement::{Act, Statement, StatementRef};

/// How an order stands at its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OrderState {
    /// In force at its issuer.
    Active,
    /// Its time has not begun.
    Scheduled,
    /// Not applied for now.
    Suspended,
    /// Ended: the conditions no longer exist.
    Rescinded,
    /// Ended: issued in error, or unfounded.
    Withdrawn,
    /// Its time is over.
    Expired,
    /// Something about it is doubtful.
    Review,
}

impl OrderState {
    /// The word in views.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Scheduled => "scheduled",
            Self::Suspended => "suspended",
            Self::Rescinded => "rescinded",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Review => "review",
        }
    }

    /// Whether nothing will come of it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Rescinded | Self::Withdrawn | Self::Expired)
    }
}

impl std::fmt::Display for OrderState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// The issuer's acts on one order, in log order.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    /// The issue, then every modification that counts.
    pub(super) texts: Vec<Text>,
    /// The suspension that has not been lifted.
    pub(super) suspended: Option<Mark>,
    /// What ended it for good, and whether as a withdrawal.
    pub(super) ended: Option<(Ended, Mark)>,
    /// When it was issued or last resumed.
    pub(super) active_since_ms: i64,
    /// An entry about it says what this version does not know.
    pub(super) is_opaque: bool,
    pub(super) void: BTreeMap<u64, VoidReason>,
}

/// One text of an order.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) statement_id: Hash,
    /// As it was said, which is all that policy reads.
    pub(super) said: Arc<Statement>,
    /// With the articles of its lasting bodies.
    pub(super) order: Arc<Order>,
    /// Not all lasting bodies are here.
    pub(super) is_missing: bool,
}

/// Why and when something was done.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) reason: String,
    pub(super) since_ms: i64,
}

/// How an issuer ends an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Rescinded,
    Withdrawn,
}

/// What is left of a text.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub(super) order: Arc<Order>,
    /// It cannot be said in full.
    pub(super) is_missing: bool,
}

/// A state with its reason.
#[derive(Clone, Debug)]
pub(super) struct Present<S> {
    pub(super) state: S,
    pub(super) reason: String,
    pub(super) since_ms: i64,
}

impl History {
    /// Folds the issuer's entries on `order`.
    pub(super) fn of(order: &StatementRef, own: &BTreeSet<u64>, log: &Log) -> Self {
        let mut history = Self::default();
        for index in own {
            match log.entries.get(index) {
                None => {}
                Some(Entry::Opaque) => history.is_opaque = true,
                Some(Entry::Said { .. }) if log.void.contains_key(index) => {}
                Some(Entry::Said {
                    statement_id,
                    statement,
                }) => match &statement.act {
                    Act::Order(text) if *statement_id == order.statement_id => {
                        history.active_since_ms = statement.created_ms;
                        history
                            .texts
                            .push(Text::of(log, *index, *statement_id, statement, text));
                    }
                    Act::OrderAct(act) => history.take(log, *index, *statement_id, statement, act),
                    Act::Order(_)
                    | Act::Report(_)
                    | Act::Indicator(_)
                    | Act::Decision(_)
                    | Act::PolicyPack(_) => {}
                },
            }
        }
        history
    }

    fn take(
        &mut self,
        log: &Log,
        index: u64,
        statement_id: Hash,
        statement: &Arc<Statement>,
        act: &OrderAct,
    ) {
        if self.ended.is_some() {
            self.void.insert(index, VoidReason::OrderEnded);
            return;
        }
        let mark = Mark {
            reason: act.reason.clone(),
            since_ms: statement.created_ms,
        };
        match act.kind {
            // What releases counts even before the issue, to which it can refer by its digest.
            OrderActKind::Withdraw => self.ended = Some((Ended::Withdrawn, mark)),
            OrderActKind::Rescind => self.ended = Some((Ended::Rescinded, mark)),
            OrderActKind::Suspend => self.suspended = Some(mark),
            OrderActKind::Resume | OrderActKind::Modify if self.texts.is_empty() => {
                self.void.insert(index, VoidReason::NotYetIssued);
            }
            OrderActKind::Resume => {
                self.suspended = None;
                self.active_since_ms = statement.created_ms;
            }
            OrderActKind::Modify => {
                if let Some(text) = &act.replacement {
                    self.texts
                        .push(Text::of(log, index, statement_id, statement, text));
                }
            }
        }
    }

    /// How the order stands at its issuer at an instant.
    pub(super) fn state(&self, at: i64, is_frozen: bool) -> Present<OrderState> {
        let present = |state, reason: &str, since_ms| Present {
            state,
            reason: reason.to_owned(),
            since_ms,
        };
        if let Some((ended, mark)) = &self.ended {
            let state = match ended {
                Ended::Rescinded => OrderState::Rescinded,
                Ended::Withdrawn => OrderState::Withdrawn,
            };
            return present(state, &mark.reason, mark.since_ms);
        }
        let window = self
            .texts
            .last()
            .map(|text| (text.order.from_ms, text.order.until_ms));
        let (from_ms, until_ms) = window.unwrap_or_default();
        if until_ms != 0 && until_ms <= at {
            return present(OrderState::Expired, "", until_ms);
        }
        if let Some(reason) = self.doubt(is_frozen) {
            return present(OrderState::Review, reason, self.active_since_ms);
        }
        if let Some(mark) = &self.suspended {
            return present(OrderState::Suspended, &mark.reason, mark.since_ms);
        }
        let state = if from_ms > at {
            OrderState::Scheduled
        } else {
            OrderState::Active
        };
        present(state, "", self.active_since_ms)
    }

    /// Why the order cannot be relied on, wherever.
    pub(super) const fn doubt(&self, is_frozen: bool) -> Option<&'static str> {
        if is_frozen {
            return Some(DOUBT_ISSUER_FROZEN);
        }
        if self.is_opaque {
            Some(DOUBT_ISSUER_OPAQUE)
        } else {
            None
        }
    }

    /// The place of a text among the texts.
    pub(super) fn text_at(&self, statement_id: &Hash) -> Option<usize> {
        self.texts
            .iter()
            .position(|text| text.statement_id == *statement_id)
    }

    /// What is left of the text at `judged` after every later one, and whether the last of them
    /// only narrowed it; `None` while that cannot be said. Where nothing came later, it trivially
    /// did.
    pub(super) fn left_of(&self, judged: usize) -> Option<(Scope, Option<bool>)> {
        let mut texts = self.texts.iter().skip(judged);
        let mut scope = texts.next()?.scope();
        let mut is_narrowing = Some(true);
        for later in texts {
            let is_missing = scope.is_missing || later.is_missing;
            is_narrowing = (!is_missing).then(|| is_within(&later.order, &scope.order));
            // While articles are missing, taking away those that are not here would release too
            // much.
            let both = if later.is_missing {
                None
            } else {
                narrowed(&scope.order, &later.order)
            };
            scope = Scope {
                is_missing: is_missing || both.is_none(),
                order: Arc::new(both.unwrap_or_else(|| bounded(&scope.order, &later.order))),
            };
        }
        Some((scope, is_narrowing))
    }
}

impl Text {
    fn of(log: &Log, index: u64, statement_id: Hash, said: &Arc<Statement>, text: &Order) -> Self {
        let (articles, is_missing) = log.articles(index, said, text);
        let order = Arc::new(Order {
            articles,
            ..text.clone()
        });
        Self {
            statement_id,
            said: Arc::clone(said),
            order,
            is_missing,
        }
    }

    /// All of it.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            order: Arc::clone(&self.order),
            is_missing: self.is_missing,
        }
    }

    /// The text without its lasting bodies.
    pub(super) fn judged(&self) -> Option<&Order> {
        super::text_of(&self.said.act)
    }
}

/// The issuer's log tells two stories.
const DOUBT_ISSUER_FROZEN: &str = "the issuer's log tells two stories";
/// This version cannot read what the issuer said.
const DOUBT_ISSUER_OPAQUE: &str =
    "the issuer said something about it that this version does not know";
