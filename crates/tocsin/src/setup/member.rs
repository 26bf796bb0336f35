//! One member: its data directory with keys, CA, node certificate, configuration and manifest.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::files::{Mode, make_folder, make_secret_folder, read_bounded, replace, write_new};
use tocsin_cli::keyfile;
use tocsin_core::roster::document::{EnvelopeDoc, ManifestDoc, RecordKeyDoc, RosterMember, TlsDoc};
use tocsin_core::roster::{MAX_DOCUMENT_BYTES, MAX_PERSON_BYTES, Role};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::{Entry, MANIFEST_TYPE};
use tocsin_log::key::PublicKey;
use tocsin_log::keyfile::{KeyText, Purpose};

use super::certificates::{Holder, issue, new_ca, read_ca_key};

/// Longest member file in bytes: a manifest in base64, and the roster entry.
const MAX_MEMBER_FILE_BYTES: u64 = 2 * MAX_DOCUMENT_BYTES as u64;

/// What a new member says of itself.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// One label of a DNS name: `de`.
    pub id: String,
    /// Two upper-case letters, unique in the alliance: `DE`.
    pub jurisdiction: String,
    /// As people call it.
    pub name: String,
    /// The alliance's label, a lower-case DNS name.
    pub alliance: String,
    /// Where the node is reached, a DNS name or an IP address.
    pub host: String,
    /// Its gRPC port.
    pub port: u16,
    /// Its admin port, on loopback.
    pub admin_port: u16,
    /// Pseudonyms and roles of the persons who get record keys.
    pub people: Vec<(String, Role)>,
}

/// What a member hands to the others: its entry for the roster, and its manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFile {
    /// The alliance's label.
    pub alliance: String,
    /// Its entry in the roster.
    pub member: RosterMember,
    /// Its manifest, signed by its gov key.
    pub manifest: EnvelopeDoc,
}

/// The files of one member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    dir: PathBuf,
}

/// Makes a member's data directory.
///
/// # Errors
/// When something stands there already, a name is none, or a file cannot be written.
pub fn init(dir: &Path, new: &NewMember) -> Result<Home, Failure> {
    check_names(new)?;
    let home = Home::at(dir);
    if home.config().exists() {
        let text = format!("{} is a member's directory already", dir.display());
        return Err(Failure::new(Exit::Conflict, text).advice("choose another --dir"));
    }
    make_folder(dir)?;
    make_secret_folder(&home.keys())?;
    make_secret_folder(&home.tls())?;

    let gov = home.new_key("gov", Purpose::Gov, None)?;
    let log = home.new_key("log", Purpose::Log, None)?;
    let mirror = home.new_key("mirror", Purpose::Mirror, None)?;
    let node = home.new_key("node", Purpose::Record, Some("node"))?;

    let domain = format!("{}.{}", new.id, new.alliance);
    let ca = new_ca(&domain)?;
    ca.write(&home.ca(), &home.ca_key())?;
    issue(&domain, &ca.key, &Holder::Node { host: &new.host })?
        .write(&home.node_cert(), &home.node_cert_key())?;

    let manifest = ManifestDoc {
        member: new.id.clone(),
        version: 1,
        generation: 1,
        log_key: log.key.public().to_string(),
        mirror_key: mirror.key.public().to_string(),
        record_keys: vec![record_key(&node.key.public(), "node", Role::Node)],
        tls: TlsDoc {
            trust_domain: domain,
            ca_pem: ca.cert,
            endpoints: vec![address(&new.host, new.port)],
        },
    };
    let member = RosterMember {
        id: new.id.clone(),
        jurisdiction: new.jurisdiction.clone(),
        name: new.name.clone(),
        state: "active".to_owned(),
        gov_keys: vec![gov.key.public().to_string()],
        gov_threshold: 1,
    };
    home.write_member_file(&new.alliance, member, &manifest, &gov)?;
    write_new(&home.config(), node_toml(new).as_bytes(), Mode::Public)?;
    for (person, role) in &new.people {
        home.add_person(person, *role)?;
    }
    Ok(home)
}

