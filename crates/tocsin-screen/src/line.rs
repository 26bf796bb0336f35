//! One line of a declaration, as it was filed: what is said of the goods and of who moves them.
//!
//! Everything is borrowed and everything is optional; an empty text or list is "not declared". The
//! reader of a file or a message keeps the texts, so that screening copies nothing.

use tocsin_core::product::ImporterScheme;
use tocsin_core::terms::Direction;

/// What one line of a declaration says.
///
/// Values stand as they were filed; the screener puts them in canonical form itself. Nationality
/// and ethnicity are no fields of it, and never inputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    /// The declaration's own identifier (MRN, entry number), for the reader; never compared.
    pub declaration: &'a str,
    /// Number of the goods item in its declaration, for the reader; 0 = not declared.
    pub number: u32,
    /// What is done with the goods; not declared counts as import.
    pub direction: Option<Direction>,
    /// When the goods were presented, Unix milliseconds: carve-outs, relations and bonds are judged
    /// at it. Not declared: at the instant of the check. Blocks are always judged at the latter.
    pub at_ms: Option<i64>,
    /// Tariff codes, with or without dots and spaces, 2 to 10 digits.
    pub tariffs: &'a [&'a str],
    /// The country whose national tariff the digits after the sixth belong to, ISO 3166-1 alpha-2
    /// or `EU`; empty = not declared, and then no digit after the sixth is compared.
    pub tariff_country: &'a str,
    /// Year of the tariff, which tells the edition of the Harmonized System (2017, 2022, 2028); 0 =
    /// not declared, any agrees.
    pub tariff_edition: u32,
    /// The goods in words, in any language.
    pub description: &'a str,
    /// Country of origin, ISO 3166-1 alpha-2. Weak: never enough for anything.
    pub origin: &'a str,
    /// Country of dispatch, ISO 3166-1 alpha-2. Never compared; for the reader.
    pub dispatch: &'a str,
    /// Who makes, sells, moves and receives the goods; a role may come several times.
    pub parties: &'a [Party<'a>],
    /// Global trade item numbers; spaces and hyphens do not count.
    pub gtins: &'a [&'a str],
    /// Model or part numbers.
    pub models: &'a [&'a str],
    /// Serial numbers.
    pub serials: &'a [&'a str],
    /// Batch or lot numbers.
    pub batches: &'a [&'a str],
    /// Signs and brand words.
    pub brands: &'a [&'a str],
    /// Model or part numbers of what is built into the goods; count only for an order on
    /// downstream goods.
    pub components: &'a [&'a str],
    /// Containers (ISO 6346).
    pub containers: &'a [&'a str],
    /// Bills of lading and air waybills.
    pub transport_documents: &'a [&'a str],
    /// IMO number of the vessel.
    pub vessel: &'a str,
    /// Addresses and marketplace numbers of the offers the goods were sold under.
    pub listings: &'a [&'a str],
    /// Perceptual hashes of pictures of the goods: `phash:` or `dhash:` and 16 hexadecimal digits.
    pub images: &'a [&'a str],
    /// The goods are entered under bond.
    pub is_under_bond: bool,
    /// The importer certifies that the order does not cover the goods.
    pub is_certified: bool,
    /// Exceptions that are claimed, by the words of the kinds of carve-out: `service_repair`.
    pub claims: &'a [&'a str],
}

/// A party to the declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Party<'a> {
    /// What it does in this declaration.
    pub role: Role,
    /// Its name, in any script; empty = not declared.
    pub name: &'a str,
    /// Its numbers.
    pub identifiers: &'a [Identifier<'a>],
    /// Country of its seat, ISO 3166-1 alpha-2; empty = not declared. For the reader, and to tell
    /// apart what has one name; never raises an outcome.
    pub country: &'a str,
}

/// A number of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifier<'a> {
    /// Which register it is of.
    pub scheme: Scheme,
    /// As filed.
    pub value: &'a str,
}

/// Which register a party's number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Not declared: tried as each kind whose form and check digits it fits. Never contradicts.
    Any,
    /// Legal entity identifier (ISO 17442).
    Lei,
    /// Economic operator number (EU, UK).
    Eori,
    /// Manufacturer identification code (19 CFR 102 App.).
    Mid,
    /// Data universal numbering system.
    Duns,
    /// The number under which a country has registered it.
    Importer(ImporterScheme),
}

