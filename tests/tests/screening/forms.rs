//! The one form in which each fact is compared, written again from the standards and in the
//! plainest way: what the screener does must agree with it.

use tocsin_core::product::{ImporterScheme, TransportKind};
use unicode_normalization::UnicodeNormalization as _;

/// GS1 General Specifications, section 7.9: thrice every second digit from the right, the check
/// digit counted once, is a multiple of ten.
pub fn gtin(digits: &str) -> Option<String> {
    let known_length = [8, 12, 13, 14].contains(&digits.len());
    if !known_length || !only_digits(digits) || only(digits, "0") {
        return None;
    }
    let mut sum = 0;
    for (place, digit) in numbers(digits).into_iter().rev().enumerate() {
        sum += if place % 2 == 0 { digit } else { 3 * digit };
    }
    (sum % 10 == 0).then(|| format!("{digits:0>14}"))
}

/// People write spaces and hyphens between the digits.
pub fn gtin_as_declared(text: &str) -> Option<String> {
    let is_between = |c: &char| c.is_whitespace() || *c == '-';
    gtin(&text.chars().filter(|c| !is_between(c)).collect::<String>())
}

/// Two to ten digits, with or without dots and spaces.
pub fn tariff_as_declared(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !". ".contains(*c)).collect();
    ((2..=10).contains(&digits.len()) && only_digits(&digits)).then_some(digits)
}

/// A picture's hash: 16 hexadecimal digits, not of a picture of one colour.
pub fn image(text: &str) -> Option<String> {
    let digits = text.to_ascii_lowercase();
    let is_form = digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (is_form && !only(&digits, "0") && !only(&digits, "f")).then_some(digits)
}

/// Where goods are offered: `MARKETPLACE:ID`, or an address without what says nothing about them
/// (scheme, `www.`, the usual port, fragment, last slash, what counts visitors). Reads addresses
/// of these tests, and no others: no percent-encoding, no other scripts.
pub fn listing(text: &str) -> Option<String> {
    let text = text.trim();
    let scheme = ["https://", "http://"]
        .iter()
        .find(|scheme| text.starts_with(**scheme));
    let address = text.strip_prefix(scheme.unwrap_or(&"")).unwrap();
    if let (None, Some((market, id))) = (scheme, text.split_once(':')) {
        return Some(format!("{}:{id}", market.to_ascii_lowercase()));
    }
    let address = address.split('#').next().unwrap();
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let (host, path) = place.split_once('/').unwrap_or((place, ""));
    let host = host.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let host = host.strip_suffix(":443").unwrap_or(host);
    let mut kept: Vec<&str> = query.split('&').collect();
    kept.retain(|pair| !pair.is_empty() && !pair.starts_with("utm_"));
    let mut listing = format!("{host}/{path}").trim_end_matches('/').to_owned();
    if !kept.is_empty() {
        listing = format!("{listing}?{}", kept.join("&"));
    }
    Some(listing)
}

/// ISO 17442: twenty letters and digits; by ISO 7064 mod 97-10 they leave one.
pub fn lei(text: &str) -> Option<String> {
    let upper = upper_ascii(text)?;
    if upper.len() != 20 {
        return None;
    }
    let long: String = upper
        .chars()
        .map(|c| c.to_digit(36).unwrap().to_string())
        .collect();
    let mut rest = 0;
    for digit in numbers(&long) {
        rest = (rest * 10 + digit) % 97;
    }
    (rest == 1).then_some(upper)
}

/// Two letters of a country, or XI for Northern Ireland, and one to fifteen letters and digits.
pub fn eori(text: &str) -> Option<String> {
    let upper = upper_ascii(text)?;
    if !(3..=17).contains(&upper.len()) {
        return None;
    }
    let country = &upper[..2];
    (country == "XI" || tocsin_core::country::is_assigned(country)).then_some(upper)
}

