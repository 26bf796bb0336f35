//! What the goods of a line and an article have in common, one selector after another.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::order::Order;
use tocsin_core::product::{
    Article, CONSIGNMENT_MS, ImageHash, Selector, SelectorKind, SerialRange,
};
use tocsin_core::terms::Downstream;
use tocsin_screen::line::{Line, MAX_LINE_VALUES};

use crate::declared::{Goods, Values, numbers};
use crate::matcher::Agreement;
use crate::{forms, parties, pattern};

/// What the goods of a line and an article have in common.
#[derive(Debug)]
pub struct GoodsSide {
    pub agreement: Agreement,
    pub is_contradicted: bool,
    /// What decides is a genuine number, which fakes bear too.
    pub is_by_copied_number: bool,
    /// What decides is built into the goods.
    pub is_downstream: bool,
}

/// How one selector and a line compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Compared {
    /// The line says nothing readable there.
    Unsaid,
    /// It says something else.
    Other,
    /// It says less than the order, or what cannot be compared: it may be the same.
    Open,
    /// It says the same.
    Same,
}

/// What a fact can do by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Nothing,
    Suggests,
    Decides,
}

/// What is built into the goods, as far as the order is on downstream goods; and whether it is what
/// the order is about, so that the goods around it have other numbers.
fn built_in(order: &Order, article: &Article, goods: &Goods) -> (Agreement, bool) {
    let components = article
        .selectors
        .iter()
        .map(|selector| of_components(selector, goods));
    let found = components.max().unwrap_or(Agreement::Unsaid);
    let is_around = found == Agreement::Agrees && order.terms.downstream.is_some();
    let counts = match order.terms.downstream {
        None => Agreement::Unsaid,
        Some(Downstream::Listed) => found.min(Agreement::Suggested),
        Some(Downstream::Any) => found,
    };
    (counts, is_around)
}

/// Compares an article.
pub fn side(
    order: &Order,
    article: &Article,
    line: &Line<'_>,
    goods: &Goods,
    at: i64,
) -> GoodsSide {
    let mut by_group: BTreeMap<Group, Compared> = BTreeMap::new();
    let mut deciding: BTreeSet<SelectorKind> = BTreeSet::new();
    let mut is_suggested = false;
    let mut is_stale = false;
    for selector in &article.selectors {
        let (compared, weight) = compare(selector, line, goods);
        if let Some(group) = group(selector.kind()) {
            let known = by_group.entry(group).or_insert(Compared::Unsaid);
            *known = compared.max(*known);
        }
        if compared != Compared::Same {
            continue;
        }
        match weight {
            Weight::Decides if is_consignment(selector.kind()) && is_past(order, at) => {
                is_stale = true;
            }
            Weight::Decides => {
                deciding.insert(selector.kind());
            }
            Weight::Suggests => is_suggested = true,
            Weight::Nothing => {}
        }
    }
    let (built_in, is_around) = built_in(order, article, goods);
    let by_party = article
        .selectors
        .iter()
        .any(|selector| is_of_a_party(selector, line));
    let identity = [Group::Item, Group::Model, Group::Brand, Group::Serial];
    let of_identity = |wanted| {
        identity
            .iter()
            .any(|group| by_group.get(group) == Some(&wanted))
    };
    let agreement = if !deciding.is_empty() || built_in == Agreement::Agrees {
        Agreement::Agrees
    } else if is_suggested || is_stale || by_party || built_in == Agreement::Suggested {
        Agreement::Suggested
    } else if of_identity(Compared::Other) || by_group.get(&Group::Tariff) == Some(&Compared::Other)
    {
        Agreement::Differs
    } else {
        Agreement::Unsaid
    };
    GoodsSide {
        agreement,
        is_contradicted: agreement >= Agreement::Suggested
            && of_identity(Compared::Other)
            && !is_around,
        is_by_copied_number: deciding.contains(&SelectorKind::Gtin)
            && deciding.iter().all(|kind| {
                matches!(
                    kind,
                    SelectorKind::Gtin | SelectorKind::Model | SelectorKind::ModelPattern
                )
            }),
        is_downstream: deciding.is_empty()
            && is_around
            && order.terms.downstream == Some(Downstream::Listed),
    }
}

