//! What operators rely on: the supervisor's messages, spans, reflection, what stands in `deploy/`,
//! and the check before an upgrade.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

mod deploy;
mod reflection;
mod spans;
mod supervisor;
mod upgrade;

/// The binary, as a user starts it.
const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
