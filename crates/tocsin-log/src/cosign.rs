//! Mirror cosignatures: a member's word that it durably holds another's log up to a checkpoint
//! (C2SP tlog-cosignature, "cosignature/v1").
//!
//! One object is delivery receipt, replication acknowledgement and defence against split views, so
//! a mirror must never contradict itself. [`Cosigner`] sees to that: it decides first, the caller
//! makes the decision durable, and only then is it signed.

use std::collections::BTreeMap;

use crate::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use crate::hash::Hash;
use crate::key::{PublicKey, Signature, SigningKey};
use crate::note::{SignatureLine, TYPE_COSIGNATURE, key_id};

/// The latest time that a cosignature may name, in seconds since 1970 (C2SP tlog-cosignature).
pub const MAX_TIME: u64 = (1 << 63) - 1;

/// What a mirror last decided to cosign of one origin: the content of its mirror slot (FORMATS.md
/// 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Entries held.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// Seconds since 1970; never decreases.
    pub time: u64,
}

/// One mirror's memory of what it may still say about one origin. One owner; restored from the
/// mirror slot.
#[derive(Clone, Debug)]
pub struct Cosigner {
    origin: Origin,
    name: String,
    last: Option<Cosigned>,
}

/// A decision to cosign. Make it durable before signing it; only [`Cosigner::decide`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    name: String,
    text: String,
    cosigned: Cosigned,
}

/// Why a checkpoint is not cosigned, or a cosignature not counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignError {
    /// The checkpoint is of another log than this cosigner's.
    #[error("checkpoint is of {found}")]
    OtherOrigin {
        /// Whose it is.
        found: Origin,
    },
    /// A smaller log than was cosigned before.
    #[error("checkpoint of size {size} is below {cosigned}, which was cosigned")]
    Below {
        /// The checkpoint's size.
        size: u64,
        /// The largest size cosigned.
        cosigned: u64,
    },
    /// Another history than was cosigned: the origin, or this mirror's key, has two stories.
    #[error("another root was cosigned at size {size}")]
    OtherRoot {
        /// The size at which the roots differ.
        size: u64,
    },
    /// Over [`MAX_TIME`].
    #[error("time of cosignature is out of range")]
    Time,
    /// The line is by another name or key.
    #[error("cosignature is by another key")]
    OtherKey,
    /// The line is not a time and an Ed25519 signature, or does not verify.
    #[error("cosignature does not verify")]
    BadSignature,
}

impl Cosigner {
    /// Takes up cosigning of `origin` under a mirror's name ([`Origin::mirror_name`] of the
    /// mirror's own log), from what its mirror slot says it last decided.
    #[must_use]
    pub fn new(origin: Origin, name: &str, last: Option<Cosigned>) -> Self {
        Self {
            origin,
            name: name.to_owned(),
            last,
        }
    }

    /// Decides to cosign a checkpoint whose entries this mirror has verified and durably stored.
    /// `now` is in seconds since 1970; the decision's time is no earlier than the last.
    ///
    /// The decision binds at once, signed or not: check and set are one step, so that of two
    /// requests in flight the second is judged by the first (the race of C2SP tlog-witness). A
    /// caller that fails to make it durable must stop.
    ///
    /// # Errors
    /// [`CosignError`] if it would contradict what was decided before; nothing changes then.
    pub fn decide(
        &mut self,
        checkpoint: &SignedCheckpoint,
        now: u64,
    ) -> Result<Decision, CosignError> {
        let checkpoint = checkpoint.checkpoint();
        self.check(checkpoint)?;
        let time = now.max(self.last.map_or(0, |last| last.time));
        if time > MAX_TIME {
            return Err(CosignError::Time);
        }
        let cosigned = Cosigned {
            size: checkpoint.size,
            root: checkpoint.root,
            time,
        };
        self.last = Some(cosigned);
        Ok(Decision {
            name: self.name.clone(),
            text: checkpoint.text(),
            cosigned,
        })
    }

