//! A small alliance with keys that tests can sign with, and one good statement of each kind.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tocsin_log::entry::{
    Entry, EntrySignature, Envelope, MANIFEST_TYPE, ROSTER_TYPE, STATEMENT_TYPE,
};
use tocsin_log::hash::Hash;
use tocsin_log::key::{KeyId, SigningKey};

use crate::decision::{Decision, DecisionKind, PolicyCitation};
use crate::handling::Tlp;
use crate::indicator::{Indicator, IndicatorBody, IndicatorKind};
use crate::order::{Instrument, Order, OrderAct, OrderActKind, Phase, ScopeKind};
use crate::party::{Party, PartyKind};
use crate::policy::PolicyPack;
use crate::product::{Article, Selector};
use crate::report::{Exhibit, Report, ReportBody, ReportKind};
use crate::right::{Right, RightKind};
use crate::roster::Alliance;
use crate::roster::document::{
    AllianceFile, ManifestDoc, RecordKeyDoc, RosterDoc, RosterMember, TlsDoc,
};
use crate::statement::{Act, BodyRef, Statement, StatementRef};
use crate::terms::Terms;

pub(crate) const LABEL: &str = "test.tocsin.example";
pub(crate) const MEMBERS: [(&str, &str); 3] = [("us", "US"), ("de", "DE"), ("kr", "KR")];
/// 2026-11-22T00:00:00Z.
pub(crate) const NOW_MS: i64 = 1_795_305_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    Gov = 1,
    Log = 2,
    Mirror = 3,
    Node = 4,
    Ana = 5,
    Ben = 6,
    AnasSecondKey = 7,
    Investigator = 8,
    /// An officer whose key is valid from index 5 up to 9.
    Former = 9,
}

pub(crate) fn key(member: &str, who: Who) -> SigningKey {
    let mut seed = [0; 32];
    seed[..member.len()].copy_from_slice(member.as_bytes());
    seed[31] = who as u8;
    SigningKey::from_seed(seed)
}

fn hex(member: &str, who: Who) -> String {
    key(member, who).public().to_string()
}

pub(crate) fn roster_doc() -> RosterDoc {
    let member = |(id, jurisdiction): (&str, &str)| RosterMember {
        id: id.to_owned(),
        jurisdiction: jurisdiction.to_owned(),
        name: format!("Customs of {jurisdiction}"),
        state: "active".to_owned(),
        gov_keys: vec![hex(id, Who::Gov)],
        gov_threshold: 1,
    };
    RosterDoc {
        alliance: LABEL.to_owned(),
        version: 1,
        prev_sha256: String::new(),
        members: MEMBERS.into_iter().map(member).collect(),
    }
}

pub(crate) fn manifest_doc(member: &str) -> ManifestDoc {
    let record_key = |who, person: &str, role: &str, from_index, to_index| RecordKeyDoc {
        key: hex(member, who),
        person: person.to_owned(),
        roles: vec![role.to_owned()],
        from_index,
        to_index,
    };
    ManifestDoc {
        member: member.to_owned(),
        version: 1,
        generation: 1,
        log_key: hex(member, Who::Log),
        mirror_key: hex(member, Who::Mirror),
        record_keys: vec![
            record_key(Who::Node, "node", "node", 0, None),
            record_key(Who::Ana, "p-1", "officer", 0, None),
            record_key(Who::Ben, "p-2", "officer", 0, None),
            record_key(Who::AnasSecondKey, "p-1", "officer", 0, None),
            record_key(Who::Investigator, "p-3", "investigator", 0, None),
            record_key(Who::Former, "p-4", "officer", 5, Some(9)),
        ],
        tls: TlsDoc {
            trust_domain: format!("{member}.{LABEL}"),
            ca_pem: "-----BEGIN CERTIFICATE-----\n".to_owned(),
            endpoints: vec!["127.0.0.1:7337".to_owned()],
        },
    }
}

pub(crate) fn sign_roster(doc: &RosterDoc, signers: &[SigningKey]) -> Envelope {
    let signers: Vec<&SigningKey> = signers.iter().collect();
    Entry::sign(ROSTER_TYPE, serde_json::to_vec(doc).unwrap(), &signers)
}

pub(crate) fn sign_manifest(doc: &ManifestDoc, signers: &[SigningKey]) -> Envelope {
    let signers: Vec<&SigningKey> = signers.iter().collect();
    Entry::sign(MANIFEST_TYPE, serde_json::to_vec(doc).unwrap(), &signers)
}

pub(crate) fn founders() -> Vec<SigningKey> {
    MEMBERS.iter().map(|(id, _)| key(id, Who::Gov)).collect()
}

