//! What systemd is told (sd_notify(3)), where it started us: ready, alive, reloading, stopping.
//! Elsewhere all of it does nothing.

use std::sync::Arc;

use sd_notify::NotifyState;

use crate::node::Node;

/// The sockets are open and the logs replayed.
pub(crate) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// A certificate is being read again; [`ready`] must follow.
pub(crate) fn reloading() {
    // systemd wants both in one message (Type=notify-reload).
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// The node drains.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping, NotifyState::Status("draining")]);
}

/// Says that the node is alive, twice in each interval that systemd waits, for as long as it works:
/// a node whose writer met a fault, or whose tasks no longer run, is started again.
pub(crate) async fn watchdog(node: Arc<Node>) {
    let Some(interval) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut tick = tokio::time::interval(interval / 2);
    let stop = node.stopping();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if node.fault.what().is_none() {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the supervisor cannot be told");
    }
}
