//! Frames: what a segment file is made of (FORMATS.md 5).
//!
//! `u32 length of content || u8 kind || u32 crc32c over length, kind and content || content`,
//! integers big-endian. A body's content is `sha256[32] || bytes` and its checksum covers length,
//! kind and the sha256 only: the bytes are checked by the sha256, so that they can be zeroed in
//! place with the frame still sound.

use crc32c::{crc32c, crc32c_append};
use tocsin_log::entry::MAX_ENTRY_BYTES;
use tocsin_log::hash::Hash;
use tocsin_log::note::MAX_NOTE_BYTES;

/// Bytes before a frame's content.
pub const HEADER_BYTES: usize = 9;
/// The most bytes of a body, with its salt (FORMATS.md 2: at most 256 KiB inline).
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FrameKind {
    /// A leaf's bytes.
    Entry,
    /// A body of the entry before it.
    Body,
    /// A checkpoint's note.
    Note,
}

/// A frame in the bytes it was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// What it holds.
    pub kind: FrameKind,
    /// The content; of a body `sha256 || bytes`.
    pub content: &'a [u8],
}

/// How the bytes of a body stand to the sha256 before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyState {
    /// As they were stored.
    Sound,
    /// All zero: erased.
    Zeroed,
    /// Anything else.
    Damaged,
}

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end inside it.
    #[error("frame is cut short")]
    Short,
    /// A kind that is not ours.
    #[error("frame of unknown kind {0}")]
    Kind(u8),
    /// Longer than its kind may be, or a body shorter than its sha256.
    #[error("frame content of {0} bytes is out of bounds")]
    Length(u32),
    /// The checksum does not match.
    #[error("frame checksum does not match")]
    Checksum,
}

impl FrameKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Entry => 1,
            Self::Body => 2,
            Self::Note => 3,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Entry),
            2 => Some(Self::Body),
            3 => Some(Self::Note),
            _ => None,
        }
    }

    /// The fewest and most bytes of content. A record of the local log is an entry frame up to a
    /// body's size.
    const fn bounds(self) -> (usize, usize) {
        match self {
            Self::Entry => (0, MAX_BODY_BYTES),
            Self::Body => (Hash::LEN, Hash::LEN + MAX_BODY_BYTES),
            Self::Note => (0, MAX_NOTE_BYTES),
        }
    }
}

impl<'a> Frame<'a> {
    /// The bytes of the whole frame on disk.
    #[must_use]
    pub const fn stored_bytes(&self) -> usize {
        HEADER_BYTES + self.content.len()
    }

    /// A body's digest and bytes; none for other kinds.
    #[must_use]
    pub fn body(&self) -> Option<(Hash, &'a [u8])> {
        let (digest, bytes) = self.content.split_first_chunk::<{ Hash::LEN }>()?;
        (self.kind == FrameKind::Body).then_some((Hash(*digest), bytes))
    }
}

/// How `bytes` stand to the digest under which they were stored.
#[must_use]
pub fn body_state(digest: &Hash, bytes: &[u8]) -> BodyState {
    if Hash::of(bytes) == *digest {
        return BodyState::Sound;
    }
    if bytes.iter().all(|byte| *byte == 0) {
        BodyState::Zeroed
    } else {
        BodyState::Damaged
    }
}

/// Appends an entry or a note. Its length is in bounds: who writes checks that first.
pub(crate) fn put(out: &mut Vec<u8>, kind: FrameKind, content: &[u8]) {
    debug_assert!(kind != FrameKind::Body);
    put_parts(out, kind, content, &[]);
}

/// Appends a body under its digest.
pub(crate) fn put_body(out: &mut Vec<u8>, digest: &Hash, bytes: &[u8]) {
    put_parts(out, FrameKind::Body, digest.as_bytes(), bytes);
}

fn put_parts(out: &mut Vec<u8>, kind: FrameKind, summed: &[u8], unsummed: &[u8]) {
    let length = u32::try_from(summed.len() + unsummed.len()).unwrap_or(u32::MAX);
    debug_assert!(summed.len() + unsummed.len() <= kind.bounds().1);
    out.extend(length.to_be_bytes());
    out.push(kind.byte());
    out.extend(checksum(length, kind.byte(), summed).to_be_bytes());
    out.extend(summed);
    out.extend(unsummed);
}

/// How long the frame is whose header `bytes` begin with, if its kind and length are possible.
///
/// # Errors
/// [`FrameError`], but never [`FrameError::Checksum`].
pub fn stored_bytes(bytes: &[u8]) -> Result<usize, FrameError> {
    let (length, kind, _) = header(bytes)?;
    let kind = FrameKind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
    let content = usize::try_from(length).map_err(|_| FrameError::Length(length))?;
    let (least, most) = kind.bounds();
    if (least..=most).contains(&content) {
        return Ok(HEADER_BYTES + content);
    }
    Err(FrameError::Length(length))
}

