//! The numbers of a line's facts, and of an order's: how a line finds the blocks it may meet
//! without being put in canonical form, and without a single allocation.
//!
//! What is read here is read again, in full, for lines that find something; a test holds the two
//! readings together.

use tocsin_core::order::Order;
use tocsin_core::product::{
    Article, Canonical, HsCode, ImageHash, Selector, SerialRange, TariffCode,
};

use crate::declared;
use crate::hash::{self, Tag};
use crate::line::{Field, Fields, Identifier, Line, MAX_LINE_VALUES, MAX_VALUE_BYTES, Scheme};

/// What was read of a line; memory that is used again.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Of facts that meet by being equal.
    pub(crate) numbers: Vec<u64>,
    /// Of all ways to cut a serial number into prefix and digits, and the number the digits give.
    pub(crate) serials: Vec<(u64, u64)>,
    /// Canonical model numbers, one after the other, and where each ends: for patterns that begin
    /// with anything.
    models: String,
    model_ends: Vec<usize>,
    /// Of how each model number starts, with its place.
    pub(crate) starts: Vec<(u64, usize)>,
    /// The digits of tariff codes that all countries share.
    tariffs: Vec<([u8; SHARED_DIGITS], usize)>,
    pub(crate) unreadable: Fields,
    pub(crate) can_decide: bool,
}

impl Facts {
    /// Reads a line.
    pub(crate) fn read(&mut self, line: &Line<'_>) {
        self.numbers.clear();
        self.serials.clear();
        self.models.clear();
        self.model_ends.clear();
        self.starts.clear();
        self.tariffs.clear();
        self.unreadable = Fields::NONE;
        self.can_decide = false;
        self.read_all(Field::Gtin, line.gtins, Self::read_gtin);
        self.read_all(Field::Model, line.models, Self::read_model);
        self.read_all(Field::Serial, line.serials, Self::read_serial);
        self.read_all(Field::Batch, line.batches, |facts, text| {
            facts.read_number(Tag::Batch, text)
        });
        self.read_all(Field::Brand, line.brands, Self::read_brand);
        self.read_all(Field::Component, line.components, Self::read_component);
        self.read_all(Field::Tariff, line.tariffs, |facts, text| {
            facts.read_tariff(text, line.tariff_edition)
        });
        self.read_all(Field::Container, line.containers, Self::read_container);
        self.read_all(
            Field::TransportDocument,
            line.transport_documents,
            Self::read_transport,
        );
        self.read_all(Field::Listing, line.listings, |facts, text| {
            facts.read_slowly(&Selector::Listing(text.to_owned()))
        });
        self.read_all(Field::Image, line.images, Self::read_image);
        self.read_all(Field::Vessel, &[line.vessel], |facts, text| {
            facts.read_slowly(&Selector::Vessel(text.to_owned()))
        });
        self.read_all(Field::Origin, &[line.origin], |_, text| is_country(text));
        self.read_description(line.description);
        for (place, party) in line.parties.iter().enumerate() {
            let field = party.role.field();
            if place >= MAX_LINE_VALUES
                || party.identifiers.len() > MAX_LINE_VALUES
                || party.name.len() > MAX_VALUE_BYTES
            {
                self.unreadable.insert(field);
            }
            if place < MAX_LINE_VALUES {
                for identifier in party.identifiers.iter().take(MAX_LINE_VALUES) {
                    self.read_identifier(field, identifier);
                }
            }
        }
    }

