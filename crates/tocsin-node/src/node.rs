//! What all tasks of a node share, and what each learns for the others.
//!
//! Each mutable thing has one owner: our log the sequencer, a mirror its lock, the registry the
//! applier. What is here are the readers, the tables between them, and the rules for what peers
//! show us.

use std::sync::Arc;

use tocsin_core::registry::Position;
use tocsin_core::roster::{Alliance, Member};
use tocsin_core::statement::{Decoded, Statement};
use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::cosign::Cosigned;
use tocsin_log::entry::Entry;
use tocsin_log::equivocation::{Evidence, Kind};
use tocsin_log::hash::Hash;
use tocsin_log::note::{Note, SignatureLine};
use tocsin_log::quorum::{self, Grade};
use tocsin_store::error::{StopReason, StoreError};
use tocsin_store::reader::{LogReader, Standing as Compared};
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::v1;
use tokio_util::sync::CancellationToken;

use crate::bodies::Bodies;
use crate::clock;
use crate::config::Config;
use crate::cosignatures::{Cosignatures, Held, Offered};
use crate::door::OwnNote;
use crate::drafts::Drafts;
use crate::evidence::EvidenceShelf;
use crate::fault::FaultBell;
use crate::fresh::Fresh;
use crate::indexer::Indexer;
use crate::journal::Journal;
use crate::keys::NodeKeys;
use crate::logs::Logs;
use crate::metrics::Metrics;
use crate::mirror::Mirrors;
use crate::notes::Ahead;
use crate::origins::Origins;
use crate::peers::Peers;
use crate::quotas::Quotas;
use crate::reached::Reached;
use crate::room::Room;
use crate::screening::Screening;
use crate::sequencer::Sequencer;
use crate::signing::{Signing, Standing};
use crate::state::State;
use crate::status::{Reason, Refusal};
use crate::tls::NodeTls;

/// One member's running node.
pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) alliance: Alliance,
    pub(crate) member: Member,
    pub(crate) tls: Arc<NodeTls>,
    pub(crate) metrics: Metrics,
    pub(crate) keys: NodeKeys,
    pub(crate) logs: Arc<Logs>,
    pub(crate) mirrors: Mirrors,
    pub(crate) sequencer: Sequencer,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) origins: Origins,
    pub(crate) room: Arc<Room>,
    pub(crate) bodies: Bodies,
    pub(crate) indexer: Indexer,
    pub(crate) journal: Journal,
    pub(crate) state: Arc<State>,
    pub(crate) fresh: Arc<Fresh>,
    /// Entries of our own log that are in the registry.
    pub(crate) own_applied: Reached,
    pub(crate) cosignatures: Cosignatures,
    pub(crate) own_note: OwnNote,
    pub(crate) drafts: Drafts,
    pub(crate) screening: Screening,
    pub(crate) evidence: EvidenceShelf,
    pub(crate) ahead: Ahead,
    pub(crate) peers: Peers,
    pub(crate) signing: Signing,
    /// Fires when the node is to end: tasks stop, streams say goodbye.
    pub(crate) stop: CancellationToken,
    pub(crate) fault: FaultBell,
    pub(crate) started_ms: i64,
    /// Why an operator overrode the rules before the first signature, if one did.
    pub(crate) overridden: Option<String>,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("member", &self.config.member)
            .finish_non_exhaustive()
    }
}

impl Node {
    /// The member whose node this is.
    pub(crate) const fn member(&self) -> &Member {
        &self.member
    }

    /// Fires when the node is to end.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Something of ours failed: nothing may go on as if it had not. The process ends and
    /// recovers at its start.
    pub(crate) fn fault(&self, what: &str) {
        self.signing.stop(what);
        self.fault.ring(what);
    }

    /// The log with this origin, or with this member's name, or our own for an empty text.
    pub(crate) fn reader(&self, log: &str) -> Result<&LogReader, Refusal> {
        if log.is_empty() {
            return Ok(self.logs.own());
        }
        let origin = match self.alliance.member(log) {
            Some(member) => member.origin.to_string(),
            None => log.to_owned(),
        };
        let unknown = || Refusal::of(Reason::UnknownOrigin).fact("log", log);
        self.logs.reader(&origin).ok_or_else(unknown)
    }

    /// Every member's grade of an entry.
    pub(crate) fn grade(&self, origin: &Origin, index: u64) -> Grade {
        let holding = self.cosignatures.holding(origin, index) + 1;
        quorum::grade(self.alliance.member_count(), holding)
    }

