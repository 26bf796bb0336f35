//! Proof of each step: statements fetched from another member than their author and verified from
//! their bytes, logs hashed again, decisions by policy made again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::{Value, json};
use tocsin_cli::client;
use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::rpc::{call, failure};
use tocsin_core::decision::Decision;
use tocsin_core::name;
use tocsin_core::order::Order;
use tocsin_core::policy::{Judged, Pack, decide, follows};
use tocsin_core::statement::{Act, Statement, StatementRef};
use tocsin_log::checkpoint::{Checkpoint, SignedCheckpoint};
use tocsin_log::cosign;
use tocsin_log::entry::Entry;
use tocsin_log::hash::{Hash, leaf_hash};
use tocsin_log::quorum::Grade;
use tocsin_log::tree::Tree;
use tocsin_wire::bundle;
use tocsin_wire::bundle::verify::{Verified, verify};
use tocsin_wire::proto::v1;

use super::fault::{Faults, What};
use super::network::{GLANCE, Network, PATIENCE, of};

/// A statement that was fetched from another member than its author, and verified.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    /// The author's id.
    pub(super) author: String,
    /// The member it was fetched from.
    pub(super) from: String,
    /// What verified.
    pub(super) verified: Verified,
    /// The newest checkpoint in the evidence.
    checkpoint: Checkpoint,
}

impl Proven {
    /// Its full name.
    pub(super) fn name(&self) -> String {
        name::resource(&self.author, self.statement(), &self.verified.statement_id)
    }

    /// Its short name.
    pub(super) fn short(&self) -> String {
        name::short(&self.author, self.statement(), &self.verified.statement_id)
    }

    pub(super) const fn statement(&self) -> &Statement {
        &self.verified.statement
    }

    /// As others cite it.
    pub(super) fn reference(&self) -> StatementRef {
        StatementRef {
            log: self.statement().log.clone(),
            statement_id: self.verified.statement_id,
        }
    }

    /// For programs.
    pub(super) fn value(&self) -> Value {
        let cosigners: Vec<&String> = self.verified.cosigned.keys().collect();
        json!({
            "name": self.name(),
            "kind": self.statement().act.word(),
            "statement_id": self.verified.statement_id.to_string(),
            "log": self.verified.origin.to_string(),
            "index": self.verified.index,
            "size": self.checkpoint.size,
            "root": self.checkpoint.root.to_string(),
            "cosigners": cosigners,
            "grade": word(self.verified.grade),
            "verified_from": self.from,
        })
    }
}

const fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Local => "local",
        Grade::Replicated => "replicated",
        Grade::Confirmed => "confirmed",
    }
}

/// Fetches and verifies, taking turns among the members.
#[derive(Debug)]
pub(super) struct Prover<'a> {
    network: &'a Network,
    faults: &'a Faults,
    turn: usize,
}

impl<'a> Prover<'a> {
    pub(super) const fn new(network: &'a Network, faults: &'a Faults) -> Self {
        Self {
            network,
            faults,
            turn: 0,
        }
    }

    /// A running member other than `author`, each in its turn; the one that a fault names first.
    fn other(&mut self, author: &str) -> Result<String, Failure> {
        let others: Vec<&str> = self.network.running().filter(|id| *id != author).collect();
        self.turn += 1;
        let named = self.faults.due(What::Flip).filter(|id| others.contains(id));
        let turn = self
            .turn
            .checked_rem(others.len())
            .and_then(|at| others.get(at).copied());
        named.or(turn).map(str::to_owned).ok_or_else(|| {
            Failure::new(Exit::Failed, format!("nobody but {author} is there to ask"))
        })
    }

