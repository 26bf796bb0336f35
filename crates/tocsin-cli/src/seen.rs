//! Records as a node shows them, verified from their bytes: what is printed is what was signed, not
//! what the node says of it.

use serde_json::{Value, json};
use tocsin_core::name::{resource, short};
use tocsin_core::roster::Alliance;
use tocsin_core::statement::{Act, Decoded, DecodedBody, Statement, StatementRef};
use tocsin_core::validate::{Verdict, validate};
use tocsin_log::checkpoint::Origin;
use tocsin_log::entry::Entry;
use tocsin_log::hash::Hash;
use tocsin_wire::body::BodyKind;
use tocsin_wire::envelope::read_statement;
use tocsin_wire::proto::v1;

use crate::failure::Failure;
use crate::instant;
use crate::show;

/// A statement in a log, as its bytes say.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its full name.
    pub name: String,
    /// Its short name.
    pub short: String,
    /// The log it stands in.
    pub origin: Origin,
    /// Where.
    pub index: u64,
    /// What was signed, and by whom.
    pub entry: Entry,
    /// What it says; none when this version cannot read it.
    pub statement: Option<Statement>,
    /// What every node makes of it.
    pub verdict: Verdict,
    /// Why the fold finds it void, as the node says.
    pub void: Option<String>,
    /// How widely it is held, as the node says.
    pub grade: &'static str,
    /// Its bodies, those that are there and are what the statement names.
    pub bodies: Vec<DecodedBody>,
}

impl Seen {
    /// Reads a record.
    ///
    /// # Errors
    /// A verification failure when its bytes are not what the node says they are.
    pub fn open(record: &v1::Record, alliance: &Alliance) -> Result<Self, Failure> {
        let wrong = |why: String| {
            Failure::unverified(
                "RECORD_INVALID",
                format!("the node shows a broken record: {why}"),
            )
            .detail(record.name.clone())
        };
        let entry = read_statement(record.signed.as_ref()).map_err(|e| wrong(e.to_string()))?;
        let origin: Origin = record.log.parse().map_err(|_| wrong("no log".to_owned()))?;
        if record.statement_id != entry.statement_id().as_bytes() {
            return Err(wrong("its statement_id is another".to_owned()));
        }
        let mut seen = Self::of_entry(entry, origin, record.index, alliance);
        seen.void = record.void.then(|| record.void_reason.clone());
        seen.grade = grade(record.grade);
        if let Some(statement) = &seen.statement {
            seen.bodies = bodies(statement, &record.bodies).map_err(wrong)?;
        }
        Ok(seen)
    }

    /// Reads an entry of a log.
    #[must_use]
    pub fn of_entry(entry: Entry, origin: Origin, index: u64, alliance: &Alliance) -> Self {
        let decoded = tocsin_wire::statement::decode(&entry.payload);
        let verdict = validate(&entry, &decoded, &origin, index, alliance);
        let statement = match decoded {
            Decoded::Known(statement) => Some(*statement),
            Decoded::Opaque { .. } | Decoded::Bad(_) => None,
        };
        let id = entry.statement_id();
        let (name, short) = match &statement {
            Some(statement) => {
                let member = origin.member();
                (
                    resource(member, statement, &id),
                    short(member, statement, &id),
                )
            }
            None => (id.to_string(), tocsin_core::name::prefix(&id)),
        };
        let (void, grade) = (None, "");
        Self {
            name,
            short,
            origin,
            index,
            entry,
            statement,
            verdict,
            void,
            grade,
            bodies: vec![],
        }
    }

    /// What names it in other statements.
    #[must_use]
    pub fn reference(&self) -> StatementRef {
        StatementRef {
            log: self.origin.log_name(),
            statement_id: self.entry.statement_id(),
        }
    }

