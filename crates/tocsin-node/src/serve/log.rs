//! `LogService`: the signed logs themselves, our own and our copies, so that anyone may check.
//! Clients read here, and other members' nodes when they repair a log.

use std::sync::Arc;

use tocsin_core::statement::Decoded;
use tocsin_log::entry::Entry;
use tocsin_log::hash::{EMPTY_ROOT, Hash};
use tocsin_log::tree::MAX_TREE_SIZE;
use tocsin_store::error::StoreError;
use tocsin_store::reader::{BodyContent, LogReader, StoredEntry};
use tocsin_wire::envelope::write_proof;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::log_service_server::LogService;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::gate;
use crate::identity::{connection, identity};
use crate::limits;
use crate::node::Node;
use crate::serve::bundle;
use crate::status::{Reason, Refusal};

/// Serves logs to any member's client or node.
#[derive(Debug)]
pub(crate) struct Log {
    node: Arc<Node>,
}

impl Log {
    pub(crate) const fn new(node: Arc<Node>) -> Self {
        Self { node }
    }

    fn checkpoint(&self, log: &str) -> Result<v1::GetCheckpointResponse, Refusal> {
        let reader = self.node.reader(log)?;
        let origin = reader.origin();
        let Some((size, note)) = reader.newest_note()? else {
            return Ok(v1::GetCheckpointResponse {
                log: origin.to_string(),
                root: EMPTY_ROOT.as_bytes().to_vec(),
                ..v1::GetCheckpointResponse::default()
            });
        };
        let held = self.node.cosignatures.of(origin).into_iter();
        let cosigners = held
            .filter(|held| held.size == size)
            .map(|held| held.member)
            .collect();
        Ok(v1::GetCheckpointResponse {
            log: origin.to_string(),
            size,
            root: reader.root_at(size)?.as_bytes().to_vec(),
            note: self.node.with_cosignatures(reader, size, &note),
            cosigners,
        })
    }

    fn inclusion(
        &self,
        asked: &v1::GetInclusionProofRequest,
    ) -> Result<v1::GetInclusionProofResponse, Refusal> {
        let reader = self.node.reader(&asked.log)?;
        let size = match asked.size {
            0 => reader.newest_note()?.map_or(0, |(size, _)| size),
            size => size,
        };
        check_size(size, "size")?;
        check_index(asked.index, size)?;
        let proof = reader.inclusion(asked.index, size)?;
        let note = self.node.note_of_size(&reader.origin().to_string(), size)?;
        let note = note.map(|note| self.node.with_cosignatures(reader, size, &note));
        Ok(v1::GetInclusionProofResponse {
            index: asked.index,
            size,
            leaf_hash: reader.leaf(asked.index)?.as_bytes().to_vec(),
            proof: write_proof(&proof),
            note: note.unwrap_or_default(),
        })
    }

    fn consistency(
        &self,
        asked: &v1::GetConsistencyProofRequest,
    ) -> Result<v1::GetConsistencyProofResponse, Refusal> {
        let reader = self.node.reader(&asked.log)?;
        check_size(asked.new_size, "new_size")?;
        check_growth(asked.old_size, asked.new_size)?;
        let proof = reader.consistency(asked.old_size, asked.new_size)?;
        Ok(v1::GetConsistencyProofResponse {
            proof: write_proof(&proof),
        })
    }

    /// The end of what is asked for, which may lie beyond what is here, checked.
    fn end(&self, asked: &v1::ReadEntriesRequest) -> Result<u64, Refusal> {
        let reader = self.node.reader(&asked.log)?;
        let size = reader.size();
        if asked.limit > limits::MAX_READ_ENTRIES {
            return Err(Refusal::of(Reason::FieldInvalid)
                .saying("at most 4,096 entries are read at once; 0 means to the head")
                .at("limit"));
        }
        if asked.start > size {
            damage(reader)?;
            return Err(Refusal::of(Reason::AheadOfNode)
                .at("start")
                .fact("size", size.to_string()));
        }
        let limit = if asked.limit == 0 {
            u64::MAX
        } else {
            asked.limit
        };
        Ok(asked.start.saturating_add(limit))
    }
}

/// What is damaged in a log: it ends before that, and must not pass for whole.
fn damage(reader: &LogReader) -> Result<(), Refusal> {
    let first = reader.damage().into_iter().next();
    first.map_or(Ok(()), |damage| Err(StoreError::from(damage).into()))
}

/// A size that no log can have is the asker's mistake; one beyond this copy is not.
pub(super) fn check_size(size: u64, field: &str) -> Result<(), Refusal> {
    if size >= MAX_TREE_SIZE {
        return Err(Refusal::of(Reason::FieldInvalid)
            .saying("no log is that long")
            .at(field));
    }
    Ok(())
}

/// Inclusion is of an entry inside the tree.
pub(super) fn check_index(index: u64, size: u64) -> Result<(), Refusal> {
    if index >= size {
        return Err(Refusal::of(Reason::FieldInvalid)
            .saying("the index lies outside a tree of that size")
            .at("index")
            .fact("size", size.to_string()));
    }
    Ok(())
}

/// Consistency is of a log that has grown.
pub(super) fn check_growth(old_size: u64, new_size: u64) -> Result<(), Refusal> {
    if old_size == 0 || old_size > new_size {
        return Err(Refusal::of(Reason::FieldInvalid)
            .saying("a consistency proof leads from a size above 0 to one not below it")
            .at("old_size"));
    }
    Ok(())
}

