//! Our own certificate, and the one of whoever we dial.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use tocsin_node::dial::{DialError, Dialler};
use tocsin_node::limits::ListenLimits;
use tocsin_node::tls::{NodeTls, TlsError};
use tokio_rustls::TlsConnector;

use crate::world::{DE_NODE, Leaf, Pair, Served, US_NODE, World};

async fn leaf_of(served: &Served, world: &World) -> Vec<u8> {
    let tls = served
        .tls(world.client(Some(&world.us_client("a"))))
        .await
        .unwrap();
    tls.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_reload_changes_the_certificate_for_new_connections_only() {
    let world = World::new();
    let tls = Arc::new(world.node("us"));
    let served = world
        .serve_with(Arc::clone(&tls), ListenLimits::default())
        .await;
    let before = leaf_of(&served, &world).await;
    let mut old = served.h2(world.client(Some(&world.us_client("a")))).await;

    let fresh = Leaf {
        years: (2020, 2080),
        ..Leaf::good(&[US_NODE])
    };
    world.write("us", &world.us.issue(fresh));
    let facts = tls.reload().unwrap();
    assert!(facts.not_after_ms < 2_600_000_000_000 * 2);
    assert_eq!(facts, tls.certificate());
    assert_ne!(leaf_of(&served, &world).await, before);
    assert_eq!(
        old.call("/test.Echo/Who", &[])
            .await
            .grpc_status()
            .as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_reload_of_bad_files_keeps_the_old_certificate_and_says_why() {
    let world = World::new();
    let tls = Arc::new(world.node("us"));
    let served = world
        .serve_with(Arc::clone(&tls), ListenLimits::default())
        .await;
    let before = leaf_of(&served, &world).await;
    let good = world.us.issue(Leaf::good(&[US_NODE]));
    let other = world.us.issue(Leaf::good(&[US_NODE]));
    let expired = Leaf {
        years: (2001, 2002),
        ..Leaf::good(&[US_NODE])
    };
    let server_only = Leaf {
        usages: vec![ExtendedKeyUsagePurpose::ServerAuth],
        ..Leaf::good(&[US_NODE])
    };
    let cases = [
        (
            "another key",
            Pair {
                key: other.key,
                ..good.clone()
            },
            "do not belong together",
        ),
        (
            "no certificate",
            Pair {
                cert: String::new(),
                ..good.clone()
            },
            "no certificate",
        ),
        (
            "no key",
            Pair {
                key: "x".to_owned(),
                ..good
            },
            "it must hold PEM",
        ),
        (
            "a client's name",
            world.us_client("a"),
            "expected spiffe://us.demo.example/node",
        ),
        (
            "another CA",
            world.de.issue(Leaf::good(&[US_NODE])),
            "does not vouch",
        ),
        ("expired", world.us.issue(expired), "does not vouch"),
        (
            "not for dialling",
            world.us.issue(server_only),
            "does not vouch",
        ),
    ];
    for (case, pair, why) in cases {
        world.write("us", &pair);
        let error = tls.reload().unwrap_err().to_string();
        assert!(error.contains(why), "{case}: {error}");
        assert_eq!(leaf_of(&served, &world).await, before, "{case}");
    }
}

#[tokio::test]
async fn a_node_goes_on_only_with_the_member_it_dialled() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let de = world.node("de");
    let address = served.address.to_string();

    let channel = Dialler::new(&de, "us", &address)
        .unwrap()
        .connect()
        .await
        .unwrap();
    drop(channel);
    assert!(matches!(
        Dialler::new(&de, "fr", &address),
        Err(DialError::Tls(TlsError::NotInAlliance { .. }))
    ));
    assert!(matches!(
        Dialler::new(&de, "us", "nowhere"),
        Err(DialError::BadAddress { .. })
    ));

    let as_de = Dialler::new(&de, "de", &address)
        .unwrap()
        .connect()
        .await
        .unwrap_err();
    let said = format!("{as_de:?}");
    assert!(said.contains("NotOurName"), "{said}");
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn a_client_of_the_dialled_member_is_not_its_node() {
    let world = World::new();
    let de = world.node("de");
    let pair = world.us_client("evil");
    let mut config = rustls::ServerConfig::builder_with_provider(tocsin_node::tls::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certs(&pair), key(&pair))
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let server = tokio::spawn(async move {
        let (socket, _) = tcp.accept().await.unwrap();
        acceptor.accept(socket).await.is_err()
    });
    let name = rustls::pki_types::ServerName::try_from("us.demo.example").unwrap();
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let connector = TlsConnector::from(de.client("us").unwrap());
    let error = connector
        .connect(name, socket)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("NotOurName"), "{error}");
    assert!(server.await.unwrap());
}

fn certs(pair: &Pair) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::pem_slice_iter(pair.cert.as_bytes())
        .collect::<Result<_, _>>()
        .unwrap()
}

fn key(pair: &Pair) -> rustls::pki_types::PrivateKeyDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap()
}

#[tokio::test]
async fn a_node_starts_only_with_its_own_certificate() {
    let world = World::new();
    let files = world.write("x", &world.de.issue(Leaf::good(&[DE_NODE])));
    let error = NodeTls::load(files.clone(), "us", world.trust()).unwrap_err();
    assert!(matches!(error, TlsError::NotOurName { .. }), "{error}");
    assert!(matches!(
        NodeTls::load(files, "fr", world.trust()),
        Err(TlsError::NotInAlliance { .. })
    ));
}
