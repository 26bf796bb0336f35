//! `NoticeService.WatchNotices`: reads what a subscriber asks for, and hands it to the notifier.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::filter::Filter;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::notice_service_server::NoticeService;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::identity::connection;
use crate::limits;
use crate::metrics::Metrics;
use crate::node::Node;
use crate::notifier;
use crate::serve::find;
use crate::status::{Reason, Refusal};
use crate::subscriber::Subscriber;

/// Serves watchers, each with a task of its own.
#[derive(Debug)]
pub(crate) struct Notices {
    node: Arc<Node>,
    watchers: Arc<Watchers>,
}

impl Notices {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let watchers = Arc::new(Watchers::new(node.metrics.clone()));
        Self { node, watchers }
    }

    /// What is asked for, checked: a cursor is good for its own alliance, jurisdiction and filter.
    fn subscribe(&self, asked: &v1::WatchNoticesRequest) -> Result<(Subscriber, View), Refusal> {
        let start = v1::WatchStart::try_from(asked.start)
            .map_err(|_| Refusal::of(Reason::FieldInvalid).at("start"))?;
        let filter = Filter::parse(&asked.filter)?;
        let jurisdiction = find::jurisdiction(&self.node, &asked.jurisdiction)?;
        let genesis = self.node.alliance.genesis_hash();
        let view = View::new(genesis, &jurisdiction, &asked.filter);
        let is_from_cursor = start == v1::WatchStart::Cursor;
        if is_from_cursor == asked.cursor.is_empty() {
            // Beginning anew in silence would look like resuming, and the other way round.
            return Err(Refusal::of(Reason::FieldInvalid)
                .saying("a cursor and start = WATCH_START_CURSOR go together")
                .at(if is_from_cursor { "cursor" } else { "start" }));
        }
        let seen = match start {
            v1::WatchStart::Unspecified | v1::WatchStart::Beginning => Vector::default(),
            v1::WatchStart::Now => self.node.state.read().registry.position(),
            v1::WatchStart::Cursor => Cursor::decode(&asked.cursor, &view)?.vector,
        };
        Ok((
            Subscriber::new(jurisdiction, filter, seen, asked.include_snapshot),
            view,
        ))
    }
}

#[tonic::async_trait]
impl NoticeService for Notices {
    type WatchNoticesStream = ReceiverStream<Result<v1::WatchNoticesResponse, Status>>;

    async fn watch_notices(
        &self,
        request: Request<v1::WatchNoticesRequest>,
    ) -> Result<Response<Self::WatchNoticesStream>, Status> {
        let connection = connection(&request)?;
        let (subscriber, view) = self.subscribe(request.get_ref())?;
        let place = self.watchers.take(connection.identity().member())?;
        let retiring = connection.retiring().clone();
        let stream = notifier::start(Arc::clone(&self.node), subscriber, view, retiring, place);
        Ok(Response::new(stream))
    }
}

/// How many watch, in all and by member, so that none takes the others' places.
#[derive(Debug)]
pub(crate) struct Watchers {
    counts: Mutex<BTreeMap<String, usize>>,
    metrics: Metrics,
}

/// A watcher's place, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    watchers: Arc<Watchers>,
    member: String,
}

impl Watchers {
    fn new(metrics: Metrics) -> Self {
        Self {
            counts: Mutex::default(),
            metrics,
        }
    }

    fn take(self: &Arc<Self>, member: &str) -> Result<Place, Refusal> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_member = counts.get(member).copied().unwrap_or_default();
        let in_all: usize = counts.values().sum();
        if in_all >= limits::MAX_WATCHERS || of_member >= limits::MAX_WATCHERS_PER_MEMBER {
            let refusal = Refusal::of(Reason::TooManyWatchers);
            return Err(refusal.retry_after(limits::HEARTBEAT_INTERVAL));
        }
        counts.insert(member.to_owned(), of_member + 1);
        drop(counts);
        self.metrics.watchers.inc();
        Ok(Place {
            watchers: Arc::clone(self),
            member: member.to_owned(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self
            .watchers
            .counts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.member) {
            *count = count.saturating_sub(1);
        }
        drop(counts);
        self.watchers.metrics.watchers.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_member_takes_all_places_and_a_place_is_given_back() {
        let watchers = Arc::new(Watchers::new(Metrics::new("de").0));
        let mut places: Vec<Place> = Vec::new();
        for member in ["us", "jp"] {
            for _ in 0..limits::MAX_WATCHERS_PER_MEMBER {
                places.push(watchers.take(member).unwrap());
            }
            assert_eq!(watchers.take(member).unwrap_err().code, "TOO_MANY_WATCHERS");
        }
        assert_eq!(watchers.take("de").unwrap_err().code, "TOO_MANY_WATCHERS");
        places.pop();
        assert!(watchers.take("de").is_ok());
        assert_eq!(watchers.metrics.watchers.get(), 2_047);
    }
}
