//! Members with their own CAs, certificates of every kind, a listener, and clients that misbehave.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use h2::client::{ResponseFuture, SendRequest};
use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tocsin_node::config::{QuotaConfig, TlsFiles};
use tocsin_node::limits::ListenLimits;
use tocsin_node::listen::Listener;
use tocsin_node::metrics::Metrics;
use tocsin_node::tls::{NodeTls, Trust, TrustEntry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;
use tonic::codegen::Bytes;
use tonic::service::Routes;

/// Long enough for anything that is not stuck.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A member's certificate authority.
pub struct Ca {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    pub fn issue(&self, leaf: Leaf<'_>) -> Pair {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.subject_alt_names = leaf
            .uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .chain([SanType::DnsName("us.demo.example".try_into().unwrap())])
            .collect();
        params.extended_key_usages = leaf.usages;
        params.not_before = date_time_ymd(leaf.years.0, 1, 1);
        params.not_after = date_time_ymd(leaf.years.1, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Pair {
            cert: certificate.pem(),
            key: key.serialize_pem(),
        }
    }
}

/// What to write into a leaf.
pub struct Leaf<'a> {
    pub uris: &'a [&'a str],
    pub usages: Vec<ExtendedKeyUsagePurpose>,
    pub years: (i32, i32),
}

impl<'a> Leaf<'a> {
    pub fn good(uris: &'a [&'a str]) -> Self {
        let usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        Self {
            uris,
            usages,
            years: (2020, 2090),
        }
    }
}

/// A certificate and its key, PEM.
#[derive(Clone)]
pub struct Pair {
    pub cert: String,
    pub key: String,
}

/// Two members, `us` and `de`.
pub struct World {
    pub dir: TempDir,
    pub us: Ca,
    pub de: Ca,
}

pub const US_NODE: &str = "spiffe://us.demo.example/node";
pub const DE_NODE: &str = "spiffe://de.demo.example/node";

impl World {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            us: Ca::new(),
            de: Ca::new(),
        }
    }

    pub fn trust(&self) -> Trust {
        let entry = |member, trust_domain, ca: &'_ Ca| (member, trust_domain, ca.pem.clone());
        let entries = [
            entry("us", "us.demo.example", &self.us),
            entry("de", "de.demo.example", &self.de),
        ];
        Trust::new(
            entries
                .iter()
                .map(|(member, trust_domain, ca_pem)| TrustEntry {
                    member,
                    trust_domain,
                    ca_pem,
                }),
        )
        .unwrap()
    }

    pub fn files(&self, name: &str) -> TlsFiles {
        let dir = self.dir.path();
        TlsFiles {
            cert: dir.join(format!("{name}.crt")),
            key: dir.join(format!("{name}.key")),
        }
    }

    pub fn write(&self, name: &str, pair: &Pair) -> TlsFiles {
        let files = self.files(name);
        fs::write(&files.cert, &pair.cert).unwrap();
        write_private(&files.key, &pair.key);
        files
    }

    pub fn node(&self, member: &str) -> NodeTls {
        let pair = match member {
            "us" => self.us.issue(Leaf::good(&[US_NODE])),
            _ => self.de.issue(Leaf::good(&[DE_NODE])),
        };
        NodeTls::load(self.write(member, &pair), member, self.trust()).unwrap()
    }

    pub async fn serve(&self, limits: ListenLimits) -> Served {
        self.serve_with(Arc::new(self.node("us")), limits).await
    }

    pub async fn serve_with(&self, tls: Arc<NodeTls>, limits: ListenLimits) -> Served {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (metrics, _registry) = Metrics::new("us");
        let listener = Listener {
            home: "us".into(),
            tls,
            roles: Arc::default(),
            limits,
            quotas: QuotaConfig::default(),
            metrics: metrics.clone(),
        };
        let task = tokio::spawn({
            let stop = stop.clone();
            async move { listener.serve(tcp, routes(), stop).await.unwrap() }
        });
        Served {
            address,
            stop,
            metrics,
            task,
        }
    }

    /// A client as other tools are: it checks the DNS name against the CA of `us`.
    pub fn client(&self, pair: Option<&Pair>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(self.us.pem.as_bytes()).unwrap())
            .unwrap();
        let builder = ClientConfig::builder_with_provider(tocsin_node::tls::provider())
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
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }

    pub fn us_client(&self, id: &str) -> Pair {
        self.us.issue(Leaf::good(&[&format!(
            "spiffe://us.demo.example/client/{id}"
        )]))
    }
}

