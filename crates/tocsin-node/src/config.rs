//! `node.toml`, `TOCSIN_*` and flags: read once, checked whole, then never in doubt.
//!
//! Flags win over the environment, the environment over the file. A key that is not known is an
//! error with a suggestion, and every error says what to do.

mod error;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

mod quotas;
pub use quotas::QuotaConfig;

use crate::identity::{Role, Roles, is_client_id};
use crate::limits::{MAX_ALLIANCE_BYTES, MAX_CLIENTS, MAX_CONFIG_BYTES, MAX_PEERS};
use crate::logging::check_level;

pub use error::{ConfigError, Suggestion};

/// Every key of `node.toml` with one value, and the environment variable that sets it.
pub const KEYS: [(&str, &str); 13] = [
    ("member", "TOCSIN_MEMBER"),
    ("data_dir", "TOCSIN_DATA_DIR"),
    ("alliance", "TOCSIN_ALLIANCE"),
    ("listen", "TOCSIN_LISTEN"),
    ("admin_listen", "TOCSIN_ADMIN_LISTEN"),
    ("tls.cert", "TOCSIN_TLS_CERT"),
    ("tls.key", "TOCSIN_TLS_KEY"),
    ("keys.dir", "TOCSIN_KEYS_DIR"),
    ("screen.suppressions", "TOCSIN_SCREEN_SUPPRESSIONS"),
    ("log.format", "TOCSIN_LOG_FORMAT"),
    ("log.level", "TOCSIN_LOG_LEVEL"),
    ("trace.otlp", "TOCSIN_TRACE_OTLP"),
    ("trace.share", "TOCSIN_TRACE_SHARE"),
];

/// Tables that are read each in its own way.
const NAMED: [&str; 3] = ["clients", "peers", "quota"];

/// Variables of the hand tool and of tests, which are none of the node's settings.
const OTHER_VARIABLES: [&str; 10] = [
    "TOCSIN_CONFIG",
    "TOCSIN_CONFIG_DIR",
    "TOCSIN_CONTEXT",
    "TOCSIN_OUTPUT",
    "TOCSIN_TIMEOUT",
    "TOCSIN_COLOR",
    "TOCSIN_FAILPOINTS",
    "TOCSIN_REGENERATE",
    "TOCSIN_EXHAUSTIVE",
    "TOCSIN_PYTHON",
];

/// Where the node listens for peers and clients unless told otherwise (SURFACE.md).
const DEFAULT_LISTEN: &str = "127.0.0.1:7337";
/// Where it listens for its operator.
const DEFAULT_ADMIN_LISTEN: &str = "127.0.0.1:7339";

/// The node's settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file they came from.
    pub file: PathBuf,
    /// The member that this node is.
    pub member: String,
    /// Where logs, state and index live.
    pub data_dir: PathBuf,
    /// The alliance file (`.tsa`).
    pub alliance: PathBuf,
    /// gRPC over mutual TLS.
    pub listen: SocketAddr,
    /// The operator's plain HTTP; loopback.
    pub admin_listen: SocketAddr,
    /// Our certificate and key.
    pub tls: TlsFiles,
    /// The directory of log, mirror and record keys.
    pub keys_dir: PathBuf,
    /// Roles of this member's clients.
    pub clients: Roles,
    /// Endpoints to use for members instead of their manifests' (`host:port`).
    pub peers: BTreeMap<String, String>,
    /// How much others may ask of this node.
    pub quotas: QuotaConfig,
    /// Trusted importers and false matches of the own agency, if it keeps any.
    pub suppressions: Option<PathBuf>,
    /// How to log.
    pub log: LogConfig,
    /// Where spans go, if anywhere.
    pub trace: Option<TraceConfig>,
}

/// Our certificate chain and its private key, PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The chain, leaf first.
    pub cert: PathBuf,
    /// The key, readable by the node alone.
    pub key: PathBuf,
}

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// The form of a line.
    pub format: LogFormat,
    /// A level, or a list of `target=level`.
    pub level: String,
}

/// Spans for a collector. Off unless asked for: nothing leaves a node by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceConfig {
    /// OTLP over gRPC, `http://host:4317`.
    pub otlp: String,
    /// The share of requests that are traced, above 0 and at most 1.
    pub share: f64,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// Text.
    Text,
}

