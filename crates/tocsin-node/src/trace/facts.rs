//! What this node holds of a statement's way, as plain values.

use tocsin_core::decision::PolicyCitation;
use tocsin_core::name::{self, BlockName, Name, Numbered};
use tocsin_core::notice::{BlockState, Notice};
use tocsin_core::order::OrderActKind;
use tocsin_core::policy::{Pack, PolicyPack};
use tocsin_core::registry::{Position, Registry, VoidReason};
use tocsin_core::roster::Member;
use tocsin_core::statement::{Act, Decoded, Statement, StatementRef};
use tocsin_core::validate::{Verdict, validate};
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_store::reader::LogReader;
use tocsin_wire::proto::v1;

use crate::clock;
use crate::limits;
use crate::node::Node;
use crate::serve::find;
use crate::signing::Standing;
use crate::status::{Reason, Refusal};

/// Everything that the answer is made of.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) said: Said,
    /// One for each member that was asked about.
    pub(crate) ways: Vec<Way>,
}

/// The statement and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    /// Full name.
    pub(crate) name: String,
    pub(crate) statement_id: Hash,
    pub(crate) origin: String,
    pub(crate) author: String,
    pub(crate) index: u64,
    pub(crate) created_ms: i64,
    /// Who signed, as far as the manifest says.
    pub(crate) signers: String,
    pub(crate) worth: Worth,
    /// Size of the note that covers it.
    pub(crate) noted: Option<u64>,
    /// There is proof against its log.
    pub(crate) is_frozen: bool,
}

/// What the entry is worth, by the rules that every node judges by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Worth {
    Valid,
    /// Beside other entries it has no effect.
    Void(VoidReason),
    /// This version does not know what it says.
    Opaque,
    /// Stable code, and the rule in words.
    Invalid(&'static str, String),
}

/// One member on the way.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    pub(crate) member: String,
    pub(crate) is_author: bool,
    /// The asked node's own member.
    pub(crate) is_us: bool,
    pub(crate) is_connected: bool,
    /// Of the last change of that (Unix ms).
    pub(crate) since_ms: i64,
    /// Largest size of the statement's log that it has cosigned, and when (Unix ms).
    pub(crate) cosigned: Option<(u64, i64)>,
    /// Of us: whether the entry is in the registry.
    pub(crate) is_applied: bool,
    /// Of us: the code of why we do not sign.
    pub(crate) does_not_sign: Option<&'static str>,
    /// Entries of its own log that are here.
    pub(crate) log_size: u64,
    /// Nobody has named more of its log, and it is connected to us, or is us.
    pub(crate) is_log_current: bool,
    pub(crate) fate: Fate,
}

/// What becomes of a statement at a member once it is judged.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It is there to be read, or acts through something else.
    Read,
    /// An order: how its block stands there.
    Block(Block),
    /// A decision at its own author: whether the block rests on it, and how that stands.
    Decision { is_current: bool, block: Block },
    /// A policy pack at its own author.
    Pack(PackFate),
}

/// How a block stands, and what brought it there.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub(crate) name: String,
    pub(crate) state: BlockState,
    pub(crate) reason: String,
    pub(crate) since_ms: i64,
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
    pub(crate) is_selectors_missing: bool,
    /// The decision that counts.
    pub(crate) decision: Option<Decided>,
    /// The last decision that has no effect.
    pub(crate) void: Option<(String, VoidReason)>,
    /// The issuer's newest act that counts.
    pub(crate) act: Option<(String, OrderActKind)>,
}

/// A decision in a member's own log.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    /// `de/1/3`: member, generation, index.
    pub(crate) entry: String,
    pub(crate) kind: &'static str,
    pub(crate) at_ms: i64,
    /// Of a decision by policy: rule and pack.
    pub(crate) policy: Option<PolicyCitation>,
}

/// How a policy pack stands in its own jurisdiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PackFate {
    InForce,
    /// From this instant (Unix ms).
    Later(i64),
    /// Another one is in force.
    Replaced(Hash),
    /// It is no pack of this jurisdiction.
    Unusable,
}

