//! Where a subscriber stands: a vector of positions, valid at every member's node (FORMATS section
//! 7).
//!
//! A cursor never expires and never moves silently. It is opaque to clients; nodes check that it is
//! for this alliance and this subscription before they trust a single component.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tocsin_log::checkpoint::{MAX_ORIGIN_BYTES, Origin};
use tocsin_log::hash::Hash;

/// How much of each log is known: for an origin the next index, for `!origin` 1 once it is frozen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vector {
    // Zero components are left out, so that equal knowledge is one value.
    components: BTreeMap<String, u64>,
}

impl Vector {
    /// The first index of `origin` that is not known.
    #[must_use]
    pub fn next_index(&self, origin: &Origin) -> u64 {
        self.components
            .get(&origin.to_string())
            .copied()
            .unwrap_or(0)
    }

    /// Whether it is known that `origin` told two stories.
    #[must_use]
    pub fn is_frozen(&self, origin: &Origin) -> bool {
        self.components.contains_key(&frozen(origin))
    }

    /// Sets the next index of an origin.
    pub fn set(&mut self, origin: &Origin, next_index: u64) {
        self.put(origin.to_string(), next_index);
    }

    /// Notes that an origin is frozen, which is for good.
    pub fn freeze(&mut self, origin: &Origin) {
        self.put(frozen(origin), 1);
    }

    /// Whether all that `other` knows is known here.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.behind(other) == 0
    }

    /// Facts that `other` knows and this one does not, over all components.
    #[must_use]
    pub fn behind(&self, other: &Self) -> u64 {
        other.components.iter().fold(0, |sum: u64, (name, theirs)| {
            let ours = self.components.get(name).copied().unwrap_or(0);
            sum.saturating_add(theirs.saturating_sub(ours))
        })
    }

    /// Takes over all that `other` knows.
    pub fn merge(&mut self, other: &Self) {
        for (name, theirs) in &other.components {
            let ours = self.components.entry(name.clone()).or_default();
            *ours = (*ours).max(*theirs);
        }
    }

    /// The components that are not zero, sorted by name.
    pub fn components(&self) -> impl Iterator<Item = (&str, u64)> {
        self.components
            .iter()
            .map(|(name, next)| (name.as_str(), *next))
    }

    fn put(&mut self, name: String, value: u64) {
        match self.components.entry(name) {
            Entry::Occupied(found) if value == 0 => {
                found.remove();
            }
            Entry::Occupied(mut found) => {
                found.insert(value);
            }
            Entry::Vacant(_) if value == 0 => {}
            Entry::Vacant(free) => {
                free.insert(value);
            }
        }
    }
}

/// What a cursor is good for: one alliance, one jurisdiction, one filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    genesis: [u8; HASH_BYTES],
    subscription: [u8; HASH_BYTES],
}

impl View {
    /// No subscription: the position at which a screening answer was given. Both hashes are zeros.
    pub const NONE: Self = Self {
        genesis: [0; HASH_BYTES],
        subscription: [0; HASH_BYTES],
    };

    /// The view of a subscription; `filter` exactly as the client sent it.
    #[must_use]
    pub fn new(genesis: &Hash, jurisdiction: &str, filter: &str) -> Self {
        let subscription = Hash::of_parts(&[jurisdiction.as_bytes(), &[0], filter.as_bytes()]);
        let first = |hash: &Hash| hash.0.first_chunk().copied().unwrap_or_default();
        Self {
            genesis: first(genesis),
            subscription: first(&subscription),
        }
    }
}

/// A position for one view, as clients carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What it is good for.
    pub view: View,
    /// How far it has come.
    pub vector: Vector,
}

impl Cursor {
    /// The text that a client keeps and hands back.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.view.genesis);
        bytes.extend(self.view.subscription);
        put_varint(&mut bytes, self.vector.components.len() as u64);
        for (name, next) in &self.vector.components {
            put_varint(&mut bytes, name.len() as u64);
            bytes.extend(name.as_bytes());
            put_varint(&mut bytes, *next);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor that must be good for `view`; one position has one spelling.
    ///
    /// # Errors
    /// [`CursorError`] says whether it is malformed or good for something else.
    pub fn decode(text: &str, view: &View) -> Result<Self, CursorError> {
        if text.len() > MAX_CURSOR_CHARS {
            return Err(CursorError::Malformed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_| CursorError::Malformed)?;
        let mut rest = bytes.as_slice();
        if take(&mut rest, 1)? != [VERSION] {
            return Err(CursorError::Malformed);
        }
        let (genesis, subscription) = (take(&mut rest, HASH_BYTES)?, take(&mut rest, HASH_BYTES)?);
        // The whole is read before it is compared: what is malformed is never called another's.
        let vector = read_vector(&mut rest)?;
        if genesis != view.genesis {
            return Err(CursorError::OtherAlliance);
        }
        if subscription != view.subscription {
            return Err(CursorError::OtherFilter);
        }
        Ok(Self {
            view: *view,
            vector,
        })
    }
}

/// Why a cursor is not taken. The client starts again from the beginning or with a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CursorError {
    /// Not a cursor in its one spelling.
    #[error("the cursor is malformed")]
    Malformed,
    /// Made in an alliance with another genesis.
    #[error("the cursor was made in another alliance")]
    OtherAlliance,
    /// Made for another jurisdiction or filter.
    #[error("the cursor was made for another jurisdiction or filter")]
    OtherFilter,
}

impl CursorError {
    /// The stable reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "CURSOR_MALFORMED",
            Self::OtherAlliance => "CURSOR_OTHER_ALLIANCE",
            Self::OtherFilter => "CURSOR_OTHER_FILTER",
        }
    }
}

