//! What is wrong with a document, and what its readers will miss.
//!
//! Errors come from the same rules that the door asks: the statement is made as it would be signed,
//! read back from its bytes, and judged. What the door alone can know (who signs, which numbers are
//! taken, which orders are held) is not judged here. Gaps come from [`completeness`].

use tocsin_core::handling::Tlp;
use tocsin_core::order::{Order, ScopeKind};
use tocsin_core::party::Party;
use tocsin_core::policy::Pack;
use tocsin_core::product::{Article, Selector};
use tocsin_core::reason::{Reason, Refusal};
use tocsin_core::statement::{Act, DecodedBody, StatementRef};
use tocsin_core::terms::{BROAD_SHARE, Direction, Terms};
use tocsin_log::checkpoint::MAX_LABEL_BYTES;
use tocsin_log::hash::Hash;

use super::Document;
use super::completeness::{completeness, text_of};
use crate::draft::{Draft, Setting};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The door would refuse it.
    Error,
    /// Acceptable, but readers will miss it.
    Gap,
    /// Neither: to be sure that it is meant.
    Note,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Gap => "gap",
            Self::Note => "note",
        }
    }
}

/// One thing to make better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// The field, as in the document.
    pub field: String,
    /// What is amiss or missing.
    pub text: String,
    /// The reason code the door would give; empty for gaps and notes.
    pub code: &'static str,
    /// Why it matters; empty for notes.
    pub why: &'static str,
    /// What a reader abroad cannot do without it; empty but for gaps.
    pub abroad: &'static str,
    /// Points lost; 0 but for gaps.
    pub points: u32,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// Completeness, 0 to 100; none when it cannot be told.
    pub score: Option<u32>,
    /// Errors first, then gaps, the dearest first, then notes.
    pub findings: Vec<Finding>,
}

impl Lint {
    /// What was found where a document could not even be read: each problem in words.
    #[must_use]
    pub fn unreadable(problems: &[String]) -> Self {
        let mut findings = Findings(Vec::new());
        for problem in problems {
            let (field, text) = match problem.split_once(": ") {
                Some((line, rest)) if line.starts_with("line ") => (line, rest),
                Some(_) | None => ("", problem.as_str()),
            };
            findings.0.push(Finding {
                level: Level::Error,
                field: field.to_owned(),
                text: text.to_owned(),
                code: "DOCUMENT_INVALID",
                why: "",
                abroad: "",
                points: 0,
            });
        }
        Self {
            score: None,
            findings: findings.0,
        }
    }

    /// The level of the worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).min()
    }
}

/// Whose document it is, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// `<alliance>/<member>`; not known without a context.
    pub log: Option<String>,
    /// The member's jurisdiction; not known without a context.
    pub jurisdiction: Option<String>,
    /// Now, Unix milliseconds.
    pub now_ms: i64,
}

/// Says what the door would refuse, and what readers will miss.
#[must_use]
pub fn lint(document: &Document, place: &Place) -> Lint {
    let mut findings = Findings(Vec::new());
    findings.obvious(document);
    if let Err(refusal) = judge(document, place) {
        findings.refusal(document, &refusal);
    }
    let complete = completeness(
        &document.act,
        &document.contents(),
        document.refs.len(),
        place.now_ms,
    );
    let score = complete.as_ref().map(|complete| complete.score);
    for gap in complete.map(|complete| complete.gaps).unwrap_or_default() {
        findings.0.push(Finding {
            level: Level::Gap,
            field: gap.field.to_owned(),
            text: gap.text,
            code: "",
            why: gap.why,
            abroad: gap.abroad,
            points: gap.points,
        });
    }
    findings.notes(document);
    findings.0.sort_by_key(|finding| finding.level);
    Lint {
        score,
        findings: findings.0,
    }
}

/// Makes the statement and judges what it says as the door will.
fn judge(document: &Document, place: &Place) -> Result<(), Refusal> {
    let longest = || format!("{0}.{0}/{0}", "a".repeat(MAX_LABEL_BYTES));
    let log = place.log.clone().unwrap_or_else(longest);
    // What is cited is looked up when it is signed; here it only takes its room.
    let cited = |_: &String| StatementRef {
        log: log.clone(),
        statement_id: Hash::of(b""),
    };
    let is_on_an_order = matches!(document.act, Act::OrderAct(_) | Act::Decision(_));
    let number = match (document.number, document.act.is_numbered()) {
        (Some(number), _) => number,
        (None, is_numbered) => u32::from(is_numbered),
    };
    let setting = Setting {
        log: log.clone(),
        created_ms: place.now_ms,
        number,
        about: is_on_an_order.then(|| cited(&String::new())),
        judged: None,
        refs: document.refs.iter().map(cited).collect(),
    };
    let draft = Draft::compose(document, setting, [0; 16], || Ok([0; 32]))
        .map_err(|failure| Refusal::new(too_large(failure.code.as_deref())))?;
    let jurisdiction = match &place.jurisdiction {
        Some(jurisdiction) => jurisdiction.clone(),
        None => likely_jurisdiction(document),
    };
    draft.check_unsigned(&jurisdiction)
}

