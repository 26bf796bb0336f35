//! A jurisdiction's rules for deciding on others' orders (FORMATS section 10).
//!
//! Automatic decisions come only from here: a dated pack that two officers have signed. No matching
//! rule means review, never more; a pack adopts only for rights that it names as recognised.

use tocsin_log::hash::Hash;

use crate::decision::{Decision, DecisionKind, PolicyCitation};
use crate::order::{Instrument, Order, ScopeKind};
use crate::right::RightKind;
use crate::words::words;

mod parse;

/// A pack as it is said; two officers sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPack {
    /// TOML, at most [`MAX_PACK_BYTES`]; empty when it stands in a lasting [`PolicyPackBody`].
    pub toml: String,
}

/// A pack too long for the statement; a lasting body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPackBody {
    /// TOML, at most [`MAX_BODY_PACK_BYTES`].
    pub toml: String,
}

/// A pack that can decide; [`Pack::parse`] makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// Whose rules they are.
    pub jurisdiction: String,
    /// The author's own count.
    pub version: u32,
    /// From when it may be in force, Unix milliseconds.
    pub valid_from_ms: i64,
    /// Name of the calendar of working days; kept for officers, no rule reads it.
    pub calendar: String,
    /// The first that matches decides.
    pub rules: Vec<Rule>,
    /// What the node watches beside the rules.
    pub limits: Limits,
}

/// One rule: if every part matches, then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name within the pack, cited by decisions.
    pub id: String,
    /// Member id of the issuer.
    pub issuer: Match<String>,
    /// The order's instrument.
    pub instrument: Match<Instrument>,
    /// Every right of the order has this kind; an order without rights matches `*` alone.
    pub right_kind: Match<RightKind>,
    /// Whom the order binds.
    pub scope: Match<ScopeKind>,
    /// Whether the order names a right in this jurisdiction's own register.
    pub local_right: Match<LocalRight>,
    /// What to do.
    pub then: Then,
    /// The law it rests on here; mandatory for what stops goods.
    pub basis: String,
}

/// One part of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match<T> {
    /// `*`.
    Any,
    /// Exactly this.
    Exactly(T),
}

words! {
    /// Whether an order names a right in the register of whoever decides.
    LocalRight {
        /// It does.
        Claimed = 1 "claimed",
        /// It does not.
        None = 2 "none",
    }
}

/// What a rule does. Extending, pausing and ending are for officers alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// In force here, for a kind of right that the rule calls recognised.
    Adopt,
    /// Held for so many days of 86,400,000 ms from the decision's created_ms.
    Hold {
        /// 1 to [`MAX_HOLD_DAYS`].
        days: u16,
    },
    /// An officer must look.
    Review,
    /// Goods are to be inspected.
    Flag,
    /// Shown, without effect.
    Inform,
    /// Refused.
    Decline,
    /// Not ours to decide.
    NotCompetent,
}

/// Limits of a pack. They change what a node says of itself or make it review; [`decide`] does not
/// read them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Orders of one issuer in 24 hours beyond which the node reviews, with rule [`RULE_FLOOD`].
    pub orders_per_issuer_per_day: Option<u32>,
    /// Share of recent goods, above 0 up to 1, that one order may match before the node reviews it,
    /// with rule
    /// [`RULE_BREADTH`].
    pub breadth_share: Option<f64>,
    /// Age of the issuer's mirror beyond which the node's advice is review.
    pub mirror_age_hours: Option<u32>,
}

/// What is decided on, and nothing else is read.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Member id of the issuer.
    pub issuer: &'a str,
    /// The text of the issue, or of the modification that is judged.
    pub order: &'a Order,
    /// created_ms of the decision that is made.
    pub decided_ms: i64,
}

/// What the policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What is done.
    pub kind: DecisionKind,
    /// Id of the rule that fired, or [`RULE_NO_RULE`] or [`RULE_NO_PACK`].
    pub rule: String,
    /// When a hold ends, Unix milliseconds. Else 0.
    pub until_ms: i64,
    /// The law it rests on.
    pub basis: String,
}

/// Decides by policy what a jurisdiction does with an order issued elsewhere.
///
/// The first rule that matches wins; without one the answer is review. Depends on nothing but its
/// arguments, so that every node, and a court, can run it again.
#[must_use]
pub fn decide(judged: &Judged<'_>, pack: Option<&Pack>) -> Ruling {
    let review = |rule: &str| Ruling {
        kind: DecisionKind::Review,
        rule: rule.to_owned(),
        until_ms: 0,
        basis: String::new(),
    };
    let Some(pack) = pack else {
        return review(RULE_NO_PACK);
    };
    let Some(rule) = pack
        .rules
        .iter()
        .find(|rule| rule.matches(judged, &pack.jurisdiction))
    else {
        return review(RULE_NO_RULE);
    };
    let until_ms = match rule.then {
        Then::Hold { days } => judged
            .decided_ms
            .saturating_add(i64::from(days) * HOLD_DAY_MS),
        Then::Adopt
        | Then::Review
        | Then::Flag
        | Then::Inform
        | Then::Decline
        | Then::NotCompetent => 0,
    };
    Ruling {
        kind: rule.then.kind(),
        rule: rule.id.clone(),
        until_ms,
        basis: rule.basis.clone(),
    }
}

