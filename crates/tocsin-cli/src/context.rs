//! Contexts: where the node is, who we are to it, and which alliance it must prove to belong to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tocsin_core::roster::{Alliance, Member};
use tocsin_log::hash::Hash;

use crate::failure::{Exit, Failure};
use crate::files::{Mode, make_secret_folder, read_bounded, replace};
use crate::suggest::nearest;

/// Longest contexts file in bytes: some thousand contexts.
const MAX_CONTEXTS_BYTES: u64 = 1_048_576;
/// Longest alliance file in bytes: a roster and manifests of every member.
pub const MAX_ALLIANCE_BYTES: u64 = 4 * 1_048_576;

/// One node as one client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// `https://host:7337`.
    pub endpoint: String,
    /// The member whose node it is.
    pub member: String,
    /// The alliance file (`.tsa`).
    pub alliance: PathBuf,
    /// Our certificate (PEM), issued by that member's CA.
    pub client_cert: PathBuf,
    /// Its private key (PEM).
    pub client_key: PathBuf,
    /// SHA-256 of the genesis roster, as compared by voice. What is read is trusted only under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genesis: Option<String>,
    /// The record key we sign with when no `--key` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// The node's read-only admin address, for `status` on the same machine:
    /// `http://127.0.0.1:7339`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<String>,
}

/// The contexts file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    /// The one taken when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// All, by name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// Where contexts are kept: `$TOCSIN_CONFIG_DIR`, else `tocsin` under the user's configuration
/// folder.
///
/// # Errors
/// When the environment names no home.
pub fn config_dir() -> Result<PathBuf, Failure> {
    let named = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(dir) = named("TOCSIN_CONFIG_DIR") {
        return Ok(dir);
    }
    if let Some(dir) = named("XDG_CONFIG_HOME") {
        return Ok(dir.join("tocsin"));
    }
    let home = named("HOME").ok_or_else(|| {
        Failure::usage("no folder for contexts").advice("set TOCSIN_CONFIG_DIR or HOME")
    })?;
    Ok(home.join(".config").join("tocsin"))
}

impl Contexts {
    /// Reads the contexts of a configuration folder; none yet is an empty list.
    ///
    /// # Errors
    /// When the file is not readable or not of this form.
    pub fn load(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join("contexts.toml");
        let bytes = match read_bounded(&path, MAX_CONTEXTS_BYTES) {
            Ok(bytes) => bytes,
            Err(failure) if failure.exit == Exit::NotFound => return Ok(Self::default()),
            Err(failure) => return Err(failure),
        };
        let wrong = |why: String| {
            Failure::usage(format!("{} is not a contexts file", path.display())).detail(why)
        };
        let text = str::from_utf8(&bytes).map_err(|e| wrong(e.to_string()))?;
        let mut contexts: Self = toml::from_str(text).map_err(|e| wrong(e.to_string()))?;
        for context in contexts.contexts.values_mut() {
            context.settle(dir);
        }
        Ok(contexts)
    }

    /// Writes them, whole or not at all.
    ///
    /// # Errors
    /// When the folder or file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), Failure> {
        make_secret_folder(dir)?;
        let text = toml::to_string(self)
            .map_err(|e| Failure::new(Exit::Failed, format!("cannot write contexts: {e}")))?;
        replace(&dir.join("contexts.toml"), text.as_bytes(), Mode::Secret)
    }

    /// The context named, else the current one, else the only one.
    ///
    /// # Errors
    /// When there is none of that name, or none can be chosen.
    pub fn choose(&self, name: Option<&str>) -> Result<&Context, Failure> {
        let how = "tocsin context add NAME (with --help)";
        let only = || match self.contexts.len() {
            1 => self.contexts.keys().next().map(String::as_str),
            _ => None,
        };
        let Some(name) = name.or(self.current.as_deref()).or_else(only) else {
            let text = if self.contexts.is_empty() {
                "no context yet"
            } else {
                "which context?"
            };
            let names: Vec<_> = self.contexts.keys().map(String::as_str).collect();
            let advice = if names.is_empty() {
                format!("make one: {how}")
            } else {
                format!("name one with -c: {}", names.join(", "))
            };
            return Err(Failure::usage(text).advice(advice));
        };
        self.contexts.get(name).ok_or_else(|| {
            let near = nearest(name, self.contexts.keys().map(String::as_str));
            let advice = near.map_or_else(
                || format!("make it: {how}"),
                |n| format!("did you mean `{n}`?"),
            );
            Failure::usage(format!("no context named `{name}`")).advice(advice)
        })
    }
}

impl Context {
    /// Makes the paths stand from `dir`, so that a folder of contexts can be moved.
    fn settle(&mut self, dir: &Path) {
        for path in [
            &mut self.alliance,
            &mut self.client_cert,
            &mut self.client_key,
        ] {
            *path = dir.join(&*path);
        }
        self.key = self.key.as_ref().map(|path| dir.join(path));
    }

