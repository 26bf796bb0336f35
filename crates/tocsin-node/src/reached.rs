//! A count that only grows, and those who wait until it is high enough: each is woken once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// How far something is. Who waits has made a request, and requests are bounded.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    at: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Tells those apart who wait for the same.
    next: u64,
    for_size: BTreeMap<(u64, u64), oneshot::Sender<()>>,
}

impl Reached {
    /// It is at `size` now, if it was not further; wakes whom that is enough for.
    pub(crate) fn advance(&self, size: u64) {
        let mut waiting = self.lock();
        self.at.fetch_max(size, Ordering::SeqCst);
        let later = waiting.for_size.split_off(&(size.saturating_add(1), 0));
        let enough = std::mem::replace(&mut waiting.for_size, later);
        drop(waiting);
        for waiter in enough.into_values() {
            // Who went away does not need to know.
            let _ = waiter.send(());
        }
    }

    /// Waits until it is at `size`; for ever, if it never is.
    pub(crate) async fn wait(&self, size: u64) {
        if self.at.load(Ordering::SeqCst) >= size {
            return;
        }
        let (waiter, woken) = oneshot::channel();
        {
            let mut waiting = self.lock();
            // Looked at again under the lock under which it advances.
            if self.at.load(Ordering::SeqCst) >= size {
                return;
            }
            waiting.for_size.retain(|_, waiter| !waiter.is_closed());
            let key = (size, waiting.next);
            waiting.next += 1;
            waiting.for_size.insert(key, waiter);
        }
        // The sender lives until it has sent.
        let _ = woken.await;
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Each change under the lock is one step; a panic leaves the map whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_woken_when_it_is_enough_and_not_before() {
        let reached = Arc::new(Reached::default());
        reached.advance(3);
        reached.wait(3).await;
        let waiting = |size| {
            let reached = Arc::clone(&reached);
            tokio::spawn(async move { reached.wait(size).await })
        };
        let (soon, also, later) = (waiting(5), waiting(5), waiting(6));
        while reached.lock().for_size.len() < 3 {
            tokio::task::yield_now().await;
        }
        reached.advance(5);
        soon.await.unwrap();
        also.await.unwrap();
        assert_eq!(reached.lock().for_size.len(), 1);
        reached.advance(4);
        assert!(!later.is_finished());
        reached.advance(7);
        later.await.unwrap();
    }

    #[tokio::test]
    async fn who_gives_up_leaves_nothing_behind() {
        let reached = Reached::default();
        for _ in 0..10 {
            let wait = reached.wait(9);
            let soon = std::time::Duration::from_millis(1);
            assert!(tokio::time::timeout(soon, wait).await.is_err());
        }
        assert_eq!(reached.lock().for_size.len(), 1);
    }
}
