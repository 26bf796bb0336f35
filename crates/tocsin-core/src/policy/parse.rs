//! Reading a pack from TOML. An unknown key or value is an error: a rule that is half understood
//! must not decide.

use std::collections::BTreeSet;

use serde::Deserialize;
use tocsin_log::checkpoint::MAX_LABEL_BYTES;

use super::{
    Limits, LocalRight, MAX_BODY_PACK_BYTES, MAX_HOLD_DAYS, MAX_RULES, Match, Pack, RULE_BREADTH,
    RULE_FLOOD, RULE_NO_PACK, RULE_NO_RULE, Rule, Then,
};
use crate::date;
use crate::order::{Instrument, ScopeKind};
use crate::reason::{Reason, Refusal};
use crate::right::RightKind;
use crate::text::{MAX_LINE_BYTES, has_forbidden_in_line};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackDoc {
    meta: MetaDoc,
    #[serde(default)]
    rule: Vec<RuleDoc>,
    #[serde(default)]
    limits: LimitsDoc,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MetaDoc {
    jurisdiction: String,
    version: u32,
    valid_from: toml::Value,
    #[serde(default)]
    calendar: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleDoc {
    id: String,
    #[serde(default = "any")]
    issuer: String,
    #[serde(default = "any")]
    instrument: String,
    #[serde(default = "any")]
    right_kind: String,
    #[serde(default = "any")]
    scope: String,
    #[serde(default = "any")]
    local_right: String,
    then: String,
    hold_days: Option<u16>,
    #[serde(default)]
    basis: String,
    #[serde(default)]
    recognised: bool,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsDoc {
    orders_per_issuer_per_day: Option<u32>,
    breadth_share: Option<f64>,
    mirror_age_hours: Option<u32>,
}

fn any() -> String {
    "*".to_owned()
}

impl Pack {
    /// Reads a pack.
    ///
    /// `valid_from` is a UTC instant, `2026-12-01T00:00:00Z`, or a date, which is its first instant
    /// in UTC. A part of a rule that is left out is `*`.
    ///
    /// # Errors
    /// When it is too long, no TOML, has an unknown key or value, or a rule may not do what it
    /// says.
    pub fn parse(toml: &str) -> Result<Self, Refusal> {
        if toml.len() > MAX_BODY_PACK_BYTES {
            return Err(Reason::PackTooLong.into());
        }
        let doc: PackDoc = toml::from_str(toml).map_err(|error| {
            let before = error
                .span()
                .and_then(|span| toml.get(..span.start))
                .unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            Refusal::new(Reason::PackSyntax).with(format!("line {line}: {}", error.message()))
        })?;
        if doc.rule.len() > MAX_RULES {
            return Err(Refusal::at(Reason::ListTooLong, "rule"));
        }
        let mut ids = BTreeSet::new();
        let mut rules = Vec::with_capacity(doc.rule.len());
        for rule in doc.rule {
            let rule = rule.read()?;
            if !ids.insert(rule.id.clone()) {
                return Err(Refusal::at(Reason::PackRuleId, rule.id).with("used twice"));
            }
            rules.push(rule);
        }
        let (jurisdiction, version, valid_from_ms, calendar) = doc.meta.read()?;
        let limits = doc.limits.read()?;
        Ok(Self {
            jurisdiction,
            version,
            valid_from_ms,
            calendar,
            rules,
            limits,
        })
    }
}

impl MetaDoc {
    fn read(self) -> Result<(String, u32, i64, String), Refusal> {
        let wrong = |field: &str| Refusal::at(Reason::PackValue, field);
        let is_jurisdiction = self.jurisdiction.len() == 2
            && self
                .jurisdiction
                .bytes()
                .all(|byte| byte.is_ascii_uppercase());
        if !is_jurisdiction {
            return Err(wrong("meta.jurisdiction").with("two upper-case letters"));
        }
        if self.version == 0 {
            return Err(wrong("meta.version").with("versions count from 1"));
        }
        // A string and TOML's own dates mean the same, and both are read by the one parser.
        let valid_from = self.valid_from.as_str().map(str::to_owned);
        let valid_from =
            valid_from.or_else(|| self.valid_from.as_datetime().map(ToString::to_string));
        let valid_from_ms = valid_from.as_deref().and_then(date::parse).ok_or_else(|| {
            wrong("meta.valid_from").with("a UTC instant, like 2026-12-01T00:00:00Z")
        })?;
        if self.calendar.len() > MAX_LINE_BYTES || has_forbidden_in_line(&self.calendar) {
            return Err(wrong("meta.calendar"));
        }
        Ok((
            self.jurisdiction,
            self.version,
            valid_from_ms,
            self.calendar,
        ))
    }
}

impl RuleDoc {
    fn read(self) -> Result<Rule, Refusal> {
        let is_id = (1..=MAX_RULE_ID_BYTES).contains(&self.id.len())
            && self
                .id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_taken =
            [RULE_NO_RULE, RULE_NO_PACK, RULE_FLOOD, RULE_BREADTH].contains(&self.id.as_str());
        if !is_id || is_taken {
            return Err(Refusal::at(Reason::PackRuleId, self.id));
        }
        let at = |reason, field: &str| Refusal::at(reason, format!("rule.{}.{field}", self.id));
        let wrong = |field: &str| at(Reason::PackValue, field);
        let issuer = match self.issuer.as_str() {
            "*" => Match::Any,
            id if is_member_id(id) => Match::Exactly(id.to_owned()),
            _ => return Err(wrong("issuer").with("a member's id in lower case, or *")),
        };
        if self.basis.len() > MAX_LINE_BYTES || has_forbidden_in_line(&self.basis) {
            return Err(wrong("basis"));
        }
        let right_kind = exactly(&self.right_kind, RightKind::from_word, || {
            wrong("right_kind")
        })?;
        let then = match self.then.as_str() {
            "adopt" => Then::Adopt,
            "hold" => Then::Hold {
                days: self.hold_days.unwrap_or(0),
            },
            "review" => Then::Review,
            "flag" => Then::Flag,
            "inform" => Then::Inform,
            "decline" => Then::Decline,
            "not_competent" => Then::NotCompetent,
            _ => return Err(wrong("then").with(&self.then)),
        };
        if let Then::Hold { days } = then {
            if !(1..=MAX_HOLD_DAYS).contains(&days) || self.basis.is_empty() {
                return Err(at(Reason::PackHold, "then"));
            }
        } else if self.hold_days.is_some() {
            return Err(at(Reason::PackHold, "hold_days"));
        }
        let is_recognised = self.recognised && right_kind != Match::Any && !self.basis.is_empty();
        if then == Then::Adopt && !is_recognised {
            return Err(at(Reason::PackAdopt, "then"));
        }
        if then != Then::Adopt && self.recognised {
            return Err(at(Reason::PackAdopt, "recognised"));
        }
        Ok(Rule {
            issuer,
            instrument: exactly(&self.instrument, Instrument::from_word, || {
                wrong("instrument")
            })?,
            right_kind,
            scope: exactly(&self.scope, ScopeKind::from_word, || wrong("scope"))?,
            local_right: exactly(&self.local_right, LocalRight::from_word, || {
                wrong("local_right")
            })?,
            then,
            id: self.id,
            basis: self.basis,
        })
    }
}

impl LimitsDoc {
    fn read(self) -> Result<Limits, Refusal> {
        let wrong = |field: &str| Refusal::at(Reason::PackValue, field);
        if self
            .breadth_share
            .is_some_and(|share| !(share > 0.0 && share <= 1.0))
        {
            return Err(wrong("limits.breadth_share").with("above 0, up to 1"));
        }
        if self.orders_per_issuer_per_day == Some(0) {
            return Err(wrong("limits.orders_per_issuer_per_day").with("at least 1"));
        }
        if self.mirror_age_hours == Some(0) {
            return Err(wrong("limits.mirror_age_hours").with("at least 1"));
        }
        Ok(Limits {
            orders_per_issuer_per_day: self.orders_per_issuer_per_day,
            breadth_share: self.breadth_share,
            mirror_age_hours: self.mirror_age_hours,
        })
    }
}

/// `*`, or the one member of a closed list that has this word.
fn exactly<T>(
    word: &str,
    read: impl Fn(&str) -> Option<T>,
    wrong: impl Fn() -> Refusal,
) -> Result<Match<T>, Refusal> {
    if word == "*" {
        return Ok(Match::Any);
    }
    read(word)
        .map(Match::Exactly)
        .ok_or_else(|| wrong().with(word))
}

fn is_member_id(id: &str) -> bool {
    (1..=MAX_LABEL_BYTES).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Bytes of a rule's id; it is cited in every decision by policy.
pub(super) const MAX_RULE_ID_BYTES: usize = 64;
