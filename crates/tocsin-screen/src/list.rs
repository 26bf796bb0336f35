//! Lists of parties published by authorities, screened beside blocks. A hit on one is never more
//! than review: a list bars no goods.

use std::sync::Arc;

use tocsin_core::lookup::Outcome;
use tocsin_core::product::Strength;

use crate::answer::{Cap, Fact, Hit, Part, Side, Subject};
use crate::line::{Fields, Line, MAX_LINE_VALUES, MAX_VALUE_BYTES};
use crate::names::{self, Key, Name};

/// One party of a published list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The list, as its publisher names it.
    pub list: Arc<str>,
    /// The list's date, as its publisher or whoever loaded it writes it.
    pub dated: Arc<str>,
    /// The publisher's number for it; not unique on every list.
    pub number: String,
    /// Since when it is on the list, as its publisher writes it; empty where it does not say.
    pub since: String,
    /// Primary name first, then other names and scripts.
    pub names: Vec<String>,
}

/// Why a file is not taken as a list. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// It has no such column, which the Consolidated Screening List has.
    #[error("no column {0}: not the Consolidated Screening List")]
    NoColumn(&'static str),
    /// A row has more or fewer fields than the header, as where a quotation mark is left open.
    #[error("row {row} has {fields} fields and the header has {header}")]
    Ragged {
        /// Counted from 1, the header being the first.
        row: usize,
        /// Of the row.
        fields: usize,
        /// Of the header.
        header: usize,
    },
    /// More than [`MAX_LIST_BYTES`].
    #[error("more than {MAX_LIST_BYTES} bytes")]
    TooLong,
    /// More entries than [`MAX_ENTRIES`].
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
}

/// Reads the CSV form of the United States' Consolidated Screening List, as of a date that the file
/// itself does not say. Vessels and aircraft are left out: on lines they stand by their numbers.
///
/// # Errors
/// When it is no such file; an entry without a name is passed over, as it can meet nothing.
pub fn read_consolidated(text: &str, dated: &str) -> Result<Vec<Entry>, ListError> {
    if text.len() > MAX_LIST_BYTES {
        return Err(ListError::TooLong);
    }
    let mut rows = Rows::new(text.strip_prefix('\u{FEFF}').unwrap_or(text));
    let header: Vec<String> = rows.next()?.unwrap_or_default();
    let column = |name: &'static str| {
        let at = header.iter().position(|column| column.trim() == name);
        at.ok_or(ListError::NoColumn(name))
    };
    let (source, number, kind) = (column("source")?, column("entity_number")?, column("type")?);
    let (name, others, since) = (column("name")?, column("alt_names")?, column("start_date")?);
    let dated: Arc<str> = dated.into();
    let mut lists: Vec<Arc<str>> = Vec::new();
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        if row.len() != header.len() {
            let (fields, header) = (row.len(), header.len());
            return Err(ListError::Ragged {
                row: rows.row,
                fields,
                header,
            });
        }
        let field = |at: usize| row.get(at).map_or("", |field| field.trim());
        let names: Vec<String> = std::iter::once(field(name))
            .chain(field(others).split(';').map(str::trim))
            .filter(|name| !name.is_empty() && name.len() <= names::MAX_NAME_BYTES)
            .take(MAX_ENTRY_NAMES)
            .map(str::to_owned)
            .collect();
        if names.is_empty() || matches!(field(kind), "Vessel" | "Aircraft") {
            continue;
        }
        if entries.len() >= MAX_ENTRIES {
            return Err(ListError::TooMany);
        }
        let list = lists.iter().find(|list| ***list == *field(source)).cloned();
        let list = list.unwrap_or_else(|| {
            let list: Arc<str> = field(source).into();
            lists.push(Arc::clone(&list));
            list
        });
        entries.push(Entry {
            list,
            dated: Arc::clone(&dated),
            number: field(number).to_owned(),
            since: field(since).to_owned(),
            names,
        });
    }
    Ok(entries)
}

/// Published lists, prepared for screening.
#[derive(Debug, Default)]
pub struct Lists {
    entries: Vec<Arc<Entry>>,
    /// Each name, with the place of its entry.
    names: Vec<(Name, u32)>,
    /// Sorted; the place is one in `names`.
    keys: Vec<(Key, u32)>,
}

