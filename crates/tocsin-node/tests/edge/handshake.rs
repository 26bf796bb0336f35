//! Who gets in, and who does not.

use std::sync::Arc;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::NamedGroup;
use tocsin_node::limits::ListenLimits;

use crate::world::{
    Ca, DE_NODE, Leaf, Pair, Served, US_NODE, World, client_hello_1_2, drain, send,
};

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

/// What is wrong, the certificate, and the alert it gets.
fn strangers(world: &World) -> Vec<(&'static str, Option<Pair>, &'static str)> {
    let stranger = Ca::new();
    let us_client = "spiffe://us.demo.example/client/a";
    vec![
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
    ]
}

#[tokio::test]
async fn only_certificates_that_their_own_members_ca_vouches_for_get_in() {
    let world = World::new();
    let served = world.serve(ListenLimits::default()).await;
    for (case, pair, alert) in strangers(&world) {
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
