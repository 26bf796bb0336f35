//! Who belongs to an alliance, and which keys speak for whom (FORMATS section 1).

use std::collections::{BTreeMap, BTreeSet};

use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::{Envelope, MANIFEST_TYPE, ROSTER_TYPE};
use tocsin_log::hash::Hash;
use tocsin_log::key::{KeyId, PublicKey};

use crate::reason::{Reason, Refusal};
use crate::text::{MAX_LINE_BYTES, has_forbidden_in_line};
use crate::words::words;

use document::{AllianceFile, EnvelopeDoc, ManifestDoc, RecordKeyDoc, RosterDoc, RosterMember};

pub mod document;

/// Why an alliance file, roster or manifest is not taken.
pub type RosterError = Refusal;

words! {
    /// What a record key may do.
    Role {
        /// The node itself: decisions by policy, and lapses.
        Node = 1 "node",
        /// Reports and indicators.
        Investigator = 2 "investigator",
        /// Everything that a person may say.
        Officer = 3 "officer",
    }
}

/// A verified alliance: genesis roster and first manifests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alliance {
    label: String,
    genesis_hash: Hash,
    roster: Envelope,
    /// All founders' entries in the roster, by id; manifests may be fewer (in a bundle).
    founders: BTreeMap<String, RosterMember>,
    members: BTreeMap<String, Member>,
}

/// One member, with the keys that its manifest gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// One label of a DNS name: `us`.
    pub id: String,
    /// Two upper-case letters, unique in the alliance: `US`.
    pub jurisdiction: String,
    /// As people call it.
    pub name: String,
    /// Of its log, in the present generation.
    pub origin: Origin,
    /// Signs its checkpoints.
    pub log_key: PublicKey,
    /// Signs its cosignatures on others' logs.
    pub mirror_key: PublicKey,
    /// Sign its statements.
    pub record_keys: BTreeMap<KeyId, RecordKey>,
    /// How its node and clients are known on the network.
    pub tls: Tls,
    /// Its manifest, as signed.
    pub manifest: Envelope,
}

/// A key that signs statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordKey {
    /// The key.
    pub key: PublicKey,
    /// Who holds it: opaque and stable. Two keys of one person count once.
    pub person: String,
    /// What it may do.
    pub roles: BTreeSet<Role>,
    /// First index at which it may sign.
    pub from_index: u64,
    /// First index at which it may sign no longer; `None` while it may.
    pub to_index: Option<u64>,
}

/// How a member's node and clients are known on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// `<member>.<alliance>`.
    pub trust_domain: String,
    /// The one certificate authority of that domain.
    pub ca_pem: String,
    /// `host:port`.
    pub endpoints: Vec<String>,
}

impl Alliance {
    /// Reads an alliance file: the genesis roster and every member's first manifest, all verified.
    ///
    /// # Errors
    /// When it is malformed, over a bound, not signed by whom it should be, or lacks a manifest.
    pub fn parse(tsa: &[u8]) -> Result<Self, RosterError> {
        if tsa.len() > MAX_ALLIANCE_FILE_BYTES {
            return Err(Reason::RosterTooLarge.into());
        }
        let file: AllianceFile = serde_json::from_slice(tsa)
            .map_err(|error| Refusal::new(Reason::RosterSyntax).with(error.to_string()))?;
        let envelope = |doc: &EnvelopeDoc, reason| {
            doc.to_envelope()
                .ok_or_else(|| Refusal::new(reason).with("not base64 or hex"))
        };
        let roster = envelope(&file.roster, Reason::RosterSyntax)?;
        let manifests: Vec<Envelope> = file
            .manifests
            .iter()
            .map(|doc| envelope(doc, Reason::ManifestSyntax))
            .collect::<Result<_, _>>()?;
        let alliance = Self::open(roster, manifests)?;
        match alliance
            .founders
            .keys()
            .find(|id| !alliance.members.contains_key(*id))
        {
            Some(id) => Err(Refusal::at(Reason::ManifestMissing, id)),
            None => Ok(alliance),
        }
    }

