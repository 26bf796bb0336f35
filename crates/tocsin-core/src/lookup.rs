//! What one thing typed from a box says: exact selectors, respondents' names and order names.
//!
//! Identifiers decide, names only suggest. A tariff code, brand or name alone never holds; a
//! limited order needs article and party, a general one the article; a genuine item number copied
//! by a fake never holds genuine goods (DESIGN decision 8). Reports and indicators are not looked
//! at: they bar nothing.

mod scanned;
mod suggest;
mod typed;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::notice::{BlockState, Notice};
use crate::order::{Order, ScopeKind};
use crate::party::Party;
use crate::product::pattern::ModelPattern;
use crate::product::{Article, HsCode, Selector, SelectorKind, Strength, Subject};
use crate::registry::Registry;
use crate::statement::StatementRef;
use crate::text::folded;

pub use typed::Typed;

use typed::{Meeting, canonical};

/// What a look-up says, from nothing to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Nothing bars it, as far as was compared; never to be read as clear.
    None,
    /// To be inspected.
    Flagged,
    /// An officer must look.
    Review,
    /// Held for now.
    Held,
    /// Barred.
    Blocked,
}

/// What was found for a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The highest of the matches'.
    pub outcome: Outcome,
    /// Highest outcome first, then by order; at most [`MAX_MATCHES`].
    pub matches: Vec<Match>,
    /// There were more.
    pub is_truncated: bool,
    /// What would decide was not typed: no match does not mean clear, and a match not certain.
    pub decisive_missing: bool,
    /// What was compared, for people.
    pub explanation: &'static str,
}

/// One block that the text touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// How the block stands.
    pub notice: Notice,
    /// What of it matched.
    pub kind: MatchKind,
    /// As in the order, canonical.
    pub matched: String,
    /// As typed, canonical.
    pub typed: String,
    /// What this match alone can say.
    pub outcome: Outcome,
    /// Why it does not say more, where the block would.
    pub limit: Option<Limit>,
}

/// What of an order can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchKind {
    /// A selector of an article, or an identifier of a respondent.
    Selector(SelectorKind),
    /// A respondent's name.
    Respondent,
    /// How an article is described.
    Text,
    /// The order's own name.
    Order,
}

impl MatchKind {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Selector(kind) => kind.word(),
            Self::Respondent => "respondent",
            Self::Text => "text",
            Self::Order => "order",
        }
    }
}

/// Why a match says no more than review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// Tariff codes, brands, names and short numbers suggest.
    Suggests,
    /// It names a party; the article is missing.
    ArticleMissing,
    /// A limited order binds named respondents; the party is missing.
    PartyMissing,
    /// Fakes copy genuine item numbers, and no list says who may import the genuine goods.
    CopiedNumber,
    /// A lasting body of the order has not arrived.
    SelectorsMissing,
    /// It names the order, not goods.
    OrderName,
    /// The order lets some goods pass, or some importers, or binds other movements than import.
    Terms,
}

impl Limit {
    /// One line for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Suggests => "this suggests but does not decide",
            Self::ArticleMissing => "this names a party; the article is missing",
            Self::PartyMissing => "a limited order needs the party as well",
            Self::CopiedNumber => "counterfeits copy genuine item numbers",
            Self::SelectorsMissing => "part of the order has not arrived",
            Self::OrderName => "this names the order, not goods",
            Self::Terms => "the order lets some goods pass; screen the whole line",
        }
    }

    /// Whether it would fall away if more were typed.
    const fn is_for_want_of_input(self) -> bool {
        match self {
            Self::Suggests
            | Self::ArticleMissing
            | Self::PartyMissing
            | Self::OrderName
            | Self::Terms => true,
            Self::CopiedNumber | Self::SelectorsMissing => false,
        }
    }
}

/// Why a text is not looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// Nothing was typed.
    #[error("there is nothing to look up")]
    Empty,
    /// Over [`MAX_LOOKUP_CHARS`].
    #[error("a look-up takes at most {MAX_LOOKUP_CHARS} characters")]
    TooLong,
}

