//! The signed Merkle log: what makes a member's word checkable by anyone, without trusting who
//! carried it.
//!
//! In scope: RFC 6962 hashing over SHA-256, the compact tree and its proofs, C2SP signed notes,
//! checkpoints and mirror cosignatures, the machines that follow and cosign another member's log,
//! evidence that a log told two stories, quorum arithmetic, and the bytes of an entry with the keys
//! that sign it (FORMATS.md 1, 3, 4, 6).
//!
//! Not in scope: what an entry says (that is `tocsin-core`), disks, sockets and clocks. Nothing
//! here does input or output, reads a time or draws a random number; machines take what happened
//! and return what to do.
//!
//! Begin with [`tree::Tree`] and [`checkpoint::Checkpoint`]; [`follower::Follower`] and
//! [`cosign::Cosigner`] show how they are used.
#![forbid(unsafe_code)]

pub mod checkpoint;
pub mod cosign;
pub mod entry;
pub mod equivocation;
pub mod follower;
pub mod hash;
pub mod key;
pub mod keyfile;

pub mod note;
pub mod proof;
pub mod quorum;
pub mod tree;

#[cfg(test)]
mod testlog;
