//! What bad input gets: one table, each row over the real TLS socket of a real node.
//!
//! The numbers are those of the cases that this project promises to answer; where a case speaks of
//! a sequence number or a previous hash, its counterpart in FORMATS.md stands here. After every
//! row the processes live, a good request is served, and the log of the node has grown by what the
//! row says and by nothing else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    unreachable_pub,
    missing_debug_implementations,
    reason = "a test that cannot go on ends there, and nobody else calls its helpers"
)]

mod bytes;
mod domain;
mod encoding;
mod logs;
mod signatures;
mod slow;
mod socket;
mod table;
mod transport;
mod world;

use std::collections::BTreeSet;

use table::Row;
use world::World;

/// Every case that must have a row.
const NUMBERS: [u16; 44] = [
    1, 2, 3, 4, 5, 8, 9, 13, 25, 29, 30, 31, 43, 44, 45, 46, 47, 48, 49, 50, 52, 53, 54, 55, 58,
    59, 60, 61, 62, 70, 71, 72, 73, 74, 75, 76, 77, 81, 82, 83, 84, 85, 86, 87,
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_and_leaves_no_trace() {
    let mut world = World::start().await;
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(transport::rows(&world));
    rows.extend(encoding::rows(&world));
    rows.extend(signatures::rows(&world));
    rows.extend(domain::rows(&world));
    rows.extend(logs::rows(&world));
    rows.extend(slow::rows());
    // What takes longest began before the first row, and is asked last.
    rows.sort_by_key(|row| (row.number == slow::NUMBER, row.number));

    let covered: BTreeSet<u16> = rows.iter().map(|row| row.number).collect();
    let missing: Vec<u16> = NUMBERS
        .into_iter()
        .filter(|number| !covered.contains(number))
        .collect();
    assert!(missing.is_empty(), "cases without a row: {missing:?}");

    let mut wrong = Vec::new();
    for row in &rows {
        wrong.extend(world.run(row).await);
    }
    println!(
        "{} rows for {} cases, {} wrong",
        rows.len(),
        covered.len(),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