    /// Canonical model numbers, in the order in which they were read.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        (0..self.model_ends.len()).map(|place| self.model(place))
    }

    /// The model number at a place.
    pub(crate) fn model(&self, place: usize) -> &str {
        let before = place.checked_sub(1);
        let from = before.and_then(|before| self.model_ends.get(before).copied());
        let to = self.model_ends.get(place).copied().unwrap_or_default();
        self.models.get(from.unwrap_or(0)..to).unwrap_or_default()
    }

    fn read_all(&mut self, field: Field, values: &[&str], read: impl Fn(&mut Self, &str) -> bool) {
        for value in values.iter().take(MAX_LINE_VALUES) {
            let text = value.trim();
            if !text.is_empty() && (value.len() > MAX_VALUE_BYTES || !read(self, text)) {
                self.unreadable.insert(field);
            }
        }
        if values.len() > MAX_LINE_VALUES {
            self.unreadable.insert(field);
        }
    }

    fn read_gtin(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let is_read = room.take(text, |byte| match byte {
            b' ' | b'-' => Taken::Dropped,
            b'0'..=b'9' => Taken::Kept(byte),
            _ => Taken::Refused,
        });
        let Some(gtin) = is_read.then(|| room.as_gtin()).flatten() else {
            return false;
        };
        self.numbers.push(hash::of(Tag::Gtin, &gtin));
        self.can_decide = true;
        true
    }

    /// In the form of a model number; refuses what has none.
    fn model_in<'r>(text: &str, room: &'r mut Room) -> Option<&'r str> {
        if text.is_ascii() {
            let is_read = room.take(text, |byte| match byte {
                b' ' | b'-' | b'_' | b'/' | b'.' => Taken::Dropped,
                _ if byte.is_ascii_control() => Taken::Refused,
                _ => Taken::Kept(byte.to_ascii_uppercase()),
            });
            return Some(room.text())
                .filter(|text| is_read && !text.is_empty() && text.len() <= 64);
        }
        let canonical = Selector::Model(text.to_owned()).canonical().ok()?;
        let Selector::Model(canonical) = canonical.selector() else {
            return None;
        };
        room.take(canonical, Taken::Kept).then(|| room.text())
    }

    fn read_number(&mut self, tag: Tag, text: &str) -> bool {
        let mut room = Room::default();
        let Some(canonical) = Self::model_in(text, &mut room) else {
            return false;
        };
        self.numbers.push(hash::of(tag, canonical.as_bytes()));
        true
    }

    fn read_model(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let Some(canonical) = Self::model_in(text, &mut room) else {
            return false;
        };
        self.push_model(canonical);
        let is_strong = canonical.chars().nth(MIN_STRONG_CHARS - 1).is_some();
        self.can_decide |= is_strong && canonical.bytes().any(|byte| byte.is_ascii_digit());
        true
    }

    fn read_component(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let canonical = Self::model_in(text, &mut room);
        canonical
            .map(|canonical| self.push_model(canonical))
            .is_some()
    }

    fn push_model(&mut self, canonical: &str) {
        self.numbers
            .push(hash::of(Tag::Model, canonical.as_bytes()));
        let place = self.model_ends.len();
        let starts = starts(canonical);
        self.starts
            .extend(starts.map(|start| (hash::of(Tag::PatternStart, start.as_bytes()), place)));
        self.models.push_str(canonical);
        self.model_ends.push(self.models.len());
    }

    /// A number can end in digits of its prefix, so every width is tried.
    fn read_serial(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let Some(canonical) = Self::model_in(text, &mut room) else {
            return false;
        };
        let digits = canonical
            .bytes()
            .rev()
            .take_while(u8::is_ascii_digit)
            .take(MAX_WIDTH);
        let (mut value, mut unit) = (0_u64, 1_u64);
        for (width, digit) in digits.enumerate().map(|(at, digit)| (at + 1, digit)) {
            value = value.wrapping_add(u64::from(digit - b'0').wrapping_mul(unit));
            unit = unit.wrapping_mul(10);
            let prefix = canonical.get(..canonical.len() - width).unwrap_or_default();
            self.serials.push((serial_number(prefix, width), value));
        }
        self.can_decide = true;
        true
    }

    fn read_brand(&mut self, text: &str) -> bool {
        if !text.is_ascii() {
            return self.read_slowly(&Selector::Brand(text.to_owned()));
        }
        let mut room = Room::default();
        let mut before = b'x';
        let is_read = room.take(text, |byte| {
            let taken = match byte {
                b' ' if before == b' ' => Taken::Dropped,
                _ if byte.is_ascii_control() => Taken::Refused,
                _ => Taken::Kept(byte.to_ascii_lowercase()),
            };
            before = byte;
            taken
        });
        if !is_read || room.text().len() > MAX_BRAND_BYTES {
            return false;
        }
        self.numbers
            .push(hash::of(Tag::Brand, room.text().as_bytes()));
        true
    }

    fn read_tariff(&mut self, text: &str, edition: u32) -> bool {
        let mut room = Room::default();
        let is_read = room.take(text, |byte| match byte {
            b'.' | b' ' => Taken::Dropped,
            _ => Taken::Kept(byte),
        });
        let digits = room.text().as_bytes();
        let len = digits.len().min(SHARED_DIGITS);
        let mut shared = [0; SHARED_DIGITS];
        if let (Some(to), Some(from)) = (shared.get_mut(..len), digits.get(..len)) {
            to.copy_from_slice(from);
        }
        let [first, second, ..] = shared;
        let is_code = is_read
            && declared::hs_edition(edition).is_some()
            && matches!(digits.len(), 2 | 4 | 6..=10)
            && shared.iter().take(len).all(u8::is_ascii_digit)
            && (*b"01"..=*b"97").contains(&[first, second]);
        // Codes of an edition that is told say nothing of those of another.
        if is_code && edition == 0 {
            self.tariffs.push((shared, len));
        }
        is_code
    }

    /// Whether the tariff codes alone tell that the goods are none of an order's articles, as far
    /// as nothing else of them agrees. A shorter code leaves open what a longer one says.
    pub(crate) fn are_other_goods(&self, order: &Order) -> bool {
        let may_be = |code: &str| {
            let mut filed = self.tariffs.iter();
            filed.any(|(shared, len)| {
                let code = code.bytes().filter(u8::is_ascii_digit);
                shared
                    .iter()
                    .take(*len)
                    .zip(code)
                    .all(|(filed, code)| *filed == code)
            })
        };
        let are_others = |article: &Article| {
            let codes = article.selectors.iter().filter_map(|selector| {
                if let Selector::Hs(HsCode { code, .. })
                | Selector::Tariff(TariffCode { code, .. }) = selector
                {
                    Some(code)
                } else {
                    None
                }
            });
            codes.clone().next().is_some() && !codes.clone().any(|code| may_be(code))
        };
        !self.tariffs.is_empty() && order.articles.iter().all(are_others)
    }

    fn read_container(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let is_read = room.take_compact(text);
        let compact = room.text();
        if !is_read || !is_container(compact.as_bytes()) {
            return false;
        }
        self.numbers
            .push(hash::of(Tag::Container, compact.as_bytes()));
        true
    }

    fn read_transport(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let is_read = text.len() <= 2 * MAX_BILL_BYTES && room.take_compact(text);
        let compact = room.text();
        if !is_read || !(5..=MAX_BILL_BYTES).contains(&compact.len()) {
            return false;
        }
        self.numbers
            .push(hash::of(Tag::Transport, compact.as_bytes()));
        true
    }

    /// All numbers of bands that differ from the picture's in one bit: of four bands of 16 bits, at
    /// least one differs so little where seven bits differ in all.
    fn read_image(&mut self, text: &str) -> bool {
        let image = declared::image(text);
        let (Selector::Image(hash), Ok(_)) = (&image, image.canonical()) else {
            return false;
        };
        for band in bands(hash) {
            self.numbers.push(hash::of_number(Tag::Image, band));
            self.numbers
                .extend((0..16).map(|bit| hash::of_number(Tag::Image, band ^ 1 << bit)));
        }
        true
    }

    fn read_description(&mut self, text: &str) {
        if text.len() > crate::line::MAX_DESCRIPTION_BYTES {
            self.unreadable.insert(Field::Description);
        }
        for word in declared::numbered_words(text) {
            let could = self.can_decide;
            self.read_gtin(word);
            self.can_decide = could;
            self.read_number(Tag::Model, word);
        }
    }

    fn read_identifier(&mut self, field: Field, identifier: &Identifier<'_>) {
        let text = identifier.value.trim();
        if text.is_empty() {
            return;
        }
        let is_read = identifier.value.len() <= MAX_VALUE_BYTES
            && match identifier.scheme {
                Scheme::Any => {
                    let before = self.numbers.len();
                    for form in declared::any_register(text) {
                        self.read_slowly(&form);
                    }
                    self.numbers.len() > before
                }
                Scheme::Eori => self.read_eori(text),
                Scheme::Lei => self.read_slowly(&Selector::Lei(text.to_owned())),
                Scheme::Mid => self.read_slowly(&Selector::Mid(text.to_owned())),
                Scheme::Duns => self.read_slowly(&Selector::Duns(text.to_owned())),
                Scheme::Importer(scheme) => self.read_slowly(&declared::importer(scheme, text)),
            };
        if !is_read {
            self.unreadable.insert(field);
        }
    }

    fn read_eori(&mut self, text: &str) -> bool {
        let mut room = Room::default();
        let is_read = (3..=17).contains(&text.len())
            && room.take(text, |byte| match byte {
                _ if byte.is_ascii_alphanumeric() => Taken::Kept(byte.to_ascii_uppercase()),
                _ => Taken::Refused,
            });
        let upper = room.text();
        let country = upper.get(..2).unwrap_or_default();
        if !is_read || !(country == "XI" || is_country(country)) {
            return false;
        }
        self.numbers.push(hash::of(Tag::Eori, upper.as_bytes()));
        true
    }

    /// Through the canonical form itself, where that is not asked of every line.
    fn read_slowly(&mut self, form: &Selector) -> bool {
        let canonical = form.canonical().ok();
        self.numbers.extend(canonical.as_ref().and_then(number));
        canonical.is_some()
    }
}

