//! What a line and an order have in common, fact by fact, before any rule is applied to it.

use tocsin_core::product::{Article, Canonical, HsCode, Selector, SelectorKind, Strength, Subject};

use crate::answer::{Fact, Part, Side};
use crate::line::Scheme;
use crate::line::{Field, Fields, Identifier, Line, MAX_LINE_VALUES, MAX_VALUE_BYTES, Party};
use crate::rules::Agreement;

/// A line with its values in canonical form.
#[derive(Debug)]
pub(crate) struct Declared<'a> {
    pub(crate) line: &'a Line<'a>,
    pub(crate) facts: Vec<DeclaredFact<'a>>,
    pub(crate) missing: Fields,
    pub(crate) unreadable: Fields,
}

/// One value of a line.
#[derive(Debug)]
pub(crate) struct DeclaredFact<'a> {
    pub(crate) field: Field,
    pub(crate) raw: &'a str,
    pub(crate) canonical: Selector,
}

impl<'a> Declared<'a> {
    pub(crate) fn read(line: &'a Line<'a>) -> Self {
        let mut declared = Self {
            line,
            facts: Vec::new(),
            missing: line.missing(),
            unreadable: Fields::NONE,
        };
        let model = |raw: &str| Selector::Model(raw.to_owned());
        let brand = |raw: &str| Selector::Brand(raw.to_owned());
        declared.read_all(Field::Gtin, line.gtins, item_number);
        declared.read_all(Field::Model, line.models, model);
        declared.read_all(Field::Serial, line.serials, model);
        declared.read_all(Field::Brand, line.brands, brand);
        declared.read_all(Field::Component, line.components, model);
        let edition = line.tariff_edition;
        declared.read_all(Field::Tariff, line.tariffs, |raw| tariff(raw, edition));
        for party in line.parties.iter().take(MAX_LINE_VALUES) {
            declared.read_party(party);
        }
        if line.parties.len() > MAX_LINE_VALUES {
            // Whoever is beyond the bound may have any role.
            for party in line.parties.iter().skip(MAX_LINE_VALUES) {
                declared.unreadable.insert(party.role.field());
            }
        }
        declared
    }

    fn read_all(&mut self, field: Field, values: &[&'a str], of: impl Fn(&str) -> Selector) {
        for raw in values.iter().copied().take(MAX_LINE_VALUES) {
            self.read_one(field, raw, &of);
        }
        if values.len() > MAX_LINE_VALUES {
            self.unreadable.insert(field);
        }
    }

    fn read_one(&mut self, field: Field, raw: &'a str, of: impl Fn(&str) -> Selector) -> bool {
        if raw.is_empty() {
            return true;
        }
        let canonical = (raw.len() <= MAX_VALUE_BYTES)
            .then(|| of(raw.trim()).canonical().ok())
            .flatten();
        let Some(canonical) = canonical else {
            self.unreadable.insert(field);
            return false;
        };
        self.facts.push(DeclaredFact {
            field,
            raw,
            canonical: canonical.selector().clone(),
        });
        true
    }

    fn read_party(&mut self, party: &Party<'a>) {
        let field = party.role.field();
        for Identifier { scheme, value } in party.identifiers.iter().take(MAX_LINE_VALUES) {
            let (lei, eori, mid) = (
                |raw: &str| Selector::Lei(raw.to_owned()),
                |raw: &str| Selector::Eori(raw.to_owned()),
                |raw: &str| Selector::Mid(raw.to_owned()),
            );
            match scheme {
                Scheme::Any => {
                    let before = self.unreadable;
                    let fits = [
                        self.read_one(field, value, lei),
                        self.read_one(field, value, eori),
                        self.read_one(field, value, mid),
                    ];
                    if fits.contains(&true) {
                        self.unreadable = before;
                    }
                }
                Scheme::Lei => {
                    self.read_one(field, value, lei);
                }
                Scheme::Eori => {
                    self.read_one(field, value, eori);
                }
                Scheme::Mid => {
                    self.read_one(field, value, mid);
                }
                Scheme::Duns | Scheme::Importer(_) => {}
            }
        }
    }

    fn of(&self, field: Field) -> impl Iterator<Item = &DeclaredFact<'a>> {
        self.facts.iter().filter(move |fact| fact.field == field)
    }

    /// Whether something is declared and readable that could agree with an article for certain.
    pub(crate) fn can_decide(&self) -> bool {
        self.facts.iter().any(|fact| {
            if let Selector::Model(text) = &fact.canonical {
                let is_long = text.len() >= 5 && text.bytes().any(|b| b.is_ascii_digit());
                return fact.field != Field::Component && (fact.field == Field::Serial || is_long);
            }
            let kind = fact.canonical.kind();
            kind == SelectorKind::Gtin || kind.subject() == Subject::Consignment
        })
    }
}

fn item_number(raw: &str) -> Selector {
    Selector::Gtin(
        raw.chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect(),
    )
}

/// Only the six digits that all countries share; what a shorter code leaves open stays open.
fn tariff(raw: &str, edition: u32) -> Selector {
    let digits: String = raw.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
    let edition = if edition == 0 { 2022 } else { edition };
    let code = if digits.len() <= 10 {
        digits.get(..6).unwrap_or(&digits)
    } else {
        ""
    };
    Selector::Hs(HsCode {
        code: code.to_owned(),
        edition,
    })
}

