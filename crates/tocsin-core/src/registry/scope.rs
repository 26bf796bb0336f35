//! What is left of a text after its issuer narrowed it, and whether a later text is only a
//! narrowing.
//!
//! A jurisdiction judged one text. What its issuer takes away later is gone there at once; what its
//! issuer adds waits for a fresh decision (DESIGN decision 6). Both follow from intersecting the
//! texts.

mod goods;
mod parties;
mod terms;

use crate::order::{Order, ScopeKind};
use crate::product::{Article, Selector, SelectorKind, Subject};
use crate::right::Right;
use crate::terms::Terms;

use goods::{Budget, Goods};
use parties::Names;

/// The goods, parties and time that both texts bar, in the words of `text`; `None` when its
/// selectors would be more than a scope can have, or too much to compare.
pub(super) fn narrowed(text: &Order, by: &Order) -> Option<Order> {
    let goods = Goods::of(&by.articles);
    let mut budget = Budget::new();
    let mut articles = Vec::new();
    for article in &text.articles {
        let selectors = goods.common(&article.selectors, &mut budget)?;
        if !selectors.is_empty() || goods.tells(article) {
            articles.push(Article {
                description: article.description.clone(),
                selectors,
            });
        }
    }
    let rights = &by.rights;
    let bounded = bounded(text, by);
    // No movement is barred by both.
    if bounded.articles.is_empty() {
        return Some(bounded);
    }
    Some(Order {
        articles,
        rights: text
            .rights
            .iter()
            .filter(|right| rights.iter().any(|other| is_same(right, other)))
            .cloned()
            .collect(),
        ..bounded
    })
}

/// As [`narrowed`], but of parties, time and terms only: what can be said while the articles of
/// `by` are not all here. No articles are left where no movement is barred by both.
pub(super) fn bounded(text: &Order, by: &Order) -> Order {
    let (scope, respondents) = match (text.scope, by.scope) {
        (ScopeKind::General | ScopeKind::Limited, ScopeKind::General) => {
            (text.scope, text.respondents.clone())
        }
        (ScopeKind::General, ScopeKind::Limited) => (ScopeKind::Limited, by.respondents.clone()),
        (ScopeKind::Limited, ScopeKind::Limited) => {
            let others = Names::of(&by.respondents);
            (
                ScopeKind::Limited,
                text.respondents
                    .iter()
                    .filter_map(|party| others.common(party))
                    .collect(),
            )
        }
    };
    let (articles, terms) = match terms::common(text, by, &respondents) {
        Some(terms) => (text.articles.clone(), terms),
        None => (Vec::new(), Terms::default()),
    };
    Order {
        scope,
        respondents,
        articles,
        terms,
        from_ms: text.from_ms.max(by.from_ms),
        until_ms: match (text.until_ms, by.until_ms) {
            (0, until) | (until, 0) => until,
            (ours, theirs) => ours.min(theirs),
        },
        // Counterfeits are held with more care, and an exercise bars nothing: either text's word is
        // enough.
        counterfeit: text.counterfeit || by.counterfeit,
        exercise: text.exercise || by.exercise,
        ..text.clone()
    }
}

/// Whether nothing is left: no goods, no party where one must be named, or no time.
pub(super) fn is_empty(text: &Order) -> bool {
    text.articles.is_empty()
        || (text.scope == ScopeKind::Limited && text.respondents.is_empty())
        || (text.until_ms != 0 && text.until_ms <= text.from_ms)
}

/// Whether `new` bars nothing that `old` does not, so that whoever judged `old` need not judge
/// again.
pub(super) fn is_within(new: &Order, old: &Order) -> bool {
    let end = |order: &Order| {
        if order.until_ms == 0 {
            i64::MAX
        } else {
            order.until_ms
        }
    };
    new.instrument == old.instrument
        && new.phase == old.phase
        && (new.counterfeit || !old.counterfeit)
        && (new.exercise || !old.exercise)
        && new.from_ms >= old.from_ms
        && end(new) <= end(old)
        && new
            .rights
            .iter()
            .all(|right| old.rights.iter().any(|other| is_same(right, other)))
        && are_parties_within(new, old)
        && terms::is_within(new, old)
        && {
            let goods = Goods::of(&old.articles);
            let mut budget = Budget::new();
            let mut articles = new.articles.iter();
            articles.all(|article| goods.cover(article, &mut budget))
        }
}

/// Whether some of the same goods are named by both, by what can decide: item, model or serial
/// numbers.
pub(super) fn share_goods(text: &Order, other: &Order) -> bool {
    let goods = Goods::of(&other.articles);
    let mut budget = Budget::new();
    text.articles.iter().any(|article| {
        goods
            .common(&article.selectors, &mut budget)
            .is_none_or(|common| {
                let mut kinds = common.iter().map(Selector::kind);
                kinds.any(|kind| match kind.subject() {
                    Subject::Goods => kind != SelectorKind::Batch,
                    Subject::Consignment => true,
                    Subject::Party | Subject::Hint => false,
                })
            })
    })
}

