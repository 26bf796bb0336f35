//! Goods, and the facts by which a consignment can be matched to them.
//!
//! A selector is signed as its author wrote it and compared by its [`Canonical`] form; one that has
//! none is refused. Patterns have the few forms of [`pattern`] and no regular expressions: what
//! cannot be reviewed cannot be ordered.

mod checks;
mod error;
mod importer;
mod listing;
pub mod pattern;
mod transport;

use crate::words::words;

pub use error::SelectorError;
pub use importer::ImporterScheme;
pub use transport::TransportKind;

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
    /// A country's own tariff code, under a Harmonized System code; never enough alone.
    Tariff(TariffCode),
    /// Part or model numbers of one form, as [`pattern`] has it.
    ModelPattern(String),
    /// Batch or lot number; suggests.
    Batch(String),
    /// The number under which an importer is registered.
    Importer(ImporterNumber),
    /// D-U-N-S number of a firm; suggests, for it has no check digit.
    Duns(String),
    /// Freight container (ISO 6346); goes on to other goods within weeks.
    Container(String),
    /// Bill of lading or air waybill; goes on to other goods within weeks.
    Transport(TransportDocument),
    /// IMO number of a vessel.
    Vessel(String),
    /// Where the goods are offered: a URL, or `MARKETPLACE:ID`; suggests.
    Listing(String),
    /// Country of origin, ISO 3166-1 alpha-2; never enough alone.
    Origin(String),
    /// Words of a description of goods; never enough alone.
    Description(DescriptionTerms),
    /// A picture of the goods, as a perceptual hash; never enough alone.
    Image(ImageHash),
}

/// A tariff code of one country's own tariff.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TariffCode {
    /// 8, 9 or 10 digits: HTS, CN, TARIC, HSK and their like; the first six are the Harmonized
    /// System's.
    pub code: String,
    /// Whose tariff: ISO 3166-1 alpha-2, or `EU`.
    pub jurisdiction: String,
    /// The year of that tariff, [`MIN_TARIFF_EDITION`] to [`MAX_TARIFF_EDITION`].
    pub edition: u32,
}

/// The number under which an importer is registered in one country.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImporterNumber {
    /// Whose register.
    pub scheme: ImporterScheme,
    /// The number, in that register's form.
    pub number: String,
}

/// The document under which a consignment travels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TransportDocument {
    /// By sea or by air.
    pub kind: TransportKind,
    /// Its number.
    pub number: String,
}

/// Words by which goods are described.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DescriptionTerms {
    /// BCP 47: `en`, `zh-Hant`.
    pub language: String,
    /// 1 to [`MAX_TERMS`], in any order: all of them describe the goods together.
    pub terms: Vec<String>,
}

words! {
    /// How a picture was hashed. Hashes of different kinds cannot be compared.
    ImageHashKind {
        /// Signs of the 64 lowest frequencies of a discrete cosine transform, most significant
        /// first.
        Phash = 1 "phash",
        /// Signs of the differences of neighbours in 8 rows of 9 grey values, most significant
        /// first.
        Dhash = 2 "dhash",
    }
}

/// A picture of goods, as a hash that changes little where the picture does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImageHash {
    /// How it was made.
    pub kind: ImageHashKind,
    /// The hash. All zeros and all ones are pictures of one colour, and refused.
    pub bits: u64,
}

impl ImageHash {
    /// In how many of 64 bits two hashes differ; `None` when they are of different kinds.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Option<u32> {
        (self.kind == other.kind).then(|| (self.bits ^ other.bits).count_ones())
    }
}

impl TariffCode {
    /// The Harmonized System code that it stands under, of the edition that its year's tariffs are
    /// made from; `None` when it is malformed.
    #[must_use]
    pub fn hs(&self) -> Option<HsCode> {
        let edition = match self.edition {
            0..MIN_TARIFF_EDITION => return None,
            MIN_TARIFF_EDITION..=2021 => 2017,
            2022..=2027 => 2022,
            2028.. => 2028,
        };
        let code = self.code.get(..6)?.to_owned();
        Some(HsCode { code, edition })
    }
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
        /// [`Selector::Tariff`].
        Tariff = 9 "tariff",
        /// [`Selector::ModelPattern`].
        ModelPattern = 10 "model_pattern",
        /// [`Selector::Batch`].
        Batch = 11 "batch",
        /// [`Selector::Importer`].
        Importer = 12 "importer",
        /// [`Selector::Duns`].
        Duns = 13 "duns",
        /// [`Selector::Container`].
        Container = 14 "container",
        /// [`Selector::Transport`].
        Transport = 15 "transport",
        /// [`Selector::Vessel`].
        Vessel = 16 "vessel",
        /// [`Selector::Listing`].
        Listing = 17 "listing",
        /// [`Selector::Origin`].
        Origin = 18 "origin",
        /// [`Selector::Description`].
        Description = 19 "description",
        /// [`Selector::Image`].
        Image = 20 "image",
    }
}

/// What a selector of some kind names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The goods themselves.
    Goods,
    /// The consignment in which they travel.
    Consignment,
    /// Who makes, moves or imports them, whatever the goods.
    Party,
    /// Nothing for certain: it suggests, whatever it is found beside.
    Hint,
}

