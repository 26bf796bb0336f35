//! Statements on their way: made from a document, signed by one person or two, kept as a `.tsn`
//! file until they are submitted. The bytes that were signed are never made again.

use std::path::Path;

use tocsin_core::reason::{Reason, Refusal};
use tocsin_core::roster::{Alliance, Member};
use tocsin_core::statement::{
    Act, BodyRef, Decoded, DecodedBody, MAX_BODY_BYTES, MAX_WHOLE_BYTES, Statement, StatementRef,
};
use tocsin_core::validate::{Author, Verdict, body, check_unsigned, undecodable, validate};
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;
use tocsin_wire::body::BodyKind;
use tocsin_wire::bundle::{self, Bundle, MAX_BUNDLE_BYTES};
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1;

use crate::document::Document;
use crate::failure::{Exit, Failure};
use crate::files::{Mode, read_bounded, replace, write_new};
use crate::keyfile::fill_random;

/// What a document does not say: where and when the statement is made, and on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `<alliance>/<member>`.
    pub log: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// The running number of an order, report or indicator; else 0.
    pub number: u32,
    /// The order that an act or a decision is on.
    pub about: Option<StatementRef>,
    /// The statement that a decision judges.
    pub judged: Option<Hash>,
    /// Statements cited.
    pub refs: Vec<StatementRef>,
}

/// A statement with its bodies and the signatures so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The exact payload and its signatures.
    pub entry: Entry,
    /// What the payload says.
    pub statement: Statement,
    /// Bodies in the statement's order, with their salts.
    pub bodies: Vec<Vec<u8>>,
}

/// How far a draft has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The door will take it.
    Complete(Author),
    /// A second officer must sign.
    NeedsSecond,
    /// Nobody has signed yet.
    Unsigned,
}

impl Draft {
    /// Makes the statement that a document says, in its setting; no one has signed it yet.
    ///
    /// # Errors
    /// When it is longer than a statement may be, or the system gives no randomness.
    pub fn make(document: &Document, setting: Setting) -> Result<Self, Failure> {
        let mut nonce = [0; 16];
        fill_random(&mut nonce)?;
        Self::compose(document, setting, nonce, || {
            let mut salt = [0; 32];
            fill_random(&mut salt)?;
            Ok(salt)
        })
    }

    /// The same with a nonce and salts that are given, for what is never signed.
    ///
    /// # Errors
    /// When it is longer than a statement may be, or `salt` fails.
    pub fn compose(
        document: &Document,
        setting: Setting,
        nonce: [u8; 16],
        salt: impl Fn() -> Result<[u8; 32], Failure>,
    ) -> Result<Self, Failure> {
        let (mut bodies, mut body_refs) = (Vec::new(), Vec::new());
        for (body, lasting) in &document.bodies {
            let bytes = seal_open(body, salt()?)?;
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let sha256 = Hash::of(&bytes);
            body_refs.push(BodyRef {
                sha256,
                length,
                scheme: 0,
                lasting: *lasting,
            });
            bodies.push(bytes);
        }
        let mut act = document.act.clone();
        if let (Act::Decision(decision), Some(judged)) = (&mut act, setting.judged) {
            decision.judged = judged;
        }
        let statement = Statement {
            log: setting.log,
            nonce,
            created_ms: setting.created_ms,
            number: setting.number,
            tlp: document.tlp,
            bodies: body_refs,
            about: setting.about,
            refs: setting.refs,
            act,
        };
        let payload = tocsin_wire::statement::encode(&statement);
        if payload.len() > MAX_WHOLE_BYTES {
            let length = payload.len();
            return Err(Failure::usage(format!("the statement has {length} bytes"))
                .code("STATEMENT_TOO_LARGE")
                .detail(format!("at most {MAX_WHOLE_BYTES} stand in a statement"))
                .advice("in an order, move articles to [[further_articles]]"));
        }
        let entry = Entry {
            payload_type: STATEMENT_TYPE.to_owned(),
            payload,
            signatures: vec![],
        };
        Ok(Self {
            entry,
            statement,
            bodies,
        })
    }

