//! Goods, and the facts by which a consignment can be matched to them.
//!
//! A selector is signed as its author wrote it and compared by its [`Canonical`] form; one that has
//! none is refused. No pattern language: what cannot be reviewed cannot be ordered.

mod checks;

use crate::words::words;

/// A matchable fact, as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Selector {
    /// Global trade item number: 8, 12, 13 or 14 digits.
    Gtin(String),
    /// Harmonized System code; weak, never enough alone.
    Hs(HsCode),
    /// Part or model number.
    Model(String),
    /// Serial numbers in a range.
    Serial(SerialRange),
    /// Manufacturer identification code (19 CFR 102 App.).
    Mid(String),
    /// Legal entity identifier (ISO 17442).
    Lei(String),
    /// Economic operator number (EU, UK).
    Eori(String),
    /// A sign or brand word; suggests, never decides.
    Brand(String),
}

/// A Harmonized System code of one edition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HsCode {
    /// 2, 4 or 6 digits.
    pub code: String,
    /// 2017, 2022 or 2028.
    pub edition: u32,
}

/// Serial numbers `prefix` + low..=high, all of `width` digits after the prefix.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SerialRange {
    /// What stands before the digits; may be empty.
    pub prefix: String,
    /// First number of the range.
    pub low: u64,
    /// Last number of the range.
    pub high: u64,
    /// Digits after the prefix, 1 to 18.
    pub width: u32,
}

/// The goods that an order, report or indicator speaks of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Article {
    /// The narrative as the authority wrote it.
    pub description: String,
    /// At most [`MAX_SELECTORS`] in a statement.
    pub selectors: Vec<Selector>,
}

words! {
    /// The kinds of selector, numbered as the contract's fields.
    SelectorKind {
        /// [`Selector::Gtin`].
        Gtin = 1 "gtin",
        /// [`Selector::Hs`].
        Hs = 2 "hs",
        /// [`Selector::Model`].
        Model = 3 "model",
        /// [`Selector::Serial`].
        Serial = 4 "serial",
        /// [`Selector::Mid`].
        Mid = 5 "mid",
        /// [`Selector::Lei`].
        Lei = 6 "lei",
        /// [`Selector::Eori`].
        Eori = 7 "eori",
        /// [`Selector::Brand`].
        Brand = 8 "brand",
    }
}

/// How much a match of one selector can carry by itself (`reference/domain.md` a.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Never enough alone: tariff codes.
    Weak,
    /// Suggests: brands, derived codes, short model numbers.
    Medium,
    /// Decides.
    Strong,
}

/// A selector in the one form in which it is compared; only [`Selector::canonical`] makes one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Canonical(Selector);

impl Selector {
    /// The form in which it is compared; equal for all ways to write the same fact.
    ///
    /// # Errors
    /// When it is malformed or a check digit does not hold.
    pub fn canonical(&self) -> Result<Canonical, SelectorError> {
        Ok(Canonical(match self {
            Self::Gtin(text) => Self::Gtin(checks::gtin(text)?),
            Self::Hs(code) => Self::Hs(checks::hs(code)?),
            Self::Model(text) => Self::Model(checks::model(text)?),
            Self::Serial(range) => Self::Serial(checks::serial(range)?),
            Self::Mid(text) => Self::Mid(checks::mid(text)?),
            Self::Lei(text) => Self::Lei(checks::lei(text)?),
            Self::Eori(text) => Self::Eori(checks::eori(text)?),
            Self::Brand(text) => Self::Brand(checks::brand(text)?),
        }))
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> SelectorKind {
        match self {
            Self::Gtin(_) => SelectorKind::Gtin,
            Self::Hs(_) => SelectorKind::Hs,
            Self::Model(_) => SelectorKind::Model,
            Self::Serial(_) => SelectorKind::Serial,
            Self::Mid(_) => SelectorKind::Mid,
            Self::Lei(_) => SelectorKind::Lei,
            Self::Eori(_) => SelectorKind::Eori,
            Self::Brand(_) => SelectorKind::Brand,
        }
    }
}

/// As people read it, without the kind.
impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Gtin(text)
            | Self::Model(text)
            | Self::Mid(text)
            | Self::Lei(text)
            | Self::Eori(text)
            | Self::Brand(text) => f.write_str(text),
            Self::Hs(hs) => write!(f, "{} (HS {})", hs.code, hs.edition),
            Self::Serial(range) => {
                let width = usize::try_from(range.width.min(MAX_SERIAL_DIGITS)).unwrap_or(0);
                let SerialRange {
                    prefix, low, high, ..
                } = range;
                write!(f, "{prefix}{low:0width$}..{prefix}{high:0width$}")
            }
        }
    }
}

