//! What people and programs type: names, filters, cursors, dates, and the text of a look-up.
#![no_main]
use libfuzzer_sys::fuzz_target;
use tocsin_core::cursor::{Cursor, View};
use tocsin_core::filter::Filter;
use tocsin_core::lookup::Typed;
use tocsin_core::name::Name;
use tocsin_core::{date, text};

fuzz_target!(|typed: &str| {
    let _ = Name::parse(typed);
    let _ = Filter::parse(typed);
    let _ = Typed::read(typed);
    let _ = date::parse(typed);
    let _ = text::folded(typed);
    if let Ok(cursor) = Cursor::decode(typed, &View::NONE) {
        assert_eq!(cursor.encode(), typed);
    }
});