/// 19 CFR 102 App.: country, up to six characters of two words of the name, up to four digits of
/// the street, up to three letters of the city. Canada is written by province.
pub fn mid(text: &str) -> Option<String> {
    const PROVINCES: [&str; 13] = [
        "XA", "XB", "XC", "XM", "XN", "XO", "XP", "XQ", "XS", "XT", "XV", "XW", "XY",
    ];
    let upper = upper_ascii(text)?;
    if !(4..=15).contains(&upper.len()) {
        return None;
    }
    let (country, rest) = upper.split_at(2);
    let is_country = PROVINCES.contains(&country)
        || (country != "CA" && tocsin_core::country::is_assigned(country));
    if !is_country {
        return None;
    }
    for name in 1..=6.min(rest.len()) {
        for street in 0..=4 {
            let after = rest.get(name..).unwrap_or_default();
            let (Some(number), Some(city)) = (after.get(..street), after.get(street..)) else {
                continue;
            };
            let is_city =
                (1..=3).contains(&city.len()) && city.bytes().all(|byte| byte.is_ascii_uppercase());
            if is_city && (number.is_empty() || only_digits(number)) {
                return Some(upper);
            }
        }
    }
    None
}

/// ISO 6346: three letters of the owner, U, J or Z, six digits and a check digit. Letters count
/// from ten and pass over the multiples of eleven; each place weighs twice the one before.
pub fn container(text: &str) -> Option<String> {
    let upper = compact(text)?;
    let bytes = upper.as_bytes();
    let is_form = bytes.len() == 11
        && bytes[..3].iter().all(u8::is_ascii_uppercase)
        && b"UJZ".contains(&bytes[3])
        && bytes[4..].iter().all(u8::is_ascii_digit);
    if !is_form {
        return None;
    }
    let mut value = std::collections::BTreeMap::new();
    let mut next = 10;
    for letter in 'A'..='Z' {
        if next % 11 == 0 {
            next += 1;
        }
        value.insert(letter, next);
        next += 1;
    }
    let mut sum = 0;
    for (place, c) in upper.chars().take(10).enumerate() {
        let number = c.to_digit(10).unwrap_or_else(|| value[&c]);
        sum += number << place;
    }
    let check = upper.chars().last().and_then(|c| c.to_digit(10)).unwrap();
    (sum % 11 % 10 == check).then_some(upper)
}

/// Three digits of the airline, seven and a check digit, which is the seven modulo seven (IATA
/// Resolution 600a).
pub fn air_waybill(text: &str) -> Option<String> {
    let digits = compact(text)?;
    if digits.len() != 11 || !only_digits(&digits) {
        return None;
    }
    let serial: u32 = digits[3..10].parse().unwrap();
    (serial % 7 == numbers(&digits)[10]).then_some(digits)
}

/// Five to 35 letters and digits.
pub fn bill_of_lading(text: &str) -> Option<String> {
    compact(text).filter(|number| number.len() >= 5)
}

/// IMO resolution A.1117(30): six digits, weighed 7 to 2, and the last digit of the sum.
pub fn imo(text: &str) -> Option<String> {
    let upper = compact(text)?;
    let digits = upper.strip_prefix("IMO").unwrap_or(&upper);
    if digits.len() != 7 || !only_digits(digits) || only(digits, "0") {
        return None;
    }
    let places = numbers(digits);
    let weighed = places.iter().zip((2..=7).rev());
    let sum: u32 = weighed.map(|(place, weight)| place * weight).sum();
    (sum % 10 == places[6]).then(|| digits.to_owned())
}

/// Numbers of models, parts and serials: compatibility forms, capitals, no space and no
/// `- _ / .`; one to 64 characters.
pub fn model(text: &str) -> Option<String> {
    let settled = settled_model(text)?;
    (1..=64)
        .contains(&settled.chars().count())
        .then_some(settled)
}

/// What stands before the digits of a serial number; may be empty.
pub fn serial_prefix(text: &str) -> Option<String> {
    settled_model(text).filter(|prefix| prefix.chars().count() <= 64)
}

/// As [`model`], but of any length.
pub fn settled_model(text: &str) -> Option<String> {
    if text.chars().any(is_unseen) {
        return None;
    }
    fixed(text, |text| {
        text.to_uppercase()
            .chars()
            .filter(|c| !c.is_whitespace() && !['-', '_', '/', '.'].contains(c))
            .collect()
    })
}

/// Signs and brand words: compatibility forms, no case, one space between words.
pub fn brand(text: &str) -> Option<String> {
    if text.chars().any(is_unseen) {
        return None;
    }
    let folded = fixed(text, |text| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.join(" ").to_uppercase().to_lowercase()
    })?;
    (1..=128)
        .contains(&folded.chars().count())
        .then_some(folded)
}

