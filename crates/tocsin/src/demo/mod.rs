//! `tocsin demo`: the whole network on one machine, as processes of their own, each step proven.
//!
//! Begin at `walk`; `orders` says what is real in it and what is invented.

mod closing;
mod fault;
mod lines;
pub(crate) mod network;
mod orders;
mod proof;
mod report;
mod screening;
mod walk;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::{Map, json};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::make_secret_folder;
use tocsin_cli::keyfile::fill_random;
use tocsin_cli::output::{Format, Output};
use tokio::signal::unix::{SignalKind, signal};

use fault::{Fault, Faults};
use network::Network;
use report::Done;
use walk::Demo;

/// Who issues: the real orders are of this member's authority, and of nobody else's.
const ISSUER: &str = "us";

/// Who plays what, by place in `--members`.
#[derive(Clone, Debug)]
struct Cast {
    /// Issues the orders.
    issuer: String,
    /// Its investigator reports.
    reporter: String,
    /// Its officers adopt.
    adopter: String,
    /// Its node is killed and comes back.
    returner: String,
}

/// How the demonstration runs.
#[derive(Args, Clone, Debug)]
pub struct DemoArgs {
    /// Four members: us, who issues, then who reports, who adopts, whose node is killed
    #[arg(long, value_delimiter = ',', default_value = "us,jp,de,kr")]
    members: Vec<String>,
    /// Where its files go, and stay; else in a temporary folder that is removed at the end
    #[arg(long)]
    dir: Option<PathBuf>,
    /// End after the walk instead of staying up to be tried
    #[arg(long)]
    exit: bool,
    /// How many generated lines of declarations are screened
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    lines: u64,
    /// Make one fault on purpose, to see it noticed: STEP:kill:MEMBER, STEP:flip:MEMBER or
    /// audit:pack:MEMBER
    #[arg(
        long = "break",
        value_name = "FAULT",
        env = "TOCSIN_DEMO_BREAK",
        hide = true
    )]
    fault: Option<Fault>,
}

/// `tocsin demo`.
///
/// # Errors
/// Names the step, the member and what failed.
pub fn run(args: &DemoArgs, out: &mut Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot start: {e}")))?;
    let is_walked = Cell::new(false);
    runtime.block_on(async {
        let mut interrupt = listen(SignalKind::interrupt())?;
        let mut terminate = listen(SignalKind::terminate())?;
        let mut hang_up = listen(SignalKind::hangup())?;
        let told = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        };
        tokio::select! {
            biased;
            () = told => if is_walked.get() { Ok(()) } else { Err(interrupted()) },
            outcome = Box::pin(perform(args, &is_walked, out)) => outcome,
        }
    })
}

/// Walks, shows, and stays until it is dropped, unless it is to end by itself. What it has started
/// and made goes with it.
async fn perform(args: &DemoArgs, is_walked: &Cell<bool>, out: &mut Output) -> Result<(), Failure> {
    let cast = cast(&args.members)?;
    let folder = Folder::make(args.dir.as_deref())?;
    let faults = Faults::new(args.fault.clone());
    let begun = Instant::now();
    let network = Network::found(&folder.path, &args.members).map_err(|mut failure| {
        failure.message = format!("step found: {}", failure.message);
        failure
    })?;
    let genesis = network.alliance.genesis_hash().to_string();
    let mut demo = Demo::new(&network, cast, &faults, args.lines);
    let done = Done::new(format!("{} members found an alliance", args.members.len()))
        .line(format!("genesis {genesis}"))
        .fact("genesis", json!(genesis));
    demo.report.add("found", done, begun.elapsed(), out)?;
    demo.walk(out).await?;
    is_walked.set(true);
    let order = demo
        .drivers
        .as_ref()
        .map(proof::Proven::short)
        .unwrap_or_default();
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut facts = Map::new();
    facts.insert("alliance".to_owned(), json!(network::LABEL));
    facts.insert("genesis".to_owned(), json!(genesis));
    facts.insert("ms".to_owned(), json!(ms));
    let value = demo.report.finish(facts);
    if out.format() == Format::Table {
        out.say(&format!("\nAll of it verified, in {ms} ms."))?;
    } else {
        out.object("demo", &[], &value)?;
    }
    if !folder.is_temporary {
        out.say(&format!("Its files are in {}", folder.path.display()))?;
    }
    if args.exit {
        return Ok(());
    }
    invite(&network, &args.members, &order, out)?;
    Err(network.watch(&Faults::new(None)).await)
}

/// Who plays what, by place.
fn cast(members: &[String]) -> Result<Cast, Failure> {
    let wrong = || {
        Failure::usage("--members names us and three others, each of two lower-case letters")
            .advice("for example --members us,jp,de,kr")
    };
    let is_code = |id: &String| id.len() == 2 && id.bytes().all(|b| b.is_ascii_lowercase());
    let distinct: BTreeSet<&String> = members.iter().filter(|id| is_code(id)).collect();
    match members {
        [issuer, reporter, adopter, returner] if distinct.len() == 4 && issuer == ISSUER => {
            Ok(Cast {
                issuer: issuer.clone(),
                reporter: reporter.clone(),
                adopter: adopter.clone(),
                returner: returner.clone(),
            })
        }
        [..] => Err(wrong()),
    }
}

/// What to try while the nodes run.
fn invite(
    network: &Network,
    members: &[String],
    order: &str,
    out: &mut Output,
) -> Result<(), Failure> {
    let [issuer, reporter, adopter, returner] = members else {
        return Ok(());
    };
    let tool = std::env::current_exe().unwrap_or_default();
    let (folder, config) = (tool.parent().unwrap_or(&tool), network.config_dir());
    out.say("The nodes run. In another terminal:\n")?;
    out.say(&format!("  export TOCSIN_CONFIG_DIR={}", config.display()))?;
    out.say(&format!("  export PATH={}:$PATH", folder.display()))?;
    out.say(&format!(
        "  tocsin -c demo-{adopter} lookup {}",
        orders::DRIVERS_GTIN
    ))?;
    out.say(&format!("  tocsin -c demo-{returner} pending"))?;
    out.say(&format!("  tocsin -c demo-{reporter} order show {order}"))?;
    out.say(&format!("  tocsin -c demo-{adopter} log audit {issuer}"))?;
    out.say(&format!("  tocsin -c demo-{adopter} notices watch"))?;
    out.say("\nCtrl-C ends the nodes.")
}

fn interrupted() -> Failure {
    Failure::new(Exit::Failed, "interrupted: its nodes are ended")
}

fn listen(kind: SignalKind) -> Result<tokio::signal::unix::Signal, Failure> {
    signal(kind).map_err(|e| Failure::new(Exit::Failed, format!("cannot hear signals: {e}")))
}

/// The folder of one run; the temporary one goes with it.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    is_temporary: bool,
}

impl Folder {
    /// The one asked for, or a temporary one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make(asked: Option<&Path>) -> Result<Self, Failure> {
        let path = match asked {
            Some(path) => {
                make_secret_folder(path)?;
                path.canonicalize()
                    .map_err(|e| Failure::file(path, "find", &e))?
            }
            None => {
                let mut random = [0; 8];
                fill_random(&mut random)?;
                let name = format!("tocsin-demo-{:016x}", u64::from_be_bytes(random));
                let path = std::env::temp_dir().join(name);
                make_secret_folder(&path)?;
                path
            }
        };
        Ok(Self {
            path,
            is_temporary: asked.is_none(),
        })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed lies in the system's temporary folder, where it is expected.
            let _left = std::fs::remove_dir_all(&self.path);
        }
    }
}
