//! Takes the snapshot: everything that has to be asked of the disk, the clock and the other tasks.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tocsin_core::notice::BlockState;
use tocsin_core::roster::{Alliance, Member};
use tocsin_store::reader::LogReader;

use super::Memory;
use super::memory::Seen;
use super::snapshot::{
    AllianceFile, Bodies, Disk, Draft, Files, Log, Peer, Pending, Policy, Secret, Share, Signing,
    Snapshot, Standing, Unread, Validity,
};
use crate::clock;
use crate::config::read_bounded;
use crate::limits;
use crate::node::Node;
use crate::origins::{self, Hold};
use crate::signing;
use crate::tls::{CertificateFacts, facts_of};

/// One moment of a node. It reads files, so it is for a thread that may wait.
pub(crate) fn gather(node: &Node, memory: &Memory) -> Snapshot {
    let (now_ms, now) = (clock::now_ms(), clock::monotonic_ms());
    let seen = memory.look(node, now);
    let log = |reader: &LogReader| {
        let origin = reader.origin().to_string();
        let seen = seen.get(&origin).copied().unwrap_or_default();
        log(node, reader, seen, now_ms, now)
    };
    let mut logs: Vec<Log> = node.logs.readers().map(log).collect();
    logs.sort_by_key(|log| !log.is_own);
    let home = node.config.file.parent().unwrap_or_else(|| Path::new("."));
    Snapshot {
        now_ms,
        home: home.display().to_string(),
        members: node.alliance.member_count(),
        files: files(node),
        signing: Signing {
            standing: standing(node),
            overridden: node.overridden.clone(),
            started_ms: node.started_ms,
        },
        peers: peers(node),
        logs,
        bodies: bodies(node),
        disk: disk(node, memory, now),
        has_index: node.indexer.is_sound(),
        policy: policy(node, now_ms),
        pending: pending(node, now_ms),
        drafts: drafts(node),
        watchers: Share {
            used: u64::try_from(node.metrics.watchers.get()).unwrap_or_default(),
            most: limits::MAX_WATCHERS as u64,
        },
    }
}

fn files(node: &Node) -> Files {
    let config = &node.config;
    let on_disk = read_bounded("tls.cert", &config.tls.cert, limits::MAX_PEM_BYTES as u64);
    let on_disk = on_disk.map_err(|error| error.to_string());
    Files {
        certificate: Ok(validity(&node.tls.certificate())),
        certificate_on_disk: on_disk.and_then(|pem| validity_of(&pem)),
        ca: validity_of(node.member().tls.ca_pem.as_bytes()),
        secrets: secrets(&config.tls.key, &config.keys_dir),
        alliance: alliance_file(node),
    }
}

const fn validity(facts: &CertificateFacts) -> Validity {
    Validity {
        from_ms: facts.not_before_ms,
        until_ms: facts.not_after_ms,
    }
}

/// Of the first certificate of a PEM text.
fn validity_of(pem: &[u8]) -> Unread<Validity> {
    let leaf = CertificateDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
    let (not_before_ms, not_after_ms) = facts_of(&leaf).map_err(|error| error.to_string())?;
    Ok(Validity {
        from_ms: not_before_ms,
        until_ms: not_after_ms,
    })
}

/// The TLS key, every key beside it (a CA's, clients'), and everything in the directory of keys.
fn secrets(tls_key: &Path, keys_dir: &Path) -> Vec<Secret> {
    let mut paths = BTreeSet::from([tls_key.to_owned()]);
    let beside = tls_key.parent().map(files_in).unwrap_or_default();
    let is_key = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".key.pem") || name.ends_with(".key")
    };
    paths.extend(beside.into_iter().filter(is_key));
    paths.extend(files_in(keys_dir));
    let secret = |path: PathBuf| Secret {
        mode: fs::metadata(&path)
            .map(|facts| facts.mode())
            .map_err(|error| error.to_string()),
        path: path.display().to_string(),
    };
    paths.into_iter().map(secret).collect()
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries
        .take(limits::MAX_CHECKED_FILES)
        .filter_map(Result::ok);
    let paths = paths.map(|entry| entry.path());
    paths.filter(|path| path.is_file()).collect()
}

