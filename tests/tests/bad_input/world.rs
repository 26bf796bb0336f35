//! Four members: `de` is spoken to, `us` follows it, `jp` and `kr` were there at the start and are
//! played by the test from then on, with their own certificates and keys.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use tocsin::setup::alliance::{found, open};
use tocsin::setup::member::Home;
use tocsin_cli::connect::connect;
use tocsin_cli::keyfile;
use tocsin_core::order::OrderActKind;
use tocsin_core::roster::Role;
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::Purpose;
use tocsin_tests::network::{CLIENT, Network};
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::block_service_client::BlockServiceClient;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

use crate::slow;
use crate::socket::{PATIENCE, Pair, Peer, Spoken, Target};
use crate::table::{Call, Caller, Deed, Row, SUBMIT, fits};

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
const IDS: [&str; 4] = ["us", "jp", "de", "kr"];
const CHECKPOINT: &str = "/tocsin.v1.LogService/GetCheckpoint";
/// The client of `de` that sends what is bad, and what is good right after.
const ROWS_CLIENT: &str = "rows";
/// Where the officer's other key lies.
const OTHER_KEY: &str = "other.key";
/// Orders of `us` that wait for a reader who does not read; each over half of its window.
const LONG_ORDERS: u32 = 4;

/// The alliance, and what was said in it before the first row.
pub struct World {
    pub network: Network,
    pub target: Target,
    /// A good client's channel to `de`, kept for the whole table.
    pub de: Channel,
    /// An order of `us`.
    pub order: StatementRef,
    /// An order of `de` and its rescission, both in its log.
    pub issued: Signed,
    pub rescinded: Signed,
    /// The same for another one; not submitted yet.
    pub later: Signed,
    pub later_rescinded: Signed,
    /// Says how it went with the reader who does not read.
    pub slow: Mutex<Option<JoinHandle<String>>>,
    good: v1::SubmitRequest,
}

/// The end of a log: what must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub size: u64,
    root: Vec<u8>,
}

impl World {
    pub async fn start() -> Self {
        let mut network = Network::found(BINARY, &IDS);
        give_an_officer_two_keys(&mut network);
        for id in IDS {
            network.run(id);
        }
        for id in IDS {
            network.ready(id).await;
        }
        network.kill("jp");
        network.kill("kr");
        let (issued, rescinded) = order_and_rescission(&network, 1);
        let (later, later_rescinded) = order_and_rescission(&network, 2);
        let de = network.channel("de").await;
        issued.submit(&de).await.unwrap();
        rescinded.submit(&de).await.unwrap();
        let order = issue(&network, 1, "").await;
        network.caught_up("de", "us", 1).await;
        // Each order of another member's gets one decision by policy, here for want of a pack.
        network.caught_up("de", "de", 3).await;

        let target = tocsin_tests::attack::scene::target(&network, "de");
        let home = pair(&network, Caller::Home);
        let slow = slow::start(de.clone(), &target, &home).await;
        for number in 2..=1 + LONG_ORDERS {
            issue(&network, number, &"EXERCISE: long. ".repeat(220)).await;
        }
        network.caught_up("de", "us", 5).await;
        network.caught_up("de", "de", 7).await;
        let good = say::report("de", 9_001).sign(&[&network.key("de", "i-1")]);
        let good = v1::SubmitRequest {
            validate_only: true,
            ..good.request()
        };
        Self {
            network,
            target,
            de,
            order,
            issued,
            rescinded,
            later,
            later_rescinded,
            slow: Mutex::new(Some(slow)),
            good,
        }
    }

