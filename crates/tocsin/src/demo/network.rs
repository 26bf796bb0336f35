//! The members of the demonstration: their files, and their nodes as processes of their own.
//!
//! A node ends with the demonstration, however that ends: it is killed when dropped, and by itself
//! when the pipe on its standard input closes.

use std::fs::OpenOptions;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tocsin_cli::connect::{connect, connect_admin};
use tocsin_cli::context::{Context, Contexts};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::{Mode, write_new};
use tocsin_cli::keyfile;
use tocsin_cli::rpc::call;
use tocsin_cli::session::Node;
use tocsin_core::roster::{Alliance, Role};
use tocsin_log::checkpoint::Origin;
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::Purpose;
use tocsin_wire::proto::admin::v1::GetStatusRequest;
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;

use super::fault::{Faults, What};
use crate::setup::alliance::{found, open};
use crate::setup::member::{Home, NewMember, init};

/// The alliance's label.
pub(crate) const LABEL: &str = "demo.tocsin.example";
/// How long anything may take; each is done in well under a second on an idle machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// How often a condition is looked at.
pub(crate) const GLANCE: Duration = Duration::from_millis(20);
/// The one client of each member, with every reading role.
const CLIENT: &str = "demo";
/// The officers and the investigator of each member, three persons.
const PEOPLE: [(&str, Role); 3] = [
    ("officer-1", Role::Officer),
    ("officer-2", Role::Officer),
    ("investigator-1", Role::Investigator),
];
/// Lines of a node's log that a failure shows.
const LOG_LINES: usize = 4;

/// All members.
#[derive(Debug)]
pub(crate) struct Network {
    dir: PathBuf,
    members: Vec<Member>,
    pub(crate) alliance: Alliance,
}

/// One member: its files, and its node when it runs.
#[derive(Debug)]
struct Member {
    id: String,
    home: Home,
    port: u16,
    admin_port: u16,
    process: Mutex<Option<Child>>,
    node: Mutex<Option<Node>>,
}

impl Network {
    /// Founds an alliance of these members in `dir`; nothing runs yet.
    ///
    /// # Errors
    /// When files cannot be made, or the machine has no free ports.
    pub(crate) fn found(dir: &Path, ids: &[String]) -> Result<Self, Failure> {
        let ports = free_ports(ids.len() * 2)?;
        let members: Vec<Member> = ids
            .iter()
            .zip(ports.chunks_exact(2))
            .filter_map(|(id, ports)| Some((id, *ports.first()?, *ports.last()?)))
            .map(|(id, port, admin_port)| Member::new(dir, id, port, admin_port))
            .collect::<Result<_, _>>()?;
        let mut files = Vec::new();
        for member in &members {
            let gov = keyfile::read_for(&member.home.gov_key(), Purpose::Gov)?;
            files.push((member.home.read_member_file()?, gov));
        }
        let file = found(&files)?;
        for member in &members {
            write_new(&member.home.alliance(), &file, Mode::Public)?;
        }
        let alliance = open(&file)?;
        let network = Self {
            dir: dir.to_owned(),
            members,
            alliance,
        };
        network.write_contexts()?;
        Ok(network)
    }

    /// The folder of all of it.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the hand tool finds the contexts `demo-us` and so on.
    pub(super) fn config_dir(&self) -> PathBuf {
        self.dir.join("config")
    }

    fn write_contexts(&self) -> Result<(), Failure> {
        let mut contexts = Contexts::default();
        for member in &self.members {
            let name = format!("demo-{}", member.id);
            contexts.contexts.insert(name, self.context(member));
        }
        contexts.save(&self.config_dir())
    }

    fn context(&self, member: &Member) -> Context {
        let home = &member.home;
        Context {
            endpoint: format!("https://127.0.0.1:{}", member.port),
            member: member.id.clone(),
            alliance: home.alliance(),
            client_cert: home.client_cert(CLIENT),
            client_key: home.client_cert_key(CLIENT),
            genesis: Some(self.alliance.genesis_hash().to_string()),
            key: Some(home.person_key(Role::Officer, "officer-1")),
            admin: Some(format!("http://127.0.0.1:{}", member.admin_port)),
            protected: false,
        }
    }

    fn member(&self, id: &str) -> Result<&Member, Failure> {
        let found = self.members.iter().find(|member| member.id == id);
        found.ok_or_else(|| Failure::usage(format!("{id} is no member of the demonstration")))
    }

