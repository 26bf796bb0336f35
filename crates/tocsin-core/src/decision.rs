//! A jurisdiction's own acts on orders issued elsewhere.

use tocsin_log::hash::Hash;

use crate::right::Right;
use crate::words::words;

words! {
    /// What a jurisdiction does with another's order.
    DecisionKind {
        /// In force here; two officers with a local right, or policy for a recognised right.
        Adopt = 1 "adopt",
        /// Provisional, ends by itself; the end is a release.
        Hold = 2 "hold",
        /// A longer hold; two officers.
        Extend = 3 "extend",
        /// Stops applying it here for now; one officer.
        Pause = 4 "pause",
        /// Ends it here; one officer.
        End = 5 "end",
        /// An officer must look at it.
        Review = 6 "review",
        /// Goods are to be inspected.
        Flag = 7 "flag",
        /// Shown, without effect.
        Inform = 8 "inform",
        /// Refused here.
        Decline = 9 "decline",
        /// Not this member's to decide.
        NotCompetent = 10 "not_competent",
        /// The node records that a hold's end has passed.
        Lapse = 11 "lapse",
    }
}

/// One jurisdiction's act on an order; `about` names the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is done.
    pub kind: DecisionKind,
    /// statement_id of the issue or modify statement that was judged.
    pub judged: Hash,
    /// The law it rests on, as cited locally.
    pub basis: String,
    /// Why.
    pub reason: String,
    /// Hold and extend: Unix milliseconds at which it ends. Else 0.
    pub until_ms: i64,
    /// Adopt: the rights with effect in this jurisdiction.
    pub local_rights: Vec<Right>,
    /// Set on decisions by policy, and on nothing else.
    pub policy: Option<PolicyCitation>,
}

/// Which rule of which pack decided, so that anyone can run it again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyCitation {
    /// statement_id of the pack; absent with rule `no-pack`.
    pub pack: Option<Hash>,
    /// Id of the rule.
    pub rule: String,
}