    /// Runs a row and says what was wrong with it.
    pub async fn run(&mut self, row: &Row) -> Vec<String> {
        let before = self.head().await;
        let began = Instant::now();
        let (outcome, good) = self.perform(&row.deed).await;
        let took = began.elapsed().as_millis();
        let after = self.head().await;
        let mut wrong = Vec::new();
        let mut say = |what: String| wrong.push(format!("{} {}: {what}", row.number, row.sent));
        if !fits(row.expected, &outcome) {
            say(format!("`{outcome}`, not `{}`", row.expected));
        }
        if good != "Ok" {
            say(format!("a good request right after: {good}"));
        }
        if after.size != before.size + row.grows || (row.grows == 0 && after != before) {
            say(format!("the log went from {before:?} to {after:?}"));
        }
        for id in ["de", "us"] {
            if !self.network.is_alive(id) {
                say(format!("{id} has died:\n{}", self.network.log(id)));
            }
        }
        let mark = if wrong.is_empty() { "" } else { "  WRONG" };
        println!(
            "{:>2}  {:<66} {outcome} ({took} ms){mark}",
            row.number, row.sent
        );
        wrong
    }

    async fn perform(&self, deed: &Deed) -> (String, String) {
        let outcome = match deed {
            Deed::Call(call) => return self.call(call).await,
            Deed::Tcp(bytes) => self.target.outcome_of_tcp(bytes).await,
            Deed::Tls { pair, alpn, then } => {
                let pair = pair.as_ref();
                self.target.outcome_of_tls(pair, alpn, then).await
            }
            Deed::Do(act) => act(self).await,
        };
        let mut peer = self.peer(Caller::Home).await;
        let good = self.good(&mut peer, Caller::Home).await;
        peer.close().await;
        (outcome, good)
    }

    /// The good request follows on the same connection.
    async fn call(&self, call: &Call) -> (String, String) {
        let mut peer = self.peer(call.caller).await;
        let mut outcomes = Vec::new();
        for framed in &call.framed {
            let answer = peer.call(call.path, &call.headers, framed).await;
            outcomes.push(answer.outcome());
        }
        outcomes.dedup();
        let good = self.good(&mut peer, call.caller).await;
        peer.close().await;
        (outcomes.join(", then "), good)
    }

    async fn good(&self, peer: &mut Peer, caller: Caller) -> String {
        use prost::Message as _;
        let (path, message) = match caller {
            Caller::Home => (SUBMIT, self.good.encode_to_vec()),
            Caller::Foreign | Caller::Node => (CHECKPOINT, Vec::new()),
        };
        let framed = crate::bytes::frame(&message);
        peer.call(path, &[], &framed).await.outcome()
    }

    async fn peer(&self, caller: Caller) -> Peer {
        let pair = pair(&self.network, caller);
        self.target.h2(&pair, &h2::client::Builder::new()).await
    }

    /// Where the log of `de` ends.
    pub async fn head(&self) -> Head {
        let v1::GetCheckpointResponse { size, root, .. } = self.checkpoint(|_| true).await;
        Head { size, root }
    }

