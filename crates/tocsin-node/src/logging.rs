//! Structured logs on standard error: one event, one line.
//!
//! What comes from outside goes into fields, never into the message, and leaves here escaped: a
//! line break in a name must not make a second record.

use std::io::{self, IsTerminal, Write};

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Registry};

use crate::config::{Config, LogConfig, LogFormat, TraceConfig};
use crate::limits::TRACE_TIMEOUT;

/// The target of spans that are made for a collector, and of nothing else. They name methods,
/// members and counts, never what a statement says.
pub(crate) const SPANS: &str = "tocsin_span";

/// Logging of this process; spans that wait are sent when it is [ended](Self::end).
#[derive(Debug)]
pub struct Logging {
    spans: Option<SdkTracerProvider>,
}

/// Why logging cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// `log.level`.
    #[error("log.level: {0}")]
    Level(#[from] BadLevel),
    /// `trace.otlp`.
    #[error("trace.otlp: {0}")]
    Trace(#[from] ExporterBuildError),
}

/// Starts logging for this process; the first caller wins, so that tests can share one. Must be
/// called inside the runtime that is to send spans.
///
/// # Errors
/// When `log.level` is neither a level nor a list of `target=level`, or `trace.otlp` is no address.
pub fn start(config: &Config) -> Result<Logging, LoggingError> {
    let filter = EnvFilter::try_new(&config.log.level).map_err(|_| BadLevel)?;
    let spans = config.trace.as_ref().map(|trace| provider(trace, config));
    let spans = spans.transpose()?;
    let collected = spans.as_ref().map(|spans| {
        let only = Targets::new().with_target(SPANS, LevelFilter::TRACE);
        tracing_opentelemetry::layer()
            .with_tracer(spans.tracer("tocsin"))
            .with_filter(only)
    });
    // A second start in one process keeps the first: nothing is lost by it.
    let _ = Registry::default()
        .with(lines(&config.log).with_filter(filter))
        .with(collected)
        .try_init();
    Ok(Logging { spans })
}

fn lines<S>(config: &LogConfig) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let json = match config.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !io::stderr().is_terminal(),
    };
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    if json {
        let layer = layer.json().flatten_event(true);
        layer.with_writer(io::stderr).boxed()
    } else {
        layer.with_writer(|| OneLine(io::stderr())).boxed()
    }
}

/// Sends what was traced in batches; a collector that is away costs spans, never requests.
fn provider(trace: &TraceConfig, config: &Config) -> Result<SdkTracerProvider, ExporterBuildError> {
    let exporter = SpanExporter::builder()
        .with_tonic()
        .with_endpoint(&trace.otlp)
        .with_timeout(TRACE_TIMEOUT)
        .build()?;
    let resource = Resource::builder_empty()
        .with_service_name("tocsin")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_attribute(KeyValue::new("service.instance.id", config.member.clone()));
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::TraceIdRatioBased(trace.share))
        .with_resource(resource.build())
        .build())
}

impl Logging {
    /// Sends the spans that wait. Blocks, for at most [`TRACE_TIMEOUT`] or so.
    pub fn end(self) {
        if let Some(spans) = self.spans
            && let Err(error) = spans.shutdown_with_timeout(TRACE_TIMEOUT)
        {
            tracing::debug!(%error, "the last spans were not sent");
        }
    }
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
