//! What one peer may make the node hold in memory: bytes of requests that are arriving or being
//! answered, and of answers that wait for their reader.
//!
//! HTTP/2 bounds what one stream may have on its way, but 64 streams on each of 256 connections of
//! one member would make gigabytes of it. So each name and each member has its share, and the node
//! an end; a message that does not fit is refused, and nobody else's is.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::identity::PeerIdentity;
use crate::limits::{MAX_HELD_BYTES, MAX_HELD_BYTES_PER_MEMBER, MAX_HELD_BYTES_PER_NAME};

/// The shares of all peers of a listener. Cloning shares the counts.
#[derive(Debug, Clone, Default)]
pub struct Shares {
    held: Arc<Mutex<Held>>,
}

/// Bytes held, by member and by name; only of those that hold some.
#[derive(Debug, Default)]
struct Held {
    in_all: usize,
    members: BTreeMap<String, usize>,
    names: BTreeMap<String, usize>,
}

/// There is no room for that many more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// What one message takes of its peer's share, given back when it is dropped.
#[derive(Debug)]
pub struct Share {
    shares: Shares,
    member: String,
    name: String,
    bytes: usize,
}

impl Shares {
    /// An empty share of a peer.
    #[must_use]
    pub fn of(&self, peer: &PeerIdentity) -> Share {
        Share {
            shares: self.clone(),
            member: peer.member().to_owned(),
            name: peer.to_string(),
            bytes: 0,
        }
    }
}

impl Share {
    /// Holds so many bytes from now on.
    ///
    /// # Errors
    /// [`Full`]; then it holds what it held.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Full> {
        self.set(bytes, true)
    }

    /// Holds so many bytes from now on, whether they fit or not; for little that must not wait.
    pub fn hold_in_any_case(&mut self, bytes: usize) {
        // Nothing is looked at that could refuse it.
        let _ = self.set(bytes, false);
    }

    fn set(&mut self, bytes: usize, bounded: bool) -> Result<(), Full> {
        let mut held = self
            .shares
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if bytes > self.bytes {
            let more = bytes.saturating_sub(self.bytes);
            let after = |has: Option<usize>| has.unwrap_or_default().saturating_add(more);
            let in_all = after(Some(held.in_all));
            let of_member = after(held.members.get(&self.member).copied());
            let of_name = after(held.names.get(&self.name).copied());
            let fits = in_all <= MAX_HELD_BYTES
                && of_member <= MAX_HELD_BYTES_PER_MEMBER
                && of_name <= MAX_HELD_BYTES_PER_NAME;
            if bounded && !fits {
                return Err(Full);
            }
            held.in_all = in_all;
            held.members.insert(self.member.clone(), of_member);
            held.names.insert(self.name.clone(), of_name);
        } else {
            let less = self.bytes.saturating_sub(bytes);
            held.in_all = held.in_all.saturating_sub(less);
            give_back(&mut held.members, &self.member, less);
            give_back(&mut held.names, &self.name, less);
        }
        drop(held);
        self.bytes = bytes;
        Ok(())
    }

    /// Holds nothing any more.
    pub fn release(&mut self) {
        // Less always fits.
        let _ = self.hold(0);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

fn give_back(counts: &mut BTreeMap<String, usize>, key: &str, bytes: usize) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(bytes);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

/// How many bytes of a stream of gRPC messages are still held: those of the message that arrives,
/// or arrived last. Earlier ones were taken before the next is asked for.
#[derive(Debug, Default)]
pub struct Messages {
    prefix: usize,
    length: usize,
    left: usize,
    held: usize,
}

/// Bytes before each message: a flag and a length.
const PREFIX_BYTES: usize = 5;

impl Messages {
    /// Takes in what has arrived; the bytes held then.
    pub fn take(&mut self, mut bytes: &[u8]) -> usize {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = self.left.min(bytes.len());
                self.left -= taken;
                self.held = self.held.saturating_add(taken);
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            if self.prefix == PREFIX_BYTES || self.prefix == 0 {
                *self = Self::default();
            }
            self.prefix += 1;
            self.held += 1;
            if self.prefix > 1 {
                self.length = self.length << 8 | usize::from(byte);
            }
            if self.prefix == PREFIX_BYTES {
                self.left = self.length;
            }
            bytes = rest;
        }
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(shares: &Shares, member: &str, client: &str) -> Share {
        shares.of(&PeerIdentity::Client {
            member: member.to_owned(),
            id: client.to_owned(),
            roles: std::collections::BTreeSet::new(),
        })
    }

    #[test]
    fn a_name_and_a_member_have_their_share_and_no_more() {
        let shares = Shares::default();
        let mut one = share(&shares, "jp", "a");
        assert_eq!(one.hold(MAX_HELD_BYTES_PER_NAME), Ok(()));
        assert_eq!(share(&shares, "jp", "a").hold(1), Err(Full));
        let mut others: Vec<Share> = (0..4)
            .map(|n| share(&shares, "jp", &format!("b{n}")))
            .collect();
        let left = MAX_HELD_BYTES_PER_MEMBER - MAX_HELD_BYTES_PER_NAME;
        for other in &mut others {
            assert_eq!(other.hold(left / 4), Ok(()));
        }
        let mut withdrawal = share(&shares, "jp", "a");
        withdrawal.hold_in_any_case(1_000);
        assert_eq!(
            withdrawal.hold(1_001),
            Err(Full),
            "beyond that as all others"
        );
        drop(withdrawal);
        assert_eq!(share(&shares, "jp", "c").hold(1), Err(Full), "all of jp's");
        assert_eq!(
            share(&shares, "de", "c").hold(1),
            Ok(()),
            "another member's"
        );
        drop(one);
        assert_eq!(share(&shares, "jp", "c").hold(1), Ok(()));
    }

    #[test]
    fn all_is_given_back() {
        let shares = Shares::default();
        let mut one = share(&shares, "jp", "a");
        one.hold(1_000).unwrap();
        one.hold(10).unwrap();
        let mut other = share(&shares, "jp", "a");
        other.hold(5).unwrap();
        assert_eq!(shares.held.lock().unwrap().in_all, 15);
        other.release();
        drop((one, other));
        let held = shares.held.lock().unwrap();
        assert_eq!(
            (held.in_all, held.members.len(), held.names.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn what_is_held_is_the_message_that_arrives_or_arrived_last() {
        let mut messages = Messages::default();
        assert_eq!(messages.take(&[0, 0, 0]), 3);
        assert_eq!(messages.take(&[0, 4, 1, 2]), 7);
        assert_eq!(messages.take(&[3, 4]), 9, "whole, and still being answered");
        assert_eq!(messages.take(&[0, 0, 0, 0, 0]), 5, "the next, an empty one");
        assert_eq!(
            messages.take(&[0, 0, 0, 0, 1, 9, 0, 0]),
            2,
            "one after another"
        );
        assert_eq!(messages.take(&[0, 0xff, 0xff, 7]), 6);
    }
}
