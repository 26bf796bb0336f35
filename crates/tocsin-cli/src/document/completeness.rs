//! How complete a statement is for its readers: 0 to 100, with what is missing, why it matters and
//! what a reader abroad cannot do without it.
//!
//! Completeness is advice, worked out again by whoever reads: it is not signed, and nothing is
//! refused for it.
//! The points of each kind add up to 100; what does not apply counts as there.

use tocsin_core::decision::{Decision, DecisionKind};
use tocsin_core::order::{Order, Phase, ScopeKind};
use tocsin_core::party::Party;
use tocsin_core::policy::{Pack, PolicyPack};
use tocsin_core::product::{Article, SelectorKind, Strength, Subject};
use tocsin_core::report::ReportBody;
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::{Act, DecodedBody, Statement};

/// One thing that readers will miss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The field, as in the document.
    pub field: &'static str,
    /// What is missing.
    pub text: String,
    /// Why it matters.
    pub why: &'static str,
    /// What a reader abroad cannot do without it.
    pub abroad: &'static str,
    /// Points lost, at least 1.
    pub points: u32,
}

/// How complete a statement is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completeness {
    /// 0 to 100: what is left after the gaps' points.
    pub score: u32,
    /// The dearest first.
    pub gaps: Vec<Gap>,
}

impl Completeness {
    /// How complete it is and what is missing, in one sentence; none when nothing is.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        if self.gaps.is_empty() {
            return None;
        }
        let score = self.score;
        Some(format!(
            "Completeness {score} of 100. Readers will miss: {}.",
            self.missing().join("; ")
        ))
    }

    /// What readers miss, the dearest first: field, and what of it.
    #[must_use]
    pub fn missing(&self) -> Vec<String> {
        let gaps = self.gaps.iter();
        gaps.map(|gap| format!("{}: {}", gap.field, gap.text))
            .collect()
    }
}

/// How complete a statement is that was made; none where there is nothing to judge: an order act
/// without a text of its own, or a statement whose body was not sent.
#[must_use]
pub fn of_statement(statement: &Statement, bodies: &[DecodedBody]) -> Option<Completeness> {
    completeness(
        &statement.act,
        bodies,
        statement.refs.len(),
        statement.created_ms,
    )
}

/// How complete it is, when said at `created_ms` and citing `refs` statements.
#[must_use]
pub fn completeness(
    act: &Act,
    bodies: &[DecodedBody],
    refs: usize,
    created_ms: i64,
) -> Option<Completeness> {
    let mut asked = Asked(Vec::new());
    match act {
        Act::Report(_) => {
            let report = bodies.iter().find_map(|body| match body {
                DecodedBody::Report(report) => Some(report.as_ref()),
                DecodedBody::Indicator(_) | DecodedBody::Order(_) | DecodedBody::PolicyPack(_) => {
                    None
                }
            });
            asked.report(report?);
        }
        Act::Indicator(indicator) => {
            let body = bodies.iter().find_map(|body| match body {
                DecodedBody::Indicator(body) => Some(body.as_ref()),
                DecodedBody::Report(_) | DecodedBody::Order(_) | DecodedBody::PolicyPack(_) => None,
            })?;
            let age = indicator.valid_until_ms.saturating_sub(created_ms);
            asked.indicator(&body.articles, &body.parties, refs, age);
        }
        Act::Order(order) => asked.order(order, &further(bodies), refs),
        Act::OrderAct(act) => asked.order(act.replacement.as_ref()?, &further(bodies), refs.max(1)),
        Act::Decision(decision) => asked.decision(decision, created_ms),
        Act::PolicyPack(pack) => asked.policy(&Pack::parse(text_of(pack, bodies)).ok()?),
    }
    let mut gaps = asked.0;
    gaps.sort_by_key(|gap| std::cmp::Reverse(gap.points));
    let lost: u32 = gaps.iter().map(|gap| gap.points).sum();
    Some(Completeness {
        score: 100_u32.saturating_sub(lost),
        gaps,
    })
}

/// What is asked for: a field and its points, and in words what is missing, why it matters and what
/// a reader abroad cannot do.
struct Ask(&'static str, u32, &'static str, &'static str, &'static str);

struct Asked(Vec<Gap>);

