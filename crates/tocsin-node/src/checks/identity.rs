//! Certificates, private files, the alliance file: who we are, and for how long.

use super::Found;
use super::code::Code;
use super::finding::{Finding, Status, certificate, count};
use super::snapshot::{AllianceFile, Files, Snapshot};

pub(super) fn check(at: &Snapshot, found: &mut Found) {
    let now = at.now_ms;
    let renew = format!(
        "tocsin node certificate --dir {} && send the node SIGHUP",
        at.home
    );
    let in_use = certificate("the certificate in use", &at.files.certificate, now);
    found.add(Code::NodeCertificate, "", in_use.fix(renew.as_str()));
    found.add(Code::CertificateOnDisk, "", on_disk(&at.files, now, &renew));
    let ca = certificate("this member's certificate authority", &at.files.ca, now);
    let plan = "plan a new authority with the other members: tocsin explain MEMBER_CA";
    found.add(Code::MemberCa, "", ca.fix(plan));
    found.add(Code::PrivateFiles, "", private_files(&at.files));
    found.add(Code::AllianceFile, "", alliance_file(&at.files.alliance));
}

fn on_disk(files: &Files, now_ms: i64, renew: &str) -> Finding {
    let found = certificate(
        "the certificate on the disk",
        &files.certificate_on_disk,
        now_ms,
    );
    if found.status == Status::Failed {
        return found.fix(renew);
    }
    if files.certificate != files.certificate_on_disk {
        let detail = "the certificate on the disk is another than the one in use";
        return Finding::warning(detail).fix("send the node SIGHUP");
    }
    // That it is soon over is said once, of the certificate in use.
    Finding::ok("the certificate on the disk is the one in use")
}

fn private_files(files: &Files) -> Finding {
    let mut open = Vec::new();
    for secret in &files.secrets {
        match &secret.mode {
            Ok(mode) if mode & 0o077 != 0 => {
                open.push((
                    secret,
                    format!("{} has mode {:03o}", secret.path, mode & 0o777),
                ));
            }
            Ok(_) => {}
            Err(why) => open.push((
                secret,
                format!("{} cannot be looked at: {why}", secret.path),
            )),
        }
    }
    if open.is_empty() {
        let files = count(number(files), "private file is", "private files are");
        return Finding::ok(format!("{files} readable by the owner alone"));
    }
    let paths: Vec<&str> = open
        .iter()
        .map(|(secret, _)| secret.path.as_str())
        .collect();
    let details: Vec<&str> = open.iter().map(|(_, detail)| detail.as_str()).collect();
    Finding::failed(details.join("; ")).fix(format!("chmod 600 {}", paths.join(" ")))
}

fn number(files: &Files) -> u64 {
    u64::try_from(files.secrets.len()).unwrap_or(u64::MAX)
}

fn alliance_file(file: &AllianceFile) -> Finding {
    let finding = match file {
        AllianceFile::Same => {
            return Finding::ok("the alliance file is the one that the node runs with");
        }
        AllianceFile::Other(genesis) => Finding::failed(format!(
            "the alliance file names another alliance, with genesis {genesis}: the next start \
             would not be the same member's"
        )),
        AllianceFile::Unusable(why) => {
            Finding::failed(format!("the alliance file cannot be used: {why}"))
        }
    };
    finding.fix("put the right alliance file back: tocsin alliance show FILE")
}

#[cfg(test)]
mod tests {
    use super::super::run;
    use super::super::sample::{DAY_MS, NOW, healthy, lived, only};
    use super::super::snapshot::Secret;
    use super::*;

    #[test]
    fn a_certificate_warns_in_its_last_third_and_fails_in_its_last_tenth() {
        for (left, wanted) in [
            (34, Status::Ok),
            (32, Status::Warning),
            (11, Status::Warning),
            (9, Status::Failed),
            (0, Status::Failed),
            (-1, Status::Failed),
        ] {
            let mut at = healthy();
            at.files.certificate = Ok(lived(100 * DAY_MS, left * DAY_MS));
            at.files.certificate_on_disk = at.files.certificate.clone();
            at.files.ca = at.files.certificate.clone();
            let checks = run(&at);
            for code in [Code::NodeCertificate, Code::MemberCa] {
                let found = only(&checks, code, "");
                assert_eq!(found.status, wanted, "{left} days: {}", found.detail);
                assert!(found.side.is_empty());
                assert!(found.measure.is_some());
            }
            let found = only(&checks, Code::NodeCertificate, "");
            let says_how = found
                .fix
                .starts_with("tocsin node certificate --dir node-de");
            assert_eq!(says_how, wanted != Status::Ok);
            if wanted == Status::Warning {
                assert!(found.since_ms <= NOW && found.since_ms > NOW - 100 * DAY_MS);
            }
        }
    }

    #[test]
    fn a_certificate_of_a_later_time_is_no_good_now() {
        let mut at = healthy();
        at.files.certificate = Ok(lived(100 * DAY_MS, 200 * DAY_MS));
        let checks = run(&at);
        let found = only(&checks, Code::NodeCertificate, "");
        assert_eq!(found.status, Status::Failed);
        assert!(
            found.detail.contains("not valid before"),
            "{}",
            found.detail
        );
    }

    #[test]
    fn a_certificate_that_lies_there_unused_is_told_once() {
        let mut at = healthy();
        at.files.certificate_on_disk = Ok(lived(100 * DAY_MS, 99 * DAY_MS));
        let found = only(&run(&at), Code::CertificateOnDisk, "");
        assert_eq!(
            (found.status, found.fix.as_str()),
            (Status::Warning, "send the node SIGHUP")
        );
        at.files.certificate_on_disk = Err("no PEM in it".to_owned());
        let found = only(&run(&at), Code::CertificateOnDisk, "");
        assert_eq!(found.status, Status::Failed);
        assert!(found.detail.contains("no PEM in it"));
    }

    #[test]
    fn a_key_that_others_may_read_is_named_with_its_mode() {
        let mut at = healthy();
        for (mode, wanted) in [
            (0o100_600, Status::Ok),
            (0o100_400, Status::Ok),
            (0o100_640, Status::Failed),
            (0o100_602, Status::Failed),
        ] {
            let secret = Secret {
                path: "node-de/keys/log.key".to_owned(),
                mode: Ok(mode),
            };
            at.files.secrets = vec![secret];
            let found = only(&run(&at), Code::PrivateFiles, "");
            assert_eq!(found.status, wanted, "{mode:o}");
            if wanted == Status::Failed {
                assert_eq!(found.fix, "chmod 600 node-de/keys/log.key");
                assert!(found.detail.contains(&format!("{:03o}", mode & 0o777)));
            }
        }
        at.files.secrets[0].mode = Err("no such file".to_owned());
        assert_eq!(
            only(&run(&at), Code::PrivateFiles, "").status,
            Status::Failed
        );
    }

    #[test]
    fn another_alliance_on_the_disk_is_found_before_the_next_start() {
        let mut at = healthy();
        at.files.alliance = AllianceFile::Other("abcd".to_owned());
        let found = only(&run(&at), Code::AllianceFile, "");
        assert_eq!(found.status, Status::Failed);
        assert!(found.detail.contains("abcd"));
        at.files.alliance = AllianceFile::Unusable("not JSON".to_owned());
        assert_eq!(
            only(&run(&at), Code::AllianceFile, "").status,
            Status::Failed
        );
    }
}
