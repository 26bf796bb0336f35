//! The edge over real sockets with real certificates: who gets in, who does not, and that the
//! node serves the next one all the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::large_futures,
    unreachable_pub,
    reason = "a test that cannot go on should stop; nobody calls its helpers"
)]

mod admin;
mod handshake;
mod reload;
mod traffic;
mod world;
