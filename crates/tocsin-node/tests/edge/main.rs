//! The edge over real sockets with real certificates: who gets in, who does not, and that the
//! node serves the next one all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::large_futures,
    unreachable_pub,
    reason = "a test that cannot go on should stop; nobody calls its helpers"
)]

mod admin;
mod world;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::ExtendedKeyUsagePurpose;
use rustls::NamedGroup;
use tocsin_node::dial::{DialError, Dialler};
use tocsin_node::limits::{ListenLimits, MAX_CONCURRENT_STREAMS};
use tocsin_node::tls::{NodeTls, TlsError};
use tokio_rustls::TlsConnector;

use world::{Ca, DE_NODE, Leaf, PATIENCE, Pair, Served, US_NODE, World, drain, send};

/// Limits that a test can wait for.
fn short() -> ListenLimits {
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

#[tokio::test]
async fn plaintext_on_the_tls_port_is_closed_without_an_echo() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    for hello in [
        &b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut tcp = served.tcp().await;
        send(&mut tcp, hello).await;
        let (bytes, _) = drain(&mut tcp).await;
        // At most a TLS alert, which is a record of seven bytes; never what was sent.
        assert!(
            bytes.is_empty() || (bytes.len() == 7 && bytes[0] == 21),
            "{bytes:?}"
        );
    }
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn tls_1_2_is_refused_with_protocol_version() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let mut tcp = served.tcp().await;
    send(&mut tcp, &client_hello_1_2()).await;
    let (bytes, _) = drain(&mut tcp).await;
    assert_eq!(bytes, [21, 3, 3, 0, 2, 2, 70]);
    assert!(served.serves(&world).await);
}

/// A ClientHello as in RFC 5246: no `supported_versions`, an ECDHE suite, two extensions.
fn client_hello_1_2() -> Vec<u8> {
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

/// What the server says to a client with this certificate: the alert, as rustls names it.
async fn verdict(world: &World, served: &Served, pair: Option<&Pair>) -> String {
    let error = match served.tls(world.client(pair)).await {
        Err(error) => error,
        Ok(mut tls) => {
            let (bytes, end) = drain(&mut tls).await;
            assert!(bytes.is_empty(), "the server spoke to a stranger");
            end.expect_err("the connection ended without an alert")
        }
    };
    assert!(served.serves(world).await);
    error.to_string()
}

#[tokio::test]
async fn only_certificates_that_their_own_members_ca_vouches_for_get_in() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let stranger = Ca::new();
    let us_client = "spiffe://us.demo.example/client/a";
    let cases: [(&str, Option<Pair>, &str); 10] = [
        ("no certificate", None, "CertificateRequired"),
        (
            "unknown CA",
            Some(stranger.issue(Leaf::good(&[us_client]))),
            "UnknownCA",
        ),
        (
            "expired",
            Some(world.us.issue(Leaf {
                years: (2001, 2002),
                ..Leaf::good(&[us_client])
            })),
            "CertificateExpired",
        ),
        (
            "not yet valid",
            Some(world.us.issue(Leaf {
                years: (2088, 2090),
                ..Leaf::good(&[us_client])
            })),
            "CertificateExpired",
        ),
        (
            "another member's domain",
            Some(world.de.issue(Leaf::good(&[US_NODE]))),
            "UnknownCA",
        ),
        (
            "a domain of nobody",
            Some(
                world
                    .us
                    .issue(Leaf::good(&["spiffe://fr.demo.example/node"])),
            ),
            "CertificateUnknown",
        ),
        (
            "wrong EKU",
            Some(world.us.issue(Leaf {
                usages: vec![ExtendedKeyUsagePurpose::ServerAuth],
                ..Leaf::good(&[us_client])
            })),
            "CertificateUnknown",
        ),
        (
            "no EKU",
            Some(world.us.issue(Leaf {
                usages: Vec::new(),
                ..Leaf::good(&[us_client])
            })),
            "CertificateUnknown",
        ),
        (
            "no URI",
            Some(world.us.issue(Leaf::good(&[]))),
            "CertificateUnknown",
        ),
        (
            "two URIs",
            Some(world.us.issue(Leaf::good(&[us_client, DE_NODE]))),
            "CertificateUnknown",
        ),
    ];
    for (case, pair, alert) in cases {
        let said = verdict(&world, &served, pair.as_ref()).await;
        assert!(said.contains(alert), "{case}: {said}");
    }
    assert_eq!(served.refused("no_certificate"), 1);
    assert_eq!(served.refused("bad_certificate"), 9);
}

