//! One notice to a thousand subscribers: how much later the last of them has it, and what each
//! costs while nothing happens.

use std::time::{Duration, Instant};

use tocsin_cli::connect::connect;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc::call;
use tokio::task::JoinSet;

use super::propagation::{DECIDER, Walk};
use super::report::{Figure, Report, Target, Unit};
use super::watcher::Watcher;
use crate::demo::network::{Network, PATIENCE};

/// Subscribers.
const SUBSCRIBERS: usize = 1_000;
/// Their connections: a node takes no more than 256 of one member.
const CONNECTIONS: usize = 240;
/// Connections of one client: a node takes no more than eight.
const PER_CLIENT: usize = 8;
/// How much memory of the node one idle subscriber may take.
const MOST_BYTES: f64 = 65_536.0;

/// Issues certificates for the subscribers, before the node starts.
///
/// # Errors
/// When they cannot be written.
pub(super) fn admit(network: &Network) -> Result<(), Failure> {
    for client in 0..CONNECTIONS / PER_CLIENT {
        network
            .home_of(DECIDER)?
            .add_client(&name(client), &["agency".to_owned()])?;
    }
    Ok(())
}

/// Measures, and tells.
///
/// # Errors
/// What was refused or did not arrive.
pub(super) async fn measure(
    network: &Network,
    walk: &Walk,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let before = resident(network)?;
    let watchers = subscribe(network).await?;
    let each = (resident(network)? - before) / watchers.len() as f64;
    let figure = Figure::shown("memory of an idle subscriber", each, Unit::Bytes).against_value(
        MOST_BYTES,
        "64 KiB",
        Target::AtMost(1.0),
    );
    report.add(
        figure.remark(format!("of {SUBSCRIBERS} over {CONNECTIONS} connections")),
        out,
    )?;
    let (first, last) = one_notice(walk, watchers).await?;
    let first_us = first.as_secs_f64() * 1e6;
    let figure = Figure::shown(
        "last of 1,000 hands",
        last.as_secs_f64() * 1e6,
        Unit::Microseconds,
    )
    .against_value(first_us, "the first hand's", Target::AtMost(10.0));
    report.add(figure, out)
}

async fn subscribe(network: &Network) -> Result<Vec<Watcher>, Failure> {
    let mut watchers = Vec::with_capacity(SUBSCRIBERS);
    for connection in 0..CONNECTIONS {
        let mut context = network.context_of(DECIDER)?;
        let home = network.home_of(DECIDER)?;
        let name = name(connection / PER_CLIENT);
        context.client_cert = home.client_cert(&name);
        context.client_key = home.client_cert_key(&name);
        let channel = connect(&context, PATIENCE).await?;
        let share = (SUBSCRIBERS * (connection + 1)) / CONNECTIONS - watchers.len();
        for _ in 0..share {
            watchers.push(Watcher::open(channel.clone()).await?);
        }
    }
    Ok(watchers)
}

/// From an officer's submit to the first subscriber, and to the last.
async fn one_notice(walk: &Walk, watchers: Vec<Watcher>) -> Result<(Duration, Duration), Failure> {
    let begun = Instant::now();
    let (request, order) = walk.officers().order()?;
    let mut hands = JoinSet::new();
    for mut watcher in watchers {
        let order = order.clone();
        hands.spawn(async move { watcher.told(&order, "flagged").await });
    }
    let mut issuer = walk.issuer();
    call(PATIENCE, issuer.submit(request)).await?;
    let mut times = Vec::with_capacity(SUBSCRIBERS);
    while let Some(hand) = hands.join_next().await {
        let told = hand.map_err(|e| Failure::new(Exit::Failed, format!("a subscriber: {e}")))?;
        times.push(told?.duration_since(begun));
    }
    let none = || Failure::new(Exit::Failed, "no subscriber was told");
    let first = times.iter().min().ok_or_else(none)?;
    let last = times.iter().max().ok_or_else(none)?;
    Ok((*first, *last))
}

/// Bytes of the decider's node that are in memory.
fn resident(network: &Network) -> Result<f64, Failure> {
    let unknown = || Failure::new(Exit::Failed, "the node's memory cannot be read");
    let path = network.process_of(DECIDER)?.join("status");
    let status = std::fs::read_to_string(&path).map_err(|e| Failure::file(&path, "read", &e))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: f64 = kib.and_then(|kib| kib.parse().ok()).ok_or_else(unknown)?;
    Ok(kib * 1_024.0)
}

fn name(client: usize) -> String {
    format!("agency-{client}")
}
