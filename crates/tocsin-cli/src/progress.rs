//! How far something long has come, on the error stream: only on a terminal, only after a second,
//! never with `-q`.

use std::cell::Cell;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::clean_line;

/// What ends within this time shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the sign that something goes on is drawn.
const TICK: Duration = Duration::from_millis(120);

/// One long thing. It disappears when it is dropped, so that only the result stays.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
    waits: Cell<bool>,
    rows: Cell<u64>,
}

impl Progress {
    /// Of `total` parts, or of as many as come; `show` is whether anything may be shown at all.
    #[must_use]
    pub fn new(what: &str, total: Option<u64>, show: bool) -> Self {
        let form = if total.is_some() {
            "{msg} {bar:24} {human_pos}/{human_len} {eta}"
        } else {
            "{msg} {human_pos} {elapsed}"
        };
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden())
            .with_message(clean_line(what));
        let bar = match ProgressStyle::with_template(form) {
            Ok(style) => bar.with_style(style),
            // The forms above are sound; the plain bar says the same.
            Err(_) => bar,
        };
        Self {
            bar,
            began: Instant::now(),
            waits: Cell::new(show),
            rows: Cell::new(0),
        }
    }

    /// Of a file of so many bytes, whose rows are counted beside: share, rows, rows a second and
    /// time left.
    #[must_use]
    pub fn of_file(what: &str, bytes: u64, show: bool) -> Self {
        let progress = Self::new(what, Some(bytes), show);
        let form = "{prefix} {bar:24} {percent} %  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(form) {
            progress.bar.set_style(style);
        }
        progress.bar.set_prefix(clean_line(what));
        progress.bar.set_message("");
        progress
    }

    /// So many more rows of a file are done.
    pub fn rows(&self, rows: u64) {
        self.rows.set(self.rows.get() + rows);
        if !self.waits.get() && !self.bar.is_hidden() {
            let seconds = self.began.elapsed().as_secs().max(1);
            let (rows, rate) = (self.rows.get(), self.rows.get() / seconds);
            self.bar.set_message(format!("{rows} rows  {rate} rows/s"));
        }
    }

    /// So many more parts are done.
    pub fn add(&self, parts: u64) {
        self.bar.inc(parts);
        if self.waits.get() && self.began.elapsed() >= PATIENCE {
            self.waits.set(false);
            // It draws nothing when the error stream is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Shows that something goes on, once it takes long; to be waited for beside what takes long.
    pub async fn late(&self) -> Infallible {
        tokio::time::sleep(PATIENCE).await;
        if self.waits.replace(false) {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
                self.bar.set_style(style);
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.bar.enable_steady_tick(TICK);
        }
        std::future::pending().await
    }

    /// How many parts are done.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.bar.position()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_counted_whether_shown_or_not() {
        for show in [false, true] {
            let progress = Progress::new("reading", Some(10), show);
            progress.add(3);
            progress.add(4);
            assert_eq!(progress.done(), 7);
        }
    }
}
