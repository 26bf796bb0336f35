//! The canonical scan (FORMATS 2): one meaning has one spelling.
//!
//! Decoders forgive: they take fields in any order, the last of two, long varints. Two readers
//! could then see two statements under one signature. The scan walks the bytes once over the
//! contract's own shape, allocates nothing that a stranger chose the size of, and refuses every
//! second spelling before a decoder sees it. Unknown fields are kept, because the bytes are, and
//! reported, because in an order they may be a carve-out this node does not know.

use tocsin_core::reason::Reason;
use tocsin_core::statement::{DecodeError, DecodeFault};

use crate::shape::{Field, Kind, MESSAGES, Message};

/// How deep messages may stand in each other; the contract needs 6.
pub const MAX_DEPTH: u32 = 16;
/// How many [`Surprise`]s are told apart; more are only counted by their effect.
pub const MAX_SURPRISES: usize = 16;
/// Protobuf's own bound on a varint of 64 bits.
const MAX_VARINT_BYTES: usize = 10;
/// Protobuf's own bound on a field number.
const MAX_FIELD_NUMBER: u64 = (1 << 29) - 1;

/// Why bytes are not the one spelling of a message. Nothing was decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The bytes end inside a field.
    #[error("{message} ends inside a field")]
    Truncated {
        /// The message being read.
        message: &'static str,
    },
    /// A field number of 0 or over 2^29-1, or a wire type that does not exist.
    #[error("{message} holds an impossible field tag")]
    BadTag {
        /// The message being read.
        message: &'static str,
    },
    /// Groups have no canonical length and no place in proto3.
    #[error("{message} holds a group")]
    Group {
        /// The message being read.
        message: &'static str,
    },
    /// A varint with more bytes than its value needs, or over 64 bits.
    #[error("{message} holds a varint that is longer than its value needs")]
    OverlongVarint {
        /// The message being read.
        message: &'static str,
    },
    /// Fields must ascend by number.
    #[error("field {number} of {message} stands after a higher one")]
    OutOfOrder {
        /// The message being read.
        message: &'static str,
        /// The field that came too late.
        number: u32,
    },
    /// A field that is not repeated stands twice; decoders would take the last.
    #[error("{message}.{field} stands twice")]
    Repeated {
        /// The message being read.
        message: &'static str,
        /// The field that stands twice.
        field: &'static str,
    },
    /// Two members of one `oneof`; decoders would take the last.
    #[error("{message}.{field} is a second choice where one is allowed")]
    TwoChoices {
        /// The message being read.
        message: &'static str,
        /// The second member.
        field: &'static str,
    },
    /// A known field with another type's encoding.
    #[error("{message}.{field} is not written as its type")]
    WrongType {
        /// The message being read.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A number that does not fit its type, which decoders would cut.
    #[error("{message}.{field} does not fit its type")]
    OutOfRange {
        /// The message being read.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A string that is not UTF-8.
    #[error("{message}.{field} is not UTF-8")]
    NotUtf8 {
        /// The message being read.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Deeper than [`MAX_DEPTH`].
    #[error("messages are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More list elements, over all lists, than the kind of bytes may hold.
    #[error("more than {limit} list elements")]
    TooMany {
        /// The bound that was passed.
        limit: usize,
    },
}

impl ScanError {
    /// The stable reason code, one of [`tocsin_core::reason::ALL`].
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. }
            | Self::BadTag { .. }
            | Self::Group { .. }
            | Self::WrongType { .. } => Reason::Malformed.code(),
            Self::OverlongVarint { .. }
            | Self::OutOfOrder { .. }
            | Self::Repeated { .. }
            | Self::TwoChoices { .. }
            | Self::OutOfRange { .. } => Reason::NotCanonical.code(),
            Self::NotUtf8 { .. } => Reason::NotUtf8.code(),
            Self::TooDeep => Reason::TooDeep.code(),
            Self::TooMany { .. } => Reason::ListTooLong.code(),
        }
    }

    /// The rule that was broken, finer than [`Self::code`]; as stable.
    #[must_use]
    pub const fn detail(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "TRUNCATED",
            Self::BadTag { .. } => "BAD_TAG",
            Self::Group { .. } => "GROUP",
            Self::OverlongVarint { .. } => "OVERLONG_VARINT",
            Self::OutOfOrder { .. } => "FIELD_OUT_OF_ORDER",
            Self::Repeated { .. } => "FIELD_REPEATED",
            Self::TwoChoices { .. } => "TWO_CHOICES",
            Self::WrongType { .. } => "WRONG_TYPE",
            Self::OutOfRange { .. } => "OUT_OF_RANGE",
            Self::NotUtf8 { .. } => "NOT_UTF8",
            Self::TooDeep => "TOO_DEEP",
            Self::TooMany { .. } => "TOO_MANY_ELEMENTS",
        }
    }

    const fn fault(self) -> DecodeFault {
        match self {
            Self::Truncated { .. }
            | Self::BadTag { .. }
            | Self::Group { .. }
            | Self::WrongType { .. } => DecodeFault::Malformed,
            Self::OverlongVarint { .. }
            | Self::OutOfOrder { .. }
            | Self::Repeated { .. }
            | Self::TwoChoices { .. }
            | Self::OutOfRange { .. } => DecodeFault::NotCanonical,
            Self::NotUtf8 { .. } => DecodeFault::NotUtf8,
            Self::TooDeep => DecodeFault::TooDeep,
            Self::TooMany { .. } => DecodeFault::TooMany,
        }
    }

    fn place(self) -> String {
        match self {
            Self::Truncated { message }
            | Self::BadTag { message }
            | Self::Group { message }
            | Self::OverlongVarint { message } => message.to_owned(),
            Self::OutOfOrder { message, number } => format!("{message}.{number}"),
            Self::Repeated { message, field }
            | Self::TwoChoices { message, field }
            | Self::WrongType { message, field }
            | Self::OutOfRange { message, field }
            | Self::NotUtf8 { message, field } => format!("{message}.{field}"),
            Self::TooDeep | Self::TooMany { .. } => String::new(),
        }
    }
}

