//! An issuer that floods: its new orders go to officers everywhere, its withdrawals count, and
//! others' orders are decided as promptly as ever.

use std::time::Instant;

use tocsin_core::product::{HsCode, Selector};
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say;
use tonic::transport::Channel;

use crate::{BINARY, name, order, publish, reason, wait_block, withdrawal};

/// Orders of a day that the packs of this test allow.
const LIMIT: u32 = 5;
/// Orders of the flood.
const FLOOD: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_turns_new_orders_to_review_everywhere_and_withdrawals_still_pass() {
    let mut network = Network::found(BINARY, &["us", "de", "jp"]);
    for id in ["us", "de", "jp"] {
        network.quota(id, "person_orders_per_day = 0");
        network.run(id);
    }
    for id in ["us", "de", "jp"] {
        network.ready(id).await;
    }
    let limits = format!("orders_per_issuer_per_day = {LIMIT}\nbreadth_share = 0.001");
    publish(&network, "de", "hold", &limits).await;
    publish(&network, "jp", "flag", &limits).await;
    let [us, de, jp] = [
        network.channel("us").await,
        network.channel("de").await,
        network.channel("jp").await,
    ];

    // One order in calm: decided by policy at both.
    let first = order(&network, "us", 1, say::order("EXERCISE of calm"));
    first.submit(&us).await.unwrap();
    wait_block(&de, &name("us", 1), "DE", |state, _| state == "held").await;
    wait_block(&jp, &name("us", 1), "JP", |state, _| state == "flagged").await;

    // The flood, backdated by two days so that no day by its own clock is over the limit.
    flood(&network, &us).await;
    // Meanwhile another issuer's order, and the withdrawal of the first.
    let began = Instant::now();
    let other = order(&network, "jp", 1, say::order("EXERCISE of another issuer"));
    other.submit(&jp).await.unwrap();
    wait_block(&de, &name("jp", 1), "DE", |state, _| state == "held").await;
    // One that bars a tariff chapter from everybody is for an officer, whoever issues it.
    let mut broad = say::order("EXERCISE of a chapter");
    broad.articles[0].selectors = vec![Selector::Hs(HsCode {
        code: "94".to_owned(),
        edition: 2022,
    })];
    order(&network, "jp", 2, broad).submit(&jp).await.unwrap();
    wait_block(&de, &name("jp", 2), "DE", |state, by| {
        (state, by) == ("review", "policy:breadth")
    })
    .await;
    let ended = withdrawal(&network, "us", &first.reference("us"));
    ended.submit(&us).await.unwrap();
    for (channel, jurisdiction) in [(&de, "DE"), (&jp, "JP")] {
        wait_block(channel, &name("us", 1), jurisdiction, |state, _| {
            state == "withdrawn"
        })
        .await;
    }
    assert!(began.elapsed() < PATIENCE / 3, "{:?}", began.elapsed());

    // In the end every order of the flood is decided, and no more by policy than the limit.
    for (channel, jurisdiction) in [(&de, "DE"), (&jp, "JP")] {
        let (mut ruled, mut reviewed) = (1, 0);
        for number in 2..2 + FLOOD {
            let name = name("us", number);
            wait_block(channel, &name, jurisdiction, |state, _| {
                state != "none" && !state.is_empty()
            })
            .await;
            let (state, by) = crate::block(channel, &name, jurisdiction).await;
            match (state.as_str(), by.as_str()) {
                ("held" | "flagged", "policy:all") => ruled += 1,
                ("review", "policy:flood") => reviewed += 1,
                other => panic!("{name}@{jurisdiction} is {other:?}"),
            }
        }
        assert!(ruled <= LIMIT, "{ruled} by policy at {jurisdiction}");
        assert_eq!(ruled + reviewed, FLOOD + 1);
    }
    // The fold runs each of them again, at every node, and voids none.
    for channel in [&us, &jp] {
        wait_block(channel, &name("us", 1 + FLOOD), "DE", |state, by| {
            (state, by) == ("review", "policy:flood")
        })
        .await;
    }
}

async fn flood(network: &Network, channel: &Channel) {
    let mut at_once = tokio::task::JoinSet::new();
    for number in 2..2 + FLOOD {
        let keys = ["o-1", "o-2"].map(|person| network.key("us", person));
        let act = tocsin_core::statement::Act::Order(Box::new(say::order("EXERCISE of a flood")));
        let mut saying = say::Saying::new("us", act).number(number);
        saying.statement.created_ms -= 2 * tocsin_core::date::DAY_MS;
        let signed = saying.sign(&[&keys[0], &keys[1]]);
        let channel = channel.clone();
        at_once.spawn(async move { signed.submit(&channel).await });
        if at_once.len() >= 32 {
            let done = at_once.join_next().await.unwrap().unwrap();
            done.unwrap_or_else(|status| panic!("{} {status:?}", reason(&status)));
        }
    }
    while let Some(done) = at_once.join_next().await {
        done.unwrap()
            .unwrap_or_else(|status| panic!("{} {status:?}", reason(&status)));
    }
}
