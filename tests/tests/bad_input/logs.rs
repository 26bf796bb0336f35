//! Cases 70 to 77: two stories, proofs, sizes, cosignatures.

use tocsin_log::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tocsin_log::cosign::Cosigner;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::key::SigningKey;
use tocsin_log::keyfile::Purpose;
use tocsin_log::proof::consistency;
use tocsin_log::tree::{Tree, position};
use tocsin_tests::say;
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::peer::v1::peer_service_client::PeerServiceClient;
use tocsin_wire::proto::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use crate::socket::outcome_of;
use crate::table::{Acting, Caller, Deed, Row};
use crate::world::World;

const EVIDENCE: &str = "/tocsin.peer.v1.PeerService/ReportEvidence";
const PEER_PROOF: &str = "/tocsin.peer.v1.PeerService/GetProof";
const INCLUSION: &str = "/tocsin.v1.LogService/GetInclusionProof";
const CONSISTENCY: &str = "/tocsin.v1.LogService/GetConsistencyProof";
const READ: &str = "/tocsin.v1.LogService/ReadEntries";
const PROVES_NOTHING: &str = "InvalidArgument FIELD_INVALID at evidence";
const HUGE: u64 = 1 << 63;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = stories(world);
    rows.extend(proofs(world));
    rows.extend(indexes());
    rows.extend(sizes());
    rows.extend(unknown_logs());
    rows.extend([
        Row::new(
            75,
            "cosignatures by nobody, a forger, the log itself",
            "counted: us",
            Deed::Do(strangers),
        )
        .growing(1),
        Row::new(
            76,
            "one member's cosignature three times",
            "counted: jp us",
            Deed::Do(thrice),
        )
        .growing(1),
        Row::new(
            77,
            "cosignatures of N and N+K at once",
            "counted: jp us",
            Deed::Do(race),
        )
        .growing(2),
        Row::new(
            77,
            "20 statements at once: a mirror's cosignatures",
            "ascending to the head",
            Deed::Do(ascending),
        )
        .growing(20),
    ]);
    rows
}

fn origin(world: &World, member: &str) -> Origin {
    world
        .network
        .alliance
        .member(member)
        .unwrap()
        .origin
        .clone()
}

/// A note that the member's key signs, whatever its log says.
fn note(world: &World, member: &str, size: u64, root: Hash) -> Vec<u8> {
    let key = world.log_key(member, Purpose::Log);
    let origin = origin(world, member);
    let checkpoint = Checkpoint { origin, size, root };
    checkpoint.sign(&key).unwrap().to_bytes()
}

fn reported(evidence: peer::Evidence) -> peer::ReportEvidenceRequest {
    peer::ReportEvidenceRequest {
        evidence: Some(evidence),
    }
}

/// E1: what is no contradiction, and what is one.
fn stories(world: &World) -> Vec<Row> {
    let evidence = |a: (u64, &[u8]), b: (u64, &[u8])| {
        let note = |(size, root)| note(world, "jp", size, Hash::of(root));
        reported(peer::Evidence {
            r#type: 1,
            note_a: note(a),
            note_b: note(b),
            ..peer::Evidence::default()
        })
    };
    let call = |sent, message: &peer::ReportEvidenceRequest| {
        Row::call(70, sent, PROVES_NOTHING, Caller::Node, EVIDENCE, message)
    };
    let stranger = SigningKey::from_seed([7; 32]);
    let forged = |root: &[u8]| {
        let (origin, root) = (origin(world, "jp"), Hash::of(root));
        let checkpoint = Checkpoint {
            origin,
            size: 5,
            root,
        };
        checkpoint.sign(&stranger).unwrap().to_bytes()
    };
    let forged = reported(peer::Evidence {
        r#type: 1,
        note_a: forged(b"one"),
        note_b: forged(b"other"),
        ..peer::Evidence::default()
    });
    vec![
        call("two notes that agree", &evidence((5, b"one"), (5, b"one"))),
        call(
            "notes of two sizes as one",
            &evidence((5, b"one"), (6, b"other")),
        ),
        call("notes that the log's key has not signed", &forged),
        Row::call(
            70,
            "no evidence at all",
            PROVES_NOTHING,
            Caller::Node,
            EVIDENCE,
            &peer::ReportEvidenceRequest { evidence: None },
        ),
        Row::call(
            70,
            "a client reports",
            "PermissionDenied NODE_ONLY",
            Caller::Home,
            EVIDENCE,
            &evidence((5, b"one"), (5, b"other")),
        ),
        Row::new(
            70,
            "one size, two roots",
            "Ok, kr frozen at de and us",
            Deed::Do(frozen),
        ),
    ]
}

