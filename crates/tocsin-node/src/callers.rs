//! How fast each caller asks: a bucket for each client and each member's node, and one for all
//! clients of each other member, which together have no more than theirs.
//!
//! Submissions are not counted here: persons have quotas of their own, and a withdrawal must never
//! wait for what the same client has read.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tocsin_core::quota::{Bucket, Rate};

use crate::config::QuotaConfig;
use crate::identity::PeerIdentity;
use crate::limits;
use crate::status::{Reason, Refusal};

/// The methods that are never counted: see the module, and health, by which others judge whether we
/// live.
const FREE: [&str; 2] = ["/tocsin.v1.SubmitService/", "/grpc.health.v1.Health/"];

/// Everybody's buckets; one for all connections of a listener.
#[derive(Debug)]
pub(crate) struct Callers {
    home: String,
    client: Rate,
    member: Rate,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// By member, and by client; the empty client is the member's node.
    callers: BTreeMap<(String, String), Bucket>,
    /// By member, of all its clients; no more than there are members.
    members: BTreeMap<String, Bucket>,
}

impl Callers {
    pub(crate) fn new(home: &str, quotas: &QuotaConfig) -> Self {
        Self {
            home: home.to_owned(),
            client: quotas.client_rate(),
            member: quotas.member_rate(),
            buckets: Mutex::default(),
        }
    }

    /// Counts one request of a method.
    ///
    /// # Errors
    /// [`Reason::QuotaRequests`] with the time to wait.
    pub(crate) fn take(
        &self,
        caller: &PeerIdentity,
        method: &str,
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if FREE.iter().any(|free| method.starts_with(free)) {
            return Ok(());
        }
        let (member, client) = match caller {
            PeerIdentity::Node { member } => (member, ""),
            PeerIdentity::Client { member, id, .. } => (member, id.as_str()),
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = buckets.of_caller(member, client, self.client, now_ms) {
            own.take(self.client, 1, now_ms).map_err(refusal)?;
        }
        if *member == self.home || client.is_empty() {
            return Ok(());
        }
        let all = buckets
            .members
            .entry(member.clone())
            .or_insert_with(|| Bucket::full(self.member, now_ms));
        all.take(self.member, 1, now_ms).map_err(refusal)
    }
}

impl Buckets {
    /// The caller's bucket; none when there are too many to remember, which no member can bring
    /// about alone: its clients share its connections, and full buckets are forgotten.
    fn of_caller(
        &mut self,
        member: &str,
        client: &str,
        rate: Rate,
        now_ms: i64,
    ) -> Option<&mut Bucket> {
        let key = (member.to_owned(), client.to_owned());
        if !self.callers.contains_key(&key) && self.callers.len() >= limits::MAX_CALLERS {
            self.callers
                .retain(|_, bucket| !bucket.is_full(rate, now_ms));
            if self.callers.len() >= limits::MAX_CALLERS {
                return None;
            }
        }
        Some(
            self.callers
                .entry(key)
                .or_insert_with(|| Bucket::full(rate, now_ms)),
        )
    }
}

fn refusal(wait_ms: i64) -> Refusal {
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or_default());
    Refusal::of(Reason::QuotaRequests).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "/tocsin.v1.ScreenService/Lookup";

    fn callers() -> Callers {
        let quotas = QuotaConfig {
            client_requests: 10,
            member_requests: 15,
            ..QuotaConfig::default()
        };
        Callers::new("de", &quotas)
    }

    fn client(member: &str, id: &str) -> PeerIdentity {
        PeerIdentity::Client {
            member: member.to_owned(),
            id: id.to_owned(),
            roles: Default::default(),
        }
    }

    /// How many requests at one instant are let through.
    fn passed(callers: &Callers, caller: &PeerIdentity, now: i64) -> usize {
        let asked = (0..1_000).filter(|_| callers.take(caller, METHOD, now).is_ok());
        asked.count()
    }

    #[test]
    fn a_flood_of_one_client_is_refused_with_a_time_and_others_are_served() {
        let callers = callers();
        assert_eq!(passed(&callers, &client("de", "zoll"), 0), 20);
        let refused = callers.take(&client("de", "zoll"), METHOD, 0).unwrap_err();
        assert_eq!(refused.code, "QUOTA_REQUESTS");
        let wait = refused.retry.unwrap();
        assert!(Duration::from_millis(100) <= wait && wait < Duration::from_millis(110));
        assert_eq!(passed(&callers, &client("de", "police"), 0), 20);
        assert_eq!(passed(&callers, &client("de", "zoll"), 1_000), 10);
    }

    #[test]
    fn clients_of_another_member_share_what_it_has_and_its_node_does_not() {
        let callers = callers();
        assert_eq!(passed(&callers, &client("us", "one"), 0), 20);
        assert_eq!(passed(&callers, &client("us", "two"), 0), 10);
        assert_eq!(passed(&callers, &client("us", "three"), 0), 0);
        let node = PeerIdentity::Node {
            member: "us".to_owned(),
        };
        assert_eq!(passed(&callers, &node, 0), 20);
        assert_eq!(passed(&callers, &client("jp", "one"), 0), 20);
    }

    #[test]
    fn a_submission_never_waits_for_what_was_read() {
        let callers = callers();
        let desk = client("de", "desk");
        passed(&callers, &desk, 0);
        for method in [
            "/tocsin.v1.SubmitService/Submit",
            "/tocsin.v1.SubmitService/SubmitStream",
            "/grpc.health.v1.Health/Check",
        ] {
            assert!(callers.take(&desk, method, 0).is_ok(), "{method}");
        }
        assert!(callers.take(&desk, METHOD, 0).is_err());
    }

    #[test]
    fn no_number_of_names_makes_the_table_grow_beyond_its_bound() {
        let callers = callers();
        for number in 0..3 * limits::MAX_CALLERS {
            let _ = callers.take(&client("us", &format!("c-{number}")), METHOD, 0);
        }
        assert_eq!(
            callers.buckets.lock().unwrap().callers.len(),
            limits::MAX_CALLERS
        );
        // When they have gone quiet, their places are others'.
        assert_eq!(passed(&callers, &client("jp", "one"), 60_000), 20);
        assert_eq!(callers.buckets.lock().unwrap().callers.len(), 1);
    }
}
