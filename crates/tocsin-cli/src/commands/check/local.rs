//! What can be looked at without the node: our own files, and whether it answers us.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tocsin_wire::proto::v1;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::{Measure, Row, Status};
use crate::client;
use crate::connect::read_pem;
use crate::context::Context;
use crate::failure::Failure;
use crate::instant;
use crate::keyfile::refuse_if_shared;
use crate::rpc::call;
use crate::session::Session;

/// Codes of these checks, with their categories.
pub(crate) const CODES: [(&str, &str); 5] = [
    ("CONTEXT_ALLIANCE", "identity"),
    ("CLIENT_CERTIFICATE", "identity"),
    ("CLIENT_KEY", "identity"),
    ("NODE_REACHED", "network"),
    ("NODE_ADMIN", "network"),
];

/// Less than this of a certificate's life left warns.
const LEFT_WARN: f64 = 1.0 / 3.0;
/// And fails.
const LEFT_FAIL: f64 = 0.1;

/// All of them but `NODE_ADMIN`, which is whether the node's own checks were had.
pub(crate) async fn checks(session: &Session, context: &Context) -> Vec<Row> {
    vec![
        alliance(context),
        certificate(context, instant::now_ms()),
        key(context),
        reached(session, context).await,
    ]
}

/// A row of ours.
pub(crate) fn row(code: &'static str, status: Status, detail: String) -> Row {
    let known = CODES.iter().find(|(known, _)| *known == code);
    let category = known.map_or("", |(_, category)| category);
    Row {
        code: code.to_owned(),
        category: category.to_owned(),
        subject: String::new(),
        status,
        detail,
        fix: String::new(),
        side: String::new(),
        since_ms: 0,
        measure: None,
    }
}

fn failed(code: &'static str, failure: Failure) -> Row {
    let mut row = row(code, Status::Failed, failure.message);
    let known = format!("tocsin explain {code}");
    row.fix = failure.advice.unwrap_or(known);
    row
}

fn alliance(context: &Context) -> Row {
    const CODE: &str = "CONTEXT_ALLIANCE";
    match context.open_alliance() {
        Ok(alliance) => {
            let label = alliance.label();
            row(
                CODE,
                Status::Ok,
                format!("the alliance file is that of {label}"),
            )
        }
        Err(failure) => failed(CODE, failure),
    }
}

fn certificate(context: &Context, now_ms: i64) -> Row {
    const CODE: &str = "CLIENT_CERTIFICATE";
    let dates = read_pem(&context.client_cert).and_then(|pem| dates(context, &pem));
    let (from_ms, until_ms) = match dates {
        Ok(dates) => dates,
        Err(failure) => return failed(CODE, failure),
    };
    let left = left(from_ms, until_ms, now_ms);
    let status = match left {
        left if left >= LEFT_WARN => Status::Ok,
        left if left >= LEFT_FAIL => Status::Warning,
        _ => Status::Failed,
    };
    let until = instant::show(until_ms);
    let percent = (left * 100.0).floor();
    let detail = format!("our certificate has {percent:.0} % of its life left, until {until}");
    let mut row = row(CODE, status, detail);
    row.measure = Some(Measure {
        value: left,
        unit: "ratio".to_owned(),
        warn_at: LEFT_WARN,
        fail_at: LEFT_FAIL,
    });
    if status != Status::Ok {
        row.fix = "ask your operator for a new one: tocsin client new".to_owned();
    }
    row
}

/// The share of a life that is left; none of one that has not begun.
#[expect(
    clippy::cast_precision_loss,
    reason = "a share of a lifetime needs no more than 52 bits"
)]
fn left(from_ms: i64, until_ms: i64, now_ms: i64) -> f64 {
    let life = until_ms.saturating_sub(from_ms);
    if life <= 0 || now_ms < from_ms {
        return 0.0;
    }
    (until_ms.saturating_sub(now_ms) as f64 / life as f64).clamp(0.0, 1.0)
}

fn dates(context: &Context, pem: &[u8]) -> Result<(i64, i64), Failure> {
    let bad = || {
        let file = context.client_cert.display();
        Failure::usage(format!("{file} is no certificate"))
    };
    let leaf = CertificateDer::from_pem_slice(pem).map_err(|_| bad())?;
    let (_, leaf) = X509Certificate::from_der(&leaf).map_err(|_| bad())?;
    let validity = leaf.validity();
    let ms = |seconds: i64| seconds.saturating_mul(1_000);
    let (from, until) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    Ok((ms(from), ms(until)))
}

fn key(context: &Context) -> Row {
    const CODE: &str = "CLIENT_KEY";
    match refuse_if_shared(&context.client_key) {
        Ok(()) => row(
            CODE,
            Status::Ok,
            "our key is readable by us alone".to_owned(),
        ),
        Err(failure) => failed(CODE, failure),
    }
}

async fn reached(session: &Session, context: &Context) -> Row {
    const CODE: &str = "NODE_REACHED";
    let (timeout, endpoint) = (session.globals.timeout, &context.endpoint);
    let asked = async {
        let node = session.node().await?;
        let mut roster = client!(node, roster_service_client, RosterServiceClient);
        call(timeout, roster.list_members(v1::ListMembersRequest {})).await
    };
    match asked.await {
        Ok(answer) => {
            let members = answer.members.len();
            let detail = format!("{endpoint} answers us, a node of an alliance of {members}");
            row(CODE, Status::Ok, detail)
        }
        Err(failure) => failed(CODE, failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_that_has_not_begun_or_is_over_has_nothing_left() {
        assert!((left(0, 100, 25) - 0.75).abs() < 1e-9);
        for (from, until, now) in [(0, 100, 100), (0, 100, 200), (50, 100, 40), (5, 5, 5)] {
            assert!(left(from, until, now).abs() < 1e-9, "{from} {until} {now}");
        }
    }

    #[test]
    fn every_code_of_ours_has_its_page_and_its_category() {
        for (code, category) in CODES {
            let page = crate::codes::find(code, &[]);
            assert!(page.is_some(), "{code}");
            assert_eq!(row(code, Status::Ok, String::new()).category, category);
        }
    }
}