/// The number of a selector that meets equal facts; none for those that meet in another way, or
/// that are never enough to be looked for.
pub(crate) fn number(canonical: &Canonical) -> Option<u64> {
    let (tag, text) = match canonical.selector() {
        Selector::Gtin(text) => (Tag::Gtin, text),
        Selector::Model(text) => (Tag::Model, text),
        Selector::Batch(text) => (Tag::Batch, text),
        Selector::Brand(text) => (Tag::Brand, text),
        Selector::Mid(text) => (Tag::Mid, text),
        Selector::Lei(text) => (Tag::Lei, text),
        Selector::Eori(text) => (Tag::Eori, text),
        Selector::Importer(importer) => (Tag::Importer, &importer.number),
        Selector::Duns(text) => (Tag::Duns, text),
        Selector::Container(text) => (Tag::Container, text),
        Selector::Vessel(text) => (Tag::Vessel, text),
        Selector::Listing(text) => (Tag::Listing, text),
        Selector::Transport(document) => {
            let compact = document.number.replace('-', "");
            return Some(hash::of(Tag::Transport, compact.as_bytes()));
        }
        Selector::Hs(_)
        | Selector::Tariff(_)
        | Selector::Serial(_)
        | Selector::ModelPattern(_)
        | Selector::Origin(_)
        | Selector::Description(_)
        | Selector::Image(_) => return None,
    };
    Some(hash::of(tag, text.as_bytes()))
}

