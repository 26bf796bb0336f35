//! One run of the tool: its flags, where it prints, and the node it speaks to.

use std::path::PathBuf;

use tocsin_core::roster::{Alliance, Member};
use tocsin_log::keyfile::{KeyText, Purpose};
use tonic::transport::Channel;

use crate::args::Globals;
use crate::connect::connect;
use crate::context::{Context, Contexts, Resolved, Settings, config_dir, member};
use crate::failure::{Exit, Failure};
use crate::keyfile;
use crate::output::Output;
use crate::terminal::Terminal;

/// One run of the tool.
#[derive(Debug)]
pub struct Session {
    /// Flags that every command takes.
    pub globals: Globals,
    /// Where results go.
    pub out: Output,
    /// Who can be asked.
    pub terminal: Terminal,
    /// The command line as it was typed.
    args: Vec<String>,
    /// A protected context was confirmed in this run.
    confirmed: bool,
}

/// The node of a context, and what its answers are checked against.
#[derive(Clone, Debug)]
pub struct Node {
    /// The context.
    pub context: Context,
    /// Its alliance, verified.
    pub alliance: Alliance,
    /// The channel.
    pub channel: Channel,
}

/// Makes a client of one service over a node's channel, with answers bounded.
#[macro_export]
macro_rules! client {
    ($node:expr, $module:ident, $client:ident) => {
        tocsin_wire::proto::v1::$module::$client::new($node.channel.clone())
            .max_decoding_message_size($crate::rpc::MAX_ANSWER_BYTES)
    };
}

impl Session {
    /// A run with these flags, printing to the process's own streams.
    #[must_use]
    pub fn new(globals: Globals) -> Self {
        let out = Output::new(globals.output, globals.color, globals.quiet);
        Self::with(globals, out, Terminal::own(), std::env::args().collect())
    }

    /// A run that prints and asks elsewhere. `args` is the command line as it was typed.
    #[must_use]
    pub const fn with(
        globals: Globals,
        out: Output,
        terminal: Terminal,
        args: Vec<String>,
    ) -> Self {
        Self {
            globals,
            out,
            terminal,
            args,
            confirmed: false,
        }
    }

    /// The context asked for: flag, then TOCSIN_CONTEXT, then the current one, then the only one.
    ///
    /// # Errors
    /// When there is none, or none can be chosen.
    pub fn context(&self) -> Result<Context, Failure> {
        self.resolved(None).map(|resolved| resolved.context)
    }

    /// The same, or the one named here, with its name and what gave each value. TOCSIN_ENDPOINT and
    /// TOCSIN_KEY win over what stands in it.
    ///
    /// # Errors
    /// When there is none, or none can be chosen.
    pub fn resolved(&self, name: Option<&str>) -> Result<Resolved, Failure> {
        let contexts = Contexts::load(&config_dir()?)?;
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let by_variable = self.globals.context.as_deref();
        let typed = by_variable.filter(|name| is_typed(name, &self.args));
        contexts.resolve(&Settings {
            argument: name,
            flag: typed,
            variable: by_variable.filter(|_| typed.is_none()),
            endpoint: variable("TOCSIN_ENDPOINT"),
            key: variable("TOCSIN_KEY"),
        })
    }

    /// The admin address named, else the context's; only the first needs no context.
    ///
    /// # Errors
    /// When there is neither; `command` is what can be typed instead.
    pub fn admin(&self, named: Option<&str>, command: &str) -> Result<String, Failure> {
        if let Some(named) = named {
            return Ok(named.to_owned());
        }
        self.context()?.admin.ok_or_else(|| {
            let advice = format!("on the node's machine: {command} --admin http://127.0.0.1:7339");
            Failure::usage("the context names no admin address").advice(advice)
        })
    }

    /// Connects to the context's node.
    ///
    /// # Errors
    /// When there is no context, or no node that proves to be it.
    pub async fn node(&self) -> Result<Node, Failure> {
        let context = self.context()?;
        let alliance = context.open_alliance()?;
        let channel = connect(&context, self.globals.timeout).await?;
        Ok(Node {
            context,
            alliance,
            channel,
        })
    }

    /// Lets nothing be changed through a protected context by mistake; says whether that was
    /// confirmed, so that nobody is asked twice. See [`guard_as`](Self::guard_as).
    ///
    /// # Errors
    /// As [`guard_as`](Self::guard_as), or when no context can be chosen.
    pub fn guard(&mut self) -> Result<bool, Failure> {
        let resolved = self.resolved(None)?;
        self.guard_as(&resolved)
    }

