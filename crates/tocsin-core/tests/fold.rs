//! However the members' logs arrive, all nodes reach the same state and the same notice versions.
//!
//! Logs of four members are written with all that can befall an order: acts, decisions by officers
//! and by policy, void and opaque entries, late bodies, lapses, freezes, replays. They are applied
//! in random interleavings, with restarts, and every step on the way is watched as well as the end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

mod world;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tocsin_core::filter::Filter;
use tocsin_core::notice::Notice;
use tocsin_core::registry::{Event, Filed, Registry};
use tocsin_core::statement::{Act, StatementRef};
use tocsin_log::checkpoint::Origin;
use tocsin_log::hash::Hash;
use world::{DAY, MEMBERS, NOW, Step, World, log_name, registry};

/// Instants at which blocks are watched: some holds run, then none does, then some orders are over.
const INSTANTS: [i64; 3] = [NOW + DAY, NOW + 20 * DAY, NOW + 100 * DAY];

fn blocks(registry: &Registry) -> Vec<Notice> {
    let all = Filter::default();
    let mut blocks = Vec::new();
    for member in MEMBERS {
        for at in INSTANTS {
            blocks.extend(registry.blocks(&member.to_uppercase(), &all, at));
        }
    }
    blocks
}

/// Watches one registry while events arrive.
#[derive(Default)]
struct Watch {
    called_back: BTreeMap<String, &'static str>,
    versions: BTreeMap<String, u64>,
}

impl Watch {
    fn look(&mut self, registry: &Registry) -> Result<(), TestCaseError> {
        for notice in blocks(registry) {
            let Notice {
                block,
                state,
                version,
                ..
            } = &notice;
            if state.is_called_back() {
                self.called_back
                    .entry(block.clone())
                    .or_insert_with(|| state.word());
            }
            if let Some(before) = self.called_back.get(block) {
                prop_assert_eq!(*before, state.word(), "{} came back", block);
            }
            let before = self.versions.insert(block.clone(), *version).unwrap_or(0);
            prop_assert!(before <= *version, "the version of {} fell", block);
            if notice.is_blocking() {
                rests_on_an_own_decision(registry, &notice)?;
            }
        }
        Ok(())
    }
}

fn rests_on_an_own_decision(registry: &Registry, notice: &Notice) -> Result<(), TestCaseError> {
    let (_, here) = notice.block.split_once('@').unwrap();
    let log = log_name(&here.to_lowercase());
    if log == notice.order_ref.log {
        return Ok(());
    }
    prop_assert!(
        notice.decision_id.is_some(),
        "{} rests on nothing",
        notice.block
    );
    let statement_id = notice.decision_id.unwrap();
    let position = registry.find(&StatementRef { log, statement_id });
    prop_assert!(
        position.is_some(),
        "{} rests on nothing of {}",
        notice.block,
        here
    );
    let position = position.unwrap();
    prop_assert!(registry.decisions(&notice.order_ref).contains(&position));
    prop_assert_eq!(registry.void_reason(&position), None);
    Ok(())
}

/// The same facts, one log after the other and each twice, as after a restart: reports without what
/// they say.
fn restarted(arrived: &[Event]) -> Registry {
    let mut by_log: BTreeMap<Origin, Vec<&Event>> = BTreeMap::new();
    let mut late = Vec::new();
    for event in arrived {
        match event {
            Event::Valid { position, .. }
            | Event::Opaque { position, .. }
            | Event::Invalid { position } => {
                by_log
                    .entry(position.origin.clone())
                    .or_default()
                    .push(event);
            }
            Event::Filed { .. } => panic!("the world files nothing"),
            Event::Body { .. } | Event::Freeze { .. } => late.push(event),
        }
    }
    let mut registry = registry();
    for event in by_log.into_values().flatten().chain(late) {
        let event = filed(event).unwrap_or_else(|| event.clone());
        registry.apply(event.clone());
        registry.apply(event);
    }
    registry
}

/// The entry as it is remembered, where that is a report or an indicator.
fn filed(event: &Event) -> Option<Event> {
    let Event::Valid {
        position,
        statement_id,
        statement,
    } = event
    else {
        return None;
    };
    let filed = Filed::of(position.origin.member(), *statement_id, statement)?;
    Some(Event::Filed {
        origin: position.origin.clone(),
        entries: vec![(position.index, filed)],
    })
}

/// What was met, so that a test that meets nothing fails.
#[derive(Default)]
struct Met {
    withdrawn: Cell<usize>,
    opaque: Cell<usize>,
    void: Cell<usize>,
    late_bodies: Cell<usize>,
    freezes: Cell<usize>,
    restarts: Cell<usize>,
    blocking_abroad: Cell<usize>,
    states: RefCell<BTreeSet<&'static str>>,
    void_reasons: RefCell<BTreeSet<&'static str>>,
}

fn add(cell: &Cell<usize>, count: usize) {
    cell.set(cell.get() + count);
}

impl Met {
    fn event(&self, registry: &Registry, event: &Event) {
        match event {
            Event::Opaque { about: Some(_), .. } => add(&self.opaque, 1),
            Event::Freeze { .. } => add(&self.freezes, 1),
            Event::Body {
                position, sha256, ..
            } => {
                let place = (position.clone(), *sha256);
                add(
                    &self.late_bodies,
                    registry.missing_bodies().filter(|m| *m == place).count(),
                );
            }
            Event::Valid { .. }
            | Event::Filed { .. }
            | Event::Opaque { .. }
            | Event::Invalid { .. } => {}
        }
    }