impl Home {
    /// The member's files under `dir`.
    #[must_use]
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The data directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `node.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.dir.join("node.toml")
    }

    /// The folder of keys (0700): `gov.key`, `log.key`, `mirror.key`, `node.key` and persons' keys.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The key file of a person in a role.
    #[must_use]
    pub fn person_key(&self, role: Role, person: &str) -> PathBuf {
        self.keys().join(format!("{}-{person}.key", role.word()))
    }

    /// The offline key that signs roster and manifest.
    #[must_use]
    pub fn gov_key(&self) -> PathBuf {
        self.keys().join("gov.key")
    }

    /// The alliance file, once it is agreed.
    #[must_use]
    pub fn alliance(&self) -> PathBuf {
        self.dir.join("alliance.tsa")
    }

    /// The file to hand to the other members.
    #[must_use]
    pub fn member_file(&self) -> PathBuf {
        self.dir.join("member.json")
    }

    /// The CA's certificate.
    #[must_use]
    pub fn ca(&self) -> PathBuf {
        self.tls().join("ca.pem")
    }

    /// The CA's private key.
    #[must_use]
    pub fn ca_key(&self) -> PathBuf {
        self.tls().join("ca.key.pem")
    }

    /// The node's certificate.
    #[must_use]
    pub fn node_cert(&self) -> PathBuf {
        self.tls().join("node.pem")
    }

    /// The private key of the node's certificate.
    #[must_use]
    pub fn node_cert_key(&self) -> PathBuf {
        self.tls().join("node.key.pem")
    }

    /// The certificate of a client that was issued here.
    #[must_use]
    pub fn client_cert(&self, id: &str) -> PathBuf {
        self.tls().join(format!("client-{id}.pem"))
    }

    /// The private key of a client's certificate.
    #[must_use]
    pub fn client_cert_key(&self, id: &str) -> PathBuf {
        self.tls().join(format!("client-{id}.key.pem"))
    }

    fn tls(&self) -> PathBuf {
        self.dir.join("tls")
    }

    /// Makes a record key for a person and puts it into the manifest, which is signed again.
    ///
    /// # Errors
    /// When the alliance stands already, the person has such a key, or the gov key is not here.
    pub fn add_person(&self, person: &str, role: Role) -> Result<PathBuf, Failure> {
        check_person(person)?;
        if role == Role::Node {
            return Err(Failure::usage("a node has one record key, which init made"));
        }
        if self.alliance().exists() {
            return Err(Failure::new(
                Exit::Conflict,
                "the alliance stands: its first manifests are fixed",
            )
            .code("MANIFEST_NOT_YET")
            .advice("new keys in a running alliance come with later versions of the manifest"));
        }
        let gov = keyfile::read_for(&self.gov_key(), Purpose::Gov)?;
        let file = self.read_member_file()?;
        let mut manifest = manifest_of(&file)?;
        let path = self.person_key(role, person);
        let key = keyfile::generate(Purpose::Record, Some(person))?;
        keyfile::write(&key, &path)?;
        manifest
            .record_keys
            .push(record_key(&key.key.public(), person, role));
        self.write_member_file(&file.alliance, file.member, &manifest, &gov)?;
        Ok(path)
    }

    /// The member file.
    ///
    /// # Errors
    /// When it is not there or not of its form.
    pub fn read_member_file(&self) -> Result<MemberFile, Failure> {
        read_member_file(&self.member_file()).map_err(|failure| {
            if failure.exit != Exit::NotFound {
                return failure;
            }
            failure.advice("name the data directory that `tocsin init` made, with --dir")
        })
    }

    /// The manifest as it stands.
    ///
    /// # Errors
    /// When the member file is not there or not of its form.
    pub fn manifest(&self) -> Result<ManifestDoc, Failure> {
        manifest_of(&self.read_member_file()?)
    }

    /// Issues a client's certificate and names its roles in `node.toml`.
    ///
    /// # Errors
    /// When there is one already, the id is none, or the CA's key is not here.
    pub fn add_client(&self, id: &str, roles: &[String]) -> Result<(), Failure> {
        check_client_id(id)?;
        let ca_key = read_ca_key(&self.ca_key())?;
        let domain = self.manifest()?.tls.trust_domain;
        issue(&domain, &ca_key, &Holder::Client { id })?
            .write(&self.client_cert(id), &self.client_cert_key(id))?;
        let quoted: Vec<String> = roles.iter().map(|role| format!("\"{role}\"")).collect();
        let line = format!("\"{id}\" = [{}]\n", quoted.join(", "));
        let bytes = read_bounded(&self.config(), MAX_MEMBER_FILE_BYTES)?;
        let mut text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{} is not text", self.config().display())))?;
        const HEAD: &str = "[clients]\n";
        match text.find(HEAD) {
            Some(at) => text.insert_str(at + HEAD.len(), &line),
            None => text.push_str(&format!("\n{HEAD}{line}")),
        }
        replace(&self.config(), text.as_bytes(), Mode::Public)
    }

    /// Lifts every bound on what persons say and clients ask, from the node's next start: for
    /// measurements, which do more than people do.
    ///
    /// # Errors
    /// When `node.toml` cannot be changed.
    pub fn lift_quotas(&self) -> Result<(), Failure> {
        let bytes = read_bounded(&self.config(), MAX_MEMBER_FILE_BYTES)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::usage(format!("{} is not text", self.config().display())))?;
        let lifted = LIFTED.map(|key| format!("{key} = 0\n")).concat();
        let text = text.replace(QUOTA, &format!("{QUOTA}{lifted}"));
        replace(&self.config(), text.as_bytes(), Mode::Public)
    }

    /// Issues the node's certificate anew, before the old one ends; the node takes it on SIGHUP.
    ///
    /// # Errors
    /// When the CA's key is not here or the files cannot be replaced.
    pub fn renew_node_certificate(&self, host: &str) -> Result<(), Failure> {
        let ca_key = read_ca_key(&self.ca_key())?;
        let domain = self.manifest()?.tls.trust_domain;
        let pair = issue(&domain, &ca_key, &Holder::Node { host })?;
        replace(&self.node_cert_key(), pair.key.as_bytes(), Mode::Secret)?;
        replace(&self.node_cert(), pair.cert.as_bytes(), Mode::Public)
    }

    fn new_key(
        &self,
        name: &str,
        purpose: Purpose,
        person: Option<&str>,
    ) -> Result<KeyText, Failure> {
        let key = keyfile::generate(purpose, person)?;
        keyfile::write(&key, &self.keys().join(format!("{name}.key")))?;
        Ok(key)
    }

    fn write_member_file(
        &self,
        alliance: &str,
        member: RosterMember,
        manifest: &ManifestDoc,
        gov: &KeyText,
    ) -> Result<(), Failure> {
        let envelope = Entry::sign(MANIFEST_TYPE, to_json(manifest)?, &[&gov.key]);
        let file = MemberFile {
            alliance: alliance.to_owned(),
            member,
            manifest: (&envelope).into(),
        };
        replace(&self.member_file(), &to_json(&file)?, Mode::Public)
    }
}

/// Reads a member file.
///
/// # Errors
/// When it is not there or not of its form.
pub fn read_member_file(path: &Path) -> Result<MemberFile, Failure> {
    let bytes = read_bounded(path, MAX_MEMBER_FILE_BYTES)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::usage(format!("{} is not a member file: {error}", path.display()))
    })
}

/// Text form of what is signed or handed on: JSON with a line feed at its end.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot write JSON: {e}")))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn manifest_of(file: &MemberFile) -> Result<ManifestDoc, Failure> {
    let broken = || Failure::usage("the manifest in the member file is broken");
    let envelope = file.manifest.to_envelope().ok_or_else(broken)?;
    serde_json::from_slice(&envelope.payload).map_err(|_| broken())
}

fn record_key(key: &PublicKey, person: &str, role: Role) -> RecordKeyDoc {
    RecordKeyDoc {
        key: key.to_string(),
        person: person.to_owned(),
        roles: vec![role.word().to_owned()],
        from_index: 0,
        to_index: None,
    }
}

fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// The head of the quotas in `node.toml`.
const QUOTA: &str = "[quota]\n";
/// The quotas that measurements do without.
const LIFTED: [&str; 9] = [
    "person_orders_per_day",
    "person_decisions_per_day",
    "person_reports_per_day",
    "person_packs_per_day",
    "person_mib_per_day",
    "origin_entries_per_day",
    "origin_mib_per_day",
    "client_requests_per_second",
    "member_requests_per_second",
];

fn node_toml(new: &NewMember) -> String {
    // A name may resolve to an address that is not this machine's own: then listen on all.
    let listen = match new.host.parse::<std::net::IpAddr>() {
        Ok(host) => address(&host.to_string(), new.port),
        Err(_) => format!("0.0.0.0:{}", new.port),
    };
    format!(
        r#"# The node of member {id}. Paths are relative to this file.
# TOCSIN_* variables and flags win over it.
member = "{id}"
data_dir = "."
alliance = "alliance.tsa"
# gRPC over mutual TLS, for peers and clients.
listen = "{listen}"
# Plain HTTP on this machine only: /livez /readyz /metrics, and the read-only admin service.
admin_listen = "127.0.0.1:{admin}"

[tls]
cert = "tls/node.pem"
key = "tls/node.key.pem"

# log.key, mirror.key and node.key are read from here. gov.key is not: keep it offline.
[keys]
dir = "keys"

# How much persons may say in a day and clients ask in a second: deploy/README.md has the defaults.
[quota]

# Where members are reached, if not as their manifests say: us = "host:7337"
[peers]

# Reading roles of our clients: agency, investigator, officer, operator, auditor.
[clients]
"#,
        id = new.id,
        admin = new.admin_port,
    )
}

fn check_names(new: &NewMember) -> Result<(), Failure> {
    Origin::new(&new.alliance, &new.id, 1).map_err(|error| {
        Failure::usage(format!("`{}` in `{}`: {error}", new.id, new.alliance)).advice(
            "member: one label such as de; alliance: a lower-case DNS name such as a.example",
        )
    })?;
    if new.jurisdiction.len() != 2 || !new.jurisdiction.bytes().all(|b| b.is_ascii_uppercase()) {
        let text = format!("`{}` is not a jurisdiction", new.jurisdiction);
        return Err(Failure::usage(text).advice("two upper-case letters, such as DE"));
    }
    let mut people: Vec<_> = new.people.iter().map(|(person, _)| person).collect();
    people.iter().try_for_each(|person| check_person(person))?;
    people.sort();
    if let Some([person, _]) = people.array_windows().find(|[one, other]| one == other) {
        return Err(Failure::usage(format!("`{person}` is named twice"))
            .advice("two officers are two persons, each with a pseudonym of their own"));
    }
    Ok(())
}

fn check_person(person: &str) -> Result<(), Failure> {
    if !is_file_word(person) || person.len() > MAX_PERSON_BYTES || person == "node" {
        return Err(
            Failure::usage(format!("`{person}` cannot stand for a person")).advice(
                "a pseudonym of letters, digits, - and _; never a name: it cannot be taken back",
            ),
        );
    }
    Ok(())
}

fn check_client_id(id: &str) -> Result<(), Failure> {
    let lower = id.bytes().all(|b| !b.is_ascii_uppercase());
    if !is_file_word(id) || !lower || id.len() > MAX_PERSON_BYTES {
        return Err(Failure::usage(format!("`{id}` is not a client id"))
            .advice("lower-case letters, digits, - and _, such as zoll-1"));
    }
    Ok(())
}

/// What can be part of a file name anywhere, and begins with a letter or digit.
fn is_file_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}
