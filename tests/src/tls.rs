//! TLS as a client speaks it that other libraries refuse to be: any certificate, any protocol.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The chain.
    pub cert: String,
    /// The key of its leaf.
    pub key: String,
}

/// What to write into a leaf.
#[derive(Debug)]
pub struct Leaf<'a> {
    /// Names.
    pub uris: &'a [&'a str],
    /// Extended key usages.
    pub usages: Vec<ExtendedKeyUsagePurpose>,
    /// The first and the last year that it is good for.
    pub years: (i32, i32),
}

impl<'a> Leaf<'a> {
    /// A client's or a node's, good for long.
    #[must_use]
    pub fn good(uris: &'a [&'a str]) -> Self {
        Self {
            uris,
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            years: (2020, 2090),
        }
    }
}

/// A leaf under the CA of `domain` whose key is `ca_key`; a stranger's CA without one.
///
/// # Panics
/// When the names or the key cannot be used.
#[must_use]
pub fn issue(domain: &str, ca_key: Option<&str>, leaf: Leaf<'_>) -> Pair {
    let ca_key = ca_key.map_or_else(KeyPair::generate, KeyPair::from_pem);
    let mut ca = CertificateParams::default();
    ca.distinguished_name = DistinguishedName::new();
    ca.distinguished_name
        .push(DnType::CommonName, format!("Tocsin CA of {domain}"));
    let issuer = Issuer::new(ca, ca_key.expect("a CA key"));
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    let names = leaf.uris.iter();
    let names = names.map(|uri| SanType::URI((*uri).try_into().expect("a URI")));
    let host = SanType::DnsName(domain.try_into().expect("a host name"));
    params.subject_alt_names = names.chain([host]).collect();
    params.extended_key_usages = leaf.usages;
    params.not_before = date_time_ymd(leaf.years.0, 1, 1);
    params.not_after = date_time_ymd(leaf.years.1, 1, 1);
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    Pair {
        cert: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// A node that is spoken to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its trust domain, which its certificate names.
    pub domain: String,
    /// The CA that vouches for it.
    pub ca_pem: String,
}

impl Target {
    /// A connection without TLS.
    ///
    /// # Panics
    /// When nobody listens.
    pub async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address).await.expect("a listener");
        tcp.set_nodelay(true).expect("a socket option");
        tcp
    }

    /// How a client with this certificate and protocol speaks TLS.
    ///
    /// # Panics
    /// When the certificate cannot be used.
    #[must_use]
    pub fn config(&self, pair: Option<&Pair>, alpn: &[u8]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).expect("a certificate");
        roots.add(ca).expect("a CA");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(roots);
        let mut config = match pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let (chain, key) = der(pair);
                let config = builder.with_client_auth_cert(chain, key);
                config.expect("a certificate and its key")
            }
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }

    /// TLS; the node's verdict on us comes with the first bytes it sends.
    ///
    /// # Errors
    /// What the handshake came to.
    ///
    /// # Panics
    /// When nobody listens, or the certificate cannot be used.
    pub async fn tls(&self, pair: Option<&Pair>, alpn: &[u8]) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::new(self.config(pair, alpn)));
        connector.connect(self.name(), self.tcp().await).await
    }

    /// The name that its certificate must have.
    ///
    /// # Panics
    /// When the domain is no host name.
    #[must_use]
    pub fn name(&self) -> ServerName<'static> {
        ServerName::try_from(self.domain.clone()).expect("a host name")
    }
}

/// A pair as rustls takes it.
///
/// # Panics
/// When it is not PEM.
#[must_use]
pub fn der(pair: &Pair) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .expect("a chain");
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).expect("a key");
    (chain, key)
}