fn alliance_file(node: &Node) -> AllianceFile {
    let path = &node.config.alliance;
    let bytes = match read_bounded("alliance", path, limits::MAX_ALLIANCE_BYTES) {
        Ok(bytes) => bytes,
        Err(error) => return AllianceFile::Unusable(error.to_string()),
    };
    match Alliance::parse(&bytes) {
        Ok(found) if found.genesis_hash() == node.alliance.genesis_hash() => AllianceFile::Same,
        Ok(found) => AllianceFile::Other(found.genesis_hash().to_string()),
        Err(refusal) => AllianceFile::Unusable(refusal.to_string()),
    }
}

fn standing(node: &Node) -> Standing {
    if node.stop.is_cancelled() {
        return Standing::Preparing("the node is stopping".to_owned());
    }
    match node.signing.standing() {
        signing::Standing::Ready => Standing::Serving,
        signing::Standing::Asking => Standing::Preparing(node.signing.waiting_for()),
        signing::Standing::Repairing(reason) => Standing::Preparing(reason),
        signing::Standing::ReadOnly(reason) => Standing::ReadOnly(reason),
    }
}

fn peers(node: &Node) -> Vec<Peer> {
    let ca = |member: &str| {
        let member = node.alliance.member(member);
        let member = member.ok_or_else(|| "it is no member".to_owned())?;
        validity_of(member.tls.ca_pem.as_bytes())
    };
    let links = node.peers.links().into_iter();
    let peer = |(member, link): (String, crate::peers::Link)| Peer {
        endpoint: node.endpoint(&member).unwrap_or_default().to_owned(),
        connected: link.connected,
        since_ms: link.since_ms,
        reason: link.reason,
        certificate: node.tls.shown_by(&member).as_ref().map(validity),
        ca: ca(&member),
        clock: node.peers.clock(&member),
        member,
    };
    links.map(peer).collect()
}

fn log(node: &Node, reader: &LogReader, seen: Seen, now_ms: i64, now: u64) -> Log {
    let origin = reader.origin();
    let key = origin.to_string();
    let member = node.alliance.member(origin.member());
    let fresh = |member: &Member| node.known_until(member, now_ms);
    Log {
        member: origin.member().to_owned(),
        is_own: origin == node.logs.own().origin(),
        size: reader.size(),
        known: node.known(reader),
        applied: node.state.applied(&key),
        is_frozen: node.evidence.is_frozen(&key),
        damage: reader.damage().iter().map(ToString::to_string).collect(),
        fresh_ms: member.map_or(0, fresh),
        held: node
            .origins
            .held(&key, origins::monotonic_ms())
            .map(Hold::meaning),
        stuck_ms: seen.stuck_ms(now),
        unapplied_ms: seen.unapplied_ms(now),
    }
}

fn bodies(node: &Node) -> Bodies {
    let mut bodies = Bodies::default();
    let mut of = BTreeSet::new();
    for (position, _) in node.state.read().registry.missing_bodies() {
        bodies.missing += 1;
        of.insert(position.origin.member().to_owned());
    }
    bodies.of = of.into_iter().collect();
    bodies
}

fn disk(node: &Node, memory: &Memory, now: u64) -> Unread<Disk> {
    let directory = node.config.data_dir.as_path();
    let facts = rustix::fs::statvfs(directory).map_err(|error| error.to_string())?;
    let ours = size_of(directory).map_err(|error| error.to_string())?;
    let (before, watched_ms) = memory.disk(ours, now);
    Ok(Disk {
        free: facts.f_bavail.saturating_mul(facts.f_frsize),
        is_low: node.room.is_low(),
        ours,
        grown: ours.saturating_sub(before),
        watched_ms,
    })
}

