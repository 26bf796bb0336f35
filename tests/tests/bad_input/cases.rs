//! Every case that this project promises to answer, and where it is held: a row of the table, a
//! test of its own, or, with the reason, nowhere.

/// The numbers of the document's cases that are about doors, encoding, signatures and the field.
pub const NUMBERS: [std::ops::RangeInclusive<u16>; 3] = [1..=62, 70..=77, 81..=102];

/// Where a case without a row is held.
pub enum Elsewhere {
    /// A test by its name.
    Test(&'static str),
    /// Nowhere, and why.
    LeftOut(&'static str),
}

use Elsewhere::{LeftOut, Test};

const ATTACKS: Elsewhere = Test("attacks_are_cut_off_and_leave_no_trace");

/// Cases without a row.
pub const ELSEWHERE: [(u16, Elsewhere); 20] = [
    (
        6,
        LeftOut("manifests pin a member's CA, not each leaf; who gets in is held by 4, 5 and 9"),
    ),
    (
        7,
        LeftOut("keys and certificates cannot be revoked yet; certificates end by themselves (5)"),
    ),
    (
        10,
        LeftOut("there is no setting that refuses classical key exchange yet"),
    ),
    (11, ATTACKS),
    (12, ATTACKS),
    (18, ATTACKS),
    (20, ATTACKS),
    (21, ATTACKS),
    (22, ATTACKS),
    (23, ATTACKS),
    (26, ATTACKS),
    (32, ATTACKS),
    (51, LeftOut("no message has a map")),
    (
        56,
        LeftOut("no JSON comes in over a socket; the alliance file has tests of its own"),
    ),
    (
        57,
        LeftOut("no JSON comes in over a socket; the alliance file has tests of its own"),
    ),
    (
        90,
        Test("a_flood_turns_new_orders_to_review_everywhere_and_withdrawals_still_pass"),
    ),
    (
        95,
        LeftOut("nothing is passed on under another marking before sealing is built"),
    ),
    (
        96,
        LeftOut("nothing has recipients before sealing is built; above GREEN all is refused (94)"),
    ),
    (98, LeftOut("record keys cannot be revoked yet")),
    (
        101,
        Test("a_flood_of_questions_is_told_to_wait_and_keeps_nobody_else_waiting"),
    ),
];
