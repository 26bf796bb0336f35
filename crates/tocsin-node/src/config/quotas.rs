//! `[quota]` in `node.toml`: how much others may ask of this node. Numbers, 0 = no bound.

use tocsin_core::quota::{PersonLimits, Rate};
use toml::{Table, Value};

use super::{ConfigError, bad, nearest};
use crate::limits;

/// The quotas as they are set, or their defaults in [`limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaConfig {
    /// `person_*_per_day`: what one person may say.
    pub person: PersonLimits,
    /// `origin_entries_per_day`: what is taken of another member's log at full speed.
    pub origin_entries: u32,
    /// `origin_mib_per_day`: the same in MiB.
    pub origin_mib: u32,
    /// `client_requests_per_second`: reads of one client, or of one member's node.
    pub client_requests: u32,
    /// `member_requests_per_second`: reads of all clients of another member together.
    pub member_requests: u32,
    /// `disk_reserve_mib`: disk that is kept for what releases goods.
    pub disk_reserve_mib: u32,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            person: PersonLimits {
                orders: limits::PERSON_ORDERS_PER_DAY,
                decisions: limits::PERSON_DECISIONS_PER_DAY,
                reports: limits::PERSON_REPORTS_PER_DAY,
                packs: limits::PERSON_PACKS_PER_DAY,
                bytes: limits::PERSON_MIB_PER_DAY * MIB,
            },
            origin_entries: limits::ORIGIN_ENTRIES_PER_DAY,
            origin_mib: limits::ORIGIN_MIB_PER_DAY,
            client_requests: limits::CLIENT_REQUESTS_PER_SECOND,
            member_requests: limits::MEMBER_REQUESTS_PER_SECOND,
            disk_reserve_mib: limits::DISK_RESERVE_MIB,
        }
    }
}

impl QuotaConfig {
    /// Reads the table; what is not set has its default.
    pub(super) fn read(table: &Table) -> Result<Self, ConfigError> {
        let mut quotas = Self::default();
        for (key, value) in table {
            let number = match value {
                Value::Integer(number) => u32::try_from(*number).ok(),
                Value::String(_)
                | Value::Float(_)
                | Value::Boolean(_)
                | Value::Datetime(_)
                | Value::Array(_)
                | Value::Table(_) => None,
            };
            let slot = quotas.slot(key).ok_or_else(|| ConfigError::UnknownKey {
                key: format!("quota.{key}"),
                suggestion: nearest(key, KEYS.into_iter()),
            })?;
            let number = number.ok_or_else(|| {
                let what = format!("{key} is not a whole number from 0 to {}", u32::MAX);
                bad(
                    "quota",
                    &what,
                    "write it without quotation marks; 0 means no bound",
                )
            })?;
            match slot {
                Slot::Wide(slot, unit) => *slot = u64::from(number) * unit,
                Slot::Narrow(slot) => *slot = number,
            }
        }
        Ok(quotas)
    }

    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        let person = &mut self.person;
        Some(match key {
            "person_orders_per_day" => Slot::Wide(&mut person.orders, 1),
            "person_decisions_per_day" => Slot::Wide(&mut person.decisions, 1),
            "person_reports_per_day" => Slot::Wide(&mut person.reports, 1),
            "person_packs_per_day" => Slot::Wide(&mut person.packs, 1),
            "person_mib_per_day" => Slot::Wide(&mut person.bytes, MIB),
            "origin_entries_per_day" => Slot::Narrow(&mut self.origin_entries),
            "origin_mib_per_day" => Slot::Narrow(&mut self.origin_mib),
            "client_requests_per_second" => Slot::Narrow(&mut self.client_requests),
            "member_requests_per_second" => Slot::Narrow(&mut self.member_requests),
            "disk_reserve_mib" => Slot::Narrow(&mut self.disk_reserve_mib),
            _ => return None,
        })
    }

    /// Every key with its value, as `node.toml` has them.
    #[must_use]
    pub fn shown(mut self) -> Vec<(&'static str, u64)> {
        let slots = KEYS.into_iter().filter_map(|key| match self.slot(key)? {
            Slot::Wide(value, unit) => Some((key, *value / unit)),
            Slot::Narrow(value) => Some((key, u64::from(*value))),
        });
        slots.collect()
    }

    /// Reads of one client.
    #[must_use]
    pub const fn client_rate(&self) -> Rate {
        per_second(self.client_requests)
    }

    /// Reads of all clients of another member.
    #[must_use]
    pub const fn member_rate(&self) -> Rate {
        per_second(self.member_requests)
    }
}

enum Slot<'a> {
    Wide(&'a mut u64, u64),
    Narrow(&'a mut u32),
}

const fn per_second(amount: u32) -> Rate {
    Rate {
        amount,
        period_ms: 1_000,
        burst: limits::REQUEST_BURST_SECONDS,
    }
}

/// Every key of the table.
const KEYS: [&str; 10] = [
    "person_orders_per_day",
    "person_decisions_per_day",
    "person_reports_per_day",
    "person_packs_per_day",
    "person_mib_per_day",
    "origin_entries_per_day",
    "origin_mib_per_day",
    "client_requests_per_second",
    "member_requests_per_second",
    "disk_reserve_mib",
];

const MIB: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<QuotaConfig, ConfigError> {
        QuotaConfig::read(&text.parse().unwrap())
    }

    #[test]
    fn every_key_is_taken_and_each_sets_something_of_its_own() {
        let mut seen = vec![QuotaConfig::default()];
        for key in KEYS {
            let quotas = read(&format!("{key} = 7")).unwrap();
            assert!(!seen.contains(&quotas), "{key}");
            seen.push(quotas);
        }
        assert_eq!(
            read("person_mib_per_day = 7").unwrap().person.bytes,
            7 * MIB
        );
        assert_eq!(read("").unwrap(), QuotaConfig::default());
    }

    #[test]
    fn what_is_no_number_and_what_nobody_knows_is_refused_with_what_to_do() {
        for text in [
            "client_requests_per_second = \"7\"",
            "disk_reserve_mib = -1",
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains("0 means no bound"), "{error}");
        }
        let error = read("person_order_per_day = 1").unwrap_err().to_string();
        assert!(error.contains("person_orders_per_day"), "{error}");
    }
}
