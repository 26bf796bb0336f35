//! The terms that two texts have in common, and whether one bars no more than the other.
//!
//! Whatever lets goods pass counts if either text has it; whatever binds counts if both do.

use std::collections::BTreeSet;

use super::goods::{Budget, Goods};
use super::parties::Names;
use crate::order::{Order, ScopeKind};
use crate::party::Party;
use crate::product::Selector;
use crate::terms::{CarveOut, Direction, Related, Terms};

/// The terms of what both texts bar; its respondents are known already. `None` when no movement is
/// barred by both.
pub(super) fn common(text: &Order, by: &Order, respondents: &[Party]) -> Option<Terms> {
    let (ours, theirs) = (&text.terms, &by.terms);
    let directions = directions(ours, theirs)?;
    let (relations, related) = match (text.scope, by.scope) {
        (ScopeKind::General | ScopeKind::Limited, ScopeKind::General) => {
            (ours.relations.clone(), ours.related.clone())
        }
        (ScopeKind::General, ScopeKind::Limited) => {
            (theirs.relations.clone(), theirs.related.clone())
        }
        (ScopeKind::Limited, ScopeKind::Limited) => (
            &ours.relations & &theirs.relations,
            related(text, by, respondents),
        ),
    };
    Some(Terms {
        directions,
        relations,
        related,
        downstream: ours.downstream.min(theirs.downstream),
        carve_outs: either(&ours.carve_outs, &theirs.carve_outs),
        authorised: either(&ours.authorised, &theirs.authorised),
        bond: match (&ours.bond, &theirs.bond) {
            (Some(one), Some(other)) if one.until_ms > other.until_ms => Some(one.clone()),
            (Some(_) | None, Some(other)) => Some(other.clone()),
            (one, None) => one.clone(),
        },
        breadth: ours.breadth,
        certification: theirs
            .certification
            .clone()
            .or_else(|| ours.certification.clone()),
    })
}

/// The movements that both bar; nothing said where both say nothing.
fn directions(ours: &Terms, theirs: &Terms) -> Option<BTreeSet<Direction>> {
    if ours.directions.is_empty() && theirs.directions.is_empty() {
        return Some(BTreeSet::new());
    }
    let both = Direction::ALL.iter().copied();
    let both: BTreeSet<Direction> = both
        .filter(|way| ours.bars(*way) && theirs.bars(*way))
        .collect();
    (!both.is_empty()).then_some(both)
}

/// Firms that both texts know in one relation, for the time that both do, to a respondent that is
/// left.
fn related(text: &Order, by: &Order, respondents: &[Party]) -> Vec<Related> {
    let place = |related: &Related, order: &Order| {
        respondent(related, order).and_then(|party| place_of(party, respondents))
    };
    let bound =
        |related: &&Related| by.terms.binds(related.relation) && text.terms.binds(related.relation);
    // Names are folded once: many firms may be named on both sides.
    let others = by.terms.related.iter().filter(bound).filter_map(|other| {
        let names = Names::of(std::slice::from_ref(&other.party));
        Some((other, place(other, by)?, names))
    });
    let others: Vec<(&Related, u32, Names)> = others.collect();
    let mut common = Vec::new();
    for ours in text.terms.related.iter().filter(bound) {
        let Some(of) = place(ours, text) else {
            continue;
        };
        let same = others
            .iter()
            .filter(|(theirs, place, _)| theirs.relation == ours.relation && *place == of);
        for (theirs, _, names) in same {
            let from_ms = ours.from_ms.max(theirs.from_ms);
            let until_ms = match (ours.until_ms, theirs.until_ms) {
                (0, until) | (until, 0) => until,
                (one, other) => one.min(other),
            };
            if until_ms != 0 && until_ms <= from_ms {
                continue;
            }
            common.extend(names.common(&ours.party).map(|party| Related {
                relation: ours.relation,
                of,
                party,
                from_ms,
                until_ms,
            }));
        }
    }
    common
}

fn respondent<'a>(related: &Related, order: &'a Order) -> Option<&'a Party> {
    let place = usize::try_from(related.of).ok()?;
    order.respondents.get(place)
}

/// Where a respondent stands among those that are left.
fn place_of(party: &Party, respondents: &[Party]) -> Option<u32> {
    let names = Names::of(std::slice::from_ref(party));
    let place = respondents
        .iter()
        .position(|left| names.common(left).is_some())?;
    u32::try_from(place).ok()
}

/// What either has, each once.
fn either<T: Clone + PartialEq>(ours: &[T], theirs: &[T]) -> Vec<T> {
    let mut all = ours.to_vec();
    all.extend(theirs.iter().filter(|one| !ours.contains(one)).cloned());
    all
}