impl Canonical {
    /// The selector, in canonical form.
    #[must_use]
    pub const fn selector(&self) -> &Selector {
        &self.0
    }

    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> SelectorKind {
        self.0.kind()
    }

    /// What a match of it can carry.
    #[must_use]
    pub fn strength(&self) -> Strength {
        match &self.0 {
            Selector::Gtin(_) | Selector::Serial(_) | Selector::Lei(_) | Selector::Eori(_) => {
                Strength::Strong
            }
            Selector::Model(text) if text.chars().count() >= STRONG_MODEL_CHARS => Strength::Strong,
            Selector::Model(_) | Selector::Mid(_) | Selector::Brand(_) => Strength::Medium,
            Selector::Hs(_) => Strength::Weak,
        }
    }

    /// Whether it is a serial range that holds this serial number, however that is written.
    #[must_use]
    pub fn contains_serial(&self, serial: &str) -> bool {
        let Selector::Serial(range) = &self.0 else {
            return false;
        };
        let Some(number) = checks::model(serial)
            .ok()
            .and_then(|serial| serial.strip_prefix(&range.prefix).map(str::to_owned))
        else {
            return false;
        };
        u32::try_from(number.len()) == Ok(range.width)
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && number
                .parse()
                .is_ok_and(|number: u64| (range.low..=range.high).contains(&number))
    }
}

impl std::fmt::Display for Canonical {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a selector has no canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SelectorError {
    /// Not 8, 12, 13 or 14 ASCII digits, or all zeros.
    #[error("a GTIN has 8, 12, 13 or 14 digits")]
    GtinFormat,
    /// GS1 General Specifications, section 7.9.
    #[error("the GTIN's check digit does not hold")]
    GtinCheckDigit,
    /// Not 2, 4 or 6 ASCII digits of chapters 01 to 97.
    #[error("an HS code has 2, 4 or 6 digits and begins with a chapter, 01 to 97")]
    HsFormat,
    /// No edition that is used at borders.
    #[error("the HS edition is 2017, 2022 or 2028")]
    HsEdition,
    /// Empty once spaces and `- _ / .` are gone, too long, or with characters that show nothing.
    #[error("a model number has 1 to 64 visible characters")]
    ModelFormat,
    /// Width not 1 to 18, low above high, high wider than the width, or a malformed prefix.
    #[error("a serial range has a low end, a high end not below it, and a width that fits both")]
    SerialFormat,
    /// 19 CFR 102 App.: country, name, number, city; Canada by province.
    #[error("the manufacturer code does not have the form of 19 CFR 102 App.")]
    MidFormat,
    /// Not 20 ASCII letters and digits.
    #[error("an LEI has 20 letters and digits")]
    LeiFormat,
    /// ISO 7064 mod 97-10.
    #[error("the LEI's check digits do not hold")]
    LeiCheckDigits,
    /// Not a country and 1 to 15 letters and digits.
    #[error("an EORI number has a country and 1 to 15 letters and digits")]
    EoriFormat,
    /// Empty, too long, or with characters that show nothing.
    #[error("a brand has 1 to 128 visible characters")]
    BrandFormat,
}

/// Selectors that one statement may hold (statement.proto).
pub const MAX_SELECTORS: usize = 256;
/// Articles that one order, report or indicator may hold (statement.proto).
pub const MAX_ARTICLES: usize = 64;
/// Characters of a model number or serial prefix, canonical; the longest part numbers in use have
/// about 40.
pub const MAX_MODEL_CHARS: usize = 64;
/// Characters of a brand.
pub const MAX_BRAND_CHARS: usize = 128;
/// Digits of a serial number after its prefix (statement.proto); any such number fits 64 bits.
pub const MAX_SERIAL_DIGITS: u32 = 18;
/// Significant characters from which a model number decides (`reference/domain.md` a.4).
const STRONG_MODEL_CHARS: usize = 5;
