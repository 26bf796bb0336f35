//! The shape of every message the canonical scan may meet, generated from `proto/` beside the
//! messages themselves.

/// One message type.
#[derive(Debug)]
pub(crate) struct Message {
    /// Its name in the contract.
    pub(crate) name: &'static str,
    /// Ascending by number.
    pub(crate) fields: &'static [Field],
}

/// One field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) repeated: bool,
    /// The group of which at most one member may be set.
    pub(crate) oneof: Option<u8>,
}

/// How a field's value is written, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uint32,
    Uint64,
    Int64,
    Bool,
    /// The numbers that have a name here.
    Enum(&'static [i32]),
    Text,
    Bytes,
    /// A place in [`MESSAGES`].
    Message(usize),
}

impl Kind {
    /// Whether lists of it are packed into one field.
    pub(crate) const fn is_scalar(self) -> bool {
        match self {
            Self::Uint32 | Self::Uint64 | Self::Int64 | Self::Bool | Self::Enum(_) => true,
            Self::Text | Self::Bytes | Self::Message(_) => false,
        }
    }
}

include!("gen/shape.rs");