    /// Takes note of a cosignature of this mirror's own that somebody shows it. A mirror that was
    /// set back thereby learns how far it had gone, and cosigns nothing below.
    ///
    /// # Errors
    /// [`CosignError::OtherKey`] or [`CosignError::BadSignature`] if it is not this mirror's word,
    /// and [`CosignError::OtherRoot`] if it contradicts what this mirror holds: its key signs
    /// elsewhere.
    pub fn shown(
        &mut self,
        line: &SignatureLine,
        checkpoint: &Checkpoint,
        key: &PublicKey,
    ) -> Result<(), CosignError> {
        let time = verify(line, &self.name, key, checkpoint)?;
        match self.check(checkpoint) {
            Ok(()) => {
                let time = time.max(self.last.map_or(0, |last| last.time));
                let Checkpoint { size, root, .. } = *checkpoint;
                self.last = Some(Cosigned { size, root, time });
                Ok(())
            }
            // Something older of our own is as it should be.
            Err(CosignError::Below { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// What was last decided or shown; the floor under all later decisions.
    #[must_use]
    pub const fn last(&self) -> Option<Cosigned> {
        self.last
    }

    fn check(&self, checkpoint: &Checkpoint) -> Result<(), CosignError> {
        if checkpoint.origin != self.origin {
            return Err(CosignError::OtherOrigin {
                found: checkpoint.origin.clone(),
            });
        }
        let Some(last) = self.last else { return Ok(()) };
        if checkpoint.size < last.size {
            return Err(CosignError::Below {
                size: checkpoint.size,
                cosigned: last.size,
            });
        }
        if checkpoint.size == last.size && checkpoint.root != last.root {
            return Err(CosignError::OtherRoot { size: last.size });
        }
        Ok(())
    }
}

impl Decision {
    /// What must be durable before [`Decision::sign`].
    #[must_use]
    pub const fn cosigned(&self) -> Cosigned {
        self.cosigned
    }

    /// Signs the decision with the mirror's key, for the line that goes back to the origin.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> SignatureLine {
        let time = self.cosigned.time;
        let signature = key.sign(&message(time, &self.text));
        SignatureLine {
            name: self.name.clone(),
            key_id: key_id(&self.name, TYPE_COSIGNATURE, &key.public()),
            bytes: [time.to_be_bytes().as_slice(), signature.as_bytes()].concat(),
        }
    }
}

/// Checks that `line` is the cosignature of `checkpoint` by the mirror with this name and key, and
/// returns its time, in seconds since 1970.
///
/// # Errors
/// [`CosignError::OtherKey`] for a line by anyone else, which is to be ignored;
/// [`CosignError::BadSignature`] or [`CosignError::Time`] for one by this key that is wrong, which
/// spoils the note it stands under.
pub fn verify(
    line: &SignatureLine,
    name: &str,
    key: &PublicKey,
    checkpoint: &Checkpoint,
) -> Result<u64, CosignError> {
    if line.name != name || line.key_id != key_id(name, TYPE_COSIGNATURE, key) {
        return Err(CosignError::OtherKey);
    }
    verify_known(line, key, &checkpoint.text())
}

/// Which of the given mirrors cosigned this checkpoint, with their newest times. A mirror counts
/// once however many lines, names or generations it has; lines by others are ignored; the origin's
/// own mirror is none.
///
/// # Errors
/// [`CosignError`] if a line by one of these mirrors is wrong: then the whole note is worth
/// nothing.
pub fn cosigners<'a>(
    checkpoint: &SignedCheckpoint,
    mirrors: impl IntoIterator<Item = (&'a str, &'a PublicKey)>,
) -> Result<BTreeMap<&'a str, u64>, CosignError> {
    let text = checkpoint.checkpoint().text();
    let own = checkpoint.checkpoint().origin.mirror_name();
    // The signed message does not name the mirror, so one key under two names must not count twice.
    let mut by_key = BTreeMap::new();
    for (name, key) in mirrors {
        for line in checkpoint
            .note()
            .lines_by(name, key_id(name, TYPE_COSIGNATURE, key))
        {
            let time = verify_known(line, key, &text)?;
            if name != own {
                let newest: &mut (&str, u64) = by_key.entry(*key.as_bytes()).or_insert((name, 0));
                newest.1 = newest.1.max(time);
            }
        }
    }
    Ok(by_key.into_values().collect())
}

fn verify_known(line: &SignatureLine, key: &PublicKey, text: &str) -> Result<u64, CosignError> {
    let (time, signature) = line
        .bytes
        .split_first_chunk()
        .ok_or(CosignError::BadSignature)?;
    let time = u64::from_be_bytes(*time);
    if time > MAX_TIME {
        return Err(CosignError::Time);
    }
    let signature = Signature::try_from(signature).map_err(|_| CosignError::BadSignature)?;
    key.verify(&message(time, text), &signature)
        .map_err(|_| CosignError::BadSignature)?;
    Ok(time)
}

fn message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::testlog::TestLog;
    use crate::tree::MAX_TREE_SIZE;

