//! Rows through the screener: two or more threads read and screen in turn, and what they find is
//! taken in the order of the file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tocsin_screen::index::Scratch;
use tocsin_screen::line::Line;

use crate::declarations::field::Field;
use crate::declarations::filed::Filing;
use crate::declarations::rows::{Reject, Row, Rows};
use crate::declarations::source::Source;
use crate::failure::Failure;

/// Stretches that may be read before the first of them has been taken: what bounds memory while
/// one of them is slow.
const MAX_AHEAD: u64 = 16;
/// Threads that screen, at most; reading is done by one of them at a time.
const MAX_WORKERS: usize = 4;

/// What was found in one stretch of rows.
#[derive(Debug)]
pub(super) struct Batch<T> {
    /// Rows screened.
    pub(super) rows: u64,
    /// Number of the last row, screened or not; everything up to it is in this stretch or before.
    pub(super) last: u64,
    /// Bytes of the file taken when it had been read.
    pub(super) taken: u64,
    /// What could not be read.
    pub(super) rejects: Vec<Reject>,
    /// What the work left.
    pub(super) found: T,
}

/// A row at work: where it stands, and all that it says.
#[derive(Debug)]
pub(super) struct At<'a> {
    /// The stretch it is of.
    pub(super) rows: &'a Rows,
    /// Its place.
    pub(super) row: Row,
}

/// How far reading has come; one thread at a time has it.
struct Feed {
    source: Source,
    next: u64,
    taken: u64,
    is_over: bool,
    failure: Option<Failure>,
}

struct Shared<'a, W> {
    feed: Mutex<Feed>,
    room: Condvar,
    stop: &'a AtomicBool,
    constants: &'a [(Field, String)],
    skip: u64,
    work: W,
}

/// Reads `source` to its end, or until `stop` is set; says whether it came to the end. Rows up to
/// the `skip`th are passed over. `work` is done for each row, in any order; `take` is given the
/// stretches in the order of the file.
///
/// # Errors
/// When the file cannot be read on, or what `take` fails with.
pub(super) fn run<T, W>(
    source: Source,
    constants: &[(Field, String)],
    skip: u64,
    stop: &AtomicBool,
    work: W,
    mut take: impl FnMut(Batch<T>) -> Result<(), Failure>,
) -> Result<bool, Failure>
where
    T: Default + Send,
    W: Fn(&mut T, &At<'_>, &Line<'_>, &mut Scratch) + Sync,
{
    let shared = Shared {
        feed: Mutex::new(Feed {
            source,
            next: 0,
            taken: 0,
            is_over: false,
            failure: None,
        }),
        room: Condvar::new(),
        stop,
        constants,
        skip,
        work,
    };
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let outcome = std::thread::scope(|scope| {
        let (say, hear) = mpsc::sync_channel(MAX_WORKERS);
        for _ in 0..workers.clamp(1, MAX_WORKERS) {
            let (say, shared) = (say.clone(), &shared);
            scope.spawn(move || shared.serve(&say));
        }
        drop(say);
        let mut waiting: BTreeMap<u64, Batch<T>> = BTreeMap::new();
        let mut next = 0;
        for (place, batch) in &hear {
            waiting.insert(place, batch);
            while let Some(batch) = waiting.remove(&next) {
                if let Err(failure) = take(batch) {
                    shared.end();
                    return Err(failure);
                }
                next += 1;
                shared.taken(next);
            }
        }
        Ok(())
    });
    outcome?;
    let feed = shared.feed.into_inner();
    match feed.unwrap_or_else(PoisonError::into_inner).failure {
        Some(failure) => Err(failure),
        None => Ok(!stop.load(Ordering::Relaxed)),
    }
}

