//! What a subscriber or a list wants to see: `field = "value"` joined by `AND` (FORMATS section 7).
//!
//! The fields name only what an order's issue statement fixes, so a block never slips out of a
//! filter by being modified, and never into one by the late arrival of a body.

use crate::order::{Instrument, Order};
use crate::product::{HsCode, Selector, TariffCode};
use crate::right::RightKind;

/// A parsed filter; the empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The issuing member's id.
    pub issuer: Option<String>,
    /// The order's instrument.
    pub instrument: Option<Instrument>,
    /// Digits with which one of the order's tariff codes must begin.
    pub hs: Option<String>,
    /// A kind that one of the order's rights must have.
    pub right_kind: Option<RightKind>,
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`FilterError`] names the broken rule and where.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > MAX_FILTER_BYTES {
            return Err(FilterError::TooLong);
        }
        let mut filter = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            let (field, value, after) = term(rest).ok_or(FilterError::Malformed { at })?;
            filter.set(field, value, at)?;
            rest = after.trim_start();
            if rest.is_empty() {
                break;
            }
            let at = text.len() - rest.len();
            let after = rest
                .strip_prefix("AND")
                .ok_or(FilterError::Malformed { at })?;
            rest = after.trim_start();
            if rest.is_empty() || rest.len() == after.len() {
                return Err(FilterError::Malformed { at });
            }
        }
        Ok(filter)
    }

    /// Whether an order, by its issuer's member id and its text as issued, is wanted.
    #[must_use]
    pub fn matches(&self, issuer: &str, issued: &Order) -> bool {
        self.issuer.as_deref().is_none_or(|wanted| wanted == issuer)
            && self
                .instrument
                .is_none_or(|wanted| wanted == issued.instrument)
            && self
                .hs
                .as_deref()
                .is_none_or(|wanted| has_hs(issued, wanted))
            && self
                .right_kind
                .is_none_or(|wanted| issued.rights.iter().any(|right| right.kind == wanted))
    }

    fn set(&mut self, field: &str, value: &str, at: usize) -> Result<(), FilterError> {
        let bad = FilterError::Value { at };
        let is_first = match field {
            "issuer" => {
                let is_id = !value.is_empty()
                    && value.bytes().all(|byte| {
                        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
                    });
                if !is_id {
                    return Err(bad);
                }
                self.issuer.replace(value.to_owned()).is_none()
            }
            "instrument" => {
                let instrument = Instrument::from_word(value).ok_or(bad)?;
                self.instrument.replace(instrument).is_none()
            }
            "hs" => {
                let is_prefix = (2..=6).contains(&value.len())
                    && value.bytes().all(|byte| byte.is_ascii_digit());
                if !is_prefix {
                    return Err(bad);
                }
                self.hs.replace(value.to_owned()).is_none()
            }
            "right_kind" => {
                let kind = RightKind::from_word(value).ok_or(bad)?;
                self.right_kind.replace(kind).is_none()
            }
            _ => return Err(FilterError::UnknownField { at }),
        };
        if is_first {
            Ok(())
        } else {
            Err(FilterError::Twice { at })
        }
    }
}

/// Why a filter is not taken; `at` counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Over [`MAX_FILTER_BYTES`].
    #[error("the filter is longer than {MAX_FILTER_BYTES} bytes")]
    TooLong,
    /// Not `field = "value"` joined by `AND`.
    #[error("expected field = \"value\" joined by AND, at byte {at}")]
    Malformed {
        /// Where.
        at: usize,
    },
    /// No such field.
    #[error("fields are issuer, instrument, hs and right_kind, at byte {at}")]
    UnknownField {
        /// Where.
        at: usize,
    },
    /// A field named twice: nothing could match both, or one is idle.
    #[error("field named twice, at byte {at}")]
    Twice {
        /// Where.
        at: usize,
    },
    /// Not a member id, instrument, tariff prefix of 2 to 6 digits, or kind of right.
    #[error("no such value, at byte {at}")]
    Value {
        /// Where.
        at: usize,
    },
}

impl FilterError {
    /// The stable reason code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "FILTER_TOO_LONG",
            Self::Malformed { .. } => "FILTER_MALFORMED",
            Self::UnknownField { .. } => "FILTER_UNKNOWN_FIELD",
            Self::Twice { .. } => "FILTER_FIELD_TWICE",
            Self::Value { .. } => "FILTER_BAD_VALUE",
        }
    }
}