/// The number of all ranges with a serial range's prefix and width.
pub(crate) fn range_number(range: &SerialRange) -> u64 {
    serial_number(&range.prefix, usize::try_from(range.width).unwrap_or(0))
}

fn serial_number(prefix: &str, width: usize) -> u64 {
    hash::of_number(
        Tag::Serial,
        hash::of(Tag::Serial, prefix.as_bytes()) ^ width as u64,
    )
}

/// The number under which a pattern that begins with characters of its own is found.
pub(crate) fn pattern_number(prefix: &str) -> Option<u64> {
    let start = starts(prefix).last()?;
    Some(hash::of(Tag::PatternStart, start.as_bytes()))
}

/// The first character, the first two, the first three.
fn starts(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.take(MAX_START_CHARS).filter_map(|end| text.get(..end))
}

/// The four bands of a picture's hash, each told from the others.
pub(crate) fn bands(image: &ImageHash) -> impl Iterator<Item = u64> {
    let (bits, kind) = (image.bits, image.kind as u64);
    (0..4).map(move |band| (bits >> (16 * band) & 0xFFFF) | band << 16 | kind << 20)
}

/// An assigned ISO 3166-1 alpha-2 code, in any case.
fn is_country(text: &str) -> bool {
    let &[first, second] = text.as_bytes() else {
        return false;
    };
    let upper = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    std::str::from_utf8(&upper).is_ok_and(tocsin_core::country::is_assigned)
}

/// Form and check digit of ISO 6346.
fn is_container(compact: &[u8]) -> bool {
    let Some((owner, number)) = compact.split_first_chunk::<4>() else {
        return false;
    };
    let is_form = number.len() == 7
        && owner.iter().all(u8::is_ascii_uppercase)
        && matches!(owner[3], b'U' | b'J' | b'Z')
        && number.iter().all(u8::is_ascii_digit);
    let value = |byte: u8| {
        if byte.is_ascii_digit() {
            return u32::from(byte - b'0');
        }
        let place = u32::from(byte.saturating_sub(b'A'));
        10 + place + place.div_ceil(10)
    };
    let weighed = compact
        .iter()
        .take(10)
        .enumerate()
        .map(|(at, byte)| value(*byte) << at);
    let check = compact
        .last()
        .map(|byte| u32::from(byte.saturating_sub(b'0')));
    is_form && check == Some(weighed.sum::<u32>() % 11 % 10)
}

/// Room for one canonical value.
struct Room {
    bytes: [u8; ROOM],
    len: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            bytes: [0; ROOM],
            len: 0,
        }
    }
}

/// What becomes of a byte of a value.
enum Taken {
    Kept(u8),
    Dropped,
    Refused,
}

