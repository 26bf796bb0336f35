//! A declared line that owns its texts, so that tests can make and change one.

use tocsin_core::product::ImporterScheme;
use tocsin_core::terms::Direction;
use tocsin_screen::line::{Identifier, Line, Party, Role, Scheme};

/// What [`Line`] borrows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    pub direction: Option<Direction>,
    pub at_ms: Option<i64>,
    pub tariffs: Vec<String>,
    pub tariff_country: String,
    pub tariff_edition: u32,
    pub description: String,
    pub origin: String,
    pub dispatch: String,
    pub parties: Vec<RowParty>,
    pub gtins: Vec<String>,
    pub models: Vec<String>,
    pub serials: Vec<String>,
    pub batches: Vec<String>,
    pub brands: Vec<String>,
    pub components: Vec<String>,
    pub containers: Vec<String>,
    pub transport_documents: Vec<String>,
    pub vessel: String,
    pub listings: Vec<String>,
    pub images: Vec<String>,
    pub is_under_bond: bool,
    pub is_certified: bool,
    pub claims: Vec<String>,
}

/// What [`Party`] borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowParty {
    pub role: Role,
    pub name: String,
    pub identifiers: Vec<(Register, String)>,
    pub country: String,
}

/// What [`Scheme`] borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Register {
    Any,
    Lei,
    Eori,
    Mid,
    Duns,
    Importer(ImporterScheme),
}

impl RowParty {
    pub fn named(role: Role, name: &str) -> Self {
        Self {
            role,
            name: name.to_owned(),
            identifiers: vec![],
            country: String::new(),
        }
    }

    pub fn numbered(role: Role, register: Register, number: &str) -> Self {
        Self {
            identifiers: vec![(register, number.to_owned())],
            ..Self::named(role, "")
        }
    }
}

impl Row {
    /// Lends the line to `read`.
    pub fn with<T>(&self, read: impl FnOnce(&Line<'_>) -> T) -> T {
        let identifiers: Vec<Vec<Identifier<'_>>> = self
            .parties
            .iter()
            .map(|party| party.identifiers.iter().map(identifier).collect())
            .collect();
        let parties: Vec<Party<'_>> = self
            .parties
            .iter()
            .zip(&identifiers)
            .map(|(party, identifiers)| Party {
                role: party.role,
                name: &party.name,
                identifiers,
                country: &party.country,
            })
            .collect();
        let line = Line {
            declaration: "26GB0000000000TEST",
            number: 1,
            direction: self.direction,
            at_ms: self.at_ms,
            tariffs: &lent(&self.tariffs),
            tariff_country: &self.tariff_country,
            tariff_edition: self.tariff_edition,
            description: &self.description,
            origin: &self.origin,
            dispatch: &self.dispatch,
            parties: &parties,
            gtins: &lent(&self.gtins),
            models: &lent(&self.models),
            serials: &lent(&self.serials),
            batches: &lent(&self.batches),
            brands: &lent(&self.brands),
            components: &lent(&self.components),
            containers: &lent(&self.containers),
            transport_documents: &lent(&self.transport_documents),
            vessel: &self.vessel,
            listings: &lent(&self.listings),
            images: &lent(&self.images),
            is_under_bond: self.is_under_bond,
            is_certified: self.is_certified,
            claims: &lent(&self.claims),
        };
        read(&line)
    }
}

fn lent(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn identifier((register, value): &(Register, String)) -> Identifier<'_> {
    let scheme = match register {
        Register::Any => Scheme::Any,
        Register::Lei => Scheme::Lei,
        Register::Eori => Scheme::Eori,
        Register::Mid => Scheme::Mid,
        Register::Duns => Scheme::Duns,
        Register::Importer(scheme) => Scheme::Importer(*scheme),
    };
    Identifier { scheme, value }
}
