//! `tocsin bench catchup`: how fast an empty node follows a log that is long already.
//!
//! Time runs from the last moment at which the follower had nothing: what is measured is following,
//! and not how a process starts.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use tocsin_cli::connect::connect_admin;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc::call;
use tocsin_core::roster::Role;
use tocsin_log::hash::Hash;
use tocsin_wire::proto::admin::v1::GetStatusRequest;
use tocsin_wire::proto::admin::v1::admin_service_client::AdminServiceClient;

use super::RunArgs;
use super::author::{Author, BODY_BYTES};
use super::echo::Echo;
use super::report::{Figure, Limit, Report, Target, Term, Unit};
use super::terms;
use super::written::{self, Written};
use crate::demo::Folder;
use crate::demo::network::{LABEL, Network, PATIENCE};

/// Whose log is followed.
const ORIGIN: &str = "us";
/// Who follows it, from nothing.
const FOLLOWER: &str = "de";
/// How often the follower is asked how far it is.
const LOOK: Duration = Duration::from_millis(5);
/// The least that is waited for each step; a long log adds to it.
const SLOWEST_PER_SECOND: u64 = 2_000;
/// Entries that the cost of one is compared with.
const COMPARED_WITH: u64 = 100_000;
/// Records between two flushes of the file that following is held against.
const BATCH: usize = 256;

/// How following is measured.
#[derive(Args, Clone, Debug)]
pub struct CatchupArgs {
    /// Entries in the log. Above 100000 the cost of one is compared with that at 100000; a million
    /// takes some minutes and 4 GB
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub entries: u64,
    #[command(flatten)]
    pub run: RunArgs,
}

/// What following took.
#[derive(Clone, Copy, Debug)]
struct Followed {
    /// Until all entries were durable, their root verified.
    mirrored: Duration,
    /// Until all were validated and folded.
    applied: Duration,
    entries: u64,
}

impl Followed {
    fn rate(&self, took: Duration) -> f64 {
        self.entries as f64 / took.as_secs_f64()
    }
}

/// Measures, and tells.
///
/// # Errors
/// What could not be started or was refused, and a follower that ends elsewhere.
pub(super) async fn run(args: &CatchupArgs, out: &mut Output) -> Result<(), Failure> {
    let folder = Folder::make(args.run.dir.as_deref())?;
    let mut report = Report::new("catchup");
    let first = args.entries.min(COMPARED_WITH);
    let small = follow(&folder.path.join("small"), first).await?;
    let limits = limits(&args.run, &folder.path, &small.1).await?;
    tell(&small, limits, &mut report, out)?;
    if args.entries > COMPARED_WITH {
        let large = follow(&folder.path.join("large"), args.entries).await?;
        compare(&small.0, &large.0, &mut report, out)?;
    }
    report.finish(out)
}

/// Makes an alliance of two and a log of so many entries, and lets the other member follow it.
async fn follow(dir: &Path, entries: u64) -> Result<(Followed, Written), Failure> {
    tocsin_cli::files::make_secret_folder(dir)?;
    let network = Network::found(dir, &[ORIGIN.to_owned(), FOLLOWER.to_owned()])?;
    let author = author(&network, ORIGIN)?;
    let origin = network.origin_of(ORIGIN)?;
    let written = tokio::task::block_in_place(|| {
        written::write(network.home_of(ORIGIN)?, &origin, &author, entries)
    })?;
    let patience = PATIENCE + Duration::from_secs(entries / SLOWEST_PER_SECOND);
    network.spawn(ORIGIN)?;
    network.answering(ORIGIN, patience).await?;
    network.spawn(FOLLOWER)?;
    let followed = watch(&network, &written, patience).await?;
    network.stop(FOLLOWER, patience).await?;
    network.stop(ORIGIN, patience).await?;
    std::fs::remove_dir_all(dir).map_err(|e| Failure::file(dir, "remove", &e))?;
    Ok((followed, written))
}

/// The investigator of a member.
///
/// # Errors
/// When there is none.
pub(super) fn author(network: &Network, member: &str) -> Result<Author, Failure> {
    let mut keys = network.keys(member, Role::Investigator)?;
    let key = keys
        .pop()
        .ok_or_else(|| Failure::new(Exit::Failed, "no key"))?;
    Ok(Author::new(format!("{LABEL}/{member}"), key))
}