impl LookupError {
    /// The stable reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "LOOKUP_EMPTY",
            Self::TooLong => "LOOKUP_TOO_LONG",
        }
    }
}

/// Looks a text up against all blocks of a jurisdiction.
#[must_use]
pub fn lookup(registry: &Registry, typed: &Typed, jurisdiction: &str, at: i64) -> Lookup {
    let mut orders = registry.index().orders_of(typed);
    let named = typed
        .order
        .as_ref()
        .and_then(|name| registry.order_named(name));
    orders.extend(named.clone().map(Arc::new));
    let mut found: Vec<(Match, Option<Limit>)> = orders
        .iter()
        .filter_map(|order| registry.block(order, jurisdiction, at))
        .filter_map(|notice| {
            let is_named = named.as_ref() == Some(&notice.order_ref);
            Match::best(notice, typed, is_named, at)
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| {
        (b.outcome, &a.notice.order_ref).cmp(&(a.outcome, &b.notice.order_ref))
    });
    let decisive_missing = if found.is_empty() {
        !typed.can_decide()
    } else {
        found
            .iter()
            .all(|(_, cap)| cap.is_some_and(Limit::is_for_want_of_input))
    };
    let is_truncated = found.len() > MAX_MATCHES;
    let matches: Vec<Match> = found
        .into_iter()
        .map(|(found, _)| found)
        .take(MAX_MATCHES)
        .collect();
    Lookup {
        outcome: matches.first().map_or(Outcome::None, |found| found.outcome),
        explanation: match (matches.is_empty(), decisive_missing) {
            (false, false) => EXPLAIN_MATCH,
            (false, true) => EXPLAIN_MATCH_MISSING,
            (true, false) => EXPLAIN_NONE,
            (true, true) => EXPLAIN_NONE_MISSING,
        },
        matches,
        is_truncated,
        decisive_missing,
    }
}

impl Match {
    /// The match that says most, of all that the text and the block's scope have in common, with
    /// what caps it whatever the block's state.
    fn best(
        notice: Notice,
        typed: &Typed,
        is_named: bool,
        at: i64,
    ) -> Option<(Self, Option<Limit>)> {
        let scope = Arc::clone(&notice.scope);
        let goods = scope.articles.iter().flat_map(|article| &article.selectors);
        let goods = goods
            .filter_map(|selector| typed.meets(selector))
            .map(|meeting| Found::of(meeting, |meeting| cap_of(&notice, meeting, at)));
        let identifiers = scope
            .respondents
            .iter()
            .flat_map(|party| &party.identifiers);
        let identifiers = identifiers
            .filter_map(|selector| typed.meets(selector))
            .map(|meeting| Found::of(meeting, |_| Some(Limit::ArticleMissing)));
        let names = scope
            .respondents
            .iter()
            .flat_map(|party| &party.names)
            .filter_map(|name| {
                let name = folded(name).filter(|name| Some(name) == typed.name.as_ref())?;
                Some(Found {
                    cap: Some(Limit::Suggests),
                    kind: MatchKind::Respondent,
                    matched: name.clone(),
                    typed: name,
                })
            });
        let order = is_named.then(|| Found {
            cap: Some(Limit::OrderName),
            kind: MatchKind::Order,
            matched: notice.order.clone(),
            typed: notice.order.clone(),
        });
        // No cap is the best; among caps and kinds the order of their declaration is as good as
        // any.
        let best = goods.chain(identifiers).chain(names).chain(order);
        let Found {
            cap,
            kind,
            matched,
            typed,
        } = best.min_by_key(|found| (found.cap, found.kind))?;
        let stands = outcome_of(notice.state);
        let outcome = if cap.is_some() {
            stands.min(Outcome::Review)
        } else {
            stands
        };
        let limit = cap.filter(|_| outcome < stands);
        Some((
            Self {
                notice,
                kind,
                matched,
                typed,
                outcome,
                limit,
            },
            cap,
        ))
    }
}

/// Something that a text and a block have in common.
struct Found {
    cap: Option<Limit>,
    kind: MatchKind,
    matched: String,
    typed: String,
}

impl Found {
    fn of(meeting: Meeting, cap: impl Fn(&Meeting) -> Option<Limit>) -> Self {
        Self {
            cap: cap(&meeting),
            kind: MatchKind::Selector(meeting.kind),
            matched: meeting.matched,
            typed: meeting.typed,
        }
    }
}

/// What keeps a match of an article from saying more than review.
fn cap_of(notice: &Notice, meeting: &Meeting, at: i64) -> Option<Limit> {
    let scope = &notice.scope;
    match meeting.kind.subject() {
        Subject::Hint => return Some(Limit::Suggests),
        // They name who made or moves the goods, whatever the goods.
        Subject::Party => return Some(Limit::ArticleMissing),
        Subject::Goods | Subject::Consignment => {}
    }
    if meeting.strength < Strength::Strong {
        Some(Limit::Suggests)
    } else if scope.scope == ScopeKind::Limited {
        Some(Limit::PartyMissing)
    } else if meeting.kind == SelectorKind::Gtin && scope.counterfeit {
        Some(Limit::CopiedNumber)
    } else if notice.selectors_missing {
        Some(Limit::SelectorsMissing)
    } else {
        scope.terms.let_some_pass(at).then_some(Limit::Terms)
    }
}

/// What a block says when it matches for certain.
const fn outcome_of(state: BlockState) -> Outcome {
    match state {
        BlockState::InForce => Outcome::Blocked,
        BlockState::Held => Outcome::Held,
        BlockState::Review => Outcome::Review,
        BlockState::Flagged => Outcome::Flagged,
        BlockState::None
        | BlockState::Informed
        | BlockState::Declined
        | BlockState::NotCompetent
        | BlockState::Paused
        | BlockState::Suspended
        | BlockState::Ended
        | BlockState::Rescinded
        | BlockState::Withdrawn
        | BlockState::Expired
        | BlockState::Lapsed
        | BlockState::Scheduled => Outcome::None,
    }
}

/// From each fact by which goods can be looked up to the orders some text of which has it.
///
/// It only grows and holds more than counts: what was narrowed away is told apart when a block is
/// looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    // Canonical; all but serial ranges, model patterns and national tariff codes.
    exact: BTreeMap<Selector, Orders>,
    // By what every model number of the form begins with.
    patterns: BTreeMap<String, BTreeMap<String, (ModelPattern, Orders)>>,
    // By digits, of whichever country and year.
    national: BTreeMap<String, Orders>,
    // By prefix and width, then by range.
    serials: BTreeMap<(String, u32), BTreeMap<(u64, u64), Orders>>,
    // Respondents, folded.
    names: BTreeMap<String, Orders>,
}

