//! Where a statement is on its way from its author to each member, and what stopped it there.
//!
//! `facts` reads what this node itself holds: the entry and the note over it, the members'
//! cosignatures, their decisions in our copies of their logs. `hops` makes the answer of that,
//! and nothing else: where nothing tells, it says so. `pages` has the codes.

mod facts;
mod hops;
mod pages;

pub use pages::{Page, pages};

use tocsin_wire::proto::v1;

use crate::node::Node;
use crate::status::Refusal;

/// Traces a statement, or a block by its order.
///
/// # Errors
/// `FIELD_INVALID` for what is no name, `NOT_FOUND`, or when the store fails.
pub(crate) fn trace(
    node: &Node,
    asked: &v1::TraceStatementRequest,
) -> Result<v1::TraceStatementResponse, Refusal> {
    Ok(hops::tell(&facts::gather(node, asked)?))
}