async fn watch(
    network: &Network,
    written: &Written,
    patience: Duration,
) -> Result<Followed, Failure> {
    let address = network.context_of(FOLLOWER)?.admin.unwrap_or_default();
    let origin = written.origin.to_string();
    let end = Instant::now() + patience;
    let (mut begun, mut mirrored) = (Instant::now(), None);
    let mut admin = None;
    while Instant::now() < end {
        let Some(client) = &mut admin else {
            admin = connect_admin(&address)
                .await
                .ok()
                .map(AdminServiceClient::new);
            begun = Instant::now();
            continue;
        };
        let asked = Instant::now();
        let status = call(PATIENCE, client.get_status(GetStatusRequest {})).await?;
        let log = status.logs.iter().find(|log| log.origin == origin);
        let (size, applied) = log.map_or((0, 0), |log| (log.size, log.applied));
        if size == 0 {
            begun = asked;
        }
        if size == written.size && mirrored.is_none() {
            let root = log.and_then(|log| Hash::try_from(log.root.as_slice()).ok());
            if root != Some(written.root) {
                return Err(Failure::new(Exit::Failed, "the follower has another root"));
            }
            mirrored = Some(begun.elapsed());
        }
        if let Some(mirrored) = mirrored.filter(|_| applied == written.size) {
            return Ok(Followed {
                mirrored,
                applied: begun.elapsed(),
                entries: written.size,
            });
        }
        tokio::time::sleep(LOOK).await;
    }
    let text = format!("the follower does not reach the end within {patience:?}");
    Err(Failure::new(Exit::Unreachable, text))
}

/// What mirroring and applying are held against.
async fn limits(args: &RunArgs, dir: &Path, written: &Written) -> Result<(Limit, Limit), Failure> {
    let dir = dir.join("terms");
    tocsin_cli::files::make_secret_folder(&dir)?;
    let network = Network::found(&dir, &[ORIGIN.to_owned()])?;
    let author = author(&network, ORIGIN)?;
    let (entry, _) = author.signed()?;
    let (span, bytes) = (args.seconds / 2, written.record_bytes);
    let (verify, hash, file) = tokio::task::block_in_place(|| {
        let verify = terms::verify_strict(author.key(), &entry.message(), span)?;
        let hash = terms::sha256(bytes, span)?;
        Ok::<_, Failure>((verify, hash, terms::append(&dir, bytes, BATCH, span)?))
    })?;
    let echo = Echo::start(&network, ORIGIN, 1).await?;
    let stream = echo.server_stream(bytes, span).await?;
    network.kill(ORIGIN)?;
    let terms = vec![
        scaled(stream, 774_000.0, bytes),
        scaled(hash, 4_700_000.0, bytes),
        scaled(file, 389_000.0, bytes),
    ];
    Ok((Limit::sum_of(terms), Limit::sum_of(vec![verify])))
}

/// What is known of records of 600 bytes says the same of bytes a second.
fn scaled(term: Term, of_600_bytes: f64, bytes: usize) -> Term {
    let reference = Some(of_600_bytes * BODY_BYTES as f64 / bytes as f64);
    Term { reference, ..term }
}

fn tell(
    (followed, written): &(Followed, Written),
    (mirror, verify): (Limit, Limit),
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let mirrored = followed.rate(followed.mirrored);
    report.add(
        Figure::shown(
            "mirrored: durable, root verified",
            mirrored,
            Unit::PerSecond,
        )
        .against(mirror, Target::AtLeast(0.5))
        .remark(written.remark()),
        out,
    )?;
    let applied = followed.rate(followed.applied);
    report.add(
        Figure::shown("applied: validated and folded", applied, Unit::PerSecond)
            .against(verify, Target::AtLeast(0.6))
            .remark(format!(
                "all of it in {:.2} s, mirrored in {:.2} s",
                followed.applied.as_secs_f64(),
                followed.mirrored.as_secs_f64()
            )),
        out,
    )
}

/// The cost of an entry of a long log against that of a shorter one.
fn compare(
    small: &Followed,
    large: &Followed,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let cost = |took: Duration, entries: u64| took.as_secs_f64() * 1e6 / entries as f64;
    let parts = [
        ("mirrored", small.mirrored, large.mirrored),
        ("applied", small.applied, large.applied),
    ];
    for (what, small_took, large_took) in parts {
        let name = format!("cost of an entry {what} at {}", large.entries);
        let limit = Limit {
            value: cost(small_took, small.entries),
            formula: format!("the same at {}", small.entries),
            terms: Vec::new(),
        };
        let figure = Figure::shown(name, cost(large_took, large.entries), Unit::Microseconds)
            .against(limit, Target::AtMost(1.1));
        report.add(figure, out)?;
    }
    Ok(())
}
