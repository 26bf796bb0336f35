//! Logs of four members, written step by step from arbitrary bytes.

use std::sync::Arc;

use tocsin_core::decision::{Decision, DecisionKind, PolicyCitation};
use tocsin_core::handling::Tlp;
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, OrderBody, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::policy::{Judged, Pack, PolicyPack, PolicyPackBody, decide};
use tocsin_core::product::{Article, Selector, SerialRange};
use tocsin_core::registry::{Event, Position, Registry};
use tocsin_core::report::{Report, ReportKind};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, Statement, StatementRef};
use tocsin_core::terms::{CarveOut, CarveOutKind, Direction, Terms};
use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;

pub(crate) const MEMBERS: [&str; 4] = ["us", "jp", "de", "kr"];
/// 2026-11-22T00:00:00Z.
pub(crate) const NOW: i64 = 1_795_305_600_000;
pub(crate) const DAY: i64 = 86_400_000;

/// What to write: what, who, on which order, and how.
pub(crate) type Step = (u8, u8, u8, u8);

pub(crate) fn origin(member: &str) -> Origin {
    Origin::new("test.example", member, 1).unwrap()
}

pub(crate) fn log_name(member: &str) -> String {
    origin(member).log_name()
}

pub(crate) fn registry() -> Registry {
    Registry::with_logs(MEMBERS.map(|member| (origin(member), member.to_uppercase())))
}

/// What the members wrote, and what comes beside it in its own time.
#[derive(Debug, Default)]
pub(crate) struct World {
    logs: [Vec<Event>; 4],
    loose: Vec<Event>,
    orders: Vec<Issued>,
    packs: [Vec<(Hash, Pack)>; 4],
    statements: u32,
}

/// An order, as whoever writes on it knows it.
#[derive(Clone, Debug)]
struct Issued {
    issuer: usize,
    reference: StatementRef,
    // Statements that give it a text.
    texts: Vec<(Hash, Order)>,
}

impl World {
    pub(crate) fn of(steps: &[Step]) -> Self {
        let mut world = Self::default();
        for member in 0..MEMBERS.len() {
            world.issue(member, 0);
        }
        for step in steps {
            world.write(*step);
        }
        world
    }

    /// All events in one of the orders in which they can arrive.
    pub(crate) fn arrival(&self, picks: &[u16]) -> Vec<Event> {
        let mut queues: Vec<Vec<Event>> = self
            .logs
            .iter()
            .map(|log| log.iter().rev().cloned().collect())
            .collect();
        queues.extend(self.loose.iter().map(|event| vec![event.clone()]));
        let mut arrival = Vec::new();
        let mut picks = picks.iter().cycle();
        while !queues.is_empty() {
            // What is loose is picked less often, so that bodies come late as often as early.
            let pick = usize::from(*picks.next().unwrap());
            let among = if pick % 3 == 0 {
                queues.len()
            } else {
                queues.len().min(4)
            };
            let at = pick / 3 % among;
            arrival.extend(queues[at].pop());
            if queues[at].is_empty() {
                queues.remove(at);
            }
        }
        arrival
    }

    fn write(&mut self, (what, who, which, how): Step) {
        let who = usize::from(who) % MEMBERS.len();
        let order = self.orders[usize::from(which) % self.orders.len()].clone();
        match what % 24 {
            0..=1 => self.issue(who, how),
            2 => self.pack(who, how),
            3..=5 => self.act(&order, OrderActKind::Modify, how),
            6 => self.act(&order, OrderActKind::Suspend, how),
            7..=8 => self.act(&order, OrderActKind::Resume, how),
            9 if how % 3 == 0 => self.act(&order, OrderActKind::Withdraw, how),
            9 if how % 3 == 1 => self.act(&order, OrderActKind::Rescind, how),
            10 => {
                let position = self.next(who);
                let about = (how % 4 != 0).then(|| order.reference.clone());
                self.logs[who].push(Event::Opaque { position, about });
            }
            11 => self.replay(who, usize::from(how)),
            12 => self.report(who, how),
            13 if how < 60 => self.loose.push(Event::Freeze {
                origin: origin(MEMBERS[who]),
            }),
            14 => self.act_before_issue(who, how),
            15 => {
                let position = self.next(who);
                self.logs[who].push(Event::Invalid { position });
            }
            16..=18 => self.by_policy(who, &order, how),
            9 | 13 | 19.. => self.by_officers(who, &order, how),
        }
    }

