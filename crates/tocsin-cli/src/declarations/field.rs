//! What of a declaration is compared: the names that mappings use, and what each is for.

use tocsin_screen::line::Role;

/// What is said of a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Its name.
    Name,
    /// ISO 3166-1 alpha-2 of its address.
    Country,
    /// EORI number.
    Eori,
    /// Legal entity identifier (ISO 17442).
    Lei,
    /// Manufacturer identification code (19 CFR 102).
    Mid,
    /// D-U-N-S number.
    Duns,
    /// Another number of a register, as `scheme:number` or the number alone.
    Number,
}

impl Part {
    /// Every part, in the order in which mappings list them.
    pub const ALL: [Self; 7] = [
        Self::Name,
        Self::Country,
        Self::Eori,
        Self::Lei,
        Self::Mid,
        Self::Duns,
        Self::Number,
    ];

    /// The word in mappings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Country => "country",
            Self::Eori => "eori",
            Self::Lei => "lei",
            Self::Mid => "mid",
            Self::Duns => "duns",
            Self::Number => "number",
        }
    }
}

/// One thing that a row can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The declaration's number.
    Declaration,
    /// The line's number in its declaration.
    Item,
    /// Import, export, transit and the like.
    Direction,
    /// When it was declared.
    At,
    /// A tariff code of 2 to 10 digits.
    Tariff,
    /// Whose national tariff the digits after the sixth are of.
    TariffCountry,
    /// Edition of the Harmonized System.
    TariffEdition,
    /// What the goods are called.
    Description,
    /// Where they come from.
    Origin,
    /// Where they were sent from.
    Dispatch,
    /// Item number (GS1).
    Gtin,
    /// Model or part number.
    Model,
    /// Serial number.
    Serial,
    /// Batch or lot.
    Batch,
    /// Brand or sign.
    Brand,
    /// Model of what is built into the goods.
    Component,
    /// Container number (ISO 6346).
    Container,
    /// Bill of lading or air waybill.
    TransportDocument,
    /// IMO number of the ship.
    Vessel,
    /// Web address or marketplace number of the offer.
    Listing,
    /// Perceptual hash of a picture.
    Image,
    /// Whether they enter under bond.
    UnderBond,
    /// Whether the importer certifies that the order does not cover them.
    Certified,
    /// An exception of the order that is claimed.
    Exception,
    /// What is said of a party.
    Party(Role, Part),
}

/// The fields that are no party's, with their words and what each is for.
const PLAIN: [(Field, &str, &str); 24] = [
    (
        Field::Declaration,
        "declaration",
        "the declaration's number (MRN, entry number); names the row in results",
    ),
    (Field::Item, "item", "the line's number in its declaration"),
    (
        Field::Direction,
        "direction",
        "import, export, transit, re_export or ftz_admission; import when left out",
    ),
    (
        Field::At,
        "at",
        "when it was declared, 2026-11-25 or RFC 3339; now when left out",
    ),
    (
        Field::Tariff,
        "tariff",
        "tariff code, 2 to 10 digits; suggests, never holds alone",
    ),
    (
        Field::TariffCountry,
        "tariff_country",
        "whose tariff the digits after the sixth are of: 2 letters or EU",
    ),
    (
        Field::TariffEdition,
        "tariff_edition",
        "edition of the Harmonized System: 2017, 2022 or 2028",
    ),
    (
        Field::Description,
        "description",
        "what the goods are called; suggests, never holds alone",
    ),
    (Field::Origin, "origin", "country of origin, 2 letters"),
    (
        Field::Dispatch,
        "dispatch",
        "country they were sent from, 2 letters",
    ),
    (
        Field::Gtin,
        "gtin",
        "item number under a bar code, 8 to 14 digits; decisive",
    ),
    (
        Field::Model,
        "model",
        "model or part number as the maker writes it; decisive",
    ),
    (Field::Serial, "serial", "serial number; decisive"),
    (Field::Batch, "batch", "batch or lot number"),
    (Field::Brand, "brand", "brand or sign; suggests"),
    (
        Field::Component,
        "component",
        "model of what is built into the goods",
    ),
    (
        Field::Container,
        "container",
        "container number, 4 letters and 7 digits",
    ),
    (
        Field::TransportDocument,
        "transport_document",
        "number of the bill of lading or air waybill",
    ),
    (Field::Vessel, "vessel", "IMO number of the ship, 7 digits"),
    (
        Field::Listing,
        "listing",
        "web address or marketplace number of the offer",
    ),
    (
        Field::Image,
        "image",
        "perceptual hash of a picture, 16 hexadecimal digits",
    ),
    (
        Field::UnderBond,
        "under_bond",
        "yes where the goods enter under bond",
    ),
    (
        Field::Certified,
        "certified",
        "yes where the importer certifies that the order does not cover them",
    ),
    (
        Field::Exception,
        "exception",
        "an exception of the order that is claimed, in the order's word",
    ),
];

impl Field {
    /// Every field, in the order in which mappings list them.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let parties = Role::ALL.into_iter().flat_map(|role| {
            Part::ALL
                .into_iter()
                .map(move |part| Self::Party(role, part))
        });
        PLAIN.iter().map(|row| row.0).chain(parties).collect()
    }

    /// The word in mappings and in results, such as `gtin` or `importer_name`.
    #[must_use]
    pub fn word(self) -> String {
        if let Self::Party(role, part) = self {
            return format!("{}_{}", role.field().word(), part.word());
        }
        let row = PLAIN.iter().find(|row| row.0 == self);
        row.map_or_else(String::new, |row| row.1.to_owned())
    }

    /// The field of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::all().into_iter().find(|field| field.word() == word)
    }

    /// What it is for, in one line.
    #[must_use]
    pub fn purpose(self) -> String {
        let Self::Party(role, part) = self else {
            let row = PLAIN.iter().find(|row| row.0 == self);
            return row.map_or_else(String::new, |row| row.2.to_owned());
        };
        let who = role.field().word();
        match part {
            Part::Name => format!("name of the {who}"),
            Part::Country => format!("country of the {who}, 2 letters"),
            Part::Eori => format!("EORI number of the {who}; decisive"),
            Part::Lei => format!("legal entity identifier of the {who}, 20 characters; decisive"),
            Part::Mid => format!("manufacturer identification code of the {who}"),
            Part::Duns => format!("D-U-N-S number of the {who}, 9 digits"),
            Part::Number => format!("number of the {who} in another register; decisive"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_field_has_one_word_and_is_found_by_it() {
        let all = Field::all();
        assert_eq!(all.len(), 24 + 8 * 7);
        let words: BTreeSet<String> = all.iter().map(|field| field.word()).collect();
        assert_eq!(words.len(), all.len());
        for field in all {
            assert_eq!(Field::of_word(&field.word()), Some(field));
            assert!(!field.purpose().is_empty());
        }
        assert_eq!(Field::of_word("nationality"), None);
    }
}
