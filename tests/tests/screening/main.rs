//! That the screener is right: it agrees with a plain reference matcher on everything, and says of
//! the field's own cases what the field says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a test that cannot go on ends there, and nobody else calls its helpers"
)]

mod bad_input;
mod declared;
mod domain;
mod excepted;
mod exceptions;
mod fixture;
mod forms;
mod generate;
mod goods;
mod matcher;
mod names;
mod parties;
mod pattern;
mod property;
mod row;
mod samples;
