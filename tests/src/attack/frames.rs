//! HTTP/2 frames (RFC 9113) and header blocks (RFC 7541) by hand: what a library refuses to send.

/// What a client begins with, RFC 9113 section 3.4.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// DATA.
pub const DATA: u8 = 0;
/// HEADERS.
pub const HEADERS: u8 = 1;
/// PRIORITY.
pub const PRIORITY: u8 = 2;
/// RST_STREAM.
pub const RST_STREAM: u8 = 3;
/// SETTINGS.
pub const SETTINGS: u8 = 4;
/// PING.
pub const PING: u8 = 6;
/// GOAWAY.
pub const GOAWAY: u8 = 7;
/// WINDOW_UPDATE.
pub const WINDOW_UPDATE: u8 = 8;
/// CONTINUATION.
pub const CONTINUATION: u8 = 9;

/// END_STREAM of DATA and HEADERS.
pub const END_STREAM: u8 = 1;
/// ACK of SETTINGS and PING.
pub const ACK: u8 = 1;
/// END_HEADERS of HEADERS and CONTINUATION.
pub const END_HEADERS: u8 = 4;

/// Any frame.
///
/// # Panics
/// When the payload is longer than 24 bits say.
#[must_use]
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload");
    assert!(length < 1 << 24, "a frame's length has 24 bits");
    let [_, length @ ..] = length.to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Preface, these settings, and the acknowledgement of the other side's, which are on their way.
#[must_use]
pub fn opening(settings: &[(u16, u32)]) -> Vec<u8> {
    let ack = frame(SETTINGS, ACK, 0, &[]);
    [PREFACE, &self::settings(settings), &ack].concat()
}

/// SETTINGS with these values.
#[must_use]
pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let values = values.iter();
    let values = values.flat_map(|(id, value)| {
        let (id, value) = (id.to_be_bytes(), value.to_be_bytes());
        id.into_iter().chain(value)
    });
    let payload: Vec<u8> = values.collect();
    frame(SETTINGS, 0, 0, &payload)
}

/// SETTINGS_INITIAL_WINDOW_SIZE.
pub const INITIAL_WINDOW: u16 = 4;

/// RST_STREAM with CANCEL.
#[must_use]
pub fn reset(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
}

/// WINDOW_UPDATE.
#[must_use]
pub fn window(stream: u32, more: u32) -> Vec<u8> {
    frame(WINDOW_UPDATE, 0, stream, &more.to_be_bytes())
}

/// The id of the n-th stream that a client opens.
#[must_use]
pub const fn nth(n: u32) -> u32 {
    2 * n + 1
}

/// A header field without an index, never Huffman-coded.
#[must_use]
pub fn literal(name: &str, value: &str) -> Vec<u8> {
    field(0, name, value)
}

/// A header field that goes into the dynamic table.
#[must_use]
pub fn indexed(name: &str, value: &str) -> Vec<u8> {
    field(0x40, name, value)
}

fn field(kind: u8, name: &str, value: &str) -> Vec<u8> {
    [
        &[kind][..],
        &length(name.len()),
        name.as_bytes(),
        &length(value.len()),
        value.as_bytes(),
    ]
    .concat()
}

/// An integer with a prefix of seven bits, RFC 7541 section 5.1.
fn length(value: usize) -> Vec<u8> {
    let low = |value: usize| u8::try_from(value & 0x7f).expect("seven bits");
    if value < 0x7f {
        return vec![low(value)];
    }
    let mut bytes = vec![0x7f];
    let mut rest = value - 0x7f;
    while rest >= 0x80 {
        bytes.push(low(rest) | 0x80);
        rest >>= 7;
    }
    bytes.push(low(rest));
    bytes
}

/// The header block of a gRPC call.
#[must_use]
pub fn call(authority: &str, path: &str) -> Vec<u8> {
    [
        // POST and https are entries 3 and 7 of the static table.
        vec![0x83, 0x87],
        literal(":path", path),
        literal(":authority", authority),
        literal("te", "trailers"),
        literal("content-type", "application/grpc"),
    ]
    .concat()
}

/// HEADERS that hold the whole block.
#[must_use]
pub fn headers(stream: u32, flags: u8, block: &[u8]) -> Vec<u8> {
    frame(HEADERS, flags | END_HEADERS, stream, block)
}

/// A gRPC message in DATA frames of at most 16 KiB, without the stream's end.
#[must_use]
pub fn message(stream: u32, bytes: &[u8]) -> Vec<u8> {
    let whole = [&prefix(bytes.len()), bytes].concat();
    let frames = whole.chunks(16_384);
    frames
        .flat_map(|chunk| frame(DATA, 0, stream, chunk))
        .collect()
}

/// The prefix of a gRPC message: not compressed, so many bytes.
///
/// # Panics
/// When 32 bits do not say it.
#[must_use]
pub fn prefix(length: usize) -> Vec<u8> {
    let length = u32::try_from(length).expect("a length of 32 bits");
    [&[0], &length.to_be_bytes()[..]].concat()
}

/// A frame's head as it came in: length, kind, flags, stream.
#[must_use]
pub fn head(bytes: &[u8]) -> Option<(usize, u8, u8, u32)> {
    let [a, b, c, kind, flags, s0, s1, s2, s3] = *bytes.first_chunk::<9>()?;
    let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
    let stream = u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]);
    Some((length, kind, flags, stream))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_written_as_rfc_9113_says() {
        assert_eq!(
            window(5, 1),
            [0, 0, 4, 8, 0, 0, 0, 0, 5, 0, 0, 0, 1],
            "length, kind, flags, stream, payload"
        );
        assert_eq!(head(&reset(nth(1))), Some((4, RST_STREAM, 0, 3)));
        assert_eq!(head(&[0; 8]), None);
    }

    #[test]
    fn long_header_values_have_their_length_in_seven_bits_and_more() {
        // RFC 7541 appendix C.1.2 has 1337 with a prefix of five bits; here it has seven.
        assert_eq!(length(1_337), [0x7f, 0x80 | 0x3a, 9]);
        assert_eq!(length(126), [126]);
        assert_eq!(length(127), [127, 0]);
    }
}
