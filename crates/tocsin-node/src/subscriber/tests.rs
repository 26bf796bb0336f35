use std::collections::BTreeMap;
use std::sync::Arc;

use tocsin_core::decision::{Decision, DecisionKind};
use tocsin_core::handling::Tlp;
use tocsin_core::notice::BlockState;
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, OrderBody, Phase, ScopeKind};
use tocsin_core::product::Article;
use tocsin_core::registry::{Event, Position};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, Statement};
use tocsin_core::terms::Terms;
use tocsin_log::checkpoint::Origin;

use super::*;

const NOW: i64 = 1_790_000_000_000;
const MEMBERS: [&str; 3] = ["us", "jp", "de"];

fn origin(member: &str) -> Origin {
    Origin::new("demo.tocsin.example", member, 1).unwrap()
}

fn registry() -> Registry {
    Registry::with_logs(MEMBERS.map(|member| (origin(member), member.to_uppercase())))
}

/// What is written, by log, to be applied anywhere in any order across logs.
#[derive(Default)]
struct Written {
    logs: BTreeMap<&'static str, Vec<Event>>,
    number: u32,
}

impl Written {
    fn write(
        &mut self,
        member: &'static str,
        about: Option<StatementRef>,
        act: Act,
    ) -> StatementRef {
        self.write_with(member, about, act, Vec::new())
    }

    fn write_with(
        &mut self,
        member: &'static str,
        about: Option<StatementRef>,
        act: Act,
        bodies: Vec<BodyRef>,
    ) -> StatementRef {
        let log = self.logs.entry(member).or_default();
        let position = Position {
            origin: origin(member),
            index: log.len() as u64,
        };
        let statement_id = Hash::of(format!("{position:?}").as_bytes());
        self.number += u32::from(act.is_numbered());
        let statement = Statement {
            log: origin(member).log_name(),
            nonce: [0; 16],
            created_ms: NOW - 1_000,
            number: if act.is_numbered() { self.number } else { 0 },
            tlp: Tlp::Green,
            bodies,
            about,
            refs: Vec::new(),
            act,
        };
        let statement = Arc::new(statement);
        log.push(Event::Valid {
            position,
            statement_id,
            statement,
        });
        StatementRef {
            log: origin(member).log_name(),
            statement_id,
        }
    }

    fn issue(&mut self, member: &'static str) -> StatementRef {
        self.write(member, None, Act::Order(Box::new(order())))
    }

    fn decide(&mut self, member: &'static str, order: &StatementRef, kind: DecisionKind) {
        let decision = Decision {
            kind,
            judged: order.statement_id,
            basis: "basis".into(),
            reason: "reason".into(),
            until_ms: 0,
            local_rights: Vec::new(),
            policy: None,
        };
        self.write(member, Some(order.clone()), Act::Decision(decision));
    }

    fn withdraw(&mut self, member: &'static str, order: &StatementRef) {
        let act = OrderAct {
            kind: OrderActKind::Withdraw,
            reason: "in error".into(),
            replacement: None,
        };
        self.write(member, Some(order.clone()), Act::OrderAct(Box::new(act)));
    }

    fn apply(&self, registry: &mut Registry, member: &str, up_to: usize) {
        let next = registry.position().next_index(&origin(member));
        let next = usize::try_from(next).unwrap();
        let log = self.logs.get(member).map(Vec::as_slice).unwrap_or_default();
        for event in log.iter().take(up_to).skip(next) {
            registry.apply(event.clone());
        }
    }

    fn apply_all(&self, registry: &mut Registry) {
        for member in MEMBERS {
            self.apply(registry, member, usize::MAX);
        }
    }
}

