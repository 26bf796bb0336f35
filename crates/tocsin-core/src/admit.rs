//! The one door: what a member's own node asks of a statement before it goes into its log.
//!
//! Everything that `validate` asks, and what may depend on the clock, on this node's member and on
//! what is already known. Submission, import and the node's own decisions all come through here;
//! only [`admit`] makes an
//! [`Admitted`].

use tocsin_log::entry::{Entry, MAX_DOOR_ENTRY_BYTES, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::key::KeyId;

use crate::date;
use crate::name::{self, Numbered};
use crate::quota::{Exceeded, Said};
use crate::reason::{Reason, Refusal};
use crate::roster::{Alliance, Member};
use crate::statement::{
    Act, BodyRef, DecodeError, Decoded, DecodedBody, MAX_BODIES, Statement, StatementRef, Unknown,
};
use crate::validate::{self, Author, Signed, Verdict, undecodable, validate, validate_draft};

/// Why a statement is not let in; the submitter is told, and nothing is kept.
pub type AdmitError = Refusal;

/// What somebody wants to be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Exact signed bytes and who signed them.
    pub entry: Entry,
    /// What the wire crate read from its payload.
    pub decoded: Decoded,
    /// The bodies, in the statement's order.
    pub bodies: Vec<SubmittedBody>,
}

/// A body as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmittedBody {
    /// Salt and content.
    pub bytes: Vec<u8>,
    /// What the wire crate read from the content, by the kind of act.
    pub decoded: Result<DecodedBody, DecodeError>,
}

/// Where the door stands, and what is known behind it.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// The alliance.
    pub alliance: &'a Alliance,
    /// Whose node it is.
    pub member: &'a Member,
    /// The index that the entry would get.
    pub next_index: u64,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
    /// What the registry knows.
    pub known: &'a dyn Known,
}

/// What the door asks of the registry.
pub trait Known {
    /// The statement of the door's member that has this number in this UTC year.
    fn number_holder(&self, year: i64, number: u32) -> Option<Hash>;

    /// Whether an order is held here whose issue is this statement.
    fn is_order(&self, order: &StatementRef) -> bool;

    /// Whether this statement is the order's issue or a modification of it that is held here.
    fn is_text_of(&self, order: &StatementRef, statement_id: &Hash) -> bool;

    /// Whether this statement releases goods that are held or stopped now, so that no quota and no
    /// full disk may keep it out.
    fn is_release(&self, statement: &Statement) -> bool;

    /// Whether everybody who signed may say so much more.
    ///
    /// # Errors
    /// The bound that it would pass.
    fn may_say(&self, said: &Said) -> Result<(), Exceeded>;
}

/// A statement that may be appended to the member's log. Only [`admit`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    entry: Vec<u8>,
    statement_id: Hash,
    statement: Box<Statement>,
    signers: Vec<KeyId>,
    author: Author,
    bodies: Vec<Vec<u8>>,
    decoded_bodies: Vec<DecodedBody>,
    counted: Option<Said>,
    is_release: bool,
}

impl Admitted {
    /// The exact bytes of the entry.
    #[must_use]
    pub fn entry(&self) -> &[u8] {
        &self.entry
    }

    /// What was signed, whoever signed it.
    #[must_use]
    pub const fn statement_id(&self) -> &Hash {
        &self.statement_id
    }

    /// The statement.
    #[must_use]
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The statement alone, for whoever has no more use for its bytes.
    #[must_use]
    pub fn into_statement(self) -> Box<Statement> {
        self.statement
    }

    /// Whether the keys that signed it are valid at the index that it gets. The door judged it for
    /// the one that was next then; nothing else of the verdict depends on the index.
    #[must_use]
    pub fn is_valid_at(&self, index: u64, member: &Member) -> bool {
        self.signers.iter().all(|key_id| {
            let key = member.record_keys.get(key_id);
            key.is_some_and(|key| key.is_valid_at(index))
        })
    }

    /// Who signed.
    #[must_use]
    pub const fn author(&self) -> &Author {
        &self.author
    }

    /// The bodies with their salts, in the statement's order.
    #[must_use]
    pub fn bodies(&self) -> &[Vec<u8>] {
        &self.bodies
    }

    /// The same bodies, read.
    #[must_use]
    pub fn decoded_bodies(&self) -> &[DecodedBody] {
        &self.decoded_bodies
    }

    /// As what it counts against the quotas of those who signed; none for what releases goods, and
    /// for the node's own word.
    #[must_use]
    pub const fn counted(&self) -> Option<&Said> {
        self.counted.as_ref()
    }

    /// It releases goods: no quota, full queue or full disk may keep it out.
    #[must_use]
    pub const fn is_release(&self) -> bool {
        self.is_release
    }