    /// Refuses to go on with a statement that does not count.
    ///
    /// # Errors
    /// A verification failure with the reason.
    pub fn require_valid(&self) -> Result<&Statement, Failure> {
        match (&self.verdict, &self.statement) {
            (Verdict::Valid(_), Some(statement)) => Ok(statement),
            (Verdict::Invalid(refusal), _) => Err(Failure::unverified(
                refusal.code(),
                format!("{}: {refusal}", self.name),
            )),
            (Verdict::Opaque { .. } | Verdict::Valid(_), _) => Err(Failure::unverified(
                "UNKNOWN_ACT",
                format!("{}: this version cannot read what it says", self.name),
            )),
        }
    }

    /// Its title: of the order, report or indicator, else what is done.
    #[must_use]
    pub fn title(&self) -> String {
        for body in &self.bodies {
            match body {
                DecodedBody::Report(report) => return report.title.clone(),
                DecodedBody::Indicator(indicator) => return indicator.title.clone(),
                DecodedBody::Order(_) | DecodedBody::PolicyPack(_) => {}
            }
        }
        match self.statement.as_ref().map(|statement| &statement.act) {
            Some(Act::Order(order)) => order.title.clone(),
            Some(Act::OrderAct(act)) => act.kind.word().to_owned(),
            Some(Act::Decision(decision)) => decision.kind.word().to_owned(),
            Some(Act::PolicyPack(_) | Act::Report(_) | Act::Indicator(_)) | None => String::new(),
        }
    }

    /// As a row of a list.
    #[must_use]
    pub fn row(&self) -> Value {
        let statement = self.statement.as_ref();
        let (verdict, reason) = match &self.verdict {
            Verdict::Valid(_) if self.void.is_some() => ("void", self.void.clone()),
            Verdict::Valid(_) => ("valid", None),
            Verdict::Opaque { .. } => ("opaque", None),
            Verdict::Invalid(refusal) => ("invalid", Some(refusal.code().to_owned())),
        };
        json!({
            "name": self.short,
            "resource": self.name,
            "act": statement.map(|s| s.act.word()),
            "title": self.title(),
            "created": statement.map(|s| instant::show(s.created_ms)),
            "tlp": statement.map(|s| s.tlp.word()),
            "log": self.origin.to_string(),
            "index": self.index,
            "statement_id": self.entry.statement_id().to_string(),
            "signed_by": self.signers(),
            "grade": self.grade,
            "verdict": verdict,
            "reason": reason,
        })
    }

    /// With everything that it says.
    #[must_use]
    pub fn whole(&self) -> Value {
        let mut value = self.row();
        if let (Some(fields), Some(statement)) = (value.as_object_mut(), &self.statement) {
            fields.extend(show::statement(statement, &self.bodies));
        }
        value
    }

    fn signers(&self) -> Vec<String> {
        match &self.verdict {
            Verdict::Valid(author) => author.persons.iter().cloned().collect(),
            Verdict::Opaque { .. } | Verdict::Invalid(_) => Vec::new(),
        }
    }
}

/// The bodies that were sent, each of which must be the one that the statement names.
///
/// # Errors
/// Which is not, in words.
pub fn bodies(statement: &Statement, sent: &[Vec<u8>]) -> Result<Vec<DecodedBody>, String> {
    let Some(kind) = BodyKind::of(&statement.act) else {
        return Ok(Vec::new());
    };
    let mut decoded = Vec::new();
    for (named, bytes) in statement.bodies.iter().zip(sent) {
        if bytes.is_empty() {
            continue;
        }
        if Hash::of(bytes) != named.sha256 {
            return Err("a body is not the one that was signed".to_owned());
        }
        decoded.push(tocsin_wire::body::decode(kind, bytes).map_err(|e| e.to_string())?);
    }
    Ok(decoded)
}

/// The word for a grade.
#[must_use]
pub fn grade(number: i32) -> &'static str {
    match v1::Grade::try_from(number) {
        Ok(v1::Grade::Local) => "local",
        Ok(v1::Grade::Replicated) => "replicated",
        Ok(v1::Grade::Confirmed) => "confirmed",
        Ok(v1::Grade::Unspecified) | Err(_) => "",
    }
}
