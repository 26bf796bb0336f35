//! Declarations in the XML of the WCO data model, as UK and EU import systems exchange them: one
//! file, one declaration, or many one after another.
//!
//! Elements are known by their path, whatever their prefixes. Document types and entities other
//! than XML's own five are refused, depth and text have bounds, and a declaration is told whole or
//! not at all.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::Event;
use tocsin_screen::line::Role;

use super::encoding::Text;
use super::field::{Field, Part};
use super::rows::{MAX_VALUE_BYTES, Rows};
use crate::failure::{Exit, Failure};

/// Depth of elements; real declarations have 7.
pub const MAX_DEPTH: usize = 64;
/// Goods items of one declaration.
pub const MAX_ITEMS: usize = 100_000;
/// Bytes between two pieces of markup: a longer text or comment is no declaration's.
const MAX_MARKUP_BYTES: usize = 1_048_576;
/// Bytes of values of one declaration.
const MAX_DECLARATION_BYTES: usize = 64 * 1_048_576;

type Values = Vec<(Field, String)>;

/// A file of declarations.
#[derive(Debug)]
pub struct Wco {
    reader: Reader<Metered>,
    buffer: Vec<u8>,
    /// Local names of the elements that are open, each with the place of its `/` in `path`.
    path: String,
    starts: Vec<usize>,
    /// What the element that is open says.
    text: String,
    open: Declaration,
    ready: std::vec::IntoIter<(u64, Values)>,
    header: Values,
    country: String,
    row: u64,
    is_done: bool,
}

/// One declaration as far as it was read.
#[derive(Debug, Default)]
struct Declaration {
    header: Values,
    items: Vec<(u64, Values)>,
    is_item: bool,
    classification: (String, String),
    tariff: String,
    taric: String,
    bytes: usize,
}

