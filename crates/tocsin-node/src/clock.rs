//! Time and chance: the only place of the node that asks for either.
//!
//! Everything below takes the time as an argument, so what a node decides can be run again.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The wall clock in milliseconds since 1970 (UTC); 0 when the clock stands before 1970.
#[must_use]
pub fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds since this process first asked; never goes back, never jumps with the wall clock.
#[must_use]
pub fn monotonic_ms() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// A stopwatch for metrics.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    /// Time since the start, in seconds: the unit of every duration metric.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// `N` bytes from the operating system's random source.
///
/// # Panics
/// When the operating system has none to give: nothing that needs chance may go on without it.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "without randomness the process must not go on"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system's random source failed");
    bytes
}

/// The wall clock as rustls asks for it when it checks a certificate's dates.
#[derive(Debug, Clone, Copy)]
pub struct WallClock;

impl rustls::time_provider::TimeProvider for WallClock {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let ms = u64::try_from(now_ms()).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(
            Duration::from_millis(ms),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_never_goes_back() {
        let first = monotonic_ms();
        assert!(monotonic_ms() >= first);
    }

    #[test]
    fn two_draws_of_randomness_differ() {
        assert_ne!(random::<32>(), random::<32>());
    }
}