    /// Prints where a change would go and wants the member's id typed; or, where nobody is there,
    /// `--yes` and the context by name on this very command line. Asks once in a run; a dry run
    /// changes nothing.
    ///
    /// # Errors
    /// When it is not confirmed, or nobody can be asked.
    pub fn guard_as(&mut self, resolved: &Resolved) -> Result<bool, Failure> {
        let Resolved { name, context, .. } = resolved;
        if !context.protected || self.confirmed || self.globals.dry_run {
            return Ok(self.confirmed);
        }
        let (member, endpoint) = (&context.member, &context.endpoint);
        let place = format!("context {name} (protected), member {member}, node {endpoint}");
        self.out.note(&format!("This changes something: {place}"));
        let refused = |text: &str| {
            Failure::usage(format!("not done: {text}"))
                .code("PROTECTED_CONTEXT")
                .detail(place.clone())
                .advice(format!(
                    "if that is where it should go: the same with -c {name} --yes"
                ))
        };
        if self.globals.yes {
            if !is_typed(name, &self.args) {
                return Err(refused("--yes does not say which context is meant"));
            }
        } else if !self.is_attended() {
            return Err(refused("the context is protected, and nobody can be asked"));
        } else {
            let answer = self
                .terminal
                .ask(&format!("Type the member's id ({member}) to go on:"))?;
            if answer != *member {
                return Err(refused("what was typed is not the member's id"));
            }
        }
        self.confirmed = true;
        Ok(true)
    }

    /// The record keys named, else the context's.
    ///
    /// # Errors
    /// When none is named and the context has none, or one is no usable record key.
    pub fn keys(&self, named: &[PathBuf]) -> Result<Vec<KeyText>, Failure> {
        if !named.is_empty() {
            return named
                .iter()
                .map(|path| keyfile::read_for(path, Purpose::Record))
                .collect();
        }
        let path = self.context()?.key.ok_or_else(|| {
            Failure::usage("no key to sign with")
                .advice("name your record key with --key FILE, or keep it in the context")
        })?;
        Ok(vec![keyfile::read_for(&path, Purpose::Record)?])
    }

    /// Whether somebody sits there to be asked, and wants to be.
    #[must_use]
    pub const fn is_attended(&self) -> bool {
        !self.globals.no_input && self.terminal.is_attended()
    }

    /// Asks before something that binds. A dry run changes nothing, so it does not ask.
    ///
    /// # Errors
    /// When the answer is no, or nobody can be asked.
    pub fn confirm(&mut self, question: &str) -> Result<(), Failure> {
        if self.globals.yes || self.globals.dry_run {
            return Ok(());
        }
        if !self.is_attended() {
            return Err(Failure::usage("this needs a confirmation")
                .code("CONFIRMATION_NEEDED")
                .advice("read what is to be done, then say --yes"));
        }
        let asked = crate::output::clean_line(question);
        let answer = self.terminal.ask(&format!("{asked} [y/N]"))?;
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::new(Exit::Failed, "not done: the answer was no")),
        }
    }

    /// Asks before something is sent to the context's node: for the member's id where the context
    /// is protected, else for a yes.
    ///
    /// # Errors
    /// As [`guard`](Self::guard) and [`confirm`](Self::confirm).
    pub fn confirm_sending(&mut self, question: &str) -> Result<(), Failure> {
        if self.guard()? {
            return Ok(());
        }
        self.confirm(question)
    }

    /// Says that nothing was changed, in a dry run.
    ///
    /// # Errors
    /// When the stream is closed.
    pub fn say_if_dry(&mut self) -> Result<bool, Failure> {
        if self.globals.dry_run {
            self.out.say("Nothing was written: --dry-run.")?;
        }
        Ok(self.globals.dry_run)
    }
}

/// Whether a command line names a context itself: what stands in the environment was said once and
/// for other commands too.
fn is_typed(name: &str, args: &[String]) -> bool {
    let mut follows = false;
    for arg in args {
        let attached = arg
            .strip_prefix("--context=")
            .or_else(|| arg.strip_prefix("-c="))
            .or_else(|| arg.strip_prefix("-c"));
        if (follows && arg == name) || attached.is_some_and(|text| text == name) {
            return true;
        }
        follows = matches!(arg.as_str(), "-c" | "--context");
    }
    false
}

