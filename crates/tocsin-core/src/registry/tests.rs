//! The rules of the fold, one by one.

mod terms;

use std::sync::Arc;

use tocsin_log::hash::Hash;

use super::sample::{
    DAY, Logs, NOW, lasting, limited, models, order_body, origin, pack_toml, reference,
};
use super::{Due, Event, OrderState, VoidReason};
use crate::cursor::Vector;
use crate::decision::DecisionKind;
use crate::filter::Filter;
use crate::name::Numbered;
use crate::notice::{BlockState, By};
use crate::order::{Order, OrderActKind};
use crate::statement::{Act, Statement};

fn due_on(logs: &Logs, at: i64) -> Vec<Due> {
    logs.registry.due("DE", at)
}

fn decide(order: Hash, judged: Hash) -> Due {
    Due::Decide {
        order: reference(order),
        judged,
    }
}

#[test]
fn an_issuers_own_block_follows_its_order() {
    let mut logs = Logs::new();
    let order = logs
        .issue(Order {
            until_ms: NOW + 9,
            ..models(&["LX-100"])
        })
        .id;
    assert_eq!(logs.state(order, "US", NOW - 1), "scheduled");
    assert_eq!(logs.state(order, "US", NOW), "in_force");
    assert_eq!(logs.state(order, "US", NOW + 9), "expired");
    logs.do_to(order, OrderActKind::Suspend);
    assert_eq!(logs.state(order, "US", NOW), "suspended");
    logs.do_to(order, OrderActKind::Resume);
    assert_eq!(logs.state(order, "US", NOW), "in_force");
    logs.do_to(order, OrderActKind::Rescind);
    assert_eq!(logs.state(order, "US", NOW), "rescinded");
    let notice = logs.registry.block(&reference(order), "US", NOW).unwrap();
    assert_eq!((notice.by, notice.version), (By::Issuer, 4));
    assert_eq!(notice.block, "US-2026-0001@US");
}

#[test]
fn nothing_is_in_force_without_an_own_decision() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.decide("jp", NOW, order, DecisionKind::Adopt, |_| ());
    assert_eq!(logs.state(order, "DE", NOW), "none");
    assert_eq!(logs.state(order, "JP", NOW), "in_force");
    assert_eq!(logs.registry.in_force("DE", NOW).count(), 0);
    assert_eq!(logs.registry.in_force("JP", NOW).count(), 1);
    assert!(logs.registry.block(&reference(order), "KR", NOW).is_none());
}

#[test]
fn later_decisions_replace_earlier_ones() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    for (kind, state) in [
        (DecisionKind::Review, "review"),
        (DecisionKind::Flag, "flagged"),
        (DecisionKind::Adopt, "in_force"),
        (DecisionKind::Inform, "informed"),
        (DecisionKind::Decline, "declined"),
        (DecisionKind::Adopt, "in_force"),
        (DecisionKind::NotCompetent, "not_competent"),
    ] {
        logs.decide("de", NOW, order, kind, |_| ());
        assert_eq!(logs.state(order, "DE", NOW), state);
    }
}

#[test]
fn a_paused_or_ended_block_needs_a_fresh_decision() {
    for (stop, state) in [
        (DecisionKind::Pause, "paused"),
        (DecisionKind::End, "ended"),
    ] {
        let mut logs = Logs::new();
        let order = logs.issue(models(&["LX-100"])).id;
        logs.hold("de", order, NOW + DAY);
        logs.decide("de", NOW, order, stop, |_| ());
        assert_eq!(logs.state(order, "DE", NOW), state);
        let extended = logs.decide("de", NOW, order, DecisionKind::Extend, |extend| {
            extend.until_ms = NOW + 9 * DAY;
        });
        assert_eq!(
            logs.registry.void_reason(&extended.position),
            Some(VoidReason::NoHold)
        );
        assert_eq!(logs.state(order, "DE", NOW), state);
        logs.do_to(order, OrderActKind::Suspend);
        logs.do_to(order, OrderActKind::Resume);
        assert_eq!(logs.state(order, "DE", NOW), state);
        logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
        assert_eq!(logs.state(order, "DE", NOW), "in_force");
    }
}