/// Whether `new` bars nothing by its terms that `old` does not.
pub(super) fn is_within(new: &Order, old: &Order) -> bool {
    let (ours, theirs) = (&new.terms, &old.terms);
    let mut ways = Direction::ALL.iter();
    ways.all(|way| theirs.bars(*way) || !ours.bars(*way))
        && (old.scope == ScopeKind::General || are_relations_within(new, old))
        && ours.downstream <= theirs.downstream
        && theirs
            .carve_outs
            .iter()
            .all(|had| ours.carve_outs.iter().any(|now| is_as_wide(now, had)))
        && is_authorised_within(ours, theirs)
        && theirs.bond.as_ref().is_none_or(|had| {
            let now = ours.bond.as_ref();
            now.is_some_and(|now| now.text == had.text && now.until_ms >= had.until_ms)
        })
        && (theirs.certification.is_none() || ours.certification == theirs.certification)
}

fn is_authorised_within(ours: &Terms, theirs: &Terms) -> bool {
    let known = Names::of(&ours.authorised);
    theirs.authorised.iter().all(|party| known.cover(party))
}

fn are_relations_within(new: &Order, old: &Order) -> bool {
    new.terms.relations.is_subset(&old.terms.relations)
        && new.terms.related.iter().all(|now| {
            old.terms.related.iter().any(|had| {
                now.relation == had.relation
                    && Names::of(std::slice::from_ref(&had.party)).cover(&now.party)
                    && is_window_within((now.from_ms, now.until_ms), (had.from_ms, had.until_ms))
                    && is_same_respondent(respondent(now, new), respondent(had, old))
            })
        })
}

fn is_same_respondent(now: Option<&Party>, had: Option<&Party>) -> bool {
    match (now, had) {
        (Some(now), Some(had)) => Names::of(std::slice::from_ref(had)).cover(now),
        (None, _) | (_, None) => false,
    }
}

/// Whether a carve-out lets everything pass that another did. Its words may hold conditions, so
/// that they must be the same.
fn is_as_wide(now: &CarveOut, had: &CarveOut) -> bool {
    let is_one = (now.kind, &now.text) == (had.kind, &had.text)
        && is_window_within((had.from_ms, had.until_ms), (now.from_ms, now.until_ms));
    if !is_one {
        return false;
    }
    let is_goods = now.selectors.is_empty()
        || (!had.selectors.is_empty() && do_goods_cover(&now.selectors, &had.selectors));
    let known = Names::of(&now.parties);
    let is_parties = now.parties.is_empty()
        || (!had.parties.is_empty() && had.parties.iter().all(|party| known.cover(party)));
    is_goods && is_parties
}

fn do_goods_cover(wide: &[Selector], narrow: &[Selector]) -> bool {
    let mut budget = Budget::new();
    Goods::named_by(wide).cover_all(narrow, &mut budget)
}

/// Whether a window lies in another; an end of 0 is open.
fn is_window_within((from, until): (i64, i64), (low, high): (i64, i64)) -> bool {
    from >= low && (high == 0 || (until != 0 && until <= high))
}

#[cfg(test)]
mod tests {
    use super::super::{is_empty, is_within, narrowed};
    use super::*;
    use crate::party::PartyKind;
    use crate::registry::sample;
    use crate::terms::{Bond, CarveOutKind, Downstream, Relation};

    fn party(name: &str) -> Party {
        Party {
            kind: PartyKind::Company,
            names: vec![name.to_owned()],
            identifiers: Vec::new(),
            country: String::new(),
        }
    }

    fn order(change: impl FnOnce(&mut Terms)) -> Order {
        let mut order = sample::limited(sample::models(&["LX-100"]), &["Acme", "Brill"]);
        change(&mut order.terms);
        order
    }

    fn left(text: &Order, by: &Order) -> Order {
        narrowed(text, by).unwrap()
    }

    fn related(name: &str, of: u32, until_ms: i64) -> Related {
        Related {
            relation: Relation::Affiliate,
            of,
            party: party(name),
            from_ms: 0,
            until_ms,
        }
    }

    fn carve_out(selectors: &[&str]) -> CarveOut {
        let selectors = selectors
            .iter()
            .map(|text| Selector::Model((*text).to_owned()));
        CarveOut {
            kind: CarveOutKind::CertifiedRedesign,
            text: "the redesign".to_owned(),
            selectors: selectors.collect(),
            parties: Vec::new(),
            from_ms: 0,
            until_ms: 0,
        }
    }

    fn bond(until_ms: i64) -> Option<Bond> {
        let text = "100 %".to_owned();
        Some(Bond { text, until_ms })
    }

    /// Both at once: `new` narrows `old`, is applied at once, and needs no fresh decision; the
    /// reverse widens it.
    fn narrows(new: &Order, old: &Order) {
        assert!(is_within(new, old), "{:?}", new.terms);
        assert!(!is_within(old, new), "{:?}", new.terms);
        assert_eq!(left(old, new).terms, new.terms);
        assert_eq!(left(new, old).terms, new.terms);
    }

