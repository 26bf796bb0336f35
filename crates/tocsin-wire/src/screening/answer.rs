//! Answers to messages: whole where they fit, and where they do not, saying so.

use prost::Message;
use tocsin_core::lookup::Outcome;
use tocsin_core::notice::Notice;
use tocsin_core::product::Strength;
use tocsin_screen::answer::{Answer, Cap, Exception, Hit, Part, Side, Subject, Tried};
use tocsin_screen::line::{Field, Fields};
use tocsin_screen::list::Entry;
use tocsin_screen::suppression::Mark;

use crate::proto::v1;

/// An answer with what the node that gives it makes of it.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// As screened.
    pub answer: &'a Answer,
    /// What is left of its outcome.
    pub outcome: Outcome,
    /// One for each of its hits, in the same order.
    pub hits: Vec<JudgedHit<'a>>,
}

/// What a node makes of one hit.
#[derive(Clone, Copy, Debug)]
pub struct JudgedHit<'a> {
    /// What is left of its outcome.
    pub outcome: Outcome,
    /// The state it rests on is too old: it was put down to that.
    pub is_stale: bool,
    /// What the agency's own file says of it.
    pub mark: Option<Mark<'a>>,
}

/// As the contract carries it: the weightiest hits, as many as fit.
#[must_use]
pub fn answer(judged: &Judged<'_>) -> v1::ScreenAnswer {
    let Answer {
        decisive_missing,
        missing,
        unreadable,
        hits,
        is_truncated,
        ..
    } = judged.answer;
    let mut message = v1::ScreenAnswer {
        outcome: outcome(judged.outcome).into(),
        decisive_missing: *decisive_missing,
        missing: numbers(*missing),
        unreadable: numbers(*unreadable),
        hits: Vec::new(),
        is_truncated: *is_truncated,
    };
    let mut room = MAX_HITS_BYTES;
    for (shown, judged) in hits.iter().zip(&judged.hits) {
        let Some(hit) = hit(shown, judged, room).filter(|_| message.hits.len() < MAX_HITS) else {
            message.is_truncated = true;
            break;
        };
        room = room.saturating_sub(hit.encoded_len());
        message.hits.push(hit);
    }
    message
}

/// The outcome, as the contract numbers it.
#[must_use]
pub const fn outcome(outcome: Outcome) -> v1::Outcome {
    match outcome {
        Outcome::None => v1::Outcome::None,
        Outcome::Flagged => v1::Outcome::Flagged,
        Outcome::Review => v1::Outcome::Review,
        Outcome::Held => v1::Outcome::Held,
        Outcome::Blocked => v1::Outcome::Blocked,
    }
}

/// A hit with as many of its parts as fit; `None` where not even its first one does.
fn hit(shown: &Hit, judged: &JudgedHit<'_>, mut room: usize) -> Option<v1::ScreenHit> {
    let (cap, cap_text) = match shown.cap {
        _ if judged.is_stale => (CAP_STALE, CAP_STALE_TEXT),
        Some(cap) => (Cap::word(cap), Cap::text(cap)),
        None => ("", ""),
    };
    let mut message = v1::ScreenHit {
        subject: Some(subject(&shown.subject)),
        outcome: outcome(judged.outcome).into(),
        score: u32::from(shown.score),
        parts: Vec::new(),
        missing: numbers(shown.missing),
        tried: shown.tried.iter().take(MAX_TRIED).map(tried).collect(),
        cap: cap.to_owned(),
        cap_text: cap_text.to_owned(),
        suppression: judged.mark.as_ref().map(mark),
    };
    room = room.checked_sub(message.encoded_len())?;
    for shown in &shown.parts {
        let part = part(shown);
        let Some(rest) = room.checked_sub(part.encoded_len() + PART_FRAME_BYTES) else {
            break;
        };
        room = rest;
        message.parts.push(part);
    }
    (shown.parts.is_empty() || !message.parts.is_empty()).then_some(message)
}

fn subject(subject: &Subject) -> v1::screen_hit::Subject {
    match subject {
        Subject::Block(notice) => v1::screen_hit::Subject::Block(block(notice)),
        Subject::Listed(entry) => v1::screen_hit::Subject::List(list(entry)),
    }
}

fn block(notice: &Notice) -> v1::ScreenedBlock {
    v1::ScreenedBlock {
        name: notice.block.clone(),
        version: notice.version,
        order: notice.order.clone(),
        state: notice.state.word().to_owned(),
        decision_id: notice
            .decision_id
            .map(|id| id.as_bytes().to_vec())
            .unwrap_or_default(),
        basis: cut(&notice.basis, MAX_SHOWN_CHARS),
        by: notice.by.to_string(),
        from_ms: notice.from_ms,
        until_ms: notice.until_ms,
        exercise: notice.exercise,
    }
}