impl Node {
    /// The member whose node it is.
    ///
    /// # Errors
    /// When the alliance does not know it.
    pub fn member(&self) -> Result<&Member, Failure> {
        member(&self.alliance, &self.context.member)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser;

    use super::*;
    use crate::context::tests::context;
    use crate::output::Format;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        globals: Globals,
        rest: Vec<String>,
    }

    /// A session as this command line makes it, with what it prints thrown away.
    pub(crate) fn session(line: &str, terminal: Terminal) -> Session {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let globals = Line::try_parse_from(&args).unwrap().globals;
        let sink = || Box::new(std::io::sink());
        Session::with(
            globals,
            Output::to(Format::Table, sink(), sink()),
            terminal,
            args,
        )
    }

    fn guarded(line: &str, terminal: Terminal) -> Result<bool, Failure> {
        let context = Context {
            protected: true,
            ..context("de")
        };
        let resolved = Resolved::of("prod", context);
        session(line, terminal).guard_as(&resolved)
    }

    fn answer(text: &'static str) -> Terminal {
        Terminal::answering(text.as_bytes())
    }

    #[test]
    fn only_the_command_line_itself_names_a_context_for_sure() {
        let names = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            is_typed("de", &args)
        };
        assert!(names("tocsin -c de order submit o.tsn --yes"));
        assert!(names("tocsin order submit o.tsn --context de --yes"));
        assert!(names("tocsin --context=de pending"));
        assert!(names("tocsin -cde pending"));
        assert!(!names("tocsin order submit de --yes"));
        assert!(!names("tocsin -c jp order submit o.tsn --yes"));
    }

    #[test]
    fn a_protected_context_wants_the_members_id_typed() {
        assert_eq!(guarded("tocsin submit", answer("de\n")), Ok(true));
        for wrong in ["", "\n", "y\n", "prod\n", "DE\n"] {
            assert!(
                guarded("tocsin submit", answer(wrong)).is_err(),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn nobody_to_ask_is_a_refusal_that_says_what_to_type() {
        for line in [
            "tocsin submit",
            "tocsin submit --no-input",
            "tocsin submit --yes",
        ] {
            let refused = guarded(line, Terminal::unattended()).unwrap_err();
            assert_eq!(refused.exit, Exit::Usage);
            assert_eq!(refused.code.as_deref(), Some("PROTECTED_CONTEXT"));
            assert!(refused.advice.unwrap().ends_with("-c prod --yes"));
            assert!(refused.details[0].contains("https://127.0.0.1:7337"));
        }
        let refused = guarded("tocsin submit --no-input", answer("de\n"));
        assert!(refused.is_err(), "--no-input asks nobody");
        let other = guarded("tocsin -c test submit --yes", Terminal::unattended());
        assert!(other.is_err(), "another context was named");
    }

    #[test]
    fn yes_passes_where_the_context_is_named_beside_it() {
        let passed = guarded("tocsin -c prod submit --yes", Terminal::unattended());
        assert_eq!(passed, Ok(true));
        let dry = guarded("tocsin submit --dry-run", Terminal::unattended());
        assert_eq!(dry, Ok(false), "a dry run changes nothing");
    }

    #[test]
    fn an_open_context_is_not_guarded() {
        let resolved = Resolved::of("test", context("de"));
        let mut session = session("tocsin submit", Terminal::unattended());
        assert_eq!(session.guard_as(&resolved), Ok(false));
    }

    #[test]
    fn a_confirmation_is_a_yes_and_nothing_else() {
        let confirm = |line: &str, terminal| session(line, terminal).confirm("Do it?");
        for yes in ["y\n", "Yes\n"] {
            assert_eq!(confirm("tocsin x", answer(yes)), Ok(()));
        }
        for no in ["\n", "n\n", "", "yess\n"] {
            assert!(confirm("tocsin x", answer(no)).is_err(), "{no:?}");
        }
        let refused = confirm("tocsin x --no-input", answer("y\n")).unwrap_err();
        assert_eq!(refused.code.as_deref(), Some("CONFIRMATION_NEEDED"));
        assert_eq!(confirm("tocsin x --yes", Terminal::unattended()), Ok(()));
        assert_eq!(
            confirm("tocsin x --dry-run", Terminal::unattended()),
            Ok(())
        );
    }
}
