//! Two officers of a member, who issue orders, withdraw them and publish a pack.

use std::sync::atomic::{AtomicU32, Ordering};

use tocsin_cli::failure::{Exit, Failure};
use tocsin_cli::instant::now_ms;
use tocsin_cli::keyfile::fill_random;
use tocsin_core::handling::Tlp;
use tocsin_core::order::{Instrument, Order, OrderAct, OrderActKind, Phase, ScopeKind};
use tocsin_core::party::{Party, PartyKind};
use tocsin_core::policy::PolicyPack;
use tocsin_core::product::{Article, Selector};
use tocsin_core::right::{Right, RightKind};
use tocsin_core::roster::Role;
use tocsin_core::statement::{Act, Statement, StatementRef};
use tocsin_core::terms::Terms;
use tocsin_log::entry::{Entry, STATEMENT_TYPE};
use tocsin_log::key::SigningKey;
use tocsin_wire::envelope::write_statement;
use tocsin_wire::proto::v1;

use crate::demo::network::{LABEL, Network};

/// The first number of an order, above those of reports.
pub(super) const FIRST_NUMBER: u32 = 1 << 30;

/// Two persons of one member.
pub(super) struct Officers {
    log: String,
    keys: [SigningKey; 2],
    next: AtomicU32,
}

impl std::fmt::Debug for Officers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Officers")
            .field("log", &self.log)
            .finish_non_exhaustive()
    }
}

impl Officers {
    /// Those of `member`.
    ///
    /// # Errors
    /// When their keys cannot be read.
    pub(super) fn of(network: &Network, member: &str) -> Result<Self, Failure> {
        let keys = network.keys(member, Role::Officer)?;
        let keys = <[SigningKey; 2]>::try_from(keys)
            .map_err(|_| Failure::new(Exit::Failed, "not two officers"))?;
        Ok(Self {
            log: format!("{LABEL}/{member}"),
            keys,
            next: AtomicU32::new(FIRST_NUMBER),
        })
    }

    /// The next order, signed by both, and its name.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn order(&self) -> Result<(v1::SubmitRequest, StatementRef), Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let entry = self.say(Act::Order(Box::new(order(number))), number, None)?;
        let name = StatementRef {
            log: self.log.clone(),
            statement_id: entry.statement_id(),
        };
        Ok((request(&entry), name))
    }

    /// The next order, signed by both, with the number that its goods are called by.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn numbered_order(&self) -> Result<(u32, v1::SubmitRequest), Failure> {
        let number = self.next.load(Ordering::Relaxed);
        let (request, _) = self.order()?;
        Ok((number, request))
    }

    /// The next order, on a firm by name too, as it stands in a log.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn order_on_a_firm(&self) -> Result<Entry, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let firm = Party {
            kind: PartyKind::Company,
            names: vec![firm(number)],
            identifiers: Vec::new(),
            country: "CN".to_owned(),
        };
        let order = Order {
            respondents: vec![firm],
            ..order(number)
        };
        self.say(Act::Order(Box::new(order)), number, None)
    }

    /// The withdrawal of an order, signed by both.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn withdrawal(&self, order: &StatementRef) -> Result<v1::SubmitRequest, Failure> {
        let act = Act::OrderAct(Box::new(OrderAct {
            kind: OrderActKind::Withdraw,
            reason: "EXERCISE: measured".to_owned(),
            replacement: None,
        }));
        Ok(request(&self.say(act, 0, Some(order.clone()))?))
    }

    /// A pack by which every order of others is flagged in `jurisdiction`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn pack(&self, jurisdiction: &str) -> Result<v1::SubmitRequest, Failure> {
        let toml = format!(
            "[meta]\njurisdiction = \"{jurisdiction}\"\nversion = 1\n\
             valid_from = \"2020-01-01T00:00:00Z\"\ncalendar = \"none\"\n\n\
             [[rule]]\nid = \"all\"\nthen = \"flag\"\nbasis = \"EXERCISE: risk management\"\n"
        );
        let entry = self.say(Act::PolicyPack(PolicyPack { toml }), 0, None)?;
        Ok(request(&entry))
    }

    /// What the first of them signs an order with, and the bytes that are signed.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn signing(&self) -> Result<(&SigningKey, Vec<u8>), Failure> {
        let [first, _] = &self.keys;
        let entry = self.say(Act::Order(Box::new(order(1))), 1, None)?;
        Ok((first, entry.message()))
    }

    fn say(&self, act: Act, number: u32, about: Option<StatementRef>) -> Result<Entry, Failure> {
        let mut nonce = [0; 16];
        fill_random(&mut nonce)?;
        let statement = Statement {
            log: self.log.clone(),
            nonce,
            created_ms: now_ms(),
            number,
            tlp: Tlp::Green,
            bodies: Vec::new(),
            about,
            refs: Vec::new(),
            act,
        };
        let payload = tocsin_wire::statement::encode(&statement);
        let [one, other] = &self.keys;
        Ok(Entry::sign(STATEMENT_TYPE, payload, &[one, other]))
    }
}

fn request(entry: &Entry) -> v1::SubmitRequest {
    v1::SubmitRequest {
        statement: Some(write_statement(entry)),
        wait_for: v1::WaitFor::Local.into(),
        ..v1::SubmitRequest::default()
    }
}

/// Each is on goods of its own, as most are.
fn order(number: u32) -> Order {
    Order {
        case_ref: "337-TA-9999".to_owned(),
        title: "EXERCISE: certain lamps".to_owned(),
        instrument: Instrument::Us337Geo,
        scope: ScopeKind::General,
        respondents: Vec::new(),
        articles: vec![Article {
            description: "certain lamps of the exercise".to_owned(),
            selectors: vec![
                Selector::Gtin(gtin(number)),
                Selector::Model(format!("HX-{number}")),
            ],
        }],
        rights: vec![Right {
            kind: RightKind::Patent,
            office: "US".to_owned(),
            number: "9999999".to_owned(),
            missing_reason: String::new(),
            claims: String::new(),
        }],
        no_right_reason: String::new(),
        phase: Phase::Final,
        from_ms: now_ms() - 1_000,
        until_ms: 0,
        counterfeit: false,
        summary: "EXERCISE: invented to be measured".to_owned(),
        exercise: true,
        terms: Terms::default(),
    }
}

/// A firm's name of words that no other has.
pub(super) fn firm(number: u32) -> String {
    let mut word = String::new();
    let mut rest = u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
    for _ in 0..5 {
        let at = usize::try_from(rest % SYLLABLES.len() as u64).unwrap_or(0);
        word.push_str(SYLLABLES.get(at).copied().unwrap_or_default());
        rest /= SYLLABLES.len() as u64;
    }
    format!("{word} Lighting Trading Co., Ltd.")
}

/// What the words of firms' names are made of.
const SYLLABLES: [&str; 20] = [
    "ka", "ro", "mi", "ten", "sul", "var", "lo", "phi", "gra", "ne", "bo", "tir", "zan", "he",
    "qui", "dor", "pas", "ulm", "wex", "ny",
];

/// An item number with its check digit (GS1 General Specifications 7.9).
pub(super) fn gtin(number: u32) -> String {
    let digits = format!("95{number:010}");
    let weighed = digits.bytes().rev().zip([3, 1].into_iter().cycle());
    let sum: u32 = weighed
        .map(|(digit, weight)| u32::from(digit.saturating_sub(b'0')) * weight)
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_numbers_end_in_their_check_digit() {
        assert_eq!(gtin(2_123_456_789), "9521234567899");
        assert_eq!(gtin(2_123_456_790), "9521234567905");
    }
}
