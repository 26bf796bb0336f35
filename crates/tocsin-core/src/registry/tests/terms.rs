//! What an order says beside goods and respondents.

use super::*;

#[test]
fn an_order_that_touched_too_much_of_past_trade_is_broad() {
    use crate::terms::{Breadth, Terms};
    let mut logs = Logs::new();
    for (hits, is_broad) in [(1_000, false), (1_001, true)] {
        let breadth = Breadth {
            lines: 1_000_000,
            hits,
        };
        let text = Order {
            terms: Terms {
                breadth: Some(breadth),
                ..Terms::default()
            },
            ..models(&["LX-100"])
        };
        let id = logs.issue(text).id;
        assert_eq!(logs.registry.is_broad(&reference(id), &id, 0.001), is_broad);
    }
}

#[test]
fn what_lets_goods_pass_applies_at_once_and_what_binds_more_waits() {
    use crate::terms::{Bond, Direction, Terms};
    let mut logs = Logs::new();
    let with = |terms: Terms| Order {
        terms,
        ..models(&["LX-100"])
    };
    let bond = Some(Bond {
        text: "100 %".to_owned(),
        until_ms: NOW + 9 * DAY,
    });
    let order = logs.issue(with(Terms::default())).id;
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    let scope = |logs: &Logs, jurisdiction: &str| {
        let notice = logs.registry.block(&reference(order), jurisdiction, NOW);
        notice.unwrap().scope
    };
    logs.modify(
        order,
        with(Terms {
            bond: bond.clone(),
            ..Terms::default()
        }),
    );
    assert_eq!(scope(&logs, "DE").terms.bond, bond, "at once");
    logs.modify(
        order,
        with(Terms {
            directions: [Direction::Import, Direction::Transit].into(),
            ..Terms::default()
        }),
    );
    let here = scope(&logs, "DE");
    assert_eq!(
        here.terms.bond, bond,
        "what was let pass stays so until it is judged again"
    );
    assert!(here.terms.bars(Direction::Import) && !here.terms.bars(Direction::Transit));
    assert!(scope(&logs, "US").terms.bars(Direction::Transit));
    logs.modify(
        order,
        with(Terms {
            directions: [Direction::Export].into(),
            ..Terms::default()
        }),
    );
    assert_eq!(
        logs.registry
            .block(&reference(order), "DE", NOW)
            .unwrap()
            .state,
        BlockState::Ended,
        "nothing that was judged is barred any more"
    );
}