/// Reads everything about the statement that `asked` names.
///
/// # Errors
/// As [`super::trace`].
pub(crate) fn gather(node: &Node, asked: &v1::TraceStatementRequest) -> Result<Facts, Refusal> {
    let parsed = Name::parse(&asked.name).ok_or_else(find::no_name)?;
    let target = target(node, &parsed, &asked.member)?;
    let position = locate(node, &asked.name, &parsed)?;
    let entry = node.entry_at(&position)?;
    let decoded = crate::applier::decode(&entry);
    let said = said(node, &position, &entry, &decoded)?;
    let statement = match &decoded {
        Decoded::Known(statement) => Some(statement.as_ref()),
        Decoded::Opaque { .. } | Decoded::Bad(_) => None,
    };
    let members = node.alliance.members();
    let members = members.filter(|member| target.as_ref().is_none_or(|id| *id == member.id));
    let ways = members.map(|member| way(node, &position, statement, &said, member));
    Ok(Facts {
        ways: ways.collect(),
        said,
    })
}

/// The member that the way is followed to: as asked, or the block's; none means every one.
fn target(node: &Node, name: &Name, asked: &str) -> Result<Option<String>, Refusal> {
    let unknown = |at: &'static str| {
        Refusal::of(Reason::NotFound)
            .saying("no member of this alliance has this id or jurisdiction")
            .at(at)
    };
    let of = |text: &str| {
        let by_id = node.alliance.member(&text.to_ascii_lowercase());
        by_id.or_else(|| node.alliance.by_jurisdiction(&text.to_ascii_uppercase()))
    };
    let of_block = match name {
        Name::Block(BlockName { jurisdiction, .. }) => {
            let member = node.alliance.by_jurisdiction(jurisdiction);
            Some(member.ok_or_else(|| unknown("name"))?)
        }
        Name::Numbered { .. } | Name::Prefixed { .. } | Name::Statement(_) => None,
    };
    let named = match asked {
        "" => None,
        asked => Some(of(asked).ok_or_else(|| unknown("member"))?),
    };
    match (of_block, named) {
        (Some(block), Some(named)) if block.id != named.id => {
            Err(Refusal::of(Reason::FieldInvalid)
                .saying("the block is another member's than the one asked about")
                .at("member"))
        }
        (_, Some(member)) | (Some(member), None) => Ok(Some(member.id.clone())),
        (None, None) => Ok(None),
    }
}

/// The entry that is meant. What has no effect stands in no register of names, so for that the
/// newest entries of each log are read.
fn locate(node: &Node, text: &str, name: &Name) -> Result<Position, Refusal> {
    let found = {
        let applied = node.state.read();
        let registry = &applied.registry;
        match name {
            Name::Block(block) => {
                let order = registry.order_named(&block.order);
                let position = order.and_then(|order| registry.find(&order));
                position.ok_or_else(|| find::not_found(text))
            }
            Name::Numbered { .. } | Name::Prefixed { .. } | Name::Statement(_) => {
                find::entry(registry, text, None)
            }
        }
    };
    match found {
        Err(refusal) if refusal.code == Reason::NotFound.code() => {
            let readers = node.logs.readers();
            let scanned = readers.filter_map(|reader| scan(reader, name).transpose());
            scanned.last().unwrap_or(Err(refusal))
        }
        found => found,
    }
}

/// The newest entry of a log that bears the name, among those that are looked through.
fn scan(reader: &LogReader, name: &Name) -> Result<Option<Position>, Refusal> {
    let mut found = None;
    let mut at = reader.size().saturating_sub(limits::MAX_TRACED_ENTRIES);
    while at < reader.size() {
        let entries = reader.range(at, limits::READ_CHUNK_BYTES)?;
        let Some(last) = entries.last() else { break };
        at = last.index + 1;
        for stored in &entries {
            let entry = Entry::decode(&stored.entry).ok();
            if entry.is_some_and(|entry| is_named(reader.origin().member(), &entry, name)) {
                found = Some(Position {
                    origin: reader.origin().clone(),
                    index: stored.index,
                });
            }
        }
    }
    Ok(found)
}

