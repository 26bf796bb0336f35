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
