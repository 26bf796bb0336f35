//! The repository as files: where it lies and what git keeps in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where generated Rust code lies; it is exempt from rules on form, and a test regenerates it.
pub const GENERATED: &str = "crates/tocsin-wire/src/gen/";

/// A kept text file, named by its path from the repository's root with `/` between parts.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Path from the root.
    pub path: String,
    /// Whole content.
    pub text: String,
}

/// The directory that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// Reads one file of the repository.
///
/// # Errors
/// When it is missing or not UTF-8; the path is in the message.
pub fn read(path: &str) -> io::Result<String> {
    fs::read_to_string(root().join(path))
        .map_err(|e| io::Error::new(e.kind(), format!("{path}: {e}")))
}

/// Paths of all files git keeps, sorted; files deleted but not yet committed are left out.
///
/// # Errors
/// When git cannot be run here or does not know this directory.
pub fn kept_paths() -> io::Result<Vec<String>> {
    let listing = Command::new("git")
        .arg("-C")
        .arg(root())
        .args(["ls-files", "-z"])
        .output()?;
    if !listing.status.success() {
        let why = String::from_utf8_lossy(&listing.stderr).into_owned();
        return Err(io::Error::other(format!("git ls-files: {why}")));
    }
    let names = String::from_utf8_lossy(&listing.stdout).into_owned();
    let mut paths: Vec<String> = names
        .split('\0')
        .filter(|p| !p.is_empty() && root().join(p).is_file())
        .map(str::to_owned)
        .collect();
    paths.sort();
    Ok(paths)
}

/// All kept files that are UTF-8 text.
///
/// # Errors
/// As [`kept_paths`], or when a file cannot be read.
pub fn kept_text() -> io::Result<Vec<TextFile>> {
    let mut files = Vec::new();
    for path in kept_paths()? {
        if let Ok(text) = String::from_utf8(fs::read(root().join(&path))?) {
            files.push(TextFile { path, text });
        }
    }
    Ok(files)
}

/// Kept Rust files written by hand.
///
/// # Errors
/// As [`kept_text`].
pub fn kept_rust() -> io::Result<Vec<TextFile>> {
    let mut files = kept_text()?;
    files.retain(|f| f.path.ends_with(".rs") && !f.path.starts_with(GENERATED));
    Ok(files)
}