/// Composing fails for length alone.
fn too_large(code: Option<&str>) -> Reason {
    match code {
        Some("BODY_TOO_LARGE") => Reason::BodyTooLarge,
        Some(_) | None => Reason::StatementTooLarge,
    }
}

/// The one jurisdiction under which a document could stand, where nobody says which it is: a pack's
/// own, or that of the first local right's register.
fn likely_jurisdiction(document: &Document) -> String {
    match &document.act {
        Act::PolicyPack(pack) => Pack::parse(text_of(pack, &document.contents()))
            .map(|pack| pack.jurisdiction)
            .unwrap_or_default(),
        Act::Decision(decision) => {
            let national = decision
                .local_rights
                .iter()
                .find(|right| !right.may_have_effect_in(""));
            national
                .map(|right| right.office.clone())
                .unwrap_or_default()
        }
        Act::Report(_) | Act::Indicator(_) | Act::Order(_) | Act::OrderAct(_) => String::new(),
    }
}

struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, field: &str, code: &'static str, text: &str, why: &'static str) {
        if self.0.iter().any(|finding| finding.field == field) {
            return;
        }
        self.0.push(Finding {
            level: Level::Error,
            field: field.to_owned(),
            text: text.to_owned(),
            code,
            why,
            abroad: "",
            points: 0,
        });
    }

    fn note(&mut self, field: &str, text: &str) {
        self.0.push(Finding {
            level: Level::Note,
            field: field.to_owned(),
            text: text.to_owned(),
            code: "",
            why: "",
            abroad: "",
            points: 0,
        });
    }

    /// The door stops at the first thing that is wrong; what is often wrong is found all at once.
    fn obvious(&mut self, document: &Document) {
        for (act, body) in [(Some(&document.act), None)]
            .into_iter()
            .chain(document.bodies.iter().map(|(body, _)| (None, Some(body))))
        {
            if let Some(Act::Order(order)) = act {
                self.order(order);
            }
            match body {
                Some(DecodedBody::Report(report)) => {
                    self.articles("articles", &report.articles);
                    self.parties("parties", &report.parties);
                }
                Some(DecodedBody::Indicator(indicator)) => {
                    self.articles("articles", &indicator.articles);
                    self.parties("parties", &indicator.parties);
                }
                Some(DecodedBody::Order(further)) => {
                    self.articles("further_articles", &further.articles);
                }
                Some(DecodedBody::PolicyPack(_)) | None => {}
            }
        }
    }

    fn order(&mut self, order: &Order) {
        use Reason::{ListEmpty, RightMissing, ScopeWithoutRespondents};
        if order.articles.is_empty() {
            let text = "an order bars goods: say which";
            self.error("articles", ListEmpty.code(), text, ListEmpty.meaning());
        }
        if order.scope == ScopeKind::Limited && order.respondents.is_empty() {
            let (text, reason) = ("name at least one", ScopeWithoutRespondents);
            self.error("respondents", reason.code(), text, reason.meaning());
        }
        if order.rights.is_empty() && order.no_right_reason.is_empty() {
            let text = "name a right, or say in no_right_reason why there is none";
            self.error("rights", RightMissing.code(), text, RightMissing.meaning());
        }
        self.articles("articles", &order.articles);
        self.parties("respondents", &order.respondents);
        self.parties("authorised", &order.terms.authorised);
        for (at, carve_out) in order.terms.carve_outs.iter().enumerate() {
            let key = format!("carve_outs[{}]", at + 1);
            self.selectors(&format!("{key}.selectors"), &carve_out.selectors);
            self.parties(&format!("{key}.parties"), &carve_out.parties);
        }
    }

    fn articles(&mut self, key: &str, articles: &[Article]) {
        for (at, article) in articles.iter().enumerate() {
            self.selectors(&format!("{key}[{}].selectors", at + 1), &article.selectors);
        }
    }

    fn selectors(&mut self, key: &str, selectors: &[Selector]) {
        for (place, selector) in selectors.iter().enumerate() {
            if let Err(why) = selector.canonical() {
                let text = format!("{} {selector}: {why}", selector.kind());
                self.error(
                    &format!("{key}[{}]", place + 1),
                    Reason::from(why).code(),
                    &text,
                    "what cannot be compared matches nothing",
                );
            }
        }
    }

    fn parties(&mut self, key: &str, parties: &[Party]) {
        for (at, party) in parties.iter().enumerate() {
            self.selectors(
                &format!("{key}[{}].identifiers", at + 1),
                &party.identifiers,
            );
        }
    }

    /// What the door says, in the document's own names of fields.
    fn refusal(&mut self, document: &Document, refusal: &Refusal) {
        let mut field = as_written(&refusal.field);
        let is_order = matches!(document.act, Act::Order(_) | Act::OrderAct(_));
        if is_order && refusal.field.starts_with("bodies[") {
            field = format!("further_{field}");
        }
        let mut text = refusal.reason.remedy().to_owned();
        if !refusal.detail.is_empty() {
            text = format!("{} ({})", text, refusal.detail);
        }
        let known = self.0.iter_mut().find(|finding| finding.field == field);
        if let Some(known) = known {
            known.code = refusal.code();
            return;
        }
        self.error(&field, refusal.code(), &text, refusal.reason.meaning());
    }

    fn notes(&mut self, document: &Document) {
        let is_exercise = matches!(&document.act, Act::Order(order) if order.exercise)
            || document.bodies.iter().any(|(body, _)| match body {
                DecodedBody::Report(report) => report.exercise,
                DecodedBody::Indicator(indicator) => indicator.exercise,
                DecodedBody::Order(_) | DecodedBody::PolicyPack(_) => false,
            });
        if is_exercise {
            let text = "marked as invented: every view says EXERCISE; false for a real act";
            self.note("exercise", text);
        }
        if let Act::Order(order) = &document.act {
            self.terms_notes(&order.terms);
        }
        if document.tlp == Tlp::Clear && !matches!(document.act, Act::PolicyPack(_)) {
            self.note(
                "tlp",
                "clear: anyone may publish it; green keeps it among the members",
            );
        }
    }
}

