//! Each place where something can stop, with the facts put in.

use tocsin_core::decision::PolicyCitation;
use tocsin_core::order::OrderActKind;
use tocsin_log::hash::Hash;

use super::*;

const NOW: i64 = 1_800_000_000_000;

fn said() -> Said {
    Said {
        name: "members/us/orders/2026-0412".to_owned(),
        statement_id: Hash::of(b"order"),
        origin: "a.example/us/1".to_owned(),
        author: "us".to_owned(),
        index: 17,
        created_ms: NOW,
        signers: "o-1, o-2".to_owned(),
        worth: Worth::Valid,
        noted: Some(18),
        is_frozen: false,
    }
}

fn block(state: BlockState) -> Block {
    Block {
        name: "US-2026-0412@DE".to_owned(),
        state,
        reason: String::new(),
        since_ms: NOW + 3,
        from_ms: NOW,
        until_ms: 0,
        is_selectors_missing: false,
        decision: None,
        void: None,
        act: None,
    }
}

fn by_rule(state: BlockState, kind: &'static str) -> Block {
    let policy = Some(PolicyCitation {
        pack: Some(Hash::of(b"pack")),
        rule: "leo-flag".to_owned(),
    });
    Block {
        decision: Some(Decided {
            entry: "de/1/3".to_owned(),
            kind,
            at_ms: NOW + 3,
            policy,
        }),
        ..block(state)
    }
}

/// DE is asked by DE, and everything is well.
fn here(block: Block) -> Way {
    Way {
        member: "de".to_owned(),
        is_author: false,
        is_us: true,
        is_connected: true,
        since_ms: 0,
        cosigned: Some((20, NOW + 2_000)),
        is_applied: true,
        does_not_sign: None,
        log_size: 4,
        is_log_current: true,
        fate: Fate::Block(block),
    }
}

/// The same, asked of another node that is connected to DE.
fn elsewhere(block: Block) -> Way {
    Way {
        is_us: false,
        is_applied: false,
        since_ms: NOW - 9_000,
        ..here(block)
    }
}

fn told(said: Said, way: Way) -> v1::TraceStatementResponse {
    tell(&Facts {
        said,
        ways: vec![way],
    })
}

/// Steps and states of the hops: `mirrored done`.
fn steps(told: &v1::TraceStatementResponse) -> Vec<String> {
    let step = |hop: &v1::Hop| {
        let state = hop.state().as_str_name().to_ascii_lowercase();
        format!("{} {}", hop.step, state.trim_start_matches("hop_state_"))
    };
    told.hops.iter().map(step).collect()
}

fn of<'a>(told: &'a v1::TraceStatementResponse, step: &str) -> &'a v1::Hop {
    told.hops.iter().find(|hop| hop.step == step).unwrap()
}

#[test]
fn an_order_in_force_has_every_hop_done_with_what_shows_it() {
    let told = told(said(), here(by_rule(BlockState::InForce, "adopt")));
    let whole = [
        "said", "logged", "mirrored", "judged", "decided", "in_force",
    ];
    assert_eq!(steps(&told), whole.map(|step| format!("{step} done")));
    assert_eq!(told.stopped_by, "");
    assert!(
        told.verdict.contains("has arrived at de"),
        "{}",
        told.verdict
    );
    for hop in &told.hops {
        assert!(
            !hop.evidence.is_empty() && !hop.detail.is_empty(),
            "{hop:?}"
        );
        assert!(hop.reason.is_empty());
    }
    let mirrored = of(&told, "mirrored");
    assert_eq!(mirrored.evidence, "note of size 20 cosigned by de");
    assert_eq!(mirrored.at_ms, NOW + 2_000);
    assert!(
        of(&told, "decided")
            .detail
            .contains("by rule `leo-flag` of pack")
    );
}

