//! A line with its values in canonical form: made only for lines that may meet a block.

use std::cell::OnceCell;

use tocsin_core::product::{
    HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector, Strength,
    TariffCode, TransportDocument, TransportKind,
};

use crate::line::{
    Field, Fields, Line, MAX_DESCRIPTION_BYTES, MAX_LINE_VALUES, MAX_VALUE_BYTES, Party, Scheme,
};
use crate::names::Name;

/// A line with its values in canonical form.
#[derive(Debug)]
pub(crate) struct Declared<'a> {
    pub(crate) line: &'a Line<'a>,
    pub(crate) facts: Vec<DeclaredFact<'a>>,
    /// Names of the parties, by their places; made when the first is asked for.
    names: OnceCell<Vec<Option<Name>>>,
    pub(crate) missing: Fields,
    pub(crate) unreadable: Fields,
}

/// One value of a line, in one of the forms it can have.
#[derive(Debug)]
pub(crate) struct DeclaredFact<'a> {
    pub(crate) field: Field,
    pub(crate) raw: &'a str,
    pub(crate) canonical: Selector,
    /// Whose it is, as a place in [`Line::parties`].
    pub(crate) party: Option<usize>,
    /// Which register it is of was declared, so that another number of that register says
    /// otherwise.
    pub(crate) is_certain: bool,
}

impl<'a> Declared<'a> {
    pub(crate) fn read(line: &'a Line<'a>) -> Self {
        let mut declared = Self {
            line,
            facts: Vec::new(),
            names: OnceCell::new(),
            missing: line.missing(),
            unreadable: Fields::NONE,
        };
        let model = |raw: &str| [Selector::Model(raw.to_owned())];
        declared.read_all(Field::Gtin, line.gtins, |raw| [item_number(raw)]);
        declared.read_all(Field::Model, line.models, model);
        declared.read_all(Field::Serial, line.serials, model);
        declared.read_all(Field::Batch, line.batches, |raw| {
            [Selector::Batch(raw.to_owned())]
        });
        declared.read_all(Field::Brand, line.brands, |raw| {
            [Selector::Brand(raw.to_owned())]
        });
        declared.read_all(Field::Component, line.components, model);
        declared.read_all(Field::Tariff, line.tariffs, |raw| tariff(raw, line));
        declared.read_all(Field::Container, line.containers, |raw| {
            [Selector::Container(raw.to_owned())]
        });
        declared.read_all(
            Field::TransportDocument,
            line.transport_documents,
            transport,
        );
        declared.read_all(Field::Listing, line.listings, |raw| {
            [Selector::Listing(raw.to_owned())]
        });
        declared.read_all(Field::Image, line.images, |raw| [image(raw)]);
        declared.read_all(Field::Vessel, &[line.vessel], |raw| {
            [Selector::Vessel(raw.to_owned())]
        });
        declared.read_all(Field::Origin, &[line.origin], |raw| {
            [Selector::Origin(raw.to_owned())]
        });
        declared.read_description();
        for (place, party) in line.parties.iter().enumerate() {
            if place < MAX_LINE_VALUES {
                declared.read_party(place, party);
            } else {
                declared.unreadable.insert(party.role.field());
            }
        }
        declared
    }

