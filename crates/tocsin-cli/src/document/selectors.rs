//! Matchable facts in documents: each is a table with one of the kinds as its key.

use tocsin_core::product::{
    DescriptionTerms, HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector,
    SerialRange, TariffCode, TransportDocument, TransportKind,
};

use super::fields::Fields;

/// The edition of the Harmonized System in force since 1 January 2022 (WCO), taken when none is
/// said.
const HS_EDITION: u32 = 2022;

pub(super) fn selectors(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Selector> {
    fields
        .tables(key)
        .into_iter()
        .filter_map(selector)
        .collect()
}

/// One selector: `{ gtin = ".." }`.
fn selector(mut fields: Fields<'_, '_>) -> Option<Selector> {
    let mut found = texts(&mut fields);
    found.extend(codes(&mut fields));
    if let Some(range) = fields.table("serial") {
        found.push(Selector::Serial(serial(range)));
    }
    let terms = fields.texts("description");
    if !terms.is_empty() {
        let language = fields.text("language");
        found.push(Selector::Description(DescriptionTerms { language, terms }));
    }
    let hash = fields.text_or_empty("image");
    if !hash.is_empty() {
        let kind = fields.word_or("kind", ImageHashKind::Phash);
        let bits = u64::from_str_radix(&hash, 16).ok();
        if bits.is_none() || hash.len() != 16 {
            fields.problem("`image` is a hash of 16 hexadecimal digits");
        }
        let bits = bits.unwrap_or_default();
        found.push(Selector::Image(ImageHash { kind, bits }));
    }
    if found.len() != 1 {
        fields.problem(
            "a selector is one of gtin, model, model_pattern, serial, batch, hs, tariff, brand, \
             origin, description, image, listing, container, transport, vessel, mid, lei, eori, \
             importer, duns",
        );
    }
    fields.finish();
    found.pop()
}

/// Those that are a text and nothing else.
fn texts(fields: &mut Fields<'_, '_>) -> Vec<Selector> {
    type Make = fn(String) -> Selector;
    const TEXTS: [(&str, Make); 13] = [
        ("gtin", Selector::Gtin),
        ("model", Selector::Model),
        ("model_pattern", Selector::ModelPattern),
        ("batch", Selector::Batch),
        ("mid", Selector::Mid),
        ("lei", Selector::Lei),
        ("eori", Selector::Eori),
        ("duns", Selector::Duns),
        ("brand", Selector::Brand),
        ("container", Selector::Container),
        ("vessel", Selector::Vessel),
        ("listing", Selector::Listing),
        ("origin", Selector::Origin),
    ];
    let mut found = Vec::new();
    for (key, make) in TEXTS {
        let text = fields.text_or_empty(key);
        if !text.is_empty() {
            found.push(make(text));
        }
    }
    found
}

/// Those that say beside the text whose it is.
fn codes(fields: &mut Fields<'_, '_>) -> Vec<Selector> {
    let mut found = Vec::new();
    let code = fields.text_or_empty("hs").replace(['.', ' '], "");
    if !code.is_empty() {
        let edition = fields.small("edition").unwrap_or(HS_EDITION);
        found.push(Selector::Hs(HsCode { code, edition }));
    }
    let code = fields.text_or_empty("tariff").replace(['.', ' '], "");
    if !code.is_empty() {
        let jurisdiction = fields.text("jurisdiction").to_uppercase();
        if !fields.has("edition") {
            fields.problem("`edition` is missing: the year of the tariff");
        }
        let edition = fields.small("edition").unwrap_or_default();
        found.push(Selector::Tariff(TariffCode {
            code,
            jurisdiction,
            edition,
        }));
    }
    let number = fields.text_or_empty("importer");
    if !number.is_empty() {
        let scheme = fields.word("scheme", ImporterScheme::Us);
        found.push(Selector::Importer(ImporterNumber { scheme, number }));
    }
    let number = fields.text_or_empty("transport");
    if !number.is_empty() {
        let kind = fields.word("kind", TransportKind::BillOfLading);
        found.push(Selector::Transport(TransportDocument { kind, number }));
    }
    found
}

fn serial(mut fields: Fields<'_, '_>) -> SerialRange {
    let range = SerialRange {
        prefix: fields.text_or_empty("prefix"),
        low: needed(&mut fields, "low"),
        high: needed(&mut fields, "high"),
        width: fields.small("width").unwrap_or_default(),
    };
    if range.width == 0 {
        fields.problem("`width` is missing: how many digits follow the prefix, 1 to 18");
    }
    fields.finish();
    range
}

fn needed(fields: &mut Fields<'_, '_>, key: &'static str) -> u64 {
    if !fields.has(key) {
        fields.problem(&format!("`{key}` is missing"));
    }
    fields.number(key).unwrap_or_default()
}