    /// Adds a signature.
    pub fn sign(&mut self, key: &SigningKey) {
        self.entry.add_signature(key);
    }

    /// The name of what is said, whoever signs it.
    #[must_use]
    pub fn statement_id(&self) -> Hash {
        self.entry.statement_id()
    }

    /// Judges it as every node will, but for what only the node at the door knows.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn state(&self, alliance: &Alliance, member: &Member) -> Result<State, Failure> {
        if self.entry.signatures.is_empty() {
            return Ok(State::Unsigned);
        }
        let decoded = Decoded::Known(Box::new(self.statement.clone()));
        match validate(&self.entry, &decoded, &member.origin, 0, alliance) {
            Verdict::Valid(author) => Ok(State::Complete(author)),
            Verdict::Opaque { .. } => Err(Failure::usage(
                "this version does not know what the statement says",
            )),
            Verdict::Invalid(refusal) if refusal.reason == Reason::NeedsSecondOfficer => {
                Ok(State::NeedsSecond)
            }
            Verdict::Invalid(refusal) => Err(crate::rpc::refused(&refusal)),
        }
    }

    /// Judges what it says as the door of a member of `jurisdiction` will, from its bytes, before
    /// anyone has signed.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn check_unsigned(&self, jurisdiction: &str) -> Result<(), Refusal> {
        let payload = &self.entry.payload;
        let statement = match tocsin_wire::statement::decode(payload) {
            Decoded::Known(statement) => statement,
            Decoded::Opaque { .. } => return Err(Reason::UnknownAct.into()),
            Decoded::Bad(error) => return Err(undecodable(&error)),
        };
        check_unsigned(&statement, payload.len(), jurisdiction)?;
        let kind = BodyKind::of(&statement.act);
        for (at, bytes) in self.bodies.iter().enumerate() {
            let kind = kind.ok_or(Reason::BodyNotAllowed)?;
            tocsin_wire::body::decode(kind, bytes)
                .map_err(|error| undecodable(&error))
                .and_then(|content| body::check(&statement.act, &content, jurisdiction))
                .map_err(|refusal| refusal.within(format!("bodies[{at}]")))?;
        }
        Ok(())
    }

    /// Whether everything that would be signed can be shown: what was read, written again, gives
    /// the very bytes. A draft that says something this version does not show must not be signed
    /// with it.
    ///
    /// # Errors
    /// A verification failure when some of it would stay unseen.
    pub fn require_shown_whole(&self) -> Result<(), Failure> {
        let unseen = |what: &str| {
            Failure::unverified(
                "DRAFT_NOT_SHOWN_WHOLE",
                format!("{what} says something that this version does not show"),
            )
            .advice("sign it with the version of the tool that made it, or a newer one")
        };
        if tocsin_wire::statement::encode(&self.statement) != self.entry.payload {
            return Err(unseen("the statement"));
        }
        for (content, bytes) in self.contents()?.iter().zip(&self.bodies) {
            let salt = bytes.first_chunk().ok_or_else(|| unseen("a body"))?;
            if tocsin_wire::body::encode(*salt, content) != *bytes {
                return Err(unseen("a body"));
            }
        }
        Ok(())
    }

    /// The contents of its bodies, each of which must be the one that the statement names: what a
    /// second officer reads before signing.
    ///
    /// # Errors
    /// When a body is missing, another, or unreadable.
    pub fn contents(&self) -> Result<Vec<DecodedBody>, Failure> {
        let named = &self.statement.bodies;
        if named.len() != self.bodies.len() {
            return Err(Failure::unverified(
                "BODY_MISSING",
                "the file lacks a body that is named",
            ));
        }
        let Some(kind) = BodyKind::of(&self.statement.act) else {
            return Ok(Vec::new());
        };
        let mut contents = Vec::new();
        for (named, bytes) in named.iter().zip(&self.bodies) {
            if Hash::of(bytes) != named.sha256 {
                let text = "a body in the file is not the one that was signed";
                return Err(Failure::unverified("BODY_DIGEST", text));
            }
            let content = tocsin_wire::body::decode(kind, bytes)
                .map_err(|error| Failure::usage(format!("a body cannot be read: {error}")))?;
            contents.push(content);
        }
        Ok(contents)
    }

    /// The file's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        bundle::encode(&Bundle {
            entry: self.entry.clone(),
            bodies: self.bodies.clone(),
            acceptance: None,
        })
    }

    /// Reads the bytes of a `.tsn` file that is not accepted yet.
    ///
    /// # Errors
    /// When they are no such file, or the statement is accepted already.
    pub fn decode(bytes: &[u8]) -> Result<Self, Failure> {
        let file = bundle::decode(bytes).map_err(|error| {
            Failure::usage(format!("not a .tsn file: {error}")).code(error.code())
        })?;
        if file.acceptance.is_some() {
            return Err(
                Failure::new(Exit::Conflict, "this statement was accepted already")
                    .advice("see what it is with: tocsin verify FILE"),
            );
        }
        Self::of(file.entry, file.bodies)
    }

    /// A draft from its exact bytes, read once.
    ///
    /// # Errors
    /// When this version cannot read what the statement says.
    pub fn of(entry: Entry, bodies: Vec<Vec<u8>>) -> Result<Self, Failure> {
        if entry.payload_type != STATEMENT_TYPE {
            return Err(Failure::usage("not a statement").code("PAYLOAD_TYPE"));
        }
        let statement = match tocsin_wire::statement::decode(&entry.payload) {
            Decoded::Known(statement) => *statement,
            Decoded::Opaque { .. } => {
                return Err(
                    Failure::usage("this version does not know what the statement says")
                        .advice("use the version of the tool that made it, or a newer one"),
                );
            }
            Decoded::Bad(error) => {
                return Err(Failure::usage(format!("not a statement: {error}")));
            }
        };
        Ok(Self {
            entry,
            statement,
            bodies,
        })
    }

    /// Reads a `.tsn` file that is not accepted yet.
    ///
    /// # Errors
    /// As [`Draft::decode`], or when the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        Self::decode(&read_bounded(
            path,
            u64::try_from(MAX_BUNDLE_BYTES).unwrap_or(u64::MAX),
        )?)
    }

    /// Writes a new `.tsn` file.
    ///
    /// # Errors
    /// When one is there already, or it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), Failure> {
        write_new(path, &self.encode(), Mode::Public)
    }

    /// Writes it in the place of the file it was read from.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn rewrite(&self, path: &Path) -> Result<(), Failure> {
        replace(path, &self.encode(), Mode::Public)
    }

    /// The request that submits it.
    #[must_use]
    pub fn request(&self, wait_for: v1::WaitFor, validate_only: bool) -> v1::SubmitRequest {
        let mut bodies = self.bodies.iter().cloned();
        v1::SubmitRequest {
            // The statement names itself: the same file again is the same request. A check is none.
            request_id: if validate_only {
                String::new()
            } else {
                self.statement_id().to_string()
            },
            statement: Some(write_statement(&self.entry)),
            body: bodies.next().unwrap_or_default(),
            wait_for: wait_for.into(),
            validate_only,
            further_bodies: bodies.collect(),
        }
    }
}

/// The bytes of an open body: a random salt, so that nobody can guess a body from its digest, and
/// the content.
fn seal_open(body: &DecodedBody, salt: [u8; 32]) -> Result<Vec<u8>, Failure> {
    let bytes = tocsin_wire::body::encode(salt, body);
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= MAX_BODY_BYTES) {
        return Ok(bytes);
    }
    Err(Failure::usage(format!(
        "a body has {} bytes; at most {MAX_BODY_BYTES} go",
        bytes.len()
    ))
    .code("BODY_TOO_LARGE")
    .advice("shorten the text; what is longer is an exhibit"))
}

#[cfg(test)]
pub(crate) mod tests;
