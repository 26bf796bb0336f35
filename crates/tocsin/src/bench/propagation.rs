//! `tocsin bench propagation`: from an officer's submit at one member to a subscriber at another.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_cli::rpc::call;
use tocsin_core::roster::Role;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tonic::transport::Channel;

use super::RunArgs;
use super::author::Author;
use super::echo::{Echo, connections_to};
use super::fanout;
use super::load::{self, Source};
use super::officers::Officers;
use super::report::{Figure, Limit, Report, Target, Term, Unit};
use super::terms;
use super::watcher::Watcher;
use crate::demo::Folder;
use crate::demo::network::{GLANCE, LABEL, Network, PATIENCE};

/// The issuer.
const ISSUER: &str = "us";
/// Decides by policy; the subscriber is there.
pub(super) const DECIDER: &str = "de";
/// All of them: a quorum is four.
const MEMBERS: [&str; 5] = [ISSUER, DECIDER, "jp", "kr", "fr"];
/// Bytes of a commit of one order, with the note of the one before.
const COMMIT_BYTES: usize = 1_024;
/// Orders before those that are measured.
const WARM_UP: usize = 3;
/// The fewest of which a share in a hundred says anything.
const LEAST: usize = 20;

/// Measures, and tells.
///
/// # Errors
/// What could not be started, was refused or did not arrive.
pub(super) async fn run(args: &RunArgs, out: &mut Output) -> Result<(), Failure> {
    let folder = Folder::make(args.dir.as_deref())?;
    let network = Network::found(&folder.path, &MEMBERS.map(str::to_owned))?;
    fanout::admit(&network)?;
    let officers = Officers::of(&network, ISSUER)?;
    let parts = Parts::measure(args, &folder, &network, &officers).await?;
    for member in MEMBERS {
        network.spawn(member)?;
    }
    for member in MEMBERS {
        network.ready(member).await?;
    }
    let mut walk = Walk::begin(&network, officers).await?;
    let mut report = Report::new("propagation");

    let quiet = Quiet::among(&network).await?;
    for _ in 0..WARM_UP {
        walk.once(Some(&quiet)).await?;
    }
    let alone = walk.measure(args.seconds, Some(&quiet)).await?;
    let limits = [parts.order(), parts.withdrawal()];
    alone.add("alone", &limits, &mut report, out)?;
    let both = median(&alone.withdrawals) / median(&alone.orders);
    let figure = Figure::shown("withdrawal beside order, p50", both, Unit::Times);
    report.add(
        figure.against_value(1.0, "an order's p50", Target::AtMost(1.2)),
        out,
    )?;

    under_load(args, &network, &mut walk, &mut report, out).await?;
    fanout::measure(&network, &walk, &mut report, out).await?;
    report.finish(out)
}

/// The parts of the way, measured alone but for signatures.
struct Parts {
    hop: f64,
    flush: f64,
    sign: f64,
    verify: f64,
}

impl Parts {
    async fn measure(
        args: &RunArgs,
        folder: &Folder,
        network: &Network,
        officers: &Officers,
    ) -> Result<Self, Failure> {
        let span = args.seconds / 4;
        let (key, message) = officers.signing()?;
        let (flush, sign, verify) = tokio::task::block_in_place(|| {
            let flush = terms::flush(&folder.path, COMMIT_BYTES, span)?;
            let sign = terms::sign(key, &message, span)?;
            Ok::<_, Failure>((flush, sign, terms::verify_strict(key, &message, span)?))
        })?;
        let echo = Echo::start(network, ISSUER, 1).await?;
        let (request, _) = officers.order()?;
        let same: Source = Arc::new(move || Ok(request.clone()));
        let call = echo.hop(span, &same).await?;
        network.kill(ISSUER)?;
        // With both cores busy: one call takes as long as so many are made at once.
        let one = |rate: f64| terms::cores() as f64 / rate * 1e6;
        Ok(Self {
            hop: call.value / 2.0,
            flush: flush.value,
            sign: one(sign.value),
            verify: one(verify.value),
        })
    }

