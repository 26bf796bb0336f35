//! What all logs together say, and how far each has been applied.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tocsin_core::registry::Registry;
use tocsin_core::roster::Alliance;
use tokio::sync::watch;

/// The registry behind one lock, with one writer (the applier) and many readers.
#[derive(Debug)]
pub(crate) struct State {
    inner: RwLock<Applied>,
    /// Counts changes, so that whoever waits wakes on each.
    changed: watch::Sender<u64>,
}

/// The registry and the sizes it has taken of each log, as one.
#[derive(Debug)]
pub(crate) struct Applied {
    pub(crate) registry: Registry,
    /// By origin: entries taken.
    pub(crate) sizes: BTreeMap<String, u64>,
    /// Events taken that may have changed what is due on an order.
    pub(crate) about_orders: u64,
}

impl State {
    pub(crate) fn new(alliance: &Alliance) -> Self {
        let applied = Applied {
            registry: Registry::new(alliance),
            sizes: BTreeMap::new(),
            about_orders: 0,
        };
        Self {
            inner: RwLock::new(applied),
            changed: watch::Sender::new(0),
        }
    }

    /// For reading; never held over an await.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Applied> {
        // `Registry::apply` stores a fact or does not; a panic elsewhere cannot leave half of one.
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For the applier alone.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Applied> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Entries of `origin` that the registry has taken.
    pub(crate) fn applied(&self, origin: &str) -> u64 {
        self.read().sizes.get(origin).copied().unwrap_or_default()
    }

    /// Wakes everybody who waits for a change.
    pub(crate) fn announce(&self) {
        self.changed.send_modify(|times| *times += 1);
    }

    /// Wakes on each change.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
