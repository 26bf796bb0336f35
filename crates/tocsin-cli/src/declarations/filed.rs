//! A row as the line of a declaration that screening takes.

use tocsin_core::product::ImporterScheme;
use tocsin_core::terms::Direction;
use tocsin_screen::line::{Identifier, Line, Party, Role, Scheme};

use super::field::{Field, Part};
use super::rows::{Reject, Row, Rows};
use crate::instant;

/// Room for one row after another of a stretch.
#[derive(Debug, Default)]
pub struct Filing<'a> {
    said: Vec<(Field, &'a str)>,
    texts: Vec<&'a str>,
    identifiers: Vec<Identifier<'a>>,
}

/// What a row says that no field can take.
type Odd = Option<(Field, String)>;

impl<'a> Filing<'a> {
    /// Gives a row as a line to `check`. `constants` stand in every row, where it says nothing
    /// itself. A value that could not be taken is told as a reject; the rest was screened.
    pub fn row<T>(
        &mut self,
        rows: &'a Rows,
        row: Row,
        constants: &'a [(Field, String)],
        check: impl FnOnce(&Line<'_>) -> T,
    ) -> (T, Option<Reject>) {
        self.said.clear();
        self.said.extend(rows.values(row));
        for (field, value) in constants {
            if !self.said.iter().any(|(said, _)| said == field) {
                self.said.push((*field, value));
            }
        }
        self.said.sort_by_key(|(field, _)| *field);
        self.texts.clear();
        self.texts.extend(self.said.iter().map(|(_, text)| *text));
        self.identifiers.clear();
        let identifiers = self
            .said
            .iter()
            .filter_map(|(field, text)| identifier(*field, text));
        self.identifiers.extend(identifiers);
        let parties = self.parties();
        let mut odd = None;
        let line = self.line(&parties, &mut odd);
        let checked = check(&line);
        let reject = odd.map(|(field, why)| Reject {
            row: row.number,
            line: row.line,
            code: "VALUE_UNKNOWN",
            why: format!("{}: {why}; screened without it", field.word()),
            is_screened: true,
        });
        (checked, reject)
    }

    fn line<'b>(&'b self, parties: &'b [Party<'b>], odd: &mut Odd) -> Line<'b> {
        let mut known = |field: Field, is_known: bool| {
            if let (None, Some(text), false) = (&odd, self.first(field), is_known) {
                let text: String = text.chars().take(40).collect();
                *odd = Some((field, format!("`{text}`")));
            }
        };
        let direction = self.first(Field::Direction).map(direction_of);
        known(Field::Direction, direction.is_none_or(|d| d.is_some()));
        let at = self.first(Field::At).map(instant_of);
        known(Field::At, at.is_none_or(|at| at.is_some()));
        let bond = self.first(Field::UnderBond).map(truth_of);
        known(Field::UnderBond, bond.is_none_or(|bond| bond.is_some()));
        let certified = self.first(Field::Certified).map(truth_of);
        known(Field::Certified, certified.is_none_or(|c| c.is_some()));
        let edition = self
            .first(Field::TariffEdition)
            .map(|text| text.parse().ok());
        known(Field::TariffEdition, edition.is_none_or(|e| e.is_some()));
        let text = |field| self.first(field).unwrap_or_default();
        Line {
            declaration: text(Field::Declaration),
            number: text(Field::Item).parse().unwrap_or(0),
            direction: direction.flatten(),
            at_ms: at.flatten(),
            tariffs: self.all(Field::Tariff),
            tariff_country: text(Field::TariffCountry),
            tariff_edition: edition.flatten().unwrap_or(0),
            description: text(Field::Description),
            origin: text(Field::Origin),
            dispatch: text(Field::Dispatch),
            parties,
            gtins: self.all(Field::Gtin),
            models: self.all(Field::Model),
            serials: self.all(Field::Serial),
            batches: self.all(Field::Batch),
            brands: self.all(Field::Brand),
            components: self.all(Field::Component),
            containers: self.all(Field::Container),
            transport_documents: self.all(Field::TransportDocument),
            vessel: text(Field::Vessel),
            listings: self.all(Field::Listing),
            images: self.all(Field::Image),
            is_under_bond: bond.flatten().unwrap_or(false),
            is_certified: certified.flatten().unwrap_or(false),
            claims: self.all(Field::Exception),
        }
    }

    /// Where the values of a field begin and end.
    fn range(&self, field: Field) -> std::ops::Range<usize> {
        let from = self.said.partition_point(|(said, _)| *said < field);
        let rest = self.said.get(from..).unwrap_or_default();
        from..from + rest.partition_point(|(said, _)| *said == field)
    }

    fn all(&self, field: Field) -> &[&'a str] {
        self.texts.get(self.range(field)).unwrap_or_default()
    }

    fn first(&self, field: Field) -> Option<&'a str> {
        self.all(field).first().copied()
    }

    /// Each name of a role is a party; what else is said of the role is said of its first.
    fn parties(&self) -> Vec<Party<'_>> {
        let mut parties = Vec::new();
        let mut before = 0;
        for role in Role::ALL {
            let of = |field: &Field| matches!(field, Field::Party(r, _) if *r == role);
            if !self.said.iter().any(|(field, _)| of(field)) {
                continue;
            }
            let is_number = |field: &Field| of(field) && scheme_of(*field, "").is_some();
            let count = self.said.iter().filter(|(f, _)| is_number(f)).count();
            let numbers = self.identifiers.get(before..before + count);
            before += count;
            let names = self.all(Field::Party(role, Part::Name));
            let country = self.first(Field::Party(role, Part::Country));
            parties.push(Party {
                role,
                name: names.first().copied().unwrap_or_default(),
                identifiers: numbers.unwrap_or_default(),
                country: country.unwrap_or_default(),
            });
            parties.extend(names.iter().skip(1).map(|name| Party {
                role,
                name,
                identifiers: &[],
                country: "",
            }));
        }
        parties
    }
}

