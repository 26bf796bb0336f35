//! The terms of the limits: what the libraries and the disk do at best on this machine, now.
//!
//! Rates are of all cores together, each busy with the same: that is what a node and its client
//! share. The references are of two cores of an AMD EPYC of the third generation.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use tocsin_cli::failure::{Exit, Failure};
use tocsin_log::hash::Hash;
use tocsin_log::key::{Signature, SigningKey};

use super::report::{Term, Unit};

/// Calls between two looks at the clock.
const AT_ONCE: u64 = 64;

/// Signatures over `message`.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn sign(key: &SigningKey, message: &[u8], span: Duration) -> Result<Term, Failure> {
    let rate = on_all_cores(span, || {
        std::hint::black_box(key.sign(std::hint::black_box(message)));
    })?;
    Ok(Term::rate("sign", rate, 87_000.0))
}

/// Strict verifications of a signature over `message`, by a key that was parsed before.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn verify_strict(
    key: &SigningKey,
    message: &[u8],
    span: Duration,
) -> Result<Term, Failure> {
    let (public, signature) = (key.public(), Signature(key.sign(message).0));
    let rate = on_all_cores(span, || {
        let checked = public.verify(std::hint::black_box(message), &signature);
        std::hint::black_box(checked.is_ok());
    })?;
    Ok(Term::rate("verify_strict", rate, 44_000.0))
}

/// SHA-256 over `bytes` of bytes, each at once.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn sha256(bytes: usize, span: Duration) -> Result<Term, Failure> {
    let message = vec![7; bytes];
    let rate = on_all_cores(span, || {
        std::hint::black_box(Hash::of(std::hint::black_box(&message)));
    })?;
    Ok(Term {
        reference: (bytes == 600).then_some(4_700_000.0),
        ..Term::rate("sha256", rate, 0.0)
    })
}

/// Records of `bytes` appended to one file by one writer, `batch` of them between two flushes
/// (fdatasync), while the other cores are busy signing.
///
/// # Errors
/// When the file cannot be written, or the system gives no thread.
pub(super) fn append(
    dir: &Path,
    bytes: usize,
    batch: usize,
    span: Duration,
) -> Result<Term, Failure> {
    let others = cores().saturating_sub(1);
    let end = Instant::now() + span;
    let key = SigningKey::from_seed([1; 32]);
    std::thread::scope(|scope| {
        for _ in 0..others {
            spawn(scope, || {
                repeat(end, || {
                    std::hint::black_box(key.sign(b"busy"));
                })
            })?;
        }
        let flushes = flushes(dir, bytes * batch, span)?;
        let records = (flushes.len() * batch) as f64;
        let seconds: f64 = flushes.iter().map(Duration::as_secs_f64).sum();
        Ok(Term {
            reference: (bytes == 600 && batch == 256).then_some(389_000.0),
            ..Term::rate("file", records / seconds.max(f64::EPSILON), 0.0)
        })
    })
}

/// The median time of one append of `bytes` and its flush, with nothing else under way.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn flush(dir: &Path, bytes: usize, span: Duration) -> Result<Term, Failure> {
    let times = flushes(dir, bytes, span)?;
    Ok(Term {
        name: "flush",
        value: median(times).as_secs_f64() * 1e6,
        unit: Unit::Microseconds,
        reference: (bytes == 4_096).then_some(204.0),
    })
}

/// The one in the middle.
pub(super) fn median(times: Vec<Duration>) -> Duration {
    percentile(times, 50)
}

/// The time that so many in a hundred do not exceed; zero of none.
pub(super) fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    let at = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(at).copied().unwrap_or_default()
}

/// How many run at once here.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How long each of as many appends took as fit into `span`.
fn flushes(dir: &Path, bytes: usize, span: Duration) -> Result<Vec<Duration>, Failure> {
    let path = dir.join("append.bench");
    let cannot = |error| Failure::file(&path, "write", &error);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)
        .map_err(cannot)?;
    let record = vec![7; bytes];
    let (end, mut times) = (Instant::now() + span, Vec::new());
    while times.is_empty() || Instant::now() < end {
        let begun = Instant::now();
        file.write_all(&record).map_err(cannot)?;
        file.sync_data().map_err(cannot)?;
        times.push(begun.elapsed());
    }
    std::fs::remove_file(&path).map_err(cannot)?;
    Ok(times)
}

/// How often a second `call` runs on all cores together.
fn on_all_cores(span: Duration, call: impl Fn() + Sync) -> Result<f64, Failure> {
    let begun = Instant::now();
    let end = begun + span;
    let calls = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores())
            .map(|_| spawn(scope, || repeat(end, &call)))
            .collect::<Result<_, _>>()?;
        let counted = threads.into_iter().map(|t| t.join().unwrap_or_default());
        Ok(counted.sum::<u64>())
    })?;
    Ok(calls as f64 / begun.elapsed().as_secs_f64())
}

/// Calls until `end`; how often.
fn repeat(end: Instant, call: impl Fn()) -> u64 {
    let mut calls = 0;
    while Instant::now() < end {
        for _ in 0..AT_ONCE {
            call();
        }
        calls += AT_ONCE;
    }
    calls
}

fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope std::thread::Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<std::thread::ScopedJoinHandle<'scope, T>, Failure> {
    std::thread::Builder::new()
        .spawn_scoped(scope, work)
        .map_err(|e| Failure::new(Exit::Failed, format!("no thread: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_sorted_times() {
        let times: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(median(times.clone()), Duration::from_millis(51));
        assert_eq!(percentile(times, 99), Duration::from_millis(100));
        assert_eq!(median(Vec::new()), Duration::ZERO);
    }
}