    /// Verifies a genesis roster and the first manifests of some of its members.
    ///
    /// # Errors
    /// When a part is malformed, over a bound or not signed by whom it should be.
    pub fn open(roster: Envelope, manifests: Vec<Envelope>) -> Result<Self, RosterError> {
        let doc = read_roster(&roster)?;
        let mut keys = Keys::default();
        let mut founders = BTreeMap::new();
        let mut gov = BTreeMap::new();
        for member in doc.members {
            let gov_keys = read_gov_keys(&member, &mut keys)?;
            if !has_threshold(&roster, &gov_keys, member.gov_threshold) {
                return Err(Refusal::at(Reason::RosterSignature, &member.id));
            }
            gov.insert(member.id.clone(), gov_keys);
            founders.insert(member.id.clone(), member);
        }
        let everyone: Vec<PublicKey> = gov.values().flatten().copied().collect();
        if !is_signed_only_by(&roster, &everyone) {
            return Err(Reason::RosterSignature.into());
        }

        let mut alliance = Self {
            genesis_hash: Hash::of(&roster.payload),
            label: doc.alliance,
            roster,
            founders,
            members: BTreeMap::new(),
        };
        if manifests.len() > alliance.founders.len() {
            return Err(Reason::ManifestMember.into());
        }
        for manifest in manifests {
            let member = alliance.read_manifest(manifest, &gov, &mut keys)?;
            if let Some(twice) = alliance.members.insert(member.id.clone(), member) {
                return Err(Refusal::at(Reason::ManifestMember, twice.id));
            }
        }
        Ok(alliance)
    }

    fn read_manifest(
        &self,
        manifest: Envelope,
        gov: &BTreeMap<String, Vec<PublicKey>>,
        keys: &mut Keys,
    ) -> Result<Member, RosterError> {
        let doc = parse_manifest(&manifest)?;
        let (Some(founder), Some(gov_keys)) =
            (self.founders.get(&doc.member), gov.get(&doc.member))
        else {
            return Err(Refusal::at(Reason::ManifestMember, doc.member));
        };
        let at = |reason| Refusal::at(reason, &founder.id);
        if !has_threshold(&manifest, gov_keys, founder.gov_threshold)
            || !is_signed_only_by(&manifest, gov_keys)
        {
            return Err(at(Reason::ManifestSignature));
        }
        let origin = Origin::new(&self.label, &founder.id, doc.generation)
            .map_err(|error| at(Reason::ManifestGeneration).with(error.to_string()))?;
        let mut key = |hex: &str| keys.take(hex, Reason::ManifestKey, &founder.id);
        let (log_key, mirror_key) = (key(&doc.log_key)?, key(&doc.mirror_key)?);
        if doc.record_keys.len() > MAX_RECORD_KEYS {
            return Err(at(Reason::ManifestRecordKeys).with("too many"));
        }
        let mut record_keys = BTreeMap::new();
        for record_key in &doc.record_keys {
            let record_key = read_record_key(record_key, key(&record_key.key)?)
                .ok_or_else(|| at(Reason::ManifestRecordKeys).with(&record_key.person))?;
            record_keys.insert(record_key.key.key_id(), record_key);
        }
        if !is_tls_form(&doc, &self.label) {
            return Err(at(Reason::ManifestTls));
        }
        Ok(Member {
            id: founder.id.clone(),
            jurisdiction: founder.jurisdiction.clone(),
            name: founder.name.clone(),
            origin,
            log_key,
            mirror_key,
            record_keys,
            tls: Tls {
                trust_domain: doc.tls.trust_domain,
                ca_pem: doc.tls.ca_pem,
                endpoints: doc.tls.endpoints,
            },
            manifest,
        })
    }

    /// The alliance's label: a lower-case DNS name.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// SHA-256 of the genesis roster's payload: what people compare by voice and clients pin.
    #[must_use]
    pub const fn genesis_hash(&self) -> &Hash {
        &self.genesis_hash
    }

    /// The genesis roster, as signed.
    #[must_use]
    pub const fn roster(&self) -> &Envelope {
        &self.roster
    }

