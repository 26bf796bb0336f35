//! Small facts for the tests of the fold.

use std::sync::Arc;

use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

use super::{Event, Position, Registry};
use crate::decision::{Decision, DecisionKind, PolicyCitation};
use crate::handling::Tlp;
use crate::order::{Instrument, Order, OrderAct, OrderActKind, OrderBody, Phase, ScopeKind};
use crate::party::{Party, PartyKind};
use crate::policy::PolicyPack;
use crate::product::{Article, Selector};
use crate::right::{Right, RightKind};
use crate::statement::{Act, BodyRef, DecodedBody, Statement, StatementRef};
use crate::terms::Terms;

pub(crate) const ALLIANCE: &str = "test.example";

/// The instant at which everything is said unless a test says otherwise: 2026-11-22.
pub(crate) const NOW: i64 = 1_795_305_600_000;
pub(crate) const DAY: i64 = 86_400_000;

/// A general order on articles, in force from [`NOW`] without end.
pub(crate) fn order(articles: &[(&str, &[Selector])]) -> Order {
    Order {
        case_ref: "337-TA-1".into(),
        title: "Certain lamps".into(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: vec![],
        articles: articles
            .iter()
            .map(|(description, selectors)| Article {
                description: (*description).into(),
                selectors: selectors.to_vec(),
            })
            .collect(),
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".into(),
            number: "1".into(),
            missing_reason: String::new(),
            claims: String::new(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    }
}

/// The same, binding only respondents of these names.
pub(crate) fn limited(order: Order, names: &[&str]) -> Order {
    let party = |name: &&str| Party {
        kind: PartyKind::Company,
        names: vec![(*name).into()],
        identifiers: vec![],
        country: String::new(),
    };
    Order {
        scope: ScopeKind::Limited,
        respondents: names.iter().map(party).collect(),
        ..order
    }
}

pub(crate) fn models(names: &[&str]) -> Order {
    let selectors: Vec<Selector> = names
        .iter()
        .map(|name| Selector::Model((*name).into()))
        .collect();
    order(&[("lamps", &selectors)])
}

/// Logs of us, de and jp, written by hand and applied as they are written.
#[derive(Clone)]
pub(crate) struct Logs {
    pub(crate) registry: Registry,
    next: std::collections::BTreeMap<String, u64>,
    number: u32,
}

/// One entry that was written.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) id: Hash,
    pub(crate) position: Position,
    pub(crate) statement: Arc<Statement>,
}

pub(crate) fn origin(member: &str) -> Origin {
    Origin::new(ALLIANCE, member, 1).unwrap()
}

pub(crate) fn reference(id: Hash) -> StatementRef {
    StatementRef {
        log: format!("{ALLIANCE}/us"),
        statement_id: id,
    }
}

impl Logs {
    pub(crate) fn new() -> Self {
        let logs = ["us", "de", "jp"].map(|member| (origin(member), member.to_uppercase()));
        Self {
            registry: Registry::with_logs(logs),
            next: Default::default(),
            number: 0,
        }
    }

    pub(crate) fn position(&mut self, member: &str) -> Position {
        let next = self.next.entry(member.into()).or_default();
        *next += 1;
        Position {
            origin: origin(member),
            index: *next - 1,
        }
    }

    pub(crate) fn statement(&mut self, member: &str, at: i64, act: Act) -> Statement {
        let number = if act.is_numbered() {
            self.number += 1;
            self.number
        } else {
            0
        };
        Statement {
            log: format!("{ALLIANCE}/{member}"),
            nonce: [0; 16],
            created_ms: at,
            number,
            tlp: Tlp::Green,
            bodies: vec![],
            about: None,
            refs: vec![],
            act,
        }
    }

    /// Writes a statement; its name is a digest of all it says and of its place.
    pub(crate) fn write(&mut self, member: &str, statement: Statement) -> Said {
        let position = self.position(member);
        let id = Hash::of(format!("{position:?} {statement:?}").as_bytes());
        self.put(position, id, Arc::new(statement))
    }

    pub(crate) fn put(&mut self, position: Position, id: Hash, statement: Arc<Statement>) -> Said {
        let said = Said {
            id,
            position: position.clone(),
            statement: Arc::clone(&statement),
        };
        assert!(self.registry.apply(Event::Valid {
            position,
            statement_id: id,
            statement
        }));
        said
    }

    pub(crate) fn issue(&mut self, order: Order) -> Said {
        let statement = self.statement("us", NOW, Act::Order(Box::new(order)));
        self.write("us", statement)
    }

    pub(crate) fn act(&mut self, about: Hash, at: i64, act: OrderAct) -> Said {
        let statement = self.statement("us", at, Act::OrderAct(Box::new(act)));
        self.write(
            "us",
            Statement {
                about: Some(reference(about)),
                ..statement
            },
        )
    }

    pub(crate) fn do_to(&mut self, about: Hash, kind: OrderActKind) -> Said {
        self.act(
            about,
            NOW,
            OrderAct {
                kind,
                reason: format!("{kind}"),
                replacement: None,
            },
        )
    }

    pub(crate) fn modify(&mut self, about: Hash, replacement: Order) -> Said {
        let (kind, reason) = (OrderActKind::Modify, "modified".into());
        self.act(
            about,
            NOW,
            OrderAct {
                kind,
                reason,
                replacement: Some(replacement),
            },
        )
    }

    /// A decision by officers of `member` on the text `judged` of the order `about`.
    pub(crate) fn decide(
        &mut self,
        member: &str,
        at: i64,
        about: Hash,
        kind: DecisionKind,
        change: impl FnOnce(&mut Decision),
    ) -> Said {
        let mut decision = Decision {
            kind,
            judged: about,
            basis: "a law".into(),
            reason: format!("{kind}"),
            until_ms: 0,
            local_rights: vec![],
            policy: None,
        };
        change(&mut decision);
        let statement = self.statement(member, at, Act::Decision(decision));
        self.write(
            member,
            Statement {
                about: Some(reference(about)),
                ..statement
            },
        )
    }

    pub(crate) fn hold(&mut self, member: &str, about: Hash, until_ms: i64) -> Said {
        self.decide(member, NOW, about, DecisionKind::Hold, |hold| {
            hold.until_ms = until_ms
        })
    }

    pub(crate) fn by_policy(
        &mut self,
        about: Hash,
        kind: DecisionKind,
        pack: Option<Hash>,
        rule: &str,
        until_ms: i64,
    ) -> Said {
        self.decide("de", NOW, about, kind, |decision| {
            decision.until_ms = until_ms;
            decision.policy = Some(PolicyCitation {
                pack,
                rule: rule.into(),
            });
        })
    }

    pub(crate) fn pack(&mut self, member: &str, toml: &str) -> Said {
        let act = Act::PolicyPack(PolicyPack { toml: toml.into() });
        let statement = self.statement(member, NOW - DAY, act);
        self.write(member, statement)
    }

    pub(crate) fn opaque(&mut self, member: &str, about: Hash) {
        let position = self.position(member);
        assert!(self.registry.apply(Event::Opaque {
            position,
            about: Some(reference(about))
        }));
    }

    pub(crate) fn body(&mut self, said: &Said, sha256: Hash, body: Option<DecodedBody>) {
        let (position, body) = (said.position.clone(), body.map(Arc::new));
        assert!(self.registry.apply(Event::Body {
            position,
            sha256,
            body
        }));
    }

    /// How the block of the order stands in a jurisdiction.
    pub(crate) fn state(&self, order: Hash, jurisdiction: &str, at: i64) -> &'static str {
        self.registry
            .block(&reference(order), jurisdiction, at)
            .unwrap()
            .state
            .word()
    }
}

pub(crate) fn lasting(sha256: Hash) -> BodyRef {
    BodyRef {
        sha256,
        length: 100,
        scheme: 0,
        lasting: true,
    }
}

pub(crate) fn order_body(models: &[&str]) -> DecodedBody {
    DecodedBody::Order(OrderBody {
        articles: self::models(models).articles,
    })
}

/// A pack of one rule.
pub(crate) fn pack_toml(then: &str) -> String {
    format!(
        "[meta]\njurisdiction = \"DE\"\nversion = 1\nvalid_from = \"2026-01-01\"\n\
         calendar = \"DE\"\n[[rule]]\nid = \"r1\"\nissuer = \"*\"\ninstrument = \"*\"\n\
         right_kind = \"*\"\nscope = \"*\"\nlocal_right = \"*\"\n{then}\n"
    )
}
