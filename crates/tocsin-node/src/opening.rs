//! From an open data directory to a node that signs: repair what is damaged, ask the others, begin.

use std::sync::Arc;

use tocsin_log::checkpoint::SignedCheckpoint;
use tocsin_store::error::StoreError;
use tocsin_store::mirror::MirrorState;
use tocsin_store::own_log::{OwnLog, OwnState};
use tocsin_store::{RepairEntry, Wanted};
use tocsin_wire::proto::peer::v1 as peer;
use tocsin_wire::proto::peer::v1::peer_service_client::PeerServiceClient;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_client::LogServiceClient;

use crate::limits;
use crate::node::Node;
use crate::sequencer::Surroundings;
use crate::signing::Standing;

/// Brings our own log to where it can be signed, and starts the sequencer; ends early when the
/// node stops.
pub(crate) async fn run(node: Arc<Node>, own: OwnLog, overridden: Option<String>) {
    let stop = node.stopping();
    tokio::select! {
        () = stop.cancelled() => {}
        opened = open(&node, own, overridden) => if let Err(error) = opened {
            node.fault(&format!("our own log: {error}"));
        }
    }
}

async fn open(
    node: &Arc<Node>,
    mut own: OwnLog,
    overridden: Option<String>,
) -> Result<(), StoreError> {
    if let Some(reason) = &overridden {
        tracing::warn!(
            reason,
            "an operator overrides the rules before the first signature"
        );
        node.journal.overridden(reason);
    }
    loop {
        match own.state().clone() {
            OwnState::Ready => break,
            OwnState::ReadOnly(reason) => {
                if overridden.is_none() {
                    node.signing.stop(&reason.to_string());
                    return Ok(());
                }
                let newest = newest_of_ours(node);
                own.take_over(newest.as_ref())?;
            }
            OwnState::Behind { held, size, .. } => {
                node.signing.repairing(&format!(
                    "{size} entries of our log were signed and {held} are here; fetching the rest"
                ));
                mend(node, &mut own).await?;
            }
            OwnState::Damaged(damage) => {
                let first = damage.first().map(ToString::to_string).unwrap_or_default();
                node.signing
                    .repairing(&format!("{first}; repairing it from the other members"));
                mend(node, &mut own).await?;
            }
        }
        node.logs.ring();
    }
    node.signing.repaired();
    while !node.signing.may_begin() && overridden.is_none() {
        if matches!(node.signing.standing(), Standing::ReadOnly(_)) {
            return Ok(());
        }
        tokio::time::sleep(limits::START_POLL).await;
    }
    let signed = tokio::task::block_in_place(|| own.allow_signing())?;
    if !signed.is_empty() {
        tracing::info!(
            batches = signed.len(),
            "signed what stood above the signer's state"
        );
    }
    let origin = node.logs.own().origin().clone();
    let (writer, signer) = own.split();
    let around = Surroundings {
        member: Arc::new(node.member.clone()),
        state: Arc::clone(&node.state),
        fresh: Arc::clone(&node.fresh),
        logs: Arc::clone(&node.logs),
        room: Arc::clone(&node.room),
        metrics: node.metrics.clone(),
        fault: node.fault.clone(),
    };
    if let Err(error) = node.sequencer.start(origin, writer, signer, around) {
        node.fault(&format!("no thread for the sequencer: {error}"));
        return Ok(());
    }
    node.signing.begin_signing();
    node.logs.ring();
    tracing::info!("signing");
    Ok(())
}

/// One attempt to mend our own log; waits a moment when nobody could help.
async fn mend(node: &Arc<Node>, own: &mut OwnLog) -> Result<(), StoreError> {
    let mended = match own.wanted() {
        Some(wanted) => {
            let origin = node.logs.own().origin().to_string();
            let mut mended = false;
            for (entries, notes) in fetch(node, &origin, wanted).await {
                match tokio::task::block_in_place(|| own.repair(&entries, &notes)) {
                    Ok(state) => {
                        tracing::info!(?state, "our own log was repaired from a peer");
                        mended = true;
                        break;
                    }
                    Err(StoreError::Refused(refused)) => {
                        tracing::warn!(%refused, "what a peer sent does not repair our log");
                    }
                    Err(StoreError::Fault(fault)) => return Err(fault.into()),
                }
            }
            mended
        }
        // A damaged slot: all other members must have said what they have seen.
        None if node.signing.all_answered() => {
            let newest = newest_of_ours(node);
            own.repair_state(newest.as_ref()).is_ok()
        }
        None => false,
    };
    if !mended {
        tokio::time::sleep(limits::REPAIR_INTERVAL).await;
    }
    Ok(())
}