    /// Client to issuer, issuer to decider, decider to subscriber. Flushed are the order at the
    /// issuer, its mirror, and the decision, each with the signer's or mirror's state. Two officers
    /// sign, both nodes sign a note, and the decider its decision. Both signatures on the order are
    /// verified at both nodes, and at the decider the issuer's note and the decision's.
    fn order(&self) -> Limit {
        self.limit(3.0, 6.0, 5.0, 6.0)
    }

    /// The same without a decision.
    fn withdrawal(&self) -> Limit {
        self.limit(3.0, 4.0, 3.0, 5.0)
    }

    fn limit(&self, hops: f64, flushes: f64, signs: f64, verifies: f64) -> Limit {
        let term = |name, each: f64, count: f64| Term {
            name,
            value: each * count,
            unit: Unit::Microseconds,
            reference: None,
        };
        let mut limit = Limit::total(vec![
            term("hops", self.hop, hops),
            term("flushes", self.flush, flushes),
            term("signatures", self.sign, signs),
            term("verifications", self.verify, verifies),
        ]);
        limit.formula = format!(
            "{hops} hops of {:.0} us + {flushes} flushes of {:.0} us + {signs} signatures of \
             {:.0} us + {verifies} verifications of {:.0} us",
            self.hop, self.flush, self.sign, self.verify
        );
        limit
    }
}

/// How long orders and withdrawals took, microseconds.
#[derive(Debug, Default)]
struct Taken {
    orders: Vec<Duration>,
    withdrawals: Vec<Duration>,
}

impl Taken {
    fn add(
        &self,
        when: &str,
        [order, withdrawal]: &[Limit; 2],
        report: &mut Report,
        out: &mut Output,
    ) -> Result<(), Failure> {
        let kinds = [
            ("order", &self.orders, order),
            ("withdrawal", &self.withdrawals, withdrawal),
        ];
        for (kind, times, limit) in kinds {
            for (percent, most) in [(50, 3.0), (99, 5.0)] {
                let value = microseconds(times, percent);
                let name = format!("{kind}, {when}, p{percent}");
                let figure = Figure::shown(name, value, Unit::Microseconds)
                    .against(limit.clone(), Target::AtMost(most))
                    .remark(format!("of {}", times.len()));
                report.add(figure, out)?;
            }
        }
        Ok(())
    }
}

/// The way that is measured.
pub(super) struct Walk {
    officers: Officers,
    issuer: SubmitServiceClient<Channel>,
    watcher: Watcher,
}

impl Walk {
    async fn begin(network: &Network, officers: Officers) -> Result<Self, Failure> {
        let issuer = one_connection(network, ISSUER).await?;
        let decider = one_connection(network, DECIDER).await?;
        let pack = Officers::of(network, DECIDER)?.pack(&DECIDER.to_uppercase())?;
        let mut client = SubmitServiceClient::new(decider.clone());
        call(PATIENCE, client.submit(pack)).await?;
        Ok(Self {
            officers,
            issuer: SubmitServiceClient::new(issuer),
            watcher: Watcher::open(decider).await?,
        })
    }

    /// Who issues.
    pub(super) const fn officers(&self) -> &Officers {
        &self.officers
    }

    /// A client of the issuer's.
    pub(super) fn issuer(&self) -> SubmitServiceClient<Channel> {
        self.issuer.clone()
    }

    /// One order and its withdrawal, each until the subscriber is told; alone, each when nothing
    /// of what was before is still on its way.
    async fn once(&mut self, quiet: Option<&Quiet>) -> Result<(Duration, Duration), Failure> {
        if let Some(quiet) = quiet {
            quiet.wait().await?;
        }
        let begun = Instant::now();
        let (request, order) = self.officers.order()?;
        let (answer, told) = tokio::join!(
            self.issuer.submit(request),
            self.watcher.told(&order, "flagged")
        );
        answer.map_err(|s| tocsin_cli::rpc::failure(&s))?;
        let issued = told?.duration_since(begun);
        if let Some(quiet) = quiet {
            quiet.wait().await?;
        }
        let begun = Instant::now();
        let request = self.officers.withdrawal(&order)?;
        let (answer, told) = tokio::join!(
            self.issuer.submit(request),
            self.watcher.told(&order, "withdrawn")
        );
        answer.map_err(|s| tocsin_cli::rpc::failure(&s))?;
        Ok((issued, told?.duration_since(begun)))
    }

