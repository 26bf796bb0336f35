//! What one subscriber to notices is owed, and when its cursor moves (FORMATS.md 7).
//!
//! A machine without a clock or a socket: it is asked for the next message as often as its reader
//! takes one, and looks at the registry as it stands then. Notices are level: each says how a block
//! stands, so nothing is queued, and a slow reader gets fewer and newer ones.
//!
//! The cursor moves only with the last message of a round: to the position that the whole node had
//! when the round began, after all that was due by then, and never while any component of that
//! position is lower than the cursor's.

use std::collections::{BTreeMap, VecDeque};

use prost::Message;
use tocsin_core::cursor::Vector;
use tocsin_core::filter::Filter;
use tocsin_core::notice::Notice;
use tocsin_core::registry::Registry;
use tocsin_core::statement::StatementRef;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::limits;

/// Where one subscriber stands.
#[derive(Debug)]
pub(crate) struct Subscriber {
    jurisdiction: String,
    filter: Filter,
    /// What the messages asked for so far make known.
    cursor: Vector,
    /// The whole state is still owed.
    is_snapshot_due: bool,
    /// What was last said of blocks that stay due after it was said: some fact of theirs lies
    /// beyond the cursor for as long as a lasting body is missing or the node is behind.
    said: BTreeMap<StatementRef, Hash>,
    round: Option<Round>,
}

/// One message that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owed {
    /// The present state of a block.
    Notice(Box<Notice>),
    /// The snapshot is whole; so many blocks were in it.
    SnapshotEnd(u64),
}

/// One pass over what was due when it began.
#[derive(Debug)]
struct Round {
    which: Which,
    /// The node's position when it began; none while the node is behind the cursor.
    toward: Option<Vector>,
    /// The last block of `blocks` that was named.
    after: Option<StatementRef>,
    blocks: VecDeque<Due>,
    is_named: bool,
    /// Held back until it is known whether another follows: the last one moves the cursor.
    held: Option<Notice>,
    count: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Every block.
    All,
    /// Those with facts beyond the cursor.
    Changed,
    /// Of those, what was called back: never undone by a client, so safe to say out of turn.
    CalledBack,
}

#[derive(Debug)]
struct Due {
    order: StatementRef,
    /// It stays due after this round.
    stays: bool,
}

impl Subscriber {
    /// A subscriber that knows what lies before `seen`.
    pub(crate) const fn new(
        jurisdiction: String,
        filter: Filter,
        seen: Vector,
        is_snapshot_due: bool,
    ) -> Self {
        Self {
            jurisdiction,
            filter,
            cursor: seen,
            is_snapshot_due,
            said: BTreeMap::new(),
            round: None,
        }
    }

    /// What the subscriber knows once it has every message it was given.
    pub(crate) const fn cursor(&self) -> &Vector {
        &self.cursor
    }

    /// Facts that the subscriber knows and this node does not.
    pub(crate) fn behind(&self, registry: &Registry) -> u64 {
        registry.position().behind(&self.cursor)
    }

    /// The next message, whose cursor is then [`Self::cursor`]; none when nothing is owed as the
    /// registry stands.
    pub(crate) fn next(&mut self, registry: &Registry, at: i64) -> Option<Owed> {
        let mut round = self.round.take().unwrap_or_else(|| self.begin(registry));
        while let Some(notice) = self.find(&mut round, registry, at) {
            round.count += 1;
            if let Some(before) = round.held.replace(notice) {
                self.round = Some(round);
                return Some(Owed::Notice(Box::new(before)));
            }
        }
        let last = round.held.take().map(Box::new);
        if round.which == Which::All && last.is_some() {
            self.round = Some(round);
            return last.map(Owed::Notice);
        }
        if let Some(position) = round.toward {
            self.cursor = position;
        }
        if round.which == Which::All {
            self.is_snapshot_due = false;
            return Some(Owed::SnapshotEnd(round.count));
        }
        last.map(Owed::Notice)
    }

    fn begin(&self, registry: &Registry) -> Round {
        let position = registry.position();
        let is_behind = !position.covers(&self.cursor);
        let which = if is_behind {
            Which::CalledBack
        } else if self.is_snapshot_due {
            Which::All
        } else {
            Which::Changed
        };
        Round {
            which,
            toward: (!is_behind).then_some(position),
            after: None,
            blocks: VecDeque::new(),
            is_named: false,
            held: None,
            count: 0,
        }
    }

    /// The next block of a round that has something to say.
    fn find(&mut self, round: &mut Round, registry: &Registry, at: i64) -> Option<Notice> {
        loop {
            if round.blocks.is_empty() && !round.is_named {
                self.name(round, registry);
            }
            let due = round.blocks.pop_front()?;
            let Some(block) = registry.block(&due.order, &self.jurisdiction, at) else {
                continue;
            };
            if round.which == Which::CalledBack && !block.state.is_called_back() {
                continue;
            }
            let was_said = self.remember(&due, &block);
            if was_said && round.which != Which::All {
                continue;
            }
            let also_blocked_by = registry.also_blocked_by(&block, &self.jurisdiction, at);
            return Some(Notice {
                also_blocked_by,
                ..block
            });
        }
    }

    /// Names the next blocks of a round.
    fn name(&self, round: &mut Round, registry: &Registry) {
        let changed_since = |seen| registry.changed_since(&self.jurisdiction, seen);
        let stay = round.toward.as_ref().map(changed_since);
        let wanted = |order: &&StatementRef| {
            round.after.as_ref().is_none_or(|after| *order > after)
                && registry.is_wanted(order, &self.filter)
        };
        let due = |order: &StatementRef| Due {
            order: order.clone(),
            stays: stay.as_ref().is_none_or(|stay| stay.contains(order)),
        };
        let blocks: VecDeque<Due> = match round.which {
            Which::All => {
                let all = registry.orders().filter(wanted);
                all.take(limits::DUE_CHUNK).map(due).collect()
            }
            Which::Changed | Which::CalledBack => {
                let changed = changed_since(&self.cursor).into_iter().filter(wanted);
                changed.take(limits::DUE_CHUNK).map(due).collect()
            }
        };
        round.is_named = blocks.len() < limits::DUE_CHUNK;
        round.after = blocks
            .back()
            .map(|due| due.order.clone())
            .or_else(|| round.after.take());
        round.blocks = blocks;
    }

    /// Whether exactly this was said of a block before; and for what stays due, that it is now.
    fn remember(&mut self, due: &Due, block: &Notice) -> bool {
        if !due.stays && !self.said.contains_key(&due.order) {
            return false;
        }
        let digest = digest(block);
        let before = if due.stays {
            self.said.insert(due.order.clone(), digest)
        } else {
            self.said.remove(&due.order)
        };
        before == Some(digest)
    }
}

/// A digest of what a notice says of its block, without what is as of sending only.
fn digest(block: &Notice) -> Hash {
    let lasting = Notice {
        grade: Grade::Local,
        also_blocked_by: Vec::new(),
        ..block.clone()
    };
    Hash::of(&tocsin_wire::write::notice(&lasting).encode_to_vec())
}

#[cfg(test)]
mod tests;
