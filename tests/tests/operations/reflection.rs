//! A client without `.proto` files asks what is served.

use std::collections::BTreeSet;

use prost::Message;
use prost_types::FileDescriptorProto;
use tocsin_cli::connect::connect_admin;
use tocsin_tests::network::Network;
use tonic::transport::Channel;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::BINARY;

async fn ask(channel: &Channel, question: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(question),
    };
    let mut client = ServerReflectionClient::new(channel.clone());
    let answers = client.server_reflection_info(tokio_stream::once(request));
    let mut answers = answers.await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap();
    answer.message_response.unwrap()
}

async fn services(channel: &Channel) -> BTreeSet<String> {
    let listed = ask(channel, MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(listed) = listed else {
        panic!("{listed:?}")
    };
    listed.service.into_iter().map(|one| one.name).collect()
}

/// Every service that `proto/` states.
fn stated() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(tocsin_wire::proto::DESCRIPTORS).unwrap();
    let named = |file: &FileDescriptorProto| {
        let package = file.package().to_owned();
        let services = file.service.iter();
        services
            .map(|service| format!("{package}.{}", service.name()))
            .collect::<Vec<_>>()
    };
    set.file.iter().flat_map(named).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_which_services_it_serves_and_how_they_are_called() {
    let network = Network::start(BINARY, &["us"]).await;
    let channel = network.channel("us").await;
    let admin_address = format!("http://127.0.0.1:{}", network.member("us").admin_port);
    let admin = connect_admin(&admin_address).await.unwrap();

    let mut served = services(&channel).await;
    served.extend(services(&admin).await);
    let others = [
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
    ];
    let others = others.map(str::to_owned);
    let expected: BTreeSet<String> = stated().into_iter().chain(others).collect();
    assert_eq!(served, expected);

    let symbol = MessageRequest::FileContainingSymbol("tocsin.v1.SubmitService".to_owned());
    let MessageResponse::FileDescriptorResponse(found) = ask(&channel, symbol).await else {
        panic!("no file")
    };
    let file = FileDescriptorProto::decode(found.file_descriptor_proto[0].as_slice()).unwrap();
    let methods: Vec<&str> = file.service[0].method.iter().map(|m| m.name()).collect();
    assert!(methods.contains(&"Submit"), "{methods:?}");
    let unknown = MessageRequest::FileContainingSymbol("tocsin.v1.NoSuchService".to_owned());
    let mut client = ServerReflectionClient::new(channel);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(unknown),
    };
    let answers = client.server_reflection_info(tokio_stream::once(request));
    let ended = answers.await.unwrap().into_inner().message().await;
    assert!(ended.is_err(), "{ended:?}");
}
