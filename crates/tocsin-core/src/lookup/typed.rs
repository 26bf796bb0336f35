//! What somebody typed, in every form in which it can match.

use crate::name::{Name, Numbered};
use crate::product::{
    Canonical, ImporterNumber, ImporterScheme, Selector, SelectorKind, Strength, TransportDocument,
    TransportKind,
};
use crate::text::folded;

use super::scanned::Scanned;
use super::{LookupError, MAX_LOOKUP_CHARS};

/// A typed text in every form in which it can match.
#[derive(Clone, Debug)]
pub struct Typed {
    // Canonical, one for each kind that the text can be.
    pub(super) selectors: Vec<Selector>,
    // Digits of a tariff code, of whichever edition.
    pub(super) tariff: Option<String>,
    // Digits of a national tariff code, of whichever country and year.
    pub(super) national: Option<String>,
    pub(super) serial: String,
    pub(super) name: Option<String>,
    pub(super) order: Option<Numbered>,
    // As many digits as an item number has, and the check digit does not hold.
    pub(super) is_mistyped: bool,
}

impl Typed {
    /// Reads what was typed.
    ///
    /// # Errors
    /// [`LookupError`] when there is nothing, or too much.
    pub fn read(text: &str) -> Result<Self, LookupError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(LookupError::Empty);
        }
        if text.chars().count() > MAX_LOOKUP_CHARS {
            return Err(LookupError::TooLong);
        }
        let owned = || text.to_owned();
        let scanned = Scanned::read(text);
        let (item, serial, batch) = match &scanned {
            Some(code) => (&*code.gtin, &*code.serial, &*code.batch),
            None => (text, text, text),
        };
        let digits: String = item
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        let is_item_number =
            matches!(digits.len(), 8 | 12..=14) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let gtin = Selector::Gtin(digits);
        let is_mistyped = is_item_number && gtin.canonical().is_err();
        let mut readings = vec![
            gtin,
            Selector::Model(owned()),
            Selector::Batch(batch.to_owned()),
            Selector::Mid(owned()),
            Selector::Lei(owned()),
            Selector::Eori(owned()),
            Selector::Brand(owned()),
            Selector::Duns(owned()),
            Selector::Container(owned()),
            Selector::Vessel(owned()),
            Selector::Listing(owned()),
        ];
        readings.extend(ImporterScheme::ALL.iter().map(|scheme| {
            Selector::Importer(ImporterNumber {
                scheme: *scheme,
                number: owned(),
            })
        }));
        readings.extend(TransportKind::ALL.iter().map(|kind| {
            Selector::Transport(TransportDocument {
                kind: *kind,
                number: owned(),
            })
        }));
        let tariff: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
        let is_tariff = (2..=10).contains(&tariff.len())
            && tariff.len().is_multiple_of(2)
            && tariff.bytes().all(|byte| byte.is_ascii_digit());
        let is_national =
            matches!(tariff.len(), 8..=10) && tariff.bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self {
            selectors: readings.iter().filter_map(canonical).collect(),
            // National digits beyond the sixth are no Harmonized System code.
            tariff: is_tariff.then(|| tariff.chars().take(6).collect()),
            national: is_national.then_some(tariff),
            serial: serial.to_owned(),
            name: folded(text),
            order: match Name::parse(text) {
                Some(Name::Numbered { name, .. }) => Some(name),
                Some(Name::Block(block)) => Some(block.order),
                Some(Name::Prefixed { .. } | Name::Statement(_)) | None => None,
            },
            is_mistyped,
        })
    }

    /// Whether the text looks like an item number with a slip in it: then that nothing matches says
    /// nothing.
    #[must_use]
    pub const fn is_mistyped(&self) -> bool {
        self.is_mistyped
    }

    /// Whether the text can be something that decides: if it matches nothing, that says a little.
    pub(super) fn can_decide(&self) -> bool {
        // It reads as a model number too, but names a party.
        let is_lei = self
            .selectors
            .iter()
            .any(|selector| matches!(selector, Selector::Lei(_)));
        if self.is_mistyped {
            return false;
        }
        self.selectors.iter().any(|selector| match selector.kind() {
            SelectorKind::Gtin | SelectorKind::Container => true,
            SelectorKind::Model => {
                !is_lei
                    && self.tariff.is_none()
                    && selector
                        .to_string()
                        .bytes()
                        .any(|byte| byte.is_ascii_digit())
                    && selector
                        .canonical()
                        .is_ok_and(|c| c.strength() == Strength::Strong)
            }
            SelectorKind::Hs
            | SelectorKind::Serial
            | SelectorKind::Mid
            | SelectorKind::Lei
            | SelectorKind::Eori
            | SelectorKind::Brand
            | SelectorKind::Tariff
            | SelectorKind::ModelPattern
            | SelectorKind::Batch
            | SelectorKind::Importer
            | SelectorKind::Duns
            | SelectorKind::Transport
            | SelectorKind::Vessel
            | SelectorKind::Listing
            | SelectorKind::Origin
            | SelectorKind::Description
            | SelectorKind::Image => false,
        })
    }

    /// How the text and a selector agree.
    pub(super) fn meets(&self, selector: &Selector) -> Option<Meeting> {
        let canonical = selector.canonical().ok()?;
        let typed = match canonical.selector() {
            Selector::Hs(hs) => {
                let typed = self.tariff.as_ref()?;
                (typed.starts_with(&hs.code) || hs.code.starts_with(typed)).then(|| typed.clone())
            }
            Selector::Tariff(tariff) => {
                let typed = self.national.as_ref().or(self.tariff.as_ref())?;
                (typed.starts_with(&tariff.code) || tariff.code.starts_with(typed))
                    .then(|| typed.clone())
            }
            Selector::Serial(_) => canonical
                .contains_serial(&self.serial)
                .then(|| self.serial.clone()),
            Selector::ModelPattern(_) => canonical
                .matches_model(&self.serial)
                .then(|| self.serial.clone()),
            exact @ (Selector::Gtin(_)
            | Selector::Model(_)
            | Selector::Mid(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Brand(_)
            | Selector::Batch(_)
            | Selector::Importer(_)
            | Selector::Duns(_)
            | Selector::Container(_)
            | Selector::Transport(_)
            | Selector::Vessel(_)
            | Selector::Listing(_)) => self.selectors.contains(exact).then(|| exact.to_string()),
            // Facts of a declaration, not of a box.
            Selector::Origin(_) | Selector::Description(_) | Selector::Image(_) => None,
        };
        Some(Meeting {
            kind: canonical.kind(),
            strength: canonical.strength(),
            matched: canonical.to_string(),
            typed: typed?,
        })
    }
}

/// A selector that a typed text agrees with.
pub(super) struct Meeting {
    pub(super) kind: SelectorKind,
    pub(super) strength: Strength,
    // In canonical form.
    pub(super) matched: String,
    // As typed, in canonical form.
    pub(super) typed: String,
}

/// Selectors without a canonical form match nothing; lasting bodies may hold some.
pub(super) fn canonical(selector: &Selector) -> Option<Selector> {
    selector
        .canonical()
        .ok()
        .map(|canonical: Canonical| canonical.selector().clone())
}