fn is_named(member: &str, entry: &Entry, name: &Name) -> bool {
    let numbered = |wanted: &Numbered| match crate::applier::decode(entry) {
        Decoded::Known(statement) => Numbered::of(member, &statement).as_ref() == Some(wanted),
        Decoded::Opaque { .. } | Decoded::Bad(_) => false,
    };
    match name {
        Name::Statement(id) => entry.statement_id() == *id,
        Name::Prefixed { place, prefix } => {
            place.as_ref().is_none_or(|(_, whose)| whose == member)
                && name::prefix(&entry.statement_id()) == *prefix
        }
        Name::Numbered { name, .. } => numbered(name),
        Name::Block(block) => numbered(&block.order),
    }
}

fn said(
    node: &Node,
    position: &Position,
    entry: &Entry,
    decoded: &Decoded,
) -> Result<Said, Refusal> {
    let Position { origin, index } = position;
    let statement_id = entry.statement_id();
    let (name, created_ms) = match decoded {
        Decoded::Known(statement) => (
            name::resource(origin.member(), statement, &statement_id),
            statement.created_ms,
        ),
        Decoded::Opaque { created_ms, .. } => (statement_id.to_string(), *created_ms),
        Decoded::Bad(_) => (statement_id.to_string(), 0),
    };
    let void = node.state.read().registry.void_reason(position);
    let mut signers = String::new();
    let worth = match validate(entry, decoded, origin, *index, &node.alliance) {
        Verdict::Valid(author) => {
            signers = if author.by_node_key {
                "the node's key".to_owned()
            } else {
                author.persons.into_iter().collect::<Vec<_>>().join(", ")
            };
            void.map_or(Worth::Valid, Worth::Void)
        }
        Verdict::Opaque { .. } => Worth::Opaque,
        Verdict::Invalid(reason) => Worth::Invalid(reason.code(), reason.to_string()),
    };
    let reader = node.reader(&origin.to_string())?;
    let noted = reader.note_covering(*index)?.map(|(size, _)| size);
    Ok(Said {
        name,
        statement_id,
        origin: origin.to_string(),
        author: origin.member().to_owned(),
        index: *index,
        created_ms,
        signers,
        worth,
        noted,
        is_frozen: node.evidence.is_frozen(&origin.to_string()),
    })
}

fn way(
    node: &Node,
    position: &Position,
    statement: Option<&Statement>,
    said: &Said,
    member: &Member,
) -> Way {
    let is_us = member.id == node.member().id;
    let link = node.peers.links().remove(&member.id).unwrap_or_default();
    let mut cosigned = node.cosignatures.of(&position.origin).into_iter();
    let cosigned = cosigned.find(|held| held.member == member.id);
    let cosigned = cosigned.map(|held| {
        let seconds = i64::try_from(held.time).unwrap_or(i64::MAX);
        (held.size, seconds.saturating_mul(1_000))
    });
    let log = node.logs.reader(&member.origin.to_string());
    let is_whole = log.is_some_and(|log| log.damage().is_empty() && node.known(log) <= log.size());
    Way {
        is_author: member.id == said.author,
        is_us,
        is_connected: is_us || link.connected,
        since_ms: link.since_ms,
        cosigned,
        is_applied: node.state.applied(&said.origin) > said.index,
        does_not_sign: does_not_sign(node).filter(|_| is_us),
        log_size: log.map_or(0, LogReader::size),
        is_log_current: is_us || (link.connected && is_whole),
        fate: fate(node, position, statement, said, member),
        member: member.id.clone(),
    }
}

fn does_not_sign(node: &Node) -> Option<&'static str> {
    match node.signing.standing() {
        Standing::Ready => None,
        Standing::Asking | Standing::Repairing(_) => Some(Reason::AskingPeers.code()),
        Standing::ReadOnly(_) => Some(Reason::ReadOnly.code()),
    }
}