type Orders = BTreeSet<Arc<StatementRef>>;

impl Index {
    /// Adds a text of an order.
    pub(crate) fn add(&mut self, order: &StatementRef, text: &Order) {
        self.add_articles(order, &text.articles);
        let order = Arc::new(order.clone());
        for Party {
            names, identifiers, ..
        } in &text.respondents
        {
            for identifier in identifiers.iter().filter_map(canonical) {
                self.add_selector(&order, identifier);
            }
            for name in names.iter().filter_map(|name| folded(name)) {
                self.names
                    .entry(name)
                    .or_default()
                    .insert(Arc::clone(&order));
            }
        }
    }

    /// Adds articles of a text.
    pub(crate) fn add_articles(&mut self, order: &StatementRef, articles: &[Article]) {
        let order = Arc::new(order.clone());
        let selectors = articles.iter().flat_map(|article| &article.selectors);
        for selector in selectors.filter_map(canonical) {
            self.add_selector(&order, selector);
        }
    }

    fn add_selector(&mut self, order: &Arc<StatementRef>, selector: Selector) {
        let orders = if let Selector::Serial(range) = selector {
            self.serials
                .entry((range.prefix, range.width))
                .or_default()
                .entry((range.low, range.high))
                .or_default()
        } else if let Selector::Tariff(tariff) = selector {
            self.national.entry(tariff.code).or_default()
        } else if let Selector::ModelPattern(text) = selector {
            let Ok(pattern) = ModelPattern::parse(&text) else {
                return;
            };
            let alike = self.patterns.entry(pattern.prefix()).or_default();
            let (_, orders) = alike
                .entry(text)
                .or_insert_with(|| (pattern, Orders::new()));
            orders
        } else {
            self.exact.entry(selector).or_default()
        };
        orders.insert(Arc::clone(order));
    }