/// Again and again, until nothing changes.
fn fixed(text: &str, change: impl Fn(&str) -> String) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let normal: String = text.nfkc().collect();
        let next: String = change(&normal).nfkc().collect();
        if next == text {
            return Some(text);
        }
        text = next;
    }
    None
}

/// Controls, direction overrides and marks that leave no trace: what reads as something else than
/// it is cannot be compared.
pub fn is_unseen(c: char) -> bool {
    let code = u32::from(c);
    c.is_control()
        || code == 0xAD
        || code == 0x200B
        || (0x2028..=0x202E).contains(&code)
        || (0x2060..=0x2064).contains(&code)
        || (0x2066..=0x2069).contains(&code)
        || code == 0xFEFF
        || (0xFFF9..=0xFFFB).contains(&code)
        || (0xE0000..=0xE007F).contains(&code)
}

/// Letters and digits in capitals; people write spaces, hyphens, slashes and dots between them.
fn compact(text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !" -/.".contains(*c)).collect();
    upper_ascii(&bare).filter(|bare| bare.len() <= 35)
}

/// The number of a document of one kind.
pub fn transport_document(kind: TransportKind, text: &str) -> Option<String> {
    match kind {
        TransportKind::BillOfLading => bill_of_lading(text),
        TransportKind::AirWaybill => air_waybill(text),
    }
}

/// Nine digits, not all zero.
pub fn duns(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !" -".contains(*c)).collect();
    let is_form = digits.len() == 9 && only_digits(&digits) && !only(&digits, "0");
    is_form.then_some(digits)
}

/// The number of an importer in its country's register.
pub fn importer(scheme: ImporterScheme, text: &str) -> Option<String> {
    let bare: String = text.chars().filter(|c| !" -".contains(*c)).collect();
    let number = upper_ascii(&bare)?;
    let holds = match scheme {
        // A social security number is written 123-45-6789, and names a person.
        ImporterScheme::Us => {
            let is_social = text.trim().split('-').map(str::len).eq([3, 2, 4]);
            !is_social
                && [9, 11].contains(&number.len())
                && only_digits(&number[..9])
                && !only(&number, "0")
        }
        ImporterScheme::Jp => number.len() == 13 && is_japanese(&number),
        ImporterScheme::Kr => number.len() == 10 && is_korean(&number),
        ImporterScheme::Cn => number.len() == 18 && is_chinese(&number),
    };
    holds.then_some(number)
}

/// The first of 13 digits is nine less the remainder by nine of the others, counted once and twice
/// in turn from the right.
fn is_japanese(number: &str) -> bool {
    if !only_digits(number) || only(number, "0") {
        return false;
    }
    let digits = numbers(number);
    let sum: u32 = (1..=12)
        .map(|place| digits[13 - place] * if place % 2 == 1 { 1 } else { 2 })
        .sum();
    digits[0] == 9 - sum % 9
}

/// Ten digits: the weights 1 3 7 1 3 7 1 3 5, the tens of the last product, and the check digit
/// make a multiple of ten.
fn is_korean(number: &str) -> bool {
    if !only_digits(number) || only(number, "0") {
        return false;
    }
    let digits = numbers(number);
    let weights = [1, 3, 7, 1, 3, 7, 1, 3, 5];
    let mut sum = digits[8] * 5 / 10 + digits[9];
    for place in 0..9 {
        sum += digits[place] * weights[place];
    }
    sum.is_multiple_of(10)
}

/// GB 32100-2015: 31 characters without I, O, S, V and Z; powers of three modulo 31.
fn is_chinese(number: &str) -> bool {
    const SIGNS: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut sum = 0;
    for (place, sign) in (0..).zip(number.chars()) {
        let Some(value) = SIGNS.find(sign) else {
            return false;
        };
        // The check character is counted once, and brings the sum to a multiple.
        let exponent = if place == 17 { 0 } else { place };
        sum += value * (3_usize.pow(exponent) % 31);
    }
    sum % 31 == 0
}

pub fn only_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn only(text: &str, of: &str) -> bool {
    text.chars().all(|c| of.contains(c))
}

fn numbers(digits: &str) -> Vec<u32> {
    digits.chars().map(|c| c.to_digit(10).unwrap()).collect()
}

fn upper_ascii(text: &str) -> Option<String> {
    let is_form = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_form.then(|| text.to_ascii_uppercase())
}
