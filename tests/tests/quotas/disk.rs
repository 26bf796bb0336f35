//! A full disk: what releases goods is still written, and what was answered is not lost.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tocsin_core::order::OrderActKind;
use tocsin_log::checkpoint::Origin;
use tocsin_log::key::SigningKey;
use tocsin_store::OpenOptions;
use tocsin_store::data_dir::DataDir;
use tocsin_store::disk::{Broken, Disk, DiskFile, FaultyDisk, Open};
use tocsin_store::error::{Refusal, StoreError};
use tocsin_store::own_log::{OwnLog, OwnState};
use tocsin_store::reserve::Reserve;
use tocsin_tests::network::Network;
use tocsin_tests::say::{self, Saying, Signed};
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1::draft_service_client::DraftServiceClient;
use tocsin_wire::proto::v1::submit_service_client::SubmitServiceClient;
use tocsin_wire::proto::v1::{PutDraftRequest, SubmitResponse};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::{BINARY, metric, name, order, reason, wait_block, wait_of, withdrawal};

/// The file system of the test, and what of it is kept (MiB).
const DISK_MIB: u64 = 72;
const RESERVE_MIB: u64 = 16;
/// Orders issued before the disk is full; each can be suspended once.
const ORDERS: u32 = 40;

/// A small file system in memory, gone when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// None where this process may not mount. As root it must be able to, unless
    /// `NO_MOUNT` says that this machine does not let even root do it: so that a gate that runs as
    /// root cannot pass without the check.
    fn new(at: &Path) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", &format!("size={DISK_MIB}m"), "tmpfs"]);
        let done = command.arg(at).output();
        if done.as_ref().is_ok_and(|done| done.status.success()) {
            return Some(Self(at.to_owned()));
        }
        let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
        assert!(
            !is_root || std::env::var_os("NO_MOUNT").is_some(),
            "root cannot mount a tmpfs here; set NO_MOUNT=1 to test with the faulty disk alone: \
             {done:?}"
        );
        None
    }

    /// Another program takes every block that is free.
    fn fill(&self) {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.other())
            .unwrap();
        for piece in [1024 * 1024, 4096] {
            let bytes = vec![7; piece];
            while file.write_all(&bytes).is_ok() {}
        }
    }

    /// And gives them back.
    fn clear(&self) {
        fs::remove_file(self.other()).unwrap();
    }

    fn other(&self) -> PathBuf {
        self.0.join("other")
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Its users may be on their way out still.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn suspension(network: &Network, order: &Signed) -> Signed {
    let act = say::act(OrderActKind::Suspend);
    let saying = Saying::new("us", act).about(&order.reference("us"));
    saying.sign(&[&network.key("us", "o-1")])
}

/// What was said, with what was answered.
type Said = Vec<(Signed, SubmitResponse)>;

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_passes_a_full_disk() {
    let place = tempfile::tempdir().unwrap();
    let Some(disk) = Mounted::new(&place.path().join("disk")) else {
        println!("this process may not mount: the faulty disk alone is tested");
        return a_reserve_lets_releases_through_a_full_disk_and_loses_nothing();
    };
    let mut network = start(&disk).await;
    let (us, jp) = (network.channel("us").await, network.channel("jp").await);
    let mut issued = Vec::new();
    for number in 1..=ORDERS {
        let signed = order(&network, "us", number, say::order("EXERCISE"));
        signed.submit(&us).await.unwrap();
        issued.push(signed);
    }
    let theirs = order(&network, "jp", 1, say::order("EXERCISE of a peer"));
    theirs.submit(&jp).await.unwrap();
    network.caught_up("us", "jp", 1).await;

    disk.fill();
    let report = say::report("us", 1_000).sign(&[&network.key("us", "i-1")]);
    nothing_else_passes(&network, &us, &report).await;

    // Our withdrawal waits for its second officer, is written and reaches everybody; a peer's is
    // taken here.
    let first = issued.remove(0);
    let ended = withdrawal(&network, "us", &first.reference("us"));
    half(&ended, &us).await.unwrap();
    let next = order(&network, "us", ORDERS + 1, say::order("EXERCISE"));
    let refused = half(&next, &us).await.unwrap_err();
    assert_eq!(reason(&refused), "DISK_RESERVED");
    let mut said = vec![(ended.clone(), ended.submit(&us).await.unwrap())];
    wait_block(&jp, &name("us", 1), "US", |state, _| state == "withdrawn").await;
    let theirs = withdrawal(&network, "jp", &theirs.reference("jp"));
    theirs.submit(&jp).await.unwrap();
    wait_block(&us, &name("jp", 1), "JP", |state, _| state == "withdrawn").await;

    // A peer that floods uses up its own share of the reserve and no more.
    flood(&network, &jp).await;
    network
        .wait("us", "holding back the peer's log", |status| {
            let log = status.logs.iter().find(|log| log.origin.ends_with("/jp/1"));
            log.is_some_and(|log| log.health.contains("disk"))
        })
        .await;
    let kept = metric(&network, "us", "tocsin_disk_reserve_bytes", "");
    assert!(kept > (RESERVE_MIB / 4 * 1024 * 1024) as f64, "{kept}");

    use_up(&mut network, &disk, &issued, &us, &mut said).await;
    drop(us);
    network.kill("us");
    disk.clear();
    network.run("us");
    network.ready("us").await;
    let us = network.channel("us").await;
    for (signed, answer) in &said {
        let again = signed.submit(&us).await.unwrap();
        let index = |answer: &SubmitResponse| answer.receipt.as_ref().unwrap().index;
        assert_eq!(index(answer), index(&again), "{}", again.name);
    }
    // With room again everything goes on: the reserve is whole, and the peer's log is read on.
    report.submit(&us).await.unwrap();
    network.caught_up("us", "jp", 2 + u64::from(FLOOD)).await;
    let kept = metric(&network, "us", "tocsin_disk_reserve_bytes", "");
    assert!(kept >= (RESERVE_MIB * 1024 * 1024) as f64, "{kept}");
}

/// Puts what two officers signed as the draft that it was before the second one did.
async fn half(signed: &Signed, us: &Channel) -> Result<(), Status> {
    let mut entry = signed.entry.clone();
    entry.signatures.truncate(1);
    let request = PutDraftRequest {
        statement: Some(write_statement(&entry)),
        bodies: signed.bodies.clone(),
    };
    let mut client = DraftServiceClient::new(us.clone());
    client.put_draft(request).await.map(|_| ())
}

/// US on the small disk, and a peer elsewhere.
async fn start(disk: &Mounted) -> Network {
    let mut network = Network::found(BINARY, &["us", "jp"]);
    network.quota("us", &format!("disk_reserve_mib = {RESERVE_MIB}"));
    network.quota("us", "person_orders_per_day = 0");
    network.keep_data("us", &disk.0.join("data"));
    fs::create_dir(disk.0.join("data")).unwrap();
    for id in ["us", "jp"] {
        network.run(id);
    }
    for id in ["us", "jp"] {
        network.ready(id).await;
    }
    network
}

/// What releases nothing is refused, and so is the question whether it would be taken.
async fn nothing_else_passes(network: &Network, us: &Channel, report: &Signed) {
    let refused = report.submit(us).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason(&refused), "DISK_RESERVED");
    assert!(wait_of(&refused).is_some());
    let mut asking = report.request();
    asking.validate_only = true;
    let asked = SubmitServiceClient::new(us.clone()).submit(asking).await;
    assert_eq!(reason(&asked.unwrap_err()), "DISK_RESERVED");
    assert!(metric(network, "us", "tocsin_disk_low", "") > 0.0);
    let status = network.status("us").await.unwrap();
    assert!(status.reason.contains("nearly full"), "{status:?}");
}

