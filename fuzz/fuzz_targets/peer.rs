//! What a peer may send: batches, notes, cosignatures, evidence.
#![no_main]
use libfuzzer_sys::fuzz_target;
use prost::Message;
use tocsin_fuzz::{key, origin};
use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_log::equivocation::{Evidence, Kind};
use tocsin_log::follower::Follower;
use tocsin_log::hash::Hash;
use tocsin_log::note::SignatureLine;
use tocsin_log::tree::Tree;
use tocsin_wire::envelope::read_proof;
use tocsin_wire::proto::peer::v1::{self as peer, follow_response::Message as Said};

fuzz_target!(|data: &[u8]| {
    let _ = peer::FollowRequest::decode(data);
    let (us, log) = (origin("us"), key("us", 2).public());
    let Ok(peer::FollowResponse {
        message: Some(said),
    }) = peer::FollowResponse::decode(data)
    else {
        return;
    };
    match said {
        Said::Batch(batch) => {
            let entries: Vec<&[u8]> = batch.entries.iter().map(|e| e.entry.as_slice()).collect();
            let follower = Follower::new(us, log, Tree::new());
            let _ = follower.check(batch.start, &entries, &batch.note);
        }
        Said::Checkpoint(checkpoint) => {
            let _ = SignedCheckpoint::open(&checkpoint.note, &us, &log);
        }
        Said::Heads(heads) => {
            for note in heads.notes.iter().take(64) {
                let _ = SignedCheckpoint::open(note, &us, &log);
            }
        }
        Said::Cosigs(cosigs) => {
            for line in cosigs.lines.iter().take(64) {
                let _ = SignatureLine::parse(line);
            }
        }
        Said::Evidence(piece) => {
            let Ok(proof) = read_proof(&piece.proof) else {
                return;
            };
            let mid_root = piece.mid_root.as_slice().try_into().map(Hash);
            let kind = match mid_root {
                Ok(mid_root) if piece.r#type == 2 => Kind::E2 { mid_root, proof },
                _ => Kind::E1,
            };
            let (note_a, note_b) = (piece.note_a, piece.note_b);
            let evidence = Evidence {
                note_a,
                note_b,
                kind,
            };
            let _ = evidence.verify(&log, &us);
        }
        Said::HelloOk(_) => {}
    }
});