impl Asked {
    /// Notes a gap where `lacking` of `of` things lack what is asked for.
    fn share(&mut self, ask: &Ask, lacking: usize, of: usize) {
        let Ask(field, weight, text, why, abroad) = *ask;
        if lacking == 0 || of == 0 {
            return;
        }
        let text = if lacking < of {
            format!("{text} ({lacking} of {of})")
        } else {
            text.to_owned()
        };
        let (lacking, of) = (to_u32(lacking), to_u32(of));
        self.0.push(Gap {
            field,
            text,
            why,
            abroad,
            points: weight.saturating_mul(lacking).div_ceil(of).min(weight),
        });
    }

    fn unless(&mut self, is_there: bool, ask: &Ask) {
        self.share(ask, usize::from(!is_there), 1);
    }

    fn of_each<T>(&mut self, ask: &Ask, things: &[T], is_there: impl Fn(&T) -> bool) {
        let lacking = things.iter().filter(|thing| !is_there(thing)).count();
        self.share(ask, lacking, things.len());
    }

    fn report(&mut self, report: &ReportBody) {
        self.unless(!report.articles.is_empty(), &REPORT_ARTICLES);
        if report.articles.is_empty() {
            self.share(&DECIDES, 1, 1);
        }
        self.of_each(&DECIDES, &report.articles, decides);
        self.of_each(&HS, &report.articles, |article| {
            has(article, SelectorKind::Hs)
        });
        self.of_each(&BRAND, &report.articles, |article| {
            has(article, SelectorKind::Brand)
        });
        self.unless(!report.parties.is_empty(), &REPORT_PARTIES);
        self.of_each(&IDENTIFIED, &report.parties, |party| {
            !party.identifiers.is_empty()
        });
        self.of_each(&COUNTRY, &report.parties, |party| !party.country.is_empty());
        self.unless(!report.exhibits.is_empty(), &EXHIBITS);
        let is_picture = |media: &str| media.starts_with("image/") || media.starts_with("video/");
        let pictured = report
            .exhibits
            .iter()
            .any(|exhibit| is_picture(&exhibit.media_type));
        self.unless(pictured, &PICTURE);
        self.unless(!report.requested_action.is_empty(), &REQUESTED_ACTION);
        let told = report.narrative.chars().count() >= TOLD_CHARS;
        self.unless(told, &NARRATIVE);
    }

    fn indicator(&mut self, articles: &[Article], parties: &[Party], refs: usize, age_ms: i64) {
        let goods = articles.iter().filter(|article| !decides(article)).count();
        let named = parties
            .iter()
            .filter(|party| party.identifiers.is_empty())
            .count();
        self.share(&FACT_DECIDES, goods + named, articles.len() + parties.len());
        self.of_each(&FACT_HS, articles, |article| has(article, SelectorKind::Hs));
        self.of_each(&FACT_BRAND, articles, |article| {
            has(article, SelectorKind::Brand)
        });
        self.unless(!parties.is_empty(), &FACT_PARTIES);
        self.of_each(&FACT_COUNTRY, parties, |party| !party.country.is_empty());
        self.unless(refs > 0, &FACT_REFS);
        self.unless(age_ms <= LONGEST_INDICATOR_MS, &FACT_AGE);
    }

    fn order(&mut self, order: &Order, further: &[Article], refs: usize) {
        let all: Vec<&Article> = order.articles.iter().chain(further).collect();
        self.of_each(&BARS, &all, |article| decides(article));
        self.of_each(&BARS_HS, &all, |article| {
            has(article, SelectorKind::Hs) || has(article, SelectorKind::Tariff)
        });
        if order.scope == ScopeKind::Limited {
            let parties = &order.respondents;
            self.of_each(&BOUND, parties, |party| !party.identifiers.is_empty());
            self.of_each(&BOUND_COUNTRY, parties, |party| !party.country.is_empty());
        }
        self.of_each(&RIGHT_NUMBER, &order.rights, |right| {
            !right.number.is_empty()
        });
        let patents: Vec<&Right> = order
            .rights
            .iter()
            .filter(|right| has_claims(right))
            .collect();
        self.of_each(&CLAIMS, &patents, |right| !right.claims.is_empty());
        self.unless(!order.summary.is_empty(), &SUMMARY);
        self.unless(refs > 0, &RESTS_ON);
        let tells = [
            SelectorKind::Model,
            SelectorKind::ModelPattern,
            SelectorKind::Serial,
        ];
        let told_apart = all
            .iter()
            .any(|article| tells.iter().any(|kind| has(article, *kind)));
        let is_listed = !order.terms.authorised.is_empty();
        self.unless(!order.counterfeit || told_apart || is_listed, &TOLD_APART);
        let is_bonded = order.terms.bond.is_some() || order.phase != Phase::Review;
        self.unless(is_bonded, &BONDED);
        let is_tried = order.scope == ScopeKind::Limited || order.terms.breadth.is_some();
        self.unless(is_tried, &TRIED);
        self.unless(order.until_ms != 0, &ORDER_END);
    }

