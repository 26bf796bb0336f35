//! Lines of declarations against the newest index: what single requests and streams share.
//!
//! A line is borrowed, checked and forgotten: nothing of it is stored, logged or counted but its
//! outcome.

use std::sync::Arc;

use prost::Message;
use tocsin_core::lookup::Outcome;
use tocsin_screen::answer::{Answer, Hit, Subject};
use tocsin_screen::index::Scratch;
use tocsin_screen::line::Line;
use tocsin_screen::suppression::{Suppressions, outcome_left};
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::screen_result::Result as Said;
use tocsin_wire::screening::{
    Declared, Judged, JudgedHit, LineError, MAX_DECLARATION_CHARS, answer,
};
use tonic::Code;

use crate::clock;
use crate::limits;
use crate::metrics::ScreenTally;
use crate::node::Node;
use crate::screening::{Ages, Frozen};
use crate::serve::find;
use crate::status::{Reason, Refusal};

/// What the lines of one message are checked against.
#[derive(Debug)]
pub(super) struct Sitting<'a> {
    node: &'a Node,
    frozen: Arc<Frozen>,
    ages: Arc<Ages>,
    suppressions: Arc<Suppressions>,
    is_local_stale: bool,
    now: i64,
}

/// Refuses too many lines at once.
///
/// # Errors
/// `TOO_MANY_LINES`.
pub(super) fn bounded(lines: &[v1::DeclarationLine]) -> Result<(), Refusal> {
    if lines.len() > limits::MAX_SCREEN_LINES {
        return Err(Refusal::of(Reason::TooManyLines).at("lines"));
    }
    Ok(())
}

impl<'a> Sitting<'a> {
    /// Against the newest index, as of now.
    ///
    /// # Errors
    /// Another jurisdiction than the node's own; the first index is not built yet.
    pub(super) fn begin(node: &'a Node, jurisdiction: &str) -> Result<Self, Refusal> {
        let asked = find::jurisdiction(node, jurisdiction)?;
        let own = node.member();
        if asked != own.jurisdiction {
            return Err(Refusal::of(Reason::ScreenElsewhere)
                .at("jurisdiction")
                .fact("jurisdiction", asked));
        }
        let now = clock::now_ms();
        let ages = node.ages_of_copies(now);
        Ok(Self {
            node,
            frozen: node.screening.frozen()?,
            suppressions: node.screening.suppressions(),
            is_local_stale: ages.stale.has(&own.id),
            ages,
            now,
        })
    }

    /// What the answers rest on.
    pub(super) fn state(&self) -> v1::ScreenState {
        v1::ScreenState {
            jurisdiction: self.node.member().jurisdiction.clone(),
            position: self.frozen.position.clone(),
            stale: self.ages.stale.is_any(),
            origins: self.ages.ages.clone(),
            blocks: u64::try_from(self.frozen.blocks).unwrap_or(u64::MAX),
        }
    }

    fn check(
        &self,
        line: &v1::DeclarationLine,
        scratch: &mut Scratch,
        tally: &mut ScreenTally,
    ) -> v1::ScreenResult {
        let said = match Declared::read(line, line.encoded_len()) {
            Ok(declared) => declared.with(|line| {
                let found = self.frozen.screen.check_with(line, self.now, scratch);
                let judged = self.judge(line, &found, tally);
                tally.answered(judged.outcome);
                Said::Answer(answer(&judged))
            }),
            Err(error) => {
                tally.refused += 1;
                Said::Refused(refused(&error))
            }
        };
        v1::ScreenResult {
            declaration: back(&line.declaration),
            line: line.line,
            result: Some(said),
        }
    }

