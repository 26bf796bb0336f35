//! The dependency graph, as cargo sees it and as the lock file counts it.

use std::collections::BTreeSet;
use std::io;
use std::process::Command;

use crate::repository;

/// One crate of the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Package name.
    pub name: String,
    /// Version without a leading `v`.
    pub version: String,
    /// SPDX expression of its `Cargo.toml`; empty when it has none.
    pub licence: String,
}

/// Crates that `cargo tree` lists for the machine it runs on, with `arguments` (`-p NAME`, `-e
/// normal`, ...).
///
/// Asks no network: what a test links has been fetched to build the test.
///
/// # Errors
/// When cargo fails; its own words are in the message. A lock file that does not fit the manifests
/// is one reason.
pub fn tree(arguments: &[&str]) -> io::Result<BTreeSet<Package>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let listing = Command::new(cargo)
        .current_dir(repository::root())
        .args([
            "tree",
            "--offline",
            "--locked",
            "--prefix",
            "none",
            "--format",
            "{p}|{l}",
        ])
        .args(arguments)
        .output()?;
    if !listing.status.success() {
        let why = String::from_utf8_lossy(&listing.stderr).into_owned();
        return Err(io::Error::other(format!(
            "cargo tree {}: {why}",
            arguments.join(" ")
        )));
    }
    Ok(String::from_utf8_lossy(&listing.stdout)
        .lines()
        .filter_map(package)
        .collect())
}

/// `name v1.2.3 (proc-macro) (*)|MIT` as a package.
fn package(line: &str) -> Option<Package> {
    let (described, licence) = line.rsplit_once('|')?;
    let mut words = described.split_whitespace();
    let name = words.next()?.to_owned();
    let version = words.next()?.trim_start_matches('v').to_owned();
    let licence = licence.trim_end_matches("(*)").trim().to_owned();
    Some(Package {
        name,
        version,
        licence,
    })
}

/// Whether an SPDX expression lets us ship, given the licences we accept.
///
/// `AND` binds closer than `OR`; the old `/` reads as `OR`; an exception (`X WITH Y`) is one
/// licence and must be accepted as a whole. What does not parse is not accepted.
#[must_use]
pub fn licence_allowed(expression: &str, accepted: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let answer = any(&words, &mut at, accepted);
    answer.unwrap_or(false) && at == words.len()
}

fn any(words: &[&str], at: &mut usize, accepted: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut answer = all(words, at, accepted)?;
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        answer |= all(words, at, accepted)?;
    }
    Some(answer)
}

fn all(words: &[&str], at: &mut usize, accepted: &dyn Fn(&str) -> bool) -> Option<bool> {
    let mut answer = one(words, at, accepted)?;
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        answer &= one(words, at, accepted)?;
    }
    Some(answer)
}

fn one(words: &[&str], at: &mut usize, accepted: &dyn Fn(&str) -> bool) -> Option<bool> {
    let word = *words.get(*at)?;
    *at += 1;
    if word == "(" {
        let answer = any(words, at, accepted)?;
        let closed = words.get(*at) == Some(&")");
        *at += 1;
        return closed.then_some(answer);
    }
    if words.get(*at) != Some(&"WITH") {
        return Some(accepted(word));
    }
    let exception = *words.get(*at + 1)?;
    *at += 2;
    Some(accepted(&format!("{word} WITH {exception}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_expression_is_read_with_its_operators() {
        let accepted = |l: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&l);
        let allowed = |e: &str| licence_allowed(e, &accepted);
        assert!(allowed("MIT"));
        assert!(allowed("GPL-3.0 OR MIT"));
        assert!(allowed("GPL-3.0/MIT"));
        assert!(allowed("ISC AND (GPL-3.0 OR MIT)"));
        assert!(allowed("Apache-2.0 WITH LLVM-exception"));
        assert!(allowed("MIT OR GPL-3.0 AND X"));
        assert!(!allowed("MIT AND GPL-3.0"));
        assert!(!allowed("(MIT OR GPL-3.0) AND X"));
        assert!(!allowed("(MIT"));
        assert!(!allowed("MIT)"));
        assert!(!allowed(""));
    }

    #[test]
    fn a_line_of_the_tree_is_read() {
        let read = package("serde_derive v1.0.2 (proc-macro)|MIT OR Apache-2.0 (*)").unwrap();
        assert_eq!(
            (read.name.as_str(), read.version.as_str()),
            ("serde_derive", "1.0.2")
        );
        assert_eq!(read.licence, "MIT OR Apache-2.0");
    }
}
