//! The rules that every entry of every log is judged by, on every node alike (FORMATS section 3).
//!
//! No clock and no state: what depends on other entries is for the registry, what depends on the
//! time for the door.

use std::collections::BTreeSet;

use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::{Entry, EntrySignature, STATEMENT_TYPE};
use tocsin_log::key::{ALG_ED25519, Signature};

use crate::decision::{Decision, DecisionKind};
use crate::order::OrderActKind;
use crate::reason::{Reason, Refusal};
use crate::roster::{Alliance, Member, RecordKey, Role};
use crate::statement::{Act, DecodeError, DecodeFault, Decoded, Statement, StatementRef};

pub mod body;
mod content;
mod goods;
mod terms;

/// Why an entry has no effect.
pub type InvalidReason = Refusal;

/// Who said it, as far as anyone outside the member can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Pseudonyms of the persons who signed.
    pub persons: BTreeSet<String>,
    /// All roles of the keys that signed.
    pub roles: BTreeSet<Role>,
    /// Signed by the node's key alone: a decision by policy, or a lapse.
    pub by_node_key: bool,
}

/// What an entry is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts, unless the fold finds it void beside other entries.
    Valid(Author),
    /// Rightly signed, but this version does not know what it says; kept, and doubt where it is
    /// about an order.
    Opaque {
        /// The order it is about, where that could be read.
        about: Option<StatementRef>,
    },
    /// It has no effect, nor ever will; kept and skipped.
    Invalid(InvalidReason),
}

/// Judges the entry at `index` of the log `origin`. `decoded` is what the wire crate read from its
/// payload.
#[must_use]
pub fn validate(
    entry: &Entry,
    decoded: &Decoded,
    origin: &Origin,
    index: u64,
    alliance: &Alliance,
) -> Verdict {
    // Other payload types come with later versions (manifests do); they are about no order.
    if entry.payload_type != STATEMENT_TYPE {
        return Verdict::Opaque { about: None };
    }
    let judge = || {
        let log = match decoded {
            Decoded::Known(statement) => &statement.log,
            Decoded::Opaque { log, .. } => log,
            Decoded::Bad(error) => return Err(undecodable(error)),
        };
        if *log != origin.log_name() {
            return Err(Refusal::at(Reason::LogMismatch, "log"));
        }
        let member = alliance.by_log(log).ok_or(Reason::SignerUnknown)?;
        let signers = signers(entry, decoded, member, index, alliance)?;
        match decoded {
            Decoded::Known(statement) => judge(entry, statement, member, &signers, alliance),
            Decoded::Opaque { about, .. } => Ok(Verdict::Opaque {
                about: about.clone(),
            }),
            Decoded::Bad(error) => Err(undecodable(error)),
        }
    };
    judge().unwrap_or_else(Verdict::Invalid)
}

/// Judges what a person of `jurisdiction` is about to sign as [`validate`] will, but for
/// signatures and for the logs that it names: for whoever has neither keys nor alliance at hand.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_unsigned(
    statement: &Statement,
    payload_bytes: usize,
    jurisdiction: &str,
) -> Result<(), InvalidReason> {
    content::check_unsigned(statement, payload_bytes, jurisdiction)
}

/// Judges what some of those who must sign have signed, as [`validate`] would, but for the
/// signatures that are missing.
///
/// # Errors
/// The first other rule that it breaks.
pub fn validate_draft(
    entry: &Entry,
    decoded: &Decoded,
    origin: &Origin,
    index: u64,
    alliance: &Alliance,
) -> Result<Signed, InvalidReason> {
    let missing = match validate(entry, decoded, origin, index, alliance) {
        Verdict::Valid(_) => 0,
        // The last of all rules: whatever else could be wrong is not.
        Verdict::Invalid(refusal) if refusal.reason == Reason::NeedsSecondOfficer => 1,
        Verdict::Invalid(refusal) => return Err(refusal),
        Verdict::Opaque { .. } => return Err(Reason::UnknownAct.into()),
    };
    let member = alliance.member(origin.member());
    let person = |signature: &EntrySignature| {
        let key = member?.record_keys.get(&signature.key_id)?;
        Some(key.person.clone())
    };
    let persons = entry.signatures.iter().filter_map(person).collect();
    Ok(Signed { persons, missing })
}

/// How far a draft has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Pseudonyms of the persons who signed.
    pub persons: BTreeSet<String>,
    /// Officers who must still sign.
    pub missing: u32,
}

/// The record keys that signed; every signature must count, so that none can be added by another's
/// hand.
fn signers<'a>(
    entry: &Entry,
    decoded: &Decoded,
    member: &'a Member,
    index: u64,
    alliance: &Alliance,
) -> Result<Vec<&'a RecordKey>, InvalidReason> {
    if entry.signatures.is_empty() {
        return Err(Reason::SignatureMissing.into());
    }
    entry
        .encode()
        .map_err(|error| Refusal::new(Reason::EntryMalformed).with(error.to_string()))?;
    let message = entry.message();
    let mut signers = Vec::with_capacity(entry.signatures.len());
    for (at, signature) in entry.signatures.iter().enumerate() {
        let refuse = |reason| Refusal::at(reason, format!("signatures[{at}]"));
        let Some(key) = member.record_keys.get(&signature.key_id) else {
            return Err(refuse(match alliance.by_record_key(&signature.key_id) {
                Some(_) if is_decision(decoded) => Reason::ForeignJurisdiction,
                Some(_) => Reason::SignerForeign,
                None => Reason::SignerUnknown,
            }));
        };
        if signature.alg != ALG_ED25519 || signature.sig.len() != Signature::LEN {
            return Err(refuse(Reason::SignatureAlgorithm));
        }
        if !signature.verify(&key.key, &message) {
            return Err(refuse(Reason::SignatureInvalid));
        }
        if !key.is_valid_at(index) {
            return Err(refuse(Reason::KeyNotValid));
        }
        signers.push(key);
    }
    Ok(signers)
}

