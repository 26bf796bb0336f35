//! What may stand in a text that people read and act on.

use unicode_normalization::UnicodeNormalization as _;

/// Bytes of a text of one line: titles, names, references, the law cited.
pub const MAX_LINE_BYTES: usize = 512;
/// Bytes of a text of several lines in a statement, which has [`MAX_WHOLE_BYTES`] in all.
///
/// [`MAX_WHOLE_BYTES`]: crate::statement::MAX_WHOLE_BYTES
pub const MAX_PARAGRAPH_BYTES: usize = 4_096;

/// Whether a text of one line has a character that shows nothing or something else than it says.
#[must_use]
pub fn has_forbidden_in_line(text: &str) -> bool {
    text.chars().any(|c| c.is_control() || is_deceptive(c))
}

/// As [`has_forbidden_in_line`], but line feeds and tabs are allowed.
#[must_use]
pub fn has_forbidden_in_paragraph(text: &str) -> bool {
    text.chars()
        .any(|c| (c.is_control() && c != '\n' && c != '\t') || is_deceptive(c))
}

/// Direction overrides, which make a text read as another (Unicode TR 36, section 2.6), and
/// characters that leave no mark, with which two equal-looking names differ. Joiners stay: Persian
/// and Hindi need them.
const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{202A}'..='\u{202E}'
            | '\u{2066}'..='\u{2069}'
            | '\u{00AD}'
            | '\u{200B}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{2060}'..='\u{2064}'
            | '\u{FEFF}'
            | '\u{FFF9}'..='\u{FFFB}'
            | '\u{E0000}'..='\u{E007F}'
    )
}

/// NFKC and `change`, again and again until the text stays as it is.
///
/// Changing case can undo a normal form, so that one round is no canonical form; a text that still
/// moves after four rounds has none.
pub(crate) fn settle(text: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let mut current = text.to_owned();
    for _ in 0..4 {
        let normal: String = current.nfkc().collect();
        let next: String = change(&normal).nfkc().collect();
        if next == current {
            return Some(current);
        }
        current = next;
    }
    None
}

/// How names are compared where they only suggest: NFKC, without case, one space between words.
#[must_use]
pub fn folded(text: &str) -> Option<String> {
    settle(text, |text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        // Upper case first: it takes apart what lower case keeps ("ß" and "SS" are one).
        words.join(" ").to_uppercase().to_lowercase()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn direction_overrides_and_controls_are_forbidden() {
        for text in [
            "a\u{202E}b",
            "\u{2067}",
            "a\u{0}",
            "a\u{7f}",
            "a\u{200B}b",
            "\u{FEFF}a",
            "a\rb",
        ] {
            assert!(
                has_forbidden_in_line(text) && has_forbidden_in_paragraph(text),
                "{text:?}"
            );
        }
        assert!(has_forbidden_in_line("a\nb") && !has_forbidden_in_paragraph("a\n\tb"));
        assert!(!has_forbidden_in_line("Straße 東京 نمی\u{200C}خواهم"));
    }

    #[test]
    fn folding_forgets_case_width_and_spacing() {
        assert_eq!(folded(" Ｓtraße  Eins ").as_deref(), Some("strasse eins"));
        assert_eq!(folded("STRASSE EINS").as_deref(), Some("strasse eins"));
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,30}") {
            if let Some(once) = folded(&text) {
                prop_assert!(folded(&once).is_some_and(|twice| twice == once));
            }
        }
    }
}
