//! `tocsin node`: what an operator does with the node of a member.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Subcommand;
use serde_json::json;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_node::config::{Config, ConfigError};
use tocsin_node::signals::{stop_on_signal, stop_with_parent};
use tocsin_node::{RunOptions, logging};
use tocsin_store::failpoint::{FAILPOINTS, Failpoints};
use tokio_util::sync::CancellationToken;

use crate::setup::member::Home;

/// What is done with a node.
#[derive(Subcommand, Clone, Debug)]
pub enum NodeVerb {
    /// Run the node until SIGTERM or Ctrl-C; SIGHUP takes a new certificate
    Run {
        /// The node's settings; TOCSIN_* variables and flags win over them
        #[arg(long, env = "TOCSIN_CONFIG", default_value = "node.toml")]
        config: PathBuf,
        /// Where to listen for peers and clients, instead of the setting
        #[arg(long)]
        listen: Option<String>,
        /// Where to listen for the operator, instead of the setting
        #[arg(long)]
        admin_listen: Option<String>,
        /// Sign without hearing the other members first, or take over a copied directory: answer
        /// for it that no other process signs this log, and say why. It is recorded and shown
        #[arg(long, value_name = "REASON")]
        override_start: Option<String>,
        /// End when standard input is closed, that is, with the process that started this one
        #[arg(long)]
        with_parent: bool,
    },
    /// Ask the node on this machine whether it does all its work; for health checks of containers
    /// and scripts. Exit code 0 when it serves and may sign, 1 when not, 5 when it does not answer
    ///
    /// Example: tocsin node ready --config de/node.toml
    Ready {
        /// The node's settings, for its admin address
        #[arg(long, env = "TOCSIN_CONFIG", default_value = "node.toml")]
        config: PathBuf,
        /// Ask again for so long while it is not, e.g. 30s
        #[arg(long, value_name = "TIME", value_parser = tocsin_cli::args::duration)]
        wait: Option<Duration>,
    },
    /// Issue the node's certificate anew, before the old one ends; the node takes it on SIGHUP
    Certificate {
        /// The member's data directory
        #[arg(long)]
        dir: PathBuf,
        /// Where the node is reached: DNS name or IP address
        #[arg(long, default_value = "127.0.0.1")]
        host: String,
    },
}

/// `tocsin node`.
///
/// # Errors
/// Why it was not done.
pub fn run(verb: &NodeVerb, out: &mut Output) -> Result<(), Failure> {
    match verb {
        NodeVerb::Run {
            config,
            listen,
            admin_listen,
            override_start,
            with_parent,
        } => {
            let flags = [("listen", listen), ("admin_listen", admin_listen)];
            let flags: Vec<(&str, String)> = flags
                .into_iter()
                .filter_map(|(key, value)| Some((key, value.clone()?)))
                .collect();
            let config = Config::load(config, std::env::vars(), &flags).map_err(misconfigured)?;
            let options = RunOptions {
                overridden: override_start.clone(),
                failpoints: failpoints(),
            };
            run_until_told(config, options, *with_parent)
        }
        NodeVerb::Ready { config, wait } => {
            let config = Config::load(config, std::env::vars(), &[]).map_err(misconfigured)?;
            let end = Instant::now() + wait.unwrap_or_default();
            let mut said = ask_ready(config.admin_listen);
            while !matches!(said, Ok(None)) && Instant::now() < end {
                std::thread::sleep(READY_PAUSE);
                said = ask_ready(config.admin_listen);
            }
            let said = said?;
            let value =
                json!({"ready": said.is_none(), "reason": said.clone().unwrap_or_default()});
            out.object(
                "ready",
                &[("ready", "ready"), ("because", "reason")],
                &value,
            )?;
            said.map_or(Ok(()), |reason| {
                Err(Failure::new(Exit::Failed, format!("not ready: {reason}"))
                    .advice("tocsin status says what it waits for and what to do"))
            })
        }
        NodeVerb::Certificate { dir, host } => {
            let home = Home::at(dir);
            home.renew_node_certificate(host)?;
            let value = json!({"cert": home.node_cert().display().to_string()});
            out.object("certificate", &[("certificate", "cert")], &value)?;
            out.say("Send the node SIGHUP; it takes the new certificate for new connections.")
        }
    }
}

/// Longest answer of `/readyz` in bytes: a status line, headers, and one sentence.
const MAX_READY_BYTES: u64 = 16 * 1024;
/// For the whole question; health checks ask often.
const READY_TIMEOUT: Duration = Duration::from_secs(4);

/// Between two questions of `node ready --wait`.
const READY_PAUSE: Duration = Duration::from_millis(100);

/// What the node's `/readyz` says: nothing when it is ready, else why not.
fn ask_ready(admin: SocketAddr) -> Result<Option<String>, Failure> {
    let unreachable = |error: std::io::Error| {
        Failure::new(
            Exit::Unreachable,
            format!("no answer from the node at {admin}: {error}"),
        )
        .advice("is it running? see its service log")
    };
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&admin, READY_TIMEOUT)?;
        stream.set_read_timeout(Some(READY_TIMEOUT))?;
        stream
            .write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.take(MAX_READY_BYTES).read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(unreachable)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let is_ok = head.split(' ').nth(1) == Some("200");
    Ok((!is_ok).then(|| tocsin_cli::output::clean_line(body.trim())))
}

fn run_until_told(config: Config, options: RunOptions, with_parent: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(refused)?;
    let entered = runtime.enter();
    let logging = logging::start(&config).map_err(refused)?;
    drop(entered);
    let ended = runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone()).map_err(refused)?;
        if with_parent {
            stop_with_parent(stop.clone()).map_err(refused)?;
        }
        tocsin_node::run(config, options, stop)
            .await
            .map_err(refused)
    });
    logging.end();
    ended
}

fn misconfigured(error: ConfigError) -> Failure {
    Failure::usage(error.to_string())
        .advice("the node.toml that `tocsin init` writes explains every setting")
}

fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}

/// `TOCSIN_FAILPOINTS=name` stops the writing thread for ever at that step of a commit, after
/// saying so on standard error: whoever tests then kills the process there. Nothing else reads
/// it.
fn failpoints() -> Failpoints {
    let Ok(wanted) = std::env::var("TOCSIN_FAILPOINTS") else {
        return Failpoints::default();
    };
    if !FAILPOINTS.contains(&wanted.as_str()) {
        say_unknown(&wanted);
    }
    Failpoints::new(std::sync::Arc::new(move |name| {
        if name == wanted {
            reached(name);
            loop {
                std::thread::park();
            }
        }
    }))
}

#[expect(
    clippy::print_stderr,
    reason = "a test waits for this line, and nothing else is running any more"
)]
fn reached(name: &str) {
    eprintln!("failpoint {name}");
}

#[expect(
    clippy::print_stderr,
    reason = "said before logging starts, to whoever set the variable"
)]
fn say_unknown(name: &str) {
    eprintln!(
        "TOCSIN_FAILPOINTS={name} names no failpoint; there are {}",
        FAILPOINTS.join(" ")
    );
}
