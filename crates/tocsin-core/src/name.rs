//! What records are called (SURFACE, "Resource names"): `members/us/orders/2026-0412`, short
//! `US-2026-0412`; a block, `US-2026-0412@DE`; what has no number by the first 16 hex digits of its
//! statement_id.
//!
//! Parsing is kind to people: any case, with or without the leading zeros. Writing has one form.

use std::fmt;

use tocsin_log::checkpoint::MAX_LABEL_BYTES;
use tocsin_log::hash::Hash;

use crate::date;
use crate::statement::{Act, Statement};
use crate::words::words;

words! {
    /// The collections that records stand in.
    Collection {
        /// Investigators' reports.
        Reports = 1 "reports",
        /// Matchable facts.
        Indicators = 2 "indicators",
        /// Orders, by their issue.
        Orders = 3 "orders",
        /// What issuers did to their orders.
        OrderActs = 4 "orderActs",
        /// Jurisdictions' acts on others' orders.
        Decisions = 5 "decisions",
        /// Jurisdictions' rules for such acts.
        PolicyPacks = 6 "policyPacks",
    }
}

/// The name of an order, report or indicator, whichever of them has the number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Numbered {
    /// Whose.
    pub member: String,
    /// UTC year of its created_ms.
    pub year: u16,
    /// The year's running number, from 1.
    pub number: u32,
}

/// The name of a block: an order in one jurisdiction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockName {
    /// The order.
    pub order: Numbered,
    /// Where it is in force, or might be.
    pub jurisdiction: String,
}

/// Anything that names a record or a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// An order, report or indicator.
    Numbered {
        /// Said in resource names, not in short ones.
        collection: Option<Collection>,
        /// Which.
        name: Numbered,
    },
    /// A statement without a number.
    Prefixed {
        /// Where it stands and whose it is: said in resource names, not in short ones.
        place: Option<(Collection, String)>,
        /// The first 16 hex digits of its statement_id.
        prefix: String,
    },
    /// Any statement.
    Statement(Hash),
    /// A block.
    Block(BlockName),
}

impl Name {
    /// Reads a name in any of its forms; `None` when it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_NAME_BYTES || !text.is_ascii() {
            return None;
        }
        if let Some((order, jurisdiction)) = text.split_once('@') {
            let order = match Self::parse(order)? {
                Self::Numbered {
                    collection: None | Some(Collection::Orders),
                    name,
                } => name,
                Self::Numbered { .. }
                | Self::Prefixed { .. }
                | Self::Statement(_)
                | Self::Block(_) => return None,
            };
            return BlockName::new(order, jurisdiction).map(Self::Block);
        }
        if let Some(rest) = text.strip_prefix("members/") {
            let mut parts = rest.split('/');
            let (member, collection, last) = (parts.next()?, parts.next()?, parts.next()?);
            let collection = Collection::from_word(collection)?;
            if parts.next().is_some() {
                return None;
            }
            return collection.parse_last(member, last);
        }
        if let Ok(id) = Hash::from_hex(&text.to_ascii_lowercase()) {
            return Some(Self::Statement(id));
        }
        if let Some(prefix) = read_prefix(text) {
            return Some(Self::Prefixed {
                place: None,
                prefix,
            });
        }
        let (rest, number) = text.rsplit_once('-')?;
        let (member, year) = rest.rsplit_once('-')?;
        Some(Self::Numbered {
            collection: None,
            name: Numbered::read(member, year, number)?,
        })
    }
}

impl Collection {
    /// The collection that an act stands in.
    #[must_use]
    pub const fn of(act: &Act) -> Self {
        match act {
            Act::Report(_) => Self::Reports,
            Act::Indicator(_) => Self::Indicators,
            Act::Order(_) => Self::Orders,
            Act::OrderAct(_) => Self::OrderActs,
            Act::Decision(_) => Self::Decisions,
            Act::PolicyPack(_) => Self::PolicyPacks,
        }
    }

