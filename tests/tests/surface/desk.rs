//! A small alliance, and desks at it: folders with the files that examples speak of.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tocsin_cli::context::Contexts;
use tocsin_core::roster::Role;
use tocsin_core::statement::Act;
use tocsin_tests::network::{CLIENT, Network, PATIENCE};
use tocsin_tests::say::{self, Saying};

use crate::Example;
use crate::cases::{Case, End};

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");
/// Members whose nodes run; `kr` is there for `node run`.
const RUNNING: [&str; 3] = ["us", "jp", "de"];
/// The order that examples speak of; its year is replaced by the present one.
const ORDER: &str = "US-2026-0412";
/// The day on which holds end in examples; replaced by one to come.
const HOLD_END: &str = "2026-12-15";
/// Days from now that a hold may run by any law of the sample.
const HOLD_DAYS: i64 = 9;

pub(crate) struct World {
    network: Network,
    bin: TempDir,
    contexts: Contexts,
    orders: u32,
    entries: u64,
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// One person's folder: the keys of a member's people, the alliance file, the contexts.
pub(crate) struct Desk {
    dir: TempDir,
    at: String,
    order: String,
}

impl World {
    pub(crate) async fn start() -> Self {
        let mut network = Network::found(BINARY, &["us", "jp", "de", "kr"]);
        for member in RUNNING {
            network.run(member);
        }
        for member in RUNNING {
            network.ready(member).await;
        }
        let bin = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(BINARY, bin.path().join("tocsin")).unwrap();
        let mut contexts = Contexts::default();
        for member in RUNNING {
            let mut context = network.context(member, member);
            context.key = Some(network.member(member).home.person_key(Role::Officer, "o-1"));
            contexts.contexts.insert(member.to_owned(), context);
        }
        let mut world = Self {
            network,
            bin,
            contexts,
            orders: 0,
            entries: 0,
        };
        // The first of each list, so that lists begin alike whatever runs before.
        let report = say::report("jp", 900).sign(&[&world.network.key("jp", "i-1")]);
        report
            .submit(&world.network.channel("jp").await)
            .await
            .unwrap();
        world.issue("us").await;
        world
    }

    /// Issues one more order of the US and waits until `at` has it and the US all that follows.
    async fn issue(&mut self, at: &str) -> String {
        self.orders += 1;
        // The hand tool takes the next free numbers, so these leave it room.
        let number = 400 + 50 * self.orders;
        let act = Act::Order(Box::new(say::order("EXERCISE lamps")));
        let keys = ["o-1", "o-2"].map(|person| self.network.key("us", person));
        let order = Saying::new("us", act)
            .number(number)
            .sign(&[&keys[0], &keys[1]]);
        let channel = self.network.channel("us").await;
        let answer = order.submit(&channel).await.unwrap();
        self.entries = answer.receipt.unwrap().index + 1;
        self.network.caught_up(at, "us", self.entries).await;
        let name = answer.name.rsplit('/').next().unwrap().to_owned();
        format!("US-{name}")
    }

    /// A desk of somebody who works for `at`.
    pub(crate) fn desk(&self, at: &str) -> Desk {
        let dir = tempfile::tempdir().unwrap();
        let home = &self.network.member(at).home;
        let files = [
            (home.person_key(Role::Officer, "o-1"), "officer-1.key"),
            (home.person_key(Role::Officer, "o-2"), "officer-2.key"),
            (
                home.person_key(Role::Investigator, "i-1"),
                "investigator.key",
            ),
            (home.alliance(), "alliance.tsa"),
            (home.client_cert(CLIENT), "client.pem"),
            (home.client_cert_key(CLIENT), "client-key.pem"),
        ];
        for (from, name) in files {
            std::fs::copy(from, dir.path().join(name)).unwrap();
        }
        self.contexts.save(&dir.path().join("config")).unwrap();
        Desk {
            dir,
            at: at.to_owned(),
            order: ORDER.to_owned(),
        }
    }

    /// Prepares a fresh desk for an example and runs it there.
    pub(crate) async fn run(
        &mut self,
        example: &Example,
        case: Case,
        more: &[(&str, &str)],
    ) -> Ran {
        let mut desk = self.desk(case.at);
        for line in case.prepare {
            if *line == "@order" {
                desk.order = self.issue(case.at).await;
                continue;
            }
            let ran = self.shell(&desk, line, &[]);
            assert_eq!(ran.exit, Some(0), "{}: $ {line}\n{ran:?}", example.command);
        }
        // Nobody sits at the terminal to be asked.
        let yes = if case.asks { " --yes" } else { "" };
        let line = format!("{}{yes}", example.line);
        match case.end {
            End::Itself => self.shell(&desk, &line, more),
            End::WhenServing(member) => self.until_serving(&desk, &line, member).await,
        }
    }

    /// Types a line into a shell at a desk.
    pub(crate) fn shell(&self, desk: &Desk, line: &str, more: &[(&str, &str)]) -> Ran {
        let mut command = self.command(desk, line);
        command.envs(more.iter().copied());
        let output = command.output().unwrap();
        Ran {
            exit: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn command(&self, desk: &Desk, line: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command
            .args(["-c", &typed(desk, line)])
            .current_dir(desk.dir.path())
            .env("PATH", format!("{}:{path}", self.bin.path().display()))
            .env("TOCSIN_CONFIG_DIR", desk.dir.path().join("config"))
            .env("GENESIS", self.network.alliance.genesis_hash().to_string())
            .env("DE", self.network.member("de").home.dir())
            .env("KR", self.network.member("kr").home.dir())
            .stdin(Stdio::null());
        for name in [
            "TOCSIN_OUTPUT",
            "TOCSIN_TIMEOUT",
            "TOCSIN_COLOR",
            "TOCSIN_CONFIG",
        ] {
            command.env_remove(name);
        }
        // A person has said once at whose node they work; a flag or variable would be of no use.
        let current = desk.dir.path().join("config").join("current");
        if !current.exists() {
            let mut contexts = self.contexts.clone();
            contexts.current = Some(desk.at.clone());
            contexts.save(&desk.dir.path().join("config")).unwrap();
            std::fs::write(current, "set once").unwrap();
        }
        command
    }

    /// Runs a node until it serves, and asks it to end.
    async fn until_serving(&self, desk: &Desk, line: &str, member: &str) -> Ran {
        let mut command = self.command(desk, &format!("exec {line}"));
        let err = desk.dir.path().join("stderr");
        command
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&err).unwrap());
        let child = Ended(command.spawn().unwrap());
        self.network.ready(member).await;
        let pid = child.0.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let exit = child.wait();
        let err = std::fs::read_to_string(err).unwrap();
        Ran {
            exit,
            out: String::new(),
            err,
        }
    }
}

/// The line as it is run: the sample's names are those of today's.
fn typed(desk: &Desk, line: &str) -> String {
    let year = desk.year();
    let end = tocsin_cli::instant::show(say::now_ms() + HOLD_DAYS * 86_400_000);
    let end: String = end.chars().take(10).collect();
    line.replace(ORDER, &desk.order)
        .replace(HOLD_END, &end)
        .replace("-2026-", &format!("-{year}-"))
}

impl Desk {
    fn year(&self) -> i16 {
        tocsin_cli::instant::year(say::now_ms())
    }
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Ended {
    fn wait(mut self) -> Option<i32> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}
