//! Holds the generated code of `tocsin-wire` equal to what `proto/` says.
//!
//! Nobody needs protoc: protox parses, tonic-prost-build writes. `TOCSIN_REGENERATE=1` writes the
//! files instead of comparing them.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::wildcard_enum_match_arm,
    reason = "a broken contract or an unwritable folder fails the test, which is all it can do"
)]

mod shape;

use prost::Message;
use prost_types::FileDescriptorSet;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const REGENERATE: &str = "TOCSIN_REGENERATE=1 cargo test --release -p tocsin-tests --test codegen";

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_path_buf()
}

fn proto_files(root: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            proto_files(root, &path, found);
        } else if path.extension().is_some_and(|e| e == "proto") {
            found.push(path.strip_prefix(root).unwrap().to_path_buf());
        }
    }
}

fn descriptors() -> FileDescriptorSet {
    let root = repository().join("proto");
    let mut files = Vec::new();
    proto_files(&root, &root, &mut files);
    files.sort();
    protox::compile(files, [root]).unwrap_or_else(|e| panic!("proto/ does not compile: {e:?}"))
}

/// What `grpc.reflection.v1` answers from: the files without their comments.
fn descriptor_bytes(set: &FileDescriptorSet) -> Vec<u8> {
    let mut set = set.clone();
    for file in &mut set.file {
        file.source_code_info = None;
    }
    set.encode_to_vec()
}

fn read_all(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(items) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    items
        .map(|item| {
            let path = item.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

fn generate() -> BTreeMap<String, Vec<u8>> {
    let set = descriptors();
    let out = tempfile::tempdir().unwrap();
    let table = shape::table(&set);
    let descriptors = descriptor_bytes(&set);
    tonic_prost_build::configure()
        // The wire crate opens no sockets: whoever dials makes the channel.
        .build_transport(false)
        .emit_rerun_if_changed(false)
        .out_dir(out.path())
        .compile_fds(set)
        .unwrap();
    let mut files = read_all(out.path());
    files.insert("shape.rs".into(), table.into_bytes());
    files.insert("descriptors.binpb".into(), descriptors);
    files
}

#[test]
fn committed_code_is_what_the_contract_generates() {
    let fresh = generate();
    let folder = repository().join("crates/tocsin-wire/src/gen");
    let committed = read_all(&folder);
    if std::env::var_os("TOCSIN_REGENERATE").is_some_and(|v| v == "1") {
        for stale in committed.keys().filter(|name| !fresh.contains_key(*name)) {
            fs::remove_file(folder.join(stale)).unwrap();
        }
        for (name, text) in &fresh {
            fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    let mut wrong = Vec::new();
    for (name, text) in &fresh {
        match committed.get(name) {
            None => wrong.push(format!("{name} is missing")),
            Some(old) if old != text => {
                let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(text));
                wrong.push(first_difference(name, &old, &new));
            }
            Some(_) => {}
        }
    }
    wrong.extend(
        committed
            .keys()
            .filter(|name| !fresh.contains_key(*name))
            .map(|n| format!("{n} is stale")),
    );
    assert!(
        wrong.is_empty(),
        "crates/tocsin-wire/src/gen differs from proto/:\n  {}\nregenerate:\n  {REGENERATE}",
        wrong.join("\n  ")
    );
}

fn first_difference(name: &str, old: &str, new: &str) -> String {
    let line = old
        .lines()
        .zip(new.lines())
        .take_while(|(a, b)| a == b)
        .count();
    let show = |text: &str| text.lines().nth(line).unwrap_or("(end of file)").to_owned();
    format!(
        "{name}:{}: committed `{}`, generated `{}`",
        line + 1,
        show(old),
        show(new)
    )
}
