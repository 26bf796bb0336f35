//! Bytes to domain and back: the only crate that knows protobuf.
//!
//! What is signed is never encoded again: [`statement::decode`] reads the exact bytes and refuses every second spelling of them.

pub mod proto;
mod shape;