    /// Reads each value in every form it can have; one with none is not readable.
    fn read_all<const FORMS: usize>(
        &mut self,
        field: Field,
        values: &[&'a str],
        forms: impl Fn(&str) -> [Selector; FORMS],
    ) {
        for raw in values.iter().copied().take(MAX_LINE_VALUES) {
            let text = raw.trim();
            if !text.is_empty() && !self.read_one(field, raw, None, true, || forms(text)) {
                self.unreadable.insert(field);
            }
        }
        if values.len() > MAX_LINE_VALUES {
            self.unreadable.insert(field);
        }
    }

    fn read_one<const FORMS: usize>(
        &mut self,
        field: Field,
        raw: &'a str,
        party: Option<usize>,
        is_certain: bool,
        forms: impl FnOnce() -> [Selector; FORMS],
    ) -> bool {
        if raw.len() > MAX_VALUE_BYTES {
            return false;
        }
        let before = self.facts.len();
        let canonical = forms().into_iter().filter_map(|form| form.canonical().ok());
        self.facts.extend(canonical.map(|canonical| DeclaredFact {
            field,
            raw,
            canonical: canonical.selector().clone(),
            party,
            is_certain,
        }));
        self.facts.len() > before
    }

    fn read_party(&mut self, place: usize, party: &Party<'a>) {
        let field = party.role.field();
        if party.identifiers.len() > MAX_LINE_VALUES || party.name.len() > MAX_VALUE_BYTES {
            self.unreadable.insert(field);
        }
        for identifier in party.identifiers.iter().take(MAX_LINE_VALUES) {
            let (raw, text) = (identifier.value, identifier.value.trim());
            if text.is_empty() {
                continue;
            }
            let party = Some(place);
            let is_read = match identifier.scheme {
                Scheme::Any => self.read_one(field, raw, party, false, || any_register(text)),
                Scheme::Lei => {
                    self.read_one(field, raw, party, true, || [Selector::Lei(text.to_owned())])
                }
                Scheme::Eori => self.read_one(field, raw, party, true, || {
                    [Selector::Eori(text.to_owned())]
                }),
                Scheme::Mid => {
                    self.read_one(field, raw, party, true, || [Selector::Mid(text.to_owned())])
                }
                Scheme::Duns => self.read_one(field, raw, party, true, || {
                    [Selector::Duns(text.to_owned())]
                }),
                Scheme::Importer(scheme) => {
                    self.read_one(field, raw, party, true, || [importer(scheme, text)])
                }
            };
            if !is_read {
                self.unreadable.insert(field);
            }
        }
    }

    /// Item and model numbers that stand in the description: they suggest.
    fn read_description(&mut self) {
        let text = self.line.description;
        if text.len() > MAX_DESCRIPTION_BYTES {
            self.unreadable.insert(Field::Description);
        }
        for word in numbered_words(text) {
            self.read_one(Field::Description, word, None, false, || {
                [item_number(word), Selector::Model(word.to_owned())]
            });
        }
    }

    /// The name of a party, prepared for comparing.
    pub(crate) fn name(&self, place: usize) -> Option<&Name> {
        let names = self.names.get_or_init(|| {
            let parties = self.line.parties.iter().take(MAX_LINE_VALUES);
            let is_name = |name: &&str| !name.trim().is_empty() && name.len() <= MAX_VALUE_BYTES;
            parties
                .map(|party| Some(party.name).filter(is_name).map(Name::new))
                .collect()
        });
        names.get(place)?.as_ref()
    }

    pub(crate) fn of(&self, field: Field) -> impl Iterator<Item = &DeclaredFact<'a>> {
        self.facts.iter().filter(move |fact| fact.field == field)
    }

    /// When the goods were presented, as far as is known.
    pub(crate) fn instant(&self, now: i64) -> i64 {
        self.line.at_ms.unwrap_or(now)
    }

    /// Whether something is declared and readable that could agree with an article for certain.
    pub(crate) fn can_decide(&self) -> bool {
        self.facts
            .iter()
            .any(|fact| decides(fact.field, &fact.canonical))
    }
}

/// Whether a value of this field can agree with an article for certain.
pub(crate) fn decides(field: Field, canonical: &Selector) -> bool {
    match field {
        Field::Gtin | Field::Serial => true,
        Field::Model => {
            let Selector::Model(text) = canonical else {
                return false;
            };
            let strength = canonical.canonical().map(|canonical| canonical.strength());
            strength == Ok(Strength::Strong) && text.bytes().any(|byte| byte.is_ascii_digit())
        }
        Field::Batch
        | Field::Brand
        | Field::Component
        | Field::Tariff
        | Field::Description
        | Field::Origin
        | Field::Dispatch
        | Field::Importer
        | Field::Exporter
        | Field::Seller
        | Field::Buyer
        | Field::Manufacturer
        | Field::Consignee
        | Field::Declarant
        | Field::Carrier
        | Field::Container
        | Field::TransportDocument
        | Field::Vessel
        | Field::Listing
        | Field::Image
        | Field::Direction
        | Field::Time => false,
    }
}