fn frozen(origin: &Origin) -> String {
    format!("!{origin}")
}

fn read_vector(rest: &mut &[u8]) -> Result<Vector, CursorError> {
    let count = read_varint(rest)?;
    if count > MAX_COMPONENTS {
        return Err(CursorError::Malformed);
    }
    let mut components = BTreeMap::new();
    for _ in 0..count {
        let length = read_varint(rest)?;
        let length = usize::try_from(length)
            .ok()
            .filter(|length| *length <= MAX_ORIGIN_BYTES + 1);
        let name = take(rest, length.ok_or(CursorError::Malformed)?)?;
        let name = std::str::from_utf8(name).map_err(|_| CursorError::Malformed)?;
        let next = read_varint(rest)?;
        let is_sorted = components
            .last_key_value()
            .is_none_or(|(last, _): (&String, _)| **last < *name);
        let is_freeze = name.starts_with('!');
        let is_origin = name
            .strip_prefix('!')
            .unwrap_or(name)
            .parse::<Origin>()
            .is_ok();
        if !is_sorted || !is_origin || next == 0 || (is_freeze && next != 1) {
            return Err(CursorError::Malformed);
        }
        components.insert(name.to_owned(), next);
    }
    if rest.is_empty() {
        Ok(Vector { components })
    } else {
        Err(CursorError::Malformed)
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], CursorError> {
    let (taken, left) = rest.split_at_checked(count).ok_or(CursorError::Malformed)?;
    *rest = left;
    Ok(taken)
}

/// A varint as in protobuf, of at most 64 bits.
fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(0x80 | (value & 0x7f) as u8);
        value >>= 7;
    }
    bytes.push((value & 0x7f) as u8);
}

fn read_varint(rest: &mut &[u8]) -> Result<u64, CursorError> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = take(rest, 1)?.first().copied().unwrap_or_default();
        let bits = u64::from(byte & 0x7f);
        // In the tenth byte only one bit is left.
        if bits
            .checked_shl(shift)
            .is_none_or(|moved| moved >> shift != bits)
        {
            return Err(CursorError::Malformed);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            // A last byte of zero is a longer spelling of the same number.
            let is_minimal = byte != 0 || shift == 0;
            return if is_minimal {
                Ok(value)
            } else {
                Err(CursorError::Malformed)
            };
        }
    }
    Err(CursorError::Malformed)
}

