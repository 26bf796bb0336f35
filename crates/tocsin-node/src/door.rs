//! The way into our own log: everything that is said here passes [`admit`] and then the
//! sequencer, whether a client, an officer or the node itself says it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tocsin_core::admit::{Admitted, Door, Known, admit};
use tocsin_core::name::Numbered;
use tocsin_core::quota::{Exceeded, Said};
use tocsin_core::statement::{Statement, StatementRef};
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_wire::receipt::Receipt;
use tocsin_wire::submission;

use crate::clock;
use crate::limits;
use crate::node::Node;
use crate::signing::Standing;
use crate::status::{Reason, Refusal};

/// A statement that stands in our log.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) index: u64,
    pub(crate) statement_id: Hash,
    /// `members/us/orders/2026-0412`.
    pub(crate) name: String,
}

/// Checks a statement at the door without letting it in.
///
/// # Errors
/// What the door says.
pub(crate) fn check(node: &Node, entry: Entry, bodies: Vec<Vec<u8>>) -> Result<Admitted, Refusal> {
    let door = Door {
        alliance: &node.alliance,
        member: node.member(),
        next_index: node.logs.own().size(),
        now_ms: clock::now_ms(),
        known: node,
    };
    let admitted = admit(submission::of(entry, bodies), &door).map_err(Refusal::from);
    let admitted = admitted.and_then(|admitted| {
        // The disk is asked once a batch; each submission goes by what was heard last.
        let has_room = || !node.room.is_low() || node.room.may_grow(0);
        if admitted.is_release() || has_room() {
            return Ok(admitted);
        }
        Err(Refusal::of(Reason::DiskReserved).retry_after(limits::DISK_RETRY))
    });
    admitted.inspect_err(|refusal| node.metrics.submission_refused(refusal.code))
}

/// A statement that the door has looked at.
#[derive(Debug)]
pub(crate) enum Heard {
    /// It stands in our log already: it gets the receipt that it has.
    Known(Accepted),
    /// It may be appended.
    New {
        /// What the sequencer takes.
        admitted: Box<Admitted>,
        /// As [`Accepted::name`].
        name: String,
    },
}

/// Looks at a statement that is to be let in, and at whether it is in already.
///
/// # Errors
/// What the door says, or why the node does not sign now.
pub(crate) fn hear(node: &Node, entry: Entry, bodies: Vec<Vec<u8>>) -> Result<Heard, Refusal> {
    let own = node.logs.own().origin();
    let statement_id = entry.statement_id();
    let statement = StatementRef {
        log: own.log_name(),
        statement_id,
    };
    let known = node.state.read().registry.find(&statement);
    if let Some(position) = known {
        let statement = node.statement_at(&position);
        let name = statement.map_or_else(String::new, |statement| {
            tocsin_core::name::resource(own.member(), &statement, &statement_id)
        });
        return Ok(Heard::Known(Accepted {
            index: position.index,
            statement_id,
            name,
        }));
    }
    let admitted = check(node, entry, bodies)?;
    may_sign(node)?;
    let name = admitted.name(node.member());
    Ok(Heard::New {
        admitted: Box::new(admitted),
        name,
    })
}

/// Lets a statement into our log; durable, signed and applied when this returns.
///
/// # Errors
/// What the door says, or why the node does not sign now.
pub(crate) async fn submit(
    node: &Node,
    entry: Entry,
    bodies: Vec<Vec<u8>>,
) -> Result<Accepted, Refusal> {
    let accepted = match hear(node, entry, bodies)? {
        Heard::Known(accepted) => accepted,
        Heard::New { admitted, name } => {
            let statement_id = *admitted.statement_id();
            Accepted {
                index: node.sequencer.append(admitted).await?,
                statement_id,
                name,
            }
        }
    };
    settle(node, &accepted).await?;
    Ok(accepted)
}

/// Waits until what was accepted is durable and signed, and seen by whoever asks next.
///
/// # Errors
/// It is not within [`limits::REQUEST_DEADLINE`].
pub(crate) async fn settle(node: &Node, accepted: &Accepted) -> Result<(), Refusal> {
    wait_committed(node, accepted.index).await?;
    // An answer means that whoever asks next sees it; a slow applier does not hold the answer up
    // for ever, and one that has ended with the node not at all.
    let applied = node.own_applied.wait(accepted.index + 1);
    tokio::select! {
        _ = tokio::time::timeout(limits::APPLY_BEFORE_ANSWER, applied) => {}
        () = node.stop.cancelled() => {}
    }
    node.metrics.submissions_accepted.inc();
    Ok(())
}

/// Whether this node signs now, and what to tell whom it cannot serve.
pub(crate) fn may_sign(node: &Node) -> Result<(), Refusal> {
    match node.signing.standing() {
        Standing::Ready => Ok(()),
        Standing::Asking | Standing::Repairing(_) => {
            Err(Refusal::of(Reason::AskingPeers).retry_after(Duration::from_secs(1)))
        }
        Standing::ReadOnly(reason) => {
            let refusal =
                Refusal::of(Reason::ReadOnly).saying(format!("this node does not sign: {reason}"));
            Err(refusal.retry_after(Duration::from_secs(60)))
        }
    }
}

