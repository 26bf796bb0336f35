//! What each attack must come to.

use tocsin_tests::attack::{Attack, Tally};

/// ENHANCE_YOUR_CALM, RFC 9113 section 7.
const CALM: u32 = 11;
/// File handles of a node at rest, its handshakes of one address and a member's connections.
const MAX_FILES: usize = 64 + 512 + 256;

/// What of an attack's end is not as it must be.
pub(crate) fn unlike(attack: &Attack, tally: &Tally, most_files: usize) -> Vec<String> {
    let mut found = Vec::new();
    let mut must = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    must(tally.rounds > 0, "it never began");
    must(most_files <= MAX_FILES, "too many files");
    let cut = tally.cut > 0;
    let within = |from: u64, to: u64| (from..=to).contains(&tally.longest_ms);
    match attack.name {
        // Nothing of these is wrong in itself; what they cost is bounded.
        "hello flood" | "reconnects" | "paced reset" | "HPACK thrash" => {}
        "no certificate" => must(tally.whole == 0, "a stranger was let in"),
        "silent sockets" | "trickled hello" | "unfinished hello" | "no preface" => {
            must(cut && tally.whole == 0, "not cut");
            must(within(0, 7_000), "not cut at five seconds");
        }
        "rapid reset" | "made you reset" => {
            must(cut, "not cut");
            // A GOAWAY is lost where its reader is still writing; the table has it (16, 17).
            let calm = tally.goaways.keys().all(|code| *code == CALM);
            must(calm, "told something else than to calm down");
        }
        "slow writers" => {
            // Those that began early enough; their streams end at thirty seconds.
            must(tally.answers >= 64, "not told that it took too long");
        }
        "length claims" | "unfinished messages" | "compressed bombs" | "pattern bombs" => {
            // Whoever sends more than the window lets, as these do where the machine is fast, is
            // cut for that (RFC 9113 section 5.2) before the answer.
            must(tally.answers >= 16 || cut, "neither refused nor cut");
        }
        // Where the machine is slow, a round may have gone before the node came to read it.
        _ => must(cut, "not cut"),
    }
    found
}
