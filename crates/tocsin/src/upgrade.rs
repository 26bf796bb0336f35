//! `tocsin upgrade check`: what this binary would make of a member's directory, before it is the
//! one that runs. It takes no lock and changes nothing, so the node may run meanwhile.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::output::Output;
use tocsin_core::roster::Alliance;
use tocsin_core::statement::Decoded;
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_node::config::{Config, read_bounded};
use tocsin_node::limits::MAX_ALLIANCE_BYTES;
use tocsin_store::disk::RealDisk;
use tocsin_store::survey::{LogSurvey, StateSurvey, Survey, survey};

/// The version that first wrote each form this one writes: older binaries than it cannot read back.
const OLDEST_READER: &str = "0.1.0";

/// What is done about upgrades.
#[derive(Subcommand, Clone, Debug)]
pub enum UpgradeVerb {
    /// Say what this binary reads of a member's directory, what it would change, and whether one
    /// can go back. Exit code 20 when something would count differently, 21 when something cannot
    /// be read
    ///
    /// Example: tocsin upgrade check --config node.toml
    Check {
        /// The node's settings
        #[arg(long, env = "TOCSIN_CONFIG", default_value = "node.toml")]
        config: PathBuf,
    },
}

/// `tocsin upgrade`.
///
/// # Errors
/// When a file cannot be looked at; what can be looked at and not read is a finding.
pub fn run(verb: &UpgradeVerb, out: &mut Output) -> Result<Exit, Failure> {
    let UpgradeVerb::Check { config } = verb;
    let mut findings = Findings(Vec::new());
    match Config::load(config, std::env::vars(), &[]) {
        Ok(config) => {
            findings.add("settings", Reads::Whole, "as it stands");
            findings.alliance(&config);
            findings.data(&config.data_dir)?;
        }
        Err(error) => findings.add("settings", Reads::Not, &error.to_string()),
    }
    let worst = findings.worst();
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "reads": worst.word(),
        "parts": findings.rows(),
        "back_to": OLDEST_READER,
    });
    if out.format() == tocsin_cli::output::Format::Table {
        let columns = [("PART", "part"), ("READS", "reads"), ("FOUND", "found")];
        out.list("upgrade_check", &columns, &findings.rows())?;
        out.say("")?;
        out.say(worst.verdict())?;
        let back = format!("What it writes is read by {OLDEST_READER} and later.");
        out.say(&back)?;
    } else {
        out.object("upgrade_check", &[], &value)?;
    }
    Ok(worst.exit())
}

/// How much of a part this version understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reads {
    Whole,
    /// All of it is kept; some of it means nothing to this version.
    Partly,
    Not,
}

impl Reads {
    const fn word(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Partly => "partly",
            Self::Not => "not",
        }
    }

    const fn verdict(self) -> &'static str {
        match self {
            Self::Whole => "This binary reads all of it, and changes nothing when it starts.",
            Self::Partly => {
                "This binary keeps all of it and does not understand some: it is older than what \
                 wrote it, or was damaged. Do not go on without knowing which."
            }
            Self::Not => {
                "This binary must not run here: it cannot read what stands above as `not`."
            }
        }
    }

    const fn exit(self) -> Exit {
        match self {
            Self::Whole => Exit::Ok,
            Self::Partly => Exit::Warnings,
            Self::Not => Exit::ChecksFailed,
        }
    }
}

struct Findings(Vec<(String, Reads, String)>);

impl Findings {
    fn add(&mut self, part: impl Into<String>, reads: Reads, found: &str) {
        self.0.push((part.into(), reads, found.to_owned()));
    }

    fn worst(&self) -> Reads {
        let all = self.0.iter().map(|(_, reads, _)| *reads);
        all.max().unwrap_or(Reads::Not)
    }

    fn rows(&self) -> Vec<Value> {
        let mut rows = Vec::new();
        for (part, reads, found) in &self.0 {
            rows.push(json!({"part": part, "reads": reads.word(), "found": found}));
        }
        rows
    }