    /// The full name under which it will stand: `members/us/orders/2026-0412`.
    #[must_use]
    pub fn name(&self, member: &Member) -> String {
        name::resource(&member.id, &self.statement, &self.statement_id)
    }
}

/// Lets a statement in, or says why not.
///
/// A statement that is already in the log is not asked about here: whoever keeps the door answers
/// it with its old receipt, before.
///
/// # Errors
/// The first rule that is broken: form, signatures, content, place and time, bodies, what is known,
/// then quotas.
pub fn admit(submission: Submission, door: &Door<'_>) -> Result<Admitted, AdmitError> {
    let looked = look(submission, door, |entry, decoded| {
        match validate(
            entry,
            decoded,
            &door.member.origin,
            door.next_index,
            door.alliance,
        ) {
            Verdict::Valid(author) => Ok(author),
            Verdict::Opaque { .. } => Err(Reason::UnknownAct.into()),
            Verdict::Invalid(refusal) => Err(refusal),
        }
    })?;
    let (statement, author) = (&looked.statement, &looked.signed);
    let is_release = door.known.is_release(statement);
    let bytes = looked.entry.len() + looked.bodies.iter().map(Vec::len).sum::<usize>();
    let counted = (!is_release && !author.by_node_key)
        .then(|| Said::new(statement, author.persons.clone(), bytes as u64));
    if let Some(said) = &counted {
        door.known.may_say(said)?;
    }
    Ok(Admitted {
        entry: looked.entry,
        statement_id: looked.statement_id,
        statement: looked.statement,
        signers: looked.signers,
        author: looked.signed,
        bodies: looked.bodies,
        decoded_bodies: looked.decoded_bodies,
        counted,
        is_release,
    })
}

/// Judges a draft as [`admit`] will judge the statement, but for the signatures that are missing.
///
/// Nothing counts against quotas before it is said.
///
/// # Errors
/// As [`admit`], but for quotas.
pub fn admit_draft(submission: Submission, door: &Door<'_>) -> Result<Signed, AdmitError> {
    let looked = look(submission, door, |entry, decoded| {
        validate_draft(
            entry,
            decoded,
            &door.member.origin,
            door.next_index,
            door.alliance,
        )
    })?;
    Ok(looked.signed)
}

/// What was looked at, and by whom it is signed.
struct Looked<S> {
    entry: Vec<u8>,
    statement_id: Hash,
    statement: Box<Statement>,
    /// The keys that are said to have signed; those of an admitted statement have.
    signers: Vec<KeyId>,
    signed: S,
    bodies: Vec<Vec<u8>>,
    decoded_bodies: Vec<DecodedBody>,
}

fn look<S>(
    submission: Submission,
    door: &Door<'_>,
    judge: impl FnOnce(&Entry, &Decoded) -> Result<S, AdmitError>,
) -> Result<Looked<S>, AdmitError> {
    let Submission {
        entry,
        decoded,
        bodies,
    } = submission;
    if entry.payload_type != STATEMENT_TYPE {
        return Err(Refusal::at(Reason::PayloadType, "payload_type"));
    }
    let entry_bytes = entry
        .encode()
        .map_err(|error| Refusal::new(Reason::EntryMalformed).with(error.to_string()))?;
    if entry_bytes.len() > MAX_DOOR_ENTRY_BYTES {
        let detail = format!("{} bytes", entry_bytes.len());
        return Err(Refusal::new(Reason::EntryTooLarge).with(detail));
    }
    check_place(readable(&decoded)?, door)?;
    let signed = judge(&entry, &decoded)?;
    let statement = match decoded {
        Decoded::Known(statement) => statement,
        // `readable` has said no to these.
        Decoded::Opaque { .. } => return Err(Reason::UnknownAct.into()),
        Decoded::Bad(error) => return Err(undecodable(&error)),
    };
    check_window(statement.created_ms, door.now_ms)?;
    let (bodies, decoded_bodies) = check_bodies(&statement, bodies, door.member)?;
    let statement_id = entry.statement_id();
    check_known(&statement, &statement_id, door)?;
    let signers = entry.signatures.iter();
    Ok(Looked {
        entry: entry_bytes,
        statement_id,
        statement,
        signers: signers.map(|signature| signature.key_id).collect(),
        signed,
        bodies,
        decoded_bodies,
    })
}

/// The statement, where all of it is understood.
fn readable(decoded: &Decoded) -> Result<&Statement, AdmitError> {
    match decoded {
        Decoded::Known(statement) => Ok(statement),
        Decoded::Opaque { why, .. } => Err(Refusal::new(match why {
            Unknown::Act => Reason::UnknownAct,
            Unknown::Field => Reason::UnknownField,
            Unknown::Value => Reason::UnknownValue,
        })),
        Decoded::Bad(error) => Err(undecodable(error)),
    }
}

