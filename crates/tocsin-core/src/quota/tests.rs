use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000_000;
const MINUTE_MS: i64 = 60_000;

fn limits() -> PersonLimits {
    PersonLimits {
        orders: 8,
        decisions: 100,
        reports: 100,
        packs: 4,
        bytes: 4_000,
    }
}

fn said(persons: &[&str], kind: Kind, bytes: u64) -> Said {
    Said {
        persons: persons.iter().map(|&person| person.to_owned()).collect(),
        kind,
        bytes,
    }
}

/// Says it if it may be said.
fn say(persons: &mut Persons, said: &Said, now: i64) -> Result<(), Exceeded> {
    persons.check(said, now)?;
    persons.charge(said, now);
    Ok(())
}

#[test]
fn a_quarter_fits_an_hour_and_all_of_it_a_day() {
    let mut persons = Persons::new(limits());
    let order = said(&["p-1"], Kind::Orders, 10);
    let mut now = NOW;
    for hour in 1..=4 {
        for _ in 0..2 {
            say(&mut persons, &order, now).unwrap();
        }
        let refused = say(&mut persons, &order, now).unwrap_err();
        let most = if hour == 4 { (8, 24) } else { (2, 1) };
        assert_eq!(
            (refused.what, (refused.most, refused.hours)),
            ("orders", most)
        );
        now += 66 * MINUTE_MS;
    }
    let refused = persons.check(&order, now).unwrap_err();
    assert_eq!((refused.most, refused.hours), (8, 24));
    assert_eq!(persons.check(&order, now + refused.retry_ms), Ok(()));
    assert!(
        persons
            .check(&order, now + refused.retry_ms - SLOT_MS - 1)
            .is_err()
    );
}

#[test]
fn persons_and_kinds_are_counted_apart_and_each_signer_counts() {
    let mut persons = Persons::new(limits());
    let both = said(&["p-1", "p-2"], Kind::Orders, 10);
    say(&mut persons, &both, NOW).unwrap();
    say(&mut persons, &both, NOW).unwrap();
    let refused = say(&mut persons, &said(&["p-2", "p-3"], Kind::Orders, 10), NOW).unwrap_err();
    assert_eq!((refused.person.as_str(), refused.hours), ("p-2", 1));
    say(&mut persons, &said(&["p-3", "p-4"], Kind::Orders, 10), NOW).unwrap();
    say(&mut persons, &said(&["p-2"], Kind::Reports, 10), NOW).unwrap();
}

#[test]
fn bytes_of_all_kinds_are_one_sum_and_what_never_fits_has_no_time() {
    let mut persons = Persons::new(limits());
    say(&mut persons, &said(&["p-1"], Kind::Reports, 600), NOW).unwrap();
    let refused = say(&mut persons, &said(&["p-1"], Kind::Packs, 401), NOW).unwrap_err();
    assert_eq!((refused.what, refused.most), ("bytes", 1_000));
    assert!(refused.retry_ms > 0);
    say(&mut persons, &said(&["p-1"], Kind::Packs, 400), NOW).unwrap();
    let refused = persons
        .check(&said(&["p-2"], Kind::Reports, 1_001), NOW)
        .unwrap_err();
    assert_eq!(refused.retry_ms, 0);
}

#[test]
fn what_was_not_said_after_all_is_given_back() {
    let mut persons = Persons::new(limits());
    let order = said(&["p-1"], Kind::Orders, 10);
    for _ in 0..50 {
        say(&mut persons, &order, NOW).unwrap();
        persons.refund(&order, NOW);
    }
}

#[test]
fn no_bound_is_no_bound() {
    let mut persons = Persons::new(PersonLimits::default());
    for _ in 0..10_000 {
        say(&mut persons, &said(&["p-1"], Kind::Orders, 1 << 40), NOW).unwrap();
    }
}

