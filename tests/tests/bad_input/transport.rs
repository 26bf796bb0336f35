//! Cases 1 to 31: sockets, certificates, framing.

use std::fs;

use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use tocsin_wire::proto::{peer, v1};

use crate::bytes;
use crate::socket::{Leaf, Pair, issue};
use crate::table::{Call, Caller, Deed, FOLLOW, Row, SUBMIT};
use crate::world::{World, pair};

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = sockets(world);
    rows.extend(certificates(world));
    rows.extend(identities(world));
    rows.extend(framing());
    rows
}

fn sockets(world: &World) -> Vec<Row> {
    let http: &[u8] = b"POST /tocsin.v1.SubmitService/Submit HTTP/1.1\r\nhost: x\r\n\r\n";
    let home = pair(&world.network, Caller::Home);
    let tls = |sent, expected, alpn, then| {
        let pair = Some(home.clone());
        Row::new(13, sent, expected, Deed::Tls { pair, alpn, then })
    };
    vec![
        // The alert is 10, unexpected_message, or 50, decode_error (RFC 8446 section 6.2).
        Row::new(
            1,
            "HTTP/1.1 without TLS",
            "alert 50",
            Deed::Tcp(http.to_vec()),
        ),
        Row::new(
            1,
            "HTTP/2 without TLS",
            "alert 50",
            Deed::Tcp(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ),
        Row::new(
            2,
            "TLS 1.2 only: protocol_version",
            "alert 70",
            Deed::Tcp(client_hello_1_2()),
        ),
        tls("HTTP/1.1 inside TLS", "closed", b"h2".as_slice(), http),
        tls(
            "HTTP/1.1 agreed on",
            "alert NoApplicationProtocol",
            b"http/1.1",
            http,
        ),
    ]
}

/// Certificates that no handshake survives.
fn certificates(world: &World) -> Vec<Row> {
    let domain = world.target.domain.as_str();
    let uri = format!("spiffe://{domain}/client/desk-1");
    let uris = [uri.as_str()];
    let de = ca_key(world, "de");
    let own = |leaf| Some(issue(domain, Some(&de), leaf));
    let row = |number, sent, expected, pair: Option<Pair>| {
        let (alpn, then) = (b"h2".as_slice(), b"".as_slice());
        Row::new(number, sent, expected, Deed::Tls { pair, alpn, then })
    };
    let years = |years| Leaf {
        years,
        ..Leaf::good(&uris)
    };
    let usages = |usages| Leaf {
        usages,
        ..Leaf::good(&uris)
    };
    let unknown = "alert CertificateUnknown";
    let expired = "alert CertificateExpired";
    let nobody = "spiffe://fr.test.tocsin.example/node";
    let us_node = "spiffe://us.test.tocsin.example/node";
    let stranger = Some(issue(domain, None, Leaf::good(&uris)));
    vec![
        row(3, "no certificate", "alert CertificateRequired", None),
        row(
            4,
            "a certificate by an unknown CA",
            "alert UnknownCA",
            stranger,
        ),
        row(
            5,
            "an expired certificate",
            expired,
            own(years((2001, 2002))),
        ),
        row(5, "one not valid yet", expired, own(years((2088, 2090)))),
        row(
            9,
            "a server's certificate",
            unknown,
            own(usages(vec![ServerAuth])),
        ),
        row(9, "one for no use", unknown, own(usages(Vec::new()))),
        row(9, "one without our name", unknown, own(Leaf::good(&[]))),
        row(
            9,
            "one with two of our names",
            unknown,
            own(Leaf::good(&[&uri, us_node])),
        ),
        row(9, "a name of nobody's", unknown, own(Leaf::good(&[nobody]))),
        row(
            9,
            "another member's name",
            "alert UnknownCA",
            own(Leaf::good(&[us_node])),
        ),
    ]
}

fn ca_key(world: &World, member: &str) -> String {
    fs::read_to_string(world.network.member(member).home.ca_key()).unwrap()
}

/// Good certificates that claim what is not theirs.
fn identities(world: &World) -> Vec<Row> {
    let hello = |member: &str| {
        let hello = peer::v1::Hello {
            protocol: 1,
            member: member.to_owned(),
            roster_sha256: world.network.alliance.genesis_hash().as_bytes().to_vec(),
            heads: Vec::new(),
        };
        let message = Some(peer::v1::follow_request::Message::Hello(hello));
        peer::v1::FollowRequest { message }
    };
    let submit = world.issued.request();
    vec![
        Row::call(
            8,
            "the node of jp says it is us",
            "PermissionDenied WRONG_MEMBER",
            Caller::Node,
            FOLLOW,
            &hello("us"),
        ),
        Row::call(
            8,
            "a client says it is a node",
            "PermissionDenied NODE_ONLY",
            Caller::Home,
            FOLLOW,
            &hello("de"),
        ),
        Row::call(
            8,
            "a client of us submits here",
            "PermissionDenied HOME_ONLY",
            Caller::Foreign,
            SUBMIT,
            &submit,
        ),
        Row::call(
            8,
            "a node submits",
            "PermissionDenied HOME_ONLY",
            Caller::Node,
            SUBMIT,
            &submit,
        ),
    ]
}

fn framing() -> Vec<Row> {
    let call = |number, sent, expected, path, headers, framed: &[u8]| {
        let call = Call {
            caller: Caller::Home,
            path,
            headers,
            framed: vec![framed.to_vec()],
        };
        Row::new(number, sent, expected, Deed::Call(call))
    };
    let empty = bytes::frame(&[]);
    let method = |sent, path| call(29, sent, "Unimplemented", path, Vec::new(), &empty);
    let kind = |kind| {
        call(
            30,
            kind,
            "http 415",
            SUBMIT,
            vec![("content-type", kind)],
            &empty,
        )
    };
    let claims = |sent, length: u32| {
        let framed = [&[0], &length.to_be_bytes()[..]].concat();
        call(31, sent, "OutOfRange", SUBMIT, Vec::new(), &framed)
    };
    // An entry at the door, its body, the framing.
    let limit = 16_384 + 256 * 1_024 + 8 * 1_024;
    let log = "x".repeat(100_000);
    vec![
        method("an unknown method", "/tocsin.v1.SubmitService/Nothing"),
        method("an unknown service", "/tocsin.v9.NoService/Submit"),
        kind("text/html"),
        kind("application/json"),
        claims("a prefix of 4 GiB", u32::MAX),
        claims("one byte over the limit", limit + 1),
        Row::call(
            31,
            "a question of 100 kB",
            "OutOfRange",
            Caller::Home,
            "/tocsin.v1.LogService/GetCheckpoint",
            &v1::GetCheckpointRequest { log },
        ),
    ]
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