#[test]
fn a_hold_ends_by_itself_and_no_entry_is_needed() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let hold = logs.hold("de", order, NOW + DAY);
    assert_eq!(logs.state(order, "DE", NOW + DAY - 1), "held");
    assert_eq!(logs.state(order, "DE", NOW + DAY), "lapsed");
    assert_eq!(due_on(&logs, NOW), []);
    let lapse = Due::Lapse {
        order: reference(order),
        hold: hold.id,
        judged: order,
        until_ms: NOW + DAY,
    };
    assert_eq!(due_on(&logs, NOW + DAY), [lapse]);
    let early = logs.decide("de", NOW, order, DecisionKind::Lapse, |_| ());
    assert_eq!(
        logs.registry.void_reason(&early.position),
        Some(VoidReason::HoldRuns)
    );
    logs.decide("de", NOW + DAY, order, DecisionKind::Lapse, |_| ());
    assert_eq!(due_on(&logs, NOW + DAY), []);
    let again = logs.decide("de", NOW + DAY, order, DecisionKind::Lapse, |_| ());
    assert_eq!(
        logs.registry.void_reason(&again.position),
        Some(VoidReason::NoHold)
    );
    // Even a reader whose clock is behind does not see a recorded lapse as a hold.
    assert_eq!(logs.state(order, "DE", NOW), "lapsed");
    logs.hold("de", order, NOW + 9 * DAY);
    assert_eq!(logs.state(order, "DE", NOW + DAY), "held");
}

#[test]
fn only_a_running_hold_is_extended() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.hold("de", order, NOW + DAY);
    logs.decide("de", NOW + DAY - 1, order, DecisionKind::Extend, |extend| {
        extend.until_ms = NOW + 3 * DAY;
    });
    assert_eq!(logs.state(order, "DE", NOW + 2 * DAY), "held");
    let late = logs.decide("de", NOW + 3 * DAY, order, DecisionKind::Extend, |extend| {
        extend.until_ms = NOW + 9 * DAY;
    });
    assert_eq!(
        logs.registry.void_reason(&late.position),
        Some(VoidReason::NoHold)
    );
    assert_eq!(logs.state(order, "DE", NOW + 3 * DAY), "lapsed");
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    // The void extension is a fact too.
    assert_eq!((notice.version, notice.until_ms), (4, NOW + 3 * DAY));
}

#[test]
fn a_suspension_releases_and_its_end_restores_what_was_decided() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.hold("de", order, NOW + DAY);
    logs.decide("jp", NOW, order, DecisionKind::Adopt, |_| ());
    logs.do_to(order, OrderActKind::Suspend);
    assert_eq!(logs.state(order, "DE", NOW), "suspended");
    assert_eq!(logs.state(order, "JP", NOW), "suspended");
    // A hold runs out while it is suspended.
    assert_eq!(logs.state(order, "DE", NOW + DAY), "lapsed");
    logs.do_to(order, OrderActKind::Resume);
    assert_eq!(logs.state(order, "DE", NOW), "held");
    assert_eq!(logs.state(order, "DE", NOW + DAY), "lapsed");
    assert_eq!(logs.state(order, "JP", NOW + DAY), "in_force");
}

#[test]
fn nothing_revives_a_withdrawn_order() {
    for (kind, state) in [
        (OrderActKind::Withdraw, "withdrawn"),
        (OrderActKind::Rescind, "rescinded"),
    ] {
        let mut logs = Logs::new();
        let issued = logs.issue(models(&["LX-100"]));
        let order = issued.id;
        logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
        logs.do_to(order, kind);
        let resumed = logs.do_to(order, OrderActKind::Resume);
        logs.modify(order, models(&["LX-100", "LX-200"]));
        logs.do_to(order, OrderActKind::Rescind);
        logs.do_to(order, OrderActKind::Withdraw);
        logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
        let position = logs.position("us");
        logs.put(position, order, Arc::clone(&issued.statement));
        logs.opaque("us", order);
        logs.opaque("de", order);
        logs.registry.apply(Event::Freeze {
            origin: origin("us"),
        });
        for jurisdiction in ["US", "DE", "JP"] {
            assert_eq!(logs.state(order, jurisdiction, NOW), state);
        }
        assert_eq!(
            logs.registry.void_reason(&resumed.position),
            Some(VoidReason::OrderEnded)
        );
        assert_eq!(due_on(&logs, NOW), []);
    }
}