#[test]
fn a_rule_that_reviews_or_flags_stops_the_order_and_is_named() {
    for (state, kind, code) in [
        (BlockState::Review, "review", "BLOCK_IN_REVIEW"),
        (BlockState::Flagged, "flag", "BLOCK_FLAGGED"),
        (BlockState::Declined, "decline", "BLOCK_DECLINED"),
    ] {
        let told = told(said(), here(by_rule(state, kind)));
        assert_eq!(told.stopped_by, code);
        assert_eq!(of(&told, "decided").state(), HopState::Done);
        assert!(of(&told, "decided").detail.contains("leo-flag"));
        assert!(
            told.verdict.contains("was stopped at de"),
            "{}",
            told.verdict
        );
    }
}

#[test]
fn a_decision_without_effect_says_why() {
    let mut without = block(BlockState::None);
    without.void = Some(("de/1/5".to_owned(), VoidReason::PolicyRuleDiffers));
    let told = told(said(), elsewhere(without));
    assert_eq!(told.stopped_by, "VOID_POLICY_RULE_DIFFERS");
    let decided = of(&told, "decided");
    assert_eq!(
        (decided.state(), decided.evidence.as_str()),
        (HopState::Stopped, "entry de/1/5")
    );
    let last = of(&told, "in_force");
    assert_eq!(
        (last.state(), last.reason.as_str()),
        (HopState::Stopped, "VOID_POLICY_RULE_DIFFERS")
    );
}

#[test]
fn a_withdrawn_order_is_stopped_by_its_issuers_act() {
    let mut withdrawn = by_rule(BlockState::Withdrawn, "adopt");
    withdrawn.act = Some(("us/1/30".to_owned(), OrderActKind::Withdraw));
    let decided_first = told(said(), here(withdrawn.clone()));
    assert_eq!(decided_first.stopped_by, "BLOCK_WITHDRAWN");
    assert_eq!(of(&decided_first, "decided").state(), HopState::Done);
    assert_eq!(
        of(&decided_first, "in_force").evidence,
        "withdraw: entry us/1/30"
    );
    withdrawn.decision = None;
    let never_decided = told(said(), here(withdrawn));
    assert_eq!(of(&never_decided, "decided").reason, "BLOCK_WITHDRAWN");
}

#[test]
fn what_a_connected_member_has_not_yet_is_waited_for() {
    let mut way = elsewhere(block(BlockState::None));
    way.cosigned = Some((17, NOW));
    let told = told(said(), way);
    let rest: Vec<String> = steps(&told).split_off(2);
    assert_eq!(
        rest,
        [
            "mirrored waiting",
            "judged waiting",
            "decided waiting",
            "in_force waiting"
        ]
    );
    assert_eq!(told.stopped_by, "");
    assert!(
        told.verdict.contains("on its way to de"),
        "{}",
        told.verdict
    );
    assert!(told.verdict.contains("17 entries"), "{}", told.verdict);
}

#[test]
fn of_a_member_that_is_gone_nothing_is_guessed() {
    let mut way = elsewhere(block(BlockState::None));
    (way.is_connected, way.is_log_current, way.cosigned) = (false, false, None);
    let told = told(said(), way);
    let rest: Vec<String> = steps(&told).split_off(2);
    assert_eq!(
        rest,
        [
            "mirrored unknown",
            "judged unknown",
            "decided unknown",
            "in_force unknown"
        ]
    );
    assert!(told.verdict.contains("cannot tell"), "{}", told.verdict);
    assert!(told.verdict.contains("not connected"), "{}", told.verdict);
}

#[test]
fn what_was_decided_is_known_even_of_a_member_that_is_gone() {
    let mut way = elsewhere(by_rule(BlockState::InForce, "adopt"));
    (way.is_connected, way.is_log_current) = (false, false);
    let told = told(said(), way);
    assert_eq!(of(&told, "judged").evidence, "entry de/1/3 decides on it");
    let last = of(&told, "in_force");
    assert_eq!(last.state(), HopState::Done);
    assert!(last.detail.contains("later is not here"), "{}", last.detail);
}

