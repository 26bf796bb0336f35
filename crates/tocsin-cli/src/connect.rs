//! A channel to a node: TLS 1.3 both ways, trusting one CA for one name.
//!
//! The server must show a certificate of the context's member, issued by the CA in that member's
//! manifest, with the URI name `spiffe://<member>.<alliance>/node`. No other member's CA counts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::context::{Context, member};
use crate::failure::{Exit, Failure};
use crate::files::read_bounded;
use crate::keyfile::refuse_if_shared;

/// Longest PEM file in bytes: a chain of a few certificates.
const MAX_PEM_BYTES: u64 = 65_536;
/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an idle stream is asked whether it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Headers of one answer in bytes; ours have a few hundred.
const MAX_HEADER_LIST_BYTES: u32 = 16 * 1_024;

/// Connects to the context's node.
///
/// # Errors
/// When the alliance file, certificate or key cannot be used, no node answers, or it is another.
pub async fn connect(context: &Context, timeout: Duration) -> Result<Channel, Failure> {
    let alliance = context.open_alliance()?;
    let node = member(&alliance, &context.member)?;
    let config = client_config(context, &node.tls.ca_pem, &node.tls.trust_domain)?;
    let (host, port) = host_and_port(&context.endpoint)?;
    let name = ServerName::try_from(node.tls.trust_domain.clone())
        .map_err(|_| Failure::usage(format!("`{}` is no server name", node.tls.trust_domain)))?;
    let tls = TlsConnector::from(Arc::new(config));
    let connector = tower::service_fn(move |_: http::Uri| {
        let (host, tls, name) = (host.clone(), tls.clone(), name.clone());
        async move {
            let tcp = TcpStream::connect((host.as_str(), port)).await?;
            tcp.set_nodelay(true)?;
            let stream = tls.connect(name, tcp).await?;
            Ok::<_, std::io::Error>(hyper_util::rt::TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_shared(format!("https://{}", node.tls.trust_domain))
        .map_err(|e| Failure::usage(format!("`{}` is no address: {e}", context.endpoint)))?
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .http2_keep_alive_interval(KEEP_ALIVE)
        .http2_max_header_list_size(MAX_HEADER_LIST_BYTES)
        .keep_alive_while_idle(true);
    endpoint
        .connect_with_connector(connector)
        .await
        .map_err(|error| unreachable(&context.endpoint, &error))
}

/// Connects to a node's read-only admin address, which is plain and on this machine only.
///
/// # Errors
/// When the address is not loopback, or nothing answers.
pub async fn connect_admin(address: &str) -> Result<Channel, Failure> {
    let (host, _) = host_and_port(address)?;
    let local = host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if !local {
        return Err(Failure::usage(format!(
            "the admin address {address} is not on this machine"
        )));
    }
    let uri = if address.contains("://") {
        address.to_owned()
    } else {
        format!("http://{address}")
    };
    let endpoint = Endpoint::from_shared(uri)
        .map_err(|e| Failure::usage(format!("`{address}` is no address: {e}")))?
        .connect_timeout(CONNECT_TIMEOUT);
    endpoint
        .connect()
        .await
        .map_err(|error| unreachable(address, &error))
}

fn client_config(context: &Context, ca_pem: &str, domain: &str) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = NodeVerifier::new(ca_pem, domain, &provider)?;
    refuse_if_shared(&context.client_key)?;
    let chain = read_pem(&context.client_cert)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|e| bad_pem(&context.client_cert, &e))?;
    let key = PrivateKeyDer::from_pem_slice(&read_pem(&context.client_key)?)
        .map_err(|e| bad_pem(&context.client_key, &e))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| Failure::new(Exit::Failed, format!("no TLS 1.3 here: {e}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(chain, key)
        .map_err(|e| {
            let file = context.client_cert.display();
            Failure::usage(format!("certificate {file} and its key do not fit: {e}"))
        })?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(config)
}

/// Accepts one member's node and nothing else: chain, time, purpose and DNS name by webpki under
/// that member's CA, then the URI name.
#[derive(Debug)]
struct NodeVerifier {
    inner: Arc<WebPkiServerVerifier>,
    uri: String,
}

impl NodeVerifier {
    fn new(ca_pem: &str, domain: &str, provider: &Arc<CryptoProvider>) -> Result<Self, Failure> {
        let unusable = |why: String| {
            Failure::unverified(
                "CA_UNUSABLE",
                format!("the CA of {domain} cannot be used: {why}"),
            )
        };
        let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes())
            .map_err(|e| unusable(e.to_string()))?;
        let mut roots = RootCertStore::empty();
        roots.add(ca).map_err(|e| unusable(e.to_string()))?;
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|e| unusable(e.to_string()))?;
        Ok(Self {
            inner,
            uri: format!("spiffe://{domain}/node"),
        })
    }
}

impl ServerCertVerifier for NodeVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self
            .inner
            .verify_server_cert(leaf, intermediates, name, ocsp, now)?;
        if uri_names(leaf) != [self.uri.as_str()] {
            return Err(CertificateError::NotValidForName.into());
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// The URI names of a certificate; none when it cannot be read.
fn uri_names(leaf: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(leaf) else {
        return Vec::new();
    };
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let uris = names.value.general_names.iter().filter_map(|name| {
        if let GeneralName::URI(uri) = name {
            Some((*uri).to_owned())
        } else {
            None
        }
    });
    uris.collect()
}

/// Host and port of `https://host:port`; the port is 7337 when none is said.
fn host_and_port(endpoint: &str) -> Result<(String, u16), Failure> {
    let wrong = || {
        Failure::usage(format!("`{endpoint}` is no address"))
            .advice("write https://HOST:PORT, e.g. https://127.0.0.1:7337")
    };
    let uri: http::Uri = endpoint.parse().map_err(|_| wrong())?;
    let host = uri
        .host()
        .ok_or_else(wrong)?
        .trim_matches(['[', ']'])
        .to_owned();
    Ok((host, uri.port_u16().unwrap_or(7_337)))
}

fn unreachable(endpoint: &str, error: &(dyn std::error::Error + 'static)) -> Failure {
    let mut failure = Failure::new(Exit::Unreachable, format!("no node answers at {endpoint}"));
    let mut details = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        details.push(error.to_string());
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(_)) = tls {
            failure =
                Failure::unverified("WRONG_SERVER", "the node at this address is another one")
                    .advice("check endpoint and member of the context");
        }
        cause = error.source();
    }
    failure.details = details;
    failure.details.dedup();
    if failure.advice.is_none() {
        failure.advice = Some("is it running? check the endpoint of the context".to_owned());
    }
    failure
}

pub(crate) fn read_pem(path: &Path) -> Result<Vec<u8>, Failure> {
    read_bounded(path, MAX_PEM_BYTES)
}

fn bad_pem(path: &Path, error: &rustls::pki_types::pem::Error) -> Failure {
    Failure::usage(format!("{} is not PEM: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        let of = |text| host_and_port(text).unwrap();
        assert_eq!(of("https://127.0.0.1:7400"), ("127.0.0.1".into(), 7400));
        assert_eq!(of("https://[::1]:7400"), ("::1".into(), 7400));
        assert_eq!(of("https://node.example"), ("node.example".into(), 7337));
        assert!(host_and_port("").is_err());
        assert!(host_and_port("/only/path").is_err());
    }

    const DOMAIN: &str = "de.t.example";

    struct Ca(rcgen::CertifiedIssuer<'static, rcgen::KeyPair>);

    impl Ca {
        fn new() -> Self {
            let mut params = rcgen::CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
            let key = rcgen::KeyPair::generate().unwrap();
            Self(rcgen::CertifiedIssuer::self_signed(params, key).unwrap())
        }

        fn leaf(&self, dns: &str, uris: &[&str], eku: rcgen::ExtendedKeyUsagePurpose) -> Vec<u8> {
            let mut params = rcgen::CertificateParams::new([dns.to_owned()]).unwrap();
            for uri in uris {
                params
                    .subject_alt_names
                    .push(rcgen::SanType::URI((*uri).try_into().unwrap()));
            }
            params.extended_key_usages = vec![eku];
            let key = rcgen::KeyPair::generate().unwrap();
            params.signed_by(&key, &self.0).unwrap().der().to_vec()
        }

        fn accepts(&self, leaf: &[u8]) -> bool {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let verifier = NodeVerifier::new(&self.0.pem(), DOMAIN, &provider).unwrap();
            let name = ServerName::try_from(DOMAIN).unwrap();
            let leaf = CertificateDer::from(leaf);
            verifier
                .verify_server_cert(&leaf, &[], &name, &[], UnixTime::now())
                .is_ok()
        }
    }

    #[test]
    fn only_the_members_own_node_is_taken_for_it() {
        use rcgen::ExtendedKeyUsagePurpose::{ClientAuth, ServerAuth};
        let (ca, other_ca) = (Ca::new(), Ca::new());
        let node = "spiffe://de.t.example/node";
        assert!(ca.accepts(&ca.leaf(DOMAIN, &[node], ServerAuth)));
        assert!(
            !ca.accepts(&other_ca.leaf(DOMAIN, &[node], ServerAuth)),
            "another CA"
        );
        assert!(
            !ca.accepts(&ca.leaf(DOMAIN, &[node], ClientAuth)),
            "not for servers"
        );
        assert!(
            !ca.accepts(&ca.leaf("us.t.example", &[node], ServerAuth)),
            "another DNS name"
        );
        for uris in [
            &[][..],
            &["spiffe://us.t.example/node"],
            &["spiffe://de.t.example/client/zoll-1"],
            &[node, "spiffe://us.t.example/node"],
        ] {
            assert!(!ca.accepts(&ca.leaf(DOMAIN, uris, ServerAuth)), "{uris:?}");
        }
        assert!(!ca.accepts(b"no certificate"));
    }

    #[tokio::test]
    async fn the_admin_address_must_be_on_this_machine() {
        let failure = connect_admin("http://192.0.2.1:7339").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
    }
}
