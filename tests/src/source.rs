//! Rust source, read just far enough: comments and literals told from code, functions found and
//! measured.
//!
//! A lexer, not a parser. It knows nested comments, raw strings, and characters beside lifetimes; a
//! macro's body counts as code.

/// One file in three forms of equal shape: the same lines, the same columns.
#[derive(Debug)]
pub struct Source {
    /// Comments and the insides of literals are spaces.
    pub code: String,
    /// Only comments are spaces.
    pub uncommented: String,
    /// Lines before the unit tests at the file's end; all lines when there are none.
    pub lines_before_tests: usize,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its own name, without the path.
    pub name: String,
    /// Line of its `fn`, from 1.
    pub line: usize,
    /// Lines of its body that hold code: blank lines and comments do not count, as in clippy.
    pub body_lines: usize,
    /// Whether an attribute above it ends in `test` or `test(..)`.
    pub is_test: bool,
}

impl Source {
    /// Tells code from comments and literals. Total: text that is not Rust gives some answer.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let (code, uncommented) = blank(text);
        let lines_before_tests = tail(&code).unwrap_or_else(|| code.lines().count());
        Self {
            code,
            uncommented,
            lines_before_tests,
        }
    }

    /// Every function with a body, in order; closures and declarations without a body are not
    /// listed.
    #[must_use]
    pub fn functions(&self) -> Vec<Function> {
        let chars: Vec<char> = self.code.chars().collect();
        let holds_code: Vec<bool> = self
            .uncommented
            .lines()
            .map(|l| !l.trim().is_empty())
            .collect();
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(start) = next_word(&chars, at, "fn") {
            at = start + 2;
            let Some((name, after)) = identifier(&chars, at) else {
                continue;
            };
            let Some(open) = body_start(&chars, after) else {
                continue;
            };
            let close = body_end(&chars, open);
            let (first, last) = (line_of(&chars, open), line_of(&chars, close));
            let inside = holds_code.iter().take(last.saturating_sub(1)).skip(first);
            found.push(Function {
                name,
                line: line_of(&chars, start),
                body_lines: inside.filter(|held| **held).count(),
                is_test: is_test(&chars, start),
            });
        }
        found
    }
}

