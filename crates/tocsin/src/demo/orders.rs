//! What is said in the demonstration: real exclusion orders from public records, and fictional
//! documents.
//!
//! Of a real firm only that is said which stands in the row: that it is a respondent. Everything
//! invented is said of one firm that does not exist.

use std::path::Path;

use tocsin_cli::document::{Document, Kind, parse};
use tocsin_cli::failure::Failure;
use tocsin_core::date::DAY_MS;
use tocsin_core::handling::Tlp;
use tocsin_core::order::{Instrument, Order, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::product::Article;
use tocsin_core::right::{Right, RightKind};
use tocsin_core::statement::Act;
use tocsin_core::terms::Terms;

/// Real orders with certainty and origin, row by row (`data/orders337/ORIGIN.md`).
const REAL: &str = include_str!("../../../../data/orders337/exclusion_orders_dev.csv");
const REPORT: &str = include_str!("../../../../data/demo/report.toml");
const LAMPS: &str = include_str!("../../../../data/demo/lamps.toml");
const DRIVERS: &str = include_str!("../../../../data/demo/drivers.toml");
const STRIPS: &str = include_str!("../../../../data/demo/strips.toml");
const HOLD: &str = include_str!("../../../../data/demo/hold.toml");
const ADOPTION: &str = include_str!("../../../../data/demo/adoption.toml");
const PACKS: [&str; 3] = [
    include_str!("../../../../data/demo/jp.toml"),
    include_str!("../../../../data/demo/de.toml"),
    include_str!("../../../../data/demo/kr.toml"),
];

/// The lamps' item number, as it stands on the box.
pub(super) const LAMPS_GTIN: &str = "9 521234 567899";
/// The drivers' item number, as it stands on the box.
pub(super) const DRIVERS_GTIN: &str = "9 521234 567905";
/// The drivers' model.
pub(super) const DRIVERS_MODEL: &str = "eld 7720";
/// The drivers' tariff code.
pub(super) const DRIVERS_HS: &str = "8504.40";
/// The strips' item number, as it stands on the box.
pub(super) const STRIPS_GTIN: &str = "9 521234 567912";
/// The firm that does not exist.
pub(super) const FIRM: &str = "Example Lumen Fabrication (fictional)";
/// How long the strips are held: about ten working days.
const HOLD_MS: i64 = 14 * DAY_MS;
/// How long the orders last: invented, and their summaries say so.
const YEARS_MS: i64 = 5 * 365 * DAY_MS;

/// The investigator's report on the lamps.
///
/// # Errors
/// When the document is broken.
pub(super) fn report() -> Result<Document, Failure> {
    document(Kind::Report, REPORT)
}

/// The fictional orders on lamps, drivers and strips, in force from `today`.
///
/// # Errors
/// When a document is broken.
pub(super) fn fictional(today: i64) -> Result<[Document; 3], Failure> {
    let make = |text| {
        let mut document = document(Kind::Order, text)?;
        if let Act::Order(order) = &mut document.act {
            (order.from_ms, order.until_ms) = (today, today + YEARS_MS);
        }
        Ok::<_, Failure>(document)
    };
    Ok([make(LAMPS)?, make(DRIVERS)?, make(STRIPS)?])
}

/// Adopts the order on the lamps, citing a right of the register `office`.
///
/// # Errors
/// When the document is broken.
pub(super) fn adoption(office: &str) -> Result<Document, Failure> {
    document(Kind::Decision, &ADOPTION.replace("\"DE\"", &quoted(office)))
}

/// Holds the strips from `today`.
///
/// # Errors
/// When the document is broken.
pub(super) fn hold(today: i64) -> Result<Document, Failure> {
    let mut document = document(Kind::Decision, HOLD)?;
    if let Act::Decision(decision) = &mut document.act {
        decision.until_ms = today + HOLD_MS;
    }
    Ok(document)
}

/// The policy packs of the three members that do not issue, for these members' ids.
///
/// # Errors
/// When a document is broken.
pub(super) fn packs(issuer: &str, deciders: [&str; 3]) -> Result<[(String, Document); 3], Failure> {
    let [jp, de, kr] = PACKS;
    let [one, two, three] = deciders;
    let make = |text: &str, written: &str, id: &str| {
        let code = quoted(&id.to_uppercase());
        let text = text
            .replace(&quoted(written), &code)
            .replace("\"us\"", &quoted(issuer));
        Ok::<_, Failure>((id.to_owned(), document(Kind::Policy, &text)?))
    };
    Ok([
        make(jp, "JP", one)?,
        make(de, "DE", two)?,
        make(kr, "KR", three)?,
    ])
}

fn quoted(word: &str) -> String {
    format!("\"{word}\"")
}

fn document(kind: Kind, text: &str) -> Result<Document, Failure> {
    parse(kind, text, Path::new("."))
}

/// The real orders that are sure enough to be shown, marked as an exercise, in force from `today`.
#[must_use]
pub(super) fn real(today: i64) -> Vec<Document> {
    let rows = REAL.lines().skip(1).filter_map(Row::read);
    rows.filter_map(|row| row.order(today))
        .map(|order| Document {
            tlp: Tlp::Clear,
            number: None,
            order: None,
            refs: Vec::new(),
            act: Act::Order(Box::new(order)),
            bodies: Vec::new(),
        })
        .collect()
}

/// One row of the sample data, as it stands.
#[derive(Debug)]
struct Row {
    investigation: String,
    title: String,
    order_types: String,
    right_kinds: String,
    rights: String,
    respondents: String,
    date: String,
    date_kind: String,
    status: String,
    source: String,
    certainty: String,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let mut fields = csv_fields(line).into_iter();
        let mut next = || fields.next();
        let (investigation, title, order_types, right_kinds) = (next()?, next()?, next()?, next()?);
        let rights = next()?;
        // Who complained is not said: the order does not need it.
        next()?;
        Some(Self {
            investigation,
            title,
            order_types,
            right_kinds,
            rights,
            respondents: next()?,
            date: next()?,
            date_kind: next()?,
            status: next()?,
            source: next()?,
            certainty: next()?,
        })
    }

    /// The order that the row tells of, if it is sure, dated and still as issued.
    fn order(&self, today: i64) -> Option<Order> {
        let is_sure = self.certainty == "high" && self.status == "issued" && !self.date.is_empty();
        let respondents = self.named_respondents();
        let (scope, instrument) = match self.order_types.split(';').next()? {
            "GEO" => (ScopeKind::General, Instrument::Us337Geo),
            "LEO" if !respondents.is_empty() => (ScopeKind::Limited, Instrument::Us337Leo),
            _ => return None,
        };
        is_sure.then(|| Order {
            case_ref: self.investigation.clone(),
            title: format!("EXERCISE: Certain {}", self.title),
            instrument,
            scope,
            respondents,
            articles: vec![Article {
                description: format!("certain {}", self.title),
                selectors: Vec::new(),
            }],
            rights: self.rights(),
            no_right_reason: String::new(),
            phase: Phase::Final,
            from_ms: today,
            until_ms: today + YEARS_MS,
            counterfeit: false,
            summary: self.summary(),
            exercise: true,
            terms: Terms::default(),
        })
    }

    fn summary(&self) -> String {
        let asserted = if self.rights.contains("(asserted)") {
            " The patents are those asserted; which were found violated is not in the sample."
        } else {
            ""
        };
        format!(
            "EXERCISE: sample data from public records, not an official notice. {}, {} ({}). \
             Source: {}. Effective today and the expiry are invented for the exercise; no expiry \
             is known.{asserted} Firms named are respondents and nothing more.",
            self.order_types, self.date, self.date_kind, self.source
        )
    }

    /// Those with a name; "eight defaulting respondents" and "others" have none.
    fn named_respondents(&self) -> Vec<Party> {
        let names = self.respondents.split(';').map(str::trim);
        let is_name = |name: &&str| {
            !name.is_empty()
                && !name.starts_with('(')
                && *name != "others"
                && !name.contains("respondents")
        };
        names
            .filter(is_name)
            .map(|name| Party {
                kind: PartyKind::Company,
                names: vec![name.split(" (").next().unwrap_or(name).to_owned()],
                identifiers: Vec::new(),
                country: String::new(),
            })
            .collect()
    }

    /// The rights with their numbers, and each further kind of right with the reason why it has
    /// none.
    fn rights(&self) -> Vec<Right> {
        let numbered = self.rights.split(';').filter_map(|text| right(text.trim()));
        let mut rights: Vec<Right> = numbered.collect();
        for word in self.right_kinds.split(';') {
            let kind = match word.trim() {
                "patent" => RightKind::Patent,
                "trademark" => RightKind::TradeMark,
                "trade secret" => RightKind::TradeSecret,
                "trade dress" => RightKind::TradeDress,
                "copyright" => RightKind::Copyright,
                _ => continue,
            };
            if rights.iter().any(|right| right.kind == kind) {
                continue;
            }
            let missing_reason = if kind == RightKind::TradeSecret {
                "a trade secret stands in no register"
            } else {
                "the number is not in the public page that the sample was read from"
            };
            rights.push(Right {
                kind,
                office: "US".to_owned(),
                number: String::new(),
                missing_reason: missing_reason.to_owned(),
                claims: String::new(),
            });
        }
        rights
    }
}

