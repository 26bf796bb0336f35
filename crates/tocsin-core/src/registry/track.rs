//! What one jurisdiction made of an order issued elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tocsin_log::hash::Hash;

use super::history::{History, Scope, Text};
use super::{Entry, Log, VoidReason};
use crate::decision::{Decision, DecisionKind, PolicyCitation};
use crate::notice::By;
use crate::policy::{Judged, Pack, decide, follows};
use crate::statement::{Act, DecodedBody, Statement};

/// One jurisdiction's decisions on one order, in log order.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) standing: Standing,
    /// What is left of the text that was judged last, where one was.
    pub(super) scope: Option<Scope>,
    /// Whether the newest text only narrowed that; `None` while it cannot be said.
    pub(super) is_narrowing: Option<bool>,
    /// Every statement that some decision judged, void ones too.
    pub(super) judged: BTreeSet<Hash>,
    /// Officers have decided: from then on policy is silent on this order.
    pub(super) has_officers: bool,
    /// An entry about it says what this version does not know.
    pub(super) is_opaque: bool,
    pub(super) void: BTreeMap<u64, VoidReason>,
}

/// Where the decisions have led.
#[derive(Clone, Debug)]
pub(super) enum Standing {
    /// Nowhere yet.
    Nothing,
    /// To a decision that cannot be followed yet.
    Unclear { reason: &'static str, ruled: Ruled },
    /// To this one.
    Ruled(Ruled),
}

/// The decision that counts.
#[derive(Clone, Debug)]
pub(super) struct Ruled {
    pub(super) statement_id: Hash,
    /// Never Extend, which gives a hold another end, nor Lapse.
    pub(super) kind: DecisionKind,
    pub(super) judged: Hash,
    pub(super) basis: String,
    pub(super) reason: String,
    pub(super) by: By,
    pub(super) since_ms: i64,
    /// Of a hold.
    pub(super) until_ms: i64,
    /// When the end of the hold was recorded.
    pub(super) lapsed_ms: Option<i64>,
    // Place of the judged text in the history.
    text: Option<usize>,
}

/// A policy pack of one member, as far as it is here.
#[derive(Clone, Debug)]
pub(super) enum PackFact {
    /// Its lasting body is missing.
    Missing,
    /// Not a pack of this jurisdiction, or a repeated statement: never in force.
    Unusable,
    /// Can decide.
    Usable(Hash, Arc<Pack>),
}

/// What running a decision by policy again gives.
enum Check {
    Follows,
    Void(VoidReason),
    Unclear(&'static str),
}

impl Track {
    /// Folds the entries of `log` on the order that `issuer` made `history` of.
    pub(super) fn of(history: &History, issuer: &Log, indexes: &BTreeSet<u64>, log: &Log) -> Self {
        let mut track = Self {
            standing: Standing::Nothing,
            scope: None,
            is_narrowing: None,
            judged: BTreeSet::new(),
            has_officers: false,
            is_opaque: false,
            void: BTreeMap::new(),
        };
        for index in indexes {
            match log.entries.get(index) {
                None => {}
                Some(Entry::Opaque) => track.is_opaque = true,
                Some(Entry::Said { .. }) if log.void.contains_key(index) => {}
                Some(Entry::Said {
                    statement_id,
                    statement,
                }) => {
                    if let Act::Decision(decision) = &statement.act {
                        let entry = Said {
                            log,
                            index: *index,
                            statement_id,
                            statement,
                            decision,
                        };
                        if let Err(reason) = track.take(history, issuer, &entry) {
                            track.void.insert(*index, reason);
                        }
                        track.judged.insert(decision.judged);
                    }
                }
            }
        }
        let text = match &track.standing {
            Standing::Nothing => None,
            Standing::Ruled(ruled) | Standing::Unclear { ruled, .. } => ruled.text,
        };
        if let Some((scope, is_narrowing)) = text.and_then(|text| history.left_of(text)) {
            track.scope = Some(scope);
            track.is_narrowing = is_narrowing;
        }
        track
    }

    /// The decision that counts, or would if it could be followed.
    pub(super) const fn ruled(&self) -> Option<&Ruled> {
        match &self.standing {
            Standing::Nothing => None,
            Standing::Unclear { ruled, .. } | Standing::Ruled(ruled) => Some(ruled),
        }
    }

