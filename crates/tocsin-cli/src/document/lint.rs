//! What a document lacks that its readers will miss. What is wrong is found when it is read.

use tocsin_core::order::{Order, ScopeKind};
use tocsin_core::party::Party;
use tocsin_core::product::{Article, Selector};
use tocsin_core::statement::{Act, DecodedBody};

use super::Document;

/// How much a remark matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The door would refuse it.
    Error,
    /// Acceptable, but readers will ask for it.
    Warning,
}

/// One thing to make better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// How much it matters.
    pub level: Level,
    /// The field, as in the document.
    pub field: String,
    /// What is amiss.
    pub text: String,
}

/// Points out what is missing, worst first.
#[must_use]
pub fn lint(document: &Document) -> Vec<Remark> {
    let mut remarks = Remarks(Vec::new());
    if !document.tlp.travels_in_clear() {
        remarks.error(
            "tlp",
            "above green a statement travels sealed, which is not built yet",
        );
    }
    match &document.act {
        Act::Order(order) => remarks.order(order),
        Act::Report(_) | Act::Indicator(_) => {}
        Act::Decision(decision) => {
            if decision.reason.is_empty() {
                remarks.warning("reason", "other members will ask why");
            }
        }
        Act::OrderAct(_) | Act::PolicyPack(_) => {}
    }
    for (body, _) in &document.bodies {
        remarks.body(body);
    }
    remarks.0.sort_by_key(|remark| remark.level);
    remarks.0
}

struct Remarks(Vec<Remark>);

impl Remarks {
    fn error(&mut self, field: &str, text: &str) {
        self.0.push(Remark {
            level: Level::Error,
            field: field.into(),
            text: text.into(),
        });
    }

    fn warning(&mut self, field: &str, text: &str) {
        self.0.push(Remark {
            level: Level::Warning,
            field: field.into(),
            text: text.into(),
        });
    }

    fn order(&mut self, order: &Order) {
        if order.articles.is_empty() {
            self.error("articles", "an order bars goods: say which");
        }
        if order.scope == ScopeKind::Limited && order.respondents.is_empty() {
            self.error(
                "respondents",
                "a limited order binds named respondents: name at least one",
            );
        }
        if order.rights.is_empty() && order.no_right_reason.is_empty() {
            self.error(
                "rights",
                "name a right, or say in no_right_reason why there is none",
            );
        }
        if order.until_ms != 0 && order.until_ms <= order.from_ms {
            self.error("until", "the end is not after the start");
        }
        if order.summary.is_empty() {
            self.warning("summary", "other members have nothing to publish");
        }
        if order.counterfeit && !order.articles.iter().any(has_model_or_serial) {
            self.warning(
                "articles",
                "a copied item number never holds goods: give model or serial",
            );
        }
        self.articles(&order.articles);
        self.parties("respondents", &order.respondents);
    }

    fn body(&mut self, body: &DecodedBody) {
        match body {
            DecodedBody::Report(report) => {
                self.articles(&report.articles);
                self.parties("parties", &report.parties);
                if report.articles.is_empty() {
                    self.warning(
                        "articles",
                        "no goods: other customs cannot look for anything",
                    );
                }
                if report.exhibits.is_empty() {
                    self.warning("exhibits", "no evidence is named");
                }
                if report.requested_action.is_empty() {
                    self.warning(
                        "requested_action",
                        "readers will not know what you ask of them",
                    );
                }
            }
            DecodedBody::Indicator(indicator) => {
                self.articles(&indicator.articles);
                self.parties("parties", &indicator.parties);
                if indicator.articles.is_empty() && indicator.parties.is_empty() {
                    self.error(
                        "articles",
                        "an indicator is a matchable fact: give goods or parties",
                    );
                }
            }
            DecodedBody::Order(further) => self.articles(&further.articles),
            DecodedBody::PolicyPack(_) => {}
        }
    }

    fn articles(&mut self, articles: &[Article]) {
        for (at, article) in articles.iter().enumerate() {
            let field = format!("articles[{}].selectors", at + 1);
            let strong = article.selectors.iter().any(decides);
            if !strong {
                self.warning(
                    &field,
                    "nothing that decides: no item, model or serial number",
                );
            }
            for selector in &article.selectors {
                if let Err(why) = selector.canonical() {
                    self.error(&field, &why.to_string());
                }
            }
        }
    }

    fn parties(&mut self, key: &str, parties: &[Party]) {
        for (at, party) in parties.iter().enumerate() {
            let field = format!("{key}[{}].identifiers", at + 1);
            if party.identifiers.is_empty() {
                self.warning(&field, "a name only suggests: give LEI, EORI or MID");
            }
            for selector in &party.identifiers {
                if let Err(why) = selector.canonical() {
                    self.error(&field, &why.to_string());
                }
            }
        }
    }
}

fn has_model_or_serial(article: &Article) -> bool {
    article
        .selectors
        .iter()
        .any(|s| matches!(s, Selector::Model(_) | Selector::Serial(_)))
}

const fn decides(selector: &Selector) -> bool {
    match selector {
        Selector::Gtin(_)
        | Selector::Model(_)
        | Selector::Serial(_)
        | Selector::Mid(_)
        | Selector::Lei(_)
        | Selector::Eori(_) => true,
        Selector::Hs(_) | Selector::Brand(_) => false,
    }
}