impl Config {
    /// Reads the file, lays environment and flags over it, and checks everything.
    ///
    /// `flags` are pairs of a key of [`KEYS`] and its value. Relative paths in the file are
    /// relative to the file; in the environment and in flags, to the working directory.
    ///
    /// # Errors
    /// The first thing that is wrong, with what to do about it.
    pub fn load(
        file: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let bytes = read_bounded("config", file, MAX_CONFIG_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| ConfigError::NotToml {
            file: file.to_owned(),
            why: "not UTF-8".to_owned(),
        })?;
        let table: Table = text
            .parse()
            .map_err(|why: toml::de::Error| ConfigError::NotToml {
                file: file.to_owned(),
                why: why.to_string(),
            })?;
        let base = file.parent().unwrap_or_else(|| Path::new(""));
        let mut settings = Settings::read(&table, base)?;
        settings.environment(environment)?;
        for (key, value) in flags {
            settings.set(key, value)?;
        }
        settings.check(file)
    }
}

/// Values by key, before they are checked.
#[derive(Debug, Default)]
struct Settings {
    /// Value, and the directory that a relative path is relative to.
    values: BTreeMap<&'static str, (String, PathBuf)>,
    clients: Roles,
    peers: BTreeMap<String, String>,
    quotas: QuotaConfig,
}

impl Settings {
    fn read(table: &Table, base: &Path) -> Result<Self, ConfigError> {
        let mut settings = Self::default();
        for (name, value) in table {
            match (name.as_str(), value) {
                ("clients", Value::Table(clients)) => settings.clients = read_clients(clients)?,
                ("peers", Value::Table(peers)) => settings.peers = read_peers(peers)?,
                ("quota", Value::Table(table)) => settings.quotas = QuotaConfig::read(table)?,
                (_, Value::Table(section)) => {
                    for (key, value) in section {
                        settings.file_value(&format!("{name}.{key}"), value, base)?;
                    }
                }
                (_, value) => settings.file_value(name, value, base)?,
            }
        }
        Ok(settings)
    }

    fn file_value(&mut self, key: &str, value: &Value, base: &Path) -> Result<(), ConfigError> {
        let known = known(key)?;
        let Value::String(text) = value else {
            return Err(bad(known, "not a string", "put it in quotation marks"));
        };
        self.values.insert(known, (text.clone(), base.to_owned()));
        Ok(())
    }