/// What a party does in a declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// For whom the goods come in.
    Importer,
    /// Who sends them out.
    Exporter,
    /// Who sells them.
    Seller,
    /// Who buys them.
    Buyer,
    /// Who made them.
    Manufacturer,
    /// Who receives them.
    Consignee,
    /// Who files the declaration; a broker is not bound by an order on its clients.
    Declarant,
    /// Who moves them; not bound either.
    Carrier,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::Importer,
        Self::Exporter,
        Self::Seller,
        Self::Buyer,
        Self::Manufacturer,
        Self::Consignee,
        Self::Declarant,
        Self::Carrier,
    ];

    /// Whether an order on a respondent binds the goods when the respondent has this role: it
    /// makes, sells, buys, sends or receives them, and does not only file or carry.
    #[must_use]
    pub const fn is_bound(self) -> bool {
        match self {
            Self::Importer
            | Self::Exporter
            | Self::Seller
            | Self::Buyer
            | Self::Manufacturer
            | Self::Consignee => true,
            Self::Declarant | Self::Carrier => false,
        }
    }

    /// The field of a line that it fills.
    #[must_use]
    pub const fn field(self) -> Field {
        match self {
            Self::Importer => Field::Importer,
            Self::Exporter => Field::Exporter,
            Self::Seller => Field::Seller,
            Self::Buyer => Field::Buyer,
            Self::Manufacturer => Field::Manufacturer,
            Self::Consignee => Field::Consignee,
            Self::Declarant => Field::Declarant,
            Self::Carrier => Field::Carrier,
        }
    }
}

/// A field of a line, to say what matched and what was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// [`Line::gtins`].
    Gtin,
    /// [`Line::models`].
    Model,
    /// [`Line::serials`].
    Serial,
    /// [`Line::batches`].
    Batch,
    /// [`Line::brands`].
    Brand,
    /// [`Line::components`].
    Component,
    /// [`Line::tariffs`].
    Tariff,
    /// [`Line::description`].
    Description,
    /// [`Line::origin`].
    Origin,
    /// [`Line::dispatch`].
    Dispatch,
    /// A party that is [`Role::Importer`].
    Importer,
    /// A party that is [`Role::Exporter`].
    Exporter,
    /// A party that is [`Role::Seller`].
    Seller,
    /// A party that is [`Role::Buyer`].
    Buyer,
    /// A party that is [`Role::Manufacturer`].
    Manufacturer,
    /// A party that is [`Role::Consignee`].
    Consignee,
    /// A party that is [`Role::Declarant`].
    Declarant,
    /// A party that is [`Role::Carrier`].
    Carrier,
    /// [`Line::containers`].
    Container,
    /// [`Line::transport_documents`].
    TransportDocument,
    /// [`Line::vessel`].
    Vessel,
    /// [`Line::listings`].
    Listing,
    /// [`Line::images`].
    Image,
    /// [`Line::direction`].
    Direction,
    /// [`Line::at_ms`].
    Time,
}

impl Field {
    /// Every field, in the order in which a reader looks for them.
    pub const ALL: [Self; 25] = [
        Self::Gtin,
        Self::Model,
        Self::Serial,
        Self::Batch,
        Self::Brand,
        Self::Component,
        Self::Tariff,
        Self::Description,
        Self::Origin,
        Self::Dispatch,
        Self::Importer,
        Self::Exporter,
        Self::Seller,
        Self::Buyer,
        Self::Manufacturer,
        Self::Consignee,
        Self::Declarant,
        Self::Carrier,
        Self::Container,
        Self::TransportDocument,
        Self::Vessel,
        Self::Listing,
        Self::Image,
        Self::Direction,
        Self::Time,
    ];

    /// The word for it in files and answers.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Gtin => "gtin",
            Self::Model => "model",
            Self::Serial => "serial",
            Self::Batch => "batch",
            Self::Brand => "brand",
            Self::Component => "component",
            Self::Tariff => "tariff",
            Self::Description => "description",
            Self::Origin => "origin",
            Self::Dispatch => "dispatch",
            Self::Importer => "importer",
            Self::Exporter => "exporter",
            Self::Seller => "seller",
            Self::Buyer => "buyer",
            Self::Manufacturer => "manufacturer",
            Self::Consignee => "consignee",
            Self::Declarant => "declarant",
            Self::Carrier => "carrier",
            Self::Container => "container",
            Self::TransportDocument => "transport_document",
            Self::Vessel => "vessel",
            Self::Listing => "listing",
            Self::Image => "image",
            Self::Direction => "direction",
            Self::Time => "time",
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u32);

