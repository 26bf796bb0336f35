//! The habits of this repository, each one a test: who may import whom, how long things may be,
//! what may not be written. A failure names the file and the line.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "the helpers of tests fail by panicking, as tests do"
)]

use std::collections::BTreeSet;

use tocsin_tests::repository::{self, TextFile};
use tocsin_tests::source::{Function, Source};

/// The import table: a crate, what of ours it may import, and why it exists. `tocsin` and the tests
/// may import all.
const MAY_IMPORT: [(&str, &[&str]); 7] = [
    ("tocsin-log", &[]),
    ("tocsin-core", &["tocsin-log"]),
    ("tocsin-screen", &["tocsin-core", "tocsin-log"]),
    (
        "tocsin-wire",
        &["tocsin-core", "tocsin-log", "tocsin-screen"],
    ),
    ("tocsin-store", &["tocsin-log"]),
    (
        "tocsin-cli",
        &["tocsin-core", "tocsin-log", "tocsin-screen", "tocsin-wire"],
    ),
    (
        "tocsin-node",
        &[
            "tocsin-core",
            "tocsin-log",
            "tocsin-screen",
            "tocsin-store",
            "tocsin-wire",
        ],
    ),
];

/// Crates whose results must depend on their arguments alone.
const PURE: [&str; 4] = [
    "crates/tocsin-log/",
    "crates/tocsin-core/",
    "crates/tocsin-screen/",
    "crates/tocsin-wire/",
];

/// What a pure crate may not name: effects, and maps whose order differs from run to run.
const IMPURE: [&str; 15] = [
    "HashMap",
    "HashSet",
    "SystemTime",
    "Instant",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio",
    "tracing",
    "rustls",
    "sled",
    "getrandom",
    "rand",
];

/// Without the unit tests at its end.
const MAX_FILE_LINES: usize = 600;
/// A file of tests alone is read case by case, not from end to end.
const MAX_TEST_FILE_LINES: usize = 900;
const MAX_FUNCTION_LINES: usize = 70;
const MAX_LINE_COLUMNS: usize = 100;

/// Where pages of codes are written; elsewhere a code is made.
const PAGES_OF_CODES: [&str; 2] = ["crates/tocsin-cli/src/codes", "crates/tocsin/src/codes.rs"];

/// Words of capitals that are not codes, or how such begin: variables of the environment, a word
/// that the demonstration shows, and the words of monitoring plug-ins.
const NO_CODES: [&str; 8] = [
    "TOCSIN_", "XDG_", "CARGO_", "NO_COLOR", "LOST", "UNKNOWN", "WARNING", "CRITICAL",
];

/// Functions that may be longer: file, function, reason.
const LONG_FUNCTIONS: [(&str, &str, &str); 0] = [];

/// Files that may be longer: file, reason.
const LONG_FILES: [(&str, &str); 0] = [];

fn fail_on(found: &[String], rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

fn manifest(path: &str) -> toml::Table {
    repository::read(path)
        .unwrap()
        .parse()
        .unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn crates() -> Vec<String> {
    let paths = repository::kept_paths().unwrap();
    let named = paths
        .iter()
        .filter_map(|p| p.strip_prefix("crates/")?.strip_suffix("/Cargo.toml"));
    named.map(str::to_owned).collect()
}

/// Every dependency a manifest names, of any kind and for any target.
fn dependencies(table: &toml::Table) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (key, value) in table {
        let Some(inner) = value.as_table() else {
            continue;
        };
        if key.ends_with("dependencies") {
            let package = |(name, spec): (&String, &toml::Value)| {
                spec.get("package")
                    .and_then(toml::Value::as_str)
                    .unwrap_or(name)
                    .to_owned()
            };
            names.extend(inner.iter().map(package));
        } else if key == "target" {
            names.extend(
                inner
                    .values()
                    .filter_map(toml::Value::as_table)
                    .flat_map(dependencies),
            );
        }
    }
    names
}

#[test]
fn each_crate_imports_only_what_the_table_allows() {
    let mut found = Vec::new();
    for name in crates() {
        if name == "tocsin" {
            continue;
        }
        let row = MAY_IMPORT.iter().find(|(of, _)| *of == name);
        let Some((_, allowed)) = row else {
            found.push(format!("crates/{name} is not in the import table"));
            continue;
        };
        let path = format!("crates/{name}/Cargo.toml");
        let ours = dependencies(&manifest(&path))
            .into_iter()
            .filter(|d| d.starts_with("tocsin"));
        found.extend(
            ours.filter(|d| !allowed.contains(&d.as_str()))
                .map(|d| format!("{path}: {name} must not import {d}")),
        );
    }
    fail_on(&found, "the import table of ARCHITECTURE.md");
}

/// Words of a line of code.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| rest.find(word)) {
        let (start, end) = (from + at, from + at + word.len());
        let before = line[..start].chars().next_back().is_some_and(part);
        let after = line[end..].chars().next().is_some_and(part);
        if !before && !after {
            return true;
        }
        from = end;
    }
    false
}

