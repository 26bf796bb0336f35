//! Why a selector cannot be compared.

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
    /// Not 8 to 10 digits of a chapter 01 to 97, or no country's tariff.
    #[error("a national tariff code has 8 to 10 digits, of a country or EU")]
    TariffFormat,
    /// The tariff's year is out of its bounds.
    #[error("the edition of a national tariff is its year, 2017 or later")]
    TariffEdition,
    /// A pattern is empty, too long, or not of the few forms that there are.
    #[error("a model pattern has characters, ?, *, one-character classes [..] and ranges {{..}}")]
    PatternFormat,
    /// A pattern says less than two characters, or has too many open places.
    #[error("a model pattern needs two characters of its own and at most 8 open places")]
    PatternBroad,
    /// As [`Self::ModelFormat`].
    #[error("a batch number has 1 to 64 visible characters")]
    BatchFormat,
    /// Not of the form of its register.
    #[error("the importer number does not have the form of its register")]
    ImporterFormat,
    /// The register's check digit.
    #[error("the importer number's check digit does not hold")]
    ImporterCheckDigit,
    /// A social security number names a natural person.
    #[error("the importer number is a person's social security number")]
    ImporterPerson,
    /// Not 9 digits.
    #[error("a D-U-N-S number has 9 digits")]
    DunsFormat,
    /// Not of the form of ISO 6346.
    #[error("a container has 3 letters, U, J or Z, and 7 digits")]
    ContainerFormat,
    /// ISO 6346.
    #[error("the container's check digit does not hold")]
    ContainerCheckDigit,
    /// No bill of lading or air waybill.
    #[error("a bill of lading has 5 to 35 letters and digits, an air waybill 11 digits")]
    TransportFormat,
    /// The air waybill's seventh digit, modulo 7.
    #[error("the air waybill's check digit does not hold")]
    TransportCheckDigit,
    /// Not 7 digits.
    #[error("an IMO number has 7 digits")]
    VesselFormat,
    /// The IMO number's check digit.
    #[error("the IMO number's check digit does not hold")]
    VesselCheckDigit,
    /// Neither a URL with a host nor `MARKETPLACE:ID`.
    #[error("a listing is a URL or MARKETPLACE:ID, at most 512 bytes")]
    ListingFormat,
    /// No assigned country.
    #[error("an origin is a country by its two letters")]
    OriginFormat,
    /// No language, no words, too many or too long.
    #[error("a description has a language and 1 to 16 words of at most 64 characters")]
    DescriptionFormat,
    /// A picture of one colour.
    #[error("the image hash is that of an empty picture")]
    ImageFormat,
}
