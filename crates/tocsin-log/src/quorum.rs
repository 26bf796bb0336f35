//! How many members must hold an entry before it counts as safe (FORMATS.md 4).
//!
//! Waiting for a grade is the client's choice; nobody waits for one to act provisionally.

/// How far an entry has spread; a higher grade holds what the lower ones hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// Durable at its origin. It can be lost with that machine.
    Local,
    /// Durable at [`replicated`] mirrors besides.
    Replicated,
    /// Durable at a quorum: no other history of the log can have one too.
    Confirmed,
}

/// How many of `members` may lie or fail without harm: the largest f with 3f < members.
#[must_use]
pub const fn tolerated(members: usize) -> usize {
    members.saturating_sub(1) / 3
}

/// How many of `members` make a quorum: any two quorums share more members than are [`tolerated`].
#[must_use]
pub const fn quorum(members: usize) -> usize {
    // (members + tolerated) / 2 + 1, which as it stands would overflow for absurd counts.
    let (half, odd) = (members / 2, members % 2);
    half + (tolerated(members) + odd) / 2 + 1
}

/// How many mirrors besides the origin make an entry replicated.
#[must_use]
pub const fn replicated(members: usize) -> usize {
    let others = members.saturating_sub(1);
    if others < 2 { others } else { 2 }
}

/// The grade of an entry that `count` of `members` hold: those whose cosigned size exceeds its
/// index, and the origin, which counts as one. No member counts twice.
#[must_use]
pub const fn grade(members: usize, count: usize) -> Grade {
    let replicated = replicated(members) + 1;
    let confirmed = if quorum(members) > replicated {
        quorum(members)
    } else {
        replicated
    };
    if members == 0 || count < replicated {
        Grade::Local
    } else if count < confirmed {
        Grade::Replicated
    } else {
        Grade::Confirmed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quorums_are_those_of_the_formats() {
        let table = [
            (4, 1, 3),
            (5, 1, 4),
            (7, 2, 5),
            (10, 3, 7),
            (20, 6, 14),
            (33, 10, 22),
        ];
        for (members, f, q) in table {
            assert_eq!(
                (tolerated(members), quorum(members)),
                (f, q),
                "{members} members"
            );
        }
        assert_eq!((tolerated(60), quorum(60)), (19, 40));
    }

    #[test]
    fn two_quorums_share_an_honest_member() {
        for members in 1..500 {
            let (f, q) = (tolerated(members), quorum(members));
            assert!(3 * f < members && q <= members);
            assert!(2 * q - members > f, "{members} members");
            assert!(
                q <= members - f,
                "a quorum is reached without the faulty: {members}"
            );
        }
        assert!(quorum(usize::MAX) < usize::MAX);
    }

    #[test]
    fn grades_rise_with_the_members_that_hold_it() {
        use Grade::{Confirmed, Local, Replicated};
        let grades = |members| (1..=members).map(|n| grade(members, n)).collect::<Vec<_>>();
        assert_eq!(grades(1), [Confirmed]);
        assert_eq!(grades(2), [Local, Confirmed]);
        assert_eq!(grades(3), [Local, Local, Confirmed]);
        assert_eq!(grades(4), [Local, Local, Confirmed, Confirmed]);
        assert_eq!(grades(5), [Local, Local, Replicated, Confirmed, Confirmed]);
        assert_eq!(grade(0, 0), Local);
        assert_eq!(grade(4, 0), Local);
    }
}
