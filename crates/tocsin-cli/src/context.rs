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
    /// Before anything is changed through it, where that goes is printed and confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub protected: bool,
}

/// The contexts file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contexts {
    /// The one taken when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The one that was current before, for `context previous`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
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
        self.named(name).map(|(_, context)| context)
    }

    /// The same, with its name.
    ///
    /// # Errors
    /// As [`choose`](Self::choose).
    pub fn named(&self, name: Option<&str>) -> Result<(&str, &Context), Failure> {
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
        let found = self.contexts.get_key_value(name);
        found
            .map(|(name, context)| (name.as_str(), context))
            .ok_or_else(|| {
                let near = nearest(name, self.contexts.keys().map(String::as_str));
                let advice = near.map_or_else(
                    || format!("make it: {how}"),
                    |n| format!("did you mean `{n}`?"),
                );
                Failure::usage(format!("no context named `{name}`")).advice(advice)
            })
    }
}

/// What can say which context is meant, and what wins over what stands in it.
#[derive(Clone, Debug, Default)]
pub struct Settings<'a> {
    /// Named by a command that is about contexts.
    pub argument: Option<&'a str>,
    /// Named by --context on the command line.
    pub flag: Option<&'a str>,
    /// Named by TOCSIN_CONTEXT.
    pub variable: Option<&'a str>,
    /// TOCSIN_ENDPOINT.
    pub endpoint: Option<String>,
    /// TOCSIN_KEY.
    pub key: Option<String>,
}

/// The context that counts, and what said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Its name.
    pub name: String,
    /// What chose it.
    pub chosen_by: &'static str,
    /// Its values, those of variables in their place.
    pub context: Context,
    /// What gave the endpoint.
    pub endpoint_from: &'static str,
    /// What gave the record key.
    pub key_from: &'static str,
}

/// Where values stand that nothing wins over.
const FROM_FILE: &str = "contexts.toml";

impl Resolved {
    /// A context that was chosen by its name, as it stands in the file.
    #[must_use]
    pub fn of(name: &str, context: Context) -> Self {
        Self {
            name: name.to_owned(),
            chosen_by: "named",
            context,
            endpoint_from: FROM_FILE,
            key_from: FROM_FILE,
        }
    }
}

impl Contexts {
    /// The context that counts: as named, by flag, by variable, the current one, the only one; with
    /// the values of variables in their place.
    ///
    /// # Errors
    /// When there is none of that name, or none can be chosen.
    pub fn resolve(&self, settings: &Settings<'_>) -> Result<Resolved, Failure> {
        let named = [
            (settings.argument, "named"),
            (settings.flag, "--context"),
            (settings.variable, "TOCSIN_CONTEXT"),
            (self.current.as_deref(), "context use"),
        ];
        let chosen = named
            .into_iter()
            .find_map(|(name, by)| name.map(|name| (name, by)));
        let (name, context) = self.named(chosen.map(|(name, _)| name))?;
        let mut resolved = Resolved::of(name, context.clone());
        resolved.chosen_by = chosen.map_or("the only one", |(_, by)| by);
        if let Some(endpoint) = &settings.endpoint {
            resolved.context.endpoint.clone_from(endpoint);
            resolved.endpoint_from = "TOCSIN_ENDPOINT";
        }
        if let Some(key) = &settings.key {
            resolved.context.key = Some(PathBuf::from(key));
            resolved.key_from = "TOCSIN_KEY";
        }
        Ok(resolved)
    }

    /// Takes the one that was current before, and remembers the present one.
    ///
    /// # Errors
    /// When none is remembered, or it is gone.
    pub fn go_back(&mut self) -> Result<String, Failure> {
        let previous = self.previous.clone().ok_or_else(|| {
            Failure::usage("no context was taken before")
                .advice("take one by name: tocsin context use NAME")
        })?;
        self.make_current(&previous)?;
        Ok(previous)
    }

