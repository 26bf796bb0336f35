//! Who says what the benchmarks measure: statements made and signed as any client would.

use std::sync::atomic::{AtomicU32, Ordering};

use tocsin_cli::failure::Failure;
use tocsin_cli::instant::now_ms;
use tocsin_cli::keyfile::fill_random;
use tocsin_core::handling::Tlp;
use tocsin_core::report::{Report, ReportBody, ReportKind};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, SALT_BYTES, Statement};
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;
use tocsin_wire::body;
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1;

/// Bytes of a report's body, its salt among them.
pub(super) const BODY_BYTES: usize = 600;

/// An investigator who reports without end.
pub(super) struct Author {
    log: String,
    key: SigningKey,
    next: AtomicU32,
    /// Fills the body up to [`BODY_BYTES`].
    narrative: String,
}

impl std::fmt::Debug for Author {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Author")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl Author {
    /// One who signs with `key` in the log `<alliance>/<member>`.
    pub(super) fn new(log: String, key: SigningKey) -> Self {
        let short = body::encode([0; SALT_BYTES], &content("x")).len();
        // One character stands there already, and its length takes a second byte.
        let narrative = "x".repeat(BODY_BYTES.saturating_sub(short));
        Self {
            log,
            key,
            next: AtomicU32::new(1),
            narrative,
        }
    }

    /// The next report, as a request.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn report(&self) -> Result<v1::SubmitRequest, Failure> {
        let (entry, body) = self.signed()?;
        Ok(v1::SubmitRequest {
            statement: Some(write_statement(&entry)),
            body,
            wait_for: v1::WaitFor::Local.into(),
            ..v1::SubmitRequest::default()
        })
    }

    /// The next report and its body.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn signed(&self) -> Result<(Entry, Vec<u8>), Failure> {
        let mut random = [0; SALT_BYTES + 16];
        fill_random(&mut random)?;
        let (nonce, salt) = split(&random);
        let body = body::encode(salt, &content(&self.narrative));
        let statement = Statement {
            log: self.log.clone(),
            nonce,
            created_ms: now_ms(),
            number: self.next.fetch_add(1, Ordering::Relaxed),
            tlp: Tlp::Green,
            bodies: vec![BodyRef {
                sha256: Hash::of(&body),
                length: u64::try_from(body.len()).unwrap_or_default(),
                scheme: 0,
                lasting: false,
            }],
            about: None,
            refs: Vec::new(),
            act: Act::Report(Report {
                kind: ReportKind::Infringement,
            }),
        };
        let payload = tocsin_wire::statement::encode(&statement);
        Ok((Entry::sign(STATEMENT_TYPE, payload, &[&self.key]), body))
    }

    /// The key, for whoever measures what one signature costs.
    pub(super) const fn key(&self) -> &SigningKey {
        &self.key
    }
}

fn split(random: &[u8; SALT_BYTES + 16]) -> ([u8; 16], [u8; SALT_BYTES]) {
    let (mut nonce, mut salt) = ([0; 16], [0; SALT_BYTES]);
    let mut bytes = random.iter();
    for (to, from) in nonce.iter_mut().chain(&mut salt).zip(&mut bytes) {
        *to = *from;
    }
    (nonce, salt)
}

fn content(narrative: &str) -> DecodedBody {
    DecodedBody::Report(Box::new(ReportBody {
        title: "EXERCISE: copied lamps".to_owned(),
        narrative: narrative.to_owned(),
        articles: Vec::new(),
        parties: Vec::new(),
        source_reliability: "B".to_owned(),
        credibility: 2,
        collected_ms: 1_760_000_000_000,
        exhibits: Vec::new(),
        requested_action: "inspect".to_owned(),
        exercise: true,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_the_bytes_it_says_and_no_two_reports_are_alike() {
        let author = Author::new("a.example/us".to_owned(), SigningKey::from_seed([7; 32]));
        let (one, body) = author.signed().unwrap();
        assert_eq!(body.len(), BODY_BYTES);
        let (other, _) = author.signed().unwrap();
        assert_ne!(one.statement_id(), other.statement_id());
    }
}