#[test]
fn a_clock_set_back_neither_forgives_nor_holds_for_ever() {
    let mut persons = Persons::new(limits());
    let order = said(&["p-1"], Kind::Orders, 10);
    let ahead = NOW + 400 * DAY_MS;
    say(&mut persons, &order, ahead).unwrap();
    say(&mut persons, &order, ahead).unwrap();
    assert!(persons.check(&order, NOW).is_err());
    // Whatever is said next puts the rest in its place.
    persons.charge(&said(&["p-2"], Kind::Reports, 1), NOW);
    assert!(persons.check(&order, NOW + 30 * MINUTE_MS).is_err());
    assert_eq!(persons.check(&order, NOW + 66 * MINUTE_MS), Ok(()));
}

#[test]
fn only_what_takes_goods_out_may_release() {
    use crate::fixture;
    let releases = [
        OrderActKind::Withdraw,
        OrderActKind::Rescind,
        OrderActKind::Suspend,
    ];
    for kind in OrderActKind::ALL {
        let act = fixture::order_act(*kind).act;
        assert_eq!(may_release(&act), releases.contains(kind), "{kind}");
    }
    let releases = [DecisionKind::Pause, DecisionKind::End, DecisionKind::Lapse];
    for kind in DecisionKind::ALL {
        let act = fixture::decision(*kind).act;
        assert_eq!(may_release(&act), releases.contains(kind), "{kind}");
    }
    for statement in [
        fixture::order(),
        fixture::report(),
        fixture::indicator(),
        fixture::pack(),
    ] {
        assert!(!may_release(&statement.act));
    }
}

const RATE: Rate = Rate {
    amount: 10,
    period_ms: 1_000,
    burst: 2,
};

#[test]
fn a_bucket_gives_its_burst_and_then_its_rate() {
    let mut bucket = Bucket::full(RATE, NOW);
    for _ in 0..20 {
        bucket.take(RATE, 1, NOW).unwrap();
    }
    let wait = bucket.take(RATE, 1, NOW).unwrap_err();
    assert!((100..=101).contains(&wait), "{wait}");
    bucket.take(RATE, 1, NOW + wait).unwrap();
    assert!(!bucket.is_full(RATE, NOW + 1_999));
    assert!(bucket.is_full(RATE, NOW + 5_000));
}

#[test]
fn a_debt_is_paid_off_by_time_and_is_never_deeper_than_a_burst() {
    let mut bucket = Bucket::full(RATE, NOW);
    bucket.owe(RATE, 1_000_000, NOW);
    assert_eq!(bucket.left(RATE, NOW), -20);
    assert_eq!(bucket.left(RATE, NOW + 2_000), 0);
    assert!(bucket.take(RATE, 1, NOW + 2_000).is_err());
}

proptest! {
    #[test]
    fn no_window_of_a_day_holds_more_than_the_bound(
        gaps in prop::collection::vec(0_i64..4 * HOUR_MS, 1..200),
    ) {
        let mut persons = Persons::new(PersonLimits { orders: 8, ..PersonLimits::default() });
        let order = said(&["p-1"], Kind::Orders, 1);
        let (mut now, mut taken) = (NOW, Vec::new());
        for gap in gaps {
            now += gap;
            match say(&mut persons, &order, now) {
                Ok(()) => taken.push(now),
                Err(refused) => {
                    prop_assert!(refused.retry_ms > 0);
                    prop_assert_eq!(persons.check(&order, now + refused.retry_ms), Ok(()));
                }
            }
            for (window, most) in [(HOUR_MS, 2), (DAY_MS, 8)] {
                let inside = taken.iter().filter(|at| **at > now - window);
                prop_assert!(inside.count() <= most);
            }
            prop_assert!(persons.said.get("p-1").is_none_or(|slots| slots.len() <= 290));
        }
    }

    #[test]
    fn a_bucket_never_gives_more_than_its_burst_and_what_came_back(
        asks in prop::collection::vec((0_i64..500, 1_u32..5), 1..200),
    ) {
        let mut bucket = Bucket::full(RATE, NOW);
        let (mut now, mut given) = (NOW, 0_i64);
        for (gap, amount) in asks {
            now += gap;
            match bucket.take(RATE, amount, now) {
                Ok(()) => given += i64::from(amount),
                Err(wait) => {
                    let mut later = bucket;
                    prop_assert_eq!(later.take(RATE, amount, now + wait), Ok(()));
                }
            }
            prop_assert!(given <= 20 + (now - NOW) * 10 / 1_000 + 1);
        }
    }
}
