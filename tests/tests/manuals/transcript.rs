//! Commands and expected output, read from a manual.

/// One command and what it must say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it stands, counted from 1.
    pub(crate) line: usize,
    pub(crate) command: String,
    pub(crate) output: Vec<String>,
    pub(crate) exit: i32,
    pub(crate) is_soon: bool,
}

/// The steps of every `console` block, in order.
pub(crate) fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_console = false;
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            is_console = kind == "console" && !is_console;
            continue;
        }
        if !is_console {
            continue;
        }
        let Some(first) = line.strip_prefix("$ ") else {
            let step = steps.last_mut().expect("a command before its output");
            step.output.push(line.trim_end().to_owned());
            continue;
        };
        let mut command = first.to_owned();
        while command.ends_with('\\') {
            command.push('\n');
            command.push_str(lines.next().expect("a line after the backslash").1);
        }
        if let Some((_, word)) = first.split_once("<<'") {
            let word = word.trim_end_matches('\'');
            loop {
                let (_, line) = lines.next().expect("the end of a here-document");
                command.push('\n');
                command.push_str(line);
                if line == word {
                    break;
                }
            }
        }
        let note = first.rsplit_once(" # ").map_or("", |(_, note)| note);
        let exit = note
            .strip_prefix("exit ")
            .and_then(|code| code.parse().ok());
        steps.push(Step {
            line: at + 1,
            command,
            output: Vec::new(),
            exit: exit.unwrap_or(0),
            is_soon: note == "soon",
        });
    }
    steps
}

#[test]
fn commands_output_codes_and_promises_are_read() {
    let text = "prose\n```console\n$ a \\\n    b  # exit 5\nsaid\n\n$ cat <<'END'\n$ no\nEND\n\
                $ c # soon\n...\n```\n```toml\n$ not = 1\n```\n";
    let found = steps(text);
    let commands: Vec<&str> = found.iter().map(|step| step.command.as_str()).collect();
    assert_eq!(
        commands,
        [
            "a \\\n    b  # exit 5",
            "cat <<'END'\n$ no\nEND",
            "c # soon"
        ]
    );
    // The note stands on the first line of a command, where a reader sees it.
    assert_eq!(found[0].exit, 0);
    assert_eq!(found[0].output, ["said", ""]);
    assert!(found[2].is_soon);
    assert_eq!(steps("```console\n$ x # exit 10\n```\n")[0].exit, 10);
}
