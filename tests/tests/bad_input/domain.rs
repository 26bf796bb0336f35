//! Cases 81 to 87: two persons, the issuer alone, each for itself, and never twice.

use tocsin_core::decision::DecisionKind;
use tocsin_core::order::OrderActKind;
use tocsin_core::statement::Act;
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::proto::v1;

use crate::socket::outcome_of;
use crate::table::{Acting, Deed, Row};
use crate::world::World;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = persons(world);
    rows.extend(competence(world));
    rows.extend([
        Row::new(
            84,
            "a rescission again",
            "Ok 1, rescinded",
            Deed::Do(same_rescission),
        ),
        Row::new(
            84,
            "a second rescission",
            "Ok, rescinded",
            Deed::Do(second_rescission),
        )
        .growing(1),
        Row::new(
            85,
            "the issue again after it",
            "Ok 0, rescinded",
            Deed::Do(same_issue),
        ),
        Row::submit(
            86,
            "a rescission before the issue",
            "FailedPrecondition ORDER_UNKNOWN",
            &world.later_rescinded.request(),
        ),
        Row::new(
            86,
            "then the issue, then it again",
            "Ok, rescinded",
            Deed::Do(in_order),
        )
        .growing(2),
    ]);
    rows
}

fn new_order() -> Saying {
    let act = Act::Order(Box::new(say::order("EXERCISE of two persons")));
    Saying::new("de", act).number(6_001)
}

fn adoption(world: &World) -> Saying {
    let mut decision = say::decision(DecisionKind::Adopt, world.order.statement_id);
    decision.local_rights = vec![say::right("DE", "102020000001")];
    Saying::new("de", Act::Decision(decision)).about(&world.order)
}

fn persons(world: &World) -> Vec<Row> {
    let [one, two] = world.officers("de");
    let other = world.other_key();
    let mut twice: v1::SubmitRequest = new_order().sign(&[&one]).request();
    let signatures = &mut twice.statement.as_mut().unwrap().signatures;
    signatures.push(signatures[0].clone());
    let investigator = world.network.key("de", "i-1");
    let second = "FailedPrecondition NEEDS_SECOND_OFFICER";
    vec![
        Row::submit(
            81,
            "an order by one officer",
            second,
            &new_order().sign(&[&one]).request(),
        ),
        Row::submit(
            81,
            "an adoption by one officer",
            second,
            &adoption(world).sign(&[&two]).request(),
        ),
        Row::submit(
            82,
            "an order by two keys of one officer",
            "PermissionDenied SAME_PERSON",
            &new_order().sign(&[&one, &other]).request(),
        ),
        Row::submit(
            82,
            "one key's signature twice",
            "InvalidArgument ENTRY_MALFORMED",
            &twice,
        ),
        Row::submit(
            82,
            "an officer and an investigator",
            "PermissionDenied ROLE_NOT_ALLOWED",
            &new_order().sign(&[&one, &investigator]).request(),
        ),
    ]
}

fn competence(world: &World) -> Vec<Row> {
    let rescission = Saying::new("de", say::act(OrderActKind::Rescind)).about(&world.order);
    let [one, two] = world.officers("kr");
    let mut their_right = adoption(world);
    if let Act::Decision(decision) = &mut their_right.statement.act {
        decision.local_rights = vec![say::right("KR", "1020200000001")];
    }
    let mut their_log = adoption(world);
    "test.tocsin.example/kr".clone_into(&mut their_log.statement.log);
    vec![
        Row::submit(
            83,
            "another issuer's order rescinded",
            "PermissionDenied NOT_THE_ISSUER",
            &world.by_officers(&rescission).request(),
        ),
        Row::submit(
            87,
            "an adoption for de by officers of kr",
            "PermissionDenied FOREIGN_JURISDICTION",
            &adoption(world).sign(&[&one, &two]).request(),
        ),
        Row::submit(
            87,
            "an adoption for kr by officers of de",
            "PermissionDenied NOT_OUR_LOG",
            &world.by_officers(&their_log).request(),
        ),
        Row::submit(
            87,
            "an adoption on a right of another register",
            "InvalidArgument LOCAL_RIGHT_FOREIGN",
            &world.by_officers(&their_right).request(),
        ),
    ]
}

/// Submits what the log holds already: the index of its receipt, and how the order stands then.
async fn again(world: &World, said: &Signed) -> String {
    match said.submit(&world.de).await {
        Ok(answer) => {
            let index = answer.receipt.unwrap().index;
            format!("Ok {index}, {}", world.state(&world.issued).await)
        }
        Err(status) => outcome_of(&status),
    }
}

fn same_rescission(world: &World) -> Acting<'_> {
    Box::pin(again(world, &world.rescinded))
}

fn same_issue(world: &World) -> Acting<'_> {
    Box::pin(again(world, &world.issued))
}

fn second_rescission(world: &World) -> Acting<'_> {
    Box::pin(async {
        let act = say::act(OrderActKind::Rescind);
        let saying = Saying::new("de", act).about(&world.issued.reference("de"));
        match world.by_officers(&saying).submit(&world.de).await {
            Ok(_) => format!("Ok, {}", world.state(&world.issued).await),
            Err(status) => outcome_of(&status),
        }
    })
}

fn in_order(world: &World) -> Acting<'_> {
    Box::pin(async {
        for said in [&world.later, &world.later_rescinded] {
            if let Err(status) = said.submit(&world.de).await {
                return outcome_of(&status);
            }
        }
        format!("Ok, {}", world.state(&world.later).await)
    })
}
