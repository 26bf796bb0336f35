//! One run of the tool: its flags, where it prints, and the node it speaks to.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use tocsin_core::roster::{Alliance, Member};
use tocsin_log::keyfile::{KeyText, Purpose};
use tonic::transport::Channel;

use crate::args::Globals;
use crate::connect::connect;
use crate::context::{Context, Contexts, config_dir, member};
use crate::failure::{Exit, Failure};
use crate::keyfile;
use crate::output::Output;

/// Longest answer to a question in bytes; `yes` has three.
const MAX_ANSWER_BYTES: u64 = 64;

/// One run of the tool.
#[derive(Debug)]
pub struct Session {
    /// Flags that every command takes.
    pub globals: Globals,
    /// Where results go.
    pub out: Output,
}

/// The node of a context, and what its answers are checked against.
#[derive(Clone, Debug)]
pub struct Node {
    /// The context.
    pub context: Context,
    /// Its alliance, verified.
    pub alliance: Alliance,
    /// The channel.
    pub channel: Channel,
}

/// Makes a client of one service over a node's channel, with answers bounded.
#[macro_export]
macro_rules! client {
    ($node:expr, $module:ident, $client:ident) => {
        tocsin_wire::proto::v1::$module::$client::new($node.channel.clone())
            .max_decoding_message_size($crate::rpc::MAX_ANSWER_BYTES)
    };
}

impl Session {
    /// A run with these flags, printing to the process's own streams.
    #[must_use]
    pub fn new(globals: Globals) -> Self {
        let out = Output::new(globals.output, globals.color, globals.quiet);
        Self { globals, out }
    }

    /// The context asked for.
    ///
    /// # Errors
    /// When there is none, or none can be chosen.
    pub fn context(&self) -> Result<Context, Failure> {
        let contexts = Contexts::load(&config_dir()?)?;
        contexts.choose(self.globals.context.as_deref()).cloned()
    }

    /// Connects to the context's node.
    ///
    /// # Errors
    /// When the context cannot be used, or no node answers.
    pub async fn node(&self) -> Result<Node, Failure> {
        let context = self.context()?;
        let alliance = context.open_alliance()?;
        let channel = connect(&context, self.globals.timeout).await?;
        Ok(Node {
            context,
            alliance,
            channel,
        })
    }

    /// The record keys named, else the context's.
    ///
    /// # Errors
    /// When there is none, or one cannot be used.
    pub fn keys(&self, named: &[PathBuf]) -> Result<Vec<KeyText>, Failure> {
        if !named.is_empty() {
            return named
                .iter()
                .map(|path| keyfile::read_for(path, Purpose::Record))
                .collect();
        }
        let path = self.context()?.key.ok_or_else(|| {
            Failure::usage("no key to sign with").advice("name your record key with --key FILE")
        })?;
        Ok(vec![keyfile::read_for(&path, Purpose::Record)?])
    }

    /// Asks before something that binds; `--yes` answers for whoever is not there.
    ///
    /// # Errors
    /// When the answer is no, or nobody can be asked.
    pub fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        if self.globals.yes {
            return Ok(());
        }
        if self.globals.no_input || !io::stdin().is_terminal() {
            return Err(Failure::usage(format!("not asked: {question}"))
                .code("CONFIRMATION_NEEDED")
                .advice("read what is to be done, then say --yes"));
        }
        let mut terminal = io::stderr();
        let asked = crate::output::clean_line(question);
        let closed = |e: io::Error| Failure::new(Exit::Failed, format!("cannot ask: {e}"));
        write!(terminal, "{asked} [y/N] ")
            .and_then(|()| terminal.flush())
            .map_err(closed)?;
        let mut answer = String::new();
        let mut input = io::Read::take(io::stdin().lock(), MAX_ANSWER_BYTES);
        input.read_line(&mut answer).map_err(closed)?;
        if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        Err(Failure::new(Exit::Failed, "not done: the answer was no"))
    }
}

impl Node {
    /// The member whose node it is.
    ///
    /// # Errors
    /// When the alliance does not know it.
    pub fn member(&self) -> Result<&Member, Failure> {
        member(&self.alliance, &self.context.member)
    }
}
