//! `tocsin bench`: how fast it is, as ratios that anyone can print.
//!
//! Each figure is held against a limit whose terms are measured in the same run, on the same cores,
//! by `terms`: what the libraries and the disk can do at best. Nodes are processes of this
//! program, reached over mutual TLS on loopback. Nothing here is a test: figures depend on the
//! machine, the ratios should not.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;

mod author;
mod catchup;
mod echo;
mod etcd;
mod fanout;
mod identifiers;
mod ingest;
mod labelled;
mod load;
mod machine;
mod made;
mod officers;
mod propagation;
mod quality;
mod rate;
mod report;
mod screen;
mod service;
mod start;
mod tally;
mod terms;
mod watcher;
mod written;

/// What is measured.
#[derive(Subcommand, Clone, Debug)]
pub enum BenchVerb {
    /// Durable signed submissions a second, one by one and in streams
    ///
    /// Statements are made and signed while the time runs, each with a body of 600 bytes. The limit
    /// is 1/(1/echo + 1/verify_strict + 1/sign): the same message echoed by the same listener with
    /// an empty handler, one strict verification and one signature, each measured with both cores
    /// busy. etcd's put is printed beside it where etcd is installed.
    ///
    /// Example: tocsin bench ingest --seconds 5
    Ingest(RunArgs),
    /// How fast an empty node follows a long log
    ///
    /// The log is written before, each entry with a body of 600 bytes. Mirrored (durable, root
    /// verified) is held against 1/(1/stream + 1/sha256 + 1/file) for records of that size, applied
    /// (validated and folded) against strict verifications on all cores.
    ///
    /// Example: tocsin bench catchup --entries 20000
    Catchup(catchup::CatchupArgs),
    /// How soon a node with a long log serves, and in what memory
    ///
    /// After a clean stop, after a kill, and without its index, as after a power cut.
    ///
    /// Example: tocsin bench start --entries 20000 --watches 10
    Start(start::StartArgs),
    /// From an officer's submit to the notice in a subscriber's hand at another member
    ///
    /// Five members; one decides by policy, and its subscriber waits. Orders and withdrawals have
    /// two signatures, made while the time runs. Alone, each is held against the sum of its parts:
    /// messages, flushes, signatures and verifications on its way. Then again at half the rate at
    /// which the five nodes take reports; and one notice to a thousand subscribers.
    ///
    /// Example: tocsin bench propagation --seconds 5
    Propagation(RunArgs),
    /// Screening at a node: streams of lines, look-ups, and how soon an order counts
    ///
    /// One node with so many orders in force, each on goods and a firm of its own. Lines in streams
    /// are held against the raw stream: the same messages answered by the same listener with what a
    /// line that meets nothing gets. Look-ups are held beyond the echo of the same call.
    ///
    /// Example: tocsin bench screen-service --blocks 500 --seconds 1
    ScreenService(service::ServiceArgs),
    /// How fast declarations are screened, and how well goods and parties are found
    ///
    /// Blocks and a file of declarations are made from a seed; reading with the csv crate alone is
    /// the limit of screening it. With --quality labelled sets are scored instead, at the
    /// thresholds that are shipped, beside a plain token-set ratio at the best threshold of each
    /// set.
    ///
    /// Example: tocsin bench screen --blocks 500 --lines 5000
    Screen(screen::ScreenArgs),
    /// What this machine does at best: the terms of all limits
    ///
    /// Signatures, hashes and echoes with both cores busy; a flush and a call alone. Each is held
    /// against a machine that is known: below 0.7 of it figures are marked as noisy.
    ///
    /// Example: tocsin bench terms --seconds 1
    Terms(RunArgs),
    /// The echo that the limits rest on, as a process of its own
    #[command(hide = true)]
    ServeEcho {
        /// A member's settings: its address, certificate and alliance are used
        #[arg(long)]
        config: PathBuf,
    },
}

/// How a benchmark runs.
#[derive(Args, Clone, Debug)]
pub struct RunArgs {
    /// How long each part is measured, in seconds; short runs show only that it works
    #[arg(long, default_value = "4", value_parser = seconds, value_name = "SECONDS")]
    pub seconds: Duration,
    /// Where the nodes' files go: on the disk that is to be measured; else in a temporary folder
    /// that is removed at the end
    #[arg(long)]
    pub dir: Option<PathBuf>,
}

/// `tocsin bench`.
///
/// # Errors
/// What could not be started or asked; a figure that is not reached is none.
pub fn run(verb: &BenchVerb, out: &mut Output) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot start: {e}")))?;
    runtime.block_on(async {
        match verb {
            BenchVerb::Ingest(args) => Box::pin(ingest::run(args, out)).await,
            BenchVerb::Catchup(args) => Box::pin(catchup::run(args, out)).await,
            BenchVerb::Start(args) => Box::pin(start::run(args, out)).await,
            BenchVerb::Propagation(args) => Box::pin(propagation::run(args, out)).await,
            BenchVerb::ScreenService(args) => Box::pin(service::run(args, out)).await,
            BenchVerb::Screen(args) => tokio::task::block_in_place(|| screen::run(args, out)),
            BenchVerb::Terms(args) => Box::pin(machine::run(args, out)).await,
            BenchVerb::ServeEcho { config } => echo::serve(config).await,
        }
    })
}

/// The longest that one part may be measured.
const MAX_SECONDS: f64 = 60.0;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if seconds > 0.0 && seconds <= MAX_SECONDS {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(format!("not above 0 and at most {MAX_SECONDS}"))
    }
}