/// Whether a decision by policy follows from the pack that was in force: the same pack, rule, act
/// and end.
///
/// `pack` is the pack in force for the decision, with its statement_id. A review for a reason of
/// the node's own, flood or breadth, always follows: it can only hold back.
#[must_use]
pub fn follows(decision: &Decision, judged: &Judged<'_>, pack: Option<(&Hash, &Pack)>) -> bool {
    let Some(citation) = &decision.policy else {
        return false;
    };
    if decision.kind == DecisionKind::Review && is_own_reason(&citation.rule) {
        return true;
    }
    if citation.pack.as_ref() != pack.map(|(id, _)| id) {
        return false;
    }
    let ruling = decide(judged, pack.map(|(_, pack)| pack));
    ruling.kind == decision.kind
        && ruling.rule == citation.rule
        && ruling.until_ms == decision.until_ms
}

/// Whether a rule is one that the node gives by itself, for a review.
#[must_use]
pub fn is_own_reason(rule: &str) -> bool {
    rule == RULE_FLOOD || rule == RULE_BREADTH
}

impl Rule {
    fn matches(&self, judged: &Judged<'_>, jurisdiction: &str) -> bool {
        let order = judged.order;
        let local = if order.rights.iter().any(|right| right.is_own(jurisdiction)) {
            LocalRight::Claimed
        } else {
            LocalRight::None
        };
        let is_kind = match &self.right_kind {
            Match::Any => true,
            Match::Exactly(kind) => {
                !order.rights.is_empty() && order.rights.iter().all(|right| right.kind == *kind)
            }
        };
        is_kind
            && self.issuer.accepts(judged.issuer)
            && self.instrument.accepts(&order.instrument)
            && self.scope.accepts(&order.scope)
            && self.local_right.accepts(&local)
    }
}

impl<T> Match<T> {
    fn accepts<U>(&self, value: &U) -> bool
    where
        T: std::borrow::Borrow<U>,
        U: PartialEq + ?Sized,
    {
        match self {
            Self::Any => true,
            Self::Exactly(exact) => exact.borrow() == value,
        }
    }
}

impl Then {
    /// The act that it makes.
    #[must_use]
    pub const fn kind(self) -> DecisionKind {
        match self {
            Self::Adopt => DecisionKind::Adopt,
            Self::Hold { .. } => DecisionKind::Hold,
            Self::Review => DecisionKind::Review,
            Self::Flag => DecisionKind::Flag,
            Self::Inform => DecisionKind::Inform,
            Self::Decline => DecisionKind::Decline,
            Self::NotCompetent => DecisionKind::NotCompetent,
        }
    }
}

impl Ruling {
    /// The decision that says so, on the statement judged, citing the pack.
    #[must_use]
    pub fn to_decision(self, judged: Hash, pack: Option<Hash>) -> Decision {
        Decision {
            kind: self.kind,
            judged,
            basis: self.basis,
            reason: String::new(),
            until_ms: self.until_ms,
            local_rights: Vec::new(),
            policy: Some(PolicyCitation {
                pack,
                rule: self.rule,
            }),
        }
    }
}

/// No rule of the pack matched.
pub const RULE_NO_RULE: &str = "no-rule";
/// No pack was in force.
pub const RULE_NO_PACK: &str = "no-pack";
/// The issuer sent more orders than the pack's limit.
pub const RULE_FLOOD: &str = "flood";
/// The order matches more goods than the pack's limit.
pub const RULE_BREADTH: &str = "breadth";

/// Bytes of a pack that stands in its statement (statement.proto).
pub const MAX_PACK_BYTES: usize = 8_192;
/// Bytes of a pack that stands in a body, half of what a body may have.
pub const MAX_BODY_PACK_BYTES: usize = 131_072;
/// Rules of one pack: kinds of right times instruments, and as many again.
pub const MAX_RULES: usize = 512;
/// Longest hold by policy: a hold is provisional, and no market's provisional measure runs beyond a
/// year.
pub const MAX_HOLD_DAYS: u16 = 366;
/// A day of a hold (FORMATS section 10): counted from an instant, so not a civil day.
const HOLD_DAY_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests;
