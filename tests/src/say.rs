//! Statements for whole-network tests: made, signed and submitted as any client would.

use std::time::{SystemTime, UNIX_EPOCH};

use tocsin_core::decision::{Decision, DecisionKind};
use tocsin_core::handling::Tlp;
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, Phase, ScopeKind};
use tocsin_core::policy::PolicyPack;
use tocsin_core::product::{Article, Selector};
use tocsin_core::report::{Report, ReportBody, ReportKind};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, SALT_BYTES, Statement, StatementRef};
use tocsin_core::terms::Terms;
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::key::SigningKey;
use tocsin_wire::body;
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tonic::Status;
use tonic::transport::Channel;

/// The GTIN of the fictional product that test orders are about.
pub const GTIN: &str = "4006381333931";

/// A statement with its bodies, before it is signed.
#[derive(Clone, Debug)]
pub struct Saying {
    /// What is said.
    pub statement: Statement,
    /// Salted bodies, in order.
    pub bodies: Vec<Vec<u8>>,
}

/// A signed statement on its way to a node.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What was signed and by whom.
    pub entry: Entry,
    /// Salted bodies, in order.
    pub bodies: Vec<Vec<u8>>,
}

impl Saying {
    /// `act` said in the log of `member`, now.
    #[must_use]
    pub fn new(member: &str, act: Act) -> Self {
        let statement = Statement {
            log: format!("{}/{member}", crate::network::LABEL),
            nonce: random(),
            created_ms: now_ms(),
            number: 0,
            tlp: Tlp::Green,
            bodies: Vec::new(),
            about: None,
            refs: Vec::new(),
            act,
        };
        Self {
            statement,
            bodies: Vec::new(),
        }
    }

    /// With a running number.
    #[must_use]
    pub fn number(mut self, number: u32) -> Self {
        self.statement.number = number;
        self
    }

    /// On an order.
    #[must_use]
    pub fn about(mut self, order: &StatementRef) -> Self {
        self.statement.about = Some(order.clone());
        self
    }

    /// Citing another statement.
    #[must_use]
    pub fn citing(mut self, other: &StatementRef) -> Self {
        self.statement.refs.push(other.clone());
        self
    }

    /// With a further body.
    ///
    /// # Panics
    /// Never: lengths fit.
    #[must_use]
    pub fn body(mut self, content: &DecodedBody, lasting: bool) -> Self {
        let bytes = body::encode(random::<SALT_BYTES>(), content);
        self.statement.bodies.push(BodyRef {
            sha256: Hash::of(&bytes),
            length: u64::try_from(bytes.len()).expect("a length"),
            scheme: 0,
            lasting,
        });
        self.bodies.push(bytes);
        self
    }

    /// The exact bytes that are signed.
    #[must_use]
    pub fn payload(&self) -> Vec<u8> {
        tocsin_wire::statement::encode(&self.statement)
    }

    /// Signed by these keys.
    #[must_use]
    pub fn sign(&self, keys: &[&SigningKey]) -> Signed {
        let entry = Entry::sign(STATEMENT_TYPE, self.payload(), keys);
        Signed {
            entry,
            bodies: self.bodies.clone(),
        }
    }
}

impl Signed {
    /// The request that submits it.
    #[must_use]
    pub fn request(&self) -> v1::SubmitRequest {
        let mut bodies = self.bodies.iter().cloned();
        v1::SubmitRequest {
            request_id: String::new(),
            statement: Some(write_statement(&self.entry)),
            body: bodies.next().unwrap_or_default(),
            wait_for: v1::WaitFor::Local.into(),
            validate_only: false,
            further_bodies: bodies.collect(),
        }
    }

    /// Submits it over a channel to its member's node.
    ///
    /// # Errors
    /// What the node answers.
    pub async fn submit(&self, channel: &Channel) -> Result<v1::SubmitResponse, Status> {
        let mut client = SubmitServiceClient::new(channel.clone());
        client
            .submit(self.request())
            .await
            .map(tonic::Response::into_inner)
    }

