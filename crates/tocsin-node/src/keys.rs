//! The node's own keys, read once from files that nobody else can read.
//!
//! `log.key` signs our checkpoints, `mirror.key` our cosignatures of others', `node.key` what the
//! node itself says: decisions by policy and lapses. Officers' and the governance keys are none
//! of the node's business.

use std::path::{Path, PathBuf};

use tocsin_core::roster::Member;
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::{KeyText, KeyTextError, MAX_KEY_TEXT_BYTES, Purpose};
use zeroize::Zeroizing;

use crate::config::{ConfigError, check_private, read_bounded};

/// What the node signs with.
///
/// Without `Debug`: secrets must not reach a log or an error message.
pub(crate) struct NodeKeys {
    /// Signs our checkpoints.
    pub(crate) log: SigningKey,
    /// Signs our cosignatures.
    pub(crate) mirror: SigningKey,
    /// Signs decisions by policy and lapses.
    pub(crate) record: SigningKey,
}

/// Why the node has not the keys it needs; each says which file.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file is missing, too long, or open to others.
    #[error(transparent)]
    File(#[from] ConfigError),
    /// Not text in the form of a key.
    #[error("{file}: {error}")]
    Text {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        error: KeyTextError,
    },
    /// A key for something else.
    #[error("{file} is a {found} key where a {wanted} key is needed")]
    Purpose {
        /// Which file.
        file: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// Not the key that the manifest names.
    #[error(
        "{file} is not the key in the manifest of {member}; use the alliance file it was made for"
    )]
    NotInManifest {
        /// Which file.
        file: PathBuf,
        /// Whose manifest.
        member: String,
    },
}

impl NodeKeys {
    /// Reads `log.key`, `mirror.key` and `node.key` from `dir` and holds them against the manifest.
    ///
    /// # Errors
    /// [`KeysError`], naming the file.
    pub(crate) fn read(dir: &Path, member: &Member) -> Result<Self, KeysError> {
        let log = read(dir, "log.key", Purpose::Log)?;
        let mirror = read(dir, "mirror.key", Purpose::Mirror)?;
        let record = read(dir, "node.key", Purpose::Record)?;
        let key_id = record.public().key_id();
        for (name, known) in [
            ("log.key", log.public() == member.log_key),
            ("mirror.key", mirror.public() == member.mirror_key),
            ("node.key", member.record_keys.contains_key(&key_id)),
        ] {
            if !known {
                let (file, member) = (dir.join(name), member.id.clone());
                return Err(KeysError::NotInManifest { file, member });
            }
        }
        Ok(Self {
            log,
            mirror,
            record,
        })
    }
}

fn read(dir: &Path, name: &str, purpose: Purpose) -> Result<SigningKey, KeysError> {
    let file = dir.join(name);
    check_private("keys.dir", &file)?;
    let most = MAX_KEY_TEXT_BYTES as u64;
    let bytes = Zeroizing::new(read_bounded("keys.dir", &file, most)?);
    let text = String::from_utf8_lossy(&bytes);
    let found = KeyText::parse(&text).map_err(|error| KeysError::Text {
        file: file.clone(),
        error,
    })?;
    if found.purpose != purpose {
        let (found, wanted) = (found.purpose.word(), purpose.word());
        return Err(KeysError::Purpose {
            file,
            found,
            wanted,
        });
    }
    Ok(found.key)
}