    fn parse_last(self, member: &str, last: &str) -> Option<Name> {
        match self {
            Self::Reports | Self::Indicators | Self::Orders => {
                let (year, number) = last.split_once('-')?;
                let name = Numbered::read(member, year, number)?;
                Some(Name::Numbered {
                    collection: Some(self),
                    name,
                })
            }
            Self::OrderActs | Self::Decisions | Self::PolicyPacks => {
                let place = Some((self, read_member(member)?));
                Some(Name::Prefixed {
                    place,
                    prefix: read_prefix(last)?,
                })
            }
        }
    }
}

/// The full name of a member's statement: `members/de/decisions/0123456789abcdef`.
#[must_use]
pub fn resource(member: &str, statement: &Statement, statement_id: &Hash) -> String {
    let collection = Collection::of(&statement.act);
    match Numbered::of(member, statement) {
        Some(name) => name.resource(collection),
        None => format!("members/{member}/{collection}/{}", prefix(statement_id)),
    }
}

/// The short name of a member's statement: `US-2026-0412`, or 16 hex digits.
#[must_use]
pub fn short(member: &str, statement: &Statement, statement_id: &Hash) -> String {
    Numbered::of(member, statement).map_or_else(|| prefix(statement_id), |name| name.to_string())
}

/// The first 16 hex digits of a statement_id.
#[must_use]
pub fn prefix(statement_id: &Hash) -> String {
    let mut hex = statement_id.to_string();
    hex.truncate(PREFIX_DIGITS);
    hex
}

impl Numbered {
    /// The name of a member's statement, if it has a number and its year has four digits.
    #[must_use]
    pub fn of(member: &str, statement: &Statement) -> Option<Self> {
        let year = u16::try_from(date::year(statement.created_ms))
            .ok()
            .filter(|y| *y <= 9_999)?;
        (statement.act.is_numbered() && statement.number > 0).then(|| Self {
            member: member.to_owned(),
            year,
            number: statement.number,
        })
    }

    /// `members/us/orders/2026-0412`.
    #[must_use]
    pub fn resource(&self, collection: Collection) -> String {
        format!(
            "members/{}/{collection}/{:04}-{:04}",
            self.member, self.year, self.number
        )
    }

    fn read(member: &str, year: &str, number: &str) -> Option<Self> {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4
            || !(1..=10).contains(&number.len())
            || !is_digits(year)
            || !is_digits(number)
        {
            return None;
        }
        let number = number.parse().ok().filter(|number| *number > 0)?;
        Some(Self {
            member: read_member(member)?,
            year: year.parse().ok()?,
            number,
        })
    }
}

impl BlockName {
    /// The block of an order in a jurisdiction, two letters in any case.
    #[must_use]
    pub fn new(order: Numbered, jurisdiction: &str) -> Option<Self> {
        let is_form =
            jurisdiction.len() == 2 && jurisdiction.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_form.then(|| Self {
            order,
            jurisdiction: jurisdiction.to_ascii_uppercase(),
        })
    }
}

/// `US-2026-0412`.
impl fmt::Display for Numbered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = self.member.to_ascii_uppercase();
        write!(f, "{member}-{:04}-{:04}", self.year, self.number)
    }
}

/// `US-2026-0412@DE`.
impl fmt::Display for BlockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.order, self.jurisdiction)
    }
}

/// One label of a DNS name, in lower case.
fn read_member(text: &str) -> Option<String> {
    let is_form = (1..=MAX_LABEL_BYTES).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_form.then(|| text.to_ascii_lowercase())
}

fn read_prefix(text: &str) -> Option<String> {
    let is_form = text.len() == PREFIX_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_form.then(|| text.to_ascii_lowercase())
}

