//! The screener and the reference say the same of whatever can be made up.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tocsin_core::lookup::Outcome;
use tocsin_core::notice::Notice;
use tocsin_screen::answer::{Answer, Cap, Subject};
use tocsin_screen::index::Screen;

use crate::fixture::{NOW, basis};
use crate::generate;
use crate::matcher::{self, Verdict};
use crate::row::Row;

/// What the screener says, in the reference's terms.
fn verdict(answer: &Answer) -> Verdict {
    let mut blocks = BTreeMap::new();
    for hit in &answer.hits {
        let Subject::Block(notice) = &hit.subject else {
            panic!("no list was loaded");
        };
        blocks.insert(notice.block.clone(), hit.outcome);
    }
    Verdict {
        outcome: answer.outcome,
        decisive_missing: answer.decisive_missing,
        blocks,
    }
}

/// Both must agree on a line.
pub fn agree(screen: &Screen, notices: &[Notice], row: &Row, now: i64) -> Result<(), String> {
    row.with(|line| {
        let answer = screen.check(line, now);
        let (said, expected) = (verdict(&answer), matcher::screen(notices, line, now));
        if said == expected {
            return Ok(());
        }
        let touched: Vec<&Notice> = notices
            .iter()
            .filter(|notice| said.blocks.get(&notice.block) != expected.blocks.get(&notice.block))
            .collect();
        Err(format!(
            "the screener says {said:?}\nthe reference says {expected:?}\nof {row:#?}\nwith \
             {touched:#?}\nbecause {:#?}",
            answer.hits
        ))
    })
}

proptest! {
    // A failure prints what is needed to run it again; it becomes a test of its own.
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_screener_says_what_the_reference_says(
        notices in generate::notices(), rows in vec(generate::row(), 6),
    ) {
        let screen = Screen::build(notices.clone(), basis());
        for row in &rows {
            let agreed = agree(&screen, &notices, row, NOW);
            prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
        }
    }

    #[test]
    fn however_the_blocks_came_the_answer_is_the_same(
        notices in generate::notices(), row in generate::row(), cuts in vec(0_usize..8, 0..4),
    ) {
        let mut layered = Screen::build([], basis());
        let mut rest = notices.as_slice();
        for cut in cuts {
            let (first, last) = rest.split_at(cut.min(rest.len()));
            layered = layered.with(first.to_vec(), basis());
            rest = last;
        }
        layered = layered.with(rest.to_vec(), basis());
        let whole = Screen::build(notices.clone(), basis());
        row.with(|line| {
            prop_assert_eq!(layered.check(line, NOW), whole.check(line, NOW));
            Ok(())
        })?;
        let agreed = agree(&layered, &notices, &row, NOW);
        prop_assert!(agreed.is_ok(), "{}", agreed.unwrap_err());
    }
}

/// What never comes up is never compared.
#[test]
fn what_is_made_up_reaches_every_outcome_and_every_reason() {
    let mut runner = TestRunner::deterministic();
    let mut outcomes: BTreeSet<Outcome> = BTreeSet::new();
    let mut caps: BTreeSet<Option<Cap>> = BTreeSet::new();
    let mut decisive: BTreeSet<bool> = BTreeSet::new();
    for _ in 0..1_500 {
        let notices = generate::notices().new_tree(&mut runner).unwrap().current();
        let row = generate::row().new_tree(&mut runner).unwrap().current();
        let answer = row.with(|line| Screen::build(notices, basis()).check(line, NOW));
        outcomes.insert(answer.outcome);
        decisive.insert(answer.decisive_missing);
        caps.extend(answer.hits.iter().map(|hit| hit.cap));
    }
    let all = [
        Outcome::None,
        Outcome::Flagged,
        Outcome::Review,
        Outcome::Held,
        Outcome::Blocked,
    ];
    assert_eq!(outcomes, all.into());
    assert_eq!(decisive, [false, true].into());
    for cap in REACHED {
        assert!(caps.contains(&cap), "{cap:?} never comes up");
    }
}

/// All but [`Cap::Listed`]: no list is loaded here.
const REACHED: [Option<Cap>; 14] = [
    None,
    Some(Cap::Suggests),
    Some(Cap::ArticleMissing),
    Some(Cap::PartyMissing),
    Some(Cap::Contradicted),
    Some(Cap::CopiedNumber),
    Some(Cap::SelectorsMissing),
    Some(Cap::Downstream),
    Some(Cap::ShortLived),
    Some(Cap::Claimed),
    Some(Cap::UnderBond),
    Some(Cap::Authorised),
    Some(Cap::CarvedOut),
    Some(Cap::StateUnknown),
];

/// Sets of blocks, each with several lines: some seconds of an unoptimised build.
const CASES: u32 = 1_000;
