//! `help`, `man` and `completion`: the command line, told from its one source.

use std::path::Path;

use clap::Command;
use serde_json::json;

use crate::failure::{Exit, Failure};
use crate::files::make_folder;
use crate::help::topics::TOPICS;
use crate::session::Session;
use crate::suggest::nearest;

/// `help`, `help COMMAND..`, `help TOPIC`.
///
/// # Errors
/// When there is no such command or topic.
pub fn help(session: &mut Session, words: &[String], mut root: Command) -> Result<Exit, Failure> {
    let topic = words
        .first()
        .map(String::as_str)
        .filter(|_| words.len() == 1);
    if let Some((_, text)) = TOPICS.iter().find(|(word, _)| Some(*word) == topic) {
        session.out.raw(&text())?;
        return Ok(Exit::Ok);
    }
    root.build();
    let mut command = &mut root;
    for word in words {
        let known: Vec<String> = command
            .get_subcommands()
            .map(|below| below.get_name().to_owned())
            .chain(TOPICS.iter().map(|(topic, _)| (*topic).to_owned()))
            .collect();
        let Some(below) = command.find_subcommand_mut(word) else {
            let near = nearest(word, known.iter().map(String::as_str));
            let topics: Vec<&str> = TOPICS.iter().map(|(topic, _)| *topic).collect();
            let advice = near.map_or_else(
                || format!("topics are {}", topics.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            let text = format!("no command or topic `{}`", words.join(" "));
            return Err(Failure::new(Exit::NotFound, text).advice(advice));
        };
        command = below;
    }
    let text = command.render_long_help().to_string();
    session.out.raw(&text)?;
    Ok(Exit::Ok)
}

/// `man`: the first page, or all pages into a folder.
///
/// # Errors
/// When a page cannot be written.
pub fn man(session: &mut Session, dir: Option<&Path>, root: Command) -> Result<Exit, Failure> {
    let Some(dir) = dir else {
        session.out.raw(&render(root)?)?;
        return Ok(Exit::Ok);
    };
    let writes = !session.globals.dry_run;
    if writes {
        make_folder(dir)?;
    }
    let mut root = root.disable_help_subcommand(true);
    root.build();
    let mut pages = Vec::new();
    collect(&root, "", &mut pages);
    let count = pages.len();
    for (name, page) in pages {
        let path = dir.join(format!("{name}.1"));
        if !writes {
            continue;
        }
        std::fs::write(&path, render(page)?).map_err(|e| Failure::file(&path, "write", &e))?;
    }
    let value = json!({"dir": dir.display().to_string(), "pages": count});
    session.out.object(
        "manual",
        &[("written to", "dir"), ("pages", "pages")],
        &value,
    )?;
    Ok(Exit::Ok)
}

/// A command's page and those of all below it, under the names that `man` looks for.
fn collect(command: &Command, above: &str, pages: &mut Vec<(String, Command)>) {
    let name = if above.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{above}-{}", command.get_name())
    };
    for below in command.get_subcommands() {
        collect(below, &name, pages);
    }
    pages.push((name.clone(), command.clone().display_name(name)));
}

fn render(page: Command) -> Result<String, Failure> {
    let mut text = Vec::new();
    clap_mangen::Man::new(page)
        .render(&mut text)
        .map_err(|e| Failure::new(Exit::Failed, format!("cannot write the page: {e}")))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// `completion SHELL`.
///
/// # Errors
/// When the script cannot be printed.
pub fn completion(
    session: &mut Session,
    shell: clap_complete::Shell,
    mut root: Command,
) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut root, "tocsin", &mut script);
    session.out.raw(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