    /// The orders that have, or had, something in common with what was typed.
    fn orders_of(&self, typed: &Typed) -> Orders {
        let mut orders = Orders::new();
        let exact = typed
            .selectors
            .iter()
            .filter_map(|selector| self.exact.get(selector));
        orders.extend(exact.flatten().cloned());
        let name = typed.name.as_ref().and_then(|name| self.names.get(name));
        orders.extend(name.into_iter().flatten().cloned());
        if let Some(tariff) = &typed.tariff {
            orders.extend(self.orders_of_tariff(tariff));
        }
        if let Some(digits) = typed.national.as_ref().or(typed.tariff.as_ref()) {
            orders.extend(self.orders_of_national(digits));
        }
        let model = typed.selectors.iter().find_map(|selector| {
            if let Selector::Model(text) = selector {
                Some(text.as_str())
            } else {
                None
            }
        });
        orders.extend(
            model
                .into_iter()
                .flat_map(|model| self.orders_of_form(model)),
        );
        // Of a scanned code the serial number is one part, and the whole is no model.
        let serial = canonical(&Selector::Model(typed.serial.clone()));
        if let Some(Selector::Model(serial)) = serial {
            orders.extend(self.orders_of_serial(&serial));
        }
        orders
    }

    /// Codes that begin with `digits`, and those that `digits` begins with.
    fn orders_of_tariff(&self, digits: &str) -> impl Iterator<Item = Arc<StatementRef>> {
        let chapter: String = digits.chars().take(2).collect();
        let from = Selector::Hs(HsCode {
            code: chapter.clone(),
            edition: 0,
        });
        let chapter = self
            .exact
            .range(from..)
            .map_while(move |(selector, orders)| {
                let Selector::Hs(hs) = selector else {
                    return None;
                };
                hs.code.starts_with(&chapter).then_some((hs, orders))
            });
        let meeting = chapter
            .filter(|(hs, _)| hs.code.starts_with(digits) || digits.starts_with(hs.code.as_str()));
        let orders: Orders = meeting.flat_map(|(_, orders)| orders).cloned().collect();
        orders.into_iter()
    }

    /// National codes that begin with `digits`, and those that `digits` begins with.
    fn orders_of_national(&self, digits: &str) -> Orders {
        let longer = self
            .national
            .range(digits.to_owned()..)
            .take_while(|(code, _)| code.starts_with(digits))
            .map(|(_, orders)| orders);
        let shorter = (8..digits.len())
            .filter_map(|end| digits.get(..end))
            .filter_map(|code| self.national.get(code));
        longer.chain(shorter).flatten().cloned().collect()
    }

    /// Orders with a pattern that a model number has the form of: it begins as the model does.
    fn orders_of_form(&self, model: &str) -> Orders {
        let ends = model.char_indices().map(|(at, _)| at).chain([model.len()]);
        let alike = ends
            .filter_map(|end| model.get(..end))
            .filter_map(|start| self.patterns.get(start));
        alike
            .flat_map(BTreeMap::values)
            .filter(|(pattern, _)| pattern.matches(model))
            .flat_map(|(_, orders)| orders)
            .cloned()
            .collect()
    }

