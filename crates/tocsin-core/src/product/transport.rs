//! What goods travel in and under: containers, transport documents and vessels.

use super::{SelectorError, TransportDocument, checks::ascii_upper};
use crate::words::words;

words! {
    /// The kind of a transport document.
    TransportKind {
        /// Bill of lading, by sea.
        BillOfLading = 1 "bill_of_lading",
        /// Air waybill.
        AirWaybill = 2 "air_waybill",
    }
}

/// Owner's three letters, U, J or Z, six digits and the check digit of ISO 6346.
pub(super) fn container(text: &str) -> Result<String, SelectorError> {
    let compact = compact(text).filter(|compact| compact.len() == 11);
    let compact = compact.ok_or(SelectorError::ContainerFormat)?;
    let (owner, number) = compact.split_at(4);
    let is_form = owner.bytes().all(|byte| byte.is_ascii_uppercase())
        && owner.ends_with(['U', 'J', 'Z'])
        && number.bytes().all(|byte| byte.is_ascii_digit());
    if !is_form {
        return Err(SelectorError::ContainerFormat);
    }
    let weights = (0..10).map(|place| 1_u32 << place);
    let sum: u32 = compact
        .bytes()
        .zip(weights)
        .map(|(byte, weight)| container_value(byte) * weight)
        .sum();
    let check = compact.bytes().last().map(|byte| u32::from(byte - b'0'));
    if check != Some(sum % 11 % 10) {
        return Err(SelectorError::ContainerCheckDigit);
    }
    Ok(compact)
}

/// Digits are worth themselves, letters 10 to 38 without the multiples of 11.
fn container_value(byte: u8) -> u32 {
    if byte.is_ascii_digit() {
        return u32::from(byte - b'0');
    }
    let place = u32::from(byte.saturating_sub(b'A'));
    10 + place + place.div_ceil(10)
}

/// Letters and digits; an air waybill as `123-12345675`.
pub(super) fn document(document: &TransportDocument) -> Result<TransportDocument, SelectorError> {
    let compact = compact(&document.number).ok_or(SelectorError::TransportFormat)?;
    let number = match document.kind {
        TransportKind::BillOfLading if (5..=MAX_BILL_BYTES).contains(&compact.len()) => compact,
        TransportKind::BillOfLading => return Err(SelectorError::TransportFormat),
        TransportKind::AirWaybill => air_waybill(&compact)?,
    };
    Ok(TransportDocument {
        kind: document.kind,
        number,
    })
}

/// Three digits of the carrier, seven of the document, and their remainder modulo 7 (IATA
/// Resolution 600a).
fn air_waybill(compact: &str) -> Result<String, SelectorError> {
    let is_form = compact.len() == 11 && compact.bytes().all(|byte| byte.is_ascii_digit());
    if !is_form {
        return Err(SelectorError::TransportFormat);
    }
    let (carrier, rest) = compact.split_at(3);
    let (number, check) = rest.split_at(7);
    let holds = match (number.parse::<u32>(), check.parse::<u32>()) {
        (Ok(number), Ok(check)) => number % 7 == check,
        (Err(_), _) | (_, Err(_)) => false,
    };
    if holds {
        Ok(format!("{carrier}-{rest}"))
    } else {
        Err(SelectorError::TransportCheckDigit)
    }
}

/// Seven digits, with or without `IMO` before them; the last checks the others, which weigh 7 to 2.
pub(super) fn vessel(text: &str) -> Result<String, SelectorError> {
    let compact = compact(text).ok_or(SelectorError::VesselFormat)?;
    let digits = compact.strip_prefix("IMO").unwrap_or(&compact);
    let is_form = digits.len() == 7
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.bytes().any(|byte| byte != b'0');
    if !is_form {
        return Err(SelectorError::VesselFormat);
    }
    let values = || digits.bytes().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = values()
        .zip((2..=7).rev())
        .map(|(digit, weight)| digit * weight)
        .sum();
    if values().next_back() != Some(sum % 10) {
        return Err(SelectorError::VesselCheckDigit);
    }
    Ok(digits.to_owned())
}

/// Letters and digits in upper case, without spaces and `- / .`.
fn compact(text: &str) -> Option<String> {
    if text.len() > 2 * MAX_BILL_BYTES {
        return None;
    }
    let compact: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '/' | '.'))
        .collect();
    ascii_upper(&compact, MAX_BILL_BYTES)
}

/// Longest number of a bill of lading (UN/EDIFACT data element 1004: an..35).
const MAX_BILL_BYTES: usize = 35;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_hold_their_check_digit() {
        for text in ["CSQU3054383", "csqu 305438-3", "MSKU9070323"] {
            assert!(container(text).is_ok(), "{text}");
        }
        assert_eq!(container("msku 907032 3").as_deref(), Ok("MSKU9070323"));
        assert_eq!(
            container("CSQU3054384"),
            Err(SelectorError::ContainerCheckDigit)
        );
        for text in [
            "",
            "CSQX3054383",
            "CSQU305438",
            "C1QU3054383",
            "CSQU30543830",
            "ÄSQU3054383",
        ] {
            assert_eq!(
                container(text),
                Err(SelectorError::ContainerFormat),
                "{text}"
            );
        }
    }

    fn waybill(number: &str) -> Result<String, SelectorError> {
        let (kind, number) = (TransportKind::AirWaybill, number.to_owned());
        document(&TransportDocument { kind, number }).map(|document| document.number)
    }

    #[test]
    fn air_waybills_hold_their_check_digit() {
        for text in ["180-53925023", "18053925023", "180 5392 5023"] {
            assert_eq!(waybill(text).as_deref(), Ok("180-53925023"), "{text}");
        }
        assert_eq!(
            waybill("180-53925024"),
            Err(SelectorError::TransportCheckDigit)
        );
        for text in ["", "180-5392502", "180-5392502X", "180-539250230"] {
            assert_eq!(waybill(text), Err(SelectorError::TransportFormat), "{text}");
        }
    }

    #[test]
    fn bills_of_lading_are_letters_and_digits() {
        let bill = |number: &str| {
            let (kind, number) = (TransportKind::BillOfLading, number.to_owned());
            document(&TransportDocument { kind, number }).map(|document| document.number)
        };
        assert_eq!(bill("maeu-123 456789").as_deref(), Ok("MAEU123456789"));
        for text in ["", "1234", "MAEU_12345", "東京12345", &"1".repeat(36)] {
            assert_eq!(bill(text), Err(SelectorError::TransportFormat), "{text}");
        }
    }

    #[test]
    fn vessels_hold_their_check_digit() {
        for text in ["9074729", "IMO 9074729", "imo9074729"] {
            assert_eq!(vessel(text).as_deref(), Ok("9074729"), "{text}");
        }
        assert_eq!(vessel("9074728"), Err(SelectorError::VesselCheckDigit));
        for text in ["", "907472", "90747290", "MMSI9074729", "0000000"] {
            assert_eq!(vessel(text), Err(SelectorError::VesselFormat), "{text}");
        }
    }
}
