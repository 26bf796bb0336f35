//! Screening at a node: lines in streams beside the raw stream of the same messages, look-ups
//! beyond their echo, and how soon a new order counts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tocsin_cli::connect::connect;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_result::Result as Said;
use tocsin_wire::proto::v1::screen_service_client::ScreenServiceClient;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::transport::Channel;

use super::RunArgs;
use super::echo::{self, Echo};
use super::officers::{FIRST_NUMBER, Officers, firm, gtin};
use super::report::{Figure, Limit, Report, Target, Term, Unit};
use super::terms::percentile;
use super::written;
use crate::demo::Folder;
use crate::demo::network::{GLANCE, Network, PATIENCE};

/// The one member.
const MEMBER: &str = "us";
/// Streams at once: one for each core of the machine that the limits speak of.
const STREAMS: usize = 2;
/// Lines of one message.
const LINES: u32 = 100;
/// Messages that are made before, and sent again and again.
const MESSAGES: u32 = 64;
/// One line in so many names an order's goods.
const ONE_HIT_IN: u32 = 1_000;
/// Orders that are watched until they count.
const SWAPS: usize = 20;
/// What one look-up may take beyond its echo (microseconds).
const MOST_LOOKUP: f64 = 5_000.0;
/// How soon an order counts (microseconds).
const MOST_SWAP: f64 = 100_000.0;
/// How long one attempt to connect to a node that reads its logs may take.
const ATTEMPT: Duration = Duration::from_millis(500);
/// The slowest log of orders that is waited for (entries a second).
const SLOWEST_PER_SECOND: u64 = 2_000;

/// How screening at a node is measured.
#[derive(Args, Clone, Debug)]
pub struct ServiceArgs {
    /// Orders in force; a million takes some minutes and 2 GB
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    pub blocks: u64,
    #[command(flatten)]
    pub run: RunArgs,
}

/// Measures, and tells.
///
/// # Errors
/// What could not be started or was refused.
pub(super) async fn run(args: &ServiceArgs, out: &mut Output) -> Result<(), Failure> {
    let mut report = Report::new("screen-service");
    measure(&args.run, args.blocks, &mut report, out).await?;
    report.finish(out)
}

async fn measure(
    args: &RunArgs,
    blocks: u64,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let folder = Folder::make(args.dir.as_deref())?;
    let network = Network::found(&folder.path, &[MEMBER.to_owned()])?;
    let messages = Arc::new(messages(blocks));
    let echo = Echo::start(&network, MEMBER, 1).await?;
    let channels = echo::connections_to(&network, MEMBER, STREAMS).await?;
    let raw = lines_a_second(&channels, &messages, args.seconds).await?;
    let hop = lookups(&channels, blocks, args.seconds).await?;
    drop((echo, channels));
    network.kill(MEMBER)?;

    let officers = Officers::of(&network, MEMBER)?;
    tokio::task::block_in_place(|| {
        let make = || officers.order_on_a_firm().map(|entry| (entry, Vec::new()));
        let (home, origin) = (network.home_of(MEMBER)?, network.origin_of(MEMBER)?);
        written::write_all(home, &origin, &make, blocks)
    })?;
    network.spawn(MEMBER)?;
    let patience = PATIENCE + Duration::from_secs(blocks / SLOWEST_PER_SECOND);
    let channels = screening(&network, blocks, patience).await?;
    let rate = lines_a_second(&channels, &messages, args.seconds).await?;
    let raw = Term {
        reference: None,
        ..Term::rate("raw stream", raw, 0.0)
    };
    report.add(
        Figure::shown("lines in streams", rate, Unit::PerSecond)
            .against(Limit::total(vec![raw]), Target::AtLeast(0.5))
            .remark(format!(
                "{STREAMS} streams, {LINES} lines a message, {blocks} blocks"
            )),
        out,
    )?;
    let took = lookups(&channels, blocks, args.seconds).await?;
    let beyond = micros(percentile(took, 99)) - micros(percentile(hop, 99));
    report.add(
        Figure::shown(
            "look-up beyond its echo, p99",
            beyond.max(0.0),
            Unit::Microseconds,
        )
        .against_value(MOST_LOOKUP, "5 ms", Target::AtMost(1.0))
        .remark(format!("{blocks} blocks")),
        out,
    )?;
    let swaps = swaps(&officers, &channels, &messages).await?;
    report.add(
        Figure::shown(
            "from a receipt to checks that know it, p99",
            micros(percentile(swaps, 99)),
            Unit::Microseconds,
        )
        .against_value(MOST_SWAP, "100 ms", Target::AtMost(1.0))
        .remark(format!("{SWAPS} orders, while a stream is checked")),
        out,
    )?;
    let resident = resident(&network)?;
    report.add(
        Figure::shown(
            "memory of the node",
            resident / f64::from(1 << 20),
            Unit::Mebibytes,
        )
        .remark(format!(
            "{:.0} bytes a block, its log and registry too",
            resident / blocks.max(1) as f64
        )),
        out,
    )
}

