//! Setting up: a member's keys, certificates and configuration, and the alliance they agree on.
//!
//! Everything here works on files alone, with no network: what must be compared between members is
//! compared by voice, as the fingerprint of the genesis roster.
//!
//! In order: each member runs [`member::init`], hands its member file to the others, one of them
//! joins the files into a roster ([`alliance::new_roster`]), every member signs it
//! ([`alliance::sign`]), and [`alliance::assemble`] makes the alliance file that nodes start with.

pub mod alliance;
pub mod certificates;
pub mod commands;
pub mod member;

#[cfg(test)]
mod tests;
