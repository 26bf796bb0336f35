//! TLS and HTTP/2 spoken well or badly, as a row wants it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Response, header};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::Bytes;
use tonic_types::StatusExt;

/// Long enough for anything that is not stuck.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

/// What to write into a leaf.
pub struct Leaf<'a> {
    pub uris: &'a [&'a str],
    pub usages: Vec<ExtendedKeyUsagePurpose>,
    pub years: (i32, i32),
}

impl<'a> Leaf<'a> {
    pub fn good(uris: &'a [&'a str]) -> Self {
        Self {
            uris,
            usages: vec![ExtendedKeyUsagePurpose::ClientAuth],
            years: (2020, 2090),
        }
    }
}

/// A leaf under the CA of `domain` whose key is `ca_key`; a stranger's CA without one.
pub fn issue(domain: &str, ca_key: Option<&str>, leaf: Leaf<'_>) -> Pair {
    let ca_key = ca_key.map_or_else(KeyPair::generate, KeyPair::from_pem);
    let mut ca = CertificateParams::default();
    ca.distinguished_name = DistinguishedName::new();
    ca.distinguished_name
        .push(DnType::CommonName, format!("Tocsin CA of {domain}"));
    let issuer = Issuer::new(ca, ca_key.unwrap());
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.subject_alt_names = leaf
        .uris
        .iter()
        .map(|uri| SanType::URI((*uri).try_into().unwrap()))
        .chain([SanType::DnsName(domain.try_into().unwrap())])
        .collect();
    params.extended_key_usages = leaf.usages;
    params.not_before = date_time_ymd(leaf.years.0, 1, 1);
    params.not_after = date_time_ymd(leaf.years.1, 1, 1);
    let certificate = params.signed_by(&key, &issuer).unwrap();
    Pair {
        cert: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// The node that rows speak to.
#[derive(Clone)]
pub struct Target {
    pub address: SocketAddr,
    pub domain: String,
    pub ca_pem: String,
}

impl Target {
    pub async fn tcp(&self) -> TcpStream {
        let tcp = TcpStream::connect(self.address).await.unwrap();
        tcp.set_nodelay(true).unwrap();
        tcp
    }

    fn config(&self, pair: Option<&Pair>, alpn: &[u8]) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.ca_pem.as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match pair {
            None => builder.with_no_client_auth(),
            Some(pair) => {
                let chain = CertificateDer::pem_slice_iter(pair.cert.as_bytes())
                    .collect::<Result<Vec<_>, _>>()
                    .unwrap();
                let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        config.alpn_protocols = vec![alpn.to_vec()];
        config
    }

    /// TLS; the node's verdict on us comes with the first bytes it sends.
    pub async fn tls(
        &self,
        pair: Option<&Pair>,
        alpn: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(self.domain.clone()).unwrap();
        TlsConnector::from(Arc::new(self.config(pair, alpn)))
            .connect(name, self.tcp().await)
            .await
    }

    pub async fn h2(&self, pair: &Pair, builder: &h2::client::Builder) -> Peer {
        let tls = self.tls(Some(pair), b"h2").await.unwrap();
        let (send, connection) = builder.handshake::<_, Bytes>(tls).await.unwrap();
        Peer {
            send,
            connection: tokio::spawn(async move { connection.await.is_ok() }),
            authority: self.domain.clone(),
        }
    }

    /// What bare bytes on the port get.
    pub async fn outcome_of_tcp(&self, bytes: &[u8]) -> String {
        let mut tcp = self.tcp().await;
        tcp.write_all(bytes).await.unwrap();
        let (got, _) = drain(&mut tcp).await;
        match got.as_slice() {
            [] => "closed".to_owned(),
            // A TLS record with a fatal alert, RFC 8446 section 6.
            [21, 3, 3, 0, 2, 2, alert] => format!("alert {alert}"),
            other => format!("{} bytes back", other.len()),
        }
    }

    /// What a handshake with this certificate gets.
    pub async fn outcome_of_tls(&self, pair: Option<&Pair>, alpn: &[u8], then: &[u8]) -> String {
        let error = match self.tls(pair, alpn).await {
            Err(error) => error,
            Ok(mut tls) => {
                // The node may have closed already.
                let _ = tls.write_all(then).await;
                let (bytes, end) = drain(&mut tls).await;
                if bytes.windows(5).any(|five| five == b"HTTP/") {
                    return "an HTTP answer".to_owned();
                }
                match end {
                    Ok(()) => return "closed".to_owned(),
                    Err(error) => error,
                }
            }
        };
        let said = error.to_string();
        match said.rsplit_once("fatal alert: ") {
            Some((_, alert)) => format!("alert {alert}"),
            // Without a goodbye: whoever speaks another protocol is not answered in ours.
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => "closed".to_owned(),
            None => said,
        }
    }
}

/// Reads until the other end closes.
async fn drain(stream: &mut (impl AsyncReadExt + Unpin)) -> (Vec<u8>, std::io::Result<()>) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let end = read.expect("the connection was not closed").map(|_| ());
    (bytes, end)
}

/// An HTTP/2 client that does what it is told.
pub struct Peer {
    send: SendRequest<Bytes>,
    pub connection: JoinHandle<bool>,
    authority: String,
}

/// What came back.
pub struct Answer {
    status: u16,
    headers: HeaderMap,
}

impl Peer {
    /// Sends one request and says what came of it.
    pub async fn call(&mut self, path: &str, headers: &[(&str, &str)], framed: &[u8]) -> Answer {
        let answered = async {
            let response = self.start(path, headers, framed).await?;
            collect(response.await?).await
        };
        let answer = tokio::time::timeout(PATIENCE, answered).await;
        let answer = answer.expect("no answer in time");
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Says goodbye, so that the node counts this connection no more.
    pub async fn close(self) {
        drop(self.send);
        let _ = tokio::time::timeout(PATIENCE, self.connection).await;
    }

    /// Sends one request and does not wait.
    pub async fn start(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        framed: &[u8],
    ) -> Result<ResponseFuture, h2::Error> {
        std::future::poll_fn(|cx| self.send.poll_ready(cx)).await?;
        let mut request = Request::new(());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = format!("https://{}{path}", self.authority).parse().unwrap();
        let kind = header::HeaderValue::from_static("application/grpc");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        for (name, value) in headers {
            let name: header::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let (response, mut body) = self.send.send_request(request, false)?;
        // What is refused by its headers may be answered before this is sent: the answer is there.
        let _ = body.send_data(Bytes::copy_from_slice(framed), true);
        Ok(response)
    }
}

async fn collect(response: Response<h2::RecvStream>) -> Result<Answer, h2::Error> {
    let (parts, mut stream) = response.into_parts();
    let mut headers = parts.headers;
    while let Some(bytes) = stream.data().await {
        // A node that has answered resets what is still being sent to it.
        let Ok(bytes) = bytes else { break };
        stream.flow_control().release_capacity(bytes.len())?;
    }
    if let Ok(Some(trailers)) = stream.trailers().await {
        headers.extend(trailers);
    }
    Ok(Answer {
        status: parts.status.as_u16(),
        headers,
    })
}

impl Answer {
    /// As rows write it: `Code REASON at field`.
    pub fn outcome(&self) -> String {
        if self.status != 200 {
            return format!("http {}", self.status);
        }
        match tonic::Status::from_header_map(&self.headers) {
            Some(status) => outcome_of(&status),
            None => "no status".to_owned(),
        }
    }
}

/// A status as rows write it.
pub fn outcome_of(status: &tonic::Status) -> String {
    let mut said = format!("{:?}", status.code());
    let Some(info) = status.get_details_error_info() else {
        return said;
    };
    assert_eq!(info.domain, "tocsin");
    said.push(' ');
    said.push_str(&info.reason);
    let bad = status.get_details_bad_request();
    let bad = bad.and_then(|bad| {
        bad.field_violations
            .first()
            .map(|first| first.field.clone())
    });
    let unmet = status.get_details_precondition_failure();
    let unmet = unmet.and_then(|unmet| unmet.violations.first().map(|first| first.subject.clone()));
    if let Some(field) = bad.or(unmet).filter(|field| !field.is_empty()) {
        said.push_str(" at ");
        said.push_str(&field);
    }
    said
}
