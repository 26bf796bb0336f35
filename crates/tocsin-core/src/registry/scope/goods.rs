//! The goods of a text as sets: what two texts name both, and whether one names all of another.

use std::collections::{BTreeMap, BTreeSet};

use crate::order::MAX_BODY_SELECTORS;
use crate::product::pattern::ModelPattern;
use crate::product::{Article, HsCode, MAX_SELECTORS, Selector, SerialRange, TariffCode};
use crate::statement::MAX_BODIES;

/// The goods of a text, ready to be compared.
pub(super) struct Goods {
    exact: BTreeSet<Selector>,
    // By prefix and width; sorted, disjoint and never touching.
    serials: BTreeMap<(String, u32), Vec<(u64, u64)>>,
    // By what every model number of the form begins with.
    patterns: BTreeMap<String, Vec<ModelPattern>>,
    // Description, and whether some article with it has no selectors.
    narratives: BTreeMap<String, bool>,
}

/// What a comparison may still cost. It runs out at the same place at every node.
pub(super) struct Budget {
    selectors: usize,
    patterns: usize,
}

impl Budget {
    /// For one comparison of two texts.
    pub(super) const fn new() -> Self {
        Self {
            selectors: MAX_SCOPE_SELECTORS,
            patterns: MAX_PATTERN_TRIES,
        }
    }

    /// Whether a pattern may be tried once more.
    const fn try_pattern(&mut self) -> bool {
        match self.patterns.checked_sub(1) {
            Some(left) => {
                self.patterns = left;
                true
            }
            None => false,
        }
    }
}

impl Goods {
    pub(super) fn of(articles: &[Article]) -> Self {
        let mut goods = Self {
            exact: BTreeSet::new(),
            serials: BTreeMap::new(),
            patterns: BTreeMap::new(),
            narratives: BTreeMap::new(),
        };
        for article in articles {
            *goods
                .narratives
                .entry(article.description.clone())
                .or_default() |= article.selectors.is_empty();
            goods.add(&article.selectors);
        }
        goods.serials.values_mut().for_each(join);
        goods
    }

    /// Goods that are told by selectors alone.
    pub(super) fn named_by(selectors: &[Selector]) -> Self {
        let article = Article {
            description: String::new(),
            selectors: selectors.to_vec(),
        };
        Self::of(&[article])
    }

    fn add(&mut self, selectors: &[Selector]) {
        for selector in selectors.iter().filter_map(canonical) {
            if let Selector::Serial(range) = &selector {
                let key = (range.prefix.clone(), range.width);
                self.serials
                    .entry(key)
                    .or_default()
                    .push((range.low, range.high));
            }
            if let Some(pattern) = pattern_of(&selector) {
                self.patterns
                    .entry(pattern.prefix())
                    .or_default()
                    .push(pattern);
            }
            self.exact.insert(selector);
        }
    }

    /// Whether these goods are told of by the same words, where one of the two sides has only
    /// words.
    pub(super) fn tells(&self, article: &Article) -> bool {
        self.narratives
            .get(&article.description)
            .is_some_and(|has_only_words| *has_only_words || article.selectors.is_empty())
    }

    /// What of `selectors` is in these goods too; `None` when `budget` runs out.
    pub(super) fn common(
        &self,
        selectors: &[Selector],
        budget: &mut Budget,
    ) -> Option<Vec<Selector>> {
        let mut kept = Vec::new();
        let mut seen = BTreeSet::new();
        for raw in selectors {
            let Some(selector) = canonical(raw).filter(|selector| seen.insert(selector.clone()))
            else {
                continue;
            };
            let before = kept.len();
            if self.covers(&selector, budget)? {
                kept.push(raw.clone());
            } else if let Selector::Serial(range) = &selector {
                self.common_serials(range, budget.selectors, &mut kept);
            } else if let Selector::Hs(hs) = &selector {
                self.under_hs(hs, &mut kept);
            } else if let Selector::Tariff(tariff) = &selector {
                let longer = self.tariffs_under(&tariff.code);
                let longer = longer.filter(|other| is_one_tariff(other, tariff));
                kept.extend(longer.cloned().map(Selector::Tariff));
            } else if let Some(pattern) = pattern_of(&selector) {
                self.under_pattern(&pattern, budget, &mut kept)?;
            }
            budget.selectors = budget.selectors.checked_sub(kept.len() - before)?;
        }
        Some(kept)
    }