impl From<ScanError> for DecodeError {
    fn from(e: ScanError) -> Self {
        Self {
            fault: e.fault(),
            field: e.place(),
        }
    }
}

/// Something well formed that this version has no name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surprise {
    /// The message it stands in.
    pub message: &'static str,
    /// The number of the field.
    pub number: u32,
    /// The value, where the field is known and its enum value is not.
    pub value: Option<i32>,
}

/// What a canonical message holds that this version does not know.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The first [`MAX_SURPRISES`] of them, in the order they stand.
    pub surprises: Vec<Surprise>,
    /// An unknown field of the outermost message with the number of an act or above.
    pub unknown_act: bool,
}

/// The first field number of `Statement.act` and of whatever will be added to it.
const FIRST_ACT_FIELD: u32 = 16;

/// Scans `bytes` as the message at `place` of the generated table, with at most `max_elements` list
/// elements in all.
pub(crate) fn scan(bytes: &[u8], place: usize, max_elements: usize) -> Result<Scanned, ScanError> {
    let mut walk = Walk {
        found: Scanned::default(),
        elements: 0,
        max_elements,
    };
    walk.message(bytes, place, 0)?;
    Ok(walk.found)
}

struct Walk {
    found: Scanned,
    elements: usize,
    max_elements: usize,
}

impl Walk {
    fn message(&mut self, bytes: &[u8], place: usize, depth: u32) -> Result<(), ScanError> {
        let Some(shape) = MESSAGES.get(place) else {
            return Err(ScanError::TooDeep);
        };
        if depth >= MAX_DEPTH {
            return Err(ScanError::TooDeep);
        }
        let mut reader = Reader {
            rest: bytes,
            message: shape.name,
        };
        let mut last = 0;
        let mut chosen = 0_u32;
        while !reader.rest.is_empty() {
            let (number, value) = reader.field()?;
            if number < last {
                return Err(ScanError::OutOfOrder {
                    message: shape.name,
                    number,
                });
            }
            let again = number == last;
            last = number;
            let Some(field) = known(shape, number) else {
                self.found.unknown_act |= depth == 0 && number >= FIRST_ACT_FIELD;
                self.surprise(Surprise {
                    message: shape.name,
                    number,
                    value: None,
                });
                continue;
            };
            // A packed list is one field, however many elements it has.
            let is_packed = field.repeated && field.kind.is_scalar();
            if field.repeated && !is_packed {
                self.count()?;
            } else if again {
                return Err(ScanError::Repeated {
                    message: shape.name,
                    field: field.name,
                });
            }
            if let Some(group) = field.oneof {
                let bit = 1_u32.checked_shl(u32::from(group)).unwrap_or(0);
                if chosen & bit != 0 {
                    let (message, field) = (shape.name, field.name);
                    return Err(ScanError::TwoChoices { message, field });
                }
                chosen |= bit;
            }
            if is_packed {
                self.packed(shape, field, &value, depth)?;
            } else {
                self.value(shape, field, value, depth)?;
            }
        }
        Ok(())
    }

