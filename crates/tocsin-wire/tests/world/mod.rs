//! A whole alliance in memory: keys, roster, manifests, and a log with one order in it.

use tocsin_core::handling::Tlp;
use tocsin_core::order::{Instrument, Order, OrderBody, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{Article, Selector};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::roster::document::{ManifestDoc, RecordKeyDoc, RosterDoc, RosterMember, TlsDoc};
use tocsin_core::statement::{Act, BodyRef, DecodedBody, Statement};
use tocsin_core::terms::Terms;
use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::cosign::Cosigner;
use tocsin_log::entry::{Entry, Envelope, MANIFEST_TYPE, ROSTER_TYPE, STATEMENT_TYPE};
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::key::SigningKey;
use tocsin_log::proof::inclusion;
use tocsin_log::tree::Tree;

use tocsin_wire::bundle::{Acceptance, Bundle, ProvenNote};
use tocsin_wire::{body, statement};

/// 2025-10-09T08:53:20Z.
pub(crate) const NOW_MS: i64 = 1_760_000_000_000;
/// When the first mirror cosigned.
pub(crate) const NOW_S: u64 = 1_760_000_005;
/// Where the order stands.
pub(crate) const INDEX: u64 = 2;
const IDS: [&str; 4] = ["us", "jp", "de", "kr"];

/// Everybody's keys.
pub(crate) struct World {
    pub(crate) label: &'static str,
    seed: u8,
    pub(crate) roster: Envelope,
    pub(crate) manifests: Vec<Envelope>,
}

impl World {
    /// The alliance `label`, whose keys all come from `seed`.
    pub(crate) fn new(label: &'static str, seed: u8) -> Self {
        let empty = Envelope {
            payload_type: String::new(),
            payload: vec![],
            signatures: vec![],
        };
        let mut world = Self {
            label,
            seed,
            roster: empty,
            manifests: vec![],
        };
        let doc = RosterDoc {
            alliance: label.into(),
            version: 1,
            prev_sha256: String::new(),
            members: IDS.iter().map(|id| world.roster_member(id)).collect(),
        };
        let gov: Vec<SigningKey> = IDS.iter().map(|id| world.key(id, "gov")).collect();
        let payload = serde_json::to_vec(&doc).unwrap();
        world.roster = Envelope::sign(ROSTER_TYPE, payload, &gov.iter().collect::<Vec<_>>());
        world.manifests = IDS.iter().map(|id| world.manifest(id)).collect();
        world
    }

    /// A member's key for a purpose, the same every time.
    pub(crate) fn key(&self, member: &str, purpose: &str) -> SigningKey {
        let seed = format!("{} {} {member} {purpose}", self.label, self.seed);
        SigningKey::from_seed(Hash::of(seed.as_bytes()).0)
    }

    pub(crate) fn origin(&self, member: &str) -> Origin {
        Origin::new(self.label, member, 1).unwrap()
    }

    pub(crate) fn genesis(&self) -> Hash {
        Hash::of(&self.roster.payload)
    }

    fn roster_member(&self, id: &str) -> RosterMember {
        RosterMember {
            id: id.into(),
            jurisdiction: id.to_uppercase(),
            name: format!("Customs of {id}"),
            state: "active".into(),
            gov_keys: vec![self.key(id, "gov").public().to_string()],
            gov_threshold: 1,
        }
    }

    fn manifest(&self, id: &str) -> Envelope {
        let public = |purpose: &str| self.key(id, purpose).public().to_string();
        let record_key = |purpose: &str, role: &str| RecordKeyDoc {
            key: public(purpose),
            person: format!("{id}-{purpose}"),
            roles: vec![role.into()],
            from_index: 0,
            to_index: None,
        };
        let doc = ManifestDoc {
            member: id.into(),
            version: 1,
            generation: 1,
            log_key: public("log"),
            mirror_key: public("mirror"),
            record_keys: vec![
                record_key("node", "node"),
                record_key("first", "officer"),
                record_key("second", "officer"),
            ],
            tls: TlsDoc {
                trust_domain: format!("{id}.{}", self.label),
                ca_pem: "-----BEGIN CERTIFICATE-----\n".into(),
                endpoints: vec!["127.0.0.1:7337".into()],
            },
        };
        let payload = serde_json::to_vec(&doc).unwrap();
        Envelope::sign(MANIFEST_TYPE, payload, &[&self.key(id, "gov")])
    }

    /// An order of US with a lasting body, signed by these officers.
    pub(crate) fn order(&self, officers: &[&str]) -> (Entry, Vec<u8>) {
        let article = |gtin: &str| Article {
            description: "certain alarm bells".into(),
            selectors: vec![Selector::Gtin(gtin.into())],
        };
        let further = DecodedBody::Order(OrderBody {
            articles: vec![article("4006381333931")],
        });
        let body = body::encode([5; 32], &further);
        let said = Statement {
            log: self.origin("us").log_name(),
            nonce: [3; 16],
            created_ms: NOW_MS,
            number: 412,
            tlp: Tlp::Green,
            bodies: vec![BodyRef {
                sha256: Hash::of(&body),
                length: body.len() as u64,
                scheme: 0,
                lasting: true,
            }],
            about: None,
            refs: vec![],
            act: Act::Order(Box::new(order_text(article("96385074")))),
        };
        let keys: Vec<SigningKey> = officers.iter().map(|o| self.key("us", o)).collect();
        let keys: Vec<&SigningKey> = keys.iter().collect();
        (
            Entry::sign(STATEMENT_TYPE, statement::encode(&said), &keys),
            body,
        )
    }

    /// The order's file: notes of sizes 5 and 7, cosigned by those named.
    pub(crate) fn bundle(&self, at_five: &[&str], at_seven: &[&str]) -> Bundle {
        let (entry, body) = self.order(&["first", "second"]);
        let notes = vec![
            self.note(&entry, 5, at_five),
            self.note(&entry, 7, at_seven),
        ];
        Bundle {
            entry,
            bodies: vec![body],
            acceptance: Some(Acceptance {
                index: INDEX,
                notes,
                rosters: vec![self.roster.clone()],
                manifests: self.manifests.clone(),
            }),
        }
    }

    /// The note of US's log at `size`, cosigned, with the way to it from `entry` at [`INDEX`].
    pub(crate) fn note(&self, entry: &Entry, size: u64, mirrors: &[&str]) -> ProvenNote {
        let (mut tree, mut stored) = (Tree::new(), Vec::new());
        for index in 0..size {
            let leaf = match index {
                INDEX => leaf_hash(&entry.encode().unwrap()),
                _ => leaf_hash(format!("{} {} {index}", self.label, self.seed).as_bytes()),
            };
            stored.extend(tree.append(leaf));
        }
        let origin = self.origin("us");
        let log_key = self.key("us", "log");
        let checkpoint = Checkpoint {
            origin: origin.clone(),
            size,
            root: tree.root(),
        };
        let note = checkpoint.sign(&log_key).unwrap().to_bytes();
        let mut signed = SignedCheckpoint::open(&note, &origin, &log_key.public()).unwrap();
        for (late, mirror) in mirrors.iter().enumerate() {
            let name = self.origin(mirror).mirror_name();
            let mut cosigner = Cosigner::new(origin.clone(), &name, None);
            let decision = cosigner
                .decide(&signed, NOW_S + size + late as u64)
                .unwrap();
            signed
                .add_line(decision.sign(&self.key(mirror, "mirror")))
                .unwrap();
        }
        let read = |place: u64| Ok::<_, ()>(stored[usize::try_from(place).unwrap()]);
        ProvenNote {
            note: signed.note().to_bytes(),
            proof: inclusion(INDEX, size, read).unwrap(),
        }
    }
}

fn order_text(article: Article) -> Order {
    Order {
        case_ref: "337-TA-1028".into(),
        title: "Certain alarm bells".into(),
        instrument: Instrument::Us337Leo,
        scope: ScopeKind::Limited,
        respondents: vec![Party {
            kind: PartyKind::Company,
            names: vec!["Example Bellworks Ltd".into()],
            identifiers: vec![],
            country: "CN".into(),
        }],
        articles: vec![article],
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".into(),
            number: "9876543".into(),
            missing_reason: String::new(),
            claims: "1-4".into(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW_MS,
        until_ms: 0,
        counterfeit: false,
        summary: "EXERCISE".into(),
        exercise: true,
        terms: Terms::default(),
    }
}