fn list(entry: &Entry) -> v1::ScreenedList {
    v1::ScreenedList {
        list: cut(&entry.list, MAX_SHOWN_CHARS),
        dated: cut(&entry.dated, MAX_SHOWN_CHARS),
        number: cut(&entry.number, MAX_SHOWN_CHARS),
        name: entry
            .names
            .first()
            .map(|name| cut(name, MAX_SHOWN_CHARS))
            .unwrap_or_default(),
    }
}

fn part(part: &Part) -> v1::ScreenPart {
    v1::ScreenPart {
        side: match part.side {
            Side::Goods => "goods",
            Side::Party => "party",
            Side::Context => "context",
        }
        .to_owned(),
        field: field(part.field).into(),
        fact: part.fact.word().to_owned(),
        raw: cut(&part.raw, MAX_SHOWN_CHARS),
        canonical: cut(&part.canonical, MAX_SHOWN_CHARS),
        of_order: cut(&part.of_order, MAX_SHOWN_CHARS),
        strength: match part.strength {
            Strength::Weak => "weak",
            Strength::Medium => "medium",
            Strength::Strong => "strong",
        }
        .to_owned(),
        score: u32::from(part.score),
    }
}

fn tried(tried: &Tried) -> v1::ScreenTried {
    let (exception, index) = match tried.exception {
        Exception::CarveOut(index) => ("carve_out", u32::try_from(index).unwrap_or(u32::MAX)),
        Exception::Authorised => ("authorised", 0),
        Exception::Bond => ("bond", 0),
        Exception::Certification => ("certification", 0),
    };
    v1::ScreenTried {
        exception: exception.to_owned(),
        index,
        result: tried.result.word().to_owned(),
        text: cut(&tried.text, MAX_SHOWN_CHARS),
    }
}

fn mark(mark: &Mark<'_>) -> v1::ScreenMark {
    v1::ScreenMark {
        kind: mark.suppression.what.word().to_owned(),
        effect: mark.effect.word().to_owned(),
        reason: mark.suppression.reason.clone(),
        author: mark.suppression.author.clone(),
        until_ms: mark.suppression.until_ms,
    }
}

fn numbers(fields: Fields) -> Vec<i32> {
    fields.iter().map(|one| field(one).into()).collect()
}

/// The field, as the contract numbers it.
const fn field(field: Field) -> v1::DeclaredField {
    match field {
        Field::Gtin => v1::DeclaredField::Gtin,
        Field::Model => v1::DeclaredField::Model,
        Field::Serial => v1::DeclaredField::Serial,
        Field::Batch => v1::DeclaredField::Batch,
        Field::Brand => v1::DeclaredField::Brand,
        Field::Component => v1::DeclaredField::Component,
        Field::Tariff => v1::DeclaredField::Tariff,
        Field::Description => v1::DeclaredField::Description,
        Field::Origin => v1::DeclaredField::Origin,
        Field::Dispatch => v1::DeclaredField::Dispatch,
        Field::Importer => v1::DeclaredField::Importer,
        Field::Exporter => v1::DeclaredField::Exporter,
        Field::Seller => v1::DeclaredField::Seller,
        Field::Buyer => v1::DeclaredField::Buyer,
        Field::Manufacturer => v1::DeclaredField::Manufacturer,
        Field::Consignee => v1::DeclaredField::Consignee,
        Field::Declarant => v1::DeclaredField::Declarant,
        Field::Carrier => v1::DeclaredField::Carrier,
        Field::Container => v1::DeclaredField::Container,
        Field::TransportDocument => v1::DeclaredField::TransportDocument,
        Field::Vessel => v1::DeclaredField::Vessel,
        Field::Listing => v1::DeclaredField::Listing,
        Field::Image => v1::DeclaredField::Image,
        Field::Direction => v1::DeclaredField::Direction,
        Field::Time => v1::DeclaredField::Time,
    }
}

