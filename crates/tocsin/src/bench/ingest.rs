//! `tocsin bench ingest`: durable signed submissions a second.

use std::path::Path;
use std::sync::Arc;

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc::call;
use tocsin_core::roster::Role;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tonic::transport::Channel;

use super::RunArgs;
use super::author::{Author, BODY_BYTES};
use super::echo::{Echo, connections_to};
use super::etcd;
use super::load::{self, Counted, Source};
use super::report::{Figure, Limit, Report, Target, Term, Unit};
use super::terms;
use crate::demo::Folder;
use crate::demo::network::{LABEL, Network, PATIENCE};

/// The one member: nobody follows it, so that nothing but its node and its client is measured.
const MEMBER: &str = "us";
/// Connections that the calls in flight share.
const CONNECTIONS: usize = 4;
/// What part of the limit is to be reached.
const TARGET: Target = Target::AtLeast(0.65);

/// Measures, and tells.
///
/// # Errors
/// What could not be started or was refused.
pub(super) async fn run(args: &RunArgs, out: &mut Output) -> Result<(), Failure> {
    let folder = Folder::make(args.dir.as_deref())?;
    let network = Network::found(&folder.path, &[MEMBER.to_owned()])?;
    let mut keys = network.keys(MEMBER, Role::Investigator)?;
    let key = keys
        .pop()
        .ok_or_else(|| Failure::new(Exit::Failed, "no key"))?;
    let author = Arc::new(Author::new(format!("{LABEL}/{MEMBER}"), key));
    let mut report = Report::new("ingest");

    let limits = limits(args, &network, &author).await?;
    network.spawn(MEMBER)?;
    network.ready(MEMBER).await?;
    let channels = connections_to(&network, MEMBER, CONNECTIONS).await?;
    let source: Source = {
        let author = Arc::clone(&author);
        Arc::new(move || author.report())
    };
    let unary = load::unary(&channels, load::IN_FLIGHT, args.seconds, &source).await?;
    let logged = logged(&channels).await?;
    if logged < unary.answers {
        let text = format!("{} answers and {logged} entries", unary.answers);
        return Err(Failure::new(Exit::Failed, text));
    }
    let figure = Figure::shown("unary, 64 in flight", unary.rate, Unit::PerSecond)
        .against(limits.unary, TARGET)
        .remark(latencies(&unary));
    report.add(figure, out)?;
    let streamed = load::streams(
        channels.get(..load::STREAMS).unwrap_or(&channels),
        args.seconds,
        &source,
    );
    let streamed = streamed.await?;
    let name = format!("SubmitStream, {} streams", load::STREAMS);
    let figure = Figure::shown(name, streamed.rate, Unit::PerSecond).against(limits.stream, TARGET);
    report.add(figure, out)?;
    network.kill(MEMBER)?;
    beside(args, &folder.path, &mut report, out).await?;
    report.finish(out)
}

/// The two limits.
struct Limits {
    unary: Limit,
    stream: Limit,
}

async fn limits(args: &RunArgs, network: &Network, author: &Author) -> Result<Limits, Failure> {
    let (entry, _) = author.signed()?;
    let (message, span) = (entry.message(), args.seconds / 4);
    let (sign, verify) = tokio::task::block_in_place(|| {
        let sign = terms::sign(author.key(), &message, span)?;
        Ok::<_, Failure>((sign, terms::verify_strict(author.key(), &message, span)?))
    })?;
    let echo = Echo::start(network, MEMBER, CONNECTIONS).await?;
    let request = author.report()?;
    let same: Source = Arc::new(move || Ok(request.clone()));
    let unary = echo.unary(args.seconds / 2, &same).await?;
    let stream = echo.streams(args.seconds / 2, &same).await?;
    network.kill(MEMBER)?;
    let sum = |echo: Term| Limit::sum_of(vec![echo, verify.clone(), sign.clone()]);
    Ok(Limits {
        unary: sum(unary),
        stream: sum(stream),
    })
}

/// Entries that the node has committed and signed.
async fn logged(channels: &[Channel]) -> Result<u64, Failure> {
    let channel = channels.first().cloned();
    let channel = channel.ok_or_else(|| Failure::new(Exit::Failed, "no connection"))?;
    let mut client = LogServiceClient::new(channel);
    let question = v1::GetCheckpointRequest::default();
    let answer = call(PATIENCE, client.get_checkpoint(question)).await?;
    Ok(answer.size)
}

fn latencies(counted: &Counted) -> String {
    let of = |percent| terms::percentile(counted.times.clone(), percent).as_secs_f64() * 1e3;
    format!("answered in {:.1} ms (p50), {:.1} ms (p99)", of(50), of(99))
}

async fn beside(
    args: &RunArgs,
    dir: &Path,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    match etcd::puts(dir, BODY_BYTES, args.seconds).await? {
        Some(rate) => {
            let name = format!("beside it: etcd put, {} in flight", etcd::IN_FLIGHT);
            let figure = Figure::shown(name, rate, Unit::PerSecond);
            report.add(figure.remark("durable; no signatures, no TLS"), out)
        }
        None => report.say(
            "beside it: etcd is not installed (Debian: etcd-server)",
            out,
        ),
    }
}
