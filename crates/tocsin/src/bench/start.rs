//! `tocsin bench start`: how soon a node serves that has a long log, and what it holds in memory.

use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use tocsin_cli::connect::connect;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::v1::notice_service_client::NoticeServiceClient;
use tokio::task::JoinSet;
use tonic::Streaming;
use tonic::transport::Channel;

use super::RunArgs;
use super::catchup::author;
use super::report::{Figure, Limit, Report, Target, Unit};
use super::terms;
use super::written::{self, Written};
use crate::demo::Folder;
use crate::demo::network::{Network, PATIENCE};

/// The one member.
const MEMBER: &str = "us";
/// From this size on a node has three seconds and 400 MiB, below it one second and 250 MiB.
const LARGE: u64 = 1_000_000;
/// Connections that the watches share.
const CONNECTIONS: usize = 4;
/// The slowest rebuild that is waited for.
const SLOWEST_PER_SECOND: u64 = 2_000;
/// How often a node that starts is tried.
const LOOK: Duration = Duration::from_millis(5);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_millis(500);

/// How starting is measured.
#[derive(Args, Clone, Debug)]
pub struct StartArgs {
    /// Entries in the node's own log; a million takes some minutes and 2 GB
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub entries: u64,
    /// Watches of notices that are opened again as soon as the node answers
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(0..=200))]
    pub watches: u16,
    #[command(flatten)]
    pub run: RunArgs,
}

/// One start.
#[derive(Debug)]
struct Started {
    /// From the process to its first answer over mutual TLS, and to the first word of each watch.
    took: Duration,
    resident_bytes: u64,
    /// Kept open until the memory is looked at.
    _watches: Vec<Streaming<v1::WatchNoticesResponse>>,
}

/// Measures, and tells.
///
/// # Errors
/// What could not be started or was refused.
pub(super) async fn run(args: &StartArgs, out: &mut Output) -> Result<(), Failure> {
    let folder = Folder::make(args.run.dir.as_deref())?;
    let network = Network::found(&folder.path, &[MEMBER.to_owned()])?;
    let author = author(&network, MEMBER)?;
    let origin = network.origin_of(MEMBER)?;
    let home = network.home_of(MEMBER)?;
    let mut report = Report::new("start");
    let (written, verify) = tokio::task::block_in_place(|| {
        let written = written::write(home, &origin, &author, args.entries)?;
        let message = author.signed()?.0.message();
        let verify = terms::verify_strict(author.key(), &message, args.run.seconds / 2)?;
        Ok::<_, Failure>((written, verify))
    })?;
    let patience = PATIENCE + Duration::from_secs(args.entries / SLOWEST_PER_SECOND);

    // Nothing is indexed yet: the first start makes the index, as a start after a power cut does.
    let rebuilt = start(&network, &written, 0, patience).await?;
    network.stop(MEMBER, patience).await?;

    let clean = start(&network, &written, args.watches, patience).await?;
    tell_clean(args, &written, &clean, &mut report, out)?;
    network.kill(MEMBER)?;

    let killed = start(&network, &written, 0, patience).await?;
    report.add(
        Figure::shown(
            "after a kill, in the same boot",
            micros(killed.took),
            Unit::Microseconds,
        ),
        out,
    )?;
    network.stop(MEMBER, patience).await?;

    let rate = written.size as f64 / rebuilt.took.as_secs_f64();
    report.add(
        Figure::shown("rebuilt without an index", rate, Unit::PerSecond)
            .against(Limit::sum_of(vec![verify]), Target::Shown)
            .remark("as after another boot without a clean stop: every entry is judged again"),
        out,
    )?;
    report.finish(out)
}

