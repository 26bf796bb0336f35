//! What a node's process takes, as the kernel counts it.

use std::fs;
use std::time::Duration;

use crate::repository;

/// How operators' units have the C library hand memory back, as `deploy/tocsin.service` says it:
/// name and value.
///
/// # Panics
/// When the unit cannot be read, or says nothing of it.
#[must_use]
pub fn allocator() -> Vec<(String, String)> {
    let unit = repository::read("deploy/tocsin.service").expect("a unit");
    let lines = unit
        .lines()
        .filter_map(|line| line.strip_prefix("Environment="));
    let settings = lines.filter(|line| line.starts_with("MALLOC_"));
    let settings = settings.filter_map(|line| line.split_once('='));
    let settings: Vec<(String, String)> = settings
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert!(
        !settings.is_empty(),
        "the unit leaves memory to the library"
    );
    settings
}

/// A look at a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory now (bytes).
    pub resident: u64,
    /// The most it ever was (bytes).
    pub peak: u64,
    /// Open file handles.
    pub files: usize,
    /// Threads.
    pub threads: u64,
    /// Processor time so far.
    pub cpu: Duration,
}

impl Usage {
    /// Looks at the process.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn of(process: u32) -> Self {
        let read = |what: &str| {
            let path = format!("/proc/{process}/{what}");
            fs::read_to_string(&path).expect("a process that lives")
        };
        let status = read("status");
        let line = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name));
            let value = value.and_then(|value| value.split_whitespace().next());
            value
                .and_then(|value| value.parse::<u64>().ok())
                .unwrap_or_default()
        };
        // After the name, which may hold spaces: utime and stime are fields 14 and 15, in ticks of
        // 10 ms (proc(5)).
        let stat = read("stat");
        let ticks = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let ticks = ticks.split(' ').skip(11).take(2);
        let ticks: u64 = ticks.filter_map(|field| field.parse::<u64>().ok()).sum();
        let files = fs::read_dir(format!("/proc/{process}/fd"));
        Self {
            resident: line("VmRSS:") * 1_024,
            peak: line("VmHWM:") * 1_024,
            files: files.map_or(0, Iterator::count),
            threads: line("Threads:"),
            cpu: Duration::from_millis(ticks * 10),
        }
    }
}
