//! What a line and an order have in common, fact by fact, before any rule is applied to it.

use std::collections::BTreeSet;

use tocsin_core::product::{
    Article, Canonical, Selector, SelectorKind, Strength, Subject as Names, TariffCode,
};
use tocsin_core::terms::Downstream;

use crate::answer::{Fact, Part, Side};
use crate::declared::{Declared, DeclaredFact};
use crate::line::{Field, MAX_DESCRIPTION_BYTES};
use crate::rules::Agreement;
use crate::text::{self, Text, Weights};

/// How far an article agrees, with everything that it was found from.
#[derive(Debug)]
pub(crate) struct GoodsEvidence {
    pub(crate) agreement: Agreement,
    pub(crate) is_contradicted: bool,
    /// It would agree for certain, were it not for a container's or document's age.
    pub(crate) is_stale: bool,
    /// What agrees is only built into the goods, and the order lists the goods it bars.
    pub(crate) is_component: bool,
    pub(crate) score: u16,
    pub(crate) parts: Vec<Part>,
}

/// What of an order and a check decides how facts of an article count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) downstream: Option<Downstream>,
    /// Since when the order says what it says.
    pub(crate) said_ms: i64,
    /// When the goods were presented.
    pub(crate) at_ms: i64,
}

/// What an article and a line have in common.
pub(crate) fn goods(article: &Article, declared: &Declared<'_>, setting: Setting) -> GoodsEvidence {
    let mut parts = Vec::new();
    let mut is_stale = false;
    for selector in &article.selectors {
        parts.extend(described(selector, declared));
        for part in meeting(selector, declared, setting.downstream) {
            let is_over = |lifetime| setting.at_ms >= setting.said_ms.saturating_add(lifetime);
            let is_old = selector.kind().lifetime_ms().is_some_and(is_over);
            is_stale |= is_old;
            let strength = if is_old {
                part.strength.min(Strength::Medium)
            } else {
                part.strength
            };
            parts.push(Part { strength, ..part });
        }
    }
    let contradicted = contradicted(article, declared, &parts);
    let is_strong = |part: &&Part| part.side == Side::Goods && part.strength == Strength::Strong;
    // What is built in has other numbers than the goods around it.
    let is_within = parts
        .iter()
        .filter(is_strong)
        .any(|p| p.field == Field::Component);
    let is_contradicted = !contradicted.is_empty() && !is_within;
    let is_component = is_within
        && setting.downstream != Some(Downstream::Any)
        && parts
            .iter()
            .filter(is_strong)
            .all(|p| p.field == Field::Component);
    let agreement = if parts.iter().any(|p| is_strong(&p)) && !is_contradicted && !is_component {
        Agreement::Agrees
    } else if parts.iter().any(suggests) {
        Agreement::Suggested
    } else if is_contradicted || is_other_tariff(article, declared) {
        Agreement::Differs
    } else {
        Agreement::Unsaid
    };
    // Words add to what was found by something else; they find nothing and decide nothing.
    if !parts.is_empty() {
        parts.extend(worded(article, declared));
    }
    let score = score(&parts);
    parts.extend(contradicted);
    GoodsEvidence {
        agreement,
        is_contradicted,
        is_stale,
        is_component,
        score,
        parts,
    }
}

/// A picture suggests, though it is weak; other weak facts only add to what suggests.
fn suggests(part: &Part) -> bool {
    part.strength != Strength::Weak || part.fact == Fact::Selector(SelectorKind::Image)
}

/// Everything of a line that a selector of an article meets.
pub(crate) fn meeting<'a>(
    selector: &'a Selector,
    declared: &'a Declared<'_>,
    downstream: Option<Downstream>,
) -> impl Iterator<Item = Part> + 'a {
    let canonical = selector.canonical().ok();
    canonical.into_iter().flat_map(move |canonical| {
        let facts = declared.facts.iter();
        facts.filter_map(move |fact| {
            let is_counted = fact.field != Field::Component || downstream.is_some();
            if !is_counted || !meets(fact, &canonical, declared.line.tariff_edition != 0) {
                return None;
            }
            // A number in free text may be of anything: a part, an accessory, a rival's product.
            let strength = if fact.field == Field::Description {
                canonical.strength().min(Strength::Medium)
            } else {
                canonical.strength()
            };
            Some(part(side(selector.kind()), fact, selector, strength))
        })
    })
}