/// How far the goods are those of a carve-out, which any of its selectors may say. A line that says
/// for certain what the goods are, and none of them, says that they are others.
pub fn of_carve_out(selectors: &[Selector], line: &Line<'_>, goods: &Goods) -> Agreement {
    let same = |selector: &Selector| match compare(selector, line, goods) {
        (Compared::Same, weight) => Some(weight),
        (Compared::Unsaid | Compared::Other | Compared::Open, _) => None,
    };
    match selectors.iter().filter_map(same).max() {
        _ if selectors.is_empty() => Agreement::Agrees,
        Some(Weight::Decides) => Agreement::Agrees,
        Some(Weight::Suggests | Weight::Nothing) => Agreement::Suggested,
        None if is_certain(goods) => Agreement::Differs,
        None => Agreement::Unsaid,
    }
}

/// Whether the line has an item, model or serial number that can be read. A word is no model
/// number.
pub fn is_certain(goods: &Goods) -> bool {
    let is_number =
        |model: &String| model.chars().count() >= 5 && model.chars().any(|c| c.is_ascii_digit());
    !goods.gtins.read.is_empty()
        || goods.models.read.iter().any(is_number)
        || !goods.serials.read.is_empty()
}

/// Facts that say the same thing of goods in several ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group {
    Item,
    Model,
    Serial,
    Batch,
    Brand,
    Tariff,
}

fn group(kind: SelectorKind) -> Option<Group> {
    match kind {
        SelectorKind::Gtin => Some(Group::Item),
        SelectorKind::Model | SelectorKind::ModelPattern => Some(Group::Model),
        SelectorKind::Serial => Some(Group::Serial),
        SelectorKind::Batch => Some(Group::Batch),
        SelectorKind::Brand => Some(Group::Brand),
        SelectorKind::Hs | SelectorKind::Tariff => Some(Group::Tariff),
        SelectorKind::Mid
        | SelectorKind::Lei
        | SelectorKind::Eori
        | SelectorKind::Importer
        | SelectorKind::Duns
        | SelectorKind::Container
        | SelectorKind::Transport
        | SelectorKind::Vessel
        | SelectorKind::Listing
        | SelectorKind::Origin
        | SelectorKind::Description
        | SelectorKind::Image => None,
    }
}

fn is_consignment(kind: SelectorKind) -> bool {
    matches!(kind, SelectorKind::Container | SelectorKind::Transport)
}

/// Containers and transport documents serve other goods after 90 days.
fn is_past(order: &Order, at: i64) -> bool {
    at >= order.from_ms + CONSIGNMENT_MS
}

fn compare(selector: &Selector, line: &Line<'_>, goods: &Goods) -> (Compared, Weight) {
    let with = |values: &Values, canonical: Option<String>| match canonical {
        _ if values.read.is_empty() => Compared::Unsaid,
        Some(canonical) if values.has(&canonical) => Compared::Same,
        Some(_) | None => Compared::Other,
    };
    match selector {
        Selector::Gtin(text) => (with(&goods.gtins, forms::gtin(text)), Weight::Decides),
        Selector::Model(text) => {
            let model = forms::model(text);
            let is_long = model
                .as_ref()
                .is_some_and(|model| model.chars().count() >= 5);
            (with(&goods.models, model), decides_if(is_long))
        }
        Selector::ModelPattern(text) => (
            any(&goods.models, pattern::is_pattern(text), |model| {
                pattern::matches(text, model)
            }),
            decides_if(pattern::significant(text) >= 5),
        ),
        Selector::Serial(range) => (
            any(&goods.serials, is_range(range), |serial| {
                is_in(range, serial)
            }),
            Weight::Decides,
        ),
        Selector::Batch(text) => (with(&goods.batches, forms::model(text)), Weight::Suggests),
        Selector::Brand(text) => (with(&goods.brands, forms::brand(text)), Weight::Suggests),
        Selector::Container(text) => (
            with(&goods.containers, forms::container(text)),
            Weight::Decides,
        ),
        Selector::Transport(document) => {
            let form = forms::transport_document(document.kind, &document.number);
            (with(goods.documents(document.kind), form), Weight::Decides)
        }
        Selector::Listing(text) => (
            with(&goods.listings, forms::listing(text)),
            Weight::Suggests,
        ),
        Selector::Image(hash) => {
            let close = |image: &str| is_close(*hash, image);
            (any(&goods.images, true, close), Weight::Suggests)
        }
        Selector::Origin(country) => (origin(country, line), Weight::Nothing),
        Selector::Hs(hs) => (
            tariff(&hs.code, hs.edition, 6, line, goods),
            Weight::Nothing,
        ),
        Selector::Tariff(code) => {
            let edition = code.hs().unwrap().edition;
            let is_same = code.jurisdiction == line.tariff_country;
            let width = if is_same { 10 } else { 6 };
            (
                tariff(&code.code, edition, width, line, goods),
                Weight::Nothing,
            )
        }
        Selector::Mid(_)
        | Selector::Lei(_)
        | Selector::Eori(_)
        | Selector::Importer(_)
        | Selector::Duns(_)
        | Selector::Vessel(_)
        | Selector::Description(_) => (Compared::Unsaid, Weight::Nothing),
    }
}

