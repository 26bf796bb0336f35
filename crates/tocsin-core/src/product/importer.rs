//! Numbers under which firms are registered: importers of one country, and D-U-N-S.

use super::{ImporterNumber, SelectorError, checks::ascii_upper};
use crate::words::words;

words! {
    /// The register of an importer number.
    ImporterScheme {
        /// United States: employer identification number with or without its suffix, or a number
        /// that CBP assigned. A social security number names a person and is refused.
        Us = 1 "us",
        /// Japan: corporate number (hojin bango), 13 digits.
        Jp = 2 "jp",
        /// Korea: business registration number, 10 digits.
        Kr = 3 "kr",
        /// China: unified social credit code of a firm (GB 32100), 18 characters.
        Cn = 4 "cn",
    }
}

/// Letters in upper case, without spaces and dashes.
pub(super) fn number(number: &ImporterNumber) -> Result<ImporterNumber, SelectorError> {
    let text = number.number.trim();
    if text.len() > MAX_NUMBER_BYTES {
        return Err(SelectorError::ImporterFormat);
    }
    if number.scheme == ImporterScheme::Us && is_social_security(text) {
        return Err(SelectorError::ImporterPerson);
    }
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let compact = ascii_upper(&compact, MAX_NUMBER_BYTES).ok_or(SelectorError::ImporterFormat)?;
    match number.scheme {
        ImporterScheme::Us => us(&compact)?,
        ImporterScheme::Jp => jp(&digits::<13>(&compact)?)?,
        ImporterScheme::Kr => kr(&digits::<10>(&compact)?)?,
        ImporterScheme::Cn => cn(&compact)?,
    }
    Ok(ImporterNumber {
        scheme: number.scheme,
        number: compact,
    })
}

/// `123-45-6789`.
fn is_social_security(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [3, 2, 4]
}

/// 9 digits, an employer's; then two characters of its suffix, or a number of CBP's own
/// (19 CFR 24.5: YYDDPP-NNNNN).
fn us(compact: &str) -> Result<(), SelectorError> {
    let is_form = matches!(compact.len(), 9 | 11)
        && compact.bytes().take(9).all(|byte| byte.is_ascii_digit())
        && compact.bytes().any(|byte| byte != b'0');
    if is_form {
        Ok(())
    } else {
        Err(SelectorError::ImporterFormat)
    }
}

/// The first digit checks the other twelve, which weigh 1 and 2 in turn from the right (ordinance
/// of the Ministry of Finance 70 of 2014).
fn jp(digits: &[u32; 13]) -> Result<(), SelectorError> {
    let [check, rest @ ..] = digits;
    let weights = [1, 2].into_iter().cycle();
    let sum: u32 = rest
        .iter()
        .rev()
        .zip(weights)
        .map(|(digit, weight)| digit * weight)
        .sum();
    holds(*check == 9 - sum % 9)
}

/// Weights 1, 3, 7; what the ninth digit carries over counts too.
fn kr(digits: &[u32; 10]) -> Result<(), SelectorError> {
    const WEIGHTS: [u32; 9] = [1, 3, 7, 1, 3, 7, 1, 3, 5];
    let [.., ninth, check] = digits;
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| digit * weight)
        .sum();
    holds((sum + ninth * 5 / 10 + check).is_multiple_of(10))
}

/// The last of 18 characters checks the others, which weigh powers of 3 modulo 31 (GB 32100-2015).
fn cn(compact: &str) -> Result<(), SelectorError> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let values: Option<Vec<usize>> = compact.chars().map(|c| ALPHABET.find(c)).collect();
    let values = values.filter(|values| values.len() == 18);
    let values = values.ok_or(SelectorError::ImporterFormat)?;
    let Some((check, rest)) = values.split_last() else {
        return Err(SelectorError::ImporterFormat);
    };
    let (sum, _) = rest.iter().fold((0, 1), |(sum, weight), value| {
        (sum + value * weight, weight * 3 % 31)
    });
    holds((sum + check).is_multiple_of(31))
}

const fn holds(is_right: bool) -> Result<(), SelectorError> {
    if is_right {
        Ok(())
    } else {
        Err(SelectorError::ImporterCheckDigit)
    }
}

/// 9 digits. Older ones had a check digit, newer ones have none.
pub(super) fn duns(text: &str) -> Result<String, SelectorError> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let digits = digits::<9>(&compact).map_err(|_| SelectorError::DunsFormat)?;
    if digits.iter().all(|digit| *digit == 0) {
        return Err(SelectorError::DunsFormat);
    }
    Ok(compact)
}

/// Exactly `N` ASCII digits, not all of them zero.
fn digits<const N: usize>(text: &str) -> Result<[u32; N], SelectorError> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
    digits
        .filter(|digits| digits.iter().any(|digit| *digit != 0))
        .and_then(|digits| digits.try_into().ok())
        .ok_or(SelectorError::ImporterFormat)
}

/// Longer than any number with its dashes.
const MAX_NUMBER_BYTES: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(scheme: ImporterScheme, text: &str) -> Result<String, SelectorError> {
        let number = text.to_owned();
        super::number(&ImporterNumber { scheme, number }).map(|canonical| canonical.number)
    }

    #[test]
    fn importer_numbers_of_every_register_are_known() {
        use ImporterScheme::{Cn, Jp, Kr, Us};
        for (scheme, text, canonical) in [
            (Us, "12-3456789", "123456789"),
            (Us, "12-3456789ab", "123456789AB"),
            (Us, "251101-00042", "25110100042"),
            // The National Tax Agency's own.
            (Jp, "7000012050002", "7000012050002"),
            (Jp, "7-0000-1205-0002", "7000012050002"),
            (Kr, "124-81-00998", "1248100998"),
            (Cn, "9144030071526726xg", "9144030071526726XG"),
        ] {
            assert_eq!(check(scheme, text).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn importer_numbers_with_a_wrong_digit_or_form_are_refused() {
        use ImporterScheme::{Cn, Jp, Kr, Us};
        for (scheme, text) in [
            (Jp, "7000012050003"),
            (Jp, "8000012050002"),
            (Kr, "124-81-00997"),
            (Cn, "9144030071526726XH"),
        ] {
            assert_eq!(
                check(scheme, text),
                Err(SelectorError::ImporterCheckDigit),
                "{text}"
            );
        }
        for (scheme, text) in [
            (Us, ""),
            (Us, "12345678"),
            (Us, "1234567890"),
            (Us, "000000000"),
            (Us, "12345678X"),
            (Jp, "700001205000"),
            (Jp, "0000000000000"),
            (Jp, "７０００００１２０５０００２"),
            (Kr, "12481009988"),
            (Cn, "9144030071526726IG"),
            (Cn, "9135021"),
        ] {
            assert_eq!(
                check(scheme, text),
                Err(SelectorError::ImporterFormat),
                "{text}"
            );
        }
    }

    #[test]
    fn a_social_security_number_names_a_person_and_is_refused() {
        let refused = check(ImporterScheme::Us, "123-45-6789");
        assert_eq!(refused, Err(SelectorError::ImporterPerson));
    }

    #[test]
    fn a_firm_number_has_nine_digits() {
        assert_eq!(duns("15-048-3782").as_deref(), Ok("150483782"));
        for text in ["", "15048378", "1504837820", "15048378X", "000000000"] {
            assert_eq!(duns(text), Err(SelectorError::DunsFormat), "{text}");
        }
    }
}
