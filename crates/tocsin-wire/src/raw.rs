//! Protobuf by hand, for tests: bytes that no encoder would write.

/// A varint, minimal.
pub(crate) fn varint(mut v: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while v >= 0x80 {
        out.push(v.to_le_bytes()[0] | 0x80);
        v >>= 7;
    }
    out.push(v.to_le_bytes()[0]);
    out
}

/// A field's tag and raw value.
pub(crate) fn raw(number: u64, wire: u64, value: &[u8]) -> Vec<u8> {
    let mut out = varint((number << 3) | wire);
    out.extend_from_slice(value);
    out
}

/// A varint field.
pub(crate) fn number(number: u64, value: u64) -> Vec<u8> {
    raw(number, 0, &varint(value))
}

/// A length-delimited field.
pub(crate) fn bytes(number: u64, value: &[u8]) -> Vec<u8> {
    let mut framed = varint(value.len() as u64);
    framed.extend_from_slice(value);
    raw(number, 2, &framed)
}

/// Fields one after the other.
pub(crate) fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}
