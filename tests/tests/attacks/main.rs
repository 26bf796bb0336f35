//! Attacks on the door of a real node, asserted by what they come to: cut off, bounded, and gone
//! without a trace, while good clients are served.
//!
//! Whatever an attack's intensity is, it stands beside it in `tocsin_tests::attack::kinds`. What it
//! costs good clients is measured by the program `doors`, not here.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on ends there, and says what it has seen"
)]

mod effects;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_tests::attack::good::Good;
use tocsin_tests::attack::process::{self, Usage};
use tocsin_tests::attack::scene::Scene;
use tocsin_tests::attack::{Attack, Tally, kinds};
use tocsin_tests::network::Network;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
/// Resident memory that a node under attack stays under.
const MAX_RESIDENT: u64 = 512 * 1024 * 1024;
/// Within so long everything is as it was.
const RECOVERY: Duration = Duration::from_secs(30);
/// What the C library keeps for itself, and what good clients have said meanwhile.
const KEPT: u64 = 64 * 1024 * 1024;
/// What comes and goes in a node at rest: its clocks, the operator's looks.
const COMES_AND_GOES: u64 = 8;

/// Attacks that a node ends after a while; each is made alone or beside others for that long.
const LASTING: [(&str, u64); 9] = [
    ("silent sockets", 8),
    ("trickled hello", 8),
    ("unfinished hello", 8),
    ("no preface", 8),
    ("deaf client", 14),
    ("slow readers", 14),
    ("slow writers", 34),
    ("length claims", 5),
    ("unfinished messages", 8),
];
/// What all others are given.
const SHORT: Duration = Duration::from_millis(1_500);

/// A node that is attacked, and what it takes at rest.
struct Door {
    network: Network,
    process: u32,
    scene: Arc<Scene>,
    good: Good,
    working: JoinHandle<()>,
    rest: Rest,
    /// Good requests answered.
    served: u64,
    wrong: Vec<String>,
}

/// What a node at rest holds.
#[derive(Clone, Copy, Debug)]
struct Rest {
    usage: Usage,
    connections: u64,
    tasks: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_are_cut_off_and_leave_no_trace() {
    let mut door = Door::open().await;
    let began = Instant::now();
    // What takes longest goes on beside all the others.
    let writers = door.begin("slow writers");
    let strangers = ["silent sockets", "trickled hello", "unfinished hello"];
    let strangers = strangers.map(|name| door.begin(name));
    let (no_preface, deaf) = (door.begin("no preface"), door.begin("deaf client"));
    for running in strangers {
        door.end(running).await;
    }
    door.end(no_preface).await;
    let lasting = |attack: &Attack| LASTING.iter().any(|(name, _)| *name == attack.name);
    for attack in kinds::ALL.iter().filter(|attack| !lasting(attack)) {
        door.end(door.begin(attack.name)).await;
    }
    door.end(deaf).await;
    door.end(door.begin("slow readers")).await;
    door.end(door.begin("length claims")).await;
    door.end(writers).await;
    door.end(door.begin("unfinished messages")).await;
    println!("all attacks took {:?}", began.elapsed());
    door.close().await;
}

/// An attack under way.
struct Running {
    attack: Attack,
    task: JoinHandle<Tally>,
    files: usize,
}

impl Door {
    async fn open() -> Self {
        let ids = ["de", "jp"];
        let mut network = Network::found(BINARY, &ids);
        network.run_all(&ids, &process::allocator()).await;
        network.kill("jp");
        let pid = network.pid("de").unwrap();
        let channel = network.channel("de").await;
        let good = Good::new(&network, "de");
        good.fill(&channel).await;
        good.once(&channel).await;
        let rest = Rest {
            usage: Usage::of(pid),
            connections: metric(&network, "tocsin_connections"),
            tasks: metric(&network, "tocsin_tasks"),
        };
        println!("at rest: {rest:?}");
        let working = tokio::spawn(work(good.clone(), channel));
        Self {
            scene: Arc::new(Scene::new(&network, "de", "jp")),
            network,
            process: pid,
            good,
            working,
            rest,
            served: 0,
            wrong: Vec::new(),
        }
    }

    fn begin(&self, name: &str) -> Running {
        let attack = kinds::by_name(name).unwrap();
        let lasting = LASTING.iter().find(|(lasting, _)| *lasting == name);
        let lasting = lasting.map_or(SHORT, |(_, seconds)| Duration::from_secs(*seconds));
        let scene = Arc::clone(&self.scene);
        Running {
            attack,
            task: tokio::spawn(async move { attack.run(&scene, lasting).await }),
            files: Usage::of(self.process).files,
        }
    }

    /// Waits for an attack's end, and holds what it came to against what it must come to.
    async fn end(&mut self, running: Running) {
        let Running {
            attack,
            mut task,
            files,
        } = running;
        let mut most_files = files;
        let tally = loop {
            tokio::select! {
                tally = &mut task => break tally.unwrap(),
                () = tokio::time::sleep(Duration::from_millis(100)) => {
                    most_files = most_files.max(Usage::of(self.process).files);
                }
            }
        };
        let (served, usage) = (self.good.look(), Usage::of(self.process));
        println!(
            "{:<20} {served:?}, {} MiB, peak {}, files {most_files}\n{:>20} {tally:?}",
            attack.name,
            usage.resident >> 20,
            usage.peak >> 20,
            ""
        );
        self.served += served.done;
        let mut say = |what: String| self.wrong.push(format!("{}: {what}", attack.name));
        if usage.peak >= MAX_RESIDENT {
            say(format!("{} MiB", usage.peak >> 20));
        }
        if served.failed > 0 {
            say(format!("{} good requests failed", served.failed));
        }
        for what in effects::unlike(&attack, &tally, most_files) {
            say(format!("{what}: {tally:?}"));
        }
    }

    /// Everything is as it was.
    async fn close(self) {
        self.working.abort();
        let began = Instant::now();
        loop {
            let usage = Usage::of(self.process);
            let rest = Rest {
                usage,
                connections: metric(&self.network, "tocsin_connections"),
                tasks: metric(&self.network, "tocsin_tasks"),
            };
            let before = self.rest;
            let as_before = usage.resident <= before.usage.resident + KEPT
                && u64::try_from(usage.files).unwrap()
                    <= u64::try_from(before.usage.files).unwrap() + COMES_AND_GOES
                && rest.connections <= before.connections
                && rest.tasks <= before.tasks + COMES_AND_GOES;
            if as_before {
                println!("as before within {:?}: {rest:?}", began.elapsed());
                break;
            }
            assert!(began.elapsed() < RECOVERY, "{before:?} became {rest:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert!(self.served > 100, "only {} good requests", self.served);
    }
}

/// Says and asks some ten times a second.
async fn work(good: Good, channel: Channel) {
    good.work(&channel, 2, Duration::from_millis(200)).await;
}

/// A number that a node shows its operator.
fn metric(network: &Network, name: &str) -> u64 {
    let page = network.page("de", "/metrics");
    let line = page
        .lines()
        .find(|line| line.split(' ').next() == Some(name));
    let value = line.and_then(|line| line.split(' ').nth(1));
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or_else(|| panic!("no {name}: {page}"))
}
