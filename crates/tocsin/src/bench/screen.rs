//! `tocsin bench screen`: how well and how fast goods and parties are found.

use std::path::PathBuf;

use clap::Args;
use tocsin_cli::failure::Failure;
use tocsin_cli::output::Output;

use super::quality;
use super::report::Report;

/// What is measured.
#[derive(Args, Clone, Debug)]
pub struct ScreenArgs {
    /// Scores the labelled sets in this folder: precision, recall and F1 at the shipped thresholds,
    /// for each band and script, beside a plain token-set ratio at its best threshold
    ///
    /// A set is a CSV file that is told by its columns, whatever else it has. Pairs of names: name1,
    /// name2, is_match (true or false). Pairs of goods: left, right, same_product (1 or 0). A list
    /// of organisations: ent_num, name; and their other names: ent_num, alt_name. Goods to build
    /// orders of: brand, model. Files with other columns are passed over, and named.
    #[arg(long, value_name = "DIR")]
    pub quality: PathBuf,
}

/// Measures, and tells.
///
/// # Errors
/// What could not be read or written.
pub(super) fn run(args: &ScreenArgs, out: &mut Output) -> Result<(), Failure> {
    let mut report = Report::new("screen");
    quality::run(&args.quality, &mut report, out)?;
    report.finish(out)
}