fn are_parties_within(new: &Order, old: &Order) -> bool {
    if old.scope == ScopeKind::General {
        return true;
    }
    let known = Names::of(&old.respondents);
    new.scope == ScopeKind::Limited && new.respondents.iter().all(|party| known.cover(party))
}

/// Whether two rights are one in their register; which claims are relied on is not the register's
/// matter.
fn is_same(right: &Right, other: &Right) -> bool {
    (right.kind, &right.office, &right.number) == (other.kind, &other.office, &other.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::product::{HsCode, SerialRange, TariffCode};
    use crate::registry::sample;

    fn goods(selectors: &[Selector]) -> Order {
        sample::order(&[("lamps", selectors)])
    }

    fn gtin(text: &str) -> Selector {
        Selector::Gtin(text.into())
    }

    fn hs(code: &str) -> Selector {
        Selector::Hs(HsCode {
            code: code.into(),
            edition: 2022,
        })
    }

    fn serial(low: u64, high: u64) -> Selector {
        Selector::Serial(SerialRange {
            prefix: "A".into(),
            low,
            high,
            width: 4,
        })
    }

    fn left(text: &[Selector], by: &[Selector]) -> Vec<Selector> {
        let order = narrowed(&goods(text), &goods(by)).unwrap();
        order
            .articles
            .into_iter()
            .flat_map(|article| article.selectors)
            .collect()
    }

    #[test]
    fn what_both_texts_name_is_left_however_it_is_written() {
        let model = |text: &str| Selector::Model(text.into());
        assert_eq!(
            left(
                &[gtin("4006381333931"), model("lx-100"), gtin("96385074")],
                &[gtin("04006381333931"), model("LX100"), model("LX200")],
            ),
            [gtin("4006381333931"), model("lx-100")]
        );
    }

    #[test]
    fn tariff_codes_and_serial_ranges_are_cut_to_what_is_common() {
        assert_eq!(
            left(&[hs("9405")], &[hs("940511"), hs("94051")]),
            [hs("940511")]
        );
        assert_eq!(left(&[hs("940511")], &[hs("94")]), [hs("940511")]);
        assert_eq!(left(&[hs("9405")], &[hs("8517")]), []);
        let other = Selector::Hs(HsCode {
            code: "9405".into(),
            edition: 2017,
        });
        assert_eq!(left(&[hs("9405")], &[other]), []);
        assert_eq!(
            left(
                &[serial(10, 100)],
                &[
                    serial(0, 20),
                    serial(50, 60),
                    serial(61, 70),
                    serial(200, 300)
                ]
            ),
            [serial(10, 20), serial(50, 70)]
        );
    }

    #[test]
    fn goods_told_in_words_stay_while_the_words_stay() {
        let told = |text: &str| sample::order(&[(text, &[])]);
        assert!(!is_empty(
            &narrowed(&told("lamps"), &told("lamps")).unwrap()
        ));
        assert!(is_empty(
            &narrowed(&told("lamps"), &told("chairs")).unwrap()
        ));
        // Selectors that are gone match nothing any more, but the words still bar the goods.
        let order = narrowed(&goods(&[hs("9405")]), &told("lamps")).unwrap();
        assert_eq!(order.articles[0].selectors, []);
        assert!(!is_empty(&order));
    }

    #[test]
    fn limited_and_general_have_the_respondents_in_common() {
        let limited = |names: &[&str]| sample::limited(goods(&[hs("94")]), names);
        let general = goods(&[hs("94")]);
        let names = |order: Order| -> Vec<String> {
            assert_eq!(order.scope, ScopeKind::Limited);
            order
                .respondents
                .into_iter()
                .flat_map(|party| party.names)
                .collect()
        };
        assert_eq!(
            names(narrowed(&general, &limited(&["A", "B"])).unwrap()),
            ["A", "B"]
        );
        assert_eq!(
            names(narrowed(&limited(&["A", "B"]), &general).unwrap()),
            ["A", "B"]
        );
        assert_eq!(
            names(narrowed(&limited(&["A", "B"]), &limited(&["b", "C"])).unwrap()),
            ["B"]
        );
        assert!(is_empty(
            &narrowed(&limited(&["A"]), &limited(&["B"])).unwrap()
        ));
    }

    #[test]
    fn windows_are_cut_to_what_is_common() {
        let window = |from_ms, until_ms| Order {
            from_ms,
            until_ms,
            ..goods(&[hs("94")])
        };
        let order = narrowed(&window(10, 0), &window(5, 50)).unwrap();
        assert_eq!((order.from_ms, order.until_ms), (10, 50));
        assert!(is_empty(
            &narrowed(&window(10, 20), &window(20, 0)).unwrap()
        ));
    }

    #[test]
    fn a_narrowing_is_within_and_a_widening_is_not() {
        let old = Order {
            from_ms: 10,
            until_ms: 50,
            ..goods(&[hs("9405"), serial(10, 100)])
        };
        let same = |change: fn(&mut Order)| {
            let mut new = old.clone();
            change(&mut new);
            is_within(&new, &old)
        };
        assert!(same(|_| ()));
        assert!(same(
            |new| new.articles[0].selectors = vec![hs("940511"), serial(20, 30)]
        ));
        assert!(same(|new| *new = sample::limited(new.clone(), &["A"])));
        assert!(same(|new| new.until_ms = 40));
        assert!(same(|new| new.counterfeit = true));
        assert!(same(|new| new.rights.clear()));
        assert!(!same(|new| new.articles[0].selectors.push(hs("8517"))));
        assert!(!same(|new| new.articles[0].selectors.push(serial(5, 30))));
        assert!(!same(|new| new.articles[0].selectors.clear()));
        assert!(!same(|new| new.until_ms = 0));
        assert!(!same(|new| new.from_ms = 5));
        assert!(!same(
            |new| new.instrument = crate::order::Instrument::CourtInjunction
        ));
        assert!(!same(|new| new.rights[0].number = "2".into()));
        let limited = sample::limited(old.clone(), &["A", "B"]);
        assert!(is_within(&sample::limited(old.clone(), &["B"]), &limited));
        assert!(!is_within(&sample::limited(old.clone(), &["C"]), &limited));
        assert!(!is_within(&old, &limited));
    }

    #[test]
    fn patterns_and_national_codes_are_cut_to_what_is_common() {
        let model = |text: &str| Selector::Model(text.into());
        let form = |text: &str| Selector::ModelPattern(text.into());
        assert_eq!(left(&[form("LX*")], &[form("lx-1*")]), [form("LX1*")]);
        assert_eq!(left(&[form("LX1*")], &[form("LX*")]), [form("LX1*")]);
        let models = [model("LX-100"), model("LZ-1")];
        assert_eq!(left(&models, &[form("LX*")]), [model("LX-100")]);
        assert_eq!(left(&[form("LX*")], &models), [model("LX100")]);
        assert_eq!(left(&[form("LX?1")], &[form("LX1?")]), []);
        let code = |code: &str, edition| {
            Selector::Tariff(TariffCode {
                code: code.into(),
                jurisdiction: "US".into(),
                edition,
            })
        };
        let ten = [code("9405110010", 2026)];
        assert_eq!(left(&[hs("9405")], &ten), ten);
        assert_eq!(left(&ten, &[hs("940511")]), ten);
        assert_eq!(left(&[code("94051100", 2026)], &ten), ten);
        assert_eq!(left(&ten, &[code("94051100", 2026)]), ten);
        assert_eq!(left(&[code("94051100", 2025)], &ten), []);
        // The tariff of 2028 stands under another edition of the Harmonized System.
        assert_eq!(left(&[code("9405110010", 2028)], &[hs("9405")]), []);
    }

    #[test]
    fn patterns_that_are_too_many_to_compare_are_not_guessed() {
        let forms = |end: &str| -> Vec<Selector> {
            let forms = (0..2_000).map(|at| format!("AA{at:04}*{end}"));
            forms.map(Selector::ModelPattern).collect()
        };
        let (text, by) = (goods(&forms("B")), goods(&forms("C")));
        assert!(
            narrowed(&text, &by).is_some(),
            "their beginnings tell them apart"
        );
        let alike = |end: &str| -> Vec<Selector> {
            let forms = (0..2_000).map(|at| format!("AA*{at:04}{end}"));
            forms.map(Selector::ModelPattern).collect()
        };
        let (text, by) = (goods(&alike("B")), goods(&alike("C")));
        assert!(narrowed(&text, &by).is_none());
    }

    #[test]
    fn what_cannot_be_counted_is_not_guessed() {
        let wide = vec![serial(0, 9_999)];
        let body = |count: usize| Article {
            description: String::new(),
            selectors: (0..count)
                .map(|at| serial(3 * at as u64, 3 * at as u64 + 1))
                .collect(),
        };
        let by = Order {
            articles: vec![body(3_000)],
            ..goods(&[])
        };
        let article = Article {
            description: String::new(),
            selectors: wide,
        };
        let text = Order {
            articles: vec![article; 60],
            ..goods(&[])
        };
        assert!(narrowed(&text, &by).is_none());
    }
}