fn frozen(world: &World) -> Acting<'_> {
    Box::pin(async {
        let [note_a, note_b] =
            [b"one".as_slice(), b"other"].map(|root| note(world, "kr", 5, Hash::of(root)));
        let evidence = peer::Evidence {
            r#type: 1,
            note_a,
            note_b,
            ..peer::Evidence::default()
        };
        let mut client = PeerServiceClient::new(world.as_jp("de").await);
        match client.report_evidence(reported(evidence)).await {
            Ok(answer) if answer.get_ref().accepted => {}
            Ok(_) => return "Ok, not accepted".to_owned(),
            Err(status) => return outcome_of(&status),
        }
        let kr = origin(world, "kr").to_string();
        for id in ["de", "us"] {
            let is_frozen = |status: &tocsin_wire::proto::admin::v1::GetStatusResponse| {
                // The refused evidence against jp left nothing.
                let frozen: Vec<_> = status.logs.iter().filter(|log| log.frozen).collect();
                status.evidence == 1 && frozen.len() == 1 && frozen[0].origin == kr
            };
            world
                .network
                .wait(id, "told that kr has two stories", is_frozen)
                .await;
        }
        "Ok, kr frozen at de and us".to_owned()
    })
}

/// E2 against `jp` with everything right but the proof.
fn proofs(world: &World) -> Vec<Row> {
    let (mut tree, mut stored, mut mid_root) = (Tree::new(), Vec::new(), None);
    for leaf in 0..5_u8 {
        if leaf == 3 {
            mid_root = Some(tree.root());
        }
        stored.extend(tree.append(leaf_hash(&[leaf])));
    }
    let read = |place: u64| Ok::<_, ()>(stored[usize::try_from(place).unwrap()]);
    assert_eq!(read(position(0, 0)), Ok(leaf_hash(&[0])));
    let proof = consistency(3, 5, read).unwrap();
    let proof: Vec<Vec<u8>> = proof.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    let evidence = |proof: Vec<Vec<u8>>| {
        reported(peer::Evidence {
            r#type: 2,
            note_a: note(world, "jp", 3, Hash::of(b"another story")),
            note_b: note(world, "jp", 5, tree.root()),
            mid_root: mid_root.unwrap().as_bytes().to_vec(),
            proof,
        })
    };
    let mut altered = proof.clone();
    altered[0][0] ^= 1;
    let bad = [
        ("a consistency proof of 64 hashes", vec![vec![0; 32]; 64]),
        ("an empty one", Vec::new()),
        ("one with a hash altered", altered),
        ("one with a hash of 31 bytes", vec![vec![0; 31]]),
        (
            "one with a hash too many",
            [proof, vec![vec![0; 32]]].concat(),
        ),
    ];
    let mut rows: Vec<Row> = bad
        .into_iter()
        .map(|(sent, proof)| {
            let message = evidence(proof);
            Row::call(71, sent, PROVES_NOTHING, Caller::Node, EVIDENCE, &message)
        })
        .collect();
    let proof = |old_size, new_size| v1::GetConsistencyProofRequest {
        log: String::new(),
        old_size,
        new_size,
    };
    let at = "InvalidArgument FIELD_INVALID at old_size";
    rows.extend([
        Row::call(
            71,
            "a proof from nothing",
            at,
            Caller::Home,
            CONSISTENCY,
            &proof(0, 3),
        ),
        Row::call(
            71,
            "a proof backwards",
            at,
            Caller::Home,
            CONSISTENCY,
            &proof(3, 2),
        ),
    ]);
    rows
}

fn inclusion(log: &str, index: u64, size: u64) -> v1::GetInclusionProofRequest {
    v1::GetInclusionProofRequest {
        log: log.to_owned(),
        index,
        size,
    }
}

fn of_peer(old_size: u64, size: u64, index: u64) -> peer::GetProofRequest {
    peer::GetProofRequest {
        origin: String::new(),
        old_size,
        size,
        index,
    }
}

fn indexes() -> Vec<Row> {
    let expected = "InvalidArgument FIELD_INVALID at index";
    let by_client = |sent, index| {
        let message = inclusion("", index, 2);
        Row::call(72, sent, expected, Caller::Home, INCLUSION, &message)
    };
    let by_node = of_peer(0, 2, 2);
    vec![
        by_client("an index at the size", 2),
        by_client("the greatest index", u64::MAX),
        Row::call(
            72,
            "an index at the size, by a node",
            expected,
            Caller::Node,
            PEER_PROOF,
            &by_node,
        ),
    ]
}

