//! Bodies: salt (32 bytes), then the protobuf of the kind's body message (FORMATS 2).
//!
//! The salt keeps a short or guessable content from being found by its digest once it has been
//! erased.

use prost::Message;
use tocsin_core::statement::{
    Act, DecodeError, DecodeFault, DecodedBody, MAX_BODY_BYTES, SALT_BYTES,
};

use crate::scan::scan;
use crate::{read, shape, write};

/// List elements of one body, over all its lists: more than [`MAX_BODY_BYTES`] of selectors that
/// mean anything.
pub const MAX_BODY_ELEMENTS: usize = 32_768;

/// Which message a body holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyKind {
    /// The content of a report.
    Report,
    /// The content of an indicator.
    Indicator,
    /// Further articles of an order, or of the text that replaces it.
    Order,
    /// A pack too long for its statement.
    PolicyPack,
}

impl BodyKind {
    /// What the bodies of a statement with this act hold; a decision has none.
    #[must_use]
    pub const fn of(act: &Act) -> Option<Self> {
        match act {
            Act::Report(_) => Some(Self::Report),
            Act::Indicator(_) => Some(Self::Indicator),
            Act::Order(_) | Act::OrderAct(_) => Some(Self::Order),
            Act::PolicyPack(_) => Some(Self::PolicyPack),
            Act::Decision(_) => None,
        }
    }

    const fn shape(self) -> usize {
        match self {
            Self::Report => shape::REPORT_BODY,
            Self::Indicator => shape::INDICATOR_BODY,
            Self::Order => shape::ORDER_BODY,
            Self::PolicyPack => shape::POLICY_PACK_BODY,
        }
    }
}

/// The one spelling of `body` under `salt`, which the caller draws at random.
#[must_use]
pub fn encode(salt: [u8; SALT_BYTES], body: &DecodedBody) -> Vec<u8> {
    let mut out = salt.to_vec();
    out.extend(match body {
        DecodedBody::Report(b) => write::report_body(b).encode_to_vec(),
        DecodedBody::Indicator(b) => write::indicator_body(b).encode_to_vec(),
        DecodedBody::Order(b) => write::order_body(b).encode_to_vec(),
        DecodedBody::PolicyPack(b) => write::policy_pack_body(b).encode_to_vec(),
    });
    out
}

/// What a body says.
///
/// # Errors
/// Too large, no salt, not in canonical form, or a value without meaning. Articles of an order must
/// be known whole: there an unknown field or enum value is refused, and the order is shown with
/// selectors missing.
pub fn decode(kind: BodyKind, bytes: &[u8]) -> Result<DecodedBody, DecodeError> {
    if u64::try_from(bytes.len()).map_or(true, |length| length > MAX_BODY_BYTES) {
        return Err(read::fault(DecodeFault::TooLarge, ""));
    }
    let content = bytes
        .split_at_checked(SALT_BYTES)
        .map(|(_, content)| content)
        .ok_or_else(|| read::fault(DecodeFault::NoSalt, ""))?;
    let scanned = scan(content, kind.shape(), MAX_BODY_ELEMENTS)?;
    match kind {
        BodyKind::Report => {
            let body = read::report_body(message(content)?)?;
            Ok(DecodedBody::Report(Box::new(body)))
        }
        BodyKind::Indicator => {
            let body = read::indicator_body(message(content)?)?;
            Ok(DecodedBody::Indicator(Box::new(body)))
        }
        BodyKind::Order => match scanned.surprises.first() {
            Some(first) => Err(read::fault(DecodeFault::UnknownValue, first.message)),
            None => Ok(DecodedBody::Order(read::order_body(message(content)?)?)),
        },
        BodyKind::PolicyPack => Ok(DecodedBody::PolicyPack(read::policy_pack_body(message(
            content,
        )?))),
    }
}

fn message<M: Message + Default>(content: &[u8]) -> Result<M, DecodeError> {
    M::decode(content).map_err(|_| read::fault(DecodeFault::Malformed, ""))
}

#[cfg(test)]
mod tests;