#[test]
fn the_pure_crates_name_nothing_with_effects() {
    let mut found = Vec::new();
    for file in repository::kept_rust().unwrap() {
        if !PURE
            .iter()
            .any(|p| file.path.starts_with(&format!("{p}src/")))
        {
            continue;
        }
        let source = Source::read(&file.text);
        for (at, line) in source
            .code
            .lines()
            .enumerate()
            .take(source.lines_before_tests)
        {
            let word = IMPURE.iter().find(|word| names(line, word));
            found.extend(word.map(|word| format!("{}:{}: {word}", file.path, at + 1)));
        }
    }
    fail_on(
        &found,
        "a pure crate takes time, order and bytes as arguments",
    );
}

/// Whether a file holds nothing but tests.
fn is_all_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
}

#[test]
fn no_file_is_too_long() {
    let mut found = Vec::new();
    for file in repository::kept_rust().unwrap() {
        let lines = Source::read(&file.text).lines_before_tests;
        let bound = if is_all_tests(&file.path) {
            MAX_TEST_FILE_LINES
        } else {
            MAX_FILE_LINES
        };
        let exempt = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        if lines > bound && !exempt {
            found.push(format!("{}: {lines} lines, at most {bound}", file.path));
        } else if exempt && lines <= bound {
            found.push(format!("{} is exempt and need not be", file.path));
        }
    }
    fail_on(&found, "one file, one noun");
}

#[test]
fn no_function_is_too_long() {
    let mut found = Vec::new();
    let mut met = BTreeSet::new();
    for file in repository::kept_rust().unwrap() {
        let too_long = |f: &Function| f.body_lines > MAX_FUNCTION_LINES;
        for function in Source::read(&file.text)
            .functions()
            .into_iter()
            .filter(too_long)
        {
            let named = |(path, name, _): &&(&str, &str, &str)| {
                *path == file.path && *name == function.name
            };
            if let Some((path, name, _)) = LONG_FUNCTIONS.iter().find(named) {
                met.insert((*path, *name));
                continue;
            }
            let Function {
                name,
                line,
                body_lines,
                ..
            } = function;
            found.push(format!(
                "{}:{line}: {name} has {body_lines} lines",
                file.path
            ));
        }
    }
    let stale = LONG_FUNCTIONS
        .iter()
        .filter(|(path, name, _)| !met.contains(&(*path, *name)));
    found.extend(stale.map(|(path, name, _)| format!("{path}: {name} is exempt for nothing")));
    fail_on(
        &found,
        &format!("a function fits a screen: at most {MAX_FUNCTION_LINES} lines"),
    );
}

#[test]
fn no_line_is_too_wide() {
    let mut found = Vec::new();
    for file in repository::kept_rust().unwrap() {
        let wide = |line: &str| line.chars().count() > MAX_LINE_COLUMNS;
        let lines = file.text.lines().enumerate().filter(|(_, line)| wide(line));
        found.extend(lines.map(|(at, _)| format!("{}:{}", file.path, at + 1)));
    }
    fail_on(
        &found,
        &format!("Rust source is at most {MAX_LINE_COLUMNS} columns wide"),
    );
}

#[test]
fn every_crate_says_in_a_line_why_it_exists() {
    let root = repository::read("Cargo.toml").unwrap();
    let architecture = repository::read("ARCHITECTURE.md").unwrap();
    let lines: Vec<&str> = root.lines().map(str::trim).collect();
    let mut found = Vec::new();
    for name in crates() {
        let member = format!("\"crates/{name}\",");
        let at = lines.iter().position(|l| *l == member);
        let said = at
            .and_then(|at| lines.get(at.checked_sub(1)?))
            .is_some_and(|l| l.starts_with("# "));
        if !said {
            found.push(format!("Cargo.toml: no reason above {member}"));
        }
        if !architecture.contains(&format!("`crates/{name}`")) {
            found.push(format!(
                "ARCHITECTURE.md: the code map lacks `crates/{name}`"
            ));
        }
        let library = repository::read(&format!("crates/{name}/src/lib.rs")).unwrap();
        if !library.starts_with("//! ") {
            found.push(format!(
                "crates/{name}/src/lib.rs:1: does not say what it is for"
            ));
        }
    }
    fail_on(&found, "a crate has a reason one can say in a breath");
}

