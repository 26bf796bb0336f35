//! Where goods are offered: addresses on the web, and numbers of marketplaces.

use std::fmt::Write as _;

use super::SelectorError;
use crate::text;

/// A URL as `host/path?query`, or `MARKETPLACE:ID`.
///
/// Of a URL the scheme, `www.`, the usual port, the fragment, a last slash and what only counts
/// visitors say nothing about the goods, and are left out.
pub(super) fn listing(listing: &str) -> Result<String, SelectorError> {
    let listing = listing.trim();
    if listing.len() > MAX_LISTING_BYTES || text::has_forbidden_in_line(listing) {
        return Err(SelectorError::ListingFormat);
    }
    // What stands before the first slash tells which of the two it is.
    let head = listing.split(['/', '?', '#']).next().unwrap_or_default();
    let canonical = match (head.split_once(':'), listing.split_once("://")) {
        (Some((scheme, "")), Some((before, rest))) if before == scheme => {
            let is_web = ["http", "https"]
                .iter()
                .any(|web| scheme.eq_ignore_ascii_case(web));
            is_web.then(|| url(rest)).flatten()
        }
        (Some((marketplace, _)), _) => {
            let id = listing.split_at_checked(marketplace.len() + 1);
            id.and_then(|(_, id)| numbered(marketplace, id))
        }
        // What `url` has made is read as the same again.
        (None, _) => url(listing),
    };
    canonical
        .filter(|canonical| canonical.len() <= MAX_LISTING_BYTES)
        .ok_or(SelectorError::ListingFormat)
}

/// The marketplace in lower case, its number as it is: marketplaces tell letters by case.
fn numbered(marketplace: &str, id: &str) -> Option<String> {
    let is_marketplace = (1..=MAX_MARKETPLACE_BYTES).contains(&marketplace.len())
        && marketplace
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let id = id.trim();
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic());
    (is_marketplace && is_id).then(|| format!("{}:{id}", marketplace.to_ascii_lowercase()))
}

fn url(rest: &str) -> Option<String> {
    let rest = rest.split('#').next().unwrap_or_default();
    let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = before.split_once('/').unwrap_or((before, ""));
    let host = host(authority)?;
    let mut canonical = host;
    let path = percent(path)?;
    let path = path.trim_end_matches('/');
    if !path.is_empty() {
        canonical.push('/');
        canonical.push_str(path);
    }
    let mut parameters = Vec::new();
    for parameter in query.split('&') {
        let parameter = percent(parameter)?;
        let name = parameter.split('=').next().unwrap_or_default();
        if !parameter.is_empty() && !counts_visitors(name) {
            parameters.push(parameter);
        }
    }
    parameters.sort_unstable();
    if !parameters.is_empty() {
        canonical.push('?');
        canonical.push_str(&parameters.join("&"));
    }
    Some(canonical)
}

/// A DNS name, lower case, in ASCII: a name in another script is written in Punycode, so that two
/// names that look alike are not one.
fn host(authority: &str) -> Option<String> {
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let mut host = host.as_str();
    while let Some(bare) = host.strip_prefix("www.").filter(|bare| bare.contains('.')) {
        host = bare;
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if host.len() > 253 || !host.contains('.') || !host.split('.').all(is_label) {
        return None;
    }
    match port {
        None | Some("" | "80" | "443") => Some(host.to_owned()),
        // A port of its own would read as a marketplace and its number.
        Some(_) => None,
    }
}

/// Parameters that tell where a visitor came from.
fn counts_visitors(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "fbclid", "gclid", "dclid", "msclkid", "yclid", "mc_cid", "mc_eid", "igshid", "_ga",
    ];
    let name = name.to_ascii_lowercase();
    name.starts_with("utm_") || NAMES.contains(&name.as_str())
}

/// The one spelling of percent-encoding (RFC 3986, section 6.2.2): what needs no encoding has none,
/// everything else has two upper-case digits.
fn percent(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let (byte, was_encoded) = if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(bytes.next())? * 16 + digit(bytes.next())?;
            (u8::try_from(value).ok()?, true)
        } else {
            (byte, false)
        };
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let is_structure = b"!$&'()*+,;=:@/?".contains(&byte) && !was_encoded;
        if is_plain || is_structure {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").ok()?;
        }
    }
    Some(out)
}

/// Bytes of a listing.
pub(super) const MAX_LISTING_BYTES: usize = 512;
/// Bytes of a marketplace's name.
const MAX_MARKETPLACE_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_address_has_one_form_however_it_was_copied() {
        for text in [
            "https://www.Shop.example/item/42?b=2&a=1",
            "http://shop.example:80/item/42/?a=1&b=2#reviews",
            "HTTPS://shop.example/item/%34%32?utm_source=mail&a=1&b=2&gclid=x",
            "shop.example/item/42?a=1&b=2",
        ] {
            assert_eq!(
                listing(text).as_deref(),
                Ok("shop.example/item/42?a=1&b=2"),
                "{text}"
            );
        }
        assert_eq!(
            listing("https://shop.example/東京").as_deref(),
            Ok("shop.example/%E6%9D%B1%E4%BA%AC")
        );
        assert_eq!(
            listing("https://shop.example").as_deref(),
            Ok("shop.example")
        );
    }

    #[test]
    fn a_number_of_a_marketplace_keeps_its_case() {
        assert_eq!(
            listing("Market.example: b0ExAmple").as_deref(),
            Ok("market.example:b0ExAmple")
        );
    }

    #[test]
    fn what_is_neither_address_nor_number_is_refused() {
        for text in [
            "",
            "lamp",
            "https://",
            "https://localhost/x",
            "https://user@shop.example/x",
            "https://shop.example:8443/x",
            "https://shöp.example/x",
            "https://shop.example/%4",
            "https://shop.example/%zz",
            "ftp://shop.example/x",
            "javascript:alert(1 )",
            "a b:1",
            "shop:",
            "https://shop.example/\u{202E}x",
            &format!("https://shop.example/{}", "a".repeat(512)),
        ] {
            assert_eq!(listing(text), Err(SelectorError::ListingFormat), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_canonical_listing_is_its_own(
            text in "(https?://)?(www\\.){0,2}[a-b]\\.[a-b]{1,2}[a-b/?&=%:#.5FA_]{0,16}|\\PC{0,20}",
        ) {
            if let Ok(canonical) = listing(&text) {
                prop_assert_eq!(listing(&canonical), Ok(canonical));
            }
        }
    }
}
