//! Data directories that are not what they were: restored from an older copy, copied, cloned,
//! damaged, or without what can be made again. None ever signs a second history unnoticed; each
//! says why and what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use tocsin_cli::keyfile;
use tocsin_log::equivocation::{Evidence, Kind};
use tocsin_log::hash::Hash;
use tocsin_log::keyfile::Purpose;
use tocsin_store::OpenOptions;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::{Disk, Open, RealDisk};
use tocsin_store::local::{LocalKind, LocalLog};
use tocsin_store::own_log::OwnLog;
use tocsin_store::slots::{FoundSlot, Home, SLOT_BLOCK_BYTES, Slot, StateKind};
use tocsin_tests::held::{NoteBook, hold};
use tocsin_tests::journal::Answer;
use tocsin_tests::network::{Network, copy_files};
use tocsin_tests::say::{self, Signed};
use tocsin_wire::envelope::read_proof;
use tocsin_wire::proto::admin::v1::{GetStatusResponse, LogStatus};
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;
use tonic::{Code, Status};

const BINARY: &str = env!("CARGO_BIN_EXE_tocsin-under-test");

const IDS: [&str; 3] = ["us", "jp", "de"];

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_restored_from_an_older_copy_never_signs() {
    let mut network = Network::start(BINARY, &IDS).await;
    let mut answers = vec![answered(&network, "us", 1).await];
    network.stop("us");
    let (home, older) = (
        network.member("us").home.dir().to_owned(),
        network.dir().join("older"),
    );
    copy_files(&home, &older);
    network.run("us");
    for number in 2..5 {
        answers.push(answered(&network, "us", number).await);
    }
    everybody_holds(&network, "us", &answers).await;
    network.stop("us");

    // Written over in place: the state file keeps its identity, and only the others can know.
    copy_files(&older, &home);
    network.run("us");
    let status = network
        .wait("us", "read-only", |status| status.state == "read_only")
        .await;
    for words in [
        "holds a newer note of this log, of size 4",
        "this copy ends at 1",
        "Restore",
    ] {
        assert!(status.reason.contains(words), "{}", status.reason);
    }
    does_not_sign(&network, "us", "holds a newer note").await;
    nothing_was_lost(network, &answers, &["jp", "de"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_started_beside_the_original_never_signs() {
    let mut network = Network::start(BINARY, &IDS).await;
    let mut answers = vec![answered(&network, "us", 1).await];
    everybody_holds(&network, "us", &answers).await;
    network.stop("us");
    network.copy("us", "copy");
    network.run("us");
    network.run("copy");
    let status = network
        .wait("copy", "read-only", |status| status.state == "read_only")
        .await;
    for words in [
        "is a copy",
        "the original may still be signing",
        "take this one over",
    ] {
        assert!(status.reason.contains(words), "{}", status.reason);
    }
    does_not_sign(&network, "copy", "is a copy").await;

    // The original goes on, and the copy reads along.
    answers.push(answered(&network, "us", 2).await);
    everybody_holds(&network, "us", &answers).await;
    network.kill("copy");
    nothing_was_lost(network, &answers, &IDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_of_the_disk_is_caught_when_notes_of_one_size_meet() {
    let mut network = cloned().await;
    network.run("clone");
    network.ready("clone").await;
    // While nobody watches, both say something; each answer is honest, and together they are not.
    ["jp", "de"].iter().for_each(|id| network.kill(id));
    answered(&network, "us", 2).await;
    answered(&network, "clone", 3).await;
    caught(network, (2, 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clone_of_the_disk_is_caught_when_notes_of_two_sizes_meet() {
    let mut network = cloned().await;
    ["jp", "de"].iter().for_each(|id| network.kill(id));
    answered(&network, "us", 2).await;
    // The note of a batch is kept with the next one: a third statement brings it into the segment.
    let said = [3, 4, 5].map(|number| said(&network, "clone", number));
    sign_in_batches(&network, "clone", &[&said[..2], &said[2..]]);
    network.run("clone");
    caught(network, (2, 3)).await;
}

/// A clone of a disk below the file system has the same device, inode and machine: here a copy
/// whose state files are made to name themselves. Nothing on it can tell that it is one of two.
async fn cloned() -> Network {
    let mut network = Network::start(BINARY, &IDS).await;
    let first = [answered(&network, "us", 1).await];
    everybody_holds(&network, "us", &first).await;
    network.stop("us");
    network.copy("us", "clone");
    let dir = network.member("clone").home.dir();
    name_itself(&dir.join("signer.state"), StateKind::Signer);
    name_itself(&dir.join("mirror.state"), StateKind::Mirror);
    network.run("us");
    network.ready("us").await;
    network
}

/// One peer reads the original, one the clone: their notes meet, both hold proof, and nobody signs.
async fn caught(mut network: Network, sizes: (u64, u64)) {
    network.point("de", "us", network.member("clone").port);
    ["jp", "de"].iter().for_each(|id| network.run(id));
    for id in ["jp", "de"] {
        let frozen = |log: &LogStatus| log.origin.contains("/us/") && log.frozen;
        let holds = |now: &GetStatusResponse| now.evidence > 0 && now.logs.iter().any(frozen);
        network.wait(id, "holding evidence", holds).await;
    }
    for id in ["us", "clone"] {
        network
            .wait(id, "read-only", |now| now.state == "read_only")
            .await;
        does_not_sign(&network, id, "").await;
    }
    for id in ["jp", "de"] {
        network.stop(id);
        verify_evidence(&network, id, sizes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_made_again_is_and_nothing_is_lost() {
    let mut network = Network::start(BINARY, &IDS).await;
    let mut answers = Vec::new();
    for number in 1..20 {
        answers.push(answered(&network, "us", number).await);
    }
    everybody_holds(&network, "us", &answers).await;
    let rebuilt = "the index is rebuilt from the logs";
    for spoil in [remove, scramble, cut_off] {
        for id in IDS {
            network.stop(id);
            spoil_what_can_be_made_again(network.member(id).home.dir(), spoil);
            let before = network.log(id).matches(rebuilt).count();
            network.run(id);
            network.ready(id).await;
            assert!(
                network.log(id).matches(rebuilt).count() > before,
                "{id} says nothing"
            );
        }
        let number = 20 + u32::try_from(answers.len()).unwrap();
        answers.push(answered(&network, "us", number).await);
        everybody_holds(&network, "us", &answers).await;
    }
    nothing_was_lost(network, &answers, &IDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_a_copy_is_named_and_repaired_from_a_peer() {
    let mut network = Network::start(BINARY, &IDS).await;
    let mut answers = Vec::new();
    for number in 1..6 {
        answers.push(answered(&network, "us", number).await);
    }
    everybody_holds(&network, "us", &answers).await;
    IDS.iter().for_each(|id| network.stop(id));
    flip(&segment(&network, "de", "us"), &answers[2].entry);

    // Alone it can only say what is wrong.
    network.run("de");
    let is_named = |log: &LogStatus| log.health.contains("entry 2 is damaged, at byte");
    network
        .wait("de", "naming the damage", |now| {
            now.logs.iter().any(is_named)
        })
        .await;
    let refused = entries(&network, "de", "us").await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss, "{refused}");

    network.run("us");
    network.run("jp");
    everybody_holds(&network, "us", &answers).await;
    network
        .wait("de", "whole", |now| {
            now.logs.iter().all(|log| log.health == "whole")
        })
        .await;
    answers.push(answered(&network, "us", 6).await);
    everybody_holds(&network, "us", &answers).await;
    nothing_was_lost(network, &answers, &IDS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_an_own_log_is_never_signed_over_and_repaired_from_a_peer() {
    let mut network = Network::start(BINARY, &IDS).await;
    let mut answers = Vec::new();
    for number in 1..6 {
        answers.push(answered(&network, "us", number).await);
    }
    everybody_holds(&network, "us", &answers).await;
    IDS.iter().for_each(|id| network.stop(id));
    flip(&segment(&network, "us", "us"), &answers[2].entry);

    network.run("us");
    let status = network
        .wait("us", "repairing", |now| now.state == "repairing")
        .await;
    assert!(
        status.reason.contains("entry 2 is damaged, at byte"),
        "{}",
        status.reason
    );
    assert!(network.page("us", "/readyz").contains("entry 2 is damaged"));
    let refused = said(&network, "us", 6)
        .submit(&network.channel("us").await)
        .await;
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    let refused = entries(&network, "us", "us").await.unwrap_err();
    assert_eq!(refused.code(), Code::DataLoss, "{refused}");

    network.run("jp");
    network.run("de");
    network.ready("us").await;
    answers.push(answered(&network, "us", 6).await);
    everybody_holds(&network, "us", &answers).await;
    nothing_was_lost(network, &answers, &IDS);
}

fn said(network: &Network, at: &str, number: u32) -> Signed {
    let member = &network.member(at).of;
    say::report(member, number).sign(&[&network.key(at, "i-1")])
}

async fn answered(network: &Network, at: &str, number: u32) -> Answer {
    network.ready(at).await;
    let said = said(network, at, number);
    let response = said.submit(&network.channel(at).await).await.unwrap();
    let member = &network.member(at).of;
    Answer::proven(
        &said,
        &response,
        &network.alliance.member(member).unwrap().log_key,
    )
}

/// What a stopped node would do with statements that arrive at the same moment.
fn sign_in_batches(network: &Network, at: &str, batches: &[&[Signed]]) {
    let member = network.member(at);
    let data = DataDir::open(Arc::new(RealDisk), member.home.dir()).unwrap();
    let key = keyfile::read_for(&member.home.keys().join("log.key"), Purpose::Log)
        .unwrap()
        .key;
    let origin = &network.alliance.member(&member.of).unwrap().origin;
    let mut log = OwnLog::open(&data, origin, key, OpenOptions::default()).unwrap();
    log.allow_signing().unwrap();
    for said in batches {
        let mut batch = log.batch();
        for said in *said {
            batch
                .push(&said.entry.encode().unwrap(), &said.bodies)
                .unwrap();
        }
        log.commit(&batch).unwrap();
    }
}

/// Waits until every member's node serves all that was answered, byte for byte.
async fn everybody_holds(network: &Network, of: &str, answers: &[Answer]) {
    let size = answers.iter().map(|answer| answer.index + 1).max().unwrap();
    for id in IDS {
        network.caught_up(id, of, size).await;
        hold(
            &entries(network, id, of).await.unwrap(),
            answers,
            &format!("{id} of {of}"),
        );
    }
}

async fn entries(network: &Network, at: &str, of: &str) -> Result<Vec<Vec<u8>>, Status> {
    let mut client = LogServiceClient::new(network.channel(at).await);
    let request = v1::ReadEntriesRequest {
        log: of.to_owned(),
        start: 0,
        limit: 0,
    };
    let mut stream = client.read_entries(request).await?.into_inner();
    let mut entries = Vec::new();
    while let Some(read) = stream.message().await? {
        entries.push(read.entry);
    }
    Ok(entries)
}

/// A node that is read-only refuses what is new, and says why wherever one looks.
async fn does_not_sign(network: &Network, at: &str, why: &str) {
    let said = said(network, at, 1_000);
    let refused = said.submit(&network.channel(at).await).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.message().contains("does not sign"), "{refused}");
    assert!(refused.message().contains(why), "{refused}");
    let page = network.page(at, "/readyz");
    assert!(page.starts_with("HTTP/1.1 503"), "{page}");
    assert!(page.contains("read_only") && page.contains(why), "{page}");
    assert!(network.page(at, "/livez").starts_with("HTTP/1.1 200"));
}

/// Stops everything and reads the disks: what was answered is there, under one history.
fn nothing_was_lost(mut network: Network, answers: &[Answer], at: &[&str]) {
    IDS.iter().for_each(|id| network.stop(id));
    NoteBook::default().add_held(&network, at, &[("us", answers.to_vec())]);
}

/// Makes every slot of a state file name the file it now lies in.
fn name_itself(path: &Path, kind: StateKind) {
    let file = RealDisk.open(path, Open::Write).unwrap();
    let home = Home {
        file: file.identity().unwrap(),
        machine: RealDisk.machine_id(),
    };
    for offset in (0..file.len().unwrap()).step_by(usize::try_from(SLOT_BLOCK_BYTES).unwrap()) {
        let mut sector = [0; 512];
        file.read_at(offset, &mut sector).unwrap();
        let FoundSlot::Written(slot) = Slot::decode(&sector, kind) else {
            panic!("no slot")
        };
        file.write_at(offset, &Slot { home, ..slot }.encode(kind))
            .unwrap();
    }
    file.fdatasync().unwrap();
}

/// What a stopped node keeps as evidence convinces whoever has the log's key.
fn verify_evidence(network: &Network, at: &str, sizes: (u64, u64)) {
    let data = DataDir::open(Arc::new(RealDisk), network.member(at).home.dir()).unwrap();
    let mut pieces = Vec::new();
    LocalLog::open(&data, &OpenOptions::default(), |kind, record| {
        if kind == LocalKind::Evidence {
            pieces.push(peer::Evidence::decode(record).unwrap());
        }
    })
    .unwrap();
    assert!(!pieces.is_empty(), "{at} keeps no evidence");
    let us = network.alliance.member("us").unwrap();
    for peer::Evidence {
        r#type,
        note_a,
        note_b,
        mid_root,
        proof,
    } in pieces
    {
        let kind = match r#type {
            1 => Kind::E1,
            _ => Kind::E2 {
                mid_root: Hash::try_from(mid_root.as_slice()).unwrap(),
                proof: read_proof(&proof).unwrap(),
            },
        };
        let evidence = Evidence {
            note_a,
            note_b,
            kind,
        };
        let proven = evidence.verify(&us.log_key, &us.origin).unwrap();
        let (one, other) = proven.notes();
        assert_eq!(
            (one.checkpoint().size, other.checkpoint().size),
            sizes,
            "{at}"
        );
    }
}

fn segment(network: &Network, at: &str, of: &str) -> PathBuf {
    let origin = &network.alliance.member(of).unwrap().origin;
    let logs = network
        .member(at)
        .home
        .dir()
        .join("log")
        .join(origin.file_name());
    logs.join(format!("{:020}.seg", 0))
}

/// Flips a bit in the middle of where `entry` lies in a file.
fn flip(path: &Path, entry: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes
        .windows(entry.len())
        .position(|window| window == entry)
        .unwrap();
    bytes[at + entry.len() / 2] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// Spoils the index and the position files, and nothing else.
fn spoil_what_can_be_made_again(dir: &Path, spoil: fn(&Path)) {
    let mut spoilt = 0;
    let mut folders = vec![dir.join("index"), dir.join("log")];
    while let Some(folder) = folders.pop() {
        for found in fs::read_dir(folder).unwrap() {
            let path = found.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "seg") {
                spoil(&path);
                spoilt += 1;
            }
        }
    }
    assert!(spoilt > 3 * IDS.len(), "{spoilt} files were found");
}

fn remove(path: &Path) {
    fs::remove_file(path).unwrap();
}

fn scramble(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(
        path,
        bytes.iter().map(|byte| byte ^ 0x5a).collect::<Vec<_>>(),
    )
    .unwrap();
}

fn cut_off(path: &Path) {
    let bytes = fs::read(path).unwrap();
    fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}
