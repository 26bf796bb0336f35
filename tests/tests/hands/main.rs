//! What people and programs do with a member's own node: many submissions on one stream, drafts
//! that wait for a second officer, the hand tool's writing commands from an empty file to an
//! order withdrawn, and files of declarations screened, each as a real process against real nodes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test that cannot go on ends there, and nobody else calls its helpers"
)]

mod drafts;
mod files;
mod screening;
mod stream;
mod tool;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
