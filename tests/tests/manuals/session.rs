//! A shell in an empty directory, with the binary on its path and nothing else of ours around.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tempfile::TempDir;
use tocsin_tests::network::free_port;

/// Ports as manuals have them; a test takes free ones in their place.
const PORTS: [u16; 8] = [7337, 7339, 7347, 7349, 7357, 7359, 7367, 7369];
/// Longer than any command of a manual takes.
const PATIENCE: Duration = Duration::from_secs(90);
const MARK: &str = "\u{1}end ";

pub(crate) struct Session {
    shell: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    ports: Vec<(String, String)>,
    dir: TempDir,
}

impl Session {
    pub(crate) fn start(binary: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (bin, home) = (dir.path().join("bin"), dir.path().join("home"));
        std::fs::create_dir(&bin).unwrap();
        std::fs::create_dir(&home).unwrap();
        symlink(binary, bin.join("tocsin")).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc"])
            .env_clear()
            .envs(std::env::var("TOCSIN_PYTHON").map(|python| ("TOCSIN_PYTHON", python)))
            .env("PATH", path)
            .env("HOME", &home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC")
            .current_dir(&home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What commands say goes to the other stream; here the shell tells of jobs that ended.
            .stderr(Stdio::null())
            // What it starts is ended with it, and nothing else.
            .process_group(0);
        let mut shell = command.spawn().unwrap();
        let stdin = shell.stdin.take().unwrap();
        let stdout = BufReader::new(shell.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                let Ok(line) = line else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let ports = PORTS.map(|port| (port.to_string(), free_port().to_string()));
        Self {
            shell,
            stdin,
            lines,
            ports: ports.to_vec(),
            dir,
        }
    }

    /// Runs one command; what it says on both streams, and its exit code.
    pub(crate) fn run(&mut self, command: &str) -> (String, i32) {
        let mut text = command.to_owned();
        for (documented, real) in &self.ports {
            text = text.replace(documented, real);
        }
        // The mark begins a line even where the command's last line has no end.
        let whole = format!("{{ {text}\n}} 2>&1 </dev/null\nprintf '\\n\\001end %d\\n' $?\n");
        self.stdin.write_all(whole.as_bytes()).unwrap();
        self.stdin.flush().unwrap();
        let mut said = String::new();
        loop {
            let line = self
                .lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("$ {command}\ndoes not end; it said:\n{said}"));
            if let Some(code) = line.strip_prefix(MARK) {
                let code = code.trim().parse().unwrap();
                return (self.documented(said), code);
            }
            said.push_str(&line);
            said.push('\n');
        }
    }

    fn documented(&self, mut said: String) -> String {
        for (documented, real) in &self.ports {
            said = said.replace(real, documented);
        }
        // The one line feed that the mark brought along.
        said.pop();
        said.replace(&self.dir.path().join("home").display().to_string(), "~")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let group = format!("-{}", self.shell.id());
        // They may have ended by themselves.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.shell.wait();
    }
}
