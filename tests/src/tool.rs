//! The hand tool as people and programs run it: a process of its own, with its own contexts.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::network::{CLIENT, Network};

/// The hand tool of one member's client.
#[derive(Debug)]
pub struct Tool {
    binary: PathBuf,
    config: PathBuf,
}

/// What a run of it told.
#[derive(Debug)]
pub struct Told {
    /// Its exit code.
    pub exit: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Network {
    /// The hand tool of the client of `id`, in a context for its own node.
    ///
    /// # Panics
    /// When its context cannot be made.
    #[must_use]
    pub fn tool(&self, id: &str) -> Tool {
        let config = self.dir().join(format!("{id}-tool"));
        fs::create_dir_all(&config).expect("a folder for contexts");
        let tool = Tool {
            binary: self.binary().to_owned(),
            config,
        };
        let (home, context) = (&self.member(id).home, self.context(id, id));
        let (alliance, genesis) = (home.alliance(), context.genesis.expect("a fingerprint"));
        let (cert, key) = (home.client_cert(CLIENT), home.client_cert_key(CLIENT));
        let admin = context.admin.expect("an admin address");
        let paths = [&alliance, &cert, &key].map(|path| path.display().to_string());
        let [alliance, cert, key] = &paths;
        let told = tool.run(&[
            "context",
            "add",
            id,
            "--endpoint",
            &context.endpoint,
            "--member",
            id,
            "--alliance",
            alliance,
            "--cert",
            cert,
            "--cert-key",
            key,
            "--genesis",
            &genesis,
            "--admin",
            &admin,
        ]);
        assert_eq!(told.exit, 0, "{told:?}");
        tool
    }
}

impl Tool {
    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started, or a signal ends it.
    #[must_use]
    pub fn run(&self, args: &[&str]) -> Told {
        let mut command = Command::new(&self.binary);
        command.args(args).env("TOCSIN_CONFIG_DIR", &self.config);
        let done = command.output().expect("the hand tool runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Told {
            exit: done.status.code().expect("it ends by itself"),
            out: text(&done.stdout),
            err: text(&done.stderr),
        }
    }

    /// Begins to run it, with its output on a pipe.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn begin(&self, args: &[&str]) -> Child {
        let mut command = Command::new(&self.binary);
        command.args(args).env("TOCSIN_CONFIG_DIR", &self.config);
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("the hand tool runs")
    }

    /// Runs it and reads the one JSON document that it prints.
    ///
    /// # Panics
    /// When it prints none.
    #[must_use]
    pub fn json(&self, args: &[&str]) -> (i32, Value) {
        let told = self.run(&[args, &["--output", "json"]].concat());
        let read = serde_json::from_str(&told.out);
        (
            told.exit,
            read.unwrap_or_else(|error| panic!("{error}: {told:?}")),
        )
    }
}