fn fate(
    node: &Node,
    position: &Position,
    statement: Option<&Statement>,
    said: &Said,
    member: &Member,
) -> Fate {
    let now = clock::now_ms();
    let applied = node.state.read();
    let registry = &applied.registry;
    let is_author = member.id == said.author;
    match statement.map(|statement| &statement.act) {
        Some(Act::Order(_)) => {
            let order = registry.order_at(position).cloned();
            let block = order.and_then(|order| block(node, registry, &order, member, now));
            block.map_or(Fate::Read, Fate::Block)
        }
        Some(Act::Decision(_)) if is_author => {
            let order = registry.order_at(position).cloned();
            let block = order.and_then(|order| block(node, registry, &order, member, now));
            let rests = |block: &Block| {
                let entry = entry_name(position);
                block.decision.as_ref().is_some_and(|it| it.entry == entry)
            };
            block.map_or(Fate::Read, |block| Fate::Decision {
                is_current: rests(&block),
                block,
            })
        }
        Some(Act::PolicyPack(pack)) if is_author => {
            Fate::Pack(pack_fate(registry, pack, said, member, now))
        }
        Some(
            Act::Report(_)
            | Act::Indicator(_)
            | Act::OrderAct(_)
            | Act::Decision(_)
            | Act::PolicyPack(_),
        )
        | None => Fate::Read,
    }
}

fn block(
    node: &Node,
    registry: &Registry,
    order: &StatementRef,
    member: &Member,
    now: i64,
) -> Option<Block> {
    let notice: Notice = registry.block(order, &member.jurisdiction, now)?;
    let decision = notice.decision_id.and_then(|id| registry.with_id(&id));
    let decision = decision.and_then(|position| decided(node, &position));
    let of_member = |at: &Position| at.origin.member() == member.id;
    let mut decisions = registry.decisions(order);
    decisions.retain(of_member);
    let void = decisions.iter().rev().find_map(|position| {
        let reason = registry.void_reason(position)?;
        Some((entry_name(position), reason))
    });
    let acts = registry.order(order, now).map(|view| view.acts);
    let acts = acts.unwrap_or_default();
    let act = acts.iter().rev().find_map(|position| {
        if registry.void_reason(position).is_some() {
            return None;
        }
        match node.statement_at(position)?.act {
            Act::OrderAct(act) => Some((entry_name(position), act.kind)),
            Act::Report(_)
            | Act::Indicator(_)
            | Act::Order(_)
            | Act::Decision(_)
            | Act::PolicyPack(_) => None,
        }
    });
    Some(Block {
        name: notice.block,
        state: notice.state,
        reason: notice.reason,
        since_ms: notice.since_ms,
        from_ms: notice.from_ms,
        until_ms: notice.until_ms,
        is_selectors_missing: notice.selectors_missing,
        decision,
        void,
        act,
    })
}

fn decided(node: &Node, position: &Position) -> Option<Decided> {
    let statement = node.statement_at(position)?;
    let Act::Decision(decision) = statement.act else {
        return None;
    };
    Some(Decided {
        entry: entry_name(position),
        kind: decision.kind.word(),
        at_ms: statement.created_ms,
        policy: decision.policy,
    })
}

fn pack_fate(
    registry: &Registry,
    pack: &PolicyPack,
    said: &Said,
    member: &Member,
    now: i64,
) -> PackFate {
    let in_force = registry.policy_in_force(&member.jurisdiction, now);
    let read = Pack::parse(&pack.toml).ok();
    match (in_force, read) {
        (Some((id, _)), _) if *id == said.statement_id => PackFate::InForce,
        (_, Some(read)) if read.valid_from_ms > now => PackFate::Later(read.valid_from_ms),
        (Some((id, _)), _) => PackFate::Replaced(*id),
        (None, _) => PackFate::Unusable,
    }
}

/// `de/1/3`: member, generation, index.
pub(crate) fn entry_name(position: &Position) -> String {
    let origin = position.origin.to_string();
    let short = origin
        .split_once('/')
        .map_or(origin.as_str(), |(_, rest)| rest);
    format!("{short}/{}", position.index)
}