#[test]
fn a_withdrawal_counts_before_its_issue_and_a_modification_does_not() {
    let mut logs = Logs::new();
    let statement = logs.statement("us", NOW, Act::Order(Box::new(models(&["LX-100"]))));
    let order = Hash::of(b"chosen");
    let modified = logs.modify(order, models(&["LX-200"]));
    assert!(logs.registry.order(&reference(order), NOW).is_none());
    let suspended = logs.do_to(order, OrderActKind::Suspend);
    let position = logs.position("us");
    logs.put(position, order, Arc::new(statement.clone()));
    assert_eq!(logs.state(order, "US", NOW), "suspended");
    assert_eq!(
        logs.registry.void_reason(&modified.position),
        Some(VoidReason::NotYetIssued)
    );
    assert_eq!(logs.registry.void_reason(&suspended.position), None);

    let mut logs = Logs::new();
    logs.do_to(order, OrderActKind::Withdraw);
    let position = logs.position("us");
    logs.put(position, order, Arc::new(statement));
    assert_eq!(logs.state(order, "US", NOW), "withdrawn");
}

#[test]
fn a_narrowing_applies_at_once_and_a_widening_waits() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100", "LX-200"])).id;
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    let scope = |logs: &Logs, jurisdiction: &str| {
        let notice = logs
            .registry
            .block(&reference(order), jurisdiction, NOW)
            .unwrap();
        notice
            .scope
            .articles
            .iter()
            .map(|article| article.selectors.len())
            .sum::<usize>()
    };
    logs.modify(order, models(&["LX-200", "LX-300", "LX-400"]));
    assert_eq!((scope(&logs, "US"), scope(&logs, "DE")), (3, 1));
    // Back to the old text: what was taken away does not come back by itself.
    let back = logs.modify(order, models(&["LX-100", "LX-200"]));
    assert_eq!((scope(&logs, "US"), scope(&logs, "DE")), (2, 1));
    let pending = logs.registry.pending("DE", NOW);
    assert_eq!(pending.len(), 1);
    assert_eq!(due_on(&logs, NOW), []);
    logs.decide("de", NOW, order, DecisionKind::Adopt, |adopt| {
        adopt.judged = back.id
    });
    assert_eq!(scope(&logs, "DE"), 2);
    assert_eq!(logs.registry.pending("DE", NOW), []);
    logs.modify(order, limited(models(&["LX-300"]), &["A"]));
    assert_eq!(logs.state(order, "DE", NOW), "ended");
    assert_eq!(logs.state(order, "US", NOW), "in_force");
}

#[test]
fn policy_is_due_on_what_is_new_and_never_on_a_mere_narrowing() {
    let mut logs = Logs::new();
    let pack = logs.pack("de", &pack_toml("then = \"flag\"")).id;
    let order = logs.issue(models(&["LX-100", "LX-200"])).id;
    assert_eq!(due_on(&logs, NOW), [decide(order, order)]);
    assert_eq!(logs.registry.due("US", NOW), []);
    logs.by_policy(order, DecisionKind::Flag, Some(pack), "r1", 0);
    assert_eq!(logs.state(order, "DE", NOW), "flagged");
    assert_eq!(due_on(&logs, NOW), []);
    logs.modify(order, models(&["LX-100"]));
    assert_eq!(due_on(&logs, NOW), []);
    let wider = logs.modify(order, models(&["LX-100", "LX-300"])).id;
    assert_eq!(due_on(&logs, NOW), [decide(order, wider)]);
    logs.decide("de", NOW, order, DecisionKind::Decline, |decline| {
        decline.judged = wider
    });
    assert_eq!(due_on(&logs, NOW), []);
    let widest = logs
        .modify(order, models(&["LX-100", "LX-300", "LX-400"]))
        .id;
    // Officers have spoken: what is new waits for them, and what policy says all the same is void.
    assert_eq!(due_on(&logs, NOW), []);
    assert_eq!(logs.registry.pending("DE", NOW).len(), 1);
    let late = logs.by_policy(order, DecisionKind::Flag, Some(pack), "r1", 0);
    assert_eq!(
        logs.registry.void_reason(&late.position),
        Some(VoidReason::AlreadyDecided)
    );
    let late = logs.decide("de", NOW, order, DecisionKind::Flag, |flag| {
        flag.judged = widest;
        flag.policy = Some(crate::decision::PolicyCitation {
            pack: Some(pack),
            rule: "r1".into(),
        });
    });
    assert_eq!(
        logs.registry.void_reason(&late.position),
        Some(VoidReason::OfficersDecided)
    );
    assert_eq!(logs.state(order, "DE", NOW), "declined");
}

