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
