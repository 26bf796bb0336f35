//! The logs this node holds, for reading: its own, and a mirror of every other member's.

use std::collections::BTreeMap;

use tocsin_log::checkpoint::Origin;
use tocsin_store::reader::LogReader;
use tocsin_wire::proto::peer::v1 as peer;
use tokio::sync::watch;

/// Readers of all logs, and a bell that rings when one grows.
#[derive(Debug)]
pub(crate) struct Logs {
    own: LogReader,
    /// By origin, our own among them.
    readers: BTreeMap<String, LogReader>,
    grown: watch::Sender<u64>,
}

impl Logs {
    pub(crate) fn new(own: LogReader, mirrors: impl IntoIterator<Item = LogReader>) -> Self {
        let all = mirrors.into_iter().chain([own.clone()]);
        let readers = all
            .map(|reader| (reader.origin().to_string(), reader))
            .collect();
        Self {
            own,
            readers,
            grown: watch::Sender::new(0),
        }
    }

    /// This member's own log.
    pub(crate) const fn own(&self) -> &LogReader {
        &self.own
    }

    /// The log with this origin.
    pub(crate) fn reader(&self, origin: &str) -> Option<&LogReader> {
        self.readers.get(origin)
    }

    /// All logs, by origin.
    pub(crate) fn readers(&self) -> impl Iterator<Item = &LogReader> {
        self.readers.values()
    }

    /// The other members' origins.
    pub(crate) fn mirrored(&self) -> Vec<Origin> {
        let others = self
            .readers
            .values()
            .filter(|reader| reader.origin() != self.own.origin());
        others.map(|reader| reader.origin().clone()).collect()
    }

    /// Size and root of each log, as `Hello` tells them.
    pub(crate) fn heads(&self) -> Vec<peer::Head> {
        let head = |reader: &LogReader| {
            let checkpoint = reader.checkpoint();
            peer::Head {
                origin: checkpoint.origin.to_string(),
                size: checkpoint.size,
                root: checkpoint.root.as_bytes().to_vec(),
            }
        };
        self.readers.values().map(head).collect()
    }

    /// Something was committed somewhere.
    pub(crate) fn ring(&self) {
        self.grown.send_modify(|times| *times += 1);
    }

    /// Wakes when a log grows.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }
}
