//! A bare sink: accepts, reads and throws away. What an attack costs there is the attacker's own.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::tls::{Pair, der};

/// A sink that listens; it ends when it is dropped.
#[derive(Debug)]
pub struct Sink {
    /// Where.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Sink {
    /// Opens a sink. With `tls` it goes through the handshake, asking for a certificate and
    /// looking at none, for attackers that cannot attack without; then it reads what is still
    /// encrypted.
    ///
    /// # Panics
    /// When there is no port, or the certificate cannot be used.
    pub async fn open(tls: Option<&Pair>) -> Self {
        let acceptor = tls.map(acceptor);
        let tcp = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = tcp.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = tcp.accept().await {
                tokio::spawn(swallow(socket, acceptor.clone()));
            }
        });
        Self { address, task }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn swallow(socket: TcpStream, acceptor: Option<TlsAcceptor>) {
    let mut socket = match acceptor {
        None => socket,
        Some(acceptor) => match acceptor.accept(socket).await {
            Ok(tls) => tls.into_inner().0,
            Err(_) => return,
        },
    };
    let mut buffer = vec![0; 65_536];
    while socket.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}

fn acceptor(pair: &Pair) -> TlsAcceptor {
    let (chain, key) = der(pair);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(Arc::new(Anyone))
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config.send_tls13_tickets = 0;
    TlsAcceptor::from(Arc::new(config))
}

/// Takes any certificate, unseen.
#[derive(Debug)]
struct Anyone;

impl ClientCertVerifier for Anyone {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