/// Line of the first `#[cfg(test)]` that stands at the left edge before a module, less one.
fn tail(code: &str) -> Option<usize> {
    let lines: Vec<&str> = code.lines().collect();
    lines.iter().enumerate().position(|(at, line)| {
        let opens = lines
            .iter()
            .skip(at + 1)
            .find(|l| !l.trim_start().starts_with("#["));
        line.starts_with("#[cfg(test)]")
            && opens.is_some_and(|l| l.starts_with("mod ") && l.contains('{'))
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Literal,
    Comment,
}

/// `(code, uncommented)` as in [`Source`].
fn blank(text: &str) -> (String, String) {
    let chars: Vec<char> = text.chars().collect();
    let kinds = kinds(&chars);
    let keep = |wanted: &dyn Fn(Kind) -> bool| {
        let shown = |(c, kind): (&char, &Kind)| if *c == '\n' || wanted(*kind) { *c } else { ' ' };
        chars.iter().zip(&kinds).map(shown).collect::<String>()
    };
    (
        keep(&|kind| kind == Kind::Code),
        keep(&|kind| kind != Kind::Comment),
    )
}

fn kinds(chars: &[char]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(chars.len());
    while kinds.len() < chars.len() {
        let at = kinds.len();
        let rest = chars.get(at..).unwrap_or_default();
        let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
        let (kind, length) = match rest {
            ['/', '/', ..] => (Kind::Comment, until_newline(rest)),
            ['/', '*', ..] => (Kind::Comment, block_comment(rest)),
            ['"', ..] => (Kind::Literal, quoted(rest)),
            ['r', '"' | '#', ..] if !before.is_some_and(is_word) || before == Some('b') => {
                match raw_string(rest) {
                    Some(length) => (Kind::Literal, length),
                    None => (Kind::Code, 1),
                }
            }
            ['\'', '\\', ..] => (Kind::Literal, escaped_character(rest)),
            ['\'', c, '\'', ..] if *c != '\'' => (Kind::Literal, 3),
            _ => (Kind::Code, 1),
        };
        let end = (at + length.max(1)).min(chars.len());
        kinds.resize(end, kind);
    }
    kinds
}

fn until_newline(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(pair) = rest.get(at..at + 2) {
        match pair {
            ['/', '*'] => (depth, at) = (depth + 1, at + 2),
            ['*', '/'] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while let Some(c) = rest.get(at) {
        match c {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().skip(1).take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"')
        .chain(std::iter::repeat_n('#', hashes))
        .collect();
    let body = 2 + hashes;
    let found = rest
        .get(body..)?
        .windows(closing.len())
        .position(|w| w == closing);
    Some(found.map_or(rest.len(), |at| body + at + closing.len()))
}

fn escaped_character(rest: &[char]) -> usize {
    rest.iter()
        .skip(3)
        .position(|c| *c == '\'')
        .map_or(rest.len(), |at| at + 4)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn next_word(chars: &[char], from: usize, word: &str) -> Option<usize> {
    let wanted: Vec<char> = word.chars().collect();
    let found = |at: &usize| {
        let edge = |i: Option<usize>| !i.and_then(|i| chars.get(i)).copied().is_some_and(is_word);
        chars.get(*at..at + wanted.len()) == Some(wanted.as_slice())
            && edge(at.checked_sub(1))
            && edge(Some(at + wanted.len()))
    };
    (from..chars.len()).find(found)
}

fn identifier(chars: &[char], from: usize) -> Option<(String, usize)> {
    let rest = chars.get(from..)?;
    let skipped = rest.iter().take_while(|c| c.is_whitespace()).count();
    let name: String = rest
        .iter()
        .skip(skipped)
        .take_while(|c| is_word(**c))
        .collect();
    let after = from + skipped + name.chars().count();
    (skipped > 0 && !name.is_empty()).then_some((name, after))
}

/// The `{` that opens the body; none for a declaration that ends in `;`.
fn body_start(chars: &[char], from: usize) -> Option<usize> {
    let mut depth = 0_i32;
    for (at, c) in chars.iter().enumerate().skip(from) {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ if depth < 0 => return None,
            _ => {}
        }
    }
    None
}

fn body_end(chars: &[char], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, c) in chars.iter().enumerate().skip(open) {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    chars.len()
}

fn line_of(chars: &[char], at: usize) -> usize {
    1 + chars.iter().take(at).filter(|c| **c == '\n').count()
}

/// Looks at the attributes that stand above, back to the end of whatever comes before.
fn is_test(chars: &[char], start: usize) -> bool {
    let above: String = chars.iter().take(start).collect();
    let lines = above.split('\n').rev().skip(1).map(str::trim);
    let mut attributes = lines.take_while(|l| !l.ends_with([';', '{', '}']));
    attributes.any(|l| {
        let inner = l
            .trim_start_matches("#[")
            .split(['(', ']'])
            .next()
            .unwrap_or_default();
        l.starts_with("#[") && (inner == "test" || inner.ends_with("::test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_not_code() {
        let text =
            "let a = \"fn x() {\"; // fn y() {\n/* fn /* z */ */ let b = r#\"\"{\"#; let c = '{';";
        let source = Source::read(text);
        assert!(!source.code.contains("fn"), "{}", source.code);
        assert!(!source.code.contains('{'), "{}", source.code);
        assert!(source.code.contains("let c ="));
        assert_eq!(source.code.chars().count(), text.chars().count());
    }

    #[test]
    fn a_lifetime_does_not_open_a_literal() {
        let source = Source::read("fn f<'a>(x: &'a str) -> &'a str { x }");
        assert!(source.code.contains("{ x }"));
    }

    #[test]
    fn a_functions_length_counts_code_lines_of_its_body() {
        let text =
            "fn long(\n  a: [u8; 4],\n) {\n  one();\n\n  // said\n  two(\"\n\");\n}\nfn none();\n";
        let found = Source::read(text).functions();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "long");
        assert_eq!(found[0].body_lines, 3);
    }

    #[test]
    fn tests_are_told_by_their_attribute() {
        let text =
            "#[test]\nfn a() {}\nfn b() {}\n#[tokio::test(flavor = \"x\")]\nasync fn c() {}\n";
        let tests: Vec<bool> = Source::read(text)
            .functions()
            .iter()
            .map(|f| f.is_test)
            .collect();
        assert_eq!(tests, [true, false, true]);
    }

    #[test]
    fn unit_tests_at_the_end_do_not_count() {
        let source = Source::read("a\nb\n#[cfg(test)]\nmod tests {\n}\n");
        assert_eq!(source.lines_before_tests, 2);
    }
}
