//! Declarations against blocks: what a customs line says of the goods, and which block bars them.
//!
//! Pure: no socket, disk, clock, randomness, task or logging. The same blocks, line and instant
//! give the same answer, whatever the order in which the blocks arrived.
//!
//! In scope: the declared [`line::Line`], the frozen [`index::Screen`], the [`rules`] and the
//! [`answer::Answer`] with its reasons. Not in scope: files, columns and encodings (`tocsin-cli`),
//! the service (`tocsin-node`), bytes on the wire (`tocsin-wire`).
//!
//! Silence is never clearance: an answer names the fields that were missing, and says whether one
//! of them would have decided.
//!
//! Begin at [`index::Screen`]; what may hold goods, and what may not, stands in [`rules`].

#![forbid(unsafe_code)]

pub mod answer;
mod declared;
mod evidence;
mod exceptions;
mod facts;
mod hash;
pub mod index;
mod layer;
pub mod line;
pub mod list;
mod named;
pub mod names;
mod parties;
pub mod rules;
#[cfg(test)]
mod sample;
pub mod suppression;
mod table;
pub mod text;