/// Reads the frame that `bytes` begin with; what follows it is not looked at.
///
/// # Errors
/// [`FrameError`]. Whether a body is what its sha256 says is a question of its own: [`body_state`].
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    let stored = stored_bytes(bytes)?;
    let (length, kind, expected) = header(bytes)?;
    let kind = FrameKind::from_byte(kind).ok_or(FrameError::Kind(kind))?;
    let content = bytes.get(HEADER_BYTES..stored).ok_or(FrameError::Short)?;
    let summed = match kind {
        FrameKind::Entry | FrameKind::Note => content,
        FrameKind::Body => content.get(..Hash::LEN).ok_or(FrameError::Short)?,
    };
    if checksum(length, kind.byte(), summed) != expected {
        return Err(FrameError::Checksum);
    }
    Ok(Frame { kind, content })
}

/// Length, kind byte and checksum.
fn header(bytes: &[u8]) -> Result<(u32, u8, u32), FrameError> {
    let (length, rest) = bytes.split_first_chunk().ok_or(FrameError::Short)?;
    let (kind, rest) = rest.split_first().ok_or(FrameError::Short)?;
    let checksum = rest.first_chunk().ok_or(FrameError::Short)?;
    Ok((
        u32::from_be_bytes(*length),
        *kind,
        u32::from_be_bytes(*checksum),
    ))
}

fn checksum(length: u32, kind: u8, summed: &[u8]) -> u32 {
    let head = crc32c(&length.to_be_bytes());
    crc32c_append(crc32c_append(head, &[kind]), summed)
}

/// Whether the bytes say that they are a body frame, or are one with its kind byte turned into
/// another.
pub(crate) fn is_disguised_body(bytes: &[u8]) -> bool {
    let body = FrameKind::Body.byte();
    if bytes.get(4) == Some(&body) {
        return true;
    }
    let Some(head) = bytes.get(..HEADER_BYTES + Hash::LEN) else {
        return false;
    };
    let Ok((length, _, expected)) = header(head) else {
        return false;
    };
    let summed = head.get(HEADER_BYTES..).unwrap_or_default();
    checksum(length, body, summed) == expected
}

// An entry that the log crate takes always fits a frame.
const _: () = assert!(MAX_ENTRY_BYTES <= MAX_BODY_BYTES);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zeroed_body_is_a_sound_frame_and_says_so() {
        let body = [7; 100];
        let digest = Hash::of(&body);
        let mut bytes = Vec::new();
        put_body(&mut bytes, &digest, &body);
        let frame = decode(&bytes).unwrap();
        assert_eq!(frame.body(), Some((digest, &body[..])));
        assert_eq!(body_state(&digest, &body), BodyState::Sound);
        bytes[HEADER_BYTES + Hash::LEN..].fill(0);
        let (digest, zeros) = decode(&bytes).unwrap().body().unwrap();
        assert_eq!(body_state(&digest, zeros), BodyState::Zeroed);
        assert_eq!(body_state(&digest, &[1; 100]), BodyState::Damaged);
    }

    #[test]
    fn the_bytes_of_a_frame_are_those_of_formats_md() {
        let mut bytes = Vec::new();
        put(&mut bytes, FrameKind::Entry, b"abc");
        // crc32c (RFC 3720 appendix B.4) over 00000003 01 616263.
        let sum = crc32c(&[0, 0, 0, 3, 1, b'a', b'b', b'c']).to_be_bytes();
        assert_eq!(bytes, [&[0, 0, 0, 3, 1][..], &sum, b"abc"].concat());
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn every_bit_of_a_frame_that_is_turned_over_is_noticed() {
        let mut bytes = Vec::new();
        put(&mut bytes, FrameKind::Note, &[5; 60]);
        let mut body = Vec::new();
        put_body(&mut body, &Hash::of(&[6; 60]), &[6; 60]);
        for frame in [bytes, body] {
            let whole = decode(&frame).unwrap();
            for bit in 0..frame.len() * 8 {
                let mut flipped = frame.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let sound = decode(&flipped).is_ok_and(|found| {
                    found.kind == whole.kind
                        && found.body().is_none_or(|(digest, bytes)| {
                            body_state(&digest, bytes) == BodyState::Sound
                        })
                });
                assert!(!sound, "bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic_and_what_decodes_encodes_again(bytes: Vec<u8>) {
            if let Ok(frame) = decode(&bytes) {
                let mut again = Vec::new();
                match frame.body() {
                    Some((digest, body)) => put_body(&mut again, &digest, body),
                    None => put(&mut again, frame.kind, frame.content),
                }
                prop_assert_eq!(&bytes[..frame.stored_bytes()], &again[..]);
            }
            let _ = is_disguised_body(&bytes);
        }

        #[test]
        fn bytes_with_a_possible_header_never_panic(
            length in 0_u32..600_000, kind in 0_u8..5, sum: u32, rest: Vec<u8>,
        ) {
            let mut bytes = length.to_be_bytes().to_vec();
            bytes.push(kind);
            bytes.extend(sum.to_be_bytes());
            bytes.extend(&rest);
            let _ = decode(&bytes);
            let _ = stored_bytes(&bytes);
            let _ = is_disguised_body(&bytes);
        }

        #[test]
        fn what_is_put_is_read_back(content: Vec<u8>, after: Vec<u8>) {
            let mut bytes = Vec::new();
            put(&mut bytes, FrameKind::Entry, &content);
            bytes.extend(&after);
            let frame = decode(&bytes).unwrap();
            prop_assert_eq!((frame.kind, frame.content), (FrameKind::Entry, &content[..]));
        }
    }
}