#[test]
fn nothing_is_due_on_an_order_that_is_over() {
    let mut logs = Logs::new();
    let order = logs
        .issue(Order {
            until_ms: NOW + DAY,
            ..models(&["LX-100"])
        })
        .id;
    assert_eq!(due_on(&logs, NOW), [decide(order, order)]);
    assert_eq!(due_on(&logs, NOW + DAY), []);
    assert_eq!(logs.state(order, "DE", NOW + DAY), "expired");
    logs.do_to(order, OrderActKind::Suspend);
    assert_eq!(due_on(&logs, NOW), [decide(order, order)]);
    logs.do_to(order, OrderActKind::Withdraw);
    assert_eq!(due_on(&logs, NOW), []);
}

#[test]
fn a_decision_by_policy_is_void_where_it_does_not_follow() {
    let hold = pack_toml("then = \"hold\"\nhold_days = 2\nbasis = \"a law\"");
    let end = NOW + 2 * DAY;
    let other = Hash::of(b"other");
    for (pack, rule, kind, until_ms, reason) in [
        (true, "r1", DecisionKind::Hold, end, None),
        (true, "flood", DecisionKind::Review, 0, None),
        (true, "breadth", DecisionKind::Review, 0, None),
        (
            false,
            "r1",
            DecisionKind::Hold,
            end,
            Some(VoidReason::PolicyPackDiffers),
        ),
        (
            true,
            "r2",
            DecisionKind::Hold,
            end,
            Some(VoidReason::PolicyRuleDiffers),
        ),
        (
            true,
            "no-rule",
            DecisionKind::Review,
            0,
            Some(VoidReason::PolicyRuleDiffers),
        ),
        (
            true,
            "r1",
            DecisionKind::Adopt,
            0,
            Some(VoidReason::PolicyActDiffers),
        ),
        (
            true,
            "r1",
            DecisionKind::Hold,
            end + 1,
            Some(VoidReason::PolicyEndDiffers),
        ),
    ] {
        let mut logs = Logs::new();
        let id = logs.pack("de", &hold).id;
        let order = logs.issue(models(&["LX-100"])).id;
        let cited = if pack { id } else { other };
        let said = logs.by_policy(order, kind, Some(cited), rule, until_ms);
        assert_eq!(
            logs.registry.void_reason(&said.position),
            reason,
            "{rule} {kind}"
        );
        if let Some(reason) = reason {
            let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
            assert_eq!((notice.state.word(), notice.version), ("none", 2));
            assert_eq!(notice.reason, reason.code());
            // It was decided on, if to no effect: not due again, but an officer is told.
            assert_eq!(due_on(&logs, NOW), []);
            assert_eq!(logs.registry.pending("DE", NOW).len(), 1);
        }
    }
}

#[test]
fn the_last_pack_that_is_valid_before_a_decision_is_in_force() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let other = logs.issue(models(&["LX-200"])).id;
    let first = logs.pack("de", &pack_toml("then = \"flag\"")).id;
    // Not yet valid, not a pack, and not this jurisdiction's.
    logs.pack(
        "de",
        &pack_toml("then = \"review\"").replace("2026-01-01", "2027-01-01"),
    );
    logs.pack("de", "then what");
    logs.pack(
        "de",
        &pack_toml("then = \"review\"").replace("\"DE\"\nversion", "\"JP\"\nversion"),
    );
    let said = logs.by_policy(order, DecisionKind::Flag, Some(first), "r1", 0);
    assert_eq!(logs.registry.void_reason(&said.position), None);
    let second = logs.pack("de", &pack_toml("then = \"inform\"")).id;
    assert_eq!(logs.state(order, "DE", NOW), "flagged");
    let said = logs.by_policy(other, DecisionKind::Inform, Some(second), "r1", 0);
    assert_eq!(logs.registry.void_reason(&said.position), None);

    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let said = logs.by_policy(order, DecisionKind::Review, None, "no-pack", 0);
    assert_eq!(logs.registry.void_reason(&said.position), None);
    assert_eq!(logs.state(order, "DE", NOW), "review");
}

