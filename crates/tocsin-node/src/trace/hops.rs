//! From facts to hops: what is shown by something that we hold, and what nothing here tells.

use tocsin_core::date;
use tocsin_core::notice::BlockState;
use tocsin_core::registry::VoidReason;
use tocsin_wire::proto::v1;
use tocsin_wire::proto::v1::HopState;

use super::facts::{Block, Decided, Facts, Fate, PackFate, Said, Way, Worth};
use super::pages;

/// The whole answer.
pub(crate) fn tell(facts: &Facts) -> v1::TraceStatementResponse {
    let Facts { said, ways } = facts;
    let mut hops = begin(said);
    let mut ends = Vec::new();
    for way in ways {
        let at = hops.len();
        follow(said, way, &mut hops);
        let rest = hops.get(at..).unwrap_or_default();
        ends.push((way.member.as_str(), End::of(rest)));
    }
    let verdict = verdict(said, &hops, &ends);
    let stopped = hops.iter().find(|hop| hop.state() == HopState::Stopped);
    v1::TraceStatementResponse {
        name: said.name.clone(),
        statement_id: said.statement_id.as_bytes().to_vec(),
        log: said.origin.clone(),
        index: said.index,
        verdict,
        stopped_by: stopped.map(|hop| hop.reason.clone()).unwrap_or_default(),
        hops,
    }
}

/// What happened at its author, whoever it is followed to.
fn begin(said: &Said) -> Vec<v1::Hop> {
    let author = said.author.as_str();
    let when = said.created_ms;
    let signed = match said.signers.as_str() {
        "" => "as its bytes say; who signed is not known by these rules".to_owned(),
        signers => format!("signed by {signers}"),
    };
    let place = place(said);
    let logged = match said.noted {
        Some(size) => hop(author, "logged", HopState::Done)
            .showing(format!("entry {place} under the log's note of size {size}"))
            .detailed(format!("it stands in the log of {author}")),
        None => hop(author, "logged", HopState::Waiting)
            .showing(format!("entry {place}"))
            .detailed("its log has not signed a note over it yet"),
    };
    let said = hop(author, "said", HopState::Done)
        .at(when)
        .detailed(signed);
    vec![said.showing(format!("entry {place}")), logged]
}

fn place(said: &Said) -> String {
    let short = said.origin.split_once('/');
    let short = short.map_or(said.origin.as_str(), |(_, rest)| rest);
    format!("{short}/{}", said.index)
}

/// The hops of one member.
fn follow(said: &Said, way: &Way, hops: &mut Vec<v1::Hop>) {
    let mirrored = (!way.is_author).then(|| mirrored(said, way));
    let reached = mirrored.as_ref().map_or(HopState::Done, v1::Hop::state);
    hops.extend(mirrored);
    let judged = judged(said, way, reached);
    let is_stopped = judged.state() == HopState::Stopped;
    hops.push(judged);
    if is_stopped {
        return;
    }
    match &way.fate {
        Fate::Read => {}
        Fate::Block(block) => {
            let decided = (!way.is_author).then(|| decided(way, block, reached));
            let before = decided
                .as_ref()
                .map(|hop| (hop.state(), hop.reason.clone()));
            hops.extend(decided);
            hops.push(in_force(way, block, before));
        }
        Fate::Decision { is_current, block } => {
            if *is_current {
                hops.push(in_force(way, block, None));
            } else {
                let detail = format!("another decision counts for {} now", block.name);
                let now = block.decision.as_ref();
                let shown = now.map_or_else(String::new, |now| format!("entry {}", now.entry));
                let stopped = stopped(&way.member, "in_force", pages::DECISION_SUPERSEDED);
                hops.push(stopped.detailed(detail).showing(shown));
            }
        }
        Fate::Pack(fate) => hops.push(pack(way, fate)),
    }
}

fn mirrored(said: &Said, way: &Way) -> v1::Hop {
    let member = way.member.as_str();
    let held = way.cosigned.filter(|(size, _)| *size > said.index);
    if let Some((size, at_ms)) = held {
        let detail = format!("{member} has it durably, by this time at the latest");
        let shown = format!("note of size {size} cosigned by {member}");
        return hop(member, "mirrored", HopState::Done)
            .at(at_ms)
            .detailed(detail)
            .showing(shown);
    }
    if way.is_us {
        return hop(member, "mirrored", HopState::Done)
            .detailed("this node has it")
            .showing(format!("entry {} in our copy", place(said)));
    }
    let (so_far, shown) = match way.cosigned {
        Some((size, _)) => (
            format!("{member} has vouched for {size} entries of that log, and this is one more"),
            format!("note of size {size} cosigned by {member}"),
        ),
        None => (
            format!("{member} has vouched for nothing of that log"),
            String::new(),
        ),
    };
    if !way.is_connected {
        let gone = gone(way);
        let detail = format!("{so_far}, as far as we know: {gone}");
        return hop(member, "mirrored", HopState::Unknown)
            .detailed(detail)
            .showing(shown);
    }
    let why = if said.is_frozen {
        ", and the log is frozen: whoever has the proof takes no more of it"
    } else {
        ""
    };
    hop(member, "mirrored", HopState::Waiting)
        .detailed(format!("{so_far}{why}"))
        .showing(shown)
}

