//! Statements: exact bytes to what they say, and back once, when the author's tool writes them.

use prost::Message as _;
use tocsin_core::statement::{DecodeError, DecodeFault, Decoded, MAX_BODIES, Statement, Unknown};
use tocsin_log::entry::MAX_ENTRY_BYTES;
use tocsin_log::hash::Hash;

use crate::proto::v1::{self, statement::Act};
use crate::scan::{Scanned, scan};
use crate::{read, shape, write};

/// List elements of one statement, over all its lists: what stands whole has no room for more that
/// mean anything.
pub const MAX_STATEMENT_ELEMENTS: usize = 4_096;

/// The one spelling of `statement`. Call it once, sign the bytes, keep the bytes.
#[must_use]
pub fn encode(statement: &Statement) -> Vec<u8> {
    write::statement(statement).encode_to_vec()
}

/// What a payload says.
///
/// Unknown fields are fine in reports, indicators and packs. In an order, order act or decision an
/// unknown field or enum value, wherever it stands in the statement, makes all of it opaque: it may
/// be a carve-out.
#[must_use]
pub fn decode(payload: &[u8]) -> Decoded {
    match canonical(payload) {
        Ok((message, scanned)) => judge(message, &scanned),
        Err(e) => Decoded::Bad(e),
    }
}

/// The digests of the bodies that a payload names, without reading the rest of it: for whoever
/// only has to know which bodies belong to it. None where the payload is not protobuf; whether it
/// is a statement is for [`decode`].
#[must_use]
pub fn body_names(payload: &[u8]) -> Vec<Hash> {
    let Ok(names) = Names::decode(payload) else {
        return Vec::new();
    };
    let digests = names.bodies.iter().take(MAX_BODIES);
    digests
        .filter_map(|body| Hash::try_from(body.sha256.as_slice()).ok())
        .collect()
}

/// `tocsin.v1.Statement`, but for its other fields.
#[derive(Clone, PartialEq, prost::Message)]
struct Names {
    #[prost(message, repeated, tag = "6")]
    bodies: Vec<v1::BodyRef>,
}

fn canonical(payload: &[u8]) -> Result<(v1::Statement, Scanned), DecodeError> {
    let scanned = scan(payload, shape::STATEMENT, MAX_STATEMENT_ELEMENTS)?;
    if payload.len() > MAX_ENTRY_BYTES {
        return Err(read::fault(DecodeFault::TooLarge, ""));
    }
    let message = v1::Statement::decode(payload)
        .map_err(|_| read::fault(DecodeFault::Malformed, "Statement"))?;
    Ok((message, scanned))
}

fn judge(message: v1::Statement, scanned: &Scanned) -> Decoded {
    let why = match &message.act {
        None if scanned.unknown_act => Some(Unknown::Act),
        Some(Act::Order(_) | Act::OrderAct(_) | Act::Decision(_)) => {
            scanned.surprises.first().map(|first| match first.value {
                None => Unknown::Field,
                Some(_) => Unknown::Value,
            })
        }
        None | Some(Act::Report(_) | Act::Indicator(_) | Act::PolicyPack(_)) => None,
    };
    if let Some(why) = why {
        return Decoded::Opaque {
            log: message.log,
            about: message
                .about
                .and_then(|about| read::statement_ref(about).ok()),
            created_ms: message.created_ms,
            why,
        };
    }
    match read::statement(message) {
        Ok(statement) => Decoded::Known(Box::new(statement)),
        Err(e) => Decoded::Bad(e),
    }
}

#[cfg(test)]
mod tests;
