//! What a scanner gives instead of a number: GS1 element strings and digital links.
//!
//! Application identifiers by GS1 General Specifications, section 3: 01 is the item number, 10 the
//! batch, 21 the serial number. Links by the GS1 Digital Link URI syntax: the same identifiers as
//! segments of a path.

/// What a code says of one item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// As encoded, not checked.
    pub(super) gtin: String,
    pub(super) serial: String,
    pub(super) batch: String,
}

impl Scanned {
    /// Reads a text that is such a code and names an item; `None` for any other.
    pub(super) fn read(text: &str) -> Option<Self> {
        let scanned = if let Some(path) = path_of_link(text) {
            Self::of_path(path)
        } else if text.starts_with('(') {
            Self::of_brackets(text)?
        } else {
            Self::of_elements(text)?
        };
        let is_item = matches!(scanned.gtin.len(), 8 | 12..=14)
            && scanned.gtin.bytes().all(|byte| byte.is_ascii_digit());
        is_item.then_some(scanned)
    }

    fn put(&mut self, identifier: &str, value: &str) {
        match identifier {
            "01" => value.clone_into(&mut self.gtin),
            "21" => value.clone_into(&mut self.serial),
            "10" => value.clone_into(&mut self.batch),
            _ => {}
        }
    }

    /// `/01/09506000134352/21/A1`, below whatever the host has before it.
    fn of_path(path: &str) -> Self {
        let mut scanned = Self::default();
        let mut segments = path.split('/').peekable();
        while let Some(segment) = segments.next() {
            let identifier = if segment == "gtin" { "01" } else { segment };
            if matches!(identifier, "01" | "21" | "10")
                && (identifier == "01" || !scanned.gtin.is_empty())
                && let Some(value) = segments.next_if(|value| !value.is_empty())
            {
                scanned.put(identifier, &percent_decoded(value));
            }
        }
        scanned
    }

    /// `(01)09506000134352(21)A1`, as printed below a code.
    fn of_brackets(text: &str) -> Option<Self> {
        let mut scanned = Self::default();
        let mut rest = text;
        while let Some(inner) = rest.strip_prefix('(') {
            let (identifier, after) = inner.split_once(')')?;
            let is_identifier = matches!(identifier.len(), 2..=4)
                && identifier.bytes().all(|byte| byte.is_ascii_digit());
            if !is_identifier {
                return None;
            }
            // A value may hold brackets; the next identifier is one that could be one.
            let end = next_bracket(after).unwrap_or(after.len());
            let (value, next) = after.split_at_checked(end)?;
            scanned.put(identifier, value.trim());
            rest = next;
        }
        rest.is_empty().then_some(scanned)
    }

    /// `]C10109506000134352` + `21A1`, as the scanner sends it: values of variable length end with
    /// the separator or the code.
    fn of_elements(text: &str) -> Option<Self> {
        let marked = SYMBOLOGIES.iter().find_map(|mark| text.strip_prefix(mark));
        let mut rest = marked.unwrap_or(text).trim_start_matches(SEPARATOR);
        let mut scanned = Self::default();
        while !rest.is_empty() {
            let (identifier, after) = rest.split_at_checked(2)?;
            let fixed = FIXED.iter().find(|(known, _)| *known == identifier);
            let end = match fixed {
                Some((_, length)) => *length,
                None if matches!(identifier, "10" | "21") => {
                    after.find(SEPARATOR).unwrap_or(after.len())
                }
                // What follows is of no use to a look-up, and its length is not known here.
                None => break,
            };
            let (value, next) = after.split_at_checked(end)?;
            if fixed.is_some() && !value.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            scanned.put(identifier, value);
            rest = next.trim_start_matches(SEPARATOR);
        }
        Some(scanned)
    }
}

/// The path of a link, without what asks or points within it.
fn path_of_link(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let (_, path) = rest.split_once('/').filter(|_| is_web)?;
    path.split(['?', '#']).next()
}

/// Where the next identifier in brackets begins.
fn next_bracket(text: &str) -> Option<usize> {
    text.match_indices('(').map(|(at, _)| at).find(|at| {
        let inner = text.get(at.saturating_add(1)..).unwrap_or_default();
        inner.split_once(')').is_some_and(|(identifier, _)| {
            matches!(identifier.len(), 2..=4)
                && identifier.bytes().all(|byte| byte.is_ascii_digit())
        })
    })
}

/// With `%2F` and the like as what they mean; what is no such sequence stays.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, next @ ..]) = (first, after)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            bytes.push(high << 4 | low);
            rest = next;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

const fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// FNC1 as scanners send it: ASCII group separator.
const SEPARATOR: char = '\u{1d}';
/// Symbology identifiers of codes that hold GS1 element strings: GS1-128, DataBar, DataMatrix, QR,
/// DotCode.
const SYMBOLOGIES: [&str; 5] = ["]C1", "]e0", "]d2", "]Q3", "]J1"];
/// Identifiers of fixed length that come before or between those looked for, with the digits of
/// their values.
const FIXED: [(&str, usize); 9] = [
    ("00", 18),
    ("01", 14),
    ("02", 14),
    ("11", 6),
    ("12", 6),
    ("13", 6),
    ("15", 6),
    ("16", 6),
    ("17", 6),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(gtin: &str, serial: &str, batch: &str) -> Option<Scanned> {
        Some(Scanned {
            gtin: gtin.to_owned(),
            serial: serial.to_owned(),
            batch: batch.to_owned(),
        })
    }

    #[test]
    fn an_element_string_is_read_as_printed_and_as_scanned() {
        let gtin = "09506000134352";
        for text in [
            "(01)09506000134352(10)B(2)/1(21)A1",
            "]C1010950600013435210B(2)/1\u{1d}21A1",
            "]d2\u{1d}010950600013435217261231 10".trim_end_matches(" 10"),
        ] {
            let read = Scanned::read(text);
            let expected = if text.contains("A1") {
                scanned(gtin, "A1", "B(2)/1")
            } else {
                scanned(gtin, "", "")
            };
            assert_eq!(read, expected, "{text}");
        }
        assert_eq!(
            Scanned::read("010950600013435221A1"),
            scanned(gtin, "A1", "")
        );
    }

    #[test]
    fn a_digital_link_is_read_wherever_it_lives() {
        for text in [
            "https://id.gs1.org/01/09506000134352/10/B%2F1/21/A1?17=261231",
            "HTTPS://brand.example/some/shop/gtin/09506000134352/10/B%2F1/21/A1#top",
        ] {
            assert_eq!(
                Scanned::read(text),
                scanned("09506000134352", "A1", "B/1"),
                "{text}"
            );
        }
        // A page that happens to have such a number in its path names no item.
        assert_eq!(Scanned::read("https://brand.example/10/B1/21/A1"), None);
        assert_eq!(Scanned::read("ftp://id.gs1.org/01/09506000134352"), None);
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in [
            "4006381333931",
            "HX-220B",
            "(ACME) Ltd",
            "(01)",
            "(01)12",
            "01",
            "010950600013",
            "]C1",
            "https://",
            "(01)0950600013435é",
            "é1",
        ] {
            assert_eq!(Scanned::read(text), None, "{text}");
        }
    }
}
