//! `tocsin bench screen`: how well and how fast goods and parties are found.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_screen::index::Screen;

use super::report::{Figure, Report, Target, Unit};
use super::{made, quality, rate};

/// What is measured.
#[derive(Args, Clone, Debug)]
pub struct ScreenArgs {
    /// Scores the labelled sets in this folder: precision, recall and F1 at the shipped thresholds,
    /// for each band and script, beside a plain token-set ratio at its best threshold
    ///
    /// A set is a CSV file that is told by its columns, whatever else it has. Pairs of names:
    /// name1, name2, is_match (true or false). Pairs of goods: left, right, same_product (1 or 0).
    /// A list of organisations: ent_num, name; and their other names: ent_num, alt_name. Goods to
    /// build orders of: brand, model. Files with other columns are passed over, and named.
    #[arg(long, value_name = "DIR")]
    pub quality: Option<PathBuf>,
    /// Blocks in force, for the rates; measured without --quality
    #[arg(long, default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=2_000_000))]
    pub blocks: u64,
    /// Lines of the made file, one in a thousand of which meets a block
    #[arg(long, default_value_t = 300_000)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub lines: u64,
    /// Also against ten times the blocks, which takes about 3 GB at 100,000
    #[arg(long)]
    pub tenfold: bool,
}

/// Measures, and tells.
///
/// # Errors
/// What could not be read or written.
pub(super) fn run(args: &ScreenArgs, out: &mut Output) -> Result<(), Failure> {
    let mut report = Report::new("screen");
    match &args.quality {
        Some(folder) => quality::run(folder, &mut report, out)?,
        None => rates(args, &mut report, out)?,
    }
    report.finish(out)
}

/// How fast blocks become a screen and lines are checked, each beside what is asked for.
fn rates(args: &ScreenArgs, report: &mut Report, out: &mut Output) -> Result<(), Failure> {
    let notices: Vec<_> = (0..args.blocks).map(made::notice).collect();
    let started = Instant::now();
    let screen = Screen::build(notices, made::basis());
    let built = micros(started.elapsed());
    let asked = "what is asked for";
    let name = format!("a screen of {} blocks, built", args.blocks);
    report.add(
        Figure::shown(name, built, Unit::Microseconds).against_value(
            MOST_BUILD * args.blocks as f64 / BLOCKS,
            "2 s for 100,000 blocks",
            Target::AtMost(1.0),
        ),
        out,
    )?;
    let bytes = screen.index_bytes() as f64 / args.blocks as f64;
    report.add(
        Figure::shown("memory for finding a block", bytes, Unit::Bytes)
            .against_value(MOST_BYTES, asked, Target::AtMost(1.0))
            .remark("without the notice itself, which the screen shares with whoever has it"),
        out,
    )?;
    let changed = change(&screen, args.blocks);
    report.add(
        Figure::shown(
            "a screen with one block more, slowest of 50",
            changed,
            Unit::Microseconds,
        )
        .against_value(MOST_CHANGE, asked, Target::AtMost(1.0)),
        out,
    )?;
    let file = made::file(args.lines, args.blocks);
    let (alone, one) = one_core(&file, &screen, report, out)?;
    let (screened, took) = rate::screen_side_by_side(&file, 2, &screen).map_err(unread)?;
    let two = screened.lines as f64 / took.as_secs_f64();
    report.add(
        Figure::shown("lines screened on two cores", two, Unit::PerSecond).against_value(
            one,
            "one core",
            Target::AtLeast(1.8),
        ),
        out,
    )?;
    let [none, flagged, review, held, blocked] = screened.outcomes;
    report.say(
        &format!(
            "{none} none, {flagged} flagged, {review} review, {held} held, {blocked} blocked; \
             the file alone is read at {alone:.0} lines a second"
        ),
        out,
    )?;
    if args.tenfold {
        drop(screen);
        tenfold(args, one, report, out)?;
    }
    Ok(())
}

/// The rate of the csv crate alone, and that of screening, the better of two each.
fn one_core(
    file: &[u8],
    screen: &Screen,
    report: &mut Report,
    out: &mut Output,
) -> Result<(f64, f64), Failure> {
    let (mut alone, mut one) = (0.0_f64, 0.0_f64);
    for _ in 0..2 {
        let (lines, took) = rate::read_alone(file).map_err(unread)?;
        alone = alone.max(lines as f64 / took.as_secs_f64());
        let started = Instant::now();
        let screened = rate::screen(file, true, screen).map_err(unread)?;
        one = one.max(screened.lines as f64 / started.elapsed().as_secs_f64());
    }
    let figure = || Figure::shown("lines screened on one core", one, Unit::PerSecond);
    let read = "the csv crate alone, reading the same file";
    report.add(
        figure().against_value(alone, read, Target::AtLeast(0.25)),
        out,
    )?;
    let asked = "what is asked for";
    report.add(
        figure().against_value(LEAST_LINES, asked, Target::AtLeast(1.0)),
        out,
    )?;
    Ok((alone, one))
}

/// The slowest of some changes (microseconds).
fn change(screen: &Screen, blocks: u64) -> f64 {
    let mut next = screen.clone();
    let times = (0..50).map(|more| {
        let notice = made::notice(blocks + more);
        let started = Instant::now();
        next = next.with([notice], made::basis());
        micros(started.elapsed())
    });
    times.fold(0.0, f64::max)
}

fn tenfold(
    args: &ScreenArgs,
    one: f64,
    report: &mut Report,
    out: &mut Output,
) -> Result<(), Failure> {
    let blocks = args.blocks * 10;
    let screen = Screen::build((0..blocks).map(made::notice), made::basis());
    let file = made::file(args.lines, blocks);
    let started = Instant::now();
    let screened = rate::screen(file.as_slice(), true, &screen).map_err(unread)?;
    let tenfold = screened.lines as f64 / started.elapsed().as_secs_f64();
    let name = "time of a line against ten times the blocks";
    report.add(
        Figure::shown(name, 1e6 / tenfold, Unit::Microseconds).against_value(
            1e6 / one,
            "against the blocks",
            Target::AtMost(1.3),
        ),
        out,
    )
}

fn unread(e: csv::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the made file cannot be read: {e}"))
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

/// The number of blocks that the times asked for speak of.
const BLOCKS: f64 = 100_000.0;
/// How long building so many may take (microseconds).
const MOST_BUILD: f64 = 2e6;
/// Bytes of memory that a block may take.
const MOST_BYTES: f64 = 2_048.0;
/// How long one change may take (microseconds).
const MOST_CHANGE: f64 = 100_000.0;
/// Lines a second on one core.
const LEAST_LINES: f64 = 300_000.0;