impl Wco {
    /// Reads declarations from a text.
    #[must_use]
    pub fn open(text: Text) -> Self {
        let mut reader = Reader::from_reader(Metered {
            text,
            ahead: Vec::new(),
            at: 0,
            left: MAX_MARKUP_BYTES,
            lines: 1,
        });
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            path: String::new(),
            starts: Vec::new(),
            text: String::new(),
            open: Declaration::default(),
            ready: Vec::new().into_iter(),
            header: Values::new(),
            country: String::new(),
            row: 0,
            is_done: false,
        }
    }

    /// Bytes of the file taken so far.
    #[must_use]
    pub const fn taken(&self) -> u64 {
        self.reader.get_ref().text.taken
    }

    /// Reads a stretch of rows; false at the end of the file.
    ///
    /// # Errors
    /// When it is no XML, asks for entities, or a bound is passed. What was read of the
    /// declaration is not told.
    pub fn fill(&mut self, rows: &mut Rows) -> Result<bool, Failure> {
        while !rows.is_full() {
            if let Some((line, values)) = self.ready.next() {
                self.row += 1;
                rows.begin(self.row, line);
                let own = |field| values.iter().any(|(of, _)| same(*of, field));
                for (field, value) in self.header.iter().filter(|(field, _)| !own(*field)) {
                    rows.push(*field, value);
                }
                for (field, value) in &values {
                    rows.push(*field, value);
                }
            } else if self.is_done {
                return Ok(false);
            } else {
                self.step()?;
            }
        }
        Ok(true)
    }

    /// Takes one piece of markup.
    fn step(&mut self) -> Result<(), Failure> {
        self.buffer.clear();
        self.reader.get_mut().left = MAX_MARKUP_BYTES;
        let line = self.reader.get_ref().lines;
        let event = self.reader.read_event_into(&mut self.buffer);
        match event.map_err(|e| broken(line, &e))? {
            Event::Start(start) => {
                self.starts.push(self.path.len());
                self.path.push('/');
                self.path.push_str(start.local_name().as_ref());
                self.text.clear();
                let is_item = self.path.ends_with("/GovernmentAgencyGoodsItem");
                self.began(is_item, line)?;
            }
            Event::End(_) => {
                self.ended()?;
                self.path.truncate(self.starts.pop().unwrap_or(0));
                self.text.clear();
            }
            Event::Text(text) => add(&mut self.text, &text),
            Event::CData(text) => add(&mut self.text, &text),
            Event::GeneralRef(name) => {
                let known = name.resolve_char_ref().map_err(|e| broken(line, &e))?;
                let known = known.or_else(|| predefined(&name));
                let Some(known) = known else {
                    let why = format!("line {line} asks for the entity `{}`", &*name);
                    return Err(refused("XML_ENTITY", why));
                };
                add(&mut self.text, known.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => {
                let why = format!("line {line} declares a document type");
                return Err(refused("XML_ENTITY", why));
            }
            Event::Eof if self.starts.is_empty() => self.is_done = true,
            Event::Eof => {
                let why = format!("the file ends within <{}>", self.name());
                return Err(refused("XML_UNREADABLE", why));
            }
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(())
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    fn began(&mut self, is_item: bool, line: u64) -> Result<(), Failure> {
        if self.starts.len() > MAX_DEPTH {
            let why = format!("line {line} is over {MAX_DEPTH} elements deep");
            return Err(refused("XML_UNREADABLE", why));
        }
        if is_item && !self.path.contains("/Response/") {
            self.open.is_item = true;
            if self.open.items.len() >= MAX_ITEMS {
                let why = format!("line {line}: more than {MAX_ITEMS} goods items");
                return Err(refused("DECLARATION_TOO_LONG", why));
            }
            self.open.items.push((line, Values::new()));
        }
        Ok(())
    }

    /// An element is whole: what it says is kept where it is one that is compared.
    fn ended(&mut self) -> Result<(), Failure> {
        if self.path.ends_with("/ResponsibleCountryCode") {
            self.text.trim().clone_into(&mut self.country);
        }
        let Some(path) = below_declaration(&self.path) else {
            return Ok(());
        };
        if path.is_empty() {
            self.declared();
            return Ok(());
        }
        let value = self.text.trim();
        self.open.bytes += value.len();
        if self.open.bytes > MAX_DECLARATION_BYTES {
            let why = format!("a declaration says more than {MAX_DECLARATION_BYTES} bytes");
            return Err(refused("DECLARATION_TOO_LONG", why));
        }
        self.open.element(path, value);
        Ok(())
    }

    /// A declaration is whole: its items become rows.
    fn declared(&mut self) {
        let mut whole = std::mem::take(&mut self.open);
        if !self.country.is_empty() {
            whole
                .header
                .push((Field::TariffCountry, self.country.clone()));
        }
        self.header = whole.header;
        self.ready = whole.items.into_iter();
    }
}

impl Declaration {
    /// An element at a path below the declaration's own.
    fn element(&mut self, path: &str, value: &str) {
        let shipment = path.strip_prefix("/GoodsShipment").unwrap_or(path);
        let item = shipment.strip_prefix("/GovernmentAgencyGoodsItem");
        match item {
            Some("") => self.is_item = false,
            Some(item) => self.of_item(item, value),
            None => self.of_header(shipment, value),
        }
    }

    fn of_header(&mut self, path: &str, value: &str) {
        let field = match path {
            // The number the authority gave names it better than the declarant's own.
            "/ID" => {
                self.header.retain(|(of, _)| *of != Field::Declaration);
                Some(Field::Declaration)
            }
            "/FunctionalReferenceID" if self.says(Field::Declaration) => None,
            "/FunctionalReferenceID" => Some(Field::Declaration),
            "/AcceptanceDateTime/DateTimeString" => {
                self.push(Field::At, &instant(value));
                None
            }
            "/TypeCode" => {
                self.push(Field::Direction, direction(value));
                None
            }
            "/ExportCountry/ID" | "/ExportCountry/CountryCode" => Some(Field::Dispatch),
            "/Consignment/TransportEquipment/ID" => Some(Field::Container),
            "/Consignment/TransportContractDocument/ID" => Some(Field::TransportDocument),
            "/Consignment/ArrivalTransportMeans/ID" | "/BorderTransportMeans/ID" => {
                Some(Field::Vessel)
            }
            _ => party(path),
        };
        self.keep(field, value);
    }

    fn of_item(&mut self, path: &str, value: &str) {
        match path {
            "/Commodity/Classification/ID" => value.clone_into(&mut self.classification.0),
            "/Commodity/Classification/IdentificationTypeCode" => {
                value.clone_into(&mut self.classification.1);
            }
            "/Commodity/Classification" => self.classified(),
            "/Commodity" => {
                let whole = format!("{}{}", self.tariff, std::mem::take(&mut self.taric));
                self.push(Field::Tariff, &whole);
                self.tariff.clear();
            }
            "/Commodity/Identification/ID" => value.clone_into(&mut self.classification.0),
            "/Commodity/Identification/IdentificationTypeCode" => {
                value.clone_into(&mut self.classification.1);
            }
            "/Commodity/Identification" => self.identified(),
            "/GovernmentProcedure/CurrentCode" if value.starts_with("31") => {
                self.push(Field::Direction, "re_export");
            }
            "/SequenceNumeric" => self.push(Field::Item, value),
            "/Commodity/Description" => self.push(Field::Description, value),
            "/Origin/CountryCode" => self.push(Field::Origin, value),
            "/ExportCountry/ID" | "/ExportCountry/CountryCode" => self.push(Field::Dispatch, value),
            "/Commodity/TransportEquipment/ID" => self.push(Field::Container, value),
            _ => self.keep(party(path), value),
        }
    }

    /// `TSP` is the code of 8 digits, `TRC` the two that the tariff adds.
    fn classified(&mut self) {
        let (id, kind) = std::mem::take(&mut self.classification);
        match kind.as_str() {
            "TSP" | "HS" | "" => self.tariff = id,
            "TRC" if id.len() == 2 => self.taric = id,
            _ => {}
        }
    }

    /// Codes of UN/EDIFACT 7143.
    fn identified(&mut self) {
        let (id, kind) = std::mem::take(&mut self.classification);
        let field = match kind.as_str() {
            "SRV" | "EN" | "UP" => Field::Gtin,
            "MN" | "MF" | "VN" => Field::Model,
            "SN" => Field::Serial,
            "NB" => Field::Batch,
            _ => return,
        };
        self.push(field, &id);
    }

    fn keep(&mut self, field: Option<Field>, value: &str) {
        match field {
            // An EORI number is known by its two letters; others are tried as what they fit.
            Some(Field::Party(role, Part::Eori)) if !is_eori(value) => {
                self.push(Field::Party(role, Part::Number), value);
            }
            Some(field) => self.push(field, value),
            None => {}
        }
    }

    fn push(&mut self, field: Field, value: &str) {
        if value.is_empty() {
            return;
        }
        let values = match self.items.last_mut() {
            Some((_, values)) if self.is_item => values,
            Some(_) | None => &mut self.header,
        };
        values.push((field, value.to_owned()));
    }

    fn says(&self, field: Field) -> bool {
        self.header.iter().any(|(of, _)| *of == field)
    }
}

/// The path below the element of a declaration; none for what an authority answers.
fn below_declaration(path: &str) -> Option<&str> {
    const NAME: &str = "/Declaration";
    let (before, below) = match path.split_once("/Declaration/") {
        Some((before, _)) => (before, path.get(before.len() + NAME.len()..)?),
        None => (path.strip_suffix(NAME)?, ""),
    };
    (!before.contains("Response")).then_some(below)
}

/// What an item says itself takes the place of what its header says: a party's role as a whole.
fn same(own: Field, field: Field) -> bool {
    match (own, field) {
        (Field::Party(one, _), Field::Party(other, _)) => one == other,
        (own, field) => own == field && own != Field::Container,
    }
}

/// The field of a path like `/Importer/ID`.
fn party(path: &str) -> Option<Field> {
    let path = path.strip_prefix("/Consignment").unwrap_or(path);
    let (who, what) = path.strip_prefix('/')?.split_once('/')?;
    let role = match who {
        "Importer" => Role::Importer,
        "Exporter" | "Consignor" => Role::Exporter,
        "Seller" => Role::Seller,
        "Buyer" => Role::Buyer,
        "Manufacturer" => Role::Manufacturer,
        "Consignee" => Role::Consignee,
        "Declarant" => Role::Declarant,
        "Carrier" => Role::Carrier,
        _ => return None,
    };
    let part = match what {
        "Name" => Part::Name,
        "ID" => Part::Eori,
        "Address/CountryCode" => Part::Country,
        _ => return None,
    };
    Some(Field::Party(role, part))
}

fn is_eori(value: &str) -> bool {
    let mut letters = value.chars();
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_uppercase());
    is_letter(letters.next()) && is_letter(letters.next()) && value.len() <= 17
}

/// The first two letters of the type of a declaration.
fn direction(kind: &str) -> &'static str {
    match kind.get(..2) {
        Some("EX") => "export",
        Some("T1" | "T2" | "TI") => "transit",
        _ => "import",
    }
}

/// `20220322` or `202203221030Z` as `2022-03-22`.
fn instant(digits: &str) -> String {
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}", part(0..4), part(4..6), part(6..8))
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

/// Adds to a text, up to a little over what a value may have.
fn add(text: &mut String, more: &str) {
    if text.len() <= MAX_VALUE_BYTES {
        text.push_str(more);
    }
}

fn refused(code: &str, why: String) -> Failure {
    Failure::new(Exit::Usage, why).code(code)
}

fn broken(line: u64, error: &quick_xml::Error) -> Failure {
    refused(
        "XML_UNREADABLE",
        format!("at or after line {line}: {error}"),
    )
}

/// A text as bytes, with a bound on what is read at a stretch.
#[derive(Debug)]
struct Metered {
    text: Text,
    ahead: Vec<u8>,
    at: usize,
    left: usize,
    lines: u64,
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let length = ready.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(ready) {
            *to = *from;
        }
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for Metered {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            let why = format!("over {MAX_MARKUP_BYTES} bytes without markup");
            return Err(io::Error::other(why));
        }
        while self.at == self.ahead.len() {
            self.ahead.clear();
            self.at = 0;
            if !self.text.fill(&mut self.ahead)? {
                break;
            }
        }
        Ok(self.ahead.get(self.at..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.at + amount).min(self.ahead.len());
        let taken = self.ahead.get(self.at..end).unwrap_or_default();
        self.lines += taken.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.at = end;
        self.left = self.left.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_8;
    use std::io::Cursor;

    fn read(xml: impl Into<Vec<u8>>) -> Result<Vec<Vec<(String, String)>>, Failure> {
        let text = Text::new(Box::new(Cursor::new(xml.into())), UTF_8);
        let (mut wco, mut rows, mut all) = (Wco::open(text), Rows::default(), Vec::new());
        loop {
            let more = wco.fill(&mut rows)?;
            for row in rows.rows() {
                let values = rows.values(*row);
                all.push(values.map(|(f, v)| (f.word(), v.to_owned())).collect());
            }
            rows.clear();
            if !more {
                return Ok(all);
            }
        }
    }

    fn code(xml: impl Into<Vec<u8>>) -> String {
        read(xml).unwrap_err().code.unwrap()
    }

    const SAMPLE: &str = r#"<?xml version="1.0"?><md:MetaData xmlns:md="m" xmlns="d">
<md:ResponsibleCountryCode>GB</md:ResponsibleCountryCode>
<Declaration><FunctionalReferenceID>REF-1</FunctionalReferenceID><TypeCode>IMA</TypeCode>
<Declarant><ID>GB603202734852</ID></Declarant>
<Exporter><Name>Smith &amp; S&#246;hne</Name>
  <Address><CountryCode>US</CountryCode></Address></Exporter>
<GoodsShipment>
 <Consignment><TransportEquipment><ID>CSQU3054383</ID></TransportEquipment></Consignment>
 <GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric><Commodity>
  <Description>Parts for <![CDATA[<shavers>]]></Description>
  <Classification><ID>85109000</ID>
    <IdentificationTypeCode>TSP</IdentificationTypeCode></Classification>
  <Classification><ID>00</ID><IdentificationTypeCode>TRC</IdentificationTypeCode></Classification>
  <Identification><ID>4006381333931</ID>
    <IdentificationTypeCode>SRV</IdentificationTypeCode></Identification>
 </Commodity><Origin><CountryCode>US</CountryCode></Origin></GovernmentAgencyGoodsItem>
 <GovernmentAgencyGoodsItem><SequenceNumeric>2</SequenceNumeric>
  <Exporter><Name>Other Ltd</Name></Exporter></GovernmentAgencyGoodsItem>
 <Importer><ID>GB553202734852</ID></Importer>
</GoodsShipment></Declaration></md:MetaData>
"#;

    #[test]
    fn goods_items_are_rows_with_what_their_header_says() {
        let rows = read(SAMPLE.repeat(2)).unwrap();
        assert_eq!(rows.len(), 4);
        let of = |row: usize, word: &str| {
            let found = rows[row].iter().find(|(name, _)| name == word);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(of(0, "declaration"), Some("REF-1"));
        assert_eq!(of(0, "description"), Some("Parts for <shavers>"));
        assert_eq!(of(0, "tariff"), Some("8510900000"));
        assert_eq!(of(0, "tariff_country"), Some("GB"));
        assert_eq!(of(0, "gtin"), Some("4006381333931"));
        assert_eq!(of(0, "exporter_name"), Some("Smith & Söhne"));
        assert_eq!(of(0, "exporter_country"), Some("US"));
        // The importer stands after the items.
        assert_eq!(of(0, "importer_eori"), Some("GB553202734852"));
        assert_eq!(of(1, "importer_eori"), Some("GB553202734852"));
        assert_eq!(of(0, "container"), Some("CSQU3054383"));
        assert_eq!(of(1, "exporter_name"), Some("Other Ltd"));
        assert_eq!(of(1, "exporter_country"), None);
        assert_eq!(of(1, "origin"), None);
    }

    #[test]
    fn declarations_of_a_real_system_are_read() {
        let files: [(&[u8], usize); 3] = [
            (
                include_bytes!("../../../../data/wco/TT_IM001a__Step1_TT_IM001a.xml"),
                1,
            ),
            (
                include_bytes!("../../../../data/wco/TT_IM001b__TT_IM001b.xml"),
                1,
            ),
            (
                include_bytes!("../../../../data/wco/TT_IM017a__Step1_TT_IM017a.xml"),
                3,
            ),
        ];
        for (bytes, items) in files {
            let rows = read(bytes.to_vec()).unwrap();
            assert_eq!(rows.len(), items);
            for row in rows {
                for word in ["declaration", "item", "description", "tariff", "origin"] {
                    assert!(row.iter().any(|(name, _)| name == word), "{word}: {row:?}");
                }
                let named = row.iter().find(|(name, _)| name == "exporter_name");
                assert!(named.is_some_and(|(_, value)| !value.is_empty()), "{row:?}");
            }
        }
    }

    #[test]
    fn an_answer_of_the_authority_is_no_declaration() {
        let xml = SAMPLE
            .replace("<Declaration>", "<Response><Declaration>")
            .replace("</Declaration>", "</Declaration></Response>");
        assert!(read(xml).unwrap().is_empty());
    }

    #[test]
    fn entity_bombs_depth_and_half_files_are_refused() {
        let bomb =
            "<!DOCTYPE a [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><MetaData>&b;</MetaData>";
        assert_eq!(code(bomb), "XML_ENTITY");
        assert_eq!(code("<MetaData>&b;</MetaData>"), "XML_ENTITY");
        assert_eq!(code("<a>".repeat(200_000)), "XML_UNREADABLE");
        assert_eq!(code("<a><b></a></b>"), "XML_UNREADABLE");
        assert_eq!(code(SAMPLE.get(..900).unwrap()), "XML_UNREADABLE");
        let long = format!("<a>{}</a>", "x".repeat(2 * MAX_MARKUP_BYTES));
        assert_eq!(code(long), "XML_UNREADABLE");
        let comment = format!("<a><!--{}--></a>", "x".repeat(2 * MAX_MARKUP_BYTES));
        assert_eq!(code(comment), "XML_UNREADABLE");
    }

    #[test]
    fn fifty_thousand_items_are_read_and_a_hundred_thousand_and_one_refused() {
        let of = |count: usize| {
            let item = "<GovernmentAgencyGoodsItem><SequenceNumeric>1</SequenceNumeric>\
                        </GovernmentAgencyGoodsItem>";
            format!(
                "<Declaration><GoodsShipment>{}</GoodsShipment></Declaration>",
                item.repeat(count)
            )
        };
        assert_eq!(read(of(50_000)).unwrap().len(), 50_000);
        assert_eq!(code(of(MAX_ITEMS + 1)), "DECLARATION_TOO_LONG");
    }
}
