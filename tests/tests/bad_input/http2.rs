//! Cases 14 to 42 that no HTTP/2 library would send: frames and framing by hand.

use prost::Message as _;
use tocsin_tests::attack::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW, PREFACE,
    RST_STREAM, SETTINGS, call, frame, head, headers, literal, nth, opening, reset, settings,
    window,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::bytes;
use crate::socket::PATIENCE;
use crate::table::{Acting, Call, Caller, Deed, Row, SUBMIT};
use crate::world::{World, pair};

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = connections();
    rows.extend(streams());
    rows.extend(prefixes(world));
    rows.extend(compressed(world));
    rows.extend(headings(world));
    rows
}

const CALM: &str = "goaway ENHANCE_YOUR_CALM";

fn act(number: u16, sent: &'static str, expected: &'static str, act: crate::table::Act) -> Row {
    Row::new(number, sent, expected, Deed::Do(act))
}

fn connections() -> Vec<Row> {
    vec![
        // The preface is read before HTTP/2 begins, so there is nobody to say GOAWAY yet.
        act(14, "a bad preface", "closed", |world| {
            Box::pin(verdict(world, b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec()))
        }),
        // RFC 9113 section 6.5.2 says FLOW_CONTROL_ERROR; the library ends it by the wider name.
        act(15, "a window of 2^31", "goaway PROTOCOL_ERROR", |world| {
            let too_wide = settings(&[(INITIAL_WINDOW, 1 << 31)]);
            Box::pin(verdict(world, [PREFACE, &too_wide].concat()))
        }),
        act(
            24,
            "a window wider by 0",
            "goaway PROTOCOL_ERROR",
            |world| Box::pin(verdict(world, [opening(&[]), window(0, 0)].concat())),
        ),
        act(
            24,
            "a window over 2^31-1",
            "goaway FLOW_CONTROL_ERROR",
            |world| {
                Box::pin(verdict(
                    world,
                    [opening(&[]), window(0, 0x7fff_ffff)].concat(),
                ))
            },
        ),
        act(16, "40 requests, each reset", CALM, |world| {
            Box::pin(goodbye(world, ended(world, 40, reset)))
        }),
        act(17, "140 requests in error, reset by us", CALM, |world| {
            let too_wide = |stream| window(stream, 0x7fff_ffff);
            Box::pin(goodbye(world, ended(world, 140, too_wide)))
        }),
        act(
            28,
            "a ninth connection of one name",
            "8 open, the ninth closed",
            ninth,
        ),
    ]
}

fn streams() -> Vec<Row> {
    vec![
        // A stream's error that the library takes for the connection's (RFC 9113 section 5.4.1).
        act(
            24,
            "a stream's window wider by 0",
            "goaway PROTOCOL_ERROR",
            |world| {
                let more = window(nth(0), 0);
                Box::pin(verdict(world, [begun(world, 1), more].concat()))
            },
        ),
        act(
            24,
            "a stream's window over 2^31-1",
            "reset FLOW_CONTROL_ERROR",
            |world| {
                let more = window(nth(0), 0x7fff_ffff);
                Box::pin(verdict(world, [begun(world, 1), more].concat()))
            },
        ),
        act(27, "a 65th stream", "reset REFUSED_STREAM", |world| {
            Box::pin(verdict(world, begun(world, 65)))
        }),
        act(19, "a header list of 64 KiB", "goaway or 431", long_headers),
        act(42, "a path twice", "reset PROTOCOL_ERROR", |world| {
            let block = [call(&world.target.domain, SUBMIT), literal(":path", SUBMIT)].concat();
            let request = headers(nth(0), END_STREAM, &block);
            Box::pin(verdict(world, [opening(&[]), request].concat()))
        }),
        act(42, "a user agent of 10 KiB", "goaway or 431", |world| {
            let agent = literal("user-agent", &"x".repeat(10 * 1_024));
            let block = [call(&world.target.domain, SUBMIT), agent].concat();
            let request = headers(nth(0), END_STREAM, &block);
            Box::pin(refused(world, [opening(&[]), request].concat()))
        }),
    ]
}

