//! What the checks on the repository and the whole-network tests share.
//!
//! In scope: finding the repository's files, and reading Rust source and lock files well enough to
//! hold the rules of ARCHITECTURE.md against them. Out of scope: anything that ships.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on ends there, with the reason"
)]

pub mod attack;
pub mod chores;
pub mod graph;
pub mod held;
pub mod journal;
pub mod load;
pub mod network;
pub mod repository;
pub mod say;
pub mod source;
pub mod tls;
pub mod tool;