fn is_decision(decoded: &Decoded) -> bool {
    matches!(decoded, Decoded::Known(statement) if matches!(statement.act, Act::Decision(_)))
}

fn judge(
    entry: &Entry,
    statement: &Statement,
    member: &Member,
    signers: &[&RecordKey],
    alliance: &Alliance,
) -> Result<Verdict, InvalidReason> {
    let roles: BTreeSet<Role> = signers.iter().flat_map(|key| &key.roles).copied().collect();
    let author = Author {
        persons: signers.iter().map(|key| key.person.clone()).collect(),
        by_node_key: signers.len() == 1 && roles.contains(&Role::Node),
        roles,
    };
    content::check(
        statement,
        entry.payload.len(),
        member,
        author.by_node_key,
        alliance,
    )?;
    check_signers(&statement.act, signers, &author)?;
    Ok(Verdict::Valid(author))
}

/// Who must sign an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// One person who investigates or decides.
    Investigator,
    /// One officer.
    Officer,
    /// Two officers, who are two persons.
    TwoOfficers,
    /// The node's key, alone.
    Node,
}

/// Two for what binds, one to pause or release (DESIGN decision 7): release is never slower than
/// holding.
const fn need(act: &Act, by_node_key: bool) -> Need {
    match act {
        Act::Report(_) | Act::Indicator(_) => Need::Investigator,
        Act::Order(_) | Act::PolicyPack(_) => Need::TwoOfficers,
        Act::OrderAct(act) => match act.kind {
            OrderActKind::Suspend => Need::Officer,
            OrderActKind::Resume
            | OrderActKind::Modify
            | OrderActKind::Rescind
            | OrderActKind::Withdraw => Need::TwoOfficers,
        },
        Act::Decision(decision) => need_of_decision(decision, by_node_key),
    }
}

const fn need_of_decision(decision: &Decision, by_node_key: bool) -> Need {
    match decision.kind {
        DecisionKind::Lapse => Need::Node,
        DecisionKind::Extend => Need::TwoOfficers,
        DecisionKind::Pause | DecisionKind::End => Need::Officer,
        DecisionKind::Adopt if !by_node_key => Need::TwoOfficers,
        DecisionKind::Hold
        | DecisionKind::Review
        | DecisionKind::Flag
        | DecisionKind::Inform
        | DecisionKind::Decline
        | DecisionKind::NotCompetent
            if !by_node_key =>
        {
            Need::Officer
        }
        DecisionKind::Adopt
        | DecisionKind::Hold
        | DecisionKind::Review
        | DecisionKind::Flag
        | DecisionKind::Inform
        | DecisionKind::Decline
        | DecisionKind::NotCompetent => Need::Node,
    }
}

fn check_signers(act: &Act, signers: &[&RecordKey], author: &Author) -> Result<(), InvalidReason> {
    let need = need(act, author.by_node_key);
    let may_sign = |key: &RecordKey| match need {
        Need::Investigator => !key.roles.contains(&Role::Node),
        Need::Officer | Need::TwoOfficers => key.roles.contains(&Role::Officer),
        Need::Node => author.by_node_key,
    };
    if let Some(at) = signers.iter().position(|key| !may_sign(key)) {
        return Err(Refusal::at(
            Reason::RoleNotAllowed,
            format!("signatures[{at}]"),
        ));
    }
    if need != Need::TwoOfficers || author.persons.len() >= 2 {
        return Ok(());
    }
    if signers.len() >= 2 {
        return Err(Refusal::at(Reason::SamePerson, "signatures"));
    }
    Err(Refusal::at(Reason::NeedsSecondOfficer, "signatures"))
}

/// The refusal of bytes that are no statement.
#[must_use]
pub fn undecodable(error: &DecodeError) -> Refusal {
    let reason = match error.fault {
        DecodeFault::Malformed => Reason::Malformed,
        DecodeFault::NotCanonical => Reason::NotCanonical,
        DecodeFault::NotUtf8 => Reason::NotUtf8,
        DecodeFault::TooDeep => Reason::TooDeep,
        DecodeFault::TooMany => Reason::ListTooLong,
        DecodeFault::TooLarge => Reason::EntryTooLarge,
        DecodeFault::Length => Reason::FieldLength,
        DecodeFault::Missing => Reason::FieldMissing,
        DecodeFault::UnknownValue => Reason::UnknownValue,
        DecodeFault::NoAct => Reason::ActMissing,
        DecodeFault::NoSalt => Reason::BodyTooSmall,
    };
    Refusal::at(reason, &error.field)
}

#[cfg(test)]
mod tests;
