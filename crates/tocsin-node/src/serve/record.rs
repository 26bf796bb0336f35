//! One entry as clients read it: typed, with the signed bytes beside it.

use tocsin_core::name;
use tocsin_core::registry::{Position, Registry, VoidReason};
use tocsin_core::statement::{BodyRef, Decoded, DecodedBody, Statement};
use tocsin_log::entry::Entry;
use tocsin_store::reader::{BodyContent, StoredEntry};
use tocsin_wire::body::{self, BodyKind};
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1;
use tocsin_wire::write;

use crate::node::Node;
use crate::status::{Reason, Refusal};

/// Where an entry stands, and what the fold makes of it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) position: Position,
    pub(crate) void: Option<VoidReason>,
}

impl Place {
    pub(crate) fn of(registry: &Registry, position: Position) -> Self {
        Self {
            void: registry.void_reason(&position),
            position,
        }
    }
}

/// An entry read back from the disk.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) entry: Entry,
    /// None where this version cannot read it.
    pub(crate) statement: Option<Statement>,
    /// In the statement's order; empty where one is missing or erased.
    pub(crate) bodies: Vec<Vec<u8>>,
}

impl Read {
    /// What the first body says, where it is here and can be read.
    pub(crate) fn first_body(&self) -> Option<DecodedBody> {
        let kind = BodyKind::of(&self.statement.as_ref()?.act)?;
        body::decode(kind, self.bodies.first()?).ok()
    }
}

/// Reads an entry with its bodies.
///
/// # Errors
/// When the store fails or is damaged there.
pub(crate) fn read(node: &Node, position: &Position) -> Result<Read, Refusal> {
    let reader = node.reader(&position.origin.to_string())?;
    let stored = reader.stored(position.index)?;
    let entry = Entry::decode(&stored.entry).map_err(|_| Refusal::of(Reason::Damaged))?;
    let statement = match crate::applier::decode(&entry) {
        Decoded::Known(statement) => Some(*statement),
        Decoded::Opaque { .. } | Decoded::Bad(_) => None,
    };
    let named = statement
        .as_ref()
        .map_or(&[][..], |statement| &statement.bodies);
    let bodies = bodies(node, &stored, named)?;
    Ok(Read {
        entry,
        statement,
        bodies,
    })
}

/// The bodies that a statement names, in its order, empty where one is missing or erased.
///
/// # Errors
/// When the store fails.
pub(crate) fn bodies(
    node: &Node,
    stored: &StoredEntry,
    named: &[BodyRef],
) -> Result<Vec<Vec<u8>>, Refusal> {
    let held = named.iter().map(|name| {
        let beside = stored.bodies.iter().find(|body| body.digest == name.sha256);
        match beside.map(|body| &body.content) {
            Some(BodyContent::Sound(bytes)) => Ok(bytes.clone()),
            Some(BodyContent::Erased) => Ok(Vec::new()),
            Some(BodyContent::Damaged) | None => Ok(node.body(&name.sha256)?.unwrap_or_default()),
        }
    });
    held.collect()
}

/// The record of an entry that was read.
pub(crate) fn record(node: &Node, place: &Place, read: &Read) -> v1::Record {
    let Position { origin, index } = &place.position;
    let statement_id = read.entry.statement_id();
    let name = match &read.statement {
        Some(statement) => name::resource(origin.member(), statement, &statement_id),
        None => statement_id.to_string(),
    };
    v1::Record {
        name,
        statement_id: statement_id.as_bytes().to_vec(),
        log: origin.to_string(),
        index: *index,
        grade: crate::serve::grade(node.grade(origin, *index)).into(),
        void: place.void.is_some(),
        void_reason: place.void.map_or("", VoidReason::code).to_owned(),
        signed: Some(write_statement(&read.entry)),
        statement: read.statement.as_ref().map(write::statement),
        bodies: read.bodies.clone(),
    }
}

/// Reads an entry and makes its record.
///
/// # Errors
/// As [`read`].
pub(crate) fn fetch(node: &Node, place: &Place) -> Result<v1::Record, Refusal> {
    Ok(record(node, place, &read(node, &place.position)?))
}