impl Fields {
    /// No field.
    pub const NONE: Self = Self(0);

    /// Adds a field.
    pub const fn insert(&mut self, field: Field) {
        self.0 |= field.bit();
    }

    /// With a field more.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | field.bit())
    }

    /// Those of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those of both.
    #[must_use]
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether a field is in it.
    #[must_use]
    pub const fn contains(self, field: Field) -> bool {
        self.0 & field.bit() != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The fields, in the order of [`Field::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Field> {
        Field::ALL
            .into_iter()
            .filter(move |field| self.contains(*field))
    }
}

impl Line<'_> {
    /// A line that says nothing.
    pub const BLANK: Self = Self {
        declaration: "",
        number: 0,
        direction: None,
        at_ms: None,
        tariffs: &[],
        tariff_country: "",
        tariff_edition: 0,
        description: "",
        origin: "",
        dispatch: "",
        parties: &[],
        gtins: &[],
        models: &[],
        serials: &[],
        batches: &[],
        brands: &[],
        components: &[],
        containers: &[],
        transport_documents: &[],
        vessel: "",
        listings: &[],
        images: &[],
        is_under_bond: false,
        is_certified: false,
        claims: &[],
    };

    /// The fields that say nothing.
    #[must_use]
    pub fn missing(&self) -> Fields {
        let mut missing = Fields::NONE;
        let mut say = |field, is_said: bool| {
            if !is_said {
                missing.insert(field);
            }
        };
        say(Field::Gtin, is_said(self.gtins));
        say(Field::Model, is_said(self.models));
        say(Field::Serial, is_said(self.serials));
        say(Field::Batch, is_said(self.batches));
        say(Field::Brand, is_said(self.brands));
        say(Field::Component, is_said(self.components));
        say(Field::Tariff, is_said(self.tariffs));
        say(Field::Description, !self.description.is_empty());
        say(Field::Origin, !self.origin.is_empty());
        say(Field::Dispatch, !self.dispatch.is_empty());
        say(Field::Container, is_said(self.containers));
        say(Field::TransportDocument, is_said(self.transport_documents));
        say(Field::Vessel, !self.vessel.is_empty());
        say(Field::Listing, is_said(self.listings));
        say(Field::Image, is_said(self.images));
        say(Field::Direction, self.direction.is_some());
        say(Field::Time, self.at_ms.is_some());
        let mut roles = Fields::NONE;
        for party in self.parties.iter().take(MAX_LINE_VALUES) {
            if !party.name.is_empty() || party.identifiers.iter().any(|id| !id.value.is_empty()) {
                roles.insert(party.role.field());
            }
        }
        for role in Role::ALL {
            say(role.field(), roles.contains(role.field()));
        }
        missing
    }
}

fn is_said(values: &[&str]) -> bool {
    values
        .iter()
        .take(MAX_LINE_VALUES)
        .any(|value| !value.is_empty())
}

/// Values of one field of a line, and parties of a line, that are compared; where there are more,
/// the answer names the field as not read whole.
pub const MAX_LINE_VALUES: usize = 64;
/// Bytes of a value other than the description; a longer one is no identifier and no name, and the
/// answer names its field as not read.
pub const MAX_VALUE_BYTES: usize = 1_152;
/// Bytes of the description that are compared; where there are more, the answer names the field as
/// not read whole.
pub const MAX_DESCRIPTION_BYTES: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_is_missing() {
        let line = Line {
            gtins: &["", "4006381333931"],
            models: &[""],
            parties: &[Party {
                role: Role::Importer,
                name: "Acme",
                identifiers: &[],
                country: "",
            }],
            ..Line::default()
        };
        let missing = line.missing();
        assert!(!missing.contains(Field::Gtin) && !missing.contains(Field::Importer));
        assert!(missing.contains(Field::Model) && missing.contains(Field::Seller));
        assert_eq!(missing.iter().count(), Field::ALL.len() - 2);
        assert_eq!(Line::default().missing().iter().count(), Field::ALL.len());
    }

    #[test]
    fn every_field_has_its_own_bit_and_word() {
        let all = Field::ALL
            .iter()
            .fold(Fields::NONE, |all, field| all.with(*field));
        assert!(all.iter().eq(Field::ALL));
        let mut words: Vec<_> = Field::ALL.iter().map(|field| field.word()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), Field::ALL.len());
    }
}