/// A repeated statement's first copy may still be on its way to the disk.
async fn wait_committed(node: &Node, index: u64) -> Result<(), Refusal> {
    if node.logs.own().size() > index {
        return Ok(());
    }
    let mut grown = node.logs.watch();
    let committed = async {
        while node.logs.own().size() <= index {
            if grown.changed().await.is_err() {
                return;
            }
        }
    };
    let waited = tokio::time::timeout(limits::REQUEST_DEADLINE, committed).await;
    waited.map_err(|_| Refusal::of(Reason::DeadlinePassed))
}

/// The proof that an entry of our log was accepted: the newest note with all cosignatures held of
/// its size.
///
/// # Errors
/// When the store fails.
pub(crate) fn receipt(node: &Node, accepted: &Accepted) -> Result<Receipt, Refusal> {
    let own = node.logs.own();
    let newest = node.own_note.newest(node)?;
    let Some(newest) = newest.filter(|newest| newest.size > accepted.index) else {
        // After a start the newest note is signed again, but not before signing is allowed.
        may_sign(node)?;
        return Err(Refusal::of(Reason::AskingPeers).retry_after(Duration::from_secs(1)));
    };
    let proof = own.inclusion(accepted.index, newest.size)?;
    Ok(Receipt {
        statement_id: accepted.statement_id,
        origin: own.origin().clone(),
        index: accepted.index,
        note: newest.note,
        proof,
    })
}

/// The newest note of our own log, put together once for all receipts that carry it: finding it
/// and checking it again costs more than all else of a receipt.
#[derive(Debug, Default)]
pub(crate) struct OwnNote {
    last: Mutex<Option<Newest>>,
}

#[derive(Debug, Clone)]
struct Newest {
    size: u64,
    /// Cosignatures known when it was put together.
    cosignatures: u64,
    /// With all cosignatures held of its size.
    note: Vec<u8>,
}

impl OwnNote {
    fn newest(&self, node: &Node) -> Result<Option<Newest>, Refusal> {
        let own = node.logs.own();
        let (size, cosignatures) = (own.size(), node.cosignatures.sequence());
        // A note that a panic left behind is whole: it is put there in one move.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && last.size >= size
            && last.cosignatures >= cosignatures
        {
            return Ok(Some(last.clone()));
        }
        let Some((size, bytes)) = own.newest_note()? else {
            return Ok(None);
        };
        let newest = Newest {
            size,
            cosignatures,
            note: node.with_cosignatures(own, size, &bytes),
        };
        *last = Some(newest.clone());
        Ok(Some(newest))
    }
}

/// Waits until an entry of ours has a grade, as long as a caller may be kept waiting.
pub(crate) async fn wait_for(node: &Node, index: u64, grade: Grade, most: Duration) -> Grade {
    let origin = node.logs.own().origin();
    let held = node.grade(origin, index);
    if held >= grade {
        return held;
    }
    let mut changed = node.cosignatures.watch();
    let reached = async {
        while node.grade(origin, index) < grade {
            if changed.changed().await.is_err() {
                return;
            }
        }
    };
    // A wait that times out answers OK with the grade reached.
    let _ = tokio::time::timeout(most, reached).await;
    node.grade(origin, index)
}

impl Known for Node {
    fn number_holder(&self, year: i64, number: u32) -> Option<Hash> {
        let year = u16::try_from(year).ok()?;
        let numbered = Numbered {
            member: self.config.member.clone(),
            year,
            number,
        };
        let position = self.state.read().registry.numbered(&numbered)?;
        self.entry_at(&position)
            .ok()
            .map(|entry| entry.statement_id())
    }

    fn is_order(&self, order: &StatementRef) -> bool {
        self.state.read().registry.texts(order).next().is_some()
    }

    fn is_text_of(&self, order: &StatementRef, statement_id: &Hash) -> bool {
        self.state
            .read()
            .registry
            .texts(order)
            .any(|text| text == *statement_id)
    }

    fn is_release(&self, statement: &Statement) -> bool {
        let jurisdiction = &self.member().jurisdiction;
        let applied = self.state.read();
        applied
            .registry
            .is_release(statement, jurisdiction, clock::now_ms())
    }

    fn may_say(&self, said: &Said) -> Result<(), Exceeded> {
        self.quotas.check(said, clock::now_ms())
    }
}

impl Node {
    /// A note of ours or a mirror's with every cosignature line held of exactly its size.
    pub(crate) fn with_cosignatures(
        &self,
        reader: &tocsin_store::reader::LogReader,
        size: u64,
        note: &[u8],
    ) -> Vec<u8> {
        let mut held = self.cosignatures.of(reader.origin());
        held.retain(|held| held.size == size);
        if held.is_empty() {
            return note.to_vec();
        }
        let member = self.alliance.member(reader.origin().member());
        let opened =
            member.and_then(|m| SignedCheckpoint::open(note, reader.origin(), &m.log_key).ok());
        let Some(mut opened) = opened else {
            return note.to_vec();
        };
        for held in held {
            if opened.add_line(held.line).is_err() {
                break;
            }
        }
        opened.note().to_bytes()
    }
}
