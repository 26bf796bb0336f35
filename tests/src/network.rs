//! Real nodes for whole-network tests: one process each, real TLS, real sockets, killed for real.
//!
//! In scope: founding an alliance in a temporary directory, starting, killing and asking its
//! nodes. Every wait is for a condition and has an end; none is a fixed sleep.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tocsin::setup::alliance::{found, open};
use tocsin::setup::member::{Home, NewMember, init};
use tocsin_cli::connect::{connect, connect_admin};
use tocsin_cli::context::Context;
use tocsin_cli::keyfile;
use tocsin_core::roster::{Alliance, Role};
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::Purpose;
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;
use tocsin_wire::proto::admin::v1::{GetStatusRequest, GetStatusResponse};
use tonic::transport::Channel;

use crate::say::random;

/// The alliance's label in tests.
pub const LABEL: &str = "test.tocsin.example";
/// The one client of each member, with every reading role.
pub const CLIENT: &str = "desk-1";
/// Where a node's quotas stand.
const QUOTA: &str = "[quota]\n";
/// How long anything may take that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// An alliance in a temporary directory, gone with all its processes when it is dropped.
#[derive(Debug)]
pub struct Network {
    dir: TempDir,
    binary: PathBuf,
    members: Vec<Member>,
    /// As every node reads it.
    pub alliance: Alliance,
}

/// One member: its files, and its node when it runs.
#[derive(Debug)]
pub struct Member {
    /// Member id, e.g. `de`; of a copy, its own name.
    pub id: String,
    /// Whose node it is: the id, but for a copy.
    pub of: String,
    /// Its files.
    pub home: Home,
    /// gRPC over mutual TLS.
    pub port: u16,
    /// The operator's plain HTTP.
    pub admin_port: u16,
    node: Option<Child>,
    /// Environment of the node's next start.
    environment: Vec<(String, String)>,
    flags: Vec<String>,
}

impl Network {
    /// Founds an alliance of `ids` and starts nothing. `binary` is
    /// `env!("CARGO_BIN_EXE_tocsin-under-test")`.
    ///
    /// # Panics
    /// When the machine does not let it: a test cannot go on.
    #[must_use]
    pub fn found(binary: &str, ids: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let members: Vec<Member> = ids.iter().map(|id| Member::new(dir.path(), id)).collect();
        let files: Vec<_> = members
            .iter()
            .map(|member| {
                let gov = keyfile::read_for(&member.home.gov_key(), Purpose::Gov);
                let file = member.home.read_member_file();
                (file.expect("a member file"), gov.expect("a gov key"))
            })
            .collect();
        let alliance = found(&files).expect("an alliance");
        for member in &members {
            fs::write(member.home.alliance(), &alliance).expect("the alliance file");
        }
        let alliance = open(&alliance).expect("an alliance that opens");
        Self {
            dir,
            binary: binary.into(),
            members,
            alliance,
        }
    }

    /// Founds an alliance and starts every node of it, signing.
    ///
    /// # Panics
    /// When a node does not come up.
    pub async fn start(binary: &str, ids: &[&str]) -> Self {
        let mut network = Self::found(binary, ids);
        network.run_all(ids, &[]).await;
        network
    }

    /// Starts these nodes with variables in their environment, and waits until they sign.
    ///
    /// # Panics
    /// When a node does not come up.
    pub async fn run_all(&mut self, ids: &[&str], environment: &[(String, String)]) {
        for id in ids {
            for (name, value) in environment {
                self.set(id, name, value);
            }
            self.run(id);
        }
        for id in ids {
            self.ready(id).await;
        }
    }

