//! An order as a document again: what stands now, to be changed and given back as the new text.

use tocsin_core::handling::Tlp;
use tocsin_core::order::Order;
use tocsin_core::party::Party;
use tocsin_core::product::{Article, Selector};
use tocsin_core::right::Right;
use tocsin_core::terms::{Breadth, Downstream, Terms};

use super::terms::{NOT_DOWNSTREAM, only_place};
use crate::instant;

/// The document of an order, which reads back as the same order. `further` are the articles of its
/// lasting body, `refs` what it cites.
#[must_use]
pub fn order_document(order: &Order, further: &[Article], tlp: Tlp, refs: &[String]) -> String {
    let mut lines = vec![
        "# The order as it stands. Change what is to change: the whole text replaces the old."
            .to_owned(),
        "# Every field is explained by: tocsin order new --stdout".to_owned(),
        text("tlp", tlp.word()),
        text("case_ref", &order.case_ref),
        text("title", &order.title),
        text("instrument", order.instrument.word()),
        text("scope", order.scope.word()),
        text("phase", order.phase.word()),
        text("from", &instant::exact(order.from_ms)),
    ];
    if order.until_ms != 0 {
        lines.push(text("until", &instant::exact(order.until_ms)));
    }
    lines.extend([
        format!("counterfeit = {}", order.counterfeit),
        text("summary", &order.summary),
        text("no_right_reason", &order.no_right_reason),
        format!("exercise = {}", order.exercise),
        texts("refs", refs),
    ]);
    lines.extend(movements(&order.terms));
    for respondent in &order.respondents {
        lines.extend(party("respondents", respondent));
    }
    lines.extend(others(order));
    for (key, articles) in [
        ("articles", order.articles.as_slice()),
        ("further_articles", further),
    ] {
        for article in articles {
            lines.extend(goods(key, article));
        }
    }
    for right in &order.rights {
        lines.extend(rights(right));
    }
    lines.join("\n") + "\n"
}

/// What of the terms stands before the first table.
fn movements(terms: &Terms) -> Vec<String> {
    let directions: Vec<String> = terms.directions.iter().map(ToString::to_string).collect();
    let relations: Vec<String> = terms.relations.iter().map(ToString::to_string).collect();
    let downstream = terms.downstream.map_or(NOT_DOWNSTREAM, Downstream::word);
    let mut lines = vec![
        texts("directions", &directions),
        texts("relations", &relations),
        text("downstream", downstream),
        text(
            "certification",
            terms.certification.as_deref().unwrap_or_default(),
        ),
    ];
    if let Some(Breadth { lines: tried, hits }) = terms.breadth {
        lines.push(format!("breadth = {{ lines = {tried}, hits = {hits} }}"));
    }
    if let Some(bond) = &terms.bond {
        let until = text("until", &instant::exact(bond.until_ms));
        lines.push(format!(
            "bond = {{ {}, {until} }}",
            text("text", &bond.text)
        ));
    }
    lines
}

/// What of the terms are tables: related firms, carve-outs, authorised importers.
fn others(order: &Order) -> Vec<String> {
    let mut lines = Vec::new();
    for related in &order.terms.related {
        let at = usize::try_from(related.of).unwrap_or(usize::MAX);
        let name = order
            .respondents
            .get(at)
            .and_then(|party| party.names.first());
        let by_name = name.filter(|name| only_place(name, &order.respondents) == Some(at));
        let by_name = by_name.filter(|name| !name.starts_with('#'));
        let of = by_name.cloned();
        lines.extend(party("related", &related.party));
        lines.push(text("relation", related.relation.word()));
        lines.push(text(
            "of",
            &of.unwrap_or_else(|| format!("#{}", at.saturating_add(1))),
        ));
        lines.extend(window(related.from_ms, related.until_ms));
    }
    for carve_out in &order.terms.carve_outs {
        lines.push("\n[[carve_outs]]".to_owned());
        lines.push(text("kind", carve_out.kind.word()));
        lines.push(text("text", &carve_out.text));
        lines.extend(window(carve_out.from_ms, carve_out.until_ms));
        lines.extend(selectors("selectors", &carve_out.selectors));
        for whose in &carve_out.parties {
            lines.extend(party("carve_outs.parties", whose));
        }
    }
    for importer in &order.terms.authorised {
        lines.extend(party("authorised", importer));
    }
    lines
}

fn window(from_ms: i64, until_ms: i64) -> Vec<String> {
    let ends = [("from", from_ms), ("until", until_ms)];
    let said = ends.into_iter().filter(|(_, ms)| *ms != 0);
    said.map(|(key, ms)| text(key, &instant::exact(ms)))
        .collect()
}

fn party(key: &str, party: &Party) -> Vec<String> {
    let mut lines = vec![
        format!("\n[[{key}]]"),
        text("kind", party.kind.word()),
        texts("names", &party.names),
        text("country", &party.country),
    ];
    lines.extend(selectors("identifiers", &party.identifiers));
    lines
}

fn goods(key: &str, article: &Article) -> Vec<String> {
    let mut lines = vec![
        format!("\n[[{key}]]"),
        text("description", &article.description),
    ];
    lines.extend(selectors("selectors", &article.selectors));
    lines
}

fn rights(right: &Right) -> Vec<String> {
    vec![
        "\n[[rights]]".to_owned(),
        text("kind", right.kind.word()),
        text("office", &right.office),
        text("number", &right.number),
        text("missing_reason", &right.missing_reason),
        text("claims", &right.claims),
    ]
}

fn selectors(key: &str, selectors: &[Selector]) -> Vec<String> {
    let mut lines = vec![format!("{key} = [")];
    for selector in selectors {
        let fact = fact(selector);
        lines.push(format!("  {{ {fact} }},"));
    }
    lines.push("]".to_owned());
    lines
}