/// Cuts `field = "value"` off the front.
fn term(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c == '_'))?;
    let (field, rest) = text
        .split_at_checked(end)
        .filter(|(field, _)| !field.is_empty())?;
    let rest = rest
        .trim_start()
        .strip_prefix('=')?
        .trim_start()
        .strip_prefix('"')?;
    let (value, rest) = rest.split_once('"')?;
    Some((field, value, rest))
}

fn has_hs(order: &Order, prefix: &str) -> bool {
    let mut selectors = order.articles.iter().flat_map(|article| &article.selectors);
    selectors.any(|selector| {
        if let Selector::Hs(HsCode { code, .. }) | Selector::Tariff(TariffCode { code, .. }) =
            selector
        {
            code.starts_with(prefix)
        } else {
            false
        }
    })
}

/// Bytes of a filter; every field once, at its longest, needs less than half.
pub const MAX_FILTER_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Phase, ScopeKind};
    use crate::product::Article;
    use crate::right::Right;
    use crate::terms::Terms;
    use proptest::prelude::*;

    fn order() -> Order {
        Order {
            case_ref: "337-TA-1028".into(),
            title: "Certain lamps".into(),
            instrument: Instrument::Us337Geo,
            scope: ScopeKind::General,
            respondents: vec![],
            articles: vec![Article {
                description: "certain lamps".into(),
                selectors: vec![
                    Selector::Model("LX-100".into()),
                    Selector::Hs(HsCode {
                        code: "940511".into(),
                        edition: 2022,
                    }),
                ],
            }],
            rights: vec![Right {
                kind: RightKind::Patent,
                office: "US".into(),
                number: "10000000".into(),
                missing_reason: String::new(),
                claims: "1".into(),
            }],
            no_right_reason: String::new(),
            phase: Phase::Final,
            from_ms: 0,
            until_ms: 0,
            counterfeit: false,
            summary: String::new(),
            exercise: true,
            terms: Terms::default(),
        }
    }

    fn is_wanted(filter: &str) -> bool {
        Filter::parse(filter).unwrap().matches("us", &order())
    }

    #[test]
    fn every_term_must_match() {
        for filter in [
            "",
            "  ",
            "issuer = \"us\"",
            "issuer=\"us\"   AND\ths = \"9405\"",
            "right_kind = \"patent\" AND hs = \"94\" AND issuer = \"us\" ",
            "instrument = \"us_337_geo\"",
        ] {
            assert!(is_wanted(filter), "{filter}");
        }
        for filter in [
            "issuer = \"jp\"",
            "issuer = \"us\" AND hs = \"9406\"",
            "instrument = \"us_337_leo\"",
            "right_kind = \"design\"",
        ] {
            assert!(!is_wanted(filter), "{filter}");
        }
    }

    #[test]
    fn what_is_not_a_filter_is_refused_with_its_reason() {
        let long = "x".repeat(MAX_FILTER_BYTES + 1);
        for (filter, code) in [
            ("issuer", "FILTER_MALFORMED"),
            ("issuer = us", "FILTER_MALFORMED"),
            ("issuer = \"us", "FILTER_MALFORMED"),
            ("= \"us\"", "FILTER_MALFORMED"),
            ("issuer = \"us\" AND", "FILTER_MALFORMED"),
            ("issuer = \"us\" AND ", "FILTER_MALFORMED"),
            ("issuer = \"us\" and hs = \"94\"", "FILTER_MALFORMED"),
            ("issuer = \"us\" ANDhs = \"94\"", "FILTER_MALFORMED"),
            ("issuer = \"us\" hs = \"94\"", "FILTER_MALFORMED"),
            ("issuer != \"us\"", "FILTER_MALFORMED"),
            ("state = \"held\"", "FILTER_UNKNOWN_FIELD"),
            ("hs = \"94\" AND hs = \"9405\"", "FILTER_FIELD_TWICE"),
            ("hs = \"9\"", "FILTER_BAD_VALUE"),
            ("hs = \"94051100\"", "FILTER_BAD_VALUE"),
            ("hs = \"94*\"", "FILTER_BAD_VALUE"),
            ("issuer = \"\"", "FILTER_BAD_VALUE"),
            ("issuer = \"US\"", "FILTER_BAD_VALUE"),
            ("instrument = \"geo\"", "FILTER_BAD_VALUE"),
            ("right_kind = \"Patent\"", "FILTER_BAD_VALUE"),
            (long.as_str(), "FILTER_TOO_LONG"),
        ] {
            assert_eq!(
                Filter::parse(filter).map_err(FilterError::code),
                Err(code),
                "{filter}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(issuer|hs|AND| |=|\"|[a-z\"é0-9]){0,20}") {
            let _ = Filter::parse(&text);
        }
    }
}
