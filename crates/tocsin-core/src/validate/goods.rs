//! Checks of what orders, reports and indicators have in common: texts, goods, parties and rights.

use crate::country;
use crate::date::{MAX_INSTANT_MS, MIN_INSTANT_MS};
use crate::party::{MAX_IDENTIFIERS, MAX_NAMES, Party, PartyKind};
use crate::product::{Article, Selector, SelectorError, SelectorKind, Subject};
use crate::reason::{Reason, Refusal};
use crate::right::{Right, RightKind};
use crate::text::{
    MAX_LINE_BYTES, MAX_PARAGRAPH_BYTES, has_forbidden_in_line, has_forbidden_in_paragraph,
};

/// A text of one line, possibly empty.
pub(super) fn line(text: &str, field: &str) -> Result<(), Refusal> {
    if text.len() > MAX_LINE_BYTES {
        return Err(Refusal::at(Reason::TextTooLong, field));
    }
    if has_forbidden_in_line(text) {
        return Err(Refusal::at(Reason::TextForbidden, field));
    }
    Ok(())
}

/// A text of several lines, possibly empty.
pub(super) fn paragraph(text: &str, field: &str) -> Result<(), Refusal> {
    long_text(text, MAX_PARAGRAPH_BYTES, field)
}

/// A text of several lines with a bound of its own.
pub(super) fn long_text(text: &str, max_bytes: usize, field: &str) -> Result<(), Refusal> {
    if text.len() > max_bytes {
        return Err(Refusal::at(Reason::TextTooLong, field));
    }
    if has_forbidden_in_paragraph(text) {
        return Err(Refusal::at(Reason::TextForbidden, field));
    }
    Ok(())
}

/// Refuses a text that says nothing.
pub(super) fn required(text: &str, field: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::at(Reason::TextMissing, field));
    }
    Ok(())
}

/// At most `max` elements.
pub(super) fn bounded<T>(list: &[T], max: usize, field: &str) -> Result<(), Refusal> {
    if list.len() > max {
        let detail = format!("{} given, at most {max}", list.len());
        return Err(Refusal::at(Reason::ListTooLong, field).with(detail));
    }
    Ok(())
}

/// An instant that has a year of four digits; 0 is one that was not set.
pub(super) fn instant(ms: i64, field: &str) -> Result<(), Refusal> {
    if ms > MIN_INSTANT_MS && ms < MAX_INSTANT_MS {
        return Ok(());
    }
    Err(Refusal::at(Reason::InstantOutOfRange, field))
}

/// Every element, with its place in the refusal.
pub(super) fn each<T>(
    list: &[T],
    field: &str,
    check: impl Fn(&T) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    list.iter().enumerate().try_for_each(|(at, element)| {
        check(element).map_err(|refusal| refusal.within(format!("{field}[{at}]")))
    })
}

/// Articles with at most `max_selectors` selectors between them.
pub(super) fn articles(
    articles: &[Article],
    max_articles: usize,
    max_selectors: usize,
) -> Result<(), Refusal> {
    bounded(articles, max_articles, "articles")?;
    let selectors: usize = articles.iter().map(|article| article.selectors.len()).sum();
    if selectors > max_selectors {
        let detail = format!("{selectors} selectors given, at most {max_selectors}");
        return Err(Refusal::at(Reason::ListTooLong, "articles").with(detail));
    }
    each(articles, "articles", |article| {
        required(&article.description, "description")?;
        paragraph(&article.description, "description")?;
        each(&article.selectors, "selectors", selector)
    })
}

/// Parties; natural persons wait for sealing.
pub(super) fn parties(parties: &[Party], max: usize, field: &str) -> Result<(), Refusal> {
    bounded(parties, max, field)?;
    each(parties, field, party)
}

/// One party, known by name and by what names parties.
pub(super) fn party(party: &Party) -> Result<(), Refusal> {
    match party.kind {
        PartyKind::Person => return Err(Refusal::at(Reason::SealingNotBuilt, "kind")),
        PartyKind::Company | PartyKind::StateBody | PartyKind::Vessel => {}
    }
    if party.names.is_empty() {
        return Err(Refusal::at(Reason::ListEmpty, "names"));
    }
    bounded(&party.names, MAX_NAMES, "names")?;
    each(&party.names, "names", |name| {
        required(name, "").and_then(|()| line(name, ""))
    })?;
    bounded(&party.identifiers, MAX_IDENTIFIERS, "identifiers")?;
    each(
        &party.identifiers,
        "identifiers",
        |identifier| match identifier.kind().subject() {
            Subject::Party => selector(identifier),
            // What a seller is known by on a marketplace.
            Subject::Hint if identifier.kind() == SelectorKind::Listing => selector(identifier),
            Subject::Goods | Subject::Consignment | Subject::Hint => {
                Err(Reason::PartyIdentifier.into())
            }
        },
    )?;
    if !party.country.is_empty() && !country::is_assigned(&party.country) {
        return Err(Refusal::at(Reason::CountryUnknown, "country"));
    }
    Ok(())
}

