//! A jurisdiction's rules for deciding on others' orders (FORMATS section 10).

/// A pack as it is said; two officers sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPack {
    /// TOML, at most [`MAX_PACK_BYTES`]; empty when it stands in a lasting [`PolicyPackBody`].
    pub toml: String,
}

/// A pack too long for the statement; a lasting body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPackBody {
    /// TOML.
    pub toml: String,
}

/// Bytes of a pack that stands in its statement (statement.proto).
pub const MAX_PACK_BYTES: usize = 8_192;
