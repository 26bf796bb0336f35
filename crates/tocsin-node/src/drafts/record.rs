//! A draft in the node's own local log: what was put, and what was discarded, by whom and why.
//!
//! `1 || put_ms i64 || PutDraftRequest` with all signatures so far, the last one of a statement
//! counts; `2 || statement_id[32] || at_ms i64 || DiscardDraftRequest`, whose name is the client's.

use prost::Message;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_wire::envelope::{read_statement, write_statement};
use tocsin_wire::proto::v1;

use super::Held;

const PUT: u8 = 1;
const DISCARDED: u8 = 2;

/// What the local log says of a draft.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// It is held, with these signatures.
    Put {
        entry: Entry,
        bodies: Vec<Vec<u8>>,
        put_ms: i64,
    },
    /// It was taken back.
    Discarded { id: Hash },
}

pub(super) fn put(held: &Held) -> Vec<u8> {
    let request = v1::PutDraftRequest {
        statement: Some(write_statement(&held.entry)),
        bodies: held.bodies.clone(),
    };
    let head = [&[PUT], &held.put_ms.to_be_bytes()[..]];
    [&head.concat()[..], &request.encode_to_vec()].concat()
}

pub(super) fn discarded(id: &Hash, at_ms: i64, client: &str, reason: &str) -> Vec<u8> {
    let request = v1::DiscardDraftRequest {
        name: client.to_owned(),
        reason: reason.to_owned(),
    };
    let head = [&[DISCARDED], &id.as_bytes()[..], &at_ms.to_be_bytes()];
    [&head.concat()[..], &request.encode_to_vec()].concat()
}

/// Nothing for a record of another form.
pub(super) fn read(record: &[u8]) -> Option<Record> {
    let (form, rest) = record.split_first()?;
    match *form {
        PUT => {
            let (put_ms, rest) = rest.split_first_chunk::<8>()?;
            let request = v1::PutDraftRequest::decode(rest).ok()?;
            Some(Record::Put {
                entry: read_statement(request.statement.as_ref()).ok()?,
                bodies: request.bodies,
                put_ms: i64::from_be_bytes(*put_ms),
            })
        }
        DISCARDED => {
            let (id, _) = rest.split_first_chunk::<32>()?;
            Some(Record::Discarded { id: Hash(*id) })
        }
        // A later version's; it says nothing that this one could do.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tocsin_log::entry::STATEMENT_TYPE;
    use tocsin_log::key::SigningKey;

    use super::*;

    #[test]
    fn what_was_put_and_discarded_is_read_back_and_nothing_else() {
        let key = SigningKey::from_seed([3; 32]);
        let entry = Entry::sign(STATEMENT_TYPE, vec![1, 2, 3], &[&key]);
        let request = v1::PutDraftRequest {
            statement: Some(write_statement(&entry)),
            bodies: vec![vec![7; 40], Vec::new()],
        };
        let mut bytes = [&[PUT], &5_i64.to_be_bytes()[..]].concat();
        bytes.extend(request.encode_to_vec());
        let expected = Record::Put {
            entry: entry.clone(),
            bodies: vec![vec![7; 40], Vec::new()],
            put_ms: 5,
        };
        assert_eq!(read(&bytes), Some(expected));
        let id = entry.statement_id();
        let gone = discarded(&id, 6, "us/client/desk-1", "a slip");
        assert_eq!(read(&gone), Some(Record::Discarded { id }));
        for end in 0..bytes.len().min(9) {
            assert_eq!(read(&bytes[..end]), None);
        }
        assert_eq!(read(&gone[..20]), None);
        assert_eq!(read(&[9, 1, 1]), None);
    }
}
