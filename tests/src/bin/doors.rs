//! Prints what attacks on a node's door cost its good clients: attack by attack, what they get done
//! while the same attacker, at the same intensity, works on a bare sink on the same machine and
//! while it works on the node, and the most memory that the node took.
//!
//! `cargo run --release -p tocsin-tests --bin doors [--seconds N] [ATTACK..]`
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on ends there, and its figures are printed"
)]

use std::fs;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tocsin_tests::attack::good::{Good, Served};
use tocsin_tests::attack::process::{self, Usage};
use tocsin_tests::attack::scene::Scene;
use tocsin_tests::attack::sink::Sink;
use tocsin_tests::attack::{Attack, By, Tally, kinds};
use tocsin_tests::network::Network;
use tocsin_tests::tls::Pair;
use tokio::runtime::{Builder, Runtime};

/// Requests of good clients in flight.
const IN_FLIGHT: usize = 16;
/// Quotas of the good clients, who do more than people do. Those of other members stay.
const LIFTED: [&str; 3] = [
    "person_reports_per_day = 0",
    "person_mib_per_day = 0",
    "client_requests_per_second = 0",
];
/// Each attack on the sink and on the node by turns, so many times.
const TURNS: usize = 2;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    // The node is this program again, so that only one has to be built.
    if arguments.first().is_some_and(|first| first == "node") {
        return tocsin::main();
    }
    let mut lasting = Duration::from_secs(4);
    if arguments.first().is_some_and(|first| first == "--seconds") {
        let seconds = arguments.get(1).and_then(|seconds| seconds.parse().ok());
        lasting = Duration::from_secs(seconds.expect("--seconds N"));
        arguments.drain(..2);
    }
    let wanted: Vec<Attack> = if arguments.is_empty() {
        kinds::ALL.to_vec()
    } else {
        let named = arguments.iter();
        named
            .map(|name| kinds::by_name(name).expect("an attack of that name"))
            .collect()
    };
    println!(
        "good clients: {IN_FLIGHT} requests in flight, durable submissions and look-ups by turns; \
         {TURNS} turns of {} s\n",
        lasting.as_secs()
    );
    println!(
        "| attack | by | rounds/s, at once | a round | alone/s | beside sink/s | under attack/s \
         | ratio | slowest | failed | peak MiB | node's CPU beside, under | rounds, cut, refused |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for attack in wanted {
        println!("{}", Measure::new().run(&attack, lasting));
    }
    ExitCode::SUCCESS
}

/// One node, its good clients and its attackers, each on threads of their own.
struct Measure {
    good: Runtime,
    attackers: Runtime,
    sinks: Runtime,
}

/// What good clients had in some time, and what the node spent on all.
#[derive(Clone, Copy, Default)]
struct Window {
    served: Served,
    cpu: Duration,
    lasting: Duration,
}

impl Measure {
    fn new() -> Self {
        let runtime = || {
            let built = Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            built.expect("a runtime")
        };
        Self {
            good: runtime(),
            attackers: runtime(),
            sinks: runtime(),
        }
    }

    fn run(&self, attack: &Attack, lasting: Duration) -> String {
        let binary = std::env::current_exe().expect("this program");
        let binary = binary.to_str().expect("a path in UTF-8").to_owned();
        let (network, good) = self.good.block_on(async {
            let mut network = Network::found(&binary, &["de", "jp"]);
            for quota in LIFTED {
                network.quota("de", quota);
            }
            let environment = process::allocator();
            network.run_all(&["de", "jp"], &environment).await;
            network.kill("jp");
            let good = Good::new(&network, "de");
            let channel = network.channel("de").await;
            good.fill(&channel).await;
            let working = good.clone();
            tokio::spawn(async move { working.work(&channel, IN_FLIGHT, Duration::ZERO).await });
            (network, good)
        });
        let node = network.pid("de").expect("a process");
        let scene = Arc::new(Scene::new(&network, "de", "jp"));
        let sink = self.sinks.block_on(open_sink(&network, attack.by));
        let elsewhere = Arc::new(scene.elsewhere(sink.address));
        let watch = |scene: Option<&Arc<Scene>>| self.watch(&good, node, attack, scene, lasting);
        let (alone, _) = watch(None);
        let (mut beside, mut under, mut tally) = (Vec::new(), Vec::new(), Tally::default());
        for _ in 0..TURNS {
            beside.push(watch(Some(&elsewhere)).0);
            let (window, counted) = watch(Some(&scene));
            under.push(window);
            tally = counted;
        }
        let peak = Usage::of(node).peak / 1_048_576;
        row(attack, alone, &beside, &under, peak, &tally)
    }

    /// What good clients get while an attack lasts.
    fn watch(
        &self,
        good: &Good,
        node: u32,
        attack: &Attack,
        scene: Option<&Arc<Scene>>,
        lasting: Duration,
    ) -> (Window, Tally) {
        let attack = *attack;
        let running = scene.map(|scene| {
            let scene = Arc::clone(scene);
            self.attackers
                .spawn(async move { attack.run(&scene, lasting).await })
        });
        let (_, before) = (good.look(), Usage::of(node).cpu);
        std::thread::sleep(lasting);
        let served = good.look();
        let window = Window {
            served,
            cpu: Usage::of(node).cpu.saturating_sub(before),
            lasting,
        };
        let tally = running.map(|running| self.attackers.block_on(running).expect("an attack"));
        // What it left behind ends before the next begins.
        std::thread::sleep(Duration::from_millis(500));
        (window, tally.unwrap_or_default())
    }
}

async fn open_sink(network: &Network, by: By) -> Sink {
    let home = &network.member("de").home;
    let read = |path| fs::read_to_string(path).expect("a PEM file");
    let pair = Pair {
        cert: read(home.node_cert()),
        key: read(home.node_cert_key()),
    };
    // Strangers are to get nothing; the others cannot attack before a handshake.
    let bare = by == By::Stranger;
    Sink::open((!bare).then_some(&pair)).await
}

fn per_second(windows: &[Window]) -> f64 {
    let done: u64 = windows.iter().map(|window| window.served.done).sum();
    let lasting: Duration = windows.iter().map(|window| window.lasting).sum();
    precise(done) / lasting.as_secs_f64()
}

fn precise(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

fn row(
    attack: &Attack,
    alone: Window,
    beside: &[Window],
    under: &[Window],
    peak: u64,
    tally: &Tally,
) -> String {
    let cpu = |windows: &[Window]| {
        let cpu: Duration = windows.iter().map(|window| window.cpu).sum();
        let lasting: Duration = windows.iter().map(|window| window.lasting).sum();
        cpu.as_secs_f64() / lasting.as_secs_f64()
    };
    let slowest = under.iter().map(|window| window.served.slowest).max();
    let failed: u64 = under.iter().map(|window| window.served.failed).sum();
    let (beside_rate, under_rate) = (per_second(beside), per_second(under));
    format!(
        "| {} | {:?} | {}, {} | {} | {:.0} | {:.0} | {:.0} | {:.2} | {} ms | {failed} | {peak} \
         | {:.2}, {:.2} | {}, {}, {} |",
        attack.name,
        attack.by,
        attack.rounds,
        attack.at_once,
        attack.what,
        per_second(&[alone]),
        beside_rate,
        under_rate,
        under_rate / beside_rate,
        slowest.unwrap_or_default().as_millis(),
        cpu(beside),
        cpu(under),
        tally.rounds,
        tally.cut,
        tally.refused,
    )
}
