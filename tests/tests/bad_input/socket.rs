//! TLS and HTTP/2 spoken well or badly, as a row wants it.

use std::time::Duration;

use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Method, Request, Response, header};
pub use tocsin_tests::tls::{Leaf, Pair, Target, issue};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tonic::codegen::Bytes;
use tonic_types::StatusExt;

/// Long enough for anything that is not stuck.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What rows ask of a node.
pub trait Spoken {
    async fn h2(&self, pair: &Pair, builder: &h2::client::Builder) -> Peer;
    /// What bare bytes on the port get.
    async fn outcome_of_tcp(&self, bytes: &[u8]) -> String;
    /// What a handshake with this certificate gets.
    async fn outcome_of_tls(&self, pair: Option<&Pair>, alpn: &[u8], then: &[u8]) -> String;
}

impl Spoken for Target {
    async fn h2(&self, pair: &Pair, builder: &h2::client::Builder) -> Peer {
        let tls = self.tls(Some(pair), b"h2").await.unwrap();
        let (send, connection) = builder.handshake::<_, Bytes>(tls).await.unwrap();
        Peer {
            send,
            connection: tokio::spawn(async move { connection.await.is_ok() }),
            authority: self.domain.clone(),
        }
    }

    async fn outcome_of_tcp(&self, bytes: &[u8]) -> String {
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

    async fn outcome_of_tls(&self, pair: Option<&Pair>, alpn: &[u8], then: &[u8]) -> String {
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