#[tokio::test]
async fn each_peer_is_who_its_certificate_says() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let cases = [
        (world.us_client("zoll-1"), "us/client/zoll-1"),
        (
            world
                .de
                .issue(Leaf::good(&["spiffe://de.demo.example/client/b"])),
            "de/client/b",
        ),
        (world.de.issue(Leaf::good(&[DE_NODE])), "de/node"),
    ];
    for (pair, name) in cases {
        let mut peer = served.h2(world.client(Some(&pair))).await;
        let answer = peer.call("/test.Echo/Who", &[]).await;
        assert_eq!(String::from_utf8(answer.body).unwrap(), name);
    }
}

#[tokio::test]
async fn http_1_1_gets_no_answer() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let pair = world.us_client("a");
    for alpn in [vec![], vec![b"h2".to_vec()]] {
        let mut config = world.client(Some(&pair));
        config.alpn_protocols = alpn;
        let mut tls = served.tls(config).await.unwrap();
        send(&mut tls, b"POST /test.Echo/Who HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let (bytes, _) = drain(&mut tls).await;
        assert!(!bytes.windows(4).any(|four| four == b"HTTP"), "{bytes:?}");
    }
    let mut config = world.client(Some(&pair));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let error = served.tls(config).await.unwrap_err().to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn the_negotiated_group_is_post_quantum_and_classical_still_works() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let config = world.client(Some(&world.us_client("a")));
    let tls = served.tls(config).await.unwrap();
    let group = tls.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519MLKEM768);
    assert_eq!(
        tls.get_ref().1.protocol_version(),
        Some(rustls::ProtocolVersion::TLSv1_3)
    );

    let mut provider = (*tocsin_node::tls::provider()).clone();
    provider
        .kx_groups
        .retain(|group| group.name() == NamedGroup::X25519);
    let mut config = world.client(Some(&world.us_client("a")));
    config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer))
        .with_client_cert_resolver(Arc::clone(&config.client_auth_cert_resolver));
    config.alpn_protocols = vec![b"h2".to_vec()];
    let tls = served.tls(config).await.unwrap();
    let group = tls.get_ref().1.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), NamedGroup::X25519);
}

/// Accepts any server: what is tested is the server's side.
#[derive(Debug)]
struct AnyServer;

