//! A client under load, in a process of its own: it says, asks again until it is answered, and
//! writes down each answer before it says the next.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tocsin::setup::member::Home;
use tocsin_cli::connect::connect;
use tocsin_cli::context::Context;
use tocsin_cli::keyfile;
use tocsin_core::roster::Role;
use tocsin_log::key::{PublicKey, SigningKey};
use tocsin_log::keyfile::Purpose;
use tonic::Code;
use tonic::transport::Channel;

use crate::journal::{Answer, Journal};
use crate::network::CLIENT;
use crate::say;

/// Statements on their way at once.
const AT_ONCE: u32 = 8;
/// Running numbers of one task, so that no two take the same.
const NUMBERS: u32 = 1_000_000;
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(10);

/// What the client is told on its command line.
#[derive(Clone, Debug)]
pub struct Load {
    /// The member's directory.
    pub home: PathBuf,
    /// The member.
    pub member: String,
    /// Its node's port.
    pub port: u16,
    /// Where answers are written down.
    pub journal: PathBuf,
}

impl Load {
    /// Says reports until the process is killed.
    ///
    /// # Panics
    /// When the node refuses a report for what it is, or proves nothing by its receipt.
    pub async fn run(self) {
        let home = Home::at(&self.home);
        let context = self.context(&home);
        let alliance = context.open_alliance().expect("an alliance file");
        let log_key = alliance.member(&self.member).expect("a member").log_key;
        let channel = loop {
            match connect(&context, Duration::from_secs(5)).await {
                Ok(channel) => break channel,
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        };
        let key = keyfile::read_for(&home.person_key(Role::Investigator, "i-1"), Purpose::Record);
        let key = key.expect("an investigator's key").key;
        let journal = Arc::new(Mutex::new(Journal::open(&self.journal).expect("a journal")));
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..AT_ONCE {
            let talk = Talk {
                member: self.member.clone(),
                key: key.clone(),
                log_key,
                channel: channel.clone(),
                journal: Arc::clone(&journal),
            };
            tasks.spawn(talk.run(task * NUMBERS));
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("a task that goes on for ever");
        }
    }

    fn context(&self, home: &Home) -> Context {
        Context {
            endpoint: format!("https://127.0.0.1:{}", self.port),
            member: self.member.clone(),
            alliance: home.alliance(),
            client_cert: home.client_cert(CLIENT),
            client_key: home.client_cert_key(CLIENT),
            genesis: None,
            key: None,
            admin: None,
            protected: false,
        }
    }
}

struct Talk {
    member: String,
    key: SigningKey,
    log_key: PublicKey,
    channel: Channel,
    journal: Arc<Mutex<Journal>>,
}

impl Talk {
    async fn run(self, first: u32) {
        for number in first + 1.. {
            let said = say::report(&self.member, number).sign(&[&self.key]);
            let response = loop {
                match said.submit(&self.channel).await {
                    Ok(response) => break response,
                    Err(status) if is_refused(status.code()) => panic!("refused: {status}"),
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            };
            let answer = Answer::proven(&said, &response, &self.log_key);
            let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
            journal
                .keep(&answer)
                .expect("a journal that can be written");
        }
    }
}

/// Whether the node said no to what was said; anything else means: ask again.
fn is_refused(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::NotFound
            | Code::OutOfRange
            | Code::DataLoss
            | Code::Unimplemented
    )
}