/// Why what a member does is not known here.
fn gone(way: &Way) -> String {
    let member = &way.member;
    if way.since_ms == 0 {
        return format!("{member} is not connected to this node");
    }
    let since = date::display(way.since_ms);
    format!("{member} is not connected to this node, since {since}")
}

/// Whether the entry counts there. The rules are the same on every node, so what they refuse is
/// refused everywhere; that a node has got to it is known of our own alone, or by what it said.
fn judged(said: &Said, way: &Way, reached: HopState) -> v1::Hop {
    let member = way.member.as_str();
    let place = place(said);
    let refused = |code: &str, why: &str| {
        stopped(member, "judged", code)
            .detailed(format!("it has no effect, on any node: {why}"))
            .showing(format!("entry {place}, judged here by the rules of all"))
    };
    match &said.worth {
        Worth::Invalid(code, why) => return refused(code, why),
        Worth::Void(reason) => return refused(reason.code(), reason.meaning()),
        Worth::Opaque => {
            let why = "this version does not know what it says; its order, if it is about one, is \
                       in review";
            return stopped(member, "judged", pages::OPAQUE_HERE)
                .detailed(why)
                .showing(format!("entry {place}"));
        }
        Worth::Valid => {}
    }
    let done = |detail: &str, shown: String| {
        hop(member, "judged", HopState::Done)
            .detailed(detail)
            .showing(shown)
    };
    if way.is_us && way.is_applied {
        return done(
            "it counts",
            format!("entry {place} in this node's registry"),
        );
    }
    if let Some(decision) = decision_of(way) {
        let shown = format!("entry {} decides on it", decision.entry);
        return done("it counts there", shown);
    }
    if way.is_author {
        return done("its own node took it", format!("entry {place}"));
    }
    if way.is_us {
        let detail = "this node has it and has not come to it yet";
        return hop(member, "judged", HopState::Waiting).detailed(detail);
    }
    let detail = match reached {
        HopState::Done => {
            "it has it, and by the rules of all it counts; nothing here tells whether it has come \
             to it"
        }
        HopState::Waiting => "not before it has it",
        HopState::Unspecified | HopState::Stopped | HopState::Unknown => {
            "nothing here tells whether it has it"
        }
    };
    let state = match reached {
        HopState::Waiting => HopState::Waiting,
        HopState::Unspecified | HopState::Done | HopState::Stopped | HopState::Unknown => {
            HopState::Unknown
        }
    };
    hop(member, "judged", state).detailed(detail)
}

/// The decision that shows that a member has judged an order.
const fn decision_of(way: &Way) -> Option<&Decided> {
    match &way.fate {
        Fate::Block(block) if !way.is_author => block.decision.as_ref(),
        Fate::Block(_) | Fate::Read | Fate::Decision { .. } | Fate::Pack(_) => None,
    }
}

fn decided(way: &Way, block: &Block, reached: HopState) -> v1::Hop {
    let member = way.member.as_str();
    if let Some(decision) = &block.decision {
        let by = match &decision.policy {
            Some(policy) => {
                let pack = policy.pack.map_or_else(String::new, |pack| {
                    format!(" of pack {}", tocsin_core::name::prefix(&pack))
                });
                format!("by rule `{}`{pack}", policy.rule)
            }
            None => "by officers".to_owned(),
        };
        return hop(member, "decided", HopState::Done)
            .at(decision.at_ms)
            .detailed(format!("{member} decided {} {by}", decision.kind))
            .showing(format!("entry {}", decision.entry));
    }
    if let Some((entry, reason)) = &block.void {
        return void(member, entry, *reason);
    }
    if let Some(code) = over(block.state) {
        let detail = format!("nothing is decided on it any more: it is {}", block.state);
        return stopped(member, "decided", code)
            .detailed(detail)
            .showing(by_issuer(block));
    }
    if let Some(code) = way.does_not_sign {
        let detail = "this node signs nothing now, so it decides nothing: tocsin check";
        return stopped(member, "decided", code).detailed(detail);
    }
    let shown = format!("{} entries of the log of {member}", way.log_size);
    if way.is_log_current {
        return hop(member, "decided", HopState::Waiting)
            .detailed(format!("{member} has said nothing on it yet"))
            .showing(shown);
    }
    let detail = if way.is_connected {
        format!("we have not all of the log of {member}")
    } else {
        gone(way)
    };
    let state = match reached {
        HopState::Waiting => HopState::Waiting,
        HopState::Unspecified | HopState::Done | HopState::Stopped | HopState::Unknown => {
            HopState::Unknown
        }
    };
    hop(member, "decided", state)
        .detailed(detail)
        .showing(shown)
}

