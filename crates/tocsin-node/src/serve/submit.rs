//! `tocsin.v1.SubmitService`: the one door for clients of this member.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_wire::envelope::read_statement;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_server::SubmitService;
use tocsin_wire::submission;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::door::{self, Accepted};
use crate::gate::deadline;
use crate::identity::{connection, identity};
use crate::limits;
use crate::node::Node;
use crate::serve::submit_stream;
use crate::status::{Reason, Refusal};

/// Takes statements from clients at home.
#[derive(Debug)]
pub(crate) struct Submit {
    desk: Arc<Desk>,
    streams: submit_stream::Streams,
}

impl Submit {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let requests = Mutex::default();
        Self {
            desk: Arc::new(Desk { node, requests }),
            streams: submit_stream::Streams::default(),
        }
    }
}

#[tonic::async_trait]
impl SubmitService for Submit {
    type SubmitStreamStream = ReceiverStream<Result<v1::SubmitStreamResponse, Status>>;

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        let desk = &self.desk;
        identity(&request)?.require_home(&desk.node.config.member)?;
        let most = deadline(&request).map_or(limits::WAIT_FOR_GRADE, |deadline| {
            deadline
                .saturating_duration_since(tokio::time::Instant::now())
                .mul_f64(0.9)
        });
        let Asked { entry, bodies, how } = Asked::read(request.into_inner())?;
        if how.validate_only {
            return Ok(Response::new(desk.validate(entry, bodies)?));
        }
        desk.check(&how, entry.statement_id())?;
        let accepted = door::submit(&desk.node, entry, bodies).await?;
        let answer = desk.answer(&how, accepted, most).await?;
        Ok(Response::new(answer))
    }

    async fn submit_stream(
        &self,
        request: Request<Streaming<v1::SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        let connection = connection(&request)?.clone();
        let home = &self.desk.node.config.member;
        connection.identity().require_home(home)?;
        let desk = Arc::clone(&self.desk);
        let stream = self
            .streams
            .start(desk, &connection, request.into_inner())?;
        Ok(Response::new(stream))
    }
}

/// A submission as it was asked for; only its form is checked.
pub(super) struct Asked {
    pub(super) entry: Entry,
    pub(super) bodies: Vec<Vec<u8>>,
    pub(super) how: How,
}

/// What is asked beside the statement.
#[derive(Debug)]
pub(super) struct How {
    request_id: String,
    pub(super) grade: Grade,
    pub(super) validate_only: bool,
}

impl Asked {
    pub(super) fn read(asked: v1::SubmitRequest) -> Result<Self, Refusal> {
        let grade = wanted(asked.wait_for)?;
        let entry = read_statement(asked.statement.as_ref()).map_err(|error| {
            let refused = tocsin_core::reason::Refusal::at(error.reason(), "statement");
            Refusal::from(refused.with(error.to_string()))
        })?;
        let bodies = submission::bodies(&asked.body, &asked.further_bodies);
        let how = How {
            request_id: asked.request_id,
            grade,
            validate_only: asked.validate_only,
        };
        Ok(Self { entry, bodies, how })
    }
}

/// What single submissions and streams share: the door, and the request ids of what it took.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) node: Arc<Node>,
    requests: Mutex<Requests>,
}

impl Desk {
    /// Checks only.
    pub(super) fn validate(
        &self,
        entry: Entry,
        bodies: Vec<Vec<u8>>,
    ) -> Result<v1::SubmitResponse, Refusal> {
        let admitted = door::check(&self.node, entry, bodies)?;
        Ok(v1::SubmitResponse {
            name: admitted.name(self.node.member()),
            ..v1::SubmitResponse::default()
        })
    }

    /// Refuses a request id that stands for another statement.
    pub(super) fn check(&self, how: &How, statement_id: Hash) -> Result<(), Refusal> {
        self.requests(|requests| requests.check(&how.request_id, statement_id))
    }

    /// The answer to what was accepted, once it has the grade that was asked for or `most` is over.
    pub(super) async fn answer(
        &self,
        how: &How,
        accepted: Accepted,
        most: Duration,
    ) -> Result<v1::SubmitResponse, Refusal> {
        // Only what was accepted: a refused statement is mended under the same id.
        self.requests(|requests| requests.remember(&how.request_id, accepted.statement_id));
        let reached = door::wait_for(&self.node, accepted.index, how.grade, most).await;
        let receipt = door::receipt(&self.node, &accepted)?.write();
        Ok(v1::SubmitResponse {
            receipt: Some(receipt),
            name: accepted.name,
            grade: crate::serve::grade(reached).into(),
        })
    }

    fn requests<T>(&self, work: impl FnOnce(&mut Requests) -> T) -> T {
        // The table is a convenience for retries; one that a panic left behind still answers.
        work(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The last request ids and what they were used for.
#[derive(Debug, Default)]
struct Requests {
    used: BTreeMap<String, Hash>,
    order: VecDeque<String>,
}

impl Requests {
    /// Refuses a request id that is too long, or stands for another statement already.
    fn check(&self, request_id: &str, statement_id: Hash) -> Result<(), Refusal> {
        if request_id.chars().count() > limits::MAX_REQUEST_ID_CHARS {
            return Err(Refusal::of(Reason::FieldInvalid).at("request_id"));
        }
        match self.used.get(request_id) {
            Some(known) if *known != statement_id => {
                Err(Refusal::of(Reason::RequestIdReused).at("request_id"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn remember(&mut self, request_id: &str, statement_id: Hash) {
        if request_id.is_empty() || self.used.contains_key(request_id) {
            return;
        }
        if self.order.len() >= limits::REQUEST_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.used.remove(&oldest);
        }
        self.order.push_back(request_id.to_owned());
        self.used.insert(request_id.to_owned(), statement_id);
    }
}

/// A grade that this version does not know is not taken for less than it may mean.
fn wanted(wait_for: i32) -> Result<Grade, Refusal> {
    let wait_for = v1::WaitFor::try_from(wait_for)
        .map_err(|_| Refusal::of(Reason::FieldInvalid).at("wait_for"))?;
    Ok(match wait_for {
        v1::WaitFor::Unspecified | v1::WaitFor::Local => Grade::Local,
        v1::WaitFor::Replicated => Grade::Replicated,
        v1::WaitFor::Confirmed => Grade::Confirmed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_stands_for_one_statement() {
        let mut requests = Requests::default();
        let (one, other) = (Hash::of(b"one"), Hash::of(b"other"));
        requests.remember("r-1", one);
        requests.check("r-1", one).unwrap();
        let refusal = requests.check("r-1", other).unwrap_err();
        assert_eq!(refusal.code, "REQUEST_ID_REUSED");
        requests.check("", other).unwrap();
    }

    #[test]
    fn the_oldest_request_ids_are_forgotten() {
        let mut requests = Requests::default();
        for number in 0..=limits::REQUEST_IDS {
            requests.remember(&format!("r-{number}"), Hash::of(b"x"));
        }
        assert_eq!(requests.used.len(), limits::REQUEST_IDS);
        assert!(!requests.used.contains_key("r-0"));
    }
}
