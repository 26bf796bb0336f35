//! The field's words and rules: what members of an alliance may say, and what follows from it.
//!
//! Pure: no socket, disk, clock, randomness, task or logging. The same entries give the same state
//! on every node, and a court can run any of it again.
//!
//! In scope: the statement and its acts, products and parties, the roster, the rules at the door,
//! policy packs, and the registry as a fold over the logs. Not in scope: bytes (`tocsin-wire`), the
//! signed log itself (`tocsin-log`), disks and sockets.
//!
//! Begin at [`statement::Statement`].

#![forbid(unsafe_code)]

pub mod admit;
pub mod country;
pub mod cursor;
pub mod date;
pub mod decision;
pub mod filter;
#[cfg(test)]
mod fixture;
pub mod handling;
pub mod indicator;
pub mod lookup;
pub mod name;
pub mod notice;
pub mod order;
pub mod party;
pub mod policy;
pub mod product;
pub mod quota;
pub mod reason;
pub mod registry;
pub mod report;
pub mod right;
pub mod roster;
pub mod statement;
pub mod terms;
pub mod text;
pub mod validate;
mod words;
