//! Evidence that a log told two stories, which anyone can check with the log's key alone.
//!
//! E1: two notes of equal size and different roots. E2: notes of sizes M < N, and a consistency
//! proof that the larger one's log had another root at M than the smaller one signs. Any mirror
//! that holds the larger log can make E2; the offender need not help. Because it proves itself,
//! evidence may come from anyone.

use crate::checkpoint::{CheckpointError, Origin, SignedCheckpoint};
use crate::hash::Hash;
use crate::key::PublicKey;
use crate::proof::{BuildError, ProofError, consistency, verify_consistency};
use crate::tree::Tree;

/// Two notes of one origin that cannot both be true. Nothing in it is verified; see
/// [`Evidence::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// A signed note. In E2, the smaller.
    pub note_a: Vec<u8>,
    /// Another. In E2, the larger.
    pub note_b: Vec<u8>,
    /// Why they contradict each other.
    pub kind: Kind,
}

/// The kinds of evidence (FORMATS.md 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Equal sizes, different roots.
    E1,
    /// Different sizes.
    E2 {
        /// The root at the smaller size of the log that the larger note signs.
        mid_root: Hash,
        /// The consistency proof from there to the larger note's root.
        proof: Vec<Hash>,
    },
}

/// What verified evidence proves: this origin contradicts itself. Only [`Evidence::verify`] makes
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    smaller: SignedCheckpoint,
    larger: SignedCheckpoint,
    id: Hash,
}

/// Why evidence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// One of the notes is not the origin's.
    #[error("note of the evidence is refused: {0}")]
    Note(#[from] CheckpointError),
    /// E1 with different sizes, or E2 whose first note is not the smaller.
    #[error("sizes {a} and {b} do not fit the kind of evidence")]
    Sizes {
        /// Of the first note.
        a: u64,
        /// Of the second.
        b: u64,
    },
    /// The roots agree: no contradiction.
    #[error("the notes do not contradict each other")]
    Consistent,
    /// The proof of E2 does not lead to the larger note.
    #[error("proof of the evidence is refused: {0}")]
    Proof(#[from] ProofError),
}

/// Why evidence could not be made out of two notes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BetweenError<E> {
    /// The notes are of different logs.
    #[error("notes are of different logs")]
    OtherOrigin,
    /// What is read is not the log that the larger note signs.
    #[error("stored hashes are not those of the larger note")]
    OtherLog,
    /// A stored hash could not be read.
    #[error("stored hashes cannot be read")]
    Read(#[source] E),
}

impl Evidence {
    /// Compares two notes of one origin. `read` answers for places in the hash file of the log that
    /// the larger one signs; for notes of equal size it is not asked. `None` if they agree.
    ///
    /// # Errors
    /// [`BetweenError`].
    pub fn between<E>(
        a: &SignedCheckpoint,
        b: &SignedCheckpoint,
        mut read: impl FnMut(u64) -> Result<Hash, E>,
    ) -> Result<Option<Self>, BetweenError<E>> {
        let (a, b) = if a.checkpoint().size <= b.checkpoint().size {
            (a, b)
        } else {
            (b, a)
        };
        let (small, large) = (a.checkpoint(), b.checkpoint());
        if small.origin != large.origin {
            return Err(BetweenError::OtherOrigin);
        }
        let (note_a, note_b) = (a.own_note().to_bytes(), b.own_note().to_bytes());
        if small.size == large.size {
            let evidence = Self {
                note_a,
                note_b,
                kind: Kind::E1,
            };
            return Ok((small.root != large.root).then_some(evidence));
        }
        let mid_root = Tree::restore(small.size, &mut read)
            .map_err(BetweenError::Read)?
            .root();
        let proof = consistency(small.size, large.size, read).map_err(|error| match error {
            BuildError::Bounds { .. } => BetweenError::OtherLog,
            BuildError::Read(error) => BetweenError::Read(error),
        })?;
        verify_consistency(small.size, large.size, &mid_root, &large.root, &proof)
            .map_err(|_| BetweenError::OtherLog)?;
        let evidence = Self {
            note_a,
            note_b,
            kind: Kind::E2 { mid_root, proof },
        };
        Ok((mid_root != small.root).then_some(evidence))
    }

    /// Checks the evidence against an origin and its log key.
    ///
    /// # Errors
    /// [`EvidenceError`] says why it proves nothing.
    pub fn verify(&self, key: &PublicKey, origin: &Origin) -> Result<Equivocation, EvidenceError> {
        let smaller = SignedCheckpoint::open(&self.note_a, origin, key)?;
        let larger = SignedCheckpoint::open(&self.note_b, origin, key)?;
        let (a, b) = (smaller.checkpoint(), larger.checkpoint());
        let sizes = EvidenceError::Sizes {
            a: a.size,
            b: b.size,
        };
        // At the smaller size: what one note signs, and what the other's log held.
        let other_root = match &self.kind {
            Kind::E1 if a.size == b.size => b.root,
            Kind::E2 { mid_root, proof } if a.size < b.size => {
                verify_consistency(a.size, b.size, mid_root, &b.root, proof)?;
                *mid_root
            }
            Kind::E1 | Kind::E2 { .. } => return Err(sizes),
        };
        if a.root == other_root {
            return Err(EvidenceError::Consistent);
        }
        Ok(Equivocation {
            id: self.id(),
            smaller,
            larger,
        })
    }

    /// Names the evidence by what the two notes sign, whatever other lines they carry and whoever
    /// made it: `H("tocsin/evidence/v1" || 0x00 || kind || (u32 length || text) of both)`, E1's
    /// texts in order.
    #[must_use]
    pub fn id(&self) -> Hash {
        let mut texts = [signed_part(&self.note_a), signed_part(&self.note_b)];
        if self.kind == Kind::E1 {
            texts.sort_unstable();
        }
        let mut bytes = b"tocsin/evidence/v1\0".to_vec();
        bytes.push(self.kind.number());
        for text in texts {
            // Longer than any note that verifies, and then only a name for garbage.
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(text);
        }
        Hash::of(&bytes)
    }
}

impl Kind {
    /// 1 or 2, as on the wire.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Self::E1 => 1,
            Self::E2 { .. } => 2,
        }
    }
}