impl Lists {
    /// Prepares entries, of one list or several.
    #[must_use]
    pub fn new(entries: impl IntoIterator<Item = Entry>) -> Self {
        let mut lists = Self::default();
        let mut keys = Vec::new();
        for entry in entries.into_iter().take(MAX_ENTRIES) {
            let place = place(lists.entries.len());
            for text in &entry.names {
                let name = Name::new(text);
                names::keys(&name, &mut keys);
                let of = self::place(lists.names.len());
                lists.keys.extend(keys.iter().map(|key| (*key, of)));
                lists.names.push((name, place));
            }
            lists.entries.push(Arc::new(entry));
        }
        lists.keys.sort_unstable();
        lists
    }

    /// Entries in all.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Everything that the parties of a line touch. Those who only file or carry are parties too:
    /// the lists are of whom one deals with.
    pub(crate) fn hits(&self, line: &Line<'_>, seeker: &mut Seeker, hits: &mut Vec<Hit>) {
        if self.is_empty() {
            return;
        }
        for party in line.parties.iter().take(MAX_LINE_VALUES) {
            let filed = party.name.trim();
            if filed.is_empty() || filed.len() > MAX_VALUE_BYTES {
                continue;
            }
            seeker.name.read(filed);
            self.find(seeker);
            for (entry, of, score) in &seeker.found {
                let part = |entry: &Entry| Part {
                    side: Side::Party,
                    field: party.role.field(),
                    fact: Fact::Name,
                    raw: filed.to_owned(),
                    canonical: seeker.name.words().collect::<Vec<_>>().join(" "),
                    of_order: entry.names.get(*of).cloned().unwrap_or_default(),
                    strength: Strength::Medium,
                    score: *score,
                };
                hits.extend(self.entries.get(*entry).map(|entry| Hit {
                    subject: Subject::Listed(Arc::clone(entry)),
                    outcome: Outcome::Review,
                    score: *score,
                    parts: vec![part(entry)],
                    missing: Fields::NONE,
                    tried: Vec::new(),
                    cap: Some(Cap::Listed),
                }));
            }
        }
    }

    /// The entries that a name may be: each once, by the name that agrees best.
    fn find(&self, seeker: &mut Seeker) {
        names::keys(&seeker.name, &mut seeker.keys);
        seeker.candidates.clear();
        seeker.found.clear();
        for key in &seeker.keys {
            let from = self.keys.partition_point(|(other, _)| other < key);
            let same = self.keys.get(from..).unwrap_or_default();
            let same = same.iter().take_while(|(other, _)| other == key);
            // A key of many names says little; those that agree share another.
            if same.clone().take(MAX_SHARING + 1).count() <= MAX_SHARING {
                seeker.candidates.extend(same.map(|(_, of)| *of));
            }
        }
        seeker.candidates.sort_unstable();
        seeker.candidates.dedup();
        for of in &seeker.candidates {
            let Some((name, entry)) = self.names.get(*of as usize) else {
                continue;
            };
            let score = names::score(name, &seeker.name).value;
            if score < names::REVIEW {
                continue;
            }
            let entry = *entry as usize;
            let first = self
                .names
                .partition_point(|(_, other)| (*other as usize) < entry);
            let of = (*of as usize).saturating_sub(first);
            let score = thousandths(score);
            match seeker.found.last_mut().filter(|(last, ..)| *last == entry) {
                Some(last) if score > last.2 => *last = (entry, of, score),
                Some(_) => {}
                None => seeker.found.push((entry, of, score)),
            }
        }
    }
}

/// Memory for looking names up in lists.
#[derive(Debug, Default)]
pub(crate) struct Seeker {
    name: Name,
    keys: Vec<Key>,
    candidates: Vec<u32>,
    /// Entry, which of its names, score in thousandths.
    found: Vec<(usize, usize, u16)>,
}

/// A score of 0 to 1 as answers have it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1000"
)]
pub(crate) fn thousandths(score: f32) -> u16 {
    (score.clamp(0.0, 1.0) * 1_000.0).round() as u16
}