/// What the files under a directory take on the disk (bytes); links are not followed.
///
/// # Errors
/// When the directory itself cannot be read; what vanishes meanwhile is passed by.
pub(super) fn size_of(directory: &Path) -> io::Result<u64> {
    let mut bytes: u64 = 0;
    let mut looked = 0_usize;
    let mut directories = vec![fs::read_dir(directory)?];
    while let Some(mut entries) = directories.pop() {
        while let Some(entry) = entries.next() {
            let Ok(facts) = entry.and_then(|entry| Ok((entry.path(), entry.metadata()?))) else {
                continue;
            };
            looked += 1;
            if looked > limits::MAX_COUNTED_FILES {
                return Ok(bytes);
            }
            let (path, facts) = facts;
            // 512: the unit of st_blocks, whatever the file system's own (stat(2)).
            bytes = bytes.saturating_add(facts.blocks().saturating_mul(512));
            if facts.is_dir()
                && let Ok(inner) = fs::read_dir(&path)
            {
                directories.push(entries);
                entries = inner;
            }
        }
    }
    Ok(bytes)
}

fn policy(node: &Node, now_ms: i64) -> Option<Policy> {
    let applied = node.state.read();
    let jurisdiction = &node.member().jurisdiction;
    let (_, pack) = applied.registry.policy_in_force(jurisdiction, now_ms)?;
    Some(Policy {
        version: pack.version,
        calendar: pack.calendar.clone(),
        mirror_age_hours: pack.limits.mirror_age_hours,
    })
}

fn pending(node: &Node, now_ms: i64) -> Vec<Pending> {
    let applied = node.state.read();
    let registry = &applied.registry;
    let jurisdiction = &node.member().jurisdiction;
    let waiting = registry.pending(jurisdiction, now_ms).into_iter();
    let pending = |one: tocsin_core::registry::Pending| {
        let block = registry.block(&one.order, jurisdiction, now_ms)?;
        Some(Pending {
            is_held: block.state == BlockState::Held,
            since_ms: block.since_ms,
            until_ms: one.until_ms,
            order: one.name,
        })
    };
    waiting.filter_map(pending).collect()
}

fn drafts(node: &Node) -> Vec<Draft> {
    let held = node.drafts.all(node);
    let draft = |held: &std::sync::Arc<crate::drafts::Held>| Draft {
        name: tocsin_core::name::prefix(&held.statement_id()),
        since_ms: held.statement.created_ms,
        until_ms: held.expires_ms(),
    };
    held.iter().map(draft).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_as_large_as_the_files_under_it() {
        let dir = tempfile::tempdir().unwrap();
        let empty = size_of(dir.path()).unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        for name in ["one", "a/two", "a/b/three"] {
            fs::write(dir.path().join(name), vec![7; 100_000]).unwrap();
        }
        let full = size_of(dir.path()).unwrap();
        assert!(full >= empty + 3 * 100_000, "{empty} {full}");
        assert!(full < empty + 4 * 100_000 + 64 * 1024, "{empty} {full}");
        assert!(size_of(&dir.path().join("none")).is_err());
    }

    #[test]
    fn every_key_beside_the_tls_key_is_looked_at_and_certificates_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let (tls, keys) = (dir.path().join("tls"), dir.path().join("keys"));
        fs::create_dir_all(&tls).unwrap();
        fs::create_dir_all(&keys).unwrap();
        for name in [
            "tls/node.pem",
            "tls/node.key.pem",
            "tls/ca.key.pem",
            "keys/log.key",
        ] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        let found = secrets(&tls.join("node.key.pem"), &keys);
        let names: Vec<&str> = found.iter().map(|secret| secret.path.as_str()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names.iter().any(|name| name.ends_with("node.pem")));
        assert!(found.iter().all(|secret| secret.mode.is_ok()));
        let gone = secrets(&dir.path().join("none/x.key"), &keys);
        assert!(gone.iter().any(|secret| secret.mode.is_err()));
    }
}