/// Hex digits by which a statement without a number is called (FORMATS section 2).
const PREFIX_DIGITS: usize = 16;
/// Bytes of any name: prefix, member, collection, number, block.
pub const MAX_NAME_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn numbered(member: &str, year: u16, number: u32) -> Numbered {
        Numbered {
            member: member.to_owned(),
            year,
            number,
        }
    }

    #[test]
    fn an_order_has_a_resource_name_and_a_short_one() {
        let order = numbered("us", 2026, 412);
        assert_eq!(order.to_string(), "US-2026-0412");
        assert_eq!(
            order.resource(Collection::Orders),
            "members/us/orders/2026-0412"
        );
        for (text, collection) in [
            ("US-2026-0412", None),
            ("us-2026-412", None),
            ("members/us/orders/2026-0412", Some(Collection::Orders)),
            ("members/us/reports/2026-412", Some(Collection::Reports)),
        ] {
            let name = order.clone();
            assert_eq!(
                Name::parse(text),
                Some(Name::Numbered { collection, name }),
                "{text}"
            );
        }
    }

    #[test]
    fn a_member_with_hyphens_is_read_whole() {
        let name = numbered("eu-north-1", 2026, 12_345);
        assert_eq!(name.to_string(), "EU-NORTH-1-2026-12345");
        assert_eq!(
            Name::parse("EU-NORTH-1-2026-12345"),
            Some(Name::Numbered {
                collection: None,
                name
            })
        );
    }

    #[test]
    fn a_block_is_an_order_in_a_jurisdiction() {
        let block = BlockName::new(numbered("us", 2026, 412), "de").unwrap();
        assert_eq!(block.to_string(), "US-2026-0412@DE");
        for text in [
            "US-2026-0412@DE",
            "us-2026-412@de",
            "members/us/orders/2026-0412@DE",
        ] {
            assert_eq!(
                Name::parse(text),
                Some(Name::Block(block.clone())),
                "{text}"
            );
        }
    }

    #[test]
    fn what_has_no_number_is_called_by_its_digest() {
        let id = Hash::of(b"decision");
        let prefix = prefix(&id);
        assert_eq!(Name::parse(&id.to_string()), Some(Name::Statement(id)));
        assert_eq!(
            Name::parse(&prefix),
            Some(Name::Prefixed {
                place: None,
                prefix: prefix.clone()
            })
        );
        assert_eq!(
            Name::parse(&format!("members/de/decisions/{prefix}")),
            Some(Name::Prefixed {
                place: Some((Collection::Decisions, "de".to_owned())),
                prefix,
            })
        );
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "",
            "US",
            "US-2026",
            "US-2026-",
            "US-2026-0",
            "US-26-0412",
            "US-2026-04x2",
            "US-2026-99999999999",
            "US-2026-4294967296",
            "-2026-0412",
            "U/S-2026-0412",
            "members/us/orders",
            "members/us/orders/",
            "members/us/orders/2026-0412/x",
            "members/us/orders/0123456789abcdef",
            "members/de/decisions/2026-0001",
            "members/us/sanctions/2026-0412",
            "US-2026-0412@",
            "US-2026-0412@DEU",
            "US-2026-0412@D1",
            "US-2026-0412@DE@FR",
            "members/us/reports/2026-0007@DE",
            "0123456789abcdef@DE",
            "ÜS-2026-0412",
        ] {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            member in "[a-z][a-z0-9-]{0,20}[a-z0-9]", year in 1970_u16..10_000, number in 1_u32..,
            jurisdiction in "[A-Z]{2}",
        ) {
            let name = numbered(&member, year, number);
            let short = name.to_string();
            prop_assert_eq!(
                Name::parse(&short),
                Some(Name::Numbered { collection: None, name: name.clone() })
            );
            let block = BlockName::new(name, &jurisdiction).unwrap();
            prop_assert_eq!(Name::parse(&block.to_string()), Some(Name::Block(block)));
        }

        #[test]
        fn no_text_makes_parsing_panic(text in "\\PC{0,140}") {
            let _ = Name::parse(&text);
        }
    }
}