fn identifier(field: Field, text: &str) -> Option<Identifier<'_>> {
    let (scheme, value) = scheme_of(field, text)?;
    Some(Identifier { scheme, value })
}

/// Which register a number is of: that of its field, or the one that stands before a colon.
fn scheme_of(field: Field, text: &str) -> Option<(Scheme, &str)> {
    let Field::Party(_, part) = field else {
        return None;
    };
    Some(match part {
        Part::Eori => (Scheme::Eori, text),
        Part::Lei => (Scheme::Lei, text),
        Part::Mid => (Scheme::Mid, text),
        Part::Duns => (Scheme::Duns, text),
        Part::Number => match text.split_once(':') {
            Some((scheme, number)) => (register(scheme.trim()), number.trim()),
            None => (Scheme::Any, text),
        },
        Part::Name | Part::Country => return None,
    })
}

/// A register that is not known is any: its number is then tried in each.
fn register(word: &str) -> Scheme {
    let country = word.split('_').next().unwrap_or_default();
    let known = ImporterScheme::from_word(&country.to_ascii_lowercase());
    known.map_or(Scheme::Any, Scheme::Importer)
}

fn direction_of(text: &str) -> Option<Direction> {
    const WORDS: [(Direction, &[&str]); 5] = [
        (
            Direction::Import,
            &[
                "import", "im", "imp", "i", "einfuhr", "輸入", "수입", "进口",
            ],
        ),
        (
            Direction::Export,
            &[
                "export", "ex", "exp", "e", "ausfuhr", "輸出", "수출", "出口",
            ],
        ),
        (
            Direction::Transit,
            &["transit", "t1", "t2", "t", "durchfuhr", "versand"],
        ),
        (
            Direction::ReExport,
            &["re_export", "re-export", "reexport", "re", "wiederausfuhr"],
        ),
        (
            Direction::FtzAdmission,
            &["ftz_admission", "ftz", "admission_to_ftz"],
        ),
    ];
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    WORDS.iter().find(|(_, words)| is(words)).map(|row| row.0)
}