    /// As many as fit into the time, and enough of them.
    async fn measure(&mut self, span: Duration, quiet: Option<&Quiet>) -> Result<Taken, Failure> {
        let (end, mut taken) = (Instant::now() + span, Taken::default());
        while Instant::now() < end || taken.orders.len() < LEAST {
            let (order, withdrawal) = self.once(quiet).await?;
            taken.orders.push(order);
            taken.withdrawals.push(withdrawal);
        }
        Ok(taken)
    }
}

/// Whether all members hold all that was said.
struct Quiet(Vec<LogServiceClient<Channel>>);

impl Quiet {
    async fn among(network: &Network) -> Result<Self, Failure> {
        let mut logs = Vec::new();
        for member in MEMBERS {
            logs.push(LogServiceClient::new(
                one_connection(network, member).await?,
            ));
        }
        Ok(Self(logs))
    }

    /// Waits until nobody lacks anything, and until the receipts for it have come back as well:
    /// until then disks are still being flushed.
    async fn wait(&self) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        for said in [ISSUER, DECIDER] {
            while !self.hold_all(said).await? {
                if Instant::now() >= end {
                    let text = format!("the members do not all hold the log of {said}");
                    return Err(Failure::new(Exit::Unreachable, text));
                }
                tokio::time::sleep(GLANCE).await;
            }
        }
        Ok(())
    }

    /// Whether all members have one size of a log, and all others' cosignatures of it.
    async fn hold_all(&self, log: &str) -> Result<bool, Failure> {
        let mut sizes = BTreeSet::new();
        let mut is_receipted = true;
        for client in &self.0 {
            let question = v1::GetCheckpointRequest {
                log: log.to_owned(),
            };
            let answer = call(PATIENCE, client.clone().get_checkpoint(question)).await?;
            is_receipted &= answer.size == 0 || answer.cosigners.len() + 1 == MEMBERS.len();
            sizes.insert(answer.size);
        }
        Ok(sizes.len() == 1 && is_receipted)
    }
}

/// The same while reports come in at half the rate that these five nodes take.
async fn under_load(
    args: &RunArgs,
    network: &Network,
    walk: &mut Walk,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut keys = network.keys(ISSUER, Role::Investigator)?;
    let key = keys
        .pop()
        .ok_or_else(|| Failure::new(Exit::Failed, "no key"))?;
    let author = Arc::new(Author::new(format!("{LABEL}/{ISSUER}"), key));
    let source: Source = Arc::new(move || author.report());
    let channels = connections_to(network, ISSUER, 2).await?;
    let whole = load::unary(&channels, load::IN_FLIGHT, args.seconds / 2, &source).await?;
    let figure = Figure::shown("ingest with four mirrors", whole.rate, Unit::PerSecond);
    report.add(figure, out)?;
    let half = load::paced(&channels, whole.rate / 2.0, &source);
    let taken = walk.measure(args.seconds, None).await?;
    drop(half);
    for (kind, times) in [("order", &taken.orders), ("withdrawal", &taken.withdrawals)] {
        for percent in [50, 99] {
            let name = format!("{kind}, at half the ingest rate, p{percent}");
            let value = microseconds(times, percent);
            let figure = Figure::shown(name, value, Unit::Microseconds);
            report.add(figure.remark(format!("of {}", times.len())), out)?;
        }
    }
    Ok(())
}

async fn one_connection(network: &Network, member: &str) -> Result<Channel, Failure> {
    let channel = connections_to(network, member, 1).await?.pop();
    channel.ok_or_else(|| Failure::new(Exit::Failed, "no connection"))
}

fn median(times: &[Duration]) -> f64 {
    microseconds(times, 50)
}

fn microseconds(times: &[Duration], percent: usize) -> f64 {
    terms::percentile(times.to_vec(), percent).as_secs_f64() * 1e6
}