    fn decision(&mut self, decision: &Decision, created_ms: i64) {
        self.unless(!decision.reason.is_empty(), &REASON);
        self.unless(
            !decision.basis.is_empty() || is_release(decision.kind),
            &BASIS,
        );
        self.of_each(&LOCAL_NUMBER, &decision.local_rights, |right| {
            !right.number.is_empty()
        });
        let length = decision.until_ms.saturating_sub(created_ms);
        self.unless(length <= LONGEST_HOLD_MS, &HOLD_LENGTH);
    }

    fn policy(&mut self, pack: &Pack) {
        self.unless(!pack.rules.is_empty(), &RULES);
        self.of_each(&RULE_BASIS, &pack.rules, |rule| !rule.basis.is_empty());
        self.unless(pack.limits.orders_per_issuer_per_day.is_some(), &FLOOD);
        self.unless(pack.limits.mirror_age_hours.is_some(), &MIRROR_AGE);
        self.unless(!pack.calendar.is_empty(), &CALENDAR);
    }
}

fn further(bodies: &[DecodedBody]) -> Vec<Article> {
    let articles = bodies.iter().filter_map(|body| match body {
        DecodedBody::Order(order) => Some(order.articles.clone()),
        DecodedBody::Report(_) | DecodedBody::Indicator(_) | DecodedBody::PolicyPack(_) => None,
    });
    articles.flatten().collect()
}

/// A pack's text, wherever it stands.
pub(crate) fn text_of<'a>(pack: &'a PolicyPack, bodies: &'a [DecodedBody]) -> &'a str {
    let long = bodies.iter().find_map(|body| match body {
        DecodedBody::PolicyPack(body) => Some(body.toml.as_str()),
        DecodedBody::Report(_) | DecodedBody::Indicator(_) | DecodedBody::Order(_) => None,
    });
    long.unwrap_or(&pack.toml)
}

/// Whether something about the goods decides by itself: an item, serial or long model number. A
/// party's code names no goods.
fn decides(article: &Article) -> bool {
    article.selectors.iter().any(|selector| {
        let is_strong = selector
            .canonical()
            .is_ok_and(|known| known.strength() == Strength::Strong);
        is_strong
            && match selector.kind().subject() {
                Subject::Goods | Subject::Consignment => true,
                Subject::Party | Subject::Hint => false,
            }
    })
}

fn has(article: &Article, kind: SelectorKind) -> bool {
    article
        .selectors
        .iter()
        .any(|selector| selector.kind() == kind)
}

const fn has_claims(right: &Right) -> bool {
    matches!(
        right.kind,
        RightKind::Patent | RightKind::UtilityModel | RightKind::SupplementaryProtection
    )
}

/// Ending what stops goods needs no law cited.
const fn is_release(kind: DecisionKind) -> bool {
    matches!(kind, DecisionKind::Pause | DecisionKind::End)
}

fn to_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A narrative that says what, how and why has about three sentences.
const TOLD_CHARS: usize = 200;
/// Two years: what is known of a firm or a number is seldom true for longer.
const LONGEST_INDICATOR_MS: i64 = 2 * 366 * 86_400_000;
/// Ten working days and one extension of ten (Regulation (EU) No 608/2013, Article 23, and its
/// like): four weeks, and a day for whoever counts from the day after.
const LONGEST_HOLD_MS: i64 = 29 * 86_400_000;

