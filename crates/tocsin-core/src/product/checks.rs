//! Checks and canonical forms, one function for each kind of selector.

use std::collections::BTreeSet;

use super::{
    DescriptionTerms, HsCode, ImageHash, MAX_BRAND_CHARS, MAX_MODEL_CHARS, MAX_SERIAL_DIGITS,
    MAX_TARIFF_EDITION, MAX_TERM_CHARS, MAX_TERMS, MIN_TARIFF_EDITION, SelectorError, SerialRange,
    TariffCode,
};
use crate::{country, text};

/// 14 digits, zeros in front; the check digit by GS1 General Specifications, section 7.9.
pub(super) fn gtin(text: &str) -> Result<String, SelectorError> {
    let is_form = matches!(text.len(), 8 | 12 | 13 | 14)
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.bytes().any(|byte| byte != b'0');
    if !is_form {
        return Err(SelectorError::GtinFormat);
    }
    // Weights 1 and 3 from the right, the check digit itself included: the sum is a multiple of 10.
    let sum: u32 = text
        .bytes()
        .rev()
        .zip([1, 3].into_iter().cycle())
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    if !sum.is_multiple_of(10) {
        return Err(SelectorError::GtinCheckDigit);
    }
    Ok(format!("{text:0>14}"))
}

/// Digits only: `85.42` is one code in one country's notation and another's typing error.
pub(super) fn hs(hs: &HsCode) -> Result<HsCode, SelectorError> {
    if !matches!(hs.code.len(), 2 | 4 | 6) || !is_of_a_chapter(&hs.code) {
        return Err(SelectorError::HsFormat);
    }
    if !matches!(hs.edition, 2017 | 2022 | 2028) {
        return Err(SelectorError::HsEdition);
    }
    Ok(hs.clone())
}

/// As [`hs`], with the digits that a country adds. Whose tariff is said in upper case.
pub(super) fn tariff(tariff: &TariffCode) -> Result<TariffCode, SelectorError> {
    let jurisdiction = tariff.jurisdiction.to_ascii_uppercase();
    let is_known = jurisdiction == "EU" || country::is_assigned(&jurisdiction);
    if !is_known || !matches!(tariff.code.len(), 8..=10) || !is_of_a_chapter(&tariff.code) {
        return Err(SelectorError::TariffFormat);
    }
    if !(MIN_TARIFF_EDITION..=MAX_TARIFF_EDITION).contains(&tariff.edition) {
        return Err(SelectorError::TariffEdition);
    }
    Ok(TariffCode {
        jurisdiction,
        ..tariff.clone()
    })
}

fn is_of_a_chapter(digits: &str) -> bool {
    let chapter = digits.get(..2).and_then(|chapter| chapter.parse().ok());
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && chapter.is_some_and(|chapter: u8| (1..=97).contains(&chapter))
}

/// NFKC, upper case, without space and `- _ / .`.
pub(super) fn model(text: &str) -> Result<String, SelectorError> {
    let canonical = stripped(text).ok_or(SelectorError::ModelFormat)?;
    if canonical.is_empty() {
        return Err(SelectorError::ModelFormat);
    }
    Ok(canonical)
}

/// As [`model`].
pub(super) fn batch(text: &str) -> Result<String, SelectorError> {
    model(text).map_err(|_| SelectorError::BatchFormat)
}

/// The prefix as a model number, which may be empty here.
pub(super) fn serial(range: &SerialRange) -> Result<SerialRange, SelectorError> {
    let prefix = stripped(&range.prefix).ok_or(SelectorError::SerialFormat)?;
    let is_width = (1..=MAX_SERIAL_DIGITS).contains(&range.width);
    let fits = 10_u64
        .checked_pow(range.width)
        .is_some_and(|bound| range.high < bound);
    if !is_width || !fits || range.low > range.high {
        return Err(SelectorError::SerialFormat);
    }
    Ok(SerialRange {
        prefix,
        ..range.clone()
    })
}

