//! Orders and notices that say only what a test is about.

use std::sync::Arc;

use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{Article, Selector};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::StatementRef;
use tocsin_core::terms::Terms;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;
use tocsin_screen::answer::Basis;

/// The instant of every check unless a test says otherwise: 2026-11-22.
pub const NOW: i64 = 1_795_305_600_000;
pub const DAY: i64 = 86_400_000;

/// A general order on one article, without terms.
pub fn general(description: &str, selectors: &[Selector]) -> Order {
    Order {
        case_ref: "337-TA-1".to_owned(),
        title: "Certain lamps".to_owned(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: vec![],
        articles: vec![Article {
            description: description.to_owned(),
            selectors: selectors.to_vec(),
        }],
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".to_owned(),
            number: "1".to_owned(),
            missing_reason: String::new(),
            claims: String::new(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW - 30 * DAY,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    }
}

/// The same, binding these respondents only.
pub fn limited(order: Order, respondents: Vec<Party>) -> Order {
    Order {
        instrument: Instrument::Us337Leo,
        scope: ScopeKind::Limited,
        respondents,
        ..order
    }
}

pub fn company(name: &str, identifiers: &[Selector]) -> Party {
    Party {
        kind: PartyKind::Company,
        names: vec![name.to_owned()],
        identifiers: identifiers.to_vec(),
        country: String::new(),
    }
}

/// The block of an order in a jurisdiction, in force since a day before [`NOW`].
pub fn in_force(number: u32, order: Order) -> Notice {
    notice(number, order, BlockState::InForce)
}

pub fn notice(number: u32, order: Order, state: BlockState) -> Notice {
    let name = format!("US-2026-{number:04}");
    Notice {
        block: format!("{name}@DE"),
        version: 1,
        state,
        reason: String::new(),
        since_ms: NOW - DAY,
        from_ms: NOW - DAY,
        until_ms: 0,
        order_ref: StatementRef {
            log: "test.example/us".to_owned(),
            statement_id: Hash::of(name.as_bytes()),
        },
        order: name,
        decision_id: None,
        basis: "19 U.S.C. 1337(d)".to_owned(),
        by: By::Officers,
        scope: Arc::new(order),
        selectors_missing: false,
        exercise: true,
        grade: Grade::Local,
        also_blocked_by: vec![],
    }
}

/// What a screen knows, where that does not matter.
pub fn basis() -> Basis {
    Basis {
        position: Cursor {
            view: View::NONE,
            vector: Vector::default(),
        },
        ages: vec![],
    }
}