fn place(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The rows of a CSV text, each field without its quotation marks.
struct Rows<'a> {
    reader: csv_core::Reader,
    rest: &'a [u8],
    fields: Vec<u8>,
    ends: Vec<usize>,
    row: usize,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            reader: csv_core::Reader::new(),
            rest: text.as_bytes(),
            fields: vec![0; 4_096],
            ends: vec![0; 64],
            row: 0,
        }
    }

    fn next(&mut self) -> Result<Option<Vec<String>>, ListError> {
        let (mut written, mut ended) = (0, 0);
        loop {
            let out = self.fields.get_mut(written..).unwrap_or_default();
            let ends = self.ends.get_mut(ended..).unwrap_or_default();
            let (result, read, wrote, found) = self.reader.read_record(self.rest, out, ends);
            self.rest = self.rest.get(read..).unwrap_or_default();
            (written, ended) = (written + wrote, ended + found);
            match result {
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::OutputFull => {
                    self.fields.resize(2 * self.fields.len(), 0)
                }
                csv_core::ReadRecordResult::OutputEndsFull => {
                    self.ends.resize(2 * self.ends.len(), 0)
                }
                csv_core::ReadRecordResult::Record => break,
                csv_core::ReadRecordResult::End => return Ok(None),
            }
        }
        self.row += 1;
        let mut from = 0;
        let ends = self.ends.get(..ended).unwrap_or_default();
        let fields = ends.iter().map(|end| {
            let field = self.fields.get(from..*end).unwrap_or_default();
            from = *end;
            String::from_utf8_lossy(field).into_owned()
        });
        Ok(Some(fields.collect()))
    }
}

/// Bytes of a list's file.
pub const MAX_LIST_BYTES: usize = 256 << 20;
/// Entries of all lists together.
pub const MAX_ENTRIES: usize = 200_000;
/// Names of one entry.
pub const MAX_ENTRY_NAMES: usize = 64;
/// Names that may share a key for it to count.
const MAX_SHARING: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Party, Role};

    const HEADER: &str = "source,entity_number,type,name,start_date,alt_names";

    fn lists(rows: &str) -> Lists {
        let text = format!("{HEADER}\n{rows}");
        Lists::new(read_consolidated(&text, "2026-11-20").unwrap())
    }

    fn hits(lists: &Lists, name: &str) -> Vec<Hit> {
        let parties = [Party {
            role: Role::Declarant,
            name,
            identifiers: &[],
            country: "",
        }];
        let line = Line {
            parties: &parties,
            ..Line::default()
        };
        let mut hits = Vec::new();
        lists.hits(&line, &mut Seeker::default(), &mut hits);
        hits
    }

    #[test]
    fn a_hit_is_review_and_names_the_list_and_its_date() {
        let lists = lists(
            "Denied Persons List,,Entity,\"Borealis Trading, Ltd.\",2017-10-16,\
             Borealis; Boreal Trade\n\
             Entity List,7,Entity,Unlike Works,2020-01-02,",
        );
        let found = hits(&lists, "BOREALIS TRADING COMPANY");
        let [hit] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(hit.outcome, Outcome::Review);
        assert_eq!(hit.cap, Some(Cap::Listed));
        let Subject::Listed(entry) = &hit.subject else {
            panic!("{hit:?}")
        };
        assert_eq!(
            (&*entry.list, &*entry.dated),
            ("Denied Persons List", "2026-11-20")
        );
        assert_eq!(entry.since, "2017-10-16");
        assert_eq!(hit.parts[0].of_order, "Borealis Trading, Ltd.");
        assert!(hits(&lists, "Zephyr Shipping").is_empty());
        assert!(hits(&lists, "").is_empty());
    }

    #[test]
    fn the_name_that_agrees_best_is_the_one_shown() {
        let lists = lists("L,1,Entity,Narwhal Heavy Industries,,Narwal Werke; Narwhal Kogyo");
        assert_eq!(
            hits(&lists, "Narwal Werke GmbH")[0].parts[0].of_order,
            "Narwal Werke"
        );
    }

    #[test]
    fn vessels_and_entries_without_a_name_are_left_out() {
        let lists = lists("L,1,Vessel,Ocean Borealis,,\nL,2,Entity,,,\nL,3,Individual,Jo Doe,,");
        assert_eq!(lists.len(), 1);
    }

    #[test]
    fn what_is_no_such_list_is_refused_by_name() {
        assert_eq!(
            read_consolidated("a,b\n1,2\n", ""),
            Err(ListError::NoColumn("source"))
        );
        assert_eq!(
            read_consolidated("", ""),
            Err(ListError::NoColumn("source"))
        );
        let ragged = read_consolidated(&format!("{HEADER}\na,b\n"), "");
        assert_eq!(
            ragged,
            Err(ListError::Ragged {
                row: 2,
                fields: 2,
                header: 6
            })
        );
    }

    #[test]
    fn the_shipped_sample_is_read() {
        let text = include_str!("../../../data/lists/us_csl_sample.csv");
        let entries = read_consolidated(text, "sample").unwrap();
        assert!(entries.len() > 100, "{}", entries.len());
        assert!(entries.iter().all(|entry| !entry.list.is_empty()));
    }
}