    /// The elements of a list of numbers, which stand together in one field; an empty list is left
    /// out.
    fn packed(
        &mut self,
        shape: &'static Message,
        field: &'static Field,
        value: &Value<'_>,
        depth: u32,
    ) -> Result<(), ScanError> {
        let (message, name) = (shape.name, field.name);
        let Value::Bytes(rest) = *value else {
            return Err(ScanError::WrongType {
                message,
                field: name,
            });
        };
        if rest.is_empty() {
            return Err(ScanError::OutOfRange {
                message,
                field: name,
            });
        }
        let mut elements = Reader { rest, message };
        while !elements.rest.is_empty() {
            self.count()?;
            let element = Value::Varint(elements.varint()?);
            self.value(shape, field, element, depth)?;
        }
        Ok(())
    }

    fn value(
        &mut self,
        shape: &'static Message,
        field: &'static Field,
        value: Value<'_>,
        depth: u32,
    ) -> Result<(), ScanError> {
        let (message, name) = (shape.name, field.name);
        let out_of_range = ScanError::OutOfRange {
            message,
            field: name,
        };
        match (field.kind, value) {
            (Kind::Uint64 | Kind::Int64, Value::Varint(_)) | (Kind::Bytes, Value::Bytes(_)) => {
                Ok(())
            }
            (Kind::Uint32, Value::Varint(v)) => {
                u32::try_from(v).map(drop).map_err(|_| out_of_range)
            }
            (Kind::Bool, Value::Varint(v)) => (v <= 1).then_some(()).ok_or(out_of_range),
            (Kind::Enum(named), Value::Varint(v)) => {
                let v = signed(v).ok_or(out_of_range)?;
                if !named.contains(&v) {
                    self.surprise(Surprise {
                        message,
                        number: field.number,
                        value: Some(v),
                    });
                }
                Ok(())
            }
            (Kind::Text, Value::Bytes(text)) => {
                std::str::from_utf8(text)
                    .map(drop)
                    .map_err(|_| ScanError::NotUtf8 {
                        message,
                        field: name,
                    })
            }
            (Kind::Message(place), Value::Bytes(inner)) => self.message(inner, place, depth + 1),
            (
                Kind::Uint32
                | Kind::Uint64
                | Kind::Int64
                | Kind::Bool
                | Kind::Enum(_)
                | Kind::Text
                | Kind::Bytes
                | Kind::Message(_),
                Value::Varint(_) | Value::Bytes(_) | Value::Fixed,
            ) => Err(ScanError::WrongType {
                message,
                field: name,
            }),
        }
    }

    fn count(&mut self) -> Result<(), ScanError> {
        self.elements += 1;
        if self.elements > self.max_elements {
            return Err(ScanError::TooMany {
                limit: self.max_elements,
            });
        }
        Ok(())
    }

    fn surprise(&mut self, surprise: Surprise) {
        if self.found.surprises.len() < MAX_SURPRISES {
            self.found.surprises.push(surprise);
        }
    }
}

/// Looks a field up; the generated fields ascend.
fn known(shape: &'static Message, number: u32) -> Option<&'static Field> {
    let place = shape
        .fields
        .binary_search_by_key(&number, |f| f.number)
        .ok()?;
    shape.fields.get(place)
}

/// The value of an enum, which protobuf writes sign-extended to 64 bits.
fn signed(v: u64) -> Option<i32> {
    i32::try_from(v.cast_signed()).ok()
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    /// 32 or 64 bits; the contract has no such field, but a later one may.
    Fixed,
}

struct Reader<'a> {
    rest: &'a [u8],
    message: &'static str,
}

impl<'a> Reader<'a> {
    fn field(&mut self) -> Result<(u32, Value<'a>), ScanError> {
        let message = self.message;
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD_NUMBER {
            return Err(ScanError::BadTag { message });
        }
        let number = u32::try_from(number).map_err(|_| ScanError::BadTag { message })?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                let length =
                    usize::try_from(length).map_err(|_| ScanError::Truncated { message })?;
                Value::Bytes(self.take(length)?)
            }
            3 | 4 => return Err(ScanError::Group { message }),
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(ScanError::BadTag { message }),
        };
        Ok((number, value))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], ScanError> {
        let message = self.message;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ScanError::Truncated { message })?;
        self.rest = rest;
        Ok(taken)
    }

    fn varint(&mut self) -> Result<u64, ScanError> {
        let message = self.message;
        let mut value = 0_u64;
        for place in 0..MAX_VARINT_BYTES {
            let (&byte, rest) = self
                .rest
                .split_first()
                .ok_or(ScanError::Truncated { message })?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            let last = place + 1 == MAX_VARINT_BYTES;
            // The tenth byte holds one bit; a final zero byte says nothing.
            if (last && byte > 1) || (byte == 0 && place > 0) {
                return Err(ScanError::OverlongVarint { message });
            }
            value |= bits << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ScanError::OverlongVarint { message })
    }
}

#[cfg(test)]
mod tests;
