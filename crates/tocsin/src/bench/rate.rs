//! How fast lines are screened, and how fast blocks become a screen.

use std::io::Read;
use std::time::{Duration, Instant};

use tocsin_core::lookup::Outcome;
use tocsin_screen::index::{Scratch, Screen};
use tocsin_screen::line::{Identifier, Line, Party, Role, Scheme};

use super::made::NOW;

/// What came of a file.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Screened {
    pub(super) lines: u64,
    /// By outcome: none, flagged, review, held, blocked.
    pub(super) outcomes: [u64; 5],
}

/// Reads a file with the csv crate and does nothing else with it.
pub(super) fn read_alone(file: &[u8]) -> Result<(u64, Duration), csv::Error> {
    let started = Instant::now();
    let mut reader = csv::Reader::from_reader(file);
    let mut record = csv::ByteRecord::new();
    let mut lines = 0;
    while reader.read_byte_record(&mut record)? {
        lines += u64::from(!record.is_empty());
    }
    Ok((lines, started.elapsed()))
}

/// Reads a file and screens every line of it.
pub(super) fn screen(
    file: impl Read,
    has_headers: bool,
    screen: &Screen,
) -> Result<Screened, csv::Error> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(has_headers)
        .from_reader(file);
    let mut record = csv::StringRecord::new();
    let mut scratch = Scratch::default();
    let mut screened = Screened::default();
    while reader.read_record(&mut record)? {
        let outcome = check(&record, screen, &mut scratch);
        screened.lines += 1;
        let at = match outcome {
            Outcome::None => 0,
            Outcome::Flagged => 1,
            Outcome::Review => 2,
            Outcome::Held => 3,
            Outcome::Blocked => 4,
        };
        if let Some(count) = screened.outcomes.get_mut(at) {
            *count += 1;
        }
    }
    Ok(screened)
}

/// A row as a line, with every field that the screener compares.
fn check(record: &csv::StringRecord, screen: &Screen, scratch: &mut Scratch) -> Outcome {
    let field = |at: usize| record.get(at).unwrap_or_default();
    let eori = [Identifier {
        scheme: Scheme::Eori,
        value: field(7),
    }];
    let party = |role, at| Party {
        role,
        name: field(at),
        identifiers: &[],
        country: "",
    };
    let parties = [
        Party {
            identifiers: &eori,
            ..party(Role::Importer, 6)
        },
        party(Role::Exporter, 8),
        party(Role::Consignee, 9),
        party(Role::Manufacturer, 10),
    ];
    let line = Line {
        declaration: field(0),
        tariffs: &[field(3)],
        tariff_country: "EU",
        tariff_edition: 2026,
        description: field(4),
        origin: field(5),
        parties: &parties,
        brands: &[field(11)],
        models: &[field(12)],
        gtins: &[field(13)],
        serials: &[field(14)],
        containers: &[field(15)],
        ..Line::BLANK
    };
    screen.check_with(&line, NOW, scratch).outcome
}

/// The same on so many threads, each with a stretch of the file.
pub(super) fn screen_side_by_side(
    file: &[u8],
    threads: usize,
    on: &Screen,
) -> Result<(Screened, Duration), csv::Error> {
    let stretches = stretches(file, threads);
    let started = Instant::now();
    let results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = stretches
            .into_iter()
            .map(|stretch| scope.spawn(move || screen(stretch, false, on)))
            .collect();
        workers
            .into_iter()
            .map(std::thread::ScopedJoinHandle::join)
            .collect()
    });
    let took = started.elapsed();
    let mut total = Screened::default();
    for result in results {
        // A thread that panicked has said so; its lines are missing from the sum.
        let part = result.unwrap_or_else(|_| Ok(Screened::default()))?;
        total.lines += part.lines;
        for (sum, count) in total.outcomes.iter_mut().zip(part.outcomes) {
            *sum += count;
        }
    }
    Ok((total, took))
}

/// Cuts a file without its header at ends of lines; quoted fields of made files hold none.
fn stretches(file: &[u8], count: usize) -> Vec<&[u8]> {
    let end_of_line = |from: usize| {
        let rest = file.get(from..).unwrap_or_default();
        rest.iter()
            .position(|byte| *byte == b'\n')
            .map_or(file.len(), |at| from + at + 1)
    };
    let mut from = end_of_line(0);
    let size = (file.len() - from).div_ceil(count.max(1));
    let mut stretches = Vec::new();
    while from < file.len() {
        let to = end_of_line((from + size).min(file.len()));
        stretches.extend(file.get(from..to));
        from = to;
    }
    stretches
}