fn truth_of(text: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is(&["yes", "y", "true", "t", "1", "x", "ja", "j"]) {
        return Some(true);
    }
    is(&["no", "n", "false", "f", "0", "nein", "-"]).then_some(false)
}

/// An instant as offices write it. What could be a day or a month is neither.
fn instant_of(text: &str) -> Option<i64> {
    if let Some(instant) = instant::parse(text) {
        return Some(instant);
    }
    let number = |from: usize, to: usize| text.get(from..to);
    let is_digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split(['.', '/', '-']).collect();
    let (year, month, day) = match parts[..] {
        [whole] if whole.len() == 8 && is_digits(whole) => {
            (number(0, 4)?, number(4, 6)?, number(6, 8)?)
        }
        [year, month, day] if year.len() == 4 => (year, month, day),
        [day, month, year] if text.contains('.') && year.len() == 4 => (year, month, day),
        _ => return None,
    };
    instant::parse(&format!("{year}-{month:0>2}-{day:0>2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(
        values: &[(Field, &str)],
        check: impl FnOnce(&Line<'_>) -> T,
    ) -> (T, Option<Reject>) {
        let mut rows = Rows::default();
        rows.begin(1, 2);
        for (field, value) in values {
            rows.push(*field, value);
        }
        let constants = [(Field::Direction, "export".to_owned())];
        let mut filing = Filing::default();
        filing.row(&rows, rows.rows()[0], &constants, check)
    }

    #[test]
    fn a_row_becomes_a_line_with_its_parties() {
        let seller = |part| Field::Party(Role::Seller, part);
        let values = [
            (seller(Part::Name), "Lumen Trade GmbH"),
            (Field::Gtin, "4006381333931"),
            (seller(Part::Number), "us_irs:12-3456789"),
            (
                Field::Party(Role::Importer, Part::Eori),
                "DE123456789012345",
            ),
            (seller(Part::Name), "Other"),
            (Field::Gtin, "036000291452"),
            (Field::At, "22.11.2026"),
            (Field::Item, "7"),
            (Field::UnderBond, "ja"),
        ];
        let ((), reject) = with(&values, |line| {
            assert_eq!(line.gtins, ["4006381333931", "036000291452"]);
            assert_eq!(line.direction, Some(Direction::Export));
            assert_eq!(line.at_ms, instant::parse("2026-11-22"));
            assert_eq!((line.number, line.is_under_bond), (7, true));
            let names: Vec<&str> = line.parties.iter().map(|p| p.name).collect();
            assert_eq!(names, ["", "Lumen Trade GmbH", "Other"]);
            assert_eq!(line.parties[0].identifiers[0].scheme, Scheme::Eori);
            let number = line.parties[1].identifiers[0];
            assert_eq!(number.scheme, Scheme::Importer(ImporterScheme::Us));
            assert_eq!(number.value, "12-3456789");
        });
        assert_eq!(reject, None);
    }

    #[test]
    fn what_cannot_be_taken_is_told_and_never_guessed() {
        for (field, text) in [
            (Field::Direction, "sideways"),
            (Field::At, "03/04/2026"),
            (Field::UnderBond, "perhaps"),
            (Field::TariffEdition, "new"),
        ] {
            let (line, reject) = with(&[(field, text)], |line| {
                (line.direction, line.at_ms, line.is_under_bond)
            });
            assert!(line.1.is_none() && !line.2);
            let reject = reject.unwrap();
            assert!(
                reject.is_screened && reject.why.contains(text),
                "{reject:?}"
            );
        }
    }

    #[test]
    fn dates_are_read_as_offices_write_them() {
        let day = instant::parse("2026-11-05");
        for text in [
            "2026-11-05",
            "20261105",
            "5.11.2026",
            "2026/11/05",
            "2026.11.5",
        ] {
            assert_eq!(instant_of(text), day, "{text}");
        }
    }
}
