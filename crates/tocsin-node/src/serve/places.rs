//! How many streams of one kind are open, in all and by client.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limits;
use crate::status::{Reason, Refusal};

/// The places that streams of one kind share.
#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    most_of_client: usize,
    counts: Mutex<BTreeMap<String, usize>>,
}

/// A stream's place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    client: String,
}

impl Places {
    /// So many in all, and so many of one client.
    pub(super) const fn new(most: usize, most_of_client: usize) -> Self {
        Self {
            most,
            most_of_client,
            counts: Mutex::new(BTreeMap::new()),
        }
    }

    /// A place for a client's stream.
    ///
    /// # Errors
    /// `QUEUE_FULL` with this advice.
    pub(super) fn take(self: &Arc<Self>, client: &str, advice: &str) -> Result<Place, Refusal> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = counts.get(client).copied().unwrap_or_default();
        let in_all: usize = counts.values().sum();
        if in_all >= self.most || of_client >= self.most_of_client {
            let refusal = Refusal::of(Reason::QueueFull).saying(advice);
            return Err(refusal.retry_after(limits::HEARTBEAT_INTERVAL));
        }
        counts.insert(client.to_owned(), of_client + 1);
        Ok(Place {
            places: Arc::clone(self),
            client: client.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let counts = &self.places.counts;
        let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(&self.client) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_client_takes_all_places_and_a_place_is_given_back() {
        let places = Arc::new(Places::new(4, 2));
        let take = |client: &str| places.take(client, "use one");
        let mut taken = vec![take("us/client/a").unwrap(), take("us/client/a").unwrap()];
        assert_eq!(take("us/client/a").unwrap_err().code, "QUEUE_FULL");
        taken.push(take("us/client/b").unwrap());
        taken.push(take("us/client/c").unwrap());
        assert_eq!(take("us/client/d").unwrap_err().message, "use one");
        taken.remove(0);
        assert!(take("us/client/a").is_ok());
        drop(taken);
        assert!(places.counts.lock().unwrap().is_empty());
    }
}
