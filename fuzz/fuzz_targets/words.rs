//! What people and programs type: names, filters, cursors, dates, matchable facts, and the text of
//! a look-up.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::cursor::{Cursor, View};
use tocsin_core::filter::Filter;
use tocsin_core::lookup::Typed;
use tocsin_core::name::Name;
use tocsin_core::product::pattern::ModelPattern;
use tocsin_core::product::{
    DescriptionTerms, ImporterNumber, ImporterScheme, Selector, TariffCode, TransportDocument,
    TransportKind,
};
use tocsin_core::{date, text};

fuzz_target!(|typed: &str| {
    let _ = Name::parse(typed);
    let _ = Filter::parse(typed);
    let _ = Typed::read(typed);
    let _ = date::parse(typed);
    let _ = text::folded(typed);
    for selector in selectors(typed) {
        if let Ok(canonical) = selector.canonical() {
            assert_eq!(canonical.selector().canonical().as_ref(), Ok(&canonical));
            let _ = (canonical.strength(), canonical.matches_model(typed));
        }
    }
    if let Ok(pattern) = ModelPattern::parse(typed) {
        assert!(pattern.covers(&pattern));
    }
    if let Ok(cursor) = Cursor::decode(typed, &View::NONE) {
        assert_eq!(cursor.encode(), typed);
    }
});

/// The text as every kind of fact that is a text.
fn selectors(typed: &str) -> Vec<Selector> {
    let text = || typed.to_owned();
    let mut all = vec![
        Selector::Gtin(text()),
        Selector::Model(text()),
        Selector::ModelPattern(text()),
        Selector::Batch(text()),
        Selector::Mid(text()),
        Selector::Lei(text()),
        Selector::Eori(text()),
        Selector::Brand(text()),
        Selector::Duns(text()),
        Selector::Container(text()),
        Selector::Vessel(text()),
        Selector::Listing(text()),
        Selector::Origin(text()),
        Selector::Tariff(TariffCode {
            code: text(),
            jurisdiction: "US".to_owned(),
            edition: 2026,
        }),
        Selector::Description(DescriptionTerms {
            language: "en".to_owned(),
            terms: vec![text()],
        }),
    ];
    all.extend(ImporterScheme::ALL.iter().map(|scheme| {
        Selector::Importer(ImporterNumber {
            scheme: *scheme,
            number: text(),
        })
    }));
    all.extend(TransportKind::ALL.iter().map(|kind| {
        Selector::Transport(TransportDocument {
            kind: *kind,
            number: text(),
        })
    }));
    all
}