    #[test]
    fn dropping_a_direction_narrows_and_silence_is_import() {
        use Direction::{Export, Import, Transit};
        let of =
            |ways: &[Direction]| order(|terms| terms.directions = ways.iter().copied().collect());
        narrows(&of(&[Import]), &of(&[Import, Transit]));
        let (silent, both) = (of(&[]), of(&[Import, Transit]));
        assert!(is_within(&silent, &both) && !is_within(&both, &silent));
        assert_eq!(left(&both, &silent).terms.directions, [Import].into());
        assert!(is_within(&of(&[Import]), &silent) && is_within(&silent, &of(&[Import])));
        assert!(is_empty(&left(&of(&[Import]), &of(&[Export]))));
        assert!(is_empty(&left(&silent, &of(&[Transit]))));
    }

    #[test]
    fn dropping_a_relation_or_a_related_firm_narrows() {
        let of = |list: Vec<Related>| {
            order(|terms| {
                terms.relations = [Relation::Affiliate].into();
                terms.related = list;
            })
        };
        narrows(&order(|_| ()), &of(vec![]));
        narrows(
            &of(vec![related("Sub", 1, 0)]),
            &of(vec![related("Sub", 1, 0), related("Co", 0, 0)]),
        );
        narrows(
            &of(vec![related("Sub", 1, 50)]),
            &of(vec![related("Sub", 1, 0)]),
        );
        // The same firm of another respondent is another fact.
        let (one, other) = (
            of(vec![related("Sub", 0, 0)]),
            of(vec![related("Sub", 1, 0)]),
        );
        assert!(!is_within(&one, &other));
        assert!(left(&one, &other).terms.related.is_empty());
    }

    #[test]
    fn a_related_firm_follows_its_respondent_when_others_go() {
        let mut old = order(|terms| {
            terms.relations = [Relation::Affiliate].into();
            terms.related = vec![related("Sub", 1, 0), related("Co", 0, 0)];
        });
        let mut new = sample::limited(old.clone(), &["Brill"]);
        new.terms.related = vec![related("Sub", 0, 0)];
        let kept = left(&old, &new);
        assert_eq!(kept.respondents[0].names, ["Brill"]);
        assert_eq!(kept.terms.related, [related("Sub", 0, 0)]);
        assert!(is_within(&new, &old));
        old.scope = ScopeKind::General;
        assert_eq!(left(&old, &new).terms.related, [related("Sub", 0, 0)]);
    }

    #[test]
    fn whatever_lets_goods_pass_narrows() {
        let plain = order(|_| ());
        narrows(
            &order(|terms| terms.carve_outs = vec![carve_out(&["LX-100"])]),
            &plain,
        );
        narrows(
            &order(|terms| terms.authorised = vec![party("Genuine")]),
            &plain,
        );
        narrows(&order(|terms| terms.bond = bond(50)), &plain);
        narrows(
            &order(|terms| terms.bond = bond(60)),
            &order(|terms| terms.bond = bond(50)),
        );
        narrows(
            &order(|terms| terms.certification = Some("so".to_owned())),
            &plain,
        );
        narrows(
            &plain,
            &order(|terms| terms.downstream = Some(Downstream::Listed)),
        );
        let any = order(|terms| terms.downstream = Some(Downstream::Any));
        narrows(
            &order(|terms| terms.downstream = Some(Downstream::Listed)),
            &any,
        );
    }

    #[test]
    fn a_wider_carve_out_narrows_and_both_stand() {
        let of = |carve_outs: Vec<CarveOut>| order(|terms| terms.carve_outs = carve_outs);
        let some = of(vec![carve_out(&["LX-100"])]);
        let more = of(vec![carve_out(&["LX-100", "LX-200"])]);
        let all = of(vec![carve_out(&[])]);
        assert!(is_within(&more, &some) && !is_within(&some, &more));
        assert!(is_within(&all, &more) && !is_within(&more, &all));
        assert_eq!(left(&some, &more).terms.carve_outs.len(), 2);
        let mut reworded = carve_out(&["LX-100"]);
        reworded.text = "the redesign, with a certificate".to_owned();
        assert!(
            !is_within(&of(vec![reworded]), &some),
            "words may hold conditions"
        );
        let mut shorter = carve_out(&["LX-100"]);
        shorter.until_ms = 50;
        assert!(!is_within(&of(vec![shorter.clone()]), &some));
        assert!(is_within(&some, &of(vec![shorter])));
        let mut mine = carve_out(&["LX-100"]);
        mine.parties = vec![party("Mine")];
        assert!(!is_within(&of(vec![mine.clone()]), &some) && is_within(&some, &of(vec![mine])));
    }
}