impl rustls::client::danger::ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _end_entity: &rustls::pki_types::CertificateDer<'_>,
        _intermediates: &[rustls::pki_types::CertificateDer<'_>],
        _server_name: &rustls::pki_types::ServerName<'_>,
        _ocsp_response: &[u8],
        _now: rustls::pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        unreachable!("TLS 1.3 only")
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &rustls::pki_types::CertificateDer<'_>,
        _dss: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        tocsin_node::tls::provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

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

#[tokio::test]
async fn a_handshake_that_does_not_come_is_closed_at_its_timeout() {
    let world = World::new();
    let served = world.serve(short()).await;
    let start = Instant::now();
    let mut silent = served.tcp().await;
    let mut slow = served.tcp().await;
    let trickle = tokio::spawn(async move {
        for byte in client_hello_1_2().into_iter().take(40) {
            use tokio::io::AsyncWriteExt;
            if slow.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drain(&mut slow).await;
    });
    let (bytes, _) = drain(&mut silent).await;
    assert!(bytes.is_empty());
    assert!(
        start.elapsed() >= Duration::from_millis(290),
        "{:?}",
        start.elapsed()
    );
    assert!(served.serves(&world).await);
    trickle.await.unwrap();
    assert_eq!(served.refused("handshake_timeout"), 2);
}

#[tokio::test]
async fn a_peer_that_falls_silent_after_the_handshake_is_cut() {
    let world = World::new();
    let served = world.serve(short()).await;
    let mut tls = served
        .tls(world.client(Some(&world.us_client("a"))))
        .await
        .unwrap();
    drain(&mut tls).await;
    assert_eq!(served.refused("no_preface"), 1);

    let mut tls = served
        .tls(world.client(Some(&world.us_client("a"))))
        .await
        .unwrap();
    send(
        &mut tls,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    )
    .await;
    drain(&mut tls).await;
    assert_eq!(served.refused("read_idle"), 1);
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_cut_and_others_are_not() {
    let world = World::new();
    let limits = ListenLimits {
        read_idle: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1_000);
    let config = world.client(Some(&world.us_client("slow")));
    let mut slow = served.h2_with(config, builder).await;
    let mut good = served
        .h2(world.client(Some(&world.us_client("good"))))
        .await;
    let response = slow
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    let ended = tokio::time::timeout(PATIENCE, slow.connection).await;
    assert!(
        ended.is_ok(),
        "the connection of the slow reader stayed open"
    );
    drop(response);
    assert_eq!(served.refused("write_stalled"), 1);
    assert_eq!(
        good.call("/test.Echo/Who", &[])
            .await
            .grpc_status()
            .as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_name_has_only_so_many_connections() {
    let world = World::new();
    let served = world
        .serve(ListenLimits {
            per_name: 2,
            ..ListenLimits::default()
        })
        .await;
    let pair = world.us_client("a");
    let one = served.h2(world.client(Some(&pair))).await;
    let mut two = served.h2(world.client(Some(&pair))).await;
    two.call("/test.Echo/Who", &[]).await;
    let mut three = served.tls(world.client(Some(&pair))).await.unwrap();
    drain(&mut three).await;
    assert_eq!(served.refused("too_many_of_name"), 1);
    assert!(
        served.serves(&world).await,
        "another name of the member still gets in"
    );

    drop(one.send);
    one.connection.await.unwrap();
    let open = || served.metrics.connections.get();
    tokio::time::timeout(PATIENCE, async {
        while open() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    let mut again = served.h2(world.client(Some(&pair))).await;
    assert_eq!(
        again
            .call("/test.Echo/Who", &[])
            .await
            .grpc_status()
            .as_deref(),
        Some("0")
    );
}

#[tokio::test]
async fn a_late_answer_is_deadline_exceeded_with_our_reason() {
    let world = World::new();
    let served = world.serve(short()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    for timeout in ["1n", "50m", "99999999H", "abc"] {
        let answer = peer
            .call("/test.Echo/Never", &[("grpc-timeout", timeout)])
            .await;
        assert_eq!(answer.grpc_status().as_deref(), Some("4"), "{timeout}");
        let status = tonic::Status::from_header_map(&answer.headers).unwrap();
        let info = tonic_types::StatusExt::get_details_error_info(&status).unwrap();
        assert_eq!(
            (info.domain.as_str(), info.reason.as_str()),
            ("tocsin", "DEADLINE_EXCEEDED")
        );
    }
    assert!(served.serves(&world).await);
}

#[tokio::test]
async fn what_is_not_grpc_is_not_dispatched() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    for kind in ["text/html", "application/json", "application/grpcx"] {
        let answer = peer.call("/test.Echo/Who", &[("content-type", kind)]).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body.len()),
            (415, 0),
            "{kind}"
        );
    }
    let answer = peer.call("/test.Echo/Nothing", &[]).await;
    assert_eq!(answer.grpc_status().as_deref(), Some("12"));
}

#[tokio::test]
async fn headers_beyond_the_limit_and_streams_beyond_the_limit_are_refused() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let answer = peer
        .start("/test.Echo/Who", &[("x-long", &"x".repeat(65_536))])
        .await;
    // Reset or 431: which of the two is up to the HTTP/2 library.
    let refused = match answer {
        Err(_) => true,
        Ok(answer) => answer
            .await
            .map_or(true, |answer| answer.status().as_u16() == 431),
    };
    assert!(refused);
    assert!(served.serves(&world).await);

    let mut peer = served.h2(world.client(Some(&world.us_client("b")))).await;
    peer.call("/test.Echo/Who", &[]).await;
    let most = usize::try_from(MAX_CONCURRENT_STREAMS).unwrap();
    assert_eq!(peer.send.current_max_send_streams(), most);
}

#[tokio::test]
async fn a_stop_ends_streams_after_the_time_to_say_goodbye() {
    let world = World::new();
    let limits = ListenLimits {
        write_stall: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let stream = peer
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    served.stop.cancel();
    tokio::time::timeout(PATIENCE, served.task)
        .await
        .unwrap()
        .unwrap();
    drop(stream);
}

#[tokio::test]
async fn an_old_connection_is_told_to_go_and_then_cut() {
    let world = World::new();
    let limits = ListenLimits {
        age: Duration::from_millis(200),
        goodbye: Duration::from_millis(200),
        write_stall: PATIENCE,
        ..short()
    };
    let served = world.serve(limits).await;
    let mut peer = served.h2(world.client(Some(&world.us_client("a")))).await;
    let stream = peer
        .start("/test.Echo/Flood", &[])
        .await
        .unwrap()
        .await
        .unwrap();
    tokio::time::timeout(PATIENCE, peer.connection)
        .await
        .unwrap()
        .unwrap();
    drop(stream);
    assert_eq!(served.refused("old"), 1);
}