/// The other program takes whatever is given up, until nothing is left: then a release too is
/// refused, or the process ends.
async fn use_up(
    network: &mut Network,
    disk: &Mounted,
    issued: &[Signed],
    us: &Channel,
    said: &mut Said,
) {
    for order in issued {
        disk.fill();
        let suspension = suspension(network, order);
        match suspension.submit(us).await {
            Ok(answer) => said.push((suspension, answer)),
            Err(status) => {
                let is_used_up = reason(&status) == "NODE_DISK_FULL" || !network.is_alive("us");
                assert!(is_used_up, "{status:?}\n{}", network.log("us"));
                assert!(said.len() > 4, "{} said", said.len());
                return;
            }
        }
    }
    panic!("the reserve has no end: {} said", said.len());
}

/// Reports of a flood, each with a body of 200,000 bytes: more than the peer's share in all.
const FLOOD: u32 = 44;

async fn flood(network: &Network, channel: &Channel) {
    use tocsin_core::report::{Report, ReportKind};
    use tocsin_core::statement::{Act, DecodedBody};
    for number in 2..2 + FLOOD {
        let saying = say::report("jp", number);
        let body = &saying.bodies[0];
        let kind = tocsin_wire::body::BodyKind::of(&saying.statement.act).unwrap();
        let Ok(DecodedBody::Report(mut content)) = tocsin_wire::body::decode(kind, body) else {
            panic!("a report");
        };
        content.narrative = "x".repeat(200_000);
        let act = Act::Report(Report {
            kind: ReportKind::Infringement,
        });
        let saying = Saying::new("jp", act)
            .number(number)
            .body(&DecodedBody::Report(content), false);
        let signed = saying.sign(&[&network.key("jp", "i-1")]);
        signed.submit(channel).await.unwrap();
    }
}

