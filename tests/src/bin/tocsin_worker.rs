//! Processes of their own that tests start beside the nodes: a client under load, and chores on a
//! data directory.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a worker that cannot go on ends there, with the reason"
)]

use std::path::Path;

use tocsin_tests::chores;
use tocsin_tests::load::Load;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["load", home, member, port, journal] => {
            let load = Load {
                home: home.into(),
                member: (*member).to_owned(),
                port: port.parse().expect("a port"),
                journal: journal.into(),
            };
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(load.run());
        }
        ["chores", dir, failpoint] => chores::run(Path::new(dir), failpoint),
        other => panic!("no such work: {other:?}"),
    }
}