pub(crate) fn envelopes() -> (Envelope, Vec<Envelope>) {
    let manifest = |(id, _): &(&str, &str)| sign_manifest(&manifest_doc(id), &[key(id, Who::Gov)]);
    (
        sign_roster(&roster_doc(), &founders()),
        MEMBERS.iter().map(manifest).collect(),
    )
}

pub(crate) fn alliance_file() -> Vec<u8> {
    let (roster, manifests) = envelopes();
    serde_json::to_vec(&AllianceFile::new(&roster, &manifests)).unwrap()
}

pub(crate) fn alliance() -> Alliance {
    Alliance::parse(&alliance_file()).unwrap()
}

/// Signs bytes that stand for the statement; the wire crate's are another crate's to test.
pub(crate) fn sign(statement: &Statement, member: &str, signers: &[Who]) -> Entry {
    let keys: Vec<SigningKey> = signers.iter().map(|who| key(member, *who)).collect();
    let keys: Vec<&SigningKey> = keys.iter().collect();
    Entry::sign(STATEMENT_TYPE, format!("{statement:?}").into_bytes(), &keys)
}

pub(crate) fn statement(member: &str, act: Act) -> Statement {
    Statement {
        log: format!("{LABEL}/{member}"),
        nonce: [7; 16],
        created_ms: NOW_MS,
        number: u32::from(act.is_numbered()),
        tlp: Tlp::Green,
        bodies: Vec::new(),
        about: None,
        refs: Vec::new(),
        act,
    }
}

pub(crate) fn body_bytes(text: &str) -> Vec<u8> {
    [[9; 32].as_slice(), text.as_bytes()].concat()
}

pub(crate) fn body_ref(text: &str, lasting: bool) -> BodyRef {
    let bytes = body_bytes(text);
    BodyRef {
        sha256: Hash::of(&bytes),
        length: bytes.len() as u64,
        scheme: 0,
        lasting,
    }
}

pub(crate) fn article() -> Article {
    Article {
        description: "certain widgets".to_owned(),
        selectors: vec![
            Selector::Gtin("4006381333931".to_owned()),
            Selector::Model("GX-7000".to_owned()),
        ],
    }
}

pub(crate) fn party() -> Party {
    Party {
        kind: PartyKind::Company,
        names: vec!["Fictional Widget Works".to_owned()],
        identifiers: vec![Selector::Lei("529900T8BM49AURSDO55".to_owned())],
        country: "CN".to_owned(),
    }
}

pub(crate) fn right(office: &str) -> Right {
    Right {
        kind: RightKind::Patent,
        office: office.to_owned(),
        number: "6180373".to_owned(),
        missing_reason: String::new(),
        claims: "10".to_owned(),
    }
}

pub(crate) fn order_text() -> Order {
    Order {
        case_ref: "337-TA-0000".to_owned(),
        title: "Certain Widgets".to_owned(),
        instrument: Instrument::Us337Leo,
        scope: ScopeKind::Limited,
        respondents: vec![party()],
        articles: vec![article()],
        rights: vec![right("US")],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: NOW_MS,
        until_ms: 0,
        counterfeit: false,
        summary: "EXERCISE".to_owned(),
        exercise: true,
        terms: Terms::default(),
    }
}

pub(crate) fn order() -> Statement {
    statement("us", Act::Order(Box::new(order_text())))
}

pub(crate) fn order_ref(member: &str) -> StatementRef {
    StatementRef {
        log: format!("{LABEL}/{member}"),
        statement_id: Hash::of(b"the order"),
    }
}

pub(crate) fn report() -> Statement {
    let act = Act::Report(Report {
        kind: ReportKind::Infringement,
    });
    Statement {
        bodies: vec![body_ref("report", false)],
        ..statement("us", act)
    }
}

pub(crate) fn report_body() -> ReportBody {
    ReportBody {
        title: "Widgets at a fair".to_owned(),
        narrative: "Seen at stand 12.\nBought one.".to_owned(),
        articles: vec![article()],
        parties: vec![party()],
        source_reliability: "B".to_owned(),
        credibility: 2,
        collected_ms: NOW_MS,
        exhibits: vec![Exhibit {
            sha256: Hash::of(b"photo"),
            length: 5,
            media_type: "image/jpeg".to_owned(),
            name: "stand-12.jpg".to_owned(),
        }],
        requested_action: "An order.".to_owned(),
        exercise: true,
    }
}

pub(crate) fn indicator() -> Statement {
    let kind = IndicatorKind::Product;
    let act = Act::Indicator(Indicator {
        kind,
        valid_until_ms: NOW_MS + 1,
    });
    Statement {
        bodies: vec![body_ref("indicator", false)],
        ..statement("us", act)
    }
}

pub(crate) fn indicator_body() -> IndicatorBody {
    IndicatorBody {
        title: "Widgets".to_owned(),
        articles: vec![article()],
        parties: Vec::new(),
        confidence: "moderate".to_owned(),
        exercise: true,
    }
}