/// All words of a selector stand in the description.
fn described(selector: &Selector, declared: &Declared<'_>) -> Option<Part> {
    let Selector::Description(_) = selector else {
        return None;
    };
    let canonical = selector.canonical().ok()?;
    let Selector::Description(ours) = canonical.selector() else {
        return None;
    };
    let text = declared.line.description;
    let text = text.get(..text.floor_char_boundary(MAX_DESCRIPTION_BYTES))?;
    let folded = tocsin_core::text::folded(text)?;
    let words: BTreeSet<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
    let is_met = ours.terms.iter().all(|term| words.contains(term.as_str()));
    is_met.then(|| Part {
        side: Side::Goods,
        field: Field::Description,
        fact: Fact::Selector(SelectorKind::Description),
        raw: text.to_owned(),
        canonical: ours.terms.join(" "),
        of_order: selector.to_string(),
        strength: Strength::Weak,
        score: 1_000,
    })
}

/// The goods sound like the article.
fn worded(article: &Article, declared: &Declared<'_>) -> Option<Part> {
    let text = declared.line.description;
    let text = text.get(..text.floor_char_boundary(MAX_DESCRIPTION_BYTES))?;
    let (ours, filed) = (Text::new(&article.description), Text::new(text));
    let score = text::score(&ours, &filed, &Weights::default()).value;
    (score >= text::REVIEW).then(|| Part {
        side: Side::Goods,
        field: Field::Description,
        fact: Fact::Text,
        raw: text.to_owned(),
        canonical: tocsin_core::text::folded(text).unwrap_or_default(),
        of_order: article.description.clone(),
        strength: Strength::Weak,
        score: crate::list::thousandths(score),
    })
}

/// Whether a declared value and a selector are the same fact.
pub(crate) fn meets(fact: &DeclaredFact<'_>, of_order: &Canonical, has_edition: bool) -> bool {
    let is_model = matches!(fact.field, Field::Model | Field::Component);
    match (of_order.selector(), &fact.canonical) {
        (Selector::Serial(_), Selector::Model(serial)) => {
            fact.field == Field::Serial && of_order.contains_serial(serial)
        }
        (Selector::ModelPattern(_), Selector::Model(model)) => {
            is_model && of_order.matches_model(model)
        }
        (Selector::Model(ours), Selector::Model(filed)) => {
            (is_model || fact.field == Field::Description) && ours == filed
        }
        (Selector::Hs(ours), Selector::Hs(filed)) => {
            (!has_edition || ours.edition == filed.edition) && filed.code.starts_with(&ours.code)
        }
        (Selector::Tariff(ours), Selector::Tariff(filed)) => is_tariff(ours, filed, has_edition),
        (Selector::Image(ours), Selector::Image(filed)) => {
            let distance = ours.distance(filed);
            distance.is_some_and(|distance| distance <= MAX_IMAGE_DISTANCE)
        }
        (exact, filed) => exact == filed,
    }
}

/// A longer code stands under a shorter one of the same tariff.
fn is_tariff(ours: &TariffCode, filed: &TariffCode, has_edition: bool) -> bool {
    let is_edition =
        !has_edition || ours.hs().map(|hs| hs.edition) == filed.hs().map(|hs| hs.edition);
    is_edition && ours.jurisdiction == filed.jurisdiction && filed.code.starts_with(&ours.code)
}

/// Kinds of selector that say otherwise when the article has some and meets none.
const CONTRADICTING: [(&[SelectorKind], Field); 4] = [
    (&[SelectorKind::Gtin], Field::Gtin),
    (
        &[SelectorKind::Model, SelectorKind::ModelPattern],
        Field::Model,
    ),
    (&[SelectorKind::Serial], Field::Serial),
    (&[SelectorKind::Brand], Field::Brand),
];