/// The newest note of ours that anybody has shown.
fn newest_of_ours(node: &Node) -> Option<SignedCheckpoint> {
    let origin = node.logs.own().origin().to_string();
    let bytes = node.newest_note_seen(&origin).ok().flatten()?;
    node.open_note(&bytes)
}

/// Repairs mirrored logs from whoever has them, until the node stops.
pub(crate) async fn repair_mirrors(node: Arc<Node>) {
    let stop = node.stopping();
    let mut tick = tokio::time::interval(limits::REPAIR_INTERVAL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let mut left = false;
        for (origin, mirror) in node.mirrors.all() {
            let mut mirror = mirror.lock().await;
            if matches!(
                mirror.log.state(),
                MirrorState::Ready | MirrorState::ReadOnly(_)
            ) {
                continue;
            }
            left = true;
            let mended = match mirror.log.wanted() {
                Some(wanted) => {
                    let mut mended = false;
                    for (entries, notes) in fetch(&node, origin, wanted).await {
                        mended |= mirror.log.repair(&entries, &notes).is_ok();
                        if mended {
                            break;
                        }
                    }
                    mended
                }
                None if node.signing.all_answered() => {
                    let shown = node.mirrors.shown_of(origin);
                    mirror
                        .log
                        .repair_state(shown, crate::mirror::now_s())
                        .is_ok()
                }
                None => false,
            };
            if mended {
                tracing::info!(%origin, state = ?mirror.log.state(), "a mirrored log was repaired");
                mirror.take_up(node.mirrors.name());
                node.logs.ring();
            }
        }
        if !left {
            return;
        }
    }
}

/// What each peer has of the wanted entries, with the note at their end.
async fn fetch(
    node: &Arc<Node>,
    origin: &str,
    wanted: Wanted,
) -> Vec<(Vec<RepairEntry>, Vec<Vec<u8>>)> {
    let mut found = Vec::new();
    let members: Vec<String> = node.peers.members().map(str::to_owned).collect();
    for member in members {
        match fetch_from(node, &member, origin, wanted).await {
            Ok(some) => found.push(some),
            Err(error) => tracing::debug!(peer = %member, %error, "no help with a repair"),
        }
    }
    found
}

async fn fetch_from(
    node: &Arc<Node>,
    member: &str,
    origin: &str,
    wanted: Wanted,
) -> Result<(Vec<RepairEntry>, Vec<Vec<u8>>), Box<dyn std::error::Error + Send + Sync>> {
    let channel = node.dial(member).await?;
    let mut peer = PeerServiceClient::new(channel.clone())
        .max_decoding_message_size(limits::MAX_CONTROL_MESSAGE_BYTES);
    let mut notes = Vec::new();
    for size in [wanted.until, 0] {
        let question = peer::GetCheckpointRequest {
            origin: origin.to_owned(),
            size,
        };
        let answer = peer.get_checkpoint(question).await?.into_inner();
        notes.extend(answer.found.then_some(answer.note));
    }
    let mut log =
        LogServiceClient::new(channel).max_decoding_message_size(limits::MAX_BULK_MESSAGE_BYTES);
    let request = v1::ReadEntriesRequest {
        log: origin.to_owned(),
        start: wanted.start,
        limit: wanted.until.saturating_sub(wanted.start),
    };
    let mut stream = log.read_entries(request).await?.into_inner();
    let mut entries = Vec::new();
    while let Some(read) = stream.message().await? {
        if entries.len() >= limits::MAX_BATCH_ENTRIES {
            break;
        }
        let v1::ReadEntriesResponse {
            index,
            entry,
            bodies,
        } = read;
        entries.push(RepairEntry {
            index,
            entry,
            bodies,
        });
    }
    Ok((entries, notes))
}