    /// The newest checkpoint of `de` when it is as wanted.
    pub async fn checkpoint(
        &self,
        wanted: impl Fn(&v1::GetCheckpointResponse) -> bool,
    ) -> v1::GetCheckpointResponse {
        let mut client = LogServiceClient::new(self.de.clone());
        let end = Instant::now() + PATIENCE;
        loop {
            let asked = client.get_checkpoint(v1::GetCheckpointRequest::default());
            let checkpoint = asked.await.unwrap().into_inner();
            if wanted(&checkpoint) {
                return checkpoint;
            }
            assert!(Instant::now() < end, "{checkpoint:?}");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// How the block of an order of `de` stands at home.
    pub async fn state(&self, order: &Signed) -> String {
        let name = order.entry.statement_id().to_string();
        let mut client = BlockServiceClient::new(self.de.clone());
        let asked = client.get_block(v1::GetBlockRequest { name }).await;
        asked.unwrap().into_inner().notice.unwrap().state
    }

    /// A channel to the node of `to` as the node of `jp`.
    pub async fn as_jp(&self, to: &str) -> Channel {
        let home = &self.network.member("jp").home;
        let mut context = self.network.context("jp", to);
        context.client_cert = home.node_cert();
        context.client_key = home.node_cert_key();
        connect(&context, PATIENCE).await.unwrap()
    }

    /// A member's log or mirror key.
    pub fn log_key(&self, member: &str, purpose: Purpose) -> SigningKey {
        let file = self.network.member(member).home.keys();
        let file = file.join(format!("{}.key", purpose.word()));
        keyfile::read_for(&file, purpose).unwrap().key
    }

    /// The other key of the officer `o-1` of `de`.
    pub fn other_key(&self) -> SigningKey {
        let file = self.network.member("de").home.keys().join(OTHER_KEY);
        keyfile::read_for(&file, Purpose::Record).unwrap().key
    }

    /// The two officers of a member.
    pub fn officers(&self, member: &str) -> [SigningKey; 2] {
        ["o-1", "o-2"].map(|person| self.network.key(member, person))
    }

    /// Said and signed by both officers of `de`.
    pub fn by_officers(&self, saying: &Saying) -> Signed {
        let [one, two] = self.officers("de");
        saying.sign(&[&one, &two])
    }
}

/// The certificate of a caller.
pub fn pair(network: &Network, caller: Caller) -> Pair {
    let home = |id: &str| network.member(id).home.clone();
    let (cert, key) = match caller {
        Caller::Home => client(&home("de"), ROWS_CLIENT),
        Caller::Foreign => client(&home("us"), CLIENT),
        Caller::Node => (home("jp").node_cert(), home("jp").node_cert_key()),
    };
    Pair {
        cert: fs::read_to_string(cert).unwrap(),
        key: fs::read_to_string(key).unwrap(),
    }
}

fn client(home: &Home, id: &str) -> (PathBuf, PathBuf) {
    (home.client_cert(id), home.client_cert_key(id))
}

/// Founds the alliance anew, with two keys of one person in the manifest of `de`.
fn give_an_officer_two_keys(network: &mut Network) {
    for id in IDS {
        fs::remove_file(network.member(id).home.alliance()).unwrap();
    }
    let home = &network.member("de").home;
    let first = home.person_key(Role::Officer, "o-1");
    fs::rename(first, home.keys().join(OTHER_KEY)).unwrap();
    home.add_person("o-1", Role::Officer).unwrap();
    home.add_client(ROWS_CLIENT, &[]).unwrap();
    let files = IDS.map(|id| {
        let home = &network.member(id).home;
        let gov = keyfile::read_for(&home.gov_key(), Purpose::Gov).unwrap();
        (home.read_member_file().unwrap(), gov)
    });
    let alliance = found(&files).unwrap();
    for id in IDS {
        fs::write(network.member(id).home.alliance(), &alliance).unwrap();
    }
    network.alliance = open(&alliance).unwrap();
}

fn order_and_rescission(network: &Network, number: u32) -> (Signed, Signed) {
    let keys = ["o-1", "o-2"].map(|person| network.key("de", person));
    let keys = [&keys[0], &keys[1]];
    let act = Act::Order(Box::new(say::order("EXERCISE of de")));
    let order = Saying::new("de", act).number(number).sign(&keys);
    let rescission = Saying::new("de", say::act(OrderActKind::Rescind));
    let rescission = rescission.about(&order.reference("de")).sign(&keys);
    (order, rescission)
}

/// An order of `us`, admitted there.
async fn issue(network: &Network, number: u32, summary: &str) -> StatementRef {
    let mut order = say::order("EXERCISE of us");
    summary.clone_into(&mut order.summary);
    let saying = Saying::new("us", Act::Order(Box::new(order))).number(number);
    let keys = ["o-1", "o-2"].map(|person| network.key("us", person));
    let signed = saying.sign(&[&keys[0], &keys[1]]);
    signed.submit(&network.channel("us").await).await.unwrap();
    signed.reference("us")
}