    /// Takes this one when none is named, and remembers which it was before.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn make_current(&mut self, name: &str) -> Result<(), Failure> {
        self.choose(Some(name))?;
        if self.current.as_deref() != Some(name) {
            self.previous = self.current.replace(name.to_owned());
        }
        Ok(())
    }

    /// Takes one away; if it was the current one, none is current.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn remove(&mut self, name: &str) -> Result<Context, Failure> {
        self.choose(Some(name))?;
        for place in [&mut self.current, &mut self.previous] {
            if place.as_deref() == Some(name) {
                *place = None;
            }
        }
        let gone = self.contexts.remove(name);
        gone.ok_or_else(|| Failure::usage(format!("no context named `{name}`")))
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
pub(crate) mod tests {
    use super::*;

    pub(crate) fn context(member: &str) -> Context {
        Context {
            endpoint: "https://127.0.0.1:7337".into(),
            member: member.into(),
            alliance: "a.tsa".into(),
            client_cert: "c.pem".into(),
            client_key: "/keys/k.pem".into(),
            genesis: None,
            key: None,
            admin: None,
            protected: false,
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
    fn the_context_before_is_remembered_and_what_is_removed_is_current_no_longer() {
        let mut contexts = Contexts::default();
        contexts.contexts.insert("de".into(), context("de"));
        contexts.contexts.insert("jp".into(), context("jp"));
        contexts.make_current("de").unwrap();
        contexts.make_current("jp").unwrap();
        contexts.make_current("jp").unwrap();
        assert_eq!(contexts.previous.as_deref(), Some("de"));
        assert!(contexts.make_current("us").is_err());
        contexts.remove("jp").unwrap();
        assert_eq!(contexts.current, None);
        assert!(contexts.remove("jp").is_err());
    }

    #[test]
    fn going_back_and_forth_ends_where_it_began() {
        let mut contexts = Contexts::default();
        assert_eq!(contexts.go_back().unwrap_err().exit, Exit::Usage);
        contexts.contexts.insert("de".into(), context("de"));
        contexts.contexts.insert("jp".into(), context("jp"));
        contexts.make_current("de").unwrap();
        contexts.make_current("jp").unwrap();
        assert_eq!(contexts.go_back().unwrap(), "de");
        assert_eq!(contexts.go_back().unwrap(), "jp");
        contexts.remove("de").unwrap();
        assert!(contexts.go_back().is_err());
    }

    #[test]
    fn what_gave_each_value_is_known() {
        let mut contexts = Contexts::default();
        contexts.contexts.insert("de".into(), context("de"));
        let only = contexts.resolve(&Settings::default()).unwrap();
        assert_eq!(only.chosen_by, "the only one");
        assert_eq!((only.endpoint_from, only.key_from), (FROM_FILE, FROM_FILE));
        contexts.contexts.insert("jp".into(), context("jp"));
        assert!(contexts.resolve(&Settings::default()).is_err());
        contexts.make_current("jp").unwrap();
        let mut settings = Settings::default();
        let chosen = |settings: &Settings<'_>| {
            let resolved = contexts.resolve(settings).unwrap();
            (resolved.name, resolved.chosen_by)
        };
        assert_eq!(chosen(&settings), ("jp".into(), "context use"));
        settings.variable = Some("de");
        assert_eq!(chosen(&settings), ("de".into(), "TOCSIN_CONTEXT"));
        settings.flag = Some("jp");
        assert_eq!(chosen(&settings), ("jp".into(), "--context"));
        settings.argument = Some("de");
        assert_eq!(chosen(&settings), ("de".into(), "named"));
        settings.endpoint = Some("https://other:7337".into());
        settings.key = Some("/k".into());
        let resolved = contexts.resolve(&settings).unwrap();
        assert_eq!(resolved.context.endpoint, "https://other:7337");
        assert_eq!(resolved.endpoint_from, "TOCSIN_ENDPOINT");
        assert_eq!(resolved.context.key, Some(PathBuf::from("/k")));
        assert_eq!(resolved.key_from, "TOCSIN_KEY");
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