/// `gtin = ".."`, and whatever else belongs to it.
fn fact(selector: &Selector) -> String {
    let kind = selector.kind().word();
    match selector {
        Selector::Hs(hs) => format!("{}, edition = {}", text(kind, &hs.code), hs.edition),
        Selector::Serial(range) => format!(
            "serial = {{ {}, low = {}, high = {}, width = {} }}",
            text("prefix", &range.prefix),
            range.low,
            range.high,
            range.width
        ),
        Selector::Tariff(tariff) => format!(
            "{}, {}, edition = {}",
            text(kind, &tariff.code),
            text("jurisdiction", &tariff.jurisdiction),
            tariff.edition
        ),
        Selector::Importer(importer) => format!(
            "{}, {}",
            text(kind, &importer.number),
            text("scheme", importer.scheme.word())
        ),
        Selector::Transport(document) => format!(
            "{}, {}",
            text(kind, &document.number),
            text("kind", document.kind.word())
        ),
        Selector::Description(description) => format!(
            "{}, {}",
            texts(kind, &description.terms),
            text("language", &description.language)
        ),
        Selector::Image(image) => format!(
            "{}, {}",
            text(kind, &format!("{:016x}", image.bits)),
            text("kind", image.kind.word())
        ),
        Selector::Gtin(said)
        | Selector::Model(said)
        | Selector::Mid(said)
        | Selector::Lei(said)
        | Selector::Eori(said)
        | Selector::Brand(said)
        | Selector::ModelPattern(said)
        | Selector::Batch(said)
        | Selector::Duns(said)
        | Selector::Container(said)
        | Selector::Vessel(said)
        | Selector::Listing(said)
        | Selector::Origin(said) => text(kind, said),
    }
}

fn text(key: &str, said: &str) -> String {
    format!("{key} = {}", quoted(said))
}

fn texts(key: &str, said: &[String]) -> String {
    let said: Vec<String> = said.iter().map(|said| quoted(said)).collect();
    format!("{key} = [{}]", said.join(", "))
}

/// A TOML basic string: nothing that stands in a text can end it.
fn quoted(said: &str) -> String {
    let mut quoted = String::from("\"");
    for c in said.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tocsin_core::statement::{Act, DecodedBody};

    use tocsin_core::product::SelectorKind;

    use super::*;
    use crate::document::tests::opened;
    use crate::document::{Document, Kind, parse, scaffold};

    fn document(text: &str) -> Document {
        parse(Kind::Order, text, Path::new(".")).unwrap_or_else(|f| panic!("{f:?}\n{text}"))
    }

    fn written(document: &Document) -> String {
        let Act::Order(order) = &document.act else {
            panic!("an order")
        };
        let further = document.bodies.iter().flat_map(|(body, _)| match body {
            DecodedBody::Order(body) => body.articles.clone(),
            DecodedBody::Report(_) | DecodedBody::Indicator(_) | DecodedBody::PolicyPack(_) => {
                vec![]
            }
        });
        let further: Vec<Article> = further.collect();
        order_document(order, &further, document.tlp, &document.refs)
    }

    #[test]
    fn an_order_reads_back_from_its_document() {
        let full = opened(Kind::Order).replace("refs = []", "refs = [\"US-2026-0007\", \"jp:00\"]");
        let endless = full.replacen("until = 2031-11-22\n", "", 1);
        for text in [scaffold(Kind::Order), full, endless] {
            let mut read = document(&text);
            // A new text has no number of its own.
            read.number = None;
            assert_eq!(document(&written(&read)), read);
        }
    }

    #[test]
    fn every_kind_of_selector_reads_back() {
        let mut every = document(&opened(Kind::Order));
        every.number = None;
        let indicator = parse(Kind::Indicator, &opened(Kind::Indicator), Path::new("."));
        let indicator = indicator.unwrap_or_else(|f| panic!("{f:?}"));
        let (DecodedBody::Indicator(body), _) = &indicator.bodies[0] else {
            panic!("an indicator")
        };
        let Act::Order(order) = &mut every.act else {
            panic!("an order")
        };
        order.articles = body.articles.clone();
        order.articles[0]
            .selectors
            .extend(body.parties[0].identifiers.iter().cloned());
        let mut kinds: Vec<SelectorKind> = order.articles[0]
            .selectors
            .iter()
            .map(Selector::kind)
            .collect();
        kinds.sort_unstable();
        assert_eq!(kinds, SelectorKind::ALL);
        assert_eq!(document(&written(&every)), every);
    }

    #[test]
    fn a_related_firm_of_two_respondents_with_one_name_is_told_by_its_place() {
        let mut twice = document(&opened(Kind::Order));
        let Act::Order(order) = &mut twice.act else {
            panic!("an order")
        };
        order.respondents.push(order.respondents[0].clone());
        order.terms.related[0].of = 1;
        twice.number = None;
        let text = written(&twice);
        assert!(text.contains("of = \"#2\""), "{text}");
        assert_eq!(document(&text), twice);
    }

    #[test]
    fn no_text_breaks_out_of_its_quotes_and_no_millisecond_is_lost() {
        let mut hostile = document(&scaffold(Kind::Order));
        let Act::Order(order) = &mut hostile.act else {
            panic!("an order")
        };
        order.title = "\"\"\"\nscope = \"limited\" \\u0041 '''".into();
        order.summary = "tab\there, 日本語, line\nbreak".into();
        order.from_ms += 1;
        let read = document(&written(&hostile));
        assert_eq!(read, hostile);
    }
}