    /// A number can end in digits of its prefix, so every width is tried.
    fn orders_of_serial(&self, serial: &str) -> Orders {
        let digits = serial.bytes().rev().take_while(u8::is_ascii_digit).count();
        let mut orders = Orders::new();
        for width in 1..=digits {
            let Some((prefix, number)) = serial.split_at_checked(serial.len() - width) else {
                break;
            };
            let (Ok(width), Ok(number)) = (u32::try_from(width), number.parse::<u64>()) else {
                break;
            };
            let Some(ranges) = self.serials.get(&(prefix.to_owned(), width)) else {
                continue;
            };
            let holding = ranges
                .range(..=(number, u64::MAX))
                .filter(|((_, high), _)| number <= *high);
            orders.extend(holding.flat_map(|(_, orders)| orders).cloned());
        }
        orders
    }

    /// Orders some text of which may bar goods that `scope` bars; looks at its first selectors
    /// only.
    pub(crate) fn orders_sharing(&self, scope: &Order) -> BTreeSet<StatementRef> {
        let selectors = scope.articles.iter().flat_map(|article| &article.selectors);
        let mut orders = Orders::new();
        for selector in selectors.take(MAX_SHARED_SELECTORS).filter_map(canonical) {
            if let Selector::Serial(range) = &selector {
                let key = (range.prefix.clone(), range.width);
                let ranges = self.serials.get(&key).into_iter().flatten();
                let meeting =
                    ranges.filter(|((low, high), _)| *low <= range.high && range.low <= *high);
                orders.extend(meeting.flat_map(|(_, orders)| orders).cloned());
            } else {
                match selector.kind().subject() {
                    Subject::Goods | Subject::Consignment => {
                        orders.extend(self.exact.get(&selector).into_iter().flatten().cloned());
                    }
                    Subject::Party | Subject::Hint => {}
                }
            }
        }
        orders.into_iter().map(|order| (*order).clone()).collect()
    }
}

/// Characters of one look-up (screen.proto).
pub const MAX_LOOKUP_CHARS: usize = 256;
/// Matches that one look-up shows; a chapter of the tariff can touch every order.
pub const MAX_MATCHES: usize = 100;
/// Selectors by which other blocks for the same goods are sought: advice, not worth more time.
const MAX_SHARED_SELECTORS: usize = 1_024;

const EXPLAIN_MATCH: &str =
    "compared with every block of this jurisdiction, by exact selectors and names";
const EXPLAIN_MATCH_MISSING: &str =
    "what was typed touches these blocks but does not decide: something is missing";
const EXPLAIN_NONE: &str =
    "no block of this jurisdiction has this selector or name; that is not a clearance";
