//! Real nodes killed with SIGKILL: at every named step of a commit, and at random under load.
//! Nothing that was answered is lost, and no log is ever seen with two roots at one size.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_log::hash::Hash;
use tocsin_store::OpenOptions;
use tocsin_store::blobs::Blobs;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::RealDisk;
use tocsin_store::failpoint::{FAILPOINTS, Failpoints};
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::own_log::{OwnLog, OwnState};
use tocsin_store::reader::BodyContent;
use tocsin_tests::chores::{self, BODIES, ENTRIES};
use tocsin_tests::held::{NoteBook, hold};
use tocsin_tests::journal::{self, Answer};
use tocsin_tests::network::{Network, PATIENCE};
use tocsin_tests::say::{self, Signed};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
const WORKER: &str = env!("CARGO_BIN_EXE_tocsin-worker");

const IDS: [&str; 3] = ["us", "jp", "de"];
/// How often each failpoint must be met.
const TIMES: usize = 3;
/// Kills at random.
const KILLS: usize = 60;
/// Answers between two of them.
const ANSWERS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_step_of_a_commit_loses_nothing_that_was_answered() {
    let mut run = Run::start().await;
    for (at, origin) in IDS.into_iter().enumerate() {
        run.first_entry(origin, IDS[(at + 1) % IDS.len()]).await;
    }
    for origin in IDS {
        for step in steps("own.").filter(|step| *step != "own.directory-flushed") {
            run.own(origin, step).await;
        }
        run.recovering(origin).await;
    }
    for (at, mirror) in IDS.into_iter().enumerate() {
        for step in steps("mirror.").filter(|step| *step != "mirror.directory-flushed") {
            run.mirror(mirror, IDS[(at + 1) % IDS.len()], step).await;
        }
        for step in steps("local.") {
            run.local(mirror, step).await;
        }
    }
    for step in steps("blob.").chain(steps("body.")) {
        for _ in 0..TIMES {
            run.chore(step);
        }
    }
    let hits = run.finish().await;
    for step in FAILPOINTS {
        let met: usize = hits
            .iter()
            .filter(|((_, name), _)| name == step)
            .map(|(_, n)| n)
            .sum();
        assert!(met >= TIMES, "{step} was met {met} times");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_kills_at_random_under_load_lose_nothing_that_was_answered() {
    let mut network = Network::start(BINARY, &IDS).await;
    let journal = network.dir().join("journal");
    let mut client = start_client(&network, &journal);
    let mut killed = [0; IDS.len()];
    for _ in 0..KILLS {
        more_answers(&network, &journal, &mut client).await;
        // Somewhere within a commit, and not always at its beginning.
        let [moment, victim] = say::random::<2>();
        tokio::time::sleep(Duration::from_micros(u64::from(moment) * 100)).await;
        // Two in three at the log's origin, the others at its copies.
        let victim = [0, 0, 0, 0, 1, 2][usize::from(victim) % 6];
        killed[victim] += 1;
        network.kill(IDS[victim]);
        network.run(IDS[victim]);
    }
    more_answers(&network, &journal, &mut client).await;
    client.0.kill().unwrap();
    client.0.wait().unwrap();
    println!(
        "kills of {IDS:?}: {killed:?}; answers: {}",
        journal::count(&journal)
    );

    for id in IDS {
        network.ready(id).await;
    }
    let last = say::report("us", u32::MAX).sign(&[&network.key("us", "i-1")]);
    let last = last.submit(&network.channel("us").await).await.unwrap();
    let size = last.receipt.unwrap().index + 1;
    for id in IDS {
        network.caught_up(id, "us", size).await;
    }
    for id in IDS {
        network.stop(id);
    }
    let answers = journal::read(&journal);
    assert!(answers.len() >= (KILLS + 1) * ANSWERS, "{}", answers.len());
    let mut book = NoteBook::default();
    book.add_held(&network, &IDS, &[("us", answers)]);
    assert!(
        book.count() > KILLS,
        "{} notes were collected",
        book.count()
    );
}

/// A process that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_client(network: &Network, journal: &std::path::Path) -> Process {
    let member = network.member("us");
    let mut command = Command::new(WORKER);
    command
        .arg("load")
        .arg(member.home.dir())
        .arg("us")
        .arg(member.port.to_string());
    Process(command.arg(journal).spawn().unwrap())
}

/// Waits until the client has been answered often enough since now.
async fn more_answers(network: &Network, journal: &std::path::Path, client: &mut Process) {
    let before = journal::count(journal);
    let end = Instant::now() + PATIENCE;
    while journal::count(journal) < before + ANSWERS {
        assert!(client.0.try_wait().unwrap().is_none(), "the client gave up");
        assert!(Instant::now() < end, "no answers: {}", network.log("us"));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn steps(of: &'static str) -> impl Iterator<Item = &'static str> {
    FAILPOINTS
        .iter()
        .copied()
        .filter(move |name| name.starts_with(of))
}

/// Three nodes, and what they have answered for so far.
struct Run {
    network: Network,
    answers: BTreeMap<&'static str, Vec<Answer>>,
    /// By node and failpoint.
    hits: BTreeMap<(&'static str, &'static str), usize>,
    said: u32,
}

impl Run {
    async fn start() -> Self {
        let network = Network::start(BINARY, &IDS).await;
        Self {
            network,
            answers: BTreeMap::new(),
            hits: BTreeMap::new(),
            said: 0,
        }
    }

    /// The first entry of a log opens a segment, at home and in its copies: the only time in 4,096
    /// entries that a directory is flushed.
    async fn first_entry(&mut self, origin: &'static str, mirror: &'static str) {
        self.arm(mirror, "mirror.directory-flushed").await;
        self.arm(origin, "own.directory-flushed").await;
        let said = self.say_unanswered(origin, "own.directory-flushed").await;
        self.restart(origin);
        // It signs what it finds, and the copy is killed at its own first entry.
        self.kill_at(mirror, "mirror.directory-flushed").await;
        self.restart(mirror);
        self.healed(origin, &said).await;
    }

    /// A kill at a step of a commit of our own, all of which come before the answer.
    async fn own(&mut self, origin: &'static str, step: &'static str) {
        self.arm(origin, step).await;
        let said = self.say_unanswered(origin, step).await;
        self.restart(origin);
        self.healed(origin, &said).await;
    }

    /// A second kill while what the first left behind is being signed.
    async fn recovering(&mut self, origin: &'static str) {
        for step in ["own.slot-written", "own.slot-flushed", "own.signed"] {
            self.arm(origin, "own.frames-flushed").await;
            let said = self.say_unanswered(origin, "own.frames-flushed").await;
            self.network.set(origin, "TOCSIN_FAILPOINTS", step);
            self.network.run(origin);
            self.kill_at(origin, step).await;
            self.restart(origin);
            self.healed(origin, &said).await;
        }
    }

    /// A kill at a step of a commit of a copy; the origin has answered by then.
    async fn mirror(&mut self, mirror: &'static str, origin: &'static str, step: &'static str) {
        self.arm(mirror, step).await;
        let said = self.say(origin);
        self.answered(origin, &said).await;
        self.kill_at(mirror, step).await;
        self.restart(mirror);
        self.healed(origin, &said).await;
    }

    /// A kill while the node writes down what others vouch for.
    async fn local(&mut self, at: &'static str, step: &'static str) {
        self.arm(at, step).await;
        let said = self.say(at);
        self.answered(at, &said).await;
        self.kill_at(at, step).await;
        self.restart(at);
        self.healed(at, &said).await;
    }

    /// A kill in a process that does a chore on a directory of its own.
    fn chore(&mut self, step: &'static str) {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(WORKER);
        command
            .arg("chores")
            .arg(dir.path())
            .arg(step)
            .stdout(Stdio::piped());
        let mut worker = Process(command.spawn().unwrap());
        let lines = BufReader::new(worker.0.stdout.take().unwrap()).lines();
        let lines: Vec<String> = lines
            .map(Result::unwrap)
            .take_while(|line| !line.starts_with("failpoint"))
            .collect();
        assert_eq!(lines, ["done"], "{step}");
        drop(worker);
        *self.hits.entry(("chores", step)).or_default() += 1;
        let data = DataDir::open(Arc::new(RealDisk), dir.path()).unwrap();
        if step.starts_with("blob.") {
            check_blobs(&data)
        } else {
            check_erasure(&data)
        }
    }

    /// Starts a node that will stop at `step`, and waits until it serves or has stopped there.
    async fn arm(&mut self, at: &'static str, step: &'static str) {
        self.network.kill(at);
        self.network.set(at, "TOCSIN_FAILPOINTS", step);
        self.network.run(at);
        let end = Instant::now() + PATIENCE;
        while !self.has_reached(at, step) {
            let status = self.network.status(at).await;
            if status.is_some_and(|status| status.state == "serving") {
                return;
            }
            assert!(
                Instant::now() < end,
                "{at} does not come up: {}",
                self.network.log(at)
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn restart(&mut self, at: &str) {
        self.network.run(at);
    }

    fn has_reached(&self, at: &'static str, step: &'static str) -> bool {
        let line = format!("failpoint {step}\n");
        let before = self.hits.get(&(at, step)).copied().unwrap_or_default();
        self.network.log(at).matches(&line).count() > before
    }

    async fn kill_at(&mut self, at: &'static str, step: &'static str) {
        let end = Instant::now() + PATIENCE;
        while !self.has_reached(at, step) {
            assert!(
                Instant::now() < end,
                "{at} never reached {step}: {}",
                self.network.log(at)
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.network.kill(at);
        *self.hits.entry((at, step)).or_default() += 1;
    }

    fn say(&mut self, at: &str) -> Signed {
        self.said += 1;
        say::report(at, self.said).sign(&[&self.network.key(at, "i-1")])
    }

    /// Says something to a node that is killed at `step` before it can answer.
    async fn say_unanswered(&mut self, at: &'static str, step: &'static str) -> Signed {
        let said = self.say(at);
        let channel = self.network.channel(at).await;
        let saying = said.clone();
        let answer = tokio::spawn(async move { saying.submit(&channel).await });
        self.kill_at(at, step).await;
        assert!(
            answer.await.unwrap().is_err(),
            "{at} answered before {step}"
        );
        said
    }

    /// Says it until it is answered, as any client does, and keeps the answer.
    async fn answered(&mut self, at: &'static str, said: &Signed) {
        let end = Instant::now() + PATIENCE;
        let response = loop {
            match said.submit(&self.network.channel(at).await).await {
                Ok(response) => break response,
                Err(status) => assert!(Instant::now() < end, "{at} does not answer: {status}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let key = &self.network.alliance.member(at).unwrap().log_key;
        let answer = Answer::proven(said, &response, key);
        self.answers.entry(at).or_default().push(answer);
    }

    /// After a restart: what was said is answered, everybody holds it, and earlier answers stand.
    async fn healed(&mut self, origin: &'static str, said: &Signed) {
        self.answered(origin, said).await;
        let size = self.answers[origin]
            .iter()
            .map(|answer| answer.index + 1)
            .max()
            .unwrap();
        for id in IDS {
            self.network.ready(id).await;
            self.network.caught_up(id, origin, size).await;
            for (of, answers) in &self.answers {
                let entries = entries(&self.network, id, of).await;
                hold(&entries, answers, &format!("{id} of {of}"));
            }
        }
    }

    /// Stops everything, and reads from the disks what was collected.
    async fn finish(mut self) -> BTreeMap<(&'static str, &'static str), usize> {
        for id in IDS {
            self.network.stop(id);
        }
        let answers: Vec<_> = self.answers.into_iter().collect();
        let mut book = NoteBook::default();
        book.add_held(&self.network, &IDS, &answers);
        self.hits
    }
}

/// What a node serves of a log.
async fn entries(network: &Network, at: &str, of: &str) -> Vec<Vec<u8>> {
    let mut client = LogServiceClient::new(network.channel(at).await);
    let request = v1::ReadEntriesRequest {
        log: of.to_owned(),
        start: 0,
        limit: 0,
    };
    let mut stream = client.read_entries(request).await.unwrap().into_inner();
    let mut entries = Vec::new();
    while let Some(read) = stream.message().await.unwrap() {
        entries.push(read.entry);
    }
    entries
}

/// The first body was kept; the second is there or not, whole, and can be kept again.
fn check_blobs(data: &DataDir) {
    let blobs = Blobs::open(data, Failpoints::default()).unwrap();
    let [first, second] = BODIES;
    assert_eq!(blobs.get(&Hash::of(first)).unwrap().as_deref(), Some(first));
    let found = blobs.get(&Hash::of(second)).unwrap();
    assert!(found.is_none_or(|found| found == second));
    blobs.put(&Hash::of(second), second).unwrap();
    assert_eq!(
        blobs.get(&Hash::of(second)).unwrap().as_deref(),
        Some(second)
    );
}

/// The first body is gone, the second is gone or whole; both erasures are on record, and the log is
/// sound.
fn check_erasure(data: &DataDir) {
    let mut options = OpenOptions::default();
    let mut erased = Vec::new();
    let local = LocalLog::open(data, &options, |kind, record| {
        if kind == LocalKind::Erasure {
            erased.push(Hash::try_from(record).unwrap());
        }
    });
    assert!(local.unwrap().damage().is_empty());
    assert_eq!(erased, BODIES.map(Hash::of));
    options.erased = erased.into_iter().collect();
    let mut log = OwnLog::open(data, &chores::origin(), chores::key(), options).unwrap();
    assert_eq!(*log.state(), OwnState::Ready);
    let stored = log.reader().range(0, usize::MAX).unwrap();
    let entries: Vec<&[u8]> = stored
        .iter()
        .map(|stored| stored.entry.as_slice())
        .collect();
    assert_eq!(entries, ENTRIES);
    assert_eq!(stored[0].bodies[0].content, BodyContent::Erased);
    let second = &stored[1].bodies[0].content;
    let whole = BodyContent::Sound(BODIES[1].to_vec());
    assert!(
        *second == BodyContent::Erased || *second == whole,
        "{second:?}"
    );
    log.erase_body(1, &Hash::of(BODIES[1])).unwrap();
    assert_eq!(
        log.reader().stored(1).unwrap().bodies[0].content,
        BodyContent::Erased
    );
}
