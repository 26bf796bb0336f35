//! Selectors, between the contract and the domain.

use tocsin_core::product::{
    DescriptionTerms, HsCode, ImageHash, ImageHashKind, ImporterNumber, ImporterScheme, Selector,
    SerialRange, TariffCode, TransportDocument, TransportKind,
};
use tocsin_core::statement::DecodeFault;

use crate::proto::v1::{self, selector::Value};
use crate::read::{Read, fault, word};

/// A selector as it was said, comparable or not.
pub(crate) fn read(m: v1::Selector) -> Read<Selector> {
    let value = m
        .value
        .ok_or_else(|| fault(DecodeFault::Missing, "value"))?;
    Ok(match value {
        Value::Gtin(text) => Selector::Gtin(text),
        Value::Hs(hs) => Selector::Hs(HsCode {
            code: hs.code,
            edition: hs.edition,
        }),
        Value::Model(text) => Selector::Model(text),
        Value::Serial(range) => Selector::Serial(SerialRange {
            prefix: range.prefix,
            low: range.low,
            high: range.high,
            width: range.width,
        }),
        Value::Mid(text) => Selector::Mid(text),
        Value::Lei(text) => Selector::Lei(text),
        Value::Eori(text) => Selector::Eori(text),
        Value::Brand(text) => Selector::Brand(text),
        Value::Tariff(m) => Selector::Tariff(TariffCode {
            code: m.code,
            jurisdiction: m.jurisdiction,
            edition: m.edition,
        }),
        Value::ModelPattern(text) => Selector::ModelPattern(text),
        Value::Batch(text) => Selector::Batch(text),
        Value::Importer(m) => Selector::Importer(ImporterNumber {
            scheme: word(m.scheme, ImporterScheme::from_number, "importer.scheme")?,
            number: m.number,
        }),
        Value::Duns(text) => Selector::Duns(text),
        Value::Container(text) => Selector::Container(text),
        Value::Transport(m) => Selector::Transport(TransportDocument {
            kind: word(m.kind, TransportKind::from_number, "transport.kind")?,
            number: m.number,
        }),
        Value::Vessel(text) => Selector::Vessel(text),
        Value::Listing(text) => Selector::Listing(text),
        Value::Origin(text) => Selector::Origin(text),
        Value::Description(m) => Selector::Description(DescriptionTerms {
            language: m.language,
            terms: m.terms,
        }),
        Value::Image(m) => Selector::Image(ImageHash {
            kind: word(m.kind, ImageHashKind::from_number, "image.kind")?,
            bits: m.bits,
        }),
    })
}

/// As the contract carries it.
pub(crate) fn write(selector: &Selector) -> v1::Selector {
    let value = match selector {
        Selector::Gtin(text) => Value::Gtin(text.clone()),
        Selector::Hs(hs) => Value::Hs(v1::HsCode {
            code: hs.code.clone(),
            edition: hs.edition,
        }),
        Selector::Model(text) => Value::Model(text.clone()),
        Selector::Serial(range) => Value::Serial(v1::SerialRange {
            prefix: range.prefix.clone(),
            low: range.low,
            high: range.high,
            width: range.width,
        }),
        Selector::Mid(text) => Value::Mid(text.clone()),
        Selector::Lei(text) => Value::Lei(text.clone()),
        Selector::Eori(text) => Value::Eori(text.clone()),
        Selector::Brand(text) => Value::Brand(text.clone()),
        Selector::Tariff(tariff) => Value::Tariff(v1::TariffCode {
            code: tariff.code.clone(),
            jurisdiction: tariff.jurisdiction.clone(),
            edition: tariff.edition,
        }),
        Selector::ModelPattern(text) => Value::ModelPattern(text.clone()),
        Selector::Batch(text) => Value::Batch(text.clone()),
        Selector::Importer(importer) => Value::Importer(v1::ImporterNumber {
            scheme: importer.scheme.number(),
            number: importer.number.clone(),
        }),
        Selector::Duns(text) => Value::Duns(text.clone()),
        Selector::Container(text) => Value::Container(text.clone()),
        Selector::Transport(document) => Value::Transport(v1::TransportDocument {
            kind: document.kind.number(),
            number: document.number.clone(),
        }),
        Selector::Vessel(text) => Value::Vessel(text.clone()),
        Selector::Listing(text) => Value::Listing(text.clone()),
        Selector::Origin(text) => Value::Origin(text.clone()),
        Selector::Description(description) => Value::Description(v1::DescriptionTerms {
            language: description.language.clone(),
            terms: description.terms.clone(),
        }),
        Selector::Image(image) => Value::Image(v1::ImageHash {
            kind: image.kind.number(),
            bits: image.bits,
        }),
    };
    v1::Selector { value: Some(value) }
}
