//! What the targets share: an alliance whose keys they can sign with, to reach what lies behind a
//! signature.

use tocsin_core::roster::Alliance;
use tocsin_core::roster::document::{
    AllianceFile, ManifestDoc, RecordKeyDoc, RosterDoc, RosterMember, TlsDoc,
};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::{Entry, MANIFEST_TYPE, ROSTER_TYPE};
use tocsin_log::key::SigningKey;

/// The label of the alliance.
pub const LABEL: &str = "demo.tocsin.example";
/// Its members and their jurisdictions.
pub const MEMBERS: [(&str, &str); 2] = [("us", "US"), ("de", "DE")];

/// A member's key: `n` 1 government, 2 log, 3 mirror, 4 node, 5 and 6 officers, 7 investigator.
#[must_use]
pub fn key(member: &str, n: u8) -> SigningKey {
    let mut seed = [n; 32];
    for (to, from) in seed.iter_mut().zip(member.bytes()) {
        *to = from;
    }
    SigningKey::from_seed(seed)
}

/// The origin of a member's log.
///
/// # Panics
/// Never: the names are good.
#[must_use]
pub fn origin(member: &str) -> Origin {
    Origin::new(LABEL, member, 1).expect("a good origin")
}

/// The alliance file.
///
/// # Panics
/// Never: the documents are good.
#[must_use]
pub fn alliance_file() -> Vec<u8> {
    let hex = |member: &str, n| key(member, n).public().to_string();
    let member = |(id, jurisdiction): (&str, &str)| RosterMember {
        id: id.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        name: format!("Customs of {jurisdiction}"),
        state: "active".to_owned(),
        gov_keys: vec![hex(id, 1)],
        gov_threshold: 1,
    };
    let roster = RosterDoc {
        alliance: LABEL.to_owned(),
        version: 1,
        prev_sha256: String::new(),
        members: MEMBERS.into_iter().map(member).collect(),
    };
    let record_key = |member: &str, n, person: &str, role: &str| RecordKeyDoc {
        key: hex(member, n),
        person: person.to_owned(),
        roles: vec![role.to_owned()],
        from_index: 0,
        to_index: None,
    };
    let manifest = |(id, _): &(&str, &str)| ManifestDoc {
        member: (*id).to_owned(),
        version: 1,
        generation: 1,
        log_key: hex(id, 2),
        mirror_key: hex(id, 3),
        record_keys: vec![
            record_key(id, 4, "node", "node"),
            record_key(id, 5, "p-1", "officer"),
            record_key(id, 6, "p-2", "officer"),
            record_key(id, 7, "p-3", "investigator"),
        ],
        tls: TlsDoc {
            trust_domain: format!("{id}.{LABEL}"),
            ca_pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            endpoints: vec!["127.0.0.1:7337".to_owned()],
        },
    };
    let sign = |kind, payload: Vec<u8>, by: &[&str]| {
        let keys: Vec<SigningKey> = by.iter().map(|id| key(id, 1)).collect();
        Entry::sign(kind, payload, &keys.iter().collect::<Vec<_>>())
    };
    let json = |value: serde_json::Result<Vec<u8>>| value.expect("a document");
    let all: Vec<&str> = MEMBERS.iter().map(|(id, _)| *id).collect();
    let roster = sign(ROSTER_TYPE, json(serde_json::to_vec(&roster)), &all);
    let manifests: Vec<Entry> = MEMBERS
        .iter()
        .map(|m| {
            sign(
                MANIFEST_TYPE,
                json(serde_json::to_vec(&manifest(m))),
                &[m.0],
            )
        })
        .collect();
    json(serde_json::to_vec(&AllianceFile::new(&roster, &manifests)))
}

/// The alliance.
///
/// # Panics
/// Never: [`alliance_file`] is good.
#[must_use]
pub fn alliance() -> Alliance {
    Alliance::parse(&alliance_file()).expect("a good alliance")
}