/// A text for people, cut where it is too long to be one.
fn cut(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Hits of one answer.
pub const MAX_HITS: usize = 16;
/// Hits of one answer (bytes), so that one line with many of them does not fill a response.
pub const MAX_HITS_BYTES: usize = 32 * 1024;
/// Exceptions that one hit shows; what decides stands in its cap.
const MAX_TRIED: usize = 16;
/// Characters of a text in a hit: an identifier, a name, the beginning of a description.
const MAX_SHOWN_CHARS: usize = 256;
/// Tag and length before a part.
const PART_FRAME_BYTES: usize = 4;
/// Why a hit on a state that is too old says no more than review.
const CAP_STALE: &str = "stale_state";
const CAP_STALE_TEXT: &str = "the state of this node is too old to rely on";

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tocsin_core::cursor::{Cursor, Vector, View};
    use tocsin_core::product::SelectorKind;
    use tocsin_screen::answer::{Basis, Fact, TriedResult};
    use tocsin_screen::suppression::{Effect, Suppressed, Suppression};

    use super::*;

    fn listed(parts: Vec<Part>) -> Hit {
        Hit {
            subject: Subject::Listed(Arc::new(Entry {
                list: "a list".into(),
                dated: "2026-11-01".into(),
                number: "7".to_owned(),
                since: String::new(),
                names: vec!["Acme".to_owned()],
            })),
            outcome: Outcome::Review,
            score: 700,
            parts,
            missing: Fields::NONE.with(Field::Gtin),
            tried: vec![Tried {
                exception: Exception::CarveOut(2),
                result: TriedResult::Claimed,
                text: "repair".to_owned(),
            }],
            cap: Some(Cap::Listed),
        }
    }

    fn part(text: &str) -> Part {
        Part {
            side: Side::Party,
            field: Field::Seller,
            fact: Fact::Selector(SelectorKind::Lei),
            raw: text.to_owned(),
            canonical: text.to_owned(),
            of_order: text.to_owned(),
            strength: Strength::Strong,
            score: 1_000,
        }
    }

    fn found(hits: Vec<Hit>) -> Answer {
        Answer {
            outcome: Outcome::Review,
            decisive_missing: true,
            missing: Fields::NONE.with(Field::Time),
            unreadable: Fields::NONE.with(Field::Model),
            hits,
            is_truncated: false,
            basis: Arc::new(Basis {
                position: Cursor {
                    view: View::NONE,
                    vector: Vector::default(),
                },
                ages: Vec::new(),
            }),
        }
    }

    fn told(found: &Answer, judged: JudgedHit<'_>) -> v1::ScreenAnswer {
        answer(&Judged {
            answer: found,
            outcome: judged.outcome,
            hits: vec![judged; found.hits.len()],
        })
    }

    const PLAIN: JudgedHit<'_> = JudgedHit {
        outcome: Outcome::Review,
        is_stale: false,
        mark: None,
    };

    #[test]
    fn an_answer_is_told_with_its_reasons() {
        let found = found(vec![listed(vec![part("X"), part("Y")])]);
        let message = told(&found, PLAIN);
        assert_eq!(message.outcome(), v1::Outcome::Review);
        assert!(message.decisive_missing && !message.is_truncated);
        assert_eq!(message.missing, [i32::from(v1::DeclaredField::Time)]);
        assert_eq!(message.unreadable, [i32::from(v1::DeclaredField::Model)]);
        let hit = &message.hits[0];
        assert_eq!((hit.cap.as_str(), hit.score), ("listed", 700));
        assert_eq!(hit.parts.len(), 2);
        assert_eq!(hit.parts[0].fact, "lei");
        assert_eq!(hit.parts[0].field(), v1::DeclaredField::Seller);
        assert_eq!(
            (hit.tried[0].index, hit.tried[0].result.as_str()),
            (2, "claimed")
        );
        assert!(matches!(
            hit.subject,
            Some(v1::screen_hit::Subject::List(_))
        ));
    }

    #[test]
    fn a_stale_state_and_a_suppression_are_seen_in_the_hit() {
        let suppression = Suppression {
            what: Suppressed::TrustedImporter {
                identifier: "DE123456".to_owned(),
            },
            reason: "audited".to_owned(),
            author: "officer 12".to_owned(),
            until_ms: 5,
        };
        let judged = JudgedHit {
            is_stale: true,
            mark: Some(Mark {
                suppression: &suppression,
                effect: Effect::NotForBlocks,
            }),
            ..PLAIN
        };
        let message = told(&found(vec![listed(Vec::new())]), judged);
        let mark = message.hits[0].suppression.as_ref().unwrap();
        assert_eq!(message.hits[0].cap, "stale_state");
        assert_eq!(mark.effect, "not_for_blocks");
    }

    #[test]
    fn hits_beyond_the_bound_are_cut_and_it_is_said() {
        let many = found(vec![listed(vec![part("X")]); MAX_HITS + 1]);
        let message = told(&many, PLAIN);
        assert_eq!((message.hits.len(), message.is_truncated), (MAX_HITS, true));
        // The longest texts in every script, and more parts than fit.
        let long = part(&"\u{20000}".repeat(1_000));
        let large = found(vec![listed(vec![long; 32]); MAX_HITS]);
        let message = told(&large, PLAIN);
        assert!(message.is_truncated && !message.hits.is_empty());
        assert!(message.hits[0].parts.len() < 32);
        assert!(message.encoded_len() < MAX_HITS_BYTES + 1_024);
    }

    #[test]
    fn every_field_has_its_own_number() {
        let mut numbers: Vec<i32> = Field::ALL.iter().map(|one| field(*one).into()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), Field::ALL.len());
        assert!(!numbers.contains(&0));
    }
}