/// A submission by a client at home, framed by hand.
fn submitting(
    number: u16,
    sent: &'static str,
    expected: &'static str,
    headers: Vec<(&'static str, &'static str)>,
    framed: Vec<u8>,
) -> Row {
    let call = Call {
        caller: Caller::Home,
        path: SUBMIT,
        headers,
        framed: vec![framed],
    };
    Row::new(number, sent, expected, Deed::Call(call))
}

/// A message behind any flag.
fn flagged(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut framed = bytes::frame(message);
    framed[0] = flag;
    framed
}

/// Nothing compressed is taken at all, so no bomb is ever opened.
fn compressed(world: &World) -> Vec<Row> {
    let good = world.issued.request().encode_to_vec();
    let bomb = tocsin_tests::attack::bomb(12 * 1_024 * 1_024);
    let mut corrupt = bomb.clone();
    corrupt[20] ^= 0xff;
    let row = |number, sent, coding, message: &[u8]| {
        let coding = vec![("grpc-encoding", coding)];
        submitting(number, sent, "Unimplemented", coding, flagged(1, message))
    };
    vec![
        row(35, "compressed by br", "br", &good),
        row(36, "12 MiB in 80 KiB", "gzip", &bomb),
        row(37, "a broken gzip", "gzip", &corrupt),
    ]
}

/// Message framing, by libraries' own rules: they are pinned as they are.
fn prefixes(world: &World) -> Vec<Row> {
    let good = world.issued.request().encode_to_vec();
    let call =
        |number, sent, expected, framed| submitting(number, sent, expected, Vec::new(), framed);
    let mut cut = bytes::frame(&good);
    cut.truncate(100);
    let twice = [bytes::frame(&good), bytes::frame(&good)].concat();
    vec![
        call(
            33,
            "compressed, and not said how",
            "Internal",
            flagged(1, &good),
        ),
        call(34, "flag 7", "Internal", flagged(7, &good)),
        // The first is taken; the library reads to the end and lets the others go.
        call(38, "two messages where one belongs", "Ok", twice),
        call(38, "no message at all", "Internal", Vec::new()),
        call(39, "a message that ends before its end", "Internal", cut),
    ]
}

fn headings(world: &World) -> Vec<Row> {
    let good = world.issued.request().encode_to_vec();
    let call = |number, sent, expected, name, value| {
        submitting(
            number,
            sent,
            expected,
            vec![(name, value)],
            bytes::frame(&good),
        )
    };
    let late = "DeadlineExceeded DEADLINE_EXCEEDED";
    vec![
        call(40, "a deadline of 1 ns", late, "grpc-timeout", "1n"),
        call(41, "one of 11,000 years", "Ok", "grpc-timeout", "99999999H"),
        call(41, "one that is none", "Ok", "grpc-timeout", "abc"),
        // No method reads metadata, so none is decoded.
        call(
            42,
            "binary metadata that is not base64",
            "Ok",
            "x-tocsin-bin",
            "%%%",
        ),
    ]
}

/// So many submissions begun on one connection, none of which goes on.
fn begun(world: &World, count: u32) -> Vec<u8> {
    let block = call(&world.target.domain, SUBMIT);
    let requests = (0..count).flat_map(|n| headers(nth(n), 0, &block));
    opening(&[]).into_iter().chain(requests).collect()
}

fn long_headers(world: &World) -> Acting<'_> {
    let part = literal("x-long", &"x".repeat(16_000));
    let block = call(&world.target.domain, SUBMIT);
    let more = |flags| frame(CONTINUATION, flags, nth(0), &part);
    let request = [
        opening(&[]),
        frame(HEADERS, END_STREAM, nth(0), &block),
        [more(0), more(0), more(0), more(END_HEADERS)].concat(),
    ];
    Box::pin(refused(world, request.concat()))
}

async fn connected(world: &World, caller: Caller) -> TlsStream<TcpStream> {
    let pair = pair(&world.network, caller);
    world.target.tls(Some(&pair), b"h2").await.unwrap()
}

/// How the node ends a connection or a stream after these bytes.
async fn verdict(world: &World, bytes: Vec<u8>) -> String {
    let mut tls = connected(world, Caller::Home).await;
    // It may be closed before the end.
    let _ = tls.write_all(&bytes).await;
    let read = tokio::time::timeout(PATIENCE, first_end(&mut tls, &mut Vec::new())).await;
    read.unwrap_or_else(|_| "nothing".to_owned())
}

