//! What can be wrong with the settings, and what to do about it.

use std::path::PathBuf;

/// "Did you mean ..?", where something is near.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion(pub Option<String>);

impl std::fmt::Display for Suggestion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "did you mean {name:?}?"),
            None => write!(f, "the known ones are in deploy/README.md"),
        }
    }
}

/// What is wrong with the settings, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{key}: cannot read {file}: {why}")]
    Unreadable {
        /// The setting.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A file is longer than its limit.
    #[error("{key}: {file} is longer than such a file can be; is it the right one?")]
    TooLong {
        /// The setting.
        key: &'static str,
        /// The file.
        file: PathBuf,
    },
    /// The file is no TOML.
    #[error("{file} is not TOML: {why}")]
    NotToml {
        /// The file.
        file: PathBuf,
        /// Where and why.
        why: String,
    },
    /// Nobody knows this key.
    #[error("unknown setting {key}: {suggestion}")]
    UnknownKey {
        /// The key, or variable.
        key: String,
        /// What may have been meant.
        suggestion: Suggestion,
    },
    /// A setting without which nothing works.
    #[error("{key} is not set; `tocsin init` writes a complete node.toml")]
    Missing {
        /// The setting.
        key: &'static str,
    },
    /// A value that cannot be.
    #[error("{key}: {what}; {remedy}")]
    Bad {
        /// The setting.
        key: &'static str,
        /// What is wrong.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The file does not exist.
    #[error("{key}: there is no file {file}; check the path, or run `tocsin init`")]
    NoFile {
        /// The setting.
        key: &'static str,
        /// The path.
        file: PathBuf,
    },
    /// The directory does not exist.
    #[error("{key}: there is no directory {directory}; check the path, or run `tocsin init`")]
    NoDirectory {
        /// The setting.
        key: &'static str,
        /// The path.
        directory: PathBuf,
    },
    /// Others can read a secret.
    #[error("{key}: others can read {file}; run chmod 600 on it, and think of the key as read")]
    NotPrivate {
        /// The setting.
        key: &'static str,
        /// The file.
        file: PathBuf,
    },
}