    fn next(&self, who: usize) -> Position {
        Position {
            origin: origin(MEMBERS[who]),
            index: self.logs[who].len() as u64,
        }
    }

    fn statement(&mut self, who: usize, act: Act) -> Statement {
        self.statements += 1;
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&self.statements.to_be_bytes());
        Statement {
            log: log_name(MEMBERS[who]),
            nonce,
            created_ms: NOW,
            number: if act.is_numbered() {
                self.statements
            } else {
                0
            },
            tlp: Tlp::Green,
            bodies: vec![],
            about: None,
            refs: vec![],
            act,
        }
    }

    fn say(&mut self, who: usize, statement: Statement) -> Hash {
        let id = Hash::of(format!("{statement:?}").as_bytes());
        self.put(who, id, Arc::new(statement));
        id
    }

    fn put(&mut self, who: usize, statement_id: Hash, statement: Arc<Statement>) {
        let position = self.next(who);
        self.logs[who].push(Event::Valid {
            position,
            statement_id,
            statement,
        });
    }

    /// A lasting body of the statement that is written next.
    fn body(&mut self, who: usize, body: Option<DecodedBody>) -> Vec<BodyRef> {
        let sha256 = Hash::of(&self.statements.to_be_bytes());
        let (position, body) = (self.next(who), body.map(Arc::new));
        self.loose.push(Event::Body {
            position,
            sha256,
            body,
        });
        vec![BodyRef {
            sha256,
            length: 64,
            scheme: 0,
            lasting: true,
        }]
    }

    fn issue(&mut self, who: usize, how: u8) {
        let text = order_text(how);
        let mut statement = self.statement(who, Act::Order(Box::new(text.clone())));
        if how % 5 == 1 {
            // Some say nothing.
            let articles = order_text(how / 3).articles;
            let body = how
                .is_multiple_of(2)
                .then_some(DecodedBody::Order(OrderBody { articles }));
            statement.bodies = self.body(who, body);
        }
        if how % 11 == 3 {
            // Claims the number of the member's first order.
            statement.number = u32::try_from(who).unwrap() + 1;
        }
        let id = self.say(who, statement);
        self.know(who, id, text);
    }

    fn know(&mut self, issuer: usize, id: Hash, text: Order) {
        let reference = StatementRef {
            log: log_name(MEMBERS[issuer]),
            statement_id: id,
        };
        self.orders.push(Issued {
            issuer,
            reference,
            texts: vec![(id, text)],
        });
    }

    fn act(&mut self, order: &Issued, kind: OrderActKind, how: u8) {
        let text = order_text(how);
        let replacement = (kind == OrderActKind::Modify).then(|| text.clone());
        let act = OrderAct {
            kind,
            reason: format!("{kind} {how}"),
            replacement,
        };
        let mut statement = self.statement(order.issuer, Act::OrderAct(Box::new(act)));
        statement.about = Some(order.reference.clone());
        if kind == OrderActKind::Modify && how % 7 == 2 {
            let articles = order_text(how / 5).articles;
            let body = DecodedBody::Order(OrderBody { articles });
            statement.bodies = self.body(order.issuer, Some(body));
        }
        let id = self.say(order.issuer, statement);
        let known = self
            .orders
            .iter_mut()
            .find(|known| known.reference == order.reference);
        if let Some(known) = known.filter(|_| kind == OrderActKind::Modify) {
            known.texts.push((id, text));
        }
    }

    /// Whoever writes the issue can compute its name, and so act on it first.
    fn act_before_issue(&mut self, who: usize, how: u8) {
        let text = order_text(how);
        let issue = self.statement(who, Act::Order(Box::new(text.clone())));
        let id = Hash::of(format!("{issue:?}").as_bytes());
        let reference = StatementRef {
            log: log_name(MEMBERS[who]),
            statement_id: id,
        };
        let order = Issued {
            issuer: who,
            reference,
            texts: vec![],
        };
        let kinds = OrderActKind::ALL;
        self.act(&order, kinds[usize::from(how) % kinds.len()], how);
        self.put(who, id, Arc::new(issue));
        self.know(who, id, text);
    }

    fn report(&mut self, who: usize, how: u8) {
        let act = Act::Report(Report {
            kind: ReportKind::Infringement,
        });
        let mut statement = self.statement(who, act);
        if how.is_multiple_of(3) {
            // Takes a number that an order may have.
            statement.number = u32::from(how) + 1;
        }
        // An erasable body that never arrives stops nothing.
        let sha256 = Hash::of(&[how]);
        statement.bodies = vec![BodyRef {
            sha256,
            length: 64,
            scheme: 0,
            lasting: false,
        }];
        self.say(who, statement);
    }

    fn replay(&mut self, who: usize, at: usize) {
        let at = at % self.logs[who].len();
        if let Event::Valid {
            statement_id,
            statement,
            ..
        } = self.logs[who][at].clone()
        {
            // A repeated entry names the same bodies, which arrive for it too.
            let position = self.next(who);
            let bodies = self.loose.iter().filter_map(|event| match event {
                Event::Body { sha256, body, .. }
                    if statement.bodies.iter().any(|named| named.sha256 == *sha256) =>
                {
                    let (position, sha256, body) = (position.clone(), *sha256, body.clone());
                    Some(Event::Body {
                        position,
                        sha256,
                        body,
                    })
                }
                Event::Body { .. }
                | Event::Valid { .. }
                | Event::Opaque { .. }
                | Event::Invalid { .. }
                | Event::Filed { .. }
                | Event::Freeze { .. } => None,
            });
            let bodies: Vec<Event> = bodies.take(1).collect();
            self.loose.extend(bodies);
            self.put(who, statement_id, statement);
        }
    }

    fn pack(&mut self, who: usize, how: u8) {
        let thens = [
            "then = \"flag\"",
            "then = \"inform\"",
            "then = \"hold\"\nhold_days = 9\nbasis = \"a law\"",
            "then = \"not_competent\"",
        ];
        let then = thens[usize::from(how) % thens.len()];
        let toml = format!(
            "[meta]\njurisdiction = \"{}\"\nversion = 1\nvalid_from = \"2026-01-01\"\n\
             calendar = \"none\"\n[[rule]]\nid = \"only\"\n{then}\n",
            MEMBERS[who].to_uppercase()
        );
        let pack = Pack::parse(&toml).unwrap();
        let is_long = how % 3 == 1;
        let stands = if is_long { String::new() } else { toml.clone() };
        let act = Act::PolicyPack(PolicyPack { toml: stands });
        let mut statement = self.statement(who, act);
        if is_long {
            let body = DecodedBody::PolicyPack(PolicyPackBody { toml });
            statement.bodies = self.body(who, Some(body));
        }
        let id = self.say(who, statement);
        self.packs[who].push((id, pack));
    }

    fn by_policy(&mut self, who: usize, order: &Issued, how: u8) {
        let (judged, text) = &order.texts[usize::from(how / 8) % order.texts.len()];
        let (pack_id, pack) = self.packs[who].last().map(|(id, pack)| (id, pack)).unzip();
        let issuer = MEMBERS[order.issuer];
        let ruling = decide(
            &Judged {
                issuer,
                order: text,
                decided_ms: NOW,
            },
            pack,
        );
        let mut decision = ruling.to_decision(*judged, pack_id.copied());
        let pack = pack_id.copied();
        let cites = |pack, rule: &str| {
            Some(PolicyCitation {
                pack,
                rule: rule.into(),
            })
        };
        match how % 8 {
            0 => decision.kind = DecisionKind::Decline,
            1 => decision.until_ms += 1,
            2 => {
                decision.kind = DecisionKind::Review;
                decision.until_ms = 0;
                decision.policy = cites(pack, "flood");
            }
            3 => decision.policy = cites(Some(Hash::of(b"no pack")), "only"),
            4 => decision.policy = cites(pack, "another"),
            _ => {}
        }
        self.decision(who, order, NOW, decision);
    }

    fn by_officers(&mut self, who: usize, order: &Issued, how: u8) {
        let kinds = [
            DecisionKind::Adopt,
            DecisionKind::Hold,
            DecisionKind::Adopt,
            DecisionKind::Hold,
            DecisionKind::Extend,
            DecisionKind::Lapse,
            DecisionKind::Pause,
            DecisionKind::End,
            DecisionKind::Flag,
            DecisionKind::Decline,
            DecisionKind::Review,
        ];
        let kind = kinds[usize::from(how) % kinds.len()];
        let at = NOW + i64::from(how % 16) * DAY;
        let has_end = matches!(kind, DecisionKind::Hold | DecisionKind::Extend);
        let (judged, _) = order.texts[usize::from(how / 4) % order.texts.len()];
        let decision = Decision {
            kind,
            // At times one that is no text of the order.
            judged: if how % 13 == 5 {
                Hash::of(&[how])
            } else {
                judged
            },
            basis: "a law".into(),
            reason: format!("{kind} {how}"),
            until_ms: if has_end {
                at + i64::from(1 + how % 30) * DAY
            } else {
                0
            },
            local_rights: vec![],
            policy: None,
        };
        self.decision(who, order, at, decision);
    }

    fn decision(&mut self, who: usize, order: &Issued, at: i64, decision: Decision) {
        if who == order.issuer {
            return;
        }
        let statement = self.statement(who, Act::Decision(decision));
        let about = Some(order.reference.clone());
        self.say(
            who,
            Statement {
                created_ms: at,
                about,
                ..statement
            },
        );
    }
}