fn void(member: &str, entry: &str, reason: VoidReason) -> v1::Hop {
    let why = reason.meaning();
    stopped(member, "decided", reason.code())
        .detailed(format!("{member} decided, but that has no effect: {why}"))
        .showing(format!("entry {entry}"))
}

/// The code of a block that its issuer ended, or that is over.
const fn over(state: BlockState) -> Option<&'static str> {
    match state {
        BlockState::Rescinded | BlockState::Withdrawn | BlockState::Expired => pages::of(state),
        BlockState::None
        | BlockState::InForce
        | BlockState::Held
        | BlockState::Review
        | BlockState::Flagged
        | BlockState::Informed
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Paused
        | BlockState::Suspended
        | BlockState::Ended
        | BlockState::Lapsed
        | BlockState::Scheduled => None,
    }
}

fn by_issuer(block: &Block) -> String {
    let act = block.act.as_ref();
    act.map_or_else(String::new, |(entry, kind)| {
        format!("{kind}: entry {entry}")
    })
}

/// `before` is the hop that it waits for, where there is one.
fn in_force(way: &Way, block: &Block, before: Option<(HopState, String)>) -> v1::Hop {
    let member = way.member.as_str();
    let name = &block.name;
    let shown = match &block.decision {
        Some(decision) => format!("entry {}", decision.entry),
        None => by_issuer(block),
    };
    let aside = if way.is_log_current {
        ""
    } else {
        "; what it said later is not here"
    };
    let missing = if block.is_selectors_missing {
        "; a body with its selectors is missing, so look-ups answer review"
    } else {
        ""
    };
    let done = |detail: String| {
        hop(member, "in_force", HopState::Done)
            .at(block.since_ms)
            .detailed(format!("{detail}{missing}{aside}"))
            .showing(shown.clone())
    };
    let until = date::display(block.until_ms);
    match block.state {
        BlockState::InForce => done(format!("{name} is in force")),
        BlockState::Held => done(format!("{name} is held, and ends by itself at {until}")),
        BlockState::Scheduled => {
            let from = date::display(block.from_ms);
            hop(member, "in_force", HopState::Waiting)
                .detailed(format!("{name} begins at {from}{missing}{aside}"))
                .showing(shown)
        }
        BlockState::None => {
            let (state, reason) = before.unwrap_or((HopState::Waiting, String::new()));
            let mut hop = hop(member, "in_force", state);
            hop.reason = reason;
            hop.detailed(format!(
                "nothing is in force without a decision of {member}"
            ))
        }
        BlockState::Review
        | BlockState::Flagged
        | BlockState::Informed
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Paused
        | BlockState::Suspended
        | BlockState::Ended
        | BlockState::Rescinded
        | BlockState::Withdrawn
        | BlockState::Expired
        | BlockState::Lapsed => not_in_force(member, block, shown, aside),
    }
}

/// Decided, or ended, and so that nothing is barred on it.
fn not_in_force(member: &str, block: &Block, shown: String, aside: &str) -> v1::Hop {
    let code = pages::of(block.state).unwrap_or_default();
    let is_by_issuer = matches!(
        block.state,
        BlockState::Rescinded | BlockState::Withdrawn | BlockState::Suspended
    );
    let shown = if is_by_issuer {
        by_issuer(block)
    } else {
        shown
    };
    let because = match block.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    let (name, state) = (&block.name, block.state);
    stopped(member, "in_force", code)
        .at(block.since_ms)
        .detailed(format!(
            "{name} is not in force, but {state}{because}{aside}"
        ))
        .showing(shown)
}