    fn take(
        &mut self,
        history: &History,
        issuer: &Log,
        entry: &Said<'_>,
    ) -> Result<(), VoidReason> {
        let Said {
            statement,
            decision,
            ..
        } = entry;
        let text = history.text_at(&decision.judged);
        let mut ruled = Ruled::of(entry, text);
        let mut unclear = None;
        if let Some(citation) = &decision.policy {
            if self.judged.contains(&decision.judged) {
                return Err(VoidReason::AlreadyDecided);
            }
            let text = text.and_then(|text| history.texts.get(text));
            match check(issuer, entry, citation, text) {
                Check::Void(reason) => return Err(reason),
                Check::Unclear(reason) => unclear = Some(reason),
                Check::Follows => {}
            }
            if self.has_officers {
                return Err(VoidReason::OfficersDecided);
            }
        }
        match decision.kind {
            DecisionKind::Lapse => return self.lapse(statement.created_ms),
            DecisionKind::Extend => {
                self.running_hold(statement.created_ms)
                    .ok_or(VoidReason::NoHold)?;
                ruled.kind = DecisionKind::Hold;
            }
            // What stops a block stops it whichever text it cites; what was judged before still
            // says of what.
            DecisionKind::Pause | DecisionKind::End => {
                ruled.text = self
                    .ruled()
                    .map_or(ruled.text, |before| before.text.or(ruled.text));
            }
            DecisionKind::Adopt
            | DecisionKind::Hold
            | DecisionKind::Review
            | DecisionKind::Flag
            | DecisionKind::Inform
            | DecisionKind::Decline
            | DecisionKind::NotCompetent => {}
        }
        let is_binding = matches!(ruled.kind, DecisionKind::Adopt | DecisionKind::Hold);
        if is_binding && text.is_none() {
            unclear = Some(UNCLEAR_TEXT);
        }
        self.has_officers |= decision.policy.is_none();
        self.standing = match unclear {
            Some(reason) => Standing::Unclear { reason, ruled },
            None => Standing::Ruled(ruled),
        };
        Ok(())
    }

    fn lapse(&mut self, created_ms: i64) -> Result<(), VoidReason> {
        let Standing::Ruled(ruled) = &mut self.standing else {
            return Err(VoidReason::NoHold);
        };
        if ruled.kind != DecisionKind::Hold || ruled.lapsed_ms.is_some() {
            return Err(VoidReason::NoHold);
        }
        if created_ms < ruled.until_ms {
            return Err(VoidReason::HoldRuns);
        }
        ruled.lapsed_ms = Some(created_ms);
        Ok(())
    }

    /// The hold that has neither ended nor been replaced at an instant.
    fn running_hold(&self, at: i64) -> Option<&Ruled> {
        self.ruled().filter(|ruled| {
            ruled.kind == DecisionKind::Hold && ruled.lapsed_ms.is_none() && at < ruled.until_ms
        })
    }
}

/// A decision in its place.
struct Said<'a> {
    log: &'a Log,
    index: u64,
    statement_id: &'a Hash,
    statement: &'a Statement,
    decision: &'a Decision,
}

impl Ruled {
    fn of(entry: &Said<'_>, text: Option<usize>) -> Self {
        let Decision {
            kind,
            judged,
            basis,
            reason,
            until_ms,
            policy,
            ..
        } = entry.decision;
        Self {
            statement_id: *entry.statement_id,
            kind: *kind,
            judged: *judged,
            basis: basis.clone(),
            reason: reason.clone(),
            by: match policy {
                Some(citation) => By::Policy(citation.rule.clone()),
                None => By::Officers,
            },
            since_ms: entry.statement.created_ms,
            until_ms: *until_ms,
            lapsed_ms: None,
            text,
        }
    }
}

impl PackFact {
    /// Reads the pack that `statement` gives at `index` of `log`.
    pub(super) fn read(log: &Log, index: u64, statement_id: Hash, statement: &Statement) -> Self {
        let Act::PolicyPack(said) = &statement.act else {
            return Self::Unusable;
        };
        if log.void.contains_key(&index) {
            return Self::Unusable;
        }
        let toml = match log.lasting(index, statement).next() {
            None => &said.toml,
            Some(Some(DecodedBody::PolicyPack(body))) => &body.toml,
            Some(None) if log.is_waiting_for(index) => return Self::Missing,
            Some(
                None
                | Some(DecodedBody::Order(_) | DecodedBody::Report(_) | DecodedBody::Indicator(_)),
            ) => return Self::Unusable,
        };
        match Pack::parse(toml) {
            Ok(pack) if pack.jurisdiction == log.jurisdiction => {
                Self::Usable(statement_id, Arc::new(pack))
            }
            Ok(_) | Err(_) => Self::Unusable,
        }
    }
}

/// Runs a decision by policy again, from the logs alone.
fn check(issuer: &Log, entry: &Said<'_>, citation: &PolicyCitation, text: Option<&Text>) -> Check {
    let Some(order) = text.and_then(Text::judged) else {
        return Check::Unclear(UNCLEAR_TEXT);
    };
    let decided_ms = entry.statement.created_ms;
    let Some(in_force) = entry.log.pack_in_force(entry.index, decided_ms) else {
        return Check::Unclear(UNCLEAR_PACK);
    };
    let judged = Judged {
        issuer: issuer.origin.member(),
        order,
        decided_ms,
    };
    if follows(entry.decision, &judged, in_force) {
        return Check::Follows;
    }
    let ruling = decide(&judged, in_force.map(|(_, pack)| pack));
    Check::Void(if citation.pack.as_ref() != in_force.map(|(id, _)| id) {
        VoidReason::PolicyPackDiffers
    } else if ruling.rule != citation.rule {
        VoidReason::PolicyRuleDiffers
    } else if ruling.kind != entry.decision.kind {
        VoidReason::PolicyActDiffers
    } else {
        VoidReason::PolicyEndDiffers
    })
}

/// The text that was judged has not arrived, or is none of this order.
const UNCLEAR_TEXT: &str = "the text that was judged is not here";
/// Which rules were in force cannot be said.
const UNCLEAR_PACK: &str = "a policy pack is not here in full";