    fn environment(
        &mut self,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigError> {
        for (name, value) in environment {
            if !name.starts_with("TOCSIN_") || OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            match KEYS.iter().find(|(_, variable)| *variable == name) {
                Some((key, _)) => self.set(key, &value)?,
                None => {
                    let suggestion = nearest(&name, KEYS.iter().map(|(_, variable)| *variable));
                    return Err(ConfigError::UnknownKey {
                        key: name,
                        suggestion,
                    });
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), ConfigError> {
        self.values
            .insert(known(key)?, (value.to_owned(), PathBuf::new()));
        Ok(())
    }

    fn check(&self, file: &Path) -> Result<Config, ConfigError> {
        let member = self.required("member")?;
        if !is_client_id(member) {
            return Err(bad(
                "member",
                "not a member id",
                "write it as in the alliance file",
            ));
        }
        let alliance = self.path("alliance")?;
        check_file("alliance", &alliance)?;
        let length = fs::metadata(&alliance).map_or(0, |facts| facts.len());
        if length > MAX_ALLIANCE_BYTES {
            return Err(ConfigError::TooLong {
                key: "alliance",
                file: alliance,
            });
        }
        let data_dir = self.path("data_dir")?;
        check_directory("data_dir", &data_dir)?;
        let keys_dir = self.path("keys.dir")?;
        check_directory("keys.dir", &keys_dir)?;
        check_private_directory(&keys_dir)?;
        let tls = TlsFiles {
            cert: self.path("tls.cert")?,
            key: self.path("tls.key")?,
        };
        check_file("tls.cert", &tls.cert)?;
        check_file("tls.key", &tls.key)?;
        check_private("tls.key", &tls.key)?;
        let listen = self.address("listen", DEFAULT_LISTEN)?;
        let admin_listen = self.address("admin_listen", DEFAULT_ADMIN_LISTEN)?;
        if !admin_listen.ip().is_loopback() {
            return Err(bad(
                "admin_listen",
                "not a loopback address: the port has no authentication",
                "use 127.0.0.1 or [::1], and a tunnel from elsewhere",
            ));
        }
        Ok(Config {
            file: file.to_owned(),
            member: member.to_owned(),
            data_dir,
            alliance,
            listen,
            admin_listen,
            tls,
            keys_dir,
            clients: self.clients.clone(),
            peers: self.peers.clone(),
            quotas: self.quotas,
            suppressions: self.suppressions()?,
            log: self.log()?,
            trace: self.trace()?,
        })
    }

    fn suppressions(&self) -> Result<Option<PathBuf>, ConfigError> {
        if self.text("screen.suppressions").is_none_or(str::is_empty) {
            return Ok(None);
        }
        let file = self.path("screen.suppressions")?;
        check_file("screen.suppressions", &file)?;
        Ok(Some(file))
    }

    fn log(&self) -> Result<LogConfig, ConfigError> {
        let format = match self.text("log.format").unwrap_or("auto") {
            "auto" => LogFormat::Auto,
            "json" => LogFormat::Json,
            "text" => LogFormat::Text,
            _ => return Err(bad("log.format", "unknown", "write auto, json or text")),
        };
        let level = self.text("log.level").unwrap_or("info").to_owned();
        check_level(&level).map_err(|why| bad("log.level", &why.to_string(), "try info"))?;
        Ok(LogConfig { format, level })
    }

    fn trace(&self) -> Result<Option<TraceConfig>, ConfigError> {
        let share = self.text("trace.share").unwrap_or("1").parse();
        let share = share.ok().filter(|share| *share > 0.0 && *share <= 1.0);
        let share = share.ok_or_else(|| {
            let what = "not a share of requests";
            bad(
                "trace.share",
                what,
                "write a number above 0 and at most 1, like \"0.1\"",
            )
        })?;
        let Some(otlp) = self.text("trace.otlp").filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let uri: Option<http::Uri> = otlp.parse().ok();
        let plain = uri.is_some_and(|uri| {
            uri.scheme_str() == Some("http") && uri.host().is_some() && uri.port().is_some()
        });
        if !plain {
            return Err(bad(
                "trace.otlp",
                "not a collector's address",
                "write it like http://127.0.0.1:4317; it is spoken to in clear, so keep it near",
            ));
        }
        let otlp = otlp.to_owned();
        Ok(Some(TraceConfig { otlp, share }))
    }

    fn text(&self, key: &'static str) -> Option<&str> {
        self.values.get(key).map(|(text, _)| text.as_str())
    }

    fn required(&self, key: &'static str) -> Result<&str, ConfigError> {
        self.text(key)
            .filter(|text| !text.is_empty())
            .ok_or(ConfigError::Missing { key })
    }

    fn path(&self, key: &'static str) -> Result<PathBuf, ConfigError> {
        let text = self.required(key)?;
        let base = self
            .values
            .get(key)
            .map_or_else(|| Path::new(""), |(_, base)| base.as_path());
        Ok(base.join(text))
    }

    fn address(&self, key: &'static str, default: &str) -> Result<SocketAddr, ConfigError> {
        self.text(key).unwrap_or(default).parse().map_err(|_| {
            bad(
                key,
                "not an address and port",
                "write it like 127.0.0.1:7337 or [::1]:7337",
            )
        })
    }
}

fn read_clients(table: &Table) -> Result<Roles, ConfigError> {
    if table.len() > MAX_CLIENTS {
        return Err(bad("clients", "more than the limit", "name fewer clients"));
    }
    let mut clients = Roles::new();
    for (id, value) in table {
        if !is_client_id(id) {
            let what = format!("{id:?} is not a client id");
            return Err(bad(
                "clients",
                &what,
                "use lower-case letters, digits, . _ and -",
            ));
        }
        let roles = value.as_array().ok_or_else(|| {
            bad(
                "clients",
                &format!("{id} has no list of roles"),
                "write it as [\"agency\"]",
            )
        })?;
        let mut set = BTreeSet::new();
        for role in roles {
            let word = role.as_str().unwrap_or_default();
            let role = Role::parse(word).ok_or_else(|| ConfigError::UnknownKey {
                key: format!("clients.{id} = {word:?}"),
                suggestion: nearest(word, Role::ALL.iter().map(|(name, _)| *name)),
            })?;
            set.insert(role);
        }
        clients.insert(id.clone(), set);
    }
    Ok(clients)
}

fn read_peers(table: &Table) -> Result<BTreeMap<String, String>, ConfigError> {
    if table.len() > MAX_PEERS {
        return Err(bad("peers", "more than the limit", "name fewer peers"));
    }
    let mut peers = BTreeMap::new();
    for (member, value) in table {
        let endpoint = value.as_str().and_then(endpoint).ok_or_else(|| {
            let what = format!("the endpoint of {member} cannot be read");
            bad(
                "peers",
                &what,
                "write it like \"host:7337\" or \"https://host:7337\"",
            )
        })?;
        peers.insert(member.clone(), endpoint);
    }
    Ok(peers)
}

/// `host:port` of an endpoint written with or without `https://`.
#[must_use]
pub fn endpoint(text: &str) -> Option<String> {
    let authority = text.strip_prefix("https://").unwrap_or(text);
    let authority: http::uri::Authority = authority.parse().ok()?;
    let usable = authority.port_u16().is_some() && !authority.as_str().contains('@');
    usable.then(|| authority.to_string())
}

fn known(key: &str) -> Result<&'static str, ConfigError> {
    KEYS.iter()
        .map(|(name, _)| *name)
        .find(|name| *name == key)
        .ok_or_else(|| {
            let names = KEYS.iter().map(|(name, _)| *name).chain(NAMED);
            ConfigError::UnknownKey {
                key: key.to_owned(),
                suggestion: nearest(key, names),
            }
        })
}

/// The name that `text` most likely meant, if any is near.
fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Suggestion {
    let best = names.map(|name| (distance(text, name), name)).min();
    let near = best.filter(|(distance, name)| *distance <= 1 + name.len() / 4);
    Suggestion(near.map(|(_, name)| name.to_owned()))
}

/// How many characters must be changed, added or dropped (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for (to, pair) in b.iter().zip(row.windows(2)) {
            let (Some(above_left), Some(above)) = (pair.first(), pair.last()) else {
                continue;
            };
            let left = next.last().copied().unwrap_or(i);
            let change = above_left + usize::from(from != *to);
            next.push(change.min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Reads a file of at most `most` bytes.
///
/// # Errors
/// It cannot be opened or read, or is longer.
pub fn read_bounded(key: &'static str, file: &Path, most: u64) -> Result<Vec<u8>, ConfigError> {
    let unreadable = |why: std::io::Error| ConfigError::Unreadable {
        key,
        file: file.to_owned(),
        why: why.to_string(),
    };
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(unreadable)?;
    opened
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(ConfigError::TooLong {
            key,
            file: file.to_owned(),
        });
    }
    Ok(bytes)
}

/// Refuses a secret that others on this machine can read.
///
/// # Errors
/// Group or others have any right on the file, or it cannot be looked at.
pub fn check_private(key: &'static str, file: &Path) -> Result<(), ConfigError> {
    let facts = fs::metadata(file).map_err(|why| ConfigError::Unreadable {
        key,
        file: file.to_owned(),
        why: why.to_string(),
    })?;
    if facts.permissions().mode() & 0o077 != 0 {
        return Err(ConfigError::NotPrivate {
            key,
            file: file.to_owned(),
        });
    }
    Ok(())
}

fn check_private_directory(directory: &Path) -> Result<(), ConfigError> {
    let unreadable = |why: std::io::Error| ConfigError::Unreadable {
        key: "keys.dir",
        file: directory.to_owned(),
        why: why.to_string(),
    };
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_file() {
            check_private("keys.dir", &entry.path())?;
        }
    }
    Ok(())
}

fn check_file(key: &'static str, file: &Path) -> Result<(), ConfigError> {
    if file.is_file() {
        return Ok(());
    }
    Err(ConfigError::NoFile {
        key,
        file: file.to_owned(),
    })
}

fn check_directory(key: &'static str, directory: &Path) -> Result<(), ConfigError> {
    if directory.is_dir() {
        return Ok(());
    }
    Err(ConfigError::NoDirectory {
        key,
        directory: directory.to_owned(),
    })
}

fn bad(key: &'static str, what: &str, remedy: &'static str) -> ConfigError {
    ConfigError::Bad {
        key,
        what: what.to_owned(),
        remedy,
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
