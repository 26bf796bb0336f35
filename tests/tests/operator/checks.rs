//! `check` against faults that are put in: each is found under its code, on the right side, while
//! all other checks still run.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Lines};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStdout};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use serde_json::Value;
use tocsin_tests::network::{LABEL, Network, PATIENCE};
use tocsin_tests::say::{self, Saying};
use tocsin_tests::tool::Tool;

use crate::BINARY;

const IDS: [&str; 3] = ["us", "jp", "de"];
/// Checks that three members make: one for each code, and for each peer and each log.
const CHECKS: usize = 39;
/// Every check but that of the disk, which is this machine's and may be full for all we know.
const BUT_THE_DISK: [&str; 3] = [
    "check",
    "--only",
    "identity,network,log,INDEX_SOUND,POLICY_IN_FORCE,HOLDS_UNDECIDED,REVIEWS_WAITING,\
     DRAFTS_WAITING,WATCHERS_LEFT",
];
/// They are so many.
const WELL: usize = CHECKS - 1;

#[tokio::test(flavor = "multi_thread")]
async fn seeded_faults_are_each_found_under_their_code_while_all_other_checks_run() {
    let mut network = Network::start(BINARY, &IDS).await;
    let report = said(&network).await;
    let tool = network.tool("de");

    // With no fault: all is well, and in every form.
    until(&tool, |whole| {
        let disk = find(whole, "DISK_LEFT", "")["status"] == "ok";
        whole["ok"] == WELL + usize::from(disk)
    });
    let told = tool.run(&[&BUT_THE_DISK[..], &["--wait", "30s"]].concat());
    assert_eq!(told.exit, 0, "{told:?}");
    let (exit, whole) = tool.json(&BUT_THE_DISK);
    assert_eq!(
        (exit, &whole["failed"], &whole["warnings"]),
        (0, &0.into(), &0.into())
    );
    assert_eq!(whole["checks"].as_array().unwrap().len(), WELL, "{whole:#}");
    every_form_says_so(&tool);

    peers_files_and_certificates(&mut network, &tool).await;
    damage_with_nobody_to_repair_from(&mut network, &tool, &report);
    network.kill("de");
    silence(&tool);
}

/// A certificate that is nearly over at JP, a key at DE that others can read, and US killed.
async fn peers_files_and_certificates(network: &mut Network, tool: &Tool) {
    network.stop("jp");
    nearly_expired(network, "jp");
    network.run("jp");
    network.ready("jp").await;
    let key = network.member("de").home.keys().join("log.key");
    fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
    let (_, whole) = tool.json(&["peer", "list"]);
    let us = find_peer(&whole, "us");
    assert_eq!(
        (&us["connected"], &us["reason"]),
        (&true.into(), &"".into())
    );
    let watched = Watched::begin(tool);
    network.kill("us");
    watched.tells_that("us", "PEER_CONNECTED");
    let (_, whole) = tool.json(&["peer", "list"]);
    let us = find_peer(&whole, "us");
    assert_eq!(us["connected"], false, "{us}");
    assert_ne!(us["reason"], "", "{us}");
    let whole = until(tool, |whole| {
        is(whole, "PEER_CONNECTED", "us", "warning")
            && is(whole, "PEER_CERTIFICATE", "jp", "failed")
    });
    assert_eq!(find(&whole, "PEER_CERTIFICATE", "jp")["side"], "jp");
    assert_eq!(find(&whole, "PEER_CONNECTED", "us")["side"], "us");
    let open = find(&whole, "PRIVATE_FILES", "");
    assert_eq!(
        (&open["status"], &open["side"]),
        (&"failed".into(), &"".into())
    );
    assert!(
        open["detail"]
            .as_str()
            .unwrap()
            .contains("log.key has mode 644"),
        "{open}"
    );
    assert_eq!(
        whole["checks"].as_array().unwrap().len(),
        CHECKS,
        "all others still run"
    );
    for (code, subject) in [
        ("PEER_CONNECTED", "jp"),
        ("LOG_WHOLE", "us"),
        ("INDEX_SOUND", ""),
    ] {
        assert!(
            is(&whole, code, subject, "ok"),
            "{code} {subject}: {whole:#}"
        );
    }
    let of_jp = network.tool("jp");
    let (exit, whole) = of_jp.json(&["check", "--only", "identity"]);
    assert_eq!(exit, 21);
    assert_eq!(find(&whole, "NODE_CERTIFICATE", "")["status"], "failed");
    assert_eq!(find(&whole, "NODE_CERTIFICATE", "")["side"], "");
    another_alliance_on_the_disk(network, tool);
    the_exit_code_is_that_of_the_worst(tool);
    fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
}

/// One row of `peer list`.
fn find_peer<'a>(whole: &'a Value, member: &str) -> &'a Value {
    let rows = whole["items"].as_array().expect("items");
    let found = rows.iter().find(|peer| peer["member"] == member);
    found.unwrap_or_else(|| panic!("no peer {member}: {whole:#}"))
}