/// Connections to a node that screens against so many blocks.
async fn screening(
    network: &Network,
    blocks: u64,
    patience: Duration,
) -> Result<Vec<Channel>, Failure> {
    let end = Instant::now() + patience;
    let context = network.context_of(MEMBER)?;
    let mut channels = Vec::with_capacity(STREAMS);
    while channels.len() < STREAMS {
        match connect(&context, ATTEMPT).await {
            Ok(channel) => channels.push(channel),
            Err(failure) if Instant::now() >= end => return Err(failure),
            Err(_) => tokio::time::sleep(GLANCE).await,
        }
    }
    let first = channels
        .first()
        .cloned()
        .ok_or_else(|| failed("no connection"))?;
    let mut client = ScreenServiceClient::new(first);
    loop {
        let answer = client.screen(v1::ScreenRequest::default()).await;
        let known = answer.map(|answer| answer.into_inner().state.unwrap_or_default().blocks);
        match known {
            Ok(known) if known >= blocks => return Ok(channels),
            Ok(_) | Err(_) if Instant::now() < end => tokio::time::sleep(GLANCE).await,
            Ok(known) => return Err(failed(format!("{known} of {blocks} blocks are there"))),
            Err(status) => return Err(rpc::failure(&status)),
        }
    }
}

/// Lines as they are filed: firms, goods in words, a code, an origin; one in a thousand names an
/// order's goods.
fn messages(blocks: u64) -> Vec<v1::ScreenStreamRequest> {
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX).max(1);
    let messages = (0..MESSAGES).map(|message| {
        let lines = (0..LINES).map(|line| {
            let number = message * LINES + line;
            let is_hit = number.is_multiple_of(ONE_HIT_IN);
            // Numbers below the first order's belong to nobody.
            let goods = if is_hit {
                FIRST_NUMBER + number % blocks
            } else {
                number
            };
            self::line(number, goods)
        });
        v1::ScreenStreamRequest {
            jurisdiction: String::new(),
            lines: lines.collect(),
        }
    });
    messages.collect()
}

fn line(number: u32, goods: u32) -> v1::DeclarationLine {
    let party = |role: &str, number: u32| v1::DeclaredParty {
        role: role.to_owned(),
        name: firm(number),
        identifiers: Vec::new(),
        country: "DE".to_owned(),
    };
    let mut importer = party("importer", number.wrapping_mul(31) % 5_000);
    importer.identifiers.push(v1::DeclaredIdentifier {
        scheme: "eori".to_owned(),
        value: format!("DE{:09}", number % 5_000),
    });
    v1::DeclarationLine {
        declaration: format!("26DE{number:014}"),
        line: number % 9 + 1,
        tariff_codes: vec![format!("9405{:06}", number % 1_000_000)],
        tariff_country: "EU".to_owned(),
        description: format!("LED desk lamps, dimmable, {number} pieces in cartons"),
        origin: "CN".to_owned(),
        dispatch: "CN".to_owned(),
        parties: vec![importer, party("exporter", number.wrapping_mul(17) % 7_000)],
        gtins: vec![gtin(goods)],
        models: vec![format!("HX-{goods}")],
        ..v1::DeclarationLine::default()
    }
}

/// Answered lines a second, over one stream for each channel.
async fn lines_a_second(
    channels: &[Channel],
    messages: &Arc<Vec<v1::ScreenStreamRequest>>,
    span: Duration,
) -> Result<f64, Failure> {
    let begun = Instant::now();
    // The first quarter is not counted.
    let (from, until) = (begun + span / 4, begun + span / 4 + span);
    let mut tasks = JoinSet::new();
    for channel in channels {
        tasks.spawn(stream(channel.clone(), Arc::clone(messages), from, until));
    }
    let mut lines = 0;
    while let Some(task) = tasks.join_next().await {
        lines += task.map_err(failed)??;
    }
    Ok(lines as f64 / span.as_secs_f64())
}