/// Words of a description that have a digit and are long enough to be a number of goods.
pub(crate) fn numbered_words(text: &str) -> impl Iterator<Item = &str> {
    let end = text.floor_char_boundary(MAX_DESCRIPTION_BYTES);
    let words = text.get(..end).unwrap_or_default().split(is_between_words);
    let words = words.map(|word| word.trim_matches(['.', '-', '/', '_']));
    words
        .filter(|word| {
            (MIN_NUMBER_BYTES..=MAX_NUMBER_BYTES).contains(&word.len())
                && word.bytes().any(|byte| byte.is_ascii_digit())
        })
        .take(MAX_NUMBERED_WORDS)
}

fn is_between_words(c: char) -> bool {
    !(c.is_alphanumeric() || matches!(c, '-' | '/' | '_' | '.'))
}

/// Spaces and hyphens do not count.
fn item_number(raw: &str) -> Selector {
    let digits = raw.chars().filter(|c| !matches!(c, ' ' | '-'));
    Selector::Gtin(digits.collect())
}

/// The digits that all countries share, and those of one country's tariff where it is named.
fn tariff(raw: &str, line: &Line<'_>) -> [Selector; 2] {
    let digits: String = raw.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    let shared = digits.get(..6).filter(|_| digits.len() <= 10);
    let edition = hs_edition(line.tariff_edition).unwrap_or(0);
    let jurisdiction = line.tariff_country.to_owned();
    [
        Selector::Hs(HsCode {
            code: shared.unwrap_or(&digits).to_owned(),
            edition,
        }),
        Selector::Tariff(TariffCode {
            code: digits,
            jurisdiction,
            edition,
        }),
    ]
}

/// The edition of the Harmonized System that a year's tariffs are made from; where none is
/// declared, the one in use.
pub(crate) const fn hs_edition(declared: u32) -> Option<u32> {
    match declared {
        0 | 2022..=2027 => Some(2022),
        2017..=2021 => Some(2017),
        2028..=2032 => Some(2028),
        1..=2016 | 2033.. => None,
    }
}

fn transport(raw: &str) -> [Selector; 2] {
    let of = |kind| {
        Selector::Transport(TransportDocument {
            kind,
            number: raw.to_owned(),
        })
    };
    [
        of(TransportKind::AirWaybill),
        of(TransportKind::BillOfLading),
    ]
}

/// `phash:` or `dhash:` and 16 hexadecimal digits; without a kind, `phash`. All zeros are none.
pub(crate) fn image(raw: &str) -> Selector {
    let (kind, digits) = match raw.split_once(':') {
        Some((kind, digits)) => (ImageHashKind::from_word(kind), digits),
        None => (Some(ImageHashKind::Phash), raw),
    };
    let is_form = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = u64::from_str_radix(digits, 16).ok();
    Selector::Image(ImageHash {
        kind: kind.unwrap_or(ImageHashKind::Phash),
        bits: bits.filter(|_| is_form && kind.is_some()).unwrap_or(0),
    })
}

pub(crate) fn importer(scheme: ImporterScheme, text: &str) -> Selector {
    Selector::Importer(ImporterNumber {
        scheme,
        number: text.to_owned(),
    })
}

/// Every register whose form a number may have.
pub(crate) fn any_register(text: &str) -> [Selector; 8] {
    let owned = || text.to_owned();
    [
        Selector::Lei(owned()),
        Selector::Eori(owned()),
        Selector::Mid(owned()),
        Selector::Duns(owned()),
        importer(ImporterScheme::Us, text),
        importer(ImporterScheme::Jp, text),
        importer(ImporterScheme::Kr, text),
        importer(ImporterScheme::Cn, text),
    ]
}

/// Words of a description that are read as numbers.
pub(crate) const MAX_NUMBERED_WORDS: usize = 16;
/// A number that could decide has five significant characters.
pub(crate) const MIN_NUMBER_BYTES: usize = 5;
/// Longer words are no numbers of goods.
pub(crate) const MAX_NUMBER_BYTES: usize = 64;