    /// Where everything lies.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The program under test.
    #[must_use]
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// A member by id.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn member(&self, id: &str) -> &Member {
        self.members
            .iter()
            .find(|member| member.id == id)
            .expect("a member with that id")
    }

    fn member_mut(&mut self, id: &str) -> &mut Member {
        self.members
            .iter_mut()
            .find(|member| member.id == id)
            .expect("a member with that id")
    }

    /// Copies the directory of a stopped node beside it, file by file, as the node `name` with
    /// ports of its own.
    ///
    /// # Panics
    /// When it cannot be copied.
    pub fn copy(&mut self, of: &str, name: &str) {
        let to = self.dir().join(name);
        copy_files(self.member(of).home.dir(), &to);
        let (port, admin_port) = (free_port(), free_port());
        let flags = [("--listen", port), ("--admin-listen", admin_port)];
        let flags = flags.map(|(flag, port)| [flag.to_owned(), format!("127.0.0.1:{port}")]);
        self.members.push(Member {
            id: name.to_owned(),
            of: of.to_owned(),
            home: Home::at(&to),
            port,
            admin_port,
            node: None,
            environment: Vec::new(),
            flags: flags.concat(),
        });
    }

    /// Lets a node reach a member elsewhere than its manifest says, from its next start.
    ///
    /// # Panics
    /// When its configuration cannot be written.
    pub fn point(&self, id: &str, member: &str, port: u16) {
        let path = self.member(id).home.config();
        let config = fs::read_to_string(&path).expect("a configuration");
        let line = format!("[peers]\n{member} = \"127.0.0.1:{port}\"\n");
        fs::write(&path, config.replace("[peers]\n", &line)).expect("a configuration");
    }

    /// Sets one of a node's quotas (`key = number`) for its next start.
    ///
    /// # Panics
    /// When its configuration cannot be written.
    pub fn quota(&self, id: &str, line: &str) {
        let path = self.member(id).home.config();
        let config = fs::read_to_string(&path).expect("a configuration");
        let key = line.split(" = ").next().expect("a key");
        let others = config.lines().filter(|other| !other.starts_with(key));
        let config: String = others.map(|line| format!("{line}\n")).collect();
        let config = config.replace(QUOTA, &format!("{QUOTA}{line}\n"));
        fs::write(&path, config).expect("a configuration");
    }

    /// Lets a node keep its data elsewhere than beside its configuration, from its next start.
    ///
    /// # Panics
    /// When its configuration cannot be written.
    pub fn keep_data(&self, id: &str, dir: &Path) {
        let path = self.member(id).home.config();
        let config = fs::read_to_string(&path).expect("a configuration");
        let line = format!("data_dir = {:?}", dir.display().to_string());
        fs::write(&path, config.replace("data_dir = \".\"", &line)).expect("a configuration");
    }

    /// One of the operator's pages: its status line, headers and text.
    ///
    /// # Panics
    /// When the node does not answer.
    #[must_use]
    pub fn page(&self, id: &str, path: &str) -> String {
        let port = self.member(id).admin_port;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("an open admin port");
        let ask = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(ask.as_bytes()).expect("a question");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// Sets an environment variable for the next start of a node.
    pub fn set(&mut self, id: &str, name: &str, value: &str) {
        self.member_mut(id)
            .environment
            .push((name.to_owned(), value.to_owned()));
    }

    /// Adds a flag to `node run` for the next starts of a node.
    pub fn flag(&mut self, id: &str, flag: &str) {
        self.member_mut(id).flags.push(flag.to_owned());
    }

    /// Starts a node's process and does not wait for it.
    ///
    /// # Panics
    /// When it runs already, or cannot be started.
    pub fn run(&mut self, id: &str) {
        let (binary, log) = (self.binary.clone(), self.log_file(id));
        let member = self.member_mut(id);
        assert!(member.node.is_none(), "{id} runs already");
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .expect("a log file");
        let mut command = Command::new(binary);
        command
            .args(["node", "run", "--with-parent", "--config"])
            .arg(member.home.config());
        command
            .args(&member.flags)
            .envs(member.environment.drain(..));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        member.node = Some(command.spawn().expect("a node's process"));
    }

    /// What a node has written to its log.
    #[must_use]
    pub fn log(&self, id: &str) -> String {
        fs::read_to_string(self.log_file(id)).unwrap_or_default()
    }

    fn log_file(&self, id: &str) -> PathBuf {
        self.dir.path().join(format!("{id}.log"))
    }

    /// Kills a node's process with SIGKILL.
    pub fn kill(&mut self, id: &str) {
        if let Some(mut node) = self.member_mut(id).node.take() {
            // It may have ended by itself.
            let _ = node.kill();
            let _ = node.wait();
        }
    }

    /// Closes a node's standard input, which ends it in order, and waits for that.
    ///
    /// # Panics
    /// When it does not end.
    pub fn stop(&mut self, id: &str) {
        if let Some(mut node) = self.member_mut(id).node.take() {
            drop(node.stdin.take());
            let end = Instant::now() + PATIENCE;
            while node.try_wait().expect("a process to wait for").is_none() {
                assert!(Instant::now() < end, "{id} does not end: {}", self.log(id));
                std::thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// The process id of a node that was started.
    #[must_use]
    pub fn pid(&self, id: &str) -> Option<u32> {
        self.member(id).node.as_ref().map(Child::id)
    }

    /// Whether a node's process lives.
    pub fn is_alive(&mut self, id: &str) -> bool {
        let node = self.member_mut(id).node.as_mut();
        node.is_some_and(|node| matches!(node.try_wait(), Ok(None)))
    }

    /// Waits until a node signs.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub async fn ready(&self, id: &str) {
        self.wait(id, "serving", |status| status.state == "serving")
            .await;
    }

    /// Waits until what a node tells its operator is as wanted.
    ///
    /// # Panics
    /// When it is not within [`PATIENCE`].
    pub async fn wait(
        &self,
        id: &str,
        what: &str,
        wanted: impl Fn(&GetStatusResponse) -> bool,
    ) -> GetStatusResponse {
        let end = Instant::now() + PATIENCE;
        let mut last = None;
        while Instant::now() < end {
            if let Some(status) = self.status(id).await {
                if wanted(&status) {
                    return status;
                }
                last = Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{id} is not {what}: {last:?}\n{}", self.log(id));
    }

    /// What a node tells its operator, if it answers.
    pub async fn status(&self, id: &str) -> Option<GetStatusResponse> {
        let address = format!("http://127.0.0.1:{}", self.member(id).admin_port);
        let channel = connect_admin(&address).await.ok()?;
        let status = AdminServiceClient::new(channel)
            .get_status(GetStatusRequest {})
            .await;
        Some(status.ok()?.into_inner())
    }

    /// Waits until `at` holds and has applied `size` entries of `of`'s log.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub async fn caught_up(&self, at: &str, of: &str, size: u64) {
        let origin = self
            .alliance
            .member(of)
            .expect("a member")
            .origin
            .to_string();
        let reached = |status: &GetStatusResponse| {
            status
                .logs
                .iter()
                .any(|log| log.origin == origin && log.applied >= size)
        };
        self.wait(
            at,
            &format!("caught up with {size} entries of {of}"),
            reached,
        )
        .await;
    }

    /// A client's channel to a node.
    ///
    /// # Panics
    /// When it cannot connect within [`PATIENCE`].
    pub async fn channel(&self, id: &str) -> Channel {
        self.channel_as(id, id).await
    }

    /// A channel to the node of `to` for the client of `from`.
    ///
    /// # Panics
    /// When it cannot connect within [`PATIENCE`].
    pub async fn channel_as(&self, from: &str, to: &str) -> Channel {
        let context = self.context(from, to);
        let end = Instant::now() + PATIENCE;
        loop {
            match connect(&context, Duration::from_secs(5)).await {
                Ok(channel) => return channel,
                Err(_) if Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(failure) => panic!("{from} cannot reach {to}: {failure:?}\n{}", self.log(to)),
            }
        }
    }

    /// The hand tool's context for the client of `from` at the node of `to`.
    #[must_use]
    pub fn context(&self, from: &str, to: &str) -> Context {
        let (client, server) = (self.member(from), self.member(to));
        Context {
            endpoint: format!("https://127.0.0.1:{}", server.port),
            member: server.of.clone(),
            alliance: client.home.alliance(),
            client_cert: client.home.client_cert(CLIENT),
            client_key: client.home.client_cert_key(CLIENT),
            genesis: Some(self.alliance.genesis_hash().to_string()),
            key: None,
            admin: Some(format!("http://127.0.0.1:{}", server.admin_port)),
            protected: false,
        }
    }

    /// The record key of one of a member's persons: officers `o-1` and `o-2`, investigator `i-1`.
    ///
    /// # Panics
    /// When there is no such person.
    #[must_use]
    pub fn key(&self, id: &str, person: &str) -> SigningKey {
        let role = if person.starts_with('o') {
            Role::Officer
        } else {
            Role::Investigator
        };
        let path = self.member(id).home.person_key(role, person);
        keyfile::read_for(&path, Purpose::Record)
            .expect("a person's key")
            .key
    }
}

impl Member {
    fn new(dir: &Path, id: &str) -> Self {
        let (port, admin_port) = (free_port(), free_port());
        let person = |name: &str, role| (name.to_owned(), role);
        let new = NewMember {
            id: id.to_owned(),
            jurisdiction: id.to_uppercase(),
            name: format!("Customs of {id}"),
            alliance: LABEL.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            admin_port,
            people: vec![
                person("o-1", Role::Officer),
                person("o-2", Role::Officer),
                person("i-1", Role::Investigator),
            ],
        };
        let home = init(&dir.join(id), &new).expect("a member's directory");
        // Dozens of nodes run on the machine of a test: none keeps more disk than it needs. And a
        // client under load says more than a person.
        let config = fs::read_to_string(home.config()).expect("a configuration");
        let config = config.replace(
            QUOTA,
            &format!("{QUOTA}disk_reserve_mib = 1\nperson_reports_per_day = 0\n"),
        );
        fs::write(home.config(), config).expect("a configuration");
        let roles = ["agency", "investigator", "officer", "operator"].map(str::to_owned);
        home.add_client(CLIENT, &roles).expect("a client");
        Self {
            id: id.to_owned(),
            of: id.to_owned(),
            home,
            port,
            admin_port,
            node: None,
            environment: Vec::new(),
            flags: Vec::new(),
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(mut node) = self.node.take() {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

/// Copies a directory, file by file; what stands there already is written over in place.
///
/// # Panics
/// When it cannot be copied.
pub fn copy_files(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    let done = command.arg("-a").arg(from.join(".")).arg(to).status();
    assert!(
        done.expect("cp").success(),
        "{} cannot be copied",
        from.display()
    );
}

/// A port that was free a moment ago, below those that the system takes for outgoing connections: a
/// node that is down must find its port free again.
///
/// # Panics
/// When the machine has none.
#[must_use]
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_240;
    const COUNT: u16 = 20_000;
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    let next = NEXT.get_or_init(|| AtomicU16::new(u16::from_be_bytes(random())));
    let mut ports = (0..COUNT).map(|_| FIRST + next.fetch_add(1, Ordering::Relaxed) % COUNT);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    ports.find(is_free).expect("a free port")
}