/// Lines that one stream answered in the window.
async fn stream(
    channel: Channel,
    messages: Arc<Vec<v1::ScreenStreamRequest>>,
    from: Instant,
    until: Instant,
) -> Result<usize, Failure> {
    let (up, outgoing) = mpsc::channel(4);
    let making = tokio::spawn(async move {
        for message in messages.iter().cycle() {
            if Instant::now() >= until || up.send(message.clone()).await.is_err() {
                break;
            }
        }
    });
    let mut client = ScreenServiceClient::new(channel);
    let answers = client.screen_stream(ReceiverStream::new(outgoing)).await;
    let mut answers = answers.map_err(|s| rpc::failure(&s))?.into_inner();
    let mut lines = 0;
    while let Some(answer) = answers.message().await.map_err(|s| rpc::failure(&s))? {
        let now = Instant::now();
        if from <= now && now < until {
            lines += answer.results.len();
        }
    }
    making.await.map_err(failed)?;
    Ok(lines)
}

/// The times of look-ups one after another: numbers that an order has and that none has, firms,
/// words.
async fn lookups(
    channels: &[Channel],
    blocks: u64,
    span: Duration,
) -> Result<Vec<Duration>, Failure> {
    let channel = channels
        .first()
        .cloned()
        .ok_or_else(|| failed("no connection"))?;
    let mut client = ScreenServiceClient::new(channel);
    let blocks = u32::try_from(blocks).unwrap_or(u32::MAX).max(1);
    let end = Instant::now() + span;
    let mut times = Vec::new();
    for number in (0_u32..).take_while(|_| Instant::now() < end) {
        let order = FIRST_NUMBER + number.wrapping_mul(7_919) % blocks;
        let text = match number % 5 {
            0 => gtin(order),
            1 => gtin(number),
            2 => format!("HX-{order}"),
            3 => firm(order),
            _ => format!("dimmable desk lamps {number}"),
        };
        let request = v1::LookupRequest {
            text,
            jurisdiction: String::new(),
        };
        let begun = Instant::now();
        client.lookup(request).await.map_err(|s| rpc::failure(&s))?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// From the receipt of each of some orders to the first line that is blocked by it, while another
/// stream is checked.
async fn swaps(
    officers: &Officers,
    channels: &[Channel],
    messages: &Arc<Vec<v1::ScreenStreamRequest>>,
) -> Result<Vec<Duration>, Failure> {
    let [first, second, ..] = channels else {
        return Err(failed("no connections"));
    };
    let far = Instant::now() + PATIENCE + PATIENCE;
    let busy = tokio::spawn(stream(second.clone(), Arc::clone(messages), far, far));
    let (up, outgoing) = mpsc::channel(1);
    let mut client = ScreenServiceClient::new(first.clone());
    let answers = client.screen_stream(ReceiverStream::new(outgoing)).await;
    let mut answers = answers.map_err(|s| rpc::failure(&s))?.into_inner();
    let mut submit = SubmitServiceClient::new(first.clone());
    let mut times = Vec::new();
    for _ in 0..SWAPS {
        let (number, request) = officers.numbered_order()?;
        rpc::call(PATIENCE, submit.submit(request)).await?;
        let begun = Instant::now();
        while !is_blocked(&up, &mut answers, number).await? {
            if begun.elapsed() > PATIENCE {
                return Err(failed("an order is in force and blocks nothing"));
            }
        }
        times.push(begun.elapsed());
    }
    busy.abort();
    Ok(times)
}

async fn is_blocked(
    up: &mpsc::Sender<v1::ScreenStreamRequest>,
    answers: &mut Streaming<v1::ScreenStreamResponse>,
    number: u32,
) -> Result<bool, Failure> {
    let request = v1::ScreenStreamRequest {
        jurisdiction: String::new(),
        lines: vec![line(number, number)],
    };
    up.send(request).await.map_err(failed)?;
    let answer = answers.message().await.map_err(|s| rpc::failure(&s))?;
    let results = answer.map(|answer| answer.results).unwrap_or_default();
    Ok(results.iter().any(|result| match &result.result {
        Some(Said::Answer(answer)) => answer.outcome() == v1::Outcome::Blocked,
        Some(Said::Refused(_)) | None => false,
    }))
}

/// Bytes of the node that are in memory.
fn resident(network: &Network) -> Result<f64, Failure> {
    let path = network.process_of(MEMBER)?.join("status");
    let status = std::fs::read_to_string(&path).map_err(|e| Failure::file(&path, "read", &e))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
    kib.map(|kib| kib * 1_024.0)
        .ok_or_else(|| failed("the node's memory cannot be read"))
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failed, error.to_string())
}
