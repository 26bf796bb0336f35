//! What the operating system tells the process: end, read certificates again, the parent is gone.

use std::io::{self, Read};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::metrics::ReasonLabel;
use crate::node::Node;

/// Cancels `stop` on SIGTERM or SIGINT: the node drains.
///
/// # Errors
/// When the system takes no handler.
pub fn stop_on_signal(stop: CancellationToken) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to end: draining");
        stop.cancel();
    });
    Ok(())
}

/// Ends the process when standard input is closed: whoever started it is gone, however it went.
///
/// # Errors
/// When the system gives no thread.
pub fn stop_with_parent(stop: CancellationToken) -> io::Result<()> {
    let watch = move || {
        let mut byte = [0];
        // Nothing is ever sent; an end or an error both mean that nobody is there.
        while matches!(io::stdin().read(&mut byte), Ok(1..)) {}
        stop.cancel();
    };
    std::thread::Builder::new()
        .name("parent".to_owned())
        .spawn(watch)
        .map(|_| ())
}

/// Reads the certificate and the suppressions again on SIGHUP; a bad file changes nothing and is
/// told.
///
/// # Errors
/// When the system takes no handler.
pub(crate) fn reload_on_hangup(node: Arc<Node>) -> io::Result<tokio::task::JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    let stop = node.stopping();
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = hangup.recv() => {}
            }
            crate::supervisor::reloading();
            reload_certificate(&node);
            tokio::task::block_in_place(|| reload_suppressions(&node));
            crate::supervisor::ready("serving");
        }
    }))
}

fn reload_certificate(node: &Node) {
    let reason = match node.tls.reload() {
        Ok(facts) => {
            node.metrics.certificate_ends(facts.not_after_ms / 1_000);
            tracing::info!(name = %facts.name, "certificate reloaded");
            "ok"
        }
        Err(error) => {
            tracing::error!(%error, "certificate not reloaded; the old one stays");
            "refused"
        }
    };
    let reloads = &node.metrics.certificate_reloads;
    reloads.get_or_create(&ReasonLabel { reason }).inc();
}

fn reload_suppressions(node: &Node) {
    let Some(file) = &node.config.suppressions else {
        return;
    };
    let reason = match node.screening.reload(file) {
        Ok(count) => {
            tracing::info!(count, "suppressions reloaded");
            "ok"
        }
        Err(error) => {
            tracing::error!(%error, "suppressions not reloaded; the old ones stay");
            "refused"
        }
    };
    let reloads = &node.metrics.suppression_reloads;
    reloads.get_or_create(&ReasonLabel { reason }).inc();
}