    /// As others cite it.
    #[must_use]
    pub fn reference(&self, member: &str) -> StatementRef {
        let log = format!("{}/{member}", crate::network::LABEL);
        StatementRef {
            log,
            statement_id: self.entry.statement_id(),
        }
    }
}

/// A general exclusion order of the exercise, on [`GTIN`] and a model.
#[must_use]
pub fn order(title: &str) -> Order {
    Order {
        case_ref: "337-TA-9999".to_owned(),
        title: title.to_owned(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: Vec::new(),
        articles: vec![Article {
            description: "certain lamps of the exercise".to_owned(),
            selectors: vec![
                Selector::Gtin(GTIN.to_owned()),
                Selector::Model("HX-220B".to_owned()),
            ],
        }],
        rights: vec![right("US", "9999999")],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: now_ms() - 1_000,
        until_ms: 0,
        counterfeit: false,
        summary: "EXERCISE: invented for a test".to_owned(),
        exercise: true,
        terms: Terms::default(),
    }
}

/// A patent in a register.
#[must_use]
pub fn right(office: &str, number: &str) -> Right {
    Right {
        kind: RightKind::Patent,
        office: office.to_owned(),
        number: number.to_owned(),
        missing_reason: String::new(),
        claims: String::new(),
    }
}

/// What an issuer does to its own order.
#[must_use]
pub fn act(kind: OrderActKind) -> Act {
    let reason = "EXERCISE: a test".to_owned();
    Act::OrderAct(Box::new(OrderAct {
        kind,
        reason,
        replacement: None,
    }))
}

/// An officers' decision on the statement `judged`.
#[must_use]
pub fn decision(kind: DecisionKind, judged: Hash) -> Decision {
    Decision {
        kind,
        judged,
        basis: "EXERCISE: local law".to_owned(),
        reason: "EXERCISE: a test".to_owned(),
        until_ms: 0,
        local_rights: Vec::new(),
        policy: None,
    }
}

/// A policy pack of one rule: everything gets `then`.
#[must_use]
pub fn pack(jurisdiction: &str, then: &str) -> Act {
    let hold = if then == "hold" {
        "hold_days = 1\n"
    } else {
        ""
    };
    let toml = format!(
        "[meta]\njurisdiction = \"{jurisdiction}\"\nversion = 1\n\
         valid_from = \"2020-01-01T00:00:00Z\"\ncalendar = \"none\"\n\n\
         [[rule]]\nid = \"all\"\nthen = \"{then}\"\n{hold}basis = \"EXERCISE: risk management\"\n"
    );
    Act::PolicyPack(PolicyPack { toml })
}

/// An investigator's report; its content is the body.
#[must_use]
pub fn report(member: &str, number: u32) -> Saying {
    report_saying(member, number, "Invented for a test.")
}

/// The same with this text.
#[must_use]
pub fn report_saying(member: &str, number: u32, narrative: &str) -> Saying {
    let content = ReportBody {
        title: "EXERCISE: copied lamps".to_owned(),
        narrative: narrative.to_owned(),
        articles: order("as reported").articles,
        parties: Vec::new(),
        source_reliability: "B".to_owned(),
        credibility: 2,
        collected_ms: now_ms() - 60_000,
        exhibits: Vec::new(),
        requested_action: "inspect".to_owned(),
        exercise: true,
    };
    let act = Act::Report(Report {
        kind: ReportKind::Infringement,
    });
    Saying::new(member, act)
        .number(number)
        .body(&DecodedBody::Report(Box::new(content)), false)
}

/// Now, in Unix milliseconds.
///
/// # Panics
/// When the clock stands before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    i64::try_from(now.as_millis()).expect("a clock before the year 292 million")
}

/// Bytes of the operating system's randomness.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}