    /// What this node makes of the hits: what rests on a copy that is too old is for an officer,
    /// for it may have been called back, and what the agency's own file is about is marked.
    fn judge<'s>(
        &'s self,
        line: &Line<'_>,
        found: &'s Answer,
        tally: &mut ScreenTally,
    ) -> Judged<'s> {
        let hits: Vec<JudgedHit<'s>> = found
            .hits
            .iter()
            .map(|hit| {
                let is_stale = hit.outcome > Outcome::Review && self.is_doubtful(hit);
                let mark = self.suppressions.judge(line, hit, self.now);
                if let Some(mark) = &mark {
                    tally.marked(mark.effect);
                }
                JudgedHit {
                    outcome: if is_stale {
                        Outcome::Review
                    } else {
                        hit.outcome
                    },
                    is_stale,
                    mark,
                }
            })
            .collect();
        // What is not shown says at most what the last one says.
        let hidden = match found.hits.last() {
            Some(last) if found.is_truncated && self.is_local_stale => {
                last.outcome.min(Outcome::Review)
            }
            Some(last) if found.is_truncated => last.outcome,
            Some(_) | None => Outcome::None,
        };
        let left = hits.iter().map(|hit| (hit.outcome, hit.mark));
        Judged {
            answer: found,
            outcome: outcome_left(left, hidden),
            hits,
        }
    }

    fn is_doubtful(&self, hit: &Hit) -> bool {
        match &hit.subject {
            Subject::Listed(_) => false,
            Subject::Block(notice) => {
                let log = &notice.order_ref.log;
                let issuer = self.node.alliance.member_of_log(log);
                self.is_local_stale || issuer.is_some_and(|issuer| self.ages.stale.has(issuer))
            }
        }
    }
}

/// Results that are gathered for one response.
#[derive(Debug)]
pub(super) struct Filling<'a> {
    sitting: &'a Sitting<'a>,
    most: usize,
    results: Vec<v1::ScreenResult>,
    bytes: usize,
    scratch: Scratch,
    tally: ScreenTally,
}

impl<'a> Filling<'a> {
    /// For a response of about so many bytes.
    pub(super) fn new(sitting: &'a Sitting<'a>, most: usize) -> Self {
        Self {
            sitting,
            most,
            results: Vec::new(),
            bytes: 0,
            scratch: Scratch::default(),
            tally: ScreenTally::default(),
        }
    }

    /// Adds the result of a line.
    pub(super) fn add(&mut self, line: &v1::DeclarationLine) {
        let result = self.sitting.check(line, &mut self.scratch, &mut self.tally);
        self.push(result);
    }

    /// The same, without the hits where they do not fit any more.
    pub(super) fn add_cut(&mut self, line: &v1::DeclarationLine) {
        let mut result = self.sitting.check(line, &mut self.scratch, &mut self.tally);
        if self.is_full()
            && let Some(Said::Answer(answer)) = &mut result.result
        {
            answer.is_truncated |= !answer.hits.is_empty();
            answer.hits.clear();
        }
        self.push(result);
    }

    fn push(&mut self, result: v1::ScreenResult) {
        self.bytes = self.bytes.saturating_add(result.encoded_len());
        self.results.push(result);
    }

    /// Whether the response is as long as it may be.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= self.most
    }

    /// Whether nothing is in it.
    pub(super) const fn is_empty(&self) -> bool {
        self.results.is_empty()
    }

    /// What was gathered; the next is for another response.
    pub(super) fn take(&mut self) -> Vec<v1::ScreenResult> {
        let metrics = &self.sitting.node.metrics;
        metrics.screened(&std::mem::take(&mut self.tally));
        self.bytes = 0;
        std::mem::take(&mut self.results)
    }
}

/// The agency's own name for a declaration, given back; one that is too long was refused.
fn back(declaration: &str) -> String {
    declaration.chars().take(MAX_DECLARATION_CHARS).collect()
}

fn refused(error: &LineError) -> v1::Refused {
    let field = error.field();
    let message = match field {
        "" => error.to_string(),
        field => format!("{field}: {error}"),
    };
    v1::Refused {
        code: Code::InvalidArgument.into(),
        reason: error.code().to_owned(),
        message,
        retry_after_ms: 0,
    }
}