/// `check --watch`, once it has told how everything stands.
struct Watched {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watched {
    fn begin(tool: &Tool) -> Self {
        let mut process = tool.begin(&["check", "--watch=1s", "--only", "network"]);
        let told = process.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(told).lines();
        let is_last = |line: &String| line.starts_with("More on each") || line.contains("0 failed");
        let whole = lines.by_ref().map(Result::unwrap).find(is_last);
        assert!(whole.is_some(), "it ended before it told all");
        Self { process, lines }
    }

    /// Waits for the change, which is all that is told, and ends it.
    fn tells_that(mut self, subject: &str, code: &str) {
        let mut told = self.lines.by_ref().map(Result::unwrap);
        let found = told.find(|line| line.contains(code));
        let found = found.unwrap_or_else(|| panic!("nothing of {code}"));
        assert!(found.contains("WARN"), "{found}");
        assert!(found.contains(subject), "{found}");
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The alliance file of DE is replaced by that of another alliance while the node runs; the tool
/// speaks to the admin address alone, for its own context has the same file.
fn another_alliance_on_the_disk(network: &Network, tool: &Tool) {
    let path = network.member("de").home.alliance();
    let ours = fs::read(&path).unwrap();
    let other = Network::found(BINARY, &["us", "de"]);
    fs::copy(other.member("de").home.alliance(), &path).unwrap();
    let admin = format!("http://127.0.0.1:{}", network.member("de").admin_port);
    let (exit, whole) = tool.json(&["check", "--admin", &admin, "--only", "ALLIANCE_FILE"]);
    fs::write(&path, ours).unwrap();
    assert_eq!(exit, 21);
    let found = find(&whole, "ALLIANCE_FILE", "")["detail"]
        .as_str()
        .unwrap();
    let genesis = other.alliance.genesis_hash().to_string();
    assert!(found.contains(&genesis), "{found}");
}

/// A bit flipped in DE's copy of the log of US.
fn damage_with_nobody_to_repair_from(network: &mut Network, tool: &Tool, report: &[u8]) {
    ["jp", "de"].iter().for_each(|id| network.stop(id));
    flip(network, "de", "us", report);
    network.run("de");
    let whole = until(tool, |whole| is(whole, "LOG_WHOLE", "us", "failed"));
    let damage = find(&whole, "LOG_WHOLE", "us");
    assert!(
        damage["detail"].as_str().unwrap().contains("entry 0"),
        "{damage}"
    );
    assert_eq!(damage["side"], "", "it is our disk");
    let skipped = find(&whole, "LOG_APPLIED", "us");
    assert_eq!(
        skipped["detail"],
        "skipped, because LOG_WHOLE failed for us"
    );
    assert!(is(&whole, "LOG_SIGNING", "", "warning"), "{whole:#}");
    assert!(is(&whole, "LOG_WHOLE", "jp", "ok"), "{whole:#}");
}

/// Without the node, what can be looked at here is told all the same.
fn silence(tool: &Tool) {
    let (exit, whole) = tool.json(&["check"]);
    assert_eq!(exit, 5);
    for code in ["CONTEXT_ALLIANCE", "CLIENT_CERTIFICATE", "CLIENT_KEY"] {
        assert!(is(&whole, code, "", "ok"), "{code}: {whole:#}");
    }
    for code in ["NODE_ADMIN", "NODE_REACHED"] {
        assert!(is(&whole, code, "", "failed"), "{code}: {whole:#}");
    }
    let told = tool.run(&["check", "--format", "nagios", "--plugin-exit"]);
    assert_eq!(told.exit, 3);
    assert!(told.out.starts_with("TOCSIN UNKNOWN"), "{told:?}");
}

/// DE's pack, and an entry in the log of US that everybody has; its bytes.
async fn said(network: &Network) -> Vec<u8> {
    let keys = [network.key("de", "o-1"), network.key("de", "o-2")];
    let pack = Saying::new("de", say::pack("DE", "review")).sign(&[&keys[0], &keys[1]]);
    pack.submit(&network.channel("de").await).await.unwrap();
    let report = say::report("us", 1).sign(&[&network.key("us", "i-1")]);
    report.submit(&network.channel("us").await).await.unwrap();
    for id in IDS {
        network.caught_up(id, "us", 1).await;
        network.caught_up(id, "de", 1).await;
    }
    report.entry.encode().unwrap()
}

fn every_form_says_so(tool: &Tool) {
    let run = |args: &[&str]| tool.run(&[&BUT_THE_DISK[..], args].concat());
    let told = run(&["--format", "nagios", "--plugin-exit"]);
    assert_eq!(told.exit, 0, "{told:?}");
    assert!(told.out.starts_with("TOCSIN OK - "), "{told:?}");
    let told = run(&["--format", "prometheus"]);
    let line = "tocsin_check_status{code=\"PEER_CONNECTED\",category=\"network\",\
                subject=\"us\",side=\"\"} 0\n";
    assert!(told.exit == 0 && told.out.contains(line), "{told:?}");
    let told = run(&["--format", "json"]);
    let whole: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(
        (&whole["version"], &whole["kind"]),
        (&1.into(), &"checks".into())
    );
    let told = run(&[]);
    assert!(
        told.out.contains("  ok    PEER_CONNECTED       jp, us\n"),
        "{}",
        told.out
    );
    let whole = format!("{WELL} checks: {WELL} ok.");
    assert!(told.out.ends_with(&format!("{whole}\n")), "{}", told.out);
}

fn the_exit_code_is_that_of_the_worst(tool: &Tool) {
    for (args, exit) in [
        (&["--only", "PEER_CONNECTED"][..], 20),
        (&["--only", "PEER_CONNECTED", "--fail-on", "fail"], 0),
        (&["--only", "peer_connected", "--only", "PRIVATE_FILES"], 21),
        (&["--fail-on", "fail"], 21),
        (&["--only", "INDEX_SOUND"], 0),
        (&["--only", "CLIENT_KEY"], 0),
        (&["--only", "NO_SUCH_CHECK"], 2),
        (&["--only", "PRIVATE_FILES", "--plugin-exit"], 2),
    ] {
        let told = tool.run(&[&["check"], args].concat());
        assert_eq!(told.exit, exit, "{args:?}: {told:?}");
    }
}

/// Checks until it is as wanted.
fn until(tool: &Tool, wanted: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let (_, whole) = tool.json(&["check"]);
        if wanted(&whole) {
            return whole;
        }
        assert!(Instant::now() < end, "not found: {whole:#}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn is(whole: &Value, code: &str, subject: &str, status: &str) -> bool {
    let mut checks = whole["checks"].as_array().unwrap().iter();
    let is_it = |check: &&Value| check["code"] == code && check["subject"] == subject;
    checks
        .find(is_it)
        .is_some_and(|check| check["status"] == status)
}

fn find<'a>(whole: &'a Value, code: &str, subject: &str) -> &'a Value {
    let mut checks = whole["checks"].as_array().unwrap().iter();
    let is_it = |check: &&Value| check["code"] == code && check["subject"] == subject;
    let found = checks.find(is_it);
    found.unwrap_or_else(|| panic!("no {code} {subject}: {whole:#}"))
}

/// Gives a node a certificate of a hundred days that ends in two.
fn nearly_expired(network: &Network, id: &str) {
    let home = &network.member(id).home;
    let domain = format!("{id}.{LABEL}");
    let ca_key = KeyPair::from_pem(&fs::read_to_string(home.ca_key()).unwrap()).unwrap();
    let mut ca = CertificateParams::default();
    ca.distinguished_name = DistinguishedName::new();
    ca.distinguished_name
        .push(DnType::CommonName, format!("Tocsin CA of {domain}"));
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = Issuer::new(ca, ca_key);
    let mut leaf = CertificateParams::default();
    leaf.distinguished_name = DistinguishedName::new();
    leaf.distinguished_name
        .push(DnType::CommonName, domain.as_str());
    let now = say::now_ms();
    (leaf.not_before, leaf.not_after) = (day(now, -98), day(now, 2));
    leaf.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let uri = format!("spiffe://{domain}/node").try_into().unwrap();
    let dns = domain.as_str().try_into().unwrap();
    leaf.subject_alt_names = vec![SanType::URI(uri), SanType::DnsName(dns)];
    let key = KeyPair::generate().unwrap();
    let pem = leaf.signed_by(&key, &issuer).unwrap().pem();
    fs::write(home.node_cert_key(), key.serialize_pem()).unwrap();
    fs::write(home.node_cert(), pem).unwrap();
}

fn day<T>(now_ms: i64, days: i64) -> T
where
    T: From<std::time::SystemTime>,
{
    let ms = u64::try_from(now_ms + days * 86_400_000).unwrap();
    (std::time::UNIX_EPOCH + Duration::from_millis(ms)).into()
}

/// Flips a bit in the middle of where `entry` lies in `at`'s copy of `of`'s log.
fn flip(network: &Network, at: &str, of: &str, entry: &[u8]) {
    let origin = &network.alliance.member(of).unwrap().origin;
    let folder = origin.file_name();
    let log = network.member(at).home.dir().join("log").join(folder);
    let path = log.join(format!("{:020}.seg", 0));
    let mut bytes = fs::read(&path).unwrap();
    let mut windows = bytes.windows(entry.len());
    let place = windows.position(|window| window == entry).unwrap();
    bytes[place + entry.len() / 2] ^= 0x10;
    fs::write(path, bytes).unwrap();
}