const REPORT_ARTICLES: Ask = Ask(
    "articles",
    15,
    "no goods are named",
    "a report without goods can only be read",
    "other customs cannot look for anything",
);
const DECIDES: Ask = Ask(
    "articles.selectors",
    20,
    "nothing that decides: no item number, serial range or model number of 5 or more characters",
    "identifiers decide, descriptions only suggest",
    "a screener cannot tell these goods from any others of their kind",
);
const HS: Ask = Ask(
    "articles.selectors",
    8,
    "no tariff code (hs)",
    "declarations name goods by tariff code, seldom by model",
    "a risk unit cannot find the declarations to look at",
);
const BRAND: Ask = Ask(
    "articles.selectors",
    4,
    "no brand or sign",
    "it is what a person sees first on the goods",
    "an officer at the belt has nothing to look for on the package",
);
const REPORT_PARTIES: Ask = Ask(
    "parties",
    8,
    "no firm, body or vessel is named",
    "goods change their numbers sooner than firms change their names",
    "a risk unit cannot watch the consignor's other shipments",
);
const IDENTIFIED: Ask = Ask(
    "parties.identifiers",
    8,
    "a name without lei, eori or mid",
    "names are written in many ways and scripts",
    "a party in a declaration cannot be matched; a name alone never holds goods",
);
const COUNTRY: Ask = Ask(
    "parties.country",
    4,
    "no country",
    "firms of one name exist in many countries",
    "the right register cannot be asked",
);
const EXHIBITS: Ask = Ask(
    "exhibits",
    15,
    "no evidence is named",
    "a claim is weighed by what it rests on",
    "an authority cannot ask you for the evidence, nor prove later that it is unchanged",
);
const PICTURE: Ask = Ask(
    "exhibits",
    5,
    "no photograph among the exhibits",
    "a label close up is what officers ask for most",
    "an officer cannot compare the goods at hand with those you saw",
);
const REQUESTED_ACTION: Ask = Ask(
    "requested_action",
    8,
    "nothing is asked of the readers",
    "a report that asks for nothing gets no answer",
    "the other members do not know whether to inspect, to report back or only to know",
);
const NARRATIVE: Ask = Ask(
    "narrative",
    5,
    "the narrative has under 200 characters",
    "what was found, how, and what makes you sure does not fit in a line",
    "a legal unit cannot judge whether its own law would call this an infringement",
);

const FACT_DECIDES: Ask = Ask(
    "articles, parties",
    35,
    "nothing that decides: no item, serial or model number, no lei, eori or mid",
    "an indicator is a matchable fact",
    "the fact cannot be matched to a declaration",
);
const FACT_HS: Ask = Ask("articles.selectors", 10, HS.2, HS.3, HS.4);
const FACT_BRAND: Ask = Ask("articles.selectors", 5, BRAND.2, BRAND.3, BRAND.4);
const FACT_PARTIES: Ask = Ask(
    "parties",
    10,
    REPORT_PARTIES.2,
    REPORT_PARTIES.3,
    REPORT_PARTIES.4,
);
const FACT_COUNTRY: Ask = Ask("parties.country", 5, COUNTRY.2, COUNTRY.3, COUNTRY.4);
const FACT_REFS: Ask = Ask(
    "refs",
    25,
    "no report is cited",
    "a fact without its source can be neither weighed nor disputed",
    "nobody can read where it comes from, or ask its author",
);
const FACT_AGE: Ask = Ask(
    "valid_until",
    10,
    "valid for more than two years",
    "indicators age: numbers are given away, firms are sold",
    "goods of somebody else may be looked at for years",
);

const BARS: Ask = Ask(
    "articles.selectors",
    22,
    "nothing that decides: no item number, serial range or model number of 5 or more characters",
    "an order that only describes cannot be applied by machine",
    "no screener can hold on it: every match is a person's work",
);
const BARS_HS: Ask = Ask("articles.selectors", 8, HS.2, HS.3, HS.4);
const BOUND: Ask = Ask(
    "respondents.identifiers",
    12,
    "a respondent without lei, eori or mid",
    "a limited order needs article and party to match",
    "the importer cannot be told from another of the same name, so nothing is held",
);
const BOUND_COUNTRY: Ask = Ask(
    "respondents.country",
    4,
    "a respondent without country",
    COUNTRY.3,
    COUNTRY.4,
);
const RIGHT_NUMBER: Ask = Ask(
    "rights.number",
    10,
    "a right without its number",
    "a right is known by register and number",
    "its local counterpart cannot be found, and without one no market can adopt",
);
const CLAIMS: Ask = Ask(
    "rights.claims",
    6,
    "a patent without the claims relied on",
    "the same family is not the same claims",
    "a legal unit cannot say whether its own patent covers the goods",
);
const SUMMARY: Ask = Ask(
    "summary",
    10,
    "no summary that may be published",
    "importers have a right to know what is barred",
    "the other members have nothing to tell importers",
);
const RESTS_ON: Ask = Ask(
    "refs",
    10,
    "no report is cited",
    "an order abroad is only as good as what it rests on",
    "a member deciding on it has no evidence to weigh",
);
const TOLD_APART: Ask = Ask(
    "articles.selectors",
    7,
    "counterfeits, and neither model or serial number nor a list of authorised importers tells \
     them from the genuine",
    "a fake copies the genuine item number",
    "a match on the item number is never more than a review, so that genuine goods pass",
);
const BONDED: Ask = Ask(
    "bond",
    3,
    "under review, and nothing is said of entry under bond",
    "while an order is reviewed goods may often enter under bond, which is no hold",
    "goods are held that the issuer would let in against security",
);
const TRIED: Ask = Ask(
    "breadth",
    3,
    "not tried on past declarations",
    "an order that binds everybody may touch more trade than it means to",
    "nobody can foresee how many lines it will stop, and whose",
);
const ORDER_END: Ask = Ask(
    "until",
    5,
    "no end: in force until the issuer ends it",
    "rights run out, and orders outlive them",
    "nobody knows when to stop looking",
);

