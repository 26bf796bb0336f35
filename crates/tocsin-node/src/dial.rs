//! Dialling another member's node: TCP, TLS to that member and nobody else, HTTP/2.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tower::Service;

use crate::config::endpoint;
use crate::limits::{
    CONNECT_TIMEOUT, CONNECTION_WINDOW_BYTES, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT,
    MAX_FRAME_BYTES, MAX_HEADER_LIST_BYTES, MAX_LOCAL_ERROR_RESETS, STREAM_WINDOW_BYTES,
};
use crate::tls::{ALPN, NodeTls, TlsError};

/// A way to one member's node; clone it freely, every call dials anew.
#[derive(Debug, Clone)]
pub struct Dialler {
    endpoint: Endpoint,
    connector: PeerConnector,
}

impl Dialler {
    /// To the node of `member` at `address` (`host:port`, with or without `https://`).
    ///
    /// # Errors
    /// The member is not in the alliance, or the address cannot be read.
    pub fn new(tls: &NodeTls, member: &str, address: &str) -> Result<Self, DialError> {
        let bad = || DialError::BadAddress {
            address: address.to_owned(),
        };
        let authority = endpoint(address).ok_or_else(bad)?;
        let domain = tls.trust().domain_of(member).unwrap_or_default().to_owned();
        let config = tls.client(member)?;
        let name = ServerName::try_from(domain).map_err(|_| bad())?;
        let endpoint = Endpoint::from_shared(format!("https://{authority}")).map_err(|_| bad())?;
        let endpoint = endpoint
            .connect_timeout(CONNECT_TIMEOUT)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .http2_adaptive_window(false)
            .max_frame_size(MAX_FRAME_BYTES)
            .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
            .http2_max_local_error_reset_streams(MAX_LOCAL_ERROR_RESETS)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .keep_alive_while_idle(true);
        let address = authority.into();
        Ok(Self {
            endpoint,
            connector: PeerConnector {
                config,
                name,
                address,
            },
        })
    }

    /// Connects now.
    ///
    /// # Errors
    /// The connection or the handshake failed; the peer may be another member.
    pub async fn connect(&self) -> Result<Channel, tonic::transport::Error> {
        self.endpoint
            .connect_with_connector(self.connector.clone())
            .await
    }

    /// Connects with the first request, and again whenever the connection is lost.
    #[must_use]
    pub fn connect_lazy(&self) -> Channel {
        self.endpoint
            .connect_with_connector_lazy(self.connector.clone())
    }
}

/// Opens the byte stream; tonic does the rest.
#[derive(Debug, Clone)]
struct PeerConnector {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    address: Arc<str>,
}

impl Service<Uri> for PeerConnector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let Self {
            config,
            name,
            address,
        } = self.clone();
        Box::pin(async move {
            let dial = async {
                let socket = TcpStream::connect(&*address).await?;
                socket.set_nodelay(true)?;
                TlsConnector::from(config).connect(name, socket).await
            };
            let tls = tokio::time::timeout(CONNECT_TIMEOUT, dial)
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            if tls.get_ref().1.alpn_protocol() != Some(ALPN) {
                return Err(io::Error::other("the peer does not speak HTTP/2"));
            }
            Ok(TokioIo::new(tls))
        })
    }
}

/// Why a member cannot even be dialled.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DialError {
    /// The address is not `host:port`.
    #[error("{address:?} is not host:port; correct it under [peers] or in the member's manifest")]
    BadAddress {
        /// As given.
        address: String,
    },
    /// No TLS for that member.
    #[error(transparent)]
    Tls(#[from] TlsError),
}
