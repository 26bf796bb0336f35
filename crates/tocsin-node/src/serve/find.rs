//! What requests name: records in every accepted form, blocks, jurisdictions.

use tocsin_core::name::{BlockName, Collection, Name};
use tocsin_core::registry::{Position, Registry};
use tocsin_core::statement::StatementRef;

use crate::clock;
use crate::node::Node;
use crate::status::{Reason, Refusal};

/// The entry that `name` means: a resource name, `US-2026-0412`, `US-2026-0412@DE`, 16 hex digits
/// or a whole statement_id. Where a kind is wanted, nothing of another kind is found.
///
/// A block means the decision it rests on, or the order where there is none or an order is wanted.
///
/// # Errors
/// `FIELD_INVALID` for what is no name or means several entries, `NOT_FOUND`.
pub(crate) fn entry(
    registry: &Registry,
    name: &str,
    wanted: Option<Collection>,
) -> Result<Position, Refusal> {
    let parsed = Name::parse(name).ok_or_else(no_name)?;
    let is_kind = |position: &Position, kind| registry.kind_at(position) == Some(kind);
    let found = match parsed {
        Name::Numbered { collection, name } => {
            let named = registry.numbered(&name);
            named.filter(|found| collection.is_none_or(|kind| is_kind(found, kind)))
        }
        Name::Prefixed { place, prefix } => {
            let mut found = registry.with_prefix(&prefix);
            if let Some((kind, member)) = place {
                found.retain(|at| at.origin.member() == member && is_kind(at, kind));
            }
            if found.len() > 1 {
                return Err(Refusal::of(Reason::FieldInvalid)
                    .saying("several statements begin with these digits; give all 64")
                    .at("name"));
            }
            found.pop()
        }
        Name::Statement(id) => registry.with_id(&id),
        Name::Block(block) => of_block(registry, &block, wanted),
    };
    let found = found.filter(|found| wanted.is_none_or(|kind| is_kind(found, kind)));
    found.ok_or_else(|| not_found(name))
}

fn of_block(registry: &Registry, name: &BlockName, wanted: Option<Collection>) -> Option<Position> {
    let order = registry.order_named(&name.order)?;
    let block = registry.block(&order, &name.jurisdiction, clock::now_ms())?;
    let decision = block.decision_id.and_then(|id| registry.with_id(&id));
    match wanted {
        Some(Collection::Decisions) => decision,
        None => decision.or_else(|| registry.find(&order)),
        Some(
            Collection::Reports
            | Collection::Indicators
            | Collection::Orders
            | Collection::OrderActs
            | Collection::PolicyPacks,
        ) => registry.find(&order),
    }
}

/// The order and jurisdiction of a block; an order's name means its block at home.
///
/// # Errors
/// As [`entry`].
pub(crate) fn block(
    node: &Node,
    registry: &Registry,
    name: &str,
) -> Result<(StatementRef, String), Refusal> {
    let parsed = Name::parse(name).ok_or_else(no_name)?;
    if let Name::Block(block) = parsed {
        let order = registry
            .order_named(&block.order)
            .ok_or_else(|| not_found(name))?;
        return Ok((order, block.jurisdiction));
    }
    Ok((order(registry, name)?, node.member().jurisdiction.clone()))
}

/// The order that `name` means, if it counts.
///
/// # Errors
/// As [`entry`].
pub(crate) fn order(registry: &Registry, name: &str) -> Result<StatementRef, Refusal> {
    let position = entry(registry, name, Some(Collection::Orders))?;
    let order = registry
        .order_at(&position)
        .filter(|_| registry.void_reason(&position).is_none());
    order.cloned().ok_or_else(|| not_found(name))
}

/// The jurisdiction that a request asks about: two letters in any case, or the node's own.
///
/// # Errors
/// `NOT_FOUND` where no member has it.
pub(crate) fn jurisdiction(node: &Node, asked: &str) -> Result<String, Refusal> {
    let own = &node.member().jurisdiction;
    let code = if asked.is_empty() {
        own.clone()
    } else {
        asked.to_ascii_uppercase()
    };
    if node.alliance.by_jurisdiction(&code).is_none() {
        return Err(Refusal::of(Reason::NotFound)
            .saying("no member of this alliance has that jurisdiction")
            .at("jurisdiction")
            .fact("jurisdiction", asked));
    }
    Ok(code)
}

pub(crate) fn no_name() -> Refusal {
    Refusal::of(Reason::FieldInvalid)
        .saying("not a name; names look like US-2026-0412 or members/us/orders/2026-0412")
        .at("name")
}

pub(crate) fn not_found(name: &str) -> Refusal {
    Refusal::of(Reason::NotFound).at("name").fact("name", name)
}
