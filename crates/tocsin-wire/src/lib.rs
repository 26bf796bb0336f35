//! Bytes to domain and back: the only crate that knows protobuf.
//!
//! In scope: the generated messages and services ([`proto`]), the canonical scan ([`scan`]),
//! statements, bodies, entries, submissions and receipts, declarations to screen and their answers
//! ([`screening`]), and the self-contained evidence file ([`bundle`]).
//! Not in scope: what any of it means (`tocsin-core`), sockets and files.
//!
//! What is signed is never encoded again: [`statement::decode`] reads the exact bytes and refuses
//! every second spelling of them. Begin there.

#![forbid(unsafe_code)]

pub mod body;
pub mod bundle;
pub mod envelope;
pub mod notice;
pub mod proto;
#[cfg(test)]
mod raw;
pub mod read;
pub mod receipt;
#[cfg(test)]
mod said;
pub mod scan;
pub mod screening;
mod selector;
mod shape;
pub mod statement;
pub mod submission;
mod terms;
pub mod write;