/// So many submissions begun, and each ended at once in some way.
fn ended(world: &World, count: u32, end: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let block = call(&world.target.domain, SUBMIT);
    let requests = (0..count).flat_map(|n| [headers(nth(n), 0, &block), end(nth(n))].concat());
    opening(&[]).into_iter().chain(requests).collect()
}

/// How the node ends the connection after these bytes, whatever it says of single streams.
async fn goodbye(world: &World, bytes: Vec<u8>) -> String {
    let mut tls = connected(world, Caller::Home).await;
    let _ = tls.write_all(&bytes).await;
    let mut read = Vec::new();
    let end = async {
        loop {
            let end = first_end(&mut tls, &mut read).await;
            if end == "closed" || end.starts_with("goaway") {
                return end;
            }
        }
    };
    let end = tokio::time::timeout(PATIENCE, end).await;
    end.unwrap_or_else(|_| "nothing".to_owned())
}

/// How it ends after headers that are too long: which of the ways is the library's choice.
async fn refused(world: &World, bytes: Vec<u8>) -> String {
    match verdict(world, bytes).await.as_str() {
        "answered" | "goaway ENHANCE_YOUR_CALM" | "goaway COMPRESSION_ERROR" => {
            "goaway or 431".to_owned()
        }
        other => other.to_owned(),
    }
}

/// Reads frames up to the first GOAWAY, RST_STREAM or HEADERS that says how it ends.
async fn first_end(tls: &mut TlsStream<TcpStream>, read: &mut Vec<u8>) -> String {
    loop {
        while let Some((length, kind, _, _)) = head(read) {
            let Some(payload) = read.get(9..9 + length).map(<[u8]>::to_vec) else {
                break;
            };
            read.drain(..9 + length);
            let code =
                |at: usize| name(u32::from_be_bytes(payload[at..at + 4].try_into().unwrap()));
            match kind {
                GOAWAY => return format!("goaway {}", code(4)),
                RST_STREAM => return format!("reset {}", code(0)),
                HEADERS => return "answered".to_owned(),
                _ => {}
            }
        }
        if !matches!(tls.read_buf(read).await, Ok(1..)) {
            return "closed".to_owned();
        }
    }
}

/// RFC 9113 section 7.
fn name(code: u32) -> String {
    let names = [
        "NO_ERROR",
        "PROTOCOL_ERROR",
        "INTERNAL_ERROR",
        "FLOW_CONTROL_ERROR",
        "SETTINGS_TIMEOUT",
        "STREAM_CLOSED",
        "FRAME_SIZE_ERROR",
        "REFUSED_STREAM",
        "CANCEL",
        "COMPRESSION_ERROR",
        "CONNECT_ERROR",
        "ENHANCE_YOUR_CALM",
    ];
    let known = usize::try_from(code).ok().and_then(|at| names.get(at));
    known.map_or_else(|| code.to_string(), |name| (*name).to_owned())
}

/// A client of another member, of whom nobody else is there.
fn ninth(world: &World) -> Acting<'_> {
    Box::pin(async {
        let mut open = Vec::new();
        for _ in 0..8 {
            let mut tls = connected(world, Caller::Foreign).await;
            tls.write_all(&opening(&[])).await.unwrap();
            // Settled when its settings are here.
            let mut first = [0; 9];
            tls.read_exact(&mut first).await.unwrap();
            assert_eq!(first[3], SETTINGS);
            open.push(tls);
        }
        let mut tls = connected(world, Caller::Foreign).await;
        let _ = tls
            .write_all(&[opening(&[]), frame(DATA, 0, 0, &[])].concat())
            .await;
        let mut read = Vec::new();
        let closed = tokio::time::timeout(PATIENCE, tls.read_to_end(&mut read)).await;
        match (closed.is_ok(), read.len()) {
            (true, 0) => format!("{} open, the ninth closed", open.len()),
            (is_closed, bytes) => format!("closed: {is_closed}, after {bytes} bytes"),
        }
    })
}