    /// Reads the alliance file and holds it against the pinned genesis hash.
    ///
    /// # Errors
    /// When it does not verify, its genesis is another, or the member is not in it.
    pub fn open_alliance(&self) -> Result<Alliance, Failure> {
        let alliance = read_alliance(&self.alliance)?;
        if let Some(pinned) = self.pinned()?
            && pinned != *alliance.genesis_hash()
        {
            let text = format!("{} is another alliance", self.alliance.display());
            return Err(Failure::unverified("GENESIS_MISMATCH", text)
                .detail(format!("pinned  {pinned}"))
                .detail(format!("in file {}", alliance.genesis_hash()))
                .advice(
                    "compare the fingerprint by voice with another member before changing it",
                ));
        }
        member(&alliance, &self.member)?;
        Ok(alliance)
    }

    /// The pinned genesis hash, if there is one.
    ///
    /// # Errors
    /// When it is not a hash.
    pub fn pinned(&self) -> Result<Option<Hash>, Failure> {
        self.genesis.as_deref().map(hash_from_text).transpose()
    }
}

/// A hash as typed: 64 hexadecimal digits, with spaces, colons or dashes between groups.
///
/// # Errors
/// When it is not one.
pub fn hash_from_text(text: &str) -> Result<Hash, Failure> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | ':' | '-'))
        .collect::<String>()
        .to_lowercase();
    Hash::from_hex(&digits).map_err(|_| {
        Failure::usage(format!(
            "`{text}` is not a hash: it has 64 hexadecimal digits"
        ))
    })
}

/// Reads and verifies an alliance file.
///
/// # Errors
/// When it cannot be read or does not verify.
pub fn read_alliance(path: &Path) -> Result<Alliance, Failure> {
    let bytes = read_bounded(path, MAX_ALLIANCE_BYTES)?;
    Alliance::parse(&bytes).map_err(|error| {
        Failure::unverified(error.code(), format!("{}: {error}", path.display())).advice(
            "ask another member for the alliance file, and compare its fingerprint by voice",
        )
    })
}

/// The member of an alliance with this id.
///
/// # Errors
/// When there is none.
pub fn member<'a>(alliance: &'a Alliance, id: &str) -> Result<&'a Member, Failure> {
    alliance.member(id).ok_or_else(|| {
        let ids: Vec<_> = alliance.members().map(|m| m.id.as_str()).collect();
        Failure::new(
            Exit::NotFound,
            format!("`{id}` is not a member of {}", alliance.label()),
        )
        .advice(format!("members are {}", ids.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(member: &str) -> Context {
        Context {
            endpoint: "https://127.0.0.1:7337".into(),
            member: member.into(),
            alliance: "a.tsa".into(),
            client_cert: "c.pem".into(),
            client_key: "/keys/k.pem".into(),
            genesis: None,
            key: None,
            admin: None,
        }
    }

    #[test]
    fn contexts_read_back_with_paths_from_their_folder() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Contexts::load(dir.path()).unwrap(), Contexts::default());
        let mut contexts = Contexts::default();
        contexts.contexts.insert("de".into(), context("de"));
        contexts.save(dir.path()).unwrap();
        let read = Contexts::load(dir.path()).unwrap();
        let de = read.choose(None).unwrap();
        assert_eq!(de.alliance, dir.path().join("a.tsa"));
        assert_eq!(de.client_key, PathBuf::from("/keys/k.pem"));
    }

    #[test]
    fn a_context_that_is_not_there_is_refused_with_a_suggestion() {
        let mut contexts = Contexts::default();
        assert_eq!(contexts.choose(None).unwrap_err().exit, Exit::Usage);
        contexts.contexts.insert("de-prod".into(), context("de"));
        contexts.contexts.insert("jp".into(), context("jp"));
        assert!(
            contexts
                .choose(None)
                .unwrap_err()
                .advice
                .unwrap()
                .contains("de-prod, jp")
        );
        let failure = contexts.choose(Some("de-prd")).unwrap_err();
        assert_eq!(failure.advice.unwrap(), "did you mean `de-prod`?");
        contexts.current = Some("jp".into());
        assert_eq!(contexts.choose(None).unwrap().member, "jp");
    }

    #[test]
    fn an_unknown_key_in_the_contexts_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("contexts.toml"), "curent = \"de\"\n").unwrap();
        assert_eq!(Contexts::load(dir.path()).unwrap_err().exit, Exit::Usage);
    }

    #[test]
    fn hashes_are_read_as_people_group_them() {
        let hash = Hash::of(b"x");
        let hex = hash.to_string();
        let grouped = format!("{} {}", &hex[..8], hex[8..].to_uppercase());
        assert_eq!(hash_from_text(&grouped).unwrap(), hash);
        assert!(hash_from_text("abc").is_err());
    }
}