fn tell_clean(
    args: &StartArgs,
    written: &Written,
    clean: &Started,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let (seconds, mebibytes) = if written.size >= LARGE {
        (3.0, 400.0)
    } else {
        (1.0, 250.0)
    };
    let name = match args.watches {
        0 => "serving after a clean stop".to_owned(),
        watches => format!("serving {watches} watches after a clean stop"),
    };
    report.add(
        Figure::shown(name, micros(clean.took), Unit::Microseconds)
            .against(allowed(seconds * 1e6), Target::AtMost(1.0))
            .remark(written.remark()),
        out,
    )?;
    let resident = clean.resident_bytes as f64 / f64::from(1 << 20);
    report.add(
        Figure::shown("resident then", resident, Unit::Mebibytes)
            .against(allowed(mebibytes), Target::AtMost(1.0)),
        out,
    )
}

/// What is asked for, whatever the machine.
fn allowed(value: f64) -> Limit {
    Limit {
        value,
        formula: "what is asked for".to_owned(),
        terms: Vec::new(),
    }
}

/// Starts the node's process and waits until it answers and all watches have heard from it.
async fn start(
    network: &Network,
    written: &Written,
    watches: u16,
    patience: Duration,
) -> Result<Started, Failure> {
    let begun = Instant::now();
    network.spawn(MEMBER)?;
    let channel = answering(network, written, begun + patience).await?;
    let watches = watch_all(network, channel, watches).await?;
    Ok(Started {
        took: begun.elapsed(),
        resident_bytes: resident(&network.process_of(MEMBER)?)?,
        _watches: watches,
    })
}

/// Waits for the first answer over mutual TLS, which must know the whole log.
async fn answering(network: &Network, written: &Written, end: Instant) -> Result<Channel, Failure> {
    let context = network.context_of(MEMBER)?;
    loop {
        let attempt = async {
            let channel = connect(&context, ATTEMPT).await?;
            let question = v1::GetCheckpointRequest::default();
            let mut client = LogServiceClient::new(channel.clone());
            let answer = rpc::call(ATTEMPT, client.get_checkpoint(question)).await?;
            Ok::<_, Failure>((channel, answer.size))
        };
        match attempt.await {
            Ok((channel, size)) if size == written.size => return Ok(channel),
            Ok((_, size)) => {
                let text = format!("{size} of {} entries are there", written.size);
                return Err(Failure::new(Exit::Failed, text));
            }
            Err(failure) if Instant::now() >= end => return Err(failure),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Opens so many watches and waits until each has heard something.
async fn watch_all(
    network: &Network,
    first: Channel,
    watches: u16,
) -> Result<Vec<Streaming<v1::WatchNoticesResponse>>, Failure> {
    let mut channels = vec![first];
    let context = network.context_of(MEMBER)?;
    while watches > 0 && channels.len() < CONNECTIONS {
        channels.push(connect(&context, PATIENCE).await?);
    }
    let mut opening = JoinSet::new();
    for channel in channels.iter().cycle().take(usize::from(watches)) {
        let mut client = NoticeServiceClient::new(channel.clone());
        opening.spawn(async move {
            let request = v1::WatchNoticesRequest {
                include_snapshot: true,
                start: v1::WatchStart::Beginning.into(),
                ..v1::WatchNoticesRequest::default()
            };
            let stream = client.watch_notices(request).await;
            let mut stream = stream.map_err(|s| rpc::failure(&s))?.into_inner();
            stream.message().await.map_err(|s| rpc::failure(&s))?;
            Ok::<_, Failure>(stream)
        });
    }
    let mut open = Vec::new();
    while let Some(opened) = opening.join_next().await {
        let lost = |e| Failure::new(Exit::Failed, format!("a watch ended: {e}"));
        open.push(opened.map_err(lost)??);
    }
    Ok(open)
}

/// The bytes of a process that are in memory (proc(5), `VmRSS`).
fn resident(process: &Path) -> Result<u64, Failure> {
    let path = process.join("status");
    let status = std::fs::read_to_string(&path).map_err(|e| Failure::file(&path, "read", &e))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    let unknown = || Failure::new(Exit::Failed, "the system does not tell a process's memory");
    kibibytes
        .map(|kibibytes: u64| kibibytes * 1_024)
        .ok_or_else(unknown)
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}