impl Room {
    /// Takes a text byte by byte; false once one is refused or there is no room.
    fn take(&mut self, text: &str, mut take: impl FnMut(u8) -> Taken) -> bool {
        for byte in text.bytes() {
            match take(byte) {
                Taken::Kept(byte) => {
                    let Some(place) = self.bytes.get_mut(self.len) else {
                        return false;
                    };
                    *place = byte;
                    self.len += 1;
                }
                Taken::Dropped => {}
                Taken::Refused => return false,
            }
        }
        true
    }

    /// Letters and digits in upper case, without spaces and `- / .`.
    fn take_compact(&mut self, text: &str) -> bool {
        self.take(text, |byte| match byte {
            b' ' | b'-' | b'/' | b'.' => Taken::Dropped,
            _ if byte.is_ascii_alphanumeric() => Taken::Kept(byte.to_ascii_uppercase()),
            _ => Taken::Refused,
        })
    }

    fn text(&self) -> &str {
        let taken = self.bytes.get(..self.len).unwrap_or_default();
        std::str::from_utf8(taken).unwrap_or_default()
    }

    /// The digits with zeros before them, if there are as many as an item number has and the check
    /// digit holds.
    fn as_gtin(&self) -> Option<[u8; 14]> {
        if !matches!(self.len, 8 | 12..=14) {
            return None;
        }
        let mut gtin = [b'0'; 14];
        let digits = self.bytes.get(..self.len)?;
        gtin.get_mut(14 - self.len..)?.copy_from_slice(digits);
        let weighed = gtin.iter().enumerate().map(|(at, digit)| {
            let weight = if at % 2 == 0 { 3 } else { 1 };
            u32::from(digit - b'0') * weight
        });
        let is_number = gtin.iter().any(|digit| *digit != b'0');
        (is_number && weighed.sum::<u32>() % 10 == 0).then_some(gtin)
    }
}

/// Digits of tariff codes that all countries share.
const SHARED_DIGITS: usize = 6;
/// Characters of a pattern's own start by which it is found.
const MAX_START_CHARS: usize = 3;
/// Digits of a serial number after its prefix.
const MAX_WIDTH: usize = 18;
/// Characters from which a model number decides.
const MIN_STRONG_CHARS: usize = 5;
/// Bytes of a brand in ASCII.
const MAX_BRAND_BYTES: usize = 128;
/// Longest number of a bill of lading.
const MAX_BILL_BYTES: usize = 35;
/// The longest canonical value, a model number of 64 characters of four bytes.
const ROOM: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declared::Declared;
    use crate::line::{Party, Role};
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = String> {
        prop_oneof![
            "[0-9]{8,14}",
            "[0-9A-Za-z ._/-]{0,20}",
            "[A-Z]{3}[UJZ][0-9]{7}",
            "[0-9]{3}-[0-9]{8}",
            "[0-9. ]{0,12}",
            "[A-Za-z]{2}[0-9]{0,12}",
            "(phash:|dhash:|)[0-9a-f]{15,16}",
            "\\PC{0,24}",
            "[ａ-ｚ０-９ßİ -]{0,8}",
            Just("4006381333931".to_owned()),
            Just("5493001KJTIIGC8Y1R12".to_owned()),
            Just("CSQU3054383".to_owned()),
            Just("A\u{0}B".to_owned()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_line_is_read_fast_as_it_is_read_in_full(value in any_value(), year in 2015..2035_u32) {
            let values = [value.as_str()];
            let any = [Identifier { scheme: Scheme::Any, value: &value }];
            let eori = [Identifier { scheme: Scheme::Eori, value: &value }];
            let party = |role, identifiers| Party { role, name: "", identifiers, country: "" };
            let line = Line {
                gtins: &values,
                models: &values,
                serials: &values,
                batches: &values,
                brands: &values,
                components: &values,
                tariffs: &values,
                tariff_edition: year,
                containers: &values,
                transport_documents: &values,
                listings: &values,
                images: &values,
                vessel: &value,
                origin: &value,
                description: &value,
                parties: &[party(Role::Importer, &any), party(Role::Seller, &eori)],
                ..Line::BLANK
            };
            let mut facts = Facts::default();
            facts.read(&line);
            let declared = Declared::read(&line);
            prop_assert_eq!(
                facts.unreadable.iter().collect::<Vec<_>>(),
                declared.unreadable.iter().collect::<Vec<_>>()
            );
            prop_assert_eq!(facts.can_decide, declared.can_decide());
            for fact in &declared.facts {
                let canonical = fact.canonical.canonical().unwrap();
                if fact.field != Field::Serial && let Some(number) = number(&canonical) {
                    prop_assert!(facts.numbers.contains(&number), "{:?}", fact);
                }
            }
        }
    }
}
