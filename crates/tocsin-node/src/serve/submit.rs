//! `tocsin.v1.SubmitService`: the one door for clients of this member.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_wire::envelope::read_statement;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_server::SubmitService;
use tocsin_wire::submission;
use tonic::{Request, Response, Status};

use crate::door;
use crate::gate::deadline;
use crate::identity::identity;
use crate::limits;
use crate::node::Node;
use crate::status::{Reason, Refusal};

/// Takes statements from clients at home.
#[derive(Debug)]
pub(crate) struct Submit {
    node: Arc<Node>,
    requests: Mutex<Requests>,
}

impl Submit {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        Self {
            node,
            requests: Mutex::default(),
        }
    }
}

#[tonic::async_trait]
impl SubmitService for Submit {
    type SubmitStreamStream =
        tokio_stream::wrappers::ReceiverStream<Result<v1::SubmitStreamResponse, Status>>;

    async fn submit_stream(
        &self,
        _request: Request<tonic::Streaming<v1::SubmitStreamRequest>>,
    ) -> Result<Response<Self::SubmitStreamStream>, Status> {
        Err(Status::unimplemented("SubmitStream is being built"))
    }

    async fn submit(
        &self,
        request: Request<v1::SubmitRequest>,
    ) -> Result<Response<v1::SubmitResponse>, Status> {
        identity(&request)?.require_home(&self.node.config.member)?;
        let most = deadline(&request).map_or(limits::WAIT_FOR_GRADE, |deadline| {
            deadline
                .saturating_duration_since(tokio::time::Instant::now())
                .mul_f64(0.9)
        });
        let asked = request.into_inner();
        let grade = wanted(asked.wait_for)?;
        let entry = read_statement(asked.statement.as_ref()).map_err(|error| {
            let refused = tocsin_core::reason::Refusal::at(error.reason(), "statement");
            Refusal::from(refused.with(error.to_string()))
        })?;
        let bodies = submission::bodies(&asked.body, &asked.further_bodies);
        if asked.validate_only {
            let admitted = door::check(&self.node, entry, bodies)?;
            let name = admitted.name(self.node.member());
            let response = v1::SubmitResponse {
                name,
                ..v1::SubmitResponse::default()
            };
            return Ok(Response::new(response));
        }
        let statement_id = entry.statement_id();
        self.requests(|requests| requests.check(&asked.request_id, statement_id))?;
        let accepted = door::submit(&self.node, entry, bodies).await?;
        // Only what was accepted: a refused statement is mended under the same id.
        self.requests(|requests| requests.remember(&asked.request_id, statement_id));
        let reached = door::wait_for(&self.node, accepted.index, grade, most).await;
        let receipt = door::receipt(&self.node, &accepted)?.write();
        let response = v1::SubmitResponse {
            receipt: Some(receipt),
            name: accepted.name,
            grade: crate::serve::grade(reached).into(),
        };
        Ok(Response::new(response))
    }
}

impl Submit {
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