pub(super) fn stripped(text: &str) -> Option<String> {
    // A canonical character can come from several, but not from more than 18 bytes each (NFKC).
    if text.len() > MAX_MODEL_CHARS * 18 || text::has_forbidden_in_line(text) {
        return None;
    }
    let canonical = text::settle(text, |text| {
        let upper = text.to_uppercase();
        upper
            .chars()
            .filter(|c| !c.is_whitespace() && !"-_/.".contains(*c))
            .collect()
    })?;
    (canonical.chars().count() <= MAX_MODEL_CHARS).then_some(canonical)
}

/// Provinces and territories that stand for Canada in a manufacturer code (19 CFR 102 App.).
const CANADA: &str = "XA XB XC XM XN XO XP XQ XS XT XV XW XY";

/// Country, 1 to 6 characters of the name, up to 4 digits of the address, 1 to 3 letters of the
/// city.
pub(super) fn mid(text: &str) -> Result<String, SelectorError> {
    let upper = ascii_upper(text, 15).ok_or(SelectorError::MidFormat)?;
    let (country, rest) = upper.split_at_checked(2).ok_or(SelectorError::MidFormat)?;
    let is_country = CANADA.split(' ').any(|province| province == country)
        || (country::is_assigned(country) && country != "CA");
    // The parts have no separators: the code is well formed if it can be cut in any lawful way.
    let can_be_cut = (1..=3).any(|city| (0..=4).any(|number| is_mid_cut(rest, number, city)));
    if is_country && can_be_cut {
        Ok(upper)
    } else {
        Err(SelectorError::MidFormat)
    }
}

/// Whether a manufacturer code, without its country, is a name, `number` digits and `city` letters.
fn is_mid_cut(rest: &str, number: usize, city: usize) -> bool {
    let Some(name) = rest.len().checked_sub(number + city) else {
        return false;
    };
    (1..=6).contains(&name)
        && rest
            .bytes()
            .skip(name)
            .take(number)
            .all(|byte| byte.is_ascii_digit())
        && rest
            .bytes()
            .skip(name + number)
            .all(|byte| byte.is_ascii_uppercase())
}

/// 20 letters and digits; ISO 7064 mod 97-10 over the letters as 10 to 35 gives 1.
pub(super) fn lei(text: &str) -> Result<String, SelectorError> {
    let upper = ascii_upper(text, 20).filter(|upper| upper.len() == 20);
    let upper = upper.ok_or(SelectorError::LeiFormat)?;
    let remainder = upper
        .chars()
        .filter_map(|c| c.to_digit(36))
        .fold(0, |sum, value| {
            (sum * if value < 10 { 10 } else { 100 } + value) % 97
        });
    if remainder == 1 {
        Ok(upper)
    } else {
        Err(SelectorError::LeiCheckDigits)
    }
}

/// Country (or XI, Northern Ireland) and 1 to 15 letters and digits.
pub(super) fn eori(text: &str) -> Result<String, SelectorError> {
    let upper = ascii_upper(text, 17).filter(|upper| upper.len() >= 3);
    let upper = upper.ok_or(SelectorError::EoriFormat)?;
    let is_country = upper
        .get(..2)
        .is_some_and(|country| country == "XI" || country::is_assigned(country));
    if is_country {
        Ok(upper)
    } else {
        Err(SelectorError::EoriFormat)
    }
}

/// NFKC, without case, one space between words.
pub(super) fn brand(text: &str) -> Result<String, SelectorError> {
    if text.len() > MAX_BRAND_CHARS * 18 || text::has_forbidden_in_line(text) {
        return Err(SelectorError::BrandFormat);
    }
    let folded = text::folded(text).ok_or(SelectorError::BrandFormat)?;
    let is_form = (1..=MAX_BRAND_CHARS).contains(&folded.chars().count());
    if is_form {
        Ok(folded)
    } else {
        Err(SelectorError::BrandFormat)
    }
}

/// Two letters in upper case.
pub(super) fn origin(text: &str) -> Result<String, SelectorError> {
    let upper = text.to_ascii_uppercase();
    if country::is_assigned(&upper) {
        Ok(upper)
    } else {
        Err(SelectorError::OriginFormat)
    }
}

