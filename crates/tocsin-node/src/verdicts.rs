//! What validation made of entries, as the index keeps it: enough of reports and indicators that a
//! start need not read them again.

use tocsin_core::registry::{Filed, FiledKind};
use tocsin_log::hash::Hash;

/// A verdict that was made before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It has no effect.
    Invalid,
    /// It counts; what it says is read from the log.
    Valid,
    /// It says something this version does not know.
    Opaque,
    /// It counts, and this is all that the fold needs of it.
    Filed(Filed),
}

const INVALID: u8 = 0;
const VALID: u8 = 1;
const OPAQUE: u8 = 2;
const REPORT: u8 = 3;
const INDICATOR: u8 = 4;
/// Stands for no number: numbers begin at 1.
const NO_NUMBER: u32 = 0;

/// `u8 kind`, and of what is filed also `statement_id[32] || u16 year || u32 number`.
pub(crate) fn encode(known: impl Iterator<Item = Known>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for known in known {
        match known {
            Known::Invalid => bytes.push(INVALID),
            Known::Valid => bytes.push(VALID),
            Known::Opaque => bytes.push(OPAQUE),
            Known::Filed(filed) => {
                bytes.push(match filed.kind {
                    FiledKind::Report => REPORT,
                    FiledKind::Indicator => INDICATOR,
                });
                bytes.extend(filed.statement_id.as_bytes());
                let (year, number) = filed.number.unwrap_or((0, NO_NUMBER));
                bytes.extend(year.to_be_bytes());
                bytes.extend(number.to_be_bytes());
            }
        }
    }
    bytes
}

/// Reads what [`encode`] wrote; none for anything else.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Known>> {
    let mut known = Vec::new();
    while let Some((kind, rest)) = bytes.split_first() {
        bytes = rest;
        known.push(match *kind {
            INVALID => Known::Invalid,
            VALID => Known::Valid,
            OPAQUE => Known::Opaque,
            REPORT => Known::Filed(filed(&mut bytes, FiledKind::Report)?),
            INDICATOR => Known::Filed(filed(&mut bytes, FiledKind::Indicator)?),
            _ => return None,
        });
    }
    Some(known)
}

fn filed(bytes: &mut &[u8], kind: FiledKind) -> Option<Filed> {
    let (statement_id, rest) = bytes.split_first_chunk::<{ Hash::LEN }>()?;
    let (year, rest) = rest.split_first_chunk()?;
    let (number, rest) = rest.split_first_chunk()?;
    *bytes = rest;
    let (year, number) = (u16::from_be_bytes(*year), u32::from_be_bytes(*number));
    Some(Filed {
        statement_id: Hash(*statement_id),
        kind,
        number: (number != NO_NUMBER).then_some((year, number)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_come_back_as_they_were_made_and_nothing_else_is_read() {
        let filed = |kind, number| {
            Known::Filed(Filed {
                statement_id: Hash::of(b"said"),
                kind,
                number,
            })
        };
        let all = [
            Known::Invalid,
            filed(FiledKind::Report, Some((2026, 412))),
            Known::Opaque,
            filed(FiledKind::Indicator, None),
            Known::Valid,
        ];
        let bytes = encode(all.into_iter());
        assert_eq!(decode(&bytes).as_deref(), Some(&all[..]));
        assert_eq!(decode(&bytes[..20]), None);
        assert_eq!(decode(&[9]), None);
        assert_eq!(decode(&[]), Some(Vec::new()));
    }
}
