//! The lists that officers work through: what stops goods, and what is to be looked at, the
//! gravest first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use tocsin_core::lookup::Outcome;

use super::found::of_word;
use crate::failure::Failure;

/// Lines of one list, at most; what is beyond stands in `hits.csv` alone, and is counted.
pub(super) const MAX_LISTED: usize = 200_000;

/// Where a line of `hits.csv` stands, ordered by how soon it is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    outcome: Outcome,
    score: u16,
    row: Reverse<u64>,
    offset: Reverse<u64>,
    length: u32,
}

/// What became of the lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Listed {
    /// Lines in `holds.csv`.
    pub(super) holds: u64,
    /// Lines in `reviews.csv`.
    pub(super) reviews: u64,
    /// Lines to review that are not in it.
    pub(super) cut: u64,
    /// Score of the last one in it.
    pub(super) cut_score: u16,
    /// Lines that stop goods and found no room.
    pub(super) holds_cut: u64,
}

/// Writes both lists from a whole `hits.csv`. Of what is to be looked at, only the first `budget`
/// are listed.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn rank(
    hits: &Path,
    holds: &Path,
    reviews: &Path,
    budget: Option<usize>,
) -> Result<Listed, Failure> {
    let unread = |e: std::io::Error| Failure::file(hits, "read", &e);
    let file = File::open(hits).map_err(unread)?;
    let mut to_stop = Top::new(MAX_LISTED);
    let mut to_look = Top::new(budget.unwrap_or(MAX_LISTED).min(MAX_LISTED));
    let mut reader = BufReader::with_capacity(1 << 18, &file);
    let (mut line, mut offset, mut head) = (Vec::new(), 0_u64, 0);
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(unread)?;
        if length == 0 {
            break;
        }
        if offset == 0 {
            head = length;
        } else if let Some((stops, place)) = place(&line, offset) {
            if stops {
                to_stop.put(place);
            } else {
                to_look.put(place);
            }
        }
        offset += length as u64;
    }
    let heading = read_at(&file, 0, head).map_err(unread)?;
    let mut listed = Listed {
        holds_cut: to_stop.cut,
        cut: to_look.cut,
        ..Listed::default()
    };
    let to_stop = to_stop.sorted();
    let to_look = to_look.sorted();
    listed.holds = to_stop.len() as u64;
    listed.reviews = to_look.len() as u64;
    listed.cut_score = to_look.last().map_or(0, |place| place.score);
    write(&file, holds, &heading, &to_stop)?;
    write(&file, reviews, &heading, &to_look)?;
    Ok(listed)
}

/// The best so many places.
struct Top {
    most: usize,
    heap: BinaryHeap<Reverse<Place>>,
    cut: u64,
}

impl Top {
    const fn new(most: usize) -> Self {
        Self {
            most,
            heap: BinaryHeap::new(),
            cut: 0,
        }
    }

    fn put(&mut self, place: Place) {
        self.heap.push(Reverse(place));
        if self.heap.len() > self.most {
            self.heap.pop();
            self.cut += 1;
        }
    }

    fn sorted(self) -> Vec<Place> {
        let mut places: Vec<Place> = self.heap.into_iter().map(|Reverse(place)| place).collect();
        places.sort_by_key(|place| Reverse(*place));
        places
    }
}

/// Which list a line of `hits.csv` is for: that of its row, for an officer looks at a row once.
/// None for what a suppression took out, or what says less than its row.
fn place(line: &[u8], offset: u64) -> Option<(bool, Place)> {
    let head = line.get(..line.len().min(200))?;
    let head = String::from_utf8_lossy(head);
    let mut cells = head.split(',').map(|cell| cell.trim_matches('"'));
    let row = cells.next()?.parse().ok()?;
    let of_row = of_word(cells.next()?)?;
    let outcome = of_word(cells.next()?)?;
    let score = cells.next()?.parse().ok()?;
    let is_suppressed = cells.next()? == "suppressed";
    if is_suppressed || (of_row >= Outcome::Held && outcome < Outcome::Held) {
        return None;
    }
    let place = Place {
        outcome,
        score,
        row: Reverse(row),
        offset: Reverse(offset),
        length: u32::try_from(line.len()).ok()?,
    };
    Some((outcome >= Outcome::Held, place))
}

fn write(hits: &File, path: &Path, heading: &[u8], places: &[Place]) -> Result<(), Failure> {
    let unwritten = |e: std::io::Error| Failure::file(path, "write", &e);
    let file = File::create(path).map_err(unwritten)?;
    let mut out = BufWriter::new(file);
    out.write_all(heading).map_err(unwritten)?;
    for place in places {
        let length = usize::try_from(place.length).unwrap_or(0);
        let line = read_at(hits, place.offset.0, length).map_err(unwritten)?;
        out.write_all(&line).map_err(unwritten)?;
    }
    let file = out.into_inner().map_err(|e| unwritten(e.into_error()))?;
    file.sync_all().map_err(unwritten)
}

fn read_at(file: &File, offset: u64, length: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HITS: &str = "row,row_outcome,outcome,score,mark\n\
        1,\"review\",\"review\",500,,\"a\"\n\
        2,\"blocked\",\"blocked\",900,,\"b\"\n\
        2,\"blocked\",\"review\",990,,\"c\"\n\
        3,\"held\",\"held\",1000,,\"d\"\n\
        4,\"review\",\"review\",700,,\"e\"\n\
        5,\"none\",\"review\",800,\"suppressed\",\"f\"\n\
        6,\"flagged\",\"flagged\",999,,\"g\"\n\
        7,\"review\",\"review\",700,\"expired\",\"h\"\n";

    fn ranked(budget: Option<usize>) -> (Listed, String, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("hits"), HITS).unwrap();
        let listed = rank(&path("hits"), &path("holds"), &path("reviews"), budget).unwrap();
        let text = |name: &str| {
            let text = std::fs::read_to_string(path(name)).unwrap();
            let lines = text
                .lines()
                .skip(1)
                .filter_map(|line| line.chars().rev().nth(1));
            lines.collect()
        };
        (listed, text("holds"), text("reviews"))
    }

    #[test]
    fn the_gravest_stand_first_and_a_row_is_looked_at_once() {
        let (listed, holds, reviews) = ranked(None);
        assert_eq!((holds.as_str(), reviews.as_str()), ("bd", "ehag"));
        assert_eq!((listed.holds, listed.reviews, listed.cut), (2, 4, 0));
    }

    #[test]
    fn a_budget_cuts_reviews_and_says_so_and_never_cuts_holds() {
        let (listed, holds, reviews) = ranked(Some(2));
        assert_eq!((holds.as_str(), reviews.as_str()), ("bd", "eh"));
        assert_eq!((listed.reviews, listed.cut, listed.cut_score), (2, 2, 700));
    }
}