#[test]
fn what_the_rules_refuse_is_refused_everywhere() {
    for (worth, code) in [
        (Worth::Void(VoidReason::NumberTaken), "VOID_NUMBER_TAKEN"),
        (Worth::Opaque, "OPAQUE_HERE"),
        (
            Worth::Invalid("NEEDS_SECOND_OFFICER", "one more".to_owned()),
            "NEEDS_SECOND_OFFICER",
        ),
    ] {
        let said = Said { worth, ..said() };
        let told = told(said, elsewhere(block(BlockState::None)));
        assert_eq!(told.stopped_by, code);
        assert_eq!(
            told.hops.last().unwrap().step,
            "judged",
            "nothing comes after"
        );
    }
}

#[test]
fn a_node_that_does_not_sign_does_not_decide_and_says_so() {
    let mut way = here(block(BlockState::None));
    way.does_not_sign = Some("READ_ONLY");
    let told = told(said(), way);
    assert_eq!(told.stopped_by, "READ_ONLY");
    assert_eq!(of(&told, "decided").state(), HopState::Stopped);
}

#[test]
fn a_report_has_arrived_where_it_is_held() {
    let mut way = elsewhere(block(BlockState::None));
    way.fate = Fate::Read;
    let told = told(said(), way);
    assert_eq!(
        steps(&told).split_off(2),
        ["mirrored done", "judged unknown"]
    );
    assert!(
        told.verdict.contains("has arrived at de"),
        "{}",
        told.verdict
    );
}

#[test]
fn an_entry_that_no_note_covers_has_not_left_its_author() {
    let said = Said {
        noted: None,
        ..said()
    };
    let told = told(said, here(block(BlockState::None)));
    assert_eq!(of(&told, "logged").state(), HopState::Waiting);
    assert!(told.verdict.contains("has not left us"), "{}", told.verdict);
}

#[test]
fn to_every_member_at_once_the_verdict_counts_them() {
    let mut author = here(block(BlockState::InForce));
    (author.member, author.is_author, author.is_us) = ("us".to_owned(), true, false);
    let mut gone = elsewhere(block(BlockState::None));
    gone.member = "kr".to_owned();
    (gone.is_connected, gone.is_log_current, gone.cosigned) = (false, false, None);
    let ways = vec![author, here(by_rule(BlockState::Flagged, "flag")), gone];
    let told = tell(&Facts { said: said(), ways });
    assert_eq!(
        told.verdict,
        "members/us/orders/2026-0412: arrived at us; stopped at de; not known of kr."
    );
    let of_author = told.hops.iter().filter(|hop| hop.member == "us");
    let of_author: Vec<&str> = of_author.map(|hop| hop.step.as_str()).collect();
    assert_eq!(of_author, ["said", "logged", "judged", "in_force"]);
}

#[test]
fn a_pack_and_a_decision_are_in_force_or_replaced() {
    for (fate, state, code) in [
        (Fate::Pack(PackFate::InForce), HopState::Done, ""),
        (Fate::Pack(PackFate::Later(NOW)), HopState::Waiting, ""),
        (
            Fate::Pack(PackFate::Replaced(Hash::of(b"x"))),
            HopState::Stopped,
            "PACK_REPLACED",
        ),
        (
            Fate::Pack(PackFate::Unusable),
            HopState::Stopped,
            "PACK_UNUSABLE",
        ),
        (decision(true), HopState::Done, ""),
        (decision(false), HopState::Stopped, "DECISION_SUPERSEDED"),
    ] {
        let way = Way {
            is_author: true,
            fate,
            ..here(block(BlockState::None))
        };
        let told = told(said(), way);
        assert_eq!(of(&told, "in_force").state(), state, "{code}");
        assert_eq!(told.stopped_by, code);
    }
}

fn decision(is_current: bool) -> Fate {
    Fate::Decision {
        is_current,
        block: by_rule(BlockState::InForce, "adopt"),
    }
}