    /// A body by its digest, beside its entry or arrived later.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) fn body(&self, digest: &Hash) -> Result<Option<Vec<u8>>, Refusal> {
        Ok(self.bodies.late(digest))
    }

    /// The entry at a position.
    ///
    /// # Errors
    /// When it is beyond what we hold, or damaged.
    pub(crate) fn entry_at(&self, position: &Position) -> Result<Entry, Refusal> {
        let reader = self.reader(&position.origin.to_string())?;
        let bytes = reader.entry(position.index)?;
        Entry::decode(&bytes).map_err(|_| Refusal::of(Reason::Damaged))
    }

    /// The statement at a position, if it is one we understand.
    pub(crate) fn statement_at(&self, position: &Position) -> Option<Statement> {
        let entry = self.entry_at(position).ok()?;
        match crate::applier::decode(&entry) {
            Decoded::Known(statement) => Some(*statement),
            Decoded::Opaque { .. } | Decoded::Bad(_) => None,
        }
    }

    /// A peer told how far it is with a log; strangers' logs are not remembered.
    pub(crate) fn told(&self, member: &str, origin: &str, size: u64) {
        if self.logs.reader(origin).is_some() {
            self.peers.told(member, origin, size);
        }
    }

    /// The newest note of a log that this node has seen, whether its copy reaches it or not.
    ///
    /// # Errors
    /// For a log of no member, or when the store fails.
    pub(crate) fn newest_note_seen(&self, origin: &str) -> Result<Option<Vec<u8>>, Refusal> {
        if let Some(ahead) = self.ahead.newest(origin) {
            return Ok(Some(ahead.note().to_bytes()));
        }
        let reader = self.reader(origin)?;
        let newest = reader.newest_note()?;
        Ok(newest.map(|(size, note)| self.with_cosignatures(reader, size, &note)))
    }

    /// The newest note of each log that has one, with the cosignatures held.
    ///
    /// # Errors
    /// When a note cannot be read back.
    pub(crate) fn newest_notes(&self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut notes = Vec::new();
        for reader in self.logs.readers() {
            let newest = reader.newest_note()?;
            notes.extend(newest.map(|(size, note)| self.with_cosignatures(reader, size, &note)));
        }
        Ok(notes)
    }

    /// The note of exactly one size, if there is one here.
    ///
    /// # Errors
    /// For a log of no member, or when the store fails.
    pub(crate) fn note_of_size(&self, origin: &str, size: u64) -> Result<Option<Vec<u8>>, Refusal> {
        match self.reader(origin)?.note_at(size) {
            Ok(note) => Ok(Some(note)),
            Err(StoreError::Refused(_)) => Ok(None),
            Err(fault) => Err(fault.into()),
        }
    }

    /// What a peer has seen of our own log: the start-up question, and every note of ours met
    /// later.
    pub(crate) fn heard_about_ourselves(&self, member: &str, note: Option<&[u8]>) {
        if let Some(note) = note {
            self.see_note(member, note);
        }
        if !matches!(self.signing.standing(), Standing::ReadOnly(_)) {
            self.signing.answered(member);
        }
    }

    /// A note that `member` showed: told heads, evidence, or the end of our own signing.
    pub(crate) fn see_note(&self, member: &str, bytes: &[u8]) {
        let Some(note) = self.open_note(bytes) else {
            return;
        };
        let (origin, size) = (note.checkpoint().origin.to_string(), note.checkpoint().size);
        self.told(member, &origin, size);
        let Some(reader) = self.logs.reader(&origin) else {
            return;
        };
        let compared = reader.compare(size, &note.checkpoint().root);
        let is_own = reader.origin() == self.logs.own().origin();
        self.see_own_cosignature(&note);
        match compared {
            Ok(Compared::Agrees) => {}
            Ok(Compared::Newer) => {
                if is_own {
                    self.stop_signing(StopReason::NewerNote { size }, &format!(
                        "{member} holds a newer note of this log, of size {size}, and this copy \
                         ends at {}: it was set back. Restore the newest copy, or let the \
                         governance key open a new generation",
                        reader.size()
                    ));
                }
                self.ahead.keep_note(&origin, note);
            }
            Ok(Compared::OtherRoot) => self.contradiction(member, reader, &note, is_own),
            Err(error) => tracing::warn!(%origin, %error, "a note cannot be compared"),
        }
    }

    /// A cosignature of ours under somebody's note says how far we once were with that log.
    fn see_own_cosignature(&self, note: &SignedCheckpoint) {
        let (name, key) = (self.mirrors.name(), &self.member().mirror_key);
        let checkpoint = note.checkpoint();
        for line in note
            .note()
            .signatures
            .iter()
            .filter(|line| line.name == name)
        {
            if let Ok(time) = tocsin_log::cosign::verify(line, name, key, checkpoint) {
                let Checkpoint { size, root, .. } = *checkpoint;
                self.mirrors.shown(
                    &checkpoint.origin.to_string(),
                    Cosigned { size, root, time },
                );
            }
        }
    }

    /// Two notes of one log that cannot both be true.
    fn contradiction(
        &self,
        member: &str,
        reader: &LogReader,
        note: &SignedCheckpoint,
        is_own: bool,
    ) {
        let size = note.checkpoint().size;
        if is_own {
            self.stop_signing(StopReason::OtherRoot { size }, &format!(
                "{member} holds a note of this log with another root at size {size}: the log key \
                 signed elsewhere. Stop every copy of this node, and let the governance key open \
                 a new generation"
            ));
        }
        // A note that we hold and that covers that size contradicts it: equal sizes are E1,
        // others E2.
        let ours = reader.note_covering(size.saturating_sub(1)).ok().flatten();
        let Some(ours) = ours.and_then(|(_, bytes)| self.open_note(&bytes)) else {
            return;
        };
        match Evidence::between(note, &ours, |place| reader.hash_at(place)) {
            Ok(Some(evidence)) => {
                self.keep_evidence(&evidence);
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a contradiction cannot be proven"),
        }
    }

    fn stop_signing(&self, stop: StopReason, reason: &str) {
        if matches!(
            self.signing.standing(),
            Standing::Repairing(_) | Standing::ReadOnly(_)
        ) {
            // Our own log is known to be short, or signing has ended: this says nothing new.
            return;
        }
        tracing::error!(reason, "this node signs no more in this generation");
        self.sequencer.stop_signing(stop);
        self.signing.stop(reason);
    }

    /// Evidence that a peer passed on; whether it proves anything.
    pub(crate) fn take_evidence(&self, piece: &peer::Evidence) -> bool {
        let Some(evidence) = evidence_from_proto(piece) else {
            return false;
        };
        self.keep_evidence(&evidence)
    }

    fn keep_evidence(&self, evidence: &Evidence) -> bool {
        let Some(note) = self.open_note(&evidence.note_a) else {
            return false;
        };
        let origin = &note.checkpoint().origin;
        let Some(member) = self.alliance.member(origin.member()) else {
            return false;
        };
        if evidence.verify(&member.log_key, origin).is_err() {
            return false;
        }
        let piece = evidence_to_proto(evidence);
        let key = origin.to_string();
        if self.evidence.keep(&key, evidence.id(), piece.clone()) {
            tracing::error!(origin = %key, "this log tells two stories and is frozen");
            self.metrics.equivocations.inc();
            self.journal.evidence(&piece);
            if origin == self.logs.own().origin() {
                let size = note.checkpoint().size;
                self.stop_signing(
                    StopReason::OtherRoot { size },
                    "evidence shows that this log's key signed two histories",
                );
            }
        }
        true
    }

    /// Opens a note of any member's log by that member's key.
    pub(crate) fn open_note(&self, bytes: &[u8]) -> Option<SignedCheckpoint> {
        let note = Note::parse(bytes).ok()?;
        let claimed = Checkpoint::parse_text(&note.text).ok()?;
        let member = self.alliance.member(claimed.origin.member())?;
        if member.origin != claimed.origin {
            return None;
        }
        SignedCheckpoint::open(bytes, &member.origin, &member.log_key).ok()
    }

    /// Somebody's word that it holds so much of a log, whoever passed it on; what it was worth.
    pub(crate) fn take_cosignature(&self, origin: &str, size: u64, line: &str) -> Offered {
        let Ok(line) = SignatureLine::parse(line) else {
            return Offered::Nothing;
        };
        let Some(reader) = self.logs.reader(origin) else {
            return Offered::Nothing;
        };
        let signer = self
            .alliance
            .members()
            .find(|m| m.origin.mirror_name() == line.name);
        let Some(signer) = signer else {
            return Offered::Nothing;
        };
        match reader.root_at(size) {
            Ok(root) => {
                let checkpoint = Checkpoint {
                    origin: reader.origin().clone(),
                    size,
                    root,
                };
                let offered = self.cosignatures.offer(&self.alliance, &checkpoint, &line);
                if offered == Offered::News {
                    self.journal.cosignature(origin, size, &line);
                }
                return offered;
            }
            Err(StoreError::Refused(_)) => {
                self.ahead.keep_line(origin, &signer.id, size, line);
            }
            Err(StoreError::Fault(fault)) => self.fault(&fault.to_string()),
        }
        Offered::Nothing
    }

    /// A log has grown: what was ahead of it can be checked now.
    pub(crate) fn grown(&self, origin: &str) {
        let size = self.logs.reader(origin).map_or(0, LogReader::size);
        let (notes, lines) = self.ahead.reached(origin, size);
        for note in notes {
            self.see_note("an earlier stream", &note.own_note().to_bytes());
        }
        for (of_size, line) in lines {
            self.take_cosignature(origin, of_size, &line.to_line());
        }
        self.peers.progressed(origin);
        self.logs.ring();
    }

    /// What we ourselves vouch for of `origin`.
    pub(crate) fn own_cosignature(&self, origin: &Origin) -> Option<Held> {
        let own = &self.config.member;
        self.cosignatures
            .of(origin)
            .into_iter()
            .find(|held| held.member == *own)
    }

    /// The peer to read `origin` from now.
    pub(crate) fn chosen_upstream(&self, origin: &Origin) -> Option<String> {
        let key = origin.to_string();
        let size = self.logs.reader(&key).map_or(0, LogReader::size);
        self.peers.upstream(&key, origin.member(), size)
    }

    /// Evidence from the local log, after a start.
    pub(crate) fn remember_evidence(&self, piece: &peer::Evidence) {
        let Some(evidence) = evidence_from_proto(piece) else {
            return;
        };
        if let Some(note) = self.open_note(&evidence.note_a) {
            self.evidence.keep(
                &note.checkpoint().origin.to_string(),
                evidence.id(),
                piece.clone(),
            );
        }
    }

    /// A cosignature from the local log, after a start; it is checked like any other.
    pub(crate) fn remember_cosignature(&self, ack: &peer::Ack) {
        let Ok(line) = SignatureLine::parse(&ack.cosignature) else {
            return;
        };
        let Some(reader) = self.logs.reader(&ack.origin) else {
            return;
        };
        let Ok(root) = reader.root_at(ack.size) else {
            return;
        };
        let checkpoint = Checkpoint {
            origin: reader.origin().clone(),
            size: ack.size,
            root,
        };
        self.cosignatures.offer(&self.alliance, &checkpoint, &line);
    }

    /// The genesis roster and every member's manifest, as signed.
    pub(crate) fn roster_envelopes(&self) -> (v1::Envelope, Vec<v1::Envelope>) {
        let roster = tocsin_wire::envelope::write_envelope(self.alliance.roster());
        let manifests = self.alliance.members().map(|member| &member.manifest);
        (
            roster,
            manifests
                .map(tocsin_wire::envelope::write_envelope)
                .collect(),
        )
    }

    /// The member that a peer connection is to.
    pub(crate) fn connected(&self, member: &str) {
        self.peers.connected(member, clock::now_ms());
    }
}

fn evidence_to_proto(evidence: &Evidence) -> peer::Evidence {
    let (mid_root, proof) = match &evidence.kind {
        Kind::E1 => (Vec::new(), Vec::new()),
        Kind::E2 { mid_root, proof } => (
            mid_root.as_bytes().to_vec(),
            tocsin_wire::envelope::write_proof(proof),
        ),
    };
    peer::Evidence {
        r#type: u32::from(evidence.kind.number()),
        note_a: evidence.note_a.clone(),
        note_b: evidence.note_b.clone(),
        mid_root,
        proof,
    }
}

fn evidence_from_proto(piece: &peer::Evidence) -> Option<Evidence> {
    let kind = match piece.r#type {
        1 => Kind::E1,
        2 => {
            let mid_root = Hash(piece.mid_root.as_slice().try_into().ok()?);
            let proof = tocsin_wire::envelope::read_proof(&piece.proof).ok()?;
            Kind::E2 { mid_root, proof }
        }
        _ => return None,
    };
    Some(Evidence {
        note_a: piece.note_a.clone(),
        note_b: piece.note_b.clone(),
        kind,
    })
}
