//! etcd's put on the same machine, for comparison where Debian's etcd-server is installed: durable
//! as ours are, without signatures, proofs or TLS.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tocsin_cli::failure::{Exit, Failure};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::demo::network::{GLANCE, PATIENCE};

/// Calls in flight.
pub(super) const IN_FLIGHT: usize = 256;
/// Connections they share.
const CONNECTIONS: usize = 4;
/// Where Debian puts it.
const PROGRAM: &str = "etcd";

/// `etcdserverpb.PutRequest`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct Put {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `etcdserverpb.PutResponse`, of which nothing is read.
#[derive(Clone, PartialEq, prost::Message)]
struct PutDone {}

/// A running etcd; it ends when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Puts a second of values of `bytes`, or none where etcd is not installed.
///
/// # Errors
/// When it is installed and does not serve.
pub(super) async fn puts(dir: &Path, bytes: usize, span: Duration) -> Result<Option<f64>, Failure> {
    let Some((running, endpoint)) = start(dir)? else {
        return Ok(None);
    };
    let mut channels = Vec::new();
    let patience = Instant::now() + PATIENCE;
    while channels.len() < CONNECTIONS {
        match endpoint.connect().await {
            Ok(channel) => channels.push(channel),
            Err(error) if Instant::now() >= patience => return Err(failed(&error)),
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
    let (from, mut tasks) = (Instant::now() + span / 4, JoinSet::new());
    let until = from + span;
    for (task, channel) in channels.iter().cycle().take(IN_FLIGHT).cloned().enumerate() {
        tasks.spawn(async move {
            let (mut counted, mut number) = (0_u64, 0_u64);
            while Instant::now() < until {
                let put = Put {
                    key: format!("{task}/{number}").into_bytes(),
                    value: vec![7; bytes],
                };
                call(channel.clone(), put).await?;
                number += 1;
                counted += u64::from(Instant::now() >= from);
            }
            Ok::<_, Failure>(counted)
        });
    }
    let mut counted = 0;
    while let Some(task) = tasks.join_next().await {
        counted += task.map_err(|e| failed(&e))??;
    }
    drop(running);
    Ok(Some(
        counted as f64 / until.elapsed().saturating_add(span).as_secs_f64(),
    ))
}

/// Starts it with its own defaults but for where it listens and keeps its files.
fn start(dir: &Path) -> Result<Option<(Running, Endpoint)>, Failure> {
    let (client, peer) = (free_port()?, free_port()?);
    let (client, peer) = (
        format!("http://127.0.0.1:{client}"),
        format!("http://127.0.0.1:{peer}"),
    );
    let child = Command::new(PROGRAM)
        .args([
            "--listen-client-urls",
            &client,
            "--advertise-client-urls",
            &client,
        ])
        .args([
            "--listen-peer-urls",
            &peer,
            "--initial-advertise-peer-urls",
            &peer,
        ])
        .args(["--initial-cluster", &format!("default={peer}")])
        .arg("--data-dir")
        .arg(dir.join("etcd"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let child = match child {
        Ok(child) => Running(child),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&error)),
    };
    let endpoint = Endpoint::from_shared(client).map_err(|e| failed(&e))?;
    Ok(Some((child, endpoint)))
}

async fn call(channel: Channel, put: Put) -> Result<(), Failure> {
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.map_err(|e| failed(&e))?;
    let codec = tonic_prost::ProstCodec::<Put, PutDone>::default();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static("/etcdserverpb.KV/Put");
    let done = client.unary(tonic::Request::new(put), path, codec).await;
    done.map(|_| ()).map_err(|e| failed(&e))
}

fn free_port() -> Result<u16, Failure> {
    let bound = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| failed(&e))?;
    Ok(bound.local_addr().map_err(|e| failed(&e))?.port())
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, format!("etcd: {error}"))
}