impl<W> Shared<'_, W> {
    fn lock(&self) -> MutexGuard<'_, Feed> {
        self.feed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) {
        self.lock().is_over = true;
        self.room.notify_all();
    }

    fn taken(&self, next: u64) {
        self.lock().taken = next;
        self.room.notify_all();
    }

    /// Reads the next stretch into `rows`; its place, and the bytes taken by then.
    fn read(&self, rows: &mut Rows) -> Option<(u64, u64)> {
        let mut feed = self.lock();
        while !feed.is_over && feed.next >= feed.taken + MAX_AHEAD {
            feed = self.room.wait(feed).unwrap_or_else(PoisonError::into_inner);
        }
        feed.is_over |= self.stop.load(Ordering::Relaxed);
        if feed.is_over {
            return None;
        }
        match feed.source.fill(rows) {
            Ok(more) => feed.is_over = !more,
            Err(failure) => {
                feed.failure = Some(failure);
                feed.is_over = true;
                return None;
            }
        }
        let place = feed.next;
        feed.next += 1;
        Some((place, feed.source.taken()))
    }

    fn serve<T>(&self, say: &mpsc::SyncSender<(u64, Batch<T>)>)
    where
        T: Default,
        W: Fn(&mut T, &At<'_>, &Line<'_>, &mut Scratch),
    {
        let mut scratch = Scratch::default();
        let mut rows = Rows::default();
        let _guard = EndOnPanic(self);
        loop {
            rows.clear();
            let Some((place, taken)) = self.read(&mut rows) else {
                self.room.notify_all();
                return;
            };
            let batch = self.screen(&mut rows, taken, &mut scratch);
            if say.send((place, batch)).is_err() {
                return;
            }
        }
    }

    fn screen<T>(&self, rows: &mut Rows, taken: u64, scratch: &mut Scratch) -> Batch<T>
    where
        T: Default,
        W: Fn(&mut T, &At<'_>, &Line<'_>, &mut Scratch),
    {
        let mut rejects = std::mem::take(&mut rows.rejects);
        let last = rows.rows().last().map_or(0, |row| row.number);
        let last = rejects.iter().map(|reject| reject.row).fold(last, u64::max);
        rejects.retain(|reject| reject.row > self.skip);
        let mut found = T::default();
        let mut screened = 0;
        let mut filing = Filing::default();
        let fresh = rows.rows().iter().filter(|row| row.number > self.skip);
        for row in fresh {
            let at = At { rows, row: *row };
            let ((), odd) = filing.row(rows, *row, self.constants, |line| {
                (self.work)(&mut found, &at, line, scratch);
            });
            rejects.extend(odd);
            screened += 1;
        }
        rejects.sort_by_key(|reject| reject.row);
        Batch {
            rows: screened,
            last,
            taken,
            rejects,
            found,
        }
    }
}

/// Lets nobody wait for a stretch that never comes.
struct EndOnPanic<'a, 'b, W>(&'a Shared<'b, W>);

impl<W> Drop for EndOnPanic<'_, '_, W> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declarations::input::Input;
    use crate::declarations::mapping::Mapping;

    fn source(rows: usize) -> Source {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.csv");
        let mut text = String::from("item,description\n");
        for row in 1..=rows {
            text.push_str(&format!("{row},a lamp of some length number {row}\n"));
        }
        std::fs::write(&path, text).unwrap();
        let input = Input::open(&path).unwrap();
        let mapping = Mapping::of([(Field::Item, "item".to_owned())]);
        let mut source = Source::open(&input, &mapping, None).unwrap();
        source.take(&mapping).unwrap();
        source
    }

    fn items(
        source: Source,
        skip: u64,
        stop: &AtomicBool,
        mut each: impl FnMut(usize) -> Result<(), Failure>,
    ) -> (Result<bool, Failure>, Vec<u32>) {
        let mut all = Vec::new();
        let work = |found: &mut Vec<u32>, _: &At<'_>, line: &Line<'_>, _: &mut Scratch| {
            found.push(line.number);
        };
        let ended = run(source, &[], skip, stop, work, |batch: Batch<Vec<u32>>| {
            assert_eq!(batch.found.len() as u64, batch.rows);
            all.extend(batch.found);
            each(all.len())
        });
        (ended, all)
    }

    #[test]
    fn what_is_found_comes_in_the_order_of_the_file() {
        let stop = AtomicBool::new(false);
        let (ended, all) = items(source(60_000), 0, &stop, |_| Ok(()));
        assert!(ended.unwrap());
        assert!(all.iter().copied().eq(1..=60_000));
        let (_, rest) = items(source(60_000), 12_345, &stop, |_| Ok(()));
        assert!(rest.iter().copied().eq(12_346..=60_000));
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_fault_of_ours_ends_the_work_and_nobody_waits() {
        let stop = AtomicBool::new(false);
        let work = |_: &mut (), _: &At<'_>, line: &Line<'_>, _: &mut Scratch| {
            assert_ne!(line.number, 5_000, "a fault");
        };
        let _ended = run(source(200_000), &[], 0, &stop, work, |_: Batch<()>| Ok(()));
    }

    #[test]
    fn it_ends_where_it_is_told_to_and_where_nobody_takes_more() {
        let stop = AtomicBool::new(false);
        let (ended, all) = items(source(200_000), 0, &stop, |_| {
            stop.store(true, Ordering::Relaxed);
            Ok(())
        });
        assert!(!ended.unwrap());
        assert!(!all.is_empty() && all.len() < 200_000);
        assert!(
            all.iter()
                .copied()
                .eq(1..=u32::try_from(all.len()).unwrap())
        );
        let stop = AtomicBool::new(false);
        let full = || Failure::usage("the disk is full");
        let (ended, _) = items(source(200_000), 0, &stop, |_| Err(full()));
        assert_eq!(ended.unwrap_err(), full());
    }
}