/// Language in lower case; words as brands are compared, each once, ascending.
pub(super) fn description(terms: &DescriptionTerms) -> Result<DescriptionTerms, SelectorError> {
    const REFUSED: SelectorError = SelectorError::DescriptionFormat;
    if !is_language(&terms.language) || terms.terms.len() > MAX_TERMS {
        return Err(REFUSED);
    }
    let mut canonical = BTreeSet::new();
    for term in &terms.terms {
        if term.len() > MAX_TERMS * MAX_TERM_CHARS * 18 || text::has_forbidden_in_line(term) {
            return Err(REFUSED);
        }
        let folded = text::folded(term).ok_or(REFUSED)?;
        canonical.extend(
            folded
                .split(' ')
                .filter(|word| !word.is_empty())
                .map(str::to_owned),
        );
    }
    let is_short = |word: &String| word.chars().count() <= MAX_TERM_CHARS;
    if canonical.is_empty() || canonical.len() > MAX_TERMS || !canonical.iter().all(is_short) {
        return Err(REFUSED);
    }
    Ok(DescriptionTerms {
        language: terms.language.to_ascii_lowercase(),
        terms: canonical.into_iter().collect(),
    })
}

/// The form of BCP 47: a language of 2 to 8 letters, then subtags of 1 to 8 letters and digits.
fn is_language(text: &str) -> bool {
    let mut tags = text.split('-');
    let is_primary = |tag: &str| {
        matches!(tag.len(), 2..=8) && tag.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let is_subtag = |tag: &str| {
        matches!(tag.len(), 1..=8) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.len() <= 35 && tags.next().is_some_and(is_primary) && tags.all(is_subtag)
}

/// As it is; a picture of one colour is none.
pub(super) const fn image(hash: ImageHash) -> Result<ImageHash, SelectorError> {
    if hash.bits == 0 || hash.bits == u64::MAX {
        return Err(SelectorError::ImageFormat);
    }
    Ok(hash)
}

/// ASCII letters and digits only, in upper case.
pub(super) fn ascii_upper(text: &str, max_bytes: usize) -> Option<String> {
    let is_form = text.len() <= max_bytes && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_form.then(|| text.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::{ImageHashKind, Selector, Strength};
    use super::*;
    use proptest::prelude::*;

    fn hs_code(code: &str, edition: u32) -> HsCode {
        HsCode {
            code: code.to_owned(),
            edition,
        }
    }

    fn range(prefix: &str, low: u64, high: u64, width: u32) -> SerialRange {
        SerialRange {
            prefix: prefix.to_owned(),
            low,
            high,
            width,
        }
    }

    #[test]
    fn item_numbers_of_every_length_get_fourteen_digits() {
        for (text, canonical) in [
            ("4006381333931", "04006381333931"),
            ("036000291452", "00036000291452"),
            ("96385074", "00000096385074"),
            ("04006381333931", "04006381333931"),
            ("7501031311309", "07501031311309"),
        ] {
            assert_eq!(gtin(text).as_deref(), Ok(canonical));
        }
    }

    #[test]
    fn item_numbers_with_a_wrong_digit_or_form_are_refused() {
        for text in ["4006381333932", "7501031311308", "96385075"] {
            assert_eq!(gtin(text), Err(SelectorError::GtinCheckDigit), "{text}");
        }
        for text in [
            "",
            "75010313113",
            "750103AAAA309",
            "00000000",
            "00000000000000",
            " 96385074",
            "٩٦٣٨٥٠٧٤",
            "123456789012345",
            "4006381-33393",
        ] {
            assert_eq!(gtin(text), Err(SelectorError::GtinFormat), "{text}");
        }
    }

    #[test]
    fn tariff_codes_are_digits_of_a_named_edition() {
        for code in ["85", "8542", "854231", "01", "970600"] {
            assert!(hs(&hs_code(code, 2022)).is_ok(), "{code}");
        }
        for code in [
            "",
            "8",
            "854",
            "85.42",
            "٨٥٤٢",
            "8542310000000",
            "00",
            "9801",
            "8 42",
            "+842",
        ] {
            assert_eq!(
                hs(&hs_code(code, 2022)),
                Err(SelectorError::HsFormat),
                "{code}"
            );
        }
        for edition in [0, 2012, 2023, u32::MAX] {
            assert_eq!(hs(&hs_code("8542", edition)), Err(SelectorError::HsEdition));
        }
    }

    #[test]
    fn model_numbers_are_compared_without_case_width_and_separators() {
        for text in ["gx-7000/b", "GX 7000.B", "ＧＸ７０００_ｂ", "g x-7-0-0-0 B"] {
            assert_eq!(model(text).as_deref(), Ok("GX7000B"), "{text}");
        }
        for text in ["", " -_/. ", "A\u{202E}B", "A\u{200B}B", "a\nb"] {
            assert_eq!(model(text), Err(SelectorError::ModelFormat), "{text:?}");
        }
        assert!(model(&"A".repeat(64)).is_ok() && model(&"A".repeat(65)).is_err());
    }

    #[test]
    fn serial_ranges_must_fit_their_width() {
        assert_eq!(serial(&range("sn-", 1, 999, 3)), Ok(range("SN", 1, 999, 3)));
        assert!(serial(&range("", 0, 999_999_999_999_999_999, 18)).is_ok());
        for bad in [
            range("SN", 2, 1, 3),
            range("SN", 0, 1_000, 3),
            range("SN", 0, 0, 0),
            range("SN", 0, 0, 19),
            range("SN", 0, u64::MAX, 18),
            range("S\u{0}", 0, 1, 3),
        ] {
            assert_eq!(serial(&bad), Err(SelectorError::SerialFormat), "{bad:?}");
        }
    }

    #[test]
    fn a_serial_number_is_in_its_range_however_it_is_written() {
        let range = Selector::Serial(range("SN", 100, 200, 5))
            .canonical()
            .unwrap();
        for serial in ["SN00100", "sn-00150", "SN 00200"] {
            assert!(range.contains_serial(serial), "{serial}");
        }
        for serial in [
            "SN00099", "SN00201", "SN100", "SN000100", "XX00150", "SN0015A", "", "SN",
        ] {
            assert!(!range.contains_serial(serial), "{serial}");
        }
        assert_eq!(range.to_string(), "SN00100..SN00200");
    }

    #[test]
    fn manufacturer_codes_have_the_form_of_the_regulation() {
        for text in [
            "USDHLEXP1304ERL",
            "XOAMAPLA1145TOR",
            "DEBERHAM",
            "JPABCCOM1234TOK",
            "CNOASCORSHA",
            "KRDRSASEO",
            "TWSHABL12TAI",
            "US3MCOM3STP",
            "usdhlexp1304erl",
        ] {
            assert_eq!(
                mid(text).as_deref(),
                Ok(text.to_uppercase().as_str()),
                "{text}"
            );
        }
        for text in [
            "",
            "US",
            "CAAMAPLA1145TOR",
            "ZZAMAPLA1145NEW",
            "USDHLEXP13041ERL",
            "USDHLEXP1304",
            "US-DHLEXP1304ER",
            "USABCDEFGHIJKLM",
            "USÄBCCOM12BER",
            "XXABCCOM12BER",
        ] {
            assert_eq!(mid(text), Err(SelectorError::MidFormat), "{text}");
        }
    }

    #[test]
    fn entity_identifiers_hold_their_check_digits() {
        for text in [
            "5493001KJTIIGC8Y1R12",
            "529900T8BM49AURSDO55",
            "529900t8bm49aursdo55",
        ] {
            assert_eq!(lei(text).as_deref(), Ok(text.to_uppercase().as_str()));
        }
        assert_eq!(
            lei("529900T8BM49AURSDO56"),
            Err(SelectorError::LeiCheckDigits)
        );
        for text in [
            "",
            "529900T8BM49AURSDO5",
            "529900T8BM49AURSDO555",
            "529900T8BM49AURSDO5-",
        ] {
            assert_eq!(lei(text), Err(SelectorError::LeiFormat), "{text}");
        }
    }

    #[test]
    fn operator_numbers_begin_with_a_country() {
        for text in ["DE1234567890", "XI123456789000", "gb12", "FR1"] {
            assert_eq!(eori(text).as_deref(), Ok(text.to_uppercase().as_str()));
        }
        for text in ["", "DE", "ZZ123", "1E123", "DE1234567890123456", "DE12-3"] {
            assert_eq!(eori(text), Err(SelectorError::EoriFormat), "{text}");
        }
    }

    #[test]
    fn brands_are_compared_without_case_and_spacing() {
        assert_eq!(brand("  Acme   STRASSE "), brand("acme straße"));
        for text in ["", "   ", "a\u{202E}b"] {
            assert_eq!(brand(text), Err(SelectorError::BrandFormat), "{text:?}");
        }
    }

    #[test]
    fn a_tariff_code_is_weak_and_a_short_model_number_only_suggests() {
        let strength = |selector: Selector| selector.canonical().map(|s| s.strength());
        assert_eq!(
            strength(Selector::Hs(hs_code("8542", 2022))),
            Ok(Strength::Weak)
        );
        assert_eq!(
            strength(Selector::Model("A-1 2.3".to_owned())),
            Ok(Strength::Medium)
        );
        assert_eq!(
            strength(Selector::Model("A-1 2.34".to_owned())),
            Ok(Strength::Strong)
        );
        assert_eq!(
            strength(Selector::Brand("Acme".to_owned())),
            Ok(Strength::Medium)
        );
        assert_eq!(
            strength(Selector::Gtin("96385074".to_owned())),
            Ok(Strength::Strong)
        );
    }

    fn any_selector() -> impl Strategy<Value = Selector> {
        let digits = "[0-9]{8,14}";
        prop_oneof![
            prop_oneof![digits, "\\PC{0,20}"].prop_map(Selector::Gtin),
            ("[0-9]{2,6}|\\PC{0,8}", 2016_u32..2030)
                .prop_map(|(code, edition)| Selector::Hs(HsCode { code, edition })),
            "\\PC{0,40}|[a-zA-Z0-9 ._/-]{0,40}".prop_map(Selector::Model),
            ("\\PC{0,12}", any::<u64>(), any::<u64>(), any::<u32>()).prop_map(
                |(prefix, low, high, width)| {
                    Selector::Serial(SerialRange {
                        prefix,
                        low,
                        high,
                        width: width % 24,
                    })
                }
            ),
            "[A-Za-z]{2}[A-Za-z0-9]{0,14}|\\PC{0,15}".prop_map(Selector::Mid),
            "[A-Za-z0-9]{20}|\\PC{0,20}".prop_map(Selector::Lei),
            "[A-Za-z]{2}[A-Za-z0-9]{0,15}|\\PC{0,17}".prop_map(Selector::Eori),
            "\\PC{0,40}".prop_map(Selector::Brand),
            later_selector(),
        ]
    }

    fn later_selector() -> impl Strategy<Value = Selector> {
        prop_oneof![
            ("[0-9]{8,10}|\\PC{0,10}", "[A-Za-z]{2}", 2016_u32..2101).prop_map(
                |(code, jurisdiction, edition)| Selector::Tariff(TariffCode {
                    code,
                    jurisdiction,
                    edition,
                })
            ),
            "[a-cA-C1-3?*\\[\\]{}-]{0,12}|\\PC{0,12}".prop_map(Selector::ModelPattern),
            "\\PC{0,20}".prop_map(Selector::Batch),
            "[0-9 -]{9,12}|\\PC{0,12}".prop_map(Selector::Duns),
            "[A-Za-z]{3}[UJZujz][0-9]{7}|\\PC{0,12}".prop_map(Selector::Container),
            "(IMO )?[0-9]{7}|\\PC{0,12}".prop_map(Selector::Vessel),
            "[A-Za-z]{2}|\\PC{0,4}".prop_map(Selector::Origin),
            (
                "[a-z]{2}(-[A-Za-z]{4})?|\\PC{0,6}",
                proptest::collection::vec("\\PC{0,10}", 0..4)
            )
                .prop_map(|(language, terms)| {
                    Selector::Description(DescriptionTerms { language, terms })
                }),
            any::<u64>().prop_map(|bits| {
                let kind = ImageHashKind::Phash;
                Selector::Image(ImageHash { kind, bits })
            }),
        ]
    }

    #[test]
    fn national_codes_name_their_country_and_year_and_stand_under_an_edition() {
        let code = |code: &str, jurisdiction: &str, edition| TariffCode {
            code: code.to_owned(),
            jurisdiction: jurisdiction.to_owned(),
            edition,
        };
        for (digits, whose) in [
            ("85423100", "EU"),
            ("854231001", "JP"),
            ("8542310010", "us"),
        ] {
            assert!(tariff(&code(digits, whose, 2026)).is_ok(), "{digits}");
        }
        for (digits, whose) in [
            ("854231", "US"),
            ("8542.31.00", "US"),
            ("98010010", "US"),
            ("85423100101", "US"),
            ("85423100", ""),
            ("85423100", "XX"),
        ] {
            let refused = tariff(&code(digits, whose, 2026));
            assert_eq!(
                refused,
                Err(SelectorError::TariffFormat),
                "{digits} {whose}"
            );
        }
        for edition in [0, 2016, 2100] {
            let refused = tariff(&code("85423100", "US", edition));
            assert_eq!(refused, Err(SelectorError::TariffEdition));
        }
        for (year, edition) in [(2021, 2017), (2022, 2022), (2027, 2022), (2028, 2028)] {
            let hs = code("8542310010", "US", year).hs();
            assert_eq!(hs, Some(hs_code("854231", edition)));
        }
    }

    #[test]
    fn descriptions_are_compared_as_sets_of_words() {
        let terms = |language: &str, terms: &[&str]| DescriptionTerms {
            language: language.to_owned(),
            terms: terms.iter().map(|term| (*term).to_owned()).collect(),
        };
        assert_eq!(
            description(&terms("EN", &["Charger  USB", "usb"])),
            Ok(terms("en", &["charger", "usb"]))
        );
        let many: Vec<String> = (0..17).map(|at| format!("w{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for wrong in [
            terms("", &["usb"]),
            terms("e", &["usb"]),
            terms("en_GB", &["usb"]),
            terms("en", &[]),
            terms("en", &[" "]),
            terms("en", &["a\u{202E}b"]),
            terms("en", &["x".repeat(65).as_str()]),
            terms("en", &many),
        ] {
            let refused = description(&wrong);
            assert_eq!(refused, Err(SelectorError::DescriptionFormat), "{wrong:?}");
        }
    }

    #[test]
    fn what_only_suggests_is_never_strong_and_what_decides_is() {
        let strength = |selector: Selector| selector.canonical().map(|s| s.strength());
        let text = str::to_owned;
        for (selector, expected) in [
            (Selector::Origin(text("CN")), Strength::Weak),
            (Selector::Batch(text("L-2026-11-22")), Strength::Medium),
            (Selector::Duns(text("150483782")), Strength::Medium),
            (Selector::Listing(text("shop.example/x")), Strength::Medium),
            (Selector::ModelPattern(text("LX4*")), Strength::Medium),
            (
                Selector::ModelPattern(text("LX{1000-9999}")),
                Strength::Medium,
            ),
            (Selector::ModelPattern(text("LX-441*")), Strength::Strong),
            (Selector::Container(text("CSQU3054383")), Strength::Strong),
            (Selector::Vessel(text("9074729")), Strength::Strong),
        ] {
            assert_eq!(strength(selector.clone()), Ok(expected), "{selector}");
        }
    }

    proptest! {
        #[test]
        fn a_canonical_form_is_its_own(selector in any_selector()) {
            if let Ok(canonical) = selector.canonical() {
                prop_assert_eq!(canonical.selector().canonical(), Ok(canonical.clone()));
                prop_assert_eq!(canonical.kind(), selector.kind());
                let _ = (canonical.strength(), canonical.to_string());
                let _ = canonical.contains_serial(&selector.to_string());
            }
        }

        #[test]
        fn one_changed_digit_breaks_an_item_number(
            digits in "[0-9]{13}", at in 0..14_usize, by in 1..10_u8,
        ) {
            prop_assume!(digits.bytes().any(|digit| digit != b'0'));
            let full = (0..10).map(|check| format!("{digits}{check}")).find(|t| gtin(t).is_ok());
            let mut bytes = full.unwrap().into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + by) % 10;
            prop_assert!(gtin(std::str::from_utf8(&bytes).unwrap()).is_err());
        }
    }
}
