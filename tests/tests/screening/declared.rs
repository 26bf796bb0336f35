//! What a line says, value by value, in the forms of [`forms`].

use tocsin_core::product::{ImporterScheme, TransportKind};
use tocsin_screen::line::{Line, MAX_LINE_VALUES, MAX_VALUE_BYTES, Party, Scheme};

use crate::forms;

/// The values of one field that can be read, and whether there were others.
#[derive(Clone, Debug, Default)]
pub struct Values {
    pub read: Vec<String>,
    pub has_unreadable: bool,
}

impl Values {
    fn of(raw: &[&str], form: impl Fn(&str) -> Option<String>) -> Self {
        let mut values = Self::default();
        for text in raw.iter().take(MAX_LINE_VALUES) {
            // Readers of files leave spaces and line ends around a value.
            let bare = text.trim();
            if bare.is_empty() {
                continue;
            }
            match form(bare).filter(|_| text.len() <= MAX_VALUE_BYTES) {
                Some(read) => values.read.push(read),
                None => values.has_unreadable = true,
            }
        }
        values.has_unreadable |= raw.len() > MAX_LINE_VALUES;
        values
    }

    pub fn has(&self, canonical: &str) -> bool {
        self.read.iter().any(|read| read == canonical)
    }
}

/// The goods of a line.
#[derive(Clone, Debug, Default)]
pub struct Goods {
    pub gtins: Values,
    pub models: Values,
    pub serials: Values,
    pub batches: Values,
    pub brands: Values,
    pub components: Values,
    pub containers: Values,
    pub bills: Values,
    pub waybills: Values,
    pub listings: Values,
    pub images: Values,
    pub tariffs: Values,
}

impl Goods {
    pub fn of(line: &Line<'_>) -> Self {
        Self {
            gtins: Values::of(line.gtins, forms::gtin_as_declared),
            models: Values::of(line.models, forms::model),
            serials: Values::of(line.serials, forms::model),
            batches: Values::of(line.batches, forms::model),
            brands: Values::of(line.brands, forms::brand),
            components: Values::of(line.components, forms::model),
            containers: Values::of(line.containers, forms::container),
            bills: Values::of(line.transport_documents, forms::bill_of_lading),
            waybills: Values::of(line.transport_documents, forms::air_waybill),
            listings: Values::of(line.listings, forms::listing),
            images: Values::of(line.images, forms::image),
            tariffs: Values::of(line.tariffs, forms::tariff_as_declared),
        }
    }

    /// Transport documents of one kind.
    pub fn documents(&self, kind: TransportKind) -> &Values {
        match kind {
            TransportKind::BillOfLading => &self.bills,
            TransportKind::AirWaybill => &self.waybills,
        }
    }
}

/// One number of a declared party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub register: Register,
    pub canonical: String,
    /// The line says which register; only then another number of it says otherwise.
    pub is_certain: bool,
}

/// Registers of firms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Register {
    Lei,
    Eori,
    Mid,
    Duns,
    Importer(ImporterScheme),
}

impl Register {
    pub const ALL: [Self; 8] = [
        Self::Lei,
        Self::Eori,
        Self::Mid,
        Self::Duns,
        Self::Importer(ImporterScheme::Us),
        Self::Importer(ImporterScheme::Jp),
        Self::Importer(ImporterScheme::Kr),
        Self::Importer(ImporterScheme::Cn),
    ];

    pub fn form(self, text: &str) -> Option<String> {
        match self {
            Self::Lei => forms::lei(text),
            Self::Eori => forms::eori(text),
            Self::Mid => forms::mid(text),
            Self::Duns => forms::duns(text),
            Self::Importer(scheme) => forms::importer(scheme, text),
        }
    }

    /// Derived by the filer from name and address, or without a check: it suggests.
    pub const fn decides(self) -> bool {
        match self {
            Self::Lei | Self::Eori | Self::Importer(_) => true,
            Self::Mid | Self::Duns => false,
        }
    }
}

/// The numbers of a declared party that can be read.
pub fn numbers(party: &Party<'_>) -> Vec<Number> {
    let mut numbers = vec![];
    for identifier in party.identifiers.iter().take(MAX_LINE_VALUES) {
        let text = identifier.value.trim();
        if identifier.value.len() > MAX_VALUE_BYTES {
            continue;
        }
        let said = match identifier.scheme {
            Scheme::Any => None,
            Scheme::Lei => Some(Register::Lei),
            Scheme::Eori => Some(Register::Eori),
            Scheme::Mid => Some(Register::Mid),
            Scheme::Duns => Some(Register::Duns),
            Scheme::Importer(scheme) => Some(Register::Importer(scheme)),
        };
        for register in Register::ALL {
            if said.is_none_or(|said| said == register)
                && let Some(canonical) = register.form(text)
            {
                numbers.push(Number {
                    register,
                    canonical,
                    is_certain: said.is_some(),
                });
            }
        }
    }
    numbers
}