impl SelectorKind {
    /// What a selector of this kind names.
    #[must_use]
    pub const fn subject(self) -> Subject {
        match self {
            Self::Gtin | Self::Model | Self::ModelPattern | Self::Serial | Self::Batch => {
                Subject::Goods
            }
            Self::Container | Self::Transport => Subject::Consignment,
            Self::Mid | Self::Lei | Self::Eori | Self::Importer | Self::Duns | Self::Vessel => {
                Subject::Party
            }
            Self::Hs
            | Self::Tariff
            | Self::Brand
            | Self::Listing
            | Self::Origin
            | Self::Description
            | Self::Image => Subject::Hint,
        }
    }

    /// For how long after it was said it still names the same goods, in milliseconds; `None` where
    /// that does not end.
    #[must_use]
    pub const fn lifetime_ms(self) -> Option<i64> {
        match self.subject() {
            Subject::Consignment => Some(CONSIGNMENT_MS),
            Subject::Goods | Subject::Party | Subject::Hint => None,
        }
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
            Self::Tariff(code) => Self::Tariff(checks::tariff(code)?),
            Self::ModelPattern(text) => {
                Self::ModelPattern(pattern::ModelPattern::parse(text)?.to_string())
            }
            Self::Batch(text) => Self::Batch(checks::batch(text)?),
            Self::Importer(number) => Self::Importer(importer::number(number)?),
            Self::Duns(text) => Self::Duns(importer::duns(text)?),
            Self::Container(text) => Self::Container(transport::container(text)?),
            Self::Transport(document) => Self::Transport(transport::document(document)?),
            Self::Vessel(text) => Self::Vessel(transport::vessel(text)?),
            Self::Listing(text) => Self::Listing(listing::listing(text)?),
            Self::Origin(text) => Self::Origin(checks::origin(text)?),
            Self::Description(terms) => Self::Description(checks::description(terms)?),
            Self::Image(hash) => Self::Image(checks::image(*hash)?),
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
            Self::Tariff(_) => SelectorKind::Tariff,
            Self::ModelPattern(_) => SelectorKind::ModelPattern,
            Self::Batch(_) => SelectorKind::Batch,
            Self::Importer(_) => SelectorKind::Importer,
            Self::Duns(_) => SelectorKind::Duns,
            Self::Container(_) => SelectorKind::Container,
            Self::Transport(_) => SelectorKind::Transport,
            Self::Vessel(_) => SelectorKind::Vessel,
            Self::Listing(_) => SelectorKind::Listing,
            Self::Origin(_) => SelectorKind::Origin,
            Self::Description(_) => SelectorKind::Description,
            Self::Image(_) => SelectorKind::Image,
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
            | Self::Brand(text)
            | Self::ModelPattern(text)
            | Self::Batch(text)
            | Self::Duns(text)
            | Self::Container(text)
            | Self::Vessel(text)
            | Self::Listing(text)
            | Self::Origin(text) => f.write_str(text),
            Self::Hs(hs) => write!(f, "{} (HS {})", hs.code, hs.edition),
            Self::Tariff(TariffCode {
                code,
                jurisdiction,
                edition,
            }) => write!(f, "{code} ({jurisdiction} {edition})"),
            Self::Importer(ImporterNumber { scheme, number }) => write!(f, "{number} ({scheme})"),
            Self::Transport(TransportDocument { kind, number }) => write!(f, "{number} ({kind})"),
            Self::Description(DescriptionTerms { language, terms }) => {
                write!(f, "{} ({language})", terms.join(" "))
            }
            Self::Image(hash) => write!(f, "{:016x} ({})", hash.bits, hash.kind),
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
            Selector::Gtin(_)
            | Selector::Serial(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Importer(_)
            | Selector::Container(_)
            | Selector::Transport(_)
            | Selector::Vessel(_) => Strength::Strong,
            Selector::Model(text) if text.chars().count() >= STRONG_MODEL_CHARS => Strength::Strong,
            Selector::ModelPattern(text) if pattern::significant(text) >= STRONG_MODEL_CHARS => {
                Strength::Strong
            }
            Selector::Model(_)
            | Selector::ModelPattern(_)
            | Selector::Mid(_)
            | Selector::Brand(_)
            | Selector::Batch(_)
            | Selector::Duns(_)
            | Selector::Listing(_) => Strength::Medium,
            Selector::Hs(_)
            | Selector::Tariff(_)
            | Selector::Origin(_)
            | Selector::Description(_)
            | Selector::Image(_) => Strength::Weak,
        }
    }

    /// Whether it is a model pattern that this model number has the form of, however that is
    /// written. Whoever compares many parses the pattern once.
    #[must_use]
    pub fn matches_model(&self, model: &str) -> bool {
        let Selector::ModelPattern(text) = &self.0 else {
            return false;
        };
        let pattern = pattern::ModelPattern::parse(text);
        checks::model(model).is_ok_and(|model| pattern.is_ok_and(|pattern| pattern.matches(&model)))
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
/// First year of a national tariff that an order can name: the oldest edition of the Harmonized
/// System still used.
pub const MIN_TARIFF_EDITION: u32 = 2017;
/// Last year of a national tariff that an order can name.
pub const MAX_TARIFF_EDITION: u32 = 2099;
/// Words of one description.
pub const MAX_TERMS: usize = 16;
/// Characters of one word of a description, canonical.
pub const MAX_TERM_CHARS: usize = 64;
/// How long a container or transport document names the same goods: longer than any voyage, shorter
/// than its next one but one.
pub const CONSIGNMENT_MS: i64 = 90 * crate::date::DAY_MS;
/// Significant characters from which a model number decides (`reference/domain.md` a.4).
const STRONG_MODEL_CHARS: usize = 5;
