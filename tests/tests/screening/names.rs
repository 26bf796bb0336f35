//! Names only suggest: for how alike two are, the reference takes the screener's own word. What may
//! follow from it is the reference's to say.

use tocsin_screen::names::{self, Name, Numbers, Way};

use crate::matcher::Agreement;

/// How two names agree: one is certainly the other where nothing is left out, nothing contradicts,
/// and the numbers in them are the same.
pub fn agreement(of_order: &str, declared: &str) -> Agreement {
    let score = names::score(&Name::new(of_order), &Name::new(declared));
    let is_whole = score.left_out == 0.0 && score.contradicting == 0.0;
    let is_certain = is_whole
        && score.numbers == Numbers::Agree
        && !score.is_other_form
        && score.way != Way::Initials;
    if score.value < names::REVIEW {
        Agreement::Unsaid
    } else if is_certain && score.value >= CERTAIN {
        Agreement::Agrees
    } else {
        Agreement::Suggested
    }
}

/// Nothing of it is missing and nothing is added but its legal form and how it is spelled.
const CERTAIN: f32 = 0.96;
