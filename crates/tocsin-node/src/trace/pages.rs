//! The codes of what stops a statement on its way, each with its page for `tocsin explain`.

use tocsin_core::notice::BlockState;
use tocsin_core::registry::VoidReason;

/// A code, what it means, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Stable UPPER_SNAKE.
    pub code: &'static str,
    /// One sentence without its full stop.
    pub meaning: &'static str,
    /// The same.
    pub remedy: &'static str,
}

/// This version cannot read the entry.
pub(crate) const OPAQUE_HERE: &str = "OPAQUE_HERE";
/// A later decision counts.
pub(crate) const DECISION_SUPERSEDED: &str = "DECISION_SUPERSEDED";
/// A later pack counts.
pub(crate) const PACK_REPLACED: &str = "PACK_REPLACED";
/// No pack.
pub(crate) const PACK_UNUSABLE: &str = "PACK_UNUSABLE";

/// The code of a block that is decided on and not in force.
pub(crate) const fn of(state: BlockState) -> Option<&'static str> {
    match state {
        BlockState::None | BlockState::InForce | BlockState::Held | BlockState::Scheduled => None,
        BlockState::Review => Some("BLOCK_IN_REVIEW"),
        BlockState::Flagged => Some("BLOCK_FLAGGED"),
        BlockState::Informed => Some("BLOCK_INFORMED"),
        BlockState::Declined => Some("BLOCK_DECLINED"),
        BlockState::NotCompetent => Some("BLOCK_NOT_COMPETENT"),
        BlockState::Paused => Some("BLOCK_PAUSED"),
        BlockState::Suspended => Some("BLOCK_SUSPENDED"),
        BlockState::Ended => Some("BLOCK_ENDED"),
        BlockState::Rescinded => Some("BLOCK_RESCINDED"),
        BlockState::Withdrawn => Some("BLOCK_WITHDRAWN"),
        BlockState::Expired => Some("BLOCK_EXPIRED"),
        BlockState::Lapsed => Some("BLOCK_LAPSED"),
    }
}

/// All of them: those of traces, and why an entry can be void.
#[must_use]
pub fn pages() -> Vec<Page> {
    let void = VoidReason::ALL.iter().map(|reason| Page {
        code: reason.code(),
        meaning: reason.meaning(),
        remedy: "The entry stays in its log and counts for nothing; say what was meant anew",
    });
    STOPS.iter().copied().chain(void).collect()
}

const OFFICER: &str = "An officer there may decide otherwise: `tocsin decide`";
const ISSUER: &str = "Ask the issuer; nothing has to be done here";

static STOPS: [Page; 16] = [
    page(
        OPAQUE_HERE,
        "This version does not know what the entry says; blocks that it is about are in review",
        "Upgrade the node",
    ),
    page(
        DECISION_SUPERSEDED,
        "Another decision of this jurisdiction counts for the block",
        "See the one that counts: `tocsin block show`",
    ),
    page(
        PACK_REPLACED,
        "Another policy pack of this member is in force",
        "See it: `tocsin policy show`; decisions cite the pack that they were made by",
    ),
    page(
        PACK_UNUSABLE,
        "The policy pack cannot decide: its text is missing, or it is not of this jurisdiction",
        "Two officers sign another one: `tocsin policy new`",
    ),
    page(
        "BLOCK_IN_REVIEW",
        "The block waits for an officer: by a rule, by an officer's word, or because something \
         that it rests on is doubtful",
        OFFICER,
    ),
    page(
        "BLOCK_FLAGGED",
        "Goods are to be inspected there; the order bars nothing",
        OFFICER,
    ),
    page(
        "BLOCK_INFORMED",
        "The order is shown there, without effect",
        OFFICER,
    ),
    page("BLOCK_DECLINED", "The order was refused there", OFFICER),
    page(
        "BLOCK_NOT_COMPETENT",
        "The member has said that the order is not for it to decide on",
        OFFICER,
    ),
    page(
        "BLOCK_PAUSED",
        "An officer there has stopped applying the order for now",
        OFFICER,
    ),
    page(
        "BLOCK_SUSPENDED",
        "The issuer has suspended the order everywhere for now",
        ISSUER,
    ),
    page(
        "BLOCK_ENDED",
        "An officer there has ended the block, or later changes have left nothing of it",
        OFFICER,
    ),
    page(
        "BLOCK_RESCINDED",
        "The issuer has ended the order: its conditions no longer exist",
        ISSUER,
    ),
    page(
        "BLOCK_WITHDRAWN",
        "The issuer has taken the order back: issued in error, or unfounded",
        ISSUER,
    ),
    page("BLOCK_EXPIRED", "The time of the order is over", ISSUER),
    page(
        "BLOCK_LAPSED",
        "The time of the hold is over, and nobody decided in it: the goods are released",
        OFFICER,
    ),
];

const fn page(code: &'static str, meaning: &'static str, remedy: &'static str) -> Page {
    Page {
        code,
        meaning,
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_stops_something_has_a_page_of_its_own() {
        let pages = pages();
        let has = |code: &str| pages.iter().filter(|page| page.code == code).count() == 1;
        for state in [
            BlockState::Review,
            BlockState::Flagged,
            BlockState::Informed,
            BlockState::Declined,
            BlockState::NotCompetent,
            BlockState::Paused,
            BlockState::Suspended,
            BlockState::Ended,
            BlockState::Rescinded,
            BlockState::Withdrawn,
            BlockState::Expired,
            BlockState::Lapsed,
        ] {
            assert!(of(state).is_some_and(has), "{state}");
        }
        for page in &pages {
            let code = page.code;
            assert!(has(code), "{code}");
            assert_eq!(tocsin_core::reason::Reason::from_code(code), None, "{code}");
            let mut reasons = crate::status::REASONS.iter();
            assert!(reasons.all(|reason| reason.code() != code), "{code}");
            assert!(
                !page.meaning.is_empty() && !page.meaning.ends_with('.'),
                "{code}"
            );
        }
    }
}
