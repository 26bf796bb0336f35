//! Structured logs on standard error: one event, one line.
//!
//! What comes from outside goes into fields, never into the message, and leaves here escaped: a
//! line break in a name must not make a second record.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{LogConfig, LogFormat};

/// Starts logging for this process; the first caller wins, so that tests can share one.
///
/// # Errors
/// When `log.level` is neither a level nor a list of `target=level`.
pub fn start(config: &LogConfig) -> Result<(), BadLevel> {
    let filter = EnvFilter::try_new(&config.level).map_err(|_| BadLevel)?;
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false);
    // A second start in one process keeps the first: nothing is lost by it.
    let _ = if json {
        builder
            .json()
            .flatten_event(true)
            .with_writer(io::stderr)
            .finish()
            .try_init()
    } else {
        builder
            .with_writer(|| OneLine(io::stderr()))
            .finish()
            .try_init()
    };
    Ok(())
}

/// `log.level` cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a level (error, warn, info, debug, trace), nor a list like warn,tocsin_node=debug")]
pub struct BadLevel;

/// Whether `level` would be taken.
///
/// # Errors
/// [`BadLevel`] when not.
pub fn check_level(level: &str) -> Result<(), BadLevel> {
    EnvFilter::try_new(level).map(|_| ()).map_err(|_| BadLevel)
}

/// Text records: JSON escapes what it quotes, text does not, so control characters end here.
/// The subscriber hands over one whole record at a time.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        let mut line: Vec<u8> = record
            .strip_suffix(b"\n")
            .unwrap_or(record)
            .iter()
            .map(|byte| if byte.is_ascii_control() { b' ' } else { *byte })
            .collect();
        line.push(b'\n');
        self.0.write_all(&line)?;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_break_in_a_field_does_not_make_a_second_record() {
        for json in [true, false] {
            let lines = Lines::default();
            let writer = lines.clone();
            let builder = tracing_subscriber::fmt().with_ansi(false);
            let hostile = "a\r\n{\"level\":\"ERROR\"}\u{1b}[31m";
            if json {
                let logs = builder.json().flatten_event(true);
                let logs = logs.with_writer(move || writer.clone()).finish();
                tracing::subscriber::with_default(logs, || tracing::info!(name = %hostile, "x"));
            } else {
                let logs = builder
                    .with_writer(move || OneLine(writer.clone()))
                    .finish();
                tracing::subscriber::with_default(logs, || tracing::info!(name = %hostile, "x"));
            }
            let written = lines.0.lock().unwrap();
            let text = std::str::from_utf8(&written).unwrap();
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
    }

    #[test]
    fn a_wrong_level_is_told() {
        assert!(check_level("info").is_ok());
        assert!(check_level("warn,tocsin_node=debug").is_ok());
        assert_eq!(check_level("info,=,x=y"), Err(BadLevel));
    }
}
