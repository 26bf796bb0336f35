//! Notices as a client reads them, for screening on the client's own machine.

use std::sync::Arc;

use tocsin_core::notice::{BlockState, By, Notice};
use tocsin_core::statement::{DecodeError, DecodeFault, StatementRef};
use tocsin_log::hash::Hash;
use tocsin_log::quorum::Grade;

use crate::proto::v1;
use crate::read;

/// A block's present state. `log` is the log of the order's issuer, which a notice does not say.
///
/// A state that this version does not know becomes [`BlockState::Review`]: it must neither stop
/// goods nor pass for nothing.
///
/// # Errors
/// When the order's text has a value without meaning, or an identifier its length.
pub fn read(m: v1::Notice, log: &str) -> Result<Notice, DecodeError> {
    let scope = m.scope.ok_or_else(|| missing("scope"))?;
    let grade = read::grade(m.grade).unwrap_or(Grade::Local);
    let decision_id = match m.decision_id.len() {
        0 => None,
        _ => Some(hash(&m.decision_id, "decision_id")?),
    };
    Ok(Notice {
        block: m.block,
        version: m.version,
        state: BlockState::from_word(&m.state).unwrap_or(BlockState::Review),
        reason: m.reason,
        since_ms: m.since_ms,
        from_ms: m.from_ms,
        until_ms: m.until_ms,
        order: m.order,
        order_ref: StatementRef {
            log: log.to_owned(),
            statement_id: hash(&m.order_id, "order_id")?,
        },
        decision_id,
        basis: m.basis,
        by: by(&m.by),
        scope: Arc::new(read::order(scope)?),
        selectors_missing: m.selectors_missing,
        exercise: m.exercise,
        grade,
        also_blocked_by: m.also_blocked_by,
    })
}

fn by(text: &str) -> By {
    match (text, text.strip_prefix("policy:")) {
        (_, Some(rule)) => By::Policy(rule.to_owned()),
        ("issuer", None) => By::Issuer,
        ("officers", None) => By::Officers,
        (_, None) => By::Nobody,
    }
}

fn hash(bytes: &[u8], field: &'static str) -> Result<Hash, DecodeError> {
    let bytes: [u8; Hash::LEN] = bytes.try_into().map_err(|_| DecodeError {
        fault: DecodeFault::Length,
        field: field.into(),
    })?;
    Ok(Hash(bytes))
}

fn missing(field: &'static str) -> DecodeError {
    DecodeError {
        fault: DecodeFault::Missing,
        field: field.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{said, write};
    use proptest::prelude::*;

    fn notice(state: BlockState, by: By, scope: tocsin_core::order::Order) -> Notice {
        Notice {
            block: "US-2026-0412@DE".into(),
            version: 7,
            state,
            reason: "reason".into(),
            since_ms: 5,
            from_ms: 6,
            until_ms: 7,
            order: "US-2026-0412".into(),
            order_ref: StatementRef {
                log: "a/us".into(),
                statement_id: Hash([1; 32]),
            },
            decision_id: Some(Hash([2; 32])),
            basis: "basis".into(),
            by,
            scope: Arc::new(scope),
            selectors_missing: true,
            exercise: true,
            grade: Grade::Confirmed,
            also_blocked_by: vec!["US-2026-0413@DE".into()],
        }
    }

    proptest! {
        #[test]
        fn a_client_reads_a_notice_as_it_was_sent(scope in said::order(), place in 0..16_usize) {
            let by = [By::Nobody, By::Issuer, By::Officers, By::Policy("r".into())];
            let sent = notice(BlockState::ALL[place], by[place % 4].clone(), scope);
            prop_assert_eq!(read(write::notice(&sent), "a/us"), Ok(sent));
        }
    }

    #[test]
    fn a_state_that_is_not_known_is_to_be_looked_at() {
        let mut m = v1::Notice {
            state: "impounded".into(),
            order_id: vec![1; 32],
            scope: Some(v1::Order::default()),
            ..v1::Notice::default()
        };
        assert!(
            read(m.clone(), "a/us").is_err(),
            "an order without instrument"
        );
        m.order_id = vec![1; 31];
        assert!(read(m, "a/us").is_err());
        assert_eq!(BlockState::from_word("impounded"), None);
    }
}
