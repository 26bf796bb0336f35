//! The end of a node that cannot trust itself any more.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Rung once, by whoever meets a fault: the first one is told, and the process ends.
#[derive(Debug, Clone)]
pub(crate) struct FaultBell {
    first: Arc<OnceLock<String>>,
    stop: CancellationToken,
}

impl FaultBell {
    /// A bell that stops what `stop` stops.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            first: Arc::default(),
            stop,
        }
    }

    /// Something of ours failed: nothing may go on as if it had not.
    pub(crate) fn ring(&self, what: &str) {
        tracing::error!(
            what,
            "fault: the node ends itself, and recovers when it is started again"
        );
        // Later ones follow from the first.
        let _ = self.first.set(what.to_owned());
        self.stop.cancel();
    }

    /// What went wrong first.
    pub(crate) fn what(&self) -> Option<&str> {
        self.first.get().map(String::as_str)
    }
}