    /// Members in the roster; at least as many as have a manifest here.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.founders.len()
    }

    /// Whether the roster names this member, even if its manifest is not here.
    #[must_use]
    pub fn is_member(&self, id: &str) -> bool {
        self.founders.contains_key(id)
    }

    /// The members whose manifests are here, by id.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// The member with this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.get(id)
    }

    /// The member whose log is `<alliance>/<member>`.
    #[must_use]
    pub fn by_log(&self, log_name: &str) -> Option<&Member> {
        self.member(self.member_of_log(log_name)?)
    }

    /// The id in `<alliance>/<member>`, whether or not there is such a member.
    #[must_use]
    pub fn member_of_log<'a>(&self, log_name: &'a str) -> Option<&'a str> {
        log_name
            .strip_prefix(self.label.as_str())?
            .strip_prefix('/')
    }

    /// The member with this jurisdiction.
    #[must_use]
    pub fn by_jurisdiction(&self, jurisdiction: &str) -> Option<&Member> {
        self.members()
            .find(|member| member.jurisdiction == jurisdiction)
    }

    /// The member with this trust domain.
    #[must_use]
    pub fn by_trust_domain(&self, trust_domain: &str) -> Option<&Member> {
        self.members()
            .find(|member| member.tls.trust_domain == trust_domain)
    }

    /// The member that has this record key, at whatever index.
    #[must_use]
    pub fn by_record_key(&self, key_id: &KeyId) -> Option<&Member> {
        self.members()
            .find(|member| member.record_keys.contains_key(key_id))
    }
}

impl Member {
    /// The record key with this id, if it may sign at this index.
    #[must_use]
    pub fn record_key(&self, key_id: &KeyId, index: u64) -> Option<&RecordKey> {
        self.record_keys
            .get(key_id)
            .filter(|key| key.is_valid_at(index))
    }
}

impl RecordKey {
    /// Whether it may sign at this index.
    #[must_use]
    pub fn is_valid_at(&self, index: u64) -> bool {
        self.from_index <= index && self.to_index.is_none_or(|end| index < end)
    }
}

/// Every key taken so far: none may stand twice, for whatever purpose.
#[derive(Default)]
struct Keys(BTreeSet<KeyId>);

impl Keys {
    fn take(&mut self, hex: &str, reason: Reason, field: &str) -> Result<PublicKey, RosterError> {
        let key = PublicKey::from_hex(hex)
            .map_err(|error| Refusal::at(reason, field).with(error.to_string()))?;
        if !self.0.insert(key.key_id()) {
            return Err(Refusal::at(Reason::KeyReused, field).with(hex));
        }
        Ok(key)
    }
}

fn read_roster(roster: &Envelope) -> Result<RosterDoc, RosterError> {
    if roster.payload.len() > MAX_DOCUMENT_BYTES {
        return Err(Reason::RosterTooLarge.into());
    }
    if roster.payload_type != ROSTER_TYPE {
        return Err(Reason::RosterType.into());
    }
    let doc: RosterDoc = serde_json::from_slice(&roster.payload)
        .map_err(|error| Refusal::new(Reason::RosterSyntax).with(error.to_string()))?;
    if doc.version != 1 || !doc.prev_sha256.is_empty() {
        return Err(Refusal::at(Reason::RosterNotYet, "version"));
    }
    if !(1..=MAX_MEMBERS).contains(&doc.members.len()) {
        return Err(Refusal::at(Reason::RosterMembers, "members"));
    }
    let (mut ids, mut jurisdictions) = (BTreeSet::new(), BTreeSet::new());
    for member in &doc.members {
        // An origin of a label alone fails by the label, of the id alone by the id.
        if Origin::new(&doc.alliance, "a", 1).is_err() {
            return Err(Refusal::at(Reason::RosterAlliance, "alliance"));
        }
        let is_jurisdiction = member.jurisdiction.len() == 2
            && member
                .jurisdiction
                .bytes()
                .all(|byte| byte.is_ascii_uppercase());
        let is_form = Origin::new(&doc.alliance, &member.id, 1).is_ok()
            && is_jurisdiction
            && is_line(&member.name)
            && ids.insert(&member.id)
            && jurisdictions.insert(&member.jurisdiction);
        if !is_form {
            return Err(Refusal::at(Reason::RosterMembers, &member.id));
        }
        if member.state != "active" {
            return Err(Refusal::at(Reason::RosterState, &member.id));
        }
    }
    Ok(doc)
}

fn read_gov_keys(member: &RosterMember, keys: &mut Keys) -> Result<Vec<PublicKey>, RosterError> {
    let count = member.gov_keys.len();
    let is_threshold = usize::try_from(member.gov_threshold)
        .is_ok_and(|threshold| (1..=count).contains(&threshold));
    if count > MAX_GOV_KEYS || !is_threshold {
        return Err(Refusal::at(Reason::RosterKey, &member.id));
    }
    member
        .gov_keys
        .iter()
        .map(|hex| keys.take(hex, Reason::RosterKey, &member.id))
        .collect()
}

