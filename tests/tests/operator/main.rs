//! What an operator asks of a running network: is it well, where is it, and what stopped that.
//! Every fault here is a real one, in real processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

mod checks;
mod trace;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