    fn alliance(&mut self, config: &Config) {
        let bytes = match read_bounded("alliance", &config.alliance, MAX_ALLIANCE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return self.add("alliance", Reads::Not, &error.to_string()),
        };
        match Alliance::parse(&bytes) {
            Ok(alliance) => {
                let found = format!("{}, {} members", alliance.label(), alliance.member_count());
                self.add("alliance", Reads::Whole, &found);
                if alliance.member(&config.member).is_none() {
                    let found = format!("no member {} in it", config.member);
                    self.add("member", Reads::Not, &found);
                }
            }
            Err(refusal) => self.add("alliance", Reads::Not, &refusal.to_string()),
        }
    }

    fn data(&mut self, data_dir: &Path) -> Result<(), Failure> {
        let mut said: BTreeMap<String, Understood> = BTreeMap::new();
        let mut each = |folder: &str, entry: &[u8]| {
            said.entry(folder.to_owned()).or_default().take(entry);
        };
        let found = survey(&RealDisk, data_dir, &mut each).map_err(|error| {
            Failure::new(Exit::Failed, format!("the data directory: {error}"))
                .advice("run it as the user that the node runs as")
        })?;
        for log in &found.logs {
            self.log(log, &said.remove(&log.folder).unwrap_or_default());
        }
        self.local(&found);
        self.state("signer.state", found.signer);
        self.state("mirror.state", found.mirror);
        let index = data_dir.join("index");
        let index = match fs::metadata(&index) {
            Ok(_) => "kept if it fits the logs, else built anew from them at the start",
            Err(_) => "none; built from the logs at the start",
        };
        self.add("index", Reads::Whole, index);
        Ok(())
    }

    fn log(&mut self, log: &LogSurvey, said: &Understood) {
        let LogSurvey {
            entries, segments, ..
        } = log;
        let mut found = format!("{entries} entries in {segments} segments");
        let mut reads = Reads::Whole;
        if said.opaque > 0 {
            reads = Reads::Partly;
            let more = format!(
                "; {} that this version does not understand: kept, and what rests on them is \
                 review",
                said.opaque
            );
            found.push_str(&more);
        }
        if said.unread > 0 {
            found.push_str(&format!("; {} that count as invalid", said.unread));
        }
        if let Some(first) = log.unread.first() {
            reads = Reads::Not;
            found.push_str(&format!(
                "; {} at byte {}: {}",
                first.segment, first.offset, first.why
            ));
        }
        self.add(format!("log {}", log.folder), reads, &found);
    }

    fn local(&mut self, found: &Survey) {
        let mut text = format!("{} records", found.local.entries);
        let mut reads = Reads::Whole;
        if found.unknown_records > 0 {
            reads = Reads::Partly;
            let more = format!(
                "; {} of a kind that this version passes over",
                found.unknown_records
            );
            text.push_str(&more);
        }
        if let Some(first) = found.local.unread.first() {
            reads = Reads::Not;
            text.push_str(&format!("; {}: {}", first.segment, first.why));
        }
        self.add("local log", reads, &text);
    }

    fn state(&mut self, name: &str, state: StateSurvey) {
        match state {
            StateSurvey { exists: false, .. } => {
                self.add(name, Reads::Whole, "none yet; made at the first start");
            }
            StateSurvey { unknown: 0, .. } => {
                self.add(name, Reads::Whole, &format!("{} slots", state.written));
            }
            StateSurvey { unknown, .. } => {
                let found = format!("{unknown} slots of no form that this version knows");
                self.add(name, Reads::Not, &found);
            }
        }
    }
}

/// What this version makes of a log's entries.
#[derive(Default)]
struct Understood {
    opaque: u64,
    unread: u64,
}

impl Understood {
    fn take(&mut self, entry: &[u8]) {
        let Ok(entry) = Entry::decode(entry) else {
            self.unread += 1;
            return;
        };
        if entry.payload_type != STATEMENT_TYPE {
            self.opaque += 1;
            return;
        }
        match tocsin_wire::statement::decode(&entry.payload) {
            Decoded::Known(_) => {}
            Decoded::Opaque { .. } => self.opaque += 1,
            Decoded::Bad(_) => self.unread += 1,
        }
    }
}
