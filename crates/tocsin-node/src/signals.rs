//! What the operating system tells the process: end, read certificates again, the parent is gone.

use std::io::{self, Read};
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::metrics::{Metrics, ReasonLabel};
use crate::tls::NodeTls;

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

/// Reads the certificate again on SIGHUP; a bad one changes nothing and is told.
///
/// # Errors
/// When the system takes no handler.
pub(crate) fn reload_on_hangup(
    tls: Arc<NodeTls>,
    metrics: Metrics,
    stop: CancellationToken,
) -> io::Result<tokio::task::JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = hangup.recv() => {}
            }
            crate::supervisor::reloading();
            let reason = match tls.reload() {
                Ok(facts) => {
                    metrics.certificate_ends(facts.not_after_ms / 1_000);
                    tracing::info!(name = %facts.name, "certificate reloaded");
                    "ok"
                }
                Err(error) => {
                    tracing::error!(%error, "certificate not reloaded; the old one stays");
                    "refused"
                }
            };
            metrics
                .certificate_reloads
                .get_or_create(&ReasonLabel { reason })
                .inc();
            crate::supervisor::ready("serving");
        }
    }))
}
