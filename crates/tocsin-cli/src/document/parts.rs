//! The parts that documents share: goods, parties, rights.

use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::{Article, HsCode, Selector, SerialRange};
use tocsin_core::right::{Right, RightKind};

use super::fields::{Fields, parse_word};
use crate::failure::Failure;

/// The edition of the Harmonized System in force since 1 January 2022 (WCO), taken when none is
/// said.
const HS_EDITION: u32 = 2022;

pub(super) fn articles(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Article> {
    fields.tables(key).into_iter().map(article).collect()
}

fn article(mut fields: Fields<'_, '_>) -> Article {
    let article = Article {
        description: fields.text("description"),
        selectors: selectors(&mut fields, "selectors"),
    };
    fields.finish();
    article
}

fn selectors(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Selector> {
    fields
        .tables(key)
        .into_iter()
        .filter_map(selector)
        .collect()
}

/// One selector is a table with one of the kinds as its key: `{ gtin = ".." }`.
fn selector(mut fields: Fields<'_, '_>) -> Option<Selector> {
    type Make = fn(String) -> Selector;
    const TEXTS: [(&str, Make); 6] = [
        ("gtin", Selector::Gtin),
        ("model", Selector::Model),
        ("mid", Selector::Mid),
        ("lei", Selector::Lei),
        ("eori", Selector::Eori),
        ("brand", Selector::Brand),
    ];
    let mut found = Vec::new();
    for (key, make) in TEXTS {
        let text = fields.text_or_empty(key);
        if !text.is_empty() {
            found.push(make(text));
        }
    }
    let code = fields.text_or_empty("hs").replace(['.', ' '], "");
    if !code.is_empty() {
        let edition = fields.small("edition").unwrap_or(HS_EDITION);
        found.push(Selector::Hs(HsCode { code, edition }));
    }
    if let Some(range) = fields.table("serial") {
        found.push(Selector::Serial(serial(range)));
    }
    if found.len() != 1 {
        fields.problem("a selector is one of gtin, hs, model, serial, mid, lei, eori, brand");
    }
    fields.finish();
    found.pop()
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

pub(super) fn parties(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Party> {
    fields.tables(key).into_iter().map(party).collect()
}

fn party(mut fields: Fields<'_, '_>) -> Party {
    let party = Party {
        kind: fields.word_or("kind", PartyKind::Company),
        names: fields.texts("names"),
        identifiers: selectors(&mut fields, "identifiers"),
        country: fields.text_or_empty("country").to_uppercase(),
    };
    if party.names.is_empty() {
        fields.problem("`names` is missing: [\"primary name\", \"other names\"]");
    }
    fields.finish();
    party
}

pub(super) fn rights(fields: &mut Fields<'_, '_>, key: &'static str) -> Vec<Right> {
    fields.tables(key).into_iter().map(right).collect()
}

fn right(mut fields: Fields<'_, '_>) -> Right {
    let right = Right {
        kind: fields.word("kind", RightKind::Patent),
        office: fields.text("office").to_uppercase(),
        number: fields.text_or_empty("number"),
        missing_reason: fields.text_or_empty("missing_reason"),
        claims: fields.text_or_empty("claims"),
    };
    if right.number.is_empty() && right.missing_reason.is_empty() {
        fields.problem("`number` is missing: give it, or say why not in `missing_reason`");
    }
    fields.finish();
    right
}

/// A right as typed on the command line: `OFFICE:KIND:NUMBER`, e.g. `DE:trade_mark:302019012345`.
///
/// # Errors
/// When a part is missing or the kind is no known word.
pub fn right_from_text(text: &str) -> Result<Right, Failure> {
    let mut parts = text.splitn(3, ':').map(str::trim);
    let (Some(office), Some(kind), Some(number)) = (parts.next(), parts.next(), parts.next())
    else {
        return Err(form(text));
    };
    if office.is_empty() || number.is_empty() {
        return Err(form(text));
    }
    let kind = parse_word::<RightKind>(kind).map_err(|why| form(text).detail(why))?;
    Ok(Right {
        kind,
        office: office.to_uppercase(),
        number: number.to_owned(),
        missing_reason: String::new(),
        claims: String::new(),
    })
}

fn form(text: &str) -> Failure {
    Failure::usage(format!("`{text}` is not a right"))
        .advice("write OFFICE:KIND:NUMBER, e.g. DE:trade_mark:302019012345")
}