#[test]
fn nothing_is_left_half_done() {
    // In pieces, so that this file does not hold the words itself.
    let code = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ign", "ore"),
    ];
    let anywhere = [concat!("FIX", "ME"), concat!("not implemented", " yet")];
    let mut found = Vec::new();
    for file in repository::kept_rust().unwrap() {
        let source = Source::read(&file.text);
        for (at, (line, shown)) in file.text.lines().zip(source.code.lines()).enumerate() {
            let left = code.iter().any(|w| shown.contains(w));
            if left || anywhere.iter().any(|w| line.contains(w)) {
                found.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    fail_on(&found, "no stubs, no skipped tests");
}

/// Whether a line names an absolute path below one machine's own directory.
fn names_a_machine(line: &str) -> bool {
    let start = |c: char| !(c.is_ascii_alphanumeric() || "_./-".contains(c));
    ["work", "farm", "root", "home"].iter().any(|top| {
        let path = format!("/{top}/");
        line.match_indices(&path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + path.len()..].chars().next();
            before.is_none_or(start) && after.is_some_and(|c| c.is_ascii_alphabetic() || c == '.')
        })
    })
}

#[test]
fn no_kept_file_names_a_path_of_one_machine() {
    assert!(names_a_machine(&format!("see /{}/main", "work")));
    assert!(!names_a_machine(
        "https://example.org/work/main and ./work/main"
    ));
    let mut found = Vec::new();
    for TextFile { path, text } in repository::kept_text().unwrap() {
        let lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| names_a_machine(line));
        found.extend(lines.map(|(at, line)| format!("{path}:{}: {}", at + 1, line.trim())));
    }
    fail_on(&found, "the repository works wherever it is cloned");
}

/// Every literal of a line that has the form of a code: words of capitals joined by `_`, or one
/// word where a code is made.
fn codes_in(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in line.split('"').enumerate().filter(|(at, _)| at % 2 == 1) {
        let before = line.split('"').take(at).collect::<Vec<_>>().join("\"");
        let makes = ["=> ", ".code(", "unverified("];
        let one = word.len() > 3 && makes.iter().any(|made| before.ends_with(made));
        let has_form = word.starts_with(|c: char| c.is_ascii_uppercase())
            && word
                .chars()
                .all(|c| matches!(c, 'A'..='Z' | '0'..='9' | '_'))
            && (one || (word.contains('_') && !word.ends_with('_')));
        let is_none = |no: &&str| word == *no || (no.ends_with('_') && word.starts_with(no));
        if has_form && !NO_CODES.iter().any(is_none) {
            found.push(word.to_owned());
        }
    }
    found
}

#[test]
fn every_code_in_the_sources_has_its_page_and_no_page_is_idle() {
    let pages = tocsin_cli::codes::all(&tocsin::codes::pages());
    let (mut found, mut made) = (Vec::new(), BTreeSet::new());
    for TextFile { path, text } in repository::kept_rust().unwrap() {
        let is_ours = path.starts_with("crates/") && path.contains("/src/");
        let is_table = PAGES_OF_CODES.iter().any(|table| path.starts_with(table));
        if !is_ours || is_table || path.contains("/gen/") || is_all_tests(&path) {
            continue;
        }
        let source = Source::read(&text);
        let lines = source.uncommented.lines().take(source.lines_before_tests);
        for (at, line) in lines.enumerate() {
            for code in codes_in(line) {
                if !pages.iter().any(|page| page.code == code) {
                    found.push(format!("{path}:{}: {code}", at + 1));
                }
                made.insert(code);
            }
        }
    }
    fail_on(
        &found,
        "`tocsin explain` has no page; write one in codes/table.rs",
    );
    let types = tocsin_core::reason::ALL.iter().map(|reason| reason.code());
    made.extend(types.map(str::to_owned));
    let idle: Vec<String> = pages
        .iter()
        .filter(|page| !page.code.starts_with(|c: char| c.is_ascii_digit()))
        .filter(|page| !made.contains(page.code))
        .map(|page| page.code.to_owned())
        .collect();
    fail_on(&idle, "a page in `tocsin explain` that nothing says");
}

#[test]
fn no_kept_file_is_large() {
    let large = |path: &String| repository::root().join(path).metadata().unwrap().len() > 2_000_000;
    let found: Vec<String> = repository::kept_paths()
        .unwrap()
        .into_iter()
        .filter(large)
        .collect();
    fail_on(&found, "a clone stays small: no file over 2 MB");
}

