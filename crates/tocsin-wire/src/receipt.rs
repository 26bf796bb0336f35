//! Receipts: the proof that a statement was accepted into a log.

use tocsin_log::checkpoint::{CheckpointError, Origin, SignedCheckpoint};
use tocsin_log::entry::{Entry, EntryError};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::key::PublicKey;
use tocsin_log::proof::{ProofError, verify_inclusion};

use crate::envelope::{EnvelopeError, read_proof, write_proof};
use crate::proto::v1;

/// Where a statement stands, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was accepted.
    pub statement_id: Hash,
    /// The log it was accepted into.
    pub origin: Origin,
    /// Its place there, counted from 0.
    pub index: u64,
    /// A signed note of a size above `index`, with the cosignatures held.
    pub note: Vec<u8>,
    /// The inclusion proof in that note, leaf upwards.
    pub proof: Vec<Hash>,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// A digest or a proof has not the form of one.
    #[error(transparent)]
    Form(#[from] EnvelopeError),
    /// The log is not named as `<alliance>/<member>/<generation>`.
    #[error("receipt names no log")]
    Origin,
    /// The statement makes no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The receipt is of another statement.
    #[error("receipt is of another statement")]
    OtherStatement,
    /// The note is not the log's own word.
    #[error(transparent)]
    Note(#[from] CheckpointError),
    /// The entry is not where the receipt says.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Receipt {
    /// Reads what a node answered; nothing is checked but the form.
    ///
    /// # Errors
    /// [`ReceiptError::Form`] and [`ReceiptError::Origin`].
    pub fn read(message: &v1::Receipt) -> Result<Self, ReceiptError> {
        let found = message.statement_id.len();
        Ok(Self {
            statement_id: Hash::try_from(message.statement_id.as_slice())
                .map_err(|_| EnvelopeError::Hash { found })?,
            origin: message.log.parse().map_err(|_| ReceiptError::Origin)?,
            index: message.index,
            note: message.note.clone(),
            proof: read_proof(&message.inclusion_proof)?,
        })
    }

    /// As it travels.
    #[must_use]
    pub fn write(&self) -> v1::Receipt {
        v1::Receipt {
            statement_id: self.statement_id.as_bytes().to_vec(),
            log: self.origin.to_string(),
            index: self.index,
            note: self.note.clone(),
            inclusion_proof: write_proof(&self.proof),
        }
    }

    /// Checks that the log with this key has taken exactly this entry.
    ///
    /// # Errors
    /// [`ReceiptError`] names the first thing that does not hold.
    pub fn verify(&self, entry: &Entry, key: &PublicKey) -> Result<SignedCheckpoint, ReceiptError> {
        if entry.statement_id() != self.statement_id {
            return Err(ReceiptError::OtherStatement);
        }
        let leaf = leaf_hash(&entry.encode()?);
        let signed = SignedCheckpoint::open(&self.note, &self.origin, key)?;
        let at = signed.checkpoint();
        verify_inclusion(&leaf, self.index, at.size, &self.proof, &at.root)?;
        Ok(signed)
    }
}

#[cfg(test)]
mod tests {
    use tocsin_log::checkpoint::Checkpoint;
    use tocsin_log::entry::STATEMENT_TYPE;
    use tocsin_log::key::SigningKey;
    use tocsin_log::proof::inclusion;
    use tocsin_log::tree::Tree;

    use super::*;

    fn log_key() -> SigningKey {
        SigningKey::from_seed([9; 32])
    }

    fn said(what: &[u8]) -> Entry {
        Entry::sign(
            STATEMENT_TYPE,
            what.to_vec(),
            &[&SigningKey::from_seed([1; 32])],
        )
    }

    fn accepted() -> (Entry, Receipt) {
        let (mut tree, mut stored) = (Tree::new(), Vec::new());
        for what in [b"a", b"b", b"c"] {
            stored.extend(tree.append(leaf_hash(&said(what).encode().unwrap())));
        }
        let origin = Origin::new("demo.tocsin.example", "us", 1).unwrap();
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            size: 3,
            root: tree.root(),
        };
        let read = |place: u64| Ok::<_, ()>(stored[usize::try_from(place).unwrap()]);
        let entry = said(b"b");
        let receipt = Receipt {
            statement_id: entry.statement_id(),
            origin,
            index: 1,
            note: checkpoint.sign(&log_key()).unwrap().to_bytes(),
            proof: inclusion(1, 3, read).unwrap(),
        };
        (entry, receipt)
    }

    #[test]
    fn a_receipt_travels_and_proves_its_statement_and_no_other() {
        let (entry, receipt) = accepted();
        let key = log_key().public();
        assert_eq!(Receipt::read(&receipt.write()), Ok(receipt.clone()));
        assert_eq!(receipt.verify(&entry, &key).unwrap().checkpoint().size, 3);
        assert_eq!(
            receipt.verify(&said(b"a"), &key),
            Err(ReceiptError::OtherStatement)
        );
        let other = SigningKey::from_seed([8; 32]).public();
        assert!(matches!(
            receipt.verify(&entry, &other),
            Err(ReceiptError::Note(_))
        ));
    }

    #[test]
    fn a_receipt_for_another_place_or_other_signatures_proves_nothing() {
        let (mut entry, mut receipt) = accepted();
        let key = log_key().public();
        receipt.index = 2;
        assert!(matches!(
            receipt.verify(&entry, &key),
            Err(ReceiptError::Proof(_))
        ));
        receipt.index = 1;
        // The same words with a further signature are another entry.
        entry.add_signature(&SigningKey::from_seed([2; 32]));
        let refused = receipt.verify(&entry, &key);
        assert_eq!(refused, Err(ReceiptError::Proof(ProofError::Root)));
    }

    #[test]
    fn a_receipt_of_another_form_is_refused() {
        let good = accepted().1.write();
        let short = v1::Receipt {
            statement_id: vec![1; 31],
            ..good.clone()
        };
        assert!(matches!(Receipt::read(&short), Err(ReceiptError::Form(_))));
        let nowhere = v1::Receipt {
            log: "demo.tocsin.example/us".into(),
            ..good
        };
        assert_eq!(Receipt::read(&nowhere), Err(ReceiptError::Origin));
    }
}