#[test]
fn what_was_judged_but_is_not_here_puts_nothing_in_force() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let modified = Hash::of(b"to come");
    logs.decide("de", NOW, order, DecisionKind::Adopt, |adopt| {
        adopt.judged = modified
    });
    assert_eq!(logs.state(order, "DE", NOW), "review");
    let replacement = crate::order::OrderAct {
        kind: OrderActKind::Modify,
        reason: "modified".into(),
        replacement: Some(models(&["LX-300"])),
    };
    let statement = logs.statement("us", NOW, Act::OrderAct(Box::new(replacement)));
    let statement = Statement {
        about: Some(reference(order)),
        ..statement
    };
    let position = logs.position("us");
    logs.put(position, modified, Arc::new(statement));
    assert_eq!(logs.state(order, "DE", NOW), "in_force");
}

#[test]
fn what_this_version_cannot_read_drops_blocks_to_review() {
    let states = |opaque_in: &str| {
        let mut logs = Logs::new();
        let order = logs.issue(models(&["LX-100"])).id;
        logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
        logs.decide("jp", NOW, order, DecisionKind::Decline, |_| ());
        logs.opaque(opaque_in, order);
        ["US", "DE", "JP"].map(|jurisdiction| logs.state(order, jurisdiction, NOW))
    };
    assert_eq!(states("us"), ["review", "review", "declined"]);
    assert_eq!(states("de"), ["in_force", "review", "declined"]);
    assert_eq!(states("jp"), ["in_force", "in_force", "declined"]);

    // One about an order of another's, said in a log that is neither, counts nowhere.
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let before = logs.registry.block(&reference(order), "DE", NOW);
    logs.opaque("jp", order);
    assert_eq!(logs.registry.block(&reference(order), "DE", NOW), before);
}

#[test]
fn what_rests_on_a_frozen_log_is_never_in_force() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    logs.hold("jp", order, NOW + DAY);
    logs.registry.apply(Event::Freeze {
        origin: origin("de"),
    });
    assert!(!logs.registry.apply(Event::Freeze {
        origin: origin("de")
    }));
    assert_eq!(logs.state(order, "DE", NOW), "review");
    assert_eq!(logs.state(order, "JP", NOW), "held");
    logs.registry.apply(Event::Freeze {
        origin: origin("us"),
    });
    assert_eq!(logs.state(order, "US", NOW), "review");
    assert_eq!(logs.state(order, "JP", NOW), "review");
    assert_eq!(logs.state(order, "JP", NOW + DAY), "lapsed");
    let version = |jurisdiction| {
        logs.registry
            .block(&reference(order), jurisdiction, NOW)
            .unwrap()
            .version
    };
    assert_eq!((version("US"), version("DE"), version("JP")), (2, 4, 3));
    assert_eq!(
        logs.registry.order(&reference(order), NOW).unwrap().state,
        OrderState::Review
    );
}

#[test]
fn a_missing_lasting_body_is_shown_and_stops_the_position() {
    let mut logs = Logs::new();
    let digest = Hash::of(b"body");
    let statement = logs.statement("us", NOW, Act::Order(Box::new(models(&["LX-100"]))));
    let issued = logs.write(
        "us",
        Statement {
            bodies: vec![lasting(digest)],
            ..statement
        },
    );
    let order = issued.id;
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    logs.do_to(order, OrderActKind::Suspend);
    logs.do_to(order, OrderActKind::Resume);
    let missing: Vec<_> = logs.registry.missing_bodies().collect();
    assert_eq!(missing, [(issued.position.clone(), digest)]);
    assert_eq!(logs.registry.position().next_index(&origin("us")), 0);
    assert_eq!(logs.registry.position().next_index(&origin("de")), 1);
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    assert_eq!(
        (notice.state.word(), notice.selectors_missing),
        ("in_force", true)
    );
    assert_eq!(notice.version, 4);
    logs.body(&issued, digest, Some(order_body(&["LX-200"])));
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    assert_eq!((notice.version, notice.selectors_missing), (5, false));
    assert_eq!(notice.scope.articles.len(), 2);
    assert_eq!(logs.registry.position().next_index(&origin("us")), 3);
}

