//! Named places in every commit, so that a test can end the process exactly there.

use std::fmt;
use std::sync::Arc;

/// Every place at which a hook is called, in the order of the commit it belongs to.
pub const FAILPOINTS: &[&str] = &[
    "own.begin",
    "own.frames-written",
    "own.frames-flushed",
    "own.directory-flushed",
    "own.slot-written",
    "own.slot-flushed",
    "own.signed",
    "mirror.begin",
    "mirror.frames-written",
    "mirror.frames-flushed",
    "mirror.directory-flushed",
    "mirror.slot-written",
    "mirror.slot-flushed",
    "local.written",
    "local.flushed",
    "blob.written",
    "blob.renamed",
    "body.zeroed",
];

/// What is called at each named place of a commit; nothing, but in tests.
#[derive(Clone, Default)]
pub struct Failpoints(Option<Arc<dyn Fn(&'static str) + Send + Sync>>);

impl Failpoints {
    /// Calls `hook` at each place in [`FAILPOINTS`], on the thread that commits.
    #[must_use]
    pub fn new(hook: Arc<dyn Fn(&'static str) + Send + Sync>) -> Self {
        Self(Some(hook))
    }

    pub(crate) fn hit(&self, name: &'static str) {
        debug_assert!(FAILPOINTS.contains(&name), "{name} is not listed");
        if let Some(hook) = &self.0 {
            hook(name);
        }
    }
}

impl fmt::Debug for Failpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Failpoints")
            .field(&self.0.is_some())
            .finish()
    }
}