/// Where the line says something that the article could agree with and does not.
fn contradicted(article: &Article, declared: &Declared<'_>, parts: &[Part]) -> Vec<Part> {
    let of_kinds = |(kinds, field): (&[SelectorKind], Field)| {
        let is_met = parts.iter().any(|part| {
            part.field == field
                && matches!(part.fact, Fact::Selector(kind) if kinds.contains(&kind))
        });
        if is_met {
            return None;
        }
        let fact = declared.of(field).next()?;
        let mut selectors = article.selectors.iter();
        let selector = selectors.find(|selector| kinds.contains(&selector.kind()))?;
        Some(Part {
            score: 0,
            ..part(Side::Goods, fact, selector, Strength::Medium)
        })
    };
    CONTRADICTING.into_iter().filter_map(of_kinds).collect()
}

/// The line has tariff codes, the article has some, and all of them stand apart. A shorter code
/// leaves open what a longer one says, and editions cannot be compared.
fn is_other_tariff(article: &Article, declared: &Declared<'_>) -> bool {
    let selectors = article.selectors.iter();
    let codes = selectors.filter_map(|selector| selector.canonical().ok());
    let codes = codes.filter_map(|canonical| {
        if let Selector::Hs(hs) = canonical.selector() {
            return Some((hs.code.clone(), hs.edition, 6));
        }
        let Selector::Tariff(code) = canonical.selector() else {
            return None;
        };
        let is_same = code
            .jurisdiction
            .eq_ignore_ascii_case(declared.line.tariff_country);
        let edition = code.hs().map_or(0, |hs| hs.edition);
        Some((code.code.clone(), edition, if is_same { 10 } else { 6 }))
    });
    let codes: Vec<(String, u32, usize)> = codes.collect();
    let filed: Vec<String> = declared
        .of(Field::Tariff)
        .map(|fact| fact.raw.chars().filter(char::is_ascii_digit).collect())
        .collect();
    let edition = declared.line.tariff_edition;
    let is_apart = |filed: &String, (code, of_edition, width): &(String, u32, usize)| {
        let cut = |digits: &str| digits.chars().take(*width).collect::<String>();
        let (filed, code) = (cut(filed), cut(code));
        (edition == 0 || edition == *of_edition)
            && !filed.starts_with(&code)
            && !code.starts_with(&filed)
    };
    let mut filed_codes = filed.iter();
    !filed.is_empty()
        && !codes.is_empty()
        && filed_codes.all(|filed| codes.iter().all(|code| is_apart(filed, code)))
}

const fn side(kind: SelectorKind) -> Side {
    match kind.subject() {
        Names::Goods | Names::Consignment | Names::Hint => Side::Goods,
        // They name who made or moves the goods, whatever the goods.
        Names::Party => Side::Context,
    }
}

pub(crate) fn part(
    side: Side,
    fact: &DeclaredFact<'_>,
    selector: &Selector,
    strength: Strength,
) -> Part {
    Part {
        side,
        field: fact.field,
        fact: Fact::Selector(selector.kind()),
        raw: fact.raw.to_owned(),
        canonical: fact.canonical.to_string(),
        of_order: selector.to_string(),
        strength,
        score: 1_000,
    }
}

/// The strongest part, and a part of what is left for each further kind: ranks, decides nothing.
pub(crate) fn score(parts: &[Part]) -> u16 {
    let worth = |part: &Part| {
        let whole: u32 = match part.strength {
            Strength::Strong => 900,
            Strength::Medium => 600,
            Strength::Weak => 250,
        };
        whole * u32::from(part.score) / 1_000
    };
    let mut kinds: Vec<(Fact, u32)> = Vec::new();
    for part in parts {
        match kinds.iter_mut().find(|(fact, _)| *fact == part.fact) {
            Some((_, best)) => *best = worth(part).max(*best),
            None => kinds.push((part.fact, worth(part))),
        }
    }
    let mut worths: Vec<u32> = kinds.into_iter().map(|(_, worth)| worth).collect();
    worths.sort_unstable_by(|a, b| b.cmp(a));
    let total = worths
        .into_iter()
        .fold(0, |sum, worth| sum + (1_000 - sum) * worth / 1_000);
    u16::try_from(total).unwrap_or(1_000)
}

/// Of 64 bits, in how many two pictures of one thing may differ.
pub(crate) const MAX_IMAGE_DISTANCE: u32 = 7;