#[test]
fn a_modification_whose_body_is_missing_releases_nothing_yet() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100", "LX-200"])).id;
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    let digest = Hash::of(b"body");
    let act = crate::order::OrderAct {
        kind: OrderActKind::Modify,
        reason: "modified".into(),
        replacement: Some(models(&["LX-300"])),
    };
    let statement = logs.statement("us", NOW, Act::OrderAct(Box::new(act)));
    let (about, bodies) = (Some(reference(order)), vec![lasting(digest)]);
    let modified = logs.write(
        "us",
        Statement {
            about,
            bodies,
            ..statement
        },
    );
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    assert_eq!(
        (notice.state.word(), notice.selectors_missing),
        ("in_force", true)
    );
    assert_eq!(notice.scope.articles[0].selectors.len(), 2);
    logs.body(&modified, digest, Some(order_body(&["LX-200"])));
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    assert_eq!(
        (notice.state.word(), notice.selectors_missing),
        ("in_force", false)
    );
    assert_eq!(notice.scope.articles[0].selectors.len(), 1);
}

#[test]
fn a_pack_whose_body_is_missing_leaves_decisions_by_it_unclear() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let digest = Hash::of(b"pack");
    let act = Act::PolicyPack(crate::policy::PolicyPack {
        toml: String::new(),
    });
    let statement = logs.statement("de", NOW - DAY, act);
    let pack = logs.write(
        "de",
        Statement {
            bodies: vec![lasting(digest)],
            ..statement
        },
    );
    let said = logs.by_policy(order, DecisionKind::Flag, Some(pack.id), "r1", 0);
    assert_eq!(logs.state(order, "DE", NOW), "review");
    let toml = pack_toml("then = \"flag\"");
    let body = crate::statement::DecodedBody::PolicyPack(crate::policy::PolicyPackBody { toml });
    logs.body(&pack, digest, Some(body));
    assert_eq!(logs.registry.void_reason(&said.position), None);
    assert_eq!(logs.state(order, "DE", NOW), "flagged");
}

#[test]
fn the_first_claim_to_a_number_counts_and_the_other_is_void() {
    let mut logs = Logs::new();
    let first = logs.issue(models(&["LX-100"]));
    let again = Statement {
        number: 1,
        ..(*logs.issue(models(&["LX-200"])).statement).clone()
    };
    let next_year = Statement {
        created_ms: NOW + 60 * DAY,
        ..again.clone()
    };
    let taken = logs.write("us", again);
    let free = logs.write("us", next_year);
    assert_eq!(
        logs.registry.void_reason(&taken.position),
        Some(VoidReason::NumberTaken)
    );
    assert_eq!(logs.registry.void_reason(&free.position), None);
    assert!(logs.registry.order(&reference(taken.id), NOW).is_none());
    assert!(
        logs.registry
            .block(&reference(taken.id), "US", NOW)
            .is_none()
    );
    let name = |year, number| Numbered {
        member: "us".into(),
        year,
        number,
    };
    assert_eq!(
        logs.registry.order_named(&name(2026, 1)),
        Some(reference(first.id))
    );
    assert_eq!(
        logs.registry.order_named(&name(2027, 1)),
        Some(reference(free.id))
    );
    assert_eq!(logs.registry.next_number("us", 2026), Some(3));
    assert_eq!(logs.registry.next_number("us", 2028), Some(1));
    assert_eq!(logs.registry.next_number("xx", 2026), None);
    assert_eq!(logs.registry.orders().count(), 3);
}