fn pack(way: &Way, fate: &PackFate) -> v1::Hop {
    let member = way.member.as_str();
    match fate {
        PackFate::InForce => {
            hop(member, "in_force", HopState::Done).detailed("it is the policy pack in force")
        }
        PackFate::Later(from_ms) => {
            let from = date::display(*from_ms);
            hop(member, "in_force", HopState::Waiting).detailed(format!("valid from {from}"))
        }
        PackFate::Replaced(id) => {
            let id = tocsin_core::name::prefix(id);
            stopped(member, "in_force", pages::PACK_REPLACED)
                .detailed("another pack of this member is in force")
                .showing(format!("members/{member}/policyPacks/{id}"))
        }
        PackFate::Unusable => stopped(member, "in_force", pages::PACK_UNUSABLE)
            .detailed("it is no pack of this member's jurisdiction that can decide"),
    }
}

/// How far a member's hops came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Arrived(String),
    Stopped(String),
    Waiting(String),
    Unknown(String),
}

impl End {
    fn of(hops: &[v1::Hop]) -> Self {
        let first = |state| hops.iter().find(|hop| hop.state() == state);
        if let Some(hop) = first(HopState::Stopped) {
            return Self::Stopped(hop.detail.clone());
        }
        let is_there = |hop: &v1::Hop| hop.state() == HopState::Done;
        // What is only to be read has arrived when it is held; whether a node has come to it
        // shows nowhere else.
        let only_read = !hops.iter().any(|hop| hop.step == "in_force");
        let held = hops.iter().rev().find(|hop| is_there(hop) && only_read);
        if let Some(last) = hops.last().filter(|hop| is_there(hop)).or(held) {
            return Self::Arrived(last.detail.clone());
        }
        let waits = first(HopState::Waiting);
        match (first(HopState::Unknown), waits) {
            (_, Some(hop)) if hop.step != "judged" => Self::Waiting(hop.detail.clone()),
            (Some(hop), _) => Self::Unknown(hop.detail.clone()),
            (None, Some(hop)) => Self::Waiting(hop.detail.clone()),
            (None, None) => Self::Unknown("nothing here tells".to_owned()),
        }
    }
}

/// One sentence: how far it came, and what stopped it.
fn verdict(said: &Said, hops: &[v1::Hop], ends: &[(&str, End)]) -> String {
    let name = &said.name;
    if let Some(hop) = hops
        .iter()
        .take(2)
        .find(|hop| hop.state() != HopState::Done)
    {
        return format!("{name} has not left {}: {}.", said.author, hop.detail);
    }
    if let [(member, end)] = ends {
        return match end {
            End::Arrived(how) => format!("{name} has arrived at {member}: {how}."),
            End::Stopped(why) => format!("{name} was stopped at {member}: {why}."),
            End::Waiting(what) => format!("{name} is on its way to {member}: {what}."),
            End::Unknown(why) => {
                format!("this node cannot tell whether {name} came to {member}: {why}.")
            }
        };
    }
    let named = |pick: fn(&End) -> bool| {
        let members = ends.iter().filter(|(_, end)| pick(end));
        members
            .map(|(member, _)| *member)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let parts = [
        ("arrived at", named(|end| matches!(end, End::Arrived(_)))),
        ("stopped at", named(|end| matches!(end, End::Stopped(_)))),
        ("on its way to", named(|end| matches!(end, End::Waiting(_)))),
        ("not known of", named(|end| matches!(end, End::Unknown(_)))),
    ];
    let parts = parts.iter().filter(|(_, members)| !members.is_empty());
    let parts: Vec<String> = parts
        .map(|(how, members)| format!("{how} {members}"))
        .collect();
    format!("{name}: {}.", parts.join("; "))
}

/// A hop before it says more.
fn hop(member: &str, step: &str, state: HopState) -> v1::Hop {
    v1::Hop {
        member: member.to_owned(),
        step: step.to_owned(),
        state: state.into(),
        ..v1::Hop::default()
    }
}

fn stopped(member: &str, step: &str, code: &str) -> v1::Hop {
    let mut stopped = hop(member, step, HopState::Stopped);
    code.clone_into(&mut stopped.reason);
    stopped
}

/// What a hop says of itself, part by part.
trait Telling: Sized {
    fn at(self, at_ms: i64) -> Self;
    fn detailed(self, detail: impl Into<String>) -> Self;
    fn showing(self, evidence: impl Into<String>) -> Self;
}

impl Telling for v1::Hop {
    fn at(mut self, at_ms: i64) -> Self {
        self.at_ms = at_ms;
        self
    }

    fn detailed(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    fn showing(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = evidence.into();
        self
    }
}

#[cfg(test)]
#[path = "hops_tests.rs"]
mod tests;