/// The entries from `start` to before `end` or the head, a chunk at a time as they are taken.
async fn send(
    node: Arc<Node>,
    reader: LogReader,
    (mut start, end): (u64, u64),
    down: mpsc::Sender<Result<v1::ReadEntriesResponse, Status>>,
) {
    let size = reader.size();
    while start < end.min(size) {
        let read = || reader.range(start, limits::READ_CHUNK_BYTES);
        let entries = match tokio::task::block_in_place(read) {
            Ok(entries) => entries,
            Err(error) => {
                let _ = down.send(Err(Refusal::from(error).into())).await;
                return;
            }
        };
        if entries.is_empty() {
            // It was shown longer before: it is being repaired. An end would pass for the whole.
            let _ = down.send(Err(Refusal::of(Reason::Damaged).into())).await;
            return;
        }
        for stored in entries {
            if stored.index >= end {
                return;
            }
            start = stored.index + 1;
            let message = tokio::task::block_in_place(|| message(&node, stored));
            if down.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }
    if end > size
        && let Err(damaged) = damage(&reader)
    {
        let _ = down.send(Err(damaged.into())).await;
    }
}

/// An entry with the bodies that came with it, then those that came later, as far as one commit
/// batch could have carried them; the others are to be had one by one.
fn message(node: &Node, stored: StoredEntry) -> v1::ReadEntriesResponse {
    let late = late_bodies(node, &stored);
    let StoredEntry {
        index,
        entry,
        bodies,
    } = stored;
    let beside = bodies.into_iter().filter_map(|body| match body.content {
        BodyContent::Sound(bytes) => Some(bytes),
        BodyContent::Erased | BodyContent::Damaged => None,
    });
    let mut bodies: Vec<Vec<u8>> = beside.collect();
    let mut bytes = entry.len() + bodies.iter().map(Vec::len).sum::<usize>();
    for body in late {
        bytes = bytes.saturating_add(body.len());
        if bytes > limits::MAX_BATCH_BYTES {
            break;
        }
        bodies.push(body);
    }
    v1::ReadEntriesResponse {
        index,
        entry,
        bodies,
    }
}

/// Bodies that the statement names and that are not whole beside it.
fn late_bodies(node: &Node, stored: &StoredEntry) -> Vec<Vec<u8>> {
    let Ok(entry) = Entry::decode(&stored.entry) else {
        return Vec::new();
    };
    let Decoded::Known(statement) = crate::applier::decode(&entry) else {
        return Vec::new();
    };
    let is_late = |digest: &Hash| {
        let beside = stored.bodies.iter().find(|body| body.digest == *digest);
        beside.is_none_or(|body| body.content == BodyContent::Damaged)
    };
    let late = statement.bodies.iter().filter(|name| is_late(&name.sha256));
    late.filter_map(|name| node.body(&name.sha256).ok().flatten())
        .collect()
}

#[tonic::async_trait]
impl LogService for Log {
    type ReadEntriesStream = ReceiverStream<Result<v1::ReadEntriesResponse, Status>>;

    async fn get_checkpoint(
        &self,
        request: Request<v1::GetCheckpointRequest>,
    ) -> Result<Response<v1::GetCheckpointResponse>, Status> {
        identity(&request)?;
        let checkpoint = tokio::task::block_in_place(|| self.checkpoint(&request.get_ref().log))?;
        Ok(Response::new(checkpoint))
    }

    async fn read_entries(
        &self,
        request: Request<v1::ReadEntriesRequest>,
    ) -> Result<Response<Self::ReadEntriesStream>, Status> {
        let retiring = connection(&request)?.retiring().clone();
        let share = gate::hold(&request, limits::READ_HELD_BYTES)?;
        let asked = request.into_inner();
        let range = (asked.start, self.end(&asked)?);
        let reader = self.node.reader(&asked.log)?.clone();
        let (down, stream) = mpsc::channel(limits::FOLLOW_QUEUE);
        let (node, last) = (Arc::clone(&self.node), down.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = send(node, reader, range, down) => {}
                // The reader knows the last index it has, and goes on from there elsewhere.
                () = retiring.cancelled() => {
                    let _ = last.send(Err(Refusal::of(Reason::Draining).into())).await;
                }
            }
            drop(share);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<v1::GetInclusionProofRequest>,
    ) -> Result<Response<v1::GetInclusionProofResponse>, Status> {
        identity(&request)?;
        let proof = tokio::task::block_in_place(|| self.inclusion(request.get_ref()))?;
        Ok(Response::new(proof))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<v1::GetConsistencyProofRequest>,
    ) -> Result<Response<v1::GetConsistencyProofResponse>, Status> {
        identity(&request)?;
        let proof = tokio::task::block_in_place(|| self.consistency(request.get_ref()))?;
        Ok(Response::new(proof))
    }

    async fn get_bundle(
        &self,
        request: Request<v1::GetBundleRequest>,
    ) -> Result<Response<v1::GetBundleResponse>, Status> {
        identity(&request)?;
        let bundle =
            tokio::task::block_in_place(|| bundle::fetch(&self.node, &request.get_ref().name))?;
        Ok(Response::new(bundle))
    }
}
