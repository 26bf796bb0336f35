//! What somebody typed, in every form in which it can match.

use crate::name::{Name, Numbered};
use crate::product::{Canonical, Selector, SelectorKind, Strength};
use crate::text::folded;

use super::{LookupError, MAX_LOOKUP_CHARS};

/// A typed text in every form in which it can match.
#[derive(Clone, Debug)]
pub struct Typed {
    // Canonical, one for each kind that the text can be.
    pub(super) selectors: Vec<Selector>,
    // Digits of a tariff code, of whichever edition.
    pub(super) tariff: Option<String>,
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
        let digits: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        let is_item_number =
            matches!(digits.len(), 8 | 12..=14) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let gtin = Selector::Gtin(digits);
        let is_mistyped = is_item_number && gtin.canonical().is_err();
        let readings = [
            gtin,
            Selector::Model(owned()),
            Selector::Mid(owned()),
            Selector::Lei(owned()),
            Selector::Eori(owned()),
            Selector::Brand(owned()),
        ];
        let tariff: String = text.chars().filter(|c| !matches!(c, '.' | ' ')).collect();
        let is_tariff = (2..=10).contains(&tariff.len())
            && tariff.len().is_multiple_of(2)
            && tariff.bytes().all(|byte| byte.is_ascii_digit());
        Ok(Self {
            selectors: readings.iter().filter_map(canonical).collect(),
            // National digits beyond the sixth are no Harmonized System code.
            tariff: is_tariff.then(|| tariff.chars().take(6).collect()),
            serial: owned(),
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
        self.selectors.iter().any(|selector| match selector {
            Selector::Gtin(_) => true,
            Selector::Model(text) => {
                !is_lei
                    && self.tariff.is_none()
                    && text.bytes().any(|byte| byte.is_ascii_digit())
                    && selector
                        .canonical()
                        .is_ok_and(|c| c.strength() == Strength::Strong)
            }
            Selector::Hs(_)
            | Selector::Serial(_)
            | Selector::Mid(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Brand(_) => false,
        })
    }

    /// How the text and a selector agree: the kind, and both in canonical form.
    pub(super) fn meets(&self, selector: &Selector) -> Option<(SelectorKind, String, String)> {
        let canonical = selector.canonical().ok()?;
        let typed = match canonical.selector() {
            Selector::Hs(hs) => {
                let typed = self.tariff.as_ref()?;
                (typed.starts_with(&hs.code) || hs.code.starts_with(typed)).then(|| typed.clone())
            }
            Selector::Serial(_) => canonical
                .contains_serial(&self.serial)
                .then(|| self.serial.clone()),
            exact @ (Selector::Gtin(_)
            | Selector::Model(_)
            | Selector::Mid(_)
            | Selector::Lei(_)
            | Selector::Eori(_)
            | Selector::Brand(_)) => self.selectors.contains(exact).then(|| exact.to_string()),
        };
        Some((canonical.kind(), canonical.to_string(), typed?))
    }
}

/// Selectors without a canonical form match nothing; lasting bodies may hold some.
pub(super) fn canonical(selector: &Selector) -> Option<Selector> {
    selector
        .canonical()
        .ok()
        .map(|canonical: Canonical| canonical.selector().clone())
}