    /// Fetches a statement's evidence from another member than its author and verifies it from its
    /// bytes; waits until that member holds it and a quorum has confirmed it.
    ///
    /// # Errors
    /// When it does not come, or does not verify.
    pub(super) async fn prove(&mut self, author: &str, id: &Hash) -> Result<Proven, Failure> {
        let from = self.other(author)?;
        let end = Instant::now() + PATIENCE;
        loop {
            let reached = match self.fetch(&from, id).await {
                Ok(tsn) => {
                    let proven = self.verify(author, &from, id, &tsn)?;
                    if proven.verified.grade == Grade::Confirmed {
                        return Ok(proven);
                    }
                    format!("only {}", word(proven.verified.grade))
                }
                Err(failure) if failure.exit == Exit::NotFound => "not there".to_owned(),
                Err(failure) => return Err(of(&from, failure)),
            };
            if Instant::now() > end {
                let text = format!("{from}: statement {id} of {author} is {reached} in time");
                return Err(Failure::new(Exit::Failed, text));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn fetch(&self, from: &str, id: &Hash) -> Result<Vec<u8>, Failure> {
        let node = self.network.node(from)?;
        let mut log = client!(node, log_service_client, LogServiceClient);
        let request = v1::GetBundleRequest {
            name: id.to_string(),
        };
        let mut tsn = call(PATIENCE, log.get_bundle(request)).await?.tsn;
        self.faults.flip(from, &mut tsn);
        Ok(tsn)
    }

    fn verify(&self, author: &str, from: &str, id: &Hash, tsn: &[u8]) -> Result<Proven, Failure> {
        let wrong = |code: &str, why: String| {
            let text =
                format!("{from}: what it serves of {author}'s statement {id} is wrong: {why}");
            Failure::unverified(code, text)
        };
        let genesis = *self.network.alliance.genesis_hash();
        let verified = verify(tsn, Some(&genesis)).map_err(|e| wrong(e.code(), e.to_string()))?;
        if verified.statement_id != *id || verified.origin.member() != author {
            let why = format!("it is statement {}", verified.statement_id);
            return Err(wrong("OTHER_STATEMENT", why));
        }
        let checkpoint = self
            .newest_checkpoint(author, tsn)
            .ok_or_else(|| wrong("NOTE_MISSING", "it has no checkpoint".to_owned()))?;
        let (author, from) = (author.to_owned(), from.to_owned());
        Ok(Proven {
            author,
            from,
            verified,
            checkpoint,
        })
    }

    fn newest_checkpoint(&self, author: &str, tsn: &[u8]) -> Option<Checkpoint> {
        let member = self.network.alliance.member(author)?;
        let notes = bundle::decode(tsn).ok()?.acceptance?.notes;
        let opened = notes.iter().filter_map(|proven| {
            SignedCheckpoint::open(&proven.note, &member.origin, &member.log_key).ok()
        });
        opened
            .map(|signed| signed.checkpoint().clone())
            .max_by_key(|checkpoint| checkpoint.size)
    }

    /// Reads a member's whole log from another, hashes it again, and proves every statement in it.
    ///
    /// # Errors
    /// When the log does not have the root that its member signed, or a statement does not verify.
    pub(super) async fn audit(&mut self, author: &str) -> Result<Vec<Proven>, Failure> {
        let from = self.other(author)?;
        let head = head(self.network, &from, author).await?;
        let node = self.network.node(&from)?;
        let mut log = client!(node, log_service_client, LogServiceClient);
        let origin = head.checkpoint.origin.to_string();
        let request = v1::ReadEntriesRequest {
            log: origin,
            start: 0,
            limit: head.checkpoint.size,
        };
        let wrong = |why: String| {
            Failure::unverified(
                "LOG_ROOT",
                format!("{from}: its copy of {author}'s log: {why}"),
            )
        };
        let mut entries = call(PATIENCE, log.read_entries(request))
            .await
            .map_err(|e| of(&from, e))?;
        let (mut tree, mut ids) = (Tree::new(), Vec::new());
        while let Some(answer) = entries
            .message()
            .await
            .map_err(|e| of(&from, failure(&e)))?
        {
            let entry = Entry::decode(&answer.entry).map_err(|e| wrong(e.to_string()))?;
            tree.append(leaf_hash(&answer.entry));
            ids.push(entry.statement_id());
        }
        if tree.size() != head.checkpoint.size || tree.root() != head.checkpoint.root {
            let (size, root) = (tree.size(), tree.root());
            return Err(
                wrong(format!("its {size} entries hash to {root}")).detail(format!(
                    "signed: {} entries, root {}",
                    head.checkpoint.size, head.checkpoint.root
                )),
            );
        }
        let mut proven = Vec::new();
        for id in &ids {
            proven.push(self.prove(author, id).await?);
        }
        Ok(proven)
    }
}

/// The newest checkpoint of a log that a node holds, verified, with who cosigned it.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) checkpoint: Checkpoint,
    pub(super) cosigners: BTreeSet<String>,
}

/// Asks a node for the head of a member's log.
///
/// # Errors
/// When it does not answer, or its answer is not what that log and the mirrors signed.
pub(super) async fn head(network: &Network, at: &str, author: &str) -> Result<Head, Failure> {
    let wrong = |why: String| {
        Failure::unverified(
            "CHECKPOINT",
            format!("{at}: its checkpoint of {author}'s log: {why}"),
        )
    };
    let member = network
        .alliance
        .member(author)
        .ok_or_else(|| wrong("no such log".to_owned()))?;
    let node = network.node(at)?;
    let mut log = client!(node, log_service_client, LogServiceClient);
    let request = v1::GetCheckpointRequest {
        log: author.to_owned(),
    };
    let answer = call(PATIENCE, log.get_checkpoint(request))
        .await
        .map_err(|e| of(at, e))?;
    let signed = SignedCheckpoint::open(&answer.note, &member.origin, &member.log_key)
        .map_err(|e| wrong(e.to_string()))?;
    let names: Vec<(String, &str, _)> = network
        .alliance
        .members()
        .map(|mirror| {
            (
                mirror.origin.mirror_name(),
                mirror.id.as_str(),
                &mirror.mirror_key,
            )
        })
        .collect();
    let mirrors = names.iter().map(|(name, _, key)| (name.as_str(), *key));
    let lines = cosign::cosigners(&signed, mirrors).map_err(|e| wrong(e.to_string()))?;
    let cosigners = names
        .iter()
        .filter(|(name, ..)| lines.contains_key(name.as_str()));
    Ok(Head {
        checkpoint: signed.checkpoint().clone(),
        cosigners: cosigners.map(|(_, id, _)| (*id).to_owned()).collect(),
    })
}

/// Makes every decision by policy again, from the proven order and the proven pack alone.
///
/// # Errors
/// When one does not follow from its pack.
pub(super) fn judge_again(
    proven: &BTreeMap<Hash, Proven>,
    faults: &Faults,
) -> Result<usize, Failure> {
    let mut judged = 0;
    for decided in proven.values() {
        if let Act::Decision(decision) = &decided.statement().act
            && decision.policy.is_some()
        {
            judge(decided, decision, proven, faults)?;
            judged += 1;
        }
    }
    Ok(judged)
}

fn judge(
    decided: &Proven,
    decision: &Decision,
    proven: &BTreeMap<Hash, Proven>,
    faults: &Faults,
) -> Result<(), Failure> {
    let author = &decided.author;
    let name = decided.name();
    let wrong = |why: String| {
        Failure::unverified(
            "POLICY_MISMATCH",
            format!("{author}: {name} does not follow: {why}"),
        )
    };
    let judged = proven
        .get(&decision.judged)
        .ok_or_else(|| wrong("no such order".to_owned()))?;
    let order = text_of(judged).ok_or_else(|| wrong("it judges no order".to_owned()))?;
    let cited = decision.policy.as_ref().and_then(|citation| citation.pack);
    let pack = match cited {
        Some(id) => Some((id, pack(proven.get(&id), author, faults).map_err(wrong)?)),
        None => None,
    };
    let judged = Judged {
        issuer: &judged.author,
        order,
        decided_ms: decided.statement().created_ms,
    };
    if follows(
        decision,
        &judged,
        pack.as_ref().map(|(id, pack)| (id, pack)),
    ) {
        return Ok(());
    }
    let ruling = decide(&judged, pack.as_ref().map(|(_, pack)| pack));
    let (says, said) = (ruling.kind.word(), decision.kind.word());
    Err(wrong(format!(
        "its policy pack says {says} by rule {}, it said {said}",
        ruling.rule
    )))
}

/// The order's text in the statement that was judged.
fn text_of(judged: &Proven) -> Option<&Order> {
    match &judged.statement().act {
        Act::Order(order) => Some(order),
        Act::OrderAct(act) => act.replacement.as_ref(),
        Act::Report(_) | Act::Indicator(_) | Act::Decision(_) | Act::PolicyPack(_) => None,
    }
}

fn pack(cited: Option<&Proven>, author: &str, faults: &Faults) -> Result<Pack, String> {
    let statement = cited.map(Proven::statement).ok_or("no such pack")?;
    let Act::PolicyPack(said) = &statement.act else {
        return Err("it cites no pack".to_owned());
    };
    let mut toml = said.toml.clone();
    if faults.due(What::Pack) == Some(author) {
        toml = toml.replace("then = \"", "then = \"decline\" # ");
        faults.made();
    }
    Pack::parse(&toml).map_err(|e| e.to_string())
}