pub fn write_private(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A running listener.
pub struct Served {
    pub address: SocketAddr,
    pub stop: CancellationToken,
    pub metrics: Metrics,
    pub task: JoinHandle<()>,
}

impl Served {
    pub async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// TLS; the server's verdict on us comes with the first bytes it sends.
    pub async fn tls(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from("us.demo.example").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, self.tcp().await)
            .await
    }

    pub async fn h2(&self, config: ClientConfig) -> Peer {
        self.h2_with(config, h2::client::Builder::new()).await
    }

    pub async fn h2_with(&self, config: ClientConfig, builder: h2::client::Builder) -> Peer {
        let tls = self.tls(config).await.unwrap();
        let (send, connection) = builder.handshake::<_, Bytes>(tls).await.unwrap();
        Peer {
            send,
            connection: tokio::spawn(async move { connection.await.is_ok() }),
        }
    }

    /// Whether a good client is served right now.
    pub async fn serves(&self, world: &World) -> bool {
        let mut peer = self.h2(world.client(Some(&world.us_client("good")))).await;
        peer.call("/test.Echo/Who", &[]).await.grpc_status() == Some("0".to_owned())
    }

    pub fn refused(&self, reason: &'static str) -> u64 {
        let label = tocsin_node::metrics::ReasonLabel { reason };
        self.metrics.connections_refused.get_or_create(&label).get()
    }
}

/// An HTTP/2 client that does what it is told.
pub struct Peer {
    pub send: SendRequest<Bytes>,
    pub connection: JoinHandle<bool>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn grpc_status(&self) -> Option<String> {
        self.headers
            .get("grpc-status")
            .map(|value| value.to_str().unwrap().to_owned())
    }
}

pub fn request(path: &str, headers: &[(&str, &str)]) -> Request<()> {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = format!("https://us.demo.example{path}").parse().unwrap();
    let content = header::HeaderValue::from_static("application/grpc");
    request.headers_mut().insert(header::CONTENT_TYPE, content);
    for (name, value) in headers {
        let name: header::HeaderName = name.parse().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

impl Peer {
    /// Sends an empty message and collects everything.
    pub async fn call(&mut self, path: &str, headers: &[(&str, &str)]) -> Answer {
        tokio::time::timeout(PATIENCE, async {
            let response = self.start(path, headers).await.unwrap();
            collect(response.await.unwrap()).await
        })
        .await
        .unwrap()
    }

    pub async fn start(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<ResponseFuture, h2::Error> {
        std::future::poll_fn(|cx| self.send.poll_ready(cx)).await?;
        let (response, mut body) = self.send.send_request(request(path, headers), false)?;
        body.send_data(Bytes::from_static(&[0; 5]), true)?;
        Ok(response)
    }
}

async fn collect(response: Response<h2::RecvStream>) -> Answer {
    let (parts, mut stream) = response.into_parts();
    let mut headers = parts.headers;
    let mut body = Vec::new();
    while let Some(bytes) = stream.data().await {
        let bytes = bytes.unwrap();
        stream.flow_control().release_capacity(bytes.len()).unwrap();
        body.extend_from_slice(&bytes);
    }
    if let Some(trailers) = stream.trailers().await.unwrap() {
        headers.extend(trailers);
    }
    Answer {
        status: parts.status,
        headers,
        body,
    }
}

/// Services to call: who am I, never an answer, and more than anybody can read.
fn routes() -> Routes {
    use axum::routing::post;
    use tocsin_node::connection::Connection;

    async fn who(axum::Extension(connection): axum::Extension<Connection>) -> Response<String> {
        let mut response = Response::new(connection.identity().to_string());
        response
            .headers_mut()
            .insert("grpc-status", header::HeaderValue::from_static("0"));
        response
    }
    async fn never() -> Response<String> {
        std::future::pending().await
    }
    async fn flood() -> Response<axum::body::Body> {
        let frame = Bytes::from_static(&[0; 16_384]);
        let frames = std::iter::repeat_with(move || Ok::<_, std::io::Error>(frame.clone()));
        Response::new(axum::body::Body::from_stream(tokio_stream::iter(frames)))
    }
    let mut routes = Routes::default();
    let router = std::mem::take(routes.axum_router_mut());
    *routes.axum_router_mut() = router
        .route("/test.Echo/Who", post(who))
        .route("/test.Echo/Never", post(never))
        .route("/test.Echo/Flood", post(flood));
    routes
}

/// Reads until the other end closes; what came, and whether it ended at all.
pub async fn drain(stream: &mut (impl AsyncReadExt + Unpin)) -> (Vec<u8>, std::io::Result<()>) {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    let end = read.expect("the connection was not closed").map(|_| ());
    (bytes, end)
}

pub async fn send(stream: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

/// Limits that a test can wait for.
pub fn short() -> ListenLimits {
    ListenLimits {
        handshake_timeout: Duration::from_millis(300),
        read_idle: Duration::from_millis(900),
        write_stall: Duration::from_millis(300),
        tend_interval: Duration::from_millis(20),
        goodbye: Duration::from_millis(300),
        request_deadline: Duration::from_millis(400),
        ..ListenLimits::default()
    }
}

/// A ClientHello as in RFC 5246: no `supported_versions`, an ECDHE suite, two extensions.
pub fn client_hello_1_2() -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    let extensions = [0, 10, 0, 4, 0, 2, 0, 29, 0, 13, 0, 4, 0, 2, 4, 3];
    body.extend([0, extensions.len().try_into().unwrap()]);
    body.extend(extensions);
    let length: u8 = body.len().try_into().unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}