const REASON: Ask = Ask(
    "reason",
    45,
    "no reason is given",
    "a decision is read by courts, importers and the issuer",
    "the issuer cannot tell what was missing, nor mend it",
);
const BASIS: Ask = Ask(
    "basis",
    30,
    "no law is cited",
    "no block is self-executing: each rests on the law of its own market",
    "nobody can say which remedy an importer has",
);
const LOCAL_NUMBER: Ask = Ask(
    "local_rights.number",
    15,
    "a local right without its number",
    "an adoption stands and falls with the local right",
    "nobody can see in the register when it ends",
);
const HOLD_LENGTH: Ask = Ask(
    "until",
    10,
    "the hold ends more than four weeks from now",
    "a hold is provisional: ten working days and one extension is what laws give",
    "an importer is kept waiting without a decision",
);

const RULES: Ask = Ask(
    "rule",
    30,
    "no rule: every order goes to review",
    "a pack without rules decides nothing",
    "an issuer cannot foresee what happens to its orders here",
);
const RULE_BASIS: Ask = Ask(
    "rule.basis",
    40,
    "a rule without the law it rests on",
    "every decision made by the rule cites it",
    "the issuer and the importer see a decision without a law",
);
const FLOOD: Ask = Ask(
    "limits.orders_per_issuer_per_day",
    15,
    "no limit on orders of one issuer",
    "a stolen key or a fault can issue thousands in an hour",
    "a flood is decided on by rule before anyone looks",
);
const MIRROR_AGE: Ask = Ask(
    "limits.mirror_age_hours",
    10,
    "no limit on the age of an issuer's log",
    "a withdrawal may stand in what has not arrived",
    "holds are advised on orders that may be withdrawn already",
);
const CALENDAR: Ask = Ask(
    "meta.calendar",
    5,
    "no calendar is named",
    "clocks in law run in working days",
    "nobody abroad can say when your time limits end",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_points_of_every_kind_add_up_to_a_hundred() {
        let report = [
            &REPORT_ARTICLES,
            &DECIDES,
            &HS,
            &BRAND,
            &REPORT_PARTIES,
            &IDENTIFIED,
            &COUNTRY,
            &EXHIBITS,
            &PICTURE,
            &REQUESTED_ACTION,
            &NARRATIVE,
        ];
        let indicator = [
            &FACT_DECIDES,
            &FACT_HS,
            &FACT_BRAND,
            &FACT_PARTIES,
            &FACT_COUNTRY,
            &FACT_REFS,
            &FACT_AGE,
        ];
        let order = [
            &BARS,
            &BARS_HS,
            &BOUND,
            &BOUND_COUNTRY,
            &RIGHT_NUMBER,
            &CLAIMS,
            &SUMMARY,
            &RESTS_ON,
            &TOLD_APART,
            &BONDED,
            &TRIED,
            &ORDER_END,
        ];
        let decision = [&REASON, &BASIS, &LOCAL_NUMBER, &HOLD_LENGTH];
        let policy = [&RULES, &RULE_BASIS, &FLOOD, &MIRROR_AGE, &CALENDAR];
        for asks in [&report[..], &indicator, &order, &decision, &policy] {
            assert_eq!(asks.iter().map(|ask| ask.1).sum::<u32>(), 100);
        }
    }

    #[test]
    fn a_share_costs_its_part_and_never_nothing() {
        let mut asked = Asked(Vec::new());
        asked.share(&BRAND, 1, 100);
        asked.share(&BRAND, 3, 4);
        asked.share(&BRAND, 4, 4);
        asked.share(&BRAND, 0, 4);
        asked.share(&BRAND, 0, 0);
        let points: Vec<u32> = asked.0.iter().map(|gap| gap.points).collect();
        assert_eq!(points, [1, 3, 4]);
        assert!(asked.0[1].text.ends_with("(3 of 4)"));
    }
}