impl Equivocation {
    /// Whose log it is.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        &self.smaller.checkpoint().origin
    }

    /// The largest size at which the two histories are proved to differ.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.smaller.checkpoint().size
    }

    /// The two notes, the smaller first.
    #[must_use]
    pub const fn notes(&self) -> (&SignedCheckpoint, &SignedCheckpoint) {
        (&self.smaller, &self.larger)
    }

    /// The evidence's name, [`Evidence::id`].
    #[must_use]
    pub const fn id(&self) -> Hash {
        self.id
    }
}

/// A note's text: what stands before its last blank line.
fn signed_part(note: &[u8]) -> &[u8] {
    let blank = note.windows(2).rposition(|pair| pair == b"\n\n");
    blank.and_then(|at| note.get(..=at)).unwrap_or(note)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::key::SigningKey;
    use crate::testlog::TestLog;

    fn verify(evidence: &Evidence, log: &TestLog) -> Result<Equivocation, EvidenceError> {
        evidence.verify(&log.key.public(), &log.origin)
    }

    #[test]
    fn every_pair_of_histories_that_part_gives_evidence_and_no_other_does() {
        let whole = TestLog::of(40);
        for fork in [0, 1, 2, 7, 8, 20, 39] {
            let other = TestLog::with_fork(40, fork);
            for small in 1..=40 {
                for large in small..=40 {
                    let (a, b) = (other.signed(small), whole.signed(large));
                    // The order in which the notes are given does not matter.
                    let (x, y) = if large % 2 == 0 { (&a, &b) } else { (&b, &a) };
                    let found = Evidence::between(x, y, |place| whole.read(place)).unwrap();
                    assert_eq!(found.is_some(), small > fork, "{small} {large} {fork}");
                    let Some(evidence) = found else { continue };
                    assert_eq!(evidence.kind.number(), if small == large { 1 } else { 2 });
                    let proved = verify(&evidence, &whole).unwrap();
                    assert_eq!((proved.origin(), proved.size()), (&whole.origin, small));
                    assert_eq!(proved.id(), evidence.id());
                }
            }
        }
    }

    #[test]
    fn an_honest_log_cannot_be_accused() {
        let log = TestLog::of(20);
        let (note_a, note_b) = (log.note(7), log.note(20));
        let proof = consistency(7, 20, |place| log.read(place)).unwrap();
        let accuse = |mid_root, proof: &[Hash]| {
            let kind = Kind::E2 {
                mid_root,
                proof: proof.to_vec(),
            };
            verify(
                &Evidence {
                    note_a: note_a.clone(),
                    note_b: note_b.clone(),
                    kind,
                },
                &log,
            )
            .unwrap_err()
        };
        assert_eq!(accuse(log.root(7), &proof), EvidenceError::Consistent);
        assert_eq!(
            accuse(log.root(8), &proof),
            EvidenceError::Proof(ProofError::Root)
        );
        assert_eq!(
            accuse(log.root(8), &[]),
            EvidenceError::Proof(ProofError::Length { found: 0 })
        );
        let too_long = [log.root(1); 64];
        let refused = EvidenceError::Proof(ProofError::Length { found: 64 });
        assert_eq!(accuse(log.root(8), &too_long), refused);
        let twice = Evidence {
            note_a: note_a.clone(),
            note_b: note_a.clone(),
            kind: Kind::E1,
        };
        assert_eq!(verify(&twice, &log), Err(EvidenceError::Consistent));
        let kind = Kind::E1;
        let refused = verify(
            &Evidence {
                note_a,
                note_b,
                kind,
            },
            &log,
        );
        assert_eq!(refused, Err(EvidenceError::Sizes { a: 7, b: 20 }));
    }

    #[test]
    fn evidence_needs_two_notes_of_the_accused() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let found = Evidence::between(&log.signed(5), &fork.signed(9), |place| fork.read(place));
        let good = found.unwrap().unwrap();
        let stranger = SigningKey::from_seed([9; 32]);
        let forged = Evidence {
            note_a: log.checkpoint(5).sign(&stranger).unwrap().to_bytes(),
            ..good.clone()
        };
        assert!(matches!(verify(&forged, &log), Err(EvidenceError::Note(_))));
        let next = Origin::new("demo.tocsin.example", "jp", 2).unwrap();
        assert!(matches!(
            good.verify(&log.key.public(), &next),
            Err(EvidenceError::Note(CheckpointError::OtherOrigin { .. }))
        ));
        // The larger note first is no E2.
        let swapped = Evidence {
            note_a: good.note_b.clone(),
            note_b: good.note_a.clone(),
            ..good
        };
        assert_eq!(
            verify(&swapped, &log),
            Err(EvidenceError::Sizes { a: 9, b: 5 })
        );
    }

    #[test]
    fn the_name_depends_on_what_was_signed_alone() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let no_read = |_| Err::<Hash, _>("not asked");
        let between = |a, b| Evidence::between(a, b, no_read).unwrap().unwrap();
        let (a, b) = (log.signed(9), fork.signed(9));
        let one = between(&a, &b);
        assert_eq!(one.id(), between(&b, &a).id());
        let mut dressed = one.clone();
        dressed
            .note_a
            .extend_from_slice("\u{2014} x AAAAAAA=\n".as_bytes());
        assert_eq!(verify(&dressed, &log).unwrap().id(), one.id());
        let other = between(&log.signed(8), &fork.signed(8));
        assert_ne!(other.id(), one.id());
    }

    #[test]
    fn stored_hashes_of_another_log_make_no_evidence() {
        let (log, fork) = (TestLog::of(9), TestLog::with_fork(9, 3));
        let refused = Evidence::between(&fork.signed(5), &log.signed(9), |place| fork.read(place));
        assert_eq!(refused, Err(BetweenError::OtherLog));
        let refused = Evidence::between(&fork.signed(5), &log.signed(9), |_| Err("disk"));
        assert_eq!(refused, Err(BetweenError::Read("disk")));
    }

    proptest! {
        #[test]
        fn hostile_evidence_is_refused_without_a_panic(
            bytes: Vec<u8>,
            hashes in vec(any::<[u8; 32]>(), 0..70),
            sizes in (1_u64..20, 1_u64..20),
        ) {
            let log = TestLog::of(20);
            let proof: Vec<_> = hashes.into_iter().map(Hash).collect();
            let kind = Kind::E2 { mid_root: log.root(3), proof };
            let (a, b) = (log.note(sizes.0), log.note(sizes.1));
            for (note_a, note_b) in [(bytes.clone(), b.clone()), (a.clone(), bytes), (a, b)] {
                for kind in [Kind::E1, kind.clone()] {
                    let (note_a, note_b) = (note_a.clone(), note_b.clone());
                    let evidence = Evidence { note_a, note_b, kind };
                    let _ = evidence.id();
                    prop_assert!(verify(&evidence, &log).is_err());
                }
            }
        }
    }
}
