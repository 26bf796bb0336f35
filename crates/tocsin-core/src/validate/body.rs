//! Checks of what a body says. Bodies can come late and can be erased, so that no verdict on an
//! entry rests on them: the door checks them, and readers skip what they cannot compare.

use super::content::check_pack;
use super::goods::{
    articles, bounded, each, instant, line, long_text, paragraph, parties, required,
};
use super::terms::check_lifetimes;
use crate::indicator::IndicatorBody;
use crate::order::{MAX_BODY_SELECTORS, Order};
use crate::party::MAX_PARTIES;
use crate::product::{MAX_ARTICLES, MAX_SELECTORS};
use crate::reason::{Reason, Refusal};
use crate::report::{Exhibit, MAX_EXHIBITS, ReportBody};
use crate::statement::{Act, DecodedBody, MAX_BODY_BYTES};

/// Checks a decoded body of a statement of a member of `jurisdiction` that says `act`.
///
/// # Errors
/// When it is of another kind, or breaks a rule on goods, parties, texts or packs; and natural
/// persons wait for sealing.
pub fn check(act: &Act, body: &DecodedBody, jurisdiction: &str) -> Result<(), Refusal> {
    match (act, body) {
        (Act::Report(_), DecodedBody::Report(body)) => check_report(body),
        (Act::Indicator(_), DecodedBody::Indicator(body)) => check_indicator(body),
        (Act::Order(_) | Act::OrderAct(_), DecodedBody::Order(body)) => {
            if body.articles.is_empty() {
                return Err(Refusal::at(Reason::ListEmpty, "articles"));
            }
            articles(&body.articles, MAX_BODY_SELECTORS, MAX_BODY_SELECTORS)?;
            text_of(act).map_or(Ok(()), |order| check_lifetimes(&body.articles, order))
        }
        (Act::PolicyPack(_), DecodedBody::PolicyPack(body)) => check_pack(&body.toml, jurisdiction),
        (
            Act::Report(_)
            | Act::Indicator(_)
            | Act::Order(_)
            | Act::OrderAct(_)
            | Act::Decision(_)
            | Act::PolicyPack(_),
            DecodedBody::Report(_)
            | DecodedBody::Indicator(_)
            | DecodedBody::Order(_)
            | DecodedBody::PolicyPack(_),
        ) => Err(Reason::BodyKind.into()),
    }
}

/// The text that a lasting body belongs to.
fn text_of(act: &Act) -> Option<&Order> {
    match act {
        Act::Order(order) => Some(order),
        Act::OrderAct(act) => act.replacement.as_ref(),
        Act::Report(_) | Act::Indicator(_) | Act::Decision(_) | Act::PolicyPack(_) => None,
    }
}

fn check_report(body: &ReportBody) -> Result<(), Refusal> {
    required(&body.title, "title")?;
    line(&body.title, "title")?;
    required(&body.narrative, "narrative")?;
    // The body's own bound, checked before it was decoded, is the narrative's.
    long_text(
        &body.narrative,
        usize::try_from(MAX_BODY_BYTES).unwrap_or(0),
        "narrative",
    )?;
    articles(&body.articles, MAX_ARTICLES, MAX_SELECTORS)?;
    parties(&body.parties, MAX_PARTIES, "parties")?;
    if !["A", "B", "C", "D", "E", "F"].contains(&body.source_reliability.as_str()) {
        return Err(Refusal::at(Reason::SourceReliability, "source_reliability"));
    }
    if !(1..=6).contains(&body.credibility) {
        return Err(Refusal::at(Reason::SourceReliability, "credibility"));
    }
    instant(body.collected_ms, "collected_ms")?;
    bounded(&body.exhibits, MAX_EXHIBITS, "exhibits")?;
    each(&body.exhibits, "exhibits", check_exhibit)?;
    paragraph(&body.requested_action, "requested_action")
}

fn check_exhibit(exhibit: &Exhibit) -> Result<(), Refusal> {
    let is_token = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    let is_media_type = exhibit.media_type.len() <= MAX_MEDIA_TYPE_BYTES
        && exhibit
            .media_type
            .split_once('/')
            .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    if !is_media_type {
        return Err(Refusal::at(Reason::MediaType, "media_type"));
    }
    required(&exhibit.name, "name")?;
    line(&exhibit.name, "name")
}

fn check_indicator(body: &IndicatorBody) -> Result<(), Refusal> {
    required(&body.title, "title")?;
    line(&body.title, "title")?;
    if body.articles.is_empty() && body.parties.is_empty() {
        return Err(Refusal::at(Reason::ListEmpty, "articles"));
    }
    articles(&body.articles, MAX_ARTICLES, MAX_SELECTORS)?;
    parties(&body.parties, MAX_PARTIES, "parties")?;
    if !["low", "moderate", "high"].contains(&body.confidence.as_str()) {
        return Err(Refusal::at(Reason::Confidence, "confidence"));
    }
    Ok(())
}

/// Bytes of a media type: two names of 127 (RFC 6838, section 4.2).
const MAX_MEDIA_TYPE_BYTES: usize = 255;
