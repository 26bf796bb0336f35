//! What attacks carry.

use std::sync::Arc;

use prost::Message as _;
use rustls::ClientConnection;
use tocsin_cli::keyfile;
use tocsin_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tocsin_log::cosign::Cosigner;
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::Purpose;
use tocsin_wire::proto::{peer, v1};

use crate::network::Network;
use crate::say;
use crate::tls::Target;

/// Bytes of one pattern, less than a message that asks may have.
const PATTERN_BYTES: usize = 60 * 1_024;

/// A whole ClientHello, as our clients send it.
pub(crate) fn client_hello(target: &Target) -> Vec<u8> {
    let config = Arc::new(target.config(None, b"h2"));
    let mut connection = ClientConnection::new(config, target.name()).expect("a client");
    let mut hello = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut hello).expect("bytes in memory");
    }
    hello
}

/// Three messages that make a reader compare for ever, if it can be made to: a filter for
/// watching, one for lists, a look-up.
pub(crate) fn patterns() -> [Vec<u8>; 3] {
    let term = "issuer = \"us\" AND ";
    let many = term.repeat(PATTERN_BYTES / term.len()) + "issuer = \"us\"";
    let nested = "(".repeat(PATTERN_BYTES / 2) + &"a{1000}".repeat(PATTERN_BYTES / 16);
    let watch = v1::WatchNoticesRequest {
        filter: many,
        ..v1::WatchNoticesRequest::default()
    };
    let list = v1::ListReportsRequest {
        filter: nested,
        ..v1::ListReportsRequest::default()
    };
    // A combining mark after each letter, which normalising has to put in order.
    let lookup = v1::LookupRequest {
        text: "a\u{301}\u{323}".repeat(PATTERN_BYTES / 5),
        ..v1::LookupRequest::default()
    };
    [
        watch.encode_to_vec(),
        list.encode_to_vec(),
        lookup.encode_to_vec(),
    ]
}

/// Asks for as much as there is at once.
pub(crate) fn longest_page() -> Vec<u8> {
    let ask = v1::ListReportsRequest {
        page_size: 500,
        ..v1::ListReportsRequest::default()
    };
    ask.encode_to_vec()
}

/// With what the node of `by` begins to follow.
pub(crate) fn hello(network: &Network, by: &str) -> Vec<u8> {
    let hello = peer::v1::Hello {
        protocol: 1,
        member: by.to_owned(),
        roster_sha256: network.alliance.genesis_hash().as_bytes().to_vec(),
        heads: Vec::new(),
    };
    let message = Some(peer::v1::follow_request::Message::Hello(hello));
    peer::v1::FollowRequest { message }.encode_to_vec()
}

/// A cosignature by `by`, with its own key, of a root that the log of `at` never had.
pub(crate) fn false_ack(network: &Network, at: &str, by: &str) -> Vec<u8> {
    let origin = &network.alliance.member(at).expect("a member").origin;
    let mirror = &network.alliance.member(by).expect("a member").origin;
    let file = network.member(by).home.keys().join("mirror.key");
    let key = keyfile::read_for(&file, Purpose::Mirror)
        .expect("a mirror key")
        .key;
    let checkpoint = Checkpoint {
        origin: origin.clone(),
        size: 1,
        root: Hash::of(b"never"),
    };
    let stranger = SigningKey::from_seed([7; 32]);
    let note = checkpoint.sign(&stranger).expect("a note").to_bytes();
    let signed = SignedCheckpoint::open(&note, origin, &stranger.public()).expect("its note");
    let now = u64::try_from(say::now_ms() / 1_000).unwrap_or_default();
    let mut cosigner = Cosigner::new(origin.clone(), &mirror.mirror_name(), None);
    let line = cosigner.decide(&signed, now).expect("a first cosignature");
    let ack = peer::v1::Ack {
        origin: origin.to_string(),
        size: 1,
        cosignature: line.sign(&key).to_line(),
    };
    let message = Some(peer::v1::follow_request::Message::Ack(ack));
    peer::v1::FollowRequest { message }.encode_to_vec()
}

/// A gzip file (RFC 1952) of so many zeros, in one block with fixed codes (RFC 1951): a zero, and
/// then copies of it, 258 at a time.
#[must_use]
pub fn gzip_of_zeros(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block; fixed codes.
    bits.put(0b011, 3);
    // Literal 0 is code 0x30 of eight bits, most significant first.
    bits.put(u32::from(0x30_u8.reverse_bits()), 8);
    for _ in 0..(length.saturating_sub(1)) / 258 {
        // Length 258 is code 285, 0xc5 of eight bits; distance 1 is code 0 of five.
        bits.put(u32::from(0xc5_u8.reverse_bits()), 8);
        bits.put(0, 5);
    }
    // The block's end is code 256: seven zeros.
    bits.put(0, 7);
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    // Checksum and length, which come when the damage is done.
    [&head[..], &bits.bytes, &[bits.last()], &[0; 8]].concat()
}

/// Bits, the least significant first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.pending |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.last());
            self.pending >>= 8;
            self.count -= 8;
        }
    }

    fn last(&self) -> u8 {
        u8::try_from(self.pending & 0xff).unwrap_or_default()
    }
}