fn sizes() -> Vec<Row> {
    let (home, node) = (Caller::Home, Caller::Node);
    let size = "InvalidArgument FIELD_INVALID at size";
    let new_size = "InvalidArgument FIELD_INVALID at new_size";
    let limit = "InvalidArgument FIELD_INVALID at limit";
    let growth = v1::GetConsistencyProofRequest {
        log: String::new(),
        old_size: 1,
        new_size: HUGE,
    };
    let entries = |start, limit| v1::ReadEntriesRequest {
        log: String::new(),
        start,
        limit,
    };
    let by_node = |sent, message| Row::call(73, sent, size, node, PEER_PROOF, &message);
    let read = |sent, expected, message| Row::call(73, sent, expected, home, READ, &message);
    vec![
        Row::call(
            73,
            "a place in 2^63 entries",
            size,
            home,
            INCLUSION,
            &inclusion("", 0, HUGE),
        ),
        by_node("a place in 2^63 entries, by a node", of_peer(0, HUGE, 0)),
        Row::call(
            73,
            "growth to 2^63 entries",
            new_size,
            home,
            CONSISTENCY,
            &growth,
        ),
        by_node("growth to 2^63 entries, by a node", of_peer(1, HUGE, 0)),
        read(
            "entries from 2^63",
            "OutOfRange AHEAD_OF_NODE",
            entries(HUGE, 1),
        ),
        read("2^63 entries", limit, entries(0, HUGE)),
    ]
}

fn unknown_logs() -> Vec<Row> {
    let log = "test.tocsin.example/fr/1".to_owned();
    let unknown = "NotFound UNKNOWN_ORIGIN";
    let proof = inclusion(&log, 0, 1);
    let by_client = v1::GetCheckpointRequest { log: log.clone() };
    let by_node = peer::GetCheckpointRequest {
        origin: log,
        size: 0,
    };
    let (head, peer_head) = (
        "/tocsin.v1.LogService/GetCheckpoint",
        "/tocsin.peer.v1.PeerService/GetCheckpoint",
    );
    vec![
        Row::call(
            74,
            "the head of nobody's log",
            unknown,
            Caller::Home,
            head,
            &by_client,
        ),
        Row::call(
            74,
            "the same by a node",
            unknown,
            Caller::Node,
            peer_head,
            &by_node,
        ),
        Row::call(
            74,
            "a proof in nobody's log",
            unknown,
            Caller::Home,
            INCLUSION,
            &proof,
        ),
    ]
}

/// A stream as the node of `jp`.
struct Following {
    up: mpsc::Sender<peer::FollowRequest>,
    down: Streaming<peer::FollowResponse>,
}

impl Following {
    async fn start(world: &World, at: &str) -> Self {
        let (up, requests) = mpsc::channel(16);
        let hello = peer::Hello {
            protocol: 1,
            member: "jp".to_owned(),
            roster_sha256: world.network.alliance.genesis_hash().as_bytes().to_vec(),
            heads: Vec::new(),
        };
        send(&up, peer::follow_request::Message::Hello(hello)).await;
        let mut client = PeerServiceClient::new(world.as_jp(at).await);
        let down = client.follow(ReceiverStream::new(requests)).await;
        let down = down.unwrap().into_inner();
        Self { up, down }
    }

    async fn ack(&self, checkpoint: &Checkpoint, cosignature: String) {
        let ack = peer::Ack {
            origin: checkpoint.origin.to_string(),
            size: checkpoint.size,
            cosignature,
        };
        send(&self.up, peer::follow_request::Message::Ack(ack)).await;
    }

    /// A second hello ends a stream, and so tells that everything before it was taken.
    async fn taken(mut self) {
        let hello = peer::Hello::default();
        send(&self.up, peer::follow_request::Message::Hello(hello)).await;
        while let Ok(Some(_)) = self.down.message().await {}
    }
}

async fn send(up: &mpsc::Sender<peer::FollowRequest>, message: peer::follow_request::Message) {
    let message = Some(message);
    up.send(peer::FollowRequest { message }).await.unwrap();
}

/// Something new in the log of `de`, and its checkpoint as signed.
async fn grown(world: &World, number: u32) -> SignedCheckpoint {
    let report = say::report("de", number).sign(&[&world.network.key("de", "i-1")]);
    let answer = report.submit(&world.de).await.unwrap();
    let de = world.network.alliance.member("de").unwrap();
    SignedCheckpoint::open(&answer.receipt.unwrap().note, &de.origin, &de.log_key).unwrap()
}

