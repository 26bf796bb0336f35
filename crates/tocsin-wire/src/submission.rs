//! What somebody hands in at the door, from a request or from a file: exact bytes, and what they
//! say.

use tocsin_core::admit::{Submission, SubmittedBody};
use tocsin_core::statement::{DecodeFault, Decoded, MAX_BODIES};
use tocsin_log::entry::Entry;

use crate::body::{self, BodyKind};
use crate::envelope::{EnvelopeError, read_statement};
use crate::proto::v1;
use crate::read::fault;
use crate::statement;

/// What a client submits. Only its form is checked; the door judges the rest.
///
/// # Errors
/// No statement, or signatures that have not the form of any.
pub fn read(request: &v1::SubmitRequest) -> Result<Submission, EnvelopeError> {
    let entry = read_statement(request.statement.as_ref())?;
    Ok(of(entry, bodies(&request.body, &request.further_bodies)))
}

/// What a draft file holds, or the node itself has to say.
#[must_use]
pub fn of(entry: Entry, bodies: Vec<Vec<u8>>) -> Submission {
    let decoded = statement::decode(&entry.payload);
    let kind = match &decoded {
        Decoded::Known(statement) => BodyKind::of(&statement.act),
        Decoded::Opaque { .. } | Decoded::Bad(_) => None,
    };
    let bodies = bodies
        .into_iter()
        .map(|bytes| {
            let decoded = match kind {
                Some(kind) => body::decode(kind, &bytes),
                // The statement itself is refused, or has no bodies.
                None => Err(fault(DecodeFault::NoAct, "")),
            };
            SubmittedBody { bytes, decoded }
        })
        .collect();
    Submission {
        entry,
        decoded,
        bodies,
    }
}

/// The bodies in the statement's order: messages carry the first apart from the others. An empty
/// first with none after it is no body. One over [`MAX_BODIES`] is kept, so that it is refused.
#[must_use]
pub fn bodies(first: &[u8], further: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if first.is_empty() && further.is_empty() {
        return Vec::new();
    }
    std::iter::once(first.to_vec())
        .chain(further.iter().take(MAX_BODIES).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use tocsin_log::entry::STATEMENT_TYPE;
    use tocsin_log::key::SigningKey;

    use super::*;
    use crate::envelope::write_statement;
    use crate::raw::{bytes, join, number};

    /// A report by hand, and its body.
    fn report() -> (Entry, Vec<u8>) {
        let payload = join(&[
            bytes(1, b"demo.tocsin.example/us"),
            bytes(2, &[7; 16]),
            number(5, 2),
            bytes(16, &number(1, 1)),
        ]);
        let entry = Entry::sign(STATEMENT_TYPE, payload, &[&SigningKey::from_seed([1; 32])]);
        (entry, [vec![9; 32], bytes(1, b"title")].concat())
    }

    #[test]
    fn a_request_is_read_with_its_bodies_and_their_exact_bytes() {
        let (entry, body) = report();
        let request = v1::SubmitRequest {
            statement: Some(write_statement(&entry)),
            body: body.clone(),
            further_bodies: vec![vec![1]],
            ..v1::SubmitRequest::default()
        };
        let read = read(&request).unwrap();
        assert_eq!(read.entry, entry);
        assert!(matches!(read.decoded, Decoded::Known(_)));
        assert_eq!(read.bodies[0].bytes, body);
        assert!(read.bodies[0].decoded.is_ok());
        // Too short for a salt: kept as it came, with the reason.
        assert_eq!(
            read.bodies[1].decoded.as_ref().unwrap_err().fault,
            DecodeFault::NoSalt
        );
    }

    #[test]
    fn without_a_statement_there_is_no_submission() {
        let refused = read(&v1::SubmitRequest::default());
        assert_eq!(refused, Err(EnvelopeError::Missing));
    }

    #[test]
    fn bodies_of_what_cannot_be_read_are_not_read_either() {
        let (mut entry, body) = report();
        entry.payload = vec![0xff];
        let read = of(entry, vec![body]);
        assert!(matches!(read.decoded, Decoded::Bad(_)));
        assert!(read.bodies[0].decoded.is_err());
    }

    #[test]
    fn a_list_of_bodies_is_cut_one_above_its_bound() {
        assert_eq!(bodies(b"", &[]).len(), 0);
        assert_eq!(bodies(b"", &[vec![1]]), [vec![], vec![1]]);
        assert_eq!(bodies(b"x", &vec![vec![1]; 1_000]).len(), MAX_BODIES + 1);
    }
}
