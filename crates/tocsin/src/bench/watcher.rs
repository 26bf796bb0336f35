//! A subscriber to the notices of one jurisdiction.

use std::time::{Duration, Instant};

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::rpc;
use tocsin_core::statement::StatementRef;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::notice_service_client::NoticeServiceClient;
use tocsin_wire::proto::v1::watch_notices_response::Event;
use tonic::Streaming;
use tonic::transport::Channel;

/// How long one notice is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// An open stream of notices.
#[derive(Debug)]
pub(super) struct Watcher(Streaming<v1::WatchNoticesResponse>);

impl Watcher {
    /// Subscribes to whatever changes from now on, at the node behind `channel`.
    ///
    /// # Errors
    /// What the node answers.
    pub(super) async fn open(channel: Channel) -> Result<Self, Failure> {
        let request = v1::WatchNoticesRequest {
            start: v1::WatchStart::Now.into(),
            ..v1::WatchNoticesRequest::default()
        };
        let mut client = NoticeServiceClient::new(channel);
        let stream = client.watch_notices(request).await;
        Ok(Self(stream.map_err(|s| rpc::failure(&s))?.into_inner()))
    }

    /// Waits until it is told that the block of `order` is in `state`, and says when that was.
    ///
    /// # Errors
    /// When the stream ends, or nothing of that kind comes in time.
    pub(super) async fn told(
        &mut self,
        order: &StatementRef,
        state: &str,
    ) -> Result<Instant, Failure> {
        let told = async {
            while let Some(message) = self.0.message().await.map_err(|s| rpc::failure(&s))? {
                if let Some(Event::Notice(notice)) = message.event
                    && notice.order_id == order.statement_id.as_bytes()
                    && notice.state == state
                {
                    return Ok(Instant::now());
                }
            }
            Err(Failure::new(Exit::Failed, "a stream of notices ended"))
        };
        let late = || {
            let text = format!("no notice of {order:?} as {state} came in time");
            Failure::new(Exit::Unreachable, text)
        };
        tokio::time::timeout(PATIENCE, told)
            .await
            .map_err(|_| late())?
    }
}