/// The cosignature of a name by any key.
fn cosigned(name: &str, key: &SigningKey, checkpoint: &SignedCheckpoint, later: u64) -> String {
    let origin = checkpoint.checkpoint().origin.clone();
    let now = u64::try_from(say::now_ms() / 1_000).unwrap();
    let mut cosigner = Cosigner::new(origin, name, None);
    cosigner
        .decide(checkpoint, now + later)
        .unwrap()
        .sign(key)
        .to_line()
}

/// Who counts for the head of `de`, once its true mirror does.
async fn counted(world: &World) -> String {
    let by_us = |checkpoint: &v1::GetCheckpointResponse| {
        checkpoint.cosigners.iter().any(|member| member == "us")
    };
    let checkpoint = world.checkpoint(by_us).await;
    let lines = checkpoint.note.split(|byte| *byte == b'\n');
    let lines = lines
        .filter(|line| line.starts_with("\u{2014} ".as_bytes()))
        .count();
    // The log's own signature, and one line for each that counts.
    assert_eq!(lines, 1 + checkpoint.cosigners.len());
    format!("counted: {}", checkpoint.cosigners.join(" "))
}

fn strangers(world: &World) -> Acting<'_> {
    Box::pin(async {
        let head = grown(world, 5_001).await;
        let stranger = SigningKey::from_seed([9; 32]);
        let own = world.log_key("de", Purpose::Mirror);
        let stream = Following::start(world, "de").await;
        let (jp, de) = (origin(world, "jp"), origin(world, "de"));
        let lines = [
            cosigned("test.tocsin.example/fr/mirror", &stranger, &head, 0),
            cosigned(&jp.mirror_name(), &stranger, &head, 0),
            cosigned(
                &origin(world, "kr").mirror_name(),
                &world.log_key("jp", Purpose::Mirror),
                &head,
                0,
            ),
            cosigned(&de.mirror_name(), &own, &head, 0),
            "no line at all".to_owned(),
        ];
        for line in lines {
            stream.ack(head.checkpoint(), line).await;
        }
        stream.taken().await;
        counted(world).await
    })
}

fn thrice(world: &World) -> Acting<'_> {
    Box::pin(async {
        let head = grown(world, 5_002).await;
        let (name, key) = (
            origin(world, "jp").mirror_name(),
            world.log_key("jp", Purpose::Mirror),
        );
        let stream = Following::start(world, "de").await;
        for later in [0, 0, 1] {
            let line = cosigned(&name, &key, &head, later);
            stream.ack(head.checkpoint(), line).await;
        }
        stream.taken().await;
        counted(world).await
    })
}

fn race(world: &World) -> Acting<'_> {
    Box::pin(async {
        let (small, large) = (grown(world, 5_003).await, grown(world, 5_004).await);
        let (name, key) = (
            origin(world, "jp").mirror_name(),
            world.log_key("jp", Purpose::Mirror),
        );
        let (one, two) = (
            Following::start(world, "de").await,
            Following::start(world, "de").await,
        );
        let (small_line, large_line) = (
            cosigned(&name, &key, &small, 0),
            cosigned(&name, &key, &large, 0),
        );
        tokio::join!(
            two.ack(large.checkpoint(), large_line),
            one.ack(small.checkpoint(), small_line.clone()),
        );
        two.ack(small.checkpoint(), small_line).await;
        tokio::join!(one.taken(), two.taken());
        counted(world).await
    })
}

/// What `us` cosigns of a log that grows fast, as `de` passes it on.
fn ascending(world: &World) -> Acting<'_> {
    Box::pin(async {
        let mut stream = Following::start(world, "de").await;
        let mirror = origin(world, "us").mirror_name();
        let key = world.network.key("de", "i-1");
        let before = world.head().await.size;
        let said = (5_101..5_121).map(|number| {
            let (report, de) = (say::report("de", number).sign(&[&key]), world.de.clone());
            tokio::spawn(async move { report.submit(&de).await.unwrap() })
        });
        let said: Vec<_> = said.collect();
        for one in said {
            one.await.unwrap();
        }
        let de = origin(world, "de").to_string();
        let mut last = 0;
        while last < before + 20 {
            let next = tokio::time::timeout(crate::socket::PATIENCE, stream.down.message()).await;
            let Ok(Ok(Some(response))) = next else {
                return format!("stuck at {last}: {next:?}");
            };
            let Some(peer::follow_response::Message::Cosigs(cosigs)) = response.message else {
                continue;
            };
            let by_us = format!("\u{2014} {mirror} ");
            if cosigs.origin != de || !cosigs.lines.iter().any(|line| line.starts_with(&by_us)) {
                continue;
            }
            if cosigs.size <= last {
                return format!("{} after {last}", cosigs.size);
            }
            last = cosigs.size;
        }
        stream.taken().await;
        "ascending to the head".to_owned()
    })
}
