//! Room on the disk: who may still write when it is nearly full.
//!
//! What releases goods, ours or another member's, must be written when nothing else can be. Our own
//! releases have the whole reserve. Of others' logs the entries come in order, so nobody can say
//! what a withdrawal stands behind: each log may therefore still grow by a share of half the
//! reserve. What an honest member says in a day fits it; one that floods uses up its own share, is
//! held, and what rests on it is for an officer until there is room again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin_store::disk::DiskError;
use tocsin_store::reserve::Reserve;

use crate::fault::FaultBell;
use crate::limits;
use crate::node::Node;

/// The disk of the data directory; shared by all that write to it.
#[derive(Debug)]
pub(crate) struct Room {
    inner: Mutex<Inner>,
    fault: FaultBell,
}

#[derive(Debug)]
struct Inner {
    reserve: Reserve,
    is_low: bool,
    /// By origin: bytes taken of its share since the disk was low.
    shares: BTreeMap<String, u64>,
    origins: u64,
}

impl Room {
    /// Room for this many other members' logs.
    pub(crate) fn new(reserve: Reserve, origins: usize, fault: FaultBell) -> Self {
        let inner = Inner {
            reserve,
            is_low: false,
            shares: BTreeMap::new(),
            origins: origins.max(1) as u64,
        };
        Self {
            inner: Mutex::new(inner),
            fault,
        }
    }

    /// Whether so much may be written that releases nothing.
    pub(crate) fn may_grow(&self, bytes: u64) -> bool {
        self.ask(|inner| inner.may_grow(bytes))
    }

    /// Sees to it that so much can be written that releases goods; false when the last of the
    /// reserve is used up.
    pub(crate) fn make_room(&self, bytes: u64) -> bool {
        self.ask(|inner| inner.reserve.make_room(bytes))
    }

    /// Whether so much of another member's log may be stored; where the disk is low, out of that
    /// log's own share.
    pub(crate) fn may_mirror(&self, origin: &str, bytes: u64) -> bool {
        self.ask(|inner| {
            if inner.may_grow(bytes)? {
                return Ok(true);
            }
            let share = inner.reserve.whole() / 2 / inner.origins;
            let taken = inner.shares.get(origin).copied().unwrap_or_default();
            let after = taken.saturating_add(bytes);
            if after > share || !inner.reserve.make_room(bytes)? {
                return Ok(false);
            }
            inner.shares.insert(origin.to_owned(), after);
            Ok(true)
        })
    }

    /// What is kept now, and what is to be kept (bytes).
    pub(crate) fn reserve(&self) -> (u64, u64) {
        let inner = self.lock();
        (inner.reserve.held(), inner.reserve.whole())
    }

    /// Whether only what releases goods is written at present.
    pub(crate) fn is_low(&self) -> bool {
        self.lock().is_low
    }

    /// Takes back what was given up, once there is room.
    fn refill(&self) {
        self.ask(|inner| {
            inner.reserve.refill()?;
            inner.may_grow(0)
        });
    }

    /// A disk that cannot even be measured is as good as full, and a fault.
    fn ask(&self, question: impl FnOnce(&mut Inner) -> Result<bool, DiskError>) -> bool {
        let answer = question(&mut self.lock());
        answer.unwrap_or_else(|error| {
            self.fault.ring(&error.to_string());
            false
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn may_grow(&mut self, bytes: u64) -> Result<bool, DiskError> {
        let may = self.reserve.may_grow(bytes)?;
        if may && self.is_low {
            tracing::info!("there is room on the disk again");
            self.shares.clear();
        }
        if !may && !self.is_low {
            let (held, whole) = (self.reserve.held(), self.reserve.whole());
            tracing::error!(
                held,
                whole,
                "the disk is nearly full: only what releases goods is written; make room"
            );
        }
        self.is_low = !may;
        Ok(may)
    }
}

/// Looks after the reserve until the node stops.
pub(crate) async fn run(node: Arc<Node>) {
    let mut tick = tokio::time::interval(limits::ROOM_INTERVAL);
    let stop = node.stopping();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => tokio::task::block_in_place(|| node.room.refill()),
        }
        if !node.room.is_low() {
            node.origins.disk_has_room();
        }
    }
}