/// Whose log it is meant for, before any signature is looked at: the answer is of more use than
/// "unknown key".
fn check_place(statement: &Statement, door: &Door<'_>) -> Result<(), AdmitError> {
    let Some(member) = door.alliance.member_of_log(&statement.log) else {
        return Err(Refusal::at(Reason::WrongAlliance, "log").with(&statement.log));
    };
    if member != door.member.id {
        return Err(Refusal::at(Reason::NotOurLog, "log").with(&statement.log));
    }
    let is_act = matches!(statement.act, Act::OrderAct(_));
    match &statement.about {
        Some(about) if is_act && about.log != statement.log => {
            Err(Refusal::at(Reason::NotTheIssuer, "about"))
        }
        Some(_) | None => Ok(()),
    }
}

/// Replays of old statements, and dates that would reorder the years' numbers, stop here.
fn check_window(created_ms: i64, now_ms: i64) -> Result<(), AdmitError> {
    let window = now_ms.saturating_sub(MAX_AGE_MS)..=now_ms.saturating_add(MAX_AHEAD_MS);
    if window.contains(&created_ms) {
        return Ok(());
    }
    let detail = format!(
        "created {}, now {}",
        date::display(created_ms),
        date::display(now_ms)
    );
    Err(Refusal::at(Reason::CreatedOutOfWindow, "created_ms").with(detail))
}

fn check_bodies(
    statement: &Statement,
    bodies: Vec<SubmittedBody>,
    member: &Member,
) -> Result<(Vec<Vec<u8>>, Vec<DecodedBody>), AdmitError> {
    if bodies.len() != statement.bodies.len() || bodies.len() > MAX_BODIES {
        let detail = format!("{} sent, {} named", bodies.len(), statement.bodies.len());
        return Err(Refusal::at(Reason::BodyCount, "bodies").with(detail));
    }
    let mut kept = Vec::with_capacity(bodies.len());
    let mut read = Vec::with_capacity(bodies.len());
    for (at, (named, body)) in statement.bodies.iter().zip(bodies).enumerate() {
        let SubmittedBody { bytes, decoded } = body;
        let content = check_body(&statement.act, named, &bytes, decoded, member)
            .map_err(|refusal| refusal.within(format!("bodies[{at}]")))?;
        kept.push(bytes);
        read.push(content);
    }
    Ok((kept, read))
}

fn check_body(
    act: &Act,
    named: &BodyRef,
    bytes: &[u8],
    decoded: Result<DecodedBody, DecodeError>,
    member: &Member,
) -> Result<DecodedBody, AdmitError> {
    if u64::try_from(bytes.len()) != Ok(named.length) || Hash::of(bytes) != named.sha256 {
        return Err(Reason::BodyDigest.into());
    }
    let content = decoded.map_err(|error| undecodable(&error))?;
    validate::body::check(act, &content, &member.jurisdiction)?;
    Ok(content)
}

fn check_known(
    statement: &Statement,
    statement_id: &Hash,
    door: &Door<'_>,
) -> Result<(), AdmitError> {
    if statement.act.is_numbered() {
        let year = date::year(statement.created_ms);
        let holder = door.known.number_holder(year, statement.number);
        if holder.is_some_and(|holder| holder != *statement_id) {
            let name = Numbered::of(&door.member.id, statement);
            let name = name.map(|name| name.to_string()).unwrap_or_default();
            return Err(Refusal::at(Reason::NumberTaken, "number").with(name));
        }
    }
    let Some(order) = &statement.about else {
        return Ok(());
    };
    if !door.known.is_order(order) {
        return Err(Refusal::at(Reason::OrderUnknown, "about"));
    }
    match &statement.act {
        Act::Decision(decision) if !door.known.is_text_of(order, &decision.judged) => {
            Err(Refusal::at(Reason::JudgedUnknown, "decision.judged"))
        }
        Act::Report(_)
        | Act::Indicator(_)
        | Act::Order(_)
        | Act::OrderAct(_)
        | Act::Decision(_)
        | Act::PolicyPack(_) => Ok(()),
    }
}

/// A quota that is used up.
impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        let after_ms = u64::try_from(exceeded.retry_ms).unwrap_or_default();
        let refusal = Self::new(Reason::QuotaPerson).with(exceeded.to_string());
        refusal.retry(after_ms)
    }
}

impl std::fmt::Debug for Door<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door")
            .field("member", &self.member.id)
            .field("next_index", &self.next_index)
            .field("now_ms", &self.now_ms)
            .finish_non_exhaustive()
    }
}

/// How far created_ms may lie behind the door's clock (FORMATS section 3): 30 days.
pub const MAX_AGE_MS: i64 = 30 * date::DAY_MS;
/// How far created_ms may lie ahead of the door's clock (FORMATS section 3): 300 s.
pub const MAX_AHEAD_MS: i64 = 300_000;

#[cfg(test)]
mod tests;
