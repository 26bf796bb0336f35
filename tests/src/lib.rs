//! What the checks on the repository and the whole-network tests share.
//!
//! In scope: finding the repository's files, and reading Rust source and lock files well enough to
//! hold the rules of ARCHITECTURE.md against them. Out of scope: anything that ships.

pub mod graph;
pub mod repository;
pub mod source;