pub(crate) fn order_act(kind: OrderActKind) -> Statement {
    let replacement = (kind == OrderActKind::Modify).then(order_text);
    let act = OrderAct {
        kind,
        reason: "facts changed".to_owned(),
        replacement,
    };
    let act = Act::OrderAct(Box::new(act));
    Statement {
        about: Some(order_ref("us")),
        ..statement("us", act)
    }
}

/// A decision of DE on an order of US, as officers make it.
pub(crate) fn decision(kind: DecisionKind) -> Statement {
    let ends = matches!(kind, DecisionKind::Hold | DecisionKind::Extend);
    let decision = Decision {
        kind,
        judged: Hash::of(b"the order"),
        basis: "EU:608/2013#17".to_owned(),
        reason: "as found".to_owned(),
        until_ms: if ends { NOW_MS + 1 } else { 0 },
        local_rights: if kind == DecisionKind::Adopt {
            vec![right("DE")]
        } else {
            Vec::new()
        },
        policy: None,
    };
    Statement {
        about: Some(order_ref("us")),
        ..statement("de", Act::Decision(decision))
    }
}

/// The same by policy; a lapse cites none.
pub(crate) fn policy_decision(kind: DecisionKind) -> Statement {
    let mut statement = decision(kind);
    if let Act::Decision(decision) = &mut statement.act {
        decision.local_rights.clear();
        decision.policy = (kind != DecisionKind::Lapse).then(|| PolicyCitation {
            pack: Some(Hash::of(b"the pack")),
            rule: "us-flag".to_owned(),
        });
    }
    statement
}

pub(crate) const PACK: &str = "[meta]\njurisdiction = \"US\"\nversion = 1\n\
    valid_from = \"2026-01-01\"\n[[rule]]\nid = \"de-flag\"\nissuer = \"de\"\nthen = \"flag\"\n";

pub(crate) fn pack() -> Statement {
    statement(
        "us",
        Act::PolicyPack(PolicyPack {
            toml: PACK.to_owned(),
        }),
    )
}

/// One good statement of each kind and way to sign it, by name: author and signers.
pub(crate) fn good() -> BTreeMap<&'static str, (Statement, &'static str, Vec<Who>)> {
    use DecisionKind as D;
    use OrderActKind as A;
    let (one, two) = (vec![Who::Ana], vec![Who::Ana, Who::Ben]);
    let node = vec![Who::Node];
    BTreeMap::from([
        ("report", (report(), "us", vec![Who::Investigator])),
        ("report by an officer", (report(), "us", one.clone())),
        ("indicator", (indicator(), "us", vec![Who::Investigator])),
        ("order", (order(), "us", two.clone())),
        ("suspend", (order_act(A::Suspend), "us", one.clone())),
        ("resume", (order_act(A::Resume), "us", two.clone())),
        ("modify", (order_act(A::Modify), "us", two.clone())),
        ("rescind", (order_act(A::Rescind), "us", two.clone())),
        ("withdraw", (order_act(A::Withdraw), "us", two.clone())),
        ("adopt", (decision(D::Adopt), "de", two.clone())),
        ("hold", (decision(D::Hold), "de", one.clone())),
        ("extend", (decision(D::Extend), "de", two.clone())),
        ("pause", (decision(D::Pause), "de", one.clone())),
        ("end", (decision(D::End), "de", one.clone())),
        ("review", (decision(D::Review), "de", one.clone())),
        ("flag", (decision(D::Flag), "de", one.clone())),
        ("inform", (decision(D::Inform), "de", one.clone())),
        ("decline", (decision(D::Decline), "de", one.clone())),
        ("not competent", (decision(D::NotCompetent), "de", one)),
        (
            "adopt by policy",
            (policy_decision(D::Adopt), "de", node.clone()),
        ),
        (
            "hold by policy",
            (policy_decision(D::Hold), "de", node.clone()),
        ),
        (
            "flag by policy",
            (policy_decision(D::Flag), "de", node.clone()),
        ),
        (
            "review by policy",
            (policy_decision(D::Review), "de", node.clone()),
        ),
        ("lapse", (policy_decision(D::Lapse), "de", node)),
        ("pack", (pack(), "us", two)),
    ])
}

/// Signatures of nobody, of any number, algorithm and length.
pub(crate) fn any_signatures() -> impl Strategy<Value = Vec<EntrySignature>> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..70);
    let one = (any::<[u8; 32]>(), any::<u8>(), bytes);
    let one = one.prop_map(|(id, alg, sig)| EntrySignature {
        key_id: KeyId(id),
        alg,
        sig,
    });
    proptest::collection::vec(one, 0..10)
}
