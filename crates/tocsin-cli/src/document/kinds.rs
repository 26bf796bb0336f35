//! What each kind of document holds.

use std::path::Path;

use tocsin_core::decision::{Decision, DecisionKind};
use tocsin_core::handling::Tlp;
use tocsin_core::indicator::{Indicator, IndicatorBody, IndicatorKind};
use tocsin_core::order::{Instrument, Order, OrderBody, Phase, ScopeKind};
use tocsin_core::policy::{MAX_PACK_BYTES, PolicyPack, PolicyPackBody};
use tocsin_core::report::{Exhibit, Report, ReportBody, ReportKind};
use tocsin_core::statement::{Act, DecodedBody};
use tocsin_log::hash::Hash;

use super::Document;
use super::fields::Fields;
use super::parts::{articles, parties, rights};
use super::terms::terms;
use crate::files::read_bounded;

/// Largest exhibit that is hashed from a file: 1 GiB, a long video.
const MAX_EXHIBIT_BYTES: u64 = 1 << 30;

pub(super) fn report(fields: &mut Fields<'_, '_>, folder: &Path) -> Document {
    let kind = fields.word("kind", ReportKind::Infringement);
    let body = ReportBody {
        title: fields.text("title"),
        narrative: fields.text("narrative"),
        articles: articles(fields, "articles"),
        parties: parties(fields, "parties"),
        source_reliability: fields.text("source_reliability").to_uppercase(),
        credibility: credibility(fields),
        collected_ms: fields.time("collected"),
        exhibits: fields
            .tables("exhibits")
            .into_iter()
            .map(|f| exhibit(f, folder))
            .collect(),
        requested_action: fields.text_or_empty("requested_action"),
        exercise: fields.flag("exercise"),
    };
    common(
        fields,
        Act::Report(Report { kind }),
        vec![(DecodedBody::Report(Box::new(body)), false)],
    )
}

fn credibility(fields: &mut Fields<'_, '_>) -> u32 {
    if !fields.has("credibility") {
        fields.problem("`credibility` is missing: 1 to 6; 6 is \"cannot be judged\"");
    }
    fields.small("credibility").unwrap_or_default()
}

/// Named by file, which is hashed here and goes nowhere; or by digest and length.
fn exhibit(mut fields: Fields<'_, '_>, folder: &Path) -> Exhibit {
    let media_type = fields.text("media_type");
    let exhibit = if fields.has("file") {
        let file = fields.text("file");
        let path = folder.join(&file);
        let bytes = read_bounded(&path, MAX_EXHIBIT_BYTES).unwrap_or_else(|failure| {
            fields.problem(&failure.message);
            Vec::new()
        });
        let last = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let name = fields.text_or_empty("name");
        Exhibit {
            sha256: Hash::of(&bytes),
            length: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            media_type,
            name: if name.is_empty() { last } else { name },
        }
    } else {
        let digest = fields.text("sha256");
        let sha256 = Hash::from_hex(&digest).unwrap_or_else(|_| {
            fields.problem("`sha256` is 64 hexadecimal digits, or give `file`");
            Hash::of(b"")
        });
        if !fields.has("length") {
            fields.problem("`length` is missing: the exhibit's bytes");
        }
        let length = fields.number("length").unwrap_or_default();
        Exhibit {
            sha256,
            length,
            media_type,
            name: fields.text("name"),
        }
    };
    fields.finish();
    exhibit
}

pub(super) fn indicator(fields: &mut Fields<'_, '_>, _folder: &Path) -> Document {
    let kind = fields.word("kind", IndicatorKind::Product);
    let valid_until_ms = fields.time("valid_until");
    let body = IndicatorBody {
        title: fields.text("title"),
        articles: articles(fields, "articles"),
        parties: parties(fields, "parties"),
        confidence: fields.text("confidence").to_lowercase(),
        exercise: fields.flag("exercise"),
    };
    let act = Act::Indicator(Indicator {
        kind,
        valid_until_ms,
    });
    common(
        fields,
        act,
        vec![(DecodedBody::Indicator(Box::new(body)), false)],
    )
}

pub(super) fn order(fields: &mut Fields<'_, '_>, _folder: &Path) -> Document {
    let respondents = parties(fields, "respondents");
    let order = Order {
        case_ref: fields.text("case_ref"),
        title: fields.text("title"),
        instrument: fields.word("instrument", Instrument::Us337Geo),
        scope: fields.word("scope", ScopeKind::General),
        terms: terms(fields, &respondents),
        respondents,
        articles: articles(fields, "articles"),
        rights: rights(fields, "rights"),
        no_right_reason: fields.text_or_empty("no_right_reason"),
        phase: fields.word("phase", Phase::Final),
        from_ms: fields.time("from"),
        until_ms: fields.time_or_zero("until"),
        counterfeit: fields.flag("counterfeit"),
        summary: fields.text_or_empty("summary"),
        exercise: fields.flag("exercise"),
    };
    let further = articles(fields, "further_articles");
    let bodies = if further.is_empty() {
        Vec::new()
    } else {
        vec![(DecodedBody::Order(OrderBody { articles: further }), true)]
    };
    common(fields, Act::Order(Box::new(order)), bodies)
}

pub(super) fn decision(fields: &mut Fields<'_, '_>, _folder: &Path) -> Document {
    let order = fields.text("order");
    let kind = fields.word("kind", DecisionKind::Review);
    if kind == DecisionKind::Lapse {
        fields.problem("`lapse` is recorded by the node when a hold ends, not by a person");
    }
    let decision = Decision {
        kind,
        judged: Hash::of(b""),
        basis: fields.text_or_empty("basis"),
        reason: fields.text_or_empty("reason"),
        until_ms: fields.time_or_zero("until"),
        local_rights: rights(fields, "local_rights"),
        policy: None,
    };
    let mut document = common(fields, Act::Decision(decision), Vec::new());
    document.order = Some(order);
    document
}

/// A pack is signed as it was written, so the document is the pack.
pub(super) fn policy(text: &str) -> Result<Document, Vec<String>> {
    tocsin_core::policy::Pack::parse(text).map_err(|error| vec![error.to_string()])?;
    let toml = text.to_owned();
    let (pack, bodies) = if toml.len() <= MAX_PACK_BYTES {
        (PolicyPack { toml }, Vec::new())
    } else {
        let body = DecodedBody::PolicyPack(PolicyPackBody { toml });
        (
            PolicyPack {
                toml: String::new(),
            },
            vec![(body, true)],
        )
    };
    Ok(Document {
        tlp: Tlp::Clear,
        number: None,
        order: None,
        refs: Vec::new(),
        act: Act::PolicyPack(pack),
        bodies,
    })
}

fn common(fields: &mut Fields<'_, '_>, act: Act, bodies: Vec<(DecodedBody, bool)>) -> Document {
    let number = if act.is_numbered() {
        fields.small("number")
    } else {
        None
    };
    Document {
        tlp: fields.word("tlp", Tlp::Green),
        number,
        order: None,
        refs: fields.texts("refs"),
        act,
        bodies,
    }
}
