//! A collector of spans, as a server of ours.

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say;
use tocsin_wire::proto::v1::ListMembersRequest;
use tocsin_wire::proto::v1::roster_service_client::RosterServiceClient;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

use crate::BINARY;

struct Collector(mpsc::UnboundedSender<ExportTraceServiceRequest>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        // The test may be over already.
        let _ = self.0.send(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_spans_that_name_methods_and_never_what_was_said() {
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let (collector, mut collected) = mpsc::unbounded_channel();
    let server = Server::builder()
        .add_service(TraceServiceServer::new(Collector(collector)))
        .serve_with_incoming(TcpListenerStream::new(tcp));
    tokio::spawn(server);

    let mut network = Network::found(BINARY, &["us"]);
    network.set("us", "TOCSIN_TRACE_OTLP", &format!("http://{address}"));
    network.run("us");
    network.ready("us").await;
    let channel = network.channel("us").await;
    let mut roster = RosterServiceClient::new(channel.clone());
    roster.list_members(ListMembersRequest {}).await.unwrap();
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&channel).await.unwrap();
    drop((roster, channel));
    // What waits is sent when the node ends.
    network.stop("us");

    let (mut names, mut all) = (Vec::new(), String::new());
    let wanted = [
        "tocsin.v1.RosterService/ListMembers",
        "tocsin.v1.SubmitService/Submit",
    ];
    while !wanted.iter().all(|name| names.iter().any(|n| n == name)) {
        let batch = tokio::time::timeout(PATIENCE, collected.recv()).await;
        let batch = batch
            .unwrap_or_else(|_| panic!("only {names:?} came"))
            .unwrap();
        all.push_str(&format!("{batch:?}"));
        let scopes = batch.resource_spans.iter().flat_map(|one| &one.scope_spans);
        names.extend(
            scopes
                .flat_map(|scope| &scope.spans)
                .map(|span| span.name.clone()),
        );
    }
    assert!(all.contains("rpc.grpc.status_code"), "{all}");
    for said in ["copied lamps", "i-1"] {
        assert!(!all.contains(said), "{said} is in a span: {all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_no_request() {
    let mut network = Network::found(BINARY, &["us"]);
    network.set("us", "TOCSIN_TRACE_OTLP", "http://127.0.0.1:9");
    network.run("us");
    network.ready("us").await;
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&network.channel("us").await).await.unwrap();
    network.stop("us");
}
