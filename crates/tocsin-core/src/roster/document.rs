//! The JSON forms of roster, manifest and alliance file. What is signed is the exact bytes of a
//! document: it is serialised once, by its author's tool, and kept as it came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tocsin_log::entry::{EntrySignature, Envelope};
use tocsin_log::key::{ALG_ED25519, KeyId};

/// The payload of a roster: who belongs to the alliance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterDoc {
    /// The alliance's label, a lower-case DNS name.
    pub alliance: String,
    /// 1 at genesis.
    pub version: u32,
    /// Digest of the payload before, in hex; empty at genesis.
    #[serde(default)]
    pub prev_sha256: String,
    /// The founders.
    pub members: Vec<RosterMember>,
}

/// One member in a roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterMember {
    /// One label of a DNS name: `us`.
    pub id: String,
    /// Two upper-case letters: `US`, `EU`.
    pub jurisdiction: String,
    /// As people call it.
    pub name: String,
    /// `active`.
    pub state: String,
    /// Keys that sign the roster and this member's manifests, in hex.
    pub gov_keys: Vec<String>,
    /// How many of them must sign.
    #[serde(default = "one")]
    pub gov_threshold: u32,
}

const fn one() -> u32 {
    1
}

/// The payload of a manifest: one member's own keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestDoc {
    /// Whose.
    pub member: String,
    /// 1 at first.
    pub version: u32,
    /// Of its log, from 1.
    pub generation: u32,
    /// Signs its checkpoints, in hex.
    pub log_key: String,
    /// Signs its cosignatures on others' logs, in hex.
    pub mirror_key: String,
    /// Sign its statements.
    pub record_keys: Vec<RecordKeyDoc>,
    /// How its node and clients are known on the network.
    pub tls: TlsDoc,
}

/// One record key in a manifest; valid for `from_index <= i < to_index`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordKeyDoc {
    /// In hex.
    pub key: String,
    /// Who holds it: opaque and stable, never a name.
    pub person: String,
    /// `node`, `investigator`, `officer`.
    pub roles: Vec<String>,
    /// First index at which it may sign.
    #[serde(default)]
    pub from_index: u64,
    /// First index at which it may sign no longer; absent while it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_index: Option<u64>,
}

/// The TLS part of a manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsDoc {
    /// `<member>.<alliance>`.
    pub trust_domain: String,
    /// The one certificate authority of that domain.
    pub ca_pem: String,
    /// `host:port`.
    pub endpoints: Vec<String>,
}

/// An alliance file (`.tsa`): the genesis roster and all first manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllianceFile {
    /// The genesis roster.
    pub roster: EnvelopeDoc,
    /// One for each member.
    pub manifests: Vec<EnvelopeDoc>,
}

/// A DSSE envelope in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeDoc {
    /// What the payload is.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// Exact bytes, in base64.
    pub payload: String,
    /// Who signed.
    pub signatures: Vec<SignatureDoc>,
}

/// One signature of a DSSE envelope in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignatureDoc {
    /// Key id, in hex.
    pub keyid: String,
    /// In base64.
    pub sig: String,
}

impl From<&Envelope> for EnvelopeDoc {
    fn from(envelope: &Envelope) -> Self {
        let signatures = envelope.signatures.iter();
        Self {
            payload_type: envelope.payload_type.clone(),
            payload: STANDARD.encode(&envelope.payload),
            signatures: signatures
                .map(|signature| SignatureDoc {
                    keyid: signature.key_id.to_string(),
                    sig: STANDARD.encode(&signature.sig),
                })
                .collect(),
        }
    }
}

impl EnvelopeDoc {
    /// The envelope; `None` when a part is not the base64 or hex that it should be.
    #[must_use]
    pub fn to_envelope(&self) -> Option<Envelope> {
        let signature = |doc: &SignatureDoc| {
            Some(EntrySignature {
                key_id: KeyId::from_hex(&doc.keyid).ok()?,
                alg: ALG_ED25519,
                sig: STANDARD.decode(&doc.sig).ok()?,
            })
        };
        Some(Envelope {
            payload_type: self.payload_type.clone(),
            payload: STANDARD.decode(&self.payload).ok()?,
            signatures: self
                .signatures
                .iter()
                .map(signature)
                .collect::<Option<_>>()?,
        })
    }
}

impl AllianceFile {
    /// The file of these envelopes.
    #[must_use]
    pub fn new(roster: &Envelope, manifests: &[Envelope]) -> Self {
        Self {
            roster: roster.into(),
            manifests: manifests.iter().map(EnvelopeDoc::from).collect(),
        }
    }
}
