//! What statements say, as JSON objects for printing.

mod terms;

use serde_json::{Map, Value, json};
use tocsin_core::decision::Decision;
use tocsin_core::indicator::IndicatorBody;
use tocsin_core::order::Order;
use tocsin_core::party::Party;
use tocsin_core::product::{
    Article, DescriptionTerms, ImageHash, ImporterNumber, Selector, TariffCode, TransportDocument,
};
use tocsin_core::report::ReportBody;
use tocsin_core::right::Right;
use tocsin_core::statement::{Act, DecodedBody, Statement, StatementRef};

use crate::document::completeness;
use crate::instant;
use crate::output::Column;

pub use terms::{terms, terms_text};

/// Columns for one statement of any kind; what it does not have is left out.
pub const STATEMENT: &[Column] = &[
    ("name", "name"),
    ("title", "title"),
    ("EXERCISE", "exercise"),
    ("state", "state"),
    ("act", "act"),
    ("kind", "act_kind"),
    ("case", "case_ref"),
    ("instrument", "instrument"),
    ("scope", "scope"),
    ("phase", "phase"),
    ("in force from", "from"),
    ("until", "until"),
    ("counterfeit", "counterfeit"),
    ("summary", "summary"),
    ("respondents", "respondents_text"),
    ("parties", "parties_text"),
    ("articles", "articles_text"),
    ("terms", "terms_text"),
    ("rights", "rights_text"),
    ("no right", "no_right_reason"),
    ("narrative", "narrative"),
    ("source", "source"),
    ("confidence", "confidence"),
    ("collected", "collected"),
    ("valid until", "valid_until"),
    ("asked for", "requested_action"),
    ("exhibits", "exhibits_text"),
    ("completeness", "completeness"),
    ("readers miss", "missing_text"),
    ("basis", "basis"),
    ("reason given", "reason_given"),
    ("by policy", "policy_rule"),
    ("about order", "about_order"),
    ("about", "about"),
    ("cites", "refs"),
    ("pack", "toml"),
    ("tlp", "tlp"),
    ("created", "created"),
    ("signed by", "signed_by"),
    ("statement id", "statement_id"),
    ("log", "log"),
    ("index", "index"),
    ("grade", "grade"),
    ("verdict", "verdict"),
    ("why", "reason"),
];

/// Everything that a statement and its bodies say.
#[must_use]
pub fn statement(statement: &Statement, bodies: &[DecodedBody]) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Some(about) = &statement.about {
        fields.insert("about".into(), json!(reference(about)));
    }
    let refs: Vec<String> = statement.refs.iter().map(reference).collect();
    fields.insert("refs".into(), json!(refs));
    let said = match &statement.act {
        Act::Report(report) => json!({"act_kind": report.kind.word()}),
        Act::Indicator(indicator) => json!({
            "act_kind": indicator.kind.word(),
            "valid_until": instant::show(indicator.valid_until_ms),
        }),
        Act::Order(text) => order(text),
        Act::OrderAct(act) => {
            let mut said = act.replacement.as_ref().map_or_else(|| json!({}), order);
            if let Some(fields) = said.as_object_mut() {
                fields.insert("act_kind".into(), json!(act.kind.word()));
                fields.insert("reason_given".into(), json!(act.reason));
            }
            said
        }
        Act::Decision(act) => decision(act),
        Act::PolicyPack(pack) => json!({"toml": pack.toml}),
    };
    merge(&mut fields, said);
    for content in bodies {
        merge(&mut fields, body(content));
    }
    if let Some(complete) = completeness::of_statement(statement, bodies) {
        let missing = complete.missing();
        fields.insert("completeness".into(), json!(complete.score));
        fields.insert("missing_text".into(), json!(missing.join("\n")));
        fields.insert("missing".into(), json!(missing));
    }
    fields
}

/// An order's text.
#[must_use]
pub fn order(order: &Order) -> Value {
    json!({
        "title": order.title,
        "case_ref": order.case_ref,
        "instrument": order.instrument.word(),
        "scope": order.scope.word(),
        "phase": order.phase.word(),
        "from": instant::show(order.from_ms),
        "until": instant::show(order.until_ms),
        "counterfeit": order.counterfeit,
        "summary": order.summary,
        "exercise": order.exercise,
        "respondents": order.respondents.iter().map(party).collect::<Vec<_>>(),
        "respondents_text": lines(&order.respondents, party_text),
        "articles": order.articles.iter().map(article).collect::<Vec<_>>(),
        "articles_text": lines(&order.articles, article_text),
        "rights": order.rights.iter().map(right).collect::<Vec<_>>(),
        "rights_text": lines(&order.rights, right_text),
        "no_right_reason": order.no_right_reason,
        "terms": terms(order),
        "terms_text": terms_text(order),
    })
}

fn decision(decision: &Decision) -> Value {
    json!({
        "act_kind": decision.kind.word(),
        "judged": decision.judged.to_string(),
        "basis": decision.basis,
        "reason_given": decision.reason,
        "until": instant::show(decision.until_ms),
        "rights": decision.local_rights.iter().map(right).collect::<Vec<_>>(),
        "rights_text": lines(&decision.local_rights, right_text),
        "policy_rule": decision.policy.as_ref().map(|policy| policy.rule.clone()),
        "policy_pack": decision.policy.as_ref().and_then(|p| p.pack).map(|pack| pack.to_string()),
    })
}

fn body(body: &DecodedBody) -> Value {
    match body {
        DecodedBody::Report(report) => report_body(report),
        DecodedBody::Indicator(indicator) => indicator_body(indicator),
        DecodedBody::Order(further) => json!({
            "further_articles": further.articles.iter().map(article).collect::<Vec<_>>(),
        }),
        DecodedBody::PolicyPack(pack) => json!({"toml": pack.toml}),
    }
}