fn order() -> Order {
    let article = Article {
        description: "lamps".into(),
        selectors: Vec::new(),
    };
    Order {
        case_ref: "337-TA-1".into(),
        title: "lamps".into(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: Vec::new(),
        articles: vec![article],
        rights: Vec::new(),
        no_right_reason: "none".into(),
        phase: Phase::Final,
        from_ms: NOW - 1_000,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    }
}

fn subscriber(seen: Vector) -> Subscriber {
    Subscriber::new("DE".into(), Filter::default(), seen, false)
}

fn all(subscriber: &mut Subscriber, registry: &Registry) -> Vec<Owed> {
    std::iter::from_fn(|| subscriber.next(registry, NOW)).collect()
}

fn states(owed: &[Owed]) -> Vec<(u64, BlockState)> {
    let state = |owed: &Owed| match owed {
        Owed::Notice(notice) => (notice.version, notice.state),
        Owed::SnapshotEnd(count) => (*count, BlockState::None),
    };
    owed.iter().map(state).collect()
}

#[test]
fn the_cursor_moves_with_the_last_notice_and_not_before() {
    let (mut written, mut registry) = (Written::default(), registry());
    for _ in 0..3 {
        written.issue("us");
    }
    written.apply_all(&mut registry);
    let mut subscriber = subscriber(Vector::default());
    for _ in 0..2 {
        assert!(matches!(
            subscriber.next(&registry, NOW),
            Some(Owed::Notice(_))
        ));
        assert_eq!(*subscriber.cursor(), Vector::default());
    }
    assert!(subscriber.next(&registry, NOW).is_some());
    assert_eq!(*subscriber.cursor(), registry.position());
    assert_eq!(subscriber.next(&registry, NOW), None);
}

#[test]
fn what_comes_during_a_round_is_owed_after_it() {
    let (mut written, mut registry) = (Written::default(), registry());
    let first = written.issue("us");
    written.issue("us");
    written.apply_all(&mut registry);
    let before = registry.position();
    let mut subscriber = subscriber(Vector::default());
    subscriber.next(&registry, NOW).unwrap();
    written.decide("de", &first, DecisionKind::Adopt);
    written.apply_all(&mut registry);
    subscriber.next(&registry, NOW).unwrap();
    assert_eq!(*subscriber.cursor(), before);
    let rest = all(&mut subscriber, &registry);
    assert_eq!(states(&rest), [(2, BlockState::InForce)]);
    assert_eq!(*subscriber.cursor(), registry.position());
}

#[test]
fn facts_of_other_jurisdictions_move_the_cursor_without_a_notice() {
    let (mut written, mut registry) = (Written::default(), registry());
    let order = written.issue("us");
    written.apply_all(&mut registry);
    let mut subscriber = subscriber(registry.position());
    assert_eq!(subscriber.next(&registry, NOW), None);
    written.decide("jp", &order, DecisionKind::Flag);
    written.apply_all(&mut registry);
    assert_eq!(subscriber.next(&registry, NOW), None);
    assert_eq!(*subscriber.cursor(), registry.position());
}

#[test]
fn a_node_that_knows_less_says_only_what_was_called_back_and_keeps_the_cursor() {
    let mut written = Written::default();
    let (first, second) = (written.issue("us"), written.issue("us"));
    written.issue("jp");
    let mut ahead = registry();
    written.apply_all(&mut ahead);
    let seen = ahead.position();
    written.withdraw("us", &first);
    written.decide("de", &second, DecisionKind::Adopt);
    // This node has not heard of jp yet, but of everything else.
    let mut behind = registry();
    written.apply(&mut behind, "us", usize::MAX);
    written.apply(&mut behind, "de", usize::MAX);
    let mut subscriber = subscriber(seen.clone());
    let owed = all(&mut subscriber, &behind);
    assert_eq!(states(&owed), [(2, BlockState::Withdrawn)]);
    assert_eq!(subscriber.behind(&behind), 1);
    assert_eq!(*subscriber.cursor(), seen);
    // The same is not said again and again.
    assert_eq!(subscriber.next(&behind, NOW), None);
    written.apply_all(&mut behind);
    let owed = all(&mut subscriber, &behind);
    assert_eq!(states(&owed), [(2, BlockState::InForce)]);
    assert_eq!(subscriber.behind(&behind), 0);
    assert_eq!(*subscriber.cursor(), behind.position());
}

#[test]
fn a_block_that_waits_for_a_body_is_said_once_and_again_when_it_comes() {
    let (mut written, mut registry) = (Written::default(), registry());
    written.issue("us");
    let sha256 = Hash::of(b"articles");
    let body = BodyRef {
        sha256,
        length: 40,
        scheme: 0,
        lasting: true,
    };
    written.write_with("us", None, Act::Order(Box::new(order())), vec![body]);
    written.apply_all(&mut registry);
    let mut subscriber = subscriber(Vector::default());
    assert_eq!(all(&mut subscriber, &registry).len(), 2);
    assert_eq!(*subscriber.cursor(), registry.position());
    assert_eq!(registry.position().next_index(&origin("us")), 1);
    assert_eq!(subscriber.next(&registry, NOW), None);
    let body = Some(Arc::new(DecodedBody::Order(OrderBody {
        articles: Vec::new(),
    })));
    let position = Position {
        origin: origin("us"),
        index: 1,
    };
    registry.apply(Event::Body {
        position,
        sha256,
        body,
    });
    let owed = all(&mut subscriber, &registry);
    assert_eq!(states(&owed), [(2, BlockState::None)]);
    assert_eq!(registry.position().next_index(&origin("us")), 2);
    assert_eq!(*subscriber.cursor(), registry.position());
    assert!(subscriber.said.is_empty());
}

#[test]
fn a_snapshot_is_the_whole_state_then_its_end() {
    let (mut written, mut registry) = (Written::default(), registry());
    let count = limits::DUE_CHUNK + 2;
    for _ in 0..count {
        written.issue("us");
    }
    written.apply_all(&mut registry);
    let filter = Filter::default();
    let mut subscriber = Subscriber::new("DE".into(), filter, registry.position(), true);
    let mut owed = all(&mut subscriber, &registry);
    assert_eq!(owed.pop(), Some(Owed::SnapshotEnd(count as u64)));
    let blocks: std::collections::BTreeSet<String> = owed
        .iter()
        .map(|owed| match owed {
            Owed::Notice(notice) => notice.block.clone(),
            Owed::SnapshotEnd(_) => unreachable!(),
        })
        .collect();
    assert_eq!(blocks.len(), count);
}

#[test]
fn a_snapshot_waits_until_the_node_knows_what_the_cursor_knows() {
    let mut written = Written::default();
    written.issue("us");
    let (mut ahead, mut behind) = (registry(), registry());
    written.apply_all(&mut ahead);
    let filter = Filter::default();
    let mut subscriber = Subscriber::new("DE".into(), filter, ahead.position(), true);
    assert_eq!(subscriber.next(&behind, NOW), None);
    written.apply_all(&mut behind);
    let owed = all(&mut subscriber, &behind);
    assert_eq!(owed.len(), 2);
    assert_eq!(owed[1], Owed::SnapshotEnd(1));
}

#[test]
fn a_filter_hides_what_it_does_not_name() {
    let (mut written, mut registry) = (Written::default(), registry());
    written.issue("us");
    written.issue("jp");
    written.apply_all(&mut registry);
    let filter = Filter::parse("issuer = \"jp\"").unwrap();
    let mut subscriber = Subscriber::new("DE".into(), filter, Vector::default(), false);
    assert_eq!(all(&mut subscriber, &registry).len(), 1);
    assert_eq!(*subscriber.cursor(), registry.position());
}

/// Whoever breaks off anywhere and resumes anywhere ends up where an uninterrupted reader is.
#[test]
fn resuming_at_another_node_loses_nothing() {
    for seed in 1..400 {
        resume_somewhere(&mut Chance(seed));
    }
}

fn resume_somewhere(chance: &mut Chance) {
    let mut written = Written::default();
    let mut orders = Vec::new();
    for _ in 0..30 {
        let member = MEMBERS[chance.below(3)];
        match chance.below(4) {
            0 => orders.push((member, written.issue(member))),
            1 if !orders.is_empty() => {
                let (issuer, order) = orders[chance.below(orders.len())].clone();
                written.withdraw(issuer, &order);
            }
            _ if !orders.is_empty() => {
                let (issuer, order) = orders[chance.below(orders.len())].clone();
                if issuer != "de" {
                    let kinds = [DecisionKind::Adopt, DecisionKind::Flag, DecisionKind::End];
                    written.decide("de", &order, kinds[chance.below(3)]);
                }
            }
            _ => {}
        }
    }
    let mut nodes = [registry(), registry()];
    let mut known: BTreeMap<String, (u64, BlockState)> = BTreeMap::new();
    let mut handed = Vector::default();
    for _ in 0..12 {
        let node = &mut nodes[chance.below(2)];
        let mut subscriber = subscriber(handed.clone());
        for _ in 0..chance.below(20) {
            let member = MEMBERS[chance.below(3)];
            let next = node.position().next_index(&origin(member));
            written.apply(
                node,
                member,
                usize::try_from(next).unwrap() + chance.below(3),
            );
            take(&mut subscriber, node, &mut known, &mut handed);
        }
    }
    let mut node = registry();
    written.apply_all(&mut node);
    let mut subscriber = subscriber(handed.clone());
    while take(&mut subscriber, &node, &mut known, &mut handed) {}
    let mut whole = BTreeMap::new();
    let mut uninterrupted = self::subscriber(Vector::default());
    while take(
        &mut uninterrupted,
        &node,
        &mut whole,
        &mut Vector::default(),
    ) {}
    assert_eq!(known, whole);
    assert_eq!(handed, node.position());
}

/// Takes one message as a client does: equal or higher versions, and the cursor with it.
fn take(
    subscriber: &mut Subscriber,
    node: &Registry,
    known: &mut BTreeMap<String, (u64, BlockState)>,
    handed: &mut Vector,
) -> bool {
    let owed = subscriber.next(node, NOW);
    if let Some(Owed::Notice(notice)) = &owed {
        let before = known
            .entry(notice.block.clone())
            .or_insert((0, BlockState::None));
        if notice.version >= before.0 {
            *before = (notice.version, notice.state);
        }
    }
    assert!(subscriber.cursor().covers(handed), "a cursor went back");
    handed.clone_from(subscriber.cursor());
    owed.is_some()
}

/// A small generator: the seed that fails is the test.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }
}
