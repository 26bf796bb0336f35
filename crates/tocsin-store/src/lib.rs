//! The disk: segment files are the truth, sled is the index that can be rebuilt from them
//! (FORMATS.md 5).
//!
//! In scope: our own log and the verified copies of the others', in append-only checksummed segment
//! files; the slots that say what was signed and cosigned; late bodies; the node's local log; the
//! index; and what is done about each after a kill, a power cut, a flipped bit, a restored backup
//! or a copied directory. A commit is acknowledged only when it lasts, and nothing is signed that
//! the disk does not already vouch for.
//!
//! Not in scope: what an entry says, who may say it, sockets and clocks. Leaves are bytes here.
//!
//! Begin with [`own`] for the order of a commit, then [`own_log::OwnLog`] and
//! [`mirror::MirrorLog`]. Everything but the index goes through [`disk::Disk`], so that
//! [`disk::FaultyDisk`] can take its place in tests.
#![forbid(unsafe_code)]

pub mod batch;
pub mod blobs;
pub mod data_dir;
pub mod disk;
pub mod error;
pub mod failpoint;
mod files;
pub mod frame;
pub mod index;
pub mod local;
pub mod mirror;
pub mod own;
pub mod own_log;
mod positions;
pub mod reader;
mod recover;
mod repair;
pub mod reserve;
mod segment;
pub mod slots;
pub mod survey;

pub use files::OpenOptions;
pub use recover::Cut;
pub use repair::{RepairEntry, Wanted};
