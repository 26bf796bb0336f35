//! The frames that a connection brings, counted before anything is done for them.
//!
//! A SETTINGS frame of 15 bytes costs its sender nothing, and us a pass over every stream and an
//! answer. HTTP/2 knows no bound on them; what real clients send is a few.

/// Bytes of a frame's head, RFC 9113 section 4.1.
const HEAD_BYTES: usize = 9;
const SETTINGS: u8 = 4;
const ACK: u8 = 1;

/// Walks over the bytes of one connection from its beginning, however they are cut.
#[derive(Debug)]
pub(crate) struct FrameWalk {
    /// To pass over before the next head: the preface, or the rest of a frame.
    skip: usize,
    head: [u8; HEAD_BYTES],
    have: usize,
    settings: u64,
}

impl FrameWalk {
    /// At the beginning, with so many bytes of preface.
    pub(crate) const fn after(preface: usize) -> Self {
        Self {
            skip: preface,
            head: [0; HEAD_BYTES],
            have: 0,
            settings: 0,
        }
    }

    /// Passes on; how many SETTINGS there were so far that ask for an answer.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> u64 {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let open = self.head.get_mut(self.have..).unwrap_or_default();
            let taken = open.len().min(bytes.len());
            let (of_head, rest) = bytes.split_at(taken);
            for (to, from) in open.iter_mut().zip(of_head) {
                *to = *from;
            }
            self.have += taken;
            bytes = rest;
            if self.have == HEAD_BYTES {
                self.begin();
            }
        }
        self.settings
    }

    fn begin(&mut self) {
        let [high, middle, low, kind, flags, ..] = self.head;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        self.have = 0;
        self.settings += u64::from(kind == SETTINGS && flags & ACK == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 1], payload].concat()
    }

    #[test]
    fn settings_are_counted_and_their_acknowledgements_and_look_alikes_in_payloads_are_not() {
        let inner = frame(SETTINGS, 0, &[0; 6]);
        let bytes = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, &[0; 6]),
            frame(SETTINGS, ACK, &[]),
            frame(0, 0, &inner.repeat(3)),
            frame(6, 0, &[4; 8]),
            frame(SETTINGS, 0, &[]),
        ];
        assert_eq!(FrameWalk::after(24).pass(&bytes.concat()), 2);
    }

    #[test]
    fn the_count_does_not_depend_on_how_the_bytes_are_cut() {
        let frames = (0..40_u8).map(|n| {
            let length = usize::from(n) * 7 % 31;
            frame(n % 7, n % 3, &[SETTINGS].repeat(length))
        });
        let bytes: Vec<u8> = frames.flatten().collect();
        let whole = FrameWalk::after(0).pass(&bytes);
        assert!(whole > 2, "{whole}");
        for size in 1..=bytes.len() {
            let mut walk = FrameWalk::after(0);
            let counts = bytes.chunks(size).map(|chunk| walk.pass(chunk));
            assert_eq!(counts.last(), Some(whole), "in pieces of {size}");
        }
    }
}
