//! Rows: what is sent, by whom, and what must come back.

use std::future::Future;
use std::pin::Pin;

use crate::socket::Pair;
use crate::world::World;

/// One line of the table.
pub struct Row {
    /// The case.
    pub number: u16,
    /// What is sent, in words.
    pub sent: &'static str,
    /// The outcome: `closed`, `alert NAME`, `http STATUS`, or the gRPC code and the reason. What
    /// the node adds about the field is not compared unless it stands here.
    pub expected: &'static str,
    /// Entries by which the log grows: none for whatever is refused.
    pub grows: u64,
    /// How it is sent.
    pub deed: Deed,
}

/// How a row acts on the node.
pub enum Deed {
    /// These bytes on the bare TCP port.
    Tcp(Vec<u8>),
    /// A TLS handshake with this certificate and protocol, then these bytes.
    Tls {
        pair: Option<Pair>,
        alpn: &'static [u8],
        then: &'static [u8],
    },
    /// Requests of one kind, one after another; all must get the same answer.
    Call(Call),
    /// Something that needs more than one message; it says how it went.
    Do(Act),
}

/// A scripted exchange with the node.
pub type Act = for<'a> fn(&'a World) -> Acting<'a>;
/// What it becomes.
pub type Acting<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A client of the node's own member.
    Home,
    /// A client of another member.
    Foreign,
    /// Another member's node.
    Node,
}

/// A gRPC method and what it is called with.
pub struct Call {
    pub caller: Caller,
    pub path: &'static str,
    pub headers: Vec<(&'static str, &'static str)>,
    /// Length-prefixed messages, one request each.
    pub framed: Vec<Vec<u8>>,
}

pub const SUBMIT: &str = "/tocsin.v1.SubmitService/Submit";
pub const FOLLOW: &str = "/tocsin.peer.v1.PeerService/Follow";

impl Row {
    pub fn new(number: u16, sent: &'static str, expected: &'static str, deed: Deed) -> Self {
        Self {
            number,
            sent,
            expected,
            grows: 0,
            deed,
        }
    }

    /// A submission by a client at home.
    pub fn submit(
        number: u16,
        sent: &'static str,
        expected: &'static str,
        request: &tocsin_wire::proto::v1::SubmitRequest,
    ) -> Self {
        Self::call(number, sent, expected, Caller::Home, SUBMIT, request)
    }

    /// One message to one method.
    pub fn call(
        number: u16,
        sent: &'static str,
        expected: &'static str,
        caller: Caller,
        path: &'static str,
        message: &impl prost::Message,
    ) -> Self {
        Self::raw(
            number,
            sent,
            expected,
            caller,
            path,
            &message.encode_to_vec(),
        )
    }

    /// Any bytes as a message.
    pub fn raw(
        number: u16,
        sent: &'static str,
        expected: &'static str,
        caller: Caller,
        path: &'static str,
        message: &[u8],
    ) -> Self {
        let framed = vec![crate::bytes::frame(message)];
        let call = Call {
            caller,
            path,
            headers: Vec::new(),
            framed,
        };
        Self::new(number, sent, expected, Deed::Call(call))
    }

    /// With a log that grows.
    pub fn growing(mut self, by: u64) -> Self {
        self.grows = by;
        self
    }
}

/// Whether an outcome is the expected one, the field it names aside.
pub fn fits(expected: &str, outcome: &str) -> bool {
    let rest = outcome.strip_prefix(expected);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" at "))
}
