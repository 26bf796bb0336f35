//! Whether output is what a manual says, wildcards and all.

/// Where `said` first differs from `expected`; nothing when it does not. A manual that shows no
/// output claims none.
pub(crate) fn first_mismatch(expected: &[String], said: &str) -> Option<String> {
    let mut expected = expected;
    while let [rest @ .., last] = expected
        && last.is_empty()
    {
        expected = rest;
    }
    if expected.is_empty() {
        return None;
    }
    let said: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
    (!all_match(expected, &said)).then(|| {
        let same = |(one, other): &(&String, &&str)| line_matches(one, other);
        let at = expected.iter().zip(&said).take_while(same).count();
        format!("line {} differs, or lines are missing", at + 1)
    })
}

fn all_match(expected: &[String], said: &[&str]) -> bool {
    let Some((first, rest)) = expected.split_first() else {
        return said.is_empty();
    };
    if first == "..." {
        return (0..=said.len()).any(|skipped| all_match(rest, &said[skipped..]));
    }
    let Some((line, others)) = said.split_first() else {
        return false;
    };
    line_matches(first, line) && all_match(rest, others)
}

fn line_matches(expected: &str, said: &str) -> bool {
    let mut parts = expected.split("[..]");
    let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn wildcards_match_what_they_stand_for_and_nothing_else() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let matches = |expected: &str, said: &str| first_mismatch(&lines(expected), said).is_none();
    assert!(matches("a [..] c", "a b c\n"));
    assert!(!matches("a [..] c", "a b d\n"));
    assert!(matches("a\n...\nz", "a\nb\nc\nz"));
    assert!(matches("a\n...", "a"));
    assert!(!matches("a\n...\nz", "a\nb"));
    assert!(!matches("a", "a\nb"));
    assert!(matches("", "anything"));
    assert!(!matches("size [..] of [..]!", "size 1 of 2"));
}