/// Takes every byte of a faulty disk but `left`.
fn fill(disk: &FaultyDisk, left: u64) -> Arc<dyn DiskFile> {
    let other = disk.open(Path::new("/data/other"), Open::Create).unwrap();
    let free = disk.free_bytes(Path::new("/data")).unwrap();
    other.truncate(other.len().unwrap() + free - left).unwrap();
    other
}

#[test]
fn a_reserve_lets_releases_through_a_full_disk_and_loses_nothing() {
    const MIB: u64 = 1024 * 1024;
    let disk = FaultyDisk::new(Broken::default());
    disk.set_capacity(64 * MIB);
    let origin: Origin = "test.tocsin.example/us/1".parse().unwrap();
    let key = SigningKey::from_seed([7; 32]);
    let open = |disk: &FaultyDisk| {
        let data = DataDir::open(Arc::new(disk.clone()), Path::new("/data")).unwrap();
        let reserve = Reserve::open(&data, 8 * MIB).unwrap();
        let mut log = OwnLog::open(&data, &origin, key.clone(), OpenOptions::default()).unwrap();
        assert_eq!(*log.state(), OwnState::Ready);
        log.allow_signing().unwrap();
        (reserve, log)
    };
    let (mut reserve, mut log) = open(&disk);
    assert!(reserve.may_grow(MIB).unwrap());
    fill(&disk, 0);
    assert!(!reserve.may_grow(0).unwrap());
    let mut said = 0_u64;
    loop {
        let mut batch = log.batch();
        let entry = [said.to_be_bytes().as_slice(), &[0; 8_000]].concat();
        batch.push::<Vec<u8>>(&entry, &[]).unwrap();
        let has_room = reserve.make_room(batch.bytes()).unwrap();
        match log.commit(&batch) {
            Ok(committed) => said = committed.size,
            Err(StoreError::Refused(Refusal::DiskFull)) => {
                assert!(!has_room);
                break;
            }
            Err(error) => {
                assert!(!has_room, "{error}");
                break;
            }
        }
        // Whatever the reserve gives up and we do not use, somebody else takes.
        fill(&disk, 0);
    }
    assert!(said >= 8, "{said}");
    drop((reserve, log));
    // The power fails, and somebody makes room.
    disk.power_cut(said);
    disk.edit(Path::new("/data/other"), Vec::clear);
    let (reserve, log) = open(&disk);
    assert_eq!(reserve.held(), 8 * MIB);
    let reader = log.reader();
    assert!(reader.size() >= said);
    for index in 0..said {
        assert_eq!(reader.entry(index).unwrap()[..8], index.to_be_bytes());
    }
}
