//! Small facts for the tests of the screener.

use std::sync::Arc;

use tocsin_core::cursor::{Cursor, Vector, View};
use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{Article, Selector};
use tocsin_core::statement::StatementRef;
use tocsin_core::terms::Terms;
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::answer::Basis;

/// The instant at which everything is said unless a test says otherwise: 2026-11-22.
pub(crate) const NOW: i64 = 1_795_305_600_000;

pub(crate) fn basis() -> Basis {
    Basis {
        position: Cursor {
            view: View::NONE,
            vector: Vector::default(),
        },
        ages: Vec::new(),
    }
}

/// A general order on one article, in force from [`NOW`] without end.
pub(crate) fn general(selectors: &[Selector]) -> Order {
    Order {
        case_ref: "337-TA-1".into(),
        title: "Certain lamps".into(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: vec![],
        articles: vec![Article {
            description: "lamps".into(),
            selectors: selectors.to_vec(),
        }],
        rights: vec![],
        no_right_reason: "trade secret".into(),
        phase: Phase::Final,
        from_ms: NOW,
        until_ms: 0,
        counterfeit: false,
        summary: String::new(),
        exercise: true,
        terms: Terms::default(),
    }
}

/// The same, binding one respondent with this LEI.
pub(crate) fn limited(selectors: &[Selector], lei: &str) -> Order {
    Order {
        scope: ScopeKind::Limited,
        respondents: vec![Party {
            kind: PartyKind::Company,
            names: vec!["Acme Lamps Co., Ltd.".into()],
            identifiers: vec![Selector::Lei(lei.into())],
            country: String::new(),
        }],
        ..general(selectors)
    }
}

/// A block in force, as an agency receives it.
pub(crate) fn notice(block: &str, scope: Order) -> Notice {
    let (order, _) = block.split_once('@').unwrap();
    Notice {
        block: block.into(),
        version: 1,
        state: BlockState::InForce,
        reason: String::new(),
        since_ms: NOW,
        from_ms: scope.from_ms,
        until_ms: scope.until_ms,
        order: order.into(),
        order_ref: StatementRef {
            log: "test.example/us".into(),
            statement_id: Hash::of(block.as_bytes()),
        },
        decision_id: None,
        basis: "19 U.S.C. 1337(d)".into(),
        by: By::Issuer,
        scope: Arc::new(scope),
        selectors_missing: false,
        exercise: true,
        grade: Grade::Local,
        also_blocked_by: Vec::new(),
    }
}