#[test]
fn a_statement_counts_once_however_often_it_stands_in_its_log() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.do_to(order, OrderActKind::Suspend);
    let resumed = logs.do_to(order, OrderActKind::Resume);
    logs.do_to(order, OrderActKind::Suspend);
    let position = logs.position("us");
    let again = logs.put(position, resumed.id, Arc::clone(&resumed.statement));
    assert_eq!(
        logs.registry.void_reason(&again.position),
        Some(VoidReason::StatementRepeated)
    );
    assert_eq!(logs.state(order, "US", NOW), "suspended");
    assert_eq!(
        logs.registry.find(&reference(resumed.id)),
        Some(resumed.position.clone())
    );
    let notice = logs.registry.block(&reference(order), "US", NOW).unwrap();
    assert_eq!(notice.version, 5);

    let digest = logs.registry.state_digest();
    assert!(!logs.registry.apply(Event::Valid {
        position: resumed.position,
        statement_id: resumed.id,
        statement: resumed.statement,
    }));
    assert_eq!(logs.registry.state_digest(), digest);
}

#[test]
fn a_notice_is_due_when_a_fact_lies_beyond_the_cursor() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let other = logs.issue(models(&["LX-200"])).id;
    let changed = |logs: &Logs, jurisdiction: &str, seen: &Vector| -> Vec<Hash> {
        let orders = logs.registry.changed_since(jurisdiction, seen);
        orders.into_iter().map(|order| order.statement_id).collect()
    };
    assert_eq!(changed(&logs, "DE", &Vector::default()).len(), 2);
    let seen = logs.registry.position();
    assert_eq!(changed(&logs, "DE", &seen), []);
    logs.decide("jp", NOW, order, DecisionKind::Flag, |_| ());
    assert_eq!(changed(&logs, "DE", &seen), []);
    assert_eq!(changed(&logs, "JP", &seen), [order]);
    logs.do_to(other, OrderActKind::Suspend);
    assert_eq!(changed(&logs, "DE", &seen), [other]);
    let seen = logs.registry.position();
    logs.registry.apply(Event::Freeze {
        origin: origin("jp"),
    });
    assert_eq!(changed(&logs, "DE", &seen), []);
    assert_eq!(changed(&logs, "JP", &seen).len(), 2);
    assert_eq!(changed(&logs, "JP", &logs.registry.position()), []);
}

#[test]
fn a_filter_reads_the_issue_alone() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    logs.modify(
        order,
        Order {
            instrument: crate::order::Instrument::CourtInjunction,
            ..models(&["LX-100"])
        },
    );
    let wanted = |filter: &str| {
        let filter = Filter::parse(filter).unwrap();
        logs.registry.blocks("DE", &filter, NOW).count()
    };
    assert_eq!(wanted("issuer = \"us\" AND instrument = \"us_337_geo\""), 1);
    assert_eq!(wanted("instrument = \"court_injunction\""), 0);
}

#[test]
fn a_notice_names_what_else_blocks_the_same_goods() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100", "LX-200"])).id;
    let other = logs.issue(models(&["lx 200"])).id;
    logs.issue(models(&["LX-300"]));
    let notice = logs.registry.block(&reference(order), "DE", NOW).unwrap();
    assert_eq!(logs.registry.also_blocked_by(&notice, "DE", NOW), [""; 0]);
    logs.decide("de", NOW, other, DecisionKind::Adopt, |_| ());
    assert_eq!(
        logs.registry.also_blocked_by(&notice, "DE", NOW),
        ["US-2026-0002@DE"]
    );
    let later = crate::notice::Notice {
        also_blocked_by: vec!["x".into()],
        ..notice.clone()
    };
    assert!(later.says_the_same(&notice) && later != notice);
}

#[test]
fn an_entry_of_no_member_is_not_taken() {
    let mut logs = Logs::new();
    let kr = super::Position {
        origin: origin("kr"),
        index: 0,
    };
    assert!(!logs.registry.apply(Event::Invalid { position: kr }));
    let position = logs.position("us");
    assert!(logs.registry.apply(Event::Invalid { position }));
    assert_eq!(logs.registry.position().next_index(&origin("us")), 1);
}