/// First byte of every cursor.
const VERSION: u8 = 1;
/// Bytes of each of the two hashes; a cursor guards against mistakes, not against forgers.
const HASH_BYTES: usize = 8;
/// Components of one cursor: 128 members, each with a position and a freeze.
pub const MAX_COMPONENTS: u64 = 256;
/// Characters of a cursor: what [`MAX_COMPONENTS`] of usual length need, far below any message
/// limit.
pub const MAX_CURSOR_CHARS: usize = 32_768;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin(member: &str) -> Origin {
        Origin::new("demo.tocsin.example", member, 1).unwrap()
    }

    fn view() -> View {
        View::new(&Hash([7; 32]), "DE", "issuer = \"us\"")
    }

    fn vector(us: u64, jp: u64) -> Vector {
        let mut vector = Vector::default();
        vector.set(&origin("us"), us);
        vector.set(&origin("jp"), jp);
        vector
    }

    fn refused(bytes: &[u8]) -> CursorError {
        Cursor::decode(&URL_SAFE_NO_PAD.encode(bytes), &view()).unwrap_err()
    }

    fn head() -> Vec<u8> {
        let view = view();
        [&[1][..], &view.genesis, &view.subscription].concat()
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let mut vector = vector(300, 0);
        vector.freeze(&origin("jp"));
        let cursor = Cursor {
            view: view(),
            vector,
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor.encode()).unwrap();
        let subscription = Hash::of(b"DE\0issuer = \"us\"");
        let expected = [
            &[1][..],
            &[7; 8],
            &subscription.0[..8],
            &[2],
            &[25],
            b"!demo.tocsin.example/jp/1",
            &[1],
            &[24],
            b"demo.tocsin.example/us/1",
            &[0xac, 0x02],
        ]
        .concat();
        assert_eq!(bytes, expected);
        assert_eq!(Cursor::decode(&cursor.encode(), &view()), Ok(cursor));
    }

    #[test]
    fn a_cursor_of_another_alliance_or_filter_is_refused_with_its_own_reason() {
        let text = Cursor {
            view: view(),
            vector: vector(3, 4),
        }
        .encode();
        let other = View::new(&Hash([8; 32]), "DE", "issuer = \"us\"");
        assert_eq!(
            Cursor::decode(&text, &other),
            Err(CursorError::OtherAlliance)
        );
        for other in [
            ("JP", "issuer = \"us\""),
            ("DE", "issuer = \"us\" "),
            ("DE", ""),
        ] {
            let other = View::new(&Hash([7; 32]), other.0, other.1);
            assert_eq!(Cursor::decode(&text, &other), Err(CursorError::OtherFilter));
        }
        let position = Cursor {
            view: View::NONE,
            vector: vector(3, 4),
        }
        .encode();
        assert_eq!(
            Cursor::decode(&position, &view()),
            Err(CursorError::OtherAlliance)
        );
    }

    #[test]
    fn a_position_has_one_spelling() {
        let entry = |name: &str, next: &[u8]| {
            [
                &[u8::try_from(name.len()).unwrap()][..],
                name.as_bytes(),
                next,
            ]
            .concat()
        };
        let (jp, us) = ("demo.tocsin.example/jp/1", "demo.tocsin.example/us/1");
        let unsorted = [head(), vec![2], entry(us, &[1]), entry(jp, &[1])].concat();
        let twice = [head(), vec![2], entry(us, &[1]), entry(us, &[2])].concat();
        let zero = [head(), vec![1], entry(us, &[0])].concat();
        let long = [head(), vec![1], entry(us, &[0x81, 0x00])].concat();
        let wide = [
            head(),
            vec![1],
            entry(us, &[[0xff; 9].as_slice(), &[0x02]].concat()),
        ]
        .concat();
        let trailing = [head(), vec![1], entry(us, &[1]), vec![0]].concat();
        let frozen_twice = [head(), vec![1], entry(&format!("!{us}"), &[2])].concat();
        let no_origin = [head(), vec![1], entry("us", &[1])].concat();
        let many = [head(), vec![0xff, 0xff, 0xff, 0x7f]].concat();
        for bytes in [
            unsorted,
            twice,
            zero,
            long,
            wide,
            trailing,
            frozen_twice,
            no_origin,
            many,
            head(),
        ] {
            assert_eq!(refused(&bytes), CursorError::Malformed);
        }
        let mut other_version = head();
        other_version[0] = 2;
        assert_eq!(refused(&other_version), CursorError::Malformed);
        let text = Cursor {
            view: view(),
            vector: vector(1, 0),
        }
        .encode();
        for text in [
            format!("{text}="),
            format!("{text}\n"),
            "A".repeat(MAX_CURSOR_CHARS + 4),
        ] {
            assert_eq!(Cursor::decode(&text, &view()), Err(CursorError::Malformed));
        }
    }

    #[test]
    fn vectors_compare_by_every_component() {
        assert!(vector(3, 4).covers(&vector(3, 3)));
        assert!(!vector(3, 4).covers(&vector(4, 0)));
        assert_eq!(vector(3, 4).behind(&vector(10, 5)), 8);
        let mut frozen = vector(3, 4);
        frozen.freeze(&origin("us"));
        assert!(frozen.is_frozen(&origin("us")) && !frozen.is_frozen(&origin("jp")));
        assert!(frozen.covers(&vector(3, 4)) && !vector(9, 9).covers(&frozen));
        let mut merged = vector(9, 1);
        merged.merge(&frozen);
        assert_eq!(
            (
                merged.next_index(&origin("us")),
                merged.next_index(&origin("jp"))
            ),
            (9, 4)
        );
        assert!(merged.is_frozen(&origin("us")));
        let mut empty = vector(1, 0);
        empty.set(&origin("us"), 0);
        assert_eq!(empty, Vector::default());
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_the_same(us in 0..u64::MAX, jp: u64, is_frozen: bool) {
            let mut vector = vector(us, jp);
            if is_frozen {
                vector.freeze(&origin("us"));
            }
            let cursor = Cursor { view: view(), vector };
            prop_assert_eq!(Cursor::decode(&cursor.encode(), &view()), Ok(cursor));
        }

        #[test]
        fn no_bytes_make_it_panic(
            tail in proptest::collection::vec(any::<u8>(), 0..80), text in ".{0,60}",
        ) {
            let _ = Cursor::decode(&URL_SAFE_NO_PAD.encode([head(), tail].concat()), &view());
            let _ = Cursor::decode(&text, &view());
        }

        #[test]
        fn what_decodes_has_no_other_spelling(
            tail in proptest::collection::vec(any::<u8>(), 0..30),
        ) {
            let text = URL_SAFE_NO_PAD.encode([head(), tail].concat());
            if let Ok(cursor) = Cursor::decode(&text, &view()) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }
}