    const NAME: &str = "demo.tocsin.example/de/mirror";

    fn key() -> SigningKey {
        SigningKey::from_seed([4; 32])
    }

    fn cosigner(log: &TestLog) -> Cosigner {
        Cosigner::new(log.origin.clone(), NAME, None)
    }

    #[test]
    fn the_signed_message_is_that_of_c2sp() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let text = format!("example.com/behind-the-sofa\n20852163\n{root}\n");
        assert_eq!(
            message(1_679_315_147, &text),
            format!("cosignature/v1\ntime 1679315147\n{text}").as_bytes()
        );
    }

    #[test]
    fn a_cosignature_verifies_with_its_time_and_for_nothing_else() {
        let log = TestLog::of(7);
        let mut cosigner = cosigner(&log);
        let line = cosigner.decide(&log.signed(5), 1000).unwrap().sign(&key());
        let public = key().public();
        assert_eq!(verify(&line, NAME, &public, &log.checkpoint(5)), Ok(1000));
        let refused = verify(&line, NAME, &public, &log.checkpoint(6));
        assert_eq!(refused, Err(CosignError::BadSignature));
        let refused = verify(&line, "x", &public, &log.checkpoint(5));
        assert_eq!(refused, Err(CosignError::OtherKey));
        let refused = verify(&line, NAME, &log.key.public(), &log.checkpoint(5));
        assert_eq!(refused, Err(CosignError::OtherKey));
        for (at, refused) in [(7, CosignError::BadSignature), (0, CosignError::Time)] {
            let mut line = line.clone();
            line.bytes[at] ^= 0x80;
            assert_eq!(
                verify(&line, NAME, &public, &log.checkpoint(5)),
                Err(refused)
            );
        }
        for length in [0, 7, 8, 71] {
            let mut line = line.clone();
            line.bytes.truncate(length);
            assert!(verify(&line, NAME, &public, &log.checkpoint(5)).is_err());
        }
    }

    #[test]
    fn a_mirror_signs_nothing_below_and_no_other_root() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let mut cosigner = cosigner(&log);
        let _ = cosigner.decide(&log.signed(5), 1000).unwrap();
        let below = CosignError::Below {
            size: 4,
            cosigned: 5,
        };
        assert_eq!(cosigner.decide(&log.signed(4), 1001).unwrap_err(), below);
        let other = CosignError::OtherRoot { size: 5 };
        assert_eq!(cosigner.decide(&fork.signed(5), 1001).unwrap_err(), other);
        // Neither left a trace; the same checkpoint may be signed again, with a later time only.
        let last = cosigner.last().unwrap();
        assert_eq!((last.size, last.root, last.time), (5, log.root(5), 1000));
        assert_eq!(
            cosigner.decide(&log.signed(5), 900).unwrap().cosigned(),
            last
        );
        assert_eq!(
            cosigner
                .decide(&log.signed(9), 900)
                .unwrap()
                .cosigned()
                .time,
            1000
        );
        assert_eq!(
            cosigner
                .decide(&log.signed(9), 1002)
                .unwrap()
                .cosigned()
                .time,
            1002
        );
        assert_eq!(
            cosigner.decide(&log.signed(9), MAX_TIME + 1),
            Err(CosignError::Time)
        );
        // After a restart the slot's content binds as well.
        let mut restarted = Cosigner::new(log.origin.clone(), NAME, Some(last));
        assert_eq!(restarted.decide(&log.signed(4), 2000).unwrap_err(), below);
    }

    #[test]
    fn of_two_requests_in_flight_the_second_is_judged_by_the_first() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let mut cosigner = cosigner(&log);
        let first = cosigner.decide(&log.signed(6), 1000).unwrap();
        // Nothing is durable or signed yet; a smaller and a rival checkpoint come meanwhile.
        assert!(cosigner.decide(&log.signed(5), 1000).is_err());
        assert!(cosigner.decide(&fork.signed(6), 1000).is_err());
        assert_eq!(
            verify(
                &first.sign(&key()),
                NAME,
                &key().public(),
                &log.checkpoint(6)
            ),
            Ok(1000)
        );
    }

    #[test]
    fn another_origins_checkpoint_is_not_cosigned() {
        let log = TestLog::of(3);
        let next = Origin::new("demo.tocsin.example", "jp", 2).unwrap();
        let refused = Cosigner::new(next, NAME, None)
            .decide(&log.signed(3), 1)
            .unwrap_err();
        assert_eq!(refused, CosignError::OtherOrigin { found: log.origin });
    }

    #[test]
    fn a_mirror_that_was_set_back_learns_from_its_own_cosignature() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let line = cosigner(&log)
            .decide(&log.signed(7), 1000)
            .unwrap()
            .sign(&key());
        let mut set_back = cosigner(&log);
        let shown = |set_back: &mut Cosigner, line: &_, log: &TestLog, size| {
            set_back.shown(line, &log.checkpoint(size), &key().public())
        };
        let refused = shown(&mut set_back, &line, &log, 6);
        assert_eq!(
            refused,
            Err(CosignError::BadSignature),
            "not its word at that size"
        );
        assert_eq!(set_back.last(), None);
        assert_eq!(shown(&mut set_back, &line, &log, 7), Ok(()));
        assert!(set_back.decide(&log.signed(6), 1001).is_err());
        assert_eq!(
            set_back
                .decide(&log.signed(7), 900)
                .unwrap()
                .cosigned()
                .time,
            1000
        );
        // An older one changes nothing; one for another history says that the key signs elsewhere.
        let older = cosigner(&log)
            .decide(&log.signed(5), 99)
            .unwrap()
            .sign(&key());
        assert_eq!(shown(&mut set_back, &older, &log, 5), Ok(()));
        assert_eq!(set_back.last().unwrap().size, 7);
        let rival = cosigner(&log)
            .decide(&fork.signed(7), 99)
            .unwrap()
            .sign(&key());
        let refused = shown(&mut set_back, &rival, &fork, 7);
        assert_eq!(refused, Err(CosignError::OtherRoot { size: 7 }));
    }

    #[test]
    fn each_mirror_counts_once_and_a_wrong_line_spoils_the_note() {
        let log = TestLog::of(5);
        let keys = [4, 5, 6].map(|n| SigningKey::from_seed([n; 32]));
        let [de, kr, us] = [0, 1, 2].map(|n| keys[n].public());
        let sign = |name: &str, time, key: &SigningKey| {
            let mut cosigner = Cosigner::new(log.origin.clone(), name, None);
            cosigner.decide(&log.signed(5), time).unwrap().sign(key)
        };
        let own = log.origin.mirror_name();
        let mut signed = log.signed(5);
        for line in [
            sign(NAME, 1, &keys[0]),
            sign(NAME, 3, &keys[0]),
            sign("other name", 2, &keys[0]),
            sign("kr", 1, &keys[1]),
            sign(NAME, 1, &keys[1]),
            sign(&own, 1, &keys[2]),
        ] {
            signed.add_line(line).unwrap();
        }
        let mirrors = [
            (NAME, &de),
            (own.as_str(), &us),
            ("us", &us),
            ("other name", &de),
        ];
        let counted = cosigners(&signed, mirrors).unwrap();
        assert_eq!(counted, BTreeMap::from([(NAME, 3)]));
        let counted = cosigners(&signed, [("kr", &kr), ("kr", &kr), (NAME, &de)]).unwrap();
        assert_eq!(counted, BTreeMap::from([(NAME, 3), ("kr", 1)]));

        let mut wrong = sign("us", 1, &keys[2]);
        wrong.bytes[20] ^= 1;
        signed.add_line(wrong).unwrap();
        assert!(
            cosigners(&signed, [(NAME, &de)]).is_ok(),
            "nobody here knows that key"
        );
        let refused = cosigners(&signed, [(NAME, &de), ("us", &us)]);
        assert_eq!(refused, Err(CosignError::BadSignature));
    }

    #[test]
    fn the_largest_size_is_cosigned_like_any_other() {
        let log = TestLog::of(1);
        let checkpoint = Checkpoint {
            size: MAX_TREE_SIZE,
            ..log.checkpoint(1)
        };
        let note = checkpoint.sign(&log.key).unwrap().to_bytes();
        let signed = SignedCheckpoint::open(&note, &log.origin, &log.key.public()).unwrap();
        let line = cosigner(&log)
            .decide(&signed, MAX_TIME)
            .unwrap()
            .sign(&key());
        assert_eq!(
            verify(&line, NAME, &key().public(), &checkpoint),
            Ok(MAX_TIME)
        );
    }

    proptest! {
        #[test]
        fn in_any_order_of_requests_a_mirror_never_contradicts_itself(
            requests in vec(
                (1_u64..9, any::<bool>(), 0_u64..50, any::<bool>(), any::<bool>()), 0..60,
            ),
        ) {
            let logs = [TestLog::of(9), TestLog::with_fork(9, 3)];
            let mut cosigner = cosigner(&logs[0]);
            let mut said: Vec<Cosigned> = Vec::new();
            for (size, forked, now, restart, signs) in requests {
                if restart {
                    cosigner = Cosigner::new(logs[0].origin.clone(), NAME, cosigner.last());
                }
                let log = &logs[usize::from(forked)];
                if let Ok(decision) = cosigner.decide(&log.signed(size), now) && signs {
                    let time = verify(
                        &decision.sign(&key()), NAME, &key().public(), &log.checkpoint(size),
                    );
                    said.push(Cosigned { size, root: log.root(size), time: time.unwrap() });
                }
            }
            for pair in said.windows(2) {
                prop_assert!(pair[0].size <= pair[1].size && pair[0].time <= pair[1].time);
                prop_assert!(pair[0].size < pair[1].size || pair[0].root == pair[1].root);
            }
        }

        #[test]
        fn hostile_lines_do_not_panic(
            key_id: [u8; 4], known: bool, bytes in vec(any::<u8>(), 0..99),
        ) {
            let (log, public) = (TestLog::of(2), key().public());
            let id = crate::note::key_id(NAME, TYPE_COSIGNATURE, &public);
            let key_id = if known { id } else { key_id };
            let line = SignatureLine { name: NAME.to_owned(), key_id, bytes };
            prop_assert!(verify(&line, NAME, &public, &log.checkpoint(2)).is_err());
        }
    }
}