    /// Ids of all members, in the order in which they were named.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| member.id.as_str())
    }

    /// Ids of the members whose nodes run.
    pub(super) fn running(&self) -> impl Iterator<Item = &str> {
        self.members
            .iter()
            .filter(|member| locked(&member.node).is_some())
            .map(|m| m.id.as_str())
    }

    /// Starts a node's process and does not wait for it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn(&self, id: &str) -> Result<(), Failure> {
        self.spawn_as(id, &["node", "run", "--with-parent", "--config"])
    }

    /// Starts a process of this program at a member's address: `verb` and the path of its
    /// configuration are its arguments.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn spawn_as(&self, id: &str, verb: &[&str]) -> Result<(), Failure> {
        let member = self.member(id)?;
        let cannot = |error: std::io::Error| {
            Failure::new(
                Exit::Failed,
                format!("{id}: its node cannot be started: {error}"),
            )
        };
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file(id));
        let mut command = Command::new(std::env::current_exe().map_err(cannot)?);
        command.args(verb).arg(member.home.config());
        // Settings of whoever started the demonstration are not meant for its nodes.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TOCSIN_") {
                command.env_remove(name);
            }
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.map_err(cannot)?);
        // A group of its own: Ctrl-C is for the demonstration, which then ends its nodes.
        let child = command.process_group(0).spawn().map_err(cannot)?;
        *locked(&member.process) = Some(child);
        Ok(())
    }

    /// Waits until a node answers its operator at all: it serves what it has.
    ///
    /// # Errors
    /// When it does not within `patience`.
    pub(crate) async fn answering(&self, id: &str, patience: Duration) -> Result<(), Failure> {
        let address = self.context_of(id)?.admin.unwrap_or_default();
        let end = Instant::now() + patience;
        loop {
            match connect_admin(&address).await {
                Ok(_) => return Ok(()),
                Err(failure) if Instant::now() >= end => return Err(of(id, failure)),
                Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Ends a node cleanly, as its operator would: what it knows is flushed.
    ///
    /// # Errors
    /// When it has not ended well within `patience`.
    pub(crate) async fn stop(&self, id: &str, patience: Duration) -> Result<(), Failure> {
        let member = self.member(id)?;
        *locked(&member.node) = None;
        let Some(mut child) = locked(&member.process).take() else {
            return Ok(());
        };
        // It was started to end with its standard input.
        drop(child.stdin.take());
        let end = Instant::now() + patience;
        while Instant::now() < end {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => {
                    let text = format!("{id}: its node ended with {status}");
                    return Err(Failure::new(Exit::Failed, text));
                }
                Ok(None) | Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
        let _ended = child.kill().and_then(|()| child.wait());
        let text = format!("{id}: its node does not stop");
        Err(Failure::new(Exit::Failed, text))
    }

    /// Where the system tells of a node's process (proc(5)).
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn process_of(&self, id: &str) -> Result<PathBuf, Failure> {
        let process = locked(&self.member(id)?.process);
        let child = process.as_ref().map(Child::id);
        child
            .map(|id| PathBuf::from(format!("/proc/{id}")))
            .ok_or_else(|| Failure::new(Exit::Unreachable, format!("{id}: its node does not run")))
    }

    /// The files of a member.
    ///
    /// # Errors
    /// When there is no such member.
    pub(crate) fn home_of(&self, id: &str) -> Result<&Home, Failure> {
        Ok(&self.member(id)?.home)
    }

    /// The name of a member's log.
    ///
    /// # Errors
    /// When there is no such member.
    pub(crate) fn origin_of(&self, id: &str) -> Result<Origin, Failure> {
        let member = self.alliance.member(id);
        let member = member.ok_or_else(|| Failure::usage(format!("{id} is no member")))?;
        Ok(member.origin.clone())
    }

    /// Waits until a node signs, and connects to it.
    ///
    /// # Errors
    /// When it does not within [`PATIENCE`].
    pub(crate) async fn ready(&self, id: &str) -> Result<(), Failure> {
        let member = self.member(id)?;
        let context = self.context(member);
        let address = context.admin.clone().unwrap_or_default();
        let end = Instant::now() + PATIENCE;
        let mut state = "not answering".to_owned();
        while Instant::now() < end {
            if let Ok(channel) = connect_admin(&address).await {
                let mut admin = AdminServiceClient::new(channel);
                let status = call(PATIENCE, admin.get_status(GetStatusRequest {})).await;
                state = status.map_or(state, |status| {
                    format!("{} {}", status.state, status.reason)
                });
            }
            if state.trim() == "serving" {
                let channel = connect(&context, PATIENCE).await.map_err(|e| of(id, e))?;
                let alliance = self.alliance.clone();
                *locked(&member.node) = Some(Node {
                    context,
                    alliance,
                    channel,
                });
                return Ok(());
            }
            tokio::time::sleep(GLANCE).await;
        }
        Err(Failure::new(
            Exit::Unreachable,
            format!("{id}: its node does not serve: {state}"),
        ))
    }

    /// A member's node, to be asked.
    ///
    /// # Errors
    /// When it does not run.
    pub(crate) fn node(&self, id: &str) -> Result<Node, Failure> {
        locked(&self.member(id)?.node)
            .clone()
            .ok_or_else(|| Failure::new(Exit::Unreachable, format!("{id}: its node does not run")))
    }

    /// Kills a node's process with SIGKILL, as part of the walk.
    ///
    /// # Errors
    /// When there is no such member.
    pub(crate) fn kill(&self, id: &str) -> Result<(), Failure> {
        let member = self.member(id)?;
        *locked(&member.node) = None;
        if let Some(child) = locked(&member.process).take() {
            end(child);
        }
        Ok(())
    }

    /// The record key of one of a member's persons.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn keys(&self, id: &str, role: Role) -> Result<Vec<SigningKey>, Failure> {
        let home = &self.member(id)?.home;
        let people = PEOPLE.iter().filter(|(_, has)| *has == role);
        people
            .map(|(person, role)| {
                let key = keyfile::read_for(&home.person_key(*role, person), Purpose::Record)?;
                Ok(key.key)
            })
            .collect()
    }

    /// How the hand tool reaches a member's node.
    ///
    /// # Errors
    /// When there is no such member.
    pub(crate) fn context_of(&self, id: &str) -> Result<Context, Failure> {
        Ok(self.context(self.member(id)?))
    }

    /// Waits for ever, or until a node ends that should not; makes the fault that is due.
    pub(super) async fn watch(&self, faults: &Faults) -> Failure {
        loop {
            self.strike(faults);
            if let Some(failure) = self.dead() {
                return failure;
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    /// Kills the node that a fault names, once it runs.
    pub(super) fn strike(&self, faults: &Faults) {
        let member = faults.due(What::Kill).and_then(|id| self.member(id).ok());
        if let Some(member) = member
            && let Some(child) = locked(&member.process).as_mut()
        {
            // It is left in its place: the demonstration has to notice by itself.
            let _ended = child.kill().and_then(|()| child.wait());
            faults.made();
        }
    }

    /// Says which node has ended that should run.
    pub(super) fn dead(&self) -> Option<Failure> {
        self.members.iter().find_map(|member| {
            let mut process = locked(&member.process);
            let status = process.as_mut()?.try_wait().ok()??;
            let mut failure = Failure::new(
                Exit::Failed,
                format!("{}: its node has ended: {status}", member.id),
            );
            failure.details = self.log_tail(&member.id);
            Some(failure)
        })
    }

    fn log_file(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.log"))
    }

    fn log_tail(&self, id: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.log_file(id)).unwrap_or_default();
        let mut lines: Vec<String> = log
            .lines()
            .rev()
            .take(LOG_LINES)
            .map(str::to_owned)
            .collect();
        lines.reverse();
        lines
    }
}

impl Member {
    fn new(dir: &Path, id: &str, port: u16, admin_port: u16) -> Result<Self, Failure> {
        let new = NewMember {
            id: id.to_owned(),
            jurisdiction: id.to_uppercase(),
            name: format!("Customs of {} (demonstration)", id.to_uppercase()),
            alliance: LABEL.to_owned(),
            host: "127.0.0.1".to_owned(),
            port,
            admin_port,
            people: PEOPLE
                .iter()
                .map(|(person, role)| ((*person).to_owned(), *role))
                .collect(),
        };
        let home = init(&dir.join(id), &new)?;
        let roles = ["agency", "investigator", "officer", "operator", "auditor"];
        home.add_client(CLIENT, &roles.map(str::to_owned))?;
        // Measurements run on such networks too, and say and ask more than people do.
        home.lift_quotas()?;
        Ok(Self {
            id: id.to_owned(),
            home,
            port,
            admin_port,
            process: Mutex::new(None),
            node: Mutex::new(None),
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let Some(child) = locked(&self.process).take() {
            end(child);
        }
    }
}

/// Names the member that a failure is about.
pub(super) fn of(id: &str, mut failure: Failure) -> Failure {
    failure.message = format!("{id}: {}", failure.message);
    failure
}

/// Ends a process at once and leaves no zombie.
fn end(mut child: Child) {
    // It may have ended by itself.
    let _ended = child.kill().and_then(|()| child.wait());
}

/// What a lock holds is whole whatever panicked beside it.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ports that are free now, below those that the system takes for outgoing connections: a node that
/// is killed must find its port free again.
fn free_ports(count: usize) -> Result<Vec<u16>, Failure> {
    const FIRST: u16 = 10_240;
    const COUNT: u16 = 20_000;
    let mut start = [0; 2];
    keyfile::fill_random(&mut start)?;
    let start = u16::from_be_bytes(start) % COUNT;
    let ports = (0..COUNT).map(|step| FIRST + (start + step) % COUNT);
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let free: Vec<u16> = ports.filter(is_free).take(count).collect();
    if free.len() < count {
        let text = "this machine has no free ports between 10240 and 30239";
        return Err(Failure::new(Exit::Failed, text));
    }
    Ok(free)
}