/// Codes of one edition agree as far as both say something. Of two they cannot be compared, and may
/// be the same. The digits after the sixth are each country's own.
fn tariff(code: &str, edition: u32, width: usize, line: &Line<'_>, goods: &Goods) -> Compared {
    if line.tariff_edition != 0 && line.tariff_edition != edition {
        return any(&goods.tariffs, true, |_| true).min(Compared::Open);
    }
    let ours = &code[..width.min(code.len())];
    let cut = |filed: &str| filed[..width.min(filed.len())].to_owned();
    let may_be = any(&goods.tariffs, true, |filed| {
        ours.starts_with(&cut(filed)) || cut(filed).starts_with(ours)
    });
    let is_under = any(&goods.tariffs, true, |filed| filed.starts_with(code));
    if width >= code.len() && is_under == Compared::Same {
        return Compared::Same;
    }
    may_be.min(Compared::Open)
}

fn origin(country: &str, line: &Line<'_>) -> Compared {
    if line.origin.trim().eq_ignore_ascii_case(country) {
        Compared::Same
    } else {
        Compared::Unsaid
    }
}

const fn decides_if(is: bool) -> Weight {
    if is {
        Weight::Decides
    } else {
        Weight::Suggests
    }
}

fn any(values: &Values, is_form: bool, agrees: impl Fn(&str) -> bool) -> Compared {
    if values.read.is_empty() {
        return Compared::Unsaid;
    }
    let agrees = is_form && values.read.iter().any(|value| agrees(value));
    if agrees {
        Compared::Same
    } else {
        Compared::Other
    }
}

/// The article names who makes or moves the goods, and the line, in any role, the same.
fn is_of_a_party(selector: &Selector, line: &Line<'_>) -> bool {
    if let Selector::Vessel(text) = selector {
        let vessel = forms::imo(text);
        return vessel.is_some() && vessel == forms::imo(line.vessel);
    }
    let Some((register, canonical)) = parties::number(selector) else {
        return false;
    };
    let mut declared = line.parties.iter().take(MAX_LINE_VALUES).flat_map(numbers);
    declared.any(|number| number.register == register && number.canonical == canonical)
}

/// How far the number of a model is that of something built into the goods.
fn of_components(selector: &Selector, goods: &Goods) -> Agreement {
    let components = Goods {
        models: goods.components.clone(),
        ..Goods::default()
    };
    match compare(selector, &Line::default(), &components) {
        (Compared::Same, Weight::Decides) => Agreement::Agrees,
        (Compared::Same, Weight::Suggests) => Agreement::Suggested,
        (Compared::Same, Weight::Nothing)
        | (Compared::Unsaid | Compared::Other | Compared::Open, _) => Agreement::Unsaid,
    }
}

fn is_range(range: &SerialRange) -> bool {
    forms::serial_prefix(&range.prefix).is_some()
        && (1..=18).contains(&range.width)
        && range.low <= range.high
        && range.high < 10_u64.pow(range.width)
}

/// The prefix, then as many digits as the range says, between its ends.
fn is_in(range: &SerialRange, serial: &str) -> bool {
    let prefix = forms::serial_prefix(&range.prefix).unwrap();
    let Some(digits) = serial.strip_prefix(&prefix) else {
        return false;
    };
    let width = range.width as usize;
    let (low, high) = (
        format!("{:0width$}", range.low),
        format!("{:0width$}", range.high),
    );
    forms::only_digits(digits) && digits.len() == width && *low <= *digits && *digits <= *high
}

/// Pictures of the same goods differ in few of the 64 bits.
fn is_close(hash: ImageHash, declared: &str) -> bool {
    let declared = u64::from_str_radix(declared, 16).unwrap();
    (hash.bits ^ declared).count_ones() <= MAX_IMAGE_DISTANCE
}

/// The usual bound for perceptual hashes of 64 bits.
const MAX_IMAGE_DISTANCE: u32 = 10;
