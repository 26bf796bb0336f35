//! systemd's side of sd_notify(3), as a socket of ours.

use std::collections::VecDeque;
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::{Duration, Instant};

use tocsin_tests::network::{Network, PATIENCE};

use crate::BINARY;

struct Supervisor {
    socket: UnixDatagram,
    heard: VecDeque<String>,
}

impl Supervisor {
    /// Waits for a message with this line, passing by others.
    fn expect(&mut self, line: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut buffer = [0; 4096];
        while Instant::now() < end {
            if let Ok(length) = self.socket.recv(&mut buffer) {
                let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
                if text.lines().any(|said| said == line) {
                    return text;
                }
                self.heard.push_back(text);
            }
        }
        panic!("{line} was never said, but {:?}", self.heard);
    }
}

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_hears_ready_alive_reloading_and_stopping() {
    let mut network = Network::found(BINARY, &["us"]);
    let path = network.dir().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let mut supervisor = Supervisor {
        socket,
        heard: VecDeque::new(),
    };
    network.set("us", "NOTIFY_SOCKET", path.to_str().unwrap());
    network.set("us", "WATCHDOG_USEC", "400000");
    network.run("us");
    supervisor.expect("READY=1");
    network.ready("us").await;
    supervisor.expect("WATCHDOG=1");
    supervisor.expect("WATCHDOG=1");

    let process = network.pid("us").unwrap();
    signal("-HUP", process);
    let said = supervisor.expect("RELOADING=1");
    assert!(said.contains("MONOTONIC_USEC="), "{said}");
    supervisor.expect("READY=1");

    signal("-TERM", process);
    supervisor.expect("STOPPING=1");
}
