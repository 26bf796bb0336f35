//! The operator's port: pages, metrics, the read-only service, and nobody else.

use std::sync::Arc;

use tocsin_node::admin::{AdminError, StatusSource, serve};
use tocsin_node::metrics::Metrics;
use tocsin_node::status::{Reason, Refusal};
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;
use tocsin_wire::proto::admin::v1::{
    GetStatusRequest, GetStatusResponse, ListPeersRequest, ListPeersResponse, Peer,
    RunChecksRequest, RunChecksResponse,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::world::{PATIENCE, drain, send};

/// A node that is live and waits for its peers.
struct Waiting(Metrics);

impl StatusSource for Waiting {
    fn live(&self) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        Err("asking peers".to_owned())
    }

    fn status(&self) -> GetStatusResponse {
        GetStatusResponse {
            member: "us".to_owned(),
            ..GetStatusResponse::default()
        }
    }

    fn peers(&self) -> ListPeersResponse {
        let peer = Peer {
            member: "de".to_owned(),
            ..Peer::default()
        };
        ListPeersResponse { peers: vec![peer] }
    }

    fn checks(&self, only: &[String]) -> Result<RunChecksResponse, Refusal> {
        match only {
            [] => Ok(RunChecksResponse::default()),
            [..] => Err(Refusal::of(Reason::FieldInvalid).at("only")),
        }
    }

    fn refresh_metrics(&self) {
        self.0.watchers.set(7);
    }
}

async fn get(address: std::net::SocketAddr, host: &str, path: &str) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    send(&mut tcp, request.as_bytes()).await;
    String::from_utf8(drain(&mut tcp).await.0).unwrap()
}

#[tokio::test]
async fn the_operator_reads_pages_metrics_and_status_on_one_port() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (metrics, catalog) = Metrics::new("us");
    let stop = CancellationToken::new();
    let served = tokio::spawn(serve(
        tcp,
        Arc::new(Waiting(metrics)),
        catalog.registry,
        stop.clone(),
    ));

    let live = get(address, "localhost", "/livez").await;
    assert!(
        live.starts_with("HTTP/1.1 200") && live.ends_with("ok\n"),
        "{live}"
    );
    let ready = get(address, "127.0.0.1:7339", "/readyz").await;
    assert!(
        ready.starts_with("HTTP/1.1 503") && ready.ends_with("asking peers\n"),
        "{ready}"
    );
    let text = get(address, "[::1]:7339", "/metrics").await;
    assert!(
        text.contains("tocsin_watchers 7\n") && text.contains("# EOF"),
        "{text}"
    );
    let foreign = get(address, "evil.example:7339", "/metrics").await;
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");

    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut client = AdminServiceClient::new(endpoint.connect().await.unwrap());
    let status = client
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(status.member, "us");
    let peers = client
        .list_peers(ListPeersRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(peers.peers[0].member, "de");
    let all = RunChecksRequest::default();
    client.run_checks(all).await.unwrap();
    let only = vec!["NO_SUCH_CHECK".to_owned()];
    let refused = client.run_checks(RunChecksRequest { only }).await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
    drop(client);

    stop.cancel();
    tokio::time::timeout(PATIENCE, served)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn the_operators_port_is_never_opened_to_others() {
    let tcp = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (metrics, catalog) = Metrics::new("us");
    let source = Arc::new(Waiting(metrics));
    let refused = serve(tcp, source, catalog.registry, CancellationToken::new()).await;
    assert!(matches!(refused, Err(AdminError::NotLoopback(_))));
}
