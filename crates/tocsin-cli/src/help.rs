//! What `--help` shows beside the arguments: examples, commands by role, topics, manual pages.
//!
//! Every command has an example, and every example is run by a test as it stands here, with a
//! network behind it. Whoever adds a command adds a line to [`EXAMPLES`] (or, for a command of the
//! binary, to its own table) and the command to [`ROLES`].

use clap::Command;

pub mod examples;
pub mod topics;

pub use examples::EXAMPLES;

/// One example: what it does, and what is typed. `(exits 10)` at the end of the first says that
/// the exit code is another than 0.
pub type Example = (&'static str, &'static str);

/// The examples of one command, by its words without the first: `("report sign", &[..])`.
pub type Examples = (&'static str, &'static [Example]);

/// The first words of the tool.
pub const ABOUT: &str = "Tocsin: an alarm bell rung in one town and heard in all.";

/// Commands by who mostly uses them, in the order in which help lists them.
pub const ROLES: &[(&str, &[&str])] = &[
    ("Begin", &["demo"]),
    ("Customs", &["lookup", "screen", "block", "notices"]),
    ("Investigators", &["report", "indicator"]),
    ("Officers", &["order", "decide", "policy", "pending"]),
    (
        "Operators",
        &[
            "init", "alliance", "key", "client", "node", "status", "peer", "check", "upgrade",
            "bench",
        ],
    ),
    (
        "Everyone",
        &[
            "verify",
            "log",
            "trace",
            "context",
            "explain",
            "help",
            "man",
            "completion",
        ],
    ),
];

/// The whole command line with its examples and its commands by role.
#[must_use]
pub fn dressed(root: Command, tables: &[&[Examples]]) -> Command {
    let template = template(&root);
    let root = with_examples(root, "", tables);
    root.help_template(template)
}

/// Adds to a command, and to all below it, the examples that the tables have for it. What a command
/// says after its help by itself stays.
fn with_examples(command: Command, path: &str, tables: &[&[Examples]]) -> Command {
    let names: Vec<String> = command
        .get_subcommands()
        .map(|below| below.get_name().to_owned())
        .collect();
    let mut command = command.disable_help_subcommand(true);
    for name in names {
        let below = if path.is_empty() {
            name.clone()
        } else {
            format!("{path} {name}")
        };
        command = command.mut_subcommand(name, |c| with_examples(c, &below, tables));
    }
    let mut found = tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|(of, _)| *of == path)
        .flat_map(|(_, examples)| examples.iter())
        .peekable();
    if found.peek().is_none() {
        return command;
    }
    let mut text = String::from("Examples:");
    for (says, line) in found {
        text.push_str(&format!("\n  # {says}\n  {line}"));
    }
    match command.get_after_help().map(ToString::to_string) {
        Some(own) => command.after_help(format!("{text}\n\n{own}")),
        None => command.after_help(text),
    }
}

fn template(root: &Command) -> String {
    let mut text = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    let wide = root
        .get_subcommands()
        .map(|command| command.get_name().len())
        .max()
        .unwrap_or(0);
    for (role, names) in ROLES {
        text.push_str(&format!("\n{role}:\n"));
        for name in *names {
            let Some(command) = root.find_subcommand(name) else {
                continue;
            };
            let about = command.get_about().map(ToString::to_string);
            text.push_str(&format!("  {name:wide$}  {}\n", about.unwrap_or_default()));
        }
    }
    text.push_str("\nOptions:\n{options}{after-help}");
    text
}

/// What `tocsin` alone shows: at most 25 lines, one for each role.
#[must_use]
pub fn short(root: &Command) -> String {
    let mut text = format!("{ABOUT}\n\nUsage: tocsin [OPTIONS] COMMAND\n\n");
    for (role, names) in ROLES {
        let known: Vec<&str> = names
            .iter()
            .filter(|name| root.find_subcommand(name).is_some())
            .copied()
            .collect();
        if !known.is_empty() {
            text.push_str(&format!("  {role:13}  {}\n", known.join("  ")));
        }
    }
    text.push_str(
        "
  tocsin demo                  see it all at work on this machine
  tocsin lookup 4006381333931  is it blocked here?
  tocsin COMMAND --help        what a command does, with examples
  tocsin explain CODE          what a code in a message means
  tocsin help exit-codes       and names, cursors, filters, tlp, settings
",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use clap::Subcommand;

    fn root() -> Command {
        let root = args::Command::augment_subcommands(Command::new("tocsin"));
        dressed(root, &[EXAMPLES])
    }

    fn of<'a>(root: &'a Command, path: &str) -> Option<&'a Command> {
        path.split(' ')
            .try_fold(root, |command, word| command.find_subcommand(word))
    }

    #[test]
    fn every_entry_of_the_tables_names_a_command() {
        let root = root();
        for (path, examples) in EXAMPLES {
            let command = of(&root, path).unwrap_or_else(|| panic!("no command {path}"));
            let needs_more = command.has_subcommands() && command.is_subcommand_required_set();
            assert!(!needs_more, "{path} takes a further word");
            let help = command.get_after_help().unwrap().to_string();
            for (says, line) in *examples {
                assert!(help.contains(says) && help.contains(line), "{path}: {help}");
                assert!(line.contains(&format!("tocsin {path}")), "{line}");
            }
        }
    }

    #[test]
    fn the_tool_alone_says_no_more_than_a_screen() {
        let text = short(&root());
        assert!(text.lines().count() <= 25, "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn help_lists_commands_by_role() {
        let text = root().render_help().to_string();
        let at = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word}: {text}"));
        assert!(at("Customs:") < at("  lookup ") && at("  lookup ") < at("Officers:"));
    }
}