/// Terms of which some bind more and some let more pass.
fn terms(how: u8) -> Terms {
    let carve_out = CarveOut {
        kind: CarveOutKind::CertifiedRedesign,
        text: "the redesign".into(),
        selectors: vec![Selector::ModelPattern("LX-2*".into())],
        parties: vec![],
        from_ms: 0,
        until_ms: if how & 16 == 0 { 0 } else { NOW + 90 * DAY },
    };
    Terms {
        directions: match how % 5 {
            0 | 1 => [].into(),
            2 => [Direction::Import, Direction::Transit].into(),
            3 => [Direction::Import].into(),
            _ => [Direction::Export].into(),
        },
        carve_outs: if how % 3 == 1 {
            vec![carve_out]
        } else {
            vec![]
        },
        certification: (how % 7 == 6).then(|| "may certify".into()),
        ..Terms::default()
    }
}

/// One of a few texts that overlap.
fn order_text(how: u8) -> Order {
    let models = ["LX-100", "LX-200", "LX-300"].into_iter().enumerate();
    let mut selectors: Vec<Selector> = models
        .filter(|(at, _)| how >> at & 1 == 0)
        .map(|(_, model)| Selector::Model(model.into()))
        .collect();
    let low = u64::from(how) * 3;
    selectors.push(Selector::Serial(SerialRange {
        prefix: "S".into(),
        low,
        high: 800,
        width: 3,
    }));
    let is_limited = how % 4 == 3;
    let respondent = Party {
        kind: PartyKind::Company,
        names: vec![if how % 8 == 3 { "Acme" } else { "Bolt" }.into()],
        identifiers: vec![],
        country: String::new(),
    };
    Order {
        case_ref: format!("case {}", how % 3),
        title: "Certain lamps".into(),
        instrument: Instrument::CourtInjunction,
        scope: if is_limited {
            ScopeKind::Limited
        } else {
            ScopeKind::General
        },
        respondents: if is_limited { vec![respondent] } else { vec![] },
        articles: vec![Article {
            description: "lamps".into(),
            selectors,
        }],
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".into(),
            number: "1".into(),
            missing_reason: String::new(),
            claims: String::new(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW + i64::from(how % 2) * 5 * DAY,
        until_ms: if how % 6 == 5 { NOW + 60 * DAY } else { 0 },
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: terms(how),
    }
}