    /// Whether all of an article is in these goods.
    pub(super) fn cover(&self, article: &Article, budget: &mut Budget) -> bool {
        if article.selectors.is_empty() {
            return self.narratives.get(&article.description) == Some(&true);
        }
        self.cover_all(&article.selectors, budget)
    }

    /// Whether all that selectors name is in these goods; what is too much to compare is not known
    /// to be.
    pub(super) fn cover_all(&self, selectors: &[Selector], budget: &mut Budget) -> bool {
        let mut selectors = selectors.iter().filter_map(canonical);
        selectors.all(|selector| self.covers(&selector, budget) == Some(true))
    }

    /// Whether everything that a canonical selector names is in these goods; `None` when `budget`
    /// runs out.
    fn covers(&self, selector: &Selector, budget: &mut Budget) -> Option<bool> {
        if self.exact.contains(selector) {
            return Some(true);
        }
        if let Selector::Model(model) = selector {
            return self.has_form(model, |pattern| pattern.matches(model), budget);
        }
        if let Some(narrow) = pattern_of(selector) {
            return self.has_form(&narrow.prefix(), |wide| wide.covers(&narrow), budget);
        }
        Some(match selector {
            Selector::Hs(hs) => self.covers_hs(hs),
            Selector::Tariff(tariff) => self.covers_tariff(tariff),
            Selector::Serial(range) => self
                .serials_like(range)
                .iter()
                .any(|(low, high)| *low <= range.low && range.high <= *high),
            Selector::Gtin(_)
            | Selector::Model(_)
            | Selector::ModelPattern(_)
            | Selector::Batch(_)
            | Selector::Mid(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Brand(_)
            | Selector::Importer(_)
            | Selector::Duns(_)
            | Selector::Container(_)
            | Selector::Transport(_)
            | Selector::Vessel(_)
            | Selector::Listing(_)
            | Selector::Origin(_)
            | Selector::Description(_)
            | Selector::Image(_) => false,
        })
    }

    /// Whether some pattern takes what begins with `start`. A pattern that does begins as `start`
    /// does, so that only those are tried.
    fn has_form(
        &self,
        start: &str,
        takes: impl Fn(&ModelPattern) -> bool,
        budget: &mut Budget,
    ) -> Option<bool> {
        if self.patterns.is_empty() {
            return Some(false);
        }
        let ends = start.char_indices().map(|(at, _)| at).chain([start.len()]);
        for prefix in ends.filter_map(|end| start.get(..end)) {
            for pattern in self.patterns.get(prefix).into_iter().flatten() {
                if !budget.try_pattern() {
                    return None;
                }
                if takes(pattern) {
                    return Some(true);
                }
            }
        }
        Some(false)
    }

    /// Models and narrower forms of these goods that a pattern takes.
    fn under_pattern(
        &self,
        pattern: &ModelPattern,
        budget: &mut Budget,
        kept: &mut Vec<Selector>,
    ) -> Option<()> {
        let prefix = pattern.prefix();
        for selector in self.exact.range(Selector::Model(prefix.clone())..) {
            let Selector::Model(model) = selector else {
                break;
            };
            if !model.starts_with(&prefix) {
                break;
            }
            if !budget.try_pattern() {
                return None;
            }
            if pattern.matches(model) {
                kept.push(selector.clone());
            }
        }
        let narrower = self.patterns.range(prefix.clone()..);
        let narrower = narrower.take_while(|(start, _)| start.starts_with(&prefix));
        for other in narrower.flat_map(|(_, patterns)| patterns) {
            if !budget.try_pattern() {
                return None;
            }
            if pattern.covers(other) {
                kept.push(Selector::ModelPattern(other.to_string()));
            }
        }
        Some(())
    }

    /// A tariff code and a longer one that begins with it have the longer one in common.
    fn under_hs(&self, hs: &HsCode, kept: &mut Vec<Selector>) {
        let from = Selector::Hs(HsCode {
            code: hs.code.clone(),
            edition: 0,
        });
        let longer = self.exact.range(from..).map_while(|selector| {
            let Selector::Hs(other) = selector else {
                return None;
            };
            other.code.starts_with(&hs.code).then_some(other)
        });
        let longer = longer.filter(|other| other.edition == hs.edition);
        kept.extend(longer.cloned().map(Selector::Hs));
        let national = self
            .tariffs_under(&hs.code)
            .filter(|tariff| tariff.hs().is_some_and(|own| own.edition == hs.edition));
        kept.extend(national.cloned().map(Selector::Tariff));
    }

    /// National codes that begin with `digits`, of whichever tariff.
    fn tariffs_under<'a>(&'a self, digits: &'a str) -> impl Iterator<Item = &'a TariffCode> {
        let from = Selector::Tariff(TariffCode {
            code: digits.to_owned(),
            jurisdiction: String::new(),
            edition: 0,
        });
        self.exact.range(from..).map_while(move |selector| {
            let Selector::Tariff(other) = selector else {
                return None;
            };
            other.code.starts_with(digits).then_some(other)
        })
    }

    fn covers_tariff(&self, tariff: &TariffCode) -> bool {
        let shorter = (8..tariff.code.len()).filter_map(|digits| tariff.code.get(..digits));
        let mut shorter = shorter.map(|code| {
            Selector::Tariff(TariffCode {
                code: code.to_owned(),
                ..tariff.clone()
            })
        });
        shorter.any(|code| self.exact.contains(&code))
            || tariff.hs().is_some_and(|hs| self.covers_hs(&hs))
    }

    fn covers_hs(&self, hs: &HsCode) -> bool {
        [2, 4, 6]
            .into_iter()
            .filter_map(|digits| hs.code.get(..digits))
            .any(|code| {
                let code = HsCode {
                    code: code.to_owned(),
                    edition: hs.edition,
                };
                self.exact.contains(&Selector::Hs(code))
            })
    }

    fn common_serials(&self, range: &SerialRange, budget: usize, kept: &mut Vec<Selector>) {
        let others = self.serials_like(range);
        let first = others.partition_point(|(_, high)| *high < range.low);
        // One more than the budget is enough to run out of it.
        kept.extend(
            others
                .iter()
                .skip(first)
                .take_while(|(low, _)| *low <= range.high)
                .take(budget + 1)
                .map(|(low, high)| {
                    Selector::Serial(SerialRange {
                        low: range.low.max(*low),
                        high: range.high.min(*high),
                        ..range.clone()
                    })
                }),
        );
    }

    fn serials_like(&self, range: &SerialRange) -> &[(u64, u64)] {
        let key = (range.prefix.clone(), range.width);
        self.serials
            .get(&key)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }
}

fn is_one_tariff(one: &TariffCode, other: &TariffCode) -> bool {
    (&one.jurisdiction, one.edition) == (&other.jurisdiction, other.edition)
}

fn pattern_of(selector: &Selector) -> Option<ModelPattern> {
    if let Selector::ModelPattern(text) = selector {
        ModelPattern::parse(text).ok()
    } else {
        None
    }
}

/// Joins ranges that overlap or touch.
fn join(ranges: &mut Vec<(u64, u64)>) {
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (low, high) in ranges.drain(..) {
        match joined.last_mut() {
            Some((_, end)) if low <= end.saturating_add(1) => *end = high.max(*end),
            Some(_) | None => joined.push((low, high)),
        }
    }
    *ranges = joined;
}

/// Selectors without a canonical form match nothing; lasting bodies may hold some.
pub(super) fn canonical(selector: &Selector) -> Option<Selector> {
    selector
        .canonical()
        .ok()
        .map(|canonical| canonical.selector().clone())
}

/// Selectors of one scope: those of a statement and of as many lasting bodies as it may name.
const MAX_SCOPE_SELECTORS: usize = MAX_SELECTORS + MAX_BODIES * MAX_BODY_SELECTORS;
/// Patterns tried in one comparison of two texts, a tenth of a second of work: twice what texts
/// without a lasting body can need.
const MAX_PATTERN_TRIES: usize = 1 << 17;