/// How far an article agrees, with everything that it was found from.
#[derive(Debug)]
pub(crate) struct GoodsEvidence {
    pub(crate) agreement: Agreement,
    pub(crate) is_contradicted: bool,
    pub(crate) parts: Vec<Part>,
}

/// Kinds of selector that say otherwise when the article has some and meets none.
const CONTRADICTING: [(SelectorKind, Field); 3] = [
    (SelectorKind::Gtin, Field::Gtin),
    (SelectorKind::Model, Field::Model),
    (SelectorKind::Brand, Field::Brand),
];

pub(crate) fn goods(article: &Article, declared: &Declared<'_>) -> GoodsEvidence {
    let mut parts = Vec::new();
    for selector in &article.selectors {
        let Ok(canonical) = selector.canonical() else {
            continue;
        };
        let meeting = declared.facts.iter();
        let meeting = meeting.filter(|fact| meets(fact, &canonical, declared.line));
        parts.extend(meeting.map(|fact| goods_part(fact, selector, canonical.strength())));
    }
    let contradicted = contradicted(article, declared, &parts);
    let is_contradicted = !contradicted.is_empty();
    let is_tariff = |part: &&Part| part.field == Field::Tariff;
    let is_other_tariff = declared.of(Field::Tariff).next().is_some()
        && article
            .selectors
            .iter()
            .any(|s| s.kind() == SelectorKind::Hs)
        && !parts.iter().any(|part| is_tariff(&part));
    let is_strong = |part: &Part| part.side == Side::Goods && part.strength == Strength::Strong;
    let agreement = if parts.iter().any(is_strong) && !is_contradicted {
        Agreement::Agrees
    } else if parts.iter().any(|part| part.strength != Strength::Weak) {
        Agreement::Suggested
    } else if is_contradicted || is_other_tariff {
        Agreement::Differs
    } else {
        Agreement::Unsaid
    };
    parts.extend(contradicted);
    GoodsEvidence {
        agreement,
        is_contradicted,
        parts,
    }
}

/// Where the line says something that the article could agree with and does not.
fn contradicted(article: &Article, declared: &Declared<'_>, parts: &[Part]) -> Vec<Part> {
    let of_kind = |(kind, field): (SelectorKind, Field)| {
        if parts.iter().any(|part| part.fact == Fact::Selector(kind)) {
            return None;
        }
        let selector = article.selectors.iter().find(|s| s.kind() == kind)?;
        let fact = declared.of(field).next()?;
        Some(Part {
            score: 0,
            ..goods_part(fact, selector, Strength::Medium)
        })
    };
    CONTRADICTING.into_iter().filter_map(of_kind).collect()
}

/// Whether a declared value and a selector are the same fact.
fn meets(fact: &DeclaredFact<'_>, selector: &Canonical, line: &Line<'_>) -> bool {
    match (selector.selector(), &fact.canonical) {
        (Selector::Serial(_), _) => {
            fact.field == Field::Serial && selector.contains_serial(fact.raw)
        }
        (Selector::Hs(hs), Selector::Hs(filed)) => {
            let edition = line.tariff_edition;
            (edition == 0 || edition == hs.edition) && filed.code.starts_with(&hs.code)
        }
        (exact, filed) => exact == filed && !matches!(fact.field, Field::Component | Field::Serial),
    }
}

fn goods_part(fact: &DeclaredFact<'_>, selector: &Selector, strength: Strength) -> Part {
    let kind = selector.kind();
    let side = match kind.subject() {
        Subject::Goods | Subject::Consignment | Subject::Hint => Side::Goods,
        // They name who made or moves the goods, whatever the goods.
        Subject::Party => Side::Context,
    };
    part(side, fact, Fact::Selector(kind), selector, strength)
}

fn part(
    side: Side,
    fact: &DeclaredFact<'_>,
    of: Fact,
    selector: &Selector,
    strength: Strength,
) -> Part {
    Part {
        side,
        field: fact.field,
        fact: of,
        raw: fact.raw.to_owned(),
        canonical: fact.canonical.to_string(),
        of_order: selector.to_string(),
        strength,
        score: 1_000,
    }
}

/// How far the best of some parties agrees.
#[derive(Debug)]
pub(crate) struct PartyEvidence {
    pub(crate) agreement: Agreement,
    pub(crate) parts: Vec<Part>,
}

pub(crate) fn party(
    of_order: &tocsin_core::party::Party,
    declared: &Declared<'_>,
) -> PartyEvidence {
    let mut parts = Vec::new();
    for selector in &of_order.identifiers {
        let Ok(canonical) = selector.canonical() else {
            continue;
        };
        let meeting = declared
            .facts
            .iter()
            .filter(|fact| fact.canonical == *canonical.selector() && is_bound(fact.field));
        let kind = Fact::Selector(selector.kind());
        parts.extend(
            meeting.map(|fact| part(Side::Party, fact, kind, selector, canonical.strength())),
        );
    }
    let agreement = match parts.iter().map(|part| part.strength).max() {
        Some(Strength::Strong) => Agreement::Agrees,
        Some(Strength::Medium | Strength::Weak) => Agreement::Suggested,
        None => Agreement::Unsaid,
    };
    PartyEvidence { agreement, parts }
}

fn is_bound(field: Field) -> bool {
    crate::line::Role::ALL
        .into_iter()
        .any(|role| role.field() == field && role.is_bound())
}