fn report_body(report: &ReportBody) -> Value {
    let exhibits: Vec<Value> = report
        .exhibits
        .iter()
        .map(|exhibit| {
            json!({
                "name": exhibit.name, "media_type": exhibit.media_type,
                "length": exhibit.length, "sha256": exhibit.sha256.to_string(),
            })
        })
        .collect();
    json!({
        "title": report.title,
        "narrative": report.narrative,
        "articles": report.articles.iter().map(article).collect::<Vec<_>>(),
        "articles_text": lines(&report.articles, article_text),
        "parties": report.parties.iter().map(party).collect::<Vec<_>>(),
        "parties_text": lines(&report.parties, party_text),
        "source": format!("{}{}", report.source_reliability, report.credibility),
        "collected": instant::show(report.collected_ms),
        "requested_action": report.requested_action,
        "exhibits": exhibits,
        "exhibits_text": lines(&report.exhibits, |e| format!("{} {}", e.name, e.sha256)),
        "exercise": report.exercise,
    })
}

fn indicator_body(indicator: &IndicatorBody) -> Value {
    json!({
        "title": indicator.title,
        "articles": indicator.articles.iter().map(article).collect::<Vec<_>>(),
        "articles_text": lines(&indicator.articles, article_text),
        "parties": indicator.parties.iter().map(party).collect::<Vec<_>>(),
        "parties_text": lines(&indicator.parties, party_text),
        "confidence": indicator.confidence,
        "exercise": indicator.exercise,
    })
}

fn article(article: &Article) -> Value {
    json!({
        "description": article.description,
        "selectors": article.selectors.iter().map(selector).collect::<Vec<_>>(),
    })
}

fn selector(selector: &Selector) -> Value {
    match selector {
        Selector::Gtin(text) => json!({"gtin": text}),
        Selector::Hs(hs) => json!({"hs": hs.code, "edition": hs.edition}),
        Selector::Model(text) => json!({"model": text}),
        Selector::Serial(range) => json!({"serial": {
            "prefix": range.prefix, "low": range.low, "high": range.high, "width": range.width,
        }}),
        Selector::Mid(text) => json!({"mid": text}),
        Selector::Lei(text) => json!({"lei": text}),
        Selector::Eori(text) => json!({"eori": text}),
        Selector::Brand(text) => json!({"brand": text}),
        Selector::Tariff(TariffCode {
            code,
            jurisdiction,
            edition,
        }) => json!({"tariff": code, "jurisdiction": jurisdiction, "edition": edition}),
        Selector::ModelPattern(text) => json!({"model_pattern": text}),
        Selector::Batch(text) => json!({"batch": text}),
        Selector::Importer(ImporterNumber { scheme, number }) => {
            json!({"importer": number, "scheme": scheme.word()})
        }
        Selector::Duns(text) => json!({"duns": text}),
        Selector::Container(text) => json!({"container": text}),
        Selector::Transport(TransportDocument { kind, number }) => {
            json!({"transport": number, "kind": kind.word()})
        }
        Selector::Vessel(text) => json!({"vessel": text}),
        Selector::Listing(text) => json!({"listing": text}),
        Selector::Origin(text) => json!({"origin": text}),
        Selector::Description(DescriptionTerms { language, terms }) => {
            json!({"description": terms, "language": language})
        }
        Selector::Image(ImageHash { kind, bits }) => {
            json!({"image": format!("{bits:016x}"), "kind": kind.word()})
        }
    }
}

fn party(party: &Party) -> Value {
    json!({
        "kind": party.kind.word(),
        "names": party.names,
        "country": party.country,
        "identifiers": party.identifiers.iter().map(selector).collect::<Vec<_>>(),
    })
}

fn right(right: &Right) -> Value {
    json!({
        "kind": right.kind.word(),
        "office": right.office,
        "number": right.number,
        "missing_reason": right.missing_reason,
        "claims": right.claims,
    })
}

/// An article in a line.
#[must_use]
pub fn article_text(article: &Article) -> String {
    let facts: Vec<String> = article.selectors.iter().map(selector_text).collect();
    if facts.is_empty() {
        return article.description.clone();
    }
    format!("{} [{}]", article.description, facts.join(", "))
}

/// A selector in a word or two.
#[must_use]
pub fn selector_text(selector: &Selector) -> String {
    if let Selector::Hs(hs) = selector {
        format!("hs {} ({})", hs.code, hs.edition)
    } else if let Selector::Serial(range) = selector {
        let width = usize::try_from(range.width.min(18)).unwrap_or(0);
        let (prefix, low, high) = (&range.prefix, range.low, range.high);
        format!("serial {prefix}{low:0width$} to {prefix}{high:0width$}")
    } else {
        let kind = selector.kind().word().replace('_', " ");
        format!("{kind} {selector}")
    }
}

fn party_text(party: &Party) -> String {
    let mut text = party.names.first().cloned().unwrap_or_default();
    if !party.country.is_empty() {
        text.push_str(&format!(" ({})", party.country));
    }
    for identifier in &party.identifiers {
        text.push_str(&format!(", {}", selector_text(identifier)));
    }
    text
}

fn right_text(right: &Right) -> String {
    let number = if right.number.is_empty() {
        format!("number missing: {}", right.missing_reason)
    } else {
        right.number.clone()
    };
    format!("{} {} {number}", right.kind.word(), right.office)
}

fn reference(reference: &StatementRef) -> String {
    format!("{}:{}", reference.log, reference.statement_id)
}

fn lines<T>(items: &[T], text: impl Fn(&T) -> String) -> String {
    items.iter().map(text).collect::<Vec<_>>().join("\n")
}

fn merge(fields: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        fields.extend(more);
    }
}