fn parse_manifest(manifest: &Envelope) -> Result<ManifestDoc, RosterError> {
    if manifest.payload.len() > MAX_DOCUMENT_BYTES {
        return Err(Reason::RosterTooLarge.into());
    }
    if manifest.payload_type != MANIFEST_TYPE {
        return Err(Reason::ManifestType.into());
    }
    let doc: ManifestDoc = serde_json::from_slice(&manifest.payload)
        .map_err(|error| Refusal::new(Reason::ManifestSyntax).with(error.to_string()))?;
    if doc.version != 1 {
        return Err(Refusal::at(Reason::ManifestNotYet, doc.member));
    }
    Ok(doc)
}

/// Whether at least `threshold` of these keys have signed.
fn has_threshold(envelope: &Envelope, keys: &[PublicKey], threshold: u32) -> bool {
    u32::try_from(envelope.signers(keys).len()).is_ok_and(|count| count >= threshold)
}

/// Whether every signature is by one of these keys, verifies and stands once, so that no bit is
/// free.
fn is_signed_only_by(envelope: &Envelope, keys: &[PublicKey]) -> bool {
    envelope.signatures.is_sorted_by(|a, b| a.key_id < b.key_id)
        && envelope.signers(keys).len() == envelope.signatures.len()
}

fn read_record_key(doc: &RecordKeyDoc, key: PublicKey) -> Option<RecordKey> {
    let roles: BTreeSet<Role> = doc
        .roles
        .iter()
        .map(|word| Role::from_word(word))
        .collect::<Option<_>>()?;
    // The node's word and a person's word must never be mistaken for each other.
    let is_role_set = !roles.is_empty() && (roles.len() == 1 || !roles.contains(&Role::Node));
    let is_person = (1..=MAX_PERSON_BYTES).contains(&doc.person.len())
        && doc.person.bytes().all(|byte| byte.is_ascii_graphic());
    let is_range = doc.to_index.is_none_or(|end| doc.from_index < end);
    (is_role_set && is_person && is_range && roles.len() == doc.roles.len()).then(|| RecordKey {
        key,
        person: doc.person.clone(),
        roles,
        from_index: doc.from_index,
        to_index: doc.to_index,
    })
}

fn is_tls_form(doc: &ManifestDoc, label: &str) -> bool {
    let tls = &doc.tls;
    tls.trust_domain == format!("{}.{label}", doc.member)
        && tls.ca_pem.len() <= MAX_CA_PEM_BYTES
        && tls.ca_pem.starts_with("-----BEGIN CERTIFICATE-----")
        && (1..=MAX_ENDPOINTS).contains(&tls.endpoints.len())
        && tls.endpoints.iter().all(|endpoint| is_line(endpoint))
}

fn is_line(text: &str) -> bool {
    (1..=MAX_LINE_BYTES).contains(&text.len()) && !has_forbidden_in_line(text)
}

/// Members of one alliance: with 64 a full mesh is 4,032 streams, far beyond any alliance named so
/// far.
pub const MAX_MEMBERS: usize = 64;
/// Gov keys of one member.
pub const MAX_GOV_KEYS: usize = 16;
/// Record keys of one member: its officers and investigators, not its customs agents.
pub const MAX_RECORD_KEYS: usize = 1_024;
/// Endpoints of one member's node.
pub const MAX_ENDPOINTS: usize = 8;
/// Bytes of the pseudonym of a person.
pub const MAX_PERSON_BYTES: usize = tocsin_log::keyfile::MAX_PERSON_BYTES;
/// Bytes of a certificate authority in PEM; a P-256 certificate has under 1,000.
pub const MAX_CA_PEM_BYTES: usize = 16_384;
/// Bytes of one roster or manifest: [`MAX_RECORD_KEYS`] keys of under 200 bytes each, twice over.
pub const MAX_DOCUMENT_BYTES: usize = 524_288;
/// Bytes of an alliance file: the documents of [`MAX_MEMBERS`] members of ordinary size, in base64.
pub const MAX_ALLIANCE_FILE_BYTES: usize = 4_194_304;

#[cfg(test)]
mod tests;