/// `US6180373 cl.10` or `TM5149328`; what reads otherwise is no number of a register.
fn right(text: &str) -> Option<Right> {
    let text = text.trim_end_matches(" (asserted)");
    let (number, claims) = text.split_once(" cl.").unwrap_or((text, ""));
    let (kind, digits) = match number.split_at_checked(2)? {
        ("US", digits) => (RightKind::Patent, digits),
        ("TM", digits) => (RightKind::TradeMark, digits),
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Right {
        kind,
        office: "US".to_owned(),
        number: digits.to_owned(),
        missing_reason: String::new(),
        claims: claims.to_owned(),
    })
}

/// The fields of one line, RFC 4180; no field of the sample has a line feed.
fn csv_fields(line: &str) -> Vec<String> {
    let (mut fields, mut field, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    fields.push(field);
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> Vec<Order> {
        let orders = real(1_795_305_600_000)
            .into_iter()
            .map(|document| document.act);
        let orders = orders.map(|act| {
            if let Act::Order(order) = act {
                *order
            } else {
                panic!()
            }
        });
        orders.collect()
    }

    #[test]
    fn real_orders_are_sure_issued_and_marked_as_an_exercise() {
        let orders = orders();
        assert!(orders.len() >= 15, "{}", orders.len());
        for order in &orders {
            assert!(
                order.exercise && order.title.starts_with("EXERCISE"),
                "{}",
                order.title
            );
            assert!(order.summary.contains("expiry") && order.summary.contains("invented"));
            assert!(
                order
                    .articles
                    .iter()
                    .all(|article| article.selectors.is_empty())
            );
            assert!(order.scope == ScopeKind::General || !order.respondents.is_empty());
        }
        let has = |case: &str| orders.iter().any(|order| order.case_ref == case);
        // Rescinded, modified, without a date, of medium certainty, limited without a name.
        for case in [
            "337-TA-1057",
            "337-TA-945",
            "337-TA-1044",
            "337-TA-565",
            "337-TA-883",
        ] {
            assert!(!has(case), "{case}");
        }
        assert!(has("337-TA-1028") && has("337-TA-1270"));
    }

    #[test]
    fn only_what_is_a_name_or_a_number_is_taken_for_one() {
        let orders = orders();
        for order in &orders {
            assert!(!order.rights.is_empty(), "{}", order.case_ref);
            for right in &order.rights {
                assert_ne!(right.number.is_empty(), right.missing_reason.is_empty());
                assert!(right.number.bytes().all(|byte| byte.is_ascii_digit()));
            }
            for name in order.respondents.iter().flat_map(|party| &party.names) {
                assert!(
                    !name.contains("respondent") && !name.contains("others"),
                    "{name}"
                );
                assert!(!name.contains('('), "{name}");
            }
        }
        let toner = orders
            .iter()
            .find(|order| order.case_ref == "337-TA-918")
            .unwrap();
        assert_eq!(toner.respondents.len(), 3);
        assert_eq!(toner.rights.len(), 5);
    }

    #[test]
    fn everything_invented_is_said_of_a_firm_that_does_not_exist() {
        let [lamps, drivers, strips] = fictional(1_795_305_600_000).unwrap();
        for document in [lamps, drivers, strips] {
            let Act::Order(order) = document.act else {
                panic!()
            };
            assert!(order.exercise);
            assert_eq!(order.respondents[0].names, [FIRM]);
            for selector in order.articles.iter().flat_map(|article| &article.selectors) {
                selector.canonical().unwrap();
            }
        }
        report().unwrap();
        adoption("DE").unwrap();
        packs("us", ["jp", "de", "kr"]).unwrap();
    }
}