#[test]
fn a_release_is_what_takes_something_from_what_stands() {
    let mut logs = Logs::new();
    let order = logs.issue(models(&["LX-100"])).id;
    let act = |logs: &mut Logs, kind| {
        let mut scratch = logs.clone();
        scratch.do_to(order, kind).statement
    };
    let decided = |logs: &mut Logs, kind| {
        let mut scratch = logs.clone();
        scratch.decide("de", NOW, order, kind, |_| ()).statement
    };
    let releases = |logs: &Logs, statement: &Statement, jurisdiction| {
        logs.registry.is_release(statement, jurisdiction, NOW)
    };
    let suspend = act(&mut logs, OrderActKind::Suspend);
    let withdraw = act(&mut logs, OrderActKind::Withdraw);
    let modify = logs.clone().modify(order, models(&["LX-100"])).statement;
    let (pause, end) = (
        decided(&mut logs, DecisionKind::Pause),
        decided(&mut logs, DecisionKind::End),
    );
    assert!(releases(&logs, &suspend, "US") && releases(&logs, &withdraw, "US"));
    assert!(!releases(&logs, &modify, "US"));
    assert!(!releases(&logs, &pause, "DE"), "nothing is decided there");
    logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
    assert!(releases(&logs, &pause, "DE") && releases(&logs, &end, "DE"));
    logs.decide("de", NOW, order, DecisionKind::Pause, |_| ());
    assert!(
        !releases(&logs, &pause, "DE"),
        "said again it changes nothing"
    );
    assert!(releases(&logs, &end, "DE"));
    logs.do_to(order, OrderActKind::Suspend);
    assert!(!releases(&logs, &suspend, "US") && releases(&logs, &withdraw, "US"));
    logs.do_to(order, OrderActKind::Withdraw);
    for said in [&suspend, &withdraw, &pause, &end] {
        assert!(!releases(&logs, said, "US") && !releases(&logs, said, "DE"));
    }
}

#[test]
fn what_policy_ruled_is_counted_by_the_clock_of_who_ruled() {
    let mut logs = Logs::new();
    let pack = logs
        .pack("de", &pack_toml("then = \"flag\"\nbasis = \"a law\""))
        .id;
    let orders: Vec<Hash> = (0..4)
        .map(|number| logs.issue(models(&[&format!("LX-{number}")])).id)
        .collect();
    let ruled = |logs: &Logs, since| {
        logs.registry
            .ruled_since("DE", &reference(orders[0]).log, since)
    };
    assert_eq!(ruled(&logs, 0), 0);
    logs.by_policy(orders[0], DecisionKind::Flag, Some(pack), "r1", 0);
    logs.by_policy(orders[1], DecisionKind::Flag, Some(pack), "r1", 0);
    assert_eq!(ruled(&logs, NOW), 2);
    assert_eq!(ruled(&logs, NOW + 1), 0);
    logs.by_policy(orders[2], DecisionKind::Review, Some(pack), "flood", 0);
    logs.decide("de", NOW, orders[3], DecisionKind::Flag, |_| ());
    assert_eq!(
        ruled(&logs, NOW),
        2,
        "neither a review for flood nor what officers decided"
    );
    assert_eq!(
        logs.registry
            .ruled_since("JP", &reference(orders[0]).log, 0),
        0
    );
}

#[test]
fn an_article_without_a_number_makes_a_general_order_broad() {
    use super::sample::order;
    use crate::product::{HsCode, Selector};
    let chapter = Selector::Hs(HsCode {
        code: "94".to_owned(),
        edition: 2022,
    });
    let model = Selector::Model("LX-100".to_owned());
    let brand = Selector::Brand("ACME".to_owned());
    let mut logs = Logs::new();
    for (articles, is_broad) in [
        (vec![("lamps", vec![model.clone(), chapter.clone()])], false),
        (vec![("lamps", vec![chapter.clone()])], true),
        (vec![("lamps", vec![brand])], true),
        (
            vec![("lamps", vec![model]), ("all of it", vec![chapter])],
            true,
        ),
    ] {
        let articles: Vec<(&str, &[Selector])> = articles
            .iter()
            .map(|(text, list)| (*text, list.as_slice()))
            .collect();
        let text = order(&articles);
        let limited = limited(text.clone(), &["Maker"]);
        let id = logs.issue(text).id;
        assert_eq!(
            logs.registry.is_broad(&reference(id), &id, 0.001),
            is_broad,
            "{articles:?}"
        );
        let id = logs.issue(limited).id;
        assert!(!logs.registry.is_broad(&reference(id), &id, 0.001));
    }
}