const EXPLAIN_NONE_MISSING: &str =
    "no block matches, but nothing typed could decide: give an item, model or serial number";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::DecisionKind;
    use crate::order::OrderActKind;
    use crate::product::{
        ImporterNumber, ImporterScheme, SerialRange, TariffCode, TransportDocument, TransportKind,
    };
    use crate::registry::sample::{self, DAY, Logs, NOW, reference};
    use crate::terms::{Bond, Direction, Terms};
    use proptest::prelude::*;
    use tocsin_log::hash::Hash;

    const GTIN: &str = "4006381333931";
    const LEI: &str = "5493001KJTIIGC8Y1R12";

    fn all_kinds() -> Order {
        let serial = SerialRange {
            prefix: "SN1".into(),
            low: 100,
            high: 200,
            width: 4,
        };
        sample::order(&[(
            "lamps",
            &[
                Selector::Gtin(GTIN.into()),
                Selector::Model("LX-100".into()),
                Selector::Model("A-7".into()),
                Selector::Serial(serial),
                Selector::Hs(HsCode {
                    code: "9405".into(),
                    edition: 2022,
                }),
                Selector::Brand("Lumora".into()),
                Selector::Lei(LEI.into()),
            ],
        )])
    }

    fn look(logs: &Logs, text: &str, jurisdiction: &str) -> Lookup {
        lookup(
            &logs.registry,
            &Typed::read(text).unwrap(),
            jurisdiction,
            NOW,
        )
    }

    fn said(logs: &Logs, text: &str) -> (Outcome, Option<Limit>, &'static str) {
        let found = look(logs, text, "US");
        let first = found
            .matches
            .first()
            .unwrap_or_else(|| panic!("{text} matches nothing"));
        (found.outcome, first.limit, first.kind.word())
    }

    #[test]
    fn what_a_scanner_gives_is_looked_up_by_what_it_says() {
        let mut logs = Logs::new();
        logs.issue(all_kinds());
        let blocked = Outcome::Blocked;
        for text in [
            "(01)04006381333931(21)XYZ",
            "]C10104006381333931",
            "https://id.gs1.org/01/04006381333931/21/XYZ",
        ] {
            assert_eq!(said(&logs, text), (blocked, None, "gtin"), "{text}");
        }
        let serial = "(01)09506000134352(21)SN10150";
        assert_eq!(said(&logs, serial), (blocked, None, "serial"));
        let slip = Typed::read("(01)04006381333932").unwrap();
        assert!(slip.is_mistyped() && !slip.can_decide());
    }

    #[test]
    fn an_item_number_with_a_slip_never_looks_clear() {
        let right = Typed::read("4 006381 333931").unwrap();
        assert!(right.can_decide() && !right.is_mistyped());
        let slip = Typed::read("4 006381 333932").unwrap();
        assert!(slip.is_mistyped() && !slip.can_decide());
    }

    #[test]
    fn a_general_order_needs_the_article_and_weak_facts_only_suggest() {
        let mut logs = Logs::new();
        logs.issue(Order {
            respondents: sample::limited(all_kinds(), &["Acme, Ltd"]).respondents,
            ..all_kinds()
        });
        let blocked = Outcome::Blocked;
        assert_eq!(said(&logs, GTIN), (blocked, None, "gtin"));
        assert_eq!(said(&logs, "04006381333931"), (blocked, None, "gtin"));
        assert_eq!(said(&logs, " lx 100 "), (blocked, None, "model"));
        assert_eq!(said(&logs, "sn1-0150"), (blocked, None, "serial"));
        let review = Outcome::Review;
        assert_eq!(said(&logs, "a7"), (review, Some(Limit::Suggests), "model"));
        for code in ["94", "9405", "9405.11", "9405 11 0090"] {
            assert_eq!(said(&logs, code), (review, Some(Limit::Suggests), "hs"));
        }
        assert_eq!(
            said(&logs, "LUMORA"),
            (review, Some(Limit::Suggests), "brand")
        );
        assert_eq!(
            said(&logs, "acme,  ltd"),
            (review, Some(Limit::Suggests), "respondent")
        );
        assert_eq!(
            said(&logs, LEI),
            (review, Some(Limit::ArticleMissing), "lei")
        );
        assert_eq!(
            said(&logs, "us-2026-1"),
            (review, Some(Limit::OrderName), "order")
        );
        assert!(look(&logs, "9405", "US").decisive_missing);
        assert!(!look(&logs, GTIN, "US").decisive_missing);
    }

    #[test]
    fn a_limited_order_needs_the_party_too() {
        let mut logs = Logs::new();
        logs.issue(sample::limited(all_kinds(), &["Acme"]));
        for text in [GTIN, "LX-100", "SN10100"] {
            let (outcome, limit, _) = said(&logs, text);
            assert_eq!(
                (outcome, limit),
                (Outcome::Review, Some(Limit::PartyMissing))
            );
            assert!(look(&logs, text, "US").decisive_missing);
        }
    }

    #[test]
    fn every_kind_that_can_be_typed_is_found_and_says_no_more_than_it_can() {
        let selectors = [
            Selector::ModelPattern("QX-{100-299}*".into()),
            Selector::ModelPattern("Q?7".into()),
            Selector::Batch("B-77".into()),
            Selector::Container("CSQU3054383".into()),
            Selector::Transport(TransportDocument {
                kind: TransportKind::AirWaybill,
                number: "180-53925023".into(),
            }),
            Selector::Vessel("9074729".into()),
            Selector::Duns("150483782".into()),
            Selector::Importer(ImporterNumber {
                scheme: ImporterScheme::Jp,
                number: "7000012050002".into(),
            }),
            Selector::Listing("https://shop.example/item/42".into()),
            Selector::Tariff(TariffCode {
                code: "8542310010".into(),
                jurisdiction: "US".into(),
                edition: 2026,
            }),
            Selector::ModelPattern("ZWEIG-*".into()),
        ];
        let mut logs = Logs::new();
        logs.issue(sample::order(&[("parts", &selectors)]));
        let (review, suggests) = (Outcome::Review, Some(Limit::Suggests));
        assert_eq!(said(&logs, "qx 250 b"), (review, suggests, "model_pattern"));
        assert_eq!(
            said(&logs, "zweig 9"),
            (Outcome::Blocked, None, "model_pattern")
        );
        assert_eq!(said(&logs, "qa7"), (review, suggests, "model_pattern"));
        assert_eq!(said(&logs, "b77"), (review, suggests, "batch"));
        assert_eq!(
            said(&logs, "csqu 305438-3"),
            (Outcome::Blocked, None, "container")
        );
        assert_eq!(
            said(&logs, "18053925023"),
            (Outcome::Blocked, None, "transport")
        );
        let party = Some(Limit::ArticleMissing);
        assert_eq!(said(&logs, "IMO 9074729"), (review, party, "vessel"));
        assert_eq!(said(&logs, "15-048-3782"), (review, party, "duns"));
        assert_eq!(said(&logs, "7000012050002"), (review, party, "importer"));
        assert_eq!(
            said(&logs, "http://www.shop.example/item/42/"),
            (review, suggests, "listing")
        );
        for code in ["8542.31.0010", "854231", "85423100"] {
            assert_eq!(said(&logs, code), (review, suggests, "tariff"), "{code}");
        }
        for other in ["QX-300", "CSQU3054384", "8542320010", "854231001099"] {
            assert_eq!(look(&logs, other, "US").matches, [], "{other}");
        }
    }

    #[test]
    fn an_order_that_lets_some_goods_pass_is_a_review_for_whoever_knows_one_number() {
        let with = |terms: Terms| {
            let mut logs = Logs::new();
            logs.issue(Order {
                terms,
                ..all_kinds()
            });
            let (outcome, limit, _) = said(&logs, GTIN);
            (outcome, limit)
        };
        let bond = |until_ms| Terms {
            bond: Some(Bond {
                text: "100 %".into(),
                until_ms,
            }),
            ..Terms::default()
        };
        let capped = (Outcome::Review, Some(Limit::Terms));
        assert_eq!(with(Terms::default()), (Outcome::Blocked, None));
        assert_eq!(with(bond(NOW + 1)), capped);
        assert_eq!(with(bond(NOW)), (Outcome::Blocked, None));
        let authorised = sample::limited(all_kinds(), &["Genuine"]).respondents;
        assert_eq!(
            with(Terms {
                authorised,
                ..Terms::default()
            }),
            capped
        );
        let directions = [Direction::Transit].into();
        assert_eq!(
            with(Terms {
                directions,
                ..Terms::default()
            }),
            capped
        );
    }

    #[test]
    fn a_copied_item_number_never_holds_genuine_goods() {
        let mut logs = Logs::new();
        logs.issue(Order {
            counterfeit: true,
            ..all_kinds()
        });
        assert_eq!(
            said(&logs, GTIN),
            (Outcome::Review, Some(Limit::CopiedNumber), "gtin")
        );
        assert_eq!(said(&logs, "LX-100"), (Outcome::Blocked, None, "model"));
    }

    #[test]
    fn the_blocks_state_here_is_what_is_said() {
        let mut logs = Logs::new();
        let order = logs.issue(all_kinds()).id;
        let outcome = |logs: &Logs| look(logs, GTIN, "DE").outcome;
        assert_eq!(
            (outcome(&logs), look(&logs, GTIN, "DE").matches.len()),
            (Outcome::None, 1)
        );
        for (kind, expected) in [
            (DecisionKind::Flag, Outcome::Flagged),
            (DecisionKind::Review, Outcome::Review),
            (DecisionKind::Adopt, Outcome::Blocked),
            (DecisionKind::Inform, Outcome::None),
        ] {
            logs.decide("de", NOW, order, kind, |_| ());
            assert_eq!(outcome(&logs), expected);
        }
        logs.hold("de", order, NOW + DAY);
        assert_eq!(outcome(&logs), Outcome::Held);
        logs.do_to(order, OrderActKind::Withdraw);
        assert_eq!(
            (outcome(&logs), look(&logs, GTIN, "DE").matches.len()),
            (Outcome::None, 1)
        );
    }

    #[test]
    fn what_was_narrowed_away_no_longer_matches() {
        let mut logs = Logs::new();
        let order = logs.issue(sample::models(&["LX-100", "LX-200"])).id;
        logs.decide("de", NOW, order, DecisionKind::Adopt, |_| ());
        logs.modify(order, sample::models(&["LX-200", "LX-300"]));
        let outcome = |text| look(&logs, text, "DE").outcome;
        assert_eq!(
            [outcome("LX-100"), outcome("LX-200"), outcome("LX-300")],
            [Outcome::None, Outcome::Blocked, Outcome::None]
        );
        assert_eq!(look(&logs, "LX-300", "US").outcome, Outcome::Blocked);
    }

    #[test]
    fn selectors_of_a_late_body_are_found_and_until_then_nothing_is_certain() {
        let mut logs = Logs::new();
        let digest = Hash::of(b"body");
        let act = crate::statement::Act::Order(Box::new(sample::models(&["LX-100"])));
        let statement = logs.statement("us", NOW, act);
        let bodies = vec![sample::lasting(digest)];
        let issued = logs.write(
            "us",
            crate::statement::Statement {
                bodies,
                ..statement
            },
        );
        assert_eq!(said(&logs, "LX-100").1, Some(Limit::SelectorsMissing));
        assert_eq!(look(&logs, "LX-200", "US").matches, []);
        logs.body(&issued, digest, Some(sample::order_body(&["LX-200"])));
        assert_eq!(said(&logs, "LX-100"), (Outcome::Blocked, None, "model"));
        assert_eq!(said(&logs, "LX-200"), (Outcome::Blocked, None, "model"));
        assert!(logs.registry.find(&reference(issued.id)).is_some());
    }

    #[test]
    fn nothing_found_is_never_clear() {
        let logs = Logs::new();
        for (text, is_missing) in [
            ("9405", true),
            ("940511", true),
            ("Acme Lamps", true),
            (LEI, true),
            (GTIN, false),
            ("96385074", false),
            ("WX-9000", false),
        ] {
            let found = look(&logs, text, "DE");
            assert_eq!(
                (found.outcome, found.decisive_missing),
                (Outcome::None, is_missing),
                "{text}"
            );
        }
        assert_eq!(Typed::read("  ").unwrap_err().code(), "LOOKUP_EMPTY");
        assert_eq!(
            Typed::read(&"x".repeat(257)).unwrap_err().code(),
            "LOOKUP_TOO_LONG"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}|[0-9A-Za-z .-]{0,30}") {
            let mut logs = Logs::new();
            logs.issue(all_kinds());
            if let Ok(typed) = Typed::read(&text) {
                let _ = lookup(&logs.registry, &typed, "US", NOW);
            }
        }
    }
}