#[test]
fn the_changelog_speaks_to_operators() {
    let text = repository::read("CHANGELOG.md").unwrap();
    let version = manifest("Cargo.toml")["workspace"]["package"]["version"].clone();
    let mut found = Vec::new();
    let mut headings = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let at = at + 1;
        if let Some(heading) = line.strip_prefix("## ") {
            let (name, date) = heading.split_once(", ").unwrap_or((heading, ""));
            let released = name.split('.').count() == 3 && date.split('-').count() == 3;
            if !released && heading != "Unreleased" && date != "unreleased" {
                found.push(format!(
                    "CHANGELOG.md:{at}: want `VERSION, YYYY-MM-DD`: {heading}"
                ));
            }
            headings.push(name.to_owned());
        } else if let Some(part) = line.strip_prefix("### ")
            && !["Disk", "Wire", "Configuration", "Commands"].contains(&part)
        {
            found.push(format!(
                "CHANGELOG.md:{at}: want Disk, Wire, Configuration or Commands"
            ));
        }
    }
    if !headings
        .iter()
        .any(|h| Some(h.as_str()) == version.as_str())
    {
        found.push(format!("CHANGELOG.md: version {version} is missing"));
    }
    fail_on(&found, "the changelog's form");
}

/// Text between single backticks, with its line.
fn quoted(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (at, line) in text.lines().enumerate() {
        fenced ^= line.starts_with("```");
        if !fenced {
            let inside = line.split('`').skip(1).step_by(2);
            found.extend(inside.map(|quoted| (at + 1, quoted.to_owned())));
        }
    }
    found
}

/// A test's name is a sentence: lower case, at least four words, and no metric's.
fn is_test_name(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    word.chars().all(letters) && word.matches('_').count() >= 3 && !word.starts_with("tocsin_")
}

fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in repository::kept_rust().unwrap() {
        let functions = Source::read(&file.text).functions();
        names.extend(functions.into_iter().filter(|f| f.is_test).map(|f| f.name));
    }
    names
}

#[test]
fn every_test_the_documents_name_exists() {
    let tests = test_names();
    let mut found = Vec::new();
    for document in [
        "SECURITY.md",
        "ARCHITECTURE.md",
        "README.md",
        "deploy/README.md",
    ] {
        let quoted = quoted(&repository::read(document).unwrap());
        let named = quoted.into_iter().filter(|(_, word)| is_test_name(word));
        let missing = named.filter(|(_, word)| !tests.contains(word));
        found.extend(missing.map(|(at, word)| format!("{document}:{at}: no test `{word}`")));
    }
    fail_on(&found, "documents promise what tests hold");
}

#[test]
fn every_path_the_documents_name_exists() {
    let mut found = Vec::new();
    for document in [
        "ARCHITECTURE.md",
        "SECURITY.md",
        "README.md",
        "deploy/README.md",
    ] {
        for (at, word) in quoted(&repository::read(document).unwrap()) {
            let tops = [
                "crates/", "tests/", "proto/", "deploy/", "oracles/", "data/", ".ci/",
            ];
            let path = word.split([' ', ':', '{', '*']).next().unwrap_or_default();
            let ours = tops.iter().any(|top| path.starts_with(top));
            if ours && !repository::root().join(path).exists() {
                found.push(format!("{document}:{at}: no `{path}`"));
            }
        }
    }
    fail_on(&found, "documents name what is there");
}

#[test]
fn every_mitigation_in_security_md_names_its_test() {
    let text = repository::read("SECURITY.md").unwrap();
    let mut found = Vec::new();
    let mut rows = 0;
    for (at, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let head = line.contains("---") || cells.get(1) == Some(&"threat");
        if !line.starts_with('|') || head {
            continue;
        }
        rows += 1;
        let held = cells
            .get(3)
            .is_some_and(|tests| tests.split('`').any(is_test_name));
        if !held {
            found.push(format!(
                "SECURITY.md:{}: {}",
                at + 1,
                cells.get(1).unwrap_or(&"")
            ));
        }
    }
    assert!(rows >= 20, "SECURITY.md has only {rows} threats");
    fail_on(&found, "no promise without a test");
}

#[test]
fn every_invariant_in_architecture_md_names_its_test() {
    let text = repository::read("ARCHITECTURE.md").unwrap();
    let mut found = Vec::new();
    for number in 1..=12 {
        let start = format!("| I{number} |");
        match text.lines().find(|line| line.starts_with(&start)) {
            None => found.push(format!("ARCHITECTURE.md: I{number} is missing")),
            Some(row) => {
                let held = row.split('`').any(is_test_name) || row.contains("arrives with");
                if !held {
                    found.push(format!("ARCHITECTURE.md: I{number} names no test"));
                }
            }
        }
    }
    fail_on(&found, "each invariant is tested");
}