    fn end(&self, registry: &Registry, arrival: &[Event]) {
        for event in arrival {
            if let Event::Valid { position, .. } = event
                && let Some(reason) = registry.void_reason(position)
            {
                add(&self.void, 1);
                self.void_reasons.borrow_mut().insert(reason.code());
            }
        }
        for notice in blocks(registry) {
            self.states.borrow_mut().insert(notice.state.word());
            add(&self.withdrawn, usize::from(notice.state.is_called_back()));
            let is_abroad = notice.decision_id.is_some();
            add(
                &self.blocking_abroad,
                usize::from(is_abroad && notice.is_blocking()),
            );
        }
    }
}

/// One registry fed in one order: watched at every step, restarted once, a cursor of it tried once.
fn arrives(arrival: &[Event], pause_at: usize, met: &Met) -> Result<Registry, TestCaseError> {
    let mut registry = registry();
    let mut watch = Watch::default();
    let pause_at = pause_at % arrival.len();
    let mut seen = None;
    for (at, event) in arrival.iter().enumerate() {
        met.event(&registry, event);
        registry.apply(event.clone());
        watch.look(&registry)?;
        if at == pause_at {
            add(&met.restarts, 1);
            let arrived = &arrival[..=at];
            let again = restarted(arrived);
            prop_assert_eq!(
                again.state_digest(),
                registry.state_digest(),
                "after a restart"
            );
            prop_assert_eq!(blocks(&again), blocks(&registry));
            for event in arrived {
                prop_assert!(!registry.apply(event.clone()), "{:?} was new twice", event);
            }
            seen = Some((registry.position(), blocks(&registry)));
        }
    }
    let (position, before) = seen.unwrap();
    prop_assert!(registry.position().covers(&position), "a position fell");
    for notice in blocks(&registry) {
        let (_, here) = notice.block.split_once('@').unwrap();
        let is_due = registry
            .changed_since(here, &position)
            .contains(&notice.order_ref);
        prop_assert!(
            is_due || before.contains(&notice),
            "a change of {} is lost",
            notice.block
        );
    }
    Ok(registry)
}

fn worlds() -> impl Strategy<Value = (Vec<Step>, Vec<Vec<u16>>)> {
    let steps = prop::collection::vec(any::<Step>(), 20..70);
    let picks = prop::collection::vec(prop::collection::vec(any::<u16>(), 30..60), 3);
    (steps, picks)
}

fn runner() -> TestRunner {
    TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn any_order_of_arrival_leads_to_the_same_state() {
    let met = Met::default();
    let result = runner().run(&worlds(), |(steps, picks)| {
        let world = World::of(&steps);
        let mut expected: Option<(Vec<Notice>, Hash)> = None;
        for picks in &picks {
            let arrival = world.arrival(picks);
            let registry = arrives(&arrival, usize::from(picks[0]), &met)?;
            met.end(&registry, &arrival);
            let end = (blocks(&registry), registry.state_digest());
            prop_assert_eq!(expected.get_or_insert_with(|| end.clone()), &end);
        }
        Ok(())
    });
    result.unwrap();
    for (what, count) in [
        ("withdrawn blocks", &met.withdrawn),
        ("opaque entries", &met.opaque),
        ("void entries", &met.void),
        ("late bodies", &met.late_bodies),
        ("freezes", &met.freezes),
        ("restarts", &met.restarts),
        ("blocks in force abroad", &met.blocking_abroad),
    ] {
        assert!(count.get() > 0, "met no {what}");
    }
    let (states, reasons) = (met.states.into_inner(), met.void_reasons.into_inner());
    assert!(states.len() >= 14, "met only {states:?}");
    assert!(reasons.len() >= 10, "met only {reasons:?}");
}

/// Whether a fold ends alike in all orders of arrival of many worlds.
fn converges<F>(start: fn() -> F, take: fn(&mut F, Event), digest: fn(&F) -> Hash) -> bool {
    let result = runner().run(&worlds(), |(steps, picks)| {
        let world = World::of(&steps);
        let mut ends = BTreeSet::new();
        for picks in &picks {
            let mut fold = start();
            world
                .arrival(picks)
                .into_iter()
                .for_each(|event| take(&mut fold, event));
            ends.insert(digest(&fold));
        }
        prop_assert_eq!(ends.len(), 1);
        Ok(())
    });
    result.is_ok()
}

#[test]
fn a_fold_that_depends_on_arrival_is_found_out() {
    let honest = |registry: &mut Registry, event: Event| {
        registry.apply(event);
    };
    // The mistake that is easily made: a decision on an order that is not here yet is dropped.
    let hasty = |registry: &mut Registry, event: Event| {
        let dropped = match &event {
            Event::Valid {
                position,
                statement,
                ..
            } => {
                let is_decision = matches!(statement.act, Act::Decision(_));
                let is_early = |order| registry.find(order).is_none();
                (is_decision && statement.about.as_ref().is_some_and(is_early))
                    .then(|| position.clone())
            }
            Event::Filed { .. }
            | Event::Opaque { .. }
            | Event::Invalid { .. }
            | Event::Body { .. }
            | Event::Freeze { .. } => None,
        };
        registry.apply(dropped.map_or(event, |position| Event::Invalid { position }));
    };
    assert!(converges(registry, honest, Registry::state_digest));
    assert!(!converges(registry, hasty, Registry::state_digest));
}
