//! The daemon: sockets, clock, keys, tasks.
//!
//! In scope: everything that acts. What is said, decided or proven is in `tocsin-core` and
//! `tocsin-log`, how it lies on the disk in `tocsin-store`, how it looks on the wire in
//! `tocsin-wire`.
//!
//! The edge, from the outside in: [`config`] and [`limits`]; [`listen`] accepts, [`tls`] asks who
//! is there, [`identity`] says what they may do, [`connection`] watches that they keep moving,
//! [`gate`] lets requests through, [`shares`] counts what they hold, [`status`] turns refusals into
//! answers. [`dial`] is the way to other members, [`admin`] the operator's port.
//!
//! Inside: [`run()`] is the table of contents. What clients say passes `door`, then `sequencer`;
//! what peers send passes `replicator`, then `mirror`; both end in `applier`, whose registry
//! `serve`, `notifier` and `decider` read. `node` is what all of them share. [`checks`] say what is
//! wrong with it, [`trace`] what became of one statement.

mod applier;
mod bodies;
mod callers;
pub mod checks;
mod cosignatures;
mod decider;
mod door;
mod drafts;
mod evidence;
mod fault;
mod follow;
mod frames;
mod fresh;
mod freshness;
mod guard;
mod indexer;
mod journal;
mod keys;
mod logs;
mod mirror;
mod node;
mod notes;
mod notifier;
mod opening;
mod origins;
mod overview;
mod peers;
mod quotas;
mod reached;
mod replicator;
mod room;
mod run;
mod screening;
mod sequencer;
mod serve;
mod signing;
mod state;
mod subscriber;
mod supervisor;
pub mod trace;
mod upstreams;

pub mod admin;
pub mod clock;
pub mod config;
pub mod connection;
pub mod dial;
pub mod gate;
pub mod identity;
pub mod limits;
pub mod listen;
pub mod logging;
pub mod metrics;
pub mod shares;
pub mod signals;
pub mod status;
pub mod tls;
mod verdicts;
mod verify;

pub use run::{RunError, RunOptions, run};
