//! `tocsin bench terms`: what the limits rest on, held against a machine that is known.

use std::sync::Arc;

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_core::roster::Role;

use super::RunArgs;
use super::author::{Author, BODY_BYTES};
use super::echo::Echo;
use super::load::Source;
use super::report::{Figure, NOISY_BELOW, Report, Target, Term, Unit};
use super::terms;
use crate::demo::Folder;
use crate::demo::network::{LABEL, Network};

const MEMBER: &str = "us";
/// As many as a stream's node writes between two flushes when it is far behind.
const BATCH: usize = 256;

/// The machine of the references.
const KNOWN: &str = "two cores of an AMD EPYC of the third generation";

/// Measures, and tells.
///
/// # Errors
/// What could not be started or written.
pub(super) async fn run(args: &RunArgs, out: &mut Output) -> Result<(), Failure> {
    let folder = Folder::make(args.dir.as_deref())?;
    let network = Network::found(&folder.path, &[MEMBER.to_owned()])?;
    let mut keys = network.keys(MEMBER, Role::Investigator)?;
    let key = keys
        .pop()
        .ok_or_else(|| Failure::new(Exit::Failed, "no key"))?;
    let author = Author::new(format!("{LABEL}/{MEMBER}"), key);
    let (message, span) = (author.signed()?.0.message(), args.seconds);
    let mut report = Report::new("terms");
    let alone = tokio::task::block_in_place(|| {
        Ok::<_, Failure>([
            terms::sign(author.key(), &message, span)?,
            terms::verify_strict(author.key(), &message, span)?,
            terms::sha256(BODY_BYTES, span)?,
            terms::append(&folder.path, BODY_BYTES, BATCH, span)?,
            terms::flush(&folder.path, 4_096, span)?,
        ])
    })?;
    for term in alone {
        report.add(figure(term), out)?;
    }
    let echo = Echo::start(&network, MEMBER, 4).await?;
    let request = author.report()?;
    let same: Source = Arc::new(move || Ok(request.clone()));
    report.add(figure(echo.unary(span, &same).await?), out)?;
    report.add(figure(echo.hop(span, &same).await?), out)?;
    report.add(figure(echo.streams(span, &same).await?), out)?;
    report.add(figure(echo.server_stream(BODY_BYTES, span).await?), out)?;
    report.finish(out)
}

/// A term as a figure: it should not fall far behind the machine that is known.
fn figure(term: Term) -> Figure {
    let target = match term.unit {
        Unit::PerSecond | Unit::Share => Target::AtLeast(NOISY_BELOW),
        Unit::Microseconds | Unit::Mebibytes | Unit::Bytes | Unit::Times => {
            Target::AtMost(1.0 / NOISY_BELOW)
        }
    };
    let figure = Figure::shown(term.name, term.value, term.unit);
    match term.reference {
        Some(reference) => figure.against_value(reference, KNOWN, target),
        None => figure,
    }
}