impl Findings {
    /// What an order's terms do that is easily meant otherwise.
    fn terms_notes(&mut self, terms: &Terms) {
        if terms.bars(Direction::Transit) {
            let text = "transit: goods that only pass through are stopped, too";
            self.note("directions", text);
        }
        if !terms.bars(Direction::Import) {
            self.note("directions", "import is not among them: imports pass");
        }
        if !terms.relations.is_empty() && terms.related.is_empty() {
            let text =
                "no firm is named that stands in one: a screener finds the respondents alone";
            self.note("relations", text);
        }
        if terms
            .breadth
            .is_some_and(|breadth| breadth.is_over(BROAD_SHARE))
        {
            let text =
                "over 0.1 % of past lines: over-broad, and other members may review it for that";
            self.note("breadth", text);
        }
    }
}

/// A refusal's field, `order.articles[0].until_ms`, as people wrote it: `articles[1].until`.
fn as_written(field: &str) -> String {
    const OUTER: [&str; 8] = [
        "report",
        "indicator",
        "order",
        // In a document its fields stand beside the order's other ones.
        "terms",
        "order_act",
        "decision",
        "policy_pack",
        "toml",
    ];
    let parts: Vec<&str> = field.split('.').collect();
    let is_outer = |part: &&str| OUTER.contains(part) || part.starts_with("bodies[");
    let inner = parts.iter().take_while(|part| is_outer(part)).count();
    // A field that is nothing but its outer parts keeps the last of them.
    let kept = parts.get(inner.min(parts.len() - 1)..).unwrap_or_default();
    let written: Vec<String> = kept.iter().map(|part| one_based(part)).collect();
    let written = written.join(".");
    written.strip_suffix("_ms").unwrap_or(&written).to_owned()
}

/// Lists are counted from 1 by people.
fn one_based(part: &str) -> String {
    let counted = part
        .strip_suffix(']')
        .and_then(|rest| rest.split_once('['))
        .and_then(|(name, at)| Some((name, at.parse::<usize>().ok()?)));
    match counted {
        Some((name, at)) => format!("{name}[{}]", at.saturating_add(1)),
        None => part.to_owned(),
    }
}
