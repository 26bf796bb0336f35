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
mod cases;
mod domain;
mod encoding;
mod goods;
mod http2;
mod logs;
mod signatures;
mod slow;
mod socket;
mod table;
mod transport;
mod world;

use std::collections::BTreeSet;

use cases::Elsewhere;
use table::Row;
use tocsin_tests::repository;
use tocsin_tests::source::Source;
use world::World;

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_and_leaves_no_trace() {
    let mut world = World::start().await;
    let mut rows: Vec<Row> = Vec::new();
    rows.extend(transport::rows(&world));
    rows.extend(http2::rows(&world));
    rows.extend(encoding::rows(&world));
    rows.extend(signatures::rows(&world));
    rows.extend(domain::rows(&world));
    rows.extend(goods::rows(&world));
    rows.extend(logs::rows(&world));
    rows.extend(slow::rows());
    // What takes longest began before the first row, and is asked last.
    rows.sort_by_key(|row| (row.number == slow::NUMBER, row.number));

    let covered: BTreeSet<u16> = rows.iter().map(|row| row.number).collect();
    every_case_is_held(&covered);

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

/// Each number has rows, or a test that exists, or a reason why it is left out; one of the three.
fn every_case_is_held(rows: &BTreeSet<u16>) {
    let tests = test_names();
    let mut wrong = Vec::new();
    for number in cases::NUMBERS.into_iter().flatten() {
        let elsewhere = cases::ELSEWHERE.iter().find(|(case, _)| *case == number);
        match (rows.contains(&number), elsewhere.map(|(_, where_)| where_)) {
            (true, None) => {}
            (false, Some(Elsewhere::Test(name))) if tests.contains(*name) => {}
            (false, Some(Elsewhere::LeftOut(_))) => {}
            (true, Some(_)) => wrong.push(format!("{number} has a row and stands elsewhere too")),
            (false, Some(Elsewhere::Test(name))) => wrong.push(format!("{number}: no test {name}")),
            (false, None) => wrong.push(format!("{number} is held nowhere")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (number, elsewhere) in &cases::ELSEWHERE {
        if let Elsewhere::LeftOut(reason) = elsewhere {
            println!("{number:>3}  left out: {reason}");
        }
    }
}

fn test_names() -> BTreeSet<String> {
    let files = repository::kept_rust().unwrap();
    let functions = files
        .iter()
        .flat_map(|file| Source::read(&file.text).functions());
    functions.filter(|f| f.is_test).map(|f| f.name).collect()
}