/// One right: office, number or the reason for its absence, claims of what has claims.
pub(super) fn right(right: &Right) -> Result<(), Refusal> {
    if right.office.len() != 2 || !right.office.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(Refusal::at(Reason::RightOffice, "office"));
    }
    line(&right.number, "number")?;
    line(&right.missing_reason, "missing_reason")?;
    let has_reason = !right.missing_reason.trim().is_empty();
    match (right.number.trim().is_empty(), has_reason) {
        (true, false) => return Err(Refusal::at(Reason::RightNumberMissing, "number")),
        (false, true) => return Err(Refusal::at(Reason::RightReasonNotAllowed, "missing_reason")),
        (true, true) | (false, false) => {}
    }
    paragraph(&right.claims, "claims")?;
    let has_claims = match right.kind {
        RightKind::Patent | RightKind::UtilityModel | RightKind::SupplementaryProtection => true,
        RightKind::Design
        | RightKind::TradeMark
        | RightKind::Copyright
        | RightKind::GeographicalIndication
        | RightKind::PlantVariety
        | RightKind::Topography
        | RightKind::TradeName
        | RightKind::TradeSecret
        | RightKind::TradeDress => false,
    };
    if !has_claims && !right.claims.is_empty() {
        return Err(Refusal::at(Reason::ClaimsNotAPatent, "claims"));
    }
    Ok(())
}

/// A selector that can be compared.
pub(super) fn selector(selector: &Selector) -> Result<(), Refusal> {
    let compared = selector.canonical();
    compared.map(|_| ()).map_err(|e| Reason::from(e).into())
}

impl From<SelectorError> for Reason {
    fn from(error: SelectorError) -> Self {
        match error {
            SelectorError::GtinFormat => Self::SelectorGtinFormat,
            SelectorError::GtinCheckDigit => Self::SelectorGtinCheckDigit,
            SelectorError::HsFormat => Self::SelectorHsFormat,
            SelectorError::HsEdition => Self::SelectorHsEdition,
            SelectorError::ModelFormat => Self::SelectorModelFormat,
            SelectorError::SerialFormat => Self::SelectorSerialFormat,
            SelectorError::MidFormat => Self::SelectorMidFormat,
            SelectorError::LeiFormat => Self::SelectorLeiFormat,
            SelectorError::LeiCheckDigits => Self::SelectorLeiCheckDigits,
            SelectorError::EoriFormat => Self::SelectorEoriFormat,
            SelectorError::BrandFormat => Self::SelectorBrandFormat,
            SelectorError::TariffFormat => Self::SelectorTariffFormat,
            SelectorError::TariffEdition => Self::SelectorTariffEdition,
            SelectorError::PatternFormat => Self::SelectorPatternFormat,
            SelectorError::PatternBroad => Self::SelectorPatternBroad,
            SelectorError::BatchFormat => Self::SelectorBatchFormat,
            SelectorError::ImporterFormat => Self::SelectorImporterFormat,
            SelectorError::ImporterCheckDigit => Self::SelectorImporterCheckDigit,
            SelectorError::ImporterPerson => Self::SelectorImporterPerson,
            SelectorError::DunsFormat => Self::SelectorDunsFormat,
            SelectorError::ContainerFormat => Self::SelectorContainerFormat,
            SelectorError::ContainerCheckDigit => Self::SelectorContainerCheckDigit,
            SelectorError::TransportFormat => Self::SelectorTransportFormat,
            SelectorError::TransportCheckDigit => Self::SelectorTransportCheckDigit,
            SelectorError::VesselFormat => Self::SelectorVesselFormat,
            SelectorError::VesselCheckDigit => Self::SelectorVesselCheckDigit,
            SelectorError::ListingFormat => Self::SelectorListingFormat,
            SelectorError::OriginFormat => Self::SelectorOriginFormat,
            SelectorError::DescriptionFormat => Self::SelectorDescriptionFormat,
            SelectorError::ImageFormat => Self::SelectorImageFormat,
        }
    }
}
